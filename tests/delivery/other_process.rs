//! What another process decides counts here at the next look, as if it had been decided in this one.

use super::*;

/// A message that this process tries once in a quarter of an hour, because nothing reaches its endpoint; then the receiver works again.
fn out_of_reach() -> (Field, SessionKey, DeliverySteps) {
    let (field, receivers) = phone(|_| Err(failure(FailureKind::Refused, Phase::Connect, RequestSent::No)));
    field.secrets.set(SECRET_NAME, SECRET);
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    field.compass.set_connectivity(UNSURE);
    let session = field.complete();
    let mut worker = field.compass.delivery_steps().unwrap().unwrap();
    for attempts in 1..=10 {
        field.clock.advance(20 * MINUTE);
        eventually("it has been tried", || {
            steps_until_wait(&mut worker);
            field.delivery(session).attempts == attempts && reason(&field, session).as_deref() == Some("unreachable")
        });
    }
    receivers.take();
    (field, session, worker)
}

fn off_and_on(compass: &Compass) {
    compass.set_endpoint_enabled(OFFICE, false).unwrap();
    compass.set_endpoint_enabled(OFFICE, true).unwrap();
}

type Decision = fn(&Compass);

/// What makes due what waits for an endpoint.
const MAKE_DUE: [(&str, Decision); 2] = [("off and on", off_and_on), ("new secrets", |compass| compass.secrets_changed().unwrap())];

#[test]
fn what_another_process_makes_due_waits_for_no_backoff_of_this_one() {
    for (what, makes_due) in MAKE_DUE {
        for by_another in [false, true] {
            let (field, session, mut worker) = out_of_reach();
            let other = field.other_process();
            makes_due(if by_another { &other } else { &field.compass });
            let (due, shown) = (field.next_due().at, field.delivery(session).next_attempt_at);
            assert_eq!((due, shown), (Some(field.now()), Some(field.now())), "{what}, by another: {by_another}");
            field.compass.refresh().unwrap();
            nothing_is_in_flight(&field, session, Some(&mut worker));
            assert!(is_sent(&field.compass, session), "{what}, by another: {by_another}");
            other.close().unwrap();
        }
    }
}

#[test]
fn what_another_process_makes_due_is_found_without_a_word_when_this_one_looks() {
    for (what, makes_due) in MAKE_DUE {
        let (field, session, mut worker) = out_of_reach();
        let other = field.other_process();
        makes_due(&other);
        field.clock.advance(61 * SECOND);
        nothing_is_in_flight(&field, session, Some(&mut worker));
        assert!(is_sent(&field.compass, session), "{what}");
        other.close().unwrap();
    }
}

#[test]
fn an_endpoint_that_another_process_has_reached_waits_for_no_backoff_of_this_one() {
    let (field, waits, mut worker) = out_of_reach();
    let other = field.other_process();
    let first = complete(&other, "visit");
    assert!(flush(&other).sent >= 1);
    assert!(is_sent(&other, first));
    let later = field.complete();
    nothing_is_in_flight(&field, later, Some(&mut worker));
    assert!(is_sent(&field.compass, later), "{waits:?} is of before");
    other.close().unwrap();
}

#[test]
fn the_next_due_time_of_what_is_sent_again_in_flight_is_named() {
    // Abandoned here, and sent again by this process or another one; the clock is as it was, or was set since.
    for (by_another, set) in [false, true].into_iter().flat_map(|by| [0, -3, 3].map(|hours| (by, hours))) {
        let (field, _) = phone(|_| Ok(answer(202)));
        let other = field.other_process();
        let session = field.complete();
        let running = field.flush_held(&field.compass, "", 1);
        let lease_ends = field.next_due().at.unwrap();
        assert!(abandon_first(&field, session).in_flight);
        assert_eq!(field.next_due().at, None, "nothing waits");
        let sends = if by_another { &other } else { &field.compass };
        sends.send(session, &field.action(session).key, Some("anna"), &id()).unwrap();
        field.clock.jump_wall(TimeDelta::hours(set));
        let expected = if set == 0 { lease_ends } else { field.now() };
        assert_eq!(field.next_due().at, Some(expected), "by another: {by_another}, set by {set} h");
        assert_eq!(field.next_due().at, Some(expected), "asking changes nothing");
        assert!(field.delivery(session).next_attempt_at.is_some_and(|at| at <= expected), "the list shows a time, too");
        field.compass.set_endpoint_enabled(OFFICE, false).unwrap();
        assert_eq!(field.next_due().at, None, "no time brings it on");
        field.transport.release();
        joined("the flush", running);
        other.close().unwrap();
    }
}

#[test]
fn what_waits_for_an_endpoint_is_due_at_once_when_another_message_has_reached_it() {
    // At once, or after an answer that shows that the way is free, but takes nothing.
    for refused in [None, Some(500), Some(413)] {
        let (mut field, receivers) = phone(|_| Err(failure(FailureKind::Refused, Phase::Connect, RequestSent::No)));
        field.compass.set_connectivity(UNSURE);
        let session = field.complete();
        for _ in 1..=10 {
            field.clock.advance(20 * MINUTE);
            field.flush();
        }
        field.reopen();
        field.compass.set_connectivity(UNSURE);
        let mut worker = field.compass.delivery_steps().unwrap().unwrap();
        let before = field.delivery(session).attempts;
        field.clock.advance(10 * SECOND);
        eventually("it is tried after the start", || {
            steps_until_wait(&mut worker);
            field.delivery(session).attempts == before + 1 && reason(&field, session).as_deref() == Some("unreachable")
        });
        field.clock.advance(MINUTE);
        if let Some(status) = refused {
            receivers.now(move |_| Ok(answer(status)));
            let refused = field.complete();
            nothing_is_in_flight(&field, refused, Some(&mut worker));
            assert_eq!(field.delivery(session).attempts, before + 1, "nothing was taken");
        }
        receivers.take();
        let later = field.complete();
        nothing_is_in_flight(&field, later, Some(&mut worker));
        assert!(is_sent(&field.compass, later), "the endpoint is reached");
        nothing_is_in_flight(&field, session, Some(&mut worker));
        assert!(is_sent(&field.compass, session), "{refused:?}");
    }
}

#[test]
fn what_waits_for_an_endpoint_is_due_at_once_when_another_process_has_reached_it() {
    // A message that needs a person, and is tried hourly.
    let (field, receivers) = phone(|_| Err(failure(FailureKind::Refused, Phase::Connect, RequestSent::No)));
    let other = field.other_process();
    let mut elsewhere = other.delivery_steps().unwrap().unwrap();
    steps_until_wait(&mut elsewhere);
    let session = field.complete();
    let mut worker = field.compass.delivery_steps().unwrap().unwrap();
    for network in 1..=10 {
        field.compass.set_connectivity(Connectivity::Online { validated: None, metered: false, network: Some(network) });
        field.clock.advance(HOUR + 10 * MINUTE);
        let before = field.delivery(session).attempts;
        eventually("it is tried", || {
            steps_until_wait(&mut worker);
            field.delivery(session).attempts > before && reason(&field, session).as_deref() == Some("unreachable")
        });
    }
    assert!(field.next_due().needs_person);
    receivers.take();
    field.clock.advance(MINUTE);
    let later = complete(&other, "visit");
    nothing_is_in_flight(&field, later, Some(&mut elsewhere));
    assert!(is_sent(&other, later));
    field.compass.refresh().unwrap();
    field.clock.advance(2 * MINUTE);
    nothing_is_in_flight(&field, session, Some(&mut worker));
    assert!(is_sent(&field.compass, session));
}
