//! The part of the schedule for attempts that do not continue: cancelled, overdue or never begun.

use std::time::Duration;

use super::attempt::{Attempt, Stage};
use super::schedule::{Ended, Schedule};
use super::settings::FULL_TIME;
use crate::fault::fault;
use crate::outbox::{Cause, Contact, Outcome, RetryPolicy};
use crate::store::outbox::queue::Claimed;

impl Schedule {
    /// Ends an attempt that is far beyond its time. True when its request has to be cancelled; its result still counts. A look-up of secrets
    /// that does not end counts as `secret_unavailable`, unless it had less time than a store may take.
    pub(super) fn abort(&mut self, request: u64, ended: &Ended, policy: &RetryPolicy) -> bool {
        let Some(mut attempt) = self.in_flight.remove(&request) else { return false };
        match attempt.stage {
            // The thread that read the entry is gone: its request was never sent.
            Stage::Looking => {
                self.undo(attempt);
                false
            }
            Stage::Sending => {
                attempt.cancelled = true;
                self.leave(&attempt);
                self.detached.leave_attempt(attempt);
                true
            }
            Stage::Refreshing => {
                self.refreshed(attempt, None, ended, policy);
                false
            }
            Stage::Secrets | Stage::Found if fault("seeded: abandoned messages are sent") => {
                self.releases.claims.push(attempt.claimed.lease);
                attempt.timeout += Duration::from_secs(20);
                self.in_flight.insert(request, attempt);
                false
            }
            Stage::Leaving => {
                self.finish(attempt, Outcome::NotAttempted(Cause::Interrupted), ended.at, ended.random, policy, true);
                false
            }
            Stage::Secrets | Stage::Found => {
                // With a short time, that says nothing about the store.
                let cause = if attempt.timeout < FULL_TIME { Cause::Interrupted } else { Cause::SecretUnavailable };
                self.finish(attempt, Outcome::NotAttempted(cause), ended.at, ended.random, policy, true);
                false
            }
        }
    }

    /// Nothing of this attempt was begun, not even its look-up: its claim is released.
    pub(super) fn not_begun(&mut self, request: u64) {
        self.drop_attempts(|attempt| attempt.request == request);
    }

    /// A thread is ready for the request of this attempt: how much time it has; none when it must no longer be sent.
    pub(super) fn may_still_send(&mut self, request: u64, now: Duration, may_begin: bool) -> Option<Duration> {
        let attempt = self.in_flight.get_mut(&request).filter(|attempt| attempt.stage == Stage::Leaving)?;
        let left = attempt.sending.and_then(|(since, timeout)| since.saturating_add(timeout).checked_sub(now));
        let left = left.filter(|left| may_begin && !attempt.cancelled && !left.is_zero())?;
        attempt.stage = Stage::Sending;
        Some(left)
    }

    /// There was no thread for the next call of this attempt.
    pub(super) fn had_no_thread(&mut self, request: u64) {
        if let Some(attempt) = self.in_flight.get_mut(&request) {
            attempt.looks_up = false;
        }
        self.not_begun(request);
    }

    /// The endpoint changed: its claims that have not begun are released.
    pub(super) fn release_ready(&mut self, key: &str) {
        if let Some(queue) = self.endpoints.get_mut(key) {
            let ready = std::mem::take(&mut queue.ready);
            ready.iter().for_each(|claimed| self.release(claimed));
        }
        self.look();
    }

    /// Releases a claim of which nothing has begun.
    pub(super) fn release(&mut self, claimed: &Claimed) {
        if claimed.urgent {
            self.caller_requests.urgent_again();
        }
        self.releases.claims.push(claimed.lease);
    }

