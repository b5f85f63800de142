//! What a person does to an action from the record of its session.

use serde::Serialize;

use super::act::{Known, Stamp, Subject, command_hash, look_up};
use super::action::can_send_again;
use super::fire::Body;
use super::{Changed, Compass, Inner, Result};
use crate::engine::session as engine;
use crate::error::Error;
use crate::model::{Act, ActionStatus, Applied, RecordOutcome, SessionKey};
use crate::outbox::reason;
use crate::store::action::ActionRow;
use crate::store::{self, Transaction, meta};
use crate::webhook;

/// What the command says, as the hash of its id covers it.
#[derive(Serialize)]
struct Content<'a> {
    command: &'static str,
    action: &'a str,
    reason: Option<&'a str>,
}

/// Actions re-sent per transaction by `send_failed_again`, so that a long list does not hold the writer.
const BATCH: u32 = 100;

impl Compass {
    /// Sends an action (again). `not_fired`: freezes the payload as the values are now. `failed`: sends the same entry once more, same id
    /// and bytes. `pending`: nothing changes, and the outcome is stale.
    ///
    /// # Errors
    /// `UnknownAction`, `ActionLocked`, `ActionStatus` when it is sent already or its bytes can never succeed, `CommandIdReused`.
    pub fn send(&self, session: SessionKey, action: &str, actor: Option<&str>, command_id: &str) -> Result<RecordOutcome> {
        let content = Content { command: "send", action, reason: None };
        self.on_action(session, action, actor, command_id, &content, |inner, tx, subject, row, stamp| {
            let refuse = |problem| Err(Error::ActionStatus { action: row.key.clone(), status: row.status, problem });
            match row.status {
                ActionStatus::Pending => return Ok(None),
                ActionStatus::Sent => return refuse("it was delivered"),
                ActionStatus::NotFired => {
                    let meta = meta::load(tx)?;
                    let body = Body::of_session(subject)?;
                    inner.freeze(tx, &meta, subject, row.id, 1, &row.key, &row.endpoint, &body, stamp.at)?;
                }
                ActionStatus::Failed if !can_send_again(row.reason.as_deref()) => {
                    return refuse("these bytes can never be delivered; send corrected");
                }
                ActionStatus::Failed => {
                    inner.refuse_locked(row)?;
                    let newest = newest(tx, row)?;
                    store::outbox::send_again(tx, newest.id, stamp.at)?;
                }
            }
            Ok(Some(Act::SendRequested { action: row.key.clone(), corrected: false, revision: row.revision.max(1) }))
        })
    }

    /// Sends a failed action with the values as they were edited since: a new revision with a new id. The old one stays in the record.
    ///
    /// # Errors
    /// `UnknownAction`, `ActionLocked`, `ActionStatus` unless it failed, `NothingCorrected` when the bytes were sent before,
    /// `CommandIdReused`.
    pub fn send_corrected(&self, session: SessionKey, action: &str, actor: Option<&str>, command_id: &str) -> Result<RecordOutcome> {
        let content = Content { command: "send_corrected", action, reason: None };
        self.on_action(session, action, actor, command_id, &content, |inner, tx, subject, row, stamp| {
            match row.status {
                ActionStatus::Pending => return Ok(None),
                ActionStatus::Failed => inner.refuse_locked(row)?,
                status => {
                    return Err(Error::ActionStatus { action: row.key.clone(), status, problem: "only a failed action is sent corrected" });
                }
            }
            let meta = meta::load(tx)?;
            let body = Body::of_session(subject)?;
            if store::outbox::exists(tx, &webhook::delivery_id(&meta.install_id, session, &row.key, &body.hash))? {
                return Err(Error::NothingCorrected { action: row.key.clone() });
            }
            let old = newest(tx, row)?;
            let revision = row.revision + 1;
            inner.freeze(tx, &meta, subject, row.id, revision, &row.key, &row.endpoint, &body, stamp.at)?;
            store::outbox::supersede(tx, old.id)?;
            Ok(Some(Act::SendRequested { action: row.key.clone(), corrected: true, revision }))
        })
    }

