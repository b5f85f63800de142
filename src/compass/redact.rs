//! Removing a value or a note from a session for good.

use std::cell::RefCell;

use super::command::{CommandLookup, LoadedSession, command_hash, look_up};
use super::send::AbandonedEntry;
use super::{Changed, Compass, Inner, Result};
use crate::crypto::Sha256;
use crate::engine::session::{self as engine, ActContext};
use crate::error::Error;
use crate::model::{
    Act, Applied, DeliveryId, Erased, Event, RedactBodies, RedactOutcome, RedactPending, Redaction, RedactionTarget, SessionKey,
    SessionRecord,
};
use crate::sorted::SortedSet;
use crate::store::command::Outcome;
use crate::store::{self, Transaction, meta, redaction};
use crate::webhook;

/// The word in `outbox.detail` of an entry that a redaction abandoned.
const REDACTED: &str = "redacted";

impl Compass {
    /// Removes everything that a field of a session ever held, or a note, from the session for good: from its record, its event log, its
    /// half-typed text (for a note: of any note) and the search index. The field or note is then marked as redacted, which satisfies `required`
    /// and is in no message; the record shows who did it, when and why. A later value or text is not affected. Works in a session of any
    /// state.
    ///
    /// Frozen bodies do not change. Those that hold the value are in the outcome, and the record names them until they are removed. Messages
    /// that are not delivered are kept, abandoned or corrected according to `pending`, at once like [`abandon`](Self::abandon). Bodies of
    /// delivered ones are kept or removed according to `bodies`; those of abandoned and superseded ones stay until the session is deleted or
    /// purged. A damaged one stays as it is, and needs a person. An
    /// abandoned message that holds the value cannot be sent again, only corrected.
    ///
    /// If it removed a file, every act on the phone is read afterwards, outside the transaction, to find out whether another session refers
    /// to it.
    ///
    /// Where nothing of it is left and there is nothing to do for messages, the outcome is stale; a copy that is restored later, and has a
    /// message with the field, does not send it by itself all the same. From then on, repeated commands of the session are recognised only by
    /// their ids.
    ///
    /// # Errors
    /// `UnknownSession`, `DeletedSession`, `RequiresNewerCore`, `Refused` for an unknown field or note, or without an actor or a reason,
    /// `CommandIdReused`.
    pub fn redact(&self, session: SessionKey, redaction: &Redaction) -> Result<RedactOutcome> {
        engine::check_reason(&redaction.reason)?;
        let inner = &self.inner;
        let context = inner.act_context(Some(&redaction.actor))?;
        let hash = command_hash(Some(session), &(REDACTED, redaction))?;
        let stops = inner.store.stops();
        let abandoned = RefCell::new(Vec::new());
        let (mut outcome, files) = inner.freeing(|| {
            abandoned.take();
            inner.write(|tx| {
                let loaded = inner.load_session_to_change(tx, session)?;
                let id = loaded.id;
                let (applied, files, changed) = match look_up(tx, Some(session), &redaction.command_id, hash)? {
                    CommandLookup::Repeated(_) => {
                        let before = redaction::abandoned(tx, id)?.into_iter().map(|(entry, leased)| AbandonedEntry { entry, leased });
                        abandoned.borrow_mut().extend(before);
                        (Applied::Repeated, SortedSet::new(), Changed::nothing())
                    }
                    CommandLookup::New => inner.redact(tx, loaded, redaction, hash, &context, &mut abandoned.borrow_mut())?,
                };
                let record = inner.record(tx, session, context.at)?;
                let bodies = holding(&record, &redaction.target);
                let unused_files = Vec::new();
                let outcome = RedactOutcome { applied, in_flight: false, bodies, unused_files, erased: Erased::AtNextClose, record };
                Ok(((outcome, files), changed))
            })
        })?;
        outcome.in_flight = self.may_arrive(abandoned.into_inner());
        outcome.erased = inner.erased(stops);
        outcome.unused_files = inner.unused_files(stops, files).unwrap_or_default();
        Ok(outcome)
    }
}

