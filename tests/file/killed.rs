//! A process that is killed while it puts a copy in the place of the database, or makes something again: the old one is there or the new one,
//! each whole.

use std::io::{BufRead, Write};
use std::process::Command;
use std::sync::Arc;

use compass_core::model::SessionFilter;
use compass_core::{DiscardUndelivered, RestoreOptions};

use super::lost_indexes::indexes;
use super::*;
use crate::support::app::{App, change_page, code, lose_page};
use crate::support::field::{Process, say, setting};

#[test]
#[ignore = "runs in processes of its own, for the tests below"]
fn a_process_that_restores() {
    let mut options = RestoreOptions::new(setting("DATABASE"));
    options.discard_undelivered = Some(DiscardUndelivered { actor: "Mia".to_owned(), reason: "damaged".to_owned() });
    options.on_step = Some(Arc::new(|step| {
        say(step);
        // Until it is told to go on.
        std::io::stdin().lock().read_line(&mut String::new()).unwrap();
    }));
    say(code(Compass::restore(setting("COPY"), &options)));
}

#[test]
#[ignore = "runs in processes of its own, for the tests below"]
fn a_process_that_searches() {
    let filter = SessionFilter { text: Some("mill".into()), ..Default::default() };
    say(code(open(Path::new(&setting("DATABASE"))).unwrap().sessions(&filter, None, 100)));
}

/// Restores in another process and kills it at this step; gives the steps that it came to. None when it came to the end before.
fn killed(app: &App, copy: &Path, at: usize) -> Option<Vec<String>> {
    let settings = [("DATABASE", app.path()), ("COPY", copy.to_owned())];
    let settings: Vec<_> = settings.iter().map(|(name, path)| (*name, path.to_str().unwrap())).collect();
    let mut process = Process::run("killed::a_process_that_restores", &settings);
    let mut steps = Vec::new();
    loop {
        let step = process.line().expect("it says what it does");
        if step == "fine" {
            return None;
        }
        steps.push(step);
        if steps.len() == at {
            process.kill();
            return Some(steps);
        }
        process.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }
}

/// What is in the folder besides the copy, the database and what belongs beside it while it is open.
fn left(app: &App) -> Vec<String> {
    let names = std::fs::read_dir(app.folder()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !["copy.db", "compass.db", "compass.db-wal", "compass.db-shm", "compass.db-reserve"].contains(&&**name)).collect()
}

/// A phone with so many sessions more than its copy that writing takes several steps.
fn copied() -> (App, PathBuf) {
    let app = App::new();
    let copy = app.folder().join("copy.db");
    for _ in 0..20 {
        app.completed();
    }
    app.compass.backup(&copy).unwrap();
    for _ in 0..20 {
        app.completed();
    }
    app.compass.close().unwrap();
    (app, copy)
}

#[test]
fn at_any_step_of_writing_over_a_file_that_opens() {
    let (app, copy) = copied();
    let file = std::fs::read(app.path()).unwrap();
    let mut seen = Vec::new();
    for at in 1.. {
        std::fs::write(app.path(), &file).unwrap();
        let Some(steps) = killed(&app, &copy, at) else { break };
        let compass = open(&app.path()).unwrap_or_else(|error| panic!("{steps:?}: {error}"));
        let expected = if steps.iter().any(|step| step == "written") { 20 } else { 40 };
        assert_eq!(compass.totals().unwrap().sessions.completed, expected, "{steps:?}");
        assert_eq!(compass.check().unwrap().faults, [""; 0], "{steps:?}");
        compass.close().unwrap();
        assert_eq!(left(&app), [""; 0], "{steps:?}");
        seen = steps;
    }
    assert!(seen.iter().filter(|step| *step == "writes").count() > 1 && seen.iter().any(|step| step == "written"), "{seen:?}");
}

#[test]
fn at_any_step_of_setting_a_damaged_file_aside() {
    let (app, copy) = copied();
    let wal = beside(&app.path(), "-wal");
    let mut seen = Vec::new();
    for at in 1.. {
        std::fs::write(app.path(), "").unwrap();
        std::fs::write(&wal, "of which somebody cut the file off").unwrap();
        let Some(steps) = killed(&app, &copy, at) else { break };
        if steps.iter().any(|step| step == "ready") {
            let compass = open(&app.path()).unwrap_or_else(|error| panic!("{steps:?}: {error}"));
            assert_eq!(compass.totals().unwrap().sessions.completed, 20, "{steps:?}");
            assert_eq!(compass.check().unwrap().faults, [""; 0], "{steps:?}");
            compass.close().unwrap();
        } else {
            assert_eq!(code(open(&app.path())), "corrupt", "{steps:?}");
            assert_eq!(std::fs::read(&wal).unwrap(), b"of which somebody cut the file off", "{steps:?}");
        }
        seen = steps;
    }
    assert_eq!(seen, ["checked", "counted", "locked", "ready", "WAL aside", "file aside", "in place"]);
}

#[test]
fn a_restore_that_was_cut_short_is_made_again() {
    let (mut app, copy) = copied();
    std::fs::write(app.path(), "").unwrap();
    std::fs::write(beside(&app.path(), "-wal"), "of which somebody cut the file off").unwrap();
    for at in [1, 5, 6] {
        killed(&app, &copy, at);
    }
    Compass::restore(&copy, &RestoreOptions::new(app.path())).unwrap();
    app.reopen();
    assert_eq!(app.compass.totals().unwrap().sessions.completed, 20);
}

