//! Probes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use compass_core::model::*;
use compass_core::{Compass, DiscardUndelivered, Error, Options, RestoreOptions};
use support::app::{App, code, id, open_sql, set, text};
use support::past_every_rule;

fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

fn discard() -> DiscardUndelivered {
    DiscardUndelivered { actor: "Mia".to_owned(), reason: "on paper".to_owned() }
}

/// The files of a folder that hold this word.
fn holds(folder: &Path, word: &str) -> Vec<String> {
    let has = |path: &Path| std::fs::read(path).unwrap().windows(word.len()).any(|window| window == word.as_bytes());
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file() && has(path));
    let mut names: Vec<String> = files.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// A process that is killed when the copy of the old file is half made, or at a step.
#[test]
fn a_process_that_restores_until_it_is_killed() {
    let Ok(work) = std::env::var("PROBE_RESTORE") else { return };
    let (path, from, at) = {
        let parts: Vec<&str> = work.split('|').collect();
        (PathBuf::from(parts[0]), PathBuf::from(parts[1]), parts[2].to_owned())
    };
    let mut options = RestoreOptions::new(&path);
    options.discard_undelivered = Some(discard());
    if at.starts_with('.') || at.starts_with("copy") {
        let part = if at.starts_with('.') { beside(&path, &at) } else { path.parent().unwrap().join(&at) };
        std::thread::spawn(move || {
            loop {
                if std::fs::metadata(&part).is_ok_and(|file| file.len() > 100_000) {
                    std::process::abort();
                }
            }
        });
    }
    options.on_step = Some(std::sync::Arc::new(move |step| {
        if step == at {
            std::process::abort();
        }
    }));
    Compass::restore(&from, &options).unwrap();
}

fn restore_killed(path: &Path, from: &Path, at: &str) -> bool {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["a_process_that_restores_until_it_is_killed", "--exact", "--nocapture"]);
    child.env("PROBE_RESTORE", format!("{}|{}|{at}", path.display(), from.display()));
    let status = child.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).status().unwrap();
    !status.success()
}

/// A phone on which a restore was killed at this moment. Where that is missed, another one is tried.
fn killed(at: &str) -> (App, SessionKey) {
    for _ in 0..30 {
        let (app, session, copy) = told();
        app.compass.close().unwrap();
        let is_missed = |left: &[String]| at.starts_with('.') && !left.iter().any(|name| name.ends_with(at));
        if restore_killed(&app.path(), &copy, at) && !is_missed(&holds(app.folder(), "Zwetschgen")) {
            return (app, session);
        }
    }
    panic!("never killed at {at}");
}

/// A phone with sessions that say a word, and a copy of it.
fn told() -> (App, SessionKey, PathBuf) {
    let app = App::new();
    let session = app.start().key;
    app.set(session, "site", "Zwetschgen 7");
    app.compass.end(session, "nobody home", &id()).unwrap();
    for number in 0..60 {
        let session = app.start().key;
        app.set(session, "site", &format!("{number} {}", "Mill ".repeat(300)));
        app.compass.end(session, "nobody home", &id()).unwrap();
    }
    let copy = app.folder().join("elsewhere");
    std::fs::create_dir(&copy).unwrap();
    let copy = copy.join("copy.db");
    app.compass.backup(&copy).unwrap();
    (app, session, copy)
}

#[test]
fn what_a_killed_restore_leaves_goes_with_the_next_open_and_delete() {
    let mut left = Vec::new();
    for at in [".before-restore-part", "checked", "kept", "writes", "written"] {
        let (mut app, session) = killed(at);
        app.reopen();
        assert_eq!(app.compass.delete(session).unwrap().erased, Erased::Now);
        left.extend(holds(app.folder(), "Zwetschgen").into_iter().map(|name| format!("{at}: {name}")));
    }
    assert_eq!(left, [""; 0]);
}

#[test]
fn what_a_killed_restore_leaves_goes_with_erase() {
    let mut left = Vec::new();
    for at in [".before-restore-part", "checked", "kept", "writes", "written"] {
        let (app, _) = killed(at);
        Compass::erase(app.path(), None).unwrap();
        left.extend(holds(app.folder(), "Zwetschgen").into_iter().map(|name| format!("{at}: {name}")));
    }
    assert_eq!(left, [""; 0]);
}

#[test]
fn a_backup_is_whole_whatever_lay_beside_its_name() {
    // An earlier copy was opened and its process killed: its log stays. The copy itself is removed, and made again.
    let app = App::new();
    let copy = app.folder().join("copy.db");
    app.completed();
    app.deliver();
    app.compass.backup(&copy).unwrap();
    let mut options = app.options();
    options.path = copy.clone();
    let other = Compass::open(options).unwrap();
    other.start(&Start::new("pump-check", id())).unwrap();
    other.kill();
    assert!(beside(&copy, "-wal").exists());
    std::fs::remove_file(&copy).unwrap();
    for _ in 0..3 {
        app.completed();
    }
    app.deliver();
    app.compass.backup(&copy).unwrap();
    app.compass.close().unwrap();
    let restored = Compass::restore(&copy, &RestoreOptions::new(app.path()));
    assert_eq!(code(restored), "fine");
    let compass = Compass::open(app.options()).unwrap();
    assert_eq!(compass.totals().unwrap().sessions.completed, 4);
    assert_eq!(compass.check().unwrap().faults, [""; 0]);
}

