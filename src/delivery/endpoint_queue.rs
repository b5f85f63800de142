//! What is known about one endpoint between two reads of its row.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::attempt::AttemptResult;
use super::moment::Moment;
use super::settings::{LONG_DUE, LONGEST_DUE_EVERY};
use crate::model::{Endpoint, Timestamp};
use crate::outbox::{AttemptFacts, Class, Contact, EndpointState, LastSeen, RetryPolicy, Verdict};
use crate::store::endpoint::EndpointRow;
use crate::store::outbox::queue::Claimed;

/// What is known about an endpoint. What counts is the row in the database; this copy is used between two reads of it.
pub(super) struct EndpointQueue {
    pub(super) endpoint: Arc<Endpoint>,
    /// The generation of the configuration when it was read.
    pub(super) configuration: u64,
    pub(super) state: EndpointState,
    /// Claimed, and not begun.
    pub(super) ready: VecDeque<Claimed>,
    pub(super) in_flight: u32,
    /// A newer secret is being looked up; nothing begins meanwhile.
    pub(super) refreshing: u32,
    /// More entries may be due than were claimed.
    pub(super) more: bool,
    /// Nothing is begun: it is disabled, archived, or answered 410.
    pub(super) closed: bool,
    /// Nothing is begun for lack of a network.
    pub(super) backoff: Option<Backoff>,
    pub(super) offline_attempts: u32,
    /// The number of the last urgent request that an attempt here served, or failed to serve.
    pub(super) last_urgent: u64,
    /// When it was last served, counted in starts of all endpoints.
    pub(super) served: u64,
    /// Its own starts.
    pub(super) starts: u32,
    /// The first start of a flush is still to come.
    pub(super) first_of_flush: bool,
    /// How many deliveries there were since the limit last changed, as of the last settlement.
    pub(super) settled_deliveries: u32,
    /// When it last failed, as of then.
    pub(super) settled_seen: Option<LastSeen>,
    /// It accepted a message then, and has been reachable since.
    pub(super) settled_takes: bool,
}

/// The parts of an endpoint's state that are not stored: attempts in a row without failure, when it last failed, and whether it accepts messages,
/// so that nothing waits for a network there.
pub(super) type Unstored = (u32, Option<LastSeen>, bool);

/// A wait for a network, which a wake-up ends early.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff {
    until: Duration,
    /// The last wake-up before it; a later one ends the wait.
    wake: u64,
}

/// What a round needs to know of an endpoint.
#[derive(Debug, Clone, Default)]
pub(super) struct EndpointView {
    pub(super) in_flight: u32,
    /// How many more attempts may begin at it, if unsettled results are newer than its row.
    pub(super) room: Option<u32>,
    pub(super) settled_deliveries: u32,
    pub(super) settled_seen: Option<LastSeen>,
    pub(super) settled_takes: bool,
    pub(super) has_ready: bool,
    /// The urgent request was already served here.
    pub(super) has_had_urgent: bool,
    pub(super) longest_due_first: bool,
    pub(super) first_of_flush: bool,
    /// The definition to which the next fields belong. The row may have another one by now, for which they do not count.
    pub(super) endpoint: Option<Arc<Endpoint>>,
    /// Detached calls delay it. Read it through [`is_delayed`](Self::is_delayed).
    pub(super) delayed: bool,
    /// How much longer nothing begins for lack of a network. Read it through [`backoff`](Self::backoff).
    pub(super) backoff: Option<Duration>,
}

impl EndpointView {
    fn is_of(&self, endpoint: &Endpoint) -> bool {
        self.endpoint.as_ref().is_some_and(|known| **known == *endpoint)
    }

    /// Whether nothing begins at it because of detached calls.
    pub(super) fn is_delayed(&self, endpoint: &Endpoint) -> bool {
        self.delayed && self.is_of(endpoint)
    }

    /// How much longer nothing begins at it for lack of a network.
    pub(super) fn backoff(&self, row: &EndpointRow) -> Option<Duration> {
        self.backoff.filter(|_| self.is_of(&row.endpoint) && (self.room.is_some() || is_failing(row)))
    }
}

/// Whether the row, with all results settled, still has the failure that caused a wait for a network. It does not if the endpoint was enabled,
/// got new secrets or was reached since, in any process: then nothing waits.
fn is_failing(row: &EndpointRow) -> bool {
    row.delivery.failing.is_some()
}

impl EndpointQueue {
    pub(super) fn new(row: &EndpointRow, policy: &RetryPolicy) -> Self {
        Self {
            endpoint: Arc::new(row.endpoint.clone()),
            configuration: 0,
            state: EndpointState::new(policy),
            ready: VecDeque::new(),
            in_flight: 0,
            refreshing: 0,
            more: false,
            closed: false,
            backoff: None,
            offline_attempts: 0,
            last_urgent: 0,
            served: 0,
            starts: 0,
            first_of_flush: true,
            settled_deliveries: 0,
            settled_seen: None,
            settled_takes: false,
        }
    }

