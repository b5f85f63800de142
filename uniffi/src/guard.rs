//! Every call into the core goes through here.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use compass_core::Error;
use compass_core::model::CoreError;

/// Runs a call. A panic becomes the error `internal`: transactions roll back automatically, and the core's locks stay usable after a panic.
pub(crate) fn guard<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, CoreError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(CoreError::from),
        Err(panic) => Err(internal(panic)),
    }
}

/// The message of the panic may contain a value, so it is not passed on. A function of its own keeps this out of every call's code.
#[cold]
#[inline(never)]
fn internal(_: Box<dyn Any + Send>) -> CoreError {
    Error::Internal { detail: "a panic".to_owned() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_the_error_internal_without_its_message() {
        let error = guard::<()>(|| panic!("42 Mill Lane")).expect_err("is an error");
        let CoreError::Failed { code, retryable, detail, .. } = &error;
        assert_eq!((code.as_str(), *retryable), ("internal", false));
        assert!(!detail.contains("Mill Lane"), "{detail}");
    }
}
