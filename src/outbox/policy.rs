//! The numbers of delivery.

use std::time::Duration;

use chrono::TimeDelta;

use crate::model::Timestamp;

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

const fn minutes(count: u64) -> Duration {
    seconds(60 * count)
}

const fn hours(count: u64) -> Duration {
    minutes(60 * count)
}

/// The longest delay there may be; a due time further ahead counts as due (see `is_due`).
const LONGEST: Duration = hours(24);

/// So many attempts of an entry in a row may be cut short before the next ones are spaced like offline attempts, no matter what makes it due
/// (contract, section 6).
pub(crate) const CUT_SHORT_AT_ONCE: u32 = 3;

/// When to attempt again, when to stop, and how many attempts an endpoint gets. The defaults are for the product; tests use shorter times.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct RetryPolicy {
    /// Delays after the first, second, … counted failure that may be temporary; the last one repeats.
    /// Default 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: the example schedule of Standard Webhooks.
    pub schedule: Vec<Duration>,
    /// Delays after failures that are rarely temporary (wrong URL, refused credentials). The failure after the last one is final.
    /// Default 5 min, 2 h, 10 h, 24 h, 24 h: long enough for somebody to notice and fix a configuration over a working day.
    pub slow_schedule: Vec<Duration>,
    /// Delays are multiplied by a random number from 1 − jitter to 1 + jitter, so that phones do not all attempt at the same time. Default 0.2.
    pub jitter: f64,
    /// The shortest delay after 429, 502, 503, 504 and timeouts, which mean that the receiver is overloaded. Default 60 s.
    pub overload_shortest: Duration,
    /// No delay is longer, after jitter. Default, and at most, 24 h.
    pub longest_delay: Duration,
    /// An entry fails with `exhausted` after at least this many counted failures, and …. Default 12.
    pub budget_attempts: u32,
    /// … over at least this long: the times between them added up, each counted for `longest_delay` at most. Both must be reached: a phone
    /// may be online for minutes a day. Default 14 days.
    pub budget_age: Duration,
    /// The delay after the first failure for lack of a network; doubles with each further one. Default 15 s.
    pub offline_first: Duration,
    /// The longest of these delays. Default 15 min.
    pub offline_longest: Duration,
    /// When the network returns, the background thread begins after a random time up to this, so that not all phones send at once. A
    /// `flush` begins at once: the platform's scheduler already spreads it. Default 4 s.
    pub online_spread: Duration,
    /// The pause after a 429 without `Retry-After`. Default 60 s.
    pub retry_after_default: Duration,
    /// A longer `Retry-After` is cut to this. Default 24 h.
    pub retry_after_longest: Duration,
    /// After this many counted failures in a row, an endpoint gets one attempt at a time and a pause after each. Default 5.
    pub breaker_threshold: u32,
    /// These pauses follow `schedule` up to this, so that messages queued meanwhile do not wait for hours after a receiver has
    /// recovered. Default 30 min.
    pub breaker_longest_pause: Duration,
    /// How long a message whose secret is not available waits before the secret is looked up again. Default 15 min.
    pub secret_recheck: Duration,
    /// An action is locked when more sends than this ended `failed`. Default 3.
    pub max_failed_sends: u32,
    /// Attempts at the same time to an endpoint, at first. Default 2.
    pub in_flight_start: u32,
    /// The most attempts at the same time to an endpoint. One more is allowed after as many deliveries. Default 4.
    pub in_flight_max: u32,
    /// Attempts at the same time to all endpoints together. Default 8.
    pub in_flight_total: u32,
    /// A signature is refused for its time only if the clocks differ by more than this; below it another cause is assumed. Default
    /// 120 s: verifiers accept 300 s, and the request takes some of that.
    pub resync_skew: Duration,
    /// A certificate that seems expired or not yet valid counts as `clock_skew` if the phone's clock is wrong by more than this. Default 1 h.
    pub certificate_skew: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            schedule: vec![seconds(5), minutes(5), minutes(30), hours(2), hours(5), hours(10), hours(14), hours(20), hours(24)],
            slow_schedule: vec![minutes(5), hours(2), hours(10), hours(24), hours(24)],
            jitter: 0.2,
            overload_shortest: seconds(60),
            longest_delay: LONGEST,
            budget_attempts: 12,
            budget_age: hours(14 * 24),
            offline_first: seconds(15),
            offline_longest: minutes(15),
            online_spread: seconds(4),
            retry_after_default: seconds(60),
            retry_after_longest: LONGEST,
            breaker_threshold: 5,
            breaker_longest_pause: minutes(30),
            secret_recheck: minutes(15),
            max_failed_sends: 3,
            in_flight_start: 2,
            in_flight_max: 4,
            in_flight_total: 8,
            resync_skew: seconds(120),
            certificate_skew: hours(1),
        }
    }
}

