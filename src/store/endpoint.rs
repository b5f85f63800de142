//! Endpoints, with the delivery state of each.

use rusqlite::{Row, params};

use super::row::{from_json, from_ms, optional_time, to_json, to_ms};
use super::{Connection, Result, StoreError, Transaction};
use crate::model::{Endpoint, NetworkPolicy, Timestamp};
use crate::outbox::{EndpointFacts, EndpointState, Failing, RetryPolicy, possible_skew};

/// Why the app disabled an endpoint, as its status says.
pub(crate) const BY_APP: &str = "by_app";

/// An endpoint's row.
#[derive(Debug, Clone)]
pub(crate) struct EndpointRow {
    pub(crate) endpoint: Endpoint,
    pub(crate) enabled: bool,
    pub(crate) disabled_reason: Option<String>,
    pub(crate) archived_at: Option<Timestamp>,
    pub(crate) delivery: EndpointDelivery,
}

/// An endpoint as it is stored: one unreadable row must not stop the others.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "endpoints are few, and nearly all of them are readable")]
pub(crate) enum StoredEndpoint {
    Readable(EndpointRow),
    /// Its key, as far as it is text. Registering it again repairs it.
    Corrupt(String),
}

/// The delivery state of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EndpointDelivery {
    pub(crate) paused_until: Option<Timestamp>,
    pub(crate) pause_reason: Option<String>,
    /// The end of the longest pause that the receiver asked for.
    pub(crate) asked_until: Option<Timestamp>,
    pub(crate) consecutive_failures: u32,
    pub(crate) in_flight_limit: u32,
    pub(crate) skew_ms: Option<i64>,
    /// Its repeated failure that could be caused by this phone.
    pub(crate) failing: Option<Failing>,
    /// When a person had the last urgent attempt, and the end of the pause that the receiver had asked for then.
    pub(crate) urgent_at: Option<Timestamp>,
    pub(crate) urgent_pause: Option<Timestamp>,
}

impl EndpointRow {
    /// Whether messages may be sent to it at all.
    pub(crate) fn is_open(&self) -> bool {
        self.enabled && self.archived_at.is_none()
    }

    /// Its state in delivery. The number of deliveries in a row is not stored.
    pub(crate) fn state(&self, deliveries: u32) -> EndpointState {
        let delivery = &self.delivery;
        EndpointState {
            limit: delivery.in_flight_limit,
            deliveries,
            consecutive_failures: delivery.consecutive_failures,
            paused_until: delivery.paused_until,
            pause_reason: delivery.pause_reason.clone(),
            asked_until: delivery.asked_until,
            clock_skew_ms: delivery.skew_ms,
            failing: delivery.failing.clone(),
        }
    }
}

impl EndpointDelivery {
    /// The same with the state after an attempt.
    pub(crate) fn with(&self, state: &EndpointState) -> Self {
        Self {
            paused_until: state.paused_until,
            pause_reason: state.pause_reason.clone(),
            asked_until: state.asked_until,
            consecutive_failures: state.consecutive_failures,
            in_flight_limit: state.limit.max(1),
            skew_ms: state.clock_skew_ms,
            // When it was last seen is only known in one process.
            failing: state.failing.clone().map(|failing| Failing { last_seen: None, ..failing }),
            urgent_at: self.urgent_at,
            urgent_pause: self.urgent_pause,
        }
    }

    /// Whether the visible state of the endpoint differs from before.
    pub(crate) fn is_seen_differently(&self, before: &Self) -> bool {
        let failing = |delivery: &Self| delivery.failing.as_ref().map(|failing| (failing.reason.clone(), failing.needs_person));
        self.paused_until != before.paused_until || failing(self) != failing(before)
    }
}

impl StoredEndpoint {
    /// The facts that decide what its entries wait for.
    pub(crate) fn facts(&self) -> EndpointFacts<'_> {
        match self {
            Self::Readable(row) => EndpointFacts {
                readable: true,
                enabled: row.enabled,
                archived: row.archived_at.is_some(),
                network: row.endpoint.network,
                paused_until: row.delivery.paused_until,
                pause_reason: row.delivery.pause_reason.as_deref(),
                failing: row.delivery.failing.as_ref().map(|failing| (failing.reason.as_str(), failing.needs_person)),
            },
            Self::Corrupt(_) => EndpointFacts {
                readable: false,
                enabled: true,
                archived: false,
                network: NetworkPolicy::Any,
                paused_until: None,
                pause_reason: None,
                failing: None,
            },
        }
    }
}

