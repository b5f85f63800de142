//! What answers lead to, for the entry and for its endpoint.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::*;
use crate::model::FlushEnd;
use crate::port::{FailureKind, Phase, RequestSent, TransportRequest};
use crate::testing::{answer, answer_with, failure};

#[test]
fn a_busy_receiver_is_asked_again_later() {
    let phone = Phone::new(ScriptedTransport::numbered(|number, _| Ok(answer(if number == 1 { 503 } else { 202 }))));
    let id = phone.complete("office", 1)[0];
    let report = phone.flush();
    assert_eq!((report.end, report.attempts, report.retrying, report.pending), (FlushEnd::Drained, 1, 1, 1));
    let row = phone.row(id);
    assert_eq!((row.says(), row.status.as_str()), (("queued", Some("server_error")), "pending"));
    assert_eq!((row.counted, row.unknown), (1, 0));
    let next = phone.delivery.next_due().unwrap().at.unwrap();
    assert_eq!(next.timestamp_millis(), row.due_at);
    assert!(next - phone.clock.now() >= chrono::TimeDelta::seconds(60));
    assert_eq!(phone.flush().attempts, 0, "not before its time");
    phone.clock.set_wall(next);
    assert_eq!(phone.flush().sent, 1);
    assert_eq!(phone.outcomes(id), ["server_error", "sent"]);
    let requests = phone.transport.requests();
    assert_eq!(header(&requests[0], "webhook-id"), header(&requests[1], "webhook-id"));
    assert_eq!((header(&requests[0], "compass-attempt"), header(&requests[1], "compass-attempt")), ("1".into(), "2".into()));
    assert_eq!(requests[0].body, requests[1].body);
    assert_ne!(header(&requests[0], "webhook-signature"), header(&requests[1], "webhook-signature"), "signed again");
}

#[test]
fn an_endpoint_that_is_gone_is_disabled_and_enabling_it_revives_everything() {
    let gone = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let is_gone = Arc::clone(&gone);
    let script = move |_: &_| Ok(answer(if is_gone.load(Ordering::Relaxed) { 410 } else { 202 }));
    let policy = RetryPolicy { in_flight_start: 1, ..RetryPolicy::default() };
    let phone = Phone::with_policy(ScriptedTransport::new(script), policy);
    let entries = phone.complete("office", 5);
    let report = phone.flush();
    assert_eq!((report.failed, report.pending, phone.transport.requests().len()), (1, 4, 1));
    assert_eq!(phone.row(entries[0]).says(), ("failed", Some("gone")));
    assert_eq!(phone.endpoint("office").disabled_reason.as_deref(), Some("gone"));
    for id in &entries[1..] {
        let row = phone.row(*id);
        assert_eq!((row.says(), row.attempts), (("queued", None), 0));
    }
    let next = phone.delivery.next_due().unwrap();
    assert_eq!((next.at, next.when_online), (None, None));
    assert!(phone.notices.lock().unwrap().iter().any(|notice| notice.endpoints));

    gone.store(false, Ordering::Relaxed);
    let now = phone.clock.now();
    let revived = phone.write(|tx| {
        endpoint::enable(tx, "office", &RetryPolicy::default())?;
        outbox::revive::revive_endpoint(tx, "office", false, crate::outbox::reason::revived_by_enabling, now, &Default::default())
    });
    assert_eq!(revived.sessions.len(), 1);
    assert_eq!(phone.flush().sent, 5);
    let row = phone.row(entries[0]);
    assert_eq!((row.state.as_str(), row.failed_sends), ("sent", 1));
}

