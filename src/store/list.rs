//! Lists of sessions: newest first, filtered, one page at a time.

use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};

use super::row::{from_ms, lossy, optional_lossy, optional_time, session_key, session_state, to_ms};
use super::{Connection, Result, search};
use crate::engine::words::Query;
use crate::model::{ActionStatus, SessionFilter, SessionSummary, Timestamp, WorkflowRef};

/// At most `limit` sessions after the one of this row, each with its row. They are in the order in which they began on this phone, which is
/// that of their rows: the clock may have been wrong. Unreadable parts of a session are blank; a session with an unreadable key, state or
/// workflow is None, and is named by `check`.
pub(crate) fn sessions(
    connection: &Connection,
    filter: &SessionFilter,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<(Option<SessionSummary>, i64)>> {
    let query = match filter.text.as_deref().filter(|text| !text.trim().is_empty()).map(Query::of) {
        // Only signs.
        Some(None) => return Ok(Vec::new()),
        query => query.flatten(),
    };
    let candidates = query.as_ref().map(|query| search::Candidates::of(connection, query)).transpose()?;
    let mut conditions = vec![if filter.states.is_empty() {
        "s.state <> 'discarded'".to_owned()
    } else {
        // With `=`, so that the index of one state serves a list of that state.
        let states: Vec<_> = filter.states.iter().map(|state| format!("s.state = '{}'", state.as_str())).collect();
        format!("({})", states.join(" OR "))
    }];
    let mut values: Vec<Value> = Vec::new();
    let mut add = |condition: &str, value: Value| {
        values.push(value);
        conditions.push(condition.replace('?', &format!("?{}", values.len())));
    };
    if let Some(workflow) = &filter.workflow {
        add("s.workflow_id IN (SELECT id FROM workflow WHERE key = ?)", Value::Text(workflow.clone()));
    }
    if let Some(from) = filter.started_from {
        add("s.started_at >= ?", Value::Integer(to_ms(from)));
    }
    if let Some(before) = filter.started_before {
        add("s.started_at < ?", Value::Integer(to_ms(before)));
    }
    if let Some(won) = filter.won {
        add("s.won = ?", Value::Integer(won.into()));
    }
    if let Some(actor) = &filter.actor {
        add("s.actor = ?", Value::Text(actor.clone()));
    }
    if let Some(after) = after {
        add("s.id < ?", Value::Integer(after));
    }
    if let Some(status) = filter.action_status {
        conditions.push(
            match status {
                ActionStatus::NotFired => "s.actions_not_fired > 0",
                ActionStatus::Pending => "s.actions_pending > 0",
                ActionStatus::Sent => "s.actions_sent > 0",
                ActionStatus::Failed => "s.actions_failed > 0",
            }
            .to_owned(),
        );
    }
    if let Some(ids) = candidates.as_ref().and_then(search::Candidates::all) {
        let ids: Vec<_> = ids.iter().map(i64::to_string).collect();
        conditions.push(format!("s.id IN ({})", ids.join(", ")));
    }
    // It is not known how many of the candidates match.
    values.push(Value::Integer(if candidates.is_some() { -1 } else { limit.into() }));
    let sql = format!(
        "SELECT s.id, s.key, s.state, s.won, s.actor, s.started_at, s.finished_at, s.section_name,
                s.actions_not_fired, s.actions_pending, s.actions_sent, s.actions_failed, w.key, w.name, w.version, w.local_revision,
                s.actions_differing
           FROM session s JOIN workflow w ON w.id = s.workflow_id
          WHERE {} ORDER BY s.id DESC LIMIT ?{}",
        conditions.join(" AND "),
        values.len()
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut found = Vec::new();
    while found.len() < limit as usize
        && let Some(row) = rows.next()?
    {
        if let Some(candidates) = &candidates
            && !candidates.has(connection, row.get(0)?)?
        {
            continue;
        }
        found.push((summary(row).ok(), row.get(0)?));
    }
    drop(rows);
    if candidates.is_some() {
        // It contains row numbers, and is not used again.
        statement.discard();
    }
    Ok(found)
}

fn summary(row: &Row<'_>) -> Result<SessionSummary> {
    Ok(SessionSummary {
        key: session_key(&row.get::<_, Vec<u8>>(1)?)?,
        workflow: WorkflowRef { key: row.get(12)?, name: lossy(row, 13)?, version: row.get(14)?, local_revision: row.get(15)? },
        state: session_state(row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?)?,
        won: row.get(3).unwrap_or_default(),
        actor: optional_lossy(row, 4)?,
        started_at: row.get(5).map_or(Ok(Timestamp::UNIX_EPOCH), from_ms).unwrap_or(Timestamp::UNIX_EPOCH),
        finished_at: optional_time(row.get(6)?).unwrap_or_default(),
        section_name: lossy(row, 7)?,
        actions_not_fired: row.get(8).unwrap_or_default(),
        actions_pending: row.get(9).unwrap_or_default(),
        actions_sent: row.get(10).unwrap_or_default(),
        actions_failed: row.get(11).unwrap_or_default(),
        actions_differing: row.get::<_, Option<u32>>(16).ok().flatten().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::migrate::tests::{NEWEST, migrated_to};
    use super::*;

    const SESSIONS: i64 = 6_000;

    /// Sessions of which the older half began later, by a wrong clock. Every second one has `often`, every thousandth `seldom`.
    fn filled() -> Connection {
        let connection = migrated_to(NEWEST);
        connection
            .execute_batch(
                "INSERT INTO workflow (id, key, version, local_revision, name, hash, document, startable, findings, imported_at)
                 VALUES (1, 'w', 1, 0, 'W', zeroblob(32), x'', 1, '[]', 0); BEGIN",
            )
            .unwrap();
        for id in 1..=SESSIONS {
            let began = if id <= SESSIONS / 2 { id + SESSIONS } else { id };
            connection
                .prepare_cached(
                    "INSERT INTO session (id, key, workflow_id, state, started_at, section_name, last_visit, last_seq)
                     VALUES (?1, CAST(printf('%016d', ?1) AS BLOB), 1, 'in_progress', ?2, '', 1, 1)",
                )
                .unwrap()
                .execute([id, began])
                .unwrap();
            let text = format!("  {}  {}", if id % 2 == 0 { "often" } else { "other" }, if id % 1000 == 0 { "seldom" } else { "usual" });
            connection.prepare_cached("INSERT INTO search (rowid, text) VALUES (?1, ?2)").unwrap().execute((id, text)).unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
        connection
    }

    #[test]
    fn a_search_gives_each_session_once_in_the_order_of_the_list() {
        let connection = filled();
        for (words, step) in [("often", 2), ("oft", 2), ("often usual", 2), ("seldom", 1000), ("ldo often", 1000)] {
            let filter = SessionFilter { text: Some(words.to_owned()), ..SessionFilter::default() };
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = sessions(&connection, &filter, after, 50).unwrap();
                let Some((_, row)) = page.last() else { break };
                after = Some(*row);
                assert!(page.len() == 50 || sessions(&connection, &filter, after, 1).unwrap().is_empty());
                found.extend(page.into_iter().map(|(session, row)| session.map(|_| row).unwrap()));
            }
            let newest_first = (1..=SESSIONS).rev();
            let is_found = |id: &i64| id % step == 0 && (step == 1000 || words != "often usual" || id % 1000 != 0);
            assert_eq!(found, newest_first.filter(is_found).collect::<Vec<_>>(), "{words}");
        }
    }
}
