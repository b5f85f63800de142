//! The part of the driver for attempts: beginning them, the last read of their entry, sending, and taking in their results.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::attempt::{Attempt, Stage};
use super::driver::{Run, Turn};
use super::handle::Delivery;
use super::moment::Moment;
use super::schedule::Ended;
use super::settings::{IDLE, LEASE_MARGIN, LEAST_TIME, SETTLING_TIME, THREAD_PAUSE};
use super::shared::{Arrived, Shared, SharedLock};
use super::urgent;
use crate::fault::fault;
use crate::model::Endpoint;
use crate::outbox::{Answer, Cause, Outcome, pause_end};
use crate::port::{BlockingAnswer, BlockingCall, SendCheck};
use crate::store::endpoint::{self, StoredEndpoint};
use crate::store::outbox::queue;
use crate::store::{Connection, StoreError, meta};
use crate::webhook;

/// Takes in and stores results when no thread drives, on the thread that brought them, unless the handle is quiesced or closed. Then also
/// those that came meanwhile, because other threads left theirs to this one.
fn store_late_results(shared: &Arc<SharedLock>, delivery: &Weak<Delivery>) {
    // The turn is released after the handle, so that closing, which waits for the turn, finds no port held here.
    while let Some(_turn) = Turn::take_if(shared, |shared| shared.has_late_results()) {
        let Some(delivery) = delivery.upgrade() else { return };
        delivery.take_in(&mut delivery.late_run());
    }
}

impl Delivery {
    // Results.

    /// Takes in results of attempts. The endpoints' copies are updated at once; the database with the next round.
    pub(super) fn collect(&self) {
        let arrived: Vec<Arrived> = self.shared.take(|shared| std::mem::take(&mut shared.arrived));
        for Arrived { request, answer, at } in arrived {
            let ended = Ended { at, random: self.ports.random.fraction() };
            match answer {
                BlockingAnswer::Secrets(lookups) => {
                    let mut shared = self.shared.lock();
                    let Shared { schedule, secrets, .. } = &mut *shared;
                    if let Some(attempt) = schedule.attempt(request) {
                        let origin = webhook::origin(&attempt.endpoint.url);
                        for (name, lookup) in webhook::secret_names(&attempt.endpoint).into_iter().zip(&lookups) {
                            if let crate::port::SecretLookup::Found { current, .. } = lookup {
                                secrets.note_newest(name, &origin, current.expose());
                            }
                        }
                    }
                    schedule.secrets_came(request, lookups, &ended, &self.settings.policy);
                }
                BlockingAnswer::Sent(sent) => {
                    let outcome = match sent {
                        Ok(response) => {
                            Outcome::Answer(Answer::read(response.status, response.header("retry-after"), response.header("date"), at.wall))
                        }
                        Err(failure) => Outcome::Failure(failure),
                    };
                    self.sent(request, outcome, &ended);
                }
                // Nobody waits for it here.
                BlockingAnswer::Done => {}
            }
        }
    }

    /// A request has ended. A refused secret of a header is reported, and a newer one looked up, before the result is settled.
    fn sent(&self, request: u64, outcome: Outcome, ended: &Ended) {
        let is_refused = matches!(&outcome, Outcome::Answer(answer) if matches!(answer.status, 401 | 403));
        let mut shared = self.shared.lock();
        let Shared { schedule, secrets, .. } = &mut *shared;
        let Some(attempt) = schedule.attempt(request).filter(|attempt| is_refused && !attempt.cancelled) else {
            schedule.answered(request, outcome, ended, &self.settings.policy);
            return;
        };
        let origin = webhook::origin(&attempt.endpoint.url);
        let names = webhook::header_secret_names(&attempt.endpoint);
        let used = names.into_iter().filter_map(|name| Some((name, attempt.secret(name)?)));
        let (mut refused, mut is_outdated) = (Vec::new(), false);
        for (name, value) in used {
            is_outdated |= secrets.is_outdated(name, &origin, value);
            if secrets.must_report(name, &origin, value) {
                refused.push(name.to_owned());
            }
        }
        let wanted: Vec<String> = webhook::secret_names(&attempt.endpoint).into_iter().map(str::to_owned).collect();
        if refused.is_empty() && !schedule.is_refreshing(request) {
            schedule.refused(request, outcome, is_outdated, ended, &self.settings.policy);
            return;
        }
        let asks = schedule.refresh(request, outcome, ended.at);
        drop(shared);
        if asks || !refused.is_empty() {
            let call = BlockingCall::Secrets { refused, wanted, origin };
            if self.blocking.begin(call, self.reply(request)).is_err() {
                self.shared.lock().schedule.secrets_came(request, Vec::new(), ended, &self.settings.policy);
            } else if let Some(attempt) = self.shared.lock().schedule.attempt_mut(request) {
                attempt.looks_up = true;
            }
        }
    }

