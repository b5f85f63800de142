//! Files of earlier schemas with rows of every kind: they open, nothing is lost, and work goes on, no matter what happens in the middle.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;

mod history;
mod interrupted;
mod used;

use std::path::Path;
use std::sync::Arc;

use compass_core::testing::ManualClock;
use compass_core::{Compass, Error, Options};
use rusqlite::Connection;
use support::past_every_rule;

/// Each schema before the newest: what made it, and rows that its last release left.
const OLD: [(&[&str], &str); 2] = [
    (&[include_str!("../schema/0001.sql")], include_str!("../schema/0001-data.sql")),
    (&[include_str!("../schema/0001.sql"), include_str!("../schema/0002.sql")], include_str!("../schema/0002-data.sql")),
];

/// Every schema before the newest.
fn old_schemas() -> impl Iterator<Item = u32> {
    1..=OLD.len() as u32
}

/// An empty database of this schema.
fn make(sql: &Connection, schema: u32) {
    sql.pragma_update(None, "foreign_keys", false).unwrap();
    OLD[schema as usize - 1].0.iter().for_each(|made| sql.execute_batch(made).unwrap());
}

/// Makes the file that the release of this schema left.
fn old_file(path: &Path, schema: u32) {
    old_file_with(path, schema, "");
}

/// The same with something more, which no trigger looks at.
fn old_file_with(path: &Path, schema: u32, more: &str) {
    let sql = Connection::open(path).unwrap();
    sql.pragma_update(None, "synchronous", false).unwrap();
    make(&sql, schema);
    let rows = OLD[schema as usize - 1].1;
    past_every_rule(&sql, |sql| sql.execute_batch(&format!("BEGIN; {rows} {more}; COMMIT")).unwrap());
}

/// With a clock that stands still: of two processes at once, the one that waited would write later with an earlier time, as after a clock that
/// was set back, and end the times of the old rows that are far ahead.
fn open(path: &Path) -> Result<Compass, Error> {
    Compass::open(Options::new(path).clock(Arc::new(ManualClock::default())))
}

fn version(path: &Path) -> u32 {
    Connection::open(path).unwrap().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

/// The columns that a schema had, table by table.
fn columns(schema: u32) -> Vec<(String, Vec<String>)> {
    let sql = Connection::open_in_memory().unwrap();
    make(&sql, schema);
    let names = |text: &str| -> Vec<String> {
        let mut statement = sql.prepare(text).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(|name| name.unwrap()).collect()
    };
    let tables = names("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'session_text%' ORDER BY name");
    let with_columns = |table: String| {
        let columns = names(&format!("SELECT name FROM pragma_table_info('{table}')"));
        (table, columns)
    };
    tables.into_iter().map(with_columns).collect()
}

/// Everything that was in the file when this schema was left, in its terms.
fn picture(path: &Path, schema: u32) -> Vec<String> {
    let sql = Connection::open(path).unwrap();
    let now = version(path);
    let mut picture = Vec::new();
    for (table, columns) in columns(schema) {
        let name = |column: &String| match column.as_str() {
            "first_contact_at" if now >= 2 => "last_failure_at".to_owned(),
            "offline_tries" if now >= 3 => "offline_attempts".to_owned(),
            "body" if now >= 3 => "(SELECT bytes FROM body WHERE sha256 = body_sha256 AND body_kept = 1)".to_owned(),
            // No release before schema 3 wrote these.
            "differs" | "actions_differing" => "NULL".to_owned(),
            name => name.to_owned(),
        };
        let list = columns.iter().map(name).collect::<Vec<_>>().join(", ");
        let mut statement = sql.prepare(&format!("SELECT {list} FROM {table} ORDER BY 1, 2")).unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<_> = (0..columns.len()).map(|at| format!("{:?}", row.get_ref(at).unwrap())).collect();
            picture.push(format!("{table}: {}", values.join(", ")));
        }
    }
    picture
}

fn schema(path: &Path) -> Vec<(String, String, Option<String>)> {
    let sql = Connection::open(path).unwrap();
    let mut rows = sql.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").unwrap();
    rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap().map(|row| row.unwrap()).collect()
}

#[test]
#[ignore = "writes the rows that this release leaves behind, for tests/schema/NNNN-data.sql; DATA says where to"]
fn a_database_with_every_kind_of_row_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("compass.db"), folder.path().join("copy.db"));
    history::live(&path, &copy);
    std::fs::write(std::env::var("DATA").unwrap(), history::dump(&copy)).unwrap();
}