/// A policy that would attempt without a pause, wait for ever or never send.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("retry policy: `{field}` {problem}")]
pub struct InvalidPolicy {
    /// Name of the field.
    pub field: &'static str,
    /// What is wrong with it, in English.
    pub problem: &'static str,
}

impl RetryPolicy {
    /// Refuses values that make no sense.
    ///
    /// # Errors
    /// [`InvalidPolicy`] names the first field that makes no sense.
    pub fn check(&self) -> Result<(), InvalidPolicy> {
        let must = |holds: bool, field, problem| if holds { Ok(()) } else { Err(InvalidPolicy { field, problem }) };
        let delay = |value: Duration, field| {
            must(!value.is_zero() && value <= self.longest_delay, field, "must be above zero and at most `longest_delay`")
        };
        let spread = |value: Duration, field| must(value <= self.longest_delay, field, "must be at most `longest_delay`");
        let count = |value: u32, field| must(value > 0, field, "must be at least 1");

        must(!self.longest_delay.is_zero() && self.longest_delay <= LONGEST, "longest_delay", "must be above zero and at most 24 hours")?;
        must(!self.schedule.is_empty(), "schedule", "must not be empty")?;
        must(!self.slow_schedule.is_empty(), "slow_schedule", "must not be empty")?;
        self.schedule.iter().try_for_each(|step| delay(*step, "schedule"))?;
        self.slow_schedule.iter().try_for_each(|step| delay(*step, "slow_schedule"))?;
        must((0.0..=1.0).contains(&self.jitter), "jitter", "must be from 0 to 1")?;
        spread(self.overload_shortest, "overload_shortest")?;
        count(self.budget_attempts, "budget_attempts")?;
        delay(self.offline_first, "offline_first")?;
        delay(self.offline_longest, "offline_longest")?;
        must(self.offline_first <= self.offline_longest, "offline_longest", "must be at least `offline_first`")?;
        spread(self.online_spread, "online_spread")?;
        delay(self.retry_after_longest, "retry_after_longest")?;
        delay(self.retry_after_default, "retry_after_default")?;
        must(self.retry_after_default <= self.retry_after_longest, "retry_after_default", "must be at most `retry_after_longest`")?;
        count(self.breaker_threshold, "breaker_threshold")?;
        delay(self.breaker_longest_pause, "breaker_longest_pause")?;
        delay(self.secret_recheck, "secret_recheck")?;
        count(self.in_flight_start, "in_flight_start")?;
        must(self.in_flight_start <= self.in_flight_max, "in_flight_max", "must be at least `in_flight_start`")?;
        count(self.in_flight_total, "in_flight_total")
    }

    /// The delay after the `failures`th counted failure of the class `retry later`, without jitter.
    pub(super) fn step(&self, failures: u32) -> Duration {
        let index = failures.saturating_sub(1) as usize;
        self.schedule.get(index).or(self.schedule.last()).copied().unwrap_or(self.longest_delay)
    }

    /// The delay after the `failures`th counted failure of the class `retry slowly`, without jitter; none when that one was final.
    pub(super) fn slow_step(&self, failures: u32) -> Option<Duration> {
        self.slow_schedule.get(failures.saturating_sub(1) as usize).copied()
    }

    /// The delay after the `attempts`th failure in a row for lack of a network, without jitter.
    pub(super) fn offline_step(&self, attempts: u32) -> Duration {
        let doublings = attempts.saturating_sub(1).min(31);
        self.offline_first.saturating_mul(1 << doublings).min(self.offline_longest)
    }

    /// The same for an endpoint that may be known to need a person: it still gets an attempt every hour.
    pub(crate) fn offline_delay(&self, attempts: u32, needs_person: bool) -> Duration {
        if needs_person { hours(1) } else { self.offline_step(attempts) }
    }

    /// A delay with jitter. `random` is from 0 (included) to 1 (excluded).
    pub(super) fn jittered(&self, delay: Duration, random: f64) -> Duration {
        self.scaled(delay, 1.0 + self.jitter * (2.0 * random - 1.0))
    }

