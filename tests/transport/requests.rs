//! What reaches the server, what comes back, and how connections are kept.

use super::*;

#[test]
fn the_server_gets_the_exact_bytes_and_headers() {
    let ca = TestCa::new();
    let server = TestServer::https(&ca, |_| Reply::Respond(Response::new(202).header("X-Seen", "yes").body("thanks")));
    let body = "{\"name\":\"Ünïcode\"}\n\0\r\n".as_bytes().to_vec();

    let answer = transport(&ca).send(post(server.url("/hook?a=1"), body.clone())).expect("an answer");

    assert_eq!(answer.status, 202);
    assert_eq!(answer.header("x-seen"), Some("yes"));
    assert_eq!(answer.body, b"thanks");
    let seen = server.requests().remove(0);
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/hook?a=1"));
    assert_eq!(seen.body, body);
    assert_eq!(seen.header("content-length"), Some(body.len().to_string().as_str()));
    assert_eq!(seen.header("transfer-encoding"), None);
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("webhook-id"), Some("msg_1"));
    assert_eq!(seen.header("user-agent"), Some(concat!("compass-core/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(seen.header("host"), Some(format!("127.0.0.1:{}", server.port()).as_str()));
    assert_eq!(seen.header("accept-encoding"), None, "answers are never decompressed, so none is asked for");
    for name in ["content-length", "host", "content-type", "user-agent"] {
        assert_eq!(seen.headers.iter().filter(|(known, _)| known == name).count(), 1, "{name}");
    }
}

#[test]
fn a_proxy_of_the_environment_is_not_used() {
    // The environment belongs to a whole process, so another one is asked.
    let mut tests = Command::new(std::env::current_exe().expect("this test"));
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"] {
        tests.env(name, "http://127.0.0.1:9");
    }
    let output = tests.args(["--exact", "requests::the_server_gets_the_exact_bytes_and_headers"]).output().expect("the test runs");
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
}

#[test]
fn an_empty_body_has_a_length_too() {
    let ca = TestCa::new();
    let server = TestServer::https(&ca, |_| Reply::status(204));
    assert_eq!(transport(&ca).send(post(server.url("/"), "")).expect("an answer").status, 204);
    assert_eq!(server.requests()[0].header("content-length"), Some("0"));
}

#[test]
fn headers_that_frame_the_request_are_the_transports_own() {
    let ca = TestCa::new();
    let server = TestServer::https(&ca, |_| Reply::status(200));
    let mut request = post(server.url("/"), "12345");
    for (name, value) in [("content-length", "1"), ("transfer-encoding", "chunked"), ("host", "elsewhere"), ("expect", "100-continue")] {
        request.headers.push(Header::new(name, value));
    }
    assert_eq!(transport(&ca).send(request).expect("an answer").status, 200);
    let seen = server.requests().remove(0);
    assert_eq!(seen.body, b"12345");
    assert_eq!(seen.header("content-length"), Some("5"));
    assert_eq!((seen.header("transfer-encoding"), seen.header("expect")), (None, None));
    assert_eq!(seen.header("host"), Some(format!("127.0.0.1:{}", server.port()).as_str()));
}

#[test]
fn a_large_body_arrives_whole() {
    let ca = TestCa::new();
    let server = TestServer::builder().tls(&ca.leaf()).small_window().on_request(|_| Reply::status(200)).start();
    let body: Vec<u8> = (0..256 * 1024).map(|i| (i % 251) as u8).collect();
    assert_eq!(transport(&ca).send(post(server.url("/"), body.clone())).expect("an answer").status, 200);
    assert_eq!(server.requests()[0].body, body);
}

#[test]
fn hosts_by_name_and_by_number() {
    let ca = TestCa::new();
    let server = TestServer::https(&ca, |_| Reply::status(200));
    let transport = transport(&ca);
    for host in ["localhost", "LOCALHOST", "127.0.0.1"] {
        assert_eq!(transport.send(post(server.url_at(host, "/"), "x")).expect("an answer").status, 200, "{host}");
    }
}

// Every status is an answer.

#[test]
fn a_redirect_is_an_answer_and_its_target_gets_no_request() {
    let ca = TestCa::new();
    let target = TestServer::https(&ca, |_| Reply::status(200));
    let transport = transport(&ca);
    for status in [300, 301, 302, 303, 304, 307, 308] {
        let to = target.url("/elsewhere");
        let server = TestServer::https(&ca, move |_| Reply::redirect(status, &to));
        let answer = transport.send(post(server.url("/hook"), "x")).expect("an answer");
        assert_eq!((answer.status, answer.header("location")), (status, Some(target.url("/elsewhere").as_str())));
        assert_eq!(server.requests().len(), 1, "{status}");
    }
    assert_eq!(target.connections(), 0);
}

#[test]
fn every_status_arrives_as_it_stood() {
    let ca = TestCa::new();
    let transport = transport(&ca);
    for status in [101, 200, 202, 204, 226, 400, 401, 404, 408, 410, 413, 425, 429, 500, 503, 511, 599, 600, 999] {
        let server = TestServer::https(&ca, move |_| Reply::status(status));
        for _ in 0..2 {
            assert_eq!(transport.send(post(server.url("/"), "x")).expect("an answer").status, status);
        }
        assert_eq!(server.requests().len(), 2, "{status} is not retried");
    }
}

#[test]
fn interim_answers_are_skipped() {
    let ca = TestCa::new();
    let bytes =
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n";
    let server = TestServer::https(&ca, |_| Reply::Raw(bytes.to_vec()));
    assert_eq!(transport(&ca).send(post(server.url("/"), "x")).expect("an answer").status, 201);
}

#[test]
fn what_follows_the_status_line_never_makes_it_a_failure() {
    let ca = TestCa::new();
    let transport = Arc::new(transport_with(&ca, Timeouts { body: SHORT, ..HOURS }));
    let chunked = |rest: &str| Reply::Raw(format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{rest}").into_bytes());
    let held = |rest: &str| Reply::RawThenHold(format!("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{rest}").into_bytes());
    let slow = Reply::RawThenHold(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n".to_vec());
    let rows = [
        ("cut body", Reply::truncated_body(200), &b"only this"[..]),
        ("bad gzip", Reply::bad_gzip(200), b"this is not gzip"),
        ("bad chunk", chunked("zzz\r\nnonsense"), b""),
        ("cut chunk", chunked("10\r\nabc"), b"abc"),
        ("body that hangs", held("abc"), b"abc"),
        ("body that never comes", slow, b""),
        ("no length", Reply::Raw(b"HTTP/1.1 200 OK\r\n\r\nto the end".to_vec()), b"to the end"),
        ("reset after the answer", Reply::RespondThenReset(Response::new(200)), b""),
    ];
    for (what, reply, body) in rows {
        let server = if matches!(reply, Reply::RespondThenReset(_)) {
            TestServer::builder().tls(&ca.leaf()).on_head(move |_| Head::Answer(reply.clone())).start()
        } else {
            TestServer::https(&ca, move |_| reply.clone())
        };
        let answer = send_patiently(&transport, within(post(server.url("/"), "x"), HOUR), || ());
        let answer = answer.unwrap_or_else(|failure| panic!("{what}: {failure:?}"));
        assert_eq!((answer.status, answer.body.as_slice()), (200, body), "{what}");
        // What is left of such an answer is not taken for the next one.
        server.reply_with(|_| Reply::status(202));
        if what != "reset after the answer" {
            assert_eq!(transport.send(post(server.url("/"), "x")).expect("an answer").status, 202, "{what}");
        }
    }
}

#[test]
fn a_status_line_is_an_answer_whatever_its_headers_are() {
    let ca = TestCa::new();
    let transport = transport(&ca);
    let many = |count| {
        let headers = (0..count).fold(Response::new(200), |response, n| response.header(&format!("x-{n}"), "y"));
        Reply::Respond(headers.header("retry-after", "7").body("ok"))
    };
    let odd = |header: &str| Reply::RawThenHold(format!("HTTP/1.1 200 OK\r\nretry-after: 7\r\n{header}\r\n\r\n").into_bytes());
    let rows = [
        ("126 headers", many(126)),
        ("127 headers", many(127)),
        ("300 headers", many(300)),
        ("2000 headers", many(2000)),
        ("a length that is none", odd("content-length: many")),
        ("a header that is none", odd("x y z")),
        ("lines that end in LF alone", Reply::RawThenHold(b"HTTP/1.1 200 OK\nretry-after: 7\ncontent-length: many\n\n".to_vec())),
    ];
    for (what, reply) in rows {
        let server = TestServer::https(&ca, move |request| if request.number == 0 { reply.clone() } else { Reply::status(201) });
        let answer = transport.send(post(server.url("/"), "x")).unwrap_or_else(|failure| panic!("{what}: {failure:?}"));
        assert_eq!((answer.status, answer.header("retry-after")), (200, Some("7")), "{what}");
        // What is left of it is not taken for the next one.
        assert_eq!(transport.send(post(server.url("/"), "x")).expect("an answer").status, 201, "{what}");
    }
}

#[test]
fn only_the_first_4_kib_of_a_body_are_kept() {
    let ca = TestCa::new();
    let transport = transport(&ca);
    let endless = TestServer::https(&ca, |_| Reply::Endless { status: 200 });
    let answer = transport.send(post(endless.url("/"), "x")).expect("an answer");
    assert_eq!((answer.status, answer.body), (200, vec![b'x'; 4096]));

    let exact = TestServer::https(&ca, |_| Reply::Respond(Response::new(200).body(vec![b'y'; 4096])));
    for _ in 0..2 {
        assert_eq!(transport.send(post(exact.url("/"), "x")).expect("an answer").body, vec![b'y'; 4096]);
    }
    assert_eq!(exact.connections(), 1, "a body read to its end leaves the connection for the next");
}

// The pool.

#[test]
fn as_many_connections_are_kept_as_requests_are_in_flight() {
    let ca = TestCa::new();
    let together = Arc::new(Barrier::new(8));
    let server = TestServer::https(&ca, move |_| {
        // All eight are in flight before one is answered.
        together.wait();
        Reply::Respond(Response::new(200).body("ok"))
    });
    let transport = transport(&ca);
    for _ in 0..4 {
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(transport.send(post(server.url("/"), "x")).expect("an answer").status, 200));
            }
        });
    }
    assert_eq!((server.requests().len(), server.connections()), (32, 8));
}

