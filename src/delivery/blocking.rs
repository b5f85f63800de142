//! Blocking calls on threads: looking up secrets, sending, and asking a transport to cancel or to renew.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::foreign;
use super::settings::{MOST_HANGING, MOST_HANGING_IN_ALL, MOST_RENEWALS};
use crate::port::{
    Blocking, BlockingAnswer, BlockingCall, FailureKind, Phase, Reply, RequestSent, SecretLookup, Secrets, Transport, TransportFailure,
    TransportRequest, TransportResponse,
};
use crate::threads::Pool;

/// Carries out blocking calls on its own threads. They hold no database handle and no lock.
pub(super) struct Threads {
    pool: Pool,
    look_ups: Places,
    requests: Places,
    cancels: Places,
    renewals: Places,
    secrets: Arc<dyn Secrets>,
    transport: Arc<dyn Transport>,
}

/// How many calls of one kind may run at once, so that calls of one kind that hang leave threads for the others.
struct Places {
    most: usize,
    taken: Arc<AtomicUsize>,
}

/// One place, free again when dropped.
struct Place(Arc<AtomicUsize>);

impl Places {
    fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    fn take(&self) -> io::Result<Place> {
        let one_more = |taken: usize| (taken < self.most).then_some(taken + 1);
        match self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more) {
            Ok(_) => Ok(Place(Arc::clone(&self.taken))),
            Err(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Threads {
    /// For so many attempts at once, plus the calls that may hang; the schedule begins no more than that.
    pub(super) fn new(secrets: Arc<dyn Secrets>, transport: Arc<dyn Transport>, attempts: usize) -> Self {
        let [look_ups, requests, cancels, renewals] =
            [MOST_HANGING_IN_ALL + 2 * attempts, MOST_HANGING_IN_ALL + 2 * attempts, 2 * attempts + MOST_HANGING, MOST_RENEWALS];
        Self {
            pool: Pool::new("compass-attempt", look_ups + requests + cancels + renewals),
            look_ups: Places::new(look_ups),
            requests: Places::new(requests),
            cancels: Places::new(cancels),
            renewals: Places::new(renewals),
            secrets,
            transport,
        }
    }
}

impl Blocking for Threads {
    fn begin(&self, call: BlockingCall, reply: Reply) -> io::Result<()> {
        let places = match &call {
            BlockingCall::Secrets { .. } => &self.look_ups,
            BlockingCall::Send { .. } => &self.requests,
            BlockingCall::Cancel(_) => &self.cancels,
            BlockingCall::Renew => &self.renewals,
        };
        let place = places.take()?;
        let (secrets, transport) = (Arc::clone(&self.secrets), Arc::clone(&self.transport));
        // The ports are dropped before the answer is known: that may call code of the app, which must not happen after a close. And the
        // place is free before the next thread gets the answer.
        let carry_out = move || {
            let _place = place;
            carry_out(call, &*secrets, &*transport)
        };
        self.pool.run_and_reply(carry_out, reply)
    }

    fn release_idle(&self) {
        self.pool.release_idle();
    }
}

fn carry_out(call: BlockingCall, secrets: &dyn Secrets, transport: &dyn Transport) -> BlockingAnswer {
    match call {
        BlockingCall::Secrets { refused, wanted, origin } => BlockingAnswer::Secrets(look_up(secrets, &refused, &wanted, &origin)),
        BlockingCall::Send { mut request, send_check } => BlockingAnswer::Sent(match send_check.time_left() {
            Some(left) => {
                request.timeout = request.timeout.min(left);
                send(transport, request)
            }
            None => Err(never_left()),
        }),
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

/// Reports refused secrets, and looks up the wanted ones, until one is not found.
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

/// The result of a request that was cancelled before it was sent.
fn never_left() -> TransportFailure {
    let (kind, phase, request_sent) = (FailureKind::Cancelled, Phase::Resolve, RequestSent::No);
    TransportFailure { kind, phase, request_sent, detail: String::new() }
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
        // A transport's own text may show more of a URL than a log should.
        log::debug!("request {id}: {}", failure.detail);
    }
    sent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_call_has_ended() {
        let places = Places::new(2);
        let (one, two) = (places.take().expect("a place"), places.take().expect("a place"));
        assert_eq!(places.take().map(drop).expect_err("both are taken").kind(), io::ErrorKind::WouldBlock);
        drop(one);
        let three = places.take().expect("a place");
        assert!(places.take().is_err());
        drop((two, three));
    }
}
