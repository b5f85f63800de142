//! Time.

use std::time::{Duration, Instant};

use chrono::Offset;

use crate::model::Timestamp;

/// Tells the time. The wall clock of a phone can jump either way at any moment; nothing here assumes that it does not.
pub trait Clock: Send + Sync {
    /// The wall clock, in UTC.
    fn now(&self) -> Timestamp;

    /// Time since a fixed but arbitrary moment of this process. Never goes back.
    fn monotonic(&self) -> Duration;

    /// Seconds that local time is ahead of UTC at `at`; kept beside each event so that a record can show local times later.
    fn utc_offset(&self, at: Timestamp) -> i32;
}

/// The operating system's clocks.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    origin: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        chrono::Utc::now()
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }

    fn utc_offset(&self, at: Timestamp) -> i32 {
        at.with_timezone(&chrono::Local).offset().fix().local_minus_utc()
    }
}
