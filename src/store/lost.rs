//! What would be lost with a file that is replaced: undelivered messages, and facts that only this file has.

use rusqlite::{OptionalExtension, Row, params};

use super::outbox::ABANDONED;
use super::outbox::UNDELIVERED;
use super::row::{from_ms, session_key, sha256};
use super::{Connection, Result, StoreError, Transaction, session};
use crate::crypto::Sha256;
use crate::model::{Act, EVENT_VERSION, Event, SessionKey, Timestamp};
use crate::sorted::SortedSet;

/// Whether the first text is the id of the message of this install, session, action, hash of its body, and revision.
pub(crate) type IsId = fn(&str, &str, SessionKey, &str, &Sha256, u32) -> bool;

/// A higher revision is damage: it must still be able to rise.
const LAST_REVISION: i64 = 1 << 30;
/// A larger counter is damage: it must still be able to rise.
const LAST_NUMBER: i64 = 1 << 62;
/// An age of more than 139 years, in milliseconds, is damage: everything would be old.
const LAST_AGE: i64 = 1 << 42;

/// An undelivered message.
pub(super) struct Message {
    entry: i64,
    delivery_id: String,
    body_sha256: Vec<u8>,
    /// It sends a delivered message once more.
    is_replay: bool,
}

/// The undelivered messages that the copy does not hold completely, with the same id and bytes, to be delivered. Of a copy no replay is made.
pub(super) fn not_in(present: &Connection, copy: Option<(&Connection, IsId)>) -> Result<Vec<Message>> {
    // An older schema has no replays.
    let replay = if has_column(present, "age", false)? { "o.replay > 0" } else { "0" };
    let mut statement =
        present.prepare(&format!("SELECT o.id, o.delivery_id, o.body_sha256, {replay} FROM outbox o WHERE {UNDELIVERED}"))?;
    let messages = statement.query_map([], |row| {
        Ok(Message { entry: row.get(0)?, delivery_id: row.get(1)?, body_sha256: row.get(2)?, is_replay: row.get(3)? })
    })?;
    let mut lost = Vec::new();
    for message in messages {
        let message = message?;
        let is_held = match copy {
            // An unreadable message is not held.
            Some((copy, is_id)) if !message.is_replay => match holds(copy, is_id, &message) {
                Err(error) if error.is_finding() => false,
                held => held?,
            },
            _ => false,
        };
        if !is_held {
            lost.push(message);
        }
    }
    Ok(lost)
}

/// Whether the copy will send this message or has sent it: its id matches its content, and its body is the frozen one.
fn holds(copy: &Connection, is_id: IsId, message: &Message) -> Result<bool> {
    let mut statement = copy.prepare_cached(
        "SELECT o.state = 'sent', m.install_id, s.key, a.key, b.bytes, o.revision
           FROM outbox o JOIN action a ON a.id = o.action_id JOIN session s ON s.id = o.session_id JOIN meta m ON m.id = 1
                LEFT JOIN body b ON b.sha256 = o.body_sha256
          WHERE o.delivery_id = ?1 AND o.replay = 0 AND o.body_sha256 = ?2
            AND NOT (o.state = 'superseded' OR o.state = 'failed' AND o.reason IS 'abandoned')",
    )?;
    let hash = sha256(&message.body_sha256)?;
    let held = |row: &Row<'_>| -> rusqlite::Result<_> {
        let body: Option<Vec<u8>> = row.get(4)?;
        let is_frozen = body.is_some_and(|body| Sha256::of(&body) == hash);
        Ok((
            row.get::<_, bool>(0)? || is_frozen,
            row.get::<_, String>(1)?,
            row.get::<_, Vec<u8>>(2)?,
            row.get::<_, String>(3)?,
            row.get(5)?,
        ))
    };
    let Some((is_there, install, session, action, revision)) =
        statement.query_row(params![message.delivery_id, message.body_sha256], held).optional()?
    else {
        return Ok(false);
    };
    Ok(is_there && is_id(&message.delivery_id, &install, session_key(&session)?, &action, &hash, revision))
}

