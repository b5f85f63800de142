//! The pages of the file, past SQLite's tables: which tree each belongs to, and which are free.
//!
//! SQLite keeps both in pages of their own: a map with the parent of each page, and a list of the free ones. Both follow from the trees. So where
//! they are damaged, and all trees that have to stay can be walked, they are rebuilt: a page that no tree reaches is free.

use rusqlite::{OptionalExtension, params};

use super::{Connection, Result, StoreError, Transaction, cleaning};
use crate::sorted::SortedMap;

/// The kinds of a page in the map: the first of a tree; free; the first overflow page of a row, a further one, and another page of a tree.
const ROOT: u8 = 1;
pub(super) const FREE: u8 = 2;
pub(super) const OVERFLOW: u8 = 3;
const FURTHER_OVERFLOW: u8 = 4;
pub(super) const CHILD: u8 = 5;
/// The first byte of a page of a tree: inner pages and leaves of an index, and those of rows by number.
const INNER_OF_INDEX: u8 = 2;
const INNER_OF_ROWS: u8 = 5;
const LEAF_OF_INDEX: u8 = 10;
const LEAF_OF_ROWS: u8 = 13;
/// Where page 1 has the number of the first free page, and the count of free pages.
const FREE_LIST: std::ops::Range<usize> = 32..36;
const FREE_COUNT: std::ops::Range<usize> = 36..40;
/// Before the tree of page 1 is the header of the file.
const HEADER: usize = 100;
/// From a page of a tree to its first page there are at most so many.
const HIGHEST: usize = 1 << 16;

/// Where page 1 has the version of the file by which it has a WAL, and the marks that it has a map of pages.
const WITH_WAL: std::ops::Range<usize> = 18..20;
const WITH_MAP: [std::ops::Range<usize>; 2] = [52..56, 64..68];

/// Makes page 1 that of a file without a table, a free page, a map and a WAL. All other pages are then of nothing.
pub(super) fn forget_all(first: &mut [u8]) {
    let usable = first.len() - usize::from(first[20]);
    first[WITH_WAL].fill(1);
    [FREE_LIST, FREE_COUNT].into_iter().chain(WITH_MAP).for_each(|place| first[place].fill(0));
    first[HEADER..].fill(0);
    first[HEADER] = LEAF_OF_ROWS;
    first[HEADER + 5..HEADER + 7].copy_from_slice(&(usable as u16).to_be_bytes());
}

/// The raw pages, in a write transaction without SQLite's defensive mode.
pub(super) struct Pages<'a> {
    tx: &'a Transaction<'a>,
    pub(super) count: usize,
    pub(super) size: usize,
    /// Without the reserved end of a page.
    usable: usize,
    /// The distance between the pages of the map.
    every: usize,
}

impl<'a> Pages<'a> {
    /// The transaction has to be new: SQLite would keep pages that it has already read in its cache.
    ///
    /// # Errors
    /// `Corrupt` where the file has no map, or where this SQLite has no access to raw pages.
    pub(super) fn of(tx: &'a Transaction<'a>) -> Result<Self> {
        // Drops the page cache of earlier transactions.
        tx.execute_batch("PRAGMA shrink_memory")?;
        let has_map: bool = tx.query_row("PRAGMA auto_vacuum", [], |row| row.get(0))?;
        if !has_map || !cleaning::has_pages(tx)? {
            return Err(StoreError::Corrupt("a table of the index cannot be read".to_owned()));
        }
        let count = tx.query_row("PRAGMA page_count", [], |row| row.get::<_, u32>(0))? as usize;
        let mut pages = Self { tx, count, size: 0, usable: 0, every: 1 };
        let first = pages.read(1)?;
        (pages.size, pages.usable, pages.every) = (first.len(), first.len() - usize::from(first[20]), cleaning::map_every(&first));
        Ok(pages)
    }

    pub(super) fn read(&self, number: usize) -> Result<Vec<u8>> {
        let mut read = self.tx.prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = ?1")?;
        Ok(read.query_row([number as i64], |row| row.get(0))?)
    }

    pub(super) fn write(&self, number: usize, page: &[u8]) -> Result<()> {
        let mut write = self.tx.prepare_cached("UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1")?;
        write.execute(params![number as i64, page])?;
        Ok(())
    }

