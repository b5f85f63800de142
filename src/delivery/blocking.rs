//! What blocks on threads: looking secrets up, sending, and asking a transport to cancel or to be renewed.

use std::io;
use std::sync::Arc;

use super::foreign;
use crate::port::{
    Blocking, BlockingAnswer, BlockingCall, FailureKind, Phase, Reply, RequestSent, SecretLookup, Secrets, Transport, TransportFailure,
    TransportRequest, TransportResponse,
};
use crate::threads::Pool;

/// Carries out blocking calls on threads of its own. They hold no database handle and no lock.
pub(super) struct Threads {
    pool: Pool,
    secrets: Arc<dyn Secrets>,
    transport: Arc<dyn Transport>,
}

impl Threads {
    /// With room for `most` calls at once; the schedule begins no more than may run.
    pub(super) fn new(secrets: Arc<dyn Secrets>, transport: Arc<dyn Transport>, most: usize) -> Self {
        Self { pool: Pool::new("compass-attempt", most), secrets, transport }
    }
}

impl Blocking for Threads {
    fn begin(&self, call: BlockingCall, reply: Reply) -> io::Result<()> {
        let (secrets, transport) = (Arc::clone(&self.secrets), Arc::clone(&self.transport));
        // The ports are dropped before the answer is known: that calls foreign code, which must not happen behind the back of who has closed.
        self.pool.run_and_tell(move || carry_out(call, &*secrets, &*transport), reply)
    }

    fn rest(&self) {
        self.pool.rest();
    }
}

fn carry_out(call: BlockingCall, secrets: &dyn Secrets, transport: &dyn Transport) -> BlockingAnswer {
    match call {
        BlockingCall::Secrets { refused, wanted, origin } => BlockingAnswer::Secrets(look_up(secrets, &refused, &wanted, &origin)),
        BlockingCall::Send(request) => BlockingAnswer::Sent(send(transport, request)),
        BlockingCall::Cancel(request) => {
            foreign::call(|| transport.cancel(request));
            BlockingAnswer::Done
        }
        BlockingCall::Renew => {
            foreign::call(|| transport.renew());
            BlockingAnswer::Done
        }
    }
}

/// Tells of refused secrets, and looks up what is wanted, until one is not found.
pub(super) fn look_up(secrets: &dyn Secrets, refused: &[String], wanted: &[String], origin: &str) -> Vec<SecretLookup> {
    for name in refused {
        if foreign::call(|| secrets.refused(name, origin)).is_none() {
            log::error!("the store of secrets panicked");
        }
    }
    let mut found = Vec::with_capacity(wanted.len());
    for name in wanted {
        let lookup = foreign::call(|| secrets.get(name, origin)).unwrap_or_else(|| {
            log::error!("the store of secrets panicked");
            SecretLookup::Unavailable
        });
        let is_found = matches!(lookup, SecretLookup::Found { .. });
        found.push(lookup);
        if !is_found {
            break;
        }
    }
    found
}

/// Sends a request; a transport that panics may have sent it.
pub(super) fn send(transport: &dyn Transport, request: TransportRequest) -> Result<TransportResponse, TransportFailure> {
    let id = request.id;
    let sent = foreign::call(|| transport.send(request)).unwrap_or_else(|| {
        log::error!("the transport panicked");
        let detail = "the transport panicked".to_owned();
        Err(TransportFailure { kind: FailureKind::Other, phase: Phase::Send, request_sent: RequestSent::Maybe, detail })
    });
    if let Err(failure) = &sent {
        log::info!("request {id}: {:?} in phase {:?}", failure.kind, failure.phase);
        // A transport's own words may show more of a URL than a log should.
        log::debug!("request {id}: {}", failure.detail);
    }
    sent
}