/// A phone with three undelivered messages, and a copy of it that somebody changed.
fn changed_copy(change: impl FnOnce(&rusqlite::Connection)) -> (App, PathBuf, SessionKey) {
    let app = App::new();
    let session = app.completed();
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    let sql = open_sql(&copy);
    change(&sql);
    drop(sql);
    app.compass.close().unwrap();
    (app, copy, session)
}

fn restored(change: impl FnOnce(&rusqlite::Connection)) -> String {
    let (app, copy, session) = changed_copy(change);
    if let Err(error) = Compass::restore(&copy, &RestoreOptions::new(app.path())) {
        return error.code().to_owned();
    }
    let compass = match Compass::open(app.options()) {
        Err(error) => return format!("accepted, then does not open: {error}"),
        Ok(compass) => compass,
    };
    let report = compass.flush(Duration::from_secs(60), &compass_core::CancelToken::new()).unwrap();
    let reasons =
        compass.record(session).map(|record| record.actions.into_iter().map(|action| format!("{:?}", action.reason)).collect::<Vec<_>>());
    format!("accepted, sent {}: {:?}", report.sent, reasons.map_err(|error| error.to_string()))
}

#[test]
fn a_copy_that_cannot_be_opened_is_refused() {
    let changes: [(&str, &str); 3] = [
        ("no meta", "DELETE FROM meta"),
        ("install id no text", "UPDATE meta SET install_id = CAST(x'ff' AS TEXT)"),
        ("meta of another row", "UPDATE meta SET id = 1, revision = 9223372036854775807"),
    ];
    let accepted: Vec<String> = changes
        .into_iter()
        .map(|(what, change)| format!("{what}: {}", restored(|sql| past_every_rule(sql, |sql| sql.execute_batch(change).unwrap()))))
        .filter(|told| told.contains("accepted"))
        .collect();
    assert_eq!(accepted, [""; 0]);
}

#[test]
fn a_copy_that_does_not_hold_the_bytes_is_refused_or_delivers() {
    let changes: [(&str, &str); 3] = [
        ("body", "UPDATE body SET bytes = CAST('{}' AS BLOB)"),
        ("body and values", "UPDATE body SET bytes = CAST('{}' AS BLOB); UPDATE value SET json = replace(json, 'Mill', 'Bill')"),
        ("install id", "UPDATE meta SET install_id = '00000000-0000-7000-8000-000000000000'"),
    ];
    let lost: Vec<String> = changes
        .into_iter()
        .map(|(what, change)| format!("{what}: {}", restored(|sql| past_every_rule(sql, |sql| sql.execute_batch(change).unwrap()))))
        .filter(|told| told.contains("accepted") && !told.contains("sent 3"))
        .collect();
    assert_eq!(lost, [""; 0]);
}

#[test]
fn a_copy_with_a_trigger_of_its_own_loses_no_undelivered_message() {
    let told = restored(|sql| {
        sql.execute_batch(
            "CREATE TRIGGER more AFTER UPDATE ON meta BEGIN
               UPDATE outbox SET state = 'failed', reason = 'abandoned', detail = 'abandoned' WHERE state = 'queued'; END",
        )
        .unwrap();
    });
    assert!(told.contains("sent 3") || !told.contains("accepted"), "{told}");
}

#[test]
fn a_rule_that_is_quoted_away_is_damage() {
    // Names in quotes are compared without them, also where what stands in the quotes is more than a name.
    let app = App::new();
    app.completed();
    app.compass.close().unwrap();
    let sql = open_sql(&app.path());
    sql.execute_batch(
        "DROP TRIGGER outbox_is_frozen;
         CREATE TRIGGER outbox_is_frozen BEFORE UPDATE OF
            \"id,action_id,session_id,revision,delivery_id,endpoint,body_sha256,body_size,workflow_version,session_state,frozen_at\" ON outbox
         BEGIN SELECT RAISE(ABORT, 'an entry is frozen'); END;",
    )
    .unwrap();
    assert_eq!(sql.execute("UPDATE outbox SET endpoint = 'elsewhere'", []).unwrap(), 3, "the rule holds no more");
    drop(sql);
    let opened = Compass::open(app.options());
    let told = opened.map(|compass| compass.check().unwrap().faults);
    assert!(told.is_err(), "{told:?}");
}

#[test]
fn a_damaged_row_keeps_no_copy_from_coming_back() {
    let mut stuck = Vec::new();
    for (what, change) in [
        ("action key", "UPDATE action SET key = CAST(x'ff' || key AS TEXT)"),
        ("session gone", "DELETE FROM session"),
        ("action gone", "DELETE FROM action"),
        ("delivery id", "UPDATE outbox SET delivery_id = CAST(x'ff' || substr(delivery_id, 2) AS TEXT)"),
        ("event time", "UPDATE event SET at = 9223372036854775807"),
        ("meta", "DELETE FROM meta"),
        ("event missing", "UPDATE session SET last_seq = 1"),
    ] {
        let app = App::new();
        let copy = app.folder().join("copy.db");
        app.compass.backup(&copy).unwrap();
        app.completed();
        app.compass.close().unwrap();
        let sql = open_sql(&app.path());
        past_every_rule(&sql, |sql| sql.execute_batch(change).unwrap());
        drop(sql);
        let options = RestoreOptions::new(app.path()).discard_undelivered(discard());
        if let Err(error) = Compass::restore(&copy, &options) {
            stuck.push(format!("{what}: {error:?}"));
        } else {
            let opened = Compass::open(app.options()).map(|compass| compass.check().unwrap().faults);
            if !matches!(&opened, Ok(faults) if faults.is_empty()) {
                stuck.push(format!("{what}: {opened:?}"));
            }
        }
        if let Err(error) = Compass::erase(app.path(), Some(&discard())) {
            stuck.push(format!("{what}: erase {error:?}"));
        }
    }
    assert_eq!(stuck, [""; 0]);
}