    // Attempts.

    pub(super) fn begin_attempt(&self, request: u64) {
        let call = {
            let shared = self.shared.lock();
            let Some(attempt) = shared.schedule.attempt(request).filter(|attempt| attempt.stage == Stage::Secrets) else { return };
            BlockingCall::Secrets {
                refused: Vec::new(),
                wanted: webhook::secret_names(&attempt.endpoint).into_iter().map(str::to_owned).collect(),
                origin: webhook::origin(&attempt.endpoint.url),
            }
        };
        self.begin(request, call);
    }

    /// Decides whether the request may still be sent when a thread is ready for it.
    fn send_check(&self, request: u64) -> SendCheck {
        let (shared, clock) = (Arc::clone(&self.shared), Arc::clone(&self.ports.clock));
        SendCheck::new(move || {
            let now = clock.monotonic();
            shared.take(|shared| {
                let may_begin = shared.is_running();
                shared.schedule.may_still_send(request, now, may_begin)
            })
        })
    }

    /// False when there was no thread for it.
    fn begin(&self, request: u64, call: BlockingCall) -> bool {
        if let Err(error) = self.blocking.begin(call, self.reply(request)) {
            log::warn!("no thread for another attempt: {error}");
            let now = self.ports.clock.monotonic();
            let mut shared = self.shared.lock();
            shared.schedule.had_no_thread(request);
            shared.thread_failures += 1;
            let pause = THREAD_PAUSE.saturating_mul(1 << shared.thread_failures.min(5)).min(IDLE);
            shared.thread_at = Some(now.saturating_add(pause));
            false
        } else {
            self.shared.lock().thread_failures = 0;
            true
        }
    }

    fn reply(&self, request: u64) -> crate::port::Reply {
        let (shared, clock, me) = (Arc::clone(&self.shared), Arc::clone(&self.ports.clock), Weak::clone(&self.me));
        Box::new(move |answer| {
            let at = Moment { wall: clock.now(), monotonic: clock.monotonic() };
            let is_expected = shared.change(|shared| {
                shared.arrived.push(Arrived { request, answer, at });
                shared.has_driver()
            });
            if is_expected {
                return None;
            }
            // The run that began it has ended.
            Some(Box::new(move || store_late_results(&shared, &me)))
        })
    }

    /// Whether an attempt took longer than allowed before it is sent; only for an injected fault.
    fn is_late(&self, request: u64) -> bool {
        let now = self.now().monotonic;
        let shared = self.shared.lock();
        shared.schedule.attempt(request).is_some_and(|attempt| now >= attempt.began + self.settings.limits.attempt_timeout)
    }

    /// Checks that the attempt's entry and endpoint are as they were when it was claimed, and not paused, and then sends it. This is the last
    /// check: a later decision finds the attempt begun.
    pub(super) fn look_at_entry(&self, run: &mut Run, request: u64) -> Result<(), StoreError> {
        let policy = &self.settings.policy;
        let Some((lease, before, known, urgent)) = self.shared.change(|shared| {
            let attempt = shared.schedule.attempt_mut(request)?;
            attempt.stage = Stage::Looking;
            let claimed = &attempt.claimed;
            Some((claimed.lease, Arc::clone(&attempt.endpoint), claimed.configuration, claimed.urgent))
        }) else {
            return Ok(());
        };
        let key = before.key.clone();
        let now = self.now();
        let wait = self.database_wait(run);
        let look = |connection: &Connection| {
            let meta = meta::load(connection)?;
            // Always check its row: setting the clock may end the lease without a change of the configuration.
            let is_ours = queue::is_leased(connection, &lease, &self.owner)?
                || fault("seeded: claims are not checked again")
                || fault("seeded: abandoned messages are sent") && self.is_late(request);
            // A pause does not change the configuration: the receiver may have asked another process for it.
            let is_paused = !urgent && pause_end(endpoint::paused_until(connection, &key)?, now.wall).is_some();
            let found = if meta.configuration == known && !is_paused { None } else { Some(endpoint::find(connection, &key)?) };
            Ok::<_, StoreError>((meta, is_ours, is_paused, found))
        };
        let read = if urgent {
            self.store.write_for_delivery(wait, |tx| {
                let (meta, is_ours, is_paused, found) = look(tx)?;
                let goes = is_ours && meta.integration_enabled && found.as_ref().is_none_or(|found| is_still(found.as_ref(), &before));
                // Only an attempt that is sent uses it up; getting here may have taken long.
                let used_urgent = if goes && self.may_send(run, request) { urgent::use_up(tx, &key, now.wall)? } else { None };
                Ok(((meta, is_ours && (!goes || used_urgent.is_some()), is_paused, found), used_urgent))
            })
        } else {
            self.store.read_for_delivery(wait, look).map(|looked| (looked, None))
        };
        let ((meta, is_ours, is_paused, found), used_urgent) = match read {
            Ok(read) => read,
            Err(error) => {
                self.shared.lock().schedule.not_begun(request);
                return Err(error);
            }
        };
        self.database_worked(run);
        if let Some(attempt) = self.shared.lock().schedule.attempt_mut(request) {
            attempt.used_urgent = used_urgent;
        }
        if !is_ours {
            let mut shared = self.shared.lock();
            shared.schedule.look();
            // Its entry was abandoned, or another handle has it by now.
            shared.schedule.not_begun(request);
            return Ok(());
        }
        if (found.is_some() || !meta.integration_enabled) && !fault("seeded: claims are not checked again") {
            let mut shared = self.shared.lock();
            let schedule = &mut shared.schedule;
            schedule.look();
            let row = match found {
                Some(Some(StoredEndpoint::Readable(row))) if meta.integration_enabled => row,
                _ => {
                    schedule.not_begun(request);
                    schedule.release_ready(&key);
                    return Ok(());
                }
            };
            let may_leave = !is_paused && is_still(Some(&StoredEndpoint::Readable(row.clone())), &before);
            schedule.read_endpoint(&row, meta.configuration, None, policy);
            if !may_leave {
                schedule.not_begun(request);
                schedule.release_ready(&key);
                return Ok(());
            }
        }
        self.send(run, request);
        Ok(())
    }

