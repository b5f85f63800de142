//! Sessions: the event log, and the projections that commands and screens read.
//!
//! [`append`] writes an event and everything it changes in one transaction. [`load`] reads projections and never replays.

use rusqlite::{OptionalExtension, params};

use super::row::{from_json, from_ms, optional_time, session_state, sha256, to_json, to_ms};
use super::{Connection, Result, StoreError, Transaction};
use crate::crypto::Sha256;
use crate::engine::session::{NOTE, State, StoredValue, Visit};
use crate::model::{Act, Event, FieldState, Note, RedactionTarget, SessionKey, ValueSource, WorkflowRef};
use crate::sorted::SortedMap;

/// The column of a note whose text was redacted: no note is empty.
const REDACTED_NOTE: &str = "";

/// A session as it is stored.
pub(crate) struct Stored {
    pub(crate) id: i64,
    pub(crate) workflow_id: i64,
    pub(crate) workflow_hash: Sha256,
    pub(crate) state: State,
}

/// Reads a session from its projections.
pub(crate) fn load(connection: &Connection, key: SessionKey) -> Result<Option<Stored>> {
    let row = connection
        .prepare_cached(
            "SELECT s.id, s.workflow_id, s.state, s.won, s.actor, s.started_at, s.finished_at, s.end_reason, s.last_seq, s.last_visit,
                    w.key, w.name, w.version, w.local_revision, w.hash,
                    ifnull((SELECT at FROM event e WHERE e.session_id = s.id AND e.seq = s.last_seq), s.started_at)
               FROM session s JOIN workflow w ON w.id = s.workflow_id WHERE s.key = ?1",
        )?
        .query_row([key.0.as_bytes()], |row| {
            let workflow = WorkflowRef { key: row.get(10)?, name: row.get(11)?, version: row.get(12)?, local_revision: row.get(13)? };
            let times = (row.get::<_, i64>(5)?, row.get::<_, Option<i64>>(6)?, row.get::<_, i64>(15)?);
            let state = State {
                key,
                workflow,
                state: crate::model::SessionState::InProgress,
                won: row.get(3)?,
                actor: row.get(4)?,
                started_at: crate::model::Timestamp::default(),
                finished_at: None,
                end_reason: row.get(7)?,
                last_seq: row.get(8)?,
                last_at: crate::model::Timestamp::default(),
                last_visit: row.get(9)?,
                path: Vec::new(),
                values: SortedMap::new(),
                notes: Vec::new(),
            };
            Ok((row.get(0)?, row.get(1)?, row.get::<_, Vec<u8>>(14)?, state, row.get::<_, String>(2)?, times))
        })
        .optional()?;
    let Some((id, workflow_id, hash, projected, state, (started_at, finished_at, last_at))) = row else { return Ok(None) };
    let mut stored = Stored { id, workflow_id, workflow_hash: sha256(&hash)?, state: projected };
    stored.state.state = session_state(&state)?;
    stored.state.started_at = from_ms(started_at)?;
    stored.state.finished_at = optional_time(finished_at)?;
    stored.state.last_at = from_ms(last_at)?;
    stored.state.path = path(connection, stored.id)?;
    if stored.state.path.is_empty() {
        return Err(StoreError::Unreadable("a session has no visit".to_owned()));
    }
    stored.state.values = values(connection, stored.id)?;
    stored.state.notes = notes(connection, stored.id)?;
    Ok(Some(stored))
}

/// Half-typed text by field; that of a note by the empty key.
pub(crate) fn drafts(connection: &Connection, id: i64) -> Result<SortedMap<String, String>> {
    let mut statement = connection.prepare_cached("SELECT field, text FROM draft WHERE session_id = ?1")?;
    let mut rows = statement.query([id])?;
    let mut drafts = SortedMap::new();
    while let Some(row) = rows.next()? {
        drafts.insert(row.get(0)?, row.get(1)?);
    }
    Ok(drafts)
}

/// Saves half-typed text; an empty text deletes it.
pub(crate) fn save_draft(tx: &Transaction<'_>, id: i64, field: &str, text: &str) -> Result<()> {
    if text.is_empty() {
        tx.prepare_cached("DELETE FROM draft WHERE session_id = ?1 AND field = ?2")?.execute(params![id, field])?;
    } else {
        tx.prepare_cached(
            "INSERT INTO draft (session_id, field, text) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET text = excluded.text",
        )?
        .execute(params![id, field, text])?;
    }
    Ok(())
}