    /// Takes over the row of the database. `is_settled`: it includes all results.
    pub(super) fn refresh(&mut self, row: &EndpointRow, configuration: u64, is_settled: bool) {
        if *self.endpoint != row.endpoint || self.closed && row.is_open() || is_settled && !is_failing(row) {
            // Failures of the old definition do not count.
            (self.backoff, self.offline_attempts) = (None, 0);
        }
        if *self.endpoint != row.endpoint {
            self.endpoint = Arc::new(row.endpoint.clone());
        }
        self.state = row.state(self.settled_deliveries);
        if let Some(failing) = &mut self.state.failing {
            failing.last_seen = self.settled_seen;
        }
        self.configuration = configuration;
        self.closed = !row.is_open();
    }

    pub(super) fn is_failing(&self) -> bool {
        self.state.consecutive_failures > 0
    }

    /// How many of the ready entries may begin.
    pub(super) fn room(&self, now: Moment, wake: u64, offline: bool, policy: &RetryPolicy) -> u32 {
        if self.closed || self.refreshing > 0 || self.ready.is_empty() {
            0
        } else if self.ready.iter().any(|claimed| claimed.urgent) {
            u32::from(self.in_flight == 0)
        } else if offline || self.backoff_left(now.monotonic, wake).is_some() {
            0
        } else {
            self.state.room(self.in_flight, now.wall, policy)
        }
    }

    /// Whether more could begin if it were claimed.
    pub(super) fn may_take(&self, now: Moment, wake: u64, policy: &RetryPolicy) -> bool {
        !self.closed && self.backoff_left(now.monotonic, wake).is_none() && self.state.room(self.in_flight, now.wall, policy) > 0
    }

    /// Whether claimed entries cannot begin soon and are better released.
    pub(super) fn must_wait(&self, now: Moment, wake: u64) -> bool {
        self.closed || self.backoff_left(now.monotonic, wake).is_some() || self.state.paused_until(now.wall).is_some()
    }

    pub(super) fn backoff_left(&self, now: Duration, wake: u64) -> Option<Duration> {
        let backoff = self.backoff.filter(|backoff| backoff.wake == wake)?;
        backoff.until.checked_sub(now).filter(|left| !left.is_zero())
    }

    pub(super) fn is_turn_of_longest_due(&self) -> bool {
        self.starts % LONGEST_DUE_EVERY == LONGEST_DUE_EVERY - 1
    }

    /// The entry to begin with: one that has not failed in this cycle, unless it is the turn of the one that has been due longest. Replays go after
    /// all messages that were never delivered.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<Claimed> {
        let are_replays = self.ready.iter().all(|claimed| claimed.is_replay);
        let next = self.ready.iter().enumerate().filter(|(_, claimed)| claimed.is_replay == are_replays || claimed.urgent);
        let (oldest, due_at) = next.clone().min_by_key(|(_, claimed)| claimed.due_at).map(|(index, claimed)| (index, claimed.due_at))?;
        let has_waited = self.first_of_flush && (now - due_at).to_std().is_ok_and(|waited| waited >= LONG_DUE);
        let index = if has_waited || self.is_turn_of_longest_due() {
            oldest
        } else {
            let fresh = next.clone().find(|(_, claimed)| claimed.urgent || claimed.is_fresh());
            fresh.or_else(|| next.clone().next()).map_or(oldest, |(index, _)| index)
        };
        self.ready.remove(index)
    }

    /// Learns from an attempt at once, before it is settled.
    pub(super) fn learn(&mut self, result: &AttemptResult, now: Duration, wake: u64, policy: &RetryPolicy) {
        let (verdict, attempt) = (&result.verdict, &result.attempt);
        if !result.was_cancelled() && (attempt.claimed.urgent || verdict.class != Class::Sent) {
            self.last_urgent = self.last_urgent.max(attempt.last_urgent);
        }
        self.state = settled_state(&self.state, result, verdict, policy);
        match verdict.class {
            // There has been a wake-up since, so its failure causes no wait.
            Class::Offline if result.woken => {}
            Class::Offline => {
                self.offline_attempts = self.offline_attempts.saturating_add(1);
                // Several attempts that fail together are one observation.
                if self.backoff_left(now, wake).is_none() {
                    let delay = policy
                        .offline_delay(self.offline_attempts, self.state.failing.as_ref().is_some_and(|failing| failing.needs_person));
                    self.backoff = Some(Backoff { until: now.saturating_add(delay), wake });
                }
            }
            Class::Gone => self.closed = true,
            Class::CutShort | Class::Blocked => {}
            _ if verdict.contact == Contact::Known => (self.backoff, self.offline_attempts) = (None, 0),
            _ => {}
        }
    }
}

/// An endpoint's state after an attempt with this verdict.
pub(super) fn settled_state(state: &EndpointState, result: &AttemptResult, verdict: &Verdict, policy: &RetryPolicy) -> EndpointState {
    let facts = AttemptFacts {
        now: result.ended_at,
        monotonic: result.attempt.began.saturating_add(result.duration),
        random: result.random,
        date: result.date(),
        network: result.attempt.network,
        validated: result.attempt.validated,
        other_answered: result.another_answered,
    };
    state.settled(verdict, &facts, policy)
}
