//! A page that holds no row: the map of pages, the list of free ones, an index of which all is out of place, a table that only counts others. All
//! of it follows from what is there, so it is rebuilt, and nothing is kept from being done.

use std::time::Duration;

use compass_core::model::*;
use compass_core::{Compass, RestoreOptions};

use super::lost_indexes::{Used, integrity, outcomes, used};
use crate::support::app::{App, change_page, code, id, lose_page, open_sql, redaction, with_pages_of};

/// Changes a page of a file that is closed.
fn change(app: &App, number: usize, change: impl FnOnce(&mut [u8])) {
    let mut bytes = std::fs::read(app.path()).unwrap();
    let size = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
    change(&mut bytes[(number - 1) * size..number * size]);
    std::fs::write(app.path(), bytes).unwrap();
}

/// What damages a file.
type Damage<'a> = (String, &'a dyn Fn(&App));

/// Of each of these, all goes as it does in a file that is whole.
fn goes_on(used: &mut Used, damages: &[Damage<'_>]) {
    let mut wrong = Vec::new();
    let firsts = [0, 8, 11, 12, 13];
    let expected = firsts.map(|first| {
        std::fs::write(used.app.path(), &used.whole).unwrap();
        outcomes(used, first)
    });
    for (at, (what, damage)) in damages.iter().enumerate() {
        let of = at % firsts.len();
        std::fs::write(used.app.path(), &used.whole).unwrap();
        damage(&used.app);
        let outcomes = outcomes(used, firsts[of]);
        let other = outcomes.iter().filter(|outcome| !expected[of].contains(outcome));
        wrong.extend(other.map(|(call, outcome)| format!("{what}, {}: {call} {outcome}", firsts[of])));
        let told = integrity(&used.app);
        if told != ["ok"] {
            wrong.push(format!("{what}, {}: {told:?}", firsts[of]));
        }
    }
    assert!(wrong.is_empty(), "{} {wrong:#?}", wrong.len());
}

#[test]
fn a_page_of_the_map_is_lost() {
    let mut used = used();
    // Each page of the map is of the 102 after it.
    let last = (used.whole.len() / 512 - 2) / 103 * 103 + 2;
    let nothing = |number: usize| move |app: &App| change(app, number, |page| page.fill(0));
    let nonsense = |number: usize| move |app: &App| change(app, number, |page| page.fill(0xa5));
    let half = |app: &App| change(app, 105, |page| page[..256].fill(0));
    let one = |app: &App| change(app, 105, |page| page[50] ^= 4);
    goes_on(
        &mut used,
        &[
            ("first, zeros".into(), &nothing(2)),
            ("first, nonsense".into(), &nonsense(2)),
            ("second, zeros".into(), &nothing(105)),
            ("last, zeros".into(), &nothing(last)),
            ("last, nonsense".into(), &nonsense(last)),
            ("half of one".into(), &half),
            ("one bit of one".into(), &one),
        ],
    );
}

#[test]
fn a_page_of_the_list_of_free_pages_is_lost() {
    let mut used = used();
    let app = &used.app;
    // So many that there are several lists.
    app.sql().execute_batch("CREATE TABLE more (bytes BLOB); INSERT INTO more VALUES (randomblob(200000)); DROP TABLE more").unwrap();
    used.whole = std::fs::read(app.path()).unwrap();
    let number = |bytes: &[u8], at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let first = number(&used.whole, 32);
    let second = number(&used.whole, 512 * (first - 1));
    assert!(number(&used.whole, 36) > 200 && second > 0);
    let lost = |page: usize, fill: u8| move |app: &App| change(app, page, |page| page.fill(fill));
    // A page that is in no list any more.
    let forgotten = |app: &App| change(app, 1, |page| page[39] -= 1);
    goes_on(
        &mut used,
        &[
            ("first, zeros".into(), &lost(first, 0)),
            ("first, nonsense".into(), &lost(first, 0xa5)),
            ("second, zeros".into(), &lost(second, 0)),
            ("second, nonsense".into(), &lost(second, 0xa5)),
            ("the count".into(), &forgotten),
        ],
    );
}

#[test]
fn all_that_a_page_of_an_index_says_is_out_of_place() {
    let mut used = used();
    with_pages_of(&used.app.path(), 4096);
    used.whole = std::fs::read(used.app.path()).unwrap();
    let places = |index: &'static str, fill: u8| {
        move |app: &App| {
            change_page(&app.path(), index, true, |page| {
                let cells = usize::from(u16::from_be_bytes([page[3], page[4]]));
                page[8..8 + 2 * cells].fill(fill);
            });
        }
    };
    let indexes = ["sqlite_autoindex_event_1", "outbox_session", "sqlite_autoindex_outbox_1", "outbox_due", "event_command"];
    let damages: Vec<_> =
        indexes.iter().flat_map(|index| [0, 0xff].map(|fill| (format!("{index}, {fill}"), places(index, fill)))).collect();
    let damages: Vec<Damage<'_>> = damages.iter().map(|(what, damage)| (what.clone(), damage as &dyn Fn(&App))).collect();
    goes_on(&mut used, &damages);
}

