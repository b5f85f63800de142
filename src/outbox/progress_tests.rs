//! Entries over time, on a simulated clock.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::super::classify::{Context, classify};
use super::super::due::{at_once, due_since};
use super::super::outcome::{Answer, Cause, Outcome};
use super::*;
use crate::port::{FailureKind, Phase, RequestSent, TransportFailure};

fn start() -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000, 0).expect("a time")
}

fn context(net_ok: bool, now: Timestamp) -> Context {
    Context {
        validated: Some(net_ok),
        answered_lately: false,
        signed_for_ms: now.timestamp_millis(),
        clock_error_ms: None,
        resynced: false,
        interrupted: false,
    }
}

/// Without jitter.
fn facts(now: Timestamp) -> SettleFacts {
    SettleFacts { now, random: 0.5, unreachable: false, refresh_pending: false, came_as_asked: false }
}

fn status(status: u16) -> Outcome {
    Outcome::Answer(Answer { status, retry_after: None, date: None })
}

fn failure(kind: FailureKind, phase: Phase, request_sent: RequestSent) -> Outcome {
    Outcome::Failure(TransportFailure { kind, phase, request_sent, detail: String::new() })
}

fn no_network() -> Outcome {
    failure(FailureKind::NoNetwork, Phase::Connect, RequestSent::No)
}

/// One attempt from claim to settlement, without jitter.
fn attempt(progress: Progress, outcome: &Outcome, net_ok: bool, now: Timestamp) -> Settled {
    attempt_in(progress, outcome, &context(net_ok, now), &facts(now))
}

fn attempt_in(progress: Progress, outcome: &Outcome, context: &Context, facts: &SettleFacts) -> Settled {
    let policy = RetryPolicy::default();
    settle(&progress.claimed(), &classify(outcome, context, &policy), facts, &policy)
}

/// An attempt that we ended ourselves, after bytes had left.
fn cut_short(progress: Progress, now: Timestamp) -> Settled {
    let outcome = failure(FailureKind::Timeout, Phase::Receive, RequestSent::Maybe);
    attempt_in(progress, &outcome, &Context { interrupted: true, ..context(true, now) }, &facts(now))
}

/// In how many seconds it is attempted again.
fn wait(settled: &Settled, now: Timestamp) -> i64 {
    match settled.settlement {
        Settlement::Queued { due_at, .. } => (due_since(due_at) - now).num_seconds(),
        other => panic!("it waits: {other:?}"),
    }
}

/// Attempts whenever it is due, until the entry fails. Gives the delays in minutes (rounded down), the end, and how it ended.
fn until_failed(outcome: &Outcome) -> (Vec<i64>, Timestamp, &'static str, Progress) {
    let (mut progress, mut now, mut delays) = (Progress::default(), start(), Vec::new());
    loop {
        let settled = attempt(progress, outcome, true, now);
        progress = settled.progress;
        match settled.settlement {
            Settlement::Queued { due_at, .. } => {
                delays.push((due_at - now).num_minutes());
                now = due_at;
            }
            Settlement::Failed { reason } => return (delays, now, reason, progress),
            Settlement::Sent => panic!("nothing was delivered"),
        }
    }
}

#[test]
fn a_receiver_that_always_fails_is_tried_on_the_schedule_until_both_budgets_are_spent() {
    let (delays, end, reason, progress) = until_failed(&status(500));
    assert_eq!(reason, "exhausted");
    assert_eq!(delays[..9], [0, 5, 30, 120, 300, 600, 840, 1200, 1440]);
    assert!(delays[9..].iter().all(|delay| *delay == 1440));
    assert_eq!(progress.counted, 21, "twelve attempts came long before fourteen days had passed");
    assert!(end - start() >= TimeDelta::days(14) && end - start() < TimeDelta::days(15));
    assert_eq!(progress.unknown_outcomes, 0);
}

