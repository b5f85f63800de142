//! Opening and closing, and files that are not as they should be. No matter what is wrong with a file, it is left as it is.

use std::path::Path;
use std::process::Command as Process;
use std::sync::{Mutex, OnceLock};

use crate::support::app::{App, code, endpoint, fold, id, pump_check, set, text};
use compass_core::model::*;
use compass_core::{Compass, Error, Options};
use compass_core::{Refusal, TextFault};

/// Set in a child process: what it is to do, and where.
const CHILD: &str = "COMPASS_OPENING_CHILD";

fn open(path: &Path) -> Result<Compass, Error> {
    Compass::open(Options::new(path))
}

/// The file is refused with this code, and not one byte of it changes.
#[track_caller]
fn refused_untouched(path: &Path, expected: &[&str]) -> Error {
    let before = std::fs::read(path).expect("a file");
    let error = open(path).expect_err("it was opened");
    assert!(expected.contains(&error.code()), "{error:?}");
    assert!(!error.retryable() || error.code() == "locked" || error.code() == "cannot_open");
    assert_eq!(std::fs::read(path).expect("still there"), before, "the file was changed");
    error
}

// One handle ----------------------------------------------------------------------------------------------------------------------------

#[test]
fn a_file_is_open_once_in_a_process_by_whatever_name() {
    let app = App::new();
    assert_eq!(code(open(&app.path())), "already_open");
    let link = app.folder().join("link.db");
    std::os::unix::fs::symlink(app.path(), &link).unwrap();
    assert_eq!(code(open(&link)), "already_open");
    let folder = app.folder().join("other");
    std::os::unix::fs::symlink(app.folder(), &folder).unwrap();
    assert_eq!(code(open(&folder.join("compass.db"))), "already_open");
    assert_eq!(
        code(open(&app.folder().join("other").join("..").join(app.folder().file_name().unwrap()).join("compass.db"))),
        "already_open"
    );
    let depth = std::env::current_dir().unwrap().components().count() - 1;
    let relative = "../".repeat(depth) + app.path().strip_prefix("/").unwrap().to_str().unwrap();
    assert_eq!(code(open(Path::new(&relative))), "already_open");
    app.completed();

    let clone = app.compass.clone();
    clone.close().unwrap();
    let again = open(&link).unwrap();
    assert_eq!(again.totals().unwrap().sessions.completed, 1);
}

#[test]
fn a_file_that_was_made_through_a_link_is_known_again() {
    let folder = tempfile::tempdir().unwrap();
    let (link, second) = (folder.path().join("link.db"), folder.path().join("second.db"));
    std::os::unix::fs::symlink("file.db", &link).unwrap();
    std::os::unix::fs::symlink(&link, &second).unwrap();
    let first = open(&second).unwrap();
    assert_eq!(code(open(&link)), "already_open");
    assert_eq!(code(open(&folder.path().join("file.db"))), "already_open");
    first.close().unwrap();
    open(&folder.path().join("file.db")).unwrap();

    let circle = folder.path().join("circle.db");
    std::os::unix::fs::symlink(&circle, &circle).unwrap();
    assert_eq!(code(open(&circle)), "cannot_open");
}

#[test]
fn a_refused_open_does_not_keep_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("compass.db");
    std::fs::write(&path, "not a database at all, but a text that somebody put here").unwrap();
    assert_eq!(code(open(&path)), "not_a_database");
    std::fs::remove_file(&path).unwrap();
    open(&path).unwrap();
}

