//! Why a pending message waits, as it is now: looked up when it is shown, so that it is never out of date.

use crate::model::{Connectivity, NetworkPolicy, Timestamp};
use crate::outbox::reason;
use crate::store::endpoint::EndpointRow;
use crate::store::outbox::{EntryRow, EntryState};

/// What a pending message waits for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) reason: Option<String>,
    /// When it is tried, if time alone decides.
    pub(super) next_attempt_at: Option<Timestamp>,
    pub(super) needs_person: bool,
}

/// What the world around an entry looks like.
pub(super) struct World {
    pub(super) integration_enabled: bool,
    pub(super) connectivity: Connectivity,
    pub(super) now: Timestamp,
}

/// What this queued or leased entry waits for. `endpoint` is what its key stands for now.
pub(super) fn waiting(entry: &EntryRow, endpoint: Option<&EndpointRow>, world: &World) -> Waiting {
    let held =
        |reason: &str| Waiting { reason: Some(reason.to_owned()), next_attempt_at: None, needs_person: reason::waits_for_person(reason) };
    if entry.state == EntryState::Leased {
        return held(reason::IN_FLIGHT);
    }
    if !world.integration_enabled {
        return held(reason::INTEGRATION_OFF);
    }
    let Some(endpoint) = endpoint else { return held(reason::ENDPOINT_UNKNOWN) };
    if endpoint.archived_at.is_some() {
        return held(reason::ENDPOINT_ARCHIVED);
    }
    if !endpoint.enabled {
        return held(reason::ENDPOINT_DISABLED);
    }
    if world.connectivity == Connectivity::Offline {
        return held(reason::OFFLINE);
    }
    if endpoint.endpoint.network == NetworkPolicy::Unmetered && matches!(world.connectivity, Connectivity::Online { metered: true, .. }) {
        return held(reason::NEEDS_UNMETERED);
    }
    if let Ok(Some(until)) = endpoint.paused_until(world.now) {
        let reason = endpoint.delivery.pause_reason.clone().unwrap_or_else(|| reason::ENDPOINT_PAUSED.to_owned());
        let needs_person = reason::waits_for_person(&reason);
        return Waiting { reason: Some(reason), next_attempt_at: Some(until.max(entry.due_at)), needs_person };
    }
    let needs_person = entry.reason.as_deref().is_some_and(reason::waits_for_person);
    Waiting { reason: entry.reason.clone(), next_attempt_at: Some(entry.due_at), needs_person }
}
