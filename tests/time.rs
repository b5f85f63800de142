//! Weeks and years of delivery on a clock that is set by hand: schedules, budgets, clocks that jump, and receivers that are gone for a month.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use compass_core::model::*;
use compass_core::port::{Clock, FailureKind, Phase, RequestSent, SystemRandom, TransportRequest};
use compass_core::testing::{Answer, ManualClock, ScriptedTransport, answer, answer_with, failure};
use compass_core::{Compass, Error};
use support::field::*;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const ONLINE: Connectivity = Connectivity::Online { validated: Some(true), metered: false };

fn no_network() -> Answer {
    Err(failure(FailureKind::NoNetwork, Phase::Connect, RequestSent::No))
}

/// A receiver that can be mended, and a note of when each request came.
#[derive(Default)]
struct Receiver {
    well: Arc<AtomicBool>,
    clock: Arc<Mutex<Option<Arc<ManualClock>>>>,
    times: Arc<Mutex<Vec<Timestamp>>>,
}

impl Receiver {
    /// Answers like this until it is mended.
    fn ill(sick: impl Fn(&TransportRequest) -> Answer + Send + Sync + 'static, jitter: bool) -> (Self, Field) {
        let receiver = Self::default();
        let (well, clock, times) = (receiver.well.clone(), receiver.clock.clone(), receiver.times.clone());
        let transport = ScriptedTransport::new(move |request| {
            if let Some(clock) = &*clock.lock().unwrap() {
                times.lock().unwrap().push(clock.now());
            }
            if well.load(Ordering::SeqCst) { Ok(answer(202)) } else { sick(request) }
        });
        let field = Field::with(transport, |options| {
            if jitter {
                options.random = Arc::new(SystemRandom);
            }
        });
        *receiver.clock.lock().unwrap() = Some(field.clock.clone());
        (receiver, field)
    }

    fn mend(&self) {
        self.well.store(true, Ordering::SeqCst);
    }

    fn times(&self) -> Vec<Timestamp> {
        self.times.lock().unwrap().clone()
    }
}

/// Lets time pass until the next thing is due, and does it. Gives what was done; none when nothing comes by time alone.
fn step(field: &Field) -> Option<FlushReport> {
    let due = field.next_due();
    let at = due.at.into_iter().chain(due.at_needs_unmetered).min()?;
    assert!(at - field.now() <= TimeDelta::hours(24), "nothing is put off for longer than a day: {at}");
    field.advance_to(at);
    Some(field.flush())
}

fn failed_reason(field: &Field, session: SessionKey) -> Option<String> {
    let action = field.action(session);
    (action.status == ActionStatus::Failed).then(|| action.reason.unwrap_or_default())
}

fn seconds(span: TimeDelta) -> f64 {
    span.num_milliseconds() as f64 / 1000.0
}

