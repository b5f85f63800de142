//! Time.

use std::time::Duration;

use chrono::Offset;

use crate::model::Timestamp;

/// Gives the time. The wall clock of a phone can jump either way at any moment; nothing here assumes that it does not.
pub trait Clock: Send + Sync {
    /// The wall clock, in UTC. A time outside the years 0 to 9999 counts as the first or the last moment of them.
    fn now(&self) -> Timestamp;

    /// Time since some moment that stays the same. Never goes back, and continues while the device sleeps.
    fn monotonic(&self) -> Duration;

    /// Sets a function to call when the clocks are moved by hand, so that a thread that waits for a time checks again. The clocks of the
    /// system never call it.
    fn on_change(&self, moved: Box<dyn Fn() + Send + Sync>) {
        let _ = moved;
    }

    /// Seconds that local time is ahead of UTC at `at`; kept beside each event so that a record can show local times later.
    fn utc_offset(&self, at: Timestamp) -> i32;
}

/// The first and the last moment that RFC 3339 can write, in milliseconds: the years 0 to 9999.
const WRITABLE: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

/// This moment, or the nearest one that messages and records can write.
pub(crate) fn writable(at: Timestamp) -> Timestamp {
    let ms = at.timestamp_millis();
    if WRITABLE.contains(&ms) { at } else { Timestamp::from_timestamp_millis(ms.clamp(*WRITABLE.start(), *WRITABLE.end())).unwrap_or(at) }
}

/// A clock that gives only [`writable`] moments.
pub(crate) struct WritableClock(pub(crate) std::sync::Arc<dyn Clock>);

impl Clock for WritableClock {
    fn now(&self) -> Timestamp {
        writable(self.0.now())
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    fn on_change(&self, moved: Box<dyn Fn() + Send + Sync>) {
        self.0.on_change(moved);
    }

    fn utc_offset(&self, at: Timestamp) -> i32 {
        self.0.utc_offset(at)
    }
}

/// The operating system's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock(());

/// The clock that continues while the device sleeps: a wait of a quarter of an hour is over a quarter of an hour later.
#[cfg(any(target_os = "linux", target_os = "android"))]
const AWAKE_OR_ASLEEP: rustix::time::ClockId = rustix::time::ClockId::Boottime;
/// On Apple systems the monotonic clock continues during sleep.
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
