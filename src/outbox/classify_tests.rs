//! The outcome table, row by row.

use super::*;

const CALM: Context =
    Context { net_ok: true, received_at: Timestamp::UNIX_EPOCH, applied_skew_ms: 0, device_skew_ms: None, resynced: false };
const NO_NET: Context = Context { net_ok: false, ..CALM };

fn answer(status: u16) -> Answer {
    Answer { status, retry_after: None, date: None }
}

fn of_status(status: u16, context: &Context) -> Verdict {
    classify(&Outcome::Answer(answer(status)), context, &RetryPolicy::default())
}

fn of_failure(cause: Cause, stage: Stage, may_have_left: bool, context: &Context) -> Verdict {
    classify(&Outcome::Failure(Failure { cause, stage, may_have_left }), context, &RetryPolicy::default())
}

fn means(verdict: Verdict) -> (Class, &'static str) {
    (verdict.class, verdict.reason)
}

/// The row of the table that a status belongs to, written out once more by hand.
fn row(status: u16) -> (Class, &'static str) {
    match status {
        200..300 => (Class::Sent, "sent"),
        300..400 => (Class::RetrySlow, "redirect"),
        401 | 403 => (Class::RetrySlow, "auth"),
        404 => (Class::RetrySlow, "not_found"),
        407 | 511 => (Class::Offline, "captive_portal"),
        408 | 425 => (Class::RetryLater, "server_error"),
        409 => (Class::RetrySlow, "conflict"),
        410 => (Class::Gone, "gone"),
        413 => (Class::Permanent, "payload_too_large"),
        429 => (Class::RetryLater, "rate_limited"),
        400 | 405 | 406 | 411 | 414 | 415 | 422 | 431 | 451 | 501 | 505 => (Class::Permanent, "rejected"),
        400..500 => (Class::RetrySlow, "rejected"),
        500..600 => (Class::RetryLater, "server_error"),
        _ => (Class::RetrySlow, "protocol"),
    }
}

#[test]
fn every_status_there_can_be_has_its_row() {
    for status in 0..=1000 {
        for context in [CALM, NO_NET] {
            let verdict = of_status(status, &context);
            assert_eq!(means(verdict), row(status), "{status}");
            assert_eq!(verdict.contact, Contact::Known, "a status line was read: {status}");
            assert_eq!(verdict.overloaded, [429, 502, 503, 504].contains(&status), "{status}");
            assert_eq!(verdict.slow_down, [429, 503].contains(&status), "{status}");
        }
    }
}

#[test]
fn only_2xx_is_sent() {
    let sent: Vec<u16> = (0..=1000).filter(|status| of_status(*status, &CALM).class == Class::Sent).collect();
    assert_eq!(sent, (200..=299).collect::<Vec<u16>>());
}

#[test]
fn failures_without_a_status_line_have_their_rows() {
    use Cause::*;
    use Stage::*;
    let offline = (Class::Offline, "offline");
    let bad_certificate = Certificate { time_invalid: false };
    // Cause, stage, whether bytes may have left; with a network that works, and without one.
    let rows = [
        (NoNetwork, Connect, false, offline, offline),
        (Dns, Resolve, false, (Class::RetryLater, "dns"), offline),
        (Timeout, Resolve, false, (Class::RetryLater, "dns"), offline),
        (Refused, Connect, false, (Class::RetryLater, "unreachable"), offline),
        (Timeout, Connect, false, (Class::RetryLater, "unreachable"), offline),
        (Closed, Connect, false, (Class::RetryLater, "unreachable"), offline),
        (bad_certificate, Connect, false, (Class::RetrySlow, "tls"), (Class::Offline, "captive_portal")),
        (Tls, Connect, false, (Class::RetrySlow, "tls"), (Class::RetrySlow, "tls")),
        (Timeout, Send, false, (Class::RetryLater, "timeout"), offline),
        (Closed, Send, false, (Class::RetryLater, "timeout"), offline),
        (Other, Send, false, (Class::RetryLater, "timeout"), offline),
        (Timeout, Send, true, (Class::RetryLater, "timeout"), (Class::RetryLater, "timeout")),
        (Timeout, Receive, true, (Class::RetryLater, "timeout"), (Class::RetryLater, "timeout")),
        (Closed, Receive, true, (Class::RetryLater, "timeout"), (Class::RetryLater, "timeout")),
        (Other, Receive, true, (Class::RetryLater, "timeout"), (Class::RetryLater, "timeout")),
        (Protocol, Receive, true, (Class::RetrySlow, "protocol"), (Class::RetrySlow, "protocol")),
        (Cancelled, Receive, true, (Class::CutShort, "interrupted"), (Class::CutShort, "interrupted")),
        (Cancelled, Connect, false, (Class::CutShort, "interrupted"), (Class::CutShort, "interrupted")),
    ];
    for (cause, stage, may_have_left, with_net, without_net) in rows {
        for (context, expected) in [(CALM, with_net), (NO_NET, without_net)] {
            let verdict = of_failure(cause, stage, may_have_left, &context);
            assert_eq!(means(verdict), expected, "{cause:?} {stage:?} {may_have_left} net_ok={}", context.net_ok);
            assert_eq!(verdict.contact == Contact::Unknown, may_have_left, "{cause:?} {stage:?}");
            let timed_out = cause == Timeout && verdict.class == Class::RetryLater;
            assert_eq!((verdict.overloaded, verdict.slow_down), (timed_out, timed_out), "{cause:?} {stage:?}");
        }
    }
}