#[test]
fn months_between_two_failures_count_for_a_day() {
    let mut progress = Progress::default();
    let mut failures = 0;
    loop {
        let settled = attempt(progress, &status(500), true, start() + TimeDelta::days(failures * 30));
        (progress, failures) = (settled.progress, failures + 1);
        if settled.settlement == (Settlement::Failed { reason: "exhausted" }) {
            break;
        }
    }
    assert_eq!(failures, 15, "a phone that is online once a month");
    assert_eq!(progress.failing_for, Duration::from_secs(14 * 24 * 3600));
}

#[test]
fn a_clock_that_was_wrong_brings_a_failure_no_sooner_and_no_later() {
    let days = |days| start() + TimeDelta::days(days);
    for first in [Timestamp::UNIX_EPOCH, days(3650)] {
        let mut settled = attempt(Progress::default(), &status(500), true, first);
        assert_eq!(settled.progress.last_failure_at, Some(first));
        let mut now = start();
        while let Settlement::Queued { due_at, .. } = {
            settled = attempt(settled.progress, &status(500), true, now);
            settled.settlement
        } {
            now = due_at;
        }
        let lasted = now - start();
        assert!(lasted >= TimeDelta::days(13) && lasted < TimeDelta::days(16), "first failed at {first}, failed for good after {lasted}");
    }
    // Set back in between: the time that passed unseen is lost, no more.
    let before = Progress { counted: 3, failing_for: Duration::from_secs(60), last_failure_at: Some(days(3650)), ..Progress::default() };
    let after = attempt(before, &status(500), true, start()).progress;
    assert_eq!((after.failing_for, after.last_failure_at), (Duration::from_secs(60), Some(start())));
}

#[test]
fn the_slow_class_has_a_schedule_and_a_count_of_its_own() {
    for (outcome, expected) in [
        (status(401), "auth"),
        (status(302), "redirect"),
        (status(404), "not_found"),
        (status(409), "rejected"),
        (status(418), "rejected"),
        (status(101), "protocol"),
        (failure(FailureKind::Tls, Phase::Connect, RequestSent::No), "tls"),
    ] {
        let (delays, _, reason, progress) = until_failed(&outcome);
        assert_eq!(delays, [5, 120, 600, 1440, 1440]);
        assert_eq!((reason, progress.slow_counted, progress.counted), (expected, 6, 0));
    }
    let mixed = Progress { counted: 11, ..Progress::default() };
    assert_eq!(attempt(mixed, &status(401), true, start()).progress.counted, 11);
}

#[test]
fn sixty_days_offline_cost_nothing() {
    let (mut progress, mut now) = (Progress::default(), start());
    while now < start() + TimeDelta::days(60) {
        let settled = attempt(progress, &no_network(), false, now);
        let Settlement::Queued { due_at, reason: "offline" } = settled.settlement else { panic!("it waits for a network") };
        assert!(due_at > now && due_at - now <= TimeDelta::minutes(15));
        (progress, now) = (settled.progress, due_at);
    }
    assert_eq!((progress.counted, progress.slow_counted, progress.unknown_outcomes, progress.last_failure_at), (0, 0, 0, None));
    assert_eq!(progress.failing_for, Duration::ZERO);
    let settled = attempt(progress, &status(202), true, now);
    assert_eq!(settled.settlement, Settlement::Sent);
    assert_eq!(settled.progress.offline_attempts, 0);
}

#[test]
fn a_broken_connection_leaves_an_unknown_outcome_on_record() {
    let settled = attempt(Progress::default(), &failure(FailureKind::Closed, Phase::Receive, RequestSent::Maybe), true, start());
    assert_eq!(settled.progress.unknown_outcomes, 1);
    let settled = attempt(settled.progress, &status(500), true, start());
    assert_eq!((settled.progress.attempts, settled.progress.unknown_outcomes), (2, 1), "an answer settles only its own attempt");
    let clean = attempt(Progress::default(), &failure(FailureKind::Closed, Phase::Connect, RequestSent::No), true, start());
    assert_eq!(clean.progress.unknown_outcomes, 0);
}

#[test]
fn a_crash_in_the_middle_leaves_the_claim_on_record() {
    let after_crash = Progress::default().claimed();
    assert_eq!(after_crash.unknown_outcomes, 1);
    let settled = attempt(after_crash, &status(204), true, start());
    assert_eq!((settled.progress.attempts, settled.progress.unknown_outcomes), (2, 1));
}

