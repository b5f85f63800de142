//! Faults put back one at a time: the simulation finds each. One that it does not find is a fault of the simulation.

use compass_core::testing::seed_fault;

use super::acts::Act;
use super::receiver::{Dates, Mode, RetryAfter};
use super::run::Plan;

/// What is put back, the fault of the review that it is the cause of, and acts that most of a list are; none: as in every seed.
const FAULTS: &[(&str, &str, &[Act])] = &[
    ("seeded: next_due takes the wake-up", "D-A1", &[]),
    ("seeded: a network that is gone counts", "D-A2", &[]),
    ("seeded: one bad row stops all", "D-A5", &[]),
    (
        "seeded: resynced stays",
        "D-A6",
        &[
            Act::Dates { which: 0, dates: Dates::Off(420), checks_time: true },
            Act::Receiver { which: 0, mode: Mode::Status(400) },
            Act::Complete { at: 0, answer: 0 },
            FOREGROUND,
            SECONDS,
        ],
    ),
    (
        "seeded: entries go in the order of their due times",
        "D-A7",
        &[Act::Receiver { which: 0, mode: Mode::Poison }, Act::Complete { at: 0, answer: 2 }, FOREGROUND, Act::Pass { ms: 1_900_000 }],
    ),
    ("seeded: claims are not checked again", "D-A8", &[]),
    (
        "seeded: secrets of an older generation count",
        "D-A9",
        &[
            Act::SecretMissing { which: 0 },
            Act::Complete { at: 0, answer: 3 },
            FOREGROUND,
            Act::Steps { count: 5 },
            Act::SecretRight { which: 0 },
            Act::SecretsChanged { at: 0 },
            SECONDS,
        ],
    ),
    ("seeded: a flush wakes nothing", "D-A10", &[]),
    ("seeded: the foreground wakes nothing", "D-A10", &[]),
    (
        "seeded: a transport that cancels by itself was asked to",
        "D-A12",
        &[Act::Receiver { which: 0, mode: Mode::Cancels }, Act::Complete { at: 0, answer: 0 }, FOREGROUND, SECONDS],
    ),
    (
        "seeded: a database error cancels",
        "D-A13",
        &[
            Act::Receiver { which: 0, mode: Mode::Slow },
            Act::Complete { at: 0, answer: 2 },
            Act::FileTaken { ms: 3_000 },
            FOREGROUND,
            SECONDS,
        ],
    ),
    (
        "seeded: abandoned messages are sent",
        "D-A16",
        &[Act::SecretHangs { which: 0 }, Act::Complete { at: 0, answer: 3 }, FOREGROUND, Act::Pass { ms: 40_000 }],
    ),
    (
        "seeded: cut short without end",
        "D-A17",
        &[Act::Receiver { which: 0, mode: Mode::Silent }, Act::Flush { at: 0, seconds: 10 }, Act::Pass { ms: 11_000 }],
    ),
    (
        "seeded: what is in flight is claimed",
        "contract 5: what is in flight is not cut, and nothing else of the entry leaves",
        &[
            Act::Receiver { which: 0, mode: Mode::Silent },
            Act::Complete { at: 0, answer: 2 },
            FOREGROUND,
            SECONDS,
            Act::Kill { at: 0 },
            Act::Abandon { at: 0, which: 0 },
            Act::SendFailed { at: 0, which: 0 },
        ],
    ),
    (
        "seeded: a correction does not wait",
        "contract 5: a revision does not begin while an attempt of an earlier one is in flight",
        &[Act::Receiver { which: 0, mode: Mode::Slow }, Act::Complete { at: 0, answer: 0 }, FOREGROUND, SECONDS, CORRECTED],
    ),
    (
        "seeded: a correction names nothing",
        "contract 5: `compass-replaces` names what may have been delivered",
        &[Act::Complete { at: 0, answer: 0 }, FOREGROUND, SECONDS, CORRECTED],
    ),
    (
        "seeded: each message begins a series",
        "contract 4: numbers without holes, in one series",
        &[Act::Complete { at: 0, answer: 0 }, FOREGROUND, SECONDS],
    ),
    ("seeded: a release keeps its counters", "contract 6: a claim that is given back counts nothing", &[]),
    (
        "seeded: no pause for Retry-After",
        "contract 6: a pause that a receiver asks for",
        &[
            Act::Receiver { which: 0, mode: Mode::Pause(503, RetryAfter::Seconds(600)) },
            Act::Complete { at: 0, answer: 2 },
            FOREGROUND,
            SECONDS,
        ],
    ),
];

const FOREGROUND: Act = Act::Foreground { at: 0 };
const CORRECTED: Act = Act::SendCorrected { at: 0, which: 0 };
const SECONDS: Act = Act::Pass { ms: 3_000 };

/// So many seeds are tried for each. The variable `FAULT` chooses one of them by a part of its name.
const SEEDS: u64 = 40;

#[test]
fn the_simulation_finds_every_seeded_fault() {
    let (mut missed, chosen) = (Vec::new(), std::env::var("FAULT").unwrap_or_default());
    for (fault, of, likes) in FAULTS.iter().filter(|(fault, ..)| fault.contains(&chosen)) {
        let began = std::time::Instant::now();
        seed_fault(Some(fault));
        let found = (1..=SEEDS).find_map(|seed| Some((seed, Plan::leaning(seed, likes).run(false).failure?)));
        seed_fault(None);
        match found {
            Some((seed, what)) => {
                let line: String = what.lines().next().unwrap_or_default().chars().take(150).collect();
                println!("{fault} ({of}): seed {seed}, {:?}: {line}", began.elapsed());
            }
            None => {
                println!("{fault} ({of}): not found in {SEEDS} seeds, {:?}", began.elapsed());
                missed.push(fault);
            }
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}
