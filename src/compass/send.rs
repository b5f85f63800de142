//! What a person does to an action from the record of its session.

use std::cell::RefCell;

use serde::Serialize;

use super::action_view::permits_of;
use super::command::{CommandLookup, LoadedSession, command_hash, look_up};
use super::endpoint::refuse_unnamed;
use super::enqueue::{Payload, too_large};
use super::send_many::Sent;
use super::{Changed, Compass, Inner, Result};
use crate::engine::session::{self as engine, ActContext};
use crate::error::Error;
use crate::model::{Act, ActionStatus, Applied, NotFiredFilter, RecordOutcome, SessionKey, Timestamp, Workflow, echoed};
use crate::outbox::{Permit, reason};
use crate::sorted::SortedSet;
use crate::store::action::ActionRow;
use crate::store::command::Outcome;
use crate::store::outbox::{EntryRow, EntryState, list, replay};
use crate::store::{self, Connection, Transaction, meta};
use crate::webhook;

/// The content of the command that its hash covers.
#[derive(Serialize)]
pub(super) struct Content<'a> {
    pub(super) command: &'static str,
    pub(super) action: &'a str,
    pub(super) reason: Option<&'a str>,
}

/// An entry that was abandoned.
#[derive(Clone, Copy)]
pub(super) struct AbandonedEntry {
    pub(super) entry: i64,
    /// Whether it was claimed, or an earlier attempt may be in flight.
    pub(super) leased: bool,
}

/// What a command does to an action.
type OnAction<'a> = dyn FnMut(&Inner, &Transaction<'_>, &LoadedSession, &ActionRow, &ActContext) -> Result<Option<Act>> + 'a;
/// The same for all actions of a session.
type OnSession<'a> = dyn FnMut(&Inner, &Transaction<'_>, &LoadedSession, &ActContext) -> Result<Vec<Act>> + 'a;

impl Compass {
    /// Sends an action (again). `not_fired`: freezes the payload with the current values. `failed`: sends the same message again, with the same
    /// id and bytes. `pending`: nothing changes, and the outcome is stale.
    ///
    /// # Errors
    /// `UnknownAction`, `ActionLocked`, `PayloadTooLarge`, `ActionStatus` when it is already sent, its bytes can never be delivered, or it was
    /// abandoned and holds a redacted value; `CommandIdReused`.
    pub fn send(&self, session: SessionKey, action: &str, actor: Option<&str>, command_id: &str) -> Result<RecordOutcome> {
        let content = Content { command: "send", action, reason: None };
        let outcome = self.on_action(session, action, actor, command_id, &content, &mut |inner, tx, loaded, row, context| {
            // Also once it was abandoned. A receiver may refuse even a smaller body as too large.
            if row.status == ActionStatus::Failed && row.newest_size > webhook::MAX_BODY as u64 {
                return Err(too_large(&row.key, row.newest_size));
            }
            if !inner.allows(row, permits_of(row, &inner.policy).send)? {
                return Ok(None);
            }
            let revision = match row.status {
                ActionStatus::NotFired => {
                    let meta = meta::load(tx)?;
                    let body = Payload::to_send(loaded, &row.key)?;
                    inner.insert_entry(tx, &meta, loaded, row.id, row.next_revision, &row.key, &row.endpoint, &body, context.at)?;
                    row.next_revision
                }
                _ => {
                    store::outbox::send_again(tx, newest(tx, row)?.id, context.at)?;
                    store::known::sent_again(tx, loaded.id, row)?;
                    row.revision
                }
            };
            Ok(Some(Act::SendRequested { action: row.key.clone(), corrected: false, revision, replay: false }))
        })?;
        // Also when it was already pending: a person wants it to be sent now.
        self.inner.delivery.send_now();
        Ok(outcome)
    }

