//! Undelivered messages that would be lost with a file that is replaced.

use rusqlite::{OptionalExtension, Row, params};

use super::carried::has_column;
use super::outbox::{ABANDONED, UNDELIVERED};
use super::row::{from_ms, session_key, sha256};
use super::{Connection, Result, StoreError, Transaction, session};
use crate::crypto::Sha256;
use crate::model::{Act, EVENT_VERSION, Event, SessionKey, Timestamp};

/// Whether the first text is the id of the message of this install, session, action, hash of its body, and revision.
pub(crate) type IsId = fn(&str, &str, SessionKey, &str, &Sha256, u32) -> bool;

/// An undelivered message.
pub(super) struct Message {
    entry: i64,
    delivery_id: String,
    body_sha256: Vec<u8>,
    /// It sends a delivered message once more.
    is_replay: bool,
}

/// The undelivered messages that the copy does not hold completely, with the same id and bytes, to be delivered. Of a copy no replay is made.
pub(super) fn not_in(present: &Connection, copy: Option<(&Connection, IsId)>) -> Result<Vec<Message>> {
    // An older schema has no replays.
    let replay = if has_column(present, "age", false)? { "o.replay > 0" } else { "0" };
    let mut statement =
        present.prepare(&format!("SELECT o.id, o.delivery_id, o.body_sha256, {replay} FROM outbox o WHERE {UNDELIVERED}"))?;
    let messages = statement.query_map([], |row| {
        Ok(Message { entry: row.get(0)?, delivery_id: row.get(1)?, body_sha256: row.get(2)?, is_replay: row.get(3)? })
    })?;
    let mut lost = Vec::new();
    for message in messages {
        let message = message?;
        let is_held = match copy {
            // An unreadable message is not held.
            Some((copy, is_id)) if !message.is_replay => match holds(copy, is_id, &message) {
                Err(error) if error.is_finding() => false,
                held => held?,
            },
            _ => false,
        };
        if !is_held {
            lost.push(message);
        }
    }
    Ok(lost)
}

/// Whether the copy will send this message or has sent it: its id matches its content, and its body is the frozen one.
fn holds(copy: &Connection, is_id: IsId, message: &Message) -> Result<bool> {
    let mut statement = copy.prepare_cached(
        "SELECT o.state = 'sent', m.install_id, s.key, a.key, b.bytes, o.revision
           FROM outbox o JOIN action a ON a.id = o.action_id JOIN session s ON s.id = o.session_id JOIN meta m ON m.id = 1
                LEFT JOIN body b ON b.sha256 = o.body_sha256
          WHERE o.delivery_id = ?1 AND o.replay = 0 AND o.body_sha256 = ?2
            AND NOT (o.state = 'superseded' OR o.state = 'failed' AND o.reason IS 'abandoned')",
    )?;
    let hash = sha256(&message.body_sha256)?;
    let held = |row: &Row<'_>| -> rusqlite::Result<_> {
        let body: Option<Vec<u8>> = row.get(4)?;
        let is_frozen = body.is_some_and(|body| Sha256::of(&body) == hash);
        Ok((
            row.get::<_, bool>(0)? || is_frozen,
            row.get::<_, String>(1)?,
            row.get::<_, Vec<u8>>(2)?,
            row.get::<_, String>(3)?,
            row.get(5)?,
        ))
    };
    let Some((is_there, install, session, action, revision)) =
        statement.query_row(params![message.delivery_id, message.body_sha256], held).optional()?
    else {
        return Ok(false);
    };
    Ok(is_there && is_id(&message.delivery_id, &install, session_key(&session)?, &action, &hash, revision))
}

/// Who abandons undelivered messages, why and when.
pub(crate) struct Abandonment<'a> {
    pub(crate) actor: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) at: Timestamp,
    pub(crate) utc_offset: i32,
}

/// Records in the kept file who abandoned these messages, and why: a process that opens it does not send them.
pub(super) fn abandon(tx: &Transaction<'_>, lost: &[Message], abandonment: &Abandonment<'_>) -> Result<()> {
    for message in lost {
        let (session, last, last_at, action): (i64, u32, i64, String) = tx.query_row(
            "SELECT s.id, s.last_seq, ifnull((SELECT at FROM event e WHERE e.session_id = s.id AND e.seq = s.last_seq), s.started_at), a.key
               FROM outbox o JOIN action a ON a.id = o.action_id JOIN session s ON s.id = o.session_id WHERE o.id = ?1",
            [message.entry],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )?;
        let seq = last.checked_add(1).ok_or_else(|| StoreError::Unreadable("a session's number of acts is out of range".to_owned()))?;
        let at = abandonment.at.max(from_ms(last_at)?);
        tx.execute(&format!("UPDATE outbox SET {ABANDONED}, detail = 'restored' WHERE id = ?1"), [message.entry])?;
        let event = Event {
            seq,
            v: EVENT_VERSION,
            at,
            wall_at: (abandonment.at < at).then_some(abandonment.at),
            utc_offset: abandonment.utc_offset,
            actor: Some(abandonment.actor.to_owned()),
            command_id: None,
            act: Act::Abandoned { action, reason: abandonment.reason.to_owned() },
        };
        session::write_event(tx, session, &event, None)?;
        tx.execute("UPDATE session SET last_seq = ?2 WHERE id = ?1", params![session, event.seq])?;
    }
    Ok(())
}
