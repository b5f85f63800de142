//! What the core costs: writes to flash and bytes per gesture. Counted by `strace` in a process of its own; where there is no `strace`,
//! these tests say so and count nothing.
#![cfg(feature = "built-in-transport")]
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command as Program;
use std::sync::Arc;

use compass_core::model::*;
use compass_core::testing::ScriptedTransport;
use compass_core::transport::{BuiltIn, BuiltInOptions};
use compass_core::{Compass, Options};
use serde_json::json;
use support::field::*;
use support::{Reply, TestServer};

/// What a process did between two marks.
#[derive(Debug, Default, Clone, Copy)]
struct Cost {
    /// fsyncs of the WAL: one per transaction, and one or two more per checkpoint.
    wal_syncs: usize,
    /// fsyncs of the database file itself: one per checkpoint.
    checkpoints: usize,
    log_bytes: u64,
}

impl Cost {
    /// fsyncs that no checkpoint explains. A checkpoint syncs the WAL before it copies, and the WAL's new head after it.
    fn at_least(&self) -> usize {
        self.wal_syncs.saturating_sub(2 * self.checkpoints)
    }
}

/// Marks a moment in the trace: the only thing that syncs a file of this name.
fn mark(name: &str) {
    let path = PathBuf::from(setting("MARKS")).join(format!("mark-{name}"));
    std::fs::File::create(path).unwrap().sync_all().unwrap();
}

fn strace_works() -> bool {
    let works = Program::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success());
    if !works {
        println!("skipped: strace is not available here");
    }
    works
}

/// Runs an ignored test of this suite in a process of its own and counts between its marks.
fn traced(test: &str, settings: &[(&str, &str)]) -> Vec<(String, Cost)> {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let status = Program::new("strace")
        .args(["-f", "-qq", "-y", "-e", "trace=fsync,fdatasync,pwrite64", "-s", "0", "-o", trace.to_str().unwrap()])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--test-threads=1"])
        .envs(settings.iter().copied())
        .env("MARKS", folder.path())
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{test} failed");
    count(&trace)
}

fn count(trace: &Path) -> Vec<(String, Cost)> {
    let mut phases: Vec<(String, Cost)> = Vec::new();
    for line in std::fs::read_to_string(trace).unwrap().lines() {
        let is_sync = line.contains("fsync(") || line.contains("fdatasync(");
        if let Some((_, name)) = line.split_once("/mark-").filter(|_| is_sync) {
            phases.push((name.split('>').next().unwrap().to_owned(), Cost::default()));
            continue;
        }
        let Some((_, cost)) = phases.last_mut() else { continue };
        let of_wal = line.contains("-wal>");
        // A call that another thread's interrupts is in the trace twice: it counts where it begins.
        match (is_sync, line.contains("pwrite64(")) {
            (true, _) if of_wal => cost.wal_syncs += 1,
            (true, _) if line.contains(".db>") => cost.checkpoints += 1,
            (_, true) if of_wal => {
                let length = line.rsplit_once(", ").and_then(|(head, _)| head.rsplit_once(", "));
                cost.log_bytes += length.and_then(|(_, length)| length.trim().parse::<u64>().ok()).unwrap_or(0);
            }
            _ => {}
        }
    }
    phases
}

fn phase(phases: &[(String, Cost)], name: &str) -> Cost {
    phases.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{name} in {phases:?}")).1
}

// Delivery ----------------------------------------------------------------------------------------------------------------------------

#[test]
#[ignore = "runs in a process of its own, for the test below"]
fn a_phone_that_delivers_a_backlog() {
    let server = TestServer::http(|_| Reply::status(202));
    let folder = tempfile::tempdir().unwrap();
    let transport = BuiltIn::new(BuiltInOptions { allow_plain_http_to_loopback: true, ..BuiltInOptions::default() }).unwrap();
    let mut options = Options::new(folder.path().join("compass.db")).transport(Arc::new(transport));
    options.allow_plain_http_to_loopback = true;
    let compass = Compass::open(options).unwrap();
    compass.set_integration_enabled(true).unwrap();
    compass.put_endpoint(&endpoint(OFFICE, &server.url("/hook"))).unwrap();
    backlog(&compass, 320, OFFICE);
    mark("drain");
    let report = flush(&compass);
    mark("drained");
    assert_eq!((report.sent, report.pending), (320, 0));
    flush(&compass);
    compass.next_due().unwrap();
    mark("idle");
}

#[test]
fn a_backlog_costs_one_fsync_per_32_messages_and_one_per_claim() {
    if !strace_works() {
        return;
    }
    let phases = traced("a_phone_that_delivers_a_backlog", &[]);
    let drain = phase(&phases, "drain");
    println!("{drain:?}");
    // Ten groups of 32 and their claims, and three for the search index, which has a longer backlog than a search takes; two to spare for
    // groups that a busy machine settles for their age.
    assert!(drain.at_least() <= 25, "{drain:?}");
    assert!(drain.wal_syncs >= 10, "the count is not blind: {drain:?}");
    let idle = phase(&phases, "drained");
    assert_eq!((idle.wal_syncs, idle.log_bytes), (0, 0), "a flush with nothing to do writes nothing");
}

