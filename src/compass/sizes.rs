//! How large the messages of a session would be, for the view of an end section: without making them at each tap.

use crate::engine::document::IndexedWorkflow;
use crate::engine::session::{PathFields, SentField, State, sent_fields};
use crate::model::{Act, ActionDefinition, ActionPreview};
use crate::webhook::{self, MAX_BODY};

/// The size of a value in messages, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldSize {
    NotKnown,
    Bytes(u64),
    /// The value does not fit its definition.
    None,
}

/// The sizes of values, by the places of their fields in the library.
#[derive(Debug, Default)]
pub(super) struct FieldSizes(Vec<FieldSize>);

impl FieldSizes {
    /// Forgets the sizes of values that this act has changed.
    pub(super) fn changed_by(&mut self, workflow: &IndexedWorkflow, act: &Act) {
        match act {
            Act::FieldsSet { values } => {
                for set in values {
                    if let Some(size) = workflow.place_of_field(&set.field).and_then(|place| self.0.get_mut(place)) {
                        *size = FieldSize::NotKnown;
                    }
                }
            }
            Act::Edited { .. } | Act::Redacted { .. } => self.0.clear(),
            _ => {}
        }
    }

    /// Says of each action how large its message would be. A value that does not fit is reported where it is, and its messages have no size.
    pub(super) fn complete(&mut self, workflow: &IndexedWorkflow, state: &State, on_path: &PathFields<'_>, previews: &mut [ActionPreview]) {
        let mut known: Vec<(&ActionDefinition, Option<u64>)> = Vec::new();
        for preview in previews {
            let Some((_, action)) = workflow.action(&preview.key) else { continue };
            // Actions that send the same fields have the same.
            let same = |other: &ActionDefinition| (&other.fields, &other.fields_except) == (&action.fields, &action.fields_except);
            let size = match known.iter().find(|(other, _)| same(other)) {
                Some((_, size)) => *size,
                None => {
                    let size = self.of_action(workflow, state, on_path, action);
                    known.push((action, size));
                    size
                }
            };
            preview.size = size;
            preview.too_large = size.is_some_and(|size| size > MAX_BODY as u64);
        }
    }

    fn of_action(&mut self, workflow: &IndexedWorkflow, state: &State, on_path: &PathFields<'_>, action: &ActionDefinition) -> Option<u64> {
        let fields = sent_fields(on_path, Some(action));
        let commas = fields.len().saturating_sub(1) as u64;
        let mut size = webhook::size_without_fields(&state.workflow) + commas;
        self.0.resize(workflow.fields.len(), FieldSize::NotKnown);
        for SentField { place, definition, value, completed_at } in fields {
            if self.0[place] == FieldSize::NotKnown {
                let new = webhook::size_of_field(definition, value, completed_at);
                self.0[place] = new.map_or(FieldSize::None, FieldSize::Bytes);
            }
            match self.0[place] {
                FieldSize::Bytes(bytes) => size += bytes,
                _ => return None,
            }
        }
        Some(size)
    }
}
