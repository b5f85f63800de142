//! Opening a connection: TCP to the first address that answers, then TLS.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use ureq::unversioned::transport::{ConnectionDetails, Connector};

use crate::port::{FailureKind, Phase};
use crate::threads::{FirstResult, Pool};

use super::attempt::{Attempt, Interrupt, IoFailure, ongoing};
use super::connection::Connection;
use super::failure::io_failure;
use super::race::{connect_first, in_order};
use super::stream::Stream;

/// How long a connect that used up its time may take to report why.
const REPORT_TIME: Duration = Duration::from_millis(500);

/// Opens the connections of one agent.
///
/// The system may take long to begin a connect, and that cannot be interrupted; so it runs on a thread of the pool, and a caller that waits
/// returns when cancelled.
pub(super) struct RacingConnector {
    tls: Arc<ClientConfig>,
    pool: Arc<Pool>,
    /// By host, the address that worked last.
    worked: Mutex<HashMap<String, IpAddr>>,
}

impl RacingConnector {
    pub(super) fn new(tls: Arc<ClientConfig>, pool: Arc<Pool>) -> Self {
        Self { tls, pool, worked: Mutex::default() }
    }

    fn worked(&self) -> MutexGuard<'_, HashMap<String, IpAddr>> {
        self.worked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, addresses: Vec<SocketAddr>, attempt: &Attempt, until: Instant) -> Result<TcpStream, ureq::Error> {
        let first = FirstResult::new();
        let (stop, running) = io::pipe().map_err(|error| attempt.fail(io_failure("connect", &error)))?;
        let wake = first.clone();
        // It is dropped when the attempt continues or ends, which stops the connect.
        attempt.interrupted_by(Interrupt::Wake(Box::new(move || {
            drop(running);
            wake.set(Err(IoFailure::new(FailureKind::Cancelled, "cancelled")));
        })))?;
        let connected = first.clone();
        self.pool
            .run(move || connected.set(connect_first(&addresses, until, &stop)))
            .map_err(|error| attempt.fail(IoFailure::new(FailureKind::Other, format!("no thread for a connection: {error}"))))?;
        first
            .wait(until.saturating_duration_since(Instant::now()) + REPORT_TIME)
            .unwrap_or_else(|| Err(IoFailure::timeout()))
            .map_err(|failure| attempt.fail(failure))
    }

    fn secure(&self, socket: Arc<TcpStream>, host: &str, until: Instant) -> Result<Stream, IoFailure> {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| IoFailure::new(FailureKind::Other, "the host is not a name that a certificate can have"))?;
        Stream::secure(socket, self.tls.clone(), name, until)
    }
}

impl Connector<()> for RacingConnector {
    type Out = Connection;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Connection>, ureq::Error> {
        let attempt = ongoing()?;
        let until = attempt.enter(Phase::Connect);
        let host = details.uri.host().unwrap_or_default().to_ascii_lowercase();
        let worked = self.worked().get(&host).copied();
        let socket = self.open(in_order(&details.addrs, worked), &attempt, until)?;
        let failed = |error: io::Error| attempt.fail(io_failure("connect", &error));
        let address = socket.peer_addr().map_err(failed)?.ip();
        // A request is written at once: waiting to fill a packet only costs time.
        socket.set_nodelay(true).map_err(failed)?;
        let socket = Arc::new(socket);
        attempt.interrupted_by(Interrupt::Socket(socket.clone()))?;
        let opened = if details.needs_tls() { self.secure(socket, &host, until) } else { Ok(Stream::plain(socket)) };
        // Another server may answer at an address: only a certificate proves that the address works.
        match &opened {
            Ok(_) => self.worked().insert(host, address),
            Err(_) => self.worked().remove(&host),
        };
        opened.map(|stream| Some(Connection::new(stream))).map_err(|failure| attempt.fail(failure))
    }
}

impl fmt::Debug for RacingConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RacingConnector")
    }
}
