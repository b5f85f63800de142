//! The bytes of a message, frozen again from its session.

use crate::engine::document::StoredDocument;
use crate::engine::session as engine;
use crate::model::SessionKey;
use crate::store::{self, Connection};
use crate::webhook;

/// The body that freezing this session's messages now would give; none where the session or its workflow cannot be read.
pub(super) fn body(connection: &Connection, session: SessionKey) -> Option<Vec<u8>> {
    let stored = store::session::load(connection, session).ok()??;
    let document = store::workflow::document(connection, stored.workflow_id).ok()?;
    let document = StoredDocument::read(&document, stored.workflow_hash).ok()?;
    webhook::payload(&engine::submission(&document.workflow, &stored.state)).ok()
}
