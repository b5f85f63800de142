//! The tables of a file of which a page of the schema is lost.
//!
//! SQLite reads the schema up to the first page that cannot be read, and knows no table that is defined behind it. So each definition is read by
//! itself, and the rows are read from a copy in memory that has those which can be read.

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection as Target, OptionalExtension, params};

use super::{Connection, Result, StoreError, migrate, pages, schema, unless_damaged};

/// The schema has rows with numbers up to this one: some 100 objects, and those that updates have replaced.
const LAST: i64 = 4_096;
/// SQLite's own table, of the numbers that are not used again.
const NUMBERS: &str = "sqlite_sequence";

/// Whether this is a table with data of the core, and not one that full-text search keeps for itself.
pub(super) fn is_of_data(table: &str) -> bool {
    schema::hash(migrate::newest(), &format!("table {table}")).is_some_and(|hash| hash != schema::BY_NAME)
}

/// The damaged file itself where SQLite knows its tables, and otherwise the copy, if there can be one.
pub(super) fn of_damaged(file: Connection) -> Result<Connection> {
    match schema::read(&file) {
        Err(error) if error.is_finding() => {
            file.execute_batch("PRAGMA writable_schema = ON")?;
            let known = copy(&file)?;
            file.execute_batch("PRAGMA writable_schema = OFF")?;
            Ok(known.unwrap_or(file))
        }
        read => read.map(|()| file),
    }
}

/// The copy, of a file whose schema SQLite reads as far as it can (`writable_schema`). None: it cannot be made, for instance on a disk that
/// fails.
pub(super) fn copy(file: &Connection) -> Result<Option<Connection>> {
    match with_known(file) {
        Err(error) if error.is_finding() => Ok(None),
        copy => copy.map(Some),
    }
}

fn with_known(file: &Connection) -> Result<Connection> {
    // SQLite does not see that the first page, which it has read, was changed. So it is copied once more.
    let copy = copied(file)?;
    let mut first: Vec<u8> = copy.query_row("SELECT data FROM sqlite_dbpage WHERE pgno = 1", [], |row| row.get(0))?;
    pages::forget_all(&mut first);
    copy.execute("UPDATE sqlite_dbpage SET data = ?1 WHERE pgno = 1", [first])?;
    let copy = copied(&copy)?;
    for kind in ["table", "index"] {
        let mut definition = file.prepare("SELECT name, tbl_name, rootpage, sql FROM sqlite_schema WHERE rowid = ?1 AND type = ?2")?;
        let mut has_table = copy.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?1")?;
        for number in 1..=LAST {
            let found =
                definition.query_row(params![number, kind], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).optional();
            let found: Option<(String, String, u32, Option<String>)> = unless_damaged(found.map_err(StoreError::from))?.flatten();
            let Some((name, table, root, sql)) = found else { continue };
            let is_ours = match kind {
                "table" => name == table && (is_of_data(&name) || name == NUMBERS),
                // One without a definition of its own follows from that of its table.
                _ => {
                    (sql.is_none() || schema::hash(migrate::newest(), &format!("index {name}")).is_some()) && has_table.exists([&table])?
                }
            };
            if is_ours {
                copy.execute("INSERT INTO sqlite_schema VALUES (?1, ?2, ?3, ?4, ?5)", params![kind, name, table, root, sql])?;
            }
        }
    }
    copy.execute_batch("PRAGMA writable_schema = RESET; PRAGMA writable_schema = ON")?;
    Ok(copy)
}

fn copied(from: &Connection) -> Result<Connection> {
    let mut copy = Target::open_in_memory()?;
    if Backup::new(from, &mut copy)?.step(-1)? != StepResult::Done {
        return Err(StoreError::Locked);
    }
    copy.execute_batch("PRAGMA writable_schema = ON")?;
    Ok(copy)
}
