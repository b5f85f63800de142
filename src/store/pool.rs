//! Lends connections, and limits how long a call may wait: for a connection, or for a lock of another process.
//!
//! SQLite asks here whether to continue waiting, so that no call waits once the store is stopped. The pool is never locked while a connection
//! is opened, used or closed.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, InterruptHandle};

use super::{Result, StoreError, cleaning, files};

/// Screens read while the writer works; more than two at once do not get faster on a phone.
const MAX_READERS: usize = 2;
/// A check and a backup at the same time; further calls wait.
const MAX_LONG_READERS: usize = 2;
/// How long SQLite waits before it tries a lock again, in milliseconds. Most locks end within the first few; one fsync takes longer.
const LOCK_WAITS: [u64; 6] = [1, 2, 5, 10, 15, 20];
/// How long stopping waits for running calls; in the last part of it, it interrupts them repeatedly. Two seconds in all.
pub(crate) const STOP_LIMIT: Duration = Duration::from_millis(1_900);
const INTERRUPTING: Duration = Duration::from_millis(900);
const INTERRUPT_AGAIN: Duration = Duration::from_millis(20);
/// How soon a call that waits for a connection notices that it was cancelled.
const CHECK_AGAIN: Duration = Duration::from_millis(20);
/// Longer than any call.
const FOREVER: Duration = Duration::from_secs(365 * 86_400);

/// The connections of a store.
#[derive(Default)]
pub(super) struct Pool {
    state: Mutex<PoolState>,
    changed: Condvar,
    /// The length of the WAL in pages after the last commit, as SQLite tells it.
    pub(super) wal_pages: AtomicI64,
    /// How many connections were opened to write.
    pub(super) writers: AtomicU64,
    /// The WAL and its index, and which files they were at the first commit of the connection that writes.
    side_files: Mutex<[SideFile; 2]>,
}

/// The name of a file beside the database, and which file had it first.
#[derive(Default)]
struct SideFile {
    path: PathBuf,
    first: Option<(u64, u64)>,
}

#[derive(Default)]
struct PoolState {
    quiesced: bool,
    closed: bool,
    /// It will be closed once running calls have ended: they no longer wait for another process.
    closing: bool,
    /// How often the store was stopped. A call that began before the last stop no longer waits.
    stops: u64,
    /// The last stop that has returned. A call that began before it changes nothing more.
    stopped: u64,
    writer: Vec<Connection>,
    readers: Vec<Connection>,
    places: Vec<Place>,
    numbers: u64,
    /// How often a call waited before it tried a lock again.
    #[cfg(test)]
    retries: u64,
}

/// The place of a call, from its request for a connection until that is returned or closed.
struct Place {
    number: u64,
    role: Role,
    stops: u64,
    stage: Stage,
}

/// The stage of a call.
enum Stage {
    /// It waits for its turn.
    Waiting,
    /// It opens a connection. One call at a time: the first one that opens the file reads the whole WAL. To a call that comes meanwhile
    /// SQLite reports the same as when another process has the file, and while the store is quiesced no call waits for another process.
    Opening,
    /// It has a connection.
    Working(InterruptHandle),
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Writer,
    Reader,
    /// For calls that read the whole database, so that screens do not wait for them. Not kept open.
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

/// How the store is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StopKind {
    /// Until it is resumed; a call meanwhile opens its own connection.
    Quiesce,
    /// For good.
    Close,
    /// For good, like the end of a process: without a checkpoint.
    #[cfg(any(test, feature = "testing"))]
    Kill,
}

/// A stop that has begun: no call waits any more, and running calls have to be waited for.
#[derive(Debug, Clone, Copy)]
#[must_use = "finishing it waits for running calls"]
pub(crate) struct Stopping {
    stop: u64,
    checkpoints: bool,
}

impl PoolState {
    fn idle(&mut self, role: Role) -> &mut Vec<Connection> {
        match role {
            Role::Writer => &mut self.writer,
            Role::Reader | Role::LongReader => &mut self.readers,
        }
    }

