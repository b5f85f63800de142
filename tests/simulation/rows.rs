//! The file as somebody from outside reads it.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

/// What is due at once is stored as due so long before.
const AT_ONCE: i64 = 100_000 * 365 * 24 * 3_600_000;

/// An entry with what shows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub row: i64,
    pub id: String,
    pub session: i64,
    pub action_row: i64,
    pub action: String,
    pub revision: u32,
    /// The number of this replay of a sent entry.
    pub replay: u32,
    pub endpoint: String,
    pub body_sha256: String,
    pub state: String,
    pub reason: String,
    /// Since when it is due, or when it will be.
    pub due_at: i64,
    /// It waits for no time, wherever the clock is set to.
    pub at_once: bool,
    pub attempts: u32,
    pub unknown: u32,
    pub counted: u32,
    pub slow: u32,
    pub offline: u32,
    pub cut_short: u32,
    pub resynced: u32,
    pub refreshed: u32,
    pub epoch: i64,
    pub owner: String,
    pub lease_until: i64,
    /// An attempt from before it was abandoned may be in flight until then.
    pub in_flight_until: i64,
    pub sent_at: i64,
    pub revived: u32,
    pub status: String,
    pub failed_sends: u32,
    pub newest: u32,
    /// Series and number of its action, joined by `-`; empty where it has none.
    pub sequence: String,
}

impl Entry {
    /// It is damaged, and set aside for good.
    pub fn is_corrupt(&self) -> bool {
        self.state == "failed" && self.reason == "corrupt"
    }
}

/// An endpoint's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointRow {
    pub definition: String,
    pub enabled: bool,
    pub archived: bool,
    pub failures: u32,
}

impl EndpointRow {
    pub fn is_open(&self) -> bool {
        self.enabled && !self.archived
    }
}

/// All of it at one moment.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    pub entries: BTreeMap<i64, Entry>,
    /// The row of a message, or of its replay where that is open.
    pub by_id: BTreeMap<String, i64>,
    pub endpoints: BTreeMap<String, EndpointRow>,
    pub integration: bool,
    /// SQLite's own count of changes by others.
    pub version: i64,
}

impl Rows {
    pub fn version(sql: &Connection) -> i64 {
        sql.query_row("PRAGMA data_version", [], |row| row.get(0)).expect("a version")
    }

    pub fn read(sql: &Connection) -> Self {
        let mut rows = Self { version: Self::version(sql), ..Self::default() };
        let mut statement = sql
            .prepare_cached(
                "SELECT o.id, o.delivery_id, o.session_id, o.action_id, a.key, o.revision, o.endpoint, hex(o.body_sha256), o.state, o.reason,
                        o.due_at, o.attempts, o.unknown_outcomes, o.counted, o.slow_counted, o.offline_attempts, o.cut_short, o.resynced,
                        o.refreshed, o.lease_epoch, o.lease_owner, o.lease_until, o.sent_at, o.revived, a.status, a.failed_sends, a.revision,
                        o.in_flight_until, o.replay, a.series || '-' || a.sequence
                   FROM outbox o JOIN action a ON a.id = o.action_id",
            )
            .expect("prepares");
        let mut found = statement.query([]).expect("reads");
        while let Some(row) = found.next().expect("a row") {
            let text = |index: usize| match row.get_ref(index).expect("a column") {
                ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                _ => String::new(),
            };
            let number = |index: usize| row.get::<_, Option<i64>>(index).ok().flatten().unwrap_or(0);
            let count = |index: usize| number(index) as u32;
            let entry = Entry {
                row: number(0),
                id: text(1),
                session: number(2),
                action_row: number(3),
                action: text(4),
                revision: count(5),
                replay: count(28),
                endpoint: text(6),
                body_sha256: text(7).to_ascii_lowercase(),
                state: text(8),
                reason: text(9),
                due_at: if number(10) < -AT_ONCE / 2 { number(10) + AT_ONCE } else { number(10) },
                at_once: number(10) < -AT_ONCE / 2,
                attempts: count(11),
                unknown: count(12),
                counted: count(13),
                slow: count(14),
                offline: count(15),
                cut_short: count(16),
                resynced: count(17),
                refreshed: count(18),
                epoch: number(19),
                owner: text(20),
                lease_until: number(21),
                sent_at: number(22),
                revived: count(23),
                status: text(24),
                failed_sends: count(25),
                newest: count(26),
                in_flight_until: number(27),
                sequence: text(29),
            };
            if entry.replay == 0 {
                rows.by_id.entry(entry.id.clone()).or_insert(entry.row);
            } else if entry.state != "sent" && entry.reason != "abandoned" {
                rows.by_id.insert(entry.id.clone(), entry.row);
            }
            rows.entries.insert(entry.row, entry);
        }
        let mut statement = sql
            .prepare_cached("SELECT key, definition, enabled, archived_at IS NOT NULL, consecutive_failures FROM endpoint")
            .expect("prepares");
        let mut found = statement.query([]).expect("reads");
        while let Some(row) = found.next().expect("a row") {
            let endpoint = EndpointRow {
                definition: row.get(1).expect("text"),
                enabled: row.get(2).expect("a flag"),
                archived: row.get(3).expect("a flag"),
                failures: row.get(4).expect("a count"),
            };
            rows.endpoints.insert(row.get(0).expect("a key"), endpoint);
        }
        rows.integration = sql.query_row("SELECT integration_enabled FROM meta", [], |row| row.get(0)).expect("a flag");
        rows
    }

    pub fn unsent(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().filter(|entry| entry.state == "queued" || entry.state == "leased")
    }
}
