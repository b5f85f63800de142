//! The webhooks integration: on or off, and its endpoints.

use std::collections::BTreeMap;

use chrono::SecondsFormat;

use super::{Changed, Compass, Result};
use crate::error::Error;
use crate::model::{Endpoint, EndpointStatus, TestDelivery};
use crate::outbox::reason;
use crate::store::{self, meta};
use crate::webhook;

/// Why the app disabled an endpoint, as its status says.
const BY_APP: &str = "by_app";

impl Compass {
    /// Turns the webhooks integration on or off. It is off until turned on. What fired while it was on waits while it is off.
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

    /// Registers an endpoint, or changes it. The same endpoint again changes nothing. One that really changed is brought back from the
    /// archive, forgets its failures, and takes what failed for its configuration once more; if a 410 had disabled it, it is enabled.
    ///
    /// # Errors
    /// `InvalidEndpoint` with the place.
    pub fn put_endpoint(&self, endpoint: &Endpoint) -> Result<()> {
        let inner = &self.inner;
        let endpoint = webhook::validate(endpoint, inner.allow_plain_http_to_loopback)?;
        let now = inner.now();
        inner.write(|tx| {
            let before = store::endpoint::find(tx, &endpoint.key)?;
            if before.as_ref().is_some_and(|before| before.endpoint == endpoint && before.archived_at.is_none()) {
                return Ok(((), Changed::nothing()));
            }
            store::endpoint::put(tx, &endpoint, inner.policy.in_flight_start)?;
            if before.is_some_and(|before| before.disabled_reason.as_deref() == Some(reason::GONE)) {
                store::endpoint::set_enabled(tx, &endpoint.key, None)?;
            }
            let sessions = store::outbox::queue::revive_endpoint(tx, &endpoint.key, now)?;
            Ok(((), Changed { sessions, endpoints: true, outbox: true, ..Changed::default() }))
        })
    }

    /// Takes an endpoint out of use. What waits for it keeps waiting, until it is put again.
    ///
    /// # Errors
    /// `UnknownEndpoint`.
    pub fn archive_endpoint(&self, key: &str) -> Result<()> {
        let now = self.inner.now();
        self.inner.write(|tx| {
            let row = store::endpoint::find(tx, key)?.ok_or_else(|| Error::UnknownEndpoint { key: key.to_owned() })?;
            if row.archived_at.is_some() {
                return Ok(((), Changed::nothing()));
            }
            store::endpoint::set_archived(tx, key, Some(now))?;
            Ok(((), Changed { endpoints: true, outbox: true, ..Changed::default() }))
        })
    }

    /// Enables or disables an endpoint. Enabling one takes what failed for its configuration once more.
    ///
    /// # Errors
    /// `UnknownEndpoint`.
    pub fn set_endpoint_enabled(&self, key: &str, enabled: bool) -> Result<()> {
        let now = self.inner.now();
        self.inner.write(|tx| {
            let row = store::endpoint::find(tx, key)?.ok_or_else(|| Error::UnknownEndpoint { key: key.to_owned() })?;
            if row.enabled == enabled {
                return Ok(((), Changed::nothing()));
            }
            store::endpoint::set_enabled(tx, key, if enabled { None } else { Some(BY_APP) })?;
            let sessions = if enabled { store::outbox::queue::revive_endpoint(tx, key, now)? } else { Vec::new() };
            Ok(((), Changed { sessions, endpoints: true, outbox: true, ..Changed::default() }))
        })
    }

    /// All endpoints, by key, with how they stand.
    ///
    /// # Errors
    /// `Closed` and errors of the file.
    pub fn endpoints(&self) -> Result<Vec<EndpointStatus>> {
        let now = self.inner.now();
        self.inner.read(|connection| {
            let mut waiting = BTreeMap::new();
            for group in store::outbox::list::unsent(connection)? {
                waiting.insert(group.endpoint, group.pending);
            }
            let rows = store::endpoint::all(connection)?;
            rows.into_iter()
                .map(|row| {
                    let paused_until = row.paused_until(now)?;
                    Ok(EndpointStatus {
                        pending: waiting.get(&row.endpoint.key).copied().unwrap_or(0),
                        enabled: row.enabled,
                        disabled_reason: row.disabled_reason,
                        archived_at: row.archived_at,
                        pause_reason: row.delivery.pause_reason.filter(|_| paused_until.is_some()),
                        paused_until,
                        consecutive_failures: row.delivery.consecutive_failures,
                        clock_skew_ms: row.delivery.skew_ms,
                        endpoint: row.endpoint,
                    })
                })
                .collect()
        })
    }

    /// Sends a small signed test message to an endpoint, now, on this thread. Nothing is stored, and nothing of the outbox is touched.
    ///
    /// # Errors
    /// `UnknownEndpoint`, `Closed`, `Reentrant`. That it could not be delivered is an outcome, not an error.
    pub fn test_delivery(&self, key: &str) -> Result<TestDelivery> {
        if crate::delivery::is_foreign_call() {
            return Err(Error::Reentrant);
        }
        let row = self
            .inner
            .read(|connection| store::endpoint::find(connection, key)?.ok_or_else(|| Error::UnknownEndpoint { key: key.to_owned() }))?;
        let sent_at = self.inner.now().to_rfc3339_opts(SecondsFormat::Millis, true);
        Ok(self.inner.delivery.test(&row.endpoint, format!(r#"{{"test":true,"sent_at":"{sent_at}"}}"#).as_bytes()))
    }
}
