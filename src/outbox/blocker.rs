//! What an entry waits for, and whether it needs a person: one answer for lists, totals, endpoints, the next due time and claiming.
//!
//! Causes that need a person are checked before those that wait for a network or for time. So neither the network nor the clock ever hides a
//! cause that needs a person, and all entries of an endpoint that wait with the same reason get the same answer.

use std::time::Duration;

use super::due::{due_since, is_due, lease_is_over, pause_end};
use super::policy::CUT_SHORT_AT_ONCE;
use super::reason;
use crate::model::{Connectivity, NetworkNeed, NetworkPolicy, Timestamp};

/// The facts of an entry that waits or has a running attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntryFacts<'a> {
    /// Its row is readable.
    pub readable: bool,
    /// An attempt is running.
    pub leased: bool,
    /// The reason of its last attempt, if there was one.
    pub reason: Option<&'a str>,
    /// When it is attempted again, as stored.
    pub due_at: Timestamp,
    /// An attempt of it has begun since it was frozen.
    pub tried: bool,
    /// Until when an attempt from before it was abandoned, or of an earlier revision, may be in flight: its lease, as stored.
    pub in_flight_until: Option<Timestamp>,
    /// It waits for a network: its last attempt that was not cut short failed for lack of one.
    pub offline: bool,
    /// Attempts in a row that were cut short.
    pub cut_short: u32,
}

/// The facts of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EndpointFacts<'a> {
    /// Its row is readable. If not, nothing else here counts.
    pub readable: bool,
    /// Messages may be sent to it.
    pub enabled: bool,
    /// It is out of use.
    pub archived: bool,
    /// Which networks may carry its messages.
    pub network: NetworkPolicy,
    /// When its pause ends, as stored.
    pub paused_until: Option<Timestamp>,
    /// Why it is paused.
    pub pause_reason: Option<&'a str>,
    /// The failure that could be caused by this phone, and whether it needs a person: see [`Failing`](super::Failing).
    pub failing: Option<(&'a str, bool)>,
}

/// What decides besides the entry and its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeliveryContext {
    /// The webhooks integration is on.
    pub integration_enabled: bool,
    /// The network as the app reported it.
    pub connectivity: Connectivity,
    /// The wall clock.
    pub now: Timestamp,
    /// Entries that wait for a network are due at once: there may be a new one, or a person asks.
    pub woken: bool,
    /// The duration of a lease.
    pub lease: Duration,
}

/// When an attempt may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Next {
    /// Not before this moment.
    pub at: Timestamp,
    /// And not without such a network, which is missing now.
    pub network: Option<NetworkNeed>,
}

/// What an entry waits for: the first one that applies, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blocker<'a> {
    /// Its row cannot be read.
    Corrupt,
    /// An attempt is running.
    InFlight,
    /// The webhooks integration is off.
    IntegrationOff,
    /// This phone does not know its endpoint (yet).
    EndpointUnknown,
    /// The row of its endpoint cannot be read.
    EndpointCorrupt,
    /// Its endpoint is archived.
    EndpointArchived,
    /// Its endpoint is disabled.
    EndpointDisabled,
    /// A secret is missing or cannot be used. Looked up again from time to time.
    Secret {
        /// `secret_missing` or `secret_invalid`.
        reason: &'a str,
        /// When it is looked up again.
        next: Next,
    },
    /// Its endpoint cannot be reached, and the cause is not this phone. Attempted again from time to time.
    Unreachable {
        /// The reason with which every attempt fails.
        reason: &'a str,
        /// When it is attempted again.
        next: Next,
    },
    /// An attempt from before it was abandoned, or of an earlier revision, may be in flight.
    EarlierAttempt {
        /// `in_flight` or `earlier_revision`.
        reason: &'a str,
        /// When the next attempt begins, unless that one ends before.
        next: Next,
    },
    /// Its endpoint is paused.
    Paused {
        /// Why.
        reason: &'a str,
        /// When an attempt may begin.
        next: Next,
    },
    /// There is no network.
    Offline {
        /// When an attempt may begin.
        next: Next,
    },
    /// Its endpoint requires a network that costs nothing.
    NeedsUnmetered {
        /// When an attempt may begin.
        next: Next,
    },
    /// It is not due yet.
    Until {
        /// The reason of its last attempt.
        reason: Option<&'a str>,
        /// When the next attempt begins.
        next: Next,
    },
    /// Nothing.
    Ready {
        /// The reason of its last attempt, if there was one.
        reason: Option<&'a str>,
        /// Since when.
        next: Next,
    },
}