#[test]
fn nothing_of_it_is_left_when_the_database_is_erased() {
    let (app, copy) = copied();
    let file = std::fs::read(app.path()).unwrap();
    for at in 1..=4 {
        std::fs::write(app.path(), &file).unwrap();
        let steps = killed(&app, &copy, at);
        assert!(!left(&app).is_empty(), "{steps:?}");
        let discard = DiscardUndelivered { actor: "Mia".to_owned(), reason: "returned".to_owned() };
        Compass::erase(app.path(), Some(&discard)).unwrap();
        assert_eq!(left(&app), [""; 0], "{steps:?}");
        assert!(!app.path().exists());
    }
}

#[test]
fn going_back_to_the_file_before_loses_it_at_no_moment() {
    // It has 20 sessions, and what took its place 40.
    let (app, copy) = copied();
    let kept = beside(&app.path(), ".before-restore");
    std::fs::rename(&copy, &kept).unwrap();
    let (file, before) = (std::fs::read(app.path()).unwrap(), std::fs::read(&kept).unwrap());
    let discard = DiscardUndelivered { actor: "Mia".to_owned(), reason: "damaged".to_owned() };
    for opens in [true, false] {
        for at in 1.. {
            std::fs::write(&kept, &before).unwrap();
            std::fs::write(app.path(), if opens { &file[..] } else { &[] }).unwrap();
            if !opens {
                std::fs::write(beside(&app.path(), "-wal"), "of which somebody cut the file off").unwrap();
            }
            let Some(steps) = killed(&app, &kept, at) else { break };
            assert!(std::fs::read(&kept).unwrap() == before, "{steps:?}");
            let options = RestoreOptions::new(app.path()).discard_undelivered(discard.clone());
            assert_eq!(code(Compass::restore(&kept, &options)), "fine", "{steps:?}");
            let compass = open(&app.path()).unwrap_or_else(|error| panic!("{steps:?}: {error}"));
            assert_eq!(compass.totals().unwrap().sessions.completed, 20, "{steps:?}");
            compass.close().unwrap();
            assert_eq!(left(&app), [""; 0], "{steps:?}");
        }
    }
}

#[test]
fn what_a_restore_needs_stays_while_another_process_opens_the_file() {
    let (app, copy) = copied();
    let settings = [("DATABASE", app.path()), ("COPY", copy)];
    let settings: Vec<_> = settings.iter().map(|(name, path)| (*name, path.to_str().unwrap())).collect();
    let mut process = Process::run("killed::a_process_that_restores", &settings);
    let mut has_looked = false;
    while let Some(step) = process.line().filter(|step| step != "fine") {
        if step == "kept" && !std::mem::replace(&mut has_looked, true) {
            open(&app.path()).unwrap().close().unwrap();
            let there = left(&app);
            assert!(
                ["compass.db-restore-part", "compass.db.before-restore"].iter().all(|name| there.iter().any(|one| one == name)),
                "{there:?}"
            );
            assert_eq!(code(Compass::restore(settings[1].1, &RestoreOptions::new(app.path()))), "locked");
            assert_eq!(code(Compass::erase(app.path(), None)), "locked");
        }
        process.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }
    assert!(has_looked);
    assert_eq!(left(&app), ["compass.db.before-restore"]);
    assert_eq!(open(&app.path()).unwrap().totals().unwrap().sessions.completed, 20);
}

/// Rebuilds what is damaged in a process of its own, which is killed when it has written so much, for several limits.
fn killed_in_the_middle(app: &App, filter: &SessionFilter, found: usize) {
    let file = std::fs::read(app.path()).unwrap();
    let (mut in_the_middle, wal) = (0, beside(&app.path(), "-wal"));
    for limit in [128, 256, 384, 512, 1_024, 4_096] {
        std::fs::write(app.path(), &file).unwrap();
        // The system ends a process that writes beyond so many blocks of a file.
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -c 0; ulimit -f \"$0\"; exec \"$@\"", &format!("{limit}")]).arg(std::env::current_exe().unwrap());
        let mut process = Process::run_by(command, "killed::a_process_that_searches", &[("DATABASE", app.path().to_str().unwrap())]);
        let is_killed = process.line().is_none();
        drop(process);
        in_the_middle += u32::from(is_killed && std::fs::metadata(&wal).unwrap().len() > 0 && std::fs::read(app.path()).unwrap() == file);
        let compass = open(&app.path()).unwrap_or_else(|error| panic!("{limit}: {error}"));
        assert_eq!(compass.sessions(filter, None, 100).unwrap().sessions.len(), found, "{limit}");
        assert_eq!(compass.check().unwrap().faults, [""; 0], "{limit}");
        compass.close().unwrap();
    }
    assert!(in_the_middle > 1, "{in_the_middle}");
}

#[test]
fn in_the_middle_of_emptying_the_search_index() {
    let app = App::new();
    for _ in 0..8 {
        let session = app.at_the_end().key;
        app.set(session, "page1", &(0..2_500).map(|word| format!("w{word} ")).collect::<String>());
        app.finish(session);
    }
    let filter = SessionFilter { text: Some("mill".into()), ..Default::default() };
    assert_eq!(app.compass.sessions(&filter, None, 100).unwrap().sessions.len(), 8);
    app.compass.close().unwrap();
    lose_page(&app.path(), "search_content");
    killed_in_the_middle(&app, &filter, 8);
}

#[test]
fn in_the_middle_of_rebuilding_indexes() {
    let app = App::new();
    for _ in 0..90 {
        app.completed();
    }
    let filter = SessionFilter { text: Some("mill".into()), ..Default::default() };
    assert_eq!(app.compass.sessions(&filter, None, 100).unwrap().sessions.len(), 90);
    app.compass.close().unwrap();
    for index in indexes(&app) {
        change_page(&app.path(), &index, false, |page| page.fill(0));
    }
    killed_in_the_middle(&app, &filter, 90);
}
