//! Durability, waiting for others, and stopping.

use std::sync::Barrier;
use std::time::Instant;

use super::*;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("compass.db");
    let (store, ..) = Store::open(&path, &|| "install".to_owned()).unwrap();
    (folder, store)
}

fn pragma(store: &Store, name: &str) -> i64 {
    store.write::<_, StoreError>(|tx| Ok(tx.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))?)).unwrap()
}

fn revision(store: &Store) -> i64 {
    store.read::<_, StoreError>(|c| Ok(c.query_row("SELECT revision FROM meta", [], |row| row.get(0))?)).unwrap()
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
fn a_statement_is_compiled_once_for_any_number_of_runs() {
    let (_folder, store) = store();
    // One whose plan might differ for other values, and is still kept.
    let path = "SELECT number FROM visit WHERE session_id = ?1 AND superseded = 0 ORDER BY number";
    for id in 0..3_i64 {
        let compiled = store.write::<_, StoreError>(|tx| {
            let mut statement = tx.prepare_cached(path)?;
            assert!(statement.query([id])?.next()?.is_none());
            Ok(statement.get_status(rusqlite::StatementStatus::RePrepare))
        });
        assert_eq!(compiled.unwrap(), 0, "use {id}");
    }
}

#[test]
fn a_failed_write_leaves_no_trace_and_the_writer_free() {
    let (_folder, store) = store();
    let failed = store.write::<(), StoreError>(|tx| {
        tx.execute("UPDATE meta SET revision = 7", [])?;
        Err(StoreError::Full)
    });
    assert!(matches!(failed, Err(StoreError::Full)));
    assert_eq!(pragma(&store, "user_version"), i64::from(migrate::newest()));
    assert_eq!(revision(&store), 0);
}

#[test]
fn a_connection_that_did_not_roll_back_is_closed_and_not_used_again() {
    let (_folder, store) = store();
    let mut lent = store.lend(Role::Writer, &mut store.pool.wait_limit(DEFAULT_WAIT)).unwrap();
    lent.connection().execute_batch("BEGIN IMMEDIATE; UPDATE meta SET revision = 7").unwrap();
    drop(lent);
    assert_eq!(store.pool.open(), 0);
    assert_eq!(pragma(&store, "user_version"), i64::from(migrate::newest()));
    assert_eq!(revision(&store), 0);
}

#[test]
fn a_reader_cannot_write() {
    let (_folder, store) = store();
    let written = store.read::<_, StoreError>(|c| Ok(c.execute("UPDATE meta SET revision = 7", [])?));
    assert!(written.is_err());
}

#[test]
fn a_schema_that_became_newer_meanwhile_is_not_written_to() {
    let (_folder, store) = store();
    let other = other(&store);
    let newest = migrate::newest();
    other.pragma_update(None, "user_version", newest + 1).unwrap();
    let written = bump(&store);
    assert!(matches!(written, Err(StoreError::NewerSchema { found, known }) if found == newest + 1 && known == newest), "{written:?}");
    assert_eq!(revision(&store), 0, "its data can still be read");
    other.pragma_update(None, "user_version", newest).unwrap();
    bump(&store).unwrap();
}

// Waiting -------------------------------------------------------------------------------------------------------------------------

/// A connection like one of another process.
fn other(store: &Store) -> Connection {
    Connection::open(store.path()).unwrap()
}

/// One that keeps all others from writing.
fn other_that_writes(store: &Store) -> Connection {
    let other = other(store);
    other.execute_batch("BEGIN IMMEDIATE; UPDATE meta SET revision = revision").unwrap();
    other
}

fn bump(store: &Store) -> Result<usize> {
    store.write(|tx| Ok(tx.execute("UPDATE meta SET revision = revision + 1", [])?))
}

/// Waits until the store waits for a lock of another connection.
fn until_it_waits(store: &Store) {
    let before = store.pool.retries();
    while store.pool.retries() == before {
        std::thread::yield_now();
    }
}

fn log(store: &Store) -> PathBuf {
    PathBuf::from(format!("{}-wal", store.path().display()))
}

#[test]
fn a_call_waits_until_another_process_is_done() {
    let (_folder, store) = store();
    let other = other_that_writes(&store);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| bump(&store));
        until_it_waits(&store);
        other.execute_batch("COMMIT").unwrap();
        waiting.join().unwrap().unwrap();
    });
    assert_eq!(revision(&store), 1);
}

