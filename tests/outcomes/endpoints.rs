//! Endpoints that go away, change, hang, or are not there yet.

use std::sync::Arc;
use std::time::Duration;

use compass_core::model::{ActionStatus, SessionKey};

use crate::ca;
use crate::phone::{NEW_SECRET, Phone, SECRET, SHORT, Setup, server};
use crate::support::{Reply, TestServer};

fn is(phone: &Phone, session: SessionKey, status: ActionStatus, reason: &str) {
    assert_eq!(phone.status(session), (status, Some(reason.to_owned())));
}

#[test]
fn gone_disables_the_endpoint_and_enabling_it_revives_the_message_and_its_siblings() {
    let (office, depot) = (server(Reply::status(410)), server(Reply::status(200)));
    let phone = Setup::one_at_a_time().phone();
    phone.register("office", &office.url("/hook"));
    phone.register("depot", &depot.url("/hook"));
    let (gone, sibling) = (phone.complete("office"), phone.complete("office"));
    phone.complete("depot");
    let report = phone.flush();
    assert_eq!((report.attempts, report.sent, report.failed, report.pending), (2, 1, 1, 1));
    is(&phone, gone, ActionStatus::Failed, "gone");
    is(&phone, sibling, ActionStatus::Pending, "endpoint_disabled");
    assert_eq!((phone.delivery(sibling).attempts, phone.delivery(sibling).next_attempt_at), (0, None));
    assert_eq!(phone.endpoint("office").disabled_reason.as_deref(), Some("gone"));
    assert!(phone.compass.next_due().expect("next").needs_person);
    // What comes later waits as well, and time changes nothing.
    let later = phone.complete("office");
    phone.clock.advance(Duration::from_secs(30 * 86_400));
    assert_eq!(phone.flush().attempts, 0);
    is(&phone, later, ActionStatus::Pending, "endpoint_disabled");
    // The same endpoint again is no change.
    phone.register("office", &office.url("/hook"));
    assert_eq!(phone.flush().attempts, 0);

    office.reply_with(|_| Reply::status(200));
    phone.compass.set_endpoint_enabled("office", true).expect("enabled");
    assert_eq!(phone.flush().sent, 3);
    let seen = office.requests();
    assert_eq!(seen.len(), 4);
    phone.check_request("the first time", &seen[0], gone, 1, &[SECRET]);
    let of = |session: SessionKey| {
        let id = phone.delivery(session).id.0;
        seen[1..].iter().find(|seen| seen.header("webhook-id") == Some(&id)).expect("its request")
    };
    phone.check_request("revived", of(gone), gone, 2, &[SECRET]);
    phone.check_request("sibling", of(sibling), sibling, 1, &[SECRET]);
    phone.check_request("later", of(later), later, 1, &[SECRET]);
    assert_eq!(phone.action(gone).failed_sends, 1, "a revival is no send");
}

#[test]
fn a_new_url_enables_an_endpoint_that_was_gone() {
    let (old, new) = (server(Reply::status(410)), server(Reply::status(200)));
    let phone = Setup::one_at_a_time().phone();
    phone.register("office", &old.url("/hook"));
    let (gone, sibling) = (phone.complete("office"), phone.complete("office"));
    phone.flush();
    phone.register("office", &new.url("/hook"));
    assert!(phone.endpoint("office").enabled);
    assert_eq!(phone.flush().sent, 2);
    assert_eq!((old.requests().len(), new.requests().len()), (1, 2));
    for session in [gone, sibling] {
        assert_eq!(phone.status(session), (ActionStatus::Sent, None));
    }
}

