//! Decisions are obeyed at once, also by what was claimed already: what has not begun does not leave.

use super::*;

const ACTIONS: usize = 20;

/// A phone with one session of twenty messages, of which two are in flight at the office and all others are claimed.
struct Claimed {
    field: Field,
    session: SessionKey,
    running: JoinHandle<FlushReport>,
}

impl Claimed {
    fn new() -> Self {
        let (field, _) = phone(|_| Ok(answer(202)));
        Self::on(field)
    }

    fn on(field: Field) -> Self {
        field.compass.import_workflow(&workflow("round", &[OFFICE; ACTIONS])).unwrap();
        let session = complete(&field.compass, "round");
        let running = field.flush_held(&field.compass, OFFICE_URL, 2);
        assert_eq!(state_count(&field, "leased"), ACTIONS as i64, "the whole batch is claimed");
        Self { field, session, running }
    }

    /// The two in flight are answered, and the flush ends.
    fn go_on(self) -> (Field, SessionKey, FlushReport) {
        self.field.transport.release();
        (self.field, self.session, joined("the flush", self.running))
    }
}

fn state_count(field: &Field, state: &str) -> i64 {
    sql(field).query_row("SELECT count(*) FROM outbox WHERE state = ?1", [state], |row| row.get(0)).unwrap()
}

fn abandon(compass: &Compass, session: SessionKey, action: usize) -> RecordOutcome {
    compass.abandon(session, &format!("tell-{action}"), "anna", "handed in on paper", &id()).unwrap()
}

/// Which of the actions of a session were begun, by their messages.
fn begun(field: &Field, session: SessionKey) -> Vec<bool> {
    let sent: BTreeSet<String> = field.transport.requests().iter().map(|request| header(request, "webhook-id")).collect();
    field.compass.record(session).unwrap().actions.iter().map(|action| sent.contains(&action.deliveries[0].id.0)).collect()
}

#[test]
fn when_the_integration_is_switched_off_nothing_begins_any_more() {
    let claimed = Claimed::new();
    claimed.field.compass.set_integration_enabled(false).unwrap();
    let (field, session, report) = claimed.go_on();
    assert_eq!((report.attempts, report.sent, report.pending), (2, 2, 18));
    assert_eq!(field.transport.requests().len(), 2, "what was in flight alone");
    for action in field.compass.record(session).unwrap().actions.iter().filter(|action| action.status == ActionStatus::Pending) {
        assert_eq!(action.reason.as_deref(), Some("integration_off"));
        assert_eq!((action.deliveries[0].attempts, action.deliveries[0].may_have_been_delivered), (0, false), "as if never claimed");
    }
    field.compass.set_integration_enabled(true).unwrap();
    assert_eq!(field.flush().sent, 18, "it leaves once it is on again");
}

#[test]
fn an_endpoint_that_is_disabled_or_archived_gets_nothing_any_more() {
    for (archived, reason) in [(false, "endpoint_disabled"), (true, "endpoint_archived")] {
        let claimed = Claimed::new();
        if archived {
            claimed.field.compass.archive_endpoint(OFFICE).unwrap();
        } else {
            claimed.field.compass.set_endpoint_enabled(OFFICE, false).unwrap();
        }
        let (field, _, report) = claimed.go_on();
        assert_eq!((report.attempts, report.sent, report.pending, field.transport.requests().len()), (2, 2, 18, 2));
        assert!(field.messages(&[DeliveryState::Pending]).iter().all(|item| item.delivery.reason.as_deref() == Some(reason)));
    }
}

#[test]
fn an_endpoint_that_moves_takes_what_was_claimed_along() {
    let claimed = Claimed::new();
    claimed.field.compass.put_endpoint(&endpoint(OFFICE, "https://new.example/hook")).unwrap();
    let (field, _, report) = claimed.go_on();
    assert_eq!((report.sent, report.pending), (20, 0));
    assert_eq!((requests_to(&field, OFFICE_URL), requests_to(&field, "https://new.example/")), (2, 18));
}

