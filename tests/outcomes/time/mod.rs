//! Weeks and years of delivery on a clock that is set by hand: schedules, budgets, clocks that jump, and receivers that are gone for a month.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod clocks;
mod long_pauses;
mod schedule;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::field::*;
use chrono::TimeDelta;
use compass_core::model::*;
use compass_core::port::{Clock, FailureKind, Phase, RequestSent, SystemRandom, TransportRequest};
use compass_core::testing::{Answer, ManualClock, ScriptedTransport, answer, answer_with, failure};
use compass_core::{Compass, Error, Options};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const ONLINE: Connectivity = Connectivity::Online { validated: Some(true), metered: false, network: None };

fn no_network() -> Answer {
    Err(failure(FailureKind::NoNetwork, Phase::Connect, RequestSent::No))
}

/// A receiver that can be repaired, and a note of when each request came.
#[derive(Default)]
struct Receiver {
    well: Arc<AtomicBool>,
    clock: Arc<Mutex<Option<Arc<ManualClock>>>>,
    times: Arc<Mutex<Vec<Timestamp>>>,
}

impl Receiver {
    /// Answers like this until it is repaired.
    fn ill(sick: impl Fn(&TransportRequest) -> Answer + Send + Sync + 'static, jitter: bool) -> (Self, Field) {
        Self::with(sick, |options| {
            if jitter {
                options.random = Arc::new(SystemRandom);
            }
        })
    }

    /// The same on a phone with options of its own.
    fn with(sick: impl Fn(&TransportRequest) -> Answer + Send + Sync + 'static, change: impl FnOnce(&mut Options)) -> (Self, Field) {
        let receiver = Self::default();
        let (well, clock, times) = (receiver.well.clone(), receiver.clock.clone(), receiver.times.clone());
        let transport = ScriptedTransport::new(move |request| {
            if let Some(clock) = &*clock.lock().unwrap() {
                times.lock().unwrap().push(clock.now());
            }
            if well.load(Ordering::SeqCst) { Ok(answer(202)) } else { sick(request) }
        });
        let field = Field::with(transport, change);
        *receiver.clock.lock().unwrap() = Some(field.clock.clone());
        (receiver, field)
    }

    fn repair(&self) {
        self.well.store(true, Ordering::SeqCst);
    }

    fn times(&self) -> Vec<Timestamp> {
        self.times.lock().unwrap().clone()
    }
}

/// Lets time pass until the next thing is due, and does it. Gives what was done; none when nothing comes by time alone.
fn step(field: &Field) -> Option<FlushReport> {
    let due = field.next_due();
    let at = due.at.into_iter().chain(due.at_needs_unmetered).min()?;
    assert!(at - field.now() <= TimeDelta::hours(24), "nothing is put off for longer than a day: {at}");
    field.advance_to(at);
    Some(field.flush())
}

fn failed_reason(field: &Field, session: SessionKey) -> Option<String> {
    let action = field.action(session);
    (action.status == ActionStatus::Failed).then(|| action.reason.unwrap_or_default())
}

fn seconds(span: TimeDelta) -> f64 {
    span.num_milliseconds() as f64 / 1000.0
}
