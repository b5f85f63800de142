//! The state of the request in progress: its phase, its time, whether bytes were sent, and how to interrupt it.
//!
//! ureq calls resolver, connector and connection on the thread that sends, without naming the request they work for; so the attempt is
//! kept per thread while it lasts. That holds for pooled connections too.

use std::cell::RefCell;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::port::{FailureKind, Phase, RequestSent, TransportFailure};

use super::options::Timeouts;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Attempt>>> = const { RefCell::new(None) };
}

/// What went wrong, before it is known in which phase.
#[derive(Debug, Clone)]
pub(super) struct IoFailure {
    pub(super) kind: FailureKind,
    pub(super) detail: String,
}

impl IoFailure {
    pub(super) fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    pub(super) fn timeout() -> Self {
        Self::new(FailureKind::Timeout, "the time is over")
    }
}

/// How to interrupt the waiting thread.
pub(super) enum Interrupt {
    /// It is not waiting.
    Nothing,
    /// It waits on this socket.
    Socket(Arc<TcpStream>),
    /// It waits for a worker; this wakes it.
    Wake(Box<dyn FnOnce() + Send>),
}

/// One request in progress.
pub(super) struct Attempt {
    pub(super) id: u64,
    timeouts: Timeouts,
    deadline: Instant,
    state: Mutex<AttemptState>,
}

struct AttemptState {
    phase: Phase,
    phase_ends: Instant,
    sent: RequestSent,
    cancelled: bool,
    interrupt: Interrupt,
    failure: Option<TransportFailure>,
    head: Head,
}

/// The head of the answer.
enum Head {
    Awaited,
    /// The bytes that had arrived when ureq stopped reading it.
    Unread(Vec<u8>),
    Read,
}

impl Attempt {
    pub(super) fn new(id: u64, timeout: Duration, timeouts: Timeouts) -> Self {
        let now = Instant::now();
        // A timeout beyond the clock's range would be none; a day is the limit.
        let deadline = now.checked_add(timeout).unwrap_or_else(|| now + Duration::from_secs(86_400));
        let state = AttemptState {
            phase: Phase::Resolve,
            phase_ends: deadline.min(now + timeouts.resolve),
            sent: RequestSent::No,
            cancelled: false,
            interrupt: Interrupt::Nothing,
            failure: None,
            head: Head::Awaited,
        };
        Self { id, timeouts, deadline, state: Mutex::new(state) }
    }

    /// Enters a phase, unless it is already in or past it, and returns when the current phase ends.
    pub(super) fn enter(&self, phase: Phase) -> Instant {
        let mut state = self.lock();
        if order(phase) > order(state.phase) {
            let long = match phase {
                Phase::Resolve => self.timeouts.resolve,
                Phase::Connect => self.timeouts.connect,
                Phase::Send => self.timeouts.send,
                Phase::Receive => self.timeouts.receive,
            };
            state.phase = phase;
            state.phase_ends = self.deadline.min(Instant::now() + long);
        }
        state.phase_ends
    }

    /// The head of the answer is read: everything after it is best effort.
    pub(super) fn head_is_read(&self) {
        let mut state = self.lock();
        state.head = Head::Read;
        state.phase = Phase::Receive;
        state.phase_ends = self.deadline.min(Instant::now() + self.timeouts.body);
    }

    /// Whether ureq has not read the head of the answer yet.
    pub(super) fn awaits_head(&self) -> bool {
        matches!(self.lock().head, Head::Awaited)
    }

    /// The connection is closed; `input` had arrived on it. Only used where ureq could not read the head.
    pub(super) fn leave_input(&self, input: &[u8]) {
        let mut state = self.lock();
        if matches!(state.head, Head::Awaited) {
            state.head = Head::Unread(input.to_vec());
        }
    }

    /// The unread part of the answer when ureq stopped.
    pub(super) fn unread_head(&self) -> Option<Vec<u8>> {
        match &mut self.lock().head {
            Head::Unread(input) => Some(std::mem::take(input)),
            Head::Awaited | Head::Read => None,
        }
    }

    /// Bytes of the request were sent.
    pub(super) fn bytes_left(&self) {
        self.lock().sent = RequestSent::Maybe;
    }

    /// Whether bytes of the request were sent.
    pub(super) fn has_begun_sending(&self) -> bool {
        self.lock().sent == RequestSent::Maybe
    }

    /// Sets how to interrupt the next wait. Fails when it is already cancelled.
    pub(super) fn interrupted_by(&self, interrupt: Interrupt) -> Result<(), ureq::Error> {
        let mut state = self.lock();
        if state.cancelled {
            drop(state);
            return Err(self.fail(IoFailure::new(FailureKind::Cancelled, "cancelled")));
        }
        state.interrupt = interrupt;
        Ok(())
    }

    /// The connection no longer belongs to this attempt: a later `cancel` must not reach it.
    pub(super) fn release(&self) {
        self.lock().interrupt = Interrupt::Nothing;
    }

    pub(super) fn cancel(&self) {
        let mut state = self.lock();
        state.cancelled = true;
        match std::mem::replace(&mut state.interrupt, Interrupt::Nothing) {
            Interrupt::Nothing => {}
            // Within the lock: after `release` the socket may serve another request.
            Interrupt::Socket(socket) => drop(socket.shutdown(Shutdown::Both)),
            Interrupt::Wake(wake) => wake(),
        }
    }

    /// Records the failure of this attempt (only the first one), and returns the error that makes ureq stop.
    pub(super) fn fail(&self, failure: IoFailure) -> ureq::Error {
        // ureq treats only this kind as the end of a body without a length.
        let closed = matches!(failure.kind, FailureKind::Closed | FailureKind::Protocol);
        let failure = self.failure(failure);
        self.lock().failure.get_or_insert(failure);
        io::Error::from(if closed { io::ErrorKind::UnexpectedEof } else { io::ErrorKind::Other }).into()
    }

    /// This failure as one of this attempt, in its current phase.
    pub(super) fn failure(&self, failure: IoFailure) -> TransportFailure {
        let state = self.lock();
        // An interrupt looks like a closed socket.
        let failure = if state.cancelled { IoFailure::new(FailureKind::Cancelled, "cancelled") } else { failure };
        TransportFailure { kind: failure.kind, phase: state.phase, request_sent: state.sent, detail: failure.detail }
    }

    /// The failure that was recorded.
    pub(super) fn recorded(&self) -> Option<TransportFailure> {
        self.lock().failure.take()
    }

    fn lock(&self) -> MutexGuard<'_, AttemptState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn order(phase: Phase) -> u8 {
    match phase {
        Phase::Resolve => 0,
        Phase::Connect => 1,
        Phase::Send => 2,
        Phase::Receive => 3,
    }
}

/// The attempt of this thread.
pub(super) fn current() -> Option<Arc<Attempt>> {
    CURRENT.with_borrow(Clone::clone)
}

/// The attempt of this thread, for code that runs only within one.
pub(super) fn ongoing() -> Result<Arc<Attempt>, ureq::Error> {
    current().ok_or_else(|| io::Error::other("no request in progress on this thread").into())
}

/// Runs `f` with this as the attempt of this thread.
pub(super) fn within<T>(attempt: &Arc<Attempt>, f: impl FnOnce() -> T) -> T {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            if let Some(attempt) = CURRENT.take() {
                attempt.release();
            }
        }
    }
    CURRENT.set(Some(attempt.clone()));
    let _leave = Leave;
    f()
}