impl<'a> Blocker<'a> {
    /// Whether a person has to do something.
    pub(crate) fn needs_person(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::InFlight | Self::EarlierAttempt { .. } | Self::Until { .. } | Self::Ready { .. } => false,
            _ => self.reason().is_some_and(waits_for_person),
        }
    }

    /// The reason code to show.
    pub(crate) fn reason(&self) -> Option<&'a str> {
        match self {
            Self::Corrupt => Some(reason::CORRUPT),
            Self::InFlight => Some(reason::IN_FLIGHT),
            Self::IntegrationOff => Some(reason::INTEGRATION_OFF),
            Self::EndpointUnknown => Some(reason::ENDPOINT_UNKNOWN),
            Self::EndpointCorrupt => Some(reason::ENDPOINT_CORRUPT),
            Self::EndpointArchived => Some(reason::ENDPOINT_ARCHIVED),
            Self::EndpointDisabled => Some(reason::ENDPOINT_DISABLED),
            Self::Secret { reason, .. }
            | Self::Unreachable { reason, .. }
            | Self::EarlierAttempt { reason, .. }
            | Self::Paused { reason, .. } => Some(reason),
            Self::Offline { .. } => Some(reason::OFFLINE),
            Self::NeedsUnmetered { .. } => Some(reason::NEEDS_UNMETERED),
            Self::Until { reason, .. } | Self::Ready { reason, .. } => *reason,
        }
    }

    /// When an attempt may begin; none where neither time nor a network helps.
    pub(crate) fn next(&self) -> Option<Next> {
        match *self {
            Self::Secret { next, .. }
            | Self::Unreachable { next, .. }
            | Self::EarlierAttempt { next, .. }
            | Self::Paused { next, .. }
            | Self::Offline { next }
            | Self::NeedsUnmetered { next }
            | Self::Until { next, .. }
            | Self::Ready { next, .. } => Some(next),
            _ => None,
        }
    }

    /// When the next attempt begins, if only time decides.
    pub(crate) fn next_attempt_at(&self) -> Option<Timestamp> {
        self.next().filter(|next| next.network.is_none()).map(|next| next.at)
    }

    /// Whether an attempt may begin now.
    pub(crate) fn may_begin(&self, now: Timestamp) -> bool {
        self.next_attempt_at().is_some_and(|at| at <= now)
    }
}

/// Whether an entry that waits with this reason always needs a person. Other reasons need one only as `Blocker::Unreachable`.
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

/// What a pending entry waits for. `endpoint` is the current one of its key; none where this phone does not know it.
///
/// Whether it needs a person, and why, depends neither on the clock nor on the network: readable entries of one endpoint with the same
/// `reason` and without a lease get the same answer.
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
    let in_flight_until = entry.in_flight_until.filter(|until| !lease_is_over(*until, context.now, context.lease));
    let at = [pause, in_flight_until].into_iter().flatten().fold(due_at(entry, context), Timestamp::max);
    let next = Next { at, network: lacks(context.connectivity, endpoint.network) };
    // A pause that is over still shows that the secret was missing at the last look-up.
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
        return Blocker::EarlierAttempt { reason: if entry.tried { reason::IN_FLIGHT } else { reason::EARLIER_REVISION }, next };
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

/// The network that an endpoint's messages need and that is missing. Without a report of the app an attempt is allowed.
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
