//! Documents that were imported. They are read as they are and never linted again: a rule, a limit or a syntax that a later release made
//! stricter must not stop a running session.

use super::{IndexedWorkflow, code::Findings, json, unknown_requirements};
use crate::crypto::Sha256;
use crate::engine::pattern::whole_match;
use crate::model::{FieldKind, Workflow};

/// A document of the store, read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    /// The workflow, with everything that the release that imported it accepted.
    pub workflow: IndexedWorkflow,
    /// The requirements that this release does not know. If there are any, the document and its sessions can be read but not changed.
    pub unknown: Vec<String>,
}

/// Why a stored document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoredFault {
    /// Its hash differs from that of the import: the file is damaged, or somebody changed it.
    #[error("is not the one that was imported")]
    Changed,
    /// It is unchanged, but this release cannot read it: an error of this library.
    #[error("cannot be read")]
    Unreadable,
    /// It requires names that this release does not know, and cannot be read without them.
    #[error("needs a newer version of the app: {}", .unknown.join(", "))]
    RequiresNewerCore {
        /// What it requires.
        unknown: Vec<String>,
    },
}

impl StoredDocument {
    /// Reads a document that was imported with this hash. No current limit or rule applies to it; unknown members are ignored.
    ///
    /// # Errors
    /// [`StoredFault`].
    pub fn read(document: &[u8], hash: Sha256) -> Result<Self, StoredFault> {
        verify(document, hash)?;
        let unknown = unknown_requirements(document);
        match std::str::from_utf8(document).ok().and_then(|document| serde_json::from_str::<Workflow>(document).ok()) {
            Some(workflow) => Ok(Self { workflow: workflow.into(), unknown }),
            None if unknown.is_empty() => Err(StoredFault::Unreadable),
            None => Err(StoredFault::RequiresNewerCore { unknown }),
        }
    }

    /// Keys of the fields whose pattern can no longer be used. It counts as absent: every text matches.
    pub fn fields_without_their_pattern(&self) -> Vec<&str> {
        let unusable =
            |kind: &FieldKind| kind.text_rule().and_then(|rule| rule.pattern.as_deref()).is_some_and(|p| whole_match(p).is_err());
        self.workflow.fields.iter().filter(|field| unusable(&field.kind)).map(|field| field.key.as_str()).collect()
    }
}

/// Checks that this is the document that was imported with this hash, except for white space and the order of members.
///
/// # Errors
/// [`StoredFault::Changed`].
pub(crate) fn verify(document: &[u8], hash: Sha256) -> Result<(), StoredFault> {
    let mut findings = Findings::default();
    let root = std::str::from_utf8(document).ok().and_then(|text| json::read_stored(text, &mut findings));
    let canonical = root.filter(|_| findings.count() == 0).map(|root| root.canonical());
    match canonical {
        Some(canonical) if Sha256::of(canonical.as_bytes()) == hash => Ok(()),
        _ => Err(StoredFault::Changed),
    }
}
