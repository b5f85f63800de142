//! Damage: one row that does not read back, or one result that cannot be stored, stops itself alone.

use super::*;

/// A phone with one message for the office, which takes everything, and one for the lab.
pub(crate) fn office_and_lab() -> (Field, SessionKey, SessionKey) {
    let (field, _) = phone(|_| Ok(answer(202)));
    register(&field, "lab");
    let (office, lab) = (field.complete(), complete_for(&field, "lab"));
    (field, office, lab)
}

fn item(field: &Field, session: SessionKey) -> OutboxItem {
    field.messages(&ALL_STATES).into_iter().find(|item| item.session == session).unwrap()
}

/// What is listed as damaged is counted and told alike.
fn is_told(field: &Field, session: SessionKey, expected: &str) {
    let listed = item(field, session);
    assert_eq!((listed.delivery.state, listed.delivery.reason.as_deref()), (DeliveryState::Pending, Some(expected)));
    assert!(listed.needs_person && listed.delivery.next_attempt_at.is_none());
    let totals = field.compass.outbox_totals().unwrap();
    let all = field.messages(&ALL_STATES);
    assert_eq!(totals.needs_person, all.iter().filter(|item| item.needs_person).count() as u64);
    assert!(totals.needs_person >= 1);
    assert!(field.next_due().needs_person);
    assert_eq!(field.action(session).reason.as_deref(), Some(expected));
}

#[test]
fn an_endpoint_that_does_not_read_back_stops_no_other() {
    let changes = [
        // What a newer release may have written.
        "definition = replace(definition, '\"any\"', '\"unroamed\"')",
        "definition = '{'",
        "definition = CAST(x'7bff7d' AS TEXT)",
        "pause_reason = CAST(x'ff' AS TEXT), paused_until = 1",
        "in_flight_limit = -1",
    ];
    for change in changes {
        let (field, office, lab) = office_and_lab();
        damage(&field, &format!("UPDATE endpoint SET {change} WHERE key = 'office'"));
        assert_eq!(field.flush().sent, 1, "{change}");
        assert!(is_sent(&field.compass, lab), "{change}");
        is_told(&field, office, "endpoint_corrupt");
        let listed = status(&field, OFFICE);
        assert_eq!((listed.enabled, listed.disabled_reason.as_deref(), listed.pending), (false, Some("endpoint_corrupt"), 1));
        // What is completed meanwhile waits with it.
        let later = field.complete();
        field.clock.advance(DAY);
        assert_eq!(field.flush().attempts, 0);
        is_told(&field, later, "endpoint_corrupt");

        // To register it once more repairs it: it is never the same as before.
        field.compass.put_endpoint(&endpoint(OFFICE, OFFICE_URL)).unwrap();
        assert!(!field.next_due().needs_person, "{change}");
        assert_eq!(field.flush().sent, 2, "{change}");
        assert!(is_sent(&field.compass, office) && is_sent(&field.compass, later), "{change}");
    }
}

#[test]
fn an_endpoint_that_does_not_read_back_refuses_what_needs_it_and_says_why() {
    let (field, ..) = office_and_lab();
    damage(&field, "UPDATE endpoint SET definition = '{' WHERE key = 'office'");
    let code = |result: Result<(), Error>| result.unwrap_err().code();
    assert_eq!(code(field.compass.set_endpoint_enabled(OFFICE, false)), "corrupt");
    assert_eq!(code(field.compass.archive_endpoint(OFFICE)), "corrupt");
    assert_eq!(code(field.compass.test_delivery(OFFICE).map(drop)), "corrupt");
    // Nor does it stop what is for all of them.
    field.compass.secrets_changed().unwrap();
    field.compass.set_integration_enabled(false).unwrap();
    field.compass.set_integration_enabled(true).unwrap();
    assert_eq!(field.flush().sent, 1);
}

