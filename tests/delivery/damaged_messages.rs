//! Damage in the row of a message, or in one that it refers to: no matter what it is, that message stops alone.

use super::damage::office_and_lab;
use super::*;

/// What is damaged while it waits, after a failed attempt, and while a process that died still has it claimed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum When {
    Waiting,
    Tried,
    Claimed,
}

/// Damages the office's message and sees that every call works, the lab gets its message, and all that is shown agrees.
fn stops_itself_alone(when: When, damages: &str) {
    let what = format!("{when:?}: {damages}");
    let (mut field, receivers) = phone(move |_| Ok(answer(if when == When::Tried { 500 } else { 202 })));
    register(&field, "lab");
    let bad = field.complete();
    let sibling = field.complete();
    let statement = damages.replace("ROW", &entry(&field, bad).to_string());
    match when {
        When::Waiting => field.compass.close().unwrap(),
        When::Tried => {
            field.flush();
            receivers.take();
            field.compass.close().unwrap();
        }
        When::Claimed => {
            field.transport.hold("");
            let mut steps = field.compass.flush_steps(MINUTE, &CancelToken::new(), false).unwrap();
            while field.transport.requests().is_empty() {
                steps.step();
            }
            drop(steps);
            field.compass.clone().kill();
            field.transport.release();
        }
    }
    damage(&field, &statement);
    field.open_again();
    field.clock.advance(2 * MINUTE);
    let good = complete_for(&field, "lab");
    field.next_due();
    field.flush();
    assert!(is_sent(&field.compass, good) && is_sent(&field.compass, sibling), "{what}");
    all_that_is_shown_agrees(&field, &what);
    let listed = field.messages(&ALL_STATES);
    assert_eq!(listed.len(), 3, "{what}");
    let told = listed.into_iter().find(|item| item.session != good && item.session != sibling).unwrap();
    assert!(told.delivery.state == DeliveryState::Sent || told.needs_person, "{what}: a person is told of {:?}", told.delivery);
    every_call_works(&field, &what);
    // What comes later leaves as well, and so it does when the file is opened again.
    for _ in 0..2 {
        let later = complete_for(&field, "lab");
        field.clock.advance(2 * MINUTE);
        field.flush();
        assert!(is_sent(&field.compass, later), "{what}");
        all_that_is_shown_agrees(&field, &what);
        field.reopen();
    }
}

fn all_that_is_shown_agrees(field: &Field, what: &str) {
    shows_the_same_everywhere(field, what);
    assert!(field.next_due().at.is_none_or(|at| at > field.now()), "{what}: due for ever");
}

fn shows_the_same_everywhere(field: &Field, what: &str) {
    let listed = field.messages(&ALL_STATES);
    let totals = field.compass.outbox_totals().unwrap();
    let waiting = |item: &&OutboxItem| matches!(item.delivery.state, DeliveryState::Pending | DeliveryState::Failed);
    assert_eq!(listed.iter().filter(waiting).count() as u64, totals.pending + totals.failed, "{what}");
    assert_eq!(listed.iter().filter(|item| item.needs_person).count() as u64, totals.needs_person, "{what}");
    assert_eq!(field.next_due().needs_person, totals.needs_person > 0, "{what}");
}

fn every_call_works(field: &Field, what: &str) {
    let compass = &field.compass;
    for (call, result) in [
        ("endpoints", compass.endpoints().map(drop)),
        ("sessions", compass.sessions(&SessionFilter::default(), None, 10).map(drop)),
        ("totals", compass.totals().map(drop)),
        ("check", compass.check().map(drop)),
        ("secrets_changed", compass.secrets_changed()),
        ("put_endpoint", compass.put_endpoint(&signed(OFFICE, "https://other.example/hook"))),
        ("secrets_changed, where a secret is named", compass.secrets_changed()),
        ("put_endpoint once more", compass.put_endpoint(&endpoint(OFFICE, "https://other.example/hook"))),
        ("set_endpoint_enabled", compass.set_endpoint_enabled(OFFICE, false)),
        ("set_endpoint_enabled once more", compass.set_endpoint_enabled(OFFICE, true)),
        ("send_failed_again", compass.send_failed_again(None).map(drop)),
        ("purge", compass.purge(HOUR).map(drop)),
    ] {
        assert!(result.is_ok(), "{what}: {call}: {result:?}");
    }
}

