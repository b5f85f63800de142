//! A copy takes the place of the database: what waits in it, or was claimed there, by what the replaced database knew of corrections and of
//! attempts elsewhere.

use std::path::PathBuf;

use super::*;

/// After a restore: the newest message waits for the attempt elsewhere, for this reason, and nothing leaves beside it.
fn waits(field: &mut Field, session: SessionKey, (other, running): (Compass, JoinHandle<FlushReport>), reason: &str) {
    let before = field.transport.requests().len();
    let waits = field.delivery(session).reason;
    let came = requests_of_a_flush(field, &field.compass, before + 1);
    field.transport.release();
    joined("the flush", running);
    other.close().unwrap();
    assert_eq!((came, waits.as_deref()), (before, Some(reason)));
    field.clock.advance(2 * MINUTE);
    field.flush();
    assert!(is_sent(&field.compass, session), "that attempt is over");
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

/// A message that was claimed when the copy was made, and failed then; an hour later.
fn copied_while_claimed() -> (Field, SessionKey, PathBuf) {
    let (field, receivers) = phone(|_| Ok(answer(503)));
    let session = field.complete();
    let running = field.flush_held(&field.compass, "", 1);
    let copy = back_up(&field, "copy.db");
    field.transport.release();
    joined("the flush", running);
    receivers.take();
    field.clock.advance(HOUR);
    (field, session, copy)
}

#[test]
fn what_was_claimed_when_the_copy_was_made_waits_for_what_is_in_flight_elsewhere() {
    let (mut field, session, copy) = copied_while_claimed();
    field.compass.close().unwrap();
    let other = field.other_process();
    let running = field.flush_held(&other, "", 2);
    put_back(&field, &copy);
    field.open_again();
    waits(&mut field, session, (other, running), "in_flight");
}

#[test]
fn what_was_claimed_when_the_copy_was_made_leaves_where_nothing_is_in_flight() {
    let (mut field, session, copy) = copied_while_claimed();
    put_back_and_open(&mut field, &copy);
    field.flush();
    assert!(is_sent(&field.compass, session));
}

#[test]
fn a_second_restore_knows_what_is_in_flight_elsewhere_too() {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.flush();
    let copy = back_up(&field, "copy.db");
    correct(&field.compass, session, "18.5");
    field.compass.close().unwrap();
    let other = field.other_process();
    let running = field.flush_held(&other, "", 2);
    put_back(&field, &copy);
    put_back(&field, &copy);
    field.open_again();
    correct(&field.compass, session, "19.5");
    waits(&mut field, session, (other, running), "earlier_revision");
}

#[test]
fn an_attempt_of_long_ago_hides_none_that_is_in_flight_elsewhere() {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    let session = field.compass.start(&Start::new("visit", id())).unwrap().view.key;
    field.compass.set_field(session, "reading", FieldValue::Text("17.5".into())).unwrap();
    let finish = |field: &Field| {
        let visit = field.compass.session(session).unwrap().visit;
        field.compass.complete(session, visit).unwrap();
    };
    let in_progress = back_up(&field, "in-progress.db");
    finish(&field);
    field.compass.close().unwrap();
    let other = field.other_process();
    let running = field.flush_held(&other, "", 1);
    put_back(&field, &in_progress);
    field.transport.release();
    joined("the flush", running);
    field.open_again();
    finish(&field);
    let completed = back_up(&field, "completed.db");
    field.clock.advance(2 * MINUTE);
    field.compass.close().unwrap();
    let running = field.flush_held(&other, "", 2);
    put_back(&field, &completed);
    field.open_again();
    waits(&mut field, session, (other, running), "in_flight");
}

#[test]
fn what_waits_in_the_copy_leaves_where_its_correction_never_did() {
    // The correction waits; or the receiver has refused it.
    for is_refused in [false, true] {
        let (mut field, receivers) = phone(|_| Ok(answer(422)));
        let session = field.complete();
        let copy = back_up(&field, "copy.db");
        correct(&field.compass, session, "18.5");
        if is_refused {
            field.flush();
        }
        receivers.take();
        put_back_and_open(&mut field, &copy);
        field.flush();
        assert_eq!((field.action(session).status, revisions(&field).pop().as_deref()), (ActionStatus::Sent, Some("1")), "{is_refused}");
        correct(&field.compass, session, "19.5");
        field.flush();
        assert_eq!(revisions(&field).pop().as_deref(), Some("3"), "receivers may know the second: {is_refused}");
        assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
    }
}

#[test]
fn what_waits_in_the_copy_does_not_leave_where_its_correction_may_have_arrived() {
    for is_lost in [false, true] {
        let (mut field, receivers) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        let copy = back_up(&field, "copy.db");
        correct(&field.compass, session, "18.5");
        if is_lost {
            receivers.now(|_| Err(failure(FailureKind::Timeout, Phase::Receive, RequestSent::Maybe)));
        }
        field.flush();
        receivers.take();
        put_back_and_open(&mut field, &copy);
        field.flush();
        assert_eq!((revisions(&field), field.action(session).reason.as_deref()), (vec!["2".to_owned()], Some("abandoned")), "{is_lost}");
    }
}

#[test]
fn what_a_redaction_replaced_does_not_leave_from_a_copy() {
    let mut field = phone_that_sends_edits();
    let session = field.complete();
    let copy = back_up(&field, "copy.db");
    let redaction = Redaction {
        target: RedactionTarget::Field { key: "reading".into() },
        actor: "anna".into(),
        reason: "asked for".into(),
        pending: RedactPending::Correct,
        bodies: RedactBodies::Keep,
        command_id: id(),
    };
    field.compass.redact(session, &redaction).unwrap();
    assert_eq!(field.delivery(session).revision, 2, "without the value, and it never leaves");
    put_back_and_open(&mut field, &copy);
    // Nor by an edit, which would bring it back.
    field
        .compass
        .edit(session, Some("anna"), None, vec![support::app::set("reading", FieldValue::Text("17.6".into()))], vec![], &id())
        .unwrap();
    field.flush();
    assert_eq!((revisions(&field).len(), field.action(session).edit_not_sent.as_deref()), (0, Some("abandoned")));
}

#[test]
fn an_edit_does_not_send_after_a_restore_what_a_person_abandoned() {
    let mut field = phone_that_sends_edits();
    let session = field.complete();
    let copy = back_up(&field, "copy.db");
    // The person abandons the correction, and with it the message that it has replaced.
    edit(&field.compass, session, "18.5");
    abandon_first(&field, session);
    // Twice: the restored file keeps what it was told.
    put_back_and_open(&mut field, &copy);
    put_back_and_open(&mut field, &copy);
    edit(&field.compass, session, "19.5");
    field.flush();
    assert_eq!((revisions(&field).len(), field.action(session).edit_not_sent.as_deref()), (0, Some("abandoned")));
    field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap();
    field.flush();
    assert_eq!(revisions(&field), ["3"], "only a person sends it");
}

#[test]
fn what_a_person_abandoned_before_its_correction_does_not_leave_from_a_copy() {
    let mut field = phone_that_sends_edits();
    let session = field.complete();
    let copy = back_up(&field, "copy.db");
    abandon_first(&field, session);
    // Its correction never leaves.
    correct(&field.compass, session, "18.5");
    put_back_and_open(&mut field, &copy);
    field.flush();
    assert_eq!((revisions(&field).len(), field.action(session).reason.as_deref()), (0, Some("abandoned")));
    edit(&field.compass, session, "19.5");
    field.flush();
    assert_eq!((revisions(&field).len(), field.action(session).edit_not_sent.as_deref()), (0, Some("abandoned")), "only a person sends it");
    field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap();
    field.flush();
    assert_eq!(revisions(&field), ["3"]);
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn an_edit_sends_after_a_restore_what_a_person_abandoned_and_then_corrected() {
    let mut field = phone_that_sends_edits();
    let session = field.complete();
    let copy = back_up(&field, "copy.db");
    abandon_first(&field, session);
    correct(&field.compass, session, "18.5");
    field.flush();
    put_back_and_open(&mut field, &copy);
    field.flush();
    assert_eq!(revisions(&field), ["2"], "it has the newer values");
    edit(&field.compass, session, "19.5");
    field.flush();
    assert_eq!(revisions(&field), ["2", "3"]);
}

#[test]
fn a_copy_that_is_restored_twice_sends_no_older_values() {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    let copy = back_up(&field, "copy.db");
    correct(&field.compass, session, "18.5");
    field.flush();
    put_back_and_open(&mut field, &copy);
    // The restored file has no row of the second revision, which was delivered.
    correct(&field.compass, session, "19.5");
    put_back_and_open(&mut field, &copy);
    field.flush();
    assert_eq!((revisions(&field), field.action(session).reason.as_deref()), (vec!["2".to_owned()], Some("abandoned")));
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

/// A session of which a copy was made, and which was then delivered, corrected twice, and deleted or purged.
fn deleted_since_the_copy(copied: &str, is_purged: bool) -> (Field, SessionKey, PathBuf, DeliveryId) {
    let (field, _) = phone(|_| Ok(answer(202)));
    field.compass.set_integration_enabled(copied != "not fired").unwrap();
    let view = field.compass.start(&Start::new("visit", id())).unwrap().view;
    field.compass.set_field(view.key, "reading", FieldValue::Text("17.5".into())).unwrap();
    let in_progress = back_up(&field, "in progress.db");
    field.compass.complete(view.key, view.visit).unwrap();
    let waits = back_up(&field, "waits.db");
    std::fs::copy(&waits, field.folder.path().join("not fired.db")).unwrap();
    field.compass.set_integration_enabled(true).unwrap();
    if copied == "not fired" {
        send_first(&field, view.key);
    }
    field.flush();
    let first = field.delivery(view.key).id;
    back_up(&field, "sent.db");
    for reading in ["18.5", "19.5"] {
        correct(&field.compass, view.key, reading);
        field.flush();
    }
    field.clock.advance(HOUR);
    if is_purged {
        field.compass.purge_all_before(field.now(), "anna").unwrap();
    } else {
        field.compass.delete(view.key).unwrap();
    }
    let copy = in_progress.with_file_name(format!("{copied}.db"));
    (field, view.key, copy, first)
}

#[test]
fn what_receivers_have_of_a_session_that_was_deleted_is_known_after_a_restore() {
    for (copied, is_purged) in [("in progress", false), ("not fired", false), ("waits", false), ("waits", true), ("sent", true)] {
        let (mut field, session, copy, first) = deleted_since_the_copy(copied, is_purged);
        // Twice: the restored file keeps what it was told.
        put_back_and_open(&mut field, &copy);
        put_back_and_open(&mut field, &copy);
        field.compass.set_integration_enabled(true).unwrap();
        let numbers_before = field.transport.requests().iter().map(|request| header(request, "compass-sequence")).collect::<BTreeSet<_>>();
        let replaces = match copied {
            "in progress" => {
                let visit = field.compass.session(session).unwrap().visit;
                field.compass.complete(session, visit).unwrap();
                ""
            }
            "not fired" => {
                edit(&field.compass, session, "20.5");
                send_first(&field, session);
                ""
            }
            _ => {
                let delivery = field.delivery(session);
                let is_known = delivery.may_have_been_delivered || delivery.state == DeliveryState::Sent;
                assert!(is_known, "{copied}: {delivery:?}");
                correct(&field.compass, session, "20.5");
                first.0.as_str()
            }
        };
        field.flush();
        let requests = field.transport.requests();
        let last = requests.last().unwrap();
        assert_eq!((header(last, "compass-revision").as_str(), header(last, "compass-replaces").as_str()), ("4", replaces), "{copied}");
        assert_eq!(BTreeSet::from([header(last, "compass-sequence")]), numbers_before, "{copied}");
        assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
    }
}

#[test]
fn what_never_left_and_was_deleted_does_not_show_that_it_was_delivered() {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    let copy = back_up(&field, "copy.db");
    abandon_first(&field, session);
    field.compass.delete(session).unwrap();
    put_back_and_open(&mut field, &copy);
    let delivery = field.delivery(session);
    assert_eq!((delivery.reason.as_deref(), delivery.may_have_been_delivered, delivery.attempts), (Some("abandoned"), false, 0));
}

#[test]
fn the_values_of_a_copy_are_sent_without_an_edit_where_receivers_may_have_newer_ones() {
    // In the copy the message was delivered; or it waits, and was replaced since, or delivered and then corrected.
    for (is_sent, is_delivered) in [(true, true), (false, false), (false, true)] {
        let (mut field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        let waits = back_up(&field, "waits.db");
        if is_delivered {
            field.flush();
        }
        let sent = back_up(&field, "sent.db");
        let copy = if is_sent { sent } else { waits };
        correct(&field.compass, session, "18.5");
        field.flush();
        put_back_and_open(&mut field, &copy);
        let action = field.action(session);
        let status = if is_sent { ActionStatus::Sent } else { ActionStatus::Failed };
        assert_eq!((action.status, action.can_send, action.can_send_corrected), (status, false, true));
        // It would leave as a revision that receivers ignore.
        assert_eq!(field.compass.send(session, "tell-0", Some("anna"), &id()).unwrap_err().code(), "action_status");
        field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap();
        field.flush();
        assert_eq!(revisions(&field).split_off(usize::from(is_delivered)), ["2", "3"], "sent: {is_sent}");
        let body = field.transport.requests().pop().unwrap().body;
        assert!(String::from_utf8_lossy(&body).contains("17.5"), "sent: {is_sent}");
        let action = field.action(session);
        assert_eq!((action.status, action.can_send_corrected), (ActionStatus::Sent, false));
        assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
    }
}
