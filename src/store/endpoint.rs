//! Endpoints, and the one state that delivery keeps of each.

use rusqlite::{OptionalExtension, Row, params};

use super::row::{from_json, from_ms, optional_time, to_json, to_ms};
use super::{Connection, Result, Transaction};
use crate::model::{Endpoint, Timestamp};

/// An endpoint's row.
#[derive(Debug, Clone)]
pub(crate) struct EndpointRow {
    pub(crate) endpoint: Endpoint,
    pub(crate) enabled: bool,
    pub(crate) disabled_reason: Option<String>,
    pub(crate) archived_at: Option<Timestamp>,
    pub(crate) delivery: EndpointDelivery,
}

/// What delivery knows of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EndpointDelivery {
    /// Milliseconds since 1970; 0: not paused.
    pub(crate) paused_until: i64,
    pub(crate) pause_reason: Option<String>,
    pub(crate) consecutive_failures: u32,
    pub(crate) in_flight_limit: u32,
    pub(crate) skew_ms: Option<i64>,
}

impl EndpointRow {
    /// When its pause ends, if it is paused now.
    pub(crate) fn paused_until(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        if self.delivery.paused_until <= to_ms(now) { Ok(None) } else { from_ms(self.delivery.paused_until).map(Some) }
    }
}

const COLUMNS: &str =
    "definition, enabled, disabled_reason, archived_at, paused_until, pause_reason, consecutive_failures, in_flight_limit, skew_ms";

/// Registers an endpoint, or changes what an existing one is. What delivery learned of the old one is forgotten.
pub(crate) fn put(tx: &Transaction<'_>, endpoint: &Endpoint, in_flight_limit: u32) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO endpoint (key, definition, in_flight_limit) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET definition = excluded.definition, in_flight_limit = excluded.in_flight_limit, archived_at = NULL,
                                   paused_until = 0, pause_reason = NULL, consecutive_failures = 0, skew_ms = NULL",
    )?
    .execute(params![endpoint.key, to_json(endpoint)?, in_flight_limit])?;
    Ok(())
}

pub(crate) fn set_enabled(tx: &Transaction<'_>, key: &str, disabled_reason: Option<&str>) -> Result<()> {
    tx.prepare_cached(
        "UPDATE endpoint SET enabled = ?2 IS NULL, disabled_reason = ?2, paused_until = 0, pause_reason = NULL, consecutive_failures = 0
          WHERE key = ?1",
    )?
    .execute(params![key, disabled_reason])?;
    Ok(())
}

pub(crate) fn set_archived(tx: &Transaction<'_>, key: &str, archived_at: Option<Timestamp>) -> Result<()> {
    tx.prepare_cached("UPDATE endpoint SET archived_at = ?2 WHERE key = ?1")?.execute(params![key, archived_at.map(to_ms)])?;
    Ok(())
}

/// Writes what delivery has learned.
pub(crate) fn save_delivery(tx: &Transaction<'_>, key: &str, delivery: &EndpointDelivery) -> Result<()> {
    tx.prepare_cached(
        "UPDATE endpoint SET paused_until = ?2, pause_reason = ?3, consecutive_failures = ?4, in_flight_limit = ?5, skew_ms = ?6 WHERE key = ?1",
    )?
    .execute(params![
        key,
        delivery.paused_until,
        delivery.pause_reason,
        delivery.consecutive_failures,
        delivery.in_flight_limit,
        delivery.skew_ms
    ])?;
    Ok(())
}

pub(crate) fn find(connection: &Connection, key: &str) -> Result<Option<EndpointRow>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM endpoint WHERE key = ?1"))?;
    statement.query_row([key], |row| Ok(endpoint_row(row))).optional()?.transpose()
}

/// All endpoints, by key.
pub(crate) fn all(connection: &Connection) -> Result<Vec<EndpointRow>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM endpoint ORDER BY key"))?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(endpoint_row(row)?);
    }
    Ok(found)
}

fn endpoint_row(row: &Row<'_>) -> Result<EndpointRow> {
    Ok(EndpointRow {
        endpoint: from_json(&row.get::<_, String>(0)?, "an endpoint")?,
        enabled: row.get(1)?,
        disabled_reason: row.get(2)?,
        archived_at: optional_time(row.get(3)?)?,
        delivery: EndpointDelivery {
            paused_until: row.get(4)?,
            pause_reason: row.get(5)?,
            consecutive_failures: row.get(6)?,
            in_flight_limit: row.get(7)?,
            skew_ms: row.get(8)?,
        },
    })
}
