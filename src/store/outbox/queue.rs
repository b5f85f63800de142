//! The queue that delivery drives: what waits, claims, and what became of them.
//!
//! A claim is written before anything leaves the phone and counts as an attempt of unknown outcome until it is settled, so after a crash
//! no entry looks as if it certainly was not delivered. Its lease then ends by itself ([`void_dead_leases`]). Whoever settles an outcome
//! other than success must still hold the lease; a success is recorded whoever holds it, because the receiver has the message.

use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use super::super::row::{from_ms, optional_time, session_key, session_state, sha256, to_ms};
use super::super::{Connection, Result, Transaction};
use crate::crypto::Sha256;
use crate::model::{Attempt, DeliveryId, SessionKey, SessionState, Timestamp};
use crate::outbox::{Progress, Settled, Settlement, reason};

/// How many tries of an entry are kept.
const KEPT_ATTEMPTS: u32 = 10;

/// A due time further ahead than this was written by a clock that has since been set back (see `outbox::is_due`).
const FARTHEST_DUE_MS: i64 = 25 * 3600 * 1000;

/// A queue of one endpoint: the range of its due times.
pub(crate) struct Waiting {
    pub(crate) endpoint: String,
    /// The entry that is due first.
    pub(crate) first_due: Timestamp,
    /// The entry that is due last: absurdly far ahead when a clock was set back.
    pub(crate) last_due: Timestamp,
}

/// Endpoints that entries wait for, known or not, by key. Costs a few index look-ups for each, however many entries wait.
pub(crate) fn waiting(connection: &Connection) -> Result<Vec<Waiting>> {
    let mut statement = connection.prepare_cached(
        "WITH RECURSIVE waiting (endpoint) AS (
             SELECT min(endpoint) FROM outbox WHERE state = 'queued'
             UNION ALL
             SELECT (SELECT min(o.endpoint) FROM outbox o WHERE o.state = 'queued' AND o.endpoint > waiting.endpoint)
               FROM waiting WHERE waiting.endpoint IS NOT NULL)
         SELECT endpoint,
                (SELECT min(o.due_at) FROM outbox o WHERE o.state = 'queued' AND o.endpoint = waiting.endpoint),
                (SELECT max(o.due_at) FROM outbox o WHERE o.state = 'queued' AND o.endpoint = waiting.endpoint)
           FROM waiting WHERE endpoint IS NOT NULL",
    )?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Waiting { endpoint: row.get(0)?, first_due: from_ms(row.get(1)?)?, last_due: from_ms(row.get(2)?)? });
    }
    Ok(found)
}

/// The right to deliver an entry, for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lease {
    /// The entry's row.
    pub(crate) entry: i64,
    /// Tells this claim from every other one of the entry.
    pub(crate) epoch: i64,
    /// When it ends, by the wall clock.
    pub(crate) until: Timestamp,
}

/// A claimed entry, with all that an attempt needs.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub(crate) lease: Lease,
    pub(crate) delivery_id: DeliveryId,
    pub(crate) endpoint: String,
    pub(crate) session: SessionKey,
    pub(crate) body: Vec<u8>,
    pub(crate) body_sha256: Sha256,
    pub(crate) workflow_version: String,
    pub(crate) session_state: SessionState,
    /// What it has used up, this claim included.
    pub(crate) progress: Progress,
    /// Whether the clock was corrected for it once already.
    pub(crate) resynced: bool,
}

/// Claims at most `limit` entries of an endpoint that are due, those due longest first.
pub(crate) fn claim(
    tx: &Transaction<'_>,
    endpoint: &str,
    limit: u32,
    owner: &str,
    now: Timestamp,
    lease: Duration,
) -> Result<Vec<Claimed>> {
    let until = from_ms(to_ms(now).saturating_add(lease.as_millis() as i64))?;
    let mut found = due(tx, endpoint, "o.due_at <= ?2", to_ms(now), limit, until)?;
    if found.len() < limit as usize {
        let rest = limit - found.len() as u32;
        found.extend(due(tx, endpoint, "o.due_at > ?2", to_ms(now).saturating_add(FARTHEST_DUE_MS), rest, until)?);
    }
    let mut statement = tx.prepare_cached(
        "UPDATE outbox SET state = 'leased', lease_owner = ?2, lease_epoch = ?3, lease_until = ?4, attempts = ?5, unknown_outcomes = ?6
          WHERE id = ?1",
    )?;
    for claimed in &found {
        let Claimed { lease, progress, .. } = claimed;
        statement.execute(params![lease.entry, owner, lease.epoch, to_ms(until), progress.attempts, progress.unknown_outcomes])?;
    }
    Ok(found)
}