#[test]
fn a_closed_handle_says_so_and_closing_again_is_fine() {
    let app = App::new();
    let session = app.start().key;
    let clone = app.compass.clone();
    app.compass.close().unwrap();
    app.compass.close().unwrap();
    clone.close().unwrap();
    let closed = [
        code(clone.session(session)),
        code(clone.record(session)),
        code(clone.start(&Start::new("pump-check", id()))),
        code(clone.answer(session, 1, "on")),
        code(clone.save_draft(session, "site", "x")),
        code(clone.sessions(&SessionFilter::default(), None, 1)),
        code(clone.outbox(&OutboxFilter::default(), None, 1)),
        code(clone.outbox_totals()),
        code(clone.import_workflow(&pump_check(2))),
        code(clone.put_endpoint(&endpoint("office"))),
        code(clone.endpoints()),
        code(clone.purge(std::time::Duration::ZERO)),
        code(clone.backup(&app.folder().join("copy.db"))),
        code(clone.check()),
        code(clone.totals()),
        code(clone.refresh()),
        code(clone.resume()),
        code(clone.quiesce()),
        code(clone.start_delivery()),
        code(clone.stop_delivery()),
        code(clone.secrets_changed()),
        code(clone.next_due()),
    ];
    assert_eq!(closed, ["closed"; 22]);
    assert!(!app.folder().join("copy.db").exists());
    assert!(!Error::Closed.retryable());
}

#[test]
fn dropping_the_last_clone_closes_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("compass.db");
    let first = open(&path).unwrap();
    let second = first.clone();
    drop(first);
    assert_eq!(code(open(&path)), "already_open");
    second.import_workflow(&pump_check(1)).unwrap();
    drop(second);
    assert_eq!(open(&path).unwrap().workflows().unwrap().len(), 1);
}

#[test]
fn closing_waits_for_calls_that_run() {
    let app = App::new();
    std::thread::scope(|scope| {
        let work: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut done = 0;
                    while app.compass.start(&Start::new("pump-check", id())).is_ok() {
                        done += 1;
                    }
                    done
                })
            })
            .collect();
        while app.compass.totals().unwrap().sessions.in_progress < 20 {}
        app.compass.close().unwrap();
        let done: u64 = work.into_iter().map(|thread| thread.join().unwrap()).sum();
        let after = app.count("SELECT count(*) FROM session");
        assert_eq!(done as i64, after, "what was acknowledged is there, and nothing came after closing");
    });
}

#[test]
fn a_closed_file_is_whole_by_itself() {
    let app = App::new();
    for _ in 0..5 {
        app.completed();
    }
    app.compass.close().unwrap();
    let copy = app.folder().join("copy.db");
    std::fs::copy(app.path(), &copy).unwrap();
    let mut names: Vec<_> = std::fs::read_dir(app.folder()).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["compass.db", "compass.db-reserve", "copy.db"], "no WAL stays beside it");
    assert_eq!(open(&copy).unwrap().totals().unwrap().sessions.completed, 5);
}

#[test]
fn a_quiesced_handle_keeps_no_lock_and_still_works() {
    let app = App::new();
    let hold = app.compass.resume().unwrap();
    let second = app.compass.resume().unwrap();
    drop(hold);
    let session = app.start().key;
    drop(second);
    // Nobody else has the file open, so the whole of it can be locked from outside.
    let sql = app.sql();
    sql.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT;").unwrap();
    drop(sql);
    app.set(session, "site", "Mill Lane");
    app.compass.quiesce().unwrap();
    assert_eq!(app.view(session).problems, []);
    let _hold = app.compass.resume().unwrap();
    app.answer(session, "on");
}

// Other files ---------------------------------------------------------------------------------------------------------------------------

#[test]
fn a_database_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("contacts.db");
    let contacts = "CREATE TABLE contact (name TEXT); INSERT INTO contact VALUES ('Mia');";
    rusqlite::Connection::open(&path).unwrap().execute_batch(contacts).unwrap();
    refused_untouched(&path, &["not_a_database"]);
    // Others number their schemas, too: no update of the app would help.
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99; PRAGMA application_id = 7").unwrap();
    refused_untouched(&path, &["not_a_database"]);
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "Remember the milk.\n".repeat(500)).unwrap();
    refused_untouched(&text, &["not_a_database"]);
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "no file was added: {names:?}");
}

#[test]
fn a_file_of_a_newer_release_is_refused() {
    let app = App::new();
    app.completed();
    app.compass.close().unwrap();
    app.sql().pragma_update(None, "user_version", 99).unwrap();
    fold(&app.path());
    let Error::NewerSchema { found, known } = refused_untouched(&app.path(), &["newer_schema"]) else { panic!("another error") };
    assert!(found == 99 && known < 99);
    app.sql().pragma_update(None, "user_version", known).unwrap();
    assert_eq!(open(&app.path()).unwrap().totals().unwrap().sessions.completed, 1, "nothing was lost");
}

