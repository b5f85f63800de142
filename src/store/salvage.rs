//! Everything that can still be read of a damaged file, as JSON Lines: one row per line, undelivered messages first.
//!
//! Each table of the core is read in the order of its key. Where reading fails, the next readable row is searched, first within the session.
//! No index is trusted, and a damaged schema is used as far as possible: each of its rows by itself.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use rusqlite::types::{Value as Key, ValueRef};
use rusqlite::{OptionalExtension, Row, params};

use super::outbox::UNDELIVERED;
use super::{Connection, Result, StoreError, files, known_tables, migrate, restore, schema};
use crate::model::{SalvageReport, SessionKey};
use crate::sorted::SortedMap;

/// After an unreadable row number, this many numbers are tried one by one; then the steps grow with the distance.
const NEAR: i64 = 1_024;
/// The most important tables, in this order; then the others.
const FIRST: [&str; 6] = ["body", "session", "action", "event", "value", "note"];
const MESSAGES: &str = "outbox";
/// Replaces the table's name for an undelivered message.
const UNSENT: &str = "unsent";
/// Columns of a statement before those of the table.
const BEFORE: usize = 3;

/// Writes all lines to a new file at `to`: complete, on the disk and only for its owner, or not at all. The database does not change.
///
/// # Errors
/// `Foreign` and `Corrupt` where none of the core's tables can be read; `NameTaken`, `Locked`, `CannotOpen`, `Full`, `Io`.
pub(crate) fn salvage(path: &Path, to: &Path) -> Result<SalvageReport> {
    let connection = restore::read_only(path)?;
    let (part, file) = files::Part::of(to)?;
    let mut lines = Lines { file: BufWriter::new(file), report: SalvageReport::default(), refused: None };
    // Read as it should be first: where damage is no error, SQLite says nothing of a disk that failed either.
    lines.may_fail(schema::read(&connection))?;
    connection.execute_batch("PRAGMA writable_schema = ON; BEGIN")?;
    // Of a table whose definition cannot be read, nobody knows where it is.
    let is_known = lines.may_fail(schema::read(&connection))?;
    let known = if is_known { None } else { known_tables::copy(&connection)? };
    write(known.as_ref().unwrap_or(&connection), !is_known, &mut lines)?;
    lines.file.flush()?;
    part.publish(to)?;
    Ok(lines.report)
}

struct Lines {
    file: BufWriter<File>,
    report: SalvageReport,
    /// What the system said, where it refused to read.
    refused: Option<String>,
}

