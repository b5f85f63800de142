//! Clocks: a phone's that is set, receivers' that are wrong.

use super::*;

fn http_date(at: Timestamp) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The phone's clock, for receivers that know the time.
#[derive(Clone, Default)]
struct Time(Arc<Mutex<Option<Arc<ManualClock>>>>);

impl Time {
    fn phone(&self) -> Timestamp {
        self.0.lock().unwrap().as_ref().unwrap().now()
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap().as_ref().unwrap().monotonic()
    }

    fn on(&self, field: &Field) {
        *self.0.lock().unwrap() = Some(field.clock.clone());
    }
}

#[test]
fn a_clock_that_changes_twice_costs_no_message() {
    // The answers to a signature that is more than five minutes off.
    for refusal in [400, 401, 403, 422] {
        let time = Time::default();
        let knows = time.clone();
        let count = Mutex::new(0);
        let (field, _) = phone(move |request| {
            // The receiver's clock is right: ten minutes ahead of what the phone believed when it began.
            let now = Timestamp::from_timestamp(1_800_000_600, 0).unwrap() + TimeDelta::from_std(knows.monotonic()).unwrap()
                - TimeDelta::seconds(1_000);
            let signed: i64 = header(request, "webhook-timestamp").parse().unwrap();
            let mut count = count.lock().unwrap();
            *count += 1;
            let status = match (now.timestamp() - signed).abs() {
                ..=300 if *count == 2 => 503,
                ..=300 => 202,
                _ => refusal,
            };
            Ok(answer_with(status, &[("date", &http_date(now))]))
        });
        time.on(&field);
        field.secrets.set(SECRET_NAME, SECRET);
        field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
        let session = field.complete();
        field.flush();
        assert_eq!(outcomes(&field, session), ["clock_skew", "server_error"]);
        // The platform sets the phone's clock right: what was learned is ten minutes wrong now.
        field.clock.jump_wall(TimeDelta::minutes(10));
        field.clock.advance(5 * MINUTE);
        let report = field.flush();
        assert_eq!((report.sent, report.failed), (1, 0), "{refusal}: {:?}", outcomes(&field, session));
        assert_eq!(outcomes(&field, session), ["clock_skew", "server_error", "clock_skew", "sent"]);
        assert_eq!(counted(&field, session), 1, "{refusal}");
    }
}

#[test]
fn the_budget_of_age_does_not_believe_a_clock_that_was_set() {
    let years = |count: i32| TimeDelta::days(365 * i64::from(count));
    // How wrong the clock is at the first failure, and at the fifth.
    for (first, fifth) in [(-57, 0), (10, 0), (0, 10), (0, -57), (0, 0)] {
        let time = Time::default();
        let knows = time.clone();
        let times = Arc::new(Mutex::new(Vec::new()));
        let came = times.clone();
        let (field, _) = phone(move |_| {
            came.lock().unwrap().push(knows.monotonic());
            Ok(answer(500))
        });
        time.on(&field);
        field.clock.jump_wall(years(first));
        let session = field.complete();
        field.flush();
        field.clock.jump_wall(-years(first));
        while field.action(session).status != ActionStatus::Failed {
            field.advance_to(field.next_due().at.unwrap());
            field.flush();
            if times.lock().unwrap().len() == 5 && fifth != 0 {
                field.clock.jump_wall(years(fifth));
                field.flush();
                field.clock.jump_wall(-years(fifth));
            }
        }
        assert_eq!(field.action(session).reason.as_deref(), Some("exhausted"));
        let times = times.lock().unwrap();
        let days = (times[times.len() - 1] - times[0]).as_secs_f64() / DAY.as_secs_f64();
        // A jump may count for a day, or cost one.
        assert!((12.9..=16.1).contains(&days) && times.len() > 12, "{first} {fifth}: {} attempts in {days} days", times.len());
    }
}

