//! Sending many messages in one call, in short transactions.

use std::cell::Cell;

use super::{Changed, Compass, Inner, Result};
use crate::engine::session::ActContext;
use crate::error::Error;
use crate::model::SessionKey;
use crate::store::outbox::list::ToSend;
use crate::store::{self, Transaction};

/// Lists entries or actions to send, after a row, at most so many.
type ListToSend<'a> = dyn Fn(&Transaction<'_>, i64, u32) -> Result<Vec<ToSend>> + 'a;
/// Sends one of them: its row, its session, its action.
type SendListed = fn(&Inner, &Transaction<'_>, i64, SessionKey, &str, &ActContext) -> Result<Sent>;

/// What became of one of them.
pub(super) enum Sent {
    Yes,
    /// Its body was dropped, or holds a redacted value.
    BodyDropped,
    /// It may not be sent, or there is nothing to do.
    No,
}

/// What became of all of them.
#[derive(Default)]
pub(super) struct SentAll {
    pub(super) sent: u32,
    pub(super) body_dropped: u32,
    /// How many were listed.
    seen: u32,
    /// The row of the last one.
    pub(super) last: i64,
}

/// Actions sent per transaction, so that a long list does not block writers.
const BATCH: u32 = 100;

impl Compass {
    /// Sends what `listed` gives, in transactions of [`BATCH`], until nothing is left after the last listed row, or `most` were listed. An entry
    /// with a lost page undoes its transaction, and is skipped once it is the only one.
    pub(super) fn send_all(
        &self,
        actor: Option<&str>,
        after: i64,
        most: u32,
        listed: &ListToSend<'_>,
        send: SendListed,
    ) -> Result<SentAll> {
        let inner = &self.inner;
        let mut all = SentAll { last: after, ..SentAll::default() };
        let mut limit = BATCH;
        let stops = inner.store.stops();
        loop {
            let context = inner.act_context(actor)?;
            let reached = Cell::new(all.last);
            let count = limit.min(most - all.seen);
            let batch = inner.write_part(stops, |tx| {
                let listed = if count > 0 { listed(tx, all.last, count)? } else { Vec::new() };
                let Some(last) = listed.last().map(|listed| listed.id) else { return Ok((None, Changed::nothing())) };
                reached.set(last);
                let mut changed = Changed::nothing();
                let mut batch = SentAll { last, seen: listed.len() as u32, ..SentAll::default() };
                for ToSend { id, session_and_action } in listed {
                    let Some((session, action)) = session_and_action else { continue };
                    // A damaged one stays as it is, where a person sees it.
                    let mut page = None;
                    let done = store::all_or_none(tx, || {
                        let done = send(inner, tx, id, session, &action, &context);
                        if let Err(Error::Corrupt { detail }) = &done {
                            page = Some(detail.clone());
                        }
                        done
                    })?;
                    if let Some(detail) = page.filter(|_| count > 1) {
                        return Err(Error::Corrupt { detail });
                    }
                    match done {
                        Some(Sent::Yes) => {
                            changed.sessions.push(session);
                            changed.outbox = true;
                            batch.sent += 1;
                        }
                        Some(Sent::BodyDropped) => batch.body_dropped += 1,
                        Some(Sent::No) | None => {}
                    }
                }
                changed.sessions.dedup();
                Ok((Some(batch), changed))
            });
            match batch {
                Ok(Some(batch)) => {
                    all.sent += batch.sent;
                    all.body_dropped += batch.body_dropped;
                    all.seen += batch.seen;
                    (all.last, limit) = (batch.last, (2 * limit).min(BATCH));
                }
                Ok(None) => {
                    inner.delivery.send_now();
                    return Ok(all);
                }
                Err(Error::Corrupt { .. }) if count > 1 => limit = 1,
                Err(Error::Corrupt { .. }) if reached.get() > all.last => (all.last, all.seen) = (reached.get(), all.seen + 1),
                Err(error) => return Err(error),
            }
        }
    }
}
