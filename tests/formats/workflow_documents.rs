//! The examples, the JSON Schema and the description of the format agree with what the core reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use compass_core::document::{self, Code};
use compass_core::model::{
    ActionDefinition, Answer, FieldDefinition, FieldKind, FieldOption, FileRule, Response, ResponseKind, Section, Severity, TextRule,
    Workflow,
};
use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn examples() -> Vec<(PathBuf, Vec<u8>)> {
    let folder = fs::read_dir(root().join("examples/workflows")).expect("there are examples");
    let mut paths: Vec<_> = folder.map(|entry| entry.expect("an example").path()).collect();
    paths.sort();
    assert!(paths.len() >= 4);
    paths.into_iter().map(|path| (path.clone(), fs::read(path).expect("an example can be read"))).collect()
}

fn example_values() -> Vec<Value> {
    examples().into_iter().map(|(_, bytes)| serde_json::from_slice(&bytes).expect("an example is JSON")).collect()
}

fn schema() -> Value {
    serde_json::from_slice(&fs::read(root().join("docs/workflow.schema.json")).expect("there is a schema")).expect("the schema is JSON")
}

fn validator() -> jsonschema::Validator {
    let schema = schema();
    assert!(jsonschema::meta::is_valid(&schema));
    jsonschema::validator_for(&schema).expect("the schema can be used")
}

/// A workflow in which every member of every type of the model is there, and every type of field.
fn full() -> Workflow {
    let text = || TextRule { min_length: Some(1), max_length: Some(9), pattern: Some("[a-z]+".into()) };
    let file = || FileRule { max_size: Some(9), media_types: vec!["image/*".into()] };
    let options = || vec![FieldOption { key: "o".into(), name: "O".into() }];
    let some = |text: &str| Some(text.to_owned());
    let kinds = vec![
        FieldKind::Text(text()),
        FieldKind::Multiline(text()),
        FieldKind::Integer { min: Some(-1), max: Some(1) },
        FieldKind::Decimal { min: some("-0.5"), max: some("0.50"), decimal_places: Some(2) },
        FieldKind::Boolean,
        FieldKind::Date { min: some("2026-01-01"), max: some("2026-12-31") },
        FieldKind::Time { min: some("08:00:00"), max: some("18:00:00") },
        FieldKind::DateTime { min: some("2026-01-01T00:00:00Z"), max: some("2026-12-31T23:59:59.5+02:00") },
        FieldKind::SingleChoice { options: options() },
        FieldKind::MultipleChoice { options: options(), min: Some(1), max: Some(1) },
        FieldKind::Email(text()),
        FieldKind::Phone(text()),
        FieldKind::Url(text()),
        FieldKind::Barcode(text()),
        FieldKind::Location { max_accuracy_m: some("12.5") },
        FieldKind::Attachment(file()),
        FieldKind::Signature(file()),
    ];
    let fields: Vec<_> = kinds
        .into_iter()
        .map(|kind| FieldDefinition {
            key: kind.type_name().to_owned(),
            name: "A field".into(),
            help: some("Help"),
            required: true,
            allow_empty: true,
            allow_not_applicable: true,
            kind,
        })
        .collect();
    let first = || vec![fields[0].key.clone()];
    let actions = vec![
        ActionDefinition { sends_edits: true, fields: Some(first()), ..ActionDefinition::send_message("tell", "Tell", "office") },
        ActionDefinition { fields_except: first(), ..ActionDefinition::send_message("ask", "Ask", "office") },
    ];
    let section = Section {
        key: "a".into(),
        name: "A".into(),
        content: "Text".into(),
        fields: fields.iter().map(|field| field.key.clone()).collect(),
        answers: vec![Answer { key: "on".into(), name: "On".into(), next: some("b") }],
        actions,
        win: false,
    };
    let end =
        Section { key: "b".into(), name: "B".into(), content: String::new(), fields: vec![], answers: vec![], actions: vec![], win: true };
    Workflow {
        format: 1,
        key: "full".into(),
        version: 1,
        local_revision: 1,
        name: "Full".into(),
        description: some("Everything"),
        start: "a".into(),
        fields,
        responses: vec![Response { key: "r".into(), name: "R".into(), kind: ResponseKind::Objection, content: "Words".into() }],
        sections: vec![section, end],
    }
}

