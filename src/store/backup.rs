//! A copy of the whole database, made while it is in use.

use std::path::Path;

use rusqlite::Connection as Target;
use rusqlite::backup::{Backup, StepResult};

use super::{Connection, Result, StoreError, files};

/// Pages copied at a time, 16 MB: writers get a turn between two steps.
const PAGES: i32 = 4096;

/// Copies the snapshot that `connection` sees to a new file at `to`: whole, on the disk and for its owner alone, or not there at all. The
/// install id goes with it, so a restored copy sends with the same ids.
pub(crate) fn copy(connection: &Connection, to: &Path, goes_on: impl Fn() -> bool) -> Result<()> {
    let (part, _) = files::Part::of(to)?;
    fill(connection, part.path(), goes_on)?;
    part.publish(to)
}

/// The same without bringing it to the disk: to a file that is empty.
pub(super) fn fill(connection: &Connection, to: &Path, goes_on: impl Fn() -> bool) -> Result<()> {
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
