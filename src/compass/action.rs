//! Actions and deliveries as the record shows them.

use std::collections::BTreeMap;

use super::pending::{World, waiting};
use super::{Inner, Result};
use crate::model::{Action, ActionStatus, Delivery, DeliveryState, Integration, Timestamp};
use crate::outbox::reason;
use crate::store::action::ActionRow;
use crate::store::endpoint::EndpointRow;
use crate::store::outbox::{EntryRow, EntryState};
use crate::store::{self, Connection, meta};

/// Endpoints by key, read when first asked for.
pub(super) struct Endpoints<'a> {
    connection: &'a Connection,
    known: BTreeMap<String, Option<EndpointRow>>,
}

impl<'a> Endpoints<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection, known: BTreeMap::new() }
    }

    pub(super) fn get(&mut self, key: &str) -> Result<Option<&EndpointRow>> {
        if !self.known.contains_key(key) {
            self.known.insert(key.to_owned(), store::endpoint::find(self.connection, key)?);
        }
        Ok(self.known.get(key).and_then(Option::as_ref))
    }
}

impl Inner {
    /// `now` was asked for outside the transaction, as every port is.
    pub(super) fn world(&self, connection: &Connection, now: Timestamp) -> Result<World> {
        let meta = meta::load(connection)?;
        Ok(World { integration_enabled: meta.integration_enabled, connectivity: self.delivery.connectivity(), now })
    }

    /// The actions of a session, in path order.
    pub(super) fn actions(&self, connection: &Connection, session_id: i64, now: Timestamp) -> Result<Vec<Action>> {
        let rows = store::action::of_session(connection, session_id)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let world = self.world(connection, now)?;
        let mut endpoints = Endpoints::new(connection);
        rows.into_iter().map(|row| self.action(connection, row, &world, &mut endpoints)).collect()
    }

    fn action(&self, connection: &Connection, row: ActionRow, world: &World, endpoints: &mut Endpoints<'_>) -> Result<Action> {
        let entries = store::outbox::of_action(connection, row.id)?;
        let mut deliveries = Vec::with_capacity(entries.len());
        for entry in entries {
            let endpoint = endpoints.get(&entry.endpoint)?;
            deliveries.push(delivery(connection, &entry, endpoint, world)?.0);
        }
        let newest = deliveries.first();
        // Of a pending action the reason is what it waits for now, not what was last written.
        let reason = if row.status == ActionStatus::Pending { newest.and_then(|newest| newest.reason.clone()) } else { row.reason };
        let locked = self.policy.is_locked(row.failed_sends);
        let failed = row.status == ActionStatus::Failed;
        let given_up = reason.as_deref() == Some(reason::ABANDONED);
        Ok(Action {
            can_send: row.status == ActionStatus::NotFired || failed && !locked && can_send_again(reason.as_deref()),
            can_send_corrected: failed && !locked,
            can_abandon: row.status == ActionStatus::Pending || failed && !given_up,
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

/// Whether the same bytes may ever succeed.
pub(super) fn can_send_again(reason: Option<&str>) -> bool {
    !matches!(reason, Some(reason::PAYLOAD_TOO_LARGE | reason::CORRUPT))
}

/// An entry as it is shown, and whether only a person can bring it on.
pub(super) fn delivery(
    connection: &Connection,
    entry: &EntryRow,
    endpoint: Option<&EndpointRow>,
    world: &World,
) -> Result<(Delivery, bool)> {
    let (state, reason, next_attempt_at, needs_person) = match entry.state {
        EntryState::Queued | EntryState::Leased => {
            let waiting = waiting(entry, endpoint, world);
            (DeliveryState::Pending, waiting.reason, waiting.next_attempt_at, waiting.needs_person)
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
    };
    Ok((delivery, needs_person))
}
