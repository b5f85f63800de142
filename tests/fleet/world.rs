//! Time, the network and what is counted. Time passes only when nothing is left to do at this moment; a seed decides the rest.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use compass_core::model::Timestamp;
use compass_core::port::Clock;

use super::random::Rng;
use super::receiver::{Answered, Receiver};

/// The one clock of all phones, in milliseconds.
#[derive(Default)]
pub struct WorldClock(AtomicU64);

impl WorldClock {
    pub fn set(&self, to: Duration) {
        self.0.store(to.as_millis() as u64, Ordering::Relaxed);
    }
}

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        // From 2027-01-15T08:00:00Z on.
        Timestamp::UNIX_EPOCH + TimeDelta::seconds(1_800_000_000) + TimeDelta::milliseconds(self.0.load(Ordering::Relaxed) as i64)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn utc_offset(&self, _at: Timestamp) -> i32 {
        0
    }
}

/// Something with messages to deliver.
pub trait Phone {
    /// Does what can be done now: the requests that leave, and when there is more to do if nothing is answered before.
    fn act(&mut self, now: Duration) -> (Vec<u64>, Option<Duration>);

    /// A request is answered.
    fn is_answered(&mut self, request: u64, answer: Answered, now: Duration);
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Act,
    Arrives(u64),
    Answered(u64, Answered),
}

/// What came to the receiver, second by second since the phones came back.
#[derive(Debug, Clone, Default)]
pub struct Load {
    pub arrived: Vec<u32>,
    pub accepted: Vec<u32>,
}

impl Load {
    fn count(&mut self, at: Duration, accepted: bool) {
        let second = at.as_secs() as usize;
        if self.arrived.len() <= second {
            self.arrived.resize(second + 1, 0);
            self.accepted.resize(second + 1, 0);
        }
        self.arrived[second] += 1;
        self.accepted[second] += u32::from(accepted);
    }
}

/// Lets phones deliver `messages` from `began` on, for `longest` at most.
pub fn deliver<P: Phone>(
    phones: &mut [P],
    messages: u32,
    receiver: &mut Receiver,
    clock: &Arc<WorldClock>,
    began: Duration,
    longest: Duration,
    seed: u64,
) -> Load {
    let mut load = Load::default();
    let mut events = BinaryHeap::new();
    let mut wakes_at = vec![Some(began); phones.len()];
    let mut number = 0;
    let mut left = messages;
    for phone in 0..phones.len() {
        events.push(Reverse((began, number, phone, Event::Act)));
        number += 1;
    }
    while let Some(Reverse((now, _, phone, event))) = events.pop() {
        if left == 0 || now > began + longest {
            break;
        }
        clock.set(now);
        match event {
            Event::Act if wakes_at[phone] != Some(now) => continue,
            Event::Act => {}
            Event::Arrives(request) => {
                let answer = receiver.answers(phone, now - began);
                let accepted = answer.status < 300;
                load.count(now - began, accepted);
                left -= u32::from(accepted);
                events.push(Reverse((now + travels(seed, phone, now), number, phone, Event::Answered(request, answer))));
                number += 1;
                continue;
            }
            Event::Answered(request, answer) => phones[phone].is_answered(request, answer, now),
        }
        let (requests, wakes) = phones[phone].act(now);
        for request in requests {
            events.push(Reverse((now + travels(seed, phone, now), number, phone, Event::Arrives(request))));
            number += 1;
        }
        wakes_at[phone] = wakes.map(|at| whole(at).max(now + Duration::from_millis(1)));
        if let Some(at) = wakes_at[phone] {
            events.push(Reverse((at, number, phone, Event::Act)));
            number += 1;
        }
    }
    load
}

/// The next whole millisecond.
fn whole(at: Duration) -> Duration {
    Duration::from_millis(at.as_nanos().div_ceil(1_000_000) as u64)
}

/// How long a request or its answer is on its way. By phone and moment, so that it does not depend on what others do.
fn travels(seed: u64, phone: usize, now: Duration) -> Duration {
    let mut rng = Rng::new(Rng::new(seed << 32 | phone as u64).next() ^ now.as_millis() as u64);
    Duration::from_millis(rng.range(20, 150))
}
