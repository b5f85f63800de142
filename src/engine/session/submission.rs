//! What leaves a session: the content of its webhooks, and the words it is found by.

use super::{State, path};
use crate::model::{FieldState, FieldValue, Submission, SubmittedField, Workflow};

/// The content of the session's webhooks: the fields of the path that hold a value, in path order and then section order, each once.
///
/// `completed_at` is when the session was completed, or ended. Of a session in progress, for a preview, it stands at the start of the
/// current visit; a caller with a clock puts its own time there.
pub fn submission(workflow: &Workflow, state: &State) -> Submission {
    let fields = path::fields(workflow, state).into_iter().filter_map(|field| {
        let held = state.values.get(&field.definition.key)?;
        let FieldState::Provided(value) = &held.state else { return None };
        Some(SubmittedField { definition: field.definition.clone(), value: value.clone(), completed_at: held.completed_at })
    });
    Submission {
        key: state.key,
        started_at: state.started_at,
        completed_at: state.finished_at.unwrap_or_else(|| state.current().at),
        workflow: state.workflow.clone(),
        fields: fields.collect(),
    }
}

/// The words a finished session is found by: its notes as they read now, then its text-like values in the order of the field library,
/// those off the path included; joined by newlines.
pub fn search_text(workflow: &Workflow, state: &State) -> String {
    let notes = state.notes.iter().map(|note| note.text.as_str());
    let values = workflow.fields.iter().filter_map(|field| match state.holds(&field.key) {
        FieldState::Provided(FieldValue::Text(text)) => Some(text.as_str()),
        _ => None,
    });
    notes.chain(values).collect::<Vec<_>>().join("\n")
}
