//! Networks that go and come: what waited for one is due at once, no matter who asks what meanwhile.

use super::*;

/// A message that failed eight times for want of a network: by itself it is tried every quarter of an hour from here on.
fn long_without_a_network(field: &Field) -> SessionKey {
    let session = field.complete();
    for _ in 0..8 {
        assert_eq!(field.flush().end, FlushEnd::Offline);
        field.clock.advance(15 * MINUTE + SECOND);
    }
    field.flush();
    let next = field.delivery(session).next_attempt_at.unwrap() - field.now();
    assert_eq!(next, TimeDelta::minutes(15));
    assert_eq!(counted(field, session), 0);
    session
}

#[test]
fn asking_what_is_due_takes_no_wake_up_from_the_worker() {
    let (field, receivers) = phone(no_network);
    let session = long_without_a_network(&field);
    field.compass.start_delivery().unwrap();
    field.compass.set_connectivity(Connectivity::Offline);
    receivers.take();
    field.compass.set_connectivity(ONLINE);
    // What a scheduler and two screens ask whenever they are told of a change.
    for _ in 0..3 {
        assert_eq!(field.next_due().at, Some(field.now()), "due at once");
        assert_eq!(field.delivery(session).next_attempt_at, Some(field.now()));
        field.compass.outbox_totals().unwrap();
        field.messages(&ALL_STATES);
        field.compass.refresh().unwrap();
    }
    field.clock.advance(6 * SECOND);
    Watch::on(&field.compass).until("it is sent", |compass| is_sent(compass, session));
}

#[test]
fn asking_what_is_due_changes_nothing() {
    let (field, receivers) = phone(no_network);
    long_without_a_network(&field);
    let (before, writes) = (field.next_due(), sql(&field));
    let version = |file: &rusqlite::Connection| file.pragma_query_value(None, "data_version", |row| row.get::<_, i64>(0)).unwrap();
    let seen = version(&writes);
    field.compass.set_connectivity(Connectivity::Offline);
    receivers.take();
    field.compass.set_connectivity(ONLINE);
    let woken = field.next_due();
    for _ in 0..20 {
        assert_eq!(field.next_due(), woken);
    }
    assert!(woken.at < before.at);
    assert_eq!(version(&writes), seen, "no page is written for it");
    assert_eq!(field.flush().sent, 1);
}

#[test]
fn what_was_in_flight_when_the_network_changed_is_tried_at_once_on_the_new_one() {
    for (kind, phase, sent) in [
        (FailureKind::NoNetwork, Phase::Connect, RequestSent::No),
        (FailureKind::Timeout, Phase::Connect, RequestSent::No),
        (FailureKind::Closed, Phase::Receive, RequestSent::Maybe),
        (FailureKind::Timeout, Phase::Receive, RequestSent::Maybe),
        (FailureKind::Certificate { time_invalid: false }, Phase::Connect, RequestSent::No),
        (FailureKind::Tls, Phase::Connect, RequestSent::No),
    ] {
        let (field, receivers) = phone(no_network);
        let session = long_without_a_network(&field);
        field.compass.set_connectivity(Connectivity::Offline);
        field.compass.set_connectivity(Connectivity::Unknown);
        let before = field.transport.requests().len();
        let running = field.flush_held(&field.compass, "", before + 1);
        // The phone leaves the lift.
        field.clock.advance(3 * SECOND);
        field.compass.set_connectivity(ONLINE);
        let number = field.delivery(session).attempts;
        receivers.now(move |request| {
            if header(request, "compass-attempt") == number.to_string() { Err(failure(kind, phase, sent)) } else { Ok(answer(202)) }
        });
        field.transport.release();
        let report = joined("the flush", running);
        assert_eq!((report.attempts, report.sent), (2, 1), "{kind:?}: {report:?}");
        assert_eq!(outcomes(&field, session)[9..], ["interrupted", "sent"], "{kind:?}");
        assert_eq!(counted(&field, session), 0, "{kind:?}: the old network explains it");
        let office = status(&field, OFFICE);
        assert_eq!((office.consecutive_failures, office.paused_until), (0, None), "{kind:?}");
        let cut = field.delivery(session).last_attempts[1].may_have_been_delivered;
        assert_eq!(cut, sent == RequestSent::Maybe, "{kind:?}: what is unknown stays so");
    }
}