#[test]
fn salvage_and_backup_leave_the_database_whatever_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rescued-part");
    let compass = Compass::open(Options::new(&path)).unwrap();
    compass.close().unwrap();
    let salvaged = Compass::salvage(&path, folder.path().join("rescued"));
    assert!(path.exists(), "the database is gone: {salvaged:?}");
}

#[test]
fn restoring_from_what_a_killed_restore_left_keeps_it() {
    let mut gone = Vec::new();
    for suffix in ["-restore-part", "-restoring", ".before-restore"] {
        let app = App::new();
        let from = beside(&app.path(), suffix);
        app.compass.backup(&from).unwrap();
        app.compass.close().unwrap();
        let restored = code(Compass::restore(&from, &RestoreOptions::new(app.path())));
        if !from.exists() || restored != "fine" {
            gone.push(format!("{suffix}: {restored}, exists {}", from.exists()));
        }
    }
    assert_eq!(gone, [""; 0]);
}

// What is deleted -----------------------------------------------------------------------------------------------------------------------

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// Sessions of all sizes that change in any order and are deleted in any order.
#[test]
fn no_word_is_left_whatever_was_written_before() {
    let (mut left, mut deleted) = (Vec::new(), 0);
    for seed in 0..6 {
        let mut dice = Dice(seed);
        let app = App::new();
        let mut open: Vec<(SessionKey, String)> = Vec::new();
        let mut made = 0;
        for step in 0..500 {
            match dice.roll(12) {
                0..=2 => {
                    made += 1;
                    // Unlike any other: in every text of this session.
                    let word = format!("Q{seed}x{made:04}Z");
                    let start = Start { actor: Some(format!("{word} actor")), ..Start::new("pump-check", format!("{word}-{}", id())) };
                    open.push((app.compass.start(&start).unwrap().view.key, word));
                }
                3..=8 if !open.is_empty() => {
                    let (session, word) = &open[dice.roll(open.len())];
                    let long = format!("{word} ").repeat(1 + dice.roll(4) * dice.roll(60));
                    match dice.roll(6) {
                        0 => drop(app.set(*session, "site", &format!("{word} {}", "x".repeat(dice.roll(400))))),
                        1 => drop(app.set(*session, "remark", &long)),
                        2 => drop(app.compass.note(*session, &long, &format!("{word}{}", id())).unwrap()),
                        3 => app.compass.save_draft(*session, "remark", &long).unwrap(),
                        4 => {
                            let filter = SessionFilter { text: Some("mill".into()), ..Default::default() };
                            app.compass.sessions(&filter, None, 10).unwrap();
                        }
                        _ => app.compass.save_draft(*session, "remark", "").unwrap(),
                    }
                }
                9 if !open.is_empty() => {
                    let (session, word) = open[dice.roll(open.len())].clone();
                    if app.view(session).section.key == "yard" && dice.roll(2) == 0 {
                        app.set(session, "site", &word);
                        app.answer(session, ["on", "again"][dice.roll(2)]);
                    }
                }
                10 | 11 if open.len() > 25 => {
                    let (session, word) = open.swap_remove(dice.roll(open.len()));
                    let view = app.view(session);
                    match (view.section.key.as_str(), dice.roll(3)) {
                        ("pump", 0) => {
                            app.answer(session, "fine");
                            app.finish(session);
                            app.deliver();
                            if dice.roll(2) == 0 {
                                let filter = SessionFilter { text: Some("mill".into()), ..Default::default() };
                                app.compass.sessions(&filter, None, 10).unwrap();
                                app.compass.edit(session, None, vec![set("site", text(&format!("{word} edited")))], vec![], &id()).unwrap();
                            }
                        }
                        (_, 1) => drop(app.compass.end(session, &word, &id()).unwrap()),
                        _ => drop(app.compass.discard(session).unwrap()),
                    }
                    assert_eq!(app.compass.delete(session).unwrap().erased, Erased::Now);
                    let mut files = holds(app.folder(), &word);
                    if !files.is_empty() {
                        let copies = tempfile::tempdir().unwrap();
                        app.compass.backup(&copies.path().join("a later backup")).unwrap();
                        files.extend(holds(copies.path(), &word));
                    }
                    deleted += 1;
                    if !files.is_empty() {
                        if let Ok(to) = std::env::var("PROBE_KEEP") {
                            std::fs::copy(app.path(), format!("{to}/left-{seed}-{step}-{word}.db")).unwrap();
                        }
                        left.push(format!("seed {seed} step {step} {word}: {files:?}"));
                    }
                }
                _ => {}
            }
        }
        assert_eq!(app.faults(), [""; 0]);
    }
    assert!(left.is_empty(), "{} of {deleted}: {:#?}", left.len(), &left[..left.len().min(8)]);
}

