//! Urgent: a person asks, and one attempt goes through what only time or an app's word keeps back.

use super::*;

fn urgent(field: &Field) -> FlushReport {
    field.compass.flush_urgent(MINUTE, &CancelToken::new()).unwrap()
}

#[test]
fn a_person_gets_one_attempt_through_a_pause_that_a_receiver_asked_for() {
    let (field, receivers) = phone(|_| Ok(answer_with(429, &[("retry-after", "99999999999")])));
    let first = field.complete();
    field.flush();
    let until = status(&field, OFFICE).paused_until.unwrap();
    assert_eq!(until, field.now() + TimeDelta::hours(24));
    let later = field.complete();
    assert_eq!(field.flush().attempts, 0, "a flush of its own keeps to it");
    // It may answer again that it wants more time, which never makes it less.
    receivers.now(|_| Ok(answer_with(429, &[("retry-after", "60")])));
    let report = urgent(&field);
    assert_eq!((report.attempts, report.sent), (1, 0));
    assert_eq!(status(&field, OFFICE).paused_until, Some(until));
    // Not more than one in this pause, however often somebody asks.
    receivers.take();
    for _ in 0..3 {
        assert_eq!(urgent(&field).attempts, 0);
        field.clock.advance(2 * MINUTE);
    }
    field.advance_to(until);
    field.flush();
    assert!(is_sent(&field.compass, first) && is_sent(&field.compass, later));
}

#[test]
fn an_answer_to_an_urgent_attempt_may_make_a_pause_longer() {
    let (field, receivers) = phone(|_| Ok(answer_with(429, &[("retry-after", "600")])));
    field.complete();
    field.flush();
    receivers.now(|_| Ok(answer_with(429, &[("retry-after", "7200")])));
    assert_eq!(urgent(&field).attempts, 1);
    let until = field.now() + TimeDelta::milliseconds(7_200_500);
    assert_eq!(status(&field, OFFICE).paused_until, Some(until));
    // That is another pause, so a person may have one attempt in it, a minute later.
    assert_eq!(urgent(&field).attempts, 0);
    field.clock.advance(61 * SECOND);
    receivers.take();
    assert_eq!(urgent(&field).sent, 1);
}

#[test]
fn a_person_gets_one_attempt_a_minute_where_a_retry_or_a_broken_endpoint_is_waited_for() {
    let (field, receivers) = phone_with(|_| Ok(answer(500)), one_at_a_time);
    field.backlog(6, OFFICE);
    field.flush();
    assert_eq!(status(&field, OFFICE).consecutive_failures, 5);
    let mut attempts = 0;
    for second in 0..180 {
        if second % 10 == 0 {
            attempts += urgent(&field).attempts;
        }
        field.clock.advance(SECOND);
    }
    // What became due by itself meanwhile: the probe after the first pause.
    assert!((3..=5).contains(&attempts), "{attempts} in three minutes");
    receivers.take();
    field.clock.advance(MINUTE);
    assert!(urgent(&field).sent >= 1);
    field.flush();
    while field.compass.outbox_totals().unwrap().pending > 0 {
        field.advance_to(field.next_due().at.unwrap());
        field.flush();
    }
}

/// An endpoint in trouble: the core pauses it by itself for half an hour after each failure.
fn in_long_pauses() -> (Field, Receivers) {
    let (field, receivers) = phone_with(|_| Ok(answer(500)), one_at_a_time);
    field.secrets.set(SECRET_NAME, SECRET);
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    field.backlog(6, OFFICE);
    field.flush();
    let pause = || status(&field, OFFICE).paused_until.map_or(TimeDelta::zero(), |until| until - field.now());
    while pause() < TimeDelta::minutes(10) {
        field.advance_to(field.next_due().at.unwrap());
        field.flush();
    }
    (field, receivers)
}

/// How many attempts a person gets who asks each minute.
fn each_minute<const MINUTES: usize>(field: &Field) -> [u32; MINUTES] {
    std::array::from_fn(|_| {
        field.clock.advance(MINUTE + SECOND);
        urgent(field).attempts
    })
}

