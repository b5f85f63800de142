use serde_json::{Value, json};

use super::*;
use crate::model::{Decimal, FileManifest, Location};

/// A field from its JSON, as a document has it.
pub(super) fn field(kind: Value) -> FieldDefinition {
    let mut json = json!({ "key": "f", "name": "Field" });
    json.as_object_mut().unwrap().extend(kind.as_object().unwrap().clone());
    serde_json::from_value(json).unwrap()
}

/// `ok`, `empty` or the code of the problem, with its limit where it has one.
fn verdict(field: &FieldDefinition, value: &FieldValue) -> String {
    match validate(field, value) {
        Ok(FieldState::Provided(_)) => "ok".into(),
        Ok(FieldState::Empty) => "empty".into(),
        Ok(other) => panic!("a value is never {other:?}"),
        Err(problem) => {
            assert_eq!(problem.field, "f", "the problem names the field");
            assert!(!problem.message.is_empty());
            match problem.limit {
                Some(limit) => format!("{} {limit}", problem.code),
                None => problem.code,
            }
        }
    }
}

fn texts(kind: Value, rows: &[(&str, &str)]) {
    let field = field(kind);
    for (text, expected) in rows {
        assert_eq!(verdict(&field, &FieldValue::Text((*text).into())), *expected, "{text:?}");
    }
}

fn decimals(kind: Value, rows: &[(&str, &str)]) {
    let field = field(kind);
    for (text, expected) in rows {
        assert_eq!(verdict(&field, &FieldValue::Decimal(Decimal((*text).into()))), *expected, "{text:?}");
    }
}

#[test]
fn a_text_has_one_line_no_control_characters_and_a_length() {
    texts(
        json!({ "type": "text", "min_length": 2, "max_length": 4 }),
        &[
            ("", "empty"),
            ("a", "too_short 2"),
            ("ab", "ok"),
            ("äöü€", "ok"),
            ("😀😀😀😀", "ok"),
            ("abcde", "too_long 4"),
            ("a\tb", "ok"),
            ("a\nb", "line_break"),
            ("a\rb", "line_break"),
            ("a\r\nb", "line_break"),
            ("a\u{0}b", "control_character"),
            ("a\u{85}b", "control_character"),
            ("a\u{2028}b", "control_character"),
            ("a\u{2029}", "control_character"),
            ("a\u{202e}b", "control_character"),
            ("\u{202d}ab\u{202c}", "control_character"),
            ("\u{200d}", "empty"),
            (" \t\u{a0}", "empty"),
            ("\u{200b}\u{feff}\u{2060}", "empty"),
            ("a\u{200f}b", "ok"),
            ("\u{2068}abcd\u{2069}", "ok"),
        ],
    );
    texts(
        json!({ "type": "multiline" }),
        &[
            ("a\n\tb", "ok"),
            ("a\r\nb\rc", "ok"),
            ("\r\n", "empty"),
            ("a\u{2028}b", "control_character"),
            ("a\u{202d}b", "control_character"),
            ("a\u{1d}b", "control_character"),
        ],
    );
    texts(
        json!({ "type": "barcode" }),
        &[
            ("4006381333931", "ok"),
            ("MECARD:N:A\r\nB;", "ok"),
            ("010952110215301321ABC\u{1d}21XYZ", "ok"),
            ("[)>\u{1e}06\u{1d}1P\u{1c}\u{1f}", "ok"),
            ("\u{1b}01", "control_character"),
            ("\u{4}", "control_character"),
        ],
    );
    texts(json!({ "type": "multiline", "max_length": 3 }), &[("a\r\nb", "ok"), ("a\r\nbc", "too_long 3")]);
}

