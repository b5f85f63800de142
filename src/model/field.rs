//! The definition of a field: a reusable, typed question.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::value::text;

/// One question of a workflow's field library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
#[serde(try_from = "Members")]
pub struct FieldDefinition {
    /// Unique among the fields of the document.
    pub key: String,
    /// The question.
    pub name: String,
    /// A hint below the question.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub help: Option<String>,
    /// Whether a section that asks it can be left, and a session completed, only with a value.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub required: bool,
    /// Whether "empty" satisfies `required`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub allow_empty: bool,
    /// Whether "not applicable" may be chosen; it then satisfies `required`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub allow_not_applicable: bool,
    /// The type with its constraints.
    #[serde(flatten)]
    pub kind: FieldKind,
}

/// A field's type and what constrains its values. Bounds are inclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "uniffi", uniffi(default))]
        min: Option<i64>,
        /// The largest value.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "uniffi", uniffi(default))]
        max: Option<i64>,
    },
    /// An exact decimal number of at most 15 significant digits.
    Decimal {
        /// The smallest value, as decimal text.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "uniffi", uniffi(default))]
        min: Option<String>,
        /// The largest value, as decimal text.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "uniffi", uniffi(default))]
        max: Option<String>,
        /// The most digits after the point.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "uniffi", uniffi(default))]
        decimal_places: Option<u32>,
    },
    /// Yes or no.
    Boolean,
    /// A calendar date.
    Date {
        /// The earliest date, `2026-11-23`.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "uniffi", uniffi(default))]
        min: Option<String>,
        /// The latest date.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "uniffi", uniffi(default))]
        max: Option<String>,
    },
    /// A time of day.
    Time {
        /// The earliest time, `08:00:00`.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "uniffi", uniffi(default))]
        min: Option<String>,
        /// The latest time.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "uniffi", uniffi(default))]
        max: Option<String>,
    },
    /// A moment with its offset from UTC.
    #[serde(rename = "datetime")]
    DateTime {
        /// The earliest moment, RFC 3339.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "uniffi", uniffi(default))]
        min: Option<String>,
        /// The latest moment.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "uniffi", uniffi(default))]
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
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "uniffi", uniffi(default))]
        min: Option<u32>,
        /// The most that may be chosen.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "uniffi", uniffi(default))]
        max: Option<u32>,
    },
    /// An e-mail address; only its general form is checked.
    Email(TextRule),
    /// A telephone number; only its general form is checked.
    Phone(TextRule),
    /// A web address, http or https.
    Url(TextRule),
    /// What a barcode scanner typed.
    Barcode(TextRule),
    /// A place on Earth.
    Location {
        /// The worst accuracy that is accepted, in metres, as decimal text.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "uniffi", uniffi(default))]
        max_accuracy_m: Option<String>,
    },
    /// A photo or another file. The app keeps the bytes; the value is a manifest.
    Attachment(FileRule),
    /// A signature. The app keeps the bytes; the value is a manifest.
    Signature(FileRule),
}

/// Constraints of the text-like types. Lengths count Unicode scalar values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct TextRule {
    /// The shortest text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub min_length: Option<u32>,
    /// The longest text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub max_length: Option<u32>,
    /// A regular expression that the whole text must match.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub pattern: Option<String>,
}

/// Constraints of attachments and signatures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct FileRule {
    /// The largest file, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub max_size: Option<u64>,
    /// The media types that are accepted, such as `image/jpeg`; a star after the slash accepts every image; any when absent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
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

/// The members that a definition may have in JSON. Read directly, like an act of the event log, and for the same reason.
#[derive(Deserialize)]
struct Members {
    key: String,
    name: String,
    help: Option<String>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    allow_empty: bool,
    #[serde(default)]
    allow_not_applicable: bool,
    #[serde(rename = "type")]
    kind: String,
    // Members that depend on the type; a type ignores those that it does not have.
    min: Option<Value>,
    max: Option<Value>,
    min_length: Option<Value>,
    max_length: Option<Value>,
    pattern: Option<Value>,
    decimal_places: Option<Value>,
    options: Option<Value>,
    max_accuracy_m: Option<Value>,
    max_size: Option<Value>,
    media_types: Option<Value>,
}

impl TryFrom<Members> for FieldDefinition {
    type Error = &'static str;

    fn try_from(members: Members) -> Result<Self, Self::Error> {
        let kind = members.kind().ok_or("a type of field that is not known, or with a member that does not fit it")?;
        Ok(FieldDefinition {
            key: members.key,
            name: members.name,
            help: members.help,
            required: members.required,
            allow_empty: members.allow_empty,
            allow_not_applicable: members.allow_not_applicable,
            kind,
        })
    }
}

impl Members {
    fn kind(&self) -> Option<FieldKind> {
        Some(match self.kind.as_str() {
            "text" => FieldKind::Text(self.text_rule()?),
            "multiline" => FieldKind::Multiline(self.text_rule()?),
            "integer" => FieldKind::Integer { min: read(&self.min, Value::as_i64)?, max: read(&self.max, Value::as_i64)? },
            "decimal" => FieldKind::Decimal {
                min: read(&self.min, text)?,
                max: read(&self.max, text)?,
                decimal_places: read(&self.decimal_places, count)?,
            },
            "boolean" => FieldKind::Boolean,
            "date" => FieldKind::Date { min: read(&self.min, text)?, max: read(&self.max, text)? },
            "time" => FieldKind::Time { min: read(&self.min, text)?, max: read(&self.max, text)? },
            "datetime" => FieldKind::DateTime { min: read(&self.min, text)?, max: read(&self.max, text)? },
            "single_choice" => FieldKind::SingleChoice { options: self.options()? },
            "multiple_choice" => {
                FieldKind::MultipleChoice { options: self.options()?, min: read(&self.min, count)?, max: read(&self.max, count)? }
            }
            "email" => FieldKind::Email(self.text_rule()?),
            "phone" => FieldKind::Phone(self.text_rule()?),
            "url" => FieldKind::Url(self.text_rule()?),
            "barcode" => FieldKind::Barcode(self.text_rule()?),
            "location" => FieldKind::Location { max_accuracy_m: read(&self.max_accuracy_m, text)? },
            "attachment" => FieldKind::Attachment(self.file_rule()?),
            "signature" => FieldKind::Signature(self.file_rule()?),
            _ => return None,
        })
    }

    fn text_rule(&self) -> Option<TextRule> {
        Some(TextRule {
            min_length: read(&self.min_length, count)?,
            max_length: read(&self.max_length, count)?,
            pattern: read(&self.pattern, text)?,
        })
    }

    fn file_rule(&self) -> Option<FileRule> {
        let media_types = read(&self.media_types, |value| value.as_array()?.iter().map(text).collect())?;
        Some(FileRule { max_size: read(&self.max_size, Value::as_u64)?, media_types: media_types.unwrap_or_default() })
    }

    fn options(&self) -> Option<Vec<FieldOption>> {
        let option = |value: &Value| Some(FieldOption { key: text(value.get("key")?)?, name: text(value.get("name")?)? });
        self.options.as_ref()?.as_array()?.iter().map(option).collect()
    }
}

/// `Some(None)` where the member is absent, none where `of` cannot read it.
fn read<T>(value: &Option<Value>, of: impl Fn(&Value) -> Option<T>) -> Option<Option<T>> {
    match value {
        None => Some(None),
        Some(value) => of(value).map(Some),
    }
}

fn count(value: &Value) -> Option<u32> {
    value.as_u64()?.try_into().ok()
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
