//! How an endpoint is treated: how many attempts may run, when it is paused, how its clock differs, and since when it cannot be reached.

use std::time::Duration;

use chrono::TimeDelta;

use super::classify::{Class, Contact, Verdict};
use super::due::pause_end;
use super::policy::{RetryPolicy, after, span};
use super::reason;
use crate::fault::fault;
use crate::model::Timestamp;

/// A `Date` header has whole seconds and arrives late; smaller differences change nothing.
const CLOCK_TOLERANCE_MS: u64 = 2_000;

/// The largest difference that can be true: after an empty battery a phone may begin in 1970, and a clock set by hand may be far ahead.
const LARGEST_SKEW_MS: u64 = 100 * 366 * 24 * 3_600_000;

/// A failure that could be caused by this phone needs a person once it was seen in attempts this far apart …
const FAILING_LONG: TimeDelta = TimeDelta::hours(6);
/// … on this many generations of the network (contract, section 6).
const FAILING_NETWORKS: u32 = 3;

/// The one state of an endpoint in delivery. Stored with the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointState {
    /// How many attempts may run at once without failures.
    pub limit: u32,
    /// Deliveries since the limit last changed; as many as may be in flight at most raise it.
    pub deliveries: u32,
    /// Counted failures since the last 2xx.
    pub consecutive_failures: u32,
    /// Nothing begins before this moment. Read it through [`paused_until`](Self::paused_until), which handles clocks that were set back.
    pub paused_until: Option<Timestamp>,
    /// Why: a reason code of [`reason`].
    pub pause_reason: Option<String>,
    /// The end of the longest pause that the receiver asked for; a longer one of the core may hide it.
    pub asked_until: Option<Timestamp>,
    /// How far the receiver's clock is ahead of the phone's, in milliseconds.
    pub clock_skew_ms: Option<i64>,
    /// It cannot be reached from this phone.
    pub failing: Option<Failing>,
}

/// The same failure in every attempt, which could be caused by this phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// A reason code of [`reason`].
    pub reason: String,
    /// When it was first seen.
    pub since: Timestamp,
    /// On how many generations of the network it was seen.
    pub networks: u32,
    /// When it was last seen; none after a restart of the process, which counts as another generation.
    pub last_seen: Option<LastSeen>,
    /// The cause is known not to be this phone: it needs a person.
    pub needs_person: bool,
}

/// When a failure was last seen in this process. Not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastSeen {
    /// On which generation of the network.
    pub network: u64,
    /// By the wall clock.
    pub wall: Timestamp,
    /// By the monotonic clock.
    pub monotonic: Duration,
    /// `since` at that moment. If that has changed, another process has continued.
    pub since: Timestamp,
}

/// What is known besides the verdict when an endpoint is settled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttemptFacts {
    /// When the attempt ended.
    pub now: Timestamp,
    /// The same by the monotonic clock.
    pub monotonic: Duration,
    /// From 0 (included) to 1 (excluded).
    pub random: f64,
    /// The receiver's `Date`, where it answered.
    pub date: Option<Timestamp>,
    /// The generation of the network that the attempt began on.
    pub network: u64,
    /// Whether the platform had validated that network.
    pub validated: Option<bool>,
    /// Another endpoint gave an HTTP answer on the same generation within the last 60 s.
    pub other_answered: bool,
}

impl EndpointState {
    /// The state of an endpoint without an attempt.
    pub fn new(policy: &RetryPolicy) -> Self {
        Self {
            limit: policy.in_flight_start,
            deliveries: 0,
            consecutive_failures: 0,
            paused_until: None,
            pause_reason: None,
            asked_until: None,
            clock_skew_ms: None,
            failing: None,
        }
    }

    /// The state after the endpoint was enabled or changed, or its secrets were, while it is the same receiver: old failures no longer count. The
    /// difference of its clock and a pause that the receiver asked for stay.
    pub(crate) fn fresh(&self, policy: &RetryPolicy) -> Self {
        let mut state = Self {
            paused_until: self.paused_until,
            pause_reason: self.pause_reason.clone(),
            asked_until: self.asked_until,
            clock_skew_ms: self.clock_skew_ms,
            ..Self::new(policy)
        };
        state.end_own_pause();
        state
    }

