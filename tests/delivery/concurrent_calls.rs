//! Calls beside one another: a flush behind another one, a resume that is under way, stopping and quiescing while somebody else drives.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A phone whose transport counts what it is asked to cancel.
fn counting(change: impl FnOnce(&mut Options)) -> (Field, Arc<AtomicUsize>) {
    let inner = ScriptedTransport::always(202);
    let cancelled = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&cancelled);
    let on_cancel = Box::new(move || {
        counts.fetch_add(1, Ordering::SeqCst);
    });
    let calling = CallingTransport { inner: inner.clone(), on_cancel, on_renew: Box::new(|| ()) };
    let field = Field::with(inner, |options| {
        options.transport = Some(Arc::new(calling));
        change(options);
    });
    (field, cancelled)
}

/// Takes steps until the end, no matter what they wait for.
fn report(steps: &mut DeliverySteps) -> FlushReport {
    let end = Instant::now() + WAIT_LIMIT;
    loop {
        match steps.step() {
            StepOutcome::Again => {}
            StepOutcome::Wait { .. } if Instant::now() < end => std::thread::yield_now(),
            StepOutcome::Wait { .. } => panic!("it does not end"),
            StepOutcome::Done(report) => return report.unwrap().unwrap(),
        }
    }
}

// Waiting for the turn ---------------------------------------------------------------------------------------------------------------------

/// A job flushes, at an office that takes its time, and the lab waits: a flush beside it brings on an attempt at the lab.
fn behind_a_job(answers: fn(&TransportRequest) -> Answer, urgent: bool) {
    let (field, _) = phone(move |request| if request.url.starts_with(&url("lab")) { answers(request) } else { Ok(answer(202)) });
    register(&field, "lab");
    complete_for(&field, "lab");
    field.flush();
    field.complete();
    field.transport.hold("");
    let never = CancelToken::new();
    let mut job = field.compass.flush_steps(MINUTE, &never, false).unwrap();
    let lab = || requests_to(&field, &url("lab"));
    // What waits for a network is tried by the job itself, what a receiver wants later is not.
    let before = if urgent { 1 } else { 2 };
    eventually("the job has begun what it may", || {
        steps_until_wait(&mut job);
        requests_to(&field, OFFICE_URL) == 1 && lab() == before
    });
    eventually("the job waits for answers alone", || !job.is_woken() || steps_until_wait(&mut job).is_none());
    field.transport.hold(OFFICE_URL);
    if !urgent {
        eventually("the job hears of the lab", || job.is_woken());
        steps_until_wait(&mut job);
    }
    assert_eq!(lab(), before);
    let (stays, goes) = (CancelToken::new(), CancelToken::new());
    let mut person = field.compass.flush_steps(MINUTE, &stays, urgent).unwrap();
    let mut other = field.compass.flush_steps(MINUTE, &goes, urgent).unwrap();
    steps_until_wait(&mut person);
    steps_until_wait(&mut other);
    assert!(job.is_woken(), "whoever drives hears of it");
    // Another person does not wait any more. That is the end of one request, not of both.
    goes.cancel();
    assert_eq!(report(&mut other).end, FlushEnd::Cancelled);
    eventually("the lab is tried for the person", || {
        steps_until_wait(&mut job);
        lab() == before + 1
    });
    field.transport.release();
    assert_eq!(report(&mut job).sent, 1);
    report(&mut person);
    assert_eq!(lab(), before + 1, "once");
}

#[test]
fn an_urgent_flush_behind_another_one_gets_its_attempt() {
    behind_a_job(|_| Ok(answer_with(503, &[("retry-after", "3600")])), true);
}

#[test]
fn a_flush_behind_another_one_tries_what_waits_for_a_network() {
    behind_a_job(no_network, false);
}

#[test]
fn a_person_behind_a_job_gets_an_attempt_where_an_app_says_that_there_is_no_network() {
    let (field, _) = phone(|_| Ok(answer(202)));
    register(&field, "lab");
    field.complete();
    field.transport.hold(OFFICE_URL);
    let never = CancelToken::new();
    let mut job = field.compass.flush_steps(MINUTE, &never, false).unwrap();
    steps_until_wait(&mut job);
    field.transport.wait_for_requests(1);
    field.compass.set_connectivity(Connectivity::Offline);
    complete_for(&field, "lab");
    steps_until_wait(&mut job);
    assert_eq!(requests_to(&field, &url("lab")), 0);
    let mut person = field.compass.flush_steps(MINUTE, &never, true).unwrap();
    steps_until_wait(&mut person);
    eventually("the lab is tried for the person", || {
        steps_until_wait(&mut job);
        requests_to(&field, &url("lab")) == 1
    });
    field.transport.release();
    report(&mut job);
    report(&mut person);
}