fn due(tx: &Transaction<'_>, endpoint: &str, when: &str, bound: i64, limit: u32, until: Timestamp) -> Result<Vec<Claimed>> {
    let mut statement = tx.prepare_cached(&format!(
        "SELECT o.id, o.lease_epoch + 1, o.delivery_id, o.endpoint, s.key, o.body, o.body_sha256, o.workflow_version, o.session_state,
                o.attempts, o.unknown_outcomes, o.counted, o.slow_counted, o.offline_tries, o.first_contact_at, o.revived, o.resynced
           FROM outbox o JOIN session s ON s.id = o.session_id
          WHERE o.state = 'queued' AND o.endpoint = ?1 AND {when} ORDER BY o.due_at, o.id LIMIT ?3"
    ))?;
    let mut rows = statement.query(params![endpoint, bound, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let progress = Progress {
            attempts: row.get(9)?,
            unknown_outcomes: row.get(10)?,
            counted: row.get(11)?,
            slow_counted: row.get(12)?,
            offline_tries: row.get(13)?,
            first_contact_at: optional_time(row.get(14)?)?,
            revived: row.get(15)?,
        };
        found.push(Claimed {
            lease: Lease { entry: row.get(0)?, epoch: row.get(1)?, until },
            delivery_id: DeliveryId(row.get(2)?),
            endpoint: row.get(3)?,
            session: session_key(&row.get::<_, Vec<u8>>(4)?)?,
            body: row.get(5)?,
            body_sha256: sha256(&row.get::<_, Vec<u8>>(6)?)?,
            workflow_version: row.get(7)?,
            session_state: session_state(&row.get::<_, String>(8)?)?,
            progress: progress.claimed(),
            resynced: row.get(16)?,
        });
    }
    Ok(found)
}

/// Undoes a claim of which nothing was begun. Does nothing when the lease is lost.
pub(crate) fn release(tx: &Transaction<'_>, lease: &Lease, owner: &str) -> Result<()> {
    tx.prepare_cached(
        "UPDATE outbox SET state = 'queued', lease_owner = NULL, lease_until = NULL, attempts = attempts - 1, unknown_outcomes = unknown_outcomes - 1
          WHERE id = ?1 AND lease_owner = ?2 AND lease_epoch = ?3 AND state = 'leased'",
    )?
    .execute(params![lease.entry, owner, lease.epoch])?;
    Ok(())
}

/// Whether there is a lease that [`void_dead_leases`] would end.
pub(crate) fn has_dead_leases(connection: &Connection, now: Timestamp, lease: Duration, alive: &[i64]) -> Result<bool> {
    Ok(dead_leases(connection, now, lease)?.iter().any(|id| !alive.contains(id)))
}

/// Ends leases that ran out, and those that lie further ahead than any lease can, because the clock was set back. The attempt stays on
/// record as one of unknown outcome. Entries in `alive` are known to be worked on. Gives the sessions concerned.
pub(crate) fn void_dead_leases(tx: &Transaction<'_>, now: Timestamp, lease: Duration, alive: &[i64]) -> Result<Vec<SessionKey>> {
    let mut sessions = Vec::new();
    for id in dead_leases(tx, now, lease)?.into_iter().filter(|id| !alive.contains(id)) {
        let (session, number, until): (Vec<u8>, u32, i64) = tx
            .prepare_cached("SELECT s.key, o.attempts, o.lease_until FROM outbox o JOIN session s ON s.id = o.session_id WHERE o.id = ?1")?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        tx.prepare_cached("UPDATE outbox SET state = 'queued', reason = ?2, lease_owner = NULL, lease_until = NULL WHERE id = ?1")?
            .execute(params![id, reason::INTERRUPTED])?;
        let attempt = Attempt {
            number,
            // The claim is all that is known of it.
            at: from_ms(until.saturating_sub(lease.as_millis() as i64))?,
            duration_ms: 0,
            status: None,
            outcome: reason::INTERRUPTED.to_owned(),
            counted: false,
            may_have_been_delivered: true,
        };
        add_attempt(tx, id, &attempt)?;
        sessions.push(session_key(&session)?);
    }
    Ok(sessions)
}

fn dead_leases(connection: &Connection, now: Timestamp, lease: Duration) -> Result<Vec<i64>> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM outbox WHERE state = 'leased' AND (lease_until <= ?1 OR lease_until > ?2)")?;
    let two_leases = (lease.as_millis() as i64).saturating_mul(2);
    let rows = statement.query_map([to_ms(now), to_ms(now).saturating_add(two_leases)], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// When the first lease ends.
pub(crate) fn first_lease_end(connection: &Connection) -> Result<Option<Timestamp>> {
    let until = connection.prepare_cached("SELECT min(lease_until) FROM outbox WHERE state = 'leased'")?.query_row([], |row| row.get(0))?;
    optional_time(until)
}

/// Records a delivery, from whatever state. False when the entry is `sent` already, or purged.
pub(crate) fn settle_sent(tx: &Transaction<'_>, entry: i64, status: u16, now: Timestamp) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "UPDATE outbox SET state = 'sent', reason = NULL, sent_at = ?2, last_status = ?3, unknown_outcomes = max(unknown_outcomes - 1, 0),
                               offline_tries = 0, resynced = 0, lease_owner = NULL, lease_until = NULL
              WHERE id = ?1 AND state <> 'sent'",
        )?
        .execute(params![entry, to_ms(now), status])?;
    Ok(changed == 1)
}

/// Records any other outcome. False when the lease is lost: then it is somebody else's to say.
pub(crate) fn settle(
    tx: &Transaction<'_>,
    lease: &Lease,
    owner: &str,
    settled: &Settled,
    status: Option<u16>,
    resynced: bool,
    now: Timestamp,
) -> Result<bool> {
    let (state, reason, due_at) = match settled.settlement {
        Settlement::Sent => return settle_sent(tx, lease.entry, status.unwrap_or_default(), now),
        Settlement::Queued { due_at, reason } => ("queued", reason, due_at),
        Settlement::Failed { reason } => ("failed", reason, now),
    };
    let progress = &settled.progress;
    let changed = tx
        .prepare_cached(
            "UPDATE outbox SET state = ?4, reason = ?5, due_at = ?6, attempts = ?7, unknown_outcomes = ?8, counted = ?9, slow_counted = ?10,
                               offline_tries = ?11, first_contact_at = ?12, last_status = coalesce(?13, last_status), resynced = ?14,
                               lease_owner = NULL, lease_until = NULL
              WHERE id = ?1 AND lease_owner = ?2 AND lease_epoch = ?3 AND state = 'leased'",
        )?
        .execute(params![
            lease.entry,
            owner,
            lease.epoch,
            state,
            reason,
            to_ms(due_at),
            progress.attempts,
            progress.unknown_outcomes,
            progress.counted,
            progress.slow_counted,
            progress.offline_tries,
            progress.first_contact_at.map(to_ms),
            status,
            resynced,
        ])?;
    Ok(changed == 1)
}

/// Adds a try to an entry's history, which keeps the last ten. What is learned late takes the place of what was assumed.
pub(crate) fn add_attempt(tx: &Transaction<'_>, entry: i64, attempt: &Attempt) -> Result<()> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO attempt (outbox_id, number, at, duration_ms, status, outcome, counted, unknown)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        entry,
        attempt.number,
        to_ms(attempt.at),
        attempt.duration_ms as i64,
        attempt.status,
        attempt.outcome,
        attempt.counted,
        attempt.may_have_been_delivered,
    ])?;
    tx.prepare_cached("DELETE FROM attempt WHERE outbox_id = ?1 AND number <= ?2")?
        .execute(params![entry, i64::from(attempt.number) - i64::from(KEPT_ATTEMPTS)])?;
    Ok(())
}

