//! Addresses of endpoints: what no transport could use is refused when it is registered, not found out message by message.

use super::*;

#[test]
fn an_address_that_no_request_can_go_to_is_refused() {
    let (field, _) = phone(|_| Ok(answer(202)));
    for refused in [
        "https://hooks.example/ä",
        "https://hooks.example/a?b=ü",
        "https://hooks.example/{x}",
        "https://hooks.example/\"q\"",
        "https://hooks.example/a b",
        "https://hooks.example/<a>",
        "https://hooks.example/a\\b",
        "https://hooks.example/a|b",
        "https://hooks.example/^",
        "https://a..b/",
        "https://.example/",
        "https://-a.example/",
        "https://a-.example/",
        "https://1.2.3/",
        "https://1.2.3.4.5/",
        "https://256.1.1.1/",
        "https://0x7f.1/",
        "https://höoks.example/",
        "https://[::1/",
        "https://[::g]/",
        "https://hooks.example:0/",
        "https://hooks.example:65536/",
        "https://hooks.example:x/",
        "https://user@hooks.example/",
        "https://hooks.example/#part",
        "https:///hook",
        "https://",
        "http://hooks.example/",
        "ftp://hooks.example/",
        "hooks.example/hook",
        "",
    ] {
        let result = field.compass.put_endpoint(&endpoint("lab", refused));
        assert!(matches!(result, Err(Error::InvalidEndpoint { .. })), "{refused}: {result:?}");
    }
    assert_eq!(field.compass.endpoints().unwrap().len(), 1, "nothing of it is kept");
}

#[test]
fn an_address_that_requests_can_go_to_is_taken() {
    let (field, _) = phone(|_| Ok(answer(202)));
    for taken in [
        "https://hooks.example",
        "https://hooks.example/",
        "https://hooks.example?x=1",
        "https://HOOKS.Example:8443/a/b;c=d?e=f&g=%C3%A4",
        "https://xn--hks-0qa.example/~anna/!$&'()*+,;=:@-._",
        "https://192.0.2.7/hook",
        "https://[2001:db8::1]:8443/hook",
        "https://intranet/hook",
    ] {
        field.compass.put_endpoint(&endpoint(OFFICE, taken)).unwrap_or_else(|error| panic!("{taken}: {error}"));
        field.complete();
        assert_eq!(field.flush().sent, 1, "{taken}");
        assert_eq!(field.transport.requests().last().unwrap().url, status(&field, OFFICE).endpoint.url, "{taken}");
    }
}

#[test]
fn what_is_sent_again_does_not_wait_for_the_pause_of_an_old_address() {
    let (field, _) =
        phone(|request| if request.url == OFFICE_URL { Ok(answer_with(429, &[("retry-after", "86400")])) } else { Ok(answer(202)) });
    let session = field.complete();
    let running = field.flush_held(&field.compass, "", 1);
    abandon_first(&field, session);
    field.transport.release();
    joined("the flush", running);
    // Another receiver takes over.
    field.compass.put_endpoint(&endpoint(OFFICE, "https://new.example/hook")).unwrap();
    let fresh = field.complete();
    send_first(&field, session);
    field.flush();
    assert!(is_sent(&field.compass, fresh));
    assert!(is_sent(&field.compass, session), "waits for {:?}", field.delivery(session).next_attempt_at.map(|at| at - field.now()));
}
