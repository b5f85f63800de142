//! The body of a webhook.

use chrono::{Datelike, NaiveDate, SecondsFormat, Timelike};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::model::{
    Decimal, FieldDefinition, FieldKind, FieldOption, FieldValue, Location, MAX_INTEGER, SessionKey, Submission, Timestamp, WorkflowRef,
};

pub(crate) use crate::model::MAX_BODY;

/// Above this many bytes a warning is logged: Standard Webhooks recommends bodies below 20 kB.
pub(crate) const WARN_BODY: usize = 20 * 1024;

/// A value does not fit the definition of its field. Holds no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the value of field `{field}` does not fit its definition")]
pub struct PayloadError {
    /// Key of the field.
    pub field: String,
}

/// The exact bytes of the message: compact JSON in UTF-8 with the five properties `key`, `started_at`, `completed_at`, `workflow` and
/// `fields`, in this order.
///
/// # Errors
/// The error names the first field whose value does not fit its definition; values that passed validation always fit.
pub fn payload(submission: &Submission) -> Result<Vec<u8>, PayloadError> {
    let body = Body {
        key: submission.key.to_string(),
        started_at: core_time(submission.started_at),
        completed_at: core_time(submission.completed_at),
        workflow: Named { key: &submission.workflow.key, name: &submission.workflow.name },
        fields: submission
            .fields
            .iter()
            .map(|field| item(&field.definition, &field.value, field.completed_at))
            .collect::<Result<_, _>>()?,
    };
    Ok(serde_json::to_vec(&body).expect("text, numbers and lists can always be written as JSON"))
}

/// The size of the message of a session without fields, in bytes.
pub(crate) fn size_without_fields(workflow: &WorkflowRef) -> u64 {
    // Every session key and every time has the same length.
    let (key, time) = (SessionKey(uuid::Uuid::nil()).to_string(), core_time(Timestamp::default()));
    let workflow = Named { key: &workflow.key, name: &workflow.name };
    size(&Body { key, started_at: time.clone(), completed_at: time, workflow, fields: Vec::new() })
}

/// The size that this value adds to a message, in bytes, without the comma before it.
///
/// # Errors
/// The value does not fit its definition.
pub(crate) fn size_of_field(definition: &FieldDefinition, value: &FieldValue, completed_at: Timestamp) -> Result<u64, PayloadError> {
    item(definition, value, completed_at).map(|item| size(&item))
}

fn size(part: &impl Serialize) -> u64 {
    struct Count(u64);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, part).expect("text, numbers and lists can always be written as JSON");
    count.0
}

/// Whether a body has a value of this field. An unreadable one counts as having it.
pub(crate) fn holds(body: &[u8], field: &str) -> bool {
    let body: Option<serde_json::Value> = std::str::from_utf8(body).ok().and_then(|body| serde_json::from_str(body).ok());
    let fields = body.as_ref().and_then(|body| body["fields"].as_array());
    fields.is_none_or(|fields| fields.iter().any(|item| item["key"].as_str().is_none_or(|key| key == field)))
}

