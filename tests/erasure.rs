//! What was deleted is gone: from the file, from its log, from the search index and from later backups.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::path::Path;
use std::time::Duration;

use compass_core::Compass;
use compass_core::model::*;
use support::app::{App, code, id, set, text};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// What a session says that nobody else does, each where another table or index has it.
const WORDS: [&str; 8] =
    ["Zwetschgen", "Quarkstrudel", "Xanthippe", "Jodeldiplom", "Kyffhäuser", "Vogelscheuche", "Pfefferminz", "zwetschgen"];

/// A session that says all of them, was found by them, and whose messages were delivered.
fn told(app: &App) -> SessionKey {
    let start = Start { actor: Some("Xanthippe".into()), ..Start::new("pump-check", "id-Kyffhäuser") };
    let session = app.compass.start(&start).unwrap().view.key;
    app.set(session, "site", "Zwetschgen 7");
    app.compass.save_draft(session, "remark", "Pfefferminz?").unwrap();
    app.compass.note(session, "Quarkstrudel in the yard", &id()).unwrap();
    search(app);
    app.answer(session, "on");
    app.answer(session, "fine");
    app.finish(session);
    app.deliver();
    search(app);
    app.compass.edit(session, None, vec![set("site", text("Jodeldiplom 8"))], vec![], &id()).unwrap();
    app.compass.note(session, "Vogelscheuche", &id()).unwrap();
    search(app);
    session
}

/// One that says something else.
fn told_other(app: &App) -> SessionKey {
    let session = app.completed();
    app.deliver();
    app.compass.note(session, "Murmeltier", &id()).unwrap();
    search(app);
    session
}

fn search(app: &App) {
    let filter = SessionFilter { text: Some("zwetschgen".into()), ..Default::default() };
    app.compass.sessions(&filter, None, 10).unwrap();
}

fn has(file: &Path, word: &str) -> bool {
    let bytes = std::fs::read(file).unwrap();
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

/// The words that are still somewhere in the app's folder.
fn left(app: &App) -> Vec<&'static str> {
    let files: Vec<_> = std::fs::read_dir(app.folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    WORDS.into_iter().filter(|word| files.iter().any(|file| has(file, word))).collect()
}

fn left_in_a_backup(app: &App) -> Vec<&'static str> {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    app.compass.backup(&copy).unwrap();
    WORDS.into_iter().filter(|word| has(&copy, word)).collect()
}

