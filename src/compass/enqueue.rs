//! Completing and ending: queues the actions of the path, in the transaction that finishes the session.

use super::command::LoadedSession;
use super::{Inner, Result};
use crate::crypto::Sha256;
use crate::engine::session as engine;
use crate::error::Error;
use crate::model::{ActionDefinition, SessionState, Submission, Timestamp};
use crate::outbox::reason;
use crate::store::outbox::NewEntry;
use crate::store::{self, Transaction, meta};
use crate::webhook;

/// The error for a message that is too large to send.
pub(super) fn too_large(action: &str, size: u64) -> Error {
    Error::PayloadTooLarge { action: action.to_owned(), size, limit: webhook::MAX_BODY as u64 }
}

/// A payload that is about to be frozen.
pub(super) struct Payload {
    pub(super) bytes: Vec<u8>,
    pub(super) hash: Sha256,
}

impl Payload {
    pub(super) fn of(submission: &Submission) -> Result<Self> {
        // A value that does not fit its definition cannot have passed validation.
        let bytes = webhook::payload(submission).map_err(|error| Error::Internal { detail: error.to_string() })?;
        let hash = Sha256::of(&bytes);
        Ok(Self { bytes, hash })
    }

    /// The payload for a send by a person.
    ///
    /// # Errors
    /// `PayloadTooLarge`; `Corrupt` where the document has no such action: which fields it leaves out is not known.
    pub(super) fn to_send(loaded: &LoadedSession, action: &str) -> Result<Self> {
        let Some(definition) = loaded.action(action) else {
            return Err(Error::Corrupt { detail: "the workflow has no action of this key".to_owned() });
        };
        let body = Self::of(&engine::submission(loaded.workflow(), &loaded.state, Some(definition)))?;
        if body.is_too_large() { Err(too_large(action, body.bytes.len() as u64)) } else { Ok(body) }
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.bytes.len() > webhook::MAX_BODY
    }
}

/// What the messages of a session would hold now, made at first use. Actions that send the same fields have the same.
pub(super) struct Payloads<'a> {
    loaded: &'a LoadedSession,
    made: Vec<(Option<&'a ActionDefinition>, Payload)>,
}

impl<'a> Payloads<'a> {
    pub(super) fn of(loaded: &'a LoadedSession) -> Self {
        Self { loaded, made: Vec::new() }
    }

    pub(super) fn of_action(&mut self, action: &str) -> Result<&Payload> {
        let action = self.loaded.action(action);
        let lists = |action: Option<&'a ActionDefinition>| action.map(|action| (&action.fields, &action.fields_except));
        let place = match self.made.iter().position(|(made, _)| lists(*made) == lists(action)) {
            Some(place) => place,
            None => {
                let submission = engine::submission(self.loaded.workflow(), &self.loaded.state, action);
                self.made.push((action, Payload::of(&submission)?));
                self.made.len() - 1
            }
        };
        Ok(&self.made[place].1)
    }
}

impl Inner {
    /// Adds an action for every action definition on the path, and freezes the messages of those that fire. Says whether there was any.
    pub(super) fn enqueue_actions(&self, tx: &Transaction<'_>, loaded: &LoadedSession, now: Timestamp) -> Result<bool> {
        let actions = engine::encountered(loaded.workflow(), &loaded.state);
        if actions.is_empty() {
            return Ok(false);
        }
        let meta = meta::load(tx)?;
        let not_fired = if loaded.state.state == SessionState::Ended {
            Some(reason::SESSION_ENDED)
        } else if !meta.integration_enabled {
            Some(reason::INTEGRATION_OFF)
        } else {
            None
        };
        let mut payloads = Payloads::of(loaded);
        for action in &actions {
            let (action_id, revision) = store::action::insert(tx, loaded.id, action, not_fired)?;
            if not_fired.is_none() {
                let body = payloads.of_action(&action.key)?;
                self.insert_entry(tx, &meta, loaded, action_id, revision, &action.key, &action.endpoint, body, now)?;
            }
        }
        Ok(true)
    }

    /// Freezes a message: from here on its id and bytes never change.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is one column of the entry, and there is one caller for a first and one for a corrected send"
    )]
    pub(super) fn insert_entry(
        &self,
        tx: &Transaction<'_>,
        meta: &meta::Meta,
        loaded: &LoadedSession,
        action_id: i64,
        revision: u32,
        action: &str,
        endpoint: &str,
        body: &Payload,
        now: Timestamp,
    ) -> Result<()> {
        self.need_series(tx)?;
        if body.bytes.len() > webhook::WARN_BODY {
            log::warn!("a payload of {} bytes; receivers prefer less than {}", body.bytes.len(), webhook::WARN_BODY);
        }
        let entry = NewEntry {
            action_id,
            session_id: loaded.id,
            revision,
            delivery_id: &webhook::delivery_id(&meta.install_id, loaded.state.key, action, &body.hash, revision),
            endpoint,
            body: &body.bytes,
            body_sha256: body.hash,
            workflow_version: &loaded.state.workflow.version_label(),
            session_state: loaded.state.state,
            failed: body.is_too_large().then_some(reason::PAYLOAD_TOO_LARGE),
        };
        Ok(store::outbox::insert(tx, &entry, now)?)
    }
}