#[derive(Serialize)]
struct Body<'a> {
    key: String,
    started_at: String,
    completed_at: String,
    workflow: Named<'a>,
    fields: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Named<'a> {
    key: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct Item<'a> {
    key: &'a str,
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    value: Value<'a>,
    completed_at: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value<'a> {
    Text(&'a str),
    Written(String),
    Integer(i64),
    Exact(Box<RawValue>),
    Boolean(bool),
    Choice(Named<'a>),
    Choices(Vec<Named<'a>>),
    Place(Place),
    File(Manifest<'a>),
}

#[derive(Serialize)]
struct Place {
    latitude: Box<RawValue>,
    longitude: Box<RawValue>,
    // Always present, null where the phone gave none: receivers can rely on it.
    accuracy_m: Option<Box<RawValue>>,
    captured_at: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    mocked: bool,
}

#[derive(Serialize)]
struct Manifest<'a> {
    sha256: &'a str,
    media_type: &'a str,
    size: u64,
    name: &'a str,
}

fn item<'a>(definition: &'a FieldDefinition, entered: &'a FieldValue, completed_at: Timestamp) -> Result<Item<'a>, PayloadError> {
    Ok(Item {
        key: &definition.key,
        name: &definition.name,
        kind: definition.kind.type_name(),
        value: value(&definition.kind, entered).ok_or_else(|| PayloadError { field: definition.key.clone() })?,
        completed_at: core_time(completed_at),
    })
}

fn value<'a>(kind: &'a FieldKind, value: &'a FieldValue) -> Option<Value<'a>> {
    Some(match (kind, value) {
        (
            FieldKind::Text(_)
            | FieldKind::Multiline(_)
            | FieldKind::Email(_)
            | FieldKind::Phone(_)
            | FieldKind::Url(_)
            | FieldKind::Barcode(_),
            FieldValue::Text(text),
        ) => Value::Text(text),
        (FieldKind::Integer { .. }, FieldValue::Integer(number)) if (-MAX_INTEGER..=MAX_INTEGER).contains(number) => {
            Value::Integer(*number)
        }
        (FieldKind::Decimal { .. }, FieldValue::Decimal(decimal)) => Value::Exact(exact(decimal)?),
        (FieldKind::Boolean, FieldValue::Boolean(yes)) => Value::Boolean(*yes),
        (FieldKind::Date { .. }, FieldValue::Date(date)) => Value::Written(four_digit_year(*date)?.to_string()),
        (FieldKind::Time { .. }, FieldValue::Time(time)) => Value::Written(time.to_string()),
        (FieldKind::DateTime { .. }, FieldValue::DateTime(moment)) => {
            four_digit_year(moment.date_naive())?;
            Value::Written(moment.to_rfc3339_opts(SecondsFormat::AutoSi, true))
        }
        (FieldKind::SingleChoice { options }, FieldValue::Choice(key)) => {
            Value::Choice(named(options.iter().find(|option| option.key == *key)?))
        }
        (FieldKind::MultipleChoice { options, .. }, FieldValue::Choices(keys)) => {
            if !keys.iter().all(|key| options.iter().any(|option| option.key == *key)) {
                return None;
            }
            Value::Choices(options.iter().filter(|option| keys.contains(&option.key)).map(named).collect())
        }
        (FieldKind::Location { .. }, FieldValue::Location(location)) => Value::Place(place(location)?),
        (FieldKind::Attachment(_) | FieldKind::Signature(_), FieldValue::File(file)) => {
            Value::File(Manifest { sha256: &file.sha256, media_type: &file.media_type, size: file.size, name: &file.name })
        }
        _ => return None,
    })
}

fn named(option: &FieldOption) -> Named<'_> {
    Named { key: &option.key, name: &option.name }
}

fn place(location: &Location) -> Option<Place> {
    Some(Place {
        latitude: exact(&location.latitude)?,
        longitude: exact(&location.longitude)?,
        accuracy_m: match &location.accuracy_m {
            Some(accuracy) => Some(exact(accuracy)?),
            None => None,
        },
        captured_at: core_time(location.captured_at),
        mocked: location.mocked,
    })
}

/// The digits as they were entered, as a JSON number. A binary float would turn `182.50` into `182.5`, and `0.1` into a number close to it.
fn exact(decimal: &Decimal) -> Option<Box<RawValue>> {
    if !decimal.0.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-') {
        return None;
    }
    // The JSON parser refuses other texts than numbers: leading zeros, two points, a point at an end.
    RawValue::from_string(decimal.0.clone()).ok()
}

/// RFC 3339 has four digits for a year.
fn four_digit_year(date: NaiveDate) -> Option<NaiveDate> {
    (0..=9999).contains(&date.year()).then_some(date)
}

