//! What is saved of a file that is damaged.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::*;
use crate::support::app::{App, code};

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
fn everything_is_saved_of_a_sound_file_and_what_was_not_delivered_comes_first() {
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

#[test]
fn a_file_that_does_not_open_gives_what_it_holds() {
    let app = App::new();
    let session = app.completed();
    app.set(app.start().key, "site", "Mill Lane");
    app.compass.close().unwrap();
    let to = app.folder().join("saved.jsonl");
    crate::support::app::open_sql(&app.path()).execute_batch("DROP TRIGGER outbox_is_frozen").unwrap();
    assert_eq!(code(open(&app.path())), "corrupt");
    assert_eq!(Compass::salvage(app.path(), &to).unwrap().unsent, 3);
    assert!(lines(&to).iter().any(|(name, row)| name == "session" && row["key"] == session.to_string()));
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
