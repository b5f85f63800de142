//! The event log of a session: the technician's acts and nothing else.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FieldState, RedactionTarget, Timestamp, ValueSource, WorkflowRef, note_text};

/// The version of the events' shape that this release writes.
pub const EVENT_VERSION: u32 = 1;

/// One act in the log of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// From 1, without gaps, in the order of the acts.
    pub seq: u32,
    /// The shape of `act`.
    pub v: u32,
    /// When: the time of the phone's clock, but never earlier than the previous act.
    pub at: Timestamp,
    /// The time of the clock, if that was earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_at: Option<Timestamp>,
    /// Seconds that local time was ahead of UTC.
    pub utc_offset: i32,
    /// Who.
    pub actor: Option<String>,
    /// The caller's id of the command, if this kind of command has one.
    pub command_id: Option<String>,
    /// What happened.
    pub act: Act,
}

/// What a technician did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", try_from = "Members")]
pub enum Act {
    /// The session began with visit 1 in the start section.
    Started {
        /// The document it is pinned to.
        workflow: WorkflowRef,
        /// Hash of that document.
        workflow_hash: String,
        /// The values it began with.
        prefill: Vec<ValueSet>,
    },
    /// Fields were set, cleared or marked.
    FieldsSet {
        /// What they hold now.
        values: Vec<ValueSet>,
    },
    /// An answer was chosen.
    Answered {
        /// The visit it was chosen in.
        visit: u32,
        /// Key of the answer.
        answer: String,
        /// The visit it led to.
        next_visit: u32,
        /// Key of the section of that visit.
        next_section: String,
    },
    /// The technician went back: the target and all visits after it are superseded by a new one in the target's section.
    WentBack {
        /// The visit it was left from.
        visit: u32,
        /// The visit it went back to.
        to_visit: u32,
        /// The new visit.
        next_visit: u32,
        /// Key of the section of the new visit.
        next_section: String,
    },
    /// A response was used.
    ResponseUsed {
        /// The visit it was used in.
        visit: u32,
        /// Key of the response.
        response: String,
    },
    /// A note was added. Its `seq` names the note.
    Noted {
        /// What it says; none: that was redacted.
        #[serde(with = "note_text")]
        text: Option<String>,
    },
    /// The session was completed on an end section.
    Completed {
        /// That visit.
        visit: u32,
        /// Whether the end section counts as a win.
        won: bool,
    },
    /// The session was ended at once.
    Ended {
        /// Why.
        reason: String,
    },
    /// The session was thrown away.
    Discarded,
    /// Fields or notes were edited after the end.
    Edited {
        /// The fields, each with what it held and what it holds now.
        fields: Vec<FieldEdit>,
        /// The notes.
        notes: Vec<NoteEdit>,
        /// Why, where that was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A person asked for an action to be sent (again).
    SendRequested {
        /// Key of the action.
        action: String,
        /// With the edited values, as a new revision.
        corrected: bool,
        /// The revision that is sent.
        revision: u32,
        /// The bytes were delivered, and are sent once more.
        #[serde(default, skip_serializing_if = "is_false")]
        replay: bool,
    },
    /// A person abandoned an undelivered message.
    Abandoned {
        /// Key of the action.
        action: String,
        /// Why.
        reason: String,
    },
    /// A value or a note was redacted. Earlier events no longer hold it.
    Redacted {
        /// Which one.
        target: RedactionTarget,
        /// Why.
        reason: String,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_false(value: &bool) -> bool {
    !value
}

/// The members that an act may have in JSON. Read directly: serde reads an internally tagged enum into a buffer first, and compiles every
/// type in it a second time for that.
#[derive(Deserialize)]
struct Members {
    act: String,
    action: Option<String>,
    answer: Option<String>,
    corrected: Option<bool>,
    fields: Option<Vec<FieldEdit>>,
    next_section: Option<String>,
    next_visit: Option<u32>,
    notes: Option<Vec<NoteEdit>>,
    prefill: Option<Vec<ValueSet>>,
    reason: Option<String>,
    replay: Option<bool>,
    response: Option<String>,
    revision: Option<u32>,
    target: Option<RedactionTarget>,
    text: Option<Value>,
    to_visit: Option<u32>,
    values: Option<Vec<ValueSet>>,
    visit: Option<u32>,
    won: Option<bool>,
    workflow: Option<WorkflowRef>,
    workflow_hash: Option<String>,
}

impl TryFrom<Members> for Act {
    type Error = &'static str;

    fn try_from(members: Members) -> Result<Self, Self::Error> {
        members.act().ok_or("an act that is not known, or without one of its members")
    }
}

impl Members {
    fn act(self) -> Option<Act> {
        Some(match self.act.as_str() {
            "started" => Act::Started { workflow: self.workflow?, workflow_hash: self.workflow_hash?, prefill: self.prefill? },
            "fields_set" => Act::FieldsSet { values: self.values? },
            "answered" => {
                Act::Answered { visit: self.visit?, answer: self.answer?, next_visit: self.next_visit?, next_section: self.next_section? }
            }
            "went_back" => Act::WentBack {
                visit: self.visit?,
                to_visit: self.to_visit?,
                next_visit: self.next_visit?,
                next_section: self.next_section?,
            },
            "response_used" => Act::ResponseUsed { visit: self.visit?, response: self.response? },
            "noted" => Act::Noted { text: note_text::read(&self.text?)? },
            "completed" => Act::Completed { visit: self.visit?, won: self.won? },
            "ended" => Act::Ended { reason: self.reason? },
            "discarded" => Act::Discarded,
            "edited" => Act::Edited { fields: self.fields?, notes: self.notes?, reason: self.reason },
            "send_requested" => Act::SendRequested {
                action: self.action?,
                corrected: self.corrected?,
                revision: self.revision?,
                replay: self.replay.unwrap_or_default(),
            },
            "abandoned" => Act::Abandoned { action: self.action?, reason: self.reason? },
            "redacted" => Act::Redacted { target: self.target?, reason: self.reason? },
            _ => return None,
        })
    }
}

impl Act {
    /// The value of the column `type`; also the tag in its JSON.
    pub fn type_name(&self) -> &'static str {
        match self {
            Act::Started { .. } => "started",
            Act::FieldsSet { .. } => "fields_set",
            Act::Answered { .. } => "answered",
            Act::WentBack { .. } => "went_back",
            Act::ResponseUsed { .. } => "response_used",
            Act::Noted { .. } => "noted",
            Act::Completed { .. } => "completed",
            Act::Ended { .. } => "ended",
            Act::Discarded => "discarded",
            Act::Edited { .. } => "edited",
            Act::SendRequested { .. } => "send_requested",
            Act::Abandoned { .. } => "abandoned",
            Act::Redacted { .. } => "redacted",
        }
    }
}

/// What a field holds after an act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueSet {
    /// Key of the field.
    pub field: String,
    /// What it holds.
    pub to: FieldState,
    /// Where that came from.
    pub source: ValueSource,
}

/// An edit of a field after the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldEdit {
    /// Key of the field.
    pub field: String,
    /// What it held.
    pub from: FieldState,
    /// What it holds now.
    pub to: FieldState,
}

