//! The phone dies: a real process is killed at random moments while it works, and everything it had acknowledged is there afterwards.
//!
//! The process is this very program, started again to run [`the_phone_at_work`] alone. Before each call it says how many events the call
//! will write, after each call that it returned, and what the session then is. The one that killed it compares: every session is what was
//! last acknowledged, but for the one call that was under way, and that one happened altogether or not at all.

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command as Process, Stdio};

use compass_core::model::*;
use compass_core::{Compass, Options};
use serde_json::{Value, json};
use support::app::{endpoint, pump_check, set, text};

/// Set in the child: what it is to do, the file, and a number that no other child of the test has.
const WORK: &str = "COMPASS_CRASH_WORK";

// The child -----------------------------------------------------------------------------------------------------------------------------

/// Does nothing in an ordinary run of the tests; is the whole of a child.
#[test]
fn the_phone_at_work() {
    let Ok(work) = std::env::var(WORK) else { return };
    let parts: Vec<&str> = work.split('|').collect();
    let number = |at: usize| -> u64 { parts[at].parse().expect("a number") };
    match parts[0] {
        "random" => work_at_random(Path::new(parts[1]), number(2)),
        "count" => work_so_much(Path::new(parts[1]), number(2)),
        other => panic!("no such work: {other}"),
    }
}

fn say(word: &str, what: &Value) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{word} {what}").and_then(|()| out.flush()).expect("somebody listens");
}

/// Numbers that look random and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

fn installed(path: &Path) -> Compass {
    let compass = Compass::open(Options::new(path)).expect("opens");
    compass.import_workflow(&pump_check(1)).expect("imports");
    compass.set_integration_enabled(true).expect("turns on");
    compass.put_endpoint(&endpoint("office")).expect("registers");
    compass
}

fn work_at_random(path: &Path, seed: u64) {
    let mut dice = Dice(seed);
    let compass = installed(path);
    let running = SessionFilter { states: vec![SessionState::InProgress], ..Default::default() };
    let mut open: Vec<SessionKey> = compass.sessions(&running, None, 500).expect("a list").sessions.iter().map(|one| one.key).collect();
    let mut finished: Vec<SessionKey> = Vec::new();
    // Ends when it is killed, or some time after nobody did.
    for step in 0..20_000 {
        let fresh = format!("{seed}-{step}");
        if open.len() < 3 {
            say("TRY", &json!({ "session": null, "events": 1 }));
            let view = compass.start(&Start { actor: Some("Mia".into()), ..Start::new("pump-check", fresh) }).expect("starts").view;
            open.push(view.key);
            acknowledge(&compass, view.key);
            continue;
        }
        let late = finished.len() > 3 && dice.roll(8) == 0;
        let session = if late { finished[dice.roll(finished.len())] } else { open[dice.roll(open.len())] };
        let view = compass.session(session).expect("a session");
        let (visit, word) = (view.visit, format!("{} of {step}", ["loud", "wet", "rusty", "fine"][dice.roll(4)]));
        let site = Command::SetFields { changes: vec![set("site", text(&word))] };
        let note = Command::Note { command_id: fresh.clone(), text: word.clone() };
        let moved = match view.section.key.as_str() {
            "yard" => Command::Answer { visit, answer: ["on", "on", "again"][dice.roll(3)].into() },
            "pump" => Command::Answer { visit, answer: ["fine", "broken"][dice.roll(2)].into() },
            "broken" => Command::Answer { visit, answer: ["fixed", "left"][dice.roll(2)].into() },
            _ => Command::Complete { visit },
        };
        let commands = if late {
            vec![Command::Edit { command_id: fresh, fields: vec![set("site", text(&word))], notes: vec![], reason: None }]
        } else {
            match dice.roll(9) {
                0 => vec![note],
                1 => vec![site],
                2 if view.path.len() > 1 => vec![Command::Back { visit, to_visit: view.path[dice.roll(view.path.len() - 1)].visit }],
                3 => vec![Command::UseResponse { command_id: fresh, response: "why".into() }],
                4 if dice.roll(4) == 0 => vec![Command::End { command_id: fresh, reason: word }],
                5 => {
                    say("TRY", &json!({ "session": session, "events": 0 }));
                    compass.save_draft(session, "remark", &word).expect("keeps a draft");
                    acknowledge(&compass, session);
                    continue;
                }
                // Several changes in one call.
                6 => vec![site, note],
                _ => match view.section.key.as_str() {
                    "yard" => vec![site, moved],
                    "broken" => vec![Command::SetFields { changes: vec![set("tag", text(&word))] }, moved],
                    _ => vec![moved],
                },
            }
        };
        say("TRY", &json!({ "session": session, "events": commands.len() }));
        let outcome = compass.run(session, Some("Mia"), &commands, None).expect("is accepted");
        assert_eq!(outcome.applied, Applied::Yes);
        acknowledge(&compass, session);
        if outcome.view.state.is_finished() && !late {
            open.retain(|one| *one != session);
            finished.push(session);
        }
    }
}

