//! What can go wrong, by kind and phase, always within its time.

use super::*;

#[test]
fn nobody_listens() {
    let ca = TestCa::new();
    fails(transport(&ca).send(post(refused_url(), "x")), FailureKind::Refused, Phase::Connect, RequestSent::No);
}

#[test]
fn a_host_that_does_not_exist() {
    let ca = TestCa::new();
    let failure = fails(
        transport(&ca).send(post("https://does-not-exist.invalid/secret-path?token=hidden", "payload")),
        FailureKind::Dns,
        Phase::Resolve,
        RequestSent::No,
    );
    for hidden in ["secret-path", "hidden", "payload"] {
        assert!(!failure.detail.contains(hidden), "{}", failure.detail);
    }
}

#[test]
fn certificates_that_are_not_good() {
    let ca = TestCa::new();
    let stranger = TestCa::new();
    let transport = transport(&ca);
    let rows = [
        ("expired", ca.expired_leaf(), EXPIRED),
        ("not yet valid", ca.future_leaf(), EXPIRED),
        ("another host", ca.leaf_for("elsewhere.example"), CERTIFICATE),
        ("another authority", stranger.leaf(), CERTIFICATE),
        ("signed by itself", Identity::self_signed(), CERTIFICATE),
    ];
    for (what, identity, kind) in rows {
        let server = TestServer::builder().tls(&identity).start();
        let failure = transport.send(post(server.url("/"), "x")).expect_err(what);
        assert_eq!((failure.kind, failure.phase, failure.request_sent), (kind, Phase::Connect, RequestSent::No), "{what}: {failure:?}");
        assert_eq!(server.requests().len(), 0, "{what}");
    }
}

#[test]
fn a_server_that_does_not_speak_tls() {
    let ca = TestCa::new();
    let transport = transport_with(&ca, Timeouts { connect: SHORT, ..Timeouts::default() });
    let rows = [
        (Greeting::PlainText, FailureKind::Tls),
        (Greeting::Hang, FailureKind::Timeout),
        (Greeting::Close, FailureKind::Closed),
        (Greeting::Reset, FailureKind::Closed),
    ];
    for (greeting, kind) in rows {
        let server = TestServer::builder().tls(&ca.leaf()).on_connect(move |_| greeting).start();
        let failure = transport.send(post(server.url("/"), "x")).expect_err("a failure");
        assert_eq!(
            (failure.kind, failure.phase, failure.request_sent),
            (kind, Phase::Connect, RequestSent::No),
            "{greeting:?}: {failure:?}"
        );
    }
}

#[test]
fn a_connect_that_hangs_ends_in_time() {
    let ca = TestCa::new();
    let hole = BlackHole::new();
    let transport = Arc::new(transport_with(&ca, Timeouts { connect: SHORT, ..HOURS }));
    fails(send_patiently(&transport, within(post(hole.url(), "x"), HOUR), || ()), FailureKind::Timeout, Phase::Connect, RequestSent::No);
}

#[test]
fn only_https_leaves_the_device() {
    let ca = TestCa::new();
    let server = TestServer::http(|_| Reply::status(200));
    let strict = transport(&ca);
    let lenient = plain_transport();
    assert_eq!(lenient.send(post(server.url("/"), "x")).expect("an answer").status, 200);
    assert_eq!(lenient.send(post(server.url_at("localhost", "/"), "x")).expect("an answer").status, 200);
    fails(strict.send(post(server.url("/"), "x")), FailureKind::Other, Phase::Resolve, RequestSent::No);
    for url in [
        "http://example.com/",
        "http://localhost./",
        "ftp://127.0.0.1/",
        "/path",
        "127.0.0.1",
        "not a url",
        "https://me:pass@127.0.0.1/",
        "",
    ] {
        let failure = fails(lenient.send(post(url, "x")), FailureKind::Other, Phase::Resolve, RequestSent::No);
        assert!(!failure.detail.contains("pass"), "{}", failure.detail);
    }
    assert_eq!(server.requests().len(), 2);
}

// Failures after something was sent.

