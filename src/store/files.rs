//! Files: their permissions before the first byte, the names beside the database, and syncing of folders.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{Result, StoreError};
use crate::crypto::{self, Sha256};

/// SQLite's files beside a database: the WAL, its shared memory, and the rollback journal.
pub(super) const SIDE_FILES: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The core's files beside a database: the copy that will replace it, while it is checked and when it is ready, with its hash; the earlier
/// database, while it is copied and when it is complete, and what a later restore replaced; the reserve for a full disk.
pub(super) const COPY: &str = "-restore-part";
pub(super) const READY: &str = "-restoring";
pub(super) const READY_HASH: &str = "-restoring-sha256";
pub(super) const BEFORE_PART: &str = ".before-restore-part";
pub(super) const BEFORE: &str = ".before-restore";
pub(super) const LATER: &str = ".before-later-restore";
pub(super) const RESERVE: &str = "-reserve";

/// Where SQLite's header has the generation.
const GENERATION_AT: usize = 40;

/// Every file of this database. The database itself comes last: until it is removed, the database exists.
pub(super) fn all_of(path: &Path) -> impl Iterator<Item = PathBuf> {
    [RESERVE, COPY, READY_HASH, READY, BEFORE_PART, LATER, BEFORE, ""].into_iter().flat_map(|suffix| with_side_files(beside(path, suffix)))
}

fn with_side_files(path: PathBuf) -> impl Iterator<Item = PathBuf> {
    let side_files = SIDE_FILES.map(|suffix| beside(&path, suffix));
    side_files.into_iter().chain([path])
}

/// Whether a file of this name, or SQLite's files beside it, would be a file of the database.
pub(crate) fn would_touch(to: &Path, database: &Path) -> bool {
    with_side_files(to.to_owned()).any(|made| all_of(database).any(|file| file == made))
}

/// Whether a copy of this name would be removed or changed when it replaces the database. The kept file of the earlier database is not.
pub(crate) fn is_of(from: &Path, database: &Path) -> bool {
    from != beside(database, BEFORE) && all_of(database).any(|file| file == from)
}

/// The name under which the earlier database is kept. The first one since the database was opened keeps the first name, even if further
/// restores follow.
pub(super) fn kept_as(path: &Path) -> PathBuf {
    let before = beside(path, BEFORE);
    if fs::symlink_metadata(&before).is_ok() { beside(path, LATER) } else { before }
}

/// Whether a copy of the database is beside it until it is opened.
pub(super) fn has_copy(path: &Path) -> bool {
    [COPY, READY, BEFORE_PART, LATER, BEFORE].iter().any(|copy| fs::symlink_metadata(beside(path, copy)).is_ok())
}

/// Whether a restore has begun to give this name to another file. From then on that file is the database.
pub(super) fn is_replaced(path: &Path) -> bool {
    fs::symlink_metadata(beside(path, READY)).is_ok()
}

/// The path with something added to the file's name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// The same with an unused name.
pub(super) fn unused(path: &Path, suffix: &str) -> PathBuf {
    beside(path, &format!("{suffix}{:016x}", random()))
}

pub(super) fn random() -> u64 {
    let mut random = [0; 8];
    crypto::fill_random(&mut random);
    u64::from_ne_bytes(random)
}

/// Creates the database file if it does not exist, only for its owner; SQLite gives its files beside it the same permissions.
///
/// # Errors
/// `Corrupt` where the file is empty or missing and its WAL is not: SQLite would treat it as a new database, and delete the WAL.
pub(super) fn prepare(path: &Path) -> Result<()> {
    // First the WAL: another process that creates the database writes the file first.
    let has_log = has_wal(path);
    if has_log && is_empty(path) {
        return Err(StoreError::Corrupt("the file is empty, and its WAL is not".to_owned()));
    }
    match create(path) {
        // If the path is not a file, SQLite reports that it cannot open it.
        Err(error) if !matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::IsADirectory) => Err(error.into()),
        _ => Ok(()),
    }
}

