//! The power is cut: what was not synced is lost, in part or as a whole, and everything that a call has acknowledged is there afterwards.
//!
//! A phone works once, on SQLite's own file system, and each write and sync of its files is recorded. The power is then cut after any of these:
//! the files are made again as a disk may have them, are opened, and are compared with what the calls had acknowledged. The call that was under
//! way has happened altogether or not at all; of one that makes several transactions, each part has.
//!
//! Not among the cuts: what the core does with whole files beside SQLite (renames of a copy that was restored over a damaged file, and of a
//! backup). `file::killed` ends processes between these.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "a file system of SQLite")]
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;

mod disk;
mod recorder;

use std::path::Path;
use std::time::Duration;

use compass_core::model::*;
use compass_core::testing::{ScriptedTransport, answer as answered};
use compass_core::{Compass, DiscardUndelivered, Options, RestoreOptions};
use disk::{Dice, Disk};
use recorder::Event;
use support::app::{App, id, redaction, set, text};
use support::facts::{Facts, differences, facts, mixed};
use support::past_every_rule;
use support::torture::{self, Row};

const DATABASE: &str = "compass.db";
const FILES: [&str; 3] = [DATABASE, "compass.db-wal", "compass.db-journal"];
/// Cuts of each scenario. `CUTS=10000` makes a long run of it.
const CUTS: usize = 120;
/// Of how many cuts one is looked at closely.
const CHECKED: usize = 4;

/// A phone whose files are recorded.
struct Recorded {
    app: App,
    start: Disk,
    /// What is seen at the beginning, and after each call; and whether that call makes several transactions.
    seen: Vec<(Facts, bool)>,
}

impl Recorded {
    fn of(make: impl FnOnce() -> App) -> Self {
        // Before its files are opened.
        recorder::register();
        let app = make();
        let start = Disk::of(app.folder(), &FILES);
        let seen = vec![(facts(&app.compass), false)];
        recorder::record(app.folder());
        Self { app, start, seen }
    }

    fn call<T>(&mut self, call: impl FnOnce(&App) -> T) -> T {
        self.acknowledged(false, call)
    }

    /// The same with a call that makes several transactions.
    fn calls<T>(&mut self, call: impl FnOnce(&App) -> T) -> T {
        self.acknowledged(true, call)
    }

    fn acknowledged<T>(&mut self, several: bool, call: impl FnOnce(&App) -> T) -> T {
        let done = call(&self.app);
        recorder::acknowledge(self.app.folder());
        self.seen.push((facts(&self.app.compass), several));
        done
    }

    /// The app is closed, and opened again.
    fn reopen(&mut self) {
        self.app.reopen();
        recorder::acknowledge(self.app.folder());
        self.seen.push((facts(&self.app.compass), true));
    }

    fn end(self) -> History {
        let events = recorder::recorded(self.app.folder());
        History { options: self.app.options(), start: self.start, events, seen: self.seen }
    }
}

/// What was recorded.
struct History {
    options: Options,
    start: Disk,
    events: Vec<Event>,
    seen: Vec<(Facts, bool)>,
}

impl History {
    /// The power is cut after so many events, and, if it is looked at closely, once more while the file is opened, checked and written to. Gives
    /// what is wrong then.
    fn cut(&self, after: usize, dice: &mut Dice, looks_closely: bool) -> Result<(), String> {
        let mut disk = self.start.clone();
        self.events[..after].iter().for_each(|event| disk.happens(event));
        let acknowledged = self.events[..after].iter().filter(|event| matches!(event, Event::Acknowledged)).count();
        let folder = tempfile::tempdir().unwrap();
        disk.cut(dice, folder.path());
        if !looks_closely {
            return self.compare(&self.open(folder.path())?, acknowledged);
        }
        let mut disk = Disk::of(folder.path(), &FILES);
        recorder::record(folder.path());
        let first = self.open(folder.path()).and_then(|compass| {
            self.compare(&compass, acknowledged)?;
            let faults = compass.check().unwrap().faults;
            if !faults.is_empty() {
                return Err(format!("the check finds {faults:?}"));
            }
            compass.set_integration_enabled(true).map_err(|error| format!("nothing can be written: {error}"))
        });
        let events = recorder::recorded(folder.path());
        first?;
        let again = dice.roll(events.len() + 1);
        events[..again].iter().for_each(|event| disk.happens(event));
        let folder = tempfile::tempdir().unwrap();
        disk.cut(dice, folder.path());
        let compared = self.open(folder.path()).and_then(|compass| self.compare(&compass, acknowledged));
        compared.map_err(|wrong| format!("cut once more after {again} events: {wrong}"))
    }

    fn open(&self, folder: &Path) -> Result<Compass, String> {
        let mut options = self.options.clone();
        options.path = folder.join(DATABASE);
        Compass::open(options).map_err(|error| format!("it does not open: {error}"))
    }

