//! Purging, deleting, copying and checking.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;

use super::{Changed, Compass, Inner, Result};
use crate::engine::session as engine;
use crate::error::Error;
use crate::model::{CheckReport, PurgeReport, SessionKey, SessionState, Timestamp};
use crate::store::{self, Connection, OfOneRow};

/// Sessions or bodies per transaction, so that a long purge does not hold the writer.
const BATCH: u32 = 200;

impl Compass {
    /// Removes finished sessions older than this, counted from their end, unless one of their messages is neither delivered nor given up.
    /// Each leaves a tombstone. One that is damaged so that it cannot be removed stays. Gives bodies of delivered messages back that are
    /// older than their retention.
    ///
    /// # Errors
    /// `Closed` and errors of the file; what was purged before the error stays so.
    pub fn purge(&self, older_than: Duration) -> Result<PurgeReport> {
        let inner = &self.inner;
        let now = inner.now();
        let (before, bodies_before) = (earlier(now, older_than), earlier(now, inner.body_retention));
        let mut report = PurgeReport::default();
        let mut damaged = BTreeSet::new();
        loop {
            let (purged, is_last) = inner.write(|tx| {
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
            let released = inner.write(|tx| Ok((store::retention::release_bodies(tx, bodies_before, BATCH)?, Changed::nothing())))?;
            report.bodies_released += released;
            if released < u64::from(BATCH) {
                break;
            }
        }
        report.kept_undelivered = inner.read(|connection| Ok(store::retention::kept(connection, before)?))?;
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
            if store::retention::holds_undelivered(tx, subject.id)? {
                return Err(Error::Undelivered);
            }
            store::retention::delete(tx, subject.id, "deleted", now)?;
            Ok(((), Changed { outbox: true, ..Changed::session(session) }))
        })
    }

    /// Copies the database, as it is at one moment, to a new file. A copy that is opened elsewhere sends what it sends with the same ids.
    ///
    /// # Errors
    /// `InvalidArgument` when there is a file already; errors of either file.
    pub fn backup(&self, to: &Path) -> Result<()> {
        if to.exists() {
            return Err(Error::InvalidArgument { place: "to", problem: "there is a file of this name already" });
        }
        let stops = self.inner.store.stops();
        self.inner.read_long(|connection| {
            store::backup::copy(connection, to, || self.inner.store.stops() == stops).inspect_err(|_| {
                // Half a copy must not be mistaken for a whole one.
                let _ = std::fs::remove_file(to);
            })?;
            Ok(())
        })
    }

    /// Looks at the whole database: whether the file is sound, whether every session is what its events say, and whether every frozen
    /// body is the one that was frozen. Reads everything; for a support screen, not for every start.
    ///
    /// # Errors
    /// `Closed` and errors of the file.
    pub fn check(&self) -> Result<CheckReport> {
        self.inner.read_long(|connection| {
            let mut report = CheckReport { sessions: 0, faults: store::backup::integrity_faults(connection)? };
            for (row, key) in store::backup::all_sessions(connection)? {
                report.sessions += 1;
                let Some(key) = key else {
                    report.faults.push(format!("session in row {row}: its key does not read back"));
                    continue;
                };
                match self.inner.session_faults(connection, key) {
                    Ok(faults) => report.faults.extend(faults),
                    // What does not read back is what is being looked for.
                    Err(error) if error.is_of_one_row() => report.faults.push(format!("session {key}: {error}")),
                    Err(error) => return Err(error),
                }
            }
            for id in store::outbox::corrupt(connection)? {
                report.faults.push(format!("the body of delivery {id} is not the one that was frozen"));
            }
            Ok(report)
        })
    }
}

impl Inner {
    fn session_faults(&self, connection: &Connection, key: SessionKey) -> Result<Vec<String>> {
        let subject = self.subject(connection, key)?;
        let events = store::session::events(connection, subject.id)?;
        let mut faults = Vec::new();
        match engine::replay(key, &subject.workflow, &events) {
            None => faults.push(format!("session {key}: its events do not begin with a start")),
            Some(replayed) if replayed != subject.state => faults.push(format!("session {key}: its events say otherwise than its state")),
            Some(_) => {}
        }
        if subject.state.state.is_finished() {
            let expected: Vec<String> =
                engine::encountered(&subject.workflow, &subject.state).into_iter().map(|action| action.key).collect();
            let there: Vec<String> = store::action::of_session(connection, subject.id)?.into_iter().map(|row| row.key).collect();
            if expected != there {
                faults.push(format!("session {key}: its actions are not those it met"));
            }
        }
        Ok(faults)
    }
}

fn earlier(now: Timestamp, by: Duration) -> Timestamp {
    TimeDelta::from_std(by).ok().and_then(|by| now.checked_sub_signed(by)).unwrap_or(Timestamp::UNIX_EPOCH)
}
