//! Entries that a change of an endpoint revives.

use rusqlite::{OptionalExtension, params};

use super::super::row::{session_key, to_ms};
use super::super::{Result, StoreError, Transaction, of_entry, unless_damaged};
use super::{BUDGETS, FRESH};
use crate::model::{SessionKey, Timestamp};
use crate::outbox::at_once;
use crate::sorted::SortedSet;

/// What was revived.
#[derive(Default)]
pub(crate) struct Revived {
    pub(crate) sessions: Vec<SessionKey>,
    /// Rows that could not be changed, and are as they were.
    pub(crate) damaged: SortedSet<i64>,
}

/// An endpoint was enabled, really changed, or its secrets changed: its waiting entries are due, with new budgets, and entries that failed for
/// a reason that this may fix are revived, in a cycle that the lock does not count. Claimed entries get new budgets too, in every process. The
/// delays after attempts that were cut short stay, unless the endpoint has another address: then no attempt was made there. The rows in
/// `without` do not change.
pub(crate) fn revive_endpoint(
    tx: &Transaction<'_>,
    endpoint: &str,
    has_moved: bool,
    revives: impl Fn(&str) -> bool,
    now: Timestamp,
    without: &SortedSet<i64>,
) -> Result<Revived> {
    let (mut revived, due_at) = (Revived::default(), to_ms(at_once(now)));
    // By an index alone, which needs no page of the table.
    let listed = |sql: &str| -> Result<Vec<i64>> {
        let mut statement = tx.prepare_cached(sql)?;
        let mut listed: Vec<i64> = statement.query_map([endpoint], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        listed.retain(|id| !without.contains(id));
        Ok(listed)
    };
    let waiting = listed("SELECT id FROM outbox INDEXED BY outbox_due WHERE state = 'queued' AND endpoint = ?1")?;
    let claimed = listed("SELECT id FROM outbox INDEXED BY outbox_leased WHERE state = 'leased' AND ?1 IS NOT NULL")?;
    for (fresh, rows) in [(FRESH, waiting), (if has_moved { FRESH } else { BUDGETS }, claimed)] {
        let mut one = tx.prepare_cached(&format!(
            "UPDATE outbox SET due_at = min(due_at, ?2), reason = NULL, {fresh} WHERE id = ?1 AND endpoint = ?3"
        ))?;
        for id in rows {
            if unless_damaged(of_entry(id, one.execute(params![id, due_at, endpoint]).map_err(StoreError::from)))?.is_none() {
                revived.damaged.insert(id);
            }
        }
    }
    let mut why =
        tx.prepare_cached("SELECT o.reason, s.key FROM outbox o JOIN session s ON s.id = o.session_id WHERE o.id = ?1 AND o.replay = 0")?;
    let mut revive = tx.prepare_cached(&format!(
        "UPDATE outbox SET state = 'queued', reason = NULL, due_at = ?2, revived = revived + 1, cycle_counts = 0, {FRESH} WHERE id = ?1"
    ))?;
    for id in listed("SELECT id FROM outbox INDEXED BY outbox_failed WHERE state = 'failed' AND endpoint = ?1 ORDER BY id")? {
        let failed = why.query_row([id], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?))).optional();
        // One that does not read back stays as it is, where a person sees it.
        let Some(Some((why, session))) = unless_damaged(of_entry(id, failed.map_err(StoreError::from)))? else { continue };
        let Some(session) = session_key(&session).ok().filter(|_| revives(&why)) else { continue };
        match unless_damaged(of_entry(id, revive.execute(params![id, due_at]).map_err(StoreError::from)))? {
            Some(_) => revived.sessions.push(session),
            None => drop(revived.damaged.insert(id)),
        }
    }
    Ok(revived)
}
