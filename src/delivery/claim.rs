//! Which entries may leave now, and taking them.

use super::connectivity::permits;
use crate::model::{Connectivity, NetworkNeed, NetworkPolicy, Timestamp};
use crate::outbox::{EndpointState, RetryPolicy, is_due};
use crate::store::endpoint::{self, EndpointDelivery, EndpointRow};
use crate::store::outbox::queue::{self, Waiting};
use crate::store::{Connection, StoreError, meta};

/// An endpoint that entries wait for, and what they wait for.
pub(super) struct Candidate {
    pub(super) key: String,
    /// None: this phone does not know it (yet).
    pub(super) row: Option<EndpointRow>,
    pub(super) standing: Standing,
}

/// What an endpoint's entries wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing: the first is due.
    Ready,
    /// Time.
    Until(Timestamp),
    /// Due, once there is such a network.
    Network(NetworkNeed),
    /// Somebody has to do something: enable, register, unarchive.
    Person,
}

/// Looks at every endpoint that entries wait for.
pub(super) fn survey(connection: &Connection, now: Timestamp, connectivity: Connectivity) -> Result<Vec<Candidate>, StoreError> {
    let waiting = queue::waiting(connection)?;
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    let enabled = meta::load(connection)?.integration_enabled;
    let mut found = Vec::with_capacity(waiting.len());
    for waiting in waiting {
        let row = endpoint::find(connection, &waiting.endpoint)?;
        let standing = match &row {
            Some(row) if enabled && row.enabled && row.archived_at.is_none() => standing(&waiting, row, now, connectivity)?,
            _ => Standing::Person,
        };
        found.push(Candidate { key: waiting.endpoint, row, standing });
    }
    Ok(found)
}

fn standing(waiting: &Waiting, row: &EndpointRow, now: Timestamp, connectivity: Connectivity) -> Result<Standing, StoreError> {
    let due = is_due(waiting.first_due, now) || is_due(waiting.last_due, now);
    let due_at = if due { now } else { waiting.first_due };
    // A pause from before the clock was set back is over.
    let at = match row.paused_until(now)? {
        Some(until) if !is_due(until, now) => due_at.max(until),
        _ => due_at,
    };
    let policy = row.endpoint.network;
    Ok(if at > now {
        Standing::Until(at)
    } else if permits(connectivity, policy) {
        Standing::Ready
    } else {
        Standing::Network(need(policy))
    })
}

/// The network that messages of such an endpoint wait for.
pub(super) fn need(policy: NetworkPolicy) -> NetworkNeed {
    match policy {
        NetworkPolicy::Any => NetworkNeed::Any,
        NetworkPolicy::Unmetered => NetworkNeed::Unmetered,
    }
}

/// An endpoint's state from its row. How many deliveries were clean in a row is not stored.
pub(super) fn state(row: &EndpointRow, clean: u32) -> EndpointState {
    let delivery = &row.delivery;
    EndpointState {
        limit: delivery.in_flight_limit,
        clean,
        consecutive_failures: delivery.consecutive_failures,
        // What does not read back as a time is far beyond any pause there is.
        paused_until: (delivery.paused_until != 0).then(|| Timestamp::from_timestamp_millis(delivery.paused_until)).flatten(),
        pause_reason: delivery.pause_reason.clone(),
        clock_skew_ms: delivery.skew_ms,
    }
}

/// An endpoint's state as it is stored.
pub(super) fn stored(state: &EndpointState) -> EndpointDelivery {
    EndpointDelivery {
        paused_until: state.paused_until.map_or(0, |until| until.timestamp_millis()),
        pause_reason: state.pause_reason.clone(),
        consecutive_failures: state.consecutive_failures,
        in_flight_limit: state.limit.max(1),
        skew_ms: state.clock_skew_ms,
    }
}

/// How many entries of each of `endpoints` due endpoints are claimed at once, so that a backlog of one does not starve another. An
/// endpoint in trouble gets no more than can begin at once: the rest would only be given back.
pub(super) fn quota(batch: u32, endpoints: usize, state: &EndpointState, room: u32) -> u32 {
    let share = (batch / endpoints.max(1) as u32).max(1);
    if state.consecutive_failures > 0 { share.min(room) } else { share }
}

/// How many attempts may begin at an endpoint now.
pub(super) fn room(state: &EndpointState, in_flight: u32, now: Timestamp, policy: &RetryPolicy) -> u32 {
    state.room(in_flight, now, policy)
}
