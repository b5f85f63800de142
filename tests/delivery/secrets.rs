//! Secrets: typed wrong, stored while they are asked for, slow to come, refused.

use super::*;

/// A phone with a signed office, whose secrets come from here.
fn with_slow_secrets(script: impl Fn(&TransportRequest) -> Answer + Send + Sync + 'static) -> (Field, Arc<SlowSecrets>, Receivers) {
    let secrets_store = SlowSecrets::new();
    let (field, receivers) = phone_with(script, |options| options.secrets = secrets_store.clone());
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    (field, secrets_store, receivers)
}

/// An endpoint with a token in a header.
fn with_token(key: &str) -> Endpoint {
    let header = EndpointHeader { name: "authorization".to_owned(), value: HeaderValue::Secret("token".to_owned()) };
    Endpoint { headers: vec![header], ..endpoint(key, &url(key)) }
}

#[test]
fn a_secret_that_was_mistyped_once_is_right_once_it_is_corrected() {
    for mistyped in ["whsec_mistyped", "hunter2", ""] {
        let (field, _) = phone(|_| Ok(answer(202)));
        field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
        let session = field.complete();
        field.secrets.set(SECRET_NAME, mistyped);
        field.flush();
        assert_eq!(reason(&field, session).as_deref(), Some("secret_invalid"));
        assert!(field.next_due().needs_person);
        // The store keeps the typo as the secret before.
        field.secrets.set(SECRET_NAME, SECRET);
        field.compass.secrets_changed().unwrap();
        assert!(!field.next_due().needs_person);
        assert_eq!(field.flush().sent, 1, "{mistyped}");
        let signature = header(&field.transport.requests()[0], "webhook-signature");
        assert_eq!(signature.split(' ').count(), 1, "by the right one alone: {signature}");
    }
}

#[test]
fn a_secret_that_is_stored_while_it_is_looked_up_is_used_at_once() {
    for (before, worker) in [(None, false), (None, true), (Some("hunter2"), false), (Some("hunter2"), true)] {
        let (field, secrets_store, _) = with_slow_secrets(|_| Ok(answer(202)));
        if let Some(mistyped) = before {
            secrets_store.set(SECRET_NAME, mistyped);
        }
        let session = field.complete();
        secrets_store.gate.close();
        let running = if worker {
            field.compass.start_delivery().unwrap();
            None
        } else {
            Some(flushing(&field.compass))
        };
        // It has been found missing or wrong, but that is not known yet.
        secrets_store.gate.wait_for(1);
        secrets_store.set(SECRET_NAME, SECRET);
        field.compass.secrets_changed().unwrap();
        secrets_store.gate.open();
        Watch::on(&field.compass).until("it is sent", |compass| is_sent(compass, session));
        if let Some(running) = running {
            joined("the flush", running);
        }
        let office = status(&field, OFFICE);
        assert_eq!((office.paused_until, office.pause_reason), (None, None));
        assert!(!field.next_due().needs_person);
        assert_eq!(secrets_store.asked().len(), 2);
    }
}

#[test]
fn new_secrets_end_no_pause_that_a_receiver_asked_for() {
    let (field, _) = phone(|_| Ok(answer_with(429, &[("retry-after", "7200")])));
    field.secrets.set(SECRET_NAME, SECRET);
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    field.complete();
    field.flush();
    let pause = status(&field, OFFICE).paused_until;
    assert_eq!(pause, Some(field.now() + TimeDelta::milliseconds(7_200_500)));
    field.compass.secrets_changed().unwrap();
    assert_eq!(status(&field, OFFICE).paused_until, pause);
    assert_eq!(field.flush().attempts, 0);
}

