//! The clocks of the device: one that somebody may set, and one that only goes on. The world's own time is the second one.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use compass_core::model::Timestamp;
use compass_core::port::Clock;

/// 2027-01-15T08:00:00Z.
const BEGIN: i64 = 1_800_000_000_000;

#[derive(Debug, Clone, Copy)]
struct Times {
    /// Since the world began.
    world: Duration,
    /// How far the wall clock is ahead of the true time, in milliseconds.
    error_ms: i64,
    /// Where the wall clock stands still, if it does.
    frozen: Option<i64>,
}

/// Tells nobody when it is set, as a system's clock does.
pub struct SimClock(Mutex<Times>);

impl SimClock {
    pub fn new() -> Self {
        Self(Mutex::new(Times { world: Duration::from_secs(1_000), error_ms: 0, frozen: None }))
    }

    /// Time of the world, which is that of the monotonic clock.
    pub fn world(&self) -> Duration {
        self.times().world
    }

    pub fn set_world(&self, to: Duration) {
        self.times().world = to;
    }

    /// What a clock that is right shows.
    pub fn truth(&self) -> Timestamp {
        at(true_ms(&self.times()))
    }

    /// Somebody sets the wall clock so far ahead of the truth.
    pub fn set_error(&self, error_ms: i64) {
        let mut times = self.times();
        (times.error_ms, times.frozen) = (error_ms, None);
    }

    pub fn error_ms(&self) -> i64 {
        let times = self.times();
        wall_ms(&times) - true_ms(&times)
    }

    /// The wall clock stands still from now on.
    pub fn freeze(&self) {
        let mut times = self.times();
        times.frozen = Some(wall_ms(&times));
    }

    pub fn is_frozen(&self) -> bool {
        self.times().frozen.is_some()
    }

    pub fn wall_ms(&self) -> i64 {
        wall_ms(&self.times())
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn true_ms(times: &Times) -> i64 {
    BEGIN + times.world.as_millis() as i64
}

fn wall_ms(times: &Times) -> i64 {
    times.frozen.unwrap_or(true_ms(times) + times.error_ms)
}

fn at(ms: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + TimeDelta::milliseconds(ms)
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        at(self.wall_ms())
    }

    fn monotonic(&self) -> Duration {
        self.world()
    }

    fn utc_offset(&self, _at: Timestamp) -> i32 {
        3600
    }
}
