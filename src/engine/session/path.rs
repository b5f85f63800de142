//! The sections of a session's path and their fields, each once, in order.

use super::steps::counted;
use super::validate::missing;
use super::{State, StoredValue};
use crate::engine::document::IndexedWorkflow;
use crate::model::{FieldDefinition, FieldState, Problem, Section};

/// A field of the path.
#[derive(Clone, Copy)]
pub(crate) struct PathField<'w> {
    /// The section that asks it first.
    pub(super) section: &'w Section,
    pub(super) definition: &'w FieldDefinition,
    /// Its place in the library.
    pub(super) place: usize,
    /// What it holds, and since when.
    pub(super) held: Option<&'w StoredValue>,
    /// The latest visit whose section asks it: the one to go back to, because that supersedes the fewest visits.
    latest: (&'w Section, u32),
}

impl<'w> PathField<'w> {
    /// What it holds.
    pub(super) fn holds(&self) -> &'w FieldState {
        self.held.map_or(&FieldState::NotProvided, |held| &held.state)
    }

    /// The problem with its place in the session.
    pub(super) fn at(&self, problem: Problem) -> Problem {
        problem.at(&self.latest.0.key, self.latest.1)
    }
}

/// The sections with a visit that is not superseded, each once, in the order the path first meets them.
pub(super) fn sections<'w>(workflow: &'w IndexedWorkflow, state: &State) -> Vec<&'w Section> {
    met(workflow, state).into_iter().map(|(place, _)| &workflow.sections[place]).collect()
}

/// The places of these sections, each with the number of its latest visit.
fn met(workflow: &IndexedWorkflow, state: &State) -> Vec<(usize, u32)> {
    let mut places: Vec<Option<usize>> = vec![None; workflow.sections.len()];
    let mut met: Vec<(usize, u32)> = Vec::new();
    for visit in counted(state.path.iter()) {
        let Some(section) = workflow.place_of_section(&visit.section) else { continue };
        let place = *places[section].get_or_insert(met.len());
        match met.get_mut(place) {
            Some((_, latest)) => *latest = visit.number,
            None => met.push((section, visit.number)),
        }
    }
    met
}

/// The fields of the path, found by their keys.
pub(crate) struct PathFields<'w> {
    workflow: &'w IndexedWorkflow,
    /// In path order and then section order, each once.
    pub(super) all: Vec<PathField<'w>>,
    /// Their places there, by those in the library.
    places: Vec<Option<usize>>,
}

impl<'w> PathFields<'w> {
    /// The field with this key, if the path asks it.
    pub(super) fn get(&self, key: &str) -> Option<PathField<'w>> {
        self.at(self.workflow.place_of_field(key)?)
    }

    /// The field at this place in the library, if the path asks it.
    pub(super) fn at(&self, field: usize) -> Option<PathField<'w>> {
        self.places[field].map(|place| self.all[place])
    }
}

/// One field of a path, found without reading the others.
pub(super) struct PathSections<'w> {
    workflow: &'w IndexedWorkflow,
    state: &'w State,
    met: Vec<(usize, u32)>,
}

impl<'w> PathSections<'w> {
    pub(super) fn of(workflow: &'w IndexedWorkflow, state: &'w State) -> Self {
        Self { workflow, state, met: met(workflow, state) }
    }

    /// The field with this key, if the path asks it.
    pub(super) fn get(&self, key: &str) -> Option<PathField<'w>> {
        let place = self.workflow.place_of_field(key)?;
        let mut visits = self.met.iter().filter(|(section, _)| counted(self.workflow.asked(*section).iter()).any(|asked| *asked == place));
        let first = visits.next()?;
        let latest = visits.fold(first, |latest, visit| if visit.1 > latest.1 { visit } else { latest });
        Some(PathField {
            section: &self.workflow.sections[first.0],
            definition: &self.workflow.fields[place],
            place,
            held: self.state.values.get(key),
            latest: (&self.workflow.sections[latest.0], latest.1),
        })
    }
}

/// The fields those sections ask.
pub(super) fn fields<'w>(workflow: &'w IndexedWorkflow, state: &'w State) -> PathFields<'w> {
    let met = met(workflow, state);
    let held = workflow.by_place(state.values.iter());
    let most = met.iter().map(|(section, _)| workflow.asked(*section).len()).sum::<usize>().min(held.len());
    let mut found = PathFields { workflow, all: Vec::with_capacity(most), places: vec![None; held.len()] };
    for (section, number) in met {
        let visit = (&workflow.sections[section], number);
        for &field in counted(workflow.asked(section).iter()) {
            let place = *found.places[field].get_or_insert(found.all.len());
            match found.all.get_mut(place) {
                Some(field) if field.latest.1 < number => field.latest = visit,
                Some(_) => {}
                None => {
                    let (definition, held) = (&workflow.fields[field], held[field]);
                    found.all.push(PathField { section: visit.0, definition, place: field, held, latest: visit });
                }
            }
        }
    }
    found
}

/// What is missing anywhere on the path, in path order.
pub(super) fn missing_on_path(on_path: &PathFields<'_>) -> Vec<Problem> {
    let problem = |field: &PathField<'_>| missing(field.definition, field.holds()).map(|problem| field.at(problem));
    on_path.all.iter().filter_map(problem).collect()
}

impl State {
    /// What this field holds.
    pub fn holds(&self, field: &str) -> &FieldState {
        self.values.get(field).map_or(&FieldState::NotProvided, |held| &held.state)
    }
}
