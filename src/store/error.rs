//! What SQLite's errors mean to an app.

use std::cell::Cell;

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

thread_local! {
    static MET_DAMAGE: Cell<bool> = const { Cell::new(false) };
}

/// Whether SQLite has told this thread of damage since this was asked last, also if the error was ignored.
pub(super) fn met_damage() -> bool {
    MET_DAMAGE.take()
}

/// Damage that SQLite did not notice itself.
pub(super) fn damage(what: String) -> StoreError {
    MET_DAMAGE.set(true);
    StoreError::Corrupt(what)
}

/// Why the store could not do its work. Nothing is written in part.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The file cannot be opened or read now, for instance before the first unlock of the phone. The file is untouched.
    #[error("the database cannot be opened: {0}")]
    CannotOpen(String),
    /// Another process held the database for longer than the busy timeout, or the call was interrupted by quiescing.
    #[error("the database is locked by another process")]
    Locked,
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// There was not enough memory.
    #[error("there is not enough memory")]
    OutOfMemory,
    /// The file is damaged. It is not changed.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// A page that this row of the outbox needs is damaged. Nothing more can be written in the transaction that read it.
    #[error("the database is damaged at a message")]
    CorruptEntry(i64),
    /// The file is a SQLite database of another program, or not a database.
    #[error("the file is not a Compass database")]
    Foreign,
    /// A newer release has written the file.
    #[error("the database has schema {found}; this release knows schemas up to {known}")]
    NewerSchema {
        /// The file's schema.
        found: u32,
        /// The newest this release knows.
        known: u32,
    },
    /// The operating system failed to read or write the file.
    #[error("the database cannot be read or written: {0}")]
    Io(String),
    /// A row cannot be read: the file is damaged there. Other parts may be undamaged.
    #[error("the database is damaged: {0}")]
    Unreadable(String),
    /// A file to be created already exists.
    #[error("a file of this name already exists")]
    NameTaken,
    /// The schema refused a change: an error of this library.
    #[error("{0}")]
    Internal(String),
}

impl StoreError {
    /// Whether it is a finding about the file, and not a reason to try again later.
    pub(crate) fn is_finding(&self) -> bool {
        matches!(self, Self::Corrupt(_) | Self::Unreadable(_) | Self::Internal(_) | Self::Io(_) | Self::Foreign)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let Some(failure) = error.sqlite_error() else {
            return without_values(&error);
        };
        let what = rusqlite::ffi::code_to_str(failure.extended_code).to_owned();
        match failure.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::OperationInterrupted => StoreError::Locked,
            // A read lost the race against other processes a hundred times, on a machine that is very busy.
            ErrorCode::FileLockingProtocolFailed => StoreError::Locked,
            ErrorCode::DiskFull => StoreError::Full,
            // The shared memory of the WAL needs room on the disk, too.
            _ if failure.extended_code == SQLITE_IOERR_SHMSIZE => StoreError::Full,
            // No value of the core comes near SQLite's size limit.
            ErrorCode::DatabaseCorrupt | ErrorCode::TooBig => {
                MET_DAMAGE.set(true);
                StoreError::Corrupt(what)
            }
            ErrorCode::NotADatabase => StoreError::Foreign,
            ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied | ErrorCode::ReadOnly => {
                StoreError::CannotOpen(what)
            }
            ErrorCode::OutOfMemory => StoreError::OutOfMemory,
            ErrorCode::SystemIoFailure | ErrorCode::NoLargeFileSupport => StoreError::Io(what),
            // The message of a constraint comes from a trigger of the schema or names a column; it holds no value.
            _ => StoreError::Internal(error.to_string()),
        }
    }
}

/// rusqlite's own errors may quote the value of a column; their kind is enough.
fn without_values(error: &rusqlite::Error) -> StoreError {
    use rusqlite::Error as E;
    match error {
        E::FromSqlConversionFailure(column, kind, _) => StoreError::Unreadable(format!("column {column} of type {kind} cannot be read")),
        E::InvalidColumnType(column, name, kind) => StoreError::Unreadable(format!("column {column} ({name}) is of type {kind}")),
        E::IntegralValueOutOfRange(column, _) => StoreError::Unreadable(format!("column {column} is out of range")),
        E::Utf8Error(column, _) => StoreError::Unreadable(format!("column {column} is not text")),
        E::QueryReturnedNoRows => StoreError::Unreadable("a row that must exist does not".to_owned()),
        _ => StoreError::Internal("an unexpected error of the SQLite binding".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn a_race_that_was_lost_again_and_again_is_a_lock_and_not_a_failed_disk() {
        let error = |code| StoreError::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        assert!(matches!(error(ffi::SQLITE_PROTOCOL), StoreError::Locked));
        assert!(matches!(error(ffi::SQLITE_IOERR), StoreError::Io(_)));
    }
}
