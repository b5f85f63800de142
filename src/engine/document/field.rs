//! Reads the fields of the library and checks their constraints.

use std::collections::HashSet;

use super::code::{Code, quoted};
use super::limit::*;
use super::node::Node;
use super::reader::{Need, Object, Reader, Shape};
use super::requires;
use crate::engine::decimal::DecimalText;
use crate::engine::pattern::{AsciiOnly, NoPattern, ascii_only, whole_match};
use crate::engine::pattern_length::{Lengths, lengths};
use crate::engine::session::parse_value;
use crate::engine::session::validate::{MIN_EMAIL, MIN_PHONE, MIN_URL};
use crate::engine::{media_type, moment};
use crate::model::{FieldDefinition, FieldKind, FieldOption, FieldState, FileRule, TextRule, Timestamp};

/// Reads a field's constraints from its object.
type ReadKind = fn(&mut Reader, &Object) -> FieldKind;

const TEXT: &[&str] = &["min_length", "max_length", "pattern"];
const RANGE: &[&str] = &["min", "max"];
const FILE: &[&str] = &["max_size", "media_types"];
/// Every constraint of any type.
const CONSTRAINTS: &[&str] =
    &["min_length", "max_length", "pattern", "min", "max", "decimal_places", "options", "max_accuracy_m", "max_size", "media_types"];

/// Every type: its name, the constraints it has, and how they are read.
const TYPES: &[(&str, (&[&str], ReadKind))] = &[
    ("text", (TEXT, |r, o| FieldKind::Text(text_rule(r, o, 1)))),
    ("multiline", (TEXT, |r, o| FieldKind::Multiline(text_rule(r, o, 1)))),
    ("integer", (RANGE, integer)),
    ("decimal", (&["min", "max", "decimal_places"], decimal)),
    ("boolean", (&[], |_, _| FieldKind::Boolean)),
    ("date", (RANGE, |r, o| bounds(r, o, "a date such as `2026-11-23`", moment::parse_date, |min, max| FieldKind::Date { min, max }))),
    ("time", (RANGE, |r, o| bounds(r, o, "a time such as `08:30:00`", moment::parse_time, |min, max| FieldKind::Time { min, max }))),
    (
        "datetime",
        (RANGE, |r, o| {
            bounds(r, o, "a moment such as `2026-11-23T08:30:00+01:00`", moment::parse_datetime, |min, max| FieldKind::DateTime {
                min,
                max,
            })
        }),
    ),
    ("single_choice", (&["options"], |r, o| FieldKind::SingleChoice { options: options(r, o) })),
    ("multiple_choice", (&["options", "min", "max"], multiple_choice)),
    ("email", (TEXT, |r, o| FieldKind::Email(text_rule(r, o, MIN_EMAIL)))),
    ("phone", (TEXT, |r, o| FieldKind::Phone(text_rule(r, o, MIN_PHONE)))),
    ("url", (TEXT, |r, o| FieldKind::Url(text_rule(r, o, MIN_URL)))),
    ("barcode", (TEXT, |r, o| FieldKind::Barcode(text_rule(r, o, 1)))),
    ("location", (&["max_accuracy_m"], location)),
    ("attachment", (FILE, |r, o| FieldKind::Attachment(file_rule(r, o)))),
    ("signature", (FILE, |r, o| FieldKind::Signature(file_rule(r, o)))),
];

pub(super) fn definition(reader: &mut Reader, object: &Object) -> FieldDefinition {
    requires::bound(reader, object, requires::OF_FIELD);
    let key = reader.key(object, "key");
    let name = reader.name(object);
    let help = reader.shown(object, "help", Need::Optional, Shape::Lines, MAX_HELP_LENGTH);
    let required = reader.flag(object, "required");
    let allow_empty = reader.flag(object, "allow_empty");
    let allow_not_applicable = reader.flag(object, "allow_not_applicable");
    if allow_empty && !required && object.get("required").is_none_or(|node| matches!(node, Node::Bool(_))) {
        reader.add(
            Code::NoEffect,
            object.at("allow_empty"),
            "This lets an empty value satisfy `required`, but the field is not required; make it required, or remove this.",
        );
    }
    let before = reader.findings.count();
    // The other members depend on the type; with an unknown type they cannot be linted.
    let kind = match reader.word(object, "type", TYPES) {
        Some((own, read)) => {
            for constraint in CONSTRAINTS.iter().filter(|constraint| !own.contains(constraint)) {
                if object.get(constraint).is_some() {
                    let message = format!("Fields of this type have no constraint `{constraint}`; remove it, or choose another type.");
                    reader.add(Code::IgnoredConstraint, object.at(constraint), message);
                }
            }
            read(reader, object)
        }
        None => FieldKind::Boolean,
    };
    let valid = reader.findings.count() == before;
    ascii_pattern(reader, object, &kind);
    let definition = FieldDefinition { key, name, help, required, allow_empty, allow_not_applicable, kind };
    example(reader, object, &definition, valid);
    definition
}

