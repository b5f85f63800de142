//! The control: exponential backoff as it is often written, message by message, in step with every other phone.

use std::time::Duration;

use super::receiver::Answered;
use super::world::Phone;

/// The first delay; it doubles.
const FIRST: Duration = Duration::from_secs(1);
/// The longest one.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// As many as the product begins with.
const AT_ONCE: usize = 2;

struct Message {
    number: u64,
    failures: u32,
    due_at: Duration,
}

pub struct NaivePhone {
    waiting: Vec<Message>,
    in_flight: Vec<Message>,
}

impl NaivePhone {
    pub fn back(messages: u32) -> Self {
        let waiting = (0..messages).map(|number| Message { number: number.into(), failures: 0, due_at: Duration::ZERO }).collect();
        Self { waiting, in_flight: Vec::new() }
    }
}

impl Phone for NaivePhone {
    fn act(&mut self, now: Duration) -> (Vec<u64>, Option<Duration>) {
        let mut requests = Vec::new();
        while self.in_flight.len() < AT_ONCE
            && let Some(index) = self.waiting.iter().position(|message| message.due_at <= now)
        {
            let message = self.waiting.remove(index);
            requests.push(message.number);
            self.in_flight.push(message);
        }
        let next = self.waiting.iter().map(|message| message.due_at).min().filter(|_| self.in_flight.is_empty());
        (requests, next)
    }

    fn is_answered(&mut self, request: u64, answered: Answered, now: Duration) {
        let index = self.in_flight.iter().position(|message| message.number == request).expect("a request in flight");
        let mut message = self.in_flight.remove(index);
        if answered.status >= 300 {
            message.due_at = now + FIRST.saturating_mul(1 << message.failures.min(20)).min(LONGEST);
            message.failures += 1;
            self.waiting.push(message);
        }
    }
}