#[test]
fn a_call_waits_no_longer_than_it_may() {
    let (_folder, store) = store();
    let began = Instant::now();
    let short = Duration::from_millis(50);
    let nothing = |_: &Transaction<'_>| Ok::<_, StoreError>(());
    {
        let _other = other_that_writes(&store);
        assert!(matches!(store.write_within(short, nothing), Err(StoreError::Locked)));
        assert!(matches!(store.write_within(Duration::ZERO, nothing), Err(StoreError::Locked)));
    }
    store.write_within(Duration::ZERO, nothing).unwrap();
    store.write_within(Duration::MAX, nothing).unwrap();
    // Of this process, too: the writer is lent, then both readers.
    store
        .write::<_, StoreError>(|_| {
            assert!(matches!(store.write_within(short, nothing), Err(StoreError::Locked)));
            store.read::<_, StoreError>(|_| {
                store.read::<_, StoreError>(|_| {
                    assert!(matches!(store.read_within(short, |_| Ok::<_, StoreError>(())), Err(StoreError::Locked)));
                    Ok(())
                })
            })
        })
        .unwrap();
    assert!(began.elapsed() < DEFAULT_WAIT, "none of them waited as long as a normal call: {:?}", began.elapsed());
}

#[test]
fn a_waiting_call_ends_at_once_when_the_store_is_quiesced_or_closed() {
    for stop in [Store::quiesce, Store::close] {
        let (_folder, store) = store();
        let other = other_that_writes(&store);
        let began = Instant::now();
        std::thread::scope(|scope| {
            // One waits for the other process, one for the writer that this one has.
            let waiting = [scope.spawn(|| bump(&store)), scope.spawn(|| bump(&store))];
            until_it_waits(&store);
            stop(&store);
            for call in waiting {
                assert!(matches!(call.join().unwrap(), Err(StoreError::Locked)));
            }
        });
        assert!(began.elapsed() < DEFAULT_WAIT, "{:?}", began.elapsed());
        assert_eq!(store.pool.open(), 0);
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(revision_from_outside(&store), 0);
    }
}

#[test]
fn a_call_during_a_quiesce_needs_no_other_process_and_is_carried_out() {
    let (_folder, store) = store();
    // One that began before, and requests its connection after.
    let mut wait_limit = store.pool.wait_limit(DEFAULT_WAIT);
    let stopping = store.begin_quiesce();
    assert!(store.lend(Role::Writer, &mut wait_limit).is_ok());
    store.finish_quiesce(stopping, STOP_LIMIT);
    assert!(store.lend(Role::Reader, &mut store.pool.wait_limit(DEFAULT_WAIT)).is_ok());
    store.resume();
    // One that waits for the writer of this process meanwhile.
    let (begun, go) = (Barrier::new(2), Barrier::new(2));
    let stopping = std::thread::scope(|scope| {
        let working = scope.spawn(|| {
            store.write::<_, StoreError>(|_| {
                begun.wait();
                go.wait();
                Ok(())
            })
        });
        begun.wait();
        let waiting = scope.spawn(|| bump(&store));
        let stopping = store.begin_quiesce();
        go.wait();
        working.join().unwrap().unwrap();
        waiting.join().unwrap().unwrap();
        stopping
    });
    store.finish_quiesce(stopping, STOP_LIMIT);
    assert_eq!(store.pool.open(), 0);
    assert_eq!(revision_from_outside(&store), 1);
}

#[test]
fn quiescing_waits_for_calls_that_wait_for_a_connection() {
    let (_folder, store) = store();
    let lend = || store.lend(Role::Reader, &mut store.pool.wait_limit(DEFAULT_WAIT)).map_err(|_| "refused");
    for _ in 0..8 {
        let both = [lend().unwrap(), lend().unwrap()];
        std::thread::scope(|scope| {
            let waiting = [(); 4].map(|()| scope.spawn(|| lend().map(drop)));
            while store.pool.waiting() < waiting.len() {
                std::thread::yield_now();
            }
            let stopping = store.begin_quiesce();
            drop(both);
            store.finish_quiesce(stopping, STOP_LIMIT);
            assert_eq!(store.pool.open(), 0);
            assert_eq!(waiting.map(|call| call.join().unwrap()), [Ok(()); 4]);
        });
        store.resume();
    }
}

#[test]
fn calls_of_a_quiesced_store_do_not_take_one_another_for_another_process() {
    let (_folder, store) = store();
    bump(&store).unwrap();
    store.quiesce();
    let (begun, go) = (Barrier::new(2), Barrier::new(2));
    std::thread::scope(|scope| {
        // It has locked the file, like a call that reads the whole WAL.
        let opens = scope.spawn(|| {
            let open = |wait_limit| {
                let reads_the_wal = other(&store);
                reads_the_wal.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
                begun.wait();
                go.wait();
                drop(reads_the_wal);
                store.connect(Role::Reader, wait_limit)
            };
            store.pool.lend(Role::Reader, &mut store.pool.wait_limit(DEFAULT_WAIT), open).map(drop)
        });
        begun.wait();
        let calls = [Role::Reader, Role::LongReader, Role::Writer].map(|role| {
            let store = &store;
            scope.spawn(move || store.lend(role, &mut store.pool.wait_limit(DEFAULT_WAIT)).map(drop))
        });
        while store.pool.waiting() < calls.iter().filter(|call| !call.is_finished()).count() {
            std::thread::yield_now();
        }
        go.wait();
        opens.join().unwrap().unwrap();
        for call in calls {
            call.join().unwrap().unwrap();
        }
    });
    assert_eq!(store.pool.open(), 0);
    assert_eq!(store.pool.retries(), 0);
}

