//! Findings of documents, and how documents change.

mod author;
mod random;

use std::collections::HashSet;

use serde_json::{Value, json};

use super::limit::*;
use super::*;

const BOILER: &str = include_str!("../../../examples/workflows/boiler-service.json");
const SITE: &str = include_str!("../../../examples/workflows/site-safety-inspection.json");
const METER: &str = include_str!("../../../examples/workflows/meter-exchange.json");
const VISIT: &str = include_str!("../../../examples/workflows/customer-visit.json");

/// A small valid workflow: a question, and two ends.
fn valid() -> Value {
    json!({
        "format": 1, "key": "small", "version": 1, "name": "Small", "start": "a",
        "fields": [
            { "key": "note", "name": "Note", "type": "text" },
            { "key": "pick", "name": "Pick", "type": "multiple_choice", "options": [{ "key": "x", "name": "X" }, { "key": "y", "name": "Y" }] },
        ],
        "responses": [{ "key": "r", "name": "R", "kind": "objection" }],
        "sections": [
            { "key": "a", "name": "A", "fields": ["note", "pick"], "answers": [
                { "key": "on", "name": "On", "next": "b" }, { "key": "again", "name": "Again", "next": "b" }, { "key": "off", "name": "Off", "next": "c" },
            ] },
            { "key": "b", "name": "B", "win": true, "actions": [
                { "key": "tell", "name": "Tell", "integration": "webhooks", "kind": "send_message", "endpoint": "office" },
            ] },
            { "key": "c", "name": "C" },
        ],
    })
}

fn findings(document: &Value) -> Vec<(String, String)> {
    let endpoints = ["office".to_owned()];
    lint(document.to_string().as_bytes(), Some(&endpoints)).into_iter().map(|finding| (finding.code, finding.pointer)).collect()
}

/// The valid workflow with one place changed; `null` removes the place.
fn with(pointer: &str, value: Value) -> Value {
    let mut document = valid();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer below the root");
    match document.pointer_mut(parent).expect("the parent is there") {
        Value::Object(members) if value.is_null() => _ = members.remove(name),
        Value::Object(members) => _ = members.insert(name.to_owned(), value),
        Value::Array(elements) => match name.parse::<usize>() {
            Ok(index) => elements[index] = value,
            Err(_) => elements.push(value),
        },
        _ => panic!("{pointer} has no parent"),
    }
    document
}

#[test]
fn a_valid_workflow_has_no_findings() {
    assert_eq!(findings(&valid()), []);
    let parsed = parse(valid().to_string().as_bytes());
    assert!(parsed.is_importable() && parsed.is_startable() && parsed.hash.is_some());
    let workflow: Workflow = serde_json::from_value(valid()).expect("the model reads it");
    assert_eq!(parsed.workflow, Some(workflow));
}

