//! Delivery taken step by step, for simulations that decide what happens between two steps. Feature `testing`.

use std::time::Duration;

use super::{Compass, Result};
use crate::delivery::{CancelToken, Run, Step};
use crate::model::FlushReport;

/// A running flush or background worker.
pub struct DeliverySteps {
    compass: Compass,
    run: Option<Run>,
    is_flush: bool,
}

/// The outcome of a step.
#[derive(Debug)]
pub enum StepOutcome {
    /// There is more to do at once.
    Again,
    /// There is nothing to do before something happens, or this moment of the monotonic clock comes.
    Wait {
        /// Time since the clock's origin; none: only an event ends the wait.
        until: Option<Duration>,
    },
    /// It has ended; a flush gives its report.
    Done(Option<Result<FlushReport>>),
}

impl DeliverySteps {
    /// Takes the next step. After the end, every further step is `Done` without a report.
    pub fn step(&mut self) -> StepOutcome {
        let Some(run) = &mut self.run else { return StepOutcome::Done(None) };
        let delivery = &self.compass.inner.delivery;
        match delivery.step(run) {
            Step::Again => StepOutcome::Again,
            Step::Wait { until, .. } => StepOutcome::Wait { until },
            Step::Done => {
                let run = self.run.take().filter(|_| self.is_flush);
                StepOutcome::Done(run.map(|run| Ok(delivery.report(run)?)))
            }
        }
    }
}

impl DeliverySteps {
    /// Whether something has happened that ends a wait, since the last step.
    pub fn is_woken(&self) -> bool {
        self.run.as_ref().is_some_and(|run| self.compass.inner.delivery.is_ahead(run))
    }
}

impl std::fmt::Debug for DeliverySteps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeliverySteps").field("ended", &self.run.is_none()).finish_non_exhaustive()
    }
}

impl Compass {
    /// [`Compass::flush`] or [`Compass::flush_urgent`], step by step.
    ///
    /// # Errors
    /// `Closed`.
    pub fn flush_steps(&self, deadline: Duration, cancel: &CancelToken, urgent: bool) -> Result<DeliverySteps> {
        let _call = self.inner.calls.enter()?;
        let run = self.inner.delivery.begin_flush(deadline, cancel, urgent);
        Ok(DeliverySteps { compass: self.clone(), run: Some(run), is_flush: true })
    }

    /// [`Compass::start_delivery`], step by step; it ends after [`Compass::stop_delivery`]. None when it runs already.
    ///
    /// # Errors
    /// `Closed`.
    pub fn delivery_steps(&self) -> Result<Option<DeliverySteps>> {
        let _call = self.inner.calls.enter()?;
        let run = self.inner.delivery.begin_worker();
        Ok(run.map(|run| DeliverySteps { compass: self.clone(), run: Some(run), is_flush: false }))
    }

    /// Ends like a killed process: nothing is settled, no request is cancelled, no checkpoint is made, and everything in memory is lost.
    pub fn kill(self) {
        if self.inner.calls.shut() {
            self.inner.delivery.kill();
            self.inner.store.kill();
            drop(self.inner.registration.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take());
            self.inner.calls.end();
        }
    }
}
