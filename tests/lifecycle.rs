//! The life of a handle: holds, quiescing, closing, threads, cancelling, and calls from inside calls.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use compass_core::model::*;
use compass_core::port::{SecretLookup, Secrets, Transport, TransportFailure, TransportRequest, TransportResponse};
use compass_core::testing::{ScriptedTransport, answer};
use compass_core::{CancelToken, Compass, Error, Hold};
use support::field::*;

/// What the contract limits to two seconds, with room for a machine that is busy with other things.
const TWO_SECONDS: Duration = Duration::from_secs(10);

const ONLINE: Connectivity = Connectivity::Online { validated: Some(true), metered: false };
const METERED: Connectivity = Connectivity::Online { validated: Some(true), metered: true };

fn flushing(compass: &Compass, cancel: &CancelToken) -> std::thread::JoinHandle<FlushReport> {
    let (compass, cancel) = (compass.clone(), cancel.clone());
    std::thread::spawn(move || compass.flush(Duration::from_secs(120), &cancel).unwrap())
}

fn is_sent(compass: &Compass, session: SessionKey) -> bool {
    compass.record(session).unwrap().actions.iter().all(|action| action.status == ActionStatus::Sent)
}

fn all_sent(compass: &Compass) -> bool {
    compass.outbox_totals().unwrap().pending == 0
}

// Holds and quiescing -----------------------------------------------------------------------------------------------------------------

#[test]
fn delivery_is_allowed_until_the_last_hold_is_released() {
    let field = Field::new(ScriptedTransport::always(202));
    field.complete();
    assert_eq!(field.flush().end, FlushEnd::Drained, "a handle opens with delivery allowed, whatever is held");
    let foreground = field.compass.resume().unwrap();
    let job = field.compass.resume().unwrap();
    drop(foreground);
    field.complete();
    assert_eq!(field.flush().sent, 1, "one hold is left");
    drop(job);
    field.complete();
    let report = field.flush();
    assert_eq!((report.end, report.attempts, report.pending), (FlushEnd::Quiesced, 0, 1));
    let again = field.compass.resume().unwrap();
    assert_eq!(field.flush().sent, 1);
    assert_eq!(field.transport.renewed(), 1, "connections of before a suspension are of no use");
    drop(again);
}

#[test]
fn quiescing_overrules_what_is_held_until_somebody_resumes() {
    let field = Field::new(ScriptedTransport::always(202));
    let held = field.compass.resume().unwrap();
    field.compass.quiesce().unwrap();
    field.compass.quiesce().unwrap();
    field.complete();
    assert_eq!(field.flush().end, FlushEnd::Quiesced);
    // A hold of before, released after, counts like any other.
    let job = field.compass.resume().unwrap();
    drop(held);
    assert_eq!(field.flush().sent, 1);
    drop(job);
    assert_eq!(field.flush().end, FlushEnd::Quiesced);
}

#[test]
fn commands_and_queries_work_while_quiesced() {
    let field = Field::new(ScriptedTransport::always(202));
    field.compass.quiesce().unwrap();
    let session = field.complete();
    assert_eq!(field.compass.session(session).unwrap().state, SessionState::Completed);
    assert_eq!(field.action(session).status, ActionStatus::Pending);
    assert_eq!(field.compass.outbox_totals().unwrap().pending, 1);
    assert!(field.compass.check().unwrap().faults.is_empty());
}

#[test]
fn quiescing_in_the_middle_of_an_attempt_returns_in_time() {
    for interruptible in [true, false] {
        let field = Field::in_real_time(ScriptedTransport::always(202));
        let session = field.complete();
        field.transport.hold("");
        if !interruptible {
            field.transport.ignore_cancel();
        }
        let running = flushing(&field.compass, &CancelToken::new());
        field.transport.wait_for_requests(1);
        let (compass, began) = (field.compass.clone(), Instant::now());
        in_time("quiescing", PATIENCE, move || compass.quiesce().unwrap());
        assert!(began.elapsed() < TWO_SECONDS, "took {:?}", began.elapsed());
        assert_eq!(running.join().unwrap().end, FlushEnd::Quiesced);
        assert!(!is_sent(&field.compass, session));
        if interruptible {
            // It was called off, and is told so; it counted nothing and may have arrived.
            let delivery = field.delivery(session);
            assert!(delivery.may_have_been_delivered);
            assert!(delivery.last_attempts.iter().all(|attempt| !attempt.counted));
        }
        field.transport.release();
    }
}