#[test]
fn no_word_of_a_deleted_session_is_left() {
    let app = App::new();
    let before = app.completed();
    let session = told(&app);
    app.completed();
    assert_eq!(left(&app), WORDS, "the look is not blind");
    assert!(left_in_a_backup(&app).len() >= 6);
    // Of `Quarkstrudel`; no other word has it, so the index holds it as it is.
    let pieces = || app.count("SELECT count(*) FROM search_data WHERE instr(block, CAST('qua' AS BLOB)) > 0");
    assert!(pieces() > 0);
    assert_eq!(app.compass.delete(session).unwrap().erased, Erased::Now);
    assert_eq!(left(&app), [""; 0]);
    assert_eq!(pieces(), 0, "nor a piece of one");
    assert_eq!(left_in_a_backup(&app), [""; 0]);
    assert_eq!(app.view(before).state, SessionState::Completed);
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn no_word_of_purged_sessions_is_left_and_the_file_shrinks() {
    let mut app = App::new();
    told(&app);
    for number in 0..120 {
        let session = app.start().key;
        app.set(session, "site", &format!("{number} {}", "Zwetschgen ".repeat(200)));
        app.compass.discard(session).unwrap();
    }
    search(&app);
    app.days(2);
    app.reopen();
    let length = || std::fs::metadata(app.path()).unwrap().len();
    let before = length();
    let report = app.compass.purge(DAY).unwrap();
    assert_eq!((report.purged, report.erased), (121, Erased::Now));
    assert_eq!(left(&app), [""; 0]);
    assert_eq!(left_in_a_backup(&app), [""; 0]);
    assert!(length() < before / 2, "{before} bytes before, {} after", length());
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn bodies_that_are_given_back_are_gone() {
    let app = App::new();
    let session = app.completed();
    app.deliver();
    let word = session.to_string();
    let is_there = || {
        let body = format!("\"{word}\"");
        std::fs::read_dir(app.folder()).unwrap().any(|entry| has(&entry.unwrap().path(), &body))
    };
    assert!(is_there());
    app.days(100);
    let report = app.compass.purge(3650 * DAY).unwrap();
    assert_eq!((report.bodies_released, report.erased), (3, Erased::Now));
    assert!(!is_there());
}

/// A session was deleted while somebody read.
fn deleted_beside_a_reader() -> (App, rusqlite::Connection) {
    let app = App::new();
    let session = told(&app);
    let reader = app.sql();
    reader.execute_batch("BEGIN; SELECT count(*) FROM meta").unwrap();
    reader.query_row("SELECT count(*) FROM session", [], |_| Ok(())).unwrap();
    assert_eq!(app.compass.delete(session).unwrap().erased, Erased::AtNextClose);
    assert!(!left(&app).is_empty());
    (app, reader)
}

#[test]
fn what_somebody_still_reads_is_gone_with_the_next_write() {
    let (app, reader) = deleted_beside_a_reader();
    app.start();
    assert!(!left(&app).is_empty(), "it is still read");
    reader.execute_batch("COMMIT").unwrap();
    app.start();
    assert_eq!(left(&app), [""; 0]);
}

#[test]
fn what_somebody_still_reads_is_gone_when_the_file_is_closed() {
    let (app, reader) = deleted_beside_a_reader();
    // It stays open, and reads no more.
    reader.execute_batch("COMMIT").unwrap();
    app.compass.close().unwrap();
    assert_eq!(left(&app), [""; 0]);
    drop(reader);
}

#[test]
fn what_somebody_still_reads_is_gone_when_the_file_is_opened() {
    let (mut app, reader) = deleted_beside_a_reader();
    app.compass.clone().kill();
    assert!(!left(&app).is_empty());
    reader.execute_batch("COMMIT").unwrap();
    app.compass = Compass::open(app.options()).unwrap();
    assert_eq!(left(&app), [""; 0]);
    drop(reader);
}

#[test]
fn a_delete_while_quiesced_leaves_nothing_either() {
    let app = App::new();
    let session = told(&app);
    app.compass.quiesce().unwrap();
    assert_eq!(app.compass.delete(session).unwrap().erased, Erased::Now);
    assert_eq!(left(&app), [""; 0]);
}

#[test]
fn a_file_that_cannot_shrink_is_written_anew_when_it_is_opened() {
    let mut app = App::new();
    let session = told(&app);
    app.compass.close().unwrap();
    let sql = app.sql();
    sql.execute_batch("PRAGMA secure_delete = OFF; PRAGMA auto_vacuum = NONE; VACUUM").unwrap();
    sql.execute_batch(&format!("CREATE TABLE gone (text TEXT); INSERT INTO gone VALUES ('{}')", "Murmeltier ".repeat(5_000))).unwrap();
    sql.execute_batch("DROP TABLE gone; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(sql);
    let shrinks = |app: &App| (app.count("PRAGMA auto_vacuum"), app.count("PRAGMA freelist_count"));
    assert!(shrinks(&app).0 == 0 && shrinks(&app).1 > 10 && has(&app.path(), "Murmeltier"));
    app.compass = Compass::open(app.options()).unwrap();
    assert_eq!(shrinks(&app), (2, 0));
    assert!(!has(&app.path(), "Murmeltier"));
    assert_eq!(app.record(session).notes.len(), 2, "what was not deleted is there");
    assert_eq!(app.faults(), [""; 0]);
    let before = std::fs::read(app.path()).unwrap();
    app.reopen();
    assert!(std::fs::read(app.path()).unwrap() == before, "once");
}

#[test]
fn what_was_kept_of_the_database_before_is_gone_when_it_is_opened() {
    let app = App::new();
    let session = told(&app);
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    app.compass.backup(&copy).unwrap();
    let other = Compass::open(app.options().as_other_process()).unwrap();
    app.compass.close().unwrap();
    Compass::restore(&copy, &compass_core::RestoreOptions::new(app.path())).unwrap();
    assert_eq!(other.delete(session).unwrap().erased, Erased::AtNextClose);
    assert!(!left(&app).is_empty());
    other.close().unwrap();
    Compass::open(app.options()).unwrap();
    assert_eq!(left(&app), [""; 0]);
}

#[test]
fn no_word_is_left_of_what_went_before_a_purge_was_cut_short() {
    let app = App::new();
    app.days(2);
    let session = told(&app);
    // Quiesced by another thread between two transactions of it: the app goes to the background.
    let (compass, once) = (app.compass.clone(), std::sync::Once::new());
    let subscription = app.compass.observe(std::sync::Arc::new(move |_| {
        let compass = compass.clone();
        once.call_once(|| std::thread::spawn(move || compass.quiesce()).join().unwrap().unwrap());
    }));
    assert_eq!(code(app.compass.purge(Duration::ZERO)), "locked");
    drop(subscription);
    let _hold = app.compass.resume().unwrap();
    assert_eq!(code(app.compass.session(session)), "deleted_session");
    app.start();
    assert_eq!(left(&app), [""; 0]);
}

#[test]
fn no_piece_is_left_whatever_the_index_was_told() {
    let mut app = App::new();
    let (session, before) = (told(&app), told_other(&app));
    support::past_every_rule(&app.sql(), |sql| sql.execute_batch("UPDATE search_config SET v = 0 WHERE k = 'secure-delete'").unwrap());
    app.reopen();
    assert_eq!(app.compass.delete(session).unwrap().erased, Erased::Now);
    let pieces = app.count("SELECT count(*) FROM search_data WHERE instr(block, CAST('qua' AS BLOB)) > 0");
    assert_eq!((pieces, left(&app)), (0, vec![]));
    let filter = SessionFilter { text: Some("murmel".into()), ..Default::default() };
    assert_eq!(app.compass.sessions(&filter, None, 10).unwrap().sessions.len(), 1);
    assert_eq!((app.view(before).state, app.faults()), (SessionState::Completed, vec![]));
}
