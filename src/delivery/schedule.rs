//! What delivery does next, decided from plain data: the endpoints, their claimed entries, running attempts and results that are not settled
//! yet. It uses no clock, thread, lock, port or database: times are given, and the caller carries out the answer.
//!
//! A crash loses all of it, but no message: claims end by their leases, and unsettled results become attempts of unknown outcome.

use std::sync::Arc;
use std::time::Duration;

use super::attempt::{Attempt, AttemptResult, Stage};
use super::caller_requests::{Asked, CallerRequests};
use super::detached::Detached;
use super::endpoint_queue::{EndpointQueue, EndpointView, Unstored};
use super::moment::Moment;
use super::network::Network;
use super::released::Released;
use super::settings::{LEASE_MARGIN, SETTLE_AFTER, Settings};
use crate::fault::fault;
use crate::sorted::{SortedMap, SortedSet};

use crate::model::{Connectivity, NetworkPolicy};
use crate::outbox::{Cause, Outcome, RetryPolicy, lease_is_over};
use crate::store::endpoint::EndpointRow;
use crate::store::outbox::queue::Claimed;
use crate::webhook;

/// What is allowed now.
pub(super) struct Conditions<'a> {
    pub(super) settings: &'a Settings,
    /// Attempts may begin.
    pub(super) may_begin: bool,
    /// The time that each of them gets.
    pub(super) timeout: Duration,
    /// Urgent requests are served too.
    pub(super) serves_urgent: bool,
    /// The database may be used; it did not fail a moment ago.
    pub(super) database: bool,
    /// It failed; results come before claims.
    pub(super) database_failed: bool,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// End this attempt: it is far beyond its time.
    Abort(u64),
    /// Read the entry of this attempt again, and send it.
    Look(u64),
    /// Make entries due that waited for a network. All their results are stored.
    MakeDue,
    /// Begin this attempt.
    Start(u64),
    /// Check whether something is due, and claim it.
    Claim,
    /// Store results and release claims.
    Settle,
    /// Wait for an event, or until this moment of the monotonic clock.
    Wait(Option<Duration>),
    /// There is nothing to do.
    Idle,
}

/// Everything that runs or waits in memory.
#[derive(Default)]
pub(super) struct Schedule {
    pub(super) network: Network,
    pub(super) endpoints: SortedMap<String, EndpointQueue>,
    pub(super) in_flight: SortedMap<u64, Attempt>,
    /// Detached look-ups and requests.
    pub(super) detached: Detached,
    /// Results, in the order in which they came.
    pub(super) results: Vec<AttemptResult>,
    pub(super) results_since: Option<Duration>,
    /// Claims of which nothing was begun, and the urgent attempts used up for them.
    pub(super) releases: Released,
    /// Results that could not be stored, neither in their group nor one by one.
    pub(super) not_stored: Vec<AttemptResult>,
    /// Unreadable entries.
    pub(super) set_aside: SortedSet<i64>,
    /// Rises with each wake-up: a reason to attempt entries that waited for a network.
    pub(super) wake: u64,
    /// The last wake-up that the database includes.
    pub(super) made_due: u64,
    /// Requests of callers that do not drive.
    pub(super) caller_requests: CallerRequests,
    /// A person waits for more entries than were claimed.
    more_urgent: bool,
    pub(super) looked_at: Duration,
    pub(super) starts: u64,
}

/// The end of a look-up or a request, for [`Schedule`].
pub(super) struct Ended {
    pub(super) at: Moment,
    /// Drawn where there is a source of randomness; spreads the next attempt.
    pub(super) random: f64,
}

