//! A copy takes the place of the database, or the database goes.
//!
//! Where the present file opens, the copy is written over it in one transaction of SQLite: after a crash the file holds the old content or
//! the new one, and another process sees a commit like any other. Where it does not open, the checked copy gets the name `-restoring`
//! beside it; from then on it is the database, and whoever opens the file next finishes what was begun: the old side files are set aside,
//! then the old file, then the new one takes the name, with the folder on the disk after each.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection as Target, OpenFlags, TransactionBehavior, params};

use super::pool::{Pool, Role};
use super::retention::UNDELIVERED;
use super::row::from_ms;
use super::{Connection, Result, StoreError, backup, check, connection, erasure, files, migrate, reserve, session};
use crate::model::{Act, EVENT_VERSION, Event, Timestamp};

/// Beside the database: the copy while it is checked, the checked copy that is about to be the database, and the database before.
const PART: &str = "-restore-part";
const READY: &str = "-restoring";
const BEFORE: &str = ".before-restore";

/// How long another process may hold the file.
const WAIT: Duration = Duration::from_secs(5);
/// How often another process may write between a look at the file and the change of it.
const TRIES: u32 = 10;
/// Pages written at a time, 64 kB.
const PAGES: i32 = 16;

/// What a person says who gives undelivered messages up.
pub(crate) struct GivesUp<'a> {
    pub(crate) actor: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) at: Timestamp,
    pub(crate) utc_offset: i32,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replaced {
    Done,
    /// Nothing was changed: this many messages would be lost. None: the file cannot be read to count them.
    Undelivered(Option<u64>),
}

/// The file that is there now.
enum Present {
    None,
    Opens(Connection),
    Damaged,
}

/// An undelivered message.
struct Message {
    entry: i64,
    delivery_id: String,
    body_sha256: Vec<u8>,
}

/// Writes a copy over the database. `step` is told of each step.
///
/// # Errors
/// Of the copy: `Foreign`, `NewerSchema`, `Corrupt`, `CannotOpen`. Of the present file: `Locked`, `NewerSchema`, `Foreign` where it is a
/// database of something else, `Full`, `Io`. Nothing was changed then.
pub(crate) fn restore(from: &Path, path: &Path, gives_up: Option<&GivesUp<'_>>, step: &dyn Fn(&str)) -> Result<Replaced> {
    finish(path, step)?;
    let part = files::beside(path, PART);
    files::remove_database(&part)?;
    files::create(&part)?;
    let replaced = take(from, &part, path, gives_up, step);
    // Gone already where it became the database.
    let _ = files::remove_database(&part);
    replaced
}

fn take(from: &Path, part: &Path, path: &Path, gives_up: Option<&GivesUp<'_>>, step: &dyn Fn(&str)) -> Result<Replaced> {
    let copy = checked_copy(from, part)?;
    step("checked");
    let pool = Arc::new(Pool::default());
    let is_damaged = match present(path, &pool)? {
        Present::None => false,
        Present::Damaged => true,
        Present::Opens(present) => match write_over(present, &copy, path, &pool, gives_up, step) {
            // It opens, but what is needed of it cannot be read.
            Err(StoreError::Corrupt(_)) => true,
            replaced => return replaced,
        },
    };
    if is_damaged {
        let present = read_only(path);
        let lost = present.as_ref().ok().and_then(|present| not_in(present, Some(&copy)).ok());
        if gives_up.is_none() && lost.as_ref().is_none_or(|lost| !lost.is_empty()) {
            return Ok(Replaced::Undelivered(lost.map(|lost| lost.len() as u64)));
        }
        if let Ok(present) = present {
            // As far as it can be read.
            let _ = carry_over(&present, &copy);
        }
    }
    copy.close().map_err(|(_, error)| error)?;
    put_in_place(part, path, step)?;
    Ok(Replaced::Done)
}