    /// Everything is as it was acknowledged, or as the next call makes it.
    fn compare(&self, compass: &Compass, acknowledged: usize) -> Result<(), String> {
        let found = facts(compass);
        let (before, _) = &self.seen[acknowledged];
        let next = self.seen.get(acknowledged + 1);
        let is_whole = found == *before || next.is_some_and(|(after, several)| found == *after || *several && mixed(&found, before, after));
        if is_whole { Ok(()) } else { Err(format!("after {acknowledged} calls: {}", differences(before, &found))) }
    }

    /// Cuts at so many places. Gives the first thing that was wrong.
    fn cuts(&self, cuts: usize, seed: u64) -> Result<(), String> {
        let mut dice = Dice::of(seed);
        for number in 0..cuts {
            // Each place at least once, where there are enough cuts.
            let after = if number < self.events.len() && cuts >= self.events.len() { number } else { dice.roll(self.events.len() + 1) };
            let place = self.events[..after].last().map_or("the beginning".to_owned(), named);
            self.cut(after, &mut dice, number % CHECKED == 0)
                .map_err(|wrong| format!("cut {number} of seed {seed}, after {after} events, {place}: {wrong}"))?;
        }
        Ok(())
    }

    /// The same phone on a disk of another kind.
    fn on(&self, disk: impl Fn(&[Event]) -> Vec<Event>) -> Self {
        Self { options: self.options.clone(), start: self.start.clone(), events: disk(&self.events), seen: self.seen.clone() }
    }
}

fn named(event: &Event) -> String {
    match event {
        Event::Created(file) => format!("{file} created"),
        Event::Written { file, offset, bytes } => format!("{} bytes of {file} written at {offset}", bytes.len()),
        Event::Truncated { file, size } => format!("{file} truncated to {size}"),
        Event::Synced(file) => format!("{file} synced"),
        Event::Deleted { file, .. } => format!("{file} deleted"),
        Event::Acknowledged => "a call returned".to_owned(),
    }
}

fn number_of_cuts() -> usize {
    std::env::var("CUTS").map_or(CUTS, |cuts| cuts.parse().expect("a number"))
}

fn assert_whole(what: &str, history: &History, seed: u64) {
    let cuts = number_of_cuts();
    // `SEED` makes other cuts.
    let seed = std::env::var("SEED").map_or(0, |seed| seed.parse::<u64>().expect("a number") * 10) + seed;
    if let Err(wrong) = history.cuts(cuts, seed) {
        panic!("{wrong}");
    }
    let observed = format!("so at {} places", history.events.len() + 1);
    let expected = "what was acknowledged is there; the call under way happened altogether or not at all";
    torture::say(&Row { fault: &format!("power cut in {what}"), injected: cuts as u64, expected, observed: &observed, lost: 0 });
}

// What the phone does -------------------------------------------------------------------------------------------------------------------

/// A session from its start to its delivery, with everything that a technician does to it.
fn a_session() -> History {
    let mut phone = Recorded::of(App::new);
    let session = phone.call(|app| app.start().key);
    phone.call(|app| app.set(session, "site", "Mill Lane"));
    phone.call(|app| app.compass.save_draft(session, "remark", "half a wor").unwrap());
    let note = phone.call(|app| app.compass.note(session, "Kept", &id()).unwrap()).view.notes[0].seq;
    phone.call(|app| app.answer(session, "on"));
    phone.call(|app| app.compass.set_fields(session, vec![set("page1", text(&"x".repeat(9_000))), set("page2", text("y"))]).unwrap());
    phone.call(|app| app.answer(session, "fine"));
    phone.call(|app| app.finish(session));
    phone.calls(|app| app.deliver());
    phone.call(|app| app.compass.edit(session, Some("anna"), None, vec![set("site", text("Mill Road"))], vec![], &id()).unwrap());
    phone.call(|app| app.compass.send_corrected(session, "report", Some("anna"), &id()).unwrap());
    phone.calls(|app| app.deliver());
    phone.call(|app| app.compass.redact(session, &redaction(RedactionTarget::Note { seq: note })).unwrap());
    phone.reopen();
    let other = phone.call(|app| app.start().key);
    phone.call(|app| app.compass.discard(other).unwrap());
    phone.calls(|app| app.compass.delete(session).unwrap());
    phone.end()
}

/// Messages that fail, wait and are abandoned.
fn delivery() -> History {
    let statuses = [500, 422, 202, 429, 404];
    let next = std::sync::atomic::AtomicUsize::new(0);
    let office =
        ScriptedTransport::new(move |_| Ok(answered(statuses[next.fetch_add(1, std::sync::atomic::Ordering::SeqCst) % statuses.len()])));
    let mut phone = Recorded::of(|| App::with_office(office));
    for _ in 0..3 {
        let session = phone.call(|app| app.start().key);
        phone.call(|app| app.set(session, "site", "Mill Lane"));
        phone.call(|app| app.answer(session, "on"));
        phone.call(|app| app.answer(session, "fine"));
        phone.call(|app| app.finish(session));
        phone.calls(|app| app.deliver());
        phone.call(|app| app.clock.advance(Duration::from_secs(7_200)));
        phone.calls(|app| app.deliver());
        phone.calls(|app| drop(app.compass.abandon_session(session, "not needed", "anna", &id())));
        phone.calls(|app| app.compass.send_failed_again(Some("anna")).unwrap());
    }
    phone.calls(|app| app.compass.purge_all_before(app.now() + chrono::TimeDelta::days(1), "anna").unwrap());
    phone.end()
}

