//! Outbox entries: freezing them, reading them, and what a person does to them. `queue` is the part for delivery.

pub(crate) mod in_flight;
pub(crate) mod lease;
pub(crate) mod list;
pub(crate) mod queue;
pub(crate) mod replay;
pub(crate) mod revive;
pub(crate) mod together;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{OptionalExtension, Row, ToSql, params};

use super::row::{from_ms, lossy, optional_time, sha256, to_ms};
use super::{Connection, Result, StoreError, Transaction};
use crate::crypto::Sha256;
use crate::fault::fault;
use crate::model::{Attempt, DeliveryId, SessionState, Timestamp};
use crate::outbox::at_once;
use crate::sorted::SortedSet;

/// A message to freeze.
pub(crate) struct NewEntry<'a> {
    pub(crate) action_id: i64,
    pub(crate) session_id: i64,
    pub(crate) revision: u32,
    pub(crate) delivery_id: &'a DeliveryId,
    pub(crate) endpoint: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) body_sha256: Sha256,
    pub(crate) workflow_version: &'a str,
    pub(crate) session_state: SessionState,
    /// Created as failed, for this reason.
    pub(crate) failed: Option<&'a str>,
}

/// An entry's row without its body.
#[derive(Debug, Clone)]
pub(crate) struct EntryRow {
    pub(crate) id: i64,
    pub(crate) revision: u32,
    /// The number of this replay of a sent entry; 0: the entry itself.
    pub(crate) replay: u32,
    pub(crate) delivery_id: DeliveryId,
    pub(crate) endpoint: String,
    pub(crate) body_sha256: Sha256,
    pub(crate) body_size: u64,
    pub(crate) frozen_at: Timestamp,
    pub(crate) state: EntryState,
    pub(crate) reason: Option<String>,
    pub(crate) due_at: Timestamp,
    /// Until when an attempt from before it was abandoned, or of an earlier revision, may be in flight.
    pub(crate) in_flight_until: Option<Timestamp>,
    /// That is the end of an attempt of its own, and not of an earlier revision's.
    pub(crate) has_own_attempt: bool,
    pub(crate) attempts: u32,
    pub(crate) unknown_outcomes: u32,
    pub(crate) sent_at: Option<Timestamp>,
    /// Its last attempt that was not cut short found no network.
    pub(crate) offline: bool,
    pub(crate) cut_short: u32,
    /// Redacted fields that its body holds.
    pub(crate) holds_redacted: Vec<String>,
    /// All of it is readable. If not, unreadable parts are blank.
    pub(crate) readable: bool,
}

/// A delivery id by value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MessageId([u8; 30]);

impl MessageId {
    /// None where it does not have the length of an id.
    pub(crate) fn of(id: &DeliveryId) -> Option<Self> {
        id.0.as_bytes().try_into().map(Self).ok()
    }
}

impl ToSql for MessageId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        std::str::from_utf8(&self.0).map(ToSqlOutput::from).map_err(|_| rusqlite::Error::InvalidQuery)
    }
}

/// The states of an entry in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryState {
    Queued,
    Leased,
    Sent,
    Failed,
    Superseded,
}

/// Rows as a list in a statement.
fn numbers(rows: &SortedSet<i64>) -> String {
    rows.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
}

/// A stored moment; one that does not exist in the calendar becomes one far in the future, where it counts as due.
fn moment(ms: i64) -> Timestamp {
    from_ms(ms).unwrap_or(Timestamp::MAX_UTC)
}

/// The condition under which an attempt of an entry itself may be in flight. One that never began may wait for an earlier entry of its action.
pub(in crate::store) const OWN_ATTEMPT: &str = "(o.in_flight_until IS NOT NULL AND NOT (o.attempts = 0 AND EXISTS (
            SELECT 1 FROM outbox older
             WHERE older.action_id = o.action_id AND older.id < o.id
               AND coalesce(older.lease_until, older.in_flight_until) = o.in_flight_until)))";

