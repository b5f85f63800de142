//! What observers are told.

use serde::{Deserialize, Serialize};

use super::{DeliveryId, SessionKey};

/// Something changed and is durable. Notices may arrive out of order; the highest revision wins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Notice {
    /// The persisted revision of the database after the change.
    pub revision: u64,
    /// Sessions whose view or record changed.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub sessions: Vec<SessionKey>,
    /// The outbox changed.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub outbox: bool,
    /// An endpoint, or the integration itself, changed.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub endpoints: bool,
    /// The list of workflows changed.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub workflows: bool,
    /// Another process changed something; everything may be different.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub everything: bool,
    /// Messages that failed for good with this change, or that wait for a person since.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub attention: Vec<Attention>,
}

/// A message that delivery cannot bring on by itself any more, told so that an app can show a notification or report it. Told once while that
/// lasts, by the process whose try found it out, of the message that was tried: others of the same endpoint may wait for the same, untried. What
/// comes of a call of the app itself (an endpoint switched off, say) is not told, nor what another process found. Lists and totals of the
/// outbox have all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Attention {
    /// The session that the message is of.
    pub session: SessionKey,
    /// Key of the action.
    pub action: String,
    /// The message.
    pub delivery_id: DeliveryId,
    /// Key of the endpoint.
    pub endpoint: String,
    /// Whether it failed for good. Otherwise it waits, and leaves by itself once the reason is gone.
    pub failed: bool,
    /// Why: a reason as the record shows it.
    pub reason: String,
}
