//! The transport itself.

use std::collections::HashMap;
use std::fmt;
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::ClientConfig;
use ureq::http::{HeaderName, HeaderValue, Request, Response, Uri};
use ureq::{Agent, Body};

use crate::port::{FailureKind, Header, Transport, TransportFailure, TransportRequest, TransportResponse, is_loopback};
use crate::threads::Pool;

use super::attempt::{Attempt, IoFailure, within};
use super::connection::MAX_HEAD;
use super::connector::RacingConnector;
use super::failure::http_failure;
use super::head::read_head;
use super::options::{BuiltInOptions, TransportSetupError};
use super::resolver::{self, CachingResolver, LookUp, system_look_up};
use super::roots::tls_config;

/// How much of an answer's body is kept: enough to show to a person.
const MAX_ANSWER_BODY: u64 = 4 * 1024;

/// How long an idle connection is kept. Rounds of a backlog follow each other within seconds; mobile networks and servers drop idle
/// connections silently, and a request on such a connection may or may not arrive.
const MAX_IDLE: Duration = Duration::from_secs(15);

/// Set here, so that they match the request.
const OWN_HEADERS: [&str; 6] = ["host", "content-length", "user-agent", "transfer-encoding", "connection", "expect"];

/// The built-in [`Transport`]; see the [module](super) for its guarantees.
pub struct BuiltIn {
    options: BuiltInOptions,
    parts: Parts,
    agent: Mutex<Agent>,
    running: Mutex<HashMap<u64, Arc<Attempt>>>,
}

/// The parts that outlive an agent. They include the threads of calls that hang, so that renewing often does not start more and more of them.
struct Parts {
    tls: Arc<ClientConfig>,
    look_ups: Arc<Pool>,
    connects: Arc<Pool>,
    look_up: Arc<LookUp>,
}

impl BuiltIn {
    /// A transport with these options. It starts no thread and opens no connection yet.
    pub fn new(options: BuiltInOptions) -> Result<Self, TransportSetupError> {
        Self::with_look_up(options, Arc::new(system_look_up))
    }

    fn with_look_up(options: BuiltInOptions, look_up: Arc<LookUp>) -> Result<Self, TransportSetupError> {
        let parts = Parts {
            tls: tls_config(&options.extra_roots)?,
            look_ups: Arc::new(Pool::new("compass-resolve", resolver::THREADS)),
            connects: Arc::new(Pool::new("compass-connect", parallelism(&options))),
            look_up,
        };
        let agent = Mutex::new(parts.agent(&options));
        Ok(Self { options, parts, agent, running: Mutex::default() })
    }

    fn agent(&self) -> MutexGuard<'_, Agent> {
        self.agent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> MutexGuard<'_, HashMap<u64, Arc<Attempt>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks that a request may be sent to this URL.
    fn check(&self, url: &str) -> Result<Uri, IoFailure> {
        let bad = |why: &str| IoFailure::new(FailureKind::Other, why);
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
        let uri = self.check(&request.url).map_err(|failure| attempt.failure(failure))?;
        let request = http_request(uri, request).map_err(|failure| attempt.failure(failure))?;
        // Cloned, so that `renew` need not wait for the requests in flight.
        let agent = self.agent().clone();
        match agent.run(request) {
            Ok(answer) => {
                attempt.head_is_read();
                Ok(response(answer))
            }
            Err(error) => match attempt.recorded() {
                Some(failure) => Err(failure),
                // ureq refused the headers, for instance because there are more than 128. The status line is still an answer.
                None => match attempt.unread_head().as_deref().and_then(read_head) {
                    Some((status, headers)) => Ok(TransportResponse { status, headers, body: Vec::new() }),
                    None => Err(attempt.failure(http_failure(&error))),
                },
            },
        }
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
        let fresh = self.parts.agent(&self.options);
        // Idle connections are closed with the last request that uses the old agent.
        let _old = std::mem::replace(&mut *self.agent(), fresh);
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

impl Parts {
    /// An agent without connections and with an empty cache.
    fn agent(&self, options: &BuiltInOptions) -> Agent {
        let parallelism = parallelism(options);
        // ureq's own timeouts are not set: every wait is in the resolver, the connector or the connection, which keep the attempt's time.
        let config = Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("compass-core/", env!("CARGO_PKG_VERSION")))
            .max_response_header_size(MAX_HEAD)
            .max_idle_connections(parallelism)
            .max_idle_connections_per_host(parallelism)
            .max_idle_age(MAX_IDLE)
            .build();
        let connector = RacingConnector::new(self.tls.clone(), self.connects.clone());
        Agent::with_parts(config, connector, CachingResolver::new(self.look_ups.clone(), self.look_up.clone()))
    }
}

fn parallelism(options: &BuiltInOptions) -> usize {
    options.parallelism.max(1) as usize
}

fn http_request(uri: Uri, request: &TransportRequest) -> Result<Request<&[u8]>, IoFailure> {
    let mut built = Request::new(request.body.as_slice());
    *built.method_mut() = ureq::http::Method::POST;
    *built.uri_mut() = uri;
    for Header { name, value } in request.headers.iter() {
        if OWN_HEADERS.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            continue;
        }
        let bad = || IoFailure::new(FailureKind::Other, "a header cannot be expressed");
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| bad())?;
        value.set_sensitive(true);
        built.headers_mut().append(name, value);
    }
    Ok(built)
}