#[test]
fn a_flush_that_waits_for_its_turn_hears_that_it_is_cancelled() {
    let (field, _) = phone(|_| Ok(answer(202)));
    field.complete();
    field.transport.hold("");
    let (never, cancel) = (CancelToken::new(), CancelToken::new());
    let mut first = field.compass.flush_steps(MINUTE, &never, false).unwrap();
    steps_until_wait(&mut first);
    let compass = field.compass.clone();
    let token = cancel.clone();
    let waiting = std::thread::spawn(move || compass.flush(MINUTE, &token).unwrap());
    eventually("the second one waits", || first.is_woken());
    cancel.cancel();
    assert_eq!(joined("the second flush", waiting).end, FlushEnd::Cancelled);
    field.transport.release();
    assert_eq!(report(&mut first).sent, 1);
}

// A resume that is under way ---------------------------------------------------------------------------------------------------------------

/// The system's clock, at which one thread may be kept.
struct GatedClock {
    inner: SystemClock,
    kept: Mutex<Option<std::thread::ThreadId>>,
    gate: Arc<Gate>,
}

impl Clock for GatedClock {
    fn now(&self) -> Timestamp {
        if *self.kept.lock().unwrap() == Some(std::thread::current().id()) {
            self.gate.pass();
        }
        self.inner.now()
    }

    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }

    fn utc_offset(&self, _at: Timestamp) -> i32 {
        0
    }
}

#[test]
fn a_quiesce_that_a_resume_has_overtaken_cuts_nothing_of_what_came_after() {
    let gate = Gate::shut();
    let clock = Arc::new(GatedClock { inner: SystemClock::default(), kept: Mutex::default(), gate: Arc::clone(&gate) });
    let given = Arc::clone(&clock);
    let (field, cancelled) = counting(move |options| options.clock = given);
    let session = field.complete();
    field.transport.hold("");
    let compass = field.compass.clone();
    let quiescing = std::thread::spawn(move || {
        *clock.kept.lock().unwrap() = Some(std::thread::current().id());
        compass.quiesce().unwrap();
    });
    // It is about to cancel what runs.
    gate.wait_for(1);
    let hold = field.compass.resume().unwrap();
    let running = flushing(&field.compass);
    field.transport.wait_for_requests(1);
    gate.open();
    joined("quiescing", quiescing);
    assert_eq!(cancelled.load(Ordering::SeqCst), 0, "the handle was resumed before it began");
    field.transport.release();
    assert_eq!(joined("the flush", running).sent, 1);
    assert_eq!(outcomes(&field, session), ["sent"]);
    drop(hold);
}

// Stopping and quiescing -------------------------------------------------------------------------------------------------------------------

#[test]
fn stopping_delivery_ends_what_a_flush_has_left_to_a_worker_that_did_not_take_it_over() {
    let (field, cancelled) = counting(|_| {});
    field.complete();
    field.transport.hold("");
    let mut worker = field.compass.delivery_steps().unwrap().unwrap();
    let cancel = CancelToken::new();
    let mut flush = field.compass.flush_steps(MINUTE, &cancel, false).unwrap();
    steps_until_wait(&mut flush);
    field.transport.wait_for_requests(1);
    cancel.cancel();
    assert_eq!(report(&mut flush).end, FlushEnd::Cancelled);
    assert_eq!(cancelled.load(Ordering::SeqCst), 0, "the worker goes on with it");
    field.compass.stop_delivery().unwrap();
    eventually("the request is cancelled", || cancelled.load(Ordering::SeqCst) == 1);
    assert!(matches!(worker.step(), StepOutcome::Done(_)));
}

/// A flush on a thread of its own that is kept by an observer while it tells of what the office has answered, with a request to the lab on
/// its way. Gives how it is released and joined.
fn kept_by_an_observer(field: &Field, then: impl FnOnce(&CancelToken)) -> (Arc<Gate>, JoinHandle<FlushReport>) {
    register(field, "lab");
    complete_for(field, "lab");
    field.complete();
    field.transport.hold("");
    let cancel = CancelToken::new();
    let mut flush = field.compass.flush_steps(2 * MINUTE, &cancel, false).unwrap();
    assert!(steps_until_wait(&mut flush).is_some());
    field.transport.wait_for_requests(2);
    field.transport.hold(&url("lab"));
    // A request that is held looks again whether it is.
    field.transport.cancel(0);
    eventually("the office has answered", || flush.is_woken());
    assert!(steps_until_wait(&mut flush).is_some(), "the lab has not answered");
    let gate = Gate::shut();
    let at = Arc::clone(&gate);
    let me = std::thread::current().id();
    let told = field.compass.observe(Arc::new(move |_| {
        if std::thread::current().id() != me {
            at.pass();
        }
    }));
    then(&cancel);
    let running = std::thread::spawn(move || {
        let _told = told;
        report(&mut flush)
    });
    gate.wait_for(1);
    (gate, running)
}

