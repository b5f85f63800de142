//! Calls that have to be back by a moment, no matter what hangs and who has the file.

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
fn a_flush_that_is_cancelled_does_not_wait_for_another_process_that_writes() {
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
    // A call that waits for another process waits five seconds.
    assert!(found.iter().all(|(_, took, _)| *took < 4 * SECOND), "{found:#?}");
}
