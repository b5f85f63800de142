//! Cleaning: what is left of deleted data in the file is overwritten.
//!
//! SQLite overwrites deleted data at its current place (`secure_delete`). Copies remain in free pages, which are removed from the file; in the
//! WAL, which keeps older pages until it is truncated; and in the gaps of pages, where SQLite leaves the old bytes of data that it moves to
//! another page. So no page is copied from the WAL into the file before its gap is cleaned, and checkpoints are made only here.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{OptionalExtension, params};

use super::{Connection, Result, Transaction, files};
use crate::sorted::sort;

/// The number of pages in the WAL from which a checkpoint is made: small, frequent checkpoints without a long delay.
const LONG_WAL: i64 = 450;
/// Pages that are checked in one transaction, so that other calls do not wait long.
const PAGES: usize = 2_000;
/// How often another process may write between cleaning the pages and the checkpoint.
const TRIES: u32 = 5;

/// Removes free pages, so that the file shrinks.
pub(crate) fn shrink(tx: &Transaction<'_>) -> Result<()> {
    let mut statement = tx.prepare_cached("PRAGMA incremental_vacuum")?;
    let mut rows = statement.query([])?;
    // Each step removes one page.
    while rows.next()?.is_some() {}
    Ok(())
}

/// After something was deleted: removes all of it from the file, makes a checkpoint and truncates the WAL. Says whether that was done: not
/// while another connection reads or writes, and it does not wait.
pub(super) fn erase(connection: &Connection) -> Result<bool> {
    connection.busy_timeout(Duration::ZERO)?;
    if !has_pages(connection)? {
        // A rebuilt file holds no deleted data.
        connection.execute_batch("VACUUM")?;
    }
    clean_and_checkpoint(connection, "TRUNCATE")
}

/// Makes a checkpoint when the WAL has become long, as far as no connection reads it. `length` is its length in pages; `last` what it was when
/// this was last attempted: in a long read it grows, and pages already in it are not checked again with each write.
pub(super) fn checkpoint_if_long(connection: &Connection, length: i64, last: &AtomicI64) -> Result<()> {
    // Shorter than before: it was restarted.
    let before = Some(last.load(Ordering::Relaxed)).filter(|last| *last <= length).unwrap_or(0);
    if length - before < LONG_WAL {
        last.store(before, Ordering::Relaxed);
        return Ok(());
    }
    last.store(length, Ordering::Relaxed);
    connection.busy_timeout(Duration::ZERO)?;
    clean_and_checkpoint(connection, "PASSIVE").map(drop)
}

/// Rebuilds a file that was created before files could shrink. After a crash it is the old file or the new one.
pub(super) fn rebuild(connection: &Connection) -> Result<()> {
    let shrinks: u32 = connection.query_row("PRAGMA auto_vacuum", [], |row| row.get(0))?;
    if shrinks == 0 {
        connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")?;
    }
    Ok(())
}

/// Copies everything in the WAL into the file, unless another connection reads. The file of that name may be another one, so it is not read.
pub(super) fn empty_wal(connection: &Connection) -> Result<bool> {
    connection.busy_timeout(Duration::ZERO)?;
    clean_all(connection)?;
    checkpoint(connection, "TRUNCATE")
}

/// Closes a connection with a checkpoint, if no other process has the file open. It does not wait; if it fails, the WAL stays, which is as
/// good.
pub(super) fn close_with_checkpoint(connection: Connection) {
    let folded = connection.busy_timeout(Duration::ZERO).map_err(Into::into).and_then(|()| clean_and_checkpoint(&connection, "TRUNCATE"));
    // After an error the WAL may have a page that is not cleaned.
    let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, folded.is_err());
}

/// Cleans the pages of a file whose checkpoint was made elsewhere, such as a copy that was never in use.
pub(super) fn clean_all(connection: &Connection) -> Result<()> {
    if has_pages(connection)? { clean(connection, PagesToClean::All).map(drop) } else { Ok(()) }
}

/// Makes a checkpoint after the pages are cleaned. Says whether it was complete. With an SQLite of the app that has no access to raw pages, the
/// checkpoint is made without cleaning.
fn clean_and_checkpoint(connection: &Connection, how: &str) -> Result<bool> {
    if !has_pages(connection)? {
        return checkpoint(connection, how);
    }
    let mut which = PagesToClean::OfWal;
    for _ in 0..TRIES {
        let seen = clean(connection, which)?;
        let is_done = checkpoint(connection, how)?;
        if writes_of_others(connection)? == seen {
            return Ok(is_done);
        }
        // Pages that another process wrote meanwhile may be in the file, and no longer in the WAL.
        which = PagesToClean::All;
    }
    clean(connection, PagesToClean::All)?;
    Ok(false)
}

fn checkpoint(connection: &Connection, how: &str) -> Result<bool> {
    let is_busy: bool = connection.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |row| row.get(0))?;
    Ok(!is_busy)
}

/// Changes when another connection has committed something.
pub(super) fn writes_of_others(connection: &Connection) -> Result<i64> {
    Ok(connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
}

/// Whether this SQLite has access to raw pages.
pub(super) fn has_pages(connection: &Connection) -> Result<bool> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM pragma_module_list WHERE name = 'sqlite_dbpage'")?;
    Ok(statement.query_row([], |_| Ok(())).optional()?.is_some())
}

/// The pages to clean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PagesToClean {
    /// Those in the WAL: pages in the file were cleaned before.
    OfWal,
    All,
}

