//! A phone's past that leaves every kind of row behind, and the text of the database it ends in.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use compass_core::model::*;
use compass_core::port::{FailureKind, Phase, RequestSent};
use compass_core::testing::{ManualClock, ScriptedTransport, SequentialRandom, answer, failure};
use compass_core::{CancelToken, Compass, Options};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::json;

use crate::support::app::{endpoint, id, set, text};

const DAY: Duration = Duration::from_secs(86_400);

/// Who the messages go to, and what each of them makes of one. Nobody knows `nobody`.
const PLACES: [&str; 8] = ["office", "refusing", "busy", "hill", "silent", "gone", "shop", "slow"];

pub fn transport() -> Arc<ScriptedTransport> {
    ScriptedTransport::new(|request| match request.url.trim_start_matches("https://").split('.').next() {
        Some("refusing") => Ok(answer(400)),
        Some("busy") => Ok(answer(503)),
        Some("gone") => Ok(answer(410)),
        Some("hill") => Err(failure(FailureKind::NoNetwork, Phase::Connect, RequestSent::No)),
        Some("silent") => Err(failure(FailureKind::Timeout, Phase::Receive, RequestSent::Maybe)),
        _ => Ok(answer(202)),
    })
}

pub fn options(path: &Path, clock: &Arc<ManualClock>, transport: &Arc<ScriptedTransport>) -> Options {
    Options { random: Arc::new(SequentialRandom::default()), ..Options::new(path) }.clock(clock.clone()).transport(transport.clone())
}

/// One section from which an answer leads to an end for each place, with a message to it.
fn workflow(version: u32) -> Vec<u8> {
    let places: Vec<&str> = PLACES.into_iter().chain(["nobody"]).collect();
    let answers: Vec<_> = places.iter().map(|place| json!({ "key": place, "name": place, "next": place })).collect();
    let mut sections = vec![json!({ "key": "yard", "name": "In the yard", "fields": ["site", "remark"], "answers": answers })];
    sections.extend(places.iter().map(|place| {
        let action =
            json!({ "key": format!("tell-{place}"), "name": "Tell", "integration": "webhooks", "kind": "send_message", "endpoint": place });
        json!({ "key": place, "name": place, "actions": [action], "win": *place == "office" })
    }));
    let document = json!({
        "format": 1, "key": "round", "version": version, "name": "A round", "start": "yard", "sections": sections,
        "fields": [{ "key": "site", "name": "Site", "type": "text", "required": true },
                   { "key": "remark", "name": "Remark", "type": "multiline", "allow_empty": true, "allow_not_applicable": true }],
        "responses": [{ "key": "dear", "name": "Too dear.", "kind": "objection", "content": "A new one is dearer." }],
    });
    serde_json::to_vec(&document).unwrap()
}

fn incomplete() -> Vec<u8> {
    let sections = json!([{ "key": "yard", "name": "In the yard", "answers": [{ "key": "on", "name": "On" }] }]);
    serde_json::to_vec(
        &json!({ "format": 1, "key": "planned", "version": 1, "name": "Planned", "start": "yard", "fields": [], "sections": sections }),
    )
    .unwrap()
}

struct Past {
    compass: Compass,
    clock: Arc<ManualClock>,
    transport: Arc<ScriptedTransport>,
}

impl Past {
    fn at(&self, place: &str) -> SessionView {
        let view = self.compass.start(&Start { actor: Some("Mia".into()), ..Start::new("round", id()) }).unwrap().view;
        self.clock.advance(Duration::from_secs(60));
        self.compass.set_field(view.key, "site", text("Mill Lane")).unwrap();
        self.compass.answer(view.key, view.visit, place).unwrap().view
    }

    fn completed(&self, place: &str) -> SessionKey {
        let view = self.at(place);
        self.compass.complete(view.key, view.visit).unwrap();
        view.key
    }

    fn flush(&self) {
        self.compass.flush(Duration::from_secs(60), &CancelToken::new()).unwrap();
    }

    fn edit(&self, session: SessionKey, site: &str) {
        let note =
            self.compass.session(session).unwrap().notes.first().map(|note| NoteChange { note: note.seq, text: "Café, at noon".into() });
        self.compass.edit(session, Some("Max"), None, vec![set("site", text(site))], note.into_iter().collect(), &id()).unwrap();
    }
}

