//! The cost of the core beside the least work of SQLite for the same guarantee, and whether the cost grows with the history.
//!
//! ```sh
//! cargo bench
//! ```
//!
//! Times of one machine say little, and those of a busy one nothing. So only the first column is a time. Both sides run by turns in the
//! same process, on the same disk, with one fsync for each transaction, and the result is the ratio of each round. Bare is a connection of
//! rusqlite with prepared statements that writes the rows of the change and none of the rules: no validation, no trigger, no view for a
//! screen. `tests/costs.rs` checks how often the disk is synced.
#![allow(clippy::unwrap_used, reason = "a bench may panic")]

mod bare;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bare::Bare;
use compass_core::model::*;
use compass_core::testing::ScriptedTransport;
use compass_core::{CancelToken, Compass, Options};
use serde_json::json;

const ROUNDS: usize = 15;
/// Runs of each side in a round.
const REPEATS: usize = 20;
const FIELDS: usize = 30;
/// The number of messages that are settled in one transaction.
const GROUP: usize = 32;
const BACKLOG: usize = 320;
/// The number of messages that a section can send.
const PER_SESSION: usize = 20;
const FEW: usize = 100;
const MANY: usize = 10_000;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    println!("{ROUNDS} rounds; ratio: median (least to most)\n");
    beside_bare(folder.path());
    with_history(folder.path());
}

/// The gestures of a technician, and delivery, beside bare SQLite.
fn beside_bare(folder: &Path) {
    println!("beside bare SQLite                                  ours      ratio");
    let bare = Bare::open(&folder.join("bare.db"));
    let phone = Phone::open(&folder.join("phone.db"));

    let session = phone.start("rounds");
    let mut visit = session.visit;
    let mut seq = 0;
    let answer = |visit: &mut u32| *visit = phone.compass.answer(session.key, *visit, "go").unwrap().view.visit;
    row("an answer, with the view of the next section", || answer(&mut visit), || bare.answer(&mut seq));

    let mut number = 0;
    let mut value = || {
        number += 1;
        phone.compass.set_field(session.key, "reading", FieldValue::Text(format!("{number}"))).unwrap();
    };
    row("a value, with the view of the section", &mut value, || bare.value(&mut seq));

    let finished = finish_line(&phone, ROUNDS * REPEATS);
    let mut finished = finished.iter();
    let mut key = 0;
    let size = phone.size_of_a_message("long");
    row(
        "completing: 30 values, 2 messages",
        || {
            let view = finished.next().unwrap();
            phone.compass.complete(view.key, view.visit).unwrap();
        },
        || bare.complete(&mut key, FIELDS, &[size; 2]),
    );

    let (phone, bare) = (Phone::open(&folder.join("drain.db")), Bare::open(&folder.join("bare-drain.db")));
    let size = phone.size_of_a_message("batch");
    let rounds: Vec<_> = (0..ROUNDS)
        .map(|_| {
            phone.backlog(BACKLOG);
            bare.backlog(&[size; BACKLOG]);
            (timed(|| phone.flush(BACKLOG)), timed(|| bare.drain(BACKLOG, GROUP)))
        })
        .collect();
    print("320 messages, claimed, sent, settled by 32", rounds, BACKLOG);
}

/// The same phone with few and with many finished sessions.
fn with_history(folder: &Path) {
    println!("\nwith {MANY} finished sessions beside {FEW}              ours      ratio");
    let (small, large) = (Phone::open(&folder.join("few.db")), Phone::open(&folder.join("many.db")));
    for (phone, sessions) in [(&small, FEW), (&large, MANY)] {
        for _ in 0..sessions {
            phone.complete("visit");
        }
        phone.flush(sessions);
    }

    let (in_large, in_small) = (large.start("rounds"), small.start("rounds"));
    let (mut far, mut near) = (in_large.visit, in_small.visit);
    row("an answer", || large.answer(&in_large, &mut far), || small.answer(&in_small, &mut near));
    row("start, fill in, complete", || large.work(), || small.work());
    for phone in [&small, &large] {
        phone.flush(ROUNDS * REPEATS);
    }
    row("one message, from completing to settled", || large.deliver(), || small.deliver());
    row("the newest 50 sessions", || large.list(), || small.list());
    row("the record of a session", || large.record(), || small.record());
    row("the outbox in numbers, and what is due next", || large.look(), || small.look());
    row("totals for a report", || large.report(), || small.report());
    let reopen = |phone: &Phone| {
        phone.compass.close().unwrap();
        Compass::open(phone.options.clone()).unwrap().close().unwrap();
    };
    // From here on both are closed.
    row("close and open", || reopen(&large), || reopen(&small));
}

// Measuring ---------------------------------------------------------------------------------------------------------------------------

fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

/// Both by turns; each is first in every other round.
fn row(name: &str, mut ours: impl FnMut(), mut other: impl FnMut()) {
    let mut all = |ours_first: bool| {
        let mut of_ours = || timed(|| (0..REPEATS).for_each(|_| ours()));
        if ours_first {
            let time = of_ours();
            (time, timed(|| (0..REPEATS).for_each(|_| other())))
        } else {
            let time = timed(|| (0..REPEATS).for_each(|_| other()));
            (of_ours(), time)
        }
    };
    let rounds = (0..ROUNDS).map(|round| all(round % 2 == 0)).collect();
    print(name, rounds, REPEATS);
}

