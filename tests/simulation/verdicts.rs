//! What the core made of an attempt that ended, against the table.

use std::time::Duration;

use compass_core::port::FailureKind;

use super::attempts::{Attempt, Outcome};
use super::rows::Entry;
use super::table::{self, Around, Class, Ended};
use super::world::{Check, World};

impl World {
    /// A lease has ended: released, expired, or with the result of its attempt.
    pub fn check_end(&mut self, entry: &Entry, next: &Entry, place: usize) -> Check {
        let now = self.clock.wall_ms();
        let attempt = self.attempts.all.get(&(entry.row, entry.attempts)).cloned();
        if next.state == "queued" && next.attempts + 1 == entry.attempts {
            if attempt.is_some() {
                return Err("an attempt that had begun was released as if it had not".to_owned());
            }
            if next.unknown + 1 != entry.unknown {
                return Err("a claim that is released takes its unknown outcome with it".to_owned());
            }
            if next.reason == "interrupted" && next.cut_short == entry.cut_short + 1 {
                // Its secrets were not there, and somebody has changed something since; or it was stopped while they were looked up.
                let claimed = self.attempts.claimed_at.get(&entry.row).copied().unwrap_or_default();
                if self.configured_at >= claimed {
                    self.coverage.count("check", "secrets of an older generation");
                    return Ok(());
                }
                let asked = self.attempts.looked_up_at.get(&(place, entry.endpoint.clone())).copied();
                self.coverage.count("check", "a look-up is cut short");
                return if asked >= Some(claimed) { Ok(()) } else { Err("cut short, and nothing had begun or changed".to_owned()) };
            }
            if next.reason != entry.reason && !next.reason.starts_with("secret_") {
                return Err("a claim that is released changes nothing".to_owned());
            }
            if next.reason.starts_with("secret_") && next.due_at != entry.due_at {
                let asked = self.attempts.looked_up.get(&(place, entry.endpoint.clone())).copied().unwrap_or_default();
                if self.secrets_changed > asked {
                    return Err("waits for a secret that was looked up before secrets changed".to_owned());
                }
                let row = next.reason.replace('_', " ");
                self.coverage.count("row", row);
                self.coverage.count("reason", next.reason.clone());
                let until = next.due_at - now;
                if until > 901_000 && self.clock_set == 0 {
                    return Err("a secret is looked for again within a quarter of an hour".to_owned());
                }
            }
            return Ok(());
        }
        if next.state == "sent" {
            self.settled(entry);
            self.coverage.count("row", "2xx");
            return Ok(());
        }
        let is_dead = entry.lease_until <= now || entry.lease_until - now > 120_000;
        let looks_void = next.reason == "interrupted" && next.unknown == entry.unknown && next.attempts == entry.attempts;
        // It counts as cut short, as if it had been cancelled in time.
        let same_counts =
            (next.counted, next.slow, next.offline, next.cut_short) == (entry.counted, entry.slow, entry.offline, entry.cut_short + 1);
        if looks_void && same_counts && is_dead {
            if next.cut_short >= 3 && (next.at_once || next.due_at <= now) {
                return Err(format!("died {} times in a row, and is due at once", next.cut_short));
            }
            self.coverage.count("check", "a lease died");
            // With it goes what its answer said of the endpoint.
            self.attempts.forget_pause(&entry.endpoint);
            return Ok(());
        }
        let Some(attempt) = attempt else {
            return Err("a lease ended without a request, and it was neither expired nor released".to_owned());
        };
        let Some(outcome) = attempt.outcome.filter(|_| !attempt.settled) else {
            return Err("a lease ended before its request did".to_owned());
        };
        self.check_verdict(entry, next, &attempt, &outcome, place)?;
        self.settled(entry);
        Ok(())
    }

    pub fn settled(&mut self, entry: &Entry) {
        if let Some(attempt) = self.attempts.all.get_mut(&(entry.row, entry.attempts)) {
            attempt.settled = true;
        }
    }