const COLUMNS: &str = "key, definition, enabled, disabled_reason, archived_at, paused_until, pause_reason, consecutive_failures,
                       in_flight_limit, skew_ms, failing_reason, failing_since, failing_networks, failing_needs_person, last_urgent_at,
                       last_urgent_pause, asked_until";

/// Registers an endpoint, or changes an existing one. The delivery state of the old one is reset, completely if the URL changes. Unreadable
/// parts of its row are readable afterwards.
pub(crate) fn put(tx: &Transaction<'_>, endpoint: &Endpoint, policy: &RetryPolicy) -> Result<()> {
    let fresh = match find(tx, &endpoint.key)? {
        Some(StoredEndpoint::Readable(row)) if row.endpoint.url == endpoint.url => row.state(0).fresh(policy),
        _ => EndpointState::new(policy),
    };
    tx.prepare_cached(
        "INSERT INTO endpoint (key, definition, in_flight_limit) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET definition = excluded.definition, archived_at = NULL",
    )?
    .execute(params![endpoint.key, to_json(endpoint)?, fresh.limit])?;
    save_state(tx, &endpoint.key, &fresh)?;
    if let Some(StoredEndpoint::Corrupt(_)) = find(tx, &endpoint.key)? {
        // The reason why it is disabled is lost, but it stays disabled.
        tx.prepare_cached("UPDATE endpoint SET disabled_reason = CASE WHEN enabled = 0 THEN ?2 END WHERE key = ?1")?
            .execute([&endpoint.key, BY_APP])?;
    }
    Ok(())
}

/// Enables an endpoint: the core's own pauses end, and failures are forgotten.
pub(crate) fn enable(tx: &Transaction<'_>, key: &str, policy: &RetryPolicy) -> Result<()> {
    tx.prepare_cached("UPDATE endpoint SET enabled = 1, disabled_reason = NULL WHERE key = ?1")?.execute([key])?;
    match find(tx, key)? {
        Some(StoredEndpoint::Readable(row)) => save_state(tx, key, &row.state(0).fresh(policy)),
        _ => Ok(()),
    }
}

/// Disables an endpoint.
pub(crate) fn disable(tx: &Transaction<'_>, key: &str, reason: &str) -> Result<()> {
    tx.prepare_cached("UPDATE endpoint SET enabled = 0, disabled_reason = ?2 WHERE key = ?1")?.execute([key, reason])?;
    Ok(())
}

/// Secrets have changed: the core's own pauses end, and failures are forgotten.
pub(crate) fn new_secrets(tx: &Transaction<'_>, row: &EndpointRow, policy: &RetryPolicy) -> Result<()> {
    save_state(tx, &row.endpoint.key, &row.state(0).fresh(policy))
}

/// Writes a state. The time of the last urgent attempt is kept.
fn save_state(tx: &Transaction<'_>, key: &str, state: &EndpointState) -> Result<()> {
    if let Some(StoredEndpoint::Readable(row)) = find(tx, key)? {
        return save_delivery(tx, key, &row.delivery.with(state));
    }
    let blank = EndpointDelivery {
        paused_until: None,
        pause_reason: None,
        asked_until: None,
        consecutive_failures: 0,
        in_flight_limit: 1,
        skew_ms: None,
        failing: None,
        urgent_at: None,
        urgent_pause: None,
    };
    save_delivery(tx, key, &blank.with(state))
}

pub(crate) fn set_archived(tx: &Transaction<'_>, key: &str, archived_at: Option<Timestamp>) -> Result<()> {
    tx.prepare_cached("UPDATE endpoint SET archived_at = ?2 WHERE key = ?1")?.execute(params![key, archived_at.map(to_ms)])?;
    Ok(())
}

/// Writes the delivery state.
pub(crate) fn save_delivery(tx: &Transaction<'_>, key: &str, delivery: &EndpointDelivery) -> Result<()> {
    let failing = delivery.failing.as_ref();
    tx.prepare_cached(
        "UPDATE endpoint SET paused_until = ?2, pause_reason = ?3, consecutive_failures = ?4, in_flight_limit = ?5, skew_ms = ?6,
                             failing_reason = ?7, failing_since = ?8, failing_networks = ?9, failing_needs_person = ?10,
                             last_urgent_at = ?11, last_urgent_pause = ?12, asked_until = ?13
          WHERE key = ?1",
    )?
    .execute(params![
        key,
        delivery.paused_until.map_or(0, to_ms),
        delivery.pause_reason,
        delivery.consecutive_failures,
        delivery.in_flight_limit,
        delivery.skew_ms,
        failing.map(|failing| &failing.reason),
        failing.map(|failing| to_ms(failing.since)),
        failing.map_or(0, |failing| failing.networks),
        failing.is_some_and(|failing| failing.needs_person),
        delivery.urgent_at.map(to_ms),
        delivery.urgent_pause.map(to_ms),
        delivery.asked_until.map(to_ms),
    ])?;
    Ok(())
}

