//! Purging, deleting and copying.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::{Changed, Compass, Result, registry};
use crate::error::Error;
use crate::model::{PurgeReport, SessionKey, SessionState};
use crate::store::{self, meta};

/// Sessions or bodies per transaction, so that a long purge does not hold the writer.
const BATCH: u32 = 200;

impl Compass {
    /// Removes finished sessions older than this, counted from their end, unless one of their messages is neither delivered nor given up.
    /// Each leaves a tombstone. One that is damaged so that it cannot be removed stays. Gives bodies of delivered messages back that are
    /// older than their retention.
    ///
    /// Time is counted by the age of the database, which a clock that is set wrong does not change: it grows with what is written, by an hour
    /// or more at a time, and by seven days at most between two writes.
    ///
    /// # Errors
    /// `Closed` and errors of the file, `Locked` when the handle is quiesced meanwhile; what was purged before the error stays so.
    pub fn purge(&self, older_than: Duration) -> Result<PurgeReport> {
        let inner = &self.inner;
        let now = inner.now();
        let mut report = PurgeReport::default();
        let stops = inner.store.stops();
        let mut damaged = BTreeSet::new();
        loop {
            let (purged, is_last) = inner.write_part(stops, |tx| {
                let age = earlier(meta::age(tx)?, older_than);
                let mut ids = store::retention::purgeable(tx, age, BATCH.saturating_add(damaged.len() as u32))?;
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
                Ok(((purged, is_last), Changed { everything: purged > 0, ..Changed::default() }))
            })?;
            report.purged += purged;
            if is_last {
                break;
            }
        }
        loop {
            let released = inner.write_part(stops, |tx| {
                let age = earlier(meta::age(tx)?, inner.body_retention);
                Ok((store::retention::release_bodies(tx, age, BATCH)?, Changed::nothing()))
            })?;
            report.bodies_released += released;
            if released < u64::from(BATCH) {
                break;
            }
        }
        report.kept_undelivered =
            inner.read_part(stops, |connection| Ok(store::retention::kept(connection, earlier(meta::age(connection)?, older_than))?))?;
        Ok(report)
    }

    /// Deletes one finished session, on the terms of [`Compass::purge`], leaving a tombstone.
    ///
    /// # Errors
    /// `UnknownSession`, `DeletedSession`, `NotDeletable` while in progress, `Undelivered` when a message is neither delivered nor given up.
    pub fn delete(&self, session: SessionKey) -> Result<()> {
        let inner = &self.inner;
        let now = inner.now();
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

/// This age of the database, so much before; in milliseconds.
fn earlier(age: i64, by: Duration) -> i64 {
    age.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX))
}