#[test]
fn an_attempt_that_was_never_begun_or_cut_short_uses_no_budget() {
    assert_eq!(Progress::default().claimed().released(), Progress::default());
    let blocked = attempt(Progress::default(), &Outcome::NotAttempted(Cause::SecretMissing), true, start());
    assert_eq!(blocked.progress, Progress::default());
    assert_eq!(blocked.settlement, Settlement::Queued { due_at: start() + TimeDelta::minutes(15), reason: "secret_missing" });
    let cut = cut_short(Progress::default(), start());
    assert_eq!(cut.settlement, Settlement::Queued { due_at: at_once(start()), reason: "interrupted" });
    assert_eq!(cut.progress, Progress { attempts: 1, unknown_outcomes: 1, cut_short: 1, ..Progress::default() });
}

#[test]
fn attempts_that_are_cut_short_again_and_again_are_spaced() {
    let mut progress = Progress { offline_attempts: 7, ..Progress::default() };
    let mut waits = Vec::new();
    for _ in 0..10 {
        let settled = cut_short(progress, start());
        waits.push(wait(&settled, start()));
        progress = settled.progress;
    }
    assert_eq!(waits, [0, 0, 15, 30, 60, 120, 240, 480, 900, 900]);
    assert_eq!((progress.cut_short, progress.offline_attempts, progress.counted), (10, 7, 0));
    assert_eq!(progress.last_failure_at, None);

    let blocked = attempt(progress, &Outcome::NotAttempted(Cause::SecretUnavailable), true, start());
    assert_eq!(blocked.progress.cut_short, 10, "nothing was begun");
    for ended_by_itself in [status(500), status(404), status(202), status(410), status(422), no_network()] {
        let settled = attempt(progress, &ended_by_itself, true, start());
        assert_eq!(settled.progress.cut_short, 0, "{ended_by_itself:?}");
        assert_eq!(wait(&cut_short(settled.progress, start()), start()), 0, "the first of a new row follows at once");
    }
}

#[test]
fn spaced_attempts_have_jitter() {
    let spaced = |random| {
        let progress = Progress { cut_short: 2, ..Progress::default() };
        let facts = SettleFacts { random, ..facts(start()) };
        let cut = Context { interrupted: true, ..context(true, start()) };
        wait(&attempt_in(progress, &no_network(), &cut, &facts), start())
    };
    assert_eq!((spaced(0.0), spaced(0.5), spaced(0.99)), (12, 15, 17));
}

#[test]
fn an_endpoint_whose_failure_needs_a_person_is_tried_every_hour() {
    let unreachable = |random| SettleFacts { random, unreachable: true, ..facts(start()) };
    let offline = context(false, start());
    for attempts in [0, 3, 500] {
        let progress = Progress { offline_attempts: attempts, ..Progress::default() };
        assert_eq!(wait(&attempt_in(progress, &no_network(), &offline, &unreachable(0.5)), start()), 3600);
        assert_eq!(wait(&attempt_in(progress, &no_network(), &offline, &unreachable(0.0)), start()), 2880);
    }
    let other = attempt_in(Progress::default(), &status(500), &context(true, start()), &unreachable(0.5));
    assert_eq!(wait(&other, start()), 5, "what was answered has its own schedule");
}

#[test]
fn a_token_that_expired_costs_one_more_attempt_per_slow_step() {
    let expired = |progress, refresh_pending| {
        attempt_in(progress, &status(401), &context(true, start()), &SettleFacts { refresh_pending, ..facts(start()) })
    };
    let (mut progress, mut waits) = (Progress::default(), Vec::new());
    let end = loop {
        // Each look-up of the token gives another value, and each is refused.
        let settled = expired(progress, true);
        progress = settled.progress;
        match settled.settlement {
            Settlement::Queued { .. } => waits.push(wait(&settled, start())),
            other => break other,
        }
    };
    let hour = 3600;
    assert_eq!(waits, [0, 2 * hour, 0, 24 * hour, 0]);
    assert_eq!(end, Settlement::Failed { reason: "auth" });
    assert_eq!(progress.slow_counted, 6, "each of them counts");

    assert_eq!(wait(&expired(Progress::default(), false), start()), 300, "there is no other value");
    let elsewhere =
        attempt_in(Progress::default(), &status(404), &context(true, start()), &SettleFacts { refresh_pending: true, ..facts(start()) });
    assert_eq!((wait(&elsewhere, start()), elsewhere.progress.refreshed), (300, false), "a 404 is not about the token");
}

