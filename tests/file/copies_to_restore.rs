//! What is asked of a copy before it takes the place of the database, and what lies beside it.

use compass_core::model::*;
use compass_core::{DiscardUndelivered, RestoreOptions};

use super::*;
use crate::support::app::{App, code, id, open_sql, set, text};
use crate::support::past_every_rule;

fn restore(app: &App, from: &Path) -> &'static str {
    code(Compass::restore(from, &RestoreOptions::new(app.path())))
}

/// A copy in which somebody works, until the process is killed: its WAL is left.
fn work_in(app: &App, copy: &Path) -> Vec<u8> {
    let mut options = app.options();
    options.path = copy.to_owned();
    let other = Compass::open(options).unwrap();
    other.start(&Start::new("pump-check", id())).unwrap();
    other.kill();
    let wal = std::fs::read(beside(copy, "-wal")).unwrap();
    assert!(!wal.is_empty());
    wal
}

fn in_progress(app: &App) -> u64 {
    Compass::open(app.options()).unwrap().totals().unwrap().sessions.in_progress
}

#[test]
fn a_copy_that_does_not_hold_a_message_whole_does_not_replace_one_that_is_undamaged() {
    let app = App::new();
    let session = app.completed();
    app.compass.edit(session, None, None, vec![set("site", text("Bill Lane"))], vec![], &id()).unwrap();
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    app.compass.close().unwrap();
    let (present, bytes) = (std::fs::read(app.path()).unwrap(), std::fs::read(&copy).unwrap());
    let refused = |what: &str, expected: &str| {
        assert_eq!(restore(&app, &copy), expected, "{what}");
        assert_eq!(std::fs::read(app.path()).unwrap(), present, "{what}");
        assert!(!beside(&app.path(), "-restore-part").exists(), "{what}");
    };
    for (change, expected) in [
        ("UPDATE body SET bytes = CAST('{}' AS BLOB)", "undelivered"),
        ("UPDATE body SET bytes = CAST('{}' AS BLOB); UPDATE value SET json = replace(json, 'Mill', 'Bill')", "undelivered"),
        ("UPDATE meta SET install_id = '00000000-0000-7000-8000-000000000000'", "undelivered"),
        ("UPDATE action SET key = CAST(x'ff' || key AS TEXT)", "undelivered"),
        // Without this it does not open, or takes no change.
        ("DELETE FROM meta", "corrupt"),
        ("UPDATE meta SET install_id = CAST(x'ff' AS TEXT)", "corrupt"),
        ("UPDATE meta SET revision = 9223372036854775807", "corrupt"),
        ("UPDATE meta SET configuration = -1", "corrupt"),
        // With this nothing can be started or sent any more, or everything would be old.
        ("UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'session'", "corrupt"),
        ("UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'outbox'", "corrupt"),
        ("UPDATE sqlite_sequence SET seq = 'x' WHERE name = 'outbox'", "corrupt"),
        ("DELETE FROM sqlite_sequence; UPDATE outbox SET id = 9223372036854775807 WHERE id = 3", "corrupt"),
        ("UPDATE meta SET age = 9223372036854775807", "corrupt"),
        ("UPDATE meta SET age = 4611686018427387904", "corrupt"),
        ("UPDATE meta SET age = -1", "corrupt"),
    ] {
        std::fs::write(&copy, &bytes).unwrap();
        past_every_rule(&open_sql(&copy), |sql| sql.execute_batch(change).unwrap());
        refused(change, expected);
    }
    // As bad flash does it: no rule of the schema sees it, and no structure of the file is hurt.
    let body = format!("{{\"key\":\"{session}\"");
    let at = bytes.windows(body.len()).position(|window| window == body.as_bytes()).unwrap();
    let mut flipped = bytes.clone();
    flipped[at + 2] ^= 1;
    std::fs::write(&copy, flipped).unwrap();
    refused("one bit", "undelivered");
    std::fs::write(&copy, bytes).unwrap();
    assert_eq!(restore(&app, &copy), "fine");
}