    /// The page of the map that describes this page, and where in it.
    pub(super) fn place(&self, number: usize) -> Option<(usize, usize)> {
        place(number, self.every, self.size)
    }

    /// The numbers of the pages of the map.
    pub(super) fn maps(&self) -> impl Iterator<Item = usize> {
        let moved = |map: usize| if map == cleaning::locked(self.size) { map + 1 } else { map };
        (2..=self.count).step_by(self.every).map(moved).filter(|map| *map <= self.count)
    }

    /// Makes the first page of a tree one without rows.
    pub(super) fn make_empty(&self, root: usize, kind: u8) -> Result<()> {
        let mut page = vec![0; self.size];
        page[0] = kind;
        // Rows begin after the end of the page; 0 means 65536.
        page[5..7].copy_from_slice(&(self.usable as u16).to_be_bytes());
        self.write(root, &page)
    }

    /// Overwrites these pages and puts them before the list of free pages.
    pub(super) fn put_into_list(&self, freed: &[usize]) -> Result<()> {
        let mut first = self.read(1)?;
        let blank = vec![0; self.size];
        // The first of so many is a list, which names the list before it, and the others. SQLite leaves places in its lists, too.
        for pages in freed.chunks(self.size / 4 - 72) {
            let mut list = blank.clone();
            list[..4].copy_from_slice(&first[FREE_LIST]);
            list[4..8].copy_from_slice(&(pages.len() as u32 - 1).to_be_bytes());
            first[FREE_LIST].copy_from_slice(&(pages[0] as u32).to_be_bytes());
            for (number, place) in pages[1..].iter().zip(list[8..].chunks_exact_mut(4)) {
                place.copy_from_slice(&(*number as u32).to_be_bytes());
                self.write(*number, &blank)?;
            }
            self.write(pages[0], &list)?;
        }
        let before = number_at(&first, FREE_COUNT.start).unwrap_or_default() as u32;
        first[FREE_COUNT].copy_from_slice(&before.saturating_add(freed.len() as u32).to_be_bytes());
        self.write(1, &first)
    }

    /// Rebuilds the map and the list of free pages. `emptied`: of these trees only the first page stays, without a row, of this kind.
    ///
    /// # Errors
    /// The names of trees, one of which at least cannot be walked; none where a page that no tree reaches belongs to one by the map. Then nothing
    /// was written.
    pub(super) fn rebuild_lists(&self, emptied: &[(&str, u8)]) -> Result<std::result::Result<(), Vec<String>>> {
        let mut owners = Owners { entries: vec![None; self.count + 1], names: vec!["sqlite_schema".to_owned()], broken: Vec::new() };
        let mut roots = Vec::new();
        let mut trees = self.tx.prepare("SELECT name, rootpage, type = 'index' FROM sqlite_schema WHERE rootpage > 0")?;
        let mut trees = trees.query([])?;
        // The pages that stand for themselves.
        let of_file = self.maps().chain([cleaning::locked(self.size)]).filter(|page| *page <= self.count);
        of_file.for_each(|page| owners.entries[page] = Some(Entry { kind: 0, above: 0, tree: 0 }));
        let is_whole = self.walk(1, false, &mut owners)?;
        while let Some(row) = trees.next()?.filter(|_| is_whole) {
            let (name, root, is_index) = (row.get::<_, String>(0)?, row.get::<_, u32>(1)? as usize, row.get(2)?);
            let kind = emptied.iter().find(|(tree, _)| *tree == name).map(|(_, kind)| *kind);
            owners.names.push(name);
            let is_whole = match kind {
                Some(kind) => {
                    roots.push((root, kind));
                    owners.take(root, ROOT, 0)
                }
                None => self.walk(root, is_index, &mut owners)?,
            };
            if !is_whole {
                break;
            }
        }
        drop(trees);
        if !owners.broken.is_empty() {
            return Ok(Err(owners.broken.iter().map(|tree| owners.names[*tree].clone()).collect()));
        }
        let freed: Vec<usize> = (2..=self.count).filter(|page| owners.entries[*page].is_none()).collect();
        let maps = self.maps().map(|map| Ok((map, self.read(map)?))).collect::<Result<SortedMap<_, _>>>()?;
        let entry = |number: usize| Ok(self.place(number).and_then(|(map, at)| entry_at(maps.get(&map)?, at)));
        // Where the list of free pages says the same as the trees, the map is wrong.
        let listed = self.listed()?;
        for page in freed.iter().filter(|page| !listed[**page]) {
            if root_from(*page, entry)?.is_some_and(|root| roots.iter().all(|(emptied, _)| *emptied != root)) {
                return Ok(Err(Vec::new()));
            }
        }
        for (root, kind) in roots {
            self.make_empty(root, kind)?;
        }
        let mut first = self.read(1)?;
        first[FREE_LIST.start..FREE_COUNT.end].fill(0);
        self.write(1, &first)?;
        self.put_into_list(&freed)?;
        for map in self.maps().collect::<Vec<_>>() {
            let mut page = vec![0; self.size];
            for number in map + 1..=(map + self.every - 1).min(self.count) {
                let Some((_, place)) = self.place(number).filter(|(of, _)| *of == map) else { continue };
                let Entry { kind, above, .. } = owners.entries[number].unwrap_or(Entry { kind: FREE, above: 0, tree: 0 });
                page[place] = kind;
                page[place + 1..place + 5].copy_from_slice(&above.to_be_bytes());
            }
            self.write(map, &page)?;
        }
        Ok(Ok(()))
    }