impl Schedule {
    /// What to do next.
    pub(super) fn next(&mut self, now: Moment, conditions: &Conditions<'_>) -> Action {
        if let Some(request) = self.overdue(now) {
            return Action::Abort(request);
        }
        self.ask_for_more_urgent();
        self.abort_slow_secrets(now, &conditions.settings.policy);
        self.release_waiting(now, conditions);
        if conditions.database && conditions.may_begin {
            if let Some(request) = self.found() {
                return Action::Look(request);
            }
            if self.made_due < self.wake {
                // Results are stored before, so that their entries are made due with the rest.
                return if self.results.is_empty() { Action::MakeDue } else { Action::Settle };
            }
        }
        if conditions.may_begin
            && let Some(request) = self.start(now, conditions)
        {
            return Action::Start(request);
        }
        if conditions.database {
            let settings = conditions.settings;
            if self.may_claim(conditions) && self.may_want_claim(now, settings) {
                return Action::Claim;
            }
            if self.must_settle(now, settings.limits.batch) {
                return Action::Settle;
            }
        }
        if self.is_idle() { Action::Idle } else { Action::Wait(self.wait_until(conditions)) }
    }

    // Wake-ups.

    /// There is a reason to attempt entries at once that waited for a network.
    pub(super) fn wake(&mut self) {
        self.wake += 1;
        self.look();
    }

    /// Something may have become due.
    pub(super) fn look(&mut self) {
        self.caller_requests.look();
    }

    /// The app registered, enabled or changed this endpoint: its backoff is forgotten.
    pub(super) fn endpoint_changed(&mut self, key: &str) {
        if let Some(queue) = self.endpoints.get_mut(key) {
            (queue.backoff, queue.offline_attempts) = (None, 0);
        }
        self.look();
    }

    /// A flush begins: storing what could not be stored is tried again, and entries that waited long get a turn. The driving thread serves it.
    pub(super) fn flush_begins(&mut self) {
        if !fault("seeded: a flush wakes nothing") {
            self.wake();
        }
        for result in &self.not_stored {
            self.set_aside.remove(&result.attempt.claimed.lease.entry);
        }
        self.results.append(&mut self.not_stored);
        self.endpoints.values_mut().for_each(|queue| queue.first_of_flush = true);
    }

    /// Whether entries that wait for a network are due at once, although the database does not show it yet.
    pub(super) fn is_woken(&self) -> bool {
        self.made_due < self.wake || self.network.next_rise().is_some()
    }

    /// The current wake-up; to be passed to [`made_due`](Self::made_due) once the database was updated.
    pub(super) fn current_wake(&self) -> u64 {
        self.wake
    }

    pub(super) fn made_due(&mut self, wake: u64) {
        self.made_due = self.made_due.max(wake);
        self.look();
    }

    /// A person waits for more entries than were claimed. The others are claimed when those have begun, so that at most a batch waits for its
    /// turn; at once, if nothing was claimed.
    pub(super) fn left_urgent(&mut self) {
        self.more_urgent = true;
        self.ask_for_more_urgent();
    }

    fn ask_for_more_urgent(&mut self) {
        let waits = |queue: &EndpointQueue| queue.ready.iter().any(|claimed| claimed.urgent);
        if self.more_urgent && !self.endpoints.values().any(waits) {
            self.more_urgent = false;
            self.caller_requests.urgent_again();
        }
    }

    /// Whether an urgent request is not served yet: nothing was claimed for it, or the claimed entries have not begun.
    pub(super) fn serves_urgent(&self) -> bool {
        let waits = |attempt: &Attempt| attempt.claimed.urgent && matches!(attempt.stage, Stage::Secrets | Stage::Found);
        self.caller_requests.is_urgent()
            || self.endpoints.values().any(|queue| queue.ready.iter().any(|claimed| claimed.urgent))
            || self.in_flight.values().any(waits)
    }

    // Starting.

