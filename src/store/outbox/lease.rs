//! The right to deliver an entry.

use std::time::Duration;

use super::super::row::to_ms;
use super::MessageId;
use crate::model::Timestamp;

/// The right to deliver an entry, for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lease {
    /// The entry's row.
    pub(crate) entry: i64,
    /// Its delivery id: if another file has replaced the one of the claim, a row there may have the same number.
    pub(crate) message: MessageId,
    /// Distinguishes this claim from every other one of the entry.
    pub(crate) epoch: i64,
    /// When it ends, by the wall clock.
    pub(crate) until: Timestamp,
}

/// No lease ends later, unless the clock was set back since (see `outbox::lease_is_over`).
pub(crate) fn latest_lease(now: Timestamp, lease: Duration) -> i64 {
    to_ms(now).saturating_add((lease.as_millis() as i64).saturating_mul(2))
}
