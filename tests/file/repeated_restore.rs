//! A restore that is made again, is undone, or comes to no end.

use std::io::Read;

use compass_core::model::*;
use compass_core::{DiscardUndelivered, RestoreOptions};

use super::*;
use crate::support::app::{App, code, id, open_sql, pump_check};
use crate::support::field::{Process, say, setting};

/// A phone that was copied when it had three sessions, all delivered, and has five now, all delivered. It is closed.
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
    app.compass.close().unwrap();
    (app, copy)
}

fn restore(app: &App, from: &Path) {
    let discard = DiscardUndelivered { actor: "Mia".to_owned(), reason: "damaged".to_owned() };
    Compass::restore(from, &RestoreOptions::new(app.path()).discard_undelivered(discard)).unwrap();
}

fn before(app: &App) -> PathBuf {
    beside(&app.path(), ".before-restore")
}

fn later(app: &App) -> PathBuf {
    beside(&app.path(), ".before-later-restore")
}

fn sessions(path: &Path) -> i64 {
    open_sql(path).query_row("SELECT count(*) FROM session", [], |row| row.get(0)).unwrap()
}

fn not_restored(app: &App) -> Vec<PathBuf> {
    let files = std::fs::read_dir(app.folder()).unwrap().map(|file| file.unwrap().path());
    files.filter(|file| file.display().to_string().contains("-not-restored-")).collect()
}

#[test]
fn the_file_before_stays_when_a_restore_is_repeated() {
    let (mut app, copy) = copied();
    for _ in 0..3 {
        restore(&app, &copy);
        assert_eq!((sessions(&app.path()), sessions(&before(&app))), (3, 5));
    }
    app.reopen();
    assert_eq!(app.faults(), [""; 0]);
    assert!(!before(&app).exists() && !later(&app).exists());
}

#[test]
fn going_back_twice_goes_back_once() {
    let (mut app, copy) = copied();
    restore(&app, &copy);
    for _ in 0..2 {
        restore(&app, &before(&app));
        assert_eq!((sessions(&app.path()), sessions(&before(&app))), (5, 5));
    }
    app.reopen();
    assert_eq!((app.compass.totals().unwrap().sessions.completed, app.faults()), (5, vec![]));
}

#[test]
fn what_was_set_aside_stays_when_the_restore_is_repeated() {
    let (app, copy) = copied();
    let wal = |path: &Path| std::fs::read(beside(path, "-wal")).unwrap();
    for is_gone in [false, true] {
        let compass = open(&app.path()).unwrap();
        compass.start(&Start::new("pump-check", id())).unwrap();
        compass.quiesce().unwrap();
        compass.close().unwrap();
        let written = wal(&app.path());
        assert!(!written.is_empty());
        std::fs::write(app.path(), "").unwrap();
        if is_gone {
            std::fs::remove_file(app.path()).unwrap();
        }
        restore(&app, &copy);
        assert_eq!(wal(&before(&app)), written);
        restore(&app, &copy);
        // Damaged again: it is set aside beside the first one.
        std::fs::write(app.path(), [0x5a; 9000]).unwrap();
        restore(&app, &copy);
        assert_eq!(std::fs::metadata(before(&app)).unwrap().len(), 0);
        assert_eq!(wal(&before(&app)), written, "what can still be salvaged");
        assert_eq!(std::fs::read(later(&app)).unwrap(), [0x5a; 9000]);
        open(&app.path()).unwrap().close().unwrap();
        assert!(!before(&app).exists() && !beside(&before(&app), "-wal").exists() && !later(&app).exists());
    }
}

#[test]
fn what_another_process_wrote_between_two_restores_is_kept() {
    let (app, copy) = copied();
    let other = Compass::open(app.options().as_other_process()).unwrap();
    restore(&app, &copy);
    other.start(&Start::new("pump-check", id())).unwrap();
    restore(&app, &copy);
    assert_eq!((sessions(&app.path()), sessions(&before(&app)), sessions(&later(&app))), (3, 5, 4));
    assert_eq!(code(Compass::restore(later(&app), &RestoreOptions::new(app.path()))), "invalid_argument");
}

#[test]
fn what_cannot_be_finished_now_is_finished_by_whoever_opens_next() {
    let (app, copy) = copied();
    std::fs::write(app.path(), [0x5a; 9000]).unwrap();
    // What cannot be removed.
    let folder = beside(&app.path(), "-shm");
    let _ = std::fs::remove_file(&folder);
    std::fs::create_dir(&folder).unwrap();
    restore(&app, &copy);
    assert!(open(&app.path()).is_err());
    assert_eq!(std::fs::read(app.path()).unwrap(), [0x5a; 9000]);
    std::fs::remove_dir(&folder).unwrap();
    assert_eq!(open(&app.path()).unwrap().totals().unwrap().sessions.completed, 3);
}