#[test]
fn a_table_that_follows_from_others_is_lost() {
    let mut used = used();
    let lost = |table: &'static str, fill: u8| move |app: &App| change_page(&app.path(), table, false, |page| page.fill(fill));
    let tables = ["session_totals", "last_number", "redaction", "sqlite_sequence", "known_action"];
    let damages: Vec<_> = tables.iter().flat_map(|table| [0, 0xa5].map(|fill| (format!("{table}, {fill}"), lost(table, fill)))).collect();
    let mut damages: Vec<Damage<'_>> = damages.iter().map(|(what, damage)| (what.clone(), damage as &dyn Fn(&App))).collect();
    // Sessions are counted by an index that is lost as well.
    let with_indexes = |app: &App| {
        for tree in ["session_totals", "session_by_workflow", "session_in_progress", "sqlite_autoindex_session_1"] {
            change_page(&app.path(), tree, false, |page| page.fill(0));
        }
    };
    damages.push(("totals and indexes".into(), &with_indexes));
    goes_on(&mut used, &damages);
}

#[test]
fn a_lost_map_and_a_lost_index_are_rebuilt_together() {
    let mut used = used();
    let both = |app: &App| {
        lose_page(&app.path(), "outbox_due");
        change_page(&app.path(), "search_data", true, |page| page.fill(0));
        change(app, 2, |page| page.fill(0));
    };
    goes_on(&mut used, &[("map and indexes".into(), &both)]);
}

#[test]
fn half_of_a_page_of_an_index_is_lost_and_a_check_rebuilds_it() {
    let mut app = App::new();
    for _ in 0..15 {
        app.completed();
    }
    app.compass.close().unwrap();
    change_page(&app.path(), "outbox_due", true, |page| page[2_048..].fill(0));
    app.compass = Compass::open(app.options()).unwrap();
    assert!(!app.faults().is_empty());
    assert_eq!(app.faults(), [""; 0]);
    assert_eq!(app.deliver().sent, 45);
}

/// An app with thirty delivered sessions, each of which says a word in a note and another one in a value; half of a page of this index is lost.
fn with_half_an_index(index: &str) -> (App, Vec<SessionKey>) {
    let mut app = App::new();
    let keys: Vec<_> = (0..30)
        .map(|number| {
            let session = app.at_the_end().key;
            app.compass.note(session, &format!("Zwetschgen{number:02}"), &id()).unwrap();
            app.set(session, "site", &format!("Quarkstrudel{number:02}"));
            app.finish(session);
            session
        })
        .collect();
    app.deliver();
    app.compass.close().unwrap();
    // The rows that came first stand at the end.
    change_page(&app.path(), index, true, |page| page[2_048..].fill(0));
    app.compass = Compass::open(app.options()).unwrap();
    (app, keys)
}

/// The words of these sessions that are still in the file, of those that begin like this.
fn left(app: &App, words: &[&str], of: usize) -> Vec<String> {
    let file = std::fs::read(app.path()).unwrap();
    let all = words.iter().flat_map(|word| (0..of).map(move |number| format!("{word}{number:02}")));
    all.filter(|word| file.windows(word.len()).any(|window| window == word.as_bytes())).collect()
}

