//! Claims and deliveries of a group of entries, by one statement each.
//!
//! SQLite keeps a copy of each page that a statement changes, in case a rule of the schema refuses it; entries of a group stand on the same
//! pages. Where the statement of the group is refused, each entry is tried by itself, so that a damaged one stops only itself.

use std::sync::OnceLock;

use rusqlite::params;

use super::super::row::to_ms;
use super::super::{Result, StoreError, Transaction, of_entry, unless_damaged};
use super::queue::{Claim, Claimed};
use crate::model::Timestamp;

/// How many entries one statement changes.
const TOGETHER: usize = 32;
/// Fewer are changed one by one: the statement of a group takes longer to begin.
const FEW: usize = 4;

/// The result of a group: what was changed, or none where the group was refused and nothing was changed.
fn unless_refused<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(changed) => Ok(Some(changed)),
        // A damaged page is met again with less in the transaction.
        Err(StoreError::Internal(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes the claims of these entries, until this moment. Gives those that were claimed, and the rows of the others.
pub(super) fn write_claims(
    tx: &Transaction<'_>,
    claim: &Claim<'_>,
    claimed: Vec<Claimed>,
    until: Timestamp,
) -> Result<(Vec<Claimed>, Vec<i64>)> {
    if claim.together && claimed.len() >= FEW && claim_groups(tx, claim, &claimed, until)? {
        return Ok((claimed, Vec::new()));
    }
    let mut statement = tx.prepare_cached(
        "UPDATE outbox SET state = 'leased', lease_owner = ?2, lease_epoch = ?3, lease_until = ?4, in_flight_until = NULL, attempts = ?5,
                           unknown_outcomes = ?6
          WHERE id = ?1",
    )?;
    let (mut kept, mut unreadable) = (Vec::with_capacity(claimed.len()), Vec::new());
    for read in claimed {
        let Claimed { lease, progress, .. } = &read;
        let values = params![lease.entry, claim.owner, lease.epoch, to_ms(until), progress.attempts, progress.unknown_outcomes];
        match unless_damaged(of_entry(lease.entry, statement.execute(values).map_err(StoreError::from)))? {
            Some(_) => kept.push(read),
            None => unreadable.push(lease.entry),
        }
    }
    Ok((kept, unreadable))
}

/// Whether all were claimed. Otherwise each is written again, with the same values.
fn claim_groups(tx: &Transaction<'_>, claim: &Claim<'_>, claimed: &[Claimed], until: Timestamp) -> Result<bool> {
    static STATEMENT: OnceLock<String> = OnceLock::new();
    let mut statement = tx.prepare_cached(STATEMENT.get_or_init(|| {
        // From ?3 on.
        let ids = ["?"; TOGETHER].join(", ");
        format!(
            "UPDATE outbox SET state = 'leased', lease_owner = ?1, lease_until = ?2, in_flight_until = NULL, lease_epoch = lease_epoch + 1,
                               attempts = attempts + 1, unknown_outcomes = unknown_outcomes + 1
              WHERE state = 'queued' AND id IN ({ids})"
        )
    }))?;
    for group in claimed.chunks(TOGETHER) {
        statement.raw_bind_parameter(1, claim.owner)?;
        statement.raw_bind_parameter(2, to_ms(until))?;
        for place in 0..TOGETHER {
            statement.raw_bind_parameter(3 + place, group.get(place).map(|read| read.lease.entry))?;
        }
        if unless_refused(statement.raw_execute().map_err(StoreError::from))? != Some(group.len()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A delivery, of an entry that this handle has claimed.
pub(crate) struct Delivered {
    pub(crate) entry: i64,
    pub(crate) at: Timestamp,
    pub(crate) status: u16,
}

/// Whether so many deliveries are worth a statement for all.
pub(crate) fn are_many(deliveries: usize) -> bool {
    deliveries >= FEW
}

/// Records deliveries of different entries, each still under the claim of its attempt. False: nothing was recorded.
///
/// # Errors
/// Also where an entry of the group was not there: then nothing of the transaction may be kept.
pub(crate) fn settle_sent(tx: &Transaction<'_>, delivered: &[Delivered]) -> Result<bool> {
    static STATEMENT: OnceLock<String> = OnceLock::new();
    let mut statement = tx.prepare_cached(STATEMENT.get_or_init(|| {
        let rows = ["(?, ?, ?)"; TOGETHER].join(", ");
        format!(
            "WITH delivered (entry, at, status) AS (VALUES {rows})
             UPDATE outbox SET state = 'sent', reason = NULL, detail = NULL, sent_at = delivered.at,
                               sent_age = (SELECT age FROM meta WHERE id = 1), last_status = delivered.status, attempts = max(attempts, 1),
                               unknown_outcomes = min(max(unknown_outcomes - 1, 0), max(attempts, 1)), offline_attempts = 0, cut_short = 0,
                               resynced = 0, refreshed = 0, lease_owner = NULL, lease_until = NULL, in_flight_until = NULL
               FROM delivered WHERE outbox.id = delivered.entry AND outbox.state = 'leased'"
        )
    }))?;
    for (place, group) in delivered.chunks(TOGETHER).enumerate() {
        for number in 0..TOGETHER {
            let delivery = group.get(number);
            let values = [
                delivery.map(|delivery| delivery.entry),
                delivery.map(|delivery| to_ms(delivery.at)),
                delivery.map(|delivery| i64::from(delivery.status)),
            ];
            for (column, value) in values.into_iter().enumerate() {
                statement.raw_bind_parameter(3 * number + column + 1, value)?;
            }
        }
        match unless_refused(statement.raw_execute().map_err(StoreError::from))? {
            Some(changed) if changed == group.len() => {}
            None if place == 0 => return Ok(false),
            _ => return Err(StoreError::Internal("deliveries of a group were recorded in part".to_owned())),
        }
    }
    Ok(true)
}
