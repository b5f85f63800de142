//! One phone, and the steps it is taken through.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use compass_core::model::*;
use compass_core::port::{Clock, FailureKind, Header, Phase, RequestSent, SecretLookup, SecretValue, Secrets, Transport};
use compass_core::testing::{Answer, ManualClock, ScriptedTransport, SequentialRandom, failure};
use compass_core::{CancelToken, Compass, Error, Options};
use compass_core::{Refusal, parse_value};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::paths;
use crate::step::{self, Fails, Request, Step};

type Queues = Arc<Mutex<BTreeMap<String, VecDeque<Answer>>>>;
type Faults = Vec<String>;

pub struct Stage {
    // Dropped before the folder that it is in.
    compass: Compass,
    clock: Arc<ManualClock>,
    transport: Arc<ScriptedTransport>,
    queues: Queues,
    secrets: Arc<Store>,
    options: Options,
    session: Option<SessionKey>,
    /// Requests that a step has looked at.
    seen: usize,
    _folder: TempDir,
}

#[derive(Default)]
struct Store {
    kept: RwLock<BTreeMap<String, Kept>>,
    /// What it was told of as refused, and no step has named yet.
    refused: Mutex<Vec<String>>,
}

struct Kept {
    lookup: SecretLookup,
    /// Where alone it is given out.
    origin: Option<String>,
    /// What takes its place when it is refused.
    renewed: Option<String>,
}

impl Secrets for Store {
    fn get(&self, name: &str, origin: &str) -> SecretLookup {
        match self.kept.read().unwrap().get(name) {
            Some(kept) if kept.origin.as_ref().is_none_or(|only| only == origin) => kept.lookup.clone(),
            _ => SecretLookup::Missing,
        }
    }

    fn refused(&self, name: &str, origin: &str) {
        self.refused.lock().unwrap().push(format!("{name} {origin}"));
        let mut all = self.kept.write().unwrap();
        let kept = all.get_mut(name).expect("only what was given out can be refused");
        if let Some(renewed) = kept.renewed.take() {
            kept.lookup = SecretLookup::Found { current: SecretValue::new(renewed), previous: None };
        }
    }
}

