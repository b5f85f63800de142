//! What can still be read of a damaged file, as JSON Lines: one row per line, messages that were not delivered first.
//!
//! Each table is read in the order of its key. Where reading fails, the rest of what is under that key is left out and the next one
//! that can be read is looked for. No index is trusted, and a schema that is damaged is used as far as it goes.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use rusqlite::types::{Value as Key, ValueRef};
use rusqlite::{OptionalExtension, Row};

use super::retention::UNDELIVERED;
use super::{Connection, Result, StoreError, check, files, replace};
use crate::model::{SalvageReport, SessionKey};

/// How many keys are tried after one that cannot be read. More than the rows of a page of any table.
const TRIES: i64 = 10_000;
/// The tables that say most, in this order; then the others.
const FIRST: [&str; 6] = ["body", "session", "action", "event", "value", "note"];
const MESSAGES: &str = "outbox";
/// Stands in place of the table's name where a message was not delivered.
const UNSENT: &str = "unsent";

/// Writes all lines to a new file at `to`: whole, on the disk and for its owner alone, or not there at all. The database stays as it is.
///
/// # Errors
/// `Foreign` and `Corrupt` where nothing of ours can be read; `NameTaken`, `Locked`, `CannotOpen`, `Full`, `Io`.
pub(crate) fn salvage(path: &Path, to: &Path) -> Result<SalvageReport> {
    let connection = replace::read_only(path)?;
    // Faults of the schema are no errors then.
    connection.execute_batch("PRAGMA writable_schema = ON; BEGIN")?;
    let (part, file) = files::Part::of(to)?;
    let mut lines = Lines { file: BufWriter::new(file), report: SalvageReport::default() };
    write(&connection, &mut lines)?;
    lines.file.flush()?;
    part.publish(to)?;
    Ok(lines.report)
}

struct Lines {
    file: BufWriter<File>,
    report: SalvageReport,
}

fn write(connection: &Connection, lines: &mut Lines) -> Result<()> {
    let tables = tables(connection)?;
    let Some(messages) = tables.iter().find(|table| table.name == MESSAGES) else { return Err(StoreError::Foreign) };
    messages.write(connection, &format!("({UNDELIVERED}) IS NOT 0"), UNSENT, lines)?;
    lines.report.unsent = lines.report.lines;
    let comes_first = |table: &&Table| FIRST.contains(&table.name.as_str());
    let first = FIRST.iter().filter_map(|name| tables.iter().find(|table| table.name == *name));
    for table in first.chain(tables.iter().filter(|table| !comes_first(table))) {
        let rest = if table.name == MESSAGES { format!("({UNDELIVERED}) IS 0") } else { "1".to_owned() };
        table.write(connection, &rest, &table.name, lines)?;
    }
    if lines.report.lines == 0 && lines.report.gaps > 0 {
        return Err(StoreError::Corrupt("nothing in it can be read".to_owned()));
    }
    Ok(())
}

struct Table {
    name: String,
    /// The columns of its key, in order.
    key: Vec<String>,
    has_rowid: bool,
}

/// Those that hold what is ours to say: what a full-text search keeps for itself stands elsewhere, too.
fn tables(connection: &Connection) -> Result<Vec<Table>> {
    let mut list = connection.prepare(
        "SELECT name, NOT wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name",
    )?;
    let mut key = connection.prepare("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk")?;
    let mut tables = list
        .query_map([], |row| Ok(Table { name: row.get(0)?, key: Vec::new(), has_rowid: row.get(1)? }))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for table in &mut tables {
        table.key = match table.has_rowid {
            true => vec!["rowid".to_owned()],
            false => key.query_map([&table.name], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?,
        };
    }
    Ok(tables)
}

/// Where a look at a table ended.
enum End {
    Whole,
    /// Behind this key, which is none where not even the first row can be read.
    Damaged(Option<Key>),
}

impl Table {
    /// Writes the rows for which the condition holds.
    fn write(&self, connection: &Connection, condition: &str, label: &str, lines: &mut Lines) -> Result<()> {
        let Some(first) = self.key.first() else { return Ok(()) };
        let ordered = |direction: &str| self.key.iter().map(|column| format!("o.{column}{direction}")).collect::<Vec<_>>().join(", ");
        let (up, down) = (ordered(""), ordered(" DESC"));
        let trusted = if self.has_rowid { "NOT INDEXED" } else { "" };
        let rows = format!("SELECT o.{first}, {condition}, o.* FROM \"{}\" o {trusted}", self.name);

        let mut end = look(connection, &format!("{rows} WHERE ?1 IS NULL ORDER BY {up}"), &Key::Null, label, lines)?;
        let beyond = format!("{rows} WHERE o.{first} >= ?1 ORDER BY {up}");
        while let End::Damaged(last) = end {
            lines.report.gaps += 1;
            end = match last {
                Some(Key::Integer(last)) => look_beyond(connection, &beyond, last, label, lines)?,
                None if self.has_rowid => look_beyond(connection, &beyond, 0, label, lines)?,
                // From the other end, as far as it can be read.
                last => {
                    let key = last.unwrap_or(Key::Null);
                    look(connection, &format!("{rows} WHERE (?1 IS NULL OR o.{first} > ?1) ORDER BY {down}"), &key, label, lines)?;
                    End::Whole
                }
            };
        }
        Ok(())
    }
}

/// Goes on behind this key, at the next that can be read.
fn look_beyond(connection: &Connection, sql: &str, last: i64, label: &str, lines: &mut Lines) -> Result<End> {
    for key in (1..=TRIES).map_while(|distance| last.checked_add(distance)) {
        match look(connection, sql, &Key::Integer(key), label, lines)? {
            End::Damaged(None) => {}
            end => return Ok(end),
        }
    }
    Ok(End::Whole)
}

fn look(connection: &Connection, sql: &str, from: &Key, label: &str, lines: &mut Lines) -> Result<End> {
    let (mut last, mut written) = (None, Ok(()));
    let mut looked = || -> Result<()> {
        let mut statement = connection.prepare_cached(sql)?;
        let names: Vec<String> = statement.column_names().skip(2).map(str::to_owned).collect();
        let mut rows = statement.query([from])?;
        while let Some(row) = rows.next()? {
            last = Some(row.get(0)?);
            if !row.get::<_, bool>(1)? {
                continue;
            }
            // That the new file cannot be written is no damage of the old one.
            written = lines.file.write_all(line(connection, label, row, &names)?.as_bytes());
            if written.is_err() {
                break;
            }
            lines.report.lines += 1;
        }
        Ok(())
    };
    match looked() {
        Ok(()) => Ok(written.map(|()| End::Whole)?),
        Err(error) if check::is_damage(&error) => Ok(End::Damaged(last)),
        Err(error) => Err(error),
    }
}

/// One row. A message says on its own of which session and action it is, where that can be read.
fn line(connection: &Connection, label: &str, row: &Row<'_>, names: &[String]) -> Result<String> {
    let mut line = format!("{{{}:{{", quoted(label));
    for (index, name) in names.iter().enumerate() {
        let value = row.get_ref(index + 2)?;
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
        if let Ok(Some(key)) = key {
            line.push_str(&format!(",\"{table}\":{key}"));
        }
    }
    line.push_str("}}\n");
    Ok(line)
}

/// Bytes are text where they are a document or a body, a key where they are as long as one, and hexadecimal digits otherwise.
fn json(value: ValueRef<'_>) -> String {
    match value {
        // No column of ours holds a fraction.
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
