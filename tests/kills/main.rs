//! Processes are killed in the middle of their work, and lose nothing: real processes, one to three on one file, SIGKILL at every place with a
//! name and at random, and a receiver with TLS that verifies each request with the official library, notes each copy and fails at will.
//!
//! A process says each call before it makes it, and what the session is once the call has returned. What was acknowledged is there afterwards;
//! the one call under way has happened altogether or not at all; a session is completed if and only if there is a message for each of its
//! actions. In the end everything is delivered, every copy of an id has the same bytes, and there are no more accepted copies than attempts
//! whose outcome nobody knows, and replays, account for.
//!
//! A kill counts only if a call was open. A kill loses nothing that was written: `power_cut` cuts the power.
#![cfg(all(target_os = "linux", feature = "built-in-transport"))]
#![allow(unsafe_code, reason = "what SQLite tells of its statements, and signals")]
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;

mod clock;
mod known;
mod older;
mod points;
mod receiver;
#[allow(dead_code, reason = "the other one records")]
#[path = "../power_cut/recorder.rs"]
mod recorder;
mod restores;
#[path = "../support/rng.rs"]
#[allow(dead_code, reason = "this program needs a part of it")]
mod rng;
mod signals;
mod stopped;
mod worker;
mod world;

use std::collections::BTreeMap;

use receiver::MOMENTS;
use restores::{Present, Template};
use rng::Rng;
use stopped::{CLAIMED, End, LOCKED};
use support::past_every_rule;
use support::torture::{Row, say};
use worker::Wrong;
use world::{AT_RANDOM, Counts, Place, World, at_random};

/// How many kills. `KILLS=4000` makes a long run.
const KILLS: u64 = 240;
/// How many in one world.
const IN_A_WORLD: usize = 24;
/// In a long run no place has fewer kills.
const LEAST: u64 = 20;
/// Places that there must be, whatever the product's statements are.
const PLACES: [&str; 20] = [
    "complete: before BEGIN",
    "complete: after INSERT event",
    "complete: after UPDATE session",
    "complete: after INSERT action",
    "complete: after INSERT outbox",
    "complete: before COMMIT",
    "complete: in COMMIT, before xWrite",
    "complete: in COMMIT, before xSync",
    "complete: after COMMIT",
    "claim: before BEGIN",
    "claim: after UPDATE outbox",
    "claim: before COMMIT",
    "claim: in COMMIT, before xSync",
    "claim: after COMMIT",
    "settle: before BEGIN",
    "settle: after UPDATE outbox",
    "settle: before COMMIT",
    "settle: in COMMIT, before xSync",
    "settle: after COMMIT",
    "send: 2xx read, not recorded",
];

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

#[test]
#[ignore = "runs in processes of its own, for the tests below"]
fn a_process_that_works() {
    worker::work();
}

/// Places by name, and how often a process comes to each.
type Places = BTreeMap<String, u64>;

/// Those to which processes come, in so many steps.
fn places(seed: u64) -> Places {
    let mut places = World::new(1, seed, Wrong::Nothing).places(seed);
    for place in PLACES {
        assert!(places.contains_key(place), "nothing comes to {place:?}: {places:?}");
    }
    places.extend(MOMENTS.map(|moment| (moment.to_owned(), 3)));
    places
}

/// Where to kill: at each place with a name as often as at each other, and at random as often as at all of these.
fn planned(places: &Places, kills: u64, rng: &mut Rng) -> Vec<Place> {
    let names: Vec<_> = places.iter().collect();
    let next = |number: u64| match names[(number / 2) as usize % names.len()] {
        (name, times) if number.is_multiple_of(2) => Place::Named(name.clone(), rng.range(1, (*times).min(12))),
        _ => at_random(rng),
    };
    (0..kills).map(next).collect()
}

/// Each so often that it has been there the least number of times.
fn lacking(places: &Places, counts: &Counts, least: u64, rng: &mut Rng) -> Vec<Place> {
    let lacks = |name: &str| least.saturating_sub(counts.kills.get(name).copied().unwrap_or(0));
    let of = |(name, times): (&String, &u64)| {
        (0..lacks(name)).map(|_| Place::Named(name.clone(), rng.range(1, (*times).min(3)))).collect::<Vec<_>>()
    };
    places.iter().flat_map(of).collect()
}