#[test]
fn an_entry_that_does_not_read_back_stops_no_other() {
    let changes = [
        "workflow_version = CAST(x'31ff' AS TEXT)",
        "delivery_id = CAST(x'6d73675fff' AS TEXT)",
        "session_state = 'sealed'",
        "body_sha256 = x'00'",
        "attempts = -1, unknown_outcomes = -1",
        "counted = 1e12",
    ];
    for change in changes {
        let (mut field, bad, other) = office_and_lab();
        let sibling = field.complete();
        let row = entry(&field, bad);
        damage(
            &field,
            &format!("CREATE TABLE whole AS SELECT * FROM outbox WHERE id = {row}; UPDATE outbox SET {change} WHERE id = {row}"),
        );
        let report = field.flush();
        assert_eq!(report.sent, 2, "{change}");
        assert!(is_sent(&field.compass, other) && is_sent(&field.compass, sibling), "{change}");
        is_told(&field, bad, "corrupt");
        // What comes later leaves as well, and nobody is asked for the same row again and again.
        let later = field.complete();
        assert_eq!(field.flush().sent, 1, "{change}");
        assert!(is_sent(&field.compass, later), "{change}");
        assert_eq!(field.transport.requests().len(), 3, "{change}");

        // Somebody puts it right: it is looked at again when the file is opened next.
        let column = change.split([' ', '=']).next().unwrap();
        damage(&field, &format!("UPDATE outbox SET {column} = (SELECT {column} FROM whole) WHERE id = {row}"));
        if column == "attempts" {
            damage(&field, &format!("UPDATE outbox SET unknown_outcomes = 0 WHERE id = {row}"));
        }
        field.reopen();
        assert_eq!(field.flush().sent, 1, "{change}");
        assert!(is_sent(&field.compass, bad), "{change}");
    }
}

#[test]
fn damage_that_no_attempt_needs_to_read_stops_nothing() {
    let (field, bad, other) = office_and_lab();
    let row = entry(&field, bad);
    damage(&field, &format!("UPDATE outbox SET reason = CAST(x'ff' AS TEXT) WHERE id = {row}"));
    assert_eq!(field.flush().sent, 2);
    assert!(is_sent(&field.compass, bad) && is_sent(&field.compass, other));
}

#[test]
fn a_person_may_abandon_an_entry_that_does_not_read_back() {
    let (field, bad, _) = office_and_lab();
    let row = entry(&field, bad);
    damage(&field, &format!("UPDATE outbox SET workflow_version = CAST(x'31ff' AS TEXT) WHERE id = {row}"));
    field.flush();
    is_told(&field, bad, "corrupt");
    let outcome = field.compass.abandon(bad, "tell-0", "anna", "handed in on paper", &id()).unwrap();
    assert_eq!((outcome.applied, outcome.in_flight), (Applied::Yes, false));
    assert_eq!(field.action(bad).reason.as_deref(), Some("abandoned"));
    let totals = field.compass.outbox_totals().unwrap();
    assert_eq!((totals.pending, totals.needs_person), (0, 0));
    assert!(!field.next_due().needs_person);
}

/// Thirty messages for the office and three for the lab, of which one is damaged like this.
fn with_one_id_damaged(bit: u8) -> (Field, SessionKey) {
    let (field, _) = phone(|_| Ok(answer(202)));
    let bad = field.complete();
    field.backlog(29, OFFICE);
    register(&field, "lab");
    field.backlog(3, "lab");
    // One bit of one byte in the file.
    let id = field.delivery(bad).id.0.into_bytes();
    let flipped: String = id.iter().enumerate().map(|(at, byte)| format!("{:02x}", byte ^ if at == 20 { 1 << bit } else { 0 })).collect();
    let row = entry(&field, bad);
    damage(&field, &format!("UPDATE outbox SET delivery_id = CAST(x'{flipped}' AS TEXT) WHERE id = {row}"));
    (field, bad)
}

#[test]
fn one_bit_that_makes_an_id_unreadable_stops_one_message() {
    let (field, bad) = with_one_id_damaged(7);
    assert_eq!(field.flush().sent, 32);
    assert_eq!(field.transport.requests().len(), 32);
    assert_eq!(field.messages(&ALL_STATES).len(), 33, "all of them are listed");
    is_told(&field, bad, "corrupt");
    // Endpoints are registered as ever.
    field.compass.put_endpoint(&endpoint(OFFICE, "https://new.example/hook")).unwrap();
    register(&field, "depot");
    assert_eq!(field.flush().attempts, 0);
    field.compass.abandon(bad, "tell-0", "anna", "handed in on paper", &id()).unwrap();
}