impl Stage {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        let secrets = Arc::new(Store::default());
        let queues = Queues::default();
        let script = Arc::clone(&queues);
        let transport = ScriptedTransport::new(move |request| {
            let mut queues = script.lock().unwrap();
            // Without an answer the request is still recorded, and the step that flushed tells of it.
            let unexpected = || Err(failure(FailureKind::Other, Phase::Resolve, RequestSent::No));
            queues.get_mut(&request.url).and_then(VecDeque::pop_front).unwrap_or_else(unexpected)
        });
        let mut options = Options::new(folder.path().join("compass.db"));
        options.clock = clock.clone();
        options.random = Arc::new(SequentialRandom::default());
        options.secrets = secrets.clone();
        options.transport = Some(transport.clone() as Arc<dyn Transport>);
        let compass = Compass::open(options.clone()).unwrap();
        Self { compass, clock, transport, queues, secrets, options, session: None, seen: 0, _folder: folder }
    }

    /// Takes one step.
    ///
    /// # Errors
    /// What was not as the step says.
    pub fn play(&mut self, step: Step, fails: Option<Fails>) -> Result<(), Faults> {
        match (self.act(step), fails) {
            (Ok(faults), None) if faults.is_empty() => Ok(()),
            (Ok(faults), None) => Err(faults),
            (Ok(_), Some(fails)) => Err(vec![format!("did not fail, but must: {fails:?}")]),
            (Err(error), fails) => {
                let failed = Fails { code: error.code().to_owned(), place: error.place() };
                if fails.as_ref() == Some(&failed) { Ok(()) } else { Err(vec![format!("failed as {failed:?}, must {fails:?}")]) }
            }
        }
    }

    fn act(&mut self, step: Step) -> Result<Faults, Error> {
        let faults = match step {
            Step::Import { document } => {
                let bytes = std::fs::read(crate::file(&document)).expect("a document of the repository");
                self.compass.import_workflow(&bytes).map(|_| Faults::new())?
            }
            Step::Integration { enabled } => self.compass.set_integration_enabled(enabled).map(|()| Faults::new())?,
            Step::Endpoint { key, url, secret, headers, network } => {
                let signing = secret.map_or(Signing::None, |secret| Signing::StandardWebhooks { secret });
                let headers = headers.into_iter().map(endpoint_header).collect();
                self.compass.put_endpoint(&Endpoint { key, url, signing, headers, network }).map(|()| Faults::new())?
            }
            Step::EnableEndpoint { key, enabled } => self.compass.set_endpoint_enabled(&key, enabled).map(|()| Faults::new())?,
            Step::Secret { name, current, previous, origin, renewed } => {
                let value = SecretValue::new;
                let lookup = current.map_or(SecretLookup::Missing, |current| SecretLookup::Found {
                    current: value(current),
                    previous: previous.map(value),
                });
                self.secrets.kept.write().unwrap().insert(name, Kept { lookup, origin, renewed });
                self.compass.secrets_changed().map(|()| Faults::new())?
            }
            Step::Refused { secrets } => equal("refused", std::mem::take(&mut *self.secrets.refused.lock().unwrap()), secrets),
            Step::Start { workflow, command_id, version, actor, prefill, applied } => {
                let version = version.map(|version| workflow_version(&version));
                let outcome = self.compass.start(&Start { command_id, workflow, version, actor, prefill })?;
                self.session = Some(outcome.view.key);
                equal("applied", outcome.applied, applied)
            }
            Step::Run { commands, actor, command_id, applied } => {
                equal("applied", self.compass.run(self.key(), actor.as_deref(), &commands, command_id.as_deref())?.applied, applied)
            }
            Step::Draft { field, text } => self.compass.save_draft(self.key(), &field, &text).map(|()| Faults::new())?,
            Step::Parse { workflow, field, text, state, value } => self.parse(&workflow, &field, &text, &state, value.as_ref())?,
            Step::Connectivity { state, validated, metered, network } => {
                self.compass.set_connectivity(match state.as_str() {
                    "unknown" => Connectivity::Unknown,
                    "offline" => Connectivity::Offline,
                    "online" => Connectivity::Online { validated, metered, network },
                    _ => panic!("no such connectivity: {state}"),
                });
                Faults::new()
            }
            Step::Advance { ms } => {
                self.clock.advance(Duration::from_millis(ms));
                Faults::new()
            }
            Step::Answers { url, with } => {
                self.queues.lock().unwrap().entry(url).or_default().extend(with.into_iter().map(answer));
                Faults::new()
            }
            Step::Flush { report, requests } => self.flush(&report, &requests)?,
            Step::Send(order) => {
                let outcome = self.compass.send(self.key(), &order.action, order.actor.as_deref(), &order.command_id)?;
                equal("applied", outcome.applied, order.applied)
            }
            Step::SendCorrected(order) => {
                let outcome = self.compass.send_corrected(self.key(), &order.action, order.actor.as_deref(), &order.command_id)?;
                equal("applied", outcome.applied, order.applied)
            }
            Step::Replay(order) => {
                let outcome = self.compass.replay(self.key(), &order.action, order.actor.as_deref(), &order.command_id)?;
                equal("applied", outcome.applied, order.applied)
            }
            Step::ReplaySession { command_id, actor, applied } => {
                equal("applied", self.compass.replay_session(self.key(), actor.as_deref(), &command_id)?.applied, applied)
            }
            Step::ReplaySent { endpoint, replayed, actor, body_dropped } => {
                let filter = ReplayFilter { endpoint, ..ReplayFilter::default() };
                let report = self.compass.replay_sent(&filter, actor.as_deref(), None)?;
                equal("the report", report, ReplayReport { replayed, body_dropped, left: 0, next: None })
            }
            Step::Abandon { action, command_id, actor, reason, applied } => {
                equal("applied", self.compass.abandon(self.key(), &action, &actor, &reason, &command_id)?.applied, applied)
            }
            Step::AbandonSession { command_id, actor, reason, applied } => {
                equal("applied", self.compass.abandon_session(self.key(), &actor, &reason, &command_id)?.applied, applied)
            }
            Step::Redact { field, note, command_id, actor, reason, pending, bodies, applied, holding, erased } => {
                let target = match (field, note) {
                    (Some(key), None) => RedactionTarget::Field { key },
                    (None, Some(seq)) => RedactionTarget::Note { seq },
                    _ => panic!("a field or a note"),
                };
                let outcome = self.compass.redact(self.key(), &Redaction { command_id, target, actor, reason, pending, bodies })?;
                let mut faults = equal("applied", outcome.applied, applied);
                faults.extend(equal("holding", outcome.bodies.len() as u64, holding));
                faults.extend(equal("erased", outcome.erased, erased));
                faults
            }
            Step::Purge { older_than_ms, sessions } => {
                equal("sessions", self.compass.purge(Duration::from_millis(older_than_ms))?.purged, sessions)
            }
            Step::Reopen {} => {
                self.compass.close()?;
                self.compass = Compass::open(self.options.clone())?;
                Faults::new()
            }
            Step::Expect { paths } => {
                paths.iter().flat_map(|(path, expected)| equal(path, &paths::read(&self.compass, self.session, path), expected)).collect()
            }
        };
        Ok(faults)
    }

    fn key(&self) -> SessionKey {
        self.session.expect("a session was started")
    }

    fn parse(&self, workflow: &str, field: &str, text: &str, state: &str, value: Option<&String>) -> Result<Faults, Error> {
        let workflow = self.compass.workflow(workflow, None)?;
        let definition = workflow.field(field).expect("a field of the workflow");
        let parsed = parse_value(definition, text, self.clock.now()).map_err(|problem| Refusal::Fields { problems: vec![problem] })?;
        let mut faults = equal("state", paths::state_name(&parsed), state);
        faults.extend(equal("value", paths::state_value(&parsed).as_ref(), value));
        Ok(faults)
    }

    fn flush(&mut self, expected: &BTreeMap<String, Value>, requests: &[Request]) -> Result<Faults, Error> {
        let report = self.compass.flush(Duration::from_secs(60), &CancelToken::new())?;
        let report = serde_json::to_value(&report).unwrap();
        let mut faults = Faults::new();
        for (member, value) in expected {
            faults.extend(equal(member, report.get(member).unwrap_or_else(|| panic!("no report.{member}")), value));
        }
        let new = &self.transport.requests()[self.seen..];
        self.seen += new.len();
        let mut came: Vec<Request> = new
            .iter()
            .map(|request| Request {
                url: request.url.clone(),
                headers: request.headers.iter().map(|header| format!("{}: {}", header.name, header.value)).collect(),
                body: String::from_utf8(request.body.clone()).expect("a body in UTF-8"),
            })
            .collect();
        came.sort_by(|one, other| one.url.cmp(&other.url));
        if came != requests {
            let came: Vec<Value> =
                came.iter().map(|request| json!({ "url": request.url, "headers": request.headers, "body": request.body })).collect();
            faults.push(format!("other requests came: {}", serde_json::to_string_pretty(&came).unwrap()));
        }
        Ok(faults)
    }

    /// What must hold after the last step of every scenario.
    pub fn end(self) {
        assert!(self.queues.lock().unwrap().values().all(VecDeque::is_empty), "an answer was left over");
        assert_eq!(self.transport.requests().len(), self.seen, "a request came that no step names");
        assert_eq!(*self.secrets.refused.lock().unwrap(), Vec::<String>::new(), "a refusal that no step names");
        assert_eq!(self.compass.check().unwrap().faults, Vec::<String>::new());
    }
}

