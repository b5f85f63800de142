//! Replacing the database with a copy, and removing it.
//!
//! If the present file can be opened, the copy is written over it in one transaction of SQLite: after a crash the file holds the old content
//! or the new one, and another process sees a commit like any other. If it cannot be opened, the checked copy is named `-restoring` beside
//! it, and its hash is written there; from then on it is the database, and the next process that opens the file finishes the restore: it
//! sets the old side files aside, then the old file, then gives the new one the name, and syncs the folder after each.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection as Target, OpenFlags, TransactionBehavior};

use super::carried::CarriedState;
use super::connect::connect;
use super::files::Look;
use super::known::Holds;
use super::lost::{self, Abandonment, IsId, Message};
use super::pool::{Pool, Role};
use super::{Connection, Result, StoreError, backup, check, cleaning, files, known_tables, meta, migrate, rebuild, schema, search};
use crate::crypto::Sha256;

/// How long another process may hold the file.
const WAIT: Duration = Duration::from_secs(5);
/// How often another process may write between the check of the file and its change.
const TRIES: u32 = 10;
/// Pages written at a time, 64 kB.
const PAGES: i32 = 16;
const READ_ONLY: OpenFlags =
    OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX).union(OpenFlags::SQLITE_OPEN_EXRESCODE);

/// The result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replaced {
    Done,
    /// Nothing was changed: this many messages would be lost. None: the file cannot be read to count them.
    Undelivered(Option<u64>),
}

/// The present file.
enum Present {
    None,
    Opens(Connection),
    Damaged,
}

/// A copy that will replace a database. Both paths are canonical.
pub(crate) struct Restore<'a> {
    pub(crate) from: &'a Path,
    /// The copy is complete without the files beside it.
    pub(crate) has_no_wal: bool,
    pub(crate) path: &'a Path,
    pub(crate) abandonment: Option<&'a Abandonment<'a>>,
    pub(crate) is_id: IsId,
    pub(crate) holds: Holds,
    /// Called at each step.
    pub(crate) step: &'a dyn Fn(&str),
}

