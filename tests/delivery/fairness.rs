//! Fairness: what fails takes no turn of what does not, and what has waited longest gets one all the same.

use super::*;

/// Takes everything but what is in this list, which it answers 500 for ever.
fn all_but(poison: &Arc<Mutex<BTreeSet<String>>>) -> impl Fn(&TransportRequest) -> Answer + Send + Sync + 'static {
    let poison = poison.clone();
    move |request| Ok(answer(if poison.lock().unwrap().contains(&header(request, "webhook-id")) { 500 } else { 202 }))
}

/// Goes on to the next moment at which something is due, but no further than this.
fn go_on(field: &Field, until: Timestamp) {
    let due = field.next_due();
    let at = due.at.filter(|at| *at < until).unwrap_or(until);
    field.advance_to(at.max(field.now()));
    field.flush();
}

#[test]
fn twenty_messages_that_always_fail_delay_no_new_one() {
    let poison = Arc::default();
    let (field, _) = phone(all_but(&poison));
    field.backlog(20, OFFICE);
    poison.lock().unwrap().extend(field.messages(&ALL_STATES).into_iter().map(|item| item.delivery.id.0));
    // Two days of use, and a night without signal.
    let end = field.now() + TimeDelta::days(2);
    while field.now() < end {
        go_on(&field, end);
    }
    assert!(status(&field, OFFICE).paused_until.is_some(), "the endpoint is broken");
    field.compass.set_connectivity(Connectivity::Offline);
    field.clock.advance(14 * HOUR);
    field.compass.set_connectivity(ONLINE);
    let fresh: Vec<SessionKey> = (0..3).map(|_| field.complete()).collect();
    let online = field.now();
    while !fresh.iter().all(|session| is_sent(&field.compass, *session)) {
        let passed = field.now() - online;
        assert!(passed <= TimeDelta::minutes(40), "they wait for {} minutes", passed.num_minutes());
        go_on(&field, field.now() + TimeDelta::minutes(1));
        if field.next_due().at.is_none_or(|at| at > field.now()) {
            field.clock.advance(MINUTE);
        }
    }
    let office = status(&field, OFFICE);
    assert!(office.consecutive_failures <= 20, "a 2xx has closed it: {office:?}");
}

#[test]
fn a_broken_endpoint_is_tried_with_a_message_that_has_not_failed() {
    let poison = Arc::default();
    let (field, _) = phone_with(all_but(&poison), one_at_a_time);
    field.backlog(5, OFFICE);
    poison.lock().unwrap().extend(field.messages(&ALL_STATES).into_iter().map(|item| item.delivery.id.0));
    field.flush();
    assert!(status(&field, OFFICE).paused_until.is_some(), "five failures in a row");
    let fresh = field.complete();
    // One start in four is for what has been due longest; so the second probe at the latest goes to the one that may get through.
    for _ in 0..2 {
        if let Some(until) = status(&field, OFFICE).paused_until {
            assert!(until - field.now() <= TimeDelta::minutes(30));
            field.advance_to(until);
            field.flush();
        }
    }
    assert!(is_sent(&field.compass, fresh));
}

#[test]
fn one_start_in_four_goes_to_what_has_been_due_for_the_longest_time() {
    let poison = Arc::default();
    let (field, _) = phone_with(all_but(&poison), one_at_a_time);
    let old = field.complete();
    let id = field.delivery(old).id.0;
    poison.lock().unwrap().insert(id.clone());
    field.flush();
    // It is due again; what came since has not failed, and would go first.
    field.clock.advance(MINUTE);
    field.backlog(40, OFFICE);
    let before = field.transport.requests().len();
    field.flush();
    let order: Vec<bool> = field.transport.requests()[before..].iter().map(|request| header(request, "webhook-id") == id).collect();
    let turn = order.iter().position(|is_old| *is_old).expect("it has its turn");
    assert!((1..=3).contains(&turn), "among the first four, but not before all that has not failed: {turn}");
    assert_eq!(order.iter().filter(|is_old| **is_old).count(), 1);
    assert_eq!(order.len(), 41);
}

