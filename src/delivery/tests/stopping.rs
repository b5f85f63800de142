//! Deadlines, cancelling, quiescing, closing.

use std::time::{Duration, Instant};

use super::*;
use crate::model::FlushEnd;

/// Begins a flush of one held request and more, does something meanwhile, and gives the flush's report.
fn while_in_flight(phone: &Phone, deadline: Duration, requests: usize, meanwhile: impl FnOnce(&CancelToken)) -> FlushReport {
    phone.transport.hold("");
    let cancel = CancelToken::new();
    std::thread::scope(|scope| {
        let _end = CancelAtEnd(cancel.clone());
        let flush = scope.spawn(|| phone.delivery.flush(deadline, &cancel, false).unwrap());
        phone.transport.wait_for_requests(requests);
        meanwhile(&cancel);
        flush.join().unwrap()
    })
}

#[test]
fn a_flush_ends_with_its_deadline_and_releases_what_did_not_start() {
    let phone = Phone::new(ScriptedTransport::always(202));
    let entries = phone.complete("office", 20);
    let report = while_in_flight(&phone, Duration::from_secs(30), 2, |_| phone.clock.advance(Duration::from_secs(29)));
    assert_eq!((report.end, report.attempts, report.sent, report.pending), (FlushEnd::Deadline, 2, 0, 20));
    let begun: Vec<Row> = entries.iter().map(|id| phone.row(*id)).filter(|row| row.attempts > 0).collect();
    assert_eq!(begun.len(), 2);
    for row in &begun {
        assert_eq!((row.says(), row.unknown, row.counted), (("queued", Some("interrupted")), 1, 0));
    }
    assert_eq!(phone.endpoint("office").delivery.consecutive_failures, 0);
    phone.transport.release();
    assert_eq!(phone.flush().sent, 20);
    phone.assert_duplicates_are_accounted_for(&ids(&phone.transport));
}

#[test]
fn too_little_time_begins_nothing() {
    let phone = Phone::new(ScriptedTransport::always(202));
    assert_eq!(
        phone.delivery.flush(Duration::ZERO, &CancelToken::new(), false).unwrap().end,
        FlushEnd::Drained,
        "nothing to do takes no time"
    );
    let id = phone.complete("office", 1)[0];
    for seconds in [0, 1, 2] {
        let report = phone.delivery.flush(Duration::from_secs(seconds), &CancelToken::new(), false).unwrap();
        assert_eq!((report.end, report.attempts), (FlushEnd::Deadline, 0));
    }
    assert_eq!(phone.row(id).attempts, 0);
}

#[test]
fn cancelling_counts_nothing_and_keeps_the_unknown_outcome() {
    let phone = Phone::new(ScriptedTransport::always(202));
    let id = phone.complete("office", 1)[0];
    let report = while_in_flight(&phone, LONG, 1, CancelToken::cancel);
    assert_eq!(report.end, FlushEnd::Cancelled);
    let row = phone.row(id);
    assert_eq!((row.says(), row.unknown, row.counted, row.slow_counted), (("queued", Some("interrupted")), 1, 0, 0));
    let cancelled = CancelToken::new();
    cancelled.cancel();
    assert_eq!(phone.delivery.flush(LONG, &cancelled, false).unwrap().end, FlushEnd::Cancelled);
    assert_eq!(phone.transport.requests().len(), 1);
}

#[test]
fn an_attempt_that_cannot_be_interrupted_is_detached_and_its_success_still_counts() {
    let phone = Phone::new(ScriptedTransport::always(202));
    let id = phone.complete("office", 1)[0];
    phone.transport.ignore_cancel();
    let report = while_in_flight(&phone, LONG, 1, CancelToken::cancel);
    assert_eq!((report.end, report.pending), (FlushEnd::Cancelled, 1));
    assert_eq!(phone.row(id).state, "leased", "nobody else may begin while it runs");
    phone.transport.release();
    phone.transport.wait_until_quiet();
    eventually("the late result", || phone.row(id).state == "sent");
    assert_eq!(phone.transport.requests().len(), 1);
}

