//! What the path of a session meets: its sections and their fields, each once, in order.

use std::collections::{HashMap, HashSet};

use super::State;
use super::steps::counted;
use super::validate::missing;
use crate::model::{FieldDefinition, FieldState, Problem, Section, Workflow};

/// A field where the path meets it first.
#[derive(Clone, Copy)]
pub(super) struct PathField<'w> {
    pub(super) section: &'w Section,
    pub(super) definition: &'w FieldDefinition,
}

/// The workflow's sections by key. One pass over the document; a search at each visit would cost path times document at every tap.
pub(super) fn sections_by_key(workflow: &Workflow) -> HashMap<&str, &Section> {
    counted(workflow.sections.iter()).map(|section| (section.key.as_str(), section)).collect()
}

/// The workflow's fields by key, likewise.
pub(super) fn library(workflow: &Workflow) -> HashMap<&str, &FieldDefinition> {
    counted(workflow.fields.iter()).map(|field| (field.key.as_str(), field)).collect()
}

/// The sections with a visit that is not superseded, each once, in the order the path first meets them.
pub(super) fn sections<'w>(workflow: &'w Workflow, state: &State) -> Vec<&'w Section> {
    let by_key = sections_by_key(workflow);
    let mut met = HashSet::new();
    let keys = counted(state.path.iter()).map(|visit| visit.section.as_str()).filter(|key| met.insert(*key));
    keys.filter_map(|key| by_key.get(key).copied()).collect()
}

/// The fields those sections ask, in path order and then section order, each once.
pub(super) fn fields<'w>(workflow: &'w Workflow, state: &State) -> Vec<PathField<'w>> {
    let library = library(workflow);
    let mut met = HashSet::new();
    let mut found = Vec::new();
    for section in sections(workflow, state) {
        for key in counted(section.fields.iter()) {
            if let Some(definition) = library.get(key.as_str()).filter(|_| met.insert(key.as_str())) {
                found.push(PathField { section, definition });
            }
        }
    }
    found
}

/// What is missing anywhere on the path, in path order.
pub(super) fn missing_on_path(workflow: &Workflow, state: &State) -> Vec<Problem> {
    fields(workflow, state).iter().filter_map(|field| missing(field.definition, state.holds(&field.definition.key))).collect()
}

impl State {
    /// What this field holds.
    pub fn holds(&self, field: &str) -> &FieldState {
        self.values.get(field).map_or(&FieldState::NotProvided, |held| &held.state)
    }
}
