//! Changes of fields, checked together: one that is not acceptable refuses all of them, and every problem is named.

use super::steps::counted;
use super::validate::validate_change;
use super::{Refusal, State, path};
use crate::engine::document::IndexedWorkflow;
use crate::model::{FieldChange, FieldState, FieldValue, SessionState, ValueSource, echoed};

/// So many changes look for their fields one by one; more read the whole path once.
const FEW: usize = 4;

/// A change that really changes something.
pub(super) struct Changed<'w> {
    pub(super) field: path::PathField<'w>,
    pub(super) from: FieldState,
    pub(super) to: FieldState,
}

/// Checks the changes against the path and the fields' rules and drops those that change nothing. While the session runs, setting a prefilled
/// value to the same value is a change: the technician has confirmed it. An edit after the end confirms nothing.
pub(super) fn check<'w>(workflow: &'w IndexedWorkflow, state: &'w State, changes: &[FieldChange]) -> Result<Vec<Changed<'w>>, Refusal> {
    known_once(workflow, changes.iter().map(|change| change.field.as_str()))?;
    let few = path::PathSections::of(workflow, state);
    let all = (changes.len() > FEW).then(|| path::fields(workflow, state));
    let on_path = |field: &str| all.as_ref().map_or_else(|| few.get(field), |all| all.get(field));
    let mut elsewhere = Vec::new();
    let mut problems = Vec::new();
    let mut changed = Vec::new();
    for FieldChange { field, change } in counted(changes.iter()) {
        let Some(met) = on_path(field) else {
            elsewhere.push(echoed(field));
            continue;
        };
        match validate_change(met.definition, change) {
            Ok(to) => {
                let from = met.holds();
                let is_confirmed =
                    state.state == SessionState::InProgress && met.held.is_some_and(|held| held.source != ValueSource::Technician);
                if is_confirmed || !same(from, &to) {
                    changed.push(Changed { field: met, from: from.clone(), to });
                }
            }
            Err(problem) => problems.push(met.at(problem)),
        }
    }
    if !elsewhere.is_empty() {
        return Err(Refusal::FieldsNotOnPath { fields: elsewhere });
    }
    if !problems.is_empty() {
        return Err(Refusal::Fields { problems });
    }
    Ok(changed)
}

/// Checks that every key is one of the library, and that none is there twice.
pub(super) fn known_once<'k>(workflow: &IndexedWorkflow, keys: impl Iterator<Item = &'k str> + Clone) -> Result<(), Refusal> {
    let mut places: Vec<usize> = Vec::new();
    let mut unknown = Vec::new();
    for key in counted(keys.clone()) {
        match workflow.place_of_field(key) {
            Some(place) => places.push(place),
            None => unknown.push(echoed(key)),
        }
    }
    if !unknown.is_empty() {
        return Err(Refusal::UnknownFields { fields: unknown });
    }
    let mut seen = vec![false; workflow.fields.len()];
    let mut is_again = |place: usize| std::mem::replace(&mut seen[place], true);
    let again: Vec<String> = keys.zip(places).filter(|(_, place)| is_again(*place)).map(|(key, _)| key.to_owned()).collect();
    if !again.is_empty() {
        return Err(Refusal::DuplicateFields { fields: again });
    }
    Ok(())
}

/// Whether both are the same for a technician. The same moment with another offset is another value: the offset is sent as entered.
fn same(from: &FieldState, to: &FieldState) -> bool {
    match (from, to) {
        (FieldState::Provided(FieldValue::DateTime(a)), FieldState::Provided(FieldValue::DateTime(b))) => {
            a == b && a.offset() == b.offset()
        }
        _ => from == to,
    }
}
