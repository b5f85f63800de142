//! Rows with a status line: it decides, no matter what becomes of the rest.

use std::sync::Arc;
use std::time::Duration;

use crate::ca;
use crate::expect::{Expect, each, offline, permanent, retry, sent, slow};
use crate::phone::{Fraction, Phone, SECRET, Setup, http_date, server};
use crate::support::{Head, Reply, Response, TestServer};

/// A name, what the server answers, and what the record shows then.
struct Row(String, u16, Reply, Expect);

fn statuses(codes: &[u16], expect: &Expect) -> Vec<Row> {
    codes.iter().map(|code| Row(code.to_string(), *code, Reply::status(*code), expect.clone())).collect()
}

/// Completes one session, delivers once, and compares.
fn run(Row(what, status, reply, expect): &Row) {
    let server = server(reply.clone());
    let phone = Setup::default().phone();
    check(what, &phone, &server, *status, expect);
}

fn check(what: &str, phone: &Phone, server: &TestServer, status: u16, expect: &Expect) {
    phone.register("office", &server.url("/hook"));
    let session = phone.complete("office");
    let report = phone.flush();
    assert_eq!(report.attempts, 1, "{what}: {report:?}");
    expect.check(what, phone, session, &report, Some(status));
    let seen = server.requests();
    assert_eq!(seen.len(), 1, "{what}: one request");
    phone.check_request(what, &seen[0], session, 1, &[SECRET]);
}

#[test]
fn every_2xx_is_sent_whatever_its_body() {
    let many = |response: Response, number: i32| response.header(&format!("x-{number}"), "value");
    let mut rows = statuses(&[200, 201, 202, 203, 204, 206, 226, 299], &sent());
    rows.extend([
        Row("truncated body".into(), 200, Reply::truncated_body(200), sent()),
        Row("body that is not gzip".into(), 200, Reply::bad_gzip(200), sent()),
        Row("huge body".into(), 200, Reply::Respond(Response::new(200).body(vec![b'x'; 3 * 1024 * 1024])), sent()),
        Row("endless body".into(), 201, Reply::Endless { status: 201 }, sent()),
        Row("bad chunk".into(), 200, Reply::Raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec()), sent()),
        Row("reset after the head".into(), 202, Reply::RespondThenReset(Response::new(202)), sent()),
        Row(
            "a page of a portal over TLS".into(),
            200,
            Reply::Respond(Response::new(200).header("content-type", "text/html").body("<p>")),
            sent(),
        ),
        Row(
            "interim answers first".into(),
            200,
            Reply::Raw(b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec()),
            sent(),
        ),
        Row("three hundred headers".into(), 200, Reply::Respond((0..300).fold(Response::new(200), many)), sent()),
        Row("retry-after means nothing here".into(), 200, Reply::Respond(Response::new(200).header("retry-after", "600")), sent()),
    ]);
    each(&rows, run);
}