#[test]
fn a_connection_that_the_server_closed_is_not_used_again() {
    let ca = TestCa::new();
    let server = TestServer::https(&ca, |request| match request.number {
        0 => Reply::RespondThenClose(Response::new(200)),
        _ => Reply::status(201),
    });
    let transport = transport(&ca);
    assert_eq!(transport.send(post(server.url("/"), "x")).expect("an answer").status, 200);
    server.wait_for_goodbyes(1);
    assert_eq!(transport.send(post(server.url("/"), "x")).expect("an answer").status, 201);
    assert_eq!(server.connections(), 2);
}

#[test]
fn a_pooled_connection_that_breaks_leaves_the_outcome_open_and_is_not_retried() {
    let ca = TestCa::new();
    let transport = transport(&ca);
    for broken in [Reply::Close, Reply::Reset] {
        let reply = broken.clone();
        let server = TestServer::https(&ca, move |request| if request.number == 0 { Reply::status(200) } else { reply.clone() });
        assert_eq!(transport.send(post(server.url("/"), "x")).expect("an answer").status, 200);
        fails(transport.send(post(server.url("/"), "x")), FailureKind::Closed, Phase::Receive, RequestSent::Maybe);
        assert_eq!((server.requests().len(), server.connections()), (2, 1), "{broken:?}");
    }
}

