//! Time for tests of apps.

use std::sync::Arc;
use std::time::Duration;

use compass_core::model::Timestamp;
use compass_core::port::{Clock, Random};
use compass_core::testing::{self, SequentialRandom};

uniffi::use_remote_type!(compass_core::Timestamp);

/// A clock that moves only when it is told to, and randomness that repeats: with it, session keys, delivery ids and delays are the same in
/// every run. For tests alone.
///
/// Begins at 2027-01-15T08:00:00Z; local time is UTC.
#[derive(uniffi::Object)]
pub struct ManualClock {
    pub(crate) clock: Arc<testing::ManualClock>,
    /// One for all handles that are opened with the clock: what it gave once is not given again.
    random: Arc<SequentialRandom>,
}

impl ManualClock {
    pub(crate) fn random(&self) -> Arc<dyn Random> {
        self.random.clone()
    }
}

#[uniffi::export]
impl ManualClock {
    /// A clock at its beginning.
    #[uniffi::constructor]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self { clock: Arc::default(), random: Arc::default() }
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Time passes, in milliseconds.
    pub fn advance(&self, by_ms: u32) {
        self.clock.advance(Duration::from_millis(u64::from(by_ms)));
    }

    /// Somebody sets the phone's clock; no time passes.
    pub fn set_wall(&self, to: Timestamp) {
        self.clock.set_wall(to);
    }
}
