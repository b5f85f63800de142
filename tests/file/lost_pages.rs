//! A page that cannot be read: what can be rebuilt is rebuilt, and what cannot keeps no other session from anything.

use std::path::Path;
use std::time::Duration;

use compass_core::model::*;
use compass_core::testing::ScriptedTransport;
use compass_core::{Compass, RestoreOptions};

use crate::support::app::{App, change_page, code, endpoint, fold, id, lose_page, open_sql, redaction, set, text, with_pages_of};

/// The tables of the search index.
const OF_INDEX: [&str; 6] = ["search_content", "search_data", "search_idx", "search_config", "indexed_text", "open_text"];

/// Sessions that were finished, and those that are in progress.
const FINISHED: usize = 20;
const OPEN: usize = 5;

fn page_of(app: &App, words: &str) -> Result<SessionPage, compass_core::Error> {
    let filter = SessionFilter { text: Some(words.into()), ..Default::default() };
    app.compass.sessions(&filter, None, 100)
}

fn found(app: &App, words: &str) -> usize {
    page_of(app, words).unwrap().sessions.len()
}

/// An app whose sessions are all in the index, with texts that are longer than a small page; it is closed. The first finished session says what
/// no other says.
fn indexed() -> (App, Vec<SessionKey>) {
    let app = App::new();
    let long = (0..200).map(|word| format!("w{word}")).collect::<Vec<_>>().join(" ");
    let mut keys = Vec::new();
    for number in 0..FINISHED {
        let session = app.at_the_end().key;
        app.compass.note(session, &long, &id()).unwrap();
        if number == 0 {
            app.set(session, "site", "Zwetschgen at Mill Lane");
        }
        app.finish(session);
        keys.push(session);
    }
    for _ in 0..OPEN {
        let session = app.at_the_end().key;
        app.compass.note(session, &long, &id()).unwrap();
    }
    app.deliver();
    assert_eq!(found(&app, "mill"), FINISHED + OPEN);
    app.compass.close().unwrap();
    (app, keys)
}

fn has(path: &Path, word: &str) -> bool {
    std::fs::read(path).unwrap().windows(word.len()).any(|window| window == word.as_bytes())
}

/// Not even where the page of which nobody knows what it holds still holds it.
fn make_unreadable(path: &Path, table: &str, of_rows: bool) {
    change_page(path, table, of_rows, |page| page[0] = 0xa5);
}

const CALLS: [&str; 7] = ["search", "redact", "edit", "note", "delete", "purge", "check"];