#[test]
fn answers_that_are_none() {
    let ca = TestCa::new();
    let transport = transport(&ca);
    let rows = [
        ("garbage", Reply::garbage_head(), FailureKind::Protocol),
        ("cut head", Reply::truncated_head(), FailureKind::Protocol),
        ("status below 100", Reply::Raw(b"HTTP/1.1 099 Low\r\n\r\n".to_vec()), FailureKind::Protocol),
        ("a status of four digits", Reply::Raw(b"HTTP/1.1 2000 OK\r\n\r\n".to_vec()), FailureKind::Protocol),
        ("a status that is no word", Reply::Raw(b"HTTP/1.1 200OK\r\n\r\n".to_vec()), FailureKind::Protocol),
        ("a version that is no word", Reply::Raw(b"HTTP/1.12200 OK\r\n\r\n".to_vec()), FailureKind::Protocol),
        ("a version that is none", Reply::Raw(b"HTTP/1.x 204\r\n\r\n".to_vec()), FailureKind::Protocol),
        ("endless head", Reply::Raw(vec![b'a'; 100_000]), FailureKind::Protocol),
        (
            "head too large",
            Reply::Raw([b"HTTP/1.1 200 OK\r\nx: ".as_slice(), &vec![b'a'; 60_000], b"\r\n\r\n"].concat()),
            FailureKind::Protocol,
        ),
        ("end", Reply::Close, FailureKind::Closed),
        ("reset", Reply::Reset, FailureKind::Closed),
    ];
    for (what, reply, kind) in rows {
        let server = TestServer::https(&ca, move |_| reply.clone());
        let failure = transport.send(post(server.url("/"), "payload")).expect_err(what);
        assert_eq!((failure.kind, failure.phase, failure.request_sent), (kind, Phase::Receive, RequestSent::Maybe), "{what}: {failure:?}");
        assert!(!failure.detail.contains("payload"), "{what}: {}", failure.detail);
        assert_eq!(server.requests().len(), 1, "{what} is not retried");
    }
}

#[test]
fn silence_runs_into_the_timeout_of_receiving() {
    let ca = TestCa::new();
    let server = TestServer::https(&ca, |_| Reply::Silence);
    let transport = Arc::new(transport_with(&ca, Timeouts { receive: SHORT, ..HOURS }));
    fails(
        send_patiently(&transport, within(post(server.url("/"), "x"), HOUR), || ()),
        FailureKind::Timeout,
        Phase::Receive,
        RequestSent::Maybe,
    );
}

#[test]
fn a_slow_answer_is_bounded_by_the_timeout_of_the_request() {
    let ca = TestCa::new();
    let transport = Arc::new(transport_with(&ca, HOURS));
    let head = format!("HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 0\r\n\r\n", "y".repeat(600));
    let server = TestServer::https(&ca, move |_| Reply::Slowly { bytes: head.clone().into_bytes(), pause: CRAWL });
    let request = within(post(server.url("/"), "x"), Duration::from_secs(3));
    fails(send_patiently(&transport, request, || ()), FailureKind::Timeout, Phase::Receive, RequestSent::Maybe);
}

#[test]
fn a_tls_record_that_trickles_is_bounded_too() {
    // Bytes that arrive steadily without ever making a whole: on the level of TLS, and of TCP.
    let ca = TestCa::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://{}/", listener.local_addr().expect("an address"));
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().expect("a connection");
        // The start of a handshake record of 16 KiB.
        let mut bytes = vec![0x16, 3, 3, 0x40, 0];
        bytes.resize(600, 0);
        for byte in bytes {
            if socket.write_all(&[byte]).is_err() {
                return;
            }
            thread::sleep(CRAWL / 4);
        }
    });
    let request = within(post(url, "x"), Duration::from_secs(2));
    let transport = Arc::new(transport_with(&ca, HOURS));
    fails(send_patiently(&transport, request, || ()), FailureKind::Timeout, Phase::Connect, RequestSent::No);
    server.join().expect("the server saw the client leave");
}

#[test]
fn a_server_that_reads_slowly_is_bounded_by_the_timeout_of_sending() {
    let ca = TestCa::new();
    for (what, head) in [("slow", Head::ReadSlowly { bytes: 64, pause: CRAWL / 4 }), ("never", Head::NeverRead)] {
        let server = TestServer::builder().tls(&ca.leaf()).small_window().on_head(move |_| head.clone()).start();
        let transport = transport_with(&ca, Timeouts { send: SHORT, receive: SHORT, ..Timeouts::default() });
        let failure = transport.send(post(server.url("/"), vec![b'x'; 4 * 1024 * 1024])).expect_err(what);
        assert_eq!(
            (failure.kind, failure.phase, failure.request_sent),
            (FailureKind::Timeout, Phase::Send, RequestSent::Maybe),
            "{what}: {failure:?}"
        );
    }
}