#[test]
fn a_restore_that_fails_is_not_carried_out_later() {
    let (app, copy) = copied();
    std::fs::write(app.path(), [0x5a; 9000]).unwrap();
    let discard = DiscardUndelivered { actor: "Mia".to_owned(), reason: "damaged".to_owned() };
    let options = RestoreOptions::new(app.path()).discard_undelivered(discard);
    for name in ["-restoring-sha256", "-restore-part"] {
        let folder = beside(&app.path(), name);
        std::fs::create_dir(&folder).unwrap();
        assert!(Compass::restore(&copy, &options).is_err(), "{name}");
        std::fs::remove_dir(&folder).unwrap();
        assert_eq!(code(open(&app.path())), "not_a_database", "{name}");
        assert_eq!(std::fs::read(app.path()).unwrap(), [0x5a; 9000], "{name}");
    }
    Compass::restore(&copy, &options).unwrap();
}

#[test]
fn a_restore_that_fails_leaves_what_was_kept() {
    let (app, copy) = copied();
    let other = Compass::open(app.options().as_other_process()).unwrap();
    restore(&app, &copy);
    other.start(&Start::new("pump-check", id())).unwrap();
    restore(&app, &copy);
    other.close().unwrap();
    std::fs::write(app.path(), [0x5a; 9000]).unwrap();
    let folder = beside(&app.path(), "-restoring-sha256");
    std::fs::create_dir(&folder).unwrap();
    let discard = DiscardUndelivered { actor: "Mia".to_owned(), reason: "damaged".to_owned() };
    assert!(Compass::restore(&copy, &RestoreOptions::new(app.path()).discard_undelivered(discard)).is_err());
    assert_eq!((sessions(&before(&app)), sessions(&later(&app))), (5, 4));
    std::fs::remove_dir(&folder).unwrap();
    restore(&app, &copy);
    assert_eq!((sessions(&app.path()), sessions(&before(&app))), (3, 5));
    assert_eq!(std::fs::read(later(&app)).unwrap(), [0x5a; 9000]);
}

#[test]
fn only_what_a_restore_made_becomes_the_database() {
    let other = App::new();
    other.start();
    let put = |what: &str, ready: &Path| match what {
        "another database" => other.compass.backup(ready).unwrap(),
        "a folder" => std::fs::create_dir(ready).unwrap(),
        text => std::fs::write(ready, text).unwrap(),
    };
    for what in ["another database", "a folder", "", "a text that somebody put here"] {
        let (mut app, copy) = copied();
        app.reopen();
        app.completed();
        app.compass.close().unwrap();
        let ready = beside(&app.path(), "-restoring");
        put(what, &ready);
        let bytes = std::fs::read(&ready).ok();
        app.reopen();
        let totals = (app.compass.totals().unwrap().sessions.completed, app.compass.outbox_totals().unwrap().pending);
        assert_eq!(totals, (6, 3), "{what}");
        let aside = not_restored(&app);
        assert!(aside.len() == 1 && std::fs::read(&aside[0]).ok() == bytes && !ready.exists(), "{what}: {aside:?}");
        app.compass.close().unwrap();
        std::fs::write(app.path(), [0x5a; 9000]).unwrap();
        put(what, &ready);
        restore(&app, &copy);
        assert_eq!((sessions(&app.path()), not_restored(&app).len()), (3, 2), "{what}");
    }
}

#[test]
#[ignore = "runs in a process of its own, for the test below"]
fn a_process_that_makes_the_database() {
    let compass = open(Path::new(&setting("DATABASE"))).unwrap();
    compass.import_workflow(&pump_check(1)).unwrap();
    compass.start(&Start::new("pump-check", id())).unwrap();
    say("acknowledged");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

#[test]
fn what_is_made_while_a_copy_is_checked_is_the_file_before() {
    let (app, copy) = copied();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("compass.db");
    let name = path.clone();
    let mut options = RestoreOptions::new(&path);
    options.on_step = Some(std::sync::Arc::new(move |step| {
        if step == "checked" {
            let mut process = Process::run("repeated_restore::a_process_that_makes_the_database", &[("DATABASE", name.to_str().unwrap())]);
            assert_eq!(process.line().as_deref(), Some("acknowledged"));
            process.kill();
        }
    }));
    Compass::restore(&copy, &options).unwrap();
    assert_eq!((sessions(&path), sessions(&beside(&path, ".before-restore"))), (3, 1));
    drop(app);
}

#[test]
#[ignore = "runs in a process of its own, for the test below"]
fn a_process_that_opens_the_database_again_and_again() {
    say("opens");
    let over = std::thread::spawn(|| std::io::stdin().read_to_end(&mut Vec::new()));
    while !over.is_finished() {
        // The restore may have the file.
        let _ = open(Path::new(&setting("DATABASE")));
    }
}

#[test]
fn a_copy_that_is_checked_stays_while_another_process_opens_the_database() {
    let (app, copy) = copied();
    let path = app.path();
    let name = "repeated_restore::a_process_that_opens_the_database_again_and_again";
    let mut process = Process::run(name, &[("DATABASE", path.to_str().unwrap())]);
    assert_eq!(process.line().as_deref(), Some("opens"));
    for _ in 0..10 {
        let restored = code(Compass::restore(&copy, &RestoreOptions::new(&path)));
        assert!(["fine", "locked"].contains(&restored), "{restored}");
    }
    process.finish();
}