// The look for damage -------------------------------------------------------------------------------------------------------------------

#[test]
fn a_check_tells_of_a_document_that_this_core_cannot_read() {
    // As a newer core leaves it, whose file this one opens: no field of it is different but the document.
    let app = App::new();
    let before = app.completed();
    app.deliver();
    let document = br#"{"fields":7,"format":1,"key":"pump-check","name":"Pump check","requires":["tomorrow"],"version":1}"#;
    let hash = ring::digest::digest(&ring::digest::SHA256, document);
    let sql = app.sql();
    past_every_rule(&sql, |sql| {
        sql.execute("UPDATE workflow SET hash = ?1, document = ?2", rusqlite::params![hash.as_ref(), &document[..]]).unwrap();
    });
    drop(sql);
    app.compass.close().unwrap();
    let compass = Compass::open(app.options()).unwrap();
    let checked = compass.check();
    assert!(checked.is_ok(), "{checked:?}");
    let _ = before;
}

// Clocks --------------------------------------------------------------------------------------------------------------------------------

#[test]
fn a_clock_that_says_nonsense_locks_no_session() {
    let mut faults = Vec::new();
    for at in [-62_167_219_200_000_i64, -1, 253_402_300_800_000] {
        let mut app = App::new();
        let Some(wall) = Timestamp::from_timestamp_millis(at) else { continue };
        let now = app.now();
        let session = app.at_the_end().key;
        app.clock.set_wall(wall);
        let work = |app: &App| -> Result<(), Error> {
            let fresh = app.compass.start(&Start::new("pump-check", id()))?.view.key;
            app.compass.set_field(fresh, "site", text("Mill Lane"))?;
            app.compass.note(session, "loud", &id())?;
            let visit = app.compass.session(session)?.visit;
            app.compass.complete(session, visit)?;
            app.compass.record(session)?;
            app.compass.record(fresh)?;
            app.compass.flush(Duration::from_secs(60), &compass_core::CancelToken::new())?;
            Ok(())
        };
        if let Err(error) = work(&app) {
            faults.push(format!("{at}: {error:?}"));
        }
        app.clock.set_wall(now);
        app.reopen();
        let after = |app: &App| -> Result<Vec<String>, Error> {
            let all = app.compass.sessions(&SessionFilter::default(), None, 10)?;
            for one in &all.sessions {
                app.compass.session(one.key)?;
                app.compass.record(one.key)?;
            }
            app.compass.sessions(&SessionFilter { text: Some("mill".into()), ..Default::default() }, None, 10)?;
            app.compass.purge(Duration::from_secs(0))?;
            Ok(app.compass.check()?.faults)
        };
        match after(&app) {
            Ok(found) if found.is_empty() => {}
            told => faults.push(format!("{at} after: {told:?}")),
        }
        for request in app.office.requests() {
            let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
            for time in ["started_at", "completed_at"] {
                let said = body[time].as_str().unwrap();
                if said.len() != 24 {
                    faults.push(format!("{at}: {time} {said}"));
                }
            }
        }
    }
    assert_eq!(faults, [""; 0]);
}

// Second round --------------------------------------------------------------------------------------------------------------------------

#[test]
fn one_flipped_bit_in_a_body_of_the_copy_loses_no_message_that_is_sound_here() {
    let app = App::new();
    let session = app.completed();
    app.compass.edit(session, None, vec![set("site", text("Bill Lane"))], vec![], &id()).unwrap();
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    app.compass.close().unwrap();
    // As bad flash does it: no rule of the schema sees it, and no structure of the file is hurt.
    let mut bytes = std::fs::read(&copy).unwrap();
    let body = format!("{{\"key\":\"{session}\"");
    let body = body.as_bytes();
    let at = bytes.windows(body.len()).position(|window| window == body).unwrap();
    bytes[at + 2] ^= 1;
    std::fs::write(&copy, bytes).unwrap();
    let told = code(Compass::restore(&copy, &RestoreOptions::new(app.path())));
    if told == "fine" {
        let compass = Compass::open(app.options()).unwrap();
        let sent = compass.flush(Duration::from_secs(60), &compass_core::CancelToken::new()).unwrap().sent;
        assert_eq!(sent, 3, "{:?}", compass.record(session).unwrap().actions.iter().map(|one| one.reason.clone()).collect::<Vec<_>>());
    }
    assert!(told == "fine" || told == "undelivered" || told == "corrupt", "{told}");
}

#[test]
fn a_log_beside_a_copy_changes_nothing_of_what_comes_back() {
    let app = App::new();
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    let mut options = app.options();
    options.path = copy.clone();
    let other = Compass::open(options).unwrap();
    other.start(&Start::new("pump-check", id())).unwrap();
    other.kill();
    std::fs::remove_file(&copy).unwrap();
    app.compass.backup(&copy).unwrap();
    app.compass.close().unwrap();
    Compass::restore(&copy, &RestoreOptions::new(app.path())).unwrap();
    let compass = Compass::open(app.options()).unwrap();
    assert_eq!(compass.totals().unwrap().sessions.in_progress, 0, "what was copied had no session");
}

