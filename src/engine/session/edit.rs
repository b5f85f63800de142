//! Editing the record of a finished session.

use std::collections::HashSet;

use super::limits::{check_note, check_reason};
use super::validate::{line_feeds, missing};
use super::{Decision, Refusal, State, changes};
use crate::engine::document::IndexedWorkflow;
use crate::model::{Act, FieldChange, FieldEdit, NoteChange, NoteEdit, SessionState};

/// Decides on an edit: fields of the path, checked like any value, and notes. Changes without effect are left out.
///
/// A completed session stays complete: an edit that would leave a required field without a value is refused. An ended one was never
/// complete, so there it is allowed.
pub(super) fn edit(
    workflow: &IndexedWorkflow,
    state: &State,
    fields: &[FieldChange],
    notes: &[NoteChange],
    reason: Option<&str>,
) -> Result<Decision, Refusal> {
    if let Some(reason) = reason {
        check_reason(reason)?;
    }
    if !state.state.is_finished() {
        return Err(Refusal::NotFinished { state: state.state });
    }
    if fields.is_empty() && notes.is_empty() {
        return Err(Refusal::NothingGiven);
    }
    let changed = changes::check(workflow, state, fields)?;
    if state.state == SessionState::Completed {
        let problem = |change: &changes::Changed<'_>| missing(change.field.definition, &change.to).map(|problem| change.field.at(problem));
        let problems: Vec<_> = changed.iter().filter_map(problem).collect();
        if !problems.is_empty() {
            return Err(Refusal::Fields { problems });
        }
    }
    let edit = |change: changes::Changed<'_>| FieldEdit { field: change.field.definition.key.clone(), from: change.from, to: change.to };
    let fields: Vec<FieldEdit> = changed.into_iter().map(edit).collect();
    let notes = note_edits(state, notes)?;
    if fields.is_empty() && notes.is_empty() {
        return Ok(Decision::Unchanged);
    }
    Ok(Decision::Act(Act::Edited { fields, notes, reason: reason.map(str::to_owned) }))
}

fn note_edits(state: &State, changes: &[NoteChange]) -> Result<Vec<NoteEdit>, Refusal> {
    let mut seen = HashSet::new();
    let mut edits = Vec::new();
    for NoteChange { note, text } in changes {
        let held = state.notes.iter().find(|held| held.seq == *note).ok_or(Refusal::UnknownNote { note: *note })?;
        if !seen.insert(*note) {
            return Err(Refusal::DuplicateNote { note: *note });
        }
        let text = line_feeds(text);
        check_note(&text)?;
        if held.text.as_ref() != Some(&text) {
            edits.push(NoteEdit { note: *note, from: held.text.clone(), to: Some(text) });
        }
    }
    Ok(edits)
}