/// The answer with as much of its body as can be read quickly.
fn response(answer: Response<Body>) -> TransportResponse {
    let (head, body) = answer.into_parts();
    let headers = head.headers.iter().map(|(name, value)| Header::new(name.as_str(), String::from_utf8_lossy(value.as_bytes()))).collect();
    let mut kept = Vec::new();
    // One byte more than is kept: only a body read to its end lets the connection be used again. An error ends the body, not the answer.
    let _ = body.into_reader().take(MAX_ANSWER_BODY + 1).read_to_end(&mut kept);
    kept.truncate(MAX_ANSWER_BODY as usize);
    TransportResponse { status: head.status.as_u16(), headers, body: kept }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, TcpListener};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::thread;

    use crate::port::Phase;

    use super::*;

    fn post(id: u64, url: String, timeout: Duration) -> TransportRequest {
        TransportRequest { id, url, headers: Vec::new(), body: b"{}".to_vec(), timeout }
    }

    #[test]
    fn after_renew_a_name_is_looked_up_again() {
        // No connection gets an answer; only the look-ups count.
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("https://hooks.example:{}/", listener.local_addr().expect("an address").port());
        thread::spawn(move || listener.incoming().for_each(drop));
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let look_up = move |_: &str| {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)])
        };
        let transport = BuiltIn::with_look_up(BuiltInOptions::default(), Arc::new(look_up)).expect("good options");
        for look_ups in 1..=3 {
            for _ in 0..2 {
                let failure = transport.send(post(1, url.clone(), Duration::from_secs(30))).expect_err("a failure");
                assert_eq!(failure.phase, Phase::Connect, "{failure:?}");
            }
            assert_eq!(asked.load(Ordering::SeqCst), look_ups);
            transport.renew();
        }
    }

    #[test]
    fn look_ups_that_hang_do_not_add_up_when_the_network_changes_often() {
        let (end, ended) = mpsc::channel::<()>();
        let ended = Mutex::new(ended);
        let look_up = move |_: &str| {
            let _ = ended.lock().map(|ended| ended.recv());
            Ok(Vec::new())
        };
        let transport = BuiltIn::with_look_up(BuiltInOptions::default(), Arc::new(look_up)).expect("good options");
        for id in 0..20 {
            let failure = transport.send(post(id, format!("https://{id}.example/"), Duration::from_millis(10))).expect_err("a failure");
            assert_eq!((failure.kind, failure.phase), (FailureKind::Timeout, Phase::Resolve), "{failure:?}");
            transport.renew();
        }
        assert_eq!(transport.parts.look_ups.threads(), resolver::THREADS);
        drop(end);
    }
}
