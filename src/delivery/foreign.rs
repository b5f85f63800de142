//! Calls into code of the app: ports and observers.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Whether this thread is inside a call to a port or an observer. A call that waits for delivery must be refused there: it would wait for itself.
pub(crate) fn is_foreign_call() -> bool {
    DEPTH.get() > 0
}

/// Calls code of the app. None when it panicked: that must not end delivery.
pub(crate) fn call<T>(work: impl FnOnce() -> T) -> Option<T> {
    DEPTH.set(DEPTH.get() + 1);
    // Unwind safe: the core only uses the answer.
    let result = catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    result.ok()
}
