//! Offline is proven, not guessed, and ends: the true reason shows, and a person is told when the phone's own situation is not the cause.

use super::*;

/// What may be in the way, what it is called, and whether it costs budget where the internet is known to be reached.
fn obstacles() -> Vec<(&'static str, Answer, bool)> {
    let failed = |kind, phase| Err(failure(kind, phase, RequestSent::No));
    vec![
        ("unreachable", failed(FailureKind::Refused, Phase::Connect), true),
        ("dns", failed(FailureKind::Dns, Phase::Resolve), true),
        ("tls", failed(FailureKind::Certificate { time_invalid: false }, Phase::Connect), true),
        ("tls", failed(FailureKind::Certificate { time_invalid: true }, Phase::Connect), true),
        ("proxy", Ok(answer(407)), false),
        ("proxy", Ok(answer(511)), false),
        ("offline", failed(FailureKind::NoNetwork, Phase::Connect), false),
        ("offline", failed(FailureKind::Timeout, Phase::Connect), true),
    ]
}

fn on(validated: Option<bool>, network: u64) -> Connectivity {
    Connectivity::Online { validated, metered: false, network: Some(network) }
}

fn needs_person(field: &Field) -> bool {
    let next = field.next_due().needs_person;
    let items = field.messages(&[DeliveryState::Pending]);
    assert_eq!(items.iter().any(|item| item.needs_person), next);
    assert_eq!(field.compass.outbox_totals().unwrap().needs_person > 0, next);
    let failing = field.compass.endpoints().unwrap().iter().any(|status| status.failing_reason.is_some());
    assert_eq!(failing, next);
    next
}

#[test]
fn what_answers_shows_its_own_reason_and_uses_up_nothing() {
    for (expected, obstacle, _) in obstacles() {
        let (field, receivers) = phone(move |_| obstacle.clone());
        // All that some platforms can say.
        field.compass.set_connectivity(UNSURE);
        let session = field.complete();
        for _ in 0..60 {
            let report = field.flush();
            assert_eq!((report.end, report.retrying), (FlushEnd::Offline, 1), "{expected}");
            assert_eq!(reason(&field, session).as_deref(), Some(expected));
            field.clock.advance(DAY);
        }
        assert_eq!(counted(&field, session), 0, "{expected}");
        let office = status(&field, OFFICE);
        assert_eq!((office.consecutive_failures, office.paused_until), (0, None), "{expected}");
        assert!(!needs_person(&field), "one network shows nothing: {expected}");
        receivers.take();
        assert_eq!(field.flush().sent, 1);
    }
}

#[test]
fn a_failure_of_six_hours_on_three_networks_needs_a_person() {
    for (expected, obstacle, _) in obstacles() {
        let (field, receivers) = phone(move |_| obstacle.clone());
        let session = field.complete();
        // Home, on the road, at work; what each of them shows after how many hours.
        for (hours, network, told) in [(0, 1, false), (3, 2, false), (2, 3, false), (1, 3, true), (1, 3, true)] {
            field.clock.advance(Duration::from_secs(hours * 3600));
            field.compass.set_connectivity(on(None, network));
            field.flush();
            assert_eq!(reason(&field, session).as_deref(), Some(expected));
            assert_eq!(needs_person(&field), told, "{expected} after {hours} more hours on network {network}");
        }
        assert_eq!(status(&field, OFFICE).failing_reason.as_deref(), Some(expected));
        assert_eq!(counted(&field, session), 0, "{expected}: still nothing is used up");
        // It goes on being tried, every hour.
        assert_eq!(field.delivery(session).next_attempt_at, Some(field.now() + TimeDelta::hours(1)), "{expected}");
        assert_eq!(field.next_due().at, Some(field.now() + TimeDelta::hours(1)), "{expected}");
        let later = field.complete();
        assert!(field.messages(&[DeliveryState::Pending]).iter().all(|item| item.needs_person), "{expected}: what comes later as well");
        // Any other outcome clears it.
        receivers.now(|_| Ok(answer(503)));
        field.clock.advance(HOUR);
        field.flush();
        assert!(!needs_person(&field), "{expected}");
        receivers.take();
        field.clock.advance(2 * MINUTE);
        field.flush();
        assert!(is_sent(&field.compass, session) && is_sent(&field.compass, later));
    }
}

