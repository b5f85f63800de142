//! Probes: ways to lose or to leak that may be open.

use std::io::{BufRead, Read, Write};
use std::time::{Duration, Instant};

use compass_core::model::*;
use compass_core::{CancelToken, RestoreOptions};

use super::*;
use crate::support::app::{App, code, id, open_sql, pump_check, pump_check_with, set, text};
use crate::support::field::{Process, say, setting};
use crate::support::past_every_rule;

fn restore(from: &Path, to: &Path) -> Result<(), Error> {
    Compass::restore(from, &RestoreOptions::new(to))
}

// Salvage ------------------------------------------------------------------------------------------------------------------------------

#[test]
fn salvage_saves_the_notes_behind_a_damaged_page() {
    let app = App::new();
    let session = app.at_the_end().key;
    for number in 0..200 {
        app.compass.note(session, &format!("note-{number:03} {}", "x".repeat(300)), &id()).unwrap();
    }
    app.finish(session);
    app.compass.close().unwrap();
    let mut bytes = std::fs::read(app.path()).unwrap();
    for number in [50] {
        // A leaf of the notes: of an index-organised table.
        let says = |page: &[u8], word: &str| page.windows(word.len()).any(|at| at == word.as_bytes());
        let is_leaf =
            |page: &[u8]| page[0] == 0x0a && (number..number + 4).filter(|number| says(page, &format!("note-{number:03}"))).count() > 1;
        let leaf = bytes.chunks(4096).position(is_leaf).unwrap();
        bytes[leaf * 4096..(leaf + 1) * 4096].fill(0xa5);
    }
    std::fs::write(app.path(), bytes).unwrap();
    let sql = open_sql(&app.path());
    let readable: Vec<i64> = (1..=204)
        .filter(|seq| {
            sql.query_row("SELECT text FROM note WHERE session_id = 1 AND seq = ?1", [seq], |row| row.get::<_, String>(0)).is_ok()
        })
        .collect();
    assert!(readable.len() > 150 && readable.len() < 200, "{readable:?}");
    let to = app.folder().join("saved.jsonl");
    let report = Compass::salvage(app.path(), &to).unwrap();
    let lines = std::fs::read_to_string(&to).unwrap();
    let saved: Vec<i64> =
        lines.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["note"]["seq"].as_i64()).collect();
    let lost: Vec<_> = readable.iter().filter(|seq| !saved.contains(seq)).collect();
    assert!(lost.is_empty(), "of {} notes that can be read {} are not saved: {lost:?}; {report:?}", readable.len(), lost.len());
}

// Backup -------------------------------------------------------------------------------------------------------------------------------

#[test]
fn two_backups_at_once_to_one_name_are_whole_when_they_say_so() {
    let app = App::new();
    let sql = app.sql();
    sql.execute_batch("CREATE TABLE ballast (bytes BLOB)").unwrap();
    for _ in 0..48 {
        sql.execute("INSERT INTO ballast VALUES (randomblob(1000000))", []).unwrap();
    }
    drop(sql);
    let mut told = Vec::new();
    for round in 0..12 {
        let to = app.folder().join(format!("copy-{round}"));
        let run = |wait: u64| {
            let (compass, to) = (app.compass.clone(), to.clone());
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(wait));
                let made = code(compass.backup(&to));
                // At once, before the other one goes on.
                let sound = made != "fine" || {
                    let bytes = std::fs::copy(&to, to.with_extension(format!("seen-{wait}"))).unwrap();
                    let seen = to.with_extension(format!("seen-{wait}"));
                    let ok = rusqlite::Connection::open(&seen)
                        .and_then(|sql| sql.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)))
                        .is_ok_and(|said| said == "ok");
                    let count = open_sql(&seen).query_row("SELECT count(*) FROM ballast", [], |row| row.get::<_, i64>(0)).unwrap_or(-1);
                    let _ = std::fs::remove_file(&seen);
                    let _ = bytes;
                    ok && count == 48
                };
                (made, sound)
            })
        };
        let threads = [run(0), run(5 + 4 * round)];
        let results: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        told.push(format!("{results:?} left: {}", to.exists()));
        assert!(results.iter().all(|(_, sound)| *sound), "{told:#?}");
        println!("{}", told.last().unwrap());
        let any = results.iter().any(|(made, _)| *made == "fine");
        assert_eq!(any, to.exists(), "{told:#?}");
        let _ = std::fs::remove_file(&to);
    }
}

// Restore ------------------------------------------------------------------------------------------------------------------------------

/// Three sessions in the copy, five in the database, all delivered.
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

