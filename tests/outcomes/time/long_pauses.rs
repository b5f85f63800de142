//! Receivers that ask for a pause, or are gone for long, and what a person may do then.

use super::*;

#[test]
fn retry_after_holds_for_the_whole_endpoint_and_is_cut_at_a_day() {
    for (asked, hours) in [("7200", 2), ("1000000000000", 24), ("99999999999999999999999", 24), ("Fri, 31 Dec 2100 23:59:59 GMT", 24)] {
        for status in [429, 503] {
            let (receiver, field) = Receiver::ill(move |_| Ok(answer_with(status, &[("retry-after", asked)])), false);
            field.complete();
            field.flush();
            receiver.repair();
            // Half a second spreads phones; no pause is longer than a day.
            let until = field.now() + (TimeDelta::hours(hours) + TimeDelta::milliseconds(500)).min(TimeDelta::hours(24));
            assert_eq!(field.next_due().at, Some(until), "{asked}");
            let status = &field.compass.endpoints().unwrap()[0];
            assert_eq!(status.paused_until, Some(until));
            // What comes later waits as well.
            let later = field.complete();
            assert_eq!(field.flush().attempts, 0);
            assert_eq!(field.delivery(later).next_attempt_at, Some(until));
            field.advance_to(until - TimeDelta::milliseconds(1));
            assert_eq!(field.flush().attempts, 0, "never before it was asked to");
            field.advance_to(until);
            assert_eq!(field.flush().sent, 2);
        }
    }
}

#[test]
fn an_hour_of_429_with_many_entries_costs_one_look_at_a_time() {
    let (receiver, field) = Receiver::ill(|_| Ok(answer(429)), true);
    field.backlog(200, OFFICE);
    let end = field.now() + TimeDelta::hours(1);
    while field.next_due().at.is_some_and(|at| at <= end) {
        step(&field);
    }
    // Two may be in flight at once at first, then one in each minute, or less often.
    let count = receiver.times().len();
    assert!((3..=62).contains(&count), "{count} requests in an hour");
    receiver.repair();
    while step(&field).is_some() {}
    assert_eq!(field.messages(&[DeliveryState::Sent]).len(), 200);
}

#[test]
fn a_receiver_that_is_down_for_thirty_days_gets_everything_in_the_end() {
    let (receiver, field) = Receiver::ill(|_| Err(failure(FailureKind::Timeout, Phase::Receive, RequestSent::Maybe)), true);
    field.backlog(40, OFFICE);
    let up_again = field.now() + TimeDelta::days(30);
    let mut next_visit = field.now() + TimeDelta::days(5);
    while let Some(at) = field.next_due().at.filter(|at| *at < up_again) {
        // Work goes on meanwhile.
        if at >= next_visit {
            next_visit += TimeDelta::days(5);
            field.complete();
        }
        step(&field);
    }
    let downtime = receiver.times().len();
    assert!(downtime <= 30 * 24 * 3, "not more often than it is told to: {downtime} requests in thirty days");
    let failed = field.messages(&[DeliveryState::Failed]);
    assert!(failed.iter().all(|item| item.delivery.reason.as_deref() == Some("exhausted")));
    assert!(failed.iter().all(|item| item.delivery.attempts >= 12));

    field.advance_to(up_again);
    receiver.repair();
    while step(&field).is_some() {}
    assert_eq!(field.messages(&[DeliveryState::Pending]).len(), 0);
    // A person who repairs the endpoint brings the rest along; to switch it off and on repairs nothing.
    field.compass.set_endpoint_enabled(OFFICE, false).unwrap();
    field.compass.set_endpoint_enabled(OFFICE, true).unwrap();
    assert_eq!(field.flush().attempts, 0);
    field.compass.put_endpoint(&endpoint(OFFICE, "https://office.example/new")).unwrap();
    field.flush();
    let all = field.messages(&ALL_STATES);
    assert!(all.iter().all(|item| item.delivery.state == DeliveryState::Sent));
    assert_eq!(all.len(), 45);
}

#[test]
fn one_message_that_always_fails_delays_no_other() {
    let poison = Arc::new(Mutex::new(String::new()));
    let known = poison.clone();
    let field = Field::new(ScriptedTransport::new(move |request| {
        Ok(answer(if header(request, "webhook-id") == *known.lock().unwrap() { 500 } else { 202 }))
    }));
    let bad = field.complete();
    *poison.lock().unwrap() = field.delivery(bad).id.0;
    field.backlog(200, OFFICE);
    let report = field.flush();
    assert_eq!((report.sent, report.retrying, report.pending), (200, 1, 1));
    // Nor later: every day brings new ones.
    while failed_reason(&field, bad).is_none() {
        let session = field.complete();
        field.flush();
        assert_eq!(field.action(session).status, ActionStatus::Sent);
        step(&field).expect("the bad one is tried again");
    }
    assert_eq!(failed_reason(&field, bad).as_deref(), Some("exhausted"));
}

