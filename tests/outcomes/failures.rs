//! Rows without a status line: decided by whether bytes of the request may have left, and whether the internet is known to be reached.

use std::any::Any;
use std::time::Duration;

use compass_core::model::{ActionStatus, Connectivity, FlushEnd};
use compass_core::transport::Timeouts;

use crate::ca;
use crate::expect::{Expect, each, offline, retry, slow};
use crate::phone::{SECRET, SHORT, Setup, http_date, server};
use crate::support::{BlackHole, Greeting, Head, Identity, Reply, Response, TestCa, TestServer, refused_url};

/// Where a message goes, and what has to live as long.
struct Site {
    url: String,
    server: Option<TestServer>,
    _alive: Box<dyn Any>,
}

impl From<TestServer> for Site {
    fn from(server: TestServer) -> Self {
        Self { url: server.url("/hook"), server: Some(server), _alive: Box::new(()) }
    }
}

impl From<String> for Site {
    fn from(url: String) -> Self {
        Self { url, server: None, _alive: Box::new(()) }
    }
}

struct Row {
    what: &'static str,
    site: fn() -> Site,
    /// What is made short, so that it runs out.
    hurry: fn(&mut Timeouts),
    /// Nothing is known of the internet.
    unknown_net: Expect,
    /// The platform has reached the internet.
    net_ok: Expect,
    /// How many requests the server reads.
    reads: usize,
}

/// A row in which nothing of the request leaves.
fn before(what: &'static str, site: fn() -> Site, unknown_net: Expect, net_ok: Expect) -> Row {
    Row { what, site, hurry: |_| (), unknown_net, net_ok, reads: 0 }
}

/// A row in which the request is read and no answer comes: the network is not the cause, no matter what is known of it.
fn after(what: &'static str, site: fn() -> Site, expect: &Expect) -> Row {
    Row { what, site, hurry: |_| (), unknown_net: expect.clone(), net_ok: expect.clone(), reads: 1 }
}

fn greets(greeting: Greeting) -> Site {
    TestServer::builder().tls(&ca().leaf()).on_connect(move |_| greeting).start().into()
}

fn shows(identity: &Identity) -> Site {
    TestServer::builder().tls(identity).start().into()
}

fn answers(reply: Reply) -> Site {
    server(reply).into()
}

fn run(row: &Row) {
    for (net_ok, expect) in [(false, &row.unknown_net), (true, &row.net_ok)] {
        let what = format!("{}, {}", row.what, if net_ok { "internet reached" } else { "internet unknown" });
        let site = (row.site)();
        let mut setup = Setup::default();
        (row.hurry)(&mut setup.timeouts);
        let phone = setup.phone();
        phone.net_ok(net_ok);
        phone.register("office", &site.url);
        let session = phone.complete("office");
        let report = phone.flush();
        expect.check(&what, &phone, session, &report, None);
        // What the platform says of the network counts more than one address that cannot be reached.
        assert_eq!(report.end, if expect.is_offline() && !net_ok { FlushEnd::Offline } else { FlushEnd::Drained }, "{what}");
        let Some(server) = site.server else { continue };
        let seen = server.requests();
        assert_eq!(seen.len(), row.reads, "{what}: requests");
        for request in &seen {
            phone.check_request(&what, request, session, 1, &[SECRET]);
        }
    }
}

#[test]
fn without_a_connection_it_is_the_network_or_the_receiver() {
    let no_network = || offline("offline");
    let connect_hurry = |row: Row| Row { hurry: |timeouts| timeouts.connect = SHORT, ..row };
    let hole = || {
        let hole = BlackHole::new();
        Site { url: hole.url(), server: None, _alive: Box::new(hole) }
    };
    let rows = [
        before("a name that does not resolve", || "https://does-not-exist.invalid/hook".to_owned().into(), offline("dns"), retry("dns")),
        before("refused", || refused_url().into(), offline("unreachable"), retry("unreachable")),
        // No system routes a connection to a group of hosts.
        before("no route", || "https://224.0.0.1/hook".to_owned().into(), no_network(), no_network()),
        connect_hurry(before("a connect that hangs", hole, no_network(), retry("unreachable").overloaded())),
        connect_hurry(before("TLS that hangs", || greets(Greeting::Hang), no_network(), retry("unreachable").overloaded())),
        before("closed before TLS", || greets(Greeting::Close), no_network(), retry("unreachable")),
        before("reset before TLS", || greets(Greeting::Reset), no_network(), retry("unreachable")),
    ];
    each(&rows, run);
}

#[test]
fn no_message_leaves_over_a_connection_that_is_not_secure() {
    // Nothing of the phone's own is the cause that a certificate would show, and still it may be a network in between.
    let in_between = || offline("tls");
    let rows = [
        before("self-signed", || shows(&Identity::self_signed()), in_between(), slow("tls")),
        before("expired", || shows(&ca().expired_leaf()), in_between(), slow("tls")),
        before("not yet valid", || shows(&ca().future_leaf()), in_between(), slow("tls")),
        before("another host", || shows(&ca().leaf_for("elsewhere.example")), in_between(), slow("tls")),
        before("unknown authority", || shows(&TestCa::new().leaf()), in_between(), slow("tls")),
        before("plain text", || greets(Greeting::PlainText), offline("captive_portal"), slow("tls")),
    ];
    each(&rows, run);
}

