//! A phone with the core on it: a database file in a folder of its own, a clock that is set by hand, an office that takes messages, and a
//! workflow that is small enough to know by heart.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use compass_core::model::*;
use compass_core::port::Clock;
use compass_core::testing::{ManualClock, ScriptedTransport};
use compass_core::{CancelToken, Compass, Error, Options};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The phone.
pub struct App {
    pub clock: Arc<ManualClock>,
    /// What the office answers, once something is flushed: 202 to everything.
    pub office: Arc<ScriptedTransport>,
    pub compass: Compass,
    folder: TempDir,
}

impl App {
    /// A phone that is ready for work: the workflow is there, the integration is on, and the endpoint `office` is registered.
    pub fn new() -> Self {
        Self::with_office(ScriptedTransport::always(202))
    }

    /// The same, with an office that answers as this says.
    pub fn with_office(office: Arc<ScriptedTransport>) -> Self {
        Self::working(office, &pump_check(1))
    }

    /// The same, with a workflow that asks for a photo first, which need not be taken.
    pub fn with_a_photo() -> Self {
        let document = pump_check_with(1, |document| {
            document["fields"].as_array_mut().expect("fields").push(json!({ "key": "photo", "name": "Photo", "type": "attachment" }));
            document["sections"][0]["fields"].as_array_mut().expect("fields").push(json!("photo"));
        });
        Self::working(ScriptedTransport::always(202), &document)
    }

    fn working(office: Arc<ScriptedTransport>, document: &[u8]) -> Self {
        let app = Self::installed(office);
        app.compass.import_workflow(document).expect("imports");
        app.compass.set_integration_enabled(true).expect("turns on");
        app.compass.put_endpoint(&endpoint("office")).expect("registers");
        app
    }

    /// A phone on which the core was just installed.
    pub fn bare() -> Self {
        Self::installed(ScriptedTransport::always(202))
    }

    fn installed(office: Arc<ScriptedTransport>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::default());
        let compass = Compass::open(options(&folder.path().join("compass.db"), &clock, &office)).expect("opens");
        Self { clock, office, compass, folder }
    }

    /// The app is closed and started again.
    pub fn reopen(&mut self) {
        self.compass.close().expect("closes");
        self.compass = Compass::open(self.options()).expect("opens again");
    }

    pub fn options(&self) -> Options {
        options(&self.path(), &self.clock, &self.office)
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("compass.db")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file as somebody from outside sees it, with all its rules in force.
    pub fn sql(&self) -> rusqlite::Connection {
        open_sql(&self.path())
    }

    /// A number that the database gives from outside.
    pub fn count(&self, sql: &str) -> i64 {
        self.sql().query_row(sql, [], |row| row.get(0)).expect("a number")
    }

    /// So many days pass, on each of which something is written, so that the database ages.
    pub fn days(&self, days: u32) {
        for _ in 0..days {
            self.clock.advance(Duration::from_secs(86_400));
            self.compass.set_integration_enabled(self.compass.integration_enabled().expect("a flag")).expect("a write");
        }
    }

    /// A second passes.
    pub fn tick(&self) {
        self.clock.advance(Duration::from_secs(1));
    }

    /// What the phone's clock says.
    pub fn now(&self) -> Timestamp {
        let now = self.clock.now();
        Timestamp::from_timestamp_millis(now.timestamp_millis()).expect("a time")
    }

    pub fn start(&self) -> SessionView {
        self.compass.start(&Start::new("pump-check", id())).expect("starts").view
    }

    pub fn set(&self, session: SessionKey, field: &str, value: &str) -> SessionView {
        self.compass.set_field(session, field, text(value)).expect("sets").view
    }

    /// Takes the photo with this hash.
    pub fn take(&self, session: SessionKey, sha256: &str) {
        let photo = FileManifest { sha256: sha256.into(), media_type: "image/jpeg".into(), size: 9, name: "\"sha256\":\"".into() };
        self.compass.set_field(session, "photo", FieldValue::File(photo)).expect("sets");
    }

    pub fn answer(&self, session: SessionKey, answer: &str) -> SessionView {
        let visit = self.view(session).visit;
        let outcome = self.compass.answer(session, visit, answer).expect("moves on");
        assert_eq!(outcome.applied, Applied::Yes);
        outcome.view
    }

    pub fn view(&self, session: SessionKey) -> SessionView {
        self.compass.session(session).expect("a session")
    }

    /// A session that stands at its good end, `done`, having met the actions `announce`, `measured` and `report`.
    pub fn at_the_end(&self) -> SessionView {
        let session = self.start().key;
        self.set(session, "site", "Mill Lane");
        self.answer(session, "on");
        self.answer(session, "fine")
    }

    pub fn finish(&self, session: SessionKey) -> SessionView {
        let visit = self.view(session).visit;
        let outcome = self.compass.complete(session, visit).expect("completes");
        assert_eq!(outcome.applied, Applied::Yes);
        outcome.view
    }

    /// A session that was completed at its good end.
    pub fn completed(&self) -> SessionKey {
        let session = self.at_the_end().key;
        self.finish(session);
        session
    }

    /// A session that was ended after its first answer, having met `announce` and `measured`.
    pub fn ended(&self) -> SessionKey {
        let session = self.start().key;
        self.set(session, "site", "Mill Lane");
        self.answer(session, "on");
        self.compass.end(session, "nobody home", &id()).expect("ends");
        session
    }

    /// A completed session whose messages are all larger than may be sent.
    pub fn too_large(&self) -> SessionKey {
        let session = self.start().key;
        self.set(session, "site", "Mill Lane");
        self.answer(session, "on");
        self.compass.set_fields(session, pages('🔥')).expect("takes five long texts");
        self.answer(session, "fine");
        self.finish(session);
        session
    }

    pub fn record(&self, session: SessionKey) -> SessionRecord {
        self.compass.record(session).expect("a record")
    }

    pub fn action(&self, session: SessionKey, key: &str) -> Action {
        self.record(session).actions.into_iter().find(|action| action.key == key).expect("the action")
    }

    /// Everything that is due leaves.
    pub fn deliver(&self) -> FlushReport {
        self.compass.flush(Duration::from_secs(60), &CancelToken::new()).expect("flushes")
    }

    /// What the whole check finds.
    pub fn faults(&self) -> Vec<String> {
        self.compass.check().expect("checks").faults
    }
}

