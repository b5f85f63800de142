//! What a person does about a message: send again, send corrected, abandon; and answers that come after that.

use std::sync::{Arc, Weak};

use compass_core::Error;
use compass_core::model::*;

use crate::ca;
use crate::phone::{Phone, SECRET, Setup, check_signature, server};
use crate::support::{Reply, TestServer};

/// Abandons the only message of a session, which may be on its way.
fn abandon(phone: &Phone, session: SessionKey, in_flight: bool) {
    let outcome = phone.compass.abandon(session, "to-office", "Ada", "handed in on paper", &phone.command_id()).expect("abandoned");
    assert_eq!((outcome.applied, outcome.in_flight), (Applied::Yes, in_flight));
    assert!(outcome.record.timeline.iter().any(|line| matches!(line.entry, TimelineEntry::Abandoned { .. })));
}

fn abandoned() -> (ActionStatus, Option<String>) {
    (ActionStatus::Failed, Some("abandoned".to_owned()))
}

#[test]
fn a_message_that_was_abandoned_never_leaves() {
    let server = server(Reply::status(503));
    let phone = Setup::steady().phone();
    phone.register("office", &server.url("/hook"));
    let session = phone.complete("office");
    phone.flush();
    let next = phone.delivery(session).next_attempt_at.expect("a next attempt");
    abandon(&phone, session, false);
    phone.clock.advance((next - phone.now()).to_std().expect("ahead"));
    phone.compass.secrets_changed().expect("told");
    phone.register("office", &server.url("/hook?moved"));
    assert_eq!((phone.flush().attempts, phone.status(session)), (0, abandoned()));
    assert_eq!(phone.compass.outbox_totals().expect("totals").needs_person, 0);
    assert!(!phone.compass.next_due().expect("next").needs_person);
}

/// A phone whose message is abandoned while the receiver thinks about it, and then answered like this.
fn abandoned_in_flight(reply: Reply) -> (Arc<Phone>, TestServer, SessionKey, FlushReport) {
    let phone = Arc::new(Setup::steady().phone());
    let weak: Weak<Phone> = Arc::downgrade(&phone);
    let server = TestServer::https(ca(), move |seen| {
        let phone = weak.upgrade().expect("a phone");
        let text = String::from_utf8_lossy(&seen.body).into_owned();
        let key = text.split('"').nth(3).expect("the key of the session").parse().expect("a key");
        assert_eq!(phone.status(key), (ActionStatus::Pending, Some("in_flight".to_owned())));
        abandon(&phone, key, true);
        reply.clone()
    });
    phone.register("office", &server.url("/hook"));
    let session = phone.complete("office");
    let report = phone.flush();
    (phone, server, session, report)
}

#[test]
fn a_2xx_counts_even_after_the_message_was_abandoned() {
    let (phone, server, session, report) = abandoned_in_flight(Reply::status(200));
    assert_eq!(report.sent, 1);
    assert_eq!(phone.status(session), (ActionStatus::Sent, None), "the receiver has it, and the record says so");
    phone.check_request("late", &server.requests()[0], session, 1, &[SECRET]);
}

#[test]
fn any_other_answer_leaves_a_message_abandoned() {
    for reply in [Reply::status(500), Reply::status(400), Reply::status(404), Reply::Close] {
        let (phone, server, session, report) = abandoned_in_flight(reply.clone());
        assert_eq!((report.sent, report.retrying, report.failed), (0, 0, 0));
        assert_eq!(phone.status(session), abandoned());
        // What became of it is on record all the same.
        let delivery = phone.delivery(session);
        let attempt = &delivery.last_attempts[0];
        assert_eq!((delivery.attempts, delivery.may_have_been_delivered), (1, attempt.status.is_none()), "{reply:?}");
        phone.clock.advance(std::time::Duration::from_secs(86_400));
        assert_eq!((phone.flush().attempts, server.requests().len()), (0, 1));
    }
}

#[test]
fn a_message_sent_again_by_hand_is_the_same_message_until_the_action_is_locked() {
    let server = server(Reply::status(400));
    let phone = Setup::steady().phone();
    phone.register("office", &server.url("/hook"));
    let session = phone.complete("office");
    for sends in 1..=4 {
        assert_eq!(phone.flush().failed, 1, "send {sends}");
        let action = phone.action(session);
        assert_eq!((action.failed_sends, action.locked, action.can_send), (sends, sends == 4, sends < 4));
        phone.check_request("again", &server.requests()[sends as usize - 1], session, sends, &[SECRET]);
        let again = phone.compass.send(session, "to-office", Some("Ada"), &phone.command_id());
        match (sends, again) {
            (4, Err(Error::ActionLocked { failed_sends: 4, .. })) | (1..4, Ok(_)) => {}
            (_, again) => panic!("send {sends}: {again:?}"),
        }
    }
    assert_eq!(phone.flush().attempts, 0);
}

#[test]
fn a_corrected_message_has_an_id_and_bytes_of_its_own() {
    let server = TestServer::https(ca(), |seen| {
        let text = String::from_utf8_lossy(&seen.body);
        Reply::status(if text.contains("repaired") { 200 } else { 422 })
    });
    let phone = Setup::steady().phone();
    phone.register("office", &server.url("/hook"));
    let session = phone.complete("office");
    phone.flush();
    assert_eq!(phone.status(session), (ActionStatus::Failed, Some("rejected".to_owned())));
    let same = phone.compass.send_corrected(session, "to-office", Some("Ada"), &phone.command_id());
    assert!(matches!(same, Err(Error::NothingCorrected { .. })), "{same:?}");
    let change = FieldChange { field: "text0".to_owned(), change: Change::Set(FieldValue::Text("repaired".to_owned())) };
    phone.compass.edit(session, Some("Ada"), None, vec![change], Vec::new(), &phone.command_id()).expect("edited");
    phone.compass.send_corrected(session, "to-office", Some("Ada"), &phone.command_id()).expect("sent corrected");
    assert_eq!(phone.flush().sent, 1);

    let seen = server.requests();
    let deliveries = phone.action(session).deliveries;
    let states: Vec<_> = deliveries.iter().map(|delivery| (delivery.revision, delivery.state)).collect();
    assert_eq!(states, [(2, DeliveryState::Sent), (1, DeliveryState::Superseded)]);
    for (delivery, seen) in deliveries.iter().rev().zip(&seen) {
        assert_eq!(seen.header("webhook-id"), Some(delivery.id.0.as_str()));
        assert_eq!(seen.header("compass-attempt"), Some("1"));
        check_signature("corrected", seen, &[SECRET]);
    }
    assert_ne!(deliveries[0].id, deliveries[1].id);
    assert_eq!(phone.status(session), (ActionStatus::Sent, None));
}

#[test]
fn everything_that_failed_is_sent_again_at_once() {
    let server = server(Reply::status(400));
    let phone = Setup::steady().phone();
    phone.register("office", &server.url("/hook"));
    let sessions: Vec<SessionKey> = (0..3).map(|_| phone.complete("office")).collect();
    assert_eq!(phone.flush().failed, 3);
    abandon(&phone, sessions[0], false);
    server.reply_with(|_| Reply::status(200));
    assert_eq!(phone.compass.send_failed_again(Some("Ada")).expect("sent again"), 2);
    assert_eq!(phone.flush().sent, 2);
    assert_eq!(phone.status(sessions[0]), abandoned(), "what was abandoned stays so");
}
