//! Endpoints over time.

use super::super::classify::{Context, classify};
use super::super::outcome::{Answer, Cause, Outcome};
use super::*;
use crate::port::{FailureKind, Phase, RequestSent, TransportFailure};

fn start() -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000, 0).expect("a time")
}

fn verdict_on(outcome: &Outcome, validated: Option<bool>) -> Verdict {
    let context = Context {
        validated,
        answered_lately: false,
        signed_for_ms: start().timestamp_millis(),
        clock_error_ms: None,
        resynced: false,
        interrupted: false,
    };
    classify(outcome, &context, &RetryPolicy::default())
}

fn verdict(outcome: &Outcome) -> Verdict {
    verdict_on(outcome, Some(true))
}

fn status(status: u16) -> Verdict {
    verdict(&Outcome::Answer(Answer { status, retry_after: None, date: None }))
}

fn asks(status: u16, seconds: u64) -> Verdict {
    verdict(&Outcome::Answer(Answer { status, retry_after: Some(Duration::from_secs(seconds)), date: None }))
}

fn failure(kind: FailureKind, phase: Phase, request_sent: RequestSent) -> Outcome {
    Outcome::Failure(TransportFailure { kind, phase, request_sent, detail: String::new() })
}

fn timeout() -> Verdict {
    verdict(&failure(FailureKind::Timeout, Phase::Receive, RequestSent::Maybe))
}

fn blocked(cause: Cause) -> Verdict {
    verdict(&Outcome::NotAttempted(cause))
}

fn cut_short() -> Verdict {
    Verdict { class: Class::CutShort, reason: reason::INTERRUPTED, slow_down: false, overloaded: false, ..timeout() }
}

/// A refused connection where nothing shows that the internet can be reached.
fn refused() -> Verdict {
    verdict_on(&failure(FailureKind::Refused, Phase::Connect, RequestSent::No), None)
}

/// What is added to a pause of so many seconds that the receiver asked for: half a second, because nothing is drawn at random here.
fn asked_for(seconds: i64) -> TimeDelta {
    TimeDelta::milliseconds(seconds * 1000 + 500)
}

/// Without jitter, and without a reported network.
fn facts(now: Timestamp) -> AttemptFacts {
    // A clock that runs well.
    let monotonic = (now - start()).to_std().unwrap_or_default();
    AttemptFacts { now, monotonic, random: 0.5, date: None, network: 1, validated: None, other_answered: false }
}

fn after_all(state: EndpointState, verdicts: &[Verdict], now: Timestamp) -> EndpointState {
    verdicts.iter().fold(state, |state, verdict| state.settled(verdict, &facts(now), &RetryPolicy::default()))
}

fn fresh() -> EndpointState {
    EndpointState::new(&RetryPolicy::default())
}

fn room(state: &EndpointState, now: Timestamp) -> u32 {
    state.room(0, now, &RetryPolicy::default())
}

#[test]
fn more_may_run_with_deliveries_up_to_four() {
    let mut limits = Vec::new();
    let mut state = fresh();
    for _ in 0..10 {
        limits.push(room(&state, start()));
        state = after_all(state, &[status(200)], start());
    }
    assert_eq!(limits, [2, 2, 2, 2, 3, 3, 3, 3, 4, 4]);
    assert_eq!(state.room(3, start(), &RetryPolicy::default()), 1);
    assert_eq!(state.room(9, start(), &RetryPolicy::default()), 0);
}

#[test]
fn one_may_run_after_a_sign_of_overload() {
    let wide = after_all(fresh(), &[status(200); 9], start());
    for sign in [status(429), status(503), timeout()] {
        let state = after_all(wide.clone(), &[sign], start());
        assert_eq!(room(&state, start() + TimeDelta::hours(1)), 1);
        for (deliveries, expected) in [(3, 1), (4, 2)] {
            let state = after_all(state.clone(), &vec![status(200); deliveries], start());
            assert_eq!(room(&state, start() + TimeDelta::hours(1)), expected, "{deliveries} deliveries");
        }
    }
    for other in [status(500), status(404), status(400), cut_short()] {
        assert_eq!(room(&after_all(wide.clone(), &[other], start()), start()), 4);
    }
}

