//! Faults of the disk, of foreign code and of rows.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::*;
use crate::crypto::base64_encode;
use crate::delivery::Step;
use crate::port::{FailureKind, Phase, RequestSent, SecretLookup, Secrets};
use crate::testing::{answer, failure};

#[test]
fn results_that_cannot_be_stored_are_kept_and_stored_later() {
    let phone = Phone::new(ScriptedTransport::always(202));
    let entries = phone.complete("office", 3);
    phone.write(|tx| {
        Ok(tx.execute_batch("CREATE TRIGGER refuse BEFORE UPDATE OF sent_at ON outbox BEGIN SELECT RAISE(ABORT, 'the disk fails'); END")?)
    });
    assert!(phone.delivery.flush(LONG, &CancelToken::new(), false).is_err());
    assert_eq!(phone.count("sent"), 0);
    let sent = phone.transport.requests().len();
    assert!(phone.delivery.flush(LONG, &CancelToken::new(), false).is_err());
    assert_eq!(phone.transport.requests().len(), sent, "nothing new begins while results cannot be stored");
    phone.write(|tx| Ok(tx.execute_batch("DROP TRIGGER refuse")?));
    phone.flush();
    assert_eq!(phone.count("sent"), 3);
    assert_eq!(phone.transport.requests().len(), 3, "nothing left twice");
    assert!(entries.iter().all(|id| phone.row(*id).unknown == 0));
}

