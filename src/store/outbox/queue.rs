//! The queue of delivery: waiting entries, claims, and their settlement.
//!
//! A claim is written before anything is sent and counts as an attempt of unknown outcome until it is settled, so after a crash no entry looks
//! like one that certainly was not delivered. Its lease then ends after its time ([`end_expired_leases`]). A process that settles an outcome
//! other than success must still have the lease; a success is recorded even without it, because the receiver has the message.
//!
//! Rows are read one by one: an unreadable one is reported to the caller and does not stop the others.

use std::time::Duration;

use rusqlite::{OptionalExtension, Row, params};

use super::super::row::{from_ms, session_key, session_state, sha256, to_ms};
use super::super::{Connection, Result, StoreError, Transaction, all_or_none, of_entry, unless_damaged};
use super::in_flight::{in_flight, others_of_claimed, settle_abandoned};
use super::lease::{Lease, latest_lease};
use super::together::write_claims;
use super::{MessageId, moment, numbers};
use crate::crypto::Sha256;
use crate::fault::fault;
use crate::model::{Attempt, DeliveryId, SessionKey, SessionState, Timestamp};
use crate::outbox::{
    CUT_SHORT_AT_ONCE, Progress, Settled, Settlement, at_once, due_after, due_since, first_time, latest_due, reason, waits_for_person,
};
use crate::sorted::{SortedMap, SortedSet, sort};

/// How many attempts of an entry are kept, besides the first and every 2xx.
const KEPT_ATTEMPTS: u32 = 10;

/// A queue of one endpoint: the range of its due times.
pub(crate) struct Waiting {
    pub(crate) endpoint: String,
    /// The entry that is due first.
    pub(crate) first_due: Timestamp,
    /// The entry that is due last: far ahead when the clock was set back.
    pub(crate) last_due: Timestamp,
}

/// Endpoints with waiting entries, known or not, by key, without these rows. Costs a few index look-ups for each, for any number of
/// entries.
pub(crate) fn waiting(connection: &Connection, without: &SortedSet<i64>) -> Result<Vec<Waiting>> {
    let without = if without.is_empty() { String::new() } else { format!("AND o.id NOT IN ({})", numbers(without)) };
    // Messages, and replays of messages, each by the index.
    let mut statement = connection.prepare_cached(&format!(
        "WITH RECURSIVE waiting (endpoint) AS (
             SELECT min(endpoint) FROM outbox WHERE state = 'queued'
             UNION ALL
             SELECT (SELECT min(o.endpoint) FROM outbox o WHERE o.state = 'queued' AND o.endpoint > waiting.endpoint)
               FROM waiting WHERE waiting.endpoint IS NOT NULL)
         SELECT endpoint,
                (SELECT min(due_at) FROM (
                  SELECT min(o.due_at) AS due_at FROM outbox o
                   WHERE o.state = 'queued' AND o.endpoint = waiting.endpoint AND (o.replay > 0) = 0 {without}
                  UNION ALL SELECT min(o.due_at) AS due_at FROM outbox o
                   WHERE o.state = 'queued' AND o.endpoint = waiting.endpoint AND (o.replay > 0) = 1 {without})),
                (SELECT max(due_at) FROM (
                  SELECT max(o.due_at) AS due_at FROM outbox o
                   WHERE o.state = 'queued' AND o.endpoint = waiting.endpoint AND (o.replay > 0) = 0 {without}
                  UNION ALL SELECT max(o.due_at) AS due_at FROM outbox o
                   WHERE o.state = 'queued' AND o.endpoint = waiting.endpoint AND (o.replay > 0) = 1 {without}))
           FROM waiting WHERE endpoint IS NOT NULL"
    ))?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        // A key that is not text belongs to damaged entries, which the lists show.
        let Ok(endpoint) = row.get(0) else { continue };
        let (Some(first), Some(last)) = (row.get(1)?, row.get(2)?) else { continue };
        found.push(Waiting { endpoint, first_due: moment(first), last_due: moment(last) });
    }
    Ok(found)
}

/// The most ids that `compass-replaces` names; older ones are grouped by their session and action.
const MOST_REPLACED: u32 = 32;