impl Restore<'_> {
    /// # Errors
    /// Of the copy: `Foreign`, `NewerSchema`, `Corrupt`, `CannotOpen`. Of the present file: `Locked`, `NewerSchema`, `Foreign` where it is a
    /// database of another program, `Full`, `Io`. Then nothing was changed, and nothing will be.
    pub(crate) fn run(&self) -> Result<Replaced> {
        finish(self.path, self.step)?;
        let part = files::beside(self.path, files::COPY);
        {
            let _left = lock_exclusively(&part)?;
            files::remove_database(&part)?;
        }
        // Another process that opens the file may be removing what is left.
        files::create(&part).map_err(|error| if error.kind() == ErrorKind::AlreadyExists { StoreError::Locked } else { error.into() })?;
        // Until it is locked by SQLite. Closing this would release that lock, too.
        let Some(made) = lock_exclusively(&part)? else { return Err(StoreError::Locked) };
        let replaced = self.take(&part, files::identity_of(&made.metadata()?));
        // SQLite has released the lock. Another process may remove them, or begin a restore of its own. They no longer exist where they got
        // another name.
        if let Ok(Some(_locked)) = lock_exclusively(&part) {
            for left in [files::BEFORE_PART, files::COPY] {
                let _ = files::remove_database(&files::beside(self.path, left));
            }
        }
        replaced
    }

    /// `made` is which file the part is.
    fn take(&self, part: &Path, made: (u64, u64)) -> Result<Replaced> {
        let copy = self.checked_copy(part)?;
        (self.step)("checked");
        let pool = Arc::new(Pool::default());
        let present = match present(self.path, &pool)? {
            Present::None => {
                // An empty file is created and written over, so that it does not matter if another process creates one meanwhile.
                files::prepare(self.path)?;
                open(self.path, &pool)?
            }
            present => present,
        };
        if let Present::Opens(present) = present {
            match self.write_over(present, &copy, &pool) {
                // It can be opened, but needed data cannot be read.
                Err(StoreError::Corrupt(_)) => {}
                replaced => return replaced,
            }
        }
        let seen = files::look(self.path);
        let present = match damaged(self.path) {
            // It may be read later.
            Err(StoreError::OutOfMemory) => return Err(StoreError::OutOfMemory),
            present => present,
        };
        let lost = present.as_ref().ok().and_then(|present| lost::not_in(present, Some((&copy, self.is_id))).ok());
        if self.abandonment.is_none() && lost.as_ref().is_none_or(|lost| !lost.is_empty()) {
            return Ok(Replaced::Undelivered(lost.map(|lost| lost.len() as u64)));
        }
        present.map(|present| CarriedState::of_damaged(&present)).unwrap_or_default().carry_to(&copy, self.holds)?;
        copy.close().map_err(|(_, error)| error)?;
        (self.step)("counted");
        self.put_in_place(part, &seen, made)?;
        Ok(Replaced::Done)
    }

    /// Copies the copy, checks that it is an undamaged Compass database, and updates its schema.
    fn checked_copy(&self, part: &Path) -> Result<Connection> {
        let source = if self.has_no_wal { one_file(self.from)? } else { read_only(self.from)? };
        let mut copy = Target::open_with_flags(part, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        // It is not needed before it is complete, and is then synced as a whole. Its lock shows other processes that a restore
        // is running.
        copy.execute_batch(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON",
        )?;
        if Backup::new(&source, &mut copy)?.step(-1)? != StepResult::Done {
            return Err(StoreError::Locked);
        }
        drop(source);
        copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
        migrate::look(&copy)?;
        let version = schema::version(&copy)?;
        if version == 0 {
            return Err(StoreError::Foreign);
        }
        schema::check_others(&copy, version)?;
        if version == migrate::newest() {
            rebuild::rebuild_alone(&copy)?;
        }
        let mut faults = Vec::new();
        check::integrity(&copy, &mut faults)?;
        if let Some(fault) = faults.into_iter().next() {
            return Err(StoreError::Corrupt(fault));
        }
        migrate::migrate(&mut copy, &String::new)?;
        cleaning::rebuild(&copy)?;
        search::keep_clean(&copy)?;
        // Another history than that of the file that it was copied from.
        meta::end_series(&copy)?;
        // Without this it cannot be opened or written.
        meta::load(&copy)?;
        CarriedState::of(&copy)?;
        // No other file that had this name has the same one.
        meta::set_file_generation(&copy, i64::from(files::random() as u32 >> 1))?;
        Ok(copy)
    }

    /// One write transaction over the file that is there.
    ///
    /// # Errors
    /// `Corrupt` where needed data of that file cannot be read.
    fn write_over(&self, mut present: Connection, copy: &Connection, pool: &Arc<Pool>) -> Result<Replaced> {
        // It detects writes of other connections.
        let watcher = connect(self.path, Role::Reader, pool, pool.wait_limit(WAIT), |_| Ok(()))?;
        // Both files need the same page size.
        let size = page_size(&present)?;
        if page_size(copy)? != size {
            copy.execute_batch(&format!("PRAGMA page_size = {size}; VACUUM"))?;
        }
        for _ in 0..TRIES {
            let seen = cleaning::writes_of_others(&watcher)?;
            let is_new = is_new(&watcher)?;
            if is_new {
                CarriedState::default().carry_to(copy, self.holds)?;
            } else {
                let lost = lost::not_in(&watcher, Some((copy, self.is_id))).map_err(of_present)?;
                if !lost.is_empty() && self.abandonment.is_none() {
                    return Ok(Replaced::Undelivered(Some(lost.len() as u64)));
                }
                CarriedState::of(&watcher).map_err(of_present)?.carry_to(copy, self.holds)?;
                self.keep(&watcher, &lost)?;
            }
            let over = Backup::new(copy, &mut present)?;
            // The first step begins the transaction: from here on no other process writes.
            let mut went = over.step(1)?;
            if cleaning::writes_of_others(&watcher)? != seen {
                continue;
            }
            if went == StepResult::More && !is_new {
                // Not before: what is kept of a restore that fails would be the file before a later one.
                let generation = meta::file_generation(&watcher)?;
                files::publish_database(&files::beside(self.path, files::BEFORE_PART), &self.kept_as(generation))?;
                (self.step)("kept");
            }
            while went == StepResult::More {
                (self.step)("writes");
                went = over.step(PAGES)?;
            }
            if went != StepResult::Done {
                return Err(StoreError::Locked);
            }
            drop(over);
            (self.step)("written");
            drop(watcher);
            cleaning::close_with_checkpoint(present);
            return Ok(Replaced::Done);
        }
        Err(StoreError::Locked)
    }

    /// Copies the present file. The copy gets the name under which it is kept once nobody else can write.
    fn keep(&self, present: &Connection, lost: &[Message]) -> Result<()> {
        let part = files::beside(self.path, files::BEFORE_PART);
        // A killed process may have left one.
        files::remove_database(&part)?;
        files::create(&part)?;
        backup::fill(present, &part, || true).map_err(of_present)?;
        let mut kept = Target::open(&part)?;
        meta::set_file_generation(&kept, meta::file_generation(present)?)?;
        if let Some(abandonment) = self.abandonment {
            abandon(&mut kept, lost, abandonment).map_err(of_present)?;
        }
        kept.close().map_err(|(_, error)| error)?;
        // Now, because nobody else can write when it gets its name.
        files::sync(&part)?;
        (self.step)("copied");
        Ok(())
    }

    /// The name under which the present file of this generation is kept. What a restore kept that was killed before it had written is an earlier
    /// content of the same file, which no restore has replaced. So is what stayed when the file was opened.
    fn kept_as(&self, generation: i64) -> PathBuf {
        let before = files::beside(self.path, files::BEFORE);
        let is_earlier = self.from != before && files::generation_of_copy(&before) == Some(generation);
        if is_earlier { before } else { files::kept_as(self.path) }
    }

    /// Replaces a file that cannot be opened with the checked copy.
    ///
    /// # Errors
    /// `Locked` also where it is no longer as it was `seen`.
    fn put_in_place(&self, part: &Path, seen: &Look, copy: (u64, u64)) -> Result<()> {
        // Where the file is missing but its WAL is not, an empty file is kept beside the WAL.
        let is_made = files::create(self.path).is_ok();
        let placed = self.make_ready(part, seen, copy);
        if placed.is_err() && is_made {
            self.remove_empty();
        }
        placed
    }

    /// Another restore may have put its copy in the place meanwhile.
    fn remove_empty(&self) {
        if let Ok(Some(file)) = lock_exclusively(self.path)
            && let Ok(metadata) = file.metadata()
            && metadata.len() == 0
            && files::identity(self.path) == Some(files::identity_of(&metadata))
        {
            let _ = files::remove(self.path);
        }
    }

    fn make_ready(&self, part: &Path, seen: &Look, copy: (u64, u64)) -> Result<()> {
        let _locked = lock_as_seen(self.path, seen)?;
        // Locked until it is in place, so that no other process that opens the file finishes this too.
        let Some(new) = lock_exclusively(part)? else { return Err(StoreError::Locked) };
        // Its lock ended when SQLite closed it: another restore may have made its own.
        if files::identity_of(&new.metadata()?) != copy {
            return Err(StoreError::Locked);
        }
        (self.step)("locked");
        new.sync_all()?;
        let (ready, hash) = (files::beside(self.path, files::READY), files::beside(self.path, files::READY_HASH));
        files::remove(&hash)?;
        let mut tells = files::create(&hash)?;
        tells.write_all(Sha256::of_all(&new)?.to_string().as_bytes())?;
        tells.sync_all()?;
        // The last step that can fail is near: a restore that fails leaves what an earlier one has kept.
        files::remove_database(&files::kept_as(self.path))?;
        files::sync_folder(self.path)?;
        files::rename(part, &ready)?;
        if let Err(error) = files::sync_folder(self.path)
            && files::remove(&hash).is_ok()
        {
            // It no longer belongs to a restore.
            let _ = files::remove(&ready);
            return Err(error);
        }
        (self.step)("ready");
        // From here on it is the database, even if a later step fails.
        move_in(self.path, self.step)
            .unwrap_or_else(|error| log::warn!("the restore is finished when the database is opened next: {error}"));
        Ok(())
    }
}

