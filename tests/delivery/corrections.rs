//! Corrections: what was edited after completion is sent as a new revision, whatever became of the earlier ones.

use super::*;

fn redaction(pending: RedactPending) -> Redaction {
    Redaction {
        command_id: id(),
        target: RedactionTarget::Field { key: "reading".into() },
        actor: "anna".into(),
        reason: "not ours to know".into(),
        pending,
        bodies: RedactBodies::Keep,
    }
}

/// Revision and reading of each request that came, in order.
fn came(field: &Field) -> Vec<(String, String)> {
    let reading =
        |body: &[u8]| serde_json::from_slice::<serde_json::Value>(body).unwrap()["fields"][0]["value"].as_str().unwrap().to_owned();
    field.transport.requests().iter().map(|request| (header(request, "compass-revision"), reading(&request.body))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(revision, reading)| ((*revision).to_owned(), (*reading).to_owned())).collect()
}

/// Revisions of the action with their states, newest first.
fn revisions(field: &Field, session: SessionKey) -> Vec<(u32, DeliveryState)> {
    field.action(session).deliveries.iter().map(|delivery| (delivery.revision, delivery.state)).collect()
}

#[test]
fn a_correction_takes_the_place_of_a_message_that_waits() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    correct(&field.compass, session, "18.5");
    assert_eq!(revisions(&field, session), [(2, DeliveryState::Pending), (1, DeliveryState::Superseded)]);
    field.flush();
    assert_eq!(came(&field), pairs(&[("2", "18.5")]), "the older one does not leave");
    assert_eq!(header(&field.transport.requests()[0], "compass-replaces"), "", "nobody has it");
    assert_eq!(field.action(session).status, ActionStatus::Sent);
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn a_correction_follows_a_message_that_was_sent_and_names_it() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.flush();
    assert!(!field.action(session).differs_from_sent && !field.action(session).can_send_corrected);
    edit(&field.compass, session, "18.5");
    let action = field.action(session);
    assert!(action.differs_from_sent && action.can_send_corrected, "the office has an older version");
    let listed = || field.compass.sessions(&SessionFilter::default(), None, 10).unwrap().sessions[0].actions_differing;
    assert_eq!(listed(), 1);
    field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap();
    let action = field.action(session);
    assert_eq!((action.differs_from_sent, action.status, action.delivered_revision), (false, ActionStatus::Pending, Some(1)));
    assert_eq!(listed(), 0);
    field.flush();
    assert_eq!(came(&field), pairs(&[("1", "17.5"), ("2", "18.5")]));
    let requests = field.transport.requests();
    assert_eq!(header(&requests[1], "compass-replaces"), header(&requests[0], "webhook-id"));
    assert_ne!(header(&requests[1], "webhook-id"), header(&requests[0], "webhook-id"));
    assert_eq!(revisions(&field, session), [(2, DeliveryState::Sent), (1, DeliveryState::Sent)]);
    assert_eq!(field.action(session).delivered_revision, Some(2));
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn what_was_edited_and_is_as_it_was_sent_is_no_correction() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.flush();
    let refused = field.compass.send_corrected(session, "tell-0", None, &id()).unwrap_err();
    assert_eq!(refused.code(), "nothing_corrected");
}

#[test]
fn several_corrections_in_a_row_name_all_that_may_have_arrived() {
    let (field, receivers) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.flush();
    // The second one may have arrived: no answer came.
    receivers.now(|_| Err(failure(FailureKind::Timeout, Phase::Receive, RequestSent::Maybe)));
    correct(&field.compass, session, "18.5");
    field.flush();
    receivers.take();
    correct(&field.compass, session, "19.5");
    correct(&field.compass, session, "20.5");
    field.clock.advance(HOUR);
    field.flush();
    let requests = field.transport.requests();
    let ids: Vec<String> = requests.iter().map(|request| header(request, "webhook-id")).collect();
    assert_eq!(came(&field), pairs(&[("1", "17.5"), ("2", "18.5"), ("4", "20.5")]), "the third one never began");
    assert_eq!(header(&requests[2], "compass-replaces"), format!("{}, {}", ids[1], ids[0]));
}

