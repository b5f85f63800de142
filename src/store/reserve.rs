//! A little room on the disk, held by a file beside the database: where the disk is full it is given up, so that what frees space can still
//! be written.
//!
//! The file holds nothing. It is made where there is enough room, and left out without a word where there is not. After a crash it may be
//! there in part; then it is made anew.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::{Result, files};

/// The log grows by about as much before SQLite folds it into the file, so this is room for any number of small transactions.
const SIZE: u64 = 1 << 20;
/// What has to be left for everybody else: the last room of a disk is for what a technician does.
const LEFT: u64 = 8 << 20;
const PART: usize = 1 << 16;

/// Makes the file, if it is not there and there is room.
pub(super) fn make(database: &Path) {
    let path = files::beside(database, files::RESERVE);
    if fs::metadata(&path).is_ok_and(|file| file.len() == SIZE) || !has_room(database) {
        return;
    }
    if files::remove(&path).and_then(|()| fill(&path)).is_err() {
        let _ = files::remove(&path);
    }
}

/// Gives the room back. False where there was none.
pub(super) fn give_up(database: &Path) -> bool {
    fs::remove_file(files::beside(database, files::RESERVE)).is_ok()
}

fn has_room(database: &Path) -> bool {
    rustix::fs::statvfs(database).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= SIZE + LEFT)
}

fn fill(path: &Path) -> Result<()> {
    let mut file = files::create(path)?;
    // Some file systems store no zeros.
    let part = [0x5a; PART];
    for _ in 0..SIZE / PART as u64 {
        file.write_all(&part)?;
    }
    Ok(())
}
