//! A phone: one database, one clock, one technician.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use compass_core::RetryPolicy;
use compass_core::model::*;
use compass_core::port::{Random, Secrets, StaticSecrets, SystemRandom};
use compass_core::testing::ManualClock;
use compass_core::transport::{BuiltIn, BuiltInOptions, Timeouts};
use compass_core::{CancelToken, Compass, Options};
use serde_json::json;

use crate::ca;
use crate::support::{Reply, SeenRequest, TestServer};

/// The signing secret of every endpoint, under the name `signing`.
pub const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// Another one, for rotations.
pub const NEW_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// For waits that a test means to run out.
pub const SHORT: Duration = Duration::from_millis(400);

/// Enough fields of 20 000 characters for more than 256 KiB.
const PADS: usize = 14;

/// How a phone is set up.
pub struct Setup {
    pub timeouts: Timeouts,
    pub retry: RetryPolicy,
    pub random: Arc<dyn Random>,
    pub allow_plain_http: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self { timeouts: Timeouts::default(), retry: RetryPolicy::default(), random: Arc::new(SystemRandom), allow_plain_http: false }
    }
}

/// Randomness whose fractions are always this one.
pub struct Fraction(pub f64);

impl Random for Fraction {
    fn bytes(&self) -> [u8; 16] {
        SystemRandom.bytes()
    }

    fn fraction(&self) -> f64 {
        self.0
    }
}

impl Setup {
    /// Jitter that changes nothing.
    pub fn steady() -> Self {
        Self { random: Arc::new(Fraction(0.5)), ..Self::default() }
    }

    /// One attempt at a time, so that it is known which one is first.
    pub fn one_at_a_time() -> Self {
        Self { retry: RetryPolicy { in_flight_start: 1, in_flight_max: 1, ..RetryPolicy::default() }, ..Self::steady() }
    }

    pub fn phone(self) -> Phone {
        let secrets = Arc::new(StaticSecrets::new());
        secrets.set("signing", SECRET);
        let store = Arc::clone(&secrets);
        Phone { static_secrets: secrets, ..self.phone_with(store) }
    }

    pub fn phone_with(self, secrets: Arc<dyn Secrets>) -> Phone {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::default());
        // The independent verifier goes by the real clock.
        clock.set_wall(Timestamp::from_timestamp(chrono::Utc::now().timestamp(), 0).expect("a time"));
        let path = folder.path().join("compass.db");
        let compass = self.open(path.clone(), &clock, secrets);
        compass.set_integration_enabled(true).expect("the integration");
        Phone { compass, clock, path, static_secrets: Arc::default(), commands: AtomicUsize::new(0), _folder: folder }
    }

    pub fn open(&self, path: PathBuf, clock: &Arc<ManualClock>, secrets: Arc<dyn Secrets>) -> Compass {
        let transport = BuiltIn::new(BuiltInOptions {
            extra_roots: vec![ca().pem().into_bytes()],
            timeouts: self.timeouts,
            allow_plain_http_to_loopback: true,
            ..BuiltInOptions::default()
        });
        let mut options = Options::new(path)
            .clock(Arc::clone(clock) as _)
            .secrets(secrets)
            .transport(Arc::new(transport.expect("a good authority")))
            .retry(self.retry.clone());
        options.random = Arc::clone(&self.random);
        options.allow_plain_http_to_loopback = self.allow_plain_http;
        Compass::open(options).expect("a database")
    }
}

/// A phone with the webhooks integration on.
pub struct Phone {
    pub compass: Compass,
    pub clock: Arc<ManualClock>,
    pub path: PathBuf,
    pub static_secrets: Arc<StaticSecrets>,
    commands: AtomicUsize,
    _folder: tempfile::TempDir,
}

impl Phone {
    /// Says whether the platform has reached the internet.
    pub fn net_ok(&self, ok: bool) {
        self.compass.set_connectivity(Connectivity::Online { validated: ok.then_some(true), metered: false, network: None });
    }

