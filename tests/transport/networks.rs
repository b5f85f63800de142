//! Hosts with several addresses, and changes of network.

use std::net::{Ipv6Addr, TcpListener};
use std::sync::mpsc;

use super::*;

/// On a machine without IPv6, `localhost` has one address that can be used, and these tests say nothing.
fn has_ipv6() -> bool {
    TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

/// A server at the second address of `localhost`, that closes each connection after one answer.
fn second_address(ca: &TestCa, port: u16, greet: impl Fn(usize) -> Greeting + Send + Sync + 'static) -> TestServer {
    let reply = || Reply::RespondThenClose(Response::new(206).header("connection", "close"));
    TestServer::builder().tls(&ca.leaf()).at((Ipv6Addr::LOCALHOST, port)).on_connect(greet).on_request(move |_| reply()).start()
}

fn first_address(ca: &TestCa, port: u16) -> TestServer {
    TestServer::builder().tls(&ca.leaf()).at(([127, 0, 0, 1], port)).on_request(|_| Reply::status(204)).start()
}

/// A port that nobody listens to.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port()
}

#[test]
fn an_address_that_leads_nowhere_costs_no_attempt() {
    if !has_ipv6() {
        return;
    }
    let ca = TestCa::new();
    let hole = BlackHole::new();
    let server = second_address(&ca, hole.port(), |_| Greeting::Serve);
    // One who waited for the first address to fail would wait for an hour.
    let transport = Arc::new(transport_with(&ca, HOURS));
    let answer = send_patiently(&transport, within(post(server.url_at("localhost", "/"), "x"), HOUR), || ());
    assert_eq!(answer.expect("an answer").status, 206);
}

#[test]
fn the_address_that_worked_is_tried_first_until_the_network_changes() {
    if !has_ipv6() {
        return;
    }
    let ca = TestCa::new();
    let port = free_port();
    let second = second_address(&ca, port, |_| Greeting::Serve);
    let transport = transport(&ca);
    let send = || transport.send(post(second.url_at("localhost", "/"), "x")).expect("an answer").status;
    assert_eq!(send(), 206);
    let _first = first_address(&ca, port);
    assert_eq!(send(), 206);
    transport.renew();
    assert_eq!(send(), 204);
}

#[test]
fn an_address_that_no_longer_works_loses_its_place() {
    if !has_ipv6() {
        return;
    }
    let ca = TestCa::new();
    let port = free_port();
    let second = second_address(&ca, port, |connection| if connection == 0 { Greeting::Serve } else { Greeting::Close });
    let transport = transport(&ca);
    let send = || transport.send(post(second.url_at("localhost", "/"), "x"));
    assert_eq!(send().expect("an answer").status, 206);
    let _first = first_address(&ca, port);
    fails(send(), FailureKind::Closed, Phase::Connect, RequestSent::No);
    assert_eq!(send().expect("an answer").status, 204);
}

#[test]
fn after_renew_no_old_connection_is_used() {
    let ca = TestCa::new();
    let server = TestServer::https(&ca, |_| Reply::status(200));
    let transport = transport(&ca);
    for renewals in 1..=3 {
        for _ in 0..2 {
            assert_eq!(transport.send(post(server.url("/"), "x")).expect("an answer").status, 200);
        }
        assert_eq!(server.connections(), renewals);
        transport.renew();
    }
}

#[test]
fn a_request_under_way_goes_on_while_renew_is_called_again_and_again() {
    let ca = TestCa::new();
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let server = TestServer::https(&ca, move |request| {
        if request.number == 0 {
            let _ = released.lock().expect("no panic").recv();
        }
        Reply::status(200 + request.number as u16)
    });
    let transport = transport(&ca);
    thread::scope(|scope| {
        let under_way = scope.spawn(|| transport.send(post(server.url("/"), "x")));
        server.wait_for_requests(1);
        for _ in 0..100 {
            transport.renew();
        }
        assert_eq!(transport.send(post(server.url("/"), "x")).expect("an answer").status, 201);
        release.send(()).expect("the server waits");
        assert_eq!(under_way.join().expect("no panic").expect("an answer").status, 200);
    });
    assert_eq!(server.connections(), 2);
    // The old connection went with the old network.
    assert_eq!(transport.send(post(server.url("/"), "x")).expect("an answer").status, 202);
    assert_eq!(server.connections(), 2);
}
