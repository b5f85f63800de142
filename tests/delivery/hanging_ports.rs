//! Ports that hang: each costs its own endpoint a while, and nobody else anything.

use super::*;

/// A phone with a signed office, whose store of secrets does not answer.
fn with_hanging_secrets() -> (Field, Arc<SlowSecrets>) {
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let (field, _) = phone_with(|_| Ok(answer(202)), |options| options.secrets = secrets_store.clone());
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    secrets_store.gate.close();
    (field, secrets_store)
}

/// A flush that ends while something hangs, as every short window of an app does.
fn short_window(field: &Field, hangs: impl FnOnce()) -> FlushReport {
    let cancel = CancelToken::new();
    let (compass, token) = (field.compass.clone(), cancel.clone());
    let running = std::thread::spawn(move || compass.flush(30 * SECOND, &token).unwrap());
    hangs();
    cancel.cancel();
    joined("the flush", running)
}

#[test]
fn a_store_of_secrets_that_hangs_in_every_short_window_is_asked_less_and_less_and_delays_its_own_endpoint_alone() {
    let (field, secrets_store) = with_hanging_secrets();
    register(&field, "lab");
    let session = field.complete();
    for (asked, waits) in [(1, 0), (2, 0), (3, 15), (4, 900)] {
        let report = short_window(&field, || secrets_store.gate.wait_for(asked));
        assert_eq!((report.end, report.sent), (FlushEnd::Cancelled, 0));
        let delivery = field.delivery(session);
        assert_eq!(delivery.reason.as_deref(), Some("interrupted"));
        assert_eq!((delivery.attempts, delivery.may_have_been_delivered), (0, false), "nothing was tried");
        assert_eq!(delivery.next_attempt_at, Some(field.now() + TimeDelta::seconds(waits)), "after {asked} windows");
        if waits > 0 {
            assert_eq!(field.flush().end, FlushEnd::Drained, "nothing is due");
        }
        field.clock.advance(Duration::from_secs(waits as u64));
    }
    // Four hang, each with a thread: no further one begins, and no scheduler is told to come at once.
    assert_eq!((field.flush().attempts, secrets_store.gate.came()), (0, 4));
    assert!(field.next_due().at.unwrap() > field.now() + TimeDelta::minutes(10));
    let lab = complete_for(&field, "lab");
    assert_eq!(field.flush().sent, 1);
    assert!(is_sent(&field.compass, lab));
    secrets_store.gate.open();
    eventually("the message leaves", || field.flush().sent == 1);
    assert_eq!(requests_to(&field, OFFICE_URL), 1);
}

#[test]
fn an_endpoint_that_names_no_secret_any_more_is_not_delayed_by_look_ups_of_the_old_one() {
    let (field, secrets_store) = with_hanging_secrets();
    let session = field.complete();
    for asked in 1..=4 {
        short_window(&field, || secrets_store.gate.wait_for(asked));
        field.clock.advance(MINUTE);
    }
    assert_eq!(field.flush().attempts, 0);
    field.compass.put_endpoint(&endpoint(OFFICE, OFFICE_URL)).unwrap();
    assert_eq!(field.flush().sent, 1);
    assert!(is_sent(&field.compass, session));
    secrets_store.gate.open();
}

#[test]
fn an_app_that_comes_and_goes_while_a_look_up_hangs_starts_no_look_up_each_time() {
    let (field, secrets_store) = with_hanging_secrets();
    let hold = field.compass.resume().unwrap();
    for _ in 0..6 {
        field.complete();
    }
    field.compass.start_delivery().unwrap();
    for asked in [2, 4] {
        secrets_store.gate.wait_for(asked);
        field.compass.quiesce().unwrap();
        drop(field.compass.resume().unwrap());
    }
    for _ in 0..4 {
        field.compass.quiesce().unwrap();
        let hold = field.compass.resume().unwrap();
        assert_eq!(field.flush().attempts, 0);
        drop(hold);
    }
    assert_eq!(secrets_store.gate.came(), 4);
    secrets_store.gate.open();
    drop(hold);
}