#[test]
fn what_arrives_while_quiesced_is_settled_when_resumed() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    let session = field.complete();
    field.transport.hold("");
    field.transport.ignore_cancel();
    let running = flushing(&field.compass, &CancelToken::new());
    field.transport.wait_for_requests(1);
    field.compass.quiesce().unwrap();
    running.join().unwrap();
    // Now the answer comes. Nobody flushes any more.
    field.transport.release();
    field.transport.wait_until_quiet();
    assert!(!is_sent(&field.compass, session), "nothing is written while quiesced");
    eventually("the answer is on record", || {
        let held = field.compass.resume().unwrap();
        let sent = is_sent(&field.compass, session);
        drop(held);
        sent
    });
    let delivery = field.delivery(session);
    assert_eq!((delivery.attempts, field.transport.requests().len()), (1, 1), "it was not sent twice");
    assert!(!delivery.may_have_been_delivered, "what became of it is known after all");
}

#[test]
fn a_notice_of_what_was_settled_late_may_call_the_core() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    let session = field.complete();
    field.transport.hold("");
    field.transport.ignore_cancel();
    let running = flushing(&field.compass, &CancelToken::new());
    field.transport.wait_for_requests(1);
    field.compass.quiesce().unwrap();
    running.join().unwrap();
    field.transport.release();
    field.transport.wait_until_quiet();

    let told = Arc::new(AtomicUsize::new(0));
    let (compass, count) = (field.compass.clone(), told.clone());
    let subscription = field.compass.observe(Arc::new(move |_| {
        // All that an app may do when it hears of something, holds included.
        drop(compass.resume().unwrap());
        compass.next_due().unwrap();
        count.fetch_add(1, Ordering::SeqCst);
    }));
    let compass = field.compass.clone();
    in_time("resuming", PATIENCE, move || {
        eventually("the answer is on record", || {
            drop(compass.resume().unwrap());
            is_sent(&compass, session)
        });
    });
    assert!(told.load(Ordering::SeqCst) > 0);
    drop(subscription);
}

// File locks --------------------------------------------------------------------------------------------------------------------------

#[cfg(target_os = "linux")]
mod locks_and_descriptors {
    use super::*;

    #[test]
    #[ignore = "runs in a process of its own, for the test below"]
    fn another_process_looks_at_the_locks() {
        let path = std::path::PathBuf::from(setting("LOOK_AT"));
        let holder = setting("HOLDER").parse().unwrap();
        for lock in locks(holder, &path) {
            say(lock);
        }
    }

    /// Locks of this process on the database, as another process sees them.
    fn locks_seen_from_outside(field: &Field) -> Vec<String> {
        let holder = std::process::id().to_string();
        let path = field.path().canonicalize().unwrap();
        let settings = [("LOOK_AT", path.to_str().unwrap()), ("HOLDER", holder.as_str())];
        Process::run("locks_and_descriptors::another_process_looks_at_the_locks", &settings).finish()
    }

    #[test]
    fn quiescing_leaves_no_file_lock_and_no_descriptor() {
        let field = Field::in_real_time(ScriptedTransport::always(202));
        let session = field.complete();
        assert!(!locks_seen_from_outside(&field).is_empty(), "an idle connection holds locks: the check is not blind");
        assert!(!descriptors(field.path()).is_empty());

        // In the middle of an attempt, with a transport that does not let itself be interrupted.
        field.transport.hold("");
        field.transport.ignore_cancel();
        let running = flushing(&field.compass, &CancelToken::new());
        field.transport.wait_for_requests(1);
        field.compass.quiesce().unwrap();
        running.join().unwrap();
        assert_eq!(locks_seen_from_outside(&field), [""; 0]);
        assert_eq!(descriptors(field.path()), [""; 0].map(std::path::PathBuf::from));
        assert!(files(field.path())[1].exists(), "nothing was checkpointed away");

        // Whatever is called meanwhile closes behind itself.
        field.complete();
        field.compass.record(session).unwrap();
        field.compass.outbox_totals().unwrap();
        field.compass.next_due().unwrap();
        field.compass.set_connectivity(ONLINE);
        field.compass.start_delivery().unwrap();
        assert_eq!(field.flush().end, FlushEnd::Quiesced);
        field.compass.refresh().unwrap();
        assert_eq!(locks_seen_from_outside(&field), [""; 0]);
        assert_eq!(descriptors(field.path()), [""; 0].map(std::path::PathBuf::from));

        field.transport.release();
        let held = field.compass.resume().unwrap();
        Watch::on(&field.compass).until("all is sent", all_sent);
        assert!(!locks_seen_from_outside(&field).is_empty());
        drop(held);
        assert_eq!(locks_seen_from_outside(&field), [""; 0]);
    }

