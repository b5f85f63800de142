//! Faults that can be put back, to show that the simulation finds them. Feature `seeded-faults`; without it there is none, and nothing of this
//! is in what ships.

/// Whether this fault is put back on this thread. Each name stands for the cause of a fault that was once there.
#[cfg(feature = "seeded-faults")]
pub(crate) fn fault(name: &str) -> bool {
    SEEDED.get().is_some_and(|seeded| seeded == name)
}

/// Never.
#[cfg(not(feature = "seeded-faults"))]
#[inline(always)]
pub(crate) const fn fault(_name: &str) -> bool {
    false
}

#[cfg(feature = "seeded-faults")]
thread_local! {
    static SEEDED: std::cell::Cell<Option<&'static str>> = const { std::cell::Cell::new(None) };
}

/// Puts a fault back on this thread, or takes it away.
#[cfg(feature = "seeded-faults")]
pub(crate) fn seed(name: Option<&'static str>) {
    SEEDED.set(name);
}