#[test]
fn retry_after_pauses_the_whole_endpoint() {
    let asked = AtomicBool::new(false);
    // The office asks once; the other endpoint may be first on the wire.
    let script = move |_, request: &TransportRequest| {
        let asks = request.url == url("office") && !asked.swap(true, Ordering::Relaxed);
        Ok(if asks { answer_with(429, &[("retry-after", "1800")]) } else { answer(202) })
    };
    let policy = RetryPolicy { in_flight_start: 1, ..RetryPolicy::default() };
    let phone = Phone::with_policy(ScriptedTransport::numbered(script), policy);
    phone.register("other");
    let entries = phone.complete("office", 200);
    phone.complete("other", 3);
    phone.flush();
    let office = phone.transport.requests().iter().filter(|request| request.url == url("office")).count();
    assert_eq!((office, phone.count("sent")), (1, 3));
    assert!(entries[1..].iter().all(|id| phone.row(*id).attempts == 0));
    assert_eq!(phone.endpoint("office").delivery.pause_reason.as_deref(), Some("rate_limited"));
    let at = phone.delivery.next_due().unwrap().at.unwrap();
    // Half a second spreads phones.
    assert_eq!((at - phone.clock.now()).num_milliseconds(), 1_800_500);
    phone.clock.advance(Duration::from_millis(1_800_499));
    assert_eq!(phone.flush().attempts, 0);
    phone.clock.advance(Duration::from_millis(1));
    assert_eq!(phone.flush().sent, 200);
}

#[test]
fn a_receiver_that_keeps_failing_gets_one_attempt_at_a_time() {
    let policy = RetryPolicy { jitter: 0.0, ..RetryPolicy::default() };
    let phone = Phone::with_policy(ScriptedTransport::always(500), policy);
    phone.complete("office", 100);
    phone.flush();
    let begun = phone.transport.requests().len();
    assert!((5..=8).contains(&begun), "{begun} attempts before the breaker opened");
    assert_eq!(phone.endpoint("office").delivery.pause_reason.as_deref(), Some("endpoint_paused"));
    for probe in 1..=5 {
        let next = phone.delivery.next_due().unwrap().at.unwrap();
        assert!(next > phone.clock.now());
        phone.clock.set_wall(next);
        assert_eq!(phone.flush().attempts, 1);
        assert_eq!(phone.transport.requests().len(), begun + probe);
    }
}

#[test]
fn the_whole_schedule_ends_exhausted_and_a_person_can_send_again() {
    let phone = Phone::new(ScriptedTransport::always(500));
    let id = phone.complete("office", 1)[0];
    let began = phone.clock.now();
    let mut attempts = 0;
    while phone.row(id).state == "queued" {
        let next = phone.delivery.next_due().unwrap().at.expect("it is tried again");
        phone.clock.set_wall(next);
        attempts += phone.flush().attempts;
        assert!(attempts < 100, "it ends");
    }
    let row = phone.row(id);
    assert_eq!((row.says(), row.failed_sends), (("failed", Some("exhausted")), 1));
    assert!(row.counted >= 12 && phone.clock.now() - began >= chrono::TimeDelta::days(14));
    assert_eq!(phone.outcomes(id).len(), 11, "the first and the last ten are kept");
    let next = phone.delivery.next_due().unwrap();
    assert_eq!(next.at, None);

    let now = phone.clock.now();
    phone.write(|tx| outbox::send_again(tx, id, now));
    phone.write(|tx| endpoint::enable(tx, "office", &RetryPolicy::default()));
    assert_eq!(phone.flush().attempts, 1);
    assert_eq!(phone.row(id).counted, 1);
}

#[test]
fn refused_credentials_fail_on_the_sixth_and_new_ones_revive() {
    let good = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_good = Arc::clone(&good);
    let phone = Phone::new(ScriptedTransport::new(move |_| Ok(answer(if is_good.load(Ordering::Relaxed) { 202 } else { 401 }))));
    let id = phone.complete("office", 1)[0];
    while phone.row(id).state == "queued" {
        phone.clock.set_wall(phone.delivery.next_due().unwrap().at.unwrap());
        phone.flush();
    }
    assert_eq!((phone.row(id).says(), phone.transport.requests().len()), (("failed", Some("auth")), 6));
    good.store(true, Ordering::Relaxed);
    phone.delivery.secrets_changed().unwrap();
    assert_eq!(phone.flush().sent, 1);
}