#[test]
fn a_damaged_file_is_refused_and_left_for_a_person_to_rescue() {
    type Change = fn(&mut Vec<u8>);
    let damage: [(&str, Change); 5] = [
        ("cut in the middle", |bytes| bytes.truncate(bytes.len() / 2)),
        ("cut within the first page", |bytes| bytes.truncate(700)),
        ("another header", |bytes| bytes[..16].copy_from_slice(b"once upon a time")),
        ("page size of zero", |bytes| bytes[16..18].copy_from_slice(&[0, 0])),
        ("a schema of noise", |bytes| bytes[100..4096].iter_mut().enumerate().for_each(|(at, byte)| *byte = (at * 7 + 3) as u8)),
    ];
    for (what, change) in damage {
        let app = App::new();
        app.completed();
        app.compass.close().unwrap();
        fold(&app.path());
        let mut bytes = std::fs::read(app.path()).unwrap();
        change(&mut bytes);
        std::fs::write(app.path(), &bytes).unwrap();
        let error = refused_untouched(&app.path(), &["corrupt", "not_a_database"]);
        assert!(!error.retryable(), "{what}");
    }
}

#[test]
fn damage_that_is_found_later_is_told_and_changes_nothing() {
    let app = App::new();
    // Enough for the last quarter of the file to hold none of its schema.
    for _ in 0..90 {
        app.completed();
    }
    app.compass.close().unwrap();
    fold(&app.path());
    let mut bytes = std::fs::read(app.path()).unwrap();
    let length = bytes.len();
    bytes[length / 4 * 3..].iter_mut().for_each(|byte| *byte = 0xA5);
    std::fs::write(app.path(), &bytes).unwrap();
    let compass = open(&app.path()).expect("the damage lies deeper");
    assert!(compass.check().map_or_else(|error| error.code() == "corrupt", |report| !report.faults.is_empty()));
    drop(compass);
    assert_eq!(std::fs::read(app.path()).unwrap(), bytes);
}

#[test]
fn where_there_is_no_folder_no_file_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing").join("compass.db");
    let error = open(&missing).unwrap_err();
    assert_eq!((error.code(), error.retryable()), ("cannot_open", true));
    assert!(!missing.exists() && !folder.path().join("missing").exists());
    assert_eq!(code(open(folder.path())), "cannot_open", "a folder is no file");
    assert_eq!(code(open(Path::new(""))), "cannot_open");
    assert_eq!(code(open(Path::new("/"))), "cannot_open");
}

// Room, rights and locks ------------------------------------------------------------------------------------------------------------------

