//! Replays: a receiver that lost its data gets delivered messages once more, with the same id and bytes.

use compass_core::{DiscardUndelivered, RestoreOptions};

use super::*;

fn replay(field: &Field, session: SessionKey) -> RecordOutcome {
    field.compass.replay(session, "tell-0", Some("anna"), &id()).unwrap()
}

fn to_office() -> ReplayFilter {
    ReplayFilter { endpoint: OFFICE.into(), ..ReplayFilter::default() }
}

/// Ids of the requests that came, in order.
fn came(field: &Field) -> Vec<String> {
    field.transport.requests().iter().map(|request| header(request, "webhook-id")).collect()
}

/// States of the replays of the action, newest first.
fn replays(field: &Field, session: SessionKey) -> Vec<(u32, DeliveryState, Option<String>)> {
    field.action(session).replays.into_iter().map(|replay| (replay.replay, replay.state, replay.reason)).collect()
}

/// A session whose message was delivered.
fn delivered(field: &Field) -> SessionKey {
    let session = field.complete();
    field.flush();
    assert_eq!(field.action(session).status, ActionStatus::Sent);
    session
}

fn undamaged(field: &Field) {
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

fn keep_bodies_for_two_days(options: &mut Options) {
    options.body_retention = 2 * DAY;
}

/// So many days, one after the other: the age of a database grows by a few days at most in one step.
fn days(field: &Field, count: u32) {
    for _ in 0..count {
        field.clock.advance(DAY);
        field.flush();
    }
}

#[test]
fn a_replay_sends_the_same_id_and_bytes_and_changes_nothing_else() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = delivered(&field);
    let before = field.action(session);
    assert!(before.can_replay && !before.can_abandon);
    assert_eq!(replay(&field, session).applied, Applied::Yes);
    let waits = field.action(session);
    assert!(!waits.can_replay && waits.can_abandon, "one at a time");
    assert_eq!((waits.status, &waits.deliveries), (ActionStatus::Sent, &before.deliveries), "the message stays as it was");
    assert_eq!(replays(&field, session), [(1, DeliveryState::Pending, None)]);
    assert_eq!(replay(&field, session).applied, Applied::Stale);
    let listed = field.messages(&[]);
    assert_eq!(listed.iter().map(|item| (item.delivery.replay, item.session)).collect::<Vec<_>>(), [(1, session)]);
    assert_eq!(field.compass.outbox_totals().unwrap().pending, 1);
    field.flush();
    let requests = field.transport.requests();
    assert_eq!(came(&field), [before.deliveries[0].id.0.clone(), before.deliveries[0].id.0.clone()]);
    assert_eq!(requests[0].body, requests[1].body);
    assert_eq!(replays(&field, session), [(1, DeliveryState::Sent, None)]);
    assert_eq!(field.action(session).deliveries, before.deliveries);
    replay(&field, session);
    field.flush();
    assert_eq!(replays(&field, session), [(2, DeliveryState::Sent, None), (1, DeliveryState::Sent, None)]);
    let timeline = field.compass.record(session).unwrap().timeline;
    let asked = timeline.iter().filter(|line| matches!(line.entry, TimelineEntry::SendRequested { replay: true, .. })).count();
    assert_eq!(asked, 2);
    undamaged(&field);
}

#[test]
fn only_what_was_delivered_is_replayed() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    assert!(!field.action(session).can_replay);
    let refused = field.compass.replay(session, "tell-0", None, &id()).unwrap_err();
    assert_eq!(refused.code(), "action_status");
    assert_eq!(field.compass.replay_session(session, None, &id()).unwrap().applied, Applied::Stale);
    assert_eq!(field.compass.replay_sent(&to_office(), None, None).unwrap(), ReplayReport::default());
}

#[test]
fn what_was_delivered_to_an_endpoint_whose_row_is_lost_is_replayed() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = delivered(&field);
    let nowhere = ReplayFilter { endpoint: "nowhere".into(), ..ReplayFilter::default() };
    let refused = field.compass.replay_sent(&nowhere, None, None).unwrap_err();
    assert_eq!((refused.code(), refused.place().as_deref()), ("unknown_endpoint", Some("nowhere")));
    sql(&field).execute("DELETE FROM endpoint", []).unwrap();
    assert_eq!(field.compass.replay_sent(&to_office(), None, None).unwrap().replayed, 1);
    assert_eq!(replays(&field, session), [(1, DeliveryState::Pending, Some("endpoint_unknown".into()))]);
    let none_left = field.compass.replay_sent(&to_office(), None, None).unwrap();
    assert_eq!(none_left, ReplayReport::default(), "the key is known by its message");
    let of_its_actions = NotFiredFilter { endpoint: Some(OFFICE.into()), ..NotFiredFilter::default() };
    assert_eq!(field.compass.send_not_fired(&of_its_actions, None).unwrap(), 0);
}

