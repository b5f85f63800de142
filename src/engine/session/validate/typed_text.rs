//! From what a person types to a value, and back.

use std::num::IntErrorKind;

use super::number::{bad_decimal, too_large, too_small};
use super::{Fault, choice, entry, is_blank, validate};
use crate::engine::moment;
use crate::model::{Decimal, FieldDefinition, FieldKind, FieldOption, FieldState, FieldValue, Location, MAX_INTEGER, Problem, Timestamp};

/// Reads what a person typed for this field and validates it. White space and directional marks around it are ignored; an empty text is
/// "empty". Numbers, dates and times may be written in the digits of any script.
///
/// - integer: `42`, `+42`; decimal: `182.5`, `182,5`, `.5`, `007` (kept as `7`). A point or a comma is the decimal sign, in every language;
///   digits are not grouped, so `1,234` is less than two, and more than one sign is refused
/// - boolean: `yes`, `no`, `y`, `n`, `true`, `false`, `1`, `0`
/// - date `2026-11-23`, time `18:31` or `18:31:40`, datetime `2026-11-23T18:31:40+01:00`
/// - choice: an option's key, its number in the list from 1, or its name; several with commas between them
/// - location: `latitude, longitude` and, if known, a third number, the accuracy in metres; it is captured at `now`
///
/// # Errors
/// The first problem. Attachments and signatures cannot be typed: `needs_manifest`.
pub fn parse_value(definition: &FieldDefinition, text: &str, now: Timestamp) -> Result<FieldState, Problem> {
    if is_blank(text) {
        return Ok(FieldState::Empty);
    }
    let text = entry::trimmed(text);
    let value = value(&definition.kind, text, now).map_err(|fault| fault.of(definition))?;
    validate(definition, &value)
}

/// What a person would type for the value of a field: [`parse_value`] reads the same value from it. Numbers are in ASCII digits with a point;
/// options are given by their keys; a location has no time.
///
/// Empty where there is no value, and for a file, which cannot be typed.
pub fn typed_text(state: &FieldState) -> String {
    let FieldState::Provided(value) = state else { return String::new() };
    match value {
        FieldValue::Text(text) | FieldValue::Choice(text) => text.clone(),
        FieldValue::Integer(number) => number.to_string(),
        FieldValue::Decimal(number) => number.0.clone(),
        FieldValue::Boolean(yes) => (if *yes { "yes" } else { "no" }).to_owned(),
        FieldValue::Date(date) => date.to_string(),
        FieldValue::Time(time) => time.to_string(),
        FieldValue::DateTime(moment) => moment.to_rfc3339(),
        FieldValue::Choices(keys) => keys.join(", "),
        FieldValue::Location(place) => {
            let numbers = [Some(&place.latitude), Some(&place.longitude), place.accuracy_m.as_ref()];
            numbers.into_iter().flatten().map(|number| number.0.as_str()).collect::<Vec<_>>().join(", ")
        }
        FieldValue::File(_) => String::new(),
    }
}

fn value(kind: &FieldKind, text: &str, now: Timestamp) -> Result<FieldValue, Fault> {
    let bad = |message: &str| Fault::new("bad_format", message);
    let plain = entry::plain(text);
    let plain = plain.as_str();
    Ok(match kind {
        FieldKind::Text(_)
        | FieldKind::Multiline(_)
        | FieldKind::Email(_)
        | FieldKind::Phone(_)
        | FieldKind::Url(_)
        | FieldKind::Barcode(_) => FieldValue::Text(text.to_owned()),
        FieldKind::Integer { .. } => FieldValue::Integer(integer(plain)?),
        FieldKind::Decimal { .. } => FieldValue::Decimal(decimal(plain)?),
        FieldKind::Boolean => match plain.to_lowercase().as_str() {
            "yes" | "y" | "true" | "1" => FieldValue::Boolean(true),
            "no" | "n" | "false" | "0" => FieldValue::Boolean(false),
            _ => return Err(bad("yes or no is expected")),
        },
        FieldKind::Date { .. } => FieldValue::Date(moment::parse_date(plain).ok_or_else(|| bad("a date such as 2026-11-23 is expected"))?),
        FieldKind::Time { .. } => {
            let whole_minute = || moment::parse_time(&format!("{plain}:00"));
            let time = moment::parse_time(plain).or_else(whole_minute);
            FieldValue::Time(time.ok_or_else(|| bad("a time such as 18:31 or 18:31:40 is expected"))?)
        }
        FieldKind::DateTime { .. } => FieldValue::DateTime(
            moment::parse_datetime(plain).ok_or_else(|| bad("a moment with its offset such as 2026-11-23T18:31:40+01:00 is expected"))?,
        ),
        FieldKind::SingleChoice { options } => FieldValue::Choice(option(options, text)?),
        FieldKind::MultipleChoice { options, .. } => {
            let chosen = text.split(',').map(|part| option(options, part.trim()));
            FieldValue::Choices(chosen.collect::<Result<_, _>>()?)
        }
        FieldKind::Location { .. } => FieldValue::Location(location(plain, now)?),
        FieldKind::Attachment(_) | FieldKind::Signature(_) => {
            return Err(Fault::new("needs_manifest", "this cannot be typed; the app that has the file gives its manifest"));
        }
    })
}

