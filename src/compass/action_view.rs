//! Actions and deliveries as the record shows them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Inner, Result};
use crate::delivery::HeldBack;
use crate::model::{Action, ActionStatus, Delivery, DeliveryState, Integration, Timestamp};
use crate::outbox::{ActionFacts, DeliveryContext, EntryFacts, Permit, Permits, RetryPolicy, blocker, permits, reason};
use crate::store::action::ActionRow;
use crate::store::endpoint::StoredEndpoint;
use crate::store::outbox::{EntryRow, EntryState};
use crate::store::{self, Connection, meta};

/// Endpoints by key, read when first asked for.
pub(super) struct Endpoints<'a> {
    connection: &'a Connection,
    known: BTreeMap<String, Option<StoredEndpoint>>,
}

impl<'a> Endpoints<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection, known: BTreeMap::new() }
    }

    pub(super) fn get(&mut self, key: &str) -> Result<Option<&StoredEndpoint>> {
        if !self.known.contains_key(key) {
            self.known.insert(key.to_owned(), store::endpoint::find(self.connection, key)?);
        }
        Ok(self.known.get(key).and_then(Option::as_ref))
    }
}

/// What matters around entries.
pub(super) struct Around {
    pub(super) context: DeliveryContext,
    /// Entries that are known not to read back.
    pub(super) aside: BTreeSet<i64>,
    /// Entries whose lease is over: no attempt of theirs runs, no matter what their rows say.
    pub(super) over: BTreeSet<i64>,
    /// Entries of which an attempt is on its way here, no matter what their rows say.
    pub(super) on_its_way: BTreeSet<i64>,
    /// Endpoints that begin nothing for a while.
    held_back: HeldBack,
}

/// What a person may do to an action.
pub(super) fn permits_of(row: &ActionRow, policy: &RetryPolicy) -> Permits {
    let ActionRow { status, failed_sends, holds_redacted, .. } = *row;
    permits(&ActionFacts { status, reason: row.reason.as_deref(), failed_sends, holds_redacted }, policy)
}

impl Inner {
    /// `now` was asked for outside the transaction, as every port is.
    pub(super) fn around(&self, connection: &Connection, now: Timestamp) -> Result<Around> {
        let integration_enabled = meta::load(connection)?.integration_enabled;
        let (connectivity, woken) = (self.delivery.connectivity(), self.delivery.is_woken());
        let (aside, held_back) = (self.delivery.aside(), self.delivery.held_back(now));
        let over = self.delivery.leases_that_are_over(connection, now)?;
        let on_its_way = self.delivery.on_its_way();
        let context = DeliveryContext { integration_enabled, connectivity, now, woken, lease: self.delivery.lease() };
        Ok(Around { context, aside, over, on_its_way, held_back })
    }

    /// The actions of a session, in path order.
    pub(super) fn actions(&self, connection: &Connection, session_id: i64, now: Timestamp) -> Result<Vec<Action>> {
        let rows = store::action::of_session(connection, session_id)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let around = self.around(connection, now)?;
        let mut endpoints = Endpoints::new(connection);
        rows.into_iter().map(|row| self.action(connection, row, &around, &mut endpoints)).collect()
    }

    fn action(&self, connection: &Connection, row: ActionRow, around: &Around, endpoints: &mut Endpoints<'_>) -> Result<Action> {
        let entries = store::outbox::of_action(connection, row.id)?;
        let mut deliveries = Vec::with_capacity(entries.len());
        for entry in entries {
            let endpoint = endpoints.get(&entry.endpoint)?;
            deliveries.push(delivery(connection, &entry, endpoint, around)?.0);
        }
        let newest = deliveries.first();
        let (locked, permits) = (self.policy.is_locked(row.failed_sends), permits_of(&row, &self.policy));
        // Of a pending action the reason is what it waits for now, not what was last written.
        let reason = if row.status == ActionStatus::Pending { newest.and_then(|newest| newest.reason.clone()) } else { row.reason };
        Ok(Action {
            can_send: permits.send == Permit::Yes,
            can_send_corrected: permits.send_corrected == Permit::Yes,
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
            deliveries,
        })
    }
}

/// An entry as it is shown, and whether only a person can bring it on.
pub(super) fn delivery(
    connection: &Connection,
    entry: &EntryRow,
    endpoint: Option<&StoredEndpoint>,
    around: &Around,
) -> Result<(Delivery, bool)> {
    let is_readable = entry.readable && !around.aside.contains(&entry.id);
    let (state, reason, next_attempt_at, needs_person) = match entry.state {
        EntryState::Queued | EntryState::Leased => {
            let facts = EntryFacts {
                readable: is_readable,
                leased: entry.state == EntryState::Leased && !around.over.contains(&entry.id) || around.on_its_way.contains(&entry.id),
                reason: entry.reason.as_deref(),
                due_at: entry.due_at,
                in_flight_until: entry.in_flight_until,
                offline: entry.offline,
                cut_short: entry.cut_short,
            };
            let row = match endpoint {
                Some(StoredEndpoint::Readable(row)) => Some(row),
                _ => None,
            };
            let held_up_until = row.and_then(|row| around.held_back.held_up_until(&row.endpoint));
            let backoff_until = row.and_then(|row| around.held_back.backoff(row));
            let endpoint = endpoint.map(StoredEndpoint::facts);
            // What is sent again while its first try is on its way here has a time, as what waits for one elsewhere has.
            let behind = EntryFacts { leased: facts.leased && entry.state == EntryState::Leased, ..facts };
            let next_attempt_at = blocker(&behind, endpoint.as_ref(), &around.context).next_attempt_at();
            let blocker = blocker(&facts, endpoint.as_ref(), &around.context);
            let waits = [backoff_until, held_up_until];
            let next_attempt_at = next_attempt_at.map(|at| waits.into_iter().flatten().fold(at, Timestamp::max));
            // What holds it up does not answer.
            let why = blocker.reason().or(held_up_until.filter(|_| next_attempt_at.is_some()).map(|_| reason::TIMEOUT));
            (DeliveryState::Pending, why.map(str::to_owned), next_attempt_at, blocker.needs_person())
        }
        EntryState::Sent => (DeliveryState::Sent, None, None, false),
        EntryState::Failed => (DeliveryState::Failed, entry.reason.clone(), None, entry.reason.as_deref() != Some(reason::ABANDONED)),
        EntryState::Superseded => (DeliveryState::Superseded, entry.reason.clone(), None, false),
    };
    let delivery = Delivery {
        id: entry.delivery_id.clone(),
        revision: entry.revision,
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
