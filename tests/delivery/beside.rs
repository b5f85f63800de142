//! Calls beside one another: a flush behind another one.

use super::*;

/// Takes steps until the end, whatever they wait for.
fn report(steps: &mut DeliverySteps) -> FlushReport {
    let end = Instant::now() + PATIENCE;
    loop {
        match steps.step() {
            StepOutcome::Again => {}
            StepOutcome::Wait { .. } if Instant::now() < end => std::thread::yield_now(),
            StepOutcome::Wait { .. } => panic!("it does not end"),
            StepOutcome::Done(report) => return report.unwrap().unwrap(),
        }
    }
}

// Waiting for the turn ---------------------------------------------------------------------------------------------------------------------

/// A job flushes, at an office that takes its time, and the lab waits: a flush beside it brings on an attempt at the lab.
fn behind_a_job(answers: fn(&TransportRequest) -> Answer, urgent: bool) {
    let (field, _) = phone(move |request| if request.url.starts_with(&url("lab")) { answers(request) } else { Ok(answer(202)) });
    register(&field, "lab");
    complete_for(&field, "lab");
    field.flush();
    field.complete();
    field.transport.hold(OFFICE_URL);
    let never = CancelToken::new();
    let mut job = field.compass.flush_steps(MINUTE, &never, false).unwrap();
    let lab = || requests_to(&field, &url("lab"));
    // What waits for a network is tried by the job itself, what a receiver wants later is not.
    let before = if urgent { 1 } else { 2 };
    eventually("the job has begun what it may", || {
        steps_until_wait(&mut job);
        requests_to(&field, OFFICE_URL) == 1 && lab() == before
    });
    eventually("the job waits for the office alone", || !job.is_woken() || steps_until_wait(&mut job).is_none());
    assert_eq!(lab(), before);
    let (stays, goes) = (CancelToken::new(), CancelToken::new());
    let mut person = field.compass.flush_steps(MINUTE, &stays, urgent).unwrap();
    let mut other = field.compass.flush_steps(MINUTE, &goes, urgent).unwrap();
    steps_until_wait(&mut person);
    steps_until_wait(&mut other);
    assert!(job.is_woken(), "whoever drives hears of it");
    // Another person does not wait any more. That is the end of one request, not of both.
    goes.cancel();
    assert_eq!(report(&mut other).end, FlushEnd::Cancelled);
    eventually("the lab is tried for the person", || {
        steps_until_wait(&mut job);
        lab() == before + 1
    });
    field.transport.release();
    assert_eq!(report(&mut job).sent, 1);
    report(&mut person);
    assert_eq!(lab(), before + 1, "once");
}

#[test]
fn an_urgent_flush_behind_another_one_gets_its_attempt() {
    behind_a_job(|_| Ok(answer_with(503, &[("retry-after", "3600")])), true);
}

#[test]
fn a_flush_behind_another_one_tries_what_waits_for_a_network() {
    behind_a_job(no_network, false);
}

#[test]
fn a_person_behind_a_job_gets_an_attempt_where_an_app_says_that_there_is_no_network() {
    let (field, _) = phone(|_| Ok(answer(202)));
    register(&field, "lab");
    field.complete();
    field.transport.hold(OFFICE_URL);
    let never = CancelToken::new();
    let mut job = field.compass.flush_steps(MINUTE, &never, false).unwrap();
    steps_until_wait(&mut job);
    field.transport.wait_for_requests(1);
    field.compass.set_connectivity(Connectivity::Offline);
    complete_for(&field, "lab");
    steps_until_wait(&mut job);
    assert_eq!(requests_to(&field, &url("lab")), 0);
    let mut person = field.compass.flush_steps(MINUTE, &never, true).unwrap();
    steps_until_wait(&mut person);
    eventually("the lab is tried for the person", || {
        steps_until_wait(&mut job);
        requests_to(&field, &url("lab")) == 1
    });
    field.transport.release();
    report(&mut job);
    report(&mut person);
}

#[test]
fn a_flush_that_waits_for_its_turn_hears_that_it_is_cancelled() {
    let (field, _) = phone(|_| Ok(answer(202)));
    field.complete();
    field.transport.hold("");
    let (never, cancel) = (CancelToken::new(), CancelToken::new());
    let mut first = field.compass.flush_steps(MINUTE, &never, false).unwrap();
    steps_until_wait(&mut first);
    let compass = field.compass.clone();
    let token = cancel.clone();
    let waiting = std::thread::spawn(move || compass.flush(MINUTE, &token).unwrap());
    eventually("the second one waits", || first.is_woken());
    cancel.cancel();
    assert_eq!(joined("the second flush", waiting).end, FlushEnd::Cancelled);
    field.transport.release();
    assert_eq!(report(&mut first).sent, 1);
}
