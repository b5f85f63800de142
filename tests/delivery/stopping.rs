//! Stopping: nothing waits for itself, and when a call has returned, nothing of it goes on.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A phone whose transport does this when it is asked to cancel, and this when it is renewed.
fn calling(on_cancel: impl Fn() + Send + Sync + 'static, on_renew: impl Fn() + Send + Sync + 'static, real_time: bool) -> Field {
    let inner = ScriptedTransport::always(202);
    let calling = CallingTransport { inner: inner.clone(), on_cancel: Box::new(on_cancel), on_renew: Box::new(on_renew) };
    Field::with(inner, |options| {
        options.transport = Some(Arc::new(calling));
        if real_time {
            options.clock = Arc::new(SystemClock::default());
        }
    })
}

#[test]
fn a_transport_that_needs_the_core_to_cancel_does_not_stop_the_core() {
    for drops_hold in [false, true] {
        let handle: Arc<Mutex<Option<Compass>>> = Arc::default();
        let (needs, resumed) = (handle.clone(), Arc::new(Gate::default()));
        let counts = resumed.clone();
        // As one that goes to the main thread, where the app comes to the foreground just now.
        let cancels = move || {
            let compass = needs.lock().unwrap().take();
            if let Some(compass) = compass {
                let main = std::thread::spawn(move || {
                    std::mem::forget(compass.resume().unwrap());
                    compass.next_due().unwrap();
                });
                main.join().unwrap();
                counts.pass();
            }
        };
        let field = calling(cancels, || (), true);
        let hold = field.compass.resume().unwrap();
        field.complete();
        field.transport.hold("");
        field.compass.start_delivery().unwrap();
        field.transport.wait_for_requests(1);
        let compass = field.compass.clone();
        let testing = std::thread::spawn(move || compass.test_delivery(OFFICE).unwrap());
        field.transport.wait_for_requests(2);
        *handle.lock().unwrap() = Some(field.compass.clone());
        let compass = field.compass.clone();
        in_time("quiescing", WAIT_LIMIT, move || if drops_hold { drop(hold) } else { compass.quiesce().unwrap() });
        resumed.wait_for(1);
        field.transport.release();
        joined("the test delivery", testing);
        field.compass.close().unwrap();
    }
}

#[test]
fn a_transport_may_call_the_core_when_it_is_renewed() {
    let handle: Arc<Mutex<Option<Compass>>> = Arc::default();
    let needs = handle.clone();
    let renews = move || {
        let compass = needs.lock().unwrap().clone();
        if let Some(compass) = compass {
            drop(compass.resume().unwrap());
            compass.next_due().unwrap();
            compass.outbox_totals().unwrap();
        }
    };
    let field = calling(|| (), renews, true);
    let session = field.complete();
    *handle.lock().unwrap() = Some(field.compass.clone());
    let compass = field.compass.clone();
    let hold = in_time("coming back", WAIT_LIMIT, move || {
        compass.quiesce().unwrap();
        let hold = compass.resume().unwrap();
        compass.set_connectivity(Connectivity::Offline);
        compass.set_connectivity(ONLINE);
        hold
    });
    field.flush();
    assert!(is_sent(&field.compass, session));
    *handle.lock().unwrap() = None;
    drop(hold);
}

#[test]
fn a_transport_that_hangs_when_it_is_asked_to_cancel_keeps_nobody_waiting() {
    for ends in ["the flush", "quiescing", "closing"] {
        let gate = Gate::shut();
        let at = gate.clone();
        let field = calling(move || at.pass(), || (), true);
        field.complete();
        field.transport.hold("");
        let (compass, cancel) = (field.compass.clone(), CancelToken::new());
        let token = cancel.clone();
        let running = std::thread::spawn(move || compass.flush(2 * MINUTE, &token).map(|report| report.end));
        field.transport.wait_for_requests(1);
        let compass = field.compass.clone();
        in_time(ends, WAIT_LIMIT, move || match ends {
            "quiescing" => compass.quiesce().unwrap(),
            "closing" => compass.close().unwrap(),
            _ => cancel.cancel(),
        });
        drop(joined("the flush", running));
        assert_eq!(gate.came(), 1, "it is asked once at a time, however long it takes");
        gate.open();
        field.transport.release();
    }
}

