//! Ids of commands, so that a repeated call changes nothing. The id of a command with an event is stored there; every other one here.
//!
//! When a session is deleted or something of it is redacted, the hashes of its commands are deleted: a keyed hash of their ids stays.

use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, params};

use super::row::{self, sha256};
use super::{Connection, Result, Transaction, meta};
use crate::crypto::{Sha256, hmac_sha256};
use crate::model::SessionKey;

/// The outcome of a command without an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Carried out; its events have other ids or none.
    Done,
    /// The session was already in the requested state.
    Unchanged,
    /// The session had moved on.
    Stale,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Unchanged => "unchanged",
            Outcome::Stale => "stale",
        }
    }
}

/// Where an id was used before: the session, and the hash of the command's content; none once that was deleted.
pub(crate) fn find(connection: &Connection, command_id: &str) -> Result<Option<(SessionKey, Option<Sha256>)>> {
    let keyed = keyed(&meta::load(connection)?.install_id, command_id.as_bytes());
    let found: Option<(Vec<u8>, Option<Vec<u8>>)> = connection
        .prepare_cached(
            "SELECT s.key, e.command_hash FROM event e JOIN session s ON s.id = e.session_id WHERE e.command_id = ?1
              UNION ALL
             SELECT s.key, c.command_hash FROM command c JOIN session s ON s.id = c.session_id WHERE c.command_id = ?1
              UNION ALL
             SELECT session_key, NULL FROM hashed_command WHERE id_hash = ?2",
        )?
        .query_row(params![command_id, keyed], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found.map(|(key, hash)| Ok((row::session_key(&key)?, hash.map(|hash| sha256(&hash)).transpose()?))).transpose()
}

/// Remembers an id that is in no event.
pub(crate) fn remember(tx: &Transaction<'_>, session_id: i64, command_id: &str, hash: Sha256, outcome: Outcome) -> Result<()> {
    tx.prepare_cached("INSERT INTO command (command_id, command_hash, session_id, outcome) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        command_id,
        hash.0,
        session_id,
        outcome.as_str()
    ])?;
    Ok(())
}

/// Keeps keyed hashes of a session's ids, to recognise repeated calls once the ids are deleted. `age` is the current age.
pub(super) fn keep_hashes(tx: &Transaction<'_>, session_id: i64, age: i64) -> Result<()> {
    let install_id = meta::load(tx)?.install_id;
    let mut ids = tx.prepare_cached(
        "SELECT command_id FROM event WHERE session_id = ?1 AND command_id IS NOT NULL
          UNION ALL
         SELECT command_id FROM command WHERE session_id = ?1",
    )?;
    let mut keep = tx.prepare_cached(
        "INSERT OR IGNORE INTO hashed_command (id_hash, session_key, hashed_age) SELECT ?1, key, ?2 FROM session WHERE id = ?3",
    )?;
    let mut ids = ids.query([session_id])?;
    while let Some(id) = ids.next()? {
        // A value that is not text was not an id.
        if let ValueRef::Text(id) = id.get_ref(0)? {
            keep.execute(params![keyed(&install_id, id), age, session_id])?;
        }
    }
    Ok(())
}

/// Forgets ids that were kept before this age, at most `limit`. Gives their number.
pub(super) fn forget_hashes(tx: &Transaction<'_>, before: i64, limit: u32) -> Result<usize> {
    let oldest = "DELETE FROM hashed_command
                  WHERE id_hash IN (SELECT id_hash FROM hashed_command WHERE hashed_age < ?1 ORDER BY hashed_age LIMIT ?2)";
    Ok(tx.prepare_cached(oldest)?.execute(params![before, limit])?)
}

fn keyed(install_id: &str, command_id: &[u8]) -> [u8; 32] {
    hmac_sha256(install_id.as_bytes(), &[command_id])
}
