//! Starting a session.

use super::limits::{check_actor, check_command_id, check_prefill_source};
use super::validate::validate;
use super::{Refusal, changes};
use crate::crypto::Sha256;
use crate::engine::document::IndexedWorkflow;
use crate::model::{Act, Start, ValueSet};

/// Starts a session on this workflow version, whose document has this content hash.
///
/// The caller checks that the version may be started (no finding of severity `error` or `incomplete`).
/// Prefill may name any field of the library, on any path; it is validated like a technician's value.
///
/// # Errors
/// A prefill that is unknown, given twice or not acceptable (with all problems), and texts that are too long or blank.
pub fn start(workflow: &IndexedWorkflow, hash: &Sha256, start: &Start) -> Result<Act, Refusal> {
    check_command_id(&start.command_id)?;
    start.actor.as_deref().map_or(Ok(()), check_actor)?;
    if workflow.section(&workflow.start).is_none() {
        return Err(Refusal::BrokenWorkflow { section: workflow.start.clone() });
    }
    changes::known_once(workflow, start.prefill.iter().map(|prefill| prefill.field.as_str()))?;

    let mut values = Vec::with_capacity(start.prefill.len());
    let mut problems = Vec::new();
    for prefill in &start.prefill {
        check_prefill_source(&prefill.source)?;
        let definition = workflow.field(&prefill.field).expect("known_once found it in the library");
        match validate(definition, &prefill.value) {
            Ok(to) => values.push(ValueSet { field: prefill.field.clone(), to, source: prefill.value_source() }),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(Refusal::Fields { problems });
    }
    Ok(Act::Started { workflow: workflow.reference(), workflow_hash: hash.to_string(), prefill: values })
}
