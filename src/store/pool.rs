//! Who may use a connection, and for how long a call may wait: for one of this process, or for a lock of another one.
//!
//! SQLite asks here whether to go on waiting, so that nobody waits any longer once the store is to leave the file alone. The pool is never
//! locked while a connection is opened, used or closed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, InterruptHandle};

use super::{Result, StoreError, erasure};

/// Screens read while the writer works; more than two at once do not get faster on a phone.
const MAX_READERS: usize = 2;
/// A check and a backup at once; more wait for one another.
const MAX_LONG_READERS: usize = 2;
/// How long SQLite rests before it asks for a lock again, in milliseconds. Most locks are gone within the first few; one fsync takes longer.
const RESTS: [u64; 6] = [1, 2, 5, 10, 15, 20];
/// Stopping waits for running calls and interrupts them again and again for the last part of it: two seconds in all.
pub(crate) const STOP_LIMIT: Duration = Duration::from_millis(1_900);
const INTERRUPTING: Duration = Duration::from_millis(900);
const INTERRUPT_AGAIN: Duration = Duration::from_millis(20);
/// How soon a call that waits for a connection finds out that it was called off.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Longer than any call.
const FOREVER: Duration = Duration::from_secs(365 * 86_400);

/// The connections of a store.
#[derive(Default)]
pub(super) struct Pool {
    state: Mutex<PoolState>,
    changed: Condvar,
}

#[derive(Default)]
struct PoolState {
    quiesced: bool,
    closed: bool,
    /// It will be closed once running calls have ended: they wait for no other process any more.
    closing: bool,
    /// How often the store was told to leave the file alone. A call that began before the last time waits for nothing any more.
    stops: u64,
    /// The last of them that has returned. A call that began before it changes nothing any more.
    stopped: u64,
    writer: Vec<Connection>,
    readers: Vec<Connection>,
    places: Vec<Place>,
    numbers: u64,
    /// How often a call rested before it asked for a lock again.
    #[cfg(test)]
    rests: u64,
}

/// The place of a call, from when it asks for a connection until after that is given back or closed.
struct Place {
    number: u64,
    role: Role,
    stops: u64,
    stage: Stage,
}

/// How far a call has got.
enum Stage {
    /// It waits for its turn.
    Waiting,
    /// It opens a connection. One call at a time: the first one that opens the file reads the log anew. SQLite tells a call that comes
    /// meanwhile the same as when another process has the file, and while the store is quiesced no call waits for another process.
    Opening,
    /// It has a connection.
    Working(InterruptHandle),
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Writer,
    Reader,
    /// For calls that read the whole database and would keep screens waiting. Not kept open.
    LongReader,
}

impl Role {
    fn limit(self) -> usize {
        match self {
            Role::Writer => 1,
            Role::Reader => MAX_READERS,
            Role::LongReader => MAX_LONG_READERS,
        }
    }
}

/// How the store leaves the file alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StopKind {
    /// Until it is resumed; what is called meanwhile opens a connection of its own.
    Quiesce,
    /// For good.
    Close,
    /// For good, as the end of a process does: without folding the log into the file.
    #[cfg(any(test, feature = "testing"))]
    Kill,
}

/// A stop that has begun: nobody waits any more, and calls that run are still to be waited for.
#[derive(Debug, Clone, Copy)]
#[must_use = "calls that run are waited for by finishing it"]
pub(crate) struct Stopping {
    stop: u64,
    folds: bool,
}

impl PoolState {
    fn idle(&mut self, role: Role) -> &mut Vec<Connection> {
        match role {
            Role::Writer => &mut self.writer,
            Role::Reader | Role::LongReader => &mut self.readers,
        }
    }

    /// The next stage of a call that waits, and the idle connection that it takes, if there is one. None while it is not its turn.
    fn turn(&mut self, role: Role) -> Option<Option<Connection>> {
        let in_use = |place: &&Place| place.role == role && !matches!(place.stage, Stage::Waiting);
        if self.places.iter().filter(in_use).count() >= role.limit() {
            return None;
        }
        let idle = if role == Role::LongReader { None } else { self.idle(role).pop() };
        let is_opening = || self.places.iter().any(|place| matches!(place.stage, Stage::Opening));
        if idle.is_none() && is_opening() { None } else { Some(idle) }
    }

    fn set(&mut self, number: u64, stage: Stage) {
        if let Some(place) = self.places.iter_mut().find(|place| place.number == number) {
            place.stage = stage;
        }
    }

