//! Purging and deleting. What was not delivered stays: the schema refuses anything else.

use rusqlite::{OptionalExtension, params};

use super::row::to_ms;
use super::{Connection, Result, Transaction, search};
use crate::model::{SessionKey, Timestamp};

/// The condition under which an entry may go with its session.
pub(super) const UNDELIVERED: &str = "NOT (o.state IN ('sent', 'superseded') OR (o.state = 'failed' AND o.reason = 'abandoned'))";

/// Rows of finished sessions that are older than `before` and hold nothing undelivered, oldest first.
pub(crate) fn purgeable(connection: &Connection, before: Timestamp, limit: u32) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT s.id FROM session s WHERE s.finished_at < ?1
            AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.session_id = s.id AND {UNDELIVERED})
          ORDER BY s.finished_at LIMIT ?2"
    ))?;
    let rows = statement.query_map(params![to_ms(before), limit], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How many sessions that old stay because of something undelivered.
pub(crate) fn kept(connection: &Connection, before: Timestamp) -> Result<u64> {
    let count: i64 = connection
        .prepare_cached(&format!(
            "SELECT count(*) FROM session s WHERE s.finished_at < ?1
                AND EXISTS (SELECT 1 FROM outbox o WHERE o.session_id = s.id AND {UNDELIVERED})"
        ))?
        .query_row([to_ms(before)], |row| row.get(0))?;
    Ok(count as u64)
}

/// How many undelivered entries the session holds.
pub(crate) fn undelivered(connection: &Connection, id: i64) -> Result<u64> {
    let count: i64 = connection
        .prepare_cached(&format!("SELECT count(*) FROM outbox o WHERE o.session_id = ?1 AND {UNDELIVERED}"))?
        .query_row([id], |row| row.get(0))?;
    Ok(count as u64)
}

/// Removes a finished session and all that belongs to it, and leaves a tombstone.
pub(crate) fn delete(tx: &Transaction<'_>, id: i64, cause: &str, now: Timestamp) -> Result<()> {
    tx.prepare_cached(
        "INSERT OR IGNORE INTO tombstone (key, workflow_key, state, finished_at, deleted_at, cause)
         SELECT s.key, w.key, s.state, s.finished_at, ?2, ?3 FROM session s JOIN workflow w ON w.id = s.workflow_id WHERE s.id = ?1",
    )?
    .execute(params![id, to_ms(now), cause])?;
    for table in ["outbox", "action", "draft", "note", "value", "visit", "event"] {
        tx.prepare_cached(&format!("DELETE FROM {table} WHERE session_id = ?1"))?.execute([id])?;
    }
    search::remove(tx, id)?;
    tx.prepare_cached("DELETE FROM session WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// Why a session that is not there any more is gone, if it ever was there.
pub(crate) fn is_tombstone(connection: &Connection, key: SessionKey) -> Result<bool> {
    Ok(connection.prepare_cached("SELECT 1 FROM tombstone WHERE key = ?1")?.query_row([key.0.as_bytes()], |_| Ok(())).optional()?.is_some())
}

/// Gives the bodies of messages back that were sent before `before`; hash and size stay.
pub(crate) fn release_bodies(tx: &Transaction<'_>, before: Timestamp, limit: u32) -> Result<u64> {
    let released = tx
        .prepare_cached(
            "UPDATE outbox SET body = NULL WHERE id IN
                (SELECT id FROM outbox WHERE state = 'sent' AND body IS NOT NULL AND sent_at < ?1 ORDER BY sent_at LIMIT ?2)",
        )?
        .execute(params![to_ms(before), limit])?;
    Ok(released as u64)
}
