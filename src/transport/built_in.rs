//! The transport itself.

use std::collections::HashMap;
use std::fmt;
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::ClientConfig;
use ureq::http::{HeaderName, HeaderValue, Request, Response, Uri};
use ureq::{Agent, Body};

use crate::port::{FailureKind, Header, Transport, TransportFailure, TransportRequest, TransportResponse};

use super::attempt::{Attempt, Trouble, within};
use super::classify::http_trouble;
use super::connector::WireConnector;
use super::options::{BuiltInOptions, TransportSetupError};
use super::resolver::{CachingResolver, without_look_up};
use super::roots::tls_config;
use super::wire::MOST_HEAD;

/// What is kept of an answer's body: enough for a message to a person.
const MOST_BODY: u64 = 4 * 1024;

/// How long an idle connection is kept. Rounds of a backlog follow each other within seconds; mobile networks and servers drop idle
/// connections without a word, and a request written to such a one may or may not have arrived.
const IDLE: Duration = Duration::from_secs(15);

/// Set here, so that they agree with what is sent.
const OWN_HEADERS: [&str; 6] = ["host", "content-length", "user-agent", "transfer-encoding", "connection", "expect"];

/// The built-in [`Transport`]; see the [module](super) for its guarantees.
pub struct BuiltIn {
    options: BuiltInOptions,
    tls: Arc<ClientConfig>,
    agent: Mutex<Agent>,
    running: Mutex<HashMap<u64, Arc<Attempt>>>,
}

impl BuiltIn {
    /// A transport with these options. It starts no thread and opens no connection yet.
    pub fn new(options: BuiltInOptions) -> Result<Self, TransportSetupError> {
        let tls = tls_config(&options.extra_roots)?;
        let agent = agent(&options, &tls);
        Ok(Self { options, tls, agent: Mutex::new(agent), running: Mutex::default() })
    }

    fn agent(&self) -> MutexGuard<'_, Agent> {
        self.agent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> MutexGuard<'_, HashMap<u64, Arc<Attempt>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request may go there at all.
    fn check(&self, url: &str) -> Result<Uri, Trouble> {
        let bad = |why: &str| Trouble::new(FailureKind::Other, why);
        let uri: Uri = url.parse().map_err(|_| bad("the URL is not valid"))?;
        let Some(authority) = uri.authority() else { return Err(bad("the URL is not complete")) };
        if authority.as_str().contains('@') {
            return Err(bad("the URL holds a user name"));
        }
        let allowed = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => self.options.allow_plain_http_to_loopback && is_loopback(authority.host()),
            _ => false,
        };
        if allowed { Ok(uri) } else { Err(bad("the URL is not https")) }
    }

    fn exchange(&self, request: &TransportRequest, attempt: &Attempt) -> Result<TransportResponse, TransportFailure> {
        let uri = self.check(&request.url).map_err(|trouble| attempt.failure(trouble))?;
        let request = http_request(uri, request).map_err(|trouble| attempt.failure(trouble))?;
        // Cloned, so that `renew` need not wait for the requests in flight.
        let agent = self.agent().clone();
        let answer = agent.run(request).map_err(|error| attempt.recorded().unwrap_or_else(|| attempt.failure(http_trouble(&error))))?;
        attempt.head_is_read();
        Ok(response(answer))
    }
}

impl Transport for BuiltIn {
    fn send(&self, request: TransportRequest) -> Result<TransportResponse, TransportFailure> {
        let attempt = Arc::new(Attempt::new(request.id, request.timeout, self.options.timeouts));
        self.running().insert(request.id, attempt.clone());
        let _leave = Running { of: self, attempt: &attempt };
        within(&attempt, || self.exchange(&request, &attempt))
    }

    fn cancel(&self, id: u64) {
        let attempt = self.running().get(&id).cloned();
        if let Some(attempt) = attempt {
            attempt.cancel();
        }
    }

    fn renew(&self) {
        let fresh = agent(&self.options, &self.tls);
        let _stale = std::mem::replace(&mut *self.agent(), fresh);
    }
}

impl fmt::Debug for BuiltIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BuiltIn")
    }
}

/// Takes an attempt off the list, also when sending panics.
struct Running<'a> {
    of: &'a BuiltIn,
    attempt: &'a Arc<Attempt>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.of.running().remove(&self.attempt.id);
    }
}

fn agent(options: &BuiltInOptions, tls: &Arc<ClientConfig>) -> Agent {
    let parallelism = options.parallelism.max(1) as usize;
    // No timeout of ureq's own is set: every wait is in the resolver, the connector or the wire, and they keep the attempt's time.
    let config = Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(concat!("compass-core/", env!("CARGO_PKG_VERSION")))
        .max_response_header_size(MOST_HEAD)
        .max_idle_connections(parallelism)
        .max_idle_connections_per_host(parallelism)
        .max_idle_age(IDLE)
        .build();
    Agent::with_parts(config, WireConnector::new(tls.clone(), parallelism), CachingResolver::new())
}

fn is_loopback(host: &str) -> bool {
    without_look_up(host).is_some_and(|addresses| addresses.iter().all(|address| address.is_loopback()))
}

fn http_request(uri: Uri, request: &TransportRequest) -> Result<Request<&[u8]>, Trouble> {
    let mut built = Request::new(request.body.as_slice());
    *built.method_mut() = ureq::http::Method::POST;
    *built.uri_mut() = uri;
    for Header { name, value } in request.headers.iter() {
        if OWN_HEADERS.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            continue;
        }
        let bad = || Trouble::new(FailureKind::Other, "a header cannot be expressed");
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| bad())?;
        value.set_sensitive(true);
        built.headers_mut().append(name, value);
    }
    Ok(built)
}

/// The answer with as much of its body as is easily had.
fn response(answer: Response<Body>) -> TransportResponse {
    let (head, body) = answer.into_parts();
    let headers = head.headers.iter().map(|(name, value)| Header::new(name.as_str(), String::from_utf8_lossy(value.as_bytes()))).collect();
    let mut kept = Vec::new();
    // One byte more than is kept: only a body read to its end lets the connection be used again. An error ends the body, not the answer.
    let _ = body.into_reader().take(MOST_BODY + 1).read_to_end(&mut kept);
    kept.truncate(MOST_BODY as usize);
    TransportResponse { status: head.status.as_u16(), headers, body: kept }
}