    /// Begins the next attempt that is allowed now.
    fn start(&mut self, now: Moment, conditions: &Conditions<'_>) -> Option<u64> {
        let settings = conditions.settings;
        loop {
            let key = self.next_endpoint(now, settings)?;
            let (validated, generation) = (self.network.validated(), self.network.generation());
            self.starts += 1;
            let queue = self.endpoints.get_mut(&key).expect("the next endpoint is one of the endpoints");
            let Some(claimed) = queue.pop(now.wall) else { continue };
            let until = claimed.lease.until;
            let left = (until - now.wall).to_std().unwrap_or_default();
            if lease_is_over(until, now.wall, settings.limits.lease) || left < conditions.timeout + LEASE_MARGIN {
                // Claimed too long ago to begin safely; it is claimed again, with the rest.
                let ready = std::mem::take(&mut queue.ready);
                [claimed].iter().chain(&ready).for_each(|claimed| self.release(claimed));
                self.look();
                continue;
            }
            queue.in_flight += 1;
            queue.starts = queue.starts.wrapping_add(1);
            queue.served = self.starts;
            queue.first_of_flush = false;
            let request = next_request();
            let looks_up = !webhook::secret_names(&queue.endpoint).is_empty();
            let attempt = Attempt {
                request,
                endpoint: Arc::clone(&queue.endpoint),
                skew_ms: queue.state.clock_skew_ms.unwrap_or(0),
                network: generation,
                configuration: queue.configuration,
                validated,
                stage: if looks_up { Stage::Secrets } else { Stage::Found },
                secrets: Vec::new(),
                began_at: now.wall,
                began: now.monotonic,
                timeout: conditions.timeout,
                signed_for_ms: 0,
                sending: None,
                cancelled: false,
                looks_up,
                found_at: None,
                refused: None,
                wake: self.wake,
                last_urgent: self.caller_requests.last_urgent(),
                used_urgent: None,
                claimed,
            };
            self.in_flight.insert(request, attempt);
            return Some(request);
        }
    }

    /// The endpoint to serve next: the one with the fewest attempts in flight, then the one that waited longest. All failing endpoints together
    /// get at most half of the places, and the last place is for an endpoint without one.
    fn next_endpoint(&self, now: Moment, settings: &Settings) -> Option<String> {
        let policy = &settings.policy;
        let total = policy.in_flight_total;
        let free = self.free_places(total);
        let failing: u32 = self.endpoints.values().filter(|queue| queue.is_failing()).map(|queue| queue.in_flight).sum();
        let offline = self.network.is_offline();
        let may_begin = |queue: &EndpointQueue| {
            queue.room(now, self.wake, offline, policy) > 0
                && !self.detached.delays(&queue.endpoint)
                && (queue.in_flight == 0 || free > 1 || total <= policy.in_flight_max)
                && (!queue.is_failing() || failing < (total / 2).max(1))
        };
        let queues = self.endpoints.iter().filter(|(_, queue)| free > 0 && may_begin(queue));
        queues.min_by_key(|(_, queue)| (queue.in_flight, queue.served)).map(|(key, _)| key.clone())
    }

    /// How many more attempts may run. Calls that hang take no places from other endpoints, unless so many hang that there are no threads.
    fn free_places(&self, total: u32) -> u32 {
        total.saturating_sub(self.in_flight.len() as u32).saturating_sub(self.detached.attempts_beyond())
    }

    /// Secrets that used up the time of an attempt count as unavailable: they are not looked up again in every run.
    fn abort_slow_secrets(&mut self, now: Moment, policy: &RetryPolicy) {
        while let Some(attempt) = self.take(|attempt| attempt.stage == Stage::Found && attempt.secrets_took_its_time(now.monotonic)) {
            self.finish(attempt, Outcome::NotAttempted(Cause::SecretUnavailable), now, 0.5, policy, true);
        }
    }