#[test]
fn a_new_header_or_secret_of_an_endpoint_is_used_by_what_was_claimed() {
    let claimed = Claimed::new();
    let header = EndpointHeader { name: "x-depot".to_owned(), value: HeaderValue::Plain("north".to_owned()) };
    claimed.field.compass.put_endpoint(&Endpoint { headers: vec![header], ..endpoint(OFFICE, OFFICE_URL) }).unwrap();
    let (field, _, report) = claimed.go_on();
    assert_eq!(report.sent, 20);
    let with = field.transport.requests().iter().filter(|request| support::field::header(request, "x-depot") == "north").count();
    assert_eq!(with, 18);
}

#[test]
fn a_message_that_was_abandoned_before_it_began_does_not_leave() {
    let claimed = Claimed::new();
    let last = begun(&claimed.field, claimed.session).iter().rposition(|begun| !begun).unwrap();
    let outcome = abandon(&claimed.field.compass, claimed.session, last);
    assert_eq!((outcome.applied, outcome.in_flight), (Applied::Yes, false));
    let (field, session, report) = claimed.go_on();
    assert_eq!((report.attempts, report.sent, report.pending), (19, 19, 0));
    let action = &field.compass.record(session).unwrap().actions[last];
    assert_eq!((action.status, action.reason.as_deref()), (ActionStatus::Failed, Some("abandoned")));
    assert!(!begun(&field, session)[last]);
    let delivery = &action.deliveries[0];
    assert_eq!((delivery.attempts, delivery.last_attempts.len()), (0, 0), "it never left the phone");
    assert!(!delivery.may_have_been_delivered);
}

