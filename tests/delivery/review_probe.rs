//! Probes of one review: each fails where a promise is broken.

use compass_core::testing::{BlockingAnswer, BlockingCall};

use super::*;

/// Flushes while requests hang, until the flush is over or so many requests have come. Gives how many came.
fn requests_of_a_flush(field: &Field, compass: &Compass, wanted: usize) -> usize {
    let cancel = CancelToken::new();
    let (compass, token) = (compass.clone(), cancel.clone());
    let running = std::thread::spawn(move || compass.flush(MINUTE, &token).unwrap());
    eventually("the flush ends or a request comes", || running.is_finished() || field.transport.requests().len() >= wanted);
    cancel.cancel();
    joined("the flush", running);
    field.transport.requests().len()
}

#[test]
fn a_request_that_hangs_when_the_clock_is_set_back_parks_no_message() {
    for back in [TimeDelta::hours(1), TimeDelta::days(3653)] {
        let (field, _) = phone(|_| Ok(answer(202)));
        let session = field.complete();
        left_behind(&field, 1);
        field.clock.jump_wall(-back);
        // More than any lease lasts.
        field.clock.advance(10 * MINUTE);
        let came = requests_of_a_flush(&field, &field.compass, 2);
        let (due, shown) = (field.next_due(), field.delivery(session));
        field.transport.release();
        assert_eq!(came, 2, "{back}: its lease is void; {due:?}, {:?} until {:?}", shown.reason, shown.next_attempt_at);
    }
}

#[test]
fn a_secret_that_took_four_seconds_is_used_by_the_worker() {
    // Holds: for comparison with the next one.
    slow_secret(false);
}

#[test]
fn a_short_flush_beside_the_worker_does_not_pause_an_endpoint_for_a_secret_that_came() {
    slow_secret(true);
}

fn slow_secret(beside_a_short_flush: bool) {
    let secrets_store = SlowSecrets::new();
    secrets_store.set(SECRET_NAME, SECRET);
    let given = secrets_store.clone();
    let (field, _) = phone_with(|_| Ok(answer(202)), move |options| options.secrets = given);
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    let session = field.complete();
    let mut worker = field.compass.delivery_steps().unwrap().unwrap();
    secrets_store.gate.close();
    steps_until_wait(&mut worker);
    secrets_store.gate.wait_for(1);
    // The store takes four of the thirty seconds that the try has.
    field.clock.advance(4 * SECOND);
    let never = CancelToken::new();
    if beside_a_short_flush {
        let mut job = field.compass.flush_steps(2 * SECOND, &never, false).unwrap();
        steps_until_wait(&mut job);
        steps_until_wait(&mut worker);
        steps_until_wait(&mut job);
        secrets_store.gate.open();
        eventually("it came", || job.is_woken());
        steps_until_wait(&mut job);
        field.clock.advance(2 * SECOND);
        eventually("the job has ended", || steps_until_wait(&mut job).is_none());
    } else {
        secrets_store.gate.open();
        eventually("it came", || worker.is_woken());
    }
    for _ in 0..50 {
        steps_until_wait(&mut worker);
        if is_sent(&field.compass, session) {
            return;
        }
        field.clock.advance(Duration::from_millis(100));
        std::thread::yield_now();
    }
    panic!("paused: {:?} until {:?}, now {}", status(&field, OFFICE).pause_reason, status(&field, OFFICE).paused_until, field.now());
}

#[test]
fn a_try_that_hangs_beyond_its_lease_does_not_hide_what_needs_a_person() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    left_behind(&field, 1);
    field.compass.archive_endpoint(OFFICE).unwrap();
    field.clock.advance(HOUR);
    field.flush();
    let state: String = sql(&field).query_row("SELECT state FROM outbox", [], |row| row.get(0)).unwrap();
    let shown = field.delivery(session);
    let (totals, due) = (field.compass.outbox_totals().unwrap(), field.next_due());
    field.transport.release();
    assert_eq!(state, "queued");
    assert_eq!(shown.reason.as_deref(), Some("endpoint_archived"));
    assert_eq!((totals.needs_person, due.needs_person), (1, true));
}

