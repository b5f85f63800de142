//! What is known of an action beside its own rows: what receivers have or may have of it, and what people took back. A restore and a deletion keep
//! it under the keys of the session and the action, in the same row (`known_action`), so that it comes into every later copy, whether that one
//! holds the session, holds it in progress, or holds its deletion (decision 0055).

use rusqlite::{OptionalExtension, Params, Row, params, params_from_iter};

use super::action::ActionRow;
use super::outbox::{ABANDONED, UNDELIVERED, redacted_fields};
use super::redaction::{LAST_REDACTION, Redactions, column_of, redactions};
use super::{Connection, Result, Transaction, meta};
use crate::crypto::Sha256;
use crate::model::SessionKey;
use crate::sorted::{SortedMap, sort};

/// A higher revision is damage: it must still be able to rise.
const LAST_REVISION: i64 = 1 << 30;

/// Whether this body of a message holds a value of this field. A lost or damaged one may.
pub(crate) type Holds = fn(&[u8], &str) -> bool;

/// Of a message of the copy that may be abandoned.
const UNSENT: &str = "replay = 0 AND (state = 'queued' OR state = 'leased' OR state = 'failed' AND reason <> 'abandoned')";
/// Of one that a restore has abandoned, which an edit may send.
const RESTORED: &str = "replay = 0 AND state = 'failed' AND reason = 'abandoned' AND detail IS 'restored'";

/// What is known of one action. Two that are known of it are joined: each number is the higher one.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct KnownAction {
    /// Keys of its session and of itself.
    session: [u8; 16],
    key: String,
    /// The highest revision.
    revision: i64,
    /// The highest revision that was or may have been delivered; 0 if there is none. No lower one leaves: receivers would get older values last.
    delivered: i64,
    /// Up to which revision messages were abandoned: by a restore or with a deletion, which an edit may send; and by a person. 0: none.
    restored: i64,
    abandoned: i64,
    /// Up to which revision messages may hold a value that was redacted elsewhere. 0: none.
    redacted: i64,
    /// Redactions of fields that the action sends, by their keys.
    redactions: Vec<Redactions>,
    /// The revision that waits or failed, if there is one: a person has sent what was abandoned before.
    waits: i64,
    /// The ids of that message, and of the one with the revision `delivered`: another phone may have given these revisions to others.
    waiting: Option<String>,
    arrived: Option<String>,
    /// The highest superseded revision, and the highest one of another state. 0: none, or it cannot be read.
    superseded: i64,
    current: i64,
    /// The series and the number by which receivers know it.
    number: Option<(String, i64)>,
    /// Until when an attempt of one of its messages may be in flight.
    in_flight_until: Option<i64>,
}

impl KnownAction {
    fn keys(&self) -> (&[u8], &str) {
        (&self.session, &self.key)
    }

    fn join(&mut self, other: Self) {
        self.revision = self.revision.max(other.revision);
        take_higher((&mut self.delivered, &mut self.arrived), (other.delivered, other.arrived));
        take_higher((&mut self.waits, &mut self.waiting), (other.waits, other.waiting));
        self.restored = self.restored.max(other.restored);
        self.abandoned = self.abandoned.max(other.abandoned);
        self.redacted = self.redacted.max(other.redacted);
        for redactions in other.redactions {
            let own = self.redactions_of(redactions.field);
            own.known = own.known.max(redactions.known);
            own.done = own.done.max(redactions.done);
        }
        self.superseded = self.superseded.max(other.superseded);
        self.current = self.current.max(other.current);
        self.number = self.number.take().or(other.number);
        self.in_flight_until = self.in_flight_until.max(other.in_flight_until);
    }

    fn redactions_of(&mut self, field: String) -> &mut Redactions {
        let at = match self.redactions.iter().position(|own| own.field == field) {
            Some(at) => at,
            None => {
                self.redactions.push(Redactions { field, known: 0, done: 0 });
                self.redactions.len() - 1
            }
        };
        &mut self.redactions[at]
    }

