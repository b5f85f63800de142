//! A copy takes the place of the database while messages are on their way, or after they were abandoned.

use std::path::{Path, PathBuf};

use compass_core::RestoreOptions;

use super::*;

fn restore(field: &Field, copy: &Path) {
    Compass::restore(copy, &RestoreOptions::new(field.path())).unwrap();
}

/// A phone with a session whose action had not fired when the copy was made, and has been sent by hand since.
fn sent_since_the_copy() -> (Field, SessionKey, PathBuf) {
    let (field, _) = phone(|_| Ok(answer(202)));
    field.compass.set_integration_enabled(false).unwrap();
    let session = field.complete();
    field.compass.set_integration_enabled(true).unwrap();
    let copy = back_up(&field, "copy.db");
    send_first(&field, session);
    (field, session, copy)
}

#[test]
fn an_answer_that_comes_late_says_nothing_about_a_message_of_a_restored_copy() {
    // The copy of another phone: its only message waits.
    let (theirs, _) = phone_with(|_| Ok(answer(202)), |options| options.random = Options::new("unused").random);
    let session = theirs.complete();
    let copy = back_up(&theirs, "copy.db");
    for status in [202, 500] {
        // This phone: another process has its only message, which has the same number, in flight.
        let (ours, _) = phone(move |_| Ok(answer(status)));
        ours.complete();
        ours.compass.close().unwrap();
        let other = ours.other_process();
        let running = ours.flush_held(&other, "", 1);
        put_back(&ours, &copy);
        // Nothing more leaves than what is in flight.
        other.set_integration_enabled(false).unwrap();
        ours.transport.release();
        joined("the flush", running);
        let delivery = other.record(session).unwrap().actions[0].deliveries[0].clone();
        assert_eq!((delivery.state, delivery.attempts, delivery.last_attempts.len()), (DeliveryState::Pending, 0, 0), "{status}");
        other.set_integration_enabled(true).unwrap();
        flush(&other);
        let left = ours.transport.requests().iter().filter(|request| header(request, "webhook-id") == delivery.id.0).count();
        assert_eq!(left, 1, "{status}");
        other.close().unwrap();
    }
}

#[test]
fn what_was_abandoned_and_deleted_does_not_leave_from_a_restored_copy() {
    for deleted in [false, true] {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        let other = field.complete();
        let copy = back_up(&field, "copy.db");
        let key = field.action(session).key;
        field.compass.abandon(session, &key, "anna", "handed in on paper", &id()).unwrap();
        if deleted {
            field.compass.delete(session).unwrap();
        }
        field.compass.close().unwrap();
        restore(&field, &copy);
        let compass = Compass::open(field.options.clone()).unwrap();
        assert_eq!(flush(&compass).sent, 1, "deleted: {deleted}");
        assert!(is_sent(&compass, other), "deleted: {deleted}");
        assert_eq!(compass.record(session).unwrap().actions[0].reason.as_deref(), Some("abandoned"), "deleted: {deleted}");
    }
}

#[test]
fn a_row_that_was_damaged_before_a_restore_keeps_nothing_of_the_copy_back() {
    for refreshed in [false, true] {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        let copy = back_up(&field, "copy.db");
        let row = entry(&field, session);
        damage(&field, &format!("UPDATE outbox SET workflow_version = CAST(x'ff' AS TEXT) WHERE id = {row}"));
        field.compass.close().unwrap();
        let other = field.other_process();
        assert_eq!(flush(&other).sent, 0);
        let shown = || other.record(session).unwrap().actions[0].deliveries[0].reason.clone();
        assert_eq!(shown().as_deref(), Some("corrupt"));
        restore(&field, &copy);
        if refreshed {
            other.refresh().unwrap();
            assert_eq!(shown(), None, "the copy's is readable");
        }
        assert_eq!(flush(&other).sent, 1, "refreshed: {refreshed}");
        other.close().unwrap();
    }
}