#[test]
fn a_correction_names_no_more_than_the_last_32_that_it_replaces() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.flush();
    for number in 0..34 {
        correct(&field.compass, session, &format!("18.{number}"));
        field.flush();
    }
    let requests = field.transport.requests();
    let ids: Vec<String> = requests.iter().map(|request| header(request, "webhook-id")).collect();
    assert_eq!(ids.len(), 35);
    let newest_first: Vec<&str> = ids[2..34].iter().rev().map(String::as_str).collect();
    assert_eq!(header(&requests[34], "compass-replaces"), newest_first.join(", "));
}

#[test]
fn a_correction_waits_for_an_attempt_of_the_earlier_revision_here_and_in_another_process() {
    for elsewhere in [false, true] {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        let other = field.other_process();
        let person = if elsewhere { &other } else { &field.compass };
        let running = field.flush_held(&field.compass, "", 1);
        correct(person, session, "18.5");
        // Another process does not begin it either.
        assert_eq!(flush(&other).attempts, 0, "elsewhere: {elsewhere}");
        let waiting = other.record(session).unwrap().actions[0].deliveries[0].clone();
        assert_eq!((waiting.revision, waiting.reason.as_deref()), (2, Some("earlier_revision")));
        assert_eq!(field.transport.requests().len(), 1);
        field.transport.release();
        joined("the flush", running);
        flush(&other);
        assert_eq!(came(&field), pairs(&[("1", "17.5"), ("2", "18.5")]), "elsewhere: {elsewhere}");
        let replaced = header(&field.transport.requests()[1], "compass-replaces");
        assert_eq!(replaced, header(&field.transport.requests()[0], "webhook-id"));
        assert_eq!(revisions(&field, session), [(2, DeliveryState::Sent), (1, DeliveryState::Sent)], "a late 2xx makes it sent");
        other.close().unwrap();
    }
}

#[test]
fn a_correction_waits_no_longer_than_the_lease_of_a_process_that_died() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    let other = field.other_process();
    let running = field.flush_held(&field.compass, "", 1);
    correct(&other, session, "18.5");
    assert_eq!(other.next_due().unwrap().at.map(|at| at - field.now()), Some(chrono::TimeDelta::seconds(60)));
    field.clock.set_wall(field.now() + chrono::TimeDelta::seconds(61));
    let second = flushing(&other);
    field.transport.wait_for_requests(2);
    field.transport.release();
    joined("the flush", running);
    joined("the second flush", second);
    assert_eq!(came(&field), pairs(&[("1", "17.5"), ("2", "18.5")]));
    other.close().unwrap();
}

#[test]
fn a_claim_that_was_corrected_before_it_began_does_not_leave() {
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let (field, _) = phone_with(|_| Ok(answer(202)), |options| options.secrets = secrets_store.clone());
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    let session = field.complete();
    secrets_store.gate.close();
    let running = flushing(&field.compass);
    secrets_store.gate.wait_for(1);
    correct(&field.compass, session, "18.5");
    secrets_store.gate.open();
    joined("the flush", running);
    field.flush();
    assert_eq!(came(&field), pairs(&[("2", "18.5")]));
    assert_eq!(field.action(session).deliveries[1].attempts, 0, "nothing of it began");
    assert_eq!(header(&field.transport.requests()[0], "compass-replaces"), "");
}

#[test]
fn a_value_that_is_taken_back_is_a_correction_too() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.flush();
    // The clock stands still: the bytes are those of the first revision again.
    for reading in ["18.5", "17.5"] {
        correct(&field.compass, session, reading);
        field.flush();
    }
    assert_eq!(came(&field), pairs(&[("1", "17.5"), ("2", "18.5"), ("3", "17.5")]));
    let ids: std::collections::BTreeSet<String> = field.transport.requests().iter().map(|request| header(request, "webhook-id")).collect();
    assert_eq!(ids.len(), 3, "the same bytes have another id");
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn a_correction_of_a_copy_leaves_under_the_same_id() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.flush();
    correct(&field.compass, session, "18.5");
    let copy = field.folder.path().join("copy.db");
    field.compass.backup(&copy).unwrap();
    field.flush();
    let mut options = field.options.clone();
    options.path = copy;
    let restored = Compass::open(options).unwrap();
    flush(&restored);
    let requests = field.transport.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(header(&requests[1], "webhook-id"), header(&requests[2], "webhook-id"));
}