    /// The idle connection for a call that waits, if there is one. The outer `None` while it is not its turn.
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
        WaitLimit {
            stops: self.state().stops,
            until: now.checked_add(limit).unwrap_or(now + FOREVER),
            caller: Caller::Call,
            cancelled: None,
        }
    }

    /// A place for a connection, and an idle one if there is one. `open` gives one where there is none.
    ///
    /// A call of the app during a stop is not refused: another process need not have the file. It counts as begun before the stop, so the stop
    /// waits for it and it changes nothing afterwards.
    ///
    /// # Errors
    /// `Locked` when the time to wait is over or the pool is closed, and errors of `open`.
    pub(super) fn lend(
        self: &Arc<Self>,
        role: Role,
        wait_limit: &mut WaitLimit,
        open: impl FnOnce(WaitLimit) -> Result<Connection>,
    ) -> Result<Lent> {
        // After a failure this releases the place when it is dropped.
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
            // The pool is not notified when a call is cancelled.
            state = self.wait(state, if wait_limit.cancelled.is_some() { left.min(CHECK_AGAIN) } else { left });
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
        if wait_limit.caller != Caller::Part {
            // It has done nothing yet, so it begins now.
            wait_limit.stops = state.stops;
        }
        state.numbers += 1;
        let number = state.numbers;
        state.places.push(Place { number, role, stops: wait_limit.stops, stage: Stage::Waiting });
        Lent { pool: Arc::clone(self), role, number, connection: None }
    }

    /// Keeps a connection that was opened before the first call.
    pub(super) fn keep(&self, role: Role, connection: Connection) {
        self.state().idle(role).push(connection);
    }

    /// From here on no call waits for another process.
    pub(super) fn begin_close(&self) {
        self.state().closing = true;
        self.changed.notify_all();
    }

    /// The connection that writes has opened this database.
    pub(super) fn opened(&self, path: &Path) {
        *self.side_files() = ["-wal", "-shm"].map(|suffix| SideFile { path: files::beside(path, suffix), first: None });
    }

    /// Whether the WAL or its index was removed, or replaced by another file: a process that opens the database next does not find what is only
    /// in the WAL.
    pub(super) fn has_lost_side_files(&self) -> bool {
        self.side_files().iter_mut().any(|file| {
            let found = files::identity(&file.path);
            // SQLite makes them when it needs them first.
            file.first = file.first.or(found);
            file.first != found
        })
    }

    fn side_files(&self) -> MutexGuard<'_, [SideFile; 2]> {
        self.side_files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on calls that wait end. Does not wait itself.
    pub(super) fn begin_stop(&self, how: StopKind) -> Stopping {
        let has_lost = how == StopKind::Quiesce && self.has_lost_side_files();
        let mut state = self.state();
        // A quiesced store has nothing open, and closing does not open the file only for a checkpoint.
        let checkpoints = how == StopKind::Close && !state.quiesced || has_lost;
        state.stops += 1;
        match how {
            StopKind::Quiesce => state.quiesced = true,
            StopKind::Close => state.closed = true,
            #[cfg(any(test, feature = "testing"))]
            StopKind::Kill => state.closed = true,
        }
        self.changed.notify_all();
        Stopping { stop: state.stops, checkpoints }
    }

    /// Waits for calls that run or wait for a connection, then interrupts them, for at most this time. Afterwards every connection is closed,
    /// no file lock remains, and only a new call may use the file. Closing makes a checkpoint if no other process has the file open; `open`
    /// gives a connection for that where none was left, or none where there is nothing to do.
    pub(super) fn finish_stop(&self, stopping: Stopping, within: Duration, open: impl FnOnce() -> Option<Connection>) {
        let Stopping { stop, checkpoints } = stopping;
        let began = Instant::now();
        let mut state = self.state();
        while state.earlier(stop).next().is_some() && began.elapsed() < within {
            let limit = match within.saturating_sub(INTERRUPTING).checked_sub(began.elapsed()).filter(|left| !left.is_zero()) {
                Some(left) => left,
                None => {
                    // Repeatedly: an interrupt ends the running statement, and not the next one.
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
        // Connections that are returned after closing are closed, too.
        state.quiesced |= state.closed;
        state.stopped = state.stopped.max(stop);
        // A call that still waits for a connection is too late.
        self.changed.notify_all();
        let (writer, readers) = (state.writer.pop(), std::mem::take(&mut state.readers));
        drop(state);
        drop(readers);
        if checkpoints && let Some(last) = writer.or_else(open) {
            cleaning::close_with_checkpoint(last);
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

    /// SQLite's busy handler: whether to try a lock of another connection again. Waits before it says yes.
    pub(super) fn handler(self: &Arc<Self>, wait_limit: WaitLimit) -> impl FnMut(i32) -> bool + Send + 'static {
        // Weak: the connection has the handler, and the pool has the connection.
        let pool = Arc::downgrade(self);
        move |tries| {
            let Some(pool) = pool.upgrade() else { return false };
            let mut state = pool.state();
            let Some(left) = wait_limit.left_for_file(&state) else { return false };
            #[cfg(test)]
            {
                state.retries += 1;
            }
            let rest = LOCK_WAITS[(tries.max(0) as usize).min(LOCK_WAITS.len() - 1)];
            state = pool.wait(state, Duration::from_millis(rest).min(left));
            wait_limit.left_for_file(&state).is_some()
        }
    }

    /// Whether the work of a call may still be committed: not after a stop has returned.
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
    pub(super) fn retries(&self) -> u64 {
        self.state().retries
    }
}

/// How long a call may wait.
#[derive(Debug, Clone)]
pub(super) struct WaitLimit {
    stops: u64,
    until: Instant,
    caller: Caller,
    /// Set once the call is cancelled.
    cancelled: Option<Arc<AtomicBool>>,
}

/// How long delivery waits for locks and connections.
#[derive(Debug, Clone)]
pub(crate) struct LockWait {
    pub(crate) limit: Duration,
    /// Set when it must stop waiting.
    pub(crate) cancelled: Option<Arc<AtomicBool>>,
}

impl From<Duration> for LockWait {
    fn from(limit: Duration) -> Self {
        Self { limit, cancelled: None }
    }
}

/// The caller of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    /// A call of the app.
    Call,
    /// The rest of a call of several transactions.
    Part,
    /// Delivery, which does not use the file while the store is quiesced.
    Delivery,
}

impl WaitLimit {
    /// For a call that must not use the file while the store is quiesced.
    pub(super) fn only_while_open(self, cancelled: Option<Arc<AtomicBool>>) -> Self {
        Self { caller: Caller::Delivery, cancelled, ..self }
    }

    /// For a transaction of a call that began when the store had been stopped this often.
    pub(super) fn since(self, stops: u64) -> Self {
        Self { caller: Caller::Part, stops, ..self }
    }

    /// Whether a connection may be taken now.
    fn may_begin(&self, state: &PoolState) -> bool {
        let may = match self.caller {
            Caller::Call => state.stopped <= self.stops,
            Caller::Part => state.stops == self.stops,
            Caller::Delivery => state.stops == self.stops && !state.quiesced,
        };
        may && !state.closed && !self.is_cancelled()
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.as_ref().is_some_and(|cancelled| cancelled.load(Ordering::Acquire))
    }

    /// The time left; none when it is over, or when the store was stopped since the call began.
    fn left(&self, state: &PoolState) -> Option<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        (state.stops == self.stops && !state.closed && !left.is_zero()).then_some(left)
    }

    /// While quiesced, and before closing, no call waits for another process.
    fn left_for_file(&self, state: &PoolState) -> Option<Duration> {
        if state.quiesced || state.closing || self.is_cancelled() { None } else { self.left(state) }
    }
}

/// A connection in use. When dropped it is returned, or closed when the store is quiesced, or when it is still inside a transaction
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
                // It must be closed before waiting calls are notified, and nothing is locked meanwhile.
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
