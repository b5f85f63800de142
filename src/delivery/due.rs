//! When there is something to do next.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;

use super::claim::{Candidate, Standing, need, survey};
use crate::model::{Connectivity, NetworkNeed, NetworkPolicy, NextDue, Timestamp};
use crate::outbox::reason;
use crate::store::outbox::queue;
use crate::store::{Connection, StoreError};

/// Looks at the queue. `held` says how much longer endpoints are left alone for want of a network. Costs index look-ups.
pub(super) fn next_due(
    connection: &Connection,
    now: Timestamp,
    connectivity: Connectivity,
    held: &BTreeMap<String, Duration>,
) -> Result<NextDue, StoreError> {
    let mut next = NextDue { needs_person: queue::has_failed(connection)?, ..NextDue::default() };
    let offline = queue::waits_for_network(connection)?;
    for candidate in survey(connection, now, connectivity)? {
        let policy = candidate.row.as_ref().map_or(NetworkPolicy::Any, |row| row.endpoint.network);
        let at = match candidate.standing {
            Standing::Person => {
                next.needs_person = true;
                continue;
            }
            Standing::Network(network) => {
                wants(&mut next, network);
                continue;
            }
            Standing::Ready => now,
            Standing::Until(at) => at,
        };
        let until = held.get(&candidate.key).and_then(|left| now.checked_add_signed(TimeDelta::from_std(*left).ok()?));
        if until.is_some() || offline.contains(&candidate.key) {
            wants(&mut next, need(policy));
        }
        next.needs_person |= waits_for_person(&candidate, now);
        let at = until.map_or(at, |until| at.max(until));
        match policy {
            NetworkPolicy::Any => earlier(&mut next.at, at),
            NetworkPolicy::Unmetered => earlier(&mut next.at_needs_unmetered, at),
        }
    }
    // What is in flight, or was when a process died, may be due again when its lease ends.
    if let Some(until) = queue::first_lease_end(connection)? {
        let farthest = now + TimeDelta::minutes(2);
        earlier(&mut next.at, if until > farthest { now } else { until.max(now) });
    }
    Ok(next)
}

/// How long until something becomes due by time alone.
pub(super) fn wait(
    connection: &Connection,
    now: Timestamp,
    connectivity: Connectivity,
    held: &BTreeMap<String, Duration>,
) -> Result<Option<Duration>, StoreError> {
    let next = next_due(connection, now, connectivity, held)?;
    let at = [next.at, next.at_needs_unmetered].into_iter().flatten().min();
    Ok(at.map(|at| (at - now).to_std().unwrap_or_default()))
}

fn waits_for_person(candidate: &Candidate, now: Timestamp) -> bool {
    let Some(row) = &candidate.row else { return true };
    let why = row.delivery.pause_reason.as_deref();
    row.delivery.paused_until > now.timestamp_millis() && why.is_some_and(reason::waits_for_person)
}

fn wants(next: &mut NextDue, network: NetworkNeed) {
    if next.when_online != Some(NetworkNeed::Any) {
        next.when_online = Some(network);
    }
}

fn earlier(known: &mut Option<Timestamp>, at: Timestamp) {
    *known = Some(known.map_or(at, |known| known.min(at)));
}
