//! A value is taken out of a session while messages that hold it wait, are claimed, or are in flight.

use super::*;

fn redaction() -> Redaction {
    Redaction {
        command_id: id(),
        target: RedactionTarget::Field { key: "reading".into() },
        actor: "anna".into(),
        reason: "not ours to know".into(),
        pending: RedactPending::Abandon,
        bodies: RedactBodies::Keep,
    }
}

/// Garbage; a bit that makes another key of the field's; no bytes at all.
const DAMAGES: [&str; 3] = [
    "UPDATE body SET bytes = x'7b7d'",
    "UPDATE body SET bytes = CAST(replace(CAST(bytes AS TEXT), 'reading', 'seading') AS BLOB)",
    "DELETE FROM body",
];

#[test]
fn a_redaction_abandons_what_was_damaged_and_waits() {
    for damages in DAMAGES {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        damage(&field, damages);
        field.compass.redact(session, &redaction()).unwrap();
        field.flush();
        assert_eq!(field.action(session).reason.as_deref(), Some("abandoned"), "{damages}");
    }
}

#[test]
fn a_redaction_abandons_what_was_damaged_claimed_and_made_again() {
    for damages in DAMAGES {
        let secrets_store = SlowSecrets::new();
        secrets_store.set(SECRET_NAME, SECRET);
        let (field, _) = phone_with(|_| Ok(answer(202)), |options| options.secrets = secrets_store.clone());
        field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
        let session = field.complete();
        damage(&field, damages);
        secrets_store.gate.close();
        let running = flushing(&field.compass);
        secrets_store.gate.wait_for(1);
        let outcome = field.compass.redact(session, &redaction()).unwrap();
        secrets_store.gate.open();
        joined("the flush", running);
        assert!(!outcome.in_flight, "{damages}");
        assert!(field.transport.requests().is_empty(), "the value leaves: {damages}");
    }
}

#[test]
fn a_redaction_abandons_what_is_damaged_and_waits_in_a_copy() {
    for damages in DAMAGES {
        let (mut field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        let waits = back_up(&field, "waits.db");
        field.compass.redact(session, &redaction()).unwrap();
        support::past_every_rule(&support::app::open_sql(&waits), |file| file.execute_batch(damages).unwrap());
        put_back_and_open(&mut field, &waits);
        field.flush();
        assert_eq!((field.action(session).reason.as_deref(), field.transport.requests().len()), (Some("abandoned"), 0), "{damages}");
    }
}

#[test]
fn a_redaction_says_what_is_in_flight_elsewhere_also_when_it_is_repeated() {
    type Before = fn(&Compass, SessionKey);
    let nothing: Before = |_, _| {};
    let sent_again: Before = |other, session| {
        assert!(other.abandon(session, "tell-0", "anna", "on paper", &id()).unwrap().in_flight);
        other.send(session, "tell-0", Some("anna"), &id()).unwrap();
    };
    let corrected: Before = |other, session| {
        other.abandon(session, "tell-0", "anna", "on paper", &id()).unwrap();
        let change = support::app::set("reading", FieldValue::Text("18.5".into()));
        other.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
        other.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap();
    };
    for (name, before) in [("nothing", nothing), ("abandoned and sent again", sent_again), ("abandoned and corrected", corrected)] {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        let other = field.other_process();
        let running = field.flush_held(&field.compass, "", 1);
        before(&other, session);
        let redaction = redaction();
        let told = [(); 2].map(|()| other.redact(session, &redaction).unwrap().in_flight);
        field.transport.release();
        joined("the flush", running);
        other.close().unwrap();
        assert_eq!(told, [true, true], "{name}");
    }
}

#[test]
fn a_message_of_a_locked_action_is_abandoned_where_a_correction_was_asked() {
    let (field, _) = phone_with(|_| Ok(answer(400)), |options| options.retry.max_failed_sends = 0);
    let session = field.complete();
    field.flush();
    assert!(field.action(session).locked);
    field.compass.redact(session, &Redaction { pending: RedactPending::Correct, ..redaction() }).unwrap();
    let action = field.action(session);
    assert_eq!((action.deliveries.len(), action.reason.as_deref()), (1, Some("abandoned")));
}

#[test]
fn a_damaged_message_that_never_held_the_value_is_left_where_a_correction_was_asked() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let view = field.compass.start(&Start::new("visit", id())).unwrap().view;
    field.compass.complete(view.key, view.visit).unwrap();
    damage(&field, DAMAGES[0]);
    field.compass.redact(view.key, &Redaction { pending: RedactPending::Correct, ..redaction() }).unwrap();
    field.flush();
    let action = field.action(view.key);
    assert_eq!((action.status, action.deliveries.len()), (ActionStatus::Sent, 1), "{:?}", action.reason);
}

/// A phone with a session whose edits are sent by themselves.
fn phone_that_sends_edits() -> (Field, SessionKey) {
    let (field, _) = phone(|_| Ok(answer(202)));
    let mut document: serde_json::Value = serde_json::from_slice(&workflow("sends-edits", &[OFFICE])).unwrap();
    document["sections"][0]["actions"][0]["on_edit"] = "send".into();
    field.compass.import_workflow(&serde_json::to_vec(&document).unwrap()).unwrap();
    let session = complete(&field.compass, "sends-edits");
    (field, session)
}

#[test]
fn a_note_sends_no_correction_of_a_message_that_a_redaction_kept() {
    let (field, session) = phone_that_sends_edits();
    field.compass.redact(session, &Redaction { pending: RedactPending::Keep, ..redaction() }).unwrap();
    field.compass.note(session, "a note", &id()).unwrap();
    let note = field.compass.record(session).unwrap().notes[0].seq;
    let edit = vec![NoteChange { note, text: "another".into() }];
    field.compass.edit(session, Some("anna"), None, vec![], edit, &id()).unwrap();
    let action = field.action(session);
    let states: Vec<_> = action.deliveries.iter().map(|delivery| (delivery.revision, delivery.state)).collect();
    assert_eq!((states, action.differs_from_sent), (vec![(1, DeliveryState::Pending)], true), "a person said: keep");
}

#[test]
fn a_redaction_is_no_edit_that_was_not_sent() {
    let (field, session) = phone_that_sends_edits();
    field.flush();
    field.compass.redact(session, &Redaction { pending: RedactPending::Correct, ..redaction() }).unwrap();
    let action = field.action(session);
    assert_eq!((action.differs_from_sent, action.edit_not_sent), (true, None));
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}