    /// Sends an action with the values as they were edited since: a new revision with an id of its own. The older ones stay in the record: one
    /// that is sent stays sent, one that is not becomes superseded and is not tried again. An attempt of it that is in flight may still arrive.
    ///
    /// # Errors
    /// `UnknownAction`, `ActionLocked`, `ActionStatus` when nothing was queued yet, `PayloadTooLarge` while the values are too long,
    /// `NothingCorrected` when the newest revision says the same, is not damaged, and no file that a restore has replaced had a newer one
    /// or another one of its revision,
    /// `Corrupt` where its row is damaged, `CommandIdReused`.
    pub fn send_corrected(&self, session: SessionKey, action: &str, actor: Option<&str>, command_id: &str) -> Result<RecordOutcome> {
        let content = Content { command: "send_corrected", action, reason: None };
        let outcome = self.on_action(session, action, actor, command_id, &content, &mut |inner, tx, loaded, row, context| {
            if !inner.allows(row, permits_of(row, &inner.policy).send_corrected)? {
                return Ok(None);
            }
            let body = Payload::to_send(loaded, &row.key)?;
            let corrected = inner.unless_damaged_message(tx, row, || inner.correct(tx, loaded, row, &body, context.at))?;
            let revision = corrected.ok_or_else(damaged)?;
            Ok(Some(Act::SendRequested { action: row.key.clone(), corrected: true, revision, replay: false }))
        })?;
        self.inner.delivery.send_now();
        Ok(outcome)
    }

    /// Abandons an undelivered message, with the person's name and a reason, at once: an attempt that has not begun does not begin. An attempt in
    /// flight is not cancelled; the outcome says `in_flight`, and if it arrives, the message is `sent` after all.
    ///
    /// # Errors
    /// `UnknownAction`, `ActionStatus` when there is nothing to abandon, `Refused` without a reason, `Corrupt` where the message is damaged,
    /// `CommandIdReused`.
    pub fn abandon(&self, session: SessionKey, action: &str, actor: &str, reason: &str, command_id: &str) -> Result<RecordOutcome> {
        engine::check_reason(reason)?;
        let content = Content { command: "abandon", action, reason: Some(reason) };
        let abandoned = RefCell::new(Vec::new());
        let stops = self.inner.store.stops();
        let mut outcome = self.inner.freeing(|| {
            abandoned.take();
            self.on_action(session, action, Some(actor), command_id, &content, &mut |inner, tx, _, row, _| {
                if !inner.allows(row, permits_of(row, &inner.policy).abandon)? {
                    return Ok(None);
                }
                abandoned.replace(inner.abandon_entries(tx, row)?.ok_or_else(damaged)?);
                Ok(Some(Act::Abandoned { action: row.key.clone(), reason: reason.to_owned() }))
            })
        })?;
        outcome.in_flight = self.may_arrive(abandoned.into_inner()) || self.is_in_flight_since(stops, &outcome, session, Some(action))?;
        Ok(outcome)
    }

    /// Abandons all undelivered messages of a session, as [`abandon`](Self::abandon) does for one. Where there is none, the outcome is stale.
    /// A damaged one stays as it is, and needs a person.
    ///
    /// # Errors
    /// `UnknownSession`, `DeletedSession`, `Refused` without an actor or a reason, `Corrupt` where only damaged ones are left,
    /// `CommandIdReused`.
    pub fn abandon_session(&self, session: SessionKey, actor: &str, reason: &str, command_id: &str) -> Result<RecordOutcome> {
        engine::check_reason(reason)?;
        let stops = self.inner.store.stops();
        let content = Content { command: "abandon_session", action: "", reason: Some(reason) };
        let abandoned = RefCell::new(Vec::new());
        let mut outcome = self.inner.freeing(|| {
            abandoned.take();
            self.on_session(session, Some(actor), command_id, &content, &mut |inner, tx, loaded, _| {
                let (mut acts, mut is_one_damaged) = (Vec::new(), false);
                for row in store::action::of_session(tx, loaded.id)? {
                    if permits_of(&row, &inner.policy).abandon == Permit::Yes {
                        match inner.abandon_entries(tx, &row)? {
                            Some(entries) => {
                                abandoned.borrow_mut().extend(entries);
                                acts.push(Act::Abandoned { action: row.key, reason: reason.to_owned() });
                            }
                            None => is_one_damaged = true,
                        }
                    }
                }
                if acts.is_empty() && is_one_damaged { Err(damaged()) } else { Ok(acts) }
            })
        })?;
        outcome.in_flight = self.may_arrive(abandoned.into_inner()) || self.is_in_flight_since(stops, &outcome, session, None)?;
        Ok(outcome)
    }

