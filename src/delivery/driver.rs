//! Driving: asks the schedule what to do next, and does it, step by step. A flush and the worker are the same steps with other reasons to
//! stop; a simulation takes the steps one by one.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::batch::FlushCounts;
use super::cancel::CancelToken;
use super::handle::Delivery;
use super::moment::Moment;
use super::schedule::{Action, Conditions, Ended};
use super::settings::{
    CANCEL_AGAIN, CANCEL_LIMIT, DATABASE_PAUSES, DATABASE_WAIT, IDLE, LEAST_TIME, QUIESCE_DATABASE_WAIT, QUIESCE_STOP_LIMIT, RETURN_TIME,
    SETTLING_TIME, STOP_LIMIT,
};
use super::shared::{Shared, SharedLock};
use crate::fault::fault;
use crate::store::{LockWait, StoreError};

/// Who drives.
pub(super) enum Caller {
    /// A flush until this moment of the monotonic clock.
    Flush { deadline: Duration, cancel: CancelToken, urgent: bool },
    /// The worker that was started as this one.
    Worker { start: u64 },
}

/// Why driving has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StopReason {
    Drained,
    Offline,
    Deadline,
    Cancelled,
    Quiesced,
}

/// What a step asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The next step.
    Again,
    /// The next step when something has happened, at this moment of the monotonic clock, or after this time of the process.
    Wait { until: Option<Duration>, at_most: Option<Duration> },
    /// It has ended.
    Done,
}

/// A running flush or worker.
pub(crate) struct Run {
    pub(super) caller: Caller,
    stage: RunStage,
    turn: Option<Turn>,
    /// Counted among the flushes that wait for their turn.
    waiting: Option<Waiting>,
    /// Its requests were registered, for any thread that drives.
    begun: bool,
    /// Its urgent request.
    urgent: Option<Urgent>,
    pub(super) counts: FlushCounts,
    pub(super) error: Option<StoreError>,
    /// Why a result was set aside.
    pub(super) storing_error: Option<StoreError>,
    /// How often in a row the database failed, and until when it is not used.
    pub(super) failures: u32,
    pub(super) paused_until: Option<Instant>,
    /// Commits of the store when the database failed last: after another one it works again.
    commits: u64,
    /// The same in a simulation, by the monotonic clock.
    paused_until_simulated: Option<Duration>,
    /// Nothing is waited for in real time.
    simulated: bool,
    /// Since when attempts are asked to stop, and when they were asked last.
    pub(super) stopping_since: Option<Instant>,
    pub(super) asked_at: Option<Instant>,
    /// The handle was quiesced when it began.
    pub(super) began_quiesced: bool,
    /// How long a call of the database may take at most.
    pub(super) database_limit: Option<Duration>,
    /// When the last one must have ended, because it was cancelled.
    ends_by: Option<Instant>,
    /// The count of events that the last step began with, and how often the handle's mode had changed.
    pub(super) seen: u64,
    pub(super) epoch: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunStage {
    /// Another thread drives.
    Waiting,
    Driving,
    Stopping(StopReason),
    Ended(StopReason),
}

/// The right to drive; released when dropped, also by a panic.
pub(super) struct Turn(Option<Arc<SharedLock>>);

impl Turn {
    /// Takes it, if no thread has it and this holds. No thread waits for another to take it, so it is not an event: threads that wait would
    /// wake one another for ever.
    pub(super) fn take_if(shared: &Arc<SharedLock>, may: impl FnOnce(&mut Shared) -> bool) -> Option<Self> {
        let takes = |shared: &mut Shared| {
            if shared.driven {
                return false;
            }
            shared.worker_drives = false;
            shared.driven = may(shared);
            shared.driven
        };
        shared.take(takes).then(|| Self(Some(Arc::clone(shared))))
    }

    /// Releases it if this holds, under the lock.
    fn release_if(&mut self, holds: impl FnOnce(&Shared) -> bool) -> bool {
        let Some(shared) = &self.0 else { return true };
        let gives = shared.change(|shared| {
            let gives = holds(shared);
            shared.driven &= !gives;
            gives
        });
        if gives {
            self.0 = None;
        }
        gives
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.release_if(|_| true);
    }
}

/// A person waits for urgent attempts as long as this exists.
struct Urgent(Arc<SharedLock>, u64);

impl Drop for Urgent {
    fn drop(&mut self) {
        self.0.change(|shared| shared.schedule.end_urgent(self.1));
    }
}

struct Waiting(Arc<SharedLock>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.change(|shared| shared.flushes_waiting -= 1);
    }
}