#[test]
fn no_message_leaves_under_an_id_that_was_never_frozen() {
    for bit in [0, 1, 2] {
        let (field, bad) = with_one_id_damaged(bit);
        let report = field.flush();
        assert_eq!((report.sent, report.failed, report.pending), (32, 1, 0), "bit {bit}");
        assert_eq!(field.transport.requests().len(), 32);
        let action = field.action(bad);
        assert_eq!((action.status, action.reason.as_deref()), (ActionStatus::Failed, Some("corrupt")));
        assert!(!action.can_send && action.can_abandon, "these bytes can never be delivered under it");
        assert_eq!(action.deliveries[0].attempts, 0);
        assert!(field.next_due().needs_person);
    }
}

#[test]
fn times_that_no_calendar_has_delay_nothing() {
    for (column, value) in [("due_at", i64::MAX), ("due_at", i64::MIN), ("due_at", i64::MAX / 1000)] {
        let (field, bad, _) = office_and_lab();
        let row = entry(&field, bad);
        damage(&field, &format!("UPDATE outbox SET {column} = {value} WHERE id = {row}"));
        field.next_due();
        let report = field.flush();
        assert!(report.sent >= 1, "{column} {value}: {report:?}");
        let told = item(&field, bad);
        let is_known = told.delivery.state == DeliveryState::Sent || told.needs_person;
        assert!(is_known, "{column} {value}: it leaves, or a person is told: {told:?}");
    }
}

// Results that cannot be stored -------------------------------------------------------------------------------------------------------

/// The database refuses to say that this entry is sent, with these words.
fn refuse_result(field: &Field, row: i64, words: &str) {
    let trigger = format!(
        "CREATE TRIGGER refuses BEFORE UPDATE OF sent_at ON outbox WHEN NEW.id = {row} AND NEW.sent_at IS NOT NULL
         BEGIN SELECT RAISE(ABORT, '{words}'); END"
    );
    sql(field).execute_batch(&trigger).unwrap();
}

/// Lets time pass, for as long as an attempt may take at most, until the log says this.
fn until_logged(field: &Field, words: &str) {
    logs::listen();
    let mut seconds = 0..20;
    eventually(words, || {
        if seconds.next().is_some() {
            field.clock.advance(SECOND);
        }
        logs::lines().iter().any(|(_, line)| line.contains(words))
    });
}

#[test]
fn a_result_that_cannot_be_stored_keeps_no_other_from_it() {
    let (field, _) = phone(|_| Ok(answer(202)));
    register(&field, "lab");
    let bad = field.complete();
    refuse_result(&field, entry(&field, bad), "not this one");
    let mut good: Vec<SessionKey> = (0..3).map(|_| complete_for(&field, "lab")).collect();
    let try_it = || field.compass.flush(MINUTE, &CancelToken::new());
    for _ in 0..5 {
        // The caller that flushes hears of it.
        assert!(try_it().is_err());
        field.clock.advance(120 * SECOND);
    }
    good.extend((0..2).map(|_| complete_for(&field, "lab")));
    good.push(field.complete());
    assert!(try_it().is_err());
    for session in good {
        assert!(is_sent(&field.compass, session));
    }
    assert_eq!(field.transport.requests().len(), 7, "each once: nor is the bad one sent again each minute");
    assert!(!is_sent(&field.compass, bad));
    // What was in the way is gone.
    sql(&field).execute_batch("DROP TRIGGER refuses").unwrap();
    try_it().unwrap();
    assert!(is_sent(&field.compass, bad), "the result was kept");
    assert_eq!(field.transport.requests().len(), 7);
    assert!(!field.delivery(bad).may_have_been_delivered);
}

#[test]
fn a_result_that_cannot_be_stored_cancels_no_request() {
    let (field, _) = phone(|_| Ok(answer(202)));
    register(&field, "lab");
    let (slow, quick) = (field.complete(), complete_for(&field, "lab"));
    refuse_result(&field, entry(&field, quick), "not the quick one");
    field.transport.hold(OFFICE_URL);
    logs::listen();
    let compass = field.compass.clone();
    let running = std::thread::spawn(move || compass.flush(2 * MINUTE, &CancelToken::new()));
    field.transport.wait_for_requests(2);
    until_logged(&field, "not the quick one");
    sql(&field).execute_batch("DROP TRIGGER refuses").unwrap();
    field.transport.release();
    drop(joined("the flush", running));
    field.flush();
    assert!(is_sent(&field.compass, slow) && is_sent(&field.compass, quick));
    assert_eq!((requests_to(&field, OFFICE_URL), requests_to(&field, &url("lab"))), (1, 1));
}

