//! The outbox as apps see it.

use serde::{Deserialize, Serialize};

use super::{DeliveryId, SessionKey, SessionState, Timestamp, WorkflowRef};

/// The largest body that is ever sent, in bytes. Larger ones are common causes of a 413, and during a larger upload an early 413 can be
/// lost in a broken connection.
pub const MAX_BODY: usize = 256 * 1024;

/// The message of one action in one revision, and the state of its delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Delivery {
    /// Header `webhook-id`; the same in every attempt.
    pub id: DeliveryId,
    /// 1, and a higher one with every corrected send: usually the next.
    pub revision: u32,
    /// The number of this replay of a delivered message, which has the same id and bytes; 0: the message itself.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    #[serde(default)]
    pub replay: u32,
    /// Its state.
    pub state: DeliveryState,
    /// Why: an open set of codes, listed in `docs/delivery.md`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub reason: Option<String>,
    /// Key of the endpoint.
    pub endpoint: String,
    /// When its bytes were frozen.
    pub frozen_at: Timestamp,
    /// When the receiver's 2xx was read.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub sent_at: Option<Timestamp>,
    /// When the next attempt is due, if only time decides. After an attempt that failed without a network, all messages of its endpoint wait.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub next_attempt_at: Option<Timestamp>,
    /// How many attempts were begun.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub attempts: u32,
    /// The last ten attempts, the first, and every one that delivered; newest first.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub last_attempts: Vec<Attempt>,
    /// Whether some attempt ended without a known outcome, so that the receiver may have the message although it is not `sent`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub may_have_been_delivered: bool,
    /// Size of the body in bytes.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub body_size: u64,
    /// SHA-256 of the body, in hexadecimal.
    pub body_sha256: String,
    /// Keys of the fields whose values were redacted and are still in the body; none once the body was dropped.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub holds_redacted: Vec<String>,
}

/// The state of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waiting, or an attempt is running.
    Pending,
    /// The receiver answered 2xx. Final.
    Sent,
    /// Failed for good, or abandoned.
    Failed,
    /// Replaced by a corrected revision.
    Superseded,
}

/// One HTTP attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Attempt {
    /// From 1, over the life of the message.
    pub number: u32,
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub duration_ms: u64,
    /// The status code, when an answer was read.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub status: Option<u16>,
    /// What it meant: `sent`, or a reason code of `docs/delivery.md`.
    pub outcome: String,
    /// Whether it used up retry budget.
    pub counted: bool,
    /// Whether the receiver may have got the message although no answer was read.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub may_have_been_delivered: bool,
}

/// A line in the list of the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct OutboxItem {
    /// The session it belongs to.
    pub session: SessionKey,
    /// Its workflow.
    pub workflow: WorkflowRef,
    /// Key of the action.
    pub action: String,
    /// Name of the action.
    pub action_name: String,
    /// The message.
    pub delivery: Delivery,
    /// Whether it needs a person: it failed, or the reason it waits for does not pass without one.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub needs_person: bool,
}

/// Which messages to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct OutboxFilter {
    /// In one of these states. None given: pending and failed, abandoned ones too.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub states: Vec<DeliveryState>,
    /// Of this endpoint. A key that no endpoint has finds nothing.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub endpoint: Option<String>,
}

/// One page of the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct OutboxPage {
    /// Oldest first.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub items: Vec<OutboxItem>,
    /// Give this to the next call to get the next page; none on the last page.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub next: Option<String>,
}

/// What is in the outbox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct OutboxTotals {
    /// Messages that wait.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub pending: u64,
    /// Messages that failed and were neither abandoned nor superseded.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub failed: u64,
    /// When the oldest message that is pending or failed was frozen.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub oldest_unsent_at: Option<Timestamp>,
    /// Bytes of the bodies that are pending or failed.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub unsent_bytes: u64,
    /// Messages that need a person.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub needs_person: u64,
    /// Actions that did not fire because the integration was off when their session was completed: nothing was sent for them.
    /// `send_not_fired` sends them. They are not messages, and not in the counts above.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub not_fired: u64,
}

