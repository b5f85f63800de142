//! The whole core in a simulated world, on one thread: see README.md beside this file.
#![allow(unreachable_pub, reason = "a folder of modules of one test")]

mod acts;
mod attempts;
mod calls;
mod clock;
mod confidential;
mod corrections;
mod coverage;
mod damage;
mod invariants;
mod keystore;
mod liveness;
mod numbers;
mod perform;
mod port_calls;
mod random;
mod receiver;
#[path = "../support/rng.rs"]
#[allow(dead_code, reason = "this program needs a part of it")]
mod rng;
mod rows;
mod run;
#[cfg(feature = "seeded-faults")]
mod seeded;
mod table;
mod technician;
mod trace;
mod verdicts;
mod world;

use std::time::{Duration, Instant};

use acts::Act;
use coverage::Coverage;
use receiver::Mode;
use run::{Plan, shrink};

/// Seeds of a run of the suite.
const SEEDS: u64 = 200;
const CORRECTED_SEEDS: u64 = 20;

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs a plan; a failure is shrunk and shown with the command that repeats it.
fn run_plan(plan: &Plan, tool: &str) -> Result<Coverage, String> {
    let seed = plan.seed;
    let began = Instant::now();
    let outcome = plan.run(false);
    if began.elapsed() > Duration::from_secs(2) {
        println!("seed {seed} took {:?}", began.elapsed());
    }
    let Some(what) = outcome.failure else { return Ok(outcome.coverage) };
    if std::env::var("QUICK").is_ok() {
        return Err(format!("seed {seed}: {what}"));
    }
    let (short, shown) = shrink(plan, Duration::from_secs(30));
    Err(format!(
        "seed {seed}: {what}\n  repeat: SEED={seed} cargo test --features seeded-faults --test simulation {tool} -- --ignored --nocapture\n  shrunk to {} acts of {}: {:#?}\n  which end in: {}\n{}",
        short.acts.len(),
        plan.acts.len(),
        short.acts,
        shown.failure.unwrap_or_default(),
        shown.last.join("\n")
    ))
}

/// Runs the seeds that are asked for, or so many; gives what they have reached.
fn run_seeds(seeds: u64, plan: fn(u64) -> Plan, tool: &str) -> Coverage {
    let (first, count) = (from_environment("FIRST").unwrap_or(1), from_environment("SEEDS").unwrap_or(seeds));
    let began = Instant::now();
    let mut coverage = Coverage::default();
    let mut failures = Vec::new();
    for seed in first..first + count {
        match run_plan(&plan(seed), tool) {
            Ok(reached) => coverage.add(&reached),
            Err(failure) => {
                println!("{failure}");
                failures.push(seed);
            }
        }
    }
    coverage.print();
    println!("{count} seeds in {:?}; not reached: {:?}", began.elapsed(), coverage.missing());
    assert!(failures.is_empty(), "these seeds break a promise: {failures:?}");
    coverage
}

#[test]
fn every_seed_keeps_the_promises() {
    let coverage = run_seeds(SEEDS, Plan::of, "one_seed");
    if std::env::var("COMPLETE").is_ok() {
        assert!(coverage.missing().is_empty(), "not reached: {:?}", coverage.missing());
    }
}

/// The same for lists of acts that are corrections, mostly: of what waits, is in flight, was sent and failed, in both processes.
#[test]
fn corrections_keep_the_promises() {
    run_seeds(CORRECTED_SEEDS, Plan::of_corrections, "one_corrected_seed");
}

#[test]
fn there_are_many_kinds_of_acts() {
    assert!(acts::kinds().len() >= 30, "{:?}", acts::kinds());
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in [3, 4, 5] {
        let plan = Plan::of(seed);
        assert_eq!(plan.run(false).hash, plan.run(false).hash, "seed {seed}");
    }
}