#[test]
fn a_transport_that_hangs_for_one_endpoint_stops_no_other() {
    let field = Field::with(ScriptedTransport::always(202), |options| options.retry.in_flight_total = 2);
    register(&field, "lab");
    field.complete();
    field.transport.ignore_cancel();
    field.transport.hold(OFFICE_URL);
    for requests in 1..=4 {
        short_window(&field, || field.transport.wait_for_requests(requests));
        // The lease ends, and the message is due again; after the third in a row not at once.
        field.clock.advance(HOUR);
        if requests == 3 {
            assert_eq!(field.flush().attempts, 0);
            field.clock.advance(MINUTE);
        }
    }
    assert_eq!((field.flush().attempts, field.transport.requests().len()), (0, 4), "four hang, each with a thread");
    assert!(field.next_due().at.unwrap() > field.now() + TimeDelta::minutes(10));
    let lab = complete_for(&field, "lab");
    assert_eq!(field.flush().sent, 1);
    assert!(is_sent(&field.compass, lab));
    // A person who presses "send now" waits for one that ends, too.
    let urgent = field.compass.flush_urgent(WAIT_LIMIT, &CancelToken::new()).unwrap();
    assert_eq!((urgent.end, urgent.attempts), (FlushEnd::Drained, 0));
    field.transport.release();
    field.transport.wait_until_quiet();
    eventually("the office has its message", || {
        field.flush();
        field.action(field.messages(&ALL_STATES)[0].session).status == ActionStatus::Sent
    });
}

#[test]
fn a_test_delivery_ends_in_the_time_of_an_attempt_whatever_hangs() {
    let (field, secrets_store) = with_hanging_secrets();
    register(&field, "lab");
    field.transport.ignore_cancel();
    field.transport.hold("");
    for quiesces in [false, true] {
        let asked = secrets_store.gate.came();
        let begun = field.transport.requests().len();
        let tests = [OFFICE, "lab"].map(|key| {
            let compass = field.compass.clone();
            std::thread::spawn(move || compass.test_delivery(key).unwrap())
        });
        secrets_store.gate.wait_for(asked + 1);
        field.transport.wait_for_requests(begun + 1);
        if quiesces {
            field.compass.quiesce().unwrap();
        } else {
            field.clock.advance(30 * SECOND);
        }
        let [office, lab] = tests.map(|test| joined("the test delivery", test).outcome);
        assert_eq!(lab, if quiesces { "interrupted" } else { "timeout" });
        assert!(office == "secret_unavailable" || quiesces, "{office}");
    }
    // Four hang now; the next one is refused at once.
    drop(field.compass.resume().unwrap());
    let _hold = field.compass.resume().unwrap();
    assert_eq!(field.compass.test_delivery("lab").unwrap().outcome, "interrupted");
    field.transport.release();
    secrets_store.gate.open();
    eventually("they have ended", || field.compass.test_delivery("lab").unwrap().delivered);
}

#[test]
fn a_2xx_that_comes_after_another_one_is_on_record_too() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.transport.hold("");
    field.transport.ignore_cancel();
    short_window(&field, || field.transport.wait_for_requests(1));
    // Its lease runs out, and both attempts are answered at the same time.
    field.clock.advance(61 * SECOND);
    let running = flushing(&field.compass);
    field.transport.wait_for_requests(2);
    field.transport.release();
    joined("the flush", running);
    eventually("both are on record", || outcomes(&field, session) == ["sent", "sent"]);
}

#[test]
fn an_attempt_that_hangs_beyond_its_lease_does_not_hide_what_needs_a_person() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    flush_with_detached(&field, 1);
    field.compass.archive_endpoint(OFFICE).unwrap();
    field.clock.advance(HOUR);
    field.flush();
    let state: String = sql(&field).query_row("SELECT state FROM outbox", [], |row| row.get(0)).unwrap();
    let shown = field.delivery(session);
    let (totals, due) = (field.compass.outbox_totals().unwrap(), field.next_due());
    field.transport.release();
    assert_eq!(state, "queued");
    assert_eq!(shown.reason.as_deref(), Some("endpoint_archived"));
    assert_eq!((totals.needs_person, due.needs_person), (1, true));
}

#[test]
fn the_list_and_next_due_agree_on_an_attempt_that_hangs_beyond_its_lease() {
    let (field, _) = phone(|_| Ok(answer(500)));
    let session = field.complete();
    flush_with_detached(&field, 1);
    field.clock.advance(HOUR);
    let (shown, due) = (field.delivery(session), field.next_due());
    field.transport.release();
    assert_eq!(shown.next_attempt_at.is_some(), due.at.is_some(), "{:?} {:?}, {due:?}", shown.reason, shown.next_attempt_at);
}

#[test]
fn a_receiver_that_hangs_is_not_asked_in_each_window_of_an_app_that_is_killed() {
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
            field.open_again();
            field.clock.advance(2 * MINUTE);
        }
        asked.push(field.transport.requests().len());
    }
    assert!(asked[1] < 16, "requests in 16 windows, two minutes apart: cancelled {}, killed {}", asked[0], asked[1]);
}

