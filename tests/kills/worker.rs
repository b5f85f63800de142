//! A process that works on a phone: it says each call before it makes it, and what the session is once the call has returned.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use compass_core::model::*;
use compass_core::port::{Header, StaticSecrets, Transport, TransportFailure, TransportRequest, TransportResponse};
use compass_core::transport::{BuiltIn, BuiltInOptions};
use compass_core::{CancelToken, Compass, Error, Options};
use serde_json::json;

use super::clock::FastClock;
use super::known::{Call, Facts};
use super::points::{self, DELIVERY, Plan};
use super::receiver::SENDER;
use super::rng::Rng;
use super::signals::Signal;
use super::support::app::redaction;
use super::support::field::{SECRET, SECRET_NAME, say, setting, signed};

/// Where a phone sends, which leads to the port that its process was given.
pub const URL: &str = "https://localhost:1/hook";
pub const ENDPOINTS: [&str; 2] = ["office", "depot"];
/// After so many steps a place that was not reached is left.
const STEPS: u64 = 600;
/// The same where places are counted.
const COUNTED_STEPS: u64 = 60;

/// What a process does wrong, to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    Nothing,
    /// It acknowledges a call before it makes it.
    Early,
    /// It sends each request twice.
    Twice,
    /// It sends other bytes than it was given.
    Changed,
    /// It says that it has sent what it has not.
    Unsent,
}

impl Wrong {
    const ALL: [Self; 5] = [Self::Nothing, Self::Early, Self::Twice, Self::Changed, Self::Unsent];

    fn of_setting() -> Self {
        let name = setting("WRONG");
        Self::ALL.into_iter().find(|wrong| format!("{wrong:?}") == name).expect("a known fault")
    }
}

/// Sends to the receiver's port.
pub struct ToPort {
    built_in: BuiltIn,
    port: String,
    wrong: Wrong,
}

impl ToPort {
    pub fn new(port: &str, authority: &[u8], wrong: Wrong) -> Self {
        let options = BuiltInOptions { extra_roots: vec![authority.to_vec()], ..BuiltInOptions::default() };
        Self { built_in: BuiltIn::new(options).expect("an authority"), port: port.to_owned(), wrong }
    }
}

impl Transport for ToPort {
    fn send(&self, mut request: TransportRequest) -> Result<TransportResponse, TransportFailure> {
        request.url = request.url.replace("localhost:1", &format!("localhost:{}", self.port));
        request.headers.push(Header::new(SENDER, std::process::id().to_string()));
        match self.wrong {
            Wrong::Unsent => return Ok(TransportResponse { status: 202, headers: Vec::new(), body: Vec::new() }),
            Wrong::Twice => drop(self.built_in.send(request.clone())),
            Wrong::Changed => request.body.push(b' '),
            Wrong::Nothing | Wrong::Early => {}
        }
        let result = self.built_in.send(request);
        if result.as_ref().is_ok_and(|response| response.status == 202) {
            points::reached("send: 2xx read, not recorded");
        }
        points::has_result();
        result
    }

    fn cancel(&self, id: u64) {
        self.built_in.cancel(id);
    }

    fn renew(&self) {
        self.built_in.renew();
    }
}

/// A handle that delivers to this port.
pub fn open(path: &Path, port: &str, authority: &[u8], clock: Arc<FastClock>, wrong: Wrong) -> Result<Compass, Error> {
    let secrets = Arc::new(StaticSecrets::new());
    secrets.set(SECRET_NAME, SECRET);
    let transport = Arc::new(ToPort::new(port, authority, wrong));
    let mut options = Options::new(path).transport(transport).clock(clock).secrets(secrets);
    options.retry.schedule = vec![Duration::from_secs(5), Duration::from_secs(20)];
    options.retry.overload_shortest = Duration::from_secs(5);
    // Threads of the test look at the file at the same time, each as a process of its own.
    Compass::open(options.as_other_process())
}

