//! Several things at once: what hangs, moves, stops or is sent again while something else goes on.

use compass_core::testing::{Blocking, BlockingAnswer, BlockingCall, Reply};

use super::*;

#[test]
fn a_hang_after_a_secret_came_is_not_told_as_a_secret_that_cannot_be_read() {
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let given = secrets_store.clone();
    let (field, _) = phone_with(|_| Ok(answer(202)), move |options| options.secrets = given);
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    field.complete();
    let never = CancelToken::new();
    let mut job = field.compass.flush_steps(20 * SECOND, &never, false).unwrap();
    secrets_store.gate.close();
    steps_until_wait(&mut job);
    secrets_store.gate.wait_for(1);
    secrets_store.gate.open();
    // It has come at once, before any time has passed.
    eventually("it came", || job.is_woken());
    // The device sleeps, or the thread that drives is kept by an observer or by the file.
    field.clock.advance(Duration::from_millis(17_500));
    eventually("the job has ended", || steps_until_wait(&mut job).is_none());
    let report = field.flush();
    assert_eq!(report.sent, 1, "the secret was there at once: {:?}", status(&field, OFFICE).pause_reason);
}

#[test]
fn a_secret_that_took_four_seconds_is_used_by_the_worker() {
    slow_secret(false);
}

#[test]
fn a_short_flush_beside_the_worker_does_not_pause_an_endpoint_for_a_secret_that_came() {
    slow_secret(true);
}

/// A secret takes four of the thirty seconds that the attempt of a worker has, and the message leaves.
fn slow_secret(beside_a_short_flush: bool) {
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let given = secrets_store.clone();
    let (field, _) = phone_with(|_| Ok(answer(202)), move |options| options.secrets = given);
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    let session = field.complete();
    let mut worker = field.compass.delivery_steps().unwrap().unwrap();
    secrets_store.gate.close();
    steps_until_wait(&mut worker);
    secrets_store.gate.wait_for(1);
    field.clock.advance(4 * SECOND);
    let never = CancelToken::new();
    if beside_a_short_flush {
        let mut job = field.compass.flush_steps(2 * SECOND, &never, false).unwrap();
        steps_until_wait(&mut job);
        steps_until_wait(&mut worker);
        steps_until_wait(&mut job);
        secrets_store.gate.open();
        eventually("it came", || job.is_woken());
        steps_until_wait(&mut job);
        field.clock.advance(2 * SECOND);
        eventually("the job has ended", || steps_until_wait(&mut job).is_none());
    } else {
        secrets_store.gate.open();
        eventually("it came", || worker.is_woken());
    }
    eventually("it is sent", || {
        steps_until_wait(&mut worker);
        is_sent(&field.compass, session)
    });
}

#[test]
fn a_secret_that_takes_nearly_all_the_time_is_told_and_not_asked_for_without_end() {
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let given = secrets_store.clone();
    let (field, _) = phone_with(|_| Ok(answer(202)), move |options| options.secrets = given);
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    let session = field.complete();
    let mut worker = field.compass.delivery_steps().unwrap().unwrap();
    secrets_store.gate.close();
    steps_until_wait(&mut worker);
    secrets_store.gate.wait_for(1);
    field.clock.advance(Duration::from_millis(28_500));
    secrets_store.gate.open();
    eventually("it came", || worker.is_woken());
    eventually("its endpoint waits", || {
        steps_until_wait(&mut worker);
        status(&field, OFFICE).pause_reason.as_deref() == Some("secret_unavailable")
    });
    assert_eq!((secrets_store.asked().len(), field.delivery(session).attempts), (1, 0));
}

#[test]
fn what_is_sent_again_while_an_attempt_hangs_waits_for_what_that_brings() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    flush_with_detached(&field, 1);
    assert!(abandon_first(&field, session).in_flight);
    send_first(&field, session);
    let never = CancelToken::new();
    let mut flush = field.compass.flush_steps(MINUTE, &never, false).unwrap();
    steps_until_wait(&mut flush);
    let claimed: i64 = sql(&field).query_row("SELECT count(*) FROM outbox WHERE state = 'leased'", [], |row| row.get(0)).unwrap();
    field.transport.release();
    assert_eq!(claimed, 0, "the first one is in flight");
}

