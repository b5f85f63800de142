//! When it is tried again, over days that pass on a clock set by hand.

use std::sync::Arc;
use std::time::Duration;

use compass_core::RetryPolicy;
use compass_core::model::ActionStatus;

use crate::ca;
use crate::expect::each;
use crate::phone::{Fraction, Phone, SECRET, Setup, http_date, server};
use crate::support::{Greeting, Identity, Reply, Response, TestServer, refused_url};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

fn pending(reason: &str) -> (ActionStatus, Option<String>) {
    (ActionStatus::Pending, Some(reason.to_owned()))
}

fn failed(reason: &str) -> (ActionStatus, Option<String>) {
    (ActionStatus::Failed, Some(reason.to_owned()))
}

#[test]
fn the_whole_schedule_ends_exhausted_and_every_attempt_is_the_same_message() {
    let schedule = [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR];
    for fraction in [0.0, 0.5, 0.999_999] {
        let server = server(Reply::status(500));
        let phone = Setup { random: Arc::new(Fraction(fraction)), ..Setup::default() }.phone();
        phone.register("office", &server.url("/hook"));
        let session = phone.complete("office");
        let jitter = 0.8 + 0.4 * fraction;
        let mut attempts: u32 = 0;
        loop {
            let report = phone.flush();
            attempts += 1;
            assert_eq!(report.attempts, 1, "attempt {attempts}");
            let seen = server.requests();
            assert_eq!(seen.len(), attempts as usize);
            phone.check_request(&format!("attempt {attempts}"), &seen[attempts as usize - 1], session, attempts, &[SECRET]);
            assert_eq!(seen[attempts as usize - 1].header("webhook-timestamp"), Some(phone.now().timestamp().to_string().as_str()));
            if phone.status(session).0 == ActionStatus::Failed {
                break;
            }
            let step = schedule.get(attempts as usize - 1).copied().unwrap_or(24 * HOUR) as f64;
            let wait = phone.advance_to_next(session).as_secs_f64();
            let expected = (step * jitter).min(24.0 * HOUR as f64);
            assert!((wait - expected).abs() < 0.01, "after attempt {attempts}: {wait} s, not {expected} s");
        }
        assert_eq!(phone.status(session), failed("exhausted"));
        // A fortnight has to have passed, and with less jitter days are shorter. On the plain schedule the 21st is the last.
        assert!((20..=25).contains(&attempts), "{attempts} attempts");
        assert!(fraction != 0.5 || attempts == 21, "{attempts} attempts");
        let delivery = phone.delivery(session);
        assert_eq!((delivery.last_attempts.len(), delivery.last_attempts[0].number), (11, attempts), "the first and the last ten are kept");
        assert!(!delivery.may_have_been_delivered);
        // A person sends it again: the same message, with fresh budgets.
        server.reply_with(|_| Reply::status(200));
        phone.clock.advance(Duration::from_secs(HOUR));
        phone.compass.send(session, "to-office", None, &phone.command_id()).expect("sent again");
        assert_eq!(phone.flush().sent, 1);
        phone.check_request("sent again", &server.requests()[attempts as usize], session, attempts + 1, &[SECRET]);
    }
}

