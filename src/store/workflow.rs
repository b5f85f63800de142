//! Workflow versions.

use rusqlite::{OptionalExtension, Row, params};

use super::row::{from_json, from_ms, optional_time, sha256, to_json, to_ms};
use super::{Connection, Result, StoreError, Transaction, unless_damaged};
use crate::crypto::Sha256;
use crate::model::{Finding, Timestamp, WorkflowRef, WorkflowSummary, WorkflowVersion};

/// A version to keep.
pub(crate) struct NewWorkflow<'a> {
    pub(crate) workflow: &'a WorkflowRef,
    pub(crate) description: Option<&'a str>,
    pub(crate) hash: Sha256,
    pub(crate) document: &'a [u8],
    pub(crate) startable: bool,
    pub(crate) findings: &'a [Finding],
}

/// The columns that decide what may be done with a version.
pub(crate) struct WorkflowRow {
    pub(crate) id: i64,
    pub(crate) workflow: WorkflowRef,
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
        new.description,
        new.hash.0,
        new.document,
        new.startable,
        to_json(&new.findings)?,
        to_ms(now),
    ])?;
    Ok(())
}

/// The columns of a [`WorkflowRow`].
const ROW: &str = "id, key, name, version, local_revision, hash, startable, findings";

/// This version, or none.
pub(crate) fn find(connection: &Connection, key: &str, version: WorkflowVersion) -> Result<Option<WorkflowRow>> {
    let row = connection
        .prepare_cached(&format!("SELECT {ROW} FROM workflow WHERE key = ?1 AND version = ?2 AND local_revision = ?3"))?
        .query_row(params![key, version.version, version.local_revision], raw_row)
        .optional()?;
    row.map(workflow_row).transpose()
}

/// The versions that are not retired, newest first; an unreadable one is an error in the list.
pub(crate) fn in_use(connection: &Connection, key: &str) -> Result<Vec<Result<WorkflowRow>>> {
    let statement = format!("SELECT {ROW} FROM workflow WHERE key = ?1 AND retired_at IS NULL ORDER BY version DESC, local_revision DESC");
    rows(connection, &statement, key)
}

/// The versions with a finding of this code, and those of sessions that a search skipped.
pub(crate) fn with_finding(connection: &Connection, code: &str) -> Result<Vec<Result<WorkflowRow>>> {
    let statement = format!(
        "SELECT {ROW} FROM workflow WHERE instr(findings, ?1) > 0 OR id IN (
             SELECT s.workflow_id FROM open_text o JOIN session s ON s.id = o.session_id WHERE o.text IS NULL AND s.last_seq = o.seq)"
    );
    rows(connection, &statement, &format!(r#""code":"{code}""#))
}

fn rows(connection: &Connection, statement: &str, value: &str) -> Result<Vec<Result<WorkflowRow>>> {
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows = statement.query([value])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(raw_row(row).map_err(StoreError::from).and_then(workflow_row));
    }
    Ok(found)
}