/// What is done to a copy, and whether it is refused or works.
fn of_a_copy(change: &str) -> String {
    let (app, copy) = copied();
    past_every_rule(&open_sql(&copy), |sql| sql.execute_batch(change).unwrap());
    app.compass.close().unwrap();
    let restored = code(restore(&copy, &app.path()));
    if restored != "fine" {
        return format!("refused: {restored}");
    }
    let compass = match Compass::open(app.options()) {
        Ok(compass) => compass,
        Err(error) => return format!("restored, does not open: {error}"),
    };
    let faults = compass.check().unwrap().faults;
    let started = compass.start(&Start::new("pump-check", id())).map(|outcome| outcome.view.key);
    let noted = started.as_ref().ok().map(|key| code(compass.note(*key, "loud", &id())));
    let kept = beside(&app.path(), ".before-restore").exists();
    format!("restored, check: {faults:?}, start: {}, note: {noted:?}, before kept: {kept}", code(started))
}

fn is_refused_or_works(change: &str) {
    let what = of_a_copy(change);
    assert!(what.starts_with("refused") || what.contains("start: fine, note: Some(\"fine\")"), "{change}: {what}");
}

#[test]
fn a_copy_with_an_index_of_its_own_takes_no_notes_away() {
    is_refused_or_works("CREATE UNIQUE INDEX one_note ON note (length(text) - length(text))");
    is_refused_or_works("CREATE UNIQUE INDEX one_open ON session (state) WHERE state = 'in_progress' OR state = 'x'");
    is_refused_or_works("CREATE INDEX evil ON note (abs(-9223372036854775807 - (text <> '')))");
}