/// No other process has this file yet, and it is not a finished copy.
fn abandon(file: &mut Target, lost: &[Message], abandonment: &Abandonment<'_>) -> Result<()> {
    if schema::version(file)? < migrate::newest() {
        // An older schema cannot store it.
        return Ok(());
    }
    let tx = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
    lost::abandon(&tx, lost, abandonment)?;
    Ok(tx.commit()?)
}

/// An unreadable part of the present file is damage of that file.
fn of_present(error: StoreError) -> StoreError {
    match error {
        StoreError::Unreadable(what) | StoreError::Internal(what) => StoreError::Corrupt(what),
        error => error,
    }
}

/// Removes the database with everything beside it.
///
/// # Errors
/// `Locked` while another process has the file open; `NewerSchema`, `Foreign`, `CannotOpen`, `Io`.
pub(crate) fn erase(path: &Path, abandons: bool) -> Result<Replaced> {
    finish(path, &|_| {})?;
    // A restore in another process has it locked.
    drop(lock_exclusively(&files::beside(path, files::COPY))?);
    let pool = Arc::new(Pool::default());
    let mut seen = Look::default();
    let lost = match present(path, &pool)? {
        Present::None => Some(Vec::new()),
        Present::Damaged => {
            seen = files::look(path);
            damaged(path).and_then(|present| lost::not_in(&present, None)).ok()
        }
        Present::Opens(mut present) => {
            // No other process may have it open, and the counted messages must not change.
            present.busy_timeout(Duration::ZERO)?;
            present.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
            let transaction = present.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let lost = if is_new(&transaction)? { Some(Vec::new()) } else { lost::not_in(&transaction, None).ok() };
            drop(transaction);
            if abandons || lost.as_ref().is_some_and(Vec::is_empty) {
                // One file, which is removed at once. If that fails, its WAL is removed first.
                let _ = present.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()));
                remove_all(path)?;
                return Ok(Replaced::Done);
            }
            lost
        }
    };
    if !abandons && lost.as_ref().is_none_or(|lost| !lost.is_empty()) {
        return Ok(Replaced::Undelivered(lost.map(|lost| lost.len() as u64)));
    }
    let _locked = lock_as_seen(path, &seen)?;
    remove_all(path)?;
    Ok(Replaced::Done)
}

