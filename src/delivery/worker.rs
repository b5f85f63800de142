//! The background worker: the steps of delivery on a thread, while the app is in the foreground.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::driver::{Caller, Run, Step};
use super::foreign;
use super::handle::Delivery;
use super::settings::WORKER_STOP_LIMIT;
use super::shared::SharedLock;

/// Counts the thread as ended, however it ends. After a panic the worker is no longer wanted, so that the next start begins another one.
/// It does not restart automatically, because the cause of the panic may still be there.
struct Running {
    shared: Arc<SharedLock>,
    start: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        let panicked = std::thread::panicking();
        self.shared.change(|shared| {
            shared.worker.threads -= 1;
            if panicked && shared.worker.starts == self.start {
                shared.worker.wanted = false;
            }
        });
    }
}

impl Delivery {
    /// Starts the worker, unless it runs.
    pub(crate) fn start(self: &Arc<Self>) {
        let Some(mut run) = self.begin_worker() else { return };
        let Caller::Worker { start } = run.caller else { return };
        let running = Running { shared: Arc::clone(&self.shared), start };
        let delivery = Arc::downgrade(self);
        let shared = Arc::clone(&self.shared);
        let work = move || {
            let _running = running;
            // The handle may be dropped while the thread waits: then there is nothing more to do.
            while let Some(delivery) = delivery.upgrade() {
                match delivery.step(&mut run) {
                    Step::Again => {}
                    Step::Wait { until, at_most } => {
                        let wait = delivery.real_wait(until, at_most);
                        drop(delivery);
                        shared.wait(run.seen, wait);
                    }
                    Step::Done => return,
                }
            }
        };
        if let Err(error) = std::thread::Builder::new().name("compass-delivery".to_owned()).spawn(work) {
            self.shared.change(|shared| shared.worker.wanted = false);
            log::error!("the delivery thread cannot be started: {error}");
        }
    }

    /// The worker to be run step by step; none when one already runs.
    pub(crate) fn begin_worker(&self) -> Option<Run> {
        let start = self.shared.change(|shared| {
            if shared.worker.wanted || shared.mode == super::shared::Mode::Closed {
                return None;
            }
            shared.worker.wanted = true;
            shared.worker.starts += 1;
            shared.worker.threads += 1;
            Some(shared.worker.starts)
        })?;
        Some(Run::new(Caller::Worker { start }, false, self.blocking.is_simulated()))
    }

    /// Stops the worker and its running attempts, within two seconds. Does nothing when it does not run.
    pub(crate) fn stop(&self) {
        let began = Instant::now();
        let runs = self.shared.change(|shared| std::mem::take(&mut shared.worker.wanted) || shared.worker.threads > 0);
        // Called from an observer or a port, this may be the worker's own thread, or one that it waits for.
        if !runs || foreign::is_foreign_call() {
            return;
        }
        // At once, because an observer may block the worker.
        let requests = self.shared.change(|shared| {
            if shared.driven && shared.worker_drives && !shared.worker.wanted { shared.schedule.cancel_requests() } else { Vec::new() }
        });
        self.cancel(&requests);
        let limit = if self.blocking.is_simulated() { Duration::ZERO } else { WORKER_STOP_LIMIT };
        drop(self.shared.wait_until(limit, |shared| shared.worker.threads == 0 || shared.worker.wanted));
        // A worker that did not drive has not ended the attempts that a flush left to it.
        self.cancel_attempts(limit.saturating_sub(began.elapsed()), |shared| !shared.worker.wanted && shared.is_running());
        self.blocking.release_idle();
    }
}
