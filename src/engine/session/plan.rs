//! What a list of commands comes to, before anything is written.

use std::collections::BTreeSet;

use super::{Decision, NOTE, Refusal, State, apply, decide};
use crate::model::{Act, Applied, Command, EVENT_VERSION, Event, Timestamp, Workflow};

/// Who acts, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// What the clock says.
    pub at: Timestamp,
    /// Seconds that local time is ahead of UTC then.
    pub utc_offset: i32,
    /// Who.
    pub actor: Option<String>,
}

/// What is to be written, in this order. Nothing of it has happened yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan<'c> {
    /// What the call will have done.
    pub applied: Applied,
    /// The events, each with the state right after it.
    pub steps: Vec<(Event, State)>,
    /// The fields whose drafts are done with; [`NOTE`] stands for that of a note.
    pub drafts: Vec<&'c str>,
}

/// Plans commands, each on the state that those before it lead to. Pure: the same commands on the same state give the same steps. All are
/// carried out or none: one that is stale makes the whole list stale.
///
/// `repeated` holds the ids of commands that were carried out before: those are passed over.
///
/// # Errors
/// What [`decide()`](super::decide()) refuses, of any of them.
pub fn plan<'c>(
    workflow: &Workflow,
    state: &State,
    commands: &'c [Command],
    stamp: &Stamp,
    repeated: &BTreeSet<&str>,
) -> Result<Plan<'c>, Refusal> {
    let mut ahead = state.clone();
    let mut plan = Plan { applied: Applied::Yes, steps: Vec::new(), drafts: Vec::new() };
    let is_new = |command: &&Command| command.command_id().is_none_or(|id| !repeated.contains(id));
    if !commands.is_empty() && !commands.iter().any(|command| is_new(&command)) {
        plan.applied = Applied::Repeated;
    }
    for command in commands.iter().filter(is_new) {
        match decide(workflow, &ahead, command)? {
            Decision::Stale => return Ok(Plan { applied: Applied::Stale, steps: Vec::new(), drafts: Vec::new() }),
            Decision::Act(act) => {
                let event = advance(&mut ahead, act, command.command_id(), stamp);
                plan.steps.push((event, ahead.clone()));
            }
            Decision::Unchanged => {}
        }
        match command {
            Command::SetFields { changes } => plan.drafts.extend(changes.iter().map(|change| change.field.as_str())),
            Command::Note { .. } => plan.drafts.push(NOTE),
            _ => {}
        }
    }
    Ok(plan)
}

/// Gives an act its place in the log, and a time not before that of the act before, and applies it to the state.
pub fn advance(state: &mut State, act: Act, command_id: Option<&str>, stamp: &Stamp) -> Event {
    let at = stamp.at.max(state.last_at);
    let event = Event {
        seq: state.last_seq + 1,
        v: EVENT_VERSION,
        at,
        wall_at: (stamp.at < at).then_some(stamp.at),
        utc_offset: stamp.utc_offset,
        actor: stamp.actor.clone(),
        command_id: command_id.map(str::to_owned),
        act,
    };
    apply(state, &event);
    event
}