impl Run {
    pub(super) fn new(caller: Caller, began_quiesced: bool, simulated: bool) -> Self {
        Self {
            caller,
            began_quiesced,
            database_limit: None,
            ends_by: None,
            simulated,
            stage: RunStage::Waiting,
            turn: None,
            waiting: None,
            begun: false,
            urgent: None,
            counts: FlushCounts::default(),
            error: None,
            storing_error: None,
            failures: 0,
            paused_until: None,
            commits: 0,
            paused_until_simulated: None,
            stopping_since: None,
            asked_at: None,
            seen: 0,
            epoch: 0,
        }
    }

    /// Why it ended.
    pub(super) fn end(&self) -> StopReason {
        match self.stage {
            RunStage::Stopping(reason) | RunStage::Ended(reason) => reason,
            RunStage::Waiting | RunStage::Driving => StopReason::Drained,
        }
    }

    pub(super) fn is_flush(&self) -> bool {
        matches!(self.caller, Caller::Flush { .. })
    }

    pub(super) fn is_urgent(&self) -> bool {
        matches!(self.caller, Caller::Flush { urgent: true, .. })
    }

    pub(super) fn time_left(&self, now: Duration) -> Option<Duration> {
        match &self.caller {
            Caller::Flush { deadline, .. } => Some(deadline.saturating_sub(now)),
            Caller::Worker { .. } => None,
        }
    }

    /// A flush begins once: when it gets its turn or begins to wait for it, so that the driving thread serves it.
    fn begin_flush(&mut self, lock: &Arc<SharedLock>, shared: &mut Shared) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        shared.schedule.flush_begins();
        shared.thread_at = None;
        if self.is_urgent() {
            self.urgent = Some(Urgent(Arc::clone(lock), shared.schedule.caller_requests.begin_urgent()));
        }
    }

    /// It ends without having had its turn.
    fn ends(&mut self, reason: StopReason) -> Step {
        (self.waiting, self.urgent, self.stage) = (None, None, RunStage::Ended(reason));
        self.return_by(reason, Instant::now());
        Step::Done
    }

    /// How long a call of the database may take. One that waits for another process ends when the run is cancelled; later writes may wait until
    /// the run has to return.
    pub(super) fn database_wait(&self, now: Duration) -> LockWait {
        let limit = self.database_limit.unwrap_or(if self.simulated { Duration::ZERO } else { DATABASE_WAIT });
        let limit = self.time_left(now).map_or(limit, |left| left.saturating_sub(RETURN_TIME).min(limit));
        let limit = self.ends_by.map_or(limit, |by| by.saturating_duration_since(Instant::now()).min(limit));
        let cancelled = match &self.caller {
            Caller::Flush { cancel, .. } if self.stage == RunStage::Driving => Some(cancel.flag()),
            Caller::Flush { .. } | Caller::Worker { .. } => None,
        };
        LockWait { limit, cancelled }
    }

    /// Makes a cancelled run return in time, even if another process has the file.
    fn return_by(&mut self, reason: StopReason, since: Instant) {
        if reason == StopReason::Cancelled && self.is_flush() {
            self.ends_by = Some(since + CANCEL_LIMIT.saturating_sub(RETURN_TIME));
        }
    }

    fn is_cancelled(&self) -> bool {
        matches!(&self.caller, Caller::Flush { cancel, .. } if cancel.is_cancelled())
    }

    /// How much longer the database is not used.
    pub(super) fn pause_left(&self) -> Option<Duration> {
        self.paused_until.and_then(|at| at.checked_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }
}

impl Delivery {
    /// One step.
    pub(crate) fn step(&self, run: &mut Run) -> Step {
        let now = self.now();
        if run.failures > 0 && self.store.commits() > run.commits {
            (run.paused_until, run.paused_until_simulated) = (None, None);
        }
        let stop = {
            let shared = self.shared.lock();
            (run.seen, run.epoch) = (shared.events(), shared.epoch);
            self.stop_reason(&shared, run, now)
        };
        match run.stage {
            RunStage::Waiting => self.wait_for_turn(run, stop, now),
            RunStage::Driving => {
                self.collect();
                match stop {
                    Some(reason) => {
                        run.stage = RunStage::Stopping(reason);
                        Step::Again
                    }
                    None => self.drive(run),
                }
            }
            RunStage::Stopping(reason) => {
                self.collect();
                self.end_run(run, reason)
            }
            RunStage::Ended(_) => Step::Done,
        }
    }

