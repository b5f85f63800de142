//! Probes: two things at once, and the edges of stated bounds.

use std::sync::atomic::{AtomicU64, Ordering};

use compass_core::testing::SequentialRandom;

use super::*;

fn http_date(at: Timestamp) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Whether so many requests come in a moment, while somebody drives.
fn come_while(field: &Field, steps: &mut DeliverySteps, count: usize) -> bool {
    let end = Instant::now() + 2 * SECOND;
    while Instant::now() < end {
        steps_until_wait(steps);
        if field.transport.requests().len() >= count {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

// 1. The clock is set right while the message is in the air -------------------------------------------------------------------------------

fn clock_set_in_the_air(refusal: u16, sets: bool) -> (Field, SessionKey) {
    let clock: Arc<Mutex<Option<Arc<ManualClock>>>> = Arc::default();
    let knows = clock.clone();
    let (field, _) = phone(move |request| {
        let clock = knows.lock().unwrap().clone().unwrap();
        // The receiver's clock is right: ten minutes ahead of what the phone believes when it signs.
        let now = Timestamp::from_timestamp(1_800_000_600, 0).unwrap() + TimeDelta::from_std(clock.monotonic()).unwrap()
            - TimeDelta::seconds(1_000);
        let signed: i64 = header(request, "webhook-timestamp").parse().unwrap();
        if sets && clock.now() < now - TimeDelta::minutes(5) {
            // Signal has come, and with it the right time, a moment after the message was signed.
            clock.set_wall(now);
        }
        let status = if (now.timestamp() - signed).abs() <= 300 { 202 } else { refusal };
        Ok(answer_with(status, &[("date", &http_date(now))]))
    });
    *clock.lock().unwrap() = Some(field.clock.clone());
    field.secrets.set(SECRET_NAME, SECRET);
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    let session = field.complete();
    field.flush();
    (field, session)
}

#[test]
fn p01_control_a_wrong_clock_that_stays_wrong_costs_no_message() {
    for refusal in [400, 422, 401, 403] {
        let (field, session) = clock_set_in_the_air(refusal, false);
        assert_eq!(outcomes(&field, session), ["clock_skew", "sent"], "{refusal}");
    }
}

#[test]
fn p01_a_clock_that_is_set_right_while_a_message_is_in_the_air_fails_no_message() {
    let mut found = Vec::new();
    for refusal in [400, 422, 401, 403] {
        let (field, session) = clock_set_in_the_air(refusal, true);
        let action = field.action(session);
        found.push((
            refusal,
            action.status,
            action.reason,
            action.failed_sends,
            outcomes(&field, session),
            field.next_due().at.map(|at| at - field.now()),
        ));
    }
    assert!(found.iter().all(|(_, status, ..)| *status == ActionStatus::Sent), "{found:#?}");
}

// 7. A short flush leaves a look-up to the worker --------------------------------------------------------------------------------------------

#[test]
fn p07_a_short_flush_that_leaves_a_look_up_to_the_worker_pauses_no_endpoint() {
    let mut found = Vec::new();
    for beside_a_worker in [false, true] {
        let secrets_store = SlowSecrets::new();
        secrets_store.set(SECRET_NAME, SECRET);
        let given = secrets_store.clone();
        let (field, _) = phone_with(|_| Ok(answer(202)), move |options| options.secrets = given);
        field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
        let session = field.complete();
        let mut worker = beside_a_worker.then(|| field.compass.delivery_steps().unwrap().unwrap());
        let never = CancelToken::new();
        let mut job = field.compass.flush_steps(5 * SECOND, &never, false).unwrap();
        secrets_store.gate.close();
        steps_until_wait(&mut job);
        secrets_store.gate.wait_for(1);
        // The store takes five seconds. The flush has had its time before.
        field.clock.advance(4 * SECOND);
        eventually("the job has ended", || steps_until_wait(&mut job).is_none());
        if let Some(worker) = &mut worker {
            steps_until_wait(worker);
        }
        field.clock.advance(SECOND);
        secrets_store.gate.open();
        eventually("the look-up has ended", || secrets_store.asked().len() == 1);
        std::thread::sleep(Duration::from_millis(200));
        if let Some(worker) = &mut worker {
            steps_until_wait(worker);
        }
        let office = status(&field, OFFICE);
        found.push((beside_a_worker, office.pause_reason, office.paused_until.map(|at| at - field.now()), reason(&field, session)));
    }
    assert!(found.iter().all(|(_, pause, ..)| pause.is_none()), "{found:#?}");
}

// 8. A process that dies in each short window -------------------------------------------------------------------------------------------------

#[test]
fn p08_a_receiver_that_hangs_is_not_asked_in_each_window_of_an_app_that_is_killed() {
    let mut asked = Vec::new();
    for killed in [false, true] {
        let (mut field, _) = phone(|_| Ok(answer(202)));
        field.complete();
        for _ in 0..16 {
            let before = field.transport.requests().len();
            field.transport.hold("");
            let cancel = CancelToken::new();
            let mut steps = field.compass.flush_steps(10 * SECOND, &cancel, false).unwrap();
            if steps_until_wait(&mut steps).is_some() {
                field.transport.wait_for_requests(before + 1);
                if killed {
                    drop(steps);
                    field.compass.clone().kill();
                } else {
                    cancel.cancel();
                    eventually("it ends", || steps_until_wait(&mut steps).is_none());
                    field.compass.close().unwrap();
                }
            } else {
                field.compass.close().unwrap();
            }
            field.transport.release();
            field.compass = Compass::open(field.options.clone()).unwrap();
            field.clock.advance(2 * MINUTE);
        }
        asked.push(field.transport.requests().len());
    }
    assert!(asked[1] < 16, "requests in 16 windows, two minutes apart: called off {}, killed {}", asked[0], asked[1]);
}

// 10. Five seconds ------------------------------------------------------------------------------------------------------------------------------

/// What is drawn is said by the test.
#[derive(Default)]
struct Drawn(SequentialRandom, AtomicU64);

impl Random for Drawn {
    fn bytes(&self) -> [u8; 16] {
        self.0.bytes()
    }

    fn fraction(&self) -> f64 {
        self.1.load(Ordering::SeqCst) as f64 / 1000.0
    }
}

#[test]
fn p10_what_can_leave_begins_within_five_seconds_of_a_network_that_came_soon_after_another() {
    let drawn = Arc::new(Drawn::default());
    let given = drawn.clone();
    let (field, receivers) = phone_with(no_network, move |options| options.random = given);
    field.complete();
    let online = |network| Connectivity::Online { validated: None, metered: false, network: Some(network) };
    let mut worker = field.compass.delivery_steps().unwrap().unwrap();
    field.compass.set_connectivity(Connectivity::Offline);
    steps_until_wait(&mut worker);
    field.compass.set_connectivity(online(1));
    assert!(come_while(&field, &mut worker, 1), "it begins at once");
    let session = field.messages(&ALL_STATES)[0].session;
    eventually("it has failed", || {
        steps_until_wait(&mut worker);
        outcomes(&field, session) == ["offline"]
    });
    // The network that came was none. Another one comes soon after.
    field.clock.advance(Duration::from_millis(10));
    drawn.1.store(999, Ordering::SeqCst);
    receivers.take();
    field.compass.set_connectivity(Connectivity::Offline);
    field.compass.set_connectivity(online(2));
    let mut after = None;
    for tick in 1..=70_u32 {
        field.clock.advance(Duration::from_millis(100));
        steps_until_wait(&mut worker);
        std::thread::sleep(Duration::from_millis(10));
        steps_until_wait(&mut worker);
        if field.transport.requests().len() > 1 {
            after = Some(tick * 100);
            break;
        }
    }
    assert!(after.is_some_and(|after| after <= 5_000), "began after {after:?} ms");
}

// 11. A test delivery -----------------------------------------------------------------------------------------------------------------------

#[test]
#[ignore = "takes half a minute of real time"]
fn p11_a_test_delivery_is_back_within_thirty_seconds_whatever_hangs() {
    let inner = ScriptedTransport::always(202);
    let gate = Gate::shut();
    let at = gate.clone();
    let calling = CallingTransport { inner: inner.clone(), on_cancel: Box::new(|| ()), on_renew: Box::new(move || at.pass()) };
    let field = Field::with(inner, |options| {
        options.clock = Arc::new(SystemClock::default());
        options.transport = Some(Arc::new(calling));
    });
    field.compass.set_connectivity(Connectivity::Offline);
    field.compass.set_connectivity(ONLINE);
    field.transport.hold("");
    field.transport.ignore_cancel();
    let began = Instant::now();
    let outcome = field.compass.test_delivery(OFFICE).unwrap().outcome;
    let took = began.elapsed();
    gate.open();
    field.transport.release();
    assert!(took < Duration::from_millis(30_500), "{outcome} after {took:?}");
}

// 17. A correction -----------------------------------------------------------------------------------------------------------------------------

#[test]
fn p17_a_revision_does_not_begin_while_an_earlier_one_is_in_the_air() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.transport.hold("");
    let never = CancelToken::new();
    let mut flush = field.compass.flush_steps(MINUTE, &never, false).unwrap();
    steps_until_wait(&mut flush);
    field.transport.wait_for_requests(1);
    abandon_first(&field, session);
    edit(&field, session);
    let key = field.action(session).key;
    field.compass.send_corrected(session, &key, Some("anna"), &id()).unwrap();
    come_while(&field, &mut flush, 2);
    let came = field.transport.requests().len();
    field.transport.release();
    eventually("it ends", || steps_until_wait(&mut flush).is_none());
    assert_eq!(came, 1, "the earlier one is in the air");
}

// 22. A pause that another process was asked for ----------------------------------------------------------------------------------------------

#[test]
fn p22_a_pause_that_a_receiver_asked_another_process_for_holds_here() {
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
    let other = Compass::open(field.options.clone().as_other_process()).unwrap();
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

// 56. What is over stays over ------------------------------------------------------------------------------------------------------------------

#[test]
fn p56_a_retry_that_a_clock_far_ahead_wrote_waits_no_more() {
    let mut found = Vec::new();
    for offline_for in [0, 2] {
        let (field, receivers) = phone(|_| Ok(answer(500)));
        field.compass.set_connectivity(ONLINE);
        field.clock.jump_wall(TimeDelta::hours(26));
        let session = field.complete();
        field.flush();
        field.compass.set_connectivity(Connectivity::Offline);
        field.clock.jump_wall(-TimeDelta::hours(26));
        assert!(field.delivery(session).next_attempt_at.is_none_or(|at| at <= field.now()), "it waits for no time");
        field.clock.advance(offline_for * HOUR);
        receivers.take();
        field.compass.set_connectivity(ONLINE);
        field.clock.advance(5 * SECOND);
        let sent = field.flush().sent;
        found.push((offline_for, sent, field.delivery(session).next_attempt_at.map(|at| at - field.now())));
    }
    assert!(found.iter().all(|(_, sent, _)| *sent == 1), "{found:#?}");
}

#[test]
fn p56_a_pause_that_a_clock_far_ahead_wrote_does_not_begin_again() {
    let mut found = Vec::new();
    for later in [0, 4] {
        let (field, receivers) = phone(|_| Ok(answer_with(429, &[("retry-after", "3600")])));
        field.compass.set_connectivity(ONLINE);
        field.clock.jump_wall(TimeDelta::hours(26));
        let first = field.complete();
        field.flush();
        // It is given up, so nothing is left that waits.
        abandon_first(&field, first);
        field.clock.jump_wall(-TimeDelta::hours(26));
        assert_eq!(status(&field, OFFICE).paused_until, None);
        receivers.take();
        field.clock.advance(later * HOUR);
        let session = field.complete();
        let sent = field.flush().sent;
        found.push((later, sent, reason(&field, session), status(&field, OFFICE).paused_until.map(|at| at - field.now())));
    }
    assert!(found.iter().all(|(_, sent, ..)| *sent == 1), "{found:#?}");
}

// 60. Six hours -------------------------------------------------------------------------------------------------------------------------------

#[test]
fn p60_a_clock_that_is_set_is_no_six_hours() {
    let refused = |_: &TransportRequest| Err(failure(FailureKind::Refused, Phase::Connect, RequestSent::No));
    let mut found = Vec::new();
    for ahead in [TimeDelta::zero(), TimeDelta::hours(7), TimeDelta::days(57 * 365)] {
        let (field, _) = phone(refused);
        let online = |network| Connectivity::Online { validated: None, metered: false, network: Some(network) };
        field.clock.jump_wall(-ahead);
        field.complete();
        for network in 1..=3 {
            field.compass.set_connectivity(online(network));
            if network == 3 {
                field.clock.jump_wall(ahead);
            }
            field.clock.advance(5 * SECOND);
            field.flush();
        }
        let item = field.messages(&[DeliveryState::Pending]).remove(0);
        found.push((
            ahead,
            item.needs_person,
            status(&field, OFFICE).failing_reason,
            item.delivery.next_attempt_at.map(|at| at - field.now()),
        ));
    }
    assert!(found.iter().all(|(_, needs_person, ..)| !needs_person), "three networks in a quarter of a minute: {found:#?}");
}

fn edit(field: &Field, session: SessionKey) {
    let change = FieldChange { field: "reading".into(), change: Change::Set(FieldValue::Text("18".into())) };
    field.compass.edit(session, Some("anna"), vec![change], vec![], &id()).unwrap();
}

// 1b. The phone sleeps while the message is in the air -----------------------------------------------------------------------------------------

#[test]
fn p01_a_phone_that_sleeps_between_signing_and_sending_fails_no_message() {
    let mut found = Vec::new();
    for sleeps in [0, 10] {
        let clock: Arc<Mutex<Option<Arc<ManualClock>>>> = Arc::default();
        let knows = clock.clone();
        let (field, _) = phone(move |request| {
            let clock = knows.lock().unwrap().clone().unwrap();
            let signed: i64 = header(request, "webhook-timestamp").parse().unwrap();
            if header(request, "compass-attempt") == "1" {
                // The device sleeps while it connects, and goes on where it was.
                clock.advance(sleeps * MINUTE);
            }
            let now = clock.now();
            let status = if (now.timestamp() - signed).abs() <= 300 { 202 } else { 400 };
            Ok(answer_with(status, &[("date", &http_date(now))]))
        });
        *clock.lock().unwrap() = Some(field.clock.clone());
        field.secrets.set(SECRET_NAME, SECRET);
        field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
        let session = field.complete();
        field.flush();
        field.transport.wait_until_quiet();
        eventually("it is stored", || field.action(session).reason.as_deref() != Some("in_flight"));
        field.flush();
        found.push((sleeps, field.action(session).status, outcomes(&field, session)));
    }
    assert!(found.iter().all(|(_, status, _)| *status != ActionStatus::Failed), "{found:#?}");
}

// 37. A pause of a receiver whose endpoint is changed --------------------------------------------------------------------------------------------

#[test]
fn p37_a_pause_that_a_receiver_asks_for_while_its_endpoint_gets_another_header_holds() {
    let (field, _) = phone(|_| Ok(answer_with(429, &[("retry-after", "3600")])));
    field.complete();
    field.transport.hold("");
    let never = CancelToken::new();
    let mut flush = field.compass.flush_steps(MINUTE, &never, false).unwrap();
    steps_until_wait(&mut flush);
    field.transport.wait_for_requests(1);
    let mut changed = endpoint(OFFICE, OFFICE_URL);
    changed.headers.push(EndpointHeader { name: "x-team".into(), value: HeaderValue::Plain("north".into()) });
    field.compass.put_endpoint(&changed).unwrap();
    field.transport.release();
    eventually("it ends", || steps_until_wait(&mut flush).is_none() || field.transport.requests().len() > 1);
    assert_eq!(field.transport.requests().len(), 1, "the same receiver has asked for an hour");
}

// 47. Another process changes an endpoint -----------------------------------------------------------------------------------------------------------

#[test]
fn p47_an_endpoint_that_another_process_changed_waits_for_no_backoff_of_before() {
    let mut found = Vec::new();
    for by_another in [false, true] {
        let (field, _) = phone(|request| {
            if request.url == OFFICE_URL { Err(failure(FailureKind::Refused, Phase::Connect, RequestSent::No)) } else { Ok(answer(202)) }
        });
        field.compass.set_connectivity(UNSURE);
        let session = field.complete();
        let other = Compass::open(field.options.clone().as_other_process()).unwrap();
        let mut worker = field.compass.delivery_steps().unwrap().unwrap();
        // Until it is tried every quarter of an hour.
        for _ in 0..2000 {
            field.clock.advance(2 * SECOND);
            steps_until_wait(&mut worker);
        }
        eventually("nothing runs", || {
            steps_until_wait(&mut worker);
            reason(&field, session).as_deref() == Some("unreachable")
        });
        let changed = endpoint(OFFICE, "https://new.example/hook");
        if by_another {
            other.put_endpoint(&changed).unwrap();
            field.compass.refresh().unwrap();
        } else {
            field.compass.put_endpoint(&changed).unwrap();
        }
        let mut after = None;
        for seconds in 0..1000_u32 {
            steps_until_wait(&mut worker);
            if seconds < 10 {
                std::thread::sleep(Duration::from_millis(20));
                steps_until_wait(&mut worker);
            }
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

// 61. A moment without signal ----------------------------------------------------------------------------------------------------------------------

#[test]
fn p61_a_moment_without_signal_calls_nobody_and_costs_no_hour() {
    let mut found = Vec::new();
    for endpoints in [1, 2] {
        let (field, receivers) = phone_with(|_| Ok(answer(202)), |options| options.retry.online_spread = Duration::ZERO);
        field.compass.set_connectivity(ONLINE);
        field.clock.advance(5 * SECOND);
        if endpoints == 2 {
            register(&field, "lab");
            complete_for(&field, "lab");
        }
        field.complete();
        let mut worker = field.compass.delivery_steps().unwrap().unwrap();
        eventually("all is sent", || {
            steps_until_wait(&mut worker);
            field.messages(&[DeliveryState::Pending]).is_empty()
        });
        // Into a lift.
        receivers.now(no_network);
        field.clock.advance(10 * SECOND);
        let session = field.complete();
        eventually("it has met the lift", || {
            steps_until_wait(&mut worker);
            outcomes(&field, session) == ["offline"]
        });
        let needs_person = (field.compass.outbox_totals().unwrap().needs_person, field.next_due().needs_person);
        let shown = field.messages(&[DeliveryState::Pending]).remove(0);
        // The platform says so, too.
        field.compass.set_connectivity(Connectivity::Offline);
        let offline = (field.compass.outbox_totals().unwrap().needs_person, reason(&field, session));
        field.compass.set_connectivity(ONLINE);
        found.push((endpoints, needs_person, shown.delivery.next_attempt_at.map(|at| (at - field.now()).num_seconds()), offline));
    }
    assert!(
        found.iter().all(|(_, needs_person, after, offline)| {
            *needs_person == (0, false) && after.is_some_and(|after| after <= 900) && offline.0 == 0
        }),
        "{found:#?}"
    );
}

#[test]
fn p61_a_moment_without_signal_that_no_platform_reports_costs_no_hour() {
    let mut found = Vec::new();
    for endpoints in [1, 2] {
        let (field, receivers) = phone_with(|_| Ok(answer(202)), |options| options.retry.online_spread = Duration::ZERO);
        field.compass.set_connectivity(ONLINE);
        field.clock.advance(5 * SECOND);
        if endpoints == 2 {
            register(&field, "lab");
            complete_for(&field, "lab");
        }
        field.complete();
        let mut worker = field.compass.delivery_steps().unwrap().unwrap();
        eventually("all is sent", || {
            steps_until_wait(&mut worker);
            field.messages(&[DeliveryState::Pending]).is_empty()
        });
        receivers.now(no_network);
        field.clock.advance(10 * SECOND);
        let session = field.complete();
        eventually("it has met it", || {
            steps_until_wait(&mut worker);
            outcomes(&field, session) == ["offline"]
        });
        receivers.take();
        let mut after = None;
        for seconds in 0..2000_u32 {
            steps_until_wait(&mut worker);
            if seconds % 15 == 0 {
                std::thread::sleep(Duration::from_millis(5));
                steps_until_wait(&mut worker);
            }
            if is_sent(&field.compass, session) {
                after = Some(seconds);
                break;
            }
            field.clock.advance(SECOND);
        }
        found.push((endpoints, after));
    }
    assert!(found.iter().all(|(_, after)| after.is_some_and(|after| after <= 60)), "seconds until it is sent: {found:?}");
}

// 40. Quiescing with everything in the way -----------------------------------------------------------------------------------------------------------

#[test]
fn p40_quiescing_takes_two_seconds_whatever_hangs_together() {
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let given = secrets_store.clone();
    let inner = ScriptedTransport::always(202);
    let hangs = Gate::shut();
    let (on_cancel, on_renew) = (hangs.clone(), hangs.clone());
    let calling = CallingTransport {
        inner: inner.clone(),
        on_cancel: Box::new(move || on_cancel.pass()),
        on_renew: Box::new(move || on_renew.pass()),
    };
    let field = Field::with(inner, move |options| {
        options.clock = Arc::new(SystemClock::default());
        options.secrets = given;
        options.transport = Some(Arc::new(calling));
        options.retry.online_spread = Duration::ZERO;
    });
    field.compass.put_endpoint(&signed("bank", "https://bank.example/hook")).unwrap();
    complete_for(&field, "bank");
    field.complete();
    secrets_store.gate.close();
    field.transport.hold("");
    field.transport.ignore_cancel();
    field.compass.start_delivery().unwrap();
    secrets_store.gate.wait_for(1);
    field.transport.wait_for_requests(1);
    field.compass.set_connectivity(ONLINE);
    let writer = sql(&field);
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let compass = field.compass.clone();
    let flush = std::thread::spawn(move || compass.flush(20 * SECOND, &CancelToken::new()).map(|report| report.end));
    let began = Instant::now();
    field.compass.quiesce().unwrap();
    let took = began.elapsed();
    writer.execute_batch("ROLLBACK").unwrap();
    drop(writer);
    let open = descriptors(field.path()).len();
    let ended = joined("the flush", flush);
    let began = Instant::now();
    field.compass.close().unwrap();
    let closed = began.elapsed();
    hangs.open();
    secrets_store.gate.open();
    field.transport.release();
    assert!(
        took < Duration::from_millis(2_100) && closed < Duration::from_millis(2_100) && open == 0,
        "{took:?} {closed:?} {open} {ended:?}"
    );
}

// 41, 43. Deadlines ---------------------------------------------------------------------------------------------------------------------------

/// In real time: requests that cannot be interrupted, secrets that hang, a renewal that hangs.
fn everything_hangs() -> (Field, Arc<Gate>, Arc<SlowSecrets>) {
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let given = secrets_store.clone();
    let inner = ScriptedTransport::always(202);
    let hangs = Gate::shut();
    let (on_cancel, on_renew) = (hangs.clone(), hangs.clone());
    let calling = CallingTransport {
        inner: inner.clone(),
        on_cancel: Box::new(move || on_cancel.pass()),
        on_renew: Box::new(move || on_renew.pass()),
    };
    let field = Field::with(inner, move |options| {
        options.clock = Arc::new(SystemClock::default());
        options.secrets = given;
        options.transport = Some(Arc::new(calling));
        options.retry.online_spread = Duration::ZERO;
    });
    field.compass.put_endpoint(&signed("bank", "https://bank.example/hook")).unwrap();
    secrets_store.gate.close();
    field.transport.hold("");
    field.transport.ignore_cancel();
    (field, hangs, secrets_store)
}

#[test]
fn p41_a_flush_is_back_before_its_deadline_whatever_hangs_together() {
    let mut found = Vec::new();
    for locked in [false, true] {
        for worker in [false, true] {
            for deadline in [1_000, 1_300, 3_100, 4_500] {
                let (field, hangs, secrets_store) = everything_hangs();
                complete_for(&field, "bank");
                field.complete();
                let gate = Gate::shut();
                let _told = worker.then(|| {
                    let at = gate.clone();
                    let told = field.compass.observe(Arc::new(move |_| {
                        if std::thread::current().name().is_some_and(|name| name == "compass-delivery") {
                            at.pass();
                        }
                    }));
                    field.compass.start_delivery().unwrap();
                    told
                });
                let writer = sql(&field);
                if locked {
                    std::thread::sleep(Duration::from_millis(100));
                    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
                }
                let deadline = Duration::from_millis(deadline);
                let began = Instant::now();
                let report = field.compass.flush(deadline, &CancelToken::new());
                let took = began.elapsed();
                found.push((locked, worker, deadline, took, report.map(|report| report.end)));
                if locked {
                    writer.execute_batch("ROLLBACK").unwrap();
                }
                gate.open();
                hangs.open();
                secrets_store.gate.open();
                field.transport.release();
            }
        }
    }
    assert!(found.iter().all(|(_, _, deadline, took, _)| took <= deadline), "{found:#?}");
}

#[test]
fn p43_a_flush_that_is_cancelled_is_back_within_two_seconds_while_another_process_writes() {
    let mut found = Vec::new();
    for locked in [false, true] {
        let (field, hangs, secrets_store) = everything_hangs();
        complete_for(&field, "bank");
        field.complete();
        let cancel = CancelToken::new();
        let (compass, token) = (field.compass.clone(), cancel.clone());
        let running = std::thread::spawn(move || compass.flush(MINUTE, &token).map(|report| report.end));
        secrets_store.gate.wait_for(1);
        field.transport.wait_for_requests(1);
        let writer = sql(&field);
        if locked {
            writer.execute_batch("BEGIN IMMEDIATE").unwrap();
        }
        let began = Instant::now();
        cancel.cancel();
        let end = joined("the flush", running);
        found.push((locked, began.elapsed(), end));
        if locked {
            writer.execute_batch("ROLLBACK").unwrap();
        }
        hangs.open();
        secrets_store.gate.open();
        field.transport.release();
    }
    assert!(found.iter().all(|(_, took, _)| *took <= Duration::from_millis(2_050)), "{found:#?}");
}

#[test]
fn p44_stopping_delivery_takes_two_seconds_while_another_process_writes() {
    let (field, hangs, secrets_store) = everything_hangs();
    complete_for(&field, "bank");
    field.complete();
    field.compass.start_delivery().unwrap();
    secrets_store.gate.wait_for(1);
    field.transport.wait_for_requests(1);
    let writer = sql(&field);
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = Instant::now();
    field.compass.stop_delivery().unwrap();
    let stopped = began.elapsed();
    let began = Instant::now();
    field.compass.close().unwrap();
    let closed = began.elapsed();
    writer.execute_batch("ROLLBACK").unwrap();
    hangs.open();
    secrets_store.gate.open();
    field.transport.release();
    assert!(stopped <= Duration::from_millis(2_100) && closed <= Duration::from_millis(2_100), "{stopped:?} {closed:?}");
}

// 48. A copy takes the place, and a number is given again -----------------------------------------------------------------------------------------

#[test]
fn p48_a_message_with_the_number_of_one_that_hangs_is_not_held_up_after_a_restore() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let copy = field.folder.path().join("copy.db");
    field.compass.backup(&copy).unwrap();
    let other = Compass::open(field.options.clone().as_other_process()).unwrap();
    complete(&other, "visit");
    // Its request hangs.
    field.transport.hold("");
    field.transport.ignore_cancel();
    let cancel = CancelToken::new();
    let (compass, token) = (other.clone(), cancel.clone());
    let running = std::thread::spawn(move || compass.flush(MINUTE, &token).unwrap());
    field.transport.wait_for_requests(1);
    cancel.cancel();
    joined("the flush", running);
    field.compass.close().unwrap();
    let discard = compass_core::DiscardUndelivered { actor: "anna".into(), reason: "a new phone".into() };
    Compass::restore(&copy, &compass_core::RestoreOptions::new(field.path()).discard_undelivered(discard)).unwrap();
    other.refresh().unwrap();
    let session = complete(&other, "visit");
    let shown = other.record(session).unwrap().actions[0].deliveries[0].clone();
    let due = other.next_due().unwrap();
    let never = CancelToken::new();
    let mut steps = other.flush_steps(MINUTE, &never, false).unwrap();
    come_while(&field, &mut steps, 2);
    let came = field.transport.requests().len();
    field.transport.release();
    eventually("it ends", || steps_until_wait(&mut steps).is_none());
    other.close().unwrap();
    assert_eq!(came, 2, "shown as {:?}, next due {due:?}", shown.reason);
}

#[test]
fn p43_a_flush_that_is_cancelled_while_it_stores_a_result_is_back_within_two_seconds() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    register(&field, "lab");
    complete_for(&field, "lab");
    field.complete();
    field.transport.hold(OFFICE_URL);
    field.transport.ignore_cancel();
    let writer = sql(&field);
    let cancel = CancelToken::new();
    let (compass, token) = (field.compass.clone(), cancel.clone());
    let running = std::thread::spawn(move || compass.flush(MINUTE, &token).map(|report| report.end));
    field.transport.wait_for_requests(2);
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    // The answer of the lab is stored two seconds after it came.
    std::thread::sleep(Duration::from_millis(2_300));
    let began = Instant::now();
    cancel.cancel();
    let end = joined("the flush", running);
    let took = began.elapsed();
    writer.execute_batch("ROLLBACK").unwrap();
    field.transport.release();
    assert!(took <= Duration::from_millis(2_050), "{took:?} {end:?}");
}

// 62. Out of reach, a moment before the platform says so -----------------------------------------------------------------------------------------

#[test]
fn p62_what_failed_a_moment_before_the_platform_said_offline_leaves_within_five_seconds_of_signal_and_costs_nothing() {
    let mut found = Vec::new();
    for (kind, phase) in [
        (FailureKind::NoNetwork, Phase::Connect),
        (FailureKind::Timeout, Phase::Connect),
        (FailureKind::Dns, Phase::Resolve),
        (FailureKind::Closed, Phase::Connect),
    ] {
        for reported_before in [true, false] {
            let (field, receivers) = phone(move |_| Err(failure(kind, phase, RequestSent::No)));
            let online = |network| Connectivity::Online { validated: Some(true), metered: false, network: Some(network) };
            field.compass.set_connectivity(online(1));
            field.clock.advance(5 * SECOND);
            let session = field.complete();
            field.transport.hold("");
            let mut worker = field.compass.delivery_steps().unwrap().unwrap();
            eventually("it is tried", || {
                steps_until_wait(&mut worker);
                field.transport.requests().len() == 1
            });
            let failed = |worker: &mut DeliverySteps| {
                field.transport.release();
                eventually("it has failed", || {
                    steps_until_wait(worker);
                    !outcomes(&field, session).is_empty()
                });
            };
            let lost = || {
                field.compass.set_connectivity(Connectivity::Offline);
                receivers.take();
                field.clock.advance(10 * SECOND);
                field.compass.set_connectivity(online(2));
            };
            if reported_before {
                lost();
                failed(&mut worker);
            } else {
                failed(&mut worker);
                field.clock.advance(SECOND);
                lost();
            }
            let mut after = None;
            for seconds in 0..400_u32 {
                steps_until_wait(&mut worker);
                std::thread::sleep(Duration::from_millis(2));
                steps_until_wait(&mut worker);
                if is_sent(&field.compass, session) {
                    after = Some(seconds);
                    break;
                }
                field.clock.advance(SECOND);
            }
            found.push((kind, reported_before, after, counted(&field, session)));
        }
    }
    assert!(found.iter().all(|(_, _, after, counted)| after.is_some_and(|after| after <= 5) && *counted == 0), "{found:#?}");
}

#[test]
fn p22_in_real_time_with_answers_that_take_a_third_of_a_second() {
    let gate = Gate::shut();
    let at = gate.clone();
    let receivers = ScriptedTransport::numbered(move |number, _| match number {
        1 => {
            at.pass();
            Ok(answer(202))
        }
        2 => Ok(answer_with(429, &[("retry-after", "3600")])),
        _ => {
            std::thread::sleep(Duration::from_millis(300));
            Ok(answer(202))
        }
    });
    let field = Field::with(receivers, |options| {
        one_at_a_time(options);
        options.clock = Arc::new(SystemClock::default());
    });
    field.backlog(20, OFFICE);
    let other = Compass::open(field.options.clone().as_other_process()).unwrap();
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
