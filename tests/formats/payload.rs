//! The body of a webhook, byte for byte: `tests/golden/payload` holds one message per field type and a few whole ones.
//!
//! A receiver was written against these bytes. `UPDATE_GOLDEN=1 cargo test --test formats payload -- --test-threads 1` writes
//! them anew; look at the difference before it is committed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, NaiveTime};
use compass_core::model::{
    Decimal, FieldDefinition, FieldKind, FieldOption, FieldState, FieldValue, FileManifest, FileRule, Location, Submission, SubmittedField,
    TextRule, Timestamp, WorkflowRef,
};
use compass_core::parse_value;
use compass_core::testing::rules::payload;

use crate::support::workflows;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn submission(fields: Vec<SubmittedField>) -> Submission {
    Submission {
        key: "0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11".parse().expect("a session key"),
        started_at: at("2026-11-23T18:22:16.123Z"),
        completed_at: at("2026-11-23T18:40:02.001Z"),
        workflow: WorkflowRef { key: "boiler-service".into(), name: "Boiler service".into(), version: 3, local_revision: 1 },
        fields,
    }
}

fn field(key: &str, name: &str, kind: FieldKind, value: FieldValue) -> SubmittedField {
    let definition = FieldDefinition {
        key: key.into(),
        name: name.into(),
        help: Some("Never on the wire.".into()),
        required: true,
        allow_empty: false,
        allow_not_applicable: false,
        kind,
    };
    SubmittedField { definition, value, completed_at: at("2026-11-23T18:31:40.870Z") }
}

fn text(value: &str) -> FieldValue {
    FieldValue::Text(value.into())
}

fn decimal(digits: &str) -> Decimal {
    Decimal(digits.into())
}

fn options() -> Vec<FieldOption> {
    [("gas", "Gas"), ("oil", "Oil"), ("pump", "Heat pump")].map(|(key, name)| FieldOption { key: key.into(), name: name.into() }).into()
}

fn photo() -> FieldValue {
    FieldValue::File(FileManifest {
        sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".into(),
        media_type: "image/jpeg".into(),
        size: 1_482_113,
        name: "plate.jpg".into(),
    })
}

/// One field of every type.
fn every_type() -> Vec<SubmittedField> {
    let rule = TextRule::default;
    let decimals = FieldKind::Decimal { min: None, max: Some("400.0".into()), decimal_places: Some(2) };
    let moment = DateTime::parse_from_rfc3339("2026-11-23T19:31:40+01:00").expect("a moment");
    let place = Location {
        latitude: decimal("52.520080"),
        longitude: decimal("-0.10"),
        accuracy_m: Some(decimal("4.5")),
        captured_at: at("2026-11-23T18:30:00Z"),
        mocked: false,
    };
    vec![
        field("serial", "Serial number", FieldKind::Text(rule()), text("BX-100/7")),
        field("remarks", "Remarks", FieldKind::Multiline(rule()), text("Two lines:\n\t\"tight\" \\ dry")),
        field("burners", "Burners", FieldKind::Integer { min: None, max: None }, FieldValue::Integer(-9_007_199_254_740_991)),
        field("flue_temp", "Flue temperature", decimals, FieldValue::Decimal(decimal("182.50"))),
        field("leak", "Leak found", FieldKind::Boolean, FieldValue::Boolean(false)),
        field("next_service", "Next service", FieldKind::Date { min: None, max: None }, FieldValue::Date(day())),
        field("arrival", "Arrival", FieldKind::Time { min: None, max: None }, FieldValue::Time(evening())),
        field("relit_at", "Relit at", FieldKind::DateTime { min: None, max: None }, FieldValue::DateTime(moment)),
        field("fuel", "Fuel", FieldKind::SingleChoice { options: options() }, FieldValue::Choice("pump".into())),
        field(
            "heats_with",
            "Heats with",
            FieldKind::MultipleChoice { options: options(), min: None, max: None },
            FieldValue::Choices(vec!["pump".into(), "gas".into()]),
        ),
        field("email", "E-mail", FieldKind::Email(rule()), text("a.berg+boiler@customer.example")),
        field("phone", "Telephone", FieldKind::Phone(rule()), text("+44 (0)20 7946 0000")),
        field("manual", "Manual", FieldKind::Url(rule()), text("https://manuals.example/bx?a=1&b=<2>")),
        field("barcode", "Barcode", FieldKind::Barcode(rule()), text("04006381333931")),
        field("position", "Position", FieldKind::Location { max_accuracy_m: None }, FieldValue::Location(place)),
        field("plate", "Type plate", FieldKind::Attachment(FileRule::default()), photo()),
        field("signed", "Customer's signature", FieldKind::Signature(FileRule::default()), photo()),
    ]
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2027, 2, 3).expect("a date")
}

fn evening() -> NaiveTime {
    NaiveTime::from_hms_opt(18, 31, 40).expect("a time of day")
}

/// A field of every type that can be typed, as keyboards, scanners and the clipboard may give it.
fn as_typed() -> Vec<SubmittedField> {
    let given = [
        "\u{2068}BX-100/7\u{2069}",
        "first\r\nsecond\rthird",
        "\u{200e}-٤٢",
        "١٨٢٫٥٠",
        "yes",
        "۲۰۲۶-۱۱-۲۳",
        "१८:३१:४०",
        "２０２６-１１-２３T１９:３１:４０+０１:００",
        "٣",
        "٣, 1",
        "\u{200e}a.berg@customer.example\u{200f}",
        "\u{202d}+٤٤ ٢٠ ٧٩٤٦ ٠٠١٨\u{202c}",
        "\u{2066}https://manuals.example/bx\u{2069}",
        "010952110215301321ABC\u{1d}21XYZ",
        "٥٢٫٥٢٠٠٨٠, -٠٫١٠, ٤٫٥",
    ];
    let typed = every_type().into_iter().zip(given).map(|(field, text)| {
        let read = parse_value(&field.definition, text, at("2026-11-23T18:30:00Z"));
        let Ok(FieldState::Provided(value)) = read else { panic!("{text:?}: {read:?}") };
        SubmittedField { value, ..field }
    });
    typed.collect()
}

