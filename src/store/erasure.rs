//! Leaving nothing of what was deleted.
//!
//! SQLite overwrites what is deleted (`secure_delete`). What is left then is in pages that nothing uses, which are given back, and in the
//! log, which keeps older pages until it is cut off.

use rusqlite::config::DbConfig;

use super::{Connection, Result, Transaction};

/// Gives back the pages that nothing uses, so that the file shrinks.
pub(crate) fn shrink(tx: &Transaction<'_>) -> Result<()> {
    let mut statement = tx.prepare_cached("PRAGMA incremental_vacuum")?;
    let mut rows = statement.query([])?;
    // Each step gives one page back.
    while rows.next()?.is_some() {}
    Ok(())
}

/// Folds the log into the file and cuts it off; says whether that was done. Not while somebody else reads or writes, and it waits for nobody.
pub(super) fn cut_log(connection: &Connection) -> Result<bool> {
    connection.busy_timeout(std::time::Duration::ZERO)?;
    let is_busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(!is_busy)
}

/// Writes a file anew that was made before files could shrink. It is the old one or the new one, whatever happens meanwhile.
pub(super) fn rebuild(connection: &Connection) -> Result<()> {
    let shrinks: u32 = connection.query_row("PRAGMA auto_vacuum", [], |row| row.get(0))?;
    if shrinks == 0 {
        connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")?;
    }
    Ok(())
}

/// Closes a connection and lets SQLite fold its log into the file, if nobody else has it open. Waits for nobody; where it fails, the log
/// stays, which is as good.
pub(super) fn fold(connection: Connection) {
    let _ = cut_log(&connection);
    let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
}