    fn wait_for_turn(&self, run: &mut Run, stop: Option<StopReason>, now: Moment) -> Step {
        // Without time left a flush still checks whether there is anything to do, if it need not wait for that.
        let is_over = |reason: &StopReason| if run.is_flush() { *reason != StopReason::Deadline } else { *reason == StopReason::Cancelled };
        if let Some(reason) = stop.filter(is_over) {
            return run.ends(reason);
        }
        // `run.seen` keeps the count of events at which the reasons to stop were checked: an event in between is found by the next step.
        let turn = Turn::take_if(&self.shared, |shared| {
            let may = shared.is_running() && (run.is_flush() || shared.flushes_waiting == 0);
            if may && run.is_flush() {
                run.begin_flush(&self.shared, shared);
            }
            if may {
                shared.worker_drives = !run.is_flush();
                shared.schedule.look();
            }
            may
        });
        if turn.is_some() {
            (run.turn, run.waiting, run.stage) = (turn, None, RunStage::Driving);
            return Step::Again;
        }
        if let Some(reason) = stop.filter(|_| run.is_flush()) {
            return run.ends(reason);
        }
        if run.is_flush() && run.waiting.is_none() {
            // A worker lets the flush drive. Any other driver makes waiting entries due, and claims for an urgent request.
            let mut shared = self.shared.lock();
            shared.flushes_waiting += 1;
            run.begin_flush(&self.shared, &mut shared);
            self.shared.tell(shared);
            run.waiting = Some(Waiting(Arc::clone(&self.shared)));
            // An event for others, not for this run.
            run.seen += 1;
        }
        let until = match &run.caller {
            Caller::Flush { deadline, .. } => Some(deadline.saturating_sub(SETTLING_TIME).max(now.monotonic)),
            Caller::Worker { .. } => None,
        };
        Step::Wait { until, at_most: None }
    }

    fn drive(&self, run: &mut Run) -> Step {
        let now = self.now();
        let time_left = run.time_left(now.monotonic);
        let timeout = time_left.map_or(Duration::MAX, |left| left.saturating_sub(SETTLING_TIME)).min(self.settings.limits.attempt_timeout);
        let mut shared = self.shared.lock();
        if shared.schedule.network.rise_if_due(now.monotonic) {
            drop(shared);
            self.network_changed();
            return Step::Again;
        }
        if shared.must_renew {
            drop(shared);
            self.renew_if_due(now.monotonic);
            return Step::Again;
        }
        if !run.is_flush() && shared.flushes_waiting > 0 {
            drop(shared);
            // A worker lets the flush drive; all attempts continue.
            (run.turn, run.stage) = (None, RunStage::Waiting);
            return Step::Again;
        }
        let worker_begins_at = shared.worker_begins_at.filter(|_| !run.is_flush());
        if worker_begins_at.is_some_and(|at| at <= now.monotonic) {
            shared.worker_begins_at = None;
        }
        let begins_at =
            [worker_begins_at, shared.thread_at, shared.renewed_by()].into_iter().flatten().filter(|at| now.monotonic < *at).max();
        let has_time = time_left.is_none_or(|left| left >= LEAST_TIME);
        let serves_urgent = self.serves_urgent(run, now);
        let is_offline = shared.schedule.network.is_offline() && !(serves_urgent && shared.schedule.serves_urgent());
        let conditions = Conditions {
            settings: &self.settings,
            may_begin: has_time && !is_offline && begins_at.is_none(),
            timeout,
            serves_urgent,
            database: run.pause_left().is_none() && run.paused_until_simulated.is_none_or(|at| at <= now.monotonic),
            database_failed: run.failures > 0,
        };
        let action = shared.schedule.next(now, &conditions);
        let next_rise = shared.schedule.network.next_rise();
        let has_in_flight = shared.schedule.has_in_flight();
        drop(shared);
        let done = match action {
            Action::Abort(request) => {
                self.abort(request);
                Ok(())
            }
            Action::Look(request) => self.look_at_entry(run, request),
            Action::MakeDue => self.make_due(run, now),
            Action::Start(request) => {
                self.begin_attempt(request);
                Ok(())
            }
            Action::Claim => self.claim(run, now),
            Action::Settle => self.settle(run, false),
            Action::Wait(_) if run.error.is_some() && !has_in_flight && run.failures > DATABASE_PAUSES.len() as u32 => {
                run.stage = RunStage::Stopping(StopReason::Drained);
                return Step::Again;
            }
            Action::Idle if !run.is_flush() || begins_at.is_none() && conditions.database => {
                return self.idle(run, now, begins_at, next_rise, has_time);
            }
            Action::Wait(_) | Action::Idle => {
                let until = if let Action::Wait(until) = action { until } else { None };
                let stop = time_left.map(|left| now.monotonic + left.saturating_sub(SETTLING_TIME));
                let paused = run.paused_until_simulated.filter(|at| *at > now.monotonic);
                let until = [until, next_rise, begins_at, stop, paused].into_iter().flatten().min();
                return Step::Wait { until, at_most: run.pause_left() };
            }
        };
        if let Err(error) = done {
            self.database_failed(run, error);
        }
        Step::Again
    }