    /// Takes over what another file knows. Gives the fields that were redacted there, of which this file still has what they held then.
    fn learn(&mut self, mut other: Self) -> Vec<String> {
        let redacted = self.redacted;
        let mut fields = Vec::new();
        for redactions in &mut other.redactions {
            redactions.done = 0;
            if self.redactions.iter().all(|own| own.field != redactions.field || own.known < redactions.known) {
                fields.push(redactions.field.clone());
            }
        }
        let is_another = self.arrived.is_some() && other.arrived.is_some() && self.arrived != other.arrived;
        let is_another = is_another && self.delivered == other.delivered;
        self.join(other);
        if is_another {
            // Receivers may keep that one: the same values can be sent by the next revision.
            self.revision = (self.revision + 1).min(LAST_REVISION);
        }
        self.redacted = if fields.is_empty() { redacted } else { self.revision };
        fields
    }

    /// A person abandoned it up to here, and only a person sends it again. That ends with a later message that may have been delivered: a person
    /// has sent it. 0: nothing.
    fn abandoned_by_a_person(&self) -> i64 {
        if self.abandoned < self.delivered { 0 } else { self.abandoned }
    }

    /// Of all messages together. What waits was not taken back, or a person has sent it again; higher ones may have been. Where the revision that
    /// has superseded the others cannot be read, it may have left, and been delivered.
    fn settled(mut self) -> Self {
        if self.superseded > self.current {
            self.restored = self.restored.max(self.superseded);
        }
        for taken_back in [&mut self.restored, &mut self.abandoned] {
            if *taken_back > 0 && *taken_back == self.waits {
                *taken_back -= 1;
            }
        }
        (self.superseded, self.current) = (0, 0);
        self
    }

    fn store(&self, file: &Connection, age: i64) -> Result<()> {
        let (series, sequence) = self.number.as_ref().map(|(series, sequence)| (series, sequence)).unzip();
        let redactions = column_of(&self.redactions)?;
        file.prepare_cached(
            "INSERT OR REPLACE INTO known_action (session_key, key, revision, delivered, restored, abandoned, redacted, redactions, series, sequence, in_flight_until, known_age)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            self.session,
            self.key,
            self.revision,
            self.delivered,
            self.restored,
            self.abandoned,
            self.redacted,
            redactions,
            series,
            sequence,
            self.in_flight_until,
            age
        ])?;
        Ok(())
    }

    /// Makes the copy's rows of the action agree with it, but for a message that waits in the replaced file. The values of these fields were
    /// redacted elsewhere.
    fn apply(&self, copy: &Connection, redacted: &[String], holds: Holds) -> Result<()> {
        let id: Option<i64> = copy
            .prepare_cached("SELECT a.id FROM action a JOIN session s ON s.id = a.session_id WHERE s.key = ?1 AND a.key = ?2")?
            .query_row(params![self.session, self.key], |row| row.get(0))
            .optional()?;
        let Some(id) = id else { return Ok(()) };
        copy.prepare_cached("UPDATE action SET revisions_before = ?2 WHERE id = ?1 AND revision < ?2 AND revisions_before < ?2")?
            .execute([id, self.revision])?;
        if !redacted.is_empty() {
            let mut unsent = copy.prepare_cached(&format!(
                "SELECT o.id, b.bytes, o.body_sha256 FROM outbox o LEFT JOIN body b ON b.sha256 = o.body_sha256
                  WHERE o.action_id = ?1 AND o.delivery_id IS NOT ?2 AND ({UNSENT} OR {RESTORED})"
            ))?;
            let unsent = unsent.query_map(params![id, self.waiting], |row| {
                let [body, hash] = [1, 2].map(|column| row.get_ref(column).ok().and_then(|value| value.as_blob().ok()).unwrap_or_default());
                // A damaged one is frozen again.
                let body = if Sha256::of(body).0 == hash { body } else { &[] };
                Ok((row.get(0)?, redacted.iter().any(|field| holds(body, field))))
            })?;
            let unsent: Vec<(i64, bool)> = unsent.collect::<rusqlite::Result<_>>()?;
            let mut abandons = copy.prepare_cached(&format!("UPDATE outbox SET {ABANDONED}, detail = 'redacted' WHERE id = ?1"))?;
            for (entry, _) in unsent.into_iter().filter(|(_, holds)| *holds) {
                abandons.execute([entry])?;
            }
        }
        let (abandoned, restored) = (self.abandoned_by_a_person(), self.restored.max(self.delivered - 1));
        copy.prepare_cached(&format!(
            "UPDATE outbox SET {ABANDONED}, detail = iif(revision <= ?2, 'abandoned', 'restored')
              WHERE action_id = ?1 AND revision <= max(?2, ?3) AND delivery_id IS NOT ?4 AND ({UNSENT} OR {RESTORED})"
        ))?
        .execute(params![id, abandoned, restored, self.waiting])?;
        // Whatever is in flight, what the copy has or makes of the action waits for it: a correction, or the message itself. One that was claimed
        // when the copy was made stays claimed until then.
        if self.in_flight_until.is_some() {
            copy.prepare_cached(
                "UPDATE outbox SET in_flight_until = iif(state = 'leased', NULL, ?2), lease_until = iif(state = 'leased', ?2, NULL)
                  WHERE action_id = ?1 AND revision = (SELECT revision FROM action WHERE id = ?1) AND replay = 0
                    AND (state = 'sent' OR state = 'failed' OR state = 'queued' OR state = 'leased')",
            )?
            .execute(params![id, self.in_flight_until])?;
        }
        Ok(())
    }

    /// The ids of the copy's messages of this action that may have been delivered.
    fn may_be_delivered(&self, copy: &Connection) -> Result<Vec<String>> {
        let mut ids = copy.prepare_cached(
            "SELECT o.delivery_id FROM outbox o JOIN action a ON a.id = o.action_id JOIN session s ON s.id = o.session_id
              WHERE s.key = ?1 AND a.key = ?2 AND o.revision <= ?3 AND o.replay = 0
                AND (o.state = 'queued' OR o.state = 'leased' OR o.state = 'failed' AND o.reason IS NOT 'payload_too_large'
                     OR o.state = 'superseded' AND o.revision = ?3)",
        )?;
        let ids = ids.query_map(params![self.session, self.key, self.delivered], |row| row.get(0))?;
        Ok(ids.collect::<rusqlite::Result<_>>()?)
    }
}

