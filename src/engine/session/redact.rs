//! Removing a value or a note from a session: from its state, and from the acts that hold it.
//!
//! [`FieldState::Redacted`] replaces a value; "empty" and "not applicable" are not values and stay. Later values are not affected.

use super::{Refusal, State};
use crate::engine::document::IndexedWorkflow;
use crate::model::{Act, FieldState, RedactionTarget, echoed};

/// Whether there is such a field in the workflow, or such a note in the session.
///
/// # Errors
/// [`Refusal::UnknownFields`], [`Refusal::UnknownNote`].
pub(crate) fn check_target(workflow: &IndexedWorkflow, state: &State, target: &RedactionTarget) -> Result<(), Refusal> {
    match target {
        RedactionTarget::Field { key } if workflow.field(key).is_none() => Err(Refusal::UnknownFields { fields: vec![echoed(key)] }),
        RedactionTarget::Note { seq } if !state.notes.iter().any(|note| note.seq == *seq) => Err(Refusal::UnknownNote { note: *seq }),
        _ => Ok(()),
    }
}

/// Removes it from the act with this number, also as the old value of an edit. Says whether the act held it.
pub(crate) fn act(act: &mut Act, seq: u32, target: &RedactionTarget) -> bool {
    let mut held = false;
    match target {
        RedactionTarget::Field { key } => {
            let states: Vec<&mut FieldState> = match act {
                Act::Started { prefill: values, .. } | Act::FieldsSet { values } => {
                    values.iter_mut().filter(|value| value.field == *key).map(|value| &mut value.to).collect()
                }
                Act::Edited { fields, .. } => {
                    fields.iter_mut().filter(|edit| edit.field == *key).flat_map(|edit| [&mut edit.from, &mut edit.to]).collect()
                }
                _ => Vec::new(),
            };
            for state in states {
                held |= redact(state);
            }
        }
        RedactionTarget::Note { seq: note } => {
            let texts: Vec<&mut Option<String>> = match act {
                Act::Noted { text } if seq == *note => vec![text],
                Act::Edited { notes, .. } => {
                    notes.iter_mut().filter(|edit| edit.note == *note).flat_map(|edit| [&mut edit.from, &mut edit.to]).collect()
                }
                _ => Vec::new(),
            };
            for text in texts {
                held |= text.take().is_some();
            }
        }
    }
    held
}

/// Removes it from what the session holds now.
pub(super) fn state(state: &mut State, target: &RedactionTarget) {
    match target {
        RedactionTarget::Field { key } => {
            if let Some(held) = state.values.get_mut(key) {
                redact(&mut held.state);
            }
        }
        RedactionTarget::Note { seq } => {
            for note in state.notes.iter_mut().filter(|note| note.seq == *seq) {
                note.text = None;
            }
        }
    }
}

fn redact(state: &mut FieldState) -> bool {
    let is_value = matches!(state, FieldState::Provided(_));
    if is_value {
        *state = FieldState::Redacted;
    }
    is_value
}
