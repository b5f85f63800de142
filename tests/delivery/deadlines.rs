//! Calls that have to be back by a moment, whatever hangs and whoever has the file.

use super::*;

/// In real time: requests that cannot be interrupted, secrets that hang, a renewal that hangs.
fn everything_hangs() -> (Field, Arc<Gate>, Arc<SlowSecrets>) {
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let given = secrets_store.clone();
    let inner = ScriptedTransport::always(202);
    let hangs = Gate::shut();
    let (on_cancel, on_renew) = (hangs.clone(), hangs.clone());
    let calling = CallingTransport {
        inner: inner.clone(),
        on_cancel: Box::new(move || on_cancel.pass()),
        on_renew: Box::new(move || on_renew.pass()),
    };
    let field = Field::with(inner, move |options| {
        options.clock = Arc::new(SystemClock::default());
        options.secrets = given;
        options.transport = Some(Arc::new(calling));
        options.retry.online_spread = Duration::ZERO;
    });
    field.compass.put_endpoint(&signed("bank", "https://bank.example/hook")).unwrap();
    secrets_store.gate.close();
    field.transport.hold("");
    field.transport.ignore_cancel();
    (field, hangs, secrets_store)
}

#[test]
fn quiescing_takes_two_seconds_whatever_hangs_together() {
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let given = secrets_store.clone();
    let inner = ScriptedTransport::always(202);
    let hangs = Gate::shut();
    let (on_cancel, on_renew) = (hangs.clone(), hangs.clone());
    let calling = CallingTransport {
        inner: inner.clone(),
        on_cancel: Box::new(move || on_cancel.pass()),
        on_renew: Box::new(move || on_renew.pass()),
    };
    let field = Field::with(inner, move |options| {
        options.clock = Arc::new(SystemClock::default());
        options.secrets = given;
        options.transport = Some(Arc::new(calling));
        options.retry.online_spread = Duration::ZERO;
    });
    field.compass.put_endpoint(&signed("bank", "https://bank.example/hook")).unwrap();
    complete_for(&field, "bank");
    field.complete();
    secrets_store.gate.close();
    field.transport.hold("");
    field.transport.ignore_cancel();
    field.compass.start_delivery().unwrap();
    secrets_store.gate.wait_for(1);
    field.transport.wait_for_requests(1);
    field.compass.set_connectivity(ONLINE);
    let writer = sql(&field);
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let compass = field.compass.clone();
    let flush = std::thread::spawn(move || compass.flush(20 * SECOND, &CancelToken::new()).map(|report| report.end));
    let began = Instant::now();
    field.compass.quiesce().unwrap();
    let took = began.elapsed();
    writer.execute_batch("ROLLBACK").unwrap();
    drop(writer);
    let open = descriptors(field.path()).len();
    let ended = joined("the flush", flush);
    let began = Instant::now();
    field.compass.close().unwrap();
    let closed = began.elapsed();
    hangs.open();
    secrets_store.gate.open();
    field.transport.release();
    assert!(
        took < Duration::from_millis(2_100) && closed < Duration::from_millis(2_100) && open == 0,
        "{took:?} {closed:?} {open} {ended:?}"
    );
}

#[test]
fn a_flush_is_back_before_its_deadline_whatever_hangs_together() {
    let mut found = Vec::new();
    for locked in [false, true] {
        for worker in [false, true] {
            for deadline in [1_300, 3_100] {
                let (field, hangs, secrets_store) = everything_hangs();
                complete_for(&field, "bank");
                field.complete();
                let gate = Gate::shut();
                let _told = worker.then(|| {
                    let at = gate.clone();
                    let told = field.compass.observe(Arc::new(move |_| {
                        if std::thread::current().name().is_some_and(|name| name == "compass-delivery") {
                            at.pass();
                        }
                    }));
                    field.compass.start_delivery().unwrap();
                    told
                });
                let writer = sql(&field);
                if locked {
                    std::thread::sleep(Duration::from_millis(100));
                    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
                }
                let deadline = Duration::from_millis(deadline);
                let began = Instant::now();
                let report = field.compass.flush(deadline, &CancelToken::new());
                let took = began.elapsed();
                found.push((locked, worker, deadline, took, report.map(|report| report.end)));
                if locked {
                    writer.execute_batch("ROLLBACK").unwrap();
                }
                gate.open();
                hangs.open();
                secrets_store.gate.open();
                field.transport.release();
            }
        }
    }
    assert!(found.iter().all(|(_, _, deadline, took, _)| took <= deadline), "{found:#?}");
}

#[test]
fn a_flush_that_is_cancelled_is_back_within_two_seconds_while_another_process_writes() {
    let mut found = Vec::new();
    for locked in [false, true] {
        let (field, hangs, secrets_store) = everything_hangs();
        complete_for(&field, "bank");
        field.complete();
        let cancel = CancelToken::new();
        let (compass, token) = (field.compass.clone(), cancel.clone());
        let running = std::thread::spawn(move || compass.flush(MINUTE, &token).map(|report| report.end));
        secrets_store.gate.wait_for(1);
        field.transport.wait_for_requests(1);
        let writer = sql(&field);
        if locked {
            writer.execute_batch("BEGIN IMMEDIATE").unwrap();
        }
        let began = Instant::now();
        cancel.cancel();
        let end = joined("the flush", running);
        found.push((locked, began.elapsed(), end));
        if locked {
            writer.execute_batch("ROLLBACK").unwrap();
        }
        hangs.open();
        secrets_store.gate.open();
        field.transport.release();
    }
    assert!(found.iter().all(|(_, took, _)| *took <= Duration::from_millis(2_050)), "{found:#?}");
}

#[test]
fn stopping_delivery_takes_two_seconds_while_another_process_writes() {
    let (field, hangs, secrets_store) = everything_hangs();
    complete_for(&field, "bank");
    field.complete();
    field.compass.start_delivery().unwrap();
    secrets_store.gate.wait_for(1);
    field.transport.wait_for_requests(1);
    let writer = sql(&field);
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = Instant::now();
    field.compass.stop_delivery().unwrap();
    let stopped = began.elapsed();
    let began = Instant::now();
    field.compass.close().unwrap();
    let closed = began.elapsed();
    writer.execute_batch("ROLLBACK").unwrap();
    hangs.open();
    secrets_store.gate.open();
    field.transport.release();
    assert!(stopped <= Duration::from_millis(2_100) && closed <= Duration::from_millis(2_100), "{stopped:?} {closed:?}");
}

#[test]
fn a_flush_that_is_cancelled_while_it_stores_a_result_is_back_within_two_seconds() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    register(&field, "lab");
    complete_for(&field, "lab");
    field.complete();
    field.transport.hold(OFFICE_URL);
    field.transport.ignore_cancel();
    let writer = sql(&field);
    let cancel = CancelToken::new();
    let (compass, token) = (field.compass.clone(), cancel.clone());
    let running = std::thread::spawn(move || compass.flush(MINUTE, &token).map(|report| report.end));
    field.transport.wait_for_requests(2);
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    // The answer of the lab is stored two seconds after it came.
    std::thread::sleep(Duration::from_millis(2_300));
    let began = Instant::now();
    cancel.cancel();
    let end = joined("the flush", running);
    let took = began.elapsed();
    writer.execute_batch("ROLLBACK").unwrap();
    field.transport.release();
    assert!(took <= Duration::from_millis(2_050), "{took:?} {end:?}");
}
