//! An entry on its way: what its attempts have used up, and what becomes of it.

use std::time::Duration;

use super::classify::{Class, Contact, Verdict};
use super::policy::{RetryPolicy, after, span};
use super::reason;
use crate::model::Timestamp;

/// What the attempts of an entry have used up. Stored with the entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Attempts begun, over the life of the entry.
    pub attempts: u32,
    /// Attempts that ended, or may yet turn out to have ended, with the message at the receiver and no status line read.
    pub unknown_outcomes: u32,
    /// Failures that used up the budget of the quick class.
    pub counted: u32,
    /// Failures that used up the budget of the slow class.
    pub slow_counted: u32,
    /// Failures in a row for want of a network.
    pub offline_tries: u32,
    /// When the first failure was counted.
    pub first_contact_at: Option<Timestamp>,
    /// How often the entry was brought back after it had failed.
    pub revived: u32,
}

impl Progress {
    /// With one more attempt, to be written before anything of it leaves the phone: after a crash in the middle, the receiver may have
    /// the message.
    pub fn claimed(self) -> Self {
        Self { attempts: self.attempts.saturating_add(1), unknown_outcomes: self.unknown_outcomes.saturating_add(1), ..self }
    }

    /// Without a claim of which nothing was begun.
    pub fn released(self) -> Self {
        Self { attempts: self.attempts.saturating_sub(1), unknown_outcomes: self.unknown_outcomes.saturating_sub(1), ..self }
    }

    /// With fresh budgets, after the entry had failed. The history stays.
    pub fn revived(self) -> Self {
        Self { counted: 0, slow_counted: 0, offline_tries: 0, first_contact_at: None, revived: self.revived.saturating_add(1), ..self }
    }

    /// Whether the receiver may have the message although it is not `sent`.
    pub fn may_have_been_delivered(&self) -> bool {
        self.unknown_outcomes > 0
    }

    fn with_contact(self, contact: Contact) -> Self {
        match contact {
            Contact::NotBegun => self.released(),
            Contact::Known => Self { unknown_outcomes: self.unknown_outcomes.saturating_sub(1), ..self },
            Contact::Unknown => self,
        }
    }

    fn with_first_contact(self, now: Timestamp) -> Self {
        // A first contact in the future is from before the clock was set back; it would keep the budget open for as long.
        Self { first_contact_at: Some(self.first_contact_at.map_or(now, |first| first.min(now))), ..self }
    }
}

/// What becomes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// Delivered. Final, from whatever state.
    Sent,
    /// It waits.
    Queued {
        /// When it is tried again.
        due_at: Timestamp,
        /// Why it waits.
        reason: &'static str,
    },
    /// It ended without success.
    Failed {
        /// Why.
        reason: &'static str,
    },
}

/// An entry after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// What becomes of it.
    pub settlement: Settlement,
    /// What it has used up now.
    pub progress: Progress,
}

/// Settles an attempt of an entry whose `progress` includes the claim. `random` is from 0 (included) to 1 (excluded).
pub fn settle(progress: &Progress, verdict: &Verdict, policy: &RetryPolicy, now: Timestamp, random: f64) -> Settled {
    let mut progress = progress.with_contact(verdict.contact);
    if !matches!(verdict.class, Class::Offline | Class::CutShort | Class::Blocked) {
        progress.offline_tries = 0;
    }
    let queued = |delay: Duration| Settlement::Queued { due_at: after(now, delay.min(policy.longest_delay)), reason: verdict.reason };
    let settlement = match verdict.class {
        Class::Sent => Settlement::Sent,
        Class::Permanent | Class::Gone => Settlement::Failed { reason: verdict.reason },
        Class::CutShort | Class::ResyncNow => queued(Duration::ZERO),
        Class::Blocked => queued(policy.secret_recheck),
        Class::Offline => {
            progress.offline_tries = progress.offline_tries.saturating_add(1);
            queued(policy.jittered(policy.offline_step(progress.offline_tries), random))
        }
        Class::RetryLater => {
            progress = progress.with_first_contact(now);
            progress.counted = progress.counted.saturating_add(1);
            if budget_is_spent(&progress, policy, now) {
                Settlement::Failed { reason: reason::EXHAUSTED }
            } else {
                queued(retry_delay(progress.counted, verdict, policy, random))
            }
        }
        Class::RetrySlow => {
            progress = progress.with_first_contact(now);
            progress.slow_counted = progress.slow_counted.saturating_add(1);
            match policy.slow_step(progress.slow_counted) {
                Some(delay) => queued(policy.jittered(delay, random)),
                None => Settlement::Failed { reason: final_reason(verdict.reason) },
            }
        }
    };
    Settled { settlement, progress }
}

/// The delay of the schedule, no shorter than what the receiver needs or asked for.
fn retry_delay(counted: u32, verdict: &Verdict, policy: &RetryPolicy, random: f64) -> Duration {
    let mut delay = policy.jittered(policy.step(counted), random);
    if verdict.overloaded {
        delay = delay.max(policy.jittered_floor(policy.overload_floor, random));
    }
    delay.max(verdict.pause.unwrap_or_default())
}

fn budget_is_spent(progress: &Progress, policy: &RetryPolicy, now: Timestamp) -> bool {
    let age = progress.first_contact_at.map_or(chrono::TimeDelta::zero(), |first| now - first);
    progress.counted >= policy.budget_attempts && age >= span(policy.budget_age)
}

/// What a slow failure is called once it is final.
fn final_reason(reason: &'static str) -> &'static str {
    if reason == reason::CONFLICT { reason::REJECTED } else { reason }
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
