//! Times that end because the clock was set back: due times, pauses, and ends of attempts in flight that are further ahead than possible. Every
//! reader treats them as over, and the first one that detects this records it, so that none of them counts again when the clock approaches.

use crate::sorted::SortedSet;

use rusqlite::params;

use super::endpoint::{self, StoredEndpoint};
use super::one_row::begin_again;
use super::outbox::lease::latest_lease;
use super::row::to_ms;
use super::{Connection, Result, StoreError, Transaction, of_entry, unless_damaged, without_damaged};
use crate::model::Timestamp;
use crate::outbox::{LEASE, at_once, latest_due};

/// Whether the clock was set back since the age was last carried forward, or by more than a lease. Otherwise no time can be too far ahead.
pub(crate) fn is_seen(connection: &Connection, now: Timestamp) -> Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT ifnull(age_at > ?1, 0) OR EXISTS (SELECT 1 FROM outbox WHERE in_flight_until > ?2) FROM meta WHERE id = 1",
    )?;
    Ok(statement.query_row([to_ms(now), latest_lease(now, LEASE)], |row| row.get(0))?)
}

/// Ends times that are too far ahead, for every setting of the clock. Damage does not stop other writes. Has to be the first work of a transaction.
pub(super) fn write_down(tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
    for endpoints in [true, false] {
        let written = without_damaged(tx, |damaged| {
            if endpoints {
                end_pauses(tx, now)?;
            }
            end_waits(tx, now, damaged)
        });
        match written {
            Err(error) if error.is_damage() => begin_again(tx)?,
            written => return written.map(drop),
        }
    }
    Ok(())
}

/// Of messages but these.
fn end_waits(tx: &Transaction<'_>, now: Timestamp, damaged: &SortedSet<i64>) -> Result<()> {
    let mut waiting = tx.prepare_cached(
        "SELECT id FROM outbox INDEXED BY outbox_unsent WHERE state <> 'sent' AND state <> 'superseded'
         UNION ALL SELECT id FROM outbox INDEXED BY outbox_still_runs WHERE in_flight_until IS NOT NULL",
    )?;
    let waiting: Vec<i64> = waiting.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut over = tx.prepare_cached(
        "UPDATE outbox SET due_at = iif(due_at > ?2, ?3, due_at), in_flight_until = iif(in_flight_until > ?4, NULL, in_flight_until)
          WHERE id = ?1 AND (due_at > ?2 OR in_flight_until > ?4)",
    )?;
    let (latest, over_at) = (to_ms(latest_due(now)), to_ms(at_once(now)));
    for id in waiting.into_iter().filter(|id| !damaged.contains(id)) {
        let values = params![id, latest, over_at, latest_lease(now, LEASE)];
        unless_damaged(of_entry(id, over.execute(values).map_err(StoreError::from)))?;
    }
    Ok(())
}

fn end_pauses(tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
    let latest = latest_due(now);
    for stored in endpoint::all(tx)? {
        let StoredEndpoint::Readable(mut row) = stored else { continue };
        let is_over = |until: &Timestamp| *until > latest;
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
