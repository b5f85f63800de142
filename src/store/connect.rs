//! Opens one connection to the file, with the settings that all of them have.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::pool::{Pool, Role, WaitLimit};
use super::{Result, StoreError, cleaning, files, reserve};

/// Large enough for all statements of the core, so that none is compiled twice.
const STATEMENT_CACHE: usize = 160;

/// `look` checks the file before anything is written to it. Without room for the WAL and its shared memory no connection can be opened: on a
/// full disk the reserve makes room for them.
pub(super) fn connect(
    path: &Path,
    role: Role,
    pool: &Arc<Pool>,
    wait_limit: WaitLimit,
    look: fn(&Connection) -> Result<()>,
) -> Result<Connection> {
    let open = |wait_limit| match open(path, role, pool, wait_limit, look) {
        // Many file systems need room for a new file itself, and SQLite does not tell why it cannot make one.
        Err(StoreError::CannotOpen(_)) if reserve::is_full(path) => Err(StoreError::Full),
        opened => opened,
    };
    let mut opened = open(wait_limit.clone());
    // What frees space later needs the other half.
    for release in [reserve::release_half, reserve::release] {
        if matches!(opened, Err(StoreError::Full)) && release(path) {
            opened = open(wait_limit.clone());
        }
    }
    opened
}

fn open(path: &Path, role: Role, pool: &Arc<Pool>, wait_limit: WaitLimit, look: fn(&Connection) -> Result<()>) -> Result<Connection> {
    let reader = role != Role::Writer;
    let found = files::identity(path);
    // While this waits for the lock, another process may put another file in the place of this one, or remove it. What is written to a file
    // without its name is lost, and its WAL would be taken for that of the new file. So it is where a restore is not finished: the file will
    // lose its name. That is looked at first: it may be finished meanwhile.
    let keeps_its_name = || {
        let keeps = !files::is_replaced(path) && files::identity(path) == found;
        if keeps { Ok(()) } else { Err(StoreError::Locked) }
    };
    // A reader of a WAL database writes its shared memory, so it is opened for writing too, with `query_only`.
    // Created by `files::prepare`, never by SQLite, which would let others read it.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_handler(Some(pool.handler(wait_limit)))?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    // An idle WAL connection holds file locks, and a checkpoint at the last close would take exclusive ones at the worst moment.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // A plan depends only on the statement, never on bound values; otherwise every use of a cached one would compile it again.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    if !reader {
        // SQLite opens the file read-only where it may not write; the first tap would be lost then.
        if connection.is_readonly(rusqlite::MAIN_DB)? {
            return Err(StoreError::CannotOpen("the file cannot be written".to_owned()));
        }
        // A file of another program must not change.
        look(&connection)?;
        keeps_its_name()?;
    }
    connection.execute_batch(
        "PRAGMA synchronous = FULL;            -- acknowledged is durable
         PRAGMA fullfsync = ON;                -- on Apple, plain fsync does not reach the flash
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA foreign_keys = ON;
         PRAGMA wal_autocheckpoint = 0;        -- `cleaning` makes checkpoints
         PRAGMA journal_size_limit = 1048576;
         PRAGMA mmap_size = 0;                 -- an I/O error is an error, not a signal
         PRAGMA temp_store = MEMORY;           -- Android has no temporary directory for SQLite
         PRAGMA cell_size_check = ON;",
    )?;
    if reader {
        // Takes the lock. Other errors are met again by the call: a look at damage reports them.
        match connection.query_row("PRAGMA user_version", [], |_| Ok(())) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => return Err(error.into()),
            Ok(()) if journal_mode(&connection, "PRAGMA journal_mode")? != "wal" => {
                look(&connection)?;
                keeps_its_name()?;
                use_wal(&connection)?;
            }
            _ => {}
        }
        connection.execute_batch("PRAGMA query_only = ON;")?;
    } else {
        pool.writers.fetch_add(1, Ordering::Relaxed);
        // Asking for the length would compile a statement at each commit.
        let tells = Arc::clone(pool);
        connection.wal_hook(Some(move |_: &mut Wal, pages| {
            tells.wal_pages.store(i64::from(pages), Ordering::Relaxed);
            Ok(())
        }))?;
        connection.execute_batch("PRAGMA secure_delete = ON")?;
        // It cannot be set once a page is written, and setting it writes one.
        if connection.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0))? == 0 {
            connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")?;
        }
        use_wal(&connection)?;
    }
    // From here on the lock keeps the file in its place.
    keeps_its_name()?;
    if !reader {
        pool.opened(path);
    }
    Ok(connection)
}

/// A connection keeps the lock on the file only with a WAL. A copy has none.
fn use_wal(connection: &Connection) -> Result<()> {
    if journal_mode(connection, "PRAGMA journal_mode")? != "wal" {
        // A copy, or a new one.
        cleaning::clean_all(connection).unwrap_or_else(|error| log::info!("pages of the copy are not cleaned: {error}"));
    }
    if journal_mode(connection, "PRAGMA journal_mode = WAL")? == "wal" {
        Ok(())
    } else {
        Err(StoreError::CannotOpen("write-ahead logging is not available for this file".to_owned()))
    }
}

fn journal_mode(connection: &Connection, pragma: &str) -> Result<String> {
    Ok(connection.query_row(pragma, [], |row| row.get(0))?)
}
