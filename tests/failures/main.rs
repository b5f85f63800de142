//! What is below the core refuses something during a call: SQLite's allocator gives no memory, or its file system fails, at the n-th request
//! or from there on. The call says so with an error that may be tried again, and has happened altogether or not at all: for the same handle,
//! and for a process that opens the files as they are at that moment. It can then be made again.
//!
//! SQLite ignores some failures, such as those of its caches: then the call has succeeded, and gives what it always does.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "an allocator and a file system of SQLite")]
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;

mod calls;
mod memory;
mod phone;
#[allow(dead_code, reason = "the other one records")]
#[path = "../power_cut/recorder.rs"]
mod recorder;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use compass_core::Error;

use calls::{CALLS, Call, Kind, Told};
use phone::{Phone, USED};
use support::app::text;
use support::facts::{Facts, differences, mixed};
use support::failing::{Asked, Failure, Source, during};
use support::torture::{self, Row};

/// How many failures of each call, from the first request to the last. `EVERY=1` makes one at each request.
const SAMPLE: u64 = 3;

fn prepare() {
    static PREPARED: Once = Once::new();
    PREPARED.call_once(|| {
        memory::register();
        recorder::register();
    });
}

/// A call during which nothing fails.
struct Normal {
    requests: u64,
    told: String,
    after: Facts,
}

fn begin(call: &Call) -> Phone {
    let mut phone = Phone::used();
    if call.kind != Kind::OfClosed {
        phone.open().unwrap();
        // A connection to read is there, too.
        phone.compass().totals().unwrap();
    }
    phone
}

impl Normal {
    fn of(call: &Call, source: Source) -> Self {
        let mut phone = begin(call);
        let (told, asked) = during(Failure { source, first: u64::MAX, lasts: false }, || (call.call)(&mut phone));
        let after = phone.seen().unwrap();
        Self { requests: asked.requests, told: told.unwrap(), after }
    }
}

/// What became of the calls.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    failures: u64,
    refused: u64,
    /// The call succeeded all the same.
    ignored: u64,
}

fn may_be(error: &Error, source: Source) -> bool {
    let codes: &[&str] = match source {
        Source::Memory => &["out_of_memory"],
        Source::Disk => &["io", "cannot_open", "disk_full"],
    };
    error.retryable() && codes.contains(&error.code())
}

/// Whether it may tell this where it tells something else otherwise.
fn may_tell(call: &Call, told: &str, normal: &Normal, source: Source) -> bool {
    let report = |told: &str| told.split('}').next().map(str::to_owned);
    match call.name {
        // What cannot be read is what they are for, as long as they say so. A line of a message also names its session, where that can be read.
        "check" => source == Source::Disk && !told.contains("faults: []"),
        "salvage" => source == Source::Disk && (!told.contains("gaps: 0 ") || report(told) == report(&normal.told)),
        _ => call.kind == Kind::InParts,
    }
}

/// Makes the call while this fails. Gives what is wrong then; true where it was refused, none where nothing failed.
fn fail(call: &Call, failure: Failure, normal: &Normal) -> Result<Option<bool>, String> {
    let mut phone = begin(call);
    let made = catch_unwind(AssertUnwindSafe(|| during(failure, || (call.call)(&mut phone))));
    let Ok((told, Asked { failed, what, .. })) = made else { return Err("it panics".to_owned()) };
    if failed == 0 {
        return Ok(None);
    }
    let wrong = |wrong: String| format!("{what}: {wrong}");
    let is_whole = |seen: &Facts| seen == &USED.before || seen == &normal.after;
    let is_right = |seen: &Facts| is_whole(seen) || call.kind == Kind::InParts && mixed(seen, &USED.before, &normal.after);
    // A process that opens the files as they are now.
    let elsewhere = phone.killed().seen().map_err(|error| wrong(format!("it cannot be opened elsewhere: {error}")))?;
    if !is_right(&elsewhere) {
        return Err(wrong(format!("elsewhere: {}", differences(&USED.before, &elsewhere))));
    }
    match &told {
        Err(error) if !may_be(error, failure.source) => return Err(wrong(format!("it says {}: {error}", error.code()))),
        Ok(told) if *told != normal.told && !may_tell(call, told, normal, failure.source) => {
            return Err(wrong(format!("it says {told}, and not {}", normal.told)));
        }
        Ok(_) if elsewhere != normal.after && call.kind != Kind::InParts => {
            return Err(wrong(format!("it was acknowledged, and is not there: {}", differences(&normal.after, &elsewhere))));
        }
        _ => {}
    }
    let seen = phone.seen().map_err(|error| wrong(format!("afterwards nothing can be read: {error}")))?;
    // A commit that could not be synced is not there for the handle, and may be on the disk.
    if !is_right(&seen) || seen != elsewhere && failure.source == Source::Memory {
        return Err(wrong(format!("the handle shows something else: {}", differences(&elsewhere, &seen))));
    }
    let has_happened = told.is_ok() || seen == normal.after && seen != USED.before;
    again(call, &mut phone, has_happened, normal).map_err(wrong)?;
    Ok(Some(told.is_err()))
}

