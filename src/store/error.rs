//! What SQLite's errors mean to an app.

use rusqlite::ErrorCode;

/// Why the store could not do its work. Nothing is half-written whichever it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The file cannot be opened or read now, for instance before the first unlock of the phone. The file is untouched.
    #[error("the database cannot be opened: {0}")]
    CannotOpen(String),
    /// Another process held the database for longer than the busy timeout, or the call was interrupted by quiescing.
    #[error("the database is locked by another process")]
    Locked,
    /// There is no room left.
    #[error("the disk is full")]
    Full,
    /// The file is damaged. It is left as it is.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// A page that this row of the outbox needs is damaged. Nothing more can be written in the transaction that met it.
    #[error("the database is damaged where a message lies")]
    CorruptEntry(i64),
    /// The file is a SQLite database of something else, or no database at all.
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
    /// Reading or writing failed below SQLite.
    #[error("the database cannot be read or written: {0}")]
    Io(String),
    /// A row does not read back: the file is damaged there. What else is in it may be sound.
    #[error("the database is damaged: {0}")]
    Unreadable(String),
    /// A file that is to be made is there already.
    #[error("there is a file of this name already")]
    NameTaken,
    /// The schema refused a change: a fault of this library.
    #[error("{0}")]
    Internal(String),
}

impl StoreError {
    /// Whether it is a finding about the file, and not a reason to look again later.
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
            ErrorCode::DiskFull => StoreError::Full,
            // Nothing that we write comes near to what is too big for SQLite.
            ErrorCode::DatabaseCorrupt | ErrorCode::TooBig => StoreError::Corrupt(what),
            ErrorCode::NotADatabase => StoreError::Foreign,
            ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied | ErrorCode::ReadOnly => {
                StoreError::CannotOpen(what)
            }
            // No row is to blame for that.
            ErrorCode::OutOfMemory => StoreError::Io(what),
            ErrorCode::SystemIoFailure | ErrorCode::FileLockingProtocolFailed | ErrorCode::NoLargeFileSupport => StoreError::Io(what),
            // The message of a constraint is one of our triggers' or names a column; it holds no value.
            _ => StoreError::Internal(error.to_string()),
        }
    }
}

/// rusqlite's own errors may quote what a column holds; their kind is enough.
fn without_values(error: &rusqlite::Error) -> StoreError {
    use rusqlite::Error as E;
    match error {
        E::FromSqlConversionFailure(column, kind, _) => {
            StoreError::Unreadable(format!("column {column} of type {kind} does not read back"))
        }
        E::InvalidColumnType(column, name, kind) => StoreError::Unreadable(format!("column {column} ({name}) is of type {kind}")),
        E::IntegralValueOutOfRange(column, _) => StoreError::Unreadable(format!("column {column} is out of range")),
        E::Utf8Error(column, _) => StoreError::Unreadable(format!("column {column} is no text")),
        E::QueryReturnedNoRows => StoreError::Unreadable("a row that must exist does not".to_owned()),
        _ => StoreError::Internal("an unexpected error of the SQLite binding".to_owned()),
    }
}
