//! Probes: two things at once, and the edges of stated bounds.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

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

// 2, 3. Another process sends what is in the air here ------------------------------------------------------------------------------------

fn in_the_air_elsewhere(signs: bool) -> (Field, Compass, SessionKey, JoinHandle<FlushReport>) {
    let (field, _) = phone(|_| Ok(answer(202)));
    field.secrets.set(SECRET_NAME, SECRET);
    if signs {
        field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    }
    let session = field.complete();
    let other = Compass::open(field.options.clone().as_other_process()).unwrap();
    field.transport.hold("");
    let running = flushing(&field.compass);
    field.transport.wait_for_requests(1);
    let key = field.action(session).key;
    other.abandon(session, &key, "anna", "handed in on paper", &id()).unwrap();
    other.send(session, &key, Some("anna"), &id()).unwrap();
    (field, other, session, running)
}

fn ends(field: Field, other: Compass, running: JoinHandle<FlushReport>) {
    field.transport.release();
    joined("the flush", running);
    other.close().unwrap();
}

fn steps_send_again(field: &Field, other: &Compass, urgent: bool) -> usize {
    let never = CancelToken::new();
    let mut steps = other.flush_steps(MINUTE, &never, urgent).unwrap();
    come_while(field, &mut steps, 2);
    let came = field.transport.requests().len();
    field.transport.release();
    eventually("it ends", || steps_until_wait(&mut steps).is_none());
    came
}

#[test]
fn p02_control_a_flush_of_another_process_waits_for_what_is_in_the_air() {
    let (field, other, _, running) = in_the_air_elsewhere(false);
    let came = steps_send_again(&field, &other, false);
    ends(field, other, running);
    assert_eq!(came, 1);
}

#[test]
fn p02_an_urgent_flush_of_another_process_waits_for_what_is_in_the_air() {
    let (field, other, _, running) = in_the_air_elsewhere(false);
    let came = steps_send_again(&field, &other, true);
    ends(field, other, running);
    assert_eq!(came, 1, "the first one is in the air");
}

#[test]
fn p03_new_secrets_in_another_process_do_not_send_what_is_in_the_air() {
    let (field, other, _, running) = in_the_air_elsewhere(true);
    other.secrets_changed().unwrap();
    let came = steps_send_again(&field, &other, false);
    ends(field, other, running);
    assert_eq!(came, 1, "the first one is in the air");
}

#[test]
fn p03_switching_an_endpoint_off_and_on_in_another_process_does_not_send_what_is_in_the_air() {
    let (field, other, _, running) = in_the_air_elsewhere(false);
    other.set_endpoint_enabled(OFFICE, false).unwrap();
    other.set_endpoint_enabled(OFFICE, true).unwrap();
    let came = steps_send_again(&field, &other, false);
    ends(field, other, running);
    assert_eq!(came, 1, "the first one is in the air");
}

// 4. Sent again, and the clock is set back ------------------------------------------------------------------------------------------------

#[test]
fn p04_what_is_sent_again_does_not_wait_for_a_lease_of_a_clock_that_was_set_back() {
    let mut found = Vec::new();
    for hours in [0, 1, 24] {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        left_behind(&field, 1);
        abandon_first(&field, session);
        send_first(&field, session);
        field.clock.jump_wall(-TimeDelta::hours(hours));
        field.clock.advance(2 * MINUTE);
        let came = requests_of_a_flush(&field, &field.compass, 2);
        let shown = field.delivery(session);
        field.transport.release();
        found.push((hours, came, shown.reason, shown.next_attempt_at.map(|at| at - field.now())));
    }
    assert!(found.iter().all(|(_, came, ..)| *came == 2), "{found:#?}");
}

#[test]
fn p04_what_is_sent_again_after_a_crash_does_not_wait_for_a_lease_of_a_clock_that_was_set_back() {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.transport.hold("");
    let never = CancelToken::new();
    let mut steps = field.compass.flush_steps(MINUTE, &never, false).unwrap();
    steps_until_wait(&mut steps);
    field.transport.wait_for_requests(1);
    abandon_first(&field, session);
    drop(steps);
    field.compass.clone().kill();
    field.transport.release();
    field.compass = Compass::open(field.options.clone()).unwrap();
    field.clock.jump_wall(-TimeDelta::hours(20));
    field.clock.advance(2 * MINUTE);
    send_first(&field, session);
    let report = field.flush();
    assert_eq!(report.sent, 1, "waits for {:?}", field.delivery(session).next_attempt_at.map(|at| at - field.now()));
}

// 5. A clock before 1970 -------------------------------------------------------------------------------------------------------------------

#[test]
fn p05_what_was_given_up_and_is_sent_again_before_1970_is_due_at_once() {
    let (field, receivers) = phone(|_| Ok(answer(400)));
    // Midnight of the first of January 1970, somewhere east of Greenwich.
    field.clock.set_wall(Timestamp::from_timestamp(-3600 * 2, 0).unwrap());
    let session = field.complete();
    field.flush();
    assert_eq!(field.action(session).status, ActionStatus::Failed);
    abandon_first(&field, session);
    receivers.take();
    send_first(&field, session);
    let report = field.flush();
    assert_eq!(report.sent, 1, "waits for {:?}", field.delivery(session).next_attempt_at.map(|at| at - field.now()));
}

// 6. What is passed over has a moment to be looked at again ----------------------------------------------------------------------------------

