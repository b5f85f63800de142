//! Everything that delivery's threads share: one mutex, and one condition variable for every wait. The lock is not held while a port, an
//! observer or the database is called.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::batch::BatchOutcome;
use super::moment::Moment;
use super::schedule::{Schedule, next_request};
use super::settings::{MOST_RENEWALS, RENEWAL_LIMIT};
use crate::crypto::{Sha256, hmac_sha256};
use crate::port::BlockingAnswer;
use crate::sorted::{SortedMap, SortedSet};

/// The lock around [`Shared`].
#[derive(Default)]
pub(super) struct SharedLock {
    inner: Mutex<Shared>,
    changed: Condvar,
}

/// What delivery's threads share.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) schedule: Schedule,
    /// Results of attempts that were not taken in yet. Kept even if the caller that asked is gone.
    pub(super) arrived: Vec<Arrived>,
    pub(super) mode: Mode,
    /// Rises with every change of the mode.
    pub(super) epoch: u64,
    /// A thread drives. One at a time; a flush goes before the worker.
    pub(super) driven: bool,
    /// The driver is the worker.
    pub(super) worker_drives: bool,
    pub(super) flushes_waiting: u32,
    pub(super) worker: WorkerState,
    /// The transport has to be renewed before the next attempt begins.
    pub(super) must_renew: bool,
    /// Running renewals of the transport, and until when they delay attempts, by the monotonic clock.
    pub(super) renewals: Vec<(u64, Duration)>,
    /// Requests that the transport is being asked to cancel.
    pub(super) cancelling: SortedSet<u64>,
    /// The worker begins nothing before this moment of the monotonic clock, so that not all phones send at the same time.
    pub(super) worker_begins_at: Option<Duration>,
    /// Nothing begins before this moment, for lack of a thread.
    pub(super) thread_at: Option<Duration>,
    /// How often in a row there was no thread.
    pub(super) thread_failures: u32,
    /// Running test messages.
    pub(super) test_sends: SortedMap<u64, TestSend>,
    pub(super) secrets: SecretHistory,
    /// How many entries waited at the last count.
    pub(super) pending: u64,
    /// Entries that wait for a person and were reported to observers.
    pub(super) reported: Vec<i64>,
    /// The file that was read last: `meta::file_generation`.
    pub(super) file: Option<i64>,
    events: u64,
}

/// A running test message.
#[derive(Default)]
pub(super) struct TestSend {
    /// The result of the call that it waits for.
    pub(super) brought: Option<(BlockingAnswer, Moment)>,
    pub(super) cancelled: bool,
    /// Its call is detached.
    pub(super) detached: bool,
}

/// The result of a blocking call.
pub(super) struct Arrived {
    pub(super) request: u64,
    pub(super) answer: BlockingAnswer,
    pub(super) at: Moment,
}

/// Whether delivery may work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Mode {
    #[default]
    Running,
    /// No attempt begins, and the database is not used.
    Quiesced,
    /// It will be `Running` as soon as the transport is renewed; nothing begins before. A run that begins waits for it.
    Resuming,
    /// `Quiesced` for good.
    Closed,
}

/// The background worker.
#[derive(Debug, Default)]
pub(super) struct WorkerState {
    /// Counts starts; a thread of an earlier one ends.
    pub(super) starts: u64,
    pub(super) wanted: bool,
    pub(super) threads: u32,
}

/// Values of secrets as keyed hashes: which were reported as refused, and which is the newest.
#[derive(Debug, Default)]
pub(super) struct SecretHistory {
    /// Random, of this process.
    pub(super) key: [u8; 16],
    reported: Vec<Sha256>,
    /// By name and origin.
    newest: Vec<(String, String, Sha256)>,
}

impl SecretHistory {
    /// A look-up gave this value.
    pub(super) fn note_newest(&mut self, name: &str, origin: &str, value: &str) {
        let hash = self.hash(name, origin, value);
        match self.newest.iter_mut().find(|(of, at, _)| of == name && at == origin) {
            Some((_, _, newest)) => *newest = hash,
            None => self.newest.push((name.to_owned(), origin.to_owned(), hash)),
        }
    }

    /// Whether a newer value than this one was seen.
    pub(super) fn is_outdated(&self, name: &str, origin: &str, value: &str) -> bool {
        let newest = self.newest.iter().find(|(of, at, _)| of == name && at == origin);
        newest.is_some_and(|(_, _, newest)| *newest != self.hash(name, origin, value))
    }

