//! The webhooks integration: on or off, and its endpoints.

use chrono::SecondsFormat;

use super::{Changed, Compass, Inner, Result};
use crate::error::Error;
use crate::model::{Endpoint, EndpointStatus, NetworkPolicy, Signing, TestDelivery, Timestamp, echoed};
use crate::outbox::reason;
use crate::sorted::{SortedMap, SortedSet};
use crate::store::endpoint::{EndpointRow, StoredEndpoint};
use crate::store::outbox::EntryState;
use crate::store::outbox::revive::{Revived, revive_endpoint};
use crate::store::{self, Connection, StoreError, Transaction, meta};
use crate::webhook;

impl Compass {
    /// Turns the webhooks integration on or off. It is off until turned on. While it is off, messages that already fired wait.
    ///
    /// # Errors
    /// `Closed` and errors of the file.
    pub fn set_integration_enabled(&self, enabled: bool) -> Result<()> {
        self.inner.write(|tx| {
            if meta::load(tx)?.integration_enabled == enabled {
                return Ok(((), Changed::nothing()));
            }
            meta::set_integration_enabled(tx, enabled)?;
            Ok(((), Changed { endpoints: true, outbox: true, ..Changed::default() }))
        })
    }

    /// Whether the webhooks integration is on.
    ///
    /// # Errors
    /// `Closed` and errors of the file.
    pub fn integration_enabled(&self) -> Result<bool> {
        self.inner.read(|connection| Ok(meta::load(connection)?.integration_enabled))
    }

    /// Registers an endpoint, or changes it. The same endpoint again changes nothing. A real change brings it back from the archive, resets
    /// its failures, and sends messages again that failed for its configuration; if a 410 had disabled the endpoint, it is enabled.
    ///
    /// # Errors
    /// `InvalidEndpoint` with the place.
    pub fn put_endpoint(&self, endpoint: &Endpoint) -> Result<()> {
        let inner = &self.inner;
        let endpoint = webhook::validate(endpoint, inner.allow_plain_http_to_loopback)?;
        let now = inner.now();
        inner.change_endpoint(&endpoint.key, |tx, without| {
            // An unreadable one is never the same, and is repaired.
            let before = match store::endpoint::find(tx, &endpoint.key)? {
                Some(StoredEndpoint::Readable(row)) => Some(row),
                _ => None,
            };
            if before.as_ref().is_some_and(|before| before.endpoint == endpoint && before.archived_at.is_none()) {
                return Ok(None);
            }
            store::endpoint::put(tx, &endpoint, &inner.policy)?;
            let has_moved = before.as_ref().is_none_or(|before| before.endpoint.url != endpoint.url);
            if before.is_some_and(|before| before.disabled_reason.as_deref() == Some(reason::GONE)) {
                store::endpoint::enable(tx, &endpoint.key, &inner.policy)?;
            }
            revive_endpoint(tx, &endpoint.key, has_moved, reason::revived_by_change, now, without).map(Some)
        })
    }

    /// Takes an endpoint out of use. Its messages wait until it is registered again.
    ///
    /// # Errors
    /// `UnknownEndpoint`.
    pub fn archive_endpoint(&self, key: &str) -> Result<()> {
        let now = self.inner.now();
        self.inner.write(|tx| {
            let row = known(store::endpoint::find(tx, key)?, key)?;
            if row.archived_at.is_some() {
                return Ok(((), Changed::nothing()));
            }
            store::endpoint::set_archived(tx, key, Some(now))?;
            meta::next_configuration(tx)?;
            Ok(((), Changed { endpoints: true, outbox: true, ..Changed::default() }))
        })
    }

    /// Enables or disables an endpoint. Enabling it sends messages again that failed because it was gone (410). An endpoint that a 410 and
    /// then the app disabled stays disabled when it is changed.
    ///
    /// # Errors
    /// `UnknownEndpoint`.
    pub fn set_endpoint_enabled(&self, key: &str, enabled: bool) -> Result<()> {
        let now = self.inner.now();
        let inner = &self.inner;
        inner.read(|connection| known(store::endpoint::find(connection, key)?, key))?;
        inner.change_endpoint(key, |tx, without| {
            let Some(StoredEndpoint::Readable(row)) = store::endpoint::find(tx, key)? else { return Ok(None) };
            if enabled && !row.enabled {
                store::endpoint::enable(tx, key, &inner.policy)?;
                return revive_endpoint(tx, key, false, reason::revived_by_enabling, now, without).map(Some);
            }
            // What a 410 has disabled is the app's decision from now on.
            if enabled || !row.enabled && row.disabled_reason.as_deref() == Some(store::endpoint::BY_APP) {
                return Ok(None);
            }
            store::endpoint::disable(tx, key, store::endpoint::BY_APP)?;
            Ok(Some(Revived::default()))
        })
    }