    /// Gives an undelivered message up, by name and with a reason: the only way to do so.
    ///
    /// # Errors
    /// `UnknownAction`, `ActionStatus` when there is nothing to give up, `Refused` without a reason, `CommandIdReused`.
    pub fn abandon(&self, session: SessionKey, action: &str, actor: &str, reason: &str, command_id: &str) -> Result<RecordOutcome> {
        engine::check_reason(reason)?;
        let content = Content { command: "abandon", action, reason: Some(reason) };
        self.on_action(session, action, Some(actor), command_id, &content, |_, tx, _, row, _| {
            let given_up = row.reason.as_deref() == Some(reason::ABANDONED);
            match row.status {
                ActionStatus::Pending => {}
                ActionStatus::Failed if !given_up => {}
                ActionStatus::Failed => return Ok(None),
                status => {
                    return Err(Error::ActionStatus {
                        action: row.key.clone(),
                        status,
                        problem: "there is no undelivered message to give up",
                    });
                }
            }
            store::outbox::abandon(tx, newest(tx, row)?.id)?;
            Ok(Some(Act::Abandoned { action: row.key.clone(), reason: reason.to_owned() }))
        })
    }

    /// Sends everything again that failed, except what is locked, given up, or can never succeed. Says how many.
    ///
    /// # Errors
    /// `Closed` and errors of the file; what was re-queued before the error stays so.
    pub fn send_failed_again(&self, actor: Option<&str>) -> Result<u32> {
        let inner = &self.inner;
        let (mut after, mut count) = (0, 0);
        loop {
            let stamp = inner.stamp(actor)?;
            let batch = inner.write(|tx| {
                let failed = store::outbox::list::failed(tx, after, BATCH)?;
                let Some(last) = failed.last().map(|entry| entry.entry_id) else { return Ok((None, Changed::nothing())) };
                let mut changed = Changed::nothing();
                let mut sent = 0;
                for entry in failed {
                    let mut subject = inner.subject(tx, entry.session)?;
                    let Some(row) = store::action::find(tx, subject.id, &entry.action)? else { continue };
                    let newest = newest(tx, &row)?;
                    if newest.id != entry.entry_id
                        || self.inner.policy.is_locked(row.failed_sends)
                        || !can_send_again(row.reason.as_deref())
                    {
                        continue;
                    }
                    store::outbox::send_again(tx, newest.id, stamp.at)?;
                    let act = Act::SendRequested { action: row.key, corrected: false, revision: row.revision };
                    let event = subject.advance(act, None, &stamp);
                    subject.append(tx, &event, None)?;
                    changed.sessions.push(entry.session);
                    changed.outbox = true;
                    sent += 1;
                }
                changed.sessions.dedup();
                Ok((Some((last, sent)), changed))
            })?;
            match batch {
                Some((last, sent)) => (after, count) = (last, count + sent),
                None => return Ok(count),
            }
        }
    }

    /// One command on one action. `work` gives the act to log, or none when there is nothing to do.
    fn on_action(
        &self,
        session: SessionKey,
        action: &str,
        actor: Option<&str>,
        command_id: &str,
        content: &Content<'_>,
        work: impl FnOnce(&Inner, &Transaction<'_>, &Subject, &ActionRow, &Stamp<'_>) -> Result<Option<Act>>,
    ) -> Result<RecordOutcome> {
        let inner = &self.inner;
        let stamp = inner.stamp(actor)?;
        let hash = command_hash(Some(session), content)?;
        inner.write(|tx| {
            let mut subject = inner.subject(tx, session)?;
            if let Known::Repeated(_) = look_up(tx, command_id, hash)? {
                let record = inner.record(tx, session, stamp.at)?;
                return Ok((RecordOutcome { applied: Applied::Repeated, record }, Changed::nothing()));
            }
            let row = store::action::find(tx, subject.id, action)?.ok_or_else(|| Error::UnknownAction { action: action.to_owned() })?;
            let (applied, changed) = match work(inner, tx, &subject, &row, &stamp)? {
                Some(act) => {
                    let event = subject.advance(act, Some(command_id), &stamp);
                    subject.append(tx, &event, Some(hash))?;
                    (Applied::Yes, Changed { outbox: true, ..Changed::session(session) })
                }
                None => (Applied::Stale, Changed::nothing()),
            };
            Ok((RecordOutcome { applied, record: inner.record(tx, session, stamp.at)? }, changed))
        })
    }
}

impl Inner {
    fn refuse_locked(&self, row: &ActionRow) -> Result<()> {
        if self.policy.is_locked(row.failed_sends) {
            return Err(Error::ActionLocked { action: row.key.clone(), failed_sends: row.failed_sends });
        }
        Ok(())
    }
}

fn newest(tx: &Transaction<'_>, row: &ActionRow) -> Result<store::outbox::EntryRow> {
    store::outbox::of_action(tx, row.id)?
        .into_iter()
        .next()
        .ok_or_else(|| Error::Internal { detail: "an action that fired has no entry".to_owned() })
}
