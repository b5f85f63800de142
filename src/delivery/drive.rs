//! Driving the pipeline: collect results, begin attempts, settle and claim, until there is nothing to do or no more time.

use std::time::Duration;

use super::Inner;
use super::cancel::CancelToken;
use super::claim::{Standing, survey};
use super::foreign;
use super::lane::candidate_room;
use super::pipeline::Pipeline;
use super::settings::{LEAST_TIME, LOOK_UP, QUIESCE_PATIENCE, SETTLE_RETRIES, SETTLING_TIME, STOP_PATIENCE};
use super::settle::{Done, Judged, Round};
use crate::model::{Connectivity, Notice};
use crate::outbox::{Class, Context, Outcome, classify};
use crate::store::StoreError;
use crate::store::outbox::queue;

/// Who drives.
pub(super) enum Run<'a> {
    /// A `flush` until this moment of the monotonic clock.
    Flush { deadline: Duration, cancel: &'a CancelToken },
    /// The worker that was started as this one.
    Worker { generation: u64 },
}

/// Why driving has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Drained,
    Offline,
    Deadline,
    Cancelled,
    Quiesced,
    /// Somebody else wants to drive; everything goes on.
    Yield,
}

/// What was done.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) attempts: u32,
    pub(super) sent: u32,
    pub(super) retrying: u32,
    pub(super) failed: u32,
}

impl Inner {
    /// Drives until there is nothing to do or a reason to stop.
    pub(super) fn drive(&self, pipeline: &mut Pipeline, run: &Run<'_>, tally: &mut Tally) -> Result<End, StoreError> {
        pipeline.look = true;
        if let Run::Flush { .. } = run {
            // Who calls wants it tried, whatever was seen of the network a moment ago.
            pipeline.lanes.values_mut().for_each(super::lane::Lane::unhold);
        }
        let result = self.work(pipeline, run, tally);
        let goes_on = result.as_ref().is_ok_and(|end| *end == End::Yield) || self.goes_on_without(run);
        if !goes_on && !matches!(result, Ok(End::Drained | End::Offline) if matches!(run, Run::Worker { .. })) {
            // Ends threads, also those that a failed settlement left behind.
            if result.is_err() {
                self.stop_attempts(pipeline, self.time_left(run).map_or(STOP_PATIENCE, |left| left.min(STOP_PATIENCE)));
            }
            pipeline.detach();
        }
        result
    }

    fn work(&self, pipeline: &mut Pipeline, run: &Run<'_>, tally: &mut Tally) -> Result<End, StoreError> {
        let limits = &self.settings.limits;
        loop {
            let seen = self.mailbox.events();
            self.collect(pipeline);
            if let Some(end) = self.stop(run) {
                return self.wind_down(pipeline, run, end, tally);
            }
            pipeline.give_up_overdue(&*self.ports.transport);
            self.use_network(pipeline)?;
            let offline = self.network.connectivity() == Connectivity::Offline;
            let timeout = self.time_left(run).map(|left| left.saturating_sub(SETTLING_TIME).min(limits.attempt_timeout));
            let may_begin = !offline && self.time_left(run).is_none_or(|left| left >= LEAST_TIME);
            if may_begin {
                tally.attempts += pipeline.start_ready(timeout.unwrap_or(limits.attempt_timeout), &self.settings);
            } else {
                pipeline.release_ready();
            }
            let claims = may_begin && self.wants_claim(pipeline)?;
            if claims || pipeline.must_settle(limits.batch) {
                self.round(pipeline, claims, run, tally)?;
                continue;
            }
            if pipeline.is_idle() {
                return self.idle_end(pipeline, offline, may_begin);
            }
            let patience = pipeline.patience();
            self.mailbox.wait(seen, self.time_left(run).map_or(patience, |left| patience.min(left.saturating_sub(SETTLING_TIME))));
        }
    }

    /// Nothing is in flight and nothing was found to begin.
    fn idle_end(&self, pipeline: &Pipeline, offline: bool, may_begin: bool) -> Result<End, StoreError> {
        let monotonic = self.ports.clock.monotonic();
        let is_held = pipeline.lanes.values().any(|lane| lane.is_held(monotonic));
        Ok(if offline || (is_held && !self.network.is_ok(monotonic)) {
            End::Offline
        } else if !may_begin && self.is_something_due(pipeline)? {
            End::Deadline
        } else {
            End::Drained
        })
    }

