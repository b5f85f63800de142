//! The workflow document: sections linked by answers, a field library, responses and actions.

use serde::{Deserialize, Serialize};

use super::FieldDefinition;

/// The only document format there is.
pub const WORKFLOW_FORMAT: u32 = 1;

/// A workflow document, format 1. `docs/workflow-format.md` describes it and `docs/workflow.schema.json` is its JSON Schema.
///
/// Unknown members of a document are ignored here; the original bytes are kept by the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Workflow {
    /// The format of the document: 1.
    pub format: u32,
    /// Identifies the workflow over all its versions, for instance `boiler-service`.
    pub key: String,
    /// The publisher's version, from 1.
    pub version: u32,
    /// 0 as published; raised by each change made on the phone with the authoring helpers.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub local_revision: u32,
    /// Its name for technicians.
    pub name: String,
    /// A line or two for the list of workflows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub description: Option<String>,
    /// Key of the section every session begins in.
    pub start: String,
    /// The field library: every question that sections of this workflow may ask.
    #[serde(default)]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub fields: Vec<FieldDefinition>,
    /// Objections and customer questions a technician may use during a session.
    #[serde(default)]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub responses: Vec<Response>,
    /// The sections. Their order is the author's; the path is made by answers.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub sections: Vec<Section>,
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}

impl Workflow {
    /// The section with this key.
    pub fn section(&self, key: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.key == key)
    }

    /// The definition of this field in the library.
    pub fn field(&self, key: &str) -> Option<&FieldDefinition> {
        self.fields.iter().find(|field| field.key == key)
    }

    /// The response with this key.
    pub fn response(&self, key: &str) -> Option<&Response> {
        self.responses.iter().find(|response| response.key == key)
    }

    /// The section that carries the action with this key, and the action.
    pub fn action(&self, key: &str) -> Option<(&Section, &ActionDefinition)> {
        self.sections.iter().find_map(|section| section.actions.iter().find(|action| action.key == key).map(|action| (section, action)))
    }

    /// Which document this is, without its content.
    pub fn reference(&self) -> WorkflowRef {
        WorkflowRef { key: self.key.clone(), name: self.name.clone(), version: self.version, local_revision: self.local_revision }
    }
}

/// Names one workflow document.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct WorkflowRef {
    /// The workflow's key.
    pub key: String,
    /// The workflow's name in this version.
    pub name: String,
    /// The publisher's version.
    pub version: u32,
    /// 0 as published.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub local_revision: u32,
}

impl WorkflowRef {
    /// The version as the header `compass-workflow-version` shows it: `3`, or `3.1` with a local revision.
    pub fn version_label(&self) -> String {
        match self.local_revision {
            0 => self.version.to_string(),
            revision => format!("{}.{revision}", self.version),
        }
    }
}

/// One step of a workflow. Without answers it is an end section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Section {
    /// Unique among the sections of the document.
    pub key: String,
    /// The heading on the screen.
    pub name: String,
    /// What the technician reads; plain text, blank lines separate paragraphs.
    #[serde(default)]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub content: String,
    /// Keys of the fields asked here, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub fields: Vec<String>,
    /// The choices that lead on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub answers: Vec<Answer>,
    /// What encountering this section triggers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub actions: Vec<ActionDefinition>,
    /// A session that is completed here is won. Only an end section may say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub win: bool,
}

impl Section {
    /// Whether a session can be completed here.
    pub fn is_end(&self) -> bool {
        self.answers.is_empty()
    }
}

/// A choice in a section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Answer {
    /// Unique among the answers of its section.
    pub key: String,
    /// The words on the button.
    pub name: String,
    /// Key of the section it leads to. Without it the workflow is incomplete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub next: Option<String>,
}

/// An objection or a customer question, with words to respond to it. Using one is logged and does not move the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Response {
    /// Unique among the responses of the document.
    pub key: String,
    /// What the customer says.
    pub name: String,
    /// Which kind of response it is.
    pub kind: ResponseKind,
    /// What the technician can say.
    #[serde(default)]
    pub content: String,
}

/// The two kinds of responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(rename_all = "snake_case")]
pub enum ResponseKind {
    /// "Handle objection".
    Objection,
    /// "Response to customer question".
    CustomerQuestion,
}

/// What a section triggers when a session that encountered it is completed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ActionDefinition {
    /// Unique in the whole document: an action fires once per session and action.
    pub key: String,
    /// Its name in the session record.
    pub name: String,
    /// The integration that carries it out.
    pub integration: Integration,
    /// What it does.
    pub kind: ActionKind,
    /// Key of the endpoint the message goes to.
    pub endpoint: String,
    /// An edit after completion is sent as a correction at once (`"on_edit": "send"`), without a person who asks for it.
    #[serde(default, rename = "on_edit", with = "on_edit", skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub sends_edits: bool,
    /// Keys of the fields that its messages hold; none: all fields of the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub fields: Option<Vec<String>>,
    /// Keys of the fields that its messages leave out; not beside `fields`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub fields_except: Vec<String>,
}

impl ActionDefinition {
    /// An action that posts the completed session, with all fields of its path, to an endpoint. A person sends corrections.
    pub fn send_message(key: impl Into<String>, name: impl Into<String>, endpoint: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            name: name.into(),
            integration: Integration::Webhooks,
            kind: ActionKind::SendMessage,
            endpoint: endpoint.into(),
            sends_edits: false,
            fields: None,
            fields_except: Vec::new(),
        }
    }

    /// Whether its messages hold this field, once it has a value.
    pub fn sends(&self, field: &str) -> bool {
        let lists = |fields: &[String]| fields.iter().any(|listed| listed == field);
        self.fields.as_deref().is_none_or(lists) && !lists(&self.fields_except)
    }
}

/// `ask` or `send`.
mod on_edit {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(sends: &bool, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if *sends { "send" } else { "ask" })
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
        String::deserialize(deserializer).map(|word| word == "send")
    }
}

/// The integrations the core knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(rename_all = "snake_case")]
pub enum Integration {
    /// Webhooks: fires silently when the session is completed.
    Webhooks,
}

/// The kinds of action the core knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// "Send Message": POST the completed session to an endpoint.
    SendMessage,
}