#[test]
fn p06_next_due_knows_when_what_was_sent_again_behind_a_request_that_hangs_is_tried() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    left_behind(&field, 1);
    abandon_first(&field, session);
    send_first(&field, session);
    let due = field.next_due();
    let mut worker = field.compass.delivery_steps().unwrap().unwrap();
    let until = steps_until_wait(&mut worker);
    let (pending, requests) = (field.compass.outbox_totals().unwrap().pending, field.transport.requests().len());
    field.transport.release();
    assert_eq!((pending, requests), (1, 1));
    assert!(due.at.is_some() && until != Some(None), "it waits, and nobody says until when: {due:?}, the worker waits until {until:?}");
}

/// A transport whose first request never ends.
struct FirstHangs(Arc<ScriptedTransport>, Arc<Gate>, AtomicU64);

impl Transport for FirstHangs {
    fn send(&self, request: TransportRequest) -> Answer {
        if self.2.fetch_add(1, Ordering::SeqCst) == 0 {
            let _ = self.inner().send(request);
            let end = Instant::now() + 150 * SECOND;
            while Instant::now() < end && self.1.state().shut {
                std::thread::sleep(Duration::from_millis(50));
            }
            return Err(failure(FailureKind::Timeout, Phase::Receive, RequestSent::Maybe));
        }
        self.inner().send(request)
    }

    fn cancel(&self, _: u64) {}

    fn renew(&self) {}
}

impl FirstHangs {
    fn inner(&self) -> &ScriptedTransport {
        &self.0
    }
}

#[test]
#[ignore = "takes 80 seconds of real time"]
fn p06_in_real_time_the_worker_tries_what_was_sent_again_once_the_lease_is_over() {
    for sends_again in [false, true] {
        let inner = ScriptedTransport::always(202);
        let gate = Gate::shut();
        let hangs = Arc::new(FirstHangs(inner.clone(), gate.clone(), AtomicU64::new(0)));
        let field = Field::with(inner, |options| {
            options.clock = Arc::new(SystemClock::default());
            options.transport = Some(hangs);
        });
        let session = field.complete();
        let cancel = CancelToken::new();
        let (compass, token) = (field.compass.clone(), cancel.clone());
        let running = std::thread::spawn(move || compass.flush(MINUTE, &token).unwrap());
        field.transport.wait_for_requests(1);
        cancel.cancel();
        joined("the flush", running);
        if sends_again {
            abandon_first(&field, session);
            send_first(&field, session);
        }
        field.compass.start_delivery().unwrap();
        let end = Instant::now() + 80 * SECOND;
        while Instant::now() < end && !is_sent(&field.compass, session) {
            std::thread::sleep(Duration::from_millis(200));
        }
        let (sent, shown) = (is_sent(&field.compass, session), field.delivery(session));
        gate.open();
        assert!(sent, "sent again: {sends_again}; {:?} {:?} {:?}", shown.state, shown.reason, shown.next_attempt_at);
        field.compass.close().unwrap();
    }
}

// 12. Counters --------------------------------------------------------------------------------------------------------------------------------

#[test]
fn p12_a_claim_that_did_not_begin_is_not_counted_although_an_earlier_try_was_answered_meanwhile() {
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let given = secrets_store.clone();
    let (field, _) = phone_with(|_| Ok(answer(202)), move |options| options.secrets = given);
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    let session = field.complete();
    left_behind(&field, 1);
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

// 16. In the air, sent again, and the clock is set --------------------------------------------------------------------------------------------

#[test]
fn p16_what_is_sent_again_while_it_is_in_the_air_waits_for_that_whatever_the_clock_is_set_to() {
    let mut found = Vec::new();
    for minutes in [0, 10, -10, 60 * 24 * 365] {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        field.transport.hold("");
        let never = CancelToken::new();
        let mut flush = field.compass.flush_steps(MINUTE, &never, false).unwrap();
        steps_until_wait(&mut flush);
        field.transport.wait_for_requests(1);
        abandon_first(&field, session);
        send_first(&field, session);
        field.clock.jump_wall(TimeDelta::minutes(minutes));
        field.clock.advance(3 * SECOND);
        come_while(&field, &mut flush, 2);
        let came = field.transport.requests().len();
        field.transport.release();
        eventually("it ends", || steps_until_wait(&mut flush).is_none());
        found.push((minutes, came));
    }
    assert!(found.iter().all(|(_, came)| *came == 1), "the first one is in the air: {found:?}");
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

fn edit(field: &Field, session: SessionKey) {
    let change = FieldChange { field: "reading".into(), change: Change::Set(FieldValue::Text("18".into())) };
    field.compass.edit(session, Some("anna"), vec![change], vec![], &id()).unwrap();
}

// 30. A pause of a receiver that is none any more ------------------------------------------------------------------------------------------------

#[test]
fn p30_what_is_sent_again_does_not_wait_for_the_pause_of_an_old_address() {
    let (field, _) =
        phone(|request| if request.url == OFFICE_URL { Ok(answer_with(429, &[("retry-after", "86400")])) } else { Ok(answer(202)) });
    let session = field.complete();
    field.transport.hold("");
    let running = flushing(&field.compass);
    field.transport.wait_for_requests(1);
    abandon_first(&field, session);
    field.transport.release();
    joined("the flush", running);
    // Another receiver takes over.
    field.compass.put_endpoint(&endpoint(OFFICE, "https://new.example/hook")).unwrap();
    let fresh = field.complete();
    send_first(&field, session);
    field.flush();
    assert!(is_sent(&field.compass, fresh));
    assert!(is_sent(&field.compass, session), "waits for {:?}", field.delivery(session).next_attempt_at.map(|at| at - field.now()));
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