#[test]
fn a_copy_with_pages_of_another_size_comes_back() {
    let app = App::new();
    app.completed();
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    app.compass.close().unwrap();
    open_sql(&copy).execute_batch("PRAGMA page_size = 8192; VACUUM").unwrap();
    assert_eq!(restore(&app, &copy), "fine");
    let compass = Compass::open(app.options()).unwrap();
    assert_eq!((compass.outbox_totals().unwrap().pending, compass.check().unwrap().faults), (3, vec![]));
    compass.close().unwrap();
    // In the place of a file that does not open they come as they are.
    std::fs::write(app.path(), [0x5a; 9000]).unwrap();
    let discard = DiscardUndelivered { actor: "Mia".to_owned(), reason: "damaged".to_owned() };
    Compass::restore(&copy, &RestoreOptions::new(app.path()).discard_undelivered(discard)).unwrap();
    let compass = Compass::open(app.options()).unwrap();
    assert_eq!((compass.outbox_totals().unwrap().pending, compass.check().unwrap().faults), (3, vec![]));
}

#[test]
fn a_copy_with_a_damaged_search_index_comes_back_and_finds_by_them() {
    let app = App::new();
    app.completed();
    let found = |compass: &Compass| {
        compass.sessions(&SessionFilter { text: Some("mill".into()), ..Default::default() }, None, 10).unwrap().sessions.len()
    };
    assert_eq!(found(&app.compass), 1);
    past_every_rule(&app.sql(), |sql| sql.execute_batch("DELETE FROM search_data WHERE id > 10").unwrap());
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    app.compass.close().unwrap();
    assert_eq!(restore(&app, &copy), "fine");
    let compass = Compass::open(app.options()).unwrap();
    assert_eq!((found(&compass), compass.check().unwrap().faults), (1, vec![]));
}

#[test]
fn a_copy_whose_pages_have_reserved_bytes_stays_undamaged() {
    let mut app = App::new();
    let session = app.start().key;
    app.compass.discard(session).unwrap();
    // So large that it has more than one map of its pages.
    let many = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 60000) SELECT printf('%0100d', x) AS text FROM n";
    app.sql().execute_batch(&format!("CREATE TABLE of_somebody AS {many}")).unwrap();
    // As an SQLite writes it that keeps bytes of each page for itself.
    let copy = app.folder().join("copy.db");
    app.sql().execute("VACUUM INTO ?1", [format!("file:{}?reserve=12", copy.display())]).unwrap();
    assert_eq!(std::fs::read(&copy).unwrap()[20], 12);
    app.compass.close().unwrap();
    for is_opened_itself in [false, true] {
        if is_opened_itself {
            std::fs::copy(&copy, app.path()).unwrap();
        } else {
            assert_eq!(restore(&app, &copy), "fine");
        }
        app.compass = Compass::open(app.options()).unwrap();
        assert_eq!(app.faults(), ["the schema has an unknown object: table of_somebody"]);
        app.sql().execute_batch("DROP TABLE of_somebody").unwrap();
        assert_eq!(app.compass.delete(session).unwrap().erased, Erased::Now);
        assert_eq!(app.faults(), [""; 0]);
        app.compass.close().unwrap();
    }
}

#[test]
fn a_copy_with_what_acts_on_our_tables_is_refused_and_with_a_table_of_somebody_is_not() {
    let app = App::new();
    app.completed();
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    app.compass.close().unwrap();
    let sql = open_sql(&copy);
    sql.execute_batch(
        "CREATE TABLE of_somebody (id INTEGER PRIMARY KEY, text TEXT UNIQUE, other INTEGER REFERENCES of_somebody);
         CREATE INDEX too ON of_somebody (other); CREATE VIEW all_notes AS SELECT * FROM note",
    )
    .unwrap();
    assert_eq!(restore(&app, &copy), "fine");
    for (made, dropped) in [
        ("CREATE UNIQUE INDEX more ON note (length(text) - length(text))", "DROP INDEX more"),
        ("CREATE INDEX \"more on of_somebody(\" ON note (abs(-9223372036854775807 - (text <> '')))", "DROP INDEX \"more on of_somebody(\""),
        ("CREATE TABLE more (id INTEGER PRIMARY KEY, s INTEGER REFERENCES SESSION (id))", "DROP TABLE more"),
        (
            "CREATE TRIGGER more AFTER UPDATE ON meta BEGIN
               UPDATE outbox SET state = 'failed', reason = 'abandoned', detail = 'abandoned' WHERE state = 'queued'; END",
            "DROP TRIGGER more",
        ),
    ] {
        sql.execute_batch(made).unwrap();
        assert_eq!(restore(&app, &copy), "corrupt", "{made}");
        sql.execute_batch(dropped).unwrap();
    }
    // A name of any length is not echoed whole.
    let name = "n".repeat(100_000);
    sql.execute_batch(&format!(
        "CREATE TABLE {name} (x); INSERT INTO {name} VALUES (NULL);
         PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '(x)', '(x NOT NULL)') WHERE name = '{name}'"
    ))
    .unwrap();
    let error = Compass::restore(&copy, &RestoreOptions::new(app.path())).unwrap_err();
    assert!(error.code() == "corrupt" && error.to_string().len() < 1000, "{}", error.to_string().len());
    assert_eq!(Compass::open(app.options()).unwrap().outbox_totals().unwrap().pending, 3);
}

