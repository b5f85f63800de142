//! A person asks for an attempt: the urgent request lasts until one has begun, or the person does not wait any more.

use super::*;

#[test]
fn an_urgent_attempt_of_a_message_that_was_abandoned_before_it_began_is_not_the_one_of_its_pause() {
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let (field, receivers) = phone_with(
        |_| Ok(answer_with(503, &[("retry-after", "36000")])),
        |options| {
            one_at_a_time(options);
            options.secrets = secrets_store.clone();
        },
    );
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    field.complete();
    field.complete();
    field.complete();
    field.flush();
    receivers.take();
    field.clock.advance(2 * MINUTE);
    let before = field.transport.requests().len();
    let asked = secrets_store.asked().len();
    secrets_store.gate.close();
    let compass = field.compass.clone();
    let running = std::thread::spawn(move || compass.flush_urgent(20 * SECOND, &CancelToken::new()).unwrap());
    eventually("its secret is asked for", || secrets_store.asked().len() > asked);
    // Abandon the one that is claimed.
    let leased: String = sql(&field).query_row("SELECT delivery_id FROM outbox WHERE state = 'leased'", [], |row| row.get(0)).unwrap();
    let item = field.messages(&[DeliveryState::Pending]).into_iter().find(|item| item.delivery.id.0 == leased).unwrap();
    assert!(!field.compass.abandon(item.session, &item.action, "anna", "paper", &id()).unwrap().in_flight);
    secrets_store.gate.open();
    joined("the flush", running);
    let then = field.transport.requests().len() - before;
    field.clock.advance(2 * MINUTE);
    let report = field.compass.flush_urgent(MINUTE, &CancelToken::new()).unwrap();
    assert!(then as u32 + report.sent >= 1, "a person has had no attempt in this pause");
}

#[test]
fn an_urgent_request_reaches_the_fifth_endpoint_although_four_hang() {
    let (field, receivers) = phone(|_| Ok(answer_with(503, &[("retry-after", "36000")])));
    for key in ["a", "b", "c", "d", "e"] {
        register(&field, key);
        complete_for(&field, key);
    }
    field.flush();
    assert_eq!(field.transport.requests().len(), 5);
    receivers.now(|_| Ok(answer_with(503, &[("retry-after", "36000")])));
    field.clock.advance(2 * MINUTE);
    field.transport.hold("");
    let compass = field.compass.clone();
    let running = std::thread::spawn(move || compass.flush_urgent(2 * MINUTE, &CancelToken::new()).unwrap());
    field.transport.wait_for_requests(9);
    field.clock.advance(27 * SECOND);
    field.transport.release();
    let report = joined("the flush", running);
    assert_eq!(report.attempts, 5);
}

#[test]
fn an_urgent_attempt_is_not_spent_by_a_job_that_is_about_to_end() {
    let (field, receivers) = phone(|_| Ok(answer_with(503, &[("retry-after", "36000")])));
    register(&field, "lab");
    let lab = complete_for(&field, "lab");
    field.flush();
    receivers.take();
    field.clock.advance(2 * MINUTE);
    field.complete();
    field.transport.hold("");
    let never = CancelToken::new();
    let mut job = field.compass.flush_steps(20 * SECOND, &never, false).unwrap();
    steps_until_wait(&mut job);
    field.transport.wait_for_requests(2);
    field.clock.advance(Duration::from_millis(15_500));
    steps_until_wait(&mut job);
    let mut person = field.compass.flush_steps(2 * MINUTE, &never, true).unwrap();
    steps_until_wait(&mut person);
    steps_until_wait(&mut job);
    field.clock.advance(Duration::from_millis(4_000));
    eventually("the job has ended", || matches!(job.step(), StepOutcome::Done(_)));
    field.transport.release();
    eventually("the person's flush has ended", || matches!(person.step(), StepOutcome::Done(_)));
    assert!(is_sent(&field.compass, lab), "a person had two minutes and a receiver that works");
}

#[test]
fn damaged_rows_take_no_urgent_attempt_away() {
    let (field, receivers) = phone_with(|_| Ok(answer_with(503, &[("retry-after", "36000")])), one_at_a_time);
    field.complete();
    field.flush();
    receivers.take();
    field.clock.advance(2 * MINUTE);
    let rows = [field.complete(), field.complete()].map(|session| entry(&field, session));
    field.complete();
    for row in rows {
        damage(&field, &format!("UPDATE outbox SET workflow_version = CAST(x'ff' AS TEXT) WHERE id = {row}"));
    }
    let report = field.compass.flush_urgent(MINUTE, &CancelToken::new()).unwrap();
    assert_eq!(report.attempts, 1, "the one that is undamaged");
}

