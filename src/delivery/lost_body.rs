//! The bytes of a message, frozen again from its session.

use crate::engine::document::StoredDocument;
use crate::engine::session as engine;
use crate::model::SessionKey;
use crate::store::{self, Connection};
use crate::webhook;

/// The body that freezing the message of this action now would give; none where the session or its workflow cannot be read.
pub(super) fn make_again(connection: &Connection, session: SessionKey, action: &str) -> Option<Vec<u8>> {
    let stored = store::session::load(connection, session).ok()??;
    let document = store::workflow::document(connection, stored.workflow_id).ok()?;
    let document = StoredDocument::read(&document, stored.workflow_hash).ok()?;
    let (_, action) = document.workflow.action(action)?;
    webhook::payload(&engine::submission(&document.workflow, &stored.state, Some(action))).ok()
}