#[test]
fn an_endpoint_that_hangs_does_not_delay_another() {
    let depot = Arc::new(server(Reply::status(200)));
    let watched = Arc::clone(&depot);
    // The office answers nobody before the depot has got everything.
    let office = TestServer::https(ca(), move |_| {
        watched.wait_for_requests(6);
        Reply::status(503)
    });
    let phone = Setup::steady().phone();
    phone.register("office", &office.url("/hook"));
    phone.register("depot", &depot.url("/hook"));
    let stuck: Vec<SessionKey> = (0..10).map(|_| phone.complete("office")).collect();
    let free: Vec<SessionKey> = (0..6).map(|_| phone.complete("depot")).collect();
    let report = phone.flush();
    assert_eq!((report.sent, report.pending), (6, 10));
    for session in free {
        assert_eq!(phone.status(session), (ActionStatus::Sent, None));
    }
    for session in stuck {
        assert_eq!(phone.status(session).0, ActionStatus::Pending);
        assert!(phone.delivery(session).last_attempts.iter().all(|attempt| attempt.outcome == "server_error"));
    }
    assert!(!office.requests().is_empty());
}

#[test]
fn a_dead_endpoint_fails_alone() {
    let depot = server(Reply::status(200));
    let hole = crate::support::BlackHole::new();
    let mut setup = Setup::steady();
    setup.timeouts.connect = SHORT;
    let phone = setup.phone();
    phone.register("office", &hole.url());
    phone.register("depot", &depot.url("/hook"));
    let dead = phone.complete("office");
    let alive: Vec<SessionKey> = (0..3).map(|_| phone.complete("depot")).collect();
    assert_eq!(phone.flush().sent, 3);
    for (session, seen) in alive.into_iter().zip(depot.requests()) {
        assert_eq!(phone.status(session).0, ActionStatus::Sent);
        assert!(seen.header("webhook-signature").is_some());
    }
    assert_eq!(phone.status(dead).0, ActionStatus::Pending);
}

#[test]
fn a_message_that_always_fails_does_not_delay_its_siblings() {
    let server = TestServer::https(ca(), |seen| Reply::status(if seen.body.len() > 20_000 { 500 } else { 200 }));
    let phone = Setup::one_at_a_time().phone();
    phone.register("office", &server.url("/hook"));
    let poison = phone.complete_padded("office", 30_000);
    for _ in 0..3 {
        phone.complete("office");
    }
    assert_eq!(phone.flush().sent, 3);
    is(&phone, poison, ActionStatus::Pending, "server_error");
    phone.advance_to_next(poison);
    let later = phone.complete("office");
    assert_eq!(phone.flush().sent, 1);
    assert_eq!((phone.status(later).0, phone.status(poison).0), (ActionStatus::Sent, ActionStatus::Pending));
}

#[test]
fn an_endpoint_that_moves_takes_what_waits_for_it_along() {
    let (old, new) = (server(Reply::status(404)), server(Reply::status(200)));
    let phone = Setup::steady().phone();
    phone.register("office", &old.url("/hook"));
    let session = phone.complete("office");
    phone.flush();
    is(&phone, session, ActionStatus::Pending, "not_found");
    phone.register("office", &new.url("/hook"));
    assert_eq!(phone.endpoint("office").consecutive_failures, 0, "what the old address did says nothing about the new one");
    assert_eq!(phone.flush().sent, 1);
    phone.check_request("old", &old.requests()[0], session, 1, &[SECRET]);
    phone.check_request("new", &new.requests()[0], session, 2, &[SECRET]);
    assert_eq!(old.requests().len(), 1);
}

#[test]
fn a_new_address_gets_all_its_attempts() {
    let (old, new) = (server(Reply::status(404)), server(Reply::status(404)));
    let phone = Setup::steady().phone();
    phone.register("office", &old.url("/hook"));
    let session = phone.complete("office");
    for _ in 0..5 {
        phone.flush();
        phone.advance_to_next(session);
    }
    phone.register("office", &new.url("/hook"));
    phone.flush();
    is(&phone, session, ActionStatus::Pending, "not_found");
    assert_eq!(phone.advance_to_next(session), Duration::from_secs(300));
}

