//! Closing: what runs comes to an end, and what came late is kept.

use super::*;

#[test]
fn closing_ends_a_running_flush_and_the_worker() {
    for worker in [false, true] {
        let field = Field::in_real_time(ScriptedTransport::always(202));
        field.complete();
        field.transport.hold("");
        let running = if worker {
            field.compass.start_delivery().unwrap();
            None
        } else {
            Some(flushing(&field.compass, &CancelToken::new()))
        };
        field.transport.wait_for_requests(1);
        let compass = field.compass.clone();
        in_time("closing", WAIT_LIMIT, move || {
            let began = Instant::now();
            compass.close().unwrap();
            compass.close().unwrap();
            assert!(began.elapsed() < TWO_SECONDS, "took {:?}", began.elapsed());
        });
        if let Some(running) = running {
            assert_eq!(running.join().unwrap().end, FlushEnd::Quiesced);
        }
        assert!(matches!(field.compass.workflows(), Err(Error::Closed)));
        assert!(matches!(field.compass.flush(WAIT_LIMIT, &CancelToken::new()), Err(Error::Closed)));
        assert!(matches!(field.compass.start_delivery(), Err(Error::Closed)));
        assert!(matches!(field.compass.quiesce(), Err(Error::Closed)));
        assert!(matches!(field.compass.resume(), Err(Error::Closed)));
        assert!(matches!(field.compass.next_due(), Err(Error::Closed)));
        field.transport.release();
        let again = Compass::open(field.options.clone()).unwrap();
        assert_eq!(again.outbox_totals().unwrap().pending, 1, "nothing is lost");
        again.close().unwrap();
    }
}

/// A phone with an answer in memory that nobody has written down: it came after its flush had been told to stop.
fn with_a_late_answer() -> (Field, SessionKey) {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    let session = field.complete();
    field.transport.hold("");
    field.transport.ignore_cancel();
    let cancel = CancelToken::new();
    let running = flushing(&field.compass, &cancel);
    field.transport.wait_for_requests(1);
    cancel.cancel();
    assert_eq!(running.join().unwrap().end, FlushEnd::Cancelled);
    field.transport.release();
    field.transport.wait_until_quiet();
    // The thread that has the answer hands it over.
    #[cfg(target_os = "linux")]
    eventually("no attempt runs", || !threads().iter().any(|name| name == "compass-attempt"));
    (field, session)
}

#[test]
fn an_answer_that_came_too_late_for_a_flush_is_kept_when_the_handle_closes() {
    let (field, session) = with_a_late_answer();
    field.compass.close().unwrap();
    let again = Compass::open(field.options.clone()).unwrap();
    assert!(is_sent(&again, session), "it would be sent a second time");
}

#[test]
fn an_answer_that_came_too_late_for_a_flush_is_kept_when_the_handle_is_quiesced() {
    let (field, session) = with_a_late_answer();
    field.compass.quiesce().unwrap();
    assert!(is_sent(&field.compass, session), "a suspended process may be ended, and it would be sent a second time");
}

#[test]
fn closing_quiescing_and_resuming_do_not_wait_for_another_process() {
    type Call = fn(&Compass);
    // A call that may wait for another process waits for five seconds.
    let at_most = Duration::from_secs(4);
    let calls: [(&str, Call); 3] = [
        ("close", |compass| compass.close().unwrap()),
        ("quiesce", |compass| compass.quiesce().unwrap()),
        ("resume", |compass| std::mem::forget(compass.resume().unwrap())),
    ];
    for (name, call) in calls {
        let (field, session) = with_a_late_answer();
        let other = support::app::open_sql(field.path());
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        if name == "resume" {
            field.compass.quiesce().unwrap();
        }
        let began = Instant::now();
        call(&field.compass);
        assert!(began.elapsed() < at_most, "{name}: {:?}", began.elapsed());
        other.execute_batch("COMMIT").unwrap();
        if name == "resume" {
            // What could not be written down at once is not lost.
            field.flush();
            assert!(is_sent(&field.compass, session));
            assert_eq!(field.transport.requests().len(), 1);
        }
    }
    // The same with a worker in the middle of an attempt.
    let field = Field::in_real_time(ScriptedTransport::always(202));
    field.complete();
    field.transport.hold("");
    field.compass.start_delivery().unwrap();
    field.transport.wait_for_requests(1);
    let other = support::app::open_sql(field.path());
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = Instant::now();
    field.compass.close().unwrap();
    assert!(began.elapsed() < at_most, "{:?}", began.elapsed());
    other.execute_batch("COMMIT").unwrap();
}

#[test]
fn a_closed_handle_leaves_no_thread_behind_that_holds_a_port() {
    // Dropping a port calls foreign code, which may be gone by then. A race, so many times.
    for _ in 0..25 {
        let field = Field::new(ScriptedTransport::always(202));
        field.complete();
        assert_eq!(field.flush().sent, 1);
        let Field { compass, transport, options, folder: _folder, .. } = field;
        compass.close().unwrap();
        drop((compass, options));
        assert_eq!(Arc::strong_count(&transport), 1, "only this test holds the transport");
    }
}