/// The condition under which a superseded message does not leave from the copy either: it was abandoned itself, a newer one may have been delivered
/// or was abandoned, or it holds a redacted value. If no newer one ever left, the copy's is the only one that can.
const REPLACED: &str = "(o.holds_redacted IS NOT NULL OR o.reason IS 'abandoned' OR EXISTS (
                 SELECT 1 FROM outbox newer WHERE newer.action_id = o.action_id AND newer.revision > o.revision AND newer.replay = 0
                                              AND (newer.state = 'sent' OR newer.unknown_outcomes > 0 OR newer.reason = 'abandoned')))";
/// The word in `outbox.detail` for it: what a person abandoned or redacted since, only a person sends. That ends with a later correction that may
/// have been delivered: a person has sent it.
const REPLACED_BY: &str = "iif(o.holds_redacted IS NOT NULL, 'redacted', ifnull((
                 SELECT iif(it.detail IS 'redacted', 'redacted', 'abandoned') FROM outbox it
                  WHERE it.action_id = o.action_id AND it.revision >= o.revision AND it.replay = 0 AND it.reason = 'abandoned'
                    AND it.detail IS NOT 'restored' AND NOT EXISTS (
                     SELECT 1 FROM outbox newer WHERE newer.action_id = o.action_id AND newer.revision > it.revision AND newer.replay = 0
                                                  AND (newer.state = 'sent' OR newer.unknown_outcomes > 0))), 'restored'))";

/// The condition under which a delivered message does not leave once more from the copy: a newer one was delivered, too.
const PASSED: &str =
    "EXISTS (SELECT 1 FROM outbox newer WHERE newer.action_id = o.action_id AND newer.revision > o.revision AND newer.replay = 0
                                                               AND newer.state = 'sent')";

/// Of a message of the copy that may be abandoned.
const UNSENT: &str = "replay = 0 AND (state = 'queued' OR state = 'leased' OR state = 'failed' AND reason <> 'abandoned')";

/// Of one that a restore has abandoned, which an edit may send.
const RESTORED: &str = "replay = 0 AND state = 'failed' AND reason = 'abandoned' AND detail IS 'restored'";

/// Until when an attempt of an action `a` may be in flight, and the highest revision of it that was delivered.
const OF_MESSAGES: [&str; 2] = [
    "(SELECT max(coalesce(o.lease_until, o.in_flight_until)) FROM outbox o WHERE o.action_id = a.id)",
    "(SELECT ifnull(max(o.revision), 0) FROM outbox o WHERE o.action_id = a.id AND o.replay = 0 AND o.state = 'sent')",
];
/// The same where no message can be read.
const NO_MESSAGES: [&str; 2] = ["NULL", "0"];

/// What receivers may have of an action.
struct CarriedAction {
    /// Keys of its session and of itself.
    session: Vec<u8>,
    key: String,
    /// The highest revision.
    revision: i64,
    /// Until when an attempt of one of its messages may be in flight.
    in_flight_until: Option<i64>,
    /// The series and the number by which they know it.
    number: Option<(String, i64)>,
    /// The highest revision that was delivered; 0 if none was.
    delivered: i64,
}

/// An action of a session that was deleted.
struct DeletedAction {
    /// Keys of its session and of itself.
    session: Vec<u8>,
    key: String,
    /// The highest revision that receivers have or may have; 0 if there is none.
    delivered: i64,
    /// The word in `outbox.detail` for what a person abandoned or redacted.
    not_to_send: Option<String>,
}

