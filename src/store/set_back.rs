//! What a clock that was set back has ended: due times and pauses that lie further ahead than any may. They are over wherever they are looked
//! at, and whoever sees it writes that down, so that none of them begins again when the clock comes near.

use rusqlite::params;

use super::endpoint::{self, StoredEndpoint};
use super::row::to_ms;
use super::{Connection, Result, StoreError, Transaction, judged};
use crate::model::Timestamp;
use crate::outbox::{at_once, farthest_due};

/// Whether the clock was set back since the age was carried forward last. Nothing can lie too far ahead where it was not.
pub(crate) fn is_seen(connection: &Connection, now: Timestamp) -> Result<bool> {
    let mut statement = connection.prepare_cached("SELECT ifnull(age_at > ?1, 0) FROM meta WHERE id = 1")?;
    Ok(statement.query_row([to_ms(now)], |row| row.get(0))?)
}

/// Ends what lies too far ahead, on every clock. A row that is damaged stands in the way of no other write.
pub(super) fn write_down(tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
    let farthest = farthest_due(now);
    let mut due = tx.prepare_cached("UPDATE outbox SET due_at = ?2 WHERE state = 'queued' AND endpoint = ?3 AND due_at > ?1")?;
    for waiting in super::outbox::queue::waiting(tx, &Default::default())? {
        let values = params![to_ms(farthest), to_ms(at_once(now)), waiting.endpoint];
        judged(due.execute(values).map_err(StoreError::from))?;
    }
    for stored in endpoint::all(tx)? {
        let StoredEndpoint::Readable(mut row) = stored else { continue };
        let is_over = |until: &Timestamp| *until > farthest;
        let before = row.delivery.clone();
        // Why there was a pause stays: it tells whether a secret was there when it was looked for last.
        row.delivery.paused_until = before.paused_until.map(|until| if is_over(&until) { at_once(now) } else { until });
        row.delivery.asked_until = before.asked_until.filter(|until| !is_over(until));
        if row.delivery != before {
            judged(endpoint::save_delivery(tx, &row.endpoint.key, &row.delivery))?;
        }
    }
    Ok(())
}