#[test]
fn what_an_old_address_answers_does_not_count_against_the_new_one() {
    let phone = Arc::new(Setup::one_at_a_time().phone());
    let new = Arc::new(server(Reply::status(200)));
    let (moved, target) = (Arc::downgrade(&phone), new.url("/hook"));
    // The endpoint moves while the old address thinks.
    let old = TestServer::https(ca(), move |_| {
        moved.upgrade().expect("a phone").register("office", &target);
        Reply::status(410)
    });
    phone.register("office", &old.url("/hook"));
    let session = phone.complete("office");
    let report = phone.flush();
    assert_eq!((report.sent, report.failed), (1, 0));
    let endpoint = phone.endpoint("office");
    assert_eq!((endpoint.enabled, endpoint.consecutive_failures), (true, 0));
    phone.check_request("new", &new.requests()[0], session, 2, &[SECRET]);
    assert_eq!(phone.delivery(session).last_attempts[1].outcome, "interrupted");
}

#[test]
fn new_credentials_revive_what_was_refused() {
    let office = server(Reply::status(401));
    let phone = Setup::steady().phone();
    phone.register("office", &office.url("/hook"));
    let session = phone.complete("office");
    for _ in 0..5 {
        phone.flush();
        phone.advance_to_next(session);
    }
    phone.flush();
    is(&phone, session, ActionStatus::Failed, "auth");
    assert_eq!(phone.flush().attempts, 0);
    phone.static_secrets.set("signing", NEW_SECRET);
    phone.compass.secrets_changed().expect("told");
    // Not yet known to the receiver: with fresh budgets that is the first of six failures again.
    phone.flush();
    is(&phone, session, ActionStatus::Pending, "auth");
    assert_eq!(phone.advance_to_next(session), Duration::from_secs(300));
    office.reply_with(|_| Reply::status(200));
    assert_eq!(phone.flush().sent, 1);
    phone.check_request("revived", &office.requests()[7], session, 8, &[NEW_SECRET, SECRET]);
    assert_eq!(phone.action(session).failed_sends, 1, "a revival is no send");
    assert_eq!(phone.endpoint("office").consecutive_failures, 0);
}

#[test]
fn new_credentials_do_not_revive_what_was_rejected() {
    let office = server(Reply::status(400));
    let phone = Setup::steady().phone();
    phone.register("office", &office.url("/hook"));
    let session = phone.complete("office");
    phone.flush();
    phone.compass.secrets_changed().expect("told");
    phone.register("office", &office.url("/hook?again"));
    phone.compass.set_endpoint_enabled("office", false).expect("disabled");
    phone.compass.set_endpoint_enabled("office", true).expect("enabled");
    assert_eq!(phone.flush().attempts, 0);
    is(&phone, session, ActionStatus::Failed, "rejected");
}

#[test]
fn what_a_person_has_to_repair_waits_and_then_leaves_by_itself() {
    let office = server(Reply::status(200));
    let phone = Setup::steady().phone();
    let session = phone.complete("office");
    let waits = |reason: &str| {
        assert_eq!(phone.flush().attempts, 0, "{reason}");
        is(&phone, session, ActionStatus::Pending, reason);
        assert!(phone.compass.next_due().expect("next").needs_person, "{reason}");
    };
    waits("endpoint_unknown");
    phone.compass.set_integration_enabled(false).expect("off");
    waits("integration_off");
    phone.register("office", &office.url("/hook"));
    waits("integration_off");
    phone.compass.set_endpoint_enabled("office", false).expect("disabled");
    phone.compass.set_integration_enabled(true).expect("on");
    waits("endpoint_disabled");
    phone.compass.archive_endpoint("office").expect("archived");
    waits("endpoint_archived");
    phone.register("office", &office.url("/hook"));
    waits("endpoint_disabled");
    assert_eq!((office.connections(), phone.delivery(session).attempts), (0, 0));
    phone.compass.set_endpoint_enabled("office", true).expect("enabled");
    assert_eq!(phone.flush().sent, 1);
    phone.check_request("at last", &office.requests()[0], session, 1, &[SECRET]);
}