/// The state of a replaced file that must not be lost: that something changed, its last numbers, and which messages were abandoned.
#[derive(Default)]
pub(super) struct CarriedState {
    /// Revision and configuration.
    counters: Option<(i64, i64)>,
    /// The last row numbers of tables that must not use a number twice.
    numbers: Vec<(String, i64)>,
    /// The last number of a claim.
    epoch: i64,
    /// Delivery ids, with the cause for which each was abandoned or superseded.
    not_to_send: Vec<(String, String)>,
    /// Delivery ids that receivers have or may have, with the time of the last attempt, if it is known.
    may_be_delivered: Vec<(String, Option<i64>)>,
    actions: Vec<CarriedAction>,
    /// Keys of the sessions that were deleted.
    deleted: SortedSet<Vec<u8>>,
    deleted_actions: Vec<DeletedAction>,
}

impl CarriedState {
    /// Reads it from an undamaged file.
    ///
    /// # Errors
    /// `Unreadable` also where a counter cannot rise further.
    pub(super) fn of(file: &Connection) -> Result<Self> {
        let known = Self::read(file, false)?;
        let has_numbers = known.numbers.iter().all(|(_, last)| (0..=LAST_NUMBER).contains(last));
        if known.counters.is_some() && has_numbers && has_an_age(file)? {
            Ok(known)
        } else {
            Err(StoreError::Unreadable("the counters of the file cannot be read, or cannot rise further".to_owned()))
        }
    }

    /// Reads it from a damaged file, as far as possible.
    pub(super) fn of_damaged(file: &Connection) -> Self {
        let mut known = Self::read(file, true).unwrap_or_default();
        known.numbers.retain(|(_, last)| (0..=LAST_NUMBER).contains(last));
        known
    }