    /// Whether this run serves urgent requests of others: not with less time than an attempt may take. Only one is allowed in a minute and in a
    /// pause, and the caller that asked has more time.
    pub(super) fn serves_urgent(&self, run: &Run, now: Moment) -> bool {
        run.is_urgent() || run.time_left(now.monotonic).is_none_or(|left| left >= self.settings.limits.attempt_timeout + SETTLING_TIME)
    }

    /// The database failed: it is not used for a moment. Attempts in flight continue; their results are kept.
    pub(super) fn database_failed(&self, run: &mut Run, error: StoreError) {
        if self.was_interrupted(run) || run.is_cancelled() {
            return;
        }
        if fault("seeded: a database error cancels") {
            let ended = Ended { at: self.now(), random: self.ports.random.fraction() };
            let requests = self.shared.lock().schedule.stop_all(&ended, &self.settings.policy);
            self.cancel(&requests);
        }
        let last = DATABASE_PAUSES[DATABASE_PAUSES.len() - 1];
        let doubled = last.saturating_mul(1 << run.failures.saturating_sub(DATABASE_PAUSES.len() as u32).min(6));
        let pause = DATABASE_PAUSES.get(run.failures as usize).copied().unwrap_or(if run.is_flush() { last } else { doubled.min(IDLE) });
        run.failures += 1;
        run.commits = self.store.commits();
        self.is_paused.store(true, Ordering::Relaxed);
        if run.simulated {
            run.paused_until_simulated = Some(self.now().monotonic.saturating_add(pause));
        } else {
            run.paused_until = Some(Instant::now() + pause);
        }
        let (unsettled, has_in_flight, wanted) = {
            let shared = self.shared.lock();
            (shared.schedule.unsettled(), shared.schedule.has_in_flight(), run.is_urgent() && shared.schedule.caller_requests.is_urgent())
        };
        if run.is_flush() {
            // With nothing to store and no urgent request there is nothing to wait for.
            if unsettled == 0 && !has_in_flight && !wanted {
                run.stage = RunStage::Stopping(StopReason::Drained);
            } else if run.failures > DATABASE_PAUSES.len() as u32 && !has_in_flight {
                log::error!("{unsettled} delivery results could not be stored and are kept in memory: {error}");
                run.stage = RunStage::Stopping(StopReason::Drained);
            }
            run.error = Some(error);
        } else {
            log::warn!("delivery pauses, with {unsettled} results in memory: {error}");
        }
    }

    /// The handle was quiesced, resumed or closed during this step: that interrupted the database call. The next step handles it.
    fn was_interrupted(&self, run: &Run) -> bool {
        self.shared.lock().epoch != run.epoch
    }

    pub(super) fn database_worked(&self, run: &mut Run) {
        (run.failures, run.paused_until, run.paused_until_simulated) = (0, None, None);
        run.error = None;
    }

    /// Why to stop, if there is a reason.
    fn stop_reason(&self, shared: &Shared, run: &Run, now: Moment) -> Option<StopReason> {
        match &run.caller {
            Caller::Worker { start } if !shared.is_worker(*start) => Some(StopReason::Cancelled),
            _ if shared.is_stopped() => Some(StopReason::Quiesced),
            // A run that drove when the handle was quiesced ends. A run that waits also waits for a running resume.
            _ if run.turn.is_some() && !shared.is_running() => Some(StopReason::Quiesced),
            Caller::Flush { cancel, .. } if cancel.is_cancelled() => Some(StopReason::Cancelled),
            Caller::Flush { .. } if run.time_left(now.monotonic).is_some_and(|left| left <= SETTLING_TIME) => Some(StopReason::Deadline),
            Caller::Flush { .. } | Caller::Worker { .. } => None,
        }
    }