    #[test]
    fn closing_waits_for_running_calls_and_leaves_nothing_open() {
        for _ in 0..10 {
            let field = Field::new(ScriptedTransport::always(202));
            let noted = AtomicUsize::new(0);
            let session = field.compass.start(&Start::new("visit", id())).unwrap().view.key;
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        loop {
                            match field.compass.note(session, "still here", &id()) {
                                Ok(_) => noted.fetch_add(1, Ordering::SeqCst),
                                Err(Error::Closed) => return,
                                Err(other) => panic!("{other}"),
                            };
                        }
                    });
                }
                eventually("all are at it", || noted.load(Ordering::SeqCst) > 8);
                field.compass.close().unwrap();
                assert_eq!(descriptors(field.path()), [""; 0].map(std::path::PathBuf::from));
            });
            let again = Compass::open(field.options.clone()).unwrap();
            assert_eq!(again.session(session).unwrap().notes.len(), noted.load(Ordering::SeqCst), "acknowledged is durable");
        }
    }
}

// Closing -----------------------------------------------------------------------------------------------------------------------------

#[test]
fn closing_ends_a_running_flush_and_the_worker() {
    for worker in [false, true] {
        let field = Field::in_real_time(ScriptedTransport::always(202));
        field.complete();
        field.transport.hold("");
        let running = if worker {
            field.compass.start_delivery().unwrap();
            None
        } else {
            Some(flushing(&field.compass, &CancelToken::new()))
        };
        field.transport.wait_for_requests(1);
        let compass = field.compass.clone();
        in_time("closing", PATIENCE, move || {
            let began = Instant::now();
            compass.close().unwrap();
            compass.close().unwrap();
            assert!(began.elapsed() < TWO_SECONDS, "took {:?}", began.elapsed());
        });
        if let Some(running) = running {
            assert_eq!(running.join().unwrap().end, FlushEnd::Quiesced);
        }
        assert!(matches!(field.compass.workflows(), Err(Error::Closed)));
        assert!(matches!(field.compass.flush(PATIENCE, &CancelToken::new()), Err(Error::Closed)));
        assert!(matches!(field.compass.start_delivery(), Err(Error::Closed)));
        assert!(matches!(field.compass.quiesce(), Err(Error::Closed)));
        assert!(matches!(field.compass.resume(), Err(Error::Closed)));
        assert!(matches!(field.compass.next_due(), Err(Error::Closed)));
        field.transport.release();
        let again = Compass::open(field.options.clone()).unwrap();
        assert_eq!(again.outbox_totals().unwrap().pending, 1, "nothing is lost");
        again.close().unwrap();
    }
}

#[test]
fn an_answer_that_came_too_late_for_a_flush_is_kept_when_the_handle_closes() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    let session = field.complete();
    field.transport.hold("");
    field.transport.ignore_cancel();
    let cancel = CancelToken::new();
    let running = flushing(&field.compass, &cancel);
    field.transport.wait_for_requests(1);
    cancel.cancel();
    assert_eq!(running.join().unwrap().end, FlushEnd::Cancelled);
    field.transport.release();
    field.transport.wait_until_quiet();
    // The thread that has the answer hands it over.
    #[cfg(target_os = "linux")]
    eventually("no attempt runs", || !threads().iter().any(|name| name == "compass-attempt"));
    field.compass.close().unwrap();
    let again = Compass::open(field.options.clone()).unwrap();
    assert!(is_sent(&again, session), "it would be sent a second time");
}

#[test]
fn a_closed_handle_leaves_no_thread_behind_that_holds_a_port() {
    // Dropping a port calls foreign code, which may be gone by then. A race, so many times.
    for _ in 0..25 {
        let field = Field::new(ScriptedTransport::always(202));
        field.complete();
        assert_eq!(field.flush().sent, 1);
        let Field { compass, transport, options, folder: _folder, .. } = field;
        compass.close().unwrap();
        drop((compass, options));
        assert_eq!(Arc::strong_count(&transport), 1, "only this test holds the transport");
    }
}