    /// Whether an urgent attempt may be sent now, as far as the handle knows. A run without an urgent request of its own does not send one with
    /// a short time: the caller that asked has more.
    fn may_send(&self, run: &Run, request: u64) -> bool {
        let now = self.now();
        let shared = self.shared.lock();
        let attempt = shared.schedule.attempt(request).filter(|attempt| shared.is_running() && !attempt.cancelled);
        let is_whole = |left: Duration, attempt: &Attempt| run.is_urgent() || left == attempt.until().saturating_sub(now.monotonic);
        attempt.is_some_and(|attempt| matches!(time_to_send(run, attempt, now), (left, true) if is_whole(left, attempt)))
    }

    fn send(&self, run: &mut Run, request: u64) {
        let now = self.now();
        let ended = Ended { at: now, random: 0.5 };
        let (settings, policy) = (&self.settings, &self.settings.policy);
        let mut shared = self.shared.lock();
        let is_running = shared.is_running();
        let schedule = &mut shared.schedule;
        let (network, validated) = (schedule.network.generation(), schedule.network.validated());
        let Some(attempt) = schedule.attempt_mut(request) else { return };
        // It is sent over the current network, however long its secrets took.
        (attempt.network, attempt.validated) = (network, validated);
        let (left, has_time) = time_to_send(run, attempt, now);
        let built = if attempt.secrets_took_its_time(now.monotonic) && is_running && !attempt.cancelled {
            // The store of secrets is not asked again and again.
            Some(Err(Cause::SecretUnavailable))
        } else if attempt.cancelled || !is_running || !has_time {
            None
        } else if webhook::validate(&attempt.endpoint, settings.allow_plain_http_to_loopback).is_err() {
            Some(Err(Cause::BadUrl))
        } else {
            Some(attempt.request(now.wall, left))
        };
        match built {
            None => {
                schedule.not_begun(request);
                schedule.look();
            }
            Some(Err(cause)) => schedule.answered(request, Outcome::NotAttempted(cause), &ended, policy),
            Some(Ok(built)) => {
                attempt.leaves(now, left);
                drop(shared);
                if self.begin(request, BlockingCall::Send { request: built, send_check: self.send_check(request) }) {
                    run.counts.attempts += 1;
                }
            }
        }
    }

    pub(super) fn abort(&self, request: u64) {
        let ended = Ended { at: self.now(), random: self.ports.random.fraction() };
        let must_cancel = self.shared.lock().schedule.abort(request, &ended, &self.settings.policy);
        if must_cancel {
            log::error!("the transport did not keep its timeout");
            self.cancel(&[request]);
        }
    }
}

/// How much time a request that is sent now gets, and whether that is enough.
fn time_to_send(run: &Run, attempt: &Attempt, now: Moment) -> (Duration, bool) {
    let left = attempt.until().saturating_sub(now.monotonic);
    let left = run.time_left(now.monotonic).map_or(left, |run| left.min(run.saturating_sub(SETTLING_TIME)));
    let lease_left = (attempt.claimed.lease.until - now.wall).to_std().unwrap_or_default();
    (left, left + SETTLING_TIME >= LEAST_TIME && lease_left >= left + LEASE_MARGIN)
}

/// Whether the endpoint is unchanged and messages may be sent to it.
fn is_still(found: Option<&StoredEndpoint>, before: &Endpoint) -> bool {
    matches!(found, Some(StoredEndpoint::Readable(row)) if row.is_open() && row.endpoint == *before)
}
