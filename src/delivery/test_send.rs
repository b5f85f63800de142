//! A test message to an endpoint: one signed message outside the outbox, on the caller's thread. Nothing of it is stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::attempt::{Attempt, Stage};
use super::blocking::{look_up, send};
use super::handle::Delivery;
use super::schedule::next_request;
use super::settings::RENEWAL_LIMIT;
use crate::crypto::Sha256;
use crate::model::{DeliveryId, Endpoint, SessionKey, SessionState, TestDelivery};
use crate::outbox::{Answer, Context, Obstacle, Outcome, Progress, classify, reason};
use crate::port::{FailureKind, Phase, RequestSent, SecretLookup, TransportFailure};
use crate::store::endpoint::{self, StoredEndpoint};
use crate::store::outbox::queue::{Claimed, Lease};
use crate::webhook;

/// Header `compass-workflow-version` of a test message: it belongs to no workflow.
const WORKFLOW_VERSION: &str = "0";

impl Delivery {
    /// Sends one message and waits for the answer.
    pub(crate) fn test_send(&self, endpoint: &Endpoint, body: &[u8]) -> TestDelivery {
        if self.renew_if_due(self.now().monotonic) && !self.blocking.is_simulated() {
            drop(self.shared.wait_until(RENEWAL_LIMIT, |shared| shared.renewals.is_empty()));
        }
        let began = self.now();
        // A receiver whose clock is known is not asked with a wrong one. Not knowing it is no reason not to ask.
        let known = self.store.read(|connection| endpoint::find(connection, &endpoint.key)).ok().flatten();
        let skew_ms = match known {
            Some(StoredEndpoint::Readable(row)) => row.delivery.skew_ms.unwrap_or(0),
            _ => 0,
        };
        let id = Sha256::of(&self.ports.random.bytes()).base32();
        let (request, cancelled) = (next_request(), Arc::new(AtomicBool::new(false)));
        let entered = self.shared.change(|shared| {
            let running = shared.is_running();
            if running {
                shared.test_sends.insert(request, Arc::clone(&cancelled));
            }
            running.then(|| (shared.schedule.network.generation(), shared.schedule.network.validated()))
        });
        let Some((network, validated)) = entered else {
            return TestDelivery { delivered: false, status: None, outcome: reason::INTERRUPTED.to_owned(), duration_ms: 0 };
        };
        let mut attempt = Attempt {
            request,
            claimed: Claimed {
                lease: Lease { entry: 0, epoch: 0, until: began.wall },
                delivery_id: DeliveryId(format!("msg_{}", &id[..26])),
                endpoint: endpoint.key.clone(),
                session: SessionKey(uuid::Uuid::nil()),
                action: String::new(),
                body: body.to_vec(),
                body_sha256: Sha256::of(body),
                workflow_version: WORKFLOW_VERSION.to_owned(),
                session_state: SessionState::Completed,
                due_at: began.wall,
                progress: Progress { attempts: 1, ..Progress::default() },
                configuration: 0,
                urgent: true,
            },
            endpoint: Arc::new(endpoint.clone()),
            skew_ms,
            network,
            configuration: 0,
            validated,
            stage: Stage::Secrets,
            secrets: Vec::new(),
            began_at: began.wall,
            began: began.monotonic,
            timeout: self.settings.limits.attempt_timeout,
            sending: None,
            cancelled: false,
            looks_up: false,
            refused: None,
            wake: 0,
        };
        let outcome = self.attempt_alone(&mut attempt, &cancelled);
        let ended = self.now();
        let answered_lately = self.shared.change(|shared| {
            shared.test_sends.remove(&request);
            shared.schedule.network.answered_lately(network, ended.monotonic)
        });
        let context = Context {
            validated,
            answered_lately,
            received_at: ended.wall,
            applied_skew_ms: skew_ms,
            clock_error_ms: None,
            // There is no second attempt to correct the clock for.
            resynced: true,
            interrupted: cancelled.load(Ordering::Acquire),
        };
        let verdict = classify(&outcome, &context, &self.settings.policy);
        let status = match &outcome {
            Outcome::Answer(answer) => Some(answer.status),
            _ => None,
        };
        TestDelivery {
            delivered: verdict.reason == reason::SENT,
            status,
            outcome: verdict.reason.to_owned(),
            duration_ms: ended.monotonic.saturating_sub(began.monotonic).as_millis() as u64,
        }
    }

    fn attempt_alone(&self, attempt: &mut Attempt, cancelled: &AtomicBool) -> Outcome {
        if webhook::validate(&attempt.endpoint, self.settings.allow_plain_http_to_loopback).is_err() {
            return Outcome::NotAttempted(Obstacle::BadUrl);
        }
        let names: Vec<String> = webhook::secret_names(&attempt.endpoint).into_iter().map(str::to_owned).collect();
        let origin = webhook::origin(&attempt.endpoint.url);
        for (name, lookup) in names.iter().zip(look_up(&*self.ports.secrets, &[], &names, &origin)) {
            match lookup {
                SecretLookup::Found { current, previous } => attempt.secrets.push((name.clone(), current, previous)),
                SecretLookup::Missing => return Outcome::NotAttempted(Obstacle::SecretMissing),
                SecretLookup::Unavailable => return Outcome::NotAttempted(Obstacle::SecretUnavailable),
            }
        }
        let now = self.now();
        let left = attempt.until().saturating_sub(now.monotonic).max(Duration::from_millis(1));
        let request = match attempt.request(now.wall, left) {
            Ok(request) => request,
            Err(obstacle) => return Outcome::NotAttempted(obstacle),
        };
        if cancelled.load(Ordering::Acquire) {
            let (kind, phase, request_sent) = (FailureKind::Cancelled, Phase::Resolve, RequestSent::No);
            return Outcome::Failure(TransportFailure { kind, phase, request_sent, detail: String::new() });
        }
        match send(&*self.ports.transport, request) {
            Ok(response) => {
                let at = self.now().wall;
                Outcome::Answer(Answer::read(response.status, response.header("retry-after"), response.header("date"), at))
            }
            Err(failure) => Outcome::Failure(failure),
        }
    }

    /// Gives up test messages that run.
    pub(super) fn cancel_test_sends(&self) {
        let running: Vec<(u64, Arc<AtomicBool>)> =
            self.shared.lock().test_sends.iter().map(|(request, cancelled)| (*request, Arc::clone(cancelled))).collect();
        for (request, cancelled) in running {
            cancelled.store(true, Ordering::Release);
            self.cancel(&[request]);
        }
    }
}
