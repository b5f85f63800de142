//! What is done with input that nobody trusts: bytes decide all of it. A panic is a fault, and so is a broken promise that is asserted here.
//! `fuzz/` gives these the bytes that a fuzzer finds, and `tests/input` those of the corpus and of a seed.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use compass_core::model::*;
use compass_core::port::{Clock, Header, Transport, TransportRequest, TransportResponse};
use compass_core::testing::rules::canonical;
use compass_core::testing::{ManualClock, ScriptedTransport, answer};
use compass_core::transport::{BuiltIn, BuiltInOptions};
use compass_core::{CancelToken, Compass, Error, Options, RestoreOptions, document, parse_value, typed_text, validate};
use tempfile::TempDir;

/// A name, and what is done with the bytes.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// What a person or a server gives to the core, by the names of the fuzz targets and of the folders of the corpus.
pub(crate) const TARGETS: [Target; 5] =
    [("document", document), ("value", value), ("answer", answer_of_a_receiver), ("http", http), ("row", row)];

const EVERY_TYPE: &[u8] = include_bytes!("../fixtures/workflows/every-type.json");
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A workflow document: it has findings of a bounded number, or a reference; what is startable can be imported and started.
fn document(bytes: &[u8]) {
    let parsed = document::parse(bytes);
    assert!(parsed.is_importable() || !parsed.findings.is_empty(), "it is refused without a word");
    for finding in &parsed.findings {
        assert!(!finding.message.is_empty(), "{finding:?}");
    }
    if let Ok(text) = canonical(bytes) {
        assert_eq!(canonical(text.as_bytes()).as_deref(), Ok(text.as_str()), "the canonical form is one of itself");
    }
    if parsed.is_startable() {
        let phone = Phone::new(ScriptedTransport::always(202));
        let key = phone.compass.import_workflow(bytes).expect("it is startable").workflow.workflow.key;
        phone.compass.start(&Start::new(&key, "one")).expect("it is startable");
        expect_undamaged(&phone.compass);
    }
}

/// What a person types into a field of each type: it is refused, or kept in a form that is valid and reads as the same value.
fn value(bytes: &[u8]) {
    static FIELDS: LazyLock<Vec<FieldDefinition>> = LazyLock::new(|| document::parse(EVERY_TYPE).workflow.expect("a workflow").fields);
    let text = String::from_utf8_lossy(bytes);
    let now = ManualClock::default().now();
    for field in FIELDS.iter() {
        let Ok(state) = parse_value(field, &text, now) else { continue };
        let FieldState::Provided(value) = &state else { continue };
        assert_eq!(validate(field, value).as_ref(), Ok(&state), "{}", field.key);
        let typed = typed_text(&state);
        let again = parse_value(field, &typed, now).unwrap_or_else(|problem| panic!("{}: {typed:?}: {problem:?}", field.key));
        assert_eq!(again, state, "{}: {typed:?}", field.key);
    }
}

/// The answer of a receiver, its status in the first two bytes, then headers, an empty line and a body: the message is sent if and only if it is a
/// 2xx. Otherwise it waits for a day at most, or needs a person; it is never gone.
fn answer_of_a_receiver(bytes: &[u8]) {
    static ANSWER: Mutex<Option<TransportResponse>> = Mutex::new(None);
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let status = bytes.first_chunk().map_or(200, |bytes| u16::from_be_bytes(*bytes) % 1000);
    let text = String::from_utf8_lossy(bytes.get(2..).unwrap_or_default());
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let headers = head.lines().filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| Header::new(name.trim().to_ascii_lowercase(), value.trim())).collect();
    *ANSWER.lock().expect("not poisoned") = Some(TransportResponse { status, headers, body: body.as_bytes().to_vec() });

    static WAITS: LazyLock<Used> = LazyLock::new(|| Used::of(|phone| _ = phone.completed()));
    let office = ScriptedTransport::new(|_| Ok(ANSWER.lock().expect("not poisoned").clone().unwrap_or_else(|| answer(202))));
    let phone = Phone::of(&WAITS, office);
    let session = phone.compass.sessions(&SessionFilter::default(), None, 1).expect("a list").sessions[0].key;
    phone.flush();
    let status_of = || phone.compass.record(session).expect("a record").actions[0].status;
    let is_2xx = (200..300).contains(&status);
    assert_eq!(status_of() == ActionStatus::Sent, is_2xx, "{status}");
    if status_of() == ActionStatus::Pending {
        // Later it works: after the longest pause, and a network that is back.
        *ANSWER.lock().expect("not poisoned") = None;
        phone.clock.advance(DAY + MINUTE);
        phone.compass.set_connectivity(Connectivity::Offline);
        phone.compass.set_connectivity(Connectivity::Online { validated: Some(true), metered: false, network: None });
        phone.clock.advance(MINUTE);
        phone.flush();
        assert_eq!(status_of(), ActionStatus::Sent, "{status}: {head:?}");
    }
    expect_undamaged(&phone.compass);
}