#[test]
fn a_wrong_clock_costs_one_attempt_and_no_budget() {
    let policy = RetryPolicy::default();
    let answer = Answer { status: 401, retry_after: None, date: Some(start() + TimeDelta::minutes(7)) };
    let verdict = classify(&Outcome::Answer(answer), &context(true, start()), &policy);
    let settled = settle(&Progress::default().claimed(), &verdict, &facts(start()), &policy);
    assert_eq!(settled.settlement, Settlement::Queued { due_at: at_once(start()), reason: "clock_skew" });
    assert_eq!(settled.progress, Progress { attempts: 1, resynced: true, ..Progress::default() });
    for next in [status(500), status(401), status(202), no_network(), Outcome::NotAttempted(Cause::SecretMissing)] {
        assert!(!attempt(settled.progress, &next, true, start()).progress.resynced, "only the attempt right before counts: {next:?}");
    }
    assert!(!cut_short(settled.progress, start()).progress.resynced);
}

#[test]
fn no_delay_is_shorter_than_a_receiver_asks_for_or_needs() {
    let policy = RetryPolicy::default();
    let delay = |outcome: Outcome, random| {
        let verdict = classify(&outcome, &context(true, start()), &policy);
        match settle(&Progress::default().claimed(), &verdict, &SettleFacts { random, ..facts(start()) }, &policy).settlement {
            Settlement::Queued { due_at, .. } => (due_since(due_at) - start()).num_seconds(),
            other => panic!("{other:?}"),
        }
    };
    let asks = |status, seconds| Outcome::Answer(Answer { status, retry_after: Some(Duration::from_secs(seconds)), date: None });
    for random in [0.0, 0.5, 0.99] {
        for overloaded in [status(502), status(503), status(504), failure(FailureKind::Timeout, Phase::Receive, RequestSent::Maybe)] {
            assert!((60..=72).contains(&delay(overloaded, random)));
        }
        assert!((4..=6).contains(&delay(status(500), random)), "a plain failure is tried again soon");
        assert_eq!((delay(status(429), random), delay(asks(429, 600), random), delay(asks(503, 1), random)), (60, 600, 1));
        assert_eq!(delay(asks(503, u64::MAX), random), 24 * 3600);
    }
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    let kind = prop_oneof![
        Just(FailureKind::NoNetwork),
        Just(FailureKind::Dns),
        Just(FailureKind::Refused),
        Just(FailureKind::Timeout),
        Just(FailureKind::Closed),
        any::<bool>().prop_map(|time_invalid| FailureKind::Certificate { time_invalid }),
        Just(FailureKind::Tls),
        Just(FailureKind::Protocol),
        Just(FailureKind::Cancelled),
        Just(FailureKind::Other),
    ];
    let phase = prop_oneof![Just(Phase::Resolve), Just(Phase::Connect), Just(Phase::Send), Just(Phase::Receive)];
    let sent = prop_oneof![Just(RequestSent::No), Just(RequestSent::Maybe)];
    let cause = prop_oneof![
        Just(Cause::CorruptBody),
        Just(Cause::BadUrl),
        Just(Cause::SecretMissing),
        Just(Cause::SecretUnavailable),
        Just(Cause::SecretInvalid),
        Just(Cause::Interrupted)
    ];
    let date = prop::option::of(any::<i32>().prop_map(|seconds| start() + TimeDelta::seconds(i64::from(seconds))));
    prop_oneof![
        (0u16..1000, prop::option::of(any::<u64>()), date).prop_map(|(status, retry_after, date)| Outcome::Answer(Answer {
            status,
            retry_after: retry_after.map(Duration::from_secs),
            date
        })),
        (kind, phase, sent).prop_map(|(kind, phase, sent)| failure(kind, phase, sent)),
        cause.prop_map(Outcome::NotAttempted),
    ]
}