#[test]
fn the_newest_delivered_revision_is_replayed() {
    let (field, _) = phone_with(|_| Ok(answer(202)), one_at_a_time);
    let session = delivered(&field);
    let change = support::app::set("reading", FieldValue::Text("18.5".into()));
    field.compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
    field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap();
    replay(&field, session);
    field.flush();
    let requests = field.transport.requests();
    let revisions: Vec<_> = requests.iter().map(|request| header(request, "compass-revision")).collect();
    assert_eq!(revisions, ["1", "2", "1"], "the correction, which was never delivered, goes first");
    assert_eq!(field.compass.replay_sent(&to_office(), None, None).unwrap().replayed, 1);
    field.flush();
    let request = &field.transport.requests()[3];
    assert_eq!((header(request, "compass-revision"), &request.body), ("2".to_owned(), &requests[1].body));
    assert_eq!(header(request, "compass-replaces"), came(&field)[0], "each id once");
    undamaged(&field);
}

#[test]
fn replays_go_after_messages_that_were_never_delivered() {
    let (field, receivers) = phone_with(|_| Ok(answer(202)), one_at_a_time);
    let old: Vec<_> = (0..3).map(|_| delivered(&field)).collect();
    assert_eq!(field.compass.replay_sent(&to_office(), Some("anna"), None).unwrap().replayed, 3);
    receivers.now(|_| Ok(answer(503)));
    let fails = field.complete();
    field.flush();
    receivers.take();
    field.clock.advance(HOUR);
    let new = field.complete();
    let before = came(&field).len();
    field.flush();
    let id_of = |session| field.delivery(session).id.0;
    let mut expected = vec![id_of(new), id_of(fails)];
    let order = came(&field).split_off(before);
    let mut first = order[..2].to_vec();
    expected.sort();
    first.sort();
    assert_eq!(first, expected, "both new ones");
    assert_eq!(order[2..], old.iter().map(|session| id_of(*session)).collect::<Vec<_>>(), "oldest first");
    undamaged(&field);
}

#[test]
fn a_replay_that_fails_needs_a_person_and_counts_for_nothing() {
    let (field, receivers) = phone(|_| Ok(answer(202)));
    let session = delivered(&field);
    receivers.now(|_| Ok(answer(400)));
    for _ in 0..6 {
        assert_eq!(replay(&field, session).applied, Applied::Yes, "it is tried again as often as a person likes");
        field.flush();
        assert_eq!(replays(&field, session), [(1, DeliveryState::Failed, Some("rejected".to_owned()))]);
    }
    let action = field.action(session);
    assert_eq!((action.status, action.failed_sends, action.locked), (ActionStatus::Sent, 0, false));
    assert_eq!(field.compass.outbox_totals().unwrap().needs_person, 1);
    assert_eq!(field.compass.send_failed_again(None).unwrap(), 0, "only a person who asks for a replay repeats it");
    field.compass.put_endpoint(&endpoint(OFFICE, "https://other.example/in")).unwrap();
    assert_eq!(field.flush().attempts, 0, "nor does a change of the endpoint");
    assert_eq!(field.compass.purge(Duration::ZERO).unwrap().purged, 0, "it keeps its session");
    abandon_first(&field, session);
    assert_eq!(replays(&field, session), [(1, DeliveryState::Failed, Some("abandoned".to_owned()))]);
    assert_eq!(field.action(session).status, ActionStatus::Sent);
    receivers.take();
    replay(&field, session);
    field.flush();
    assert_eq!(replays(&field, session)[0], (2, DeliveryState::Sent, None));
    undamaged(&field);
    assert_eq!(field.compass.purge(Duration::ZERO).unwrap().purged, 1);
}