#[test]
fn a_redaction_abandons_what_has_not_begun_and_says_what_has() {
    let claimed = Claimed::new();
    let redaction = Redaction {
        command_id: id(),
        target: RedactionTarget::Field { key: "reading".into() },
        actor: "anna".into(),
        reason: "not ours to know".into(),
        pending: RedactPending::Abandon,
        bodies: RedactBodies::Forget,
    };
    let outcome = claimed.field.compass.redact(claimed.session, &redaction).unwrap();
    assert_eq!((outcome.applied, outcome.in_flight, outcome.bodies.len()), (Applied::Yes, true, ACTIONS));
    assert!(claimed.field.compass.redact(claimed.session, &redaction).unwrap().in_flight, "a repeated call tells the same");
    let (field, session, report) = claimed.go_on();
    assert_eq!((report.attempts, field.transport.requests().len()), (2, 2), "what was in flight alone");
    let actions = field.compass.record(session).unwrap().actions;
    let sent = actions.iter().filter(|action| action.status == ActionStatus::Sent).count();
    let abandoned = actions.iter().filter(|action| action.reason.as_deref() == Some("abandoned")).count();
    assert_eq!((sent, abandoned), (2, ACTIONS - 2));
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn what_is_decided_while_secrets_are_looked_up_is_obeyed() {
    type Decision = fn(&Field, SessionKey);
    let decisions: [(&str, Decision, usize); 4] = [
        ("abandoned", |field, session| assert!(!abandon(&field.compass, session, 0).in_flight, "its secret is still asked for"), 0),
        ("integration_off", |field, _| field.compass.set_integration_enabled(false).unwrap(), 0),
        ("endpoint_disabled", |field, _| field.compass.set_endpoint_enabled(OFFICE, false).unwrap(), 0),
        // It goes to the new address.
        ("sent", |field, _| field.compass.put_endpoint(&signed(OFFICE, "https://new.example/hook")).unwrap(), 1),
    ];
    for (reason, decide, requests) in decisions {
        let secrets_store = SlowSecrets::new();
        secrets_store.set(SECRET_NAME, SECRET);
        let (field, _) = phone_with(|_| Ok(answer(202)), |options| options.secrets = secrets_store.clone());
        field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
        let session = field.complete();
        secrets_store.gate.close();
        let running = flushing(&field.compass);
        secrets_store.gate.wait_for(1);
        decide(&field, session);
        secrets_store.gate.open();
        joined("the flush", running);
        assert_eq!(requests_to(&field, OFFICE_URL), 0, "{reason}");
        assert_eq!(field.transport.requests().len(), requests, "{reason}");
        let action = field.action(session);
        assert_eq!(action.reason.as_deref().unwrap_or("sent"), reason);
        let delivery = &action.deliveries[0];
        assert_eq!((delivery.attempts as usize, delivery.last_attempts.len()), (requests, requests), "{reason}: what did not begin");
        assert!(!delivery.may_have_been_delivered, "{reason}");
    }
}

#[test]
fn what_another_process_decides_is_obeyed_too() {
    type Decision = fn(&Compass, SessionKey, usize);
    let decisions: [(&str, Decision, u32); 4] = [
        ("integration", |other, _, _| other.set_integration_enabled(false).unwrap(), 2),
        ("disabled", |other, _, _| other.set_endpoint_enabled(OFFICE, false).unwrap(), 2),
        ("moved", |other, _, _| other.put_endpoint(&endpoint(OFFICE, "https://new.example/hook")).unwrap(), 20),
        ("abandoned", |other, session, last| drop(abandon(other, session, last)), 19),
    ];
    for (what, decide, sent) in decisions {
        let claimed = Claimed::new();
        let last = begun(&claimed.field, claimed.session).iter().rposition(|begun| !begun).unwrap();
        let other = claimed.field.other_process();
        decide(&other, claimed.session, last);
        let (field, _, report) = claimed.go_on();
        assert_eq!(report.sent, sent, "{what}");
        assert!(requests_to(&field, OFFICE_URL) as u32 <= sent.min(19), "{what}");
        other.close().unwrap();
    }
}

#[test]
fn what_another_process_may_have_begun_counts_as_in_flight() {
    let claimed = Claimed::new();
    let other = claimed.field.other_process();
    let in_flight = begun(&claimed.field, claimed.session).iter().position(|begun| *begun).unwrap();
    assert!(abandon(&other, claimed.session, in_flight).in_flight);
    let (field, session, report) = claimed.go_on();
    assert_eq!(report.sent, 20);
    assert!(is_sent(&field.compass, session), "the receiver has it, and the record says so");
    other.close().unwrap();
}

#[test]
fn what_is_in_flight_is_told_so_after_its_lease_has_run_out() {
    for by_another_process in [false, true] {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        let other = field.other_process();
        let running = field.flush_held(&field.compass, OFFICE_URL, 1);
        field.clock.jump_wall(TimeDelta::minutes(2));
        let outcome = abandon(if by_another_process { &other } else { &field.compass }, session, 0);
        field.transport.release();
        joined("the flush", running);
        assert!(outcome.in_flight, "by another process: {by_another_process}");
        other.close().unwrap();
    }
}

#[test]
fn what_is_sent_again_while_it_is_in_flight_waits_for_what_that_brings() {
    for (first, copies) in [(202, 1), (500, 2)] {
        let seen = std::sync::atomic::AtomicBool::new(false);
        let (field, _) = phone(move |request| {
            let is_first = request.url == OFFICE_URL && !seen.swap(true, std::sync::atomic::Ordering::Relaxed);
            Ok(answer(if is_first { first } else { 202 }))
        });
        register(&field, "lab");
        let session = field.complete();
        let running = field.flush_held(&field.compass, OFFICE_URL, 1);
        let key = field.compass.record(session).unwrap().actions[0].key.clone();
        assert!(field.compass.abandon(session, &key, "anna", "handed in on paper", &id()).unwrap().in_flight);
        field.compass.send(session, &key, Some("anna"), &id()).unwrap();
        let due = field.compass.next_due().unwrap();
        assert!(due.at.is_none_or(|at| at > field.clock.now()), "nothing can be done for it now: {due:?}");
        // What is claimed now is claimed together with this.
        complete_for(&field, "lab");
        field.transport.wait_for_requests(2);
        field.transport.release();
        joined("the flush", running);
        assert!(is_sent(&field.compass, session));
        assert_eq!(requests_to(&field, OFFICE_URL), copies, "the first answer was {first}");
    }
}

#[test]
fn what_was_answered_and_is_not_stored_yet_counts_as_in_flight() {
    let (field, _) = phone(|_| Ok(answer(202)));
    register(&field, "lab");
    let session = field.complete();
    complete_for(&field, "lab");
    let running = field.flush_held(&field.compass, &url("lab"), 2);
    // Its result waits for the other one, to be stored in one group.
    field.transport.wait_until_running(1);
    eventually("its answer was taken in", || field.compass.endpoints().is_ok() && field.delivery(session).reason.is_some());
    let outcome = abandon(&field.compass, session, 0);
    field.transport.release();
    joined("the flush", running);
    assert!(outcome.in_flight, "it had left");
    assert!(is_sent(&field.compass, session));
}

#[test]
fn a_session_that_is_abandoned_leaves_with_what_is_in_flight_alone() {
    let claimed = Claimed::new();
    let outcome = claimed.field.compass.abandon_session(claimed.session, "anna", "handed in on paper", &id()).unwrap();
    assert_eq!((outcome.applied, outcome.in_flight), (Applied::Yes, true));
    let (field, session, report) = claimed.go_on();
    assert_eq!((report.attempts, report.sent, report.pending), (2, 2, 0));
    let actions = field.compass.record(session).unwrap().actions;
    assert_eq!(actions.iter().filter(|action| action.status == ActionStatus::Sent).count(), 2, "what arrived is sent after all");
    assert!(actions.iter().all(|action| action.status == ActionStatus::Sent || action.reason.as_deref() == Some("abandoned")));
}

/// A phone whose one message has had five answers of 404; the sixth is the last of its budget.
fn before_its_last_attempt(signs: bool) -> (Field, SessionKey) {
    let (field, _) = phone(|_| Ok(answer(404)));
    if signs {
        field.secrets.set(SECRET_NAME, SECRET);
        field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    }
    let session = field.complete();
    for _ in 0..5 {
        field.flush();
        field.advance_to(field.delivery(session).next_attempt_at.unwrap());
    }
    assert_eq!(field.transport.requests().len(), 5);
    (field, session)
}

#[test]
fn what_is_in_flight_when_its_endpoint_or_secrets_change_gets_fresh_budgets_too() {
    type Change = fn(&Field);
    let moves: Change = |field| field.compass.put_endpoint(&endpoint(OFFICE, "https://new.example/hook")).unwrap();
    let moves_and_back: Change = |field| {
        field.compass.put_endpoint(&endpoint(OFFICE, "https://new.example/hook")).unwrap();
        field.compass.put_endpoint(&endpoint(OFFICE, OFFICE_URL)).unwrap();
    };
    let off_and_on: Change = |field| {
        field.compass.set_endpoint_enabled(OFFICE, false).unwrap();
        field.compass.set_endpoint_enabled(OFFICE, true).unwrap();
    };
    let archived_and_back: Change = |field| {
        field.compass.archive_endpoint(OFFICE).unwrap();
        field.compass.put_endpoint(&endpoint(OFFICE, OFFICE_URL)).unwrap();
    };
    let new_secrets: Change = |field| field.compass.secrets_changed().unwrap();
    let changes = [
        ("moves", false, 1, moves),
        ("moves and back", false, 0, moves_and_back),
        ("off and on", false, 0, off_and_on),
        ("archived and back", false, 0, archived_and_back),
        ("new secrets", true, 0, new_secrets),
    ];
    for (name, signs, moved, change) in changes {
        for in_flight in [false, true] {
            let (field, session) = before_its_last_attempt(signs);
            if in_flight {
                let running = field.flush_held(&field.compass, "", 6);
                change(&field);
                field.transport.release();
                joined("the flush", running);
            } else {
                change(&field);
            }
            field.flush();
            assert_eq!(requests_to(&field, "https://new.example/hook"), moved, "{name}, in flight: {in_flight}");
            assert_eq!(field.action(session).status, ActionStatus::Pending, "{name}, in flight: {in_flight}");
        }
    }
}

#[test]
fn what_a_dead_process_had_in_flight_gets_fresh_budgets_when_its_endpoint_moves() {
    let (mut field, session) = before_its_last_attempt(false);
    field.transport.hold("");
    let never = CancelToken::new();
    let mut steps = field.compass.flush_steps(MINUTE, &never, false).unwrap();
    steps_until_wait(&mut steps);
    field.transport.wait_for_requests(6);
    drop(steps);
    field.compass.clone().kill();
    field.transport.release();
    field.open_again();
    field.compass.put_endpoint(&endpoint(OFFICE, "https://new.example/hook")).unwrap();
    field.clock.advance(2 * MINUTE);
    field.flush();
    assert_eq!(requests_to(&field, "https://new.example/hook"), 1);
    assert_eq!(field.action(session).status, ActionStatus::Pending, "the first answer of the new address");
}

#[test]
fn what_a_receiver_says_to_a_message_that_was_abandoned_counts_for_its_endpoint() {
    for (says, enabled, paused) in [(answer(410), false, false), (answer_with(429, &[("retry-after", "3600")]), true, true)] {
        let (field, receivers) = phone(move |_| Ok(says.clone()));
        let session = field.complete();
        let running = field.flush_held(&field.compass, "", 1);
        let key = field.action(session).key;
        assert!(field.compass.abandon(session, &key, "anna", "handed in on paper", &id()).unwrap().in_flight);
        field.transport.release();
        joined("the flush", running);
        receivers.take();
        field.complete();
        field.flush();
        let office = status(&field, OFFICE);
        assert_eq!((office.enabled, office.paused_until.is_some(), field.transport.requests().len()), (enabled, paused, 1));
    }
}

/// A message that is abandoned and sent again while its first attempt is in flight, which ends like this.
fn sent_again_in_flight(says: TransportResponse) -> (Field, SessionKey) {
    let seen = std::sync::atomic::AtomicBool::new(false);
    let (field, _) = phone(move |_| Ok(if seen.swap(true, std::sync::atomic::Ordering::Relaxed) { answer(202) } else { says.clone() }));
    let session = field.complete();
    let running = field.flush_held(&field.compass, "", 1);
    assert!(abandon(&field.compass, session, 0).in_flight);
    field.compass.send(session, "tell-0", Some("anna"), &id()).unwrap();
    field.transport.release();
    joined("the flush", running);
    (field, session)
}

#[test]
fn a_pause_that_a_receiver_asks_for_holds_for_what_was_sent_again_meanwhile() {
    let (field, session) = sent_again_in_flight(answer_with(429, &[("retry-after", "3600")]));
    assert_eq!(field.transport.requests().len(), 1, "the receiver asked for a pause of an hour");
    let end = field.now() + TimeDelta::milliseconds(3_600_500);
    assert_eq!((status(&field, OFFICE).paused_until, field.delivery(session).next_attempt_at), (Some(end), Some(end)));
    field.advance_to(end);
    field.flush();
    assert!(is_sent(&field.compass, session));
}

#[test]
fn a_410_disables_an_endpoint_although_its_message_was_sent_again_meanwhile() {
    let (field, session) = sent_again_in_flight(answer(410));
    assert!(!status(&field, OFFICE).enabled);
    assert_eq!((reason(&field, session).as_deref(), field.transport.requests().len()), (Some("endpoint_disabled"), 1));
    field.compass.set_endpoint_enabled(OFFICE, true).unwrap();
    field.flush();
    assert!(is_sent(&field.compass, session));
}

#[test]
fn an_attempt_stays_on_record_although_its_message_was_sent_again_meanwhile() {
    let (field, session) = sent_again_in_flight(answer(500));
    let delivery = field.delivery(session);
    assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Sent, 2));
    assert_eq!(outcomes(&field, session), ["server_error", "sent"]);
    assert_eq!(counted(&field, session), 0, "the budgets are fresh");
    assert!(!delivery.may_have_been_delivered);
}