/// One section with a reading, and an action for each endpoint.
pub fn workflow(key: &str) -> Vec<u8> {
    let action = |endpoint: &&str| json!({ "key": format!("tell-{endpoint}"), "name": "Tell", "integration": "webhooks", "kind": "send_message", "endpoint": endpoint });
    let document = json!({
        "format": 1, "key": key, "version": 1, "name": "A visit", "start": "done",
        "fields": [{ "key": "reading", "name": "Reading", "type": "multiline", "max_length": 20_000 }],
        "sections": [{ "key": "done", "name": "Done", "fields": ["reading"], "answers": [], "actions": ENDPOINTS.iter().map(action).collect::<Vec<_>>(), "win": true }],
    });
    serde_json::to_vec(&document).expect("JSON")
}

/// Registers what sessions need. It may be there already.
pub fn install(compass: &Compass, workflows: &[String]) {
    compass.set_integration_enabled(true).expect("turns on");
    for endpoint in ENDPOINTS {
        compass.put_endpoint(&signed(endpoint, URL)).expect("registers");
    }
    for key in workflows {
        compass.import_workflow(&workflow(key)).expect("imports");
    }
}

pub fn work() {
    let number = |name: &str| -> u64 { setting(name).parse().expect("a number") };
    let (seed, counts) = (number("SEED"), setting("POINT") == "counted");
    let plan = Some(setting("POINT")).filter(|_| !counts).map(|name| Plan {
        name,
        at: number("AT"),
        signal: if setting("SIGNAL") == "stop" { Signal::Stop } else { Signal::Kill },
    });
    points::begin(plan);
    let authority = std::fs::read(setting("AUTHORITY")).expect("an authority");
    let origin = Timestamp::from_timestamp_millis(setting("ORIGIN").parse().expect("a number")).expect("a time");
    let wrong = Wrong::of_setting();
    let clock = Arc::new(FastClock::new(origin));
    let compass = open(Path::new(&setting("DATABASE")), &setting("PORT"), &authority, clock, wrong).expect("opens");
    let over = Arc::new(AtomicBool::new(false));
    let told = over.clone();
    std::thread::spawn(move || {
        // The end of the input is the end of the work.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        told.store(true, Ordering::SeqCst);
    });
    let mut worker = Worker::new(compass, &setting("WORKFLOW"), seed, wrong);
    worker.long = setting("LONG") == "yes";
    if setting("BESIDE") == "yes" {
        // Delivery goes on while calls are made.
        worker.compass.start_delivery().expect("delivers");
    }
    say("works");
    let steps = if counts { COUNTED_STEPS } else { STEPS };
    for step in 0..steps {
        if over.load(Ordering::SeqCst) {
            break;
        }
        worker.step(step);
    }
    worker.compass.close().expect("closes");
    if counts {
        say(format!("counted {}", serde_json::to_string(&points::counted()).expect("JSON")));
    }
    say("ended");
}

struct Worker {
    compass: Compass,
    workflow: String,
    seed: u64,
    rng: Rng,
    wrong: Wrong,
    /// Whether values are as long as they may be.
    long: bool,
    open: Vec<SessionKey>,
    completed: Vec<SessionKey>,
}

impl Worker {
    fn new(compass: Compass, workflow: &str, seed: u64, wrong: Wrong) -> Self {
        let of = |state| {
            let filter = SessionFilter { states: vec![state], workflow: Some(workflow.to_owned()), ..SessionFilter::default() };
            let page = compass.sessions(&filter, None, 100).expect("a list");
            page.sessions.iter().map(|session| session.key).collect::<Vec<_>>()
        };
        let (open, completed) = (of(SessionState::InProgress), of(SessionState::Completed));
        Self { compass, workflow: workflow.to_owned(), seed, rng: Rng::new(seed), wrong, long: false, open, completed }
    }

    fn step(&mut self, step: u64) {
        let id = format!("{}-{step}", self.seed);
        let value = if self.long { "\u{1F4A7}".repeat(19_000) + &id } else { id.clone() };
        if self.open.len() < 2 {
            return self.call(&Call::Start { workflow: self.workflow.clone(), id: id.clone() }, &id);
        }
        let session = self.rng.pick(&self.open);
        let finished = if self.completed.is_empty() { None } else { Some(self.rng.pick(&self.completed)) };
        let action = format!("tell-{}", self.rng.pick(&ENDPOINTS));
        let call = match self.rng.below(100) {
            0..20 => Call::Set { session, value },
            20..28 => Call::Note { session, text: id.clone() },
            28..52 => Call::Complete { session },
            52..56 => Call::End { session },
            56..64 if let Some(session) = finished => Call::Edit { session, value },
            64..70 if let Some(session) = finished => Call::Correct { session, action },
            70..76 if let Some(session) = finished => Call::Replay { session, action },
            76..79 if let Some(session) = finished => Call::Abandon { session, action },
            79..81 if let Some(session) = finished => Call::Redact { session },
            81..82 => Call::Backup,
            _ => Call::Flush,
        };
        self.call(&call, &id);
    }

