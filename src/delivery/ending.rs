//! The part of the schedule for the end of attempts: the results of look-ups and requests, and their verdicts.

use super::attempt::{Attempt, AttemptResult, Secret, Stage};
use super::endpoint_queue::EndpointQueue;
use super::moment::Moment;
use super::schedule::{Ended, Schedule};
use super::settings::FULL_TIME;
use crate::fault::fault;
use crate::outbox::{Cause, Class, Contact, Context, Outcome, RetryPolicy, Verdict, classify, clock_error, reason};
use crate::port::{FailureKind, SecretLookup};
use crate::store::outbox::queue::Claimed;
use crate::webhook;

impl Schedule {
    /// Marks requests in flight to end, and gives them to be cancelled. The driving thread ends everything else; it also finds the mark on the
    /// attempt whose entry it reads.
    pub(super) fn cancel_requests(&mut self) -> Vec<u64> {
        let begun = self.in_flight.values_mut().filter(|attempt| matches!(attempt.stage, Stage::Looking | Stage::Leaving | Stage::Sending));
        begun.fold(Vec::new(), |mut requests, attempt| {
            attempt.cancelled = true;
            if attempt.stage == Stage::Sending {
                requests.push(attempt.request);
            }
            requests
        })
    }

    /// Secrets were looked up.
    pub(super) fn secrets_came(&mut self, request: u64, lookups: Vec<SecretLookup>, ended: &Ended, policy: &RetryPolicy) {
        if self.detached.look_up_ended(request) {
            self.look();
        }
        let Some(attempt) = self.in_flight.get_mut(&request) else { return };
        attempt.looks_up = false;
        attempt.found_at = Some(ended.at.monotonic);
        let names: Vec<String> = webhook::secret_names(&attempt.endpoint).into_iter().map(str::to_owned).collect();
        let mut secrets = Vec::with_capacity(names.len());
        let mut cause = (lookups.len() < names.len()).then_some(Cause::SecretUnavailable);
        for (name, lookup) in names.into_iter().zip(lookups) {
            match lookup {
                SecretLookup::Found { current, previous } => secrets.push((name, current, previous)),
                SecretLookup::Missing => cause = Some(Cause::SecretMissing),
                SecretLookup::Unavailable => cause = Some(Cause::SecretUnavailable),
            }
        }
        match attempt.stage {
            Stage::Secrets if cause.is_none() => (attempt.secrets, attempt.stage) = (secrets, Stage::Found),
            Stage::Secrets => {
                let Some(attempt) = self.in_flight.remove(&request) else { return };
                let outcome = Outcome::NotAttempted(cause.unwrap_or(Cause::SecretUnavailable));
                self.finish(attempt, outcome, ended.at, ended.random, policy, true);
            }
            Stage::Refreshing => {
                let Some(attempt) = self.in_flight.remove(&request) else { return };
                self.refreshed(attempt, cause.is_none().then_some(&secrets), ended, policy);
            }
            Stage::Found | Stage::Looking | Stage::Leaving | Stage::Sending => {}
        }
    }

    /// Settles the answer for which a newer secret was looked up. Others that waited for the same look-up are settled with it, each by the
    /// secrets with which it was refused.
    pub(super) fn refreshed(&mut self, attempt: Attempt, found: Option<&Vec<Secret>>, ended: &Ended, policy: &RetryPolicy) {
        let endpoint = attempt.claimed.endpoint.clone();
        let mut waiting = vec![attempt];
        let others: Vec<u64> = self
            .in_flight
            .values()
            .filter(|other| other.stage == Stage::Refreshing && other.claimed.endpoint == endpoint)
            .map(|other| other.request)
            .collect();
        waiting.extend(others.into_iter().filter_map(|request| self.in_flight.remove(&request)));
        for mut attempt in waiting {
            let Some((outcome, wall, monotonic)) = attempt.refused.take() else { continue };
            let is_other = |found: &Vec<Secret>, name| value_of(&attempt.secrets, name) != value_of(found, name);
            let is_newer =
                found.is_some_and(|found| webhook::header_secret_names(&attempt.endpoint).into_iter().any(|name| is_other(found, name)));
            self.finish_refreshed(attempt, outcome, Moment { wall, monotonic }, ended.random, policy, is_newer);
        }
    }

    /// Whether a newer secret is being looked up for the endpoint of this attempt.
    pub(super) fn is_refreshing(&self, request: u64) -> bool {
        let queue = self.in_flight.get(&request).and_then(|attempt| self.endpoints.get(&attempt.claimed.endpoint));
        queue.is_some_and(|queue| queue.refreshing > 0)
    }

    /// A request was answered 401 or 403 with a secret that is known to be refused; `is_outdated` where a newer one was seen since.
    pub(super) fn refused(&mut self, request: u64, outcome: Outcome, is_outdated: bool, ended: &Ended, policy: &RetryPolicy) {
        if let Some(attempt) = self.in_flight.remove(&request) {
            self.finish_refreshed(attempt, outcome, ended.at, ended.random, policy, is_outdated);
        }
    }

    /// A request was answered 401 or 403, and that is reported to the store of secrets. True when no newer secret of this endpoint is being
    /// looked up yet: then the caller does it.
    pub(super) fn refresh(&mut self, request: u64, outcome: Outcome, at: Moment) -> bool {
        let Some(attempt) = self.in_flight.get_mut(&request) else { return false };
        attempt.stage = Stage::Refreshing;
        attempt.refused = Some((outcome, at.wall, at.monotonic));
        let Some(queue) = self.endpoints.get_mut(&attempt.claimed.endpoint) else { return true };
        queue.refreshing += 1;
        queue.refreshing == 1
    }

