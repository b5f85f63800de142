//! The search index: which sessions it lacks, the texts of sessions, and which sessions a query finds.
//!
//! An act writes nothing here, except for an edit of a finished session, which leaves a mark. So a session is indexed again when it is newer
//! than all indexed ones, or when `open_text` has it with another last event than it has now.

use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, Row, params};

use super::row::session_key;
use super::{Connection, Result, StoreError, Transaction, check, cleaning, error};
use crate::crypto::Sha256;
use crate::engine::words::Query;
use crate::sorted::SortedSet;

use crate::model::SessionKey;

/// If the index finds more sessions than this, their rows are not read: with so many, reading the newest sessions soon finds a page of them.
const MANY: i64 = 2_000;

/// Finds the configuration table if the index would keep pieces of removed texts.
pub(super) const UNCLEAN: &str =
    "SELECT 'search_config' WHERE NOT EXISTS (SELECT 1 FROM search_config WHERE k = 'secure-delete' AND v = 1)";

/// Writes the hash of a session's text at the time its pieces were added to the index.
const WRITE_HASH: &str = "INSERT INTO indexed_text (session_id, sha256) VALUES (?1, ?2)";

/// The table of FTS5, which has the index in tables of its own.
pub(super) const TABLE: &str = "search";

/// The tables of the index, which can all be rebuilt, with the first byte of their pages: rows by number, or by a key.
pub(super) const TABLES: [(&str, u8); 6] =
    [("search_content", 13), ("search_data", 13), ("search_idx", 10), ("search_config", 10), ("indexed_text", 13), ("open_text", 13)];

/// The text by which a session is found.
pub(crate) struct Entry {
    /// In its plain form.
    pub(crate) text: String,
    /// Its last event, while it is in progress.
    pub(crate) open_at: Option<u32>,
}

/// The rows of sessions that have to be indexed again, at most `limit`.
pub(crate) fn due(connection: &Connection, limit: u32) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT o.session_id FROM open_text o JOIN session s ON s.id = o.session_id WHERE s.last_seq <> o.seq ORDER BY o.session_id LIMIT ?1",
    )?;
    let mut ids = statement.query_map([limit], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
    let left = limit - ids.len() as u32;
    let mut statement = connection.prepare_cached("SELECT id FROM session WHERE id > ?1 ORDER BY id LIMIT ?2")?;
    for id in statement.query_map(params![newest(connection)?, left], |row| row.get(0))? {
        ids.push(id?);
    }
    Ok(ids)
}

/// How many sessions have to be indexed again.
pub(crate) fn count_due(connection: &Connection) -> Result<u64> {
    let mut statement = connection.prepare_cached(
        "SELECT (SELECT count(*) FROM open_text o JOIN session s ON s.id = o.session_id WHERE s.last_seq <> o.seq)
              + (SELECT count(*) FROM session WHERE id > ?1)",
    )?;
    Ok(statement.query_row([newest(connection)?], |row| row.get::<_, i64>(0))? as u64)
}

/// Whether this session has to be indexed again.
pub(crate) fn is_due(connection: &Connection, id: i64) -> Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM open_text o JOIN session s ON s.id = o.session_id WHERE s.id = ?1 AND s.last_seq <> o.seq)",
    )?;
    Ok(id > newest(connection)? || statement.query_row([id], |row| row.get(0))?)
}

/// The newest indexed session. Those before it are indexed, too.
fn newest(connection: &Connection) -> Result<i64> {
    let newest = |statement: &str| connection.prepare_cached(statement)?.query_row([], |row| row.get(0)).optional();
    // A row after the newest session belongs to no session.
    let indexed: Option<i64> = newest("SELECT rowid FROM search WHERE rowid <= (SELECT max(id) FROM session) ORDER BY rowid DESC LIMIT 1")?;
    let open: Option<i64> = newest("SELECT session_id FROM open_text ORDER BY session_id DESC LIMIT 1")?;
    Ok(indexed.max(open).unwrap_or(0))
}

/// Removes rows of no session before a session gets that row: it would count as indexed.
pub(crate) fn remove_rows_without_session(tx: &Transaction<'_>) -> Result<()> {
    tx.prepare_cached("DELETE FROM search WHERE rowid > (SELECT max(id) FROM session)")?.execute([])?;
    Ok(())
}

/// The session in a row.
pub(crate) fn key_of(connection: &Connection, id: i64) -> Result<SessionKey> {
    let key: Vec<u8> = connection.prepare_cached("SELECT key FROM session WHERE id = ?1")?.query_row([id], |row| row.get(0))?;
    session_key(&key)
}