    /// The same for messages that an earlier call abandoned, of one action or of all: also one with another command.
    fn is_in_flight_since(&self, stops: u64, outcome: &RecordOutcome, session: SessionKey, action: Option<&str>) -> Result<bool> {
        if outcome.applied == Applied::Yes {
            return Ok(false);
        }
        Ok(self.may_arrive(self.inner.read_part(stops, |connection| abandoned_before(connection, session, action))?))
    }

    /// Called after the commit: an attempt that has not begun by then is no longer allowed to begin.
    pub(super) fn may_arrive(&self, abandoned: impl IntoIterator<Item = AbandonedEntry>) -> bool {
        abandoned.into_iter().any(|AbandonedEntry { entry, leased }| self.inner.delivery.may_have_begun(entry, leased))
    }

    /// Sends all failed messages again, except those that are locked, abandoned, damaged, or can never be delivered. Gives their number.
    ///
    /// # Errors
    /// `Closed` and errors of the file, `Locked` when the handle is quiesced meanwhile; messages queued before the error stay queued.
    pub fn send_failed_again(&self, actor: Option<&str>) -> Result<u32> {
        Ok(self.send_all(actor, 0, u32::MAX, &|tx, after, limit| Ok(list::failed(tx, after, limit)?), Inner::send_failed)?.sent)
    }

    /// Sends the actions that did not fire because the integration was off, as [`send`](Self::send) does for one: with the current values, one
    /// message each. Not those that are too large for a message, and not those whose session was ended. Gives their number.
    ///
    /// # Errors
    /// `UnknownEndpoint` for a key that no endpoint, message or action of this file has; one whose actions exist may be unregistered.
    /// `Closed` and errors of the file, `Locked` when the handle is quiesced meanwhile; messages queued before the error stay queued.
    pub fn send_not_fired(&self, filter: &NotFiredFilter, actor: Option<&str>) -> Result<u32> {
        let listed = &|tx: &Transaction<'_>, after, limit| {
            let found = list::not_fired(tx, filter, after, limit)?;
            if let Some(endpoint) = filter.endpoint.as_deref().filter(|_| found.is_empty() && after == 0) {
                refuse_unnamed(tx, endpoint)?;
            }
            Ok(found)
        };
        Ok(self.send_all(actor, 0, u32::MAX, listed, Inner::send_one_not_fired)?.sent)
    }

    /// Runs one command on one action; compiled only once. `work` gives the act to log, or none when there is nothing to do.
    pub(super) fn on_action(
        &self,
        session: SessionKey,
        action: &str,
        actor: Option<&str>,
        command_id: &str,
        content: &Content<'_>,
        work: &mut OnAction<'_>,
    ) -> Result<RecordOutcome> {
        self.on_session(session, actor, command_id, content, &mut |inner, tx, loaded, context| {
            let row = store::action::find(tx, loaded.id, action)?.ok_or_else(|| Error::UnknownAction { action: echoed(action) })?;
            Ok(work(inner, tx, loaded, &row, context)?.into_iter().collect())
        })
    }

    /// Runs one command on the actions of a session. `work` gives the acts to log; none when there is nothing to do.
    pub(super) fn on_session(
        &self,
        session: SessionKey,
        actor: Option<&str>,
        command_id: &str,
        content: &Content<'_>,
        work: &mut OnSession<'_>,
    ) -> Result<RecordOutcome> {
        let inner = &self.inner;
        let context = inner.act_context(actor)?;
        let hash = command_hash(Some(session), content)?;
        inner.write(|tx| {
            let mut loaded = inner.load_session_to_change(tx, session)?;
            if let CommandLookup::Repeated(_) = look_up(tx, Some(session), command_id, hash)? {
                let record = inner.record(tx, session, context.at)?;
                return Ok((RecordOutcome { applied: Applied::Repeated, in_flight: false, record }, Changed::nothing()));
            }
            let acts = work(inner, tx, &loaded, &context)?;
            let (applied, changed) = if acts.is_empty() {
                (Applied::Stale, Changed::nothing())
            } else {
                (Applied::Yes, Changed { outbox: true, ..Changed::session(session) })
            };
            // Only one event may have the id.
            let is_one = acts.len() == 1;
            if !is_one {
                let outcome = if acts.is_empty() { Outcome::Stale } else { Outcome::Done };
                store::command::remember(tx, loaded.id, command_id, hash, outcome)?;
            }
            for act in acts {
                loaded.act(tx, act, is_one.then_some((command_id, hash)), &context)?;
            }
            Ok((RecordOutcome { applied, in_flight: false, record: inner.record(tx, session, context.at)? }, changed))
        })
    }
}

