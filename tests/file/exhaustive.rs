//! What is tried with every column and with many sessions, for minutes: `cargo test --test file sweeps:: -- --ignored`.

use std::time::Duration;

use compass_core::model::*;
use compass_core::testing::ScriptedTransport;
use compass_core::{CancelToken, DiscardUndelivered, RestoreOptions};

use super::*;
use crate::support::app::*;
use crate::support::past_every_rule;

// Damage --------------------------------------------------------------------------------------------------------------------------------

/// Every column of every table of ours, with its type.
fn columns(path: &Path) -> Vec<(String, String, String)> {
    let sql = open_sql(path);
    let columns = "SELECT t.name, c.name, c.type FROM pragma_table_list t, pragma_table_info(t.name) c
                    WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite%' ORDER BY 1, 2";
    let mut statement = sql.prepare(columns).unwrap();
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

/// A phone with rows of every kind, which was closed, and a copy of its file.
fn copied() -> (App, PathBuf) {
    let app = App::with_office(ScriptedTransport::always(202));
    let field = RedactionTarget::Field { key: "site".into() };
    let sent = app.completed();
    app.deliver();
    app.compass.redact(sent, &Redaction { bodies: RedactBodies::Keep, ..redaction(field) }).unwrap();
    let abandoned = app.completed();
    app.compass.note(abandoned, "a dog", &id()).unwrap();
    app.compass.abandon_session(abandoned, "Mia", "on paper", &id()).unwrap();
    app.compass.discard(app.start().key).unwrap();
    let gone = app.start().key;
    app.compass.discard(gone).unwrap();
    app.compass.delete(gone).unwrap();
    app.compass.save_draft(app.start().key, "site", "half").unwrap();
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    app.compass.close().unwrap();
    (app, copy)
}

fn discard() -> DiscardUndelivered {
    DiscardUndelivered { actor: "Mia".into(), reason: "damaged".into() }
}

/// Puts odd values into one column after the other of the newest row, or of all where that cannot be, of a file made from the copy. Gives what
/// `look` says of each, where it says anything.
fn damaged(copy: &Path, file: &Path, look: impl Fn() -> Vec<String>) -> Vec<String> {
    let mut found = Vec::new();
    for (table, column, kind) in columns(copy) {
        for value in odd(&kind) {
            for suffix in ["", "-wal", "-shm", ".before-restore", ".before-later-restore", "-restoring", "-restoring-sha256"] {
                let _ = std::fs::remove_file(beside(file, suffix));
            }
            std::fs::copy(copy, file).unwrap();
            let sql = open_sql(file);
            sql.execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN").unwrap();
            let all = format!("UPDATE OR IGNORE {table} SET {column} = {value}");
            let newest = format!("{all} WHERE rowid = (SELECT max(rowid) FROM {table})");
            let changed = past_every_rule(&sql, |sql| sql.execute(&newest, []).or_else(|_| sql.execute(&all, [])).unwrap_or(0));
            sql.execute_batch("COMMIT").unwrap();
            drop(sql);
            // On the one workflow all sessions stand.
            if changed > 0 && table != "workflow" {
                found.extend(look().into_iter().map(|what| format!("{table}.{column} = {value}: {what}")));
            }
        }
    }
    found
}

#[test]
#[ignore = "takes minutes"]
fn no_damaged_value_of_the_present_file_keeps_a_copy_away() {
    let (app, copy) = copied();
    let kept_away = damaged(&copy, &app.path(), || {
        let restored = code(Compass::restore(&copy, &RestoreOptions::new(app.path()).discard_undelivered(discard())));
        if restored == "fine" { vec![] } else { vec![restored.to_owned()] }
    });
    assert_eq!(kept_away, [""; 0]);
}

#[test]
#[ignore = "takes minutes"]
fn no_damaged_value_of_a_copy_is_a_fault_of_ours() {
    let (app, copy) = copied();
    let other = app.folder().join("damaged.db");
    let faults = damaged(&copy, &other, || {
        match code(Compass::restore(&other, &RestoreOptions::new(app.path()))) {
            "fine" => {}
            "corrupt" | "undelivered" => return vec![],
            restored => return vec![restored.to_owned()],
        }
        let compass = match Compass::open(app.options()) {
            Ok(compass) => compass,
            Err(error) => return vec![format!("came back and does not open: {}", error.code())],
        };
        let told = [
            ("list", code(compass.sessions(&SessionFilter::default(), None, 10))),
            ("start", code(compass.start(&Start::new("pump-check", id())))),
            ("flush", code(compass.flush(Duration::from_secs(2), &CancelToken::new()))),
            ("close", code(compass.close())),
            ("erase", code(Compass::erase(app.path(), Some(&discard())))),
        ];
        told.into_iter().filter(|(_, code)| *code != "fine").map(|(what, code)| format!("{what}: {code}")).collect()
    });
    assert_eq!(faults, [""; 0]);
}

#[test]
#[ignore = "takes minutes"]
fn no_damaged_value_of_one_session_keeps_others_from_a_purge() {
    let (app, copy) = copied();
    let time = Timestamp::from_timestamp_millis(4_000_000_000_000).unwrap();
    let faults = damaged(&copy, &app.path(), || {
        let compass = match Compass::open(app.options()) {
            Ok(compass) => compass,
            Err(error) => return vec![format!("does not open: {}", error.code())],
        };
        let mut told = match compass.purge_all_before(time, "Mia") {
            Ok(report) if report.purged >= 2 => vec![],
            Ok(report) => vec![format!("{} went", report.purged)],
            Err(error) => vec![error.code().to_owned()],
        };
        told.extend(compass.purge(Duration::MAX).err().map(|error| format!("purge: {}", error.code())));
        compass.close().unwrap();
        told
    });
    // What the file says of itself is no session's.
    assert_eq!(faults.into_iter().filter(|fault| !fault.starts_with("meta.")).collect::<Vec<_>>(), [""; 0]);
}

// Redaction -----------------------------------------------------------------------------------------------------------------------------

fn found(app: &App, text: &str) -> usize {
    let filter = SessionFilter { text: Some(text.into()), ..Default::default() };
    app.compass.sessions(&filter, None, 10).unwrap().sessions.len()
}

/// Sessions of many kinds, some with texts of several pages, all redacted field by field.
#[test]
#[ignore = "takes minutes"]
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
                        app.compass.edit(session, None, None, edits, changes, &id()).unwrap();
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
            let targets = ["site", "remark", "page1", "page2"].map(|key| RedactionTarget::Field { key: key.into() }).into_iter();
            for target in targets.chain(notes.into_iter().map(|seq| RedactionTarget::Note { seq })) {
                app.compass.redact(*session, &redaction(target)).unwrap();
            }
            assert_eq!(app.faults(), [""; 0], "seed {seed}");
        }
        assert_eq!(found(&app, "zwetschgen"), 0, "seed {seed}");
        for (table, column) in
            [("event", "json"), ("value", "json"), ("note", "text"), ("draft", "text"), ("open_text", "text"), ("search", "text")]
        {
            let kept = app.count(&format!("SELECT count(*) FROM {table} WHERE {column} LIKE '%zwetschgen%'"));
            assert_eq!(kept, 0, "seed {seed}: {table}");
        }
        // What bodies of abandoned messages hold stays with them, so look without them.
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
