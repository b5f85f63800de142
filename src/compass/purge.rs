//! How long data is kept: purging, when an app or a person asks for it, and automatically.

use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Changed, Compass, Inner, Result};
use crate::delivery::CancelToken;
use crate::engine::session as engine;
use crate::error::Error;
use crate::model::{PurgeReport, Timestamp};
use crate::store::purge::{Cutoff, Place};
use crate::store::{self, Connection, StoreError, Transaction, meta, unless_damaged};

/// The most that one transaction does, so that a long purge does not block writers: sessions examined, acts of removed sessions, and bodies
/// and their bytes. A session or a body is always removed completely.
const SESSIONS: u32 = 100;
const ACTS: u32 = 400;
const BODIES: u32 = 50;
const BODY_BYTES: i64 = 1024 * 1024;
/// How long a transaction continues with further sessions. Removing one from a large search index takes up to 35 ms; a command that waits for
/// the writer should not notice it.
const TRANSACTION_TIME: Duration = Duration::from_millis(10);

/// How long a removed session is remembered, with the ids of its commands: longer than any app repeats a call. The schema refuses less.
const REMEMBERED: Duration = Duration::from_secs(400 * 86_400);
/// So many of each are forgotten in one transaction.
const FORGOTTEN: u32 = 500;

/// How long background work waits for the file.
const WAIT: Duration = Duration::from_millis(200);
/// The time that a transaction may take: none begins later than this before the deadline of a flush.
const LAST_TRANSACTION: Duration = Duration::from_millis(500);

/// A running purge.
struct Purge<'a> {
    actor: Option<&'a str>,
    now: Timestamp,
    place: Place,
    /// Sessions examined in one transaction, now and at most.
    sessions: u32,
    at_most: u32,
    /// Files that the removed sessions referred to.
    files: Vec<String>,
    /// Tombstones and command ids that were forgotten.
    forgotten: u64,
    report: PurgeReport,
}

impl<'a> Purge<'a> {
    fn new(actor: Option<&'a str>, now: Timestamp) -> Self {
        Self {
            actor,
            now,
            place: Place::FIRST,
            sessions: SESSIONS,
            at_most: SESSIONS,
            files: Vec::new(),
            forgotten: 0,
            report: PurgeReport::default(),
        }
    }

    /// Purges old sessions, up to the limits of one transaction. False when there are no more.
    ///
    /// # Errors
    /// `Corrupt` also where a page of one session cannot be read: then the transaction cannot continue. See [`Purge::meets`].
    fn sessions(&mut self, tx: &Transaction<'_>, old: Cutoff) -> Result<(bool, Changed)> {
        let began = Instant::now();
        let found = store::purge::old(tx, old, self.place, self.sessions)?;
        let (mut looked_at, mut acts, mut purged) = (0, 0_u32, 0);
        for session in &found {
            if acts >= ACTS || purged > 0 && began.elapsed() >= TRANSACTION_TIME {
                break;
            }
            (looked_at, self.place) = (looked_at + 1, session.place);
            if session.is_damaged {
                continue;
            }
            if session.undelivered {
                self.report.kept_undelivered += 1;
                continue;
            }
            if session.not_fired && matches!(old, Cutoff::Age(_)) {
                self.report.kept_not_fired += 1;
                continue;
            }
            let mut page = None;
            let files = store::all_or_none(tx, || {
                let files = store::referred::by_session(tx, session.id)?;
                let deleted = store::purge::delete(tx, session.id, "purged", self.actor, self.now);
                if let Err(StoreError::Corrupt(what)) = &deleted {
                    page = Some(what.clone());
                }
                deleted.map(|()| files)
            })?;
            if let Some(what) = page {
                return Err(StoreError::Corrupt(what).into());
            }
            // A damaged one stays, and does not keep the others.
            if let Some(files) = files {
                purged += 1;
                acts = acts.saturating_add(session.acts);
                self.files.extend(files);
            }
        }
        store::cleaning::shrink(tx)?;
        self.report.purged += purged;
        let is_last = looked_at == found.len() && found.len() < self.sessions as usize;
        Ok((!is_last, Changed { everything: purged > 0, ..Changed::default() }))
    }

    /// After an error, which undid everything since this place. If it is damage of one session, that one stays, and the others are removed one
    /// by one until it is passed.
    ///
    /// # Errors
    /// The same error, where it ends the purge.
    fn meets(&mut self, error: Error, place: Place, report: PurgeReport) -> Result<()> {
        if !matches!(error, Error::Corrupt { .. }) || self.place == place {
            return Err(error);
        }
        if self.sessions > 1 {
            self.place = place;
        }
        (self.sessions, self.report) = (1, report);
        Ok(())
    }