#[test]
fn once_bytes_have_left_the_receiver_may_have_the_message() {
    let broken = retry("timeout").unknown();
    let silent = retry("timeout").overloaded().unknown();
    let garbage = slow("protocol").unknown();
    let receive_hurry = |row: Row| Row { hurry: |timeouts| timeouts.receive = SHORT, ..row };
    let rows = [
        after("reset after the request", || answers(Reply::Reset), &broken),
        after("closed after the request", || answers(Reply::Close), &broken),
        receive_hurry(after("silence", || answers(Reply::Silence), &silent)),
        receive_hurry(after("a byte a second", || answers(Reply::slow_head(200, Duration::from_secs(1))), &silent)),
        receive_hurry(after("half a head, then silence", || answers(Reply::RawThenHold(b"HTTP/1.1 200 OK\r\nx-a".to_vec())), &silent)),
        after("a head that is cut off", || answers(Reply::truncated_head()), &garbage),
        after("no HTTP", || answers(Reply::garbage_head()), &garbage),
        after("a head without end", || answers(Reply::Raw([b"HTTP/1.1 200 OK\r\nx: ".as_slice(), &[b'y'; 64 * 1024]].concat())), &garbage),
        after("another version", || answers(Reply::Raw(b"HTTP/3.0 200 OK\r\n\r\n".to_vec())), &garbage),
        receive_hurry(Row {
            reads: 0,
            ..after("reads the head only", || TestServer::builder().tls(&ca().leaf()).on_head(|_| Head::NeverRead).start().into(), &silent)
        }),
    ];
    each(&rows, run);
}

#[test]
fn a_receiver_that_reads_too_slowly_may_have_the_message() {
    let heads = [Head::ReadSlowly { bytes: 16, pause: Duration::from_secs(1) }, Head::NeverRead];
    each(&heads, |head| {
        let head = head.clone();
        let server = TestServer::builder().tls(&ca().leaf()).small_window().on_head(move |_| head.clone()).start();
        let mut setup = Setup::default();
        setup.timeouts = Timeouts { send: SHORT, receive: SHORT, ..setup.timeouts };
        let phone = setup.phone();
        phone.register("office", &server.url("/hook"));
        // Far more than sockets take in.
        let session = phone.complete_with_body("office", 256 * 1024);
        let report = phone.flush();
        retry("timeout").overloaded().unknown().check("reads slowly", &phone, session, &report, None);
        assert!(server.requests().is_empty());
    });
}

#[test]
fn with_no_network_nothing_is_tried() {
    let server = server(Reply::status(200));
    let phone = Setup::steady().phone();
    phone.register("office", &server.url("/hook"));
    phone.compass.set_connectivity(Connectivity::Offline);
    let session = phone.complete("office");
    let report = phone.flush();
    assert_eq!((report.end, report.attempts, report.pending), (FlushEnd::Offline, 0, 1));
    assert_eq!(phone.status(session), (ActionStatus::Pending, Some("offline".to_owned())));
    assert_eq!((phone.delivery(session).attempts, server.connections()), (0, 0));
    phone.net_ok(true);
    assert_eq!(phone.flush().sent, 1);
    phone.check_request("online again", &server.requests()[0], session, 1, &[SECRET]);
}

#[test]
fn an_answer_of_the_last_minute_shows_that_there_is_internet() {
    let depot = server(Reply::status(200));
    for (age, expect) in [(60, retry("unreachable")), (61, offline("unreachable"))] {
        let phone = Setup::default().phone();
        phone.register("depot", &depot.url("/hook"));
        phone.register("office", &refused_url());
        phone.complete("depot");
        assert_eq!(phone.flush().sent, 1);
        phone.clock.advance(Duration::from_secs(age));
        let session = phone.complete("office");
        let report = phone.flush();
        expect.check(&format!("after {age} s"), &phone, session, &report, None);
    }
}

#[test]
fn an_expired_certificate_is_blamed_on_the_phones_clock_where_two_receivers_say_so() {
    // What the clocks of other endpoints have told, in minutes ahead of the phone's, and what an expired certificate then means. One whose
    // clock is wrong counts for nobody else; two that agree do, by the smaller of their words.
    let rows: [(&[i64], Expect); 6] = [
        (&[61], slow("tls")),
        (&[61, 62], offline("clock_skew")),
        (&[-61, -62], offline("clock_skew")),
        (&[59, 60], slow("tls")),
        (&[61, -61], slow("tls")),
        (&[61, 64], slow("tls")),
    ];
    each(&rows, |(minutes, expect)| {
        let office = TestServer::builder().tls(&ca().expired_leaf()).start();
        let phone = Setup::default().phone();
        phone.net_ok(true);
        let depots: Vec<TestServer> = minutes
            .iter()
            .map(|ahead| {
                let date = http_date(phone.now() + chrono::TimeDelta::minutes(*ahead));
                server(Reply::Respond(Response::new(200).header("date", date)))
            })
            .collect();
        for (number, depot) in depots.iter().enumerate() {
            phone.register(&format!("depot{number}"), &depot.url("/hook"));
            phone.complete(&format!("depot{number}"));
        }
        phone.register("office", &office.url("/hook"));
        assert_eq!(phone.flush().sent as usize, depots.len());
        // So long that their answers say nothing of the network any more.
        phone.clock.advance(Duration::from_secs(61));
        let session = phone.complete("office");
        let report = phone.flush();
        expect.check(&format!("{minutes:?} min"), &phone, session, &report, None);
    });
}