impl Inner {
    /// Sends one action that did not fire because the integration was off. False where that is not allowed.
    fn send_one_not_fired(&self, tx: &Transaction<'_>, id: i64, session: SessionKey, action: &str, context: &ActContext) -> Result<Sent> {
        let mut loaded = match self.load_session_to_change(tx, session) {
            Err(Error::RequiresNewerCore { .. }) => return Ok(Sent::No),
            loaded => loaded?,
        };
        let Some(row) = store::action::find(tx, loaded.id, action)? else { return Ok(Sent::No) };
        if row.id != id || row.status != ActionStatus::NotFired || permits_of(&row, &self.policy).send != Permit::Yes {
            return Ok(Sent::No);
        }
        let body = match Payload::to_send(&loaded, &row.key) {
            Err(Error::PayloadTooLarge { .. }) => return Ok(Sent::No),
            body => body?,
        };
        self.insert_entry(tx, &meta::load(tx)?, &loaded, row.id, row.next_revision, &row.key, &row.endpoint, &body, context.at)?;
        let act = Act::SendRequested { action: row.key, corrected: false, revision: row.next_revision, replay: false };
        loaded.act(tx, act, None, context)?;
        Ok(Sent::Yes)
    }

    /// Freezes a new revision of an action, in the place of the one before. Gives its number.
    ///
    /// # Errors
    /// `NothingCorrected` when the newest revision says the same, is not damaged, and no replaced file had a newer one.
    fn correct(&self, tx: &Transaction<'_>, loaded: &LoadedSession, row: &ActionRow, body: &Payload, now: Timestamp) -> Result<u32> {
        let old = newest(tx, row)?;
        // What is damaged is never sent, and receivers may have something else by a replaced file: the same values are sent in a new message.
        if old.body_sha256 == body.hash && !row.is_damaged() && !row.is_passed() {
            return Err(Error::NothingCorrected { action: row.key.clone() });
        }
        let (meta, revision) = (meta::load(tx)?, row.next_revision);
        self.insert_entry(tx, &meta, loaded, row.id, revision, &row.key, &row.endpoint, body, now)?;
        store::outbox::supersede(tx, old.id)?;
        store::action::keep_comparison(tx, row.id, false)?;
        store::action::count_differing(tx, loaded.id)?;
        // A claimed entry is read again before it is sent.
        meta::next_configuration(tx)?;
        Ok(revision)
    }