/// An edit of a note after the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NoteEdit {
    /// The `seq` of the note.
    pub note: u32,
    /// What it said; none: that was redacted.
    #[serde(with = "note_text")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub from: Option<String>,
    /// What it says now; none: that was redacted.
    #[serde(with = "note_text")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub to: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::{from_str, to_string};

    use super::*;
    use crate::model::{FieldValue, ValueSource};

    #[test]
    fn every_act_reads_back_as_it_was_written() {
        let text = |text: &str| FieldState::Provided(FieldValue::Text(text.to_owned()));
        let set = ValueSet { field: "name".into(), to: text("Ada"), source: ValueSource::Prefill("crm".into()) };
        let workflow = WorkflowRef { key: "boiler".into(), name: "Boiler".into(), version: 2, local_revision: 1 };
        let acts = [
            Act::Started { workflow, workflow_hash: "00ff".into(), prefill: vec![set.clone()] },
            Act::FieldsSet { values: vec![set] },
            Act::Answered { visit: 1, answer: "yes".into(), next_visit: 2, next_section: "end".into() },
            Act::WentBack { visit: 2, to_visit: 1, next_visit: 3, next_section: "start".into() },
            Act::ResponseUsed { visit: 1, response: "price".into() },
            Act::Noted { text: Some("A note".into()) },
            Act::Noted { text: None },
            Act::Completed { visit: 3, won: true },
            Act::Ended { reason: "nobody there".into() },
            Act::Discarded,
            Act::Edited {
                fields: vec![FieldEdit { field: "name".into(), from: text("Ada"), to: FieldState::Empty }],
                notes: vec![NoteEdit { note: 6, from: Some("A note".into()), to: None }],
                reason: Some("a slip".into()),
            },
            Act::Edited { fields: vec![], notes: vec![], reason: None },
            Act::SendRequested { action: "send".into(), corrected: true, revision: 2, replay: false },
            Act::Abandoned { action: "send".into(), reason: "on paper".into() },
            Act::Redacted { target: RedactionTarget::Field { key: "name".into() }, reason: "not hers".into() },
            Act::Redacted { target: RedactionTarget::Note { seq: 6 }, reason: "not hers".into() },
        ];
        for act in acts {
            let json = to_string(&act).unwrap();
            assert!(json.starts_with(&format!("{{\"act\":\"{}\"", act.type_name())), "{json}");
            assert_eq!(from_str::<Act>(&json).unwrap(), act, "{json}");
        }
    }

    #[test]
    fn an_act_that_is_unknown_or_lacks_a_member_is_refused() {
        for json in [
            r#"{"act":"sold"}"#,
            r#"{"act":"noted"}"#,
            r#"{"act":"noted","text":{"redacted":false}}"#,
            r#"{"text":"A note"}"#,
            r#"{"act":"completed","visit":1,"won":null}"#,
        ] {
            assert!(from_str::<Act>(json).is_err(), "{json}");
        }
    }
}