    /// A shortest delay with jitter: never below the delay itself, so that phones spread and the receiver gets its pause.
    pub(super) fn jittered_shortest(&self, delay: Duration, random: f64) -> Duration {
        self.scaled(delay, 1.0 + self.jitter * random)
    }

    /// The pause that a receiver asked for, with what spreads phones. `Retry-After` has whole seconds: phones with the same one spread over one.
    /// A phone that came as it was asked to and is refused again did not have that time for itself: it spreads over as long as the pause, or
    /// over the shortest one after an overload.
    pub(super) fn spread_pause(&self, pause: Duration, came_as_asked: bool, random: f64) -> Duration {
        let second = Duration::from_secs(1);
        let width = if came_as_asked { pause.min(self.overload_shortest).max(second) } else { second };
        pause.saturating_add(width.mul_f64(random)).min(self.longest_delay)
    }

    fn scaled(&self, delay: Duration, factor: f64) -> Duration {
        Duration::try_from_secs_f64(delay.as_secs_f64() * factor).unwrap_or(self.longest_delay).min(self.longest_delay)
    }

    /// Whether an action with this many failed sends, over all its revisions, is locked.
    pub fn is_locked(&self, failed_sends: u32) -> bool {
        failed_sends > self.max_failed_sends
    }
}

/// A span of time as chrono counts it.
pub(super) fn span(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

/// A moment later; at most the last one that can be represented.
pub(super) fn after(at: Timestamp, delay: Duration) -> Timestamp {
    at.checked_add_signed(span(delay)).unwrap_or(Timestamp::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_make_sense() {
        assert_eq!(RetryPolicy::default().check(), Ok(()));
    }

    #[test]
    fn a_policy_without_a_pause_or_with_an_endless_one_is_refused() {
        let refused = |change: fn(&mut RetryPolicy)| {
            let mut policy = RetryPolicy::default();
            change(&mut policy);
            policy.check().expect_err("nonsense").field
        };
        assert_eq!(refused(|policy| policy.schedule.clear()), "schedule");
        assert_eq!(refused(|policy| policy.schedule[0] = Duration::ZERO), "schedule");
        assert_eq!(refused(|policy| policy.slow_schedule.push(hours(25))), "slow_schedule");
        assert_eq!(refused(|policy| policy.jitter = f64::NAN), "jitter");
        assert_eq!(refused(|policy| policy.jitter = -0.1), "jitter");
        assert_eq!(refused(|policy| policy.longest_delay = hours(25)), "longest_delay");
        assert_eq!(refused(|policy| policy.budget_attempts = 0), "budget_attempts");
        assert_eq!(refused(|policy| policy.offline_longest = seconds(1)), "offline_longest");
        assert_eq!(refused(|policy| policy.offline_first = Duration::ZERO), "offline_first");
        assert_eq!(refused(|policy| policy.breaker_threshold = 0), "breaker_threshold");
        assert_eq!(refused(|policy| policy.in_flight_max = 1), "in_flight_max");
        assert_eq!(refused(|policy| policy.in_flight_total = 0), "in_flight_total");
        assert_eq!(refused(|policy| policy.secret_recheck = Duration::ZERO), "secret_recheck");
    }

    #[test]
    fn jitter_stays_within_its_bounds() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.jittered(minutes(5), 0.0), minutes(4));
        assert_eq!(policy.jittered(minutes(5), 0.5), minutes(5));
        assert!(policy.jittered(minutes(5), 0.999_999) <= minutes(6));
        assert_eq!(policy.jittered(hours(24), 0.999_999), hours(24), "no delay is longer than 24 hours after jitter");
        assert_eq!(policy.jittered_shortest(seconds(60), 0.0), seconds(60));
    }

    #[test]
    fn offline_delays_double_up_to_a_quarter_of_an_hour() {
        let policy = RetryPolicy::default();
        let steps: Vec<u64> = (1..=8).map(|attempts| policy.offline_step(attempts).as_secs()).collect();
        assert_eq!(steps, [15, 30, 60, 120, 240, 480, 900, 900]);
        assert_eq!(policy.offline_step(u32::MAX), minutes(15));
    }

    #[test]
    fn the_fourth_failed_send_locks() {
        let policy = RetryPolicy::default();
        assert!(!policy.is_locked(3));
        assert!(policy.is_locked(4));
    }
}
