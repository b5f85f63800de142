//! A test message to an endpoint: one signed message outside the outbox. The caller waits for it, at most as long as an attempt may take.
//! Nothing is stored.

use std::sync::Arc;
use std::time::Duration;

use super::attempt::{Attempt, Stage};
use super::handle::Delivery;
use super::moment::Moment;
use super::schedule::next_request;
use super::settings::{MOST_HANGING, RENEWAL_LIMIT, SETTLING_TIME};
use super::shared::TestSend;
use crate::crypto::Sha256;
use crate::model::{DeliveryId, Endpoint, SessionKey, SessionState, TestDelivery};
use crate::outbox::{Answer, Cause, Context, Outcome, Progress, classify, reason};
use crate::port::{BlockingAnswer, BlockingCall, FailureKind, Phase, RequestSent, SecretLookup, SendCheck, TransportFailure};
use crate::store::outbox::MessageId;
use crate::store::outbox::lease::Lease;
use crate::store::outbox::queue::Claimed;
use crate::webhook;

/// Header `compass-workflow-version` of a test message: it belongs to no workflow.
const WORKFLOW_VERSION: &str = "0";

impl Delivery {
    /// Sends one message and waits for the answer. `skew_ms` is the known difference of the receiver's clock, to sign with the right time. The
    /// database is not used.
    pub(crate) fn test_send(&self, endpoint: &Endpoint, install: String, skew_ms: i64, body: &[u8]) -> TestDelivery {
        // Waiting for a renewal is part of the time of an attempt.
        let began = self.now();
        if self.renew_if_due(began.monotonic) && !self.blocking.is_simulated() {
            drop(self.shared.wait_until(RENEWAL_LIMIT, |shared| shared.renewals.is_empty()));
        }
        let delivery_id = DeliveryId(format!("msg_{}", &Sha256::of(&self.ports.random.bytes()).base32()[..26]));
        let message = MessageId::of(&delivery_id).expect("made with the length of an id");
        let request = next_request();
        let entered = self.shared.change(|shared| {
            let hanging = shared.test_sends.values().filter(|test| test.detached).count();
            let may_begin = shared.is_running() && hanging < MOST_HANGING;
            if may_begin {
                shared.test_sends.insert(request, TestSend::default());
            }
            may_begin.then(|| (shared.schedule.network.generation(), shared.schedule.network.validated()))
        });
        let Some((network, validated)) = entered else {
            return TestDelivery { delivered: false, status: None, outcome: reason::INTERRUPTED.to_owned(), duration_ms: 0 };
        };
        let mut attempt = Attempt {
            request,
            claimed: Claimed {
                lease: Lease { entry: 0, message, epoch: 0, until: began.wall },
                delivery_id,
                endpoint: endpoint.key.clone(),
                session: SessionKey(uuid::Uuid::nil()),
                action: String::new(),
                revision: 1,
                is_replay: false,
                replaces: Vec::new(),
                sequence: None,
                install,
                body: body.to_vec(),
                body_sha256: Sha256::of(body),
                workflow_version: WORKFLOW_VERSION.to_owned(),
                session_state: SessionState::Completed,
                due_at: began.wall,
                progress: Progress { attempts: 1, ..Progress::default() },
                configuration: 0,
                urgent: true,
                waited_for_person: false,
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
            signed_for_ms: 0,
            sending: None,
            cancelled: false,
            looks_up: false,
            found_at: None,
            refused: None,
            wake: 0,
            last_urgent: 0,
            used_urgent: None,
        };
        let (outcome, ended) = self.run_attempt(&mut attempt);
        let (answered_lately, cancelled) = self.shared.change(|shared| {
            let test = shared.test_sends.get(&request);
            let (cancelled, ends) = test.map_or((false, false), |test| (test.cancelled, !test.detached));
            if ends {
                shared.test_sends.remove(&request);
            }
            (shared.schedule.network.answered_lately(network, ended.monotonic), cancelled)
        });
        let context = Context {
            validated,
            answered_lately,
            signed_for_ms: attempt.signed_for_ms,
            clock_error_ms: None,
            // There is no second attempt to correct the clock for.
            resynced: true,
            interrupted: cancelled,
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

    fn run_attempt(&self, attempt: &mut Attempt) -> (Outcome, Moment) {
        let outcome = match self.run_stages(attempt) {
            Ok((BlockingAnswer::Sent(Ok(response)), at)) => {
                let answer = Answer::read(response.status, response.header("retry-after"), response.header("date"), at.wall);
                return (Outcome::Answer(answer), at);
            }
            Ok((BlockingAnswer::Sent(Err(failure)), at)) => return (Outcome::Failure(failure), at),
            Ok(_) => Outcome::NotAttempted(Cause::Interrupted),
            Err(outcome) => outcome,
        };
        (outcome, self.now())
    }

    fn run_stages(&self, attempt: &mut Attempt) -> Result<(BlockingAnswer, Moment), Outcome> {
        if webhook::validate(&attempt.endpoint, self.settings.allow_plain_http_to_loopback).is_err() {
            return Err(Outcome::NotAttempted(Cause::BadUrl));
        }
        let wanted: Vec<String> = webhook::secret_names(&attempt.endpoint).into_iter().map(str::to_owned).collect();
        if !wanted.is_empty() {
            let origin = webhook::origin(&attempt.endpoint.url);
            let call = BlockingCall::Secrets { refused: Vec::new(), wanted: wanted.clone(), origin };
            let unavailable = Outcome::NotAttempted(Cause::SecretUnavailable);
            let Some((BlockingAnswer::Secrets(lookups), _)) = self.call_and_wait(attempt, call) else { return Err(unavailable) };
            for (name, lookup) in wanted.iter().zip(lookups) {
                match lookup {
                    SecretLookup::Found { current, previous } => attempt.secrets.push((name.clone(), current, previous)),
                    SecretLookup::Missing => return Err(Outcome::NotAttempted(Cause::SecretMissing)),
                    SecretLookup::Unavailable => return Err(unavailable),
                }
            }
        }
        let now = self.now();
        let request = attempt.request;
        // It gets less time than the wait lasts, so that a transport that keeps its timeout can report its own failure.
        let until = attempt.until().saturating_sub(SETTLING_TIME);
        let left = until.saturating_sub(now.monotonic).max(Duration::from_millis(1));
        let built = attempt.request(now.wall, left).map_err(Outcome::NotAttempted)?;
        let (shared, clock) = (Arc::clone(&self.shared), Arc::clone(&self.ports.clock));
        let send_check = SendCheck::new(move || {
            let left = until.checked_sub(clock.monotonic()).filter(|left| !left.is_zero());
            left.filter(|_| shared.lock().test_sends.get(&request).is_some_and(|test| !test.cancelled && !test.detached))
        });
        // Without an answer of the transport in time, the outcome is unknown.
        let (kind, phase, request_sent) = (FailureKind::Timeout, Phase::Receive, RequestSent::Maybe);
        let no_answer = TransportFailure { kind, phase, request_sent, detail: String::new() };
        self.call_and_wait(attempt, BlockingCall::Send { request: built, send_check }).ok_or(Outcome::Failure(no_answer))
    }

    /// The result of a call in the time of the attempt, unless it is cancelled before. A call that does not end by then is detached.
    fn call_and_wait(&self, attempt: &Attempt, call: BlockingCall) -> Option<(BlockingAnswer, Moment)> {
        let (request, until) = (attempt.request, attempt.until());
        let (shared, clock) = (Arc::clone(&self.shared), Arc::clone(&self.ports.clock));
        let reply = move |answer| {
            let at = Moment { wall: clock.now(), monotonic: clock.monotonic() };
            shared.change(|shared| {
                if shared.test_sends.get(&request).is_some_and(|test| test.detached) {
                    shared.test_sends.remove(&request);
                } else if let Some(test) = shared.test_sends.get_mut(&request) {
                    test.brought = Some((answer, at));
                }
            });
            None
        };
        if let Err(error) = self.blocking.begin(call, Box::new(reply)) {
            log::warn!("no thread for a test message: {error}");
            return None;
        }
        loop {
            let now = self.ports.clock.monotonic();
            let seen = {
                let mut shared = self.shared.lock();
                let seen = shared.events();
                let test = shared.test_sends.get_mut(&request)?;
                if let Some(brought) = test.brought.take() {
                    return Some(brought);
                }
                // A simulation produces nothing while the core waits.
                if test.cancelled || now >= until || self.blocking.is_simulated() {
                    test.detached = true;
                    drop(shared);
                    self.cancel(&[request]);
                    return None;
                }
                seen
            };
            self.shared.wait(seen, self.real_wait(Some(until), None));
        }
    }
}