fn run(kills: u64, seed: u64) -> Result<(Places, Counts), String> {
    let (places, mut rng) = (places(seed), Rng::new(seed));
    let least = (kills / places.len() as u64 / 4).clamp(1, LEAST);
    let (mut counts, mut worlds) = (Counts::default(), 0);
    let mut next = planned(&places, kills, &mut rng);
    while !next.is_empty() {
        for chunk in next.chunks(IN_A_WORLD) {
            let seed = seed.wrapping_mul(1_000).wrapping_add(worlds);
            let world = World::new(1 + worlds as usize % 3, seed, Wrong::Nothing);
            counts.add(world.run(chunk, seed).map_err(|wrong| format!("world {worlds} of seed {seed}: {wrong}"))?);
            worlds += 1;
        }
        if worlds > kills {
            return Err(format!("some places are never reached: {:?}", counts.kills));
        }
        next = lacking(&places, &counts, least, &mut rng);
    }
    Ok((places, counts))
}

#[test]
fn what_was_acknowledged_survives_a_kill_at_every_place() {
    let (places, counts) = run(number("KILLS", KILLS), number("SEED", 1)).unwrap_or_else(|wrong| panic!("{wrong}"));
    for (name, count) in &counts.kills {
        println!("{count:6}  {name}");
    }
    let Counts { idle, missed, happened, acknowledged, sessions, messages, copies, unknown, .. } = counts;
    println!("{idle} more between calls, {missed} came to no place; {happened} calls had happened and were not acknowledged");
    println!("{acknowledged} acknowledged calls, {sessions} sessions, {messages} messages, {copies} copies, {unknown} unknown outcomes");
    for work in ["complete", "claim", "send", "settle"] {
        let of_work = |name: &&String| name.starts_with(&format!("{work}:"));
        let kills = places.keys().filter(of_work).map(|name| counts.kills[name]);
        let (of_work, least) = (places.keys().filter(of_work).count(), kills.clone().min().unwrap_or(0));
        told(&format!("kill in {work}"), kills.sum(), &format!("{of_work} places with {least} at least"));
    }
    let observed = format!("{sessions} sessions and {messages} messages, {copies} copies, {happened} done and not acknowledged");
    told("kill at random", counts.kills.get(AT_RANDOM).copied().unwrap_or(0), &observed);
}

#[test]
#[ignore = "runs in processes of its own, for the test below"]
fn a_process_that_restores() {
    restores::restore();
}

/// How many kills of a restore at each place. With `KILLS` there are [`LEAST`].
const OF_A_RESTORE: u64 = 2;

#[test]
fn a_restore_that_is_killed_at_any_place_leaves_the_old_file_or_the_new_one() {
    let seed = number("SEED", 1);
    let each = if std::env::var("KILLS").is_ok() { LEAST } else { OF_A_RESTORE };
    for present in [Present::Opens, Present::Damaged] {
        let (template, mut rng) = (Template::new(present, seed), Rng::new(seed));
        let (mut kills, mut new) = (0, 0);
        for (place, times) in &template.places {
            let (mut of_place, mut tries) = (0, 0);
            while of_place < each {
                // The first ones in turn, then at random.
                let at = if of_place < each / 2 { 1 + of_place % times } else { rng.range(1, *times) };
                let killed = template.kill(place, at, &mut rng);
                if let Some(is_new) = killed.unwrap_or_else(|wrong| panic!("{present:?}, {place}, time {at}: {wrong}")) {
                    of_place += 1;
                    new += u64::from(is_new);
                }
                tries += 1;
                assert!(tries < 10 * each, "{place}, time {at} of {times}: it is not reached");
            }
            println!("{of_place:6}  {place}, of {times} times");
            kills += of_place;
        }
        let fault = format!("kill in a restore, over a file that {}", if present == Present::Opens { "opens" } else { "is damaged" });
        let observed = format!("{} places with {each} at least; {new} times the new file", template.places.len());
        let expected = "the old file or the new one, each whole; the same ids and bytes";
        say(&Row { fault: &fault, injected: kills, expected, observed: &observed, lost: 0 });
    }
}

/// How many processes stand still past their lease, and with the lock a third of these. `STOPS` makes a long run.
const STOPS: u64 = 6;

/// Runs all of these, several at once: they wait for most of the time.
fn all_at_once(count: u64, run: impl Fn(u64) -> Result<Counts, String> + Sync) -> Counts {
    let next = std::sync::atomic::AtomicU64::new(0);
    let mut all = Counts::default();
    std::thread::scope(|scope| {
        let work = || {
            let numbers =
                std::iter::from_fn(|| Some(next.fetch_add(1, std::sync::atomic::Ordering::SeqCst)).filter(|number| *number < count));
            numbers.map(|number| run(number).unwrap_or_else(|wrong| panic!("{number}: {wrong}"))).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(work)).collect();
        threads.into_iter().for_each(|thread| thread.join().expect("all is well").into_iter().for_each(|counts| all.add(counts)));
    });
    all
}