/// Runs one test of this file again in a process of its own, with `CHILD` set to this.
fn child(test: &str, what: &str) -> Process {
    let mut process = Process::new(std::env::current_exe().expect("this program"));
    process
        .args([
            &format!("{}::{test}", module_path!().rsplit("::").next().unwrap_or_default()),
            "--exact",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(CHILD, what);
    process
}

#[test]
fn a_file_without_the_right_to_write_it_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    if let Ok(path) = std::env::var(CHILD) {
        let error = open(Path::new(&path)).expect_err("it was opened");
        println!("refused {} {}", error.code(), error.retryable());
        return;
    }
    let app = App::new();
    app.completed();
    app.compass.close().unwrap();
    fold(&app.path());
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", app.path().display()));
    }
    let set = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let before = std::fs::read(app.path()).unwrap();
    // The superuser may do everything, so it looks as somebody else.
    let superuser = is_root();
    for (folder, file) in [(0o755, 0o444), (0o777, 0o444), (0o755, 0o000), (0o555, 0o666)] {
        set(app.folder(), folder);
        set(&app.path(), file);
        let mut process = child("a_file_without_the_right_to_write_it_is_refused", app.path().to_str().unwrap());
        if superuser {
            process.uid(65_534);
        }
        let output = match process.output() {
            Ok(output) => output,
            Err(error) => {
                println!("note: not tested here, nobody else may run this program ({error})");
                set(app.folder(), 0o755);
                return;
            }
        };
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(told.contains("refused cannot_open true"), "folder {folder:o}, file {file:o}: {told}");
    }
    set(app.folder(), 0o755);
    set(&app.path(), 0o644);
    assert_eq!(std::fs::read(app.path()).unwrap(), before);
    assert_eq!(open(&app.path()).unwrap().totals().unwrap().sessions.completed, 1);
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

#[test]
fn a_file_that_another_process_holds_is_locked_for_a_while() {
    let app = App::new();
    let session = app.start().key;
    let other = app.sql();
    other.execute_batch("BEGIN IMMEDIATE; UPDATE meta SET revision = revision;").unwrap();
    let error = app.compass.note(session, "hello", "the-note").expect_err("it was written");
    assert_eq!((error.code(), error.retryable()), ("locked", true));
    assert_eq!(app.view(session).notes, [], "reading goes on");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(app.compass.note(session, "hello", "the-note").unwrap().applied, Applied::Yes);
}

#[test]
#[cfg(target_os = "linux")]
fn opening_opens_the_file_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("compass.db");
    let opened = || {
        let files = std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|file| std::fs::read_link(file.unwrap().path()).ok());
        files.filter(|file| *file == path).count()
    };
    let compass = open(&path).unwrap();
    assert_eq!(opened(), 1, "each connection reads the whole schema");
    compass.totals().unwrap();
    assert_eq!(opened(), 2);
    compass.close().unwrap();
    assert_eq!(opened(), 0);
}

/// In a build for phones: `cargo test --no-default-features --test file opening`.
#[cfg(not(feature = "built-in-transport"))]
#[test]
fn without_a_transport_of_its_own_one_has_to_be_given() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("compass.db");
    match open(&path) {
        Err(Error::InvalidOption { place, .. }) => assert_eq!(place, "transport"),
        opened => panic!("{opened:?}"),
    }
    assert!(!path.exists(), "nothing was made");
    Compass::open(Options::new(&path).transport(compass_core::testing::ScriptedTransport::always(202))).unwrap();
}

#[test]
fn options_that_make_no_sense_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path().join("compass.db"));
    options.retry.in_flight_total = 0;
    let error = Compass::open(options).unwrap_err();
    assert_eq!((error.code(), error.place().as_deref()), ("invalid_option", Some("retry.in_flight_total")));
    assert!(!folder.path().join("compass.db").exists());
}

// Errors --------------------------------------------------------------------------------------------------------------------------------

