//! A wall clock in a hurry: it runs thirty times as fast as elsewhere, so that a lease of a minute takes two seconds. All processes of a test
//! share it, as they do on a phone. It can be set ahead.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use compass_core::model::Timestamp;
use compass_core::port::{Clock, SystemClock};

const PACE: i32 = 30;

pub struct FastClock {
    origin: Timestamp,
    ahead_hours: AtomicI64,
    clock: SystemClock,
}

impl FastClock {
    pub fn new(origin: Timestamp) -> Self {
        Self { origin, ahead_hours: AtomicI64::new(0), clock: SystemClock::default() }
    }

    pub fn advance_an_hour(&self) {
        self.ahead_hours.fetch_add(1, Ordering::SeqCst);
    }
}

impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        self.origin + (self.clock.now() - self.origin) * PACE + chrono::TimeDelta::hours(self.ahead_hours.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    fn utc_offset(&self, _at: Timestamp) -> i32 {
        0
    }
}
