//! The progress of an entry: what its attempts have used up, and its next state.

use std::time::Duration;

use super::classify::{Class, Contact, Verdict};
use super::due::due_after;
use super::policy::{CUT_SHORT_AT_ONCE, RetryPolicy};
use super::reason;
use crate::fault::fault;
use crate::model::Timestamp;

/// How often an entry is attempted whose endpoint has a failure that needs a person: "it goes on being tried hourly" (contract, section 6).
const UNREACHABLE_RECHECK: Duration = Duration::from_secs(3600);

/// What the attempts of an entry have used up. Stored with the entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Attempts begun, over the life of the entry.
    pub attempts: u32,
    /// Attempts without a status line after which the receiver may have the message, including one that may still run.
    pub unknown_outcomes: u32,
    /// Failures that used up the budget of the class `retry later`.
    pub counted: u32,
    /// Failures that used up the budget of the class `retry slowly`.
    pub slow_counted: u32,
    /// Failures in a row for lack of a network.
    pub offline_attempts: u32,
    /// Attempts in a row that were cut short.
    pub cut_short: u32,
    /// For how long it has been failing: the sum of the times between counted failures, each limited by the schedule.
    pub failing_for: Duration,
    /// When the last failure was counted.
    pub last_failure_at: Option<Timestamp>,
    /// How often the entry was revived after it had failed.
    pub revived: u32,
    /// The last attempt ended with [`Class::ResyncNow`].
    pub resynced: bool,
    /// The last slow failure was followed by another attempt at once, because there may be a new secret.
    pub refreshed: bool,
}

impl Progress {
    /// With one more attempt, to be written before anything of it is sent: after a crash in the middle, the receiver may have the
    /// message.
    pub fn claimed(self) -> Self {
        Self { attempts: self.attempts.saturating_add(1), unknown_outcomes: self.unknown_outcomes.saturating_add(1), ..self }
    }

    /// Without a claim of which nothing was begun.
    pub(crate) fn released(self) -> Self {
        Self { attempts: self.attempts.saturating_sub(1), unknown_outcomes: self.unknown_outcomes.saturating_sub(1), ..self }
    }

    fn with_contact(self, contact: Contact) -> Self {
        match contact {
            Contact::NotBegun => self.released(),
            Contact::Known => Self { unknown_outcomes: self.unknown_outcomes.saturating_sub(1), ..self },
            Contact::Unknown => self,
        }
    }

    fn with_failure(self, now: Timestamp, policy: &RetryPolicy) -> Self {
        // Wall clock times may be wrong: no pair of failures adds more than the longest delay, or less than zero.
        let passed = self.last_failure_at.and_then(|last| (now - last).to_std().ok()).unwrap_or_default();
        let failing_for = self.failing_for.saturating_add(passed.min(policy.longest_delay));
        Self { failing_for, last_failure_at: Some(now), ..self }
    }
}

/// The new state of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// Delivered. Final, from any state.
    Sent,
    /// It waits.
    Queued {
        /// When it is attempted again.
        due_at: Timestamp,
        /// Why it waits.
        reason: &'static str,
    },
    /// It failed for good.
    Failed {
        /// Why.
        reason: &'static str,
    },
}

/// An entry after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// Its new state.
    pub settlement: Settlement,
    /// What it has used up now.
    pub progress: Progress,
}

/// What is known besides the verdict when an entry is settled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SettleFacts {
    /// When the attempt ended.
    pub now: Timestamp,
    /// From 0 (included) to 1 (excluded).
    pub random: f64,
    /// The failure of its endpoint needs a person, including this attempt: see [`Failing`](super::Failing).
    pub unreachable: bool,
    /// The refusal of a secret in a header was reported, and the next look-up may give another value.
    pub refresh_pending: bool,
    /// It was the first attempt after a pause that the receiver asked for.
    pub came_as_asked: bool,
}