#[test]
fn what_a_restored_copy_abandoned_is_due_at_once_when_it_is_sent_again() {
    let (field, _) = phone(|_| Ok(answer(404)));
    let session = field.complete();
    field.flush();
    assert!(field.delivery(session).next_attempt_at > Some(field.now()), "it waits");
    let copy = back_up(&field, "copy.db");
    let key = field.action(session).key;
    field.compass.abandon(session, &key, "anna", "handed in on paper", &id()).unwrap();
    field.compass.close().unwrap();
    restore(&field, &copy);
    let compass = Compass::open(field.options.clone()).unwrap();
    compass.send(session, &key, Some("anna"), &id()).unwrap();
    assert_eq!(compass.record(session).unwrap().actions[0].deliveries[0].next_attempt_at, Some(field.now()));
    compass.close().unwrap();
}

#[test]
fn a_message_with_the_number_of_one_that_hangs_is_not_delayed_after_a_restore() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let copy = back_up(&field, "copy.db");
    let other = field.other_process();
    complete(&other, "visit");
    // Its request hangs.
    field.transport.hold("");
    field.transport.ignore_cancel();
    cancelled_flush(&other, || field.transport.wait_for_requests(1));
    field.compass.close().unwrap();
    put_back(&field, &copy);
    other.refresh().unwrap();
    let session = complete(&other, "visit");
    let shown = other.record(session).unwrap().actions[0].deliveries[0].clone();
    let due = other.next_due().unwrap();
    let never = CancelToken::new();
    let mut steps = other.flush_steps(MINUTE, &never, false).unwrap();
    eventually("it is sent", || {
        steps_until_wait(&mut steps);
        field.transport.requests().len() >= 2
    });
    let came = field.transport.requests().len();
    field.transport.release();
    eventually("it ends", || steps_until_wait(&mut steps).is_none());
    other.close().unwrap();
    assert_eq!(came, 2, "shown as {:?}, next due {due:?}", shown.reason);
}

#[test]
fn what_hangs_since_before_a_restore_does_not_end_the_next_attempt_of_its_message() {
    let (first, second) = (Gate::shut(), Gate::shut());
    let gates = (first.clone(), second.clone());
    let count = std::sync::atomic::AtomicUsize::new(0);
    let (field, _) = phone(move |_| {
        match count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => gates.0.pass(),
            1 => gates.1.pass(),
            _ => {}
        }
        Ok(answer(500))
    });
    let session = field.complete();
    let copy = back_up(&field, "copy.db");
    field.compass.close().unwrap();
    let other = field.other_process();
    cancelled_flush(&other, || first.wait_for(1));
    restore(&field, &copy);
    other.refresh().unwrap();
    // Until the lease of the attempt that hangs is over, it waits.
    field.clock.set_wall(field.now() + TimeDelta::seconds(61));
    let never = CancelToken::new();
    let mut steps = other.flush_steps(MINUTE, &never, false).unwrap();
    eventually("the copy's message is tried", || {
        steps_until_wait(&mut steps);
        second.came() == 1
    });
    steps_until_wait(&mut steps);
    let state = || -> (String, i64) {
        sql(&field).query_row("SELECT state, unknown_outcomes FROM outbox", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    // The one that hangs, and this one.
    assert_eq!(state(), ("leased".to_owned(), 2));
    first.open();
    eventually("the late answer has come", || steps.is_woken());
    steps_until_wait(&mut steps);
    field.clock.advance(3 * SECOND);
    steps_until_wait(&mut steps);
    let after = state();
    // Another process sees what is due.
    field.clock.advance(5 * SECOND);
    let third = field.other_process();
    let report = flush(&third);
    let shown = third.record(session).unwrap().actions[0].deliveries[0].clone();
    second.open();
    eventually("it ends", || steps_until_wait(&mut steps).is_none());
    third.close().unwrap();
    other.close().unwrap();
    assert_eq!((after, report.attempts), (("leased".to_owned(), 2), 0), "{shown:?}");
}

/// What becomes of a message that another process has in flight, before a person sends it again.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Abandoned {
    /// Abandoned; nothing is restored.
    Only,
    /// Abandoned, and then a copy is restored.
    BeforeRestore,
    /// Abandoned by the restore.
    ByRestore,
}