#[test]
fn every_example_is_sound() {
    let validator = validator();
    for (path, bytes) in examples() {
        let parsed = document::parse(&bytes);
        let but_loops: Vec<_> = parsed.findings.iter().filter(|finding| finding.code != "field_in_loop").collect();
        assert!(but_loops.is_empty(), "{}: {but_loops:?}", path.display());
        let workflow: Workflow = serde_json::from_slice(&bytes).expect("the model reads it");
        assert_eq!(path.file_stem().and_then(|stem| stem.to_str()), Some(workflow.key.as_str()));
        assert_eq!(parsed.workflow, Some(workflow));
        let value = serde_json::from_slice(&bytes).expect("an example is JSON");
        assert!(validator.is_valid(&value), "{}: {:?}", path.display(), validator.iter_errors(&value).next());
    }
}

#[test]
fn the_examples_use_every_type_and_every_rule() {
    let mut used: BTreeSet<String> = BTreeSet::new();
    let mut note = |place: &str, value: &Value| {
        for (name, value) in value.as_object().expect("an object") {
            used.insert(format!("{place}.{name}"));
            if let (true, Some(word)) = (["type", "kind"].contains(&name.as_str()), value.as_str()) {
                used.insert(format!("{place}.{name}={word}"));
            }
        }
    };
    let all = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let walk = |workflow: &Value, note: &mut dyn FnMut(&str, &Value)| {
        note("workflow", workflow);
        for field in all(workflow, "fields") {
            let kind = field["type"].as_str().expect("a type");
            note("field", &field);
            note(kind, &field);
        }
        all(workflow, "responses").iter().for_each(|response| note("response", response));
        for section in all(workflow, "sections") {
            note("section", &section);
            all(&section, "answers").iter().for_each(|answer| note("answer", answer));
            all(&section, "actions").iter().for_each(|action| note("action", action));
        }
    };
    example_values().iter().for_each(|workflow| walk(workflow, &mut note));
    let seen = std::mem::take(&mut used);

    let mut everything = BTreeSet::new();
    let mut note = |place: &str, value: &Value| {
        // Every rule by its name, every type, and bounds for each type that has them.
        for (name, value) in value.as_object().expect("an object") {
            let bound = name == "min" || name == "max";
            if bound || ["workflow", "field", "section", "answer", "response", "action"].contains(&place) {
                everything.insert(format!("{place}.{name}"));
            }
            if place == "field" && name == "type" {
                everything.insert(format!("field.type={}", value.as_str().expect("a type")));
            }
        }
    };
    walk(&serde_json::to_value(full()).expect("a workflow can be written"), &mut note);
    everything.extend(["response.kind=objection", "response.kind=customer_question"].map(str::to_owned));
    // A published document has no local revision.
    everything.remove("workflow.local_revision");
    let missing: Vec<_> = everything.difference(&seen).collect();
    assert!(missing.is_empty(), "no example uses {missing:?}");
    assert!(everything.iter().filter(|name| name.starts_with("field.type=")).count() == 17);
}

/// The names of the members that the schema describes, by the place they stand in; fields by their type.
fn members_of_schema(schema: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let names =
        |properties: &Value| -> BTreeSet<String> { properties["properties"].as_object().expect("properties").keys().cloned().collect() };
    let mut members = BTreeMap::from([("workflow".to_owned(), names(schema))]);
    for place in ["section", "answer", "response", "action", "option"] {
        members.insert(place.to_owned(), names(&schema["$defs"][place]));
    }
    let field = &schema["$defs"]["field"];
    for kind in field["properties"]["type"]["enum"].as_array().expect("the types") {
        members.insert(format!("field {}", kind.as_str().expect("a type")), names(field));
    }
    for rule in field["allOf"].as_array().expect("rules by type") {
        for kind in rule["if"]["properties"]["type"]["enum"].as_array().expect("the types of a rule") {
            let kind = format!("field {}", kind.as_str().expect("a type"));
            members.get_mut(&kind).expect("a type of the schema").extend(names(&rule["then"]));
        }
    }
    members
}

/// The same of a written workflow.
fn members_of_model(workflow: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut members: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut note =
        |place: String, value: &Value| members.entry(place).or_default().extend(value.as_object().expect("an object").keys().cloned());
    note("workflow".into(), workflow);
    for field in workflow["fields"].as_array().expect("fields") {
        note(format!("field {}", field["type"].as_str().expect("a type")), field);
        if let Some(options) = field.get("options") {
            note("option".into(), &options[0]);
        }
    }
    note("response".into(), &workflow["responses"][0]);
    for section in workflow["sections"].as_array().expect("sections") {
        note("section".into(), section);
    }
    note("answer".into(), &workflow["sections"][0]["answers"][0]);
    for action in workflow["sections"][0]["actions"].as_array().expect("actions") {
        note("action".into(), action);
    }
    members
}

