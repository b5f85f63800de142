//! Tables whose rows follow from other tables: where a page of one is lost, it is rebuilt, as an index is. So is one of which only copies need the
//! rows: those that can be read stay.

use super::known::{self, KnownAction};
use super::{Result, Transaction, meta};

/// Their names, and the first byte of their pages: rows by number, or by a key.
pub(super) const TABLES: [(&str, u8); 5] =
    [("session_totals", 10), ("last_number", 10), ("redaction", 13), ("sqlite_sequence", 13), (KNOWN, 10)];
/// What is known of actions beside their rows, and its index, which is emptied with it.
pub(super) const KNOWN: &str = "known_action";
pub(super) const OF_KNOWN: &str = "known_action_oldest";

/// Counts sessions by workflow version and actor, as the triggers of the schema do.
const COUNT: &str = "INSERT INTO session_totals (workflow_id, actor, in_progress, completed, won, ended, discarded,
                            actions_not_fired, actions_pending, actions_sent, actions_failed)
SELECT workflow_id, coalesce(actor, ''), count(*) FILTER (WHERE state = 'in_progress'), count(*) FILTER (WHERE state = 'completed'),
       count(*) FILTER (WHERE won = 1), count(*) FILTER (WHERE state = 'ended'), count(*) FILTER (WHERE state = 'discarded'),
       sum(min(max(actions_not_fired, 0), 1000000)), sum(min(max(actions_pending, 0), 1000000)),
       sum(min(max(actions_sent, 0), 1000000)), sum(min(max(actions_failed, 0), 1000000))
  FROM session NOT INDEXED GROUP BY workflow_id, coalesce(actor, '')";

/// A row number is never used again. How many rows were removed after the newest is not known, so a million numbers are left out.
const NUMBER: &str = "INSERT INTO sqlite_sequence (name, seq)
SELECT 'session', ifnull(max(id), 0) + 1000000 FROM session UNION ALL SELECT 'outbox', ifnull(max(id), 0) + 1000000 FROM outbox";

/// Fills one of them that was emptied. `known` is what could be read of actions.
pub(super) fn fill(tx: &Transaction<'_>, table: &str, known: &[KnownAction]) -> Result<()> {
    match table {
        "session_totals" => Ok(tx.execute_batch(COUNT)?),
        // Which numbers purged sessions had is not known: another series begins.
        "last_number" => meta::end_series(tx),
        "sqlite_sequence" => Ok(tx.execute_batch(NUMBER)?),
        KNOWN => {
            tx.execute_batch("REINDEX known_action_oldest")?;
            known::refill(tx, known)
        }
        // No row stays in it.
        _ => Ok(()),
    }
}
