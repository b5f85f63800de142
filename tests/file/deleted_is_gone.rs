//! What was deleted is gone: from the file, from its WAL, from the search index and from later backups.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::app::{App, change_page, code, id, open_sql, redaction, set, text};
use crate::support::past_every_rule;
use crate::support::years::{filled, used};
use compass_core::model::*;
use compass_core::{CancelToken, Compass};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// What a session says that nobody else does, each where another table or index has it.
const WORDS: [&str; 8] =
    ["Zwetschgen", "Quarkstrudel", "Xanthippe", "Jodeldiplom", "Kyffhäuser", "Vogelscheuche", "Pfefferminz", "zwetschgen"];

/// A session that says all of them, was found by them, and whose messages were delivered.
fn told(app: &App) -> SessionKey {
    let start = Start { actor: Some("Xanthippe".into()), ..Start::new("pump-check", "id-Kyffhäuser") };
    let session = app.compass.start(&start).unwrap().view.key;
    app.set(session, "site", "Zwetschgen 7");
    app.compass.save_draft(session, "remark", "Pfefferminz?").unwrap();
    app.compass.note(session, "Quarkstrudel in the yard", &id()).unwrap();
    search(app);
    app.answer(session, "on");
    app.answer(session, "fine");
    app.finish(session);
    app.deliver();
    search(app);
    app.compass.edit(session, None, None, vec![set("site", text("Jodeldiplom 8"))], vec![], &id()).unwrap();
    app.compass.note(session, "Vogelscheuche", &id()).unwrap();
    search(app);
    session
}

/// One that says something else.
fn told_other(app: &App) -> SessionKey {
    let session = app.completed();
    app.deliver();
    app.compass.note(session, "Murmeltier", &id()).unwrap();
    search(app);
    session
}

fn search(app: &App) {
    let filter = SessionFilter { text: Some("zwetschgen".into()), ..Default::default() };
    app.compass.sessions(&filter, None, 10).unwrap();
}

fn has(file: &Path, word: &str) -> bool {
    let bytes = std::fs::read(file).unwrap();
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

/// The words that are still somewhere in the app's folder.
fn left(app: &App) -> Vec<&'static str> {
    let files: Vec<_> = std::fs::read_dir(app.folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    WORDS.into_iter().filter(|word| files.iter().any(|file| has(file, word))).collect()
}

fn left_in_a_backup(app: &App) -> Vec<&'static str> {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    app.compass.backup(&copy).unwrap();
    WORDS.into_iter().filter(|word| has(&copy, word)).collect()
}

#[test]
fn no_word_of_a_deleted_session_is_left() {
    let app = App::new();
    let before = app.completed();
    let session = told(&app);
    app.completed();
    assert_eq!(left(&app), WORDS, "the look is not blind");
    assert!(left_in_a_backup(&app).len() >= 6);
    // Of `Quarkstrudel`; no other word has it, so the index holds it as it is.
    let pieces = || app.count("SELECT count(*) FROM search_data WHERE instr(block, CAST('qua' AS BLOB)) > 0");
    assert!(pieces() > 0);
    assert_eq!(app.compass.delete(session).unwrap().erased, Erased::Now);
    assert_eq!(left(&app), [""; 0]);
    assert_eq!(pieces(), 0, "nor a piece of one");
    assert_eq!(left_in_a_backup(&app), [""; 0]);
    assert_eq!(app.view(before).state, SessionState::Completed);
    assert_eq!(app.faults(), [""; 0]);
}

/// What damage makes of the search index.
const DAMAGE: [&str; 9] = [
    "UPDATE search_data SET block = zeroblob(length(block)) WHERE id > 10",
    "DELETE FROM search_data WHERE id > 10",
    "UPDATE search_content SET c0 = CAST(x'ff' || CAST(c0 AS BLOB) AS TEXT)",
    "UPDATE search_content SET c0 = 'odd'",
    "DELETE FROM search_content",
    "DELETE FROM search_idx",
    "UPDATE indexed_text SET sha256 = x'00'",
    "DELETE FROM indexed_text",
    "UPDATE search_content SET c0 = NULL",
];