/// A place of the valid workflow, its replacement, and the findings that this gives.
type Mistake = (&'static str, Value, Vec<(&'static str, &'static str)>);

fn mistakes() -> Vec<Mistake> {
    let field = |rest: Value| {
        let mut field = json!({ "key": "note", "name": "Note" });
        field.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
        field
    };
    let bad = |pointer| vec![("bad_constraint", pointer)];
    vec![
        ("/format", json!(2), vec![("unknown_format", "/format")]),
        ("/format", json!("1"), vec![("wrong_type", "/format")]),
        ("/format", Value::Null, vec![("missing_member", "")]),
        ("/key", json!("über"), vec![("bad_key", "/key")]),
        ("/key", json!(""), vec![("bad_key", "/key")]),
        ("/key", json!("k".repeat(65)), vec![("bad_key", "/key")]),
        ("/version", json!(0), vec![("out_of_range", "/version")]),
        ("/version", json!(1.0), vec![("bad_number", "/version")]),
        ("/local_revision", json!(-1), vec![("out_of_range", "/local_revision")]),
        ("/name", json!(" \t"), vec![("bad_text", "/name")]),
        ("/name", json!("a\u{7}"), vec![("bad_text", "/name")]),
        ("/name", json!("n".repeat(201)), vec![("too_long", "/name")]),
        ("/description", json!(["x"]), vec![("wrong_type", "/description")]),
        ("/requires", json!(["logic"]), vec![("requires_newer_core", "/requires/0")]),
        ("/requires", json!([]), vec![]),
        ("/title", json!("${site}"), vec![("missing_requirement", "/title")]),
        ("/lists", json!([]), vec![("missing_requirement", "/lists")]),
        ("/fields/0/visible_if", json!("true"), vec![("missing_requirement", "/fields/0/visible_if")]),
        ("/fields/1/options_from", json!({}), vec![("missing_requirement", "/fields/1/options_from")]),
        ("/sections/0/answers/0/enabled_if", json!("true"), vec![("missing_requirement", "/sections/0/answers/0/enabled_if")]),
        ("/sections/1/actions/0/when", json!("true"), vec![("missing_requirement", "/sections/1/actions/0/when")]),
        ("/sections/1/actions/0/files", json!([]), vec![("missing_requirement", "/sections/1/actions/0/files")]),
        ("/sections/1/visible_if", json!("kept"), vec![]),
        ("/name", json!("At ${site}"), vec![("literal_template", "/name")]),
        ("/description", json!("${a} and ${b}"), vec![("literal_template", "/description")]),
        ("/fields/0/name", json!("Note of ${actor}"), vec![("literal_template", "/fields/0/name")]),
        ("/fields/0/help", json!("$${actor}"), vec![("literal_template", "/fields/0/help")]),
        ("/fields/0/example", json!("${"), vec![]),
        ("/responses/0/content", json!("${site}"), vec![("literal_template", "/responses/0/content")]),
        ("/sections/0/content", json!("costs $5 {or so}"), vec![]),
        ("/sections/0/content", json!("${site"), vec![("literal_template", "/sections/0/content")]),
        ("/sections/0/answers/0/name", json!("${site}"), vec![("literal_template", "/sections/0/answers/0/name")]),
        ("/sections/1/actions/0/name", json!("${site}"), vec![("literal_template", "/sections/1/actions/0/name")]),
        ("/unknown", json!({ "kept": [null, true, "${site}"] }), vec![]),
        ("/start", json!("nowhere"), vec![("unknown_section", "/start")]),
        ("/sections", json!([]), vec![("too_few", "/sections")]),
        ("/sections", json!("x"), vec![("wrong_type", "/sections")]),
        ("/sections", Value::Null, vec![("missing_member", "")]),
        ("/sections/0/fields", json!(5), vec![("wrong_type", "/sections/0/fields")]),
        ("/sections/1/answers", json!({}), vec![("wrong_type", "/sections/1/answers")]),
        ("/fields", json!({}), vec![("wrong_type", "/fields")]),
        ("/responses/0", json!([]), vec![("wrong_type", "/responses/0")]),
        (
            "/fields/1",
            json!({ "key": "pick", "name": "P", "type": "multiple_choice", "options": 1, "min": 3 }),
            vec![("wrong_type", "/fields/1/options")],
        ),
        ("/sections/2", json!(7), vec![("wrong_type", "/sections/2")]),
        ("/sections/0/answers/1", json!("again"), vec![("wrong_type", "/sections/0/answers/1")]),
        (
            "/sections/0/answers/2/next",
            Value::Null,
            vec![("unlinked_answer", "/sections/0/answers/2"), ("unreachable_section", "/sections/2")],
        ),
        (
            "/sections/0/answers/2/next",
            json!("z"),
            vec![("unknown_section", "/sections/0/answers/2/next"), ("unreachable_section", "/sections/2")],
        ),
        ("/sections/0/answers/2/next", json!(3), vec![("wrong_type", "/sections/0/answers/2/next")]),
        ("/sections/0/answers/2/key", json!("on"), vec![("duplicate_key", "/sections/0/answers/2/key")]),
        ("/sections/0/answers/2/key", Value::Null, vec![("missing_member", "/sections/0/answers/2")]),
        ("/sections/0/answers", json!({}), vec![("wrong_type", "/sections/0/answers")]),
        ("/sections/0/win", json!(true), vec![("win_on_section_with_answers", "/sections/0/win")]),
        ("/sections/0/fields/+", json!("note"), vec![("duplicate_field", "/sections/0/fields/2")]),
        ("/sections/0/fields/+", json!("gone"), vec![("unknown_field", "/sections/0/fields/2")]),
        ("/sections/0/content", json!("x".repeat(20_001)), vec![("too_long", "/sections/0/content")]),
        ("/sections/0/content", json!("a\r\nb"), vec![("bad_text", "/sections/0/content")]),
        ("/sections/0/content", json!("a\n\tb"), vec![]),
        ("/sections/2/key", json!("b"), vec![("unknown_section", "/sections/0/answers/2/next"), ("duplicate_key", "/sections/2/key")]),
        ("/sections/2/answers", json!([{ "key": "x", "name": "X", "next": "c" }]), vec![("no_end_reachable", "/sections/2")]),
        ("/sections/2/answers", json!([{ "key": "x", "name": "X", "next": null }]), vec![("unlinked_answer", "/sections/2/answers/0")]),
        ("/sections/1/actions/0/kind", json!("ring"), vec![("unknown_value", "/sections/1/actions/0/kind")]),
        ("/sections/1/actions/0/integration", json!("fax"), vec![("unknown_value", "/sections/1/actions/0/integration")]),
        ("/sections/1/actions/0/endpoint", json!("home"), vec![("unknown_endpoint", "/sections/1/actions/0/endpoint")]),
        ("/sections/1/actions/0/endpoint", Value::Null, vec![("missing_member", "/sections/1/actions/0")]),
        ("/responses/0/kind", json!("praise"), vec![("unknown_value", "/responses/0/kind")]),
        ("/responses/+", json!({ "key": "r", "name": "R", "kind": "objection" }), vec![("duplicate_key", "/responses/1/key")]),
        ("/fields/+", json!({ "key": "note", "name": "N", "type": "date" }), vec![("duplicate_key", "/fields/2/key")]),
        ("/fields/+", json!({ "key": "free", "name": "N", "type": "date" }), vec![("unused_field", "/fields/2")]),
        ("/fields/1/options/1/key", json!("x"), vec![("duplicate_key", "/fields/1/options/1/key")]),
        ("/fields/1/options", json!([]), bad("/fields/1/options")),
        ("/fields/1/min", json!(3), bad("/fields/1/min")),
        ("/fields/1/max", json!(0), bad("/fields/1/max")),
        ("/sections/0/answers/1/next", json!("a"), vec![("field_in_loop", "/sections/0/fields")]),
        (
            "/sections/1/answers",
            json!([{ "key": "x", "name": "X", "next": "a" }]),
            vec![("field_in_loop", "/sections/0/fields"), ("win_on_section_with_answers", "/sections/1/win")],
        ),
        (
            "/fields/0",
            field(json!({ "type": "text", "pattern": "(?i)\\w+ straße" })),
            vec![("ascii_only_pattern", "/fields/0/pattern"), ("ascii_only_pattern", "/fields/0/pattern")],
        ),
        ("/fields/0", field(json!({ "type": "multiline", "pattern": "(?:\\w+\\n)+" })), vec![("ascii_only_pattern", "/fields/0/pattern")]),
        ("/fields/0", field(json!({ "type": "email", "pattern": "\\w+@x" })), vec![]),
        ("/fields/0", field(json!({ "type": "barcode", "pattern": "(?i)ü" })), vec![("ascii_only_pattern", "/fields/0/pattern")]),
        ("/fields/0", field(json!({ "type": "email", "max_length": 2 })), bad("/fields/0/max_length")),
        ("/fields/0", field(json!({ "type": "url", "max_length": 7 })), bad("/fields/0/max_length")),
        ("/fields/0", field(json!({ "type": "phone", "max_length": 2 })), bad("/fields/0/max_length")),
        ("/fields/0", field(json!({ "type": "email", "max_length": 3 })), vec![]),
        ("/fields/0", field(json!({ "type": "url", "max_length": 8 })), vec![]),
        ("/fields/0", field(json!({ "type": "phone", "max_length": 3 })), vec![]),
        ("/fields/0", field(json!({ "type": "text", "pattern": "[0-9]{8}", "max_length": 6 })), bad("/fields/0/pattern")),
        ("/fields/0", field(json!({ "type": "text", "pattern": "[0-9]{8}", "max_length": 8 })), vec![]),
        ("/fields/0", field(json!({ "type": "text", "pattern": "[A-Z]{2}", "min_length": 3 })), bad("/fields/0/pattern")),
        ("/fields/0", field(json!({ "type": "phone", "pattern": "[0-9]{2}" })), bad("/fields/0/pattern")),
        ("/fields/0", field(json!({ "type": "text", "pattern": "a^b", "example": "ab" })), vec![("bad_example", "/fields/0/example")]),
        ("/fields/0", field(json!({ "type": "text", "pattern": "[0-9]{3}", "example": "12" })), vec![("bad_example", "/fields/0/example")]),
        ("/fields/0", field(json!({ "type": "text", "pattern": "[0-9]{3}", "example": "123" })), vec![]),
        ("/fields/0", field(json!({ "type": "text", "pattern": "(", "example": "123" })), bad("/fields/0/pattern")),
        ("/fields/0", field(json!({ "type": "decimal", "max": "9.9", "example": "10" })), vec![("bad_example", "/fields/0/example")]),
        ("/fields/0", field(json!({ "type": "date", "example": "2026-11-23" })), vec![]),
        ("/fields/0", field(json!({ "type": "date", "example": " " })), vec![("bad_example", "/fields/0/example")]),
        ("/fields/0", field(json!({ "type": "integer", "example": 5 })), vec![("wrong_type", "/fields/0/example")]),
        ("/fields/0", field(json!({ "type": "signature", "example": "x" })), vec![("ignored_constraint", "/fields/0/example")]),
        ("/fields/0", field(json!({ "type": "text", "example": "x".repeat(201) })), vec![("too_long", "/fields/0/example")]),
        ("/fields/1/example", json!("y, x"), vec![]),
        ("/fields/1/example", json!("z"), vec![("bad_example", "/fields/1/example")]),
        ("/fields/0/type", json!("colour"), vec![("unknown_value", "/fields/0/type")]),
        ("/fields/0/help", json!("x".repeat(1_001)), vec![("too_long", "/fields/0/help")]),
        ("/fields/0/allow_empty", json!(true), vec![("no_effect", "/fields/0/allow_empty")]),
        ("/fields/0/required", json!("yes"), vec![("wrong_type", "/fields/0/required")]),
        ("/fields/0", field(json!({ "type": "text", "decimal_places": 2 })), vec![("ignored_constraint", "/fields/0/decimal_places")]),
        ("/fields/0", field(json!({ "type": "text", "min_length": 5, "max_length": 4 })), bad("/fields/0/max_length")),
        ("/fields/0", field(json!({ "type": "text", "min_length": 10_001 })), bad("/fields/0/min_length")),
        ("/fields/0", field(json!({ "type": "text", "min_length": 10_001, "max_length": 10_001 })), vec![]),
        ("/fields/0", field(json!({ "type": "url", "max_length": 20_001 })), bad("/fields/0/max_length")),
        ("/fields/0", field(json!({ "type": "barcode", "pattern": "[A-Z" })), bad("/fields/0/pattern")),
        ("/fields/0", field(json!({ "type": "email", "pattern": "(?=x)x" })), bad("/fields/0/pattern")),
        ("/fields/0", field(json!({ "type": "integer", "min": 2, "max": 1 })), bad("/fields/0/max")),
        ("/fields/0", field(json!({ "type": "integer", "min": "2" })), vec![("wrong_type", "/fields/0/min")]),
        ("/fields/0", field(json!({ "type": "integer", "min": 0.5 })), vec![("bad_number", "/fields/0/min")]),
        ("/fields/0", field(json!({ "type": "decimal", "min": "10.1", "max": "9.9" })), bad("/fields/0/max")),
        ("/fields/0", field(json!({ "type": "decimal", "min": "1e3" })), bad("/fields/0/min")),
        ("/fields/0", field(json!({ "type": "decimal", "max": "1.234567890123456" })), bad("/fields/0/max")),
        ("/fields/0", field(json!({ "type": "decimal", "decimal_places": 16 })), bad("/fields/0/decimal_places")),
        (
            "/fields/0",
            field(json!({ "type": "decimal", "min": "0.1", "max": "0.9", "decimal_places": 0 })),
            bad("/fields/0/decimal_places"),
        ),
        ("/fields/0", field(json!({ "type": "date", "min": "2026-02-30" })), bad("/fields/0/min")),
        ("/fields/0", field(json!({ "type": "date", "min": "2026-03-02", "max": "2026-03-01" })), bad("/fields/0/max")),
        ("/fields/0", field(json!({ "type": "time", "min": "8:00" })), bad("/fields/0/min")),
        (
            "/fields/0",
            field(json!({ "type": "datetime", "min": "2026-03-01T10:00:00Z", "max": "2026-03-01T11:30:00+02:00" })),
            bad("/fields/0/max"),
        ),
        ("/fields/0", field(json!({ "type": "single_choice" })), vec![("missing_member", "/fields/0")]),
        ("/fields/0", field(json!({ "type": "location", "max_accuracy_m": "0.0" })), bad("/fields/0/max_accuracy_m")),
        ("/fields/0", field(json!({ "type": "signature", "max_size": 0 })), bad("/fields/0/max_size")),
        ("/fields/0", field(json!({ "type": "attachment", "media_types": [] })), bad("/fields/0/media_types")),
        (
            "/fields/0",
            field(json!({ "type": "attachment", "media_types": ["image/*", "jpeg", "image/*", 4] })),
            vec![
                ("bad_constraint", "/fields/0/media_types/1"),
                ("bad_constraint", "/fields/0/media_types/2"),
                ("wrong_type", "/fields/0/media_types/3"),
            ],
        ),
    ]
}

#[test]
fn each_mistake_gives_its_findings_and_no_others() {
    for (pointer, value, expected) in mistakes() {
        let expected: Vec<_> = expected.into_iter().map(|(code, pointer)| (code.to_owned(), pointer.to_owned())).collect();
        let shown: String = value.to_string().chars().take(80).collect();
        let mut found = findings(&with(pointer, value));
        // A `Value` sorts its members, so the order of appearance is not the one of the table.
        found.sort_by_key(|finding| expected.iter().position(|other| other == finding));
        assert_eq!(found, expected, "{pointer}: {shown}");
    }
}

#[test]
fn lists_have_their_limits() {
    let action =
        |i: usize| json!({ "key": format!("k{i}"), "name": "N", "integration": "webhooks", "kind": "send_message", "endpoint": "office" });
    let answer = |i: usize| json!({ "key": format!("k{i}"), "name": "N", "next": "c" });
    let option = |i: usize| json!({ "key": format!("k{i}"), "name": "N" });
    let response = |i: usize| json!({ "key": format!("k{i}"), "name": "N", "kind": "objection" });
    type Make = fn(usize) -> Value;
    let limits: [(&str, usize, Make); 4] = [
        ("/sections/1/actions", MAX_ACTIONS_PER_SECTION, action),
        ("/sections/0/answers", MAX_ANSWERS_PER_SECTION, answer),
        ("/fields/1/options", MAX_OPTIONS, option),
        ("/responses", MAX_RESPONSES, response),
    ];
    let too_many = |pointer: &str, count: usize, make: Make| {
        let found = findings(&with(pointer, (0..count).map(make).collect()));
        found.into_iter().filter(|(code, _)| code == "too_many").map(|(_, pointer)| pointer).collect::<Vec<_>>()
    };
    for (pointer, most, make) in limits {
        assert_eq!(too_many(pointer, most, make), [""; 0], "{pointer}");
        assert_eq!(too_many(pointer, most + 1, make), [pointer]);
    }
}

#[test]
fn a_document_has_a_hundred_actions_at_most() {
    let too_many = |sections: usize, more: usize| {
        let mut document = long_report(&vec![0; sections], 1);
        let action = |i: usize| json!({ "key": format!("k{i}"), "name": "N", "integration": "webhooks", "kind": "send_message", "endpoint": "office" });
        document["sections"][0]["actions"] = (0..more).map(action).collect();
        let found = findings(&document).into_iter().filter(|(code, _)| code == "too_many");
        found.map(|(_, pointer)| pointer).collect::<Vec<_>>()
    };
    // Each section after the first has one.
    assert_eq!(too_many(MAX_ACTIONS, 1), [""; 0]);
    assert_eq!(too_many(MAX_ACTIONS + 1, 1), [format!("/sections/{MAX_ACTIONS}/actions")]);
    assert_eq!(too_many(MAX_ACTIONS - 19, 20), [""; 0]);
    assert_eq!(too_many(MAX_ACTIONS - 17, 20), [format!("/sections/{}/actions", MAX_ACTIONS - 19)], "the first that is too much");
}

#[test]
fn an_action_lists_fields_of_the_library_in_one_of_two_ways() {
    let found = |members: &[(&str, Value)]| {
        let mut document = long_report(&[2], 1);
        for (member, value) in members {
            document["sections"][0]["actions"][0][member] = value.clone();
        }
        findings(&document)
    };
    let at = |code: &str, place: &str| vec![(code.to_owned(), format!("/sections/0/actions/0/{place}"))];
    for member in ["fields", "fields_except"] {
        assert_eq!(found(&[(member, json!(["f0-1", "f0-0"]))]), []);
        assert_eq!(found(&[(member, json!([]))]), []);
        assert_eq!(found(&[(member, json!(["f0-0", "other"]))]), at("unknown_field", &format!("{member}/1")));
        assert_eq!(found(&[(member, json!(["f0-0", "f0-0"]))]), at("duplicate_field", &format!("{member}/1")));
        assert_eq!(found(&[(member, json!([" "]))]), at("bad_key", &format!("{member}/0")));
        assert_eq!(found(&[(member, json!("f0-0"))]), at("wrong_type", member));
    }
    let both = [("fields", json!(["f0-0"])), ("fields_except", json!(["f0-1"]))];
    assert_eq!(found(&both), at("conflicting_members", "fields_except"));
}

/// A way of sections, each asking these fields; the last one but the end has an action. Every field must have this many characters.
fn long_report(fields_per_section: &[usize], characters: u32) -> Value {
    let mut document = valid();
    let (mut fields, mut sections) = (Vec::new(), Vec::new());
    for (at, count) in fields_per_section.iter().enumerate() {
        let keys: Vec<String> = (0..*count).map(|i| format!("f{at}-{i}")).collect();
        fields.extend(keys.iter().map(
            |key| json!({ "key": key, "name": "F", "type": "multiline", "required": true, "min_length": characters, "max_length": 20_000 }),
        ));
        sections.push(json!({
            "key": format!("s{at}"), "name": "S", "fields": keys, "answers": [{ "key": "on", "name": "On", "next": format!("s{}", at + 1) }],
            "actions": [{ "key": format!("a{at}"), "name": "N", "integration": "webhooks", "kind": "send_message", "endpoint": "office" }],
        }));
    }
    sections.push(json!({ "key": format!("s{}", fields_per_section.len()), "name": "End" }));
    document["fields"] = fields.into();
    document["sections"] = sections.into();
    document["start"] = "s0".into();
    document
}

#[test]
fn a_message_that_is_always_too_large_is_found() {
    let too_large = |document: &Value| {
        findings(document).into_iter().filter(|(code, _)| code == "body_too_large").map(|(_, pointer)| pointer).collect::<Vec<_>>()
    };
    assert_eq!(too_large(&long_report(&[14], 20_000)), ["/sections/0/actions/0"]);
    assert_eq!(too_large(&long_report(&[13], 20_000)), [""; 0]);
    assert_eq!(too_large(&long_report(&[7, 0, 7], 20_000)), ["/sections/0/actions/0", "/sections/1/actions/0", "/sections/2/actions/0"]);

    // With a way around it: only the section without such a way is always too large.
    let mut round = long_report(&[7, 7], 20_000);
    round["sections"][0]["answers"].as_array_mut().expect("answers").push(json!({ "key": "off", "name": "Off", "next": "s2" }));
    assert_eq!(too_large(&round), ["/sections/1/actions/0"]);
    // Optional, empty or repeated fields do not count.
    for (member, value) in [("required", json!(false)), ("allow_empty", json!(true)), ("allow_not_applicable", json!(true))] {
        let mut document = long_report(&[14], 20_000);
        document["fields"][0][member] = value;
        assert_eq!(too_large(&document), [""; 0], "{member}");
    }
    // Only what an action sends counts.
    let mut some = long_report(&[14], 20_000);
    let all = some["sections"][0]["actions"][0].clone();
    let action = |key: &str, member: &str| {
        let mut action = all.clone();
        action["key"] = key.into();
        action[member] = json!(["f0-0"]);
        action
    };
    some["sections"][0]["actions"] = json!([action("one", "fields"), action("but-one", "fields_except")]);
    assert_eq!(too_large(&some), [""; 0]);
    some["sections"][0]["actions"] = json!([action("one", "fields"), all, all]);
    assert_eq!(too_large(&some), ["/sections/0/actions/1"], "the first that sends all");
    // Back again: the fields are asked twice and sent once.
    let mut back = long_report(&[0, 7], 20_000);
    back["sections"][1]["answers"].as_array_mut().expect("answers").push(json!({ "key": "back", "name": "Back", "next": "s0" }));
    assert_eq!(too_large(&back), [""; 0]);
}

#[test]
fn a_document_has_only_so_many_examples_matched_with_patterns() {
    let mut document = long_report(&[30], 1);
    for field in document["fields"].as_array_mut().expect("fields") {
        field["pattern"] = "[a-z]+".into();
        field["example"] = "x".repeat(MAX_EXAMPLE_LENGTH).into();
    }
    let ignored = findings(&document).into_iter().filter(|(code, _)| code == "ignored_constraint").count();
    assert_eq!(ignored, 30 - MAX_EXAMPLES_LENGTH / MAX_EXAMPLE_LENGTH);
}

#[test]
fn every_code_has_a_test() {
    let mut seen: HashSet<String> = mistakes().into_iter().flat_map(|(_, _, codes)| codes).map(|(code, _)| code.to_owned()).collect();
    // Tested above, where JSON is read, and where findings are collected.
    let elsewhere = [
        "too_many",
        "not_utf8",
        "not_json",
        "too_large",
        "too_deep",
        "duplicate_member",
        "more_findings",
        "body_too_large",
        "conflicting_members",
    ];
    seen.extend(elsewhere.map(str::to_owned));
    let all: HashSet<String> = Code::ALL.iter().map(|code| code.as_str().to_owned()).collect();
    assert_eq!(seen, all);
}

#[test]
fn all_findings_come_at_once_in_the_order_of_the_document() {
    let document = br#"{
        "version": 0, "format": 1, "key": "k", "name": "", "start": "a",
        "sections": [
            { "key": "a", "name": "A", "answers": [ { "name": "N", "key": "k", "next": "nowhere" }, { "key": "l", "name": "L" } ] },
            { "name": "B", "key": "b", "fields": ["f", "g"], "win": 1 }
        ],
        "fields": [ { "key": "f", "type": "integer", "max": 1, "min": 2 }, 5, { "key": "h", "name": "H", "type": "text" } ]
    }"#;
    let found = lint(document, None);
    let order: Vec<_> = found.iter().map(|finding| (finding.code.as_str(), finding.pointer.as_str())).collect();
    let expected = [
        ("out_of_range", "/version"),
        ("bad_text", "/name"),
        ("unknown_section", "/sections/0/answers/0/next"),
        ("unlinked_answer", "/sections/0/answers/1"),
        ("unreachable_section", "/sections/1"),
        ("wrong_type", "/sections/1/win"),
        ("missing_member", "/fields/0"),
        ("bad_constraint", "/fields/0/max"),
        ("wrong_type", "/fields/1"),
        ("unused_field", "/fields/2"),
    ];
    assert_eq!(order, expected);
    assert_eq!(worst(&found), Some(Severity::Error));
    assert!(found.iter().all(|finding| finding.message.ends_with('.')));
}