    /// The pages in the list of free ones, as far as it can be read.
    fn listed(&self) -> Result<Vec<bool>> {
        let mut listed = vec![false; self.count + 1];
        let mut next = number_at(&self.read(1)?, FREE_LIST.start);
        while let Some(list) = next.filter(|list| (2..=self.count).contains(list) && !listed[*list]) {
            listed[list] = true;
            let page = self.read(list)?;
            let pages = number_at(&page, 4).unwrap_or_default().min(self.usable / 4 - 2);
            for free in (0..pages).filter_map(|at| number_at(&page, 8 + 4 * at)).filter(|free| *free <= self.count) {
                listed[free] = true;
            }
            next = number_at(&page, 0);
        }
        Ok(listed)
    }

    /// Takes all pages of a tree. False where one of them is not as it must be.
    fn walk(&self, root: usize, is_index: bool, owners: &mut Owners) -> Result<bool> {
        if !owners.take(root, ROOT, 0) {
            return Ok(false);
        }
        let (mut next, mut of_rows) = (vec![root], None);
        while let Some(number) = next.pop() {
            let page = self.read(number)?;
            let Some(found) = below(&page, number, self.usable) else { return Ok(owners.is_broken()) };
            // All pages of a tree are of one sort.
            if is_index && found.of_rows || *of_rows.get_or_insert(found.of_rows) != found.of_rows {
                return Ok(owners.is_broken());
            }
            for child in found.children {
                if !owners.take(child, CHILD, number) {
                    return Ok(false);
                }
                next.push(child);
            }
            for (mut overflow, mut left) in found.overflows {
                let (mut kind, mut above) = (OVERFLOW, number);
                loop {
                    if !owners.take(overflow, kind, above) {
                        return Ok(false);
                    }
                    left = left.saturating_sub(self.usable - 4);
                    if left == 0 {
                        break;
                    }
                    (kind, above) = (FURTHER_OVERFLOW, overflow);
                    overflow = number_at(&self.read(overflow)?, 0).unwrap_or_default();
                }
            }
        }
        Ok(true)
    }
}

/// The first page of the tree to which a page belongs by the map. None where that is not known.
pub(super) fn root_of(connection: &Connection, page: u32) -> Result<Option<u32>> {
    if !cleaning::has_pages(connection)? {
        return Ok(None);
    }
    let mut read = connection.prepare("SELECT data FROM sqlite_dbpage WHERE pgno = ?1")?;
    let mut read =
        |number: usize| -> Result<Vec<u8>> { Ok(read.query_row([number as i64], |row| row.get(0)).optional()?.unwrap_or_default()) };
    let first = read(1)?;
    let every = cleaning::map_every(&first);
    let root = root_from(page as usize, |number| {
        let Some((map, at)) = place(number, every, first.len()) else { return Ok(None) };
        Ok(entry_at(&read(map)?, at))
    });
    Ok(root?.map(|root| root as u32))
}