    pub fn check_verdict(&mut self, entry: &Entry, next: &Entry, attempt: &Attempt, outcome: &Outcome, place: usize) -> Check {
        let around = self.around(entry, attempt, outcome, place);
        let allowed = table::verdicts(&outcome.ended, &around);
        let class = if next.state == "failed" && next.counted == entry.counted && next.slow == entry.slow {
            if next.reason == "gone" {
                // The endpoint was disabled in the same transaction.
                self.configured_at = self.now();
                Class::Gone
            } else {
                Class::Permanent
            }
        } else if next.counted > entry.counted {
            Class::Later
        } else if next.slow > entry.slow {
            Class::Slow
        } else if next.resynced == 1 {
            Class::Resync
        } else if next.offline > entry.offline {
            Class::Offline
        } else if next.cut_short > entry.cut_short || next.cut_short == 1 && next.reason == "interrupted" {
            Class::CutShort
        } else {
            return Err(format!("nothing was counted of {:?}", outcome.ended));
        };
        let same_class = || allowed.iter().filter(|(allowed, ..)| *allowed == class);
        let Some(verdict) = same_class().find(|(_, reason, _)| *reason == next.reason).or_else(|| same_class().next()) else {
            return Err(format!(
                "{:?} became {class:?} {}; the table says {allowed:?}\n  {around:?}\n  {attempt:?}",
                outcome.ended, next.reason
            ));
        };
        self.coverage.count("row", verdict.2);
        self.coverage.count("reason", next.reason.clone());
        let reason_fits = next.reason == verdict.1
            || next.state == "failed" && (next.reason == "exhausted" || verdict.1 == "conflict" && next.reason == "rejected");
        if !reason_fits {
            return Err(format!("{:?} is shown as {}; the table says {}", outcome.ended, next.reason, verdict.1));
        }
        let known = !matches!(outcome.ended, Ended::Failure { sent: compass_core::port::RequestSent::Maybe, .. });
        if next.unknown != entry.unknown - u32::from(known) || next.attempts != entry.attempts {
            return Err(format!("{:?}: unknown outcomes were {} and are {}", outcome.ended, entry.unknown, next.unknown));
        }
        if (next.resynced == 1) != (class == Class::Resync) {
            return Err("resynced means the attempt right before".to_owned());
        }
        // It ended by itself, no matter what the old address or the old secret brought: what was cut short before is over.
        let is_old = (around.endpoint_changed || around.secrets_changed) && next.cut_short == 1;
        let cut_short = if is_old { 1 } else { entry.cut_short + 1 };
        let expected = match class {
            Class::Offline => (entry.counted, entry.slow, entry.offline + 1, 0),
            // What waits for an endpoint that changed, or for a secret, begins again, and so does what was in flight.
            Class::CutShort if (around.endpoint_changed || around.secrets_changed) && (next.counted, next.slow) == (0, 0) => {
                (0, 0, entry.offline, cut_short)
            }
            Class::CutShort => (entry.counted, entry.slow, entry.offline, cut_short),
            Class::Later => (entry.counted + 1, entry.slow, 0, 0),
            Class::Slow => (entry.counted, entry.slow + 1, 0, 0),
            _ => (entry.counted, entry.slow, 0, 0),
        };
        if (next.counted, next.slow, next.offline, next.cut_short) != expected {
            return Err(format!("{class:?} counts {expected:?}"));
        }
        if next.state == "failed" {
            let may = match class {
                Class::Later => next.counted >= 12,
                Class::Slow => next.slow >= 6,
                Class::Permanent | Class::Gone => true,
                _ => false,
            };
            return if may { Ok(()) } else { Err("failed too soon".to_owned()) };
        }
        let count = match class {
            Class::Offline => next.offline,
            Class::CutShort => next.cut_short,
            Class::Later => next.counted,
            _ => next.slow,
        };
        // A flush may wait for its turn, and an attempt for its secrets.
        let woken = class == Class::Offline && self.processes[place].woken_at + Duration::from_secs(120) >= attempt.began;
        // Another message was taken by the endpoint: what waits for it is due at once.
        let has_reached = |other: &Attempt| {
            let outcome = other.outcome.as_ref().filter(|outcome| outcome.at >= attempt.began).map(|outcome| outcome.ended);
            matches!(outcome, Some(Ended::Answer { status: 200..=299, .. })) && other.endpoint == attempt.endpoint
        };
        let is_reached = class == Class::Offline && next.due_at <= self.clock.wall_ms() && self.attempts.all.values().any(has_reached);
        let (least, most) = table::delay(class, &outcome.ended, count, next.refreshed == 1, table::pause(&outcome.ended));
        // Of a clock that was set back before it was stored, from the present one.
        let delay = next.due_at - outcome.wall_ms.min(self.clock.wall_ms());
        if delay < least && !(woken && delay == 0) && !is_reached || delay > most {
            return Err(format!("{class:?} {count} of {:?} is due after {delay} ms; the schedule says {least} to {most}", outcome.ended));
        }
        Ok(())
    }

    pub fn around(&self, entry: &Entry, attempt: &Attempt, outcome: &Outcome, place: usize) -> Around {
        let process = &self.processes[place];
        let lately = process.answered_at.is_some_and(|at| outcome.at.saturating_sub(at) <= Duration::from_secs(61))
            || self.attempts.all.values().any(|other| {
                other.place == place
                    && other.life == attempt.life
                    && other.outcome.is_some_and(|answer| {
                        matches!(answer.ended, Ended::Answer { .. }) && outcome.at.saturating_sub(answer.at) <= Duration::from_secs(61)
                    })
            });
        // What the app said may have changed just before.
        let said_lately = process.heard_at.iter().any(|at| *at + Duration::from_millis(2_100) >= attempt.began);
        let works = attempt.validated == Some(true);
        let ran_out = matches!(outcome.ended, Ended::Failure { kind: FailureKind::Timeout, .. })
            && attempt.timeout < Duration::from_secs(20)
            && (outcome.at - attempt.began).as_secs_f64() >= attempt.timeout.as_secs_f64() * 0.89;
        // A change that came soon after another counts two seconds later.
        let may_have_risen = process.heard_at.iter().any(|at| *at + Duration::from_millis(2_100) >= attempt.began);
        let surely_rose = process.rose.iter().any(|tick| *tick > attempt.began_tick && *tick < outcome.tick);
        let surely_cancelled = attempt.cancelled == Some(0);
        let may_be_cut = attempt.cancelled.is_some() || ran_out || may_have_risen;
        let endpoint_changed = self.rows.endpoints.get(&attempt.endpoint).is_none_or(|row| row.definition != attempt.definition)
            || self.tampered_endpoints.contains_key(&attempt.endpoint);
        let signed_off = match outcome.ended {
            // No matter what the clock says by then.
            Ended::Answer { date: Some(date), .. } => Some(date - attempt.signed_at),
            _ => None,
        };
        Around {
            net_works: (works || lately || said_lately, works && !said_lately),
            validated: if said_lately { None } else { Some(attempt.validated) },
            interrupted: (may_be_cut || surely_rose, surely_cancelled || surely_rose || ran_out),
            signed_off,
            resynced_before: entry.resynced == 1,
            clock_known_wrong: self.receivers.values().any(|receiver| receiver.dates != super::receiver::Dates::Off(0))
                || self.clock_set > 0,
            endpoint_changed,
            secrets_changed: self.configured_at + Duration::from_secs(60) >= attempt.began,
        }
    }
}