/// The columns of [`EntryRow`], of a table named `o`; [`OWN_ATTEMPT`] is the last one.
const COLUMNS: &str = "o.id, o.revision, o.delivery_id, o.endpoint, o.body_sha256, o.body_size, o.frozen_at, o.state, o.reason, o.due_at,
                       o.attempts, o.unknown_outcomes, o.sent_at, o.offline_attempts > 0, o.cut_short, iif(o.body_kept = 1, o.holds_redacted, NULL),
                       o.in_flight_until, o.replay";
/// The number of these columns.
const COLUMN_COUNT: usize = 19;

/// Resets the budgets of an entry, but not the delays between its attempts.
const BUDGETS: &str = "counted = 0, slow_counted = 0, failing_ms = 0, last_failure_at = NULL";

/// The condition under which a session keeps an entry: it is neither delivered nor abandoned.
pub(in crate::store) const UNDELIVERED: &str =
    "NOT (o.state IN ('sent', 'superseded') OR (o.state = 'failed' AND o.reason IS 'abandoned'))";

/// The columns of an entry that begins a cycle: its progress is reset.
const FRESH: &str = "counted = 0, slow_counted = 0, offline_attempts = 0, cut_short = 0, failing_ms = 0, last_failure_at = NULL,
                                resynced = 0, refreshed = 0";

/// Freezes a message: due at once, or created as failed. It begins only after every attempt of its action that may be in flight, also one of a
/// replay, or of a file that this one has replaced.
pub(crate) fn insert(tx: &Transaction<'_>, new: &NewEntry<'_>, now: Timestamp) -> Result<()> {
    insert_body(tx, new)?;
    tx.prepare_cached(
        "INSERT INTO outbox (action_id, session_id, revision, delivery_id, endpoint, body_sha256, body_size, workflow_version, session_state,
                             frozen_at, state, reason, due_at, in_flight_until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
                 iif(?14, (SELECT max(until) FROM (
                               SELECT coalesce(o.lease_until, o.in_flight_until) AS until FROM outbox o WHERE o.action_id = ?1
                               UNION ALL SELECT k.in_flight_until FROM action a JOIN session s ON s.id = a.session_id
                                                                      JOIN known_action k ON k.session_key = s.key AND k.key = a.key
                                          WHERE a.id = ?1)), NULL))",
    )?
    .execute(params![
        new.action_id,
        new.session_id,
        new.revision,
        new.delivery_id.0,
        new.endpoint,
        new.body_sha256.0,
        new.body.len() as i64,
        new.workflow_version,
        new.session_state.as_str(),
        to_ms(now),
        if new.failed.is_some() { "failed" } else { "queued" },
        new.failed,
        to_ms(at_once(now)),
        new.failed.is_none() && !fault("seeded: a correction does not wait"),
    ])?;
    Ok(())
}

/// Stores the bytes unless they are there. Damaged ones stay: the message is frozen again from the session when it is sent.
fn insert_body(tx: &Transaction<'_>, new: &NewEntry<'_>) -> Result<()> {
    let there: Option<bool> = tx
        .prepare_cached("SELECT bytes = ?2 FROM body WHERE sha256 = ?1")?
        .query_row(params![new.body_sha256.0, new.body], |row| row.get(0))
        .optional()?;
    match there {
        None => {
            tx.prepare_cached("INSERT INTO body (sha256, bytes) VALUES (?1, ?2)")?.execute(params![new.body_sha256.0, new.body])?;
        }
        Some(true) => {}
        Some(false) => log::warn!("the body of an earlier message with the same content is damaged"),
    }
    Ok(())
}

/// All revisions of an action, newest first, without replays.
pub(crate) fn of_action(connection: &Connection, action_id: i64) -> Result<Vec<EntryRow>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, {OWN_ATTEMPT} FROM outbox o WHERE o.action_id = ?1 AND o.replay = 0 ORDER BY o.revision DESC"
    ))?;
    let mut rows = statement.query([action_id])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(entry_row(row)?);
    }
    Ok(found)
}