    /// When its pause ends, if it is paused at this moment. A pause that was written before the clock was set back is over.
    pub fn paused_until(&self, now: Timestamp) -> Option<Timestamp> {
        pause_end(self.paused_until, now)
    }

    /// Whether an attempt that ends now is the first one after a pause that the receiver asked for.
    pub fn came_as_asked(&self, now: Timestamp) -> bool {
        self.asked_until.is_some() && pause_end(self.asked_until, now).is_none()
    }

    /// Whether it has failed so often in a row that it only gets one attempt at a time, with a pause after each.
    pub(crate) fn is_broken(&self, policy: &RetryPolicy) -> bool {
        self.consecutive_failures >= policy.breaker_threshold
    }

    /// How many more attempts may begin, with this many running.
    pub fn room(&self, in_flight: u32, now: Timestamp, policy: &RetryPolicy) -> u32 {
        if self.paused_until(now).is_some() {
            return 0;
        }
        let limit = if self.is_broken(policy) { 1 } else { self.limit.clamp(1, policy.in_flight_max) };
        limit.saturating_sub(in_flight)
    }

    /// The state after an attempt.
    pub fn settled(&self, verdict: &Verdict, facts: &AttemptFacts, policy: &RetryPolicy) -> Self {
        let now = facts.now;
        let mut state = self.clone();
        if state.paused_until(now).is_none() {
            // A pause that is over stays over, for every later setting of the clock.
            (state.paused_until, state.pause_reason) = (None, None);
        }
        state.asked_until = pause_end(state.asked_until, now);
        // A captive portal or proxy has its own clock.
        if verdict.class != Class::Offline {
            state.learn_clock(facts.date, now);
        }
        state.learn_failing(verdict, facts);
        if verdict.contact != Contact::NotBegun && state.pause_reason.as_deref().is_some_and(reason::is_of_secret) {
            // A request was begun, so all its secrets were there.
            state.end_own_pause();
        }
        if verdict.class == Class::Sent {
            state.delivered(policy);
            return state;
        }
        if verdict.slow_down {
            (state.limit, state.deliveries) = (1, 0);
        }
        if verdict.counted() {
            state.consecutive_failures = state.consecutive_failures.saturating_add(1);
            if state.is_broken(policy) {
                let beyond = state.consecutive_failures - policy.breaker_threshold + 1;
                let pause = policy.step(beyond).min(policy.breaker_longest_pause);
                state.pause(now, policy.jittered(pause, facts.random), reason::ENDPOINT_PAUSED);
            }
        }
        if verdict.class == Class::Blocked {
            // One look-up of a missing secret is enough for all entries that wait for it.
            state.pause(now, policy.secret_recheck, verdict.reason);
        }
        if let Some(pause) = verdict.pause.filter(|_| !fault("seeded: no pause for Retry-After")) {
            let pause = policy.spread_pause(pause, self.came_as_asked(now), facts.random);
            state = state.asked(now, pause, verdict.reason);
        }
        state
    }

    /// The state after the receiver asked for a pause.
    pub(crate) fn asked(mut self, now: Timestamp, pause: Duration, reason: &str) -> Self {
        self.pause(now, pause, reason);
        self.asked_until = self.asked_until.max(Some(after(now, pause)));
        self
    }

    fn delivered(&mut self, policy: &RetryPolicy) {
        self.consecutive_failures = 0;
        // A delivery ends the core's own pause; one that the receiver asked for stays.
        self.end_own_pause();
        self.deliveries = self.deliveries.saturating_add(1);
        if self.deliveries >= policy.in_flight_max {
            (self.limit, self.deliveries) = (self.limit.saturating_add(1).min(policy.in_flight_max), 0);
        }
    }