/// The endpoint of this key; none when this phone does not know it.
pub(crate) fn find(connection: &Connection, key: &str) -> Result<Option<StoredEndpoint>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM endpoint WHERE key = ?1"))?;
    let mut rows = statement.query([key])?;
    Ok(rows.next()?.map(stored))
}

/// Whether the file has this key at all: of an endpoint, of a message or of an action, also of one that was purged. What cannot be read may have it.
pub(crate) fn is_named(connection: &Connection, key: &str) -> Result<bool> {
    for sql in [
        "SELECT EXISTS (SELECT 1 FROM endpoint WHERE key = ?1)",
        "SELECT EXISTS (SELECT 1 FROM last_number WHERE endpoint = ?1)",
        "SELECT EXISTS (SELECT 1 FROM action WHERE endpoint = ?1)",
        "SELECT EXISTS (SELECT 1 FROM outbox WHERE endpoint = ?1)",
    ] {
        let found = connection.prepare_cached(sql)?.query_row([key], |row| row.get(0)).map_err(StoreError::from);
        match found {
            Ok(false) => {}
            Ok(true) | Err(StoreError::Corrupt(_)) => return Ok(true),
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// When the pause of this endpoint ends, as stored; none without a pause.
pub(crate) fn paused_until(connection: &Connection, key: &str) -> Result<Option<Timestamp>> {
    let mut statement = connection.prepare_cached("SELECT paused_until FROM endpoint WHERE key = ?1")?;
    let mut rows = statement.query([key])?;
    let stored = rows.next()?.and_then(|row| row.get(0).ok()).filter(|until: &i64| *until != 0);
    Ok(stored.map(|until| from_ms(until).unwrap_or(Timestamp::MAX_UTC)))
}

/// All endpoints, by key.
pub(crate) fn all(connection: &Connection) -> Result<Vec<StoredEndpoint>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM endpoint ORDER BY key"))?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(stored(row));
    }
    Ok(found)
}

fn stored(row: &Row<'_>) -> StoredEndpoint {
    endpoint_row(row).map_or_else(
        |_| StoredEndpoint::Corrupt(row.get_ref(0).ok().and_then(|key| key.as_str().ok()).unwrap_or_default().to_owned()),
        StoredEndpoint::Readable,
    )
}

fn endpoint_row(row: &Row<'_>) -> Result<EndpointRow> {
    // An invalid time is read as one far beyond any pause, where it counts as over.
    let time = |ms: i64| from_ms(ms).unwrap_or(Timestamp::MAX_UTC);
    let failing: Option<String> = row.get(10)?;
    let failing = match failing {
        Some(reason) => {
            Some(Failing { reason, since: time(row.get(11)?), networks: row.get(12)?, last_seen: None, needs_person: row.get(13)? })
        }
        None => None,
    };
    let paused_until: i64 = row.get(5)?;
    let endpoint: Endpoint = from_json(&row.get::<_, String>(1)?, "an endpoint")?;
    if endpoint.key != row.get::<_, String>(0)? {
        // Its messages would go to the address of another endpoint.
        return Err(StoreError::Unreadable("the definition of an endpoint names another".to_owned()));
    }
    Ok(EndpointRow {
        endpoint,
        enabled: row.get(2)?,
        disabled_reason: row.get(3)?,
        archived_at: optional_time(row.get(4)?)?,
        delivery: EndpointDelivery {
            paused_until: (paused_until != 0).then(|| time(paused_until)),
            pause_reason: row.get(6)?,
            asked_until: row.get::<_, Option<i64>>(16)?.map(time),
            consecutive_failures: row.get(7)?,
            in_flight_limit: row.get(8)?,
            skew_ms: row.get::<_, Option<i64>>(9)?.and_then(possible_skew),
            failing,
            urgent_at: row.get::<_, Option<i64>>(14)?.map(time),
            urgent_pause: row.get::<_, Option<i64>>(15)?.map(time),
        },
    })
}