#[test]
fn a_wal_of_another_file_beside_a_copy_changes_nothing_of_what_comes_back() {
    let app = App::new();
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    let wal = work_in(&app, &copy);
    std::fs::remove_file(&copy).unwrap();
    std::fs::remove_file(beside(&copy, "-wal")).unwrap();
    app.compass.backup(&copy).unwrap();
    assert!(!beside(&copy, "-wal").exists(), "a new copy is complete by itself");
    std::fs::write(beside(&copy, "-wal"), wal).unwrap();
    app.compass.close().unwrap();
    assert_eq!(restore(&app, &copy), "fine");
    assert_eq!(in_progress(&app), 0, "what was copied had no session");
}

#[test]
fn a_copy_that_was_opened_comes_back_with_its_wal() {
    let app = App::new();
    // Its name means something where files are named by addresses.
    let copy = app.folder().join("a copy %41?b#c.db");
    app.compass.backup(&copy).unwrap();
    app.compass.close().unwrap();
    assert_eq!(restore(&app, &copy), "fine");
    assert_eq!(in_progress(&app), 0);
    work_in(&app, &copy);
    assert_eq!(restore(&app, &copy), "fine");
    assert_eq!(in_progress(&app), 1);
}

#[test]
fn a_file_of_the_database_is_no_copy_but_what_was_kept_of_the_one_before() {
    let app = App::new();
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    app.compass.close().unwrap();
    for (suffix, expected) in [
        ("-restore-part", "invalid_argument"),
        ("-restoring", "invalid_argument"),
        (".before-restore-part", "invalid_argument"),
        ("-journal", "invalid_argument"),
        (".before-restore", "fine"),
    ] {
        let from = beside(&app.path(), suffix);
        std::fs::copy(&copy, &from).unwrap();
        assert_eq!(restore(&app, &from), expected, "{suffix}");
        assert!(from.exists(), "{suffix}");
        std::fs::remove_file(&from).unwrap();
    }
}

#[test]
fn nothing_that_is_made_touches_a_file_of_the_database() {
    for (database, made) in [("new-wal", "new"), ("db", "db-journal"), ("db", "db-restoring"), ("db", "db.before-restore")] {
        let app = App::new();
        let mut options = app.options();
        options.path = app.folder().join(database);
        let compass = Compass::open(options.clone()).unwrap();
        let to = app.folder().join(made);
        assert_eq!(code(compass.backup(&to)), "invalid_argument", "{database} {made}");
        compass.close().unwrap();
        assert_eq!(code(Compass::salvage(&options.path, &to)), "invalid_argument", "{database} {made}");
        assert!(options.path.exists() && !to.exists(), "{database} {made}");
    }
}

