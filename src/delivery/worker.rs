//! The background worker: the same pipeline on a thread, while the app is in the foreground.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Inner;
use super::drive::{Run, Tally};
use super::due;
use super::foreign;
use super::settings::{IDLE, LOOK_UP};
use crate::store::StoreError;

/// How long stopping waits for the thread. An attempt that cannot be interrupted is given up before that.
const STOP_LIMIT: Duration = Duration::from_secs(2);
/// The first pause after the database failed; doubles up to `IDLE`.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Whether a worker runs, and which.
#[derive(Default)]
pub(super) struct Worker {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    /// Counts starts and stops; a thread of an earlier generation ends.
    generation: u64,
    wanted: bool,
    threads: u32,
}

impl Worker {
    pub(super) fn is_running(&self) -> bool {
        self.state().wanted
    }

    pub(super) fn is_current(&self, generation: u64) -> bool {
        let state = self.state();
        state.wanted && state.generation == generation
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts the thread out, whichever way it ends.
struct Running(Arc<Inner>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.worker.state().threads -= 1;
        self.0.worker.ended.notify_all();
    }
}

impl Inner {
    /// Starts the worker, unless it runs.
    pub(super) fn start_worker(self: &Arc<Self>) {
        let mut state = self.worker.state();
        if state.wanted || self.is_closed() {
            return;
        }
        state.generation += 1;
        let generation = state.generation;
        let inner = Arc::clone(self);
        let thread = std::thread::Builder::new().name("compass-delivery".to_owned()).spawn(move || {
            let running = Running(inner);
            running.0.run_worker(generation);
        });
        match thread {
            Ok(_) => {
                state.wanted = true;
                state.threads += 1;
            }
            Err(error) => log::error!("the delivery thread cannot be started: {error}"),
        }
    }

    /// Stops the worker, and waits for it.
    pub(super) fn stop_worker(&self) {
        let mut state = self.worker.state();
        if !std::mem::take(&mut state.wanted) && state.threads == 0 {
            return;
        }
        drop(state);
        self.mailbox.nudge();
        self.seat.nudge();
        // Called from an observer or a port, this may be the worker's own thread, or one that it waits for.
        if !foreign::is_foreign_call() {
            let state = self.worker.state();
            drop(
                self.worker
                    .ended
                    .wait_timeout_while(state, STOP_LIMIT, |state| state.threads > 0 && !state.wanted)
                    .unwrap_or_else(PoisonError::into_inner),
            );
        }
    }

    fn run_worker(&self, generation: u64) {
        let mut pause = FIRST_PAUSE;
        while self.worker.is_current(generation) {
            let seen = self.mailbox.events();
            if self.is_quiesced() {
                self.mailbox.wait(seen, IDLE);
                continue;
            }
            if let Some(left) = self.network.held_for(self.ports.clock.monotonic()) {
                self.mailbox.wait(seen, left);
                continue;
            }
            self.seat.give_way(LOOK_UP);
            let wait = match self.drive_once(generation) {
                Ok(wait) => {
                    pause = FIRST_PAUSE;
                    wait
                }
                Err(error) => {
                    log::warn!("delivery pauses: {error}");
                    let wait = pause;
                    pause = (pause * 2).min(IDLE);
                    wait
                }
            };
            // Read before driving: what happened meanwhile is looked at again.
            self.mailbox.wait(seen, wait);
        }
    }

    fn drive_once(&self, generation: u64) -> Result<Duration, StoreError> {
        let run = Run::Worker { generation };
        let Some(mut driver) = self.seat.take(|| self.worker.is_current(generation).then_some(LOOK_UP)) else {
            return Ok(Duration::ZERO);
        };
        let pipeline = driver.pipeline();
        let end = self.drive(pipeline, &run, &mut Tally::default())?;
        if end == super::drive::End::Yield {
            return Ok(Duration::ZERO);
        }
        let held = self.held(pipeline);
        drop(driver);
        let (now, connectivity) = (self.ports.clock.now(), self.network.connectivity());
        let wait = self.store.read(|connection| due::wait(connection, now, connectivity, &held))?;
        // Not below a moment: what is due and cannot begin must not keep a core busy. Not above: a clock may jump.
        Ok(wait.unwrap_or(IDLE).clamp(LOOK_UP, IDLE))
    }
}