/// Settles an attempt of an entry whose `progress` includes the claim.
pub fn settle(progress: &Progress, verdict: &Verdict, facts: &SettleFacts, policy: &RetryPolicy) -> Settled {
    let SettleFacts { now, random, .. } = *facts;
    let mut progress = progress.with_contact(verdict.contact);
    progress.resynced = verdict.class == Class::ResyncNow || (progress.resynced && fault("seeded: resynced stays"));
    match verdict.class {
        Class::CutShort => progress.cut_short = progress.cut_short.saturating_add(1),
        Class::Blocked => {}
        Class::Offline => (progress.cut_short, progress.offline_attempts) = (0, progress.offline_attempts.saturating_add(1)),
        _ => (progress.cut_short, progress.offline_attempts) = (0, 0),
    }
    if verdict.counted() {
        progress = progress.with_failure(now, policy);
    }
    let queued = |delay: Duration| Settlement::Queued { due_at: due_after(now, delay.min(policy.longest_delay)), reason: verdict.reason };
    let settlement = match verdict.class {
        Class::Sent => Settlement::Sent,
        Class::Permanent | Class::Gone => Settlement::Failed { reason: verdict.reason },
        Class::ResyncNow => queued(Duration::ZERO),
        Class::CutShort => queued(cut_short_delay(progress.cut_short, policy, random)),
        Class::Blocked => queued(policy.secret_recheck),
        Class::Offline if facts.unreachable => queued(policy.jittered(UNREACHABLE_RECHECK, random)),
        Class::Offline => queued(policy.jittered(policy.offline_step(progress.offline_attempts), random)),
        Class::RetryLater => {
            progress.counted = progress.counted.saturating_add(1);
            if progress.counted >= policy.budget_attempts && progress.failing_for >= policy.budget_age {
                Settlement::Failed { reason: reason::EXHAUSTED }
            } else {
                queued(retry_delay(progress.counted, verdict, facts, policy))
            }
        }
        Class::RetrySlow => {
            progress.slow_counted = progress.slow_counted.saturating_add(1);
            progress.refreshed = verdict.reason == reason::AUTH && facts.refresh_pending && !progress.refreshed;
            match policy.slow_step(progress.slow_counted) {
                None => Settlement::Failed { reason: final_reason(verdict.reason) },
                Some(_) if progress.refreshed => queued(Duration::ZERO),
                Some(delay) => queued(policy.jittered(delay, random)),
            }
        }
    };
    Settled { settlement, progress }
}

/// How long an entry waits after this many attempts in a row that were cut short.
pub(crate) fn cut_short_delay(cut_short: u32, policy: &RetryPolicy, random: f64) -> Duration {
    if cut_short < CUT_SHORT_AT_ONCE || fault("seeded: cut short without end") {
        return Duration::ZERO;
    }
    policy.jittered(policy.offline_step(cut_short - CUT_SHORT_AT_ONCE + 1), random)
}

/// The delay of the schedule, not shorter than the receiver needs or asked for. If it is busy and says when to come back, that replaces the
/// schedule, which begins once it has refused the message so often that the budget is spent.
fn retry_delay(counted: u32, verdict: &Verdict, facts: &SettleFacts, policy: &RetryPolicy) -> Duration {
    let asked = verdict.pause.map(|pause| policy.spread_pause(pause, facts.came_as_asked, facts.random));
    let counted = if verdict.slow_down && asked.is_some() { counted.saturating_sub(policy.budget_attempts) } else { counted };
    let mut delay = asked.unwrap_or_default();
    if counted > 0 {
        delay = delay.max(policy.jittered(policy.step(counted), facts.random));
        if verdict.overloaded {
            delay = delay.max(policy.jittered_shortest(policy.overload_shortest, facts.random));
        }
    }
    delay
}

/// The reason of a slow failure once it is final.
fn final_reason(reason: &'static str) -> &'static str {
    if reason == reason::CONFLICT { reason::REJECTED } else { reason }
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
