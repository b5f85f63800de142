//! A copy takes the place of a database that knows more of its sessions than the copy: that one was deleted, or that a higher revision was
//! delivered.

use compass_core::RestoreOptions;

use super::*;

/// Revision and values of each request that came, in order.
fn came(field: &Field) -> Vec<String> {
    let values = |body: &[u8]| -> Vec<String> {
        let body: serde_json::Value = serde_json::from_slice(body).unwrap();
        body["fields"].as_array().unwrap().iter().map(|field| field["value"].as_str().unwrap().to_owned()).collect()
    };
    field.transport.requests().iter().map(|r| format!("r{} {}", header(r, "compass-revision"), values(&r.body).join(","))).collect()
}

fn in_progress(field: &Field) -> SessionKey {
    let view = field.compass.start(&Start::new("visit", id())).unwrap().view;
    field.compass.set_field(view.key, "reading", FieldValue::Text("17.5".into())).unwrap();
    view.key
}

fn finish(field: &Field, session: SessionKey) {
    field.compass.complete(session, field.compass.session(session).unwrap().visit).unwrap();
}

#[test]
fn an_edit_sends_nothing_that_was_abandoned_or_redacted_and_then_deleted() {
    let mut left = Vec::new();
    for how in ["abandoned", "redacted", "redacted, and its correction abandoned"] {
        for gone in ["", "deleted", "purged"] {
            let mut field = phone_that_sends_edits();
            let session = field.complete();
            let copy = back_up(&field, "copy.db");
            match how {
                "abandoned" => drop(abandon_first(&field, session)),
                "redacted" => drop(field.compass.redact(session, &redaction_of_reading(RedactPending::Abandon)).unwrap()),
                _ => {
                    field.compass.redact(session, &redaction_of_reading(RedactPending::Correct)).unwrap();
                    abandon_first(&field, session);
                }
            }
            field.clock.advance(HOUR);
            match gone {
                "deleted" => drop(field.compass.delete(session).unwrap()),
                "purged" => drop(field.compass.purge_all_before(field.now(), "anna").unwrap()),
                _ => {}
            }
            put_back_and_open(&mut field, &copy);
            let change = support::app::set("other", FieldValue::Text("x".into()));
            field.compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
            field.flush();
            if !came(&field).is_empty() {
                left.push(format!("{how}, {gone}: {:?}", came(&field)));
            }
        }
    }
    assert_eq!(left, [""; 0]);
}

#[test]
fn what_waits_in_a_copy_does_not_leave_where_the_replaced_file_delivered_a_higher_revision() {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.flush();
    let copy = back_up(&field, "copy.db");
    for reading in ["18.5", "19.5"] {
        correct(&field.compass, session, reading);
        field.flush();
    }
    let mut options = field.options.clone();
    options.path = field.folder.path().join("two.db");
    Compass::restore(&copy, &RestoreOptions::new(&options.path)).unwrap();
    let two = Compass::open(options).unwrap();
    correct(&two, session, "30.5");
    let copy = field.folder.path().join("copy-of-two.db");
    two.backup(&copy).unwrap();
    two.close().unwrap();
    put_back_and_open(&mut field, &copy);
    let waits = field.action(session);
    let sent_corrected = field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).map(|_| ()).map_err(|error| error.code());
    field.flush();
    let action = field.action(session);
    // The receiver has 19.5 by its third revision.
    assert_eq!(
        came(&field).pop().unwrap(),
        "r4 30.5",
        "{:?}: {:?} {sent_corrected:?} {:?} {}",
        came(&field),
        waits.status,
        action.status,
        action.differs_from_sent
    );
}

#[test]
fn what_waits_in_a_newer_copy_does_not_leave_where_the_replaced_file_delivered_a_higher_revision() {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    let session = in_progress(&field);
    let older = back_up(&field, "older.db");
    finish(&field, session);
    let newer = back_up(&field, "newer.db");
    put_back_and_open(&mut field, &older);
    field.compass.set_field(session, "reading", FieldValue::Text("20.5".into())).unwrap();
    finish(&field, session);
    field.flush();
    put_back_and_open(&mut field, &newer);
    field.flush();
    assert_eq!(came(&field), ["r2 20.5"], "{:?}", field.action(session).status);
}

