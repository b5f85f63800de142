//! Workflow documents on this phone.

use super::act::{document_fault, unreadable};
use super::{Changed, Compass, Inner, Result};
use crate::engine::document::{self, StoredDocument};
use crate::error::Error;
use crate::model::{Finding, ImportOutcome, Workflow, WorkflowSummary, WorkflowVersion, echoed};
use crate::store::endpoint::StoredEndpoint;
use crate::store::workflow::{NewWorkflow, WorkflowRow};
use crate::store::{self, Connection};

impl Compass {
    /// Imports a workflow document. The same document again changes nothing. An incomplete one is imported and cannot be started.
    ///
    /// # Errors
    /// `InvalidWorkflow` with all findings, `WorkflowConflict` when this version is here with other content.
    pub fn import_workflow(&self, bytes: &[u8]) -> Result<ImportOutcome> {
        let parsed = document::parse(bytes);
        let startable = parsed.is_startable();
        let (Some(workflow), Some(hash)) = (parsed.workflow, parsed.hash) else {
            return Err(Error::InvalidWorkflow { findings: parsed.findings });
        };
        let version = WorkflowVersion { version: workflow.version, local_revision: workflow.local_revision };
        let now = self.inner.now();
        self.inner.write(|tx| {
            let imported = match store::workflow::find(tx, &workflow.key, version)? {
                Some(here) if here.hash == hash => false,
                Some(_) => return Err(Error::WorkflowConflict { workflow: workflow.reference() }),
                None => true,
            };
            if imported {
                let new = NewWorkflow { workflow: &workflow, hash, document: bytes, startable, findings: &parsed.findings };
                store::workflow::insert(tx, &new, now)?;
            }
            let summary = store::workflow::summary(tx, &workflow.key, version)?
                .ok_or_else(|| Error::Internal { detail: "an imported workflow is not there".to_owned() })?;
            Ok((ImportOutcome { imported, workflow: summary }, Changed { workflows: imported, ..Changed::default() }))
        })
    }

    /// All findings about a document, without importing it. Endpoints that this phone does not know are found too, as warnings.
    ///
    /// # Errors
    /// `Closed` and errors of the file. What is wrong with the document is in the findings.
    pub fn lint_workflow(&self, bytes: &[u8]) -> Result<Vec<Finding>> {
        let endpoints: Vec<String> = self.inner.read(|connection| {
            let rows = store::endpoint::all(connection)?;
            let in_use = |stored| match stored {
                StoredEndpoint::Readable(row) => row.archived_at.is_none().then_some(row.endpoint.key),
                StoredEndpoint::Corrupt(key) => Some(key),
            };
            Ok(rows.into_iter().filter_map(in_use).collect())
        })?;
        Ok(document::lint(bytes, Some(&endpoints)))
    }

    /// All workflow versions, by key, newest first.
    ///
    /// # Errors
    /// `Closed` and errors of the file.
    pub fn workflows(&self) -> Result<Vec<WorkflowSummary>> {
        self.inner.read(|connection| Ok(store::workflow::list(connection)?))
    }

    /// The parsed document of a version; of the current one when none is named.
    ///
    /// # Errors
    /// `UnknownWorkflow`, `Corrupt` when the document is not the one that was imported.
    pub fn workflow(&self, key: &str, version: Option<WorkflowVersion>) -> Result<Workflow> {
        self.inner.read(|connection| {
            let row = find(connection, key, version)?;
            Ok((*self.inner.workflow_of(connection, row.id, row.hash)?).clone())
        })
    }

    /// The document of a version as it was imported, byte for byte: what the authoring helpers of
    /// [`engine::document`](crate::engine::document) take.
    ///
    /// # Errors
    /// `UnknownWorkflow`, `Corrupt` when the document is not the one that was imported.
    pub fn workflow_document(&self, key: &str, version: Option<WorkflowVersion>) -> Result<Vec<u8>> {
        self.inner.read(|connection| {
            let row = find(connection, key, version)?;
            let (workflow, hash, document) = store::workflow::by_id(connection, row.id)?;
            document::verify(&document, hash).map_err(|fault| unreadable(&workflow, fault))?;
            Ok(document)
        })
    }

    /// Retires a version, or brings it back: a retired one is started only when it is named. Sessions on it go on.
    ///
    /// # Errors
    /// `UnknownWorkflow`.
    pub fn retire_workflow(&self, key: &str, version: WorkflowVersion, retired: bool) -> Result<()> {
        let now = self.inner.now();
        self.inner.write(|tx| {
            let here = store::workflow::summary(tx, key, version)?.ok_or_else(|| Error::UnknownWorkflow { key: echoed(key) })?;
            if here.retired_at.is_some() == retired {
                return Ok(((), Changed::nothing()));
            }
            store::workflow::set_retired(tx, key, version, retired.then_some(now))?;
            Ok(((), Changed { workflows: true, ..Changed::default() }))
        })
    }
}

impl Inner {
    /// What is wrong with the stored documents: their rules are those of the release that imported them, and are not asked.
    pub(super) fn document_faults(&self, connection: &Connection) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        for id in store::workflow::ids(connection)? {
            let Ok((workflow, hash, document)) = store::workflow::by_id(connection, id) else {
                faults.push(format!("row {id} of the workflows does not read back"));
                continue;
            };
            let of = format!("the document of workflow {} {}", workflow.key, workflow.version_label());
            match StoredDocument::read(&document, hash) {
                Err(fault) => faults.push(document_fault(&workflow, fault)),
                Ok(document) if document.workflow.reference() != workflow => faults.push(format!("{of} is listed as another one")),
                Ok(document) => {
                    let unusable = document.fields_without_their_pattern();
                    faults.extend(
                        unusable
                            .iter()
                            .map(|field| format!("{of}: the pattern of the field {field} cannot be used any more, and counts as absent")),
                    );
                }
            }
        }
        Ok(faults)
    }
}

fn find(connection: &Connection, key: &str, version: Option<WorkflowVersion>) -> Result<WorkflowRow> {
    let row = match version {
        Some(version) => store::workflow::find(connection, key, version)?,
        None => store::workflow::current(connection, key)?,
    };
    row.ok_or_else(|| Error::UnknownWorkflow { key: echoed(key) })
}
