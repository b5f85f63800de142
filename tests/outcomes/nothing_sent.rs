//! Rows in which nothing is sent: bad secrets, damaged bytes, a URL that cannot be used, bodies over the limit.

use std::sync::{Arc, Mutex};

use compass_core::model::{ActionStatus, Change, Endpoint, EndpointHeader, FieldChange, FieldValue, HeaderValue, Signing};
use compass_core::port::{SecretLookup, SecretValue, Secrets};

use crate::expect::{blocked, each, permanent, sent};
use crate::phone::{NEW_SECRET, Phone, SECRET, Setup, check_signature, endpoint, server, verifies};
use crate::support::{Reply, TestServer};

/// A store of secrets that says about every name what it is told to.
struct Says(Mutex<SecretLookup>);

impl Secrets for Says {
    fn get(&self, _: &str, _: &str) -> SecretLookup {
        self.0.lock().expect("no panic within").clone()
    }
}

fn found(current: &str, previous: Option<&str>) -> SecretLookup {
    let value = |text: &str| SecretValue::new(text.to_owned());
    SecretLookup::Found { current: value(current), previous: previous.map(value) }
}

fn phone_that_says(lookup: &SecretLookup) -> (Phone, Arc<Says>) {
    let says = Arc::new(Says(Mutex::new(lookup.clone())));
    (Setup::steady().phone_with(Arc::clone(&says) as _), says)
}

fn assert_untouched(what: &str, server: &TestServer) {
    assert_eq!(server.connections(), 0, "{what}: nothing is sent, signed or not");
}

#[test]
fn a_secret_that_cannot_be_had_blocks_the_message_until_it_is_provided() {
    let rows = [
        ("missing", SecretLookup::Missing, "secret_missing", true),
        ("unavailable", SecretLookup::Unavailable, "secret_unavailable", false),
        ("no signing secret", found("hunter2", None), "secret_invalid", true),
        ("too short", found("whsec_c2hvcnQ=", None), "secret_invalid", true),
        ("empty", found("", None), "secret_invalid", true),
    ];
    each(&rows, |(what, lookup, reason, needs_person)| {
        let server = server(Reply::status(200));
        let (phone, says) = phone_that_says(lookup);
        phone.register("office", &server.url("/hook"));
        let session = phone.complete("office");
        let report = phone.flush();
        blocked(reason).check(what, &phone, session, &report, None);
        assert_eq!(phone.compass.next_due().expect("next").needs_person, *needs_person, "{what}");
        assert_eq!(phone.compass.outbox_totals().expect("totals").needs_person, u64::from(*needs_person), "{what}");

        // Looked at again after a quarter of an hour, at no cost. That it is time changes nothing for the person.
        phone.advance_to_next(session);
        assert_eq!(phone.compass.outbox_totals().expect("totals").needs_person, u64::from(*needs_person), "{what}");
        let report = phone.flush();
        blocked(reason).check(what, &phone, session, &report, None);
        assert_untouched(what, &server);

        *says.0.lock().expect("no panic within") = found(SECRET, None);
        phone.compass.secrets_changed().expect("told");
        assert_eq!(phone.flush().sent, 1, "{what}");
        phone.check_request(what, &server.requests()[0], session, 1, &[SECRET]);
    });
}

