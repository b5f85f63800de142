//! Emptying tables with a page that cannot be read.
//!
//! SQLite removes nothing from a table whose tree it cannot read. So the pages are freed without reading the tree: the map of pages, which has
//! its own pages, has the parent of each page. The first page of each table stays where it is, without a row.

use rusqlite::params;

use super::{Result, StoreError, Transaction, cleaning};

/// The kind of the first page of an index that has no rows.
pub(super) const INDEX: u8 = 10;
/// The kinds of a page in the map: free; the first overflow page of a row, a further one, and a page of a tree.
const FREE: u8 = 2;
const BELOW: std::ops::RangeInclusive<u8> = 3..=5;
/// Where page 1 has the number of the first free page, and the count of free pages.
const FREE_LIST: std::ops::Range<usize> = 32..36;
const FREE_COUNT: std::ops::Range<usize> = 36..40;

/// Empties these tables, each with the kind of its root page, and overwrites their content. The transaction has to be new: SQLite would keep
/// pages that it has already read in its cache.
///
/// # Errors
/// `Corrupt` where the file has no map, or where this SQLite has no access to raw pages.
pub(super) fn empty(tx: &Transaction<'_>, tables: &[(&str, u8)]) -> Result<()> {
    // Drops the page cache of earlier transactions.
    tx.execute_batch("PRAGMA shrink_memory")?;
    let has_map: bool = tx.query_row("PRAGMA auto_vacuum", [], |row| row.get(0))?;
    if !has_map || !cleaning::has_pages(tx)? {
        return Err(StoreError::Corrupt("a table of the index cannot be read".to_owned()));
    }
    let count = tx.query_row("PRAGMA page_count", [], |row| row.get::<_, u32>(0))? as usize;
    let mut read = tx.prepare("SELECT data FROM sqlite_dbpage WHERE pgno = ?1")?;
    let mut read = |number: usize| -> Result<Vec<u8>> { Ok(read.query_row([number as i64], |row| row.get(0))?) };
    let mut write = tx.prepare("UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1")?;
    let mut write = |number: usize, page: &[u8]| -> Result<usize> { Ok(write.execute(params![number as i64, page])?) };

    let mut first = read(1)?;
    let size = first.len();
    let every = cleaning::map_every(&first);
    let mut maps = Vec::new();
    for number in (2..=count).step_by(every) {
        let number = if number == cleaning::locked(size) { number + 1 } else { number };
        if number <= count {
            maps.push((number, read(number)?));
        }
    }
    // The parent of a page. None: it has none, or it is not in the map.
    let above = |number: usize| {
        let (map, entries) = maps.get(number.checked_sub(2)? / every)?;
        let entry = entries.get(5 * number.checked_sub(map + 1)?..)?.first_chunk::<5>()?;
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
            let mut page = vec![0; size];
            page[0] = kind;
            // Rows begin after the end of the page; 0 means 65536.
            page[5..7].copy_from_slice(&((size - usize::from(first[20])) as u16).to_be_bytes());
            write(root, &page)?;
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
    let blank = vec![0; size];
    // The first of so many is a list, which names the list before it, and the others. SQLite leaves places in its lists, too.
    for pages in freed.chunks(size / 4 - 72) {
        let mut list = blank.clone();
        list[..4].copy_from_slice(&first[FREE_LIST]);
        list[4..8].copy_from_slice(&(pages.len() as u32 - 1).to_be_bytes());
        first[FREE_LIST].copy_from_slice(&(pages[0] as u32).to_be_bytes());
        for (number, place) in pages[1..].iter().zip(list[8..].chunks_exact_mut(4)) {
            place.copy_from_slice(&(*number as u32).to_be_bytes());
            write(*number, &blank)?;
        }
        write(pages[0], &list)?;
    }
    for number in &freed {
        let (map, entries) = &mut maps[(number - 2) / every];
        let at = 5 * (number - *map - 1);
        entries[at..at + 5].copy_from_slice(&[FREE, 0, 0, 0, 0]);
    }
    for (number, entries) in &maps {
        write(*number, entries)?;
    }
    let before = u32::from_be_bytes(first[FREE_COUNT].try_into().unwrap_or_default());
    first[FREE_COUNT].copy_from_slice(&before.saturating_add(freed.len() as u32).to_be_bytes());
    write(1, &first)?;
    Ok(())
}
