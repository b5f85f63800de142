//! One act of a technician: from a command to an event with all its changes, inside the caller's transaction.

use std::sync::{Arc, PoisonError};

use serde::Serialize;

use super::compare::changes_messages;
use super::recent::WithDrafts;
use super::sizes::FieldSizes;
use super::{Inner, Result};
use crate::crypto::Sha256;
use crate::engine::document::{IndexedWorkflow, StoredDocument, StoredFault};
use crate::engine::session::{self as engine, ActContext};
use crate::error::Error;
use crate::model::{Act, ActionDefinition, Command, Event, SessionKey, SessionView, WorkflowRef};
use crate::sorted::{SortedMap, SortedSet};
use crate::store::command::Outcome;
use crate::store::{self, Connection, Transaction, session::Stored};

/// A session with its workflow, as an act needs it.
pub(super) struct LoadedSession {
    pub(super) id: i64,
    pub(super) document: Arc<StoredDocument>,
    /// Hash of the document at its import.
    pub(super) hash: Sha256,
    pub(super) state: engine::State,
    sizes: FieldSizes,
}

/// What is known about a command id.
pub(super) enum CommandLookup {
    /// It was never used.
    New,
    /// The same command was given before, on this session.
    Repeated(SessionKey),
}

impl Inner {
    pub(super) fn act_context(&self, actor: Option<&str>) -> Result<ActContext> {
        if let Some(actor) = actor {
            engine::check_actor(actor)?;
        }
        let at = self.now();
        Ok(ActContext { at, utc_offset: self.clock.utc_offset(at), actor: actor.map(str::to_owned) })
    }

    /// Reads a session that must exist.
    pub(super) fn load_session(&self, connection: &Connection, key: SessionKey) -> Result<LoadedSession> {
        match store::session::load(connection, key)? {
            Some(Stored { id, workflow_id, workflow_hash, state }) => {
                let document = self.document_of(connection, workflow_id, workflow_hash)?;
                Ok(LoadedSession::new(id, document, workflow_hash, state))
            }
            None if store::purge::is_tombstone(connection, key)? => Err(Error::DeletedSession { key }),
            None => Err(Error::UnknownSession { key }),
        }
    }

    /// Reads a session that an act will change. A session whose document requires unknown features can only be read.
    pub(super) fn load_session_to_change(&self, connection: &Connection, key: SessionKey) -> Result<LoadedSession> {
        let loaded = self.load_session(connection, key)?;
        match loaded.document.unknown.as_slice() {
            [] => Ok(loaded),
            unknown => Err(Error::RequiresNewerCore { workflow: loaded.state.workflow.clone(), unknown: unknown.to_vec() }),
        }
    }

    /// The same with its half-typed texts, as the last call left them in memory or from the file.
    pub(super) fn session_to_change(&self, tx: &Transaction<'_>, key: SessionKey) -> Result<WithDrafts> {
        let load = || -> Result<WithDrafts> {
            let loaded = self.load_session_to_change(tx, key)?;
            let drafts = store::session::drafts(tx, loaded.id)?;
            Ok(WithDrafts { loaded, drafts })
        };
        let Some(kept) = self.recent.take(key, self.store.mark(tx)?) else { return load() };
        if cfg!(debug_assertions)
            && let Ok(stored) = load()
        {
            // Without the values.
            let is_same = (&kept.loaded.state, kept.loaded.id, &kept.drafts) == (&stored.loaded.state, stored.loaded.id, &stored.drafts);
            assert!(is_same, "the session in memory is not the one in the file");
        }
        Ok(kept)
    }

    /// The document of a row, read and verified once per handle. Found by its hash: another process may have replaced the row.
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

/// A stored document that changed is damage; one that is unchanged but cannot be read is an error of this library.
pub(super) fn unreadable(workflow: WorkflowRef, fault: StoredFault) -> Error {
    let detail = document_fault(&workflow, &fault);
    match fault {
        StoredFault::Changed => Error::Corrupt { detail },
        StoredFault::Unreadable => Error::Internal { detail },
        StoredFault::RequiresNewerCore { unknown } => Error::RequiresNewerCore { workflow, unknown },
    }
}

/// The same as a text.
pub(super) fn document_fault(workflow: &WorkflowRef, fault: &StoredFault) -> String {
    format!("the document of workflow {} {} {fault}", workflow.key, workflow.version_label())
}

impl LoadedSession {
    pub(super) fn new(id: i64, document: Arc<StoredDocument>, hash: Sha256, state: engine::State) -> Self {
        Self { id, document, hash, state, sizes: FieldSizes::default() }
    }

    pub(super) fn workflow(&self) -> &IndexedWorkflow {
        &self.document.workflow
    }

    /// Writes an act as the session's next event, with what it changes.
    pub(super) fn act(&mut self, tx: &Transaction<'_>, act: Act, command: Option<(&str, Sha256)>, context: &ActContext) -> Result<()> {
        let event = engine::advance(&mut self.state, act, command.map(|(id, _)| id), context);
        self.append(tx, &event, command.map(|(_, hash)| hash))
    }