#[test]
fn new_secrets_revive_only_what_names_one() {
    // The office and the lab refuse what they get; only the office has a secret.
    let (field, receivers) = phone(|_| Ok(answer(401)));
    field.secrets.set(SECRET_NAME, SECRET);
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    register(&field, "lab");
    let (office, lab) = (field.complete(), complete_for(&field, "lab"));
    while [office, lab].iter().any(|session| field.action(*session).status != ActionStatus::Failed) {
        let at = field.next_due().at.unwrap();
        field.advance_to(at);
        field.flush();
    }
    receivers.take();
    field.compass.secrets_changed().unwrap();
    assert_eq!(field.flush().sent, 1);
    assert!(is_sent(&field.compass, office));
    assert_eq!(field.action(lab).reason.as_deref(), Some("auth"));
    // Of what failed for another reason nothing is revived either.
    receivers.now(|_| Ok(answer(404)));
    let session = field.complete();
    while field.action(session).status != ActionStatus::Failed {
        field.advance_to(field.next_due().at.unwrap());
        field.flush();
    }
    receivers.take();
    field.compass.secrets_changed().unwrap();
    assert_eq!(field.flush().attempts, 0);
}

#[test]
fn a_store_of_secrets_that_hangs_makes_no_two_messages_of_one_and_delays_no_other_endpoint() {
    let secrets_store = SlowSecrets::new();
    let (field, _) = phone_with(
        |_| Ok(answer(202)),
        |options| {
            options.secrets = secrets_store.clone();
            options.retry.in_flight_total = 2;
        },
    );
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    register(&field, "lab");
    secrets_store.set(SECRET_NAME, SECRET);
    let session = field.complete();
    secrets_store.gate.close();
    for hanging in 1..=4 {
        let running = flushing(&field.compass);
        secrets_store.gate.wait_for(hanging);
        // Cut short: all the time of an attempt went by, and nothing has left.
        field.clock.advance(31 * SECOND);
        let report = joined("the flush", running);
        assert_eq!((report.sent, report.pending), (0, 1));
        let delivery = field.delivery(session);
        assert_eq!((delivery.attempts, delivery.may_have_been_delivered), (0, false));
        assert_eq!(delivery.reason.as_deref(), Some("secret_unavailable"));
        field.clock.advance(16 * MINUTE);
    }
    // No fifth one begins beside four that hang.
    let elsewhere = complete_for(&field, "lab");
    assert_eq!((field.flush().sent, secrets_store.gate.came()), (1, 4));
    assert!(is_sent(&field.compass, elsewhere));
    field.clock.advance(16 * MINUTE);
    assert_eq!((field.flush().attempts, secrets_store.gate.came()), (0, 4));
    // What they bring in the end begins nothing; the next one does.
    secrets_store.gate.open();
    eventually("the message leaves", || field.flush().sent == 1);
    assert_eq!(requests_to(&field, OFFICE_URL), 1, "one request for one message");
}

#[test]
fn a_lease_that_ran_out_while_a_secret_was_looked_up_is_not_used() {
    let (field, secrets_store, _) = with_slow_secrets(|_| Ok(answer(202)));
    secrets_store.set(SECRET_NAME, SECRET);
    let session = field.complete();
    secrets_store.gate.close();
    let running = flushing(&field.compass);
    secrets_store.gate.wait_for(1);
    // Only the wall clock knows that: somebody has set it, or the phone slept.
    field.clock.jump_wall(TimeDelta::seconds(58));
    secrets_store.gate.open();
    joined("the flush", running);
    field.clock.jump_wall(TimeDelta::seconds(60));
    field.flush();
    assert!(is_sent(&field.compass, session));
    assert_eq!(field.transport.requests().len(), 1);
}

#[test]
fn the_time_that_a_secret_takes_is_part_of_the_attempt() {
    let (field, secrets_store, _) = with_slow_secrets(|_| Ok(answer(202)));
    secrets_store.set(SECRET_NAME, SECRET);
    field.complete();
    secrets_store.gate.close();
    let running = flushing(&field.compass);
    secrets_store.gate.wait_for(1);
    field.clock.advance(20 * SECOND);
    secrets_store.gate.open();
    assert_eq!(joined("the flush", running).sent, 1);
    assert_eq!(field.transport.requests()[0].timeout, 10 * SECOND);
}

#[test]
fn a_secret_is_asked_for_with_the_origin_it_is_wanted_for() {
    let (field, secrets_store, _) = with_slow_secrets(|_| Ok(answer(202)));
    secrets_store.set(SECRET_NAME, SECRET);
    for (url, origin) in [
        ("https://office.example/hook?a=b", "https://office.example"),
        ("https://OFFICE.example:8443/", "https://office.example:8443"),
        ("https://office.example:443/x", "https://office.example"),
        ("https://[2001:db8::1]:9/", "https://[2001:db8::1]:9"),
    ] {
        field.compass.put_endpoint(&signed(OFFICE, url)).unwrap();
        field.complete();
        assert_eq!(field.flush().sent, 1, "{url}");
        assert_eq!(secrets_store.asked().last().unwrap(), &(SECRET_NAME.to_owned(), origin.to_owned()), "{url}");
    }
}

