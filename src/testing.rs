//! Fakes for tests of apps that embed the core: a clock that is set by hand, a transport that follows a script, and repeatable randomness.
//! Feature `testing`.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use compass_core::port::Clock;
//! use compass_core::testing::{ManualClock, ScriptedTransport, answer};
//!
//! let clock = Arc::new(ManualClock::default());
//! let before = clock.now();
//! clock.advance(Duration::from_secs(60));
//! assert_eq!((clock.now() - before).num_seconds(), 60);
//!
//! // The first request is answered 503, all others 202.
//! let transport = ScriptedTransport::numbered(|number, _request| Ok(answer(if number == 1 { 503 } else { 202 })));
//! assert!(transport.requests().is_empty());
//! ```

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::TimeDelta;

pub use crate::compass::{DeliverySteps, StepOutcome};
use crate::model::Timestamp;
pub use crate::port::{Blocking, BlockingAnswer, BlockingCall, FollowUp, Reply, SendCheck};
use crate::port::{
    Clock, FailureKind, Header, Phase, Random, RequestSent, Transport, TransportFailure, TransportRequest, TransportResponse,
};

#[doc(hidden)]
pub mod rules {
    //! The pure rules behind the API, only for the core's own tests.
    pub use crate::engine::document::{
        IndexedWorkflow, MAX_DOCUMENT_BYTES, MAX_FINDINGS, MAX_FINDINGS_BYTES, MAX_POINTER_BYTES, StoredDocument, StoredFault, canonical,
    };
    pub use crate::engine::session::{Decision, State, apply, begin, decide, encountered, record, replay, start, submission, view};
    pub use crate::outbox::{
        Answer, AttemptFacts, Cause, Class, Contact, Context, EndpointState, Failing, LastSeen, Outcome, Progress, SettleFacts, Settled,
        Settlement, Verdict, classify, is_due, settle, waits_for_person,
    };
    pub use crate::webhook::payload;
}

/// The result of a transport.
pub type Answer = Result<TransportResponse, TransportFailure>;

/// How long the waits of this module last before they fail the test.
const WAIT_LIMIT: Duration = Duration::from_secs(30);

/// A clock that only moves by a call. Begins at 2027-01-15T08:00:00Z; local time is UTC.
pub struct ManualClock {
    times: Mutex<Times>,
    on_change: Mutex<Vec<Arc<dyn Fn() + Send + Sync>>>,
}

impl std::fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ManualClock({:?})", self.times())
    }
}

#[derive(Debug, Clone, Copy)]
struct Times {
    wall: Timestamp,
    monotonic: Duration,
}

impl Default for ManualClock {
    fn default() -> Self {
        let wall = Timestamp::from_timestamp(1_800_000_000, 0).expect("a time within range");
        // Not at zero, so that earlier moments exist.
        Self { times: Mutex::new(Times { wall, monotonic: Duration::from_secs(1_000) }), on_change: Mutex::default() }
    }
}

impl ManualClock {
    /// Time passes: both clocks move on.
    pub fn advance(&self, by: Duration) {
        self.set(|times| {
            times.wall += TimeDelta::from_std(by).expect("a span that fits");
            times.monotonic += by;
        });
    }

    /// Sets the wall clock. The monotonic one does not move.
    pub fn set_wall(&self, to: Timestamp) {
        self.set(|times| times.wall = to);
    }

    /// The wall clock jumps, back when negative. The monotonic one does not move.
    pub fn jump_wall(&self, by: TimeDelta) {
        self.set(|times| times.wall += by);
    }

    /// Only the monotonic clock moves on.
    pub fn advance_monotonic(&self, by: Duration) {
        self.set(|times| times.monotonic += by);
    }

    fn set(&self, change: impl FnOnce(&mut Times)) {
        change(&mut self.times.lock().unwrap_or_else(PoisonError::into_inner));
        let hooks = self.on_change.lock().unwrap_or_else(PoisonError::into_inner).clone();
        hooks.iter().for_each(|hook| hook());
    }

    fn times(&self) -> Times {
        *self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.times().wall
    }

    fn monotonic(&self) -> Duration {
        self.times().monotonic
    }

    fn on_change(&self, moved: Box<dyn Fn() + Send + Sync>) {
        self.on_change.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::from(moved));
    }

    fn utc_offset(&self, _at: Timestamp) -> i32 {
        0
    }
}

/// Randomness that is the same in every run: bytes count up, and a fraction is always one half, so that jitter changes no delay.
#[derive(Debug, Default)]
pub struct SequentialRandom(AtomicU64);

impl Random for SequentialRandom {
    fn bytes(&self) -> [u8; 16] {
        let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        let mut bytes = [0; 16];
        // In both halves, so that a caller that uses only some of the bytes gets different ones too.
        bytes[..8].copy_from_slice(&count.to_be_bytes());
        bytes[8..].copy_from_slice(&count.to_be_bytes());
        bytes
    }

    fn fraction(&self) -> f64 {
        0.5
    }
}

/// An answer with this status, without headers or body.
pub fn answer(status: u16) -> TransportResponse {
    TransportResponse { status, headers: Vec::new(), body: Vec::new() }
}

/// An answer with this status and these headers; names in lower case.
pub fn answer_with(status: u16, headers: &[(&str, &str)]) -> TransportResponse {
    let headers = headers.iter().map(|(name, value)| Header::new(*name, *value)).collect();
    TransportResponse { status, headers, body: Vec::new() }
}