#[test]
fn a_secret_of_a_header_blocks_as_well() {
    let bearer = |key: &str, url: &str| Endpoint {
        signing: Signing::None,
        headers: vec![EndpointHeader { name: "Authorization".to_owned(), value: HeaderValue::Secret("token".to_owned()) }],
        ..endpoint(key, url)
    };
    let rows = [
        ("missing", SecretLookup::Missing, "secret_missing"),
        ("unavailable", SecretLookup::Unavailable, "secret_unavailable"),
        ("line break", found("Bearer a\r\nhost: elsewhere", None), "secret_invalid"),
        ("empty", found("", None), "secret_invalid"),
    ];
    each(&rows, |(what, lookup, reason)| {
        let server = server(Reply::status(200));
        let (phone, says) = phone_that_says(lookup);
        phone.compass.put_endpoint(&bearer("office", &server.url("/hook"))).expect("an endpoint");
        let session = phone.complete("office");
        let report = phone.flush();
        blocked(reason).check(what, &phone, session, &report, None);
        assert_untouched(what, &server);
        *says.0.lock().expect("no panic within") = found("Bearer abc", None);
        phone.compass.secrets_changed().expect("told");
        assert_eq!(phone.flush().sent, 1, "{what}");
        let seen = server.requests();
        assert_eq!((seen[0].header("authorization"), seen[0].header("webhook-signature")), (Some("Bearer abc"), None), "{what}");
    });
}

