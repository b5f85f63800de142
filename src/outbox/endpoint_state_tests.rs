//! Endpoints over time.

use super::super::classify::{Context, classify};
use super::super::outcome::{Answer, Cause, Failure, Outcome, Stage};
use super::*;

fn start() -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000, 0).expect("a time")
}

fn verdict(outcome: &Outcome) -> Verdict {
    let context = Context { net_ok: true, received_at: start(), applied_skew_ms: 0, device_skew_ms: None, resynced: false };
    classify(outcome, &context, &RetryPolicy::default())
}

fn status(status: u16) -> Verdict {
    verdict(&Outcome::Answer(Answer { status, retry_after: None, date: None }))
}

fn asks(status: u16, seconds: u64) -> Verdict {
    verdict(&Outcome::Answer(Answer { status, retry_after: Some(Duration::from_secs(seconds)), date: None }))
}

fn failure(cause: Cause) -> Verdict {
    verdict(&Outcome::Failure(Failure { cause, stage: Stage::Receive, may_have_left: true }))
}

fn after_all(state: EndpointState, verdicts: &[Verdict], now: Timestamp) -> EndpointState {
    verdicts.iter().fold(state, |state, verdict| state.settled(verdict, None, now, &RetryPolicy::default()))
}

fn fresh() -> EndpointState {
    EndpointState::new(&RetryPolicy::default())
}

fn room(state: &EndpointState, now: Timestamp) -> u32 {
    state.room(0, now, &RetryPolicy::default())
}

#[test]
fn more_may_fly_with_each_clean_round_up_to_four() {
    let mut limits = Vec::new();
    let mut state = fresh();
    for _ in 0..12 {
        limits.push(room(&state, start()));
        state = after_all(state, &[status(200)], start());
    }
    assert_eq!(limits, [2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4]);
    assert_eq!(state.room(3, start(), &RetryPolicy::default()), 1);
    assert_eq!(state.room(9, start(), &RetryPolicy::default()), 0);
}

#[test]
fn one_may_fly_after_a_sign_of_overload() {
    let wide = after_all(fresh(), &[status(200); 9], start());
    for sign in [status(429), status(503), failure(Cause::Timeout)] {
        let state = after_all(wide.clone(), &[sign], start());
        assert_eq!(room(&state, start() + TimeDelta::hours(1)), 1);
        assert_eq!(room(&after_all(state, &[status(200)], start()), start() + TimeDelta::hours(1)), 2);
    }
    for other in [status(500), status(404), status(400), failure(Cause::Cancelled)] {
        assert_eq!(room(&after_all(wide.clone(), &[other], start()), start()), 4);
    }
}

#[test]
fn retry_after_pauses_the_whole_endpoint_and_the_longest_counts() {
    let state = after_all(fresh(), &[asks(503, 600), asks(429, 60)], start());
    assert_eq!(state.paused_until, Some(start() + TimeDelta::seconds(600)));
    assert_eq!(state.pause_reason.as_deref(), Some("server_error"));
    assert_eq!(room(&state, start() + TimeDelta::seconds(599)), 0);
    assert_eq!(room(&state, start() + TimeDelta::seconds(600)), 1);
    let late_success = after_all(state, &[status(200)], start());
    assert!(late_success.is_paused(start()), "what the receiver asked for stands, whatever else it answers");
}

#[test]
fn a_pause_from_before_the_clock_was_set_back_is_over() {
    let state = after_all(fresh(), &[asks(503, 600)], start());
    let years_before = start() - TimeDelta::days(3650);
    assert!(!state.is_paused(years_before));
    let again = after_all(state, &[asks(503, 60)], years_before);
    assert_eq!(again.paused_until, Some(years_before + TimeDelta::seconds(60)));
}

#[test]
fn after_five_failures_in_a_row_one_attempt_at_a_time_with_growing_pauses() {
    let policy = RetryPolicy::default();
    let mut state = after_all(fresh(), &[status(500); 4], start());
    assert!(!state.is_broken(&policy) && !state.is_paused(start()));
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
    assert!(!closed.is_broken(&policy) && !closed.is_paused(start()));
}

#[test]
fn only_counted_failures_open_the_breaker() {
    let state = after_all(fresh(), &[status(400), status(410), status(511), failure(Cause::Cancelled), failure(Cause::NoNetwork)], start());
    assert_eq!(state.consecutive_failures, 0);
    let poison = after_all(fresh(), &[status(500), status(500), status(500), status(500), status(200), status(500)], start());
    assert_eq!(poison.consecutive_failures, 1, "a message that always fails does not hold up the others");
}

#[test]
fn the_receivers_clock_is_learned_and_noise_is_not() {
    let policy = RetryPolicy::default();
    let learn = |state: &EndpointState, seconds| state.settled(&status(401), Some(start() + TimeDelta::seconds(seconds)), start(), &policy);
    assert_eq!(learn(&fresh(), 1).clock_skew_ms, Some(0));
    let ahead = learn(&fresh(), 420);
    assert_eq!(ahead.clock_skew_ms, Some(420_500));
    assert_eq!(ahead.signing_time(start()), start().timestamp() + 420);
    assert_eq!(learn(&ahead, 421).clock_skew_ms, Some(420_500), "noise changes nothing");
    assert_eq!(learn(&ahead, -420).clock_skew_ms, Some(-419_500));
    assert_eq!(learn(&ahead, 0).clock_skew_ms, Some(500), "a clock that was put right is believed");
    assert_eq!(fresh().signing_time(start()), start().timestamp());
    let portal = fresh().settled(&status(511), Some(start() + TimeDelta::days(1)), start(), &policy);
    assert_eq!(portal.clock_skew_ms, None, "a portal's clock is not the receiver's");
}

#[test]
fn a_mended_endpoint_keeps_only_what_its_clock_says() {
    let policy = RetryPolicy::default();
    let mut state = after_all(fresh(), &[status(500); 7], start());
    state.clock_skew_ms = Some(5000);
    assert_eq!(state.mended(&policy), EndpointState { clock_skew_ms: Some(5000), ..fresh() });
}