#[test]
fn after_a_long_failure_a_result_is_stored_once_the_app_can_write_again() {
    let phone = Phone::new(ScriptedTransport::always(202));
    phone.complete("office", 1);
    let mut run = phone.delivery.begin_worker().unwrap();
    let next = |run: &mut _| loop {
        match phone.delivery.step(run) {
            Step::Again => {}
            step => return step,
        }
    };
    phone.transport.hold("");
    eventually("the request is on its way", || {
        next(&mut run);
        !phone.transport.requests().is_empty()
    });
    let other = rusqlite::Connection::open(phone.store.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    phone.transport.release();
    eventually("the result cannot be stored", || {
        next(&mut run);
        run.failures > 0
    });
    for _ in 0..12 {
        phone.delivery.database_failed(&mut run, StoreError::Full);
    }
    let wait = next(&mut run);
    assert!(matches!(wait, Step::Wait { at_most: Some(pause), .. } if pause > Duration::from_secs(30)), "the worker pauses: {wait:?}");
    let seen = run.seen;
    other.execute_batch("ROLLBACK").unwrap();
    phone.write(|tx| Ok(tx.execute("UPDATE meta SET revision = revision + 1", [])?));
    phone.delivery.database_works();
    assert_ne!(phone.delivery.shared.lock().events(), seen, "a worker that waits wakes up");
    next(&mut run);
    assert_eq!((phone.count("sent"), phone.transport.requests().len()), (1, 1));
    phone.delivery.stop();
}

#[test]
fn a_body_that_changed_on_disk_is_never_sent_and_stops_nobody() {
    let phone = Phone::new(ScriptedTransport::always(202));
    let entries = phone.complete("office", 3);
    phone.write(|tx| {
        tx.execute_batch("DROP TRIGGER body_is_frozen")?;
        Ok(tx.execute("UPDATE body SET bytes = x'00' WHERE sha256 = (SELECT body_sha256 FROM outbox WHERE id = ?1)", [entries[1]])?)
    });
    let report = phone.flush();
    assert_eq!((report.sent, report.failed), (2, 1));
    let row = phone.row(entries[1]);
    assert_eq!((row.says(), row.unknown), (("failed", Some("corrupt")), 0));
    assert_eq!(phone.transport.requests().len(), 2);
}

#[test]
fn a_transport_that_panics_is_a_failed_attempt() {
    let phone = Phone::new(ScriptedTransport::numbered(|number, _| {
        assert!(number != 1, "a bug of the transport");
        Ok(answer(202))
    }));
    let entries = phone.complete("office", 2);
    let report = phone.flush();
    assert_eq!((report.sent, report.retrying), (1, 1));
    let rows: Vec<Row> = entries.iter().map(|id| phone.row(*id)).collect();
    assert!(rows.iter().any(|row| row.state == "queued" && row.unknown == 1 && row.counted == 1));
    phone.clock.advance(Duration::from_secs(3600));
    assert_eq!(phone.flush().sent, 1);
}

struct BrokenSecrets(AtomicBool);

impl Secrets for BrokenSecrets {
    fn get(&self, _name: &str, _: &str) -> SecretLookup {
        assert!(super::super::is_foreign_call(), "ports can detect that they must not wait for delivery");
        assert!(!self.0.load(Ordering::Relaxed), "a bug of the keystore");
        SecretLookup::Unavailable
    }
}

#[test]
fn secrets_that_cannot_be_read_hold_messages_back() {
    for panics in [true, false] {
        let phone = Phone::new(ScriptedTransport::always(202));
        let ports = Ports {
            clock: phone.clock.clone(),
            random: Arc::new(crate::port::SystemRandom),
            secrets: Arc::new(BrokenSecrets(AtomicBool::new(panics))),
            transport: phone.transport.clone(),
            blocking: None,
        };
        let delivery = Delivery::new(phone.store.clone(), ports, Settings::default(), Arc::new(|_| {}));
        let id = phone.complete("office", 1)[0];
        delivery.flush(LONG, &CancelToken::new(), false).unwrap();
        assert_eq!(phone.row(id).says(), ("queued", Some("secret_unavailable")));
        assert!(phone.transport.requests().is_empty());
    }
}

#[test]
fn an_invalid_secret_holds_messages_back() {
    let phone = Phone::new(ScriptedTransport::always(202));
    phone.secrets.set("signing", &base64_encode(b"not a signing secret"));
    let id = phone.complete("office", 1)[0];
    phone.flush();
    assert_eq!(phone.row(id).says(), ("queued", Some("secret_invalid")));
    assert!(phone.transport.requests().is_empty());
}

#[test]
fn an_observer_may_call_back_and_may_even_panic() {
    let phone = Phone::new(ScriptedTransport::always(202));
    let calls = Arc::new(AtomicU64::new(0));
    let (seen, store) = (Arc::clone(&calls), Arc::clone(&phone.store));
    let ports = Ports {
        clock: phone.clock.clone(),
        random: Arc::new(crate::port::SystemRandom),
        secrets: phone.secrets.clone(),
        transport: phone.transport.clone(),
        blocking: None,
    };
    let notify = move |_| {
        assert!(super::super::is_foreign_call());
        store.write(meta::next_revision).unwrap();
        seen.fetch_add(1, Ordering::Relaxed);
        panic!("a bug of the app");
    };
    let delivery = Delivery::new(phone.store.clone(), ports, Settings::default(), Arc::new(notify));
    phone.complete("office", 1);
    assert_eq!(delivery.flush(LONG, &CancelToken::new(), false).unwrap().sent, 1);
    assert!(calls.load(Ordering::Relaxed) > 0);
    assert!(!super::super::is_foreign_call());
}

/// A network that loses requests and answers, and calls that are cancelled at random: everything arrives, and no
/// message more often than its attempts of unknown outcome explain.
#[test]
fn duplicates_are_never_more_than_unknown_outcomes_explain() {
    for seed in 0..8 {
        let accepted = Arc::new(Mutex::new(Vec::new()));
        let works = Arc::new(AtomicBool::new(false));
        let (log, works_now) = (Arc::clone(&accepted), Arc::clone(&works));
        let transport = ScriptedTransport::numbered(move |number, request| {
            let dice = Sha256::of(format!("{seed} {number}").as_bytes()).0[0];
            let lost = |sent| Err(failure(FailureKind::Closed, Phase::Receive, sent));
            let accept = || log.lock().unwrap().push(header(request, "webhook-id"));
            match dice % 8 {
                _ if works_now.load(Ordering::Relaxed) => accept(),
                0 => return lost(RequestSent::No),
                1 => return lost(RequestSent::Maybe),
                2 => {
                    accept();
                    return lost(RequestSent::Maybe);
                }
                3 => return Ok(answer(503)),
                _ => accept(),
            }
            Ok(answer(202))
        });
        let phone = Phone::new(transport);
        phone.complete("office", 40);
        let other = phone.second_handle(&phone.transport);
        for round in 0..60 {
            let cancel = CancelToken::new();
            std::thread::scope(|scope| {
                scope.spawn(|| other.flush(LONG, &cancel, false).unwrap());
                scope.spawn(|| phone.delivery.flush(LONG, &cancel, false).unwrap());
                if round % 3 == 0 {
                    cancel.cancel();
                }
            });
            phone.clock.advance(Duration::from_secs(1800));
        }
        works.store(true, Ordering::Relaxed);
        while phone.count("sent") < 40 {
            phone.clock.advance(Duration::from_secs(24 * 3600));
            phone.flush();
        }
        let accepted = accepted.lock().unwrap();
        phone.assert_duplicates_are_accounted_for(&accepted);
        let distinct: std::collections::BTreeSet<&String> = accepted.iter().collect();
        assert_eq!(distinct.len(), 40, "sent means accepted");
    }
}
