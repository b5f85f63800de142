//! The cost of the core beside bare SQLite that writes the same rows, and whether it grows with the history.
//!
//! ```sh
//! cargo bench                # everything, in some minutes
//! cargo bench -- --counts    # only what is counted; fails where a limit is passed
//! cargo bench -- --growth    # with 1,000 to 100,000 finished sessions; other numbers may follow
//! cargo bench -- --bytes     # what a finished session leaves in the file
//! cargo bench -- --stall     # the longest of 30,000 waits, and the size of the WAL
//! ```
//!
//! Times of one machine say little, and those of a busy one nothing: both sides run by turns in the same process, on the same disk, with one
//! fsync for each transaction, and the result is the ratio of each round. Instructions and written pages are counted in processes of their own,
//! by `valgrind` and `strace`, and are the same on each run: these have limits, which `tests/run costs` checks. `docs/performance.md` has the
//! figures, and says why some do not reach their goal.
#![allow(clippy::unwrap_used, reason = "a bench may panic")]

mod bare;
mod bytes;
mod counts;
mod gestures;
mod growth;
mod phone;
mod stall;
mod table;

use std::path::Path;
use std::time::{Duration, Instant};

use compass_core::Compass;
use gestures::{GESTURES, GROUP, Gesture, Side, Work, gesture};
use phone::Phone;

const ROUNDS: usize = 15;
/// Runs of each side in a round.
const REPEATS: usize = 20;
/// Groups of messages in a round.
const GROUPS: usize = 10;
const FEW: usize = 100;
const MANY: usize = 10_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(place) = arguments.iter().position(|argument| argument == counts::DO) {
        counts::do_one(&arguments[place + 1..]);
    }
    for (name, does) in [(growth::ON, growth::do_one as fn(&[String])), (growth::MEMORY, growth::print_memory)] {
        if let Some(place) = arguments.iter().position(|argument| argument == name) {
            does(&arguments[place + 1..]);
        }
    }
    if arguments.iter().any(|argument| argument == "--growth") {
        let sizes: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
        growth::growth(&sizes, &Path::new(env!("CARGO_MANIFEST_DIR")).join("target/growth.svg"));
        return;
    }
    if arguments.iter().any(|argument| argument == bytes::BYTES) {
        bytes::bytes(tempfile::tempdir().unwrap().path());
        return;
    }
    if arguments.iter().any(|argument| argument == stall::STALL) {
        stall::stall(tempfile::tempdir().unwrap().path());
        return;
    }
    same_rows();
    if arguments.iter().any(|argument| argument == "--counts") {
        let passed = table::counted();
        std::process::exit(i32::from(!passed));
    }
    let folder = tempfile::tempdir().unwrap();
    println!("{ROUNDS} rounds; ratio: median (least to most)\n");
    beside_bare(folder.path());
    with_history(folder.path());
    println!();
    table::counted();
}

/// Bare SQLite is a measure only while it writes what the core writes.
fn same_rows() {
    for gesture in GESTURES.iter().filter(|gesture| gesture.has_bare) {
        let folder = tempfile::tempdir().unwrap();
        let [core, bare] = [(Side::Core, "core"), (Side::Bare, "bare")].map(|(side, name)| {
            let folder = folder.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            let mut work = (gesture.prepare)(&folder, 3, side);
            work(3);
            drop(work);
            bare::rows_of(&folder.join("compass.db"))
        });
        for ((table, rows, bytes), (_, bare_rows, bare_bytes)) in core.iter().zip(&bare) {
            let most = bytes.max(bare_bytes);
            assert!(
                rows == bare_rows && bytes.abs_diff(*bare_bytes) * 20 <= most.unsigned_abs(),
                "{}: {table} has {rows} rows of {bytes} bytes with the core, and {bare_rows} of {bare_bytes} without",
                gesture.name
            );
        }
    }
}