#[test]
fn an_answer_that_came_over_the_old_network_counts_as_any_other() {
    for (code, expected) in [(202, ActionStatus::Sent), (422, ActionStatus::Failed)] {
        let (field, _) = phone(move |_| Ok(answer(code)));
        let session = field.complete();
        let running = field.flush_held(&field.compass, "", 1);
        field.compass.set_connectivity(ONLINE);
        field.transport.release();
        joined("the flush", running);
        assert_eq!(field.action(session).status, expected);
        assert_eq!(field.transport.requests().len(), 1);
    }
}

#[test]
fn of_changes_that_come_close_together_the_last_one_counts() {
    let (field, receivers) = phone(no_network);
    let on = |number| Connectivity::Online { validated: None, metered: false, network: Some(number) };
    let session = long_without_a_network(&field);
    let mut worker = field.compass.delivery_steps().unwrap().unwrap();
    field.compass.set_connectivity(on(1));
    steps_until_wait(&mut worker);
    eventually("the transport is renewed", || field.transport.renewed() == 1);
    // A second later the next one, where alone there is a way.
    field.clock.advance(SECOND);
    field.compass.set_connectivity(on(2));
    receivers.take();
    assert_eq!(field.transport.renewed(), 1, "at most once in two seconds");
    let rises = steps_until_wait(&mut worker).unwrap().unwrap();
    assert_eq!(rises, field.clock.monotonic() + SECOND);
    field.clock.advance(SECOND);
    steps_until_wait(&mut worker);
    eventually("the transport is renewed", || field.transport.renewed() == 2);
    field.clock.advance(4 * SECOND);
    eventually("it is sent", || {
        steps_until_wait(&mut worker);
        is_sent(&field.compass, session)
    });
}

#[test]
fn coming_to_the_foreground_tries_what_waited_for_a_network() {
    let (field, receivers) = phone(no_network);
    let session = long_without_a_network(&field);
    // There is a network again, but nobody has told: the platform kept the app from it and called it online all the time.
    receivers.take();
    field.compass.quiesce().unwrap();
    let hold = field.compass.resume().unwrap();
    assert_eq!(field.next_due().at, Some(field.now()));
    field.compass.start_delivery().unwrap();
    Watch::on(&field.compass).until("it is sent", |compass| is_sent(compass, session));
    drop(hold);
}

#[test]
fn a_flush_tries_what_waited_for_a_network() {
    let (field, receivers) = phone(no_network);
    let session = long_without_a_network(&field);
    receivers.take();
    let report = field.flush();
    assert_eq!((report.end, report.attempts, report.sent, report.pending), (FlushEnd::Drained, 1, 1, 0));
    assert!(is_sent(&field.compass, session));
}

#[test]
fn a_new_process_tries_what_waited_for_a_network() {
    let (mut field, receivers) = phone(no_network);
    let session = long_without_a_network(&field);
    receivers.take();
    field.reopen();
    field.compass.start_delivery().unwrap();
    Watch::on(&field.compass).until("it is sent", |compass| is_sent(compass, session));
}

#[test]
fn a_person_who_sends_is_not_made_to_wait_for_a_network_that_is_back() {
    let (field, receivers) = phone(no_network);
    let session = long_without_a_network(&field);
    field.compass.start_delivery().unwrap();
    receivers.take();
    // It is pending already, so nothing changes but that it is tried.
    let outcome = field.compass.send(session, "tell-0", Some("anna"), &id()).unwrap();
    assert_eq!(outcome.applied, Applied::Stale);
    Watch::on(&field.compass).until("it is sent", |compass| is_sent(compass, session));
}

