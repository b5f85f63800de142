//! Many phones come back at once after an outage of a day, to a receiver that can take so many messages a second: see README.md beside this
//! file. No time passes but that of the world, and a seed decides what is random.
#![allow(unreachable_pub, reason = "a folder of modules of one test")]

mod curves;
mod handle;
mod naive;
mod random;
mod receiver;
#[path = "../support/rng.rs"]
#[allow(dead_code, reason = "this program needs a part of it")]
mod rng;
mod rules;
#[path = "../support/torture.rs"]
mod torture;
mod world;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use compass_core::RetryPolicy;
use handle::HandlePhone;
use naive::NaivePhone;
use random::Rng;
use receiver::{Asks, Receiver};
use rules::RulesPhone;
use world::{Load, Phone, WorldClock, deliver};

const DAY: Duration = Duration::from_secs(86_400);
/// So long a fleet is looked at, in times of what its messages take at least: phones of the product, and the control.
const LOOKED_AT: u32 = 20;
const CONTROL_LOOKED_AT: u32 = 3;

/// The phones of a run, by what they have to deliver.
struct Fleet {
    seed: u64,
    capacity: u32,
    messages: Vec<u32>,
    clock: Arc<WorldClock>,
}

impl Fleet {
    /// Phones with one message each up to `most`.
    fn new(seed: u64, phones: usize, capacity: u32, most: u64) -> Self {
        let mut rng = Rng::new(seed);
        let messages = (0..phones).map(|_| rng.range(1, most) as u32).collect();
        Self { seed, capacity, messages, clock: Arc::new(WorldClock::default()) }
    }

    fn all(&self) -> u32 {
        self.messages.iter().sum()
    }

    /// The time that a receiver needs for all messages.
    fn least(&self) -> u32 {
        self.all().div_ceil(self.capacity)
    }

    fn run<P: Phone>(&self, asks: Asks, times: u32, mut phones: Vec<P>) -> Load {
        let mut receiver = Receiver::new(self.capacity, asks, phones.len());
        let longest = Duration::from_secs(u64::from(self.least() * times));
        deliver(&mut phones, self.all(), &mut receiver, &self.clock, DAY, longest, self.seed)
    }

    fn by_rules(&self, asks: Asks) -> Load {
        self.clock.set(DAY);
        let policy = Arc::new(RetryPolicy::default());
        let phone = |(number, messages): (usize, &u32)| RulesPhone::back(&self.clock, &policy, self.phone_seed(number), *messages);
        self.run(asks, LOOKED_AT, self.messages.iter().enumerate().map(phone).collect())
    }

    fn naive(&self, asks: Asks) -> Load {
        self.clock.set(DAY);
        self.run(asks, CONTROL_LOOKED_AT, self.messages.iter().map(|messages| NaivePhone::back(*messages)).collect())
    }

    /// The same with the whole core on each phone.
    fn with_handles(&self, asks: Asks) -> Load {
        let base = Path::new("/dev/shm");
        let folder = if base.is_dir() { tempfile::tempdir_in(base) } else { tempfile::tempdir() }.expect("a folder");
        self.clock.set(Duration::ZERO);
        let phone = |(number, messages): (usize, &u32)| {
            HandlePhone::offline(&folder.path().join(format!("{number}.db")), &self.clock, self.phone_seed(number), *messages)
        };
        let phones: Vec<_> = self.messages.iter().enumerate().map(phone).collect();
        self.clock.set(DAY);
        phones.iter().for_each(HandlePhone::comes_back);
        self.run(asks, LOOKED_AT, phones)
    }

    fn phone_seed(&self, number: usize) -> u64 {
        self.seed << 32 | number as u64
    }

    fn figures(&self, load: &Load) -> Figures {
        Figures::of(load, self.capacity, self.all())
    }
}

/// What is held against the limits. Loads are in times of the capacity.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Figures {
    /// The least accepted load in any ten seconds that begin with enough messages for them.
    accepted: f64,
    /// The most that arrived in any second after the first minute.
    arrived: f64,
    /// The time until everything was delivered, in times of what it takes at least. Infinite if it was not.
    time: f64,
}

impl Figures {
    fn of(load: &Load, capacity: u32, messages: u32) -> Self {
        let capacity = f64::from(capacity);
        let seconds = load.arrived.len();
        let (mut left, mut accepted) = (f64::from(messages), f64::INFINITY);
        for second in 0..seconds {
            if left >= 10.0 * capacity {
                let ten = load.accepted.iter().skip(second).take(10);
                accepted = accepted.min(f64::from(ten.sum::<u32>()) / 10.0 / capacity);
            }
            left -= f64::from(load.accepted[second]);
        }
        let arrived = f64::from(load.arrived.iter().skip(60).max().copied().unwrap_or(0)) / capacity;
        let time = if left == 0.0 { seconds as f64 * capacity / f64::from(messages) } else { f64::INFINITY };
        Self { accepted, arrived, time }
    }

