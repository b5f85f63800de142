//! Wall clocks that jump, and leases without a holder.

use std::time::Duration;

use chrono::TimeDelta;

use super::*;
use crate::testing::answer;

const TEN_YEARS: TimeDelta = TimeDelta::days(3652);

/// Leaves an entry like a process that ends while it is in flight.
fn leave_in_flight(phone: &Phone, id: i64) {
    let until = phone.clock.now().timestamp_millis() + 60_000;
    phone.write(|tx| {
        Ok(tx.execute(
            "UPDATE outbox SET state = 'leased', lease_owner = 'dead', lease_epoch = lease_epoch + 1, lease_until = ?2,
                               attempts = attempts + 1, unknown_outcomes = unknown_outcomes + 1 WHERE id = ?1",
            (id, until),
        )?)
    });
}

#[test]
fn what_was_in_flight_when_a_process_died_leaves_again_within_a_minute() {
    let phone = Phone::new(ScriptedTransport::always(202));
    let id = phone.complete("office", 1)[0];
    leave_in_flight(&phone, id);
    assert_eq!(phone.flush().attempts, 0, "its lease still holds");
    let at = phone.delivery.next_due().unwrap().at.unwrap();
    assert_eq!((at - phone.clock.now()).num_seconds(), 60);
    phone.clock.set_wall(at);
    assert_eq!(phone.flush().sent, 1);
    let row = phone.row(id);
    assert_eq!((row.attempts, row.unknown), (2, 1), "the first may have arrived");
    assert_eq!(phone.outcomes(id), ["interrupted", "sent"]);
}

#[test]
fn a_clock_that_was_set_back_keeps_neither_leases_nor_entries() {
    let phone = Phone::new(ScriptedTransport::always(202));
    let entries = phone.complete("office", 3);
    leave_in_flight(&phone, entries[0]);
    phone.clock.jump_wall(-TEN_YEARS);
    assert_eq!(phone.delivery.next_due().unwrap().at, Some(phone.clock.now()));
    assert_eq!(phone.flush().sent, 3);
}

#[test]
fn a_clock_that_jumps_ahead_and_back_delays_nothing_and_repeats_nothing() {
    let phone = Phone::new(ScriptedTransport::numbered(|number, _| Ok(answer(if number <= 2 { 503 } else { 202 }))));
    let id = phone.complete("office", 1)[0];
    phone.clock.jump_wall(TEN_YEARS);
    assert_eq!(phone.flush().attempts, 1);
    assert_eq!(phone.flush().attempts, 0);
    phone.clock.jump_wall(-TEN_YEARS);
    assert_eq!(phone.flush().attempts, 1);
    assert_eq!(phone.flush().attempts, 0);
    phone.clock.advance(Duration::from_secs(3600));
    assert_eq!((phone.flush().sent, phone.row(id).state.as_str()), (1, "sent"));
}

#[test]
fn a_pause_from_a_wrong_clock_ends() {
    let phone = Phone::new(ScriptedTransport::always(202));
    let until = (phone.clock.now() + TEN_YEARS).timestamp_millis();
    phone.write(|tx| Ok(tx.execute("UPDATE endpoint SET paused_until = ?1, pause_reason = 'rate_limited'", [until])?));
    phone.complete("office", 1);
    assert_eq!(phone.delivery.next_due().unwrap().at, Some(phone.clock.now()));
    assert_eq!(phone.flush().sent, 1);
}

#[test]
fn a_jump_in_mid_attempt_loses_nothing_and_doubles_nothing() {
    for jump in [TEN_YEARS, -TEN_YEARS] {
        let phone = Phone::new(ScriptedTransport::always(202));
        let id = phone.complete("office", 1)[0];
        phone.transport.hold("");
        std::thread::scope(|scope| {
            let flush = scope.spawn(|| phone.flush());
            phone.transport.wait_for_requests(1);
            phone.clock.jump_wall(jump);
            phone.transport.release();
            assert_eq!(flush.join().unwrap().sent, 1);
        });
        assert_eq!((phone.row(id).state.as_str(), phone.transport.requests().len()), ("sent", 1));
    }
}

#[test]
fn a_claim_that_waited_too_long_is_claimed_again() {
    let policy = RetryPolicy { in_flight_start: 1, in_flight_max: 1, ..RetryPolicy::default() };
    let phone = Phone::with_policy(ScriptedTransport::always(202), policy);
    let entries = phone.complete("office", 3);
    phone.transport.hold("");
    std::thread::scope(|scope| {
        let flush = scope.spawn(|| phone.delivery.flush(Duration::from_secs(600), &CancelToken::new(), false).unwrap());
        phone.transport.wait_for_requests(1);
        // Too late to begin the other two under their leases.
        phone.clock.advance(Duration::from_secs(29));
        phone.transport.release();
        let report = flush.join().unwrap();
        assert_eq!((report.sent, report.attempts), (3, 3));
    });
    for id in entries {
        let row = phone.row(id);
        assert_eq!((row.attempts, row.unknown), (1, 0));
    }
}
