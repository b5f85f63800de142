//! Time without signal, clocks that jump, and leases that outlive their process.

use super::*;

#[test]
fn sixty_days_without_signal_cost_nothing() {
    for the_app_knows in [true, false] {
        let (receiver, field) = Receiver::ill(|_| no_network(), true);
        if the_app_knows {
            field.compass.set_connectivity(Connectivity::Offline);
        }
        let mut attempts = 0;
        for day in 0..60 {
            if day % 3 == 0 {
                field.backlog(20, OFFICE);
            }
            // The app is opened now and then.
            for _ in 0..4 {
                let report = field.flush();
                assert_eq!((report.end, report.sent, report.failed), (FlushEnd::Offline, 0, 0));
                attempts += report.attempts;
                field.clock.advance(6 * HOUR);
            }
        }
        let waiting = field.messages(&ALL_STATES);
        assert_eq!(waiting.len(), 400);
        for item in &waiting {
            assert_eq!(item.delivery.state, DeliveryState::Pending);
            assert!(!item.needs_person && !item.delivery.may_have_been_delivered);
            assert!(item.delivery.last_attempts.iter().all(|attempt| !attempt.counted), "time without signal uses up no budget");
        }
        assert_eq!(field.compass.endpoints().unwrap()[0].consecutive_failures, 0);
        assert!(field.next_due().when_online == Some(NetworkNeed::Any));
        if the_app_knows {
            assert_eq!(attempts, 0);
        } else {
            assert!((1..=4 * 4 * 60).contains(&attempts), "a few look whether there is a network, not all 400: {attempts}");
        }

        receiver.repair();
        field.compass.set_connectivity(ONLINE);
        let report = field.flush();
        assert_eq!((report.end, report.sent, report.pending), (FlushEnd::Drained, 400, 0));
        assert!(field.transport.most_running() <= 4, "paced");
        let all = field.transport.requests();
        let arrived: BTreeSet<String> = all[all.len() - 400..].iter().map(|request| header(request, "webhook-id")).collect();
        assert_eq!(arrived.len(), 400, "each once");
    }
}

// Clocks that jump --------------------------------------------------------------------------------------------------------------------

#[test]
fn a_wall_clock_that_jumps_ten_years_delays_nothing_and_repeats_nothing() {
    const COUNT: usize = 12;
    let ten_years = TimeDelta::days(3653);
    let stages =
        ["before the first attempt", "between two attempts", "while the endpoint is paused", "after a failure for want of a network"];
    for jump in [ten_years, -ten_years] {
        for and_back in [false, true] {
            for stage in stages {
                let place = format!("{jump} {stage}, back: {and_back}");
                let (receiver, field) = Receiver::ill(
                    move |_| match stage {
                        "while the endpoint is paused" => Ok(answer_with(503, &[("retry-after", "7200")])),
                        "after a failure for want of a network" => no_network(),
                        _ => Ok(answer(500)),
                    },
                    false,
                );
                field.backlog(COUNT, OFFICE);
                if stage != stages[0] {
                    field.flush();
                }
                let jumps = if and_back { vec![jump, -jump] } else { vec![jump] };
                for jump in jumps {
                    field.clock.jump_wall(jump);
                    let report = field.flush();
                    assert!(report.attempts as usize <= COUNT, "{place}: too many attempts: {}", report.attempts);
                    if stage != stages[3] {
                        // `flush` looks for a network whenever it is asked to; everything else waits for its time.
                        assert_eq!(field.flush().attempts, 0, "{place}: again at once");
                    }
                    assert_eq!(report.failed, 0, "{place}");
                    let due = field.next_due();
                    let at = due.at.unwrap_or_else(|| panic!("{place}: delayed: {due:?}"));
                    assert!(at - field.now() <= TimeDelta::hours(25), "{place}: delayed until {at}");
                }
                // Some more time with the trouble, then without.
                for _ in 0..20 {
                    let report = step(&field).unwrap_or_else(|| panic!("{place}: delayed"));
                    assert!(report.attempts as usize <= COUNT, "{place}");
                }
                receiver.repair();
                for _ in 0..100 {
                    if step(&field).is_none() {
                        break;
                    }
                }
                assert_eq!(field.messages(&[DeliveryState::Sent]).len(), COUNT, "{place}");
                let copies = field.transport.requests().len();
                assert!(copies <= COUNT * 30, "{place}: {copies} requests");
            }
        }
    }
}

#[test]
fn a_wall_clock_that_jumps_during_an_attempt_delivers_once() {
    for jump in [TimeDelta::days(3653), -TimeDelta::days(3653)] {
        let field = Field::new(ScriptedTransport::always(202));
        field.backlog(10, OFFICE);
        field.transport.hold("");
        let compass = field.compass.clone();
        let running = std::thread::spawn(move || flush(&compass));
        field.transport.wait_for_requests(2);
        field.clock.jump_wall(jump);
        // Somebody else who flushes meanwhile does not take what is in flight.
        field.transport.release();
        let report = in_time("the flush", WAIT_LIMIT, move || running.join().unwrap());
        assert_eq!((report.sent, report.pending), (10, 0));
        let ids: BTreeSet<String> = field.transport.requests().iter().map(|request| header(request, "webhook-id")).collect();
        assert_eq!((ids.len(), field.transport.requests().len()), (10, 10), "{jump}");
    }
}