#[test]
fn what_a_test_delivery_waits_for_a_renewal_is_part_of_its_time() {
    let inner = ScriptedTransport::always(202);
    let gate = Gate::shut();
    let at = gate.clone();
    let calling = CallingTransport { inner: inner.clone(), on_cancel: Box::new(|| ()), on_renew: Box::new(move || at.pass()) };
    let field = Field::with(inner, |options| options.transport = Some(Arc::new(calling)));
    field.compass.set_connectivity(Connectivity::Offline);
    field.compass.set_connectivity(ONLINE);
    let compass = field.compass.clone();
    let test = std::thread::spawn(move || compass.test_delivery(OFFICE).unwrap());
    gate.wait_for(1);
    field.clock.advance(2 * SECOND);
    gate.open();
    assert!(joined("the test delivery", test).delivered);
    let given = field.transport.requests()[0].timeout;
    assert!(given <= 28 * SECOND, "of 30 seconds two are over: {given:?}");
}

#[test]
fn what_is_sent_again_behind_a_request_that_hangs_is_tried_once_its_lease_is_over() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    flush_with_detached(&field, 1);
    let lease_ends = field.now() + TimeDelta::seconds(60);
    abandon_first(&field, session);
    send_first(&field, session);
    let (shown, due) = (field.delivery(session), field.next_due());
    let mut worker = field.compass.delivery_steps().unwrap().unwrap();
    let until = steps_until_wait(&mut worker);
    field.clock.advance(MINUTE);
    steps_until_wait(&mut worker);
    field.transport.wait_for_requests(2);
    field.transport.release();
    assert_eq!((shown.reason.as_deref(), shown.next_attempt_at, due.at), (Some("in_flight"), Some(lease_ends), Some(lease_ends)));
    assert_eq!(until, Some(Some(field.options.clock.monotonic())), "the worker waits until then");
}

#[test]
fn a_claim_that_did_not_begin_is_not_counted_although_an_earlier_attempt_was_answered_meanwhile() {
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let given = secrets_store.clone();
    let (field, _) = phone_with(|_| Ok(answer(202)), move |options| options.secrets = given);
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    let session = field.complete();
    flush_with_detached(&field, 1);
    field.clock.advance(61 * SECOND);
    secrets_store.gate.close();
    let never = CancelToken::new();
    let mut steps = field.compass.flush_steps(MINUTE, &never, false).unwrap();
    steps_until_wait(&mut steps);
    secrets_store.gate.wait_for(2);
    // The first one is answered while the secrets of the second are looked up.
    field.transport.release();
    field.transport.wait_until_quiet();
    eventually("it is stored", || {
        field.clock.advance(SECOND);
        steps_until_wait(&mut steps);
        is_sent(&field.compass, session)
    });
    secrets_store.gate.open();
    eventually("it ends", || steps_until_wait(&mut steps).is_none());
    let delivery = field.delivery(session);
    let unknown: i64 = sql(&field).query_row("SELECT unknown_outcomes FROM outbox", [], |row| row.get(0)).unwrap();
    let requests = field.transport.requests().len();
    assert_eq!((requests, delivery.attempts, unknown), (1, 1, 0), "requests, attempts and unknown outcomes");
}

#[test]
fn a_pause_that_a_detached_request_is_asked_for_holds_what_was_claimed_since() {
    for says in [429, 503] {
        let gates = [Gate::shut(), Gate::shut()];
        let (first, second) = (Arc::clone(&gates[0]), Arc::clone(&gates[1]));
        let came = Mutex::new(0);
        let transport = ScriptedTransport::new(move |_| {
            let number = {
                let mut came = came.lock().unwrap();
                *came += 1;
                *came
            };
            match number {
                1 => {
                    first.pass();
                    Ok(answer_with(says, &[("retry-after", "3600")]))
                }
                2 => {
                    second.pass();
                    Ok(answer(202))
                }
                _ => Ok(answer(202)),
            }
        });
        let field = Field::with(transport, one_at_a_time);
        field.complete();
        short_window(&field, || gates[0].wait_for(1));
        for _ in 0..3 {
            field.complete();
        }
        let never = CancelToken::new();
        let mut steps = field.compass.flush_steps(10 * MINUTE, &never, false).unwrap();
        // One is in flight, and two wait for their turn.
        eventually("the next request comes", || {
            steps_until_wait(&mut steps);
            gates[1].came() == 1
        });
        gates[0].open();
        eventually("the late answer comes", || steps.is_woken());
        steps_until_wait(&mut steps);
        gates[1].open();
        eventually("it ends", || steps_until_wait(&mut steps).is_none());
        assert_eq!(field.transport.requests().len(), 2, "{says}");
        assert!(status(&field, OFFICE).paused_until.is_some(), "{says}");
    }
}
