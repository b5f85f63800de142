//! The part of the driver for the database: making due, claiming, and settling.

use std::time::Duration;

use super::batch::{Batch, BatchOutcome, ClaimRequest};
use super::driver::Run;
use super::handle::Delivery;
use super::moment::Moment;
use super::released::Released;
use super::round::Round;
use super::scan::{room, scan_endpoints};
use super::settings::URGENT_EVERY;
use super::urgent::may_be_urgent;
use crate::model::Notice;
use crate::outbox::DeliveryContext;
use crate::store::outbox::{in_flight, queue};
use crate::store::{LockWait, StoreError, Transaction, meta};

/// What a round writes.
#[derive(Clone, Copy)]
struct Level {
    history: bool,
    endpoints: bool,
    entries: bool,
}

/// Besides the entries: the history, and the state of endpoints. Less where these are damaged.
const LEVELS: [Level; 4] = [
    Level { history: true, endpoints: true, entries: true },
    Level { history: false, endpoints: true, entries: true },
    Level { history: true, endpoints: false, entries: true },
    Level { history: false, endpoints: false, entries: true },
];
/// Only what a result says about its endpoint, where its entry cannot be written.
const ENDPOINTS: [Level; 1] = [Level { history: false, endpoints: true, entries: false }];

impl Delivery {
    // The database.

    /// How long the next call of the database may take. To be asked before each, because the one before took some of the time.
    pub(super) fn database_wait(&self, run: &Run) -> LockWait {
        run.database_wait(self.ports.clock.monotonic())
    }

    pub(super) fn make_due(&self, run: &mut Run, now: Moment) -> Result<(), StoreError> {
        let wake = self.shared.lock().schedule.current_wake();
        let waits = self.store.read_for_delivery(self.database_wait(run), |connection| queue::waits_for_network(connection, now.wall));
        if waits.or_else(|error| if error.is_damage() { Ok(true) } else { Err(error) })? {
            let aside = self.shared.lock().schedule.aside();
            match self.store.write_for_delivery(self.database_wait(run), |tx| queue::make_due(tx, now.wall, None, &aside)) {
                // The other entries are made due with the next step.
                Err(StoreError::CorruptEntry(entry)) => {
                    self.shared.lock().schedule.set_aside([entry]);
                    return Ok(());
                }
                made => made?,
            }
        }
        self.database_worked(run);
        self.shared.lock().schedule.made_due(wake);
        Ok(())
    }

    pub(super) fn claim(&self, run: &mut Run, now: Moment) -> Result<(), StoreError> {
        // Before the read: what is committed during it is looked for again.
        let asked = self.shared.lock().schedule.caller_requests.asked(self.serves_urgent(run, now));
        // Released claims have to be in the queue before the queue counts as empty.
        if self.shared.lock().schedule.has_releases() || self.is_something_due(run, now)? {
            return self.settle(run, true);
        }
        self.database_worked(run);
        self.shared.lock().schedule.found_nothing(asked, now);
        Ok(())
    }