#[test]
fn damaged_rows_take_no_urgent_attempt_away_while_the_phone_says_offline() {
    let (field, receivers) = phone_with(|_| Ok(answer_with(503, &[("retry-after", "36000")])), one_at_a_time);
    field.complete();
    field.flush();
    receivers.take();
    field.clock.advance(2 * MINUTE);
    let rows = [field.complete(), field.complete()].map(|session| entry(&field, session));
    field.complete();
    for row in rows {
        damage(&field, &format!("UPDATE outbox SET workflow_version = CAST(x'ff' AS TEXT) WHERE id = {row}"));
    }
    field.compass.set_connectivity(Connectivity::Offline);
    let report = field.compass.flush_urgent(MINUTE, &CancelToken::new()).unwrap();
    assert_eq!(report.attempts, 1, "the one that is undamaged");
}

#[test]
fn an_urgent_request_claims_no_more_than_a_batch() {
    let (field, _) = phone(|_| Ok(answer_with(503, &[("retry-after", "36000")])));
    for number in 0..40 {
        let key = format!("e{number:02}");
        register(&field, &key);
        complete_for(&field, &key);
    }
    field.flush();
    field.clock.advance(2 * MINUTE);
    field.transport.hold("");
    let compass = field.compass.clone();
    let running = std::thread::spawn(move || compass.flush_urgent(2 * MINUTE, &CancelToken::new()).unwrap());
    field.transport.wait_for_requests(44);
    let leased: i64 = sql(&field).query_row("SELECT count(*) FROM outbox WHERE state = 'leased'", [], |row| row.get(0)).unwrap();
    field.transport.release();
    joined("the flush", running);
    assert!(leased <= 32, "{leased} at once");
}

#[test]
fn an_urgent_attempt_that_a_switch_stopped_is_not_used_up() {
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
    let compass = field.compass.clone();
    let running = std::thread::spawn(move || compass.flush_urgent(20 * SECOND, &CancelToken::new()).unwrap());
    eventually("its secret is asked for", || secrets_store.asked().len() > asked);
    field.compass.set_integration_enabled(false).unwrap();
    secrets_store.gate.open();
    joined("the flush", running);
    field.compass.set_integration_enabled(true).unwrap();
    field.clock.advance(2 * MINUTE);
    assert_eq!(field.transport.requests().len(), 1);
    assert_eq!(field.compass.flush_urgent(MINUTE, &CancelToken::new()).unwrap().sent, 1, "a person has had no attempt in this pause");
    assert!(is_sent(&field.compass, session));
}

#[test]
fn an_urgent_attempt_that_has_not_begun_does_not_begin_once_the_person_has_cancelled() {
    // The receiver asked for a pause, or the message waits for its next attempt.
    for status in [429, 404] {
        let secrets_store = SlowSecrets::new();
        secrets_store.set(SECRET_NAME, SECRET);
        let (field, receivers) =
            phone_with(move |_| Ok(answer_with(status, &[("retry-after", "36000")])), |options| options.secrets = secrets_store.clone());
        field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
        field.complete();
        field.flush();
        receivers.take();
        field.clock.advance(2 * MINUTE);
        let asked = secrets_store.asked().len();
        secrets_store.gate.close();
        field.compass.start_delivery().unwrap();
        let cancel = CancelToken::new();
        let (compass, token) = (field.compass.clone(), cancel.clone());
        let running = std::thread::spawn(move || compass.flush_urgent(MINUTE, &token).unwrap());
        eventually("its secret is asked for", || secrets_store.asked().len() > asked);
        cancel.cancel();
        joined("the flush", running);
        eventually("what was claimed is released", || {
            sql(&field).query_row("SELECT count(*) FROM outbox WHERE state = 'leased'", [], |row| row.get::<_, i64>(0)).unwrap() == 0
        });
        secrets_store.gate.open();
        field.compass.stop_delivery().unwrap();
        assert_eq!(field.transport.requests().len(), 1, "{status}: it waits for its time, and nobody asks for an attempt");
    }
}

/// A phone with a message that waits for five minutes after its second attempt, and a receiver that takes all again.
fn waits_for_its_retry() -> (Field, SessionKey) {
    let (field, receivers) = phone(|_| Ok(answer(500)));
    let session = field.complete();
    field.flush();
    field.clock.advance(6 * SECOND);
    field.flush();
    assert_eq!(counted(&field, session), 2);
    receivers.take();
    (field, session)
}

/// A job has a message in flight when a person asks; `then` comes before that has ended.
fn asked_beside_a_job(field: &Field, requests: usize, then: impl FnOnce()) {
    let never = CancelToken::new();
    field.transport.hold("");
    let mut job = field.compass.flush_steps(2 * MINUTE, &never, false).unwrap();
    steps_until_wait(&mut job);
    field.transport.wait_for_requests(requests);
    let mut person = field.compass.flush_steps(2 * MINUTE, &never, true).unwrap();
    steps_until_wait(&mut person);
    steps_until_wait(&mut job);
    then();
    field.transport.release();
    eventually("both have ended", || {
        let is_over = [&mut job, &mut person].map(|steps| steps_until_wait(steps).is_none());
        is_over == [true, true]
    });
}