fn equal<T: std::fmt::Debug + PartialEq>(what: &str, is: T, must: T) -> Faults {
    if is == must { Faults::new() } else { vec![format!("{what} is {is:?}, must be {must:?}")] }
}

fn workflow_version(text: &str) -> WorkflowVersion {
    let (version, local_revision) = text.split_once('.').unwrap_or((text, "0"));
    WorkflowVersion { version: version.parse().expect("a version"), local_revision: local_revision.parse().expect("a revision") }
}

fn endpoint_header(header: step::Header) -> EndpointHeader {
    let value = match (header.value, header.secret) {
        (Some(value), None) => HeaderValue::Plain(value),
        (None, Some(secret)) => HeaderValue::Secret(secret),
        _ => panic!("a header has either a value or the name of a secret"),
    };
    EndpointHeader { name: header.name, value }
}

fn answer(given: step::Answer) -> Answer {
    let named = |headers: BTreeMap<String, String>| headers.into_iter().map(|(name, value)| Header::new(name, value)).collect();
    match given {
        step::Answer::Status { status, headers } => {
            Ok(compass_core::port::TransportResponse { status, headers: named(headers), body: Vec::new() })
        }
        step::Answer::Failure { failure: step::Failure { kind, phase, request_sent } } => {
            let kind = match kind.as_str() {
                "no_network" => FailureKind::NoNetwork,
                "dns" => FailureKind::Dns,
                "refused" => FailureKind::Refused,
                "timeout" => FailureKind::Timeout,
                "closed" => FailureKind::Closed,
                "certificate" => FailureKind::Certificate { time_invalid: false },
                "certificate_time" => FailureKind::Certificate { time_invalid: true },
                "tls" => FailureKind::Tls,
                "protocol" => FailureKind::Protocol,
                "other" => FailureKind::Other,
                _ => panic!("no such kind of failure: {kind}"),
            };
            let phase = match phase.as_str() {
                "resolve" => Phase::Resolve,
                "connect" => Phase::Connect,
                "send" => Phase::Send,
                "receive" => Phase::Receive,
                _ => panic!("no such phase: {phase}"),
            };
            let request_sent = match request_sent.as_str() {
                "no" => RequestSent::No,
                "maybe" => RequestSent::Maybe,
                _ => panic!("a request was sent: no or maybe, not {request_sent}"),
            };
            Err(failure(kind, phase, request_sent))
        }
    }
}
