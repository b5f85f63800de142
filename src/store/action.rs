//! Actions of finished sessions. Only the schema's triggers write their status.

use rusqlite::{OptionalExtension, params};

use super::{Connection, Result, Transaction};
use crate::crypto::Sha256;
use crate::model::{ActionPreview, ActionStatus};
use crate::outbox::OpenReplay;

/// An action's row.
pub(crate) struct ActionRow {
    pub(crate) id: i64,
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) section: String,
    pub(crate) endpoint: String,
    pub(crate) status: ActionStatus,
    pub(crate) reason: Option<String>,
    pub(crate) revision: u32,
    /// That of the next one: higher than any that a file had which this one has replaced.
    pub(crate) next_revision: u32,
    pub(crate) failed_sends: u32,
    /// The session was edited since, and its newest entry differs.
    pub(crate) differs: bool,
    /// Its newest entry holds a redacted value.
    pub(crate) holds_redacted: bool,
    /// One of its revisions was delivered.
    pub(crate) was_delivered: bool,
    /// Its replay that is neither delivered nor abandoned.
    pub(crate) replay: Option<OpenReplay>,
}

/// The columns of an [`ActionRow`].
const ROW: &str = "id, key, name, section, endpoint, status, reason, revision, failed_sends,
                   EXISTS (SELECT 1 FROM outbox o WHERE o.action_id = action.id AND o.revision = action.revision AND o.replay = 0 AND o.holds_redacted IS NOT NULL),
                   differs IS 1,
                   EXISTS (SELECT 1 FROM outbox o WHERE o.action_id = action.id AND o.replay = 0 AND o.state = 'sent'),
                   (SELECT max(o.state <> 'failed') FROM outbox o WHERE o.action_id = action.id AND o.replay > 0 AND o.state <> 'sent' AND o.reason IS NOT 'abandoned'),
                   max(revision, revisions_before) + 1";

/// Adds an action that has not fired, with the reason why not (yet). Gives its row.
pub(crate) fn insert(tx: &Transaction<'_>, session_id: i64, action: &ActionPreview, reason: Option<&str>) -> Result<i64> {
    tx.prepare_cached("INSERT INTO action (session_id, key, name, section, endpoint, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![session_id, action.key, action.name, action.section, action.endpoint, reason])?;
    Ok(tx.last_insert_rowid())
}

/// All actions of a session, in path order.
pub(crate) fn of_session(connection: &Connection, session_id: i64) -> Result<Vec<ActionRow>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {ROW} FROM action WHERE session_id = ?1 ORDER BY id"))?;
    let rows = statement.query_map([session_id], action_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Whether anything was queued for a session.
pub(crate) fn has_messages(connection: &Connection, session_id: i64) -> Result<bool> {
    Ok(connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM outbox WHERE session_id = ?1)")?
        .query_row([session_id], |row| row.get(0))?)
}

/// Keeps of each action of a session whether its newest entry says something else than a payload with this hash, and counts them.
pub(crate) fn compare(tx: &Transaction<'_>, session_id: i64, payload: Sha256) -> Result<()> {
    tx.prepare_cached(
        "UPDATE action SET differs = (SELECT o.body_sha256 <> ?2 FROM outbox o WHERE o.action_id = action.id AND o.revision = action.revision AND o.replay = 0)
          WHERE session_id = ?1",
    )?
    .execute(params![session_id, payload.0])?;
    tx.prepare_cached(
        "UPDATE session SET actions_differing = (SELECT count(*) FROM action WHERE session_id = ?1 AND differs = 1) WHERE id = ?1",
    )?
    .execute([session_id])?;
    Ok(())
}

/// One action of a session.
pub(crate) fn find(connection: &Connection, session_id: i64, key: &str) -> Result<Option<ActionRow>> {
    Ok(connection
        .prepare_cached(&format!("SELECT {ROW} FROM action WHERE session_id = ?1 AND key = ?2"))?
        .query_row(params![session_id, key], action_row)
        .optional()?)
}

fn action_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<ActionRow> {
    let status = match row.get_ref(5)?.as_str()? {
        "not_fired" => ActionStatus::NotFired,
        "pending" => ActionStatus::Pending,
        "sent" => ActionStatus::Sent,
        // The column's CHECK allows only four words.
        _ => ActionStatus::Failed,
    };
    Ok(ActionRow {
        id: row.get(0)?,
        key: row.get(1)?,
        name: row.get(2)?,
        section: row.get(3)?,
        endpoint: row.get(4)?,
        status,
        reason: row.get(6)?,
        revision: row.get(7)?,
        next_revision: row.get(13)?,
        failed_sends: row.get(8)?,
        holds_redacted: row.get(9)?,
        differs: row.get(10)?,
        was_delivered: row.get(11)?,
        replay: row.get::<_, Option<bool>>(12)?.map(|waits| if waits { OpenReplay::Waits } else { OpenReplay::Failed }),
    })
}
