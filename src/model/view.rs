//! Everything a screen of a session in progress shows.

use serde::{Deserialize, Serialize};

use super::{
    ActionPreview, Answer, FieldDefinition, FieldState, Problem, Response, SessionKey, SessionState, Timestamp, ValueSource, WorkflowRef,
};

/// A session as the technician sees it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SessionView {
    /// The session; also `key` of the payload.
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
    /// The number of the current visit; moves carry it.
    pub visit: u32,
    /// The current section.
    pub section: SectionView,
    /// The current section's fields, in its order.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub fields: Vec<FieldView>,
    /// The current section's answers; none on an end section.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub answers: Vec<Answer>,
    /// The workflow's responses.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub responses: Vec<Response>,
    /// The visits that led here, the current one last.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub path: Vec<PathStep>,
    /// The notes so far.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub notes: Vec<Note>,
    /// Half-typed text of a note that was saved and not yet added.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub note_draft: Option<String>,
    /// What is missing in the current section before an answer can be chosen.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub problems: Vec<Problem>,
    /// Whether `complete` would succeed: this is an end section and nothing on the path is missing.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub can_complete: bool,
    /// What is missing anywhere on the path before the session can be completed.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub completion_problems: Vec<Problem>,
    /// What completing here would fire, in path order. Of a finished session: empty, see its record.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub would_fire: Vec<ActionPreview>,
}

/// The texts of a section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SectionView {
    /// Key of the section.
    pub key: String,
    /// Its heading.
    pub name: String,
    /// What the technician reads.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub content: String,
    /// Whether the session can be completed here.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub is_end: bool,
    /// Whether completing here is a win.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub win: bool,
}

/// A field with what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct FieldView {
    /// The question.
    pub definition: FieldDefinition,
    /// What it holds.
    pub state: FieldState,
    /// When it was set to that.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub completed_at: Option<Timestamp>,
    /// Where that came from.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub source: Option<ValueSource>,
    /// Half-typed raw text that was saved and not yet set.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub draft: Option<String>,
    /// What is missing.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub problem: Option<Problem>,
}

/// One visit on the path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct PathStep {
    /// The visit's number; `back` takes it.
    pub visit: u32,
    /// Key of the section.
    pub section: String,
    /// Its heading.
    pub section_name: String,
    /// When the visit began.
    pub at: Timestamp,
    /// Key of the answer that was chosen; none yet for the current visit.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub answer: Option<String>,
    /// Name of that answer.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub answer_name: Option<String>,
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Note {
    /// Names the note within its session.
    pub seq: u32,
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub actor: Option<String>,
    /// What it says now; none: that was redacted.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub text: Option<String>,
    /// Whether it was edited after the end of the session.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub edited: bool,
}
