//! Threads for attempts: made when first needed, gone when there is nothing to do.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::attempt::{Finished, Job};
use super::mailbox::Mailbox;
use super::settings::Ports;

/// A thread without work ends after this long.
const IDLE_LIMIT: Duration = Duration::from_secs(5);
/// How long retiring waits for idle threads to be gone; they have nothing left to do.
const RETIRE_PATIENCE: Duration = Duration::from_millis(200);

/// A set of attempt threads. It has no limit of its own: the pipeline hands out no more jobs than may run.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    ports: Arc<Ports>,
    mailbox: Arc<Mailbox>,
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    retired: bool,
}

impl Pool {
    pub(super) fn new(ports: Arc<Ports>, mailbox: Arc<Mailbox>) -> Self {
        Self { shared: Arc::new(Shared { ports, mailbox, inner: Mutex::default(), changed: Condvar::new() }) }
    }

    /// Starts an attempt. Gives the job back when no thread is to be had.
    pub(super) fn start(&self, job: Job) -> Result<(), Box<Job>> {
        let mut inner = self.shared.inner();
        if inner.idle <= inner.jobs.len() {
            let shared = Arc::clone(&self.shared);
            if std::thread::Builder::new().name("compass-attempt".to_owned()).spawn(move || shared.work()).is_err() {
                return Err(Box::new(job));
            }
            // Counted as idle at once, so that the next job does not count on it too.
            inner.threads += 1;
            inner.idle += 1;
        }
        inner.jobs.push_back(job);
        drop(inner);
        self.shared.changed.notify_one();
        Ok(())
    }

    /// Ends threads: idle ones before it returns, the others when their attempt is over, whose result is posted all the same.
    pub(super) fn retire(&self) {
        let mut inner = self.shared.inner();
        inner.retired = true;
        self.shared.changed.notify_all();
        drop(
            self.shared.changed.wait_timeout_while(inner, RETIRE_PATIENCE, |inner| inner.idle > 0).unwrap_or_else(PoisonError::into_inner),
        );
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.inner().retired = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn work(&self) {
        let mut inner = self.inner();
        loop {
            if let Some(job) = inner.jobs.pop_front() {
                inner.idle -= 1;
                drop(inner);
                let finished: Finished = job.run(&self.ports);
                inner = self.inner();
                inner.idle += 1;
                drop(inner);
                // Idle first: who is woken by the result may have the next job.
                self.mailbox.post(finished);
                inner = self.inner();
                continue;
            }
            if inner.retired {
                break;
            }
            let (woken, timeout) = self.changed.wait_timeout(inner, IDLE_LIMIT).unwrap_or_else(PoisonError::into_inner);
            inner = woken;
            if timeout.timed_out() && inner.jobs.is_empty() {
                break;
            }
        }
        inner.threads -= 1;
        inner.idle -= 1;
        drop(inner);
        self.changed.notify_all();
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