/// Lives that past in a database at `path`, and leaves a copy at `copy` while a message is in flight.
pub fn live(path: &Path, copy: &Path) {
    let (clock, transport) = (Arc::new(ManualClock::default()), transport());
    let compass = Compass::open(options(path, &clock, &transport)).unwrap();
    let past = Past { compass: compass.clone(), clock, transport };
    compass.import_workflow(&workflow(1)).unwrap();
    compass.start(&Start::new("round", id())).unwrap();
    compass.import_workflow(&workflow(2)).unwrap();
    compass.import_workflow(&incomplete()).unwrap();
    compass.retire_workflow("round", WorkflowVersion { version: 1, local_revision: 0 }, true).unwrap();
    compass.set_integration_enabled(true).unwrap();
    PLACES.iter().for_each(|place| compass.put_endpoint(&endpoint(place)).unwrap());
    compass.archive_endpoint("shop").unwrap();

    gone_sessions(&past);
    let early = past.completed("office");
    past.flush();
    past.edit(early, "Mill Road");
    for _ in 0..20 {
        past.clock.advance(5 * DAY);
        compass.purge(400 * DAY).unwrap(); // drops its body, and purges nothing
    }
    messages(&past);
    sessions(&past);
    past.transport.hold("https://slow");
    past.completed("slow");
    // The last rows of two tables are gone: their numbers are not given again.
    let last = past.completed("office");
    compass.abandon(last, "tell-office", "Mia", "a mistake", &id()).unwrap();
    compass.delete(last).unwrap();
    let sent = past.transport.requests().len();
    std::thread::scope(|scope| {
        let flush = scope.spawn(|| past.flush());
        past.transport.wait_for_requests(sent + 1);
        compass.backup(copy).unwrap();
        past.transport.release();
        flush.join().unwrap();
    });
    compass.close().unwrap();
}

/// What is left of them are tombstones.
fn gone_sessions(past: &Past) {
    past.completed("office");
    let deleted = past.completed("office");
    past.flush();
    past.compass.delete(deleted).unwrap();
    past.clock.advance(3 * DAY);
    past.compass.purge(DAY).unwrap();
}

fn messages(past: &Past) {
    let compass = &past.compass;
    let [busy, refused, corrected, abandoned] = ["busy", "refusing", "refusing", "refusing"].map(|place| past.completed(place));
    for place in ["hill", "silent", "gone", "gone", "shop", "nobody", "office"] {
        past.completed(place);
    }
    let attempts = |session| compass.record(session).unwrap().actions[0].deliveries[0].attempts;
    for _ in 0..40 {
        past.flush();
        if attempts(busy) >= 11 {
            break;
        }
        past.clock.advance(Duration::from_secs(20 * 3_600));
    }
    assert!(attempts(busy) >= 11, "{}", attempts(busy));
    compass.send(refused, "tell-refusing", Some("Mia"), &id()).unwrap();
    past.flush();
    past.edit(corrected, "Mill Road 7");
    compass.send_corrected(corrected, "tell-refusing", Some("Mia"), &id()).unwrap();
    compass.abandon(abandoned, "tell-refusing", "Mia", "told them by phone", &id()).unwrap();
}

fn sessions(past: &Past) {
    let compass = &past.compass;
    let ended = past.at("refusing");
    compass.note(ended.key, "Nobody at home", &id()).unwrap();
    compass.end(ended.key, "nobody home", &id()).unwrap();
    past.edit(ended.key, "Mill Lane 3");
    let sent = past.at("refusing").key;
    compass.end(sent, "nobody home", &id()).unwrap();
    compass.send(sent, "tell-refusing", None, &id()).unwrap();
    compass.discard(past.at("office").key).unwrap();
    compass.set_integration_enabled(false).unwrap();
    past.completed("office");
    compass.set_integration_enabled(true).unwrap();

    let prefill = Prefill { field: "remark".into(), value: text("gate code 1234"), source: "work-order".into() };
    let under_way = compass.start(&Start { prefill: vec![prefill], ..Start::new("round", id()) }).unwrap().view;
    compass.use_response(under_way.key, "dear", &id()).unwrap();
    compass.note(under_way.key, "They call back", &id()).unwrap();
    compass.save_note_draft(under_way.key, "They said th").unwrap();
    compass.save_draft(under_way.key, "site", "Mil").unwrap();
    let moved = past.at("office");
    let back = compass.back(moved.key, moved.visit, moved.visit - 1).unwrap().view;
    compass.set_fields(back.key, vec![FieldChange { field: "remark".into(), change: Change::NotApplicable }]).unwrap();
    compass.answer(back.key, back.visit, "busy").unwrap();
}

/// A database as statements that fill an empty one of the same schema whose triggers are off.
pub fn dump(path: &Path) -> String {
    let sql = Connection::open(path).unwrap();
    let mut lines = Vec::new();
    for pragma in ["application_id", "user_version"] {
        let value: i64 = sql.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0)).unwrap();
        lines.push(format!("PRAGMA {pragma} = {value};"));
    }
    let mut tables =
        sql.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name = 'sqlite_sequence', rowid").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(|name| name.unwrap()).collect();
    for table in tables {
        if table == "sqlite_sequence" {
            // Filling the tables has given it rows of its own.
            lines.push(format!("DELETE FROM {table};"));
        }
        let mut rows = sql.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<_> = (0..columns).map(|at| literal(row.get_ref(at).unwrap())).collect();
            lines.push(format!("INSERT OR REPLACE INTO {table} VALUES ({});", values.join(", ")));
        }
    }
    lines.join("\n") + "\n"
}

/// Bytes are written in hexadecimal, or as the text they are.
fn literal(value: ValueRef<'_>) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => quoted(std::str::from_utf8(text).unwrap()),
        ValueRef::Blob(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if text.starts_with('{') => format!("CAST({} AS BLOB)", quoted(text)),
            _ => format!("X'{}'", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
        },
    }
}