/// Which of the actions that did not fire to send; all where no condition is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NotFiredFilter {
    /// To this endpoint, which may be unregistered. A key that no endpoint, message or action has is refused.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub endpoint: Option<String>,
    /// Of sessions that were completed then or later.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub finished_from: Option<Timestamp>,
    /// Of sessions that were completed before then.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub finished_until: Option<Timestamp>,
}

/// Which delivered messages to replay. All conditions have to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ReplayFilter {
    /// To this endpoint, which may be unregistered. A key that no endpoint, message or action has is refused.
    pub endpoint: String,
    /// Delivered then or later.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub sent_from: Option<Timestamp>,
    /// Delivered before then.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub sent_until: Option<Timestamp>,
}

/// What a replay of many messages did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ReplayReport {
    /// Messages that are sent once more.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub replayed: u32,
    /// Messages that cannot be: their bodies were dropped after their retention, or removed by a redaction.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub body_dropped: u32,
    /// Delivered messages of the filter that this call has not reached.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub left: u64,
    /// Give this to the next call to go on with them; none where nothing is left.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub next: Option<String>,
}

/// The exact message, for a person to look at. Before the session is completed, its `completed_at` is the moment of the preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct MessagePreview {
    /// Key of the action.
    pub action: String,
    /// Key of the endpoint.
    pub endpoint: String,
    /// The body, byte for byte.
    pub body: String,
    /// Header `compass-workflow-version`.
    pub workflow_version: String,
    /// Header `compass-session-state`, where it is sent.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub session_state: Option<SessionState>,
}

/// How `flush` ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(rename_all = "snake_case")]
pub enum FlushEnd {
    /// Nothing more is due now. Messages may still wait for a time, a secret or a person: [`FlushReport::pending`] counts them.
    Drained,
    /// The deadline came.
    Deadline,
    /// It was cancelled.
    Cancelled,
    /// The handle is or was quiesced, or closed: nothing leaves before `resume`.
    Quiesced,
    /// There is no network: the app reported that, or attempts failed for lack of one. An urgent flush tries all the same, so messages may have
    /// been sent.
    Offline,
}

/// What `flush` did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct FlushReport {
    /// How it ended.
    pub end: FlushEnd,
    /// Attempts begun, including those that found no secret and sent nothing.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub attempts: u32,
    /// Messages delivered.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub sent: u32,
    /// Messages that will get another attempt.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub retrying: u32,
    /// Messages that ended `failed`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub failed: u32,
    /// Messages that still wait.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub pending: u64,
}

/// When `flush` next has something to do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NextDue {
    /// The earliest moment at which a message that waits only for a time is due, on any network.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub at: Option<Timestamp>,
    /// The same, among messages that wait for an unmetered network.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub at_needs_unmetered: Option<Timestamp>,
    /// A message is sent as soon as there is such a network, at any time.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub when_online: Option<NetworkNeed>,
    /// A message needs a person: neither time nor a network ends its wait.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub needs_person: bool,
}

/// The kind of network a message waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(rename_all = "snake_case")]
pub enum NetworkNeed {
    /// Any.
    Any,
    /// One that costs nothing.
    Unmetered,
}

/// What the app knows of the network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Connectivity {
    /// The app has reported nothing; delivery is attempted, also to endpoints that want a network that costs nothing.
    #[default]
    Unknown,
    /// No network; nothing is attempted, unless a person asks for an urgent `flush`.
    Offline,
    /// There is a network.
    Online {
        /// Whether the platform has reached the internet over it. Used to classify failures; never delays an attempt.
        validated: Option<bool>,
        /// Whether its use costs money.
        metered: bool,
        /// The platform's number of this network, where it has one, so that a change from one network to another is seen. Not stored.
        #[serde(default)]
        #[cfg_attr(feature = "uniffi", uniffi(default = None))]
        network: Option<u64>,
    },
}

/// The answer to a test delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct TestDelivery {
    /// Whether the endpoint answered 2xx.
    pub delivered: bool,
    /// The status code, when an answer was read.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub status: Option<u16>,
    /// What it means: `sent`, or a reason code of `docs/delivery.md`.
    pub outcome: String,
    /// How long it took.
    pub duration_ms: u64,
}