#[test]
fn what_was_owed_goes_at_close_also_after_quiescing() {
    let app = App::new();
    let session = app.start().key;
    app.set(session, "site", "Zwetschgen 7");
    app.compass.end(session, "nobody home", &id()).unwrap();
    let reader = app.sql();
    reader.execute_batch("BEGIN").unwrap();
    let _: i64 = reader.query_row("SELECT count(*) FROM session", [], |row| row.get(0)).unwrap();
    assert_eq!(app.compass.delete(session).unwrap().erased, Erased::AtNextClose);
    drop(reader);
    app.compass.quiesce().unwrap();
    app.compass.close().unwrap();
    assert_eq!(holds(app.folder(), "Zwetschgen"), [""; 0]);
}

/// Changes one row from outside and looks.
fn unseen(change: &str) -> bool {
    let app = App::new();
    let session = app.at_the_end().key;
    app.compass.note(session, "loud", &id()).unwrap();
    app.finish(session);
    app.deliver();
    app.completed();
    past_every_rule(&app.sql(), |sql| assert!(sql.execute(change, []).unwrap() > 0, "{change}"));
    app.faults().is_empty()
}

#[test]
fn a_check_sees_what_breaks_a_promise_at_rest() {
    let changes = [
        // Sent is proof.
        "DELETE FROM attempt",
        "UPDATE attempt SET status = 500, outcome = 'http_500'",
        "UPDATE outbox SET attempts = 0, unknown_outcomes = 0 WHERE state = 'sent'",
        // Frozen.
        "UPDATE outbox SET endpoint = 'elsewhere'",
        "UPDATE outbox SET body_size = 1",
        "UPDATE outbox SET workflow_version = '9'",
        "UPDATE outbox SET session_state = 'ended'",
        // What cannot be read is told.
        "UPDATE endpoint SET definition = '7'",
        "UPDATE workflow SET findings = '7'",
        "UPDATE attempt SET outcome = CAST(x'ff' AS TEXT)",
        // Counters.
        "UPDATE action SET failed_sends = 9",
        // The log.
        "UPDATE event SET type = 'noted'",
        "UPDATE session SET finished_age = 9223372036854775807",
        "UPDATE meta SET age = -1",
        "INSERT INTO tombstone (key, workflow_key, state, finished_at, deleted_at, cause) SELECT key, 'pump-check', state, 1, 1, 'deleted' FROM session",
    ];
    let unseen: Vec<&str> = changes.into_iter().filter(|change| unseen(change)).collect();
    assert_eq!(unseen, [""; 0]);
}

#[test]
fn search_finds_what_sessions_say_and_nothing_else() {
    use std::collections::BTreeSet;
    const VOCABULARY: [&str; 14] = [
        "kessel",
        "pumpe",
        "ventil",
        "rohr",
        "dichtung",
        "brenner",
        "w\u{e4}rme",
        "\u{6c34}\u{6cf5}",
        "abgas",
        "zulauf",
        "filter",
        "sieb",
        "motor",
        "welle",
    ];
    for seed in 0..6 {
        let mut dice = Dice(seed + 100);
        let mut app = App::new();
        let mut there: Vec<(SessionKey, BTreeSet<&str>, BTreeSet<&str>, bool)> = Vec::new();
        let other = Compass::open(app.options().as_other_process()).unwrap();
        for step in 0..260 {
            let word = VOCABULARY[dice.roll(VOCABULARY.len())];
            match dice.roll(10) {
                0 | 1 => there.push((app.start().key, BTreeSet::new(), BTreeSet::new(), false)),
                2 | 3 if !there.is_empty() => {
                    let at = dice.roll(there.len());
                    let (session, notes, _, _) = &mut there[at];
                    app.compass.note(*session, word, &id()).unwrap();
                    notes.insert(word);
                }
                4 | 5 if !there.is_empty() => {
                    let at = dice.roll(there.len());
                    let (session, _, site, finished) = &mut there[at];
                    if *finished {
                        app.compass.edit(*session, None, vec![set("site", text(word))], vec![], &id()).unwrap();
                    } else {
                        app.set(*session, "site", word);
                    }
                    *site = BTreeSet::from([word]);
                }
                6 if !there.is_empty() => {
                    let at = dice.roll(there.len());
                    if !there[at].3 {
                        app.compass.end(there[at].0, "over", &id()).unwrap();
                        there[at].3 = true;
                    } else if dice.roll(2) == 0 {
                        let (session, ..) = there.swap_remove(at);
                        app.compass.delete(session).unwrap();
                    }
                }
                7 if dice.roll(6) == 0 => app.reopen(),
                _ => {
                    let filter = SessionFilter { text: Some(word.into()), ..Default::default() };
                    let compass = if dice.roll(2) == 0 { &other } else { &app.compass };
                    let page = compass.sessions(&filter, None, 500).unwrap();
                    assert_eq!(page.not_indexed, 0);
                    let found: BTreeSet<_> = page.sessions.iter().map(|one| one.key).collect();
                    let expected: BTreeSet<_> =
                        there.iter().filter(|one| one.1.contains(word) || one.2.contains(word)).map(|one| one.0).collect();
                    assert_eq!(found, expected, "seed {seed} step {step} {word}");
                }
            }
        }
        assert_eq!(app.faults(), [""; 0]);
    }
}

