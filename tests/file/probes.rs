//! What a redaction and what is forgotten leave behind.

use std::time::Duration;

use compass_core::model::*;
use compass_core::testing::ScriptedTransport;
use compass_core::{CancelToken, RestoreOptions};
use rusqlite::params;
use serde_json::json;

use super::*;
use crate::support::app::*;
use crate::support::past_every_rule;

fn of(target: RedactionTarget) -> Redaction {
    Redaction {
        command_id: id(),
        target,
        actor: "Mia".into(),
        reason: "not ours to know".into(),
        pending: RedactPending::Abandon,
        bodies: RedactBodies::Forget,
    }
}

fn field(key: &str) -> RedactionTarget {
    RedactionTarget::Field { key: key.into() }
}

/// Whether a word is anywhere in the folder of the app, or in a backup of now.
fn is_left(app: &App, word: &str) -> bool {
    let backup = tempfile::tempdir().unwrap();
    app.compass.backup(&backup.path().join("copy.db")).unwrap();
    let mut files = [app.folder(), backup.path()].into_iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    files.any(|file| std::fs::read(file.unwrap().path()).unwrap().windows(word.len()).any(|window| window == word.as_bytes()))
}

fn found(app: &App, text: &str) -> usize {
    let filter = SessionFilter { text: Some(text.into()), ..Default::default() };
    app.compass.sessions(&filter, None, 10).unwrap().sessions.len()
}

/// An attempt of another process is under way.
fn claimed_elsewhere(app: &App) {
    let until = app.now().timestamp_millis() + 50_000;
    app.sql()
        .execute(
            "UPDATE outbox SET state = 'leased', lease_owner = 'other', lease_epoch = 7, lease_until = ?1, attempts = attempts + 1,
                    unknown_outcomes = unknown_outcomes + 1 WHERE state = 'queued'",
            [until],
        )
        .unwrap();
}