#[test]
fn a_pause_from_a_clock_far_ahead_is_over_wherever_it_is_shown() {
    for (code, headers) in [(429, vec![]), (503, vec![("retry-after", "7200")]), (500, vec![])] {
        let (field, receivers) = phone_with(
            move |_| Ok(answer_with(code, &headers)),
            |options| {
                one_at_a_time(options);
                options.retry.schedule = vec![2 * HOUR];
            },
        );
        field.clock.jump_wall(TimeDelta::days(3653));
        field.backlog(5, OFFICE);
        field.flush();
        assert!(status(&field, OFFICE).paused_until.is_some(), "{code}");
        field.clock.jump_wall(-TimeDelta::days(3653));

        let office = status(&field, OFFICE);
        assert_eq!((office.paused_until, office.pause_reason), (None, None), "{code}");
        let session = field.complete();
        let delivery = field.delivery(session);
        assert_eq!((delivery.reason, delivery.next_attempt_at), (None, Some(field.now())), "{code}");
        assert_eq!(field.next_due().at, Some(field.now()), "{code}");
        receivers.take();
        for _ in 0..10 {
            field.flush();
        }
        assert_eq!(field.compass.outbox_totals().unwrap().pending, 0, "{code}");
        let office = status(&field, OFFICE);
        assert_eq!((office.paused_until, office.consecutive_failures), (None, 0), "{code}");
    }
}

#[test]
fn a_receiver_whose_clock_is_wrong_counts_for_no_other_ones_certificate() {
    let expired = || Err(failure(FailureKind::Certificate { time_invalid: true }, Phase::Connect, RequestSent::No));
    let (field, _) = phone(move |request| {
        let date = "Thu, 01 Jan 1970 00:00:00 GMT";
        if request.url.contains("lab") { Ok(answer_with(202, &[("date", date)])) } else { expired() }
    });
    field.compass.set_connectivity(ONLINE);
    register(&field, "lab");
    let session = field.complete();
    let end = field.now() + TimeDelta::days(20);
    while field.action(session).status != ActionStatus::Failed && field.now() < end {
        complete_for(&field, "lab");
        field.clock.advance(HOUR);
        field.flush();
    }
    assert_eq!(field.action(session).reason.as_deref(), Some("tls"));
    assert_eq!(field.delivery(session).attempts, 6);
}

#[test]
fn an_expired_certificate_is_blamed_on_a_clock_that_its_own_receiver_has_told() {
    for (minutes, reason_then) in [(61, "clock_skew"), (-61, "clock_skew"), (59, "tls")] {
        let time = Time::default();
        let knows = time.clone();
        let (field, receivers) = phone(move |_| Ok(answer_with(202, &[("date", &http_date(knows.phone() + TimeDelta::minutes(minutes)))])));
        time.on(&field);
        field.compass.set_connectivity(ONLINE);
        field.complete();
        assert_eq!(field.flush().sent, 1);
        receivers.now(|_| Err(failure(FailureKind::Certificate { time_invalid: true }, Phase::Connect, RequestSent::No)));
        let session = field.complete();
        field.flush();
        assert_eq!(reason(&field, session).as_deref(), Some(reason_then), "{minutes} min");
        assert_eq!(counted(&field, session), usize::from(reason_then == "tls"), "{minutes} min");
    }
}

#[test]
fn a_message_that_was_never_tried_does_not_wait_for_a_clock_that_was_set_right() {
    for ahead in [TimeDelta::zero(), TimeDelta::days(2), TimeDelta::minutes(10), TimeDelta::hours(3), TimeDelta::hours(24)] {
        let (field, _) = phone(|_| Ok(answer(202)));
        field.compass.set_connectivity(Connectivity::Offline);
        // The phone's clock is ahead while there is no signal.
        field.clock.jump_wall(ahead);
        let session = field.complete();
        field.flush();
        // Signal comes, and with it the right time.
        field.clock.jump_wall(-ahead);
        field.compass.set_connectivity(ONLINE);
        field.clock.advance(5 * SECOND);
        let sent = field.flush().sent;
        assert_eq!(sent, 1, "{ahead}: waits until {:?}, now {}", field.delivery(session).next_attempt_at, field.now());
    }
}