#[test]
fn a_missing_secret_keeps_messages_back_and_none_is_sent_unsigned() {
    let phone = Phone::new(ScriptedTransport::always(202));
    phone.secrets.remove("signing");
    let entries = phone.complete("office", 40);
    let report = phone.flush();
    assert_eq!((report.pending, phone.transport.requests().len()), (40, 0));
    assert_eq!(phone.endpoint("office").delivery.pause_reason.as_deref(), Some("secret_missing"));
    for id in &entries {
        let row = phone.row(*id);
        assert_eq!((row.state.as_str(), row.attempts, row.unknown, row.counted), ("queued", 0, 0, 0));
    }
    // It is looked up again automatically after a while.
    phone.clock.advance(Duration::from_secs(15 * 60 + 1));
    phone.flush();
    assert_eq!(phone.transport.requests().len(), 0);
    phone.secrets.set("signing", SECRET);
    phone.delivery.secrets_changed().unwrap();
    assert_eq!(phone.flush().sent, 40);
    let requests = phone.transport.requests();
    assert!(requests.iter().all(|request| header(request, "webhook-signature").starts_with("v1,")));
}

#[test]
fn while_a_secret_rotates_both_sign() {
    let phone = Phone::new(ScriptedTransport::always(202));
    phone.secrets.set("signing", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    phone.complete("office", 1);
    phone.flush();
    assert_eq!(header(&phone.transport.requests()[0], "webhook-signature").split(' ').count(), 2);
}

#[test]
fn a_clock_that_is_seven_minutes_wrong_costs_one_refusal_and_no_budget() {
    // The receiver's clock is right; the phone's is seven minutes behind.
    let base = ManualClock::default().now().timestamp();
    let receiver = base + 420;
    let date = chrono::DateTime::from_timestamp(receiver, 0).unwrap().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let phone = Phone::new(ScriptedTransport::new(move |request| {
        let signed: i64 = header(request, "webhook-timestamp").parse().unwrap();
        let status = if (signed - receiver).abs() > 300 { 401 } else { 202 };
        Ok(answer_with(status, &[("date", &date)]))
    }));
    let policy = RetryPolicy { in_flight_start: 1, ..RetryPolicy::default() };
    let phone = Phone::with_policy(phone.transport.clone(), policy);
    let entries = phone.complete("office", 10);
    let report = phone.flush();
    assert_eq!((report.sent, report.attempts), (10, 11));
    assert_eq!(phone.outcomes(entries[0]), ["clock_skew", "sent"]);
    assert!((419_000..=421_000).contains(&phone.endpoint("office").delivery.skew_ms.unwrap()));
    assert!(entries.iter().all(|id| phone.row(*id).counted == 0 && phone.row(*id).slow_counted == 0));
}

#[test]
fn an_answer_that_never_came_leaves_the_outcome_unknown() {
    let script =
        |number, _: &_| if number == 1 { Err(failure(FailureKind::Closed, Phase::Receive, RequestSent::Maybe)) } else { Ok(answer(202)) };
    let phone = Phone::new(ScriptedTransport::numbered(script));
    let id = phone.complete("office", 1)[0];
    phone.flush();
    let row = phone.row(id);
    assert_eq!((row.says(), row.unknown, row.counted), (("queued", Some("timeout")), 1, 1));
    phone.clock.advance(Duration::from_secs(3600));
    phone.flush();
    let row = phone.row(id);
    assert_eq!((row.state.as_str(), row.unknown, row.attempts), ("sent", 1, 2));
    phone.assert_duplicates_are_accounted_for(&ids(&phone.transport));
}

#[test]
fn an_unknown_endpoint_keeps_its_messages_until_it_is_registered() {
    let phone = Phone::new(ScriptedTransport::always(202));
    phone.complete("depot", 2);
    assert_eq!((phone.flush().pending, phone.delivery.next_due().unwrap().at), (2, None));
    phone.register("depot");
    assert_eq!(phone.flush().sent, 2);
}

#[test]
fn what_the_old_address_answered_says_nothing_about_the_new_one() {
    let phone = Phone::new(ScriptedTransport::new(|request| Ok(answer(if request.url == url("office") { 410 } else { 202 }))));
    let id = phone.complete("office", 1)[0];
    phone.transport.hold(&url("office"));
    std::thread::scope(|scope| {
        let flush = scope.spawn(|| phone.flush());
        phone.transport.wait_for_requests(1);
        phone.register_as(&Endpoint { url: url("moved"), ..endpoint("office") });
        phone.transport.release();
        assert_eq!(flush.join().unwrap().sent, 1);
    });
    assert_eq!(phone.row(id).state, "sent");
    assert!(phone.endpoint("office").enabled);
}