/// Imports a workflow whose edits are sent by themselves.
fn sends_edits(field: &Field) {
    let mut document: serde_json::Value = serde_json::from_slice(&workflow("sends-edits", &[OFFICE])).unwrap();
    document["sections"][0]["actions"][0]["on_edit"] = "send".into();
    field.compass.import_workflow(&serde_json::to_vec(&document).unwrap()).unwrap();
}

/// A phone with a session of that workflow.
fn phone_that_sends_edits(options: impl FnOnce(&mut Options)) -> (Field, SessionKey, Receivers) {
    let (field, receivers) = phone_with(|_| Ok(answer(202)), options);
    sends_edits(&field);
    let session = complete(&field.compass, "sends-edits");
    (field, session, receivers)
}

#[test]
fn an_edit_sends_its_correction_where_the_document_says_so() {
    let (field, session, _) = phone_that_sends_edits(|_| {});
    field.flush();
    let command = id();
    let change = support::app::set("reading", FieldValue::Text("18.5".into()));
    for _ in 0..2 {
        let action =
            field.compass.edit(session, Some("anna"), None, vec![change.clone()], vec![], &command).unwrap().record.actions.remove(0);
        assert_eq!((action.status, action.deliveries.len(), action.differs_from_sent), (ActionStatus::Pending, 2, false));
    }
    field.flush();
    assert_eq!(came(&field), pairs(&[("1", "17.5"), ("2", "18.5")]));
    // A note is not sent, so an edit of it sends nothing.
    field.clock.advance(MINUTE);
    field.compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
    assert_eq!(field.action(session).deliveries.len(), 2, "nothing was changed");
}

#[test]
fn an_edit_stands_and_the_record_says_why_where_its_correction_is_not_sent() {
    let (field, session, receivers) = phone_that_sends_edits(|options| options.retry.max_failed_sends = 0);
    receivers.now(|_| Ok(answer(400)));
    field.flush();
    assert!(field.action(session).locked);
    edit(&field.compass, session, "18.5");
    let action = field.action(session);
    assert_eq!((action.deliveries.len(), action.edit_not_sent.as_deref()), (1, Some("action_locked")));
    let value = field.compass.record(session).unwrap().fields[0].state.clone();
    assert_eq!(value, FieldState::Provided(FieldValue::Text("18.5".into())));
}

#[test]
fn an_edit_does_not_send_what_a_person_abandoned() {
    let (field, session, _) = phone_that_sends_edits(|_| {});
    field.compass.abandon(session, "tell-0", "anna", "told by telephone", &id()).unwrap();
    edit(&field.compass, session, "18.5");
    let action = field.action(session);
    assert_eq!((action.status, action.edit_not_sent.as_deref()), (ActionStatus::Failed, Some("abandoned")));
    assert!(action.differs_from_sent && action.can_send_corrected, "a person can");
    field.flush();
    assert_eq!(field.transport.requests().len(), 0);
    field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap();
    edit(&field.compass, session, "19.5");
    assert_eq!(field.action(session).edit_not_sent, None);
    field.flush();
    assert_eq!(came(&field), pairs(&[("3", "19.5")]), "once a person has sent it, edits do too");
}

#[test]
fn the_reason_of_an_edit_stays_in_the_record() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    let change = support::app::set("reading", FieldValue::Text("18.5".into()));
    let edit = |reason| field.compass.edit(session, Some("anna"), Some(reason), vec![change.clone()], vec![], &id());
    assert_eq!(edit(" ").unwrap_err().code(), "blank");
    let record = edit("read the wrong dial").unwrap().record;
    let TimelineEntry::Edited { reason, .. } = &record.timeline.last().unwrap().entry else { panic!("an edit") };
    assert_eq!(reason.as_deref(), Some("read the wrong dial"));
}

