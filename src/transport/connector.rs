//! Opening a connection: TCP over all addresses, then TLS.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use ureq::unversioned::transport::{ConnectionDetails, Connector};

use crate::port::{FailureKind, Phase};

use super::attempt::{Attempt, Interrupt, Trouble, ongoing};
use super::classify::io_trouble;
use super::wire::Wire;
use super::workers::Workers;

/// Opens the connections of one agent.
///
/// A TCP connect cannot be interrupted, so it runs on a worker; whoever waits leaves when cancelled, and the connect ends by itself within
/// its time. There are as many workers as there can be requests in flight.
pub(super) struct WireConnector {
    tls: Arc<ClientConfig>,
    workers: Workers,
}

impl WireConnector {
    pub(super) fn new(tls: Arc<ClientConfig>, parallelism: usize) -> Self {
        Self { tls, workers: Workers::new("compass-connect", parallelism) }
    }

    fn open(&self, addresses: Vec<SocketAddr>, attempt: &Arc<Attempt>, until: Instant) -> Result<TcpStream, ureq::Error> {
        let (sender, receiver) = mpsc::channel();
        let wake = sender.clone();
        attempt.interrupted_by(Interrupt::Wake(Box::new(move || {
            drop(wake.send(Err(Trouble::new(FailureKind::Cancelled, "cancelled"))));
        })))?;
        let connecting = attempt.clone();
        self.workers
            .run(Box::new(move || drop(sender.send(connect(&addresses, &connecting, until)))))
            .map_err(|error| attempt.fail(Trouble::new(FailureKind::Other, format!("no thread for a connection: {error}"))))?;
        receiver
            .recv_timeout(until.saturating_duration_since(Instant::now()))
            .unwrap_or_else(|_| Err(Trouble::timeout()))
            .map_err(|trouble| attempt.fail(trouble))
    }
}

/// Runs on a worker. Tries each address in turn, so that one dead address does not use up the time of the others.
fn connect(addresses: &[SocketAddr], attempt: &Attempt, until: Instant) -> Result<TcpStream, Trouble> {
    let mut telling = Trouble::new(FailureKind::Dns, "the host has no address");
    for (tried, address) in addresses.iter().enumerate() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || attempt.is_cancelled() {
            return Err(Trouble::timeout());
        }
        let share = left / (addresses.len() - tried) as u32;
        match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
            Ok(socket) => return Ok(socket),
            Err(error) => {
                let trouble = io_trouble("connect", &error);
                // A missing route for one family says nothing when the other family reached someone.
                if tried == 0 || trouble.kind != FailureKind::NoNetwork {
                    telling = trouble;
                }
            }
        }
    }
    Err(telling)
}

impl Connector<()> for WireConnector {
    type Out = Wire;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Wire>, ureq::Error> {
        let attempt = ongoing()?;
        let until = attempt.enter(Phase::Connect);
        let socket = self.open(details.addrs.to_vec(), &attempt, until)?;
        // Requests are written whole: waiting to fill a packet only costs time.
        let socket =
            socket.set_nodelay(true).map(|()| Arc::new(socket)).map_err(|error: io::Error| attempt.fail(io_trouble("connect", &error)))?;
        attempt.interrupted_by(Interrupt::Socket(socket.clone()))?;
        if !details.needs_tls() {
            return Ok(Some(Wire::plain(socket)));
        }
        let host = details.uri.host().unwrap_or_default();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).to_owned();
        let name = ServerName::try_from(bare)
            .map_err(|_| attempt.fail(Trouble::new(FailureKind::Other, "the host is no name that a certificate can hold")))?;
        Wire::secure(socket, self.tls.clone(), name, until).map(Some).map_err(|trouble| attempt.fail(trouble))
    }
}

impl fmt::Debug for WireConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WireConnector")
    }
}
