//! Entries over time, on a simulated clock.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::super::classify::{Context, classify};
use super::super::outcome::{Answer, Cause, Failure, Obstacle, Outcome, Stage};
use super::*;

fn start() -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000, 0).expect("a time")
}

fn context(net_ok: bool, now: Timestamp) -> Context {
    Context { net_ok, received_at: now, applied_skew_ms: 0, device_skew_ms: None, resynced: false }
}

fn status(status: u16) -> Outcome {
    Outcome::Answer(Answer { status, retry_after: None, date: None })
}

fn failure(cause: Cause, stage: Stage, may_have_left: bool) -> Outcome {
    Outcome::Failure(Failure { cause, stage, may_have_left })
}

/// One attempt from claim to settlement, without jitter.
fn attempt(progress: Progress, outcome: &Outcome, net_ok: bool, now: Timestamp) -> Settled {
    let policy = RetryPolicy::default();
    settle(&progress.claimed(), &classify(outcome, &context(net_ok, now), &policy), &policy, now, 0.5)
}

/// Tries again whenever it is due, until the entry fails. Gives the delays in minutes (rounded down), the end, and how it ended.
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
fn fourteen_days_alone_do_not_spend_the_budget() {
    let mut progress = Progress::default();
    for day in 0..11 {
        let settled = attempt(progress, &status(500), true, start() + TimeDelta::days(day * 30));
        assert!(matches!(settled.settlement, Settlement::Queued { .. }), "attempt {day} of a phone that is online once a month");
        progress = settled.progress;
    }
    let settled = attempt(progress, &status(500), true, start() + TimeDelta::days(360));
    assert_eq!(settled.settlement, Settlement::Failed { reason: "exhausted" });
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
        (failure(Cause::Tls, Stage::Connect, false), "tls"),
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
        let settled = attempt(progress, &failure(Cause::NoNetwork, Stage::Connect, false), false, now);
        let Settlement::Queued { due_at, reason: "offline" } = settled.settlement else { panic!("it waits for a network") };
        assert!(due_at > now && due_at - now <= TimeDelta::minutes(15));
        (progress, now) = (settled.progress, due_at);
    }
    assert_eq!((progress.counted, progress.slow_counted, progress.unknown_outcomes, progress.first_contact_at), (0, 0, 0, None));
    let settled = attempt(progress, &status(202), true, now);
    assert_eq!(settled.settlement, Settlement::Sent);
    assert_eq!(settled.progress.offline_tries, 0);
}

#[test]
fn a_broken_connection_leaves_an_unknown_outcome_on_record() {
    let settled = attempt(Progress::default(), &failure(Cause::Closed, Stage::Receive, true), true, start());
    assert!(settled.progress.may_have_been_delivered());
    let settled = attempt(settled.progress, &status(500), true, start());
    assert_eq!((settled.progress.attempts, settled.progress.unknown_outcomes), (2, 1), "an answer settles its own attempt alone");
    let clean = attempt(Progress::default(), &failure(Cause::Closed, Stage::Connect, false), true, start());
    assert!(!clean.progress.may_have_been_delivered());
}

#[test]
fn a_crash_in_the_middle_leaves_the_claim_on_record() {
    let after_crash = Progress::default().claimed();
    assert!(after_crash.may_have_been_delivered());
    let settled = attempt(after_crash, &status(204), true, start());
    assert_eq!((settled.progress.attempts, settled.progress.unknown_outcomes), (2, 1));
}

#[test]
fn an_attempt_that_was_never_begun_or_cut_short_uses_no_budget() {
    assert_eq!(Progress::default().claimed().released(), Progress::default());
    let blocked = attempt(Progress::default(), &Outcome::NotAttempted(Obstacle::SecretMissing), true, start());
    assert_eq!(blocked.progress, Progress::default());
    assert_eq!(blocked.settlement, Settlement::Queued { due_at: start() + TimeDelta::minutes(15), reason: "secret_missing" });
    let cut = attempt(Progress::default(), &failure(Cause::Cancelled, Stage::Receive, true), true, start());
    assert_eq!(cut.settlement, Settlement::Queued { due_at: start(), reason: "interrupted" });
    assert_eq!(cut.progress, Progress { attempts: 1, unknown_outcomes: 1, ..Progress::default() });
}

#[test]
fn a_wrong_clock_costs_one_attempt_and_no_budget() {
    let policy = RetryPolicy::default();
    let answer = Answer { status: 401, retry_after: None, date: Some(start() + TimeDelta::minutes(7)) };
    let verdict = classify(&Outcome::Answer(answer), &context(true, start()), &policy);
    let settled = settle(&Progress::default().claimed(), &verdict, &policy, start(), 0.5);
    assert_eq!(settled.settlement, Settlement::Queued { due_at: start(), reason: "clock_skew" });
    assert_eq!(settled.progress, Progress { attempts: 1, ..Progress::default() });
}

