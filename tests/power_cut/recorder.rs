//! SQLite's own file system, with a record of what is written and when it has to be on the disk. It can be told to fail. It is the default one
//! of this program.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use rusqlite::ffi::{
    SQLITE_CANTOPEN, SQLITE_IOERR_ACCESS, SQLITE_IOERR_CHECKRESERVEDLOCK, SQLITE_IOERR_DELETE, SQLITE_IOERR_FSTAT, SQLITE_IOERR_FSYNC,
    SQLITE_IOERR_LOCK, SQLITE_IOERR_READ, SQLITE_IOERR_SHMLOCK, SQLITE_IOERR_SHMMAP, SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_WRITE, SQLITE_OK,
    SQLITE_OPEN_CREATE, SQLITE_OPEN_MAIN_DB, SQLITE_OPEN_MAIN_JOURNAL, SQLITE_OPEN_WAL, SQLITE_SHM_EXCLUSIVE, SQLITE_SHM_LOCK,
    sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs, sqlite3_vfs_find, sqlite3_vfs_register,
};

use super::support::failing::{Source, fails, tell};

/// What has happened to the files of a database, by name.
#[derive(Debug, Clone)]
pub enum Event {
    Created(String),
    Written {
        file: String,
        offset: usize,
        bytes: Vec<u8>,
    },
    Truncated {
        file: String,
        size: usize,
    },
    /// What was written to it is on the disk; so is the folder, if the file is new.
    Synced(String),
    /// So is the folder, if `synced`.
    Deleted {
        file: String,
        synced: bool,
    },
    /// A call has returned.
    Acknowledged,
}

/// The record of one folder.
struct Recording {
    folder: PathBuf,
    events: Vec<Event>,
}

static RECORDINGS: Mutex<Vec<Recording>> = Mutex::new(Vec::new());

fn recordings() -> MutexGuard<'static, Vec<Recording>> {
    RECORDINGS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Records what happens in a folder from now on.
pub fn record(folder: &Path) {
    register();
    recordings().push(Recording { folder: folder.canonicalize().unwrap(), events: Vec::new() });
}

/// A call on the database of this folder has returned.
pub fn acknowledge(folder: &Path) {
    note(&folder.canonicalize().unwrap().join("call"), |_| Event::Acknowledged);
}

/// What has happened since [`record`].
pub fn recorded(folder: &Path) -> Vec<Event> {
    let folder = folder.canonicalize().unwrap();
    let mut recordings = recordings();
    let place = recordings.iter().position(|recording| recording.folder == folder).expect("it is recorded");
    recordings.remove(place).events
}

fn note(path: &Path, event: impl FnOnce(String) -> Event) {
    let mut recordings = recordings();
    if let Some(recording) = recordings.iter_mut().find(|recording| path.parent() == Some(&recording.folder)) {
        recording.events.push(event(path.file_name().unwrap().to_str().unwrap().to_owned()));
    }
}

/// An open file: that of SQLite's file system stands behind it.
#[repr(C)]
struct Recorded {
    base: sqlite3_file,
    /// Of the record; none for temporary files.
    path: *mut PathBuf,
}

const BEHIND: usize = size_of::<Recorded>().next_multiple_of(16);

/// SQLite's file behind this one.
unsafe fn behind(file: *mut sqlite3_file) -> *mut sqlite3_file {
    unsafe { file.cast::<u8>().add(BEHIND).cast() }
}

unsafe fn note_of(file: *mut sqlite3_file, event: impl FnOnce(String) -> Event) {
    let path = unsafe { (*file.cast::<Recorded>()).path };
    if !path.is_null() {
        note(unsafe { &*path }, event);
    }
}

/// The function of SQLite's file of this name, called with these arguments.
macro_rules! of_sqlite {
    ($file:ident . $function:ident ( $($argument:expr),* )) => {{
        let file = unsafe { behind($file) };
        let function = unsafe { (*(*file).pMethods).$function }.expect("SQLite's file system has it");
        unsafe { function(file, $($argument),*) }
    }};
}

/// Functions that SQLite's file answers, unless they fail with this error.
macro_rules! passed_on {
    ($($name:ident as $function:ident ( $($argument:ident : $type:ty),* ) $(-> $result:ty)? $(, or $error:expr)?;)*) => {
        $(unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $argument: $type)*) $(-> $result)? {
            $(if fails(Source::Disk, stringify!($function)) {
                return $error;
            })?
            of_sqlite!(file.$function($($argument),*))
        })*
    };
}

passed_on! {
    read as xRead(into: *mut c_void, amount: c_int, offset: sqlite3_int64) -> c_int, or SQLITE_IOERR_READ;
    file_size as xFileSize(size: *mut sqlite3_int64) -> c_int, or SQLITE_IOERR_FSTAT;
    lock as xLock(level: c_int) -> c_int, or SQLITE_IOERR_LOCK;
    unlock as xUnlock(level: c_int) -> c_int;
    check_reserved_lock as xCheckReservedLock(is_reserved: *mut c_int) -> c_int, or SQLITE_IOERR_CHECKRESERVEDLOCK;
    file_control as xFileControl(what: c_int, argument: *mut c_void) -> c_int;
    sector_size as xSectorSize() -> c_int;
    device_characteristics as xDeviceCharacteristics() -> c_int;
    shm_map as xShmMap(page: c_int, size: c_int, extends: c_int, mapped: *mut *mut c_void) -> c_int, or SQLITE_IOERR_SHMMAP;
    shm_barrier as xShmBarrier();
    shm_unmap as xShmUnmap(deletes: c_int) -> c_int;
    fetch as xFetch(offset: sqlite3_int64, amount: c_int, mapped: *mut *mut c_void) -> c_int;
    unfetch as xUnfetch(offset: sqlite3_int64, mapped: *mut c_void) -> c_int;
}