    /// The caller with this urgent request no longer waits. When no caller does, entries that were claimed for one and have not begun are
    /// released: they may be due much later.
    pub(super) fn end_urgent(&mut self, number: u64) {
        if !self.caller_requests.end_urgent(number) {
            return;
        }
        for queue in self.endpoints.values_mut() {
            let urgent = queue.ready.iter().filter(|claimed| claimed.urgent).map(|claimed| claimed.lease);
            self.releases.claims.extend(urgent);
            queue.ready.retain(|claimed| !claimed.urgent);
        }
        self.drop_attempts(|attempt| attempt.claimed.urgent && matches!(attempt.stage, Stage::Secrets | Stage::Found));
        self.look();
    }

    /// Stops everything: claims that have not begun are released. Gives the running requests, to be cancelled. An attempt whose secrets are
    /// being looked up was cut short, so that a store that hangs is not asked again in every short run. So was one whose request waits for a
    /// thread; it is no longer sent. To be called by the driving thread: an attempt whose entry is being read then lost its driver, so its
    /// request was never sent.
    pub(super) fn stop_all(&mut self, ended: &Ended, policy: &RetryPolicy) -> Vec<u64> {
        // An answer for which a newer secret is looked up is settled as it is.
        while let Some(attempt) = self.take(|attempt| attempt.stage == Stage::Refreshing) {
            self.refreshed(attempt, None, ended, policy);
        }
        while let Some(attempt) = self.take(|attempt| matches!(attempt.stage, Stage::Secrets | Stage::Leaving)) {
            self.finish(attempt, Outcome::NotAttempted(Cause::Interrupted), ended.at, ended.random, policy, true);
        }
        let ready: Vec<Claimed> = self.endpoints.values_mut().flat_map(|queue| queue.ready.drain(..)).collect();
        ready.iter().for_each(|claimed| self.release(claimed));
        self.drop_attempts(|attempt| matches!(attempt.stage, Stage::Found | Stage::Looking));
        self.in_flight.values_mut().for_each(|attempt| attempt.cancelled = true);
        self.in_flight.keys().copied().collect()
    }

    /// Detaches the attempts that still run. Their results still count.
    pub(super) fn detach(&mut self) {
        for (_, attempt) in std::mem::take(&mut self.in_flight) {
            self.leave(&attempt);
            self.detached.leave_attempt(attempt);
        }
        self.endpoints.values_mut().for_each(|queue| queue.refreshing = 0);
    }

    pub(super) fn drop_attempts(&mut self, drops: impl Fn(&Attempt) -> bool) {
        while let Some(attempt) = self.take(&drops) {
            self.undo(attempt);
        }
    }

    /// Nothing of this attempt was sent: everything written for it is undone.
    fn undo(&mut self, mut attempt: Attempt) {
        self.leave(&attempt);
        self.release(&attempt.claimed);
        self.releases.urgent.extend(attempt.used_urgent.take());
    }

    pub(super) fn take(&mut self, takes: impl Fn(&Attempt) -> bool) -> Option<Attempt> {
        let request = self.in_flight.values().find(|attempt| takes(attempt))?.request;
        self.in_flight.remove(&request)
    }

    /// An attempt no longer runs; a look-up of its secrets may.
    pub(super) fn leave(&mut self, attempt: &Attempt) {
        if attempt.looks_up {
            self.detached.leave_look_up(attempt);
        }
        if let Some(queue) = self.endpoints.get_mut(&attempt.claimed.endpoint) {
            queue.in_flight = queue.in_flight.saturating_sub(1);
            if attempt.stage == Stage::Refreshing {
                queue.refreshing = queue.refreshing.saturating_sub(1);
            }
        }
    }

    /// Whether an attempt of this entry has begun and its outcome is unknown.
    pub(super) fn has_begun(&self, entry: i64) -> bool {
        let mut attempts = self.in_flight.values().chain(self.detached.attempts());
        // A result that is not stored yet also means that it was sent.
        let mut results = self.results.iter().chain(&self.not_stored).filter(|result| result.verdict.contact != Contact::NotBegun);
        attempts.any(|attempt| attempt.claimed.lease.entry == entry && attempt.has_begun())
            || results.any(|result| result.attempt.claimed.lease.entry == entry)
    }
}