#[test]
fn characters_of_pasting_and_scanning_are_not_kept() {
    let kept = |kind: &str, text: &str| match validate(&field(json!({ "type": kind })), &FieldValue::Text(text.into())) {
        Ok(FieldState::Provided(FieldValue::Text(kept))) => kept,
        other => panic!("{kind} {text:?}: {other:?}"),
    };
    for (kind, given, expected) in [
        ("text", " \u{2068}BX-100/7\u{2069} ", " BX-100/7 "),
        ("text", "\u{200e}\u{5d0} \u{200e}7\u{200f} b\u{61c}", "\u{5d0} \u{200e}7\u{200f} b"),
        ("text", "٤٢", "٤٢"),
        ("multiline", "first\r\nsecond\r\rthird\n", "first\nsecond\n\nthird\n"),
        ("barcode", "A\r\nB\u{1d}C\r", "A\nB\u{1d}C\n"),
        ("email", "\u{200e}name@example.com\u{200f}", "name@example.com"),
        ("url", "\u{2066}https://example.com/٤\u{2069}", "https://example.com/٤"),
        ("phone", "\u{202d}+44 20 7946 0018\u{202c}", "+44 20 7946 0018"),
        ("phone", "\u{2068}+٤٤ ٢٠\u{200e} ۷۹۴۶ ००१८\u{2069}", "+44 20 7946 0018"),
    ] {
        assert_eq!(kept(kind, given), expected, "{kind} {given:?}");
    }
    texts(json!({ "type": "phone", "pattern": "[0-9]+", "max_length": 3 }), &[("\u{2068}١١٢\u{2069}", "ok")]);
    texts(json!({ "type": "phone" }), &[("\u{202e}112", "bad_format"), ("11\n2", "bad_format"), ("½½½", "bad_format")]);

    let number = |text: &str| FieldValue::Decimal(Decimal(text.into()));
    let held = validate(&field(json!({ "type": "decimal", "max": "200" })), &number("\u{2066}-١٨٢٫٥٠\u{2069}")).unwrap();
    assert_eq!(held, FieldState::Provided(number("-182.50")));
    let place = Location {
        latitude: Decimal("५२.५१६३".into()),
        longitude: Decimal("１３.3777".into()),
        accuracy_m: Some(Decimal("٨".into())),
        captured_at: "2026-11-23T18:31:40Z".parse().unwrap(),
        mocked: false,
    };
    let Ok(FieldState::Provided(FieldValue::Location(place))) =
        validate(&field(json!({ "type": "location", "max_accuracy_m": "10" })), &FieldValue::Location(place))
    else {
        panic!("a place")
    };
    assert_eq!((place.latitude.0.as_str(), place.longitude.0.as_str()), ("52.5163", "13.3777"));
    assert_eq!(place.accuracy_m, Some(Decimal("8".into())));
}

#[test]
fn a_text_without_a_limit_of_its_own_holds_ten_thousand_characters() {
    let field = field(json!({ "type": "multiline" }));
    assert_eq!(verdict(&field, &FieldValue::Text("é".repeat(10_000))), "ok");
    assert_eq!(verdict(&field, &FieldValue::Text("é".repeat(10_001))), "too_long 10000");
}

#[test]
fn a_pattern_matches_the_whole_text() {
    texts(
        json!({ "type": "text", "pattern": "[A-Z]{2}|[A-Z]{2}-\\d+" }),
        &[("AB", "ok"), ("AB-12", "ok"), ("xAB", "pattern"), ("AB-12x", "pattern")],
    );
    texts(json!({ "type": "text", "pattern": "(?x) \\d+ # digits" }), &[("12", "ok"), ("12a", "pattern")]);
    texts(json!({ "type": "multiline", "pattern": "\\d+" }), &[("12", "ok"), ("12\n", "pattern"), ("12\nab", "pattern")]);
}

#[test]
fn an_unreadable_pattern_or_bound_does_not_stop_work() {
    texts(json!({ "type": "text", "pattern": "a)(b" }), &[("anything", "ok")]);
    decimals(json!({ "type": "decimal", "min": "one" }), &[("0", "ok")]);
}

#[test]
fn addresses_and_numbers_of_people_are_checked_in_their_general_form() {
    texts(
        json!({ "type": "email" }),
        &[
            ("name@example.com", "ok"),
            ("jürgen+x@büro.example", "ok"),
            ("root@localhost", "ok"),
            ("example.com", "bad_format"),
            ("@example.com", "bad_format"),
            ("name@", "bad_format"),
            ("name@example..com", "bad_format"),
            ("name@example.com.", "bad_format"),
            ("a b@example.com", "bad_format"),
            ("name@example.com\n", "bad_format"),
        ],
    );
    texts(
        json!({ "type": "phone" }),
        &[("112", "ok"), ("+44 (0)20 7946-0018 ext. 3", "ok"), ("030/1234", "ok"), ("12", "bad_format"), ("call me on 112", "bad_format")],
    );
    texts(
        json!({ "type": "url" }),
        &[
            ("https://example.com/a?b#c", "ok"),
            ("HTTP://[::1]:8080", "ok"),
            ("https://user@example.com", "ok"),
            ("example.com", "bad_format"),
            ("ftp://example.com", "bad_format"),
            ("https://", "bad_format"),
            ("https:///path", "bad_format"),
            ("https://user@/", "bad_format"),
            ("https://a b", "bad_format"),
            ("httpé", "bad_format"),
        ],
    );
    texts(json!({ "type": "email", "max_length": 5 }), &[("a@b.de", "too_long 5")]);
}

