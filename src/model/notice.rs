//! The notices that observers get.

use serde::{Deserialize, Serialize};

use super::{DeliveryId, SessionKey};

/// Something changed and is durable. Notices may arrive out of order; the highest revision wins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Notice {
    /// The stored revision of the database after the change.
    pub revision: u64,
    /// Sessions whose view or record changed. What the messages of a record wait for also changes with `endpoints`, which names none of them.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub sessions: Vec<SessionKey>,
    /// The outbox changed.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub outbox: bool,
    /// An endpoint, the integration itself, or what the app reported about the network changed.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub endpoints: bool,
    /// The list of workflows changed.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub workflows: bool,
    /// Another process changed something; everything may be different.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub everything: bool,
    /// Messages that failed for good with this change, or wait for a person since this change.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub attention: Vec<Attention>,
}

/// A message that needs a person, reported so that an app can show a notification. It is reported once while that lasts, by the process whose
/// attempt found it, and only for the message of that attempt: others of the same endpoint may wait for the same reason without an attempt.
/// Results of the app's own calls (for instance an endpoint that it disables) are not reported, nor what another process found. Lists and
/// totals of the outbox contain all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Attention {
    /// The session of the message.
    pub session: SessionKey,
    /// Key of the action.
    pub action: String,
    /// The message.
    pub delivery_id: DeliveryId,
    /// Key of the endpoint.
    pub endpoint: String,
    /// Whether it failed for good. Otherwise it waits, and is sent automatically once the reason is gone.
    pub failed: bool,
    /// Why: a reason as the record shows it.
    pub reason: String,
}