fn print(name: &str, rounds: Vec<(Duration, Duration)>, times: usize) {
    let mut ours: Vec<_> = rounds.iter().map(|(ours, _)| ours.as_secs_f64() * 1e6 / times as f64).collect();
    let mut ratios: Vec<_> = rounds.iter().map(|(ours, other)| ours.as_secs_f64() / other.as_secs_f64()).collect();
    for numbers in [&mut ours, &mut ratios] {
        numbers.sort_by(f64::total_cmp);
    }
    let middle = ratios.len() / 2;
    println!("{name:<48} {:>7.0} us   {:.2} ({:.2} to {:.2})", ours[middle], ratios[middle], ratios[0], ratios[ratios.len() - 1]);
}

// A phone -----------------------------------------------------------------------------------------------------------------------------

struct Phone {
    compass: Compass,
    options: Options,
}

impl Phone {
    fn open(path: &Path) -> Self {
        let options = Options::new(path).transport(ScriptedTransport::always(202));
        let compass = Compass::open(options.clone()).unwrap();
        compass.set_integration_enabled(true).unwrap();
        let office = Endpoint {
            key: "office".into(),
            url: "https://office.example/hook".into(),
            signing: Signing::None,
            headers: Vec::new(),
            network: NetworkPolicy::Any,
        };
        compass.put_endpoint(&office).unwrap();
        for document in [rounds(), visit("visit", 1, 1), visit("long", FIELDS, 2), visit("batch", 1, PER_SESSION)] {
            compass.import_workflow(&document).unwrap();
        }
        Self { compass, options }
    }

    fn start(&self, workflow: &str) -> SessionView {
        self.compass.start(&Start::new(workflow, id())).unwrap().view
    }

    fn answer(&self, session: &SessionView, visit: &mut u32) {
        *visit = self.compass.answer(session.key, *visit, "go").unwrap().view.visit;
    }

    fn complete(&self, workflow: &str) -> SessionKey {
        let view = self.start(workflow);
        let fields = view.fields.iter().map(|field| set(&field.definition.key)).collect();
        self.compass.set_fields(view.key, fields).unwrap();
        self.compass.complete(view.key, view.visit).unwrap();
        view.key
    }

    fn work(&self) {
        self.complete("visit");
    }

    /// The size in bytes. Sends the message.
    fn size_of_a_message(&self, workflow: &str) -> usize {
        let session = self.complete(workflow);
        let actions = self.compass.record(session).unwrap().actions;
        self.flush(actions.len());
        actions[0].deliveries[0].body_size as usize
    }

    fn backlog(&self, messages: usize) {
        for _ in 0..messages / PER_SESSION {
            self.complete("batch");
        }
    }

    fn flush(&self, expected: usize) {
        let report = self.compass.flush(Duration::from_secs(60), &CancelToken::new()).unwrap();
        assert_eq!(report.sent as usize, expected);
    }

    fn deliver(&self) {
        self.complete("visit");
        self.flush(1);
    }

    fn list(&self) {
        assert_eq!(self.compass.sessions(&SessionFilter::default(), None, 50).unwrap().sessions.len(), 50);
    }

    fn record(&self) {
        let newest = self.compass.sessions(&SessionFilter::default(), None, 1).unwrap().sessions[0].key;
        self.compass.record(newest).unwrap();
    }

    fn look(&self) {
        self.compass.outbox_totals().unwrap();
        self.compass.next_due().unwrap();
    }

    fn report(&self) {
        self.compass.totals().unwrap();
    }
}

/// Sessions that only need to be completed.
fn finish_line(phone: &Phone, sessions: usize) -> Vec<SessionView> {
    let begin = |_| {
        let view = phone.start("long");
        phone.compass.set_fields(view.key, view.fields.iter().map(|field| set(&field.definition.key)).collect()).unwrap().view
    };
    (0..sessions).map(begin).collect()
}

fn set(field: &str) -> FieldChange {
    FieldChange { field: field.to_owned(), change: Change::Set(FieldValue::Text("17.5 bar at the valve".into())) }
}

fn id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("bench-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// One section with its fields and messages to the office.
fn visit(key: &str, fields: usize, messages: usize) -> Vec<u8> {
    let names: Vec<_> = (0..fields).map(|number| format!("field_{number}")).collect();
    let fields: Vec<_> = names.iter().map(|name| json!({ "key": name, "name": name, "type": "text" })).collect();
    let action = |number| json!({ "key": format!("tell_{number}"), "name": "Tell", "integration": "webhooks", "kind": "send_message", "endpoint": "office" });
    let actions: Vec<_> = (0..messages).map(action).collect();
    document(json!({
        "format": 1, "key": key, "version": 1, "name": "A visit", "start": "done", "fields": fields,
        "sections": [{ "key": "done", "name": "Done", "fields": names, "answers": [], "actions": actions, "win": true }],
    }))
}

/// Two sections whose answers lead to each other.
fn rounds() -> Vec<u8> {
    let section = |key: &str, next: &str| json!({ "key": key, "name": key, "fields": ["reading"], "answers": [{ "key": "go", "name": "Go", "next": next }, { "key": "stop", "name": "Stop", "next": "end" }] });
    document(json!({
        "format": 1, "key": "rounds", "version": 1, "name": "Rounds", "start": "here",
        "fields": [{ "key": "reading", "name": "Reading", "type": "text" }],
        "sections": [section("here", "there"), section("there", "here"), { "key": "end", "name": "End", "answers": [] }],
    }))
}

fn document(document: serde_json::Value) -> Vec<u8> {
    serde_json::to_vec(&document).unwrap()
}