#[test]
fn the_slow_schedule_has_five_delays_and_the_sixth_failure_is_final() {
    type Site = fn() -> TestServer;
    let answers: [(&str, Site, &str, &str); 11] = [
        ("401", || server(Reply::status(401)), "auth", "auth"),
        ("403", || server(Reply::status(403)), "auth", "auth"),
        ("404", || server(Reply::status(404)), "not_found", "not_found"),
        ("409", || server(Reply::status(409)), "conflict", "rejected"),
        ("418", || server(Reply::status(418)), "rejected", "rejected"),
        ("308", || server(Reply::redirect(308, "/hook")), "redirect", "redirect"),
        ("999", || server(Reply::status(999)), "protocol", "protocol"),
        ("no HTTP", || server(Reply::garbage_head()), "protocol", "protocol"),
        ("cut off", || server(Reply::truncated_head()), "protocol", "protocol"),
        ("plain text", || TestServer::builder().tls(&ca().leaf()).on_connect(|_| Greeting::PlainText).start(), "tls", "tls"),
        ("certificate", || TestServer::builder().tls(&Identity::self_signed()).start(), "tls", "tls"),
    ];
    each(&answers, |(what, site, meanwhile, at_last)| {
        let server = site();
        let phone = Setup::steady().phone();
        phone.net_ok(true);
        phone.register("office", &server.url("/hook"));
        let session = phone.complete("office");
        for delay in [5 * MINUTE, 2 * HOUR, 10 * HOUR, 24 * HOUR, 24 * HOUR] {
            phone.flush();
            // A broken endpoint is paused, for less than any of these delays.
            let paused = phone.endpoint("office").paused_until.is_some();
            assert_eq!(phone.status(session), pending(if paused { "endpoint_paused" } else { meanwhile }), "{what}");
            assert_eq!(phone.advance_to_next(session), Duration::from_secs(delay), "{what}");
        }
        let report = phone.flush();
        assert_eq!((phone.status(session), report.failed), (failed(at_last), 1), "{what}");
        assert_eq!((phone.delivery(session).attempts, phone.action(session).failed_sends), (6, 1), "{what}");
        phone.clock.advance(Duration::from_secs(100 * HOUR));
        assert_eq!(phone.flush().attempts, 0, "{what}: it is over");
    });
}

#[test]
fn the_two_budgets_are_apart() {
    // Eleven failures that pass by themselves among five that do not: neither budget is spent.
    let mut script = Vec::new();
    for _ in 0..5 {
        script.extend([404, 500, 500].map(Reply::status));
    }
    script.push(Reply::status(200));
    let server = TestServer::https_script(ca(), script);
    let phone = Setup::steady().phone();
    phone.register("office", &server.url("/hook"));
    let session = phone.complete("office");
    for _ in 0..15 {
        phone.flush();
        phone.advance_to_next(session);
    }
    assert_eq!(phone.flush().sent, 1);
    assert_eq!(phone.delivery(session).attempts, 16);
}

#[test]
fn time_without_a_network_uses_up_nothing() {
    let phone = Setup::steady().phone();
    phone.register("office", &refused_url());
    let session = phone.complete("office");
    // Sixty days at a quarter of an hour each would be 5 760 attempts; these show the doubling and its end.
    for delay in [15, 30, 60, 120, 240, 480, 900, 900, 900] {
        phone.flush();
        assert_eq!(phone.status(session), pending("unreachable"));
        assert_eq!(phone.advance_to_next(session), Duration::from_secs(delay));
    }
    phone.clock.advance(Duration::from_secs(60 * 24 * HOUR));
    phone.flush();
    let delivery = phone.delivery(session);
    assert!(delivery.last_attempts.iter().all(|attempt| !attempt.counted && !attempt.may_have_been_delivered));
    assert_eq!((delivery.attempts, delivery.may_have_been_delivered), (10, false));
    assert_eq!(phone.endpoint("office").consecutive_failures, 0);
    // Then it counts as if it were the first day.
    let server = server(Reply::status(500));
    phone.register("office", &server.url("/hook"));
    phone.flush();
    assert_eq!(phone.status(session), pending("server_error"));
    assert_eq!(phone.advance_to_next(session), Duration::from_secs(5));
    server.reply_with(|_| Reply::status(200));
    assert_eq!(phone.flush().sent, 1);
}

#[test]
fn what_waited_for_a_network_is_due_when_it_returns() {
    let server = server(Reply::status(511));
    let phone = Setup::steady().phone();
    phone.register("office", &server.url("/hook"));
    let session = phone.complete("office");
    phone.flush();
    assert_eq!(phone.status(session), pending("proxy"));
    let by_itself = phone.delivery(session).next_attempt_at;
    assert_eq!(by_itself, Some(phone.now() + chrono::TimeDelta::seconds(15)));
    assert_eq!(phone.compass.next_due().expect("next").at, by_itself, "not due yet");
    server.reply_with(|_| Reply::status(200));
    // Somebody signs in to the network.
    phone.net_ok(true);
    assert_eq!(phone.delivery(session).next_attempt_at, Some(phone.now()));
    assert_eq!(phone.compass.next_due().expect("next").at, Some(phone.now()));
    assert_eq!(phone.flush().sent, 1);
    phone.check_request("online", &server.requests()[1], session, 2, &[SECRET]);
}

