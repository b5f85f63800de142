//! Delivery against a real database, a scripted transport and clocks that are set by hand.

#![allow(clippy::unwrap_used)]

mod backlog;
mod clocks;
mod faults;
mod outcomes;
mod stopping;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{CancelToken, Delivery, Ports, Settings};
use crate::crypto::Sha256;
use crate::model::{ActionPreview, Endpoint, FlushReport, NetworkPolicy, Notice, SessionState, Signing, Timestamp};
use crate::outbox::RetryPolicy;
use crate::port::{Clock, StaticSecrets};
use crate::store::outbox::NewEntry;
use crate::store::{Store, StoreError, Transaction, action, endpoint, meta, outbox};
use crate::testing::{ManualClock, ScriptedTransport, SequentialRandom};

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// Long enough for every drain, short enough for a test that hangs.
const LONG: Duration = Duration::from_secs(60);

/// A phone with one database.
struct Phone {
    _folder: tempfile::TempDir,
    store: Arc<Store>,
    clock: Arc<ManualClock>,
    secrets: Arc<StaticSecrets>,
    transport: Arc<ScriptedTransport>,
    delivery: Arc<Delivery>,
    notices: Arc<Mutex<Vec<Notice>>>,
    policy: RetryPolicy,
}

impl Phone {
    fn new(transport: Arc<ScriptedTransport>) -> Self {
        Self::with_policy(transport, RetryPolicy::default())
    }

