//! The look for damage: what SQLite finds, and rows as far as they can be read. What cannot be read is a finding, and hides no other.

use rusqlite::types::ValueRef;

use super::row::sha256;
use super::{Connection, Result, StoreError, search};
use crate::crypto::Sha256;
use crate::model::{DeliveryId, SessionKey};

/// Whether an error is a finding, and not a reason to look again later.
pub(crate) fn is_damage(error: &StoreError) -> bool {
    matches!(error, StoreError::Corrupt(_) | StoreError::Unreadable(_) | StoreError::Internal(_) | StoreError::Io(_) | StoreError::Foreign)
}

/// What SQLite itself finds wrong with the file, and with its references.
pub(crate) fn integrity(connection: &Connection, faults: &mut Vec<String>) -> Result<()> {
    let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let line: String = row.get(0)?;
        if line != "ok" {
            faults.push(line);
        }
    }
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        faults.push(format!("a row of {} refers to nothing", row.get::<_, String>(0)?));
    }
    Ok(())
}

/// The keys of all sessions, as far as they can be read.
pub(crate) fn sessions(connection: &Connection, keys: &mut Vec<SessionKey>, faults: &mut Vec<String>) -> Result<()> {
    let mut statement = connection.prepare("SELECT key FROM session ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        match row.get::<_, Vec<u8>>(0).map_err(StoreError::from).and_then(|key| super::row::session_key(&key)) {
            Ok(key) => keys.push(key),
            Err(error) => faults.push(error.to_string()),
        }
    }
    Ok(())
}

/// What lists show of a session that its own rows do not say: the counts of its actions, and the section that it stands in.
pub(crate) fn projections(connection: &Connection, id: i64, section: &str) -> Result<Vec<&'static str>> {
    let mut statement = connection.prepare_cached(
        "SELECT (s.actions_not_fired, s.actions_pending, s.actions_sent, s.actions_failed) IS (
                    SELECT count(*) FILTER (WHERE status = 'not_fired'), count(*) FILTER (WHERE status = 'pending'),
                           count(*) FILTER (WHERE status = 'sent'), count(*) FILTER (WHERE status = 'failed')
                      FROM action WHERE session_id = s.id),
                s.section_name = ?2
           FROM session s WHERE s.id = ?1",
    )?;
    let (counts, name): (bool, bool) = statement.query_row(rusqlite::params![id, section], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut faults = Vec::new();
    if !counts {
        faults.push("its counts are not those of its actions");
    }
    if !name {
        faults.push("its list shows another section than the one it stands in");
    }
    Ok(faults)
}

/// The actions of a session that show another status than their newest entry has.
pub(crate) fn statuses(connection: &Connection, id: i64) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT a.key FROM action a
          WHERE a.session_id = ?1
            AND CASE a.revision
                WHEN 0 THEN EXISTS (SELECT 1 FROM outbox o WHERE o.action_id = a.id)
                ELSE NOT EXISTS (
                    SELECT 1 FROM outbox o
                     WHERE o.action_id = a.id AND o.revision = a.revision AND o.reason IS a.reason
                       AND a.status = CASE o.state WHEN 'queued' THEN 'pending' WHEN 'leased' THEN 'pending' WHEN 'superseded' THEN 'failed'
                                                   ELSE o.state END)
                  OR EXISTS (SELECT 1 FROM outbox o WHERE o.action_id = a.id AND o.revision > a.revision) END",
    )?;
    let keys = statement.query_map([id], |row| row.get(0))?;
    Ok(keys.collect::<rusqlite::Result<_>>()?)
}

/// Whether search finds a session by this plain text, or is still to look at it.
pub(crate) fn is_found(connection: &Connection, id: i64, text: &str) -> Result<bool> {
    Ok(search::is_due(connection, id)? || search::text(connection, id)?.as_deref() == Some(text))
}

/// Messages whose bytes are not those that were frozen, or whose id is not the one that `id_of` makes of install, session, action and hash.
pub(crate) fn messages(
    connection: &Connection,
    id_of: impl Fn(&str, SessionKey, &str, &Sha256) -> DeliveryId,
    faults: &mut Vec<String>,
) -> Result<()> {
    let install_id: String = connection.query_row("SELECT install_id FROM meta WHERE id = 1", [], |row| row.get(0))?;
    let mut statement = connection.prepare(
        "SELECT o.delivery_id, o.body_sha256, s.key, a.key, o.body FROM outbox o
           LEFT JOIN action a ON a.id = o.action_id LEFT JOIN session s ON s.id = o.session_id ORDER BY o.id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id = match row.get_ref(0)? {
            ValueRef::Text(id) => String::from_utf8_lossy(id).into_owned(),
            _ => String::new(),
        };
        let hash = row.get::<_, Vec<u8>>(1).ok().and_then(|hash| sha256(&hash).ok());
        let body = match row.get_ref(4)? {
            ValueRef::Null => None,
            ValueRef::Blob(body) => Some(Sha256::of(body)),
            _ => Some(Sha256([0; 32])),
        };
        if body.is_some() && body != hash {
            faults.push(format!("the body of delivery {id} is not the one that was frozen"));
        }
        let session = row.get::<_, Vec<u8>>(2).ok().and_then(|key| super::row::session_key(&key).ok());
        let made = match (session, row.get::<_, String>(3), hash) {
            (Some(session), Ok(action), Some(hash)) => Some(id_of(&install_id, session, &action, &hash).0),
            _ => None,
        };
        if made.as_ref() != Some(&id) {
            faults.push(format!("the id of delivery {id} is not the one of its message"));
        }
    }
    Ok(())
}
