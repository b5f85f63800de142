//! A copy takes the place of the database.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use compass_core::model::*;
use compass_core::{DiscardUndelivered, RestoreOptions};

use super::*;
use crate::support::app::{App, code, id, open_sql, pages_of_schema, pump_check, pump_check_with, redaction};
use crate::support::field::{Process, say, setting};
use crate::support::past_every_rule;

/// A phone that was copied when it had three sessions, all delivered, and has five now, all delivered.
fn copied() -> (App, PathBuf) {
    let app = App::new();
    let copy = app.folder().join("copy.db");
    for _ in 0..3 {
        app.completed();
    }
    app.deliver();
    app.compass.backup(&copy).unwrap();
    for _ in 0..2 {
        app.completed();
    }
    app.deliver();
    (app, copy)
}

fn options(app: &App) -> RestoreOptions {
    RestoreOptions::new(app.path())
}

fn restore(app: &App, from: &Path) -> Result<(), Error> {
    Compass::restore(from, &options(app))
}

fn discard() -> DiscardUndelivered {
    DiscardUndelivered { actor: "Mia".to_owned(), reason: "the office has them on paper".to_owned() }
}

fn completed(app: &App) -> u64 {
    app.compass.totals().unwrap().sessions.completed
}

fn before(app: &App) -> PathBuf {
    beside(&app.path(), ".before-restore")
}

#[test]
fn what_was_copied_comes_back_and_the_file_before_is_kept_until_it_has_opened() {
    let (mut app, copy) = copied();
    let bytes = std::fs::read(&copy).unwrap();
    app.compass.close().unwrap();
    restore(&app, &copy).unwrap();
    assert_eq!(std::fs::read(&copy).unwrap(), bytes, "the copy stays as it is");
    let kept = before(&app);
    assert_eq!(open_sql(&kept).query_row("SELECT count(*) FROM session", [], |row| row.get::<_, i64>(0)).unwrap(), 5);
    app.reopen();
    assert_eq!(completed(&app), 3);
    assert_eq!(app.faults(), [""; 0]);
    assert!(!kept.exists());
    app.completed();
    app.reopen();
    assert_eq!(completed(&app), 4, "work goes on");
    let mut left: Vec<_> = std::fs::read_dir(app.folder()).unwrap().map(|file| file.unwrap().file_name()).collect();
    left.retain(|name| {
        !["compass.db", "compass.db-wal", "compass.db-shm", "compass.db-reserve", "copy.db"].iter().any(|known| name == known)
    });
    assert!(left.is_empty(), "nothing else is left: {left:?}");
}

#[test]
fn no_handle_may_be_open_in_this_process_meanwhile() {
    let (app, copy) = copied();
    assert_eq!(code(restore(&app, &copy)), "already_open");
    app.compass.close().unwrap();
    let (path, seen) = (app.path(), Arc::new(AtomicBool::new(true)));
    let told = Arc::clone(&seen);
    let mut options = options(&app);
    options.on_step = Some(Arc::new(move |_| {
        told.fetch_and(code(open(&path)) == "already_open", Ordering::Relaxed);
    }));
    Compass::restore(&copy, &options).unwrap();
    assert!(seen.load(Ordering::Relaxed));
    open(&app.path()).unwrap();
}

#[test]
fn a_database_that_is_open_stays_locked_when_it_is_the_copy() {
    let app = App::new();
    app.start();
    let locks = || crate::support::field::locks(std::process::id(), &app.path());
    let before = locks();
    assert!(!before.is_empty());
    let other = app.folder().join("other.db");
    Compass::restore(app.path(), &RestoreOptions::new(&other)).unwrap();
    assert_eq!(locks(), before, "closing a file takes all locks away that the process has on it");
    assert_eq!(open(&other).unwrap().totals().unwrap().sessions.in_progress, 1);
}

