//! The sections of a session's path and their fields, each once, in order.

use super::State;
use super::steps::counted;
use super::validate::missing;
use crate::engine::document::IndexedWorkflow;
use crate::model::{FieldDefinition, FieldState, Problem, Section};

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

/// The sections with a visit that is not superseded, each once, in the order the path first meets them.
pub(super) fn sections<'w>(workflow: &'w IndexedWorkflow, state: &State) -> Vec<&'w Section> {
    met(workflow, state).into_iter().map(|(section, _)| section).collect()
}

/// These sections, each with the number of its latest visit.
fn met<'w>(workflow: &'w IndexedWorkflow, state: &State) -> Vec<(&'w Section, u32)> {
    let mut places: Vec<Option<usize>> = vec![None; workflow.sections.len()];
    let mut met: Vec<(&Section, u32)> = Vec::new();
    for visit in counted(state.path.iter()) {
        let Some(section) = workflow.place_of_section(&visit.section) else { continue };
        let place = *places[section].get_or_insert(met.len());
        match met.get_mut(place) {
            Some((_, latest)) => *latest = visit.number,
            None => met.push((&workflow.sections[section], visit.number)),
        }
    }
    met
}

/// The fields of the path, found by their keys.
pub(super) struct PathFields<'w> {
    workflow: &'w IndexedWorkflow,
    /// In path order and then section order, each once.
    pub(super) all: Vec<PathField<'w>>,
    /// Their places there, by those in the library.
    places: Vec<Option<usize>>,
}

impl<'w> PathFields<'w> {
    /// The field with this key, if the path asks it.
    pub(super) fn get(&self, key: &str) -> Option<PathField<'w>> {
        self.places[self.workflow.place_of_field(key)?].map(|place| self.all[place])
    }
}

/// The fields those sections ask.
pub(super) fn fields<'w>(workflow: &'w IndexedWorkflow, state: &State) -> PathFields<'w> {
    let mut found = PathFields { workflow, all: Vec::new(), places: vec![None; workflow.fields.len()] };
    for visit in met(workflow, state) {
        let (section, number) = visit;
        for key in counted(section.fields.iter()) {
            let Some(field) = workflow.place_of_field(key) else { continue };
            let place = *found.places[field].get_or_insert(found.all.len());
            match found.all.get_mut(place) {
                Some(field) if field.latest.1 < number => field.latest = visit,
                Some(_) => {}
                None => found.all.push(PathField { section, definition: &workflow.fields[field], latest: visit }),
            }
        }
    }
    found
}

/// What is missing anywhere on the path, in path order.
pub(super) fn missing_on_path(workflow: &IndexedWorkflow, state: &State) -> Vec<Problem> {
    let problem = |field: &PathField<'_>| missing(field.definition, state.holds(&field.definition.key)).map(|problem| field.place(problem));
    fields(workflow, state).all.iter().filter_map(problem).collect()
}

impl State {
    /// What this field holds.
    pub fn holds(&self, field: &str) -> &FieldState {
        self.values.get(field).map_or(&FieldState::NotProvided, |held| &held.state)
    }
}