#[test]
#[ignore = "runs in a process of its own, for the tests below"]
fn a_process_that_is_a_source() {
    let path = PathBuf::from(setting("DATABASE"));
    let compass = open(&path).unwrap();
    compass.import_workflow(&pump_check(1)).unwrap();
    compass.start(&Start::new("pump-check", id())).unwrap();
    if setting("RESTORES") == "1" {
        let made = code(Compass::restore(&path, &RestoreOptions::new(setting("TO"))));
        assert!(["fine", "already_open", "invalid_argument", "locked"].contains(&made), "{made}");
    }
    say("ready");
    std::io::stdin().lock().read_line(&mut String::new()).unwrap();
    // The other process has come and gone.
    for _ in 0..5 {
        compass.start(&Start::new("pump-check", id())).unwrap();
    }
    say("acknowledged");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// What erasing says while another process has the file open, the locks of that process, and how much is left of what it acknowledged.
fn after_a_source(restores: &str) -> (&'static str, Vec<String>, u64) {
    let folder = tempfile::tempdir().unwrap();
    let (path, to) = (folder.path().join("compass.db"), folder.path().join("other.db"));
    let database = ("DATABASE", path.to_str().unwrap());
    let mut source = Process::run("probes::a_process_that_is_a_source", &[database, ("TO", to.to_str().unwrap()), ("RESTORES", restores)]);
    assert_eq!(source.line().as_deref(), Some("ready"));
    let locks = crate::support::field::locks(source.child.id(), &path);
    let erased = code(Compass::erase(&path, None));
    source.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    assert_eq!(source.line().as_deref(), Some("acknowledged"));
    source.kill();
    (erased, locks, open(&path).unwrap().totals().unwrap().sessions.in_progress)
}

#[test]
fn a_database_that_was_the_source_of_a_restore_is_still_open_for_other_processes() {
    let (without, locks, left) = after_a_source("0");
    assert_eq!((without, left), ("locked", 6), "{locks:?}");
    let (with, locks_after, left) = after_a_source("1");
    assert_eq!((with, left), ("locked", 6), "locks {locks:?}, after {locks_after:?}");
}

// Deleted ------------------------------------------------------------------------------------------------------------------------------

// Check --------------------------------------------------------------------------------------------------------------------------------

/// Whether the look tells of this change.
fn is_told(change: &str) -> bool {
    let app = App::new();
    let session = app.at_the_end().key;
    app.compass.note(session, "it was loud", &id()).unwrap();
    app.finish(session);
    app.deliver();
    app.completed();
    app.ended();
    app.compass.sessions(&SessionFilter { text: Some("pump".into()), ..Default::default() }, None, 9).unwrap();
    assert_eq!(app.faults(), [""; 0]);
    past_every_rule(&app.sql(), |sql| {
        sql.execute_batch(change).unwrap();
        assert!(sql.changes() > 0, "{change}");
    });
    !app.faults().is_empty()
}

#[test]
fn check_tells_of_what_was_tampered_with() {
    let changes = [
        "UPDATE outbox SET endpoint = 'depot'",
        "UPDATE action SET endpoint = 'depot'",
        "UPDATE action SET name = 'Else'",
        "UPDATE action SET section = 'gate'",
        "UPDATE action SET failed_sends = 9",
        "UPDATE action SET reason = 'integration_off' WHERE revision = 0",
        "UPDATE outbox SET workflow_version = '9'",
        "UPDATE outbox SET session_state = 'ended'",
        "UPDATE outbox SET body_size = 1",
        "UPDATE outbox SET state = 'superseded', reason = NULL WHERE state = 'queued'; UPDATE action SET status = 'failed', reason = NULL WHERE status = 'pending'",
        "UPDATE session SET actor = 'nobody'",
        "UPDATE session SET started_at = 5",
        "UPDATE session SET finished_at = 5 WHERE finished_at IS NOT NULL",
        "UPDATE session SET won = 0 WHERE won = 1",
        "UPDATE session SET end_reason = 'else' WHERE end_reason IS NOT NULL",
        "UPDATE session SET last_visit = 1",
        "UPDATE event SET actor = 'nobody'",
        "UPDATE event SET at = 5",
        "UPDATE event SET session_id = 2, seq = seq + 100 WHERE session_id = 1",
        "UPDATE note SET text = 'else'",
        "UPDATE note SET actor = 'else'",
        "UPDATE visit SET at = 5",
        "UPDATE value SET json = replace(json, 'Mill', 'Bill')",
        "DELETE FROM value WHERE field = 'site'",
        "UPDATE workflow SET name = 'Else'",
        "UPDATE workflow SET description = 'Else'",
        "UPDATE workflow SET startable = 0",
        "UPDATE workflow SET findings = 'no JSON'",
        "INSERT INTO search (rowid, text) VALUES (999, 'zwetschgen')",
        "UPDATE sqlite_sequence SET seq = 9223372036854775807",
        "UPDATE sqlite_sequence SET seq = 0",
        "UPDATE meta SET integration_was_enabled = 0",
        "UPDATE search_config SET v = 0 WHERE k = 'secure-delete'",
        "UPDATE meta SET revision = 9223372036854775807",
        "UPDATE meta SET install_id = 'else'",
        "INSERT INTO draft VALUES (1, 'no field', 'words')",
        "DELETE FROM outbox WHERE action_id = 1",
        "DELETE FROM outbox; UPDATE action SET status = 'not_fired', reason = 'condition', revision = 0; DELETE FROM body; UPDATE session SET actions_not_fired = actions_not_fired + actions_pending + actions_sent, actions_pending = 0, actions_sent = 0; UPDATE session_totals SET actions_not_fired = actions_not_fired + actions_pending + actions_sent, actions_pending = 0, actions_sent = 0",
    ];
    let silent: Vec<_> = changes.into_iter().filter(|change| !is_told(change)).collect();
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn check_gives_its_findings_also_where_a_document_needs_a_newer_release() {
    let mut app = App::new();
    app.completed();
    let mut document: serde_json::Value = serde_json::from_slice(&pump_check(1)).unwrap();
    document["requires"] = serde_json::json!(["logic"]);
    document["sections"] = "elsewhere".into();
    let bytes = document.to_string().into_bytes();
    let hash = compass_core::Sha256::of(compass_core::engine::document::canonical(&bytes).unwrap().as_bytes());
    app.compass.close().unwrap();
    past_every_rule(&app.sql(), |sql| {
        sql.execute("UPDATE workflow SET document = ?1, hash = ?2", rusqlite::params![bytes, hash.0]).unwrap();
        sql.execute("UPDATE session_totals SET won = 77", []).unwrap();
    });
    app.reopen();
    let report = app.compass.check();
    println!("{report:?}");
    assert!(report.is_ok_and(|report| report.faults.iter().any(|fault| fault.contains("totals"))));
}

#[test]
fn check_finds_nothing_in_sound_files() {
    let mut app = App::new();
    app.too_large();
    app.completed();
    app.ended();
    let open = app.start().key;
    app.compass.save_draft(open, "site", "half").unwrap();
    app.compass.sessions(&SessionFilter { text: Some("pump".into()), ..Default::default() }, None, 9).unwrap();
    app.compass.import_workflow(&pump_check_with(2, |document| document["name"] = "Other".into())).unwrap();
    app.start();
    app.deliver();
    app.days(100);
    app.compass.purge(Duration::from_secs(3650 * 86_400)).unwrap();
    assert_eq!(app.faults(), [""; 0]);
    app.reopen();
    assert_eq!(app.faults(), [""; 0]);
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    app.compass.close().unwrap();
    restore(&copy, &app.path()).unwrap();
    app.reopen();
    assert_eq!(app.faults(), [""; 0]);
}

// Clocks -------------------------------------------------------------------------------------------------------------------------------

#[test]
fn a_clock_at_either_end_of_time_loses_nothing() {
    for at in ["1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "+200000-01-01T00:00:00Z"] {
        let mut app = App::new();
        app.completed();
        let at: Timestamp = at.parse().unwrap();
        app.clock.set_wall(at);
        let session = app.completed();
        let ended = app.ended();
        let sent = app.deliver().sent;
        assert_eq!(app.faults(), [""; 0], "{at}");
        app.reopen();
        assert_eq!(app.view(session).state, SessionState::Completed, "{at}");
        app.record(ended);
        let keys = [session, ended];
        assert!(keys.iter().all(|key| app.compass.session(*key).is_ok()));
        app.clock.set_wall("2026-01-01T00:00:00Z".parse().unwrap());
        let later = app.completed();
        let sent = sent + app.deliver().sent;
        assert_eq!(sent, 9, "{at}");
        app.view(later);
        assert_eq!(app.faults(), [""; 0], "{at}");
    }
}

// Documents ----------------------------------------------------------------------------------------------------------------------------

#[test]
fn hostile_documents_are_judged_in_time() {
    use serde_json::json;
    let field = |number: usize, pattern: &str| json!({ "key": format!("f{number}"), "name": "F", "type": "text", "pattern": pattern });
    let of = |fields: Vec<serde_json::Value>| {
        json!({ "format": 1, "key": "hostile", "version": 1, "name": "H", "start": "s", "fields": fields,
                "sections": [{ "key": "s", "name": "S", "fields": ["f0"], "win": true }] })
        .to_string()
        .into_bytes()
    };
    let patterns = [
        "a{900}".to_owned(),
        "((a{30}){10}|b?){9}c*".to_owned(),
        "(a?){100}a{100}".to_owned(),
        "[^a-z0-9]{100,400}".to_owned(),
        format!("{}a{}", "(".repeat(200), ")*".repeat(200)),
        "(a|b|c|d|e|f|g|h){60}".to_owned(),
    ];
    let mut slow = Vec::new();
    for pattern in &patterns {
        let bytes = of((0..1000).map(|number| field(number, pattern)).collect());
        let began = Instant::now();
        let findings = compass_core::engine::document::lint(&bytes, None).len();
        let took = began.elapsed();
        println!("{pattern:.30} {} bytes {findings} findings {took:?}", bytes.len());
        if took > Duration::from_secs(20) {
            slow.push(format!("{pattern:.30}: {took:?}"));
        }
    }
    // Ways: every section leads to many others.
    let sections: Vec<_> = (0..1000)
        .map(|number| {
            let answers: Vec<_> = (0..50)
                .map(|to| json!({ "key": format!("a{to}"), "name": "A", "next": format!("s{}", (number * 7 + to * 13) % 1000) }))
                .collect();
            json!({ "key": format!("s{number}"), "name": "S", "fields": ["f0"], "answers": answers })
        })
        .collect();
    let bytes = json!({ "format": 1, "key": "hostile", "version": 1, "name": "H", "start": "s0", "fields": [{ "key": "f0", "name": "F", "type": "text" }], "sections": sections }).to_string().into_bytes();
    let began = Instant::now();
    let findings = compass_core::engine::document::lint(&bytes, None).len();
    println!("ways {} bytes {findings} findings {:?}", bytes.len(), began.elapsed());
    if began.elapsed() > Duration::from_secs(20) {
        slow.push("ways".to_owned());
    }
    // Members of all kinds that nobody knows.
    for (name, text) in [
        ("deep", format!("{}{}", "[".repeat(400_000), "]".repeat(400_000))),
        ("members", format!("{{{}\"a\":1}}", (0..80_000).map(|n| format!("\"k{n}\":1,")).collect::<String>())),
        ("same", format!("{{{}\"a\":1}}", "\"k\":1,".repeat(130_000))),
        ("digits", format!("{{\"a\":{}}}", "9".repeat(900_000))),
        ("arrays", format!("{{\"sections\":[{}1]}}", "{},".repeat(300_000))),
        ("strings", format!("{{\"requires\":[{}1]}}", "\"x\",".repeat(200_000))),
    ] {
        let began = Instant::now();
        let findings = compass_core::engine::document::lint(text.as_bytes(), None).len();
        println!("{name} {} bytes {findings} findings {:?}", text.len(), began.elapsed());
        if began.elapsed() > Duration::from_secs(20) {
            slow.push(name.to_owned());
        }
    }
    assert!(slow.is_empty(), "{slow:?}");
}

// More ---------------------------------------------------------------------------------------------------------------------------------

#[test]
fn a_workflow_whose_findings_were_damaged_is_told_and_stops_no_other() {
    let app = App::new();
    app.compass.import_workflow(&pump_check_with(2, |document| document["name"] = "Other".into())).unwrap();
    let other = pump_check_with(1, |document| document["key"] = "another".into());
    app.compass.import_workflow(&other).unwrap();
    past_every_rule(&app.sql(), |sql| {
        sql.execute_batch("UPDATE workflow SET findings = '[' WHERE key = 'pump-check' AND version = 1").unwrap();
    });
    let faults = app.faults();
    let (list, start) = (code(app.compass.workflows()), code(app.compass.start(&Start::new("pump-check", id()))));
    let another = code(app.compass.import_workflow(&other));
    assert!(
        !faults.is_empty() && (list, start, another) == ("fine", "fine", "fine"),
        "check {faults:?}, list {list}, start of version 2 {start}, import of another {another}"
    );
}

#[test]
fn a_stray_row_of_the_index_is_told_and_hides_no_session() {
    let app = App::new();
    app.completed();
    app.compass.sessions(&SessionFilter { text: Some("mill".into()), ..Default::default() }, None, 9).unwrap();
    past_every_rule(&app.sql(), |sql| sql.execute_batch("INSERT INTO search (rowid, text) VALUES (999, 'zwetschgen')").unwrap());
    let faults = app.faults();
    let later = app.start().key;
    app.set(later, "site", "Kyffhaeuser");
    let filter = SessionFilter { text: Some("kyffhaeuser".into()), ..Default::default() };
    let page = app.compass.sessions(&filter, None, 9).unwrap();
    assert!(
        !faults.is_empty() && page.sessions.len() == 1,
        "check before: {faults:?}; found {} not indexed {}",
        page.sessions.len(),
        page.not_indexed
    );
}

#[test]
fn salvage_is_not_kept_from_saving_by_a_table_of_somebody() {
    let app = App::new();
    app.completed();
    app.compass.close().unwrap();
    let sql = open_sql(&app.path());
    sql.execute_batch("CREATE TABLE evil (a INTEGER PRIMARY KEY, b BLOB AS (zeroblob(60000000))); INSERT INTO evil (a) VALUES (1), (2)")
        .unwrap();
    drop(sql);
    let to = app.folder().join("saved.jsonl");
    let report = Compass::salvage(app.path(), &to).unwrap();
    let (size, file) = (std::fs::metadata(&to).unwrap().len(), std::fs::metadata(app.path()).unwrap().len());
    assert!(size < 20 * file, "{size} bytes saved of a file of {file}; {report:?}");
}

#[test]
fn what_a_process_holds_open_stays_locked_when_it_is_the_source_of_a_restore() {
    let app = App::new();
    app.start();
    let locks = || crate::support::field::locks(std::process::id(), &app.path());
    let of_file = |locks: &[String]| locks.iter().filter(|line| line.contains("1073741826")).count();
    let before = locks();
    assert_eq!(of_file(&before), 1, "{before:?}");
    let restored = code(restore(&app.path(), &app.folder().join("other.db")));
    let after = locks();
    assert_eq!(of_file(&after), 1, "restore: {restored}; before {before:?}, after {after:?}");
}

#[test]
fn two_names_of_one_file_do_not_lose_what_was_acknowledged() {
    let app = App::new();
    app.start();
    let two = app.folder().join("two.db");
    std::fs::hard_link(app.path(), &two).unwrap();
    let mut options = app.options();
    options.path = two.clone();
    let other = match Compass::open(options) {
        Ok(other) => other,
        Err(error) => {
            println!("two names: {error}");
            return;
        }
    };
    let mut acknowledged = vec![];
    for _ in 0..3 {
        acknowledged.push(app.start().key);
        if other.import_workflow(&pump_check(1)).is_ok() {
            acknowledged.extend(other.start(&Start::new("pump-check", id())).map(|outcome| outcome.view.key));
        }
    }
    other.close().unwrap();
    app.compass.close().unwrap();
    let compass = open(&app.path()).unwrap();
    let lost = acknowledged.iter().filter(|key| compass.session(**key).is_err()).count();
    assert_eq!(
        (lost, compass.check().unwrap().faults.len()),
        (0, 0),
        "of {} acknowledged sessions; {:?}",
        acknowledged.len(),
        compass.check().unwrap().faults
    );
}

struct Lines(std::sync::Mutex<Vec<String>>);

impl log::Log for Lines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().unwrap().push(format!("{} {}", record.target(), record.args()));
    }

    fn flush(&self) {}
}