#[test]
fn a_claim_of_a_dead_process_that_does_not_read_back_stops_itself_alone() {
    for damages in [
        "UPDATE outbox SET attempts = 5000000000 WHERE id = ROW",
        "UPDATE outbox SET attempts = -1 WHERE id = ROW",
        "UPDATE outbox SET session_id = 999 WHERE id = ROW",
        "DELETE FROM body WHERE sha256 = (SELECT body_sha256 FROM outbox WHERE id = ROW)",
        "UPDATE action SET status = 'waiting' WHERE id = (SELECT action_id FROM outbox WHERE id = ROW)",
        "UPDATE outbox SET lease_until = 9223372036854775807 WHERE id = ROW",
        "UPDATE outbox SET lease_until = -9223372036854775807 WHERE id = ROW",
        "UPDATE outbox SET lease_until = NULL WHERE id = ROW",
        "UPDATE outbox SET lease_owner = NULL WHERE id = ROW",
        "UPDATE outbox SET attempts = 0 WHERE id = ROW",
        "UPDATE outbox SET unknown_outcomes = 7 WHERE id = ROW",
        "UPDATE outbox SET sent_at = 5 WHERE id = ROW",
        "UPDATE outbox SET detail = 'redacted' WHERE id = ROW",
        "UPDATE outbox SET state = 'leasee' WHERE id = ROW",
    ] {
        stops_itself_alone(When::Claimed, damages);
    }
}

#[test]
fn a_message_with_damaged_attempts_names_or_references_is_listed_with_all_others() {
    for damages in [
        "UPDATE attempt SET number = -1 WHERE outbox_id = ROW",
        "UPDATE attempt SET status = 70000 WHERE outbox_id = ROW",
        "UPDATE attempt SET outcome = CAST(x'ff41' AS TEXT) WHERE outbox_id = ROW",
        "UPDATE action SET key = CAST(x'ff41' AS TEXT) WHERE id = (SELECT action_id FROM outbox WHERE id = ROW)",
        "UPDATE action SET name = CAST(x'ff41' AS TEXT) WHERE id = (SELECT action_id FROM outbox WHERE id = ROW)",
        "UPDATE session SET key = x'00' WHERE id = (SELECT session_id FROM outbox WHERE id = ROW)",
    ] {
        stops_itself_alone(When::Tried, damages);
    }
    for damages in [
        "UPDATE outbox SET action_id = 999 WHERE id = ROW",
        "UPDATE outbox SET session_id = 999 WHERE id = ROW",
        "UPDATE session SET workflow_id = 999 WHERE id = (SELECT session_id FROM outbox WHERE id = ROW)",
        "UPDATE outbox SET body_size = -1 WHERE id = ROW",
        "UPDATE outbox SET body_size = 9223372036854775807 WHERE id > 0",
        "UPDATE session SET actions_pending = -1 WHERE id = (SELECT session_id FROM outbox WHERE id = ROW)",
        "UPDATE session SET actions_failed = 9223372036854775807 WHERE id = (SELECT session_id FROM outbox WHERE id = ROW)",
    ] {
        stops_itself_alone(When::Waiting, damages);
    }
}

#[test]
fn a_message_that_cannot_be_claimed_stops_itself_alone() {
    for damages in [
        "UPDATE outbox SET unknown_outcomes = 5 WHERE id = ROW",
        "UPDATE outbox SET sent_at = 5 WHERE id = ROW",
        "UPDATE outbox SET lease_epoch = 9223372036854775807 WHERE id = ROW",
        "UPDATE outbox SET detail = 'redacted' WHERE id = ROW",
        "UPDATE outbox SET state = 'queuee' WHERE id = ROW",
        // Its bytes are lost as well, which is to be recorded in a session whose counts are wrong.
        "UPDATE session SET actions_failed = 7 WHERE id = (SELECT session_id FROM outbox WHERE id = ROW);
         UPDATE outbox SET body_sha256 = zeroblob(32) WHERE id = ROW",
        // Nor can they be made again, without the path of the session.
        "UPDATE visit SET superseded = 1 WHERE session_id = (SELECT session_id FROM outbox WHERE id = ROW);
         UPDATE body SET bytes = x'7b7d' WHERE sha256 = (SELECT body_sha256 FROM outbox WHERE id = ROW)",
    ] {
        stops_itself_alone(When::Waiting, damages);
    }
}

