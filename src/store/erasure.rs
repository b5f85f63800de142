//! Leaving nothing of what was deleted.
//!
//! SQLite overwrites what is deleted (`secure_delete`), where it stands then. What is left is in pages that nothing uses, which are given
//! back; in the log, which keeps older pages until it is cut off; and in the gaps of pages, where SQLite leaves the old bytes of what it
//! moves to another page. So no page goes from the log into the file before its gap is cleaned, and the log is folded here alone.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{OptionalExtension, params};

use super::{Connection, Result, Transaction, files};

/// Pages in the log from which it is folded into the file: small, frequent checkpoints, and no long stall.
const LONG_LOG: i64 = 200;
/// Pages that are looked at in one transaction, so that nobody waits for long.
const PAGES: usize = 2_000;
/// How often somebody else may write between a look at the pages and folding them.
const TRIES: u32 = 5;

/// Gives back the pages that nothing uses, so that the file shrinks.
pub(crate) fn shrink(tx: &Transaction<'_>) -> Result<()> {
    let mut statement = tx.prepare_cached("PRAGMA incremental_vacuum")?;
    let mut rows = statement.query([])?;
    // Each step gives one page back.
    while rows.next()?.is_some() {}
    Ok(())
}

/// After something was deleted: leaves nothing of it in the file, folds the log and cuts it off; says whether that was done. Not while
/// somebody else reads or writes, and it waits for nobody.
pub(super) fn erase(connection: &Connection) -> Result<bool> {
    connection.busy_timeout(Duration::ZERO)?;
    if !has_pages(connection)? {
        // What is written anew holds nothing else.
        connection.execute_batch("VACUUM")?;
    }
    clean_and_fold(connection, "TRUNCATE")
}

/// Folds a log that has become long into the file, as far as nobody reads it. `last` is its length when that was tried last: while somebody
/// reads for long it goes on growing, and what is in it already is not looked at again with each write.
pub(super) fn fold_long(connection: &Connection, last: &AtomicI64) -> Result<()> {
    // Of another word than these SQLite would make `PASSIVE`.
    let length: i64 = connection.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?.query_row([], |row| row.get(1))?;
    // Shorter than before: it has begun anew.
    let before = Some(last.load(Ordering::Relaxed)).filter(|last| *last <= length).unwrap_or(0);
    if length - before < LONG_LOG {
        last.store(before, Ordering::Relaxed);
        return Ok(());
    }
    last.store(length, Ordering::Relaxed);
    connection.busy_timeout(Duration::ZERO)?;
    clean_and_fold(connection, "PASSIVE").map(drop)
}

/// Writes a file anew that was made before files could shrink. It is the old one or the new one, no matter what happens meanwhile.
pub(super) fn rebuild(connection: &Connection) -> Result<()> {
    let shrinks: u32 = connection.query_row("PRAGMA auto_vacuum", [], |row| row.get(0))?;
    if shrinks == 0 {
        connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")?;
    }
    Ok(())
}

/// Closes a connection and lets SQLite fold its log into the file, if nobody else has it open. Waits for nobody; where it fails, the log
/// stays, which is as good.
pub(super) fn fold(connection: Connection) {
    let folded = connection.busy_timeout(Duration::ZERO).map_err(Into::into).and_then(|()| clean_and_fold(&connection, "TRUNCATE"));
    // An error leaves a page in the log that is not clean yet.
    let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, folded.is_err());
}

/// Cleans the pages of a file whose log somebody else has folded, such as a copy that was never in use.
pub(super) fn clean_all(connection: &Connection) -> Result<()> {
    if has_pages(connection)? { clean(connection, Which::All).map(drop) } else { Ok(()) }
}

/// Folds the log into the file, after its pages are clean; says whether all of it was done. An app that builds SQLite with switches of its own
/// folds it as it is.
fn clean_and_fold(connection: &Connection, how: &str) -> Result<bool> {
    if !has_pages(connection)? {
        return checkpoint(connection, how);
    }
    let mut which = Which::OfLog;
    for _ in 0..TRIES {
        let seen = clean(connection, which)?;
        let is_done = checkpoint(connection, how)?;
        if writes_of_others(connection)? == seen {
            return Ok(is_done);
        }
        // What another process wrote meanwhile may be in the file, and in no log any more.
        which = Which::All;
    }
    clean(connection, Which::All)?;
    Ok(false)
}