#[test]
fn a_flush_that_hands_over_to_a_worker_which_is_stopped_meanwhile_ends_what_it_has_begun() {
    let (field, cancelled) = counting(|_| {});
    // With a worker beside it, it hands over what runs. It is kept while it stores what it has.
    let (gate, running) = kept_by_an_observer(&field, |cancel| {
        field.compass.start_delivery().unwrap();
        cancel.cancel();
    });
    field.compass.stop_delivery().unwrap();
    assert_eq!(cancelled.load(Ordering::SeqCst), 0, "whoever drives sees to it");
    gate.open();
    joined("the flush", running);
    assert!(cancelled.load(Ordering::SeqCst) > 0, "nobody else does");
}

#[test]
fn quiescing_cancels_what_runs_although_an_observer_keeps_whoever_drives() {
    let (field, cancelled) = counting(|_| {});
    // What the office has answered is due to be stored.
    let clock = field.clock.clone();
    let (gate, running) = kept_by_an_observer(&field, move |_| clock.advance(3 * SECOND));
    field.compass.quiesce().unwrap();
    assert_eq!(cancelled.load(Ordering::SeqCst), 1);
    gate.open();
    assert_eq!(joined("the flush", running).end, FlushEnd::Quiesced);
}

#[test]
fn an_observer_that_takes_its_time_does_not_keep_the_worker_from_what_was_committed() {
    let (field, _) = phone(|_| Ok(answer(202)));
    field.compass.start_delivery().unwrap();
    let gate = Gate::shut();
    let at = Arc::clone(&gate);
    let compass = field.compass.clone();
    let commits = std::thread::spawn(move || {
        let me = std::thread::current().id();
        let _told = compass.observe(Arc::new(move |notice| {
            if notice.outbox && std::thread::current().id() == me {
                at.pass();
            }
        }));
        complete(&compass, "visit");
    });
    gate.wait_for(1);
    field.transport.wait_for_requests(1);
    gate.open();
    joined("the commit", commits);
}

#[test]
fn what_another_process_sends_again_while_it_is_in_flight_waits_for_what_that_brings() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    let other = field.other_process();
    let running = field.flush_held(&field.compass, "", 1);
    let key = field.action(session).key;
    // Twice, for the second decision forgets nothing of the first.
    for _ in 0..2 {
        assert!(other.abandon(session, &key, "anna", "handed in on paper", &id()).unwrap().in_flight);
        other.send(session, &key, Some("anna"), &id()).unwrap();
    }
    let came = requests_of_a_flush(&field, &other, 2);
    field.transport.release();
    joined("the flush", running);
    other.close().unwrap();
    assert_eq!(came, 1, "the first one is in flight");
}

#[test]
fn what_is_abandoned_by_another_process_and_sent_again_here_waits_for_what_is_in_flight() {
    // Both by the process that has nothing in flight, delivered by the one that has.
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    let other = field.other_process();
    let running = field.flush_held(&field.compass, "", 1);
    let key = field.action(session).key;
    assert!(other.abandon(session, &key, "anna", "handed in on paper", &id()).unwrap().in_flight);
    other.send(session, &key, Some("anna"), &id()).unwrap();
    field.clock.advance(5 * SECOND);
    field.compass.refresh().unwrap();
    assert_eq!(field.transport.requests().len(), 1);
    field.transport.release();
    joined("the flush", running);
    other.close().unwrap();
    assert!(is_sent(&field.compass, session));
    assert_eq!(field.transport.requests().len(), 1);
}

#[test]
fn what_another_process_sends_again_waits_no_longer_than_what_is_in_flight_takes() {
    let (field, _) = phone(|_| Ok(answer(500)));
    let session = field.complete();
    let other = field.other_process();
    let running = field.flush_held(&field.compass, "", 1);
    let key = field.action(session).key;
    other.abandon(session, &key, "anna", "handed in on paper", &id()).unwrap();
    other.send(session, &key, Some("anna"), &id()).unwrap();
    assert!(other.next_due().unwrap().at > Some(field.now()), "it is waited for");
    field.transport.release();
    joined("the flush", running);
    other.close().unwrap();
    assert_eq!(outcomes(&field, session), ["server_error", "server_error"]);
    assert_eq!(counted(&field, session), 1, "the second one alone");
}