#[test]
fn undelivered_messages_that_the_copy_lacks_are_lost_only_when_a_person_says_so() {
    let (mut app, copy) = copied();
    let session = app.completed();
    app.compass.close().unwrap();
    let error = restore(&app, &copy).unwrap_err();
    assert!(matches!(error, Error::Undelivered { count: Some(3) }), "{error:?}");
    assert!(!before(&app).exists());
    app.reopen();
    assert_eq!((completed(&app), app.compass.outbox_totals().unwrap().pending), (6, 3), "nothing was changed");
    app.compass.close().unwrap();
    let nobody = DiscardUndelivered { actor: " ".to_owned(), ..discard() };
    assert_eq!(code(Compass::restore(&copy, &options(&app).discard_undelivered(nobody))), "blank");
    Compass::restore(&copy, &options(&app).discard_undelivered(discard())).unwrap();

    // Who opens the file that was kept finds who abandoned them, and why.
    let kept = app.folder().join("kept.db");
    std::fs::copy(before(&app), &kept).unwrap();
    let mut other = app.options();
    other.path = kept;
    let other = Compass::open(other).unwrap();
    let record = other.record(session).unwrap();
    assert!(record.actions.iter().all(|action| action.reason.as_deref() == Some("abandoned")));
    assert!(format!("{:?}", record.timeline).contains("on paper"), "{:?}", record.timeline);
    assert_eq!(other.check().unwrap().faults, [""; 0]);
    app.reopen();
    assert_eq!(completed(&app), 3);
}

#[test]
fn messages_that_the_copy_holds_leave_from_it_with_the_same_ids() {
    let mut app = App::new();
    let copy = app.folder().join("copy.db");
    let session = app.completed();
    let ids = |app: &App| app.record(session).actions.iter().map(|action| action.deliveries[0].id.clone()).collect::<Vec<_>>();
    let waiting = ids(&app);
    app.compass.backup(&copy).unwrap();
    app.compass.close().unwrap();
    restore(&app, &copy).unwrap();
    app.reopen();
    assert_eq!(ids(&app), waiting);
    assert_eq!(app.deliver().sent, 3);
}