/// How many requests come while the first hangs. In the copy the message waits, or it was abandoned before.
fn requests_after(abandoned: Abandoned, before_the_copy: bool) -> usize {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    if before_the_copy {
        abandon_first(&field, session);
    }
    let copy = back_up(&field, "copy.db");
    if before_the_copy {
        send_first(&field, session);
    }
    let other = field.other_process();
    let running = field.flush_held(&other, "", 1);
    if abandoned != Abandoned::ByRestore {
        abandon_first(&field, session);
    }
    let key = field.action(session).key;
    field.compass.close().unwrap();
    if abandoned != Abandoned::Only {
        put_back(&field, &copy);
    }
    let compass = Compass::open(field.options.clone()).unwrap();
    compass.send(session, &key, Some("anna"), &id()).unwrap();
    let came = requests_of_a_flush(&field, &compass, 2);
    field.transport.release();
    joined("the flush", running);
    other.close().unwrap();
    compass.close().unwrap();
    came
}

#[test]
fn what_was_abandoned_in_flight_is_waited_for_after_a_restore_too() {
    for abandoned in [Abandoned::Only, Abandoned::BeforeRestore] {
        assert_eq!(requests_after(abandoned, false), 1, "the first one is in flight; {abandoned:?}");
    }
}

#[test]
fn what_the_copy_holds_as_abandoned_is_waited_for_after_a_restore_too() {
    for abandoned in [Abandoned::BeforeRestore, Abandoned::ByRestore] {
        assert_eq!(requests_after(abandoned, true), 1, "the first one is in flight; {abandoned:?}");
    }
}

#[test]
fn what_a_correction_has_replaced_does_not_leave_from_a_restored_copy() {
    let (field, receivers) = phone(|_| Ok(answer(422)));
    let session = field.complete();
    let old = field.delivery(session).id.0;
    let copy = back_up(&field, "copy.db");
    field.flush();
    receivers.take();
    let key = field.action(session).key;
    let change = support::app::set("reading", FieldValue::Text("18.5".into()));
    field.compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
    field.compass.send_corrected(session, &key, Some("anna"), &id()).unwrap();
    field.flush();
    assert!(is_sent(&field.compass, session));
    field.compass.close().unwrap();
    restore(&field, &copy);
    let before = field.transport.requests().len();
    let compass = Compass::open(field.options.clone()).unwrap();
    flush(&compass);
    let left: Vec<String> = field.transport.requests()[before..].iter().map(|request| header(request, "webhook-id")).collect();
    assert!(!left.contains(&old), "what was corrected and superseded leaves");
}

#[test]
fn what_was_abandoned_does_not_leave_from_a_copy_that_replaces_a_file_with_a_lost_page() {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    field.backlog(100, OFFICE);
    let abandoned = field.complete();
    let copy = back_up(&field, "copy.db");
    abandon_first(&field, abandoned);
    field.compass.close().unwrap();
    // It lies behind the page.
    support::app::lose_page(field.path(), "outbox");
    put_back(&field, &copy);
    field.open_again();
    assert_eq!(field.flush().sent, 100);
    assert_eq!(field.action(abandoned).reason.as_deref(), Some("abandoned"));
}

/// The restored file keeps what it was told. The replaced one may have lost the first page of its messages.
fn put_back_twice(field: &mut Field, copy: &Path, is_damaged: bool) {
    field.compass.close().unwrap();
    if is_damaged {
        support::app::lose_page(field.path(), "outbox");
    }
    for _ in 0..2 {
        put_back(field, copy);
    }
    field.open_again();
}