/// Warns about a pattern that refuses letters that its author may have meant.
fn ascii_pattern(reader: &mut Reader, object: &Object, kind: &FieldKind) {
    let Some(pattern) = kind.text_rule().and_then(|rule| rule.pattern.as_deref()) else { return };
    let AsciiOnly { words, case } = ascii_only(pattern);
    if words && matches!(kind, FieldKind::Text(_) | FieldKind::Multiline(_)) {
        let message = r"`\w` and `\b` know only ASCII letters: `Müller` is not a word. Exclude the other characters instead, for instance with `[^0-9]`.";
        reader.add(Code::AsciiOnlyPattern, object.at("pattern"), message);
    }
    if case {
        let message = "`(?i)` knows only ASCII letters; write both cases of the others, such as `[Üü]`.";
        reader.add(Code::AsciiOnlyPattern, object.at("pattern"), message);
    }
}

/// Checks the example of a field: a text as a technician would type it, to show that the field's rules accept some value.
fn example(reader: &mut Reader, object: &Object, definition: &FieldDefinition, valid: bool) {
    let Some(text) = reader.text(object, "example", Need::Optional, Shape::Lines, MAX_EXAMPLE_LENGTH) else { return };
    if matches!(definition.kind, FieldKind::Attachment(_) | FieldKind::Signature(_)) {
        reader.add(Code::IgnoredConstraint, object.at("example"), "A field for a file cannot have an example; remove it.");
    } else if valid && text.chars().count() <= MAX_EXAMPLE_LENGTH {
        if definition.kind.text_rule().is_some_and(|rule| rule.pattern.is_some()) {
            reader.matched += text.chars().count();
            if reader.matched > MAX_EXAMPLES_LENGTH {
                let message =
                    format!("Only {MAX_EXAMPLES_LENGTH} characters of examples are matched with patterns; this one is not checked.");
                reader.add(Code::IgnoredConstraint, object.at("example"), message);
                return;
            }
        }
        let problem = match parse_value(definition, &text, Timestamp::UNIX_EPOCH) {
            Ok(FieldState::Provided(_)) => return,
            Ok(_) => "it is empty".to_owned(),
            Err(problem) => problem.message,
        };
        reader.add(Code::BadExample, object.at("example"), format!("The field refuses its own example: {problem}. Fix one of the two."));
    }
}

fn bad(reader: &mut Reader, object: &Object, name: &str, message: impl Into<String>) {
    reader.add(Code::BadConstraint, object.at(name), message);
}

/// Reports a lower bound above its upper bound, at the upper one.
fn ordered<T: PartialOrd>(reader: &mut Reader, object: &Object, min: (&str, Option<T>), max: (&str, Option<T>)) {
    if let (Some(least), Some(most)) = (min.1, max.1)
        && least > most
    {
        bad(reader, object, max.0, format!("`{}` is above `{}`, so no value fits; exchange or fix them.", min.0, max.0));
    }
}

