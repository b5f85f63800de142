//! The schedule of attempts, from the first failure to the last.

use super::*;

#[test]
fn the_whole_schedule_from_the_first_failure_to_the_last() {
    let (receiver, field) = Receiver::ill(|_| Ok(answer(500)), true);
    let session = field.complete();
    field.flush();
    while failed_reason(&field, session).is_none() {
        let due = field.next_due().at.expect("what has not failed is tried again");
        assert_eq!(Some(due), field.delivery(session).next_attempt_at);
        // A moment before its time, nothing leaves.
        field.advance_to(due - TimeDelta::milliseconds(1));
        assert_eq!(field.flush().attempts, 0);
        field.advance_to(due);
        assert_eq!(field.flush().attempts, 1);
        assert!(receiver.times().len() < 40, "it comes to an end");
    }
    assert_eq!(failed_reason(&field, session).as_deref(), Some("exhausted"));

    let times = receiver.times();
    let schedule = &field.options.retry.schedule;
    for (index, pair) in times.windows(2).enumerate() {
        let delay = seconds(pair[1] - pair[0]);
        let planned = schedule[index.min(schedule.len() - 1)].as_secs_f64();
        assert!((planned * 0.8 - 0.01..=planned * 1.2 + 0.01).contains(&delay), "delay {index}: {delay} s, planned {planned} s");
        assert!(delay <= DAY.as_secs_f64() + 0.01);
    }
    // Both halves of the budget: a dozen attempts came long before two weeks had passed.
    let age = times[times.len() - 1] - times[0];
    assert!(age >= TimeDelta::days(14) && times[times.len() - 2] - times[0] < TimeDelta::days(14), "{age}");
    assert!(times.len() > 12);
    assert_eq!(field.delivery(session).attempts as usize, times.len());
    assert_eq!(field.next_due(), NextDue { needs_person: true, ..NextDue::default() }, "nothing is left to time");
}

#[test]
fn a_budget_counts_no_more_than_a_day_between_two_attempts() {
    // Online for a moment every week: two weeks are over after the third attempt, and twelve are over after the twelfth. What counts are
    // fourteen days of failing, of which two attempts in a row show one at most.
    let (receiver, field) = Receiver::ill(|_| Ok(answer(503)), false);
    let session = field.complete();
    for week in 1..=15 {
        assert_eq!(failed_reason(&field, session), None, "in week {week}");
        assert_eq!(field.flush().attempts, 1);
        field.clock.advance(7 * DAY);
    }
    assert_eq!(failed_reason(&field, session).as_deref(), Some("exhausted"));
    assert_eq!(receiver.times().len(), 15);
}

#[test]
fn a_budget_lasts_for_a_dozen_attempts_even_when_two_weeks_are_over() {
    let (receiver, field) = Receiver::with(
        |_| Ok(answer(503)),
        |options| {
            options.retry.schedule = vec![DAY];
            options.retry.budget_age = 2 * DAY;
        },
    );
    let session = field.complete();
    for day in 1..=12 {
        assert_eq!(failed_reason(&field, session), None, "on day {day}");
        assert_eq!(field.flush().attempts, 1);
        field.clock.advance(DAY);
    }
    assert_eq!(failed_reason(&field, session).as_deref(), Some("exhausted"));
    assert_eq!(receiver.times().len(), 12);
}

#[test]
fn the_slow_schedule_ends_with_the_sixth_failure() {
    let (receiver, field) = Receiver::ill(|_| Ok(answer(404)), true);
    let session = field.complete();
    field.flush();
    while failed_reason(&field, session).is_none() {
        step(&field).expect("what has not failed is tried again");
    }
    assert_eq!(failed_reason(&field, session).as_deref(), Some("not_found"));
    let times = receiver.times();
    assert_eq!(times.len(), 6);
    for (pair, planned) in times.windows(2).zip(&field.options.retry.slow_schedule) {
        let (delay, planned) = (seconds(pair[1] - pair[0]), planned.as_secs_f64());
        assert!((planned * 0.8 - 0.01..=planned * 1.2 + 0.01).contains(&delay) && delay <= DAY.as_secs_f64() + 0.01, "{delay} {planned}");
    }
}

