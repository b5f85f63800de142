//! Attempts of a person that never leave: they are not the one of their pause, and the urgent request outlasts them.

use super::*;

/// Calls that are carried out when the test says so.
#[derive(Default)]
struct HeldBlocking {
    calls: Mutex<Vec<(BlockingCall, Reply)>>,
    /// Where requests went, and how much time they had.
    left: Mutex<Vec<(String, Duration)>>,
    /// There is no thread.
    refuses: Mutex<bool>,
}

impl Blocking for HeldBlocking {
    fn begin(&self, call: BlockingCall, reply: Reply) -> std::io::Result<()> {
        if *self.refuses.lock().unwrap() {
            return Err(std::io::Error::other("no thread"));
        }
        self.calls.lock().unwrap().push((call, reply));
        Ok(())
    }

    fn is_simulated(&self) -> bool {
        true
    }
}

impl HeldBlocking {
    /// Carries these calls out; requests that may leave are answered like this.
    fn carry_out(&self, which: fn(&BlockingCall) -> bool, says: &TransportResponse) {
        let calls = std::mem::take(&mut *self.calls.lock().unwrap());
        let (now, later): (Vec<_>, Vec<_>) = calls.into_iter().partition(|(call, _)| which(call));
        self.calls.lock().unwrap().extend(later);
        for (call, reply) in now {
            let found = |_| SecretLookup::Found { current: SecretValue::new(SECRET.to_owned()), previous: None };
            let brought = match call {
                BlockingCall::Secrets { wanted, .. } => BlockingAnswer::Secrets(wanted.iter().map(found).collect()),
                BlockingCall::Send { request, send_check } => BlockingAnswer::Sent(match send_check.time_left() {
                    Some(time) => {
                        self.left.lock().unwrap().push((request.url, time));
                        Ok(says.clone())
                    }
                    None => Err(failure(FailureKind::Cancelled, Phase::Resolve, RequestSent::No)),
                }),
                BlockingCall::Cancel(_) | BlockingCall::Renew => BlockingAnswer::Done,
            };
            if let Some(late) = reply(brought) {
                late();
            }
        }
    }

    /// What is not carried out never is.
    fn forget(&self) {
        self.calls.lock().unwrap().clear();
    }

    fn sent_to(&self, url: &str) -> usize {
        self.left.lock().unwrap().iter().filter(|(left, _)| left == url).count()
    }
}

/// How a job ends while nothing of what it has claimed for a person has left.
const NOTHING_HAS_LEFT: [&str; 2] = ["a secret is looked up", "a request waits for a thread"];

#[test]
fn an_urgent_request_outlives_a_job_that_is_cancelled_before_a_request_has_left() {
    for (when, alone) in NOTHING_HAS_LEFT.into_iter().flat_map(|when| [(when, false), (when, true)]) {
        let held = Arc::new(HeldBlocking::default());
        let given = held.clone();
        let (field, _) = phone_with(
            |_| Ok(answer(202)),
            move |options| {
                options.blocking = Some(given);
                options.retry.in_flight_total = 2;
            },
        );
        field.secrets.set(SECRET_NAME, SECRET);
        for key in ["a", "b"] {
            field.compass.put_endpoint(&signed(key, &url(key))).unwrap();
            complete_for(&field, key);
        }
        // Both receivers ask for a pause of ten hours.
        let mut first = field.compass.flush_steps(MINUTE, &CancelToken::new(), false).unwrap();
        eventually("both have answered", || {
            held.carry_out(|_| true, &answer_with(503, &[("retry-after", "36000")]));
            steps_until_wait(&mut first).is_none()
        });
        field.clock.advance(2 * MINUTE);
        field.complete();
        let cancel = CancelToken::new();
        let mut job = field.compass.flush_steps(2 * MINUTE, &cancel, false).unwrap();
        steps_until_wait(&mut job);
        let mut person = field.compass.flush_steps(2 * MINUTE, &CancelToken::new(), true).unwrap();
        steps_until_wait(&mut person);
        steps_until_wait(&mut job);
        if alone {
            // What was in flight when the person asked ends before.
            held.carry_out(|call| matches!(call, BlockingCall::Send { request, .. } if request.url == OFFICE_URL), &answer(202));
            field.clock.advance(3 * SECOND);
            steps_until_wait(&mut job);
        }
        if when == "a request waits for a thread" {
            held.carry_out(|call| matches!(call, BlockingCall::Secrets { .. }), &answer(202));
            steps_until_wait(&mut job);
        }
        let (claimed, urgent_at) = (leased(&field), urgent_times(&field));
        assert_eq!(claimed, if alone { 2 } else { 3 }, "{when}: two for the person");
        cancel.cancel();
        steps_until_wait(&mut job);
        held.forget();
        if when == "a request waits for a thread" {
            assert_eq!(urgent_at, 1, "it was about to leave");
        }
        eventually("the person's flush ends", || {
            held.carry_out(|_| true, &answer(202));
            steps_until_wait(&mut person).is_none()
        });
        let sent = ["a", "b"].map(|key| held.sent_to(&url(key)));
        assert_eq!(sent, [2, 2], "{when}, alone: {alone}: a person waits for an attempt at each");
    }
}

