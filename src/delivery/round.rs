//! One write transaction of delivery: results of attempts, released claims, expired leases, and new claims.

use super::attempt::AttemptResult;
use super::batch::{Batch, BatchOutcome, ClaimRequest};
use super::endpoint_queue::{EndpointView, settled_state};
use super::scan::{quota, room, scan_endpoints};
use super::settings::{LONG_DUE, Settings, URGENT_EVERY};
use super::urgent::{self, may_be_urgent};
use crate::crypto::Sha256;
use crate::fault::fault;
use crate::model::{Attempt, Attention, Timestamp};
use crate::outbox::{
    Class, Contact, DeliveryContext, EndpointState, SettleFacts, Settled, Settlement, Verdict, at_once, cut_short_delay, reason, settle,
    waits_for_person,
};
use crate::sorted::{SortedMap, SortedSet};
use crate::store::endpoint::{self, EndpointRow, StoredEndpoint};
use crate::store::outbox::in_flight;
use crate::store::outbox::queue::{self, Claim, Claimed};
use crate::store::outbox::together::{self, Delivered};
use crate::store::{StoreError, Transaction, meta, of_entry, unless_damaged};
use crate::webhook;

/// What a round needs besides its batch.
pub(super) struct Round<'a> {
    pub(super) owner: &'a str,
    pub(super) settings: &'a Settings,
    pub(super) now: Timestamp,
    /// Spreads the next attempts of entries that an ended process left.
    pub(super) random: f64,
    /// Whether attempts get their rows in the history.
    pub(super) history: bool,
    /// Whether the state of endpoints is written.
    pub(super) endpoints: bool,
    /// Whether the entries of results are written.
    pub(super) entries: bool,
}

/// An endpoint's state as of the last settlement: its row, and the parts that are not stored.
fn state_before(row: &EndpointRow, view: Option<&EndpointView>) -> EndpointState {
    let mut state = row.state(view.map_or(0, |view| view.settled_deliveries));
    if let Some(failing) = &mut state.failing {
        failing.last_seen = view.and_then(|view| view.settled_seen);
    }
    state
}

/// Notes that a message needs attention: it failed, or waits for a person now and did not before.
fn note_attention(claimed: &Claimed, settlement: &Settlement, unreachable: bool, needed_person: bool, outcome: &mut BatchOutcome) {
    let (failed, reason) = match *settlement {
        Settlement::Failed { reason } => (true, reason),
        Settlement::Queued { reason, .. } if unreachable || waits_for_person(reason) => (false, reason),
        // An attempt that was cut short changes nothing.
        Settlement::Queued { reason, .. } if reason == reason::INTERRUPTED => return,
        Settlement::Queued { .. } | Settlement::Sent => return outcome.no_attention.push(claimed.lease.entry),
    };
    if failed {
        outcome.no_attention.push(claimed.lease.entry);
    } else if needed_person {
        return;
    }
    let attention = Attention {
        session: claimed.session,
        action: claimed.action.clone(),
        delivery_id: claimed.delivery_id.clone(),
        endpoint: claimed.endpoint.clone(),
        failed,
        reason: reason.to_owned(),
    };
    outcome.attention.push((claimed.lease.entry, attention));
}

/// The outcome before anything is written.
fn begin(tx: &Transaction<'_>) -> Result<BatchOutcome, StoreError> {
    Ok(BatchOutcome { configuration: meta::load(tx)?.configuration, file: meta::file_generation(tx)?, ..BatchOutcome::default() })
}

/// Endpoints' states while results are settled one after the other.
type States = SortedMap<String, EndpointState>;

