//! Outbox entries: freezing them, reading them, and what a person does to them. `queue` is the part that delivery drives.

pub(crate) mod list;
pub(crate) mod queue;

use rusqlite::{OptionalExtension, Row, params};

use super::row::{from_ms, optional_time, sha256, to_ms};
use super::{Connection, Result, Transaction};
use crate::crypto::Sha256;
use crate::model::{Attempt, DeliveryId, SessionState, Timestamp};

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
    /// Born failed, for this reason.
    pub(crate) failed: Option<&'a str>,
}

/// An entry's row without its body.
#[derive(Debug, Clone)]
pub(crate) struct EntryRow {
    pub(crate) id: i64,
    pub(crate) revision: u32,
    pub(crate) delivery_id: DeliveryId,
    pub(crate) endpoint: String,
    pub(crate) body_sha256: Sha256,
    pub(crate) body_size: u64,
    pub(crate) frozen_at: Timestamp,
    pub(crate) state: EntryState,
    pub(crate) reason: Option<String>,
    pub(crate) due_at: Timestamp,
    pub(crate) attempts: u32,
    pub(crate) unknown_outcomes: u32,
    pub(crate) sent_at: Option<Timestamp>,
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

/// The columns of [`EntryRow`], of a table named `o`.
const COLUMNS: &str = "o.id, o.revision, o.delivery_id, o.endpoint, o.body_sha256, o.body_size, o.frozen_at, o.state, o.reason, o.due_at,
                       o.attempts, o.unknown_outcomes, o.sent_at";

/// Freezes a message: due at once, or born failed.
pub(crate) fn insert(tx: &Transaction<'_>, new: &NewEntry<'_>, now: Timestamp) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO outbox (action_id, session_id, revision, delivery_id, endpoint, body, body_sha256, body_size, workflow_version,
                             session_state, frozen_at, state, reason, due_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?11)",
    )?
    .execute(params![
        new.action_id,
        new.session_id,
        new.revision,
        new.delivery_id.0,
        new.endpoint,
        new.body,
        new.body_sha256.0,
        new.body.len() as i64,
        new.workflow_version,
        new.session_state.as_str(),
        to_ms(now),
        if new.failed.is_some() { "failed" } else { "queued" },
        new.failed,
    ])?;
    Ok(())
}

/// All revisions of an action, newest first.
pub(crate) fn of_action(connection: &Connection, action_id: i64) -> Result<Vec<EntryRow>> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM outbox o WHERE o.action_id = ?1 ORDER BY o.revision DESC"))?;
    let mut rows = statement.query([action_id])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(entry_row(row)?);
    }
    Ok(found)
}

/// The kept tries of an entry, newest first.
pub(crate) fn attempts(connection: &Connection, entry_id: i64) -> Result<Vec<Attempt>> {
    let mut statement = connection.prepare_cached(
        "SELECT number, at, duration_ms, status, outcome, counted, unknown FROM attempt WHERE outbox_id = ?1 ORDER BY number DESC",
    )?;
    let mut rows = statement.query([entry_id])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Attempt {
            number: row.get(0)?,
            at: from_ms(row.get(1)?)?,
            duration_ms: row.get::<_, i64>(2)? as u64,
            status: row.get(3)?,
            outcome: row.get(4)?,
            counted: row.get(5)?,
            may_have_been_delivered: row.get(6)?,
        });
    }
    Ok(found)
}

/// The body of a message: absent when there is no such message, `None` inside when the body was given back.
pub(crate) fn body(connection: &Connection, id: &DeliveryId) -> Result<Option<Option<Vec<u8>>>> {
    Ok(connection.prepare_cached("SELECT body FROM outbox WHERE delivery_id = ?1")?.query_row([&id.0], |row| row.get(0)).optional()?)
}

/// Whether these bytes were frozen before under the same identity.
pub(crate) fn exists(connection: &Connection, id: &DeliveryId) -> Result<bool> {
    Ok(connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM outbox WHERE delivery_id = ?1)")?.query_row([&id.0], |row| row.get(0))?)
}

/// A person sends a failed entry again: the same id and bytes, fresh budgets.
pub(crate) fn send_again(tx: &Transaction<'_>, entry_id: i64, now: Timestamp) -> Result<()> {
    tx.prepare_cached(
        "UPDATE outbox SET state = 'queued', reason = NULL, due_at = ?2, revived = revived + 1, cycle_counts = 1,
                           counted = 0, slow_counted = 0, offline_tries = 0, resynced = 0, first_contact_at = NULL
          WHERE id = ?1 AND state = 'failed'",
    )?
    .execute(params![entry_id, to_ms(now)])?;
    Ok(())
}

/// A corrected revision has taken the place of a failed entry.
pub(crate) fn supersede(tx: &Transaction<'_>, entry_id: i64) -> Result<()> {
    tx.prepare_cached("UPDATE outbox SET state = 'superseded' WHERE id = ?1")?.execute([entry_id])?;
    Ok(())
}

/// A person gives an undelivered entry up. A try that is in the air may still end well, and is then recorded.
pub(crate) fn abandon(tx: &Transaction<'_>, entry_id: i64) -> Result<()> {
    tx.prepare_cached(
        "UPDATE outbox SET state = 'failed', reason = 'abandoned', lease_owner = NULL, lease_until = NULL
          WHERE id = ?1 AND state IN ('queued', 'leased', 'failed')",
    )?
    .execute([entry_id])?;
    Ok(())
}

fn entry_row(row: &Row<'_>) -> Result<EntryRow> {
    let state = match row.get_ref(7)?.as_str().map_err(rusqlite::Error::from)? {
        "queued" => EntryState::Queued,
        "leased" => EntryState::Leased,
        "sent" => EntryState::Sent,
        "superseded" => EntryState::Superseded,
        // The column's CHECK allows no sixth word.
        _ => EntryState::Failed,
    };
    Ok(EntryRow {
        id: row.get(0)?,
        revision: row.get(1)?,
        delivery_id: DeliveryId(row.get(2)?),
        endpoint: row.get(3)?,
        body_sha256: sha256(&row.get::<_, Vec<u8>>(4)?)?,
        body_size: row.get::<_, i64>(5)? as u64,
        frozen_at: from_ms(row.get(6)?)?,
        state,
        reason: row.get(8)?,
        due_at: from_ms(row.get(9)?)?,
        attempts: row.get(10)?,
        unknown_outcomes: row.get(11)?,
        sent_at: optional_time(row.get(12)?)?,
    })
}

/// Messages whose kept body is not the one that was frozen.
pub(crate) fn corrupt(connection: &Connection) -> Result<Vec<DeliveryId>> {
    let mut statement = connection.prepare("SELECT delivery_id, body, body_sha256 FROM outbox WHERE body IS NOT NULL")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let body = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        if Sha256::of(body) != sha256(&row.get::<_, Vec<u8>>(2)?)? {
            found.push(DeliveryId(row.get(0)?));
        }
    }
    Ok(found)
}