/// `shortest` is the length of the shortest value of the type, in characters.
fn text_rule(reader: &mut Reader, object: &Object, shortest: u32) -> TextRule {
    let min_length = reader.integer32(object, "min_length", Need::Optional, 0..=MAX_TEXT_BOUND, Code::BadConstraint);
    let max_length = reader.integer32(object, "max_length", Need::Optional, 1..=MAX_TEXT_BOUND, Code::BadConstraint);
    ordered(reader, object, ("min_length", min_length), ("max_length", max_length));
    if object.get("max_length").is_none() && min_length > Some(DEFAULT_MAX_LENGTH) {
        let message = format!("Without `max_length` a text has at most {DEFAULT_MAX_LENGTH} characters, so no value fits; add it.");
        bad(reader, object, "min_length", message);
    }
    if max_length.is_some_and(|most| most < shortest) {
        bad(
            reader,
            object,
            "max_length",
            format!("The shortest value of this type has {shortest} characters, so no value fits; raise it."),
        );
    }
    let pattern = reader.plain(object, "pattern");
    if let Some(text) = &pattern
        && let Err(fault) = whole_match(text)
    {
        let message = match fault {
            NoPattern::Empty => "An empty pattern only matches an empty text; remove it.".to_owned(),
            NoPattern::TooLong(length) => format!("The pattern has {length} characters; at most {MAX_PATTERN_LENGTH} are allowed."),
            NoPattern::Refused(error) => format!("{} is not a pattern that can be used ({error}); fix it.", quoted(text)),
        };
        bad(reader, object, "pattern", message);
    } else if let Some(Lengths { least, most }) = pattern.as_deref().and_then(lengths) {
        let longest = max_length.unwrap_or(DEFAULT_MAX_LENGTH);
        let needed = min_length.unwrap_or(0).max(shortest);
        if least > u64::from(longest) {
            bad(
                reader,
                object,
                "pattern",
                format!("It only matches texts of at least {least} characters, and at most {longest} are allowed; fix one of the two."),
            );
        } else if let Some(most) = most.filter(|most| *most < u64::from(needed)) {
            bad(
                reader,
                object,
                "pattern",
                format!("It only matches texts of at most {most} characters, and at least {needed} are needed; fix one of the two."),
            );
        }
    }
    TextRule { min_length, max_length, pattern }
}

fn integer(reader: &mut Reader, object: &Object) -> FieldKind {
    let range = -MAX_INTEGER..=MAX_INTEGER;
    let min = reader.integer(object, "min", Need::Optional, range.clone(), Code::BadConstraint);
    let max = reader.integer(object, "max", Need::Optional, range, Code::BadConstraint);
    ordered(reader, object, ("min", min), ("max", max));
    FieldKind::Integer { min, max }
}

fn number(text: &str) -> Option<DecimalText<'_>> {
    DecimalText::parse(text).ok()
}

fn decimal_member(reader: &mut Reader, object: &Object, name: &str) -> Option<String> {
    let text = reader.plain(object, name)?;
    if DecimalText::parse(&text).is_err() {
        let message = format!(
            "{} is not a decimal bound; write digits such as `182.50`, without exponent, with at most {MAX_SIGNIFICANT_DIGITS} significant digits.",
            quoted(&text)
        );
        bad(reader, object, name, message);
    }
    Some(text)
}

fn decimal(reader: &mut Reader, object: &Object) -> FieldKind {
    let min = decimal_member(reader, object, "min");
    let max = decimal_member(reader, object, "max");
    let decimal_places = reader.integer32(object, "decimal_places", Need::Optional, 0..=MAX_DECIMAL_PLACES, Code::BadConstraint);
    let (least, most) = (min.as_deref().and_then(number), max.as_deref().and_then(number));
    ordered(reader, object, ("min", least), ("max", most));
    if let (Some(least), Some(most), Some(places)) = (least, most, decimal_places)
        && least <= most
        && !least.reaches(&most, places as usize)
    {
        bad(
            reader,
            object,
            "decimal_places",
            "No number with so few decimal places is between `min` and `max`; allow more, or fix the bounds.",
        );
    }
    FieldKind::Decimal { min, max, decimal_places }
}

/// Reads the bounds of a date, a time or a moment: texts that are checked and kept as they are.
fn bounds<T: PartialOrd>(
    reader: &mut Reader,
    object: &Object,
    expected: &str,
    read: fn(&str) -> Option<T>,
    make: fn(Option<String>, Option<String>) -> FieldKind,
) -> FieldKind {
    let mut bound = |name| {
        let text: Option<String> = reader.plain(object, name);
        let value = text.as_deref().and_then(read);
        if let (Some(text), None) = (&text, &value) {
            bad(reader, object, name, format!("{} cannot be read; write {expected}.", quoted(text)));
        }
        (text, value)
    };
    let (min, least) = bound("min");
    let (max, most) = bound("max");
    ordered(reader, object, ("min", least), ("max", most));
    make(min, max)
}