#[test]
fn the_worker_begins_within_four_seconds_of_a_network_and_a_person_at_once() {
    struct Fraction(f64);
    impl Random for Fraction {
        fn bytes(&self) -> [u8; 16] {
            SystemRandom.bytes()
        }
        fn fraction(&self) -> f64 {
            self.0
        }
    }
    for (fraction, millis) in [(0.25, 1_000), (0.5, 2_000), (0.999_999, 4_000)] {
        let at = Duration::from_millis(millis);
        let (field, receivers) = phone_with(no_network, |options| options.random = Arc::new(Fraction(fraction)));
        field.compass.set_connectivity(Connectivity::Offline);
        let mut worker = field.compass.delivery_steps().unwrap().unwrap();
        let session = field.complete();
        steps_until_wait(&mut worker);
        receivers.take();
        field.compass.set_connectivity(ONLINE);
        let online = field.clock.monotonic();
        // As soon as the transport is renewed, that is all it waits for.
        let mut begins = online;
        eventually(&format!("{fraction}: it waits until {at:?}"), || {
            begins = steps_until_wait(&mut worker).unwrap().unwrap();
            begins <= online + at && begins + Duration::from_millis(1) > online + at
        });
        field.clock.advance(begins - online - Duration::from_millis(1));
        steps_until_wait(&mut worker);
        assert!(field.transport.requests().is_empty(), "{fraction}: not a moment earlier");
        if fraction < 0.5 {
            // A person does not wait with the phones.
            field.compass.send(session, "tell-0", None, &id()).unwrap();
        } else {
            field.clock.advance(Duration::from_millis(1));
        }
        steps_until_wait(&mut worker);
        field.transport.wait_for_requests(1);
    }
    // Nor does a flush: the caller has chosen the moment.
    let (field, _) = phone(|_| Ok(answer(202)));
    field.compass.set_connectivity(Connectivity::Offline);
    field.complete();
    field.compass.set_connectivity(ONLINE);
    assert_eq!(field.flush().sent, 1);
}

#[test]
fn a_change_of_network_drops_connections_and_addresses() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let on = |validated, metered, network| Connectivity::Online { validated, metered, network };
    let mut renewed = 0;
    for (connectivity, drops) in [
        (Connectivity::Offline, false),
        (on(None, false, Some(1)), true),
        (on(None, false, Some(1)), false),
        (on(None, true, Some(1)), false),
        (on(Some(false), false, Some(1)), false),
        // Somebody has signed in: what a portal answered is worth nothing.
        (on(Some(true), false, Some(1)), true),
        (on(Some(true), false, Some(2)), true),
        (on(Some(false), false, Some(2)), false),
        (Connectivity::Offline, false),
        (ONLINE, true),
    ] {
        field.clock.advance(3 * SECOND);
        field.compass.set_connectivity(connectivity);
        renewed += u32::from(drops);
        // Before the next message leaves.
        field.flush();
        eventually(&format!("{renewed} renewals, with {connectivity:?}"), || field.transport.renewed() == renewed);
    }
    // And so does coming back after a suspension.
    field.compass.quiesce().unwrap();
    let hold = field.compass.resume().unwrap();
    field.flush();
    eventually("one more", || field.transport.renewed() == renewed + 1);
    drop(hold);
}

/// A phone whose transport waits at this gate while it is renewed.
fn slow_to_renew(gate: &Arc<Gate>) -> Field {
    let inner = ScriptedTransport::always(202);
    let at = Arc::clone(gate);
    let calling = CallingTransport { inner: inner.clone(), on_cancel: Box::new(|| ()), on_renew: Box::new(move || at.pass()) };
    Field::with(inner, |options| options.transport = Some(Arc::new(calling)))
}

#[test]
fn nothing_begins_before_the_transport_was_renewed() {
    for resumes in [true, false] {
        let gate = Gate::shut();
        let field = slow_to_renew(&gate);
        field.complete();
        if resumes {
            field.compass.quiesce().unwrap();
        } else {
            field.compass.set_connectivity(Connectivity::Offline);
        }
        // Neither waits for it.
        let hold = resumes.then(|| field.compass.resume().unwrap());
        if !resumes {
            field.compass.set_connectivity(ONLINE);
        }
        let cancel = CancelToken::new();
        let mut flush = field.compass.flush_steps(MINUTE, &cancel, false).unwrap();
        steps_until_wait(&mut flush);
        gate.wait_for(1);
        steps_until_wait(&mut flush);
        let claimed: i64 = sql(&field).query_row("SELECT count(*) FROM outbox WHERE state <> 'queued'", [], |row| row.get(0)).unwrap();
        assert_eq!(claimed, 0, "it would use what the transport drops");
        drop(flush);
        gate.open();
        assert_eq!(field.flush().sent, 1);
        drop(hold);
    }
}

