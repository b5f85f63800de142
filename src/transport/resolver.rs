//! Looking up hosts, once each, on a few threads.
//!
//! The system's look-up blocks, for half a minute when the network is bad, and cannot be interrupted. It runs on a thread of the pool; a
//! request that waits for it ends in time and removes itself from the list. Many requests for one host share one look-up.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::port::{FailureKind, Phase};
use crate::threads::{FirstResult, Pool};

use super::attempt::{Attempt, Interrupt, IoFailure, ongoing};

/// A look-up that hangs must not delay other hosts; more than four that hang at once are not worth a thread each.
pub(super) const THREADS: usize = 4;

/// The system does not give the lifetime of an address. A minute is enough for a backlog, and a new address is soon found.
const CACHE_TIME: Duration = Duration::from_secs(60);

/// As many as ureq's list holds.
const MAX_ADDRESSES: usize = 16;

/// The resolver of one agent.
pub(super) struct CachingResolver {
    pool: Arc<Pool>,
    hosts: Arc<Hosts>,
}

struct Hosts {
    known: Mutex<HashMap<String, Host>>,
    look_up: Arc<LookUp>,
}

/// How the addresses of a host are found. It blocks.
pub(super) type LookUp = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// The system's look-up.
pub(super) fn system_look_up(host: &str) -> io::Result<Vec<IpAddr>> {
    Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}

enum Host {
    Known { addresses: Vec<IpAddr>, since: Instant },
    InProgress { waiting: Vec<(u64, FirstResult<Answer>)> },
}

#[derive(Clone)]
enum Answer {
    Addresses(Vec<IpAddr>),
    Failed(String),
    Cancelled,
}

impl CachingResolver {
    /// Begins with an empty cache. The threads are shared with all earlier resolvers, so that look-ups that hang do not add up.
    pub(super) fn new(pool: Arc<Pool>, look_up: Arc<LookUp>) -> Self {
        Self { pool, hosts: Arc::new(Hosts { known: Mutex::default(), look_up }) }
    }

    fn look_up(&self, host: &str, attempt: &Attempt, until: Instant) -> Result<Vec<IpAddr>, ureq::Error> {
        let first = FirstResult::new();
        let wake = first.clone();
        attempt.interrupted_by(Interrupt::Wake(Box::new(move || wake.set(Answer::Cancelled))))?;
        let begin = {
            let mut hosts = self.hosts.lock();
            match hosts.get_mut(host) {
                Some(Host::Known { addresses, since }) if since.elapsed() < CACHE_TIME => return Ok(addresses.clone()),
                Some(Host::InProgress { waiting }) => {
                    waiting.push((attempt.id, first.clone()));
                    false
                }
                Some(Host::Known { .. }) | None => {
                    hosts.insert(host.to_owned(), Host::InProgress { waiting: vec![(attempt.id, first.clone())] });
                    true
                }
            }
        };
        if begin {
            let (hosts, name) = (self.hosts.clone(), host.to_owned());
            if let Err(error) = self.pool.run(move || hosts.answer(&name)) {
                self.hosts.lock().remove(host);
                return Err(attempt.fail(IoFailure::new(FailureKind::Other, format!("no thread for a look-up: {error}"))));
            }
        }
        match first.wait(until.saturating_duration_since(Instant::now())) {
            Some(Answer::Addresses(addresses)) => Ok(addresses),
            Some(Answer::Failed(detail)) => Err(attempt.fail(IoFailure::new(FailureKind::Dns, detail))),
            Some(Answer::Cancelled) | None => {
                self.hosts.leave(host, attempt.id);
                // A cancelled attempt is recorded as such.
                Err(attempt.fail(IoFailure::timeout()))
            }
        }
    }
}

impl Hosts {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs on a thread of the pool.
    fn answer(&self, host: &str) {
        {
            let mut hosts = self.lock();
            if matches!(hosts.get(host), Some(Host::InProgress { waiting }) if waiting.is_empty()) {
                // All requests left while this was queued.
                hosts.remove(host);
                return;
            }
        }
        // The requests that wait get a panic as a failure, and the next request begins a new look-up.
        let found = catch_unwind(AssertUnwindSafe(|| (self.look_up)(host))).unwrap_or_else(|_| Err(io::Error::other("it panicked")));
        let answer = match found {
            Ok(found) if found.is_empty() => Answer::Failed("the host has no address".to_owned()),
            Ok(found) => {
                let mut addresses: Vec<IpAddr> = Vec::new();
                for address in found {
                    // The system repeats an address for each kind of socket.
                    if !addresses.contains(&address) && addresses.len() < MAX_ADDRESSES {
                        addresses.push(address);
                    }
                }
                Answer::Addresses(addresses)
            }
            Err(error) => Answer::Failed(format!("look-up: {error}")),
        };
        let mut hosts = self.lock();
        let before = hosts.remove(host);
        // Failures are not cached: they may be over in the next second.
        if let Answer::Addresses(addresses) = &answer {
            hosts.retain(|_, host| !matches!(host, Host::Known { since, .. } if since.elapsed() >= CACHE_TIME));
            hosts.insert(host.to_owned(), Host::Known { addresses: addresses.clone(), since: Instant::now() });
        }
        drop(hosts);
        if let Some(Host::InProgress { waiting }) = before {
            for (_, first) in waiting {
                first.set(answer.clone());
            }
        }
    }