#[test]
fn no_log_finding_or_error_says_a_word_of_a_session() {
    static LINES: Lines = Lines(std::sync::Mutex::new(Vec::new()));
    log::set_logger(&LINES).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let word = "Zwetschgenkuchen";
    let mut said = Vec::new();
    for change in [
        "UPDATE value SET json = '{\"provided\": \"Zwetschgenkuchen\"}'",
        "UPDATE value SET json = '\"Zwetschgenkuchen\"'",
        "UPDATE event SET json = '{\"Zwetschgenkuchen\": 1}'",
        "UPDATE event SET type = 'Zwetschgenkuchen'",
        "UPDATE session SET section_name = 'Zwetschgenkuchen'",
        "UPDATE session SET state = 'Zwetschgenkuchen'",
        "UPDATE outbox SET state = 'Zwetschgenkuchen'",
        "UPDATE outbox SET session_state = 'Zwetschgenkuchen'",
        "UPDATE outbox SET reason = 'Zwetschgenkuchen' WHERE state = 'queued'",
        "UPDATE action SET key = 'Zwetschgenkuchen' WHERE id = 1",
        "UPDATE action SET key = hex(zeroblob(100000)) || 'Zwetschgenkuchen', status = 'sent' WHERE id = 1",
        "UPDATE endpoint SET definition = '{\"key\":\"office\",\"url\":\"https://office.example/Zwetschgenkuchen\",\"signing\":\"Zwetschgenkuchen\"}'",
        "UPDATE endpoint SET disabled_reason = 'Zwetschgenkuchen', enabled = 0",
        "UPDATE visit SET answer = 'Zwetschgenkuchen', section = 'Zwetschgenkuchen'",
        "UPDATE note SET seq = 900",
        "UPDATE workflow SET document = CAST('{\"Zwetschgenkuchen\": 1}' AS BLOB)",
        "UPDATE workflow SET findings = '\"Zwetschgenkuchen\"'",
    ] {
        let mut app = App::new();
        let session = app.at_the_end().key;
        app.set(session, "site", word);
        app.compass.note(session, word, &id()).unwrap();
        app.compass.save_draft(session, "remark", word).unwrap();
        app.finish(session);
        past_every_rule(&app.sql(), |sql| sql.execute_batch(change).unwrap());
        let mut texts = vec![];
        let mut tell = |error: Option<Error>| {
            if let Some(error) = error {
                texts.extend([error.to_string(), format!("{error:?}"), error.place().unwrap_or_default()]);
            }
        };
        app.compass.close().unwrap();
        app.compass = match Compass::open(app.options()) {
            Ok(compass) => compass,
            Err(error) => {
                tell(Some(error));
                continue;
            }
        };
        tell(app.compass.session(session).err());
        tell(app.compass.record(session).err());
        tell(app.compass.workflows().err());
        tell(app.compass.endpoints().err());
        tell(app.compass.outbox_totals().err());
        tell(app.compass.start(&Start::new("pump-check", id())).err());
        tell(app.compass.edit(session, None, vec![set("site", text(word))], vec![], &id()).err());
        tell(app.compass.flush(Duration::from_secs(5), &CancelToken::new()).err());
        tell(app.compass.purge(Duration::ZERO).err());
        tell(app.compass.delete(session).err());
        let faults = app.compass.check().map(|report| report.faults).unwrap_or_else(|error| vec![error.to_string()]);
        texts.extend(faults);
        let long = texts.iter().any(|text| text.len() > 2_000);
        let found: Vec<_> =
            texts.iter().filter(|text| text.contains(word)).map(|text| text.chars().take(160).collect::<String>()).collect();
        if long || !found.is_empty() {
            said.push(format!("{change}: long {long}, {found:?}"));
        }
    }
    let lines = LINES.0.lock().unwrap().clone();
    said.extend(lines.iter().filter(|line| line.contains(word)).map(|line| format!("log: {}", line.chars().take(200).collect::<String>())));
    assert!(said.is_empty(), "{said:#?}");
}

