//! A queue that drains: at what cost, in what order, and past endpoints that do not work.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::model::{Connectivity, FlushEnd, NetworkNeed};
use crate::port::{FailureKind, Phase, RequestSent, Transport};
use crate::testing::{answer, failure};

#[test]
fn a_backlog_drains_with_one_commit_per_batch_and_its_claim() {
    let phone = Phone::new(ScriptedTransport::always(202));
    let entries = phone.complete("office", 320);
    let before = phone.store.commits();
    let report = phone.flush();
    assert_eq!((report.end, report.attempts, report.sent, report.pending), (FlushEnd::Drained, 320, 320, 0));
    let commits = phone.store.commits() - before;
    // A claim and a settlement for each batch at most, and a last settlement.
    assert!(commits <= 2 * 10 + 1, "{commits} commits for 320 messages");
    assert_eq!(ids(&phone.transport).iter().collect::<BTreeSet<_>>().len(), 320, "each left once");
    for id in entries {
        let row = phone.row(id);
        assert_eq!((row.says(), row.status.as_str()), (("sent", None), "sent"));
        assert_eq!((row.attempts, row.unknown), (1, 0));
        assert_eq!(phone.outcomes(id), ["sent"]);
    }
    assert!(phone.transport.most_running() <= 4, "one endpoint gets four at once at most");
}

#[test]
fn messages_start_in_the_order_in_which_they_were_frozen() {
    let phone = Phone::new(ScriptedTransport::always(202));
    let policy = RetryPolicy { in_flight_start: 1, in_flight_max: 1, ..RetryPolicy::default() };
    let phone = Phone::with_policy(phone.transport.clone(), policy);
    phone.complete("office", 70);
    phone.flush();
    let bodies: Vec<u64> = phone
        .transport
        .requests()
        .iter()
        .map(|request| serde_json::from_slice::<serde_json::Value>(&request.body).unwrap()["number"].as_u64().unwrap())
        .collect();
    assert_eq!(bodies.len(), 70);
    assert!(bodies.is_sorted());
}

#[test]
fn nothing_to_do_costs_no_commit() {
    let phone = Phone::new(ScriptedTransport::always(202));
    let before = phone.store.commits();
    assert_eq!(phone.flush().end, FlushEnd::Drained);
    assert_eq!(phone.store.commits(), before);
    phone.write(|tx| endpoint::disable(tx, "office", "by_app"));
    phone.complete("office", 3);
    let before = phone.store.commits();
    let report = phone.flush();
    assert_eq!((report.end, report.pending), (FlushEnd::Drained, 3));
    assert_eq!(phone.store.commits(), before);
}

#[test]
fn an_endpoint_that_never_answers_does_not_delay_another() {
    let phone = Phone::new(ScriptedTransport::always(202));
    phone.register("dead");
    let dead = phone.complete("dead", 40);
    let alive = phone.complete("office", 100);
    phone.transport.hold(&url("dead"));
    let cancel = CancelToken::new();
    std::thread::scope(|scope| {
        let _end = CancelAtEnd(cancel.clone());
        let flush = scope.spawn(|| phone.delivery.flush(LONG, &cancel, false).unwrap());
        phone.transport.wait_for_requests(100 + 2);
        phone.transport.wait_until_running(2);
        // The last ones are not a full group: they are stored once the first of them has waited long enough, whenever it has come in.
        eventually("all of the other endpoint's", || {
            phone.clock.advance(Duration::from_millis(20));
            phone.count("sent") == 100
        });
        cancel.cancel();
        assert_eq!(flush.join().unwrap().end, FlushEnd::Cancelled);
    });
    assert!(alive.iter().all(|id| phone.row(*id).state == "sent"));
    let begun: Vec<i64> = dead.iter().map(|id| phone.row(*id).attempts).collect();
    assert_eq!(begun.iter().sum::<i64>(), 2, "what did not start is as if it had never been claimed");
    assert!(dead.iter().all(|id| phone.row(*id).state == "queued"));
}

#[test]
fn a_failing_endpoint_gets_half_of_the_places_at_most() {
    let policy = RetryPolicy { in_flight_start: 8, in_flight_max: 8, ..RetryPolicy::default() };
    let phone = Phone::with_policy(ScriptedTransport::always(202), policy);
    phone.complete("office", 20);
    phone.write(|tx| Ok(tx.execute("UPDATE endpoint SET consecutive_failures = 1", [])?));
    phone.transport.hold("");
    let cancel = CancelToken::new();
    std::thread::scope(|scope| {
        let _end = CancelAtEnd(cancel.clone());
        let flush = scope.spawn(|| phone.delivery.flush(LONG, &cancel, false).unwrap());
        phone.transport.wait_for_requests(4);
        cancel.cancel();
        flush.join().unwrap();
    });
    assert_eq!(phone.transport.most_running(), 4);
}