fn integer(text: &str) -> Result<i64, Fault> {
    ascii_minus(text).parse().map_err(|error: std::num::ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => too_large(MAX_INTEGER),
        IntErrorKind::NegOverflow => too_small(-MAX_INTEGER),
        _ => Fault::new("bad_format", "a whole number such as 42 is expected"),
    })
}

/// Converts what people write into the one form that is kept, without changing a significant digit.
fn decimal(text: &str) -> Result<Decimal, Fault> {
    let text = ascii_minus(text).replace(',', ".");
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(&text)),
    };
    let (whole, fraction) = match digits.find('.') {
        Some(point) => digits.split_at(point),
        None => (digits, ""),
    };
    if whole.is_empty() && fraction.len() < 2 {
        return Err(bad_decimal());
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    Ok(Decimal(format!("{sign}{whole}{fraction}")))
}

/// Some keyboards write the typographic minus sign.
fn ascii_minus(text: &str) -> String {
    text.replacen('−', "-", 1)
}

/// First as a key; then as a number in the list; then as a name, in any case.
fn option(options: &[FieldOption], text: &str) -> Result<String, Fault> {
    let by_key = || options.iter().find(|option| option.key == text);
    let by_number = || entry::plain(text).parse::<usize>().ok().and_then(|number| options.get(number.checked_sub(1)?));
    let by_name = || options.iter().find(|option| option.name.to_lowercase() == text.to_lowercase());
    by_key().or_else(by_number).or_else(by_name).map(|option| option.key.clone()).ok_or_else(choice::not_an_option)
}

