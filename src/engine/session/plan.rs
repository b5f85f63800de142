//! The result of a list of commands, before anything is written.

use std::borrow::Cow;

use super::{Decision, NOTE, Refusal, State, apply, decide};
use crate::engine::document::IndexedWorkflow;
use crate::model::{Act, Applied, Command, EVENT_VERSION, Event, Timestamp};
use crate::sorted::SortedSet;

/// Who acts, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActContext {
    /// The time of the clock.
    pub at: Timestamp,
    /// Seconds that local time is ahead of UTC then.
    pub utc_offset: i32,
    /// Who.
    pub actor: Option<String>,
}

/// What has to be written, in this order. Nothing is written yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan<'c> {
    /// What the call will have done.
    pub applied: Applied,
    /// The events. Each has to be applied to the state before it is written.
    pub events: Vec<Event>,
    /// The fields whose drafts are no longer needed; [`NOTE`] means that of a note.
    pub drafts: Vec<&'c str>,
}

/// Plans commands, each on the state after those before it. Pure: the same commands on the same state give the same steps. All are carried
/// out or none: one that is stale makes the whole list stale. Only notes are kept then, because they belong to no screen and typed text must
/// not be lost.
///
/// `repeated` holds the ids of commands that were given before: those are skipped.
///
/// # Errors
/// The refusal of [`decide()`](super::decide()) for any of them.
pub(crate) fn plan<'c>(
    workflow: &IndexedWorkflow,
    state: &State,
    commands: &'c [Command],
    context: &ActContext,
    repeated: &SortedSet<&str>,
) -> Result<Plan<'c>, Refusal> {
    let new: Vec<&Command> = commands.iter().filter(|command| command.command_id().is_none_or(|id| !repeated.contains(id))).collect();
    let applied = if new.is_empty() && !commands.is_empty() { Applied::Repeated } else { Applied::Yes };
    if let Some(plan) = steps(workflow, state, &new, context, applied)? {
        return Ok(plan);
    }
    let notes: Vec<&Command> = new.into_iter().filter(|command| matches!(command, Command::Note { .. })).collect();
    let plan = steps(workflow, state, &notes, context, Applied::Stale)?;
    Ok(plan.expect("a note is never stale"))
}

/// All of these; none where one is stale.
fn steps<'c>(
    workflow: &IndexedWorkflow,
    state: &State,
    commands: &[&'c Command],
    context: &ActContext,
    applied: Applied,
) -> Result<Option<Plan<'c>>, Refusal> {
    // Most calls have one command, and need no copy.
    let mut ahead = Cow::Borrowed(state);
    let mut plan = Plan { applied, events: Vec::new(), drafts: Vec::new() };
    for (place, command) in commands.iter().enumerate() {
        match decide(workflow, &ahead, command)? {
            Decision::Stale => return Ok(None),
            Decision::Act(act) => {
                let event = event(&ahead, act, command.command_id(), context);
                if place + 1 < commands.len() {
                    apply(ahead.to_mut(), &event);
                }
                plan.events.push(event);
            }
            Decision::Unchanged => {}
        }
        match command {
            Command::SetFields { changes } => plan.drafts.extend(changes.iter().map(|change| change.field.as_str())),
            Command::Edit { fields, .. } => plan.drafts.extend(fields.iter().map(|change| change.field.as_str())),
            Command::Note { .. } => plan.drafts.push(NOTE),
            _ => {}
        }
    }
    Ok(Some(plan))
}

/// Makes an act the next event, and applies it to the state.
pub(crate) fn advance(state: &mut State, act: Act, command_id: Option<&str>, context: &ActContext) -> Event {
    let event = event(state, act, command_id, context);
    apply(state, &event);
    event
}

/// Gives an act its number in the event log, and a time not before that of the previous act.
fn event(state: &State, act: Act, command_id: Option<&str>, context: &ActContext) -> Event {
    let at = context.at.max(state.last_at);
    Event {
        seq: state.last_seq + 1,
        v: EVENT_VERSION,
        at,
        wall_at: (context.at < at).then_some(context.at),
        utc_offset: context.utc_offset,
        actor: context.actor.clone(),
        command_id: command_id.map(str::to_owned),
        act,
    }
}
