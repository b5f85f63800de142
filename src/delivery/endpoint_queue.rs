//! What is known of one endpoint between two looks at its row.

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

/// What is known of an endpoint. The row in the database is what counts; this is a copy that decides between two looks at it.
pub(super) struct EndpointQueue {
    pub(super) endpoint: Arc<Endpoint>,
    /// The generation of the configuration that it was read at.
    pub(super) configuration: u64,
    pub(super) state: EndpointState,
    /// Claimed, and not begun.
    pub(super) ready: VecDeque<Claimed>,
    pub(super) in_flight: u32,
    /// A newer secret is being asked for; nothing begins meanwhile.
    pub(super) refreshing: u32,
    /// More may be due than was claimed.
    pub(super) more: bool,
    /// Nothing is begun: it is disabled, archived, or answered 410.
    pub(super) closed: bool,
    /// Nothing is begun for want of a network.
    pub(super) backoff: Option<Backoff>,
    pub(super) offline_tries: u32,
    /// The last wish of a person that an attempt here was for, or began after in vain.
    pub(super) wish: u64,
    /// When it was served last, counted in starts of all endpoints.
    pub(super) served: u64,
    /// Starts of its own.
    pub(super) starts: u32,
    /// The first start of a flush is still to come.
    pub(super) first_of_flush: bool,
    /// How many deliveries in a row were clean, as of the last settlement.
    pub(super) settled_clean: u32,
    /// When it failed last, as of then.
    pub(super) settled_seen: Option<LastSeen>,
    /// It took a message then, and has not been out of reach since.
    pub(super) settled_takes: bool,
}

/// What is not stored of an endpoint: deliveries in a row that were clean, when it failed last, and whether it takes messages, so that nothing
/// waits for a network there.
pub(super) type Unstored = (u32, Option<LastSeen>, bool);

/// A wait for a network, which ends early when there is a reason to try again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff {
    until: Duration,
    /// A later wake-up makes it void.
    wake: u64,
}

/// What a round needs to know of an endpoint.
#[derive(Debug, Clone, Default)]
pub(super) struct EndpointView {
    pub(super) in_flight: u32,
    /// How many more attempts may begin at it, where results that are not settled yet know more than its row.
    pub(super) room: Option<u32>,
    pub(super) settled_clean: u32,
    pub(super) settled_seen: Option<LastSeen>,
    pub(super) settled_takes: bool,
    pub(super) has_ready: bool,
    /// The caller that asked for an attempt has had it here.
    pub(super) has_had_urgent: bool,
    pub(super) longest_due_first: bool,
    pub(super) first_of_flush: bool,
    /// The definition that what follows was learned of: it says nothing about another one, which may be in the row by now.
    pub(super) endpoint: Option<Arc<Endpoint>>,
    /// What was left behind holds it up. To be asked with [`is_held_up`](Self::is_held_up).
    pub(super) held_up: bool,
    /// How much longer nothing begins for want of a network. To be asked with [`backoff`](Self::backoff).
    pub(super) backoff: Option<Duration>,
}

impl EndpointView {
    fn is_of(&self, endpoint: &Endpoint) -> bool {
        self.endpoint.as_ref().is_some_and(|known| **known == *endpoint)
    }

    /// Whether nothing begins at it for what was left behind.
    pub(super) fn is_held_up(&self, endpoint: &Endpoint) -> bool {
        self.held_up && self.is_of(endpoint)
    }

    /// How much longer nothing begins at it for want of a network.
    pub(super) fn backoff(&self, row: &EndpointRow) -> Option<Duration> {
        self.backoff.filter(|_| self.is_of(&row.endpoint) && (self.room.is_some() || is_failing(row)))
    }
}

/// Whether the row, which all results were settled into, tells of the failure that a wait for a network is for. It does not where somebody has
/// enabled the endpoint since, changed its secrets or reached it, in whichever process: then nothing is waited for.
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
            offline_tries: 0,
            wish: 0,
            served: 0,
            starts: 0,
            first_of_flush: true,
            settled_clean: 0,
            settled_seen: None,
            settled_takes: false,
        }
    }

    /// Takes over what the database says. `is_settled`: it knows of all results.
    pub(super) fn refresh(&mut self, row: &EndpointRow, configuration: u64, is_settled: bool) {
        if *self.endpoint != row.endpoint || self.closed && row.is_open() || is_settled && !is_failing(row) {
            // What the old one met says nothing.
            (self.backoff, self.offline_tries) = (None, 0);
        }
        if *self.endpoint != row.endpoint {
            self.endpoint = Arc::new(row.endpoint.clone());
        }
        self.state = row.state(self.settled_clean);
        if let Some(failing) = &mut self.state.failing {
            failing.last_seen = self.settled_seen;
        }
        self.configuration = configuration;
        self.closed = !row.is_open();
    }

    pub(super) fn is_troubled(&self) -> bool {
        self.state.consecutive_failures > 0
    }

    /// How many attempts may begin of what is ready.
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

    /// Whether what was claimed cannot begin soon, and is better given back.
    pub(super) fn is_stuck(&self, now: Moment, wake: u64) -> bool {
        self.closed || self.backoff_left(now.monotonic, wake).is_some() || self.state.paused_until(now.wall).is_some()
    }

    pub(super) fn backoff_left(&self, now: Duration, wake: u64) -> Option<Duration> {
        let backoff = self.backoff.filter(|backoff| backoff.wake == wake)?;
        backoff.until.checked_sub(now).filter(|left| !left.is_zero())
    }

    pub(super) fn is_turn_of_longest_due(&self) -> bool {
        self.starts % LONGEST_DUE_EVERY == LONGEST_DUE_EVERY - 1
    }

    /// The entry to begin with: one that has not failed in this cycle, unless it is the turn of the one that has been due longest.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<Claimed> {
        let longest_due =
            self.ready.iter().enumerate().min_by_key(|(_, claimed)| claimed.due_at).map(|(index, claimed)| (index, claimed.due_at));
        let (oldest, due_at) = longest_due?;
        let has_waited = self.first_of_flush && (now - due_at).to_std().is_ok_and(|waited| waited >= LONG_DUE);
        let index = if has_waited || self.is_turn_of_longest_due() {
            oldest
        } else {
            self.ready.iter().position(|claimed| claimed.urgent || claimed.is_fresh()).unwrap_or(0)
        };
        self.ready.remove(index)
    }

    /// Learns from an attempt at once, before it is settled.
    pub(super) fn learn(&mut self, result: &AttemptResult, now: Duration, wake: u64, policy: &RetryPolicy) {
        let (verdict, attempt) = (&result.verdict, &result.attempt);
        if !result.was_cancelled() && (attempt.claimed.urgent || verdict.class != Class::Sent) {
            self.wish = self.wish.max(attempt.wish);
        }
        self.state = settled_state(&self.state, result, verdict, policy);
        match verdict.class {
            // No matter what it met, there has been a reason to try again since.
            Class::Offline if result.woken => {}
            Class::Offline => {
                self.offline_tries = self.offline_tries.saturating_add(1);
                // Several attempts that fail together are one observation.
                if self.backoff_left(now, wake).is_none() {
                    let delay =
                        policy.offline_delay(self.offline_tries, self.state.failing.as_ref().is_some_and(|failing| failing.needs_person));
                    self.backoff = Some(Backoff { until: now.saturating_add(delay), wake });
                }
            }
            Class::Gone => self.closed = true,
            Class::CutShort | Class::Blocked => {}
            _ if verdict.contact == Contact::Known => (self.backoff, self.offline_tries) = (None, 0),
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
