//! A receiver that takes so many messages a second, and answers 429 to what is above that. How it chooses `Retry-After` is up to those who run
//! it: docs/delivery.md tells integrators about turns.

use std::time::Duration;

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answered {
    pub status: u16,
    /// In seconds.
    pub retry_after: Option<u64>,
}

/// What a refused phone is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// No `Retry-After`.
    Nothing,
    /// The same number of seconds, always.
    Same(u64),
    /// When its turn is.
    Turns,
}

/// So much of the capacity is given away in turns; the rest is for phones that were refused at theirs.
const GIVEN: f64 = 0.95;
/// The room that is kept for phones with turns, beyond those that are expected in the rest of the second.
const BEYOND: f64 = 0.3;
/// The first turn is so far ahead: the phones that came at once are refused by then.
const FIRST: Duration = Duration::from_secs(4);
/// A phone comes about this much earlier or later than its turn; one that is refused at its turn gets the next one after this time.
const ABOUT: Duration = Duration::from_secs(2);

pub struct Receiver {
    capacity: u32,
    asks: Asks,
    /// This second, and how many messages were taken in it.
    second: u64,
    taken: u32,
    /// The turn of each phone, and how many messages it may send then.
    turns: Vec<(Duration, u32)>,
    /// The first and the last of the turns that follow one another.
    first: Duration,
    last: Duration,
    /// What was rounded away.
    carried: f64,
}

impl Receiver {
    pub fn new(capacity: u32, asks: Asks, phones: usize) -> Self {
        let turns = vec![(Duration::ZERO, 0); phones];
        Self { capacity, asks, second: 0, taken: 0, turns, first: Duration::ZERO, last: Duration::ZERO, carried: 0.0 }
    }

    /// Answers a request of this phone.
    pub fn answers(&mut self, phone: usize, now: Duration) -> Answered {
        if now.as_secs() != self.second {
            (self.second, self.taken) = (now.as_secs(), 0);
        }
        let (turn, messages) = self.turns[phone];
        let is_its_turn = messages > 0 && turn <= now + ABOUT;
        if f64::from(self.taken) + self.kept(is_its_turn, now) < f64::from(self.capacity) {
            self.taken += 1;
            self.turns[phone].1 = messages.saturating_sub(1);
            return Answered { status: 202, retry_after: None };
        }
        let retry_after = match self.asks {
            Asks::Nothing => None,
            Asks::Same(seconds) => Some(seconds),
            Asks::Turns => {
                self.turns[phone] = if is_its_turn {
                    (now + ABOUT, messages)
                } else {
                    let next = self.next_turn(now);
                    (if messages == 0 { next } else { turn }, messages + 1)
                };
                let wait = (self.turns[phone].0 - now).as_secs_f64() + self.carried;
                self.carried = wait.fract();
                Some((wait as u64).max(1))
            }
        };
        Answered { status: 429, retry_after }
    }

    /// The room that is kept in the rest of this second for phones with turns.
    fn kept(&self, is_its_turn: bool, now: Duration) -> f64 {
        let are_due = self.first <= now && now <= self.last + ABOUT;
        if self.asks != Asks::Turns || is_its_turn || !are_due {
            return 0.0;
        }
        f64::from(self.capacity) * GIVEN * (1.0 + BEYOND - f64::from(now.subsec_millis()) / 1000.0)
    }

    fn next_turn(&mut self, now: Duration) -> Duration {
        if self.last < now {
            (self.first, self.last) = (now + FIRST, now + FIRST);
        }
        self.last += Duration::from_secs_f64(1.0 / (f64::from(self.capacity) * GIVEN));
        self.last
    }
}