#[test]
fn a_replay_that_is_abandoned_does_not_leave() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = delivered(&field);
    replay(&field, session);
    let outcome = field.compass.abandon_session(session, "anna", "they found it", &id()).unwrap();
    assert_eq!((outcome.applied, outcome.in_flight), (Applied::Yes, false));
    assert_eq!(field.flush().attempts, 0);
    assert!(!field.action(session).can_abandon);
    undamaged(&field);
}

#[test]
fn a_410_for_a_replay_disables_its_endpoint() {
    let (field, receivers) = phone(|_| Ok(answer(202)));
    let session = delivered(&field);
    receivers.now(|_| Ok(answer(410)));
    replay(&field, session);
    field.flush();
    assert_eq!(replays(&field, session), [(1, DeliveryState::Failed, Some("gone".to_owned()))]);
    let waits = field.complete();
    assert_eq!(field.action(waits).reason.as_deref(), Some("endpoint_disabled"));
    receivers.take();
    field.compass.set_endpoint_enabled(OFFICE, true).unwrap();
    field.flush();
    assert_eq!(field.action(waits).status, ActionStatus::Sent);
    assert_eq!(replays(&field, session), [(1, DeliveryState::Failed, Some("gone".to_owned()))], "it is not revived by itself");
}

#[test]
fn a_body_that_was_dropped_is_not_replayed() {
    let (field, _) = phone_with(|_| Ok(answer(202)), keep_bodies_for_two_days);
    let session = delivered(&field);
    days(&field, 4);
    assert_eq!(field.compass.delivery_body(&field.delivery(session).id).unwrap(), None);
    assert_eq!(field.compass.replay(session, "tell-0", None, &id()).unwrap_err().code(), "body_dropped");
    let report = field.compass.replay_sent(&to_office(), None, None).unwrap();
    assert_eq!((report.replayed, report.body_dropped, report.left), (0, 1, 0));
    assert_eq!(field.flush().attempts, 0);
    undamaged(&field);
}

#[test]
fn a_replay_that_waits_keeps_its_body() {
    let (field, receivers) = phone_with(|_| Ok(answer(202)), keep_bodies_for_two_days);
    let session = delivered(&field);
    receivers.now(no_network);
    replay(&field, session);
    days(&field, 9);
    receivers.take();
    field.clock.advance(HOUR);
    field.flush();
    let requests = field.transport.requests();
    assert_eq!(replays(&field, session), [(1, DeliveryState::Sent, None)]);
    assert_eq!(requests[0].body, requests.last().unwrap().body);
    days(&field, 4);
    assert_eq!(field.compass.delivery_body(&field.delivery(session).id).unwrap(), None);
    undamaged(&field);
}

#[test]
fn an_endpoint_is_replayed_by_time_in_parts() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let first = delivered(&field);
    field.clock.advance(HOUR);
    field.compass.put_endpoint(&endpoint("depot", "https://depot.example/in")).unwrap();
    field.compass.import_workflow(&workflow("delivery", &["depot"])).unwrap();
    complete(&field.compass, "delivery");
    field.backlog(1_002, OFFICE);
    field.flush();
    let sent_at = field.delivery(first).sent_at.unwrap();
    let before = ReplayFilter { sent_until: Some(sent_at + TimeDelta::minutes(1)), ..to_office() };
    assert_eq!(field.compass.replay_sent(&before, None, None).unwrap().replayed, 1);
    let after = ReplayFilter { sent_from: Some(sent_at + TimeDelta::minutes(1)), ..to_office() };
    let report = field.compass.replay_sent(&after, None, None).unwrap();
    assert_eq!((report.replayed, report.left), (1_000, 2));
    let rest = field.compass.replay_sent(&after, None, report.next.as_deref()).unwrap();
    assert_eq!((rest.replayed, rest.left, rest.next), (2, 0, None));
    let again = field.compass.replay_sent(&to_office(), None, None).unwrap();
    assert_eq!((again.replayed, again.left), (0, 3), "those that wait are not replayed twice");
    assert_eq!(field.compass.replay_sent(&to_office(), None, Some("x")).unwrap_err().code(), "invalid_argument");
    field.flush();
    assert_eq!(came(&field).len(), 2 * 1_003 + 1);
}

