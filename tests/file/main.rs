//! The file: who may read it, what is refused when it is opened, and what takes its place.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;

mod again;
mod backup;
mod copies;
mod damage;
mod erase;
mod erasure;
mod invariants;
mod killed;
mod lost_pages;
mod made;
mod opening;
mod restore;
mod salvage;
mod schema;
mod sweeps;
mod upkeep;

use std::path::{Path, PathBuf};

use compass_core::{Compass, Error, Options};

use support::app::{fold, open_sql};

fn open(path: &Path) -> Result<Compass, Error> {
    Compass::open(Options::new(path))
}

/// A file beside the database.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

/// Fills the first page of a table's rows with nonsense, as failing flash does, in a file that is closed.
fn lose_page(path: &Path, table: &str) {
    change_page(path, table, true, |page| page.fill(0xa5));
}

/// Changes the first page of a table's rows, or of the table, in a file that is closed.
fn change_page(path: &Path, table: &str, of_rows: bool, change: impl FnOnce(&mut [u8])) {
    let root: u32 = open_sql(path).query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [table], |row| row.get(0)).unwrap();
    fold(path);
    let mut bytes = std::fs::read(path).unwrap();
    let size = match u16::from_be_bytes([bytes[16], bytes[17]]) {
        1 => 65_536,
        size => usize::from(size),
    };
    let page_at = |number: u32| (number as usize - 1) * size;
    let mut page = page_at(root);
    // The first child of an inner page, of a table or of one that is its own index.
    while of_rows && matches!(bytes[page], 2 | 5) {
        let cell = page + usize::from(u16::from_be_bytes([bytes[page + 12], bytes[page + 13]]));
        page = page_at(u32::from_be_bytes(bytes[cell..cell + 4].try_into().unwrap()));
    }
    change(&mut bytes[page..page + size]);
    std::fs::write(path, &bytes).unwrap();
}
