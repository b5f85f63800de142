//! The calls of delivery: flushing, the network, secrets, quiescing and closing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use chrono::TimeDelta;

use super::batch::FlushCounts;
use super::cancel::CancelToken;
use super::driver::{Caller, Run, Step, StopReason, Turn};
use super::endpoint_queue::EndpointView;
use super::foreign;
use super::handle::Delivery;
use super::moment::Moment;
use super::next_due::Situation;
use super::schedule::Ended;
use super::settings::{DATABASE_WAIT, HANGING_PAUSE, IDLE, QUIESCE_DATABASE_WAIT, QUIESCE_LIMIT, QUIESCE_STOP_LIMIT, STOP_LIMIT};
use super::shared::{Mode, Shared};
use crate::fault::fault;
use crate::sorted::{SortedMap, SortedSet};

use crate::model::{Connectivity, Endpoint, FlushEnd, FlushReport, NextDue, Notice, Timestamp};
use crate::outbox::reason;
use crate::store::endpoint::{self, EndpointRow, StoredEndpoint};
use crate::store::outbox::{queue, revive};
use crate::store::{Connection, StoreError, meta, set_back, unless_damaged, without_damaged};
use crate::webhook;

/// Endpoints that begin no attempt for a while, with their definitions.
pub(crate) struct Delays {
    now: Timestamp,
    views: SortedMap<String, EndpointView>,
}

impl Delays {
    /// Until when this endpoint waits for a network (backoff).
    pub(crate) fn backoff(&self, row: &EndpointRow) -> Option<Timestamp> {
        let backoff = self.views.get(&row.endpoint.key)?.backoff(row)?;
        self.now.checked_add_signed(TimeDelta::from_std(backoff).ok()?)
    }

    /// When this endpoint is checked again, where calls that do not end delay it.
    pub(crate) fn delayed_until(&self, endpoint: &Endpoint) -> Option<Timestamp> {
        self.views.get(&endpoint.key)?.is_delayed(endpoint).then(|| self.now + HANGING_PAUSE)
    }
}

impl Delivery {
    /// Delivers what is due now and returns before `deadline` has passed. Entries that become due later are not waited for. `urgent`: a
    /// person asks, so one attempt may begin at each endpoint that waits for a time, once a minute.
    ///
    /// A running worker continues the attempts that this call leaves running; otherwise only attempts that could not be cancelled are left.
    ///
    /// # Errors
    /// When the database fails. Results that could not be stored are kept in memory and stored by the next call that can.
    pub(crate) fn flush(&self, deadline: Duration, cancel: &CancelToken, urgent: bool) -> Result<FlushReport, StoreError> {
        let mut run = self.begin_flush(deadline, cancel, urgent);
        let shared = Arc::clone(&self.shared);
        let _hook = cancel.on_cancel(move || shared.change(|_| ()));
        loop {
            match self.step(&mut run) {
                Step::Again => {}
                Step::Wait { until, at_most } => self.shared.wait(run.seen, self.real_wait(until, at_most)),
                Step::Done => return self.report(run),
            }
        }
    }

    /// A flush to be run step by step.
    pub(crate) fn begin_flush(&self, deadline: Duration, cancel: &CancelToken, urgent: bool) -> Run {
        let deadline = self.ports.clock.monotonic().saturating_add(deadline);
        Run::new(Caller::Flush { deadline, cancel: cancel.clone(), urgent }, self.shared.lock().is_stopped(), self.blocking.is_simulated())
    }