/// The gestures of a technician, and delivery, beside bare SQLite.
fn beside_bare(folder: &Path) {
    println!("beside bare SQLite with the same rows               ours      ratio");
    for gesture in GESTURES.iter().filter(|gesture| gesture.has_bare && gesture.per == 1) {
        let folder = folder.join(gesture.name);
        let [mut ours, mut bare] = sides(&folder, gesture, ROUNDS * REPEATS);
        row(gesture.about, || ours(1), || bare(1));
    }
    let drain = gesture("drain");
    let rounds = (0..ROUNDS)
        .map(|round| {
            let [mut ours, mut bare] = sides(&folder.join(format!("drain-{round}")), drain, GROUPS);
            (timed(|| ours(GROUPS)), timed(|| bare(GROUPS)))
        })
        .collect();
    print(drain.about, rounds, GROUPS * GROUP);
}

fn sides(folder: &Path, gesture: &Gesture, times: usize) -> [Work; 2] {
    [(Side::Core, "core"), (Side::Bare, "bare")].map(|(side, name)| {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        (gesture.prepare)(&folder, times, side)
    })
}

/// The same phone with few and with many finished sessions.
fn with_history(folder: &Path) {
    println!("\nwith {MANY} finished sessions beside {FEW}              ours      ratio");
    let (small, large) = (Phone::open(&folder.join("few.db")), Phone::open(&folder.join("many.db")));
    for (phone, sessions) in [(&small, FEW), (&large, MANY)] {
        for _ in 0..sessions {
            phone.complete("visit");
        }
        phone.flush(sessions);
    }

    let (in_large, in_small) = (large.start("rounds"), small.start("rounds"));
    let (mut far, mut near) = (in_large.visit, in_small.visit);
    row("an answer", || large.answer(in_large.key, &mut far), || small.answer(in_small.key, &mut near));
    row("start, fill in, complete", || large.work(), || small.work());
    for phone in [&small, &large] {
        phone.flush(ROUNDS * REPEATS);
    }
    row("one message, from completing to settled", || large.deliver(), || small.deliver());
    row("the newest 50 sessions", || large.list(), || small.list());
    row("the record of a session", || large.record(), || small.record());
    row("the outbox in numbers, and what is due next", || large.look(), || small.look());
    row("totals for a report", || large.report(), || small.report());
    let reopen = |phone: &Phone| {
        phone.compass.close().unwrap();
        Compass::open(phone.options.clone()).unwrap().close().unwrap();
    };
    // From here on both are closed.
    row("close and open", || reopen(&large), || reopen(&small));
}

// Measuring ---------------------------------------------------------------------------------------------------------------------------

fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

/// Both by turns; each is first in every other round.
fn row(name: &str, mut ours: impl FnMut(), mut other: impl FnMut()) {
    let mut all = |ours_first: bool| {
        let mut of_ours = || timed(|| (0..REPEATS).for_each(|_| ours()));
        if ours_first {
            let time = of_ours();
            (time, timed(|| (0..REPEATS).for_each(|_| other())))
        } else {
            let time = timed(|| (0..REPEATS).for_each(|_| other()));
            (of_ours(), time)
        }
    };
    let rounds = (0..ROUNDS).map(|round| all(round % 2 == 0)).collect();
    print(name, rounds, REPEATS);
}

fn print(name: &str, rounds: Vec<(Duration, Duration)>, times: usize) {
    let mut ours: Vec<_> = rounds.iter().map(|(ours, _)| ours.as_secs_f64() * 1e6 / times as f64).collect();
    let mut ratios: Vec<_> = rounds.iter().map(|(ours, other)| ours.as_secs_f64() / other.as_secs_f64()).collect();
    for numbers in [&mut ours, &mut ratios] {
        numbers.sort_by(f64::total_cmp);
    }
    let middle = ratios.len() / 2;
    println!("{name:<48} {:>7.0} us   {:.2} ({:.2} to {:.2})", ours[middle], ratios[middle], ratios[0], ratios[ratios.len() - 1]);
}