#[cfg(target_os = "linux")]
fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok()).map(|name| name.trim().to_owned()).collect()
}

// Threads -----------------------------------------------------------------------------------------------------------------------------

#[cfg(target_os = "linux")]
mod threads_of_a_process {
    use super::*;

    #[test]
    #[ignore = "runs in a process of its own, for the test below"]
    fn a_phone_whose_threads_are_counted() {
        let before = threads().len();
        let field = Field::in_real_time(ScriptedTransport::always(202));
        field.backlog(40, OFFICE);
        field.complete();
        field.next_due_and_totals();
        say(format!("open {}", threads().len() - before));
        let most = Arc::new(AtomicUsize::new(0));
        let seen = most.clone();
        let subscription = field.compass.observe(Arc::new(move |_| {
            seen.fetch_max(threads().len(), Ordering::SeqCst);
        }));
        let report = field.flush();
        drop(subscription);
        say(format!("sent {}", report.sent));
        say(format!("flushing {}", most.load(Ordering::SeqCst) - before));
        // The kernel takes a moment to bury a thread that has ended.
        eventually("flush has ended its threads", || threads().len() == before);
        field.compass.start_delivery().unwrap();
        say(format!("worker {}", threads().len() - before));
        field.complete();
        Watch::on(&field.compass).until("all is sent", all_sent);
        field.compass.stop_delivery().unwrap();
        eventually("its threads have ended", || threads().len() == before);
        field.compass.start_delivery().unwrap();
        field.compass.close().unwrap();
        eventually("its threads have ended", || threads().len() == before);
        say("ended");
    }

    impl Field {
        fn next_due_and_totals(&self) {
            self.compass.next_due().unwrap();
            self.compass.outbox_totals().unwrap();
            self.compass.set_connectivity(ONLINE);
            drop(self.compass.resume().unwrap());
            let _forever: &'static mut Hold = Box::leak(Box::new(self.compass.resume().unwrap()));
        }
    }

    #[test]
    fn there_are_no_threads_but_those_that_were_asked_for() {
        let said = Process::run("threads_of_a_process::a_phone_whose_threads_are_counted", &[]).finish();
        let number = |what: &str| -> usize {
            let line = said.iter().find_map(|line| line.strip_prefix(what)).unwrap_or_else(|| panic!("{what} in {said:?}"));
            line.trim().parse().unwrap()
        };
        assert_eq!(number("open"), 0, "opening and commands start none");
        assert_eq!(number("sent"), 41);
        assert!((1..=4).contains(&number("flushing")), "as many as attempts at one endpoint: {said:?}");
        assert_eq!(number("worker"), 1);
        assert!(said.iter().any(|line| line == "ended"));
    }
}

// Cancelling and deadlines ------------------------------------------------------------------------------------------------------------

#[test]
fn a_cancelled_flush_gives_up_what_runs_and_gives_back_what_does_not() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    field.backlog(10, OFFICE);
    field.transport.hold("");
    let cancel = CancelToken::new();
    let running = flushing(&field.compass, &cancel);
    field.transport.wait_for_requests(2);
    cancel.cancel();
    let report = in_time("the flush", PATIENCE, move || running.join().unwrap());
    assert_eq!((report.end, report.attempts, report.sent, report.pending), (FlushEnd::Cancelled, 2, 0, 10));

    let begun: Vec<String> = field.transport.requests().iter().map(|request| header(request, "webhook-id")).collect();
    for item in field.messages(&[DeliveryState::Pending]) {
        let delivery = item.delivery;
        if begun.contains(&delivery.id.0) {
            assert_eq!((delivery.attempts, delivery.may_have_been_delivered), (1, true), "an unknown outcome stays on record");
            assert_eq!(delivery.last_attempts[0].outcome, "interrupted");
            assert!(!delivery.last_attempts[0].counted, "we cut it short ourselves");
        } else {
            assert_eq!((delivery.attempts, delivery.may_have_been_delivered), (0, false), "what did not start is as before");
        }
        assert_ne!(delivery.reason.as_deref(), Some("in_flight"));
    }
    assert_eq!(field.compass.endpoints().unwrap()[0].consecutive_failures, 0);

    field.transport.release();
    assert_eq!(field.flush().sent, 10, "all of it is due at once");
    let mut ids: Vec<String> = field.transport.requests()[2..].iter().map(|request| header(request, "webhook-id")).collect();
    assert!(begun.iter().all(|id| ids.contains(id)), "the same ids again");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 10);
}

