//! Time for tests of apps. A component of its own (`docs/decisions/0036-the-platform-sends.md`): the bindings of the facade are the same
//! with and without it, and so a library that ships needs nothing of it.

// What UniFFI generates for an object is not ours to document.
#![allow(missing_docs, unreachable_pub)]

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use compass_core::model::Timestamp;
use compass_core::port::{Clock, Random};
use compass_core::testing::{self, SequentialRandom};

uniffi::setup_scaffolding!();
uniffi::use_remote_type!(compass_core::Timestamp);

/// What a handle goes by.
type Time = (Arc<dyn Clock>, Arc<dyn Random>);

static NEXT: LazyLock<Mutex<HashMap<String, Time>>> = LazyLock::new(Mutex::default);

fn next() -> MutexGuard<'static, HashMap<String, Time>> {
    NEXT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the handle that is about to be opened on this path goes by, if a test has said so. Given once.
pub fn time_for(path: &str) -> Option<Time> {
    next().remove(path)
}

/// A clock that moves only when it is told to, and randomness that repeats: with it, session keys, delivery ids and delays are the same in
/// every run. For tests alone.
///
/// Begins at 2027-01-15T08:00:00Z; local time is UTC.
#[derive(uniffi::Object)]
pub struct ManualClock {
    clock: Arc<testing::ManualClock>,
    /// One for all handles that are opened with the clock: what it gave once is not given again.
    random: Arc<SequentialRandom>,
}

#[uniffi::export]
impl ManualClock {
    /// A clock at its beginning.
    #[uniffi::constructor]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self { clock: Arc::default(), random: Arc::default() }
    }

    /// The next handle that this process opens on this path, given in these letters, goes by this clock.
    pub fn use_for(&self, path: String) {
        next().insert(path, (self.clock.clone(), self.random.clone()));
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
