//! Actions and deliveries as the record shows them.

use chrono::TimeDelta;

use super::command::LoadedSession;
use super::enqueue::Payloads;
use super::{Inner, Result};
use crate::delivery::Delays;
use crate::model::{Action, ActionStatus, Delivery, DeliveryState, Integration, Timestamp};
use crate::outbox::{ActionFacts, DeliveryContext, EntryFacts, Permit, Permits, RetryPolicy, blocker, lease_is_over, permits, reason};
use crate::sorted::{SortedMap, SortedSet};
use crate::store::action::ActionRow;
use crate::store::endpoint::StoredEndpoint;
use crate::store::outbox::{EntryRow, EntryState};
use crate::store::{self, Connection, meta};
use crate::webhook;

/// Endpoints by key, read at first use.
pub(super) struct Endpoints<'a> {
    connection: &'a Connection,
    known: SortedMap<String, Option<StoredEndpoint>>,
}

impl<'a> Endpoints<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection, known: SortedMap::new() }
    }

    pub(super) fn get(&mut self, key: &str) -> Result<Option<&StoredEndpoint>> {
        if !self.known.contains_key(key) {
            self.known.insert(key.to_owned(), store::endpoint::find(self.connection, key)?);
        }
        Ok(self.known.get(key).and_then(Option::as_ref))
    }
}

/// What is known about entries besides their rows.
pub(super) struct Situation {
    pub(super) context: DeliveryContext,
    /// Entries that are known to be unreadable.
    pub(super) aside: SortedSet<i64>,
    /// Entries whose lease has expired: they have no running attempt, even if their rows say so.
    pub(super) expired: SortedSet<i64>,
    /// Entries with an attempt in flight in this process, even if their rows say otherwise.
    pub(super) in_flight: SortedSet<i64>,
    /// Other entries of their actions.
    behind: SortedSet<i64>,
    /// Until when entries wait for another one of their action that is claimed.
    waits: SortedMap<i64, Timestamp>,
    /// Endpoints that begin no attempt for a while.
    delays: Delays,
}

/// What a person may do to an action.
pub(super) fn permits_of(row: &ActionRow, policy: &RetryPolicy) -> Permits {
    let ActionRow { status, failed_sends, holds_redacted, was_delivered, replay, .. } = *row;
    let (reason, is_too_large) = (row.reason.as_deref(), row.newest_size > webhook::MAX_BODY as u64);
    let is_passed = row.is_passed();
    permits(&ActionFacts { status, reason, failed_sends, holds_redacted, is_too_large, is_passed, was_delivered, replay }, policy)
}

impl Inner {
    /// `now` was read outside the transaction, like every port.
    pub(super) fn situation(&self, connection: &Connection, now: Timestamp) -> Result<Situation> {
        let integration_enabled = meta::load(connection)?.integration_enabled;
        let (connectivity, woken) = (self.delivery.connectivity(), self.delivery.is_woken());
        let (aside, delays) = (self.delivery.aside(), self.delivery.delays(now));
        let expired = self.delivery.leases_that_are_over(connection, now)?;
        let in_flight = self.delivery.in_flight();
        let behind = &store::outbox::in_flight::readable_others_of(connection, &in_flight)? - &in_flight;
        let lease = self.delivery.lease();
        let waits = store::outbox::in_flight::others_of_claimed(connection, now, lease)?;
        let context = DeliveryContext { integration_enabled, connectivity, now, woken, lease };
        Ok(Situation { context, aside, expired, in_flight, behind, waits, delays })
    }

    /// The actions of a session, in path order.
    pub(super) fn actions(&self, connection: &Connection, loaded: &LoadedSession, now: Timestamp) -> Result<Vec<Action>> {
        let rows = store::action::of_session(connection, loaded.id)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let situation = self.situation(connection, now)?;
        let mut endpoints = Endpoints::new(connection);
        let mut payloads = Payloads::of(loaded);
        let show = |row: ActionRow| {
            // Damage hides no action.
            let differs = row.differs.or_else(|| payloads.differ_from(&row).ok()).unwrap_or_default();
            self.action(connection, row, differs, &situation, &mut endpoints)
        };
        rows.into_iter().map(show).collect()
    }

