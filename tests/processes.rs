//! Several processes on one database: killed, stopped, and restored from a copy.
//!
//! In these tests the wall clock runs thirty times as fast as it does elsewhere, so that a lease of a minute takes two seconds. All
//! processes of a test share it, as they do on a phone.

#![cfg(feature = "built-in-transport")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use compass_core::model::*;
use compass_core::port::{Clock, Random, SystemClock, SystemRandom};
use compass_core::testing::ScriptedTransport;
use compass_core::transport::{BuiltIn, BuiltInOptions};
use compass_core::{Compass, Options};
use support::field::*;
use support::torture::{self, Row};
use support::{Reply, TestServer};

const PACE: i64 = 30;

/// A wall clock in a hurry; see above.
struct FastClock {
    origin: Timestamp,
    clock: SystemClock,
}

impl FastClock {
    fn new(origin: Timestamp) -> Self {
        Self { origin, clock: SystemClock::default() }
    }
}

impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        self.origin + (self.clock.now() - self.origin) * PACE as i32
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    fn utc_offset(&self, _at: Timestamp) -> i32 {
        0
    }
}

/// A handle that delivers over real sockets.
fn open(path: &Path, origin: Timestamp) -> Compass {
    let transport = BuiltIn::new(BuiltInOptions { allow_plain_http_to_loopback: true, ..BuiltInOptions::default() }).unwrap();
    let mut options = Options::new(path).transport(Arc::new(transport)).clock(Arc::new(FastClock::new(origin)));
    options.allow_plain_http_to_loopback = true;
    Compass::open(options).unwrap()
}

/// A database in a folder of its own, with an office at this URL.
fn phone(url: &str) -> (tempfile::TempDir, Compass, Timestamp) {
    let folder = tempfile::tempdir().unwrap();
    let origin = SystemClock::default().now();
    let compass = open(&folder.path().join("shared.db"), origin);
    compass.set_integration_enabled(true).unwrap();
    compass.put_endpoint(&endpoint(OFFICE, url)).unwrap();
    (folder, compass, origin)
}

/// Another process that delivers from the same file.
fn another(folder: &tempfile::TempDir, origin: Timestamp) -> Process {
    let path = folder.path().join("shared.db");
    let origin = origin.timestamp_millis().to_string();
    let mut process = Process::run("a_process_that_delivers", &[("DATABASE", path.to_str().unwrap()), ("ORIGIN", &origin)]);
    assert_eq!(process.line().as_deref(), Some("delivering"));
    process
}

#[test]
#[ignore = "runs in processes of its own, for the tests below"]
fn a_process_that_delivers() {
    let origin = Timestamp::from_timestamp_millis(setting("ORIGIN").parse().unwrap()).unwrap();
    let compass = open(Path::new(&setting("DATABASE")), origin);
    let over = Arc::new(AtomicBool::new(false));
    let told = over.clone();
    std::thread::spawn(move || {
        // The end of the input is the end of the work.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        told.store(true, Ordering::SeqCst);
    });
    say("delivering");
    while !over.load(Ordering::SeqCst) {
        flush(&compass);
        // What another process has left in the outbox is told by nobody.
        std::thread::sleep(Duration::from_millis(10));
    }
    compass.close().unwrap();
    say("closed");
}

fn signal(process: &Process, name: &str) {
    let id = process.child.id().to_string();
    assert!(std::process::Command::new("kill").args([name, &id]).status().unwrap().success());
}

/// How many attempts of a message ended with the receiver possibly having it.
fn unknown_outcomes(delivery: &Delivery) -> usize {
    assert!(delivery.attempts <= 10, "the record still holds all of them");
    delivery.last_attempts.iter().filter(|attempt| attempt.may_have_been_delivered).count()
}

fn number_below(limit: u64) -> u64 {
    (SystemRandom.fraction() * limit as f64) as u64
}