#[test]
fn a_page_of_the_index_that_cannot_be_read_keeps_nothing_from_being_done() {
    let (mut app, keys) = indexed();
    let sizes = [4096, 512, 65_536].map(|size| {
        with_pages_of(&app.path(), size);
        (size, std::fs::read(app.path()).unwrap())
    });
    let mut wrong = Vec::new();
    // Each call for each table, and at least one for each page that is lost.
    let mut calls = CALLS.iter().cycle();
    for table in OF_INDEX {
        for ((size, whole), of_rows) in sizes.iter().flat_map(|whole| [(whole, true), (whole, false)]) {
            for call in calls.by_ref().take(if *size == 4096 { 3 } else { 1 }) {
                std::fs::write(app.path(), whole).unwrap();
                make_unreadable(&app.path(), table, of_rows);
                app.compass = Compass::open(app.options()).unwrap();
                let place = format!("{table}, {size}, {of_rows}, {call}");
                wrong.extend(wrong_after(&app, &keys, call).into_iter().map(|what| format!("{place}: {what}")));
                app.compass.close().unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{} {wrong:#?}", wrong.len());
}

/// What a call does wrong in a file of which a page of the index cannot be read.
fn wrong_after(app: &App, keys: &[SessionKey], call: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let compass = &app.compass;
    let done = match call {
        "search" => code(page_of(app, "mill")),
        "redact" => code(compass.redact(keys[0], &redaction(RedactionTarget::Field { key: "site".into() }))),
        "edit" => code(compass.edit(keys[0], None, None, vec![set("site", text("Elsewhere at Mill Lane"))], vec![], &id())),
        "note" => code(compass.note(keys[0], "found by nobody else", &id())),
        "delete" => code(compass.delete(keys[0])),
        "purge" => {
            app.tick();
            code(compass.purge(Duration::ZERO))
        }
        _ => {
            if app.faults().is_empty() {
                wrong.push("check tells nothing".to_owned());
            }
            "fine"
        }
    };
    if done != "fine" {
        wrong.push(done.to_owned());
        return wrong;
    }
    let left = match call {
        "purge" => OPEN,
        "delete" | "redact" => FINISHED + OPEN - 1,
        _ => FINISHED + OPEN,
    };
    if !matches!(call, "edit" | "note" | "check" | "search") && has(&app.path(), "zwetschgen") {
        wrong.push("what was taken out is there".to_owned());
    }
    match page_of(app, "mill") {
        Ok(page) if page.sessions.len() == left && page.not_indexed == 0 => {}
        Ok(page) => wrong.push(format!("{} of {left} are found, {} not indexed", page.sessions.len(), page.not_indexed)),
        Err(error) => wrong.push(format!("search: {error}")),
    }
    let faults = app.faults();
    // What the call did not come across.
    if matches!(call, "redact" | "delete" | "purge") && !faults.is_empty() || !app.faults().is_empty() {
        wrong.push(format!("{faults:?}"));
    }
    wrong
}

/// An app whose sessions are all in the index, with texts of several pages; it is closed.
fn with_long_texts() -> App {
    let app = App::new();
    for _ in 0..8 {
        let session = app.at_the_end().key;
        app.set(session, "page1", &(0..2_500).map(|word| format!("w{word} ")).collect::<String>());
        app.finish(session);
    }
    assert_eq!(found(&app, "mill"), 8);
    app.compass.close().unwrap();
    app
}

#[test]
fn a_page_of_another_table_that_is_lost_as_well_keeps_no_index_damaged() {
    let mut app = with_long_texts();
    let whole = std::fs::read(app.path()).unwrap();
    let root: u32 =
        open_sql(&app.path()).query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'event'", [], |row| row.get(0)).unwrap();
    // The map stands on the second page. Of each page behind it, it says what it is, and which one is above it.
    let map = || whole[4096..8192].chunks_exact(5).zip(3..);
    let below = |kind: u8, above: u32| map().find(|(entry, _)| entry[0] == kind && entry[1..5] == above.to_be_bytes()).unwrap().1;
    let of_a_long_text = below(3, below(5, root)) as usize;
    for fill in [0, 0xa5] {
        let mut bytes = whole.clone();
        bytes[(of_a_long_text - 1) * 4096..of_a_long_text * 4096].fill(fill);
        std::fs::write(app.path(), &bytes).unwrap();
        make_unreadable(&app.path(), "search_content", true);
        app.compass = Compass::open(app.options()).unwrap();
        assert_eq!(page_of(&app, "mill").map(|page| page.not_indexed).map_err(|error| error.code()), Ok(0), "{fill}");
        app.compass.close().unwrap();
    }
}

#[test]
fn the_pages_of_an_index_that_was_emptied_stand_in_one_list() {
    let mut app = with_long_texts();
    make_unreadable(&app.path(), "search_config", true);
    app.compass = Compass::open(app.options()).unwrap();
    assert!(!app.faults().is_empty());
    app.compass.close().unwrap();
    let bytes = std::fs::read(app.path()).unwrap();
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let (count, first) = (number(36), number(32));
    // SQLite walks from list to list for each page that it moves.
    assert!(count > 30 && number((first - 1) * 4096) == 0, "{count} pages, in more than one list");
}

#[test]
fn a_copy_of_which_only_the_index_is_damaged_comes_back() {
    let (app, _) = indexed();
    let whole = std::fs::read(app.path()).unwrap();
    let copy = app.folder().join("copy.db");
    for table in OF_INDEX {
        std::fs::write(&copy, &whole).unwrap();
        make_unreadable(&copy, table, true);
        assert_eq!(code(Compass::restore(&copy, &RestoreOptions::new(app.path()))), "fine", "{table}");
        let restored = Compass::open(app.options()).unwrap();
        assert_eq!(restored.check().unwrap().faults, [""; 0], "{table}");
        let filter = SessionFilter { text: Some("mill".into()), ..Default::default() };
        assert_eq!(restored.sessions(&filter, None, 100).unwrap().sessions.len(), FINISHED + OPEN, "{table}");
        restored.close().unwrap();
    }
}

#[test]
fn a_map_of_pages_that_is_wrong_about_a_session_takes_nothing_of_it_away() {
    let (mut app, keys) = indexed();
    let root = |table: &str| -> u32 {
        open_sql(&app.path()).query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [table], |row| row.get(0)).unwrap()
    };
    let (of_index, events) = (root("search_content"), root("event"));
    fold(&app.path());
    let mut bytes = std::fs::read(app.path()).unwrap();
    // The map stands on the second page. What is below the table of events is now below one of the index.
    let entries = bytes[4096..8192].chunks_exact_mut(5).filter(|entry| entry[0] == 5 && entry[1..5] == events.to_be_bytes());
    let changed = entries.map(|entry| entry[1..5].copy_from_slice(&of_index.to_be_bytes())).count();
    assert!(changed > 0);
    std::fs::write(app.path(), &bytes).unwrap();
    make_unreadable(&app.path(), "search_content", true);
    app.compass = Compass::open(app.options()).unwrap();
    assert!(!app.faults().is_empty());
    let _ = page_of(&app, "mill");
    for key in keys {
        assert_eq!(app.record(key).workflow.key, "pump-check");
    }
}

#[test]
fn a_session_of_which_a_page_is_lost_keeps_no_other_from_being_found() {
    for table in ["note", "value", "visit"] {
        let mut app = App::new();
        for _ in 0..60 {
            let session = app.at_the_end().key;
            app.compass.note(session, &"it was loud ".repeat(20), &id()).unwrap();
            app.finish(session);
        }
        app.compass.close().unwrap();
        lose_page(&app.path(), table);
        app.compass = Compass::open(app.options()).unwrap();
        for _ in 0..2 {
            let page = page_of(&app, "mill").unwrap();
            // A page holds some of them.
            assert!(!page.sessions.is_empty() && page.sessions.len() < 60, "{table}: {}", page.sessions.len());
            assert_eq!(page.not_indexed, 0, "{table}");
        }
        let new = app.completed();
        assert!(page_of(&app, "mill").unwrap().sessions.iter().any(|session| session.key == new), "{table}");
        assert!(app.faults().iter().any(|fault| fault.starts_with("session ")), "{table}");
    }
}

/// An app with sixty finished sessions that were delivered; of the oldest a page of this table is lost. It is closed.
fn with_lost_page(table: &str) -> (App, Vec<SessionKey>) {
    let app = App::new();
    let keys: Vec<_> = (0..60)
        .map(|_| {
            let session = app.at_the_end().key;
            app.compass.note(session, &"it was loud ".repeat(20), &id()).unwrap();
            app.finish(session);
            session
        })
        .collect();
    app.deliver();
    app.compass.close().unwrap();
    lose_page(&app.path(), table);
    (app, keys)
}

/// Finished sessions that stay, however often is flushed.
fn left_by_flushes(app: &App) -> i64 {
    let flushed = || {
        app.deliver();
        app.count("SELECT count(*) FROM session WHERE finished_at IS NOT NULL")
    };
    // One that is damaged is passed at a time.
    let mut left = flushed();
    while let next = flushed()
        && next < left
    {
        left = next;
    }
    left
}

/// Tables of which a page is of some sessions, the oldest.
const OF_SESSIONS: [&str; 6] = ["event", "value", "visit", "note", "action", "outbox"];

#[test]
fn what_is_old_goes_behind_a_session_of_which_a_page_is_lost() {
    for table in OF_SESSIONS {
        let (mut app, keys) = with_lost_page(table);
        let mut options = app.options();
        options.retention = Some(Duration::from_secs(2 * 86_400));
        app.compass = Compass::open(options).unwrap();
        app.days(3);
        let left = left_by_flushes(&app);
        // A page holds some of them. Where rows go, SQLite may want to fill up the page beside them: some stay that are not damaged.
        let damaged = keys.iter().filter(|key| code(app.compass.record(**key)) == "corrupt").count() as i64;
        assert!(damaged > 0 && damaged <= left && left < 60, "{table}: {left} are left, {damaged} are damaged");
        assert_eq!(app.compass.purge(Duration::ZERO).unwrap().purged, 0, "{table}: all that can go has gone");
    }
}

#[test]
fn a_session_is_deleted_beside_one_of_which_a_page_is_lost() {
    for table in OF_SESSIONS {
        let (mut app, keys) = with_lost_page(table);
        app.compass = Compass::open(app.options()).unwrap();
        assert_eq!(code(app.compass.delete(keys[0])), "corrupt", "{table}");
        assert_eq!(code(app.compass.delete(keys[59])), "fine", "{table}");
        assert_eq!(code(app.compass.session(keys[59])), "deleted_session", "{table}");
        assert!(found(&app, "mill") < 60, "{table}");
    }
}

#[test]
fn bodies_that_cannot_be_dropped_keep_nothing_else() {
    for table in ["outbox", "body"] {
        let (mut app, _) = with_lost_page(table);
        let mut options = app.options();
        options.body_retention = Duration::from_secs(86_400);
        app.compass = Compass::open(options.clone()).unwrap();
        app.days(3);
        app.compass.purge(Duration::from_secs(9 * 86_400)).unwrap();
        // Of 180. A page holds some of them, and so does the one beside it.
        let kept = app.count("SELECT count(*) FROM outbox INDEXED BY outbox_body_kept WHERE state = 'sent' AND body_kept = 1");
        assert!(kept < 90, "{table}: {kept}");
        app.compass.close().unwrap();
        options.retention = Some(Duration::from_secs(2 * 86_400));
        app.compass = Compass::open(options).unwrap();
        let left = left_by_flushes(&app);
        assert!(left < 40, "{table}: {left} are left");
        assert_eq!(app.compass.purge(Duration::ZERO).unwrap().purged, 0, "{table}: all that can go has gone");
    }
}

#[test]
fn an_endpoint_is_changed_beside_a_lost_page_of_its_messages() {
    let mut app = App::new();
    let mut office = endpoint("office");
    office.headers = vec![EndpointHeader { name: "x-token".into(), value: HeaderValue::Secret("token".into()) }];
    app.compass.put_endpoint(&office).unwrap();
    for _ in 0..40 {
        app.completed();
    }
    app.compass.close().unwrap();
    lose_page(&app.path(), "outbox");
    app.compass = Compass::open(app.options()).unwrap();
    assert_eq!(code(app.compass.secrets_changed()), "fine");
    assert_eq!(code(app.compass.set_endpoint_enabled("office", false)), "fine");
    assert_eq!(code(app.compass.set_endpoint_enabled("office", true)), "fine");
    assert_eq!(code(app.compass.put_endpoint(&endpoint("office"))), "fine");
    // A page holds some of 120, and so does the one beside it.
    assert!(app.deliver().sent >= 60);
}

#[test]
fn what_failed_is_sent_again_beside_a_lost_page_of_it() {
    for table in ["outbox", "event"] {
        let mut app = App::with_office(ScriptedTransport::always(400));
        for _ in 0..40 {
            app.completed();
        }
        app.deliver();
        app.compass.close().unwrap();
        lose_page(&app.path(), table);
        app.compass = Compass::open(app.options()).unwrap();
        // A page holds some of 120, and so does the one beside it.
        let again = app.compass.send_failed_again(None).map_err(|error| error.code());
        assert!(matches!(again, Ok(60..120)), "{table}: {again:?}");
    }
}

#[test]
fn messages_are_listed_and_counted_beside_a_lost_page_of_them() {
    for sent in [0, 30] {
        let mut app = App::new();
        for number in 0..60 {
            app.completed();
            if number + 1 == sent {
                app.deliver();
            }
        }
        app.compass.close().unwrap();
        lose_page(&app.path(), "outbox");
        app.compass = Compass::open(app.options()).unwrap();
        // Three for each session; a page holds some of the oldest.
        let unsent = 3 * (60 - sent);
        for states in [vec![], vec![DeliveryState::Pending, DeliveryState::Failed, DeliveryState::Sent]] {
            let all = if states.is_empty() { unsent } else { 180 };
            let is_damaged = sent == 0 || !states.is_empty();
            let filter = OutboxFilter { states, ..Default::default() };
            let (mut listed, mut page) = (0, None);
            loop {
                let next = app.compass.outbox(&filter, page.as_deref(), 25).unwrap();
                listed += next.items.len();
                page = next.next;
                if page.is_none() {
                    break;
                }
            }
            assert_eq!(listed < all, is_damaged, "{listed} of {all}");
            assert!(listed > all - 60, "{listed} of {all}");
        }
        let totals = app.compass.outbox_totals().unwrap();
        assert_eq!(totals.pending, unsent as u64);
        assert_eq!(totals.needs_person > 0, sent == 0);
        assert!(totals.oldest_unsent_at.is_some());
        assert!(app.compass.next_due().unwrap().needs_person == (sent == 0));
        assert_eq!(app.compass.endpoints().unwrap()[0].pending == unsent as u64, sent > 0);
    }
}
