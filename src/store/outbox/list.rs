//! The outbox as a list and as totals. The cost of both grows with unsent entries, not with all that were ever sent.

use rusqlite::{OptionalExtension, params};

use super::super::row::{lossy, one_of, session_key, to_ms};
use super::super::{Connection, Result, StoreError};
use super::numbers;
use super::{COLUMN_COUNT, COLUMNS, EntryRow, EntryState, OWN_ATTEMPT, entry_row};
use crate::model::{DeliveryState, NotFiredFilter, OutboxFilter, SessionKey, WorkflowRef};
use crate::sorted::SortedSet;

/// An entry with its session, workflow and action, for a list.
pub(crate) struct ListedEntry {
    pub(crate) entry: EntryRow,
    pub(crate) session: SessionKey,
    pub(crate) workflow: WorkflowRef,
    pub(crate) action: String,
    pub(crate) action_name: String,
}

/// At most `limit` entries with a row after `after`, oldest first, without those of which a page is lost.
pub(crate) fn entries(connection: &Connection, filter: &OutboxFilter, after: i64, limit: u32) -> Result<Vec<ListedEntry>> {
    let asked = if filter.states.is_empty() { &[DeliveryState::Pending, DeliveryState::Failed][..] } else { &filter.states };
    let words = [(DeliveryState::Sent, "sent"), (DeliveryState::Failed, "failed"), (DeliveryState::Superseded, "superseded")];
    // Every other state is pending, also a damaged one.
    let states = if asked.contains(&DeliveryState::Pending) {
        format!("NOT IN ({})", one_of(words.into_iter().filter(|(state, _)| !asked.contains(state)).map(|(_, word)| word)))
    } else {
        format!("IN ({})", one_of(words.into_iter().filter(|(state, _)| asked.contains(state)).map(|(_, word)| word)))
    };
    // Repeated, so that SQLite can use the partial index of unsent entries.
    let (unsent, by_index) = if asked.iter().any(|state| matches!(state, DeliveryState::Sent | DeliveryState::Superseded)) {
        ("", "INDEXED BY outbox_session WHERE")
    } else {
        (
            "AND (o.state <> 'sent' AND o.state <> 'superseded')",
            "INDEXED BY outbox_unsent WHERE (o.state <> 'sent' AND o.state <> 'superseded') AND",
        )
    };
    let among = |after: i64, last: i64| entries_among(connection, &states, unsent, filter.endpoint.as_deref(), (after, last, limit));
    match among(after, i64::MAX) {
        Err(StoreError::Corrupt(_)) => {}
        found => return found,
    }
    let mut ids = connection.prepare(&format!("SELECT o.id FROM outbox o {by_index} o.id > ?1 ORDER BY o.id"))?;
    let mut ids = ids.query([after])?;
    let mut found = Vec::new();
    while let Some(row) = ids.next()?.filter(|_| found.len() < limit as usize) {
        let id: i64 = row.get(0)?;
        match among(id - 1, id) {
            Err(StoreError::Corrupt(_)) => {}
            one => found.extend(one?),
        }
    }
    Ok(found)
}

/// Entries with a row after the first number, up to the second, at most as many as the third says.
fn entries_among(
    connection: &Connection,
    states: &str,
    unsent: &str,
    endpoint: Option<&str>,
    (after, last, limit): (i64, i64, u32),
) -> Result<Vec<ListedEntry>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, {OWN_ATTEMPT}, s.key, w.key, w.name, w.version, w.local_revision, a.key, a.name
           FROM outbox o LEFT JOIN action a ON a.id = o.action_id LEFT JOIN session s ON s.id = o.session_id
                LEFT JOIN workflow w ON w.id = s.workflow_id
          WHERE o.id > ?1 AND o.id <= ?4 AND o.state {states} {unsent} AND (?2 IS NULL OR o.endpoint = ?2)
          ORDER BY o.id LIMIT ?3"
    ))?;
    let mut rows = statement.query(params![after, endpoint, limit, last])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut entry = entry_row(row)?;
        let session = row.get::<_, Vec<u8>>(COLUMN_COUNT).ok().and_then(|key| session_key(&key).ok());
        let version: Option<u32> = row.get(COLUMN_COUNT + 3).ok();
        // Its session, action or workflow is missing or damaged: it is still listed.
        entry.readable &= session.is_some() && version.is_some() && row.get::<_, String>(COLUMN_COUNT + 5).is_ok();
        found.push(ListedEntry {
            entry,
            session: session.unwrap_or(SessionKey(uuid::Uuid::nil())),
            workflow: WorkflowRef {
                key: lossy(row, COLUMN_COUNT + 1)?,
                name: lossy(row, COLUMN_COUNT + 2)?,
                version: version.unwrap_or_default(),
                local_revision: row.get(COLUMN_COUNT + 4).unwrap_or_default(),
            },
            action: lossy(row, COLUMN_COUNT + 5)?,
            action_name: lossy(row, COLUMN_COUNT + 6)?,
        });
    }
    Ok(found)
}

/// Unsent entries that wait for the same, counted.
pub(crate) struct UnsentGroup {
    /// None: not text.
    pub(crate) endpoint: Option<String>,
    pub(crate) state: EntryState,
    /// Their state is readable. If not, they count as waiting.
    pub(crate) readable: bool,
    pub(crate) reason: Option<String>,
    pub(crate) count: u64,
    /// Milliseconds since 1970.
    pub(crate) oldest_frozen_at: i64,
    pub(crate) bytes: u64,
}

/// Entries that are unsent and not abandoned, by endpoint, state and reason, without these rows.
pub(crate) fn unsent(connection: &Connection, without: &SortedSet<i64>) -> Result<Vec<UnsentGroup>> {
    unsent_where(connection, &format!("id NOT IN ({})", numbers(without)))
}