/// A claimed entry, with everything that an attempt needs.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub(crate) lease: Lease,
    pub(crate) delivery_id: DeliveryId,
    pub(crate) endpoint: String,
    pub(crate) session: SessionKey,
    pub(crate) action: String,
    pub(crate) revision: u32,
    /// It sends a delivered message once more.
    pub(crate) is_replay: bool,
    /// Ids of earlier revisions that were or may have been delivered, newest first.
    pub(crate) replaces: Vec<String>,
    /// Series and number of its action, which one of an earlier schema may not have.
    pub(crate) sequence: Option<String>,
    /// The header `compass-install`, once its id was verified.
    pub(crate) install: String,
    pub(crate) body: Vec<u8>,
    pub(crate) body_sha256: Sha256,
    pub(crate) workflow_version: String,
    pub(crate) session_state: SessionState,
    /// Since when it is due.
    pub(crate) due_at: Timestamp,
    /// What it has used up, including this claim.
    pub(crate) progress: Progress,
    /// The generation of the configuration when it was claimed.
    pub(crate) configuration: u64,
    /// A person asked for it: pauses do not count.
    pub(crate) urgent: bool,
    /// It waited for a person until now.
    pub(crate) waited_for_person: bool,
}

impl Claimed {
    /// Whether it has not failed in this cycle.
    pub(crate) fn is_fresh(&self) -> bool {
        self.progress.counted == 0 && self.progress.slow_counted == 0
    }
}

/// What to claim.
pub(crate) struct Claim<'a> {
    pub(crate) endpoint: &'a str,
    pub(crate) limit: u32,
    /// With only one place, the entry that has been due for the longest time gets it; otherwise one that has not failed.
    pub(crate) longest_due_first: bool,
    /// The same if that entry has been due since this moment.
    pub(crate) long_due: Option<Timestamp>,
    /// Also entries that are not due yet.
    pub(crate) urgent: bool,
    /// Rows that are known to be unreadable.
    pub(crate) skip: &'a SortedSet<i64>,
    pub(crate) configuration: u64,
    pub(crate) owner: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) lease: Duration,
    /// Groups are written by one statement each.
    pub(crate) together: bool,
}

/// Claims entries that are due: those that have not failed before those that have, and always the one due for the longest time; replays
/// of sent ones after all these. Gives them in this order, and the rows that are unreadable or cannot be claimed, which do not change.
pub(crate) fn claim(tx: &Transaction<'_>, claim: &Claim<'_>) -> Result<(Vec<Claimed>, Vec<i64>)> {
    let until = from_ms(to_ms(claim.now).saturating_add(claim.lease.as_millis() as i64))?;
    let mut skip = claim.skip.clone();
    skip.extend(in_flight(tx, claim.now, claim.lease)?.into_iter().map(|waits| waits.entry));
    skip.extend(others_of_claimed(tx, claim.now, claim.lease)?.iter().map(|(entry, _)| *entry));
    let (mut claimed, mut unreadable) = (Vec::new(), Vec::new());
    for id in to_claim(tx, claim, &skip)? {
        if claimed.len() >= claim.limit as usize {
            break;
        }
        match of_entry(id, read_claimed(tx, id, until, claim).map_err(StoreError::from)) {
            Err(error) if fault("seeded: one bad row stops all") => return Err(error),
            read => match unless_damaged(read)? {
                // Beside another entry of its action, which is claimed now, it waits.
                Some(Some(read)) if read.is_replay && claimed.iter().any(|other| is_of_same_action(other, &read)) => {}
                Some(Some(read)) => claimed.push(read),
                // Its session or its action is missing, or it cannot be read.
                Some(None) | None => unreadable.push(id),
            },
        }
    }
    let (kept, refused) = write_claims(tx, claim, claimed, until)?;
    unreadable.extend(refused);
    Ok((kept, unreadable))
}

fn is_of_same_action(one: &Claimed, other: &Claimed) -> bool {
    one.session == other.session && one.action == other.action
}

/// Which rows of the queue: messages that were never delivered, or replays of sent ones. Columns of the index `outbox_due`.
const MESSAGES: &str = "AND (replay > 0) = 0";
const REPLAYS: &str = "AND (replay > 0) = 1";

