//! Delivery obeys at once and is never late: networks, decisions, damage, secrets and clocks that change while messages are on their way.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;

mod addresses;
mod attention;
mod beside_each_other;
mod blockers;
mod clocks;
mod concurrent_calls;
mod copies;
mod corrections;
mod damage;
mod damage_beside_messages;
mod damaged_messages;
mod deadlines;
mod decisions;
mod fairness;
mod fields_of_an_action;
mod hanging_ports;
mod known_actions;
mod known_of_damaged;
mod known_of_replaced;
mod logs;
mod lost_pages;
mod network;
mod newest_values;
mod numbers;
mod offline;
mod other_process;
mod redacted;
mod replays;
mod restored;
mod secrets;
mod several_at_once;
mod stopping;
mod urgent;
mod urgent_requests;
mod urgent_unsent;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use compass_core::model::*;
use compass_core::port::*;
use compass_core::testing::{Answer, DeliverySteps, ManualClock, ScriptedTransport, StepOutcome, answer, answer_with, failure};
use compass_core::{CancelToken, Compass, DiscardUndelivered, Error, Options, RestoreOptions};
use support::field::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A network that reaches the internet, as the platform says.
const ONLINE: Connectivity = Connectivity::Online { validated: Some(true), metered: false, network: None };
/// The same where the platform cannot tell.
const UNSURE: Connectivity = Connectivity::Online { validated: None, metered: false, network: None };

type Script = Box<dyn Fn(&TransportRequest) -> Answer + Send + Sync>;

/// What receivers and the network between do to requests, until something else is said.
#[derive(Clone)]
struct Receivers(Arc<Mutex<Arc<Script>>>);

impl Receivers {
    fn new(script: impl Fn(&TransportRequest) -> Answer + Send + Sync + 'static) -> Self {
        Self(Arc::new(Mutex::new(Arc::new(Box::new(script)))))
    }

    /// From now on this happens.
    fn now(&self, script: impl Fn(&TransportRequest) -> Answer + Send + Sync + 'static) {
        *self.0.lock().unwrap() = Arc::new(Box::new(script));
    }

    fn take(&self) {
        self.now(|_| Ok(answer(202)));
    }

    fn transport(&self) -> Arc<ScriptedTransport> {
        let receivers = self.clone();
        ScriptedTransport::new(move |request| {
            let script = Arc::clone(&receivers.0.lock().unwrap());
            script(request)
        })
    }
}

/// A phone whose requests end like this until something else is said.
fn phone(script: impl Fn(&TransportRequest) -> Answer + Send + Sync + 'static) -> (Field, Receivers) {
    phone_with(script, |_| {})
}

fn phone_with(
    script: impl Fn(&TransportRequest) -> Answer + Send + Sync + 'static,
    change: impl FnOnce(&mut Options),
) -> (Field, Receivers) {
    let receivers = Receivers::new(script);
    (Field::with(receivers.transport(), change), receivers)
}

/// One attempt at a time to an endpoint, so that it is known which one is first.
fn one_at_a_time(options: &mut Options) {
    (options.retry.in_flight_start, options.retry.in_flight_max) = (1, 1);
}

fn no_network(_: &TransportRequest) -> Answer {
    Err(failure(FailureKind::NoNetwork, Phase::Connect, RequestSent::No))
}

/// What a thread brings, which must not take for ever.
fn joined<T: Send + 'static>(what: &str, thread: JoinHandle<T>) -> T {
    in_time(what, WAIT_LIMIT, move || thread.join().unwrap())
}

fn abandon_first(field: &Field, session: SessionKey) -> RecordOutcome {
    let key = field.action(session).key;
    field.compass.abandon(session, &key, "anna", "handed in on paper", &id()).unwrap()
}

fn send_first(field: &Field, session: SessionKey) {
    let key = field.action(session).key;
    field.compass.send(session, &key, Some("anna"), &id()).unwrap();
}

/// A flush that is cancelled while its one request hangs in a transport that cannot be interrupted.
fn flush_with_detached(field: &Field, requests: usize) {
    field.transport.hold("");
    field.transport.ignore_cancel();
    cancelled_flush(&field.compass, || field.transport.wait_for_requests(requests));
}

/// A flush that is cancelled once this has happened.
fn cancelled_flush(compass: &Compass, happens: impl FnOnce()) {
    let cancel = CancelToken::new();
    let (compass, token) = (compass.clone(), cancel.clone());
    let running = std::thread::spawn(move || compass.flush(MINUTE, &token).unwrap());
    happens();
    cancel.cancel();
    joined("the flush", running);
}