#[test]
fn nothing_stays_that_half_an_index_does_not_find() {
    for index in ["sqlite_autoindex_event_1", "sqlite_autoindex_action_1", "outbox_session", "sqlite_autoindex_body_1"] {
        let (app, keys) = with_half_an_index(index);
        for key in &keys[..15] {
            assert_eq!(app.compass.delete(*key).unwrap().erased, Erased::Now, "{index}");
        }
        assert_eq!(left(&app, &["Zwetschgen", "Quarkstrudel"], 15), [""; 0], "{index}");
        assert_eq!(app.faults(), [""; 0], "{index}");

        let (app, keys) = with_half_an_index(index);
        for key in &keys[..15] {
            let redacted = app.compass.redact(*key, &redaction(RedactionTarget::Field { key: "site".into() })).unwrap();
            assert_eq!((redacted.erased, redacted.bodies), (Erased::Now, vec![]), "{index}");
        }
        assert_eq!(left(&app, &["Quarkstrudel"], 15), [""; 0], "{index}");

        let (app, _) = with_half_an_index(index);
        app.tick();
        assert_eq!(app.compass.purge(Duration::ZERO).unwrap().purged, 30, "{index}");
        assert_eq!(left(&app, &["Zwetschgen", "Quarkstrudel"], 30), [""; 0], "{index}");
        assert_eq!(app.faults(), [""; 0], "{index}");
    }
}

#[test]
fn a_message_that_half_an_index_does_not_find_is_not_deleted_and_does_not_leave_with_what_was_redacted() {
    let waiting = || {
        let mut app = App::new();
        let keys: Vec<_> = (0..30).map(|_| app.completed()).collect();
        app.compass.close().unwrap();
        change_page(&app.path(), "outbox_session", true, |page| page[2_048..].fill(0));
        app.compass = Compass::open(app.options()).unwrap();
        (app, keys)
    };
    let (app, keys) = waiting();
    assert_eq!(code(app.compass.delete(keys[0])), "undelivered");
    app.tick();
    assert_eq!(app.compass.purge(Duration::ZERO).unwrap().purged, 0);
    let (app, keys) = waiting();
    app.compass.redact(keys[0], &redaction(RedactionTarget::Field { key: "site".into() })).unwrap();
    assert_eq!(app.deliver().sent, 87, "three are abandoned");
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn nothing_is_rebuilt_where_a_page_of_rows_is_lost_with_the_map() {
    let Used { mut app, .. } = used();
    // What a file needs that others have written.
    app.compass = Compass::open(app.options()).unwrap();
    app.compass.close().unwrap();
    lose_page(&app.path(), "event");
    lose_page(&app.path(), "outbox_due");
    change(&app, 2, |page| page.fill(0));
    let file = std::fs::read(app.path()).unwrap();
    app.compass = Compass::open(app.options()).unwrap();
    assert!(!app.faults().is_empty());
    assert!(app.compass.check().is_ok());
    app.compass.close().unwrap();
    assert!(std::fs::read(app.path()).unwrap() == file, "nothing of it was changed");
}

#[test]
fn a_copy_of_which_only_the_map_or_the_list_of_free_pages_is_damaged_comes_back() {
    let Used { app, whole, .. } = used();
    let copy = app.folder().join("copy.db");
    for size in [512, 4_096, 32_768] {
        std::fs::write(&copy, &whole).unwrap();
        with_pages_of(&copy, size);
        open_sql(&copy)
            .execute_batch("CREATE TABLE more (bytes BLOB); INSERT INTO more VALUES (randomblob(900000)); DROP TABLE more")
            .unwrap();
        let undamaged = std::fs::read(&copy).unwrap();
        let size = size as usize;
        let free = u32::from_be_bytes(undamaged[32..36].try_into().unwrap()) as usize;
        for page in [2, free] {
            let mut bytes = undamaged.clone();
            bytes[(page - 1) * size..page * size].fill(0);
            std::fs::write(&copy, &bytes).unwrap();
            let elsewhere = app.folder().join(format!("{size}-{page}.db"));
            assert_eq!(code(Compass::restore(&copy, &RestoreOptions::new(&elsewhere))), "fine", "{size}, {page}");
            let mut options = app.options();
            options.path = elsewhere;
            let restored = Compass::open(options).unwrap();
            assert_eq!(restored.check().unwrap().faults, [""; 0], "{size}, {page}");
            restored.close().unwrap();
        }
    }
}