fn options(path: &Path, clock: &Arc<ManualClock>, office: &Arc<ScriptedTransport>) -> Options {
    Options::new(path).clock(Arc::clone(clock) as _).transport(Arc::clone(office) as _)
}

pub fn open_sql(path: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(path).expect("opens");
    connection.pragma_update(None, "foreign_keys", true).expect("checks references");
    connection.busy_timeout(Duration::from_secs(5)).expect("waits");
    connection
}

/// All side files are folded into the one file, as an ordinary program leaves it.
pub fn fold(path: &Path) {
    let connection = open_sql(path);
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("folds");
}

/// Fills the first page of a table's rows with nonsense, as failing flash does, in a file that is closed.
pub fn lose_page(path: &Path, table: &str) {
    change_page(path, table, true, |page| page.fill(0xa5));
}

/// The pages with rows of the schema, of a file that is folded. The first page names them: each says what comes before it.
pub fn pages_of_schema(file: &[u8]) -> Vec<usize> {
    let number = |at: usize, length: usize| file[at..at + length].iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
    (0..number(103, 2)).map(|cell| number(number(112 + 2 * cell, 2), 4)).chain([number(108, 4)]).collect()
}

/// Changes the first page of a table's rows, or of the table, in a file that is closed.
pub fn change_page(path: &Path, table: &str, of_rows: bool, change: impl FnOnce(&mut [u8])) {
    change_page_below(path, table, of_rows, true, change);
}

/// Changes the page with the last rows of a table, in a file that is closed.
pub fn change_last_page(path: &Path, table: &str, change: impl FnOnce(&mut [u8])) {
    change_page_below(path, table, true, false, change);
}

fn change_page_below(path: &Path, table: &str, of_rows: bool, is_first: bool, change: impl FnOnce(&mut [u8])) {
    let root: u32 = open_sql(path).query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [table], |row| row.get(0)).unwrap();
    fold(path);
    let mut bytes = std::fs::read(path).unwrap();
    let size = match u16::from_be_bytes([bytes[16], bytes[17]]) {
        1 => 65_536,
        size => usize::from(size),
    };
    let page_at = |number: u32| (number as usize - 1) * size;
    let mut page = page_at(root);
    // The first or last child of an inner page, of a table or of one that is its own index.
    while of_rows && matches!(bytes[page], 2 | 5) {
        let first = page + usize::from(u16::from_be_bytes([bytes[page + 12], bytes[page + 13]]));
        let child = if is_first { first } else { page + 8 };
        page = page_at(u32::from_be_bytes(bytes[child..child + 4].try_into().unwrap()));
    }
    change(&mut bytes[page..page + size]);
    std::fs::write(path, &bytes).unwrap();
}

