//! What an entry waits for, and whether it needs a person: one answer for lists, totals, endpoints, the next due time and claiming.
//!
//! What needs a person is asked before what waits for a network or for time. So neither the network nor the clock ever hides a cause that
//! will not pass by itself, and all entries of an endpoint that wait with the same reason get the same answer.

use std::time::Duration;

use super::due::{due_since, is_due, lease_is_void, pause_end};
use super::policy::CUT_SHORT_AT_ONCE;
use super::reason;
use crate::model::{Connectivity, NetworkNeed, NetworkPolicy, Timestamp};

/// What counts of an entry that waits or is being tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntryFacts<'a> {
    /// Its row reads back.
    pub readable: bool,
    /// An attempt is running.
    pub leased: bool,
    /// What its last attempt ended with, if it was tried.
    pub reason: Option<&'a str>,
    /// When it is tried again, as stored.
    pub due_at: Timestamp,
    /// Until when a try of before it was given up may be in flight: its lease, as stored.
    pub in_flight_until: Option<Timestamp>,
    /// It waits for a network: its last attempt that ended by itself failed for want of one.
    pub offline: bool,
    /// Attempts in a row that were cut short.
    pub cut_short: u32,
}

/// What counts of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EndpointFacts<'a> {
    /// Its row reads back. If not, nothing else here counts.
    pub readable: bool,
    /// Messages may leave for it.
    pub enabled: bool,
    /// It is out of use.
    pub archived: bool,
    /// Which networks may carry its messages.
    pub network: NetworkPolicy,
    /// When its pause ends, as stored.
    pub paused_until: Option<Timestamp>,
    /// Why it is paused.
    pub pause_reason: Option<&'a str>,
    /// The failure that could be the phone's own situation, and whether it needs a person: see [`Failing`](super::Failing).
    pub failing: Option<(&'a str, bool)>,
}

/// What matters around an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeliveryContext {
    /// The webhooks integration is on.
    pub integration_enabled: bool,
    /// What the app knows of the network.
    pub connectivity: Connectivity,
    /// The wall clock.
    pub now: Timestamp,
    /// What waits for a network is due at once: there may be a new one, or a person asks.
    pub woken: bool,
    /// How long a claim holds.
    pub lease: Duration,
}

/// When an attempt may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Next {
    /// Not before this moment.
    pub at: Timestamp,
    /// Nor without such a network, which is not there now.
    pub network: Option<NetworkNeed>,
}

/// What an entry waits for. The first one that applies, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blocker<'a> {
    /// Its row does not read back.
    Corrupt,
    /// An attempt is running.
    InFlight,
    /// The webhooks integration is off.
    IntegrationOff,
    /// This phone does not know its endpoint (yet).
    EndpointUnknown,
    /// The row of its endpoint does not read back.
    EndpointCorrupt,
    /// Its endpoint is archived.
    EndpointArchived,
    /// Its endpoint is disabled.
    EndpointDisabled,
    /// A secret is missing or cannot be used. Looked at again from time to time.
    Secret {
        /// `secret_missing` or `secret_invalid`.
        reason: &'a str,
        /// When it is looked at again.
        next: Next,
    },
    /// Its endpoint cannot be reached, and that is not the phone's own situation. Tried again from time to time.
    Unreachable {
        /// What every attempt fails with.
        reason: &'a str,
        /// When it is tried again.
        next: Next,
    },
    /// It was given up and is sent again, and a try of before may be in flight.
    EarlierAttempt {
        /// When it is tried, unless that one ends before.
        next: Next,
    },
    /// Its endpoint is paused.
    Paused {
        /// Why.
        reason: &'a str,
        /// When it may be tried.
        next: Next,
    },
    /// There is no network.
    Offline {
        /// When it may be tried.
        next: Next,
    },
    /// Its endpoint wants a network that costs nothing.
    NeedsUnmetered {
        /// When it may be tried.
        next: Next,
    },
    /// Its time has not come.
    Until {
        /// What its last attempt ended with.
        reason: Option<&'a str>,
        /// When it is tried.
        next: Next,
    },
    /// Nothing.
    Ready {
        /// What its last attempt ended with, if it was tried.
        reason: Option<&'a str>,
        /// Since when.
        next: Next,
    },
}

