//! The database goes, with everything beside it.

use compass_core::model::Timestamp;
use compass_core::testing::ScriptedTransport;
use compass_core::{DiscardUndelivered, RestoreOptions};

use super::*;
use crate::support::app::{App, code};
use crate::support::past_every_rule;

fn names(app: &App) -> Vec<String> {
    std::fs::read_dir(app.folder()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

fn discard() -> DiscardUndelivered {
    DiscardUndelivered { actor: "Mia".to_owned(), reason: "the phone is returned".to_owned() }
}

#[test]
fn everything_goes_and_a_new_database_may_take_the_place() {
    let app = App::new();
    app.completed();
    app.deliver();
    assert_eq!(code(Compass::erase(app.path(), None)), "already_open");
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    app.compass.close().unwrap();
    Compass::restore(&copy, &RestoreOptions::new(app.path())).unwrap();
    std::fs::remove_file(&copy).unwrap();
    std::fs::write(beside(&app.path(), "-restore-part"), "left by a process that was killed").unwrap();
    Compass::erase(app.path(), None).unwrap();
    assert_eq!(names(&app), [""; 0]);
    Compass::erase(app.path(), None).unwrap();
    assert_eq!(open(&app.path()).unwrap().totals().unwrap().sessions.completed, 0);
}

#[test]
fn undelivered_messages_go_only_when_a_person_says_so() {
    let mut app = App::new();
    app.completed();
    app.compass.quiesce().unwrap();
    app.compass.close().unwrap();
    assert!(matches!(Compass::erase(app.path(), None), Err(Error::Undelivered { count: Some(3) })));
    app.reopen();
    assert_eq!(app.compass.outbox_totals().unwrap().pending, 3, "nothing was changed");
    app.compass.close().unwrap();
    let silent = DiscardUndelivered { reason: String::new(), ..discard() };
    assert_eq!(code(Compass::erase(app.path(), Some(&silent))), "blank");
    Compass::erase(app.path(), Some(&discard())).unwrap();
    assert_eq!(names(&app), [""; 0]);
}

#[test]
fn a_message_whose_reason_is_lost_is_undelivered() {
    let app = App::with_office(ScriptedTransport::always(400));
    app.completed();
    app.deliver();
    past_every_rule(&app.sql(), |sql| assert_eq!(sql.execute("UPDATE outbox SET reason = NULL WHERE state = 'failed'", []).unwrap(), 3));
    let time = Timestamp::from_timestamp_millis(4_000_000_000_000).unwrap();
    assert_eq!(app.compass.purge_all_before(time, "Mia").unwrap().purged, 0);
    assert!(app.sql().execute("DELETE FROM outbox", []).is_err(), "the schema says the same");
    app.compass.close().unwrap();
    assert!(matches!(Compass::erase(app.path(), None), Err(Error::Undelivered { count: Some(3) })));
}

#[test]
fn a_damaged_file_goes_when_a_person_says_so() {
    let app = App::new();
    app.completed();
    app.compass.close().unwrap();
    std::fs::write(app.path(), [0x5a; 9000]).unwrap();
    assert!(matches!(Compass::erase(app.path(), None), Err(Error::Undelivered { count: None })));
    Compass::erase(app.path(), Some(&discard())).unwrap();
    assert_eq!(names(&app), [""; 0]);
}

#[test]
fn a_file_that_another_process_has_open_stays() {
    let app = App::new();
    app.completed();
    app.deliver();
    let other = Compass::open(app.options().as_other_process()).unwrap();
    app.compass.close().unwrap();
    other.totals().unwrap();
    assert_eq!(code(Compass::erase(app.path(), None)), "locked");
    assert_eq!(other.totals().unwrap().sessions.completed, 1);
    other.close().unwrap();
    Compass::erase(app.path(), None).unwrap();
    assert_eq!(names(&app), [""; 0]);
}

#[test]
fn a_file_of_something_else_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("contacts.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE contact (name TEXT)").unwrap();
    assert_eq!(code(Compass::erase(&path, Some(&discard()))), "not_a_database");
    assert!(path.exists());
    assert_eq!(code(Compass::erase(folder.path().join("a\0b"), None)), "invalid_argument");
}

#[test]
fn a_database_that_was_never_finished_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("compass.db");
    // A process was killed when it had made the file, and not the schema.
    let made = rusqlite::Connection::open(&path).unwrap();
    made.execute_batch("PRAGMA auto_vacuum = INCREMENTAL").unwrap();
    made.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
    drop(made);
    assert!(std::fs::metadata(&path).unwrap().len() > 0);
    Compass::erase(&path, None).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