#[test]
fn after_five_failures_in_a_row_the_endpoint_rests_until_a_2xx() {
    let server = server(Reply::status(500));
    // A schedule whose delays are shorter than the pauses they lead to, so that these show.
    let seconds = Duration::from_secs;
    let retry = RetryPolicy { schedule: [1, 1, 1, 1, 1, 100].map(seconds).to_vec(), ..RetryPolicy::default() };
    let phone = Setup { retry, ..Setup::one_at_a_time() }.phone();
    phone.register("office", &server.url("/hook"));
    let session = phone.complete("office");
    for failures in 1..=5 {
        phone.flush();
        assert_eq!(phone.endpoint("office").consecutive_failures, failures);
        assert_eq!(phone.endpoint("office").paused_until.is_some(), failures == 5);
        if failures < 5 {
            phone.advance_to_next(session);
        }
    }
    assert_eq!(phone.status(session), pending("endpoint_paused"));
    // Another message does not get past the pause.
    let other = phone.complete("office");
    assert_eq!((phone.flush().attempts, phone.status(other)), (0, pending("endpoint_paused")));
    server.reply_with(|_| Reply::status(200));
    phone.advance_to_next(session);
    assert_eq!(phone.flush().sent, 2);
    let endpoint = phone.endpoint("office");
    assert_eq!((endpoint.consecutive_failures, endpoint.paused_until, endpoint.pause_reason), (0, None, None));
}

fn two_sessions(phone: &Phone) -> (compass_core::model::SessionKey, compass_core::model::SessionKey) {
    (phone.complete("office"), phone.complete("office"))
}

#[test]
fn retry_after_leaves_the_whole_endpoint_in_peace_and_no_other() {
    for as_date in [false, true] {
        let phone = Setup::one_at_a_time().phone();
        let expected = phone.now() + chrono::TimeDelta::seconds(120);
        let reply = if as_date {
            Response::new(503).header("retry-after", http_date(expected))
        } else {
            Response::new(429).header("retry-after", "120")
        };
        let (office, depot) = (server(Reply::Respond(reply)), server(Reply::status(200)));
        phone.register("office", &office.url("/hook"));
        phone.register("depot", &depot.url("/hook"));
        let (first, second) = two_sessions(&phone);
        let elsewhere = phone.complete("depot");
        let report = phone.flush();
        assert_eq!((report.attempts, report.sent, report.pending), (2, 1, 2));
        assert_eq!(phone.status(elsewhere).0, ActionStatus::Sent);
        let reason = phone.status(first).1;
        // The second was not even tried, and says the same.
        assert_eq!((phone.delivery(first).attempts, phone.delivery(second).attempts), (1, 0));
        assert_eq!((phone.status(second).1, phone.endpoint("office").pause_reason), (reason.clone(), reason));
        let until = phone.endpoint("office").paused_until.expect("a pause");
        // A date has no part of a second.
        assert!((until - expected).abs() <= chrono::TimeDelta::seconds(1), "{until}, {expected}");
        assert_eq!(phone.delivery(second).next_attempt_at, Some(until));
        assert_eq!(phone.compass.next_due().expect("next").at, Some(until));

        office.reply_with(|_| Reply::status(200));
        phone.clock.advance((until - phone.now()).to_std().expect("ahead") - Duration::from_millis(1));
        assert_eq!(phone.flush().attempts, 0, "not a moment earlier");
        phone.clock.advance(Duration::from_millis(1));
        assert_eq!(phone.flush().sent, 2);
        assert_eq!(depot.requests().len(), 1);
    }
}
