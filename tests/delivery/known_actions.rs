//! Several copies take the place of the database one after the other: what was known of a message comes into each of them, also into one that
//! does not know the session, holds it in progress, or holds its deletion.

use std::path::PathBuf;

use super::*;

/// A phone with a finished session, its copies from before its start, before its end, while its message waited, and after its deletion; and
/// the copy in which it waits is back.
struct Phone {
    field: Field,
    session: SessionKey,
    waits: PathBuf,
    others: [(&'static str, PathBuf); 3],
}

impl Phone {
    fn new() -> Self {
        let mut field = phone_that_sends_edits();
        let unknown = back_up(&field, "unknown.db");
        let session = field.compass.start(&Start::new("visit", id())).unwrap().view.key;
        field.compass.set_field(session, "reading", FieldValue::Text("17.5".into())).unwrap();
        let in_progress = back_up(&field, "in-progress.db");
        field.compass.complete(session, field.compass.session(session).unwrap().visit).unwrap();
        let waits = back_up(&field, "waits.db");
        field.flush();
        field.compass.delete(session).unwrap();
        let deleted = back_up(&field, "deleted.db");
        put_back_and_open(&mut field, &waits);
        Self { field, session, waits, others: [("unknown", unknown), ("in progress", in_progress), ("deleted", deleted)] }
    }

    fn edit(&self, text: &str) {
        let change = support::app::set("other", FieldValue::Text(text.into()));
        self.field.compass.edit(self.session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
    }

    /// The message is delivered, which the deletion had abandoned.
    fn deliver(&self) {
        send_first(&self.field, self.session);
        self.field.flush();
        assert_eq!(self.field.action(self.session).status, ActionStatus::Sent);
    }

    /// The age of a database grows by a few days at most in one step.
    fn until_bodies_are_dropped(&self) {
        for _ in 0..91 {
            self.field.clock.advance(DAY);
            self.field.flush();
        }
    }

    fn redact(&self) {
        self.redact_with(RedactPending::Abandon);
    }

    fn redact_with(&self, pending: RedactPending) {
        self.field.compass.redact(self.session, &redaction_of_reading(pending)).unwrap();
    }

    /// Another copy is put back, and then the one in which the message waits.
    fn put_back_after(&mut self, other: &Path) {
        put_back_and_open(&mut self.field, other);
        put_back_and_open(&mut self.field, &self.waits.clone());
    }

    /// The values of each request that came.
    fn values(&self) -> Vec<String> {
        let requests = self.field.transport.requests();
        let bodies = requests.iter().map(|request| serde_json::from_slice::<serde_json::Value>(&request.body).unwrap());
        let value = |field: &serde_json::Value| field["value"].as_str().unwrap().to_owned();
        bodies.map(|body| body["fields"].as_array().unwrap().iter().map(value).collect::<Vec<_>>().join(",")).collect()
    }

    fn revisions(&self) -> Vec<String> {
        self.field.transport.requests().iter().map(|request| header(request, "compass-revision")).collect()
    }
}

#[test]
fn what_a_person_took_back_no_copy_sends() {
    let mut left = Vec::new();
    for between in 0..3 {
        for is_redacted in [true, false] {
            let mut phone = Phone::new();
            phone.edit("two");
            if is_redacted {
                phone.redact()
            } else {
                drop(abandon_first(&phone.field, phone.session))
            }
            let before = phone.revisions().len();
            let (name, other) = phone.others[between].clone();
            phone.put_back_after(&other);
            phone.edit("three");
            phone.field.flush();
            if phone.revisions().len() > before {
                left.push((name, is_redacted));
            }
            assert_eq!(phone.field.compass.check().unwrap().faults, [""; 0]);
        }
    }
    assert_eq!(left, []);
}

#[test]
fn revisions_and_the_number_go_on_in_every_copy() {
    for between in 0..3 {
        let mut phone = Phone::new();
        for text in ["two", "three"] {
            phone.edit(text);
            phone.field.flush();
        }
        let (name, other) = phone.others[between].clone();
        phone.put_back_after(&other);
        phone.field.flush();
        assert_eq!(phone.revisions(), ["1", "2", "3"], "{name}: the first is older than what receivers have");
        phone.edit("four");
        phone.field.flush();
        assert_eq!(phone.revisions(), ["1", "2", "3", "4"], "{name}");
        let numbers: Vec<String> = phone.field.transport.requests().iter().map(|request| header(request, "compass-sequence")).collect();
        assert!(numbers.iter().all(|number| *number == numbers[0]), "{name}: {numbers:?}");
    }
}

#[test]
fn what_may_have_been_delivered_shows_so_in_every_copy() {
    for between in 0..3 {
        let mut phone = Phone::new();
        abandon_first_if_it_waits(&phone);
        send_first(&phone.field, phone.session);
        phone.field.flush();
        let (name, other) = phone.others[between].clone();
        phone.put_back_after(&other);
        assert!(phone.field.delivery(phone.session).may_have_been_delivered, "{name}");
    }
}

fn abandon_first_if_it_waits(phone: &Phone) {
    if phone.field.action(phone.session).status == ActionStatus::Pending {
        abandon_first(&phone.field, phone.session);
    }
}

#[test]
fn an_attempt_elsewhere_is_waited_for_in_every_copy() {
    for between in 0..3 {
        let mut phone = Phone::new();
        phone.edit("two");
        let other = phone.field.other_process();
        let running = phone.field.flush_held(&other, "", 2);
        phone.field.compass.close().unwrap();
        let (name, between) = phone.others[between].clone();
        put_back(&phone.field, &between);
        put_back(&phone.field, &phone.waits);
        phone.field.open_again();
        phone.edit("three");
        let came = requests_of_a_flush(&phone.field, &phone.field.compass, 3);
        phone.field.transport.release();
        joined("the flush", running);
        other.close().unwrap();
        assert_eq!(came, 2, "{name}: one at a time");
    }
}

#[test]
fn what_a_person_has_sent_again_leaves_from_a_copy() {
    for is_abandoned in [false, true] {
        let mut phone = Phone::new();
        if is_abandoned {
            phone.edit("two");
            abandon_first(&phone.field, phone.session);
        }
        send_first(&phone.field, phone.session);
        let sends = back_up(&phone.field, "sends.db");
        put_back_and_open(&mut phone.field, &sends);
        assert_eq!(phone.field.action(phone.session).status, ActionStatus::Pending, "{is_abandoned}");
        phone.field.flush();
        assert_eq!(phone.field.action(phone.session).status, ActionStatus::Sent, "{is_abandoned}");
    }
}

#[test]
fn a_newer_copy_after_an_older_one_knows_what_the_first_database_knew() {
    let mut phone = Phone::new();
    phone.edit("two");
    phone.field.flush();
    let newer = back_up(&phone.field, "newer.db");
    phone.edit("three");
    phone.field.flush();
    let (_, unknown) = phone.others[0].clone();
    put_back_and_open(&mut phone.field, &unknown);
    put_back_and_open(&mut phone.field, &newer);
    phone.edit("four");
    phone.field.flush();
    assert_eq!(phone.revisions(), ["1", "2", "3", "4"]);
}

#[test]
fn a_damaged_revision_abandons_nothing_that_waits() {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    let older = back_up(&field, "older.db");
    correct(&field.compass, session, "20.5");
    let newer = back_up(&field, "newer.db");
    put_back_and_open(&mut field, &older);
    field.flush();
    damage(&field, "UPDATE outbox SET revision = 1 << 40");
    put_back_and_open(&mut field, &newer);
    field.flush();
    assert_eq!(field.action(session).status, ActionStatus::Sent);
}

#[test]
fn what_is_known_of_actions_is_forgotten_after_400_days_unless_the_session_is_there() {
    let mut phone = Phone::new();
    let (_, unknown) = phone.others[0].clone();
    let kept = |field: &Field| -> i64 { sql(field).query_row("SELECT count(*) FROM known_action", [], |row| row.get(0)).unwrap() };
    for (copy, left) in [(phone.waits.clone(), 1), (unknown, 0)] {
        put_back_and_open(&mut phone.field, &copy);
        assert_eq!(kept(&phone.field), 1);
        // The age grows with writes, by seven days at most.
        for _ in 0..60 {
            phone.field.clock.advance(7 * 24 * HOUR);
            phone.field.compass.set_integration_enabled(true).unwrap();
        }
        phone.field.compass.purge(Duration::MAX).unwrap();
        assert_eq!(kept(&phone.field), left);
    }
}

#[test]
fn an_edit_sends_nothing_that_a_person_took_back_although_the_copy_holds_it_as_sent() {
    let mut left = Vec::new();
    for how in ["abandoned", "redacted", "redacted, and the correction delivered"] {
        for is_deleted in [false, true] {
            let mut phone = Phone::new();
            phone.deliver();
            let sent = back_up(&phone.field, "sent.db");
            phone.edit("two");
            match how {
                "abandoned" => drop(abandon_first(&phone.field, phone.session)),
                "redacted" => phone.redact(),
                _ => {
                    phone.redact_with(RedactPending::Correct);
                    phone.field.flush();
                }
            }
            if is_deleted {
                phone.field.compass.delete(phone.session).unwrap();
            }
            let before = phone.revisions().len();
            put_back_and_open(&mut phone.field, &sent);
            phone.edit("three");
            phone.field.flush();
            let action = phone.field.action(phone.session);
            if phone.revisions().len() > before || action.edit_not_sent.as_deref() != Some("abandoned") {
                left.push((how, is_deleted));
            }
            // A person sends it, and edits are sent again.
            phone.field.compass.send_corrected(phone.session, "tell-0", Some("anna"), &id()).unwrap();
            phone.edit("four");
            phone.field.flush();
            assert_eq!((phone.revisions().len(), phone.field.action(phone.session).edit_not_sent), (before + 1, None), "{how}");
        }
    }
    assert_eq!(left, []);
}

#[test]
fn an_edit_is_sent_once_the_value_is_redacted_in_the_copy_too() {
    let mut phone = Phone::new();
    phone.deliver();
    let sent = back_up(&phone.field, "sent.db");
    phone.redact();
    put_back_and_open(&mut phone.field, &sent);
    phone.redact();
    phone.edit("two");
    phone.field.flush();
    assert_eq!((phone.values().pop().unwrap(), phone.field.action(phone.session).edit_not_sent), ("two".to_owned(), None));
}

#[test]
fn a_newer_copy_does_not_send_what_was_redacted_in_an_older_one() {
    let mut left = Vec::new();
    for older in ["in progress", "waits", "sent"] {
        for pending in [RedactPending::Abandon, RedactPending::Correct] {
            for between in [false, true] {
                let mut phone = Phone::new();
                if older == "sent" {
                    phone.deliver();
                    phone.waits = back_up(&phone.field, "sent.db");
                }
                phone.edit("two");
                let newer = back_up(&phone.field, "newer.db");
                let (_, unknown) = phone.others[0].clone();
                let (_, in_progress) = phone.others[1].clone();
                let copy = if older == "in progress" { in_progress } else { phone.waits.clone() };
                put_back_and_open(&mut phone.field, &copy);
                phone.redact_with(pending);
                let before = phone.values().len();
                if between {
                    put_back_and_open(&mut phone.field, &unknown);
                }
                put_back_and_open(&mut phone.field, &newer);
                phone.field.flush();
                phone.edit("three");
                phone.field.flush();
                if phone.values()[before..].iter().any(|values| values.contains("17.5")) {
                    left.push((older, between));
                }
            }
        }
    }
    assert_eq!(left, []);
}

#[test]
fn what_was_delivered_before_it_was_replaced_in_a_newer_copy_shows_so() {
    let mut field = phone_that_sends_edits();
    let unknown = back_up(&field, "unknown.db");
    let session = field.complete();
    let waits = back_up(&field, "waits.db");
    edit(&field.compass, session, "18.5");
    let newer = back_up(&field, "newer.db");
    put_back_and_open(&mut field, &waits);
    field.flush();
    let delivered = field.delivery(session).id;
    put_back_and_open(&mut field, &unknown);
    put_back_and_open(&mut field, &newer);
    let first = field.action(session).deliveries.into_iter().find(|delivery| delivery.id == delivered).unwrap();
    assert!(first.may_have_been_delivered, "{:?}", first.state);
    field.flush();
    let correction = field.transport.requests().pop().unwrap();
    assert_eq!(header(&correction, "compass-replaces"), delivered.0);
}

#[test]
fn what_waits_in_the_replaced_file_ends_no_redaction_of_a_newer_message() {
    let mut field = phone_that_sends_edits();
    let session = field.complete();
    let older = back_up(&field, "older.db");
    let change = support::app::set("other", FieldValue::Text("two".into()));
    field.compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
    assert_eq!(
        field.action(session).deliveries.iter().filter(|delivery| delivery.state == DeliveryState::Pending).map(|d| d.revision).max(),
        Some(2)
    );
    let newer = back_up(&field, "newer.db");
    put_back_and_open(&mut field, &older);
    // The message that waits is kept on purpose; it leaves from the same copy, too.
    field.compass.redact(session, &redaction_of_reading(RedactPending::Keep)).unwrap();
    let keeps = back_up(&field, "keeps.db");
    put_back_and_open(&mut field, &keeps);
    assert_eq!(field.action(session).status, ActionStatus::Pending);
    put_back_and_open(&mut field, &newer);
    field.flush();
    let revisions: Vec<String> = field.transport.requests().iter().map(|request| header(request, "compass-revision")).collect();
    assert!(!revisions.contains(&"2".to_owned()), "it holds the value: {revisions:?}");
}

/// What receivers got after some point that holds the redacted value.
fn leaked(phone: &Phone, since: usize) -> Vec<String> {
    phone.values()[since..].iter().filter(|values| values.contains("17.5")).cloned().collect()
}

#[test]
fn what_was_redacted_after_its_body_had_been_dropped_no_copy_sends() {
    for is_deleted in [false, true] {
        let mut phone = Phone::new();
        phone.deliver();
        let sent = back_up(&phone.field, "sent.db");
        phone.until_bodies_are_dropped();
        let redaction = Redaction { bodies: RedactBodies::Keep, ..redaction_of_reading(RedactPending::Abandon) };
        assert_eq!(phone.field.compass.redact(phone.session, &redaction).unwrap().bodies, [], "the body was dropped");
        if is_deleted {
            phone.field.compass.delete(phone.session).unwrap();
        }
        let before = phone.values().len();
        for copy in [phone.waits.clone(), sent] {
            put_back_and_open(&mut phone.field, &copy);
            phone.field.flush();
            phone.edit("two");
            phone.field.flush();
            assert_eq!(leaked(&phone, before), [""; 0], "{}", copy.display());
        }
    }
}

#[test]
fn a_second_redaction_is_known_in_a_copy_that_knows_the_first() {
    for is_same_field in [false, true] {
        let mut phone = Phone::new();
        phone.edit("two");
        phone.field.flush();
        let (first, second) = if is_same_field { ("reading", "reading") } else { ("other", "reading") };
        let redact = |phone: &Phone, key: &str| {
            let target = RedactionTarget::Field { key: key.into() };
            phone.field.compass.redact(phone.session, &support::app::redaction(target)).unwrap();
        };
        redact(&phone, first);
        let change = support::app::set("reading", FieldValue::Text("17.5".into()));
        phone.field.compass.edit(phone.session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
        phone.field.flush();
        let copy = back_up(&phone.field, "copy.db");
        redact(&phone, second);
        let before = phone.values().len();
        put_back_and_open(&mut phone.field, &copy);
        phone.edit("three");
        phone.field.flush();
        assert_eq!(leaked(&phone, before), [""; 0], "{first}, {second}");
        assert_eq!(phone.field.action(phone.session).edit_not_sent.as_deref(), Some("abandoned"));
        // It is redacted in the copy, too.
        redact(&phone, second);
        phone.edit("four");
        phone.field.flush();
        assert_eq!(phone.values().pop().unwrap(), "four");
    }
}

#[test]
fn what_was_redacted_leaves_from_no_newer_copy_of_which_the_file_was_never_told() {
    for older in ["in progress", "waits"] {
        let mut phone = Phone::new();
        phone.edit("two");
        let newer = back_up(&phone.field, "newer.db");
        let copy = if older == "waits" { phone.waits.clone() } else { phone.others[1].1.clone() };
        // Another phone takes over.
        phone.field.compass.close().unwrap();
        let discard = DiscardUndelivered { actor: "anna".into(), reason: "a new phone".into() };
        Compass::erase(phone.field.path(), Some(&discard)).unwrap();
        put_back(&phone.field, &copy);
        phone.field.open_again();
        phone.redact();
        let before = phone.values().len();
        put_back_and_open(&mut phone.field, &newer);
        phone.field.flush();
        phone.edit("three");
        phone.field.flush();
        assert_eq!(leaked(&phone, before), [""; 0], "{older}");
    }
}

#[test]
fn an_edit_is_sent_once_the_value_is_redacted_in_a_copy_whose_body_was_dropped() {
    let mut phone = Phone::new();
    phone.deliver();
    let sent = back_up(&phone.field, "sent.db");
    phone.redact();
    put_back_and_open(&mut phone.field, &sent);
    phone.until_bodies_are_dropped();
    phone.redact();
    phone.edit("two");
    phone.field.flush();
    assert_eq!((phone.values().pop().unwrap(), phone.field.action(phone.session).edit_not_sent), ("two".to_owned(), None));
}

#[test]
fn a_redaction_abandons_no_message_of_a_copy_that_does_not_hold_the_value() {
    let mut field = phone_that_sends_edits();
    let session = field.compass.start(&Start::new("visit", id())).unwrap().view.key;
    field.compass.set_field(session, "other", FieldValue::Text("one".into())).unwrap();
    field.compass.complete(session, field.compass.session(session).unwrap().visit).unwrap();
    let waits = back_up(&field, "waits.db");
    edit(&field.compass, session, "17.5");
    field.compass.redact(session, &redaction_of_reading(RedactPending::Abandon)).unwrap();
    put_back_and_open(&mut field, &waits);
    assert_eq!(field.action(session).status, ActionStatus::Pending, "the first message never held the value");
    field.flush();
    assert_eq!(field.action(session).status, ActionStatus::Sent);
}
