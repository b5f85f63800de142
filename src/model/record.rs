//! The record of a session: what happened, in order, and the status of its actions.

use serde::{Deserialize, Serialize};

use super::{
    Action, FieldDefinition, FieldState, Note, PathStep, RedactionTarget, ResponseKind, SessionKey, SessionState, Timestamp, ValueSource,
    WorkflowRef,
};

/// The chronological view of one session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SessionRecord {
    /// The session.
    pub key: SessionKey,
    /// The workflow, in the version it runs on.
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
    /// Why it was ended.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub end_reason: Option<String>,
    /// The visits that led to its current section.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub path: Vec<PathStep>,
    /// What the fields hold now: those of the path in path order, then any other that holds something.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub fields: Vec<RecordField>,
    /// The notes as they read now.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub notes: Vec<Note>,
    /// Half-typed text of a note that was saved and not yet added.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub note_draft: Option<String>,
    /// What happened, in order.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub timeline: Vec<TimelineItem>,
    /// Its actions with their messages, in path order. Empty until it is finished.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub actions: Vec<Action>,
}

/// A field of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct RecordField {
    /// The question.
    pub definition: FieldDefinition,
    /// Key of the first section on the path that asks it; none when no section on the path does.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub section: Option<String>,
    /// What it holds.
    pub state: FieldState,
    /// When it was set to that.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub completed_at: Option<Timestamp>,
    /// Where that came from.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub source: Option<ValueSource>,
    /// Half-typed raw text that was saved and not yet set: of a session in progress, until it is over, and of a record that is being edited.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub draft: Option<String>,
}

/// One line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct TimelineItem {
    /// Order within the session.
    pub seq: u32,
    /// When, by the phone's clock.
    pub at: Timestamp,
    /// Seconds that local time was ahead of UTC.
    pub utc_offset: i32,
    /// Who.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub actor: Option<String>,
    /// What.
    pub entry: TimelineEntry,
}

/// What a line of the timeline says. Names are those of the workflow version the session runs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum TimelineEntry {
    /// The session began in this section.
    Started {
        /// Name of the section.
        section_name: String,
        /// The values it began with.
        prefilled: Vec<FieldEntry>,
    },
    /// Fields were set, cleared or marked.
    FieldsSet {
        /// What they then held.
        fields: Vec<FieldEntry>,
    },
    /// An answer led on.
    Answered {
        /// Name of the section it was chosen in.
        section_name: String,
        /// Name of the answer.
        answer_name: String,
        /// The new visit.
        next_visit: u32,
        /// Name of the section it led to.
        next_section_name: String,
        /// Whether going back has superseded the visit it was chosen in.
        superseded: bool,
    },
    /// The technician went back.
    WentBack {
        /// The new visit.
        next_visit: u32,
        /// Name of the section it went back to.
        section_name: String,
    },
    /// A response was used.
    ResponseUsed {
        /// Key of the response.
        response: String,
        /// Its name.
        response_name: String,
        /// What it responds to.
        kind: ResponseKind,
        /// Name of the section it was used in.
        section_name: String,
    },
    /// A note was added.
    Noted {
        /// What it said then; none: that was redacted.
        text: Option<String>,
    },
    /// The session was completed.
    Completed {
        /// Name of the end section.
        section_name: String,
        /// Whether it was won.
        won: bool,
    },
    /// The session was ended at once.
    Ended {
        /// Name of the section it was ended in.
        section_name: String,
        /// Why.
        reason: String,
    },
    /// The session was thrown away.
    Discarded,
    /// Fields or notes were edited after the end.
    Edited {
        /// The fields.
        fields: Vec<FieldEditEntry>,
        /// The notes.
        notes: Vec<super::NoteEdit>,
        /// Why, where that was given.
        #[cfg_attr(feature = "uniffi", uniffi(default))]
        reason: Option<String>,
    },
    /// A person asked for an action to be sent (again).
    SendRequested {
        /// Key of the action.
        action: String,
        /// Its name.
        action_name: String,
        /// With the edited values, as a new revision.
        corrected: bool,
        /// The revision.
        revision: u32,
        /// The bytes were delivered, and are sent once more.
        #[cfg_attr(feature = "uniffi", uniffi(default))]
        #[serde(default)]
        replay: bool,
    },
    /// A person abandoned an undelivered message.
    Abandoned {
        /// Key of the action.
        action: String,
        /// Its name.
        action_name: String,
        /// Why.
        reason: String,
    },
    /// A value or a note was redacted.
    Redacted {
        /// Which one.
        target: RedactionTarget,
        /// Name of the field; none where it was a note.
        field_name: Option<String>,
        /// Why.
        reason: String,
    },
}

/// A field in a line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct FieldEntry {
    /// Key of the field.
    pub field: String,
    /// Its name.
    pub field_name: String,
    /// What it then held.
    pub state: FieldState,
}

/// An edited field in a line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct FieldEditEntry {
    /// Key of the field.
    pub field: String,
    /// Its name.
    pub field_name: String,
    /// What it held.
    pub from: FieldState,
    /// What it then held.
    pub to: FieldState,
}

/// The content of a webhook before it becomes bytes: the fields and times of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The session.
    pub key: SessionKey,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was completed, or ended when it is sent by hand.
    pub completed_at: Timestamp,
    /// The workflow.
    pub workflow: WorkflowRef,
    /// Fields that hold a value, each once, in path order and then section order.
    pub fields: Vec<SubmittedField>,
}

/// A field in a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmittedField {
    /// The question.
    pub definition: FieldDefinition,
    /// The answer to it.
    pub value: super::FieldValue,
    /// When it was given.
    pub completed_at: Timestamp,
}
