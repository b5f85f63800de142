//! One attempt: checks, secrets, signature, request. Runs on a thread of its own, holds no lock and knows no database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::foreign;
use super::settings::{FULL_PATIENCE, Ports};
use crate::crypto::Sha256;
use crate::model::{Endpoint, Timestamp};
use crate::outbox::{Answer, Cause, Failure, Obstacle, Outcome, Stage};
use crate::port::{
    FailureKind, Header, Phase, RequestSent, SecretLookup, SecretValue, TransportFailure, TransportRequest, TransportResponse,
};
use crate::store::outbox::queue::Claimed;
use crate::webhook::{Message, RequestError, SecretText, headers, origin, secret_names, validate};

/// An attempt to make.
pub(super) struct Job {
    /// Names the request to the transport.
    pub(super) request: u64,
    pub(super) claimed: Claimed,
    pub(super) endpoint: Arc<Endpoint>,
    /// What is added to the phone's clock for the signature.
    pub(super) skew_ms: i64,
    pub(super) timeout: Duration,
    /// Set when the attempt is to be given up.
    pub(super) cancelled: Arc<AtomicBool>,
    pub(super) allow_plain_http_to_loopback: bool,
}

/// What came of it.
pub(super) struct Finished {
    pub(super) job: Job,
    pub(super) outcome: Outcome,
    /// It was called off before anything was begun.
    pub(super) not_begun: bool,
    pub(super) began_at: Timestamp,
    pub(super) ended_at: Timestamp,
    pub(super) duration: Duration,
}

impl Job {
    /// Makes the attempt.
    pub(super) fn run(self, ports: &Ports) -> Finished {
        let (began_at, began) = (ports.clock.now(), ports.clock.monotonic());
        let outcome = if self.is_cancelled() { None } else { Some(self.attempt(ports, began_at)) };
        let (ended_at, duration) = (ports.clock.now(), ports.clock.monotonic().saturating_sub(began));
        let not_begun = outcome.is_none();
        let outcome = match outcome {
            Some(Attempted::Answered(response)) => {
                Outcome::Answer(Answer::read(response.status, response.header("retry-after"), response.header("date"), ended_at))
            }
            Some(Attempted::Failed(failure)) => Outcome::Failure(self.failure(&failure, duration)),
            Some(Attempted::Stopped(obstacle)) => Outcome::NotAttempted(obstacle),
            None => Outcome::Failure(Failure { cause: Cause::Cancelled, stage: Stage::Resolve, may_have_left: false }),
        };
        Finished { job: self, outcome, not_begun, began_at, ended_at, duration }
    }

    fn attempt(&self, ports: &Ports, now: Timestamp) -> Attempted {
        let claimed = &self.claimed;
        if Sha256::of(&claimed.body) != claimed.body_sha256 {
            return Attempted::Stopped(Obstacle::CorruptBody);
        }
        if validate(&self.endpoint, self.allow_plain_http_to_loopback).is_err() {
            return Attempted::Stopped(Obstacle::BadUrl);
        }
        let request = match self.request(ports, now) {
            Ok(request) => request,
            Err(obstacle) => return Attempted::Stopped(obstacle),
        };
        if self.is_cancelled() {
            return Attempted::Failed(failed(FailureKind::Cancelled, Phase::Resolve, RequestSent::No));
        }
        match foreign::call(|| ports.transport.send(request)) {
            Some(Ok(response)) => Attempted::Answered(response),
            Some(Err(failure)) => {
                log::info!("attempt {} of {}: {:?}, {}", claimed.progress.attempts, claimed.delivery_id, failure.kind, failure.detail);
                Attempted::Failed(failure)
            }
            None => {
                log::error!("the transport panicked");
                Attempted::Failed(failed(FailureKind::Other, Phase::Send, RequestSent::Maybe))
            }
        }
    }

