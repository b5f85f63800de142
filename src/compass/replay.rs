//! Sending delivered messages once more, for a receiver that has lost them.

use super::action_view::permits_of;
use super::command::LoadedSession;
use super::endpoint::refuse_unnamed;
use super::enqueue::Payloads;
use super::send::Content;
use super::send_many::Sent;
use super::{Compass, Inner, Result};
use crate::engine::session::ActContext;
use crate::error::Error;
use crate::model::{Act, RecordOutcome, ReplayFilter, ReplayReport, SessionKey};
use crate::outbox::{OpenReplay, Permit, reason};
use crate::store::action::ActionRow;
use crate::store::outbox::{EntryRow, replay};
use crate::store::{self, Transaction};

/// How many messages one call replays. A receiver that gets more at once should ask for them in parts.
const MOST_REPLAYED: u32 = 1000;

/// What became of one message.
enum Replayed {
    Yes(Act),
    BodyDropped,
    /// It waits already, or may not be sent.
    No,
}

impl Compass {
    /// Sends the newest delivered message of an action once more: the same id and the same bytes. The message stays sent; the replay is shown
    /// beside it, waits for the same things, and can be abandoned. A replay that failed is tried again, and one of an earlier revision is abandoned.
    /// Stale while one of this message waits.
    ///
    /// # Errors
    /// `UnknownSession`, `DeletedSession`, `UnknownAction`, `ActionStatus` where nothing was delivered yet, `BodyDropped` where its body was
    /// dropped after its retention, was removed by a redaction, holds a redacted value, or is lost and cannot be made again, `CommandIdReused`.
    pub fn replay(&self, session: SessionKey, action: &str, actor: Option<&str>, command_id: &str) -> Result<RecordOutcome> {
        let content = Content { command: "replay", action, reason: None };
        let outcome = self.on_action(session, action, actor, command_id, &content, &mut |inner, tx, loaded, row, context| {
            if !inner.allows(row, permits_of(row, &inner.policy).replay)? {
                return Ok(None);
            }
            match inner.replay(tx, loaded, row, context)? {
                Replayed::Yes(act) => Ok(Some(act)),
                Replayed::BodyDropped => Err(Error::BodyDropped { action: row.key.clone() }),
                Replayed::No => Ok(None),
            }
        })?;
        self.inner.delivery.send_now();
        Ok(outcome)
    }

    /// The same for every action of a session that has a delivered message, except those whose body was dropped. Stale where there is none.
    ///
    /// # Errors
    /// `UnknownSession`, `DeletedSession`, `CommandIdReused`.
    pub fn replay_session(&self, session: SessionKey, actor: Option<&str>, command_id: &str) -> Result<RecordOutcome> {
        let content = Content { command: "replay_session", action: "", reason: None };
        let outcome = self.on_session(session, actor, command_id, &content, &mut |inner, tx, loaded, context| {
            let mut acts = Vec::new();
            for row in store::action::of_session(tx, loaded.id)? {
                // A damaged one stops only itself.
                if let Some(Replayed::Yes(act)) = store::all_or_none(tx, || inner.replay(tx, loaded, &row, context))? {
                    acts.push(act);
                }
            }
            Ok(acts)
        })?;
        self.inner.delivery.send_now();
        Ok(outcome)
    }

    /// The same for the delivered messages of an endpoint, oldest first, at most 1,000 in a call. Of an action only the newest delivered
    /// revision: it replaces those before it. `page` is the `next` of the call before. They go after all messages that were never delivered.
    ///
    /// # Errors
    /// `UnknownEndpoint` for a key that no endpoint, message or action of this file has; one whose messages exist may be unregistered.
    /// `InvalidArgument` for a page that no call gave.
    pub fn replay_sent(&self, filter: &ReplayFilter, actor: Option<&str>, page: Option<&str>) -> Result<ReplayReport> {
        let after = match page {
            Some(page) => {
                page.parse().map_err(|_| Error::InvalidArgument { place: "page", problem: "not a page that an earlier call gave" })?
            }
            None => 0,
        };
        let stops = self.inner.store.stops();
        let first = after;
        let listed = &|tx: &Transaction<'_>, after, limit| {
            let found = replay::sent(tx, filter, after, limit)?;
            if found.is_empty() && after == first {
                refuse_unnamed(tx, &filter.endpoint)?;
            }
            Ok(found)
        };
        let all = self.send_all(actor, first, MOST_REPLAYED, listed, Inner::replay_listed)?;
        let left = self.inner.read_part(stops, |connection| Ok(replay::count_sent(connection, filter, all.last)?))?;
        let next = (left > 0).then(|| all.last.to_string());
        Ok(ReplayReport { replayed: all.sent, body_dropped: all.body_dropped, left, next })
    }
}

impl Inner {
    /// Queues the newest delivered message of an action once more.
    fn replay(&self, tx: &Transaction<'_>, loaded: &LoadedSession, row: &ActionRow, context: &ActContext) -> Result<Replayed> {
        if permits_of(row, &self.policy).replay != Permit::Yes {
            return Ok(Replayed::No);
        }
        let (sent, open) = (replay::newest_sent(tx, row.id)?, replay::open(tx, row.id)?.pop());
        let Some(sent) = sent else { return Ok(Replayed::No) };
        if replay::holds_redacted(tx, sent.id)? {
            return Ok(Replayed::BodyDropped);
        }
        match open {
            Some(open) if row.replay == Some(OpenReplay::Failed) => {
                store::outbox::send_again(tx, open.id, context.at)?;
            }
            open => {
                let queue = || replay::queue(tx, sent.id, context.at);
                let is_queued = queue()? || make_again(tx, loaded, &row.key, &sent)? && queue()?;
                if !is_queued {
                    return Ok(Replayed::BodyDropped);
                }
                // Of an earlier revision.
                if let Some(open) = open {
                    store::outbox::abandon(tx, open.id, reason::ABANDONED)?;
                }
            }
        }
        Ok(Replayed::Yes(Act::SendRequested { action: row.key.clone(), corrected: false, revision: sent.revision, replay: true }))
    }

    fn replay_listed(&self, tx: &Transaction<'_>, entry: i64, session: SessionKey, action: &str, context: &ActContext) -> Result<Sent> {
        let mut loaded = match self.load_session_to_change(tx, session) {
            Err(Error::RequiresNewerCore { .. }) => return Ok(Sent::No),
            loaded => loaded?,
        };
        let Some(row) = store::action::find(tx, loaded.id, action)? else { return Ok(Sent::No) };
        if replay::newest_sent(tx, row.id)?.is_none_or(|newest| newest.id != entry) {
            return Ok(Sent::No);
        }
        Ok(match self.replay(tx, &loaded, &row, context)? {
            Replayed::Yes(act) => {
                loaded.act(tx, act, None, context)?;
                Sent::Yes
            }
            Replayed::BodyDropped => Sent::BodyDropped,
            Replayed::No => Sent::No,
        })
    }
}

/// Makes the bytes of a message again that were lost by damage. False where they were dropped, or the session no longer gives the same ones.
fn make_again(tx: &Transaction<'_>, loaded: &LoadedSession, action: &str, sent: &EntryRow) -> Result<bool> {
    let mut payloads = Payloads::of(loaded);
    let body = payloads.of_action(action)?;
    Ok(body.hash == sent.body_sha256 && replay::restore_body(tx, sent.id, &body.bytes)?)
}
