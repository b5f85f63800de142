//! The database file, with its two kinds of access: write transactions and read snapshots.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::meta::{self, Meta};
#[cfg(any(test, feature = "testing"))]
use super::pool::STOP_LIMIT;
use super::pool::{Lent, LockWait, Pool, Role, StopKind, Stopping, WaitLimit};
use super::rebuild::{self, RebuildOutcome, Rebuilt};
use super::{Result, StoreError, check, cleaning, connect::connect, error, files, migrate, reserve, restore, schema, search};

/// How long a call waits for others, of this process or of another one, before it fails with `Locked`.
const DEFAULT_WAIT: Duration = Duration::from_secs(5);

/// Two that are equal were taken of the same content of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChangeMark {
    /// The connection.
    writer: u64,
    /// Differs after each commit of another connection.
    others: i64,
    /// Rows that this connection has written, also those of transactions that were undone.
    own: u64,
    /// Differs after a transaction that was undone, also by its commit: a full disk is noticed only there.
    not_committed: u64,
}

/// What a transaction does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Writes,
    Reads,
    /// It reads what there is, also where that is damaged.
    Looks,
}

/// The database file and its connections.
pub(crate) struct Store {
    path: PathBuf,
    pool: Arc<Pool>,
    /// Something was deleted, and may still be in the file or the WAL.
    needs_cleaning: AtomicBool,
    /// The length of the WAL at the last checkpoint because of its length.
    long_wal: AtomicI64,
    /// What was rebuilt.
    rebuilt: Mutex<Rebuilt>,
    /// Write transactions that began and were not committed: the running one, and all that were undone.
    not_committed: AtomicU64,
    /// Write transactions that were committed: each costs an fsync.
    commits: AtomicU64,
    /// Looks at the whole file for damage.
    #[cfg(test)]
    looks: AtomicU64,
}

impl Store {
    /// Opens or creates the file and updates its schema. Also gives the row about the database, and the generation of the file: a reader would
    /// have to read the schema again for them.
    ///
    /// # Errors
    /// `Foreign`, `NewerSchema`, `Corrupt`, `CannotOpen`, `Locked`, `Full`. The file is never replaced.
    pub(crate) fn open(path: &Path, install_id: &dyn Fn() -> String) -> Result<(Self, Meta, i64)> {
        restore::finish(path, &|_| {})?;
        files::prepare(path)?;
        let pool = Arc::new(Pool::default());
        let mut connection = connect(path, Role::Writer, &pool, pool.wait_limit(DEFAULT_WAIT), migrate::look)?;
        migrate::migrate(&mut connection, install_id)?;
        // If another process has the file, the next one that opens it tries again.
        cleaning::rebuild(&connection).unwrap_or_else(|error| log::info!("the file is not rebuilt now: {error}"));
        search::keep_clean(&connection).unwrap_or_else(|error| log::info!("the search index is not changed now: {error}"));
        let meta = meta::load(&connection)?;
        // It may hold data that an earlier process deleted before it ended.
        let is_erased = !files::has_wal(path) || cleaning::erase(&connection).unwrap_or(false);
        let file = meta::file_generation(&connection)?;
        restore::forget_before(path, file);
        pool.keep(Role::Writer, connection);
        reserve::make(path);
        let store = Self {
            path: path.to_owned(),
            pool,
            needs_cleaning: AtomicBool::new(!is_erased),
            long_wal: AtomicI64::new(0),
            rebuilt: Mutex::default(),
            not_committed: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            #[cfg(test)]
            looks: Default::default(),
        };
        Ok((store, meta, file))
    }

    /// What the file looks like to this write transaction.
    pub(crate) fn mark(&self, tx: &Transaction<'_>) -> Result<ChangeMark> {
        Ok(ChangeMark {
            writer: self.pool.writers.load(Ordering::Relaxed),
            others: cleaning::writes_of_others(tx)?,
            own: tx.total_changes(),
            not_committed: self.not_committed.load(Ordering::Relaxed),
        })
    }

    /// Releases the space that was reserved for deletions, because the disk is full. False where there is none.
    pub(crate) fn make_room(&self) -> bool {
        reserve::release(&self.path)
    }

    /// Reserves space for a full disk again, where there is enough.
    pub(crate) fn keep_room(&self) {
        reserve::make(&self.path);
    }

    /// How many write transactions were committed since the store was opened.
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// How often the whole file was read to look for damage.
    #[cfg(test)]
    fn looks(&self) -> u64 {
        self.looks.load(Ordering::Relaxed)
    }