#[test]
fn a_correction_waits_for_an_attempt_elsewhere_of_a_session_that_was_deleted() {
    let mut beside = Vec::new();
    for deleted in [false, true] {
        for copied in ["in progress", "waits"] {
            let (mut field, _) = phone(|_| Ok(answer(202)));
            let session = in_progress(&field);
            let progress = back_up(&field, "progress.db");
            finish(&field, session);
            let waits = back_up(&field, "waits.db");
            let other = field.other_process();
            let running = field.flush_held(&other, "", 1);
            abandon_first(&field, session);
            if deleted {
                field.compass.delete(session).unwrap();
            }
            field.compass.close().unwrap();
            put_back(&field, if copied == "waits" { &waits } else { &progress });
            field.open_again();
            if copied == "waits" {
                correct(&field.compass, session, "18.5");
            } else {
                finish(&field, session);
            }
            if requests_of_a_flush(&field, &field.compass, 2) == 2 {
                beside.push(format!("deleted {deleted}, {copied}"));
            }
            field.transport.release();
            joined("the flush", running);
            other.close().unwrap();
        }
    }
    assert_eq!(beside, [""; 0]);
}

#[test]
fn a_copy_in_which_the_session_is_deleted_keeps_the_highest_revision() {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    let waits = back_up(&field, "waits.db");
    field.flush();
    field.compass.delete(session).unwrap();
    let deleted = back_up(&field, "deleted.db");
    put_back_and_open(&mut field, &waits);
    for reading in ["20.5", "21.5"] {
        correct(&field.compass, session, reading);
        field.flush();
    }
    put_back_and_open(&mut field, &deleted);
    put_back_and_open(&mut field, &waits);
    correct(&field.compass, session, "30.5");
    field.flush();
    assert_eq!(came(&field).pop().unwrap(), "r4 30.5", "the receiver has revision 3");
}

#[test]
fn can_send_corrected_agrees_with_the_call_after_a_restore() {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    let mut document: serde_json::Value = serde_json::from_slice(&workflow("visit", &[OFFICE])).unwrap();
    document["version"] = 2.into();
    for page in 1..=5 {
        let page = serde_json::json!({ "key": format!("page{page}"), "name": "Page", "type": "multiline", "max_length": 20000 });
        document["fields"].as_array_mut().unwrap().push(page);
    }
    document["sections"][0]["fields"] = serde_json::json!(["reading", "page1", "page2", "page3", "page4", "page5"]);
    field.compass.import_workflow(&serde_json::to_vec(&document).unwrap()).unwrap();
    let session = in_progress(&field);
    field.compass.set_fields(session, support::app::pages('\u{1F600}')).unwrap();
    finish(&field, session);
    let copy = back_up(&field, "copy.db");
    let clear = (1..=5).map(|page| FieldChange { field: format!("page{page}"), change: Change::Clear }).collect();
    field.compass.edit(session, Some("anna"), None, clear, vec![], &id()).unwrap();
    field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap();
    field.flush();
    let before = field.action(session).status;
    put_back_and_open(&mut field, &copy);
    let action = field.action(session);
    let call = field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).map(|_| ()).map_err(|error| error.code());
    assert_eq!(action.can_send_corrected, call.is_ok(), "{before:?} {:?} {call:?}", action.reason);
}

#[test]
fn an_edit_sends_nothing_that_a_person_took_back_after_a_restore_had_abandoned_it() {
    let edit_other = |field: &Field, session: SessionKey, text: &str| {
        let change = support::app::set("other", FieldValue::Text(text.into()));
        field.compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
    };
    let mut left = Vec::new();
    for is_redacted in [true, false] {
        for is_deleted in [false, true] {
            for is_newer_copy in [false, true] {
                let mut field = phone_that_sends_edits();
                let session = field.complete();
                let waits = back_up(&field, "waits.db");
                field.flush();
                edit_other(&field, session, "one");
                field.flush();
                put_back_and_open(&mut field, &waits);
                let abandoned = back_up(&field, "abandoned.db");
                if is_redacted {
                    field.compass.redact(session, &redaction_of_reading(RedactPending::Abandon)).unwrap();
                } else {
                    edit_other(&field, session, "two");
                    abandon_first(&field, session);
                }
                if is_deleted {
                    field.compass.delete(session).unwrap();
                }
                let before = field.transport.requests().len();
                put_back_and_open(&mut field, if is_newer_copy { &abandoned } else { &waits });
                edit_other(&field, session, "three");
                field.flush();
                if field.transport.requests().len() > before {
                    left.push((is_redacted, is_deleted, is_newer_copy));
                }
            }
        }
    }
    assert_eq!(left, []);
}