/// The same, only for these rows.
pub(crate) fn unsent_among(connection: &Connection, rows: &SortedSet<i64>) -> Result<Vec<UnsentGroup>> {
    if rows.is_empty() { Ok(Vec::new()) } else { unsent_where(connection, &format!("id IN ({})", numbers(rows))) }
}

/// One of which a page is lost is a group of its own.
fn unsent_where(connection: &Connection, which: &str) -> Result<Vec<UnsentGroup>> {
    match groups(connection, which) {
        Err(StoreError::Corrupt(_)) => {}
        found => return found,
    }
    let mut ids = connection.prepare(&format!(
        "SELECT id, state = 'failed' FROM outbox INDEXED BY outbox_unsent WHERE (state <> 'sent' AND state <> 'superseded') AND {which}"
    ))?;
    let mut ids = ids.query([])?;
    let mut found = Vec::new();
    while let Some(row) = ids.next()? {
        match groups(connection, &format!("id IN ({})", row.get::<_, i64>(0)?)) {
            Err(StoreError::Corrupt(_)) => {
                let state = if row.get(1)? { EntryState::Failed } else { EntryState::Queued };
                found.push(UnsentGroup {
                    endpoint: None,
                    state,
                    readable: false,
                    reason: None,
                    count: 1,
                    oldest_frozen_at: i64::MAX,
                    bytes: 0,
                });
            }
            one => found.append(&mut one?),
        }
    }
    Ok(found)
}

fn groups(connection: &Connection, which: &str) -> Result<Vec<UnsentGroup>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT endpoint, state, reason, count(*), min(frozen_at), total(max(body_size, 0)) FROM outbox
          WHERE (state <> 'sent' AND state <> 'superseded') AND reason IS NOT 'abandoned' AND {which}
          GROUP BY endpoint, state, reason"
    ))?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let state = match row.get_ref(1)?.as_str() {
            Ok("queued") => Some(EntryState::Queued),
            Ok("leased") => Some(EntryState::Leased),
            Ok("failed") => Some(EntryState::Failed),
            _ => None,
        };
        found.push(UnsentGroup {
            endpoint: row.get(0).ok(),
            state: state.unwrap_or(EntryState::Queued),
            readable: state.is_some(),
            reason: row.get(2).ok().flatten(),
            count: row.get::<_, i64>(3)? as u64,
            oldest_frozen_at: row.get(4).unwrap_or_default(),
            bytes: row.get::<_, f64>(5).unwrap_or_default() as u64,
        });
    }
    Ok(found)
}

/// A message that a person may send.
pub(crate) struct ToSend {
    /// The listed row: an entry, or an action without one.
    pub(crate) id: i64,
    /// None: they cannot be read.
    pub(crate) session_and_action: Option<(SessionKey, String)>,
}

/// At most `limit` failed entries that were not abandoned, with a row after `after`; no replays.
pub(crate) fn failed(connection: &Connection, after: i64, limit: u32) -> Result<Vec<ToSend>> {
    let mut ids = connection.prepare_cached(
        "SELECT id FROM outbox WHERE state = 'failed' AND (state <> 'sent' AND state <> 'superseded') AND id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let mut one = connection.prepare_cached(
        "SELECT o.id, s.key, a.key FROM outbox o JOIN action a ON a.id = o.action_id JOIN session s ON s.id = o.session_id
          WHERE o.id = ?1 AND o.reason <> 'abandoned' AND o.replay = 0",
    )?;
    let mut found = Vec::new();
    for id in ids.query_map(params![after, limit], |row| row.get(0))? {
        let id = id?;
        let listed = match one.query_row([id], to_send).optional().map_err(StoreError::from) {
            // Alone, it is passed: its number stands in the index.
            Err(StoreError::Corrupt(_)) if limit == 1 => None,
            listed => listed?,
        };
        found.push(listed.unwrap_or(ToSend { id, session_and_action: None }));
    }
    Ok(found)
}

/// At most `limit` actions with a row after `after` that did not fire because the integration was off.
pub(crate) fn not_fired(connection: &Connection, filter: &NotFiredFilter, after: i64, limit: u32) -> Result<Vec<ToSend>> {
    let mut statement = connection.prepare_cached(
        "SELECT a.id, s.key, a.key FROM action a JOIN session s ON s.id = a.session_id
          WHERE a.status = 'not_fired' AND a.reason = 'integration_off' AND a.id > ?1 AND (?3 IS NULL OR a.endpoint = ?3)
            AND (?4 IS NULL OR s.finished_at >= ?4) AND (?5 IS NULL OR s.finished_at < ?5)
          ORDER BY a.id LIMIT ?2",
    )?;
    let [from, until] = [filter.finished_from, filter.finished_until].map(|at| at.map(to_ms));
    let rows = statement.query_map(params![after, limit, filter.endpoint, from, until], to_send)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How many actions did not fire because the integration was off.
pub(crate) fn count_not_fired(connection: &Connection) -> Result<u64> {
    let mut statement =
        connection.prepare_cached("SELECT count(*) FROM action WHERE status = 'not_fired' AND reason = 'integration_off'")?;
    Ok(statement.query_row([], |row| row.get::<_, i64>(0))?.unsigned_abs())
}

pub(super) fn to_send(row: &rusqlite::Row<'_>) -> rusqlite::Result<ToSend> {
    let session = row.get::<_, Vec<u8>>(1).ok().and_then(|key| session_key(&key).ok());
    Ok(ToSend { id: row.get(0)?, session_and_action: session.zip(row.get(2).ok()) })
}
