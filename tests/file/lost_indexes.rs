//! A page of an index that cannot be read: all that it says stands in its table, so it is rebuilt, and nothing is kept from being done.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use compass_core::model::*;
use compass_core::port::{FailureKind, Phase, RequestSent};
use compass_core::testing::{ScriptedTransport, answer, failure};
use compass_core::{Compass, Error};

use crate::support::app::{App, change_page, code, id, redaction, set, text, with_pages_of};

/// A phone with sessions and messages in every state, which is closed, and what it did to be so.
pub(super) struct Used {
    pub(super) app: App,
    /// Delivered.
    keys: Vec<SessionKey>,
    /// When what waits is due.
    tomorrow: Timestamp,
    pub(super) whole: Vec<u8>,
}

/// The office has no network.
const OFFLINE: u16 = 0;

pub(super) fn used() -> Used {
    let says = Arc::new(AtomicU16::new(202));
    let office = Arc::clone(&says);
    let app = App::with_office(ScriptedTransport::new(move |_| match office.load(Ordering::Relaxed) {
        OFFLINE => Err(failure(FailureKind::NoNetwork, Phase::Connect, RequestSent::No)),
        status => Ok(answer(status)),
    }));
    let completed = |count: usize| (0..count).map(|_| app.completed()).collect::<Vec<_>>();
    let keys = completed(14);
    app.deliver();
    app.days(3);
    for (status, count) in [(202, 6), (400, 5), (503, 5), (OFFLINE, 4)] {
        says.store(status, Ordering::Relaxed);
        completed(count);
        app.deliver();
        app.tick();
    }
    says.store(202, Ordering::Relaxed);
    app.compass.set_integration_enabled(false).unwrap();
    completed(3);
    app.compass.set_integration_enabled(true).unwrap();
    for key in &keys[..4] {
        app.compass.delete(*key).unwrap();
    }
    app.ended();
    app.at_the_end();
    completed(6);
    app.compass.close().unwrap();
    // So small that there are inner pages.
    with_pages_of(&app.path(), 512);
    let whole = std::fs::read(app.path()).unwrap();
    Used { keys: keys[4..].to_vec(), tomorrow: app.now() + chrono::TimeDelta::days(1), whole, app }
}