impl<'a> Blocker<'a> {
    /// Whether it will not pass by itself: a person has to do something.
    pub(crate) fn needs_person(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::InFlight | Self::EarlierAttempt { .. } | Self::Until { .. } | Self::Ready { .. } => false,
            _ => self.reason().is_some_and(waits_for_person),
        }
    }

    /// What to show: a reason code.
    pub(crate) fn reason(&self) -> Option<&'a str> {
        match self {
            Self::Corrupt => Some(reason::CORRUPT),
            Self::InFlight | Self::EarlierAttempt { .. } => Some(reason::IN_FLIGHT),
            Self::IntegrationOff => Some(reason::INTEGRATION_OFF),
            Self::EndpointUnknown => Some(reason::ENDPOINT_UNKNOWN),
            Self::EndpointCorrupt => Some(reason::ENDPOINT_CORRUPT),
            Self::EndpointArchived => Some(reason::ENDPOINT_ARCHIVED),
            Self::EndpointDisabled => Some(reason::ENDPOINT_DISABLED),
            Self::Secret { reason, .. } | Self::Unreachable { reason, .. } | Self::Paused { reason, .. } => Some(reason),
            Self::Offline { .. } => Some(reason::OFFLINE),
            Self::NeedsUnmetered { .. } => Some(reason::NEEDS_UNMETERED),
            Self::Until { reason, .. } | Self::Ready { reason, .. } => *reason,
        }
    }

    /// When an attempt may begin; none where no time and no network brings it on.
    pub(crate) fn next(&self) -> Option<Next> {
        match *self {
            Self::Secret { next, .. }
            | Self::Unreachable { next, .. }
            | Self::EarlierAttempt { next }
            | Self::Paused { next, .. }
            | Self::Offline { next }
            | Self::NeedsUnmetered { next }
            | Self::Until { next, .. }
            | Self::Ready { next, .. } => Some(next),
            _ => None,
        }
    }

    /// When it is tried, if time alone decides.
    pub(crate) fn next_attempt_at(&self) -> Option<Timestamp> {
        self.next().filter(|next| next.network.is_none()).map(|next| next.at)
    }

    /// Whether an attempt may begin now.
    pub(crate) fn may_begin(&self, now: Timestamp) -> bool {
        self.next_attempt_at().is_some_and(|at| at <= now)
    }
}

/// Whether what an entry waits for with this reason never passes by itself. Other reasons need a person only as
/// `Blocker::Unreachable`.
pub fn waits_for_person(reason: &str) -> bool {
    [
        reason::CORRUPT,
        reason::INTEGRATION_OFF,
        reason::ENDPOINT_UNKNOWN,
        reason::ENDPOINT_CORRUPT,
        reason::ENDPOINT_ARCHIVED,
        reason::ENDPOINT_DISABLED,
        reason::SECRET_MISSING,
        reason::SECRET_INVALID,
    ]
    .contains(&reason)
}

/// What an entry that is pending waits for. `endpoint` is what its key stands for now; none where this phone does not know it.
///
/// Whether it needs a person, and why, depends neither on the clock nor on the network: entries of one endpoint with the same `reason` that
/// read back and are not leased get the same answer.
pub(crate) fn blocker<'a>(entry: &EntryFacts<'a>, endpoint: Option<&EndpointFacts<'a>>, context: &DeliveryContext) -> Blocker<'a> {
    if !entry.readable {
        return Blocker::Corrupt;
    }
    if entry.leased {
        return Blocker::InFlight;
    }
    if !context.integration_enabled {
        return Blocker::IntegrationOff;
    }
    let Some(endpoint) = endpoint else { return Blocker::EndpointUnknown };
    if !endpoint.readable {
        return Blocker::EndpointCorrupt;
    }
    if endpoint.archived {
        return Blocker::EndpointArchived;
    }
    if !endpoint.enabled {
        return Blocker::EndpointDisabled;
    }
    let pause = pause_end(endpoint.paused_until, context.now);
    let in_flight_until = entry.in_flight_until.filter(|until| !lease_is_void(*until, context.now, context.lease));
    let at = [pause, in_flight_until].into_iter().flatten().fold(due_at(entry, context), Timestamp::max);
    let next = Next { at, network: lacks(context.connectivity, endpoint.network) };
    // A pause that is over still tells that the secret was not there when it was looked for last.
    let of_pause = endpoint.pause_reason.filter(|_| endpoint.paused_until.is_some());
    if let Some(reason) =
        [entry.reason, of_pause].into_iter().flatten().find(|reason| reason::is_of_secret(reason) && waits_for_person(reason))
    {
        return Blocker::Secret { reason, next };
    }
    if let Some((reason, true)) = endpoint.failing {
        return Blocker::Unreachable { reason, next };
    }
    if in_flight_until.is_some() {
        return Blocker::EarlierAttempt { next };
    }
    if pause.is_some() {
        return Blocker::Paused { reason: endpoint.pause_reason.unwrap_or(reason::ENDPOINT_PAUSED), next };
    }
    match next.network {
        Some(_) if context.connectivity == Connectivity::Offline => Blocker::Offline { next },
        Some(_) => Blocker::NeedsUnmetered { next },
        None if next.at > context.now => Blocker::Until { reason: entry.reason, next },
        None => Blocker::Ready { reason: entry.reason, next },
    }
}

fn due_at(entry: &EntryFacts<'_>, context: &DeliveryContext) -> Timestamp {
    let at_once = context.woken && entry.offline && entry.cut_short < CUT_SHORT_AT_ONCE;
    if at_once || is_due(entry.due_at, context.now) { due_since(entry.due_at).min(context.now) } else { entry.due_at }
}

/// The network that an endpoint's messages need and that is not there. What nobody has said is tried.
fn lacks(connectivity: Connectivity, policy: NetworkPolicy) -> Option<NetworkNeed> {
    let has_one = match connectivity {
        Connectivity::Unknown => true,
        Connectivity::Offline => false,
        Connectivity::Online { metered, .. } => !(metered && policy == NetworkPolicy::Unmetered),
    };
    match policy {
        _ if has_one => None,
        NetworkPolicy::Any => Some(NetworkNeed::Any),
        NetworkPolicy::Unmetered => Some(NetworkNeed::Unmetered),
    }
}

#[cfg(test)]
#[path = "blocker_tests.rs"]
mod tests;