/// The newest revision of an action.
pub(crate) fn newest(connection: &Connection, action_id: i64) -> Result<Option<EntryRow>> {
    Ok(of_action(connection, action_id)?.into_iter().next())
}

/// The kept attempts of an entry, newest first.
pub(crate) fn attempts(connection: &Connection, entry_id: i64) -> Result<Vec<Attempt>> {
    let mut statement = connection.prepare_cached(
        "SELECT number, at, duration_ms, status, outcome, counted, unknown FROM attempt WHERE outbox_id = ?1 ORDER BY number DESC",
    )?;
    let mut rows = statement.query([entry_id])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Attempt {
            // A damaged row of the history does not hide the others.
            number: row.get(0).unwrap_or_default(),
            at: row.get(1).ok().and_then(|at| from_ms(at).ok()).unwrap_or(Timestamp::UNIX_EPOCH),
            duration_ms: row.get::<_, i64>(2).unwrap_or_default().max(0) as u64,
            status: row.get(3).unwrap_or_default(),
            outcome: lossy(row, 4)?,
            counted: row.get(5).unwrap_or_default(),
            may_have_been_delivered: row.get(6).unwrap_or_default(),
        });
    }
    Ok(found)
}

/// The body of a message: absent when there is no such message, `None` inside when the body was dropped.
pub(crate) fn body(connection: &Connection, id: &DeliveryId) -> Result<Option<Option<Vec<u8>>>> {
    let mut statement = connection.prepare_cached(
        "SELECT b.bytes, o.body_kept FROM outbox o LEFT JOIN body b ON b.sha256 = o.body_sha256 AND o.body_kept = 1 WHERE o.delivery_id = ?1",
    )?;
    let mut found = None;
    // The message, and its replays.
    for row in statement.query_map([&id.0], |row| Ok((row.get::<_, Option<Vec<u8>>>(0)?, row.get::<_, bool>(1)?)))? {
        match row? {
            (Some(bytes), _) => return Ok(Some(Some(bytes))),
            (None, true) => return Err(StoreError::Corrupt("the body of a message is lost".to_owned())),
            (None, false) => found = Some(None),
        }
    }
    Ok(found)
}

/// A person sends a failed entry again: the same id and bytes, new budgets, due at once. If it was abandoned, it waits for an earlier attempt
/// that may still be in flight.
pub(crate) fn send_again(tx: &Transaction<'_>, entry_id: i64, now: Timestamp) -> Result<()> {
    tx.prepare_cached(&format!(
        "UPDATE outbox SET state = 'queued', reason = NULL, detail = NULL, revived = revived + 1, cycle_counts = (replay = 0), {FRESH}, due_at = ?2
          WHERE id = ?1 AND state = 'failed'"
    ))?
    .execute(params![entry_id, to_ms(at_once(now))])?;
    Ok(())
}

/// A corrected revision, the newest of the action, replaces an entry. A sent one stays sent. An attempt of it that is in flight may still
/// succeed, and is then recorded; the new revision begins only after it has ended, or after its lease.
pub(crate) fn supersede(tx: &Transaction<'_>, entry_id: i64) -> Result<()> {
    tx.prepare_cached(
        "UPDATE outbox SET state = 'superseded', lease_owner = NULL, lease_until = NULL, in_flight_until = coalesce(lease_until, in_flight_until)
          WHERE id = ?1 AND state <> 'sent'",
    )?
    .execute([entry_id])?;
    Ok(())
}

/// The columns of an abandoned entry. An attempt in flight may still succeed, and is then recorded; until it has ended, or its lease is over,
/// no other attempt of the entry begins. A replay drops its body.
pub(crate) const ABANDONED: &str = "state = 'failed', reason = 'abandoned', lease_owner = NULL, lease_until = NULL,
                                   in_flight_until = coalesce(lease_until, in_flight_until), body_kept = iif(replay = 0, body_kept, 0)";