#[test]
fn retry_after_pauses_the_whole_endpoint_and_the_longest_counts() {
    let state = after_all(fresh(), &[asks(503, 600), asks(429, 60)], start());
    assert_eq!(state.paused_until, Some(start() + asked_for(600)));
    assert_eq!(state.pause_reason.as_deref(), Some("server_error"));
    assert_eq!(room(&state, start() + TimeDelta::seconds(600)), 0);
    assert_eq!(room(&state, start() + asked_for(600)), 1);
    let late_success = after_all(state, &[status(200)], start());
    assert!(late_success.paused_until(start()).is_some(), "the pause that the receiver asked for stays, with any other answer");
}

#[test]
fn phones_that_were_told_the_same_time_spread_and_more_so_when_they_are_refused_again() {
    let policy = RetryPolicy::default();
    let pause = |state: &EndpointState, asked: u64, random: f64, now| {
        let state = state.settled(&asks(429, asked), &AttemptFacts { random, ..facts(now) }, &policy);
        ((state.paused_until.expect("a pause") - now).num_milliseconds(), state)
    };
    let (day, nearly_one) = (24 * 3_600_000, 0.999_999);
    for (asked, most, again) in [(1, 2_000, 2_000), (10, 11_000, 20_000), (60, 61_000, 120_000), (600, 601_000, 660_000)] {
        let least = asked as i64 * 1000;
        let (first, state) = pause(&fresh(), asked, 0.0, start());
        assert_eq!((first, pause(&fresh(), asked, nearly_one, start()).0), (least, most - 1));
        // In flight together with the first.
        assert_eq!(pause(&state, asked, nearly_one, start()).0, most - 1);
        // After the pause.
        let later = start() + TimeDelta::milliseconds(first);
        assert_eq!((pause(&state, asked, 0.0, later).0, pause(&state, asked, nearly_one, later).0), (least, again - 1));
        // A delivery in between says that it did have a time for itself.
        let delivered = after_all(state, &[status(200)], later);
        assert_eq!(pause(&delivered, asked, nearly_one, later).0, most - 1);
    }
    assert_eq!(pause(&fresh(), 24 * 3600, nearly_one, start()).0, day, "no pause is longer than a day");
}

#[test]
fn a_pause_from_before_the_clock_was_set_back_is_over() {
    let state = after_all(fresh(), &[asks(503, 600)], start());
    let years_before = start() - TimeDelta::days(3650);
    assert!(state.paused_until(years_before).is_none());
    let again = after_all(state, &[asks(503, 60)], years_before);
    assert_eq!(again.paused_until, Some(years_before + TimeDelta::seconds(90)));
}

#[test]
fn a_pause_that_is_over_does_not_come_back_when_the_clock_is_set() {
    let written_ahead = after_all(fresh(), &[asks(429, 600)], start() + TimeDelta::hours(30));
    let over = after_all(fresh(), &[asks(429, 600)], start() - TimeDelta::hours(1));
    for state in [written_ahead, over] {
        assert_eq!(state.paused_until(start()), None);
        let delivered = after_all(state, &[status(200)], start());
        for hours in [-2, -1, 6, 29] {
            assert_eq!(delivered.paused_until(start() + TimeDelta::hours(hours)), None, "{hours}");
        }
    }
}

#[test]
fn after_five_failures_in_a_row_one_attempt_at_a_time_with_growing_pauses() {
    let policy = RetryPolicy::default();
    let mut state = after_all(fresh(), &[status(500); 4], start());
    assert!(!state.is_broken(&policy) && state.paused_until(start()).is_none());
    let mut pauses = Vec::new();
    for _ in 0..5 {
        state = after_all(state.clone(), &[status(500)], state.paused_until.unwrap_or(start()));
        let until = state.paused_until.expect("a pause");
        assert_eq!(room(&state, until), 1);
        pauses.push(until);
    }
    let gaps: Vec<i64> = pauses.windows(2).map(|pair| (pair[1] - pair[0]).num_seconds()).collect();
    assert_eq!((pauses[0] - start()).num_seconds(), 5);
    assert_eq!(gaps, [300, 1800, 1800, 1800]);
    let closed = after_all(state, &[status(200)], start());
    assert!(!closed.is_broken(&policy) && closed.paused_until(start()).is_none());
}

#[test]
fn only_counted_failures_open_the_breaker() {
    let state = after_all(
        fresh(),
        &[status(400), status(410), status(511), cut_short(), verdict(&failure(FailureKind::NoNetwork, Phase::Connect, RequestSent::No))],
        start(),
    );
    assert_eq!(state.consecutive_failures, 0);
    let poison = after_all(fresh(), &[status(500), status(500), status(500), status(500), status(200), status(500)], start());
    assert_eq!(poison.consecutive_failures, 1, "a message that always fails does not slow the others down");
}