#[test]
fn what_an_old_address_met_delays_nothing_at_the_new_one() {
    let (field, _) = phone(|request| {
        if request.url == OFFICE_URL { Err(failure(FailureKind::Refused, Phase::Connect, RequestSent::No)) } else { Ok(answer(202)) }
    });
    field.compass.set_connectivity(UNSURE);
    field.complete();
    field.transport.hold(OFFICE_URL);
    let mut worker = field.compass.delivery_steps().unwrap().unwrap();
    field.clock.advance(5 * SECOND);
    steps_until_wait(&mut worker);
    eventually("the old address is asked", || {
        steps_until_wait(&mut worker);
        field.transport.requests().len() == 1
    });
    field.compass.put_endpoint(&endpoint(OFFICE, "https://new.example/hook")).unwrap();
    // Another one leaves for the new address meanwhile, which is held too.
    field.transport.hold("https://");
    field.complete();
    eventually("the new address is asked", || {
        steps_until_wait(&mut worker);
        field.transport.requests().len() == 2
    });
    // The old address refuses, the new one has not answered yet.
    field.transport.hold("https://new.example/");
    field.transport.cancel(0);
    eventually("the old one has ended", || worker.is_woken());
    steps_until_wait(&mut worker);
    field.clock.advance(3 * SECOND);
    eventually("what was in flight at the old address goes to the new one at once", || {
        steps_until_wait(&mut worker);
        requests_to(&field, "https://new.example/") == 2
    });
    field.transport.release();
}

#[test]
fn next_due_and_the_list_agree_on_what_was_cut_short_too_often() {
    let (mut field, receivers) = phone(no_network);
    let session = field.complete();
    field.flush();
    receivers.take();
    for number in 2..=4 {
        field.transport.hold("");
        let cancel = CancelToken::new();
        let (compass, token) = (field.compass.clone(), cancel.clone());
        let running = std::thread::spawn(move || compass.flush(MINUTE, &token).unwrap());
        field.transport.wait_for_requests(number);
        cancel.cancel();
        joined("the flush", running);
        field.transport.release();
    }
    field.reopen();
    let shown = field.delivery(session).next_attempt_at.unwrap();
    let due = field.next_due();
    let report = field.flush();
    assert_eq!((due.at, report.attempts), (Some(shown), 0), "now is {}", field.now());
}

#[test]
fn an_endpoint_that_is_delayed_by_what_hangs_shows_it() {
    let (field, _) = phone(|_| Ok(answer(202)));
    field.transport.hold("");
    field.transport.ignore_cancel();
    for number in 1..=4 {
        field.complete();
        let cancel = CancelToken::new();
        let (compass, token) = (field.compass.clone(), cancel.clone());
        let running = std::thread::spawn(move || compass.flush(MINUTE, &token).unwrap());
        field.transport.wait_for_requests(number);
        cancel.cancel();
        joined("the flush", running);
    }
    let session = field.complete();
    field.flush();
    let delivery = field.delivery(session);
    field.transport.release();
    assert!(delivery.reason.is_some(), "it shows why");
    assert!(delivery.next_attempt_at.is_none_or(|at| at > field.now()), "nothing begins now");
}

#[test]
fn stopping_cancels_what_runs_although_an_observer_keeps_the_worker() {
    let inner = ScriptedTransport::always(202);
    let cancelled = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counts = Arc::clone(&cancelled);
    let on_cancel = Box::new(move || {
        counts.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    });
    let calling = CallingTransport { inner: inner.clone(), on_cancel, on_renew: Box::new(|| ()) };
    let field = Field::with(inner, |options| options.transport = Some(Arc::new(calling)));
    register(&field, "lab");
    complete_for(&field, "lab");
    field.complete();
    field.transport.hold("");
    field.compass.start_delivery().unwrap();
    field.transport.wait_for_requests(2);
    let gate = Gate::shut();
    let at = Arc::clone(&gate);
    let me = std::thread::current().id();
    let told = field.compass.observe(Arc::new(move |_| {
        if std::thread::current().id() != me {
            at.pass();
        }
    }));
    field.transport.hold(&url("lab"));
    field.transport.cancel(0);
    field.transport.wait_until_running(1);
    // The answer is on its way to delivery: time passes until it is there and is stored, and less of it than the lab has.
    let stored = (0..80).any(|_| {
        field.clock.advance(Duration::from_millis(250));
        gate.comes_within(1, Duration::from_millis(250))
    });
    assert!(stored, "the answer was not stored");
    field.compass.stop_delivery().unwrap();
    let asked = cancelled.load(std::sync::atomic::Ordering::SeqCst);
    gate.open();
    drop(told);
    assert_eq!(asked, 1, "the request to the lab is on its way still");
}