#[test]
fn a_dead_endpoint_delays_no_other() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    field.compass.put_endpoint(&endpoint("depot", "https://depot.example/")).unwrap();
    field.transport.hold("https://depot.example/");
    field.backlog(60, "depot");
    field.backlog(60, OFFICE);
    field.compass.start_delivery().unwrap();
    let sent_to_office =
        |compass: &Compass| messages(compass, &[DeliveryState::Sent]).iter().filter(|item| item.delivery.endpoint == OFFICE).count();
    Watch::on(&field.compass).until("the office has all of its messages", |compass| sent_to_office(compass) == 60);
    field.transport.release();
    Watch::on(&field.compass).until("the depot has its messages too", |compass| compass.outbox_totals().unwrap().pending == 0);
}

// Sends, locks and revival ------------------------------------------------------------------------------------------------------------

#[test]
fn more_than_three_failed_sends_lock_and_every_send_is_the_same_message() {
    let (receiver, field) = Receiver::ill(|_| Ok(answer(422)), false);
    let session = field.complete();
    let id = field.delivery(session).id;
    field.flush();
    for sends in 1..=3 {
        let action = field.action(session);
        assert_eq!((action.status, action.failed_sends, action.locked), (ActionStatus::Failed, sends, false));
        field.compass.send(session, "tell-0", Some("anna"), &crate::support::field::id()).unwrap();
        assert_eq!(field.action(session).status, ActionStatus::Pending);
        assert_eq!(field.flush().failed, 1);
    }
    let action = field.action(session);
    assert_eq!((action.failed_sends, action.locked, action.can_send, action.can_send_corrected), (4, true, false, false));
    assert!(matches!(
        field.compass.send(session, "tell-0", None, &crate::support::field::id()),
        Err(Error::ActionLocked { failed_sends: 4, .. })
    ));
    assert!(matches!(field.compass.send_corrected(session, "tell-0", None, &crate::support::field::id()), Err(Error::ActionLocked { .. })));
    assert_eq!(field.compass.send_failed_again(None).unwrap(), 0);

    let requests = field.transport.requests();
    assert_eq!(requests.len(), 4);
    for (index, request) in requests.iter().enumerate() {
        assert_eq!((header(request, "webhook-id"), &request.body), (id.0.clone(), &requests[0].body));
        assert_eq!(header(request, "compass-attempt"), (index + 1).to_string());
    }
    // Its bytes were refused: a better endpoint does not change that.
    receiver.repair();
    field.compass.put_endpoint(&endpoint(OFFICE, "https://office.example/new")).unwrap();
    assert_eq!(field.flush().attempts, 0);
    assert_eq!(field.action(session).status, ActionStatus::Failed);
}

#[test]
fn revival_by_a_repaired_endpoint_neither_counts_nor_is_locked() {
    let (receiver, field) = Receiver::ill(|_| Ok(answer(404)), false);
    let session = field.complete();
    let id = field.delivery(session).id;
    let fail = |field: &Field| {
        while field.action(session).status != ActionStatus::Failed {
            step(field).expect("it is tried until it fails");
        }
    };
    fail(&field);
    assert_eq!(field.action(session).failed_sends, 1);
    for number in 0..5 {
        // The same endpoint again repairs nothing.
        let url = format!("https://office.example/{number}");
        field.compass.put_endpoint(&endpoint(OFFICE, &url)).unwrap();
        assert_eq!(field.action(session).status, ActionStatus::Pending, "revived by change {number}");
        fail(&field);
        assert_eq!(field.action(session).failed_sends, 1, "by itself, so it does not count");
        field.compass.put_endpoint(&endpoint(OFFICE, &url)).unwrap();
        assert_eq!(field.action(session).status, ActionStatus::Failed);
    }
    while !field.action(session).locked {
        field.compass.send(session, "tell-0", None, &crate::support::field::id()).unwrap();
        fail(&field);
    }
    assert_eq!(field.action(session).failed_sends, 4);
    receiver.repair();
    field.compass.put_endpoint(&endpoint(OFFICE, "https://office.example/well")).unwrap();
    assert_eq!(field.flush().sent, 1, "locked for the person, not for the endpoint");
    assert!(field.transport.requests().iter().all(|request| header(request, "webhook-id") == id.0));
}

#[test]
fn a_gone_endpoint_stops_everything_until_it_is_enabled() {
    let (receiver, field) = Receiver::ill(|_| Ok(answer(410)), false);
    field.backlog(30, OFFICE);
    let report = field.flush();
    assert!((1..=2).contains(&report.failed), "as many as were in flight: {report:?}");
    assert_eq!(report.attempts, report.failed);
    let status = &field.compass.endpoints().unwrap()[0];
    assert_eq!((status.enabled, status.disabled_reason.as_deref()), (false, Some("gone")));
    assert_eq!(field.next_due(), NextDue { needs_person: true, ..NextDue::default() });
    assert!(field.messages(&[DeliveryState::Pending]).iter().all(|item| item.delivery.reason.as_deref() == Some("endpoint_disabled")));
    field.clock.advance(30 * DAY + MINUTE);
    assert_eq!(field.flush().attempts, 0);
    receiver.repair();
    field.compass.set_endpoint_enabled(OFFICE, true).unwrap();
    assert_eq!(field.flush().sent, 30, "the gone ones and those that waited");
}