fn remove_all(path: &Path) -> Result<()> {
    files::all_of(path).try_for_each(|file| files::remove(&file))?;
    files::sync_folder(path)
}

fn present(path: &Path, pool: &Arc<Pool>) -> Result<Present> {
    if files::is_empty(path) {
        return Ok(if files::has_wal(path) { Present::Damaged } else { Present::None });
    }
    open(path, pool)
}

/// Opens the file, which exists.
fn open(path: &Path, pool: &Arc<Pool>) -> Result<Present> {
    match connect(path, Role::Writer, pool, pool.wait_limit(WAIT), migrate::look) {
        Ok(connection) => Ok(Present::Opens(connection)),
        Err(StoreError::Corrupt(_)) => Ok(Present::Damaged),
        // If SQLite can read it, it is a database of another program.
        Err(StoreError::Foreign) if read_only(path).and_then(|file| schema::version(&file)).is_ok() => Err(StoreError::Foreign),
        Err(StoreError::Foreign) => Ok(Present::Damaged),
        Err(error) => Err(error),
    }
}

pub(super) fn read_only(path: &Path) -> Result<Connection> {
    if files::is_empty(path) {
        // SQLite would delete a WAL beside it.
        return Err(StoreError::Foreign);
    }
    let connection = Target::open_with_flags(path, READ_ONLY)?;
    connection.busy_timeout(WAIT)?;
    Ok(connection)
}

/// A file that cannot be opened, as far as it can be read.
fn damaged(path: &Path) -> Result<Connection> {
    known_tables::of_damaged(read_only(path)?)
}

/// Only this file, without the files beside it.
fn one_file(path: &Path) -> Result<Connection> {
    let mut uri = "file:".to_owned();
    path.as_os_str().as_encoded_bytes().iter().for_each(|byte| match byte {
        b'/' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => uri.push(char::from(*byte)),
        byte => uri.push_str(&format!("%{byte:02x}")),
    });
    Ok(Target::open_with_flags(uri + "?immutable=1", READ_ONLY | OpenFlags::SQLITE_OPEN_URI)?)
}