#[test]
fn a_repeated_abandon_says_that_the_message_is_in_flight() {
    for of_all in [false, true] {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        let running = field.flush_held(&field.compass, "", 1);
        let (key, command) = (field.action(session).key, id());
        let abandon = || match of_all {
            false => field.compass.abandon(session, &key, "anna", "paper", &command).unwrap(),
            true => field.compass.abandon_session(session, "anna", "paper", &command).unwrap(),
        };
        let first = abandon();
        let again = abandon();
        field.transport.release();
        joined("the flush", running);
        assert_eq!((first.in_flight, again.applied, again.in_flight), (true, Applied::Repeated, true), "of the session: {of_all}");
    }
}

#[test]
fn a_repeated_abandon_says_what_is_in_flight_although_it_was_corrected_or_sent_again() {
    for corrected in [true, false] {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        let other = field.other_process();
        let running = field.flush_held(&field.compass, "", 1);
        let command = id();
        let abandon = || other.abandon(session, "tell-0", "anna", "on paper", &command).unwrap().in_flight;
        let first = abandon();
        if corrected {
            let change = support::app::set("reading", FieldValue::Text("18.5".into()));
            other.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
            other.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap();
        } else {
            other.send(session, "tell-0", Some("anna"), &id()).unwrap();
        }
        let second = abandon();
        field.transport.release();
        joined("the flush", running);
        other.close().unwrap();
        assert_eq!((first, second), (true, true), "corrected: {corrected}");
    }
}

#[test]
fn what_is_sent_again_while_it_is_in_flight_is_shown_to_be_there() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    let running = field.flush_held(&field.compass, "", 1);
    assert!(abandon_first(&field, session).in_flight);
    send_first(&field, session);
    let (delivery, due) = (field.delivery(session), field.next_due());
    field.transport.release();
    joined("the flush", running);
    assert_eq!(delivery.next_attempt_at.is_some(), due.at.is_some(), "they agree");
    assert_eq!(delivery.reason.as_deref(), Some("in_flight"));
}

#[test]
fn a_deadline_without_end_is_one() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    field.complete();
    let compass = field.compass.clone();
    let report = in_time("the flush", WAIT_LIMIT, move || compass.flush(Duration::MAX, &CancelToken::new()).unwrap());
    assert_eq!(report.sent, 1);
    let report = field.compass.flush(Duration::ZERO, &CancelToken::new()).unwrap();
    assert_eq!(report.end, FlushEnd::Drained);
}

/// Calls that are carried out when the test says so.
#[derive(Default)]
struct Held(Mutex<Vec<(BlockingCall, Reply)>>);

impl Blocking for Held {
    fn begin(&self, call: BlockingCall, reply: Reply) -> std::io::Result<()> {
        self.0.lock().unwrap().push((call, reply));
        Ok(())
    }
}

#[test]
fn an_attempt_whose_request_found_no_thread_in_time_is_counted_once() {
    let held = Arc::new(Held::default());
    let given = held.clone();
    let (field, _) = phone_with(|_| Ok(answer(202)), move |options| options.blocking = Some(given));
    let session = field.complete();
    let never = CancelToken::new();
    let mut flush = field.compass.flush_steps(HOUR, &never, false).unwrap();
    steps_until_wait(&mut flush);
    // The device sleeps longer than the attempt has, and then the thread asks whether the request may leave.
    field.clock.advance(31 * SECOND);
    let calls = std::mem::take(&mut *held.0.lock().unwrap());
    for (call, reply) in calls {
        let BlockingCall::Send { send_check, .. } = call else { panic!("a request") };
        assert_eq!(send_check.time_left(), None);
        let never_left = failure(FailureKind::Cancelled, Phase::Resolve, RequestSent::No);
        drop(reply(BlockingAnswer::Sent(Err(never_left))));
    }
    field.compass.set_integration_enabled(false).unwrap();
    let report = loop {
        match flush.step() {
            StepOutcome::Again => {}
            StepOutcome::Wait { until } => field.clock.advance(until.unwrap().saturating_sub(field.options.clock.monotonic())),
            StepOutcome::Done(report) => break report.unwrap().unwrap(),
        }
    };
    assert_eq!(field.delivery(session).attempts, 0, "nothing left");
    assert_eq!(report.attempts, 1, "{report:?}");
}

