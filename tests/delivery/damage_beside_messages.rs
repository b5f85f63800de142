//! Damage around messages: in rows of endpoints and of sessions, in counts, and in a claim that has to be released.

use std::sync::atomic::{AtomicBool, Ordering};

use super::damage::office_and_lab;
use super::*;

// Endpoints ---------------------------------------------------------------------------------------------------------------------------

#[test]
fn an_endpoint_whose_definition_names_another_waits_for_a_person_and_gets_nothing_of_the_others() {
    for other in ["lab", "offica"] {
        let (field, office, lab) = office_and_lab();
        damage(
            &field,
            &format!(
                "UPDATE endpoint SET definition = replace(definition, '\"key\":\"office\"', '\"key\":\"{other}\"') WHERE key = 'office'"
            ),
        );
        for _ in 0..3 {
            complete_for(&field, "lab");
            field.flush();
            field.clock.advance(2 * MINUTE);
        }
        assert!(is_sent(&field.compass, lab), "{other}");
        assert_eq!((requests_to(&field, OFFICE_URL), requests_to(&field, &url("lab"))), (0, 4), "{other}");
        assert_eq!(reason(&field, office).as_deref(), Some("endpoint_corrupt"), "{other}");
        let listed = status(&field, OFFICE);
        assert_eq!((listed.disabled_reason.as_deref(), listed.pending), (Some("endpoint_corrupt"), 1), "{other}");
        field.compass.put_endpoint(&endpoint(OFFICE, OFFICE_URL)).unwrap();
        field.flush();
        assert!(is_sent(&field.compass, office), "{other}");
    }
}

#[test]
fn registering_an_endpoint_again_repairs_whatever_was_damaged_in_its_row() {
    for change in [
        "disabled_reason = CAST(x'ff' AS TEXT)",
        "archived_at = 9223372036854775807",
        "failing_reason = CAST(x'ff' AS TEXT)",
        "failing_reason = 'dns', failing_since = NULL",
        "last_urgent_at = 9223372036854775807",
        "asked_until = 9223372036854775807",
        "consecutive_failures = -1",
        "in_flight_limit = 9223372036854775807",
        "definition = '{', disabled_reason = CAST(x'ff' AS TEXT), consecutive_failures = -1, archived_at = -9223372036854775807",
    ] {
        let (field, office, _) = office_and_lab();
        damage(&field, &format!("UPDATE endpoint SET {change} WHERE key = 'office'"));
        if field.next_due().needs_person {
            field.compass.put_endpoint(&endpoint(OFFICE, OFFICE_URL)).unwrap();
        }
        assert_eq!(field.flush().sent, 2, "{change}");
        assert!(is_sent(&field.compass, office), "{change}");
    }
}

#[test]
fn an_endpoint_that_the_app_disabled_stays_so_when_it_is_repaired() {
    let (field, ..) = office_and_lab();
    field.compass.set_endpoint_enabled(OFFICE, false).unwrap();
    damage(&field, "UPDATE endpoint SET disabled_reason = CAST(x'ff' AS TEXT) WHERE key = 'office'");
    field.compass.put_endpoint(&endpoint(OFFICE, OFFICE_URL)).unwrap();
    let listed = status(&field, OFFICE);
    assert_eq!((listed.enabled, listed.disabled_reason.as_deref()), (false, Some("by_app")));
    field.compass.set_endpoint_enabled(OFFICE, true).unwrap();
    assert_eq!(field.flush().sent, 2);
}

#[test]
fn a_clock_difference_that_no_clock_has_is_none() {
    for status in [202, 401] {
        for skew in ["-9223372036854775808", "-9223372036854775807", "-9223370000000000000", "9223372036854770000", "9223372036854775807"] {
            let (field, _) = phone(move |_| Ok(answer_with(status, &[("date", "Fri, 15 Jan 2027 08:00:00 GMT")])));
            field.complete();
            damage(&field, &format!("UPDATE endpoint SET skew_ms = {skew} WHERE key = 'office'"));
            assert_eq!(super::status(&field, OFFICE).clock_skew_ms, None, "{skew}");
            let report = field.flush();
            assert_eq!(report.sent, u32::from(status == 202), "{skew}");
            let year = 366 * 24 * 3_600_000;
            assert!(super::status(&field, OFFICE).clock_skew_ms.is_some_and(|learned| learned.abs() < 2 * year), "{skew}");
        }
    }
}

// Claims and counts -------------------------------------------------------------------------------------------------------------------

#[test]
fn a_claim_that_cannot_be_released_stops_no_other() {
    let (mut field, _) = phone_with(|_| Ok(answer(202)), one_at_a_time);
    register(&field, "lab");
    let (first, second) = (field.complete(), field.complete());
    field.transport.hold(OFFICE_URL);
    let compass = field.compass.clone();
    let cancel = CancelToken::new();
    let token = cancel.clone();
    let running = std::thread::spawn(move || compass.flush(10 * MINUTE, &token));
    field.transport.wait_for_requests(1);
    // The second is claimed and waits for its turn.
    damage(&field, &format!("UPDATE outbox SET unknown_outcomes = 0, attempts = 0 WHERE id = {}", entry(&field, second)));
    cancel.cancel();
    drop(joined("the flush", running));
    field.transport.release();
    let lab = complete_for(&field, "lab");
    field.clock.advance(2 * MINUTE);
    field.flush();
    assert!(is_sent(&field.compass, lab) && is_sent(&field.compass, first));
    assert_eq!(reason(&field, second).as_deref(), Some("corrupt"));
    assert!(field.next_due().needs_person);
    field.reopen();
    field.clock.advance(2 * MINUTE);
    let later = field.complete();
    field.flush();
    assert!(is_sent(&field.compass, later));
}