#[test]
fn what_is_due_at_once_after_an_attempt_does_not_wait_for_a_clock_that_was_set_right() {
    for cuts_short in [true, false] {
        let time = Time::default();
        let knows = time.clone();
        let (field, receivers) = phone(move |_| Ok(answer_with(401, &[("date", &http_date(knows.phone() - TimeDelta::hours(3)))])));
        time.on(&field);
        field.clock.jump_wall(TimeDelta::hours(3));
        let session = field.complete();
        // One attempt, which is cancelled or answered.
        field.transport.hold("");
        let cancel = CancelToken::new();
        let mut flush = field.compass.flush_steps(MINUTE, &cancel, false).unwrap();
        steps_until_wait(&mut flush);
        field.transport.wait_for_requests(1);
        if cuts_short {
            cancel.cancel();
        } else {
            // So that it is not signed again at once.
            field.compass.set_integration_enabled(false).unwrap();
            field.transport.release();
        }
        eventually("the flush has ended", || steps_until_wait(&mut flush).is_none());
        field.transport.release();
        drop(flush);
        eventually("it waits", || reason(&field, session).is_some_and(|reason| reason != "in_flight"));
        field.compass.set_integration_enabled(true).unwrap();
        receivers.take();
        field.clock.jump_wall(-TimeDelta::hours(3));
        let expected = if cuts_short { "interrupted" } else { "clock_skew" };
        assert_eq!((reason(&field, session).as_deref(), field.delivery(session).next_attempt_at), (Some(expected), Some(field.now())));
        assert_eq!(field.flush().sent, 1, "{expected}");
    }
}

#[test]
fn a_request_that_hangs_when_the_clock_is_set_back_delays_no_message() {
    for back in [TimeDelta::hours(1), TimeDelta::days(3653)] {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        flush_with_detached(&field, 1);
        field.clock.jump_wall(-back);
        // More than any lease lasts.
        field.clock.advance(10 * MINUTE);
        let came = requests_of_a_flush(&field, &field.compass, 2);
        let (due, shown) = (field.next_due(), field.delivery(session));
        field.transport.release();
        assert_eq!(came, 2, "{back}: its lease is void; {due:?}, {:?} until {:?}", shown.reason, shown.next_attempt_at);
    }
}

fn clock_set_in_flight(refusal: u16, sets: bool) -> (Field, SessionKey) {
    let time = Time::default();
    let knows = time.clone();
    let (field, _) = phone(move |request| {
        let clock = knows.0.lock().unwrap().clone().unwrap();
        // The receiver's clock is right: ten minutes ahead of what the phone believes when it signs.
        let now = Timestamp::from_timestamp(1_800_000_600, 0).unwrap() + TimeDelta::from_std(clock.monotonic()).unwrap()
            - TimeDelta::seconds(1_000);
        let signed: i64 = header(request, "webhook-timestamp").parse().unwrap();
        if sets && clock.now() < now - TimeDelta::minutes(5) {
            // Signal has come, and with it the right time, a moment after the message was signed.
            clock.set_wall(now);
        }
        let status = if (now.timestamp() - signed).abs() <= 300 { 202 } else { refusal };
        Ok(answer_with(status, &[("date", &http_date(now))]))
    });
    time.on(&field);
    field.secrets.set(SECRET_NAME, SECRET);
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    let session = field.complete();
    field.flush();
    (field, session)
}

#[test]
fn a_wrong_clock_that_stays_wrong_costs_no_message() {
    for refusal in [400, 422, 401, 403] {
        let (field, session) = clock_set_in_flight(refusal, false);
        assert_eq!(outcomes(&field, session), ["clock_skew", "sent"], "{refusal}");
    }
}

#[test]
fn a_clock_that_is_set_right_while_a_message_is_in_flight_fails_no_message() {
    let mut found = Vec::new();
    for refusal in [400, 422, 401, 403] {
        let (field, session) = clock_set_in_flight(refusal, true);
        let action = field.action(session);
        found.push((
            refusal,
            action.status,
            action.reason,
            action.failed_sends,
            outcomes(&field, session),
            field.next_due().at.map(|at| at - field.now()),
        ));
    }
    assert!(found.iter().all(|(_, status, ..)| *status == ActionStatus::Sent), "{found:#?}");
}