/// Says at once that the call returned, and then what the session is.
fn acknowledge(compass: &Compass, session: SessionKey) {
    say("DONE", &Value::Null);
    let view = compass.session(session).expect("a session");
    let record = compass.record(session).expect("a record");
    say("ACK", &json!({ "session": session, "view": view, "record": record }));
}

fn work_so_much(path: &Path, calls: u64) {
    let compass = installed(path);
    let session = compass.start(&Start::new("pump-check", "start")).expect("starts").view.key;
    compass.set_field(session, "site", text("Mill Lane")).expect("sets");
    for call in 0..calls {
        // By turns an answer, a value and a note.
        match call % 3 {
            0 => drop(compass.answer(session, 1 + call as u32 / 3, "again").expect("moves on")),
            1 => drop(compass.set_field(session, "site", text(&format!("Mill Lane {call}"))).expect("sets")),
            _ => drop(compass.note(session, "loud", &format!("note {call}")).expect("notes")),
        }
    }
    compass.close().expect("closes");
}

// The parent ------------------------------------------------------------------------------------------------------------------------------

fn this_program() -> Process {
    Process::new(std::env::current_exe().expect("this program"))
}

fn start_phone(mut program: Process, work: &str) -> Process {
    program.args(["the_phone_at_work", "--exact", "--nocapture", "--test-threads=1"]).env(WORK, work);
    program
}

/// What was acknowledged, by session.
type Known = BTreeMap<String, (SessionView, SessionRecord)>;

/// A line of the timeline without what later lines may change of it.
fn line(item: &TimelineItem) -> Value {
    let mut line = serde_json::to_value(item).expect("JSON");
    line["entry"].as_object_mut().expect("an entry").remove("superseded");
    line
}

fn without_drafts(view: &SessionView) -> SessionView {
    let mut view = view.clone();
    view.fields.iter_mut().for_each(|field| field.draft = None);
    view
}

fn what_is_done(record: &SessionRecord) -> SessionRecord {
    let mut record = record.clone();
    record.fields.iter_mut().for_each(|field| field.draft = None);
    record
}

/// Kills the phone after so many acknowledged calls, and gives the call that was under way.
fn work_until_killed(path: &Path, seed: u64, acknowledged: usize, spin: usize, known: &mut Known) -> Value {
    let work = format!("random|{}|{seed}", path.display());
    let mut child = start_phone(this_program(), &work);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its words"));
    let (mut seen, mut under_way, mut killed) = (0, Value::Null, false);
    let mut line = Vec::new();
    // All that it had said before it died was said, so everything is read.
    while lines.read_until(b'\n', &mut line).expect("readable") > 0 {
        let whole = line.ends_with(b"\n");
        let said = String::from_utf8_lossy(&line).trim().to_owned();
        line.clear();
        if !whole {
            break;
        }
        if let Some(call) = said.strip_prefix("TRY ") {
            under_way = serde_json::from_str(call).expect("JSON");
        } else if said.starts_with("DONE") {
            under_way["returned"] = true.into();
        } else if let Some(fact) = said.strip_prefix("ACK ") {
            let mut fact: Value = serde_json::from_str(fact).expect("JSON");
            let key = fact["session"].as_str().expect("a key").to_owned();
            let (view, record) = (fact["view"].take(), fact["record"].take());
            known.insert(key, (serde_json::from_value(view).expect("a view"), serde_json::from_value(record).expect("a record")));
            under_way = Value::Null;
            seen += 1;
        }
        if seen >= acknowledged && !killed {
            for _ in 0..spin {
                std::hint::spin_loop();
            }
            child.kill().expect("kills");
            killed = true;
        }
    }
    let status = child.wait().expect("ends");
    assert!(killed && !status.success(), "it ended by itself");
    under_way
}

/// Compares the file with what was acknowledged, and takes it as known from here on. Says whether the call under way had happened.
fn compare(path: &Path, known: &mut Known, under_way: &Value) -> bool {
    let compass = Compass::open(Options::new(path)).expect("opens after the crash");
    assert_eq!(compass.check().expect("checks").faults, [""; 0]);
    let all = SessionFilter {
        states: vec![SessionState::InProgress, SessionState::Completed, SessionState::Ended, SessionState::Discarded],
        ..Default::default()
    };
    let mut more = 0;
    let (mut page, mut there) = (None, 0);
    loop {
        let sessions = compass.sessions(&all, page.as_deref(), 500).expect("a list");
        for summary in &sessions.sessions {
            there += 1;
            let key = summary.key.to_string();
            let (view, record) = (compass.session(summary.key).expect("a view"), compass.record(summary.key).expect("a record"));
            fires_what_it_met(&compass, &record);
            match known.get(&key) {
                None => {
                    assert!(under_way["events"] == 1 && under_way["session"].is_null(), "a session that nobody asked for: {under_way}");
                    assert_eq!(record.timeline.len(), 1);
                    more += 1;
                }
                Some((seen, told)) if (seen, told) == (&view, &record) => {}
                Some((seen, told)) => {
                    more += 1;
                    assert_eq!(under_way["session"], key.as_str(), "a session that nothing was done to has changed");
                    let events = under_way["events"].as_u64().expect("a number") as usize;
                    assert_eq!(record.timeline.len(), told.timeline.len() + events, "a call happens altogether or not at all");
                    let before: Vec<Value> = told.timeline.iter().map(line).collect();
                    assert_eq!(record.timeline[..before.len()].iter().map(line).collect::<Vec<_>>(), before);
                    if events == 0 {
                        assert_eq!((without_drafts(seen), what_is_done(told)), (without_drafts(&view), what_is_done(&record)));
                    }
                }
            }
            known.insert(key, (view, record));
        }
        if sessions.next.is_none() {
            break;
        }
        page = sessions.next;
    }
    assert_eq!(there, known.len(), "no acknowledged session is lost");
    assert!(more <= 1, "{more} calls happened that were not acknowledged");
    // A draft may be one that the current section does not show.
    assert!(more == 1 || under_way["returned"] != true || under_way["events"] == 0, "what returned is lost: {under_way}");
    more == 1 && under_way["returned"] != true
}