#[test]
fn a_file_that_is_damaged_anywhere_brings_nothing_down() {
    let app = App::new();
    for _ in 0..12 {
        app.completed();
        app.ended();
    }
    let filter = SessionFilter { text: Some("mill".into()), ..Default::default() };
    app.compass.sessions(&filter, None, 10).unwrap();
    let good = app.folder().join("good.db");
    app.compass.backup(&good).unwrap();
    app.compass.close().unwrap();
    let bytes = std::fs::read(app.path()).unwrap();
    let mut told = Vec::new();
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("damaged.db");
        let mut damaged = bytes.clone();
        match seed % 3 {
            0 => {
                for _ in 0..1 + dice.roll(40) {
                    let at = 4096 + dice.roll(damaged.len() - 4096);
                    damaged[at] ^= 1 << dice.roll(8);
                }
            }
            1 => {
                let page = 1 + dice.roll(damaged.len() / 4096 - 1);
                damaged[page * 4096..(page + 1) * 4096].fill(0);
            }
            _ => damaged.truncate(4096 * (1 + dice.roll(damaged.len() / 4096 - 1))),
        }
        std::fs::write(&path, &damaged).unwrap();
        let began = std::time::Instant::now();
        let at = |what: &str, error: Error| {
            (!matches!(error.code(), "corrupt" | "not_a_database" | "undelivered")).then(|| format!("{seed} {what}: {error:?}"))
        };
        let salvaged = Compass::salvage(&path, folder.path().join("lines"));
        told.extend(salvaged.err().and_then(|error| at("salvage", error)));
        assert_eq!(std::fs::read(&path).unwrap(), damaged, "{seed}: salvage leaves the file as it is");
        let mut options = app.options();
        options.path = path.clone();
        match Compass::open(options) {
            Err(error) => told.extend(at("open", error)),
            Ok(compass) => {
                told.extend(compass.check().err().map(|error| format!("{seed} check: {error:?}")));
                told.extend(compass.sessions(&filter, None, 10).err().and_then(|error| at("search", error)));
                told.extend(
                    compass.flush(Duration::from_secs(5), &compass_core::CancelToken::new()).err().and_then(|error| at("flush", error)),
                );
                told.extend(compass.purge(Duration::ZERO).err().and_then(|error| at("purge", error)));
                compass.close().unwrap();
            }
        }
        let back = Compass::restore(&good, &RestoreOptions::new(&path).discard_undelivered(discard()));
        told.extend(back.err().map(|error| format!("{seed} restore: {error:?}")));
        let mut options = app.options();
        options.path = path.clone();
        match Compass::open(options) {
            Ok(compass) => assert_eq!(compass.check().unwrap().faults, [""; 0]),
            Err(error) => told.push(format!("{seed} opening after restore: {error:?}")),
        }
        if began.elapsed() > Duration::from_secs(10) {
            told.push(format!("{seed} took {:?}", began.elapsed()));
        }
    }
    assert_eq!(told, [""; 0]);
}

// Third round ---------------------------------------------------------------------------------------------------------------------------