/// Flushes while requests hang, until the flush is over or so many requests have come. Gives how many came.
fn requests_of_a_flush(field: &Field, compass: &Compass, wanted: usize) -> usize {
    let cancel = CancelToken::new();
    let (compass, token) = (compass.clone(), cancel.clone());
    let running = std::thread::spawn(move || compass.flush(MINUTE, &token).unwrap());
    eventually("the flush ends or a request comes", || running.is_finished() || field.transport.requests().len() >= wanted);
    cancel.cancel();
    joined("the flush", running);
    field.transport.requests().len()
}

/// The one that drives goes on until the message of a session is not being sent, as far as the time allows that it is now.
fn nothing_is_in_flight(field: &Field, session: SessionKey, mut worker: Option<&mut DeliverySteps>) {
    eventually("nothing is in flight", || {
        if let Some(worker) = &mut worker {
            steps_until_wait(worker);
        }
        reason(field, session).as_deref() != Some("in_flight")
    });
}

fn is_sent(compass: &Compass, session: SessionKey) -> bool {
    compass.record(session).unwrap().actions.iter().all(|action| action.status == ActionStatus::Sent)
}

/// A session on the phone with a message for this endpoint.
fn complete_for(field: &Field, endpoint: &str) -> SessionKey {
    let key = format!("for-{endpoint}");
    field.compass.import_workflow(&workflow(&key, &[endpoint])).unwrap();
    complete(&field.compass, &key)
}

/// Another receiver, `https://KEY.example/hook`.
fn register(field: &Field, key: &str) {
    field.compass.put_endpoint(&endpoint(key, &url(key))).unwrap();
}

fn url(key: &str) -> String {
    format!("https://{key}.example/hook")
}

fn status(field: &Field, key: &str) -> EndpointStatus {
    field.compass.endpoints().unwrap().into_iter().find(|status| status.endpoint.key == key).unwrap()
}

/// What the only message of a session waits for.
fn reason(field: &Field, session: SessionKey) -> Option<String> {
    field.delivery(session).reason
}

fn outcomes(field: &Field, session: SessionKey) -> Vec<String> {
    let mut attempts = field.delivery(session).last_attempts;
    attempts.reverse();
    attempts.into_iter().map(|attempt| attempt.outcome).collect()
}

fn counted(field: &Field, session: SessionKey) -> usize {
    field.delivery(session).last_attempts.iter().filter(|attempt| attempt.counted).count()
}

/// How many requests went to URLs that begin like this.
fn requests_to(field: &Field, url: &str) -> usize {
    field.transport.requests().iter().filter(|request| request.url.starts_with(url)).count()
}

/// Edits the reading of a session.
fn edit(compass: &Compass, session: SessionKey, reading: &str) {
    let change = support::app::set("reading", FieldValue::Text(reading.into()));
    compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
}

/// The revision of each request that came, in order.
fn revisions(field: &Field) -> Vec<String> {
    field.transport.requests().iter().map(|request| header(request, "compass-revision")).collect()
}

/// A copy of the phone's database.
fn back_up(field: &Field, name: &str) -> PathBuf {
    let copy = field.folder.path().join(name);
    field.compass.backup(&copy).unwrap();
    copy
}

/// Puts the copy in the place of the database, which no handle of this process has open, although messages would be lost: a person abandons them.
fn put_back(field: &Field, copy: &Path) {
    let discard = DiscardUndelivered { actor: "anna".into(), reason: "the phone was lost".into() };
    Compass::restore(copy, &RestoreOptions::new(field.path()).discard_undelivered(discard)).unwrap();
}

/// The same, and the app goes on with the copy.
fn put_back_and_open(field: &mut Field, copy: &Path) {
    field.compass.close().unwrap();
    put_back(field, copy);
    field.open_again();
}

/// A phone with two fields, and an action whose edits are sent.
fn phone_that_sends_edits() -> Field {
    let (field, _) = phone(|_| Ok(answer(202)));
    let mut document: serde_json::Value = serde_json::from_slice(&workflow("visit", &[OFFICE])).unwrap();
    document["version"] = 2.into();
    document["fields"].as_array_mut().unwrap().push(serde_json::json!({ "key": "other", "name": "Other", "type": "text" }));
    document["sections"][0]["fields"] = serde_json::json!(["reading", "other"]);
    document["sections"][0]["actions"][0]["on_edit"] = "send".into();
    field.compass.import_workflow(&serde_json::to_vec(&document).unwrap()).unwrap();
    field
}

