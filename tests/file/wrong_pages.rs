//! A page of an index names a page of something else. Nobody needs that page of the index to read the other one, so what is rebuilt because of
//! it takes nothing away.

use compass_core::model::*;
use compass_core::{Compass, RestoreOptions};

use super::lost_indexes::integrity;
use crate::support::app::{App, change_page, code, fold, id, redaction, with_pages_of};

/// Sessions that are deleted or redacted.
const GONE: usize = 8;

/// An app with thirty delivered sessions that a search finds, in a file that is closed and has small pages.
fn closed() -> (App, Vec<SessionKey>) {
    let mut app = App::new();
    let keys: Vec<_> = (0..30)
        .map(|number| {
            let session = app.at_the_end().key;
            app.compass.note(session, &format!("Zwetschgen{number:02}"), &id()).unwrap();
            app.finish(session);
            session
        })
        .collect();
    app.deliver();
    app.compass.close().unwrap();
    with_pages_of(&app.path(), 512);
    app.compass = Compass::open(app.options()).unwrap();
    let filter = SessionFilter { text: Some("Zwetschgen".into()), ..SessionFilter::default() };
    assert_eq!(app.compass.sessions(&filter, None, 100).unwrap().sessions.len(), 30);
    app.compass.close().unwrap();
    (app, keys)
}

fn number_at(bytes: &[u8], at: usize) -> usize {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

/// The last page with rows of a table.
fn last_page(app: &App, table: &str) -> usize {
    let root: u32 = app.sql().query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [table], |row| row.get(0)).unwrap();
    let bytes = std::fs::read(app.path()).unwrap();
    let mut page = root as usize;
    while matches!(bytes[(page - 1) * 512], 2 | 5) {
        page = number_at(&bytes, (page - 1) * 512 + 8);
    }
    page
}

/// What a table has of the sessions that stay.
fn rows(app: &App, table: &str) -> Vec<String> {
    let (of, what) = match table {
        "session" => ("id", "lower(hex(key))"),
        "outbox" => ("session_id", "delivery_id"),
        "event" => ("session_id", "seq || json"),
        "value" => ("session_id", "field || json"),
        "note" => ("session_id", "seq || text"),
        _ => ("session_id", "number || section"),
    };
    let file = app.sql();
    let mut rows = file.prepare(&format!("SELECT {of} || ' ' || {what} FROM {table} NOT INDEXED WHERE {of} > {GONE}")).unwrap();
    let found = rows.query_map([], |row| row.get(0)).unwrap();
    found.map(|row| row.unwrap_or_else(|error| error.to_string())).collect()
}