/// Times of the core itself: UTC, milliseconds, `Z`.
fn core_time(at: Timestamp) -> String {
    let milliseconds = at.nanosecond() / 1_000_000;
    if !(0..=9999).contains(&at.year()) || milliseconds > 999 {
        return at.to_rfc3339_opts(SecondsFormat::Millis, true);
    }
    // Each value of a message has one: written by hand in a tenth of the time.
    let mut text = String::with_capacity(24);
    let mut write = |number: u32, digits: u32, behind: char| {
        for digit in (0..digits).rev() {
            text.push(char::from(b'0' + (number / 10_u32.pow(digit) % 10) as u8));
        }
        text.push(behind);
    };
    write(at.year().unsigned_abs(), 4, '-');
    write(at.month(), 2, '-');
    write(at.day(), 2, 'T');
    write(at.hour(), 2, ':');
    write(at.minute(), 2, ':');
    write(at.second(), 2, '.');
    write(milliseconds, 3, 'Z');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SubmittedField, TextRule};

    #[test]
    fn a_time_is_written_as_the_standard_says() {
        for (milliseconds, written) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_795_459_336_123, "2026-11-23T18:42:16.123Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (253_402_300_800_000, "+10000-01-01T00:00:00.000Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
            (-62_167_219_200_001, "-0001-12-31T23:59:59.999Z"),
        ] {
            let at = Timestamp::from_timestamp_millis(milliseconds).expect("a time");
            assert_eq!(core_time(at), written);
            assert_eq!(core_time(at), at.to_rfc3339_opts(SecondsFormat::Millis, true));
        }
    }

    fn body(kind: FieldKind, value: FieldValue) -> Result<String, PayloadError> {
        let at = Timestamp::from_timestamp_millis(1_795_459_336_123).expect("a time");
        let definition = FieldDefinition {
            key: "f".into(),
            name: "F".into(),
            help: None,
            required: false,
            allow_empty: false,
            allow_not_applicable: false,
            kind,
        };
        let submission = Submission {
            key: SessionKey(uuid::Uuid::nil()),
            started_at: at,
            completed_at: at,
            workflow: WorkflowRef { key: "w".into(), name: "W".into(), version: 1, local_revision: 0 },
            fields: vec![SubmittedField { definition, value, completed_at: at }],
        };
        let body = payload(&submission);
        let field = &submission.fields[0];
        let size = size_of_field(&field.definition, &field.value, at).map(|field| size_without_fields(&submission.workflow) + field);
        assert_eq!(body.as_ref().map(|bytes| bytes.len() as u64), size.as_ref().copied(), "the size without making it");
        body.map(|bytes| String::from_utf8(bytes).expect("UTF-8"))
    }

    fn decimal() -> FieldKind {
        FieldKind::Decimal { min: None, max: None, decimal_places: None }
    }

    #[test]
    fn only_the_keys_of_its_fields_decide_what_a_body_holds() {
        let body = body(FieldKind::Text(TextRule::default()), FieldValue::Text(r#""key":"w""#.into())).expect("a body");
        assert!(holds(body.as_bytes(), "f"));
        assert!(!holds(body.as_bytes(), "w"), "that is the key of the workflow, and a text");
        assert!(holds(b"{\"key\"", "w"), "a damaged one may hold it");
    }

    #[test]
    fn a_decimal_keeps_every_digit() {
        for digits in ["182.50", "0", "-0.10", "-7", "123456789012.345", "0.000000000000001"] {
            let text = body(decimal(), FieldValue::Decimal(Decimal(digits.into()))).expect("a number");
            assert!(text.contains(&format!("\"value\":{digits},")), "{digits}");
        }
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused_and_named_but_not_shown() {
        let options = vec![FieldOption { key: "a".into(), name: "A".into() }];
        let integer = FieldKind::Integer { min: None, max: None };
        let date = FieldKind::Date { min: None, max: None };
        let cases = [
            (FieldKind::Boolean, FieldValue::Text("geheim".into())),
            (FieldKind::Text(TextRule::default()), FieldValue::Integer(1)),
            (integer.clone(), FieldValue::Integer(1 << 53)),
            (integer, FieldValue::Integer(i64::MIN)),
            (date, FieldValue::Date(NaiveDate::from_ymd_opt(10_000, 1, 1).expect("a date"))),
            (FieldKind::SingleChoice { options: options.clone() }, FieldValue::Choice("b".into())),
            (FieldKind::MultipleChoice { options, min: None, max: None }, FieldValue::Choices(vec!["a".into(), "b".into()])),
        ];
        for (kind, value) in cases {
            assert_eq!(body(kind, value), Err(PayloadError { field: "f".into() }));
        }
        for digits in ["", "-", ".5", "5.", "1.2.3", "007", "1e3", "NaN", "\"x\"", "1 ", "null", "[1]"] {
            assert_eq!(body(decimal(), FieldValue::Decimal(Decimal(digits.into()))), Err(PayloadError { field: "f".into() }), "{digits}");
        }
    }
}
