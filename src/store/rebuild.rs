//! Rebuilding what is derived from other tables, where a page of it cannot be read.

use std::time::{Duration, Instant};

use rusqlite::TransactionBehavior;

use super::{Connection, OfOneRow, Result, StoreError, Transaction, check, cleaning, empty, migrate, schema, search};

/// After a look that did not help, damage is no reason to look again for so long: it is that of a table.
const PAUSE: Duration = Duration::from_secs(600);

/// When something was rebuilt.
#[derive(Default)]
pub(super) struct Rebuilt {
    pub(super) times: u64,
    /// The last look, if it did not help.
    looked_at: Option<Instant>,
}

impl Rebuilt {
    pub(super) fn looked(&mut self, did_rebuild: bool) {
        self.times += u64::from(did_rebuild);
        self.looked_at = (!did_rebuild).then(Instant::now);
    }

    /// Whether a transaction that met damage may go better now, or after a look. `times` is from when it began.
    pub(super) fn may_help(&self, times: u64) -> bool {
        self.times > times || self.looked_at.is_none_or(|at| at.elapsed() >= PAUSE)
    }
}

/// Rebuilds the indexes with a page that cannot be read, all in one transaction, and otherwise the search index if it is damaged in another
/// way. An index that cannot be rebuilt, for instance because a page of its table is lost too, stays as it is. Says whether something was rebuilt.
pub(super) fn rebuild(connection: &Connection, may_commit: &dyn Fn() -> bool) -> Result<bool> {
    let mut stay = Vec::new();
    loop {
        let lost = check::lost_indexes(connection, &stay)?;
        let tx = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        migrate::check_version(schema::version(&tx)?)?;
        let mut at = 0;
        let rebuilt = if lost.is_empty() { search::repair(&tx) } else { rebuild_all(&tx, &lost, &mut at).map(|()| true) };
        match rebuilt {
            Err(error) if error.is_of_one_row() && at < lost.len() => {
                log::warn!("the index {} stays damaged: {error}", lost[at]);
                stay.push(lost[at].clone());
            }
            Ok(true) if may_commit() => return Ok(tx.commit().map(|()| true)?),
            Ok(true) => return Err(StoreError::Locked),
            rebuilt => return rebuilt,
        }
    }
}

/// `at` is the one that it rebuilds.
fn rebuild_all(tx: &Transaction<'_>, lost: &[String], at: &mut usize) -> Result<()> {
    let words = lost.iter().any(|name| name == search::TABLE).then_some(search::TABLES);
    // Not those of FTS5, which are emptied together.
    let of_tables = || lost.iter().filter(|name| *name != search::TABLE).map(|name| (&**name, empty::INDEX));
    cleaning::without_defensive_mode(tx, || empty::empty(tx, &of_tables().chain(words.into_iter().flatten()).collect::<Vec<_>>()))?;
    for (number, name) in lost.iter().enumerate() {
        *at = number;
        log::warn!("pages of the index {name} cannot be read, and it is rebuilt");
        if name == search::TABLE { search::begin(tx)? } else { tx.execute_batch(&format!("REINDEX \"{name}\""))? }
    }
    Ok(())
}