// An answer before the request was read.

#[test]
fn an_early_413_is_seen_as_413() {
    let ca = TestCa::new();
    let refuse = || Response::new(413).header("retry-after", "7").body("too large");
    let rows = [
        ("orderly close", Reply::RespondThenClose(refuse())),
        ("reset", Reply::RespondThenReset(refuse())),
        ("never reads on", Reply::RespondThenHold(refuse())),
    ];
    for (what, reply) in rows {
        // The largest body that an entry may have; and one that no buffer of the system holds, so that sending is still going on.
        for (size, small) in [(256 * 1024, false), (16 * 1024 * 1024, true)] {
            for tls in [false, true] {
                let early = reply.clone();
                let mut server = TestServer::builder().on_head(move |_| Head::Answer(early.clone()));
                if small {
                    server = server.small_window();
                }
                if tls {
                    server = server.tls(&ca.leaf());
                }
                let server = server.start();
                let transport =
                    BuiltIn::new(BuiltInOptions { allow_plain_http_to_loopback: true, ..options(&ca) }).expect("a good authority");
                let answer = transport.send(post(server.url("/hook"), vec![b'x'; size]));
                let answer = answer.unwrap_or_else(|failure| panic!("{what}, {size} bytes, TLS {tls}: {failure:?}"));
                assert_eq!((answer.status, answer.header("retry-after")), (413, Some("7")), "{what}, {size} bytes, TLS {tls}");
            }
        }
    }
}

#[test]
fn a_reset_while_sending_without_an_answer_is_a_failure_of_sending() {
    let ca = TestCa::new();
    let server = TestServer::builder().tls(&ca.leaf()).small_window().on_head(|_| Head::Answer(Reply::Reset)).start();
    let failure = transport(&ca).send(post(server.url("/"), vec![b'x'; 256 * 1024])).expect_err("a failure");
    assert_eq!((failure.kind, failure.request_sent), (FailureKind::Closed, RequestSent::Maybe), "{failure:?}");
}

#[test]
fn a_success_before_the_request_was_written_is_no_answer() {
    let ca = TestCa::new();
    let ok = || Response::new(202).body("thanks");
    let rows = [
        ("reads on", Head::AnswerThenReadSlowly { response: ok(), bytes: 64 * 1024, pause: SHORT / 8 }),
        ("reads very slowly", Head::AnswerThenReadSlowly { response: ok(), bytes: 64, pause: SHORT }),
        ("never reads on", Head::Answer(Reply::RespondThenHold(ok()))),
        ("reset", Head::Answer(Reply::RespondThenReset(ok()))),
        (
            "after an interim answer",
            Head::Answer(Reply::RawThenHold(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec())),
        ),
    ];
    for (what, head) in rows {
        for tls in [false, true] {
            let early = head.clone();
            let mut server = TestServer::builder().small_window().on_head(move |_| early.clone());
            if tls {
                server = server.tls(&ca.leaf());
            }
            let server = server.start();
            let transport = BuiltIn::new(BuiltInOptions { allow_plain_http_to_loopback: true, ..options(&ca) }).expect("a good authority");
            let failure = transport.send(post(server.url("/hook"), vec![b'x'; 8 * 1024 * 1024])).expect_err(what);
            assert_eq!(
                (failure.kind, failure.phase, failure.request_sent),
                (FailureKind::Protocol, Phase::Send, RequestSent::Maybe),
                "{what}, TLS {tls}: {failure:?}"
            );
        }
    }
}
