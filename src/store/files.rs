//! What SQLite leaves to us: who may read a file before a byte is in it, the names beside it, and that a folder keeps them.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::{Result, StoreError};
use crate::crypto;

/// What SQLite puts beside a database: its log, what it shares of the log, and the journal of a file without a log.
pub(super) const SIDE_FILES: [&str; 3] = ["-wal", "-shm", "-journal"];

/// What we put beside a database: the copy that is about to take its place, while it is checked and when it is ready, with what tells that it is
/// ours; the database before, while it is copied and when it is whole, and what another restore found in its place; the room for a full disk.
pub(super) const COPY: &str = "-restore-part";
pub(super) const READY: &str = "-restoring";
pub(super) const READY_HASH: &str = "-restoring-sha256";
pub(super) const BEFORE_PART: &str = ".before-restore-part";
pub(super) const BEFORE: &str = ".before-restore";
pub(super) const LATER: &str = ".before-later-restore";
pub(super) const RESERVE: &str = "-reserve";

/// Every file that may be of this database. The database itself comes last: until it is gone, it is there.
pub(super) fn all_of(path: &Path) -> impl Iterator<Item = PathBuf> {
    [RESERVE, COPY, READY_HASH, READY, BEFORE_PART, LATER, BEFORE, ""].into_iter().flat_map(|suffix| with_side_files(beside(path, suffix)))
}

fn with_side_files(path: PathBuf) -> impl Iterator<Item = PathBuf> {
    let side_files = SIDE_FILES.map(|suffix| beside(&path, suffix));
    side_files.into_iter().chain([path])
}

/// Whether a file of this name, or what SQLite puts beside it, would be a file of the database.
pub(crate) fn would_touch(to: &Path, database: &Path) -> bool {
    with_side_files(to.to_owned()).any(|made| all_of(database).any(|file| file == made))
}

/// Whether a copy of this name would go, or change, when it takes the place of the database. What is kept of the database before does not.
pub(crate) fn is_of(from: &Path, database: &Path) -> bool {
    from != beside(database, BEFORE) && all_of(database).any(|file| file == from)
}

/// The name under which the database before is kept. The first one since the database was opened keeps the first name, no matter what takes
/// the place of the database meanwhile.
pub(super) fn kept_as(path: &Path) -> PathBuf {
    let before = beside(path, BEFORE);
    if fs::symlink_metadata(&before).is_ok() { beside(path, LATER) } else { before }
}

/// Whether a copy of the database lies beside it until it is opened.
pub(super) fn has_copy(path: &Path) -> bool {
    [COPY, READY, BEFORE_PART, LATER, BEFORE].iter().any(|copy| fs::symlink_metadata(beside(path, copy)).is_ok())
}

/// The path with something added to the file's name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// The same with a name that nobody has.
pub(super) fn unused(path: &Path, suffix: &str) -> PathBuf {
    let mut random = [0; 8];
    crypto::fill_random(&mut random);
    beside(path, &format!("{suffix}{:016x}", u64::from_ne_bytes(random)))
}

/// Makes the database file if it is not there, for its owner alone; SQLite gives what it puts beside it the same rights.
///
/// # Errors
/// `Corrupt` where the file is empty or gone and its log is not: SQLite would take it for a new database, and delete the log.
pub(super) fn prepare(path: &Path) -> Result<()> {
    // First the log: another process that makes the file writes the file first.
    let has_log = has_log(path);
    if has_log && is_empty(path) {
        return Err(StoreError::Corrupt("the file is empty, and its log is not".to_owned()));
    }
    match create(path) {
        // Of what is there and no file, SQLite says that it cannot open it.
        Err(error) if !matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::IsADirectory) => Err(error.into()),
        _ => Ok(()),
    }
}

/// There is a log, and something in it.
pub(super) fn has_log(path: &Path) -> bool {
    fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

/// The file says that it is complete by itself, and no change of it was cut short. SQLite would use a log beside it all the same. This process
/// must not have it open.
pub(crate) fn has_no_log(path: &Path) -> bool {
    // Of the header: by which way it is written, and read. 2 is with a log.
    let mut header = [0; 20];
    let is_read = File::open(path).and_then(|mut file| file.read_exact(&mut header)).is_ok();
    is_read && header[18] == 1 && header[19] == 1 && !has_journal(path)
}

/// A change was cut short, and what it began with is kept.
fn has_journal(path: &Path) -> bool {
    fs::metadata(beside(path, "-journal")).is_ok_and(|journal| journal.len() > 0)
}

/// Beside this name lies what SQLite would take for a part of a file that gets it.
pub(crate) fn has_parts(path: &Path) -> bool {
    has_log(path) || has_journal(path)
}

/// The file is empty, or not there.
pub(super) fn is_empty(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(file) => file.is_file() && file.len() == 0,
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

/// Makes a file that is not there yet, for its owner alone.
pub(super) fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A file that is not whole yet, under a name that nobody else has. It goes with this.
pub(super) struct Part(PathBuf);

impl Part {
    /// Makes it beside the name that it is to get, for its owner alone.
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
            // Android refuses links to apps, and some file systems know none.
            Err(error) if error.kind() != ErrorKind::AlreadyExists && fs::symlink_metadata(path).is_err() => fs::rename(&self.0, path)?,
            Err(_) => return Err(StoreError::NameTaken),
        }
        drop(self);
        sync_folder(path).inspect_err(|_| drop(fs::remove_file(path)))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // What is left of it is of no use, and told of by nobody.
        let _ = remove_database(&self.0);
    }
}

fn sync(path: &Path) -> Result<()> {
    // For writing, as some systems ask for it.
    Ok(OpenOptions::new().write(true).open(path)?.sync_all()?)
}

/// Gives a finished database of ours a name of ours, in place of the one that has it. Returns when file and name are on the disk.
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

/// Removes a database with all that SQLite has put beside it.
pub(super) fn remove_database(path: &Path) -> Result<()> {
    with_side_files(path.to_owned()).try_for_each(|file| remove(&file))
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let what = error.kind().to_string();
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => StoreError::Full,
            ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::NotADirectory => {
                StoreError::CannotOpen(what)
            }
            _ => StoreError::Io(what),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_gets_its_name_when_it_is_whole_and_goes_otherwise() {
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
    fn what_was_made_meanwhile_is_not_replaced() {
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