/// Whether there is a WAL that is not empty.
pub(super) fn has_wal(path: &Path) -> bool {
    fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

/// Whether the file is marked as complete without a WAL, and no change of it was interrupted. SQLite would still use a WAL beside it. This
/// process must not have it open.
pub(crate) fn has_no_wal(path: &Path) -> bool {
    // From the header: its write and read version. 2 means WAL.
    let mut header = [0; 20];
    let is_read = File::open(path).and_then(|mut file| file.read_exact(&mut header)).is_ok();
    is_read && header[18] == 1 && header[19] == 1 && !has_journal(path)
}

/// The generation of a closed file that is marked as complete without a WAL, from its header. None where it is no such file.
pub(super) fn generation_of_copy(path: &Path) -> Option<i64> {
    generation_in(&mut File::open(path).ok()?)
}

fn generation_in(file: &mut File) -> Option<i64> {
    let mut header = [0; GENERATION_AT + 4];
    file.read_exact(&mut header).ok()?;
    let generation = i32::from_be_bytes(header[GENERATION_AT..].try_into().ok()?);
    (header[18] == 1 && header[19] == 1).then(|| i64::from(generation))
}

/// Gives such a file this generation. An error is ignored: then it keeps its own.
pub(super) fn set_generation_of_copy(path: &Path, generation: i64) {
    let Ok(mut file) = OpenOptions::new().read(true).write(true).open(path) else { return };
    if generation_in(&mut file).is_some() {
        let _ = file.seek(SeekFrom::Start(GENERATION_AT as u64)).and_then(|_| file.write_all(&(generation as i32).to_be_bytes()));
    }
}

/// Whether a change was interrupted, and its rollback journal is kept.
fn has_journal(path: &Path) -> bool {
    fs::metadata(beside(path, "-journal")).is_ok_and(|journal| journal.len() > 0)
}

/// Whether there are files beside this name that SQLite would treat as parts of a file with this name.
pub(crate) fn has_parts(path: &Path) -> bool {
    has_wal(path) || has_journal(path)
}

/// Which file has this name now: its device and its number there. None where there is none.
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().as_ref().map(identity_of)
}

/// The same of an open file.
pub(super) fn identity_of(file: &Metadata) -> (u64, u64) {
    #[cfg(unix)]
    return (std::os::unix::fs::MetadataExt::dev(file), std::os::unix::fs::MetadataExt::ino(file));
    #[cfg(not(unix))]
    return (0, u64::from(file.is_dir()));
}

/// What a file and its WAL look like. Differs after a commit of another process.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// Which file it is, its length, and when it was written. None where it is empty or missing.
    file: Option<((u64, u64), u64, Option<SystemTime>)>,
    /// The length of the WAL, and the hash of what can be read of it: a commit may change nothing else.
    wal: Option<(u64, Option<Sha256>)>,
}

/// What this file and its WAL look like now. Does not open the file: closing it would release this process's locks on it.
pub(super) fn look(path: &Path) -> Look {
    let found = |path: &Path| fs::metadata(path).ok().filter(|file| file.len() > 0);
    let wal = beside(path, "-wal");
    let hash = || File::open(&wal).and_then(Sha256::of_all).ok();
    Look {
        file: found(path).map(|file| (identity_of(&file), file.len(), file.modified().ok())),
        wal: found(&wal).map(|file| (file.len(), hash())),
    }
}

