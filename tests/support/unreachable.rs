//! Addresses on loopback at which nobody answers.

use std::net::SocketAddr;
use std::thread;
use std::time::Instant;

use socket2::{Domain, Socket, Type};

use super::server::WAIT_LIMIT;

pub(super) fn loopback_socket() -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a port on loopback");
    socket
}

/// An https URL at which nobody listens.
pub fn refused_url() -> String {
    let address = loopback_socket().local_addr().expect("a bound address").as_socket().expect("an IP address");
    format!("https://{address}/nobody")
}

/// An address that takes no connection and refuses none: a connect hangs.
pub struct BlackHole {
    address: SocketAddr,
    before: usize,
    _listener: Socket,
    _fillers: Vec<Socket>,
}

impl BlackHole {
    pub fn new() -> Self {
        let listener = loopback_socket();
        listener.listen(0).expect("listen on loopback");
        let address = listener.local_addr().expect("a bound address");
        // Nobody accepts: once the queue is full, further connects get no reply.
        let fillers = (0..4)
            .map(|_| {
                let filler = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
                filler.set_nonblocking(true).expect("a socket that does not wait");
                let _ = filler.connect(&address);
                filler
            })
            .collect();
        let mut hole = Self { address: address.as_socket().expect("an IP address"), before: 0, _listener: listener, _fillers: fillers };
        hole.before = hole.connecting();
        hole
    }

    pub fn url(&self) -> String {
        format!("https://{}/hole", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Waits until somebody is connecting. Linux alone tells; elsewhere this returns at once.
    pub fn wait_for_connect(&self) {
        let until = Instant::now() + WAIT_LIMIT;
        while cfg!(target_os = "linux") && self.connecting() <= self.before {
            assert!(Instant::now() < until, "waited too long for a connect");
            thread::yield_now();
        }
    }

    /// Sockets of this machine that have asked this address for a connection and wait.
    fn connecting(&self) -> usize {
        let target = format!(":{:04X}", self.address.port());
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
        table
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .filter(|row| row[2].ends_with(&target) && row[3] == "02")
            .count()
    }
}

impl Default for BlackHole {
    fn default() -> Self {
        Self::new()
    }
}
