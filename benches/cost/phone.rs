//! The core as an app uses it, with the workflows that are measured.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use compass_core::model::*;
use compass_core::port::Clock;
use compass_core::testing::ScriptedTransport;
use compass_core::{CancelToken, Compass, Options};
use serde_json::json;

/// The number of fields of a long section.
pub(crate) const FIELDS: usize = 30;
/// The number of messages that one session of the workflow `batch` sends.
const PER_SESSION: usize = 16;

pub(crate) struct Phone {
    pub(crate) compass: Compass,
    pub(crate) options: Options,
}

impl Phone {
    pub(crate) fn open(path: &Path) -> Self {
        let mut options = Options::new(path).transport(ScriptedTransport::always(202));
        options.clock = Arc::new(BenchClock(Instant::now()));
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

    pub(crate) fn start(&self, workflow: &str) -> SessionView {
        self.compass.start(&Start::new(workflow, id())).unwrap().view
    }

    /// A session of `rounds` with so many visits on its path.
    pub(crate) fn on_round(&self, visits: usize) -> SessionView {
        let mut view = self.start("rounds");
        let commands: Vec<_> = (1..visits as u32).map(|visit| Command::Answer { visit, answer: "go".into() }).collect();
        for group in commands.chunks(100) {
            view = self.compass.run(view.key, None, group, None).unwrap().view;
        }
        view
    }

    pub(crate) fn answer(&self, session: SessionKey, visit: &mut u32) {
        *visit = self.compass.answer(session, *visit, "go").unwrap().view.visit;
    }

    pub(crate) fn set(&self, session: SessionKey, field: &str, text: &str) {
        self.compass.set_field(session, field, FieldValue::Text(text.into())).unwrap();
    }

    /// A session whose fields are filled in.
    pub(crate) fn filled_in(&self, workflow: &str) -> SessionView {
        let view = self.start(workflow);
        let fields = view.fields.iter().map(|field| set(&field.definition.key)).collect();
        self.compass.set_fields(view.key, fields).unwrap().view
    }

    pub(crate) fn complete(&self, workflow: &str) -> SessionKey {
        let view = self.filled_in(workflow);
        self.compass.complete(view.key, view.visit).unwrap();
        view.key
    }

    /// The same, with a text for each field.
    pub(crate) fn complete_with(&self, workflow: &str, text: impl Fn(usize) -> String) {
        let view = self.start(workflow);
        let change = |(place, field): (usize, &FieldView)| FieldChange {
            field: field.definition.key.clone(),
            change: Change::Set(FieldValue::Text(text(place))),
        };
        let changes = view.fields.iter().enumerate().map(change).collect();
        let visit = self.compass.set_fields(view.key, changes).unwrap().view.visit;
        self.compass.complete(view.key, visit).unwrap();
    }

    pub(crate) fn work(&self) {
        self.complete("visit");
    }

    pub(crate) fn backlog(&self, messages: usize) {
        for _ in 0..messages / PER_SESSION {
            self.complete("batch");
        }
    }

    pub(crate) fn flush(&self, expected: usize) {
        let report = self.compass.flush(Duration::from_secs(600), &CancelToken::new()).unwrap();
        assert_eq!(report.sent as usize, expected);
    }

    pub(crate) fn deliver(&self) {
        self.complete("visit");
        self.flush(1);
    }

    pub(crate) fn list(&self) {
        assert_eq!(self.compass.sessions(&SessionFilter::default(), None, 50).unwrap().sessions.len(), 50);
    }

    pub(crate) fn record(&self) {
        let newest = self.compass.sessions(&SessionFilter::default(), None, 1).unwrap().sessions[0].key;
        self.compass.record(newest).unwrap();
    }

    pub(crate) fn look(&self) {
        self.compass.outbox_totals().unwrap();
        self.compass.next_due().unwrap();
    }

    pub(crate) fn report(&self) {
        self.compass.totals().unwrap();
    }
}

/// The clocks of the standard library: the core's own reads the address of the kernel's clock from a page that valgrind does not always map.
struct BenchClock(Instant);

impl Clock for BenchClock {
    fn now(&self) -> Timestamp {
        std::time::SystemTime::now().into()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    fn utc_offset(&self, _: Timestamp) -> i32 {
        0
    }
}

fn set(field: &str) -> FieldChange {
    FieldChange { field: field.to_owned(), change: Change::Set(FieldValue::Text("17.5 bar at the valve".into())) }
}

fn id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    // A phone that is there has the ids of the process that made it.
    format!("bench-{:08}-{:06}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
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
