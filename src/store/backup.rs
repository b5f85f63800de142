//! A copy of the whole database, made while it is in use.

use std::path::Path;

use rusqlite::Connection as Target;
use rusqlite::backup::{Backup, StepResult};

use super::{Connection, Result, StoreError, files};

/// Pages copied at a time, 16 MB: writers get a turn between two steps.
const PAGES: i32 = 4096;

/// Copies the snapshot of `connection` to a new file at `to`: complete, on the disk and only for its owner, or not at all. The install id is
/// copied too, so a restored copy sends with the same ids.
pub(crate) fn copy(connection: &Connection, to: &Path, goes_on: impl Fn() -> bool) -> Result<()> {
    let (part, _) = files::Part::of(to)?;
    fill(connection, part.path(), goes_on)?;
    part.publish(to)
}

/// The same without a sync, to an empty file.
pub(super) fn fill(connection: &Connection, to: &Path, goes_on: impl Fn() -> bool) -> Result<()> {
    // Reading begins the snapshot; without one, every write meanwhile would restart the copy.
    connection.query_row("SELECT count(*) FROM meta", [], |_| Ok(()))?;
    let mut target = Target::open(to)?;
    let backup = Backup::new(connection, &mut target)?;
    loop {
        match backup.step(PAGES)? {
            StepResult::Done => break,
            // The store was stopped.
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