#[test]
fn a_phone_that_sleeps_between_signing_and_sending_fails_no_message() {
    let mut found = Vec::new();
    for sleeps in [0, 10] {
        let time = Time::default();
        let knows = time.clone();
        let (field, _) = phone(move |request| {
            let clock = knows.0.lock().unwrap().clone().unwrap();
            let signed: i64 = header(request, "webhook-timestamp").parse().unwrap();
            if header(request, "compass-attempt") == "1" {
                // The device sleeps while it connects, and goes on where it was.
                clock.advance(sleeps * MINUTE);
            }
            let now = clock.now();
            let status = if (now.timestamp() - signed).abs() <= 300 { 202 } else { 400 };
            Ok(answer_with(status, &[("date", &http_date(now))]))
        });
        time.on(&field);
        field.secrets.set(SECRET_NAME, SECRET);
        field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
        let session = field.complete();
        field.flush();
        field.transport.wait_until_quiet();
        eventually("it is stored", || field.action(session).reason.as_deref() != Some("in_flight"));
        field.flush();
        found.push((sleeps, field.action(session).status, outcomes(&field, session)));
    }
    assert!(found.iter().all(|(_, status, _)| *status != ActionStatus::Failed), "{found:#?}");
}

#[test]
fn a_retry_that_a_clock_far_ahead_wrote_waits_no_more() {
    let mut found = Vec::new();
    for offline_for in [0, 2] {
        let (field, receivers) = phone(|_| Ok(answer(500)));
        field.compass.set_connectivity(ONLINE);
        field.clock.jump_wall(TimeDelta::hours(26));
        let session = field.complete();
        field.flush();
        field.compass.set_connectivity(Connectivity::Offline);
        field.clock.jump_wall(-TimeDelta::hours(26));
        assert!(field.delivery(session).next_attempt_at.is_none_or(|at| at <= field.now()), "it waits for no time");
        field.clock.advance(offline_for * HOUR);
        receivers.take();
        field.compass.set_connectivity(ONLINE);
        field.clock.advance(5 * SECOND);
        let sent = field.flush().sent;
        found.push((offline_for, sent, field.delivery(session).next_attempt_at.map(|at| at - field.now())));
    }
    assert!(found.iter().all(|(_, sent, _)| *sent == 1), "{found:#?}");
}

#[test]
fn a_pause_that_a_clock_far_ahead_wrote_does_not_begin_again() {
    let mut found = Vec::new();
    for later in [0, 4] {
        let (field, receivers) = phone(|_| Ok(answer_with(429, &[("retry-after", "3600")])));
        field.compass.set_connectivity(ONLINE);
        field.clock.jump_wall(TimeDelta::hours(26));
        let first = field.complete();
        field.flush();
        // It is abandoned, so nothing is left that waits.
        abandon_first(&field, first);
        field.clock.jump_wall(-TimeDelta::hours(26));
        assert_eq!(status(&field, OFFICE).paused_until, None);
        receivers.take();
        field.clock.advance(later * HOUR);
        let session = field.complete();
        let sent = field.flush().sent;
        found.push((later, sent, reason(&field, session), status(&field, OFFICE).paused_until.map(|at| at - field.now())));
    }
    assert!(found.iter().all(|(_, sent, ..)| *sent == 1), "{found:#?}");
}

#[test]
fn what_is_sent_again_does_not_wait_for_a_lease_of_a_clock_that_was_set_back() {
    let mut found = Vec::new();
    for hours in [0, 1, 24] {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        flush_with_detached(&field, 1);
        abandon_first(&field, session);
        send_first(&field, session);
        field.clock.jump_wall(-TimeDelta::hours(hours));
        field.clock.advance(2 * MINUTE);
        let came = requests_of_a_flush(&field, &field.compass, 2);
        let shown = field.delivery(session);
        field.transport.release();
        found.push((hours, came, shown.reason, shown.next_attempt_at.map(|at| at - field.now())));
    }
    assert!(found.iter().all(|(_, came, ..)| *came == 2), "{found:#?}");
}