/// Another process, whose requests are held until its own transport is released.
fn another_process(field: &Field, status: u16) -> (Compass, Arc<ScriptedTransport>) {
    let transport = ScriptedTransport::always(status);
    transport.hold("");
    let options = field.options.clone().as_other_process().transport(transport.clone());
    (Compass::open(options).unwrap(), transport)
}

fn a_lease_goes_by(field: &Field) {
    field.clock.set_wall(field.now() + chrono::TimeDelta::seconds(61));
}

fn newest_waits_for_an_earlier_one(field: &Field, session: SessionKey) -> bool {
    let newest = &field.action(session).deliveries[0];
    (newest.state, newest.reason.as_deref()) == (DeliveryState::Pending, Some("earlier_revision"))
}

#[test]
fn the_end_of_an_old_attempt_lets_no_correction_go_beside_a_newer_one() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    let (other, others) = another_process(&field, 202);
    let old = field.flush_held(&field.compass, "", 1);
    a_lease_goes_by(&field);
    correct(&other, session, "18.5");
    let newer = flushing(&other);
    others.wait_for_requests(1);
    correct(&other, session, "19.5");
    field.transport.release();
    joined("the old attempt", old);
    assert!(newest_waits_for_an_earlier_one(&field, session), "the second revision is in flight");
    assert_eq!(flush(&field.compass).attempts, 0);
    others.release();
    joined("the newer attempt", newer);
    field.flush();
    assert_eq!(revisions(&field, session), [(3, DeliveryState::Sent), (2, DeliveryState::Sent), (1, DeliveryState::Sent)]);
    other.close().unwrap();
}

#[test]
fn a_late_2xx_lets_no_correction_go_beside_the_attempt_that_came_after_it() {
    for is_corrected_before in [true, false] {
        for answered in [202, 500] {
            let (field, _) = phone(|_| Ok(answer(202)));
            let session = field.complete();
            let (other, others) = another_process(&field, answered);
            let old = field.flush_held(&field.compass, "", 1);
            a_lease_goes_by(&field);
            let newer = flushing(&other);
            others.wait_for_requests(1);
            if is_corrected_before {
                correct(&other, session, "18.5");
            }
            field.transport.release();
            joined("the old attempt", old);
            if !is_corrected_before {
                correct(&other, session, "18.5");
            }
            let case = format!("corrected before the 2xx: {is_corrected_before}, then {answered}");
            assert_eq!(field.action(session).deliveries[1].state, DeliveryState::Sent, "{case}");
            assert!(newest_waits_for_an_earlier_one(&field, session), "{case}");
            assert_eq!(flush(&field.compass).attempts, 0, "{case}");
            others.release();
            joined("the newer attempt", newer);
            assert!(!newest_waits_for_an_earlier_one(&field, session), "{case}");
            field.clock.advance(HOUR);
            field.flush();
            assert_eq!(revisions(&field, session), [(2, DeliveryState::Sent), (1, DeliveryState::Sent)], "{case}");
            assert_eq!(field.compass.check().unwrap().faults, [""; 0], "{case}");
            other.close().unwrap();
        }
    }
}

#[test]
fn a_claim_that_a_late_2xx_has_made_needless_holds_no_correction_up() {
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    let mut options = field.options.clone().as_other_process();
    options.secrets = secrets_store.clone();
    let other = Compass::open(options).unwrap();
    let old = field.flush_held(&field.compass, "", 1);
    a_lease_goes_by(&field);
    other.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    secrets_store.gate.close();
    let newer = flushing(&other);
    secrets_store.gate.wait_for(1);
    field.transport.release();
    joined("the old attempt", old);
    correct(&other, session, "18.5");
    secrets_store.gate.open();
    joined("the newer claim", newer);
    flush(&other);
    assert_eq!(came(&field), pairs(&[("1", "17.5"), ("2", "18.5")]));
    assert_eq!(field.action(session).deliveries[1].attempts, 2, "what is sent does not change");
    other.close().unwrap();
}

