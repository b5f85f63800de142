//! How a file is made, and files of which SQLite would make another one.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::support::app::{App, code, pump_check};

fn rights(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_database_is_for_its_owner_alone() {
    let app = App::new();
    app.completed();
    for suffix in ["", "-wal", "-shm"] {
        assert_eq!(rights(&beside(&app.path(), suffix)), 0o600, "{suffix}");
    }
}

#[test]
fn the_rights_that_an_owner_gave_stay() {
    let mut app = App::new();
    app.compass.close().unwrap();
    std::fs::set_permissions(app.path(), std::fs::Permissions::from_mode(0o660)).unwrap();
    app.reopen();
    assert_eq!(rights(&app.path()), 0o660);
}

#[test]
fn an_empty_file_is_a_new_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("compass.db");
    std::fs::write(&path, "").unwrap();
    std::fs::write(beside(&path, "-wal"), "").unwrap();
    let compass = open(&path).unwrap();
    compass.import_workflow(&pump_check(1)).unwrap();
    assert_eq!(compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn a_wal_without_its_file_is_damage_and_left_as_it_is() {
    let app = App::new();
    for _ in 0..3 {
        app.completed();
    }
    app.compass.quiesce().unwrap();
    app.compass.close().unwrap();
    let wal = beside(&app.path(), "-wal");
    let (file, written) = (std::fs::read(app.path()).unwrap(), std::fs::read(&wal).unwrap());
    assert!(!written.is_empty());

    std::fs::write(app.path(), "").unwrap();
    assert_eq!(code(open(&app.path())), "corrupt", "the file is empty");
    assert_eq!(std::fs::metadata(app.path()).unwrap().len(), 0);
    assert_eq!(std::fs::read(&wal).unwrap(), written);

    std::fs::remove_file(app.path()).unwrap();
    assert_eq!(code(open(&app.path())), "corrupt", "the file is gone");
    assert!(!app.path().exists());
    assert_eq!(std::fs::read(&wal).unwrap(), written);

    std::fs::write(app.path(), file).unwrap();
    assert_eq!(open(&app.path()).unwrap().totals().unwrap().sessions.completed, 3, "nothing was lost");
}

#[test]
fn a_path_that_can_be_none_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let error = open(&folder.path().join("comp\0ass.db")).unwrap_err();
    assert_eq!((error.code(), error.place().as_deref(), error.retryable()), ("invalid_option", Some("path"), false));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
