//! When there is something to do next. Only reads.

use std::time::Duration;

use chrono::TimeDelta;

use super::endpoint_queue::EndpointView;
use super::network::need;
use super::scan::{scan_endpoints, scan_in_flight};
use super::settings::HANGING_PAUSE;
use crate::model::{Connectivity, NetworkNeed, NetworkPolicy, NextDue, Timestamp};
use crate::outbox::DeliveryContext;
use crate::sorted::{SortedMap, SortedSet};
use crate::store::outbox::{in_flight, queue};
use crate::store::{Connection, StoreError, meta};

/// What is known besides the database.
pub(super) struct Situation {
    pub(super) now: Timestamp,
    pub(super) connectivity: Connectivity,
    /// Entries that wait for a network are due at once.
    pub(super) woken: bool,
    /// Endpoints, and how much longer their backoff lasts.
    pub(super) views: SortedMap<String, EndpointView>,
    /// Unreadable entries, for which nothing waits.
    pub(super) aside: SortedSet<i64>,
    /// Entries with a running attempt here: they are not claimed before it has ended.
    pub(super) in_flight: SortedSet<i64>,
    /// The duration of a lease.
    pub(super) lease: Duration,
}

impl Situation {
    /// Reads the queue. Costs a few index look-ups.
    pub(super) fn next_due(&self, connection: &Connection) -> Result<NextDue, StoreError> {
        let integration_enabled = meta::load(connection)?.integration_enabled;
        let (connectivity, now, woken, lease) = (self.connectivity, self.now, self.woken, self.lease);
        let context = DeliveryContext { integration_enabled, connectivity, now, woken, lease };
        next_due(connection, &context, self)
    }

    /// How long until an entry that waits only for a time is due.
    pub(super) fn wait(&self, connection: &Connection) -> Result<Option<Duration>, StoreError> {
        let next = self.next_due(connection)?;
        let at = [next.at, next.at_needs_unmetered].into_iter().flatten().min();
        Ok(at.map(|at| (at - self.now).to_std().unwrap_or_default()))
    }
}

fn next_due(connection: &Connection, context: &DeliveryContext, situation: &Situation) -> Result<NextDue, StoreError> {
    let now = context.now;
    let mut next = NextDue::default();
    let offline = queue::offline_endpoints(connection)?;
    let here = &situation.in_flight | &in_flight::readable_others_of(connection, &situation.in_flight)?;
    let in_flight = scan_in_flight(connection, context, &situation.aside, &here)?;
    for scan in scan_endpoints(connection, context, &(&situation.aside | &here))?.into_iter().chain(in_flight) {
        let policy = scan.row().map_or(NetworkPolicy::Any, |row| row.endpoint.network);
        let (waits_for_network, wakes) = (offline.contains_key(&scan.key), offline.get(&scan.key) == Some(&true));
        let Some(leaves) = scan.next else { continue };
        // Entries that wait for a network are due at once, unless their endpoint is paused.
        let is_paused = scan.row().is_some_and(|row| row.state(0).paused_until(now).is_some());
        let at_once = wakes && context.woken && !is_paused;
        if let Some(network) = leaves.network.filter(|_| at_once || leaves.at <= now) {
            wants(&mut next, network);
            continue;
        }
        let at = if at_once { now } else { leaves.at.max(now) };
        let known = situation.views.get(&scan.key).zip(scan.row());
        let until =
            known.filter(|_| !context.woken).and_then(|(view, row)| now.checked_add_signed(TimeDelta::from_std(view.backoff(row)?).ok()?));
        if until.is_some() || waits_for_network {
            wants(&mut next, need(policy));
        }
        let at = until.map_or(at, |until| at.max(until));
        // Its look-ups or requests hang: nothing begins before one ends, which is an event. No flush waits for it.
        let is_delayed = known.is_some_and(|(view, row)| view.is_delayed(&row.endpoint));
        let at = if is_delayed { at.max(now + HANGING_PAUSE) } else { at };
        match policy {
            NetworkPolicy::Any => earlier(&mut next.at, at),
            NetworkPolicy::Unmetered => earlier(&mut next.at_needs_unmetered, at),
        }
    }
    // An entry that is in flight, or was when a process died, may be due again when its lease ends.
    if let Some(until) = queue::first_lease_end(connection, &situation.aside)? {
        let latest = now + TimeDelta::minutes(2);
        if context.connectivity == Connectivity::Offline && (until <= now || until > latest) {
            wants(&mut next, NetworkNeed::Any);
            return Ok(next);
        }
        earlier(&mut next.at, if until > latest { now } else { until.max(now) });
    }
    Ok(next)
}

fn wants(next: &mut NextDue, network: NetworkNeed) {
    if next.when_online != Some(NetworkNeed::Any) {
        next.when_online = Some(network);
    }
}

fn earlier(known: &mut Option<Timestamp>, at: Timestamp) {
    *known = Some(known.map_or(at, |known| known.min(at)));
}
