//! Flush: cancelled, at its deadline, and from many threads at once.

use super::*;

#[test]
fn a_cancelled_flush_cancels_what_runs_and_releases_what_does_not() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    field.backlog(10, OFFICE);
    field.transport.hold("");
    let cancel = CancelToken::new();
    let running = flushing(&field.compass, &cancel);
    field.transport.wait_for_requests(2);
    cancel.cancel();
    let report = in_time("the flush", WAIT_LIMIT, move || running.join().unwrap());
    assert_eq!((report.end, report.attempts, report.sent, report.pending), (FlushEnd::Cancelled, 2, 0, 10));

    let begun: Vec<String> = field.transport.requests().iter().map(|request| header(request, "webhook-id")).collect();
    for item in field.messages(&[DeliveryState::Pending]) {
        let delivery = item.delivery;
        if begun.contains(&delivery.id.0) {
            assert_eq!((delivery.attempts, delivery.may_have_been_delivered), (1, true), "an unknown outcome stays on record");
            assert_eq!(delivery.last_attempts[0].outcome, "interrupted");
            assert!(!delivery.last_attempts[0].counted, "we cut it short ourselves");
        } else {
            assert_eq!((delivery.attempts, delivery.may_have_been_delivered), (0, false), "what did not start is as before");
        }
        assert_ne!(delivery.reason.as_deref(), Some("in_flight"));
    }
    assert_eq!(field.compass.endpoints().unwrap()[0].consecutive_failures, 0);

    field.transport.release();
    assert_eq!(field.flush().sent, 10, "all of it is due at once");
    let mut ids: Vec<String> = field.transport.requests()[2..].iter().map(|request| header(request, "webhook-id")).collect();
    assert!(begun.iter().all(|id| ids.contains(id)), "the same ids again");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 10);
}

#[test]
fn a_flush_with_a_token_that_is_cancelled_already_does_nothing() {
    let field = Field::new(ScriptedTransport::always(202));
    field.complete();
    let cancel = CancelToken::new();
    cancel.cancel();
    let report = field.compass.flush(WAIT_LIMIT, &cancel).unwrap();
    assert_eq!((report.end, report.attempts, report.pending), (FlushEnd::Cancelled, 0, 1));
}

#[test]
fn a_flush_returns_before_its_deadline_and_leaves_nothing_begun() {
    let field = Field::new(ScriptedTransport::always(202));
    field.backlog(10, OFFICE);
    for too_short in [0, 1, 2] {
        let report = field.compass.flush(Duration::from_secs(too_short), &CancelToken::new()).unwrap();
        assert_eq!((report.end, report.attempts, report.pending), (FlushEnd::Deadline, 0, 10), "{too_short} s is too little to begin");
    }
    // Time passes while the receiver says nothing.
    field.transport.hold("");
    let (compass, clock) = (field.compass.clone(), field.clock.clone());
    let running = std::thread::spawn(move || {
        let before = compass_core::port::Clock::monotonic(&*clock);
        let report = compass.flush(Duration::from_secs(25), &CancelToken::new()).unwrap();
        (report, compass_core::port::Clock::monotonic(&*clock) - before)
    });
    field.transport.wait_for_requests(2);
    assert!(field.transport.requests().iter().all(|request| request.timeout <= Duration::from_secs(24)), "no attempt outlasts the flush");
    field.clock.advance(Duration::from_millis(24_100));
    let (report, took) = in_time("the flush", WAIT_LIMIT, move || running.join().unwrap());
    assert_eq!((report.end, report.attempts, report.pending), (FlushEnd::Deadline, 2, 10));
    assert!(took < Duration::from_secs(25));
    for item in field.messages(&[DeliveryState::Pending]) {
        assert_ne!(item.delivery.reason.as_deref(), Some("in_flight"), "no lease is left");
        assert!(item.delivery.last_attempts.iter().all(|attempt| !attempt.counted));
    }
    field.transport.release();
    assert_eq!(field.flush().sent, 10);
}

#[test]
fn a_flush_in_real_time_ends_by_its_deadline_too() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    field.complete();
    field.transport.hold("");
    field.transport.ignore_cancel();
    let began = Instant::now();
    let report = field.compass.flush(Duration::from_millis(4_500), &CancelToken::new()).unwrap();
    assert!(began.elapsed() < TWO_SECONDS);
    assert_eq!((report.end, report.attempts), (FlushEnd::Deadline, 1));
    field.transport.release();
}

// Many threads ------------------------------------------------------------------------------------------------------------------------

#[test]
fn eight_threads_flush_and_work_at_once_and_nothing_is_sent_twice() {
    const EACH: usize = 12;
    let field = Field::in_real_time(ScriptedTransport::always(202));
    let compass = field.compass.clone();
    in_time("the work of eight threads", Duration::from_secs(60), move || {
        std::thread::scope(|scope| {
            for number in 0..8 {
                let compass = &compass;
                scope.spawn(move || {
                    for _ in 0..EACH {
                        let session = complete(compass, "visit");
                        match number % 4 {
                            0 => drop(compass.record(session).unwrap()),
                            1 => compass.start_delivery().unwrap(),
                            2 => drop(compass.next_due().unwrap()),
                            _ => compass.set_connectivity(ONLINE),
                        }
                        let report = flush(compass);
                        assert_eq!(report.end, FlushEnd::Drained);
                    }
                });
            }
        });
        Watch::on(&compass).until("all is sent", all_sent);
    });
    let mut ids: Vec<String> = field.transport.requests().iter().map(|request| header(request, "webhook-id")).collect();
    let sent = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((sent, ids.len()), (8 * EACH, 8 * EACH));
    assert!(field.transport.most_running() <= 4);
    assert!(field.compass.check().unwrap().faults.is_empty());
}

#[test]
fn quiescing_resuming_and_flushing_from_many_threads_loses_nothing() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    field.backlog(200, OFFICE);
    let compass = field.compass.clone();
    in_time("the work of six threads", Duration::from_secs(60), move || {
        std::thread::scope(|scope| {
            for number in 0..6 {
                let compass = &compass;
                scope.spawn(move || {
                    for _ in 0..15 {
                        match number % 3 {
                            0 => compass.quiesce().unwrap(),
                            1 => {
                                let hold = compass.resume().unwrap();
                                flush(compass);
                                drop(hold);
                            }
                            _ => drop(flush(compass)),
                        }
                    }
                });
            }
        });
    });
    let held = field.compass.resume().unwrap();
    eventually("all is sent", || {
        field.flush();
        all_sent(&field.compass)
    });
    drop(held);
    let unknown: usize = field
        .messages(&ALL_STATES)
        .iter()
        .map(|item| item.delivery.last_attempts.iter().filter(|attempt| attempt.may_have_been_delivered).count())
        .sum();
    assert!(field.transport.requests().len() <= 200 + unknown, "no copy without an unknown outcome");
    assert!(field.compass.check().unwrap().faults.is_empty());
}
