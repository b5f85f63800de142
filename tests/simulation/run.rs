//! One seed from beginning to end.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::acts::{Act, acts};
use super::confidential;
use super::coverage::Coverage;
use super::random::Rng;
use super::world::{Check, World};

/// Acts of a seed.
const ACTS: usize = 110;

/// What came of a seed.
pub struct Outcome {
    pub failure: Option<String>,
    pub hash: (u64, u64),
    pub last: Vec<String>,
    pub coverage: Coverage,
}

/// What a seed stands for.
#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    pub two: bool,
    pub acts: Vec<Act>,
    pub ends: bool,
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0x91a4);
        Self { seed, two: seed % 2 == 1, acts: acts(seed, ACTS), ends: rng.chance(100) }
    }

    /// The same seed with other acts, mostly these.
    #[cfg(feature = "seeded-faults")]
    pub fn leaning(seed: u64, likes: &[Act]) -> Self {
        let plan = Self::of(seed);
        if likes.is_empty() { plan } else { Self { two: false, acts: super::acts::leaning(seed, 40, likes), ..plan } }
    }

    /// Two processes with corrections, mostly.
    pub fn of_corrections(seed: u64) -> Self {
        Self { seed, two: true, acts: super::acts::corrections(seed, 60), ends: true }
    }

    /// Carries it out. A panic is a failure like any other.
    pub fn run(&self, print: bool) -> Outcome {
        let mut world = World::new(self.seed, self.two, print);
        let result = catch_unwind(AssertUnwindSafe(|| self.carry_out(&mut world)));
        let failure = match result {
            Ok(Ok(())) => None,
            Ok(Err(what)) => Some(what),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                Some(format!("panic: {}", text.or(panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()))
            }
        };
        if failure.is_some() && print {
            world.describe();
        }
        let outcome =
            Outcome { failure, hash: world.trace.hash(), last: world.trace.last(60), coverage: std::mem::take(&mut world.coverage) };
        if outcome.failure.is_some() {
            // No matter what state it is in, nothing of it must run on.
            std::mem::forget(world);
        }
        outcome
    }

    fn carry_out(&self, world: &mut World) -> Check {
        confidential::read_the_log();
        world.set_up()?;
        for act in &self.acts {
            world.perform(act)?;
            // Mostly somebody goes on at once, sometimes not before the next act.
            match world.rng.below(10) {
                0..=3 => world.run_dry()?,
                4..=6 => {
                    for _ in 0..world.rng.range(1, 6) {
                        if !world.step()? {
                            break;
                        }
                    }
                }
                _ => {}
            }
            if world.rng.chance(12) && !world.file_is_taken() {
                let place = world.rng.below(world.processes.len() as u64) as usize;
                world.agrees(place)?;
            }
        }
        if self.ends {
            world.ends_well()?;
        }
        confidential::log_tells_nothing()?;
        // Reading all bytes takes long.
        if self.seed.is_multiple_of(20) { world.files_tell_nothing() } else { Ok(()) }
    }
}

/// A failing plan with fewer acts, as long as it still fails. Any failure counts: what is shortest is easiest to read.
pub fn shrink(plan: &Plan, limit: std::time::Duration) -> (Plan, Outcome) {
    let began = std::time::Instant::now();
    let mut best = plan.clone();
    let mut outcome = best.run(false);
    let mut chunk = best.acts.len() / 2;
    while chunk > 0 {
        let mut start = 0;
        while start < best.acts.len() {
            if began.elapsed() > limit {
                return (best, outcome);
            }
            let mut shorter = best.clone();
            shorter.acts.drain(start..(start + chunk).min(shorter.acts.len()));
            let tried = shorter.run(false);
            if tried.failure.is_some() {
                (best, outcome) = (shorter, tried);
            } else {
                start += chunk;
            }
        }
        chunk /= 2;
    }
    (best, outcome)
}