#[test]
fn hostile_documents_cost_little() {
    let fill = |head: &str, one: &dyn Fn(usize) -> String, tail: &str| {
        let mut document = head.to_owned();
        let mut number = 0;
        while document.len() + 200 < 1_048_576 - tail.len() {
            if number > 0 {
                document.push(',');
            }
            document.push_str(&one(number));
            number += 1;
        }
        document + tail
    };
    let base = r#""format":1,"key":"k","version":1,"name":"N","start":"a","sections":[{"key":"a","name":"A"}]"#;
    let documents = [
        ("zeros", fill(&format!("{{{base},\"x\":["), &|_| "0".into(), "]}")),
        ("objects", fill(&format!("{{{base},\"x\":["), &|_| "{}".into(), "]}")),
        ("members", fill(&format!("{{{base},"), &|number| format!("\"m{number}\":0"), "}")),
        ("same members", fill(&format!("{{{base},"), &|_| "\"m\":0".into(), "}")),
        ("utf-16 order", fill(&format!("{{{base},"), &|number| format!("\"\\ud83d\\ude00{number}\":0"), "}")),
        (
            "fields",
            fill(
                r#"{"format":1,"key":"k","version":1,"name":"N","start":"a","sections":[{"key":"a","name":"A"}],"fields":["#,
                &|number| {
                    format!(
                        "{{\"key\":\"f{number}\",\"name\":\"F\",\"type\":\"text\",\"pattern\":\"([a-z]{{1,50}}[0-9]{{1,20}}){{1,3}}\"}}"
                    )
                },
                "]}",
            ),
        ),
        (
            "answers",
            fill(
                r#"{"format":1,"key":"k","version":1,"name":"N","start":"a","sections":["#,
                &|number| {
                    format!(
                        "{{\"key\":\"s{number}\",\"name\":\"S\",\"answers\":[{{\"key\":\"x\",\"name\":\"X\",\"next\":\"s{}\"}}]}}",
                        number + 1
                    )
                },
                "]}",
            ),
        ),
        ("deep", format!("{{{base},\"x\":{}{}}}", "[".repeat(520_000), "]".repeat(520_000))),
        ("long name", format!("{{{base},\"{}\":0}}", "n".repeat(1_000_000))),
        ("long number", format!("{{{base},\"x\":{}}}", "9".repeat(1_000_000))),
        ("exponent", format!("{{{base},\"x\":1e{}}}", "9".repeat(1_000_000))),
        ("requires", fill("{\"requires\":[", &|number| format!("\"r{number}\""), &format!("],{base}}}"))),
        ("escapes", format!("{{{base},\"x\":\"{}\"}}", "\\u0000".repeat(170_000))),
        (
            "nul in a name",
            r#"{"format":1,"key":"k","version":1,"name":"N\u0000x","start":"a","sections":[{"key":"a","name":"A"}]}"#.to_owned(),
        ),
        (
            "override in a name",
            r#"{"format":1,"key":"k","version":1,"name":"N\u202ex","start":"a","sections":[{"key":"a","name":"A"}]}"#.to_owned(),
        ),
        (
            "lone surrogate",
            r#"{"format":1,"key":"k","version":1,"name":"N\ud800x","start":"a","sections":[{"key":"a","name":"A"}]}"#.to_owned(),
        ),
    ];
    let app = App::bare();
    let mut slow = Vec::new();
    for (what, document) in documents {
        let began = std::time::Instant::now();
        let told = code(app.compass.import_workflow(document.as_bytes()));
        println!("{what}: {told} {:?}", began.elapsed());
        if began.elapsed() > Duration::from_secs(5) {
            slow.push(format!("{what}: {:?}", began.elapsed()));
        }
    }
    assert_eq!(slow, [""; 0]);
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn what_is_given_at_a_start_is_bounded_and_clean() {
    let app = App::new();
    let prefill = |field: &str, value: FieldValue, source: String| {
        let mut start = Start::new("pump-check", id());
        start.prefill = vec![Prefill { field: field.to_owned(), value, source }];
        code(app.compass.start(&start))
    };
    let mut taken = Vec::new();
    for (what, source) in [
        ("huge", "s".repeat(1_000_000)),
        ("control", "work\u{7}order".to_owned()),
        ("override", "work\u{202e}order".to_owned()),
        ("nul", "work\0order".to_owned()),
        ("empty", String::new()),
    ] {
        let told = prefill("site", text("Mill Lane"), source);
        if told == "fine" {
            taken.push(format!("source {what}"));
        }
    }
    for (what, value) in [
        ("two lines", "Mill\nLane"),
        ("carriage return", "Mill\rLane"),
        ("nul", "Mill\0"),
        ("override", "a\u{202e}b"),
        ("line separator", "a\u{2028}b"),
    ] {
        if prefill("site", text(value), "order".to_owned()) == "fine" {
            taken.push(format!("value {what}"));
        }
        let session = app.start().key;
        if code(app.compass.set_field(session, "site", text(value))) == "fine" {
            taken.push(format!("set {what}"));
        }
        let mut start = Start::new("pump-check", id());
        start.actor = Some(value.to_owned());
        if code(app.compass.start(&start)) == "fine" {
            taken.push(format!("actor {what}"));
        }
        if code(app.compass.end(session, value, &id())) == "fine" && !matches!(what, "two lines" | "carriage return") {
            taken.push(format!("reason {what}"));
        }
        let session = app.start().key;
        if code(app.compass.note(session, value, &id())) == "fine" && !matches!(what, "two lines" | "carriage return") {
            taken.push(format!("note {what}"));
        }
        if code(app.compass.note(session, "loud", value)) == "fine" {
            taken.push(format!("command id {what}"));
        }
    }
    assert_eq!(taken, [""; 0]);
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn a_command_id_stands_for_one_command_for_ever() {
    let mut app = App::new();
    let first = Start::new("pump-check", "s1");
    let session = app.compass.start(&first).unwrap().view.key;
    let other = app.start().key;
    app.compass.note(session, "loud", "n1").unwrap();
    assert_eq!(code(app.compass.note(other, "loud", "n1")), "command_id_reused");
    assert_eq!(code(app.compass.note(session, "louder", "n1")), "command_id_reused");
    assert_eq!(code(app.compass.note(session, "loud", "s1")), "command_id_reused");
    assert_eq!(code(app.compass.start(&Start::new("pump-check", "n1"))), "command_id_reused");
    let values = |word: &str| vec![Command::SetFields { changes: vec![set("site", text(word))] }];
    assert_eq!(app.compass.run(session, None, &values("A"), Some("b1")).unwrap().applied, Applied::Yes);
    assert_eq!(app.compass.run(session, None, &values("B"), Some("b2")).unwrap().applied, Applied::Yes);
    assert_eq!(app.compass.run(session, None, &values("A"), Some("b1")).unwrap().applied, Applied::Repeated);
    assert_eq!(code(app.compass.run(session, None, &values("C"), Some("b1"))), "command_id_reused");
    assert_eq!(code(app.compass.run(other, None, &values("A"), Some("b1"))), "command_id_reused");
    assert_eq!(app.compass.run(session, None, &values("B"), Some("b3")).unwrap().applied, Applied::Yes);
    assert_eq!(app.compass.run(session, None, &values("A"), None).unwrap().applied, Applied::Yes);
    assert_eq!(app.compass.run(session, None, &values("B"), Some("b3")).unwrap().applied, Applied::Repeated);
    app.answer(session, "again");
    let stale = vec![Command::Answer { visit: 1, answer: "on".into() }, Command::Note { command_id: "n2".into(), text: "wet".into() }];
    assert_eq!(app.compass.run(session, None, &stale, Some("b4")).unwrap().applied, Applied::Stale);
    assert_eq!(app.compass.run(session, None, &stale, Some("b4")).unwrap().applied, Applied::Repeated);
    assert_eq!(app.compass.note(session, "wet", "n2").unwrap().applied, Applied::Repeated);
    app.compass.end(session, "over", "e1").unwrap();
    app.compass.edit(session, None, vec![set("site", text("Z"))], vec![], "x1").unwrap();
    assert_eq!(app.compass.edit(session, None, vec![set("site", text("Z"))], vec![], "x1").unwrap().applied, Applied::Repeated);
    app.compass.delete(session).unwrap();
    app.reopen();
    assert_eq!(code(app.compass.start(&first)), "deleted_session");
    for id in ["n1", "b1", "n2", "e1", "x1", "b4", "s1"] {
        assert_eq!(code(app.compass.note(other, "wet", id)), "command_id_reused", "{id}");
        assert_eq!(code(app.compass.note(session, "wet", id)), "deleted_session", "{id}");
    }
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn a_clock_that_is_wrong_in_the_middle_of_everything_takes_nothing_early() {
    let app = App::new();
    let years = |count: i64| chrono::TimeDelta::days(365 * count);
    let session = app.completed();
    app.deliver();
    let kept = || app.compass.session(session).is_ok();
    for _ in 0..3 {
        app.clock.jump_wall(years(40));
        app.compass.purge(Duration::from_secs(30 * 86_400)).unwrap();
        app.clock.jump_wall(years(-80));
        app.compass.purge(Duration::from_secs(30 * 86_400)).unwrap();
        app.clock.jump_wall(years(40));
    }
    assert!(kept(), "three errors of the clock make three weeks at most");
    // A session from the future and its messages do not wait for it.
    app.clock.jump_wall(years(40));
    let ahead = app.completed();
    app.clock.jump_wall(years(-40));
    assert_eq!(app.deliver().sent, 3);
    app.compass.edit(ahead, None, vec![set("site", text("Z"))], vec![], &id()).unwrap();
    assert_eq!(app.compass.record(ahead).unwrap().actions.len(), 3);
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn going_back_to_the_file_before_loses_it_at_no_moment() {
    // A copy was put back, it was the wrong one, and the person takes the file before again.
    for _ in 0..30 {
        let (app, session, _) = told();
        let wrong = app.folder().join("wrong.db");
        let other = App::new();
        for number in 0..60 {
            let session = other.start().key;
            other.set(session, "site", &format!("{number} {}", "Hill ".repeat(300)));
        }
        other.compass.backup(&wrong).unwrap();
        app.compass.close().unwrap();
        Compass::restore(&wrong, &RestoreOptions::new(app.path())).unwrap();
        let before = beside(&app.path(), ".before-restore");
        assert!(before.exists());
        if !restore_killed(&app.path(), &before, ".before-restore-part") {
            continue;
        }
        let back = code(Compass::restore(&before, &RestoreOptions::new(app.path())));
        assert_eq!(back, "fine", "what was there before: {:?}", holds(app.folder(), "Zwetschgen"));
        assert!(Compass::open(app.options()).unwrap().session(session).is_ok());
        return;
    }
}

#[test]
fn another_process_reads_at_every_step_and_nothing_old_is_left_after_it() {
    let app = App::new();
    let copy = app.folder().join("copy.db");
    for _ in 0..20 {
        app.completed();
    }
    app.deliver();
    app.compass.backup(&copy).unwrap();
    let session = app.start().key;
    app.set(session, "site", &"Zwetschgen ".repeat(500));
    app.compass.close().unwrap();
    let other = Compass::open(app.options().as_other_process()).unwrap();
    let reader = app.sql();
    reader.execute_batch("BEGIN").unwrap();
    let _: i64 = reader.query_row("SELECT count(*) FROM session", [], |row| row.get(0)).unwrap();
    let mut options = RestoreOptions::new(app.path());
    let looks = other.clone();
    options.on_step = Some(std::sync::Arc::new(move |step| {
        let counts = looks.totals().unwrap().sessions;
        let is_new = matches!((counts.completed, counts.in_progress), (20, 0));
        assert!(is_new || (counts.completed, counts.in_progress) == (20, 1), "{step}");
        assert_eq!(is_new, step == "written", "{step}");
        assert_eq!(looks.check().unwrap().faults, [""; 0], "{step}");
    }));
    Compass::restore(&copy, &options).unwrap();
    let compass = Compass::open(app.options()).unwrap();
    drop(reader);
    compass.start(&Start::new("pump-check", id())).unwrap();
    other.start(&Start::new("pump-check", id())).unwrap();
    assert_eq!(other.check().unwrap().faults, [""; 0]);
    assert_eq!(holds(app.folder(), "Zwetschgen"), [""; 0]);
}