    /// Freezes a new revision of an action. Gives its number, or why it may not be sent.
    pub(super) fn correct_if_allowed(
        &self,
        tx: &Transaction<'_>,
        loaded: &LoadedSession,
        action: &str,
        now: Timestamp,
    ) -> Result<std::result::Result<u32, &'static str>> {
        let Some(row) = store::action::find(tx, loaded.id, action)? else { return Ok(Err(LOCKED)) };
        if permits_of(&row, &self.policy).send_corrected != Permit::Yes {
            return Ok(Err(LOCKED));
        }
        match Payload::to_send(loaded, action) {
            Ok(body) => self.correct(tx, loaded, &row, &body, now).map(Ok),
            Err(Error::PayloadTooLarge { .. }) => Ok(Err(reason::PAYLOAD_TOO_LARGE)),
            Err(error) => Err(error),
        }
    }

    /// Sends the corrections that the document asks for when a session was edited, where they are allowed. Says whether there was one.
    pub(super) fn send_edits(&self, tx: &Transaction<'_>, loaded: &LoadedSession, now: Timestamp) -> Result<bool> {
        let mut sent = false;
        for row in store::action::of_session(tx, loaded.id)? {
            if row.differs == Some(true) && sends_edits(loaded.workflow(), &row.key) {
                // What a person abandoned, only a person sends again. A restore abandons what a correction had replaced.
                let is_abandoned = row.status == ActionStatus::Failed && row.reason.as_deref() == Some(reason::ABANDONED);
                if self.is_kept_back(tx, loaded, &row)? || is_abandoned && !store::outbox::was_abandoned_by_restore(tx, row.id)? {
                    store::action::keep_why_not_sent(tx, row.id, reason::ABANDONED)?;
                    continue;
                }
                let correct = || self.correct_if_allowed(tx, loaded, &row.key, now);
                match self.unless_damaged_message(tx, &row, correct)?.unwrap_or(Err(reason::CORRUPT)) {
                    Ok(_) => sent = true,
                    // The edit stands.
                    Err(why) => store::action::keep_why_not_sent(tx, row.id, why)?,
                }
            }
        }
        Ok(sent)
    }

    /// Whether replaced files knew why an edit of this action is not sent: a person took back what they had sent, or what it would send.
    fn is_kept_back(&self, tx: &Transaction<'_>, loaded: &LoadedSession, row: &ActionRow) -> Result<bool> {
        let kept_back = store::known::kept_back(tx, loaded.id, row)?;
        let has_ended = row.status == ActionStatus::Sent || row.status == ActionStatus::Failed;
        if kept_back.is_abandoned && has_ended {
            return Ok(true);
        }
        // What cannot be sent is not sent anyway.
        let body = if kept_back.fields.is_empty() { None } else { Payload::to_send(loaded, &row.key).ok() };
        Ok(body.is_some_and(|body| kept_back.fields.iter().any(|field| webhook::holds(&body.bytes, field))))
    }

    /// Changes the newest message of an action. None: it is damaged, stays as it is, and needs a person.
    fn unless_damaged_message<T>(&self, tx: &Transaction<'_>, row: &ActionRow, work: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
        match store::outbox::newest(tx, row.id)? {
            Some(newest) => self.unless_damaged_entry(tx, newest.id, work),
            None => store::all_or_none(tx, work),
        }
    }

    /// Makes all changes of one entry, or none of them. None: it is damaged, stays as it is, and needs a person.
    pub(super) fn unless_damaged_entry<T>(&self, tx: &Transaction<'_>, entry: i64, work: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
        let done = store::all_or_none(tx, work)?;
        if done.is_none() {
            let mut damaged = SortedSet::new();
            damaged.insert(entry);
            self.delivery.set_aside(&damaged);
        }
        Ok(done)
    }

    /// Abandons what is undelivered of an action: its newest message, and its replay. Gives all messages of which an attempt may be in flight;
    /// None where a damaged one is all there is.
    fn abandon_entries(&self, tx: &Transaction<'_>, row: &ActionRow) -> Result<Option<Vec<AbandonedEntry>>> {
        let mut entries = replay::open(tx, row.id)?;
        if matches!(row.status, ActionStatus::Pending | ActionStatus::Failed) {
            entries.push(newest(tx, row)?);
        }
        let mut is_one_abandoned = false;
        for entry in &entries {
            let abandon = || Ok(store::outbox::abandon(tx, entry.id, reason::ABANDONED)?);
            is_one_abandoned |= self.unless_damaged_entry(tx, entry.id, abandon)?.is_some();
        }
        if !is_one_abandoned {
            return Ok(None);
        }
        entries.extend(store::outbox::of_action(tx, row.id)?);
        // A claimed entry is read again before it is sent.
        meta::next_configuration(tx)?;
        let abandoned =
            |entry: &EntryRow| AbandonedEntry { entry: entry.id, leased: entry.state == EntryState::Leased || entry.has_own_attempt };
        Ok(Some(entries.iter().map(abandoned).collect()))
    }

    /// Sends one failed entry again, where that is allowed.
    fn send_failed(&self, tx: &Transaction<'_>, entry_id: i64, session: SessionKey, action: &str, context: &ActContext) -> Result<Sent> {
        let mut loaded = match self.load_session_to_change(tx, session) {
            Err(Error::RequiresNewerCore { .. }) => return Ok(Sent::No),
            loaded => loaded?,
        };
        let Some(row) = store::action::find(tx, loaded.id, action)? else { return Ok(Sent::No) };
        let newest = newest(tx, &row)?;
        if newest.id != entry_id || permits_of(&row, &self.policy).send != Permit::Yes {
            return Ok(Sent::No);
        }
        store::outbox::send_again(tx, newest.id, context.at)?;
        let act = Act::SendRequested { action: row.key, corrected: false, revision: row.revision, replay: false };
        loaded.act(tx, act, None, context)?;
        Ok(Sent::Yes)
    }

    /// Whether there is something to do; an error where it is not allowed.
    pub(super) fn allows(&self, row: &ActionRow, permit: Permit) -> Result<bool> {
        match permit {
            Permit::Yes => Ok(true),
            Permit::Stale => Ok(false),
            Permit::Locked => Err(Error::ActionLocked { action: row.key.clone(), failed_sends: row.failed_sends }),
            Permit::Refused(problem) => Err(Error::ActionStatus { action: row.key.clone(), status: row.status, problem }),
        }
    }
}

