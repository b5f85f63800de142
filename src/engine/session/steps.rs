//! Steps of the engine, counted in tests: the cost of a tap grows with what it reads, and not faster.

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// The same items; in tests each one that is taken is a step.
pub(super) fn counted<T>(items: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    #[cfg(test)]
    let items = items.inspect(|_| STEPS.set(STEPS.get() + 1));
    items
}

/// The result of some work, and its steps.
#[cfg(test)]
pub(super) fn steps_of<T>(work: impl FnOnce() -> T) -> (T, u64) {
    STEPS.set(0);
    let done = work();
    (done, STEPS.get())
}
