//! Where attempt threads leave results, and what wakes the pipeline.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::attempt::Finished;

/// Results that nobody has settled yet, and a count of everything that happened. Results are kept here whatever becomes of the pipeline.
#[derive(Default)]
pub(super) struct Mailbox {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    finished: Vec<Finished>,
    events: u64,
}

impl Mailbox {
    pub(super) fn post(&self, finished: Finished) {
        let mut inner = self.inner();
        inner.finished.push(finished);
        inner.events += 1;
        drop(inner);
        self.changed.notify_all();
    }

    /// Wakes whoever waits.
    pub(super) fn nudge(&self) {
        self.inner().events += 1;
        self.changed.notify_all();
    }

    /// How many things have happened; to be read before looking at the state that they may change.
    pub(super) fn events(&self) -> u64 {
        self.inner().events
    }

    pub(super) fn take(&self) -> Vec<Finished> {
        std::mem::take(&mut self.inner().finished)
    }

    /// Waits until more has happened than `seen`, but no longer than this.
    pub(super) fn wait(&self, seen: u64, at_most: Duration) {
        let inner = self.inner();
        drop(self.changed.wait_timeout_while(inner, at_most, |inner| inner.events == seen).unwrap_or_else(PoisonError::into_inner));
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Every change is a single push or count; a panic cannot leave it half-done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
