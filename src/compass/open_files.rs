//! Which files this process has open. Two handles on one file would each assume that they have the only writer lock and the only driver.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use crate::sorted::SortedSet;

/// The most links in a chain; more is a cycle. The limit of Linux is the same.
const MAX_LINKS: usize = 40;

static OPEN: Mutex<SortedSet<PathBuf>> = Mutex::new(SortedSet::new());

fn open() -> MutexGuard<'static, SortedSet<PathBuf>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that is open; released when dropped.
pub(super) struct Registration(PathBuf);

impl Registration {
    /// Takes the file with this canonical path.
    ///
    /// # Errors
    /// `AlreadyOpen`.
    pub(super) fn take(path: &Path) -> Result<Self, Error> {
        if open().insert(path.to_owned()) { Ok(Self(path.to_owned())) } else { Err(Error::AlreadyOpen) }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        open().remove(&self.0);
    }
}

/// Whether `says` is true of a file that this process does not have open and does not open meanwhile. Closing a file that it has open would
/// release its locks.
pub(super) fn is_closed_and(path: &Path, says: fn(&Path) -> bool) -> bool {
    let open = open();
    !open.contains(path) && says(path)
}

/// Why this cannot be the path of a file, no matter what is on the disk.
pub(super) fn no_path(path: &Path) -> Option<&'static str> {
    path.as_os_str().as_encoded_bytes().contains(&0).then_some("a path must not contain a NUL")
}

/// The path with every link resolved. The file need not exist yet; its folder must.
///
/// # Errors
/// `CannotOpen` when there is no such folder.
pub(super) fn canonical(path: &Path) -> Result<PathBuf, Error> {
    let unreachable = |error: std::io::Error| Error::CannotOpen { detail: format!("its folder cannot be reached ({})", error.kind()) };
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        if let Ok(found) = path.canonicalize() {
            return Ok(found);
        }
        // A link to a file that does not exist yet: SQLite creates its target, not the link.
        let Ok(target) = path.read_link() else { break };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    let name = path.file_name().ok_or_else(|| Error::CannotOpen { detail: "the path names no file".to_owned() })?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    Ok(folder.canonicalize().map_err(unreachable)?.join(name))
}