#[test]
fn processes_that_are_killed_at_random_lose_nothing_and_send_no_more_copies_than_they_own_up_to() {
    const KILLS: usize = 30;
    const EACH: usize = 20;
    // By id: how many of it are being received at this moment.
    let receiving: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let overlaps = Arc::new(AtomicUsize::new(0));
    let (open_now, overlapping) = (receiving.clone(), overlaps.clone());
    let server = TestServer::http(move |request| {
        let id = request.header("webhook-id").unwrap().to_owned();
        *open_now.lock().unwrap().entry(id.clone()).or_default() += 1;
        // A receiver that takes its time, so that kills fall into attempts.
        std::thread::sleep(Duration::from_millis(8));
        let mut open_now = open_now.lock().unwrap();
        let count = open_now.get_mut(&id).unwrap();
        overlapping.fetch_add(usize::from(*count > 1), Ordering::SeqCst);
        *count -= 1;
        Reply::status(202)
    });
    let (folder, compass, origin) = phone(&server.url("/hook"));
    let mut workers = [another(&folder, origin), another(&folder, origin)];
    for kill in 0..KILLS {
        backlog(&compass, EACH, OFFICE);
        std::thread::sleep(Duration::from_millis(number_below(60)));
        let fresh = another(&folder, origin);
        std::mem::replace(&mut workers[kill % 2], fresh).kill();
    }
    eventually("all is sent", || compass.outbox_totals().unwrap().pending == 0);
    for worker in workers {
        assert_eq!(worker.finish().last().map(String::as_str), Some("closed"));
    }

    let messages = messages(&compass, &ALL_STATES);
    assert_eq!(messages.len(), KILLS * EACH);
    let mut arrived: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for request in server.requests() {
        arrived.entry(request.header("webhook-id").unwrap().to_owned()).or_default().push(request.body);
    }
    assert_eq!(arrived.len(), messages.len(), "every message, and no id that nobody knows");
    let mut duplicates = 0;
    for item in &messages {
        let delivery = &item.delivery;
        assert_eq!(delivery.state, DeliveryState::Sent);
        let copies = &arrived[&delivery.id.0];
        let frozen = compass.delivery_body(&delivery.id).unwrap().unwrap();
        assert!(copies.iter().all(|body| *body == frozen.as_bytes()), "every copy is the frozen bytes");
        assert!(copies.len() <= 1 + unknown_outcomes(delivery), "{} copies of {delivery:?}", copies.len());
        duplicates += copies.len() - 1;
    }
    let uncertain: usize = messages.iter().map(|item| unknown_outcomes(&item.delivery)).sum();
    assert!(uncertain > 0, "the kills fell into attempts: the test is not blind");
    assert!(duplicates <= uncertain);
    assert_eq!(overlaps.load(Ordering::SeqCst), 0, "no message is on its way twice at the same moment");
    assert!(compass.check().unwrap().faults.is_empty());
    let observed = format!("{} messages, {uncertain} unknown outcomes, {duplicates} more copies", messages.len());
    let expected = "all is sent; no more copies than unknown outcomes; none twice at the same moment";
    torture::say(&Row { fault: "two processes deliver, killed by turns", injected: KILLS as u64, expected, observed: &observed, lost: 0 });
}