#[test]
fn codes_of_errors_are_stable() {
    let reference = || WorkflowRef { key: "k".into(), name: "n".into(), version: 1, local_revision: 0 };
    let key = SessionKey("0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11".parse().unwrap());
    let text = || "x".to_owned();
    let state = SessionState::Completed;
    let codes: Vec<(Error, &str, bool)> = vec![
        (Error::AlreadyOpen, "already_open", false),
        (Error::Closed, "closed", false),
        (Error::Reentrant, "reentrant", false),
        (Error::InvalidOption { place: text(), problem: text() }, "invalid_option", false),
        (Error::CannotOpen { detail: text() }, "cannot_open", true),
        (Error::Locked, "locked", true),
        (Error::DiskFull, "disk_full", true),
        (Error::OutOfMemory, "out_of_memory", true),
        (Error::Corrupt { detail: text() }, "corrupt", false),
        (Error::NotADatabase, "not_a_database", false),
        (Error::NewerSchema { found: 2, known: 1 }, "newer_schema", false),
        (Error::Io { detail: text() }, "io", true),
        (Error::InvalidWorkflow { findings: vec![] }, "invalid_workflow", false),
        (Error::WorkflowConflict { workflow: reference() }, "workflow_conflict", false),
        (Error::UnknownWorkflow { key: text() }, "unknown_workflow", false),
        (Error::NotStartable { workflow: reference(), findings: vec![] }, "not_startable", false),
        (Error::UnknownSession { key }, "unknown_session", false),
        (Error::DeletedSession { key }, "deleted_session", false),
        (Error::CommandIdReused, "command_id_reused", false),
        (Error::NotDeletable { state }, "not_deletable", false),
        (Error::Undelivered { count: Some(2) }, "undelivered", false),
        (Error::UnknownAction { action: text() }, "unknown_action", false),
        (Error::ActionStatus { action: text(), status: ActionStatus::Sent, problem: "x" }, "action_status", false),
        (Error::ActionLocked { action: text(), failed_sends: 4 }, "action_locked", false),
        (Error::PayloadTooLarge { action: text(), size: 262_145, limit: 262_144 }, "payload_too_large", false),
        (Error::NothingCorrected { action: text() }, "nothing_corrected", false),
        (Error::UnknownDelivery, "unknown_delivery", false),
        (Error::UnknownEndpoint { key: text() }, "unknown_endpoint", false),
        (Error::InvalidArgument { place: "x", problem: "x" }, "invalid_argument", false),
        (Error::Internal { detail: text() }, "internal", false),
        (Refusal::NotInProgress { state }.into(), "not_in_progress", false),
        (Refusal::NotFinished { state }.into(), "not_finished", false),
        (Refusal::AlreadyFinished { state }.into(), "already_finished", false),
        (Refusal::Discarded.into(), "discarded", false),
        (Refusal::UnknownVisit { visit: 1 }.into(), "unknown_visit", false),
        (Refusal::AlreadyThere { visit: 1 }.into(), "already_there", false),
        (Refusal::UnknownAnswer { section: text(), answer: text() }.into(), "unknown_answer", false),
        (Refusal::UnlinkedAnswer { section: text(), answer: text() }.into(), "unlinked_answer", false),
        (Refusal::BrokenWorkflow { section: text() }.into(), "broken_workflow", false),
        (Refusal::UnknownResponse { response: text() }.into(), "unknown_response", false),
        (Refusal::UnknownNote { note: 1 }.into(), "unknown_note", false),
        (Refusal::DuplicateNote { note: 1 }.into(), "duplicate_note", false),
        (Refusal::UnknownFields { fields: vec![] }.into(), "unknown_fields", false),
        (Refusal::FieldsNotOnPath { fields: vec![] }.into(), "fields_not_on_path", false),
        (Refusal::DuplicateFields { fields: vec![] }.into(), "duplicate_fields", false),
        (Refusal::NothingGiven.into(), "nothing_given", false),
        (Refusal::NotAnEndSection { section: text() }.into(), "not_an_end_section", false),
        (Refusal::Fields { problems: vec![] }.into(), "field_problems", false),
        (Refusal::Text { place: "x", fault: TextFault::Blank }.into(), "blank", false),
        (Refusal::Text { place: "x", fault: TextFault::TooLong { limit: 1 } }.into(), "too_long", false),
        (Refusal::Text { place: "x", fault: TextFault::ControlCharacter }.into(), "control_character", false),
    ];
    for (error, code, retryable) in &codes {
        assert_eq!((error.code(), error.retryable()), (*code, *retryable));
        assert!(!error.to_string().is_empty());
    }
    let all: std::collections::BTreeSet<&str> = codes.iter().map(|(_, code, _)| *code).collect();
    assert_eq!(all.len(), codes.len(), "no code stands for two errors");
}

/// Everything that was logged.
struct Kept(Mutex<Vec<String>>);

impl log::Log for Kept {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().expect("no panic").push(format!("{} {}", record.target(), record.args()));
    }
    fn flush(&self) {}
}

fn log_lines() -> &'static Kept {
    static KEPT: OnceLock<Kept> = OnceLock::new();
    let kept = KEPT.get_or_init(|| Kept(Mutex::default()));
    if log::set_logger(kept).is_ok() {
        log::set_max_level(log::LevelFilter::Trace);
    }
    kept
}

