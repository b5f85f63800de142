//! Workflow versions.

use rusqlite::{OptionalExtension, Row, params};

use super::row::{from_json, from_ms, optional_time, sha256, to_json, to_ms};
use super::{Connection, Result, Transaction};
use crate::crypto::Sha256;
use crate::model::{Finding, Timestamp, Workflow, WorkflowRef, WorkflowSummary, WorkflowVersion};

/// A version to keep.
pub(crate) struct NewWorkflow<'a> {
    pub(crate) workflow: &'a Workflow,
    pub(crate) hash: Sha256,
    pub(crate) document: &'a [u8],
    pub(crate) startable: bool,
    pub(crate) findings: &'a [Finding],
}

/// The columns that decide what may be done with a version.
pub(crate) struct WorkflowRow {
    pub(crate) id: i64,
    pub(crate) hash: Sha256,
    pub(crate) startable: bool,
    pub(crate) findings: Vec<Finding>,
}

pub(crate) fn insert(tx: &Transaction<'_>, new: &NewWorkflow<'_>, now: Timestamp) -> Result<()> {
    let workflow = new.workflow;
    tx.prepare_cached(
        "INSERT INTO workflow (key, version, local_revision, name, description, hash, document, startable, findings, imported_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        workflow.key,
        workflow.version,
        workflow.local_revision,
        workflow.name,
        workflow.description,
        new.hash.0,
        new.document,
        new.startable,
        to_json(&new.findings)?,
        to_ms(now),
    ])?;
    Ok(())
}

/// This version, or none.
pub(crate) fn find(connection: &Connection, key: &str, version: WorkflowVersion) -> Result<Option<WorkflowRow>> {
    let row = connection
        .prepare_cached("SELECT id, hash, startable, findings FROM workflow WHERE key = ?1 AND version = ?2 AND local_revision = ?3")?
        .query_row(params![key, version.version, version.local_revision], raw_row)
        .optional()?;
    row.map(workflow_row).transpose()
}

/// The newest version that is not retired.
pub(crate) fn current(connection: &Connection, key: &str) -> Result<Option<WorkflowRow>> {
    let row = connection
        .prepare_cached(
            "SELECT id, hash, startable, findings FROM workflow WHERE key = ?1 AND retired_at IS NULL
              ORDER BY version DESC, local_revision DESC LIMIT 1",
        )?
        .query_row([key], raw_row)
        .optional()?;
    row.map(workflow_row).transpose()
}

/// The document a session is pinned to.
pub(crate) fn document(connection: &Connection, id: i64) -> Result<Vec<u8>> {
    Ok(connection.prepare_cached("SELECT document FROM workflow WHERE id = ?1")?.query_row([id], |row| row.get(0))?)
}

/// The rows of all versions, in the order of their import.
pub(crate) fn ids(connection: &Connection) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached("SELECT id FROM workflow ORDER BY id")?;
    let ids = statement.query_map([], |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// A version with what its columns say of it.
pub(crate) fn by_id(connection: &Connection, id: i64) -> Result<(WorkflowRef, Sha256, Vec<u8>)> {
    let (workflow, hash, document) = connection
        .prepare_cached("SELECT key, name, version, local_revision, hash, document FROM workflow WHERE id = ?1")?
        .query_row([id], |row| {
            let workflow = WorkflowRef { key: row.get(0)?, name: row.get(1)?, version: row.get(2)?, local_revision: row.get(3)? };
            Ok((workflow, row.get::<_, Vec<u8>>(4)?, row.get(5)?))
        })?;
    Ok((workflow, sha256(&hash)?, document))
}

/// All versions, by key, newest first.
pub(crate) fn list(connection: &Connection) -> Result<Vec<WorkflowSummary>> {
    summaries(connection, None)
}

/// One version as lists show it.
pub(crate) fn summary(connection: &Connection, key: &str, version: WorkflowVersion) -> Result<Option<WorkflowSummary>> {
    let all = summaries(connection, Some(key))?;
    Ok(all.into_iter().find(|one| one.workflow.version == version.version && one.workflow.local_revision == version.local_revision))
}

/// Retires or brings back one version.
pub(crate) fn set_retired(tx: &Transaction<'_>, key: &str, version: WorkflowVersion, retired_at: Option<Timestamp>) -> Result<()> {
    tx.prepare_cached("UPDATE workflow SET retired_at = ?4 WHERE key = ?1 AND version = ?2 AND local_revision = ?3")?.execute(params![
        key,
        version.version,
        version.local_revision,
        retired_at.map(to_ms)
    ])?;
    Ok(())
}

type Raw = (i64, Vec<u8>, bool, String);

fn raw_row(row: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

fn workflow_row((id, hash, startable, findings): Raw) -> Result<WorkflowRow> {
    Ok(WorkflowRow { id, hash: sha256(&hash)?, startable, findings: from_json(&findings, "findings of a workflow")? })
}

fn summaries(connection: &Connection, key: Option<&str>) -> Result<Vec<WorkflowSummary>> {
    let mut statement = connection.prepare_cached(
        "SELECT key, name, version, local_revision, description, hash, startable, findings, imported_at, retired_at
           FROM workflow WHERE ?1 IS NULL OR key = ?1 ORDER BY key, version DESC, local_revision DESC",
    )?;
    let mut rows = statement.query([key])?;
    let mut found: Vec<WorkflowSummary> = Vec::new();
    while let Some(row) = rows.next()? {
        let workflow = WorkflowRef { key: row.get(0)?, name: row.get(1)?, version: row.get(2)?, local_revision: row.get(3)? };
        let retired_at = optional_time(row.get(9)?)?;
        let current = retired_at.is_none() && !found.iter().any(|newer| newer.workflow.key == workflow.key && newer.current);
        let findings: Vec<Finding> = from_json(&row.get::<_, String>(7)?, "findings of a workflow")?;
        found.push(WorkflowSummary {
            current,
            workflow,
            description: row.get(4)?,
            hash: sha256(&row.get::<_, Vec<u8>>(5)?)?.to_string(),
            startable: row.get(6)?,
            worst: findings.iter().map(|finding| finding.severity).min(),
            findings,
            imported_at: from_ms(row.get(8)?)?,
            retired_at,
        });
    }
    Ok(found)
}