/// Sessions of many kinds, some with texts of several pages, all redacted field by field.
#[test]
fn of_many_sessions_no_redacted_word_is_left_and_their_logs_add_up() {
    for seed in 0..6_u64 {
        let mut app = App::with_office(ScriptedTransport::always(if seed % 2 == 0 { 202 } else { 400 }));
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1;
        let mut next = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let mut words = 0;
        let mut word = |long: u64| {
            words += 1;
            format!("Zwetschgen{words:05} ").repeat(long as usize + 1).trim_end().to_owned()
        };
        let mut sessions = Vec::new();
        for _ in 0..25 {
            let prefill =
                if next(3) == 0 { vec![Prefill { field: "remark".into(), value: text(&word(0)), source: "order".into() }] } else { vec![] };
            let session = app.compass.start(&Start { prefill, ..Start::new("pump-check", id()) }).unwrap().view.key;
            sessions.push(session);
            let mut notes = Vec::new();
            for _ in 0..next(14) {
                let view = app.view(session);
                let key = ["site", "remark", "page1", "page2"][next(if view.section.key == "yard" { 2 } else { 4 }) as usize];
                let long = if key == "site" { 0 } else { next(3) * next(300) };
                match next(9) {
                    0..=3 => drop(app.compass.set_field(session, key, text(&word(long)))),
                    4 => app.compass.save_draft(session, key, &word(long)).unwrap(),
                    5 => {
                        app.compass.note(session, &word(next(200)), &id()).unwrap();
                        notes.push(app.view(session).notes.last().unwrap().seq);
                    }
                    6 => drop(app.compass.set_fields(session, vec![FieldChange { field: key.into(), change: Change::Clear }])),
                    7 => drop(found(&app, "zwetschgen")),
                    _ => {
                        app.compass.set_field(session, "site", text(&word(0))).ok();
                        drop(app.compass.answer(session, view.visit, "on"));
                    }
                }
            }
            let at = app.view(session);
            match next(5) {
                0 => {}
                1 => drop(app.compass.end(session, "nobody home", &id()).unwrap()),
                2 => drop(app.compass.discard(session).unwrap()),
                _ => {
                    app.compass.set_field(session, "site", text(&word(0))).ok();
                    if at.section.key == "yard" {
                        app.compass.answer(session, at.visit, "on").unwrap();
                    }
                    app.answer(session, "fine");
                    app.finish(session);
                    if next(2) == 0 {
                        app.deliver();
                    }
                    if next(2) == 0 {
                        let edits = vec![set("remark", text(&word(next(300)))), set("site", text(&word(0)))];
                        let changes = notes.iter().map(|note| NoteChange { note: *note, text: word(3) }).collect();
                        app.compass.edit(session, None, edits, changes, &id()).unwrap();
                    }
                    if next(3) == 0 {
                        drop(app.compass.send_corrected(session, "report", None, &id()));
                    }
                }
            }
            if next(4) == 0 {
                app.reopen();
            }
        }
        for session in &sessions {
            if next(2) == 0 {
                found(&app, "zwetschgen");
            }
            let notes: Vec<u32> = app.record(*session).notes.iter().map(|note| note.seq).collect();
            let targets = ["site", "remark", "page1", "page2"].map(field).into_iter();
            for target in targets.chain(notes.into_iter().map(|seq| RedactionTarget::Note { seq })) {
                app.compass.redact(*session, &of(target)).unwrap();
            }
            assert_eq!(app.faults(), [""; 0], "seed {seed}");
        }
        assert_eq!(found(&app, "zwetschgen"), 0, "seed {seed}");
        let log: i64 = app.count("SELECT (SELECT count(*) FROM event WHERE json LIKE '%Zwetschgen%') + (SELECT count(*) FROM value WHERE json LIKE '%Zwetschgen%') + (SELECT count(*) FROM note WHERE text LIKE '%Zwetschgen%') + (SELECT count(*) FROM search WHERE text LIKE '%zwetschgen%') + (SELECT count(*) FROM open_text WHERE text LIKE '%zwetschgen%')");
        assert_eq!(log, 0, "seed {seed}");
        for session in sessions {
            let record = app.record(session);
            if record.state == SessionState::InProgress {
                app.compass.discard(session).unwrap();
            }
        }
        // What bodies of given-up messages hold stays with them, so look without them.
        let kept: Vec<Vec<u8>> = {
            let sql = app.sql();
            let mut statement = sql.prepare("SELECT bytes FROM body").unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        let kept: Vec<String> = kept.into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect();
        let backup = app.folder().join("copy.db");
        app.compass.backup(&backup).unwrap();
        let files: Vec<Vec<u8>> =
            std::fs::read_dir(app.folder()).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
        let mut left = Vec::new();
        for number in 1..=words {
            let word = format!("wetschgen{number:05}");
            if kept.iter().any(|body| body.contains(&word)) {
                continue;
            }
            if files.iter().any(|bytes| bytes.windows(word.len()).any(|window| window == word.as_bytes())) {
                left.push(word);
            }
        }
        assert_eq!(left, [""; 0], "seed {seed}");
        app.reopen();
        assert_eq!(app.faults(), [""; 0], "seed {seed}");
    }
}

const OLD: [(&[&str], &str); 2] = [
    (&[include_str!("../schema/0001.sql")], include_str!("../schema/0001-data.sql")),
    (&[include_str!("../schema/0001.sql"), include_str!("../schema/0002.sql")], include_str!("../schema/0002-data.sql")),
];

/// Every column of every table of ours, with whether it holds numbers.
fn columns(sql: &rusqlite::Connection) -> Vec<(String, String, String)> {
    let mut statement = sql
        .prepare(
            "SELECT t.name, c.name, c.type FROM pragma_table_list t, pragma_table_info(t.name) c
              WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite%' ORDER BY t.name NOT IN ('outbox', 'meta', 'session', 'tombstone'), 1, 2",
        )
        .unwrap();
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap().map(Result::unwrap).collect()
}

/// Values that no row has, as flash or a stranger leaves them.
fn odd(kind: &str) -> &'static [&'static str] {
    match kind {
        "INTEGER" => &["-7", "9223372036854775807", "4611686018427387900"],
        "TEXT" => &["'odd'", "CAST(x'ff41' AS TEXT)", "''"],
        _ => &["x''", "x'0102'", "zeroblob(32)"],
    }
}

fn full() -> App {
    let app = App::with_office(ScriptedTransport::always(202));
    let sent = app.completed();
    app.deliver();
    app.compass.redact(sent, &Redaction { bodies: RedactBodies::Keep, ..of(field("site")) }).unwrap();
    let given_up = app.completed();
    app.compass.note(given_up, "a dog", &id()).unwrap();
    app.compass.abandon_session(given_up, "Mia", "on paper", &id()).unwrap();
    app.compass.discard(app.start().key).unwrap();
    let gone = app.start().key;
    app.compass.discard(gone).unwrap();
    app.compass.delete(gone).unwrap();
    app.compass.save_draft(app.start().key, "site", "half").unwrap();
    app
}

#[test]
fn no_damaged_value_of_the_present_file_keeps_a_copy_away() {
    let app = full();
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    app.compass.close().unwrap();
    let columns = columns(&app.sql());
    let discard = || compass_core::DiscardUndelivered { actor: "Mia".into(), reason: "damaged".into() };
    let mut kept_away = Vec::new();
    for (table, column, kind) in columns {
        for value in odd(&kind) {
            for suffix in ["", "-wal", "-shm", ".before-restore", ".before-later-restore", "-restoring", "-restoring-sha256"] {
                let _ = std::fs::remove_file(beside(&app.path(), suffix));
            }
            std::fs::copy(&copy, app.path()).unwrap();
            let change = format!("UPDATE OR IGNORE {table} SET {column} = {value} WHERE rowid = (SELECT max(rowid) FROM {table})");
            let sql = app.sql();
            sql.execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN").unwrap();
            let changed = past_every_rule(&sql, |sql| {
                let whole = format!("UPDATE OR IGNORE {table} SET {column} = {value}");
                sql.execute(&change, []).or_else(|_| sql.execute(&whole, [])).unwrap_or(0)
            });
            sql.execute_batch("COMMIT").unwrap();
            drop(sql);
            if changed == 0 {
                continue;
            }
            let restored = code(Compass::restore(&copy, &RestoreOptions::new(app.path()).discard_undelivered(discard())));
            if restored != "fine" {
                eprintln!("{table}.{column} = {value}: {restored}");
                kept_away.push(format!("{table}.{column} = {value}: {restored}"));
            }
        }
    }
    assert_eq!(kept_away, [""; 0]);
}

