//! Values of fields.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::Timestamp;

/// The largest integer of a document, a value and a payload, 2^53 − 1: the largest that every JSON reader keeps exactly (RFC 8259,
/// section 6). Its negative is the smallest.
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

/// A value as a technician gave it. The field's type decides which of these it accepts (`engine/`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(tag = "type", content = "value", rename_all = "snake_case", try_from = "Typed")]
pub enum FieldValue {
    /// For text, multiline, email, phone, url and barcode.
    Text(String),
    /// For integer.
    Integer(i64),
    /// For decimal: the digits as entered.
    Decimal(Decimal),
    /// For boolean.
    Boolean(bool),
    /// For date.
    Date(NaiveDate),
    /// For time.
    Time(NaiveTime),
    /// For datetime: with the offset as entered.
    DateTime(DateTime<FixedOffset>),
    /// For single choice: the key of the option.
    Choice(String),
    /// For multiple choice: the keys of the options.
    Choices(Vec<String>),
    /// For location.
    Location(Location),
    /// For attachment and signature.
    File(FileManifest),
}

/// The members of a value in JSON. `type` may come after `value`, which is therefore first read as any JSON value.
#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "type")]
    kind: String,
    value: Value,
}

impl TryFrom<Typed> for FieldValue {
    type Error = &'static str;

    fn try_from(members: Typed) -> Result<Self, Self::Error> {
        members.value().ok_or("a type of value that is not known, or a value that does not fit it")
    }
}

impl Typed {
    fn value(&self) -> Option<FieldValue> {
        let value = &self.value;
        Some(match self.kind.as_str() {
            "text" => FieldValue::Text(text(value)?),
            "integer" => FieldValue::Integer(value.as_i64()?),
            "decimal" => FieldValue::Decimal(Decimal(text(value)?)),
            "boolean" => FieldValue::Boolean(value.as_bool()?),
            "date" => FieldValue::Date(parsed(value)?),
            "time" => FieldValue::Time(parsed(value)?),
            "date_time" => FieldValue::DateTime(parsed(value)?),
            "choice" => FieldValue::Choice(text(value)?),
            "choices" => FieldValue::Choices(value.as_array()?.iter().map(text).collect::<Option<_>>()?),
            "location" => FieldValue::Location(Location {
                latitude: Decimal(text(&value["latitude"])?),
                longitude: Decimal(text(&value["longitude"])?),
                accuracy_m: match &value["accuracy_m"] {
                    Value::Null => None,
                    accuracy => Some(Decimal(text(accuracy)?)),
                },
                captured_at: parsed(&value["captured_at"])?,
                mocked: match &value["mocked"] {
                    Value::Null => false,
                    mocked => mocked.as_bool()?,
                },
            }),
            "file" => FieldValue::File(FileManifest {
                sha256: text(&value["sha256"])?,
                media_type: text(&value["media_type"])?,
                size: value["size"].as_u64()?,
                name: text(&value["name"])?,
            }),
            _ => return None,
        })
    }
}

pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn parsed<T: FromStr>(value: &Value) -> Option<T> {
    value.as_str()?.parse().ok()
}

/// A decimal number kept as the text it was entered in, so that `182.50` stays `182.50`. Never a binary float.
///
/// Made by `engine`'s parser; holds an optional minus sign, digits and at most one point between digits.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Decimal(pub String);

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decimal({})", self.0)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A place on Earth, WGS 84.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Location {
    /// Degrees north, −90 to 90.
    pub latitude: Decimal,
    /// Degrees east, −180 to 180.
    pub longitude: Decimal,
    /// Radius of the 68 % circle in metres, where the phone gave one.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub accuracy_m: Option<Decimal>,
    /// When the position was taken.
    pub captured_at: Timestamp,
    /// Whether the phone says that another app made the position up (`Location.isMock`, `isSimulatedBySoftware`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub mocked: bool,
}

/// What the core knows of an attachment or a signature; the app keeps the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct FileManifest {
    /// SHA-256 of the bytes, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// For instance `image/jpeg`.
    pub media_type: String,
    /// In bytes.
    pub size: u64,
    /// The file's name as the technician may see it.
    pub name: String,
}

/// What a field holds. "Not provided", "empty" and "not applicable" are three different things.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(try_from = "State")]
pub enum FieldState {
    /// Nothing was entered.
    #[default]
    NotProvided,
    /// A value.
    Provided(FieldValue),
    /// Empty on purpose (`""` or `[]`).
    Empty,
    /// Marked as not applicable on purpose.
    NotApplicable,
    /// It held a value that was redacted. Satisfies `required`, and is in no message.
    Redacted,
}

/// The JSON that replaces a redacted value or text: `{"redacted": true}`.
#[derive(Serialize)]
pub(super) struct Redacted {
    redacted: bool,
}

impl Redacted {
    pub(super) const MARK: Self = Self { redacted: true };

    pub(super) fn is(value: &Value) -> bool {
        value["redacted"] == true
    }
}

