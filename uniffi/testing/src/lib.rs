//! Time for tests of apps. A component of its own (`docs/decisions/0036-the-platform-sends.md`): the bindings of the facade are the same
//! with and without it, so a library that ships needs no part of it.

// Code that UniFFI generates for an object cannot be documented here.
#![allow(missing_docs, unreachable_pub)]

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use compass_core::model::Timestamp;
use compass_core::port::{Clock, Random};
use compass_core::testing::{self, SequentialRandom};

uniffi::setup_scaffolding!();
uniffi::use_remote_type!(compass_core::Timestamp);

/// The clock and the randomness of a handle.
type Time = (Arc<dyn Clock>, Arc<dyn Random>);

static NEXT: LazyLock<Mutex<HashMap<String, Time>>> = LazyLock::new(Mutex::default);

fn next() -> MutexGuard<'static, HashMap<String, Time>> {
    NEXT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The clock and the randomness for the next handle on this path, if a test has set them. They are given only once.
pub fn time_for(path: &str) -> Option<Time> {
    next().remove(path)
}

/// A clock that only the test moves, and randomness that repeats: with it, session keys, delivery ids and delays are the same in every run.
/// Only for tests.
///
/// Begins at 2027-01-15T08:00:00Z; local time is UTC.
#[derive(uniffi::Object)]
pub struct ManualClock {
    clock: Arc<testing::ManualClock>,
    /// One for all handles that are opened with the clock, so that no value is given twice.
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

    /// The next handle that this process opens on this path, spelled in the same way, uses this clock.
    pub fn use_for(&self, path: String) {
        next().insert(path, (self.clock.clone(), self.random.clone()));
    }

    /// The time that it shows.
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