#[test]
fn nothing_of_what_is_not_ours_in_a_copy_is_evaluated() {
    let app = App::new();
    app.completed();
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    app.compass.close().unwrap();
    let bytes = std::fs::read(&copy).unwrap();
    for (table, rows, told) in [
        ("CREATE TABLE odd (a, CHECK (a > 9))", "INSERT INTO odd VALUES (1)", 1),
        // Takes gigabytes, were they to be had.
        ("CREATE TABLE odd (a, CHECK (length(hex(zeroblob(a * 1000000000))) > 0))", "INSERT INTO odd VALUES (1), (2)", 1),
        (
            "CREATE TABLE odd (a)",
            "INSERT INTO odd VALUES (1); PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = 'CREATE TABLE odd (a, b NOT NULL AS (hex(zeroblob(a * 1000000000))))' WHERE name = 'odd'",
            1,
        ),
        (
            "CREATE TABLE odd (a)",
            "INSERT INTO odd VALUES (1); PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = 'CREATE TABLE odd (a, b INT NOT NULL GENERATED ALWAYS AS/**/(nullif(a, 1)))' WHERE name = 'odd'",
            1,
        ),
        (
            "CREATE TABLE odd (a); CREATE INDEX odder ON odd (a)",
            "INSERT INTO odd VALUES (1); PRAGMA writable_schema = ON;
          UPDATE sqlite_schema SET sql = 'CREATE INDEX odder ON odd (hex(zeroblob(a * 1000000000)))' WHERE name = 'odder'",
            2,
        ),
        ("CREATE TABLE odd (a UNIQUE, b REFERENCES odd (a))", "INSERT INTO odd VALUES (1, 2)", 2),
        (
            "CREATE TABLE odd (a); CREATE VIEW odder AS SELECT hex(zeroblob(a * 1000000000)) AS text FROM odd",
            "INSERT INTO odd VALUES (1)",
            2,
        ),
        (
            "CREATE TABLE odd (a); CREATE VIEW odder AS SELECT rowid AS id, hex(zeroblob(a * 1000000000)) AS text FROM odd;
          CREATE VIRTUAL TABLE oddest USING fts5 (text, content = 'odder', content_rowid = 'id')",
            "INSERT INTO odd VALUES (1)",
            7,
        ),
    ] {
        std::fs::write(&copy, &bytes).unwrap();
        let sql = open_sql(&copy);
        sql.pragma_update(None, "foreign_keys", false).unwrap();
        sql.execute_batch(table).unwrap();
        sql.pragma_update(None, "ignore_check_constraints", true).unwrap();
        sql.execute_batch(rows).unwrap();
        drop(sql);
        assert_eq!(restore(&app, &copy), "fine", "{table}");
        let compass = Compass::open(app.options()).unwrap();
        let faults = compass.check().unwrap().faults;
        assert!(faults.iter().all(|fault| fault.starts_with("the schema has an unknown object: ")), "{table}: {faults:?}");
        assert_eq!(faults.len(), told, "{table}: {faults:?}");
        compass.close().unwrap();
    }
}

#[test]
fn a_copy_is_undamaged_or_refused_also_beside_what_is_not_ours() {
    let app = App::new();
    app.completed();
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    app.compass.close().unwrap();
    let bytes = std::fs::read(&copy).unwrap();
    for other in ["CREATE TABLE odd (a)", "CREATE TABLE odd (a, b AS (a + 1))"] {
        for damage in [
            "UPDATE session SET state = 'odd'",
            "UPDATE value SET session_id = 99",
            "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'outbox_due'",
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE search_content (id INTEGER PRIMARY KEY, c0, CHECK (c0 > 9))'
              WHERE name = 'search_content'",
        ] {
            std::fs::write(&copy, &bytes).unwrap();
            past_every_rule(&open_sql(&copy), |sql| sql.execute_batch(&format!("{other}; {damage}")).unwrap());
            assert_eq!(restore(&app, &copy), "corrupt", "{other}: {damage}");
        }
    }
    // A page of ours that counts as free as well.
    std::fs::write(&copy, &bytes).unwrap();
    let sql = open_sql(&copy);
    sql.execute_batch(
        "CREATE TABLE odd (a); INSERT INTO odd VALUES (1); CREATE TABLE gone (a); INSERT INTO gone VALUES (1); DROP TABLE gone",
    )
    .unwrap();
    drop(sql);
    let mut free = std::fs::read(&copy).unwrap();
    assert_eq!(free[36..40], [0, 0, 0, 1]);
    free[32..36].copy_from_slice(&[0, 0, 0, 9]);
    std::fs::write(&copy, &free).unwrap();
    // The list of free pages is rebuilt, and says what all tables say.
    assert_eq!(restore(&app, &copy), "fine");
    let compass = Compass::open(app.options()).unwrap();
    assert_eq!(compass.check().unwrap().faults, ["the schema has an unknown object: table odd"]);
}
