//! A phone with the whole core on it: a handle with its file, of which the steps of its worker are taken here.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use compass_core::model::*;
use compass_core::port::{
    FailureKind, Header, Phase, RequestSent, SecretLookup, Secrets, Transport, TransportFailure, TransportRequest, TransportResponse,
};
use compass_core::testing::{Blocking, BlockingAnswer, BlockingCall, DeliverySteps, Reply, StepOutcome};
use compass_core::{Compass, Options};
use serde_json::json;

use super::random::PhoneRandom;
use super::receiver::Answered;
use super::world::{Phone, WorldClock};

/// What the core asked for.
#[derive(Default)]
struct PortCalls(Mutex<Vec<(BlockingCall, Reply)>>);

impl PortCalls {
    fn take(&self) -> Vec<(BlockingCall, Reply)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Blocking for PortCalls {
    fn begin(&self, call: BlockingCall, reply: Reply) -> std::io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((call, reply));
        Ok(())
    }

    fn is_simulated(&self) -> bool {
        true
    }
}

/// Never called: requests go to [`PortCalls`].
impl Transport for PortCalls {
    fn send(&self, _request: TransportRequest) -> Result<TransportResponse, TransportFailure> {
        Err(TransportFailure { kind: FailureKind::Other, phase: Phase::Resolve, request_sent: RequestSent::No, detail: String::new() })
    }

    fn cancel(&self, _id: u64) {}
}

impl Secrets for PortCalls {
    fn get(&self, _name: &str, _origin: &str) -> SecretLookup {
        SecretLookup::Missing
    }
}

pub struct HandlePhone {
    compass: Compass,
    calls: Arc<PortCalls>,
    steps: DeliverySteps,
    running: Vec<(u64, Reply)>,
}

impl HandlePhone {
    /// A phone that has completed work with so many messages while it was offline.
    pub fn offline(file: &Path, clock: &Arc<WorldClock>, seed: u64, messages: u32) -> Self {
        let calls = Arc::new(PortCalls::default());
        let mut options = Options::new(file).clock(Arc::clone(clock) as _).transport(Arc::clone(&calls) as _);
        options = options.blocking(Arc::clone(&calls) as _);
        options.random = Arc::new(PhoneRandom::new(seed, clock));
        let compass = Compass::open(options).expect("opens");
        compass.set_connectivity(Connectivity::Offline);
        let office = Endpoint {
            key: "office".into(),
            url: "https://office.example/hook".into(),
            signing: Signing::None,
            headers: Vec::new(),
            network: NetworkPolicy::Any,
        };
        compass.put_endpoint(&office).expect("registers");
        compass.set_integration_enabled(true).expect("turns on");
        compass.import_workflow(&visit(messages)).expect("imports");
        let view = compass.start(&Start::new("visit", "fleet-0001")).expect("starts").view;
        compass.complete(view.key, view.visit).expect("completes");
        let steps = compass.delivery_steps().expect("an open handle").expect("the only worker");
        Self { compass, calls, steps, running: Vec::new() }
    }

    /// There is a network again.
    pub fn comes_back(&self) {
        self.compass.set_connectivity(Connectivity::Online { validated: Some(true), metered: false, network: Some(1) });
    }
}

impl Phone for HandlePhone {
    fn act(&mut self, _now: Duration) -> (Vec<u64>, Option<Duration>) {
        let mut requests = Vec::new();
        loop {
            let outcome = self.steps.step();
            for (call, reply) in self.calls.take() {
                match call {
                    BlockingCall::Send { request, send_check } => {
                        assert!(send_check.time_left().is_some(), "it leaves at once");
                        requests.push(request.id);
                        self.running.push((request.id, reply));
                    }
                    _ => {
                        if let Some(follow_up) = reply(BlockingAnswer::Done) {
                            follow_up();
                        }
                    }
                }
            }
            match outcome {
                StepOutcome::Again => {}
                StepOutcome::Wait { .. } if self.steps.is_woken() => {}
                StepOutcome::Wait { until } => return (requests, until),
                StepOutcome::Done(_) => return (requests, None),
            }
        }
    }

    fn is_answered(&mut self, request: u64, answer: Answered, _now: Duration) {
        let index = self.running.iter().position(|(id, _)| *id == request).expect("a request that runs");
        let (_, reply) = self.running.swap_remove(index);
        let headers = answer.retry_after.map(|seconds| Header::new("retry-after", seconds.to_string())).into_iter().collect();
        let response = TransportResponse { status: answer.status, headers, body: Vec::new() };
        if let Some(follow_up) = reply(BlockingAnswer::Sent(Ok(response))) {
            follow_up();
        }
    }
}

/// One section with so many messages to the office.
fn visit(messages: u32) -> Vec<u8> {
    let action = |number| json!({ "key": format!("tell_{number}"), "name": "Tell", "integration": "webhooks", "kind": "send_message", "endpoint": "office" });
    let actions: Vec<_> = (0..messages).map(action).collect();
    let document = json!({
        "format": 1, "key": "visit", "version": 1, "name": "A visit", "start": "done", "fields": [],
        "sections": [{ "key": "done", "name": "Done", "fields": [], "answers": [], "actions": actions, "win": true }],
    });
    serde_json::to_vec(&document).expect("JSON")
}
