//! Emptying tables with a page that cannot be read.
//!
//! SQLite removes nothing from a table whose tree it cannot read. So the pages are freed without reading the tree: the map of pages, which has
//! its own pages, has the parent of each page. The first page of each table stays where it is, without a row.

use super::pages::{CHILD, FREE, OVERFLOW, Pages};
use super::{Result, Transaction};

/// The kind of the first page of an index that has no rows.
pub(super) const INDEX: u8 = 10;
/// The kinds of a page in the map that is below another one.
const BELOW: std::ops::RangeInclusive<u8> = OVERFLOW..=CHILD;

/// Empties these tables, each with the kind of its root page, and overwrites their content. The transaction has to be new, as for [`Pages`].
///
/// # Errors
/// `Corrupt` where the file has no map, or where this SQLite has no access to raw pages.
pub(super) fn empty(tx: &Transaction<'_>, tables: &[(&str, u8)]) -> Result<()> {
    let pages = Pages::of(tx)?;
    let count = pages.count;
    let mut maps = pages.maps().map(|number| Ok((number, pages.read(number)?))).collect::<Result<Vec<_>>>()?;
    // The parent of a page. None: it has none, or it is not in the map.
    let above = |number: usize| {
        let (map, at) = pages.place(number)?;
        let found = maps.binary_search_by_key(&map, |(number, _)| *number).ok()?;
        let entry = maps[found].1.get(at..)?.first_chunk::<5>()?;
        let above = u32::from_be_bytes([entry[1], entry[2], entry[3], entry[4]]) as usize;
        (BELOW.contains(&entry[0]) && (2..=count).contains(&above)).then_some(above)
    };
    let mut is_theirs: Vec<Option<bool>> = vec![None; count + 1];
    let mut roots = tx.prepare("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0")?;
    let mut roots = roots.query([])?;
    while let Some(row) = roots.next()? {
        let (name, root) = (row.get_ref(0)?.as_str().unwrap_or_default(), row.get::<_, u32>(1)? as usize);
        let Some(is_theirs) = is_theirs.get_mut(root) else { continue };
        let kind = tables.iter().find(|(table, _)| *table == name).map(|(_, kind)| *kind);
        *is_theirs = Some(kind.is_some());
        if let Some(kind) = kind {
            pages.make_empty(root, kind)?;
        }
    }
    let roots = is_theirs.clone();
    for number in 2..=count {
        let (mut path, mut at) = (Vec::new(), Some(number));
        let found = loop {
            let Some(page) = at else { break false };
            if let Some(known) = is_theirs[page] {
                break known;
            }
            // A path that returns to itself belongs to none of the tables.
            is_theirs[page] = Some(false);
            path.push(page);
            at = above(page);
        };
        path.into_iter().for_each(|page| is_theirs[page] = Some(found));
    }
    let freed: Vec<usize> = (2..=count).filter(|number| is_theirs[*number] == Some(true) && roots[*number].is_none()).collect();
    pages.put_into_list(&freed)?;
    for (map, at) in freed.iter().filter_map(|number| pages.place(*number)) {
        if let Ok(found) = maps.binary_search_by_key(&map, |(number, _)| *number) {
            maps[found].1[at..at + 5].copy_from_slice(&[FREE, 0, 0, 0, 0]);
        }
    }
    maps.iter().try_for_each(|(number, page)| pages.write(*number, page))
}