    fn read(file: &Connection, is_damaged: bool) -> Result<Self> {
        let (configuration, detail) = if has_column(file, "configuration", is_damaged)? {
            // A damaged word was a valid one, and the copy accepts no other.
            ("configuration", "iif(detail IN ('redacted', 'restored'), detail, 'abandoned')")
        } else {
            ("0", "'abandoned'")
        };
        let counters = format!(
            "SELECT revision, {configuration} FROM meta
              WHERE id = 1 AND revision BETWEEN 0 AND {LAST_NUMBER} AND {configuration} BETWEEN 0 AND {LAST_NUMBER}"
        );
        let epoch = format!("SELECT ifnull(max(lease_epoch), 0) FROM outbox WHERE lease_epoch <= {LAST_NUMBER}");
        // An empty table has no row there.
        let numbers = "SELECT name, seq FROM sqlite_sequence WHERE name IN ('session', 'outbox')
                       UNION ALL SELECT 'session', ifnull(max(id), 0) FROM session
                       UNION ALL SELECT 'outbox', ifnull(max(id), 0) FROM outbox";
        let is_older = !has_column(file, "age", is_damaged)?;
        let message = if is_older { "TRUE" } else { "replay = 0" };
        // Behind a page that cannot be read no other row of an action can be asked.
        let (replaced, replaced_by, passed) =
            if is_older || is_damaged { ("TRUE", "'restored'", "FALSE") } else { (REPLACED, REPLACED_BY, PASSED) };
        let not_to_send = |which: &str| -> Result<Vec<_>> {
            // Also what a restore had abandoned before it was redacted.
            let redacted = if is_older { "FALSE" } else { "o.holds_redacted IS NOT NULL" };
            let sql = format!(
                "SELECT delivery_id,
                        CASE WHEN {redacted} THEN 'redacted' WHEN state = 'failed' THEN {detail} WHEN state = 'sent' THEN 'restored' ELSE {replaced_by} END
                   FROM outbox o {which} {message}
                    AND (state = 'superseded' AND {replaced} OR state = 'failed' AND reason = 'abandoned' OR state = 'sent' AND {passed})"
            );
            rows(file, &sql, is_damaged, |row| Ok((row.get(0)?, row.get(1)?)))
        };
        let may_be_delivered = |which: &str| -> Result<Vec<_>> {
            let last = if is_damaged { "NULL" } else { "(SELECT max(t.at) FROM attempt t WHERE t.outbox_id = o.id)" };
            let sql = format!(
                "SELECT delivery_id, coalesce({last}, sent_at, frozen_at) FROM outbox o {which} {message} AND (state = 'sent' OR unknown_outcomes > 0)"
            );
            rows(file, &sql, is_damaged, |row| Ok((row.get(0)?, row.get(1)?)))
        };
        let (revision, number, of_messages) =
            if is_older { ("a.revision", "NULL, NULL", NO_MESSAGES) } else { ("max(a.revision, a.revisions_before)", NUMBER, OF_MESSAGES) };
        let of_actions = |one: &str, of_messages: [&str; 2]| -> Result<Vec<_>> {
            let [in_flight_until, delivered] = of_messages;
            let sql = format!(
                "SELECT s.key, a.key, {revision}, {in_flight_until}, {number}, {delivered} FROM action a JOIN session s ON s.id = a.session_id
                  WHERE {one} {revision} BETWEEN 1 AND {LAST_REVISION}"
            );
            rows(file, &sql, is_damaged, carried_action)
        };
        let (mut actions, mut deleted_actions) = (Vec::new(), Vec::new());
        if !is_older {
            // What this file was told itself. Its own rows come later, and know later attempts.
            let sql = format!(
                "SELECT s.key, a.key, a.revision, a.in_flight_until, {NUMBER}, 0 FROM action_before a JOIN session s ON s.id = a.session_id
                  WHERE a.revision BETWEEN 1 AND {LAST_REVISION}"
            );
            actions.append(&mut rows(file, &sql, is_damaged, carried_action)?);
            let sql = format!(
                "SELECT session_key, key, revision, in_flight_until, {NUMBER}, 0 FROM deleted_action a
                  WHERE revision BETWEEN 1 AND {LAST_REVISION}"
            );
            actions.append(&mut rows(file, &sql, is_damaged, carried_action)?);
            // A damaged word was a valid one.
            let sql =
                "SELECT session_key, key, delivered, iif(not_to_send = 'redacted', 'redacted', iif(not_to_send IS NULL, NULL, 'abandoned'))
                         FROM deleted_action WHERE delivered > 0 OR not_to_send IS NOT NULL";
            deleted_actions = rows(file, sql, is_damaged, |row| {
                Ok(DeletedAction { session: row.get(0)?, key: row.get(1)?, delivered: row.get(2)?, not_to_send: row.get(3)? })
            })?;
        }
        actions.append(&mut of_actions("", of_messages)?);
        let (mut all, mut may_be) = (not_to_send("WHERE")?, may_be_delivered("WHERE")?);
        if is_damaged {
            // Behind a page that cannot be read each is looked for by itself.
            let ids: Vec<i64> = rows(file, "SELECT id FROM outbox INDEXED BY outbox_session", true, |row| row.get(0))?;
            for id in ids {
                let which = format!("WHERE id = {id} AND");
                all.append(&mut not_to_send(&which)?);
                may_be.append(&mut may_be_delivered(&which)?);
            }
            let ids: Vec<i64> = rows(file, "SELECT id FROM action INDEXED BY sqlite_autoindex_action_1", true, |row| row.get(0))?;
            for id in ids {
                // The page of a message may be damaged, and that of its action not.
                for of_messages in [of_messages, NO_MESSAGES] {
                    actions.append(&mut of_actions(&format!("a.id = {id} AND"), of_messages)?);
                }
            }
        }
        Ok(Self {
            counters: rows(file, &counters, is_damaged, |row| Ok((row.get(0)?, row.get(1)?)))?.pop(),
            numbers: rows(file, numbers, is_damaged, |row| Ok((row.get(0)?, row.get(1)?)))?,
            epoch: rows(file, &epoch, is_damaged, |row| row.get(0))?.pop().unwrap_or_default(),
            not_to_send: all,
            may_be_delivered: may_be,
            actions,
            deleted: rows(file, "SELECT key FROM tombstone", is_damaged, |row| row.get(0))?.into_iter().collect(),
            deleted_actions,
        })
    }