#[test]
fn the_first_of_a_flush_goes_to_what_has_been_due_for_more_than_a_day() {
    for (hours, first) in [(23, false), (25, true)] {
        let poison = Arc::default();
        let (field, _) = phone_with(all_but(&poison), one_at_a_time);
        let old = field.complete();
        let id = field.delivery(old).id.0;
        poison.lock().unwrap().insert(id.clone());
        field.flush();
        field.clock.advance(Duration::from_secs(hours * 3600));
        field.backlog(3, OFFICE);
        let before = field.transport.requests().len();
        field.flush();
        assert_eq!(header(&field.transport.requests()[before], "webhook-id") == id, first, "due for {hours} h");
    }
}

#[test]
fn a_flush_that_is_over_before_it_has_gone_round_still_serves_every_endpoint() {
    // A backlog of one endpoint takes no more than its share of a claim, and no more than half of the places when it is in trouble.
    let (field, _) = phone(|request| Ok(answer(if request.url.contains("office") { 503 } else { 202 })));
    for key in ["lab", "depot"] {
        register(&field, key);
    }
    field.backlog(200, OFFICE);
    let (lab, depot) = (complete_for(&field, "lab"), complete_for(&field, "depot"));
    field.flush();
    let first: Vec<String> = field.transport.requests().iter().take(8).map(|request| request.url.clone()).collect();
    assert!(first.contains(&url("lab")) && first.contains(&url("depot")), "{first:?}");
    assert!(is_sent(&field.compass, lab) && is_sent(&field.compass, depot));
}

#[test]
fn pauses_of_a_broken_endpoint_are_spread() {
    struct Fraction(f64);
    impl Random for Fraction {
        fn bytes(&self) -> [u8; 16] {
            SystemRandom.bytes()
        }
        fn fraction(&self) -> f64 {
            self.0
        }
    }
    let mut pauses = Vec::new();
    for fraction in [0.0, 0.5, 0.999_999] {
        let (field, _) = phone_with(
            |_| Ok(answer(500)),
            |options| {
                one_at_a_time(options);
                options.random = Arc::new(Fraction(fraction));
                // So that all five failures come in one flush, and the pause is what shows.
                options.retry.schedule = vec![100 * SECOND];
            },
        );
        field.backlog(5, OFFICE);
        field.flush();
        let office = status(&field, OFFICE);
        assert_eq!(office.consecutive_failures, 5);
        pauses.push((office.paused_until.expect("it is broken") - field.now()).num_milliseconds());
    }
    assert_eq!((pauses[0], pauses[1]), (80_000, 100_000));
    assert!((119_000..=120_000).contains(&pauses[2]), "{pauses:?}");
}

#[test]
fn after_a_locked_database_messages_begin_although_a_slow_request_is_in_flight() {
    let (field, receivers) = phone(|request| Ok(answer(if request.url == OFFICE_URL { 500 } else { 202 })));
    register(&field, "lab");
    field.transport.hold(&url("lab"));
    complete_for(&field, "lab");
    let session = field.complete();
    let mut flush = field.compass.flush_steps(2 * MINUTE, &CancelToken::new(), false).unwrap();
    eventually("both are in flight", || steps_until_wait(&mut flush).is_some() && field.transport.requests().len() == 2);
    field.transport.wait_until_running(1);
    receivers.take();
    field.clock.advance(3 * SECOND);
    eventually("the office's failure is stored", || {
        steps_until_wait(&mut flush).is_some() && field.delivery(session).reason.is_some_and(|reason| reason != "in_flight")
    });
    let other = sql(&field);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    field.clock.advance(20 * SECOND);
    // It tries to claim once, and cannot.
    while !matches!(flush.step(), StepOutcome::Wait { .. }) {}
    other.execute_batch("COMMIT").unwrap();
    eventually("the office's message leaves again", || steps_until_wait(&mut flush).is_some() && requests_to(&field, OFFICE_URL) == 2);
    field.transport.release();
    eventually("all is stored", || steps_until_wait(&mut flush).is_none());
    assert!(is_sent(&field.compass, session));
}
