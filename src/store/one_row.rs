//! One row at a time: a row that cannot be read, or that the schema does not let change, stops only itself.
//!
//! Every loop over rows goes through here, so that only an error of the database itself ends a call.

use crate::sorted::SortedSet;

use super::{Result, StoreError, Transaction};

/// An error that concerns one row or the whole database.
pub(crate) trait OfOneRow {
    /// One row is the cause. The next row may work.
    fn is_of_one_row(&self) -> bool;
}

impl OfOneRow for StoreError {
    fn is_of_one_row(&self) -> bool {
        // A damaged page may be only that of this row.
        matches!(self, Self::Internal(_) | Self::Unreadable(_) | Self::Corrupt(_))
    }
}

impl StoreError {
    /// Rows or pages are the cause, and not the database as a whole.
    pub(crate) fn is_damage(&self) -> bool {
        self.is_of_one_row() || matches!(self, Self::CorruptEntry(_))
    }
}

/// The result of a statement about this row of the outbox, in a transaction that has further rows. With a damaged page it cannot continue:
/// SQLite writes nothing more in a transaction that has read one.
pub(crate) fn of_entry<T>(entry: i64, result: Result<T>) -> Result<T> {
    result.map_err(|error| if matches!(error, StoreError::Corrupt(_)) { StoreError::CorruptEntry(entry) } else { error })
}

/// The result of one statement about one row. None: the row is the cause, and does not change.
pub(crate) fn unless_damaged<T, E: OfOneRow>(result: std::result::Result<T, E>) -> std::result::Result<Option<T>, E> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_of_one_row() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes all changes of one row, or none of them. None: the row is the cause of an error, and does not change.
pub(crate) fn all_or_none<T, E: OfOneRow + From<StoreError>>(
    tx: &Transaction<'_>,
    work: impl FnOnce() -> std::result::Result<T, E>,
) -> std::result::Result<Option<T>, E> {
    let run = |statement: &str| -> Result<()> {
        tx.prepare_cached(statement)?.execute([])?;
        Ok(())
    };
    run("SAVEPOINT one_row")?;
    let done = unless_damaged(work())?;
    if done.is_none() {
        run("ROLLBACK TO one_row")?;
    }
    run("RELEASE one_row")?;
    Ok(done)
}

/// Does what comes first in a transaction without the rows of the outbox of which a page is damaged: where it meets one, all that was done is
/// undone, and it begins again. Gives these rows, too.
pub(crate) fn without_damaged<T>(tx: &Transaction<'_>, work: impl Fn(&SortedSet<i64>) -> Result<T>) -> Result<(T, SortedSet<i64>)> {
    let mut damaged = SortedSet::new();
    loop {
        match work(&damaged) {
            Err(StoreError::CorruptEntry(entry)) if damaged.insert(entry) => begin_again(tx)?,
            done => return Ok((done?, damaged)),
        }
    }
}

/// Undoes all of a transaction that has met a damaged page, and goes on in a new one.
pub(super) fn begin_again(tx: &Transaction<'_>) -> Result<()> {
    Ok(tx.execute_batch("ROLLBACK; BEGIN IMMEDIATE")?)
}