#[test]
fn a_damaged_search_index_keeps_nothing_from_being_taken_out() {
    for damage in DAMAGE {
        for call in ["redact", "delete", "purge"] {
            let app = App::new();
            let session = told(&app);
            let other = told_other(&app);
            past_every_rule(&app.sql(), |sql| sql.execute_batch(damage).unwrap());
            let taken = match call {
                "redact" => app.compass.redact(session, &redaction(RedactionTarget::Field { key: "site".into() })).map(|out| out.erased),
                "delete" => app.compass.delete(session).map(|report| report.erased),
                _ => {
                    let time = Timestamp::from_timestamp_millis(4_000_000_000_000).unwrap();
                    let report = app.compass.purge_all_before(time, "Mia").unwrap();
                    assert_eq!(report.purged, 2, "{damage}");
                    Ok(report.erased)
                }
            };
            assert_eq!(taken.map_err(|error| error.to_string()), Ok(Erased::Now), "{call}: {damage}");
            let pieces = || app.count("SELECT count(*) FROM search_data WHERE instr(block, CAST('jod' AS BLOB)) > 0");
            assert_eq!(pieces(), 0, "{call}: {damage}");
            // What only a look at all of the index finds is told once, and repaired with it.
            app.faults();
            let found = |words: &str| {
                let filter = SessionFilter { text: Some(words.into()), ..Default::default() };
                app.compass.sessions(&filter, None, 10).unwrap().sessions.into_iter().map(|session| session.key).collect::<Vec<_>>()
            };
            assert_eq!(found("jodeldiplom"), []);
            assert_eq!(found("murmeltier"), if call == "purge" { vec![] } else { vec![other] }, "{call}: {damage}");
            assert_eq!(app.faults(), [""; 0], "{call}: {damage}");
            assert_eq!(pieces(), 0, "{call}: {damage}");
        }
    }
}

