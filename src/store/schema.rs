//! Whether the schema in a file is the one that its version should have. Triggers enforce the core's rules, and they are part of the file: a
//! file without them could break these rules.
//!
//! Each version has a list in `sql/`, with a hash of each object's normal text. SQLite's own objects are compared only by name.

use super::{Connection, Result, StoreError};
use crate::crypto::Sha256;
use crate::sorted::SortedMap;

/// One per schema version: kind, name and hash of each object, sorted.
pub(super) const LISTS: &[&str] = &[include_str!("sql/0001.list"), include_str!("sql/0002.list"), include_str!("sql/0003.list")];

/// The hash of the newest schema as the core makes it, unchanged in any letter: reading it is a fifth of the work of comparing normal texts.
const AS_MADE: &str = "8250420066a59fe9309dd4a49a8c985f09b2476cd7bee008ac240166f5ae73f5";

/// Instead of a hash: an object of SQLite itself, or of its full-text search.
pub(super) const BY_NAME: &str = "-";
/// Hexadecimal digits of a hash that are kept: enough that no other text is found for it.
const DIGITS: usize = 16;
/// The longest name in a message.
const MAX_NAME: usize = 64;

/// The keywords of the core's schemas, except `KEY`, which is also the name of a column. In quotes these are names, which changes the meaning.
const WORDS: &str = "abort add after alter and autoincrement before begin between blob by cascade case check column create default deferrable \
    deferred delete desc drop else end exists filter from glob group ignore in index initially insert integer into is join \
    limit new not null of old on or order primary raise references rename rowid select set strict table text then to trigger \
    unique update using values virtual when where without";

/// How a file's schema differs from its list.
#[derive(Debug, Default)]
struct Differences {
    missing: Vec<String>,
    different: Vec<String>,
    extra: Vec<String>,
    /// One of those that acts on its own: a trigger.
    acts: Option<String>,
    /// One of those has computed columns, which reading its rows would evaluate.
    compute: bool,
}

/// The kind of unknown objects in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    None,
    /// Rows that are read as they are, and rules that can be ignored.
    Plain,
    /// Columns that are computed, or virtual tables.
    Compute,
}

/// The unknown objects of the file.
pub(super) fn others(connection: &Connection) -> Result<Others> {
    let Differences { extra, compute, .. } = differences(connection, version(connection)?)?;
    Ok(match (extra.is_empty(), compute) {
        (true, _) => Others::None,
        (false, false) => Others::Plain,
        (false, true) => Others::Compute,
    })
}

/// The core's tables in the file, by the names in the list.
pub(super) fn tables(connection: &Connection) -> Result<Vec<&'static str>> {
    let version = version(connection)?;
    let mut is_there = connection.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")?;
    let list = (version as usize).checked_sub(1).and_then(|index| LISTS.get(index)).copied().unwrap_or_default();
    let mut tables = Vec::new();
    for table in list.lines().filter_map(|line| line.strip_prefix("table ")?.split(' ').next()) {
        if is_there.exists([table])? {
            tables.push(table);
        }
    }
    Ok(tables)
}

/// # Errors
/// `Corrupt` when an object of the core is missing or different.
pub(super) fn check(connection: &Connection, version: u32) -> Result<()> {
    let differences = differences(connection, version)?;
    match differences.missing.first().or(differences.different.first()) {
        Some(object) => Err(StoreError::Corrupt(format!("the schema was changed: {object}"))),
        None => Ok(()),
    }
}

/// # Errors
/// `Corrupt` when an unknown object restricts what may be written to the core's tables: a trigger, an index of such a table, a table that
/// refers to one.
pub(super) fn check_others(connection: &Connection, version: u32) -> Result<()> {
    let mut acts = differences(connection, version)?.acts;
    let mut statement = connection.prepare(
        "SELECT 'index ' || i.name, 'table ' || t.name FROM sqlite_schema t, pragma_index_list(t.name) i WHERE i.origin = 'c'
         UNION ALL SELECT 'table ' || t.name, 'table ' || f.\"table\" FROM sqlite_schema t, pragma_foreign_key_list(t.name) f",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (object, acts_on): (String, String) = (row.get(0)?, row.get(1)?);
        if hash(version, &object).is_none() && hash(version, &acts_on).is_some() {
            acts = Some(object.chars().take(MAX_NAME).collect());
        }
    }
    match acts {
        Some(object) => Err(StoreError::Corrupt(format!("the schema has an unknown object: {object}"))),
        None => Ok(()),
    }
}