#[test]
fn no_damage_in_counts_or_history_makes_a_delivered_message_leave_again() {
    for damages in [
        "UPDATE session SET actions_pending = 7",
        "UPDATE session SET actions_sent = -1",
        "UPDATE session SET actions_pending = 9223372036854775807",
        "UPDATE outbox SET attempts = 0, unknown_outcomes = 0",
        "UPDATE outbox SET unknown_outcomes = 9",
        "UPDATE outbox SET detail = 'redacted'",
        "INSERT INTO attempt (outbox_id, number, at, duration_ms, status, outcome, counted, unknown)
         SELECT id, 1, 1, 1, 200, 'sent', 0, 0 FROM outbox",
    ] {
        let (mut field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        let running = field.flush_held(&field.compass, OFFICE_URL, 1);
        damage(&field, damages);
        field.transport.release();
        let report = joined("the flush", running);
        assert_eq!((report.sent, report.pending), (1, 0), "{damages}");
        for _ in 0..2 {
            field.reopen();
            field.clock.advance(2 * MINUTE);
            field.flush();
        }
        assert!(is_sent(&field.compass, session), "{damages}");
        assert_eq!(field.transport.requests().len(), 1, "{damages}");
        let counted = field.compass.totals().unwrap();
        assert_eq!((counted.actions_sent, counted.actions_pending), (1, 0), "what was counted wrong is counted again: {damages}");
    }
}

// Sessions ----------------------------------------------------------------------------------------------------------------------------

#[test]
fn one_damaged_session_stops_no_list_and_no_totals() {
    let large = "9223372036854775807";
    for (change, is_listed) in [
        ("actor = CAST(x'ff' AS TEXT)".to_owned(), true),
        ("section_name = CAST(x'ff' AS TEXT)".to_owned(), true),
        (format!("started_at = {large}"), true),
        (format!("finished_at = {large}"), true),
        ("won = 7".to_owned(), true),
        ("actions_pending = -1".to_owned(), true),
        (format!("actions_pending = {large}"), true),
        ("key = x'00'".to_owned(), false),
        ("state = 'complete'".to_owned(), false),
    ] {
        let (field, _) = phone(|_| Ok(answer(202)));
        let (bad, good) = (field.complete(), field.complete());
        let row = entry(&field, bad);
        damage(&field, &format!("UPDATE session SET {change} WHERE id = (SELECT session_id FROM outbox WHERE id = {row})"));
        let totals = field.compass.totals().unwrap();
        assert!(totals.sessions.completed >= 1 && totals.actions_pending >= 1, "{change}");
        // Page by page, so that each session is the last of a page once.
        let (mut listed, mut page) = (Vec::new(), None);
        loop {
            let found = field.compass.sessions(&SessionFilter::default(), page.as_deref(), 1).unwrap();
            listed.extend(found.sessions.into_iter().map(|session| session.key));
            page = found.next;
            if page.is_none() {
                break;
            }
        }
        assert!(listed.contains(&good), "{change}");
        assert_eq!(listed.contains(&bad), is_listed, "{change}");
        if !is_listed {
            assert!(!field.compass.check().unwrap().faults.is_empty(), "{change}: who looks for damage is told");
        }
        assert_eq!(field.messages(&ALL_STATES).len(), 2, "{change}");
        field.flush();
        assert!(is_sent(&field.compass, good), "{change}");
        field.compass.purge(Duration::ZERO).unwrap();
    }
}

#[test]
fn a_damaged_session_that_cannot_be_purged_keeps_no_other() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let (bad, good) = (field.complete(), field.complete());
    field.flush();
    let row = entry(&field, bad);
    damage(&field, &format!("UPDATE session SET key = x'00' WHERE id = (SELECT session_id FROM outbox WHERE id = {row})"));
    field.clock.advance(SECOND);
    assert_eq!(field.compass.purge(Duration::ZERO).unwrap().purged, 1);
    assert_eq!(field.compass.record(good).unwrap_err().code(), "deleted_session");
}

// The worker --------------------------------------------------------------------------------------------------------------------------

/// A clock that panics once on the worker's thread.
struct Fragile {
    inner: Arc<dyn Clock>,
    breaks: AtomicBool,
}

impl Clock for Fragile {
    fn now(&self) -> Timestamp {
        let is_worker = std::thread::current().name() == Some("compass-delivery");
        assert!(!(is_worker && self.breaks.swap(false, Ordering::SeqCst)), "the clock breaks");
        self.inner.now()
    }

    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }

    fn on_change(&self, told: Box<dyn Fn() + Send + Sync>) {
        self.inner.on_change(told);
    }

    fn utc_offset(&self, at: Timestamp) -> i32 {
        self.inner.utc_offset(at)
    }
}

#[test]
fn a_worker_that_panicked_is_started_again_by_the_next_start() {
    let mut clock = None;
    let (field, _) = phone_with(
        |_| Ok(answer(202)),
        |options| {
            let fragile = Arc::new(Fragile { inner: options.clock.clone(), breaks: AtomicBool::new(true) });
            clock = Some(fragile.clone());
            options.clock = fragile;
            options.retry.online_spread = Duration::ZERO;
        },
    );
    let clock = clock.unwrap();
    let session = field.complete();
    field.compass.start_delivery().unwrap();
    eventually("the worker panicked", || !clock.breaks.load(Ordering::SeqCst));
    eventually("another worker delivers", || {
        // As an app does each time that it comes to the foreground.
        field.compass.start_delivery().unwrap();
        is_sent(&field.compass, session)
    });
    field.compass.stop_delivery().unwrap();
    assert_eq!(field.transport.requests().len(), 1);
}