#[test]
fn what_was_abandoned_and_sent_again_before_it_began_counts_as_never_tried() {
    let (field, _) = phone(|_| Ok(answer(202)));
    field.compass.import_workflow(&workflow("round", &[OFFICE; ACTIONS])).unwrap();
    let session = complete(&field.compass, "round");
    field.transport.hold(OFFICE_URL);
    let cancel = CancelToken::new();
    let (compass, token) = (field.compass.clone(), cancel.clone());
    let running = std::thread::spawn(move || compass.flush(2 * MINUTE, &token).unwrap());
    field.transport.wait_for_requests(2);
    let waits = begun(&field, session).iter().position(|begun| !begun).unwrap();
    assert!(!abandon(&field.compass, session, waits).in_flight);
    field.compass.send(session, &format!("tell-{waits}"), Some("anna"), &id()).unwrap();
    cancel.cancel();
    joined("the flush", running);
    field.transport.release();
    let delivery = field.compass.record(session).unwrap().actions[waits].deliveries[0].clone();
    assert_eq!((delivery.attempts, delivery.may_have_been_delivered), (0, false), "nothing of it has left");
    field.flush();
    assert!(is_sent(&field.compass, session));
    let attempt = |request: &TransportRequest| (header(request, "webhook-id"), header(request, "compass-attempt"));
    let attempts: Vec<_> = field.transport.requests().iter().map(attempt).filter(|(id, _)| *id == delivery.id.0).collect();
    assert_eq!(attempts, [(delivery.id.0.clone(), "1".to_owned())]);
}

