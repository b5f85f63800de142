//! What SQLite leaves to us: who may read a file before a byte is in it, the names beside it, and that a folder keeps them.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use super::{Result, StoreError};

/// What SQLite puts beside a database: its log, what it shares of the log, and the journal of a file without a log.
pub(super) const SIDE_FILES: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The path with something added to the file's name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
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

/// Gives a finished file its name, and returns when file and name are on the disk.
pub(super) fn publish(part: &Path, path: &Path) -> Result<()> {
    // For writing, as some systems ask for it.
    OpenOptions::new().write(true).open(part)?.sync_all()?;
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
    for suffix in SIDE_FILES {
        remove(&beside(path, suffix))?;
    }
    remove(path)
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
