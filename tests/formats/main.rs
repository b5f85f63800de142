//! What is read and written by others: workflow documents, of any release, and the bodies of messages.
#[path = "../support/mod.rs"]
mod support;

mod payload;
mod requires;
mod stored_documents;
mod workflow_documents;