#[test]
fn a_correction_after_a_restore_has_a_higher_revision_than_any_that_receivers_have() {
    for is_damaged in [false, true] {
        let (mut field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        field.flush();
        let copy = back_up(&field, "copy.db");
        for reading in ["18.5", "19.5"] {
            correct(&field.compass, session, reading);
            field.flush();
        }
        if is_damaged {
            field.backlog(100, OFFICE);
        }
        put_back_twice(&mut field, &copy, is_damaged);
        correct(&field.compass, session, "20.5");
        field.flush();
        correct(&field.compass, session, "21.5");
        field.flush();
        assert_eq!(revisions(&field), ["1", "2", "3", "4", "5"], "damaged: {is_damaged}");
        assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
    }
}

#[test]
fn a_correction_after_a_restore_names_what_was_delivered_since_the_copy_was_made() {
    // Its answer came, or nobody knows whether it arrived; the page with its row can be read, or not.
    for (answers, is_damaged) in [(true, false), (false, false), (true, true)] {
        let (mut field, _) = phone(move |request| {
            let is_first = header(request, "compass-revision") == "1";
            if answers || !is_first { Ok(answer(202)) } else { Err(failure(FailureKind::Timeout, Phase::Receive, RequestSent::Maybe)) }
        });
        if is_damaged {
            field.backlog(100, OFFICE);
        }
        let session = field.complete();
        let copy = back_up(&field, "copy.db");
        field.flush();
        let delivered = field.action(session).deliveries[0].id.0.clone();
        put_back_twice(&mut field, &copy, is_damaged);
        let waits = field.action(session).deliveries[0].clone();
        assert_eq!((waits.state, waits.may_have_been_delivered, waits.attempts), (DeliveryState::Pending, true, 1));
        assert_eq!(waits.last_attempts[0].outcome, "interrupted");
        correct(&field.compass, session, "20.5");
        field.flush();
        let requests = field.transport.requests();
        let correction = requests.iter().find(|request| header(request, "compass-revision") == "2").unwrap();
        assert_eq!(header(correction, "compass-replaces"), delivered, "answered: {answers}, damaged: {is_damaged}");
        assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
    }
}

#[test]
fn a_damaged_time_hides_nothing_that_was_delivered_since_the_copy_was_made() {
    for damages in ["UPDATE attempt SET at = 9223372036854775807", "DELETE FROM attempt; UPDATE outbox SET sent_at = -9223372036854775807"]
    {
        let (mut field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        let copy = back_up(&field, "copy.db");
        field.flush();
        damage(&field, damages);
        field.compass.close().unwrap();
        restore(&field, &copy);
        field.open_again();
        let waits = field.delivery(session);
        let shown = (waits.may_have_been_delivered, waits.last_attempts[0].at);
        assert_eq!(shown, (true, waits.frozen_at), "{damages}");
        assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
    }
}

#[test]
fn a_copy_with_damaged_counts_of_attempts_takes_the_place_of_a_file_that_knows_of_a_delivery() {
    // It has failed twice; this count cannot rise; that number is taken; nor can this one rise.
    for damages in [
        "UPDATE outbox SET attempts = 9223372036854775807",
        "UPDATE outbox SET attempts = 1",
        "UPDATE outbox SET lease_epoch = 9223372036854775807",
    ] {
        let (field, receivers) = phone(|_| Ok(answer(500)));
        field.complete();
        for _ in 0..2 {
            field.flush();
            field.clock.advance(HOUR);
        }
        let copy = back_up(&field, "copy.db");
        receivers.take();
        field.flush();
        field.compass.close().unwrap();
        support::past_every_rule(&support::app::open_sql(&copy), |file| file.execute_batch(damages).unwrap());
        support::app::fold(&copy);
        restore(&field, &copy);
    }
}

#[test]
fn what_had_not_fired_in_the_copy_has_a_higher_revision_than_any_that_receivers_have() {
    let (mut field, session, copy) = sent_since_the_copy();
    field.flush();
    field.compass.close().unwrap();
    restore(&field, &copy);
    field.open_again();
    let change = support::app::set("reading", FieldValue::Text("18.5".into()));
    field.compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
    send_first(&field, session);
    field.flush();
    assert_eq!(revisions(&field), ["1", "2"]);
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn a_correction_waits_for_one_that_is_in_flight_elsewhere_after_a_restore_too() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.flush();
    let copy = back_up(&field, "copy.db");
    correct(&field.compass, session, "18.5");
    field.compass.close().unwrap();
    let other = field.other_process();
    let running = field.flush_held(&other, "", 2);
    put_back(&field, &copy);
    let compass = Compass::open(field.options.clone()).unwrap();
    correct(&compass, session, "19.5");
    assert_eq!(flush(&compass).attempts, 0, "another revision is in flight");
    let waits = compass.record(session).unwrap().actions[0].deliveries[0].reason.clone();
    field.transport.release();
    joined("the flush", running);
    other.close().unwrap();
    assert_eq!(waits.as_deref(), Some("earlier_revision"));
    field.clock.advance(2 * MINUTE);
    flush(&compass);
    assert_eq!(revisions(&field), ["1", "2", "3"]);
    compass.close().unwrap();
}

#[test]
fn what_had_not_fired_in_the_copy_waits_for_what_is_in_flight_elsewhere() {
    let (field, session, copy) = sent_since_the_copy();
    field.compass.close().unwrap();
    let other = field.other_process();
    let running = field.flush_held(&other, "", 1);
    put_back(&field, &copy);
    let compass = Compass::open(field.options.clone()).unwrap();
    compass.send(session, "tell-0", Some("anna"), &id()).unwrap();
    assert_eq!(flush(&compass).attempts, 0, "the first revision is in flight");
    field.transport.release();
    joined("the flush", running);
    other.close().unwrap();
    field.clock.advance(2 * MINUTE);
    flush(&compass);
    assert_eq!(revisions(&field), ["1", "2"]);
    compass.close().unwrap();
}

#[test]
fn what_waits_in_the_copy_waits_for_what_is_in_flight_elsewhere() {
    // The message itself, or a correction of it.
    for is_corrected in [false, true] {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        let copy = back_up(&field, "copy.db");
        if is_corrected {
            field.flush();
            correct(&field.compass, session, "18.5");
        }
        let before = usize::from(is_corrected);
        field.compass.close().unwrap();
        let other = field.other_process();
        let running = field.flush_held(&other, "", before + 1);
        put_back(&field, &copy);
        let compass = Compass::open(field.options.clone()).unwrap();
        let waits = compass.record(session).unwrap().actions[0].deliveries[0].reason.clone();
        let came = requests_of_a_flush(&field, &compass, before + 2);
        field.transport.release();
        joined("the flush", running);
        other.close().unwrap();
        // Receivers may have the correction: what it replaced does not leave at all.
        let reason = if is_corrected { "abandoned" } else { "in_flight" };
        assert_eq!((came, waits.as_deref()), (before + 1, Some(reason)), "corrected: {is_corrected}");
        field.clock.advance(2 * MINUTE);
        flush(&compass);
        assert_eq!(is_sent(&compass, session), !is_corrected, "corrected: {is_corrected}");
        assert_eq!(compass.check().unwrap().faults, [""; 0]);
        compass.close().unwrap();
    }
}

#[test]
fn an_edit_sends_what_was_replaced_before_a_restore_where_the_document_says_so() {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    let mut document: serde_json::Value = serde_json::from_slice(&workflow("visit", &[OFFICE])).unwrap();
    document["version"] = 2.into();
    document["sections"][0]["actions"][0]["on_edit"] = "send".into();
    field.compass.import_workflow(&serde_json::to_vec(&document).unwrap()).unwrap();
    let session = field.complete();
    let copy = back_up(&field, "copy.db");
    let edit = |compass: &Compass, reading: &str| {
        let change = support::app::set("reading", FieldValue::Text(reading.into()));
        compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
    };
    edit(&field.compass, "18.5");
    field.flush();
    field.compass.close().unwrap();
    restore(&field, &copy);
    field.open_again();
    edit(&field.compass, "19.5");
    field.flush();
    assert_eq!((revisions(&field), field.action(session).edit_not_sent), (vec!["2".to_owned(), "3".to_owned()], None));
    // What a person abandoned stays so.
    edit(&field.compass, "20.5");
    abandon_first(&field, session);
    edit(&field.compass, "21.5");
    field.flush();
    assert_eq!((revisions(&field).len(), field.action(session).edit_not_sent.as_deref()), (2, Some("abandoned")));
}
