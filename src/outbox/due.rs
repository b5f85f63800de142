//! Whether a moment has come, on a clock that may have been set.

use std::time::Duration;

use chrono::TimeDelta;

use super::policy::{after, span};
use crate::model::Timestamp;

/// How far in the past an entry that is due at once is dated: no clock is so far behind, and entries keep their order.
const AT_ONCE: TimeDelta = TimeDelta::days(100_000 * 365);

/// No delay is longer than 24 hours after jitter, so a due time further ahead than this was written before the clock was set back. The
/// additional hour allows smaller corrections of the clock.
const LATEST_DUE: Duration = Duration::from_secs(25 * 3600);

/// The duration of a lease. Longer than an attempt, so that no other handle begins one meanwhile.
pub(crate) const LEASE: Duration = Duration::from_secs(60);

/// The due time of an entry that is due at once from this moment on, for every setting of the clock.
pub(crate) fn at_once(now: Timestamp) -> Timestamp {
    now.checked_sub_signed(AT_ONCE).unwrap_or(Timestamp::MIN_UTC)
}

/// The due time of an entry that waits this long from this moment on.
pub(crate) fn due_after(now: Timestamp, delay: Duration) -> Timestamp {
    if delay.is_zero() { at_once(now) } else { after(now, delay) }
}

/// Times that an entry waits for are not earlier than this; due times of entries that are due at once are not later.
pub(crate) fn first_time() -> Timestamp {
    Timestamp::UNIX_EPOCH - AT_ONCE / 2
}

/// Since when an entry is due, or when it will be.
pub(crate) fn due_since(due_at: Timestamp) -> Timestamp {
    if due_at < first_time() { due_at + AT_ONCE } else { due_at }
}

/// Whether an entry is due: its time has come, or is so far ahead that the clock must have been set back.
pub fn is_due(due_at: Timestamp, now: Timestamp) -> bool {
    due_at <= now || due_at > latest_due(now)
}

/// The latest possible due time; a later one was written before the clock was set back.
pub(crate) fn latest_due(now: Timestamp) -> Timestamp {
    after(now, LATEST_DUE)
}

/// When a pause ends, if there is one now. One that is too far ahead was written before the clock was set back, and is over.
pub(crate) fn pause_end(until: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    until.filter(|until| !is_due(*until, now))
}

/// Whether a lease is over: it ended, or ends more than two leases ahead, because the clock was set back.
pub(crate) fn lease_is_over(until: Timestamp, now: Timestamp, lease: Duration) -> bool {
    until <= now || until - now > span(lease.saturating_mul(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(1_800_000_000 + seconds, 0).expect("a time")
    }

    #[test]
    fn a_due_time_from_before_the_clock_was_set_back_has_come() {
        let hour = 3600;
        assert!(is_due(at(0), at(0)));
        assert!(is_due(at(-1), at(0)));
        assert!(!is_due(at(1), at(0)));
        assert!(!is_due(at(25 * hour), at(0)));
        assert!(is_due(at(25 * hour + 1), at(0)));
        assert!(is_due(at(10 * 365 * 24 * hour), at(0)));
        assert!(is_due(Timestamp::MAX_UTC, Timestamp::MIN_UTC));
    }

    #[test]
    fn what_is_due_at_once_is_due_on_every_clock_in_the_order_of_its_moments() {
        let year = 365 * 24 * 3600;
        for now in [at(-57 * year), at(0), at(1000 * year)] {
            assert!(is_due(at_once(now), at(-57 * year)) && is_due(at_once(now), at(1000 * year)));
            assert_eq!((due_since(at_once(now)), due_since(now)), (now, now));
            assert!(at_once(now) < at_once(now + span(Duration::from_millis(1))));
            assert_eq!(
                (due_after(now, Duration::ZERO), due_after(now, Duration::from_secs(1))),
                (at_once(now), now + span(Duration::from_secs(1)))
            );
        }
    }

    #[test]
    fn a_lease_ends_with_its_time_or_when_it_is_too_far_ahead() {
        let lease = Duration::from_secs(60);
        assert!(!lease_is_over(at(60), at(0), lease));
        assert!(!lease_is_over(at(120), at(0), lease));
        assert!(lease_is_over(at(121), at(0), lease));
        assert!(lease_is_over(at(0), at(0), lease));
        assert!(lease_is_over(at(-5), at(0), lease));
    }
}