#[test]
fn the_receivers_clock_is_learned_and_small_differences_are_not() {
    let policy = RetryPolicy::default();
    let at = |date| AttemptFacts { date: Some(date), ..facts(start()) };
    let learn = |state: &EndpointState, seconds| state.settled(&status(401), &at(start() + TimeDelta::seconds(seconds)), &policy);
    assert_eq!(learn(&fresh(), 1).clock_skew_ms, Some(0));
    let ahead = learn(&fresh(), 420);
    assert_eq!(ahead.clock_skew_ms, Some(420_500));
    assert_eq!(learn(&ahead, 421).clock_skew_ms, Some(420_500), "noise changes nothing");
    assert_eq!(learn(&ahead, -420).clock_skew_ms, Some(-419_500));
    assert_eq!(learn(&ahead, 0).clock_skew_ms, Some(500), "a corrected clock is learned");
    let portal = fresh().settled(&status(511), &at(start() + TimeDelta::days(1)), &policy);
    assert_eq!(portal.clock_skew_ms, None, "a portal's clock is not the receiver's");
}

#[test]
fn a_clock_that_cannot_be_is_not_learned_and_breaks_nothing() {
    let policy = RetryPolicy::default();
    let at = |date| AttemptFacts { date: Some(date), ..facts(start()) };
    // As damage may leave it in a row.
    for skew in [i64::MIN, i64::MIN + 1, -9_223_370_000_000_000_000, i64::MAX - 5_807, i64::MAX] {
        let state = EndpointState { clock_skew_ms: possible_skew(skew), ..fresh() };
        assert_eq!(state.clock_skew_ms, None, "{skew}");
        let damaged = EndpointState { clock_skew_ms: Some(skew), ..fresh() };
        let learned = damaged.settled(&status(200), &at(start() + TimeDelta::seconds(420)), &policy);
        assert_eq!(learned.clock_skew_ms, Some(420_500), "{skew}");
    }
    // A phone whose clock begins in 1970 is off by half a century.
    let years = |years: i64| years * 365 * 24 * 3_600_000;
    assert_eq!(possible_skew(years(60)), Some(years(60)));
    for date in [Timestamp::MAX_UTC, Timestamp::MIN_UTC, start() + TimeDelta::days(365 * 7000)] {
        assert_eq!(fresh().settled(&status(200), &at(date), &policy).clock_skew_ms, None, "{date}");
    }
}

#[test]
fn an_endpoint_that_was_changed_or_enabled_keeps_what_its_clock_says_and_the_pause_that_it_asked_for() {
    let policy = RetryPolicy::default();
    let mut state = after_all(fresh(), &[status(500), refused(), status(500), status(503), status(500), status(500), status(500)], start());
    state = after_all(state, &[asks(503, 600), refused()], start());
    state.clock_skew_ms = Some(5000);
    assert!(state.failing.is_some() && state.paused_until(start()).is_some());
    let (asked_until, pause_reason) = (Some(start() + asked_for(600)), Some("server_error".to_owned()));
    let expected = EndpointState { clock_skew_ms: Some(5000), paused_until: asked_until, pause_reason, asked_until, ..fresh() };
    assert_eq!(state.fresh(&policy), expected);
}

#[test]
fn new_secrets_end_every_pause_but_the_one_that_the_receiver_asked_for() {
    let policy = RetryPolicy::default();
    for (verdicts, stays) in [
        (vec![blocked(Cause::SecretMissing)], false),
        (vec![blocked(Cause::SecretInvalid)], false),
        (vec![blocked(Cause::SecretUnavailable)], false),
        (vec![status(401); 5], false),
        (vec![asks(503, 7200)], true),
        (vec![asks(429, 7200)], true),
    ] {
        let state = after_all(fresh(), &verdicts, start());
        assert!(state.paused_until(start()).is_some(), "{verdicts:?}");
        let renewed = state.fresh(&policy);
        assert_eq!(renewed.paused_until(start()).is_some(), stays, "{verdicts:?}");
        let (paused_until, pause_reason) = if stays { (state.paused_until, state.pause_reason) } else { (None, None) };
        assert_eq!(renewed, EndpointState { paused_until, pause_reason, asked_until: state.asked_until, ..fresh() });
    }
}

