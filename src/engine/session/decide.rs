//! What a command does in the current state of a session.

use super::limits::{check_command_id, check_note, check_reason};
use super::steps::counted;
use super::validate::{line_feeds, missing, validate};
use super::{Refusal, State, changes, edit, path};
use crate::engine::document::IndexedWorkflow;
use crate::model::{Act, Command, FieldChange, FieldDefinition, FieldState, Problem, SessionState, ValueSet, ValueSource, echoed};

/// The decision on a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// This act, to be written as the session's next event.
    Act(Act),
    /// The session is already in the requested state.
    Unchanged,
    /// The session has moved on since the screen was drawn, for instance because of the first tap of a double tap.
    Stale,
}

/// Decides on a command. Pure: the state only changes when the act is applied as an event ([`apply()`](super::apply())).
///
/// A move (answer, back, complete) that names an earlier visit, or comes after the end of the session, is [`Decision::Stale`].
///
/// # Errors
/// All mistakes of the caller or the technician, see [`Refusal`].
pub fn decide(workflow: &IndexedWorkflow, state: &State, command: &Command) -> Result<Decision, Refusal> {
    if let Some(command_id) = command.command_id() {
        check_command_id(command_id)?;
    }
    match command {
        Command::SetFields { changes } => set_fields(workflow, state, changes),
        Command::Answer { visit, answer } => answer_section(workflow, state, *visit, answer),
        Command::Back { visit, to_visit } => back(state, *visit, *to_visit),
        Command::UseResponse { response, .. } => use_response(workflow, state, response),
        Command::Note { text, .. } => note(state, text),
        Command::Complete { visit } => complete(workflow, state, *visit),
        Command::End { reason, .. } => end(state, reason),
        Command::Discard => discard(state),
        Command::Edit { fields, notes, reason, .. } => edit::edit(workflow, state, fields, notes, reason.as_deref()),
    }
}

fn set_fields(workflow: &IndexedWorkflow, state: &State, changes: &[FieldChange]) -> Result<Decision, Refusal> {
    in_progress(state)?;
    if changes.is_empty() {
        return Err(Refusal::NothingGiven);
    }
    let changed = changes::check(workflow, state, changes)?;
    if changed.is_empty() {
        return Ok(Decision::Unchanged);
    }
    let set = |change: changes::Changed<'_>| ValueSet {
        field: change.field.definition.key.clone(),
        to: change.to,
        source: ValueSource::Technician,
    };
    Ok(Decision::Act(Act::FieldsSet { values: changed.into_iter().map(set).collect() }))
}

fn answer_section(workflow: &IndexedWorkflow, state: &State, visit: u32, key: &str) -> Result<Decision, Refusal> {
    if is_stale(state, visit)? {
        return Ok(Decision::Stale);
    }
    let section = current_section(workflow, state)?;
    let unknown = || Refusal::UnknownAnswer { section: section.key.clone(), answer: echoed(key) };
    let answer = section.answers.iter().find(|answer| answer.key == key).ok_or_else(unknown)?;
    let unlinked = || Refusal::UnlinkedAnswer { section: section.key.clone(), answer: key.to_owned() };
    let next = answer.next.as_ref().ok_or_else(unlinked)?;
    if workflow.section(next).is_none() {
        return Err(Refusal::BrokenWorkflow { section: next.clone() });
    }
    let asked = counted(section.fields.iter()).filter_map(|field| workflow.field(field));
    none(asked.filter_map(|field| problem(field, state.holds(&field.key))).map(|problem| problem.at(&section.key, visit)).collect())?;
    let next_visit = state.last_visit.saturating_add(1);
    Ok(Decision::Act(Act::Answered { visit, answer: key.to_owned(), next_visit, next_section: next.clone() }))
}

fn back(state: &State, visit: u32, to_visit: u32) -> Result<Decision, Refusal> {
    existed(state, to_visit)?;
    if is_stale(state, visit)? {
        return Ok(Decision::Stale);
    }
    if to_visit == visit {
        return Err(Refusal::AlreadyThere { visit });
    }
    // A visit that existed and is not on the path was superseded: an earlier screen still offers it.
    let Some(target) = state.path.iter().find(|step| step.number == to_visit) else {
        return Ok(Decision::Stale);
    };
    let next_visit = state.last_visit.saturating_add(1);
    Ok(Decision::Act(Act::WentBack { visit, to_visit, next_visit, next_section: target.section.clone() }))
}

fn use_response(workflow: &IndexedWorkflow, state: &State, key: &str) -> Result<Decision, Refusal> {
    in_progress(state)?;
    let response = workflow.response(key).ok_or_else(|| Refusal::UnknownResponse { response: echoed(key) })?;
    Ok(Decision::Act(Act::ResponseUsed { visit: state.current().number, response: response.key.clone() }))
}

fn note(state: &State, text: &str) -> Result<Decision, Refusal> {
    if state.state == SessionState::Discarded {
        return Err(Refusal::Discarded);
    }
    let text = line_feeds(text);
    check_note(&text)?;
    Ok(Decision::Act(Act::Noted { text: Some(text) }))
}

fn complete(workflow: &IndexedWorkflow, state: &State, visit: u32) -> Result<Decision, Refusal> {
    if is_stale(state, visit)? {
        return Ok(Decision::Stale);
    }
    let section = current_section(workflow, state)?;
    if !section.is_end() {
        return Err(Refusal::NotAnEndSection { section: section.key.clone() });
    }
    none(path::fields(workflow, state).all.iter().filter_map(|field| Some(field.at(problem(field.definition, field.holds())?))).collect())?;
    Ok(Decision::Act(Act::Completed { visit, won: section.win }))
}

fn end(state: &State, reason: &str) -> Result<Decision, Refusal> {
    in_progress(state)?;
    check_reason(reason)?;
    Ok(Decision::Act(Act::Ended { reason: reason.to_owned() }))
}

fn discard(state: &State) -> Result<Decision, Refusal> {
    match state.state {
        SessionState::InProgress => Ok(Decision::Act(Act::Discarded)),
        SessionState::Discarded => Ok(Decision::Stale),
        SessionState::Completed | SessionState::Ended => Err(Refusal::AlreadyFinished { state: state.state }),
    }
}

fn in_progress(state: &State) -> Result<(), Refusal> {
    match state.state {
        SessionState::InProgress => Ok(()),
        state => Err(Refusal::NotInProgress { state }),
    }
}

/// Whether a move was made for a screen that is out of date.
fn is_stale(state: &State, visit: u32) -> Result<bool, Refusal> {
    existed(state, visit)?;
    Ok(state.state != SessionState::InProgress || visit != state.current().number)
}

/// A number that was never used is a caller's mistake, not an old screen.
fn existed(state: &State, visit: u32) -> Result<(), Refusal> {
    if (1..=state.last_visit).contains(&visit) { Ok(()) } else { Err(Refusal::UnknownVisit { visit }) }
}

fn current_section<'w>(workflow: &'w IndexedWorkflow, state: &State) -> Result<&'w crate::model::Section, Refusal> {
    let key = &state.current().section;
    workflow.section(key).ok_or_else(|| Refusal::BrokenWorkflow { section: key.clone() })
}

/// The problem of a field whose value is missing or no longer follows the field's rules.
fn problem(field: &FieldDefinition, holds: &FieldState) -> Option<Problem> {
    match holds {
        FieldState::Provided(value) => validate(field, value).err(),
        other => missing(field, other),
    }
}

fn none(problems: Vec<Problem>) -> Result<(), Refusal> {
    if problems.is_empty() { Ok(()) } else { Err(Refusal::Fields { problems }) }
}