/// A message of a file.
struct KnownMessage {
    delivery_id: String,
    /// The row of its action.
    action: i64,
    /// When it was delivered, or may have been.
    delivered_at: Option<i64>,
    /// What it says of its action; without keys where the action's rows cannot be read.
    of_action: KnownAction,
}

/// A file, and how it is read.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) file: &'a Connection,
    /// Of an older schema.
    pub(super) is_older: bool,
    /// Behind a page that cannot be read no other row can be asked.
    pub(super) is_damaged: bool,
}

/// Of what something is read.
#[derive(Clone, Copy)]
enum Of {
    All,
    /// By its row.
    Session(i64),
    /// An action or message by its row.
    Row(i64),
}

impl Source<'_> {
    fn actions(self, of: Of) -> Result<Vec<KnownAction>> {
        let (revision, number) = if self.is_older { ("a.revision", "NULL, NULL") } else { ("max(a.revision, a.revisions_before)", NUMBER) };
        let (of_action, id) = match of {
            Of::All => ("", None),
            Of::Session(id) => ("a.session_id = ?1 AND", Some(id)),
            Of::Row(id) => ("a.id = ?1 AND", Some(id)),
        };
        let sql = format!(
            "SELECT s.key, a.key, {revision}, {number} FROM action a JOIN session s ON s.id = a.session_id
              WHERE {of_action} {revision} BETWEEN 1 AND {LAST_REVISION}"
        );
        self.rows(&sql, params_from_iter(id), |row| Ok(KnownAction { revision: row.get(2)?, number: number_of(row, 3), ..keys(row)? }))
    }

    fn messages(self, of: Of, is_joined: bool) -> Result<Vec<KnownMessage>> {
        let is_own = if self.is_older { "TRUE" } else { "o.replay = 0" };
        let (restored, abandoned, redacted, until) = if self.is_older {
            ("FALSE", "o.state = 'failed' AND o.reason IS 'abandoned'", "NULL", "NULL")
        } else {
            ("o.reason IS 'abandoned' AND o.detail IS 'restored'", BY_A_PERSON, "o.holds_redacted", UNTIL)
        };
        let last = if self.is_damaged { "NULL" } else { "(SELECT max(t.at) FROM attempt t WHERE t.outbox_id = o.id)" };
        let (keys_of, joined) = if is_joined {
            ("s.key, a.key", "JOIN action a ON a.id = o.action_id JOIN session s ON s.id = o.session_id")
        } else {
            ("zeroblob(16), ''", "")
        };
        let (of_message, id) = match of {
            Of::All => ("", None),
            Of::Session(id) => ("o.session_id = ?1 AND", Some(id)),
            Of::Row(id) => ("o.id = ?1 AND", Some(id)),
        };
        let sql = format!(
            "SELECT {keys_of}, o.delivery_id, o.revision, {is_own} AND (o.state = 'sent' OR o.unknown_outcomes > 0), {is_own} AND {restored},
                    {is_own} AND {abandoned}, {redacted}, {is_own} AND {UNDELIVERED}, {until}, coalesce({last}, o.sent_at, o.frozen_at),
                    {is_own} AND o.state = 'superseded', {is_own} AND o.state <> 'superseded', o.action_id
               FROM outbox o {joined} WHERE {of_message} o.revision BETWEEN 1 AND {LAST_REVISION}"
        );
        self.rows(&sql, params_from_iter(id), |row| {
            let revision: i64 = row.get(3)?;
            // A damaged value decides nothing.
            let up_to = |column: usize| if row.get(column).unwrap_or_default() { revision } else { 0 };
            let marked: Option<String> = row.get(7).unwrap_or_default();
            let (delivery_id, delivered, waits) = (lossy(row, 2)?, up_to(4), up_to(8));
            let marked = redacted_fields(marked.as_deref()).into_iter();
            let of_action = KnownAction {
                revision,
                delivered,
                arrived: (delivered > 0).then(|| delivery_id.clone()),
                restored: up_to(5),
                abandoned: up_to(6),
                // It was redacted at least once.
                redactions: marked.map(|field| Redactions { field, known: 1, done: 1 }).collect(),
                waits,
                waiting: (waits > 0).then(|| delivery_id.clone()),
                in_flight_until: row.get(9).unwrap_or_default(),
                superseded: up_to(11),
                current: up_to(12),
                ..keys(row)?
            };
            let (action, delivered_at) = (row.get(13).unwrap_or_default(), row.get(10).unwrap_or_default());
            Ok(KnownMessage { delivery_id, action, delivered_at, of_action })
        })
    }

    fn stored(self, of: Of) -> Result<Vec<KnownAction>> {
        if self.is_older {
            return Ok(Vec::new());
        }
        let read = |row: &Row<'_>| {
            let revision: i64 = row.get(2)?;
            let up_to = |column: usize| row.get(column).map_or(0, |up_to: i64| up_to.clamp(0, revision));
            Ok(KnownAction {
                revision,
                number: number_of(row, 3),
                delivered: up_to(5),
                restored: up_to(6),
                abandoned: up_to(7),
                redacted: up_to(8),
                in_flight_until: row.get(9).unwrap_or_default(),
                redactions: redactions(row, 10),
                ..keys(row)?
            })
        };
        let sql = |of_which: &str| {
            format!(
                "SELECT session_key, key, revision, {NUMBER}, delivered, restored, abandoned, redacted, in_flight_until, redactions FROM known_action a
                  WHERE {of_which} revision BETWEEN 0 AND {LAST_REVISION}"
            )
        };
        let (of_session, id) = match of {
            Of::All | Of::Row(_) => ("", None),
            Of::Session(id) => ("session_key = (SELECT key FROM session WHERE id = ?1) AND", Some(id)),
        };
        let mut stored = self.rows(&sql(of_session), params_from_iter(id), read)?;
        if self.is_damaged {
            // Behind a page that cannot be read each is looked for by itself.
            for known in self.rows("SELECT session_key, key FROM known_action INDEXED BY known_action_oldest", [], keys)? {
                stored.append(&mut self.rows(&sql("session_key = ?1 AND key = ?2 AND"), params![known.session, known.key], read)?);
            }
        }
        Ok(stored)
    }

    /// All rows; of a damaged file those that can be read.
    pub(super) fn rows<T>(self, sql: &str, parameters: impl Params, read: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> Result<Vec<T>> {
        let mut found = Vec::new();
        let look = || -> Result<()> {
            let mut statement = self.file.prepare_cached(sql)?;
            for row in statement.query_map(parameters, &read)? {
                match row {
                    // The next row may be readable; otherwise this was the last.
                    Err(_) if self.is_damaged => {}
                    row => found.push(row?),
                }
            }
            Ok(())
        };
        match look() {
            Err(_) if self.is_damaged => {}
            looked => looked?,
        }
        Ok(found)
    }
}