/// Rows to claim, in order; a few more than wanted, in place of unreadable ones.
fn to_claim(tx: &Transaction<'_>, claim: &Claim<'_>, skip: &SortedSet<i64>) -> Result<Vec<i64>> {
    let limit = claim.limit as usize + skip.len() + 1;
    let (now, first) = (to_ms(claim.now), to_ms(first_time()));
    // The entries that became due first, with their due times.
    let between = |which: &str, from: i64, to: i64| -> Result<Vec<(Timestamp, i64)>> {
        let mut statement = tx.prepare_cached(&format!(
            "SELECT due_at, id FROM outbox WHERE state = 'queued' {which} AND endpoint = ?1 AND due_at BETWEEN ?2 AND ?3
              ORDER BY due_at, id LIMIT ?4"
        ))?;
        let rows = statement
            .query_map(params![claim.endpoint, from, to, limit as i64], |row| Ok((due_since(moment(row.get(0)?)), row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    };
    let latest = if claim.urgent { i64::MAX } else { now };
    let due = |which: &str| -> Result<Vec<(Timestamp, i64)>> {
        let mut found = between(which, i64::MIN, first - 1)?;
        found.extend(between(which, first, latest)?);
        sort(&mut found, PartialOrd::lt);
        Ok(found)
    };
    let (fresh, all) = (due("AND counted = 0 AND slow_counted = 0 AND replay = 0")?, due(MESSAGES)?);
    let mut order: Vec<i64> = Vec::with_capacity(limit);
    let longest_due = all.iter().find(|(_, id)| !skip.contains(id)).copied();
    let has_waited = |(since, _): &(Timestamp, i64)| claim.long_due.is_some_and(|long| *since <= long);
    if claim.limit > 1 || claim.longest_due_first || longest_due.as_ref().is_some_and(has_waited) {
        order.extend(longest_due.map(|(_, id)| id));
    }
    let ids = |rows: Vec<(Timestamp, i64)>| rows.into_iter().map(|(_, id)| id);
    if !fault("seeded: entries go in the order of their due times") {
        order.extend(ids(fresh));
    }
    order.extend(ids(all));
    let far_ahead = |which: &str| between(which, to_ms(latest_due(claim.now)).saturating_add(1), i64::MAX);
    if order.len() < limit && !claim.urgent {
        order.extend(ids(far_ahead(MESSAGES)?));
    }
    if order.len() < limit {
        order.extend(ids(due(REPLAYS)?));
    }
    if order.len() < limit && !claim.urgent {
        order.extend(ids(far_ahead(REPLAYS)?));
    }
    let mut seen = SortedSet::new();
    order.retain(|id| !skip.contains(id) && seen.insert(*id));
    Ok(order)
}

/// None: the row was deleted or has changed meanwhile.
fn read_claimed(tx: &Transaction<'_>, id: i64, until: Timestamp, claim: &Claim<'_>) -> rusqlite::Result<Option<Claimed>> {
    let mut statement = tx.prepare_cached(&format!(
        "SELECT o.id, o.lease_epoch + 1, o.delivery_id, o.endpoint, s.key, a.key, b.bytes, o.body_sha256, o.workflow_version, o.session_state,
                o.due_at, {PROGRESS}, o.reason, o.revision, CASE WHEN a.series NOT GLOB '*[^a-z2-7]*' THEN a.series || '-' || a.sequence END,
                o.replay > 0
           FROM outbox o JOIN session s ON s.id = o.session_id JOIN action a ON a.id = o.action_id
                LEFT JOIN body b ON b.sha256 = o.body_sha256
          WHERE o.id = ?1 AND o.state = 'queued'"
    ))?;
    let Some(mut claimed) = statement.query_row([id], |row| claimed(row, until, claim)).optional()? else { return Ok(None) };
    if claimed.revision > 1 && !fault("seeded: a correction names nothing") {
        claimed.replaces = replaces(tx, id, claimed.revision)?;
    }
    Ok(Some(claimed))
}

/// Ids of earlier revisions of an entry's action that were or may have been delivered, newest first.
fn replaces(tx: &Transaction<'_>, id: i64, revision: u32) -> rusqlite::Result<Vec<String>> {
    let mut statement = tx.prepare_cached(
        "SELECT delivery_id FROM outbox
          WHERE action_id = (SELECT action_id FROM outbox WHERE id = ?1) AND revision < ?2 AND replay = 0 AND (state = 'sent' OR unknown_outcomes > 0)
          ORDER BY revision DESC LIMIT ?3",
    )?;
    statement.query_map(params![id, revision, MOST_REPLACED], |row| row.get(0))?.collect()
}

/// The columns of [`Progress`], of a table named `o`.
const PROGRESS: &str = "o.attempts, o.unknown_outcomes, o.counted, o.slow_counted, o.offline_attempts, o.cut_short, o.failing_ms,
                o.last_failure_at, o.revived, o.resynced, o.refreshed";

/// The values of these columns, from this one on.
fn progress(row: &Row<'_>, first: usize) -> rusqlite::Result<Progress> {
    Ok(Progress {
        attempts: row.get(first)?,
        unknown_outcomes: row.get(first + 1)?,
        counted: row.get(first + 2)?,
        slow_counted: row.get(first + 3)?,
        offline_attempts: row.get(first + 4)?,
        cut_short: row.get(first + 5)?,
        failing_for: Duration::from_millis(row.get::<_, i64>(first + 6)?.max(0) as u64),
        last_failure_at: row.get::<_, Option<i64>>(first + 7)?.map(moment),
        revived: row.get(first + 8)?,
        resynced: row.get(first + 9)?,
        refreshed: row.get(first + 10)?,
    })
}

fn claimed(row: &Row<'_>, until: Timestamp, claim: &Claim<'_>) -> rusqlite::Result<Claimed> {
    let delivery_id = DeliveryId(row.get(2)?);
    let message = MessageId::of(&delivery_id).ok_or(rusqlite::Error::InvalidQuery)?;
    Ok(Claimed {
        lease: Lease { entry: row.get(0)?, message, epoch: row.get(1)?, until },
        delivery_id,
        endpoint: row.get(3)?,
        session: session_key(&row.get::<_, Vec<u8>>(4)?).map_err(|_| rusqlite::Error::InvalidQuery)?,
        action: row.get(5)?,
        revision: row.get(23)?,
        is_replay: row.get(25)?,
        replaces: Vec::new(),
        sequence: row.get(24)?,
        install: String::new(),
        // Lost bytes count as damaged ones.
        body: row.get::<_, Option<Vec<u8>>>(6)?.unwrap_or_default(),
        body_sha256: sha256(&row.get::<_, Vec<u8>>(7)?).map_err(|_| rusqlite::Error::InvalidQuery)?,
        workflow_version: row.get(8)?,
        session_state: session_state(&row.get::<_, String>(9)?).map_err(|_| rusqlite::Error::InvalidQuery)?,
        due_at: due_since(moment(row.get(10)?)),
        progress: progress(row, 11)?.claimed(),
        configuration: claim.configuration,
        urgent: claim.urgent,
        // Attempts do not need it: a damaged value is ignored.
        waited_for_person: row.get::<_, Option<String>>(22).unwrap_or_default().is_some_and(|reason| waits_for_person(&reason)),
    })
}

/// Whether this handle still has this claim.
pub(crate) fn is_leased(connection: &Connection, lease: &Lease, owner: &str) -> Result<bool> {
    Ok(connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM outbox
                             WHERE id = ?1 AND delivery_id = ?4 AND state = 'leased' AND lease_owner = ?2 AND lease_epoch = ?3)",
        )?
        .query_row(params![lease.entry, owner, lease.epoch, lease.message], |row| row.get(0))?)
}

/// Undoes a claim of which nothing was begun, also if the entry was abandoned meanwhile, or abandoned and sent again. Otherwise, if the lease
/// is lost, nothing is done. False then.
pub(crate) fn release(tx: &Transaction<'_>, lease: &Lease, owner: &str) -> Result<bool> {
    let released = tx
        .prepare_cached(
        "UPDATE outbox SET state = 'queued', lease_owner = NULL, lease_until = NULL, attempts = attempts - 1, unknown_outcomes = unknown_outcomes - 1
          WHERE id = ?1 AND delivery_id = ?4 AND lease_owner = ?2 AND lease_epoch = ?3 AND state = 'leased'",
        )?
        .execute(params![lease.entry, owner, lease.epoch, lease.message])?;
    if released == 1 && fault("seeded: a release keeps its counters") {
        tx.execute("UPDATE outbox SET attempts = attempts + 1, unknown_outcomes = unknown_outcomes + 1 WHERE id = ?1", [lease.entry])?;
    }
    if released == 1 {
        return Ok(true);
    }
    let taken_back = tx
        .prepare_cached(
            "UPDATE outbox SET attempts = attempts - 1, unknown_outcomes = unknown_outcomes - 1, in_flight_until = NULL
              WHERE id = ?1 AND delivery_id = ?3 AND lease_epoch = ?2 AND in_flight_until IS NOT NULL AND attempts > 0 AND unknown_outcomes > 0
                AND state <> 'sent'",
        )?
        .execute(params![lease.entry, lease.epoch, lease.message])?;
    // An attempt whose lease ended before has its row in the history, and counts.
    if taken_back == 1 { Ok(true) } else { settle_abandoned(tx, lease, true) }
}

/// The session of an entry, if both can be read.
pub(crate) fn session_of(connection: &Connection, entry: i64) -> Result<Option<SessionKey>> {
    let key: Option<Vec<u8>> = connection
        .prepare_cached("SELECT s.key FROM outbox o JOIN session s ON s.id = o.session_id WHERE o.id = ?1")?
        .query_row([entry], |row| row.get(0))
        .optional()?;
    Ok(key.and_then(|key| session_key(&key).ok()))
}

/// Whether there is a lease that [`end_expired_leases`] would end.
pub(crate) fn has_expired_leases(connection: &Connection, now: Timestamp, lease: Duration, worked_on: &[i64]) -> Result<bool> {
    Ok(expired_leases(connection, now, lease)?.iter().any(|id| !worked_on.contains(id)))
}

/// Ends leases whose time is over, and those that end further ahead than possible, because the clock was set back. The attempt stays recorded
/// as one of unknown outcome that was cut short: `delay` gives how long an entry waits after this many of them in a row. Entries in `worked_on`
/// have a running attempt here; `history`: whether the attempt gets its row. Gives the sessions concerned, and the entries whose lease
/// cannot be ended.
pub(crate) fn end_expired_leases(
    tx: &Transaction<'_>,
    now: Timestamp,
    lease: Duration,
    worked_on: &[i64],
    history: bool,
    delay: &dyn Fn(u32) -> Duration,
) -> Result<(Vec<SessionKey>, Vec<i64>)> {
    let (mut sessions, mut damaged) = (Vec::new(), Vec::new());
    for id in expired_leases(tx, now, lease)?.into_iter().filter(|id| !worked_on.contains(id)) {
        match all_or_none(tx, || of_entry(id, end_lease(tx, id, now, lease, history, delay)))? {
            Some(session) => sessions.extend(session),
            None => damaged.push(id),
        }
    }
    Ok((sessions, damaged))
}

fn end_lease(
    tx: &Transaction<'_>,
    id: i64,
    now: Timestamp,
    lease: Duration,
    history: bool,
    delay: &dyn Fn(u32) -> Duration,
) -> Result<Option<SessionKey>> {
    let (number, until, cut_short): (u32, Option<i64>, u32) = tx
        .prepare_cached("SELECT attempts, lease_until, cut_short FROM outbox WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2).unwrap_or_default())))?;
    let cut_short = cut_short.saturating_add(1);
    let delay = delay(cut_short);
    // It was due when it was claimed, however the clock was set then.
    tx.prepare_cached(
        "UPDATE outbox SET state = 'queued', reason = ?2, due_at = iif(?5, min(due_at, ?3), ?3), cut_short = ?4, resynced = 0,
                           lease_owner = NULL, lease_until = NULL WHERE id = ?1",
    )?
    .execute(params![id, reason::INTERRUPTED, to_ms(due_after(now, delay)), cut_short, delay.is_zero()])?;
    let attempt = Attempt {
        number,
        // Only its claim is known.
        at: until.map_or(now, |until| moment(until.saturating_sub(lease.as_millis() as i64))),
        duration_ms: 0,
        status: None,
        outcome: reason::INTERRUPTED.to_owned(),
        counted: false,
        may_have_been_delivered: true,
    };
    if history {
        unless_damaged(of_entry(id, add_attempt(tx, id, &attempt)))?;
    }
    session_of(tx, id)
}

pub(crate) fn expired_leases(connection: &Connection, now: Timestamp, lease: Duration) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM outbox WHERE state = 'leased' AND (lease_until <= ?1 OR lease_until > ?2 OR lease_until IS NULL)",
    )?;
    let rows = statement.query_map([to_ms(now), latest_lease(now, lease)], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// When the first lease ends, without these rows. One without an end is over.
pub(crate) fn first_lease_end(connection: &Connection, without: &SortedSet<i64>) -> Result<Option<Timestamp>> {
    let without = if without.is_empty() { String::new() } else { format!("AND id NOT IN ({})", numbers(without)) };
    let until: Option<Option<i64>> = connection
        .prepare_cached(&format!("SELECT lease_until FROM outbox WHERE state = 'leased' {without} ORDER BY lease_until LIMIT 1"))?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(until.map(|until| moment(until.unwrap_or_default())))
}

/// Records a delivery, from any state, and with any numbers in the row: the receiver has the message. An attempt of a later claim may still be
/// in flight. A row of a copy that replaced the file meanwhile may not know this attempt. False when the entry is already `sent`, or purged.
fn settle_sent(tx: &Transaction<'_>, lease: &Lease, attempts: u32, status: u16, now: Timestamp) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "UPDATE outbox SET state = 'sent', reason = NULL, detail = NULL, sent_at = ?2,
                               sent_age = (SELECT age FROM meta WHERE id = 1), last_status = ?3, attempts = max(attempts + (?6 > attempts), 1),
                               unknown_outcomes = min(max(unknown_outcomes - 1, 0), max(attempts, 1)), offline_attempts = 0, cut_short = 0, resynced = 0, refreshed = 0,
                               lease_owner = NULL, lease_until = NULL,
                               in_flight_until = iif(lease_epoch = ?5, NULL, coalesce(lease_until, in_flight_until))
              WHERE id = ?1 AND delivery_id = ?4 AND state <> 'sent'",
        )?
        .execute(params![lease.entry, to_ms(now), status, lease.message, lease.epoch, attempts])?;
    Ok(changed == 1)
}

/// Records any other outcome. False when the lease is lost: then another handle records it.
pub(crate) fn settle(
    tx: &Transaction<'_>,
    lease: &Lease,
    owner: &str,
    settled: &Settled,
    status: Option<u16>,
    now: Timestamp,
) -> Result<bool> {
    let (state, reason, due_at) = match settled.settlement {
        Settlement::Sent => return settle_sent(tx, lease, settled.progress.attempts, status.unwrap_or_default(), now),
        Settlement::Queued { due_at, reason } => ("queued", reason, due_at),
        Settlement::Failed { reason } => ("failed", reason, now),
    };
    let progress = &settled.progress;
    let changed = tx
        .prepare_cached(
            "UPDATE outbox SET state = ?4, reason = ?5, due_at = ?6, attempts = ?7, unknown_outcomes = ?8, counted = ?9, slow_counted = ?10,
                               offline_attempts = ?11, cut_short = ?12, failing_ms = ?13, last_failure_at = ?14,
                               last_status = coalesce(?15, last_status), resynced = ?16, refreshed = ?17,
                               lease_owner = NULL, lease_until = NULL
              WHERE id = ?1 AND delivery_id = ?18 AND lease_owner = ?2 AND lease_epoch = ?3 AND state = 'leased'",
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
            progress.offline_attempts,
            progress.cut_short,
            progress.failing_for.as_millis() as i64,
            progress.last_failure_at.map(to_ms),
            status,
            progress.resynced,
            progress.refreshed,
            lease.message,
        ])?;
    Ok(changed == 1)
}