/// Writes the findings about a document that an earlier release could not lint.
pub(crate) fn lint_again(tx: &Transaction<'_>, id: i64, new: &NewWorkflow<'_>) -> Result<()> {
    tx.prepare_cached("UPDATE workflow SET name = ?2, description = ?3, startable = ?4, findings = ?5 WHERE id = ?1")?.execute(params![
        id,
        new.workflow.name,
        new.description,
        new.startable,
        to_json(&new.findings)?
    ])?;
    Ok(())
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

/// A version with its document, and its reference as in the columns.
pub(crate) fn by_id(connection: &Connection, id: i64) -> Result<(WorkflowRef, Sha256, Vec<u8>)> {
    let (workflow, hash, document) = connection
        .prepare_cached("SELECT key, name, version, local_revision, hash, document FROM workflow WHERE id = ?1")?
        .query_row([id], |row| {
            let workflow = WorkflowRef { key: row.get(0)?, name: row.get(1)?, version: row.get(2)?, local_revision: row.get(3)? };
            Ok((workflow, row.get::<_, Vec<u8>>(4)?, row.get(5)?))
        })?;
    Ok((workflow, sha256(&hash)?, document))
}

/// How many sessions use a version.
pub(crate) fn count_sessions(connection: &Connection, id: i64) -> Result<u64> {
    let count: i64 = connection.prepare_cached("SELECT count(*) FROM session WHERE workflow_id = ?1")?.query_row([id], |row| row.get(0))?;
    Ok(count as u64)
}

/// Removes a version that no session uses; the schema refuses any other.
pub(crate) fn forget(tx: &Transaction<'_>, id: i64) -> Result<()> {
    tx.prepare_cached("DELETE FROM workflow WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// Whether a version is retired.
pub(crate) fn is_retired(connection: &Connection, id: i64) -> Result<bool> {
    Ok(connection.prepare_cached("SELECT retired_at IS NOT NULL FROM workflow WHERE id = ?1")?.query_row([id], |row| row.get(0))?)
}

/// Retires a version, or ends its retirement.
pub(crate) fn set_retired(tx: &Transaction<'_>, key: &str, version: WorkflowVersion, retired_at: Option<Timestamp>) -> Result<()> {
    tx.prepare_cached("UPDATE workflow SET retired_at = ?4 WHERE key = ?1 AND version = ?2 AND local_revision = ?3")?.execute(params![
        key,
        version.version,
        version.local_revision,
        retired_at.map(to_ms)
    ])?;
    Ok(())
}

type Raw = (i64, WorkflowRef, Vec<u8>, bool, String);

fn raw_row(row: &Row<'_>) -> rusqlite::Result<Raw> {
    let workflow = WorkflowRef { key: row.get(1)?, name: row.get(2)?, version: row.get(3)?, local_revision: row.get(4)? };
    Ok((row.get(0)?, workflow, row.get(5)?, row.get(6)?, row.get(7)?))
}

fn workflow_row((id, workflow, hash, startable, findings): Raw) -> Result<WorkflowRow> {
    Ok(WorkflowRow { id, workflow, hash: sha256(&hash)?, startable, findings: from_json(&findings, "findings of a workflow")? })
}

/// A version as it is listed, with its row. `current` is not set here.
pub(crate) type Listed = (i64, Sha256, WorkflowSummary);

/// The columns of [`Listed`].
const LISTED: &str = "id, key, name, version, local_revision, hash, description, startable, findings, imported_at, retired_at";

/// All versions, or those of one workflow, by key, newest first. Without unreadable ones, which a check names.
pub(crate) fn summaries(connection: &Connection, key: Option<&str>) -> Result<Vec<Listed>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {LISTED} FROM workflow WHERE ?1 IS NULL OR key = ?1 ORDER BY key, version DESC, local_revision DESC"
    ))?;
    let mut rows = statement.query([key])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.extend(unless_damaged(listed(row))?);
    }
    Ok(found)
}

/// The same for one row.
pub(crate) fn summary(connection: &Connection, id: i64) -> Result<WorkflowSummary> {
    let mut statement = connection.prepare_cached(&format!("SELECT {LISTED} FROM workflow WHERE id = ?1"))?;
    statement.query_row([id], |row| Ok(listed(row)))?.map(|(_, _, summary)| summary)
}

fn listed(row: &Row<'_>) -> Result<Listed> {
    let findings: Vec<Finding> = from_json(&row.get::<_, String>(8)?, "findings of a workflow")?;
    let hash = sha256(&row.get::<_, Vec<u8>>(5)?)?;
    let summary = WorkflowSummary {
        current: false,
        workflow: WorkflowRef { key: row.get(1)?, name: row.get(2)?, version: row.get(3)?, local_revision: row.get(4)? },
        description: row.get(6)?,
        hash: hash.to_string(),
        startable: row.get(7)?,
        worst: findings.iter().map(|finding| finding.severity).min(),
        findings,
        imported_at: from_ms(row.get(9)?)?,
        retired_at: optional_time(row.get(10)?)?,
    };
    Ok((row.get(0)?, hash, summary))
}