/// What a file knows of its actions.
#[derive(Default)]
pub(super) struct Known {
    /// By its messages and actions.
    by_rows: Vec<KnownAction>,
    /// By deletions, and by files that it has replaced.
    stored: Vec<KnownAction>,
    /// Messages of which the action may be unreadable.
    alone: Vec<KnownMessage>,
    /// Delivery ids that receivers have or may have, with the time.
    may_be_delivered: Vec<(String, Option<i64>)>,
}

impl Known {
    pub(super) fn of(source: Source<'_>) -> Result<Self> {
        let mut known = Self { stored: source.stored(Of::All)?, by_rows: source.actions(Of::All)?, ..Self::default() };
        known.add(source.messages(Of::All, true)?);
        if source.is_damaged {
            // Behind a page that cannot be read each is looked for by itself. The keys of sessions and actions are in indexes, too.
            let sessions = source.rows("SELECT id, key FROM session INDEXED BY sqlite_autoindex_session_1", [], |row| {
                Ok((row.get::<_, i64>(0)?, row.get(1)?))
            })?;
            let sessions: SortedMap<i64, [u8; 16]> = sessions.into_iter().collect();
            let actions = source.rows("SELECT id, session_id, key FROM action INDEXED BY sqlite_autoindex_action_1", [], |row| {
                Ok((row.get::<_, i64>(0)?, row.get(1)?, lossy(row, 2)?))
            })?;
            let mut keys = SortedMap::new();
            for (id, session, key) in actions {
                known.by_rows.append(&mut source.actions(Of::Row(id))?);
                if let Some(session) = sessions.get(&session) {
                    keys.insert(id, (*session, key));
                }
            }
            for id in source.rows("SELECT id FROM outbox INDEXED BY outbox_session", [], |row| row.get::<_, i64>(0))? {
                known.add(source.messages(Of::Row(id), true)?);
                for mut message in source.messages(Of::Row(id), false)? {
                    match keys.get(&message.action) {
                        Some((session, key)) => {
                            (message.of_action.session, message.of_action.key) = (*session, key.clone());
                            known.add(vec![message]);
                        }
                        None => known.alone.push(message),
                    }
                }
            }
        }
        Ok(known)
    }