#[test]
fn an_integer_keeps_its_bounds_and_what_every_reader_of_json_keeps() {
    let (free, bound) = (field(json!({ "type": "integer" })), field(json!({ "type": "integer", "min": -2, "max": 3 })));
    for (field, value, expected) in [
        (&free, 9_007_199_254_740_991, "ok"),
        (&free, 9_007_199_254_740_992, "too_large 9007199254740991"),
        (&free, -9_007_199_254_740_991, "ok"),
        (&free, i64::MIN, "too_small -9007199254740991"),
        (&bound, -2, "ok"),
        (&bound, -3, "too_small -2"),
        (&bound, 3, "ok"),
        (&bound, 4, "too_large 3"),
    ] {
        assert_eq!(verdict(field, &FieldValue::Integer(value)), expected, "{value}");
    }
}

#[test]
fn a_decimal_keeps_its_digits_and_its_bounds_exactly() {
    decimals(
        json!({ "type": "decimal", "min": "-0.30", "max": "182.5", "decimal_places": 2 }),
        &[
            ("182.50", "ok"),
            ("182.51", "too_large 182.5"),
            ("-0.3", "ok"),
            ("-0.31", "too_small -0.30"),
            ("0.100", "too_many_decimal_places 2"),
            ("-0.0", "ok"),
            ("007", "bad_format"),
            ("1e2", "bad_format"),
        ],
    );
    decimals(
        json!({ "type": "decimal" }),
        &[("0.30000000000000004", "too_many_digits 15"), ("999999999999999", "ok"), ("1000000000000000", "too_many_digits 15")],
    );
    let kept = validate(&field(json!({ "type": "decimal" })), &FieldValue::Decimal(Decimal("182.50".into()))).unwrap();
    assert_eq!(kept, FieldState::Provided(FieldValue::Decimal(Decimal("182.50".into()))), "digits stay as entered");
}

#[test]
fn dates_times_and_moments_keep_their_bounds() {
    let rows = [
        (json!({ "type": "date", "min": "2026-01-01", "max": "2026-12-31" }), "date", "2026-01-01", "ok"),
        (json!({ "type": "date", "min": "2026-01-01", "max": "2026-12-31" }), "date", "2025-12-31", "too_early 2026-01-01"),
        (json!({ "type": "date", "min": "2026-01-01", "max": "2026-12-31" }), "date", "2027-01-01", "too_late 2026-12-31"),
        (json!({ "type": "date" }), "date", "0001-01-01", "ok"),
        (json!({ "type": "date" }), "date", "0000-12-31", "too_early 0001"),
        (json!({ "type": "date" }), "date", "+10000-01-01", "too_late 9999"),
        (json!({ "type": "time", "min": "08:00:00", "max": "17:00:00" }), "time", "17:00:00.9", "ok"),
        (json!({ "type": "time", "min": "08:00:00", "max": "17:00:00" }), "time", "07:59:59", "too_early 08:00:00"),
        (json!({ "type": "datetime", "max": "2026-11-23T12:00:00Z" }), "date_time", "2026-11-23T13:00:00+01:00", "ok"),
        (
            json!({ "type": "datetime", "max": "2026-11-23T12:00:00Z" }),
            "date_time",
            "2026-11-23T12:30:00-01:00",
            "too_late 2026-11-23T12:00:00Z",
        ),
        (json!({ "type": "datetime" }), "date_time", "9999-12-31T23:00:00-02:00", "too_late 9999"),
    ];
    for (kind, tag, value, expected) in rows {
        let given: FieldValue = serde_json::from_value(json!({ "type": tag, "value": value })).unwrap();
        assert_eq!(verdict(&field(kind), &given), expected, "{value}");
    }
}

