//! The view of a session for a screen.

use super::steps::counted;
use super::validate::missing;
use super::{State, path};
use crate::engine::document::IndexedWorkflow;
use crate::model::{ActionKind, ActionPreview, FieldView, Integration, PathStep, Problem, SectionView, SessionState, SessionView};
use crate::sorted::SortedMap;

/// The key of the half-typed text of a note among those of fields: no field has this key.
pub(crate) const NOTE: &str = "";

/// The view without the fields of the path.
#[cfg(any(test, feature = "testing"))]
pub fn view(workflow: &IndexedWorkflow, state: &State, drafts: &SortedMap<String, String>) -> SessionView {
    view_and_fields(workflow, state, drafts).0
}

/// Everything a screen shows of the session, with the half-typed texts that were saved, by field; and the fields of the path.
///
/// Problems and what would fire belong to a session in progress; once it is over they are empty: see its record.
pub(crate) fn view_and_fields<'a>(
    workflow: &'a IndexedWorkflow,
    state: &'a State,
    drafts: &SortedMap<String, String>,
) -> (SessionView, path::PathFields<'a>) {
    let running = state.state == SessionState::InProgress;
    let current = state.current();
    let place = workflow.place_of_section(&current.section);
    let section = place.map(|place| &workflow.sections[place]);
    let on_path = path::fields(workflow, state);
    // The current section is on the path.
    let asked = counted(place.map_or(&[][..], |place| workflow.asked(place)).iter()).filter_map(|field| on_path.at(*field));
    let fields: Vec<FieldView> = asked.map(|field| field_view(field, state, drafts, running)).collect();
    let problems: Vec<Problem> = fields.iter().filter_map(|field| field.problem.clone()).collect();
    let completion_problems = if running { path::missing_on_path(&on_path) } else { Vec::new() };
    let is_end = section.is_some_and(|section| section.is_end());
    let view = SessionView {
        key: state.key,
        workflow: state.workflow.clone(),
        state: state.state,
        won: state.won,
        actor: state.actor.clone(),
        started_at: state.started_at,
        finished_at: state.finished_at,
        visit: current.number,
        section: SectionView {
            key: current.section.clone(),
            name: section.map_or(&current.section, |section| &section.name).clone(),
            content: section.map_or_else(String::new, |section| section.content.clone()),
            is_end,
            win: section.is_some_and(|section| section.win),
        },
        fields,
        answers: section.map_or_else(Vec::new, |section| section.answers.clone()),
        responses: workflow.responses.clone(),
        path: path_steps(workflow, state),
        notes: state.notes.clone(),
        note_draft: drafts.get(NOTE).cloned(),
        problems,
        can_complete: running && is_end && completion_problems.is_empty(),
        completion_problems,
        would_fire: if running { encountered(workflow, state) } else { Vec::new() },
    };
    (view, on_path)
}

/// The webhook messages of the sections on the path, in path order. Each action is there once, for any number of visits: keys of actions are
/// unique, and each section is read once.
pub fn encountered(workflow: &IndexedWorkflow, state: &State) -> Vec<ActionPreview> {
    let mut found: Vec<ActionPreview> = Vec::new();
    for section in path::sections(workflow, state) {
        for action in counted(section.actions.iter()) {
            let (Integration::Webhooks, ActionKind::SendMessage) = (action.integration, action.kind);
            found.push(ActionPreview {
                key: action.key.clone(),
                name: action.name.clone(),
                section: section.key.clone(),
                endpoint: action.endpoint.clone(),
                size: None,
                too_large: false,
            });
        }
    }
    found
}

/// The path with the names of its sections and answers. A name that the document does not have is shown as its key.
pub(super) fn path_steps(workflow: &IndexedWorkflow, state: &State) -> Vec<PathStep> {
    let step = |visit: &super::Visit| {
        let place = workflow.place_of_section(&visit.section);
        let section = place.map(|place| &workflow.sections[place]);
        let name_of = |key: &String| place.and_then(|place| workflow.answer(place, key)).map_or(key, |answer| &answer.name).clone();
        PathStep {
            visit: visit.number,
            section: visit.section.clone(),
            section_name: section.map_or(&visit.section, |section| &section.name).clone(),
            at: visit.at,
            answer: visit.answer.clone(),
            answer_name: visit.answer.as_ref().map(name_of),
        }
    };
    counted(state.path.iter()).map(step).collect()
}

fn field_view(field: path::PathField<'_>, state: &State, drafts: &SortedMap<String, String>, running: bool) -> FieldView {
    let (held, holds, current) = (field.held, field.holds(), state.current());
    let definition = field.definition;
    FieldView {
        definition: definition.clone(),
        state: holds.clone(),
        completed_at: held.map(|held| held.completed_at),
        source: held.map(|held| held.source.clone()),
        draft: drafts.get(&definition.key).cloned(),
        problem: if running { missing(definition, holds).map(|problem| problem.at(&current.section, current.number)) } else { None },
    }
}