#[test]
fn an_endpoint_that_the_app_disables_after_a_410_stays_disabled_when_it_moves() {
    for by_app in [false, true] {
        let (field, receivers) = phone(|_| Ok(answer(410)));
        field.complete();
        field.flush();
        assert_eq!(status(&field, OFFICE).disabled_reason.as_deref(), Some("gone"));
        if by_app {
            field.compass.set_endpoint_enabled(OFFICE, false).unwrap();
            assert_eq!(status(&field, OFFICE).disabled_reason.as_deref(), Some("by_app"));
        }
        receivers.take();
        field.compass.put_endpoint(&endpoint(OFFICE, "https://new.example/hook")).unwrap();
        field.flush();
        assert_eq!((status(&field, OFFICE).enabled, requests_to(&field, "https://new.example/hook")), (!by_app, usize::from(!by_app)));
    }
}

#[test]
fn switching_an_endpoint_off_and_on_ends_no_pause_that_a_receiver_asked_for() {
    let (field, receivers) = phone(|_| Ok(answer_with(429, &[("retry-after", "3600")])));
    field.complete();
    field.flush();
    receivers.take();
    field.compass.set_endpoint_enabled(OFFICE, false).unwrap();
    field.compass.set_endpoint_enabled(OFFICE, true).unwrap();
    field.flush();
    assert_eq!(field.transport.requests().len(), 1, "it asked for an hour");
}