/// Writes the text by which a session is found from now on.
pub(crate) fn write(tx: &Transaction<'_>, id: i64, entry: &Entry) -> Result<()> {
    match entry.open_at {
        Some(seq) => {
            tx.prepare_cached(
                "INSERT INTO open_text (session_id, seq, text) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET seq = excluded.seq, text = excluded.text",
            )?
            .execute(params![id, seq, entry.text])?;
        }
        None => {
            let hash = Sha256::of(entry.text.as_bytes());
            // Removing a text from the index is slow.
            if indexed(tx, id)? != Indexed::AsWritten(hash) {
                take_out(tx, id)?;
                tx.prepare_cached("INSERT INTO search (rowid, text) VALUES (?1, ?2)")?.execute(params![id, entry.text])?;
                tx.prepare_cached(WRITE_HASH)?.execute(params![id, hash.0])?;
            }
            tx.prepare_cached("DELETE FROM open_text WHERE session_id = ?1")?.execute([id])?;
        }
    }
    Ok(())
}

/// Counts a session that this release cannot read as indexed: a mark without a text is for a later release.
pub(crate) fn skip(tx: &Transaction<'_>, id: i64) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO open_text (session_id, seq) SELECT id, last_seq FROM session WHERE id = ?1
         ON CONFLICT DO UPDATE SET seq = excluded.seq, text = NULL",
    )?
    .execute([id])?;
    Ok(())
}

/// Marks the skipped sessions of a document to be indexed again.
pub(crate) fn look_again_at(tx: &Transaction<'_>, workflow_id: i64) -> Result<()> {
    let marks = "UPDATE open_text SET seq = 0 WHERE text IS NULL AND session_id IN (SELECT id FROM session WHERE workflow_id = ?1)";
    tx.prepare_cached(marks)?.execute([workflow_id])?;
    Ok(())
}

/// Marks a finished session to be indexed again.
pub(crate) fn look_again(tx: &Transaction<'_>, id: i64) -> Result<()> {
    if id > newest(tx)? {
        // It is indexed later anyway; a mark would mean that those before it are indexed, too.
        return Ok(());
    }
    tx.prepare_cached("INSERT INTO open_text (session_id, seq) VALUES (?1, 0) ON CONFLICT DO UPDATE SET seq = 0")?.execute([id])?;
    Ok(())
}

/// Whether the index may have a text of this session.
pub(crate) fn is_known(connection: &Connection, id: i64) -> Result<bool> {
    Ok(id <= newest(connection)?)
}

/// Removes all words of a session.
pub(crate) fn remove(tx: &Transaction<'_>, id: i64) -> Result<()> {
    take_out(tx, id)?;
    tx.prepare_cached("DELETE FROM open_text WHERE session_id = ?1")?.execute([id])?;
    Ok(())
}

/// What the index has of a session.
#[derive(PartialEq)]
enum Indexed {
    Nothing,
    /// The text with this hash, whose pieces are in the index.
    AsWritten(Sha256),
    /// Another text than the one whose pieces are in the index, or none.
    Damaged,
}

/// Whether the pieces in the index are those of the text beside them, as far as is known.
pub(super) fn has_its_pieces(connection: &Connection, id: i64) -> Result<bool> {
    Ok(indexed(connection, id)? != Indexed::Damaged)
}

fn indexed(connection: &Connection, id: i64) -> Result<Indexed> {
    let mut statement = connection.prepare_cached("SELECT text FROM search WHERE rowid = ?1")?;
    let text = statement.query_row([id], |row| Ok(hash_of(row.get_ref(0)?))).optional()?;
    let mut statement = connection.prepare_cached("SELECT sha256 FROM indexed_text WHERE session_id = ?1")?;
    let is_as_written =
        |row: &Row<'_>| Ok(text.as_ref().is_some_and(|text| row.get_ref(0).is_ok_and(|hash| hash.as_blob() == Ok(&text.0))));
    let is_as_written = statement.query_row([id], is_as_written).optional()?;
    Ok(match (text, is_as_written) {
        (None, None) => Indexed::Nothing,
        (Some(text), Some(true)) => Indexed::AsWritten(text),
        _ => Indexed::Damaged,
    })
}

/// Also of a value that is no longer text.
fn hash_of(text: ValueRef<'_>) -> Sha256 {
    Sha256::of(text.as_bytes_or_null().ok().flatten().unwrap_or_default())
}

/// Removes a text from the index. FTS5 removes the pieces of the current text, so if that is not the indexed text, or the index is damaged, the
/// index is rebuilt.
fn take_out(tx: &Transaction<'_>, id: i64) -> Result<()> {
    let is_damaged = match indexed(tx, id)? {
        Indexed::Nothing => return Ok(()),
        Indexed::AsWritten(_) => false,
        Indexed::Damaged => true,
    };
    let out = || -> Result<()> {
        tx.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([id])?;
        tx.prepare_cached("DELETE FROM indexed_text WHERE session_id = ?1")?.execute([id])?;
        // FTS5 writes to its tables when a savepoint begins, and only then detects damage.
        Ok(tx.execute_batch("SAVEPOINT taken_out; RELEASE taken_out")?)
    };
    if !is_damaged {
        match out() {
            Err(StoreError::Corrupt(_)) => {}
            done => return done,
        }
    }
    if has_damaged_tree(tx)? {
        return Err(error::damage("a tree of the search index is damaged".to_owned()));
    }
    rebuild(tx)?;
    out()
}

