//! Calls from inside a callback or a port: refused where they would wait for themselves, harmless elsewhere.

use super::*;

/// What an app must not do from inside a callback, and what comes of it.
fn refusals(compass: &Compass) -> Vec<&'static str> {
    let code = |result: Result<(), Error>| result.map_or_else(|error| error.code(), |()| "done");
    vec![
        code(compass.flush(WAIT_LIMIT, &CancelToken::new()).map(drop)),
        code(compass.quiesce()),
        code(compass.close()),
        code(compass.stop_delivery()),
        code(compass.test_delivery(OFFICE).map(drop)),
    ]
}

/// Calls the core back from wherever the core calls it.
#[derive(Default)]
struct Meddler {
    compass: OnceLock<Compass>,
    heard: Mutex<Vec<Vec<&'static str>>>,
}

impl Meddler {
    fn meddle(&self) {
        let Some(compass) = self.compass.get() else { return };
        self.heard.lock().unwrap().push(refusals(compass));
        // What is allowed, works.
        compass.outbox_totals().unwrap();
        compass.next_due().unwrap();
        compass.set_connectivity(ONLINE);
    }
}

impl Secrets for Meddler {
    fn get(&self, _: &str, _: &str) -> SecretLookup {
        self.meddle();
        SecretLookup::Found { current: compass_core::port::SecretValue::new(SECRET.to_owned()), previous: None }
    }
}

impl Transport for Meddler {
    fn send(&self, _request: TransportRequest) -> Result<TransportResponse, TransportFailure> {
        self.meddle();
        Ok(answer(202))
    }

    fn cancel(&self, _id: u64) {}
}

#[test]
fn waiting_for_delivery_from_inside_a_callback_is_refused() {
    let [in_transport, in_secrets, in_observer]: [Arc<Meddler>; 3] = Default::default();
    let (transport, secrets) = (in_transport.clone(), in_secrets.clone());
    let field = Field::with(ScriptedTransport::always(202), |options| {
        options.transport = Some(transport);
        options.secrets = secrets;
    });
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    for meddler in [&in_transport, &in_secrets, &in_observer] {
        meddler.compass.set(field.compass.clone()).unwrap();
    }
    let observer = in_observer.clone();
    let subscription = field.compass.observe(Arc::new(move |_| observer.meddle()));
    let compass = field.compass.clone();
    let session = in_time("a flush with callbacks", WAIT_LIMIT, move || {
        let session = complete(&compass, "visit");
        assert_eq!(flush(&compass).sent, 1);
        session
    });
    assert!(is_sent(&field.compass, session));
    drop(subscription);
    for (place, meddler) in [("transport", in_transport), ("secrets", in_secrets), ("observer", in_observer)] {
        let heard = meddler.heard.lock().unwrap();
        assert!(!heard.is_empty(), "{place}");
        assert!(heard.iter().all(|codes| *codes == ["reentrant"; 5]), "{place}: {heard:?}");
    }
}

#[test]
fn an_observer_may_release_the_last_hold() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    let hold = Mutex::new(Some(field.compass.resume().unwrap()));
    let subscription = field.compass.observe(Arc::new(move |notice| {
        if notice.outbox {
            drop(hold.lock().unwrap().take());
        }
    }));
    field.compass.start_delivery().unwrap();
    let compass = field.compass.clone();
    in_time("completing", WAIT_LIMIT, move || complete(&compass, "visit"));
    let compass = field.compass.clone();
    assert_eq!(in_time("a flush", WAIT_LIMIT, move || flush(&compass)).end, FlushEnd::Quiesced);
    drop(subscription);
}

#[test]
fn dropping_the_last_handle_inside_an_observer_does_no_harm() {
    let Field { compass, options, transport, folder, .. } = Field::in_real_time(ScriptedTransport::always(202));
    let session = complete(&compass, "visit");
    let last: Arc<Mutex<Option<Compass>>> = Arc::default();
    let (slot, dropped) = (last.clone(), Arc::new(AtomicUsize::new(0)));
    let count = dropped.clone();
    // Told by the worker, once the message is sent.
    let subscription = compass.observe(Arc::new(move |_| {
        if let Some(handle) = slot.lock().unwrap().take() {
            drop(handle);
            count.fetch_add(1, Ordering::SeqCst);
        }
    }));
    transport.hold("");
    compass.start_delivery().unwrap();
    transport.wait_for_requests(1);
    *last.lock().unwrap() = Some(compass);
    transport.release();
    eventually("the observer has dropped it", || dropped.load(Ordering::SeqCst) == 1);
    drop(subscription);
    let mut again = None;
    eventually("the file can be opened again", || {
        again = again.take().or_else(|| Compass::open(options.clone()).ok());
        again.is_some()
    });
    let again = again.unwrap();
    assert!(is_sent(&again, session));
    drop((again, folder));
}
