//! The rules of values: what a field accepts, and in which form it is kept.
//!
//! A problem names the field, a stable code and, where there is one, the bound that it breaks; it never holds the value. The codes:
//!
//! | code | of | when |
//! | --- | --- | --- |
//! | `required` | every type | required, and the field holds nothing that satisfies it |
//! | `not_applicable_not_allowed` | every type | marked as not applicable, and the field does not allow it |
//! | `wrong_type` | every type | a value of another type |
//! | `bad_format` | decimal, email, phone, url, datetime, typed texts | not in the form of the type |
//! | `needs_manifest` | attachment, signature | typed; the app gives a manifest |
//! | `too_short`, `too_long` | text-like types | fewer or more characters than the limit |
//! | `control_character` | text-like types | a control character that the type does not accept, a line separator, a directional override |
//! | `line_break` | text | a line feed or carriage return in a text of one line |
//! | `pattern` | text-like types | the whole text does not match the pattern |
//! | `too_small`, `too_large` | integer, decimal, location | below or above the bound |
//! | `too_many_digits` | decimal, location | more than 15 significant digits, or than 30 after the point |
//! | `too_many_decimal_places` | decimal | more digits after the point than allowed |
//! | `too_early`, `too_late` | date, time, datetime | before or after the bound |
//! | `not_an_option` | single and multiple choice | no option has this key |
//! | `duplicate_option` | multiple choice | an option is chosen twice |
//! | `too_few`, `too_many` | multiple choice | fewer or more options than the limit |
//! | `too_inaccurate` | location | a radius above the largest accepted one, or none where one is required |
//! | `bad_hash`, `bad_media_type`, `bad_file_name` | attachment, signature | not a manifest |
//! | `media_type_not_accepted`, `file_too_large` | attachment, signature | a file that the field does not accept |
//!
//! An unreadable bound of a document is ignored: lint refuses such documents, and a technician in the field can do nothing about it.

mod choice;
mod entry;
mod file;
mod location;
mod moment;
mod number;
mod text;
mod typed_text;

pub(super) use entry::{is_blank, is_control, line_feeds};
pub use text::{DEFAULT_MAX_LENGTH, MIN_EMAIL, MIN_PHONE, MIN_URL};
pub use typed_text::{parse_value, typed_text};

pub use crate::engine::decimal::MAX_SIGNIFICANT_DIGITS;
pub use crate::model::MAX_INTEGER;
use crate::model::{Change, FieldDefinition, FieldKind, FieldState, FieldValue, Problem};

/// Checks a value against the field's type and constraints, and gives the state of the field with it.
///
/// An empty text, in a field of any type, and an empty choice are "empty": not a value, but valid, so that no lower bound applies. So is a
/// text of only white space and characters without width.
///
/// The result has the form in which it is kept: choices in the order of the options, times without fractions of a second, moments in
/// milliseconds. Invisible directional marks and isolates around a text are removed; in `multiline` and `barcode` every line break becomes a
/// line feed; decimals and telephone numbers are kept in ASCII digits, whichever script they were written in. Nothing else is changed, not
/// even white space around a text.
///
/// # Errors
/// The first problem of the value. It is never `required`: that is a problem of a section or a session.
pub fn validate(definition: &FieldDefinition, value: &FieldValue) -> Result<FieldState, Problem> {
    check(&definition.kind, value).map_err(|fault| fault.of(definition))
}

/// What a field holds after this change.
pub(super) fn validate_change(definition: &FieldDefinition, change: &Change) -> Result<FieldState, Problem> {
    match change {
        Change::Set(value) => validate(definition, value),
        Change::Clear => Ok(FieldState::NotProvided),
        Change::NotApplicable if definition.allow_not_applicable => Ok(FieldState::NotApplicable),
        Change::NotApplicable => {
            Err(Fault::new("not_applicable_not_allowed", "this field cannot be marked as not applicable").of(definition))
        }
    }
}

/// The problem of a required field without a value that satisfies it.
pub(super) fn missing(definition: &FieldDefinition, state: &FieldState) -> Option<Problem> {
    let satisfied = match state {
        FieldState::Provided(_) | FieldState::Redacted => true,
        FieldState::Empty => definition.allow_empty,
        FieldState::NotApplicable => definition.allow_not_applicable,
        FieldState::NotProvided => false,
    };
    (definition.required && !satisfied).then(|| Fault::new("required", "a value is required").of(definition))
}

fn check(kind: &FieldKind, value: &FieldValue) -> Result<FieldState, Fault> {
    use {FieldKind as Kind, FieldValue as Value};
    let kept = match (kind, value) {
        (_, Value::Text(text)) if is_blank(text) => return Ok(FieldState::Empty),
        (Kind::SingleChoice { .. }, Value::Choice(key)) if key.is_empty() => return Ok(FieldState::Empty),
        (Kind::MultipleChoice { .. }, Value::Choices(keys)) if keys.is_empty() => return Ok(FieldState::Empty),
        (Kind::Text(rule), Value::Text(given)) => text::line(rule, given)?,
        (Kind::Multiline(rule), Value::Text(given)) => text::lines(rule, given)?,
        (Kind::Barcode(rule), Value::Text(given)) => text::barcode(rule, given)?,
        (Kind::Email(rule), Value::Text(given)) => text::email(rule, given)?,
        (Kind::Phone(rule), Value::Text(given)) => text::phone(rule, given)?,
        (Kind::Url(rule), Value::Text(given)) => text::url(rule, given)?,
        (Kind::Integer { min, max }, Value::Integer(given)) => number::integer(*min, *max, *given)?,
        (Kind::Decimal { min, max, decimal_places }, Value::Decimal(given)) => {
            number::decimal(min.as_deref(), max.as_deref(), *decimal_places, given)?
        }
        (Kind::Boolean, Value::Boolean(_)) => value.clone(),
        (Kind::Date { min, max }, Value::Date(given)) => moment::date(min.as_deref(), max.as_deref(), *given)?,
        (Kind::Time { min, max }, Value::Time(given)) => moment::time(min.as_deref(), max.as_deref(), *given)?,
        (Kind::DateTime { min, max }, Value::DateTime(given)) => moment::datetime(min.as_deref(), max.as_deref(), *given)?,
        (Kind::SingleChoice { options }, Value::Choice(key)) => choice::single(options, key)?,
        (Kind::MultipleChoice { options, min, max }, Value::Choices(keys)) => choice::multiple(options, *min, *max, keys)?,
        (Kind::Location { max_accuracy_m }, Value::Location(given)) => location::location(max_accuracy_m.as_deref(), given)?,
        (Kind::Attachment(rule) | Kind::Signature(rule), Value::File(given)) => file::file(rule, given)?,
        _ => return Err(Fault::new("wrong_type", format!("a value of type {} is expected", kind.type_name()))),
    };
    Ok(FieldState::Provided(kept))
}

/// A problem before it has a field.
#[derive(Debug)]
struct Fault {
    code: &'static str,
    message: String,
    limit: Option<String>,
}

impl Fault {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), limit: None }
    }

    fn limited(code: &'static str, limit: impl ToString, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), limit: Some(limit.to_string()) }
    }

    fn of(self, definition: &FieldDefinition) -> Problem {
        let code = self.code.to_owned();
        Problem { field: definition.key.clone(), code, message: self.message, limit: self.limit, section: None, visit: None }
    }
}

#[cfg(test)]
mod tests;