#[test]
fn a_flush_with_a_token_that_is_cancelled_already_does_nothing() {
    let field = Field::new(ScriptedTransport::always(202));
    field.complete();
    let cancel = CancelToken::new();
    cancel.cancel();
    let report = field.compass.flush(PATIENCE, &cancel).unwrap();
    assert_eq!((report.end, report.attempts, report.pending), (FlushEnd::Cancelled, 0, 1));
}

#[test]
fn a_flush_returns_before_its_deadline_and_leaves_nothing_begun() {
    let field = Field::new(ScriptedTransport::always(202));
    field.backlog(10, OFFICE);
    for too_short in [0, 1, 2] {
        let report = field.compass.flush(Duration::from_secs(too_short), &CancelToken::new()).unwrap();
        assert_eq!((report.end, report.attempts, report.pending), (FlushEnd::Deadline, 0, 10), "{too_short} s is too little to begin");
    }
    // Time passes while the receiver says nothing.
    field.transport.hold("");
    let (compass, clock) = (field.compass.clone(), field.clock.clone());
    let running = std::thread::spawn(move || {
        let before = compass_core::port::Clock::monotonic(&*clock);
        let report = compass.flush(Duration::from_secs(25), &CancelToken::new()).unwrap();
        (report, compass_core::port::Clock::monotonic(&*clock) - before)
    });
    field.transport.wait_for_requests(2);
    assert!(field.transport.requests().iter().all(|request| request.timeout <= Duration::from_secs(24)), "no attempt outlasts the flush");
    field.clock.advance(Duration::from_millis(24_100));
    let (report, took) = in_time("the flush", PATIENCE, move || running.join().unwrap());
    assert_eq!((report.end, report.attempts, report.pending), (FlushEnd::Deadline, 2, 10));
    assert!(took < Duration::from_secs(25));
    for item in field.messages(&[DeliveryState::Pending]) {
        assert_ne!(item.delivery.reason.as_deref(), Some("in_flight"), "no lease is left behind");
        assert!(item.delivery.last_attempts.iter().all(|attempt| !attempt.counted));
    }
    field.transport.release();
    assert_eq!(field.flush().sent, 10);
}

#[test]
fn a_flush_in_real_time_ends_by_its_deadline_too() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    field.complete();
    field.transport.hold("");
    field.transport.ignore_cancel();
    let began = Instant::now();
    let report = field.compass.flush(Duration::from_millis(4_500), &CancelToken::new()).unwrap();
    assert!(began.elapsed() < TWO_SECONDS);
    assert_eq!((report.end, report.attempts), (FlushEnd::Deadline, 1));
    field.transport.release();
}

// Many threads ------------------------------------------------------------------------------------------------------------------------

#[test]
fn eight_threads_flush_and_work_at_once_and_nothing_is_sent_twice() {
    const EACH: usize = 12;
    let field = Field::in_real_time(ScriptedTransport::always(202));
    let compass = field.compass.clone();
    in_time("the work of eight threads", Duration::from_secs(60), move || {
        std::thread::scope(|scope| {
            for number in 0..8 {
                let compass = &compass;
                scope.spawn(move || {
                    for _ in 0..EACH {
                        let session = complete(compass, "visit");
                        match number % 4 {
                            0 => drop(compass.record(session).unwrap()),
                            1 => compass.start_delivery().unwrap(),
                            2 => drop(compass.next_due().unwrap()),
                            _ => compass.set_connectivity(ONLINE),
                        }
                        let report = flush(compass);
                        assert_eq!(report.end, FlushEnd::Drained);
                    }
                });
            }
        });
        Watch::on(&compass).until("all is sent", all_sent);
    });
    let mut ids: Vec<String> = field.transport.requests().iter().map(|request| header(request, "webhook-id")).collect();
    let sent = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((sent, ids.len()), (8 * EACH, 8 * EACH));
    assert!(field.transport.most_running() <= 4);
    assert!(field.compass.check().unwrap().faults.is_empty());
}