    /// Releases claims that cannot begin soon: at endpoints that are closed or paused, or everywhere.
    fn release_waiting(&mut self, now: Moment, conditions: &Conditions<'_>) {
        let Conditions { may_begin, serves_urgent, .. } = *conditions;
        let (wake, offline) = (self.wake, self.network.is_offline());
        let metered = matches!(self.network.connectivity(), Connectivity::Online { metered: true, .. });
        let (mut released, detached) = (Vec::new(), &self.detached);
        for queue in self.endpoints.values_mut() {
            let must_wait = queue.must_wait(now, wake) || offline;
            let may_begin = may_begin && !detached.delays(&queue.endpoint);
            let too_dear = metered && queue.endpoint.network == NetworkPolicy::Unmetered;
            let waits = |claimed: &Claimed| if claimed.urgent { !serves_urgent || queue.closed } else { must_wait };
            let stays = |claimed: &Claimed| may_begin && !too_dear && !waits(claimed);
            if !queue.ready.iter().all(stays) {
                let (ready, back): (Vec<_>, Vec<_>) = queue.ready.drain(..).partition(stays);
                queue.ready = ready.into();
                released.extend(back);
            }
        }
        released.iter().for_each(|claimed| self.release(claimed));
        // Attempts whose secrets are already known do not begin either.
        let waits: SortedSet<String> =
            self.endpoints.iter().filter(|(_, queue)| queue.must_wait(now, wake)).map(|(key, _)| key.clone()).collect();
        self.drop_attempts(|attempt| {
            let too_dear = metered && attempt.endpoint.network == NetworkPolicy::Unmetered;
            let waits = offline || waits.contains(&attempt.claimed.endpoint);
            attempt.stage == Stage::Found && (!may_begin || too_dear || waits && !attempt.claimed.urgent)
        });
    }

    // Running attempts.

    pub(super) fn attempt(&self, request: u64) -> Option<&Attempt> {
        self.in_flight.get(&request)
    }

    pub(super) fn attempt_mut(&mut self, request: u64) -> Option<&mut Attempt> {
        self.in_flight.get_mut(&request)
    }

    fn found(&self) -> Option<u64> {
        self.in_flight.values().find(|attempt| attempt.stage == Stage::Found).map(|attempt| attempt.request)
    }

    fn overdue(&self, now: Moment) -> Option<u64> {
        let is_overdue = |attempt: &&Attempt| overdue_at(attempt).is_some_and(|at| at <= now.monotonic);
        self.in_flight.values().find(is_overdue).map(|attempt| attempt.request)
    }