#[test]
fn no_word_of_purged_sessions_is_left_and_the_file_shrinks() {
    let mut app = App::new();
    told(&app);
    for number in 0..120 {
        let session = app.start().key;
        app.set(session, "site", &format!("{number} {}", "Zwetschgen ".repeat(200)));
        app.compass.discard(session).unwrap();
    }
    search(&app);
    app.days(2);
    app.reopen();
    let length = || std::fs::metadata(app.path()).unwrap().len();
    let before = length();
    let report = app.compass.purge(DAY).unwrap();
    assert_eq!((report.purged, report.erased), (121, Erased::Now));
    assert_eq!(left(&app), [""; 0]);
    assert_eq!(left_in_a_backup(&app), [""; 0]);
    assert!(length() < before / 2, "{before} bytes before, {} after", length());
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn bodies_that_are_dropped_are_gone() {
    let app = App::new();
    let session = app.completed();
    app.deliver();
    let word = session.to_string();
    let is_there = || {
        let body = format!("\"{word}\"");
        std::fs::read_dir(app.folder()).unwrap().any(|entry| has(&entry.unwrap().path(), &body))
    };
    assert!(is_there());
    app.days(100);
    let report = app.compass.purge(3650 * DAY).unwrap();
    assert_eq!((report.bodies_dropped, report.erased), (3, Erased::Now));
    assert!(!is_there());
}

/// A session was deleted while somebody read.
fn deleted_beside_a_reader() -> (App, rusqlite::Connection) {
    let app = App::new();
    let session = told(&app);
    let reader = app.sql();
    reader.execute_batch("BEGIN; SELECT count(*) FROM meta").unwrap();
    reader.query_row("SELECT count(*) FROM session", [], |_| Ok(())).unwrap();
    assert_eq!(app.compass.delete(session).unwrap().erased, Erased::AtNextClose);
    assert!(!left(&app).is_empty());
    (app, reader)
}

#[test]
fn what_somebody_still_reads_is_gone_with_the_next_write() {
    let (app, reader) = deleted_beside_a_reader();
    app.start();
    assert!(!left(&app).is_empty(), "it is still read");
    reader.execute_batch("COMMIT").unwrap();
    app.start();
    assert_eq!(left(&app), [""; 0]);
}

#[test]
fn what_somebody_still_reads_is_gone_when_the_file_is_closed() {
    let (app, reader) = deleted_beside_a_reader();
    // It stays open, and reads no more.
    reader.execute_batch("COMMIT").unwrap();
    app.compass.close().unwrap();
    assert_eq!(left(&app), [""; 0]);
    drop(reader);
}

#[test]
fn what_somebody_still_reads_is_gone_when_the_file_is_opened() {
    let (mut app, reader) = deleted_beside_a_reader();
    app.compass.clone().kill();
    assert!(!left(&app).is_empty());
    reader.execute_batch("COMMIT").unwrap();
    app.compass = Compass::open(app.options()).unwrap();
    assert_eq!(left(&app), [""; 0]);
    drop(reader);
}

#[test]
fn a_delete_while_quiesced_leaves_nothing_either() {
    let app = App::new();
    let session = told(&app);
    app.compass.quiesce().unwrap();
    assert_eq!(app.compass.delete(session).unwrap().erased, Erased::Now);
    assert_eq!(left(&app), [""; 0]);
}

#[test]
fn a_file_that_cannot_shrink_is_rewritten_when_it_is_opened() {
    let mut app = App::new();
    let session = told(&app);
    app.compass.close().unwrap();
    let sql = app.sql();
    sql.execute_batch("PRAGMA secure_delete = OFF; PRAGMA auto_vacuum = NONE; VACUUM").unwrap();
    sql.execute_batch(&format!("CREATE TABLE gone (text TEXT); INSERT INTO gone VALUES ('{}')", "Murmeltier ".repeat(5_000))).unwrap();
    sql.execute_batch("DROP TABLE gone; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(sql);
    let shrinks = |app: &App| (app.count("PRAGMA auto_vacuum"), app.count("PRAGMA freelist_count"));
    assert!(shrinks(&app).0 == 0 && shrinks(&app).1 > 10 && has(&app.path(), "Murmeltier"));
    app.compass = Compass::open(app.options()).unwrap();
    assert_eq!(shrinks(&app), (2, 0));
    assert!(!has(&app.path(), "Murmeltier"));
    assert_eq!(app.record(session).notes.len(), 2, "what was not deleted is there");
    assert_eq!(app.faults(), [""; 0]);
    let before = std::fs::read(app.path()).unwrap();
    app.reopen();
    assert!(std::fs::read(app.path()).unwrap() == before, "once");
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// Sessions of all sizes change in any order and go in any order. Gives those of which a word was left, with the step.
fn left_of_any(seed: u64, steps: usize) -> Vec<String> {
    let mut dice = Dice(seed);
    let app = App::new();
    let mut open: Vec<(SessionKey, String)> = Vec::new();
    let mut left = Vec::new();
    for step in 0..steps {
        match dice.roll(12) {
            0..=2 => {
                // In texts of this session alone.
                let word = format!("Q{step:04}Z");
                let start = Start { actor: Some(format!("{word} actor")), ..Start::new("pump-check", format!("{word}-{}", id())) };
                open.push((app.compass.start(&start).unwrap().view.key, word));
            }
            3..=9 if !open.is_empty() => {
                let (session, word) = &open[dice.roll(open.len())];
                let long = format!("{word} ").repeat(1 + dice.roll(4) * dice.roll(60));
                match dice.roll(4) {
                    0 => drop(app.set(*session, "site", &format!("{word} {}", "x".repeat(dice.roll(400))))),
                    1 => drop(app.set(*session, "remark", &long)),
                    2 => drop(app.compass.note(*session, &long, &format!("{word}{}", id())).unwrap()),
                    _ => app.compass.save_draft(*session, "remark", &long).unwrap(),
                }
            }
            10 | 11 if open.len() > 8 => {
                let (session, word) = open.swap_remove(dice.roll(open.len()));
                app.compass.discard(session).unwrap();
                assert_eq!(app.compass.delete(session).unwrap().erased, Erased::Now);
                if has(&app.path(), &word) {
                    left.push(format!("{word} at step {step}"));
                }
            }
            _ => {}
        }
    }
    left
}

#[test]
fn no_word_is_left_whatever_was_written_before() {
    // Where pages are not cleaned, each of these leaves a word in the gap of one.
    for seed in [4, 8, 31, 38] {
        assert_eq!(left_of_any(seed, 110), [""; 0], "seed {seed}");
    }
}

#[test]
fn what_is_owed_when_quiesced_goes_at_the_next_open() {
    let (mut app, reader) = deleted_beside_a_reader();
    drop(reader);
    app.compass.quiesce().unwrap();
    let files = || {
        let files =
            std::fs::read_dir(app.folder()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| !path.ends_with("compass.db-shm"));
        files.map(|path| (std::fs::read(&path).unwrap(), path)).collect::<Vec<_>>()
    };
    let before = files();
    app.compass.close().unwrap();
    assert!(files() == before, "the file is left alone");
    assert!(!left(&app).is_empty());
    app.compass = Compass::open(app.options()).unwrap();
    assert_eq!(left(&app), [""; 0]);
}

/// Puts a word into the gap of each of these pages that has one, past SQLite, as a balanced tree leaves it.
fn put_into_gaps(sql: &rusqlite::Connection, word: &str, of: impl Fn(u32) -> bool) -> usize {
    let mut pages = sql.prepare("SELECT pgno, data FROM sqlite_dbpage WHERE pgno > 1").unwrap();
    let pages = pages.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let is_meant = |(number, page): &(u32, Vec<u8>)| matches!(page[0], 10 | 13) && of(*number);
    let pages: Vec<(u32, Vec<u8>)> = pages.map(Result::unwrap).filter(is_meant).collect();
    let mut put = 0;
    sql.execute_batch("BEGIN").unwrap();
    for (number, mut page) in pages {
        let short = |at: usize| usize::from(u16::from_be_bytes([page[at], page[at + 1]]));
        let gap = 8 + 2 * short(3)..short(5);
        if gap.len() >= word.len() {
            page[gap.start..gap.start + word.len()].copy_from_slice(word.as_bytes());
            sql.execute("UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1", rusqlite::params![number, page]).unwrap();
            put += 1;
        }
    }
    sql.execute_batch("COMMIT").unwrap();
    put
}

#[test]
fn a_copy_is_cleaned_when_it_is_opened() {
    let mut app = App::new();
    told(&app);
    let open = app.start().key;
    app.compass.save_draft(open, "remark", "?").unwrap();
    app.compass.close().unwrap();
    let sql = app.sql();
    // Long enough for a second page of the map, which looks like a page of a tree and is none.
    sql.execute("UPDATE draft SET text = hex(randomblob(2000000)) WHERE text = '?'", []).unwrap();
    assert!(app.count("PRAGMA page_count") > 900);
    assert!(put_into_gaps(&sql, "Murmeltier", |_| true) > 20);
    sql.execute_batch("PRAGMA journal_mode = DELETE").unwrap();
    drop(sql);
    assert!(has(&app.path(), "Murmeltier"));
    app.compass = Compass::open(app.options()).unwrap();
    assert!(!has(&app.path(), "Murmeltier"));
    assert_eq!(app.faults(), [""; 0]);
}

/// All rows of a table.
fn rows(file: &Path, table: &str) -> Vec<Vec<rusqlite::types::Value>> {
    let sql = open_sql(file);
    let mut rows = sql.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let columns = rows.column_count();
    rows.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_damaged_page_of_a_copy_keeps_what_can_be_read_of_it() {
    let app = App::new();
    for _ in 0..20 {
        let session = app.at_the_end().key;
        app.compass.note(session, &"it was loud ".repeat(20), &id()).unwrap();
        app.finish(session);
    }
    let copy = app.folder().join("copy.db");
    app.compass.backup(&copy).unwrap();
    for table in ["workflow", "event", "value", "note", "outbox", "body"] {
        let mut options = app.options();
        options.path = app.folder().join(format!("{table}.db"));
        std::fs::copy(&copy, &options.path).unwrap();
        // One bit of the place where the rows of the page begin: it is behind the first of them now. SQLite reads them all the same.
        change_page(&options.path, table, true, |page| {
            let begins = u16::from_be_bytes([page[5], page[6]]);
            let bit = (0..12).rev().map(|bit| 1 << bit).find(|bit| begins & bit == 0 && begins | bit < 4_000).unwrap();
            page[5..7].copy_from_slice(&(begins | bit).to_be_bytes());
        });
        let (file, expected) = (options.path.clone(), rows(&options.path, table));
        Compass::open(options).unwrap().close().unwrap();
        assert!(rows(&file, table) == expected, "{table}");
    }
}

/// The pages in the WAL, each once.
fn in_wal(app: &App) -> BTreeSet<u32> {
    let wal = std::fs::read(app.folder().join("compass.db-wal")).unwrap();
    wal[32..].chunks(24 + 4096).map(|frame| u32::from_be_bytes(frame[..4].try_into().unwrap())).collect()
}

/// The middle one of some times and what they used of a processor, in milliseconds.
fn middle(mut of: Vec<(f64, f64)>) -> String {
    of.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (time, processor) = of[of.len() / 2];
    format!("{time:.2} ms, {processor:.2} ms of a processor")
}

fn timed(work: impl FnOnce()) -> (f64, f64) {
    let (began, before) = (Instant::now(), used());
    work();
    (began.elapsed().as_secs_f64() * 1e3, used() - before)
}

#[test]
#[ignore = "takes a minute; prints what docs/decisions/0035 says of cleaning in a file of SESSIONS, 10,000 if not said otherwise"]
fn what_it_costs_that_nothing_is_left() {
    let sessions: u32 = std::env::var("SESSIONS").map_or(10_000, |count| count.parse().unwrap());
    let mut app = App::new();
    filled(&app, sessions);
    while app.compass.sessions(&SessionFilter { text: Some("x".into()), ..Default::default() }, None, 1).unwrap().not_indexed > 0 {
        app.compass.flush(Duration::from_secs(600), &CancelToken::new()).unwrap();
    }
    app.reopen();
    println!("{} pages", app.count("PRAGMA page_count"));
    for (count, is_left) in [(1, false), (1, true), (30, false), (30, true), (300, false), (300, true)] {
        let mut pages = 0;
        let times = (0..9).map(|_| {
            let sql = app.sql();
            sql.execute_batch("PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = ON").unwrap();
            sql.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
            sql.execute("UPDATE note SET at = at + 1 WHERE session_id % (?1 / ?2) = 1 AND session_id / (?1 / ?2) < ?2", [sessions, count])
                .unwrap();
            let changed = in_wal(&app);
            pages = changed.len();
            if is_left {
                put_into_gaps(&sql, "Murmeltier", |number| changed.contains(&number));
            }
            drop(sql);
            let time = timed(|| app.compass.close().unwrap());
            app.compass = Compass::open(app.options()).unwrap();
            time
        });
        let times = middle(times.collect());
        println!("closing after {pages} changed pages, {} with something in the gap: {times}", if is_left { "each" } else { "none" });
    }
    let page = app.compass.sessions(&SessionFilter::default(), None, 200).unwrap();
    let keys = page.sessions.iter().skip(50).step_by(10).map(|session| session.key);
    let times = keys.map(|key| timed(|| assert_eq!(app.compass.delete(key).unwrap().erased, Erased::Now)));
    println!("deleting a session: {}", middle(times.collect()));
    let reader = app.sql();
    reader.execute_batch("BEGIN").unwrap();
    reader.query_row("SELECT count(*) FROM meta", [], |_| Ok(())).unwrap();
    app.compass.delete(page.sessions[0].key).unwrap();
    println!("it changes {} pages", in_wal(&app).len());
}

#[test]
fn what_was_kept_of_the_database_before_is_gone_when_it_is_opened() {
    let app = App::new();
    let session = told(&app);
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    app.compass.backup(&copy).unwrap();
    let other = Compass::open(app.options().as_other_process()).unwrap();
    app.compass.close().unwrap();
    Compass::restore(&copy, &compass_core::RestoreOptions::new(app.path())).unwrap();
    assert_eq!(other.delete(session).unwrap().erased, Erased::AtNextClose);
    assert!(!left(&app).is_empty());
    other.close().unwrap();
    Compass::open(app.options()).unwrap();
    assert_eq!(left(&app), [""; 0]);
}

#[test]
fn no_word_is_left_of_what_went_before_a_purge_was_cut_short() {
    let app = App::new();
    app.days(2);
    let session = told(&app);
    // Quiesced by another thread between two transactions of it: the app goes to the background.
    let (compass, once) = (app.compass.clone(), std::sync::Once::new());
    let subscription = app.compass.observe(std::sync::Arc::new(move |_| {
        let compass = compass.clone();
        once.call_once(|| std::thread::spawn(move || compass.quiesce()).join().unwrap().unwrap());
    }));
    assert_eq!(code(app.compass.purge(Duration::ZERO)), "locked");
    drop(subscription);
    let _hold = app.compass.resume().unwrap();
    assert_eq!(code(app.compass.session(session)), "deleted_session");
    app.start();
    assert_eq!(left(&app), [""; 0]);
}

#[test]
fn no_piece_is_left_whatever_the_index_was_told() {
    let mut app = App::new();
    let (session, before) = (told(&app), told_other(&app));
    crate::support::past_every_rule(&app.sql(), |sql| {
        sql.execute_batch("UPDATE search_config SET v = 0 WHERE k = 'secure-delete'").unwrap()
    });
    app.reopen();
    assert_eq!(app.compass.delete(session).unwrap().erased, Erased::Now);
    let pieces = app.count("SELECT count(*) FROM search_data WHERE instr(block, CAST('qua' AS BLOB)) > 0");
    assert_eq!((pieces, left(&app)), (0, vec![]));
    let filter = SessionFilter { text: Some("murmel".into()), ..Default::default() };
    assert_eq!(app.compass.sessions(&filter, None, 10).unwrap().sessions.len(), 1);
    assert_eq!((app.view(before).state, app.faults()), (SessionState::Completed, vec![]));
}
