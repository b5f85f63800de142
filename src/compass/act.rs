//! One act of a technician: from a command to an event with everything it changes, inside a transaction that the caller holds.

use std::sync::{Arc, PoisonError};

use serde::Serialize;

use super::{Inner, Result};
use crate::crypto::Sha256;
use crate::engine::document::{StoredDocument, StoredFault};
use crate::engine::session as engine;
use crate::error::Error;
use crate::model::{Act, EVENT_VERSION, Event, SessionKey, Timestamp, Workflow, WorkflowRef};
use crate::store::{self, Connection, Transaction, session::Stored};

/// A session with its workflow, as an act needs it.
#[derive(Clone)]
pub(super) struct Subject {
    pub(super) id: i64,
    pub(super) document: Arc<StoredDocument>,
    /// Of the document, as it was imported.
    pub(super) hash: Sha256,
    pub(super) state: engine::State,
}

/// Who acts, and when.
pub(super) struct Stamp<'a> {
    pub(super) at: Timestamp,
    pub(super) utc_offset: i32,
    pub(super) actor: Option<&'a str>,
}

/// What is known of a command id.
pub(super) enum Known {
    /// It was never used.
    New,
    /// This very command was carried out before, on this session.
    Repeated(SessionKey),
}

impl Inner {
    pub(super) fn stamp<'a>(&self, actor: Option<&'a str>) -> Result<Stamp<'a>> {
        if let Some(actor) = actor {
            engine::check_actor(actor)?;
        }
        let at = self.now();
        Ok(Stamp { at, utc_offset: self.clock.utc_offset(at), actor })
    }

    /// Reads a session that must be there.
    pub(super) fn subject(&self, connection: &Connection, key: SessionKey) -> Result<Subject> {
        match store::session::load(connection, key)? {
            Some(Stored { id, workflow_id, workflow_hash, state }) => {
                let document = self.document_of(connection, workflow_id, workflow_hash)?;
                Ok(Subject { id, document, hash: workflow_hash, state })
            }
            None if store::retention::is_tombstone(connection, key)? => Err(Error::DeletedSession { key }),
            None => Err(Error::UnknownSession { key }),
        }
    }

    /// Reads a session that an act is to change. One whose document requires what this release does not know can only be read.
    pub(super) fn subject_to_change(&self, connection: &Connection, key: SessionKey) -> Result<Subject> {
        let subject = self.subject(connection, key)?;
        match subject.document.unknown.as_slice() {
            [] => Ok(subject),
            unknown => Err(Error::RequiresNewerCore { workflow: subject.state.workflow.clone(), unknown: unknown.to_vec() }),
        }
    }

    /// The document of a row, read and verified once per handle. Known by its hash: a row of another process may have taken its place.
    pub(super) fn document_of(&self, connection: &Connection, id: i64, hash: Sha256) -> Result<Arc<StoredDocument>> {
        if let Some(known) = self.documents.lock().unwrap_or_else(PoisonError::into_inner).get(&hash) {
            return Ok(Arc::clone(known));
        }
        let (workflow, hash, document) = store::workflow::by_id(connection, id)?;
        let document = StoredDocument::read(&document, hash).map(Arc::new).map_err(|fault| unreadable(workflow, fault))?;
        self.documents.lock().unwrap_or_else(PoisonError::into_inner).insert(hash, Arc::clone(&document));
        Ok(document)
    }
}

/// A stored document that is not what it was is damage; one that is, and does not read back, is a fault of ours.
pub(super) fn unreadable(workflow: WorkflowRef, fault: StoredFault) -> Error {
    let detail = document_fault(&workflow, &fault);
    match fault {
        StoredFault::Changed => Error::Corrupt { detail },
        StoredFault::Unreadable => Error::Internal { detail },
        StoredFault::RequiresNewerCore { unknown } => Error::RequiresNewerCore { workflow, unknown },
    }
}

/// The same in words.
pub(super) fn document_fault(workflow: &WorkflowRef, fault: &StoredFault) -> String {
    format!("the document of workflow {} {} {fault}", workflow.key, workflow.version_label())
}

impl Subject {
    pub(super) fn workflow(&self) -> &Workflow {
        &self.document.workflow
    }

    /// Gives the act its place in the log and applies it to the state.
    pub(super) fn advance(&mut self, act: Act, command_id: Option<&str>, stamp: &Stamp<'_>) -> Event {
        let event = Event {
            seq: self.state.last_seq + 1,
            v: EVENT_VERSION,
            at: stamp.at,
            utc_offset: stamp.utc_offset,
            actor: stamp.actor.map(str::to_owned),
            command_id: command_id.map(str::to_owned),
            act,
        };
        engine::apply(&mut self.state, &event);
        event
    }

    /// Writes an event that [`Subject::advance`] gave.
    pub(super) fn append(&self, tx: &Transaction<'_>, event: &Event, command_hash: Option<Sha256>) -> Result<()> {
        Ok(store::session::append(tx, self.id, &self.state, self.section_name(), event, command_hash)?)
    }

    pub(super) fn section_name(&self) -> &str {
        let key = &self.state.current().section;
        self.workflow().section(key).map_or(key.as_str(), |section| &section.name)
    }
}

/// Hash of what a command says, to tell a repeated call from a command id that is used twice.
pub(super) fn command_hash(session: Option<SessionKey>, content: &impl Serialize) -> Result<Sha256> {
    let json = serde_json::to_vec(&(session, content)).map_err(|_| Error::Internal { detail: "a command cannot be written".to_owned() })?;
    Ok(Sha256::of(&json))
}

/// Looks a command id up.
///
/// # Errors
/// `CommandIdReused` when it stands for something else; `Refused` when it is no id.
pub(super) fn look_up(connection: &Connection, command_id: &str, hash: Sha256) -> Result<Known> {
    engine::check_command_id(command_id)?;
    match store::session::command(connection, command_id)? {
        None => Ok(Known::New),
        Some((session, before)) if before == hash => Ok(Known::Repeated(session)),
        Some(_) => Err(Error::CommandIdReused),
    }
}
