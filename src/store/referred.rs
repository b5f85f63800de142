//! The files that sessions refer to, by the hash of their bytes, which the host keeps. An edit keeps the value before in the log, so that
//! file is referred to as well.

use std::collections::BTreeSet;

use rusqlite::ToSql;

use super::outbox::UNDELIVERED;
use super::row::lossy;
use super::{Connection, Result};

/// How an event holds the hash of a file. Within a text the quotes would be escaped.
const MARK: &str = "\"sha256\":\"";
const DIGITS: usize = 64;

/// What messages hold beyond the acts.
const BODIES: &str = "UNION ALL
        SELECT CAST(b.bytes AS TEXT) FROM outbox o JOIN body b ON b.sha256 = o.body_sha256 WHERE o.body_kept = 1 AND o.holds_redacted IS NOT NULL";

/// Of all sessions on the phone, also those that a message will name although its session does not any more.
pub(crate) fn by_all(connection: &Connection) -> Result<BTreeSet<String>> {
    collect(connection, &format!("SELECT json FROM event WHERE instr(json, ?1) > 0 {BODIES} AND {UNDELIVERED}"), &[&MARK])
}

/// Of one, also those that it referred to when a message of it was frozen.
pub(crate) fn by_session(connection: &Connection, id: i64) -> Result<BTreeSet<String>> {
    let sql = format!("SELECT json FROM event WHERE instr(json, ?1) > 0 AND session_id = ?2 {BODIES} AND o.session_id = ?2");
    collect(connection, &sql, &[&MARK, &id])
}

/// Of one, those that its acts refer to.
pub(crate) fn by_acts(connection: &Connection, id: i64) -> Result<BTreeSet<String>> {
    collect(connection, "SELECT json FROM event WHERE instr(json, ?1) > 0 AND session_id = ?2", &[&MARK, &id])
}

fn collect(connection: &Connection, sql: &str, params: &[&dyn ToSql]) -> Result<BTreeSet<String>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut files = BTreeSet::new();
    while let Some(row) = rows.next()? {
        // Damage elsewhere in an act hides no file: the hashes are ASCII.
        let text = lossy(row, 0)?;
        files.extend(text.split(MARK).skip(1).filter_map(|behind| behind.get(..DIGITS)).map(str::to_owned));
    }
    Ok(files)
}
