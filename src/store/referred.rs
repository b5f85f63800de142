//! The files that sessions refer to, by the hash of their bytes, which the host keeps. An edit keeps the value before in the log, so that
//! file is referred to as well.

use std::collections::BTreeSet;

use super::{Connection, Result};

/// How an event holds the hash of a file. Within a text the quotes would be escaped.
const MARK: &str = "\"sha256\":\"";
const DIGITS: usize = 64;

/// Of all sessions on the phone.
pub(crate) fn by_all(connection: &Connection) -> Result<BTreeSet<String>> {
    let mut statement = connection.prepare_cached("SELECT json FROM event WHERE instr(json, ?1) > 0")?;
    let mut rows = statement.query([MARK])?;
    let mut files = BTreeSet::new();
    while let Some(row) = rows.next()? {
        collect(&row.get::<_, String>(0)?, &mut files);
    }
    Ok(files)
}

/// Of one.
pub(crate) fn by_session(connection: &Connection, id: i64) -> Result<BTreeSet<String>> {
    let mut statement = connection.prepare_cached("SELECT json FROM event WHERE session_id = ?1 AND instr(json, ?2) > 0")?;
    let mut rows = statement.query(rusqlite::params![id, MARK])?;
    let mut files = BTreeSet::new();
    while let Some(row) = rows.next()? {
        collect(&row.get::<_, String>(0)?, &mut files);
    }
    Ok(files)
}

fn collect(event: &str, files: &mut BTreeSet<String>) {
    files.extend(event.split(MARK).skip(1).filter_map(|behind| behind.get(..DIGITS)).map(str::to_owned));
}
