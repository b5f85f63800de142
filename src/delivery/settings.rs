//! How delivery is set up.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use crate::outbox::{LEASE, RetryPolicy};
use crate::port::{Blocking, Clock, Random, Secrets, Transport};

/// What delivery needs from outside.
pub(crate) struct Ports {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) transport: Arc<dyn Transport>,
    /// Carries out what blocks; threads of delivery's own when absent.
    pub(crate) blocking: Option<Arc<dyn Blocking>>,
}

/// The numbers of delivery.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// When to try again, when to stop, and how many at once.
    pub(crate) policy: RetryPolicy,
    pub(crate) limits: Limits,
    /// For tests on one machine.
    pub(crate) allow_plain_http_to_loopback: bool,
}

/// How much is taken at once, and for how long.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Entries per claim, and results per settlement: one fsync each. After a crash at most so many messages are sent twice.
    pub(crate) batch: u32,
    /// How long a claim holds.
    pub(crate) lease: Duration,
    /// For a whole attempt, looking secrets up included.
    pub(crate) attempt_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { batch: 32, lease: LEASE, attempt_timeout: Duration::from_secs(30) }
    }
}

/// No attempt starts with less lease left than its timeout and this: its result must be settled before somebody else may begin.
pub(super) const LEASE_MARGIN: Duration = Duration::from_secs(5);
/// An attempt only starts with this much time left; less is not enough for a handshake on a slow network.
pub(super) const LEAST_TIME: Duration = Duration::from_secs(3);
/// What is kept of the time left to settle after the last attempt.
pub(super) const SETTLING_TIME: Duration = Duration::from_secs(1);
/// The last write of a flush gets so much less than the time left, so that the call is back before its deadline.
pub(super) const RETURN_TIME: Duration = Duration::from_millis(150);
/// What a receiver gets to answer in full, and a store of secrets. An attempt that ran out of a shorter time was cut short by us.
pub(super) const FULL_TIME: Duration = Duration::from_secs(20);
/// How long running attempts are waited for once they were asked to stop.
pub(super) const STOP_LIMIT: Duration = Duration::from_millis(1_500);
/// The same while quiescing, where the store still has to close its connections within two seconds in all.
pub(super) const QUIESCE_STOP_LIMIT: Duration = Duration::from_millis(700);
/// How long the last write before the connections are closed waits for other processes, and the first one after they may be open again.
pub(super) const QUIESCE_DATABASE_WAIT: Duration = Duration::from_millis(200);
/// A flush that was cancelled is back within this time.
pub(super) const CANCEL_LIMIT: Duration = Duration::from_secs(2);
/// How long quiescing waits for the driver to come to rest.
pub(super) const QUIESCE_LIMIT: Duration = Duration::from_millis(1_000);
/// How long stopping the worker waits for its thread.
pub(super) const WORKER_STOP_LIMIT: Duration = Duration::from_secs(2);
/// Attempts that were asked to stop are asked again this often: a transport cannot cancel what it has not begun.
pub(super) const CANCEL_AGAIN: Duration = Duration::from_millis(250);
/// A result is on disk at most this long after it came, unless the disk fails.
pub(super) const SETTLE_AFTER: Duration = Duration::from_secs(2);
/// Pauses before the database is tried again after it failed; the worker goes on doubling the last one up to `IDLE`.
pub(super) const DATABASE_PAUSES: [Duration; 3] = [Duration::from_millis(50), Duration::from_millis(250), Duration::from_secs(1)];
/// How long a write of delivery waits for other processes.
pub(super) const DATABASE_WAIT: Duration = Duration::from_secs(5);
/// The worker looks at the wall clock this often while something waits for a time, so that a jump is noticed.
pub(super) const IDLE: Duration = Duration::from_secs(60);
/// An answer shows for this long that the internet can be reached.
pub(super) const ANSWER_COUNTS_FOR: Duration = Duration::from_secs(60);
/// The generation of the network rises at most once in this time, however often the network changes.
pub(super) const GENERATION_GAP: Duration = Duration::from_secs(2);
/// One start in so many of an endpoint goes to the entry that has been due for the longest time.
pub(super) const LONGEST_DUE_EVERY: u32 = 4;
/// An entry that has been due for so long gets the first start of a flush.
pub(super) const LONG_DUE: Duration = Duration::from_secs(24 * 3600);
/// Nothing begins for twice as long after there was no thread for an attempt, doubling: threads that hang end some day.
pub(super) const THREAD_PAUSE: Duration = Duration::from_secs(1);
/// Look-ups of secrets, and requests, that were left behind: beyond so many of an endpoint nothing begins there, for each takes up a thread.
pub(super) const MOST_HANGING: usize = 4;
/// The same of all endpoints together: so many of each kind, and no thread more.
pub(super) const MOST_HANGING_IN_ALL: usize = 64;
/// An endpoint with as many is looked at again after this time; the end of one is news before. Longer than any flush waits.
pub(super) const HANGING_PAUSE: TimeDelta = TimeDelta::minutes(15);
/// So long a renewal of the transport holds attempts up at most. It drops connections and addresses and takes no time; one that takes longer
/// hangs, and a message over an old connection is better than none.
pub(super) const RENEWAL_LIMIT: Duration = Duration::from_secs(2);
/// Renewals that hang: beyond so many no further one begins, for each takes up a thread.
pub(super) const MOST_RENEWALS: usize = 4;
/// An urgent attempt at an endpoint is allowed once in this time.
pub(super) const URGENT_EVERY: Duration = Duration::from_secs(60);

impl Settings {
    /// With a lease that an attempt fits into.
    pub(super) fn clamped(mut self) -> Self {
        let least = self.limits.attempt_timeout + LEASE_MARGIN + LEASE_MARGIN;
        self.limits.lease = self.limits.lease.max(least);
        self.limits.batch = self.limits.batch.max(1);
        self
    }
}