#[test]
fn attempts_at_once_grow_with_deliveries() {
    let phone = Phone::new(ScriptedTransport::always(202));
    phone.complete("office", 64);
    phone.flush();
    assert_eq!(phone.endpoint("office").delivery.in_flight_limit, 4);
}

#[test]
fn without_a_network_each_endpoint_is_tried_once_and_the_backlog_stays_fresh() {
    let offline = ScriptedTransport::new(|_| Err(failure(FailureKind::NoNetwork, Phase::Connect, RequestSent::No)));
    let phone = Phone::new(offline);
    let entries = phone.complete("office", 500);
    let report = phone.flush();
    assert_eq!((report.end, report.pending), (FlushEnd::Offline, 500));
    assert!(report.attempts <= 4, "{} attempts", report.attempts);
    assert!(entries.iter().all(|id| phone.row(*id).counted == 0 && phone.row(*id).unknown == 0));
    let next = phone.delivery.next_due().unwrap();
    assert_eq!(next.when_online, Some(NetworkNeed::Any));
    assert!(next.at.unwrap() > phone.clock.now(), "no reason to come back at once");
}

#[test]
fn sixty_days_without_signal_cost_nothing() {
    let network = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let there = Arc::clone(&network);
    let phone = Phone::new(ScriptedTransport::new(move |_| {
        if there.load(Ordering::Relaxed) { Ok(answer(202)) } else { Err(failure(FailureKind::Dns, Phase::Resolve, RequestSent::No)) }
    }));
    let entries = phone.complete("office", 60);
    for _ in 0..60 * 4 {
        phone.flush();
        phone.clock.advance(Duration::from_secs(6 * 3600));
    }
    for id in &entries {
        let row = phone.row(*id);
        assert_eq!((row.state.as_str(), row.counted, row.slow_counted, row.unknown), ("queued", 0, 0, 0));
    }
    assert_eq!(phone.endpoint("office").delivery.consecutive_failures, 0);
    network.store(true, Ordering::Relaxed);
    phone.delivery.set_connectivity(Connectivity::Online { validated: Some(true), metered: false, network: None });
    assert_eq!(phone.flush().sent, 60);
}

#[test]
fn known_to_be_offline_nothing_is_tried() {
    let phone = Phone::new(ScriptedTransport::always(202));
    phone.complete("office", 2);
    phone.delivery.set_connectivity(Connectivity::Offline);
    assert_eq!(phone.flush().end, FlushEnd::Offline);
    assert!(phone.transport.requests().is_empty());
    let next = phone.delivery.next_due().unwrap();
    assert_eq!((next.at, next.when_online), (None, Some(NetworkNeed::Any)));
    phone.delivery.set_connectivity(Connectivity::Online { validated: None, metered: true, network: None });
    assert_eq!(phone.flush().sent, 2);
}

#[test]
fn a_metered_network_does_not_carry_messages_that_need_a_free_one() {
    let phone = Phone::new(ScriptedTransport::always(202));
    phone.register_as(&Endpoint { network: NetworkPolicy::Unmetered, ..endpoint("photos") });
    phone.complete("photos", 1);
    phone.delivery.set_connectivity(Connectivity::Online { validated: Some(true), metered: true, network: None });
    assert_eq!(phone.flush().pending, 1);
    let next = phone.delivery.next_due().unwrap();
    assert_eq!((next.at, next.at_needs_unmetered, next.when_online), (None, None, Some(NetworkNeed::Unmetered)));
    phone.delivery.set_connectivity(Connectivity::Online { validated: Some(true), metered: false, network: None });
    assert_eq!(phone.delivery.next_due().unwrap().at_needs_unmetered, Some(phone.clock.now()));
    assert_eq!(phone.flush().sent, 1);
}

