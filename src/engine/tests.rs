//! Values can meet every bound that a document may have: lint and validation never disagree.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::decimal::DecimalText;
use super::document;
use super::pattern::whole_match;
use super::session::{parse_value, validate};
use crate::model::*;

fn word(pattern: &'static str) -> impl Strategy<Value = Value> {
    pattern.prop_map(Value::from)
}

fn decimal() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => word(r"-?[0-9]{1,2}(\.[0-9]{1,3})?"),
        1 => word(r"-?[0-9]{1,17}(\.[0-9]{1,17})?"),
        1 => word(r"-?0\.0{1,32}[0-9]?"),
        1 => word(r"[+-]?[0-9]*\.?[0-9]*(e[0-9])?"),
    ]
}

fn date() -> &'static str {
    "(000[0-2]|2026|999[89]|[0-9]{4})-(0[0-9]|1[0-3])-([0-2][0-9]|3[01])"
}

fn time() -> &'static str {
    "([01][0-9]|2[0-4]):([0-5][0-9]|60):([0-5][0-9]|60)"
}

fn datetime() -> impl Strategy<Value = Value> {
    (date(), time(), r"(\.[0-9]{1,10})?", "(Z|[+-](0[0-9]|1[0-9]|2[0-4]):[0-6]0)?")
        .prop_map(|(date, time, fraction, offset)| json!(format!("{date}T{time}{fraction}{offset}")))
}

fn length() -> impl Strategy<Value = Value> {
    prop_oneof![0..30_i64, Just(9_999), 10_000..10_002_i64, 19_999..20_002_i64].prop_map(Value::from)
}

fn pattern() -> impl Strategy<Value = Value> {
    prop::sample::select(vec!["[A-Z]{2}[0-9]+", "a|b", "(?x) a+ # as", "(?i)x", "a)|(b", "(?x) a#)", "", r"\p{L}", "^x$", "(", r"\d{3}\z"])
        .prop_map(Value::from)
}

fn integer() -> impl Strategy<Value = Value> {
    prop_oneof![4 => -9..10_i64, 1 => -MAX_INTEGER - 1..-MAX_INTEGER + 1, 1 => MAX_INTEGER - 1..MAX_INTEGER + 2].prop_map(Value::from)
}

fn media_types() -> impl Strategy<Value = Value> {
    let one = prop_oneof![
        word("[a-z]{1,4}/([a-z]{1,4}|[*])"),
        word("[a-zA-Z0-9*.+;]{0,3}/[a-zA-Z0-9*.+;]{1,3}"),
        word("[a-z]{50,80}/[a-z]{50,80}")
    ];
    prop::collection::vec(one, 0..3).prop_map(Value::from)
}

/// A field of this type in which each constraint may be.
fn field<const N: usize>(kind: &'static str, constraints: [(&'static str, BoxedStrategy<Value>); N]) -> BoxedStrategy<Value> {
    let constraints: Vec<_> = constraints
        .into_iter()
        .map(|(name, value)| prop::option::of(value).prop_map(move |value| value.map(|value| (name, value))))
        .collect();
    constraints
        .prop_map(move |constraints| {
            let mut field = json!({ "key": "f", "name": "Field", "type": kind });
            for (name, value) in constraints.into_iter().flatten() {
                field[name] = value;
            }
            field
        })
        .boxed()
}

fn any_field() -> impl Strategy<Value = Value> {
    let texts = ["text", "multiline", "email", "phone", "url", "barcode"];
    let text = |kind| field(kind, [("min_length", length().boxed()), ("max_length", length().boxed()), ("pattern", pattern().boxed())]);
    let range = |kind, bound: BoxedStrategy<Value>| field(kind, [("min", bound.clone()), ("max", bound)]);
    let options = || {
        let keys = prop::collection::vec("[a-d]", 0..4);
        keys.prop_map(|keys| keys.into_iter().map(|key| json!({ "key": key, "name": key })).collect::<Value>()).boxed()
    };
    let count = || (0..5_i64).prop_map(Value::from).boxed();
    let size = || prop_oneof![0..9_i64, MAX_INTEGER - 1..MAX_INTEGER + 2].prop_map(Value::from).boxed();
    let file = |kind| field(kind, [("max_size", size()), ("media_types", media_types().boxed())]);
    let mut fields: Vec<_> = texts.into_iter().map(text).collect();
    fields.extend([
        range("integer", integer().boxed()),
        field(
            "decimal",
            [("min", decimal().boxed()), ("max", decimal().boxed()), ("decimal_places", (0..17_i64).prop_map(Value::from).boxed())],
        ),
        field("boolean", []),
        range("date", word(date()).boxed()),
        range("time", word(time()).boxed()),
        range("datetime", datetime().boxed()),
        field("single_choice", [("options", options())]),
        field("multiple_choice", [("options", options()), ("min", count()), ("max", count())]),
        field("location", [("max_accuracy_m", decimal().boxed())]),
        file("attachment"),
        file("signature"),
    ]);
    prop::sample::select(fields).prop_flat_map(|field| field)
}