/// A session is completed if and only if there is a message for each action it met.
fn fires_what_it_met(compass: &Compass, record: &SessionRecord) {
    let workflow = compass.workflow(&record.workflow.key, None).expect("the workflow");
    let mut met: Vec<&str> = Vec::new();
    for step in &record.path {
        for action in &workflow.section(&step.section).expect("a section").actions {
            if !met.contains(&action.key.as_str()) {
                met.push(&action.key);
            }
        }
    }
    let there: Vec<&str> = record.actions.iter().map(|action| action.key.as_str()).collect();
    assert_eq!(there, if record.state.is_finished() { met } else { vec![] });
    for action in &record.actions {
        let messages = if record.state == SessionState::Completed { 1 } else { 0 };
        assert_eq!(action.deliveries.len(), messages, "{}", action.key);
        for delivery in &action.deliveries {
            let body = compass.delivery_body(&delivery.id).expect("a message").expect("its body");
            assert_eq!(body.len() as u64, delivery.body_size);
            assert!(body.contains(&record.key.to_string()));
        }
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("compass.db");
    // Another course in every run; what a failing one did is in its assertion.
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let mut dice = Dice(seed);
    let mut known = Known::new();
    let mut happened = 0;
    for round in 0..12 {
        let (acknowledged, spin) = (dice.roll(60), dice.roll(400_000));
        let under_way = work_until_killed(&path, seed.wrapping_add(round), acknowledged, spin, &mut known);
        happened += u32::from(compare(&path, &mut known, &under_way));
    }
    let completed = known.values().filter(|(view, _)| view.state == SessionState::Completed).count();
    println!("{} sessions, {completed} completed; {happened} of 12 kills came between a commit and its acknowledgement", known.len());
    assert!(completed > 0, "the phone got some work done");
}

#[test]
fn a_crash_right_after_the_file_was_made_leaves_a_file_that_opens() {
    for spin in [0, 20_000, 200_000, 1_000_000, 3_000_000] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("compass.db");
        let work = format!("random|{}|{spin}", path.display());
        let mut child = start_phone(this_program(), &work);
        let mut child = child.stdout(Stdio::null()).spawn().unwrap();
        while !path.exists() {
            std::thread::yield_now();
        }
        for _ in 0..spin {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let compass = installed(&path);
        assert_eq!(compass.check().unwrap().faults, [""; 0]);
        compass.start(&Start::new("pump-check", "after")).unwrap();
    }
}

/// How often the WAL and the database were brought to the flash while the phone worked.
fn syncs(calls: u64) -> Result<(u64, u64), String> {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, trace) = (folder.path().join("compass.db"), folder.path().join("trace"));
    let mut strace = Process::new("strace");
    strace.args(["-f", "-y", "-e", "trace=fsync,fdatasync", "-o"]).arg(&trace).arg(this_program().get_program());
    let output = start_phone(strace, &format!("count|{}|{calls}", path.display())).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        // What the phone itself did wrong is no reason to look away.
        assert!(!told.contains("panicked"), "{told}");
        return Err(told);
    }
    let trace = std::fs::read_to_string(&trace).map_err(|error| error.to_string())?;
    let of = |file: &str| trace.lines().filter(|line| line.contains("sync(") && line.contains(file)).count() as u64;
    Ok((of("compass.db-wal>"), of("compass.db>")))
}

#[test]
fn one_call_costs_one_fsync() {
    let (few, many) = match (syncs(30), syncs(330)) {
        (Ok(few), Ok(many)) => (few, many),
        (Err(error), _) | (_, Err(error)) => {
            println!("note: not tested here, strace does not run: {error}");
            return;
        }
    };
    let (wal, checkpoints) = (many.0 - few.0, many.1 - few.1);
    println!("300 calls: {wal} times the WAL, {checkpoints} checkpoints");
    assert!(wal >= 300, "every call is durable when it returns");
    // A checkpoint brings the WAL to the flash before it copies it, and a WAL that begins again brings its header first.
    assert!(wal <= 300 + 2 * checkpoints, "{wal} for 300 calls and {checkpoints} checkpoints");
}