#[test]
fn a_process_that_was_stopped_for_longer_than_its_lease_does_no_harm() {
    const COUNT: usize = 20;
    // The first two requests are answered late, one with a failure; all others at once.
    let gate: Arc<(Mutex<bool>, Condvar)> = Arc::default();
    let held = gate.clone();
    let server = TestServer::http(move |request| {
        if request.number < 2 {
            let closed = held.0.lock().unwrap();
            drop(held.1.wait_while(closed, |open| !*open).unwrap());
        }
        Reply::status(if request.number == 0 { 500 } else { 202 })
    });
    let (folder, compass, origin) = phone(&server.url("/hook"));
    backlog(&compass, COUNT, OFFICE);
    let stopped = another(&folder, origin);
    server.wait_for_requests(2);
    signal(&stopped, "-STOP");

    // Its leases run out, and another process takes over.
    eventually("all is sent", || {
        flush(&compass);
        compass.outbox_totals().unwrap().pending == 0
    });
    assert_eq!(server.requests().len(), COUNT + 2);

    signal(&stopped, "-CONT");
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    // It takes note of its late answers, finds nothing to do and ends when told to.
    assert_eq!(stopped.finish().last().map(String::as_str), Some("closed"));

    let mut copies: BTreeMap<String, usize> = BTreeMap::new();
    for request in server.requests() {
        *copies.entry(request.header("webhook-id").unwrap().to_owned()).or_default() += 1;
    }
    let twice = copies.values().filter(|count| **count == 2).count();
    assert_eq!((copies.len(), twice, server.requests().len()), (COUNT, 2, COUNT + 2), "what it had claimed and not begun, it left alone");
    let messages = messages(&compass, &ALL_STATES);
    assert!(messages.iter().all(|item| item.delivery.state == DeliveryState::Sent), "a late failure undoes no delivery");
    assert_eq!(compass.endpoints().unwrap()[0].pending, 0);
    assert!(compass.check().unwrap().faults.is_empty());
}

#[test]
#[ignore = "runs in a process of its own, for the test below"]
fn a_process_that_is_in_the_middle_of_writing() {
    let sql = rusqlite::Connection::open(setting("DATABASE")).unwrap();
    sql.execute_batch("BEGIN IMMEDIATE; UPDATE meta SET revision = revision").unwrap();
    say("writing");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    sql.execute_batch("ROLLBACK").unwrap();
}

/// A clock that tells when it is asked, which every command does before it goes to the database.
struct AskedClock(SystemClock, std::sync::mpsc::Sender<()>);