#[test]
fn the_rest_of_a_call_of_several_transactions_is_left_when_the_store_is_quiesced() {
    let (_folder, store) = store();
    let stops = store.stops();
    let nothing = |_: &Transaction<'_>| Ok::<_, StoreError>(());
    store.write_part(Some(stops), nothing).unwrap();
    for _ in 0..2 {
        let stops = store.stops();
        store.quiesce();
        assert!(matches!(store.write_part(Some(stops), nothing), Err(StoreError::Locked)));
        store.write_part(Some(store.stops()), nothing).unwrap();
        store.resume();
        assert!(matches!(store.write_part(Some(stops), nothing), Err(StoreError::Locked)));
    }
}

#[test]
fn a_call_that_waits_for_a_file_to_be_opened_ends_too() {
    let (_folder, store) = store();
    store.quiesce();
    store.resume();
    let other = other(&store);
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE meta SET revision = revision").unwrap();
    let began = Instant::now();
    std::thread::scope(|scope| {
        let reads = scope.spawn(|| store.read::<_, StoreError>(|c| Ok(c.query_row("SELECT revision FROM meta", [], |_| Ok(()))?)));
        until_it_waits(&store);
        store.quiesce();
        assert!(matches!(reads.join().unwrap(), Err(StoreError::Locked)));
    });
    assert!(began.elapsed() < DEFAULT_WAIT, "{:?}", began.elapsed());
    assert_eq!(store.pool.open(), 0);
}

#[test]
fn a_quiesced_store_still_answers_and_keeps_nothing_open() {
    let (_folder, store) = store();
    store.quiesce();
    bump(&store).unwrap();
    assert_eq!(revision(&store), 1);
    assert_eq!(store.pool.open(), 0);
    assert!(log(&store).exists(), "no checkpoint was made");
    let other = other_that_writes(&store);
    assert!(matches!(bump(&store), Err(StoreError::Locked)));
    assert_eq!(store.pool.retries(), 0, "it did not wait for the other process");
    assert_eq!(revision(&store), 1, "reading needs no lock of the other one");
    other.execute_batch("ROLLBACK").unwrap();
    store.resume();
    bump(&store).unwrap();
    assert_eq!(store.pool.open(), 1);
}

#[test]
fn work_that_still_runs_after_a_quiesce_is_not_committed() {
    let (_folder, store) = store();
    let (begun, go) = (Barrier::new(2), Barrier::new(2));
    std::thread::scope(|scope| {
        let working = scope.spawn(|| {
            store.write::<_, StoreError>(|tx| {
                tx.execute("UPDATE meta SET revision = 7", [])?;
                begun.wait();
                go.wait();
                Ok(())
            })
        });
        begun.wait();
        store.quiesce();
        go.wait();
        assert!(matches!(working.join().unwrap(), Err(StoreError::Locked)));
    });
    assert_eq!(store.pool.open(), 0);
    assert_eq!(revision(&store), 0);
}

// Closing -------------------------------------------------------------------------------------------------------------------------

#[test]
fn closing_leaves_one_complete_file() {
    let (_folder, store) = store();
    bump(&store).unwrap();
    revision(&store);
    store.close();
    store.close();
    assert!(files::SIDE_FILES.iter().all(|suffix| !files::beside(store.path(), suffix).exists()));
    assert!(matches!(bump(&store), Err(StoreError::Locked)));
    store.resume();
    assert!(matches!(store.read::<_, StoreError>(|_| Ok(())), Err(StoreError::Locked)), "closed for good");
    assert_eq!(revision_from_outside(&store), 1);
}

#[test]
fn a_wal_with_a_reader_is_checked_once_for_each_450_pages() {
    let (_folder, store) = store();
    bump(&store).unwrap();
    let other = other(&store);
    other.execute_batch("BEGIN; SELECT count(*) FROM meta").unwrap();
    let mut looks = std::collections::BTreeSet::new();
    for _ in 0..2_250 {
        bump(&store).unwrap();
        looks.insert(store.long_wal.load(Ordering::Relaxed));
    }
    assert!((4..=6).contains(&looks.len()), "{looks:?}");
    other.execute_batch("COMMIT").unwrap();
    let is_restarted = (0..500).any(|_| {
        bump(&store).unwrap();
        store.long_wal.load(Ordering::Relaxed) == 0
    });
    assert!(is_restarted, "there is a checkpoint once nobody reads it");
}

