//! A copy of the database is made: under a name that nobody has, and beside files of others.

use compass_core::model::*;

use super::*;
use crate::support::app::{App, code, id, pump_check};

#[test]
fn another_backup_stays() {
    let app = App::new();
    app.completed();
    let (first, second) = (app.folder().join("copy-part"), app.folder().join("copy"));
    app.compass.backup(&first).unwrap();
    app.compass.backup(&second).unwrap();
    for copy in [first, second] {
        assert_eq!(open(&copy).unwrap().totals().unwrap().sessions.completed, 1, "{copy:?}");
    }
}

#[test]
fn another_database_that_is_open_stays() {
    let app = App::new();
    let path = app.folder().join("archive-part");
    let other = open(&path).unwrap();
    other.import_workflow(&pump_check(1)).unwrap();
    other.start(&Start::new("pump-check", id())).unwrap();
    app.compass.backup(&app.folder().join("archive")).unwrap();
    other.start(&Start::new("pump-check", id())).unwrap();
    other.close().unwrap();
    assert_eq!(open(&path).unwrap().totals().unwrap().sessions.in_progress, 2);
}

#[test]
fn the_database_stays_whatever_its_name_and_wherever_a_link_leads() {
    let app = App::new();
    let mut options = app.options();
    options.path = app.folder().join("new-part");
    let compass = Compass::open(options.clone()).unwrap();
    compass.import_workflow(&pump_check(1)).unwrap();
    compass.start(&Start::new("pump-check", id())).unwrap();
    let (elsewhere, name) = (app.folder().join("elsewhere"), app.folder().join("new"));
    std::fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(elsewhere.join("copy"), &name).unwrap();
    compass.backup(&name).unwrap();
    Compass::salvage(&options.path, app.folder().join("new.jsonl")).unwrap();
    std::fs::remove_file(&name).unwrap();
    compass.backup(&name).unwrap();
    compass.kill();
    for path in [options.path, name, elsewhere.join("copy")] {
        assert_eq!(open(&path).unwrap().totals().unwrap().sessions.in_progress, 1, "{path:?}");
    }
}

#[test]
fn a_wal_without_its_file_stays_and_no_copy_is_put_beside_it() {
    let app = App::new();
    let other = App::new();
    other.completed();
    other.compass.quiesce().unwrap();
    other.compass.close().unwrap();
    let wal = beside(&other.path(), "-wal");
    let written = std::fs::read(&wal).unwrap();
    assert!(!written.is_empty());
    // Set aside for a moment, its WAL is not.
    let aside = other.folder().join("aside.db");
    std::fs::rename(other.path(), &aside).unwrap();
    assert_eq!(code(app.compass.backup(&other.path())), "invalid_argument");
    assert!(!other.path().exists());
    assert_eq!(std::fs::read(&wal).unwrap(), written);
    std::fs::rename(&aside, other.path()).unwrap();
    assert_eq!(open(&other.path()).unwrap().totals().unwrap().sessions.completed, 1);
}