    /// Calls that began before this stop, and have not ended.
    fn earlier(&self, stop: u64) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(move |place| place.stops < stop)
    }
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, PoolState> {
        // A panic while this is locked cannot leave it half-changed: every change is a single assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, PoolState>, limit: Duration) -> MutexGuard<'a, PoolState> {
        self.changed.wait_timeout(state, limit).unwrap_or_else(PoisonError::into_inner).0
    }

    /// How long a call that begins now may wait, in all.
    pub(super) fn wait_limit(&self, limit: Duration) -> WaitLimit {
        let now = Instant::now();
        WaitLimit { stops: self.state().stops, until: now.checked_add(limit).unwrap_or(now + FOREVER), is_for: For::Call, cancelled: None }
    }

    /// A place for a connection, and an idle one if there is one. `open` gives one where there is none.
    ///
    /// A call of the app that meets a stop on its way here is not refused for it: nobody else need have the file. It counts as one that
    /// began before, so the stop waits for it and it changes nothing afterwards.
    ///
    /// # Errors
    /// `Locked` when the time to wait is over or the pool is closed, and what `open` says.
    pub(super) fn lend(
        self: &Arc<Self>,
        role: Role,
        wait_limit: &mut WaitLimit,
        open: impl FnOnce(WaitLimit) -> Result<Connection>,
    ) -> Result<Lent> {
        // A failure has to give the place back, which this does when it is dropped.
        let mut lent = self.place(role, wait_limit);
        let mut state = self.state();
        lent.connection = loop {
            if !wait_limit.may_begin(&state) {
                return Err(StoreError::Locked);
            }
            if let Some(idle) = state.turn(role) {
                break idle;
            }
            let left = wait_limit.until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(StoreError::Locked);
            }
            // Nobody tells the pool that a call was called off.
            state = self.wait(state, if wait_limit.cancelled.is_some() { left.min(LOOK_AGAIN) } else { left });
        };
        let wait_limit = wait_limit.clone();
        if let Some(idle) = &mut lent.connection {
            state.set(lent.number, Stage::Working(idle.get_interrupt_handle()));
            drop(state);
            idle.busy_handler(Some(self.handler(wait_limit)))?;
        } else {
            state.set(lent.number, Stage::Opening);
            drop(state);
            let opened = open(wait_limit)?;
            self.state().set(lent.number, Stage::Working(opened.get_interrupt_handle()));
            lent.connection = Some(opened);
            // For the next call that has to open one.
            self.changed.notify_all();
        }
        Ok(lent)
    }

    /// A place for a call that waits.
    fn place(self: &Arc<Self>, role: Role, wait_limit: &mut WaitLimit) -> Lent {
        let mut state = self.state();
        if wait_limit.is_for != For::Part {
            // It has done nothing yet: it begins now.
            wait_limit.stops = state.stops;
        }
        state.numbers += 1;
        let number = state.numbers;
        state.places.push(Place { number, role, stops: wait_limit.stops, stage: Stage::Waiting });
        Lent { pool: Arc::clone(self), role, number, connection: None }
    }

    /// Keeps a connection that was opened before there was anybody to lend it to.
    pub(super) fn keep(&self, role: Role, connection: Connection) {
        self.state().idle(role).push(connection);
    }

    /// From here on nobody waits for another process.
    pub(super) fn begin_close(&self) {
        self.state().closing = true;
        self.changed.notify_all();
    }

    /// From here on a caller that waits gives up. Waits for nobody.
    pub(super) fn begin_stop(&self, how: StopKind) -> Stopping {
        let mut state = self.state();
        // What is quiesced has nothing open, and closing does not begin to work for the sake of the log.
        let folds = how == StopKind::Close && !state.quiesced;
        state.stops += 1;
        match how {
            StopKind::Quiesce => state.quiesced = true,
            StopKind::Close => state.closed = true,
            #[cfg(any(test, feature = "testing"))]
            StopKind::Kill => state.closed = true,
        }
        self.changed.notify_all();
        Stopping { stop: state.stops, folds }
    }

    /// Waits for calls that run or wait for a connection, then interrupts them, for at most so long. Afterwards every connection is closed,
    /// no file lock is left, and only a new call may touch the file. Closing lets SQLite fold its log into the file if nobody else has it open; `open` gives a
    /// connection for it where none was left, or none where there is nothing to fold.
    pub(super) fn finish_stop(&self, stopping: Stopping, within: Duration, open: impl FnOnce() -> Option<Connection>) {
        let Stopping { stop, folds } = stopping;
        let began = Instant::now();
        let mut state = self.state();
        while state.earlier(stop).next().is_some() && began.elapsed() < within {
            let limit = match within.saturating_sub(INTERRUPTING).checked_sub(began.elapsed()).filter(|left| !left.is_zero()) {
                Some(left) => left,
                None => {
                    // Again and again: it ends the statement that runs, and not the one after it.
                    for place in state.earlier(stop) {
                        if let Stage::Working(interrupt) = &place.stage {
                            interrupt.interrupt();
                        }
                    }
                    INTERRUPT_AGAIN
                }
            };
            state = self.wait(state, limit);
        }
        // What comes back after closing is closed, too.
        state.quiesced |= state.closed;
        state.stopped = state.stopped.max(stop);
        // Who still waits for a connection comes too late.
        self.changed.notify_all();
        let (writer, readers) = (state.writer.pop(), std::mem::take(&mut state.readers));
        drop(state);
        drop(readers);
        if folds && let Some(last) = writer.or_else(open) {
            erasure::fold(last);
        }
    }

    pub(super) fn stops(&self) -> u64 {
        self.state().stops
    }

    /// Lets connections stay open again.
    pub(super) fn resume(&self) {
        let mut state = self.state();
        state.quiesced = state.closed;
    }

    /// What SQLite asks when another connection has the lock that it needs: whether to ask for it again. Rests before it says yes.
    pub(super) fn handler(self: &Arc<Self>, wait_limit: WaitLimit) -> impl FnMut(i32) -> bool + Send + 'static {
        // The connection has it, and the pool has the connection.
        let pool = Arc::downgrade(self);
        move |tries| {
            let Some(pool) = pool.upgrade() else { return false };
            let mut state = pool.state();
            let Some(left) = wait_limit.left_for_file(&state) else { return false };
            #[cfg(test)]
            {
                state.rests += 1;
            }
            let rest = RESTS[(tries.max(0) as usize).min(RESTS.len() - 1)];
            state = pool.wait(state, Duration::from_millis(rest).min(left));
            wait_limit.left_for_file(&state).is_some()
        }
    }

    /// Whether what a call has done may still be committed: not after somebody was told that the file is left alone.
    pub(super) fn may_commit(&self, wait_limit: &WaitLimit) -> bool {
        self.state().stopped <= wait_limit.stops
    }

    /// Connections that are open, idle or in use, and calls that wait for one.
    #[cfg(test)]
    pub(super) fn open(&self) -> usize {
        let state = self.state();
        state.writer.len() + state.readers.len() + state.places.len()
    }

    /// Calls that wait for a connection.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.state().places.iter().filter(|place| matches!(place.stage, Stage::Waiting)).count()
    }

    #[cfg(test)]
    pub(super) fn rests(&self) -> u64 {
        self.state().rests
    }
}

