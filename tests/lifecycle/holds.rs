//! Holds and quiescing: when delivery is allowed, and what arrives while it is not.

use super::*;

#[test]
fn delivery_is_allowed_until_the_last_hold_is_released() {
    let field = Field::new(ScriptedTransport::always(202));
    field.complete();
    assert_eq!(field.flush().end, FlushEnd::Drained, "a handle opens with delivery allowed, whatever is held");
    let foreground = field.compass.resume().unwrap();
    let job = field.compass.resume().unwrap();
    drop(foreground);
    field.complete();
    assert_eq!(field.flush().sent, 1, "one hold is left");
    drop(job);
    field.complete();
    let report = field.flush();
    assert_eq!((report.end, report.attempts, report.pending), (FlushEnd::Quiesced, 0, 1));
    let again = field.compass.resume().unwrap();
    assert_eq!(field.flush().sent, 1);
    assert_eq!(field.transport.renewed(), 1, "connections of before a suspension are of no use");
    drop(again);
}

#[test]
fn quiescing_overrules_what_is_held_until_somebody_resumes() {
    let field = Field::new(ScriptedTransport::always(202));
    let held = field.compass.resume().unwrap();
    field.compass.quiesce().unwrap();
    field.compass.quiesce().unwrap();
    field.complete();
    assert_eq!(field.flush().end, FlushEnd::Quiesced);
    // A hold of before, released after, counts like any other.
    let job = field.compass.resume().unwrap();
    drop(held);
    assert_eq!(field.flush().sent, 1);
    drop(job);
    assert_eq!(field.flush().end, FlushEnd::Quiesced);
}

#[test]
fn commands_and_queries_work_while_quiesced() {
    let field = Field::new(ScriptedTransport::always(202));
    field.compass.quiesce().unwrap();
    let session = field.complete();
    assert_eq!(field.compass.session(session).unwrap().state, SessionState::Completed);
    assert_eq!(field.action(session).status, ActionStatus::Pending);
    assert_eq!(field.compass.outbox_totals().unwrap().pending, 1);
    assert!(field.compass.check().unwrap().faults.is_empty());
}

#[test]
fn delivery_that_is_asked_for_while_quiesced_waits_until_somebody_resumes() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    field.compass.quiesce().unwrap();
    let session = field.complete();
    field.compass.start_delivery().unwrap();
    let test = field.compass.test_delivery("office").unwrap();
    assert_eq!((test.delivered, test.outcome.as_str()), (false, "interrupted"));
    assert!(field.transport.requests().is_empty());
    let held = field.compass.resume().unwrap();
    eventually("the worker delivers", || is_sent(&field.compass, session));
    drop(held);
}

#[test]
fn quiescing_in_the_middle_of_an_attempt_returns_in_time() {
    for interruptible in [true, false] {
        let field = Field::in_real_time(ScriptedTransport::always(202));
        let session = field.complete();
        field.transport.hold("");
        if !interruptible {
            field.transport.ignore_cancel();
        }
        let running = flushing(&field.compass, &CancelToken::new());
        field.transport.wait_for_requests(1);
        let (compass, began) = (field.compass.clone(), Instant::now());
        in_time("quiescing", WAIT_LIMIT, move || compass.quiesce().unwrap());
        assert!(began.elapsed() < TWO_SECONDS, "took {:?}", began.elapsed());
        assert_eq!(running.join().unwrap().end, FlushEnd::Quiesced);
        assert!(!is_sent(&field.compass, session));
        if interruptible {
            // It was cancelled, and is told so; it counted nothing and may have arrived.
            let delivery = field.delivery(session);
            assert!(delivery.may_have_been_delivered);
            assert!(delivery.last_attempts.iter().all(|attempt| !attempt.counted));
        }
        field.transport.release();
    }
}

#[test]
fn what_arrives_while_quiesced_is_settled_when_resumed() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    let session = field.complete();
    field.transport.hold("");
    field.transport.ignore_cancel();
    let running = flushing(&field.compass, &CancelToken::new());
    field.transport.wait_for_requests(1);
    field.compass.quiesce().unwrap();
    running.join().unwrap();
    // Now the answer comes. Nobody flushes any more.
    field.transport.release();
    field.transport.wait_until_quiet();
    assert!(!is_sent(&field.compass, session), "nothing is written while quiesced");
    eventually("the answer is on record", || {
        let held = field.compass.resume().unwrap();
        let sent = is_sent(&field.compass, session);
        drop(held);
        sent
    });
    let delivery = field.delivery(session);
    assert_eq!((delivery.attempts, field.transport.requests().len()), (1, 1), "it was not sent twice");
    assert!(!delivery.may_have_been_delivered, "what became of it is known after all");
}

#[test]
fn a_notice_of_what_was_settled_late_may_call_the_core() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    let session = field.complete();
    field.transport.hold("");
    field.transport.ignore_cancel();
    let running = flushing(&field.compass, &CancelToken::new());
    field.transport.wait_for_requests(1);
    field.compass.quiesce().unwrap();
    running.join().unwrap();
    field.transport.release();
    field.transport.wait_until_quiet();

    let told = Arc::new(AtomicUsize::new(0));
    let (compass, count) = (field.compass.clone(), told.clone());
    let subscription = field.compass.observe(Arc::new(move |_| {
        // All that an app may do when it hears of something, holds included.
        drop(compass.resume().unwrap());
        compass.next_due().unwrap();
        count.fetch_add(1, Ordering::SeqCst);
    }));
    let compass = field.compass.clone();
    in_time("resuming", WAIT_LIMIT, move || {
        eventually("the answer is on record", || {
            drop(compass.resume().unwrap());
            is_sent(&compass, session)
        });
    });
    assert!(told.load(Ordering::SeqCst) > 0);
    drop(subscription);
}