/// The whole file is rebuilt with pages of this size.
pub fn with_pages_of(path: &Path, size: u32) {
    let file = open_sql(path);
    file.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).unwrap();
    file.execute_batch(&format!("PRAGMA page_size = {size}; VACUUM")).unwrap();
    assert_eq!(file.query_row("PRAGMA page_size", [], |row| row.get::<_, u32>(0)).unwrap(), size);
}

/// A command id that was never used before.
pub fn id() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("command-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

pub fn text(value: &str) -> FieldValue {
    FieldValue::Text(value.to_owned())
}

/// What a person says who has something taken out for good.
pub fn redaction(target: RedactionTarget) -> Redaction {
    Redaction {
        command_id: id(),
        target,
        actor: "Mia".into(),
        reason: "not ours to know".into(),
        pending: RedactPending::Abandon,
        bodies: RedactBodies::Forget,
    }
}

pub fn set(field: &str, value: FieldValue) -> FieldChange {
    FieldChange { field: field.to_owned(), change: Change::Set(value) }
}

/// The five pages of a long report, each as long as a text may be: 400 kB in all when written with characters of four bytes.
pub fn pages(character: char) -> Vec<FieldChange> {
    (1..=5).map(|page| set(&format!("page{page}"), text(&character.to_string().repeat(20_000)))).collect()
}

pub fn endpoint(key: &str) -> Endpoint {
    Endpoint {
        key: key.to_owned(),
        url: format!("https://{key}.example/hook"),
        signing: Signing::None,
        headers: Vec::new(),
        network: NetworkPolicy::Any,
    }
}

/// The workflow as a document, published with this version.
///
/// `yard` leads on to `pump`, round again to itself, or off to `gate`; `pump` leads to `done` (won) or `broken`; `broken` back to `pump` or
/// to `open`. Actions: `announce`, `measured` and `report` go to `office`, `order` and `chase` to `depot`, which nobody has registered.
pub fn pump_check(version: u32) -> Vec<u8> {
    pump_check_with(version, |_| {})
}

/// The same with a change.
pub fn pump_check_with(version: u32, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let action = |key: &str, endpoint: &str| json!([{ "key": key, "name": format!("Message {key}"), "integration": "webhooks", "kind": "send_message", "endpoint": endpoint }]);
    let answer = |key: &str, next: &str| json!({ "key": key, "name": format!("Answer {key}"), "next": next });
    let page = |number: u32| json!({ "key": format!("page{number}"), "name": format!("Page {number}"), "type": "multiline", "max_length": 20_000 });
    let mut document = json!({
        "format": 1,
        "key": "pump-check",
        "version": version,
        "name": "Pump check",
        "start": "yard",
        "fields": [
            { "key": "site", "name": "Site", "type": "text", "required": true },
            { "key": "remark", "name": "Remark", "type": "multiline" },
            { "key": "depth", "name": "Depth", "type": "decimal", "min": "0", "max": "200", "decimal_places": 2 },
            { "key": "tag", "name": "Tag", "type": "text", "required": true, "allow_empty": true, "allow_not_applicable": true },
            { "key": "order_no", "name": "Order number", "type": "text" },
            page(1), page(2), page(3), page(4), page(5),
        ],
        "responses": [
            { "key": "why", "name": "Why so often?", "kind": "customer_question", "content": "Because pumps wear." },
            { "key": "dear", "name": "Too dear.", "kind": "objection", "content": "A new pump is dearer." },
        ],
        "sections": [
            { "key": "yard", "name": "In the yard", "content": "Find the pump.", "fields": ["site", "remark"], "actions": action("announce", "office"),
              "answers": [answer("on", "pump"), answer("again", "yard"), answer("leave", "gate")] },
            { "key": "pump", "name": "At the pump", "fields": ["depth", "page1", "page2", "page3", "page4", "page5"], "actions": action("measured", "office"),
              "answers": [answer("fine", "done"), answer("broken", "broken")] },
            { "key": "broken", "name": "Broken", "fields": ["tag"], "actions": action("order", "depot"),
              "answers": [answer("fixed", "pump"), answer("left", "open")] },
            { "key": "done", "name": "Done", "actions": action("report", "office"), "win": true },
            { "key": "open", "name": "Left open", "actions": action("chase", "depot") },
            { "key": "gate", "name": "At the gate" },
        ],
    });
    change(&mut document);
    serde_json::to_vec_pretty(&document).expect("a document")
}

/// The code of the error that a call ends in.
pub fn code<T>(result: Result<T, Error>) -> &'static str {
    result.err().map_or("fine", |error| error.code())
}