fn location(text: &str, now: Timestamp) -> Result<Location, Fault> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let (latitude, longitude, accuracy) = match parts[..] {
        [latitude, longitude] => (latitude, longitude, None),
        [latitude, longitude, accuracy] => (latitude, longitude, Some(decimal(accuracy)?)),
        _ => return Err(Fault::new("bad_format", "latitude and longitude such as 52.5163, 13.3777 are expected")),
    };
    Ok(Location { latitude: decimal(latitude)?, longitude: decimal(longitude)?, accuracy_m: accuracy, captured_at: now, mocked: false })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::field;
    use super::*;

    fn typed(kind: Value, rows: &[(&str, &str)]) {
        let field = field(kind);
        let now = "2026-11-23T18:31:40.123Z".parse().unwrap();
        for (text, expected) in rows {
            let got = match parse_value(&field, text, now) {
                Ok(FieldState::Provided(value)) => serde_json::to_value(value).unwrap()["value"].to_string(),
                Ok(state) => format!("{state:?}"),
                Err(problem) => problem.code,
            };
            assert_eq!(got, *expected, "{text:?}");
        }
    }

    #[test]
    fn what_a_field_holds_is_typed_as_it_is_read() {
        let value = |json: Value| FieldState::Provided(serde_json::from_value(json).unwrap());
        let place = json!({ "latitude": "52.5163", "longitude": "-13.3777", "captured_at": "2026-11-23T18:31:40.123Z" });
        for (state, text) in [
            (value(json!({ "type": "text", "value": "Ada, ½" })), "Ada, ½"),
            (value(json!({ "type": "integer", "value": -42 })), "-42"),
            (value(json!({ "type": "decimal", "value": "182.50" })), "182.50"),
            (value(json!({ "type": "boolean", "value": true })), "yes"),
            (value(json!({ "type": "boolean", "value": false })), "no"),
            (value(json!({ "type": "date", "value": "0826-11-03" })), "0826-11-03"),
            (value(json!({ "type": "time", "value": "08:05:00" })), "08:05:00"),
            (value(json!({ "type": "date_time", "value": "2026-11-23T18:31:40.5+01:00" })), "2026-11-23T18:31:40.500+01:00"),
            (value(json!({ "type": "choice", "value": "oil" })), "oil"),
            (value(json!({ "type": "choices", "value": ["oil", "x"] })), "oil, x"),
            (value(json!({ "type": "location", "value": place })), "52.5163, -13.3777"),
            (FieldState::NotProvided, ""),
            (FieldState::Empty, ""),
            (FieldState::NotApplicable, ""),
            (FieldState::Redacted, ""),
        ] {
            assert_eq!(typed_text(&state), text);
        }
    }

    #[test]
    fn what_a_person_types_becomes_a_value() {
        typed(json!({ "type": "text" }), &[(" \u{2068}ok\u{2069} ", "\"ok\""), ("  ", "Empty"), ("\u{200b}", "Empty"), ("٤", "\"٤\"")]);
        typed(
            json!({ "type": "integer", "max": 100 }),
            &[
                ("42", "42"),
                ("+42", "42"),
                ("−7", "-7"),
                ("\u{2068}\u{200e}-٤٢\u{2069} ", "-42"),
                ("४२", "42"),
                ("½", "bad_format"),
                ("٩٩٩", "too_large"),
                ("4.2", "bad_format"),
                ("99999999999999999999", "too_large"),
                ("101", "too_large"),
            ],
        );
        typed(
            json!({ "type": "decimal" }),
            &[
                ("182.50", "\"182.50\""),
                ("007.10", "\"7.10\""),
                ("+.5", "\"0.5\""),
                ("−0.5", "\"-0.5\""),
                ("182,50", "\"182.50\""),
                ("-,5", "\"-0.5\""),
                ("1,234", "\"1.234\""),
                ("१,५", "\"1.5\""),
                ("1.234,5", "bad_format"),
                ("1,234.5", "bad_format"),
                ("1,234,567", "bad_format"),
                ("5,", "bad_format"),
                (",", "bad_format"),
                ("5.", "bad_format"),
                (".", "bad_format"),
                ("-", "bad_format"),
                ("1 000", "bad_format"),
                ("١٨٢٫٥٠", "\"182.50\""),
                ("１８２.５", "\"182.5\""),
                ("١٬٥", "bad_format"),
            ],
        );
        typed(json!({ "type": "boolean" }), &[("Yes", "true"), ("n", "false"), ("0", "false"), ("maybe", "bad_format")]);
        typed(
            json!({ "type": "date" }),
            &[
                ("2026-11-23", "\"2026-11-23\""),
                ("۲۰۲۶-۱۱-۲۳", "\"2026-11-23\""),
                ("2026-02-30", "bad_format"),
                ("23.11.2026", "bad_format"),
            ],
        );
        typed(
            json!({ "type": "time" }),
            &[
                ("18:31", "\"18:31:00\""),
                ("18:31:40", "\"18:31:40\""),
                ("১৮:৩১", "\"18:31:00\""),
                ("24:00", "bad_format"),
                ("8:05", "bad_format"),
                ("23:59:60", "bad_format"),
            ],
        );
        typed(
            json!({ "type": "datetime" }),
            &[
                ("2026-11-23T18:31:40+01:00", "\"2026-11-23T18:31:40+01:00\""),
                ("٢٠٢٦-١١-٢٣T١٨:٣١:٤٠+٠١:٠٠", "\"2026-11-23T18:31:40+01:00\""),
                ("2026-11-23T18:31:40", "bad_format"),
            ],
        );
        let options = json!([{ "key": "2", "name": "Gas" }, { "key": "oil", "name": "Oil" }, { "key": "x", "name": "District heat" }]);
        typed(
            json!({ "type": "single_choice", "options": options }),
            &[
                ("oil", "\"oil\""),
                ("OIL", "\"oil\""),
                ("3", "\"x\""),
                ("٣", "\"x\""),
                ("2", "\"2\""),
                ("0", "not_an_option"),
                ("4", "not_an_option"),
            ],
        );
        typed(
            json!({ "type": "multiple_choice", "options": options }),
            &[("district heat, oil", "[\"oil\",\"x\"]"), ("1,3", "[\"2\",\"x\"]"), ("1,2", "duplicate_option"), ("1,", "not_an_option")],
        );
        typed(
            json!({ "type": "location" }),
            &[
                (
                    "52.5163, 13.3777",
                    r#"{"accuracy_m":null,"captured_at":"2026-11-23T18:31:40.123Z","latitude":"52.5163","longitude":"13.3777"}"#,
                ),
                (
                    "52.5163,13.3777, 8",
                    r#"{"accuracy_m":"8","captured_at":"2026-11-23T18:31:40.123Z","latitude":"52.5163","longitude":"13.3777"}"#,
                ),
                ("91, 0", "too_large"),
                ("52.5163", "bad_format"),
            ],
        );
        typed(json!({ "type": "signature" }), &[("Mia", "needs_manifest")]);
    }
}