// Commands ----------------------------------------------------------------------------------------------------------------------------

/// Two sections one can go to and fro between, and an end.
fn loop_workflow() -> Vec<u8> {
    let section = |key: &str, next: &str| {
        json!({ "key": key, "name": key, "fields": ["reading"],
                "answers": [{ "key": "go", "name": "Go", "next": next }, { "key": "stop", "name": "Stop", "next": "end" }] })
    };
    let document = json!({
        "format": 1, "key": "rounds", "version": 1, "name": "Rounds", "start": "here",
        "fields": [{ "key": "reading", "name": "Reading", "type": "text" }],
        "sections": [section("here", "there"), section("there", "here"), { "key": "end", "name": "End", "answers": [] }],
    });
    serde_json::to_vec(&document).unwrap()
}

const GESTURES: usize = 40;

#[test]
#[ignore = "runs in a process of its own, for the tests below"]
fn a_phone_in_use() {
    let field = Field::with(ScriptedTransport::always(202), |options| {
        options.path = setting("DATABASE").into();
        options.clock = Arc::new(compass_core::port::SystemClock::default());
        options.random = Arc::new(compass_core::port::SystemRandom);
    });
    let compass = &field.compass;
    compass.import_workflow(&loop_workflow()).unwrap();
    let view = compass.start(&Start::new("rounds", id())).unwrap().view;
    // A session that is under way, so that its own beginning is not measured.
    let mut visit = view.visit;
    for _ in 0..10 {
        visit = compass.answer(view.key, visit, "go").unwrap().view.visit;
    }
    mark("answers");
    for _ in 0..GESTURES {
        visit = compass.answer(view.key, visit, "go").unwrap().view.visit;
    }
    mark("values");
    for number in 0..GESTURES {
        compass.set_field(view.key, "reading", FieldValue::Text(format!("{number}"))).unwrap();
    }
    mark("several");
    let changes = |text: &str| vec![FieldChange { field: "reading".into(), change: Change::Set(FieldValue::Text(text.into())) }];
    let note = |text: &str| Command::Note { command_id: id(), text: text.into() };
    for number in 0..GESTURES {
        let text = format!("several {number}");
        let commands = [Command::SetFields { changes: changes(&text) }, note("one"), note("two")];
        compass.run(view.key, None, &commands, None).unwrap();
    }
    mark("nothing");
    for _ in 0..GESTURES {
        assert_eq!(compass.answer(view.key, 1, "go").unwrap().applied, Applied::Stale);
        assert!(compass.complete(view.key, visit).is_err());
        compass.session(view.key).unwrap();
        compass.outbox_totals().unwrap();
        compass.sessions(&SessionFilter::default(), None, 50).unwrap();
    }
    mark("end");
}

#[test]
fn a_gesture_costs_one_fsync_and_a_look_costs_none() {
    if !strace_works() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let phases = traced("a_phone_in_use", &[("DATABASE", folder.path().join("compass.db").to_str().unwrap())]);
    for name in ["answers", "values", "several"] {
        let cost = phase(&phases, name);
        println!("{name}: {cost:?}");
        assert!(cost.wal_syncs >= GESTURES, "{name}: acknowledged is durable: {cost:?}");
        assert!(cost.at_least() <= GESTURES, "{name}: {cost:?}");
        assert!(cost.checkpoints <= GESTURES / 4, "{name}: {cost:?}");
    }
    let nothing = phase(&phases, "nothing");
    assert_eq!((nothing.wal_syncs, nothing.log_bytes, nothing.checkpoints), (0, 0, 0), "what changes nothing writes nothing");
}

/// A database with so many finished sessions.
fn with_history(path: &Path, sessions: usize) {
    let field = Field::with(ScriptedTransport::always(202), |options| options.path = path.to_owned());
    for number in 0..sessions {
        let view = field.compass.start(&Start::new("visit", id())).unwrap().view;
        let change = Change::Set(FieldValue::Text(format!("reading {number}")));
        let commands = [
            Command::SetFields { changes: vec![FieldChange { field: "reading".into(), change }] },
            Command::Complete { visit: view.visit },
        ];
        field.compass.run(view.key, None, &commands, None).unwrap();
    }
    field.flush();
    field.compass.close().unwrap();
}

#[test]
fn what_a_gesture_costs_follows_what_it_changes_and_not_what_was_before() {
    if !strace_works() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [few, many] = [10, 2_000].map(|sessions| {
        let path = folder.path().join(format!("{sessions}.db"));
        with_history(&path, sessions);
        traced("a_phone_in_use", &[("DATABASE", path.to_str().unwrap())])
    });
    for name in ["answers", "values"] {
        let [few, many] = [&few, &many].map(|phases| phase(phases, name).log_bytes as f64 / GESTURES as f64);
        println!("{name}: {few} bytes after 10 sessions, {many} after 2000");
        // Trees that outgrow their first page cost a little, once: less than a page of 4 KiB in the mean, and a note of each new page, so that
        // the file can shrink.
        let room = (few * 0.1).max(4608.0);
        assert!(few > 0.0 && (many - few).abs() <= room, "{name}: {few} bytes after 10 sessions, {many} after 2000");
    }
}