#[test]
fn an_endpoint_that_another_process_changed_waits_for_no_backoff_of_before() {
    let mut found = Vec::new();
    for by_another in [false, true] {
        let (field, _) = phone(|request| {
            if request.url == OFFICE_URL { Err(failure(FailureKind::Refused, Phase::Connect, RequestSent::No)) } else { Ok(answer(202)) }
        });
        field.compass.set_connectivity(UNSURE);
        let session = field.complete();
        let other = field.other_process();
        let mut worker = field.compass.delivery_steps().unwrap().unwrap();
        // Until it is tried every quarter of an hour.
        for attempts in 1..=10 {
            field.clock.advance(20 * MINUTE);
            eventually("it has been tried", || {
                steps_until_wait(&mut worker);
                field.delivery(session).attempts == attempts && reason(&field, session).as_deref() == Some("unreachable")
            });
        }
        let changed = endpoint(OFFICE, "https://new.example/hook");
        if by_another {
            other.put_endpoint(&changed).unwrap();
            field.compass.refresh().unwrap();
        } else {
            field.compass.put_endpoint(&changed).unwrap();
        }
        let mut after = None;
        for seconds in 0..1000_u32 {
            nothing_is_in_flight(&field, session, Some(&mut worker));
            if requests_to(&field, "https://new.example/") > 0 {
                after = Some(seconds);
                break;
            }
            field.clock.advance(SECOND);
        }
        found.push((by_another, after, field.next_due().at.map(|at| at - field.now())));
        other.close().unwrap();
    }
    assert!(found.iter().all(|(_, after, _)| after.is_some_and(|after| after <= 70)), "seconds until it leaves: {found:?}");
}

#[test]
fn a_pause_that_a_receiver_asked_another_process_for_holds_here() {
    let gate = Gate::shut();
    let at = gate.clone();
    let receivers = ScriptedTransport::numbered(move |number, _| match number {
        1 => {
            at.pass();
            Ok(answer(202))
        }
        2 => Ok(answer_with(429, &[("retry-after", "3600")])),
        _ => Ok(answer(202)),
    });
    let field = Field::with(receivers, one_at_a_time);
    field.backlog(20, OFFICE);
    let other = field.other_process();
    let never = CancelToken::new();
    let mut theirs = other.flush_steps(MINUTE, &never, false).unwrap();
    steps_until_wait(&mut theirs);
    field.transport.wait_for_requests(1);
    field.complete();
    field.flush();
    assert_eq!(field.transport.requests().len(), 2);
    assert!(status(&field, OFFICE).paused_until.is_some());
    gate.open();
    eventually("it ends", || steps_until_wait(&mut theirs).is_none());
    let came = field.transport.requests().len();
    other.close().unwrap();
    assert_eq!(came, 2, "the receiver has asked for an hour");
}

#[test]
fn a_pause_that_another_process_was_asked_for_holds_in_real_time() {
    let gate = Gate::shut();
    let at = gate.clone();
    let receivers = ScriptedTransport::numbered(move |number, _| match number {
        1 => {
            at.pass();
            Ok(answer(202))
        }
        2 => Ok(answer_with(429, &[("retry-after", "3600")])),
        _ => Ok(answer(202)),
    });
    let field = Field::with(receivers, |options| {
        one_at_a_time(options);
        options.clock = Arc::new(SystemClock::default());
    });
    field.backlog(20, OFFICE);
    let other = field.other_process();
    let theirs = flushing(&other);
    field.transport.wait_for_requests(1);
    field.complete();
    field.flush();
    gate.open();
    joined("the flush", theirs);
    let came = field.transport.requests().len();
    other.close().unwrap();
    assert_eq!(came, 2, "the receiver has asked for an hour");
}

