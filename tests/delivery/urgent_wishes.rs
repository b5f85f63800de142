//! A person asks for an attempt: the wish lasts until one has begun, or the person does not wait any more.

use super::*;

#[test]
fn an_urgent_attempt_of_a_message_that_was_given_up_before_it_began_is_not_the_one_of_its_pause() {
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
    // Give up the one that is claimed.
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
fn an_urgent_wish_reaches_the_fifth_endpoint_although_four_hang() {
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
    assert_eq!(report.attempts, 1, "the one that is sound");
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
    assert_eq!(report.attempts, 1, "the one that is sound");
}

#[test]
fn an_urgent_wish_claims_no_more_than_a_batch() {
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
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let (field, receivers) =
        phone_with(|_| Ok(answer_with(429, &[("retry-after", "36000")])), |options| options.secrets = secrets_store.clone());
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
    secrets_store.gate.open();
    eventually("what was claimed is given back", || {
        sql(&field).query_row("SELECT count(*) FROM outbox WHERE state = 'leased'", [], |row| row.get::<_, i64>(0)).unwrap() == 0
    });
    assert_eq!(field.transport.requests().len(), 1, "the receiver asked for patience, and nobody asks for an attempt");
}
