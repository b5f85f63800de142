//! A little space on the disk, reserved by a file beside the database: when the disk is full it is released, so that deletions can still be
//! written.
//!
//! The file has no content. It is made where there is enough space, and silently left out where there is not. After a crash, or when half of
//! it was released, it is incomplete; then it is made again.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use super::{Result, files};

/// About the size of the WAL before a checkpoint, so this is enough for any number of small transactions.
const SIZE: u64 = 1 << 20;
/// Space that has to stay free for others: the last space of a disk is for the technician's acts.
const LEFT: u64 = 8 << 20;
/// A connection needs this for the WAL and its shared memory, and so many files.
const SIDE_FILES: (u64, u64) = (1 << 16, 2);
const PART: usize = 1 << 16;

/// Makes the file, if it is not there and there is space.
pub(super) fn make(database: &Path) {
    let path = files::beside(database, files::RESERVE);
    if fs::metadata(&path).is_ok_and(|file| file.len() == SIZE) || !has_room(database) {
        return;
    }
    if files::remove(&path).and_then(|()| fill(&path)).is_err() {
        let _ = files::remove(&path);
    }
}

/// Releases the space. False where there was none.
pub(super) fn release(database: &Path) -> bool {
    fs::remove_file(files::beside(database, files::RESERVE)).is_ok()
}

/// Releases half of the space. False where that was done before, or where there is none.
pub(super) fn release_half(database: &Path) -> bool {
    let reserve = OpenOptions::new().write(true).open(files::beside(database, files::RESERVE));
    reserve.is_ok_and(|file| file.metadata().is_ok_and(|reserve| reserve.len() > SIZE / 2) && file.set_len(SIZE / 2).is_ok())
}

fn has_room(database: &Path) -> bool {
    rustix::fs::statvfs(database).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= SIZE + LEFT)
}

/// Whether the disk has no room for the files beside the database.
pub(super) fn is_full(database: &Path) -> bool {
    let (bytes, files) = SIDE_FILES;
    // Some file systems do not count files.
    rustix::fs::statvfs(database)
        .is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < bytes || disk.f_files > 0 && disk.f_favail < files)
}

fn fill(path: &Path) -> Result<()> {
    let mut file = files::create(path)?;
    // Some file systems do not store zeros.
    let part = [0x5a; PART];
    for _ in 0..SIZE / PART as u64 {
        file.write_all(&part)?;
    }
    Ok(())
}