// Refused tokens ----------------------------------------------------------------------------------------------------------------------

/// A receiver that takes this token alone.
fn takes(token: &'static str) -> impl Fn(&TransportRequest) -> Answer + Send + Sync + 'static {
    move |request| Ok(answer(if header(request, "authorization") == token { 202 } else { 401 }))
}

/// A store of secrets that gets a new token when it hears that one was refused.
struct Renewing {
    secrets_store: Arc<SlowSecrets>,
    next: Mutex<Vec<&'static str>>,
}

impl Secrets for Renewing {
    fn get(&self, name: &str, origin: &str) -> SecretLookup {
        self.secrets_store.get(name, origin)
    }

    fn refused(&self, name: &str, origin: &str) {
        Secrets::refused(&*self.secrets_store, name, origin);
        if let Some(token) = self.next.lock().unwrap().pop() {
            self.secrets_store.set(name, token);
        }
    }
}

/// A phone whose token is `old` until it is refused; then these come, one after the other.
fn with_tokens(script: impl Fn(&TransportRequest) -> Answer + Send + Sync + 'static, next: &[&'static str]) -> (Field, Arc<SlowSecrets>) {
    let secrets_store = SlowSecrets::new();
    secrets_store.set("token", "old");
    let renewing = Renewing { secrets_store: secrets_store.clone(), next: Mutex::new(next.iter().rev().copied().collect()) };
    let (field, _) = phone_with(script, |options| options.secrets = Arc::new(renewing));
    field.compass.put_endpoint(&with_token(OFFICE)).unwrap();
    (field, secrets_store)
}

fn told(times: usize) -> Vec<(String, String)> {
    vec![("token".to_owned(), "https://office.example".to_owned()); times]
}

#[test]
fn a_token_that_expired_is_refused_once_and_the_new_one_used_at_once() {
    for code in [401, 403] {
        let (field, secrets_store) =
            with_tokens(move |request| Ok(answer(if header(request, "authorization") == "new" { 202 } else { code })), &["new"]);
        let session = field.complete();
        let report = field.flush();
        assert_eq!((report.attempts, report.sent), (2, 1), "{code}");
        assert_eq!(secrets_store.refused(), told(1), "{code}");
        assert_eq!(outcomes(&field, session), ["auth", "sent"]);
        assert_eq!(counted(&field, session), 1, "the first one counts as any other");
        let later = field.complete();
        field.flush();
        assert_eq!(field.delivery(later).attempts, 1);
        assert_eq!(secrets_store.refused().len(), 1);
    }
}

#[test]
fn attempts_of_an_endpoint_wait_for_one_new_token() {
    let (field, secrets_store) = with_tokens(takes("new"), &["new"]);
    field.backlog(12, OFFICE);
    let report = field.flush();
    assert_eq!(report.sent, 12);
    assert_eq!(secrets_store.refused(), told(1));
    let refused = field.transport.requests().iter().filter(|request| header(request, "authorization") == "old").count();
    assert!(refused <= 2, "those that were in flight: {refused}");
}

#[test]
fn a_token_without_a_new_one_is_tried_slowly_and_told_once() {
    let (field, secrets_store) = with_tokens(takes("new"), &[]);
    let session = field.complete();
    assert_eq!(field.flush().attempts, 1);
    for (attempts, minutes) in [(1, 5), (2, 120), (3, 600)] {
        assert_eq!(field.delivery(session).next_attempt_at, Some(field.now() + TimeDelta::minutes(minutes)), "after attempt {attempts}");
        assert_eq!(secrets_store.refused(), told(1), "once per value");
        field.advance_to(field.delivery(session).next_attempt_at.unwrap());
        assert_eq!(field.flush().attempts, 1);
    }
    // One that comes later by itself is used at the next attempt.
    secrets_store.set("token", "new");
    field.advance_to(field.delivery(session).next_attempt_at.unwrap());
    assert_eq!(field.flush().sent, 1);
}