/// The hash of an object of the core; its name may be in upper or lower case.
pub(super) fn hash(version: u32, object: &str) -> Option<&'static str> {
    let list = LISTS.get((version as usize).checked_sub(1)?)?;
    list.lines().filter_map(|line| line.rsplit_once(' ')).find(|(known, _)| known.eq_ignore_ascii_case(object)).map(|(_, hash)| hash)
}

/// Everything that is wrong with the schema, including unknown objects.
pub(crate) fn faults(connection: &Connection) -> Result<Vec<String>> {
    let Differences { missing, different, extra, .. } = differences(connection, version(connection)?)?;
    let missing = missing.into_iter().map(|object| format!("the schema lacks {object}"));
    let different = different.into_iter().map(|object| format!("the schema has a different {object}"));
    let extra = extra.into_iter().map(|object| format!("the schema has an unknown object: {object}"));
    Ok(missing.chain(different).chain(extra).collect())
}

fn differences(connection: &Connection, version: u32) -> Result<Differences> {
    let mut found = Differences::default();
    // A new file has no schema yet, and a newer one is refused before.
    let Some(list) = (version as usize).checked_sub(1).and_then(|index| LISTS.get(index)) else { return Ok(found) };
    if version as usize == LISTS.len() && hash_of_all(connection)?.to_string() == AS_MADE {
        return Ok(found);
    }
    let mut expected: SortedMap<&str, &str> = list.lines().filter_map(|line| line.rsplit_once(' ')).collect();
    let mut statement = connection.prepare("SELECT type || ' ' || name, sql FROM sqlite_schema")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let object = row.get_ref(0)?.as_bytes_or_null().ok().flatten().map(String::from_utf8_lossy).unwrap_or_default();
        let sql = row.get_ref(1)?.as_bytes_or_null().ok().flatten().map(String::from_utf8_lossy);
        match expected.remove(&*object) {
            None => {
                let object: String = object.chars().take(MAX_NAME).collect();
                let sql = normal(&sql.unwrap_or_default());
                // By its text, not by its stated kind: CREATE TRIGGER, or CREATE TEMP TRIGGER.
                if sql.split(' ').take(3).any(|word| word == "trigger") {
                    found.acts.get_or_insert_with(|| object.clone());
                }
                found.compute |= computes(&sql);
                found.extra.push(object);
            }
            Some(BY_NAME) if sql.as_ref().is_none_or(|sql| keeps_rows(&normal(sql))) => {}
            // SQLite reads a text up to its first zero.
            Some(hash) if sql.as_ref().is_some_and(|sql| !sql.contains('\0') && hash_of(sql) == hash) => {}
            Some(_) => found.different.push(object.into_owned()),
        }
    }
    found.missing.extend(expected.into_iter().map(|(object, _)| object.to_owned()));
    Ok(found)
}

/// The hash of all objects: their kinds, names and texts, each with its length, so that no text can hold another object.
fn hash_of_all(connection: &Connection) -> Result<Sha256> {
    // In the order in which the core makes them: another one is compared object by object.
    let mut statement = connection.prepare("SELECT type, name, ifnull(sql, '') FROM sqlite_schema")?;
    let mut rows = statement.query([])?;
    let mut all = Vec::with_capacity(1 << 16);
    while let Some(row) = rows.next()? {
        for column in 0..3 {
            let part = row.get_ref(column)?.as_bytes_or_null().ok().flatten().unwrap_or_default();
            all.extend_from_slice(&(part.len() as u64).to_le_bytes());
            all.extend_from_slice(part);
        }
    }
    Ok(Sha256::of(&all))
}

/// Whether reading the rows of this object evaluates something, by its normal text: virtual tables and computed columns do.
fn computes(normal: &str) -> bool {
    normal.starts_with("create virtual") || normal.contains("as(")
}

/// Whether it is a table like those of SQLite itself, without rules.
fn keeps_rows(normal: &str) -> bool {
    normal.starts_with("create table") && !computes(normal) && !normal.contains("check(")
}

fn hash_of(sql: &str) -> String {
    let mut hash = Sha256::of(normal(sql).as_bytes()).to_string();
    hash.truncate(DIGITS);
    hash
}

