//! What the core asks of the world: calls that block, and what it tells its transport. Noted here, and carried out by the world.

use std::sync::{Mutex, MutexGuard, PoisonError};

use compass_core::port::{
    FailureKind, Phase, RequestSent, SecretLookup, Secrets, Transport, TransportFailure, TransportRequest, TransportResponse,
};
use compass_core::testing::{Blocking, BlockingCall, Reply};

/// The ports of one process.
#[derive(Default)]
pub struct PortCalls(Mutex<Asked>);

/// What was asked since the world looked last, in order.
#[derive(Default)]
pub struct Asked {
    pub calls: Vec<(BlockingCall, Reply)>,
    /// Requests that are to be cancelled.
    pub cancels: Vec<(u64, Reply)>,
    pub renewals: Vec<Reply>,
    /// Nothing can carry a call out now.
    pub no_threads: bool,
}

impl PortCalls {
    pub fn take(&self) -> Asked {
        let mut asked = self.lock();
        let no_threads = asked.no_threads;
        std::mem::replace(&mut *asked, Asked { no_threads, ..Asked::default() })
    }

    pub fn set_no_threads(&self, no_threads: bool) {
        self.lock().no_threads = no_threads;
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Blocking for PortCalls {
    fn begin(&self, call: BlockingCall, reply: Reply) -> std::io::Result<()> {
        let mut asked = self.lock();
        match call {
            BlockingCall::Cancel(id) => asked.cancels.push((id, reply)),
            BlockingCall::Renew => asked.renewals.push(reply),
            _ if asked.no_threads => return Err(std::io::Error::other("no thread")),
            call => asked.calls.push((call, reply)),
        }
        Ok(())
    }

    fn is_simulated(&self) -> bool {
        true
    }
}

impl Transport for PortCalls {
    fn send(&self, _request: TransportRequest) -> Result<TransportResponse, TransportFailure> {
        Err(failure(FailureKind::NoNetwork, Phase::Connect, RequestSent::No))
    }

    fn cancel(&self, _id: u64) {}

    fn renew(&self) {}
}

impl Secrets for PortCalls {
    fn get(&self, _name: &str, _origin: &str) -> SecretLookup {
        SecretLookup::Unavailable
    }
}

pub fn failure(kind: FailureKind, phase: Phase, request_sent: RequestSent) -> TransportFailure {
    TransportFailure { kind, phase, request_sent, detail: "simulated".to_owned() }
}