    /// Writes it into the copy.
    pub(super) fn carry_to(&self, copy: &Connection) -> Result<()> {
        let (revision, configuration) = self.counters.unwrap_or_default();
        copy.execute(
            "UPDATE meta SET revision = max(revision, ?1) + 1, configuration = max(configuration, ?2) + 1 WHERE id = 1",
            [revision, configuration],
        )?;
        // Row numbers are not used again, so that a running attempt of another process finds no other row under its number.
        for (table, last) in &self.numbers {
            if copy.execute("UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1", params![table, last])? == 0 {
                copy.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", params![table, last])?;
            }
        }
        // Nor are the numbers of claims: an earlier attempt must not settle a later one.
        copy.execute(
            "UPDATE outbox SET lease_epoch = min(max(lease_epoch, ?1), ?2) + 1 WHERE state <> 'sent' AND state <> 'superseded'",
            [self.epoch, LAST_NUMBER],
        )?;
        let mut abandons = copy.prepare(&format!(
            "UPDATE outbox SET {ABANDONED}, detail = ?2
              WHERE delivery_id = ?1 AND {UNSENT}"
        ))?;
        // What a restore had abandoned in the copy, and a person since.
        let mut abandoned_since =
            copy.prepare(&format!("UPDATE outbox SET detail = ?2 WHERE delivery_id = ?1 AND ?2 <> 'restored' AND {RESTORED}"))?;
        for (delivery_id, detail) in &self.not_to_send {
            abandons.execute(params![delivery_id, detail])?;
            abandoned_since.execute(params![delivery_id, detail])?;
        }
        // A correction names it, and it shows that it may have been delivered. A damaged count stays, and so does an attempt with that number.
        let mut attempted = copy.prepare(
            "UPDATE outbox SET attempts = attempts + 1, unknown_outcomes = unknown_outcomes + 1
              WHERE delivery_id = ?1 AND replay = 0 AND state <> 'sent' AND unknown_outcomes = 0 AND attempts < ?2
              RETURNING id, attempts, frozen_at",
        )?;
        let mut attempt = copy.prepare(
            "INSERT OR IGNORE INTO attempt (outbox_id, number, at, duration_ms, outcome, counted, unknown) VALUES (?1, ?2, ?3, 0, 'interrupted', 0, 1)",
        )?;
        let mut of_deleted = copy.prepare(
            "SELECT o.delivery_id FROM outbox o JOIN action a ON a.id = o.action_id JOIN session s ON s.id = o.session_id
              WHERE s.key = ?1 AND a.key = ?2 AND o.revision <= ?3 AND o.replay = 0
                AND (o.state = 'queued' OR o.state = 'leased' OR o.state = 'failed' AND o.reason IS NOT 'payload_too_large')",
        )?;
        let mut may_be_delivered = self.may_be_delivered.clone();
        for DeletedAction { session, key, delivered, .. } in &self.deleted_actions {
            let found = of_deleted.query_map(params![session, key, delivered], |row| Ok((row.get(0)?, None)))?;
            may_be_delivered.append(&mut found.collect::<rusqlite::Result<_>>()?);
        }
        for (delivery_id, at) in &may_be_delivered {
            let numbers = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            let entry: Option<(i64, i64, i64)> = attempted.query_row(params![delivery_id, LAST_NUMBER], numbers).optional()?;
            if let Some((entry, number, frozen_at)) = entry {
                // When that was may be damaged, or not be known.
                attempt.execute([entry, number, at.filter(|at| from_ms(*at).is_ok()).unwrap_or(frozen_at)])?;
            }
        }
        // Whatever is in flight, what the copy has or makes of the action waits for it: a correction, or the message itself. One that was claimed
        // when the copy was made stays claimed until then.
        let mut passed =
            copy.prepare("UPDATE action SET revisions_before = ?2 WHERE id = ?1 AND revision < ?2 AND revisions_before < ?2")?;
        let mut waits = copy.prepare(
            "UPDATE outbox SET in_flight_until = iif(state = 'leased', NULL, ?2), lease_until = iif(state = 'leased', ?2, NULL)
              WHERE action_id = ?1 AND revision = (SELECT revision FROM action WHERE id = ?1) AND replay = 0
                AND (state = 'sent' OR state = 'failed' OR state = 'queued' OR state = 'leased')",
        )?;
        let mut of_key = copy.prepare("SELECT a.id FROM action a JOIN session s ON s.id = a.session_id WHERE s.key = ?1 AND a.key = ?2")?;
        // What the copy has no room for yet: of an action that it does not have, or that has no number.
        let mut before = copy.prepare(
            "INSERT INTO action_before (session_id, key, revision, series, sequence, in_flight_until)
             SELECT s.id, ?2, ?3, ?4, ?5, ?6 FROM session s LEFT JOIN action a ON a.session_id = s.id AND a.key = ?2
              WHERE s.key = ?1 AND iif(a.id IS NULL, s.state = 'in_progress', a.sequence IS NULL)
             ON CONFLICT DO UPDATE SET revision = max(revision, excluded.revision), series = ifnull(series, excluded.series),
                                       sequence = ifnull(sequence, excluded.sequence),
                                       in_flight_until = coalesce(max(in_flight_until, excluded.in_flight_until), in_flight_until, excluded.in_flight_until)",
        )?;
        // A higher revision was delivered, maybe of another file: receivers would keep that one.
        let mut passed_by = copy
            .prepare(&format!("UPDATE outbox SET {ABANDONED}, detail = 'restored' WHERE action_id = ?1 AND revision < ?2 AND {UNSENT}"))?;
        // The copy holds the deletion, and another copy may hold the session.
        let mut deleted = copy.prepare("UPDATE deleted_action SET revision = max(revision, ?3) WHERE session_key = ?1 AND key = ?2")?;
        for CarriedAction { session, key, revision, in_flight_until, number, delivered } in &self.actions {
            let (series, sequence) = number.as_ref().map(|(series, sequence)| (series, sequence)).unzip();
            before.execute(params![session, key, revision, series, sequence, in_flight_until])?;
            deleted.execute(params![session, key, revision])?;
            let id: Option<i64> = of_key.query_row(params![session, key], |row| row.get(0)).optional()?;
            let Some(id) = id else { continue };
            passed.execute([id, *revision])?;
            passed_by.execute([id, *delivered])?;
            if in_flight_until.is_some() {
                waits.execute(params![id, in_flight_until])?;
            }
        }
        // What was replayed after the copy was made is not known.
        copy.execute(
            &format!(
                "UPDATE outbox SET {ABANDONED}, detail = 'restored' WHERE (state <> 'sent' AND state <> 'superseded') AND replay > 0 AND reason IS NOT 'abandoned'"
            ),
            [],
        )?;
        // Only a person sends what was abandoned or redacted before its session was deleted.
        let mut abandons_action = copy.prepare(&format!(
            "UPDATE outbox SET {ABANDONED}, detail = ?3
              WHERE action_id = (SELECT a.id FROM action a JOIN session s ON s.id = a.session_id WHERE s.key = ?1 AND a.key = ?2)
                AND ({UNSENT} OR {RESTORED})"
        ))?;
        for DeletedAction { session, key, not_to_send, .. } in self.deleted_actions.iter().filter(|action| action.not_to_send.is_some()) {
            abandons_action.execute(params![session, key, not_to_send])?;
        }
        // A deleted session held nothing undelivered: its unsent messages were abandoned.
        let mut unsent =
            copy.prepare(&format!("SELECT o.delivery_id, s.key FROM outbox o JOIN session s ON s.id = o.session_id WHERE {UNDELIVERED}"))?;
        let unsent = unsent.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let unsent: Vec<(String, Vec<u8>)> = unsent.collect::<rusqlite::Result<_>>()?;
        for (delivery_id, _) in unsent.iter().filter(|(_, session)| self.deleted.contains(session)) {
            abandons.execute(params![delivery_id, "restored"])?;
        }
        Ok(())
    }
}

