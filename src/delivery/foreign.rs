//! Calls into code that is not ours: ports and observers.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Whether this thread is inside a call to a port or an observer. What waits for delivery must be refused there: it would wait for itself.
pub(crate) fn is_foreign_call() -> bool {
    DEPTH.get() > 0
}

/// Calls foreign code. None when it panicked: that must not end delivery.
pub(crate) fn call<T>(work: impl FnOnce() -> T) -> Option<T> {
    DEPTH.set(DEPTH.get() + 1);
    // What foreign code leaves half-done is its own; we only see its answer.
    let result = catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    result.ok()
}