#[test]
fn a_locked_database_cancels_no_request() {
    let (field, _) = phone(|_| Ok(answer(202)));
    register(&field, "lab");
    let (slow, quick) = (field.complete(), complete_for(&field, "lab"));
    logs::listen();
    field.transport.hold(OFFICE_URL);
    field.compass.start_delivery().unwrap();
    field.transport.wait_for_requests(2);
    // Another process writes, and takes longer than delivery waits for it. The result of the quick one is due on disk.
    let other = sql(&field);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    until_logged(&field, "delivery pauses");
    other.execute_batch("COMMIT").unwrap();
    Watch::on(&field.compass).until("the quick one is sent", |compass| is_sent(compass, quick));
    assert_eq!(reason(&field, slow).as_deref(), Some("in_flight"), "what is in flight goes on");
    field.transport.release();
    Watch::on(&field.compass).until("the slow one is sent", |compass| is_sent(compass, slow));
    field.compass.stop_delivery().unwrap();
    assert_eq!(field.transport.requests().len(), 2, "each once");
}

#[test]
fn rows_that_do_not_read_back_do_not_end_a_flush_to_an_endpoint_in_trouble() {
    let (mut field, receivers) = phone(|_| Ok(answer(500)));
    field.complete();
    field.flush();
    for _ in 0..5 {
        let session = field.complete();
        let row = entry(&field, session);
        damage(&field, &format!("UPDATE outbox SET workflow_version = CAST(x'ff41' AS TEXT) WHERE id = {row}"));
        field.clock.advance(Duration::from_millis(10));
    }
    let whole = field.complete();
    field.reopen();
    receivers.take();
    let report = field.flush();
    assert!(is_sent(&field.compass, whole), "{report:?}");
}

#[test]
fn a_message_without_its_session_does_not_make_the_worker_look_without_end() {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    let row = entry(&field, session);
    damage(&field, &format!("DELETE FROM session WHERE id = (SELECT session_id FROM outbox WHERE id = {row})"));
    field.reopen();
    let mut worker = field.compass.delivery_steps().unwrap().unwrap();
    let began = field.now();
    let mut looks = 0;
    while field.now() - began < TimeDelta::seconds(60) {
        let until = steps_until_wait(&mut worker).flatten().map_or(MINUTE, |until| until.saturating_sub(field.clock.monotonic()));
        looks += 1;
        field.clock.advance(until.max(Duration::from_millis(1)));
    }
    assert!(looks < 10, "{looks} looks in a minute");
    assert!(field.next_due().needs_person);
    assert_eq!(field.messages(&ALL_STATES).len(), 1, "and it is listed");
}

#[test]
fn a_result_that_cannot_be_stored_counts_for_its_endpoint_once() {
    for (says, holds) in [(answer(410), "endpoint_disabled"), (answer_with(429, &[("retry-after", "3600")]), "rate_limited")] {
        let (field, receivers) = phone_with(move |_| Ok(says.clone()), one_at_a_time);
        let (bad, good) = (field.complete(), field.complete());
        let row = entry(&field, bad);
        let refuses = format!(
            "CREATE TRIGGER refuses BEFORE UPDATE OF last_status ON outbox WHEN NEW.id = {row}
             BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        );
        sql(&field).execute_batch(&refuses).unwrap();
        assert!(field.compass.flush(MINUTE, &CancelToken::new()).is_err(), "{holds}");
        assert_eq!(reason(&field, good).as_deref(), Some(holds));
        assert_eq!(field.transport.requests().len(), 1, "{holds}: nothing leaves after that");
        // A person knows better, or the pause is over; then the result is stored.
        field.clock.advance(2 * HOUR);
        field.compass.set_endpoint_enabled(OFFICE, true).unwrap();
        receivers.take();
        sql(&field).execute_batch("DROP TRIGGER refuses").unwrap();
        field.flush();
        assert!(is_sent(&field.compass, good), "{holds}: {:?}", reason(&field, good));
        assert!(status(&field, OFFICE).enabled, "{holds}");
    }
}