/// Whether nothing was written to it yet: a process may have been killed when it had made the file, and not the schema.
fn is_new(connection: &Connection) -> Result<bool> {
    Ok(!connection.prepare("SELECT 1 FROM sqlite_schema")?.exists([])?)
}

fn page_size(connection: &Connection) -> Result<i64> {
    Ok(connection.query_row("PRAGMA page_size", [], |row| row.get(0))?)
}

/// Finishes a restore that another process began: the file that is ready becomes the database. A file of that name that no restore made is
/// renamed and ignored.
///
/// # Errors
/// `Locked` while another process has the file open, or is about to finish it.
pub(super) fn finish(path: &Path, step: &dyn Fn(&str)) -> Result<()> {
    let ready = files::beside(path, files::READY);
    let Ok(found) = fs::symlink_metadata(&ready) else { return Ok(()) };
    let begun = if found.is_file() { lock_exclusively(&ready) } else { Ok(None) };
    // Another process may have been faster.
    if fs::symlink_metadata(&ready).is_err() {
        return Ok(());
    }
    let begun = begun?;
    let is_ours = match &begun {
        // What cannot be read now may be ours.
        Some(begun) => match fs::read(files::beside(path, files::READY_HASH)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            told => told.ok() == Some(Sha256::of_all(begun)?.to_string().into_bytes()),
        },
        None => false,
    };
    if !is_ours {
        log::warn!("a file that was not made by a restore of this database is set aside");
        files::rename(&ready, &files::unused(path, "-not-restored-"))?;
        return files::sync_folder(path);
    }
    let _locked = lock_exclusively(path)?;
    move_in(path, step)
}

fn move_in(path: &Path, step: &dyn Fn(&str)) -> Result<()> {
    let kept = files::kept_as(path);
    for suffix in ["-wal", "-journal"] {
        if files::rename(&files::beside(path, suffix), &files::beside(&kept, suffix))? {
            files::sync_folder(path)?;
            step("WAL aside");
        }
    }
    files::remove(&files::beside(path, "-shm"))?;
    if files::rename(path, &kept)? {
        files::sync_folder(path)?;
        step("file aside");
    }
    files::rename(&files::beside(path, files::READY), path)?;
    files::sync_folder(path)?;
    step("in place");
    files::remove(&files::beside(path, files::READY_HASH))
}

/// Removes the file that was kept of the earlier database, which is not needed once the new one, of this generation, was opened, and the files
/// of a restore that did not finish.
pub(super) fn forget_before(path: &Path, generation: i64) {
    let left = [files::BEFORE_PART, files::LATER, files::BEFORE, files::READY_HASH, files::COPY].map(|left| files::beside(path, left));
    if left.iter().all(|left| fs::symlink_metadata(left).is_err()) {
        return;
    }
    let [.., copy] = &left;
    // A restore in another process has it locked, and needs them. If they stay, the next process that opens the file tries again. Without a
    // file there is no lock, and a restore could begin meanwhile; on a full disk there is none.
    let _ = files::create(copy);
    let Ok(_locked) = lock_exclusively(copy) else {
        // It is not what a later restore has replaced.
        return files::set_generation_of_copy(&files::beside(path, files::BEFORE), generation);
    };
    for left in &left {
        let _ = files::remove_database(left);
    }
}

/// The file, if it exists, with an exclusive lock: no other process has it open, or can open it while this is kept. This process must not
/// have it open: closing this file would release its locks.
fn lock_exclusively(path: &Path) -> Result<Option<File>> {
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    #[cfg(unix)]
    rustix::fs::fcntl_lock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).map_err(|_| StoreError::Locked)?;
    // Whoever had the lock may have removed or renamed the file.
    if files::identity(path) != Some(files::identity_of(&file.metadata()?)) {
        return Err(StoreError::Locked);
    }
    Ok(Some(file))
}

/// The same for a file that was read before. `Locked` also where another process has written since: for instance a message that was not counted.
fn lock_as_seen(path: &Path, seen: &Look) -> Result<Option<File>> {
    let locked = lock_exclusively(path)?;
    if files::look(path) == *seen { Ok(locked) } else { Err(StoreError::Locked) }
}