/// What a claimed entry has used up, including this claim: less than when it was claimed if its progress was reset since. None if the claim is
/// lost.
pub(crate) fn used_up(connection: &Connection, lease: &Lease) -> Result<Option<Progress>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {PROGRESS} FROM outbox o WHERE o.id = ?1 AND o.delivery_id = ?2 AND o.lease_epoch = ?3 AND o.state = 'leased'"
    ))?;
    Ok(statement.query_row(params![lease.entry, lease.message, lease.epoch], |row| progress(row, 0)).optional()?)
}

/// Whether the entry of a lease is `sent`.
pub(crate) fn is_sent(connection: &Connection, lease: &Lease) -> Result<bool> {
    Ok(connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM outbox WHERE id = ?1 AND delivery_id = ?2 AND state = 'sent')")?
        .query_row(params![lease.entry, lease.message], |row| row.get(0))?)
}

/// Adds an attempt to an entry's history, which keeps the newest ten, the first and every 2xx. A late result replaces an assumed one. One that a
/// copy, which replaced the file meanwhile, does not know is the last one there.
pub(crate) fn add_attempt(tx: &Transaction<'_>, entry: i64, attempt: &Attempt) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO attempt (outbox_id, number, at, duration_ms, status, outcome, counted, unknown)
         VALUES (?1, min(?2, max((SELECT attempts FROM outbox WHERE id = ?1), 1)), ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET at = excluded.at, duration_ms = excluded.duration_ms, status = excluded.status,
                                   outcome = excluded.outcome, counted = excluded.counted, unknown = excluded.unknown",
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
    if attempt.number > KEPT_ATTEMPTS {
        tx.prepare_cached(
            "DELETE FROM attempt
              WHERE outbox_id = ?1 AND number > 1 AND (status IS NULL OR status NOT BETWEEN 200 AND 299)
                AND number NOT IN (SELECT number FROM attempt WHERE outbox_id = ?1 ORDER BY number DESC LIMIT ?2)",
        )?
        .execute(params![entry, KEPT_ATTEMPTS])?;
    }
    Ok(())
}

/// Whether an entry whose last attempt found no network waits for a later moment and may be due at once instead; now, or when it is released.
pub(crate) fn waits_for_network(connection: &Connection, now: Timestamp) -> Result<bool> {
    Ok(connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM outbox INDEXED BY outbox_offline
                             WHERE state = 'queued' AND offline_attempts > 0 AND cut_short < ?2 AND due_at > ?1)
                 OR EXISTS (SELECT 1 FROM outbox INDEXED BY outbox_leased
                             WHERE state = 'leased' AND offline_attempts > 0 AND cut_short < ?2 AND due_at > ?1)",
        )?
        .query_row(params![to_ms(now), CUT_SHORT_AT_ONCE], |row| row.get(0))?)
}