    /// Whether something is due that could begin now. Only reads.
    pub(super) fn is_something_due(&self, run: &Run, now: Moment) -> Result<bool, StoreError> {
        let (known, views, worked_on, skipped, in_flight, connectivity, urgent) = {
            let shared = self.shared.lock();
            let schedule = &shared.schedule;
            let views = schedule.views(now, &self.settings.policy);
            let (worked_on, skipped, in_flight) = (schedule.worked_on(), schedule.skipped(), schedule.in_flight_readable());
            let urgent = self.serves_urgent(run, now) && schedule.caller_requests.is_urgent();
            (shared.file, views, worked_on, skipped, in_flight, schedule.network.connectivity(), urgent)
        };
        let (policy, lease) = (&self.settings.policy, self.settings.limits.lease);
        let (file, is_due) = self.store.read_for_delivery(self.database_wait(run), |connection| {
            let file = meta::file_generation(connection)?;
            if known.is_some_and(|known| known != file) {
                return Ok((file, None));
            }
            if queue::has_expired_leases(connection, now.wall, lease, &worked_on)? {
                return Ok((file, Some(true)));
            }
            let integration_enabled = meta::load(connection)?.integration_enabled;
            let context = DeliveryContext { integration_enabled, connectivity, now: now.wall, woken: false, lease };
            let skipped = &skipped | &in_flight::readable_others_of(connection, &in_flight)?;
            let is_due = scan_endpoints(connection, &context, &skipped)?.iter().any(|scan| {
                let view = views.get(&scan.key);
                let has_room = scan.row().is_some_and(|row| room(row, view, now.wall, policy) > 0);
                (scan.may_begin && has_room) || (urgent && may_be_urgent(scan, view, now.wall, URGENT_EVERY))
            });
            Ok::<_, StoreError>((file, Some(is_due)))
        })?;
        self.read_file(file);
        // The unreadable entries were of another file.
        is_due.map_or_else(|| self.is_something_due(run, now), Ok)
    }

    /// One write transaction: results, releases, and a claim if requested. Until it succeeds, everything is kept.
    pub(super) fn settle(&self, run: &mut Run, claim: bool) -> Result<(), StoreError> {
        let now = self.now();
        let mut batch = {
            let mut shared = self.shared.lock();
            let schedule = &mut shared.schedule;
            let worked_on = schedule.worked_on();
            let serves_urgent = self.serves_urgent(run, now);
            let request = ClaimRequest {
                connectivity: schedule.network.connectivity(),
                urgent: serves_urgent && schedule.caller_requests.is_urgent(),
                asked: schedule.caller_requests.asked(serves_urgent),
            };
            let (skipped, in_flight) = (schedule.skipped(), schedule.in_flight_readable());
            let endpoints = schedule.views(now, &self.settings.policy);
            let (mut results, releases) = schedule.take_unsettled();
            // If the clock was set back since they came, times counted from then would be far ahead.
            results.iter_mut().for_each(|result| result.ended_at = result.came_at.min(now.wall));
            Batch { results, releases, worked_on, skipped, in_flight, endpoints, claim: claim.then_some(request) }
        };
        let levels = if batch.results.is_empty() { &LEVELS[..] } else { &LEVELS[..1] };
        let mut wrote = self.write_round(run, now, levels, |round, tx| round.write(tx, &batch));
        // A full disk must not keep a result in memory.
        if matches!(wrote, Err(StoreError::Full)) && !batch.results.is_empty() && self.store.make_room() {
            wrote = self.write_round(run, now, levels, |round, tx| round.write(tx, &batch));
        }
        match wrote {
            Ok(outcome) => {
                self.database_worked(run);
                self.wrote(run, outcome, batch.claim, now);
                Ok(())
            }
            Err(error) if error.is_damage() && !batch.results.is_empty() => self.settle_one_by_one(run, batch, error, now),
            Err(StoreError::CorruptEntry(entry)) => {
                let schedule = &mut self.shared.lock().schedule;
                schedule.set_aside([entry]);
                batch.releases.claims.retain(|lease| lease.entry != entry);
                schedule.put_unsettled(batch.results, batch.releases, now);
                Ok(())
            }
            Err(error) => {
                self.shared.lock().schedule.put_unsettled(batch.results, batch.releases, now);
                Err(error)
            }
        }
    }

    /// One transaction of a round. Where rows or pages are damaged, it is repeated with less.
    fn write_round(
        &self,
        run: &Run,
        now: Moment,
        levels: &[Level],
        write: impl Fn(&Round<'_>, &Transaction<'_>) -> Result<BatchOutcome, StoreError>,
    ) -> Result<BatchOutcome, StoreError> {
        let (settings, random) = (&self.settings, self.ports.random.fraction());
        let mut wrote = Ok(BatchOutcome::default());
        for Level { history, endpoints, entries } in levels.iter().copied() {
            let round = Round { owner: &self.owner, settings, now: now.wall, random, history, endpoints, entries };
            wrote = self.store.write_for_delivery(self.database_wait(run), |tx| write(&round, tx));
            if !matches!(&wrote, Err(error) if error.is_damage()) {
                break;
            }
        }
        wrote
    }