/// A person abandons an undelivered entry. `by` is the cause, in one word; that of one that was abandoned before stays.
pub(crate) fn abandon(tx: &Transaction<'_>, entry_id: i64, by: &'static str) -> Result<()> {
    tx.prepare_cached(&format!(
        "UPDATE outbox SET {ABANDONED}, detail = ?2 WHERE id = ?1 AND state <> 'sent' AND state <> 'superseded' AND reason IS NOT 'abandoned'"
    ))?
    .execute(params![entry_id, by])?;
    Ok(())
}

/// Whether the newest message of an action was abandoned by a restore, because a correction had replaced it in the replaced file.
pub(crate) fn was_abandoned_by_restore(connection: &Connection, action_id: i64) -> Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM outbox o JOIN action a ON a.id = o.action_id
                         WHERE a.id = ?1 AND o.revision = a.revision AND o.replay = 0 AND o.detail = 'restored')",
    )?;
    Ok(statement.query_row([action_id], |row| row.get(0))?)
}

/// The fields in the column of that name. Unreadable ones are ignored, and `check` reports them.
pub(super) fn redacted_fields(marked: Option<&str>) -> Vec<String> {
    marked.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

/// The readable parts of a row. Only a part without a blank value is an error.
fn entry_row(row: &Row<'_>) -> Result<EntryRow> {
    let mut readable = true;
    let mut time = |ms: rusqlite::Result<Option<i64>>| match ms.map(optional_time) {
        Ok(Ok(time)) => time,
        _ => {
            readable = false;
            None
        }
    };
    let frozen_at = time(row.get(6)).unwrap_or(Timestamp::UNIX_EPOCH);
    let sent_at = time(row.get(12));
    let mut text = |index: usize| -> Result<Option<String>> {
        Ok(match row.get_ref(index)? {
            ValueRef::Null => None,
            ValueRef::Text(bytes) => {
                readable &= std::str::from_utf8(bytes).is_ok();
                Some(String::from_utf8_lossy(bytes).into_owned())
            }
            _ => {
                readable = false;
                None
            }
        })
    };
    let (delivery_id, endpoint, state, reason, holds_redacted) = (text(2)?, text(3)?, text(7)?, text(8)?, text(15)?);
    let mut number = |index: usize| -> u32 {
        let number = row.get(index);
        readable &= number.is_ok();
        number.unwrap_or_default()
    };
    let (revision, attempts, unknown_outcomes, cut_short, replay) = (number(1), number(10), number(11), number(14), number(17));
    let body_size = row.get::<_, i64>(5).map(|size| size.max(0) as u64).unwrap_or_default();
    let body_sha256 = row.get::<_, Vec<u8>>(4).ok().and_then(|bytes| sha256(&bytes).ok());
    readable &= body_sha256.is_some();
    let state = match state.as_deref() {
        Some("queued") => EntryState::Queued,
        Some("leased") => EntryState::Leased,
        Some("sent") => EntryState::Sent,
        Some("superseded") => EntryState::Superseded,
        Some("failed") => EntryState::Failed,
        // An unknown word: it is not known to be delivered.
        _ => {
            readable = false;
            EntryState::Queued
        }
    };
    Ok(EntryRow {
        id: row.get(0)?,
        revision,
        replay,
        delivery_id: DeliveryId(delivery_id.unwrap_or_default()),
        endpoint: endpoint.unwrap_or_default(),
        body_sha256: body_sha256.unwrap_or(Sha256([0; 32])),
        body_size,
        frozen_at,
        state,
        reason,
        // A time that does not exist in the calendar was written by a wrong clock, and counts as due.
        due_at: row.get(9).ok().and_then(|at| from_ms(at).ok()).unwrap_or(Timestamp::MAX_UTC),
        in_flight_until: row.get::<_, Option<i64>>(16).ok().flatten().and_then(|until| from_ms(until).ok()),
        has_own_attempt: row.get(18).unwrap_or(true),
        attempts,
        unknown_outcomes,
        sent_at,
        offline: row.get(13).unwrap_or_default(),
        cut_short,
        holds_redacted: redacted_fields(holds_redacted.as_deref()),
        readable,
    })
}
