//! Actions as the record shows them.

use serde::{Deserialize, Serialize};

use super::{Delivery, Integration};

/// The status of an action; [`Action::reason`] says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(rename_all = "snake_case")]
pub enum ActionStatus {
    /// Nothing was queued.
    NotFired,
    /// A message is queued and not yet delivered.
    Pending,
    /// The receiver answered 2xx.
    Sent,
    /// Delivery failed for good, or the message was abandoned.
    Failed,
}

impl ActionStatus {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            ActionStatus::NotFired => "not_fired",
            ActionStatus::Pending => "pending",
            ActionStatus::Sent => "sent",
            ActionStatus::Failed => "failed",
        }
    }
}

/// One action of a finished session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Action {
    /// Key of the action in the workflow.
    pub key: String,
    /// Its name.
    pub name: String,
    /// The integration that carries it out.
    pub integration: Integration,
    /// Key of the section that triggered it.
    pub section: String,
    /// Key of the endpoint.
    pub endpoint: String,
    /// Its status.
    pub status: ActionStatus,
    /// Why: an open set of codes, listed in `docs/delivery.md`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub reason: Option<String>,
    /// How many sends ended `failed`, over all revisions.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub failed_sends: u32,
    /// Whether so many sends failed that it cannot be sent again from the phone.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub locked: bool,
    /// Whether the session was edited since, so that its newest message says something else than the record does.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub differs_from_sent: bool,
    /// The newest revision that was delivered.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub delivered_revision: Option<u32>,
    /// Why the last edit was not sent although the document asks for that (`"on_edit": "send"`): `action_locked`,
    /// `payload_too_large`, `abandoned` or `corrupt`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub edit_not_sent: Option<String>,
    /// Whether `send` would be accepted now.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub can_send: bool,
    /// Whether `send_corrected` would be accepted now: its newest message differs from the record, is damaged (`corrupt`), or receivers may have
    /// a newer one of a database that a restore has replaced.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub can_send_corrected: bool,
    /// Whether `replay` would be accepted now, if the body of the delivered message is still there and holds no redacted value.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    #[serde(default)]
    pub can_replay: bool,
    /// Whether `abandon` would be accepted now.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub can_abandon: bool,
    /// Its messages, newest revision first. None when nothing was ever queued.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub deliveries: Vec<Delivery>,
    /// The replays of delivered messages, of the newest revision first.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    #[serde(default)]
    pub replays: Vec<Delivery>,
}

/// An action that completing the session now would fire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ActionPreview {
    /// Key of the action.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Key of the section that triggers it.
    pub section: String,
    /// Key of the endpoint.
    pub endpoint: String,
    /// How many bytes its message would have now. Known only in an end section.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub size: Option<u64>,
    /// Whether that is more than a message may have: completing works, and the message fails with `payload_too_large`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub too_large: bool,
}
