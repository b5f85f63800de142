//! Times that end because the clock was set back: due times, pauses, and ends of attempts in flight that are further ahead than possible. Every
//! reader treats them as over, and the first one that detects this records it, so that none of them counts again when the clock approaches.

use rusqlite::params;

use super::endpoint::{self, StoredEndpoint};
use super::outbox::lease::farthest_lease;
use super::row::to_ms;
use super::{Connection, Result, StoreError, Transaction, unless_damaged};
use crate::model::Timestamp;
use crate::outbox::{LEASE, at_once, farthest_due};

/// Whether the clock was set back since the age was last carried forward, or by more than a lease. Otherwise no time can be too far ahead.
pub(crate) fn is_seen(connection: &Connection, now: Timestamp) -> Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT ifnull(age_at > ?1, 0) OR EXISTS (SELECT 1 FROM outbox WHERE state = 'queued' AND in_flight_until > ?2) FROM meta WHERE id = 1",
    )?;
    Ok(statement.query_row([to_ms(now), farthest_lease(now, LEASE)], |row| row.get(0))?)
}

/// Ends times that are too far ahead, for every setting of the clock. A damaged row does not stop other writes.
pub(super) fn write_down(tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
    let farthest = farthest_due(now);
    let mut ahead = tx.prepare_cached(
        "SELECT id FROM outbox WHERE state <> 'sent' AND state <> 'superseded' AND (due_at > ?1 OR in_flight_until > ?2)",
    )?;
    let ahead = ahead.query_map([to_ms(farthest), farthest_lease(now, LEASE)], |row| row.get(0))?;
    let ahead: Vec<i64> = ahead.collect::<rusqlite::Result<_>>()?;
    let mut over = tx.prepare_cached(
        "UPDATE outbox SET due_at = iif(due_at > ?2, ?3, due_at), in_flight_until = iif(in_flight_until > ?4, NULL, in_flight_until) WHERE id = ?1",
    )?;
    for id in ahead {
        unless_damaged(
            over.execute(params![id, to_ms(farthest), to_ms(at_once(now)), farthest_lease(now, LEASE)]).map_err(StoreError::from),
        )?;
    }
    for stored in endpoint::all(tx)? {
        let StoredEndpoint::Readable(mut row) = stored else { continue };
        let is_over = |until: &Timestamp| *until > farthest;
        let before = row.delivery.clone();
        // The reason of a pause stays: it shows whether a secret was found at the last look-up.
        row.delivery.paused_until = before.paused_until.map(|until| if is_over(&until) { at_once(now) } else { until });
        row.delivery.asked_until = before.asked_until.filter(|until| !is_over(until));
        if row.delivery != before {
            unless_damaged(endpoint::save_delivery(tx, &row.endpoint.key, &row.delivery))?;
        }
    }
    Ok(())
}
