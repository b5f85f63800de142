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
    ports: Arc<Ports>,
    mailbox: Arc<Mailbox>,
    shared: Arc<Shared>,
}

struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    jobs: VecDeque<Job>,
    idle: usize,
    /// Threads that take no more jobs and are about to let go of the ports.
    leaving: usize,
    retired: bool,
}

impl Pool {
    pub(super) fn new(ports: Arc<Ports>, mailbox: Arc<Mailbox>) -> Self {
        Self { ports, mailbox, shared: Arc::new(Shared { inner: Mutex::default(), changed: Condvar::new() }) }
    }

    /// Starts an attempt. Gives the job back when no thread is to be had.
    pub(super) fn start(&self, job: Job) -> Result<(), Box<Job>> {
        let mut inner = self.shared.inner();
        if inner.idle <= inner.jobs.len() {
            let (ports, mailbox, shared) = (Arc::clone(&self.ports), Arc::clone(&self.mailbox), Arc::clone(&self.shared));
            let work = move || {
                shared.work(&ports, &mailbox);
                // Before it is counted out: dropping a port calls foreign code, which must not happen behind the back of who has closed.
                drop((ports, mailbox));
                shared.leave();
            };
            if std::thread::Builder::new().name("compass-attempt".to_owned()).spawn(work).is_err() {
                return Err(Box::new(job));
            }
            // Counted as idle at once, so that the next job does not count on it too.
            inner.idle += 1;
        }
        inner.jobs.push_back(job);
        drop(inner);
        self.shared.changed.notify_one();
        Ok(())
    }

    /// Ends threads: idle ones let go of the ports before it returns, the others when their attempt is over, whose result is posted all
    /// the same.
    pub(super) fn retire(&self) {
        let mut inner = self.shared.inner();
        inner.retired = true;
        self.shared.changed.notify_all();
        let stays = |inner: &mut Inner| inner.idle > 0 || inner.leaving > 0;
        drop(self.shared.changed.wait_timeout_while(inner, RETIRE_PATIENCE, stays).unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.inner().retired = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn work(&self, ports: &Ports, mailbox: &Mailbox) {
        let mut inner = self.inner();
        loop {
            if let Some(job) = inner.jobs.pop_front() {
                inner.idle -= 1;
                drop(inner);
                let finished: Finished = job.run(ports);
                inner = self.inner();
                inner.idle += 1;
                drop(inner);
                // Idle first: who is woken by the result may have the next job.
                mailbox.post(finished);
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
        inner.idle -= 1;
        inner.leaving += 1;
    }

    fn leave(&self) {
        self.inner().leaving -= 1;
        self.changed.notify_all();
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
