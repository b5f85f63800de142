//! Updates that do not come to their end, and files that cannot be updated.

use std::io::Read;

use rusqlite::Batch;
use rusqlite::fallible_iterator::FallibleIterator;

use super::*;
use crate::support::field::{Process, eventually, say, setting};

/// What takes each old schema to the next.
const UPDATES: [&str; OLD.len()] =
    [include_str!("../../src/store/sql/0002_delivery.sql"), include_str!("../../src/store/sql/0003_the_file.sql")];

/// The file opens, with all that was in it, and in the schema that it should have.
fn opens_whole(path: &Path, from: u32, before: &[String], what: &str) {
    open(path).unwrap_or_else(|error| panic!("{what}: {error}")).close().unwrap();
    assert_eq!(version(path), OLD.len() as u32 + 1, "{what}");
    let after = picture(path, from);
    let others: Vec<_> = after.iter().filter(|row| !before.contains(row)).chain(before.iter().filter(|row| !after.contains(row))).collect();
    assert!(after == before, "{what}: other rows than before: {:?}", others.iter().take(4).collect::<Vec<_>>());
}

#[test]
fn an_update_that_ends_at_any_statement_is_made_again() {
    old_schemas().for_each(an_update_from);
}

fn an_update_from(schema: u32) {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old.db");
    old_file(&old, schema);
    let before = picture(&old, schema);
    for end in 0.. {
        let path = folder.path().join(format!("{end}.db"));
        std::fs::copy(&old, &path).unwrap();
        let sql = Connection::open(&path).unwrap();
        sql.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE").unwrap();
        let mut statements = Batch::new(&sql, UPDATES[schema as usize - 1]);
        let mut done = 0;
        while done < end {
            let Some(mut statement) = statements.next().unwrap() else { break };
            statement.execute([]).unwrap();
            done += 1;
        }
        drop(sql);
        assert_eq!(version(&path), schema);
        assert_eq!(picture(&path, schema), before, "after {end} statements");
        opens_whole(&path, schema, &before, &format!("after {end} statements"));
        if done < end {
            assert!(end > 50, "the update has {done} statements");
            return;
        }
    }
}

#[test]
#[ignore = "runs in processes of its own, for the tests below"]
fn a_process_that_opens_the_file() {
    say("opens");
    let compass = open(Path::new(&setting("DATABASE"))).unwrap();
    say(compass.totals().unwrap().sessions.completed);
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    compass.close().unwrap();
}

fn opening(path: &Path) -> Process {
    let mut process = Process::run("interrupted::a_process_that_opens_the_file", &[("DATABASE", path.to_str().unwrap())]);
    assert_eq!(process.line().as_deref(), Some("opens"));
    process
}

/// So many more sessions that an update takes a while.
const MORE: &str = "
    WITH RECURSIVE n (n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM n WHERE n < 25000)
    INSERT INTO session (id, key, workflow_id, state, won, started_at, finished_at, section_name, last_visit, last_seq)
    SELECT n, randomblob(16), 2, 'completed', 1, n, n, 'office', 1, 0 FROM n;
    UPDATE sqlite_sequence SET seq = 25000 WHERE name = 'session'";

#[test]
fn a_process_that_is_killed_in_the_middle_of_an_update_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old.db");
    old_file_with(&old, 1, MORE);
    let before = picture(&old, 1);
    let mut in_the_middle = 0;
    for kill in 0..60 {
        let path = folder.path().join(format!("{kill}.db"));
        std::fs::copy(&old, &path).unwrap();
        let process = opening(&path);
        // What an unfinished update has written stands in the WAL, and counts for nothing.
        let wal = format!("{}-wal", path.display());
        eventually("the update writes", || std::fs::metadata(&wal).is_ok_and(|wal| wal.len() > 0));
        process.kill();
        let unfinished = version(&path) as usize <= OLD.len();
        assert!(picture(&path, 1) == before, "kill {kill}: other rows than before");
        if unfinished {
            in_the_middle += 1;
            opens_whole(&path, 1, &before, &format!("kill {kill}"));
        }
        std::fs::remove_file(&path).unwrap();
        if in_the_middle == 3 {
            return;
        }
    }
    panic!("{in_the_middle} of 60 kills fell into an update");
}

#[test]
fn two_processes_that_open_an_old_file_at_once_update_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("compass.db");
    old_file(&path, 1);
    let before = picture(&path, 1);
    let both = [opening(&path), opening(&path)];
    let told: Vec<_> = both.into_iter().map(Process::finish).collect();
    assert!(told[0].len() == 1 && told[0] == told[1], "{told:?}");
    opens_whole(&path, 1, &before, "after both");
}

#[test]
fn a_file_with_a_row_that_refers_to_nothing_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("compass.db");
    old_file_with(&path, 1, "INSERT INTO note VALUES (4711, 1, 1, NULL, 'of a session that is not there', 0)");
    let before = picture(&path, 1);
    let error = open(&path).unwrap_err();
    assert_eq!((error.code(), error.retryable()), ("corrupt", false));
    let told = error.to_string();
    assert!(told.contains("note") && !told.contains("not there"), "{told}");
    assert_eq!((version(&path), picture(&path, 1)), (1, before));
}
