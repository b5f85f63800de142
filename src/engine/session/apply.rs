//! How an event changes the state of a session.

use super::{State, StoredValue, Visit, redact};
use crate::model::{Act, Event, FieldState, Note, SessionKey, SessionState, Timestamp, ValueSource, Workflow};
use crate::sorted::SortedMap;

/// The state a session begins in. None when the event is not the one that starts a session.
pub fn begin(key: SessionKey, workflow: &Workflow, event: &Event) -> Option<State> {
    let Act::Started { workflow: reference, prefill, .. } = &event.act else { return None };
    let mut state = State {
        key,
        workflow: reference.clone(),
        state: SessionState::InProgress,
        won: None,
        actor: event.actor.clone(),
        started_at: event.at,
        finished_at: None,
        end_reason: None,
        last_seq: event.seq,
        last_at: event.at,
        last_visit: 1,
        path: vec![Visit { number: 1, section: workflow.start.clone(), at: event.at, answer: None }],
        values: SortedMap::new(),
        notes: Vec::new(),
    };
    for value in prefill {
        hold(&mut state, &value.field, &value.to, &value.source, event.at);
    }
    Some(state)
}

/// Adds the next event of a session to its state.
///
/// Never fails: a stored event is history and is applied as it is; what does not fit the state (a note or a visit that is not there) is
/// skipped. `check` compares the stored state with the replayed one.
pub fn apply(state: &mut State, event: &Event) {
    state.last_seq = event.seq;
    state.last_at = event.at;
    match &event.act {
        // `begin` has taken the first one; there is no second.
        Act::Started { .. } => {}
        Act::FieldsSet { values } => {
            for value in values {
                hold(state, &value.field, &value.to, &value.source, event.at);
            }
        }
        Act::Answered { visit, answer, next_visit, next_section } => {
            if let Some(left) = state.path.iter_mut().find(|step| step.number == *visit) {
                left.answer = Some(answer.clone());
            }
            enter(state, *next_visit, next_section, event.at);
        }
        Act::WentBack { to_visit, next_visit, next_section, .. } => {
            if let Some(target) = state.path.iter().position(|step| step.number == *to_visit) {
                state.path.truncate(target);
            }
            enter(state, *next_visit, next_section, event.at);
        }
        Act::Noted { text } => {
            state.notes.push(Note { seq: event.seq, at: event.at, actor: event.actor.clone(), text: text.clone(), edited: false })
        }
        Act::Completed { won, .. } => {
            finish(state, SessionState::Completed, event.at);
            state.won = Some(*won);
        }
        Act::Ended { reason } => {
            finish(state, SessionState::Ended, event.at);
            state.end_reason = Some(reason.clone());
        }
        Act::Discarded => finish(state, SessionState::Discarded, event.at),
        Act::Edited { fields, notes, .. } => {
            for field in fields {
                hold(state, &field.field, &field.to, &ValueSource::Technician, event.at);
            }
            for edit in notes {
                if let Some(note) = state.notes.iter_mut().find(|note| note.seq == edit.note) {
                    note.text.clone_from(&edit.to);
                    note.edited = true;
                }
            }
        }
        // Earlier events no longer hold it, so a replay has nothing to do here.
        Act::Redacted { target, .. } => redact::state(state, target),
        // These do not change the session: the outbox has the state of a message.
        Act::ResponseUsed { .. } | Act::SendRequested { .. } | Act::Abandoned { .. } => {}
    }
}

/// The state that a session's events, in order of `seq`, give. None when the first one does not start a session.
pub fn replay(key: SessionKey, workflow: &Workflow, events: &[Event]) -> Option<State> {
    let (first, rest) = events.split_first()?;
    let mut state = begin(key, workflow, first)?;
    for event in rest {
        apply(&mut state, event);
    }
    Some(state)
}

fn hold(state: &mut State, field: &str, to: &FieldState, source: &ValueSource, at: Timestamp) {
    if *to == FieldState::NotProvided {
        state.values.remove(field);
    } else {
        state.values.insert(field.to_owned(), StoredValue { state: to.clone(), completed_at: at, source: source.clone() });
    }
}

fn enter(state: &mut State, number: u32, section: &str, at: Timestamp) {
    state.last_visit = state.last_visit.max(number);
    state.path.push(Visit { number, section: section.to_owned(), at, answer: None });
}

fn finish(state: &mut State, to: SessionState, at: Timestamp) {
    state.state = to;
    state.finished_at = Some(at);
}