#[test]
fn a_pause_that_the_receiver_asked_for_outlives_a_longer_one_of_the_core() {
    let policy = RetryPolicy::default();
    let minutes = TimeDelta::minutes;
    // After the sixth failure in a row the receiver asks for two minutes, and the core's own pause is five.
    let broken = after_all(fresh(), &[status(500), status(500), status(500), status(500), status(500), asks(503, 120)], start());
    // A secret is missing for longer than the receiver's pause, in either order.
    let no_secret = |verdicts: &[Verdict]| after_all(fresh(), verdicts, start());
    let asked_first = no_secret(&[asks(429, 120), blocked(Cause::SecretMissing)]);
    let asked_last = no_secret(&[blocked(Cause::SecretMissing), asks(429, 120)]);
    for (state, ours) in [(&broken, minutes(5)), (&asked_first, minutes(15))] {
        assert_eq!(state.paused_until(start()), Some(start() + ours));
    }
    let delivered = |state: &EndpointState, now| after_all(state.clone(), &[status(200)], now);
    for ended in [
        broken.fresh(&policy),
        delivered(&broken, start()),
        asked_first.fresh(&policy),
        delivered(&asked_first, start() + minutes(1)),
        // A request was made, so its secrets were there.
        after_all(asked_first.clone(), &[refused()], start() + minutes(1)),
        asked_last.fresh(&policy),
    ] {
        assert_eq!(ended.paused_until(start() + minutes(1)), Some(start() + asked_for(120)), "{ended:?}");
        assert!(room(&ended, start() + asked_for(120)) > 0, "and no longer");
        assert!(delivered(&ended, start() + minutes(1)).paused_until(start() + minutes(1)).is_some(), "it is the receiver's own");
    }
    // The pause that was asked for is over: nothing is left, for every later setting of the clock.
    for state in [&broken, &asked_first] {
        let over = delivered(state, start() + minutes(3));
        assert_eq!((over.paused_until, over.asked_until), (None, None));
    }
}

#[test]
fn one_look_at_a_secret_that_is_not_there_is_enough_for_all_that_waits() {
    let state = after_all(fresh(), &[blocked(Cause::SecretMissing)], start());
    assert_eq!(state.paused_until(start()), Some(start() + TimeDelta::minutes(15)));
    assert_eq!(state.pause_reason.as_deref(), Some("secret_missing"));
    assert_eq!(state.consecutive_failures, 0);
    // With any outcome of a request: it was made, so its secrets are there.
    for begun in [status(200), status(500), refused(), timeout()] {
        let later = after_all(state.clone(), &[begun], start() + TimeDelta::minutes(16));
        assert_eq!((later.paused_until, later.pause_reason), (None, None), "{begun:?}");
    }
    let longer = after_all(fresh(), &[asks(429, 3600), blocked(Cause::SecretMissing)], start());
    assert_eq!(longer.pause_reason.as_deref(), Some("rate_limited"), "the longer pause counts");
}

#[test]
fn phones_that_met_an_outage_together_do_not_come_back_together() {
    let policy = RetryPolicy::default();
    let pause = |failures, random| {
        let verdicts = vec![status(500); failures];
        let facts = AttemptFacts { random, ..facts(start()) };
        let state = verdicts.iter().fold(fresh(), |state, verdict| state.settled(verdict, &facts, &policy));
        (state.paused_until(start()).expect("a pause") - start()).num_seconds()
    };
    assert_eq!((pause(6, 0.0), pause(6, 0.5), pause(6, 0.75)), (240, 300, 330));
    assert_eq!((pause(20, 0.0), pause(20, 0.5), pause(20, 0.75)), (1440, 1800, 1980));
}

/// The failure of an endpoint after these attempts: hours since the first, generation of the network, whether it is validated, whether
/// another endpoint answers there, and the verdict.
fn failing(attempts: &[(i64, u64, Option<bool>, bool, Verdict)]) -> Option<Failing> {
    let settle = |state: EndpointState, (hours, network, validated, other_answered, verdict): &(i64, u64, Option<bool>, bool, Verdict)| {
        let now = start() + TimeDelta::hours(*hours);
        let facts = AttemptFacts { network: *network, validated: *validated, other_answered: *other_answered, ..facts(now) };
        state.settled(verdict, &facts, &RetryPolicy::default())
    };
    attempts.iter().fold(fresh(), settle).failing
}

