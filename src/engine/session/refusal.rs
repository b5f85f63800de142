//! Why the engine refuses a call.

use crate::model::{Problem, SessionState};

/// A call that cannot be carried out. Nothing was changed. Names places (keys of the document, numbers of visits), never a field's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The call needs a session in progress.
    #[error("the session is {} and no longer in progress", .state.as_str())]
    NotInProgress {
        /// The state of the session.
        state: SessionState,
    },
    /// Only a completed or ended session can be edited.
    #[error("the session is {}; only a completed or ended session can be edited", .state.as_str())]
    NotFinished {
        /// The state of the session.
        state: SessionState,
    },
    /// A completed or ended session stays.
    #[error("the session is {} and cannot be discarded", .state.as_str())]
    AlreadyFinished {
        /// The state of the session.
        state: SessionState,
    },
    /// A discarded session does not accept notes.
    #[error("the session is discarded")]
    Discarded,
    /// The session never had a visit of this number.
    #[error("the session has no visit {visit}")]
    UnknownVisit {
        /// The number that was given.
        visit: u32,
    },
    /// Going back leads to an earlier visit, not to the current one.
    #[error("visit {visit} is the current one; going back leads to an earlier one")]
    AlreadyThere {
        /// The number that was given.
        visit: u32,
    },
    /// The current section has no such answer.
    #[error("section `{section}` has no answer `{answer}`")]
    UnknownAnswer {
        /// Key of the current section.
        section: String,
        /// The key that was given.
        answer: String,
    },
    /// The answer is not linked to a section: the workflow is incomplete.
    #[error("answer `{answer}` of section `{section}` is not linked to a section")]
    UnlinkedAnswer {
        /// Key of the current section.
        section: String,
        /// Key of the answer.
        answer: String,
    },
    /// The document names a section that it does not have. Lint refuses such a document, so this means a damaged one.
    #[error("the workflow has no section `{section}`")]
    BrokenWorkflow {
        /// The key without a section.
        section: String,
    },
    /// The workflow has no such response.
    #[error("the workflow has no response `{response}`")]
    UnknownResponse {
        /// The key that was given.
        response: String,
    },
    /// The session has no such note.
    #[error("the session has no note {note}")]
    UnknownNote {
        /// The `seq` that was given.
        note: u32,
    },
    /// One call names a note twice.
    #[error("note {note} is named more than once in one call")]
    DuplicateNote {
        /// The `seq` that was given.
        note: u32,
    },
    /// The workflow's library has no such fields.
    #[error("the workflow has no field {}", quoted(.fields))]
    UnknownFields {
        /// The keys that were given.
        fields: Vec<String>,
    },
    /// No section on the path asks for these fields.
    #[error("no section on the path asks for {}", quoted(.fields))]
    FieldsNotOnPath {
        /// Their keys.
        fields: Vec<String>,
    },
    /// One call names these fields more than once.
    #[error("named more than once in one call: {}", quoted(.fields))]
    DuplicateFields {
        /// Their keys.
        fields: Vec<String>,
    },
    /// The call names nothing to change.
    #[error("the call names nothing to change")]
    NothingGiven,
    /// A session can only be completed on an end section.
    #[error("section `{section}` is not an end section")]
    NotAnEndSection {
        /// Key of the current section.
        section: String,
    },
    /// Values are missing or not acceptable: all of them at once.
    #[error("{} field(s) are missing or not acceptable: {}", .problems.len(), named(.problems))]
    Fields {
        /// One for each field concerned.
        problems: Vec<Problem>,
    },
    /// A text of the call, other than a field's value, is not acceptable.
    #[error("`{place}` {fault}")]
    Text {
        /// Which one: `command_id`, `actor`, `note`, `reason`, `prefill.source`.
        place: &'static str,
        /// What is wrong with it.
        fault: TextFault,
    },
}

/// What is wrong with a text of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TextFault {
    /// Nothing, or only white space.
    #[error("is blank")]
    Blank,
    /// Too many Unicode scalar values.
    #[error("is longer than {limit} characters")]
    TooLong {
        /// The largest allowed number.
        limit: usize,
    },
    /// A control character, line separator or directional override that is not allowed there.
    #[error("holds a control character")]
    ControlCharacter,
}

impl Refusal {
    /// A stable code, for programs and translations.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::NotInProgress { .. } => "not_in_progress",
            Refusal::NotFinished { .. } => "not_finished",
            Refusal::AlreadyFinished { .. } => "already_finished",
            Refusal::Discarded => "discarded",
            Refusal::UnknownVisit { .. } => "unknown_visit",
            Refusal::AlreadyThere { .. } => "already_there",
            Refusal::UnknownAnswer { .. } => "unknown_answer",
            Refusal::UnlinkedAnswer { .. } => "unlinked_answer",
            Refusal::BrokenWorkflow { .. } => "broken_workflow",
            Refusal::UnknownResponse { .. } => "unknown_response",
            Refusal::UnknownNote { .. } => "unknown_note",
            Refusal::DuplicateNote { .. } => "duplicate_note",
            Refusal::UnknownFields { .. } => "unknown_fields",
            Refusal::FieldsNotOnPath { .. } => "fields_not_on_path",
            Refusal::DuplicateFields { .. } => "duplicate_fields",
            Refusal::NothingGiven => "nothing_given",
            Refusal::NotAnEndSection { .. } => "not_an_end_section",
            Refusal::Fields { .. } => "field_problems",
            Refusal::Text { fault: TextFault::Blank, .. } => "blank",
            Refusal::Text { fault: TextFault::TooLong { .. }, .. } => "too_long",
            Refusal::Text { fault: TextFault::ControlCharacter, .. } => "control_character",
        }
    }

    /// The place in the call or the document that it is about, where there is one: keys, a visit's or a note's number.
    pub fn place(&self) -> Option<String> {
        match self {
            Refusal::UnknownVisit { visit } | Refusal::AlreadyThere { visit } => Some(visit.to_string()),
            Refusal::UnknownAnswer { section, answer } | Refusal::UnlinkedAnswer { section, answer } => Some(format!("{section}.{answer}")),
            Refusal::BrokenWorkflow { section } | Refusal::NotAnEndSection { section } => Some(section.clone()),
            Refusal::UnknownResponse { response } => Some(response.clone()),
            Refusal::UnknownNote { note } | Refusal::DuplicateNote { note } => Some(note.to_string()),
            Refusal::UnknownFields { fields } | Refusal::FieldsNotOnPath { fields } | Refusal::DuplicateFields { fields } => {
                Some(fields.join(", "))
            }
            Refusal::Fields { problems } => Some(problems.iter().map(|problem| problem.field.as_str()).collect::<Vec<_>>().join(", ")),
            Refusal::Text { place, .. } => Some((*place).to_owned()),
            Refusal::NotInProgress { .. }
            | Refusal::NotFinished { .. }
            | Refusal::AlreadyFinished { .. }
            | Refusal::Discarded
            | Refusal::NothingGiven => None,
        }
    }
}

fn quoted(keys: &[String]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}

fn named(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("`{}` ({})", problem.field, problem.code)).collect::<Vec<_>>().join(", ")
}
