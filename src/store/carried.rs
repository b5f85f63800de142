//! What a file that is replaced knows, and its copy must not forget.

use rusqlite::{OptionalExtension, Row, params};

use super::known::{Holds, Known, Source};
use super::outbox::{ABANDONED, UNDELIVERED};
use super::row::from_ms;
use super::{Connection, Result, StoreError, meta};
use crate::sorted::SortedSet;

/// A larger counter is damage: it must still be able to rise.
const LAST_NUMBER: i64 = 1 << 62;
/// An age of more than 139 years, in milliseconds, is damage: everything would be old.
const LAST_AGE: i64 = 1 << 42;

/// That something changed, the last numbers, which sessions were deleted, and what is known of actions.
#[derive(Default)]
pub(super) struct CarriedState {
    /// Revision and configuration.
    counters: Option<(i64, i64)>,
    /// The last row numbers of tables that must not use a number twice.
    numbers: Vec<(String, i64)>,
    /// The last number of a claim.
    epoch: i64,
    known: Known,
    /// Keys of the sessions that were deleted.
    deleted: SortedSet<Vec<u8>>,
}

impl CarriedState {
    /// Reads it from an undamaged file.
    ///
    /// # Errors
    /// `Unreadable` also where a counter cannot rise further.
    pub(super) fn of(file: &Connection) -> Result<Self> {
        let state = Self::read(file, false)?;
        let has_numbers = state.numbers.iter().all(|(_, last)| (0..=LAST_NUMBER).contains(last));
        if state.counters.is_some() && has_numbers && has_an_age(file)? {
            Ok(state)
        } else {
            Err(StoreError::Unreadable("the counters of the file cannot be read, or cannot rise further".to_owned()))
        }
    }

    /// Reads it from a damaged file, as far as possible.
    pub(super) fn of_damaged(file: &Connection) -> Self {
        let mut state = Self::read(file, true).unwrap_or_default();
        state.numbers.retain(|(_, last)| (0..=LAST_NUMBER).contains(last));
        state
    }

    fn read(file: &Connection, is_damaged: bool) -> Result<Self> {
        let configuration = if has_column(file, "configuration", is_damaged)? { "configuration" } else { "0" };
        let counters = format!(
            "SELECT revision, {configuration} FROM meta
              WHERE id = 1 AND revision BETWEEN 0 AND {LAST_NUMBER} AND {configuration} BETWEEN 0 AND {LAST_NUMBER}"
        );
        let epoch = format!("SELECT ifnull(max(lease_epoch), 0) FROM outbox WHERE lease_epoch <= {LAST_NUMBER}");
        // An empty table has no row there.
        let numbers = "SELECT name, seq FROM sqlite_sequence WHERE name IN ('session', 'outbox')
                       UNION ALL SELECT 'session', ifnull(max(id), 0) FROM session
                       UNION ALL SELECT 'outbox', ifnull(max(id), 0) FROM outbox";
        let source = Source { file, is_older: !has_column(file, "age", is_damaged)?, is_damaged };
        Ok(Self {
            counters: source.rows(&counters, [], |row| Ok((row.get(0)?, row.get(1)?)))?.pop(),
            numbers: source.rows(numbers, [], |row| Ok((row.get(0)?, row.get(1)?)))?,
            epoch: source.rows(&epoch, [], |row| row.get(0))?.pop().unwrap_or_default(),
            known: Known::of(source)?,
            deleted: source.rows("SELECT key FROM tombstone", [], |row| row.get(0))?.into_iter().collect(),
        })
    }

    /// Writes it into the copy, which sends no replay: what was replayed after it was made is not known.
    pub(super) fn carry_to(self, copy: &Connection, holds: Holds) -> Result<()> {
        let (revision, configuration) = self.counters.unwrap_or_default();
        copy.execute(
            "UPDATE meta SET revision = max(revision, ?1) + 1, configuration = max(configuration, ?2) + 1 WHERE id = 1",
            [revision, configuration],
        )?;
        // Row numbers are not used again, so that a running attempt of another process finds no other row under its number.
        for (table, last) in &self.numbers {
            if copy.execute("UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1", params![table, last])? == 0 {
                copy.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", params![table, last])?;
            }
        }
        // Nor are the numbers of claims: an earlier attempt must not settle a later one.
        copy.execute(
            "UPDATE outbox SET lease_epoch = min(max(lease_epoch, ?1), ?2) + 1 WHERE state <> 'sent' AND state <> 'superseded'",
            [self.epoch, LAST_NUMBER],
        )?;
        for (delivery_id, at) in self.known.carry_to(copy, meta::age(copy)?, holds)? {
            may_have_been_delivered(copy, &delivery_id, at)?;
        }
        // A deleted session held nothing undelivered.
        let mut unsent = copy.prepare(&format!(
            "SELECT o.id, o.replay > 0, s.key FROM outbox o JOIN session s ON s.id = o.session_id WHERE {UNDELIVERED}"
        ))?;
        let unsent = unsent.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let unsent: Vec<(i64, bool, Vec<u8>)> = unsent.collect::<rusqlite::Result<_>>()?;
        let mut abandons = copy.prepare(&format!("UPDATE outbox SET {ABANDONED}, detail = 'restored' WHERE id = ?1"))?;
        for (id, ..) in unsent.iter().filter(|(_, is_replay, session)| *is_replay || self.deleted.contains(session)) {
            abandons.execute([id])?;
        }
        Ok(())
    }
}

/// It shows that it may have been delivered, and a correction of it names it. A damaged count stays, and so does an attempt with that number.
fn may_have_been_delivered(copy: &Connection, delivery_id: &str, at: Option<i64>) -> Result<()> {
    let numbers = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let entry: Option<(i64, i64, i64)> = copy
        .prepare_cached(
            "UPDATE outbox SET attempts = attempts + 1, unknown_outcomes = unknown_outcomes + 1
              WHERE delivery_id = ?1 AND replay = 0 AND state <> 'sent' AND unknown_outcomes = 0 AND attempts < ?2
              RETURNING id, attempts, frozen_at",
        )?
        .query_row(params![delivery_id, LAST_NUMBER], numbers)
        .optional()?;
    let Some((entry, number, frozen_at)) = entry else { return Ok(()) };
    // When that was may be damaged, or not be known.
    let at = at.filter(|at| from_ms(*at).is_ok()).unwrap_or(frozen_at);
    copy.prepare_cached(
        "INSERT OR IGNORE INTO attempt (outbox_id, number, at, duration_ms, outcome, counted, unknown) VALUES (?1, ?2, ?3, 0, 'interrupted', 0, 1)",
    )?
    .execute([entry, number, at])?;
    Ok(())
}

/// An older schema has no age.
fn has_an_age(file: &Connection) -> Result<bool> {
    let sql = format!("SELECT 1 FROM meta WHERE id = 1 AND age BETWEEN 0 AND {LAST_AGE}");
    Ok(!has_column(file, "age", false)? || file.prepare(&sql)?.exists([])?)
}

/// Whether the one row of the file's own data has this column, which an older schema lacks.
pub(super) fn has_column(file: &Connection, column: &str, is_damaged: bool) -> Result<bool> {
    let sql = format!("SELECT 1 FROM pragma_table_info('meta') WHERE name = '{column}'");
    Ok(!Source { file, is_older: false, is_damaged }.rows(&sql, [], |_| Ok(()))?.is_empty())
}