    /// Purges all old sessions, in several transactions.
    fn all_sessions(&mut self, inner: &Inner, stops: u64, old: impl Fn(&Transaction<'_>) -> Result<Cutoff>) -> Result<()> {
        loop {
            let (place, report) = (self.place, self.report.clone());
            let part = |tx: &Transaction<'_>| {
                // It may be done again.
                (self.place, self.report) = (place, report.clone());
                self.sessions(tx, old(tx)?)
            };
            match inner.write_part(stops, part) {
                // Space for one at a time is enough: the WAL restarts after a checkpoint.
                Err(Error::DiskFull) if self.sessions > 1 => {
                    inner.store.make_room();
                    (self.sessions, self.at_most, self.place, self.report) = (1, 1, place, report);
                }
                Ok(false) => return Ok(()),
                Ok(true) => self.sessions = (2 * self.sessions).min(self.at_most),
                Err(error) => self.meets(error, place, report)?,
            }
        }
    }

    /// Drops all bodies that are old enough, in the same way.
    fn all_bodies(&mut self, inner: &Inner, stops: u64) -> Result<()> {
        let mut bodies = BODIES;
        loop {
            let now = inner.now();
            match inner.write_part(stops, |tx| inner.drop_bodies(tx, bodies, now)) {
                Err(Error::DiskFull) if bodies > 1 => {
                    inner.store.make_room();
                    bodies = 1;
                }
                Ok(0) => return Ok(()),
                released => self.report.bodies_dropped += released?,
            }
        }
    }

    /// The report, with the files that no session refers to any more. Cleaning is done or recorded as due, even if an error ended the purge.
    fn report(mut self, inner: &Inner, stops: u64, purged: Result<()>) -> Result<PurgeReport> {
        inner.store.keep_room();
        if self.report.purged + self.report.bodies_dropped + self.forgotten > 0 {
            self.report.erased = inner.erased(stops);
        }
        purged?;
        self.report.unused_files = inner.unused_files(stops, self.files.into_iter().collect())?;
        Ok(self.report)
    }
}

impl Compass {
    /// Removes finished sessions older than this, counted from their end. Each leaves a tombstone. Also removes bodies of delivered messages
    /// that are older than their retention, and forgets sessions that were removed 400 days ago, with the ids of their commands.
    ///
    /// A session stays while one of its messages is neither delivered nor abandoned. It stays if an action did not fire because the integration
    /// was off, and the integration was ever on. It stays if it is too damaged to be removed.
    ///
    /// Time is counted by the age of the database, which a wrong clock does not change: the age grows with writes, by an hour or more at a
    /// time, and by seven days at most between two writes.
    ///
    /// # Errors
    /// `Closed` and errors of the file, `Locked` when the handle is quiesced meanwhile. Sessions purged before the error stay purged; files
    /// that only they referred to are no longer listed by [`Compass::files`].
    pub fn purge(&self, older_than: Duration) -> Result<PurgeReport> {
        let inner = &self.inner;
        let mut purge = Purge::new(None, inner.now());
        let stops = inner.store.stops();
        let purged = purge
            .all_sessions(inner, stops, |tx| Ok(Cutoff::Age(earlier(meta::age(tx)?, older_than))))
            .and_then(|()| purge.all_bodies(inner, stops))
            .and_then(|()| {
                loop {
                    match inner.write_part(stops, |tx| Ok((forget(tx)?, Changed::nothing())))? {
                        0 => return Ok(()),
                        some => purge.forgotten += some,
                    }
                }
            });
        purge.report(inner, stops, purged)
    }

    /// A person removes all sessions that finished before this moment of the wall clock. Unlike [`Compass::purge`] it also removes those with
    /// actions that did not fire because the integration was off: their messages can then never be sent. An app warns of that first
    /// ([`Compass::totals`] counts them), or sends them first ([`Compass::send`]). A session with a message that is neither delivered nor
    /// abandoned stays. The name of the person stays in the tombstones.
    ///
    /// # Errors
    /// `Refused` without a name, and as [`Compass::purge`].
    pub fn purge_all_before(&self, time: Timestamp, actor: &str) -> Result<PurgeReport> {
        engine::check_actor(actor)?;
        let inner = &self.inner;
        let mut purge = Purge::new(Some(actor), inner.now());
        let stops = inner.store.stops();
        let purged = purge.all_sessions(inner, stops, |_| Ok(Cutoff::Time(time)));
        purge.report(inner, stops, purged)
    }
}

impl Inner {
    /// Removes a little old data when the database is opened, if no other process writes: an app need not flush for that.
    pub(super) fn purge_at_open(&self) {
        let kept = self
            .read_at_open(|connection| self.old(connection))
            .and_then(|old| old.map_or(Ok(()), |from| self.purge_a_little(from, Duration::ZERO).map(drop)));
        kept.unwrap_or_else(log_what_stays);
    }