fn checkpoint(connection: &Connection, how: &str) -> Result<bool> {
    let is_busy: bool = connection.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |row| row.get(0))?;
    Ok(!is_busy)
}

/// Another number than before when another connection has committed something.
fn writes_of_others(connection: &Connection) -> Result<i64> {
    Ok(connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
}

/// Whether this SQLite shows pages as they are.
pub(super) fn has_pages(connection: &Connection) -> Result<bool> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM pragma_module_list WHERE name = 'sqlite_dbpage'")?;
    Ok(statement.query_row([], |_| Ok(())).optional()?.is_some())
}

/// Pages that may not be clean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Those in the log: what is in the file was cleaned before.
    OfLog,
    All,
}

/// Cleans these pages. Gives [`writes_of_others`] of the moment before it looked.
fn clean(connection: &Connection, which: Which) -> Result<i64> {
    undefended(connection, || clean_pages(connection, which))
}

/// Does what SQLite would refuse: writes pages as they are, or what nobody may write by mistake.
pub(super) fn undefended<T>(connection: &Connection, work: impl FnOnce() -> Result<T>) -> Result<T> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
    let done = work();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    done
}

fn clean_pages(connection: &Connection, which: Which) -> Result<i64> {
    let tx = Transaction::new_unchecked(connection, rusqlite::TransactionBehavior::Immediate)?;
    let seen = writes_of_others(&tx)?;
    let count: u32 = tx.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let has_map = tx.query_row("PRAGMA auto_vacuum", [], |row| row.get::<_, u32>(0))? != 0;
    let mut first = tx.prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = 1")?;
    let map_every = first.query_row([], |row| Ok(map_every(row.get_ref(0)?.as_blob()?))).optional()?.filter(|_| has_map);
    drop(first);
    let mut pages = match which {
        Which::OfLog => in_log(&tx),
        Which::All => None,
    }
    .unwrap_or_else(|| (1..=count).collect());
    pages.sort_unstable();
    pages.dedup();
    // What was cut off since has no page any more.
    pages.retain(|page| *page <= count);
    let mut tx = Some(tx);
    for some in pages.chunks(PAGES) {
        let tx = match tx.take() {
            Some(first) => first,
            None => Transaction::new_unchecked(connection, rusqlite::TransactionBehavior::Immediate)?,
        };
        {
            let mut read = tx.prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = ?1")?;
            let mut write = tx.prepare_cached("UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1")?;
            for number in some {
                let cleaned = read.query_row([number], |row| Ok(cleaned(*number, row.get_ref(0)?.as_blob()?, map_every)))?;
                if let Some(page) = cleaned {
                    write.execute(params![number, page])?;
                }
            }
        }
        tx.commit()?;
    }
    Ok(seen)
}

/// The pages in the log, in any order. None where it cannot be read. Pages of an earlier log may be among them.
fn in_log(tx: &Transaction<'_>) -> Option<Vec<u32>> {
    // SQLite holds no lock on it that closing it would take away.
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
    // Each page of this log has its salt.
    while log.read_exact(&mut frame).is_ok() && frame[8..16] == head[16..24] {
        pages.push(u32::from_be_bytes(frame[..4].try_into().ok()?));
        log.seek_relative(size).ok()?;
    }
    Some(pages)
}

/// How far apart the pages of the map are: one tells of a page in five bytes, as far as the end of each page is not kept for something else.
pub(super) fn map_every(first: &[u8]) -> usize {
    (first.len() - first.get(20).map_or(0, |kept| usize::from(*kept))) / 5 + 1
}

/// The page of a database that SQLite locks and never writes.
pub(super) fn locked(size: usize) -> usize {
    (1 << 30) / size + 1
}

/// A page of a tree whose gap, between the list of its cells and the first of them, holds what once stood there: without it. None where there
/// is nothing to clean.
fn cleaned(number: u32, page: &[u8], map_every: Option<usize>) -> Option<Vec<u8>> {
    let number = number as usize;
    // The map of pages stands on every so many, and behind the locked page instead of on it; its entries look like anything.
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
    let from = head + length + 2 * short(3)?;
    let to = match short(5)? {
        0 => 65_536,
        to => to,
    };
    // Of a damaged page it is not known where the gap is.
    page.get(from..to)?.iter().any(|byte| *byte != 0).then(|| {
        let mut page = page.to_vec();
        page[from..to].fill(0);
        page
    })
}