#[test]
fn a_renewal_that_hangs_holds_messages_up_for_a_moment() {
    let gate = Gate::shut();
    let field = slow_to_renew(&gate);
    for network in 1..=8_usize {
        let session = field.complete();
        field.clock.advance(3 * SECOND);
        field.compass.set_connectivity(Connectivity::Online { validated: Some(true), metered: false, network: Some(network as u64) });
        let running = flushing(&field.compass);
        // Each that hangs has a thread, so there are four at most.
        gate.wait_for(network.min(4));
        field.clock.advance(2 * SECOND);
        assert_eq!(joined("the flush", running).sent, 1);
        assert!(is_sent(&field.compass, session));
    }
    assert_eq!(gate.came(), 4);
    gate.open();
}

#[test]
fn what_was_cut_short_three_times_in_a_row_is_spaced_until_an_attempt_ends_by_itself() {
    let (field, _) = phone(|_| Ok(answer(503)));
    let session = field.complete();
    let cut_short = || {
        let (before, cancel) = (field.transport.requests().len(), CancelToken::new());
        field.transport.hold("");
        let (compass, token) = (field.compass.clone(), cancel.clone());
        let running = std::thread::spawn(move || compass.flush(WAIT_LIMIT, &token).unwrap());
        field.transport.wait_for_requests(before + 1);
        cancel.cancel();
        assert_eq!(joined("the flush", running).end, FlushEnd::Cancelled);
        field.transport.release();
    };
    let waits = || field.delivery(session).next_attempt_at.unwrap() - field.now();
    for _ in 0..2 {
        cut_short();
        assert!(waits() <= TimeDelta::zero(), "due at once");
    }
    for seconds in [15, 30, 60, 120, 240, 480, 900, 900] {
        cut_short();
        assert_eq!(waits(), TimeDelta::seconds(seconds));
        // No matter what else makes things due: this one has had its chances.
        field.clock.advance(3 * SECOND);
        field.compass.set_connectivity(Connectivity::Offline);
        field.compass.set_connectivity(ONLINE);
        assert_eq!(field.flush().attempts, 0, "not before {seconds} s");
        field.advance_to(field.delivery(session).next_attempt_at.unwrap());
    }
    assert_eq!(counted(&field, session), 0, "all that is no fault of the receiver's");
    // One that ends by itself begins the count again.
    field.flush();
    assert_eq!(reason(&field, session).as_deref(), Some("server_error"));
    field.advance_to(field.delivery(session).next_attempt_at.unwrap());
    cut_short();
    assert!(waits() <= TimeDelta::zero());
}

#[test]
fn a_receiver_that_hangs_in_short_windows_is_not_asked_in_each_of_them() {
    let clock: Arc<Mutex<Option<Arc<ManualClock>>>> = Arc::default();
    let passes = clock.clone();
    // It takes every request, says nothing, and uses up all the time it gets.
    let (field, _) = phone(move |request| {
        passes.lock().unwrap().as_ref().unwrap().advance(request.timeout);
        Err(failure(FailureKind::Timeout, Phase::Receive, RequestSent::Maybe))
    });
    *clock.lock().unwrap() = Some(field.clock.clone());
    let session = field.complete();
    let began = field.now();
    while field.now() - began < TimeDelta::hours(2) {
        field.compass.flush(20 * SECOND, &CancelToken::new()).unwrap();
        field.clock.advance(20 * SECOND);
    }
    let delivery = field.delivery(session);
    // Three at once, then after 15, 30, 60, 120, 240, 480 s and every quarter of an hour.
    assert!((8..=20).contains(&delivery.attempts), "{} copies in two hours", delivery.attempts);
    assert_eq!(counted(&field, session), 0, "cut short by ourselves");
    assert!(delivery.may_have_been_delivered);
    // With the time that a receiver may take, it is the receiver's fault.
    field.advance_to(delivery.next_attempt_at.unwrap());
    field.compass.flush(MINUTE, &CancelToken::new()).unwrap();
    assert_eq!(counted(&field, session), 1);
}

#[test]
fn a_transport_that_cancels_by_itself_is_tried_on_the_schedule() {
    let (field, _) = phone(|_| Err(failure(FailureKind::Cancelled, Phase::Connect, RequestSent::No)));
    let session = field.complete();
    assert_eq!(field.flush().attempts, 1, "no loop");
    for (number, seconds) in [(1, 5), (2, 300), (3, 1800)] {
        assert_eq!(counted(&field, session), number);
        assert_eq!(field.delivery(session).next_attempt_at, Some(field.now() + TimeDelta::seconds(seconds)));
        assert_eq!(field.flush().attempts, 0);
        field.clock.advance(Duration::from_secs(seconds as u64));
        assert_eq!(field.flush().attempts, 1);
    }
}