#[test]
fn the_largest_documents_cost_in_proportion() {
    use serde_json::json;
    let app = App::new();
    let mut told = Vec::new();
    let document = |answers: usize, fields: usize| {
        let list: Vec<_> = (0..fields).map(|number| format!("f{number}")).collect();
        let sections: Vec<_> = (0..1000)
            .map(|number| {
                let answers: Vec<_> = (0..answers)
                    .map(|to| json!({ "key": format!("a{to}"), "name": "A", "next": format!("s{}", (number * 7 + to * 13 + 1) % 1000) }))
                    .collect();
                json!({ "key": format!("s{number}"), "name": "S", "fields": list, "answers": answers, "win": number == 999 })
            })
            .collect();
        let all: Vec<_> = (0..fields.max(1))
            .map(|number| json!({ "key": format!("f{number}"), "name": "F", "type": "text", "pattern": "(a?){100}b*" }))
            .collect();
        let mut document = json!({ "format": 1, "key": format!("big-{answers}-{fields}"), "version": 1, "name": "H", "start": "s0", "fields": all, "sections": sections });
        document["sections"][999]["answers"] = json!([]);
        document.to_string().into_bytes()
    };
    for (answers, fields) in [(12, 1), (2, 95), (5, 40)] {
        let bytes = document(answers, fields);
        let began = Instant::now();
        let imported = app.compass.import_workflow(&bytes);
        let import = began.elapsed();
        let Ok(imported) = imported else {
            told.push(format!("{answers} {fields}: {} bytes {}", bytes.len(), code(imported)));
            continue;
        };
        let key = imported.workflow.workflow.key;
        let began = Instant::now();
        let session = app.compass.start(&Start::new(&*key, id())).unwrap().view.key;
        let start = began.elapsed();
        for _ in 0..300 {
            let view = app.compass.session(session).unwrap();
            app.compass.answer(session, view.visit, "a0").unwrap();
        }
        let began = Instant::now();
        let view = app.compass.session(session).unwrap();
        app.compass.answer(session, view.visit, "a0").unwrap();
        told.push(format!(
            "{answers} {fields}: {} bytes, import {import:?}, start {start:?}, a tap after 300 {:?}",
            bytes.len(),
            began.elapsed()
        ));
    }
    println!("{told:#?}");
}

