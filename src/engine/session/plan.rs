//! The result of a list of commands, before anything is written.

use super::{Decision, NOTE, Refusal, State, apply, decide};
use crate::model::{Act, Applied, Command, EVENT_VERSION, Event, Timestamp, Workflow};
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
    /// The events, each with the state right after it.
    pub steps: Vec<(Event, State)>,
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
    workflow: &Workflow,
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
    workflow: &Workflow,
    state: &State,
    commands: &[&'c Command],
    context: &ActContext,
    applied: Applied,
) -> Result<Option<Plan<'c>>, Refusal> {
    let mut ahead = state.clone();
    let mut plan = Plan { applied, steps: Vec::new(), drafts: Vec::new() };
    for command in commands {
        match decide(workflow, &ahead, command)? {
            Decision::Stale => return Ok(None),
            Decision::Act(act) => {
                let event = advance(&mut ahead, act, command.command_id(), context);
                plan.steps.push((event, ahead.clone()));
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

/// Gives an act its number in the event log, and a time not before that of the previous act, and applies it to the state.
pub(crate) fn advance(state: &mut State, act: Act, command_id: Option<&str>, context: &ActContext) -> Event {
    let at = context.at.max(state.last_at);
    let event = Event {
        seq: state.last_seq + 1,
        v: EVENT_VERSION,
        at,
        wall_at: (context.at < at).then_some(context.at),
        utc_offset: context.utc_offset,
        actor: context.actor.clone(),
        command_id: command_id.map(str::to_owned),
        act,
    };
    apply(state, &event);
    event
}