/// How long a call may wait.
#[derive(Debug, Clone)]
pub(super) struct WaitLimit {
    stops: u64,
    until: Instant,
    is_for: For,
    /// Set once nobody wants it any more.
    cancelled: Option<Arc<AtomicBool>>,
}

/// How long delivery waits for others.
#[derive(Debug, Clone)]
pub(crate) struct LockWait {
    pub(crate) limit: Duration,
    /// Set when it is to wait no longer.
    pub(crate) cancelled: Option<Arc<AtomicBool>>,
}

impl From<Duration> for LockWait {
    fn from(limit: Duration) -> Self {
        Self { limit, cancelled: None }
    }
}

/// What a connection is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// A call of the app.
    Call,
    /// The rest of a call of several transactions.
    Part,
    /// Delivery, which leaves the file alone while the store is quiesced.
    Delivery,
}

impl WaitLimit {
    /// Of a call that must not touch the file while the store is quiesced.
    pub(super) fn only_while_open(self, cancelled: Option<Arc<AtomicBool>>) -> Self {
        Self { is_for: For::Delivery, cancelled, ..self }
    }

    /// Of a transaction of a call that began when the store had been told this often to leave the file alone.
    pub(super) fn since(self, stops: u64) -> Self {
        Self { is_for: For::Part, stops, ..self }
    }

    /// Whether a connection may be taken now.
    fn may_begin(&self, state: &PoolState) -> bool {
        let may = match self.is_for {
            For::Call => state.stopped <= self.stops,
            For::Part => state.stops == self.stops,
            For::Delivery => state.stops == self.stops && !state.quiesced,
        };
        may && !state.closed && !self.is_cancelled()
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.as_ref().is_some_and(|cancelled| cancelled.load(Ordering::Acquire))
    }

    /// The time left; none when it is over, or when the store was told to leave the file alone since the call began.
    fn left(&self, state: &PoolState) -> Option<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        (state.stops == self.stops && !state.closed && !left.is_zero()).then_some(left)
    }

    /// While quiesced, and before closing, nobody waits for another process.
    fn left_for_file(&self, state: &PoolState) -> Option<Duration> {
        if state.quiesced || state.closing || self.is_cancelled() { None } else { self.left(state) }
    }
}

/// A connection in use. When dropped it goes back, or is closed: when the store is quiesced, or when it is still inside a transaction,
/// because a rollback failed.
pub(super) struct Lent {
    pool: Arc<Pool>,
    role: Role,
    number: u64,
    connection: Option<Connection>,
}

impl Lent {
    pub(super) fn connection(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("a lent connection is there until it is dropped")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut state = self.pool.state();
        if let Some(connection) = self.connection.take() {
            if !state.quiesced && connection.is_autocommit() && self.role != Role::LongReader {
                state.idle(self.role).push(connection);
            } else {
                // It must be closed before anyone is told, and nothing is locked meanwhile.
                drop(state);
                drop(connection);
                state = self.pool.state();
            }
        }
        state.places.retain(|place| place.number != self.number);
        drop(state);
        self.pool.changed.notify_all();
    }
}
