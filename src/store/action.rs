//! Actions of finished sessions. Only the schema's triggers write their status.

use rusqlite::{OptionalExtension, params};

use super::{Connection, Result, Transaction};
use crate::model::{ActionPreview, ActionStatus};
use crate::outbox::{OpenReplay, reason};

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
    /// Whether its newest entry says something else than the session; none: that was not compared yet.
    pub(crate) differs: Option<bool>,
    /// Why the last edit was not sent.
    pub(crate) edit_not_sent: Option<String>,
    /// The hash of its newest entry's body.
    pub(crate) newest_body: Option<Vec<u8>>,
    /// The size of that body; 0 without one.
    pub(crate) newest_size: u64,
    /// Its newest entry holds a redacted value.
    pub(crate) holds_redacted: bool,
    /// One of its revisions was delivered.
    pub(crate) was_delivered: bool,
    /// Its replay that is neither delivered nor abandoned.
    pub(crate) replay: Option<OpenReplay>,
}

impl ActionRow {
    /// Its newest entry is damaged and was set aside for good.
    pub(crate) fn is_damaged(&self) -> bool {
        self.status == ActionStatus::Failed && self.reason.as_deref() == Some(reason::CORRUPT)
    }

    /// A file that this one has replaced had a newer revision, and the newest one of this file does not wait: receivers may keep that one.
    pub(crate) fn is_passed(&self) -> bool {
        let has_ended = self.status == ActionStatus::Sent || self.status == ActionStatus::Failed;
        has_ended && self.next_revision > self.revision.saturating_add(1)
    }
}

/// The columns of an [`ActionRow`].
const ROW: &str = "id, key, name, section, endpoint, status, reason, revision, failed_sends,
                   EXISTS (SELECT 1 FROM outbox o WHERE o.action_id = action.id AND o.revision = action.revision AND o.replay = 0 AND o.holds_redacted IS NOT NULL),
                   iif(differs = 0 OR differs = 1, differs, NULL),
                   EXISTS (SELECT 1 FROM outbox o WHERE o.action_id = action.id AND o.replay = 0 AND o.state = 'sent'),
                   (SELECT max(iif(EXISTS (SELECT 1 FROM outbox newer
                                            WHERE newer.action_id = o.action_id AND newer.revision > o.revision AND newer.replay = 0 AND newer.state = 'sent'),
                                   'earlier', iif(o.state = 'failed', 'failed', 'waits')))
                      FROM outbox o WHERE o.action_id = action.id AND o.replay > 0 AND o.state <> 'sent' AND o.reason IS NOT 'abandoned'),
                   max(revision, revisions_before) + 1,
                   edit_not_sent,
                   (SELECT CAST(o.body_sha256 AS BLOB) FROM outbox o WHERE o.action_id = action.id AND o.revision = action.revision AND o.replay = 0),
                   (SELECT o.body_size FROM outbox o WHERE o.action_id = action.id AND o.revision = action.revision AND o.replay = 0)";

/// Adds an action that has not fired, with the reason why not (yet). Gives its row, and its next revision: higher than any that a file had
/// which this one has replaced.
pub(crate) fn insert(tx: &Transaction<'_>, session_id: i64, action: &ActionPreview, reason: Option<&str>) -> Result<(i64, u32)> {
    tx.prepare_cached(
        "INSERT INTO action (session_id, key, name, section, endpoint, reason, differs, revisions_before)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ifnull((SELECT k.revision FROM session s JOIN known_action k ON k.session_key = s.key WHERE s.id = ?1 AND k.key = ?2), 0))",
    )?
    .execute(params![session_id, action.key, action.name, action.section, action.endpoint, reason])?;
    let id = tx.last_insert_rowid();
    let next = tx.prepare_cached("SELECT revisions_before + 1 FROM action WHERE id = ?1")?.query_row([id], |row| row.get(0))?;
    Ok((id, next))
}

/// All actions of a session, in path order.
pub(crate) fn of_session(connection: &Connection, session_id: i64) -> Result<Vec<ActionRow>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {ROW} FROM action WHERE session_id = ?1 ORDER BY id"))?;
    let rows = statement.query_map([session_id], action_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Keeps whether the newest entry of an action says something else than its session.
pub(crate) fn keep_comparison(tx: &Transaction<'_>, id: i64, differs: bool) -> Result<()> {
    tx.prepare_cached("UPDATE action SET differs = ?2, edit_not_sent = iif(?2, edit_not_sent, NULL) WHERE id = ?1 AND differs IS NOT ?2")?
        .execute(params![id, differs])?;
    Ok(())
}

/// Counts the actions of a session that differ; not while one was not compared.
pub(crate) fn count_differing(tx: &Transaction<'_>, session_id: i64) -> Result<()> {
    tx.prepare_cached(
        "UPDATE session SET actions_differing = (SELECT iif(count(*) = count(differs), count(*) FILTER (WHERE differs = 1), NULL)
                                                   FROM action WHERE session_id = ?1)
          WHERE id = ?1",
    )?
    .execute([session_id])?;
    Ok(())
}

/// Keeps why an edit of what an action sent was not sent.
pub(crate) fn keep_why_not_sent(tx: &Transaction<'_>, id: i64, why: &str) -> Result<()> {
    tx.prepare_cached("UPDATE action SET edit_not_sent = ?2 WHERE id = ?1")?.execute(params![id, why])?;
    Ok(())
}

/// The rows of sessions that were not compared, in order.
pub(crate) fn not_compared(connection: &Connection, after: i64, limit: u32) -> Result<Vec<i64>> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM session WHERE actions_differing IS NULL AND id > ?1 ORDER BY id LIMIT ?2")?;
    let ids = statement.query_map([after, limit.into()], |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
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
        edit_not_sent: row.get(14).unwrap_or_default(),
        newest_body: row.get(15)?,
        // A damaged one is none.
        newest_size: row.get(16).ok().flatten().map_or(0, |size: i64| size.max(0) as u64),
        was_delivered: row.get(11)?,
        replay: row.get_ref(12)?.as_str_or_null()?.map(|replay| match replay {
            "waits" => OpenReplay::Waits,
            "failed" => OpenReplay::Failed,
            _ => OpenReplay::Earlier,
        }),
    })
}