#[test]
fn the_worker_drains_when_the_network_comes_without_further_calls() {
    let phone = Phone::with_policy(ScriptedTransport::always(202), RetryPolicy { online_spread: Duration::ZERO, ..RetryPolicy::default() });
    phone.complete("office", 50);
    phone.delivery.set_connectivity(Connectivity::Offline);
    phone.delivery.start();
    phone.delivery.start();
    assert!(phone.transport.requests().is_empty());
    phone.delivery.set_connectivity(Connectivity::Online { validated: Some(true), metered: false, network: None });
    eventually("an empty queue", || phone.count("sent") == 50);
    let more = phone.complete("office", 1);
    phone.delivery.look();
    eventually("the new message", || phone.row(more[0]).state == "sent");
    phone.delivery.stop();
    phone.delivery.stop();
    phone.complete("office", 1);
    phone.delivery.look();
    assert_eq!(phone.flush().sent, 1, "nobody else took it");
}

#[test]
fn eight_threads_that_flush_at_once_send_everything_once() {
    let phone = Phone::new(ScriptedTransport::always(202));
    phone.complete("office", 200);
    let sent: u32 = std::thread::scope(|scope| {
        let flushes: Vec<_> = (0..8).map(|_| scope.spawn(|| phone.flush())).collect();
        flushes.into_iter().map(|flush| flush.join().unwrap().sent).sum()
    });
    assert_eq!((sent, phone.count("sent")), (200, 200));
    assert_eq!(phone.transport.requests().len(), 200);
}

#[test]
fn a_flush_beside_the_worker_returns_and_the_worker_goes_on() {
    let phone = Phone::new(ScriptedTransport::always(202));
    phone.complete("office", 30);
    phone.transport.hold("");
    phone.delivery.start();
    phone.transport.wait_for_requests(1);
    let cancel = CancelToken::new();
    std::thread::scope(|scope| {
        let _end = CancelAtEnd(cancel.clone());
        let flush = scope.spawn(|| phone.delivery.flush(LONG, &cancel, false).unwrap());
        cancel.cancel();
        assert_eq!(flush.join().unwrap().end, FlushEnd::Cancelled);
    });
    phone.transport.release();
    eventually("an empty queue", || phone.count("sent") == 30);
    assert_eq!(phone.transport.requests().len(), 30);
}

#[test]
fn two_handles_never_hold_the_same_entry() {
    let phone = Phone::new(ScriptedTransport::always(202));
    phone.complete("office", 200);
    let other = phone.second_handle(&phone.transport);
    let sent: u32 = std::thread::scope(|scope| {
        let second = scope.spawn(|| other.flush(LONG, &CancelToken::new(), false).unwrap().sent);
        let first = phone.flush().sent;
        first + second.join().unwrap()
    });
    assert_eq!(phone.transport.requests().len(), 200);
    assert_eq!((sent, phone.count("sent")), (200, 200));
}

#[test]
fn observers_are_notified_of_each_session_after_it_is_on_disk() {
    let phone = Phone::new(ScriptedTransport::always(202));
    phone.complete("office", 3);
    phone.flush();
    let notices = phone.notices.lock().unwrap();
    let sessions: BTreeSet<_> = notices.iter().flat_map(|notice| notice.sessions.iter()).collect();
    assert_eq!(sessions.len(), 3);
    assert!(notices.iter().all(|notice| notice.outbox && notice.revision > 0));
}

#[test]
fn a_test_delivery_is_signed_and_leaves_nothing_behind() {
    let phone = Phone::new(ScriptedTransport::always(204));
    let before = phone.store.commits();
    let result = phone.delivery.test_send(&endpoint("office"), String::new(), 0, b"{}");
    assert!(result.delivered);
    assert_eq!((result.status, result.outcome.as_str()), (Some(204), "sent"));
    assert!(header(&phone.transport.requests()[0], "webhook-signature").starts_with("v1,"));
    phone.secrets.remove("signing");
    let result = phone.delivery.test_send(&endpoint("office"), String::new(), 0, b"{}");
    assert_eq!((result.delivered, result.outcome.as_str()), (false, "secret_missing"));
    assert_eq!(phone.transport.requests().len(), 1);
    assert_eq!(phone.store.commits(), before);
    phone.transport.cancel(0);
}

#[test]
fn an_attempt_that_a_transport_never_ends_does_not_keep_its_message_for_ever() {
    let phone = Phone::new(ScriptedTransport::always(202));
    let id = phone.complete("office", 1)[0];
    phone.transport.ignore_cancel();
    phone.transport.hold("");
    phone.delivery.start();
    phone.transport.wait_for_requests(1);
    phone.clock.advance(Duration::from_secs(61));
    phone.delivery.look();
    phone.transport.wait_for_requests(2);
    phone.transport.release();
    eventually("the message", || phone.row(id).state == "sent");
    phone.delivery.stop();
    phone.assert_duplicates_are_accounted_for(&ids(&phone.transport));
}