#[test]
fn a_correction_waits_for_an_attempt_of_the_earlier_revision_whatever_the_clock_is_set_to() {
    for (by, is_redacted) in
        [(TimeDelta::zero(), false), (TimeDelta::seconds(61), false), (TimeDelta::hours(-1), false), (TimeDelta::seconds(61), true)]
    {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        field.transport.hold("");
        let never = CancelToken::new();
        let mut flush = field.compass.flush_steps(MINUTE, &never, false).unwrap();
        steps_until_wait(&mut flush);
        field.transport.wait_for_requests(1);
        if is_redacted {
            field.compass.redact(session, &redaction(RedactPending::Correct)).unwrap();
        } else {
            correct(&field.compass, session, "18.5");
        }
        field.clock.jump_wall(by);
        field.clock.advance(3 * SECOND);
        steps_until_wait(&mut flush);
        let claimed: i64 = sql(&field).query_row("SELECT count(*) FROM outbox WHERE state = 'leased'", [], |row| row.get(0)).unwrap();
        let shown = field.action(session).deliveries[0].reason.clone();
        field.transport.release();
        eventually("it ends", || steps_until_wait(&mut flush).is_none());
        assert_eq!(claimed, 0, "the first one is in flight; clock set by {by}");
        assert_eq!(shown.as_deref(), Some("earlier_revision"), "clock set by {by}");
        assert_eq!(revisions(&field, session), [(2, DeliveryState::Sent), (1, DeliveryState::Sent)], "clock set by {by}");
    }
}

#[test]
fn abandoning_a_correction_of_a_claim_that_had_not_begun_is_not_in_flight() {
    for is_redacted in [false, true] {
        let secrets_store = SlowSecrets::new();
        secrets_store.set(SECRET_NAME, SECRET);
        let (field, _) = phone_with(|_| Ok(answer(202)), |options| options.secrets = secrets_store.clone());
        field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
        let session = field.complete();
        secrets_store.gate.close();
        let running = flushing(&field.compass);
        secrets_store.gate.wait_for(1);
        correct(&field.compass, session, "18.5");
        let in_flight = if is_redacted {
            field.compass.redact(session, &redaction(RedactPending::Abandon)).unwrap().in_flight
        } else {
            abandon_first(&field, session).in_flight
        };
        secrets_store.gate.open();
        joined("the flush", running);
        assert_eq!((in_flight, field.transport.requests().len()), (false, 0), "redacted: {is_redacted}");
    }
}

#[test]
fn abandoning_a_correction_says_that_the_earlier_revision_is_in_flight() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    let running = field.flush_held(&field.compass, "", 1);
    correct(&field.compass, session, "18.5");
    let abandons = || field.compass.abandon(session, "tell-0", "anna", "on paper", "given-up").unwrap();
    assert!(abandons().in_flight);
    assert!(abandons().in_flight, "also when it is repeated");
    field.transport.release();
    joined("the flush", running);
    field.flush();
    assert_eq!(revisions(&field, session), [(2, DeliveryState::Failed), (1, DeliveryState::Sent)]);
    send_first(&field, session);
    field.flush();
    let requests = field.transport.requests();
    assert_eq!(header(&requests[1], "compass-replaces"), header(&requests[0], "webhook-id"));
}

/// Completes a session and edits it in the same call.
fn complete_and_edit(field: &Field, workflow: &str) -> SessionKey {
    let view = field.compass.start(&Start::new(workflow, id())).unwrap().view;
    field.compass.set_field(view.key, "reading", FieldValue::Text("17.5".into())).unwrap();
    let change = support::app::set("reading", FieldValue::Text("18.5".into()));
    let edit = Command::Edit { command_id: id(), fields: vec![change], notes: vec![], reason: None };
    let commands = [Command::Complete { visit: view.visit }, edit];
    field.compass.run(view.key, Some("anna"), &commands, Some(&id())).unwrap();
    view.key
}