    /// Judges what has come in. The endpoints' copies learn at once; the database follows with the next round.
    pub(super) fn collect(&self, pipeline: &mut Pipeline) {
        let policy = &self.settings.policy;
        for finished in self.mailbox.take() {
            let monotonic = self.ports.clock.monotonic();
            let was_running = pipeline.landed(&finished);
            let context = Context {
                net_ok: self.network.is_ok(monotonic),
                received_at: finished.ended_at,
                applied_skew_ms: finished.job.skew_ms,
                device_skew_ms: pipeline.lanes.values().filter_map(|lane| lane.state.clock_skew_ms).max_by_key(|skew| skew.unsigned_abs()),
                resynced: finished.job.claimed.resynced,
            };
            let verdict = classify(&finished.outcome, &context, policy);
            if matches!(finished.outcome, Outcome::Answer(_)) && verdict.class != Class::Offline {
                self.network.answered(monotonic);
            }
            if was_running
                && !finished.not_begun
                && let Some(lane) = pipeline.lanes.get_mut(&finished.job.claimed.endpoint)
            {
                lane.learn(&verdict, finished.date(), finished.ended_at, monotonic, policy);
            }
            pipeline.keep(Judged { finished, verdict, random: self.ports.random.fraction() });
        }
    }

    /// Whether something is due that could begin now. Reads only.
    fn wants_claim(&self, pipeline: &mut Pipeline) -> Result<bool, StoreError> {
        if self.look.swap(false, std::sync::atomic::Ordering::AcqRel) {
            pipeline.look = true;
        }
        let monotonic = self.ports.clock.monotonic();
        if !pipeline.may_want_claim(self.ports.clock.now(), monotonic, &self.settings) {
            return Ok(false);
        }
        let wanted = self.is_something_due(pipeline)?;
        if !wanted {
            pipeline.found_nothing();
        }
        Ok(wanted)
    }

    fn is_something_due(&self, pipeline: &Pipeline) -> Result<bool, StoreError> {
        let (now, monotonic) = (self.ports.clock.now(), self.ports.clock.monotonic());
        let lease = self.settings.limits.lease;
        self.store.read(|connection| {
            if queue::has_dead_leases(connection, now, lease, &pipeline.alive())? {
                return Ok(true);
            }
            let found = survey(connection, now, self.network.connectivity())?;
            Ok(found.iter().any(|candidate| {
                let lane = pipeline.lanes.get(&candidate.key);
                candidate.standing == Standing::Ready && candidate_room(candidate, lane, now, monotonic, &self.settings.policy) > 0
            }))
        })
    }

    /// One transaction, tried again a few times when it fails. Until it succeeds, everything is kept and nothing is claimed.
    fn round(&self, pipeline: &mut Pipeline, claim: bool, run: &Run<'_>, tally: &mut Tally) -> Result<(), StoreError> {
        let mut pauses = SETTLE_RETRIES.iter();
        loop {
            let error = match self.write_round(pipeline, claim, tally) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let unsettled = pipeline.unsettled.len();
            let Some(pause) = pauses.next().filter(|_| unsettled > 0 && self.stop(run).is_none()) else {
                if unsettled > 0 {
                    log::error!("{unsettled} delivery results could not be stored and are kept in memory: {error}");
                }
                return Err(error);
            };
            self.pause(*pause, run);
        }
    }

    /// Waits, unless there is a reason to stop.
    fn pause(&self, pause: Duration, run: &Run<'_>) {
        let began = std::time::Instant::now();
        loop {
            let seen = self.mailbox.events();
            let left = pause.saturating_sub(began.elapsed());
            if left.is_zero() || self.stop(run).is_some() {
                return;
            }
            self.mailbox.wait(seen, left);
        }
    }

    pub(super) fn write_round(&self, pipeline: &mut Pipeline, claim: bool, tally: &mut Tally) -> Result<(), StoreError> {
        let monotonic = self.ports.clock.monotonic();
        let round = Round {
            owner: &self.owner,
            settings: &self.settings,
            now: self.ports.clock.now(),
            monotonic,
            claim: claim.then(|| self.network.connectivity()),
        };
        let mut done = self.store.write(|tx| round.write(tx, pipeline))?;
        pipeline.written(&mut done, claim);
        tally.sent += done.sent;
        tally.retrying += done.retrying;
        tally.failed += done.failed;
        self.tell(done);
        Ok(())
    }

