//! A page of the file that cannot be read: what lies on it stops, and nothing else does. SQLite writes nothing more in a transaction that has met
//! one.

use super::support::app::lose_page;
use super::*;

/// The phone is used again after its flash has lost the first page of this table.
fn lose(field: &mut Field, table: &str) {
    field.compass.close().unwrap();
    lose_page(field.path(), table);
    field.open_again();
}

/// The same while requests are in flight: the results come to a file that has lost it.
fn lose_in_flight(field: &Field, requests: usize, table: &str) {
    flush_with_detached(field, requests);
    field.compass.quiesce().unwrap();
    lose_page(field.path(), table);
    field.transport.release();
    field.transport.wait_until_quiet();
}

/// What a look at an index alone says, which needs no page of the table.
fn undelivered(field: &Field) -> i64 {
    let file = sql(field);
    file.query_row("SELECT count(*) FROM outbox INDEXED BY outbox_unsent WHERE state <> 'sent' AND state <> 'superseded'", [], |row| {
        row.get(0)
    })
    .unwrap()
}

fn is_named(field: &Field, what: &str) {
    let faults = field.compass.check().unwrap().faults;
    assert!(!faults.is_empty(), "{what}");
}

#[test]
fn a_history_whose_page_is_lost_keeps_nothing_from_being_sent() {
    let (mut field, receivers) = phone(|_| Ok(answer(202)));
    field.complete();
    field.flush();
    field.backlog(2, OFFICE);
    lose(&mut field, "attempt");
    assert_eq!((field.flush().sent, sent(&field), undelivered(&field)), (2, 3, 0));
    for _ in 0..2 {
        field.reopen();
        field.clock.advance(HOUR);
        assert_eq!(field.flush().attempts, 0);
    }
    assert_eq!(field.transport.requests().len(), 3, "none is sent twice");
    is_named(&field, "attempt");

    // What the receiver asks for is kept as well, and so is what was used up.
    receivers.now(|_| Ok(answer_with(503, &[("retry-after", "36000")])));
    field.complete();
    field.flush();
    let until = status(&field, OFFICE).paused_until.unwrap();
    assert!(until > field.now() + TimeDelta::hours(9));
    field.clock.advance(HOUR);
    assert_eq!(field.flush().attempts, 0);
    receivers.take();
    field.clock.advance(10 * HOUR);
    assert_eq!((field.flush().sent, undelivered(&field)), (1, 0));
}