    /// Writes an event; `self.state` is already the state after it. What was sent is compared with it here, so that no act can forget that.
    pub(super) fn append(&mut self, tx: &Transaction<'_>, event: &Event, command_hash: Option<Sha256>) -> Result<()> {
        self.sizes.changed_by(&self.document.workflow, &event.act);
        store::session::append(tx, self.id, &self.state, self.section_name(), event, command_hash)?;
        if changes_messages(&event.act) { self.compare(tx) } else { Ok(()) }
    }

    /// The definition of an action. None where a damaged document has none.
    pub(super) fn action(&self, key: &str) -> Option<&ActionDefinition> {
        self.workflow().action(key).map(|(_, action)| action)
    }

    pub(super) fn view(&mut self, connection: &Connection) -> Result<SessionView> {
        let drafts = store::session::drafts(connection, self.id)?;
        Ok(self.view_with(&drafts))
    }

    /// The view with these half-typed texts. An end section says how large messages would be.
    pub(super) fn view_with(&mut self, drafts: &SortedMap<String, String>) -> SessionView {
        let workflow = &self.document.workflow;
        let (mut view, on_path) = engine::view_and_fields(workflow, &self.state, drafts);
        if view.section.is_end {
            self.sizes.complete(workflow, &self.state, &on_path, &mut view.would_fire);
        }
        view
    }

    pub(super) fn section_name(&self) -> &str {
        let key = &self.state.current().section;
        self.workflow().section(key).map_or(key.as_str(), |section| &section.name)
    }
}

/// Hash of a command's content, to distinguish a repeated call from a command id that is used twice.
pub(super) fn command_hash(session: Option<SessionKey>, content: &impl Serialize) -> Result<Sha256> {
    let json = serde_json::to_vec(&(session, content)).map_err(|_| Error::Internal { detail: "a command cannot be written".to_owned() })?;
    Ok(Sha256::of(&json))
}

/// Looks up a command id; without a session, one that starts a session. Once the command's hash is deleted, only its id shows a repeated command.
///
/// # Errors
/// `CommandIdReused` when it was used for another command; `Refused` when it is not a valid id.
pub(super) fn look_up(connection: &Connection, session: Option<SessionKey>, command_id: &str, hash: Sha256) -> Result<CommandLookup> {
    engine::check_command_id(command_id)?;
    match store::command::find(connection, command_id)? {
        None => Ok(CommandLookup::New),
        Some((key, Some(before))) if before == hash => Ok(CommandLookup::Repeated(key)),
        Some((key, None)) if session.is_none_or(|session| session == key) => Ok(CommandLookup::Repeated(key)),
        Some(_) => Err(Error::CommandIdReused),
    }
}

/// The ids of several commands on one session.
pub(super) struct Ids<'c> {
    /// The id of the whole call, where it has one.
    whole: Option<(&'c str, Sha256)>,
    /// The ids of commands that were given before.
    pub(super) repeated: SortedSet<&'c str>,
    /// The other ids, with the hash of the command's content.
    new: SortedMap<&'c str, Sha256>,
}

impl<'c> Ids<'c> {
    /// Looks up all of them. None: the whole call was made before.
    ///
    /// # Errors
    /// `CommandIdReused` when an id was used for another command, also in this call; `Refused` when one is not a valid id.
    pub(super) fn of(
        connection: &Connection,
        session: SessionKey,
        commands: &'c [Command],
        command_id: Option<&'c str>,
    ) -> Result<Option<Self>> {
        let mut ids = Self { whole: None, repeated: SortedSet::new(), new: SortedMap::new() };
        if let Some(id) = command_id {
            let hash = command_hash(Some(session), &commands)?;
            match look_up(connection, Some(session), id, hash)? {
                CommandLookup::Repeated(_) => return Ok(None),
                CommandLookup::New => ids.whole = Some((id, hash)),
            }
        }
        for command in commands {
            let Some(id) = command.command_id() else { continue };
            let hash = command_hash(Some(session), command)?;
            let is_first = match look_up(connection, Some(session), id, hash)? {
                CommandLookup::Repeated(_) => ids.repeated.insert(id),
                CommandLookup::New => command_id != Some(id) && ids.new.insert(id, hash).is_none(),
            };
            if !is_first {
                return Err(Error::CommandIdReused);
            }
        }
        Ok(Some(ids))
    }

    /// The hash to write with an event of this id; the event then remembers the id.
    pub(super) fn take(&mut self, event: &Event) -> Option<Sha256> {
        self.new.remove(event.command_id.as_deref()?)
    }

    /// Remembers all ids that no event remembers.
    pub(super) fn remember(self, tx: &Transaction<'_>, session_id: i64, whole: Outcome) -> Result<()> {
        if let Some((id, hash)) = self.whole {
            store::command::remember(tx, session_id, id, hash, whole)?;
        }
        let without_event = if whole == Outcome::Stale { Outcome::Stale } else { Outcome::Unchanged };
        for (id, hash) in self.new {
            store::command::remember(tx, session_id, id, hash, without_event)?;
        }
        Ok(())
    }
}