/// What a server writes to the connection before it closes it: an answer with a status, or a failure, and soon. With a good status line and an end
/// of the head it is that answer, whatever stands between.
fn http(bytes: &[u8]) {
    static TRANSPORT: LazyLock<BuiltIn> = LazyLock::new(|| {
        BuiltIn::new(BuiltInOptions { allow_plain_http_to_loopback: true, ..BuiltInOptions::default() })
            .expect("no options that can be bad")
    });
    let send = |bytes: Vec<u8>| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            // The whole request is less than a packet.
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&bytes);
            let _ = stream.shutdown(Shutdown::Write);
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        });
        let request = TransportRequest { id: 1, url, headers: Vec::new(), body: b"{}".to_vec(), timeout: MINUTE };
        let outcome = TRANSPORT.send(request);
        TRANSPORT.renew();
        server.join().expect("the server ends");
        outcome
    };
    if let Ok(response) = send(bytes.to_vec()) {
        assert!(response.body.len() <= 4096 && (100..1000).contains(&response.status), "{response:?}");
    }
    let status = send([b"HTTP/1.1 204 No Content\r\n", bytes, b"\r\n\r\n"].concat()).map(|response| response.status);
    assert_eq!(status, Ok(204));
}

/// Values in rows of a used file that nothing the core does puts there: no call panics, and what only reads says what is damaged.
/// A change that a rule of the schema refuses is `internal`: it may be a fault of the core as well.
fn row(bytes: &[u8]) {
    static USED: LazyLock<Used> = LazyLock::new(|| Used::of(use_phone));
    let phone = Phone::of(&USED, ScriptedTransport::always(202));
    phone.compass.close().expect("closes");
    phone.change_rows(bytes);
    phone.use_all();
}

/// A phone whose folder is in memory, where there is such a place: nothing here is about disks.
struct Phone {
    // Dropped before the folder that it is in.
    compass: Compass,
    clock: Arc<ManualClock>,
    options: Options,
    folder: TempDir,
}

fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

impl Phone {
    fn new(transport: Arc<ScriptedTransport>) -> Self {
        let folder = folder();
        let clock = Arc::new(ManualClock::default());
        let mut options = Options::new(folder.path().join("compass.db"));
        options.clock = clock.clone();
        options.transport = Some(transport as Arc<dyn Transport>);
        let compass = Compass::open(options.clone()).expect("opens");
        let url = "https://office.example/hook".to_owned();
        let office = Endpoint { key: "office".to_owned(), url, signing: Signing::None, headers: Vec::new(), network: NetworkPolicy::Any };
        compass.put_endpoint(&office).expect("registers");
        compass.set_integration_enabled(true).expect("turns on");
        compass.import_workflow(WORKFLOW.as_bytes()).expect("imports");
        Self { compass, clock, options, folder }
    }