/// Endpoints with entries that wait only because there was no network.
pub(crate) fn waits_for_network(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection
        .prepare_cached("SELECT DISTINCT endpoint FROM outbox WHERE state = 'queued' AND reason IN ('offline', 'captive_portal')")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// There is a network again: what waited for one is due.
pub(crate) fn network_is_back(tx: &Transaction<'_>, now: Timestamp) -> Result<()> {
    tx.prepare_cached(
        "UPDATE outbox SET due_at = ?1, offline_tries = 0
          WHERE state = 'queued' AND reason IN ('offline', 'captive_portal') AND due_at > ?1",
    )?
    .execute([to_ms(now)])?;
    Ok(())
}

/// An endpoint was enabled, really changed, or its secrets changed: what waits for it is due, and what failed because of it is revived,
/// with fresh budgets in a cycle that the lock does not count. Gives the sessions of what was revived.
pub(crate) fn revive_endpoint(tx: &Transaction<'_>, endpoint: &str, now: Timestamp) -> Result<Vec<SessionKey>> {
    tx.prepare_cached(
        "UPDATE outbox SET due_at = min(due_at, ?2), counted = 0, slow_counted = 0, offline_tries = 0, resynced = 0, first_contact_at = NULL
          WHERE state = 'queued' AND endpoint = ?1",
    )?
    .execute(params![endpoint, to_ms(now)])?;
    let failed: Vec<(i64, Vec<u8>, String)> = tx
        .prepare_cached(
            "SELECT o.id, s.key, o.reason FROM outbox o JOIN session s ON s.id = o.session_id
              WHERE o.state = 'failed' AND o.endpoint = ?1 ORDER BY o.id",
        )?
        .query_map([endpoint], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut sessions = Vec::new();
    for (id, session, _) in failed.into_iter().filter(|(_, _, why)| reason::revives_by_itself(why)) {
        tx.prepare_cached(
            "UPDATE outbox SET state = 'queued', reason = NULL, due_at = ?2, revived = revived + 1, cycle_counts = 0,
                               counted = 0, slow_counted = 0, offline_tries = 0, resynced = 0, first_contact_at = NULL
              WHERE id = ?1",
        )?
        .execute(params![id, to_ms(now)])?;
        sessions.push(session_key(&session)?);
    }
    Ok(sessions)
}

/// How many entries wait or are being tried.
pub(crate) fn pending(connection: &Connection) -> Result<u64> {
    let count: i64 = connection
        .prepare_cached(
            "SELECT (SELECT count(*) FROM outbox WHERE state = 'queued') + (SELECT count(*) FROM outbox WHERE state = 'leased')",
        )?
        .query_row([], |row| row.get(0))?;
    Ok(count as u64)
}

/// Whether an entry failed and was not given up.
pub(crate) fn has_failed(connection: &Connection) -> Result<bool> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM outbox WHERE state = 'failed' AND reason <> 'abandoned' LIMIT 1")?
        .query_row([], |_| Ok(()))
        .optional()?
        .is_some())
}