#[test]
fn an_urgent_attempt_is_not_begun_by_a_job_that_has_too_little_time_by_then() {
    let (field, receivers) = phone_with(|_| Ok(answer_with(503, &[("retry-after", "36000")])), |options| options.retry.in_flight_total = 2);
    for key in ["a", "b"] {
        register(&field, key);
        complete_for(&field, key);
    }
    field.flush();
    receivers.take();
    field.clock.advance(2 * MINUTE);
    field.complete();
    field.transport.hold("");
    let mut job = field.compass.flush_steps(40 * SECOND, &CancelToken::new(), false).unwrap();
    steps_until_wait(&mut job);
    field.transport.wait_for_requests(3);
    let mut person = field.compass.flush_steps(5 * MINUTE, &CancelToken::new(), true).unwrap();
    steps_until_wait(&mut person);
    steps_until_wait(&mut job);
    field.transport.wait_for_requests(4);
    // One of two has begun; when it has ended, the job has no time for the other one.
    field.clock.advance(25 * SECOND);
    field.transport.hold(OFFICE_URL);
    eventually("the first has ended", || {
        steps_until_wait(&mut job);
        !field.messages(&[DeliveryState::Sent]).is_empty()
    });
    field.transport.release();
    eventually("both have ended", || [&mut job, &mut person].map(|steps| steps_until_wait(steps).is_none()) == [true, true]);
    let requests = field.transport.requests();
    let times: Vec<Duration> = requests[3..].iter().map(|request| request.timeout).collect();
    assert_eq!(times, [30 * SECOND; 2], "a person had five minutes");
    assert_eq!(field.messages(&[DeliveryState::Sent]).len(), 3);
}

#[test]
fn an_urgent_attempt_that_never_left_is_not_the_one_of_its_pause() {
    for when in ["no time is left when there is a thread", "there is no thread"] {
        let held = Arc::new(HeldBlocking::default());
        let given = held.clone();
        let (field, _) = phone_with(|_| Ok(answer(202)), move |options| options.blocking = Some(given));
        field.complete();
        let mut first = field.compass.flush_steps(MINUTE, &CancelToken::new(), false).unwrap();
        eventually("it is asked for a pause", || {
            held.carry_out(|_| true, &answer_with(503, &[("retry-after", "36000")]));
            steps_until_wait(&mut first).is_none()
        });
        field.clock.advance(2 * MINUTE);
        // A job of the system's scheduler that has a few seconds.
        *held.refuses.lock().unwrap() = when == "there is no thread";
        let mut job = field.compass.flush_steps(5 * SECOND, &CancelToken::new(), true).unwrap();
        steps_until_wait(&mut job);
        field.clock.advance(5 * SECOND);
        eventually("the job has ended", || {
            held.carry_out(|_| true, &answer(202));
            steps_until_wait(&mut job).is_none()
        });
        assert_eq!((held.sent_to(OFFICE_URL), urgent_times(&field)), (1, 0), "{when}: nothing has left");
        *held.refuses.lock().unwrap() = false;
        let mut person = field.compass.flush_steps(MINUTE, &CancelToken::new(), true).unwrap();
        eventually("the person's flush has ended", || {
            held.carry_out(|_| true, &answer(202));
            steps_until_wait(&mut person).is_none()
        });
        assert_eq!(held.sent_to(OFFICE_URL), 2, "{when}: a person has had no attempt in this pause");
    }
}

#[test]
fn an_urgent_attempt_is_not_taken_over_by_a_job_that_would_cut_it_short() {
    let held = Arc::new(HeldBlocking::default());
    let given = held.clone();
    let (field, _) = phone_with(|_| Ok(answer(202)), move |options| options.blocking = Some(given));
    field.secrets.set(SECRET_NAME, SECRET);
    field.compass.put_endpoint(&signed(OFFICE, OFFICE_URL)).unwrap();
    let session = field.complete();
    let mut first = field.compass.flush_steps(MINUTE, &CancelToken::new(), false).unwrap();
    eventually("it is asked for a pause", || {
        held.carry_out(|_| true, &answer_with(503, &[("retry-after", "36000")]));
        steps_until_wait(&mut first).is_none()
    });
    field.clock.advance(2 * MINUTE);
    // With a worker beside them, the one that drives next goes on with what a flush has begun.
    let worker = field.compass.delivery_steps().unwrap();
    let (cancel, never) = (CancelToken::new(), CancelToken::new());
    let mut one = field.compass.flush_steps(5 * MINUTE, &cancel, true).unwrap();
    steps_until_wait(&mut one);
    let mut other = field.compass.flush_steps(5 * MINUTE, &never, true).unwrap();
    steps_until_wait(&mut other);
    let mut job = field.compass.flush_steps(6 * SECOND, &never, false).unwrap();
    steps_until_wait(&mut job);
    cancel.cancel();
    assert_eq!(steps_until_wait(&mut one), None);
    assert_eq!(leased(&field), 1, "another person waits for it");
    held.carry_out(|_| true, &answer(202));
    eventually("the job has ended", || {
        held.carry_out(|_| true, &answer(202));
        steps_until_wait(&mut job).is_none()
    });
    eventually("the person's flush has ended", || {
        held.carry_out(|_| true, &answer(202));
        steps_until_wait(&mut other).is_none()
    });
    drop(worker);
    assert!(is_sent(&field.compass, session));
    let left = held.left.lock().unwrap();
    assert_eq!((left.len(), left[1].1), (2, 30 * SECOND), "a person had five minutes");
}

fn leased(field: &Field) -> i64 {
    sql(field).query_row("SELECT count(*) FROM outbox WHERE state = 'leased'", [], |row| row.get(0)).unwrap()
}

/// At how many endpoints a person has had an attempt.
fn urgent_times(field: &Field) -> i64 {
    sql(field).query_row("SELECT count(*) FROM endpoint WHERE last_urgent_at IS NOT NULL", [], |row| row.get(0)).unwrap()
}