/// Name of the golden file, and the message.
fn messages() -> Vec<(String, Submission)> {
    let mut messages: Vec<(String, Submission)> =
        every_type().into_iter().map(|field| (field.definition.kind.type_name().to_owned(), submission(vec![field]))).collect();
    messages.push(("all_types".into(), submission(every_type())));
    messages.push(("no_fields".into(), submission(vec![])));
    let ended = Submission { completed_at: at("2026-11-23T18:25:00Z"), ..submission(every_type().split_off(16)) };
    messages.push(("ended".into(), ended));
    let mut unicode = submission(vec![
        field("note", "Größe in ℃", FieldKind::Text(TextRule::default()), text("Ünïcödé 🔧 日本語 \u{2028} \u{7f} e\u{301}")),
        field(
            "fuel",
            "Brennstoff",
            FieldKind::SingleChoice { options: vec![FieldOption { key: "oel".into(), name: "Öl".into() }] },
            FieldValue::Choice("oel".into()),
        ),
    ]);
    unicode.workflow.name = "Kesselprüfung".into();
    messages.push(("unicode".into(), unicode));
    messages.push(("as_typed".into(), submission(as_typed())));
    let fraction = DateTime::parse_from_rfc3339("2026-11-23T18:31:40.250Z").expect("a moment");
    messages.push((
        "edges".into(),
        submission(vec![
            field(
                "t",
                "Time with a fraction",
                FieldKind::Time { min: None, max: None },
                FieldValue::Time(evening() + fraction_of_a_second()),
            ),
            field("d", "Moment in UTC with a fraction", FieldKind::DateTime { min: None, max: None }, FieldValue::DateTime(fraction)),
            field(
                "l",
                "Position without accuracy, made up by another app",
                FieldKind::Location { max_accuracy_m: None },
                FieldValue::Location(Location {
                    latitude: decimal("0"),
                    longitude: decimal("180.0"),
                    accuracy_m: None,
                    captured_at: at("2026-11-23T18:30:00.000999Z"),
                    mocked: true,
                }),
            ),
            field(
                "m",
                "Nothing chosen",
                FieldKind::MultipleChoice { options: options(), min: None, max: None },
                FieldValue::Choices(vec![]),
            ),
        ]),
    ));
    messages
}

fn fraction_of_a_second() -> chrono::TimeDelta {
    chrono::TimeDelta::milliseconds(500)
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/payload")
}

#[test]
fn every_message_has_exactly_the_bytes_it_always_had() {
    let update = std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1");
    for (name, submission) in messages() {
        let path = directory().join(format!("{name}.json"));
        let body = payload(&submission).expect("values that fit");
        if update {
            std::fs::write(&path, &body).expect("the golden file is written");
        }
        let golden = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(String::from_utf8_lossy(&body), String::from_utf8_lossy(&golden), "{name}");
        assert_eq!(body, golden, "{name}");
    }
}

#[test]
fn there_is_a_golden_file_for_every_field_type_and_no_other() {
    let files: BTreeSet<String> = std::fs::read_dir(directory())
        .expect("the directory of golden files")
        .map(|entry| entry.expect("a file").file_name().into_string().expect("a name"))
        .collect();
    let expected: BTreeSet<String> = messages().into_iter().map(|(name, _)| format!("{name}.json")).collect();
    assert_eq!(files, expected);
}

#[test]
fn every_field_type_of_the_format_is_written_to_a_receiver_and_tried_with_values() {
    let schema: serde_json::Value = serde_json::from_str(include_str!("../../docs/workflow.schema.json")).expect("the schema");
    let types = schema.pointer("/$defs/field/properties/type/enum").and_then(|types| types.as_array()).expect("the types");
    let types: BTreeSet<&str> = types.iter().map(|name| name.as_str().expect("a name")).collect();
    let names = |kinds: &[FieldKind]| -> BTreeSet<&'static str> { kinds.iter().map(FieldKind::type_name).collect() };
    let written: Vec<FieldKind> = every_type().into_iter().map(|field| field.definition.kind).collect();
    assert_eq!(names(&written), types);
    assert_eq!(names(&workflows::kinds()), types, "tests/support/workflows.rs");
}

#[test]
fn every_message_is_compact_json_with_the_five_properties_in_order() {
    for (name, _) in messages() {
        let golden = std::fs::read_to_string(directory().join(format!("{name}.json"))).expect("a golden file in UTF-8");
        let value: serde_json::Value = serde_json::from_str(&golden).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(value.as_object().expect("an object").len(), 5, "{name}");
        let mut rest = golden.as_str();
        for property in ["{\"key\":\"", "\"started_at\":\"", "\"completed_at\":\"", "\"workflow\":{", "\"fields\":["] {
            rest = rest.split_once(property).unwrap_or_else(|| panic!("{name}: {property} is missing or out of order")).1;
        }
        assert!(!golden.contains("Never on the wire"), "{name}");
        assert!(!golden.contains("\": ") && !golden.ends_with('\n'), "{name} is compact");
    }
}