// Giving up.

#[test]
fn cancel_ends_an_attempt_in_every_phase() {
    let ca = TestCa::new();
    let hole = BlackHole::new();
    let hanging = TestServer::builder().tls(&ca.leaf()).on_connect(|_| Greeting::Hang).start();
    let unread = TestServer::builder().tls(&ca.leaf()).small_window().on_head(|_| Head::NeverRead).start();
    let silent = TestServer::https(&ca, |_| Reply::Silence);
    let transport = Arc::new(transport_with(&ca, HOURS));
    let big = vec![b'x'; 4 * 1024 * 1024];
    type Underway<'a> = Box<dyn Fn() + 'a>;
    let rows: [(TransportRequest, Underway<'_>, Phase, RequestSent); 4] = [
        (post(hole.url(), "x"), Box::new(|| hole.wait_for_connect()), Phase::Connect, RequestSent::No),
        (post(hanging.url("/"), "x"), Box::new(|| hanging.wait_for_connections(1)), Phase::Connect, RequestSent::No),
        (post(unread.url("/"), big), Box::new(|| unread.wait_for_heads(1)), Phase::Send, RequestSent::Maybe),
        (post(silent.url("/"), "x"), Box::new(|| drop(silent.wait_for_requests(1))), Phase::Receive, RequestSent::Maybe),
    ];
    for (request, underway, phase, sent) in rows {
        let id = request.id;
        let outcome = send_patiently(&transport, within(request, HOUR), || {
            underway();
            transport.cancel(id);
        });
        fails(outcome, FailureKind::Cancelled, phase, sent);
    }
}

#[test]
fn cancel_reaches_no_other_request() {
    let ca = TestCa::new();
    let server = TestServer::https(&ca, |_| Reply::status(200));
    let transport = transport(&ca);
    let first = post(server.url("/"), "x");
    let id = first.id;
    assert_eq!(transport.send(first).expect("an answer").status, 200);
    // The connection is in the pool now, or serves the second request.
    transport.cancel(id);
    transport.cancel(u64::MAX);
    assert_eq!(transport.send(post(server.url("/"), "x")).expect("an answer").status, 200);
    assert_eq!(server.connections(), 1);
}

// Setting up.

#[test]
fn a_bad_root_is_named() {
    let (one, two) = (TestCa::new(), TestCa::new());
    let with = |extra_roots: Vec<Vec<u8>>| BuiltIn::new(BuiltInOptions { extra_roots, ..BuiltInOptions::default() }).map(drop);
    let good = format!("{}\n# a comment\n{}", one.pem(), two.pem()).into_bytes();
    assert_eq!(with(vec![good.clone(), one.der()]), Ok(()));
    assert_eq!(with(vec![good.clone(), b"no certificate here".to_vec()]), Err(TransportSetupError::EmptyRoot { root: 1 }));
    assert_eq!(with(vec![Vec::new()]), Err(TransportSetupError::EmptyRoot { root: 0 }));
    let hollow = format!("{}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", one.pem());
    for (root, certificate) in [(hollow.into_bytes(), 1), (one.der()[..40].to_vec(), 0), (one.pem().into_bytes()[..200].to_vec(), 0)] {
        match with(vec![good.clone(), root]) {
            Err(TransportSetupError::BadRoot { root: 1, certificate: bad, .. }) => assert_eq!(bad, certificate),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn extra_roots_stand_beside_each_other() {
    let (one, two) = (TestCa::new(), TestCa::new());
    let both = vec![one.der(), two.pem().into_bytes()];
    let transport = BuiltIn::new(BuiltInOptions { extra_roots: both, ..BuiltInOptions::default() }).expect("good authorities");
    for ca in [&one, &two] {
        let server = TestServer::https(ca, |_| Reply::status(200));
        assert_eq!(transport.send(post(server.url("/"), "x")).expect("an answer").status, 200);
    }
}
