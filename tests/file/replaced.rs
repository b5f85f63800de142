//! A process that waits for the file while another one puts a copy in its place, or removes it: it works on no file that lost its name.

use std::io::Write;
use std::path::Path;
use std::sync::mpsc;

use compass_core::RestoreOptions;
use compass_core::model::{SessionKey, Start};

use super::*;
use crate::support::app::{App, code, id, lose_page, pump_check};
use crate::support::field::{Process, eventually};

/// An app with sessions that were delivered and one in progress; the handle of another process, which has nothing open.
fn two_processes() -> (App, SessionKey, PathBuf, Compass) {
    let app = App::new();
    for _ in 0..3 {
        app.completed();
    }
    app.deliver();
    let session = app.start().key;
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    let other = Compass::open(app.options().as_other_process()).unwrap();
    other.quiesce().unwrap();
    app.compass.close().unwrap();
    (app, session, copy, other)
}

/// Whether this process has the file open.
fn has_open(path: &Path) -> bool {
    let files = std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|file| std::fs::read_link(file.unwrap().path()).ok());
    files.into_iter().any(|file| file == path)
}

/// Puts the copy in the place of a damaged file, in another process, which waits at each step, and is killed where it may not go on.
fn restored(app: &App, copy: &Path, mut goes_on: impl FnMut(&str) -> bool) {
    let path = app.path().canonicalize().unwrap();
    let settings = [("DATABASE", path.to_str().unwrap()), ("COPY", copy.to_str().unwrap())];
    let mut process = Process::run("killed::a_process_that_restores", &settings);
    while let Some(step) = process.line().filter(|step| step != "fine") {
        if !goes_on(&step) {
            return process.kill();
        }
        process.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }
}

/// The same, while a call of this process waits for the file.
fn restored_while<T: Send + 'static>(app: &App, copy: &Path, call: impl FnOnce() -> T + Send + 'static) -> T {
    let path = app.path().canonicalize().unwrap();
    let mut call = Some(call);
    let mut waits = None;
    restored(app, copy, |step| {
        if let Some(call) = call.take_if(|_| step == "locked") {
            waits = Some(std::thread::spawn(call));
            eventually("it waits for the file", || has_open(&path));
        }
        true
    });
    waits.expect("the file is damaged").join().unwrap()
}

#[test]
fn what_was_written_while_a_copy_took_the_place_is_in_the_database_or_refused() {
    let (app, session, copy, other) = two_processes();
    lose_page(&app.path(), "action");
    let _hold = other.resume().unwrap();
    let writes = other.clone();
    let noted = restored_while(&app, &copy, move || code(writes.note(session, "The valve was open.", &id())));
    assert_eq!(noted, "locked");
    assert_eq!(code(other.note(session, "The valve is closed.", &id())), "fine");
    let compass = open(&app.path()).unwrap();
    assert_eq!(compass.record(session).unwrap().notes.len(), 1);
    assert_eq!(compass.totals().unwrap().sessions.completed, 3);
    assert_eq!(compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn what_was_read_while_a_copy_took_the_place_is_in_the_database_or_refused() {
    let (app, session, copy, other) = two_processes();
    let change = Compass::open(app.options()).unwrap();
    change.note(session, "Not in the copy.", &id()).unwrap();
    change.close().unwrap();
    lose_page(&app.path(), "action");
    let _hold = other.resume().unwrap();
    let reads = other.clone();
    assert_eq!(restored_while(&app, &copy, move || code(reads.session(session))), "locked");
    assert_eq!(other.record(session).unwrap().notes.len(), 0);
}

#[test]
fn nothing_is_read_of_a_file_that_was_removed_meanwhile() {
    let (app, _, _, other) = two_processes();
    let _hold = other.resume().unwrap();
    let path = app.path().canonicalize().unwrap();
    // As `erase` of another process does it.
    let eraser = rusqlite::Connection::open(&path).unwrap();
    eraser.pragma_update(None, "locking_mode", "EXCLUSIVE").unwrap();
    eraser.execute_batch("BEGIN IMMEDIATE; ROLLBACK").unwrap();
    let (begins, begun) = mpsc::channel();
    let reads = other.clone();
    let waits = std::thread::spawn(move || {
        begins.send(()).unwrap();
        code(reads.totals())
    });
    begun.recv().unwrap();
    let descriptors = || {
        std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter(|file| std::fs::read_link(file.as_ref().unwrap().path()).is_ok_and(|file| file == path))
            .count()
    };
    eventually("it waits for the file", || descriptors() > 1);
    let _: String = eraser.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0)).unwrap();
    ["-wal", "-shm", ""].iter().for_each(|suffix| drop(std::fs::remove_file(beside(&path, suffix))));
    drop(eraser);
    assert_eq!(waits.join().unwrap(), "locked");
    let compass = open(&path).unwrap();
    assert_eq!(other.totals().unwrap().sessions.completed, 0);
    compass.close().unwrap();
    assert_eq!(other.totals().unwrap().sessions.completed, 0);
}