/// Runs `work` without SQLite's defensive mode: it may write raw pages and internal tables.
pub(super) fn without_defensive_mode<T>(connection: &Connection, work: impl FnOnce() -> Result<T>) -> Result<T> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
    let done = work();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    done
}

/// Cleans these pages. Gives [`writes_of_others`] of the moment before.
fn clean(connection: &Connection, which: PagesToClean) -> Result<i64> {
    let tx = Transaction::new_unchecked(connection, rusqlite::TransactionBehavior::Immediate)?;
    let seen = writes_of_others(&tx)?;
    let count: u32 = tx.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let has_map = tx.query_row("PRAGMA auto_vacuum", [], |row| row.get::<_, u32>(0))? != 0;
    let mut first = tx.prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = 1")?;
    let map_every = first.query_row([], |row| Ok(map_every(row.get_ref(0)?.as_blob()?))).optional()?.filter(|_| has_map);
    drop(first);
    let mut pages = match which {
        PagesToClean::OfWal => in_wal(&tx),
        PagesToClean::All => None,
    }
    .unwrap_or_else(|| (1..=count).collect());
    sort(&mut pages, PartialOrd::lt);
    pages.dedup();
    // Pages that were removed since no longer exist.
    pages.retain(|page| *page <= count);
    let mut tx = Some(tx);
    for some in pages.chunks(PAGES) {
        let tx = match tx.take() {
            Some(first) => first,
            None => Transaction::new_unchecked(connection, rusqlite::TransactionBehavior::Immediate)?,
        };
        {
            let mut read = tx.prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = ?1")?;
            let mut clean = |number: u32| -> Result<_> {
                Ok(read.query_row([number], |row| Ok(cleaned(number, row.get_ref(0)?.as_blob()?, map_every)))?)
            };
            let mut some = some.iter().copied();
            // Leaving the defensive mode makes SQLite compile each statement again: only where something is written.
            let first = some.by_ref().map(|number| Ok((number, clean(number)?))).find(|page: &Result<_>| !matches!(page, Ok((_, None))));
            if let Some(first) = first.transpose()? {
                without_defensive_mode(connection, || {
                    let mut write = tx.prepare_cached("UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1")?;
                    let mut write = |number: u32, page: Option<Vec<u8>>| -> Result<()> {
                        page.map_or(Ok(()), |page| Ok(write.execute(params![number, page]).map(drop)?))
                    };
                    write(first.0, first.1)?;
                    some.try_for_each(|number| write(number, clean(number)?))
                })?;
            }
        }
        tx.commit()?;
    }
    Ok(seen)
}

/// The pages in the WAL, in any order. None where it cannot be read. Pages of an earlier WAL may be among them.
fn in_wal(tx: &Transaction<'_>) -> Option<Vec<u32>> {
    // SQLite has no lock on the WAL that closing it here would release.
    let log = match File::open(files::beside(&PathBuf::from(tx.path()?), "-wal")) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Some(Vec::new()),
        log => log.ok()?,
    };
    let mut log = BufReader::new(log);
    let (mut head, mut frame) = ([0; 32], [0; 24]);
    let mut pages = Vec::new();
    if log.read_exact(&mut head).is_err() {
        return Some(pages);
    }
    let size = i64::from(u32::from_be_bytes(head[8..12].try_into().ok()?));
    // Each page of this WAL has its salt.
    while log.read_exact(&mut frame).is_ok() && frame[8..16] == head[16..24] {
        pages.push(u32::from_be_bytes(frame[..4].try_into().ok()?));
        log.seek_relative(size).ok()?;
    }
    Some(pages)
}

/// The distance between the pages of the map: each describes a page in five bytes, without the reserved end of a page.
pub(super) fn map_every(first: &[u8]) -> usize {
    (first.len() - first.get(20).map_or(0, |kept| usize::from(*kept))) / 5 + 1
}

/// The page of a database that SQLite locks and never writes.
pub(super) fn locked(size: usize) -> usize {
    (1 << 30) / size + 1
}

/// The cleaned page of a tree: without old bytes in the gap between the list of its cells and the first cell. None where there is nothing to
/// clean.
fn cleaned(number: u32, page: &[u8], map_every: Option<usize>) -> Option<Vec<u8>> {
    let number = number as usize;
    // Pages of the map come at a fixed distance, or directly after the locked page; their entries can look like a page of a tree.
    let is_map = |number: usize| map_every.is_some_and(|every| number >= 2 && (number - 2).is_multiple_of(every));
    let locked = locked(page.len());
    if number == locked || is_map(number) || number == locked + 1 && is_map(locked) {
        return None;
    }
    let head = if number == 1 { 100 } else { 0 };
    let length = match page.get(head)? {
        2 | 5 => 12,
        10 | 13 => 8,
        _ => return None,
    };
    let short = |at: usize| Some(usize::from(u16::from_be_bytes(page.get(head + at..head + at + 2)?.try_into().ok()?)));
    let cells = short(3)?;
    let from = head + length + 2 * cells;
    let mut to = match short(5)? {
        0 => 65_536,
        to => to,
    };
    // A damaged page may have its gap anywhere: what SQLite can still read of it ends the gap.
    for cell in 0..cells {
        to = to.min(short(length + 2 * cell)?);
    }
    page.get(from..to)?.iter().any(|byte| *byte != 0).then(|| {
        let mut page = page.to_vec();
        page[from..to].fill(0);
        page
    })
}
