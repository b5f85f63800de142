//! The outcome table, row by row.

use super::*;
use crate::model::Timestamp;

/// The platform has reached the internet.
const ONLINE: Context =
    Context { validated: Some(true), answered_lately: false, signed_for_ms: 0, clock_error_ms: None, resynced: false, interrupted: false };
/// The platform does not know, and no receiver has answered.
const NO_NET: Context = Context { validated: None, ..ONLINE };
/// The platform does not know, but another receiver has just answered.
const ANSWERED: Context = Context { answered_lately: true, ..NO_NET };
/// The platform reports that it does not reach the internet.
const PORTAL: Context = Context { validated: Some(false), ..ONLINE };

fn answer(status: u16) -> Answer {
    Answer { status, retry_after: None, date: None }
}

fn of_status(status: u16, context: &Context) -> Verdict {
    classify(&Outcome::Answer(answer(status)), context, &RetryPolicy::default())
}

fn of_failure(kind: FailureKind, phase: Phase, request_sent: RequestSent, context: &Context) -> Verdict {
    let failure = TransportFailure { kind, phase, request_sent, detail: "connection refused, timed out, cancelled".to_owned() };
    classify(&Outcome::Failure(failure), context, &RetryPolicy::default())
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
        407 | 511 => (Class::Offline, "proxy"),
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
        for context in [ONLINE, NO_NET, ANSWERED, PORTAL, Context { interrupted: true, ..ONLINE }] {
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
    let sent: Vec<u16> = (0..=1000).filter(|status| of_status(*status, &ONLINE).class == Class::Sent).collect();
    assert_eq!(sent, (200..=299).collect::<Vec<u16>>());
}

#[test]
fn failures_without_a_status_line_have_their_rows() {
    use FailureKind::*;
    use Phase::*;
    use RequestSent::{Maybe, No};
    let later = |reason| (Class::RetryLater, reason);
    let slow = |reason| (Class::RetrySlow, reason);
    let offline = |reason| (Class::Offline, reason);
    let bad_certificate = Certificate { time_invalid: false };
    // Kind, phase, whether bytes may have left; with a network that works, and with one that is not known to.
    let rows = [
        (NoNetwork, Connect, No, offline("offline"), offline("offline")),
        (NoNetwork, Send, Maybe, offline("offline"), offline("offline")),
        (Dns, Resolve, No, later("dns"), offline("dns")),
        (Timeout, Resolve, No, later("dns"), offline("offline")),
        (Closed, Resolve, No, later("dns"), offline("offline")),
        (Other, Resolve, No, later("dns"), later("dns")),
        (Refused, Connect, No, later("unreachable"), offline("unreachable")),
        (Timeout, Connect, No, later("unreachable"), offline("offline")),
        (Closed, Connect, No, later("unreachable"), offline("offline")),
        (Other, Connect, No, later("unreachable"), later("unreachable")),
        (Cancelled, Connect, No, later("unreachable"), later("unreachable")),
        (bad_certificate, Connect, No, slow("tls"), offline("tls")),
        (bad_certificate, Connect, Maybe, slow("tls"), offline("tls")),
        (Tls, Connect, No, slow("tls"), offline("captive_portal")),
        (Protocol, Connect, No, slow("protocol"), offline("captive_portal")),
        (Timeout, Send, No, later("timeout"), offline("offline")),
        (Closed, Send, No, later("timeout"), offline("offline")),
        (Other, Send, No, later("timeout"), later("timeout")),
        (Cancelled, Send, No, later("timeout"), later("timeout")),
        (Dns, Resolve, Maybe, later("timeout"), later("timeout")),
        (Refused, Connect, Maybe, later("timeout"), later("timeout")),
        (Timeout, Send, Maybe, later("timeout"), later("timeout")),
        (Timeout, Receive, Maybe, later("timeout"), later("timeout")),
        (Closed, Receive, Maybe, later("timeout"), later("timeout")),
        (Other, Receive, Maybe, later("timeout"), later("timeout")),
        (Cancelled, Receive, Maybe, later("timeout"), later("timeout")),
        (Tls, Receive, Maybe, slow("tls"), slow("tls")),
        (Protocol, Receive, Maybe, slow("protocol"), slow("protocol")),
    ];
    for (kind, phase, sent, with_net, without_net) in rows {
        for (context, expected) in [(ONLINE, with_net), (NO_NET, without_net), (PORTAL, without_net)] {
            let verdict = of_failure(kind, phase, sent, &context);
            assert_eq!(means(verdict), expected, "{kind:?} {phase:?} {sent:?} {context:?}");
            assert_eq!(verdict.contact == Contact::Unknown, sent == Maybe, "{kind:?} {phase:?}");
            let timed_out = kind == Timeout && verdict.class == Class::RetryLater;
            assert_eq!((verdict.overloaded, verdict.slow_down), (timed_out, timed_out), "{kind:?} {phase:?}");
            assert_eq!(verdict.pause, None, "{kind:?} {phase:?}");
        }
        let verdict = of_failure(kind, phase, sent, &ANSWERED);
        // An answer of another receiver shows that the internet is reached, but not that this receiver answered.
        let expected = if matches!(kind, Tls | Protocol) { without_net } else { with_net };
        assert_eq!(means(verdict), expected, "{kind:?} {phase:?} {sent:?} answered lately");
    }
}

#[test]
fn an_attempt_that_we_ended_ourselves_says_nothing_but_whether_bytes_left() {
    use FailureKind::*;
    for kind in [NoNetwork, Dns, Refused, Timeout, Closed, Certificate { time_invalid: true }, Tls, Protocol, Cancelled, Other] {
        for phase in [Phase::Resolve, Phase::Connect, Phase::Send, Phase::Receive] {
            for (sent, contact) in [(RequestSent::No, Contact::Known), (RequestSent::Maybe, Contact::Unknown)] {
                for context in [ONLINE, NO_NET, ANSWERED, PORTAL] {
                    let verdict = of_failure(kind, phase, sent, &Context { interrupted: true, ..context });
                    assert_eq!(verdict, Verdict::new(Class::CutShort, "interrupted", contact), "{kind:?} {phase:?}");
                }
            }
        }
    }
}

#[test]
fn an_expired_certificate_is_clock_skew_where_the_clock_is_known_to_be_wrong() {
    let with_error = |time_invalid, error| {
        let context = Context { clock_error_ms: error, ..ONLINE };
        of_failure(FailureKind::Certificate { time_invalid }, Phase::Connect, RequestSent::No, &context)
    };
    assert_eq!(means(with_error(true, Some(-3_600_001))), (Class::Offline, "clock_skew"));
    assert!(!with_error(true, Some(3_600_001)).counted(), "it never fails early");
    assert_eq!(means(with_error(true, Some(3_600_000))), (Class::RetrySlow, "tls"));
    assert_eq!(means(with_error(true, None)), (Class::RetrySlow, "tls"));
    assert_eq!(means(with_error(false, Some(i64::MIN))), (Class::RetrySlow, "tls"), "another host's certificate");
}

#[test]
fn one_receiver_with_a_wrong_clock_counts_for_no_other() {
    let minute = 60_000;
    for (own, others, expected) in [
        (Some(5), &[][..], Some(5)),
        (Some(-90), &[7_200_000, 7_200_001][..], Some(-90)),
        (None, &[], None),
        (None, &[i64::MIN], None),
        (None, &[0, 45 * minute], None),
        (None, &[45 * minute, 46 * minute], Some(45 * minute)),
        (None, &[-46 * minute, -45 * minute], Some(-45 * minute)),
        (None, &[60 * minute, 62 * minute], Some(60 * minute)),
        (None, &[60 * minute, 62 * minute + 1], None),
        // Two that agree that the clock is right count for more than two that agree that it is wrong.
        (None, &[90 * minute, 0, 91 * minute, 1, i64::MAX], Some(0)),
        (None, &[i64::MIN, i64::MAX], None),
    ] {
        assert_eq!(clock_error(own, others.iter().copied()), expected, "{own:?} {others:?}");
    }
}

#[test]
fn without_a_request_there_is_no_attempt() {
    for (cause, expected) in [
        (Cause::CorruptBody, (Class::Permanent, "corrupt")),
        (Cause::BadUrl, (Class::Permanent, "bad_url")),
        (Cause::SecretMissing, (Class::Blocked, "secret_missing")),
        (Cause::SecretUnavailable, (Class::Blocked, "secret_unavailable")),
        (Cause::SecretInvalid, (Class::Blocked, "secret_invalid")),
        (Cause::Interrupted, (Class::CutShort, "interrupted")),
    ] {
        let verdict = classify(&Outcome::NotAttempted(cause), &ONLINE, &RetryPolicy::default());
        assert_eq!(means(verdict), expected);
        assert_eq!(verdict.contact, Contact::NotBegun);
    }
}

#[test]
fn a_refusal_with_a_wrong_clock_gets_one_more_attempt_with_the_right_one() {
    let at = |ms| Timestamp::from_timestamp_millis(ms).expect("a time");
    let refused = |status, date_ms, context: &Context| {
        classify(&Outcome::Answer(Answer { date: Some(at(date_ms)), ..answer(status) }), context, &RetryPolicy::default())
    };
    for status in [400, 401, 403, 422] {
        for skew in [120_001, -120_001, 7 * 60_000, -7 * 60_000] {
            let verdict = refused(status, skew, &ONLINE);
            assert_eq!(means(verdict), (Class::ResyncNow, "clock_skew"), "{status} {skew}");
            assert!(!verdict.counted());
            assert_eq!(means(refused(status, skew, &Context { resynced: true, ..ONLINE })), row(status), "only once");
            assert_eq!(
                means(refused(status, skew, &Context { signed_for_ms: skew, ..ONLINE })),
                row(status),
                "already signed with the right time"
            );
        }
        assert_eq!(means(refused(status, 120_000, &ONLINE)), row(status), "the clocks agree well enough");
        assert_eq!(means(of_status(status, &ONLINE)), row(status), "the receiver sent no time");
    }
    for status in [200, 302, 404, 409, 410, 413, 429, 500, 503] {
        assert_eq!(means(refused(status, 10_000_000, &ONLINE)), row(status), "{status} is not about the signature");
    }
    assert_eq!(means(refused(401, 0, &Context { signed_for_ms: i64::MAX, ..ONLINE })), (Class::ResyncNow, "clock_skew"));
}

#[test]
fn a_receiver_that_asks_for_a_pause_gets_it() {
    let pause = |status, retry_after: Option<u64>| {
        let answer = Answer { retry_after: retry_after.map(Duration::from_secs), ..answer(status) };
        classify(&Outcome::Answer(answer), &ONLINE, &RetryPolicy::default()).pause.map(|pause| pause.as_secs())
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
        let verdict = of_status(status, &ONLINE);
        assert!(verdict.class == Class::Sent || reason::ALL.contains(&verdict.reason), "{}", verdict.reason);
    }
}
