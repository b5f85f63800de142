//! A phone that is nothing but the product's rules: what an answer means, what becomes of the message and of the endpoint, and how many may
//! be in flight.

use std::sync::Arc;
use std::time::Duration;

use compass_core::RetryPolicy;
use compass_core::model::Timestamp;
use compass_core::port::{Clock, Random};
use compass_core::testing::rules::{
    Answer, AttemptFacts, Context, EndpointState, Outcome, Progress, SettleFacts, Settlement, classify, is_due, settle,
};

use super::random::PhoneRandom;
use super::receiver::Answered;
use super::world::{Phone, WorldClock};

/// One start in four goes to the message that has been due for the longest time.
const LONGEST_DUE_EVERY: u32 = 4;

struct Message {
    number: u32,
    due_at: Timestamp,
    progress: Progress,
}

pub struct RulesPhone {
    clock: Arc<WorldClock>,
    policy: Arc<RetryPolicy>,
    random: PhoneRandom,
    endpoint: EndpointState,
    waiting: Vec<Message>,
    in_flight: Vec<Message>,
    begins_at: Duration,
    starts: u32,
}

impl RulesPhone {
    /// A phone with so many messages that has a network again from now on.
    pub fn back(clock: &Arc<WorldClock>, policy: &Arc<RetryPolicy>, seed: u64, messages: u32) -> Self {
        let random = PhoneRandom::new(seed, clock);
        let begins_at = clock.monotonic() + policy.online_spread.mul_f64(random.fraction());
        let due_at = Timestamp::UNIX_EPOCH;
        Self {
            clock: Arc::clone(clock),
            policy: Arc::clone(policy),
            random,
            endpoint: EndpointState::new(policy),
            waiting: (0..messages).map(|number| Message { number, due_at, progress: Progress::default() }).collect(),
            in_flight: Vec::new(),
            begins_at,
            starts: 0,
        }
    }

    /// The next message that may begin.
    fn next(&mut self, now: Timestamp) -> Option<Message> {
        if self.endpoint.room(self.in_flight.len() as u32, now, &self.policy) == 0 {
            return None;
        }
        let due = || self.waiting.iter().enumerate().filter(|(_, message)| is_due(message.due_at, now));
        let order = |(_, message): &(usize, &Message)| (message.due_at, message.number);
        let fresh = due().filter(|(_, message)| message.progress.counted == 0).min_by_key(order);
        let longest = due().min_by_key(order);
        let is_turn = self.starts % LONGEST_DUE_EVERY == LONGEST_DUE_EVERY - 1;
        let (index, _) = if is_turn { longest } else { fresh.or(longest) }?;
        self.starts += 1;
        Some(self.waiting.remove(index))
    }
}

impl Phone for RulesPhone {
    fn act(&mut self, now: Duration) -> (Vec<u64>, Option<Duration>) {
        if now < self.begins_at {
            return (Vec::new(), Some(self.begins_at));
        }
        let wall = self.clock.now();
        let mut requests = Vec::new();
        while let Some(mut message) = self.next(wall) {
            message.progress = message.progress.claimed();
            requests.push(message.number.into());
            self.in_flight.push(message);
        }
        if !self.in_flight.is_empty() {
            return (requests, None);
        }
        let first = self.waiting.iter().map(|message| message.due_at).min();
        let at = first.map(|first| first.max(self.endpoint.paused_until(wall).unwrap_or(first)));
        // The worker looks again after a quarter of a second at the earliest, and after a minute at the latest.
        let wait = at.map(|at| (at - wall).to_std().unwrap_or_default().clamp(Duration::from_millis(250), Duration::from_secs(60)));
        (requests, wait.map(|wait| now + wait))
    }

    fn is_answered(&mut self, request: u64, answered: Answered, now: Duration) {
        let index = self.in_flight.iter().position(|message| u64::from(message.number) == request).expect("a request in flight");
        let mut message = self.in_flight.remove(index);
        let (wall, random) = (self.clock.now(), self.random.fraction());
        let retry_after = answered.retry_after.map(|seconds| seconds.to_string());
        let answer = Answer::read(answered.status, retry_after.as_deref(), None, wall);
        let context = Context {
            validated: Some(true),
            answered_lately: true,
            signed_for_ms: wall.timestamp_millis(),
            clock_error_ms: None,
            resynced: false,
            interrupted: false,
        };
        let verdict = classify(&Outcome::Answer(answer), &context, &self.policy);
        let facts =
            AttemptFacts { now: wall, monotonic: now, random, date: None, network: 1, validated: Some(true), other_answered: false };
        let came_as_asked = self.endpoint.came_as_asked(wall);
        self.endpoint = self.endpoint.settled(&verdict, &facts, &self.policy);
        self.endpoint.paused_until = self.endpoint.paused_until.map(as_stored);
        self.endpoint.asked_until = self.endpoint.asked_until.map(as_stored);
        let facts = SettleFacts { now: wall, random, unreachable: false, refresh_pending: false, came_as_asked };
        let settled = settle(&message.progress, &verdict, &facts, &self.policy);
        match settled.settlement {
            Settlement::Sent => {}
            Settlement::Queued { due_at, .. } => {
                (message.due_at, message.progress) = (as_stored(due_at), settled.progress);
                self.waiting.push(message);
            }
            Settlement::Failed { reason } => panic!("failed: {reason}"),
        }
    }
}

/// A moment as the file keeps it: in whole milliseconds.
fn as_stored(at: Timestamp) -> Timestamp {
    Timestamp::from_timestamp_millis(at.timestamp_millis()).expect("a time within range")
}
