//! The built-in transport starts no thread per request. Alone in its binary, so that no other test's threads are counted.
#![cfg(feature = "built-in-transport")]
#![cfg(target_os = "linux")]

mod support;

use std::collections::HashSet;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use compass_core::port::{Transport, TransportRequest};
use compass_core::transport::{BuiltIn, BuiltInOptions};
use support::server::THREAD_NAME;
use support::{Reply, Response, TestCa, TestServer};

/// The threads of this process that are not the server's.
fn threads(seen: &mut HashSet<String>) {
    for task in fs::read_dir("/proc/self/task").expect("the list of threads").flatten() {
        let id = task.file_name().to_string_lossy().into_owned();
        if !seen.contains(&id) && fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim() != THREAD_NAME) {
            seen.insert(id);
        }
    }
}

struct SetWhenDropped<'a>(&'a AtomicBool);

impl Drop for SetWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_request_starts_no_thread() {
    let ca = TestCa::new();
    let server = TestServer::https(&ca, |request| match request.number % 50 {
        // Now and then a connection ends.
        49 => Reply::RespondThenClose(Response::new(200).header("connection", "close")),
        _ => Reply::status(200),
    });
    let options = BuiltInOptions { extra_roots: vec![ca.pem().into_bytes()], ..BuiltInOptions::default() };
    let transport = BuiltIn::new(options).expect("a good authority");
    let send = |id, host: &str| {
        let url = server.url_at(host, "/hook");
        transport.send(TransportRequest { id, url, headers: Vec::new(), body: b"{}".to_vec(), timeout: Duration::from_secs(30) })
    };

    // Everything that is started once is started now: the first connection, and a look-up.
    for host in ["localhost", "127.0.0.1"] {
        assert_eq!(send(0, host).expect("an answer").status, 200);
    }
    send(0, "does-not-exist.invalid").expect_err("no such host");

    let over = AtomicBool::new(false);
    let (before, after) = thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut seen = HashSet::new();
            threads(&mut seen);
            let before = seen.clone();
            while !over.load(Ordering::SeqCst) {
                threads(&mut seen);
            }
            (before, seen)
        });
        // Also when an assertion fails, or the wait for the watcher would not end.
        let watched = SetWhenDropped(&over);
        for id in 0..400 {
            let host = if id % 2 == 0 { "localhost" } else { "127.0.0.1" };
            assert_eq!(send(id, host).expect("an answer").status, 200);
        }
        for id in 0..20 {
            send(id, "does-not-exist.invalid").expect_err("no such host");
        }
        drop(watched);
        watcher.join().expect("no panic")
    });
    assert_eq!(server.requests().len(), 402);
    let started: Vec<_> = after.difference(&before).collect();
    // Four for look-ups and eight for connects may exist, and start as they are needed.
    assert!(started.len() <= 12, "a request starts no thread; {} were started", started.len());
}