#[test]
fn the_list_and_next_due_agree_on_a_try_that_hangs_beyond_its_lease() {
    let (field, _) = phone(|_| Ok(answer(500)));
    let session = field.complete();
    left_behind(&field, 1);
    field.clock.advance(HOUR);
    let (shown, due) = (field.delivery(session), field.next_due());
    field.transport.release();
    assert_eq!(shown.next_attempt_at.is_some(), due.at.is_some(), "{:?} {:?}, {due:?}", shown.reason, shown.next_attempt_at);
}

#[test]
fn what_another_process_sends_again_while_it_is_in_the_air_waits_for_what_that_brings() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    let other = Compass::open(field.options.clone().as_other_process()).unwrap();
    field.transport.hold("");
    let running = flushing(&field.compass);
    field.transport.wait_for_requests(1);
    let key = field.action(session).key;
    assert!(other.abandon(session, &key, "anna", "handed in on paper", &id()).unwrap().in_flight);
    other.send(session, &key, Some("anna"), &id()).unwrap();
    let came = requests_of_a_flush(&field, &other, 2);
    field.transport.release();
    joined("the flush", running);
    other.close().unwrap();
    assert_eq!(came, 1, "the first one is in the air");
}

#[test]
fn what_is_given_up_by_another_process_and_sent_again_here_waits_for_what_is_in_the_air() {
    // Both by the process that has nothing in the air, delivered by the one that has.
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    let other = Compass::open(field.options.clone().as_other_process()).unwrap();
    field.transport.hold("");
    let running = flushing(&field.compass);
    field.transport.wait_for_requests(1);
    let key = field.action(session).key;
    assert!(other.abandon(session, &key, "anna", "handed in on paper", &id()).unwrap().in_flight);
    other.send(session, &key, Some("anna"), &id()).unwrap();
    field.clock.advance(5 * SECOND);
    field.compass.refresh().unwrap();
    assert_eq!(field.transport.requests().len(), 1);
    field.transport.release();
    joined("the flush", running);
    other.close().unwrap();
    assert!(is_sent(&field.compass, session));
    assert_eq!(field.transport.requests().len(), 1);
}

#[test]
fn a_flush_that_ends_leaves_what_runs_to_the_flush_that_waits() {
    let (field, _) = phone(|_| Ok(answer(202)));
    let session = field.complete();
    field.transport.hold("");
    let cancel = CancelToken::new();
    let (compass, token) = (field.compass.clone(), cancel.clone());
    let first = std::thread::spawn(move || compass.flush(MINUTE, &token).unwrap());
    field.transport.wait_for_requests(1);
    let never = CancelToken::new();
    let mut second = field.compass.flush_steps(2 * MINUTE, &never, false).unwrap();
    steps_until_wait(&mut second);
    cancel.cancel();
    joined("the first flush", first);
    field.transport.release();
    eventually("it is sent", || {
        steps_until_wait(&mut second);
        is_sent(&field.compass, session)
    });
    assert_eq!(field.transport.requests().len(), 1, "sent once");
}

#[test]
fn switching_an_endpoint_off_and_on_ends_no_pause_that_a_receiver_asked_for() {
    let (field, receivers) = phone(|_| Ok(answer_with(429, &[("retry-after", "3600")])));
    field.complete();
    field.flush();
    receivers.take();
    field.compass.set_endpoint_enabled(OFFICE, false).unwrap();
    field.compass.set_endpoint_enabled(OFFICE, true).unwrap();
    field.flush();
    assert_eq!(field.transport.requests().len(), 1, "it asked for an hour");
}