#[test]
fn a_result_that_comes_when_nobody_waits_for_it_any_more_is_stored_at_once() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    let session = field.complete();
    field.transport.ignore_cancel();
    field.transport.hold("");
    let (compass, cancel) = (field.compass.clone(), CancelToken::new());
    let token = cancel.clone();
    let running = std::thread::spawn(move || compass.flush(2 * MINUTE, &token).unwrap());
    field.transport.wait_for_requests(1);
    cancel.cancel();
    assert_eq!(joined("the flush", running).sent, 0);
    let watch = Watch::on(&field.compass);
    field.transport.release();
    watch.until("it is sent", |compass| is_sent(compass, session));
}

#[test]
fn a_result_that_comes_after_quiescing_or_closing_does_not_touch_the_file() {
    for closes in [false, true] {
        let field = Field::in_real_time(ScriptedTransport::always(202));
        let session = field.complete();
        field.transport.ignore_cancel();
        field.transport.hold("");
        let running = {
            let compass = field.compass.clone();
            std::thread::spawn(move || compass.flush(2 * MINUTE, &CancelToken::new()).map(drop))
        };
        field.transport.wait_for_requests(1);
        if closes {
            field.compass.close().unwrap();
        } else {
            field.compass.quiesce().unwrap();
        }
        drop(joined("the flush", running));
        let file = sql(&field);
        let before = version(&file);
        field.transport.release();
        field.transport.wait_until_quiet();
        assert_eq!(version(&file), before, "closed: {closes}");
        if !closes {
            eventually("it is stored once that is allowed", || {
                drop(field.compass.resume().unwrap());
                is_sent(&field.compass, session)
            });
        }
    }
}

#[test]
fn a_flush_that_ends_after_quiescing_leaves_the_file_alone() {
    let field = Field::new(ScriptedTransport::always(202));
    field.complete();
    field.transport.hold("");
    let cancel = CancelToken::new();
    let mut flush = field.compass.flush_steps(MINUTE, &cancel, false).unwrap();
    steps_until_wait(&mut flush);
    field.transport.wait_for_requests(1);
    field.compass.quiesce().unwrap();
    // Nobody has the file open: this is rebuilt by a process that reads it.
    let shared_memory = &files(field.path())[2];
    std::fs::remove_file(shared_memory).unwrap();
    let report = loop {
        match flush.step() {
            StepOutcome::Again => {}
            StepOutcome::Wait { .. } => std::thread::yield_now(),
            StepOutcome::Done(report) => break report.unwrap().unwrap(),
        }
    };
    assert_eq!(report.end, FlushEnd::Quiesced);
    assert!(!shared_memory.exists(), "its report has opened the file");
    field.transport.release();
}

/// How often the file was written by others than this connection.
fn version(file: &rusqlite::Connection) -> i64 {
    file.pragma_query_value(None, "data_version", |row| row.get(0)).unwrap()
}

#[test]
fn a_late_answer_that_comes_while_another_one_is_stored_is_stored_too() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    register(&field, "lab");
    let (office, lab) = (field.complete(), complete_for(&field, "lab"));
    field.transport.hold("");
    field.transport.ignore_cancel();
    let cancel = CancelToken::new();
    let (compass, token) = (field.compass.clone(), cancel.clone());
    let running = std::thread::spawn(move || compass.flush(MINUTE, &token).unwrap());
    field.transport.wait_for_requests(2);
    cancel.cancel();
    joined("the flush", running);
    let gate = Gate::shut();
    let at = gate.clone();
    let me = std::thread::current().id();
    let _subscription = field.compass.observe(Arc::new(move |_| {
        if std::thread::current().id() != me {
            at.pass();
        }
    }));
    field.transport.hold(&url("lab"));
    // A request that is held looks again whether it is.
    field.transport.cancel(0);
    // The office's answer is stored, by the thread that brought it, which is kept by an observer.
    gate.wait_for(1);
    field.transport.release();
    field.transport.wait_until_quiet();
    gate.open();
    eventually("both are stored", || is_sent(&field.compass, office) && is_sent(&field.compass, lab));
}

/// Chance that lets somebody wait at a gate, the second time that it is asked for a fraction from now on.
struct GatedRandom {
    left: AtomicUsize,
    gate: Arc<Gate>,
}

impl Random for GatedRandom {
    fn bytes(&self) -> [u8; 16] {
        SystemRandom.bytes()
    }

