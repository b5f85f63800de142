//! How delivery is set up.

use std::sync::Arc;
use std::time::Duration;

use crate::outbox::RetryPolicy;
use crate::port::{Clock, Random, Secrets, Transport};

/// What delivery needs from the world.
pub(crate) struct Ports {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) transport: Arc<dyn Transport>,
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
    /// How long a claim holds. Longer than an attempt, so that nobody else begins one meanwhile.
    pub(crate) lease: Duration,
    /// For a whole attempt.
    pub(crate) attempt_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { batch: 32, lease: Duration::from_secs(60), attempt_timeout: Duration::from_secs(30) }
    }
}

/// No attempt starts with less lease left than its timeout and this: its result must be settled before somebody else may begin.
pub(super) const LEASE_MARGIN: Duration = Duration::from_secs(5);
/// An attempt only starts with this much time left; less is not enough for a handshake on a slow network.
pub(super) const LEAST_TIME: Duration = Duration::from_secs(3);
/// What is kept of the time left to settle after the last attempt.
pub(super) const SETTLING_TIME: Duration = Duration::from_secs(1);
/// What a receiver gets to answer in full. An attempt that ran out of a shorter time was cut short by us.
pub(super) const FULL_PATIENCE: Duration = Duration::from_secs(20);
/// How long running attempts are waited for once they were asked to stop.
pub(super) const STOP_PATIENCE: Duration = Duration::from_millis(1_500);
/// The same while quiescing, where the store still has to close its connections within two seconds in all.
pub(super) const QUIESCE_PATIENCE: Duration = Duration::from_millis(700);
/// How long quiescing waits for the pipeline to come to rest.
pub(super) const QUIESCE_LIMIT: Duration = Duration::from_millis(1_000);
/// A result is on disk at most this long after it came, unless the disk fails.
pub(super) const SETTLE_AFTER: Duration = Duration::from_secs(2);
/// Pauses before a failed settlement is tried again.
pub(super) const SETTLE_RETRIES: [Duration; 3] = [Duration::from_millis(50), Duration::from_millis(250), Duration::from_secs(1)];
/// A pipeline with attempts in flight looks up this often, for clocks that jump and cancellations that a transport missed.
pub(super) const LOOK_UP: Duration = Duration::from_millis(250);
/// The worker looks up this often when nothing happens, so that a jump of the wall clock is noticed.
pub(super) const IDLE: Duration = Duration::from_secs(60);
/// An answer shows for this long that the internet can be reached.
pub(super) const NET_OK_FOR: Duration = Duration::from_secs(60);

impl Settings {
    /// With a lease that an attempt fits into.
    pub(super) fn sound(mut self) -> Self {
        let least = self.limits.attempt_timeout + LEASE_MARGIN + LEASE_MARGIN;
        self.limits.lease = self.limits.lease.max(least);
        self.limits.batch = self.limits.batch.max(1);
        self
    }
}
