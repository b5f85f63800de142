//! Places in the work of a process, by name, at which it kills itself or stands still: before a transaction of SQLite begins, after each row that
//! it changes, before it commits, at the calls of the file system within, when it is committed, and where the worker says so.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, Once, OnceLock, PoisonError};

use rusqlite::ffi::{
    SQLITE_DELETE, SQLITE_INSERT, SQLITE_OK, sqlite3, sqlite3_api_routines, sqlite3_auto_extension, sqlite3_commit_hook, sqlite3_int64,
    sqlite3_update_hook,
};

use super::recorder;
use super::signals::{self, Signal};
use super::support::failing::{self, Source};

/// What happens at a place.
pub struct Plan {
    pub name: String,
    /// The number of the time that it is reached, from 1.
    pub at: u64,
    pub signal: Signal,
}

static PLAN: OnceLock<Plan> = OnceLock::new();
static TIMES: AtomicU64 = AtomicU64::new(0);
static REACHED: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());
/// Results that a transport has given and no transaction has taken up yet.
static RESULTS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// What this thread does, where its places have names.
    static WORK: Cell<Option<&'static str>> = const { Cell::new(None) };
    /// The name of its transaction.
    static TRANSACTION: Cell<Option<&'static str>> = const { Cell::new(None) };
    static COMMITS: Cell<bool> = const { Cell::new(false) };
}

/// The work in which places are those of claiming and settling.
pub const DELIVERY: &str = "delivery";

/// The work in which also the calls of the file system outside a commit are places: pages are written as they are.
pub const RESTORE: &str = "restore";

/// From now on places have names. Without a plan they are counted.
pub fn begin(plan: Option<Plan>) {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        if let Some(plan) = plan {
            let _ = PLAN.set(plan);
        }
        recorder::register();
        failing::when_asked(asked);
        let result = unsafe { sqlite3_auto_extension(Some(is_opened)) };
        assert_eq!(result, SQLITE_OK);
    });
}

/// How often each place was reached, where nothing was planned.
pub fn counted() -> BTreeMap<String, u64> {
    REACHED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The places of this call have names.
pub fn during<T>(work: &'static str, call: impl FnOnce() -> T) -> T {
    let before = WORK.replace(Some(work));
    let done = call();
    WORK.set(before);
    done
}

/// The transport has given a result.
pub fn has_result() {
    RESULTS.fetch_add(1, Ordering::SeqCst);
}

/// This place is reached.
pub fn reached(name: &str) {
    let Some(plan) = PLAN.get() else {
        *REACHED.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_owned()).or_default() += 1;
        return;
    };
    if plan.name == name && TIMES.fetch_add(1, Ordering::SeqCst) + 1 == plan.at {
        signals::raise(plan.signal);
    }
}

unsafe extern "C" fn is_opened(connection: *mut sqlite3, _: *mut *mut c_char, _: *const sqlite3_api_routines) -> c_int {
    unsafe {
        sqlite3_update_hook(connection, Some(changed), ptr::null_mut());
        sqlite3_commit_hook(connection, Some(commits), ptr::null_mut());
    }
    SQLITE_OK
}

/// A statement has changed a row.
unsafe extern "C" fn changed(_: *mut c_void, what: c_int, _: *const c_char, table: *const c_char, _: sqlite3_int64) {
    let verb = match what {
        SQLITE_INSERT => "INSERT",
        SQLITE_DELETE => "DELETE",
        _ => "UPDATE",
    };
    if let Some(transaction) = TRANSACTION.get() {
        let table = unsafe { CStr::from_ptr(table) }.to_string_lossy();
        reached(&format!("{transaction}: after {verb} {table}"));
    }
}

unsafe extern "C" fn commits(_: *mut c_void) -> c_int {
    if let Some(transaction) = TRANSACTION.get() {
        reached(&format!("{transaction}: before COMMIT"));
        COMMITS.set(true);
    }
    0
}

/// SQLite asks its file system for something, or is done with it.
fn asked(source: Source, what: &'static str) {
    let Some(work) = WORK.get().filter(|_| source == Source::Disk) else { return };
    let transaction = TRANSACTION.get();
    match what {
        recorder::WRITE_LOCK_ASKED => {
            let name = match work {
                DELIVERY if RESULTS.load(Ordering::SeqCst) > 0 => "settle",
                DELIVERY => "claim",
                work => work,
            };
            TRANSACTION.set(Some(name));
            reached(&format!("{name}: before BEGIN"));
        }
        recorder::WRITE_LOCK_RELEASED => {
            TRANSACTION.set(None);
            if let Some(transaction) = transaction.filter(|_| COMMITS.replace(false)) {
                if transaction == "settle" {
                    RESULTS.store(0, Ordering::SeqCst);
                }
                reached(&format!("{transaction}: after COMMIT"));
            }
        }
        "xWrite" | "xSync" if COMMITS.get() => {
            if let Some(transaction) = transaction {
                reached(&format!("{transaction}: in COMMIT, before {what}"));
            }
        }
        "xWrite" | "xSync" | "xTruncate" | "xDelete" if work == RESTORE => reached(&format!("{work}: before {what}")),
        _ => {}
    }
}