// The schedule ------------------------------------------------------------------------------------------------------------------------

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
fn a_budget_lasts_for_a_dozen_attempts_even_when_they_take_months() {
    // Online for a moment every week: two weeks are over after the third attempt.
    let (receiver, field) = Receiver::ill(|_| Ok(answer(503)), false);
    let session = field.complete();
    for week in 1..=12 {
        assert_eq!(failed_reason(&field, session), None, "in week {week}");
        assert_eq!(field.flush().attempts, 1);
        field.clock.advance(7 * DAY);
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
    let (mut ended, mut mended) = (0, 0);
    for validated in [None, Some(true)] {
        // One phone for all of them; each outcome has an endpoint of its own.
        let outcomes = Arc::new(outcomes());
        let (well, script) = (Arc::new(AtomicBool::new(false)), outcomes.clone());
        let mended_now = well.clone();
        let field = Field::new(ScriptedTransport::new(move |request| {
            let number: usize = request.url.rsplit('/').next().unwrap().parse().unwrap();
            if mended_now.load(Ordering::SeqCst) {
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
            field.compass.set_connectivity(Connectivity::Online { validated, metered: false });
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
            mended += usize::from(action.status == ActionStatus::Sent);
        }
    }
    assert!(ended > 20 && mended > 150, "{ended} ended, {mended} came through");
}

// Without signal ----------------------------------------------------------------------------------------------------------------------

#[test]
fn sixty_days_without_signal_cost_nothing() {
    for the_app_knows in [true, false] {
        let (receiver, field) = Receiver::ill(|_| no_network(), true);
        if the_app_knows {
            field.compass.set_connectivity(Connectivity::Offline);
        }
        let mut tries = 0;
        for day in 0..60 {
            if day % 3 == 0 {
                field.backlog(20, OFFICE);
            }
            // The app is opened now and then.
            for _ in 0..4 {
                let report = field.flush();
                assert_eq!((report.end, report.sent, report.failed), (FlushEnd::Offline, 0, 0));
                tries += report.attempts;
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
            assert_eq!(tries, 0);
        } else {
            assert!((1..=4 * 4 * 60).contains(&tries), "a few look whether there is a network, not all 400: {tries}");
        }

        receiver.mend();
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
fn a_wall_clock_that_jumps_ten_years_parks_nothing_and_storms_nothing() {
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
                    assert!(report.attempts as usize <= COUNT, "{place}: a storm of {}", report.attempts);
                    if stage != stages[3] {
                        // `flush` looks for a network whenever it is asked to; everything else waits for its time.
                        assert_eq!(field.flush().attempts, 0, "{place}: again at once");
                    }
                    assert_eq!(report.failed, 0, "{place}");
                    let due = field.next_due();
                    let at = due.at.unwrap_or_else(|| panic!("{place}: parked: {due:?}"));
                    assert!(at - field.now() <= TimeDelta::hours(25), "{place}: parked until {at}");
                }
                // Some more time with the trouble, then without.
                for _ in 0..20 {
                    let report = step(&field).unwrap_or_else(|| panic!("{place}: parked"));
                    assert!(report.attempts as usize <= COUNT, "{place}");
                }
                receiver.mend();
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
        // Somebody else who flushes meanwhile does not take what is in the air.
        field.transport.release();
        let report = in_time("the flush", PATIENCE, move || running.join().unwrap());
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
    say("in the air");
    loop {
        std::thread::park();
    }
}

/// A process is killed with two of three messages in the air. Gives the folder, and the ids of those.
fn after_a_crash() -> (tempfile::TempDir, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crashed.db");
    let mut process = Process::run("a_process_that_dies_in_the_middle_of_an_attempt", &[("DATABASE", path.to_str().unwrap())]);
    let begun: Vec<String> = std::iter::from_fn(|| process.line()).take_while(|line| line != "in the air").collect();
    process.kill();
    (folder, begun)
}

#[test]
fn a_lease_dies_by_itself_after_a_crash() {
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
fn a_lease_of_a_clock_that_was_wrong_dies_too() {
    for years in [10, -10] {
        let (folder, _) = after_a_crash();
        let field = Field::with(ScriptedTransport::always(202), |options| options.path = folder.path().join("crashed.db"));
        field.clock.jump_wall(TimeDelta::days(365 * years));
        assert_eq!(field.next_due().at, Some(field.now()));
        assert_eq!(field.flush().sent, 3, "{years} years");
    }
}

// Patience ----------------------------------------------------------------------------------------------------------------------------

#[test]
fn retry_after_holds_for_the_whole_endpoint_and_is_cut_at_a_day() {
    for (asked, hours) in [("7200", 2), ("1000000000000", 24), ("99999999999999999999999", 24), ("Fri, 31 Dec 2100 23:59:59 GMT", 24)] {
        for status in [429, 503] {
            let (receiver, field) = Receiver::ill(move |_| Ok(answer_with(status, &[("retry-after", asked)])), false);
            field.complete();
            field.flush();
            receiver.mend();
            let until = field.now() + TimeDelta::hours(hours);
            assert_eq!(field.next_due().at, Some(until), "{asked}");
            let status = &field.compass.endpoints().unwrap()[0];
            assert_eq!(status.paused_until, Some(until));
            // What comes later waits as well.
            let later = field.complete();
            assert_eq!(field.flush().attempts, 0);
            assert_eq!(field.delivery(later).next_attempt_at, Some(until));
            field.advance_to(until - TimeDelta::milliseconds(1));
            assert_eq!(field.flush().attempts, 0, "never before it was asked to");
            field.advance_to(until);
            assert_eq!(field.flush().sent, 2);
        }
    }
}

#[test]
fn an_hour_of_429_with_many_entries_costs_one_look_at_a_time() {
    let (receiver, field) = Receiver::ill(|_| Ok(answer(429)), true);
    field.backlog(200, OFFICE);
    let end = field.now() + TimeDelta::hours(1);
    while field.next_due().at.is_some_and(|at| at <= end) {
        step(&field);
    }
    // Two may fly at once at first, then one in each minute, or less often.
    let count = receiver.times().len();
    assert!((3..=62).contains(&count), "{count} requests in an hour");
    receiver.mend();
    while step(&field).is_some() {}
    assert_eq!(field.messages(&[DeliveryState::Sent]).len(), 200);
}

#[test]
fn a_receiver_that_is_down_for_thirty_days_gets_everything_in_the_end() {
    let (receiver, field) = Receiver::ill(|_| Err(failure(FailureKind::Timeout, Phase::Receive, RequestSent::Maybe)), true);
    field.backlog(40, OFFICE);
    let up_again = field.now() + TimeDelta::days(30);
    let mut next_visit = field.now() + TimeDelta::days(5);
    while let Some(at) = field.next_due().at.filter(|at| *at < up_again) {
        // Work goes on meanwhile.
        if at >= next_visit {
            next_visit += TimeDelta::days(5);
            field.complete();
        }
        step(&field);
    }
    let downtime = receiver.times().len();
    assert!(downtime <= 30 * 24 * 3, "not more often than it is told to: {downtime} requests in thirty days");
    let failed = field.messages(&[DeliveryState::Failed]);
    assert!(failed.iter().all(|item| item.delivery.reason.as_deref() == Some("exhausted")));
    assert!(failed.iter().all(|item| item.delivery.attempts >= 12));

    field.advance_to(up_again);
    receiver.mend();
    while step(&field).is_some() {}
    assert_eq!(field.messages(&[DeliveryState::Pending]).len(), 0);
    // Whoever mends the endpoint brings the rest along.
    field.compass.set_endpoint_enabled(OFFICE, false).unwrap();
    field.compass.set_endpoint_enabled(OFFICE, true).unwrap();
    field.flush();
    let all = field.messages(&ALL_STATES);
    assert!(all.iter().all(|item| item.delivery.state == DeliveryState::Sent));
    assert_eq!(all.len(), 45);
}

#[test]
fn one_message_that_always_fails_holds_up_no_other() {
    let poison = Arc::new(Mutex::new(String::new()));
    let known = poison.clone();
    let field = Field::new(ScriptedTransport::new(move |request| {
        Ok(answer(if header(request, "webhook-id") == *known.lock().unwrap() { 500 } else { 202 }))
    }));
    let bad = field.complete();
    *poison.lock().unwrap() = field.delivery(bad).id.0;
    field.backlog(200, OFFICE);
    let report = field.flush();
    assert_eq!((report.sent, report.retrying, report.pending), (200, 1, 1));
    // Nor later: every day brings new ones.
    while failed_reason(&field, bad).is_none() {
        let session = field.complete();
        field.flush();
        assert_eq!(field.action(session).status, ActionStatus::Sent);
        step(&field).expect("the bad one is tried again");
    }
    assert_eq!(failed_reason(&field, bad).as_deref(), Some("exhausted"));
}

#[test]
fn a_dead_endpoint_holds_up_no_other() {
    let field = Field::in_real_time(ScriptedTransport::always(202));
    field.compass.put_endpoint(&endpoint("depot", "https://depot.example/")).unwrap();
    field.transport.hold("https://depot.example/");
    field.backlog(60, "depot");
    field.backlog(60, OFFICE);
    field.compass.start_delivery().unwrap();
    let sent_to_office =
        |compass: &Compass| messages(compass, &[DeliveryState::Sent]).iter().filter(|item| item.delivery.endpoint == OFFICE).count();
    Watch::on(&field.compass).until("the office has all of its messages", |compass| sent_to_office(compass) == 60);
    field.transport.release();
    Watch::on(&field.compass).until("the depot has its messages too", |compass| compass.outbox_totals().unwrap().pending == 0);
}

// Sends, locks and revival ------------------------------------------------------------------------------------------------------------

#[test]
fn more_than_three_failed_sends_lock_and_every_send_is_the_same_message() {
    let (receiver, field) = Receiver::ill(|_| Ok(answer(422)), false);
    let session = field.complete();
    let id = field.delivery(session).id;
    field.flush();
    for sends in 1..=3 {
        let action = field.action(session);
        assert_eq!((action.status, action.failed_sends, action.locked), (ActionStatus::Failed, sends, false));
        field.compass.send(session, "tell-0", Some("anna"), &support::field::id()).unwrap();
        assert_eq!(field.action(session).status, ActionStatus::Pending);
        assert_eq!(field.flush().failed, 1);
    }
    let action = field.action(session);
    assert_eq!((action.failed_sends, action.locked, action.can_send, action.can_send_corrected), (4, true, false, false));
    assert!(matches!(field.compass.send(session, "tell-0", None, &support::field::id()), Err(Error::ActionLocked { failed_sends: 4, .. })));
    assert!(matches!(field.compass.send_corrected(session, "tell-0", None, &support::field::id()), Err(Error::ActionLocked { .. })));
    assert_eq!(field.compass.send_failed_again(None).unwrap(), 0);

    let requests = field.transport.requests();
    assert_eq!(requests.len(), 4);
    for (index, request) in requests.iter().enumerate() {
        assert_eq!((header(request, "webhook-id"), &request.body), (id.0.clone(), &requests[0].body));
        assert_eq!(header(request, "compass-attempt"), (index + 1).to_string());
    }
    // Its bytes were refused: a better endpoint does not change that.
    receiver.mend();
    field.compass.put_endpoint(&endpoint(OFFICE, "https://office.example/new")).unwrap();
    assert_eq!(field.flush().attempts, 0);
    assert_eq!(field.action(session).status, ActionStatus::Failed);
}

#[test]
fn revival_by_a_mended_endpoint_neither_counts_nor_is_locked() {
    let (receiver, field) = Receiver::ill(|_| Ok(answer(404)), false);
    let session = field.complete();
    let id = field.delivery(session).id;
    let fail = |field: &Field| {
        while field.action(session).status != ActionStatus::Failed {
            step(field).expect("it is tried until it fails");
        }
    };
    fail(&field);
    assert_eq!(field.action(session).failed_sends, 1);
    for number in 0..5 {
        // The same endpoint again mends nothing.
        let url = format!("https://office.example/{number}");
        field.compass.put_endpoint(&endpoint(OFFICE, &url)).unwrap();
        assert_eq!(field.action(session).status, ActionStatus::Pending, "revived by change {number}");
        fail(&field);
        assert_eq!(field.action(session).failed_sends, 1, "by itself, so it does not count");
        field.compass.put_endpoint(&endpoint(OFFICE, &url)).unwrap();
        assert_eq!(field.action(session).status, ActionStatus::Failed);
    }
    while !field.action(session).locked {
        field.compass.send(session, "tell-0", None, &support::field::id()).unwrap();
        fail(&field);
    }
    assert_eq!(field.action(session).failed_sends, 4);
    receiver.mend();
    field.compass.set_endpoint_enabled(OFFICE, false).unwrap();
    field.compass.set_endpoint_enabled(OFFICE, true).unwrap();
    assert_eq!(field.flush().sent, 1, "locked for the person, not for the endpoint");
    assert!(field.transport.requests().iter().all(|request| header(request, "webhook-id") == id.0));
}

#[test]
fn a_gone_endpoint_stops_everything_until_it_is_enabled() {
    let (receiver, field) = Receiver::ill(|_| Ok(answer(410)), false);
    field.backlog(30, OFFICE);
    let report = field.flush();
    assert!((1..=2).contains(&report.failed), "as many as were in the air: {report:?}");
    assert_eq!(report.attempts, report.failed);
    let status = &field.compass.endpoints().unwrap()[0];
    assert_eq!((status.enabled, status.disabled_reason.as_deref()), (false, Some("gone")));
    assert_eq!(field.next_due(), NextDue { needs_person: true, ..NextDue::default() });
    assert!(field.messages(&[DeliveryState::Pending]).iter().all(|item| item.delivery.reason.as_deref() == Some("endpoint_disabled")));
    field.clock.advance(30 * DAY + MINUTE);
    assert_eq!(field.flush().attempts, 0);
    receiver.mend();
    field.compass.set_endpoint_enabled(OFFICE, true).unwrap();
    assert_eq!(field.flush().sent, 30, "the gone ones and those that waited");
}