    /// With the file of a phone that was used.
    fn of(used: &Used, transport: Arc<ScriptedTransport>) -> Self {
        let folder = folder();
        std::fs::write(folder.path().join("compass.db"), &used.file).expect("a file");
        let clock = Arc::new(ManualClock::default());
        let mut options = Options::new(folder.path().join("compass.db"));
        options.clock = clock.clone();
        options.transport = Some(transport as Arc<dyn Transport>);
        Self { compass: Compass::open(options.clone()).expect("opens"), clock, options, folder }
    }

    fn completed(&self) -> SessionKey {
        let session = self.compass.start(&Start::new("visit", id())).expect("starts").view.key;
        self.compass.set_field(session, "reading", FieldValue::Text("17.5".into())).expect("a value");
        let visit = self.compass.session(session).expect("a view").visit;
        self.compass.complete(session, visit).expect("completes");
        session
    }

    fn flush(&self) {
        self.compass.flush(MINUTE, &CancelToken::new()).expect("flushes");
    }

    /// Up to eight values, each of four or more bytes: which table, column and row, and what.
    fn change_rows(&self, bytes: &[u8]) {
        let file = rusqlite::Connection::open(&self.options.path).expect("a file");
        let names = |sql: &str| -> Vec<String> {
            let mut names = file.prepare(sql).expect("a statement");
            let names = names.query_map([], |row| row.get(0)).expect("rows");
            names.collect::<Result<_, _>>().expect("names")
        };
        let tables = names(
            "SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB 'search*' ORDER BY name",
        );
        crate::past_every_rule(&file, |file| {
            for change in bytes.chunks(8).take(8) {
                let at = |n: usize| usize::from(change.get(n).copied().unwrap_or_default());
                let table = &tables[at(0) % tables.len()];
                let columns = names(&format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid"));
                let column = &columns[at(1) % columns.len()];
                let rest = &change[change.len().min(4)..];
                let number = rest.iter().fold(0i64, |number, byte| number << 8 | i64::from(*byte));
                let value: rusqlite::types::Value = match at(3) % 6 {
                    0 => rusqlite::types::Value::Null,
                    1 => number.into(),
                    2 => [0, -1, i64::MAX, i64::MIN, 1 << 53, 1 << 31][at(4) % 6].into(),
                    3 => (number as f64 / 3.0).into(),
                    4 => String::from_utf8_lossy(rest).into_owned().into(),
                    _ => rest.to_vec().into(),
                };
                let keys = names(&format!("SELECT name FROM pragma_table_info('{table}') WHERE pk > 0 ORDER BY pk")).join(", ");
                // STRICT refuses some types, and unique indexes some values: then the row stays as it is.
                let _ = file.execute(
                    &format!("UPDATE {table} SET {column} = ?1 WHERE ({keys}) IN (SELECT {keys} FROM {table} ORDER BY 1 LIMIT 1 OFFSET ?2 % max(1, (SELECT count(*) FROM {table})))"),
                    rusqlite::params![value, at(2) as i64],
                );
            }
        });
        file.close().expect("closes");
    }

    /// Whatever an app calls, in the order of a day.
    fn use_all(&self) {
        let copy = self.folder.path().join("copy.db");
        let salvaged = self.folder.path().join("salvaged.jsonl");
        Compass::salvage(&self.options.path, &salvaged).map(drop).unwrap_or_else(expected);
        let Some(compass) = Compass::open(self.options.clone()).map_err(expected).ok() else { return };
        compass.check().map(drop).unwrap_or_else(expected);
        compass.workflows().map(drop).unwrap_or_else(expected);
        compass.endpoints().map(drop).unwrap_or_else(expected);
        compass.outbox(&OutboxFilter::default(), None, 50).map(drop).unwrap_or_else(expected);
        compass.outbox_totals().map(drop).unwrap_or_else(expected);
        compass.next_due().map(drop).unwrap_or_else(expected);
        compass.totals().map(drop).unwrap_or_else(expected);
        let word = SessionFilter { text: Some("17".into()), ..SessionFilter::default() };
        compass.sessions(&word, None, 50).map(drop).unwrap_or_else(expected);
        let all = compass.sessions(&SessionFilter::default(), None, 50).map(|page| page.sessions).unwrap_or_else(|error| {
            expected(error);
            Vec::new()
        });
        for session in all.iter().map(|summary| summary.key) {
            compass.record(session).map(drop).unwrap_or_else(expected);
            compass.session(session).map(drop).unwrap_or_else(expected);
            let _ = compass.set_field(session, "other", FieldValue::Text("two".into()));
            let change = FieldChange { field: "reading".to_owned(), change: Change::Set(FieldValue::Text("18".into())) };
            let _ = compass.edit(session, Some("anna"), None, vec![change], vec![], &id());
            let _ = compass.send_corrected(session, "tell", Some("anna"), &id());
            let _ = compass.replay(session, "tell", Some("anna"), &id());
        }
        let _ = compass.flush(MINUTE, &CancelToken::new());
        if let Some(session) = all.first().map(|summary| summary.key) {
            let redaction = Redaction {
                command_id: id(),
                target: RedactionTarget::Field { key: "reading".to_owned() },
                actor: "anna".to_owned(),
                reason: "not ours to know".to_owned(),
                pending: RedactPending::Correct,
                bodies: RedactBodies::Forget,
            };
            let _ = compass.redact(session, &redaction);
            let _ = compass.abandon_session(session, "anna", "on paper", &id());
            let _ = compass.delete(session);
        }
        compass.backup(&copy).map(drop).unwrap_or_else(expected);
        let _ = compass.purge(DAY);
        compass.close().map(drop).unwrap_or_else(expected);
        if copy.exists() {
            let discard = compass_core::DiscardUndelivered { actor: "anna".to_owned(), reason: "it is damaged".to_owned() };
            let options = RestoreOptions::new(&self.options.path).discard_undelivered(discard);
            Compass::restore(&copy, &options).map(drop).unwrap_or_else(expected);
        }
    }
}

/// The file of a phone that was used.
struct Used {
    file: Vec<u8>,
}

impl Used {
    fn of(using: impl FnOnce(&Phone)) -> Self {
        let phone = Phone::new(ScriptedTransport::always(202));
        using(&phone);
        phone.compass.close().expect("closes");
        Self { file: std::fs::read(&phone.options.path).expect("a file") }
    }
}

/// Finished sessions, delivered, corrected and waiting messages, a replay, a session in progress, a deleted one.
fn use_phone(phone: &Phone) {
    let compass = &phone.compass;
    let sessions: Vec<SessionKey> = (0..4).map(|_| phone.completed()).collect();
    phone.flush();
    let change = FieldChange { field: "reading".to_owned(), change: Change::Set(FieldValue::Text("18.5".into())) };
    compass.edit(sessions[1], Some("anna"), None, vec![change], vec![], &id()).expect("an edit");
    compass.replay(sessions[2], "tell", Some("anna"), &id()).expect("a replay");
    compass.delete(sessions[3]).expect("a deletion");
    phone.completed();
    compass.start(&Start::new("visit", id())).expect("starts");
}

fn id() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("command-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// An error of a call that reads: it says what is wrong.
fn expected(error: Error) {
    assert_ne!(error.code(), "internal", "{error}");
}

fn expect_undamaged(compass: &Compass) {
    assert_eq!(compass.check().expect("a check").faults, [""; 0]);
}

const WORKFLOW: &str = r#"{
  "format": 1, "key": "visit", "version": 1, "name": "A visit", "start": "done",
  "fields": [{ "key": "reading", "name": "Reading", "type": "text" }, { "key": "other", "name": "Other", "type": "text" }],
  "sections": [{ "key": "done", "name": "Done", "fields": ["reading", "other"], "answers": [], "win": true, "actions": [
    { "key": "tell", "name": "Tell", "integration": "webhooks", "kind": "send_message", "endpoint": "office", "on_edit": "send" }] }]
}"#;