    fn add(&mut self, messages: Vec<KnownMessage>) {
        for KnownMessage { delivery_id, delivered_at, of_action, .. } in messages {
            if of_action.delivered > 0 {
                self.may_be_delivered.push((delivery_id, delivered_at));
            }
            self.by_rows.push(of_action);
        }
    }

    /// Each action once.
    fn joined(self) -> Vec<KnownAction> {
        let mut all = self.by_rows;
        all.extend(self.stored);
        sort(&mut all, |a, b| a.keys() < b.keys());
        let mut joined: Vec<KnownAction> = Vec::with_capacity(all.len());
        for known in all {
            match joined.last_mut() {
                Some(last) if last.keys() == known.keys() => last.join(known),
                _ => joined.push(known),
            }
        }
        joined.into_iter().filter(|known| known.revision > 0 || !known.redactions.is_empty()).map(KnownAction::settled).collect()
    }

    /// Writes into a copy what it does not know itself. Gives the ids of its messages that receivers have or may have, with the time of the last
    /// attempt, if it is known.
    pub(super) fn carry_to(mut self, copy: &Connection, age: i64, holds: Holds) -> Result<Vec<(String, Option<i64>)>> {
        let mut keys_of = copy.prepare(
            "SELECT s.key, a.key FROM outbox o JOIN action a ON a.id = o.action_id JOIN session s ON s.id = o.session_id
              WHERE o.delivery_id = ?1 AND o.replay = 0",
        )?;
        for KnownMessage { delivery_id, delivered_at, of_action, .. } in std::mem::take(&mut self.alone) {
            if of_action.delivered > 0 {
                self.may_be_delivered.push((delivery_id.clone(), delivered_at));
            }
            if let Some(keys) = keys_of.query_row([delivery_id], keys).optional()? {
                self.by_rows.push(KnownAction { session: keys.session, key: keys.key, ..of_action });
            }
        }
        let mut may_be_delivered = std::mem::take(&mut self.may_be_delivered);
        for stored in &self.stored {
            may_be_delivered.extend(stored.may_be_delivered(copy)?.into_iter().map(|id| (id, None)));
        }
        let own = Self::of(Source { file: copy, is_older: false, is_damaged: false })?.joined();
        let mut is_still_known =
            copy.prepare("UPDATE known_action SET known_age = ?3 WHERE session_key = ?1 AND key = ?2 AND known_age < ?3")?;
        for known in self.joined() {
            let own = own.binary_search_by(|own| own.keys().cmp(&known.keys())).ok().map(|at| &own[at]);
            let waiting = known.waiting.clone();
            let mut all =
                own.cloned().unwrap_or_else(|| KnownAction { session: known.session, key: known.key.clone(), ..KnownAction::default() });
            let redacted = all.learn(known);
            (all.waits, all.waiting, all.arrived) =
                own.map_or_else(Default::default, |own| (own.waits, own.waiting.clone(), own.arrived.clone()));
            if own == Some(&all) {
                is_still_known.execute(params![all.session, all.key, age])?;
            } else {
                all.store(copy, age)?;
                KnownAction { waiting, ..all }.apply(copy, &redacted, holds)?;
            }
        }
        Ok(may_be_delivered)
    }
}

