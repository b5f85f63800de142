//! The outbox as a list and as totals. Both cost what is unsent, not what was ever sent.

use rusqlite::params;

use super::super::row::{one_of, session_key};
use super::super::{Connection, Result};
use super::{COLUMNS, EntryRow, entry_row};
use crate::model::{DeliveryState, OutboxFilter, SessionKey, WorkflowRef};

/// An entry with what a list says about where it comes from.
pub(crate) struct ListedEntry {
    pub(crate) entry: EntryRow,
    pub(crate) session: SessionKey,
    pub(crate) workflow: WorkflowRef,
    pub(crate) action: String,
    pub(crate) action_name: String,
}

/// At most `limit` entries with a row after `after`, oldest first.
pub(crate) fn entries(connection: &Connection, filter: &OutboxFilter, after: i64, limit: u32) -> Result<Vec<ListedEntry>> {
    let asked = if filter.states.is_empty() { &[DeliveryState::Pending, DeliveryState::Failed][..] } else { &filter.states };
    let mut states = Vec::new();
    for state in asked {
        match state {
            DeliveryState::Pending => states.extend(["queued", "leased"]),
            DeliveryState::Sent => states.push("sent"),
            DeliveryState::Failed => states.push("failed"),
            DeliveryState::Superseded => states.push("superseded"),
        }
    }
    // Said twice, so that SQLite can use the partial index of what is unsent.
    let unsent = if states.iter().any(|state| matches!(*state, "sent" | "superseded")) {
        ""
    } else {
        "AND o.state IN ('queued', 'leased', 'failed')"
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, s.key, w.key, w.name, w.version, w.local_revision, a.key, a.name
           FROM outbox o JOIN action a ON a.id = o.action_id JOIN session s ON s.id = o.session_id JOIN workflow w ON w.id = s.workflow_id
          WHERE o.id > ?1 AND o.state IN ({}) {unsent} AND (?2 IS NULL OR o.endpoint = ?2)
          ORDER BY o.id LIMIT ?3",
        one_of(states)
    ))?;
    let mut rows = statement.query(params![after, filter.endpoint, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(ListedEntry {
            entry: entry_row(row)?,
            session: session_key(&row.get::<_, Vec<u8>>(13)?)?,
            workflow: WorkflowRef { key: row.get(14)?, name: row.get(15)?, version: row.get(16)?, local_revision: row.get(17)? },
            action: row.get(18)?,
            action_name: row.get(19)?,
        });
    }
    Ok(found)
}

/// Unsent entries of one endpoint, counted.
pub(crate) struct UnsentGroup {
    pub(crate) endpoint: String,
    pub(crate) pending: u64,
    pub(crate) failed: u64,
    /// Milliseconds since 1970.
    pub(crate) oldest_frozen_at: i64,
    pub(crate) bytes: u64,
}

/// What is unsent and not given up, by endpoint.
pub(crate) fn unsent(connection: &Connection) -> Result<Vec<UnsentGroup>> {
    let mut statement = connection.prepare_cached(
        "SELECT endpoint, sum(state <> 'failed'), sum(state = 'failed'), min(frozen_at), sum(body_size)
           FROM outbox WHERE state IN ('queued', 'leased', 'failed') AND reason IS NOT 'abandoned' GROUP BY endpoint",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(UnsentGroup {
            endpoint: row.get(0)?,
            pending: row.get::<_, i64>(1)? as u64,
            failed: row.get::<_, i64>(2)? as u64,
            oldest_frozen_at: row.get(3)?,
            bytes: row.get::<_, i64>(4)? as u64,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A failed entry that was not given up.
pub(crate) struct FailedEntry {
    pub(crate) entry_id: i64,
    pub(crate) session: SessionKey,
    pub(crate) action: String,
}

/// At most `limit` failed entries with a row after `after`.
pub(crate) fn failed(connection: &Connection, after: i64, limit: u32) -> Result<Vec<FailedEntry>> {
    let mut statement = connection.prepare_cached(
        "SELECT o.id, s.key, a.key FROM outbox o JOIN action a ON a.id = o.action_id JOIN session s ON s.id = o.session_id
          WHERE o.state = 'failed' AND o.reason <> 'abandoned' AND o.state IN ('queued', 'leased', 'failed') AND o.id > ?1
          ORDER BY o.id LIMIT ?2",
    )?;
    let mut rows = statement.query(params![after, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(FailedEntry { entry_id: row.get(0)?, session: session_key(&row.get::<_, Vec<u8>>(1)?)?, action: row.get(2)? });
    }
    Ok(found)
}
