//! Totals for reports. Each is one pass over sessions; nothing is kept up to date at each tap for them.

use std::collections::BTreeMap;

use super::row::session_state;
use super::{Connection, Result};
use crate::model::{GroupTotals, SessionState, SessionTotals, Totals};

pub(crate) fn totals(connection: &Connection) -> Result<Totals> {
    let mut totals = Totals::default();
    let mut by_workflow: BTreeMap<String, SessionTotals> = BTreeMap::new();
    let mut by_actor: BTreeMap<String, SessionTotals> = BTreeMap::new();
    let mut statement = connection.prepare_cached(
        "SELECT w.key, s.actor, s.state, s.won, count(*),
                sum(s.actions_not_fired), sum(s.actions_pending), sum(s.actions_sent), sum(s.actions_failed)
           FROM session s JOIN workflow w ON w.id = s.workflow_id
          GROUP BY w.key, s.actor, s.state, s.won",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let workflow: String = row.get(0)?;
        let actor: Option<String> = row.get(1)?;
        let state = session_state(row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?)?;
        let won: Option<bool> = row.get(3)?;
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
