//! The one row about the database itself.

use rusqlite::params;

use super::row::to_ms;
use super::{Connection, Result, Transaction, cleaning, set_back};
use crate::crypto::Sha256;
use crate::model::Timestamp;

/// How much wall time passes before the age is carried forward, and how much of it counts at most, in milliseconds.
const AGE_STEP: i64 = 3_600_000;
const LONGEST_AGE_STEP: i64 = 7 * 86_400_000;

/// The row.
pub(crate) struct Meta {
    pub(crate) install_id: String,
    pub(crate) revision: u64,
    pub(crate) integration_enabled: bool,
    /// Rises with every change of endpoints, of the integration or of secrets, and with every abandoned message: earlier decisions are then
    /// checked again. Its upper half counts the changes of secrets: see [`secrets_generation`].
    pub(crate) configuration: u64,
}

pub(crate) fn load(connection: &Connection) -> Result<Meta> {
    let mut statement =
        connection.prepare_cached("SELECT install_id, revision, integration_enabled, configuration FROM meta WHERE id = 1")?;
    Ok(statement.query_row([], |row| {
        Ok(Meta {
            install_id: row.get(0)?,
            revision: row.get::<_, i64>(1)? as u64,
            integration_enabled: row.get(2)?,
            configuration: row.get::<_, i64>(3)? as u64,
        })
    })?)
}

/// Counts a change for observers, in the transaction that makes it.
pub(crate) fn next_revision(tx: &Transaction<'_>) -> Result<u64> {
    // In two statements: one that returns a row keeps a copy of the page, in case it fails.
    tx.prepare_cached("UPDATE meta SET revision = revision + 1 WHERE id = 1")?.execute([])?;
    let revision: i64 = tx.prepare_cached("SELECT revision FROM meta WHERE id = 1")?.query_row([], |row| row.get(0))?;
    Ok(revision as u64)
}

/// Whether there is a series to number actions in.
pub(crate) fn has_series(connection: &Connection) -> Result<bool> {
    Ok(connection.prepare_cached("SELECT series IS NOT NULL FROM meta WHERE id = 1")?.query_row([], |row| row.get(0))?)
}

/// Begins a series where there is none.
pub(crate) fn begin_series(tx: &Transaction<'_>, series: &str) -> Result<()> {
    tx.execute("UPDATE meta SET series = ?1 WHERE id = 1", [series])?;
    Ok(())
}

/// Ends the series: the next number begins another one.
pub(super) fn end_series(connection: &Connection) -> Result<()> {
    connection.execute("UPDATE meta SET series = NULL WHERE id = 1", [])?;
    Ok(())
}

/// Whether the file was last opened on the device with this hash.
pub(crate) fn is_on_device(connection: &Connection, device: Sha256) -> Result<bool> {
    Ok(connection.query_row("SELECT device IS ?1 FROM meta WHERE id = 1", [device.0], |row| row.get(0))?)
}

/// Keeps the device that opened the file. If it was another one, the series ends.
pub(crate) fn set_device(tx: &Transaction<'_>, device: Sha256) -> Result<()> {
    tx.execute("UPDATE meta SET series = iif(device IS NULL, series, NULL), device = ?1 WHERE id = 1 AND device IS NOT ?1", [device.0])?;
    Ok(())
}

/// Makes delivery check earlier decisions again, in the transaction that is the reason.
pub(crate) fn next_configuration(tx: &Transaction<'_>) -> Result<()> {
    tx.prepare_cached("UPDATE meta SET configuration = configuration + 1 WHERE id = 1")?.execute([])?;
    Ok(())
}

/// The same for a change of secrets.
pub(crate) fn next_secrets(tx: &Transaction<'_>) -> Result<()> {
    tx.prepare_cached("UPDATE meta SET configuration = ((configuration >> 32) + 1) << 32 WHERE id = 1")?.execute([])?;
    Ok(())
}

/// The generation of the secrets within that of the configuration.
pub(crate) fn secrets_generation(configuration: u64) -> u64 {
    configuration >> 32
}

/// Changes when another file has replaced the database under its connections.
pub(crate) fn file_generation(connection: &Connection) -> Result<i64> {
    // SQLite raises it with every change of the schema, which does not happen while the database is open, and when a copy is written over it.
    Ok(connection.prepare_cached("PRAGMA schema_version")?.query_row([], |row| row.get(0))?)
}

/// Sets it in a file that nobody else has.
pub(super) fn set_file_generation(connection: &Connection, generation: i64) -> Result<()> {
    cleaning::without_defensive_mode(connection, || Ok(connection.pragma_update(None, "schema_version", generation)?))
}

pub(crate) fn set_integration_enabled(tx: &Transaction<'_>, enabled: bool) -> Result<()> {
    tx.execute(
        "UPDATE meta SET integration_enabled = ?1, integration_was_enabled = max(integration_was_enabled, ?1), configuration = configuration + 1
          WHERE id = 1",
        [enabled],
    )?;
    Ok(())
}

/// Carries the age of the database forward when an hour has passed since the last time, in the next transaction. A clock that was set back adds
/// nothing, and one that was set far ahead adds a week. Times too far ahead of a clock that was set back are over, and that is recorded: they
/// must not count again when the clock approaches them.
pub(crate) fn carry_age(tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
    let is_set_back = set_back::is_seen(tx, now)?;
    if is_set_back {
        set_back::write_down(tx, now)?;
    } else if !is_age_due(tx, now)? {
        return Ok(());
    }
    tx.prepare_cached(
        "UPDATE meta SET age = age + max(0, min(?1 - ifnull(age_at, ?1), ?3)), age_at = ?1
          WHERE id = 1 AND (age_at IS NULL OR ?1 < age_at OR ?1 - age_at >= ?2)",
    )?
    .execute(params![to_ms(now), AGE_STEP, LONGEST_AGE_STEP])?;
    Ok(())
}

/// Whether the next write has to carry the age forward.
pub(crate) fn is_age_due(connection: &Connection, now: Timestamp) -> Result<bool> {
    let mut statement = connection.prepare_cached("SELECT age_at IS NULL OR ?1 < age_at OR ?1 - age_at >= ?2 FROM meta WHERE id = 1")?;
    Ok(statement.query_row(params![to_ms(now), AGE_STEP], |row| row.get(0))?)
}

/// The age of the database in milliseconds: the time of finishing and sending, from which retention is counted.
pub(crate) fn age(connection: &Connection) -> Result<i64> {
    Ok(connection.prepare_cached("SELECT age FROM meta WHERE id = 1")?.query_row([], |row| row.get(0))?)
}
