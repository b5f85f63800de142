//! Faults that tests inject, to show that the simulation finds them. Feature `seeded-faults`; releases do not contain them.

/// Whether this fault is injected on this thread. Each name describes the cause of an earlier fault.
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

/// Injects a fault on this thread, or removes it.
#[cfg(feature = "seeded-faults")]
pub(crate) fn seed(name: Option<&'static str>) {
    SEEDED.set(name);
}
