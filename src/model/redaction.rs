//! Taking a value or a note out of a session for good.

use serde::{Deserialize, Serialize};

use super::{Applied, DeliveryId, Erased, SessionRecord};

/// What is redacted, by whom, and what happens to the messages that hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Redaction {
    /// Makes a repeated call harmless.
    pub command_id: String,
    /// The value or the note.
    pub target: RedactionTarget,
    /// Who redacts it.
    pub actor: String,
    /// Why. It stays in the record, so it must not say what is redacted.
    pub reason: String,
    /// What happens to messages that hold it and are not delivered.
    pub pending: RedactPending,
    /// What happens to the bodies of delivered messages that hold it.
    pub bodies: RedactBodies,
}

/// A value or a note of a session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(rename_all = "snake_case")]
pub enum RedactionTarget {
    /// Everything that a field of the workflow ever held in the session, on the path or off it, with its half-typed text.
    Field {
        /// Key of the field.
        key: String,
    },
    /// A note, with what it said before it was edited.
    Note {
        /// The `seq` of the note.
        seq: u32,
    },
}

/// What happens to messages that hold a redacted value and are neither delivered nor abandoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(rename_all = "snake_case")]
pub enum RedactPending {
    /// A revision without the value replaces them, as by `send_corrected`. If that is not allowed (the action is locked, or its payload is too
    /// large), they are abandoned. The bodies of those that are replaced or abandoned stay until the session is deleted or purged.
    Correct,
    /// They are abandoned at once, as by `abandon`, with the actor and the reason of the redaction. Their bodies stay until the session is
    /// deleted or purged.
    Abandon,
    /// They are still sent, with the value.
    Keep,
}

/// What happens to the bodies of delivered messages that hold a redacted value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(rename_all = "snake_case")]
pub enum RedactBodies {
    /// They are kept as long as other bodies of delivered messages.
    Keep,
    /// They are removed at once; hash and size stay. Bodies of messages that were not delivered stay.
    Forget,
}

/// What a redaction did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct RedactOutcome {
    /// What the call did. Stale: there was nothing to redact.
    pub applied: Applied,
    /// Whether an attempt of an abandoned message had begun and its outcome is not known yet: the message may still arrive.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub in_flight: bool,
    /// The messages whose bodies still hold it. The record names them until their bodies are removed, see
    /// [`Delivery::holds_redacted`](super::Delivery::holds_redacted).
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub bodies: Vec<DeliveryId>,
    /// Files that no session and no message that is kept refers to any more, as in
    /// [`PurgeReport::unused_files`](super::PurgeReport::unused_files).
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub unused_files: Vec<String>,
    /// Whether it is gone from the file, except from these bodies.
    pub erased: Erased,
    /// The record now.
    pub record: SessionRecord,
}

/// The text of a note in JSON: a text, or the mark of a redacted one.
pub(super) mod note_text {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    use super::super::value::{Redacted, text};

    pub(crate) fn serialize<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
        match text {
            Some(text) => text.serialize(serializer),
            None => Redacted::MARK.serialize(serializer),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
        read(&Value::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("neither a text nor one that was redacted"))
    }

    /// None where it is neither.
    pub(crate) fn read(value: &Value) -> Option<Option<String>> {
        if Redacted::is(value) { Some(None) } else { text(value).map(Some) }
    }
}