/// Keeps what is known of the actions of a session that is deleted. Its messages do not leave from a copy that holds it.
pub(super) fn keep_of_deleted(tx: &Transaction<'_>, session: i64, age: i64) -> Result<()> {
    let source = Source { file: tx, is_older: false, is_damaged: false };
    let of = Of::Session(session);
    let mut known = Known { stored: source.stored(of)?, by_rows: source.actions(of)?, ..Known::default() };
    known.add(source.messages(of, true)?);
    for known in known.joined() {
        KnownAction { restored: known.revision, ..known }.store(tx, age)?;
    }
    Ok(())
}

/// What only a person sends of an action, by what replaced files knew.
#[derive(Default)]
pub(crate) struct KeptBack {
    /// A person took back a message that this file does not have, and has sent nothing since.
    pub(crate) is_abandoned: bool,
    /// Fields that were redacted there and not here. A person has sent nothing of the action since.
    pub(crate) fields: Vec<String>,
}

/// What an edit does not send of this action.
pub(crate) fn kept_back(connection: &Connection, session: i64, action: &ActionRow) -> Result<KeptBack> {
    let Some(known) = stored(connection, session, &action.key)? else { return Ok(KeptBack::default()) };
    let revision = i64::from(action.revision);
    let is_open = |redactions: &Redactions| known.redacted >= revision && redactions.known > redactions.done;
    Ok(KeptBack {
        is_abandoned: known.abandoned_by_a_person() > revision,
        fields: known.redactions.iter().filter(|redactions| is_open(redactions)).map(|redactions| redactions.field.clone()).collect(),
    })
}