#[test]
fn a_body_that_does_not_end_does_not_delay_the_answer() {
    let hangs = Reply::RawThenHold(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nonly this".to_vec());
    let mut setup = Setup::default();
    setup.timeouts.body = Duration::from_millis(100);
    let server = server(hangs);
    check("hanging body", &setup.phone(), &server, 200, &sent());
}

#[test]
fn redirects_are_never_followed() {
    let target = server(Reply::status(200));
    let mut rows: Vec<Row> = [300, 301, 302, 303, 304, 305, 307, 308]
        .into_iter()
        .map(|code| Row(code.to_string(), code, Reply::redirect(code, &target.url("/hook")), slow("redirect")))
        .collect();
    // Also not to the very server that is asked, and not for want of a target.
    rows.extend([301, 302, 307].map(|code| Row(format!("{code} home"), code, Reply::redirect(code, "/hook"), slow("redirect"))));
    rows.extend(statuses(&[300, 399], &slow("redirect")));
    each(&rows, run);
    assert_eq!(target.connections(), 0, "the target of a redirect gets no request");
}

#[test]
fn what_is_wrong_with_the_message_is_final() {
    each(&statuses(&[400, 405, 406, 411, 414, 415, 422, 431, 451, 501, 505], &permanent("rejected")), run);
    each(&statuses(&[413], &permanent("payload_too_large")), run);
}

#[test]
fn refused_credentials_and_wrong_addresses_are_tried_slowly() {
    let mut rows = statuses(&[401, 403], &slow("auth"));
    rows.extend(statuses(&[404], &slow("not_found")));
    rows.extend(statuses(&[409], &slow("conflict")));
    rows.extend(statuses(&[402, 412, 416, 417, 418, 421, 423, 424, 426, 428, 419, 430, 440, 444, 450, 460, 498, 499], &slow("rejected")));
    each(&rows, run);
}

#[test]
fn what_passes_by_itself_is_tried_on_the_schedule() {
    let mut rows = statuses(&[408, 425, 500, 506, 507, 508, 509, 510, 512, 520, 521, 522, 524, 530, 598, 599], &retry("server_error"));
    rows.extend(statuses(&[502, 503, 504], &retry("server_error").overloaded()));
    rows.extend(statuses(&[429], &retry("rate_limited").overloaded().asked_for(60)));
    each(&rows, run);
}

#[test]
fn what_answers_in_the_receivers_place_is_no_receiver() {
    each(&statuses(&[407, 511], &offline("proxy")), run);
    // Also where the platform has reached the internet.
    each(&[407, 511], |code| {
        let server = server(Reply::status(*code));
        let phone = Setup::default().phone();
        phone.net_ok(true);
        check(&format!("{code}, validated"), &phone, &server, *code, &offline("proxy"));
    });
}

#[test]
fn a_status_that_cannot_end_a_request_is_tried_slowly() {
    let raw = |status: u16| Reply::Raw(format!("HTTP/1.1 {status} Odd\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n").into_bytes());
    each(&[Row("101".into(), 101, raw(101), slow("protocol"))], run);
    each(&statuses(&[600, 700, 999], &slow("protocol")), run);
}

#[test]
fn gone_is_final_and_disables_the_endpoint() {
    each(&statuses(&[410], &permanent("gone").disabled()), run);
}

#[test]
fn retry_after_counts_in_seconds_and_as_a_date() {
    let now = chrono::Utc::now();
    let day = 24 * 3600;
    let ask = |code: u16, value: &str| Reply::Respond(Response::new(code).header("retry-after", value));
    let date = |code: u16, ahead: i64| {
        let at = |seconds| http_date(now + chrono::TimeDelta::seconds(seconds));
        Reply::Respond(Response::new(code).header("retry-after", at(ahead)).header("date", at(0)))
    };
    let (limited, busy) = (retry("rate_limited").overloaded(), retry("server_error").overloaded());
    let row = |what: &str, code, reply, expect| Row(format!("{code}, {what}"), code, reply, expect);
    let rows = [
        row("seconds", 429, ask(429, "120"), limited.clone().asked_for(120)),
        row("fewer seconds than the shortest delay", 429, ask(429, "10"), limited.clone().asked_for(10)),
        row("nothing", 429, ask(429, "0"), limited.clone()),
        row("an hour", 503, ask(503, "3600"), busy.clone().asked_for(3600)),
        row("a date", 429, date(429, 600), limited.clone().asked_for(600)),
        row("a date", 503, date(503, 7200), busy.clone().asked_for(7200)),
        row("a date that has passed", 503, date(503, -600), busy.clone()),
        row("garbage", 429, ask(429, "soon"), limited.clone().asked_for(60)),
        row("a negative number", 429, ask(429, "-1"), limited.clone().asked_for(60)),
        row("a fraction", 503, ask(503, "1.5"), busy.clone()),
        row("garbage", 503, ask(503, "soon"), busy.clone()),
        row("a huge number", 429, ask(429, "1000000000000"), limited.clone().asked_for(day)),
        row("a number beyond numbers", 503, ask(503, "99999999999999999999999999"), busy.clone().asked_for(day)),
        row("a date years ahead", 429, date(429, 9 * 365 * 86_400), limited.clone().asked_for(day)),
        row("seconds", 500, ask(500, "900"), retry("server_error").asked_for(900)),
        row("seconds", 502, ask(502, "900"), busy.clone().asked_for(900)),
        row("seconds", 504, ask(504, "900"), busy.asked_for(900)),
        row("seconds", 408, ask(408, "900"), retry("server_error").asked_for(900)),
        row("seconds", 425, ask(425, "900"), retry("server_error").asked_for(900)),
        row("seconds", 599, ask(599, "900"), retry("server_error").asked_for(900)),
        row("only where it is tried again", 400, ask(400, "900"), permanent("rejected")),
        row("only where it is tried again", 501, ask(501, "900"), permanent("rejected")),
        row("not on the slow schedule", 404, ask(404, "900"), slow("not_found")),
        row("not on the slow schedule", 301, ask(301, "900"), slow("redirect")),
        row("not of a proxy", 511, ask(511, "900"), offline("proxy")),
    ];
    each(&rows, run);
}

#[test]
fn a_date_in_retry_after_is_by_the_receivers_clock() {
    // The phone is five minutes behind the receiver.
    let phone = Setup::steady().phone();
    let at = |seconds: i64| http_date(phone.now() + chrono::TimeDelta::seconds(300 + seconds));
    let server = server(Reply::Respond(Response::new(503).header("date", at(0)).header("retry-after", at(600))));
    check("date", &phone, &server, 503, &retry("server_error").overloaded().asked_for(600));
}

#[test]
fn jitter_reaches_from_four_fifths_to_six_fifths_and_never_below_the_shortest_delay() {
    for (fraction, code, low) in
        [(0.0, 500, 4_000), (0.5, 500, 5_000), (0.999_999, 500, 5_999), (0.0, 503, 60_000), (0.999_999, 503, 71_999)]
    {
        let server = server(Reply::status(code));
        let phone = Setup { random: Arc::new(Fraction(fraction)), ..Setup::default() }.phone();
        phone.register("office", &server.url("/hook"));
        let session = phone.complete("office");
        phone.flush();
        let wait = phone.delivery(session).next_attempt_at.expect("a next attempt") - phone.now();
        assert_eq!(wait.num_milliseconds(), low, "{code} at {fraction}");
    }
}

#[test]
fn an_early_refusal_of_a_large_body_is_seen_as_what_it_is() {
    let large = permanent("payload_too_large");
    each(&[Reply::RespondThenReset as fn(Response) -> Reply, Reply::RespondThenClose, Reply::RespondThenHold], |then| {
        let then = *then;
        let server =
            TestServer::builder().tls(&ca().leaf()).small_window().on_head(move |_| Head::Answer(then(Response::new(413)))).start();
        let phone = Setup::default().phone();
        phone.register("office", &server.url("/hook"));
        let session = phone.complete_with_body("office", 256 * 1024);
        let report = phone.flush();
        large.check("early 413", &phone, session, &report, Some(413));
    });
}
