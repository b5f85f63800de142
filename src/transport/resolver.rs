//! Looking up hosts, once each, on a few threads.
//!
//! The system's look-up blocks, for half a minute when the network is bad, and cannot be interrupted. It runs on a worker; whoever waits for
//! it gives up in time and takes its name off the list. Many requests for one host share one look-up.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::port::{FailureKind, Phase};

use super::attempt::{Attempt, Interrupt, Trouble, ongoing};
use super::workers::Workers;

/// A look-up that hangs must not hold up other hosts; more than four dead ones at once are not worth a thread each.
const THREADS: usize = 4;

/// The system does not tell how long an address is good for. A minute spans a backlog and still follows a move soon.
const GOOD_FOR: Duration = Duration::from_secs(60);

/// As many as ureq's list holds.
const MOST_ADDRESSES: usize = 16;

/// The resolver of one agent.
pub(super) struct CachingResolver {
    workers: Workers,
    hosts: Arc<Hosts>,
}

#[derive(Default)]
struct Hosts(Mutex<HashMap<String, Host>>);

enum Host {
    Known { addresses: Vec<IpAddr>, since: Instant },
    InProgress { waiting: Vec<(u64, Sender<Answer>)> },
}

#[derive(Clone)]
enum Answer {
    Addresses(Vec<IpAddr>),
    Failed(String),
    Cancelled,
}

impl CachingResolver {
    pub(super) fn new() -> Self {
        Self { workers: Workers::new("compass-resolve", THREADS), hosts: Arc::default() }
    }

    fn look_up(&self, host: &str, attempt: &Attempt, until: Instant) -> Result<Vec<IpAddr>, ureq::Error> {
        let (sender, receiver) = mpsc::channel();
        let wake = sender.clone();
        attempt.interrupted_by(Interrupt::Wake(Box::new(move || drop(wake.send(Answer::Cancelled)))))?;
        let begin = {
            let mut hosts = self.hosts.lock();
            match hosts.get_mut(host) {
                Some(Host::Known { addresses, since }) if since.elapsed() < GOOD_FOR => return Ok(addresses.clone()),
                Some(Host::InProgress { waiting }) => {
                    waiting.push((attempt.id, sender));
                    false
                }
                Some(Host::Known { .. }) | None => {
                    hosts.insert(host.to_owned(), Host::InProgress { waiting: vec![(attempt.id, sender)] });
                    true
                }
            }
        };
        if begin {
            let (hosts, name) = (self.hosts.clone(), host.to_owned());
            if let Err(error) = self.workers.run(Box::new(move || hosts.answer(&name))) {
                self.hosts.lock().remove(host);
                return Err(attempt.fail(Trouble::new(FailureKind::Other, format!("no thread for a look-up: {error}"))));
            }
        }
        let answer = receiver.recv_timeout(until.saturating_duration_since(Instant::now()));
        match answer {
            Ok(Answer::Addresses(addresses)) => Ok(addresses),
            Ok(Answer::Failed(detail)) => Err(attempt.fail(Trouble::new(FailureKind::Dns, detail))),
            Ok(Answer::Cancelled) | Err(RecvTimeoutError::Timeout) => {
                self.hosts.leave(host, attempt.id);
                // A cancelled attempt says so by itself.
                Err(attempt.fail(Trouble::timeout()))
            }
            Err(RecvTimeoutError::Disconnected) => Err(attempt.fail(Trouble::new(FailureKind::Dns, "the look-up was given up"))),
        }
    }
}

impl Hosts {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs on a worker.
    fn answer(&self, host: &str) {
        {
            let mut hosts = self.lock();
            if matches!(hosts.get(host), Some(Host::InProgress { waiting }) if waiting.is_empty()) {
                // Everyone left while this was queued.
                hosts.remove(host);
                return;
            }
        }
        let found = (host, 0).to_socket_addrs();
        let answer = match found {
            Ok(found) => {
                let mut addresses: Vec<IpAddr> = Vec::new();
                for address in found.map(|address| address.ip()) {
                    if !addresses.contains(&address) && addresses.len() < MOST_ADDRESSES {
                        addresses.push(address);
                    }
                }
                if addresses.is_empty() { Answer::Failed("the host has no address".to_owned()) } else { Answer::Addresses(addresses) }
            }
            Err(error) => Answer::Failed(format!("look-up: {error}")),
        };
        let mut hosts = self.lock();
        let before = hosts.remove(host);
        // Only what was found is kept: a failure may be over the next second.
        if let Answer::Addresses(addresses) = &answer {
            hosts.retain(|_, host| !matches!(host, Host::Known { since, .. } if since.elapsed() >= GOOD_FOR));
            hosts.insert(host.to_owned(), Host::Known { addresses: addresses.clone(), since: Instant::now() });
        }
        drop(hosts);
        if let Some(Host::InProgress { waiting }) = before {
            for (_, sender) in waiting {
                let _ = sender.send(answer.clone());
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

/// Numeric hosts name their address, and `localhost` is loopback whatever a look-up would say (RFC 6761, 6.3).
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