#[test]
fn a_2xx_before_the_request_was_written_is_no_proof_that_it_was_read() {
    // As the built-in transport tells it; see tests/transport/requests.rs.
    for connectivity in [ONLINE, UNSURE] {
        let (field, receivers) = phone(|_| Err(failure(FailureKind::Protocol, Phase::Send, RequestSent::Maybe)));
        field.compass.set_connectivity(connectivity);
        let session = field.complete();
        assert_eq!(field.flush().sent, 0);
        let delivery = field.delivery(session);
        assert_eq!((delivery.state, delivery.reason.as_deref()), (DeliveryState::Pending, Some("protocol")));
        assert!(delivery.may_have_been_delivered && delivery.last_attempts[0].counted);
        assert_eq!(delivery.next_attempt_at, Some(field.now() + TimeDelta::minutes(5)), "on the slow schedule");
        receivers.take();
        field.advance_to(field.now() + TimeDelta::minutes(5));
        assert_eq!(field.flush().sent, 1);
    }
}

/// Two messages in flight; one is answered by a clock far ahead, which is set right before that is stored.
fn answered_before_the_clock_was_set_right(status: u16, then: impl FnOnce(&Field)) -> (Field, SessionKey) {
    let (field, receivers) =
        phone(move |request| if request.url == OFFICE_URL { Ok(answer_with(status, &[("retry-after", "3600")])) } else { Ok(answer(202)) });
    register(&field, "lab");
    field.clock.jump_wall(TimeDelta::hours(26));
    let session = field.complete();
    complete_for(&field, "lab");
    field.transport.hold("");
    let never = CancelToken::new();
    let mut job = field.compass.flush_steps(MINUTE, &never, false).unwrap();
    steps_until_wait(&mut job);
    field.transport.wait_for_requests(2);
    field.transport.hold(&url("lab"));
    eventually("the answer has come", || job.is_woken());
    steps_until_wait(&mut job);
    receivers.take();
    field.clock.jump_wall(TimeDelta::hours(-26));
    then(&field);
    field.transport.release();
    eventually("the job ends", || steps_until_wait(&mut job).is_none());
    (field, session)
}

#[test]
fn what_is_stored_after_the_clock_was_set_right_waits_for_no_day() {
    for status in [429, 404] {
        let (field, session) =
            answered_before_the_clock_was_set_right(status, |field| field.compass.set_connectivity(Connectivity::Offline));
        assert_eq!(field.transport.requests().len(), 2, "{status}");
        field.clock.advance(3 * HOUR);
        field.compass.set_connectivity(ONLINE);
        field.clock.advance(5 * SECOND);
        field.flush();
        assert!(is_sent(&field.compass, session), "{status}: {:?}, now {}", field.delivery(session).next_attempt_at, field.now());
    }
}

#[test]
fn a_pause_that_is_stored_after_the_clock_was_set_right_is_kept() {
    let (field, _) = answered_before_the_clock_was_set_right(429, |_| {});
    field.flush();
    assert_eq!(requests_to(&field, OFFICE_URL), 1, "the receiver wants to be left alone for an hour");
}

/// Cut short three times, and in flight once more.
fn in_flight_after_three_that_were_cut_short(
    script: fn(&TransportRequest) -> Answer,
    endpoint: &Endpoint,
) -> (Field, SessionKey, DeliverySteps) {
    let (field, _) = phone(script);
    field.secrets.set(SECRET_NAME, SECRET);
    field.compass.put_endpoint(endpoint).unwrap();
    let session = field.complete();
    for number in 1..=3 {
        field.transport.hold("");
        let cancel = CancelToken::new();
        let (compass, token) = (field.compass.clone(), cancel.clone());
        let running = std::thread::spawn(move || compass.flush(MINUTE, &token).unwrap());
        field.transport.wait_for_requests(number);
        cancel.cancel();
        joined("the flush", running);
        field.transport.release();
    }
    assert_eq!(outcomes(&field, session), ["interrupted"; 3]);
    field.clock.advance(MINUTE);
    field.transport.hold("");
    let mut job = field.compass.flush_steps(MINUTE, &CancelToken::new(), false).unwrap();
    eventually("it is in flight", || {
        steps_until_wait(&mut job);
        field.transport.requests().len() == 4
    });
    (field, session, job)
}

