//! Queries for screens.

use super::{Compass, Inner, Result};
use crate::engine::session as engine;
use crate::error::Error;
use crate::model::{SessionFilter, SessionKey, SessionPage, SessionRecord, Timestamp, Totals};
use crate::store::{self, Connection};

/// The most lines of one page.
pub(super) const MAX_PAGE: u32 = 500;

impl Compass {
    /// Sessions, the one that began last on this phone first, no matter how the clock was set. `page` is the `next` of the call before;
    /// `limit` is from 1 to 500. A session whose key, state or workflow is damaged is not listed; [`check`](Self::check) names it. A filter that
    /// nothing meets, also with a key that no workflow has, gives an empty page.
    ///
    /// A search first indexes sessions that changed since the last one, 200 at most, and waits 200 ms at most for another writer. The number
    /// of those that it did not index is in `not_indexed`.
    ///
    /// # Errors
    /// `InvalidArgument` for a page that no call gave, or a limit out of range.
    pub fn sessions(&self, filter: &SessionFilter, page: Option<&str>, limit: u32) -> Result<SessionPage> {
        let limit = page_limit(limit)?;
        let after = page.map(parse_cursor).transpose()?;
        let searches = filter.text.is_some();
        let list = |connection: &Connection| {
            // One more than asked for shows whether there is another page.
            let mut found = store::list::sessions(connection, filter, after, limit + 1)?;
            let more = found.len() > limit as usize;
            found.truncate(limit as usize);
            let next = found.last().filter(|_| more).map(|(_, row)| format!("s.{row}"));
            let not_indexed = if searches { store::search::count_due(connection)? } else { 0 };
            Ok(SessionPage { sessions: found.into_iter().filter_map(|(session, _)| session).collect(), next, not_indexed })
        };
        if searches {
            self.inner.index_for_search()?;
        }
        self.inner.read(list)
    }

    /// The record of a session: what happened, and the status of its actions.
    ///
    /// # Errors
    /// `UnknownSession`, `DeletedSession`.
    pub fn record(&self, session: SessionKey) -> Result<SessionRecord> {
        self.inner.read_now(|connection, now| self.inner.record(connection, session, now))
    }

    /// Totals for reports. The cost grows with workflow versions and actors, not with the number of sessions.
    ///
    /// # Errors
    /// `Closed` and errors of the file.
    pub fn totals(&self) -> Result<Totals> {
        self.inner.read(|connection| Ok(store::totals::totals(connection)?))
    }
}

impl Inner {
    pub(super) fn record(&self, connection: &Connection, session: SessionKey, now: Timestamp) -> Result<SessionRecord> {
        let loaded = self.load_session(connection, session)?;
        let events = store::session::events(connection, loaded.id)?;
        let actions = self.actions(connection, &loaded, now)?;
        let mut record = engine::record(loaded.workflow(), &loaded.state, &events, actions);
        let mut drafts = store::session::drafts(connection, loaded.id)?;
        record.note_draft = drafts.remove(engine::NOTE);
        for field in &mut record.fields {
            field.draft = drafts.remove(&field.definition.key);
        }
        Ok(record)
    }
}

pub(super) fn page_limit(limit: u32) -> Result<u32> {
    if (1..=MAX_PAGE).contains(&limit) {
        Ok(limit)
    } else {
        Err(Error::InvalidArgument { place: "limit", problem: "must be from 1 to 500" })
    }
}

fn parse_cursor(page: &str) -> Result<i64> {
    page.strip_prefix("s.")
        .and_then(|row| row.parse().ok())
        .ok_or(Error::InvalidArgument { place: "page", problem: "not a page that an earlier call gave" })
}
