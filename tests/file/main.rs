//! The file: who may read it, what is refused when it is opened, and what takes its place.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;

mod backup_names;
mod copies_to_restore;
mod creation;
mod damage;
mod deleted_is_gone;
mod erase;
mod exhaustive;
mod invariants;
mod killed;
mod lost_indexes;
mod lost_maps;
mod lost_pages;
mod maintenance;
mod opening;
mod repeated_restore;
#[cfg(target_os = "linux")]
mod replaced;
mod restore;
mod salvage;
mod schema;
mod side_files;
mod wrong_pages;

use std::path::{Path, PathBuf};

use compass_core::{Compass, Error, Options};

fn open(path: &Path) -> Result<Compass, Error> {
    Compass::open(Options::new(path))
}

/// A file beside the database.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}