#[test]
fn quiescing_resuming_and_flushing_from_many_threads_loses_nothing() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    field.backlog(200, OFFICE);
    let compass = field.compass.clone();
    in_time("the work of six threads", Duration::from_secs(60), move || {
        std::thread::scope(|scope| {
            for number in 0..6 {
                let compass = &compass;
                scope.spawn(move || {
                    for _ in 0..15 {
                        match number % 3 {
                            0 => compass.quiesce().unwrap(),
                            1 => {
                                let hold = compass.resume().unwrap();
                                flush(compass);
                                drop(hold);
                            }
                            _ => drop(flush(compass)),
                        }
                    }
                });
            }
        });
    });
    let held = field.compass.resume().unwrap();
    eventually("all is sent", || {
        field.flush();
        all_sent(&field.compass)
    });
    drop(held);
    let unknown: usize = field
        .messages(&ALL_STATES)
        .iter()
        .map(|item| item.delivery.last_attempts.iter().filter(|attempt| attempt.may_have_been_delivered).count())
        .sum();
    assert!(field.transport.requests().len() <= 200 + unknown, "no copy without an unknown outcome");
    assert!(field.compass.check().unwrap().faults.is_empty());
}

// Calls from inside calls -------------------------------------------------------------------------------------------------------------

/// What an app must not do from inside a callback, and what comes of it.
fn refusals(compass: &Compass) -> Vec<&'static str> {
    let code = |result: Result<(), Error>| result.map_or_else(|error| error.code(), |()| "done");
    vec![
        code(compass.flush(PATIENCE, &CancelToken::new()).map(drop)),
        code(compass.quiesce()),
        code(compass.close()),
        code(compass.stop_delivery()),
        code(compass.test_delivery(OFFICE).map(drop)),
    ]
}

/// Calls the core back from wherever the core calls it.
#[derive(Default)]
struct Meddler {
    compass: OnceLock<Compass>,
    heard: Mutex<Vec<Vec<&'static str>>>,
}

impl Meddler {
    fn meddle(&self) {
        let Some(compass) = self.compass.get() else { return };
        self.heard.lock().unwrap().push(refusals(compass));
        // What is allowed, works.
        compass.outbox_totals().unwrap();
        compass.next_due().unwrap();
        compass.set_connectivity(ONLINE);
    }
}

impl Secrets for Meddler {
    fn get(&self, _name: &str) -> SecretLookup {
        self.meddle();
        SecretLookup::Found { current: compass_core::port::SecretValue::new(SECRET.to_owned()), previous: None }
    }
}

impl Transport for Meddler {
    fn send(&self, _request: TransportRequest) -> Result<TransportResponse, TransportFailure> {
        self.meddle();
        Ok(answer(202))
    }

    fn cancel(&self, _id: u64) {}
}

#[test]
fn waiting_for_delivery_from_inside_a_callback_is_refused() {
    let [in_transport, in_secrets, in_observer]: [Arc<Meddler>; 3] = Default::default();
    let (transport, secrets) = (in_transport.clone(), in_secrets.clone());
    let field = Field::with(ScriptedTransport::always(202), |options| {
        options.transport = Some(transport);
        options.secrets = secrets;
    });
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    for meddler in [&in_transport, &in_secrets, &in_observer] {
        meddler.compass.set(field.compass.clone()).unwrap();
    }
    let observer = in_observer.clone();
    let subscription = field.compass.observe(Arc::new(move |_| observer.meddle()));
    let compass = field.compass.clone();
    let session = in_time("a flush with callbacks", PATIENCE, move || {
        let session = complete(&compass, "visit");
        assert_eq!(flush(&compass).sent, 1);
        session
    });
    assert!(is_sent(&field.compass, session));
    drop(subscription);
    for (place, meddler) in [("transport", in_transport), ("secrets", in_secrets), ("observer", in_observer)] {
        let heard = meddler.heard.lock().unwrap();
        assert!(!heard.is_empty(), "{place}");
        assert!(heard.iter().all(|codes| *codes == ["reentrant"; 5]), "{place}: {heard:?}");
    }
}

#[test]
fn an_observer_may_release_the_last_hold() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    let hold = Mutex::new(Some(field.compass.resume().unwrap()));
    let subscription = field.compass.observe(Arc::new(move |notice| {
        if notice.outbox {
            drop(hold.lock().unwrap().take());
        }
    }));
    field.compass.start_delivery().unwrap();
    let compass = field.compass.clone();
    in_time("completing", PATIENCE, move || complete(&compass, "visit"));
    let compass = field.compass.clone();
    assert_eq!(in_time("a flush", PATIENCE, move || flush(&compass)).end, FlushEnd::Quiesced);
    drop(subscription);
}