#[test]
fn an_edit_in_the_call_that_completes_differs_and_can_be_sent() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = complete_and_edit(&field, "visit");
    let (action, listed) = (field.action(session), field.compass.sessions(&SessionFilter::default(), None, 10).unwrap());
    assert_eq!((action.differs_from_sent, action.can_send_corrected, listed.sessions[0].actions_differing), (true, true, 1));
    field.flush();
    field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap();
    field.flush();
    assert_eq!(came(&field), pairs(&[("1", "17.5"), ("2", "18.5")]));
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn an_edit_in_the_call_that_completes_is_sent_where_the_document_says_so() {
    let (field, _) = phone(|_| Ok(answer(202)));
    sends_edits(&field);
    let session = complete_and_edit(&field, "sends-edits");
    assert_eq!(revisions(&field, session), [(2, DeliveryState::Pending), (1, DeliveryState::Superseded)]);
    field.flush();
    assert_eq!(came(&field), pairs(&[("2", "18.5")]));
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn the_record_keeps_why_an_edit_was_not_sent_until_another_one_is() {
    let (mut field, session, receivers) = phone_that_sends_edits(|options| options.retry.max_failed_sends = 0);
    receivers.now(|_| Ok(answer(400)));
    field.flush();
    edit(&field.compass, session, "18.5");
    field.options.retry.max_failed_sends = 3;
    field.reopen();
    let action = field.action(session);
    assert_eq!((action.edit_not_sent.as_deref(), action.can_send_corrected), (Some("action_locked"), true), "nothing is too large");
    edit(&field.compass, session, "17.5");
    assert_eq!(field.action(session).edit_not_sent, None, "it says again what was frozen");
    edit(&field.compass, session, "19.5");
    let action = field.action(session);
    assert_eq!((action.edit_not_sent, action.deliveries.len()), (None, 2));
}

#[test]
fn a_note_sends_no_edit_that_was_not_sent() {
    let (mut field, session, receivers) = phone_that_sends_edits(|options| options.retry.max_failed_sends = 0);
    receivers.now(|_| Ok(answer(400)));
    field.flush();
    edit(&field.compass, session, "18.5");
    field.options.retry.max_failed_sends = 3;
    field.reopen();
    field.compass.note(session, "it was the other dial", &id()).unwrap();
    assert_eq!(field.action(session).deliveries.len(), 1);
}

#[test]
fn a_damaged_message_is_sent_corrected_with_the_same_values() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    let row = entry(&field, session);
    damage(&field, &format!("UPDATE outbox SET delivery_id = 'msg_a' || substr(delivery_id, 6) WHERE id = {row}"));
    field.flush();
    let action = field.action(session);
    assert_eq!((action.reason.as_deref(), action.can_send), (Some("corrupt"), false));
    assert_eq!((action.can_send_corrected, action.differs_from_sent), (true, false));
    field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap();
    field.flush();
    assert_eq!(came(&field), pairs(&[("2", "17.5")]));
    assert_eq!(field.action(session).status, ActionStatus::Sent);
    let refused = field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap_err();
    assert_eq!(refused.code(), "nothing_corrected");
}

#[test]
fn a_correction_waits_for_a_replay_of_the_earlier_revision_that_may_be_in_flight() {
    // In another process, or a detached one of this process.
    for is_elsewhere in [true, false] {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        field.flush();
        field.compass.replay(session, "tell-0", Some("anna"), &id()).unwrap();
        let (other, others) = another_process(&field, 202);
        let running = is_elsewhere.then(|| flushing(&other));
        if is_elsewhere {
            others.wait_for_requests(1);
        } else {
            flush_with_detached(&field, 2);
        }
        let before = field.transport.requests().len();
        correct(&field.compass, session, "18.5");
        assert!(newest_waits_for_an_earlier_one(&field, session), "elsewhere: {is_elsewhere}");
        assert_eq!(requests_of_a_flush(&field, &field.compass, before + 1), before, "elsewhere: {is_elsewhere}");
        others.release();
        field.transport.release();
        if let Some(running) = running {
            joined("the replay", running);
        }
        // It waits no longer than the replay takes.
        eventually("the correction is delivered", || {
            field.flush();
            revisions(&field, session)[0] == (2, DeliveryState::Sent)
        });
        assert_eq!(field.action(session).replays[0].state, DeliveryState::Sent, "elsewhere: {is_elsewhere}");
        assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
        other.close().unwrap();
    }
}