impl Round<'_> {
    /// Settles results, releases claims, ends expired leases, and claims.
    pub(super) fn write(&self, tx: &Transaction<'_>, batch: &Batch) -> Result<BatchOutcome, StoreError> {
        meta::carry_age(tx, self.now)?;
        let mut outcome = begin(tx)?;
        // Before the results: a claim without an attempt must not count, also where a late result makes the entry `sent`.
        for lease in &batch.releases.claims {
            match unless_damaged(of_entry(lease.entry, queue::release(tx, lease, self.owner)))? {
                None => outcome.unreadable.push(lease.entry),
                // A screen may have shown it as being sent.
                Some(true) => outcome.sessions.extend(unless_damaged(of_entry(lease.entry, queue::session_of(tx, lease.entry)))?.flatten()),
                Some(false) => {}
            }
        }
        for used_urgent in batch.releases.urgent.iter().filter(|_| self.endpoints) {
            urgent::return_unused(tx, used_urgent)?;
        }
        self.settle_all(tx, batch, &batch.results, &mut outcome)?;
        let delay = |cut_short| cut_short_delay(cut_short, &self.settings.policy, self.random);
        let lease = self.settings.limits.lease;
        let (ended, damaged) = queue::end_expired_leases(tx, self.now, lease, &batch.worked_on, self.history, &delay)?;
        outcome.sessions.extend(ended);
        outcome.unreadable.extend(damaged);
        if let Some(request) = batch.claim {
            self.claim(tx, batch, request, &mut outcome)?;
        }
        if !outcome.sessions.is_empty() || outcome.endpoints_changed {
            outcome.revision = Some(meta::next_revision(tx)?);
        }
        Ok(outcome)
    }

    /// Settles one result in its own transaction, after its group could not be stored.
    pub(super) fn write_one(&self, tx: &Transaction<'_>, batch: &Batch, result: &AttemptResult) -> Result<BatchOutcome, StoreError> {
        meta::carry_age(tx, self.now)?;
        let mut outcome = begin(tx)?;
        self.settle_all(tx, batch, std::slice::from_ref(result), &mut outcome)?;
        outcome.revision = Some(meta::next_revision(tx)?);
        Ok(outcome)
    }

    fn settle_all(
        &self,
        tx: &Transaction<'_>,
        batch: &Batch,
        results: &[AttemptResult],
        outcome: &mut BatchOutcome,
    ) -> Result<(), StoreError> {
        let mut states = States::new();
        let recorded = self.record_deliveries(tx, results)?;
        for result in results {
            self.settle(tx, batch, result, &recorded, &mut states, outcome)?;
        }
        for (key, state) in states {
            let Some(row) = outcome.rows.get_mut(&key) else { continue };
            let delivery = row.delivery.with(&state);
            let takes = outcome.reached.contains(&key) && state.failing.is_none();
            let took = row.delivery.failing.is_none() && batch.endpoints.get(&key).is_some_and(|view| view.settled_takes);
            if delivery != row.delivery {
                outcome.endpoints_changed |= delivery.is_seen_differently(&row.delivery);
                // An endpoint's state that cannot be written does not keep a result from being stored.
                unless_damaged(endpoint::save_delivery(tx, &key, &delivery))?;
                row.delivery = delivery;
            }
            if takes && !took {
                queue::make_due(tx, self.now, Some(&key), &batch.skipped)?;
            }
            outcome.unstored.push((key, (state.deliveries, state.failing.and_then(|failing| failing.last_seen), takes)));
        }
        Ok(())
    }

    /// Records what was delivered under a claim that holds, all by one statement, if that is possible. Gives the entries, with the
    /// numbers of the claims.
    fn record_deliveries(&self, tx: &Transaction<'_>, results: &[AttemptResult]) -> Result<SortedSet<(i64, i64)>, StoreError> {
        let mut entries = SortedSet::new();
        let is_delivery = |result: &&AttemptResult| result.verdict.class == Class::Sent;
        if !self.entries || !self.history || !together::are_many(results.iter().filter(is_delivery).count()) {
            return Ok(entries);
        }
        let mut delivered = Vec::new();
        for result in results.iter().filter(is_delivery) {
            let lease = &result.attempt.claimed.lease;
            if unless_damaged(queue::used_up(tx, lease))?.flatten().is_some() && entries.insert((lease.entry, lease.epoch)) {
                delivered.push(Delivered { entry: lease.entry, at: result.ended_at, status: result.status().unwrap_or_default() });
            }
        }
        if !together::are_many(delivered.len()) || !together::settle_sent(tx, &delivered)? {
            entries = SortedSet::new();
        }
        Ok(entries)
    }

    fn settle(
        &self,
        tx: &Transaction<'_>,
        batch: &Batch,
        result: &AttemptResult,
        recorded: &SortedSet<(i64, i64)>,
        states: &mut States,
        outcome: &mut BatchOutcome,
    ) -> Result<(), StoreError> {
        let (attempt, policy, at) = (&result.attempt, &self.settings.policy, result.ended_at);
        let (claimed, key) = (&attempt.claimed, &attempt.claimed.endpoint);
        if self.endpoints
            && !outcome.rows.contains_key(key)
            && let Some(StoredEndpoint::Readable(row)) = endpoint::find(tx, key)?
        {
            outcome.rows.insert(key.clone(), row);
        }
        let row = outcome.rows.get(key);
        // If the endpoint was changed meanwhile, the answer of the old one says nothing about it.
        let is_same = row.is_some_and(|row| row.endpoint == *attempt.endpoint);
        let is_changed = row.is_some_and(|row| row.endpoint != *attempt.endpoint);
        // But the receiver is the URL: the pause that it asked for holds, no matter what else was changed.
        let asks = result.verdict.pause.filter(|_| row.is_some_and(|row| row.endpoint.url == attempt.endpoint.url));
        let mut verdict = result.verdict;
        // A result with the old secret says nothing about a new one.
        let has_new_secrets = meta::secrets_generation(outcome.configuration) > meta::secrets_generation(attempt.configuration)
            && !webhook::secret_names(&attempt.endpoint).is_empty()
            && !fault("seeded: secrets of an older generation count");
        let is_of_old_secret = has_new_secrets && (verdict.class == Class::Blocked || verdict.reason == reason::AUTH);
        let mut ran_to_end = false;
        if (!is_same || is_of_old_secret) && verdict.class != Class::Sent {
            ran_to_end = verdict.class != Class::CutShort && verdict.contact != Contact::NotBegun;
            verdict = Verdict { class: Class::CutShort, reason: reason::INTERRUPTED, pause: None, ..verdict };
        }
        let before = |row| states.get(key).cloned().unwrap_or_else(|| state_before(row, batch.endpoints.get(key)));
        let state = match row {
            _ if result.counted_for_endpoint => None,
            Some(row) if is_same && verdict.class != Class::CutShort => Some(settled_state(&before(row), result, &verdict, policy)),
            Some(row) if is_changed => asks.map(|pause| before(row).asked(at, pause, result.verdict.reason)),
            _ => None,
        };
        let waits_for_person = |state: &EndpointState| state.failing.as_ref().is_some_and(|failing| failing.needs_person);
        let unreachable = match &state {
            None if result.counted_for_endpoint => row.is_some_and(|row| waits_for_person(&before(row))),
            state => state.as_ref().is_some_and(waits_for_person),
        };
        let needed_person = claimed.waited_for_person || row.is_some_and(|row| waits_for_person(&before(row)));
        let came_as_asked = row.is_some_and(|row| before(row).came_as_asked(at));
        let facts = SettleFacts { now: at, random: result.random, unreachable, refresh_pending: result.refreshed, came_as_asked };
        // A change of its endpoint or new secrets may have reset its progress while it was claimed.
        let is_recorded = verdict.class == Class::Sent && recorded.contains(&(claimed.lease.entry, claimed.lease.epoch));
        let used_up = if is_recorded { None } else { unless_damaged(queue::used_up(tx, &claimed.lease))?.flatten() };
        let mut progress = used_up.unwrap_or(claimed.progress);
        if ran_to_end {
            // Earlier cut-short attempts no longer delay it.
            progress.cut_short = 0;
        }
        let mut settled = settle(&progress, &verdict, &facts, policy);
        if result.woken
            && verdict.class == Class::Offline
            && let Settlement::Queued { due_at, .. } = &mut settled.settlement
        {
            // It was leased when entries that wait for a network were made due.
            *due_at = at_once(at);
        }
        let recorded = self.entries && self.record(tx, result, &verdict, &settled, is_recorded, outcome)?;
        if recorded {
            note_attention(claimed, &settled.settlement, unreachable, needed_person, outcome);
        }

        // The receiver's answer counts for the endpoint, no matter what state the entry has now.
        let Some(state) = state else { return Ok(()) };
        states.insert(key.clone(), state);
        if verdict.class == Class::Sent {
            outcome.reached.push(key.clone());
        }
        if verdict.class == Class::Gone
            && let Some(row) = outcome.rows.get_mut(key).filter(|row| row.enabled)
        {
            endpoint::disable(tx, key, reason::GONE)?;
            meta::next_configuration(tx)?;
            row.enabled = false;
            row.disabled_reason = Some(reason::GONE.to_owned());
            outcome.endpoints_changed = true;
        }
        Ok(())
    }

    /// Writes the new state of the entry. False if the lease was lost to another claim, which decides then.
    fn record(
        &self,
        tx: &Transaction<'_>,
        result: &AttemptResult,
        verdict: &Verdict,
        settled: &Settled,
        is_recorded: bool,
        outcome: &mut BatchOutcome,
    ) -> Result<bool, StoreError> {
        let (claimed, lease) = (&result.attempt.claimed, &result.attempt.claimed.lease);
        // An attempt that was never sent counts as well. One whose request was queued was counted then.
        outcome.counts.attempts += u32::from(verdict.contact == Contact::NotBegun && result.attempt.sending.is_none());
        let recorded = is_recorded || queue::settle(tx, lease, self.owner, settled, result.status(), result.ended_at)?;
        let is_kept = recorded
            || match verdict.contact {
                _ if verdict.class == Class::Sent => in_flight::settle_abandoned(tx, lease, true)? || queue::is_sent(tx, lease)?,
                Contact::NotBegun => queue::release(tx, lease, self.owner)?,
                contact => in_flight::settle_abandoned(tx, lease, contact == Contact::Known)?,
            };
        if recorded {
            match settled.settlement {
                Settlement::Sent => outcome.counts.sent += 1,
                Settlement::Queued { .. } => outcome.counts.retrying += 1,
                Settlement::Failed { .. } => outcome.counts.failed += 1,
            }
        }
        if is_kept {
            outcome.sessions.insert(claimed.session);
            if self.history && verdict.contact != Contact::NotBegun {
                // A history that cannot be written does not keep a result from being stored.
                let row = result.row(verdict);
                unless_damaged(queue::add_attempt(tx, lease.entry, &Attempt { counted: recorded && row.counted, ..row }))?;
            }
        }
        Ok(recorded)
    }

    fn claim(&self, tx: &Transaction<'_>, batch: &Batch, request: ClaimRequest, outcome: &mut BatchOutcome) -> Result<(), StoreError> {
        let Settings { policy, limits, .. } = self.settings;
        let meta = meta::load(tx)?;
        let (integration_enabled, connectivity, lease) = (meta.integration_enabled, request.connectivity, limits.lease);
        let context = DeliveryContext { integration_enabled, connectivity, now: self.now, woken: false, lease };
        let mut candidates = Vec::new();
        let skipped = &batch.skipped | &in_flight::others_of(tx, &batch.in_flight)?;
        for scan in scan_endpoints(tx, &context, &skipped)? {
            let view = batch.endpoints.get(&scan.key);
            let room = scan.row().map_or(0, |row| room(row, view, self.now, policy));
            if scan.may_begin && room > 0 {
                candidates.push((scan, room, false));
            } else if request.urgent && may_be_urgent(&scan, view, self.now, URGENT_EVERY) {
                candidates.push((scan, 1, true));
            }
        }
        let mut left = limits.batch;
        let endpoints = candidates.len();
        for (scan, room, urgent) in candidates {
            let view = batch.endpoints.get(&scan.key).cloned().unwrap_or_default();
            let Some(StoredEndpoint::Readable(row)) = scan.endpoint else { continue };
            if urgent && left == 0 {
                outcome.urgent_again = true;
                continue;
            }
            let limit = if urgent { 1 } else { quota(limits.batch, endpoints, row.delivery.consecutive_failures, room).min(left) };
            let claim = Claim {
                endpoint: &scan.key,
                limit,
                longest_due_first: !urgent && view.longest_due_first,
                long_due: (!urgent && view.first_of_flush).then(|| self.now - LONG_DUE),
                urgent,
                skip: &skipped,
                configuration: outcome.configuration,
                owner: self.owner,
                now: self.now,
                lease: limits.lease,
                together: self.history,
            };
            let (claimed, unreadable) = queue::claim(tx, &claim)?;
            left = left.saturating_sub(claimed.len() as u32);
            if claimed.len() as u32 >= limit && !urgent {
                outcome.more.insert(scan.key.clone());
            }
            if !unreadable.is_empty() {
                // Others may be claimed in their place.
                outcome.more.insert(scan.key.clone());
                outcome.urgent_again |= urgent && claimed.is_empty();
            }
            outcome.unreadable.extend(unreadable);
            for claimed in claimed {
                self.verify(tx, &meta.install_id, claimed, outcome)?;
            }
            outcome.rows.insert(scan.key, row);
        }
        Ok(())
    }

    /// Makes sure that only the frozen bytes are sent, under their id. Damaged bytes are restored where the session still gives the same
    /// ones.
    fn verify(&self, tx: &Transaction<'_>, install_id: &str, mut claimed: Claimed, outcome: &mut BatchOutcome) -> Result<(), StoreError> {
        let Claimed { delivery_id, session, action, body_sha256, revision, .. } = &claimed;
        let mut is_intact = webhook::is_delivery_id(&delivery_id.0, install_id, *session, action, body_sha256, *revision);
        if is_intact && Sha256::of(&claimed.body) != claimed.body_sha256 {
            match super::lost_body::make_again(tx, claimed.session, &claimed.action)
                .filter(|bytes| Sha256::of(bytes) == claimed.body_sha256)
            {
                Some(bytes) => claimed.body = bytes,
                None => is_intact = false,
            }
        }
        if is_intact {
            claimed.install = webhook::install(install_id, &claimed.endpoint);
            outcome.claimed.push(claimed);
            return Ok(());
        }
        let facts = SettleFacts { now: self.now, random: 0.5, unreachable: false, refresh_pending: false, came_as_asked: false };
        let settled = settle(&claimed.progress, &Verdict::corrupt(), &facts, &self.settings.policy);
        let entry = claimed.lease.entry;
        if unless_damaged(of_entry(entry, queue::settle(tx, &claimed.lease, self.owner, &settled, None, self.now)))?.is_none() {
            outcome.unreadable.push(entry);
            return Ok(());
        }
        outcome.counts.failed += 1;
        outcome.sessions.insert(claimed.session);
        note_attention(&claimed, &settled.settlement, false, false, outcome);
        Ok(())
    }
}
