//! The outbox as an app shows it.

use super::action::{Endpoints, delivery};
use super::fire::Body;
use super::query::page_limit;
use super::{Compass, Result};
use crate::engine::session as engine;
use crate::error::Error;
use crate::model::{DeliveryId, MessagePreview, OutboxFilter, OutboxItem, OutboxPage, OutboxTotals, SessionKey, SessionState};
use crate::outbox::reason;
use crate::store::{self, row};

impl Compass {
    /// Messages, oldest first. `page` is what the call before gave as `next`; `limit` is from 1 to 500.
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
        let now = self.inner.now();
        self.inner.read(|connection| {
            let mut found = store::outbox::list::entries(connection, filter, after, limit + 1)?;
            let more = found.len() > limit as usize;
            found.truncate(limit as usize);
            let next = found.last().filter(|_| more).map(|last| last.entry.id.to_string());
            let world = self.inner.world(connection, now)?;
            let mut endpoints = Endpoints::new(connection);
            let mut items = Vec::with_capacity(found.len());
            for listed in found {
                let endpoint = endpoints.get(&listed.entry.endpoint)?;
                let (delivery, needs_person) = delivery(connection, &listed.entry, endpoint, &world)?;
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

    /// What is unsent: how much, since when, and what needs a person.
    ///
    /// # Errors
    /// `Closed` and errors of the file.
    pub fn outbox_totals(&self) -> Result<OutboxTotals> {
        let now = self.inner.now();
        self.inner.read(|connection| {
            let world = self.inner.world(connection, now)?;
            let mut endpoints = Endpoints::new(connection);
            let mut totals = OutboxTotals::default();
            let mut oldest: Option<i64> = None;
            for group in store::outbox::list::unsent(connection)? {
                let held = match endpoints.get(&group.endpoint)? {
                    None => true,
                    Some(endpoint) => {
                        let paused_for_person = endpoint.paused_until(world.now)?.is_some()
                            && endpoint.delivery.pause_reason.as_deref().is_some_and(reason::waits_for_person);
                        !endpoint.enabled || endpoint.archived_at.is_some() || paused_for_person
                    }
                };
                totals.pending += group.pending;
                totals.failed += group.failed;
                totals.unsent_bytes += group.bytes;
                totals.needs_person += group.failed + if held || !world.integration_enabled { group.pending } else { 0 };
                oldest = Some(oldest.map_or(group.oldest_frozen_at, |oldest| oldest.min(group.oldest_frozen_at)));
            }
            totals.oldest_unsent_at = row::optional_time(oldest)?;
            Ok(totals)
        })
    }

    /// What sending this action would freeze, from the values as they are now. Of a session in progress, as if it were completed now.
    ///
    /// # Errors
    /// `UnknownSession`, `DeletedSession`, `UnknownAction` when the path does not meet such an action.
    pub fn preview(&self, session: SessionKey, action: &str) -> Result<MessagePreview> {
        let now = self.inner.now();
        self.inner.read(|connection| {
            let subject = self.inner.subject(connection, session)?;
            let met = engine::encountered(&subject.workflow, &subject.state).into_iter().find(|met| met.key == action);
            let met = met.ok_or_else(|| Error::UnknownAction { action: action.to_owned() })?;
            let mut submission = engine::submission(&subject.workflow, &subject.state);
            if subject.state.finished_at.is_none() {
                submission.completed_at = now;
            }
            Ok(MessagePreview {
                action: met.key,
                endpoint: met.endpoint,
                body: text(Body::of(&submission)?.bytes)?,
                workflow_version: subject.state.workflow.version_label(),
                session_state: (subject.state.state == SessionState::Ended).then_some(SessionState::Ended),
            })
        })
    }

    /// The body of a message, byte for byte as it was frozen; none when it was given back after its retention.
    ///
    /// # Errors
    /// `UnknownDelivery`.
    pub fn delivery_body(&self, id: &DeliveryId) -> Result<Option<String>> {
        self.inner.read(|connection| store::outbox::body(connection, id)?.ok_or(Error::UnknownDelivery)?.map(text).transpose())
    }
}

fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| Error::Internal { detail: "a stored body is not text".to_owned() })
}