#[test]
fn the_receivers_wish_and_its_load_are_floors() {
    let policy = RetryPolicy::default();
    let delay = |outcome: Outcome, random| {
        let verdict = classify(&outcome, &context(true, start()), &policy);
        match settle(&Progress::default().claimed(), &verdict, &policy, start(), random).settlement {
            Settlement::Queued { due_at, .. } => (due_at - start()).num_seconds(),
            other => panic!("{other:?}"),
        }
    };
    let asks = |status, seconds| Outcome::Answer(Answer { status, retry_after: Some(Duration::from_secs(seconds)), date: None });
    for random in [0.0, 0.5, 0.99] {
        for overloaded in [status(429), status(502), status(503), status(504), failure(Cause::Timeout, Stage::Receive, true), asks(503, 1)]
        {
            assert!((60..=72).contains(&delay(overloaded, random)));
        }
        assert!((4..=6).contains(&delay(status(500), random)), "a plain failure is tried again soon");
        assert_eq!(delay(asks(429, 600), random), 600);
        assert_eq!(delay(asks(503, u64::MAX), random), 24 * 3600);
    }
}

#[test]
fn a_clock_that_was_set_back_does_not_keep_the_budget_open() {
    let ahead = Progress { counted: 30, first_contact_at: Some(start() + TimeDelta::days(3650)), ..Progress::default() };
    let settled = attempt(ahead, &status(500), true, start());
    assert_eq!(settled.progress.first_contact_at, Some(start()));
}

#[test]
fn a_revived_entry_starts_afresh_and_keeps_its_history() {
    let (_, _, _, spent) = until_failed(&status(500));
    let revived = spent.revived();
    assert_eq!(revived, Progress { attempts: 21, revived: 1, ..Progress::default() });
    let (_, _, _, spent) = until_failed(&status(401));
    assert!(matches!(attempt(spent.revived(), &status(401), true, start()).settlement, Settlement::Queued { .. }));
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    let cause = prop_oneof![
        Just(Cause::NoNetwork),
        Just(Cause::Dns),
        Just(Cause::Refused),
        Just(Cause::Timeout),
        Just(Cause::Closed),
        any::<bool>().prop_map(|time_invalid| Cause::Certificate { time_invalid }),
        Just(Cause::Tls),
        Just(Cause::Protocol),
        Just(Cause::Cancelled),
        Just(Cause::Other),
    ];
    let stage = prop_oneof![Just(Stage::Resolve), Just(Stage::Connect), Just(Stage::Send), Just(Stage::Receive)];
    let obstacle = prop_oneof![
        Just(Obstacle::CorruptBody),
        Just(Obstacle::BadUrl),
        Just(Obstacle::SecretMissing),
        Just(Obstacle::SecretUnavailable),
        Just(Obstacle::SecretInvalid)
    ];
    let date = prop::option::of(any::<i32>().prop_map(|seconds| start() + TimeDelta::seconds(i64::from(seconds))));
    prop_oneof![
        (0u16..1000, prop::option::of(any::<u64>()), date).prop_map(|(status, retry_after, date)| Outcome::Answer(Answer {
            status,
            retry_after: retry_after.map(Duration::from_secs),
            date
        })),
        (cause, stage, any::<bool>()).prop_map(|(cause, stage, may_have_left)| failure(cause, stage, may_have_left)),
        obstacle.prop_map(Outcome::NotAttempted),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_budgets_and_delays_keep_their_bounds(
        steps in prop::collection::vec((outcomes(), any::<bool>(), any::<bool>(), 0.0f64..1.0, -100_000i64..1_000_000), 1..60)
    ) {
        let policy = RetryPolicy::default();
        let (mut progress, mut now) = (Progress::default(), start());
        for (outcome, net_ok, resynced, random, passed) in steps {
            now += TimeDelta::seconds(passed);
            let before = progress;
            let verdict = classify(&outcome, &Context { resynced, ..context(net_ok, now) }, &policy);
            let settled = settle(&progress.claimed(), &verdict, &policy, now, random);
            progress = settled.progress;
            prop_assert!(progress.unknown_outcomes <= progress.attempts);
            prop_assert!(progress.unknown_outcomes >= before.unknown_outcomes);
            let used = progress.counted + progress.slow_counted - before.counted - before.slow_counted;
            prop_assert_eq!(used, u32::from(verdict.counted()));
            match settled.settlement {
                Settlement::Queued { due_at, .. } => {
                    prop_assert!(due_at >= now && due_at - now <= TimeDelta::hours(24));
                    let at_once = matches!(verdict.class, Class::CutShort | Class::ResyncNow);
                    prop_assert_eq!(due_at == now, at_once);
                }
                Settlement::Failed { .. } => progress = progress.revived(),
                Settlement::Sent => prop_assert_eq!(verdict.class, Class::Sent),
            }
        }
    }
}