#[test]
fn a_redaction_stops_a_replay() {
    for pending in [RedactPending::Abandon, RedactPending::Correct, RedactPending::Keep] {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = delivered(&field);
        replay(&field, session);
        let redaction = Redaction {
            command_id: id(),
            target: RedactionTarget::Field { key: "reading".into() },
            actor: "anna".into(),
            reason: "not ours to know".into(),
            pending,
            bodies: RedactBodies::Keep,
        };
        let outcome = field.compass.redact(session, &redaction).unwrap();
        assert_eq!(outcome.bodies, [field.delivery(session).id], "each message once");
        field.flush();
        let expected = if pending == RedactPending::Keep { (DeliveryState::Sent, 2) } else { (DeliveryState::Failed, 1) };
        assert_eq!((replays(&field, session)[0].1, came(&field).len()), expected, "{pending:?}");
        assert_eq!(field.compass.replay(session, "tell-0", None, &id()).unwrap_err().code(), "body_dropped");
        undamaged(&field);
    }
}

#[test]
fn a_restore_sends_no_replay() {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    let session = delivered(&field);
    replay(&field, session);
    let copy = field.folder.path().join("copy.db");
    field.compass.backup(&copy).unwrap();
    field.compass.close().unwrap();
    let options = RestoreOptions::new(field.path());
    assert_eq!(Compass::restore(&copy, &options).unwrap_err().code(), "undelivered", "a replay that waits is not lost silently");
    let discard = DiscardUndelivered { actor: "anna".into(), reason: "an old copy".into() };
    Compass::restore(&copy, &options.discard_undelivered(discard)).unwrap();
    field.open_again();
    assert_eq!(field.flush().attempts, 0);
    assert_eq!(replays(&field, session), [(1, DeliveryState::Failed, Some("abandoned".to_owned()))]);
    assert_eq!(field.action(session).status, ActionStatus::Sent);
    undamaged(&field);
    // Also on another phone.
    field.compass.close().unwrap();
    field.options.path = field.folder.path().join("other.db");
    Compass::restore(&copy, &RestoreOptions::new(field.path())).unwrap();
    field.open_again();
    assert_eq!(field.flush().attempts, 0);
    undamaged(&field);
}

#[test]
fn a_damaged_message_keeps_no_other_of_its_session_from_being_replayed() {
    let (field, _) = phone(|_| Ok(answer(202)));
    field.compass.import_workflow(&workflow("two", &[OFFICE, OFFICE])).unwrap();
    let session = complete(&field.compass, "two");
    field.flush();
    damage(&field, "UPDATE outbox SET delivery_id = CAST(x'ff' || substr(delivery_id, 2) AS TEXT) WHERE id = 1");
    assert_eq!(field.compass.replay_session(session, Some("anna"), &id()).unwrap().applied, Applied::Yes);
    field.flush();
    assert_eq!(came(&field).len(), 3);
}

#[test]
fn a_failed_replay_stays_where_the_newer_revision_has_no_body() {
    let (field, receivers) = phone_with(|_| Ok(answer(202)), keep_bodies_for_two_days);
    let session = delivered(&field);
    receivers.now(|_| Ok(answer(400)));
    replay(&field, session);
    field.flush();
    receivers.take();
    let change = support::app::set("reading", FieldValue::Text("18.5".into()));
    field.compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
    field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap();
    field.flush();
    days(&field, 4);
    assert_eq!(field.compass.replay_sent(&to_office(), None, None).unwrap().body_dropped, 1);
    assert_eq!(replays(&field, session), [(1, DeliveryState::Failed, Some("rejected".to_owned()))], "nobody abandoned it");
    undamaged(&field);
}

#[test]
fn a_replay_that_is_asked_for_again_waits_for_the_one_in_flight() {
    for is_elsewhere in [false, true] {
        let (field, _) = phone(|_| Ok(answer(202)));
        register(&field, "lab");
        let session = delivered(&field);
        replay(&field, session);
        let other = is_elsewhere.then(|| Compass::open(field.options.clone().as_other_process()).unwrap());
        field.transport.hold(OFFICE_URL);
        let running = flushing(other.as_ref().unwrap_or(&field.compass));
        field.transport.wait_for_requests(2);
        assert!(abandon_first(&field, session).in_flight);
        assert_eq!(replay(&field, session).applied, Applied::Yes);
        assert_eq!(replays(&field, session)[0], (2, DeliveryState::Pending, Some("in_flight".to_owned())));
        // What is claimed now is claimed together with this.
        complete_for(&field, "lab");
        if let Some(other) = &other {
            other.refresh().unwrap();
            field.flush();
        }
        eventually("the lab has its message", || requests_to(&field, &url("lab")) == 1);
        assert_eq!(requests_to(&field, OFFICE_URL), 2, "elsewhere: {is_elsewhere}");
        field.transport.release();
        joined("the flush", running);
        field.flush();
        let both = [(2, DeliveryState::Sent, None), (1, DeliveryState::Sent, None)];
        assert_eq!((replays(&field, session), requests_to(&field, OFFICE_URL)), (both.to_vec(), 3), "elsewhere: {is_elsewhere}");
        undamaged(&field);
        other.iter().for_each(|other| other.close().unwrap());
    }
}

