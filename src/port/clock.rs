//! Time.

use std::time::Duration;

use chrono::Offset;

use crate::model::Timestamp;

/// Tells the time. The wall clock of a phone can jump either way at any moment; nothing here assumes that it does not.
pub trait Clock: Send + Sync {
    /// The wall clock, in UTC.
    fn now(&self) -> Timestamp;

    /// Time since a fixed but arbitrary moment. Never goes back, and goes on while the device sleeps.
    fn monotonic(&self) -> Duration;

    /// Asks to be told when somebody moves the clocks by hand, so that whoever waits for a time looks again. A clock of the system moves by
    /// itself and never tells.
    fn on_change(&self, told: Box<dyn Fn() + Send + Sync>) {
        let _ = told;
    }

    /// Seconds that local time is ahead of UTC at `at`; kept beside each event so that a record can show local times later.
    fn utc_offset(&self, at: Timestamp) -> i32;
}

/// The operating system's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock(());

/// The clock that does not stand still while the device sleeps: a wait of a quarter of an hour is over a quarter of an hour later.
#[cfg(any(target_os = "linux", target_os = "android"))]
const AWAKE_OR_ASLEEP: rustix::time::ClockId = rustix::time::ClockId::Boottime;
/// On Apple systems the monotonic clock goes on during sleep.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const AWAKE_OR_ASLEEP: rustix::time::ClockId = rustix::time::ClockId::Monotonic;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        chrono::Utc::now()
    }

    fn monotonic(&self) -> Duration {
        let now = rustix::time::clock_gettime(AWAKE_OR_ASLEEP);
        Duration::new(u64::try_from(now.tv_sec).unwrap_or_default(), u32::try_from(now.tv_nsec).unwrap_or_default())
    }

    fn utc_offset(&self, at: Timestamp) -> i32 {
        at.with_timezone(&chrono::Local).offset().fix().local_minus_utc()
    }
}