    /// Registers a signed endpoint, or moves it.
    pub fn register(&self, key: &str, url: &str) {
        self.compass.put_endpoint(&endpoint(key, url)).expect("an endpoint");
    }

    pub fn command_id(&self) -> String {
        format!("command-{}", self.commands.fetch_add(1, Ordering::Relaxed))
    }

    /// Starts a session whose completion sends a message to each of these endpoints.
    pub fn start(&self, endpoints: &[&str]) -> SessionView {
        let workflow = workflow(endpoints);
        self.compass.import_workflow(workflow.to_string().as_bytes()).expect("a workflow");
        let key = workflow["key"].as_str().expect("a key");
        self.compass.start(&Start::new(key, self.command_id())).expect("a session").view
    }

    /// Completes a session with a Send Message action to this endpoint.
    pub fn complete(&self, endpoint: &str) -> SessionKey {
        self.complete_padded(endpoint, PADS)
    }

    /// The same with so many more bytes in its fields.
    pub fn complete_padded(&self, endpoint: &str, bytes: usize) -> SessionKey {
        let session = self.start(&[endpoint]);
        self.pad(session.key, bytes);
        self.compass.complete(session.key, 1).expect("completion");
        session.key
    }

    /// The same with a body of exactly this size.
    pub fn complete_with_body(&self, endpoint: &str, size: usize) -> SessionKey {
        let session = self.start(&[endpoint]);
        self.pad(session.key, 250_000);
        let now = self.compass.preview(session.key, &format!("to-{endpoint}")).expect("a preview").body.len();
        self.pad(session.key, 250_000 + size - now);
        self.compass.complete(session.key, 1).expect("completion");
        session.key
    }

    /// Spreads them over all fields, so that another number changes the size of the body by just the difference.
    fn pad(&self, session: SessionKey, bytes: usize) {
        let size = |index: usize| bytes / PADS + usize::from(index < bytes % PADS);
        let text = |index: usize| Change::Set(FieldValue::Text("a".repeat(size(index))));
        let changes = (0..PADS).map(|index| FieldChange { field: format!("text{index}"), change: text(index) }).collect();
        self.compass.set_fields(session, changes).expect("fields");
    }

    /// Delivers what is due.
    pub fn flush(&self) -> FlushReport {
        self.compass.flush(Duration::from_secs(60), &CancelToken::new()).expect("a flush")
    }

    /// The only action of a session.
    pub fn action(&self, session: SessionKey) -> Action {
        let mut actions = self.compass.record(session).expect("a record").actions;
        assert_eq!(actions.len(), 1);
        actions.remove(0)
    }

    /// Its only message.
    pub fn delivery(&self, session: SessionKey) -> Delivery {
        let mut deliveries = self.action(session).deliveries;
        assert_eq!(deliveries.len(), 1);
        deliveries.remove(0)
    }

    /// Status and reason as the technician sees them.
    pub fn status(&self, session: SessionKey) -> (ActionStatus, Option<String>) {
        let action = self.action(session);
        (action.status, action.reason)
    }

    pub fn endpoint(&self, key: &str) -> EndpointStatus {
        let all = self.compass.endpoints().expect("endpoints");
        all.into_iter().find(|status| status.endpoint.key == key).expect("a registered endpoint")
    }

    pub fn now(&self) -> Timestamp {
        compass_core::port::Clock::now(&*self.clock)
    }

    /// Time passes until the session's message is tried next.
    pub fn advance_to_next(&self, session: SessionKey) -> Duration {
        let next = self.delivery(session).next_attempt_at.expect("a next attempt");
        let wait = (next - self.now()).to_std().expect("a next attempt ahead");
        self.clock.advance(wait);
        wait
    }

