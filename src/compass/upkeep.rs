//! Purging, deleting and copying.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;

use super::{Changed, Compass, Result, registry};
use crate::error::Error;
use crate::model::{DeleteReport, PurgeReport, SessionKey, SessionState, Timestamp};
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
    /// `Closed` and errors of the file, `Locked` when the handle is quiesced meanwhile; what was purged before the error stays so, and the
    /// files that it let go are those that [`Compass::files`] does not list any more.
    pub fn purge(&self, older_than: Duration) -> Result<PurgeReport> {
        let inner = &self.inner;
        let now = inner.now();
        let (before, bodies_before) = (earlier(now, older_than), earlier(now, inner.body_retention));
        let mut report = PurgeReport::default();
        let stops = inner.store.stops();
        let (mut damaged, mut let_go) = (BTreeSet::new(), BTreeSet::new());
        let mut batch = BATCH;
        loop {
            let done = inner.write_part(stops, |tx| {
                let mut ids = store::retention::purgeable(tx, before, batch.saturating_add(damaged.len() as u32))?;
                ids.retain(|id| !damaged.contains(id));
                let is_last = ids.len() < batch as usize;
                let (mut purged, mut let_go) = (0, BTreeSet::new());
                for id in ids {
                    // One that is damaged stays, and keeps no other.
                    let deleted = store::alone(tx, || {
                        let files = store::referred::by_session(tx, id)?;
                        store::retention::delete(tx, id, "purged", now)?;
                        Ok::<_, store::StoreError>(files)
                    })?;
                    match deleted {
                        Some(files) => {
                            purged += 1;
                            let_go.extend(files);
                        }
                        None => drop(damaged.insert(id)),
                    }
                }
                Ok(((purged, is_last, let_go), Changed { everything: purged > 0, ..Changed::default() }))
            });
            let (purged, is_last, files) = match done {
                // Room for one at a time is enough: the log begins anew once it is folded.
                Err(Error::DiskFull) if batch > 1 => {
                    inner.store.make_room();
                    batch = 1;
                    continue;
                }
                done => done?,
            };
            report.purged += purged;
            let_go.extend(files);
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
        let commands_before = earlier(now, COMMANDS_KEPT).timestamp_millis();
        inner.write_part(stops, |tx| Ok((store::command::forget_spent(tx, commands_before)?, Changed::nothing())))?;
        inner.store.keep_room();
        (report.kept_undelivered, report.files_let_go) = inner
            .read_part(stops, |connection| Ok((store::retention::kept(connection, before)?, without_referred(connection, let_go)?)))?;
        Ok(report)
    }

    /// Deletes one finished session, on the terms of [`Compass::purge`], leaving a tombstone.
    ///
    /// # Errors
    /// `UnknownSession`, `DeletedSession`, `NotDeletable` while in progress, `Undelivered` when a message is neither delivered nor given up.
    pub fn delete(&self, session: SessionKey) -> Result<DeleteReport> {
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
                let files = store::referred::by_session(tx, subject.id)?;
                store::retention::delete(tx, subject.id, "deleted", now)?;
                let report = DeleteReport { files_let_go: without_referred(tx, files)? };
                Ok((report, Changed { outbox: true, ..Changed::session(session) }))
            })
        })
    }

    /// The files that sessions on this phone refer to, by the hash of their bytes: those of attachments and signatures, in order. Also files
    /// that an edit has taken out of a record, which keeps them. The host may remove every other file that it kept for this database.
    ///
    /// # Errors
    /// `Closed` and errors of the file.
    pub fn files(&self) -> Result<Vec<String>> {
        self.inner.read_long(|connection| Ok(store::referred::by_all(connection)?.into_iter().collect()))
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

/// Those of these files that no session refers to.
fn without_referred(connection: &store::Connection, mut files: BTreeSet<String>) -> store::Result<Vec<String>> {
    if !files.is_empty() {
        let referred = store::referred::by_all(connection)?;
        files.retain(|file| !referred.contains(file));
    }
    Ok(files.into_iter().collect())
}

fn earlier(now: Timestamp, by: Duration) -> Timestamp {
    TimeDelta::from_std(by).ok().and_then(|by| now.checked_sub_signed(by)).unwrap_or(Timestamp::UNIX_EPOCH)
}
