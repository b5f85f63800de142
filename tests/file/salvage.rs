//! What is saved of a file that is damaged.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::*;
use crate::support::app::{App, code, id, lose_page, open_sql, pages_of_schema};

/// The lines of a file, each with its one name.
fn lines(path: &Path) -> Vec<(String, Value)> {
    let all = std::fs::read_to_string(path).unwrap();
    let one = |line: &str| -> (String, Value) {
        let Value::Object(members) = serde_json::from_str(line).unwrap() else { panic!("{line}") };
        assert_eq!(members.len(), 1, "{line}");
        members.into_iter().next().unwrap()
    };
    all.lines().map(one).collect()
}

#[test]
fn everything_is_saved_of_an_undamaged_file_and_what_was_not_delivered_comes_first() {
    let app = App::new();
    let delivered = app.completed();
    app.deliver();
    let waits = app.completed();
    let to = app.folder().join("saved.jsonl");
    let before = std::fs::read(app.path()).unwrap();

    let report = Compass::salvage(app.path(), &to).unwrap();
    assert_eq!((report.unsent, report.gaps), (3, 0));
    let lines = lines(&to);
    assert_eq!(lines.len() as u64, report.lines);
    assert!(lines.iter().take(3).all(|(name, _)| name == "unsent"));
    assert!(lines.iter().skip(3).all(|(name, _)| name != "unsent"));
    let id = app.action(waits, "report").deliveries[0].id.clone();
    let message = &lines.iter().take(3).find(|(_, message)| message["action"] == "report").unwrap().1;
    assert_eq!((&message["session"], &message["delivery_id"]), (&waits.to_string().into(), &id.0.clone().into()));
    let (_, body) = lines.iter().find(|(name, row)| name == "body" && row["sha256"] == message["body_sha256"]).unwrap();
    assert_eq!(body["bytes"].as_str().map(str::to_owned), app.compass.delivery_body(&id).unwrap());
    for (table, rows) in [("session", 2), ("outbox", 3), ("event", app.count("SELECT count(*) FROM event")), ("workflow", 1)] {
        assert_eq!(lines.iter().filter(|(name, _)| name == table).count() as i64, rows, "{table}");
    }
    assert!(lines.iter().any(|(name, row)| name == "session" && row["key"] == delivered.to_string()));

    assert_eq!(std::fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600, "for its owner alone");
    assert_eq!(std::fs::read(app.path()).unwrap(), before, "the file stays as it is");
    assert_eq!(code(Compass::salvage(app.path(), &to)), "invalid_argument");
}

#[test]
fn a_damaged_page_costs_what_stood_on_it() {
    let app = App::new();
    for _ in 0..40 {
        app.completed();
    }
    let id: String = app.sql().query_row("SELECT delivery_id FROM outbox WHERE id = 60", [], |row| row.get(0)).unwrap();
    app.compass.close().unwrap();
    let whole = std::fs::read(app.path()).unwrap();
    let pages: Vec<usize> = whole
        .chunks(4096)
        .enumerate()
        .filter(|(_, page)| page.windows(id.len()).any(|at| at == id.as_bytes()))
        .map(|(page, _)| page)
        .collect();
    let mut saved = Vec::new();
    for page in pages {
        let mut bytes = whole.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
        std::fs::write(app.path(), &bytes).unwrap();
        let to = app.folder().join(format!("saved-{page}.jsonl"));
        let report = Compass::salvage(app.path(), &to).unwrap();
        assert_eq!(lines(&to).len() as u64, report.lines);
        // An index is not trusted, and not needed.
        assert!(report.unsent == 120 || report.gaps > 0, "{report:?}");
        assert!(report.unsent > 80, "{report:?}");
        saved.push(report.unsent);
    }
    assert!(saved.len() > 1 && saved.iter().any(|unsent| *unsent < 120), "{saved:?}");
}

/// Damages the leaf of `outbox` that holds this delivery. Indexes have pages of another kind.
fn damage_leaf_of(bytes: &mut [u8], id: &str) {
    let leaf = bytes.chunks(4096).position(|page| page[0] == 0x0d && page.windows(id.len()).any(|at| at == id.as_bytes())).unwrap();
    bytes[leaf * 4096..(leaf + 1) * 4096].fill(0xa5);
}