#[test]
fn three_networks_in_an_hour_or_six_hours_on_two_show_nothing() {
    for steps in [[(0, 1), (1, 2), (1, 3), (1, 4)], [(0, 1), (6, 1), (6, 2), (6, 2)]] {
        let (field, _) = phone(|_| Err(failure(FailureKind::Refused, Phase::Connect, RequestSent::No)));
        field.complete();
        for (hours, network) in steps {
            field.clock.advance(Duration::from_secs(hours * 3600));
            field.compass.set_connectivity(on(None, network));
            field.flush();
            assert!(!needs_person(&field), "{steps:?}");
        }
    }
}

#[test]
fn another_failure_begins_the_count_again() {
    let (field, receivers) = phone(|_| Err(failure(FailureKind::Refused, Phase::Connect, RequestSent::No)));
    field.complete();
    for network in 1..=3 {
        field.compass.set_connectivity(on(None, network));
        field.flush();
        field.clock.advance(2 * HOUR);
    }
    receivers.now(|_| Err(failure(FailureKind::Dns, Phase::Resolve, RequestSent::No)));
    for network in 4..=5 {
        field.compass.set_connectivity(on(None, network));
        field.flush();
        assert!(!needs_person(&field));
        field.clock.advance(4 * HOUR);
    }
    field.compass.set_connectivity(on(None, 6));
    field.flush();
    assert!(needs_person(&field));
}

#[test]
fn behind_a_portal_nobody_is_called() {
    for (_, obstacle, _) in obstacles() {
        let (field, _) = phone(move |_| obstacle.clone());
        field.complete();
        for network in 1..=6 {
            field.compass.set_connectivity(on(Some(false), network));
            field.flush();
            field.clock.advance(6 * HOUR);
            assert!(!needs_person(&field), "the platform says that the internet is not reached");
        }
    }
}

#[test]
fn where_another_endpoint_answers_the_network_is_not_the_cause() {
    for (expected, obstacle, counts) in obstacles() {
        for validated in [Some(true), None, Some(false)] {
            let obstacle = obstacle.clone();
            let (field, _) = phone(move |request| if request.url.contains("lab") { Ok(answer(202)) } else { obstacle.clone() });
            register(&field, "lab");
            field.compass.set_connectivity(on(validated, 1));
            complete_for(&field, "lab");
            assert_eq!(field.flush().sent, 1);
            let session = field.complete();
            field.flush();
            let what = format!("{expected} {validated:?}: {:?}", field.delivery(session));
            // An answer within the last minute shows that there is internet; then most of these are the receiver's own.
            assert_eq!(counted(&field, session), usize::from(counts), "{what}");
            // Where nothing answers, what answered before shows nothing.
            assert_eq!(needs_person(&field), !counts && validated == Some(true) && expected != "offline", "{what}");
        }
    }
}

#[test]
fn a_portal_that_speaks_plain_text_costs_nothing() {
    for kind in [FailureKind::Tls, FailureKind::Protocol] {
        let (field, receivers) = phone(move |_| Err(failure(kind, Phase::Connect, RequestSent::No)));
        field.compass.set_connectivity(on(Some(false), 1));
        let session = field.complete();
        for _ in 0..3 {
            field.flush();
            assert_eq!(reason(&field, session).as_deref(), Some("captive_portal"));
            field.clock.advance(HOUR);
        }
        assert_eq!(counted(&field, session), 0);
        field.compass.set_connectivity(Connectivity::Offline);
        receivers.take();
        field.compass.set_connectivity(on(Some(true), 2));
        assert_eq!(field.flush().sent, 1, "{kind:?}");
    }
    // Where the platform has reached the internet it is the receiver's.
    let (field, _) = phone(|_| Err(failure(FailureKind::Tls, Phase::Connect, RequestSent::No)));
    field.compass.set_connectivity(ONLINE);
    let session = field.complete();
    field.flush();
    assert_eq!((reason(&field, session).as_deref(), counted(&field, session)), (Some("tls"), 1));
}