#[test]
fn a_network_that_changes_every_second_keeps_nothing_back() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let mut worker = field.compass.delivery_steps().unwrap().unwrap();
    field.complete();
    for second in 0..60 {
        field.compass.set_connectivity(Connectivity::Online { validated: Some(true), metered: false, network: Some(second % 2) });
        steps_until_wait(&mut worker);
        field.clock.advance(SECOND);
        steps_until_wait(&mut worker);
    }
    field.transport.wait_for_requests(1);
}

#[test]
fn a_change_that_came_soon_after_another_counts_where_nobody_drives() {
    let (field, _) = phone(no_network);
    let on = |number| Connectivity::Online { validated: Some(true), metered: false, network: Some(number) };
    long_without_a_network(&field);
    field.compass.set_connectivity(on(1));
    field.flush();
    field.clock.advance(SECOND);
    field.compass.set_connectivity(on(2));
    field.clock.advance(10 * SECOND);
    let due = field.next_due();
    assert!(due.at.is_some_and(|at| at <= field.now()), "{due:?}, now {}", field.now());
}

#[test]
fn an_endpoint_that_was_changed_or_enabled_again_waits_for_no_backoff_of_before() {
    let changes: [fn(&Compass); 2] = [
        |compass| compass.put_endpoint(&endpoint(OFFICE, "https://new.example/hook")).unwrap(),
        |compass| {
            compass.set_endpoint_enabled(OFFICE, false).unwrap();
            compass.set_endpoint_enabled(OFFICE, true).unwrap();
        },
    ];
    for change in changes {
        let (field, receivers) = phone(|_| Err(failure(FailureKind::Dns, Phase::Resolve, RequestSent::No)));
        let session = field.complete();
        field.compass.set_connectivity(UNSURE);
        let mut worker = field.compass.delivery_steps().unwrap().unwrap();
        for attempts in 1..=6 {
            eventually("the worker tries", || {
                field.clock.advance(MINUTE);
                steps_until_wait(&mut worker);
                field.delivery(session).last_attempts.len() >= attempts
            });
        }
        receivers.take();
        change(&field.compass);
        eventually("it is sent", || {
            steps_until_wait(&mut worker);
            is_sent(&field.compass, session)
        });
    }
}

/// What is drawn is said by the test.
#[derive(Default)]
struct Drawn(compass_core::testing::SequentialRandom, std::sync::atomic::AtomicU64);

impl Random for Drawn {
    fn bytes(&self) -> [u8; 16] {
        self.0.bytes()
    }

    fn fraction(&self) -> f64 {
        self.1.load(std::sync::atomic::Ordering::SeqCst) as f64 / 1000.0
    }
}

#[test]
fn what_can_leave_begins_within_five_seconds_of_a_network_that_came_soon_after_another() {
    let drawn = Arc::new(Drawn::default());
    let given = drawn.clone();
    let (field, receivers) = phone_with(no_network, move |options| options.random = given);
    field.complete();
    let online = |network| Connectivity::Online { validated: None, metered: false, network: Some(network) };
    let mut worker = field.compass.delivery_steps().unwrap().unwrap();
    field.compass.set_connectivity(Connectivity::Offline);
    steps_until_wait(&mut worker);
    field.compass.set_connectivity(online(1));
    eventually("it begins", || {
        steps_until_wait(&mut worker);
        field.transport.requests().len() == 1
    });
    let session = field.messages(&ALL_STATES)[0].session;
    eventually("it has failed", || {
        steps_until_wait(&mut worker);
        outcomes(&field, session) == ["offline"]
    });
    // The network that came was none. Another one comes soon after.
    field.clock.advance(Duration::from_millis(10));
    drawn.1.store(999, std::sync::atomic::Ordering::SeqCst);
    receivers.take();
    field.compass.set_connectivity(Connectivity::Offline);
    field.compass.set_connectivity(online(2));
    let mut after = None;
    for tick in 1..=70_u32 {
        field.clock.advance(Duration::from_millis(100));
        nothing_is_in_flight(&field, session, Some(&mut worker));
        if field.transport.requests().len() > 1 {
            after = Some(tick * 100);
            break;
        }
    }
    assert!(after.is_some_and(|after| after <= 5_000), "began after {after:?} ms");
}