#[test]
fn closing_makes_no_checkpoint_beside_others_or_after_a_quiesce() {
    let (_folder, store) = store();
    bump(&store).unwrap();
    let (another, ..) = Store::open(store.path(), &|| "never".to_owned()).unwrap();
    store.close();
    assert!(log(&store).exists());
    assert_eq!(revision(&another), 1);
    another.quiesce();
    another.close();
    assert!(log(&store).exists());
    assert_eq!(revision_from_outside(&store), 1);
}

#[test]
fn closing_makes_a_checkpoint_of_what_was_written_before_a_quiesce_and_resume() {
    let (_folder, store) = store();
    bump(&store).unwrap();
    store.quiesce();
    store.resume();
    assert_eq!((store.pool.open(), log(&store).exists()), (0, true));
    store.close();
    assert!(!log(&store).exists());
    assert_eq!(store.pool.open(), 0);
    assert_eq!(revision_from_outside(&store), 1);
}

#[test]
fn closing_does_not_wait_for_another_process() {
    let (_folder, store) = store();
    bump(&store).unwrap();
    store.quiesce();
    store.resume();
    let other = other_that_writes(&store);
    store.close();
    assert_eq!(store.pool.retries(), 0);
    assert!(log(&store).exists());
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(revision_from_outside(&store), 1);
}

fn revision_from_outside(store: &Store) -> i64 {
    other(store).query_row("SELECT revision FROM meta", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_call_that_reads_everything_keeps_no_screen_waiting() {
    let (_folder, store) = store();
    let read = store.read_long::<_, StoreError>(|_| {
        store.read_long::<_, StoreError>(|_| store.read_within::<_, StoreError>(Duration::ZERO, |_| Ok(())))
    });
    assert!(read.is_ok(), "the screen would have had to wait");
    assert_eq!(store.pool.open(), 2, "only the writer and the screen's stay open");
}

#[test]
fn a_rebuild_that_fails_is_not_tried_again_at_once() {
    let (folder, store) = store();
    let damaged = |tx: &Connection| match tx.prepare("SELECT 1")?.exists([])? {
        true => Err::<(), _>(error::damage("an index".to_owned())),
        false => Ok(()),
    };
    let read = || store.read_within(Duration::from_millis(20), damaged).unwrap_err();
    let path = folder.path().join("compass.db");
    // Another process writes, so nothing can be rebuilt.
    let other = Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for _ in 0..3 {
        assert!(matches!(read(), StoreError::Corrupt(_)));
        assert_eq!(store.looks(), 1, "a look reads the whole file");
    }
    other.execute_batch("ROLLBACK").unwrap();
    read();
    assert_eq!(store.looks(), 1);
    store.rebuild();
    assert_eq!(store.looks(), 2, "`check` always looks");
}

// Marks ---------------------------------------------------------------------------------------------------------------------------

#[test]
fn a_mark_is_another_one_after_everything_that_is_written() {
    let (_folder, store) = store();
    let mark = || store.write::<_, StoreError>(|tx| store.mark(tx)).unwrap();
    let first = mark();
    revision(&store);
    assert_eq!(mark(), first, "nothing was written");
    bump(&store).unwrap();
    let second = mark();
    assert_ne!(second, first);
    other(&store).execute_batch("UPDATE meta SET configuration = configuration + 1").unwrap();
    let third = mark();
    assert_ne!(third, second, "another connection may have changed anything");
    // The text of a session that does not exist is refused only by the commit.
    let draft = "PRAGMA defer_foreign_keys = ON; INSERT INTO draft (session_id, field, text) VALUES (1, 'site', 'Mill La')";
    for (changes, ends) in [("UPDATE meta SET configuration = configuration + 1", Err(StoreError::Full)), (draft, Ok(()))] {
        let (mut undone, mut ends) = (None, Some(ends));
        store
            .write::<(), StoreError>(|tx| {
                tx.execute_batch(changes)?;
                undone = Some(store.mark(tx)?);
                ends.take().unwrap()
            })
            .unwrap_err();
        assert_ne!(Some(mark()), undone, "what was undone is not in the file: {changes}");
        bump(&store).unwrap();
        assert_ne!(Some(mark()), undone, "{changes}");
    }
    let (folder, store) = self::store();
    let mark = || store.write::<_, StoreError>(|tx| store.mark(tx)).unwrap();
    let before = mark();
    store.quiesce();
    store.resume();
    for _ in 0..100 {
        assert_ne!(mark(), before, "another connection counts again from its beginning");
        store.write::<_, StoreError>(|tx| Ok(tx.execute("UPDATE meta SET configuration = configuration + 1", [])?)).unwrap();
    }
    drop(folder);
}