#[test]
fn what_is_behind_damage_is_saved_however_many_messages_were_purged() {
    // The first has a number as of a new phone, or none has.
    for with_old_numbers in [0, 1] {
        let app = App::new();
        for number in 0..40 {
            if number == with_old_numbers {
                app.sql()
                    .execute_batch(
                        "DELETE FROM sqlite_sequence WHERE name = 'outbox'; INSERT INTO sqlite_sequence VALUES ('outbox', 20000)",
                    )
                    .unwrap();
            }
            app.completed();
        }
        let id = |which: &str| -> String {
            let sql = format!("SELECT delivery_id FROM outbox ORDER BY id {which} LIMIT 1");
            app.sql().query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        let (first, last) = (id(""), id("DESC"));
        app.compass.close().unwrap();
        let mut bytes = std::fs::read(app.path()).unwrap();
        damage_leaf_of(&mut bytes, &first);
        std::fs::write(app.path(), &bytes).unwrap();
        let report = Compass::salvage(app.path(), app.folder().join("first.jsonl")).unwrap();
        assert_eq!(report.unsent, 93, "27 of 120 stood on the page: {report:?}");
        damage_leaf_of(&mut bytes, &last);
        std::fs::write(app.path(), &bytes).unwrap();
        let report = Compass::salvage(app.path(), app.folder().join("both.jsonl")).unwrap();
        assert!((50..92).contains(&report.unsent), "{report:?}");
    }
}

#[test]
fn what_is_behind_damage_in_one_session_is_saved_too() {
    let app = App::new();
    let note = |number: usize| format!("note-{number:03}");
    let field = |number: usize| format!("field-{number:03}");
    for numbers in [0..200, 200..320] {
        let session = app.start().key;
        numbers.for_each(|number| drop(app.compass.note(session, &format!("{} {}", note(number), "x".repeat(300)), &id()).unwrap()));
    }
    // Ordered by a number, and by a word.
    let sql = app.sql();
    let value = "INSERT INTO value (session_id, field, json, completed_at) VALUES (?1, ?2, ?3, 1)";
    for (session, number) in (0..20).map(|number| (1, number)).chain((20..60).map(|number| (2, number))) {
        sql.execute(value, (session, field(number), format!("\"{}\"", "x".repeat(700)))).unwrap();
    }
    drop(sql);
    app.compass.close().unwrap();
    let mut bytes = std::fs::read(app.path()).unwrap();
    // The leaf of an index-organised table that has one of these.
    let mut damage = |words: [String; 2]| {
        let has = |page: &[u8], word: &String| page.windows(word.len()).any(|at| at == word.as_bytes());
        let leaf = bytes.chunks(4096).position(|page| page[0] == 0x0a && words.iter().any(|word| has(page, word))).unwrap();
        bytes[leaf * 4096..(leaf + 1) * 4096].fill(0xa5);
    };
    // Two places in one session, where one ends and the next begins, and one place each.
    [50, 120, 199].into_iter().for_each(|number| damage([note(number), note(number + 1)]));
    [5, 25].into_iter().for_each(|number| damage([field(number), field(number + 1)]));
    std::fs::write(app.path(), bytes).unwrap();

    let to = app.folder().join("saved.jsonl");
    let report = Compass::salvage(app.path(), &to).unwrap();
    assert!(report.gaps >= 5, "{report:?}");
    let (lines, sql) = (lines(&to), open_sql(&app.path()));
    let numbers: Vec<Value> = (1..=210).map(Value::from).collect();
    let words: Vec<Value> = (0..60).map(|number| field(number).into()).collect();
    for (table, column, keys) in [("note", "seq", &numbers), ("value", "field", &words)] {
        let mut found =
            sql.prepare(&format!("SELECT 1 FROM {table} WHERE session_id = ?1 AND {column} = iif(?2 LIKE 'f%', ?2, ?2 + 0)")).unwrap();
        for session in [1, 2] {
            let mut is_there = |key: &&Value| found.exists((session, key.as_str().map_or(key.to_string(), str::to_owned))).unwrap_or(false);
            let readable: Vec<&Value> = keys.iter().filter(|key| is_there(key)).collect();
            let of_it = lines.iter().filter(|(name, row)| name == table && row["session_id"] == session);
            let mut saved: Vec<&Value> = of_it.map(|(_, row)| &row[column]).collect();
            saved.sort_by_key(|key| (key.as_i64(), key.as_str()));
            assert!(saved.is_sorted_by(|one, next| one != next), "{table} of session {session}: each once");
            let lost: Vec<_> = readable.iter().filter(|key| !saved.contains(key)).collect();
            assert!(readable.len() > 10 && lost.is_empty(), "{table} of session {session}: {lost:?}");
        }
    }
}

#[test]
fn what_somebody_else_keeps_in_the_file_is_not_read() {
    let app = App::new();
    app.completed();
    app.compass.close().unwrap();
    open_sql(&app.path())
        .execute_batch(
            "CREATE TABLE more (a INTEGER PRIMARY KEY, b BLOB AS (zeroblob(5000000))); INSERT INTO more (a) VALUES (1), (2);
             ALTER TABLE note ADD COLUMN more BLOB AS (zeroblob(5000000)); CREATE VIEW others AS SELECT * FROM more",
        )
        .unwrap();
    let to = app.folder().join("saved.jsonl");
    assert_eq!(Compass::salvage(app.path(), &to).unwrap().unsent, 3);
    assert!(lines(&to).iter().all(|(name, row)| name != "more" && name != "others" && row.get("more").is_none()));
}

#[test]
fn a_file_that_does_not_open_gives_what_it_holds() {
    let app = App::new();
    let session = app.completed();
    app.set(app.start().key, "site", "Mill Lane");
    app.compass.close().unwrap();
    let to = app.folder().join("saved.jsonl");
    open_sql(&app.path()).execute_batch("DROP TRIGGER outbox_is_frozen").unwrap();
    assert_eq!(code(open(&app.path())), "corrupt");
    assert_eq!(Compass::salvage(app.path(), &to).unwrap().unsent, 3);
    assert!(lines(&to).iter().any(|(name, row)| name == "session" && row["key"] == session.to_string()));
}

#[test]
fn a_salvage_ends_where_nothing_of_a_table_can_be_read() {
    for (table, saved) in [("session", "meta"), ("meta", "session")] {
        let app = App::new();
        app.completed();
        app.compass.close().unwrap();
        lose_page(&app.path(), table);
        let to = app.folder().join("saved.jsonl");
        let report = Compass::salvage(app.path(), &to).unwrap();
        assert_eq!((report.unsent, report.gaps), (3, 1), "{table}");
        let lines = lines(&to);
        assert!(lines.iter().any(|(name, _)| name == saved) && lines.iter().all(|(name, _)| name != table), "{table}");
    }
}

#[test]
fn a_page_of_the_schema_costs_what_stands_on_it() {
    let app = App::new();
    app.completed();
    app.compass.close().unwrap();
    let whole = std::fs::read(app.path()).unwrap();
    let pages = pages_of_schema(&whole);
    assert!(pages.len() > 1);
    let salvaged = |name: &str| {
        let to = app.folder().join(name);
        let report = Compass::salvage(app.path(), &to).unwrap();
        (report, lines(&to))
    };
    let of = |lines: &[(String, Value)], table: &str| lines.iter().filter(|(name, _)| name == table).cloned().collect::<Vec<_>>();
    let (before, undamaged) = salvaged("undamaged.jsonl");
    assert_eq!((before.unsent, before.gaps), (3, 0));
    let mut costs = Vec::new();
    for page in &pages {
        let at = (page - 1) * 4096..page * 4096;
        // A row of the schema has the kind, the name, and the name of its table.
        let defines = |table: &str| {
            let row = format!("table{table}{table}");
            whole[at.clone()].windows(row.len()).any(|window| window == row.as_bytes())
        };
        for lost in [0xa5, 0] {
            let mut bytes = whole.clone();
            bytes[at.clone()].fill(lost);
            std::fs::write(app.path(), &bytes).unwrap();
            let (report, found) = salvaged(&format!("{page}-{lost}.jsonl"));
            assert_eq!(report.gaps, 1, "{page}");
            for table in undamaged.iter().map(|(table, _)| table) {
                let is_lost = defines(if table == "unsent" { "outbox" } else { table });
                costs.extend(is_lost.then(|| table.clone()));
                let expected = if is_lost { vec![] } else { of(&undamaged, table) };
                match table.as_str() {
                    // Without the definition of their sessions or actions they lack the keys of these.
                    "unsent" => assert_eq!(of(&found, table).len(), expected.len(), "{page}: {table}"),
                    _ => assert_eq!(of(&found, table), expected, "{page}: {table}"),
                }
            }
        }
    }
    assert!(["workflow", "session", "event", "unsent", "body"].iter().all(|table| costs.iter().any(|lost| lost == table)), "{costs:?}");
}

#[test]
fn of_what_is_no_database_of_ours_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (path, to) = (folder.path().join("compass.db"), folder.path().join("saved.jsonl"));
    assert_eq!(code(Compass::salvage(&path, &to)), "invalid_argument");
    std::fs::write(&path, "not a database at all, but a text that somebody put here").unwrap();
    assert_eq!(code(Compass::salvage(&path, &to)), "not_a_database");
    std::fs::remove_file(&path).unwrap();
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE session (id INTEGER); INSERT INTO session VALUES (1)").unwrap();
    assert_eq!(code(Compass::salvage(&path, &to)), "not_a_database");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was written");
    assert_eq!(code(Compass::salvage(&path, folder.path().join("no\0name"))), "invalid_argument");
}

#[test]
fn another_file_stays() {
    let app = App::new();
    let other = app.folder().join("saved-part");
    std::fs::write(&other, "a text of somebody").unwrap();
    Compass::salvage(app.path(), app.folder().join("saved")).unwrap();
    assert_eq!(std::fs::read(&other).unwrap(), b"a text of somebody");
}