/// The columns of a number, of a table named `a`. A damaged one is none.
const NUMBER: &str =
    "iif(length(a.series) = 8 AND a.series NOT GLOB '*[^a-z2-7]*' AND a.sequence BETWEEN 1 AND 1000000000000, a.series, NULL), a.sequence";

fn carried_action(row: &Row<'_>) -> rusqlite::Result<CarriedAction> {
    // A damaged key belongs to no action of the other file.
    let key = String::from_utf8_lossy(row.get_ref(1)?.as_bytes().unwrap_or_default()).into_owned();
    let series: Option<String> = row.get(4)?;
    let number = series.map(|series| Ok::<_, rusqlite::Error>((series, row.get(5)?))).transpose()?;
    Ok(CarriedAction { session: row.get(0)?, key, revision: row.get(2)?, in_flight_until: row.get(3)?, number, delivered: row.get(6)? })
}

/// An older schema has no age.
fn has_an_age(file: &Connection) -> Result<bool> {
    let sql = format!("SELECT 1 FROM meta WHERE id = 1 AND age BETWEEN 0 AND {LAST_AGE}");
    Ok(!has_column(file, "age", false)? || rows(file, &sql, false, |_| Ok(()))?.len() == 1)
}

fn has_column(file: &Connection, column: &str, is_damaged: bool) -> Result<bool> {
    let sql = format!("SELECT 1 FROM pragma_table_info('meta') WHERE name = '{column}'");
    Ok(!rows(file, &sql, is_damaged, |_| Ok(()))?.is_empty())
}