#[test]
fn while_a_secret_is_rotated_both_sign() {
    let server = server(Reply::status(200));
    let phone = Setup::default().phone();
    phone.register("office", &server.url("/hook"));
    phone.static_secrets.set("signing", NEW_SECRET);
    let session = phone.complete("office");
    assert_eq!(phone.flush().sent, 1);
    let seen = &server.requests()[0];
    phone.check_request("rotated", seen, session, 1, &[NEW_SECRET, SECRET]);
    assert!(verifies(seen, SECRET) && verifies(seen, NEW_SECRET), "receivers accept it before and after they changed");
    assert!(!verifies(seen, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
}

#[test]
fn a_secret_before_the_one_in_use_that_is_none_is_ignored() {
    let before = ["hunter2", "", "whsec_c2hvcnQ=", "whsk_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"];
    each(&before, |before| {
        let server = server(Reply::status(200));
        let (phone, _) = phone_that_says(&found(SECRET, Some(before)));
        phone.register("office", &server.url("/hook"));
        let session = phone.complete("office");
        assert_eq!(phone.flush().sent, 1, "{before}");
        phone.check_request(before, &server.requests()[0], session, 1, &[SECRET]);
    });
}

#[test]
fn a_retry_is_signed_with_the_secret_of_its_time() {
    let server = TestServer::https_script(crate::ca(), vec![Reply::status(500), Reply::status(200)]);
    let phone = Setup::steady().phone();
    phone.register("office", &server.url("/hook"));
    let session = phone.complete("office");
    phone.flush();
    phone.static_secrets.remove("signing");
    phone.static_secrets.set("signing", NEW_SECRET);
    phone.advance_to_next(session);
    assert_eq!(phone.flush().sent, 1);
    let seen = server.requests();
    check_signature("first", &seen[0], &[SECRET]);
    check_signature("second", &seen[1], &[NEW_SECRET]);
}

/// Damages the bytes of the only message, as a failing flash would: past every rule.
fn damage_body(phone: &Phone) {
    let body = "UPDATE body SET bytes = CAST(replace(CAST(bytes AS TEXT), 'Visit', 'Visat') AS BLOB)";
    let file = rusqlite::Connection::open(&phone.path).expect("the file");
    assert!(file.execute(body, []).is_err(), "the database itself refuses it");
    file.execute_batch("DROP TRIGGER body_is_frozen").expect("no trigger");
    assert_eq!(file.execute(body, []).expect("damage"), 1);
}

#[test]
fn damaged_bytes_are_made_again_where_the_session_still_says_what_they_were() {
    let server = server(Reply::status(200));
    let phone = Setup::default().phone();
    phone.register("office", &server.url("/hook"));
    let session = phone.complete("office");
    let delivery = phone.delivery(session);
    let frozen = phone.compass.delivery_body(&delivery.id).expect("a message");
    damage_body(&phone);
    let report = phone.flush();
    sent().check("made again", &phone, session, &report, Some(200));
    assert_eq!(String::from_utf8(server.requests()[0].body.clone()).ok(), frozen, "byte for byte what was frozen");
    check_signature("made again", &server.requests()[0], &[SECRET]);
}

#[test]
fn damaged_bytes_are_never_sent() {
    let server = server(Reply::status(200));
    let phone = Setup::default().phone();
    phone.register("office", &server.url("/hook"));
    let session = phone.complete("office");
    // An edit since: the session does not say any more what the bytes were.
    let change = FieldChange { field: "text0".to_owned(), change: Change::Set(FieldValue::Text("repaired".to_owned())) };
    phone.compass.edit(session, Some("Ada"), None, vec![change], Vec::new(), &phone.command_id()).expect("edited");
    damage_body(&phone);
    let report = phone.flush();
    permanent("corrupt").not_begun().check("corrupt", &phone, session, &report, None);
    assert_untouched("corrupt", &server);
    assert!(!phone.compass.check().expect("a check").faults.is_empty());
    assert!(!phone.action(session).can_send, "these bytes can never be delivered");
    // The others leave.
    let other = phone.complete("office");
    assert_eq!(phone.flush().sent, 1);
    phone.check_request("another", &server.requests()[0], other, 1, &[SECRET]);
}

#[test]
fn a_url_that_cannot_be_used_is_final_before_anything_is_sent() {
    let server = TestServer::http(|_| Reply::status(200));
    let mut phone = Setup { allow_plain_http: true, ..Setup::default() }.phone();
    phone.register("office", &server.url("/hook"));
    let session = phone.complete("office");
    // The next release of the app allows https alone.
    phone.compass.close().expect("closed");
    let compass = Setup::default().open(phone.path.clone(), &phone.clock, Arc::clone(&phone.static_secrets) as _);
    phone.compass = compass;
    let report = phone.flush();
    permanent("bad_url").not_begun().check("plain http", &phone, session, &report, None);
    assert_untouched("plain http", &server);
    // With a right URL a person sends it again, as it was.
    let right = crate::phone::server(Reply::status(200));
    phone.register("office", &right.url("/hook"));
    assert_eq!(phone.flush().attempts, 0, "it does not revive by itself");
    phone.compass.send(session, "to-office", None, &phone.command_id()).expect("sent again");
    assert_eq!(phone.flush().sent, 1);
    phone.check_request("right URL", &right.requests()[0], session, 1, &[SECRET]);
}

#[test]
fn plain_http_to_this_machine_works_where_it_is_allowed() {
    let server = TestServer::http(|_| Reply::status(200));
    let phone = Setup { allow_plain_http: true, ..Setup::default() }.phone();
    phone.register("office", &server.url("/hook"));
    let session = phone.complete("office");
    assert_eq!(phone.flush().sent, 1);
    phone.check_request("plain", &server.requests()[0], session, 1, &[SECRET]);
}

#[test]
fn a_body_of_256_kib_is_sent_and_one_of_a_byte_more_is_not() {
    let server = server(Reply::status(200));
    let phone = Setup::default().phone();
    phone.register("office", &server.url("/hook"));
    let fits = phone.complete_with_body("office", 256 * 1024);
    let over = phone.complete_with_body("office", 256 * 1024 + 1);
    assert_eq!((phone.delivery(fits).body_size, phone.delivery(over).body_size), (262_144, 262_145));
    let failed = (ActionStatus::Failed, Some("payload_too_large".to_owned()));
    assert_eq!(phone.status(over), failed, "born failed; the session is completed all the same");
    let report = phone.flush();
    assert_eq!((report.attempts, report.sent, report.failed), (1, 1, 0));
    let seen = server.requests();
    assert_eq!((seen.len(), seen[0].body.len()), (1, 262_144));
    phone.check_request("256 KiB", &seen[0], fits, 1, &[SECRET]);
    assert_eq!((phone.status(over), phone.delivery(over).attempts), (failed, 0));
    assert!(phone.compass.next_due().expect("next").needs_person);
}