/// A request that got no answer.
pub fn failure(kind: FailureKind, phase: Phase, request_sent: RequestSent) -> TransportFailure {
    TransportFailure { kind, phase, request_sent, detail: "scripted".to_owned() }
}

type Script = Box<dyn Fn(u64, &TransportRequest) -> Answer + Send + Sync>;

/// A transport that answers by its script, keeps every request, and can hold requests back until they are released or cancelled.
pub struct ScriptedTransport {
    script: Script,
    state: Mutex<ScriptState>,
    changed: Condvar,
}

#[derive(Default)]
struct ScriptState {
    requests: Vec<TransportRequest>,
    /// Requests to URLs that begin like this are held.
    held: Option<String>,
    ignores_cancel: bool,
    cancelled: BTreeSet<u64>,
    running: u32,
    most_running: u32,
    renewed: u32,
}

impl std::fmt::Debug for ScriptedTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ScriptedTransport({} requests)", self.state().requests.len())
    }
}

impl ScriptedTransport {
    /// Answers each request with the result of `script`.
    pub fn new(script: impl Fn(&TransportRequest) -> Answer + Send + Sync + 'static) -> Arc<Self> {
        Self::numbered(move |_, request| script(request))
    }

    /// The same; `script` also gets the number of the request, from 1.
    pub fn numbered(script: impl Fn(u64, &TransportRequest) -> Answer + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { script: Box::new(script), state: Mutex::default(), changed: Condvar::new() })
    }

    /// Answers everything with this status.
    pub fn always(status: u16) -> Arc<Self> {
        Self::new(move |_| Ok(answer(status)))
    }

    /// Every request so far, in the order in which they came.
    pub fn requests(&self) -> Vec<TransportRequest> {
        self.state().requests.clone()
    }

    /// How many requests ran at the same time at most.
    pub fn most_running(&self) -> u32 {
        self.state().most_running
    }

    /// How often `renew` was called.
    pub fn renewed(&self) -> u32 {
        self.state().renewed
    }

    /// From now on only requests to URLs that begin with `url` (all, when empty) are held without an answer.
    pub fn hold(&self, url: &str) {
        self.state().held = Some(url.to_owned());
        self.changed.notify_all();
    }

    /// From now on `cancel` has no effect, as with a transport that cannot be interrupted.
    pub fn ignore_cancel(&self) {
        self.state().ignores_cancel = true;
    }

    /// Releases held requests: they get the answers of the script.
    pub fn release(&self) {
        self.state().held = None;
        self.changed.notify_all();
    }

    /// Waits until this many requests have come.
    ///
    /// # Panics
    /// After 30 seconds without them.
    pub fn wait_for_requests(&self, count: usize) {
        self.wait_until("the requests", |state| state.requests.len() >= count);
    }

    /// Waits until no more requests than this are running.
    ///
    /// # Panics
    /// After 30 seconds.
    pub fn wait_until_running(&self, at_most: u32) {
        self.wait_until("the end of other requests", |state| state.running <= at_most);
    }

    /// Waits until no request is running.
    ///
    /// # Panics
    /// After 30 seconds.
    pub fn wait_until_quiet(&self) {
        self.wait_until("the end of all requests", |state| state.running == 0);
    }

    fn wait_until(&self, what: &str, holds: impl Fn(&ScriptState) -> bool) {
        let state = self.state();
        let (state, timeout) =
            self.changed.wait_timeout_while(state, WAIT_LIMIT, |state| !holds(state)).unwrap_or_else(PoisonError::into_inner);
        let came = state.requests.len();
        drop(state);
        assert!(!timeout.timed_out(), "waited too long for {what}; {came} requests came");
    }

    fn state(&self) -> MutexGuard<'_, ScriptState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a running request, also when the script panics.
struct Running<'a>(&'a ScriptedTransport);

impl<'a> Running<'a> {
    fn new(transport: &'a ScriptedTransport) -> Self {
        let mut state = transport.state();
        state.running += 1;
        state.most_running = state.most_running.max(state.running);
        Self(transport)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.state().running -= 1;
        self.0.changed.notify_all();
    }
}

impl Transport for ScriptedTransport {
    fn send(&self, request: TransportRequest) -> Answer {
        let began = Instant::now();
        // Before the lock, so that it is dropped after it: its drop takes the lock again.
        let _running = Running::new(self);
        let mut state = self.state();
        state.requests.push(request.clone());
        let number = state.requests.len() as u64;
        self.changed.notify_all();
        while state.held.as_ref().is_some_and(|url| request.url.starts_with(url.as_str())) {
            if !state.ignores_cancel && state.cancelled.contains(&request.id) {
                return Err(failure(FailureKind::Cancelled, Phase::Receive, RequestSent::Maybe));
            }
            if began.elapsed() > WAIT_LIMIT {
                return Err(failure(FailureKind::Timeout, Phase::Receive, RequestSent::Maybe));
            }
            state = self.changed.wait_timeout(state, WAIT_LIMIT).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(state);
        (self.script)(number, &request)
    }

    fn cancel(&self, id: u64) {
        self.state().cancelled.insert(id);
        self.changed.notify_all();
    }

    fn renew(&self) {
        self.state().renewed += 1;
    }
}

/// Injects an earlier fault on this thread, or removes it; see `src/fault.rs`. Feature `seeded-faults`.
#[cfg(feature = "seeded-faults")]
pub fn seed_fault(name: Option<&'static str>) {
    crate::fault::seed(name);
}