#[test]
fn a_screen_that_has_shown_a_claim_is_told_when_it_is_released() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let sessions: Vec<SessionKey> = (0..6).map(|_| field.complete()).collect();
    field.transport.hold(OFFICE_URL);
    let cancel = CancelToken::new();
    let (compass, token) = (field.compass.clone(), cancel.clone());
    let running = std::thread::spawn(move || compass.flush(2 * MINUTE, &token).unwrap());
    field.transport.wait_for_requests(2);
    assert!(sessions.iter().all(|session| reason(&field, *session).as_deref() == Some("in_flight")), "all are claimed");
    let told = Arc::new(Mutex::new(BTreeSet::new()));
    let tells = Arc::clone(&told);
    let _subscription = field.compass.observe(Arc::new(move |notice| tells.lock().unwrap().extend(notice.sessions.iter().copied())));
    cancel.cancel();
    joined("the flush", running);
    assert!(sessions.iter().all(|session| reason(&field, *session).as_deref() != Some("in_flight")));
    assert_eq!(*told.lock().unwrap(), sessions.into_iter().collect());
}

#[test]
fn a_pause_that_a_receiver_asks_for_while_its_endpoint_gets_another_header_holds() {
    let (field, _) = phone(|_| Ok(answer_with(429, &[("retry-after", "3600")])));
    field.complete();
    field.transport.hold("");
    let never = CancelToken::new();
    let mut flush = field.compass.flush_steps(MINUTE, &never, false).unwrap();
    steps_until_wait(&mut flush);
    field.transport.wait_for_requests(1);
    let mut changed = endpoint(OFFICE, OFFICE_URL);
    changed.headers.push(EndpointHeader { name: "x-team".into(), value: HeaderValue::Plain("north".into()) });
    field.compass.put_endpoint(&changed).unwrap();
    field.transport.release();
    eventually("it ends", || steps_until_wait(&mut flush).is_none() || field.transport.requests().len() > 1);
    assert_eq!(field.transport.requests().len(), 1, "the same receiver has asked for an hour");
}

#[test]
fn a_second_tap_on_abandon_still_says_what_is_in_flight() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    let running = field.flush_held(&field.compass, "", 1);
    assert!(abandon(&field.compass, session, 0).in_flight);
    let again = abandon(&field.compass, session, 0);
    assert_eq!((again.applied, again.in_flight), (Applied::Stale, true));
    let all = field.compass.abandon_session(session, "anna", "on paper", &id()).unwrap();
    assert!(all.in_flight);
    field.transport.release();
    joined("the flush", running);
}
