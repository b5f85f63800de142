//! Purging, deleting and copying.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;

use super::{Changed, Compass, Result, registry};
use crate::error::Error;
use crate::model::{PurgeReport, SessionKey, SessionState, Timestamp};
use crate::store;

/// For how long the id of a command outlives its session: longer than any app tries to repeat a call.
const COMMANDS_KEPT: Duration = Duration::from_secs(400 * 86_400);

/// Sessions or bodies per transaction, so that a long purge does not hold the writer.
const BATCH: u32 = 200;

impl Compass {
    /// Removes finished sessions older than this, counted from their end, unless one of their messages is neither delivered nor given up.
    /// Each leaves a tombstone. One that is damaged so that it cannot be removed stays. Gives bodies of delivered messages back that are
    /// older than their retention, and forgets commands of sessions that went 400 days ago.
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
                Ok(((purged, is_last), Changed { everything: purged > 0, ..Changed::default() }))
            })?;
            report.purged += purged;
            if is_last {
                break;
            }
        }
        loop {
            let released =
                inner.write_part(stops, |tx| Ok((store::retention::release_bodies(tx, bodies_before, BATCH)?, Changed::nothing())))?;
            report.bodies_released += released;
            if released < u64::from(BATCH) {
                break;
            }
        }
        let commands_before = earlier(now, COMMANDS_KEPT).timestamp_millis();
        inner.write_part(stops, |tx| Ok((store::command::forget_spent(tx, commands_before)?, Changed::nothing())))?;
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

fn earlier(now: Timestamp, by: Duration) -> Timestamp {
    TimeDelta::from_std(by).ok().and_then(|by| now.checked_sub_signed(by)).unwrap_or(Timestamp::UNIX_EPOCH)
}