fn only_at_the_new_address(request: &TransportRequest) -> Answer {
    if request.url == OFFICE_URL { Ok(answer(500)) } else { Ok(answer(202)) }
}

#[test]
fn what_an_old_address_answers_delays_nothing_however_often_it_was_cut_short() {
    let (field, session, mut job) = in_flight_after_three_that_were_cut_short(only_at_the_new_address, &endpoint(OFFICE, OFFICE_URL));
    field.compass.put_endpoint(&endpoint(OFFICE, "https://new.example/hook")).unwrap();
    field.transport.release();
    eventually("the job ends", || steps_until_wait(&mut job).is_none());
    field.flush();
    assert!(is_sent(&field.compass, session), "{:?}, now {}", field.delivery(session).next_attempt_at, field.now());
}

#[test]
fn what_an_old_token_is_refused_for_delays_nothing_however_often_it_was_cut_short() {
    let script = |request: &TransportRequest| Ok(answer(if header(request, "authorization") == SECRET { 401 } else { 202 }));
    let headers = vec![EndpointHeader { name: "authorization".into(), value: HeaderValue::Secret(SECRET_NAME.into()) }];
    let token = Endpoint { headers, ..endpoint(OFFICE, OFFICE_URL) };
    let (field, session, mut job) = in_flight_after_three_that_were_cut_short(script, &token);
    field.secrets.set(SECRET_NAME, "new");
    field.compass.secrets_changed().unwrap();
    field.transport.release();
    eventually("the job ends", || steps_until_wait(&mut job).is_none());
    field.flush();
    assert!(is_sent(&field.compass, session), "{:?}, now {}", field.delivery(session).next_attempt_at, field.now());
}

const NEW_URL: &str = "https://new.example/hook";

/// In flight for the fourth time when its process dies; what another one changes, or the next one, comes before its lease is over.
fn died_in_flight(by_another: bool, change: fn(&Compass)) -> (Field, SessionKey) {
    let (mut field, session, job) = in_flight_after_three_that_were_cut_short(only_at_the_new_address, &signed(OFFICE, OFFICE_URL));
    let other = by_another.then(|| field.other_process());
    drop(job);
    field.compass.clone().kill();
    field.transport.release();
    other.iter().for_each(change);
    field.open_again();
    if !by_another {
        change(&field.compass);
    }
    field.clock.advance(2 * MINUTE);
    field.flush();
    if let Some(other) = other {
        other.close().unwrap();
    }
    (field, session)
}

#[test]
fn an_attempt_that_died_at_an_old_address_spaces_nothing_at_the_new_one() {
    for by_another in [false, true] {
        let moves = |compass: &Compass| compass.put_endpoint(&signed(OFFICE, NEW_URL)).unwrap();
        let (field, session) = died_in_flight(by_another, moves);
        let next = field.delivery(session).next_attempt_at;
        assert!(is_sent(&field.compass, session), "by another: {by_another}, {next:?}, now {}", field.now());
    }
}

#[test]
fn an_attempt_that_died_spaces_the_next_one_although_the_same_address_got_new_secrets_or_was_off() {
    let same_address: [fn(&Compass); 2] = [
        |compass| compass.secrets_changed().unwrap(),
        |compass| [false, true].iter().for_each(|on| compass.set_endpoint_enabled(OFFICE, *on).unwrap()),
    ];
    for change in same_address {
        let (field, session) = died_in_flight(false, change);
        assert!(field.delivery(session).next_attempt_at > Some(field.now()));
        assert_eq!(field.transport.requests().len(), 4, "a store that hangs is not asked again and again");
    }
}

#[test]
fn an_attempt_that_was_cancelled_at_an_old_address_spaces_nothing_at_the_new_one() {
    // Also where the endpoint is by then what it was before.
    for urls in [vec![NEW_URL], vec![NEW_URL, OFFICE_URL]] {
        let (field, session, job) = in_flight_after_three_that_were_cut_short(only_at_the_new_address, &signed(OFFICE, OFFICE_URL));
        for url in &urls {
            field.compass.put_endpoint(&signed(OFFICE, url)).unwrap();
        }
        field.compass.quiesce().unwrap();
        drop(job);
        field.transport.release();
        let _hold = field.compass.resume().unwrap();
        field.flush();
        assert_eq!(field.transport.requests().len(), 5, "{urls:?}: {:?}", outcomes(&field, session));
    }
}