#[test]
fn a_pause_of_the_cores_own_that_an_attempt_did_not_change_stops_a_person_for_a_minute_alone() {
    let (field, receivers) = in_long_pauses();
    receivers.now(no_network);
    assert_eq!(each_minute(&field), [1, 1, 1], "the pause of a broken endpoint is not what the receiver asked for");
}

#[test]
fn a_pause_that_a_receiver_asked_for_and_that_the_cores_own_hides_has_one_attempt_too() {
    for new_secrets in [false, true] {
        let (field, receivers) = in_long_pauses();
        receivers.now(|_| Ok(answer_with(503, &[("retry-after", "1200")])));
        assert_eq!(each_minute(&field), [1]);
        // The receiver wants twenty minutes; the core's own pause is longer.
        assert!(status(&field, OFFICE).paused_until.unwrap() - field.now() > TimeDelta::minutes(20));
        receivers.now(|_| Ok(answer(500)));
        assert_eq!(each_minute(&field), [1, 0, 0]);
        if new_secrets {
            field.compass.secrets_changed().unwrap();
        }
        assert_eq!(each_minute(&field), [0, 0], "new secrets: {new_secrets}");
    }
}

#[test]
fn a_message_that_waits_for_its_retry_leaves_when_a_person_asks() {
    let (field, receivers) = phone(|_| Ok(answer(500)));
    let session = field.complete();
    field.flush();
    field.clock.advance(6 * SECOND);
    field.flush();
    assert_eq!(counted(&field, session), 2);
    receivers.take();
    assert_eq!(field.flush().attempts, 0);
    assert_eq!(urgent(&field).sent, 1);
    // It counts as any other: were it to fail, the schedule would go on.
    let (field, _) = phone(|_| Ok(answer(500)));
    let session = field.complete();
    field.flush();
    assert_eq!(urgent(&field).attempts, 1);
    assert_eq!(counted(&field, session), 2);
    assert_eq!(field.delivery(session).next_attempt_at, Some(field.now() + TimeDelta::minutes(5)));
}

#[test]
fn an_apps_word_that_there_is_no_network_does_not_stop_a_person() {
    let (field, _) = phone(|_| Ok(answer(202)));
    field.compass.set_connectivity(Connectivity::Offline);
    field.backlog(5, OFFICE);
    assert_eq!(field.flush().attempts, 0);
    let report = urgent(&field);
    assert_eq!((report.attempts, report.sent, report.pending), (1, 1, 4), "one, to see whether it is true");
    assert_eq!(urgent(&field).attempts, 0);
    field.clock.advance(61 * SECOND);
    assert_eq!(urgent(&field).sent, 1);
}

#[test]
fn each_endpoint_has_its_own() {
    let (field, _) = phone(|_| Ok(answer(202)));
    register(&field, "lab");
    field.compass.set_connectivity(Connectivity::Offline);
    field.backlog(3, OFFICE);
    field.backlog(3, "lab");
    assert_eq!(urgent(&field).sent, 2);
    assert_eq!((requests_to(&field, OFFICE_URL), requests_to(&field, &url("lab"))), (1, 1));
}

#[test]
fn what_needs_a_person_is_not_skipped() {
    type Obstacle = fn(&Field);
    let obstacles: [(&str, Obstacle); 6] = [
        ("integration_off", |field| field.compass.set_integration_enabled(false).unwrap()),
        ("endpoint_disabled", |field| field.compass.set_endpoint_enabled(OFFICE, false).unwrap()),
        ("endpoint_archived", |field| field.compass.archive_endpoint(OFFICE).unwrap()),
        ("endpoint_corrupt", |field| damage(field, "UPDATE endpoint SET definition = '{'")),
        ("secret_missing", |field| {
            field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
            field.flush();
        }),
        ("needs_unmetered", |field| {
            field.compass.put_endpoint(&unmetered(OFFICE, OFFICE_URL)).unwrap();
            field.compass.set_connectivity(Connectivity::Online { validated: Some(true), metered: true, network: None });
        }),
    ];
    for (expected, put_in_the_way) in obstacles {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        put_in_the_way(&field);
        assert_eq!(reason(&field, session).as_deref(), Some(expected));
        assert_eq!(urgent(&field).attempts, 0, "{expected}");
        assert!(field.transport.requests().is_empty(), "{expected}");
    }
}