/// Every sort of outcome, for one attempt.
fn outcomes() -> Vec<(String, Answer)> {
    let statuses =
        [0, 100, 101, 199, 300, 301, 302, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415]
            .into_iter()
            .chain([
                416, 417, 418, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 511, 599, 600, 999,
            ]);
    let mut outcomes: Vec<(String, Answer)> = statuses.map(|status| (format!("status {status}"), Ok(answer(status)))).collect();
    let kinds = [
        FailureKind::NoNetwork,
        FailureKind::Dns,
        FailureKind::Refused,
        FailureKind::Timeout,
        FailureKind::Closed,
        FailureKind::Certificate { time_invalid: false },
        FailureKind::Certificate { time_invalid: true },
        FailureKind::Tls,
        FailureKind::Protocol,
        FailureKind::Cancelled,
        FailureKind::Other,
    ];
    for kind in kinds {
        for phase in [Phase::Resolve, Phase::Connect, Phase::Send, Phase::Receive] {
            for sent in [RequestSent::No, RequestSent::Maybe] {
                outcomes.push((format!("{kind:?} {phase:?} {sent:?}"), Err(failure(kind, phase, sent))));
            }
        }
    }
    outcomes
}

#[test]
fn after_every_sort_of_failure_there_is_another_attempt_or_an_end() {
    let (mut ended, mut repaired) = (0, 0);
    for validated in [None, Some(true)] {
        // One phone for all of them; each outcome has an endpoint of its own.
        let outcomes = Arc::new(outcomes());
        let (well, script) = (Arc::new(AtomicBool::new(false)), outcomes.clone());
        let repaired_now = well.clone();
        let field = Field::new(ScriptedTransport::new(move |request| {
            let number: usize = request.url.rsplit('/').next().unwrap().parse().unwrap();
            if repaired_now.load(Ordering::SeqCst) {
                return Ok(answer(202));
            }
            // A transport that says an attempt was cancelled although nobody asked for it, says so once.
            if matches!(&script[number].1, Err(failed) if failed.kind == FailureKind::Cancelled)
                && header(request, "compass-attempt") != "1"
            {
                return Ok(answer(500));
            }
            script[number].1.clone()
        }));
        if validated.is_some() {
            field.compass.set_connectivity(Connectivity::Online { validated, metered: false, network: None });
        }
        let sessions: Vec<SessionKey> = (0..outcomes.len())
            .map(|number| {
                let key = format!("e{number}");
                field.compass.put_endpoint(&endpoint(&key, &format!("https://{key}.example/{number}"))).unwrap();
                field.compass.import_workflow(&workflow(&key, &[&key])).unwrap();
                complete(&field.compass, &key)
            })
            .collect();
        field.flush();
        for (session, (name, _)) in sessions.iter().zip(&*outcomes) {
            let action = field.action(*session);
            assert_eq!(action.deliveries[0].attempts.min(1), 1, "{name} was tried");
            match action.status {
                ActionStatus::Failed => ended += 1,
                ActionStatus::Pending => {
                    let at = action.deliveries[0].next_attempt_at.unwrap_or_else(|| panic!("{name}: nothing drives it on: {action:?}"));
                    assert!(at - field.now() <= TimeDelta::hours(24), "{name}: not before {at}");
                }
                status => panic!("{name}: {status:?}"),
            }
        }
        // What can come again, comes when the receivers are well again.
        well.store(true, Ordering::SeqCst);
        for _ in 0..200 {
            if field.compass.outbox_totals().unwrap().pending == 0 || step(&field).is_none() {
                break;
            }
        }
        for (session, (name, _)) in sessions.iter().zip(&*outcomes) {
            let action = field.action(*session);
            assert!(matches!(action.status, ActionStatus::Sent | ActionStatus::Failed), "{name}: {action:?}");
            repaired += usize::from(action.status == ActionStatus::Sent);
        }
    }
    assert!(ended > 20 && repaired > 150, "{ended} ended, {repaired} came through");
}