/// The same call once more, now that nothing fails. What has happened may be refused then, such as the deletion of what is gone.
fn again(call: &Call, phone: &mut Phone, has_happened: bool, normal: &Normal) -> Result<(), String> {
    if call.kind == Kind::OfClosed {
        phone.close();
    }
    let told: Told = (call.call)(phone);
    if let Err(error) = told
        && (!has_happened || error.code() == "internal")
    {
        return Err(format!("it cannot be made again: {} {error}", error.code()));
    }
    let seen = phone.seen().map_err(|error| format!("nothing can be read at last: {error}"))?;
    if seen != normal.after {
        return Err(format!("made again: {}", differences(&normal.after, &seen)));
    }
    let faults = phone.compass().check().map_err(|error| format!("it cannot be checked: {error}"))?.faults;
    if !faults.is_empty() {
        return Err(format!("the check finds {faults:?}"));
    }
    let files = std::fs::read_dir(phone.folder.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = files.filter(|name| name.contains("part")).collect();
    if left.is_empty() { Ok(()) } else { Err(format!("{left:?} are left")) }
}

fn of_environment() -> Option<u64> {
    std::env::var("EVERY").ok().map(|every| every.parse().expect("a number"))
}

/// `SEED` begins with another request.
fn seed() -> u64 {
    std::env::var("SEED").map_or(0, |seed| seed.parse::<u64>().expect("a number").saturating_sub(1))
}

/// Fails each of these calls, at the first request and at each so many further, or at a few. Gives what was wrong.
fn fail_each(calls: &[Call], source: Source, lasts: bool, every: Option<u64>) -> (Counts, Vec<String>) {
    prepare();
    let only = std::env::var("CALL").ok();
    let (mut all, mut wrong) = (Counts::default(), Vec::new());
    for call in calls.iter().filter(|call| only.as_ref().is_none_or(|only| only == call.name)) {
        let normal = Normal::of(call, source);
        let (mut counts, before) = (Counts::default(), wrong.len());
        let step = every.unwrap_or(normal.requests.div_ceil(SAMPLE)).max(1);
        for first in (1 + seed() % step..=normal.requests).step_by(step as usize) {
            match fail(call, Failure { source, first, lasts }, &normal) {
                Ok(None) => continue,
                Ok(Some(true)) => counts.refused += 1,
                Ok(Some(false)) => counts.ignored += 1,
                Err(why) => {
                    let why = format!("{}, request {first} of {}, {why}", call.name, normal.requests);
                    println!("{why}");
                    wrong.push(why);
                }
            }
            counts.failures += 1;
        }
        let Counts { failures, refused, ignored } = counts;
        let found = wrong.len() - before;
        println!(
            "{:18} {:5} requests, {failures:5} fail, {refused:5} refused, {ignored:5} ignored, {found} wrong",
            call.name, normal.requests
        );
        all = Counts { failures: all.failures + failures, refused: all.refused + refused, ignored: all.ignored + ignored };
    }
    println!("{source:?}, lasts {lasts}: {all:?}");
    (all, wrong)
}

fn assert_whole(source: Source, lasts: bool) {
    let (counts, wrong) = fail_each(CALLS, source, lasts, of_environment());
    assert_right((counts, wrong));
    let fault = match (source, lasts) {
        (Source::Memory, false) => "no memory, once",
        (Source::Memory, true) => "no memory from then on",
        (Source::Disk, false) => "a failure of the disk, once",
        (Source::Disk, true) => "a disk that is lost from then on",
    };
    let observed = format!("{} refused, {} ignored and as always", counts.refused, counts.ignored);
    let expected = "an error that may be tried again; nothing done by half";
    torture::say(&Row { fault, injected: counts.failures, expected, observed: &observed, lost: 0 });
}

fn assert_right((_, wrong): (Counts, Vec<String>)) {
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
}

#[test]
fn a_call_for_which_memory_lacks_once_is_refused_whole() {
    assert_whole(Source::Memory, false);
}

#[test]
fn a_call_during_which_memory_runs_out_is_refused_whole() {
    assert_whole(Source::Memory, true);
}

#[test]
fn a_call_for_which_the_disk_fails_once_is_refused_whole() {
    assert_whole(Source::Disk, false);
}

#[test]
fn a_call_during_which_the_disk_is_lost_is_refused_whole() {
    assert_whole(Source::Disk, true);
}

fn assert_whole_often(name: &str, source: Source, every: u64) {
    let call = CALLS.iter().position(|call| call.name == name).unwrap();
    assert_right(fail_each(&CALLS[call..=call], source, false, Some(every)));
}

#[test]
fn a_salvage_tells_of_what_the_disk_did_not_give() {
    assert_whole_often("salvage", Source::Disk, 1);
}

#[test]
fn a_check_takes_no_lack_of_memory_for_damage() {
    assert_whole_often("check", Source::Memory, 37);
}

// What would be found -------------------------------------------------------------------------------------------------------------------

/// Each is found, whatever fails and however.
fn assert_found(call: fn(&mut Phone) -> Told) {
    let calls = [Call { name: "a control", kind: Kind::Whole, call }];
    for (source, every) in [(Source::Memory, 60), (Source::Disk, 3)] {
        for lasts in [false, true] {
            let (counts, wrong) = fail_each(&calls, source, lasts, Some(every));
            assert!(counts.failures > 0 && !wrong.is_empty(), "{source:?}, lasts {lasts}: {counts:?}");
        }
    }
}

#[test]
fn a_call_that_is_made_by_half_is_found() {
    assert_found(|phone| {
        let compass = phone.compass();
        compass.set_field(USED.begun, "site", text("Mill Lane"))?;
        compass.note(USED.begun, "A dog", "note").map(|_| String::new())
    });
}

#[test]
fn what_is_acknowledged_and_not_there_is_found() {
    assert_found(|phone| {
        let _ = phone.compass().set_field(USED.begun, "site", text("Mill Lane"));
        Ok(String::new())
    });
}

#[test]
fn a_wrong_answer_is_found() {
    assert_found(|phone| Ok(format!("{:?}", phone.compass().outbox_totals().unwrap_or_default())));
}
