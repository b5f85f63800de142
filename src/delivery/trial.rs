//! A test delivery to an endpoint: one signed message outside the outbox. Nothing of it is stored.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::Inner;
use super::attempt::Job;
use super::foreign;
use super::pipeline::next_request;
use crate::crypto::Sha256;
use crate::model::{DeliveryId, Endpoint, SessionKey, SessionState, TestDelivery};
use crate::outbox::{Context, Progress, classify, reason};
use crate::store::outbox::queue::{Claimed, Lease};
use crate::store::{StoreError, endpoint};

/// Header `compass-workflow-version` of a test message: it belongs to no workflow.
const WORKFLOW_VERSION: &str = "0";

/// Test deliveries that run, so that they can be given up.
#[derive(Default)]
pub(super) struct Trials(Mutex<BTreeMap<u64, Arc<AtomicBool>>>);

impl Trials {
    fn change<T>(&self, work: impl FnOnce(&mut BTreeMap<u64, Arc<AtomicBool>>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    /// Sends one message and waits for the answer.
    pub(super) fn trial(&self, endpoint: &Endpoint, body: &[u8]) -> TestDelivery {
        let interrupted =
            |duration_ms| TestDelivery { delivered: false, status: None, outcome: reason::INTERRUPTED.to_owned(), duration_ms };
        let now = self.ports.clock.now();
        // A receiver whose clock is known is not asked with a wrong one. Not knowing it is no reason not to ask.
        let known = self.store.read::<_, StoreError>(|connection| endpoint::find(connection, &endpoint.key)).ok().flatten();
        let skew_ms = known.and_then(|row| row.delivery.skew_ms).unwrap_or(0);
        let random = self.ports.random.bytes();
        let job = Job {
            request: next_request(),
            claimed: Claimed {
                lease: Lease { entry: 0, epoch: 0, until: now },
                delivery_id: DeliveryId(format!("msg_{}", &Sha256::of(&random).base32()[..26])),
                endpoint: endpoint.key.clone(),
                session: SessionKey(uuid::Uuid::nil()),
                body: body.to_vec(),
                body_sha256: Sha256::of(body),
                workflow_version: WORKFLOW_VERSION.to_owned(),
                session_state: SessionState::Completed,
                progress: Progress { attempts: 1, ..Progress::default() },
                resynced: true,
            },
            endpoint: Arc::new(endpoint.clone()),
            skew_ms,
            timeout: self.settings.limits.attempt_timeout,
            cancelled: Arc::new(AtomicBool::new(false)),
            allow_plain_http_to_loopback: self.settings.allow_plain_http_to_loopback,
        };
        let request = job.request;
        self.trials.change(|running| running.insert(request, Arc::clone(&job.cancelled)));
        // Asked after it was entered: whoever quiesces from here on finds it.
        if self.is_quiesced() {
            self.trials.change(|running| running.remove(&request));
            return interrupted(0);
        }
        let finished = job.run(&self.ports);
        self.trials.change(|running| running.remove(&request));
        let context = Context {
            net_ok: self.network.is_ok(self.ports.clock.monotonic()),
            received_at: finished.ended_at,
            applied_skew_ms: skew_ms,
            device_skew_ms: None,
            resynced: true,
        };
        let verdict = classify(&finished.outcome, &context, &self.settings.policy);
        TestDelivery {
            delivered: verdict.reason == reason::SENT,
            status: finished.status(),
            outcome: verdict.reason.to_owned(),
            duration_ms: finished.duration.as_millis() as u64,
        }
    }

    /// Gives up test deliveries that run.
    pub(super) fn cancel_trials(&self) {
        let running = self.trials.change(|running| running.clone());
        for (request, cancelled) in running {
            cancelled.store(true, Ordering::Release);
            foreign::call(|| self.ports.transport.cancel(request));
        }
    }
}