/// The text without parts that SQLite or a renamed table may change and that have no meaning: white space, comments, case and quotes of
/// names. Strings stay as they are, and so do quoted names that would have another meaning without quotes.
fn normal(sql: &str) -> String {
    let mut normal = String::with_capacity(sql.len());
    let mut rest = sql;
    let mut after_word = false;
    while let Some(first) = rest.chars().next() {
        let (length, word) = match first {
            _ if first.is_whitespace() => (first.len_utf8(), None),
            '-' if rest.starts_with("--") => (rest.find('\n').unwrap_or(rest.len()), None),
            '/' if rest.starts_with("/*") => (rest[2..].find("*/").map_or(rest.len(), |end| end + 4), None),
            '"' | '`' | '[' => {
                let end = if first == '[' { ']' } else { first };
                let length = quoted(rest, end);
                let name = &rest[1..length];
                let name = name.strip_suffix(end).unwrap_or(name);
                if is_name(name) {
                    (length, Some(name))
                } else {
                    normal.push('"');
                    normal.push_str(name);
                    normal.push('"');
                    after_word = false;
                    (length, None)
                }
            }
            _ if is_of_word(first) => {
                let length = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
                (length, Some(&rest[..length]))
            }
            _ => {
                let length = if first == '\'' { quoted(rest, first) } else { first.len_utf8() };
                normal.push_str(&rest[..length]);
                after_word = false;
                (length, None)
            }
        };
        if let Some(word) = word {
            if after_word {
                normal.push(' ');
            }
            let start = normal.len();
            normal.push_str(word);
            normal[start..].make_ascii_lowercase();
            after_word = true;
        }
        rest = &rest[length..];
    }
    normal
}

/// Whether it means the same without quotes.
fn is_name(quoted: &str) -> bool {
    quoted.chars().all(is_of_word)
        && quoted.starts_with(|first: char| !first.is_ascii_digit())
        && !WORDS.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case(quoted))
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