    /// A request has ended, also a detached one.
    pub(super) fn answered(&mut self, request: u64, outcome: Outcome, ended: &Ended, policy: &RetryPolicy) {
        if let Some(attempt) = self.in_flight.remove(&request) {
            // It was never sent, no matter what the transport reports.
            let never_left = attempt.stage == Stage::Leaving;
            let outcome = if never_left { Outcome::NotAttempted(Cause::Interrupted) } else { outcome };
            self.finish(attempt, outcome, ended.at, ended.random, policy, true);
        } else if let Some(attempt) = self.detached.attempt_ended(request) {
            // It may have delayed its endpoint.
            self.look();
            if matches!(&outcome, Outcome::Answer(answer) if matches!(answer.status, 200..=299)) {
                self.drop_claims(attempt.claimed.lease.entry);
            }
            self.finish(attempt, outcome, ended.at, ended.random, policy, false);
        }
    }

    /// An entry is delivered: a later claim of it is released, if nothing of that was sent.
    fn drop_claims(&mut self, entry: i64) {
        let is_of = |claimed: &Claimed| claimed.lease.entry == entry;
        let mut released = Vec::new();
        for queue in self.endpoints.values_mut() {
            let (back, ready): (Vec<_>, Vec<_>) = queue.ready.drain(..).partition(is_of);
            queue.ready = ready.into();
            released.extend(back);
        }
        released.iter().for_each(|claimed| self.release(claimed));
        self.drop_attempts(|attempt| is_of(&attempt.claimed) && !matches!(attempt.stage, Stage::Sending | Stage::Refreshing));
    }

    pub(super) fn finish(&mut self, attempt: Attempt, outcome: Outcome, at: Moment, random: f64, policy: &RetryPolicy, running: bool) {
        if running {
            self.leave(&attempt);
        }
        self.conclude(attempt, outcome, at, random, policy, running, false);
    }

    fn finish_refreshed(&mut self, attempt: Attempt, outcome: Outcome, at: Moment, random: f64, policy: &RetryPolicy, is_newer: bool) {
        self.leave(&attempt);
        self.conclude(attempt, outcome, at, random, policy, true, is_newer);
    }

    #[expect(clippy::too_many_arguments, reason = "the end of an attempt in one place; both callers are above")]
    fn conclude(
        &mut self,
        mut attempt: Attempt,
        outcome: Outcome,
        at: Moment,
        random: f64,
        policy: &RetryPolicy,
        running: bool,
        refreshed: bool,
    ) {
        let key = attempt.claimed.endpoint.clone();
        let duration = at.monotonic.saturating_sub(attempt.began);
        let outdated = attempt.network < self.network.generation() && !fault("seeded: a network that is gone counts");
        let cancels_itself = matches!(&outcome, Outcome::Failure(failure) if failure.kind == FailureKind::Cancelled)
            && fault("seeded: a transport that cancels by itself was asked to");
        // An attempt that used up less time than a receiver may take says nothing about the receiver.
        let ran_out = matches!(&outcome, Outcome::Failure(failure) if failure.kind == FailureKind::Timeout)
            && attempt
                .sending
                .is_some_and(|(since, timeout)| timeout < FULL_TIME && at.monotonic.saturating_sub(since) >= timeout.mul_f64(0.9));
        let skew_of = |queue: &EndpointQueue| queue.state.clock_skew_ms;
        let context = Context {
            validated: attempt.validated,
            answered_lately: self.network.answered_lately(attempt.network, at.monotonic),
            signed_for_ms: attempt.signed_for_ms,
            clock_error_ms: clock_error(
                self.endpoints.get(&key).and_then(skew_of),
                self.endpoints.iter().filter(|(other, _)| **other != key).filter_map(|(_, queue)| skew_of(queue)),
            ),
            resynced: attempt.claimed.progress.resynced,
            interrupted: attempt.cancelled || ran_out || outdated || cancels_itself,
        };
        let mut verdict = classify(&outcome, &context, policy);
        if outdated && verdict.class == Class::Offline {
            // A captive portal or proxy of an earlier network says nothing about the current one.
            verdict = Verdict { class: Class::CutShort, reason: reason::INTERRUPTED, ..verdict };
        }
        if matches!(outcome, Outcome::Answer(_)) && verdict.class != Class::Offline {
            self.network.answered(&key, attempt.network, at.monotonic);
        }
        let another_answered = self.network.another_answered(&key, attempt.network, at.monotonic);
        let woken = attempt.wake < self.wake;
        if verdict.contact == Contact::NotBegun {
            self.releases.urgent.extend(attempt.used_urgent.take());
        }
        let result = AttemptResult {
            woken,
            attempt,
            outcome,
            verdict,
            came_at: at.wall,
            ended_at: at.wall,
            duration,
            refreshed,
            random,
            another_answered,
            counted_for_endpoint: false,
        };
        // A result of the endpoint's earlier definition says nothing about the current one. An answer counts no matter how late it comes.
        if (running || result.verdict.contact == Contact::Known)
            && let Some(queue) = self.endpoints.get_mut(&key).filter(|queue| queue.endpoint == result.attempt.endpoint)
        {
            queue.learn(&result, at.monotonic, self.wake, policy);
        }
        if result.attempt.claimed.urgent && result.was_cancelled() {
            self.caller_requests.urgent_again();
        }
        self.results_since.get_or_insert(at.monotonic);
        self.results.push(result);
    }
}

fn value_of<'a>(secrets: &'a [Secret], name: &str) -> Option<&'a str> {
    secrets.iter().find(|(known, ..)| known == name).map(|(_, current, _)| current.expose())
}