#[test]
fn a_table_of_somebody_keeps_no_session_from_being_deleted() {
    let (app, copy) = copied();
    let key: Vec<u8> = open_sql(&copy).query_row("SELECT key FROM session WHERE id = 1", [], |row| row.get(0)).unwrap();
    open_sql(&copy)
        .execute_batch("CREATE TABLE evil (s INTEGER REFERENCES session (id)); INSERT INTO evil SELECT id FROM session")
        .unwrap();
    app.compass.close().unwrap();
    if restore(&copy, &app.path()).is_err() {
        return;
    }
    let compass = Compass::open(app.options()).unwrap();
    let key = SessionKey(uuid::Uuid::from_slice(&key).unwrap());
    let deleted = code(compass.delete(key));
    let purged = compass.purge_all_before("2100-01-01T00:00:00Z".parse().unwrap(), "Mia").map(|report| report.purged);
    assert_eq!((deleted, purged.ok()), ("fine", Some(2)));
}

/// The pages of the objects of this name on which nothing was written when this file was copied: a write that the flash lost.
fn lose_writes(app: &App, before: &[u8], objects: &[&str]) {
    let sql = open_sql(&app.path());
    let mut bytes = std::fs::read(app.path()).unwrap();
    for object in objects {
        let page: i64 = sql.query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [object], |row| row.get(0)).unwrap();
        let page = page as usize;
        let range = (page - 1) * 4096..page * 4096;
        bytes[range.clone()].copy_from_slice(&before[range]);
    }
    drop(sql);
    std::fs::write(app.path(), bytes).unwrap();
}

