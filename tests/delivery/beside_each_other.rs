//! Of an action one attempt is in flight at a time, also after the message or the replay that it belongs to was abandoned or superseded.

use super::*;

/// Another process, whose requests are held until its own transport is released.
fn another_process(field: &Field) -> (Compass, Arc<ScriptedTransport>) {
    let transport = ScriptedTransport::always(202);
    transport.hold("");
    let options = field.options.clone().as_other_process().transport(transport.clone());
    (Compass::open(options).unwrap(), transport)
}

fn correct(field: &Field, session: SessionKey, reading: &str) {
    let change = support::app::set("reading", FieldValue::Text(reading.into()));
    field.compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
    field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap();
}

fn replay(field: &Field, session: SessionKey) {
    field.compass.replay(session, "tell-0", None, &id()).unwrap();
}

/// Nothing more begins while another process has an attempt of the action in flight; once that has ended, or its lease is over, it does.
fn waits(field: &Field, session: SessionKey, (other, transport): (Compass, Arc<ScriptedTransport>), what: impl FnOnce()) {
    let running = flushing(&other);
    transport.wait_for_requests(1);
    let before = field.transport.requests().len();
    what();
    let pending =
        field.compass.outbox(&OutboxFilter { states: vec![DeliveryState::Pending], ..OutboxFilter::default() }, None, 10).unwrap();
    assert!(!pending.items.is_empty());
    for OutboxItem { delivery, .. } in pending.items {
        assert!(matches!(delivery.reason.as_deref(), Some("in_flight" | "earlier_revision")), "{delivery:?}");
        assert_eq!(field.compass.next_due().unwrap().at, delivery.next_attempt_at);
    }
    let came = requests_of_a_flush(field, &field.compass, before + 1);
    transport.release();
    joined("the flush", running);
    other.close().unwrap();
    assert_eq!(came, before);
    field.flush();
    assert!(field.transport.requests().len() + transport.requests().len() > before + 1, "the attempt has ended");
    assert!(field.action(session).replays.iter().all(|replay| replay.state != DeliveryState::Pending));
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn a_replay_waits_for_a_correction_that_was_abandoned_in_flight() {
    for is_sent_again in [false, true] {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        field.flush();
        correct(&field, session, "18.5");
        waits(&field, session, another_process(&field), || {
            assert!(abandon_first(&field, session).in_flight);
            if is_sent_again {
                send_first(&field, session);
            }
            replay(&field, session);
        });
    }
}

#[test]
fn a_replay_that_waits_goes_on_waiting_when_the_correction_in_flight_is_superseded() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.flush();
    correct(&field, session, "18.5");
    waits(&field, session, another_process(&field), || {
        replay(&field, session);
        correct(&field, session, "19.5");
    });
}

#[test]
fn a_correction_that_is_sent_again_waits_for_a_replay_that_was_abandoned_in_flight() {
    let (field, receivers) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.flush();
    receivers.now(|_| Ok(answer(422)));
    correct(&field, session, "18.5");
    field.flush();
    receivers.take();
    replay(&field, session);
    waits(&field, session, another_process(&field), || {
        assert!(abandon_first(&field, session).in_flight);
        send_first(&field, session);
    });
}

#[test]
fn nothing_waits_for_the_time_of_an_attempt_after_the_clock_was_set_back() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.flush();
    correct(&field, session, "18.5");
    let (other, transport) = another_process(&field);
    let running = flushing(&other);
    transport.wait_for_requests(1);
    correct(&field, session, "19.5");
    let then = field.now();
    field.clock.set_wall(then - TimeDelta::days(2));
    field.flush();
    assert_eq!(field.transport.requests().len(), 2, "it waits no longer");
    replay(&field, session);
    // As long as the attempt would have had.
    field.clock.set_wall(then);
    field.flush();
    assert_eq!(field.transport.requests().len(), 3, "nor when the clock comes near");
    transport.release();
    joined("the flush", running);
    other.close().unwrap();
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}