#[test]
fn a_redacted_value_does_not_leave_because_an_earlier_replay_kept_it() {
    for bodies in [RedactBodies::Keep, RedactBodies::Forget] {
        let (field, _) = phone_with(|_| Ok(answer(202)), |options| options.body_retention = 4 * DAY);
        let session = delivered(&field);
        days(&field, 3);
        replay(&field, session);
        // The message has released its bytes, and the replay keeps them.
        days(&field, 3);
        assert!(field.compass.delivery_body(&field.delivery(session).id).unwrap().is_some());
        let redaction = Redaction {
            command_id: id(),
            target: RedactionTarget::Field { key: "reading".into() },
            actor: "anna".into(),
            reason: "not ours to know".into(),
            pending: RedactPending::Abandon,
            bodies,
        };
        field.compass.redact(session, &redaction).unwrap();
        assert_eq!(field.compass.replay(session, "tell-0", None, &id()).unwrap_err().code(), "body_dropped", "{bodies:?}");
        assert_eq!(field.compass.replay_session(session, None, &id()).unwrap().applied, Applied::Stale, "{bodies:?}");
        assert_eq!(field.compass.replay_sent(&to_office(), None, None).unwrap().body_dropped, 1, "{bodies:?}");
        field.flush();
        assert_eq!(came(&field).len(), 2, "{bodies:?}");
        undamaged(&field);
    }
}

#[test]
fn a_body_that_was_lost_is_made_again_for_a_replay() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = delivered(&field);
    damage(&field, "DELETE FROM body");
    assert_eq!(replay(&field, session).applied, Applied::Yes);
    field.flush();
    let requests = field.transport.requests();
    assert_eq!((requests.len(), &requests[1].body), (2, &requests[0].body));
    undamaged(&field);
    // Not where the session says something else by now.
    let change = support::app::set("reading", FieldValue::Text("18.5".into()));
    field.compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
    damage(&field, "DELETE FROM body");
    assert_eq!(field.compass.replay(session, "tell-0", None, &id()).unwrap_err().code(), "body_dropped");
}

#[test]
fn replays_begin_after_messages_that_have_failed_before() {
    let (field, receivers) = phone_with(|_| Ok(answer(202)), one_at_a_time);
    let old: Vec<_> = (0..4).map(|_| delivered(&field)).collect();
    receivers.now(|_| Ok(answer(503)));
    let fail: Vec<_> = (0..3).map(|_| field.complete()).collect();
    for _ in 0..4 {
        field.flush();
        field.clock.advance(HOUR);
    }
    assert!(fail.iter().all(|session| field.delivery(*session).attempts > 0));
    receivers.take();
    assert_eq!(field.compass.replay_sent(&to_office(), Some("anna"), None).unwrap().replayed, 4);
    field.clock.advance(HOUR);
    let before = came(&field).len();
    field.flush();
    let ids = |sessions: &[SessionKey]| sessions.iter().map(|session| field.delivery(*session).id.0).collect::<Vec<_>>();
    let order = came(&field).split_off(before);
    let (mut first, mut expected) = (order[..3].to_vec(), ids(&fail));
    first.sort();
    expected.sort();
    assert_eq!((first, &order[3..]), (expected, &ids(&old)[..]), "{order:?}");
}