#[test]
fn no_error_and_no_log_line_holds_what_a_technician_typed() {
    const MARKER: &str = "xyzzy-secret-value";
    let kept = log_lines();
    let app = App::new();
    let session = app.start().key;
    let mut refusals: Vec<Error> = Vec::new();
    let mut refused = |what: Option<Error>| refusals.push(what.expect("a refusal"));
    let many = MARKER.repeat(2_000);
    // Values that are not acceptable, of every sort.
    for value in [
        text(&format!("{MARKER}\n{MARKER}")),
        text(&format!("{MARKER}\u{7}")),
        text(&many),
        FieldValue::Choice(MARKER.into()),
        FieldValue::Choices(vec![MARKER.into()]),
        FieldValue::Decimal(Decimal(MARKER.into())),
        FieldValue::File(FileManifest { sha256: MARKER.into(), media_type: MARKER.into(), size: 1, name: MARKER.into() }),
    ] {
        refused(app.compass.set_field(session, "site", value.clone()).err());
        let prefill = vec![Prefill { field: "site".into(), value, source: "work-order".into() }];
        refused(app.compass.start(&Start { prefill, ..Start::new("pump-check", id()) }).err());
    }
    // Acceptable values in calls that are refused for something else.
    refused(app.compass.set_field(session, "depth", text(MARKER)).err());
    refused(app.compass.set_field(session, "nothing", text(MARKER)).err());
    refused(app.compass.set_fields(session, vec![set("site", text(MARKER)), set("site", text(MARKER))]).err());
    refused(app.compass.note(session, &format!("{MARKER}\u{0}"), &id()).err());
    refused(app.compass.note(session, &many, &id()).err());
    refused(app.compass.end(session, &many, &id()).err());
    refused(app.compass.save_draft(session, "site", &MARKER.repeat(40_000)).err());
    app.compass.save_draft(session, "site", MARKER).unwrap();
    app.compass.note(session, MARKER, "a-note").unwrap();
    refused(app.compass.note(session, &format!("{MARKER}2"), "a-note").err());
    app.set(session, "site", MARKER);
    app.answer(session, "on");
    refused(app.compass.set_field(session, "depth", FieldValue::Decimal(Decimal(format!("9{MARKER}")))).err());
    app.compass.set_fields(session, crate::support::app::pages('🔥')).unwrap();
    app.answer(session, "fine");
    refused(app.compass.answer(session, 3, "nothing").err());
    app.finish(session);
    refused(app.compass.set_field(session, "site", text(MARKER)).err());
    refused(app.compass.edit(session, None, None, vec![set("site", text(&many))], vec![], &id()).err());
    refused(app.compass.edit(session, None, None, vec![set("site", text(MARKER)), set("tag", text(MARKER))], vec![], &id()).err());
    refused(app.compass.edit(session, None, None, vec![], vec![NoteChange { note: 99, text: MARKER.into() }], &id()).err());
    refused(app.compass.send(session, "report", None, &id()).err());
    refused(app.compass.send_corrected(session, "report", None, &id()).err());
    refused(app.compass.abandon(session, "report", "Mia", &many, &id()).err());
    refused(app.compass.delete(session).err());
    // A file that was damaged where values lie.
    let sql = app.sql();
    sql.execute("UPDATE value SET json = ?1 WHERE field = 'site'", [format!("{{\"{MARKER}\"")]).unwrap();
    refused(app.compass.session(session).err());
    let faults = app.faults();
    assert!(!faults.is_empty());
    drop(sql);
    // And an endpoint that holds something that nobody should see.
    let url = format!("https://{MARKER}@office.example/{MARKER}?{MARKER}");
    refused(app.compass.put_endpoint(&Endpoint { url, ..endpoint("office") }).err());

    assert!(refusals.len() >= 30);
    for error in &refusals {
        let told = format!("{error} {error:?} {:?} {:?}", error.place(), error.problems());
        assert!(!told.contains(MARKER), "{told}");
    }
    assert!(!format!("{faults:?} {:?}", app.compass).contains(MARKER));
    let logged = kept.0.lock().unwrap().clone();
    assert!(logged.iter().any(|line| line.contains("a payload of")), "the log is heard: {logged:?}");
    assert!(logged.iter().all(|line| !line.contains(MARKER)), "{logged:?}");
}