/// A copy takes the place of the database while sessions have gone on.
fn a_restore() -> History {
    let mut phone = Recorded::of(App::new);
    phone.app.completed();
    let copy = phone.app.folder().join("copy.db");
    phone.app.compass.backup(&copy).unwrap();
    for _ in 0..4 {
        phone.app.completed();
    }
    phone.app.deliver();
    phone.app.set(phone.app.start().key, "site", "Mill Lane");
    phone.app.compass.close().unwrap();
    let _ = recorder::recorded(phone.app.folder());
    // Only this is cut.
    phone.start = Disk::of(phone.app.folder(), &FILES);
    phone.app.compass = Compass::open(phone.app.options()).unwrap();
    phone.seen = vec![(facts(&phone.app.compass), false)];
    phone.app.compass.close().unwrap();
    recorder::record(phone.app.folder());
    let discard = DiscardUndelivered { actor: "anna".into(), reason: "a new phone".into() };
    Compass::restore(&copy, &RestoreOptions::new(phone.app.path()).discard_undelivered(discard)).unwrap();
    recorder::acknowledge(phone.app.folder());
    phone.app.compass = Compass::open(phone.app.options()).unwrap();
    phone.seen.push((facts(&phone.app.compass), false));
    phone.end()
}

/// The file of the first release is opened.
fn an_update() -> History {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(DATABASE);
    {
        let sql = rusqlite::Connection::open(&path).unwrap();
        sql.pragma_update(None, "foreign_keys", false).unwrap();
        sql.execute_batch(include_str!("../schema/0001.sql")).unwrap();
        past_every_rule(&sql, |sql| sql.execute_batch(&format!("BEGIN; {} COMMIT", include_str!("../schema/0001-data.sql"))).unwrap());
    }
    let mut options = Options::new(&path);
    let after = {
        let updated = tempfile::tempdir().unwrap();
        std::fs::copy(&path, updated.path().join(DATABASE)).unwrap();
        facts(&Compass::open(Options::new(updated.path().join(DATABASE))).unwrap())
    };
    let start = Disk::of(folder.path(), &FILES);
    recorder::record(folder.path());
    Compass::open(options.clone()).unwrap().close().unwrap();
    recorder::acknowledge(folder.path());
    let events = recorder::recorded(folder.path());
    options.path = path;
    // The old file is updated when it is looked at.
    History { options, start, events, seen: vec![(after.clone(), false), (after, false)] }
}

#[test]
fn what_a_technician_did_survives_a_power_cut_at_any_moment() {
    assert_whole("the work of a session", &a_session(), 1);
}

#[test]
fn what_delivery_stored_survives_a_power_cut_at_any_moment() {
    assert_whole("delivery", &delivery(), 2);
}

#[test]
fn a_power_cut_during_a_restore_leaves_the_old_database_or_the_new_one() {
    assert_whole("a restore", &a_restore(), 3);
}

#[test]
fn an_update_that_a_power_cut_ends_is_made_again() {
    assert_whole("the update of an old file", &an_update(), 4);
}

// What would be found -------------------------------------------------------------------------------------------------------------------

/// Enough cuts for what must be found.
const MANY: usize = 400;

#[test]
fn a_disk_that_lies_about_syncs_is_found() {
    let lying = a_session().on(|events| events.iter().filter(|event| !matches!(event, Event::Synced(_))).cloned().collect());
    lying.cuts(MANY, 5).expect_err("acknowledged work is lost");
}

#[test]
fn synchronous_normal_is_found() {
    // It syncs the WAL only before its pages are written to the database.
    let is_wal = |file: &str| file.ends_with("-wal");
    let normal = a_session().on(|events| {
        let kept = events.iter().enumerate().filter(|(number, event)| match event {
            Event::Synced(file) if is_wal(file) => {
                let next = events[number + 1..].iter().find(|event| matches!(event, Event::Written { .. }));
                matches!(next, Some(Event::Written { file, .. }) if !is_wal(file))
            }
            _ => true,
        });
        kept.map(|(_, event)| event.clone()).collect()
    });
    normal.cuts(MANY, 6).expect_err("acknowledged work is lost");
}

#[test]
fn a_folder_that_is_not_synced_is_found() {
    // The name of a new file is then never known to be on the disk.
    let is_new = |events: &[Event], name: &str| events.iter().any(|event| matches!(event, Event::Created(file) if file == name));
    let nameless = a_session().on(|events| {
        let kept =
            events.iter().enumerate().filter(|(number, event)| !matches!(event, Event::Synced(file) if is_new(&events[..*number], file)));
        kept.map(|(_, event)| event.clone()).collect()
    });
    nameless.cuts(MANY, 7).expect_err("acknowledged work is lost");
}
