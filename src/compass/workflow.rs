//! Workflow documents on this phone.

use std::sync::PoisonError;

use super::command::{document_fault, unreadable};
use super::{Changed, Compass, Inner, Result};
use crate::crypto::Sha256;
use crate::engine::document::{self, Code, ParsedDocument, StoredDocument, StoredFault};
use crate::error::Error;
use crate::model::{Finding, ImportOutcome, Severity, Workflow, WorkflowRef, WorkflowSummary, WorkflowVersion, echoed};
use crate::store::endpoint::StoredEndpoint;
use crate::store::workflow::{NewWorkflow, WorkflowRow};
use crate::store::{self, Connection, OfOneRow, unless_damaged};

impl Compass {
    /// Imports a workflow document. The same document again changes nothing. An incomplete one is imported and cannot be started.
    ///
    /// # Errors
    /// `InvalidWorkflow` with all findings, `WorkflowConflict` when this version is already here with other content.
    pub fn import_workflow(&self, bytes: &[u8]) -> Result<ImportOutcome> {
        let parsed = document::parse(bytes);
        let (Some(workflow), Some(hash)) = (&parsed.reference, parsed.hash) else {
            return Err(Error::InvalidWorkflow { findings: parsed.findings });
        };
        let version = WorkflowVersion { version: workflow.version, local_revision: workflow.local_revision };
        let now = self.inner.now();
        self.inner.write(|tx| {
            let imported = match store::workflow::find(tx, &workflow.key, version)? {
                Some(here) if here.hash == hash => false,
                Some(_) => return Err(Error::WorkflowConflict { workflow: workflow.clone() }),
                None => true,
            };
            if imported {
                store::workflow::insert(tx, &new(&parsed, workflow, hash, bytes), now)?;
            }
            let listed = self.inner.listed(tx, Some(&workflow.key))?;
            let summary = listed
                .into_iter()
                .find(|here| (here.workflow.version, here.workflow.local_revision) == (version.version, version.local_revision))
                .ok_or_else(|| Error::Internal { detail: "an imported workflow is not there".to_owned() })?;
            Ok((ImportOutcome { imported, workflow: summary }, Changed { workflows: imported, ..Changed::default() }))
        })
    }

    /// All findings about a document, without importing it. Endpoints that this phone does not know are warnings.
    ///
    /// # Errors
    /// `Closed` and errors of the file. Problems of the document are in the findings.
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

    /// All workflow versions, by key, newest first. One whose row is damaged is left out, and [`check`](Self::check) names it.
    ///
    /// # Errors
    /// `Closed` and errors of the file.
    pub fn workflows(&self) -> Result<Vec<WorkflowSummary>> {
        self.inner.read(|connection| self.inner.listed(connection, None))
    }

    /// The parsed document of a version; of the current one when none is named.
    ///
    /// # Errors
    /// `UnknownWorkflow`, `Corrupt` when the document is not the one that was imported, `RequiresNewerCore` when it cannot be read without
    /// features that this release does not know.
    pub fn workflow(&self, key: &str, version: Option<WorkflowVersion>) -> Result<Workflow> {
        self.inner.read(|connection| {
            let row = self.inner.version(connection, key, version)?;
            Ok(Workflow::clone(&self.inner.document_of(connection, row.id, row.hash)?.workflow))
        })
    }

    /// The document of a version as it was imported, byte for byte: what the authoring helpers of
    /// [`document`](crate::document) take.
    ///
    /// # Errors
    /// `UnknownWorkflow`, `Corrupt` when the document is not the one that was imported.
    pub fn workflow_document(&self, key: &str, version: Option<WorkflowVersion>) -> Result<Vec<u8>> {
        self.inner.read(|connection| {
            let row = self.inner.version(connection, key, version)?;
            let (workflow, hash, document) = store::workflow::by_id(connection, row.id)?;
            document::verify(&document, hash).map_err(|fault| unreadable(workflow, fault))?;
            Ok(document)
        })
    }

