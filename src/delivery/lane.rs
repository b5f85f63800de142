//! One endpoint in the pipeline.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::claim::{Candidate, room, state};
use crate::model::{Endpoint, Timestamp};
use crate::outbox::{Class, Contact, EndpointState, RetryPolicy, Verdict};
use crate::store::endpoint::EndpointRow;
use crate::store::outbox::queue::Claimed;

/// What the pipeline knows of an endpoint. The row in the database is what counts; this is a copy that throttles between two looks at it.
pub(super) struct Lane {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) state: EndpointState,
    /// Claimed, and not begun.
    pub(super) ready: VecDeque<Claimed>,
    pub(super) in_flight: u32,
    /// More may be due than was claimed.
    pub(super) more: bool,
    /// Nothing is begun: it answered 410.
    pub(super) closed: bool,
    /// Nothing is begun before this moment of the monotonic clock, for want of a network.
    held_until: Option<Duration>,
    offline_tries: u32,
    /// When it had its last turn, counted in turns.
    pub(super) turn: u64,
    /// How many deliveries in a row were clean, as of the last settlement.
    pub(super) settled_clean: u32,
}

impl Lane {
    pub(super) fn new(row: &EndpointRow) -> Self {
        Self {
            endpoint: Arc::new(row.endpoint.clone()),
            state: state(row, 0),
            ready: VecDeque::new(),
            in_flight: 0,
            more: false,
            closed: false,
            held_until: None,
            offline_tries: 0,
            turn: 0,
            settled_clean: 0,
        }
    }

    /// Takes over what the database says.
    pub(super) fn refresh(&mut self, row: &EndpointRow) {
        if *self.endpoint != row.endpoint {
            self.endpoint = Arc::new(row.endpoint.clone());
        }
        self.state = state(row, self.settled_clean);
        self.closed = !row.enabled || row.archived_at.is_some();
    }

    /// How many attempts may begin.
    pub(super) fn room(&self, now: Timestamp, monotonic: Duration, policy: &RetryPolicy) -> u32 {
        if self.closed || self.is_held(monotonic) { 0 } else { room(&self.state, self.in_flight, now, policy) }
    }

    /// Whether what was claimed cannot begin soon, and is better given back.
    pub(super) fn is_stuck(&self, now: Timestamp, monotonic: Duration) -> bool {
        self.closed || self.is_held(monotonic) || self.state.is_paused(now)
    }

    pub(super) fn is_held(&self, monotonic: Duration) -> bool {
        self.held_until.is_some_and(|until| monotonic < until)
    }

    /// How much longer it is held.
    pub(super) fn held_for(&self, monotonic: Duration) -> Option<Duration> {
        self.held_until.and_then(|until| until.checked_sub(monotonic)).filter(|left| !left.is_zero())
    }

    /// Tries the network again.
    pub(super) fn unhold(&mut self) {
        self.held_until = None;
    }

    /// There is a new network; failures of the old one say nothing about it.
    pub(super) fn forget_offline(&mut self) {
        (self.held_until, self.offline_tries) = (None, 0);
    }

    /// Learns from an attempt at once, before it is settled.
    pub(super) fn learn(&mut self, verdict: &Verdict, date: Option<Timestamp>, at: Timestamp, monotonic: Duration, policy: &RetryPolicy) {
        self.state = settled_state(&self.state, verdict, date, at, policy);
        match verdict.class {
            Class::Offline => {
                self.offline_tries = self.offline_tries.saturating_add(1);
                // Several attempts that fail together are one observation.
                if !self.is_held(monotonic) {
                    self.held_until = Some(monotonic + offline_hold(self.offline_tries, policy));
                }
            }
            Class::Gone => self.closed = true,
            Class::CutShort | Class::Blocked => {}
            _ if verdict.contact == Contact::Known => self.forget_offline(),
            _ => {}
        }
    }
}

/// An endpoint's state after an attempt.
pub(super) fn settled_state(
    state: &EndpointState,
    verdict: &Verdict,
    date: Option<Timestamp>,
    at: Timestamp,
    policy: &RetryPolicy,
) -> EndpointState {
    let mut state = state.settled(verdict, date, at, policy);
    // One look at a secret that is not there is enough for everything that waits for it.
    if verdict.class == Class::Blocked && !state.is_paused(at) {
        state.paused_until = at.checked_add_signed(chrono::TimeDelta::from_std(policy.secret_recheck).unwrap_or_default());
        state.pause_reason = Some(verdict.reason.to_owned());
    }
    state
}

/// Doubles with each failure in a row, like the delay of an entry.
fn offline_hold(tries: u32, policy: &RetryPolicy) -> Duration {
    policy.offline_first.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(policy.offline_longest)
}

/// How many attempts may begin at a candidate, with what the pipeline knows of it.
pub(super) fn candidate_room(candidate: &Candidate, lane: Option<&Lane>, now: Timestamp, monotonic: Duration, policy: &RetryPolicy) -> u32 {
    let Some(row) = &candidate.row else { return 0 };
    match lane {
        Some(lane) if !lane.ready.is_empty() || lane.is_held(monotonic) => 0,
        Some(lane) => room(&state(row, lane.settled_clean), lane.in_flight, now, policy),
        None => room(&state(row, 0), 0, now, policy),
    }
}
