//! Removing something from the event log of a session, which is changed in no other way, and from data derived from it.

use rusqlite::{Row, params};

use super::outbox::{OWN_ATTEMPT, UNDELIVERED, redacted_fields};
use super::row::to_json;
use super::{Connection, Result, StoreError, Transaction, command, meta};
use crate::crypto::Sha256;
use crate::model::Event;

/// A message that keeps its body.
pub(crate) struct Kept {
    pub(crate) entry: i64,
    /// Key of its action.
    pub(crate) action: String,
    /// Neither delivered nor abandoned.
    pub(crate) undelivered: bool,
    /// Claimed, or an attempt from before it was abandoned may be in flight.
    pub(crate) leased: bool,
    pub(crate) sent: bool,
    /// It sends a delivered message once more.
    pub(crate) replay: bool,
}

/// The messages of a session whose bodies fulfil `is_such`. It gets a lost or damaged body as empty: the body may be frozen again.
pub(crate) fn messages(connection: &Connection, session_id: i64, is_such: impl Fn(&[u8]) -> bool) -> Result<Vec<Kept>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT o.id, a.key, {UNDELIVERED}, o.state = 'leased' OR {OWN_ATTEMPT}, o.state = 'sent', b.bytes, o.body_sha256, o.replay > 0
           FROM outbox o JOIN action a ON a.id = o.action_id LEFT JOIN body b ON b.sha256 = o.body_sha256
          WHERE o.session_id = ?1 AND o.body_kept = 1 ORDER BY o.id"
    ))?;
    let mut rows = statement.query([session_id])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (bytes, hash) = (row.get_ref(5)?.as_blob().unwrap_or_default(), row.get_ref(6)?.as_blob().unwrap_or_default());
        if is_such(if Sha256::of(bytes).0 == hash { bytes } else { &[] }) {
            found.push(Kept {
                entry: row.get(0)?,
                action: row.get(1)?,
                undelivered: row.get(2)?,
                leased: row.get(3)?,
                sent: row.get(4)?,
                replay: row.get(7)?,
            });
        }
    }
    Ok(found)
}

/// The messages of a session that a redaction abandoned, or that were abandoned and may be in flight, and whether they may be.
pub(crate) fn abandoned(connection: &Connection, session_id: i64) -> Result<Vec<(i64, bool)>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT o.id, {OWN_ATTEMPT} FROM outbox o WHERE o.session_id = ?1 AND (o.detail = 'redacted' OR {OWN_ATTEMPT})"
    ))?;
    Ok(statement.query_map([session_id], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?)
}

/// Marks that the body of this message holds a redacted value of this field.
pub(crate) fn mark(tx: &Transaction<'_>, entry: i64, field: &str) -> Result<()> {
    let marked: Option<String> = tx
        .prepare_cached("SELECT holds_redacted FROM outbox WHERE id = ?1")?
        .query_row([entry], |row| Ok(row.get(0).unwrap_or_default()))?;
    let mut fields = redacted_fields(marked.as_deref());
    if !fields.iter().any(|known| known == field) {
        fields.push(field.to_owned());
        tx.prepare_cached("UPDATE outbox SET holds_redacted = ?2 WHERE id = ?1")?.execute(params![entry, to_json(&fields)?])?;
    }
    Ok(())
}

/// Removes the body of this delivered message, unless another message keeps it.
pub(crate) fn forget_body(tx: &Transaction<'_>, entry: i64) -> Result<()> {
    tx.prepare_cached("UPDATE outbox SET body_kept = 0 WHERE id = ?1")?.execute([entry])?;
    Ok(())
}

/// Rewrites these acts of a session, and keeps only keyed hashes of the ids of all its commands. The hash of a command's content would confirm
/// a guessed value, and it is not known which values it covers.
pub(crate) fn rewrite(tx: &Transaction<'_>, session_id: i64, events: &[Event]) -> Result<()> {
    rewrite_all(tx, session_id, events).map_err(|error| match error {
        // The schema allows it where its own rows are undamaged.
        StoreError::Internal(_) => StoreError::Unreadable("the acts of a session cannot be rewritten".to_owned()),
        error => error,
    })
}

fn rewrite_all(tx: &Transaction<'_>, session_id: i64, events: &[Event]) -> Result<()> {
    tx.prepare_cached("INSERT INTO redaction (session_id) VALUES (?1)")?.execute([session_id])?;
    command::keep_hashes(tx, session_id, meta::age(tx)?)?;
    tx.prepare_cached("DELETE FROM command WHERE session_id = ?1")?.execute([session_id])?;
    tx.prepare_cached("UPDATE event SET command_id = NULL, command_hash = NULL WHERE session_id = ?1 AND command_id IS NOT NULL")?
        .execute([session_id])?;
    let mut write = tx.prepare_cached("UPDATE event SET json = ?3 WHERE session_id = ?1 AND seq = ?2")?;
    for event in events {
        write.execute(params![session_id, event.seq, to_json(&event.act)?])?;
    }
    tx.prepare_cached("DELETE FROM redaction WHERE session_id = ?1")?.execute([session_id])?;
    Ok(())
}

/// A higher number is damage: it must still be able to rise.
pub(super) const LAST_REDACTION: i64 = 1 << 30;

/// How often a field of a session was redacted. The numbers of two files that had the same content once can be compared: each goes on from it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Redactions {
    pub(super) field: String,
    /// The last one that is known.
    pub(super) known: i64,
    /// The last one that was carried out in this file. What the field held before it is gone. 0: none.
    pub(super) done: i64,
}

impl Redactions {
    /// The two numbers and the field, with spaces between them. A damaged text is none.
    fn read(text: &str) -> Option<Self> {
        let (known, text) = text.split_once(' ')?;
        let (done, field) = text.split_once(' ')?;
        let known = known.parse::<i64>().ok()?.clamp(0, LAST_REDACTION);
        Some(Self { field: field.to_owned(), known, done: done.parse::<i64>().ok()?.clamp(0, known) })
    }
}

/// What the column says of them.
pub(super) fn redactions(row: &Row<'_>, column: usize) -> Vec<Redactions> {
    let texts: Option<String> = row.get(column).unwrap_or_default();
    redacted_fields(texts.as_deref()).iter().filter_map(|text| Redactions::read(text)).collect()
}

/// The column; none where there is none.
pub(super) fn column_of(redactions: &[Redactions]) -> Result<Option<String>> {
    let texts: Vec<String> = redactions.iter().map(|all| format!("{} {} {}", all.known, all.done, all.field)).collect();
    if texts.is_empty() { Ok(None) } else { to_json(&texts).map(Some) }
}