    /// Retires a version, or ends its retirement: a retired one is started only when its version is named. Its sessions continue.
    ///
    /// # Errors
    /// `UnknownWorkflow`.
    pub fn retire_workflow(&self, key: &str, version: WorkflowVersion, retired: bool) -> Result<()> {
        let now = self.inner.now();
        self.inner.write(|tx| {
            let row = self.inner.version(tx, key, Some(version))?;
            if store::workflow::is_retired(tx, row.id)? == retired {
                return Ok(((), Changed::nothing()));
            }
            store::workflow::set_retired(tx, key, version, retired.then_some(now))?;
            Ok(((), Changed { workflows: true, ..Changed::default() }))
        })
    }

    /// Removes a version that no session on this phone uses, finished ones included. It can be imported again, also with other content.
    ///
    /// # Errors
    /// `UnknownWorkflow`, `WorkflowInUse` with the number of sessions.
    pub fn forget_workflow(&self, key: &str, version: WorkflowVersion) -> Result<()> {
        self.inner.write(|tx| {
            let row = self.inner.version(tx, key, Some(version))?;
            let sessions = store::workflow::count_sessions(tx, row.id)?;
            if sessions > 0 {
                return Err(Error::WorkflowInUse { workflow: row.workflow, sessions });
            }
            store::workflow::forget(tx, row.id)?;
            Ok(((), Changed { workflows: true, ..Changed::default() }))
        })
    }
}

impl Inner {
    /// The version that is named, or the current one.
    pub(super) fn version(&self, connection: &Connection, key: &str, version: Option<WorkflowVersion>) -> Result<WorkflowRow> {
        let row = match version {
            Some(version) => store::workflow::find(connection, key, version)?.map(|row| self.as_known(connection, row)).transpose()?,
            None => self.current(connection, key)?,
        };
        row.ok_or_else(|| Error::UnknownWorkflow { key: echoed(key) })
    }

    /// The newest version that is not retired and can be started. Where none can, the newest: its findings, or its damage, show the reason.
    fn current(&self, connection: &Connection, key: &str) -> Result<Option<WorkflowRow>> {
        let mut newest = None;
        for row in store::workflow::in_use(connection, key)? {
            match row.map_err(Error::from).and_then(|row| self.as_known(connection, row)) {
                Ok(row) if row.startable => return Ok(Some(row)),
                Err(error) if !error.is_of_one_row() => return Err(error),
                row => newest = newest.or(Some(row)),
            }
        }
        newest.transpose()
    }

    /// All versions, or those of one workflow, by key, newest first, as they are listed.
    fn listed(&self, connection: &Connection, key: Option<&str>) -> Result<Vec<WorkflowSummary>> {
        let mut listed = Vec::new();
        for (id, hash, mut summary) in store::workflow::summaries(connection, key)? {
            let Some(unknown) = unless_damaged(self.unknown_of(connection, id, hash))? else { continue };
            summary.startable = restrict(summary.startable, &mut summary.findings, &unknown);
            summary.worst = document::worst(&summary.findings);
            listed.push(summary);
        }
        for versions in listed.chunk_by_mut(|one, next| one.workflow.key == next.workflow.key) {
            let in_use = |summary: &WorkflowSummary| summary.retired_at.is_none();
            let current = versions.iter().position(|summary| in_use(summary) && summary.startable).or(versions.iter().position(in_use));
            if let Some(current) = current {
                versions[current].current = true;
            }
        }
        Ok(listed)
    }

    /// A row for this release: what its document requires is checked each time, nothing else is linted again.
    fn as_known(&self, connection: &Connection, mut row: WorkflowRow) -> Result<WorkflowRow> {
        let unknown = self.unknown_of(connection, row.id, row.hash)?;
        row.startable = restrict(row.startable, &mut row.findings, &unknown);
        Ok(row)
    }