    /// Whether something has happened since the last step of a run.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn is_ahead(&self, run: &Run) -> bool {
        self.shared.lock().events() != run.seen
    }

    /// The report of a flush.
    pub(crate) fn report(&self, mut run: Run) -> Result<FlushReport, StoreError> {
        if let Some(error) = run.error.take() {
            return Err(error);
        }
        let pending = self.pending(&run);
        let end = match run.end() {
            StopReason::Drained => FlushEnd::Drained,
            StopReason::Offline => FlushEnd::Offline,
            StopReason::Deadline => FlushEnd::Deadline,
            StopReason::Cancelled => FlushEnd::Cancelled,
            StopReason::Quiesced => FlushEnd::Quiesced,
        };
        let FlushCounts { attempts, sent, retrying, failed } = run.counts;
        Ok(FlushReport { end, attempts, sent, retrying, failed, pending })
    }

    /// Takes the app's report about the network. When the network has changed, entries that waited for one are due at once; the worker begins
    /// after one short random wait, so that not all phones send at the same moment. True if it is another report than the last one.
    pub(crate) fn set_connectivity(&self, connectivity: Connectivity) -> bool {
        let now = self.ports.clock.monotonic();
        let (is_other, has_risen) = self.shared.change(|shared| {
            let is_open = shared.mode != Mode::Closed;
            let is_other = shared.schedule.network.connectivity() != connectivity;
            (is_open && is_other, shared.schedule.network.set(connectivity, now) && is_open)
        });
        if has_risen {
            self.network_changed();
        }
        is_other
    }

    /// The generation of the network has risen.
    pub(super) fn network_changed(&self) {
        let spread = self.settings.policy.online_spread.mul_f64(self.ports.random.fraction());
        self.shared.change(|shared| {
            // A wait that is not over stays: a network that changes all the time must not delay the worker for ever. It begins with the
            // network, not with the generation, which may rise later.
            let begins_at = shared.schedule.network.came_at().saturating_add(spread);
            shared.worker_begins_at = shared.worker_begins_at.or(Some(begins_at));
            shared.wake();
            // Connections and addresses of the earlier network are of no use. The next driving thread renews the transport: that may
            // take long.
            shared.must_renew = true;
        });
    }

    /// The app's last report.
    pub(crate) fn connectivity(&self) -> Connectivity {
        self.shared.lock().schedule.network.connectivity()
    }

    /// Something may have become due.
    pub(crate) fn look(&self) {
        self.shared.change(|shared| shared.schedule.look());
    }

    /// A call of the app has written to the database: if that failed before, it works again.
    pub(crate) fn database_works(&self) {
        if self.is_paused.swap(false, Ordering::Relaxed) {
            self.shared.change(|_| {});
        }
    }

    /// The app has changed this endpoint.
    pub(crate) fn endpoint_changed(&self, key: &str) {
        self.shared.change(|shared| shared.schedule.endpoint_changed(key));
    }

    /// A person wants to send: entries that wait for a network are attempted at once, without the wait that spreads phones.
    pub(crate) fn send_now(&self) {
        self.shared.change(|shared| {
            shared.worker_begins_at = None;
            shared.wake();
        });
    }

    /// Whether entries that wait for a network are due at once, although the database does not show it yet.
    pub(crate) fn is_woken(&self) -> bool {
        self.shared.lock().schedule.is_woken()
    }

    /// Entries whose lease ended, or ends too far ahead because the clock was set back, and on which this handle does not work.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn leases_that_are_over(&self, connection: &Connection, now: Timestamp) -> Result<SortedSet<i64>, StoreError> {
        let over = queue::expired_leases(connection, now, self.settings.limits.lease)?;
        let worked_on = if over.is_empty() { Vec::new() } else { self.shared.lock().schedule.worked_on() };
        Ok(over.into_iter().filter(|entry| !worked_on.contains(entry)).collect())
    }

    /// The duration of a lease.
    pub(crate) fn lease(&self) -> Duration {
        self.settings.limits.lease
    }

    /// Entries with a running attempt of this handle, even if their rows say otherwise.
    pub(crate) fn in_flight(&self) -> SortedSet<i64> {
        self.shared.lock().schedule.in_flight_readable()
    }

    /// Until when endpoints begin no attempt, as far as only this handle knows it.
    pub(crate) fn delays(&self, now: Timestamp) -> Delays {
        let monotonic = self.ports.clock.monotonic();
        Delays { now, views: self.shared.lock().schedule.views(Moment { wall: now, monotonic }, &self.settings.policy) }
    }

    /// The file that was read. If it has replaced another one, that one's unreadable entries are forgotten.
    pub(crate) fn read_file(&self, file: i64) {
        let mut shared = self.shared.lock();
        if shared.file.replace(file).is_some_and(|before| before != file) {
            shared.reported.clear();
            let schedule = &mut shared.schedule;
            schedule.set_aside = schedule.not_stored.iter().map(|result| result.attempt.claimed.lease.entry).collect();
        }
    }

    /// Entries that are known to be unreadable.
    pub(crate) fn aside(&self) -> SortedSet<i64> {
        self.shared.lock().schedule.aside()
    }

    /// These entries could not be read or written.
    pub(crate) fn set_aside(&self, entries: &SortedSet<i64>) {
        self.shared.lock().schedule.set_aside(entries.iter().copied());
    }

    /// Whether an attempt of this entry with an unknown outcome may have begun: here, or elsewhere if it is leased (or was when it was
    /// abandoned) and the claim is not this handle's. The clock is not used: it may have been set.
    pub(crate) fn may_have_begun(&self, entry: i64, leased: bool) -> bool {
        let shared = self.shared.lock();
        shared.schedule.has_begun(entry) || leased && !shared.schedule.worked_on().contains(&entry)
    }

    /// When there is something to do next; `needs_person` uses the same snapshot. Costs a few index look-ups, for any number of entries.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn next_due_and<E: From<StoreError>>(
        &self,
        mut needs_person: impl FnMut(&Connection) -> Result<bool, E>,
    ) -> Result<NextDue, E> {
        let situation = self.situation(self.now());
        if fault("seeded: next_due takes the wake-up") {
            let schedule = &mut self.shared.lock().schedule;
            let wake = schedule.current_wake();
            schedule.made_due(wake);
        }
        let (next, is_set_back) = self.store.read(|connection| {
            let next = NextDue { needs_person: needs_person(connection)?, ..situation.next_due(connection)? };
            Ok::<_, E>((next, set_back::is_seen(connection, situation.now)?))
        })?;
        if is_set_back {
            self.clock_was_set_back(situation.now);
        }
        Ok(next)
    }

    /// The clock was set back. Times that are over because of that are written as over now: later the clock may not show it any more. Not while
    /// another process has the file, nor while delivery is quiesced: the next call that detects it does it then.
    pub(crate) fn clock_was_set_back(&self, now: Timestamp) {
        if let Err(error) = self.store.write_for_delivery(Duration::ZERO, |tx| meta::carry_age(tx, now)) {
            log::debug!("the clock was set back, which is recorded later: {error}");
        }
    }

    #[cfg(test)]
    pub(super) fn next_due(&self) -> Result<NextDue, StoreError> {
        self.next_due_and(|_| Ok(false))
    }

    /// When the worker checks again, by the monotonic clock.
    pub(super) fn next_look(&self, now: Moment) -> Result<Option<Duration>, StoreError> {
        let situation = self.situation(now);
        let (wait, is_set_back) = self.store.read_for_delivery(DATABASE_WAIT, |connection| {
            Ok::<_, StoreError>((situation.wait(connection)?, set_back::is_seen(connection, now.wall)?))
        })?;
        if is_set_back {
            self.clock_was_set_back(now.wall);
        }
        Ok(wait.map(|wait| now.monotonic.saturating_add(wait.clamp(Duration::from_millis(250), IDLE))))
    }

    fn situation(&self, now: Moment) -> Situation {
        let shared = self.shared.lock();
        let schedule = &shared.schedule;
        let views = schedule.views(now, &self.settings.policy);
        let (aside, in_flight, lease) = (schedule.aside(), schedule.in_flight_readable(), self.settings.limits.lease);
        let (connectivity, woken) = (schedule.network.connectivity(), schedule.is_woken());
        Situation { now: now.wall, connectivity, woken, views, aside, in_flight, lease }
    }

    /// Secrets have changed: entries that waited for one are due, pauses for lack of one or after many failures end, and entries that failed
    /// because of one are revived.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub(crate) fn secrets_changed(&self) -> Result<(), StoreError> {
        let now = self.ports.clock.now();
        let (notice, damaged) = self.store.write::<_, StoreError>(|tx| {
            let ((notice, mut damaged), pages) = without_damaged(tx, |without| {
                let mut notice = Notice { outbox: true, endpoints: true, ..Notice::default() };
                let mut damaged = SortedSet::new();
                meta::next_secrets(tx)?;
                for stored in endpoint::all(tx)? {
                    let StoredEndpoint::Readable(row) = stored else { continue };
                    // Also where it is disabled or archived: revived entries wait there.
                    if !webhook::secret_names(&row.endpoint).is_empty() {
                        unless_damaged(endpoint::new_secrets(tx, &row, &self.settings.policy))?;
                        let (key, revives) = (&row.endpoint.key, reason::revived_by_secrets);
                        let mut revived = revive::revive_endpoint(tx, key, false, revives, now, without)?;
                        notice.sessions.append(&mut revived.sessions);
                        damaged.extend(revived.damaged);
                    }
                }
                notice.revision = meta::next_revision(tx)?;
                Ok((notice, damaged))
            })?;
            damaged.extend(pages);
            Ok((notice, damaged))
        })?;
        self.set_aside(&damaged);
        // Before observers are notified: they may take long.
        self.look();
        self.notify(notice);
        Ok(())
    }

    /// From now on no attempt begins. To be followed by [`finish_quiesce`](Self::finish_quiesce) with the result. Calls no port and no observer.
    pub(crate) fn begin_quiesce(&self) -> u64 {
        self.shared.change(|shared| {
            // Also when it is still quiesced: a running resume must not end it.
            if shared.mode != Mode::Closed {
                (shared.mode, shared.epoch) = (Mode::Quiesced, shared.epoch + 1);
            }
            shared.epoch
        })
    }

    /// How often delivery was quiesced, resumed or closed: for [`finish_quiesce`](Self::finish_quiesce) where it is already quiesced.
    pub(crate) fn epoch(&self) -> u64 {
        self.shared.lock().epoch
    }

    /// Cancels running attempts, and detaches them after a moment. Results that come in time are stored, the others are kept in memory
    /// until delivery is resumed. Attempts that began after a resume are not affected. Takes at most a second.
    pub(crate) fn finish_quiesce(&self, epoch: u64) {
        let began = Instant::now();
        // Unless delivery was resumed since.
        self.cancel_running(|shared| shared.epoch == epoch);
        let limit = if self.blocking.is_simulated() { Duration::ZERO } else { QUIESCE_LIMIT };
        drop(self.shared.wait_until(limit, |shared| !shared.driven || shared.epoch != epoch));
        // A worker that let a flush drive may have left attempts running.
        self.cancel_attempts(QUIESCE_STOP_LIMIT.min(QUIESCE_LIMIT.saturating_sub(began.elapsed())), |shared| shared.epoch == epoch);
    }

    /// Asks all requests in flight to end, if this holds. At once, because an observer may block the driver.
    pub(super) fn cancel_running(&self, holds: impl FnOnce(&Shared) -> bool) {
        let requests = self.shared.change(|shared| {
            if !holds(shared) {
                return Vec::new();
            }
            let mut requests = shared.schedule.cancel_requests();
            for (request, test) in shared.test_sends.iter_mut() {
                test.cancelled = true;
                requests.push(*request);
            }
            requests
        });
        self.cancel(&requests);
    }

    /// Ends attempts whose driver is gone: releases claims that were not begun, cancels running attempts, and stores results. Does nothing
    /// where a thread drives, which ends them itself, and stops once `holds` is false.
    pub(super) fn cancel_attempts(&self, limit: Duration, holds: impl Fn(&Shared) -> bool) {
        let ended = Ended { at: self.now(), random: self.ports.random.fraction() };
        // With the turn, so that no attempt begins meanwhile.
        let Some(turn) = Turn::take_if(&self.shared, |shared| holds(shared)) else { return };
        self.collect();
        let requests =
            self.shared.take(|shared| if holds(shared) { shared.schedule.stop_all(&ended, &self.settings.policy) } else { Vec::new() });
        self.cancel(&requests);
        if !self.blocking.is_simulated() {
            // Also for those already asked: if possible, no port is called after a close.
            let came = |shared: &Shared| {
                let has_come = |request: &u64| shared.arrived.iter().any(|arrived| arrived.request == *request);
                shared.cancelling.is_empty() && requests.iter().all(has_come)
            };
            drop(self.shared.wait_until(limit, |shared| !holds(shared) || came(shared)));
        }
        self.collect();
        let is_over = self.shared.take(|shared| {
            let is_over = holds(shared);
            if is_over {
                shared.schedule.detach();
            }
            is_over
        });
        if is_over {
            self.blocking.release_idle();
        }
        self.settle_soon();
        drop(turn);
        self.take_in_left(&mut self.late_run());
    }

    /// Delivery is about to continue; a flush that begins meanwhile waits for that. Calls no port and no observer. Gives the epoch for
    /// [`finish_resume`](Self::finish_resume).
    pub(crate) fn begin_resume(&self) -> u64 {
        self.shared.change(|shared| {
            if shared.mode == Mode::Quiesced {
                shared.mode = Mode::Resuming;
            }
            shared.epoch += 1;
            shared.epoch
        })
    }

    /// Delivery continues, unless it was quiesced again meanwhile. Results that came before are stored. Calls observers: nothing may be
    /// locked.
    pub(crate) fn finish_resume(&self, epoch: u64) {
        let is_running = self.shared.change(|shared| {
            if shared.epoch == epoch && shared.mode == Mode::Resuming {
                shared.mode = Mode::Running;
                if !fault("seeded: the foreground wakes nothing") {
                    shared.wake();
                }
            }
            shared.must_renew = true;
            shared.is_running()
        });
        // Unless a thread drives and does it.
        if is_running && let Some(turn) = Turn::take_if(&self.shared, |shared| shared.is_running()) {
            self.settle_soon();
            drop(turn);
            self.take_in_left(&mut self.late_run());
        }
    }

    /// Takes in and stores results, for a caller that must return soon: it does not wait long for another process.
    fn settle_soon(&self) {
        let mut run = self.late_run();
        run.database_limit = Some(QUIESCE_DATABASE_WAIT);
        self.take_in(&mut run);
    }

    /// Takes in and stores results that came while the caller had the turn: the threads that brought them left that to the caller. To be
    /// called once the turn was released.
    pub(super) fn take_in_left(&self, run: &mut Run) {
        while let Some(_turn) = Turn::take_if(&self.shared, |shared| shared.has_late_results()) {
            self.take_in(run);
        }
    }

    /// A run for results that belong to no flush or worker.
    pub(super) fn late_run(&self) -> Run {
        Run::new(Caller::Worker { start: 0 }, false, self.blocking.is_simulated())
    }

    /// Takes in results and stores them in one write transaction. To be called by the driving thread.
    pub(super) fn take_in(&self, run: &mut Run) {
        self.collect();
        if self.shared.lock().schedule.has_unsettled()
            && let Err(error) = self.settle(run, false)
        {
            log::warn!("delivery results are kept in memory: {error}");
        }
    }

    /// Ends delivery for good, within two seconds: messages whose results are not stored by then are sent again. Idempotent.
    pub(crate) fn close(&self) {
        let began = Instant::now();
        let epoch = self.shared.change(|shared| {
            shared.epoch += 1;
            shared.worker.wanted = false;
            let was_closed = std::mem::replace(&mut shared.mode, Mode::Closed) == Mode::Closed;
            (!was_closed).then_some(shared.epoch)
        });
        let Some(epoch) = epoch else { return };
        self.cancel_running(|shared| shared.epoch == epoch);
        // Called from an observer or a port, this may be the driver's own thread, or one that it waits for.
        if foreign::is_foreign_call() {
            return;
        }
        let limit = if self.blocking.is_simulated() { Duration::ZERO } else { STOP_LIMIT };
        drop(self.shared.wait_until(limit.saturating_sub(began.elapsed()), |shared| !shared.driven && shared.worker.threads == 0));
        self.cancel_attempts(STOP_LIMIT.saturating_sub(began.elapsed()), |shared| shared.mode == Mode::Closed);
    }

    /// Forgets everything, like the end of a process.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn kill(&self) {
        self.shared.change(|shared| {
            (shared.mode, shared.epoch) = (Mode::Closed, shared.epoch + 1);
            shared.schedule = super::schedule::Schedule::default();
            shared.arrived.clear();
        });
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.close();
    }
}