    /// What the server got is this message: the frozen bytes, the documented headers, and a signature that the independent verifier
    /// accepts.
    #[track_caller]
    pub fn check_request(&self, what: &str, seen: &SeenRequest, session: SessionKey, attempt: u32, secrets: &[&str]) {
        let delivery = self.delivery(session);
        let body = self.compass.delivery_body(&delivery.id).expect("a message").expect("its body");
        assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/hook"), "{what}");
        assert_eq!(String::from_utf8_lossy(&seen.body), body, "{what}: the frozen bytes");
        assert_eq!(seen.header("webhook-id"), Some(delivery.id.0.as_str()), "{what}");
        assert_eq!(seen.header("compass-attempt"), Some(attempt.to_string().as_str()), "{what}");
        assert_eq!(seen.header("content-type"), Some("application/json; charset=utf-8"), "{what}");
        assert_eq!(seen.header("compass-workflow-version"), Some("3"), "{what}");
        assert_eq!(seen.header("compass-session-state"), None, "{what}");
        check_signature(what, seen, secrets);
    }
}

/// Signed by each of these secrets, in this order, and by no other.
#[track_caller]
pub fn check_signature(what: &str, seen: &SeenRequest, secrets: &[&str]) {
    let header = |name: &str| seen.header(name).unwrap_or_else(|| panic!("{what}: no header {name}"));
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp").parse::<i64>().expect("whole seconds"));
    let sign = |secret: &&str| standardwebhooks::Webhook::new(secret).expect("a secret").sign(id, timestamp, &seen.body).expect("text");
    let expected: Vec<String> = secrets.iter().map(sign).collect();
    assert_eq!(header("webhook-signature"), expected.join(" "), "{what}: the signature");
    // The crate's own verification goes by the real clock, and holds as long as the phone's is near it.
    if (timestamp - chrono::Utc::now().timestamp()).abs() < 240 {
        for secret in secrets {
            assert!(verifies(seen, secret), "{what}: the verifier refuses it");
        }
    }
}

/// Whether a receiver that uses the library accepts it.
pub fn verifies(seen: &SeenRequest, secret: &str) -> bool {
    let mut headers = http::HeaderMap::new();
    for (name, value) in &seen.headers {
        let name: http::HeaderName = name.parse().expect("a name");
        headers.append(name, value.parse().expect("a value"));
    }
    standardwebhooks::Webhook::new(secret).expect("a secret").verify(&seen.body, &headers).is_ok()
}

pub fn endpoint(key: &str, url: &str) -> Endpoint {
    Endpoint {
        key: key.to_owned(),
        url: url.to_owned(),
        signing: Signing::StandardWebhooks { secret: "signing".to_owned() },
        headers: Vec::new(),
        network: NetworkPolicy::Any,
    }
}

/// A server of this suite's authority that always answers the same.
pub fn server(reply: Reply) -> TestServer {
    TestServer::https(ca(), move |_| reply.clone())
}

/// A date as HTTP writes it.
pub fn http_date(at: Timestamp) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// One section, which is the end, with a Send Message action to each of these endpoints.
pub fn workflow(endpoints: &[&str]) -> serde_json::Value {
    let texts: Vec<String> = (0..PADS).map(|index| format!("text{index}")).collect();
    let fields: Vec<_> = texts.iter().map(|key| json!({ "key": key, "name": key, "type": "multiline", "max_length": 20_000 })).collect();
    let action = |endpoint: &&str| {
        json!({
            "key": format!("to-{endpoint}"), "name": format!("Tell the {endpoint}"), "endpoint": endpoint,
            "integration": "webhooks", "kind": "send_message",
        })
    };
    let actions: Vec<_> = endpoints.iter().map(action).collect();
    json!({
        "format": 1, "key": format!("visit-{}", endpoints.join("-")), "version": 3, "name": "Visit", "start": "done", "fields": fields,
        "sections": [{ "key": "done", "name": "Done", "fields": texts, "actions": actions, "win": true }],
    })
}
