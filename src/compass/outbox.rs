//! The outbox as an app shows it.

use super::action_view::{Endpoints, delivery};
use super::enqueue::Payload;
use super::query::page_limit;
use super::{Compass, Inner, Result};
use crate::engine::session as engine;
use crate::error::Error;

use crate::model::{
    DeliveryId, MessagePreview, OutboxFilter, OutboxItem, OutboxPage, OutboxTotals, SessionKey, SessionState, Timestamp, echoed,
};
use crate::outbox::{EntryFacts, blocker};
use crate::store::endpoint::StoredEndpoint;
use crate::store::outbox::EntryState;
use crate::store::{self, Connection, row};

impl Compass {
    /// Messages, oldest first. `page` is the `next` of the call before; `limit` is from 1 to 500. Without messages
    /// whose row lies on a page of the file that cannot be read; totals count those. A filter that nothing meets, also with a key that no
    /// endpoint has, gives an empty page.
    ///
    /// # Errors
    /// `InvalidArgument` for a page that no call gave, or a limit out of range.
    pub fn outbox(&self, filter: &OutboxFilter, page: Option<&str>, limit: u32) -> Result<OutboxPage> {
        let limit = page_limit(limit)?;
        let after = match page {
            Some(page) => {
                page.parse().map_err(|_| Error::InvalidArgument { place: "page", problem: "not a page that an earlier call gave" })?
            }
            None => 0,
        };
        self.inner.read_now(|connection, now| {
            let mut found = store::outbox::list::entries(connection, filter, after, limit + 1)?;
            let more = found.len() > limit as usize;
            found.truncate(limit as usize);
            let next = found.last().filter(|_| more).map(|last| last.entry.id.to_string());
            let mut situation = self.inner.situation(connection, now)?;
            let unreadable = found.iter().filter(|listed| !listed.entry.readable).map(|listed| listed.entry.id).collect();
            // So that totals, which do not read every row, count them as well.
            self.inner.delivery.set_aside(&unreadable);
            situation.aside.extend(unreadable);
            let mut endpoints = Endpoints::new(connection);
            let mut items = Vec::with_capacity(found.len());
            for listed in found {
                let endpoint = endpoints.get(&listed.entry.endpoint)?;
                let (delivery, needs_person) = delivery(connection, &listed.entry, endpoint, &situation)?;
                items.push(OutboxItem {
                    session: listed.session,
                    workflow: listed.workflow,
                    action: listed.action,
                    action_name: listed.action_name,
                    delivery,
                    needs_person,
                });
            }
            Ok(OutboxPage { items, next })
        })
    }

    /// Totals of unsent messages: how many, since when, and how many need a person.
    ///
    /// # Errors
    /// `Closed` and errors of the file.
    pub fn outbox_totals(&self) -> Result<OutboxTotals> {
        self.inner.read_now(|connection, now| self.inner.totals_of_outbox(connection, now))
    }

    /// The message that sending this action now would freeze, with the current values. For a session in progress, as if it were completed now.
    ///
    /// # Errors
    /// `UnknownSession`, `DeletedSession`, `UnknownAction` when no section on the path has such an action.
    pub fn preview(&self, session: SessionKey, action: &str) -> Result<MessagePreview> {
        let now = self.inner.now();
        self.inner.read(|connection| {
            let loaded = self.inner.load_session(connection, session)?;
            let met = engine::encountered(loaded.workflow(), &loaded.state).into_iter().find(|met| met.key == action);
            let met = met.ok_or_else(|| Error::UnknownAction { action: echoed(action) })?;
            let mut submission = engine::submission(loaded.workflow(), &loaded.state, loaded.action(action));
            if loaded.state.finished_at.is_none() {
                submission.completed_at = now;
            }
            Ok(MessagePreview {
                action: met.key,
                endpoint: met.endpoint,
                body: text(Payload::of(&submission)?.bytes)?,
                workflow_version: loaded.state.workflow.version_label(),
                session_state: (loaded.state.state == SessionState::Ended).then_some(SessionState::Ended),
            })
        })
    }

    /// The body of a message, byte for byte as it was frozen; none when it was dropped after its retention.
    ///
    /// # Errors
    /// `UnknownDelivery`.
    pub fn delivery_body(&self, id: &DeliveryId) -> Result<Option<String>> {
        self.inner.read(|connection| store::outbox::body(connection, id)?.ok_or(Error::UnknownDelivery)?.map(text).transpose())
    }
}

impl Inner {
    /// Totals by the same rule as the items of the list: entries that wait with the same reason for the same endpoint get one answer.
    pub(super) fn totals_of_outbox(&self, connection: &Connection, now: Timestamp) -> Result<OutboxTotals> {
        let situation = self.situation(connection, now)?;
        let mut endpoints = Endpoints::new(connection);
        let mut totals = OutboxTotals::default();
        let mut oldest: Option<i64> = None;
        let expired = &situation.expired - &situation.aside;
        let in_flight = &situation.in_flight - &situation.aside;
        let expired = &expired - &in_flight;
        let others = store::outbox::list::unsent(connection, &(&(&situation.aside | &expired) | &in_flight))?;
        let expired = store::outbox::list::unsent_among(connection, &expired)?.into_iter().map(|group| (group, true, Some(false)));
        let in_flight = store::outbox::list::unsent_among(connection, &in_flight)?.into_iter().map(|group| (group, true, Some(true)));
        let unreadable = store::outbox::list::unsent_among(connection, &situation.aside)?.into_iter().map(|group| (group, false, None));
        let others = others.into_iter().map(|group| (group, true, None));
        for (group, readable, runs) in others.chain(expired).chain(in_flight).chain(unreadable) {
            let needs_person = if group.state == EntryState::Failed {
                totals.failed += group.count;
                true
            } else {
                totals.pending += group.count;
                let facts = EntryFacts {
                    readable: readable && group.readable && group.endpoint.is_some(),
                    leased: runs.unwrap_or(group.state == EntryState::Leased),
                    reason: group.reason.as_deref(),
                    // Whether a person is needed does not depend on time.
                    due_at: now,
                    tried: true,
                    in_flight_until: None,
                    offline: false,
                    cut_short: 0,
                };
                let endpoint = endpoints.get(group.endpoint.as_deref().unwrap_or_default())?.map(StoredEndpoint::facts);
                blocker(&facts, endpoint.as_ref(), &situation.context).needs_person()
            };
            totals.needs_person += if needs_person { group.count } else { 0 };
            totals.unsent_bytes = totals.unsent_bytes.saturating_add(group.bytes);
            oldest = Some(oldest.map_or(group.oldest_frozen_at, |oldest| oldest.min(group.oldest_frozen_at)));
        }
        // A moment that does not exist in the calendar comes from a damaged row, and is ignored.
        totals.oldest_unsent_at = row::optional_time(oldest).ok().flatten();
        totals.not_fired = store::outbox::list::count_not_fired(connection)?;
        Ok(totals)
    }
}

fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| Error::Corrupt { detail: "a stored body is not text".to_owned() })
}