/// Numbers that look random, the same for one seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Real threads, two handles on one file, and everything that an app may do at any moment; then all is well for good.
fn storm(seed: u64, time: Duration) {
    let roll = Arc::new(Mutex::new(Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)));
    let dice = roll.clone();
    let well = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_well = well.clone();
    let taken: Arc<Mutex<std::collections::BTreeMap<String, u32>>> = Arc::default();
    let takes = taken.clone();
    let transport = ScriptedTransport::new(move |request| {
        let is_well = is_well.load(std::sync::atomic::Ordering::SeqCst);
        let (wait, what) = {
            let mut dice = dice.lock().unwrap();
            // Some take longer than anybody waits for what cannot be interrupted.
            (if dice.roll(12) == 0 { 2_600 } else { dice.roll(30) }, if is_well { 0 } else { dice.roll(9) })
        };
        std::thread::sleep(Duration::from_millis(wait));
        match what {
            0..=3 => {
                *takes.lock().unwrap().entry(header(request, "webhook-id")).or_default() += 1;
                // Taken, and the answer may be lost.
                if what == 3 { Err(failure(FailureKind::Timeout, Phase::Receive, RequestSent::Maybe)) } else { Ok(answer(202)) }
            }
            4 => Ok(answer(500)),
            5 => no_network(request),
            6 => Err(failure(FailureKind::Refused, Phase::Connect, RequestSent::No)),
            7 => Ok(answer(401)),
            _ => Ok(answer_with(429, &[("retry-after", "1")])),
        }
    });
    let field = Field::with(transport, |options| {
        options.clock = Arc::new(SystemClock::default());
        options.retry.online_spread = Duration::ZERO;
        options.retry.schedule = vec![Duration::from_millis(50)];
        options.retry.slow_schedule = vec![Duration::from_millis(50); 200];
        options.retry.overload_floor = Duration::from_millis(10);
        options.retry.breaker_longest_pause = Duration::from_millis(100);
        options.retry.offline_first = Duration::from_millis(20);
        options.retry.offline_longest = Duration::from_millis(100);
        options.retry.max_failed_sends = 1_000;
    });
    field.secrets.set(SECRET_NAME, SECRET);
    let _hold = field.compass.resume().unwrap();
    let other = Compass::open(field.options.clone().as_other_process()).unwrap();
    let sessions: Arc<Mutex<Vec<SessionKey>>> = Arc::default();
    let until = Instant::now() + time;
    let threads: Vec<_> = (0..6u64)
        .map(|number| {
            let compass = if number % 3 == 2 { other.clone() } else { field.compass.clone() };
            let sessions = sessions.clone();
            let mut dice = Dice((seed + 1) * 1_000 + number * 77 + 1);
            std::thread::spawn(move || {
                let mut holds = Vec::new();
                while Instant::now() < until {
                    let some = { sessions.lock().unwrap().get(dice.roll(40) as usize).copied() };
                    let key = "tell-0";
                    match dice.roll(20) {
                        0..=2 if sessions.lock().unwrap().len() < 40 => {
                            let Ok(started) = compass.start(&Start::new("visit", id())) else { continue };
                            if compass.complete(started.view.key, started.view.visit).is_ok() {
                                sessions.lock().unwrap().push(started.view.key);
                            }
                        }
                        3 | 4 => {
                            let began = Instant::now();
                            let deadline = Duration::from_millis(dice.roll(5_000));
                            let _ = compass.flush(deadline, &CancelToken::new());
                            assert!(began.elapsed() < deadline + Duration::from_millis(700), "{:?} of {deadline:?}", began.elapsed());
                        }
                        5 => {
                            let cancel = CancelToken::new();
                            let token = cancel.clone();
                            let wait = Duration::from_millis(dice.roll(100));
                            let canceller = std::thread::spawn(move || {
                                std::thread::sleep(wait);
                                token.cancel();
                            });
                            let _ = compass.flush_urgent(20 * SECOND, &cancel);
                            canceller.join().unwrap();
                        }
                        6 => {
                            let began = Instant::now();
                            compass.quiesce().unwrap();
                            assert!(began.elapsed() < Duration::from_millis(2_700), "quiesce took {:?}", began.elapsed());
                        }
                        7 | 8 => holds.push(compass.resume().unwrap()),
                        9 => drop(holds.pop()),
                        10 => compass.start_delivery().unwrap(),
                        11 => compass.stop_delivery().unwrap(),
                        12 => drop(compass.set_endpoint_enabled(OFFICE, dice.roll(2) == 0)),
                        13 => {
                            let url = if dice.roll(2) == 0 { OFFICE_URL.to_owned() } else { url("moved") };
                            let endpoint = if dice.roll(2) == 0 { signed(OFFICE, &url) } else { endpoint(OFFICE, &url) };
                            drop(compass.put_endpoint(&endpoint));
                        }
                        14 => drop(compass.set_integration_enabled(dice.roll(2) == 0)),
                        15 => compass.set_connectivity(if dice.roll(2) == 0 { Connectivity::Offline } else { ONLINE }),
                        16 => drop(some.map(|session| compass.abandon(session, key, "anna", "paper", &id()))),
                        17 => drop(some.map(|session| compass.send(session, key, Some("anna"), &id()))),
                        18 => drop(compass.secrets_changed()),
                        _ => drop((compass.next_due(), compass.outbox_totals(), compass.refresh())),
                    }
                    std::thread::sleep(Duration::from_millis(dice.roll(20)));
                }
                drop(holds);
            })
        })
        .collect();
    for thread in threads {
        joined("the storm", thread);
    }
    // All is well for good.
    well.store(true, std::sync::atomic::Ordering::SeqCst);
    other.close().unwrap();
    let _holds = [field.compass.resume().unwrap(), field.compass.resume().unwrap()];
    field.compass.set_integration_enabled(true).unwrap();
    field.compass.set_endpoint_enabled(OFFICE, true).unwrap();
    field.compass.put_endpoint(&endpoint(OFFICE, &url("last"))).unwrap();
    field.compass.set_connectivity(ONLINE);
    let _ = field.compass.send_failed_again(Some("anna"));
    let began = Instant::now();
    while field.compass.outbox_totals().unwrap().pending > 0 {
        assert!(began.elapsed() < Duration::from_secs(75), "what waits: {:#?}", field.messages(&[DeliveryState::Pending]));
        let _ = field.compass.flush(5 * SECOND, &CancelToken::new()).unwrap();
        std::thread::sleep(Duration::from_millis(50));
    }
    let taken = taken.lock().unwrap();
    for item in field.messages(&ALL_STATES) {
        let id = item.delivery.id.0.clone();
        let (attempts, unknown): (u32, u32) = sql(&field)
            .query_row("SELECT attempts, unknown_outcomes FROM outbox WHERE delivery_id = ?1", [&id], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        let copies = taken.get(&id).copied().unwrap_or(0);
        let most = unknown + u32::from(item.delivery.state == DeliveryState::Sent);
        assert!(copies <= most, "{copies} copies of {attempts} tries, {unknown} unknown: {:?}", item.delivery);
        assert!(item.delivery.state != DeliveryState::Sent || copies > 0, "sent without a 2xx");
    }
    assert_eq!(field.compass.check().unwrap().faults, Vec::<String>::new());
    field.compass.close().unwrap();
}

