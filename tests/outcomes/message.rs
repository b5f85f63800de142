//! What goes over the wire.

use compass_core::model::{Endpoint, EndpointHeader, HeaderValue, Signing};

use crate::ca;
use crate::phone::{SECRET, Setup, check_signature, endpoint, server, workflow};
use crate::support::{Reply, SeenRequest, TestServer};

fn names(seen: &SeenRequest) -> Vec<&str> {
    let mut names: Vec<&str> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_message_carries_the_documented_headers_and_no_others() {
    let server = server(Reply::status(200));
    let phone = Setup::default().phone();
    phone.static_secrets.set("token", "Bearer abc");
    let own = |name: &str, value| EndpointHeader { name: name.to_owned(), value };
    let headers = vec![own("X-Site", HeaderValue::Plain("north 1".into())), own("Authorization", HeaderValue::Secret("token".into()))];
    phone.compass.put_endpoint(&Endpoint { headers, ..endpoint("office", &server.url("/hook")) }).expect("an endpoint");
    let session = phone.complete("office");
    assert_eq!(phone.flush().sent, 1);
    let seen = server.requests().remove(0);
    phone.check_request("headers", &seen, session, 1, &[SECRET]);
    let expected = [
        "accept",
        "authorization",
        "compass-attempt",
        "compass-install",
        "compass-revision",
        "compass-sequence",
        "compass-workflow-version",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
        "x-site",
    ];
    assert_eq!(names(&seen), expected);
    assert_eq!((seen.header("x-site"), seen.header("authorization")), (Some("north 1"), Some("Bearer abc")));
    assert_eq!(seen.header("webhook-timestamp"), Some(phone.now().timestamp().to_string().as_str()));
    assert_eq!(seen.header("content-length"), Some(seen.body.len().to_string().as_str()));
    let id = seen.header("webhook-id").expect("an id");
    assert!(id.starts_with("msg_") && id.len() == 30 && id[4..].bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7')), "{id}");
}

#[test]
fn the_body_has_exactly_the_five_properties_and_is_what_was_previewed() {
    let server = server(Reply::status(200));
    let phone = Setup::default().phone();
    phone.register("office", &server.url("/hook"));
    let view = phone.start(&["office"]);
    let preview = phone.compass.preview(view.key, "to-office").expect("a preview");
    phone.compass.complete(view.key, 1).expect("completion");
    assert_eq!(phone.flush().sent, 1);
    let body = server.requests().remove(0).body;
    assert_eq!(String::from_utf8_lossy(&body), preview.body);
    let now = phone.now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let expected = format!(
        r#"{{"key":"{}","started_at":"{now}","completed_at":"{now}","workflow":{{"key":"visit-office","name":"Visit"}},"fields":[]}}"#,
        view.key
    );
    assert_eq!(preview.body, expected);
}

#[test]
fn an_endpoint_that_is_not_signed_gets_no_signature() {
    let server = server(Reply::status(200));
    let phone = Setup::default().phone();
    phone.compass.put_endpoint(&Endpoint { signing: Signing::None, ..endpoint("office", &server.url("/hook")) }).expect("an endpoint");
    phone.complete("office");
    assert_eq!(phone.flush().sent, 1);
    let seen = server.requests().remove(0);
    assert_eq!(seen.header("webhook-signature"), None);
    assert!(seen.header("webhook-id").is_some() && seen.header("webhook-timestamp").is_some());
}

#[test]
fn a_session_that_was_ended_says_so_when_it_is_sent_by_hand() {
    let server = server(Reply::status(200));
    let phone = Setup::default().phone();
    phone.register("office", &server.url("/hook"));
    let session = phone.start(&["office"]).key;
    phone.compass.end(session, "nobody home", &phone.command_id()).expect("ended");
    assert_eq!(phone.flush().attempts, 0, "an ended session fires nothing");
    phone.compass.send(session, "to-office", Some("Ada"), &phone.command_id()).expect("sent by hand");
    assert_eq!(phone.flush().sent, 1);
    let seen = server.requests().remove(0);
    assert_eq!(seen.header("compass-session-state"), Some("ended"));
    check_signature("ended", &seen, &[SECRET]);
}

#[test]
fn a_workflow_changed_on_the_phone_has_a_revision_in_its_version() {
    let server = server(Reply::status(200));
    let phone = Setup::default().phone();
    phone.register("office", &server.url("/hook"));
    let mut changed = workflow(&["office"]);
    changed["local_revision"] = 2.into();
    phone.compass.import_workflow(changed.to_string().as_bytes()).expect("a workflow");
    phone.complete("office");
    assert_eq!(phone.flush().sent, 1);
    assert_eq!(server.requests()[0].header("compass-workflow-version"), Some("3.2"));
}

#[test]
fn every_attempt_carries_the_same_bytes_and_id_with_its_own_number_time_and_signature() {
    let server = TestServer::https_script(ca(), [500, 503, 429, 200].map(Reply::status).to_vec());
    let phone = Setup::steady().phone();
    phone.register("office", &server.url("/hook"));
    let session = phone.complete("office");
    let mut times = Vec::new();
    loop {
        times.push(phone.now().timestamp().to_string());
        if phone.flush().sent == 1 {
            break;
        }
        phone.advance_to_next(session);
    }
    let seen = server.requests();
    assert_eq!(seen.len(), 4);
    for (attempt, seen) in (1..).zip(&seen) {
        phone.check_request(&format!("try {attempt}"), seen, session, attempt, &[SECRET]);
        assert_eq!(seen.header("webhook-timestamp"), Some(times[attempt as usize - 1].as_str()));
    }
    let distinct = |name: &str| seen.iter().map(|seen| seen.header(name)).collect::<std::collections::BTreeSet<_>>().len();
    assert_eq!((distinct("webhook-id"), distinct("webhook-timestamp"), distinct("webhook-signature")), (1, 4, 4));
    let history: Vec<_> = phone.delivery(session).last_attempts.into_iter().map(|attempt| (attempt.number, attempt.outcome)).collect();
    let expected = [(4, "sent"), (3, "rate_limited"), (2, "server_error"), (1, "server_error")];
    assert_eq!(history, expected.map(|(number, outcome)| (number, outcome.to_owned())));
}

#[test]
fn two_actions_of_a_session_are_two_messages_of_the_same_bytes() {
    let (office, depot) = (server(Reply::status(200)), server(Reply::status(200)));
    let phone = Setup::default().phone();
    phone.register("office", &office.url("/hook"));
    phone.register("depot", &depot.url("/hook"));
    let session = phone.start(&["office", "depot"]).key;
    phone.compass.complete(session, 1).expect("completion");
    assert_eq!(phone.flush().sent, 2);
    let (office, depot) = (office.requests().remove(0), depot.requests().remove(0));
    assert_eq!(office.body, depot.body);
    assert_ne!(office.header("webhook-id"), depot.header("webhook-id"));
    check_signature("office", &office, &[SECRET]);
    check_signature("depot", &depot, &[SECRET]);
}
