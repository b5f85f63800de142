//! Whether messages say what their session says now.

use std::time::{Duration, Instant};

use super::command::LoadedSession;
use super::enqueue::Payloads;
use super::{Changed, Inner, Result};
use crate::error::Error;
use crate::model::Act;
use crate::store::action::ActionRow;
use crate::store::{self, Transaction, all_or_none};

/// So many sessions are compared in one transaction.
const BATCH: u32 = 50;
/// How long that waits for the writer.
const WRITER_WAIT: Duration = Duration::from_millis(200);
/// How long opening a file compares; a flush does the rest.
const TIME_OF_AN_OPEN: Duration = Duration::from_millis(200);

impl Payloads<'_> {
    /// Whether the newest message of this action says something else than it would now.
    pub(super) fn differ_from(&mut self, row: &ActionRow) -> Result<bool> {
        match &row.newest_body {
            Some(newest) => Ok(self.of_action(&row.key)?.hash.0 != newest[..]),
            None => Ok(false),
        }
    }
}

/// Whether an act can change what the messages of a finished session would hold. Notes are in none.
pub(super) fn changes_messages(act: &Act) -> bool {
    match act {
        Act::Edited { fields, .. } => !fields.is_empty(),
        Act::Redacted { .. } => true,
        _ => false,
    }
}

impl LoadedSession {
    /// Keeps of each action whether its newest message says something else than the session does now.
    pub(super) fn compare(&self, tx: &Transaction<'_>) -> Result<()> {
        let mut payloads = Payloads::of(self);
        for row in store::action::of_session(tx, self.id)? {
            store::action::keep_comparison(tx, row.id, payloads.differ_from(&row)?)?;
        }
        Ok(store::action::count_differing(tx, self.id)?)
    }
}

impl Inner {
    /// Compares a part of the backlog when the file is opened.
    pub(super) fn compare_at_open(&self) -> Result<()> {
        let has_backlog = self.read_at_open(|connection| Ok(!store::action::not_compared(connection, 0, 1)?.is_empty()))?;
        let began = Instant::now();
        if has_backlog { self.compare_backlog(&|| began.elapsed() < TIME_OF_AN_OPEN) } else { Ok(()) }
    }

    /// Compares sessions that were edited before an update, which could not compare them, while `goes_on`. Until then only lists do not know.
    pub(super) fn compare_backlog(&self, goes_on: &dyn Fn() -> bool) -> Result<()> {
        let mut after = 0;
        while goes_on() {
            let ids = self.store.read_for_delivery(WRITER_WAIT, |connection| store::action::not_compared(connection, after, BATCH))?;
            let Some(last) = ids.last() else { return Ok(()) };
            after = *last;
            match self.compare_all(&ids) {
                // Where a page is damaged, SQLite refuses the whole transaction.
                Err(Error::Corrupt { .. }) => {
                    for id in ids {
                        store::unless_damaged(self.compare_all(&[id]))?;
                    }
                }
                compared => compared?,
            }
        }
        Ok(())
    }

    /// No observer is notified, because nothing that people did changes.
    fn compare_all(&self, ids: &[i64]) -> Result<()> {
        self.write_in_background(WRITER_WAIT, |tx| {
            for id in ids {
                all_or_none(tx, || match self.load_session_at(tx, *id) {
                    Ok(loaded) if loaded.document.unknown.is_empty() => loaded.compare(tx),
                    // A later release compares it.
                    Ok(_) | Err(Error::RequiresNewerCore { .. }) => Ok(()),
                    Err(error) => Err(error),
                })?;
            }
            Ok(((), Changed::nothing()))
        })
    }
}
