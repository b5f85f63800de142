//! The definition of a field: a reusable, typed question.

use serde::{Deserialize, Serialize};

/// One question of a workflow's field library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct FieldDefinition {
    /// Unique among the fields of the document.
    pub key: String,
    /// The question.
    pub name: String,
    /// A hint below the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Whether a section that asks it can be left, and a session completed, without a value.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Whether "empty" satisfies `required`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_empty: bool,
    /// Whether "not applicable" may be chosen; it then satisfies `required`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_not_applicable: bool,
    /// The type with its constraints.
    #[serde(flatten)]
    pub kind: FieldKind,
}

/// A field's type and what constrains its values. Bounds are inclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FieldKind {
    /// One line of text.
    Text(TextRule),
    /// Several lines of text.
    Multiline(TextRule),
    /// A whole number within ±(2^53 − 1).
    Integer {
        /// The smallest value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<i64>,
        /// The largest value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<i64>,
    },
    /// An exact decimal number of at most 15 significant digits.
    Decimal {
        /// The smallest value, as decimal text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<String>,
        /// The largest value, as decimal text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<String>,
        /// The most digits after the point.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decimal_places: Option<u32>,
    },
    /// Yes or no.
    Boolean,
    /// A calendar date.
    Date {
        /// The earliest date, `2026-11-23`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<String>,
        /// The latest date.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<String>,
    },
    /// A time of day.
    Time {
        /// The earliest time, `08:00:00`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<String>,
        /// The latest time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<String>,
    },
    /// A moment with its offset from UTC.
    #[serde(rename = "datetime")]
    DateTime {
        /// The earliest moment, RFC 3339.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<String>,
        /// The latest moment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<String>,
    },
    /// One of the options.
    SingleChoice {
        /// What can be chosen.
        options: Vec<FieldOption>,
    },
    /// Any of the options.
    MultipleChoice {
        /// What can be chosen.
        options: Vec<FieldOption>,
        /// The fewest that must be chosen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<u32>,
        /// The most that may be chosen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<u32>,
    },
    /// An e-mail address, checked leniently.
    Email(TextRule),
    /// A telephone number, checked leniently.
    Phone(TextRule),
    /// A web address, http or https.
    Url(TextRule),
    /// What a barcode scanner typed.
    Barcode(TextRule),
    /// A place on Earth.
    Location {
        /// The worst accuracy that is accepted, in metres, as decimal text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_accuracy_m: Option<String>,
    },
    /// A photo or another file. The host owns the bytes; the value is a manifest.
    Attachment(FileRule),
    /// A signature. The host owns the bytes; the value is a manifest.
    Signature(FileRule),
}

/// Constraints of the text-like types. Lengths count Unicode scalar values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct TextRule {
    /// The shortest text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u32>,
    /// The longest text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// A regular expression that the whole text must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
}

/// Constraints of attachments and signatures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct FileRule {
    /// The largest file, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_size: Option<u64>,
    /// The media types that are accepted, such as `image/jpeg`; a star after the slash accepts every image; any when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media_types: Vec<String>,
}

/// One option of a choice field.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct FieldOption {
    /// What is stored and sent.
    pub key: String,
    /// What is shown.
    pub name: String,
}

impl FieldKind {
    /// The name of the type in documents and payloads, for instance `single_choice`.
    pub fn type_name(&self) -> &'static str {
        match self {
            FieldKind::Text(_) => "text",
            FieldKind::Multiline(_) => "multiline",
            FieldKind::Integer { .. } => "integer",
            FieldKind::Decimal { .. } => "decimal",
            FieldKind::Boolean => "boolean",
            FieldKind::Date { .. } => "date",
            FieldKind::Time { .. } => "time",
            FieldKind::DateTime { .. } => "datetime",
            FieldKind::SingleChoice { .. } => "single_choice",
            FieldKind::MultipleChoice { .. } => "multiple_choice",
            FieldKind::Email(_) => "email",
            FieldKind::Phone(_) => "phone",
            FieldKind::Url(_) => "url",
            FieldKind::Barcode(_) => "barcode",
            FieldKind::Location { .. } => "location",
            FieldKind::Attachment(_) => "attachment",
            FieldKind::Signature(_) => "signature",
        }
    }

    /// The options of a choice field; none for every other type.
    pub fn options(&self) -> &[FieldOption] {
        match self {
            FieldKind::SingleChoice { options } | FieldKind::MultipleChoice { options, .. } => options,
            _ => &[],
        }
    }

    /// The constraints of a text-like field; none for every other type.
    pub fn text_rule(&self) -> Option<&TextRule> {
        match self {
            FieldKind::Text(rule)
            | FieldKind::Multiline(rule)
            | FieldKind::Email(rule)
            | FieldKind::Phone(rule)
            | FieldKind::Url(rule)
            | FieldKind::Barcode(rule) => Some(rule),
            _ => None,
        }
    }
}