proptest! {
    #[test]
    fn budgets_and_delays_always_keep_their_bounds(
        steps in prop::collection::vec(
            (outcomes(), any::<[bool; 4]>(), any::<bool>(), 0.0f64..1.0, -100_000i64..1_000_000),
            1..60,
        )
    ) {
        let policy = RetryPolicy::default();
        let (mut progress, mut now) = (Progress::default(), start());
        for (outcome, [net_ok, interrupted, unreachable, refresh_pending], resynced, random, passed) in steps {
            now += TimeDelta::seconds(passed);
            let before = progress;
            let verdict = classify(&outcome, &Context { resynced, interrupted, ..context(net_ok, now) }, &policy);
            let settled = settle(&progress.claimed(), &verdict, &SettleFacts { now, random, unreachable, refresh_pending, came_as_asked: false }, &policy);
            progress = settled.progress;
            prop_assert!(progress.unknown_outcomes <= progress.attempts);
            prop_assert!(progress.unknown_outcomes >= before.unknown_outcomes);
            let used = progress.counted + progress.slow_counted - before.counted - before.slow_counted;
            prop_assert_eq!(used, u32::from(verdict.counted()));
            let longer = progress.failing_for.checked_sub(before.failing_for);
            let at_most = if verdict.counted() { policy.longest_delay } else { Duration::ZERO };
            prop_assert!(longer.is_some_and(|longer| longer <= at_most));
            match settled.settlement {
                Settlement::Queued { due_at, .. } => {
                    let waits = due_since(due_at) - now;
                    prop_assert!(waits >= TimeDelta::zero() && waits <= TimeDelta::hours(24));
                    let is_at_once = match verdict.class {
                        Class::CutShort => progress.cut_short < 3,
                        Class::ResyncNow => true,
                        Class::RetrySlow => progress.refreshed && !before.refreshed,
                        _ => false,
                    };
                    prop_assert_eq!(due_at == at_once(now), is_at_once);
                }
                // Sent again: budgets are fresh, the history stays.
                Settlement::Failed { .. } => {
                    let Progress { attempts, unknown_outcomes, .. } = progress;
                    progress = Progress { attempts, unknown_outcomes, ..Progress::default() };
                }
                Settlement::Sent => prop_assert_eq!(verdict.class, Class::Sent),
            }
        }
    }
}

#[test]
fn a_busy_receiver_that_says_when_to_come_back_replaces_the_schedule() {
    let asks = |status, seconds| Outcome::Answer(Answer { status, retry_after: Some(Duration::from_secs(seconds)), date: None });
    let waits = |counted: u32, outcome: &Outcome, came_as_asked| {
        let progress = Progress { counted, ..Progress::default() };
        wait(&attempt_in(progress, outcome, &context(true, start()), &SettleFacts { came_as_asked, ..facts(start()) }), start())
    };
    for status in [429, 503] {
        for counted in 0..12 {
            assert_eq!(waits(counted, &asks(status, 10), false), 10, "{status} after {counted}");
            assert_eq!(waits(counted, &asks(status, 10), true), 15, "{status} after {counted}, when it came as it was asked to");
        }
        // It has refused this message so often that the budget is spent: the schedule begins, with its shortest delay after an overload.
        assert_eq!([12, 13, 14].map(|counted| waits(counted, &asks(status, 10), false)), [66, 300, 1800], "{status}");
        assert_eq!(waits(12, &asks(status, 900), false), 900, "never before it was asked to");
    }
    // Others fail, and ask for a pause besides.
    for status in [408, 500, 502] {
        assert_eq!((waits(1, &asks(status, 10), false), waits(1, &asks(status, 900), false)), (300, 900), "{status}");
    }
}