    /// Whether the refusal of this value has to be reported; true once per value.
    pub(super) fn must_report(&mut self, name: &str, origin: &str, value: &str) -> bool {
        let hash = self.hash(name, origin, value);
        let is_new = !self.reported.contains(&hash);
        if is_new {
            self.reported.push(hash);
        }
        is_new
    }

    fn hash(&self, name: &str, origin: &str, value: &str) -> Sha256 {
        Sha256(hmac_sha256(&self.key, &[name.as_bytes(), b"\n", origin.as_bytes(), b"\n", value.as_bytes()]))
    }
}

impl Shared {
    /// There is a reason to attempt entries at once that waited for a network, and to try for a thread again.
    pub(super) fn wake(&mut self) {
        self.thread_at = None;
        self.schedule.wake();
    }

    pub(super) fn is_running(&self) -> bool {
        self.mode == Mode::Running
    }

    /// Whether delivery must do nothing until it is resumed.
    pub(super) fn is_stopped(&self) -> bool {
        matches!(self.mode, Mode::Quiesced | Mode::Closed)
    }

    /// Records that a renewal of the transport begins. None when so many renewals hang that no further one may begin.
    pub(super) fn begin_renewal(&mut self, now: Duration) -> Option<u64> {
        self.must_renew = false;
        if self.renewals.len() >= MOST_RENEWALS {
            return None;
        }
        let renewal = next_request();
        self.renewals.push((renewal, now.saturating_add(RENEWAL_LIMIT)));
        Some(renewal)
    }

    /// Until when a running renewal of the transport delays attempts at most.
    pub(super) fn renewed_by(&self) -> Option<Duration> {
        self.renewals.iter().map(|(_, by)| *by).max()
    }

    /// Whether a thread takes in results: one that drives, or will in a moment.
    pub(super) fn has_driver(&self) -> bool {
        self.driven || self.flushes_waiting > 0 || self.worker.wanted
    }

    /// Whether there are results that no other thread takes in, and that may be stored.
    pub(super) fn has_late_results(&self) -> bool {
        !self.arrived.is_empty() && !self.has_driver() && self.is_running()
    }

    /// Removes what was reported to observers before and has not changed since, except for attempts that were cut short.
    pub(super) fn report_once(&mut self, outcome: &mut BatchOutcome) {
        self.reported.retain(|entry| !outcome.no_attention.contains(entry));
        outcome.attention.retain(|(entry, attention)| attention.failed || !self.reported.contains(entry));
        self.reported.extend(outcome.attention.iter().filter(|(_, attention)| !attention.failed).map(|(entry, _)| *entry));
    }

    pub(super) fn is_worker(&self, start: u64) -> bool {
        self.worker.wanted && self.worker.starts == start
    }

    /// The number of events; to be read before the state that they may change.
    pub(super) fn events(&self) -> u64 {
        self.events
    }
}

impl SharedLock {
    pub(super) fn lock(&self) -> MutexGuard<'_, Shared> {
        // Every change is complete under the lock; after a panic in between, a later step reads the state again.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something that a thread may wait for, and wakes the threads that wait.
    pub(super) fn change<T>(&self, work: impl FnOnce(&mut Shared) -> T) -> T {
        let mut shared = self.lock();
        let result = work(&mut shared);
        self.tell(shared);
        result
    }

    /// Wakes the threads that wait, after a change under this lock.
    pub(super) fn tell(&self, mut shared: MutexGuard<'_, Shared>) {
        shared.events += 1;
        drop(shared);
        self.changed.notify_all();
    }

    /// Reads or changes something that no thread waits for.
    pub(super) fn take<T>(&self, work: impl FnOnce(&mut Shared) -> T) -> T {
        work(&mut self.lock())
    }

    /// Waits until there are more events than `seen`, or for at most this time.
    pub(super) fn wait(&self, seen: u64, at_most: Option<Duration>) {
        let shared = self.lock();
        let nothing_new = |shared: &mut Shared| shared.events == seen;
        match at_most {
            Some(at_most) => {
                drop(self.changed.wait_timeout_while(shared, at_most, nothing_new).unwrap_or_else(PoisonError::into_inner));
            }
            None => drop(self.changed.wait_while(shared, nothing_new).unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// Waits until `holds`, or for at most this time.
    pub(super) fn wait_until(&self, at_most: Duration, holds: impl Fn(&Shared) -> bool) -> MutexGuard<'_, Shared> {
        let shared = self.lock();
        self.changed.wait_timeout_while(shared, at_most, |shared| !holds(shared)).unwrap_or_else(PoisonError::into_inner).0
    }
}