    fn action(
        &self,
        connection: &Connection,
        row: ActionRow,
        differs: bool,
        situation: &Situation,
        endpoints: &mut Endpoints<'_>,
    ) -> Result<Action> {
        let entries = store::outbox::of_action(connection, row.id)?;
        let mut deliveries = Vec::with_capacity(entries.len());
        for entry in entries {
            let endpoint = endpoints.get(&entry.endpoint)?;
            deliveries.push(delivery(connection, &entry, endpoint, situation)?.0);
        }
        let mut replays = Vec::new();
        for replay in store::outbox::replay::of_action(connection, row.id)? {
            let endpoint = endpoints.get(&replay.endpoint)?;
            replays.push(delivery(connection, &replay, endpoint, situation)?.0);
        }
        let newest = deliveries.first();
        // Without an edit, too.
        let can_be_corrected = differs || row.is_damaged() || row.is_passed() && row.newest_size <= webhook::MAX_BODY as u64;
        let (locked, permits) = (self.policy.is_locked(row.failed_sends), permits_of(&row, &self.policy));
        // The reason of a pending action is what it waits for now, not what was last written.
        let reason = if row.status == ActionStatus::Pending { newest.and_then(|newest| newest.reason.clone()) } else { row.reason };
        Ok(Action {
            can_send: permits.send == Permit::Yes,
            can_send_corrected: permits.send_corrected == Permit::Yes && can_be_corrected,
            can_replay: permits.replay == Permit::Yes,
            can_abandon: permits.abandon == Permit::Yes,
            key: row.key,
            name: row.name,
            integration: Integration::Webhooks,
            section: row.section,
            endpoint: row.endpoint,
            status: row.status,
            reason,
            failed_sends: row.failed_sends,
            locked,
            differs_from_sent: differs,
            edit_not_sent: row.edit_not_sent,
            delivered_revision: deliveries.iter().find(|delivery| delivery.state == DeliveryState::Sent).map(|delivery| delivery.revision),
            deliveries,
            replays,
        })
    }
}

/// An entry as it is shown, and whether it needs a person.
pub(super) fn delivery(
    connection: &Connection,
    entry: &EntryRow,
    endpoint: Option<&StoredEndpoint>,
    situation: &Situation,
) -> Result<(Delivery, bool)> {
    let is_readable = entry.readable && !situation.aside.contains(&entry.id);
    let (state, reason, next_attempt_at, needs_person) = match entry.state {
        EntryState::Queued | EntryState::Leased => {
            // An earlier revision is in flight here. Its row has the time, unless the clock was set.
            let waits = situation.behind.contains(&entry.id);
            let lease_end = situation.context.now.checked_add_signed(TimeDelta::from_std(situation.context.lease).unwrap_or_default());
            let is_known = |until: &Timestamp| !lease_is_over(*until, situation.context.now, situation.context.lease);
            let facts = EntryFacts {
                readable: is_readable,
                leased: entry.state == EntryState::Leased && !situation.expired.contains(&entry.id)
                    || situation.in_flight.contains(&entry.id),
                reason: entry.reason.as_deref(),
                due_at: entry.due_at,
                // An earlier replay is the same message, and nothing is earlier than the first revision.
                tried: entry.attempts > 0 || entry.replay > 0 || entry.revision == 1,
                in_flight_until: entry
                    .in_flight_until
                    .filter(is_known)
                    .max(situation.waits.get(&entry.id).copied())
                    .or(lease_end.filter(|_| waits)),
                offline: entry.offline,
                cut_short: entry.cut_short,
            };
            let row = match endpoint {
                Some(StoredEndpoint::Readable(row)) => Some(row),
                _ => None,
            };
            let delayed_until = row.and_then(|row| situation.delays.delayed_until(&row.endpoint));
            let backoff_until = row.and_then(|row| situation.delays.backoff(row));
            let endpoint = endpoint.map(StoredEndpoint::facts);
            // An entry that is sent again while its earlier attempt is in flight here has a time, like one whose attempt runs elsewhere.
            let behind = EntryFacts { leased: facts.leased && entry.state == EntryState::Leased, ..facts };
            let next_attempt_at = blocker(&behind, endpoint.as_ref(), &situation.context).next_attempt_at();
            let blocker = blocker(&facts, endpoint.as_ref(), &situation.context);
            let waits = [backoff_until, delayed_until];
            let next_attempt_at = next_attempt_at.map(|at| waits.into_iter().flatten().fold(at, Timestamp::max));
            // The receiver that delays it does not answer.
            let why = blocker.reason().or(delayed_until.filter(|_| next_attempt_at.is_some()).map(|_| reason::TIMEOUT));
            (DeliveryState::Pending, why.map(str::to_owned), next_attempt_at, blocker.needs_person())
        }
        EntryState::Sent => (DeliveryState::Sent, None, None, false),
        EntryState::Failed => (DeliveryState::Failed, entry.reason.clone(), None, entry.reason.as_deref() != Some(reason::ABANDONED)),
        EntryState::Superseded => (DeliveryState::Superseded, entry.reason.clone(), None, false),
    };
    let delivery = Delivery {
        id: entry.delivery_id.clone(),
        revision: entry.revision,
        replay: entry.replay,
        state,
        reason,
        endpoint: entry.endpoint.clone(),
        frozen_at: entry.frozen_at,
        sent_at: entry.sent_at,
        next_attempt_at,
        attempts: entry.attempts,
        last_attempts: store::outbox::attempts(connection, entry.id)?,
        may_have_been_delivered: entry.sent_at.is_none() && entry.unknown_outcomes > 0,
        body_size: entry.body_size,
        body_sha256: entry.body_sha256.to_string(),
        holds_redacted: entry.holds_redacted.clone(),
    };
    Ok((delivery, needs_person))
}
