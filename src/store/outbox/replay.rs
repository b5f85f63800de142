//! Replays: a delivered message is sent once more, with the same id and bytes. Each is a row of its own in the outbox, and the queue treats it
//! like any other; the entry that it repeats does not change.

use rusqlite::{OptionalExtension, params};

use super::super::row::to_ms;
use super::super::{Connection, Result, Transaction, of_entry, unless_damaged};
use super::list::{ToSend, to_send};
use super::{COLUMNS, EntryRow, OWN_ATTEMPT, entry_row};
use crate::model::{ReplayFilter, Timestamp};
use crate::outbox::at_once;

/// The condition under which an entry is the newest delivered one of its action, which replaces those before it.
const NEWEST_SENT: &str = "o.state = 'sent' AND o.replay = 0 AND NOT EXISTS (
              SELECT 1 FROM outbox newer WHERE newer.action_id = o.action_id AND newer.revision > o.revision AND newer.replay = 0 AND newer.state = 'sent')";

/// The replays of an action, newest first.
pub(crate) fn of_action(connection: &Connection, action_id: i64) -> Result<Vec<EntryRow>> {
    rows(connection, "o.action_id = ?1 AND o.replay > 0 ORDER BY o.revision DESC, o.replay DESC", action_id)
}

/// The replays of an action that are neither delivered nor abandoned.
pub(crate) fn open(connection: &Connection, action_id: i64) -> Result<Vec<EntryRow>> {
    let is_open = "o.action_id = ?1 AND o.replay > 0 AND o.state <> 'sent' AND o.reason IS NOT 'abandoned'";
    rows(connection, is_open, action_id)
}

/// The newest delivered revision of an action.
pub(crate) fn newest_sent(connection: &Connection, action_id: i64) -> Result<Option<EntryRow>> {
    Ok(rows(connection, &format!("o.action_id = ?1 AND {NEWEST_SENT}"), action_id)?.pop())
}

fn rows(connection: &Connection, which: &str, action_id: i64) -> Result<Vec<EntryRow>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS}, {OWN_ATTEMPT} FROM outbox o WHERE {which}"))?;
    let mut rows = statement.query([action_id])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(entry_row(row)?);
    }
    Ok(found)
}

/// Whether the bytes of this message hold a redacted value. They may be kept for an earlier replay of it alone.
pub(crate) fn holds_redacted(connection: &Connection, entry_id: i64) -> Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM outbox o JOIN outbox k ON k.delivery_id = o.delivery_id
                         WHERE o.id = ?1 AND k.body_kept = 1 AND k.holds_redacted IS NOT NULL)",
    )?;
    Ok(statement.query_row([entry_id], |row| row.get(0))?)
}

/// Queues a replay of this delivered entry, due at once, or after an attempt of an earlier replay that may be in flight. False where its body
/// was dropped.
pub(crate) fn queue(tx: &Transaction<'_>, entry_id: i64, now: Timestamp) -> Result<bool> {
    let queued = tx
        .prepare_cached(
            "INSERT INTO outbox (action_id, session_id, revision, replay, delivery_id, endpoint, body_sha256, body_size, workflow_version,
                                 session_state, frozen_at, due_at, cycle_counts, in_flight_until)
             SELECT action_id, session_id, revision, 1 + (SELECT max(r.replay) FROM outbox r WHERE r.delivery_id = o.delivery_id), delivery_id,
                    endpoint, body_sha256, body_size, workflow_version, session_state, ?2, ?3, 0,
                    (SELECT max(coalesce(r.lease_until, r.in_flight_until)) FROM outbox r WHERE r.delivery_id = o.delivery_id)
               FROM outbox o
              WHERE id = ?1 AND EXISTS (SELECT 1 FROM outbox k JOIN body b ON b.sha256 = k.body_sha256
                                         WHERE k.delivery_id = o.delivery_id AND k.body_kept = 1)",
        )?
        .execute(params![entry_id, to_ms(now), to_ms(at_once(now))])?;
    Ok(queued == 1)
}

/// Stores the bytes of this delivered entry again, which keeps them, but of which they were lost. False where that is not so.
pub(crate) fn restore_body(tx: &Transaction<'_>, entry_id: i64, bytes: &[u8]) -> Result<bool> {
    let restored = tx
        .prepare_cached(
            "INSERT INTO body (sha256, bytes)
             SELECT o.body_sha256, ?2 FROM outbox o
              WHERE o.id = ?1 AND NOT EXISTS (SELECT 1 FROM body WHERE sha256 = o.body_sha256)
                AND EXISTS (SELECT 1 FROM outbox k WHERE k.delivery_id = o.delivery_id AND k.body_kept = 1)",
        )?
        .execute(params![entry_id, bytes])?;
    Ok(restored == 1)
}

/// At most `limit` delivered entries of this filter with a row after `after`, oldest first. Of an action only the newest delivered revision.
pub(crate) fn sent(connection: &Connection, filter: &ReplayFilter, after: i64, limit: u32) -> Result<Vec<ToSend>> {
    let mut ids = connection.prepare_cached(&format!("SELECT o.id FROM outbox o WHERE {} ORDER BY o.id LIMIT ?5", of_filter()))?;
    let mut one = connection.prepare_cached(
        "SELECT o.id, s.key, a.key FROM outbox o JOIN action a ON a.id = o.action_id JOIN session s ON s.id = o.session_id WHERE o.id = ?1",
    )?;
    let [from, until] = [filter.sent_from, filter.sent_until].map(|at| at.map(to_ms));
    let listed: Vec<i64> =
        ids.query_map(params![after, filter.endpoint, from, until, limit], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut found = Vec::with_capacity(listed.len());
    for id in listed {
        let listed = unless_damaged(of_entry(id, one.query_row([id], to_send).optional().map_err(Into::into)))?.flatten();
        found.push(listed.unwrap_or(ToSend { id, session_and_action: None }));
    }
    Ok(found)
}

/// How many of them there are with a row after `after`.
pub(crate) fn count_sent(connection: &Connection, filter: &ReplayFilter, after: i64) -> Result<u64> {
    let [from, until] = [filter.sent_from, filter.sent_until].map(|at| at.map(to_ms));
    let mut statement = connection.prepare_cached(&format!("SELECT count(*) FROM outbox o WHERE {}", of_filter()))?;
    Ok(statement.query_row(params![after, filter.endpoint, from, until], |row| row.get::<_, i64>(0))?.unsigned_abs())
}

fn of_filter() -> String {
    format!("o.id > ?1 AND o.endpoint = ?2 AND (?3 IS NULL OR o.sent_at >= ?3) AND (?4 IS NULL OR o.sent_at < ?4) AND {NEWEST_SENT}")
}