#[test]
fn seven_minutes_of_clock_error_are_learned_from_the_receiver() {
    for minutes in [7, -7] {
        let clock: Arc<Mutex<Option<Arc<ManualClock>>>> = Arc::default();
        let receivers = clock.clone();
        let field = Field::new(ScriptedTransport::new(move |request| {
            let phone = receivers.lock().unwrap().as_ref().unwrap().now();
            let now = phone + TimeDelta::minutes(minutes);
            let date = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            let signed: i64 = header(request, "webhook-timestamp").parse().unwrap();
            let status = if (now.timestamp() - signed).abs() > 300 { 401 } else { 202 };
            Ok(answer_with(status, &[("date", date.as_str())]))
        }));
        *clock.lock().unwrap() = Some(field.clock.clone());
        field.secrets.set(SECRET_NAME, SECRET);
        field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
        let first: Vec<SessionKey> = (0..5).map(|_| field.complete()).collect();
        let report = field.flush();
        assert_eq!((report.end, report.sent, report.failed, report.pending), (FlushEnd::Drained, 5, 0, 0), "{minutes} minutes");
        for session in first {
            let delivery = field.delivery(session);
            assert!(delivery.attempts <= 2, "once more, with the right time");
            assert!(delivery.last_attempts.iter().all(|attempt| !attempt.counted));
        }
        let status = &field.compass.endpoints().unwrap()[0];
        let known = status.clock_skew_ms.expect("the receiver's clock is known");
        assert!((known - minutes * 60_000).abs() <= 2_000, "{known}");
        assert_eq!(status.consecutive_failures, 0);
        let later = field.complete();
        field.flush();
        assert_eq!(field.delivery(later).attempts, 1, "from now on it is right at once");
    }
}

// Crashes -----------------------------------------------------------------------------------------------------------------------------

#[test]
#[ignore = "runs in a process of its own, for the test below"]
fn a_process_that_dies_in_the_middle_of_an_attempt() {
    let transport = ScriptedTransport::always(202);
    transport.hold("");
    let field = Field::with(transport, |options| {
        options.path = setting("DATABASE").into();
        options.random = Arc::new(SystemRandom);
    });
    field.backlog(3, OFFICE);
    let compass = field.compass.clone();
    std::thread::spawn(move || flush(&compass));
    field.transport.wait_for_requests(2);
    for request in field.transport.requests() {
        say(header(&request, "webhook-id"));
    }
    say("in flight");
    loop {
        std::thread::park();
    }
}

/// A process is killed with two of three messages in flight. Gives the folder, and the ids of those.
fn after_a_crash() -> (tempfile::TempDir, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crashed.db");
    let mut process =
        Process::run("time::clocks::a_process_that_dies_in_the_middle_of_an_attempt", &[("DATABASE", path.to_str().unwrap())]);
    let begun: Vec<String> = std::iter::from_fn(|| process.line()).take_while(|line| line != "in flight").collect();
    process.kill();
    (folder, begun)
}

#[test]
fn a_lease_ends_by_itself_after_its_process_crashed() {
    let (folder, begun) = after_a_crash();
    assert_eq!(begun.len(), 2);
    // The same clock as in the process that is gone.
    let field = Field::with(ScriptedTransport::always(202), |options| options.path = folder.path().join("crashed.db"));
    let report = field.flush();
    assert_eq!((report.attempts, report.pending), (0, 3), "another process may be at it");
    let due = field.next_due().at.expect("the end of the lease");
    assert!(due > field.now() && due - field.now() <= TimeDelta::seconds(60));
    field.clock.advance(Duration::from_secs(61));
    let report = field.flush();
    assert_eq!((report.sent, report.pending), (3, 0));
    for item in field.messages(&[DeliveryState::Sent]) {
        let attempts = &item.delivery.last_attempts;
        assert_eq!(attempts.len(), 2);
        assert_eq!((attempts[1].outcome.as_str(), attempts[1].counted), ("interrupted", false));
        assert!(attempts[1].may_have_been_delivered, "whatever was claimed may have left the phone");
    }
    let again: BTreeSet<String> = field.transport.requests().iter().map(|request| header(request, "webhook-id")).collect();
    assert!(begun.iter().all(|id| again.contains(id)), "the same ids: the receiver can tell");
}

#[test]
fn a_lease_of_a_clock_that_was_wrong_ends_too() {
    for years in [10, -10] {
        let (folder, _) = after_a_crash();
        let field = Field::with(ScriptedTransport::always(202), |options| options.path = folder.path().join("crashed.db"));
        field.clock.jump_wall(TimeDelta::days(365 * years));
        assert_eq!(field.next_due().at, Some(field.now()));
        assert_eq!(field.flush().sent, 3, "{years} years");
    }
}