/// Removes the database with everything beside it.
///
/// # Errors
/// `Locked` while another process has the file open; `NewerSchema`, `Foreign`, `CannotOpen`, `Io`.
pub(crate) fn erase(path: &Path, gives_up: bool) -> Result<Replaced> {
    finish(path, &|_| {})?;
    let pool = Arc::new(Pool::default());
    let lost = match present(path, &pool)? {
        Present::None => Some(Vec::new()),
        Present::Damaged => read_only(path).and_then(|present| not_in(&present, None)).ok(),
        Present::Opens(mut present) => {
            // Nobody else may have it open, and what is counted stays as it is.
            present.busy_timeout(Duration::ZERO)?;
            present.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
            let transaction = present.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let lost = not_in(&transaction, None).ok();
            drop(transaction);
            if gives_up || lost.as_ref().is_some_and(Vec::is_empty) {
                // One file, which goes as a whole. Where that fails, its log goes first.
                let _ = present.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()));
                remove_all(path)?;
                return Ok(Replaced::Done);
            }
            lost
        }
    };
    if !gives_up && lost.as_ref().is_none_or(|lost| !lost.is_empty()) {
        return Ok(Replaced::Undelivered(lost.map(|lost| lost.len() as u64)));
    }
    let _alone = alone(path)?;
    remove_all(path)?;
    Ok(Replaced::Done)
}

/// The file last: until it is gone, it is there.
fn remove_all(path: &Path) -> Result<()> {
    files::remove(&files::beside(path, reserve::SUFFIX))?;
    for suffix in [PART, READY, BEFORE, ""] {
        files::remove_database(&files::beside(path, suffix))?;
    }
    files::sync_folder(path)
}

