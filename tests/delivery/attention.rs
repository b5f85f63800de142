//! An app is told once of each message that failed, or that waits for a person.

use super::*;

/// What observers of this phone were told that a person has to see: the reason, and whether the message failed.
fn told(field: &Field) -> (Arc<Mutex<Vec<Attention>>>, impl Sized + use<>) {
    let told: Arc<Mutex<Vec<Attention>>> = Arc::default();
    let heard = told.clone();
    let place = field.compass.observe(Arc::new(move |notice: &Notice| heard.lock().unwrap().extend(notice.attention.iter().cloned())));
    (told, place)
}

fn taken(told: &Mutex<Vec<Attention>>) -> Vec<(String, bool)> {
    std::mem::take(&mut *told.lock().unwrap()).into_iter().map(|attention| (attention.reason, attention.failed)).collect()
}

#[test]
fn a_message_that_failed_is_told_with_its_session_action_and_reason() {
    let (field, _) = phone(|_| Ok(answer(422)));
    let (told, _place) = told(&field);
    let session = field.complete();
    while field.action(session).status == ActionStatus::Pending {
        assert_eq!(told.lock().unwrap().as_slice(), []);
        field.flush();
        field.clock.advance(DAY);
    }
    let action = field.action(session);
    let expected = Attention {
        session,
        action: action.key,
        delivery_id: action.deliveries[0].id.clone(),
        endpoint: OFFICE.to_owned(),
        failed: true,
        reason: "rejected".to_owned(),
    };
    assert_eq!(std::mem::take(&mut *told.lock().unwrap()), [expected]);
    field.flush();
    assert_eq!(taken(&told), [], "it is told once");
    // And again when it was sent again and failed again.
    send_first(&field, session);
    while field.action(session).status == ActionStatus::Pending {
        field.flush();
        field.clock.advance(DAY);
    }
    assert_eq!(taken(&told), [("rejected".to_owned(), true)]);
}

#[test]
fn a_message_that_begins_to_wait_for_a_person_is_told_once() {
    let (field, receivers) = phone(|_| Ok(answer(202)));
    let (told, _place) = told(&field);
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    field.complete();
    for _ in 0..3 {
        field.flush();
        field.clock.advance(DAY);
    }
    assert_eq!(taken(&told), [("secret_missing".to_owned(), false)]);
    // It leaves by itself once the secret is there; what waits for time alone is nothing for a person.
    receivers.now(|_| Ok(answer(503)));
    field.secrets.set(SECRET_NAME, SECRET);
    field.compass.secrets_changed().unwrap();
    assert_eq!(field.flush().attempts, 1);
    receivers.take();
    field.clock.advance(DAY);
    assert_eq!((field.flush().sent, taken(&told)), (1, vec![]));
}

#[test]
fn a_receiver_that_cannot_be_reached_for_hours_is_told_once() {
    let (field, _) = phone(|_| Err(failure(FailureKind::Dns, Phase::Resolve, RequestSent::No)));
    let (told, _place) = told(&field);
    field.complete();
    let mut needed = Vec::new();
    for network in 1..=30 {
        field.compass.set_connectivity(Connectivity::Online { validated: None, metered: false, network: Some(network) });
        field.flush();
        needed.push(field.compass.outbox_totals().unwrap().needs_person > 0);
        assert_eq!(told.lock().unwrap().len(), usize::from(*needed.last().unwrap()), "with the totals");
        field.clock.advance(HOUR);
    }
    assert!(!needed[0] && needed[29]);
    assert_eq!(taken(&told), [("dns".to_owned(), false)]);
}

#[test]
fn a_message_that_waits_for_a_person_is_told_once_although_a_look_up_is_cut_short() {
    let store = SlowSecrets::new();
    let (field, _) = phone_with(|_| Ok(answer(202)), |options| options.secrets = store.clone());
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    let (told, _place) = told(&field);
    field.complete();
    field.flush();
    field.clock.advance(20 * MINUTE);
    store.gate.close();
    let (cancel, came) = (CancelToken::new(), store.gate.came());
    let (compass, token) = (field.compass.clone(), cancel.clone());
    let running = std::thread::spawn(move || compass.flush(MINUTE, &token).unwrap());
    store.gate.wait_for(came + 1);
    cancel.cancel();
    joined("the flush", running);
    store.gate.open();
    field.clock.advance(20 * MINUTE);
    field.flush();
    assert_eq!(field.compass.outbox_totals().unwrap().needs_person, 1);
    assert_eq!(taken(&told), [("secret_missing".to_owned(), false)]);
}