    /// Whether it is the core's own pause. The receiver asked for all others.
    fn is_own_pause(&self) -> bool {
        self.pause_reason.as_deref().is_some_and(|reason| reason == reason::ENDPOINT_PAUSED || reason::is_of_secret(reason))
    }

    /// Ends the core's own pause early. The rest of a pause that the receiver asked for, which it had hidden, stays.
    fn end_own_pause(&mut self) {
        if self.is_own_pause() {
            self.paused_until = self.asked_until;
            // The receiver may have asked with a 429 or a 5xx: this reason means both.
            self.pause_reason = self.asked_until.map(|_| reason::SERVER_ERROR.to_owned());
        }
    }

    /// The longer of two pauses counts, unless it was written before the clock was set back.
    fn pause(&mut self, now: Timestamp, pause: Duration, reason: &str) {
        let until = after(now, pause);
        if self.paused_until(now).is_none_or(|old| old < until) {
            (self.paused_until, self.pause_reason) = (Some(until), Some(reason.to_owned()));
        }
    }

    fn learn_failing(&mut self, verdict: &Verdict, facts: &AttemptFacts) {
        match verdict.class {
            Class::Offline => {}
            // These say nothing about the network path to the receiver.
            Class::CutShort | Class::Blocked => return,
            _ => {
                self.failing = None;
                return;
            }
        }
        let known = self.failing.take().filter(|failing| failing.reason == verdict.reason);
        let mut failing = known.unwrap_or_else(|| Failing {
            reason: verdict.reason.to_owned(),
            since: facts.now,
            networks: 0,
            last_seen: None,
            needs_person: false,
        });
        // As it is stored, in milliseconds.
        let is_as_left = |last: &LastSeen| last.since.timestamp_millis() == failing.since.timestamp_millis();
        if let Some(last) = failing.last_seen.filter(is_as_left) {
            // If the clock was set since, the beginning moves with it, once for all processes: no time has passed by that.
            let set_by = (facts.now - last.wall) - span(facts.monotonic.saturating_sub(last.monotonic));
            if set_by.num_milliseconds().unsigned_abs() > CLOCK_TOLERANCE_MS {
                failing.since = failing.since.checked_add_signed(set_by).unwrap_or(facts.now);
            }
        }
        // A beginning in the future was written before the clock was set back.
        failing.since = failing.since.min(facts.now);
        if failing.last_seen.is_none_or(|last| last.network != facts.network) {
            failing.networks = failing.networks.saturating_add(1);
        }
        failing.last_seen = Some(LastSeen { network: facts.network, wall: facts.now, monotonic: facts.monotonic, since: failing.since });
        let lasts = failing.networks >= FAILING_NETWORKS && facts.now - failing.since >= FAILING_LONG;
        // If nothing answered, an earlier answer says nothing about the moment of the failure.
        let network_works = facts.other_answered && facts.validated == Some(true) && verdict.reason != reason::OFFLINE;
        failing.needs_person |= facts.validated != Some(false) && (lasts || network_works);
        self.failing = Some(failing);
    }

    fn learn_clock(&mut self, date: Option<Timestamp>, now: Timestamp) {
        // The middle of the second that the header names.
        let ahead = date.and_then(|date| possible_skew((date - now).num_milliseconds().saturating_add(500)));
        let Some(ahead) = ahead else { return };
        match self.clock_skew_ms {
            Some(known) if ahead.abs_diff(known) <= CLOCK_TOLERANCE_MS => {}
            None if ahead.unsigned_abs() <= CLOCK_TOLERANCE_MS => self.clock_skew_ms = Some(0),
            _ => self.clock_skew_ms = Some(ahead),
        }
    }
}

/// A possible difference between two clocks in milliseconds. None for a larger one, which comes from damage or a broken receiver.
pub(crate) fn possible_skew(ms: i64) -> Option<i64> {
    (ms.unsigned_abs() <= LARGEST_SKEW_MS).then_some(ms)
}

#[cfg(test)]
#[path = "endpoint_state_tests.rs"]
mod tests;