/// The whole event log of a session, in order.
pub(crate) fn events(connection: &Connection, id: i64) -> Result<Vec<Event>> {
    let mut statement = connection
        .prepare_cached("SELECT seq, v, at, wall_at, utc_offset, actor, command_id, json FROM event WHERE session_id = ?1 ORDER BY seq")?;
    let mut rows = statement.query([id])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(Event {
            seq: row.get(0)?,
            v: row.get(1)?,
            at: from_ms(row.get(2)?)?,
            wall_at: optional_time(row.get(3)?)?,
            utc_offset: row.get(4)?,
            actor: row.get(5)?,
            command_id: row.get(6)?,
            act: from_json(&row.get::<_, String>(7)?, "an event")?,
        });
    }
    Ok(events)
}

/// Inserts a session that has just started, with its first event.
pub(crate) fn insert(
    tx: &Transaction<'_>,
    workflow_id: i64,
    state: &State,
    section_name: &str,
    event: &Event,
    command_hash: Option<Sha256>,
) -> Result<i64> {
    tx.prepare_cached(
        "INSERT INTO session (key, workflow_id, state, actor, started_at, section_name, last_visit, last_seq, actions_differing)
         VALUES (?1, ?2, 'in_progress', ?3, ?4, ?5, ?6, ?7, 0)",
    )?
    .execute(params![
        state.key.0.as_bytes(),
        workflow_id,
        state.actor,
        to_ms(state.started_at),
        section_name,
        state.last_visit,
        state.last_seq
    ])?;
    let id = tx.last_insert_rowid();
    write_event(tx, id, event, command_hash)?;
    project(tx, id, state, event)?;
    Ok(id)
}

/// Appends an event, and writes its changes. `state` is the state after it.
pub(crate) fn append(
    tx: &Transaction<'_>,
    id: i64,
    state: &State,
    section_name: &str,
    event: &Event,
    command_hash: Option<Sha256>,
) -> Result<()> {
    write_event(tx, id, event, command_hash)?;
    project(tx, id, state, event)?;
    match event.act {
        Act::Completed { .. } | Act::Ended { .. } | Act::Discarded => {
            tx.prepare_cached(
                "UPDATE session SET state = ?2, won = ?3, finished_at = ?4, end_reason = ?5, last_seq = ?6,
                                    finished_age = (SELECT age FROM meta WHERE id = 1)
                  WHERE id = ?1",
            )?
            .execute(params![
                id,
                state.state.as_str(),
                state.won,
                state.finished_at.map(to_ms),
                state.end_reason,
                state.last_seq
            ])?;
        }
        Act::Answered { .. } | Act::WentBack { .. } => {
            tx.prepare_cached("UPDATE session SET section_name = ?2, last_visit = ?3, last_seq = ?4 WHERE id = ?1")?.execute(params![
                id,
                section_name,
                state.last_visit,
                state.last_seq
            ])?;
        }
        _ => {
            tx.prepare_cached("UPDATE session SET last_seq = ?2 WHERE id = ?1")?.execute(params![id, state.last_seq])?;
        }
    }
    Ok(())
}

pub(super) fn write_event(tx: &Transaction<'_>, id: i64, event: &Event, command_hash: Option<Sha256>) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO event (session_id, seq, type, v, at, wall_at, utc_offset, actor, command_id, command_hash, json)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        id,
        event.seq,
        event.act.type_name(),
        event.v,
        to_ms(event.at),
        event.wall_at.map(to_ms),
        event.utc_offset,
        event.actor,
        event.command_id,
        command_hash.map(|hash| hash.0),
        to_json(&event.act)?
    ])?;
    Ok(())
}