impl Lines {
    /// Whether this was read. False where the file is damaged there.
    fn may_fail(&mut self, read: Result<()>) -> Result<bool> {
        match read {
            Ok(()) => Ok(true),
            Err(error) if error.is_finding() => {
                if let StoreError::Io(what) = error {
                    self.refused = Some(what);
                }
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

fn write(connection: &Connection, lacks_tables: bool, lines: &mut Lines) -> Result<()> {
    let tables = tables(connection)?;
    let messages = tables.iter().find(|table| table.name == MESSAGES);
    if messages.is_none() && !migrate::is_ours(connection)? {
        return Err(StoreError::Foreign);
    }
    if let Some(messages) = messages {
        messages.write(connection, &format!("({UNDELIVERED}) IS NOT 0"), UNSENT, lines)?;
        lines.report.unsent = lines.report.lines;
    }
    lines.report.gaps += u64::from(lacks_tables);
    let comes_first = |table: &&Table| FIRST.contains(&table.name.as_str());
    let first = FIRST.iter().filter_map(|name| tables.iter().find(|table| table.name == *name));
    for table in first.chain(tables.iter().filter(|table| !comes_first(table))) {
        let rest = if table.name == MESSAGES { format!("({UNDELIVERED}) IS 0") } else { "1".to_owned() };
        table.write(connection, &rest, &table.name, lines)?;
    }
    if lines.report.lines == 0 && lines.report.gaps > 0 {
        return Err(lines.refused.take().map_or_else(|| StoreError::Corrupt("nothing in it can be read".to_owned()), StoreError::Io));
    }
    Ok(())
}

struct Table {
    name: String,
    /// The stored columns, for a statement: not computed ones.
    columns: String,
    /// The columns of its key, in order: two at most.
    key: Vec<String>,
    has_rowid: bool,
}

/// The tables with data of the core: those that full-text search keeps for itself only repeat data, and unknown tables are not read.
fn tables(connection: &Connection) -> Result<Vec<Table>> {
    let mut list =
        connection.prepare("SELECT name, NOT wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' ORDER BY name")?;
    let mut columns = connection.prepare("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid")?;
    let mut tables = Vec::new();
    let mut rows = list.query([])?;
    while let Some(row) = rows.next()? {
        let (name, has_rowid): (String, bool) = (row.get(0)?, row.get(1)?);
        if !known_tables::is_of_data(&name) {
            continue;
        }
        let of_table = columns.query_map([&name], |row| Ok((name_in_sql(&row.get::<_, String>(0)?), row.get(1)?)))?;
        let (mut all, mut key) = (Vec::new(), SortedMap::<i64, String>::new());
        for column in of_table {
            let (column, place) = column?;
            all.push(format!("o.{column}"));
            key.insert(place, column);
        }
        key.remove(&0);
        let key = if has_rowid { vec!["rowid".to_owned()] } else { key.into_iter().map(|(_, name)| name).collect() };
        tables.push(Table { name, columns: all.join(", "), key, has_rowid });
    }
    Ok(tables)
}

fn name_in_sql(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Where reading of rows ended.
enum End {
    Whole,
    /// After the row with these first and last columns of the key; none where not even the first row can be read.
    Damaged(Option<[Key; 2]>),
}

/// The rows of a table, or those of them whose key begins with this.
struct Rows<'a> {
    connection: &'a Connection,
    table: &'a Table,
    select: &'a str,
    label: &'a str,
    of: Option<Key>,
}

impl Table {
    /// Writes the rows for which the condition holds.
    fn write(&self, connection: &Connection, condition: &str, label: &str, lines: &mut Lines) -> Result<()> {
        let (Some(first), Some(last)) = (self.key.first(), self.key.last()) else { return Ok(()) };
        let trusted = if self.has_rowid { "NOT INDEXED" } else { "" };
        let columns = &self.columns;
        let select = &format!("SELECT o.{first}, o.{last}, {condition}, {columns} FROM \"{}\" o {trusted}", self.name);
        let rows = Rows { connection, table: self, select, label, of: None };
        let end = rows.look(">=", "", &Key::Null, lines)?;
        lines.report.gaps += u64::from(matches!(end, End::Damaged(_)));
        rows.go_on(end, lines)
    }
}

impl Rows<'_> {
    /// The rows whose key begins with this, where it has another column.
    fn within(&self, first: Key) -> Option<Self> {
        (self.of.is_none() && self.table.key.len() > 1).then_some(Self { of: Some(first), ..*self })
    }

    /// Continues after damage, first with rows that have the same first column.
    fn go_on(&self, mut end: End, lines: &mut Lines) -> Result<()> {
        while let End::Damaged(last) = end {
            if let Some([first, second]) = &last
                && let Some(rows) = self.within(first.clone())
            {
                rows.go_on(End::Damaged(Some([first.clone(), second.clone()])), lines)?;
            }
            end = match last.map(|[first, second]| if self.of.is_none() { first } else { second }) {
                Some(Key::Integer(last)) => self.look_beyond(last, lines)?,
                None if self.table.has_rowid => self.look_beyond(0, lines)?,
                // From the other end, as far as possible.
                last => {
                    self.look(">", " DESC", &last.unwrap_or(Key::Null), lines)?;
                    End::Whole
                }
            };
        }
        Ok(())
    }

    /// Continues after this number, at the next readable one. It may be far: all numbers after the last one of the page before lead to the
    /// damaged page, and purged rows leave gaps.
    fn look_beyond(&self, last: i64, lines: &mut Lines) -> Result<End> {
        let (mut unread, mut distance) = (last, Some(1_i64));
        while let Some((mut next, far)) = distance.and_then(|far| Some((last.checked_add(far)?, far))) {
            if self.misses(next, lines)? {
                (unread, distance) = (next, far.checked_add(1 + far / NEAR));
                continue;
            }
            while next - unread > 1 {
                let between = unread + (next - unread) / 2;
                *(if self.misses(between, lines)? { &mut unread } else { &mut next }) = between;
            }
            let end = self.look(">=", "", &Key::Integer(next), lines)?;
            lines.report.gaps += u64::from(matches!(end, End::Damaged(_)));
            return if matches!(end, End::Damaged(None)) { self.look_beyond(next, lines) } else { Ok(end) };
        }
        Ok(End::Whole)
    }

    /// Whether the first row from this number on cannot be read. Then rows with this first column are read from the other end.
    fn misses(&self, number: i64, lines: &mut Lines) -> Result<bool> {
        let (from, sql) = (Key::Integer(number), self.sql(">=", "", &Key::Integer(number)));
        let first = self.connection.prepare_cached(&sql).and_then(|mut rows| rows.query(params![from, self.of])?.next().map(drop));
        if lines.may_fail(first.map_err(StoreError::from))? {
            return Ok(false);
        }
        if let Some(rows) = self.within(from) {
            rows.go_on(End::Damaged(None), lines)?;
        }
        Ok(true)
    }

    /// The statement that reads these rows from there on, in this direction.
    fn sql(&self, is: &str, direction: &str, from: &Key) -> String {
        let key = &self.table.key;
        let (of, column) =
            if self.of.is_none() { ("?2 IS NULL".to_owned(), key.first()) } else { (format!("o.{} = ?2", key[0]), key.last()) };
        let bound = match (from, column) {
            (Key::Null, _) | (_, None) => "?1 IS NULL".to_owned(),
            (_, Some(column)) => format!("o.{column} {is} ?1"),
        };
        let order = key.iter().map(|column| format!("o.{column}{direction}")).collect::<Vec<_>>().join(", ");
        format!("{} WHERE {of} AND {bound} ORDER BY {order}", self.select)
    }

    /// Writes these rows from there on, in this direction, up to the first that cannot be read.
    fn look(&self, is: &str, direction: &str, from: &Key, lines: &mut Lines) -> Result<End> {
        let sql = self.sql(is, direction, from);
        let (mut last, mut written) = (None, Ok(()));
        let mut looked = || -> Result<()> {
            let mut statement = self.connection.prepare_cached(&sql)?;
            let names: Vec<String> = statement.column_names().skip(BEFORE).map(str::to_owned).collect();
            let mut rows = statement.query(params![from, self.of])?;
            while let Some(row) = rows.next()? {
                last = Some([row.get(0)?, row.get(1)?]);
                if !row.get::<_, bool>(2)? {
                    continue;
                }
                // An error in writing the new file is not damage of the old one.
                written = lines.file.write_all(line(self.connection, self.label, row, &names)?.as_bytes());
                if written.is_err() {
                    break;
                }
                lines.report.lines += 1;
            }
            Ok(())
        };
        let looked = looked();
        if lines.may_fail(looked)? { Ok(written.map(|()| End::Whole)?) } else { Ok(End::Damaged(last)) }
    }
}

/// One row as a line. A message also has its session and action, where they can be read.
fn line(connection: &Connection, label: &str, row: &Row<'_>, names: &[String]) -> Result<String> {
    let mut line = format!("{{{}:{{", quoted(label));
    for (index, name) in names.iter().enumerate() {
        let value = row.get_ref(BEFORE + index)?;
        line.push_str(&format!("{}{}:{}", if index > 0 { "," } else { "" }, quoted(name), json(value)));
        let table = match name.as_str() {
            "session_id" if label == UNSENT => "session",
            "action_id" if label == UNSENT => "action",
            _ => continue,
        };
        let sql = format!("SELECT key FROM {table} NOT INDEXED WHERE rowid = ?1");
        let key = connection
            .prepare_cached(&sql)
            .and_then(|mut found| found.query_row([value.as_i64().unwrap_or_default()], |found| Ok(json(found.get_ref(0)?))).optional());
        match key.map_err(StoreError::from) {
            Ok(Some(key)) => line.push_str(&format!(",\"{table}\":{key}")),
            Err(error) if !error.is_finding() => return Err(error),
            _ => {}
        }
    }
    line.push_str("}}\n");
    Ok(line)
}

/// Bytes are text where they are a document or a body, a key where they are as long as one, and hexadecimal digits otherwise.
fn json(value: ValueRef<'_>) -> String {
    match value {
        // No column of the core holds a fraction.
        ValueRef::Null | ValueRef::Real(_) => "null".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).map_or_else(|_| hex(bytes), quoted),
        ValueRef::Blob(bytes) => match <[u8; 16]>::try_from(bytes) {
            Ok(key) => quoted(&SessionKey(uuid::Uuid::from_bytes(key)).to_string()),
            Err(_) => std::str::from_utf8(bytes).ok().filter(|text| text.starts_with('{')).map_or_else(|| hex(bytes), quoted),
        },
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text is JSON")
}

fn hex(bytes: &[u8]) -> String {
    quoted(&bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}
