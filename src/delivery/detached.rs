//! Detached calls. Each keeps a thread, so their number is limited: of one endpoint, which then begins nothing more while the
//! others continue, and of all together.

use std::sync::Arc;

use super::attempt::Attempt;
use super::settings::{MOST_HANGING, MOST_HANGING_IN_ALL};
use crate::model::Endpoint;
use crate::sorted::SortedMap;
use crate::webhook;

/// The detached calls.
#[derive(Default)]
pub(super) struct Detached {
    /// Look-ups of secrets, by request, with the endpoint as it was then. Their results are not used.
    look_ups: Vec<(u64, Arc<Endpoint>)>,
    /// Attempts whose requests are in flight. Their results still count.
    attempts: SortedMap<u64, Attempt>,
}

impl Detached {
    /// Whether no attempt may begin at this endpoint before a call ends. Look-ups count where it names a secret. Calls of an earlier definition
    /// of the same endpoint do not count.
    pub(super) fn delays(&self, endpoint: &Endpoint) -> bool {
        let is_full = |count: usize| count >= MOST_HANGING;
        let look_ups = || self.look_ups.iter().filter(|(_, other)| **other == *endpoint).count();
        let attempts = || self.attempts.values().filter(|attempt| *attempt.endpoint == *endpoint).count();
        is_full(self.attempts.len()) && is_full(attempts())
            || is_full(self.look_ups.len())
                && !webhook::secret_names(endpoint).is_empty()
                && (self.look_ups.len() >= MOST_HANGING_IN_ALL || is_full(look_ups()))
    }

    /// How many more attempts are detached than are allowed in all.
    pub(super) fn attempts_beyond(&self) -> u32 {
        self.attempts.len().saturating_sub(MOST_HANGING_IN_ALL) as u32
    }

    pub(super) fn attempts(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.values()
    }

    /// The requests of look-ups.
    #[cfg(test)]
    pub(super) fn look_ups(&self) -> impl Iterator<Item = u64> {
        self.look_ups.iter().map(|(request, _)| *request)
    }

    pub(super) fn leave_attempt(&mut self, attempt: Attempt) {
        self.attempts.insert(attempt.request, attempt);
    }

    pub(super) fn leave_look_up(&mut self, attempt: &Attempt) {
        self.look_ups.push((attempt.request, Arc::clone(&attempt.endpoint)));
    }

    /// The request of this attempt has ended.
    pub(super) fn attempt_ended(&mut self, request: u64) -> Option<Attempt> {
        self.attempts.remove(&request)
    }

    /// A look-up has ended. True when it was detached.
    pub(super) fn look_up_ended(&mut self, request: u64) -> bool {
        let before = self.look_ups.len();
        self.look_ups.retain(|(left, _)| *left != request);
        self.look_ups.len() < before
    }
}