#[test]
fn an_urgent_request_is_not_answered_by_a_message_that_is_in_flight_already() {
    let (field, waits) = waits_for_its_retry();
    field.complete();
    asked_beside_a_job(&field, 3, || {});
    assert!(is_sent(&field.compass, waits), "the urgent request lasts until an attempt has begun or its flush ends");
}

#[test]
fn an_urgent_request_outlives_a_message_in_flight_that_brings_a_pause() {
    let (field, receivers) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    asked_beside_a_job(&field, 1, || receivers.now(|_| Ok(answer_with(503, &[("retry-after", "36000")]))));
    assert_eq!(field.transport.requests().len(), 2, "{:?}: one of the attempts is the person's", reason(&field, session));
}

#[test]
fn an_urgent_flush_goes_on_to_what_waits_once_what_was_due_was_delivered() {
    let (field, waits) = waits_for_its_retry();
    field.complete();
    assert_eq!(field.compass.flush_urgent(MINUTE, &CancelToken::new()).unwrap().sent, 2, "{:?}", reason(&field, waits));
}

#[test]
fn an_urgent_flush_tries_a_message_that_was_due_and_failed_no_second_time() {
    let (field, _) = phone(|_| Ok(answer(500)));
    field.complete();
    assert_eq!(field.compass.flush_urgent(MINUTE, &CancelToken::new()).unwrap().attempts, 1);
}

#[test]
fn an_urgent_request_gives_one_attempt_however_long_other_endpoints_are_busy() {
    let (field, receivers) = phone_with(|_| Ok(answer(404)), one_at_a_time);
    field.complete();
    field.flush();
    register(&field, "lab");
    field.backlog(6, "lab");
    field.clock.advance(2 * MINUTE);
    let clock = field.clock.clone();
    receivers.now(move |request| {
        let is_office = request.url == OFFICE_URL;
        if !is_office {
            clock.advance(20 * SECOND);
        }
        Ok(answer(if is_office { 404 } else { 202 }))
    });
    let report = field.compass.flush_urgent(20 * MINUTE, &CancelToken::new()).unwrap();
    assert_eq!((report.sent, requests_to(&field, OFFICE_URL)), (6, 2), "the budget of what fails slowly is six");
}

#[test]
fn what_is_claimed_for_a_person_when_the_network_comes_is_due_at_once_when_it_is_released() {
    let (field, _) = phone_with(|_| Ok(answer(202)), |options| options.retry.in_flight_total = 2);
    register(&field, "lab");
    register(&field, "shop");
    complete_for(&field, "lab");
    field.transport.hold("");
    let cancel = CancelToken::new();
    let mut job = field.compass.flush_steps(5 * MINUTE, &cancel, false).unwrap();
    steps_until_wait(&mut job);
    field.transport.wait_for_requests(1);
    field.compass.set_connectivity(Connectivity::Offline);
    let mut person = field.compass.flush_steps(5 * MINUTE, &cancel, true).unwrap();
    steps_until_wait(&mut person);
    steps_until_wait(&mut job);
    // As another process leaves them that has tried them without success since. There is a place for one of the two.
    complete_for(&field, "shop");
    let session = field.complete();
    let due = (field.now() + TimeDelta::minutes(10)).timestamp_millis();
    damage(&field, &format!("UPDATE outbox SET offline_attempts = 1, reason = 'offline', due_at = {due} WHERE state = 'queued'"));
    field.clock.advance(3 * SECOND);
    steps_until_wait(&mut job);
    field.transport.wait_for_requests(2);
    assert_eq!(reason(&field, session).as_deref(), Some("in_flight"), "it is claimed");
    field.compass.set_connectivity(UNSURE);
    for _ in 0..5 {
        field.clock.advance(SECOND);
        steps_until_wait(&mut job);
    }
    cancel.cancel();
    eventually("both end", || steps_until_wait(&mut job).is_none() && steps_until_wait(&mut person).is_none());
    for waits in field.messages(&[DeliveryState::Pending]) {
        let next = waits.delivery.next_attempt_at;
        assert!(next.is_none_or(|at| at <= field.now()), "the network is there, and one waits until {next:?}: {:?}", waits.delivery.reason);
    }
}

#[test]
fn an_urgent_request_outlives_a_database_that_fails_for_a_moment() {
    let (field, receivers) = phone(|_| Ok(answer_with(429, &[("retry-after", "3600")])));
    field.complete();
    field.flush();
    receivers.take();
    let never = CancelToken::new();
    let mut person = field.compass.flush_steps(MINUTE, &never, true).unwrap();
    damage(&field, "ALTER TABLE endpoint RENAME TO elsewhere");
    let waits = steps_until_wait(&mut person);
    damage(&field, "ALTER TABLE elsewhere RENAME TO endpoint");
    assert!(waits.is_some(), "it tries again");
    eventually("it ends", || steps_until_wait(&mut person).is_none());
    assert_eq!(field.transport.requests().len(), 2);
}