fn options(reader: &mut Reader, object: &Object) -> Vec<FieldOption> {
    let options =
        reader.elements(object, "options", Need::Required, MAX_OPTIONS, |r, o| FieldOption { key: r.key(o, "key"), name: r.name(o) });
    if matches!(object.get("options"), Some(Node::List(list)) if list.is_empty()) {
        bad(reader, object, "options", "There is nothing to choose from; add an option.");
    }
    options
}

fn multiple_choice(reader: &mut Reader, object: &Object) -> FieldKind {
    let options = options(reader, object);
    // No more options can be required or chosen than there are.
    let known = matches!(object.get("options"), Some(Node::List(_)));
    let count = u32::try_from(if known { options.len().max(1) } else { MAX_OPTIONS }).unwrap_or(u32::MAX);
    let min = reader.integer32(object, "min", Need::Optional, 0..=count, Code::BadConstraint);
    let max = reader.integer32(object, "max", Need::Optional, 1..=count, Code::BadConstraint);
    ordered(reader, object, ("min", min), ("max", max));
    FieldKind::MultipleChoice { options, min, max }
}

fn location(reader: &mut Reader, object: &Object) -> FieldKind {
    let max_accuracy_m = decimal_member(reader, object, "max_accuracy_m");
    if max_accuracy_m.as_deref().and_then(number).is_some_and(|radius| Some(radius) <= number("0")) {
        bad(reader, object, "max_accuracy_m", "No position is that accurate; write metres above zero.");
    }
    FieldKind::Location { max_accuracy_m }
}

fn file_rule(reader: &mut Reader, object: &Object) -> FileRule {
    let max_size = reader.integer(object, "max_size", Need::Optional, 1..=MAX_INTEGER, Code::BadConstraint);
    let listed = reader.list(object, "media_types", Need::Optional, MAX_MEDIA_TYPES);
    if matches!(object.get("media_types"), Some(Node::List(list)) if list.is_empty()) {
        bad(reader, object, "media_types", "No media type is accepted, so no file fits; add one, or remove the list to accept any.");
    }
    let mut seen = HashSet::new();
    let mut media_types = Vec::new();
    for (node, pointer) in listed.iter() {
        match node {
            Node::Text(text) if is_media_type(text) => {
                if !seen.insert(text.clone()) {
                    reader.add(Code::BadConstraint, pointer, format!("{} is listed twice; remove one.", quoted(text)));
                }
                media_types.push(text.clone());
            }
            Node::Text(text) => {
                let message = format!("{} is not a media type; write one such as `image/jpeg` or `image/*`, in lower case.", quoted(text));
                reader.add(Code::BadConstraint, pointer, message);
            }
            Node::Refused => {}
            other => reader.add(Code::WrongType, pointer, format!("This is {}; write a media type as text here.", other.describe())),
        }
    }
    FileRule { max_size: max_size.and_then(|size| u64::try_from(size).ok()), media_types }
}

/// A media type in lower case, `type/subtype` or `type/*`.
fn is_media_type(text: &str) -> bool {
    let valid = text.strip_suffix("/*").map_or_else(|| media_type::halves(text).is_some(), media_type::is_half);
    valid && text.len() <= MAX_MEDIA_TYPE_LENGTH && !text.bytes().any(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_read_as_itself() {
        let nothing = Node::Object(vec![("options".into(), Node::List(vec![]))]);
        for (name, (constraints, read)) in TYPES {
            let mut reader = Reader::default();
            let object = reader.object(&nothing, String::new()).expect("it is an object");
            assert_eq!(read(&mut reader, &object).type_name(), *name);
            assert!(constraints.iter().all(|constraint| CONSTRAINTS.contains(constraint)), "{name}");
        }
        let schema: serde_json::Value = serde_json::from_str(include_str!("../../../docs/workflow.schema.json")).expect("the schema");
        let names: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
        assert_eq!(schema.pointer("/$defs/field/properties/type/enum"), Some(&serde_json::json!(names)));
    }

    #[test]
    fn media_types_are_named_in_lower_case() {
        for good in ["image/jpeg", "image/*", "application/vnd.api+json"] {
            assert!(is_media_type(good), "{good}");
        }
        for bad in ["", "image", "image/", "/jpeg", "*/*", "Image/jpeg", "image/jpeg;q=1", "image/jp eg", "image/*x"] {
            assert!(!is_media_type(bad), "{bad}");
        }
    }
}