    /// The group could not be stored because of damage: each result is stored in its own transaction; one that cannot be stored is set aside.
    fn settle_one_by_one(&self, run: &mut Run, mut batch: Batch, error: StoreError, now: Moment) -> Result<(), StoreError> {
        log::warn!("delivery results are stored one by one: {error}");
        let mut failed = None;
        for mut result in std::mem::take(&mut batch.results) {
            match self.write_round(run, now, &LEVELS, |round, tx| round.write_one(tx, &batch, &result)) {
                Ok(outcome) => self.wrote(run, outcome, None, now),
                Err(error) if !error.is_damage() => {
                    self.shared.lock().schedule.put_unsettled(vec![result], Released::default(), now);
                    failed = Some(error);
                }
                Err(error) => {
                    log::error!("the result of a delivery cannot be stored, and is kept in memory: {error}");
                    // A 410, or a pause that the receiver asks for, holds for the others at once, and is not counted again later.
                    if !result.counted_for_endpoint
                        && let Ok(outcome) = self.write_round(run, now, &ENDPOINTS, |round, tx| round.write_one(tx, &batch, &result))
                    {
                        result.counted_for_endpoint = true;
                        self.wrote(run, outcome, None, now);
                    }
                    self.shared.lock().schedule.keep_not_stored(result);
                    run.storing_error = Some(error);
                }
            }
        }
        self.shared.lock().schedule.put_unsettled(Vec::new(), batch.releases, now);
        failed.map_or(Ok(()), Err)
    }

    pub(super) fn wrote(&self, run: &mut Run, mut outcome: BatchOutcome, claim: Option<ClaimRequest>, now: Moment) {
        let counts = &mut run.counts;
        counts.attempts += outcome.counts.attempts;
        counts.sent += outcome.counts.sent;
        counts.retrying += outcome.counts.retrying;
        counts.failed += outcome.counts.failed;
        self.read_file(outcome.file);
        {
            let mut shared = self.shared.lock();
            shared.report_once(&mut outcome);
            let schedule = &mut shared.schedule;
            for (key, row) in outcome.rows.iter() {
                let unstored = outcome.unstored.iter().find(|(of, _)| of == key).map(|(_, unstored)| *unstored);
                schedule.read_endpoint(row, outcome.configuration, unstored, &self.settings.policy);
            }
            schedule.set_aside(outcome.unreadable);
            if let Some(request) = claim {
                schedule.claimed(outcome.claimed, &outcome.more, request.asked, now);
                if outcome.urgent_again {
                    schedule.left_urgent();
                }
            } else {
                // What was settled may be due again at once.
                schedule.look();
            }
        }
        if let Some(revision) = outcome.revision {
            self.notify(Notice {
                revision,
                outbox: !outcome.sessions.is_empty(),
                sessions: outcome.sessions.into_iter().collect(),
                endpoints: outcome.endpoints_changed,
                attention: outcome.attention.into_iter().map(|(_, attention)| attention).collect(),
                ..Notice::default()
            });
        }
    }

    /// How many entries wait, for the report of a run. Once the handle was quiesced during the run, the database is no longer used, and the
    /// last count is reported.
    pub(super) fn pending(&self, run: &Run) -> u64 {
        let count = if run.began_quiesced {
            // Like any other call, on a connection that is closed before it returns.
            self.store.read_within(Duration::ZERO, queue::pending)
        } else {
            self.store.read_for_delivery(self.database_wait(run), queue::pending)
        };
        let mut shared = self.shared.lock();
        if let Ok(count) = count {
            shared.pending = count;
        }
        shared.pending
    }
}