fn stops(fault: &str, count: u64, places: &[&str], expected: &str, run: fn(&str, End, u64) -> Result<Counts, String>) {
    let seed = number("SEED", 1);
    let ends = [End::Killed, End::Resumed];
    let counts = all_at_once(count, |number| {
        let (place, end) = (places[number as usize / 2 % places.len()], ends[number as usize % 2]);
        run(place, end, seed.wrapping_mul(1_000).wrapping_add(number)).map_err(|wrong| format!("{place}, {end:?}: {wrong}"))
    });
    let Counts { messages, copies, unknown, .. } = counts;
    let places = places.len().min(count.div_ceil(2) as usize);
    let observed = format!("so at {places} places; {messages} messages, {copies} copies, {unknown} unknown outcomes");
    say(&Row { fault, injected: count, expected, observed: &observed, lost: 0 });
}

#[test]
fn a_process_that_stands_still_past_its_lease_does_no_harm() {
    let expected = "others deliver; its late results do no harm";
    stops("stopped past its lease, then killed or resumed", number("STOPS", STOPS), &CLAIMED, expected, stopped::past_its_lease);
}

#[test]
fn a_process_that_stands_still_with_the_lock_delays_others_and_no_more() {
    let expected = "locked, to be tried again; reading goes on; nothing by half";
    let count = (number("STOPS", STOPS) / 3).max(2);
    stops("stopped with the lock for writing, then killed or resumed", count, &LOCKED, expected, stopped::with_the_lock);
}

/// How many files of an older build are updated beside it, where `OLDER` says so: building it takes minutes.
const OLDER: u64 = 40;

#[test]
fn an_older_build_beside_the_present_one_damages_nothing() {
    let expected = "the older build is refused or does no harm; what either acknowledged is there";
    let row = |injected, observed: &str| {
        say(&Row { fault: "a build of the first schema beside the present one", injected, expected, observed, lost: 0 })
    };
    if std::env::var("OLDER").is_err() {
        return row(0, "not run: at full size alone");
    }
    let Some(program) = older::build() else { return row(0, "not run: the history of the repository is not here") };
    let first = number("SEED", 1);
    let (mut calls, mut all) = (older::CallCounts::default(), Counts::default());
    for number in 0..OLDER {
        let seed = first * 1_000 + number;
        let (made, counts) = older::beside(&program, seed).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        calls.made += made.made;
        calls.refused += made.refused;
        all.add(counts);
    }
    let observed = format!(
        "after the update {} of its calls refused, {} made; {} sessions, {} messages",
        calls.refused, calls.made, all.sessions, all.messages
    );
    row(OLDER, &observed);
}

fn told(fault: &str, injected: u64, observed: &str) {
    say(&Row { fault, injected, expected: "what was acknowledged is there; all is delivered, byte for byte", observed, lost: 0 });
}

// What would be found -------------------------------------------------------------------------------------------------------------------

/// Processes that do something wrong are found out.
fn assert_found(wrong: Wrong, place: &Place, says: &str) {
    let world = World::new(2, 7, wrong);
    let found = world.run(&vec![place.clone(); 12], 7).expect_err("it is found");
    assert!(found.contains(says), "{found}");
}

fn named(name: &str) -> Place {
    Place::Named(name.to_owned(), 1)
}

const SOME: Place = Place::Random { lines: 60, spin: 0 };

#[test]
fn an_acknowledgement_before_the_commit_is_found() {
    assert_found(Wrong::Early, &named("complete: before COMMIT"), "was acknowledged, and is lost");
}

#[test]
fn a_message_that_is_sent_twice_is_found() {
    assert_found(Wrong::Twice, &SOME, "are accounted for");
}

#[test]
fn changed_bytes_are_found() {
    assert_found(Wrong::Changed, &SOME, "does not verify");
}

#[test]
fn a_message_that_was_never_sent_is_found() {
    assert_found(Wrong::Unsent, &SOME, "accepted 0 times");
}

#[test]
fn a_message_that_is_missing_is_found() {
    let world = World::new(1, 7, Wrong::Nothing);
    let (known, mut counts) = world.work(&[SOME], 7).unwrap();
    world.compare_all(&known, &mut counts).unwrap();
    let sql = rusqlite::Connection::open(world.path()).unwrap();
    past_every_rule(&sql, |sql| sql.execute("DELETE FROM outbox WHERE id = (SELECT min(id) FROM outbox)", []).unwrap());
    drop(sql);
    let found = world.compare_all(&known, &mut counts).unwrap_err();
    assert!(found.contains("do not agree"), "{found}");
}

#[test]
fn a_copy_that_is_written_over_the_file_in_parts_is_found() {
    let (template, mut rng) = (Template::new(Present::Opens, 7), Rng::new(7));
    let found = (1..=10).filter(|part| template.kill(restores::IN_PARTS, *part, &mut rng).is_err());
    assert!(found.count() > 0);
}
