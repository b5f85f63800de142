//! Which endpoints have entries that may be sent now, and what the others wait for.

use super::endpoint_queue::EndpointView;
use crate::sorted::SortedSet;

use crate::model::Timestamp;
use crate::outbox::{DeliveryContext, EntryFacts, Next, RetryPolicy, blocker, is_due};
use crate::store::endpoint::{self, EndpointRow, StoredEndpoint};
use crate::store::outbox::in_flight::{self, in_flight, others_of_claimed};
use crate::store::outbox::queue::{self, Waiting};
use crate::store::{Connection, StoreError, unless_damaged};

/// An endpoint that entries wait for, and what they wait for.
pub(super) struct EndpointScan {
    pub(super) key: String,
    pub(super) endpoint: Option<StoredEndpoint>,
    /// An entry may be sent now.
    pub(super) may_begin: bool,
    /// When one may be sent, and over which missing network; none where neither time nor a network helps.
    pub(super) next: Option<Next>,
    pub(super) needs_person: bool,
}

impl EndpointScan {
    /// The endpoint's row, if there is a readable one.
    pub(super) fn row(&self) -> Option<&EndpointRow> {
        match &self.endpoint {
            Some(StoredEndpoint::Readable(row)) => Some(row),
            _ => None,
        }
    }
}

/// Reads every endpoint with waiting entries, without entries that are skipped or wait for an attempt in flight.
pub(super) fn scan_endpoints(
    connection: &Connection,
    context: &DeliveryContext,
    skipped: &SortedSet<i64>,
) -> Result<Vec<EndpointScan>, StoreError> {
    let mut without = skipped.clone();
    without.extend(in_flight(connection, context.now, context.lease)?.into_iter().map(|waits| waits.entry));
    without.extend(others_of_claimed(connection, context.now, context.lease)?.iter().map(|(entry, _)| *entry));
    let waiting = queue::waiting(connection, &without)?.into_iter();
    waiting.map(|waiting| scan(connection, waiting.endpoint.clone(), due_at(&waiting, context.now), None, context)).collect()
}

/// The same for entries that wait for an attempt in flight, by their rows or in this process, one by one: they are few.
pub(super) fn scan_in_flight(
    connection: &Connection,
    context: &DeliveryContext,
    aside: &SortedSet<i64>,
    in_flight_here: &SortedSet<i64>,
) -> Result<Vec<EndpointScan>, StoreError> {
    let mut waiting = in_flight(connection, context.now, context.lease)?;
    let mut known = waiting.iter().map(|waits| waits.entry).collect::<SortedSet<i64>>();
    for (entry, until) in others_of_claimed(connection, context.now, context.lease)?.iter().filter(|(entry, _)| !aside.contains(entry)) {
        if known.insert(*entry) {
            let one = [*entry].into_iter().collect();
            waiting.extend(unless_damaged(in_flight::queued_among(connection, &one, *until))?.unwrap_or_default());
        }
    }
    waiting.extend(in_flight::queued_among(connection, &(in_flight_here - &known), context.now)?);
    let waiting = waiting.into_iter().filter(|waits| !aside.contains(&waits.entry));
    waiting.map(|waits| scan(connection, waits.endpoint, context.now, Some(waits.until), context)).collect()
}

fn scan(
    connection: &Connection,
    key: String,
    due_at: Timestamp,
    in_flight_until: Option<Timestamp>,
    context: &DeliveryContext,
) -> Result<EndpointScan, StoreError> {
    let endpoint = endpoint::find(connection, &key)?;
    let facts = endpoint.as_ref().map(StoredEndpoint::facts);
    let entry =
        EntryFacts { readable: true, leased: false, reason: None, due_at, tried: true, in_flight_until, offline: false, cut_short: 0 };
    let blocker = blocker(&entry, facts.as_ref(), context);
    let (may_begin, next, needs_person) = (blocker.may_begin(context.now), blocker.next(), blocker.needs_person());
    Ok(EndpointScan { key, may_begin, next, needs_person, endpoint })
}

fn due_at(waiting: &Waiting, now: Timestamp) -> Timestamp {
    if is_due(waiting.first_due, now) || is_due(waiting.last_due, now) { now } else { waiting.first_due }
}

/// How many attempts may begin at an endpoint, including what is known in memory.
pub(super) fn room(row: &EndpointRow, view: Option<&EndpointView>, now: Timestamp, policy: &RetryPolicy) -> u32 {
    let Some(view) = view else { return row.state(0).room(0, now, policy) };
    if view.has_ready || view.is_delayed(&row.endpoint) || view.backoff(row).is_some() {
        return 0;
    }
    view.room.unwrap_or_else(|| row.state(view.settled_deliveries).room(view.in_flight, now, policy))
}

/// How many entries of each of `endpoints` due endpoints are claimed at once, so that a backlog of one does not starve another. An
/// failing endpoint gets no more than can begin at once: the rest would only be released.
pub(super) fn quota(batch: u32, endpoints: usize, consecutive_failures: u32, room: u32) -> u32 {
    let share = (batch / endpoints.max(1) as u32).max(1);
    if consecutive_failures > 0 { share.min(room) } else { share }
}