impl Inner {
    /// The outcome, with the files that the session may no longer refer to.
    fn redact(
        &self,
        tx: &Transaction<'_>,
        mut loaded: LoadedSession,
        redaction: &Redaction,
        hash: Sha256,
        context: &ActContext,
        abandoned: &mut Vec<AbandonedEntry>,
    ) -> Result<(Applied, SortedSet<String>, Changed)> {
        let (id, target) = (loaded.id, &redaction.target);
        engine::check_target(loaded.workflow(), &loaded.state, target)?;
        store::of_session::find_all(tx, id)?;
        let mut files = store::referred::by_session(tx, id)?;
        let mut events = store::session::events(tx, id)?;
        events.retain_mut(|Event { seq, act, .. }| engine::redact_act(act, *seq, target));
        let (mut marked, mut forgotten, mut undelivered) = (false, false, Vec::new());
        let draft = if let RedactionTarget::Field { key } = target { key } else { engine::NOTE };
        let half_typed = store::session::drafts(tx, id)?.contains_key(draft);
        // Messages do not hold notes.
        if let RedactionTarget::Field { key } = target {
            for message in redaction::messages(tx, id, |body| webhook::holds(body, key))? {
                marked = true;
                redaction::mark(tx, message.entry, key)?;
                let stops = redaction.pending != RedactPending::Keep;
                if stops && (message.undelivered || message.leased) {
                    abandoned.push(AbandonedEntry { entry: message.entry, leased: message.leased });
                }
                if stops && message.undelivered {
                    undelivered.push((message.entry, message.action, message.replay));
                }
                if message.sent && redaction.bodies == RedactBodies::Forget {
                    let forget = || Ok(redaction::forget_body(tx, message.entry)?);
                    forgotten |= self.unless_damaged_entry(tx, message.entry, forget)?.is_some();
                }
            }
        }
        // Also where nothing of it is left: a stale command may have contained it.
        redaction::rewrite(tx, id, &events)?;
        if let RedactionTarget::Field { key } = target {
            // Copies may hold what this file does not.
            let actions = loaded.workflow().sections.iter().flat_map(|section| &section.actions);
            for action in actions.filter(|action| action.sends(key)) {
                store::known::redact(tx, id, loaded.state.key, &action.key, key)?;
            }
        }
        if events.is_empty() && undelivered.is_empty() && !forgotten && !half_typed {
            store::command::remember(tx, id, &redaction.command_id, hash, Outcome::Stale)?;
            return Ok((Applied::Stale, SortedSet::new(), Changed::nothing()));
        }
        let act = Act::Redacted { target: target.clone(), reason: redaction.reason.clone() };
        loaded.act(tx, act, Some((redaction.command_id.as_str(), hash)), context)?;
        for (entry, action, replay) in undelivered {
            let stop = || {
                let corrected = match redaction.pending {
                    RedactPending::Correct if !replay => match self.correct_if_allowed(tx, &loaded, &action, context.at) {
                        // Its bytes are damaged, and those that it had did not hold the value.
                        Err(Error::NothingCorrected { .. }) => return Ok(None),
                        corrected => corrected?.ok(),
                    },
                    // What a replay repeats was delivered.
                    RedactPending::Correct | RedactPending::Abandon | RedactPending::Keep => None,
                };
                if let Some(revision) = corrected {
                    return Ok(Some(Act::SendRequested { action, corrected: true, revision, replay: false }));
                }
                store::outbox::abandon(tx, entry, REDACTED)?;
                // A claimed entry is read again before it is sent.
                meta::next_configuration(tx)?;
                Ok(Some(Act::Abandoned { action, reason: redaction.reason.clone() }))
            };
            if let Some(act) = self.unless_damaged_entry(tx, entry, stop)?.flatten() {
                loaded.act(tx, act, None, context)?;
            }
        }
        self.index_again(tx, id)?;
        store::cleaning::shrink(tx)?;
        // A file that this session still refers to needs no search of the others.
        let kept = store::referred::by_acts(tx, id)?;
        files.retain(|file| !kept.contains(file));
        Ok((Applied::Yes, files, Changed { outbox: marked, ..Changed::session(loaded.state.key) }))
    }
}

/// The messages whose bodies still hold it.
fn holding(record: &SessionRecord, target: &RedactionTarget) -> Vec<DeliveryId> {
    let RedactionTarget::Field { key } = target else { return Vec::new() };
    let deliveries = record.actions.iter().flat_map(|action| action.deliveries.iter().chain(&action.replays));
    let ids = deliveries.filter(|delivery| delivery.holds_redacted.contains(key)).map(|delivery| delivery.id.clone());
    let mut found: Vec<DeliveryId> = Vec::new();
    for id in ids {
        if !found.contains(&id) {
            found.push(id);
        }
    }
    found
}
