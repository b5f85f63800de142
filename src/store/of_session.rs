//! What belongs to a session, and whether indexes find all of it.

use rusqlite::OptionalExtension;

use super::{Result, Transaction, check, error};

/// What belongs to a session, by an index: whether all of it is found, and two counts, by the index and without it.
const OF_SESSION: [(&str, &str, [&str; 2]); 4] = [
    (
        "event",
        "SELECT (SELECT count(*) FROM event e WHERE e.session_id = s.id) >= s.last_seq FROM session s WHERE s.id = ?1",
        ["SELECT count(*) FROM event WHERE session_id = ?1", "SELECT count(*) FROM event NOT INDEXED WHERE session_id = ?1"],
    ),
    (
        "action",
        "SELECT (SELECT count(*) FROM action a WHERE a.session_id = s.id) = s.actions_not_fired + s.actions_pending + s.actions_sent + s.actions_failed
           FROM session s WHERE s.id = ?1",
        ["SELECT count(*) FROM action WHERE session_id = ?1", "SELECT count(*) FROM action NOT INDEXED WHERE session_id = ?1"],
    ),
    (
        "outbox",
        "SELECT (SELECT count(*) FROM action a JOIN outbox o ON o.action_id = a.id WHERE a.session_id = ?1)
              = (SELECT count(*) FROM outbox INDEXED BY outbox_session WHERE session_id = ?1)",
        [
            "SELECT count(*) FROM outbox INDEXED BY outbox_session WHERE session_id = ?1",
            "SELECT count(*) FROM outbox NOT INDEXED WHERE session_id = ?1",
        ],
    ),
    (
        "body",
        "SELECT NOT EXISTS (SELECT 1 FROM outbox o WHERE o.session_id = ?1 AND o.body_kept = 1
                               AND NOT EXISTS (SELECT 1 FROM body b WHERE b.sha256 = o.body_sha256))",
        [
            "SELECT count(b.sha256) FROM outbox o LEFT JOIN body b ON b.sha256 = o.body_sha256 WHERE o.session_id = ?1 AND o.body_kept = 1",
            "SELECT count(*) FROM body b NOT INDEXED CROSS JOIN outbox o WHERE o.session_id = ?1 AND o.body_kept = 1 AND o.body_sha256 = b.sha256",
        ],
    ),
];

/// Makes sure that indexes find all that belongs to a session, before something of it is removed: half a page of an index may be lost and still
/// be readable, and what is not found would stay.
pub(crate) fn find_all(tx: &Transaction<'_>, id: i64) -> Result<()> {
    let number = |of: &str| -> Result<Option<i64>> { Ok(tx.prepare_cached(of)?.query_row([id], |row| row.get(0)).optional()?.flatten()) };
    for (table, is_whole, [found, there]) in OF_SESSION {
        // Damage may have taken some of it away, and may have changed a number.
        if number(is_whole)? != Some(1) && number(found)? != number(there)? {
            if check::has_damaged_tree(tx, table, "index")? {
                // It is emptied through the map of pages, in a transaction of its own.
                return Err(error::damage(format!("an index of {table} lacks rows")));
            }
            log::warn!("an index of {table} lacks rows, and is rebuilt");
            tx.execute_batch(&format!("REINDEX {table}"))?;
        }
    }
    Ok(())
}