#[test]
fn an_incomplete_workflow_can_be_imported_and_not_started() {
    let parsed = parse(with("/sections/0/answers/2/next", Value::Null).to_string().as_bytes());
    assert!(parsed.is_importable() && !parsed.is_startable());
    let parsed = parse(with("/sections/1/actions/0/endpoint", json!("home")).to_string().as_bytes());
    assert!(parsed.is_startable(), "an endpoint is only known to those who are given the endpoints");
    let parsed = parse(with("/version", json!(0)).to_string().as_bytes());
    assert_eq!((parsed.workflow, parsed.hash), (None, None));
}

#[test]
fn the_hash_is_of_the_content_and_not_of_its_looks() {
    let document =
        r#"{"format":1,"key":"k","version":1,"name":"Caf\u00e9","start":"a","sections":[{"key":"a","name":"A"}],"x-note":[1,null]}"#;
    let looks = "{ \"x-note\": [1, null],\n \"version\": 1, \"name\": \"Café\", \"key\": \"k\", \"start\": \"a\",
        \"sections\": [ { \"name\": \"A\", \"key\": \"a\" } ], \"format\": 1 }";
    let hash = parse(document.as_bytes()).hash.expect("it is valid");
    assert_eq!(parse(looks.as_bytes()).hash, Some(hash));
    // The value another implementation of RFC 8785 and SHA-256 gives.
    assert_eq!(hash.to_string(), "86fab8c7e8bf99344b8f49c8f9567d7f9433b699bec460912cced254bd27ad54");
    let other = document.replace("[1,null]", "[1,0]");
    assert_ne!(parse(other.as_bytes()).hash, Some(hash), "unknown members are part of the content");
}

#[test]
fn a_hostile_document_gives_a_bounded_answer() {
    let document = format!("[{}0]", "0,".repeat(500_000));
    assert_eq!(lint(document.as_bytes(), None).len(), 1);
    let document = format!(r#"{{"format":1,"sections":[{}0]}}"#, "0,".repeat(500_000));
    let found = lint(document.as_bytes(), None);
    assert!(found.len() < MAX_SECTIONS + 10, "{}", found.len());
    assert_eq!(found.iter().filter(|finding| finding.code == "too_many").count(), 1);
    let document = format!("[{}0]", "0.5,".repeat(250_000));
    let found = lint(document.as_bytes(), None);
    let bytes: usize = found.iter().map(|finding| finding.code.len() + finding.pointer.len() + finding.message.len()).sum();
    assert!(found.len() > 1_000 && bytes < MAX_FINDINGS_BYTES + 200, "{} findings of {bytes} bytes", found.len());
    assert_eq!(found.last().map(|finding| finding.code.as_str()), Some("more_findings"));
}
