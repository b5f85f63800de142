//! Totals for reports. Each is one pass over sessions; nothing is kept up to date at each tap for them.

use std::collections::BTreeMap;

use super::row::{lossy, optional_lossy, session_state};
use super::{Connection, Result};
use crate::model::{GroupTotals, SessionState, SessionTotals, Totals};

/// No session has a million actions: a count beyond that was damaged, and must not overflow when it is added to the others.
pub(crate) fn totals(connection: &Connection) -> Result<Totals> {
    let mut totals = Totals::default();
    let mut by_workflow: BTreeMap<String, SessionTotals> = BTreeMap::new();
    let mut by_actor: BTreeMap<String, SessionTotals> = BTreeMap::new();
    let mut statement = connection.prepare_cached(
        "SELECT w.key, s.actor, s.state, s.won, count(*), sum(max(0, min(s.actions_not_fired, 1000000))), sum(max(0, min(s.actions_pending, 1000000))),
                sum(max(0, min(s.actions_sent, 1000000))), sum(max(0, min(s.actions_failed, 1000000)))
           FROM session s JOIN workflow w ON w.id = s.workflow_id
          GROUP BY w.key, s.actor, s.state, s.won",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let workflow = lossy(row, 0)?;
        let actor = optional_lossy(row, 1)?;
        // One whose state is no word is left out; `check` names it.
        let Some(state) = row.get_ref(2)?.as_str().ok().and_then(|state| session_state(state).ok()) else { continue };
        let won: Option<bool> = row.get(3).unwrap_or_default();
        let count = row.get::<_, i64>(4)? as u64;
        let groups = [
            Some(&mut totals.sessions),
            Some(by_workflow.entry(workflow).or_default()),
            actor.map(|actor| by_actor.entry(actor).or_default()),
        ];
        for group in groups.into_iter().flatten() {
            add(group, state, won, count);
        }
        totals.actions_not_fired += row.get::<_, i64>(5)? as u64;
        totals.actions_pending += row.get::<_, i64>(6)? as u64;
        totals.actions_sent += row.get::<_, i64>(7)? as u64;
        totals.actions_failed += row.get::<_, i64>(8)? as u64;
    }
    totals.by_workflow = groups(by_workflow);
    totals.by_actor = groups(by_actor);
    Ok(totals)
}

fn add(totals: &mut SessionTotals, state: SessionState, won: Option<bool>, count: u64) {
    match state {
        SessionState::InProgress => totals.in_progress += count,
        SessionState::Completed => totals.completed += count,
        SessionState::Ended => totals.ended += count,
        SessionState::Discarded => totals.discarded += count,
    }
    if won == Some(true) {
        totals.won += count;
    }
}

fn groups(groups: BTreeMap<String, SessionTotals>) -> Vec<GroupTotals> {
    groups.into_iter().map(|(key, sessions)| GroupTotals { key, sessions }).collect()
}
