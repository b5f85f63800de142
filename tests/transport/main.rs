//! The built-in transport against a server that misbehaves: every outcome arrives as what it is.

#![cfg(feature = "built-in-transport")]

#[path = "../support/mod.rs"]
mod support;

mod failures;
mod names;
mod networks;
mod requests;

use std::io::Write;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use compass_core::port::{FailureKind, Header, Phase, RequestSent, Transport, TransportFailure, TransportRequest, TransportResponse};
use compass_core::transport::{BuiltIn, BuiltInOptions, Timeouts, TransportSetupError};
use support::{BlackHole, Greeting, Head, Identity, Reply, Response, TestCa, TestServer, refused_url};

const CERTIFICATE: FailureKind = FailureKind::Certificate { time_invalid: false };
const EXPIRED: FailureKind = FailureKind::Certificate { time_invalid: true };

/// For waits that a test means to run out.
const SHORT: Duration = Duration::from_millis(400);

/// So slow that a test which had to wait for the end would fail by its result long after.
const CRAWL: Duration = Duration::from_secs(1);

fn options(ca: &TestCa) -> BuiltInOptions {
    BuiltInOptions { extra_roots: vec![ca.pem().into_bytes()], ..BuiltInOptions::default() }
}

fn transport(ca: &TestCa) -> BuiltIn {
    BuiltIn::new(options(ca)).expect("a good authority")
}

fn transport_with(ca: &TestCa, timeouts: Timeouts) -> BuiltIn {
    BuiltIn::new(BuiltInOptions { timeouts, ..options(ca) }).expect("a good authority")
}

fn plain_transport() -> BuiltIn {
    BuiltIn::new(BuiltInOptions { allow_plain_http_to_loopback: true, ..BuiltInOptions::default() }).expect("no options that can be bad")
}

fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> TransportRequest {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    TransportRequest {
        id: NEXT.fetch_add(1, Ordering::Relaxed),
        url: url.into(),
        headers: vec![Header::new("content-type", "application/json"), Header::new("webhook-id", "msg_1")],
        body: body.into(),
        timeout: Duration::from_secs(30),
    }
}

fn within(mut request: TransportRequest, timeout: Duration) -> TransportRequest {
    request.timeout = timeout;
    request
}

/// Nothing that lasts this long ends by itself while a test waits.
const HOUR: Duration = Duration::from_secs(3600);

const HOURS: Timeouts = Timeouts { resolve: HOUR, connect: HOUR, send: HOUR, receive: HOUR, body: HOUR };

/// Sends on a thread of its own, and calls `meanwhile` again and again until it ends; panics if it does not.
#[track_caller]
fn send_patiently(
    transport: &Arc<BuiltIn>,
    request: TransportRequest,
    meanwhile: impl Fn(),
) -> Result<TransportResponse, TransportFailure> {
    let sending = transport.clone();
    let (done, outcome) = mpsc::channel();
    thread::spawn(move || done.send(sending.send(request)));
    (0..600)
        .find_map(|_| {
            meanwhile();
            outcome.recv_timeout(Duration::from_millis(50)).ok()
        })
        .expect("the attempt ends")
}

#[track_caller]
fn fails(result: Result<TransportResponse, TransportFailure>, kind: FailureKind, phase: Phase, sent: RequestSent) -> TransportFailure {
    let failure = result.expect_err("a failure");
    assert_eq!((failure.kind, failure.phase, failure.request_sent), (kind, phase, sent), "{failure:?}");
    failure
}

// What goes over the wire.