#[test]
fn a_state_that_is_no_word_is_shown_as_damaged_and_can_be_abandoned() {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    let bad = field.complete();
    damage(&field, &format!("UPDATE outbox SET state = 'queuee' WHERE id = {}", entry(&field, bad)));
    field.reopen();
    let report = field.flush();
    assert_eq!((report.attempts, report.pending), (0, 1));
    let listed = field.messages(&[DeliveryState::Pending]);
    assert_eq!((listed.len(), listed[0].delivery.reason.as_deref(), listed[0].needs_person), (1, Some("corrupt"), true));
    let totals = field.compass.outbox_totals().unwrap();
    assert_eq!((totals.pending, totals.failed, totals.needs_person), (1, 0, 1));
    assert!(field.next_due().needs_person);
    assert_eq!(field.compass.purge(Duration::ZERO).unwrap().purged, 0, "it is not known to be delivered");
    field.compass.abandon(bad, "tell-0", "anna", "handed in on paper", &id()).unwrap();
    assert_eq!(field.action(bad).reason.as_deref(), Some("abandoned"));
    assert!(!field.next_due().needs_person);
}

#[test]
fn a_size_that_no_message_has_hides_no_total() {
    let (field, ..) = office_and_lab();
    // Those of one endpoint are added up.
    field.complete();
    damage(&field, "UPDATE outbox SET body_size = 9223372036854775807");
    assert_eq!(field.compass.outbox_totals().unwrap().pending, 3);
    assert!(field.next_due().at.is_some());
    assert_eq!(field.compass.endpoints().unwrap().iter().map(|status| status.pending).sum::<u64>(), 3);
    assert_eq!(field.flush().sent, 3);
}

/// Two messages of the office failed for want of the right token; one of them is then damaged like this.
fn failed_for_auth(damages: &str) -> (Field, SessionKey, SessionKey) {
    let refuses = |request: &TransportRequest| Ok(answer(if request.url.starts_with(OFFICE_URL) { 401 } else { 202 }));
    let (field, _) = phone_with(refuses, |options| options.retry.slow_schedule = vec![SECOND]);
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    field.secrets.set(SECRET_NAME, SECRET);
    let (bad, good) = (field.complete(), field.complete());
    let row = entry(&field, bad);
    field.flush();
    field.clock.advance(2 * MINUTE);
    field.flush();
    let failed = [bad, good].map(|session| field.action(session).status);
    assert_eq!(failed, [ActionStatus::Failed; 2]);
    damage(&field, &damages.replace("ROW", &row.to_string()));
    (field, bad, good)
}

#[test]
fn a_failed_message_that_is_damaged_keeps_no_other_from_being_sent_again() {
    for damages in [
        "UPDATE session SET key = x'00' WHERE id = (SELECT session_id FROM outbox WHERE id = ROW)",
        "UPDATE session SET actions_failed = 7 WHERE id = (SELECT session_id FROM outbox WHERE id = ROW)",
        "UPDATE session SET workflow_id = 999 WHERE id = (SELECT session_id FROM outbox WHERE id = ROW)",
        "UPDATE session SET last_seq = 0 WHERE id = (SELECT session_id FROM outbox WHERE id = ROW)",
        "UPDATE visit SET superseded = 1 WHERE session_id = (SELECT session_id FROM outbox WHERE id = ROW)",
        "UPDATE action SET key = CAST(x'ff41' AS TEXT) WHERE id = (SELECT action_id FROM outbox WHERE id = ROW)",
        "UPDATE action SET status = 'failee' WHERE id = (SELECT action_id FROM outbox WHERE id = ROW)",
        "UPDATE outbox SET sent_at = 5 WHERE id = ROW",
        "UPDATE outbox SET detail = 'redacted' WHERE id = ROW",
        "UPDATE outbox SET revived = 9223372036854775807 WHERE id = ROW",
    ] {
        for call in ["send_failed_again", "put_endpoint", "secrets_changed"] {
            let (field, _, good) = failed_for_auth(damages);
            let done = match call {
                "send_failed_again" => field.compass.send_failed_again(None).map(drop),
                "put_endpoint" => field.compass.put_endpoint(&endpoint(OFFICE, "https://other.example/hook")),
                _ => field.compass.secrets_changed(),
            };
            assert!(done.is_ok(), "{call}, {damages}: {done:?}");
            assert_eq!(field.action(good).status, ActionStatus::Pending, "{call}, {damages}");
            shows_the_same_everywhere(&field, damages);
        }
    }
}

