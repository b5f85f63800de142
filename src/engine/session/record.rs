//! The record of a session.

use std::collections::HashSet;

use super::{State, path, timeline, view};
use crate::engine::document::IndexedWorkflow;
use crate::model::{Action, Event, FieldDefinition, RecordField, SessionRecord};

/// The record: the state of the session, what its fields hold, and its events as lines of a timeline, with its actions from the outbox.
/// Names are those of the workflow version the session runs on. The caller adds half-typed texts.
pub fn record(workflow: &IndexedWorkflow, state: &State, events: &[Event], actions: Vec<Action>) -> SessionRecord {
    SessionRecord {
        key: state.key,
        workflow: state.workflow.clone(),
        state: state.state,
        won: state.won,
        actor: state.actor.clone(),
        started_at: state.started_at,
        finished_at: state.finished_at,
        end_reason: state.end_reason.clone(),
        path: view::path_steps(workflow, state),
        fields: fields(workflow, state),
        notes: state.notes.clone(),
        note_draft: None,
        timeline: timeline::timeline(workflow, state, events),
        actions,
    }
}

/// The fields of the path in path order, then any other of the library that holds something.
fn fields(workflow: &IndexedWorkflow, state: &State) -> Vec<RecordField> {
    let on_path = path::fields(workflow, state).all;
    let met: HashSet<&str> = on_path.iter().map(|field| field.definition.key.as_str()).collect();
    let others = workflow.fields.iter().filter(|field| !met.contains(field.key.as_str()) && state.values.contains_key(&field.key));
    let mut fields: Vec<RecordField> =
        on_path.iter().map(|field| record_field(field.definition, Some(field.section.key.clone()), state)).collect();
    fields.extend(others.map(|definition| record_field(definition, None, state)));
    fields
}

fn record_field(definition: &FieldDefinition, section: Option<String>, state: &State) -> RecordField {
    let held = state.values.get(&definition.key);
    RecordField {
        definition: definition.clone(),
        section,
        state: state.holds(&definition.key).clone(),
        completed_at: held.map(|held| held.completed_at),
        source: held.map(|held| held.source.clone()),
        draft: None,
    }
}
