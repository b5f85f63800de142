//! Purging and deleting. Undelivered messages stay: the schema refuses to delete them.

use rusqlite::{OptionalExtension, params};

use super::known::{self, NO_SESSION};
use super::outbox::UNDELIVERED;
use super::row::to_ms;
use super::{Connection, Result, StoreError, Transaction, command, meta, of_entry, of_session, search, unless_damaged, without_damaged};
use crate::model::{SessionKey, Timestamp};

/// The condition that keeps a session with actions that did not fire because the integration was off, if it was ever on.
const NOT_FIRED: &str = "(SELECT integration_was_enabled FROM meta WHERE id = 1) = 1
            AND EXISTS (SELECT 1 FROM action a WHERE a.session_id = s.id AND a.status = 'not_fired' AND a.reason = 'integration_off')";

/// Finished sessions that are old enough to be removed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cutoff {
    /// Finished at this age of the database, in milliseconds, or before.
    Age(i64),
    /// Finished before this moment of the wall clock. For a person's call: also with actions that did not fire.
    Time(Timestamp),
}

/// Where reading finished sessions continues: after the one that has this row and finished at this age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    age: i64,
    id: i64,
}

impl Place {
    pub(crate) const FIRST: Self = Self { age: i64::MIN, id: 0 };
    pub(crate) const LAST: Self = Self { age: i64::MAX, id: i64::MAX };
}

/// An old session.
pub(crate) struct OldSession {
    pub(crate) id: i64,
    pub(crate) place: Place,
    /// Acts in its event log, which determine the cost of removing it.
    pub(crate) acts: u32,
    /// It cannot be read whether something keeps it.
    pub(crate) is_damaged: bool,
    /// One of its messages is neither delivered nor abandoned.
    pub(crate) undelivered: bool,
    /// It has actions that did not fire because the integration was off, and the integration was ever on.
    pub(crate) not_fired: bool,
}

/// At most `limit` old sessions after this place, in the order in which they finished.
pub(crate) fn old(connection: &Connection, cutoff: Cutoff, after: Place, limit: u32) -> Result<Vec<OldSession>> {
    let (until_age, before) = match cutoff {
        Cutoff::Age(age) => (age, i64::MAX),
        Cutoff::Time(time) => (i64::MAX, to_ms(time)),
    };
    let mut keeps = connection.prepare_cached(&format!(
        "SELECT EXISTS (SELECT 1 FROM outbox o WHERE o.session_id = s.id AND {UNDELIVERED}), {NOT_FIRED} FROM session s WHERE s.id = ?1"
    ))?;
    let mut statement = connection.prepare_cached(
        "SELECT s.id, s.finished_age, s.last_seq FROM session s
          WHERE s.finished_at IS NOT NULL AND s.finished_age <= ?1 AND s.finished_at < ?2 AND (s.finished_age, s.id) > (?3, ?4)
          ORDER BY s.finished_age, s.id LIMIT ?5",
    )?;
    let rows = statement.query_map(params![until_age, before, after.age, after.id, limit], |row| {
        let (id, age) = (row.get(0)?, row.get(1)?);
        let acts = row.get(2).unwrap_or_default();
        Ok((id, Place { age, id }, acts))
    })?;
    let mut found = Vec::new();
    for row in rows {
        let (id, place, acts) = row?;
        let kept = unless_damaged(keeps.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).map_err(StoreError::from))?;
        let (undelivered, not_fired) = kept.unwrap_or_default();
        found.push(OldSession { id, place, acts, is_damaged: kept.is_none(), undelivered, not_fired });
    }
    Ok(found)
}

/// Whether there is something to remove: a session that finished at `session_age` or before, a body that was sent at `body_age` or before, or
/// a tombstone or id from before `forgotten_age`. Without `session_age` sessions stay. Gives the place before which all sessions stay.
pub(crate) fn due(connection: &Connection, session_age: Option<i64>, body_age: i64, forgotten_age: i64) -> Result<Option<Place>> {
    let session = connection
        .prepare_cached(&format!(
            "SELECT s.finished_age, s.id FROM session s
              WHERE s.finished_at IS NOT NULL AND s.finished_age <= ?1 AND NOT ({NOT_FIRED})
                AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.session_id = s.id AND {UNDELIVERED})
              ORDER BY s.finished_age, s.id LIMIT 1"
        ))?
        .query_row([session_age.unwrap_or(i64::MIN)], |row| Ok(Place { age: row.get(0)?, id: row.get::<_, i64>(1)? - 1 }))
        .optional()?;
    let others = connection
        .prepare_cached(&format!(
            "SELECT EXISTS (SELECT 1 FROM outbox WHERE state = 'sent' AND body_kept = 1 AND sent_age <= ?1)
                 OR EXISTS (SELECT 1 FROM tombstone WHERE deleted_age < ?2) OR EXISTS (SELECT 1 FROM hashed_command WHERE hashed_age < ?2)
                 OR EXISTS (SELECT 1 FROM known_action k WHERE k.known_age < ?2 AND {NO_SESSION})"
        ))?
        .query_row([body_age, forgotten_age], |row| row.get(0))?;
    Ok(if others { session.or(Some(Place::LAST)) } else { session })
}