    pub(super) fn has_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }

    // Storing and claiming.

    /// Whether it is time to settle: the group is full, the first result has waited long enough, or no more are expected.
    fn must_settle(&self, now: Moment, batch: u32) -> bool {
        let is_old = self.results_since.is_some_and(|since| now.monotonic.saturating_sub(since) >= SETTLE_AFTER);
        self.has_unsettled() && (self.results.len() >= batch as usize || is_old || (self.in_flight.is_empty() && self.has_nothing_ready()))
    }

    /// Whether entries may be claimed at all: after the database failed, results are stored first.
    fn may_claim(&self, conditions: &Conditions<'_>) -> bool {
        conditions.database && conditions.may_begin && !(conditions.database_failed && self.has_unsettled())
    }

    /// Whether something may be due and could begin. Costs nothing.
    fn may_want_claim(&self, now: Moment, settings: &Settings) -> bool {
        let wants_more = |queue: &EndpointQueue| {
            queue.more
                && queue.ready.is_empty()
                && queue.may_take(now, self.wake, &settings.policy)
                && !self.detached.delays(&queue.endpoint)
        };
        let is_time = !self.in_flight.is_empty() && now.monotonic.saturating_sub(self.looked_at) >= SETTLE_AFTER;
        let wants = self.caller_requests.wants_look() || is_time || self.endpoints.values().any(wants_more);
        self.has_place(settings) && wants
    }

    /// Whether another attempt could begin somewhere.
    fn has_place(&self, settings: &Settings) -> bool {
        self.free_places(settings.policy.in_flight_total) > 0 && (!self.network.is_offline() || self.caller_requests.is_urgent())
    }

    /// A read of the database found nothing to claim.
    pub(super) fn found_nothing(&mut self, asked: Asked, now: Moment) {
        self.looked(asked, now);
        self.endpoints.values_mut().filter(|queue| queue.ready.is_empty()).for_each(|queue| queue.more = false);
    }

    /// Takes out what has to be written.
    pub(super) fn take_unsettled(&mut self) -> (Vec<AttemptResult>, Released) {
        self.results_since = None;
        (std::mem::take(&mut self.results), std::mem::take(&mut self.releases))
    }

    /// Puts back what could not be written, before later results.
    pub(super) fn put_unsettled(&mut self, mut results: Vec<AttemptResult>, mut releases: Released, now: Moment) {
        results.append(&mut self.results);
        releases.append(std::mem::take(&mut self.releases));
        (self.results, self.releases) = (results, releases);
        if !self.results.is_empty() {
            self.results_since = Some(now.monotonic);
        }
    }

    /// This result could not be stored even in its own transaction.
    pub(super) fn keep_not_stored(&mut self, result: AttemptResult) {
        self.set_aside.insert(result.attempt.claimed.lease.entry);
        self.not_stored.push(result);
    }

    /// These rows cannot be read.
    pub(super) fn set_aside(&mut self, entries: impl IntoIterator<Item = i64>) {
        self.set_aside.extend(entries);
    }

    pub(super) fn aside(&self) -> SortedSet<i64> {
        self.set_aside.clone()
    }

    /// Entries that are not claimed now, no matter what their rows say: they are unreadable, or have an attempt in flight. The latter were
    /// abandoned and then sent again: the result of the first attempt comes before the next one. Newer revisions of these wait for it, too.
    pub(super) fn skipped(&self) -> SortedSet<i64> {
        &self.set_aside | &self.in_flight()
    }

    pub(super) fn has_unsettled(&self) -> bool {
        !self.results.is_empty() || !self.releases.is_empty()
    }

    pub(super) fn has_releases(&self) -> bool {
        !self.releases.is_empty()
    }

    /// Entries with a running attempt, no matter how the clock is set. For detached attempts, or those running elsewhere, the entry's row has the
    /// time.
    pub(super) fn in_flight(&self) -> SortedSet<i64> {
        self.in_flight.values().filter(|attempt| attempt.has_begun()).map(|attempt| attempt.claimed.lease.entry).collect()
    }

    /// Those of them that can be read.
    pub(super) fn in_flight_readable(&self) -> SortedSet<i64> {
        &self.in_flight() - &self.set_aside
    }

    pub(super) fn unsettled(&self) -> usize {
        self.results.len() + self.not_stored.len()
    }

    /// Entries that are being worked on, so that their leases do not expire.
    pub(super) fn worked_on(&self) -> Vec<i64> {
        let ready = self.endpoints.values().flat_map(|queue| queue.ready.iter().map(|claimed| claimed.lease.entry));
        let attempts = self.in_flight.values().map(|attempt| attempt.claimed.lease.entry);
        let results = self.results.iter().chain(&self.not_stored).map(|result| result.attempt.claimed.lease.entry);
        ready.chain(attempts).chain(results).chain(self.set_aside.iter().copied()).collect()
    }

    /// Whether results of this endpoint are not stored yet.
    fn is_unsettled(&self, endpoint: &str) -> bool {
        self.results.iter().any(|result| result.attempt.claimed.endpoint == endpoint)
    }

    /// What is known about each endpoint.
    pub(super) fn views(&self, now: Moment, policy: &RetryPolicy) -> SortedMap<String, EndpointView> {
        let view = |key: &str, queue: &EndpointQueue| EndpointView {
            in_flight: queue.in_flight,
            room: self.is_unsettled(key).then(|| queue.state.room(queue.in_flight, now.wall, policy)),
            settled_deliveries: queue.settled_deliveries,
            settled_seen: queue.settled_seen,
            settled_takes: queue.settled_takes,
            has_ready: !queue.ready.is_empty(),
            has_had_urgent: queue.last_urgent >= self.caller_requests.last_urgent(),
            longest_due_first: queue.is_turn_of_longest_due(),
            first_of_flush: queue.first_of_flush,
            endpoint: Some(Arc::clone(&queue.endpoint)),
            delayed: self.detached.delays(&queue.endpoint),
            backoff: queue.backoff_left(now.monotonic, self.wake),
        };
        self.endpoints.iter().map(|(key, queue)| (key.clone(), view(key, queue))).collect()
    }

    /// Takes over the row of an endpoint that a round has written.
    pub(super) fn read_endpoint(&mut self, row: &EndpointRow, configuration: u64, unstored: Option<Unstored>, policy: &RetryPolicy) {
        let is_settled = !self.is_unsettled(&row.endpoint.key);
        let queue = self.endpoints.or_insert_with(row.endpoint.key.clone(), || EndpointQueue::new(row, policy));
        if let Some(unstored) = unstored {
            (queue.settled_deliveries, queue.settled_seen, queue.settled_takes) = unstored;
        }
        queue.refresh(row, configuration, is_settled);
    }

    /// Takes over the entries that a round has claimed, at endpoints that were read with them.
    pub(super) fn claimed(&mut self, claimed: Vec<Claimed>, more: &SortedSet<String>, asked: Asked, now: Moment) {
        for (key, queue) in self.endpoints.iter_mut() {
            queue.more = more.contains(key) || (queue.more && !queue.ready.is_empty());
        }
        let urgent_waits = self.caller_requests.waits_for_urgent();
        for entry in claimed {
            match self.endpoints.get_mut(&entry.endpoint) {
                // No caller waits for it.
                _ if entry.urgent && !urgent_waits => self.releases.claims.push(entry.lease),
                Some(queue) => queue.ready.push_back(entry),
                None => {
                    // It was claimed for an endpoint of another name: it is not sent, and not claimed again and again.
                    self.set_aside.insert(entry.lease.entry);
                    self.releases.claims.push(entry.lease);
                }
            }
        }
        self.looked(asked, now);
    }

    /// The database was read. An urgent request is not answered while attempts run for another reason: entries that wait behind those had no
    /// turn.
    fn looked(&mut self, asked: Asked, now: Moment) {
        let ready = self.endpoints.values().flat_map(|queue| &queue.ready);
        let is_another = self.in_flight.values().map(|attempt| &attempt.claimed).chain(ready).any(|claimed| !claimed.urgent);
        self.caller_requests.answered(asked, !is_another && !self.has_unsettled());
        self.looked_at = now.monotonic;
    }

    /// Whether nothing is in flight, waiting to begin or unsettled.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.is_empty() && self.has_nothing_ready() && !self.has_unsettled()
    }

    fn has_nothing_ready(&self) -> bool {
        self.endpoints.values().all(|queue| queue.ready.is_empty())
    }

    /// Whether some endpoint waits for a network.
    pub(super) fn is_backing_off(&self, now: Moment) -> bool {
        self.endpoints.values().any(|queue| queue.backoff_left(now.monotonic, self.wake).is_some())
    }

    /// When time makes something possible. Only gives moments at which there is something to do.
    fn wait_until(&self, conditions: &Conditions<'_>) -> Option<Duration> {
        let settle = self.results_since.filter(|_| conditions.database).map(|since| since.saturating_add(SETTLE_AFTER));
        let may_claim = self.may_claim(conditions) && self.has_place(conditions.settings);
        let look = (may_claim && !self.in_flight.is_empty()).then(|| self.looked_at.saturating_add(SETTLE_AFTER));
        self.in_flight.values().filter_map(overdue_at).chain(settle).chain(look).min()
    }
}

/// When an attempt is overdue. A request gets a margin beyond its timeout, so that a transport that keeps it ends first.
fn overdue_at(attempt: &Attempt) -> Option<Duration> {
    match attempt.stage {
        Stage::Secrets => Some(attempt.until()),
        Stage::Looking | Stage::Leaving | Stage::Sending | Stage::Refreshing => Some(attempt.until().saturating_add(LEASE_MARGIN)),
        Stage::Found => None,
    }
}

/// An id for a request, unique in the process: handles may share a transport.
pub(super) fn next_request() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