#[test]
fn what_is_sent_again_after_a_crash_does_not_wait_for_a_lease_of_a_clock_that_was_set_back() {
    let (mut field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.transport.hold("");
    let never = CancelToken::new();
    let mut steps = field.compass.flush_steps(MINUTE, &never, false).unwrap();
    steps_until_wait(&mut steps);
    field.transport.wait_for_requests(1);
    abandon_first(&field, session);
    drop(steps);
    field.compass.clone().kill();
    field.transport.release();
    field.open_again();
    field.clock.jump_wall(-TimeDelta::hours(20));
    field.clock.advance(2 * MINUTE);
    send_first(&field, session);
    let report = field.flush();
    assert_eq!(report.sent, 1, "waits for {:?}", field.delivery(session).next_attempt_at.map(|at| at - field.now()));
}

#[test]
fn what_was_abandoned_and_is_sent_again_before_1970_is_due_at_once() {
    let (field, receivers) = phone(|_| Ok(answer(400)));
    // Midnight of the first of January 1970, somewhere east of Greenwich.
    field.clock.set_wall(Timestamp::from_timestamp(-3600 * 2, 0).unwrap());
    let session = field.complete();
    field.flush();
    assert_eq!(field.action(session).status, ActionStatus::Failed);
    abandon_first(&field, session);
    receivers.take();
    send_first(&field, session);
    let report = field.flush();
    assert_eq!(report.sent, 1, "waits for {:?}", field.delivery(session).next_attempt_at.map(|at| at - field.now()));
}

#[test]
fn what_is_sent_again_while_it_is_in_flight_waits_for_that_whatever_the_clock_is_set_to() {
    for minutes in [0, 10, -10, 60 * 24 * 365] {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        field.transport.hold("");
        let never = CancelToken::new();
        let mut flush = field.compass.flush_steps(MINUTE, &never, false).unwrap();
        steps_until_wait(&mut flush);
        field.transport.wait_for_requests(1);
        abandon_first(&field, session);
        send_first(&field, session);
        field.clock.jump_wall(TimeDelta::minutes(minutes));
        field.clock.advance(3 * SECOND);
        steps_until_wait(&mut flush);
        let claimed: i64 = sql(&field).query_row("SELECT count(*) FROM outbox WHERE state = 'leased'", [], |row| row.get(0)).unwrap();
        let shown = reason(&field, session);
        field.transport.release();
        eventually("it ends", || steps_until_wait(&mut flush).is_none());
        assert_eq!(claimed, 0, "the first one is in flight; {minutes} minutes");
        assert_eq!(shown.as_deref(), Some("in_flight"), "{minutes} minutes");
        assert_eq!(outcomes(&field, session), ["sent"], "{minutes} minutes");
    }
}

#[test]
fn a_clock_that_changes_twice_costs_no_message_whose_second_attempt_died_with_its_process() {
    let (gate, time) = (Gate::shut(), Time::default());
    let (passes, knows) = (gate.clone(), time.clone());
    let count = std::sync::atomic::AtomicUsize::new(0);
    let (mut field, _) = phone(move |request| {
        let now = Timestamp::from_timestamp(1_800_000_600, 0).unwrap() + TimeDelta::from_std(knows.monotonic()).unwrap()
            - TimeDelta::seconds(1_000);
        let signed: i64 = header(request, "webhook-timestamp").parse().unwrap();
        if count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 1 {
            passes.pass();
        }
        let status = if (now.timestamp() - signed).abs() <= 300 { 202 } else { 400 };
        Ok(answer_with(status, &[("date", &http_date(now))]))
    });
    time.on(&field);
    field.secrets.set(SECRET_NAME, SECRET);
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    let session = field.complete();
    let never = CancelToken::new();
    let mut steps = field.compass.flush_steps(MINUTE, &never, false).unwrap();
    eventually("the corrected try is in flight", || {
        steps_until_wait(&mut steps);
        gate.came() == 1
    });
    steps_until_wait(&mut steps);
    drop(steps);
    field.compass.clone().kill();
    gate.open();
    field.open_again();
    // The platform sets the phone's clock right.
    field.clock.jump_wall(TimeDelta::minutes(10));
    field.clock.advance(5 * MINUTE);
    field.flush();
    assert_eq!(outcomes(&field, session), ["clock_skew", "interrupted", "clock_skew", "sent"]);
}

#[test]
fn what_was_in_flight_before_the_clock_was_set_back_does_not_begin_again() {
    // Less than an hour goes unseen by the age of the database.
    for minutes in [60, 20] {
        let (mut field, _) = phone(|_| Ok(answer(202)));
        field.clock.advance(30 * MINUTE);
        let session = field.complete();
        field.transport.hold("");
        let never = CancelToken::new();
        let mut steps = field.compass.flush_steps(MINUTE, &never, false).unwrap();
        steps_until_wait(&mut steps);
        field.transport.wait_for_requests(1);
        abandon_first(&field, session);
        send_first(&field, session);
        drop(steps);
        field.compass.clone().kill();
        field.transport.release();
        field.open_again();
        field.compass.set_connectivity(Connectivity::Offline);
        field.clock.jump_wall(-TimeDelta::minutes(minutes));
        field.next_due();
        field.flush();
        field.advance_to(field.now() + TimeDelta::minutes(minutes) - TimeDelta::seconds(30));
        field.compass.set_connectivity(ONLINE);
        let shown = reason(&field, session);
        assert_eq!(field.flush().sent, 1, "{minutes} minutes: {shown:?}");
    }
}

#[test]
fn what_was_claimed_when_the_clock_was_set_back_is_due_when_it_is_released_and_stays_so() {
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let (field, receivers) = phone_with(
        |_| Ok(answer(500)),
        |options| {
            one_at_a_time(options);
            options.secrets = secrets_store.clone();
        },
    );
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    let sessions = [(); 2].map(|()| field.complete());
    field.flush();
    receivers.take();
    // One that arrives, so that both are claimed together: the second waits for its turn.
    field.complete();
    assert_eq!(field.flush().sent, 1);
    field.clock.advance(10 * SECOND);
    secrets_store.gate.close();
    let asked = secrets_store.gate.came();
    let cancel = CancelToken::new();
    let (compass, token) = (field.compass.clone(), cancel.clone());
    let running = std::thread::spawn(move || compass.flush(MINUTE, &token).unwrap());
    secrets_store.gate.wait_for(asked + 1);
    field.clock.jump_wall(-TimeDelta::days(5));
    field.next_due();
    cancel.cancel();
    joined("the flush", running);
    secrets_store.gate.open();
    field.compass.set_connectivity(Connectivity::Offline);
    field.clock.advance(4 * DAY + 12 * HOUR);
    field.compass.set_connectivity(ONLINE);
    let waits = sessions.map(|session| field.delivery(session).next_attempt_at.map(|at| at - field.now()));
    assert_eq!(field.flush().sent, 2, "they wait for {waits:?}");
}

#[test]
fn a_damaged_row_lets_no_other_due_time_of_a_clock_far_ahead_begin_again() {
    let (field, _) = phone_with(|_| Ok(answer(500)), one_at_a_time);
    let [damaged, undamaged] = [(); 2].map(|()| field.complete());
    field.flush();
    let claimed = "state = 'leased', lease_owner = 'nobody', lease_until = 1, in_flight_until = 1";
    damage(&field, &format!("UPDATE outbox SET {claimed} WHERE id = {}", entry(&field, damaged)));
    field.clock.jump_wall(-TimeDelta::days(5));
    field.next_due();
    let sql = sql(&field);
    let due = |session| {
        let sql = sql.prepare("SELECT due_at FROM outbox WHERE id = ?1");
        sql.unwrap().query_row([entry(&field, session)], |row| row.get::<_, i64>(0)).unwrap() <= field.now().timestamp_millis()
    };
    assert_eq!([damaged, undamaged].map(due), [false, true], "the undamaged one is due for good");
}

#[test]
fn a_pause_that_cannot_be_stored_at_once_is_kept_although_the_clock_is_set_back_and_right_again() {
    let (field, receivers) = phone(|_| Ok(answer_with(503, &[("retry-after", "36000")])));
    field.complete();
    field.transport.hold("");
    let mut job = field.compass.flush_steps(10 * MINUTE, &CancelToken::new(), false).unwrap();
    steps_until_wait(&mut job);
    field.transport.wait_for_requests(1);
    // Another process has the file when the answer comes, and the clock is wrong while storing it fails.
    let other = sql(&field);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    field.transport.release();
    eventually("the answer has come", || job.is_woken());
    field.clock.jump_wall(TimeDelta::hours(-20));
    steps_until_wait(&mut job);
    field.clock.jump_wall(TimeDelta::hours(20));
    other.execute_batch("COMMIT").unwrap();
    receivers.take();
    eventually("the job ends", || steps_until_wait(&mut job).is_none());
    field.flush();
    assert!(status(&field, OFFICE).paused_until.is_some());
    assert_eq!(field.transport.requests().len(), 1, "the receiver wants to be left alone for ten hours");
}