#[test]
fn the_same_failure_for_six_hours_on_three_networks_needs_a_person() {
    let needs_person = |attempts: &[(i64, u64, Option<bool>, bool, Verdict)]| failing(attempts).expect("it fails").needs_person;
    let on = |hours, network| (hours, network, None, false, refused());
    assert!(needs_person(&[on(0, 1), on(3, 2), on(6, 3)]));
    assert!(needs_person(&[on(0, 1), on(1, 2), on(2, 1), on(6, 1)]), "back and forth is three generations, too");
    assert!(!needs_person(&[on(0, 1), on(3, 2), on(5, 3)]), "too soon");
    assert!(!needs_person(&[on(0, 1), on(3, 1), on(6, 2), on(600, 2)]), "always the same two");
    assert!(needs_person(&[on(0, 1), on(3, 2), on(6, 3), (7, 3, Some(false), false, refused())]), "once shown, it stays shown");

    let portal = |hours, network| (hours, network, Some(false), true, refused());
    assert!(!needs_person(&[portal(0, 1), portal(3, 2), portal(600, 3)]), "the platform says that the network is the cause");
    let offline = verdict_on(&failure(FailureKind::NoNetwork, Phase::Connect, RequestSent::No), None);
    assert!(needs_person(&[(0, 1, None, false, offline), (1, 2, None, false, offline), (6, 3, None, false, offline)]));
    let proxy = status(407);
    assert!(needs_person(&[(0, 1, None, false, proxy), (1, 2, None, false, proxy), (6, 3, None, false, proxy)]));
}

#[test]
fn a_failure_needs_a_person_where_another_endpoint_answers_on_the_same_network() {
    let proxy = status(511);
    let needs_person = |validated, other_answered| failing(&[(0, 1, validated, other_answered, proxy)]).expect("it fails").needs_person;
    assert!(needs_person(Some(true), true));
    let nothing_answered = verdict_on(&failure(FailureKind::NoNetwork, Phase::Connect, RequestSent::No), Some(true));
    let failing = failing(&[(0, 1, Some(true), true, nothing_answered)]).expect("it fails");
    assert!(!failing.needs_person, "an answer of before shows nothing where nothing answers now");
    for (validated, other_answered) in [(Some(true), false), (None, true), (Some(false), true)] {
        assert!(!needs_person(validated, other_answered), "{validated:?} {other_answered}");
    }
}

#[test]
fn another_failure_starts_again_and_any_other_verdict_clears_it() {
    let on = |hours, network, verdict| (hours, network, None, false, verdict);
    let no_name = verdict_on(&failure(FailureKind::Dns, Phase::Resolve, RequestSent::No), None);
    let proven = [on(0, 1, refused()), on(1, 2, refused()), on(6, 3, refused())];
    let and = |verdict| failing(&[&proven[..], &[on(7, 4, verdict)]].concat());
    assert_eq!(
        and(no_name),
        Some(Failing {
            reason: "dns".into(),
            since: start() + TimeDelta::hours(7),
            networks: 1,
            last_seen: Some(LastSeen {
                network: 4,
                wall: start() + TimeDelta::hours(7),
                monotonic: Duration::from_secs(7 * 3600),
                since: start() + TimeDelta::hours(7)
            }),
            needs_person: false
        })
    );
    for verdict in [status(200), status(500), status(404), status(410), status(422), timeout()] {
        assert_eq!(and(verdict), None, "{verdict:?}");
    }
    for verdict in [cut_short(), blocked(Cause::SecretMissing), blocked(Cause::SecretUnavailable)] {
        assert_eq!(and(verdict), failing(&proven), "it says nothing about the network path: {verdict:?}");
    }
}

#[test]
fn a_clock_that_was_set_back_starts_the_six_hours_again() {
    let on = |hours, network| (hours, network, None, false, refused());
    let years = 10 * 365 * 24;
    let state = failing(&[on(years, 1), on(0, 2), on(5, 3)]).expect("it fails");
    assert_eq!((state.since, state.networks, state.needs_person), (start(), 3, false));
    assert!(failing(&[on(years, 1), on(0, 2), on(5, 3), on(6, 3)]).expect("it fails").needs_person);
}

#[test]
fn a_network_of_before_the_process_ended_counts_as_another() {
    let policy = RetryPolicy::default();
    let mut state = fresh().settled(&refused(), &facts(start()), &policy);
    state.failing.as_mut().expect("it fails").last_seen = None;
    let again = state.settled(&refused(), &facts(start()), &policy).failing.expect("it fails");
    assert_eq!((again.networks, again.last_seen.map(|last| last.network)), (2, Some(1)));
}