/// All indexes of the file, also those to come.
pub(super) fn indexes(app: &App) -> Vec<String> {
    let file = app.sql();
    let mut names = file.prepare("SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY name").unwrap();
    names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

type Call = fn(&App, &[SessionKey]) -> Result<String, Error>;

fn says<T>(done: Result<T, Error>, what: impl FnOnce(T) -> String) -> Result<String, Error> {
    done.map(what)
}

/// What an app does, and in numbers what comes of it.
const CALLS: [(&str, Call); 14] = [
    ("deliver", |app, _| {
        let flushed = app.compass.flush(Duration::from_secs(60), &compass_core::CancelToken::new());
        says(flushed, |report| format!("{} {} {}", report.attempts, report.sent, report.pending))
    }),
    ("sessions", |app, _| says(app.compass.sessions(&SessionFilter::default(), None, 100), |page| page.sessions.len().to_string())),
    ("outbox", |app, _| says(app.compass.outbox(&OutboxFilter::default(), None, 100), |page| page.items.len().to_string())),
    ("totals", |app, _| says(app.compass.totals(), |totals| format!("{:?}", totals.sessions))),
    ("totals of the outbox", |app, _| says(app.compass.outbox_totals(), |totals| format!("{} {}", totals.pending, totals.failed))),
    ("next due", |app, _| says(app.compass.next_due(), |next| next.needs_person.to_string())),
    ("send failed again", |app, _| says(app.compass.send_failed_again(None), |count| count.to_string())),
    ("send not fired", |app, _| says(app.compass.send_not_fired(&NotFiredFilter::default(), None), |count| count.to_string())),
    ("complete", |app, _| {
        let session = app.compass.start(&Start::new("pump-check", id()))?.view.key;
        app.compass.set_field(session, "site", text("Mill Lane"))?;
        let visit = app.compass.session(session)?.visit;
        app.compass.answer(session, visit, "on")?;
        let visit = app.compass.session(session)?.visit;
        app.compass.answer(session, visit, "fine")?;
        let visit = app.compass.session(session)?.visit;
        says(app.compass.complete(session, visit), |done| format!("{:?}", done.view.state))
    }),
    ("send", |app, keys| {
        let sent = app.compass.send(keys[0], "report", None, &id());
        says(sent, |done| done.record.actions.len().to_string())
    }),
    ("edit", |app, keys| says(app.compass.edit(keys[1], None, None, vec![set("site", text("Elm"))], vec![], &id()), |_| String::new())),
    ("redact", |app, keys| says(app.compass.redact(keys[2], &redaction(RedactionTarget::Field { key: "site".into() })), |_| String::new())),
    ("delete", |app, keys| says(app.compass.delete(keys[3]), |_| String::new())),
    ("purge", |app, _| says(app.compass.purge(Duration::from_secs(2 * 86_400)), |report| report.purged.to_string())),
];

/// What comes of all calls, of which this one is the first.
pub(super) fn outcomes(used: &mut Used, first: usize) -> Vec<(&'static str, String)> {
    let app = &mut used.app;
    app.clock.set_wall(used.tomorrow);
    app.compass = Compass::open(app.options()).unwrap();
    let mut outcomes = Vec::new();
    for (name, call) in CALLS.iter().cycle().skip(first).take(CALLS.len()) {
        let done = call(app, &used.keys);
        outcomes.push((*name, done.unwrap_or_else(|error| error.code().to_owned())));
    }
    app.faults();
    outcomes.extend(app.faults().into_iter().map(|fault| ("check", fault)));
    app.compass.close().unwrap();
    outcomes
}

/// Each index of which this page is lost: all goes as it does in a file that is whole.
fn is_rebuilt(of_rows: bool, fill: u8) {
    let mut used = used();
    let mut expected = BTreeMap::new();
    let mut wrong = Vec::new();
    for (at, index) in indexes(&used.app).into_iter().enumerate() {
        let first = at % CALLS.len();
        let expected = expected.entry(first).or_insert_with(|| {
            std::fs::write(used.app.path(), &used.whole).unwrap();
            outcomes(&mut used, first)
        });
        std::fs::write(used.app.path(), &used.whole).unwrap();
        change_page(&used.app.path(), &index, of_rows, |page| page.fill(fill));
        let outcomes = outcomes(&mut used, first);
        let other = outcomes.iter().filter(|outcome| !expected.contains(outcome));
        wrong.extend(other.map(|(call, what)| format!("{index}, {of_rows}, {fill}, {}: {call} {what}", CALLS[first].0)));
    }
    assert!(wrong.is_empty(), "{} {wrong:#?}", wrong.len());
}

#[test]
fn an_index_whose_first_page_is_nonsense() {
    is_rebuilt(false, 0xa5);
}

#[test]
fn an_index_whose_first_page_is_zeros() {
    is_rebuilt(false, 0);
}

#[test]
fn an_index_of_whose_rows_a_page_is_nonsense() {
    is_rebuilt(true, 0xa5);
}

#[test]
fn an_index_of_whose_rows_a_page_is_zeros() {
    is_rebuilt(true, 0);
}

/// What a check says of the file, to somebody from outside.
pub(super) fn integrity(app: &App) -> Vec<String> {
    let file = app.sql();
    let mut told = file.prepare("PRAGMA integrity_check").unwrap();
    told.query_map([], |row| row.get(0)).unwrap().map_while(Result::ok).collect()
}

/// Loses the first page of an index.
fn lose(app: &App, index: &str) {
    change_page(&app.path(), index, false, |page| page.fill(0xa5));
}

#[test]
fn all_indexes_at_once_with_a_page_of_the_search_index() {
    let mut used = used();
    let expected = outcomes(&mut used, 0);
    std::fs::write(used.app.path(), &used.whole).unwrap();
    indexes(&used.app).iter().for_each(|index| lose(&used.app, index));
    change_page(&used.app.path(), "search_content", true, |page| page.fill(0));
    assert_eq!(outcomes(&mut used, 0), expected);
}

#[test]
fn an_index_stays_as_it_is_beside_a_lost_page_of_its_table() {
    let Used { mut app, .. } = used();
    // What a file needs that others have written.
    app.compass = Compass::open(app.options()).unwrap();
    app.compass.close().unwrap();
    lose(&app, "outbox_unsent");
    change_page(&app.path(), "outbox", true, |page| page.fill(0xa5));
    let (file, told) = (std::fs::read(app.path()).unwrap(), integrity(&app));
    app.compass = Compass::open(app.options()).unwrap();
    assert_eq!(code(app.compass.outbox_totals()), "corrupt");
    assert!(!app.faults().is_empty());
    app.compass.close().unwrap();
    assert!(std::fs::read(app.path()).unwrap() == file, "nothing of it was changed");
    // That of another table is rebuilt all the same.
    lose(&app, "sqlite_autoindex_session_1");
    app.compass = Compass::open(app.options()).unwrap();
    app.start();
    app.compass.close().unwrap();
    assert_eq!(integrity(&app), told);
}

#[test]
fn an_index_that_would_hold_a_key_twice_stays_as_it_is() {
    let Used { mut app, .. } = used();
    let ids: Vec<String> = {
        let file = app.sql();
        let mut ids = file.prepare("SELECT delivery_id FROM outbox ORDER BY id LIMIT 2").unwrap();
        ids.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let mut bytes = std::fs::read(app.path()).unwrap();
    let places: Vec<_> = (0..bytes.len() - 30).filter(|at| bytes[*at..].starts_with(ids[1].as_bytes())).collect();
    places.iter().for_each(|at| bytes[*at..*at + 30].copy_from_slice(ids[0].as_bytes()));
    std::fs::write(app.path(), &bytes).unwrap();
    lose(&app, "sqlite_autoindex_outbox_2");
    lose(&app, "outbox_due");
    app.compass = Compass::open(app.options()).unwrap();
    app.faults();
    let faults = app.faults();
    // That of the same table which can be rebuilt is.
    assert!(faults.iter().filter(|fault| fault.starts_with("Tree ")).count() == 1, "{faults:?}");
    assert_eq!(app.count("SELECT count(*) FROM outbox NOT INDEXED WHERE state = 'queued'"), app.count(DUE));
}

/// What waits, by an index alone.
const DUE: &str = "SELECT count(*) FROM outbox INDEXED BY outbox_due WHERE state = 'queued'";