/// From a page to the first one of its tree; `entry` gives what the map says of a page: its kind, and the page above.
fn root_from(mut page: usize, mut entry: impl FnMut(usize) -> Result<Option<(u8, usize)>>) -> Result<Option<usize>> {
    for _ in 0..HIGHEST {
        match entry(page)? {
            Some((ROOT, _)) => return Ok(Some(page)),
            Some((OVERFLOW..=CHILD, above)) => page = above,
            _ => break,
        }
    }
    Ok(None)
}

fn entry_at(map: &[u8], at: usize) -> Option<(u8, usize)> {
    Some((*map.get(at)?, number_at(map, at + 1)?))
}

/// The page of the map that describes this page, and where in it.
fn place(number: usize, every: usize, size: usize) -> Option<(usize, usize)> {
    let map = number.checked_sub(2)? / every * every + 2;
    let map = if map == cleaning::locked(size) { map + 1 } else { map };
    Some((map, 5 * number.checked_sub(map + 1)?))
}

/// What the map says of a page.
#[derive(Debug, Clone, Copy)]
struct Entry {
    kind: u8,
    above: u32,
    tree: usize,
}

/// Which tree has which page.
struct Owners {
    entries: Vec<Option<Entry>>,
    /// The trees, in the order in which they are walked.
    names: Vec<String>,
    /// The one that is not as it must be, and the one that has a page of it.
    broken: Vec<usize>,
}

impl Owners {
    /// Takes a page for the last tree. False where it does not exist or another page refers to it, too.
    fn take(&mut self, page: usize, kind: u8, above: usize) -> bool {
        let tree = self.names.len() - 1;
        match self.entries.get_mut(page).filter(|_| page > 1 || kind == ROOT) {
            Some(entry @ None) => {
                *entry = Some(Entry { kind, above: above as u32, tree });
                return true;
            }
            Some(Some(other)) => self.broken.push(other.tree),
            None => {}
        }
        self.is_broken()
    }

    fn is_broken(&mut self) -> bool {
        self.broken.push(self.names.len() - 1);
        false
    }
}

/// What a page of a tree refers to.
struct Below {
    of_rows: bool,
    children: Vec<usize>,
    /// The first overflow page of a row, and how many bytes are in it and in those after it.
    overflows: Vec<(usize, usize)>,
}

/// None where the page is not one of a tree, or is damaged.
fn below(page: &[u8], number: usize, usable: usize) -> Option<Below> {
    let head = if number == 1 { HEADER } else { 0 };
    let kind = *page.get(head)?;
    let (is_inner, of_rows) = match kind {
        INNER_OF_INDEX => (true, false),
        INNER_OF_ROWS => (true, true),
        LEAF_OF_INDEX => (false, false),
        LEAF_OF_ROWS => (false, true),
        _ => return None,
    };
    let list = head + if is_inner { 12 } else { 8 };
    let mut found = Below { of_rows, children: Vec::new(), overflows: Vec::new() };
    if is_inner {
        found.children.push(number_at(page, head + 8)?);
    }
    let cells = short_at(page, head + 3)?;
    for cell in 0..cells {
        let mut at = short_at(page, list + 2 * cell)?;
        if at < list + 2 * cells || at >= usable {
            return None;
        }
        if is_inner {
            found.children.push(number_at(page, at)?);
            at += 4;
        }
        if is_inner && of_rows {
            continue;
        }
        let (length, after) = varint(page, at)?;
        let after = if of_rows { varint(page, after)?.1 } else { after };
        // How much of it stands in the page itself, by the rules of the file format.
        let length = usize::try_from(length).ok().filter(|length| *length < 1 << 31)?;
        let most = if of_rows { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
        if length <= most {
            if after + length > usable {
                return None;
            }
            continue;
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let here = least + (length - least) % (usable - 4);
        let here = if here <= most { here } else { least };
        if after + here + 4 > usable {
            return None;
        }
        found.overflows.push((number_at(page, after + here)?, length - here));
    }
    Some(found)
}

fn number_at(page: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_be_bytes(*page.get(at..)?.first_chunk()?) as usize)
}

fn short_at(page: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(*page.get(at..)?.first_chunk()?)))
}

/// A number of SQLite's, of one to nine bytes, and where it ends.
fn varint(page: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut number = 0_u64;
    for (count, byte) in page.get(at..)?.iter().take(9).enumerate() {
        if count == 8 {
            return Some((number << 8 | u64::from(*byte), at + 9));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, at + count + 1));
        }
    }
    None
}