    fn fraction(&self) -> f64 {
        if self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1)) == Ok(1) {
            self.gate.pass();
        }
        SystemRandom.fraction()
    }
}

#[test]
fn a_resume_that_is_under_way_when_the_handle_is_quiesced_writes_nothing() {
    let random = Arc::new(GatedRandom { left: AtomicUsize::new(0), gate: Gate::shut() });
    let field = Field::with(ScriptedTransport::always(202), |options| {
        options.clock = Arc::new(SystemClock::default());
        options.random = random.clone();
    });
    let session = field.complete();
    field.transport.ignore_cancel();
    let running = field.flush_held(&field.compass, "", 1);
    field.compass.quiesce().unwrap();
    joined("the flush", running);
    // An answer that nobody has written down yet.
    field.transport.release();
    field.transport.wait_until_quiet();
    // The thread that resumes takes the answer in, or the one that brings it where it comes only now. That draws once, and draws again when
    // the answer is about to be stored.
    random.left.store(2, Ordering::Release);
    let compass = field.compass.clone();
    let resuming = std::thread::spawn(move || compass.resume().unwrap());
    random.gate.wait_for(1);
    let compass = field.compass.clone();
    in_time("quiescing", WAIT_LIMIT, move || compass.quiesce().unwrap());
    let file = sql(&field);
    let before = version(&file);
    random.gate.open();
    drop(joined("resuming", resuming));
    // Waits for the thread that has the answer in hand.
    field.compass.quiesce().unwrap();
    assert_eq!(field.flush().end, FlushEnd::Quiesced);
    assert_eq!(version(&file), before, "not a page is written after quiescing");
    assert!(!is_sent(&field.compass, session));
    // The next one stores it; it waits for the file for a short time only.
    eventually("the answer is stored", || {
        drop(field.compass.resume().unwrap());
        is_sent(&field.compass, session)
    });
    assert_eq!(field.transport.requests().len(), 1);
}

#[test]
fn a_flush_is_back_before_its_deadline_while_another_process_writes() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    let session = field.complete();
    let other = sql(&field);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for seconds in [4, 2] {
        let deadline = Duration::from_secs(seconds);
        let began = Instant::now();
        let result = field.compass.flush(deadline, &CancelToken::new());
        assert!(began.elapsed() < deadline, "{seconds} s: {:?}, {result:?}", began.elapsed());
        assert!(matches!(result, Err(Error::Locked) | Ok(FlushReport { end: FlushEnd::Deadline, .. })), "{result:?}");
    }
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(field.flush().sent, 1);
    assert!(is_sent(&field.compass, session));
}

#[test]
fn a_flush_is_back_before_its_deadline_while_a_call_of_its_own_process_waits_for_the_file() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    field.complete();
    let other = sql(&field);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let compass = field.compass.clone();
    // It has the writer, and waits for the other process.
    let waits = std::thread::spawn(move || compass.set_integration_enabled(false).map_err(|error| error.code()));
    let deadline = Duration::from_secs(4);
    let began = Instant::now();
    let result = field.compass.flush(deadline, &CancelToken::new());
    assert!(began.elapsed() < deadline, "{:?}, {result:?}", began.elapsed());
    other.execute_batch("COMMIT").unwrap();
    joined("the other call", waits).ok();
}

#[test]
fn a_flush_is_back_before_its_deadline_when_the_file_is_taken_while_it_runs() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    let session = field.complete();
    field.transport.hold("");
    let compass = field.compass.clone();
    let deadline = Duration::from_secs(5);
    let running = std::thread::spawn(move || {
        let began = Instant::now();
        (compass.flush(deadline, &CancelToken::new()), began.elapsed())
    });
    field.transport.wait_for_requests(1);
    let other = sql(&field);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    field.transport.release();
    let (result, took) = joined("the flush", running);
    assert!(took < deadline, "{took:?}, {result:?}");
    other.execute_batch("COMMIT").unwrap();
    // What it brought was kept, and the next call writes it down.
    field.flush();
    assert!(is_sent(&field.compass, session));
    assert_eq!(field.transport.requests().len(), 1);
}