/// Actions that are `sent`, without the history, which a record shows as well.
fn sent(field: &Field) -> i64 {
    sql(field).query_row("SELECT count(*) FROM action WHERE status = 'sent'", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_claim_of_a_dead_process_whose_history_is_lost_is_tried_again() {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    field.complete();
    field.transport.hold("");
    let mut steps = field.compass.flush_steps(MINUTE, &CancelToken::new(), false).unwrap();
    eventually("a request comes", || {
        steps_until_wait(&mut steps);
        !field.transport.requests().is_empty()
    });
    drop(steps);
    field.compass.clone().kill();
    field.transport.release();
    lose_page(field.path(), "attempt");
    field.open_again();
    field.clock.advance(2 * MINUTE);
    assert_eq!((field.flush().sent, sent(&field)), (1, 1));
}

#[test]
fn a_result_is_stored_although_the_page_of_its_endpoint_is_lost() {
    let (field, _) = phone(|_| Ok(answer(202)));
    field.complete();
    lose_in_flight(&field, 1, "endpoint");
    let _hold = field.compass.resume().unwrap();
    drop(field.compass.flush(MINUTE, &CancelToken::new()));
    assert_eq!(undelivered(&field), 0);
}

// A page holds some thirty entries. Those of the page beside it stop as well where they need more room: SQLite makes it from its neighbours.

#[test]
fn entries_whose_page_is_lost_stop_no_other() {
    // Waiting, and waiting for a network.
    for is_offline in [false, true] {
        let (mut field, _) = phone(|_| Ok(answer(202)));
        field.backlog(200, OFFICE);
        if is_offline {
            let due = (field.now() + TimeDelta::minutes(10)).timestamp_millis();
            damage(&field, &format!("UPDATE outbox SET offline_attempts = 1, reason = 'offline', due_at = {due}"));
        }
        lose(&mut field, "outbox");
        assert!(field.next_due().at.is_some() && field.next_due().needs_person);
        let first = field.flush().sent;
        assert!(first > 120 && first < 200, "{first}, offline: {is_offline}");
        assert_eq!(undelivered(&field), i64::from(200 - first));
        field.next_due();
        assert_eq!(field.flush().attempts, 0);
        is_named(&field, "outbox");
        // So it is after the next start, and for what comes later.
        field.reopen();
        field.backlog(1, OFFICE);
        field.flush();
        assert!(undelivered(&field) <= i64::from(200 - first), "offline: {is_offline}");
    }
}

#[test]
fn results_of_entries_whose_page_is_lost_stop_no_other() {
    let (field, _) = phone(|_| Ok(answer(202)));
    for key in ["lab", "shop"] {
        register(&field, key);
        field.backlog(100, key);
    }
    lose_in_flight(&field, 4, "outbox");
    let _hold = field.compass.resume().unwrap();
    for _ in 0..2 {
        drop(field.compass.flush(MINUTE, &CancelToken::new()));
        let left = undelivered(&field);
        assert!(left > 0 && left < 80, "{left}");
    }
    let ids: BTreeSet<_> = field.transport.requests().iter().map(|request| header(request, "webhook-id")).collect();
    assert_eq!(ids.len(), field.transport.requests().len(), "none is sent twice");
}

#[test]
fn a_clock_that_was_set_back_stops_nothing_where_a_page_is_lost() {
    for table in ["outbox", "endpoint"] {
        let (mut field, receivers) = phone(|_| Err(failure(FailureKind::NoNetwork, Phase::Connect, RequestSent::No)));
        // What comes last waits, by a clock that is ahead, for what lies too far ahead once that is set right.
        field.backlog(120, OFFICE);
        field.clock.jump_wall(TimeDelta::days(30));
        let last = field.complete();
        field.flush();
        receivers.take();
        lose(&mut field, table);
        field.clock.jump_wall(TimeDelta::days(-30));
        // The technician goes on working.
        let later = field.complete();
        let due: i64 = sql(&field)
            .query_row(
                "SELECT max(due_at) FROM outbox INDEXED BY outbox_due WHERE state = 'queued' AND endpoint = 'office' AND id > 118",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert!(due < field.now().timestamp_millis(), "{table}: it is written down");
        if table == "outbox" {
            assert!(field.flush().sent > 50);
            assert!(is_sent(&field.compass, last) && is_sent(&field.compass, later));
        }
    }
}

#[test]
fn a_page_that_is_lost_stops_no_change_of_an_endpoint() {
    let (mut field, receivers) = phone(|_| Ok(answer(410)));
    field.secrets.set(SECRET_NAME, SECRET);
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    field.backlog(120, OFFICE);
    let gone = field.complete();
    // Nothing else is in flight with it: whichever 410 came first would end the other attempt.
    let later = (field.now() + TimeDelta::minutes(1)).timestamp_millis();
    damage(&field, &format!("UPDATE outbox SET due_at = {later} WHERE id <> {}", entry(&field, gone)));
    field.flush();
    receivers.take();
    assert_eq!(field.action(gone).reason.as_deref(), Some("gone"));
    lose(&mut field, "outbox");
    field.compass.secrets_changed().unwrap();
    field.compass.set_endpoint_enabled(OFFICE, true).unwrap();
    assert!(field.next_due().needs_person);
    field.clock.advance(2 * MINUTE);
    assert!(field.flush().sent > 50);
    assert!(is_sent(&field.compass, gone), "it is revived");
    field.compass.put_endpoint(&signed(OFFICE, "https://other.example/hook")).unwrap();
    let later = field.complete();
    field.flush();
    assert!(is_sent(&field.compass, later));
    assert_eq!(requests_to(&field, "https://other.example/hook"), 1);
}

#[test]
fn bodies_and_sessions_go_although_a_page_of_other_messages_is_lost() {
    let (mut field, _) = phone_with(|_| Ok(answer(202)), |options| (options.body_retention, options.retention) = (DAY, Some(3 * DAY)));
    for _ in 0..100 {
        field.complete();
    }
    field.flush();
    lose(&mut field, "outbox");
    let count =
        |field: &Field, what: &str| -> i64 { sql(field).query_row(&format!("SELECT count(*) FROM {what}"), [], |row| row.get(0)).unwrap() };
    for _ in 0..2 {
        field.clock.advance(DAY);
        field.flush();
    }
    let kept = count(&field, "outbox INDEXED BY outbox_body_kept WHERE state = 'sent' AND body_kept = 1");
    assert!(kept > 0 && kept < 70, "{kept} bodies");
    for _ in 0..2 {
        field.clock.advance(DAY);
        field.flush();
    }
    let left = count(&field, "session");
    assert!(left > 0 && left < 70, "{left} sessions");
    field.compass.purge(HOUR).unwrap();
}

#[test]
fn results_are_stored_although_a_page_of_an_index_of_messages_is_lost() {
    let indexes: Vec<String> = {
        let (field, _) = phone(|_| Ok(answer(202)));
        let file = sql(&field);
        let mut names =
            file.prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name IN ('outbox', 'action', 'body')").unwrap();
        names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert!(indexes.len() > 14);
    for index in indexes {
        let (field, _) = phone(|_| Ok(answer(202)));
        register(&field, "lab");
        field.backlog(20, "lab");
        field.backlog(20, OFFICE);
        lose_in_flight(&field, 2, &index);
        let _hold = field.compass.resume().unwrap();
        field.flush();
        assert_eq!((undelivered(&field), sent(&field)), (0, 40), "{index}");
        assert_eq!(field.transport.requests().len(), 40, "{index}: none is sent twice");
        field.compass.check().unwrap();
        assert_eq!(field.compass.check().unwrap().faults, [""; 0], "{index}");
    }
}

#[test]
fn a_change_of_an_endpoint_ends_the_pause_of_a_clock_that_was_set_back_where_a_page_is_lost() {
    let (mut field, receivers) = phone(|request| {
        let is_lab = request.url.contains("lab");
        Ok(if is_lab { answer_with(429, &[("retry-after", "7200")]) } else { answer(503) })
    });
    register(&field, "lab");
    field.backlog(200, OFFICE);
    complete_for(&field, "lab");
    field.flush();
    assert!(status(&field, "lab").paused_until.is_some());
    lose(&mut field, "outbox");
    receivers.take();
    field.clock.jump_wall(TimeDelta::days(-3));
    // The only write while the clock is behind.
    field.compass.put_endpoint(&endpoint(OFFICE, "https://new.example/hook")).unwrap();
    field.clock.jump_wall(TimeDelta::days(3));
    let before = requests_to(&field, &url("lab"));
    complete_for(&field, "lab");
    field.flush();
    assert!(requests_to(&field, &url("lab")) > before, "the pause that was over counts again");
}
