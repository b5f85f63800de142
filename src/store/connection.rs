//! Connections: who may use one, and when none may be open.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, InterruptHandle, OpenFlags, Transaction, TransactionBehavior};

use super::{Result, StoreError, migrate};

/// Screens read while the writer works; more than two at once do not get faster on a phone.
const MAX_READERS: usize = 2;
/// How long SQLite waits for another process before a call fails with `Locked`.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// All statements of the core fit, so that none is compiled twice.
const STATEMENT_CACHE: usize = 160;
/// Quiescing waits this long for running calls, then interrupts them: two seconds in all.
const QUIESCE_PATIENCE: Duration = Duration::from_millis(1_000);
const QUIESCE_LIMIT: Duration = Duration::from_millis(1_900);

/// The database file and its connections.
pub(crate) struct Store {
    path: PathBuf,
    pool: Mutex<Pool>,
    returned: Condvar,
    /// Write transactions that were committed: each costs an fsync.
    #[cfg(test)]
    commits: std::sync::atomic::AtomicU64,
}

#[derive(Default)]
struct Pool {
    quiesced: bool,
    writer: Slot,
    readers: Vec<Connection>,
    readers_out: Vec<Arc<InterruptHandle>>,
}

#[derive(Default)]
enum Slot {
    #[default]
    Closed,
    Idle(Connection),
    InUse(Option<Arc<InterruptHandle>>),
}

impl Store {
    /// Opens or creates the file and brings its schema up to date.
    ///
    /// # Errors
    /// `Foreign`, `NewerSchema`, `Corrupt`, `CannotOpen`, `Locked`, `Full`. The file is never replaced.
    pub(crate) fn open(path: &Path, install_id: &dyn Fn() -> String) -> Result<Self> {
        let mut connection = connect(path, false)?;
        migrate::migrate(&mut connection, install_id)?;
        let pool = Pool { writer: Slot::Idle(connection), ..Pool::default() };
        Ok(Self {
            path: path.to_owned(),
            pool: Mutex::new(pool),
            returned: Condvar::new(),
            #[cfg(test)]
            commits: Default::default(),
        })
    }

    /// How many write transactions were committed since the store was opened.
    #[cfg(test)]
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Runs `work` in one `IMMEDIATE` transaction. It commits when `work` succeeds and leaves no trace when it fails or panics.
    pub(crate) fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let mut lent = self.lend_writer()?;
        let transaction = lent.connection().transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::from)?;
        let result = work(&transaction)?;
        transaction.commit().map_err(StoreError::from)?;
        #[cfg(test)]
        self.commits.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(result)
    }

    /// Runs `work` on one snapshot of the database.
    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Connection) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let mut lent = self.lend_reader()?;
        let transaction = lent.connection().transaction_with_behavior(TransactionBehavior::Deferred).map_err(StoreError::from)?;
        work(&transaction)
    }

    /// Closes every connection without a checkpoint, so that no file lock is left. Calls that run are waited for, then interrupted.
    /// Until `resume`, a call opens a connection of its own and closes it before it returns.
    pub(crate) fn quiesce(&self) {
        let began = Instant::now();
        let mut pool = self.pool();
        pool.quiesced = true;
        if let Slot::Idle(_) = pool.writer {
            pool.writer = Slot::Closed;
        }
        pool.readers.clear();
        let mut interrupted = false;
        while pool.is_lent() && began.elapsed() < QUIESCE_LIMIT {
            if began.elapsed() >= QUIESCE_PATIENCE && !interrupted {
                interrupted = true;
                pool.interrupt();
            }
            let patience = if interrupted { QUIESCE_LIMIT } else { QUIESCE_PATIENCE };
            let wait = patience.saturating_sub(began.elapsed());
            pool = self.returned.wait_timeout(pool, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lets connections stay open again.
    pub(crate) fn resume(&self) {
        self.pool().quiesced = false;
    }

    /// The canonical path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        // A panic while the pool is locked cannot leave it half-changed: every change below is a single assignment.
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lend_writer(&self) -> Result<Lent<'_>> {
        let mut pool = self.pool();
        while let Slot::InUse(_) = pool.writer {
            pool = self.returned.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
        let idle = match std::mem::replace(&mut pool.writer, Slot::InUse(None)) {
            Slot::Idle(connection) => Some(connection),
            Slot::Closed | Slot::InUse(_) => None,
        };
        drop(pool);
        // From here on a failure has to give the slot back, which the guard does.
        let mut lent = Lent { store: self, connection: idle, interrupt: None };
        if lent.connection.is_none() {
            lent.connection = Some(connect(&self.path, false)?);
        }
        let interrupt = Arc::new(lent.connection().get_interrupt_handle());
        self.pool().writer = Slot::InUse(Some(interrupt));
        Ok(lent)
    }

    fn lend_reader(&self) -> Result<Lent<'_>> {
        let mut pool = self.pool();
        while pool.readers_out.len() >= MAX_READERS {
            pool = self.returned.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
        let connection = match pool.readers.pop() {
            Some(connection) => connection,
            None => connect(&self.path, true)?,
        };
        let interrupt = Arc::new(connection.get_interrupt_handle());
        pool.readers_out.push(Arc::clone(&interrupt));
        drop(pool);
        Ok(Lent { store: self, connection: Some(connection), interrupt: Some(interrupt) })
    }
}

impl Pool {
    fn is_lent(&self) -> bool {
        matches!(self.writer, Slot::InUse(_)) || !self.readers_out.is_empty()
    }

    fn interrupt(&self) {
        if let Slot::InUse(Some(writer)) = &self.writer {
            writer.interrupt();
        }
        for reader in &self.readers_out {
            reader.interrupt();
        }
    }
}

/// A connection in use; goes back when dropped, or is closed when the store is quiesced.
struct Lent<'a> {
    store: &'a Store,
    connection: Option<Connection>,
    /// Of a reader: its entry among those that are out.
    interrupt: Option<Arc<InterruptHandle>>,
}

impl Lent<'_> {
    fn connection(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("a lent connection is there until it is dropped")
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut pool = self.store.pool();
        let keep = if pool.quiesced { None } else { self.connection.take() };
        if pool.quiesced {
            // Closing may take a moment, and it must be over before anyone is told.
            self.connection = None;
        }
        match &self.interrupt {
            Some(interrupt) => {
                pool.readers_out.retain(|out| !Arc::ptr_eq(out, interrupt));
                pool.readers.extend(keep);
            }
            None => pool.writer = keep.map_or(Slot::Closed, Slot::Idle),
        }
        drop(pool);
        self.store.returned.notify_all();
    }
}