    /// All endpoints, by key, with their state.
    ///
    /// # Errors
    /// `Closed` and errors of the file.
    pub fn endpoints(&self) -> Result<Vec<EndpointStatus>> {
        self.inner.read_now(|connection, now| {
            let mut waiting: SortedMap<String, u64> = SortedMap::new();
            for group in store::outbox::list::unsent(connection, &SortedSet::new())? {
                if let Some(endpoint) = group.endpoint.filter(|_| group.state != EntryState::Failed) {
                    *waiting.or_insert_with(endpoint, || 0) += group.count;
                }
            }
            let pending = |key: &str| waiting.get(key).copied().unwrap_or(0);
            let stored = store::endpoint::all(connection)?;
            Ok(stored.into_iter().map(|stored| status(stored, &pending, now)).collect())
        })
    }

    /// Sends a small signed test message to an endpoint now, and waits for its outcome, for 30 seconds at most. Nothing is stored, and the
    /// outbox does not change. While quiesced it sends nothing, and the outcome is `interrupted`.
    ///
    /// # Errors
    /// `UnknownEndpoint`, `Closed`, `Reentrant`. That it could not be delivered is an outcome, not an error.
    pub fn test_delivery(&self, key: &str) -> Result<TestDelivery> {
        if crate::delivery::is_foreign_call() {
            return Err(Error::Reentrant);
        }
        let (row, install) = self.inner.read(|connection| {
            let row = known(store::endpoint::find(connection, key)?, key)?;
            Ok((row, webhook::install(&meta::load(connection)?.install_id, key)))
        })?;
        let sent_at = self.inner.now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let body = format!(r#"{{"test":true,"sent_at":"{sent_at}"}}"#);
        Ok(self.inner.delivery.test_send(&row.endpoint, install, row.delivery.skew_ms.unwrap_or(0), body.as_bytes()))
    }
}

impl Inner {
    /// Changes an endpoint, and the messages that wait for it; those whose pages are damaged stay as they are. None: nothing has changed.
    fn change_endpoint(
        &self,
        key: &str,
        change: impl Fn(&Transaction<'_>, &SortedSet<i64>) -> std::result::Result<Option<Revived>, StoreError>,
    ) -> Result<()> {
        let now = self.now();
        let damaged = self.write(|tx| {
            let (revived, mut damaged) = store::without_damaged(tx, |damaged| {
                // Also where it begins again.
                meta::carry_age(tx, now)?;
                let revived = change(tx, damaged)?;
                if revived.is_some() {
                    meta::next_configuration(tx)?;
                }
                Ok(revived)
            })?;
            let Some(revived) = revived else { return Ok((damaged, Changed::nothing())) };
            damaged.extend(revived.damaged);
            Ok((damaged, Changed { sessions: revived.sessions, endpoints: true, outbox: true, ..Changed::default() }))
        })?;
        self.delivery.set_aside(&damaged);
        self.delivery.endpoint_changed(key);
        Ok(())
    }
}

/// The row of an endpoint that must exist and be readable.
fn known(stored: Option<StoredEndpoint>, key: &str) -> Result<EndpointRow> {
    match stored {
        Some(StoredEndpoint::Readable(row)) => Ok(row),
        Some(StoredEndpoint::Corrupt(_)) => Err(Error::Corrupt { detail: "this endpoint cannot be read; register it again".to_owned() }),
        None => Err(Error::UnknownEndpoint { key: echoed(key) }),
    }
}

/// Refuses a key that the file does not have at all. An endpoint whose row is lost, or that was never registered, has messages or actions.
pub(super) fn refuse_unnamed(connection: &Connection, key: &str) -> Result<()> {
    if store::endpoint::is_named(connection, key)? { Ok(()) } else { Err(Error::UnknownEndpoint { key: echoed(key) }) }
}

/// An endpoint with its state at this moment.
fn status(stored: StoredEndpoint, pending: &dyn Fn(&str) -> u64, now: Timestamp) -> EndpointStatus {
    match stored {
        StoredEndpoint::Readable(row) => {
            // A pause that was written by a clock far ahead is over.
            let paused_until = row.state(0).paused_until(now);
            let failing = row.delivery.failing.filter(|failing| failing.needs_person);
            EndpointStatus {
                pending: pending(&row.endpoint.key),
                enabled: row.enabled,
                disabled_reason: row.disabled_reason,
                archived_at: row.archived_at,
                pause_reason: row.delivery.pause_reason.filter(|_| paused_until.is_some()),
                paused_until,
                failing_reason: failing.map(|failing| failing.reason),
                consecutive_failures: row.delivery.consecutive_failures,
                clock_skew_ms: row.delivery.skew_ms,
                endpoint: row.endpoint,
            }
        }
        StoredEndpoint::Corrupt(key) => EndpointStatus {
            pending: pending(&key),
            enabled: false,
            disabled_reason: Some(reason::ENDPOINT_CORRUPT.to_owned()),
            archived_at: None,
            pause_reason: None,
            paused_until: None,
            failing_reason: None,
            consecutive_failures: 0,
            clock_skew_ms: None,
            endpoint: Endpoint { key, url: String::new(), signing: Signing::None, headers: Vec::new(), network: NetworkPolicy::Any },
        },
    }
}
