//! Counts running calls, so that closing can wait for them.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::Error;

#[derive(Default)]
pub(super) struct CallGuard {
    state: Mutex<Calls>,
    left: Condvar,
}

#[derive(Default)]
struct Calls {
    closed: bool,
    /// The caller that shut the guard has closed everything it protects.
    ended: bool,
    running: usize,
}

/// A running call; ends when dropped.
pub(super) struct Call<'a>(&'a CallGuard);

impl CallGuard {
    /// Begins a call.
    ///
    /// # Errors
    /// `Closed` once the guard is shut.
    pub(super) fn enter(&self) -> Result<Call<'_>, Error> {
        let mut state = self.state();
        if state.closed {
            return Err(Error::Closed);
        }
        state.running += 1;
        Ok(Call(self))
    }

    /// Refuses further calls. False when it was already shut.
    pub(super) fn shut(&self) -> bool {
        !std::mem::replace(&mut self.state().closed, true)
    }

    /// Waits for running calls.
    pub(super) fn wait_for_calls(&self) {
        let mut state = self.state();
        while state.running > 0 {
            state = self.left.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Everything is closed.
    pub(super) fn end(&self) {
        self.state().ended = true;
        self.left.notify_all();
    }

    /// Waits until everything is closed, for at most this time.
    pub(super) fn wait_for_end(&self, at_most: Duration) {
        drop(self.left.wait_timeout_while(self.state(), at_most, |state| !state.ended).unwrap_or_else(PoisonError::into_inner));
    }

    fn state(&self) -> MutexGuard<'_, Calls> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.state().running -= 1;
        self.0.left.notify_all();
    }
}
