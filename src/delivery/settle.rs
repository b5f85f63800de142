//! Writing what became of attempts, and the claim that goes with it, in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::attempt::Finished;
use super::claim::{Standing, quota, state, stored, survey};
use super::lane::{candidate_room, settled_state};
use super::pipeline::Pipeline;
use super::settings::Settings;
use crate::model::{Attempt, Connectivity, SessionKey, Timestamp};
use crate::outbox::{Class, Contact, EndpointState, Settlement, Verdict, reason, settle};
use crate::store::endpoint::{self, EndpointRow};
use crate::store::outbox::queue::{self, Claimed};
use crate::store::{StoreError, Transaction, meta};

/// An attempt that has ended, and what that means.
pub(super) struct Judged {
    pub(super) finished: Finished,
    pub(super) verdict: Verdict,
    /// Drawn outside the transaction; spreads the next try.
    pub(super) random: f64,
}

/// What a round needs besides the pipeline.
pub(super) struct Round<'a> {
    pub(super) owner: &'a str,
    pub(super) settings: &'a Settings,
    pub(super) now: Timestamp,
    pub(super) monotonic: Duration,
    /// None: nothing is claimed.
    pub(super) claim: Option<Connectivity>,
}

/// What a round did.
#[derive(Default)]
pub(super) struct Done {
    pub(super) claimed: Vec<Claimed>,
    /// Endpoints at which more may be due.
    pub(super) more: BTreeSet<String>,
    /// Endpoints as they are now.
    pub(super) rows: BTreeMap<String, EndpointRow>,
    pub(super) clean: BTreeMap<String, u32>,
    pub(super) sessions: BTreeSet<SessionKey>,
    /// The revision of what observers are told; none when there is nothing to tell.
    pub(super) revision: Option<u64>,
    pub(super) endpoints_changed: bool,
    pub(super) sent: u32,
    pub(super) retrying: u32,
    pub(super) failed: u32,
}

impl Round<'_> {
    /// Settles, gives back, ends dead leases, and claims.
    pub(super) fn write(&self, tx: &Transaction<'_>, pipeline: &Pipeline) -> Result<Done, StoreError> {
        let mut done = Done::default();
        let mut states: BTreeMap<String, EndpointState> = BTreeMap::new();
        for judged in &pipeline.unsettled {
            self.settle(tx, pipeline, judged, &mut states, &mut done)?;
        }
        for (key, state) in states {
            let Some(row) = done.rows.get_mut(&key) else { continue };
            let delivery = stored(&state);
            if delivery != row.delivery {
                done.endpoints_changed |= delivery.paused_until != row.delivery.paused_until;
                endpoint::save_delivery(tx, &key, &delivery)?;
                row.delivery = delivery;
            }
            done.clean.insert(key, state.clean);
        }
        for lease in &pipeline.releases {
            queue::release(tx, lease, self.owner)?;
        }
        done.sessions.extend(queue::void_dead_leases(tx, self.now, self.settings.limits.lease, &pipeline.alive())?);
        if let Some(connectivity) = self.claim {
            self.claim(tx, pipeline, connectivity, &mut done)?;
        }
        if !done.sessions.is_empty() || done.endpoints_changed {
            done.revision = Some(meta::next_revision(tx)?);
        }
        Ok(done)
    }

    fn settle(
        &self,
        tx: &Transaction<'_>,
        pipeline: &Pipeline,
        judged: &Judged,
        states: &mut BTreeMap<String, EndpointState>,
        done: &mut Done,
    ) -> Result<(), StoreError> {
        let Judged { finished, random, .. } = judged;
        let (job, policy, at) = (&finished.job, &self.settings.policy, finished.ended_at);
        let claimed = &job.claimed;
        if finished.not_begun {
            return queue::release(tx, &claimed.lease, self.owner);
        }
        if !done.rows.contains_key(&claimed.endpoint)
            && let Some(row) = endpoint::find(tx, &claimed.endpoint)?
        {
            done.rows.insert(claimed.endpoint.clone(), row);
        }
        let row = done.rows.get_mut(&claimed.endpoint);
        // An endpoint that was changed meanwhile has nothing to do with what the old one answered.
        let is_same = row.as_ref().is_some_and(|row| row.endpoint == *job.endpoint);
        let mut verdict = judged.verdict;
        if !is_same && verdict.class != Class::Sent {
            verdict = Verdict { class: Class::CutShort, reason: reason::INTERRUPTED, pause: None, ..verdict };
        }

        let settled = settle(&claimed.progress, &verdict, policy, at, *random);
        let resynced = claimed.resynced || verdict.class == Class::ResyncNow;
        let recorded = queue::settle(tx, &claimed.lease, self.owner, &settled, finished.status(), resynced, at)?;
        if recorded {
            done.sessions.insert(claimed.session);
            match settled.settlement {
                Settlement::Sent => done.sent += 1,
                Settlement::Queued { .. } => done.retrying += 1,
                Settlement::Failed { .. } => done.failed += 1,
            }
            if verdict.contact != Contact::NotBegun {
                queue::add_attempt(tx, claimed.lease.entry, &attempt(finished, &verdict))?;
            }
        }

        let Some(row) = row.filter(|_| is_same && verdict.class != Class::CutShort && (recorded || verdict.class == Class::Sent)) else {
            return Ok(());
        };
        let clean = pipeline.lanes.get(&claimed.endpoint).map_or(0, |lane| lane.settled_clean);
        let before = states.entry(claimed.endpoint.clone()).or_insert_with(|| state(row, clean));
        *before = settled_state(before, &verdict, finished.date(), at, policy);
        if verdict.class == Class::Gone && row.enabled {
            endpoint::set_enabled(tx, &claimed.endpoint, Some(reason::GONE))?;
            row.enabled = false;
            row.disabled_reason = Some(reason::GONE.to_owned());
            done.endpoints_changed = true;
        }
        Ok(())
    }

    fn claim(&self, tx: &Transaction<'_>, pipeline: &Pipeline, connectivity: Connectivity, done: &mut Done) -> Result<(), StoreError> {
        let Settings { policy, limits, .. } = self.settings;
        let mut candidates = Vec::new();
        for candidate in survey(tx, self.now, connectivity)? {
            let lane = pipeline.lanes.get(&candidate.key);
            let room = candidate_room(&candidate, lane, self.now, self.monotonic, policy);
            if candidate.standing == Standing::Ready && room > 0 {
                candidates.push((candidate, room));
            }
        }
        let mut left = limits.batch;
        let endpoints = candidates.len();
        for (candidate, room) in candidates {
            let Some(row) = candidate.row else { continue };
            let wanted = quota(limits.batch, endpoints, &state(&row, 0), room).min(left);
            let claimed = queue::claim(tx, &candidate.key, wanted, self.owner, self.now, limits.lease)?;
            left -= claimed.len() as u32;
            if claimed.len() as u32 >= wanted {
                done.more.insert(candidate.key.clone());
            }
            done.claimed.extend(claimed);
            done.rows.insert(candidate.key, row);
        }
        Ok(())
    }
}

fn attempt(finished: &Finished, verdict: &Verdict) -> Attempt {
    Attempt {
        number: finished.job.claimed.progress.attempts,
        at: finished.began_at,
        duration_ms: finished.duration.as_millis() as u64,
        status: finished.status(),
        outcome: verdict.reason.to_owned(),
        counted: verdict.counted(),
        may_have_been_delivered: verdict.contact == Contact::Unknown,
    }
}