#[test]
fn dropping_the_last_handle_inside_an_observer_does_no_harm() {
    let Field { compass, options, transport, folder, .. } = Field::in_real_time(ScriptedTransport::always(202));
    let session = complete(&compass, "visit");
    let last: Arc<Mutex<Option<Compass>>> = Arc::default();
    let (slot, dropped) = (last.clone(), Arc::new(AtomicUsize::new(0)));
    let count = dropped.clone();
    // Told by the worker, once the message is sent.
    let subscription = compass.observe(Arc::new(move |_| {
        if let Some(handle) = slot.lock().unwrap().take() {
            drop(handle);
            count.fetch_add(1, Ordering::SeqCst);
        }
    }));
    transport.hold("");
    compass.start_delivery().unwrap();
    transport.wait_for_requests(1);
    *last.lock().unwrap() = Some(compass);
    transport.release();
    eventually("the observer has dropped it", || dropped.load(Ordering::SeqCst) == 1);
    drop(subscription);
    let mut again = None;
    eventually("the file can be opened again", || {
        again = again.take().or_else(|| Compass::open(options.clone()).ok());
        again.is_some()
    });
    let again = again.unwrap();
    assert!(is_sent(&again, session));
    drop((again, folder));
}

// What is due, and when ---------------------------------------------------------------------------------------------------------------

#[test]
fn next_due_names_what_every_entry_waits_for() {
    let field = Field::with(ScriptedTransport::new(|request| Ok(answer(if request.url.contains("office") { 503 } else { 422 }))), |_| {});
    let nothing = NextDue::default();
    assert_eq!(field.next_due(), nothing);

    // Due now.
    let session = field.complete();
    assert_eq!(field.next_due(), NextDue { at: Some(field.now()), ..nothing.clone() });

    // No network, as the app says: the time does not matter.
    field.compass.set_connectivity(Connectivity::Offline);
    assert_eq!(field.next_due(), NextDue { when_online: Some(NetworkNeed::Any), ..nothing.clone() });
    field.compass.set_connectivity(ONLINE);
    assert_eq!(field.next_due().at, Some(field.now()));

    // Waits for its retry.
    field.flush();
    let retry = field.delivery(session).next_attempt_at;
    assert!(retry > Some(field.now()));
    assert_eq!(field.next_due(), NextDue { at: retry, ..nothing.clone() });

    // The integration is off, the endpoint is disabled, or archived: a person has to do something.
    let person = NextDue { needs_person: true, ..nothing.clone() };
    field.compass.set_integration_enabled(false).unwrap();
    assert_eq!(field.next_due(), person);
    field.compass.set_integration_enabled(true).unwrap();
    field.compass.set_endpoint_enabled(OFFICE, false).unwrap();
    assert_eq!(field.next_due(), person);
    field.compass.set_endpoint_enabled(OFFICE, true).unwrap();
    field.compass.archive_endpoint(OFFICE).unwrap();
    assert_eq!(field.next_due(), person);
    field.compass.put_endpoint(&endpoint(OFFICE, OFFICE_URL)).unwrap();
    assert!(!field.next_due().needs_person);

    // An endpoint that this phone does not know: beside what time brings.
    field.compass.import_workflow(&workflow("stranger", &["depot"])).unwrap();
    complete(&field.compass, "stranger");
    let due = field.next_due();
    assert!(due.at.is_some() && due.needs_person, "neither of two reasons hides the other: {due:?}");

    // It failed for good.
    field.compass.put_endpoint(&endpoint("depot", "https://depot.example/")).unwrap();
    field.flush();
    assert!(field.next_due().needs_person);
    assert_eq!(field.messages(&[DeliveryState::Failed]).len(), 1);
}

#[test]
fn next_due_tells_an_unmetered_network_from_any() {
    let field = Field::new(ScriptedTransport::always(202));
    field.compass.put_endpoint(&unmetered(OFFICE, OFFICE_URL)).unwrap();
    let session = field.complete();
    let nothing = NextDue::default();
    assert_eq!(field.next_due(), NextDue { at_needs_unmetered: Some(field.now()), ..nothing.clone() });
    field.compass.set_connectivity(METERED);
    assert_eq!(field.next_due(), NextDue { when_online: Some(NetworkNeed::Unmetered), ..nothing.clone() });
    assert_eq!(field.delivery(session).reason.as_deref(), Some("needs_unmetered"));
    assert_eq!(field.flush().attempts, 0);
    // Beside one that takes any network: the scheduler needs to know of both.
    field.compass.put_endpoint(&endpoint("depot", "https://depot.example/")).unwrap();
    field.compass.import_workflow(&workflow("both", &["depot"])).unwrap();
    complete(&field.compass, "both");
    let due = field.next_due();
    assert_eq!((due.at, due.when_online), (Some(field.now()), Some(NetworkNeed::Unmetered)));
    assert_eq!(field.flush().sent, 1);
    // Not metered: allowed, whether or not it reaches the internet as the platform sees it.
    field.compass.set_connectivity(Connectivity::Online { validated: Some(false), metered: false });
    assert_eq!(field.flush().sent, 1);
    assert_eq!(field.next_due(), nothing);
}

