//! A file whose rules somebody has changed.

use compass_core::RestoreOptions;

use super::*;
use crate::support::app::{App, code, open_sql};

const OLD: &str = include_str!("../schema/0001.sql");

fn doctored(change: &str) -> App {
    let app = App::new();
    app.completed();
    app.compass.close().unwrap();
    open_sql(&app.path()).execute_batch(change).unwrap();
    app
}

#[test]
fn a_file_that_lacks_a_rule_of_ours_is_damage_and_left_as_it_is() {
    for change in [
        "DROP TRIGGER outbox_is_frozen",
        "DROP TRIGGER outbox_undelivered_is_kept; CREATE TRIGGER outbox_undelivered_is_kept BEFORE DELETE ON outbox BEGIN SELECT 1; END",
        "DROP INDEX outbox_due",
        "DROP TABLE draft",
        "ALTER TABLE endpoint ADD COLUMN other TEXT",
        // Without its quotes it would be the rule itself.
        "DROP TRIGGER outbox_is_frozen; CREATE TRIGGER outbox_is_frozen BEFORE UPDATE OF
            \"id,action_id,session_id,revision,delivery_id,endpoint,body_sha256,body_size,workflow_version,session_state,frozen_at\" ON outbox
         BEGIN SELECT RAISE(ABORT, 'an entry is frozen'); END",
    ] {
        let app = doctored(change);
        let before = std::fs::read(app.path()).unwrap();
        let error = open(&app.path()).unwrap_err();
        assert_eq!((error.code(), error.retryable()), ("corrupt", false), "{change}");
        assert_eq!(std::fs::read(app.path()).unwrap(), before, "{change}");
    }
}

#[test]
fn a_rule_behind_a_zero_is_none() {
    // SQLite reads a text up to its first zero.
    for change in [
        "UPDATE sqlite_schema SET sql = sql || char(0) || 'trigger' || char(0) || 'outbox_is_frozen' || char(0)
                                           || (SELECT sql FROM sqlite_schema WHERE name = 'outbox_is_frozen')
          WHERE name = (SELECT max(name) FROM sqlite_schema WHERE type = 'trigger' AND name < 'outbox_is_frozen');
         DELETE FROM sqlite_schema WHERE name = 'outbox_is_frozen'",
        "UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ') /* ' || char(0) || '*/ STRICT') WHERE name = 'endpoint'",
    ] {
        let app = doctored(&format!("PRAGMA writable_schema = ON; {change}"));
        let copy = app.folder().join("copy.db");
        std::fs::copy(app.path(), &copy).unwrap();
        assert_eq!(code(open(&app.path())), "corrupt", "{change}");
        assert_eq!(code(Compass::restore(&copy, &RestoreOptions::new(app.folder().join("restored.db")))), "corrupt", "{change}");
    }
}

#[test]
fn what_is_in_the_file_and_not_ours_is_told_by_a_check() {
    let mut app = doctored("CREATE TABLE notes_of_somebody (text TEXT); INSERT INTO notes_of_somebody VALUES ('Mill Lane')");
    app.reopen();
    assert_eq!(app.faults(), ["the schema has an unknown object: table notes_of_somebody"]);
}

#[test]
fn a_rule_that_goes_while_the_file_is_open_is_told_by_a_check() {
    let app = App::new();
    app.sql().execute_batch("DROP TRIGGER tombstone_stays").unwrap();
    assert_eq!(app.faults(), ["the schema lacks trigger tombstone_stays"]);
}

#[test]
fn an_older_file_is_compared_before_it_is_updated() {
    let folder = tempfile::tempdir().unwrap();
    for (name, change) in [("whole.db", ""), ("doctored.db", "DROP TRIGGER outbox_sent_is_final")] {
        let path = folder.path().join(name);
        let sql = open_sql(&path);
        sql.execute_batch(OLD).unwrap();
        sql.execute_batch(
            "INSERT INTO meta (id, install_id) VALUES (1, 'old'); PRAGMA application_id = 0x436d7073; PRAGMA user_version = 1;",
        )
        .unwrap();
        sql.execute_batch(change).unwrap();
        drop(sql);
        let opened = code(open(&path));
        let version: u32 = open_sql(&path).query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!((opened, version > 1), if change.is_empty() { ("fine", true) } else { ("corrupt", false) });
    }
}