/// Another phone takes over: nothing is known of what this one has done.
fn take_over(field: &mut Field, copy: &Path) {
    field.compass.close().unwrap();
    let discard = DiscardUndelivered { actor: "anna".into(), reason: "a new phone".into() };
    Compass::erase(field.path(), Some(&discard)).unwrap();
    put_back(field, copy);
    field.open_again();
}

#[test]
fn a_redaction_of_a_field_that_has_no_value_keeps_back_what_a_newer_copy_holds() {
    let mut field = phone_that_sends_edits();
    let session = field.compass.start(&Start::new("visit", id())).unwrap().view.key;
    let empty = back_up(&field, "empty.db");
    field.compass.set_field(session, "reading", FieldValue::Text("17.5".into())).unwrap();
    finish(&field, session);
    let newer = back_up(&field, "newer.db");
    put_back_and_open(&mut field, &empty);
    let redaction = redaction_of_reading(RedactPending::Abandon);
    assert_eq!(field.compass.redact(session, &redaction).unwrap().applied, Applied::Stale);
    put_back_and_open(&mut field, &newer);
    field.flush();
    assert_eq!((came(&field), field.action(session).status), (vec![], ActionStatus::Failed));
}

#[test]
fn a_second_redaction_keeps_back_what_a_person_has_sent_again_since_the_first() {
    let mut field = phone_that_sends_edits();
    let session = field.complete();
    let waits = back_up(&field, "waits.db");
    field.compass.redact(session, &redaction_of_reading(RedactPending::Abandon)).unwrap();
    let redacted = back_up(&field, "redacted.db");
    put_back_and_open(&mut field, &waits);
    send_first(&field, session);
    let sent_again = back_up(&field, "sent-again.db");
    put_back_and_open(&mut field, &redacted);
    field.compass.redact(session, &redaction_of_reading(RedactPending::Abandon)).unwrap();
    put_back_and_open(&mut field, &sent_again);
    field.flush();
    assert_eq!(came(&field), [""; 0]);
}

#[test]
fn a_message_that_a_redaction_kept_lets_no_other_one_of_its_revision_leave() {
    let mut field = phone_that_sends_edits();
    let session = in_progress(&field);
    let progress = back_up(&field, "progress.db");
    finish(&field, session);
    let newer = back_up(&field, "newer.db");
    take_over(&mut field, &progress);
    field.compass.set_field(session, "reading", FieldValue::Text("20.5".into())).unwrap();
    finish(&field, session);
    field.compass.redact(session, &redaction_of_reading(RedactPending::Keep)).unwrap();
    put_back_and_open(&mut field, &newer);
    field.flush();
    assert_eq!(came(&field), [""; 0]);
}

#[test]
fn what_a_copy_sent_can_be_sent_corrected_where_another_phone_delivered_the_same_revision() {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.flush();
    let copy = back_up(&field, "copy.db");
    correct(&field.compass, session, "18.5");
    field.flush();
    let first = back_up(&field, "first.db");
    take_over(&mut field, &copy);
    correct(&field.compass, session, "19.5");
    field.flush();
    put_back_and_open(&mut field, &first);
    assert!(field.action(session).can_send_corrected, "receivers keep 19.5, which came later");
    field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap();
    field.flush();
    assert_eq!(came(&field)[1..], ["r2 18.5", "r2 19.5", "r4 18.5"]);
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn edits_are_sent_once_a_person_has_sent_what_was_redacted_elsewhere() {
    let mut field = phone_that_sends_edits();
    let session = field.complete();
    let waits = back_up(&field, "waits.db");
    field.compass.redact(session, &redaction_of_reading(RedactPending::Abandon)).unwrap();
    put_back_and_open(&mut field, &waits);
    send_first(&field, session);
    field.flush();
    edit(&field.compass, session, "18.5");
    field.flush();
    assert_eq!((came(&field), field.action(session).edit_not_sent), (vec!["r1 17.5".to_owned(), "r2 18.5".to_owned()], None));
}