/// A field was redacted that this action of the session sends. Copies may have messages with what it held, also ones of which this file does not
/// know.
pub(crate) fn redact(tx: &Transaction<'_>, session: i64, key: SessionKey, action: &str, field: &str) -> Result<()> {
    let mut known = stored(tx, session, action)?.unwrap_or_else(|| KnownAction {
        session: key.0.into_bytes(),
        key: action.to_owned(),
        ..KnownAction::default()
    });
    let redactions = known.redactions_of(field.to_owned());
    redactions.known = (redactions.known + 1).min(LAST_REDACTION);
    redactions.done = redactions.known;
    known.store(tx, meta::age(tx)?)
}

/// A person has sent this message of the session again.
pub(crate) fn sent_again(tx: &Transaction<'_>, session: i64, action: &ActionRow) -> Result<()> {
    let sql = "UPDATE known_action SET redacted = ?3 - 1 WHERE session_key = (SELECT key FROM session WHERE id = ?1) AND key = ?2 AND redacted >= ?3";
    tx.prepare_cached(sql)?.execute(params![session, action.key, action.revision])?;
    Ok(())
}

/// The row of the table.
fn stored(connection: &Connection, session: i64, action: &str) -> Result<Option<KnownAction>> {
    let stored = Source { file: connection, is_older: false, is_damaged: false }.stored(Of::Session(session))?;
    Ok(stored.into_iter().find(|known| known.key == action))
}

/// The rows of the table that can be read although a page of it is lost.
pub(super) fn readable(file: &Connection) -> Result<Vec<KnownAction>> {
    Source { file, is_older: false, is_damaged: true }.stored(Of::All)
}

/// Writes these into the table, which was emptied.
pub(super) fn refill(tx: &Transaction<'_>, readable: &[KnownAction]) -> Result<()> {
    let age = meta::age(tx)?;
    readable.iter().try_for_each(|known| known.store(tx, age))
}

/// Forgets what has been known since before this age, of at most `limit` actions of sessions that the file does not hold. Gives their number.
pub(super) fn forget(tx: &Transaction<'_>, before: i64, limit: u32) -> Result<usize> {
    let forgets = format!(
        "DELETE FROM known_action WHERE (session_key, key) IN
             (SELECT session_key, key FROM known_action k WHERE k.known_age < ?1 AND {NO_SESSION} ORDER BY known_age LIMIT ?2)"
    );
    Ok(tx.prepare_cached(&forgets)?.execute(params![before, limit])?)
}

/// The condition under which the file does not hold the session: then it is forgotten once it is old.
pub(super) const NO_SESSION: &str = "NOT EXISTS (SELECT 1 FROM session s WHERE s.key = k.session_key)";

/// A person abandoned it.
const BY_A_PERSON: &str = "o.reason IS 'abandoned' AND o.detail IS NOT 'restored' AND o.detail IS NOT 'redacted'";
/// Until when an attempt may be in flight.
const UNTIL: &str = "coalesce(o.lease_until, o.in_flight_until)";
/// The columns of a number, of a table named `a`. A damaged one is none.
const NUMBER: &str =
    "iif(length(a.series) = 8 AND a.series NOT GLOB '*[^a-z2-7]*' AND a.sequence BETWEEN 1 AND 1000000000000, a.series, NULL), a.sequence";

/// An action of which nothing is known, by the first two columns.
fn keys(row: &Row<'_>) -> rusqlite::Result<KnownAction> {
    Ok(KnownAction { session: row.get(0)?, key: lossy(row, 1)?, ..KnownAction::default() })
}

/// A damaged key belongs to nothing in another file.
fn lossy(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    Ok(String::from_utf8_lossy(row.get_ref(column)?.as_bytes().unwrap_or_default()).into_owned())
}

/// The higher revision, with the id of its message.
fn take_higher((revision, id): (&mut i64, &mut Option<String>), (other, its_id): (i64, Option<String>)) {
    if other > *revision || id.is_none() && other == *revision {
        (*revision, *id) = (other, its_id);
    }
}

fn number_of(row: &Row<'_>, column: usize) -> Option<(String, i64)> {
    Some((row.get(column).ok()?, row.get(column + 1).ok()?))
}
