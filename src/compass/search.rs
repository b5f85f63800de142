//! Keeping the search index up to date, outside the acts.

use std::time::{Duration, Instant};

use super::command::LoadedSession;
use super::{Compass, Inner, Result};
use crate::delivery::CancelToken;
use crate::engine::session as engine;
use crate::engine::words;
use crate::error::Error;
use crate::model::SessionState;
use crate::store::{Connection, Transaction, search, unless_damaged};

/// The most sessions that a search indexes itself.
const OF_A_SEARCH: u32 = 200;
/// How long it waits for the writer. After that it uses the index as it is.
const WRITER_WAIT: Duration = Duration::from_millis(200);
/// A flush indexes so many in one transaction, for at most so long in all.
const OF_A_FLUSH: u32 = 50;
const TIME_OF_A_FLUSH: Duration = Duration::from_secs(1);

impl Compass {
    /// Indexes a backlog that is longer than a search indexes itself: it comes from an older schema.
    pub(super) fn index_backlog(&self, until: Instant, cancel: &CancelToken) -> Result<()> {
        let inner = &self.inner;
        let stops = inner.store.stops();
        let goes_on = || until.saturating_duration_since(Instant::now()) > TIME_OF_A_FLUSH && !cancel.is_cancelled();
        while goes_on() && inner.store.read_for_delivery(WRITER_WAIT, has_backlog)? {
            inner.index(stops, OF_A_FLUSH)?;
        }
        Ok(())
    }
}

impl Inner {
    /// Indexes sessions that changed since the last search. Where the writer is not free in time, or the disk is full, the index stays as it is.
    pub(super) fn index_for_search(&self) -> Result<()> {
        if self.read(|connection| Ok(search::due(connection, 1)?.is_empty()))? {
            return Ok(());
        }
        let _call = self.calls.enter()?;
        match self.index(self.store.stops(), OF_A_SEARCH) {
            Err(Error::Locked | Error::DiskFull) => Ok(()),
            indexed => indexed,
        }
    }

    /// The same when the file is opened, for a part of a backlog.
    pub(super) fn index_at_open(&self) -> Result<()> {
        if self.read_at_open(has_backlog)? { self.index_for_search() } else { Ok(()) }
    }

    /// Indexes sessions that changed, at most so many. Where a page of one of them cannot be read, SQLite refuses the whole transaction; a
    /// read then finds such sessions, and they are skipped. `stops` is that of [`Store::stops`](crate::store::Store::stops).
    fn index(&self, stops: u64, at_most: u32) -> Result<()> {
        let index = |damaged: &[i64]| {
            self.store.write_part_within(Some(stops), WRITER_WAIT, |tx| {
                search::remove_rows_without_session(tx)?;
                for id in search::due(tx, at_most)? {
                    if damaged.contains(&id) { search::skip(tx, id)? } else { self.index_one(tx, id)? }
                }
                Ok(())
            })
        };
        match index(&[]) {
            Err(Error::Corrupt { .. }) => {
                let damaged = self.store.read_part(stops, |connection| {
                    let mut due = search::due(connection, at_most)?;
                    due.retain(|id| matches!(self.load_session_at(connection, *id), Err(Error::Corrupt { .. })));
                    Ok::<_, Error>(due)
                })?;
                index(&damaged)
            }
            indexed => indexed,
        }
    }

    /// Indexes a session again, so that no word is left in the index that the session no longer has.
    pub(super) fn index_again(&self, tx: &Transaction<'_>, id: i64) -> Result<()> {
        // A session that was never indexed left no word; an entry for it would mean that the sessions before it are indexed, too.
        if search::is_known(tx, id)? {
            self.index_one(tx, id)?;
        } else {
            // No word may be left either where damage removed its text but not its pieces.
            search::remove(tx, id)?;
        }
        Ok(())
    }

    fn index_one(&self, tx: &Transaction<'_>, id: i64) -> Result<()> {
        match self.entry(tx, id) {
            Err(Error::RequiresNewerCore { .. }) => search::skip(tx, id)?,
            entry => search::write(tx, id, &entry?)?,
        }
        Ok(())
    }

    /// The words by which a session is found. A session that cannot be read has none.
    fn entry(&self, connection: &Connection, id: i64) -> Result<search::Entry> {
        let loaded = unless_damaged(self.load_session_at(connection, id))?;
        Ok(match loaded {
            Some(loaded) => search::Entry {
                text: words::plain(&engine::search_text(loaded.workflow(), &loaded.state)),
                open_at: (loaded.state.state == SessionState::InProgress).then_some(loaded.state.last_seq),
            },
            None => search::Entry { text: String::new(), open_at: None },
        })
    }

    pub(super) fn load_session_at(&self, connection: &Connection, id: i64) -> Result<LoadedSession> {
        self.load_session(connection, search::key_of(connection, id)?)
    }
}

fn has_backlog(connection: &Connection) -> Result<bool> {
    Ok(search::due(connection, OF_A_SEARCH + 1)?.len() > OF_A_SEARCH as usize)
}
