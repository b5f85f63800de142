//! Probes of what delivery promises.

use compass_core::RestoreOptions;

use super::*;

fn urgent(field: &Field) -> FlushReport {
    field.compass.flush_urgent(MINUTE, &CancelToken::new()).unwrap()
}

#[test]
fn a_correction_waits_for_what_is_in_the_air() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.transport.hold("");
    let running = flushing(&field.compass);
    field.transport.wait_for_requests(1);
    abandon_first(&field, session);
    let change = support::app::set("reading", FieldValue::Text("18.5".into()));
    field.compass.edit(session, Some("anna"), vec![change], vec![], &id()).unwrap();
    let key = field.action(session).key;
    field.compass.send_corrected(session, &key, Some("anna"), &id()).unwrap();
    let other = Compass::open(field.options.clone().as_other_process()).unwrap();
    let came = requests_of_a_flush(&field, &other, 2);
    field.transport.release();
    joined("the flush", running);
    other.close().unwrap();
    assert_eq!(came, 1, "the first revision is in the air");
}

/// Real threads: two processes on one file, one that abandons and sends again all the time. No id is in the air twice.
#[test]
fn no_id_is_in_the_air_twice_however_often_it_is_given_up_and_sent_again() {
    let flying: Arc<Mutex<std::collections::BTreeMap<String, usize>>> = Arc::default();
    let most = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (now, peak) = (flying.clone(), most.clone());
    let transport = ScriptedTransport::new(move |request| {
        let id = header(request, "webhook-id");
        let count = {
            let mut flying = now.lock().unwrap();
            let count = flying.entry(id.clone()).or_default();
            *count += 1;
            *count
        };
        peak.fetch_max(count, std::sync::atomic::Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(7));
        *now.lock().unwrap().get_mut(&id).unwrap() -= 1;
        Ok(answer(500))
    });
    let field = Field::in_real_time(transport);
    let sessions: Vec<SessionKey> = (0..6).map(|_| field.complete()).collect();
    let other = Compass::open(field.options.clone().as_other_process()).unwrap();
    field.compass.start_delivery().unwrap();
    other.start_delivery().unwrap();
    let end = Instant::now() + Duration::from_secs(8);
    let mut turn = 0;
    while Instant::now() < end {
        turn += 1;
        for (index, session) in sessions.iter().enumerate() {
            let compass = if (turn + index) % 2 == 0 { &field.compass } else { &other };
            let _ = compass.abandon(*session, "tell-0", "anna", "paper", &id());
            let compass = if (turn + index) % 3 == 0 { &field.compass } else { &other };
            let _ = compass.send(*session, "tell-0", Some("anna"), &id());
            if turn % 5 == 0 {
                let _ = field.compass.set_endpoint_enabled(OFFICE, false);
                let _ = other.set_endpoint_enabled(OFFICE, true);
            }
        }
        field.compass.refresh().unwrap();
        other.refresh().unwrap();
    }
    let requests = field.transport.requests().len();
    let faults = field.compass.check().unwrap().faults;
    field.compass.stop_delivery().unwrap();
    other.close().unwrap();
    assert_eq!((most.load(std::sync::atomic::Ordering::SeqCst), faults), (1, vec![]), "{requests} requests in {turn} turns");
    assert!(requests > 20, "{requests} requests in {turn} turns");
}

#[test]
fn an_observer_that_takes_its_time_does_not_keep_the_worker_from_what_another_process_committed() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let other = Compass::open(field.options.clone().as_other_process()).unwrap();
    let mut worker = field.compass.delivery_steps().unwrap().unwrap();
    steps_until_wait(&mut worker);
    complete(&other, "visit");
    let gate = Gate::shut();
    let keeps = gate.clone();
    let _subscription = field.compass.observe(Arc::new(move |_| keeps.pass()));
    let compass = field.compass.clone();
    let refreshing = std::thread::spawn(move || compass.refresh().unwrap());
    gate.wait_for(1);
    let is_woken = worker.is_woken();
    gate.open();
    joined("the refresh", refreshing);
    assert!(is_woken, "the observer keeps the worker");
    drop(worker);
    other.close().unwrap();
}