impl Clock for AskedClock {
    fn now(&self) -> Timestamp {
        let _ = self.1.send(());
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    fn utc_offset(&self, at: Timestamp) -> i32 {
        self.0.utc_offset(at)
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_app_that_is_suspended_keeps_no_lock_though_another_process_makes_it_wait() {
    let (asked, is_asked) = std::sync::mpsc::channel();
    let field = Field::with(ScriptedTransport::always(202), |options| options.clock = Arc::new(AskedClock(SystemClock::default(), asked)));
    let session = field.compass.start(&Start::new("visit", id())).unwrap().view.key;
    let mut other = Process::run("a_process_that_is_in_the_middle_of_writing", &[("DATABASE", field.path().to_str().unwrap())]);
    assert_eq!(other.line().as_deref(), Some("writing"));
    while is_asked.try_recv().is_ok() {}

    let compass = field.compass.clone();
    let note = std::thread::spawn(move || compass.note(session, "still here", "the-note"));
    is_asked.recv().unwrap();
    let began = std::time::Instant::now();
    field.compass.quiesce().unwrap();
    assert_eq!(locks(std::process::id(), field.path()), [""; 0]);
    assert_eq!(descriptors(field.path()), [""; 0].map(std::path::PathBuf::from));
    let error = note.join().unwrap().unwrap_err();
    assert_eq!((error.code(), error.retryable()), ("locked", true));
    // Called now, it does not wait either, and leaves nothing behind.
    assert_eq!(field.compass.note(session, "still here", "the-note").unwrap_err().code(), "locked");
    assert!(began.elapsed() < Duration::from_secs(5), "it waited as long as for a process that lets go: {:?}", began.elapsed());
    assert_eq!(field.compass.session(session).unwrap().notes, [], "looking goes on");
    assert_eq!(locks(std::process::id(), field.path()), [""; 0]);

    assert!(!locks(other.child.id(), field.path()).is_empty(), "the look is not blind");
    other.finish();
    assert_eq!(field.compass.note(session, "still here", "the-note").unwrap().applied, Applied::Yes);
    assert_eq!(locks(std::process::id(), field.path()), [""; 0]);
}

#[test]
fn a_process_of_an_older_release_stops_writing_once_a_newer_one_has_the_file() {
    let field = Field::new(ScriptedTransport::always(202));
    let session = field.compass.start(&Start::new("visit", id())).unwrap().view.key;
    let newer = rusqlite::Connection::open(field.path()).unwrap();
    let known: u32 = newer.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    newer.pragma_update(None, "user_version", known + 1).unwrap();
    assert_eq!(field.compass.note(session, "by the old rules", &id()).unwrap_err().code(), "newer_schema");
    assert_eq!(field.compass.flush(WAIT_LIMIT, &compass_core::CancelToken::new()).map_or_else(|error| error.code(), |_| "fine"), "fine");
    assert_eq!(field.compass.session(session).unwrap().notes, [], "nothing was written, and what is there can be seen");
}

#[test]
fn what_one_process_changes_another_is_told_of_when_it_asks() {
    let server = TestServer::http(|_| Reply::status(202));
    let (folder, compass, origin) = phone(&server.url("/hook"));
    let everything = Arc::new(AtomicUsize::new(0));
    let count = everything.clone();
    let subscription = compass.observe(Arc::new(move |notice| {
        count.fetch_add(usize::from(notice.everything), Ordering::SeqCst);
    }));
    backlog(&compass, 20, OFFICE);
    assert!(!compass.refresh().unwrap(), "its own changes are no news");
    let other = another(&folder, origin);
    eventually("the other process has sent it", || compass.outbox_totals().unwrap().pending == 0);
    other.finish();
    assert!(compass.refresh().unwrap());
    assert!(!compass.refresh().unwrap(), "told once");
    assert_eq!(everything.load(Ordering::SeqCst), 1);
    drop(subscription);
}

#[test]
fn a_restored_copy_sends_the_same_messages_again_under_the_same_ids() {
    let phone = Field::new(ScriptedTransport::always(202));
    let before = phone.complete();
    phone.flush();
    phone.backlog(7, OFFICE);
    let copy = phone.folder.path().join("copy.db");
    phone.compass.backup(&copy).unwrap();
    assert_eq!(phone.flush().sent, 7);

    let elsewhere = tempfile::tempdir().unwrap();
    let restored = elsewhere.path().join("restored.db");
    std::fs::copy(&copy, &restored).unwrap();
    let other = Field::with(ScriptedTransport::always(202), |options| options.path = restored);
    assert_eq!(other.flush().sent, 7);
    let on_the_wire = |field: &Field| -> BTreeSet<(String, Vec<u8>)> {
        field.transport.requests().into_iter().map(|request| (header(&request, "webhook-id"), request.body)).collect()
    };
    let (first, again) = (on_the_wire(&phone), on_the_wire(&other));
    assert_eq!((first.len(), again.len()), (8, 7));
    assert!(again.is_subset(&first), "the receiver can tell that it has them");
    assert_eq!(other.action(before).status, ActionStatus::Sent, "what was delivered before the copy stays delivered");
    assert!(other.compass.check().unwrap().faults.is_empty());
}

/// Set in the process of its own: how many seconds the device has slept.
#[cfg(target_os = "linux")]
const SLEPT: &str = "COMPASS_SLEPT";

/// In a namespace in which the clock that counts sleep is ten years ahead of the one that does not.
#[cfg(target_os = "linux")]
#[test]
fn the_clock_of_waits_counts_the_time_that_the_device_slept() {
    let slept = Duration::from_secs(10 * 365 * 86_400);
    if std::env::var(SLEPT).is_ok() {
        assert!(SystemClock::default().monotonic() > slept, "ten years have passed");
        println!("as it should be");
        return;
    }
    let mut process = std::process::Command::new("unshare");
    process.args(["-rT", "--boottime", &slept.as_secs().to_string(), "--fork"]).arg(std::env::current_exe().unwrap());
    process.args(["the_clock_of_waits_counts_the_time_that_the_device_slept", "--exact", "--nocapture"]);
    match process.env(SLEPT, "").output() {
        Ok(output) if String::from_utf8_lossy(&output.stdout).contains("as it should be") => {}
        Ok(output) if output.stdout.is_empty() => {
            println!("note: not tested here, no clock can be set apart: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(output) => panic!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
        Err(error) => println!("note: not tested here, unshare does not run: {error}"),
    }
}