/// A message is in flight here. In another process it is abandoned and sent again, something happens, and that process flushes: whether it
/// sends it, too.
fn sends_what_is_in_flight(urgent: bool, happens: impl FnOnce(&Compass)) -> bool {
    let (field, _) = phone(|_| Ok(answer(202)));
    field.secrets.set(SECRET_NAME, SECRET);
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    let session = field.complete();
    let other = field.other_process();
    let running = field.flush_held(&field.compass, "", 1);
    let key = field.action(session).key;
    other.abandon(session, &key, "anna", "handed in on paper", &id()).unwrap();
    other.send(session, &key, Some("anna"), &id()).unwrap();
    happens(&other);
    let never = CancelToken::new();
    let mut steps = other.flush_steps(MINUTE, &never, urgent).unwrap();
    let sends = steps_until_wait(&mut steps).is_some();
    field.transport.release();
    joined("the flush", running);
    eventually("the other one ends", || steps_until_wait(&mut steps).is_none());
    other.close().unwrap();
    assert!(is_sent(&field.compass, session));
    sends
}

#[test]
fn an_urgent_flush_of_another_process_waits_for_what_is_in_flight() {
    assert!(!sends_what_is_in_flight(false, |_| ()));
    assert!(!sends_what_is_in_flight(true, |_| ()));
}

#[test]
fn new_secrets_do_not_send_what_is_in_flight() {
    assert!(!sends_what_is_in_flight(false, |other| other.secrets_changed().unwrap()));
}

#[test]
fn an_endpoint_that_is_switched_off_and_on_does_not_send_what_is_in_flight() {
    let switch = |other: &Compass| {
        other.set_endpoint_enabled(OFFICE, false).unwrap();
        other.set_endpoint_enabled(OFFICE, true).unwrap();
    };
    assert!(!sends_what_is_in_flight(false, switch));
}

#[test]
fn an_observer_that_takes_its_time_does_not_keep_the_worker_from_what_another_process_committed() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let other = field.other_process();
    let mut worker = field.compass.delivery_steps().unwrap().unwrap();
    steps_until_wait(&mut worker);
    complete(&other, "visit");
    let gate = Gate::shut();
    let keeps = gate.clone();
    let _subscription = field.compass.observe(Arc::new(move |_| keeps.pass()));
    let compass = field.compass.clone();
    let refreshing = std::thread::spawn(move || compass.refresh().unwrap());
    gate.wait_for(1);
    let is_woken = worker.is_woken();
    gate.open();
    joined("the refresh", refreshing);
    assert!(is_woken, "the observer keeps the worker");
    drop(worker);
    other.close().unwrap();
}

/// Real threads: two processes abandon messages and send them again all the time, and each request lasts until they have gone round once more.
#[test]
fn no_id_is_in_flight_twice_however_often_it_is_abandoned_and_sent_again() {
    let turn = Arc::new((Mutex::new(0_u64), Condvar::new()));
    let next_turn = |turn: &(Mutex<u64>, Condvar), by: u64| {
        *turn.0.lock().unwrap() += by;
        turn.1.notify_all();
    };
    let in_flight: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let twice: Arc<Mutex<Vec<String>>> = Arc::default();
    let (now, found, goes_round) = (in_flight.clone(), twice.clone(), turn.clone());
    let transport = ScriptedTransport::new(move |request| {
        let id = header(request, "webhook-id");
        if !now.lock().unwrap().insert(id.clone()) {
            found.lock().unwrap().push(id.clone());
        }
        let began = goes_round.0.lock().unwrap();
        let until = *began + 2;
        drop(goes_round.1.wait_timeout_while(began, WAIT_LIMIT, |turn| *turn < until).unwrap());
        now.lock().unwrap().remove(&id);
        Ok(answer(500))
    });
    let field = Field::in_real_time(transport);
    let sessions: Vec<SessionKey> = (0..4).map(|_| field.complete()).collect();
    let other = field.other_process();
    let both = [&field.compass, &other];
    both.iter().for_each(|compass| compass.start_delivery().unwrap());
    let mut round = 0;
    eventually("thirty requests have left", || {
        round += 1;
        next_turn(&turn, 1);
        for (index, session) in sessions.iter().enumerate() {
            drop(both[(round + index) % 2].abandon(*session, "tell-0", "anna", "paper", &id()));
            drop(both[(round + index) % 3 % 2].send(*session, "tell-0", Some("anna"), &id()));
        }
        if round % 5 == 0 {
            field.compass.set_endpoint_enabled(OFFICE, false).unwrap();
            other.set_endpoint_enabled(OFFICE, true).unwrap();
        }
        for compass in both {
            compass.refresh().unwrap();
        }
        field.transport.requests().len() >= 30
    });
    next_turn(&turn, u64::MAX / 2);
    field.compass.stop_delivery().unwrap();
    other.close().unwrap();
    assert_eq!(*twice.lock().unwrap(), Vec::<String>::new());
    let faults = field.compass.check().unwrap().faults;
    assert!(faults.is_empty(), "{faults:?}");
}
