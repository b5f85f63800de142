//! The files that sessions refer to, by the hash of their bytes, which the app keeps. The event log keeps the old value of an edit, so its file
//! is referred to as well.

use rusqlite::ToSql;

use super::outbox::UNDELIVERED;
use super::row::lossy;
use super::{Connection, Result};
use crate::sorted::SortedSet;

/// The text before the hash of a file in an event. Within a text value the quotes would be escaped.
const MARK: &str = "\"sha256\":\"";
const DIGITS: usize = 64;

/// Bodies of messages, which may hold files that acts no longer do.
const BODIES: &str = "UNION ALL
        SELECT CAST(b.bytes AS TEXT) FROM outbox o JOIN body b ON b.sha256 = o.body_sha256 WHERE o.body_kept = 1 AND o.holds_redacted IS NOT NULL";

/// Files of all sessions on the phone, including those in undelivered messages whose session no longer refers to them.
pub(crate) fn by_all(connection: &Connection) -> Result<SortedSet<String>> {
    collect(connection, &format!("SELECT json FROM event WHERE instr(json, ?1) > 0 {BODIES} AND {UNDELIVERED}"), &[&MARK])
}

/// Files of one session, including those in its messages.
pub(crate) fn by_session(connection: &Connection, id: i64) -> Result<SortedSet<String>> {
    let sql = format!("SELECT json FROM event WHERE instr(json, ?1) > 0 AND session_id = ?2 {BODIES} AND o.session_id = ?2");
    collect(connection, &sql, &[&MARK, &id])
}

/// Files of one session to which its acts refer.
pub(crate) fn by_acts(connection: &Connection, id: i64) -> Result<SortedSet<String>> {
    collect(connection, "SELECT json FROM event WHERE instr(json, ?1) > 0 AND session_id = ?2", &[&MARK, &id])
}

fn collect(connection: &Connection, sql: &str, params: &[&dyn ToSql]) -> Result<SortedSet<String>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut files = Vec::new();
    while let Some(row) = rows.next()? {
        // Damage elsewhere in an act does not hide a file: the hashes are ASCII.
        let text = lossy(row, 0)?;
        files.extend(text.split(MARK).skip(1).filter_map(|behind| behind.get(..DIGITS)).map(str::to_owned));
    }
    Ok(files.into_iter().collect())
}