#[test]
fn a_transport_that_cannot_say_what_failed_is_no_proof_of_being_offline() {
    for (phase, expected) in [(Phase::Resolve, "dns"), (Phase::Connect, "unreachable"), (Phase::Send, "timeout")] {
        let (field, _) = phone(move |_| Err(failure(FailureKind::Other, phase, RequestSent::No)));
        field.compass.set_connectivity(UNSURE);
        let session = field.complete();
        assert_eq!(field.flush().end, FlushEnd::Drained);
        assert_eq!((reason(&field, session).as_deref(), counted(&field, session)), (Some(expected), 1));
    }
}

#[test]
fn one_endpoint_that_cannot_be_reached_delays_no_other() {
    let (field, _) = phone(|request| {
        if request.url.contains("lab") { Ok(answer(202)) } else { Err(failure(FailureKind::Refused, Phase::Connect, RequestSent::No)) }
    });
    register(&field, "lab");
    field.compass.set_connectivity(UNSURE);
    field.backlog(40, OFFICE);
    field.backlog(40, "lab");
    let report = field.flush();
    assert_eq!((report.sent, report.pending), (40, 40));
    let tried = requests_to(&field, OFFICE_URL);
    // Five that count, and one that runs beside the last of them; before the other receiver has answered, one may fail that does not count.
    assert!(tried <= 7, "a few show that there is no way, not all 40: {tried}");
}

#[test]
fn a_moment_without_signal_calls_nobody_and_costs_no_hour() {
    let mut found = Vec::new();
    for endpoints in [1, 2] {
        let (field, receivers) = phone_with(|_| Ok(answer(202)), |options| options.retry.online_spread = Duration::ZERO);
        field.compass.set_connectivity(ONLINE);
        field.clock.advance(5 * SECOND);
        if endpoints == 2 {
            register(&field, "lab");
            complete_for(&field, "lab");
        }
        field.complete();
        let mut worker = field.compass.delivery_steps().unwrap().unwrap();
        eventually("all is sent", || {
            steps_until_wait(&mut worker);
            field.messages(&[DeliveryState::Pending]).is_empty()
        });
        // Into a lift.
        receivers.now(no_network);
        field.clock.advance(10 * SECOND);
        let session = field.complete();
        eventually("it has met the lift", || {
            steps_until_wait(&mut worker);
            outcomes(&field, session) == ["offline"]
        });
        let needs_person = (field.compass.outbox_totals().unwrap().needs_person, field.next_due().needs_person);
        let shown = field.messages(&[DeliveryState::Pending]).remove(0);
        // The platform says so, too.
        field.compass.set_connectivity(Connectivity::Offline);
        let offline = (field.compass.outbox_totals().unwrap().needs_person, reason(&field, session));
        field.compass.set_connectivity(ONLINE);
        found.push((endpoints, needs_person, shown.delivery.next_attempt_at.map(|at| (at - field.now()).num_seconds()), offline));
    }
    assert!(
        found.iter().all(|(_, needs_person, after, offline)| {
            *needs_person == (0, false) && after.is_some_and(|after| after <= 900) && offline.0 == 0
        }),
        "{found:#?}"
    );
}