#[cfg(test)]
mod tests {
    use super::super::super::{Store, StoreError};

    /// How SQLite would run a query.
    fn plan(store: &Store, sql: &str) -> String {
        store
            .read::<_, StoreError>(|connection| {
                let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                let rows = statement.query_map([], |row| row.get::<_, String>(3))?;
                Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.join("\n"))
            })
            .unwrap()
    }

    #[test]
    fn looking_at_the_queue_costs_what_waits_and_not_what_was_ever_sent() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("compass.db"), &|| "install".to_owned()).unwrap();
        for (index, sql) in [
            ("outbox_due", "SELECT min(endpoint) FROM outbox WHERE state = 'queued' AND endpoint > 'a'"),
            ("outbox_due", "SELECT max(due_at) FROM outbox WHERE state = 'queued' AND endpoint = 'a'"),
            (
                "outbox_due",
                "SELECT body FROM outbox o WHERE o.state = 'queued' AND o.endpoint = 'a' AND o.due_at <= 1 ORDER BY o.due_at, o.id LIMIT 32",
            ),
            ("outbox_leased", "SELECT id FROM outbox WHERE state = 'leased' AND (lease_until <= 1 OR lease_until > 2)"),
            ("outbox_leased", "SELECT min(lease_until) FROM outbox WHERE state = 'leased'"),
            ("outbox_offline", "SELECT DISTINCT endpoint FROM outbox WHERE state = 'queued' AND reason IN ('offline', 'captive_portal')"),
            ("outbox_failed", "SELECT 1 FROM outbox WHERE state = 'failed' AND reason <> 'abandoned' LIMIT 1"),
        ] {
            let plan = plan(&store, sql);
            assert!(plan.contains(index), "{sql}\n{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
        }
    }
}