#[test]
fn a_restore_that_was_killed_is_finished_by_a_process_that_was_there_before() {
    for at in ["ready", "file aside", "in place"] {
        let (app, session, copy, other) = two_processes();
        lose_page(&app.path(), "action");
        restored(&app, &copy, |step| {
            if step == "ready" {
                assert_eq!(code(other.totals()), "locked", "while that process goes on");
            }
            step != at
        });
        let hold = other.resume().unwrap();
        assert_eq!(code(other.note(session, "The valve is closed.", &id())), "fine", "{at}");
        drop(hold);
        let compass = open(&app.path()).unwrap();
        assert_eq!(compass.record(session).unwrap().notes.len(), 1, "{at}");
        assert_eq!(compass.totals().unwrap().sessions.completed, 3, "{at}");
        assert_eq!(compass.check().unwrap().faults, [""; 0], "{at}");
    }
}

#[test]
fn a_restore_that_was_killed_is_finished_when_all_of_it_can_be_read() {
    let (app, session, copy, other) = two_processes();
    lose_page(&app.path(), "action");
    restored(&app, &copy, |step| step != "file aside");
    // As if there were no descriptors left.
    let (hash, aside) = (beside(&app.path(), "-restoring-sha256"), app.folder().join("aside"));
    std::fs::rename(&hash, &aside).unwrap();
    std::fs::create_dir(&hash).unwrap();
    assert_eq!((code(open(&app.path())), code(other.totals())), ("io", "io"));
    std::fs::remove_dir(&hash).unwrap();
    std::fs::rename(&aside, &hash).unwrap();
    let compass = open(&app.path()).unwrap();
    assert_eq!((compass.totals().unwrap().sessions.completed, compass.record(session).unwrap().notes.len()), (3, 0));
}

#[test]
fn a_process_that_only_reads_a_restored_copy_has_it_open() {
    let (app, _, copy, other) = two_processes();
    lose_page(&app.path(), "action");
    restored(&app, &copy, |_| true);
    let _hold = other.resume().unwrap();
    // Nobody has opened or written it yet.
    assert_eq!(other.totals().unwrap().sessions.completed, 3);
    assert_eq!(code(Compass::erase(app.path(), None)), "locked");
    assert_eq!(other.totals().unwrap().sessions.completed, 3);
    other.quiesce().unwrap();
    Compass::erase(app.path(), None).unwrap();
    open(&app.path()).unwrap().close().unwrap();
    assert_eq!(other.totals().unwrap().sessions.completed, 0);
}

#[test]
fn another_process_sees_that_the_database_was_erased_and_made_again() {
    let (app, _, _, other) = two_processes();
    let (noticed, notices) = mpsc::channel();
    let noticed = std::sync::Mutex::new(noticed);
    let _observing = other.observe(std::sync::Arc::new(move |notice| noticed.lock().unwrap().send(notice.everything).unwrap()));
    app.compass.close().unwrap();
    Compass::erase(app.path(), None).unwrap();
    let new = Compass::open(app.options()).unwrap();
    new.import_workflow(&pump_check(1)).unwrap();
    let _hold = other.resume().unwrap();
    assert!(other.refresh().unwrap());
    assert!(notices.try_recv().unwrap(), "everything has changed");
    assert!(!other.refresh().unwrap(), "once");
    new.start(&Start::new("pump-check", id())).unwrap();
    assert!(other.refresh().unwrap(), "its revisions begin again");
    assert_eq!(other.totals().unwrap().sessions.in_progress, 1);
}