/// How many undelivered entries the session holds.
pub(crate) fn undelivered(connection: &Connection, id: i64) -> Result<u64> {
    let count: i64 = connection
        .prepare_cached(&format!("SELECT count(*) FROM outbox o WHERE o.session_id = ?1 AND {UNDELIVERED}"))?
        .query_row([id], |row| row.get(0))?;
    Ok(count as u64)
}

/// Removes a finished session with everything that belongs to it. Leaves a tombstone, and keyed hashes of its command ids.
pub(crate) fn delete(tx: &Transaction<'_>, id: i64, cause: &str, actor: Option<&str>, now: Timestamp) -> Result<()> {
    let age = meta::age(tx)?;
    of_session::find_all(tx, id)?;
    tx.prepare_cached(
        "INSERT OR IGNORE INTO tombstone (key, workflow_key, state, finished_at, deleted_at, cause, actor, deleted_age)
         SELECT s.key, w.key, s.state, s.finished_at, ?2, ?3, ?4, ?5 FROM session s JOIN workflow w ON w.id = s.workflow_id WHERE s.id = ?1",
    )?
    .execute(params![id, to_ms(now), cause, actor, age])?;
    known::keep_of_deleted(tx, id, age)?;
    command::keep_hashes(tx, id, age)?;
    for table in ["outbox", "action", "draft", "note", "value", "visit", "command", "event"] {
        tx.prepare_cached(&format!("DELETE FROM {table} WHERE session_id = ?1"))?.execute([id])?;
    }
    search::remove(tx, id)?;
    tx.prepare_cached("DELETE FROM session WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// Whether there is a tombstone of this session.
pub(crate) fn is_tombstone(connection: &Connection, key: SessionKey) -> Result<bool> {
    Ok(connection.prepare_cached("SELECT 1 FROM tombstone WHERE key = ?1")?.query_row([key.0.as_bytes()], |_| Ok(())).optional()?.is_some())
}

/// Forgets sessions that were removed before this age, the ids of their commands, and what was known of actions; at most `limit` of each. Gives their number.
pub(crate) fn forget(tx: &Transaction<'_>, before: i64, limit: u32) -> Result<u64> {
    let mut forgotten = command::forget_hashes(tx, before, limit)?;
    // A repeated start with a known id needs the tombstone.
    if forgotten < limit as usize {
        let sessions =
            "DELETE FROM tombstone WHERE key IN (SELECT key FROM tombstone WHERE deleted_age < ?1 ORDER BY deleted_age LIMIT ?2)";
        forgotten += tx.prepare_cached(sessions)?.execute(params![before, limit])?;
    }
    if forgotten < limit as usize {
        forgotten += known::forget(tx, before, limit)?;
    }
    Ok(forgotten as u64)
}

/// Drops the bodies of messages that were sent at this age of the database or before; hash and size stay. At most `limit` bodies, and at
/// most one after `bytes` are reached. Has to be the first work of a transaction.
pub(crate) fn drop_bodies(tx: &Transaction<'_>, age: i64, limit: u32, bytes: i64, now: Timestamp) -> Result<u64> {
    let released = without_damaged(tx, |damaged| {
        // Also where it begins again.
        meta::carry_age(tx, now)?;
        // By the index alone, which needs no page of the table.
        let mut old = tx.prepare_cached(
            "SELECT id FROM outbox INDEXED BY outbox_body_kept WHERE state = 'sent' AND body_kept = 1 AND sent_age <= ?1
              ORDER BY sent_age LIMIT ?2",
        )?;
        let old = old.query_map(params![age, i64::from(limit) + damaged.len() as i64], |row| row.get(0))?;
        let old: Vec<i64> = old.collect::<rusqlite::Result<_>>()?;
        let mut release = tx.prepare_cached("UPDATE outbox SET body_kept = 0 WHERE id = ?1 RETURNING body_size")?;
        let (mut released, mut size) = (0, 0_i64);
        for id in old.into_iter().filter(|id| !damaged.contains(id)).take(limit as usize) {
            if size >= bytes {
                break;
            }
            let gone = release.query_row([id], |row| Ok(row.get(0).unwrap_or_default())).map_err(StoreError::from);
            if let Some(of_it) = unless_damaged(of_entry(id, gone))? {
                (released, size) = (released + 1, size.saturating_add(of_it));
            }
        }
        Ok(released)
    });
    Ok(released?.0)
}
