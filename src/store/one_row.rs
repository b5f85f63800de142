//! One row at a time: what does not read back of one row, or what the schema does not let it become, stops nothing but that row.
//!
//! Every loop over rows goes through here, so that only an error of the database itself ends a call.

use super::{Result, StoreError, Transaction};

/// An error that may be of one row or of the whole database.
pub(crate) trait OfOneRow {
    /// What one row holds is to blame. The next row may work.
    fn is_of_one_row(&self) -> bool;
}

impl OfOneRow for StoreError {
    fn is_of_one_row(&self) -> bool {
        // A page that is damaged may be that of this row alone.
        matches!(self, Self::Internal(_) | Self::Unreadable(_) | Self::Corrupt(_))
    }
}

/// What came of one statement about one row. None: the row is to blame, and stays as it was.
pub(crate) fn judged<T, E: OfOneRow>(result: std::result::Result<T, E>) -> std::result::Result<Option<T>, E> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_of_one_row() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Does all of several changes that belong to one row, or none of them. None: the row is to blame, and stays as it was.
pub(crate) fn alone<T, E: OfOneRow + From<StoreError>>(
    tx: &Transaction<'_>,
    work: impl FnOnce() -> std::result::Result<T, E>,
) -> std::result::Result<Option<T>, E> {
    let run = |statement: &str| -> Result<()> {
        tx.prepare_cached(statement)?.execute([])?;
        Ok(())
    };
    run("SAVEPOINT one_row")?;
    let done = judged(work())?;
    if done.is_none() {
        run("ROLLBACK TO one_row")?;
    }
    run("RELEASE one_row")?;
    Ok(done)
}