    /// Nothing is in flight and there is nothing to begin.
    fn idle(&self, run: &mut Run, now: Moment, begins_at: Option<Duration>, next_rise: Option<Duration>, has_time: bool) -> Step {
        if !run.is_flush() {
            (run.turn, run.stage) = (None, RunStage::Waiting);
            // An event for others, not for this run.
            run.seen += 1;
            if begins_at.is_some() {
                // Nothing begins before that, no matter what is due.
                return Step::Wait { until: [begins_at, next_rise].into_iter().flatten().min(), at_most: None };
            }
            return match self.next_look(now) {
                Ok(until) => {
                    self.database_worked(run);
                    Step::Wait { until: [until, next_rise].into_iter().flatten().min(), at_most: None }
                }
                Err(error) => {
                    self.database_failed(run, error);
                    Step::Wait { until: [next_rise, run.paused_until_simulated].into_iter().flatten().min(), at_most: run.pause_left() }
                }
            };
        }
        let (offline, unreachable) = {
            let shared = self.shared.lock();
            let network = &shared.schedule.network;
            (network.is_offline(), shared.schedule.is_backing_off(now) && !network.is_reachable(now.monotonic))
        };
        let reason = if offline || unreachable {
            StopReason::Offline
        } else if !has_time && self.is_something_due(run, now).unwrap_or(true) {
            StopReason::Deadline
        } else {
            StopReason::Drained
        };
        run.stage = RunStage::Stopping(reason);
        Step::Again
    }

    /// Ends: releases claims that were not begun, cancels running attempts unless a worker continues them, and stores what can be stored.
    fn end_run(&self, run: &mut Run, reason: StopReason) -> Step {
        let now = self.now();
        let since = *run.stopping_since.get_or_insert_with(Instant::now);
        run.urgent = None;
        run.return_by(reason, since);
        let (is_running, worker_wanted) = self.shared.take(|shared| (shared.is_running(), shared.worker.wanted));
        let goes_on = is_running && run.is_flush() && worker_wanted;
        // Once the handle is quiesced or closed, that limits the time, for every other reason too.
        let reason = if run.is_flush() && !is_running { StopReason::Quiesced } else { reason };
        let is_short = !is_running || reason == StopReason::Quiesced;
        let mut left_running = goes_on && self.shared.lock().schedule.has_in_flight();
        if !goes_on {
            let limit = if is_short { QUIESCE_STOP_LIMIT } else { STOP_LIMIT };
            let left = run.time_left(now.monotonic).map_or(limit, |left| left.saturating_sub(SETTLING_TIME / 4).min(limit));
            let left = left.min(limit.saturating_sub(since.elapsed()));
            let left = if self.blocking.is_simulated() { Duration::ZERO } else { left };
            let must_ask = run.asked_at.is_none_or(|asked| asked.elapsed() >= CANCEL_AGAIN);
            let ended = Ended { at: self.now(), random: self.ports.random.fraction() };
            let requests = self.shared.lock().schedule.stop_all(&ended, &self.settings.policy);
            if must_ask {
                run.asked_at = Some(Instant::now());
                self.cancel(&requests);
                if !requests.is_empty() {
                    self.collect();
                }
            }
            if self.shared.lock().schedule.has_in_flight() {
                if !left.is_zero() {
                    return Step::Wait { until: None, at_most: Some(left.min(CANCEL_AGAIN)) };
                }
                self.shared.lock().schedule.detach();
                left_running = true;
            }
            self.blocking.release_idle();
        }
        let mut end = reason;
        if is_short {
            // The connections are about to be closed. Results that cannot be stored by then are kept for later.
            run.database_limit = Some(QUIESCE_DATABASE_WAIT);
            while self.shared.lock().schedule.has_unsettled() && self.settle(run, false).is_ok() {}
        } else {
            while self.shared.lock().schedule.has_unsettled() {
                let Err(error) = self.settle(run, false) else { continue };
                // The caller that cancels does not wait for another process. The next driver stores it.
                let is_left = run.is_cancelled() && matches!(error, StoreError::Locked);
                if !is_left && !self.was_interrupted(run) {
                    run.error = Some(error);
                }
                break;
            }
            // An empty queue needs no time.
            // An entry that was just settled may be due again at once.
            if reason == StopReason::Deadline && !left_running && self.is_something_due(run, self.now()).is_ok_and(|due| !due) {
                end = StopReason::Drained;
            }
        }
        if !run.is_flush() && reason == StopReason::Quiesced {
            // It continues when delivery is resumed.
            (run.turn, run.stage, run.stopping_since, run.asked_at, run.database_limit) = (None, RunStage::Waiting, None, None, None);
            return Step::Again;
        }
        if goes_on && run.turn.as_mut().is_some_and(|turn| !turn.release_if(|shared| shared.is_running() && shared.worker.wanted)) {
            // The worker was stopped meanwhile: this run ends its own attempts.
            return Step::Again;
        }
        run.stage = RunStage::Ended(end);
        run.turn = None;
        self.take_in_left(run);
        run.error = run.error.take().or(run.storing_error.take());
        Step::Done
    }
}