#[test]
fn no_damaged_value_of_a_copy_is_a_fault_of_ours() {
    let app = full();
    let (copy, damaged) = (app.folder().join("copy.db"), app.folder().join("damaged.db"));
    app.compass.backup(&copy).unwrap();
    app.compass.close().unwrap();
    let columns = columns(&open_sql(&copy));
    let mut faults = Vec::new();
    for (table, column, kind) in columns {
        for value in odd(&kind) {
            std::fs::copy(&copy, &damaged).unwrap();
            let sql = open_sql(&damaged);
            sql.execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN").unwrap();
            let changed = past_every_rule(&sql, |sql| {
                let change = format!("UPDATE OR IGNORE {table} SET {column} = {value} WHERE rowid = (SELECT max(rowid) FROM {table})");
                let whole = format!("UPDATE OR IGNORE {table} SET {column} = {value}");
                sql.execute(&change, []).or_else(|_| sql.execute(&whole, [])).unwrap_or(0)
            });
            sql.execute_batch("COMMIT").unwrap();
            drop(sql);
            if changed == 0 {
                continue;
            }
            let restored = code(Compass::restore(&damaged, &RestoreOptions::new(app.path())));
            if !["fine", "corrupt", "undelivered"].contains(&restored) {
                eprintln!("{table}.{column} = {value}: {restored}");
                faults.push(format!("{table}.{column} = {value}: {restored}"));
            }
            if restored == "fine" {
                match Compass::open(app.options()) {
                    Ok(compass) => {
                        for (what, code) in [
                            ("list", code(compass.sessions(&SessionFilter::default(), None, 10))),
                            ("start", code(compass.start(&Start::new("pump-check", id())))),
                            ("flush", code(compass.flush(Duration::from_secs(2), &CancelToken::new()))),
                        ] {
                            if code != "fine" {
                                eprintln!("{table}.{column} = {value}: came back, and then {what}: {code}");
                                faults.push(format!("{table}.{column} = {value}: came back, and then {what}: {code}"));
                            }
                        }
                        compass.close().unwrap();
                    }
                    Err(error) => faults.push(format!("{table}.{column} = {value}: came back and does not open: {}", error.code())),
                }
                assert_eq!(
                    code(Compass::erase(app.path(), Some(&compass_core::DiscardUndelivered { actor: "Mia".into(), reason: "r".into() }))),
                    "fine",
                    "{table}.{column} = {value}"
                );
            }
        }
    }
    assert_eq!(faults, [""; 0]);
}

#[test]
fn no_damaged_value_of_one_session_keeps_others_from_a_purge() {
    let app = full();
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    app.compass.close().unwrap();
    let columns = columns(&open_sql(&copy));
    let mut faults = Vec::new();
    let time = Timestamp::from_timestamp_millis(4_000_000_000_000).unwrap();
    for (table, column, kind) in columns {
        if table == "meta" || table == "workflow" {
            continue;
        }
        for value in odd(&kind) {
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(beside(&app.path(), suffix));
            }
            std::fs::copy(&copy, app.path()).unwrap();
            let sql = app.sql();
            sql.execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN").unwrap();
            let changed = past_every_rule(&sql, |sql| {
                let change = format!("UPDATE OR IGNORE {table} SET {column} = {value} WHERE rowid = (SELECT max(rowid) FROM {table})");
                sql.execute(&change, []).unwrap_or(0)
            });
            sql.execute_batch("COMMIT").unwrap();
            drop(sql);
            if changed == 0 {
                continue;
            }
            let Ok(compass) = Compass::open(app.options()) else {
                faults.push(format!("{table}.{column} = {value}: does not open"));
                continue;
            };
            match compass.purge_all_before(time, "Mia") {
                Ok(report) if report.purged >= 2 => {}
                Ok(report) => faults.push(format!("{table}.{column} = {value}: {} went", report.purged)),
                Err(error) => faults.push(format!("{table}.{column} = {value}: {}", error.code())),
            }
            let kept = code(compass.purge(Duration::MAX));
            if kept != "fine" {
                faults.push(format!("{table}.{column} = {value}: purge {kept}"));
            }
            compass.close().unwrap();
        }
    }
    assert_eq!(faults, [""; 0]);
}
