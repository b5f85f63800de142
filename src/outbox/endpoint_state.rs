//! How an endpoint is treated: how many attempts may fly, when it is left in peace, and what its clock says.

use std::time::Duration;

use chrono::TimeDelta;

use super::classify::{Class, Verdict};
use super::due::is_due;
use super::policy::{RetryPolicy, after};
use super::reason;
use crate::model::Timestamp;

/// A `Date` header tells whole seconds and has travelled; differences below this are noise and change nothing.
const CLOCK_NOISE: TimeDelta = TimeDelta::seconds(2);

/// The one state of an endpoint in delivery. Stored with the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointState {
    /// How many attempts may run at once while all is well.
    pub limit: u32,
    /// Deliveries since the limit last changed; as many as the limit make a clean round.
    pub clean: u32,
    /// Counted failures since the last 2xx.
    pub consecutive_failures: u32,
    /// Nothing is begun before this moment.
    pub paused_until: Option<Timestamp>,
    /// Why: a reason code of [`reason`].
    pub pause_reason: Option<String>,
    /// How far the receiver's clock is ahead of the phone's, in milliseconds.
    pub clock_skew_ms: Option<i64>,
}

impl EndpointState {
    /// The state of an endpoint nobody has tried yet.
    pub fn new(policy: &RetryPolicy) -> Self {
        Self {
            limit: policy.in_flight_start,
            clean: 0,
            consecutive_failures: 0,
            paused_until: None,
            pause_reason: None,
            clock_skew_ms: None,
        }
    }

    /// The state after the endpoint was enabled or changed, or its secrets changed: old failures say nothing any more, its clock does.
    pub fn mended(&self, policy: &RetryPolicy) -> Self {
        Self { clock_skew_ms: self.clock_skew_ms, ..Self::new(policy) }
    }

    /// Whether the endpoint is left in peace at this moment. A pause that a later clock wrote is over.
    pub fn is_paused(&self, now: Timestamp) -> bool {
        self.paused_until.is_some_and(|until| !is_due(until, now))
    }

    /// Whether it has failed so often in a row that it only gets one attempt at a time, with a pause after each.
    pub fn is_broken(&self, policy: &RetryPolicy) -> bool {
        self.consecutive_failures >= policy.breaker_threshold
    }

    /// How many more attempts may begin, with so many running.
    pub fn room(&self, in_flight: u32, now: Timestamp, policy: &RetryPolicy) -> u32 {
        if self.is_paused(now) {
            return 0;
        }
        let limit = if self.is_broken(policy) { 1 } else { self.limit.clamp(1, policy.in_flight_max) };
        limit.saturating_sub(in_flight)
    }

    /// The state after an attempt. `date` is the receiver's `Date` where it answered.
    pub fn settled(&self, verdict: &Verdict, date: Option<Timestamp>, now: Timestamp, policy: &RetryPolicy) -> Self {
        let mut state = self.clone();
        // What answers in the receiver's place has a clock of its own.
        if verdict.class != Class::Offline {
            state.learn_clock(date, now);
        }
        if verdict.class == Class::Sent {
            state.delivered(policy);
            return state;
        }
        if verdict.slow_down {
            (state.limit, state.clean) = (1, 0);
        }
        if verdict.counted() {
            state.consecutive_failures = state.consecutive_failures.saturating_add(1);
            if state.is_broken(policy) {
                let beyond = state.consecutive_failures - policy.breaker_threshold + 1;
                state.pause(now, policy.step(beyond).min(policy.breaker_longest_pause), reason::ENDPOINT_PAUSED);
            }
        }
        if let Some(pause) = verdict.pause {
            state.pause(now, pause, verdict.reason);
        }
        state
    }

    /// The time to sign with, in whole seconds since 1970: the receiver's as far as it is known.
    pub fn signing_time(&self, now: Timestamp) -> i64 {
        now.timestamp_millis().saturating_add(self.clock_skew_ms.unwrap_or(0)).div_euclid(1000)
    }

    fn delivered(&mut self, policy: &RetryPolicy) {
        self.consecutive_failures = 0;
        // A delivery shows that the breaker's pause is over; a pause the receiver asked for stays.
        if self.pause_reason.as_deref() == Some(reason::ENDPOINT_PAUSED) {
            (self.paused_until, self.pause_reason) = (None, None);
        }
        self.clean = self.clean.saturating_add(1);
        if self.clean >= self.limit {
            (self.limit, self.clean) = (self.limit.saturating_add(1).min(policy.in_flight_max), 0);
        }
    }

    /// The longer of two pauses counts; one that a later clock wrote does not.
    fn pause(&mut self, now: Timestamp, pause: Duration, reason: &str) {
        let until = after(now, pause);
        if !self.is_paused(now) || self.paused_until.is_none_or(|old| old < until) {
            (self.paused_until, self.pause_reason) = (Some(until), Some(reason.to_owned()));
        }
    }

    fn learn_clock(&mut self, date: Option<Timestamp>, now: Timestamp) {
        let Some(date) = date else { return };
        // The middle of the second that the header names.
        let ahead = date - now + TimeDelta::milliseconds(500);
        let known = TimeDelta::milliseconds(self.clock_skew_ms.unwrap_or(0));
        match self.clock_skew_ms {
            Some(_) if (ahead - known).abs() <= CLOCK_NOISE => {}
            None if ahead.abs() <= CLOCK_NOISE => self.clock_skew_ms = Some(0),
            _ => self.clock_skew_ms = Some(ahead.num_milliseconds()),
        }
    }
}

#[cfg(test)]
#[path = "endpoint_state_tests.rs"]
mod tests;