    fn leave(&self, host: &str, id: u64) {
        if let Some(Host::InProgress { waiting }) = self.lock().get_mut(host) {
            waiting.retain(|(waiter, _)| *waiter != id);
        }
    }
}

impl Resolver for CachingResolver {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let attempt = ongoing()?;
        let until = attempt.enter(Phase::Resolve);
        let host = uri.host().ok_or(ureq::Error::HostNotFound)?;
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
        let addresses = match without_look_up(host) {
            Some(addresses) => addresses,
            None => self.look_up(&host.to_ascii_lowercase(), &attempt, until)?,
        };
        let mut resolved = self.empty();
        for address in addresses {
            resolved.push(SocketAddr::new(address, port));
        }
        Ok(resolved)
    }
}

/// Numeric hosts are their own address, and `localhost` is always loopback (RFC 6761, 6.3).
pub(super) fn without_look_up(host: &str) -> Option<Vec<IpAddr>> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if bare.trim_end_matches('.').eq_ignore_ascii_case("localhost") {
        return Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    bare.parse().ok().map(|address| vec![address])
}

impl fmt::Debug for CachingResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CachingResolver")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{self, Receiver, Sender};
    use std::thread;

    use crate::port::TransportFailure;
    use crate::transport::Timeouts;

    use super::*;

    const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const WAIT_LIMIT: Duration = Duration::from_secs(30);

    /// A system whose look-ups each wait for an answer, and report when they have begun.
    struct HeldLookUps {
        begun: Receiver<String>,
        answers: Sender<io::Result<Vec<IpAddr>>>,
        asked: Arc<AtomicUsize>,
    }

    fn held() -> (Arc<CachingResolver>, HeldLookUps) {
        let (begin, begun) = mpsc::channel();
        let (answers, answer) = mpsc::channel();
        let answer = Mutex::new(answer);
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let look_up = move |host: &str| {
            count.fetch_add(1, Ordering::SeqCst);
            begin.send(host.to_owned()).expect("the test listens");
            answer.lock().expect("no panic").recv().unwrap_or_else(|_| Ok(Vec::new()))
        };
        (resolver(look_up), HeldLookUps { begun, answers, asked })
    }

    fn resolver(look_up: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static) -> Arc<CachingResolver> {
        Arc::new(CachingResolver::new(Arc::new(Pool::new("test-resolve", THREADS)), Arc::new(look_up)))
    }

    fn attempt(id: u64) -> Arc<Attempt> {
        Arc::new(Attempt::new(id, WAIT_LIMIT, Timeouts { resolve: WAIT_LIMIT, ..Timeouts::default() }))
    }

    fn look_up(resolver: &CachingResolver, host: &str, attempt: &Attempt, until: Instant) -> Result<Vec<IpAddr>, TransportFailure> {
        resolver.look_up(host, attempt, until).map_err(|_| attempt.recorded().expect("a failure is recorded"))
    }

    fn waiting(resolver: &CachingResolver, host: &str) -> usize {
        match resolver.hosts.lock().get(host) {
            Some(Host::InProgress { waiting }) => waiting.len(),
            _ => 0,
        }
    }

    #[test]
    fn many_requests_share_one_look_up_and_later_ones_its_result() {
        let (resolver, look_ups) = held();
        thread::scope(|scope| {
            let waiters: Vec<_> = (0..8)
                .map(|id| {
                    let resolver = &resolver;
                    scope.spawn(move || look_up(resolver, "a.example", &attempt(id), Instant::now() + WAIT_LIMIT))
                })
                .collect();
            look_ups.begun.recv_timeout(WAIT_LIMIT).expect("a look-up begins");
            while waiting(&resolver, "a.example") < 8 {
                thread::yield_now();
            }
            look_ups.answers.send(Ok(vec![ADDRESS, ADDRESS])).expect("the look-up listens");
            for waiter in waiters {
                assert_eq!(waiter.join().expect("no panic"), Ok(vec![ADDRESS]));
            }
        });
        assert_eq!(look_up(&resolver, "a.example", &attempt(9), Instant::now()), Ok(vec![ADDRESS]));
        assert_eq!(look_ups.asked.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_failed_look_up_is_tried_again() {
        let (resolver, look_ups) = held();
        look_ups.answers.send(Err(io::Error::other("no such host"))).expect("the look-up listens");
        look_ups.answers.send(Ok(Vec::new())).expect("the look-up listens");
        look_ups.answers.send(Ok(vec![ADDRESS])).expect("the look-up listens");
        let until = Instant::now() + WAIT_LIMIT;
        for id in 0..2 {
            let failure = look_up(&resolver, "a.example", &attempt(id), until).expect_err("a failure");
            assert_eq!((failure.kind, failure.phase), (FailureKind::Dns, Phase::Resolve));
        }
        assert_eq!(look_up(&resolver, "a.example", &attempt(3), until), Ok(vec![ADDRESS]));
    }

    #[test]
    fn a_look_up_that_panics_is_a_failed_one() {
        let panics = AtomicUsize::new(2 * THREADS);
        let resolver = resolver(move |_| {
            let left = panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            assert!(left.is_err(), "on purpose");
            Ok(vec![ADDRESS])
        });
        let until = Instant::now() + WAIT_LIMIT;
        for id in 0..2 * THREADS as u64 {
            let failure = look_up(&resolver, "a.example", &attempt(id), until).expect_err("a failure");
            assert_eq!((failure.kind, failure.phase), (FailureKind::Dns, Phase::Resolve), "{failure:?}");
        }
        assert_eq!(look_up(&resolver, "a.example", &attempt(99), until), Ok(vec![ADDRESS]));
    }

    #[test]
    fn a_request_that_stops_waiting_leaves_nothing_behind() {
        let (resolver, look_ups) = held();
        let failure = look_up(&resolver, "a.example", &attempt(1), Instant::now() + Duration::from_millis(20)).expect_err("a failure");
        assert_eq!(failure.kind, FailureKind::Timeout);
        assert_eq!(waiting(&resolver, "a.example"), 0);

        let (cancelled, hour) = (attempt(2), Instant::now() + Duration::from_secs(3600));
        let (done, outcome) = mpsc::channel();
        let (looking, waiter) = (resolver.clone(), cancelled.clone());
        thread::spawn(move || done.send(look_up(&looking, "a.example", &waiter, hour)));
        while waiting(&resolver, "a.example") == 0 {
            thread::yield_now();
        }
        cancelled.cancel();
        let failure = outcome.recv_timeout(WAIT_LIMIT).expect("it ends at once").expect_err("a failure");
        assert_eq!(failure.kind, FailureKind::Cancelled);
        assert_eq!(waiting(&resolver, "a.example"), 0);
        // The look-up that both waited for still serves the next.
        look_ups.answers.send(Ok(vec![ADDRESS])).expect("the look-up listens");
        assert_eq!(look_up(&resolver, "a.example", &attempt(3), Instant::now() + WAIT_LIMIT), Ok(vec![ADDRESS]));
        assert_eq!(look_ups.asked.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn at_most_four_hosts_are_looked_up_at_once() {
        let (resolver, look_ups) = held();
        thread::scope(|scope| {
            for id in 0..6 {
                let resolver = &resolver;
                scope.spawn(move || look_up(resolver, &format!("{id}.example"), &attempt(id), Instant::now() + WAIT_LIMIT));
            }
            while (0..6).any(|id| waiting(&resolver, &format!("{id}.example")) == 0) {
                thread::yield_now();
            }
            for _ in 0..4 {
                look_ups.begun.recv_timeout(WAIT_LIMIT).expect("four begin");
            }
            // The others begin only as these end.
            assert_eq!(look_ups.asked.load(Ordering::SeqCst), 4);
            for _ in 0..6 {
                look_ups.answers.send(Ok(vec![ADDRESS])).expect("the look-up listens");
            }
        });
        assert_eq!(look_ups.asked.load(Ordering::SeqCst), 6);
    }

    #[test]
    fn numbers_and_localhost_need_no_look_up() {
        for (host, first) in [("127.0.0.1", "127.0.0.1"), ("[::1]", "::1"), ("localhost", "127.0.0.1"), ("LocalHost.", "127.0.0.1")] {
            let addresses = without_look_up(host).expect(host);
            assert_eq!(addresses[0].to_string(), first);
        }
        for host in ["example.com", "localhost.example", "1.2.3", ""] {
            assert_eq!(without_look_up(host), None, "{host}");
        }
    }
}
