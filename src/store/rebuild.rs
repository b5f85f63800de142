//! Rebuilding what is derived from other tables, where a page of it cannot be read.

use std::time::{Duration, Instant};

use rusqlite::TransactionBehavior;

use super::check::{self, TreeCheck};
use super::known::{self, KnownAction};
use super::pages::Pages;
use super::{Connection, OfOneRow, Result, StoreError, Transaction, cleaning, derived, empty, migrate, schema, search};
use crate::sorted::sort;

/// After a look that did not help, damage is no reason to look again for so long: it is that of a table.
const PAUSE: Duration = Duration::from_secs(600);
/// The same after a look of which the rebuild ended with an error. The cause, for instance a full disk, may be over soon, but each look reads the
/// whole file.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(10);

/// When something was rebuilt.
#[derive(Default)]
pub(super) struct Rebuilt {
    pub(super) times: u64,
    /// The last look, if it did not help, and how long damage is no reason for another one.
    looked: Option<(Instant, Duration)>,
}

impl Rebuilt {
    pub(super) fn looked(&mut self, did_rebuild: bool) {
        self.times += u64::from(did_rebuild);
        self.looked = (!did_rebuild).then(|| (Instant::now(), PAUSE));
    }

    pub(super) fn failed(&mut self) {
        self.looked = Some((Instant::now(), PAUSE_AFTER_ERROR));
    }

    /// Whether a transaction that met damage may go better now, or after a look. `times` is from when it began.
    pub(super) fn may_help(&self, times: u64) -> bool {
        self.times > times || self.looked.is_none_or(|(at, pause)| at.elapsed() >= pause)
    }
}

/// What came of an attempt to rebuild.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RebuildOutcome {
    Yes,
    /// There is nothing that can be rebuilt.
    No,
    /// This one cannot be rebuilt, for instance because a page of its table is lost too. Nothing was changed.
    Without(String),
}

/// Rebuilds what can be derived and has a page that cannot be read, all in one transaction: indexes, tables, the map of pages and the list of
/// free ones; and otherwise the search index if it is damaged in another way. `look` may be older than the transaction: what it says of pages
/// only becomes wrong by damage. `stay`: these stay as they are.
pub(super) fn rebuild(connection: &Connection, look: &TreeCheck, stay: &[String], may_commit: &dyn Fn() -> bool) -> Result<RebuildOutcome> {
    // Before the transaction, which must not meet damage.
    let is_lost = |lost: &[String]| lost.iter().any(|name| name == derived::KNOWN);
    let seen = cleaning::writes_of_others(connection)?;
    let known = if is_lost(&look.lost) || is_lost(&look.unlike_map) { known::readable(connection)? } else { Vec::new() };
    let tx = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    migrate::check_version(schema::version(&tx)?)?;
    if cleaning::writes_of_others(&tx)? != seen {
        // It may have written what was read before.
        return Err(StoreError::Locked);
    }
    let (mut lost, mut at) = (look.lost.clone(), 0);
    let made = match cleaning::without_defensive_mode(&tx, || begin(&tx, look, &mut lost, stay)) {
        Ok(true) => fill_all(&tx, &lost, &known, &mut at).map(|()| true),
        Ok(false) if lost.is_empty() => search::repair(&tx),
        begun => begun,
    };
    match made {
        Err(error) if error.is_of_one_row() && at < lost.len() => {
            log::warn!("the index {} stays damaged: {error}", lost[at]);
            Ok(RebuildOutcome::Without(lost.swap_remove(at)))
        }
        Ok(true) if may_commit() => Ok(tx.commit().map(|()| RebuildOutcome::Yes)?),
        Ok(true) => Err(StoreError::Locked),
        made => Ok(made.map(|_| RebuildOutcome::No)?),
    }
}

/// The same in a file that nobody else has, with a look at pages that belong to nothing, too.
pub(super) fn rebuild_alone(connection: &Connection) -> Result<()> {
    let mut stay = Vec::new();
    while let RebuildOutcome::Without(name) = rebuild(connection, &check::look(connection, &stay, true)?, &stay, &|| true)? {
        stay.push(name);
    }
    Ok(())
}

/// Frees the pages of what is lost, without their content. False: nothing was changed.
fn begin(tx: &Transaction<'_>, look: &TreeCheck, lost: &mut Vec<String>, stay: &[String]) -> Result<bool> {
    // By a wrong map the pages of a tree are not all found.
    if look.map || look.free || look.cut || !look.unlike_map.is_empty() {
        let version = schema::version(tx)?;
        // Without access to pages these stay, and are named so that nobody looks for them again.
        let pages = Pages::of(tx).inspect_err(|_| lost.extend(look.unlike_map.iter().cloned()))?;
        loop {
            let Err(broken) = pages.rebuild_lists(&trees(lost))? else {
                log::warn!("the map of pages and the list of free ones are rebuilt");
                return Ok(true);
            };
            let may_go = |tree: String| {
                let is_index = schema::hash(version, &format!("index {tree}")).is_some();
                check::derivable(version, tree, is_index).filter(|name| !stay.contains(name) && !lost.contains(name))
            };
            let found: Vec<String> = broken.into_iter().filter_map(may_go).collect();
            if found.is_empty() {
                break;
            }
            lost.extend(found);
            sort(lost, PartialOrd::lt);
            lost.dedup();
        }
        *lost = look.lost.clone();
    }
    if look.map || look.cut {
        log::warn!("what is damaged stays as it is, because the map of pages is damaged too");
        return Ok(false);
    }
    lost.extend(look.unlike_map.iter().cloned());
    sort(lost, PartialOrd::lt);
    lost.dedup();
    if !lost.is_empty() {
        empty::empty(tx, &trees(lost))?;
    }
    Ok(!lost.is_empty())
}

/// Their trees, each with the kind of its first page.
fn trees(lost: &[String]) -> Vec<(&str, u8)> {
    let mut trees = Vec::new();
    for name in lost {
        match derived::TABLES.iter().find(|(table, _)| table == name) {
            Some(table) => {
                trees.push(*table);
                trees.extend((table.0 == derived::KNOWN).then_some((derived::OF_KNOWN, empty::INDEX)));
            }
            // Those of FTS5 are emptied together.
            None if name == search::TABLE => trees.extend(search::TABLES),
            None => trees.push((name, empty::INDEX)),
        }
    }
    trees
}

/// `at` is the one that it makes.
fn fill_all(tx: &Transaction<'_>, lost: &[String], known: &[KnownAction], at: &mut usize) -> Result<()> {
    let is_table = |name: &String| derived::TABLES.iter().any(|(table, _)| table == name);
    // What is counted may be found by an index.
    let (tables, indexes): (Vec<_>, Vec<_>) = lost.iter().enumerate().partition(|(_, name)| is_table(name));
    for (number, name) in indexes.into_iter().chain(tables) {
        *at = number;
        log::warn!("pages of {name} cannot be read, and it is rebuilt");
        if name == search::TABLE {
            search::begin(tx)?;
        } else if is_table(name) {
            derived::fill(tx, name, known)?;
        } else {
            tx.execute_batch(&format!("REINDEX \"{name}\""))?;
        }
    }
    *at = lost.len();
    Ok(())
}