    fn call(&mut self, call: &Call, id: &str) {
        let told = serde_json::to_string(call).expect("JSON");
        say(format!("calls {told}"));
        if self.wrong == Wrong::Early {
            say("done");
        }
        let (session, applied) = self.make(call, id);
        if self.wrong != Wrong::Early {
            say(if applied { "done" } else { "nothing" });
        }
        let facts = session.map(|session| Facts::of(&self.compass, session).expect("a record"));
        say(format!("is {}", json!({ "session": session, "facts": facts })));
        match (call, session) {
            (Call::Start { .. }, Some(session)) => self.open.push(session),
            (Call::Complete { session } | Call::End { session }, _) => {
                self.open.retain(|open| open != session);
                if matches!(call, Call::Complete { .. }) {
                    self.completed.push(*session);
                }
            }
            _ => {}
        }
    }

    /// Makes it. Gives the session, and whether something was done.
    fn make(&self, call: &Call, id: &str) -> (Option<SessionKey>, bool) {
        let compass = &self.compass;
        let text = |value: &str| FieldValue::Text(value.to_owned());
        let visit = |session| compass.session(session).expect("a session").visit;
        // What is refused has another cause than the kill: nothing to correct, nothing delivered yet.
        let done = |result: Result<RecordOutcome, Error>| match result {
            Ok(outcome) => outcome.applied == Applied::Yes,
            Err(error) if ["nothing_corrected", "action_status", "action_locked", "body_dropped"].contains(&error.code()) => false,
            Err(error) => panic!("{call:?}: {error}"),
        };
        let applied = match call {
            Call::Start { workflow, id } => {
                let start = Start { actor: Some("Mia".into()), ..Start::new(workflow, id) };
                let outcome = compass.start(&start).expect("starts");
                return (Some(outcome.view.key), true);
            }
            Call::Set { session, value } => compass.set_field(*session, "reading", text(value)).expect("sets").applied == Applied::Yes,
            Call::Note { session, text } => compass.note(*session, text, id).expect("notes").applied == Applied::Yes,
            Call::Complete { session } => {
                let visit = visit(*session);
                points::during("complete", || compass.complete(*session, visit)).expect("completes").applied == Applied::Yes
            }
            Call::End { session } => compass.end(*session, "nobody home", id).expect("ends").applied == Applied::Yes,
            Call::Edit { session, value } => {
                let change = FieldChange { field: "reading".into(), change: Change::Set(text(value)) };
                done(compass.edit(*session, Some("Mia"), None, vec![change], Vec::new(), id))
            }
            Call::Correct { session, action } => done(compass.send_corrected(*session, action, Some("Mia"), id)),
            Call::Replay { session, action } => done(compass.replay(*session, action, Some("Mia"), id)),
            Call::Abandon { session, action } => done(compass.abandon(*session, action, "Mia", "not needed", id)),
            Call::Redact { session } => {
                let redaction = Redaction { command_id: id.to_owned(), ..redaction(RedactionTarget::Field { key: "reading".into() }) };
                let redacted = compass.redact(*session, &redaction).expect("redacts");
                redacted.applied == Applied::Yes
            }
            Call::Backup => {
                let path = format!("{}-{id}", setting("DATABASE"));
                compass.backup(Path::new(&path)).expect("copies");
                let _ = std::fs::remove_file(path);
                true
            }
            Call::Flush => {
                let flushed = points::during(DELIVERY, || compass.flush(Duration::from_secs(60), &CancelToken::new()));
                flushed.expect("flushes");
                true
            }
        };
        (call.session(), applied)
    }
}