#[test]
fn each_slow_step_has_one_more_attempt_at_once_and_no_more() {
    // Each token is worse than the one before.
    let (field, secrets_store) = with_tokens(|_| Ok(answer(401)), &["b", "c", "d", "e", "f", "g"]);
    let session = field.complete();
    assert_eq!(field.flush().attempts, 2, "one more at once, whatever comes next");
    assert_eq!(secrets_store.refused().len(), 2);
    let waits = field.delivery(session).next_attempt_at.unwrap() - field.now();
    assert_eq!(waits, TimeDelta::hours(2), "both have counted");
    let mut attempts = 2;
    while field.action(session).status != ActionStatus::Failed {
        field.advance_to(field.delivery(session).next_attempt_at.unwrap());
        let report = field.flush();
        assert!((1..=2).contains(&report.attempts));
        attempts += report.attempts;
    }
    assert_eq!((attempts, field.action(session).reason.as_deref()), (6, Some("auth")), "no more than without new tokens");
}

#[test]
fn of_a_signing_secret_it_is_never_told_that_it_was_refused() {
    let (field, secrets_store, _) = with_slow_secrets(|_| Ok(answer(401)));
    secrets_store.set(SECRET_NAME, SECRET);
    let session = field.complete();
    assert_eq!(field.flush().attempts, 1);
    assert_eq!(reason(&field, session).as_deref(), Some("auth"));
    assert_eq!((secrets_store.refused(), secrets_store.asked().len()), (Vec::new(), 1));
}

#[test]
fn a_token_is_refused_for_its_origin_alone() {
    let (field, secrets_store) = with_tokens(|request| Ok(answer(if request.url.contains("lab") { 202 } else { 401 })), &[]);
    field.compass.put_endpoint(&with_token("lab")).unwrap();
    field.complete();
    let lab = complete_for(&field, "lab");
    field.flush();
    assert!(is_sent(&field.compass, lab));
    assert_eq!(secrets_store.refused(), told(1));
}

/// Another secret of the same form, which the receiver does not know.
const OLD_SECRET: &str = "whsec_b2xkIGtleSBvbGQga2V5IG9sZCBrZXkgb2xkIGtleQ==";

#[test]
fn secrets_that_changed_while_an_old_one_was_in_flight_are_used_at_once() {
    // The first attempt, which the old secret only delays, and the last one, after which it would wait for a person.
    for attempts in [0, 5] {
        let (field, receivers) = phone(|_| Ok(answer(401)));
        field.secrets.set(SECRET_NAME, OLD_SECRET);
        field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
        let session = field.complete();
        for _ in 0..attempts {
            field.flush();
            field.clock.advance(2 * DAY);
        }
        let before = field.transport.requests().len();
        let running = field.flush_held(&field.compass, OFFICE_URL, before + 1);
        field.secrets.set(SECRET_NAME, SECRET);
        field.compass.secrets_changed().unwrap();
        field.transport.release();
        field.transport.wait_until_quiet();
        receivers.take();
        joined("the flush", running);
        field.clock.advance(MINUTE);
        field.flush();
        assert!(is_sent(&field.compass, session), "after {attempts} attempts: {:?}", reason(&field, session));
    }
}

/// The first look-up of each attempt is answered at once, the one for a newer token at the gate.
struct SlowToRenew {
    asked: std::sync::atomic::AtomicU32,
    gate: Arc<Gate>,
}

impl Secrets for SlowToRenew {
    fn get(&self, _: &str, _: &str) -> SecretLookup {
        let before = self.asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        if before % 2 == 1 {
            self.gate.pass();
        }
        SecretLookup::Found { current: SecretValue::new(format!("token-{before}")), previous: None }
    }
}

