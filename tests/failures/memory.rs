//! SQLite's own allocator, which can refuse. What Rust allocates does not come from it.

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::sync::OnceLock;

use rusqlite::ffi::{SQLITE_CONFIG_GETMALLOC, SQLITE_CONFIG_MALLOC, SQLITE_OK, sqlite3_config, sqlite3_mem_methods};

use super::support::failing::{Source, fails};

type Allocate = unsafe extern "C" fn(c_int) -> *mut c_void;
type Grow = unsafe extern "C" fn(*mut c_void, c_int) -> *mut c_void;

/// What stands behind this.
static BEHIND: OnceLock<(Allocate, Grow)> = OnceLock::new();

fn behind() -> (Allocate, Grow) {
    *BEHIND.get().expect("it is set")
}

unsafe extern "C" fn allocate(size: c_int) -> *mut c_void {
    if fails(Source::Memory, "malloc") {
        return std::ptr::null_mut();
    }
    unsafe { behind().0(size) }
}

unsafe extern "C" fn grow(memory: *mut c_void, size: c_int) -> *mut c_void {
    if fails(Source::Memory, "realloc") {
        return std::ptr::null_mut();
    }
    unsafe { behind().1(memory, size) }
}

/// Makes it the allocator of SQLite in this process. Nothing may have used SQLite before.
pub fn register() {
    BEHIND.get_or_init(|| unsafe {
        let mut behind = MaybeUninit::<sqlite3_mem_methods>::zeroed();
        assert_eq!(sqlite3_config(SQLITE_CONFIG_GETMALLOC, behind.as_mut_ptr()), SQLITE_OK);
        let behind = behind.assume_init();
        let refusing = sqlite3_mem_methods { xMalloc: Some(allocate), xRealloc: Some(grow), ..behind };
        assert_eq!(sqlite3_config(SQLITE_CONFIG_MALLOC, &raw const refusing), SQLITE_OK, "SQLite was used before");
        (behind.xMalloc.expect("SQLite has it"), behind.xRealloc.expect("SQLite has it"))
    });
}