#[test]
fn another_process_sees_that_a_copy_came_in_the_place_of_an_erased_database() {
    let (app, _, copy, other) = two_processes();
    let compass = Compass::open(app.options()).unwrap();
    (0..5).for_each(|_| drop(compass.start(&Start::new("pump-check", id())).unwrap()));
    compass.close().unwrap();
    let hold = other.resume().unwrap();
    assert!(other.refresh().unwrap());
    assert_eq!(other.totals().unwrap().sessions.in_progress, 6);
    drop(hold);
    // Twice: an earlier copy of the same database, in a file of another kind than before, and then of the same kind.
    for _ in 0..2 {
        Compass::erase(app.path(), None).unwrap();
        Compass::restore(&copy, &RestoreOptions::new(app.path())).unwrap();
        let hold = other.resume().unwrap();
        assert!(other.refresh().unwrap());
        assert!(!other.refresh().unwrap(), "once");
        assert_eq!(other.totals().unwrap().sessions.in_progress, 1);
        other.start(&Start::new("pump-check", id())).unwrap();
        assert!(!other.refresh().unwrap(), "a change of its own");
        drop(hold);
    }
}

/// Puts back what the restore before has replaced.
fn go_back(app: &App) {
    Compass::restore(beside(&app.path(), ".before-restore"), &RestoreOptions::new(app.path())).unwrap();
}

#[test]
fn going_back_after_a_restore_that_failed_before_loses_nothing() {
    let (app, session, copy, other) = two_processes();
    let _hold = other.resume().unwrap();
    let mut options = RestoreOptions::new(app.path());
    let writes = other.clone();
    // Whenever the file is copied, this process writes to it.
    options.on_step = Some(std::sync::Arc::new(move |step| {
        if step == "copied" {
            writes.note(session, "The valve is closed.", &id()).unwrap();
        }
    }));
    assert_eq!(code(Compass::restore(&copy, &options)), "locked");
    assert!(!beside(&app.path(), ".before-restore").exists(), "nothing was replaced");
    other.note(session, "The pump runs.", &id()).unwrap();
    let notes = other.record(session).unwrap().notes.len();
    Compass::restore(&copy, &RestoreOptions::new(app.path())).unwrap();
    assert_eq!(other.record(session).unwrap().notes.len(), 0);
    go_back(&app);
    assert_eq!(other.record(session).unwrap().notes.len(), notes);
}

#[test]
fn going_back_after_a_restore_that_was_killed_before_loses_nothing() {
    let (app, session, copy, other) = two_processes();
    let _hold = other.resume().unwrap();
    assert_eq!(other.record(session).unwrap().notes.len(), 0);
    for at in ["copied", "kept", "writes"] {
        restored(&app, &copy, |step| step != at);
    }
    other.note(session, "The pump runs.", &id()).unwrap();
    for _ in 0..2 {
        // Again because the answer got lost.
        Compass::restore(&copy, &RestoreOptions::new(app.path())).unwrap();
        assert_eq!(other.record(session).unwrap().notes.len(), 0);
    }
    go_back(&app);
    assert_eq!(other.record(session).unwrap().notes.len(), 1);
    let kept = beside(&app.path(), ".before-restore");
    let before = std::fs::read(&kept).unwrap();
    other.quiesce().unwrap();
    // Whatever takes the place next, and however.
    lose_page(&app.path(), "action");
    for _ in 0..3 {
        Compass::restore(&copy, &RestoreOptions::new(app.path())).unwrap();
        assert!(std::fs::read(&kept).unwrap() == before);
    }
}

#[test]
fn going_back_after_the_database_was_opened_during_a_restore_loses_nothing() {
    let (app, session, copy, other) = two_processes();
    other.close().unwrap();
    Compass::restore(&copy, &RestoreOptions::new(app.path())).unwrap();
    for notes in 1..=2 {
        restored(&app, &copy, |step| {
            if step == "checked" {
                // It cannot remove the file before: that process may need it.
                let compass = open(&app.path()).unwrap();
                compass.note(session, "The valve is closed.", &id()).unwrap();
                compass.close().unwrap();
            }
            // Killed the first time.
            step != "checked" || notes == 2
        });
        if notes == 1 {
            Compass::restore(&copy, &RestoreOptions::new(app.path())).unwrap();
        }
        go_back(&app);
        assert_eq!(open(&app.path()).unwrap().record(session).unwrap().notes.len(), notes);
    }
}