    fn tell(&self, done: Done) {
        let Some(revision) = done.revision else { return };
        self.notify(Notice {
            revision,
            outbox: !done.sessions.is_empty(),
            sessions: done.sessions.into_iter().collect(),
            endpoints: done.endpoints_changed,
            ..Notice::default()
        });
    }

    /// What waited for a network is due once there is one.
    fn use_network(&self, pipeline: &mut Pipeline) -> Result<(), StoreError> {
        if !self.network.take_is_back() {
            return Ok(());
        }
        pipeline.lanes.values_mut().for_each(super::lane::Lane::forget_offline);
        pipeline.look = true;
        self.network_is_back()
    }

    /// Ends: gives back what was not begun, and gives up what runs, unless a worker goes on with it.
    fn wind_down(&self, pipeline: &mut Pipeline, run: &Run<'_>, end: End, tally: &mut Tally) -> Result<End, StoreError> {
        if end == End::Yield {
            return Ok(end);
        }
        if !self.goes_on_without(run) {
            pipeline.release_ready();
            let left = self.time_left(run).map_or(STOP_PATIENCE, |left| left.saturating_sub(SETTLING_TIME / 4));
            self.stop_attempts(pipeline, if end == End::Quiesced { QUIESCE_PATIENCE } else { STOP_PATIENCE }.min(left));
        }
        // Too late to write once the connections are to be closed: the results are kept for later.
        let may_write = end != End::Quiesced || !self.is_quiesced_for_long();
        if may_write && (!pipeline.unsettled.is_empty() || !pipeline.releases.is_empty()) {
            match self.write_round(pipeline, false, tally) {
                // Everything is kept, and the connections are about to be closed.
                Err(_) if end == End::Quiesced => {}
                other => other?,
            }
        }
        // An empty queue needs no time.
        Ok(if end == End::Deadline && !pipeline.is_flying() && !self.is_something_due(pipeline)? { End::Drained } else { end })
    }

    /// Asks running attempts to end, and waits for them, but no longer than this.
    pub(super) fn stop_attempts(&self, pipeline: &mut Pipeline, patience: Duration) {
        let began = std::time::Instant::now();
        loop {
            let seen = self.mailbox.events();
            self.collect(pipeline);
            let left = patience.saturating_sub(began.elapsed());
            if !pipeline.is_flying() || left.is_zero() {
                return;
            }
            pipeline.cancel(&*self.ports.transport);
            self.mailbox.wait(seen, left.min(LOOK_UP));
        }
    }

    /// Why to stop, if there is a reason.
    pub(super) fn stop(&self, run: &Run<'_>) -> Option<End> {
        if self.is_quiesced() {
            return Some(End::Quiesced);
        }
        match run {
            Run::Flush { cancel, .. } if cancel.is_cancelled() => Some(End::Cancelled),
            Run::Flush { .. } if self.time_left(run).is_some_and(|left| left <= SETTLING_TIME) => Some(End::Deadline),
            Run::Flush { .. } => None,
            Run::Worker { generation } if !self.worker.is_current(*generation) => Some(End::Cancelled),
            Run::Worker { .. } => self.seat.is_wanted().then_some(End::Yield),
        }
    }

    /// Whether a worker goes on with what a flush leaves.
    fn goes_on_without(&self, run: &Run<'_>) -> bool {
        matches!(run, Run::Flush { .. }) && self.worker.is_running() && !self.is_quiesced()
    }

    pub(super) fn time_left(&self, run: &Run<'_>) -> Option<Duration> {
        match run {
            Run::Flush { deadline, .. } => Some(deadline.saturating_sub(self.ports.clock.monotonic())),
            Run::Worker { .. } => None,
        }
    }

    /// Tells observers, with no lock held.
    pub(super) fn notify(&self, notice: Notice) {
        if foreign::call(|| (self.notify)(notice)).is_none() {
            log::error!("an observer panicked");
        }
    }
}