    /// Removes old data until this moment of the monotonic clock.
    pub(super) fn purge_until(&self, until: Duration, cancel: &CancelToken) {
        let kept = || -> Result<()> {
            let mut is_first = true;
            loop {
                let left = until.saturating_sub(self.clock.monotonic());
                if left <= LAST_TRANSACTION || cancel.is_cancelled() {
                    return Ok(());
                }
                let wait = WAIT.min(left - LAST_TRANSACTION);
                let now = self.now();
                let old = self.store.read_for_delivery(wait, |connection| {
                    let ages = is_first && meta::is_age_due(connection, now)?;
                    Ok::<_, Error>(self.old(connection)?.or(ages.then_some(Place::LAST)))
                })?;
                let Some(from) = old else { return Ok(()) };
                // Old data that was not removed is damaged. In the first round the database may just have aged, so that something became old.
                if self.purge_a_little(from, wait)? == Some(0) && !is_first {
                    return Ok(());
                }
                is_first = false;
            }
        };
        kept().unwrap_or_else(log_what_stays);
    }

    /// The place after which something is old. Looked up before the transaction, which must not go through all sessions that stay.
    fn old(&self, connection: &Connection) -> Result<Option<Place>> {
        let age = meta::age(connection)?;
        let due = store::purge::due(
            connection,
            self.retention.map(|retention| earlier(age, retention)),
            earlier(age, self.body_retention),
            earlier(age, REMEMBERED),
        );
        // It is not known whether a damaged session is old; then each session is examined.
        Ok(unless_damaged(due)?.unwrap_or(Some(Place::FIRST)))
    }

    /// Removes old data: bodies, remembered commands, and sessions after this place, each in a transaction, so that damage of one keeps no other.
    /// Gives how much was removed; None where sessions that stay took the time: the next call continues after them.
    fn purge_a_little(&self, from: Place, wait: Duration) -> Result<Option<u64>> {
        let met = *self.continues_after();
        let mut purge = Purge { place: met.map_or(from, |place| place.max(from)), ..Purge::new(None, self.now()) };
        if met.is_some() {
            purge.sessions = 1;
        }
        let stops = self.store.stops();
        let released = self.write_in_background(wait, |tx| self.drop_bodies(tx, BODIES, purge.now));
        let forgotten = self.write_in_background(wait, |tx| Ok((forget(tx)?, Changed::nothing())));
        let others = unless_damaged(released)?.unwrap_or(0) + unless_damaged(forgotten)?.unwrap_or(0);
        let part = |purge: &mut Purge<'_>, place: Place, report: &PurgeReport| {
            self.write_in_background(wait, |tx| {
                (purge.place, purge.report) = (place, report.clone());
                let mut goes_on = false;
                if let Some(retention) = self.retention {
                    let old = Cutoff::Age(earlier(meta::age(tx)?, retention));
                    // Sessions that stay are skipped, for a while.
                    let began = Instant::now();
                    loop {
                        goes_on = purge.sessions(tx, old)?.0;
                        if !goes_on || purge.report.purged > 0 || began.elapsed() >= TRANSACTION_TIME {
                            break;
                        }
                    }
                }
                let purged = purge.report.purged;
                Ok(((purged, goes_on), Changed { everything: purged > 0, ..Changed::default() }))
            })
        };
        let began = Instant::now();
        let went = loop {
            let (place, report) = (purge.place, purge.report.clone());
            match part(&mut purge, place, &report) {
                Err(error) => {
                    if let Err(error) = purge.meets(error, place, report) {
                        break Err(error);
                    }
                    *self.continues_after() = Some(purge.place);
                    if began.elapsed() >= WAIT {
                        break Ok(None);
                    }
                }
                Ok((0, true)) => {
                    *self.continues_after() = Some(purge.place);
                    break Ok(None);
                }
                Ok((0, false)) => {
                    *self.continues_after() = None;
                    break Ok(Some(others));
                }
                Ok((purged, _)) => break Ok(Some(purged + others)),
            }
        };
        if purge.report.purged + others > 0 {
            self.store.erase(stops);
        }
        went
    }

    fn continues_after(&self) -> MutexGuard<'_, Option<Place>> {
        self.continues_after.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drop_bodies(&self, tx: &Transaction<'_>, limit: u32, now: Timestamp) -> Result<(u64, Changed)> {
        let age = earlier(meta::age(tx)?, self.body_retention);
        let released = store::purge::drop_bodies(tx, age, limit, BODY_BYTES, now)?;
        store::cleaning::shrink(tx)?;
        Ok((released, Changed::nothing()))
    }
}

/// Forgets some tombstones and command ids that were remembered long enough.
fn forget(tx: &Transaction<'_>) -> Result<u64> {
    Ok(store::purge::forget(tx, earlier(meta::age(tx)?, REMEMBERED), FORGOTTEN)?)
}

/// Not an error for the caller: the next flush tries again.
fn log_what_stays(error: Error) {
    log::info!("data older than its retention stays for now: {}", error.code());
}

/// The age of the database this much earlier, in milliseconds.
fn earlier(age: i64, by: Duration) -> i64 {
    age.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX))
}
