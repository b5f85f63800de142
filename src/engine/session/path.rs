//! The sections of a session's path and their fields, each once, in order.

use std::collections::{HashMap, HashSet};

use super::State;
use super::steps::counted;
use super::validate::missing;
use crate::model::{FieldDefinition, FieldState, Problem, Section, Workflow};

/// A field of the path.
#[derive(Clone, Copy)]
pub(super) struct PathField<'w> {
    /// The section that asks it first.
    pub(super) section: &'w Section,
    pub(super) definition: &'w FieldDefinition,
    /// The latest visit whose section asks it: the one to go back to, because that supersedes the fewest visits.
    latest: (&'w Section, u32),
}

impl PathField<'_> {
    /// The problem with its place in the session.
    pub(super) fn place(&self, problem: Problem) -> Problem {
        problem.at(&self.latest.0.key, self.latest.1)
    }
}

/// The workflow's sections by key. One pass over the document: a search per visit would cost path times document at every tap.
pub(super) fn sections_by_key(workflow: &Workflow) -> HashMap<&str, &Section> {
    counted(workflow.sections.iter()).map(|section| (section.key.as_str(), section)).collect()
}

/// The workflow's fields by key, in the same way.
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
    // Of several visits to a section the last one is kept.
    let latest: HashMap<&str, u32> = counted(state.path.iter()).map(|visit| (visit.section.as_str(), visit.number)).collect();
    let mut met: HashMap<&str, usize> = HashMap::new();
    let mut found: Vec<PathField<'w>> = Vec::new();
    for section in sections(workflow, state) {
        let visit = (section, latest[section.key.as_str()]);
        for key in counted(section.fields.iter()) {
            let Some(definition) = library.get(key.as_str()) else { continue };
            let place = *met.entry(key).or_insert(found.len());
            match found.get_mut(place) {
                Some(field) if field.latest.1 < visit.1 => field.latest = visit,
                Some(_) => {}
                None => found.push(PathField { section, definition, latest: visit }),
            }
        }
    }
    found
}

/// What is missing anywhere on the path, in path order.
pub(super) fn missing_on_path(workflow: &Workflow, state: &State) -> Vec<Problem> {
    let problem = |field: &PathField<'_>| missing(field.definition, state.holds(&field.definition.key)).map(|problem| field.place(problem));
    fields(workflow, state).iter().filter_map(problem).collect()
}

impl State {
    /// What this field holds.
    pub fn holds(&self, field: &str) -> &FieldState {
        self.values.get(field).map_or(&FieldState::NotProvided, |held| &held.state)
    }
}
