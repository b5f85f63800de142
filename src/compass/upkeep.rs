//! Purging, deleting and copying.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;

use super::{Changed, Compass, Result, registry};
use crate::error::Error;
use crate::model::{PurgeReport, SessionKey, SessionState, Timestamp};
use crate::store;

/// Sessions or bodies per transaction, so that a long purge does not hold the writer.
const BATCH: u32 = 200;

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
        let mut batch = BATCH;
        loop {
            let done = inner.write_part(stops, |tx| {
                let mut ids = store::retention::purgeable(tx, before, batch.saturating_add(damaged.len() as u32))?;
                ids.retain(|id| !damaged.contains(id));
                let is_last = ids.len() < batch as usize;
                let mut purged = 0;
                for id in ids {
                    // One that is damaged stays, and keeps no other.
                    match store::alone(tx, || store::retention::delete(tx, id, "purged", now))? {
                        Some(()) => purged += 1,
                        None => drop(damaged.insert(id)),
                    }
                }
                Ok(((purged, is_last), Changed { everything: purged > 0, ..Changed::default() }))
            });
            let (purged, is_last) = match done {
                // Room for one at a time is enough: the log begins anew once it is folded.
                Err(Error::DiskFull) if batch > 1 => {
                    inner.store.make_room();
                    batch = 1;
                    continue;
                }
                done => done?,
            };
            report.purged += purged;
            if is_last {
                break;
            }
        }
        loop {
            let done = inner.write_part(stops, |tx| Ok((store::retention::release_bodies(tx, bodies_before, batch)?, Changed::nothing())));
            let released = match done {
                Err(Error::DiskFull) if batch > 1 => {
                    inner.store.make_room();
                    batch = 1;
                    continue;
                }
                done => done?,
            };
            report.bodies_released += released;
            if released < u64::from(batch) {
                break;
            }
        }
        inner.store.keep_room();
        report.kept_undelivered = inner.read_part(stops, |connection| Ok(store::retention::kept(connection, before)?))?;
        Ok(report)
    }

    /// Deletes one finished session, on the terms of [`Compass::purge`], leaving a tombstone.
    ///
    /// # Errors
    /// `UnknownSession`, `DeletedSession`, `NotDeletable` while in progress, `Undelivered` when a message is neither delivered nor given up.
    pub fn delete(&self, session: SessionKey) -> Result<()> {
        let inner = &self.inner;
        let now = inner.now();
        inner.freeing(|| {
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
                Ok(((), Changed { outbox: true, ..Changed::session(session) }))
            })
        })
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

fn earlier(now: Timestamp, by: Duration) -> Timestamp {
    TimeDelta::from_std(by).ok().and_then(|by| now.checked_sub_signed(by)).unwrap_or(Timestamp::UNIX_EPOCH)
}