/// Copies `from` to `part`, looks whether it is a sound database of ours, and brings its schema up to date.
fn checked_copy(from: &Path, part: &Path) -> Result<Connection> {
    let source = read_only(from)?;
    let mut copy = Target::open_with_flags(part, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // Until it is whole nobody needs it, and then it is brought to the disk as a whole.
    copy.execute_batch("PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON")?;
    if Backup::new(&source, &mut copy)?.step(-1)? != StepResult::Done {
        return Err(StoreError::Locked);
    }
    drop(source);
    copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    migrate::look(&copy)?;
    if migrate::version(&copy)? == 0 {
        return Err(StoreError::Foreign);
    }
    let mut faults = Vec::new();
    check::integrity(&copy, &mut faults)?;
    if let Some(fault) = faults.into_iter().next() {
        return Err(StoreError::Corrupt(fault));
    }
    migrate::migrate(&mut copy, &String::new)?;
    erasure::rebuild(&copy)?;
    Ok(copy)
}

fn present(path: &Path, pool: &Arc<Pool>) -> Result<Present> {
    if files::is_empty(path) {
        return Ok(if files::has_log(path) { Present::Damaged } else { Present::None });
    }
    match connection::connect(path, Role::Writer, pool, pool.wait_limit(WAIT), migrate::look) {
        Ok(connection) => Ok(Present::Opens(connection)),
        Err(StoreError::Corrupt(_)) => Ok(Present::Damaged),
        // Where SQLite can read it, it is a database of something else.
        Err(StoreError::Foreign) if read_only(path).and_then(|file| migrate::version(&file)).is_ok() => Err(StoreError::Foreign),
        Err(StoreError::Foreign) => Ok(Present::Damaged),
        Err(error) => Err(error),
    }
}

pub(super) fn read_only(path: &Path) -> Result<Connection> {
    if files::is_empty(path) {
        // SQLite would delete a log beside it.
        return Err(StoreError::Foreign);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Target::open_with_flags(path, flags)?;
    connection.busy_timeout(WAIT)?;
    Ok(connection)
}

/// One write transaction over the file that is there.
fn write_over(
    mut present: Connection,
    copy: &Connection,
    path: &Path,
    pool: &Arc<Pool>,
    gives_up: Option<&GivesUp<'_>>,
    step: &dyn Fn(&str),
) -> Result<Replaced> {
    // It sees whether somebody else writes.
    let watcher = connection::connect(path, Role::Reader, pool, pool.wait_limit(WAIT), |_| Ok(()))?;
    for _ in 0..TRIES {
        let seen = changes(&watcher)?;
        let lost = not_in(&watcher, Some(copy))?;
        if !lost.is_empty() && gives_up.is_none() {
            return Ok(Replaced::Undelivered(Some(lost.len() as u64)));
        }
        carry_over(&watcher, copy)?;
        let before = files::beside(path, BEFORE);
        files::remove_database(&before)?;
        backup::copy(&watcher, &before, || true)?;
        if let Some(gives_up) = gives_up {
            give_up(&before, &lost, gives_up)?;
        }
        step("kept");
        let over = Backup::new(copy, &mut present)?;
        // The first step begins the transaction: from here on nobody else writes.
        let mut went = over.step(1)?;
        if changes(&watcher)? != seen {
            continue;
        }
        while went == StepResult::More {
            step("writes");
            went = over.step(PAGES)?;
        }
        if went != StepResult::Done {
            return Err(StoreError::Locked);
        }
        drop(over);
        step("written");
        drop(watcher);
        erasure::fold(present);
        return Ok(Replaced::Done);
    }
    Err(StoreError::Locked)
}

/// Rises when another connection has committed something.
fn changes(connection: &Connection) -> Result<i64> {
    Ok(connection.query_row("PRAGMA data_version", [], |row| row.get(0))?)
}

/// The undelivered messages that the copy does not hold, with the same id and bytes, to be delivered.
fn not_in(present: &Connection, copy: Option<&Connection>) -> Result<Vec<Message>> {
    let mut statement = present.prepare(&format!("SELECT o.id, o.delivery_id, o.body_sha256 FROM outbox o WHERE {UNDELIVERED}"))?;
    let mut rows = statement.query([])?;
    let mut holds = match copy {
        Some(copy) => Some(copy.prepare(
            "SELECT EXISTS (SELECT 1 FROM outbox WHERE delivery_id = ?1 AND body_sha256 = ?2
                               AND (state = 'sent' OR EXISTS (SELECT 1 FROM body WHERE sha256 = body_sha256))
                               AND NOT (state = 'superseded' OR state = 'failed' AND reason = 'abandoned'))",
        )?),
        None => None,
    };
    let mut lost = Vec::new();
    while let Some(row) = rows.next()? {
        let message = Message { entry: row.get(0)?, delivery_id: row.get(1)?, body_sha256: row.get(2)? };
        let is_held = match &mut holds {
            Some(holds) => holds.query_row(params![message.delivery_id, message.body_sha256], |row| row.get(0))?,
            None => false,
        };
        if !is_held {
            lost.push(message);
        }
    }
    Ok(lost)
}

/// What must not be forgotten of the file that is there: which messages were given up, how far its numbers went, and that something changed.
fn carry_over(present: &Connection, copy: &Connection) -> Result<()> {
    let has = |column: &str| -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM pragma_table_info('meta') WHERE name = ?1)";
        Ok(present.query_row(sql, [column], |row| row.get(0))?)
    };
    let (configuration, detail) = if has("configuration")? { ("configuration", "detail") } else { ("0", "'abandoned'") };
    let (revision, configuration): (i64, i64) =
        present.query_row(&format!("SELECT revision, {configuration} FROM meta"), [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    copy.execute(
        "UPDATE meta SET revision = max(revision, ?1) + 1, configuration = max(configuration, ?2) + 1 WHERE id = 1",
        [revision, configuration],
    )?;
    // Numbers of rows are not given again, so that what another process has under way finds no other row under its number.
    for table in ["session", "outbox"] {
        let last: Option<i64> = present.query_row("SELECT max(seq) FROM sqlite_sequence WHERE name = ?1", [table], |row| row.get(0))?;
        let Some(last) = last else { continue };
        if copy.execute("UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1", params![table, last])? == 0 {
            copy.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", params![table, last])?;
        }
    }
    let mut abandoned =
        present.prepare(&format!("SELECT delivery_id, {detail} FROM outbox WHERE state = 'failed' AND reason = 'abandoned'"))?;
    let mut rows = abandoned.query([])?;
    let mut abandons = copy.prepare(
        "UPDATE outbox SET state = 'failed', reason = 'abandoned', detail = ?2, lease_owner = NULL, lease_until = NULL, due_at = 0
          WHERE delivery_id = ?1 AND (state = 'queued' OR state = 'leased' OR state = 'failed' AND reason <> 'abandoned')",
    )?;
    while let Some(row) = rows.next()? {
        abandons.execute(params![row.get::<_, String>(0)?, row.get::<_, String>(1)?])?;
    }
    // A session that was deleted held nothing undelivered: what of it was not sent was given up.
    let mut unsent = copy.prepare(
        "SELECT o.id, s.key FROM outbox o JOIN session s ON s.id = o.session_id
          WHERE (o.state <> 'sent' AND o.state <> 'superseded') AND NOT (o.state = 'failed' AND o.reason = 'abandoned')",
    )?;
    let unsent = unsent.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let unsent: Vec<(i64, Vec<u8>)> = unsent.collect::<rusqlite::Result<_>>()?;
    let mut is_deleted = present.prepare("SELECT EXISTS (SELECT 1 FROM tombstone WHERE key = ?1)")?;
    let mut abandons = copy.prepare(
        "UPDATE outbox SET state = 'failed', reason = 'abandoned', detail = 'restored', lease_owner = NULL, lease_until = NULL,
                           due_at = 0 WHERE id = ?1",
    )?;
    for (entry, session) in unsent {
        if is_deleted.query_row([session], |row| row.get(0))? {
            abandons.execute([entry])?;
        }
    }
    Ok(())
}

/// Writes into the file that is kept who gave these messages up, and why: whoever opens it does not send them.
fn give_up(kept: &Path, lost: &[Message], gives_up: &GivesUp<'_>) -> Result<()> {
    let mut file = Target::open(kept)?;
    if migrate::version(&file)? < migrate::newest() {
        // An older schema has no word for it.
        return Ok(());
    }
    let tx = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for message in lost {
        let (session, seq, last_at, action): (i64, u32, i64, String) = tx.query_row(
            "SELECT s.id, s.last_seq, ifnull((SELECT at FROM event e WHERE e.session_id = s.id AND e.seq = s.last_seq), s.started_at), a.key
               FROM outbox o JOIN action a ON a.id = o.action_id JOIN session s ON s.id = o.session_id WHERE o.id = ?1",
            [message.entry],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )?;
        let at = gives_up.at.max(from_ms(last_at)?);
        tx.execute(
            "UPDATE outbox SET state = 'failed', reason = 'abandoned', detail = 'restored', lease_owner = NULL, lease_until = NULL,
                           due_at = 0 WHERE id = ?1",
            [message.entry],
        )?;
        let event = Event {
            seq: seq + 1,
            v: EVENT_VERSION,
            at,
            wall_at: (gives_up.at < at).then_some(gives_up.at),
            utc_offset: gives_up.utc_offset,
            actor: Some(gives_up.actor.to_owned()),
            command_id: None,
            act: Act::Abandoned { action, reason: gives_up.reason.to_owned() },
        };
        session::write_event(&tx, session, &event, None)?;
        tx.execute("UPDATE session SET last_seq = ?2 WHERE id = ?1", params![session, event.seq])?;
    }
    Ok(tx.commit()?)
}

/// Lets the checked copy take the place of a file that does not open, or of none.
fn put_in_place(part: &Path, path: &Path, step: &dyn Fn(&str)) -> Result<()> {
    let _alone = alone(path)?;
    files::remove_database(&files::beside(path, BEFORE))?;
    // Kept until it is in place, so that no other process that opens the file finishes this as well.
    let Some(new) = alone(part)? else { return Err(StoreError::Io("the copy is gone".to_owned())) };
    new.sync_all()?;
    files::rename(part, &files::beside(path, READY))?;
    files::sync_folder(path)?;
    step("ready");
    move_in(path, step)
}

/// Finishes what a process began and did not come to the end of: the file that is ready becomes the database.
///
/// # Errors
/// `Locked` while another process has the file open, or is about to finish it.
pub(super) fn finish(path: &Path, step: &dyn Fn(&str)) -> Result<()> {
    let ready = files::beside(path, READY);
    let Some(_begun) = alone(&ready)? else { return Ok(()) };
    let _alone = alone(path)?;
    // Another process may have been faster.
    if ready.exists() { move_in(path, step) } else { Ok(()) }
}

fn move_in(path: &Path, step: &dyn Fn(&str)) -> Result<()> {
    let before = files::beside(path, BEFORE);
    for suffix in ["-wal", "-journal"] {
        if files::rename(&files::beside(path, suffix), &files::beside(&before, suffix))? {
            files::sync_folder(path)?;
            step("log aside");
        }
    }
    files::remove(&files::beside(path, "-shm"))?;
    if files::rename(path, &before)? {
        files::sync_folder(path)?;
        step("file aside");
    }
    files::rename(&files::beside(path, READY), path)?;
    files::sync_folder(path)?;
    step("in place");
    Ok(())
}

/// What was kept of the database before is not needed any more, because the one after it has opened.
pub(super) fn forget_before(path: &Path) {
    // Where it stays, the next one that opens tries again.
    let _ = files::remove_database(&files::beside(path, BEFORE));
}

/// The file, if it is there, with a lock that no other process gets while this is kept, and that nobody has who has the database open.
/// This process must not have it open: closing this would take its locks away.
fn alone(path: &Path) -> Result<Option<File>> {
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    #[cfg(unix)]
    rustix::fs::fcntl_lock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).map_err(|_| StoreError::Locked)?;
    Ok(Some(file))
}