/// The field as the core reads it from a document, unless lint has an error.
fn read(field: &Value) -> Option<FieldDefinition> {
    let sections = json!([{ "key": "s", "name": "S", "fields": ["f"] }]);
    let document = json!({ "format": 1, "key": "w", "version": 1, "name": "W", "start": "s", "fields": [field], "sections": sections });
    document::parse(document.to_string().as_bytes()).workflow.map(|mut workflow| workflow.fields.remove(0))
}

/// `ok`, `empty`, or the code of the problem.
fn verdict(result: Result<FieldState, Problem>) -> String {
    match result {
        Ok(FieldState::Provided(_)) => "ok".to_owned(),
        Ok(FieldState::Empty) => "empty".to_owned(),
        Ok(other) => panic!("a value is never {other:?}"),
        Err(problem) => problem.code,
    }
}

/// Every bound of the field, given or typed as a value, is accepted, or refused only because of another constraint.
fn bounds_are_values(definition: &FieldDefinition) {
    let given = |value| verdict(validate(definition, &value));
    let typed = |text: &str| verdict(parse_value(definition, text, Timestamp::UNIX_EPOCH));
    match &definition.kind {
        FieldKind::Text(rule)
        | FieldKind::Multiline(rule)
        | FieldKind::Email(rule)
        | FieldKind::Phone(rule)
        | FieldKind::Url(rule)
        | FieldKind::Barcode(rule) => {
            assert!(rule.pattern.iter().all(|pattern| whole_match(pattern).is_ok()), "the pattern is one");
            for length in rule.min_length.into_iter().chain(rule.max_length) {
                let verdict = given(FieldValue::Text("1".repeat(length as usize)));
                let of_another = matches!(definition.kind, FieldKind::Email(_) | FieldKind::Url(_) | FieldKind::Phone(_));
                let expected = match verdict.as_str() {
                    "empty" => length == 0,
                    "pattern" => rule.pattern.is_some(),
                    "bad_format" => of_another,
                    verdict => verdict == "ok",
                };
                assert!(expected, "{length} characters are {verdict}");
            }
        }
        FieldKind::Integer { min, max } => {
            for bound in min.iter().chain(max) {
                assert_eq!(given(FieldValue::Integer(*bound)), "ok");
                assert_eq!(typed(&bound.to_string()), "ok");
            }
        }
        FieldKind::Decimal { min, max, decimal_places } => {
            for bound in min.iter().chain(max) {
                let places = DecimalText::parse(bound).expect("a bound is a number").decimal_places();
                let fits = decimal_places.is_none_or(|most| places <= most as usize);
                let expected = if fits { "ok" } else { "too_many_decimal_places" };
                assert_eq!(given(FieldValue::Decimal(Decimal(bound.clone()))), expected);
                assert_eq!(typed(bound), expected);
            }
        }
        FieldKind::Date { min, max } | FieldKind::Time { min, max } | FieldKind::DateTime { min, max } => {
            for bound in min.iter().chain(max) {
                assert_eq!(typed(bound), "ok");
            }
        }
        FieldKind::MultipleChoice { options, min, max } => {
            for count in min.iter().chain(max) {
                let keys = options.iter().take(*count as usize).map(|option| option.key.clone());
                assert_eq!(given(FieldValue::Choices(keys.collect())), if *count == 0 { "empty" } else { "ok" });
            }
        }
        FieldKind::SingleChoice { options } => {
            assert_eq!(given(FieldValue::Choice(options[0].key.clone())), "ok");
        }
        FieldKind::Location { max_accuracy_m } => {
            assert_eq!(typed(&format!("1, 2, {}", max_accuracy_m.as_deref().unwrap_or("9"))), "ok");
        }
        FieldKind::Attachment(rule) | FieldKind::Signature(rule) => {
            let any = ["a/b".to_owned()];
            for media_type in if rule.media_types.is_empty() { &any[..] } else { &rule.media_types } {
                let manifest = FileManifest {
                    sha256: "0".repeat(64),
                    media_type: media_type.replace('*', "x"),
                    size: rule.max_size.unwrap_or(0),
                    name: "f".to_owned(),
                };
                assert_eq!(given(FieldValue::File(manifest)), "ok");
            }
        }
        FieldKind::Boolean => assert_eq!(typed("yes"), "ok"),
    }
}

#[test]
fn the_bounds_of_a_field_without_errors_are_values_of_it() {
    let valid = RefCell::new(BTreeMap::<&str, u32>::new());
    let config = Config { cases: 4_000, failure_persistence: None, ..Config::default() };
    let checked = TestRunner::new(config).run(&any_field(), |field| {
        if let Some(definition) = read(&field) {
            bounds_are_values(&definition);
            *valid.borrow_mut().entry(definition.kind.type_name()).or_default() += 1;
        }
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
    let valid = valid.into_inner();
    assert_eq!(valid.len(), 17, "every type was seen without an error: {valid:?}");
}