#[test]
fn a_success_counts_even_when_the_lease_was_lost_and_another_handle_attempted() {
    let phone = Phone::new(ScriptedTransport::always(202));
    let id = phone.complete("office", 1)[0];
    phone.transport.ignore_cancel();
    while_in_flight(&phone, LONG, 1, CancelToken::cancel);
    // The lease ends, and another handle takes the entry, without success.
    phone.clock.advance(Duration::from_secs(61));
    let other_transport = ScriptedTransport::always(503);
    let other = phone.second_handle(&other_transport);
    other.flush(LONG, &CancelToken::new(), false).unwrap();
    assert_eq!((phone.row(id).state.as_str(), other_transport.requests().len()), ("queued", 1));
    phone.transport.release();
    phone.transport.wait_until_quiet();
    eventually("the late result", || phone.row(id).state == "sent");
    let row = phone.row(id);
    assert_eq!((row.state.as_str(), row.attempts, row.unknown), ("sent", 2, 0));
    assert_eq!(phone.outcomes(id), ["sent", "server_error"]);
}

#[test]
fn a_late_failure_after_the_lease_was_lost_changes_nothing() {
    for (theirs, expected) in [(202, ("sent", None)), (503, ("queued", Some("server_error")))] {
        let phone = Phone::new(ScriptedTransport::always(400));
        let id = phone.complete("office", 1)[0];
        phone.transport.ignore_cancel();
        while_in_flight(&phone, LONG, 1, CancelToken::cancel);
        phone.clock.advance(Duration::from_secs(61));
        let other = phone.second_handle(&ScriptedTransport::always(theirs));
        assert_eq!(other.flush(LONG, &CancelToken::new(), false).unwrap().attempts, 1);
        assert_eq!(phone.row(id).says(), expected);
        let before = phone.delivery.shared.lock().events();
        phone.transport.release();
        eventually("the late result", || phone.delivery.shared.lock().events() > before);
        phone.flush();
        let row = phone.row(id);
        assert_eq!((row.says(), row.unknown), (expected, 1), "a refusal that came too late is ignored");
    }
}

#[test]
fn quiescing_in_mid_attempt_is_quick_and_results_settle_at_resume() {
    let phone = Phone::new(ScriptedTransport::always(202));
    let entries = phone.complete("office", 10);
    phone.transport.ignore_cancel();
    let report = while_in_flight(&phone, LONG, 2, |_| {
        let began = Instant::now();
        phone.quiesce();
        phone.store.quiesce();
        assert!(began.elapsed() < Duration::from_secs(2));
    });
    assert_eq!(report.end, FlushEnd::Quiesced);
    let leased = entries.iter().filter(|id| phone.row(**id).state == "leased").count();
    assert_eq!(leased, 2);
    assert_eq!(phone.flush().end, FlushEnd::Quiesced);
    let before = phone.store.commits();
    phone.transport.release();
    phone.transport.wait_until_quiet();
    assert_eq!(phone.store.commits(), before, "results wait in memory");
    phone.store.resume();
    eventually("the results", || {
        phone.resume();
        phone.count("sent") == 2
    });
    assert_eq!(phone.flush().sent, 8);
    assert!(phone.transport.renewed() > 0);
    assert_eq!(phone.transport.requests().len(), 10);
}

#[test]
fn quiescing_stops_the_worker_for_as_long_as_it_lasts() {
    let phone = Phone::new(ScriptedTransport::always(202));
    phone.transport.hold("");
    phone.complete("office", 5);
    phone.delivery.start();
    phone.transport.wait_for_requests(2);
    phone.quiesce();
    phone.transport.release();
    let begun = phone.transport.requests().len();
    phone.delivery.look();
    assert_eq!(phone.count("leased"), 0, "cancelled attempts were settled before quiescing was over");
    assert_eq!(phone.transport.requests().len(), begun);
    phone.resume();
    eventually("an empty queue", || phone.count("sent") == 5);
}

#[test]
fn closing_ends_everything_and_may_be_called_twice() {
    let phone = Phone::new(ScriptedTransport::always(202));
    phone.transport.hold("");
    phone.complete("office", 5);
    phone.delivery.start();
    phone.transport.wait_for_requests(2);
    phone.delivery.close();
    phone.delivery.close();
    phone.transport.release();
    assert_eq!(phone.flush().end, FlushEnd::Quiesced);
    phone.delivery.start();
    phone.resume();
    assert_eq!(phone.flush().end, FlushEnd::Quiesced);
    assert_eq!(phone.transport.requests().len(), 2);
    // Another handle takes over.
    phone.clock.advance(Duration::from_secs(61));
    assert_eq!(phone.second_handle(&phone.transport).flush(LONG, &CancelToken::new(), false).unwrap().sent, 5);
}
