//! Sessions in lists.

use serde::{Deserialize, Serialize};

use super::{ActionStatus, SessionKey, Timestamp, WorkflowRef};

/// The state of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// Begun and not finished.
    InProgress,
    /// Finished on an end section; its actions fired.
    Completed,
    /// Ended at once with a reason; nothing fired.
    Ended,
    /// Thrown away.
    Discarded,
}

impl SessionState {
    /// The name in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            SessionState::InProgress => "in_progress",
            SessionState::Completed => "completed",
            SessionState::Ended => "ended",
            SessionState::Discarded => "discarded",
        }
    }

    /// Whether the session is completed or ended: it has a record that can be edited and sent from.
    pub fn is_finished(self) -> bool {
        matches!(self, SessionState::Completed | SessionState::Ended)
    }
}

/// One line in a list of sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SessionSummary {
    /// The session.
    pub key: SessionKey,
    /// Its workflow, in the version it runs on.
    pub workflow: WorkflowRef,
    /// Its state.
    pub state: SessionState,
    /// Whether it was won; only of a completed session.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub won: Option<bool>,
    /// Who started it.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub actor: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was completed, ended or discarded.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub finished_at: Option<Timestamp>,
    /// Name of the section it is in, or finished in.
    pub section_name: String,
    /// How many of its actions did not fire.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub actions_not_fired: u32,
    /// How many of its messages wait.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub actions_pending: u32,
    /// How many of its messages were delivered.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub actions_sent: u32,
    /// How many of its messages failed.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub actions_failed: u32,
    /// How many of its actions the session was edited after: their newest message says something else.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub actions_differing: u32,
}

/// Which sessions to list. Every condition that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SessionFilter {
    /// In one of these states. None given: every state but discarded.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub states: Vec<SessionState>,
    /// Of this workflow, by key.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub workflow: Option<String>,
    /// Started at or after.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub started_from: Option<Timestamp>,
    /// Started before.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub started_before: Option<Timestamp>,
    /// Won or not.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub won: Option<bool>,
    /// Started by.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub actor: Option<String>,
    /// With at least one action of this status.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub action_status: Option<ActionStatus>,
    /// With all of these words in notes, values, names of chosen options, of the section or of the workflow. The beginning of a word is
    /// enough; so is a part of three characters or more, or of two in scripts without spaces between words. Case and accents are ignored.
    /// A text of only signs finds nothing, a text of only white space sets no condition, and words after the sixteenth are ignored.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub text: Option<String>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SessionPage {
    /// Newest first.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub sessions: Vec<SessionSummary>,
    /// Give this to the next call to get the next page; none on the last page.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub next: Option<String>,
    /// Of a search: how many sessions changed since they were last indexed, so that they may be missing, or listed for their earlier content.
    /// `flush` and opening the database index a long backlog, which an update of the app may leave.
    #[serde(default)]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub not_indexed: u64,
}