/// What one flipped bit of a row's header makes of a column: 0, 1 or nothing. Those that the schema does not let change in one or the other way.
#[test]
fn a_damaged_message_keeps_no_other_of_its_session_from_what_a_person_does() {
    let redacting = |pending| Redaction {
        command_id: id(),
        target: RedactionTarget::Field { key: "reading".into() },
        actor: "anna".into(),
        reason: "not ours to know".into(),
        pending,
        bodies: RedactBodies::Keep,
    };
    for damages in ["sent_at = 1", "sent_age = 0", "body_kept = 0"] {
        for act in ["abandon", "edit", "correct", "redact and abandon", "redact and correct"] {
            let (field, _) = phone(|_| Ok(answer(202)));
            let mut document: serde_json::Value = serde_json::from_slice(&workflow("three", &[OFFICE, OFFICE, OFFICE])).unwrap();
            for number in 0..3 {
                document["sections"][0]["actions"][number]["on_edit"] = if act == "edit" { "send" } else { "ask" }.into();
            }
            field.compass.import_workflow(&serde_json::to_vec(&document).unwrap()).unwrap();
            let session = complete(&field.compass, "three");
            damage(&field, &format!("UPDATE outbox SET {damages} WHERE id = (SELECT min(id) FROM outbox)"));
            let what = format!("{damages}, {act}");
            let change = support::app::set("reading", FieldValue::Text("18.5".into()));
            let edit = || field.compass.edit(session, Some("anna"), None, vec![change.clone()], vec![], &id()).unwrap();
            match act {
                "abandon" => drop(field.compass.abandon_session(session, "anna", "on paper", &id()).expect(&what)),
                "edit" => drop(edit()),
                "correct" => {
                    edit();
                    let correct = |action: &str| field.compass.send_corrected(session, action, Some("anna"), &id());
                    assert_eq!(correct("tell-0").unwrap_err().code(), "corrupt", "{what}");
                    assert_eq!(
                        field.compass.abandon(session, "tell-0", "anna", "on paper", &id()).unwrap_err().code(),
                        "corrupt",
                        "{what}"
                    );
                    correct("tell-1").expect(&what);
                    correct("tell-2").expect(&what);
                }
                "redact and abandon" => drop(field.compass.redact(session, &redacting(RedactPending::Abandon)).expect(&what)),
                _ => drop(field.compass.redact(session, &redacting(RedactPending::Correct)).expect(&what)),
            }
            field.flush();
            let actions = field.compass.record(session).unwrap().actions;
            assert_eq!((actions[0].status, actions[0].reason.as_deref()), (ActionStatus::Pending, Some("corrupt")), "{what}");
            assert!(field.next_due().needs_person, "{what}");
            assert_eq!(field.compass.delete(session).unwrap_err().code(), "undelivered", "{what}");
            let requests = field.transport.requests();
            let revisions: Vec<String> = requests.iter().map(|request| header(request, "compass-revision")).collect();
            if act.ends_with("abandon") {
                assert_eq!(revisions, [""; 0], "{what}");
                assert!(actions[1..].iter().all(|action| action.reason.as_deref() == Some("abandoned")), "{what}");
                let again = field.compass.abandon_session(session, "anna", "on paper", &id());
                assert_eq!(again.unwrap_err().code(), "corrupt", "{what}: only the damaged one is left");
            } else {
                assert_eq!(revisions, ["2", "2"], "{what}");
            }
            let not_sent = (act == "edit").then_some("corrupt");
            assert_eq!(field.action(session).edit_not_sent.as_deref(), not_sent, "{what}");
        }
    }
}