/// All rows; of a damaged file those that can be read.
fn rows<T>(file: &Connection, sql: &str, is_damaged: bool, read: fn(&Row<'_>) -> rusqlite::Result<T>) -> Result<Vec<T>> {
    let mut found = Vec::new();
    let mut look = || -> Result<()> {
        let mut statement = file.prepare(sql)?;
        for row in statement.query_map([], read)? {
            match row {
                // The next row may be readable; otherwise this was the last.
                Err(_) if is_damaged => {}
                row => found.push(row?),
            }
        }
        Ok(())
    };
    match look() {
        Err(_) if is_damaged => {}
        looked => looked?,
    }
    Ok(found)
}

/// Who abandons undelivered messages, why and when.
pub(crate) struct Abandonment<'a> {
    pub(crate) actor: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) at: Timestamp,
    pub(crate) utc_offset: i32,
}

/// Records in the kept file who abandoned these messages, and why: a process that opens it does not send them.
pub(super) fn abandon(tx: &Transaction<'_>, lost: &[Message], abandonment: &Abandonment<'_>) -> Result<()> {
    for message in lost {
        let (session, last, last_at, action): (i64, u32, i64, String) = tx.query_row(
            "SELECT s.id, s.last_seq, ifnull((SELECT at FROM event e WHERE e.session_id = s.id AND e.seq = s.last_seq), s.started_at), a.key
               FROM outbox o JOIN action a ON a.id = o.action_id JOIN session s ON s.id = o.session_id WHERE o.id = ?1",
            [message.entry],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )?;
        let seq = last.checked_add(1).ok_or_else(|| StoreError::Unreadable("a session's number of acts is out of range".to_owned()))?;
        let at = abandonment.at.max(from_ms(last_at)?);
        tx.execute(&format!("UPDATE outbox SET {ABANDONED}, detail = 'restored' WHERE id = ?1"), [message.entry])?;
        let event = Event {
            seq,
            v: EVENT_VERSION,
            at,
            wall_at: (abandonment.at < at).then_some(abandonment.at),
            utc_offset: abandonment.utc_offset,
            actor: Some(abandonment.actor.to_owned()),
            command_id: None,
            act: Act::Abandoned { action, reason: abandonment.reason.to_owned() },
        };
        session::write_event(tx, session, &event, None)?;
        tx.execute("UPDATE session SET last_seq = ?2 WHERE id = ?1", params![session, event.seq])?;
    }
    Ok(())
}