#[test]
fn what_was_abandoned_since_stays_abandoned() {
    let mut app = App::new();
    let copy = app.folder().join("copy.db");
    let (session, redacted) = (app.completed(), app.completed());
    app.compass.backup(&copy).unwrap();
    app.compass.abandon(session, "report", "Mia", "told them", &id()).unwrap();
    app.compass.redact(redacted, &redaction(RedactionTarget::Field { key: "site".into() })).unwrap();
    app.compass.close().unwrap();
    restore(&app, &copy).unwrap();
    app.reopen();
    assert_eq!(app.action(session, "report").reason.as_deref(), Some("abandoned"));
    assert_eq!(app.deliver().sent, 2, "and none of the one that was redacted");
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn another_process_sees_a_change_like_any_other() {
    let (app, copy) = copied();
    let other = Compass::open(app.options().as_other_process()).unwrap();
    assert_eq!(other.totals().unwrap().sessions.completed, 5);
    other.refresh().unwrap();
    app.compass.close().unwrap();
    restore(&app, &copy).unwrap();
    assert!(other.refresh().unwrap());
    assert_eq!(other.totals().unwrap().sessions.completed, 3);
    other.start(&Start::new("pump-check", id())).unwrap();
    assert_eq!(other.check().unwrap().faults, [""; 0]);
}

#[test]
fn another_process_works_on_the_documents_of_the_copy() {
    let (app, copy) = copied();
    let other = Compass::open(app.options().as_other_process()).unwrap();
    other.import_workflow(&pump_check(2)).unwrap();
    let session = other.start(&Start::new("pump-check", id())).unwrap().view.key;
    assert_eq!(other.session(session).unwrap().workflow.version, 2);
    app.compass.close().unwrap();
    restore(&app, &copy).unwrap();
    // Gets the number that the other one had.
    let change = |document: &mut serde_json::Value| document["sections"][0]["name"] = "In another yard".into();
    other.import_workflow(&pump_check_with(3, change)).unwrap();
    let session = other.start(&Start::new("pump-check", id())).unwrap().view.key;
    let view = other.session(session).unwrap();
    assert_eq!((view.workflow.version, view.section.name.as_str()), (3, "In another yard"));
}

/// Completes a session that sends three messages.
fn complete(compass: &Compass) {
    let session = compass.start(&Start::new("pump-check", id())).unwrap().view.key;
    compass.set_field(session, "site", FieldValue::Text("Mill Lane".to_owned())).unwrap();
    compass.answer(session, 1, "on").unwrap();
    compass.answer(session, 2, "fine").unwrap();
    compass.complete(session, 3).unwrap();
}

#[test]
fn what_another_process_writes_meanwhile_is_looked_at_again() {
    let (app, copy) = copied();
    app.compass.close().unwrap();
    let other = Compass::open(app.options().as_other_process()).unwrap();
    let (once, writes) = (AtomicBool::new(false), other.clone());
    let mut options = options(&app);
    options.on_step = Some(Arc::new(move |step| {
        if step == "copied" && !once.swap(true, Ordering::Relaxed) {
            complete(&writes);
        }
    }));
    assert_eq!(code(Compass::restore(&copy, &options)), "undelivered");
    assert_eq!(other.outbox_totals().unwrap().pending, 3);
    assert!(!before(&app).exists(), "nothing was replaced");
}

#[test]
fn the_copy_of_another_restore_does_not_take_the_place_of_a_damaged_file() {
    let (app, copy) = copied();
    app.compass.close().unwrap();
    past_every_rule(&app.sql(), |sql| assert_eq!(sql.execute("UPDATE meta SET age = 9223372036854775807", []).unwrap(), 1));
    let part = app.folder().join("compass.db-restore-part");
    let mut options = options(&app);
    options.on_step = Some(Arc::new(move |step| {
        if step == "counted" {
            // SQLite has released its lock: another restore has made its own, and has not written to it.
            std::fs::remove_file(&part).unwrap();
            std::fs::write(&part, "").unwrap();
        }
    }));
    assert_eq!(code(Compass::restore(&copy, &options.clone())), "locked");
    options.on_step = None;
    Compass::restore(&copy, &options).unwrap();
}

#[test]
fn what_another_process_writes_to_a_damaged_file_after_the_count_is_not_lost() {
    let (mut app, copy) = copied();
    let other = Compass::open(app.options().as_other_process()).unwrap();
    other.quiesce().unwrap();
    app.compass.close().unwrap();
    // Undelivered messages can be counted, and other data cannot be used.
    past_every_rule(&app.sql(), |sql| assert_eq!(sql.execute("UPDATE meta SET age = 9223372036854775807", []).unwrap(), 1));
    let (once, writes) = (AtomicBool::new(false), other.clone());
    let mut options = options(&app);
    options.on_step = Some(Arc::new(move |step| {
        if step == "counted" && !once.swap(true, Ordering::Relaxed) {
            // It was quiesced and still is: nothing is open afterwards.
            complete(&writes);
        }
    }));
    assert_eq!(code(Compass::restore(&copy, &options)), "locked");
    assert!(matches!(Compass::restore(&copy, &options), Err(Error::Undelivered { count: Some(3) })), "it is counted now");
    assert_eq!(other.outbox_totals().unwrap().pending, 3);
    Compass::restore(&copy, &options.discard_undelivered(discard())).unwrap();
    app.reopen();
    assert_eq!(completed(&app), 3);
}

#[test]
fn a_copy_that_is_none_is_refused_and_changes_nothing() {
    let (app, copy) = copied();
    app.compass.close().unwrap();
    let of = |name: &str, bytes: &[u8]| {
        let path = app.folder().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let bytes = std::fs::read(&copy).unwrap();
    let changed = |name: &str, change: &str| {
        let path = of(name, &bytes);
        open_sql(&path).execute_batch(change).unwrap();
        path
    };
    let mut noise = bytes.clone();
    let middle = noise.len() / 2;
    noise[middle..].fill(0xa5);
    let cases = [
        ("not_a_database", of("text.db", &b"not a database, but a text. ".repeat(400))),
        ("not_a_database", of("empty.db", b"")),
        ("not_a_database", changed("other.db", "PRAGMA application_id = 7")),
        ("newer_schema", changed("newer.db", "PRAGMA user_version = 99")),
        ("corrupt", changed("doctored.db", "DROP TRIGGER outbox_is_frozen")),
        ("corrupt", of("noise.db", &noise)),
        ("corrupt", of("cut.db", &bytes[..middle])),
        ("invalid_argument", app.folder().join("missing.db")),
        ("invalid_argument", app.folder().join("n\0l.db")),
        ("invalid_argument", app.path()),
    ];
    let file = std::fs::read(app.path()).unwrap();
    for (expected, from) in cases {
        assert_eq!(code(restore(&app, &from)), expected, "{from:?}");
        assert_eq!(std::fs::read(app.path()).unwrap(), file, "{from:?}");
        assert!(!beside(&app.path(), "-restore-part").exists());
    }
}

#[test]
fn an_older_copy_is_brought_up_to_date_before_it_takes_the_place() {
    let (mut app, _) = copied();
    let old = app.folder().join("old.db");
    let sql = open_sql(&old);
    sql.execute_batch(include_str!("../schema/0001.sql")).unwrap();
    sql.execute_batch("INSERT INTO meta (id, install_id) VALUES (1, 'old'); PRAGMA application_id = 0x436d7073; PRAGMA user_version = 1;")
        .unwrap();
    drop(sql);
    app.compass.close().unwrap();
    restore(&app, &old).unwrap();
    assert!(app.count("PRAGMA user_version") > 1);
    app.reopen();
    assert_eq!(app.sql().query_row("SELECT install_id FROM meta", [], |row| row.get::<_, String>(0)).unwrap(), "old");
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn a_new_phone_gets_the_copy_too() {
    let (app, copy) = copied();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("compass.db");
    Compass::restore(&copy, &RestoreOptions::new(&path)).unwrap();
    assert_eq!(open(&path).unwrap().totals().unwrap().sessions.completed, 3);
    drop(app);
}

/// Ways in which a file does not open: with its WAL, or without.
fn damaged(what: &str) -> (App, PathBuf) {
    let (app, copy) = copied();
    if what == "empty beside its WAL" {
        app.completed();
        app.compass.quiesce().unwrap();
        app.compass.close().unwrap();
        std::fs::write(app.path(), "").unwrap();
    } else {
        app.compass.close().unwrap();
        let mut bytes = std::fs::read(app.path()).unwrap();
        bytes[..4096].fill(0x5a);
        std::fs::write(app.path(), &bytes).unwrap();
    }
    (app, copy)
}

#[test]
fn a_damaged_database_is_replaced_when_a_person_says_so_and_is_set_aside() {
    for what in ["empty beside its WAL", "noise"] {
        let (mut app, copy) = damaged(what);
        let file = std::fs::read(app.path()).unwrap();
        let wal = std::fs::read(beside(&app.path(), "-wal")).ok();
        let error = restore(&app, &copy).unwrap_err();
        assert!(matches!(error, Error::Undelivered { count: None }), "{what}: {error:?}");
        assert_eq!(std::fs::read(app.path()).unwrap(), file, "{what}");
        Compass::restore(&copy, &options(&app).discard_undelivered(discard())).unwrap();
        assert_eq!(std::fs::read(before(&app)).unwrap(), file, "{what}");
        assert_eq!(std::fs::read(beside(&before(&app), "-wal")).ok(), wal, "{what}");
        app.reopen();
        assert_eq!(completed(&app), 3, "{what}");
        assert_eq!(app.faults(), [""; 0]);
        assert!(!before(&app).exists() && !beside(&before(&app), "-wal").exists());
    }
}

#[test]
fn a_file_that_lacks_a_rule_is_replaced_and_its_messages_are_counted() {
    let (mut app, copy) = copied();
    app.completed();
    app.compass.close().unwrap();
    open_sql(&app.path()).execute_batch("DROP TRIGGER outbox_is_frozen").unwrap();
    assert!(matches!(restore(&app, &copy), Err(Error::Undelivered { count: Some(3) })));
    Compass::restore(&copy, &options(&app).discard_undelivered(discard())).unwrap();
    app.reopen();
    assert_eq!(completed(&app), 3);
}

#[test]
fn a_damaged_row_keeps_no_copy_from_coming_back() {
    let app = App::new();
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    app.completed();
    app.compass.close().unwrap();
    let whole = std::fs::read(app.path()).unwrap();
    for change in [
        "UPDATE action SET key = CAST(x'ff' || key AS TEXT)",
        "UPDATE outbox SET delivery_id = CAST(x'ff' || substr(delivery_id, 2) AS TEXT)",
        "UPDATE event SET at = 9223372036854775807",
        "UPDATE session SET last_seq = 1",
        "UPDATE session SET last_seq = 4294967295",
        "UPDATE meta SET revision = 9223372036854775807",
        "UPDATE meta SET age = 9223372036854775807",
        "UPDATE sqlite_sequence SET seq = 9223372036854775807",
        "DELETE FROM meta",
        "DELETE FROM action",
        "DELETE FROM session",
    ] {
        std::fs::write(app.path(), &whole).unwrap();
        past_every_rule(&open_sql(&app.path()), |sql| sql.execute_batch(change).unwrap());
        let damaged = std::fs::read(app.path()).unwrap();
        assert_eq!(code(restore(&app, &copy)), "undelivered", "{change}");
        let restored = Compass::restore(&copy, &options(&app).discard_undelivered(discard()));
        assert!(restored.is_ok(), "{change}: {restored:?}");
        let compass = open(&app.path()).unwrap_or_else(|error| panic!("{change}: {error}"));
        assert_eq!(compass.check().unwrap().faults, [""; 0], "{change}");
        assert!(compass.totals().unwrap().sessions.completed == 0 && !before(&app).exists(), "{change}");
        compass.close().unwrap();
        std::fs::write(app.path(), damaged).unwrap();
        Compass::erase(app.path(), Some(&discard())).unwrap_or_else(|error| panic!("{change}: {error}"));
        assert!(!app.path().exists(), "{change}");
    }
}

#[test]
fn what_a_damaged_file_knows_of_messages_that_were_abandoned_is_kept() {
    for change in [
        "DELETE FROM meta",
        "UPDATE outbox SET detail = 'abandonef' WHERE reason = 'abandoned'",
        "UPDATE outbox SET detail = CAST(x'ff' AS TEXT) WHERE reason = 'abandoned'",
        "UPDATE outbox SET detail = NULL WHERE reason = 'abandoned'",
    ] {
        let mut app = App::new();
        let copy = app.folder().join("copy.db");
        let session = app.completed();
        app.compass.backup(&copy).unwrap();
        app.compass.abandon(session, "report", "Mia", "told them", &id()).unwrap();
        app.compass.close().unwrap();
        past_every_rule(&open_sql(&app.path()), |sql| sql.execute_batch(change).unwrap());
        assert_eq!(code(restore(&app, &copy)), "fine", "{change}");
        app.reopen();
        assert_eq!(app.action(session, "report").reason.as_deref(), Some("abandoned"), "{change}");
        assert_eq!(app.deliver().sent, 2);
    }
}

#[test]
fn a_page_of_the_schema_hides_no_message_that_was_abandoned_and_none_that_waits() {
    let app = App::new();
    let copy = app.folder().join("copy.db");
    let session = app.completed();
    app.compass.backup(&copy).unwrap();
    app.compass.abandon(session, "report", "Mia", "told them", &id()).unwrap();
    app.completed();
    app.compass.close().unwrap();
    let whole = std::fs::read(app.path()).unwrap();
    for page in pages_of_schema(&whole) {
        let at = (page - 1) * 4096..page * 4096;
        // A row of the schema has the kind, the name, and the name of its table.
        let defines = |table: &str| {
            let row = format!("table{table}{table}");
            whole[at.clone()].windows(row.len()).any(|window| window == row.as_bytes())
        };
        let mut bytes = whole.clone();
        bytes[at.clone()].fill(0xa5);
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(beside(&app.path(), suffix));
        }
        std::fs::write(app.path(), &bytes).unwrap();
        let counted = match restore(&app, &copy) {
            Err(Error::Undelivered { count }) => count,
            other => panic!("{page}: {other:?}"),
        };
        assert_eq!(counted, if defines("outbox") { None } else { Some(3) }, "{page}");
        Compass::restore(&copy, &options(&app).discard_undelivered(discard())).unwrap();
        let compass = Compass::open(app.options()).unwrap();
        let actions = compass.record(session).unwrap().actions;
        let report = actions.iter().find(|action| action.key == "report").unwrap();
        if !["outbox", "action", "session"].into_iter().any(defines) {
            assert_eq!(report.reason.as_deref(), Some("abandoned"), "{page}");
        }
        compass.close().unwrap();
    }
}

#[test]
fn another_process_reads_at_every_step() {
    let (app, copy) = copied();
    app.compass.close().unwrap();
    let other = Compass::open(app.options().as_other_process()).unwrap();
    let reader = app.sql();
    reader.execute_batch("BEGIN").unwrap();
    assert_eq!(reader.query_row("SELECT count(*) FROM session", [], |row| row.get::<_, i64>(0)).unwrap(), 5);
    let mut options = options(&app);
    let looks = other.clone();
    options.on_step = Some(Arc::new(move |step| {
        let expected = if step == "written" { 3 } else { 5 };
        assert_eq!(looks.totals().unwrap().sessions.completed, expected, "{step}");
        assert_eq!(looks.check().unwrap().faults, [""; 0], "{step}");
    }));
    Compass::restore(&copy, &options).unwrap();
    let compass = Compass::open(app.options()).unwrap();
    drop(reader);
    compass.start(&Start::new("pump-check", id())).unwrap();
    other.start(&Start::new("pump-check", id())).unwrap();
    assert_eq!(other.check().unwrap().faults, [""; 0]);
}

#[test]
#[ignore = "runs in a process of its own, for the test below"]
fn a_process_that_has_the_file_open() {
    let compass = open(Path::new(&setting("DATABASE"))).unwrap();
    say(compass.totals().unwrap().sessions.completed);
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    // The file is another one by now.
    compass.quiesce().unwrap();
}

#[test]
fn a_damaged_file_stays_while_another_process_has_it_open() {
    let (app, copy) = copied();
    app.compass.close().unwrap();
    let path = app.path();
    let mut process = Process::run("restore::a_process_that_has_the_file_open", &[("DATABASE", path.to_str().unwrap())]);
    assert_eq!(process.line().as_deref(), Some("5"));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[..4096].fill(0x5a);
    // In place: the other process has this very file.
    std::fs::write(&path, &bytes).unwrap();
    let mut options = options(&app).discard_undelivered(discard());
    options.on_step = None;
    assert_eq!(code(Compass::restore(&copy, &options)), "locked");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    drop(process);
    Compass::restore(&copy, &options).unwrap();
    assert_eq!(open(&path).unwrap().totals().unwrap().sessions.completed, 3);
}