#[test]
fn a_person_gets_an_attempt_for_what_was_cut_short_too_often() {
    let (field, _) = phone(|_| Ok(answer(202)));
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
    assert_eq!(field.flush().attempts, 0, "it is spaced now");
    assert_eq!(urgent(&field).sent, 1);
    assert!(is_sent(&field.compass, session));
}

#[test]
fn new_secrets_give_a_person_no_second_attempt_in_the_same_pause() {
    let (field, _) = phone(|_| Ok(answer_with(429, &[("retry-after", "3600")])));
    field.secrets.set(SECRET_NAME, SECRET);
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    field.complete();
    field.flush();
    field.clock.advance(2 * MINUTE);
    let before = field.transport.requests().len();
    for _ in 0..5 {
        urgent(&field);
        field.compass.secrets_changed().unwrap();
        field.clock.advance(SECOND);
    }
    assert_eq!(field.transport.requests().len() - before, 1);
}

#[test]
fn an_urgent_attempt_that_never_began_is_not_the_one_of_its_pause() {
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let (field, receivers) =
        phone_with(|_| Ok(answer_with(503, &[("retry-after", "36000")])), |options| options.secrets = secrets_store.clone());
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    let session = field.complete();
    field.flush();
    receivers.take();
    field.clock.advance(2 * MINUTE);
    let asked = secrets_store.asked().len();
    secrets_store.gate.close();
    let cancel = CancelToken::new();
    let (compass, token) = (field.compass.clone(), cancel.clone());
    let running = std::thread::spawn(move || compass.flush_urgent(MINUTE, &token).unwrap());
    eventually("its secret is asked for", || secrets_store.asked().len() > asked);
    cancel.cancel();
    joined("the flush", running);
    secrets_store.gate.open();
    assert_eq!(field.transport.requests().len(), 1, "nothing has left");
    field.clock.advance(2 * MINUTE);
    assert_eq!(urgent(&field).sent, 1, "a person has had no attempt in this pause");
    assert!(is_sent(&field.compass, session));
}

#[test]
fn an_urgent_attempt_is_had_once_by_all_processes_together() {
    let (field, receivers) = phone(|_| Ok(answer_with(429, &[("retry-after", "36000")])));
    field.complete();
    field.flush();
    receivers.now(|_| Ok(answer(503)));
    let other = field.other_process();
    field.clock.advance(2 * MINUTE);
    assert_eq!(urgent(&field).attempts, 1);
    field.clock.advance(2 * MINUTE);
    assert_eq!(other.flush_urgent(MINUTE, &CancelToken::new()).unwrap().attempts, 0);
    other.close().unwrap();
}

#[test]
fn an_urgent_attempt_that_has_no_time_left_when_it_is_looked_at_is_not_used_up() {
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let (field, receivers) =
        phone_with(|_| Ok(answer_with(503, &[("retry-after", "36000")])), |options| options.secrets = secrets_store.clone());
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    field.complete();
    field.flush();
    receivers.take();
    field.clock.advance(2 * MINUTE);
    let asked = secrets_store.asked().len();
    secrets_store.gate.close();
    let compass = field.compass.clone();
    let running = std::thread::spawn(move || compass.flush_urgent(5 * MINUTE, &CancelToken::new()).unwrap());
    eventually("its secret is asked for", || secrets_store.asked().len() > asked);
    // What is left of the lease is too little for an attempt.
    field.clock.jump_wall(TimeDelta::seconds(40));
    secrets_store.gate.open();
    assert_eq!(joined("the flush", running).sent, 1, "it is claimed again");
}