#[test]
fn the_schema_has_the_members_and_types_of_the_model() {
    let workflow = serde_json::to_value(full()).expect("a workflow can be written");
    let validator = validator();
    assert!(validator.is_valid(&workflow), "{:?}", validator.iter_errors(&workflow).next());
    assert_eq!(document::parse(workflow.to_string().as_bytes()).workflow, Some(full()));
    let mut described = members_of_schema(&schema());
    // What the core reads at import alone is not in the model.
    assert!(described.get_mut("workflow").expect("the document").remove("requires"));
    for (place, members) in &mut described {
        assert_eq!(members.remove("example"), place.starts_with("field "), "{place}");
    }
    assert_eq!(described, members_of_model(&workflow));
}

#[test]
fn the_schema_and_the_core_want_the_same_of_an_example() {
    let validator = validator();
    let original = serde_json::to_value(full()).expect("a workflow can be written");
    for (example, good) in
        [(json!("ok"), true), (json!(7), false), (json!("x".repeat(201)), false), (json!("\u{0}"), false), (json!([]), false)]
    {
        let mut document = original.clone();
        document["fields"][0]["example"] = example;
        assert_eq!(!compare(&validator, &document, "an example"), good, "{}", document["fields"][0]["example"]);
    }
}

#[test]
fn the_schema_and_the_core_want_the_same_of_what_a_document_requires() {
    let validator = validator();
    let mut document = serde_json::to_value(full()).expect("a workflow can be written");
    for (requires, good) in [
        (json!([]), true),
        (json!(["logic", "languages"]), true),
        (json!("logic"), false),
        (json!(["logic", 1]), false),
        (json!(["logic", "a b"]), false),
        ((0..51).map(|number| format!("n{number}")).collect(), false),
    ] {
        document["requires"] = requires;
        assert_eq!(!compare(&validator, &document, "what it requires"), good, "{}", document["requires"]);
    }
}

/// Codes for what a schema can see; of `bad_constraint` it sees a part.
const STRUCTURAL: [&str; 11] = [
    "unknown_format",
    "missing_member",
    "wrong_type",
    "unknown_value",
    "out_of_range",
    "bad_key",
    "bad_text",
    "too_long",
    "too_many",
    "too_few",
    "bad_number",
];

/// Every pointer of a document.
fn pointers(value: &Value, here: String, all: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| pointers(value, format!("{here}/{name}"), all)),
        Value::Array(elements) => elements.iter().enumerate().for_each(|(index, value)| pointers(value, format!("{here}/{index}"), all)),
        _ => {}
    }
    all.push(here);
}

fn remove(document: &mut Value, pointer: &str) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer below the root");
    match document.pointer_mut(parent).expect("the parent is there") {
        Value::Object(members) => _ = members.remove(name),
        Value::Array(elements) => _ = elements.remove(name.parse().expect("an index")),
        _ => unreachable!("only objects and arrays have members"),
    }
}

/// The schema and the core must say the same of a document, as far as a schema can see.
fn compare(validator: &jsonschema::Validator, document: &Value, what: &str) -> bool {
    let findings = document::lint(document.to_string().as_bytes(), None);
    let refused = findings.iter().any(|finding| finding.severity == Severity::Error);
    let structural = findings.iter().any(|finding| STRUCTURAL.contains(&finding.code.as_str()));
    let valid = validator.is_valid(document);
    assert!(valid || refused, "the schema alone refuses {what}: {:?}", validator.iter_errors(document).next());
    assert!(!valid || !structural, "the core alone refuses {what}: {findings:?}");
    !valid
}

#[test]
fn the_schema_and_the_core_refuse_the_same_mistakes() {
    let validator = validator();
    let mut documents = vec![serde_json::to_value(full()).expect("a workflow can be written")];
    // One example is enough here; the full workflow has every member.
    documents.extend(example_values().into_iter().find(|document| document["key"] == "site-safety-inspection"));
    let mut refused = 0;
    for original in documents {
        let mut places = Vec::new();
        pointers(&original, String::new(), &mut places);
        for pointer in &places {
            let old = original.pointer(pointer).expect("it is there");
            let mut wrong =
                vec![Value::Null, json!([7]), json!({ "x": 1 }), json!("\u{0}"), json!(""), json!(-1), json!(9_007_199_254_740_991_i64)];
            wrong.extend([json!("no such word"), json!("x".repeat(20_001)), json!(true)]);
            wrong.retain(|value| value != old);
            for value in wrong {
                let mut document = original.clone();
                *document.pointer_mut(pointer).expect("it is there") = value.clone();
                let shown: String = value.to_string().chars().take(30).collect();
                refused += usize::from(compare(&validator, &document, &format!("{shown} at {pointer:?}")));
                // Another JSON type than the model has is always refused, by both.
                let nullable = value.is_null() && pointer.ends_with("/next");
                let other_type = std::mem::discriminant(&value) != std::mem::discriminant(old);
                assert!(!other_type || nullable || !validator.is_valid(&document), "{shown} at {pointer:?}");
            }
            if !pointer.is_empty() {
                let mut document = original.clone();
                remove(&mut document, pointer);
                refused += usize::from(compare(&validator, &document, &format!("a document without {pointer:?}")));
            }
        }
    }
    assert!(refused > 1_000, "{refused}");
}

