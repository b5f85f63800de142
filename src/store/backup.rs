//! A copy of the whole database, made while it is in use, and the look for damage.

use std::path::Path;

use rusqlite::Connection as Target;
use rusqlite::backup::{Backup, StepResult};

use super::{Connection, Result, StoreError};

/// Pages copied at a time, 16 MB: writers get a turn between two steps.
const PAGES: i32 = 4096;

/// Copies the snapshot that `connection` sees to a new file at `to`. The install id goes with it, so a restored copy sends with the same ids.
pub(crate) fn copy(connection: &Connection, to: &Path, goes_on: impl Fn() -> bool) -> Result<()> {
    // Reading begins the snapshot; without one, what is written meanwhile would begin the copy anew.
    connection.query_row("SELECT count(*) FROM meta", [], |_| Ok(()))?;
    let mut target = Target::open(to)?;
    let backup = Backup::new(connection, &mut target)?;
    loop {
        match backup.step(PAGES)? {
            StepResult::Done => break,
            // Somebody wants the file left alone.
            StepResult::More if !goes_on() => return Err(StoreError::Locked),
            _ => {}
        }
    }
    drop(backup);
    // A copy in WAL mode would need its side files; the next open switches back.
    let mode: String = target.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
    if mode != "delete" {
        return Err(StoreError::Io("the copy could not be finished".to_owned()));
    }
    target.close().map_err(|(_, error)| error.into())
}

/// What SQLite itself finds wrong with the file; empty when it is sound.
pub(crate) fn integrity_faults(connection: &Connection) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let line: String = row.get(0)?;
        if line != "ok" {
            faults.push(line);
        }
    }
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        faults.push(format!("a row of {} refers to nothing", row.get::<_, String>(0)?));
    }
    Ok(faults)
}

/// All sessions, for `check`: their rows, and their keys as far as they read back.
pub(crate) fn all_sessions(connection: &Connection) -> Result<Vec<(i64, Option<crate::model::SessionKey>)>> {
    let mut statement = connection.prepare("SELECT id, key FROM session ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push((row.get(0)?, row.get::<_, Vec<u8>>(1).ok().and_then(|key| super::row::session_key(&key).ok())));
    }
    Ok(keys)
}
