//! Attempts of abandoned or superseded entries that may be in flight: one that had begun may still end, and the next attempt, also of a newer
//! revision, waits for it.

use std::time::Duration;

use rusqlite::params;

use super::super::row::to_ms;
use super::super::{Connection, Result, Transaction, of_entry, unless_damaged};
use super::lease::{Lease, latest_lease};
use super::{moment, numbers};
use crate::fault::fault;
use crate::model::Timestamp;
use crate::sorted::{SortedMap, SortedSet};

/// An entry that waits while an earlier attempt may be in flight.
pub(crate) struct EarlierAttempt {
    pub(crate) entry: i64,
    pub(crate) endpoint: String,
    /// No attempt of it begins before. It is due at once then.
    pub(crate) until: Timestamp,
}

/// Entries that wait for an earlier attempt that may be in flight; claimed ones are not among them. They no longer wait for an attempt whose lease
/// is over or ends further ahead than possible.
pub(crate) fn in_flight(connection: &Connection, now: Timestamp, lease: Duration) -> Result<Vec<EarlierAttempt>> {
    if fault("seeded: what is in flight is claimed") {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare_cached(
        "SELECT id, endpoint, in_flight_until FROM outbox INDEXED BY outbox_in_flight
          WHERE state = 'queued' AND in_flight_until IS NOT NULL AND in_flight_until > ?1 AND in_flight_until <= ?2",
    )?;
    let mut rows = statement.query([to_ms(now), latest_lease(now, lease)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        // The lists show unreadable ones.
        if let (Ok(entry), Ok(endpoint), Ok(until)) = (row.get(0), row.get(1), row.get(2)) {
            found.push(EarlierAttempt { entry, endpoint, until: moment(until) });
        }
    }
    Ok(found)
}

/// The other entries of the actions of claimed ones, in whatever state, with the ends of the leases, and of abandoned or superseded ones with an
/// attempt that may be in flight: until then they do not begin. By indexes alone, because a page of the table may be lost.
pub(crate) fn others_of_claimed(connection: &Connection, now: Timestamp, lease: Duration) -> Result<SortedMap<i64, Timestamp>> {
    let mut found = SortedMap::new();
    if fault("seeded: what is in flight is claimed") || fault("seeded: a correction does not wait") {
        return Ok(found);
    }
    let mut running = connection.prepare_cached(
        "SELECT id, action_id, lease_until FROM outbox INDEXED BY outbox_leased
          WHERE state = 'leased' AND lease_until > ?1 AND lease_until <= ?2
         UNION ALL SELECT id, action_id, in_flight_until FROM outbox INDEXED BY outbox_still_runs
          WHERE in_flight_until IS NOT NULL AND in_flight_until > ?1 AND in_flight_until <= ?2",
    )?;
    let mut others =
        connection.prepare_cached("SELECT id FROM outbox INDEXED BY sqlite_autoindex_outbox_1 WHERE action_id = ?1 AND id <> ?2")?;
    let mut rows = running.query([to_ms(now), latest_lease(now, lease)])?;
    while let Some(row) = rows.next()? {
        let (entry, action, until): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        for other in others.query_map([action, entry], |row| row.get(0))? {
            let (other, until) = (other?, moment(until));
            let until = found.get(&other).map_or(until, |known: &Timestamp| until.max(*known));
            found.insert(other, until);
        }
    }
    Ok(found)
}

/// The other entries of the actions of these, which are in flight: of an action one attempt runs at a time, no matter what the rows say. A
/// correction does not begin beside an earlier revision or its replay, nor a replay beside one of these.
pub(crate) fn others_of(connection: &Connection, in_flight: &SortedSet<i64>) -> Result<SortedSet<i64>> {
    let mut found = SortedSet::new();
    for &entry in in_flight {
        found.extend(of_entry(entry, others_of_one(connection, entry))?);
    }
    Ok(found)
}

/// The same for a call that only reads: without those behind a damaged page.
pub(crate) fn readable_others_of(connection: &Connection, in_flight: &SortedSet<i64>) -> Result<SortedSet<i64>> {
    let mut found = SortedSet::new();
    for &entry in in_flight {
        found.extend(unless_damaged(others_of_one(connection, entry))?.unwrap_or_default());
    }
    Ok(found)
}

fn others_of_one(connection: &Connection, entry: i64) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT other.id FROM outbox o JOIN outbox other ON other.action_id = o.action_id AND other.id <> o.id WHERE o.id = ?1",
    )?;
    Ok(statement.query_map([entry], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// Those of these entries that wait and are no longer in flight by their rows.
pub(crate) fn queued_among(connection: &Connection, entries: &SortedSet<i64>, until: Timestamp) -> Result<Vec<EarlierAttempt>> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement =
        connection.prepare(&format!("SELECT id, endpoint FROM outbox WHERE state = 'queued' AND id IN ({})", numbers(entries)))?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        if let (Ok(entry), Ok(endpoint)) = (row.get(0), row.get(1)) {
            found.push(EarlierAttempt { entry, endpoint, until });
        }
    }
    Ok(found)
}

/// Settles an attempt whose entry was abandoned, superseded or sent meanwhile, or abandoned and sent again: its outcome is still recorded, and
/// the next attempt no longer waits for it. False if the entry is in none of these states.
pub(crate) fn settle_abandoned(tx: &Transaction<'_>, lease: &Lease, is_known: bool) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "UPDATE outbox SET unknown_outcomes = iif(state = 'sent', unknown_outcomes, max(unknown_outcomes - ?3, 0)), in_flight_until = NULL
              WHERE id = ?1 AND delivery_id = ?4 AND lease_epoch = ?2
                AND (in_flight_until IS NOT NULL OR state = 'superseded' OR state = 'failed' AND reason = 'abandoned' OR state = 'queued' AND reason IS NULL)",
        )?
        .execute(params![lease.entry, lease.epoch, is_known, lease.message])?;
    Ok(changed == 1)
}