#[test]
fn a_replay_of_an_earlier_revision_that_waits_is_abandoned_for_the_newest_delivered_one() {
    for how in 0..3 {
        let (field, receivers) = phone(|_| Ok(answer(202)));
        let session = delivered(&field);
        receivers.now(|request| Ok(answer(if header(request, "compass-revision") == "2" { 202 } else { 503 })));
        replay(&field, session);
        field.flush();
        let change = support::app::set("reading", FieldValue::Text("18.5".into()));
        field.compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
        field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap();
        field.clock.advance(2 * MINUTE);
        field.flush();
        let before = field.transport.requests().len();
        let action = field.action(session);
        assert_eq!((action.delivered_revision, action.can_replay), (Some(2), true));
        assert_eq!((action.replays[0].revision, action.replays[0].state), (1, DeliveryState::Pending));
        // It loses it once more.
        receivers.take();
        match how {
            0 => assert_eq!(replay(&field, session).applied, Applied::Yes),
            1 => assert_eq!(field.compass.replay_session(session, None, &id()).unwrap().applied, Applied::Yes),
            _ => assert_eq!(field.compass.replay_sent(&to_office(), None, None).unwrap().replayed, 1),
        }
        assert!(!field.action(session).can_replay, "it waits");
        field.clock.advance(HOUR);
        field.flush();
        let revisions: Vec<_> = field.transport.requests()[before..].iter().map(|request| header(request, "compass-revision")).collect();
        assert_eq!(revisions, ["2"], "{how}");
        let abandoned = (1, DeliveryState::Failed, Some("abandoned".to_owned()));
        assert_eq!(replays(&field, session), [(1, DeliveryState::Sent, None), abandoned], "{how}");
        undamaged(&field);
    }
}

#[test]
fn the_newest_delivered_revision_waits_for_a_replay_of_an_earlier_one_in_flight() {
    for is_elsewhere in [false, true] {
        let (field, receivers) = phone(|_| Ok(answer(202)));
        let session = delivered(&field);
        receivers.now(|_| Ok(answer(503)));
        replay(&field, session);
        field.flush();
        receivers.take();
        let change = support::app::set("reading", FieldValue::Text("18.5".into()));
        field.compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
        field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap();
        field.flush();
        assert_eq!(replays(&field, session), [(1, DeliveryState::Pending, Some("server_error".to_owned()))]);
        field.clock.advance(HOUR);
        let other = is_elsewhere.then(|| field.other_process());
        let running = field.flush_held(other.as_ref().unwrap_or(&field.compass), "", 4);
        assert_eq!(replay(&field, session).applied, Applied::Yes);
        assert_eq!(replays(&field, session)[0], (1, DeliveryState::Pending, Some("in_flight".to_owned())), "elsewhere: {is_elsewhere}");
        let came = other.is_some().then(|| requests_of_a_flush(&field, &field.compass, 5));
        field.transport.release();
        joined("the flush", running);
        field.flush();
        assert!(came.is_none_or(|came| came == 4), "beside the earlier one");
        assert_eq!(replays(&field, session), [(1, DeliveryState::Sent, None), (1, DeliveryState::Sent, None)]);
        assert_eq!(header(field.transport.requests().last().unwrap(), "compass-revision"), "2");
        assert_eq!(field.transport.requests().len(), 5);
        undamaged(&field);
        other.iter().for_each(|other| other.close().unwrap());
    }
}

#[test]
fn a_replay_that_gave_way_while_its_secrets_are_looked_up_does_not_leave() {
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let (field, receivers) = phone_with(|_| Ok(answer(202)), |options| options.secrets = secrets_store.clone());
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    let session = delivered(&field);
    receivers.now(|request| Ok(answer(if header(request, "compass-revision") == "2" { 202 } else { 503 })));
    replay(&field, session);
    field.flush();
    let change = support::app::set("reading", FieldValue::Text("18.5".into()));
    field.compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
    field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap();
    field.clock.advance(2 * MINUTE);
    field.flush();
    assert_eq!(field.action(session).delivered_revision, Some(2));
    receivers.take();
    let before = field.transport.requests().len();
    field.clock.advance(HOUR);
    let came = secrets_store.gate.came();
    secrets_store.gate.close();
    let running = flushing(&field.compass);
    secrets_store.gate.wait_for(came + 1);
    assert_eq!(replay(&field, session).applied, Applied::Yes);
    secrets_store.gate.open();
    joined("the flush", running);
    field.flush();
    let revisions: Vec<_> = field.transport.requests()[before..].iter().map(|request| header(request, "compass-revision")).collect();
    assert_eq!(revisions, ["2"]);
    undamaged(&field);
}