#[test]
fn next_due_of_a_missing_secret_is_a_time_and_a_person() {
    let field = Field::new(ScriptedTransport::always(202));
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    let session = field.complete();
    field.flush();
    assert_eq!(field.transport.requests().len(), 0, "never sent unsigned");
    assert_eq!(field.delivery(session).reason.as_deref(), Some("secret_missing"));
    let due = field.next_due();
    assert!(due.needs_person);
    assert_eq!(due.at, Some(field.now() + chrono::TimeDelta::minutes(15)), "it is looked at again by itself");
    field.secrets.set(SECRET_NAME, SECRET);
    field.compass.secrets_changed().unwrap();
    assert_eq!(field.next_due(), NextDue { at: Some(field.now()), ..NextDue::default() });
    assert_eq!(field.flush().sent, 1);
}

#[test]
fn next_due_of_what_failed_for_want_of_a_network_is_a_time_or_a_network() {
    use compass_core::port::{FailureKind, Phase, RequestSent};
    let field = Field::new(ScriptedTransport::new(|_| {
        Err(compass_core::testing::failure(FailureKind::NoNetwork, Phase::Connect, RequestSent::No))
    }));
    field.complete();
    assert_eq!(field.flush().end, FlushEnd::Offline);
    let due = field.next_due();
    assert_eq!(due.when_online, Some(NetworkNeed::Any));
    assert!(due.at > Some(field.now()), "nor does it wait for ever if nobody tells of a network: {due:?}");
    assert!(!due.needs_person);
}

// Waking ------------------------------------------------------------------------------------------------------------------------------

#[test]
fn a_network_wakes_the_worker_and_a_backlog_drains_without_further_calls() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    let watch = Watch::on(&field.compass);
    field.compass.set_connectivity(Connectivity::Offline);
    field.compass.start_delivery().unwrap();
    field.compass.start_delivery().unwrap();
    field.backlog(100, OFFICE);
    assert_eq!(field.flush().end, FlushEnd::Offline);
    assert_eq!(field.transport.requests().len(), 0, "nothing is attempted without a network");
    field.compass.set_connectivity(ONLINE);
    watch.until("all is sent", all_sent);
    assert_eq!(field.transport.requests().len(), 100);
    // And what is completed from now on leaves by itself.
    let session = field.complete();
    watch.until("it is sent", |compass| is_sent(compass, session));
}

#[test]
fn the_worker_leaves_unmetered_messages_until_the_network_costs_nothing() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    field.compass.put_endpoint(&unmetered("depot", "https://depot.example/")).unwrap();
    field.compass.import_workflow(&workflow("both", &[OFFICE, "depot"])).unwrap();
    let watch = Watch::on(&field.compass);
    field.compass.set_connectivity(METERED);
    field.compass.start_delivery().unwrap();
    let session = complete(&field.compass, "both");
    let status = |compass: &Compass, action: usize| compass.record(session).unwrap().actions[action].status;
    watch.until("the office has its message", |compass| status(compass, 0) == ActionStatus::Sent);
    assert_eq!(status(&field.compass, 1), ActionStatus::Pending);
    field.compass.set_connectivity(ONLINE);
    watch.until("the depot has its message", |compass| status(compass, 1) == ActionStatus::Sent);
}

#[test]
fn the_worker_takes_up_its_work_after_a_suspension() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    let watch = Watch::on(&field.compass);
    let hold = field.compass.resume().unwrap();
    field.compass.start_delivery().unwrap();
    drop(hold);
    let session = field.complete();
    assert_eq!(field.flush().end, FlushEnd::Quiesced);
    assert_eq!(field.transport.requests().len(), 0);
    let hold = field.compass.resume().unwrap();
    watch.until("it is sent", |compass| is_sent(compass, session));
    drop(hold);
}