/// The entries that an earlier call abandoned, of one action or of all.
fn abandoned_before(connection: &Connection, session: SessionKey, action: Option<&str>) -> Result<Vec<AbandonedEntry>> {
    let mut found = Vec::new();
    let Some(stored) = store::session::load(connection, session)? else { return Ok(found) };
    for row in store::action::of_session(connection, stored.id)? {
        if action.is_some_and(|action| action != row.key) {
            continue;
        }
        // Also those corrected or sent again since, while an earlier attempt may be in flight.
        for entry in store::outbox::of_action(connection, row.id)?.into_iter().chain(replay::of_action(connection, row.id)?) {
            let leased = entry.has_own_attempt;
            if leased || entry.reason.as_deref() == Some(reason::ABANDONED) {
                found.push(AbandonedEntry { entry: entry.id, leased });
            }
        }
    }
    Ok(found)
}

/// Why an edit is not sent: too many sends of its action failed.
const LOCKED: &str = "action_locked";

/// Whether the document wants edits of what this action sent to be sent at once.
fn sends_edits(workflow: &Workflow, action: &str) -> bool {
    workflow.action(action).is_some_and(|(_, action)| action.sends_edits)
}

fn damaged() -> Error {
    Error::Corrupt { detail: "this message is damaged, and stays as it is".to_owned() }
}

fn newest(tx: &Transaction<'_>, row: &ActionRow) -> Result<EntryRow> {
    store::outbox::newest(tx, row.id)?.ok_or_else(|| Error::Corrupt { detail: "an action that fired has no message".to_owned() })
}