    /// Runs `work` in one `IMMEDIATE` transaction. It commits when `work` succeeds and leaves no trace when it fails or panics. Where it meets
    /// damage, what is derived and cannot be read is rebuilt, and `work` is done again from its beginning; so with every transaction here.
    pub(crate) fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnMut(&Transaction<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.write_within(DEFAULT_WAIT, work)
    }

    /// The same, but `Locked` after waiting this long.
    pub(crate) fn write_within<T, E: From<StoreError>>(
        &self,
        wait_limit: Duration,
        work: impl FnMut(&Transaction<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.write_with(self.pool.wait_limit(wait_limit), work)
    }

    /// The same, for delivery: `Locked` while the store is quiesced, when only new calls of the app may use the file.
    pub(crate) fn write_for_delivery<T, E: From<StoreError>>(
        &self,
        wait: impl Into<LockWait>,
        work: impl FnMut(&Transaction<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let LockWait { limit, cancelled } = wait.into();
        self.write_with(self.pool.wait_limit(limit).only_while_open(cancelled), work)
    }

    /// The same, for one of several transactions of a call. `stops` is the value of [`stops`](Self::stops) when the call began: once it has
    /// risen, the rest of the call is `Locked`.
    pub(crate) fn write_part<T, E: From<StoreError>>(
        &self,
        stops: Option<u64>,
        work: impl FnMut(&Transaction<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.write_part_within(stops, DEFAULT_WAIT, work)
    }

    /// The same, waiting no longer than this.
    pub(crate) fn write_part_within<T, E: From<StoreError>>(
        &self,
        stops: Option<u64>,
        wait_limit: Duration,
        work: impl FnMut(&Transaction<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let wait_limit = self.pool.wait_limit(wait_limit);
        let wait_limit = match stops {
            Some(stops) => wait_limit.since(stops),
            None => wait_limit,
        };
        self.write_with(wait_limit, work)
    }

    fn write_with<T, E: From<StoreError>>(
        &self,
        wait_limit: WaitLimit,
        work: impl FnMut(&Transaction<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.transaction(Role::Writer, Access::Writes, wait_limit, work)
    }

    /// One transaction, of any kind.
    fn transaction<T, E: From<StoreError>>(
        &self,
        role: Role,
        access: Access,
        mut wait_limit: WaitLimit,
        mut work: impl FnMut(&Transaction<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let mut done = None;
        self.run(role, access, &mut wait_limit, &mut |tx| {
            let result = work(tx);
            let is_done = result.is_ok();
            done = Some(result);
            is_done
        })?;
        done.unwrap_or_else(|| Err(StoreError::Locked.into()))
    }

    /// What every transaction has in common, compiled once.
    fn run(&self, role: Role, access: Access, wait_limit: &mut WaitLimit, work: &mut dyn FnMut(&Transaction<'_>) -> bool) -> Result<()> {
        let times = self.rebuilt().times;
        error::met_damage();
        if self.run_once(role, access, wait_limit, Some(times).filter(|_| access != Access::Looks), work)? {
            self.rebuild_for(Some(times), wait_limit).unwrap_or_else(|error| log::info!("nothing is rebuilt now: {error}"));
            self.run_once(role, access, wait_limit, None, work)?;
        }
        Ok(())
    }

    /// True: it met damage, and did nothing, because something may have to be rebuilt first. `times` says how often that was done when this
    /// began; None: it does what it can.
    fn run_once(
        &self,
        role: Role,
        access: Access,
        wait_limit: &mut WaitLimit,
        times: Option<u64>,
        work: &mut dyn FnMut(&Transaction<'_>) -> bool,
    ) -> Result<bool> {
        let ends = || times.is_some_and(|times| error::met_damage() && self.rebuilt().may_help(times));
        let mut lent = self.lend(role, wait_limit)?;
        let writes = access == Access::Writes;
        let behavior = if writes { TransactionBehavior::Immediate } else { TransactionBehavior::Deferred };
        let transaction = lent.connection().transaction_with_behavior(behavior)?;
        if writes {
            self.not_committed.fetch_add(1, Ordering::Relaxed);
            // A newer release may have changed the schema, and its rules, while this one had the file open.
            migrate::check_version(schema::version(&transaction)?)?;
        }
        let is_done = work(&transaction);
        if ends() {
            return Ok(true);
        }
        if !writes || !is_done {
            return Ok(false);
        }
        if !self.pool.may_commit(wait_limit) {
            return Err(StoreError::Locked);
        }
        if let Err(error) = transaction.commit() {
            // FTS5 reads and writes some of its pages only now.
            return if ends() { Ok(true) } else { Err(error.into()) };
        }
        self.not_committed.fetch_sub(1, Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Relaxed);
        if self.pool.has_lost_side_files() {
            log::warn!("the WAL was removed or replaced while it is in use");
            match cleaning::empty_wal(lent.connection()) {
                Ok(is_empty) if is_empty => self.needs_cleaning.store(false, Ordering::Relaxed),
                done => log::warn!("what was written is only in the old WAL: {:?}", done.err()),
            }
        } else if self.needs_cleaning.load(Ordering::Relaxed) {
            self.erase_with(lent.connection());
        } else if let Err(error) =
            cleaning::checkpoint_if_long(lent.connection(), self.pool.wal_pages.load(Ordering::Relaxed), &self.long_wal)
        {
            log::info!("no checkpoint now: {error}");
        }
        Ok(false)
    }

    /// Rebuilds what is derived and cannot be read, however lately that was tried.
    pub(crate) fn rebuild(&self) {
        self.rebuild_for(None, &mut self.pool.wait_limit(DEFAULT_WAIT))
            .unwrap_or_else(|error| log::info!("nothing is rebuilt now: {error}"));
    }

    /// The same for a transaction, unless another call did it since that began: then it was done more often than `times`.
    fn rebuild_for(&self, times: Option<u64>, wait_limit: &mut WaitLimit) -> Result<()> {
        let mut has_looked = false;
        let made = self.look_and_rebuild(times, wait_limit, &mut has_looked);
        if made.is_err() && has_looked {
            self.rebuilt().failed();
        }
        made
    }

    fn look_and_rebuild(&self, times: Option<u64>, wait_limit: &mut WaitLimit, has_looked: &mut bool) -> Result<()> {
        let mut stay = Vec::new();
        loop {
            // The whole file is read before the writer is taken: other calls do not wait for that.
            let look = {
                let mut lent = self.lend(Role::LongReader, wait_limit)?;
                if times.is_some_and(|times| self.rebuilt().times > times) {
                    return Ok(());
                }
                *has_looked = true;
                #[cfg(test)]
                self.looks.fetch_add(1, Ordering::Relaxed);
                check::look(lent.connection(), &stay, times.is_none())?
            };
            let mut lent = self.lend(Role::Writer, wait_limit)?;
            if times.is_some_and(|times| self.rebuilt().times > times) {
                return Ok(());
            }
            let made = rebuild::rebuild(lent.connection(), &look, &stay, &|| self.pool.may_commit(wait_limit))?;
            if let RebuildOutcome::Without(name) = made {
                stay.push(name);
                continue;
            }
            self.rebuilt().looked(made == RebuildOutcome::Yes);
            if made == RebuildOutcome::Yes {
                // What was emptied may have held deleted texts.
                self.erase_with(lent.connection());
            }
            return Ok(());
        }
    }

    fn rebuilt(&self) -> MutexGuard<'_, Rebuilt> {
        self.rebuilt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes everything that was deleted from the file and its WAL, unless another call reads or writes: then the next write tries again, and
    /// so do closing and opening the file. Says whether nothing is left, also in the copies beside it that are kept until it is opened. `stops`
    /// is that of [`write_part`](Self::write_part).
    pub(crate) fn erase(&self, stops: u64) -> bool {
        self.needs_cleaning.store(true, Ordering::Relaxed);
        match self.lend(Role::Writer, &mut self.pool.wait_limit(Duration::ZERO).since(stops)) {
            Ok(mut lent) => self.erase_with(lent.connection()) && !files::has_copy(&self.path),
            Err(_) => false,
        }
    }

    fn erase_with(&self, connection: &Connection) -> bool {
        let is_erased = cleaning::erase(connection).unwrap_or(false);
        self.needs_cleaning.store(!is_erased, Ordering::Relaxed);
        is_erased
    }

    /// Runs `work` on one snapshot of the database.
    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnMut(&Connection) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.read_within(DEFAULT_WAIT, work)
    }

    /// The same, but `Locked` after waiting this long.
    pub(crate) fn read_within<T, E: From<StoreError>>(
        &self,
        wait_limit: Duration,
        work: impl FnMut(&Connection) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.read_with(Role::Reader, self.pool.wait_limit(wait_limit), work)
    }

    /// The same on the writer's connection. Opening a file rebuilds nothing: the first call does that needs it.
    pub(crate) fn read_at_open<T, E: From<StoreError>>(
        &self,
        mut work: impl FnMut(&Connection) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.transaction(Role::Writer, Access::Looks, self.pool.wait_limit(DEFAULT_WAIT), |tx| work(tx))
    }

    /// The same for a call that reads the whole database: on its own connection, so that screens do not wait for it.
    pub(crate) fn read_long<T, E: From<StoreError>>(
        &self,
        work: impl FnMut(&Connection) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.read_with(Role::LongReader, self.pool.wait_limit(DEFAULT_WAIT), work)
    }

    /// The same for a look at damage, which rebuilds nothing.
    pub(crate) fn read_damaged<T, E: From<StoreError>>(
        &self,
        mut work: impl FnMut(&Connection) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.transaction(Role::LongReader, Access::Looks, self.pool.wait_limit(DEFAULT_WAIT), |tx| work(tx))
    }

    /// The same for the rest of a call, as [`write_part`](Self::write_part).
    pub(crate) fn read_part<T, E: From<StoreError>>(
        &self,
        stops: u64,
        work: impl FnMut(&Connection) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.read_with(Role::Reader, self.pool.wait_limit(DEFAULT_WAIT).since(stops), work)
    }

    /// The same, for delivery: `Locked` while the store is quiesced.
    pub(crate) fn read_for_delivery<T, E: From<StoreError>>(
        &self,
        wait: impl Into<LockWait>,
        work: impl FnMut(&Connection) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let LockWait { limit, cancelled } = wait.into();
        self.read_with(Role::Reader, self.pool.wait_limit(limit).only_while_open(cancelled), work)
    }

    fn read_with<T, E: From<StoreError>>(
        &self,
        role: Role,
        wait_limit: WaitLimit,
        mut work: impl FnMut(&Connection) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.transaction(role, Access::Reads, wait_limit, |tx| work(tx))
    }

    /// Closes every connection without a checkpoint, so that no file lock remains. Calls that wait for another process end at once with
    /// `Locked`; calls that run or wait for a connection get time to end, and are then interrupted, within two seconds. Until `resume`, a call
    /// opens its own connection, does not wait for another process, and closes it before it returns; nothing else uses the file.
    #[cfg(test)]
    pub(crate) fn quiesce(&self) {
        self.finish_quiesce(self.begin_quiesce(), STOP_LIMIT);
    }

    /// The first half of quiescing, which does not wait: from here on waiting calls end.
    pub(crate) fn begin_quiesce(&self) -> Stopping {
        self.pool.begin_stop(StopKind::Quiesce)
    }

    /// The second half: waits for running calls, at most this time, and closes every connection.
    pub(crate) fn finish_quiesce(&self, stopping: Stopping, within: Duration) {
        self.pool.finish_stop(stopping, within, || None);
    }

    /// How often the store was stopped (quiesced or closed). A long call ends when this has risen.
    pub(crate) fn stops(&self) -> u64 {
        self.pool.stops()
    }

    /// Lets connections stay open again.
    pub(crate) fn resume(&self) {
        self.pool.resume();
    }

    /// The file will be closed once running calls have ended; from here on none of them waits for another process.
    pub(crate) fn begin_close(&self) {
        self.pool.begin_close();
    }

    /// Closes the file like `quiesce`, but for good: later calls are `Locked`. If no other process has it open, SQLite makes a checkpoint, so
    /// that the one file is the whole database; not when the store was quiesced before.
    #[cfg(test)]
    pub(crate) fn close(&self) {
        self.close_within(STOP_LIMIT);
    }

    /// The same within a shorter time.
    pub(crate) fn close_within(&self, within: Duration) {
        self.pool.finish_stop(self.pool.begin_stop(StopKind::Close), within, || self.last());
    }

    /// Leaves the file like the end of the process.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn kill(&self) {
        self.pool.finish_stop(self.pool.begin_stop(StopKind::Kill), STOP_LIMIT, || None);
    }

    /// A connection for a checkpoint: the WAL may be left from before the store was quiesced, and nothing was open since.
    fn last(&self) -> Option<Connection> {
        let log = files::beside(&self.path, "-wal");
        log.exists().then(|| self.connect(Role::Writer, self.pool.wait_limit(Duration::ZERO)).ok()).flatten()
    }

    /// The canonical path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn lend(&self, role: Role, wait_limit: &mut WaitLimit) -> Result<Lent> {
        self.pool.lend(role, wait_limit, |wait_limit| self.connect(role, wait_limit))
    }

    fn connect(&self, role: Role, wait_limit: WaitLimit) -> Result<Connection> {
        // A process was killed while it restored. Nothing was open then, also here.
        restore::finish(&self.path, &|_| {})?;
        connect(&self.path, role, &self.pool, wait_limit, migrate::check_identity)
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