fn connect(path: &Path, reader: bool) -> Result<Connection> {
    // A reader of a WAL database writes its shared memory, so it is opened for writing too, and kept from it by `query_only`.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let flags = if reader { flags } else { flags | OpenFlags::SQLITE_OPEN_CREATE };
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    // An idle WAL connection holds file locks, and a checkpoint at the last close would take exclusive ones at the worst moment.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    if !reader {
        // SQLite falls back to reading alone where it may not write; the first tap would be lost then.
        if connection.is_readonly(rusqlite::MAIN_DB)? {
            return Err(StoreError::CannotOpen("the file cannot be written".to_owned()));
        }
        // Looks before anything is written: a file of something else stays as it is.
        migrate::check_identity(&connection)?;
    }
    connection.execute_batch(
        "PRAGMA synchronous = FULL;            -- acknowledged is durable
         PRAGMA fullfsync = ON;                -- on Apple, plain fsync does not reach the flash
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA foreign_keys = ON;
         PRAGMA wal_autocheckpoint = 200;      -- small, frequent checkpoints: no long stall
         PRAGMA journal_size_limit = 1048576;
         PRAGMA mmap_size = 0;                 -- an I/O error is an error, not a signal
         PRAGMA temp_store = MEMORY;           -- Android has no temporary directory for SQLite
         PRAGMA cell_size_check = ON;",
    )?;
    if reader {
        connection.execute_batch("PRAGMA query_only = ON;")?;
    } else {
        let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(StoreError::CannotOpen("write-ahead logging is not available for this file".to_owned()));
        }
    }
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("compass.db");
        let store = Store::open(&path, &|| "install".to_owned()).unwrap();
        (folder, store)
    }

    fn pragma(store: &Store, name: &str) -> i64 {
        store.write::<_, StoreError>(|tx| Ok(tx.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))?)).unwrap()
    }

    #[test]
    fn settings_are_what_durability_needs() {
        let (_folder, store) = store();
        assert_eq!(pragma(&store, "synchronous"), 2);
        assert_eq!(pragma(&store, "fullfsync"), 1);
        assert_eq!(pragma(&store, "checkpoint_fullfsync"), 1);
        assert_eq!(pragma(&store, "foreign_keys"), 1);
        assert!(rusqlite::version_number() >= 3_051_003, "older versions can corrupt a WAL that two processes reset");
    }

    #[test]
    fn a_failed_write_leaves_no_trace_and_the_writer_free() {
        let (_folder, store) = store();
        let failed = store.write::<(), StoreError>(|tx| {
            tx.execute("UPDATE meta SET revision = 7", [])?;
            Err(StoreError::Full)
        });
        assert!(matches!(failed, Err(StoreError::Full)));
        assert_eq!(pragma(&store, "user_version"), 1);
        let revision: i64 = store.read::<_, StoreError>(|c| Ok(c.query_row("SELECT revision FROM meta", [], |row| row.get(0))?)).unwrap();
        assert_eq!(revision, 0);
    }

    #[test]
    fn a_reader_cannot_write() {
        let (_folder, store) = store();
        let written = store.read::<_, StoreError>(|c| Ok(c.execute("UPDATE meta SET revision = 7", [])?));
        assert!(written.is_err());
    }

    #[test]
    fn a_quiesced_store_still_answers_and_keeps_nothing_open() {
        let (_folder, store) = store();
        store.quiesce();
        assert_eq!(pragma(&store, "user_version"), 1);
        let pool = store.pool();
        assert!(matches!(pool.writer, Slot::Closed));
        assert!(pool.readers.is_empty() && pool.readers_out.is_empty());
    }
}