/// Begins an index whose tables were emptied. All sessions are indexed again.
pub(super) fn begin(tx: &Transaction<'_>) -> Result<()> {
    // Without this, FTS5 does not accept the table.
    cleaning::without_defensive_mode(tx, || Ok(tx.execute_batch("INSERT INTO search_config (k, v) VALUES ('version', 4)")?))?;
    keep_clean(tx)?;
    Ok(tx.execute_batch("INSERT INTO search (search, rank) VALUES ('pgsz', 1000)")?)
}

/// Rebuilds the index where it is damaged. Says whether it was.
pub(super) fn repair(connection: &Connection) -> Result<bool> {
    match connection.execute_batch("INSERT INTO search (search) VALUES ('integrity-check')").map_err(StoreError::from) {
        // It is rebuilt where its trees can be.
        Err(StoreError::Corrupt(_)) if has_damaged_tree(connection)? => Ok(false),
        Err(StoreError::Corrupt(what)) => {
            log::warn!("the search index is damaged, and is rebuilt: {what}");
            rebuild(connection).map(|()| true)
        }
        other => other.map(|()| false),
    }
}

/// Whether a tree of the index is damaged: then it is emptied through the map of pages, in a transaction of its own.
fn has_damaged_tree(connection: &Connection) -> Result<bool> {
    for (table, _) in TABLES {
        if check::has_damaged_tree(connection, table, "table")? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Rebuilds the index from its texts. All sessions are indexed again, because one of the texts may be damaged, too.
fn rebuild(connection: &Connection) -> Result<()> {
    connection.execute_batch("INSERT INTO search (search) VALUES ('rebuild')")?;
    connection.execute_batch("DELETE FROM indexed_text")?;
    let mut texts = connection.prepare("SELECT s.rowid, s.text FROM search s JOIN session ON session.id = s.rowid")?;
    let mut rows = texts.query([])?;
    while let Some(row) = rows.next()? {
        connection.prepare_cached(WRITE_HASH)?.execute(params![row.get::<_, i64>(0)?, hash_of(row.get_ref(1)?).0])?;
    }
    connection
        .prepare_cached(
            "INSERT INTO open_text (session_id, seq) SELECT id, 0 FROM session WHERE id <= ?1 ON CONFLICT DO UPDATE SET seq = 0",
        )?
        .execute([newest(connection)?])?;
    Ok(())
}

/// Makes the index delete all pieces of removed texts, as the schema sets it. If that setting was changed meanwhile, the index is rebuilt.
pub(super) fn keep_clean(connection: &Connection) -> Result<()> {
    if connection.prepare(UNCLEAN)?.exists([])? {
        connection.execute_batch("INSERT INTO search (search) VALUES ('rebuild')")?;
        connection.execute_batch("INSERT INTO search (search, rank) VALUES ('secure-delete', 1)")?;
    }
    Ok(())
}

/// The current text by which a session is found.
pub(crate) fn text(connection: &Connection, id: i64) -> Result<Option<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT coalesce((SELECT text FROM open_text WHERE session_id = ?1), (SELECT text FROM search WHERE rowid = ?1))",
    )?;
    // A damaged text counts as none.
    Ok(statement.query_row([id], |row| Ok(row.get_ref(0)?.as_str().ok().map(str::to_owned)))?)
}

/// The sessions that a query may find.
pub(super) struct Candidates<'a> {
    query: &'a Query,
    ids: SortedSet<i64>,
    /// Older sessions are not known.
    known_from: i64,
}

impl<'a> Candidates<'a> {
    pub(super) fn of(connection: &Connection, query: &'a Query) -> Result<Self> {
        let pieces: Vec<String> = query.pieces().iter().map(|piece| format!("\"{piece}\"")).collect();
        let mut statement = connection.prepare_cached("SELECT rowid FROM search WHERE search MATCH ?1 ORDER BY rowid DESC LIMIT ?2")?;
        let found = statement.query_map(params![pieces.join(" AND "), MANY], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
        let known_from = if found.len() < MANY as usize { 0 } else { found.last().copied().unwrap_or(0) };
        let mut ids = found.into_iter().collect::<SortedSet<i64>>();
        let mut statement = connection.prepare_cached("SELECT session_id, text FROM open_text WHERE text IS NOT NULL")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if query.matches(row.get_ref(1)?.as_str().unwrap_or_default()) {
                ids.insert(row.get(0)?);
            }
        }
        Ok(Self { query, ids, known_from })
    }

    /// All candidates, where they are known.
    pub(super) fn all(&self) -> Option<&SortedSet<i64>> {
        (self.known_from == 0).then_some(&self.ids)
    }

    /// Whether the query finds this session.
    pub(super) fn has(&self, connection: &Connection, id: i64) -> Result<bool> {
        let may = id < self.known_from || self.ids.contains(&id);
        Ok(may && text(connection, id)?.is_some_and(|text| self.query.matches(&text)))
    }
}
