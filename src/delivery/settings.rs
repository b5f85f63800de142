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
    /// Carries out blocking calls; delivery's own threads when absent.
    pub(crate) blocking: Option<Arc<dyn Blocking>>,
}

/// The numbers of delivery.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// When to attempt again, when to stop, and how many at the same time.
    pub(crate) policy: RetryPolicy,
    pub(crate) limits: Limits,
    /// For tests on one machine.
    pub(crate) allow_plain_http_to_loopback: bool,
}

/// How much is claimed at once, and for how long.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Entries per claim, and results per settlement: one fsync each. After a crash at most so many messages are sent twice.
    pub(crate) batch: u32,
    /// The duration of a lease.
    pub(crate) lease: Duration,
    /// For a whole attempt, including the look-up of secrets.
    pub(crate) attempt_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { batch: 32, lease: LEASE, attempt_timeout: Duration::from_secs(30) }
    }
}

/// No attempt starts with less lease left than its timeout and this: its result must be settled before another handle may begin.
pub(super) const LEASE_MARGIN: Duration = Duration::from_secs(5);
/// An attempt only starts with this much time left; less is not enough for a handshake on a slow network.
pub(super) const LEAST_TIME: Duration = Duration::from_secs(3);
/// Time that is kept to settle after the last attempt.
pub(super) const SETTLING_TIME: Duration = Duration::from_secs(1);
/// The last write of a flush gets this much less than the time left, so that the call returns before its deadline.
pub(super) const RETURN_TIME: Duration = Duration::from_millis(150);
/// The full time for an answer of a receiver or a store of secrets. An attempt that used up a shorter time was cut short by the core.
pub(super) const FULL_TIME: Duration = Duration::from_secs(20);
/// How long to wait for running attempts once they were asked to stop.
pub(super) const STOP_LIMIT: Duration = Duration::from_millis(1_500);
/// The same while quiescing: the store still has to close its connections within two seconds in all.
pub(super) const QUIESCE_STOP_LIMIT: Duration = Duration::from_millis(700);
/// How long the last write before the connections are closed, and the first one after that, wait for other processes.
pub(super) const QUIESCE_DATABASE_WAIT: Duration = Duration::from_millis(200);
/// A flush that was cancelled returns within this time.
pub(super) const CANCEL_LIMIT: Duration = Duration::from_secs(2);
/// How long quiescing waits for the driver to stop.
pub(super) const QUIESCE_LIMIT: Duration = Duration::from_millis(1_000);
/// How long stopping the worker waits for its thread.
pub(super) const WORKER_STOP_LIMIT: Duration = Duration::from_secs(2);
/// Attempts that were asked to stop are asked again this often: a transport cannot cancel a request that it has not begun.
pub(super) const CANCEL_AGAIN: Duration = Duration::from_millis(250);
/// A result is on disk at most this long after it came, unless the disk fails.
pub(super) const SETTLE_AFTER: Duration = Duration::from_secs(2);
/// Pauses before the database is used again after it failed; the worker doubles the last one up to `IDLE`.
pub(super) const DATABASE_PAUSES: [Duration; 3] = [Duration::from_millis(50), Duration::from_millis(250), Duration::from_secs(1)];
/// How long a write of delivery waits for other processes.
pub(super) const DATABASE_WAIT: Duration = Duration::from_secs(5);
/// The worker checks the wall clock this often while something waits for a time, so that it notices a jump.
pub(super) const IDLE: Duration = Duration::from_secs(60);
/// For this long an answer shows that the internet can be reached.
pub(super) const ANSWER_COUNTS_FOR: Duration = Duration::from_secs(60);
/// The generation of the network rises at most once in this time, however often the network changes.
pub(super) const GENERATION_GAP: Duration = Duration::from_secs(2);
/// One in so many starts of an endpoint is for the entry that has been due for the longest time.
pub(super) const LONGEST_DUE_EVERY: u32 = 4;
/// An entry that has been due this long gets the first start of a flush.
pub(super) const LONG_DUE: Duration = Duration::from_secs(24 * 3600);
/// Without a thread for an attempt, nothing begins for twice this time, doubling: threads that hang end later.
pub(super) const THREAD_PAUSE: Duration = Duration::from_secs(1);
/// The most look-ups of secrets, and requests, that may be detached at one endpoint before nothing begins there: each keeps a thread.
pub(super) const MOST_HANGING: usize = 4;
/// The same for all endpoints together: so many threads of each kind, and no more.
pub(super) const MOST_HANGING_IN_ALL: usize = 64;
/// An endpoint with as many is checked again after this time, or when one ends. Longer than any flush waits.
pub(super) const HANGING_PAUSE: TimeDelta = TimeDelta::minutes(15);
/// The longest time that a renewal of the transport delays attempts. It only drops connections and addresses, which is quick; one that takes
/// longer hangs, and a message over an old connection is better than none.
pub(super) const RENEWAL_LIMIT: Duration = Duration::from_secs(2);
/// The most renewals that may hang before no further one begins: each keeps a thread.
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
