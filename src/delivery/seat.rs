//! One driver at a time: whoever holds the pipeline drives it. No lock is held while it is driven.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::pipeline::Pipeline;

/// Where the pipeline is while nobody drives it.
pub(super) struct Seat {
    inner: Mutex<Inner>,
    changed: Condvar,
}

struct Inner {
    pipeline: Option<Box<Pipeline>>,
    waiting: u32,
}

impl Seat {
    pub(super) fn new(pipeline: Pipeline) -> Self {
        Self { inner: Mutex::new(Inner { pipeline: Some(Box::new(pipeline)), waiting: 0 }), changed: Condvar::new() }
    }

    /// Takes the pipeline, once it is free. `left` says how long to go on waiting; none: give up.
    pub(super) fn take(&self, left: impl Fn() -> Option<Duration>) -> Option<Driver<'_>> {
        let mut inner = self.inner();
        inner.waiting += 1;
        let pipeline = loop {
            if let Some(pipeline) = inner.pipeline.take() {
                break Some(pipeline);
            }
            match left() {
                Some(left) if !left.is_zero() => {
                    inner = self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
                }
                _ => break None,
            }
        };
        inner.waiting -= 1;
        drop(inner);
        self.changed.notify_all();
        Some(Driver { seat: self, pipeline: Some(pipeline?) })
    }

    /// Whether somebody waits for the pipeline.
    pub(super) fn is_wanted(&self) -> bool {
        self.inner().waiting > 0
    }

    /// Waits until nobody else wants the pipeline, but no longer than this.
    pub(super) fn give_way(&self, at_most: Duration) {
        let inner = self.inner();
        drop(self.changed.wait_timeout_while(inner, at_most, |inner| inner.waiting > 0).unwrap_or_else(PoisonError::into_inner));
    }

    /// Makes those who wait look whether they still want to.
    pub(super) fn nudge(&self) {
        drop(self.inner());
        self.changed.notify_all();
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds the pipeline, and gives it back when dropped, also by a panic.
pub(super) struct Driver<'a> {
    seat: &'a Seat,
    pipeline: Option<Box<Pipeline>>,
}

impl Driver<'_> {
    pub(super) fn pipeline(&mut self) -> &mut Pipeline {
        self.pipeline.as_mut().expect("a driver holds the pipeline until it is dropped")
    }
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        self.seat.inner().pipeline = self.pipeline.take();
        self.seat.changed.notify_all();
    }
}
