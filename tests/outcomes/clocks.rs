//! Clocks that differ: learned from the receiver's `Date`, once in a row, and kept.

use std::sync::Arc;

use chrono::TimeDelta;
use compass_core::model::ActionStatus;

use crate::ca;
use crate::expect::{each, permanent, retry, sent, slow};
use crate::phone::{Phone, SECRET, Setup, http_date, server};
use crate::support::{Reply, Response, SeenRequest, TestServer};

fn timestamp(seen: &SeenRequest) -> i64 {
    seen.header("webhook-timestamp").expect("a timestamp").parse().expect("whole seconds")
}

/// A receiver whose clock is ahead of the phone's, and which refuses signatures that are more than five minutes off.
fn verifier(phone: &Phone, ahead: TimeDelta, refusal: u16) -> TestServer {
    let clock = Arc::clone(&phone.clock);
    TestServer::https(ca(), move |seen| {
        let now = compass_core::port::Clock::now(&*clock) + ahead;
        let status = if (timestamp(seen) - now.timestamp()).abs() > 300 { refusal } else { 200 };
        Reply::Respond(Response::new(status).header("date", http_date(now)))
    })
}

#[test]
fn a_phone_seven_minutes_off_is_refused_once_and_accepted_in_the_same_flush() {
    let cases: Vec<(i64, u16)> =
        [401, 403, 400, 422].into_iter().flat_map(|code| [(7, code), (-7, code)]).chain([(1_051_200, 401)]).collect();
    each(&cases, |(minutes, refusal)| {
        let what = format!("{minutes} min, {refusal}");
        let phone = Setup::steady().phone();
        let ahead = TimeDelta::minutes(*minutes);
        let server = verifier(&phone, ahead, *refusal);
        phone.register("office", &server.url("/hook"));
        let session = phone.complete("office");
        let report = phone.flush();
        assert_eq!((report.attempts, report.sent, report.failed), (2, 1, 0), "{what}: {report:?}");
        assert_eq!(phone.status(session), (ActionStatus::Sent, None), "{what}");

        let seen = server.requests();
        assert_eq!(seen.len(), 2, "{what}");
        for (attempt, seen) in (1..).zip(&seen) {
            phone.check_request(&what, seen, session, attempt, &[SECRET]);
        }
        assert_eq!(timestamp(&seen[0]), phone.now().timestamp(), "{what}");
        let learned = timestamp(&seen[1]) - phone.now().timestamp();
        assert!((learned - ahead.num_seconds()).abs() <= 1, "{what}: signed {learned} s ahead");

        let delivery = phone.delivery(session);
        assert!(!delivery.may_have_been_delivered, "{what}");
        let refused = &delivery.last_attempts[1];
        assert_eq!((refused.outcome.as_str(), refused.status, refused.counted), ("clock_skew", Some(*refusal), false), "{what}");
        let endpoint = phone.endpoint("office");
        assert_eq!(endpoint.consecutive_failures, 0, "{what}");
        assert!((endpoint.clock_skew_ms.expect("a difference") - ahead.num_milliseconds()).abs() <= 1_000, "{what}");

        // Known from now on: the next message is right at once.
        phone.complete("office");
        assert_eq!(phone.flush().attempts, 1, "{what}");
    });
}

#[test]
fn when_the_right_time_does_not_help_it_is_not_the_clock() {
    // As after one attempt, but for the number of attempts.
    let waits = (ActionStatus::Pending, Some("auth".to_owned()), Some(300));
    let failed = (ActionStatus::Failed, Some("rejected".to_owned()), None);
    each(&[(401, &waits), (403, &waits), (400, &failed), (422, &failed)], |(code, expect)| {
        let phone = Setup::steady().phone();
        let date = http_date(phone.now() + TimeDelta::minutes(7));
        let server = server(Reply::Respond(Response::new(*code).header("date", date)));
        phone.register("office", &server.url("/hook"));
        let session = phone.complete("office");
        let report = phone.flush();
        assert_eq!((report.attempts, server.requests().len()), (2, 2), "{code}: corrected once, not for ever");
        let (status, reason) = phone.status(session);
        let delivery = phone.delivery(session);
        let next = delivery.next_attempt_at.map(|at| (at - phone.now()).num_seconds());
        assert_eq!((status, reason.clone(), next), **expect, "{code}");
        let outcomes: Vec<_> = delivery.last_attempts.into_iter().map(|attempt| (attempt.outcome, attempt.counted)).collect();
        assert_eq!(outcomes, [(reason.expect("a reason"), status == waits.0), ("clock_skew".to_owned(), false)], "{code}");
    });
}

#[test]
fn a_receiver_whose_clock_runs_away_is_not_chased() {
    let phone = Setup::steady().phone();
    let start = phone.now();
    let server = TestServer::https(ca(), move |seen| {
        let date = http_date(start + TimeDelta::minutes(7 * (seen.number as i64 + 1)));
        // In the end it gives in, so that chasing it ends too.
        Reply::Respond(Response::new(if seen.number < 9 { 401 } else { 200 }).header("date", date))
    });
    phone.register("office", &server.url("/hook"));
    let session = phone.complete("office");
    assert_eq!((phone.flush().attempts, server.requests().len()), (2, 2));
    assert_eq!(phone.status(session), (ActionStatus::Pending, Some("auth".to_owned())));
}

#[test]
fn clocks_that_agree_well_enough_are_not_the_cause() {
    let rows = [
        (119, 401, slow("auth")),
        (-119, 403, slow("auth")),
        (119, 400, permanent("rejected")),
        (7 * 60, 404, slow("not_found")),
        (7 * 60, 405, permanent("rejected")),
        (7 * 60, 503, retry("server_error").overloaded()),
        (7 * 60, 200, sent()),
    ];
    each(&rows, |(ahead, code, expect)| {
        let phone = Setup::default().phone();
        let date = http_date(phone.now() + TimeDelta::seconds(*ahead));
        let server = server(Reply::Respond(Response::new(*code).header("date", date)));
        phone.register("office", &server.url("/hook"));
        let session = phone.complete("office");
        let report = phone.flush();
        let what = format!("{ahead} s, {code}");
        assert_eq!(report.attempts, 1, "{what}");
        expect.check(&what, &phone, session, &report, Some(*code));
        let learned = phone.endpoint("office").clock_skew_ms.expect("a difference");
        assert!((learned - ahead * 1000).abs() <= 1_000, "{what}: every answer teaches the time");
    });
}

#[test]
fn without_a_date_or_with_a_bad_one_nothing_is_learned() {
    each(&[None, Some("soon"), Some("2026-11-24T08:00:00Z")], |date| {
        let phone = Setup::default().phone();
        let response = Response::new(401);
        let server = server(Reply::Respond(date.map_or(response.clone(), |date| response.header("date", date))));
        phone.register("office", &server.url("/hook"));
        let session = phone.complete("office");
        let report = phone.flush();
        slow("auth").check(&format!("{date:?}"), &phone, session, &report, Some(401));
        assert_eq!(phone.endpoint("office").clock_skew_ms, None, "{date:?}");
    });
}

#[test]
fn what_answers_in_the_receivers_place_does_not_tell_the_time() {
    let phone = Setup::default().phone();
    let date = http_date(phone.now() + TimeDelta::hours(3));
    let server = server(Reply::Respond(Response::new(511).header("date", date)));
    phone.register("office", &server.url("/hook"));
    phone.complete("office");
    phone.flush();
    assert_eq!(phone.endpoint("office").clock_skew_ms, None);
}