fn project(tx: &Transaction<'_>, id: i64, state: &State, event: &Event) -> Result<()> {
    match &event.act {
        Act::Started { prefill, .. } => {
            insert_visit(tx, id, state.current())?;
            write_values(tx, id, state, prefill.iter().map(|set| &set.field))?;
        }
        Act::FieldsSet { values } => {
            write_values(tx, id, state, values.iter().map(|set| &set.field))?;
        }
        Act::Answered { visit, answer, .. } => {
            tx.prepare_cached("UPDATE visit SET answer = ?3 WHERE session_id = ?1 AND number = ?2")?.execute(params![id, visit, answer])?;
            insert_visit(tx, id, state.current())?;
        }
        Act::WentBack { to_visit, .. } => {
            tx.prepare_cached("UPDATE visit SET superseded = 1 WHERE session_id = ?1 AND number >= ?2 AND superseded = 0")?
                .execute(params![id, to_visit])?;
            insert_visit(tx, id, state.current())?;
        }
        Act::Noted { text } => {
            tx.prepare_cached("INSERT INTO note (session_id, seq, at, actor, text) VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
                id,
                event.seq,
                to_ms(event.at),
                event.actor,
                note_column(text)
            ])?;
        }
        Act::Edited { fields, notes, .. } => {
            write_values(tx, id, state, fields.iter().map(|edit| &edit.field))?;
            let mut statement = tx.prepare_cached("UPDATE note SET text = ?3, edited = 1 WHERE session_id = ?1 AND seq = ?2")?;
            for edit in notes {
                statement.execute(params![id, edit.note, note_column(&edit.to)])?;
            }
        }
        Act::Completed { .. } | Act::Ended { .. } | Act::Discarded => {
            tx.prepare_cached("DELETE FROM draft WHERE session_id = ?1")?.execute([id])?;
        }
        Act::Redacted { target: RedactionTarget::Field { key }, .. } => {
            write_values(tx, id, state, std::iter::once(key))?;
            save_draft(tx, id, key, "")?;
        }
        Act::Redacted { target: RedactionTarget::Note { seq }, .. } => {
            tx.prepare_cached("UPDATE note SET text = ?3 WHERE session_id = ?1 AND seq = ?2")?.execute(params![id, seq, REDACTED_NOTE])?;
            // The half-typed note may be this one, changed.
            save_draft(tx, id, NOTE, "")?;
        }
        Act::ResponseUsed { .. } | Act::SendRequested { .. } | Act::Abandoned { .. } => {}
    }
    Ok(())
}

/// The text of a note for its column.
fn note_column(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or(REDACTED_NOTE)
}

fn insert_visit(tx: &Transaction<'_>, id: i64, visit: &Visit) -> Result<()> {
    tx.prepare_cached("INSERT INTO visit (session_id, number, section, at, answer) VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
        id,
        visit.number,
        visit.section,
        to_ms(visit.at),
        visit.answer
    ])?;
    Ok(())
}

fn write_values<'a>(tx: &Transaction<'_>, id: i64, state: &State, fields: impl Iterator<Item = &'a String>) -> Result<()> {
    let mut upsert = tx.prepare_cached(
        "INSERT INTO value (session_id, field, json, completed_at, source) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET json = excluded.json, completed_at = excluded.completed_at, source = excluded.source",
    )?;
    let mut delete = tx.prepare_cached("DELETE FROM value WHERE session_id = ?1 AND field = ?2")?;
    for field in fields {
        match state.values.get(field) {
            Some(held) => {
                let source = match &held.source {
                    ValueSource::Technician => None,
                    ValueSource::Prefill(name) => Some(name),
                };
                upsert.execute(params![id, field, to_json(&held.state)?, to_ms(held.completed_at), source])?;
            }
            None => {
                delete.execute(params![id, field])?;
            }
        }
    }
    Ok(())
}

fn path(connection: &Connection, id: i64) -> Result<Vec<Visit>> {
    let mut statement = connection
        .prepare_cached("SELECT number, section, at, answer FROM visit WHERE session_id = ?1 AND superseded = 0 ORDER BY number")?;
    let mut rows = statement.query([id])?;
    let mut path = Vec::new();
    while let Some(row) = rows.next()? {
        path.push(Visit { number: row.get(0)?, section: row.get(1)?, at: from_ms(row.get(2)?)?, answer: row.get(3)? });
    }
    Ok(path)
}

fn values(connection: &Connection, id: i64) -> Result<SortedMap<String, StoredValue>> {
    let mut statement = connection.prepare_cached("SELECT field, json, completed_at, source FROM value WHERE session_id = ?1")?;
    let mut rows = statement.query([id])?;
    let mut values = SortedMap::new();
    while let Some(row) = rows.next()? {
        let state: FieldState = from_json(&row.get::<_, String>(1)?, "a value")?;
        let source = row.get::<_, Option<String>>(3)?.map_or(ValueSource::Technician, ValueSource::Prefill);
        values.insert(row.get(0)?, StoredValue { state, completed_at: from_ms(row.get(2)?)?, source });
    }
    Ok(values)
}

fn notes(connection: &Connection, id: i64) -> Result<Vec<Note>> {
    let mut statement = connection.prepare_cached("SELECT seq, at, actor, text, edited FROM note WHERE session_id = ?1 ORDER BY seq")?;
    let mut rows = statement.query([id])?;
    let mut notes = Vec::new();
    while let Some(row) = rows.next()? {
        let text = Some(row.get::<_, String>(3)?).filter(|text| text != REDACTED_NOTE);
        notes.push(Note { seq: row.get(0)?, at: from_ms(row.get(1)?)?, actor: row.get(2)?, text, edited: row.get(4)? });
    }
    Ok(notes)
}