/// A person redacts what the messages of a phone have sent or will send.
fn redaction_of_reading(pending: RedactPending) -> Redaction {
    Redaction { pending, ..support::app::redaction(RedactionTarget::Field { key: "reading".into() }) }
}

/// Edits it and sends the correction.
fn correct(compass: &Compass, session: SessionKey, reading: &str) {
    edit(compass, session, reading);
    compass.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap();
}

/// Steps on until there is nothing to do before something happens. Gives until when, or nothing when it has ended.
fn steps_until_wait(steps: &mut DeliverySteps) -> Option<Option<Duration>> {
    loop {
        match steps.step() {
            StepOutcome::Again => {}
            StepOutcome::Wait { until } => return Some(until),
            StepOutcome::Done(_) => return None,
        }
    }
}

/// A thread that comes waits here while it is shut.
#[derive(Default)]
struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct GateState {
    shut: bool,
    came: usize,
}

impl Gate {
    fn shut() -> Arc<Self> {
        let gate = Self::default();
        gate.state().shut = true;
        Arc::new(gate)
    }

    fn open(&self) {
        self.state().shut = false;
        self.changed.notify_all();
    }

    fn close(&self) {
        self.state().shut = true;
    }

    /// Goes through, as soon as it is open.
    fn pass(&self) {
        let mut state = self.state();
        state.came += 1;
        self.changed.notify_all();
        let waited = self.changed.wait_timeout_while(state, 2 * WAIT_LIMIT, |state| state.shut);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// How many have come.
    fn came(&self) -> usize {
        self.state().came
    }

    /// Waits until so many have come.
    fn wait_for(&self, count: usize) {
        assert!(self.comes_within(count, WAIT_LIMIT), "waited too long for {count} at the gate; {} came", self.came());
    }

    /// The same, for this long; says whether they came.
    fn comes_within(&self, count: usize, limit: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.state(), limit, |state| state.came < count);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn state(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A store of secrets that says what it decided when it was asked, but may take its time to say so.
struct SlowSecrets {
    known: Mutex<std::collections::BTreeMap<String, String>>,
    asked: Mutex<Vec<(String, String)>>,
    refused: Mutex<Vec<(String, String)>>,
    gate: Arc<Gate>,
}

impl SlowSecrets {
    fn new() -> Arc<Self> {
        Arc::new(Self { known: Mutex::default(), asked: Mutex::default(), refused: Mutex::default(), gate: Arc::default() })
    }

    fn set(&self, name: &str, value: &str) {
        self.known.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    /// Names and origins that were asked for.
    fn asked(&self) -> Vec<(String, String)> {
        self.asked.lock().unwrap().clone()
    }

    /// Names and origins that were told to be refused.
    fn refused(&self) -> Vec<(String, String)> {
        self.refused.lock().unwrap().clone()
    }
}

impl Secrets for SlowSecrets {
    fn get(&self, name: &str, origin: &str) -> SecretLookup {
        let value = self.known.lock().unwrap().get(name).cloned();
        self.asked.lock().unwrap().push((name.to_owned(), origin.to_owned()));
        self.gate.pass();
        match value {
            Some(value) => SecretLookup::Found { current: SecretValue::new(value), previous: None },
            None => SecretLookup::Missing,
        }
    }

    fn refused(&self, name: &str, origin: &str) {
        self.refused.lock().unwrap().push((name.to_owned(), origin.to_owned()));
    }
}

/// A transport that does something of its own when it is asked to cancel or to renew.
struct CallingTransport {
    inner: Arc<ScriptedTransport>,
    on_cancel: Box<dyn Fn() + Send + Sync>,
    on_renew: Box<dyn Fn() + Send + Sync>,
}

impl Transport for CallingTransport {
    fn send(&self, request: TransportRequest) -> Answer {
        self.inner.send(request)
    }

    fn cancel(&self, id: u64) {
        (self.on_cancel)();
        self.inner.cancel(id);
    }

    fn renew(&self) {
        (self.on_renew)();
        self.inner.renew();
    }
}

/// The file as somebody from outside sees it.
fn sql(field: &Field) -> rusqlite::Connection {
    support::app::open_sql(field.path())
}

/// The same, past every rule, as failing flash changes a file.
fn damage(field: &Field, statements: &str) {
    support::past_every_rule(&sql(field), |file| file.execute_batch(statements).unwrap());
}

/// The row of the message of a session.
fn entry(field: &Field, session: SessionKey) -> i64 {
    let id = field.delivery(session).id.0;
    sql(field).query_row("SELECT id FROM outbox WHERE delivery_id = ?1", [id], |row| row.get(0)).unwrap()
}