/// The length of a quoted text, up to its closing quote; a doubled quote is part of it.
fn quoted(text: &str, end: char) -> usize {
    let mut at = 1;
    while let Some(next) = text[at..].find(end) {
        at += next + 1;
        if !text[at..].starts_with(end) {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// Reads all of it.
pub(super) fn read(connection: &Connection) -> Result<()> {
    Ok(connection.prepare("SELECT sql FROM sqlite_schema")?.query_map([], |_| Ok(()))?.try_for_each(|row| row)?)
}

/// The version of the schema in a file.
pub(super) fn version(connection: &Connection) -> Result<u32> {
    Ok(connection.prepare_cached("PRAGMA user_version")?.query_row([], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::migrate::tests::{memory, migrated_to};

    /// The list of the objects in this database.
    fn list(connection: &Connection) -> String {
        let mut rows = connection.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").unwrap();
        let line = |kind: String, name: String, sql: Option<String>| {
            let kept_by_sqlite = name.starts_with("sqlite_") || name.starts_with("session_text_") || name.starts_with("search_");
            let hash = sql.filter(|_| !kept_by_sqlite).map_or(BY_NAME.to_owned(), |sql| hash_of(&sql));
            format!("{kind} {name} {hash}\n")
        };
        rows.query_map([], |row| Ok(line(row.get(0)?, row.get(1)?, row.get(2)?))).unwrap().map(|line| line.unwrap()).collect()
    }

    #[test]
    fn every_version_has_the_list_of_its_schema() {
        for version in 1..=crate::store::migrate::tests::NEWEST {
            let expected = list(&migrated_to(version));
            let committed = LISTS.get(version - 1).copied().unwrap_or_default();
            assert!(committed == expected, "src/store/sql/{version:04}.list has to be:\n{expected}");
            check(&migrated_to(version), version as u32).unwrap();
            assert_eq!(faults(&migrated_to(version)).unwrap(), [""; 0]);
        }
    }

    #[test]
    fn a_schema_as_the_core_makes_it_is_known_by_one_hash() {
        let newest = migrated_to(crate::store::migrate::tests::NEWEST);
        assert_eq!(hash_of_all(&newest).unwrap().to_string(), AS_MADE, "`AS_MADE` has to be this");
        newest.execute_batch("CREATE TABLE more (name TEXT)").unwrap();
        assert_ne!(hash_of_all(&newest).unwrap().to_string(), AS_MADE);
    }

    #[test]
    fn every_keyword_of_a_schema_is_known() {
        let files = [include_str!("sql/0001_initial.sql"), include_str!("sql/0002_delivery.sql"), include_str!("sql/0003_the_file.sql")];
        let text = files.iter().flat_map(|file| file.lines()).filter_map(|line| line.split("--").next());
        for word in text.flat_map(|text| text.split(|c| !is_of_word(c))).filter(|word| word.len() > 1) {
            let is_said = !word.contains(|c: char| !c.is_ascii_uppercase());
            assert!(!is_said || word == "KEY" || !is_name(word), "{word}");
        }
    }

    #[test]
    fn missing_or_different_objects_are_damage_and_unknown_ones_are_reported() {
        let newest = crate::store::migrate::tests::NEWEST;
        for (change, refused, told) in [
            ("DROP TRIGGER outbox_is_frozen", true, "the schema lacks trigger outbox_is_frozen"),
            ("DROP INDEX outbox_due", true, "the schema lacks index outbox_due"),
            ("ALTER TABLE note ADD COLUMN more TEXT", true, "the schema has a different table note"),
            (
                "DROP TRIGGER tombstone_stays; CREATE TRIGGER tombstone_stays BEFORE DELETE ON tombstone BEGIN SELECT 1; END",
                true,
                "the schema has a different trigger tombstone_stays",
            ),
            ("CREATE TRIGGER more AFTER INSERT ON outbox BEGIN SELECT 1; END", false, "the schema has an unknown object: trigger more"),
            ("CREATE TABLE more (name TEXT)", false, "the schema has an unknown object: table more"),
        ] {
            let connection = migrated_to(newest);
            connection.execute_batch(change).unwrap();
            let checked = check(&connection, newest as u32);
            assert_eq!(matches!(checked, Err(StoreError::Corrupt(_))), refused, "{change}");
            assert_eq!(checked.is_ok(), !refused, "{change}");
            let acts = check_others(&connection, newest as u32).is_err();
            assert_eq!(acts, change.starts_with("CREATE TRIGGER"), "{change}");
            assert_eq!(faults(&connection).unwrap(), [told]);
        }
        assert_eq!(faults(&memory()).unwrap(), [""; 0], "a new file");
    }

    #[test]
    fn white_space_comments_case_and_quotes_of_names_make_no_difference() {
        let text = "CREATE TABLE t (a TEXT CHECK (a <> 'Two  Words -- it''s'), b INTEGER)";
        for same in [
            "create  table\n\"t\"(a text check(a<>'Two  Words -- it''s'),b integer)",
            "CREATE TABLE [T] (`A` TEXT -- why\n CHECK (a <> 'Two  Words -- it''s'), /* and */ b INTEGER)",
        ] {
            assert_eq!(normal(same), normal(text));
        }
        for other in [
            "CREATE TABLE t (a TEXT CHECK (a <> 'Two Words -- it''s'), b INTEGER)",
            "CREATE TABLE t (a TEXT CHECK (a <> 'two  words -- it''s'), b INTEGER)",
            "CREATE TABLE t (aTEXT CHECK (a <> 'Two  Words -- it''s'), b INTEGER)",
            "CREATE TABLE t (a TEXT, b INTEGER)",
            "CREATE TABLE t (a TEXT CHECK (a <> 'Two  Words -- it''s'), \"b INTEGER\")",
            "CREATE TABLE t (a TEXT \"CHECK\" (a <> 'Two  Words -- it''s'), b INTEGER)",
        ] {
            assert_ne!(normal(other), normal(text));
        }
        assert_ne!(normal("SELECT \"1\""), normal("SELECT 1"));
        assert_ne!(normal("a IS NOT [Null]"), normal("a IS NOT NULL"));
        assert_eq!(normal("[a b] IS `c``d`"), normal("\"a b\" is \"c``d\""));
        for cut in (0..text.len()).chain(["\"", "'", "[", "`", "/*", "--", "/*/"].map(str::len)) {
            normal(&text[..cut]);
        }
        for odd in ["\"", "'", "[", "`", "/*", "--", "/*/", "a\"b", "''", "\"\"\"", "é\u{a0}'é", "[]"] {
            normal(odd);
        }
    }
}