#[test]
fn an_expired_certificate_is_blamed_on_a_clock_that_is_known_to_be_wrong() {
    let expired = Cause::Certificate { time_invalid: true };
    let with_skew = |ms| of_failure(expired, Stage::Connect, false, &Context { device_skew_ms: ms, ..CALM });
    assert_eq!(means(with_skew(Some(-3_600_001))), (Class::Offline, "clock_skew"));
    assert!(!with_skew(Some(3_600_001)).counted(), "it never fails early");
    assert_eq!(means(with_skew(Some(3_600_000))), (Class::RetrySlow, "tls"));
    assert_eq!(means(with_skew(None)), (Class::RetrySlow, "tls"));
    let wrong_host =
        of_failure(Cause::Certificate { time_invalid: false }, Stage::Connect, false, &Context { device_skew_ms: Some(i64::MIN), ..CALM });
    assert_eq!(means(wrong_host), (Class::RetrySlow, "tls"));
}

#[test]
fn what_was_never_begun_is_no_attempt() {
    for (obstacle, expected) in [
        (Obstacle::CorruptBody, (Class::Permanent, "corrupt")),
        (Obstacle::BadUrl, (Class::Permanent, "bad_url")),
        (Obstacle::SecretMissing, (Class::Blocked, "secret_missing")),
        (Obstacle::SecretUnavailable, (Class::Blocked, "secret_unavailable")),
        (Obstacle::SecretInvalid, (Class::Blocked, "secret_invalid")),
    ] {
        let verdict = classify(&Outcome::NotAttempted(obstacle), &CALM, &RetryPolicy::default());
        assert_eq!(means(verdict), expected);
        assert_eq!(verdict.contact, Contact::NotBegun);
    }
}

#[test]
fn a_refusal_with_a_wrong_clock_is_tried_once_more_with_the_right_one() {
    let at = |ms| Timestamp::from_timestamp_millis(ms).expect("a time");
    let refused = |status, date_ms, context: &Context| {
        classify(&Outcome::Answer(Answer { date: Some(at(date_ms)), ..answer(status) }), context, &RetryPolicy::default())
    };
    for status in [400, 401, 403, 422] {
        for skew in [120_001, -120_001, 7 * 60_000, -7 * 60_000] {
            let verdict = refused(status, skew, &CALM);
            assert_eq!(means(verdict), (Class::ResyncNow, "clock_skew"), "{status} {skew}");
            assert!(!verdict.counted());
            assert_eq!(means(refused(status, skew, &Context { resynced: true, ..CALM })), row(status), "only once");
            assert_eq!(
                means(refused(status, skew, &Context { applied_skew_ms: skew, ..CALM })),
                row(status),
                "already signed with the right time"
            );
        }
        assert_eq!(means(refused(status, 120_000, &CALM)), row(status), "the clocks agree well enough");
        assert_eq!(means(of_status(status, &CALM)), row(status), "the receiver has not told its time");
    }
    for status in [200, 302, 404, 409, 410, 413, 429, 500, 503] {
        assert_eq!(means(refused(status, 10_000_000, &CALM)), row(status), "{status} is not about the signature");
    }
    assert_eq!(means(refused(401, 0, &Context { applied_skew_ms: i64::MAX, ..CALM })), (Class::ResyncNow, "clock_skew"));
}

#[test]
fn a_receiver_that_asks_for_patience_gets_it() {
    let pause = |status, retry_after: Option<u64>| {
        let answer = Answer { retry_after: retry_after.map(Duration::from_secs), ..answer(status) };
        classify(&Outcome::Answer(answer), &CALM, &RetryPolicy::default()).pause.map(|pause| pause.as_secs())
    };
    assert_eq!(pause(429, None), Some(60));
    assert_eq!(pause(429, Some(5)), Some(5));
    assert_eq!(pause(429, Some(0)), None);
    assert_eq!(pause(429, Some(1_000_000_000_000)), Some(24 * 3600));
    assert_eq!(pause(503, None), None);
    assert_eq!(pause(503, Some(600)), Some(600));
    assert_eq!(pause(500, Some(600)), Some(600));
    assert_eq!(pause(200, Some(600)), None);
    assert_eq!(pause(404, Some(600)), None);
}

#[test]
fn every_verdict_gives_a_documented_reason() {
    for status in 0..=1000 {
        let verdict = of_status(status, &CALM);
        assert!(verdict.class == Class::Sent || reason::ALL.contains(&verdict.reason), "{}", verdict.reason);
    }
}