#[test]
fn a_moment_without_signal_that_no_platform_reports_costs_no_hour() {
    let mut found = Vec::new();
    for endpoints in [1, 2] {
        let (field, receivers) = phone_with(|_| Ok(answer(202)), |options| options.retry.online_spread = Duration::ZERO);
        field.compass.set_connectivity(ONLINE);
        field.clock.advance(5 * SECOND);
        if endpoints == 2 {
            register(&field, "lab");
            complete_for(&field, "lab");
        }
        field.complete();
        let mut worker = field.compass.delivery_steps().unwrap().unwrap();
        eventually("all is sent", || {
            steps_until_wait(&mut worker);
            field.messages(&[DeliveryState::Pending]).is_empty()
        });
        receivers.now(no_network);
        field.clock.advance(10 * SECOND);
        let session = field.complete();
        eventually("it has met it", || {
            steps_until_wait(&mut worker);
            outcomes(&field, session) == ["offline"]
        });
        receivers.take();
        let mut after = None;
        for seconds in 0..2000_u32 {
            nothing_is_in_flight(&field, session, Some(&mut worker));
            if is_sent(&field.compass, session) {
                after = Some(seconds);
                break;
            }
            field.clock.advance(SECOND);
        }
        found.push((endpoints, after));
    }
    assert!(found.iter().all(|(_, after)| after.is_some_and(|after| after <= 60)), "seconds until it is sent: {found:?}");
}

#[test]
fn a_clock_that_is_set_is_no_six_hours() {
    let refused = |_: &TransportRequest| Err(failure(FailureKind::Refused, Phase::Connect, RequestSent::No));
    let mut found = Vec::new();
    for ahead in [TimeDelta::zero(), TimeDelta::hours(7), TimeDelta::days(57 * 365)] {
        let (field, _) = phone(refused);
        let online = |network| Connectivity::Online { validated: None, metered: false, network: Some(network) };
        field.clock.jump_wall(-ahead);
        field.complete();
        for network in 1..=3 {
            field.compass.set_connectivity(online(network));
            if network == 3 {
                field.clock.jump_wall(ahead);
            }
            field.clock.advance(5 * SECOND);
            field.flush();
        }
        let item = field.messages(&[DeliveryState::Pending]).remove(0);
        found.push((
            ahead,
            item.needs_person,
            status(&field, OFFICE).failing_reason,
            item.delivery.next_attempt_at.map(|at| at - field.now()),
        ));
    }
    assert!(found.iter().all(|(_, needs_person, ..)| !needs_person), "three networks in a quarter of a minute: {found:#?}");
}

#[test]
fn a_clock_that_is_set_back_while_two_processes_run_is_no_time() {
    let (field, _) = phone(|_| Err(failure(FailureKind::Refused, Phase::Connect, RequestSent::No)));
    let other = field.other_process();
    field.complete();
    let attempts = || {
        field.flush();
        flush(&other);
    };
    for _ in 0..4 {
        for compass in [&field.compass, &other] {
            compass.set_connectivity(Connectivity::Offline);
            compass.set_connectivity(UNSURE);
        }
        field.clock.advance(5 * SECOND);
        attempts();
    }
    field.clock.jump_wall(-TimeDelta::hours(4));
    attempts();
    field.clock.advance(2 * HOUR + 30 * MINUTE);
    attempts();
    assert_eq!(status(&field, OFFICE).failing_reason, None, "two and a half hours have passed");
    field.clock.advance(3 * HOUR + 30 * MINUTE);
    attempts();
    assert_eq!(status(&field, OFFICE).failing_reason.as_deref(), Some("unreachable"), "six hours");
    other.close().unwrap();
}

#[test]
fn observers_learn_that_another_network_was_reported() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let told = Arc::new(AtomicUsize::new(0));
    let tells = Arc::clone(&told);
    let _place = field.compass.observe(Arc::new(move |notice: &Notice| {
        if notice.endpoints {
            tells.fetch_add(1, Ordering::SeqCst);
        }
    }));
    for (reported, times) in [(Connectivity::Offline, 1), (Connectivity::Offline, 1), (on(None, 1), 2), (on(Some(true), 1), 3)] {
        field.compass.set_connectivity(reported);
        assert_eq!(told.load(Ordering::SeqCst), times, "{reported:?}");
    }
}