#[test]
fn a_refusal_is_recorded_and_holds_no_place_when_the_flush_ends_while_a_newer_token_is_fetched() {
    let gate = Gate::shut();
    let slow = Arc::new(SlowToRenew { asked: Default::default(), gate: gate.clone() });
    let script = |request: &TransportRequest| Ok(answer(if request.url.starts_with(&url(OFFICE)) { 401 } else { 202 }));
    let (field, _) = phone_with(script, |options| {
        options.secrets = slow;
        options.retry.in_flight_total = 1;
    });
    field.compass.put_endpoint(&with_token(OFFICE)).unwrap();
    register(&field, "lab");
    let session = field.complete();
    let compass = field.compass.clone();
    let running = std::thread::spawn(move || drop(compass.flush(30 * SECOND, &CancelToken::new())));
    gate.wait_for(1);
    field.compass.quiesce().unwrap();
    joined("the flush", running);
    gate.open();
    let hold = field.compass.resume().unwrap();
    let attempts = field.delivery(session).last_attempts;
    assert!(attempts.iter().any(|attempt| attempt.status == Some(401)), "{attempts:?}");
    let session = complete_for(&field, "lab");
    eventually("the lab gets its message", || {
        field.flush();
        is_sent(&field.compass, session)
    });
    drop(hold);
}

/// A store of secrets that says that they changed whenever it is asked.
struct Restless {
    compass: Mutex<Option<Compass>>,
    asked: std::sync::atomic::AtomicU32,
}

impl Secrets for Restless {
    fn get(&self, _: &str, _: &str) -> SecretLookup {
        self.asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        if let Some(compass) = &*self.compass.lock().unwrap() {
            compass.secrets_changed().unwrap();
        }
        SecretLookup::Unavailable
    }
}

#[test]
fn a_store_that_tells_of_a_change_when_it_is_asked_is_not_asked_without_end() {
    let restless = Arc::new(Restless { compass: Mutex::default(), asked: Default::default() });
    let (field, _) = phone_with(|_| Ok(answer(202)), |options| options.secrets = restless.clone());
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    field.complete();
    *restless.compass.lock().unwrap() = Some(field.compass.clone());
    field.flush();
    *restless.compass.lock().unwrap() = None;
    let asked = restless.asked.load(std::sync::atomic::Ordering::SeqCst);
    assert!((1..20).contains(&asked), "asked {asked} times in one flush");
}

/// A store that takes nearly all of a short window for each answer.
struct Slow(Mutex<Option<Arc<ManualClock>>>, std::sync::atomic::AtomicU32);

impl Secrets for Slow {
    fn get(&self, _: &str, _: &str) -> SecretLookup {
        if let Some(clock) = &*self.0.lock().unwrap() {
            clock.advance(Duration::from_millis(7_500));
        }
        self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        SecretLookup::Found { current: SecretValue::new(SECRET.to_owned()), previous: None }
    }
}

#[test]
fn a_store_that_takes_its_time_is_not_asked_without_result_in_every_window() {
    let store = Arc::new(Slow(Mutex::default(), std::sync::atomic::AtomicU32::new(0)));
    let (field, _) = phone_with(|_| Ok(answer(202)), |options| options.secrets = store.clone());
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    *store.0.lock().unwrap() = Some(field.clock.clone());
    let session = field.complete();
    for _ in 0..20 {
        field.compass.flush(10 * SECOND, &CancelToken::new()).unwrap();
        field.clock.advance(10 * SECOND);
    }
    let asked = store.1.load(std::sync::atomic::Ordering::Relaxed);
    assert!(asked <= 2, "{asked} times within six minutes");
    assert_eq!(field.delivery(session).reason.as_deref(), Some("secret_unavailable"));
    field.clock.advance(16 * MINUTE);
    assert_eq!(field.compass.flush(MINUTE, &CancelToken::new()).unwrap().sent, 1, "a longer window is enough");
}

/// A phone with an office that wants a secret or none and refuses what it gets, after five attempts of a message, of six that it has.
fn before_its_last_attempt(signs: bool) -> (Field, SessionKey) {
    let (field, _) = phone(|request| Ok(answer(if request.url == OFFICE_URL { 401 } else { 500 })));
    if signs {
        field.secrets.set(SECRET_NAME, SECRET);
        field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    }
    register(&field, "lab");
    let session = field.complete();
    for _ in 0..5 {
        field.flush();
        field.advance_to(field.delivery(session).next_attempt_at.unwrap());
    }
    (field, session)
}