impl Serialize for FieldState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        match self {
            FieldState::NotProvided => members.serialize_entry("state", "not_provided")?,
            FieldState::Provided(value) => {
                members.serialize_entry("state", "provided")?;
                members.serialize_entry("value", value)?;
            }
            FieldState::Empty => members.serialize_entry("state", "empty")?,
            FieldState::NotApplicable => members.serialize_entry("state", "not_applicable")?,
            FieldState::Redacted => members.serialize_entry("redacted", &true)?,
        }
        members.end()
    }
}

/// The members that the state of a field may have in JSON.
#[derive(Deserialize)]
struct State {
    state: Option<String>,
    value: Option<FieldValue>,
    redacted: Option<bool>,
}

impl TryFrom<State> for FieldState {
    type Error = &'static str;

    fn try_from(members: State) -> Result<Self, Self::Error> {
        match (members.state.as_deref(), members.value, members.redacted) {
            (Some("not_provided"), ..) => Ok(FieldState::NotProvided),
            (Some("provided"), Some(value), _) => Ok(FieldState::Provided(value)),
            (Some("empty"), ..) => Ok(FieldState::Empty),
            (Some("not_applicable"), ..) => Ok(FieldState::NotApplicable),
            (None, None, Some(true)) => Ok(FieldState::Redacted),
            _ => Err("a state that is not known, or without its value"),
        }
    }
}

/// Where a value came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(tag = "kind", content = "name", rename_all = "snake_case", try_from = "Source")]
pub enum ValueSource {
    /// The technician, in the session or in an edit of its record.
    #[default]
    Technician,
    /// A prefill at the start; the caller's name for its origin. Until the technician sets the field, even to the same value.
    Prefill(String),
}

/// The members that the source of a value may have in JSON.
#[derive(Deserialize)]
struct Source {
    kind: String,
    name: Option<String>,
}

impl TryFrom<Source> for ValueSource {
    type Error = &'static str;

    fn try_from(members: Source) -> Result<Self, Self::Error> {
        match (members.kind.as_str(), members.name) {
            ("technician", _) => Ok(ValueSource::Technician),
            ("prefill", Some(name)) => Ok(ValueSource::Prefill(name)),
            _ => Err("a source that is not known, or without its name"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_str, json, to_string};

    use super::*;

    fn values() -> Vec<FieldValue> {
        let place = |accuracy_m: Option<Decimal>| Location {
            latitude: Decimal("51.5".into()),
            longitude: Decimal("-0.10".into()),
            mocked: accuracy_m.is_none(),
            accuracy_m,
            captured_at: "2026-11-23T18:31:40.123Z".parse().unwrap(),
        };
        vec![
            FieldValue::Text("Größe 12".into()),
            FieldValue::Integer(-MAX_INTEGER),
            FieldValue::Decimal(Decimal("182.50".into())),
            FieldValue::Boolean(true),
            FieldValue::Date("2024-02-29".parse().unwrap()),
            FieldValue::Time("23:59:59".parse().unwrap()),
            FieldValue::DateTime("2026-11-23T18:31:40.5+05:30".parse().unwrap()),
            FieldValue::Choice("a".into()),
            FieldValue::Choices(vec!["a".into(), "b".into()]),
            FieldValue::Location(place(None)),
            FieldValue::Location(place(Some(Decimal("8.5".into())))),
            FieldValue::File(FileManifest { sha256: "0f".repeat(32), media_type: "image/png".into(), size: 4096, name: "a.png".into() }),
        ]
    }

    #[test]
    fn every_state_of_a_field_reads_back_as_it_was_written() {
        let states = [FieldState::NotProvided, FieldState::Empty, FieldState::NotApplicable, FieldState::Redacted];
        for state in values().into_iter().map(FieldState::Provided).chain(states) {
            let json = to_string(&state).unwrap();
            assert_eq!(from_str::<FieldState>(&json).unwrap(), state, "{json}");
        }
        assert_eq!(to_string(&FieldState::Redacted).unwrap(), r#"{"redacted":true}"#);
        for source in [ValueSource::Technician, ValueSource::Prefill("crm".into())] {
            let json = to_string(&source).unwrap();
            assert_eq!(from_str::<ValueSource>(&json).unwrap(), source, "{json}");
        }
    }

    #[test]
    fn a_value_of_another_type_than_it_says_is_refused() {
        for value in values() {
            let mut json = json!(value);
            json["value"] = json!({ "no": "value" });
            assert!(from_str::<FieldValue>(&json.to_string()).is_err(), "{json}");
        }
        for json in [r#"{"type":"colour","value":"red"}"#, r#"{"type":"integer","value":1.5}"#, r#"{"type":"text"}"#] {
            assert!(from_str::<FieldValue>(json).is_err(), "{json}");
        }
        for json in [r#"{"state":"provided"}"#, r#"{"redacted":false}"#, "{}"] {
            assert!(from_str::<FieldState>(json).is_err(), "{json}");
        }
    }
}
