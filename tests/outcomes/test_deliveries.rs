//! Test deliveries: the same rows, and nothing of it stored.

use compass_core::Error;
use compass_core::model::OutboxTotals;

use crate::ca;
use crate::expect::each;
use crate::phone::{SECRET, SHORT, Setup, check_signature, http_date, server};
use crate::support::{Greeting, Identity, Reply, Response, TestServer, refused_url};

#[test]
fn a_test_delivery_says_what_the_table_says_and_stores_nothing() {
    let rows = [
        (Reply::status(200), Some(200), "sent"),
        (Reply::status(204), Some(204), "sent"),
        (Reply::truncated_body(202), Some(202), "sent"),
        (Reply::redirect(302, "/hook"), Some(302), "redirect"),
        (Reply::status(400), Some(400), "rejected"),
        (Reply::status(401), Some(401), "auth"),
        (Reply::status(404), Some(404), "not_found"),
        (Reply::status(407), Some(407), "proxy"),
        (Reply::status(409), Some(409), "conflict"),
        (Reply::status(410), Some(410), "gone"),
        (Reply::status(413), Some(413), "payload_too_large"),
        (Reply::status(429), Some(429), "rate_limited"),
        (Reply::status(503), Some(503), "server_error"),
        (Reply::status(999), Some(999), "protocol"),
        (Reply::garbage_head(), None, "protocol"),
        (Reply::Close, None, "timeout"),
        (Reply::Silence, None, "timeout"),
    ];
    each(&rows, |(reply, status, outcome)| {
        let server = server(reply.clone());
        let mut setup = Setup::steady();
        setup.timeouts.receive = SHORT * 5;
        let phone = setup.phone();
        phone.register("office", &server.url("/hook"));
        let before = phone.endpoint("office");
        let test = phone.compass.test_delivery("office").expect("an outcome");
        assert_eq!((test.delivered, test.status, test.outcome.as_str()), (*outcome == "sent", *status, *outcome), "{reply:?}");
        assert_eq!(phone.endpoint("office"), before, "{reply:?}: the endpoint is as it was");
        assert_eq!(phone.compass.outbox_totals().expect("totals"), OutboxTotals::default());
        let seen = server.requests();
        assert_eq!(seen.len(), 1, "{reply:?}: one attempt");
        check_signature(outcome, &seen[0], &[SECRET]);
        assert_eq!(seen[0].header("compass-attempt"), Some("1"));
        assert!(seen[0].body.starts_with(br#"{"test":true,"sent_at":""#), "{reply:?}");
    });
}

#[test]
fn a_test_delivery_without_a_connection_says_why() {
    let phone = Setup::steady().phone();
    let test = |url: &str| {
        phone.register("office", url);
        phone.compass.test_delivery("office").expect("an outcome").outcome
    };
    let fake = TestServer::builder().tls(&Identity::self_signed()).start();
    let plain = TestServer::builder().tls(&ca().leaf()).on_connect(|_| Greeting::PlainText).start();
    // What answers says its own name, no matter what is known of the network; only plain text may be a portal's.
    for (net_ok, of_plain_text) in [(false, "captive_portal"), (true, "tls")] {
        phone.net_ok(net_ok);
        assert_eq!((test(&refused_url()), test(&fake.url("/hook"))), ("unreachable".to_owned(), "tls".to_owned()));
        assert_eq!((test("https://does-not-exist.invalid/hook"), test(&plain.url("/hook"))), ("dns".to_owned(), of_plain_text.to_owned()));
    }
    assert!(fake.requests().is_empty() && plain.requests().is_empty());
}

#[test]
fn a_test_delivery_is_never_sent_unsigned() {
    let server = server(Reply::status(200));
    let phone = Setup::steady().phone();
    phone.register("office", &server.url("/hook"));
    phone.static_secrets.remove("signing");
    let test = phone.compass.test_delivery("office").expect("an outcome");
    assert_eq!((test.delivered, test.status, test.outcome.as_str()), (false, None, "secret_missing"));
    assert_eq!(server.connections(), 0);
    assert!(matches!(phone.compass.test_delivery("depot"), Err(Error::UnknownEndpoint { .. })));
}

#[test]
fn each_test_delivery_is_a_message_of_its_own_signed_by_the_receivers_clock_where_it_is_known() {
    let phone = Setup::steady().phone();
    let date = http_date(phone.now() + chrono::TimeDelta::minutes(7));
    let server = TestServer::https(ca(), move |_| Reply::Respond(Response::new(200).header("date", date.clone())));
    phone.register("office", &server.url("/hook"));
    phone.compass.test_delivery("office").expect("an outcome");
    phone.complete("office");
    assert_eq!(phone.flush().sent, 1);
    phone.compass.test_delivery("office").expect("an outcome");
    let seen = server.requests();
    let ids: std::collections::BTreeSet<_> = seen.iter().map(|seen| seen.header("webhook-id")).collect();
    assert_eq!(ids.len(), 3);
    let ahead =
        |index: usize| seen[index].header("webhook-timestamp").expect("a time").parse::<i64>().expect("seconds") - phone.now().timestamp();
    assert_eq!((ahead(0), ahead(1)), (0, 0), "a test teaches nothing");
    assert!((ahead(2) - 420).abs() <= 1, "{}", ahead(2));
    check_signature("corrected", &seen[2], &[SECRET]);
}