    fn request(&self, ports: &Ports, now: Timestamp) -> Result<TransportRequest, Obstacle> {
        let mut secrets: Vec<(&str, SecretValue, Option<SecretValue>)> = Vec::new();
        let origin = origin(&self.endpoint.url);
        for name in secret_names(&self.endpoint) {
            match foreign::call(|| ports.secrets.get(name, &origin)) {
                Some(SecretLookup::Found { current, previous }) => secrets.push((name, current, previous)),
                Some(SecretLookup::Missing) => return Err(Obstacle::SecretMissing),
                Some(SecretLookup::Unavailable) => return Err(Obstacle::SecretUnavailable),
                None => {
                    log::error!("the store of secrets panicked");
                    return Err(Obstacle::SecretUnavailable);
                }
            }
        }
        let message = Message {
            id: &self.claimed.delivery_id,
            body: &self.claimed.body,
            timestamp: now.timestamp_millis().saturating_add(self.skew_ms).div_euclid(1000),
            attempt: self.claimed.progress.attempts,
            workflow_version: &self.claimed.workflow_version,
            session_state: self.claimed.session_state,
        };
        let find = |name: &str| {
            let (_, current, previous) = secrets.iter().find(|(known, ..)| *known == name)?;
            Some(SecretText { current: current.expose(), previous: previous.as_ref().map(SecretValue::expose) })
        };
        let headers = headers(&self.endpoint, &message, find).map_err(|error| match error {
            RequestError::SecretMissing { .. } => Obstacle::SecretMissing,
            RequestError::SecretInvalid { .. } => Obstacle::SecretInvalid,
        })?;
        Ok(TransportRequest {
            id: self.request,
            url: self.endpoint.url.clone(),
            // The text moves into a header that is wiped as well.
            headers: headers.into_iter().map(|mut header| Header::new(header.name, std::mem::take(&mut *header.value))).collect(),
            body: self.claimed.body.clone(),
            timeout: self.timeout,
        })
    }

    fn failure(&self, failure: &TransportFailure, duration: Duration) -> Failure {
        // An attempt that was given less than a receiver may take, and used it up, says nothing about the receiver.
        let ran_out = failure.kind == FailureKind::Timeout && self.timeout < FULL_PATIENCE && duration >= self.timeout.mul_f64(0.9);
        let cause = match failure.kind {
            _ if ran_out || self.is_cancelled() => Cause::Cancelled,
            FailureKind::NoNetwork => Cause::NoNetwork,
            FailureKind::Dns => Cause::Dns,
            FailureKind::Refused => Cause::Refused,
            FailureKind::Timeout => Cause::Timeout,
            FailureKind::Closed => Cause::Closed,
            FailureKind::Certificate { time_invalid } => Cause::Certificate { time_invalid },
            FailureKind::Tls => Cause::Tls,
            FailureKind::Protocol => Cause::Protocol,
            FailureKind::Cancelled => Cause::Cancelled,
            FailureKind::Other => Cause::Other,
        };
        let stage = match failure.phase {
            Phase::Resolve => Stage::Resolve,
            Phase::Connect => Stage::Connect,
            Phase::Send => Stage::Send,
            Phase::Receive => Stage::Receive,
        };
        Failure { cause, stage, may_have_left: failure.request_sent == RequestSent::Maybe }
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
}

impl Finished {
    /// The status code, when an answer was read.
    pub(super) fn status(&self) -> Option<u16> {
        match &self.outcome {
            Outcome::Answer(answer) => Some(answer.status),
            _ => None,
        }
    }

    /// What the receiver's clock said.
    pub(super) fn date(&self) -> Option<Timestamp> {
        match &self.outcome {
            Outcome::Answer(answer) => answer.date,
            _ => None,
        }
    }
}

enum Attempted {
    Answered(TransportResponse),
    Failed(TransportFailure),
    Stopped(Obstacle),
}

fn failed(kind: FailureKind, phase: Phase, request_sent: RequestSent) -> TransportFailure {
    TransportFailure { kind, phase, request_sent, detail: String::new() }
}