#[test]
fn every_required_member_is_missed_by_the_schema_and_the_core() {
    let validator = validator();
    let original = serde_json::to_value(full()).expect("a workflow can be written");
    let required = [
        "/format",
        "/sections/1/key",
        "/sections/1/name",
        "/key",
        "/version",
        "/name",
        "/start",
        "/sections",
        "/sections/0/key",
        "/sections/0/name",
        "/sections/0/answers/0/key",
        "/sections/0/answers/0/name",
        "/sections/0/actions/0/key",
        "/sections/0/actions/0/name",
        "/sections/0/actions/0/integration",
        "/sections/0/actions/0/kind",
        "/sections/0/actions/0/endpoint",
        "/responses/0/key",
        "/responses/0/name",
        "/responses/0/kind",
        "/fields/0/key",
        "/fields/0/name",
        "/fields/0/type",
        "/fields/8/options",
        "/fields/9/options",
        "/fields/8/options/0/key",
        "/fields/8/options/0/name",
    ];
    let mut places = Vec::new();
    pointers(&original, String::new(), &mut places);
    for pointer in places.iter().filter(|pointer| !pointer.is_empty()) {
        let mut document = original.clone();
        remove(&mut document, pointer);
        let missed = document::lint(document.to_string().as_bytes(), None).iter().any(|finding| finding.code == "missing_member");
        // Fields differ only in their constraints, and actions in what may be absent, so the first stands for all.
        let place = match pointer.strip_prefix("/fields/").and_then(|rest| rest.split_once('/')) {
            Some((_, member @ ("key" | "name" | "type"))) => format!("/fields/0/{member}"),
            Some((_, option @ ("options/0/key" | "options/0/name"))) => format!("/fields/8/{option}"),
            _ => pointer.replace("/actions/1/", "/actions/0/"),
        };
        assert_eq!(missed, required.contains(&place.as_str()), "{pointer}");
        assert!(!missed || !validator.is_valid(&document), "{pointer}");
    }
}

#[test]
fn the_description_lists_every_finding_and_every_type() {
    let text = fs::read_to_string(root().join("docs/workflow-format.md")).expect("there is a description");
    for code in Code::ALL {
        let severity = match code.severity() {
            _ if *code == Code::MoreFindings => "as the worst left out",
            Severity::Error => "error",
            Severity::Incomplete => "incomplete",
            Severity::Warning => "warning",
        };
        let row = format!("| `{}` | {severity} |", code.as_str());
        assert!(text.contains(&row), "{row}");
    }
    for (place, members) in members_of_schema(&schema()) {
        if let Some(kind) = place.strip_prefix("field ") {
            assert!(text.contains(&format!("`{kind}`")), "{kind}");
        }
        for member in members {
            assert!(text.contains(&format!("`{member}`")), "{member} of {place}");
        }
    }
}

#[test]
fn the_description_lists_every_problem_of_a_value_and_no_other() {
    let mut given = BTreeSet::new();
    for file in fs::read_dir(root().join("src/engine/session/validate")).expect("the rules of values are there") {
        let rules = fs::read_to_string(file.expect("the folder can be read").path()).expect("a rule can be read");
        for start in ["Fault::new(\"", "Fault::limited(\""] {
            given.extend(rules.split(start).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
        }
    }
    let text = fs::read_to_string(root().join("docs/workflow-format.md")).expect("there is a description");
    let (_, rest) = text.split_once("## Problems of values").expect("they have a section");
    let (section, _) = rest.split_once("\n## ").expect("another section follows");
    let codes = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    let listed: BTreeSet<String> = codes.flat_map(|cell| cell.split(", ")).map(|code| code.trim_matches('`').to_owned()).collect();
    assert_eq!(listed, given);
}

#[test]
fn the_example_of_the_description_is_sound() {
    let text = fs::read_to_string(root().join("docs/workflow-format.md")).expect("there is a description");
    let (_, rest) = text.split_once("```json\n").expect("there is an example");
    let (example, _) = rest.split_once("```").expect("the example ends");
    let findings = document::lint(example.as_bytes(), Some(&["office".to_owned()]));
    let codes: Vec<_> = findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["field_in_loop", "field_in_loop"], "it measures again");
}