#[test]
fn quiescing_and_closing_end_a_call_that_waits_for_another_process() {
    for closes in [false, true] {
        let field = Field::in_real_time(ScriptedTransport::always(202));
        field.complete();
        let other = sql(&field);
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let running = {
            let compass = field.compass.clone();
            std::thread::spawn(move || compass.flush(2 * MINUTE, &CancelToken::new()).map_err(|error| error.code()))
        };
        let compass = field.compass.clone();
        let waits = std::thread::spawn(move || compass.set_integration_enabled(false).map_err(|error| error.code()));
        let began = Instant::now();
        if closes {
            field.compass.close().unwrap()
        } else {
            field.compass.quiesce().unwrap()
        }
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}: not for as long as the others wait", began.elapsed());
        let report = joined("the flush", running);
        assert!(matches!(&report, Ok(report) if report.end == FlushEnd::Quiesced) || report == Err("closed"), "{report:?}");
        joined("the command", waits).ok();
        other.execute_batch("COMMIT").unwrap();
    }
}

#[test]
fn sending_again_what_failed_writes_nothing_after_quiescing() {
    let field = Field::new(ScriptedTransport::always(422));
    // More than one transaction.
    field.backlog(150, OFFICE);
    field.flush();
    assert_eq!(field.compass.outbox_totals().unwrap().failed, 150);
    let gate = Gate::shut();
    let at = Arc::clone(&gate);
    let told = field.compass.observe(Arc::new(move |_| at.pass()));
    let compass = field.compass.clone();
    let running = std::thread::spawn(move || compass.send_failed_again(None).map_err(|error| error.code()));
    gate.wait_for(1);
    field.compass.quiesce().unwrap();
    let file = sql(&field);
    let before = version(&file);
    gate.open();
    assert_eq!(joined("sending again", running), Err("locked"), "and says that there is more");
    assert_eq!(version(&file), before);
    drop(told);
    // A call that begins now is carried out, also while the handle is quiesced.
    assert_eq!(field.compass.send_failed_again(None).unwrap(), 50);
}

#[test]
fn a_test_delivery_opens_nothing_after_quiescing() {
    /// A clock at which one thread waits.
    struct KeptAt(SystemClock, Mutex<Option<std::thread::ThreadId>>, Arc<Gate>);
    impl Clock for KeptAt {
        fn now(&self) -> Timestamp {
            if *self.1.lock().unwrap() == Some(std::thread::current().id()) {
                self.2.pass();
            }
            self.0.now()
        }
        fn monotonic(&self) -> Duration {
            self.0.monotonic()
        }
        fn utc_offset(&self, _at: Timestamp) -> i32 {
            0
        }
    }
    let gate = Gate::shut();
    let clock = Arc::new(KeptAt(SystemClock::default(), Mutex::default(), Arc::clone(&gate)));
    let given = Arc::clone(&clock);
    let field = Field::with(ScriptedTransport::always(202), move |options| options.clock = given);
    let compass = field.compass.clone();
    let testing = std::thread::spawn(move || {
        *clock.1.lock().unwrap() = Some(std::thread::current().id());
        compass.test_delivery(OFFICE).unwrap()
    });
    // It has read its endpoint.
    gate.wait_for(1);
    field.compass.quiesce().unwrap();
    let shared_memory = &files(field.path())[2];
    std::fs::remove_file(shared_memory).unwrap();
    gate.open();
    assert!(!joined("the test delivery", testing).delivered);
    assert!(!shared_memory.exists(), "it has opened the file");
}

#[test]
fn a_transport_that_needs_a_thread_which_closes_does_not_keep_it_for_ever() {
    let handle: Arc<Mutex<Option<Compass>>> = Arc::default();
    let (needs, closed) = (handle.clone(), Arc::new(Gate::default()));
    let counts = closed.clone();
    // As one that goes to the main thread, which closes the core just now.
    let cancels = move || {
        let compass = needs.lock().unwrap().take();
        if let Some(compass) = compass {
            std::thread::spawn(move || compass.close().unwrap()).join().unwrap();
            counts.pass();
        }
    };
    let field = calling(cancels, || (), true);
    field.transport.hold("");
    let compass = field.compass.clone();
    let testing = std::thread::spawn(move || compass.test_delivery(OFFICE).unwrap());
    field.transport.wait_for_requests(1);
    *handle.lock().unwrap() = Some(field.compass.clone());
    let compass = field.compass.clone();
    in_time("closing", WAIT_LIMIT, move || compass.close().unwrap());
    closed.wait_for(1);
    joined("the test delivery", testing);
    assert!(Compass::open(field.options.clone()).is_ok(), "the first call has closed the file");
}