/// Endpoints with entries whose last attempt found no network, and whether a wake-up makes one of them due.
pub(crate) fn offline_endpoints(connection: &Connection) -> Result<SortedMap<String, bool>> {
    let found = |wakes: &str| -> Result<SortedMap<String, bool>> {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT endpoint, {wakes} < ?1 FROM outbox INDEXED BY outbox_offline WHERE state = 'queued' AND offline_attempts > 0 GROUP BY endpoint"
        ))?;
        let mut rows = statement.query([CUT_SHORT_AT_ONCE])?;
        let mut found = SortedMap::new();
        while let Some(row) = rows.next()? {
            if let (Ok(endpoint), Ok(wakes)) = (row.get(0), row.get(1)) {
                found.insert(endpoint, wakes);
            }
        }
        Ok(found)
    };
    // If a page of the table is damaged, the index still has the endpoints.
    found("min(cut_short)").or_else(|error| if error.is_damage() { found("0") } else { Err(error) })
}

/// Makes entries due now that wait for a network, at one endpoint or everywhere, except those that were cut short too often in a row, and these
/// rows. Also claimed ones, in case they are released. A row that cannot be written does not change.
pub(crate) fn make_due(tx: &Transaction<'_>, now: Timestamp, endpoint: Option<&str>, without: &SortedSet<i64>) -> Result<()> {
    let mut waiting = tx.prepare_cached(
        "SELECT id FROM outbox INDEXED BY outbox_offline WHERE state = 'queued' AND offline_attempts > 0 AND (?1 IS NULL OR endpoint = ?1)
         UNION ALL SELECT id FROM outbox INDEXED BY outbox_leased WHERE state = 'leased'",
    )?;
    let waiting: Vec<i64> = waiting.query_map([endpoint], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut due = tx.prepare_cached(
        "UPDATE outbox SET due_at = ?3
          WHERE id = ?4 AND offline_attempts > 0 AND cut_short < ?2 AND due_at > ?1 AND (?5 IS NULL OR endpoint = ?5)",
    )?;
    for id in waiting.into_iter().filter(|id| !without.contains(id)) {
        let values = params![to_ms(now), CUT_SHORT_AT_ONCE, to_ms(at_once(now)), id, endpoint];
        unless_damaged(of_entry(id, due.execute(values).map_err(StoreError::from)))?;
    }
    Ok(())
}

/// How many entries wait or have a running attempt, including those with a damaged state.
pub(crate) fn pending(connection: &Connection) -> Result<u64> {
    let count: i64 = connection
        .prepare_cached("SELECT count(*) FROM outbox WHERE (state <> 'sent' AND state <> 'superseded') AND state <> 'failed'")?
        .query_row([], |row| row.get(0))?;
    Ok(count as u64)
}

#[cfg(test)]
#[path = "queue_plan_tests.rs"]
mod tests;