/// The lock of the WAL's index of which the holder writes.
const WRITE_LOCK: c_int = 0;
/// What is told of it.
pub const WRITE_LOCK_ASKED: &str = "the write lock is asked for";
pub const WRITE_LOCK_RELEASED: &str = "the write lock is released";

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    let (locks, writes) = (flags & SQLITE_SHM_LOCK != 0, offset == WRITE_LOCK && flags & SQLITE_SHM_EXCLUSIVE != 0);
    if writes && locks {
        tell(Source::Disk, WRITE_LOCK_ASKED);
    }
    if locks && fails(Source::Disk, "xShmLock") {
        return SQLITE_IOERR_SHMLOCK;
    }
    let result = of_sqlite!(file.xShmLock(offset, count, flags));
    if writes && !locks {
        tell(Source::Disk, WRITE_LOCK_RELEASED);
    }
    result
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, amount: c_int, offset: sqlite3_int64) -> c_int {
    if fails(Source::Disk, "xWrite") {
        return SQLITE_IOERR_WRITE;
    }
    let result = of_sqlite!(file.xWrite(from, amount, offset));
    if result == SQLITE_OK {
        let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), amount as usize) }.to_vec();
        unsafe { note_of(file, |file| Event::Written { file, offset: offset as usize, bytes }) };
    }
    result
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    if fails(Source::Disk, "xTruncate") {
        return SQLITE_IOERR_TRUNCATE;
    }
    let result = of_sqlite!(file.xTruncate(size));
    if result == SQLITE_OK {
        unsafe { note_of(file, |file| Event::Truncated { file, size: size as usize }) };
    }
    result
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    if fails(Source::Disk, "xSync") {
        return SQLITE_IOERR_FSYNC;
    }
    let result = of_sqlite!(file.xSync(flags));
    if result == SQLITE_OK {
        unsafe { note_of(file, Event::Synced) };
    }
    result
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let result = of_sqlite!(file.xClose());
    let path = unsafe { (*file.cast::<Recorded>()).path };
    if !path.is_null() {
        drop(unsafe { Box::from_raw(path) });
    }
    result
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 3,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: Some(fetch),
    xUnfetch: Some(unfetch),
};

/// SQLite's file system.
unsafe fn of_system(vfs: *mut sqlite3_vfs) -> *mut sqlite3_vfs {
    unsafe { (*vfs).pAppData.cast() }
}

unsafe fn path_of(name: *const c_char) -> PathBuf {
    PathBuf::from(unsafe { CStr::from_ptr(name) }.to_str().expect("a name in UTF-8"))
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let system = unsafe { of_system(vfs) };
    let is_of_database = flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL) != 0;
    let path = (is_of_database && !name.is_null()).then(|| unsafe { path_of(name) });
    let is_new = path.as_ref().is_some_and(|path| flags & SQLITE_OPEN_CREATE != 0 && !path.exists());
    let recorded = file.cast::<Recorded>();
    if fails(Source::Disk, "xOpen") {
        unsafe { (*recorded).base.pMethods = std::ptr::null() };
        return SQLITE_CANTOPEN;
    }
    let result = unsafe { (*system).xOpen.expect("it opens files")(system, name, behind(file), flags, out_flags) };
    let is_open = unsafe { !(*behind(file)).pMethods.is_null() };
    unsafe {
        (*recorded).base.pMethods = if is_open { &METHODS } else { std::ptr::null() };
        (*recorded).path = std::ptr::null_mut();
    }
    if let Some(path) = path.filter(|_| is_open) {
        if is_new && result == SQLITE_OK {
            note(&path, Event::Created);
        }
        unsafe { (*recorded).path = Box::into_raw(Box::new(path)) };
    }
    result
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, syncs: c_int) -> c_int {
    if fails(Source::Disk, "xDelete") {
        return SQLITE_IOERR_DELETE;
    }
    let system = unsafe { of_system(vfs) };
    let result = unsafe { (*system).xDelete.expect("it deletes files")(system, name, syncs) };
    if result == SQLITE_OK {
        note(&unsafe { path_of(name) }, |file| Event::Deleted { file, synced: syncs != 0 });
    }
    result
}

/// Functions that SQLite's file system answers, unless they fail with this error.
macro_rules! passed_on_by_system {
    ($($name:ident as $function:ident ( $($argument:ident : $type:ty),* ), or $error:expr;)*) => {
        $(unsafe extern "C" fn $name(vfs: *mut sqlite3_vfs $(, $argument: $type)*) -> c_int {
            if fails(Source::Disk, stringify!($function)) {
                return $error;
            }
            let system = unsafe { of_system(vfs) };
            unsafe { (*system).$function.expect("SQLite's file system has it")(system $(, $argument)*) }
        })*
    };
}

passed_on_by_system! {
    access as xAccess(name: *const c_char, flags: c_int, answer: *mut c_int), or SQLITE_IOERR_ACCESS;
    full_pathname as xFullPathname(name: *const c_char, room: c_int, full: *mut c_char), or SQLITE_CANTOPEN;
}

/// Makes this the file system of what is opened from now on.
pub fn register() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| unsafe {
        let system = sqlite3_vfs_find(std::ptr::null());
        let recorder = Box::leak(Box::new(sqlite3_vfs {
            szOsFile: BEHIND as c_int + (*system).szOsFile,
            pNext: std::ptr::null_mut(),
            zName: c"recorder".as_ptr(),
            pAppData: system.cast(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_pathname),
            // Random numbers, times and the like come from the system: these do not look at the file system that they are called with.
            ..*system
        }));
        assert_eq!(sqlite3_vfs_register(recorder, 1), SQLITE_OK);
    });
}
