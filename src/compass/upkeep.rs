//! Purging, deleting and copying.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;

use super::{Changed, Compass, Inner, Result, registry};
use crate::error::Error;
use crate::model::{Erased, PurgeReport, SessionKey, SessionState, Timestamp};
use crate::store;

/// Sessions or bodies per transaction, so that a long purge does not hold the writer.
const BATCH: u32 = 50;

impl Compass {
    /// Removes finished sessions older than this, counted from their end, unless one of their messages is neither delivered nor given up.
    /// Each leaves a tombstone. One that is damaged so that it cannot be removed stays. Gives bodies of delivered messages back that are
    /// older than their retention.
    ///
    /// # Errors
    /// `Closed` and errors of the file, `Locked` when the handle is quiesced meanwhile; what was purged before the error stays so.
    pub fn purge(&self, older_than: Duration) -> Result<PurgeReport> {
        let inner = &self.inner;
        let now = inner.now();
        let (before, bodies_before) = (earlier(now, older_than), earlier(now, inner.body_retention));
        let mut report = PurgeReport::default();
        let stops = inner.store.stops();
        let mut damaged = BTreeSet::new();
        loop {
            let (purged, is_last) = inner.write_part(stops, |tx| {
                let mut ids = store::retention::purgeable(tx, before, BATCH.saturating_add(damaged.len() as u32))?;
                ids.retain(|id| !damaged.contains(id));
                let is_last = ids.len() < BATCH as usize;
                let mut purged = 0;
                for id in ids {
                    // One that is damaged stays, and keeps no other.
                    match store::alone(tx, || store::retention::delete(tx, id, "purged", now))? {
                        Some(()) => purged += 1,
                        None => drop(damaged.insert(id)),
                    }
                }
                store::erasure::shrink(tx)?;
                Ok(((purged, is_last), Changed { everything: purged > 0, ..Changed::default() }))
            })?;
            report.purged += purged;
            if is_last {
                break;
            }
        }
        loop {
            let released = inner.write_part(stops, |tx| {
                let released = store::retention::release_bodies(tx, bodies_before, BATCH)?;
                store::erasure::shrink(tx)?;
                Ok((released, Changed::nothing()))
            })?;
            report.bodies_released += released;
            if released < u64::from(BATCH) {
                break;
            }
        }
        report.kept_undelivered = inner.read_part(stops, |connection| Ok(store::retention::kept(connection, before)?))?;
        if report.purged + report.bodies_released > 0 {
            report.erased = inner.erased(stops);
        }
        Ok(report)
    }

    /// Deletes one finished session, on the terms of [`Compass::purge`], leaving a tombstone. Says whether it is gone from the file.
    ///
    /// # Errors
    /// `UnknownSession`, `DeletedSession`, `NotDeletable` while in progress, `Undelivered` when a message is neither delivered nor given up.
    pub fn delete(&self, session: SessionKey) -> Result<Erased> {
        let inner = &self.inner;
        let now = inner.now();
        let stops = inner.store.stops();
        inner.write(|tx| {
            let subject = inner.subject(tx, session)?;
            if subject.state.state == SessionState::InProgress {
                return Err(Error::NotDeletable { state: subject.state.state });
            }
            let undelivered = store::retention::undelivered(tx, subject.id)?;
            if undelivered > 0 {
                return Err(Error::Undelivered { count: Some(undelivered) });
            }
            store::retention::delete(tx, subject.id, "deleted", now)?;
            store::erasure::shrink(tx)?;
            Ok(((), Changed { outbox: true, ..Changed::session(session) }))
        })?;
        Ok(inner.erased(stops))
    }

    /// Copies the database, as it is at one moment, to a new file that its owner alone may read. When this returns, the copy is whole in
    /// that one file, and on the disk; otherwise there is none. A copy that is opened elsewhere sends what it sends with the same ids.
    ///
    /// # Errors
    /// `InvalidArgument` when there is a file already, or the path is none; errors of either file.
    pub fn backup(&self, to: &Path) -> Result<()> {
        if let Some(problem) = registry::no_path(to) {
            return Err(Error::InvalidArgument { place: "to", problem });
        }
        if to.exists() {
            return Err(Error::InvalidArgument { place: "to", problem: "there is a file of this name already" });
        }
        let stops = self.inner.store.stops();
        self.inner.read_long(|connection| Ok(store::backup::copy(connection, to, || self.inner.store.stops() == stops)?))
    }
}

impl Inner {
    /// After a call that deleted something, and was told this of [`Store::stops`](store::Store::stops) before.
    fn erased(&self, stops: u64) -> Erased {
        match self.gate.enter() {
            Ok(_call) if self.store.cut_log(stops) => Erased::Now,
            _ => Erased::AtNextClose,
        }
    }
}

fn earlier(now: Timestamp, by: Duration) -> Timestamp {
    TimeDelta::from_std(by).ok().and_then(|by| now.checked_sub_signed(by)).unwrap_or(Timestamp::UNIX_EPOCH)
}