#[test]
fn times_are_kept_in_seconds_and_moments_in_milliseconds_with_their_offset() {
    for (kind, tag, given, kept) in [
        ("time", "time", "18:31:40.987", "18:31:40"),
        ("datetime", "date_time", "2026-11-23T18:31:40.987654+01:00", "2026-11-23T18:31:40.987+01:00"),
        ("datetime", "date_time", "2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
    ] {
        let given: FieldValue = serde_json::from_value(json!({ "type": tag, "value": given })).unwrap();
        let state = validate(&field(json!({ "type": kind })), &given).unwrap();
        assert_eq!(serde_json::to_value(state).unwrap()["value"]["value"], kept);
    }
}

#[test]
fn choices_are_options_each_once_and_kept_in_the_order_of_the_options() {
    let options = json!([{ "key": "a", "name": "A" }, { "key": "b", "name": "B" }, { "key": "c", "name": "C" }]);
    let single = field(json!({ "type": "single_choice", "options": options }));
    for (key, expected) in [("b", "ok"), ("B", "not_an_option"), ("", "empty")] {
        assert_eq!(verdict(&single, &FieldValue::Choice(key.into())), expected, "{key}");
    }
    let multiple = field(json!({ "type": "multiple_choice", "options": options, "min": 2, "max": 2 }));
    let of = |keys: &[&str]| FieldValue::Choices(keys.iter().map(|key| (*key).into()).collect());
    for (keys, expected) in [
        (&["c", "a"][..], "ok"),
        (&[], "empty"),
        (&["a"], "too_few 2"),
        (&["a", "b", "c"], "too_many 2"),
        (&["a", "a"], "duplicate_option"),
        (&["a", "x"], "not_an_option"),
    ] {
        assert_eq!(verdict(&multiple, &of(keys)), expected, "{keys:?}");
    }
    assert_eq!(validate(&multiple, &of(&["c", "a"])).unwrap(), FieldState::Provided(of(&["a", "c"])));
}

#[test]
fn a_location_is_on_earth_and_as_accurate_as_required() {
    let place = |latitude: &str, longitude: &str, accuracy: Option<&str>| {
        FieldValue::Location(Location {
            latitude: Decimal(latitude.into()),
            longitude: Decimal(longitude.into()),
            accuracy_m: accuracy.map(|accuracy| Decimal(accuracy.into())),
            captured_at: "2026-11-23T18:31:40.123456Z".parse().unwrap(),
            mocked: false,
        })
    };
    let (any, near) = (field(json!({ "type": "location" })), field(json!({ "type": "location", "max_accuracy_m": "25" })));
    for (field, given, expected) in [
        (&any, place("90", "-180", None), "ok"),
        (&any, place("90.000001", "0", None), "too_large 90"),
        (&any, place("0", "-180.1", None), "too_small -180"),
        (&any, place("52.5163", "13.3777", Some("-1")), "too_small 0"),
        (&any, place("52,5", "13", None), "bad_format"),
        (&near, place("52.5163", "13.3777", Some("25.0")), "ok"),
        (&near, place("52.5163", "13.3777", Some("25.1")), "too_inaccurate 25"),
        (&near, place("52.5163", "13.3777", None), "too_inaccurate 25"),
    ] {
        assert_eq!(verdict(field, &given), expected, "{given:?}");
    }
    let kept = serde_json::to_value(validate(&any, &place("1", "2", None)).unwrap()).unwrap();
    assert_eq!(kept["value"]["value"]["captured_at"], "2026-11-23T18:31:40.123Z");
}

#[test]
fn a_file_is_a_valid_manifest_of_an_accepted_type_and_size() {
    let manifest =
        FileManifest { sha256: "0123456789abcdef".repeat(4), media_type: "image/jpeg".into(), size: 2_000, name: "flue pipe.jpg".into() };
    let (any, photo) = (
        field(json!({ "type": "attachment" })),
        field(json!({ "type": "signature", "max_size": 2_000, "media_types": ["image/*", "application/pdf"] })),
    );
    let with = |change: fn(&mut FileManifest)| {
        let mut changed = manifest.clone();
        change(&mut changed);
        FieldValue::File(changed)
    };
    for (field, given, expected) in [
        (&photo, with(|_| ()), "ok"),
        (&photo, with(|file| file.media_type = "Image/PNG".into()), "ok"),
        (&photo, with(|file| file.media_type = "text/plain".into()), "media_type_not_accepted image/*, application/pdf"),
        (&any, with(|file| file.media_type = "text/plain".into()), "ok"),
        (&any, with(|file| file.media_type = "text/plain; charset=utf-8".into()), "bad_media_type"),
        (&any, with(|file| file.media_type = "image".into()), "bad_media_type"),
        (&any, with(|file| file.media_type = "image/*".into()), "bad_media_type"),
        (&photo, with(|file| file.size = 2_001), "file_too_large 2000"),
        (&any, with(|file| file.size = 1 << 53), "file_too_large 9007199254740991"),
        (&any, with(|file| file.sha256 = "0123456789ABCDEF".repeat(4)), "bad_hash"),
        (&any, with(|file| file.sha256.truncate(63)), "bad_hash"),
        (&any, with(|file| file.name = String::new()), "bad_file_name 255"),
        (&any, with(|file| file.name = "a/b.jpg".into()), "bad_file_name 255"),
        (&any, with(|file| file.name = "a\\b.jpg".into()), "bad_file_name 255"),
        (&any, with(|file| file.name = "..".into()), "bad_file_name 255"),
        (&any, with(|file| file.name = "a\nb".into()), "bad_file_name 255"),
        (&any, with(|file| file.name = "é".repeat(255)), "ok"),
        (&any, with(|file| file.name = "é".repeat(256)), "bad_file_name 255"),
    ] {
        assert_eq!(verdict(field, &given), expected, "{given:?}");
    }
}

#[test]
fn a_value_of_another_type_is_refused_and_an_empty_text_is_empty_everywhere() {
    let boolean = field(json!({ "type": "boolean" }));
    assert_eq!(verdict(&boolean, &FieldValue::Boolean(false)), "ok");
    assert_eq!(verdict(&boolean, &FieldValue::Text("yes".into())), "wrong_type");
    assert_eq!(verdict(&boolean, &FieldValue::Text(String::new())), "empty");
    assert_eq!(verdict(&boolean, &FieldValue::Text(" ".into())), "empty");
    assert_eq!(verdict(&field(json!({ "type": "decimal" })), &FieldValue::Integer(1)), "wrong_type");
    assert_eq!(verdict(&field(json!({ "type": "text" })), &FieldValue::Choices(vec![])), "wrong_type");
}

#[test]
fn only_what_a_field_allows_satisfies_required() {
    let plain = field(json!({ "type": "text", "required": true }));
    let lenient = field(json!({ "type": "text", "required": true, "allow_empty": true, "allow_not_applicable": true }));
    let optional = field(json!({ "type": "text" }));
    let value = FieldState::Provided(FieldValue::Text("x".into()));
    for (field, state, is_missing) in [
        (&plain, &FieldState::NotProvided, true),
        (&plain, &FieldState::Empty, true),
        (&plain, &FieldState::NotApplicable, true),
        (&plain, &value, false),
        (&lenient, &FieldState::NotProvided, true),
        (&lenient, &FieldState::Empty, false),
        (&lenient, &FieldState::NotApplicable, false),
        (&optional, &FieldState::NotProvided, false),
        (&optional, &FieldState::Empty, false),
    ] {
        assert_eq!(missing(field, state).map(|problem| problem.code), is_missing.then(|| "required".to_owned()), "{state:?}");
    }
    assert_eq!(validate_change(&plain, &Change::NotApplicable).unwrap_err().code, "not_applicable_not_allowed");
    assert_eq!(validate_change(&lenient, &Change::NotApplicable), Ok(FieldState::NotApplicable));
    assert_eq!(validate_change(&plain, &Change::Clear), Ok(FieldState::NotProvided));
}

#[test]
fn a_problem_never_repeats_the_value() {
    let field = field(json!({ "type": "text", "pattern": "\\d+", "max_length": 20 }));
    for value in ["s3cret-value", "s3cret-value-that-is-too-long"] {
        let problem = validate(&field, &FieldValue::Text(value.into())).unwrap_err();
        assert!(!format!("{problem:?}").contains("s3cret"), "{problem:?}");
    }
}
