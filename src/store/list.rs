//! Lists of sessions: newest first, filtered, one page at a time.

use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};

use super::row::{from_ms, lossy, optional_lossy, optional_time, session_key, session_state, to_ms};
use super::{Connection, Result};
use crate::model::{ActionStatus, SessionFilter, SessionSummary, Timestamp, WorkflowRef};

/// Where a page begins: after the session that began then and has this row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) started_at: i64,
    pub(crate) id: i64,
}

/// At most `limit` sessions after the cursor, each with its own. What of a session does not read back is blank; one that nothing could be done
/// with, because its key, its state or its workflow does not, is none, and is named by `check`.
pub(crate) fn sessions(
    connection: &Connection,
    filter: &SessionFilter,
    after: Option<Cursor>,
    limit: u32,
) -> Result<Vec<(Option<SessionSummary>, Cursor)>> {
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
    if let Some(words) = filter.text.as_deref().map(match_expression).filter(|words| !words.is_empty()) {
        add("s.id IN (SELECT rowid FROM session_text WHERE session_text MATCH ?)", Value::Text(words));
    }
    if let Some(after) = after {
        add("s.started_at <= ?", Value::Integer(after.started_at));
        // Rows that began in the same millisecond are ordered by their rowid.
        let (same, id) = (values.len(), values.len() + 1);
        values.push(Value::Integer(after.id));
        conditions.push(format!("(s.started_at < ?{same} OR s.id < ?{id})"));
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
    values.push(Value::Integer(limit.into()));
    let sql = format!(
        "SELECT s.id, s.key, s.state, s.won, s.actor, s.started_at, s.finished_at, s.section_name,
                s.actions_not_fired, s.actions_pending, s.actions_sent, s.actions_failed, w.key, w.name, w.version, w.local_revision
           FROM session s JOIN workflow w ON w.id = s.workflow_id
          WHERE {} ORDER BY s.started_at DESC, s.id DESC LIMIT ?{}",
        conditions.join(" AND "),
        values.len()
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let cursor = Cursor { started_at: row.get(5)?, id: row.get(0)? };
        found.push((summary(row, cursor).ok(), cursor));
    }
    Ok(found)
}

fn summary(row: &Row<'_>, cursor: Cursor) -> Result<SessionSummary> {
    Ok(SessionSummary {
        key: session_key(&row.get::<_, Vec<u8>>(1)?)?,
        workflow: WorkflowRef { key: row.get(12)?, name: lossy(row, 13)?, version: row.get(14)?, local_revision: row.get(15)? },
        state: session_state(row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?)?,
        won: row.get(3).unwrap_or_default(),
        actor: optional_lossy(row, 4)?,
        started_at: from_ms(cursor.started_at).unwrap_or(Timestamp::UNIX_EPOCH),
        finished_at: optional_time(row.get(6)?).unwrap_or_default(),
        section_name: lossy(row, 7)?,
        actions_not_fired: row.get(8).unwrap_or_default(),
        actions_pending: row.get(9).unwrap_or_default(),
        actions_sent: row.get(10).unwrap_or_default(),
        actions_failed: row.get(11).unwrap_or_default(),
    })
}

/// Every word must be there, each as the beginning of one. What a person types never reaches FTS5's own syntax: each word is a quoted
/// string, which FTS5 takes apart as it took the text apart, diacritics and hyphens included.
fn match_expression(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| word.contains(char::is_alphanumeric));
    words.map(|word| format!("\"{}\"*", word.replace('"', "\"\""))).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::match_expression;

    #[test]
    fn what_a_person_types_is_words_and_never_syntax() {
        assert_eq!(match_expression("flue temp"), "\"flue\"* \"temp\"*");
        assert_eq!(match_expression("a\" OR text:* NEAR(b)"), "\"a\"\"\"* \"OR\"* \"text:*\"* \"NEAR(b)\"*");
        assert_eq!(match_expression("flue\0temp"), "\"flue\"* \"temp\"*");
        assert_eq!(match_expression("  ,;- "), "");
    }
}
