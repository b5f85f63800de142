//! What a technician does in a session.

use serde::{Deserialize, Serialize};

use super::{FieldState, FieldValue, SessionRecord, SessionView, ValueSource};

/// One change of a session. Several can be made in one call (`Compass::run`), which costs one fsync.
///
/// Moves carry the number of the visit they expect to be in, so that a double tap changes nothing. Acts that add something carry a
/// `command_id` made by the caller, unique over everything the caller ever does, so that a repeated call changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Sets, clears or marks fields of sections on the path. One invalid value refuses the whole command.
    SetFields {
        /// The changes, each field at most once.
        changes: Vec<FieldChange>,
    },
    /// Chooses an answer of the current section and moves on.
    Answer {
        /// The visit the technician is looking at.
        visit: u32,
        /// Key of the answer.
        answer: String,
    },
    /// Goes back to an earlier visit of the path.
    Back {
        /// The visit the technician is looking at.
        visit: u32,
        /// The earlier visit on the path.
        to_visit: u32,
    },
    /// Records that a response was used; the session stays in its section.
    UseResponse {
        /// Makes a repeated call harmless.
        command_id: String,
        /// Key of the response.
        response: String,
    },
    /// Adds a note, in every state except discarded.
    Note {
        /// Makes a repeated call harmless.
        command_id: String,
        /// What the technician writes.
        text: String,
    },
    /// Completes the session; only on an end section.
    Complete {
        /// The visit the technician is looking at.
        visit: u32,
    },
    /// Ends the session at once, from anywhere. Nothing fires.
    End {
        /// Makes a repeated call harmless.
        command_id: String,
        /// Why.
        reason: String,
    },
    /// Throws the session away; refused once it is completed or ended.
    Discard,
    /// Changes fields and notes of a completed or ended session. Frozen messages do not change; a correction sends the new values.
    Edit {
        /// Makes a repeated call harmless.
        command_id: String,
        /// The changes of fields.
        #[cfg_attr(feature = "uniffi", uniffi(default))]
        fields: Vec<FieldChange>,
        /// The changes of notes.
        #[cfg_attr(feature = "uniffi", uniffi(default))]
        notes: Vec<NoteChange>,
        /// Why; it stays in the record.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "uniffi", uniffi(default))]
        reason: Option<String>,
    },
}

impl Command {
    /// The caller's id of this command, if this kind of command has one.
    pub fn command_id(&self) -> Option<&str> {
        match self {
            Command::UseResponse { command_id, .. }
            | Command::Note { command_id, .. }
            | Command::End { command_id, .. }
            | Command::Edit { command_id, .. } => Some(command_id),
            Command::SetFields { .. } | Command::Answer { .. } | Command::Back { .. } | Command::Complete { .. } | Command::Discard => None,
        }
    }
}

/// A change of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct FieldChange {
    /// Key of the field.
    pub field: String,
    /// Its new state.
    pub change: Change,
}

/// The new state of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(tag = "to", content = "value", rename_all = "snake_case")]
pub enum Change {
    /// This value. An empty text or an empty choice makes the field "empty".
    Set(FieldValue),
    /// Nothing: "not provided".
    Clear,
    /// "Not applicable".
    NotApplicable,
}

impl Change {
    /// The state of a field after this change; an empty text makes it "empty". `validate` decides whether the field accepts it.
    pub fn to_state(&self) -> FieldState {
        match self {
            Change::Set(FieldValue::Text(text)) if text.is_empty() => FieldState::Empty,
            Change::Set(FieldValue::Choice(key)) if key.is_empty() => FieldState::Empty,
            Change::Set(FieldValue::Choices(keys)) if keys.is_empty() => FieldState::Empty,
            Change::Set(value) => FieldState::Provided(value.clone()),
            Change::Clear => FieldState::NotProvided,
            Change::NotApplicable => FieldState::NotApplicable,
        }
    }
}

impl FieldState {
    /// The change that gives a field this state. None for a redacted field: no change makes one.
    pub fn to_change(&self) -> Option<Change> {
        Some(match self {
            FieldState::Provided(value) => Change::Set(value.clone()),
            FieldState::Empty => Change::Set(FieldValue::Text(String::new())),
            FieldState::NotProvided => Change::Clear,
            FieldState::NotApplicable => Change::NotApplicable,
            FieldState::Redacted => return None,
        })
    }
}

/// A change of one note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NoteChange {
    /// The `seq` of the note in the record.
    pub note: u32,
    /// The new text.
    pub text: String,
}

/// A value given to a field before the session starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Prefill {
    /// Key of any field of the workflow.
    pub field: String,
    /// The value.
    pub value: FieldValue,
    /// The caller's name for where it comes from, for instance `work-order`.
    pub source: String,
}

impl Prefill {
    /// Where the value came from, as the record keeps it.
    pub fn value_source(&self) -> ValueSource {
        ValueSource::Prefill(self.source.clone())
    }
}

/// Starts a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Start {
    /// Makes a repeated call harmless: it gives the session that the first one started.
    pub command_id: String,
    /// Key of the workflow.
    pub workflow: String,
    /// Which version; the current one when absent.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub version: Option<WorkflowVersion>,
    /// Who works. Any name or id the app uses.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub actor: Option<String>,
    /// Values that are known already.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub prefill: Vec<Prefill>,
}

impl Start {
    /// Starts the current version, with nothing known yet.
    pub fn new(workflow: impl Into<String>, command_id: impl Into<String>) -> Self {
        Self { command_id: command_id.into(), workflow: workflow.into(), version: None, actor: None, prefill: Vec::new() }
    }
}

/// One version of a workflow: newest is the highest `version`, then the highest `local_revision`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct WorkflowVersion {
    /// The publisher's version.
    pub version: u32,
    /// 0 as published.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub local_revision: u32,
}

/// What a call did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(rename_all = "snake_case")]
pub enum Applied {
    /// The change was made and is durable.
    Yes,
    /// Nothing changed: the session had moved on, and the screen was out of date. New notes of the call were still added.
    Stale,
    /// Nothing changed: the same command was given before, even if it did nothing then.
    Repeated,
}

/// The answer to a command in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct CommandOutcome {
    /// What the call did.
    pub applied: Applied,
    /// The session now.
    pub view: SessionView,
}

/// The answer to a command on a finished session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct RecordOutcome {
    /// What the call did.
    pub applied: Applied,
    /// Whether an attempt of the message had begun and its outcome is not known yet: the message may still arrive. The record shows it later.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub in_flight: bool,
    /// The record now.
    pub record: SessionRecord,
}