/// Whether the file is empty or missing.
pub(super) fn is_empty(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(file) => file.is_file() && file.len() == 0,
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

/// Creates a file that does not exist yet, only for its owner.
pub(super) fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// An incomplete file under a name of its own. Removed when this is dropped.
pub(super) struct Part(PathBuf);

impl Part {
    /// Creates it beside its final name, only for its owner.
    pub(super) fn of(path: &Path) -> Result<(Self, File)> {
        let part = unused(path, "-part-");
        let file = create(&part)?;
        Ok((Self(part), file))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Gives the finished file its name, and returns when file and name are on the disk.
    ///
    /// # Errors
    /// `NameTaken`: nothing is replaced.
    pub(super) fn publish(self, path: &Path) -> Result<()> {
        sync(&self.0)?;
        match fs::hard_link(&self.0, path) {
            Ok(()) => {}
            // Android refuses links to apps, and some file systems do not have them.
            Err(error) if error.kind() != ErrorKind::AlreadyExists && fs::symlink_metadata(path).is_err() => fs::rename(&self.0, path)?,
            Err(_) => return Err(StoreError::NameTaken),
        }
        drop(self);
        sync_folder(path).inspect_err(|_| drop(fs::remove_file(path)))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // An error is ignored: the file is not used any more.
        let _ = remove_database(&self.0);
    }
}

/// Returns when the content of this file is on the disk.
pub(super) fn sync(path: &Path) -> Result<()> {
    // Opened for writing, because some systems require it.
    Ok(OpenOptions::new().write(true).open(path)?.sync_all()?)
}

/// Gives a finished database one of the core's names, and replaces a file of that name. Returns when file and name are on the disk.
pub(super) fn publish_database(part: &Path, path: &Path) -> Result<()> {
    SIDE_FILES.iter().try_for_each(|suffix| remove(&beside(path, suffix)))?;
    sync(part)?;
    fs::rename(part, path)?;
    sync_folder(path)
}

/// Returns when the names in the folder of this file are on the disk.
pub(super) fn sync_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(File::open(folder)?.sync_all()?)
}

/// Renames a file, if it is there; says whether it was.
pub(super) fn rename(from: &Path, to: &Path) -> Result<bool> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        renamed => Ok(renamed.map(|()| true)?),
    }
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Removes a database with SQLite's files beside it.
pub(super) fn remove_database(path: &Path) -> Result<()> {
    with_side_files(path.to_owned()).try_for_each(|file| remove(&file))
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let what = error.kind().to_string();
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => StoreError::Full,
            ErrorKind::OutOfMemory => StoreError::OutOfMemory,
            ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::NotADirectory => {
                StoreError::CannotOpen(what)
            }
            _ => StoreError::Io(what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_gets_its_name_when_it_is_complete_and_is_removed_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("copy");
        drop(Part::of(&to).unwrap());
        assert_eq!(names(folder.path()), [""; 0]);
        let (part, mut file) = Part::of(&to).unwrap();
        file.write_all(b"whole").unwrap();
        assert!(!to.exists());
        part.publish(&to).unwrap();
        assert_eq!((names(folder.path()), fs::read(&to).unwrap()), (vec!["copy".to_owned()], b"whole".to_vec()));
    }

    #[test]
    fn a_file_looks_different_after_each_commit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert_eq!(look(&path), Look::default());
        fs::write(&path, "").unwrap();
        assert_eq!(look(&path), Look::default(), "as if it were not there");
        let file = rusqlite::Connection::open(&path).unwrap();
        file.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE number (n INTEGER); INSERT INTO number VALUES (1)").unwrap();
        let mut seen = vec![look(&path)];
        for _ in 0..3 {
            // From here on the WAL begins again, and does not become longer.
            file.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
            file.execute("UPDATE number SET n = n + 1", []).unwrap();
            let now = look(&path);
            assert!(!seen.contains(&now), "{now:?}");
            assert_eq!(now, look(&path));
            seen.push(now);
        }
        file.close().unwrap();
        assert!(!seen.contains(&look(&path)));
    }

    #[test]
    fn a_file_that_was_created_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("copy");
        let parts = [Part::of(&to).unwrap().0, Part::of(&to).unwrap().0];
        fs::write(&to, "of somebody").unwrap();
        for part in parts {
            assert!(matches!(part.publish(&to), Err(StoreError::NameTaken)));
        }
        assert_eq!((names(folder.path()), fs::read(&to).unwrap()), (vec!["copy".to_owned()], b"of somebody".to_vec()));
    }
}