/// In the first page of each of these trees the first page below is one of each of these tables.
fn takes_nothing(trees: &[&str], tables: &[&str], call: impl Fn(&App, SessionKey) -> &'static str) {
    let mut wrong = Vec::new();
    let (mut app, keys) = closed();
    let whole = std::fs::read(app.path()).unwrap();
    for (tree, table) in trees.iter().flat_map(|tree| tables.iter().map(move |table| (tree, table))) {
        std::fs::write(app.path(), &whole).unwrap();
        let other = last_page(&app, table) as u32;
        let expected = rows(&app, table);
        change_page(&app.path(), tree, false, |page| {
            assert!(matches!(page[0], 2 | 5), "an inner page");
            let cell = usize::from(u16::from_be_bytes([page[12], page[13]]));
            page[cell..cell + 4].copy_from_slice(&other.to_be_bytes());
        });
        assert_eq!(rows(&app, table), expected, "{tree}, {table}");
        app.compass = Compass::open(app.options()).unwrap();
        let done: Vec<_> = keys[..GONE].iter().map(|key| call(&app, *key)).filter(|done| *done != "fine").collect();
        app.compass.close().unwrap();
        if !done.is_empty() || rows(&app, table) != expected {
            wrong.push(format!("{tree}, {table}: {done:?}, {} of {} rows", rows(&app, table).len(), expected.len()));
        }
        let told = integrity(&app);
        if told != ["ok"] {
            wrong.push(format!("{tree}, {table}: {}, {}", told.len(), told[0]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_index_that_a_delete_rebuilds_takes_nothing_of_another_session() {
    let indexes = ["sqlite_autoindex_event_1", "sqlite_autoindex_action_1", "outbox_session"];
    takes_nothing(&indexes, &["value", "note", "visit"], |app, key| code(app.compass.delete(key)));
}

#[test]
fn an_index_that_a_redaction_rebuilds_takes_nothing_of_another_session() {
    let indexes = ["sqlite_autoindex_event_1", "sqlite_autoindex_action_1", "outbox_session"];
    let redact = |app: &App, key| code(app.compass.redact(key, &redaction(RedactionTarget::Field { key: "site".into() })));
    takes_nothing(&indexes, &["value", "note", "visit"], redact);
}

#[test]
fn a_search_index_that_a_delete_rebuilds_takes_nothing_of_another_session() {
    takes_nothing(&["search_content", "indexed_text"], &["session", "event", "outbox"], |app, key| code(app.compass.delete(key)));
}

/// Where the map of pages says what a page is and which page is above it: a byte and a number.
fn entry_of(page: usize) -> usize {
    let map = (page - 2) / 103 * 103 + 2;
    (map - 1) * 512 + 5 * (page - map - 1)
}

/// Makes the file with another entry in its map of pages, and checks it.
fn check_with_entry(app: &mut App, whole: &[u8], at: usize, kind: u8, above: u32) {
    let mut damaged = whole.to_vec();
    damaged[at] = kind;
    damaged[at + 1..at + 5].copy_from_slice(&above.to_be_bytes());
    std::fs::write(app.path(), &damaged).unwrap();
    app.compass = Compass::open(app.options()).unwrap();
    app.faults();
    app.compass.close().unwrap();
}

#[test]
fn what_the_map_says_of_the_first_page_of_a_tree_is_rebuilt_by_a_check_and_by_a_restore() {
    let (mut app, _) = closed();
    let whole = std::fs::read(app.path()).unwrap();
    for table in ["session", "sqlite_autoindex_event_1", "search_data"] {
        let root: u32 = app.sql().query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [table], |row| row.get(0)).unwrap();
        assert!((3..105).contains(&root), "of the first page of the map");
        for (kind, above) in [(0, 0), (2, 0), (5, 7), (1, 9)] {
            let mut damaged = whole.clone();
            let at = entry_of(root as usize);
            damaged[at..at + 5].copy_from_slice(&[kind, 0, 0, 0, above]);
            let copy = app.folder().join("copy.db");
            std::fs::write(&copy, &damaged).unwrap();
            let elsewhere = app.folder().join(format!("{table}-{kind}.db"));
            assert_eq!(code(Compass::restore(&copy, &RestoreOptions::new(&elsewhere))), "fine", "{table}, {kind}");

            std::fs::write(app.path(), &damaged).unwrap();
            app.compass = Compass::open(app.options()).unwrap();
            app.faults();
            assert_eq!(app.faults(), [""; 0], "{table}, {kind}");
            app.compass.close().unwrap();
        }
    }
}

#[test]
fn what_the_map_says_of_a_page_of_an_index_is_rebuilt_at_once_and_no_page_of_it_is_left_over() {
    let (mut app, _) = closed();
    let whole = std::fs::read(app.path()).unwrap();
    let mut wrong = Vec::new();
    for tree in ["search_content", "search_data", "sqlite_autoindex_event_1", "outbox_session"] {
        let page = last_page(&app, tree);
        let at = entry_of(page);
        let of_a_table = last_page(&app, "event") as u32;
        for (kind, above) in [(0, 0), (2, 0), (5, of_a_table)] {
            check_with_entry(&mut app, &whole, at, kind, above);
            let told = integrity(&app);
            if told != ["ok"] {
                wrong.push(format!("{tree}, {kind}: {told:?}"));
            }
            std::fs::write(app.path(), &whole).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_the_map_says_of_a_free_page_is_rebuilt() {
    let (mut app, _) = closed();
    app.sql().execute_batch("CREATE TABLE more (bytes BLOB); INSERT INTO more VALUES (zeroblob(9000)); DROP TABLE more").unwrap();
    fold(&app.path());
    let whole = std::fs::read(app.path()).unwrap();
    let list = number_at(&whole, 32);
    let of_a_table = last_page(&app, "event") as u32;
    for page in [list, number_at(&whole, (list - 1) * 512 + 8)] {
        let at = entry_of(page);
        for (kind, above) in [(0, 0), (1, 0), (5, of_a_table)] {
            check_with_entry(&mut app, &whole, at, kind, above);
            assert_eq!(integrity(&app), ["ok"], "{page}, {kind}");
        }
    }
}