    fn holds(&self) -> bool {
        self.accepted >= 0.9 && self.arrived <= 2.0 && self.time <= 1.3
    }

    fn is_better_than(&self, other: &Self) -> bool {
        self.accepted >= other.accepted && self.arrived < other.arrived && self.time < other.time
    }

    /// Of each figure the one that is nearer to its limit.
    fn or_worse(&self, other: &Self) -> Self {
        Self { accepted: self.accepted.min(other.accepted), arrived: self.arrived.max(other.arrived), time: self.time.max(other.time) }
    }

    fn shows(&self) -> String {
        format!("accepted {:.2} C at least, arrived {:.2} C at most, {:.2} of the time", self.accepted, self.arrived, self.time)
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// The product keeps the limits, and the control is worse in each. Gives both loads, and the product's figures.
fn compare(seed: u64, phones: usize, capacity: u32, most: u64) -> ([(String, Load); 2], Figures) {
    let fleet = Fleet::new(seed, phones, capacity, most);
    let (ours, naive) = (fleet.by_rules(Asks::Turns), fleet.naive(Asks::Turns));
    let (figures, control) = (fleet.figures(&ours), fleet.figures(&naive));
    let about = format!("seed {seed}, {phones} phones with 1 to {most} messages, C = {capacity}");
    println!("{about}\n  product: {}\n  control: {}", figures.shows(), control.shows());
    assert!(figures.holds(), "{about}: {}", figures.shows());
    assert!(figures.accepted > control.accepted && figures.is_better_than(&control), "{about}: the control is {}", control.shows());
    ([(format!("Product, {about}"), ours), (format!("Naive backoff, {about}"), naive)], figures)
}

#[test]
fn a_receiver_that_gives_turns_is_used_well_and_not_flooded() {
    let (phones, capacity) = (number("PHONES", 10_000) as usize, number("CAPACITY", 100) as u32);
    let first = number("FIRST", number("SEED", 1));
    let (mut runs, mut fleets) = (Vec::new(), 0);
    let mut worst = Figures { accepted: f64::INFINITY, arrived: 0.0, time: 0.0 };
    for seed in first..first + number("SEEDS", 3) {
        for most in [1, number("MOST", 5)] {
            let (loads, figures) = compare(seed, phones, capacity, most);
            runs.extend(loads);
            fleets += 1;
            worst = worst.or_worse(&figures);
        }
    }
    let fault = format!("{phones} phones come back at once");
    let expected = "0.9 C accepted at least, 2 C arriving at most, 1.3 of the time";
    torture::say(&torture::Row { fault: &fault, injected: fleets, expected, observed: &worst.shows(), lost: 0 });
    let curves = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fleet.svg");
    let drawn: Vec<_> = runs.iter().take(4).map(|(name, load)| (name.clone(), load)).collect();
    std::fs::write(&curves, curves::drawn(&drawn, capacity)).expect("the curves");
    println!("curves: {}", curves.display());
}

#[test]
fn whatever_the_receiver_says_the_control_is_worse() {
    for asks in [Asks::Nothing, Asks::Same(10), Asks::Same(60), Asks::Same(300)] {
        for most in [1, 5] {
            let fleet = Fleet::new(1, 10_000, 100, most);
            let (ours, naive) = (fleet.figures(&fleet.by_rules(asks)), fleet.figures(&fleet.naive(asks)));
            println!("{asks:?}, 1 to {most} messages\n  product: {}\n  control: {}", ours.shows(), naive.shows());
            assert!(ours.time.is_finite() && ours.is_better_than(&naive), "{asks:?}: {} beside {}", ours.shows(), naive.shows());
        }
    }
}

#[test]
fn phones_with_the_whole_core_do_the_same() {
    for asks in [Asks::Turns, Asks::Same(60)] {
        let fleet = Fleet::new(7, number("HANDLES", 100) as usize, 10, 5);
        let (rules, handles) = (fleet.by_rules(asks), fleet.with_handles(asks));
        println!("{asks:?}: {} beside {}", fleet.figures(&rules).shows(), fleet.figures(&handles).shows());
        assert_eq!((&rules.arrived, &rules.accepted), (&handles.arrived, &handles.accepted), "{asks:?}");
    }
}