/// Seeds that have found a fault, by what it was. Each was shrunk to a handful of acts when it was found; the seed is what stays.
#[test]
fn seeds_that_have_found_a_fault_stay_quiet() {
    for (seed, was) in [
        (3, "a wait for a moment that was past, while the network was gone"),
        (14, "no thread for an attempt: claimed and released without end"),
        (64, "a damaged moment made an error of all totals"),
        (103, "abandoned, and it left all the same, for its endpoint had been read again"),
        (111, "looked four times a second for a result that cannot be stored"),
        (142, "an attempt whose secrets came after the network had gone"),
        (156, "an attempt whose secrets came on a network that costs money"),
        (185, "a worker that was stopped wrote after quiesce"),
        (188, "looked four times a second for an entry that does not read back"),
        (223, "looked four times a second for a expired lease without a network"),
        (239, "an attempt without its lease, after somebody had set the clock"),
        (725, "claimed because a person asked, it left without a network when the person had stopped waiting"),
        (606, "a pause for lack of a thread went on when the network came"),
        (406, "an attempt classified by a network that it did not leave on"),
        (817, "a pause for what had been in flight when the way was repaired"),
        (945, "a third try in a row that had died with its process"),
    ] {
        let outcome = Plan::of(seed).run(false);
        assert!(outcome.failure.is_none(), "seed {seed}, which once found: {was}\n{}", outcome.failure.unwrap_or_default());
    }
}

/// The same for acts that a seed has lost, because acts were added to the list since. The seed says what comes between them.
#[test]
fn acts_that_have_found_a_fault_stay_quiet() {
    // Seed 2031: a worker that learned of quiesce after the next resume cancelled once more what quiesce had cancelled.
    let mut acts = vec![Act::Online { at: 1, network: 2, validated: 0, metered: false }, Act::Foreground { at: 1 }];
    acts.extend([Act::Receiver { which: 0, mode: Mode::Silent }, Act::Complete { at: 1, answer: 0 }, Act::Pass { ms: 4_100 }]);
    acts.extend([Act::DropHold { at: 1 }, Act::Steps { count: 1 }, Act::Foreground { at: 1 }, Act::Steps { count: 3 }]);
    for seed in [3, 7] {
        let outcome = Plan { seed, two: true, acts: acts.clone(), ends: false }.run(false);
        assert!(outcome.failure.is_none(), "seed {seed}: {}", outcome.failure.unwrap_or_default());
    }
    // An attempt of a lease that was over ended, and a correction began beside one of a later lease: of the same message, or of the next
    // correction.
    for (seed, place, corrections) in [(1, 0, 1), (2, 1, 1), (2, 1, 2), (3, 0, 2)] {
        let online = |at| Act::Online { at, network: 1, validated: 1, metered: false };
        let mut acts = vec![online(0), online(1), Act::Foreground { at: place }, Act::Receiver { which: 0, mode: Mode::Slow }];
        acts.extend([Act::Complete { at: 0, answer: 0 }, Act::Pass { ms: 2_000 }, Act::Foreground { at: 1 - place }]);
        acts.push(Act::Stop { at: place, seconds: 70 });
        if corrections == 2 {
            acts.push(Act::SendCorrected { at: 1 - place, which: 0 });
        }
        acts.extend([Act::Pass { ms: 62_000 }, Act::SendCorrected { at: 1 - place, which: 0 }, Act::Pass { ms: 60_000 }]);
        let outcome = Plan { seed, two: true, acts, ends: false }.run(false);
        assert!(outcome.failure.is_none(), "seed {seed}: {}", outcome.failure.unwrap_or_default());
    }
}

fn show(plan: fn(u64) -> Plan) {
    if let Some(what) = plan(from_environment("SEED").expect("SEED")).run(true).failure {
        panic!("{what}");
    }
}

#[test]
#[ignore = "a tool: SEED says which"]
fn one_seed() {
    show(Plan::of);
}

#[test]
#[ignore = "a tool: SEED says which"]
fn one_corrected_seed() {
    show(Plan::of_corrections);
}