#[test]
#[ignore = "takes its time"]
fn a_storm_of_threads_and_processes_keeps_the_promises() {
    let first: u64 = std::env::var("STORM").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    for seed in first..first + 6 {
        println!("storm {seed}");
        storm(seed, 12 * SECOND);
    }
}

/// Calls that are carried out when the test says so.
#[derive(Default)]
struct Held(Mutex<Vec<(BlockingCall, compass_core::testing::Reply)>>);

impl compass_core::testing::Blocking for Held {
    fn begin(&self, call: BlockingCall, reply: compass_core::testing::Reply) -> std::io::Result<()> {
        self.0.lock().unwrap().push((call, reply));
        Ok(())
    }
}

#[test]
fn a_try_whose_request_found_no_thread_in_time_is_counted_once() {
    let held = Arc::new(Held::default());
    let given = held.clone();
    let (field, _) = phone_with(|_| Ok(answer(202)), move |options| options.blocking = Some(given));
    let session = field.complete();
    let never = CancelToken::new();
    let mut flush = field.compass.flush_steps(HOUR, &never, false).unwrap();
    steps_until_wait(&mut flush);
    // The device sleeps longer than the try has, and then the thread asks whether the request may leave.
    field.clock.advance(31 * SECOND);
    let calls = std::mem::take(&mut *held.0.lock().unwrap());
    for (call, reply) in calls {
        let BlockingCall::Send { departure, .. } = call else { panic!("a request") };
        assert_eq!(departure.time_left(), None);
        let never_left = failure(FailureKind::Cancelled, Phase::Resolve, RequestSent::No);
        drop(reply(BlockingAnswer::Sent(Err(never_left))));
    }
    field.compass.set_integration_enabled(false).unwrap();
    let report = loop {
        match flush.step() {
            StepOutcome::Again => {}
            StepOutcome::Wait { until } => field.clock.advance(until.unwrap().saturating_sub(field.options.clock.monotonic())),
            StepOutcome::Done(report) => break report.unwrap().unwrap(),
        }
    };
    assert_eq!(field.delivery(session).attempts, 0, "nothing left");
    assert_eq!(report.attempts, 1, "{report:?}");
}