/// A phone with three undelivered messages, of which one page of one index was never written.
fn lost_write() -> (App, PathBuf) {
    let mut app = App::new();
    let session = app.at_the_end().key;
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    app.compass.close().unwrap();
    let before = std::fs::read(app.path()).unwrap();
    app.compass = Compass::open(app.options()).unwrap();
    app.finish(session);
    app.compass.close().unwrap();
    lose_writes(&app, &before, &["outbox_unsent"]);
    (app, copy)
}

#[test]
fn erase_counts_undelivered_messages_whatever_an_index_says() {
    let (app, _) = lost_write();
    let erased = code(Compass::erase(app.path(), None));
    assert_eq!(erased, "undelivered", "the file is there: {}", app.path().exists());
}

#[test]
fn restore_counts_undelivered_messages_whatever_an_index_says() {
    let (app, copy) = lost_write();
    let restored = code(restore(&copy, &app.path()));
    assert_eq!(restored, "undelivered");
}

#[test]
fn old_files_give_their_unsent_messages_with_their_bodies() {
    for (schema, data) in [
        (vec![include_str!("../schema/0001.sql")], include_str!("../schema/0001-data.sql")),
        (vec![include_str!("../schema/0001.sql"), include_str!("../schema/0002.sql")], include_str!("../schema/0002-data.sql")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.db");
        let sql = rusqlite::Connection::open(&path).unwrap();
        sql.pragma_update(None, "foreign_keys", false).unwrap();
        schema.iter().for_each(|made| sql.execute_batch(made).unwrap());
        past_every_rule(&sql, |sql| sql.execute_batch(&format!("BEGIN; {data}; COMMIT")).unwrap());
        let undelivered: u64 = sql
            .query_row(
                "SELECT count(*) FROM outbox WHERE NOT (state IN ('sent', 'superseded') OR state = 'failed' AND reason = 'abandoned')",
                [],
                |row| row.get::<_, i64>(0),
            )
            .unwrap() as u64;
        drop(sql);
        let to = folder.path().join("saved");
        let report = Compass::salvage(&path, &to).unwrap();
        assert_eq!((report.unsent, report.gaps), (undelivered, 0));
        let lines = std::fs::read_to_string(&to).unwrap();
        assert!(
            lines.lines().take(undelivered as usize).all(|line| line.contains("\"unsent\"") && line.contains("\"body\":\"{")),
            "{lines:.400}"
        );
    }
}

#[test]
fn errors_about_endpoints_keep_what_is_secret_in_them() {
    let app = App::new();
    let mut said = Vec::new();
    let urls = [
        "https://user:tokentoken@office.example/hook",
        "https://office.example/hook#tokentoken",
        "http://office.example/tokentoken",
        "https://office.example/tokentoken\u{7f}",
        "https://office .example/tokentoken",
        "https://office.example:99999/tokentoken",
        "ftp://office.example/tokentoken",
        "tokentoken",
        "https:///tokentoken",
        "https://[::1/tokentoken",
    ];
    let mut tell = |what: &str, error: Error| {
        let texts = [error.to_string(), format!("{error:?}"), error.place().unwrap_or_default()];
        if texts.iter().any(|text| text.contains("tokentoken")) {
            said.push(format!("{what}: {texts:?}"));
        }
    };
    for url in urls {
        let endpoint = Endpoint { url: url.to_owned(), ..crate::support::app::endpoint("office") };
        match app.compass.put_endpoint(&endpoint) {
            Ok(_) => {}
            Err(error) => tell(url, error),
        }
    }
    for (name, value) in [("x-token", "tokentoken\n"), ("authorization", "tokentoken"), ("x token", "tokentoken"), ("host", "tokentoken")] {
        let headers = vec![EndpointHeader { name: name.to_owned(), value: HeaderValue::Plain(value.to_owned()) }];
        let endpoint = Endpoint { headers, ..crate::support::app::endpoint("office") };
        if let Err(error) = app.compass.put_endpoint(&endpoint) {
            tell(name, error);
        }
    }
    assert!(said.is_empty(), "{said:#?}");
}

#[test]
fn a_restore_on_a_full_disk_changes_nothing() {
    if let Ok(folder) = std::env::var("PROBE_DISK") {
        let folder = PathBuf::from(folder);
        let (path, elsewhere) = (folder.join("compass.db"), tempfile::tempdir_in("/var/tmp").unwrap());
        let source = App::new();
        for _ in 0..3 {
            source.completed();
        }
        source.deliver();
        let copy = elsewhere.path().join("copy.db");
        source.compass.backup(&copy).unwrap();
        for round in 0..60 {
            let _ = std::fs::remove_file(folder.join("filler"));
            for file in std::fs::read_dir(&folder).unwrap() {
                let _ = std::fs::remove_file(file.unwrap().path());
            }
            restore(&copy, &path).unwrap();
            let compass = open(&path).unwrap();
            compass.start(&Start::new("pump-check", id())).unwrap();
            compass.close().unwrap();
            let _ = std::fs::remove_file(beside(&path, "-reserve"));
            // So much room is left.
            let disk = rustix_free(&folder);
            let left = 20_000 * round;
            std::fs::write(folder.join("filler"), vec![1; disk.saturating_sub(left) as usize]).unwrap();
            let made = code(restore(&copy, &path));
            std::fs::remove_file(folder.join("filler")).unwrap();
            let compass = open(&path).unwrap_or_else(|error| panic!("{round} {made}: {error}"));
            let in_progress = compass.totals().unwrap().sessions.in_progress;
            assert_eq!(in_progress, u64::from(made != "fine"), "{round} {made}");
            assert_eq!(compass.check().unwrap().faults, [""; 0], "{round} {made}");
            compass.close().unwrap();
            println!("@{left}: {made}");
        }
        println!("as it should be");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = r#"mount -t tmpfs -o size=2m none "$1" || exit 77; shift 1; exec "$@""#;
    let mut process = std::process::Command::new("unshare");
    process.args(["-rm", "sh", "-c", script, "sh"]).arg(folder.path()).arg(std::env::current_exe().unwrap());
    process.args(["probes::a_restore_on_a_full_disk_changes_nothing", "--exact", "--nocapture", "--test-threads=1"]);
    let output = process.env("PROBE_DISK", folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{said}");
    if output.status.code() == Some(77) {
        println!("no small disk can be made here");
        return;
    }
    assert!(said.contains("as it should be"), "{said} {}", String::from_utf8_lossy(&output.stderr));
}

fn rustix_free(folder: &Path) -> u64 {
    let said = std::process::Command::new("df").args(["-B1", "--output=avail"]).arg(folder).output().unwrap();
    String::from_utf8_lossy(&said.stdout).lines().last().unwrap().trim().parse().unwrap()
}

#[test]
fn check_tells_where_nothing_can_be_started_any_more() {
    let mut silent = Vec::new();
    for change in [
        "UPDATE meta SET revision = 9223372036854775807",
        "UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'session'",
        "UPDATE workflow SET findings = '['",
        "UPDATE workflow SET startable = 0",
    ] {
        let app = App::new();
        app.completed();
        past_every_rule(&app.sql(), |sql| sql.execute_batch(change).unwrap());
        let (faults, start) = (app.faults(), code(app.compass.start(&Start::new("pump-check", id()))));
        if faults.is_empty() && start != "fine" {
            silent.push(format!("{change}: start is {start}"));
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}
