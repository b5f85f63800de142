//! Totals for reports: the schema's triggers keep them with each change, by workflow version and actor.

use super::row::lossy;
use super::{Connection, Result};
use crate::model::{GroupTotals, SessionTotals, Totals};
use crate::sorted::SortedMap;

pub(crate) fn totals(connection: &Connection) -> Result<Totals> {
    let mut totals = Totals::default();
    let mut by_workflow: SortedMap<String, SessionTotals> = SortedMap::new();
    let mut by_actor: SortedMap<String, SessionTotals> = SortedMap::new();
    let mut statement = connection.prepare_cached(
        "SELECT w.key, t.actor, t.in_progress, t.completed, t.won, t.ended, t.discarded,
                t.actions_not_fired, t.actions_pending, t.actions_sent, t.actions_failed
           FROM session_totals t JOIN workflow w ON w.id = t.workflow_id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        // A damaged count is named by `check`, and must not overflow when it is added to the others.
        let count = |index: usize| row.get::<_, i64>(index).unwrap_or_default().clamp(0, 1_000_000_000_000) as u64;
        let counts = SessionTotals { in_progress: count(2), completed: count(3), won: count(4), ended: count(5), discarded: count(6) };
        let actor = Some(lossy(row, 1)?).filter(|actor| !actor.is_empty());
        add(&mut totals.sessions, counts);
        add(by_workflow.or_insert_with(lossy(row, 0)?, Default::default), counts);
        if let Some(actor) = actor {
            add(by_actor.or_insert_with(actor, Default::default), counts);
        }
        totals.actions_not_fired += count(7);
        totals.actions_pending += count(8);
        totals.actions_sent += count(9);
        totals.actions_failed += count(10);
    }
    totals.by_workflow = groups(by_workflow);
    totals.by_actor = groups(by_actor);
    Ok(totals)
}

/// Whether the totals match the sessions.
pub(crate) fn are_true(connection: &Connection) -> Result<bool> {
    let mut statement = connection.prepare(
        "WITH counted AS (
             SELECT workflow_id, coalesce(actor, '') AS actor, count(*) FILTER (WHERE state = 'in_progress'),
                    count(*) FILTER (WHERE state = 'completed'), count(*) FILTER (WHERE won = 1), count(*) FILTER (WHERE state = 'ended'),
                    count(*) FILTER (WHERE state = 'discarded'),
                    sum(min(max(actions_not_fired, 0), 1000000)), sum(min(max(actions_pending, 0), 1000000)),
                    sum(min(max(actions_sent, 0), 1000000)), sum(min(max(actions_failed, 0), 1000000))
               FROM session GROUP BY workflow_id, coalesce(actor, ''))
         SELECT NOT EXISTS (SELECT * FROM counted EXCEPT SELECT * FROM session_totals)
            AND NOT EXISTS (SELECT * FROM session_totals EXCEPT SELECT * FROM counted)",
    )?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

fn add(totals: &mut SessionTotals, counts: SessionTotals) {
    totals.in_progress += counts.in_progress;
    totals.completed += counts.completed;
    totals.won += counts.won;
    totals.ended += counts.ended;
    totals.discarded += counts.discarded;
}

fn groups(groups: SortedMap<String, SessionTotals>) -> Vec<GroupTotals> {
    groups.into_iter().map(|(key, sessions)| GroupTotals { key, sessions }).collect()
}
