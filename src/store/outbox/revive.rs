//! Entries that a change of an endpoint revives.

use std::collections::BTreeSet;

use rusqlite::params;

use super::super::row::{session_key, to_ms};
use super::super::{Result, StoreError, Transaction, unless_damaged};
use super::{BUDGETS, FRESH};
use crate::model::{SessionKey, Timestamp};
use crate::outbox::at_once;

/// What was revived.
#[derive(Default)]
pub(crate) struct Revived {
    pub(crate) sessions: Vec<SessionKey>,
    /// Rows that could not be changed, and are as they were.
    pub(crate) damaged: BTreeSet<i64>,
}

/// An endpoint was enabled, really changed, or its secrets changed: its waiting entries are due, with new budgets, and entries that failed for
/// a reason that this may fix are revived, in a cycle that the lock does not count. Claimed entries get new budgets too, in every process. The
/// delays after attempts that were cut short stay, unless the endpoint has another address: then no attempt was made there.
pub(crate) fn revive_endpoint(
    tx: &Transaction<'_>,
    endpoint: &str,
    has_moved: bool,
    revives: impl Fn(&str) -> bool,
    now: Timestamp,
) -> Result<Revived> {
    let (mut revived, due_at) = (Revived::default(), to_ms(at_once(now)));
    for (state, fresh) in [("queued", FRESH), ("leased", if has_moved { FRESH } else { BUDGETS })] {
        let mut all_at_once = tx.prepare_cached(&format!(
            "UPDATE outbox SET due_at = min(due_at, ?2), reason = NULL, {fresh} WHERE state = '{state}' AND endpoint = ?1"
        ))?;
        if unless_damaged(all_at_once.execute(params![endpoint, due_at]).map_err(StoreError::from))?.is_none() {
            // One of them is the cause.
            let mut one =
                tx.prepare_cached(&format!("UPDATE outbox SET due_at = min(due_at, ?2), reason = NULL, {fresh} WHERE id = ?1"))?;
            for id in of_endpoint(tx, state, endpoint)? {
                if unless_damaged(one.execute(params![id, due_at]).map_err(StoreError::from))?.is_none() {
                    revived.damaged.insert(id);
                }
            }
        }
    }
    let mut statement = tx.prepare_cached(
        "SELECT o.id, o.reason, s.key FROM outbox o JOIN session s ON s.id = o.session_id
          WHERE o.state = 'failed' AND o.endpoint = ?1 ORDER BY o.id",
    )?;
    let mut rows = statement.query([endpoint])?;
    let mut failed = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, why): (i64, _) = (row.get(0)?, row.get::<_, String>(1));
        let session = row.get::<_, Vec<u8>>(2).ok().and_then(|key| session_key(&key).ok());
        match (why, session) {
            (Ok(why), Some(session)) if revives(&why) => failed.push((id, session)),
            // An unreadable one does not change; a person sees it.
            _ => {}
        }
    }
    drop(rows);
    let mut revive = tx.prepare_cached(&format!(
        "UPDATE outbox SET state = 'queued', reason = NULL, due_at = ?2, revived = revived + 1, cycle_counts = 0, {FRESH} WHERE id = ?1"
    ))?;
    for (id, session) in failed {
        match unless_damaged(revive.execute(params![id, due_at]).map_err(StoreError::from))? {
            Some(_) => revived.sessions.push(session),
            None => drop(revived.damaged.insert(id)),
        }
    }
    Ok(revived)
}

/// All entries of this endpoint in this state.
fn of_endpoint(tx: &Transaction<'_>, state: &str, endpoint: &str) -> Result<Vec<i64>> {
    let mut statement = tx.prepare_cached(&format!("SELECT id FROM outbox WHERE state = '{state}' AND endpoint = ?1"))?;
    let rows = statement.query_map([endpoint], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