    fn with_policy(transport: Arc<ScriptedTransport>, policy: RetryPolicy) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(&folder.path().join("compass.db"), &|| "install".to_owned()).unwrap().0);
        let clock = Arc::new(ManualClock::default());
        let secrets = Arc::new(StaticSecrets::new());
        secrets.set("signing", SECRET);
        let notices = Arc::new(Mutex::new(Vec::new()));
        let delivery = deliver(&store, &clock, &secrets, &transport, &notices, &policy);
        let phone = Self { _folder: folder, store, clock, secrets, transport, delivery, notices, policy };
        phone.write(|tx| {
            meta::set_integration_enabled(tx, true)?;
            tx.execute(
                "INSERT INTO workflow (id, key, version, local_revision, name, hash, document, startable, findings, imported_at)
                 VALUES (1, 'boiler', 1, 0, 'Boiler service', zeroblob(32), x'', 1, '[]', 0)",
                [],
            )?;
            Ok(())
        });
        phone.register("office");
        phone
    }

    /// The same database in another handle, as another process would have it.
    fn second_handle(&self, transport: &Arc<ScriptedTransport>) -> Arc<Delivery> {
        let store = Arc::new(Store::open(self.store.path(), &|| "never".to_owned()).unwrap().0);
        // Another handle draws other random numbers.
        let ports = Ports {
            clock: self.clock.clone(),
            random: Arc::new(crate::port::SystemRandom),
            secrets: self.secrets.clone(),
            transport: transport.clone(),
            blocking: None,
        };
        Delivery::new(store, ports, Settings { policy: self.policy.clone(), ..Settings::default() }, Arc::new(|_| {}))
    }

    fn register(&self, key: &str) {
        self.register_as(&endpoint(key));
    }

    fn register_as(&self, endpoint: &Endpoint) {
        self.write(|tx| endpoint::put(tx, endpoint, &self.policy));
    }

    /// Completed sessions with one message each.
    fn complete(&self, endpoint: &str, count: usize) -> Vec<i64> {
        let now = self.clock.now();
        self.write(|tx| (0..count).map(|_| entry(tx, endpoint, now)).collect())
    }

    fn quiesce(&self) {
        let epoch = self.delivery.begin_quiesce();
        self.delivery.finish_quiesce(epoch);
    }

    fn resume(&self) {
        let epoch = self.delivery.begin_resume();
        self.delivery.finish_resume(epoch);
    }

    fn flush(&self) -> FlushReport {
        self.delivery.flush(LONG, &CancelToken::new(), false).unwrap()
    }

    fn write<T>(&self, work: impl FnMut(&Transaction<'_>) -> Result<T, StoreError>) -> T {
        self.store.write(work).unwrap()
    }

    fn row(&self, id: i64) -> Row {
        self.store
            .read::<_, StoreError>(|connection| {
                Ok(connection.query_row(
                    "SELECT o.state, o.reason, o.due_at, o.attempts, o.unknown_outcomes, o.counted, o.slow_counted, a.status, a.failed_sends
                       FROM outbox o JOIN action a ON a.id = o.action_id WHERE o.id = ?1",
                    [id],
                    |row| {
                        Ok(Row {
                            state: row.get(0)?,
                            reason: row.get(1)?,
                            due_at: row.get(2)?,
                            attempts: row.get(3)?,
                            unknown: row.get(4)?,
                            counted: row.get(5)?,
                            slow_counted: row.get(6)?,
                            status: row.get(7)?,
                            failed_sends: row.get(8)?,
                        })
                    },
                )?)
            })
            .unwrap()
    }

    /// How many entries have this state.
    fn count(&self, state: &str) -> i64 {
        self.store
            .read::<_, StoreError>(|connection| {
                Ok(connection.query_row("SELECT count(*) FROM outbox WHERE state = ?1", [state], |row| row.get(0))?)
            })
            .unwrap()
    }

    fn outcomes(&self, id: i64) -> Vec<String> {
        let mut attempts = self.store.read(|connection| outbox::attempts(connection, id)).unwrap();
        attempts.reverse();
        attempts.into_iter().map(|attempt| attempt.outcome).collect()
    }

    fn endpoint(&self, key: &str) -> endpoint::EndpointRow {
        match self.store.read(|connection| endpoint::find(connection, key)).unwrap() {
            Some(endpoint::StoredEndpoint::Readable(row)) => row,
            _ => panic!("no such endpoint: {key}"),
        }
    }

    /// Every message the receivers accepted at most once more often than there are attempts of unknown outcome.
    fn assert_duplicates_are_accounted_for(&self, accepted: &[String]) {
        let rows: Vec<(String, i64)> = self
            .store
            .read::<_, StoreError>(|connection| {
                let mut statement = connection.prepare("SELECT delivery_id, unknown_outcomes FROM outbox")?;
                let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .unwrap();
        for (id, unknown) in rows {
            let copies = accepted.iter().filter(|other| **other == id).count() as i64;
            assert!(copies <= 1 + unknown, "{id}: {copies} copies, {unknown} unknown outcomes");
        }
    }
}

/// The columns of an entry that tests read.
#[derive(Debug)]
struct Row {
    state: String,
    reason: Option<String>,
    due_at: i64,
    attempts: i64,
    unknown: i64,
    counted: i64,
    slow_counted: i64,
    status: String,
    failed_sends: i64,
}

impl Row {
    fn says(&self) -> (&str, Option<&str>) {
        (&self.state, self.reason.as_deref())
    }
}

fn deliver(
    store: &Arc<Store>,
    clock: &Arc<ManualClock>,
    secrets: &Arc<StaticSecrets>,
    transport: &Arc<ScriptedTransport>,
    notices: &Arc<Mutex<Vec<Notice>>>,
    policy: &RetryPolicy,
) -> Arc<Delivery> {
    let ports = Ports {
        clock: clock.clone(),
        random: Arc::new(SequentialRandom::default()),
        secrets: secrets.clone(),
        transport: transport.clone(),
        blocking: None,
    };
    let notices = Arc::clone(notices);
    let notify = move |notice| notices.lock().unwrap().push(notice);
    Delivery::new(Arc::clone(store), ports, Settings { policy: policy.clone(), ..Settings::default() }, Arc::new(notify))
}

fn endpoint(key: &str) -> Endpoint {
    Endpoint {
        key: key.to_owned(),
        url: url(key),
        signing: Signing::StandardWebhooks { secret: "signing".to_owned() },
        headers: Vec::new(),
        network: NetworkPolicy::Any,
    }
}

fn url(key: &str) -> String {
    format!("https://{key}.example/in")
}

/// One completed session with one action and its frozen message.
fn entry(tx: &Transaction<'_>, endpoint: &str, now: Timestamp) -> Result<i64, StoreError> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let at = now.timestamp_millis();
    let session = crate::model::SessionKey(uuid::Uuid::from_u128(u128::from(number)));
    tx.execute(
        "INSERT INTO session (key, workflow_id, state, won, started_at, finished_at, section_name, last_visit, last_seq)
         VALUES (?1, 1, 'completed', 1, ?2, ?2, 'End', 1, 1)",
        (session.0.as_bytes(), at),
    )?;
    let session_id = tx.last_insert_rowid();
    let preview = ActionPreview {
        key: "notify".to_owned(),
        name: "Notify".to_owned(),
        section: "end".to_owned(),
        endpoint: endpoint.to_owned(),
        size: None,
        too_large: false,
    };
    let (action_id, _) = action::insert(tx, session_id, &preview, None)?;
    let body = format!("{{\"number\":{number}}}");
    let hash = Sha256::of(body.as_bytes());
    let new = NewEntry {
        action_id,
        session_id,
        revision: 1,
        delivery_id: &crate::webhook::delivery_id("install", session, "notify", &hash, 1),
        endpoint,
        body: body.as_bytes(),
        body_sha256: hash,
        workflow_version: "1",
        session_state: SessionState::Completed,
        failed: None,
    };
    outbox::insert(tx, &new, now)?;
    Ok(tx.query_row("SELECT max(id) FROM outbox", [], |row| row.get(0))?)
}

/// The ids of all messages that were answered 2xx by this transport, in order.
fn ids(transport: &ScriptedTransport) -> Vec<String> {
    let id = |request: &crate::port::TransportRequest| header(request, "webhook-id");
    transport.requests().iter().map(id).collect()
}

fn header(request: &crate::port::TransportRequest, name: &str) -> String {
    request.headers.iter().find(|header| header.name == name).map(|header| header.value.clone()).unwrap_or_default()
}

/// Waits for a condition that another thread fulfils.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Cancels a flush when the test ends, also when it fails.
struct CancelAtEnd(CancelToken);

impl Drop for CancelAtEnd {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
