//! What observers are told.

use serde::{Deserialize, Serialize};

use super::SessionKey;

/// Something changed and is durable. Notices may arrive out of order; the highest revision wins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Notice {
    /// The persisted revision of the database after the change.
    pub revision: u64,
    /// Sessions whose view or record changed.
    pub sessions: Vec<SessionKey>,
    /// The outbox changed.
    pub outbox: bool,
    /// An endpoint, or the integration itself, changed.
    pub endpoints: bool,
    /// The list of workflows changed.
    pub workflows: bool,
    /// Another process changed something; everything may be different.
    pub everything: bool,
}
