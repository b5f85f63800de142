//! Workflow documents: read, linted, pinned by a hash, and changed.
//!
//! Everything here is a pure function of bytes. A document is linted element by element, so that an author sees all findings at once, in
//! the order of the document, each with a stable [`Code`], a JSON pointer and what to do. Nothing is repaired silently: the given bytes are
//! kept, with members that this version does not know.
//!
//! A document is linted once, when it is imported. A stored one is read by [`StoredDocument`], without linting it again.
//!
//! `docs/workflow-format.md` describes the format for authors; `docs/workflow.schema.json` is its JSON Schema, for editors.

mod author;
mod code;
mod field;
mod indexed;
mod json;
mod limit;
mod links;
mod lint;
mod node;
mod read;
mod reader;
mod requires;
mod stored;
#[cfg(test)]
mod tests;

pub use author::{Authored, AuthoringError, add_action, remove_action, replace_action};
pub use code::Code;
pub(crate) use code::worst;
pub use indexed::IndexedWorkflow;
#[cfg(any(test, feature = "testing"))]
pub use limit::{MAX_DOCUMENT_BYTES, MAX_FINDINGS, MAX_FINDINGS_BYTES, MAX_POINTER_BYTES};
pub(crate) use requires::{requires_newer_core, unknown_requirements};
pub(crate) use stored::verify;
pub use stored::{StoredDocument, StoredFault};

use crate::crypto::Sha256;
use crate::model::{Finding, Severity, Workflow, WorkflowRef};
use code::Findings;
use read::Document;

/// The result of parsing a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedDocument {
    /// Which document it is; present if and only if no finding is an error.
    pub reference: Option<WorkflowRef>,
    /// The workflow; present whenever `reference` is, unless the document requires names that this core does not know. Then nothing more of it
    /// was linted.
    pub workflow: Option<Workflow>,
    /// SHA-256 over the canonical form (RFC 8785) of the document, so that white space and the order of members do not matter. Present
    /// whenever `reference` is.
    pub hash: Option<Sha256>,
    /// All findings, in the order of the document.
    pub findings: Vec<Finding>,
}

impl ParsedDocument {
    /// Whether the document can be imported: no finding is an error.
    pub fn is_importable(&self) -> bool {
        self.reference.is_some()
    }

    /// Whether sessions can be started with it: no finding is an error or `incomplete`.
    pub fn is_startable(&self) -> bool {
        self.worst().is_none_or(|worst| worst == Severity::Warning)
    }

    /// The worst severity among the findings.
    pub fn worst(&self) -> Option<Severity> {
        worst(&self.findings)
    }
}

/// Reads and lints a document.
pub fn parse(document: &[u8]) -> ParsedDocument {
    lint_all(document, None)
}

/// All findings about a document. With the keys of the known endpoints, actions with an unknown one are warnings.
pub fn lint(document: &[u8], endpoints: Option<&[String]>) -> Vec<Finding> {
    lint_all(document, endpoints).findings
}

/// The canonical form of a document (RFC 8785): the input of its hash.
///
/// # Errors
/// The findings, when the bytes are not JSON that can be pinned.
#[cfg(any(test, feature = "testing"))]
pub fn canonical(document: &[u8]) -> Result<String, Vec<Finding>> {
    read_json(document).map(|node| node.canonical())
}

/// Reads a document as JSON and nothing more; any finding is an error.
fn read_json(document: &[u8]) -> Result<node::Node, Vec<Finding>> {
    let mut findings = Findings::default();
    let node = json::read(document, &mut findings);
    let list = findings.in_order_of(node.as_ref());
    node.filter(|_| list.is_empty()).ok_or(list)
}

fn lint_all(document: &[u8], endpoints: Option<&[String]>) -> ParsedDocument {
    let mut reader = reader::Reader::default();
    let root = json::read(document, &mut reader.findings);
    let (reference, workflow) = match root.as_ref().and_then(|root| read::document(&mut reader, root)) {
        Some(Document::Whole(workflow)) => (Some(workflow.reference()), Some(workflow)),
        Some(Document::Named(reference)) => (Some(reference), None),
        None => (None, None),
    };
    if let Some(workflow) = &workflow {
        lint::lint(workflow, endpoints, &mut reader.findings);
        links::lint(workflow, &mut reader.findings);
    }
    let findings = reader.findings.in_order_of(root.as_ref());
    let valid = worst(&findings) != Some(Severity::Error);
    let hash = root.filter(|_| valid).map(|root| Sha256::of(root.canonical().as_bytes()));
    ParsedDocument { reference: reference.filter(|_| valid), workflow: workflow.filter(|_| valid), hash, findings }
}