#[test]
fn what_has_nothing_to_do_with_its_secrets_gives_no_fresh_budget_to_what_was_refused() {
    type Change = fn(&Field, SessionKey);
    let abandoned_elsewhere: Change = |field, other| {
        field.compass.abandon(other, "tell-0", "anna", "handed in on paper", &id()).unwrap();
    };
    let another_moves: Change = |field, _| field.compass.put_endpoint(&endpoint("lab", "https://new.example/hook")).unwrap();
    let switched_off_and_on: Change = |field, _| {
        field.compass.set_integration_enabled(false).unwrap();
        field.compass.set_integration_enabled(true).unwrap();
    };
    let secrets_of_others: Change = |field, _| field.compass.secrets_changed().unwrap();
    for (signs, change) in [
        (true, abandoned_elsewhere),
        (true, another_moves),
        (true, switched_off_and_on),
        (false, abandoned_elsewhere),
        (false, secrets_of_others),
    ] {
        let (field, session) = before_its_last_attempt(signs);
        let other = complete_for(&field, "lab");
        let running = field.flush_held(&field.compass, "", 6);
        change(&field, other);
        field.transport.release();
        joined("the flush", running);
        assert_eq!(field.action(session).reason.as_deref(), Some("auth"));
        assert_eq!((field.action(session).status, requests_to(&field, OFFICE_URL)), (ActionStatus::Failed, 6));
    }
}

#[test]
fn secrets_that_another_process_changed_count_as_well() {
    let (field, session) = before_its_last_attempt(true);
    let running = field.flush_held(&field.compass, "", 6);
    let other = field.other_process();
    other.secrets_changed().unwrap();
    field.transport.release();
    joined("the flush", running);
    assert_eq!(field.action(session).status, ActionStatus::Pending, "the new secret has budgets of its own");
}

#[test]
fn new_secrets_revive_what_was_refused_also_where_the_endpoint_is_disabled_just_now() {
    let (field, receivers) = phone_with(|_| Ok(answer(401)), |options| options.retry.slow_schedule.truncate(1));
    field.secrets.set(SECRET_NAME, OLD_SECRET);
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    let session = field.complete();
    field.flush();
    field.advance_to(field.delivery(session).next_attempt_at.unwrap());
    field.flush();
    assert_eq!(field.action(session).reason.as_deref(), Some("auth"));
    field.compass.set_endpoint_enabled(OFFICE, false).unwrap();
    field.secrets.set(SECRET_NAME, SECRET);
    field.compass.secrets_changed().unwrap();
    assert_eq!(reason(&field, session).as_deref(), Some("endpoint_disabled"));
    receivers.take();
    field.compass.set_endpoint_enabled(OFFICE, true).unwrap();
    field.flush();
    assert!(is_sent(&field.compass, session));
}

#[test]
fn a_short_flush_that_leaves_a_look_up_to_the_worker_pauses_no_endpoint() {
    let mut found = Vec::new();
    for beside_a_worker in [false, true] {
        let secrets_store = SlowSecrets::new();
        secrets_store.set(SECRET_NAME, SECRET);
        let given = secrets_store.clone();
        let (field, _) = phone_with(|_| Ok(answer(202)), move |options| options.secrets = given);
        field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
        let session = field.complete();
        let mut worker = beside_a_worker.then(|| field.compass.delivery_steps().unwrap().unwrap());
        let never = CancelToken::new();
        let mut job = field.compass.flush_steps(5 * SECOND, &never, false).unwrap();
        secrets_store.gate.close();
        steps_until_wait(&mut job);
        secrets_store.gate.wait_for(1);
        // The store takes five seconds. The flush has had its time before.
        field.clock.advance(4 * SECOND);
        eventually("the job has ended", || steps_until_wait(&mut job).is_none());
        if let Some(worker) = &mut worker {
            steps_until_wait(worker);
        }
        field.clock.advance(SECOND);
        secrets_store.gate.open();
        eventually("the look-up has ended", || !secrets_store.asked().is_empty());
        nothing_is_in_flight(&field, session, worker.as_mut());
        let office = status(&field, OFFICE);
        found.push((beside_a_worker, office.pause_reason, office.paused_until.map(|at| at - field.now()), reason(&field, session)));
    }
    assert!(found.iter().all(|(_, pause, ..)| pause.is_none()), "{found:#?}");
}