    /// The required features of a document that this release does not know; read once per handle.
    fn unknown_of(&self, connection: &Connection, id: i64, hash: Sha256) -> Result<Vec<String>> {
        if let Some(known) = self.unknown.lock().unwrap_or_else(PoisonError::into_inner).get(&hash) {
            return Ok(known.clone());
        }
        let unknown = document::unknown_requirements(&store::workflow::document(connection, id)?);
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner).insert(hash, unknown.clone());
        Ok(unknown)
    }

    /// Lints the documents that an earlier release did not know completely and this one does. Once: their finding is then removed. The next
    /// search indexes their sessions, and those of documents that were linted before an earlier release was installed again.
    pub(super) fn lint_again(&self) -> Result<()> {
        let code = Code::RequiresNewerCore.as_str();
        let waiting = |connection: &Connection| -> Result<Vec<WorkflowRow>> {
            let mut known = Vec::new();
            for row in store::workflow::with_finding(connection, code)? {
                let Some(row) = unless_damaged(row)? else { continue };
                if unless_damaged(self.unknown_of(connection, row.id, row.hash))?.is_some_and(|unknown| unknown.is_empty()) {
                    known.push(row);
                }
            }
            Ok(known)
        };
        if self.read_at_open(waiting)?.is_empty() {
            return Ok(());
        }
        self.write(|tx| {
            let rows = waiting(tx)?;
            for row in &rows {
                store::search::look_again_at(tx, row.id)?;
                if row.findings.iter().all(|finding| finding.code != code) {
                    continue;
                }
                let bytes = store::workflow::document(tx, row.id)?;
                let parsed = document::parse(&bytes);
                let workflow = parsed.reference.as_ref().unwrap_or(&row.workflow);
                store::workflow::lint_again(tx, row.id, &new(&parsed, workflow, row.hash, &bytes))?;
            }
            Ok(((), Changed { workflows: !rows.is_empty(), ..Changed::default() }))
        })
    }

    /// What is wrong with the stored documents. Rules are not checked: those of the release that imported them apply.
    pub(super) fn document_faults(&self, connection: &Connection) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        for id in store::workflow::ids(connection)? {
            let (workflow, hash, document) = match store::workflow::by_id(connection, id) {
                Err(error) if error.is_finding() => {
                    faults.push(format!("row {id} of the workflows cannot be read"));
                    continue;
                }
                found => found?,
            };
            let of = format!("the document of workflow {} {}", workflow.key, workflow.version_label());
            match store::workflow::summary(connection, id) {
                Err(error) if error.is_finding() => faults.push(format!("the list entry of {of} cannot be read")),
                Err(error) => return Err(error.into()),
                Ok(listed) if listed.startable != listed.worst.is_none_or(|worst| worst == Severity::Warning) => {
                    faults.push(format!("the mark whether {of} can be started does not match its findings"));
                }
                Ok(_) => {}
            }
            match StoredDocument::read(&document, hash) {
                // It is unchanged, and names itself what this release does not know.
                Err(StoredFault::RequiresNewerCore { .. }) => {}
                Err(fault) => faults.push(document_fault(&workflow, &fault)),
                Ok(document) if document.workflow.reference() != workflow => faults.push(format!("{of} is listed as another one")),
                Ok(document) => {
                    let unusable = document.fields_without_their_pattern();
                    faults.extend(
                        unusable
                            .iter()
                            .map(|field| format!("{of}: the pattern of the field {field} can no longer be used, and counts as absent")),
                    );
                }
            }
        }
        Ok(faults)
    }
}

/// A version for the store, as lint sees it.
fn new<'a>(parsed: &'a ParsedDocument, workflow: &'a WorkflowRef, hash: Sha256, document: &'a [u8]) -> NewWorkflow<'a> {
    let description = parsed.workflow.as_ref().and_then(|workflow| workflow.description.as_deref());
    NewWorkflow { workflow, description, hash, document, startable: parsed.is_startable(), findings: &parsed.findings }
}

/// Adds unknown requirements to the findings of the import. Says whether a session can be started.
fn restrict(startable: bool, findings: &mut Vec<Finding>, unknown: &[String]) -> bool {
    let code = Code::RequiresNewerCore.as_str();
    if !unknown.is_empty() && findings.iter().all(|finding| finding.code != code) {
        findings.splice(0..0, document::requires_newer_core(unknown));
    }
    startable && unknown.is_empty()
}
