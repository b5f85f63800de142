//! Random workflows, and random steps of a technician through them.
//!
//! A [`Step`] is a few numbers; [`command`] makes of it what they mean in a session as it stands: mostly what a technician does, now and
//! then what a mistaken or late app does. So a failing walk shrinks to a short one.
#![allow(dead_code, unreachable_pub, reason = "each suite uses what it needs")]

use compass_core::model::*;
use compass_core::testing::rules::{IndexedWorkflow, State, view};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

/// A workflow of up to seven sections that are linked at random, loops and dead ends included, with fields of all types. The last section
/// is an end section; most of the others can be left.
pub fn workflow() -> impl Strategy<Value = Workflow> {
    (vec(field(), 1..9), vec(section(), 1..7), 0..3_usize).prop_map(|(kinds, drafts, responses)| {
        let fields: Vec<FieldDefinition> = kinds
            .into_iter()
            .enumerate()
            .map(|(i, field)| FieldDefinition { key: format!("f{i}"), name: format!("Field {i}"), ..field })
            .collect();
        let count = drafts.len() + 1;
        let mut sections: Vec<Section> = drafts.iter().enumerate().map(|(i, draft)| draft.section(i, count, &fields)).collect();
        sections.push(SectionDraft { answers: vec![], ..drafts[0].clone() }.section(count - 1, count, &fields));
        let response =
            |i| Response { key: format!("r{i}"), name: format!("Response {i}"), kind: ResponseKind::Objection, content: String::new() };
        Workflow {
            format: WORKFLOW_FORMAT,
            key: "random".into(),
            version: 1,
            local_revision: 0,
            name: "Random walk".into(),
            description: None,
            start: "s0".into(),
            fields,
            responses: (0..responses).map(response).collect(),
            sections,
        }
    })
}

#[derive(Debug, Clone)]
struct SectionDraft {
    fields: Vec<Index>,
    /// Where each answer leads; none is an answer that leads nowhere.
    answers: Vec<Option<Index>>,
    actions: usize,
    win: bool,
}

fn section() -> impl Strategy<Value = SectionDraft> {
    let answer = prop_oneof![19 => any::<Index>().prop_map(Some), 1 => Just(None)];
    (vec(any::<Index>(), 0..4), vec(answer, 0..4), 0..3_usize, any::<bool>()).prop_map(|(fields, answers, actions, win)| SectionDraft {
        fields,
        answers,
        actions,
        win,
    })
}

impl SectionDraft {
    fn section(&self, number: usize, count: usize, library: &[FieldDefinition]) -> Section {
        let mut fields: Vec<String> = Vec::new();
        for field in &self.fields {
            let key = &field.get(library).key;
            if !fields.contains(key) {
                fields.push(key.clone());
            }
        }
        let answer = |(i, next): (usize, &Option<Index>)| Answer {
            key: format!("a{i}"),
            name: format!("Answer {i}"),
            next: next.map(|next| format!("s{}", next.index(count))),
        };
        let action = |i| ActionDefinition::send_message(format!("s{number}-act{i}"), format!("Message {i} of section {number}"), "office");
        Section {
            key: format!("s{number}"),
            name: format!("Section {number}"),
            content: String::new(),
            fields,
            answers: self.answers.iter().enumerate().map(answer).collect(),
            actions: (0..self.actions).map(action).collect(),
            win: self.win && self.answers.is_empty(),
        }
    }
}

/// A field of any type, with or without constraints. Key and name are still to be given.
pub fn field() -> impl Strategy<Value = FieldDefinition> {
    (kind(), any::<[bool; 3]>()).prop_map(|(kind, [required, allow_empty, allow_not_applicable])| FieldDefinition {
        key: "f".into(),
        name: "Field".into(),
        help: None,
        required,
        allow_empty,
        allow_not_applicable,
        kind,
    })
}

/// Every type, once bare and once with every constraint it knows.
pub fn kinds() -> Vec<FieldKind> {
    let options = json!([{ "key": "a", "name": "Apple" }, { "key": "b", "name": "Bread" }, { "key": "c", "name": "Cheese" }]);
    let bare = ["text", "multiline", "integer", "decimal", "boolean", "date", "time", "datetime", "email", "phone", "url", "barcode"];
    let bare = bare.into_iter().chain(["location", "attachment", "signature"]).map(|kind| json!({ "type": kind }));
    let bound = [
        json!({ "type": "text", "min_length": 2, "max_length": 40, "pattern": "\\w.*" }),
        json!({ "type": "multiline", "min_length": 2, "max_length": 40 }),
        json!({ "type": "integer", "min": -5, "max": 500 }),
        json!({ "type": "decimal", "min": "-10.5", "max": "200", "decimal_places": 3 }),
        json!({ "type": "date", "min": "2020-01-01", "max": "2030-12-31" }),
        json!({ "type": "time", "min": "06:00:00", "max": "20:00:00" }),
        json!({ "type": "datetime", "min": "2020-01-01T00:00:00Z", "max": "2030-12-31T23:59:59Z" }),
        json!({ "type": "single_choice", "options": options }),
        json!({ "type": "multiple_choice", "options": options }),
        json!({ "type": "multiple_choice", "options": options, "min": 1, "max": 2 }),
        json!({ "type": "email", "max_length": 40 }),
        json!({ "type": "location", "max_accuracy_m": "30" }),
        json!({ "type": "attachment", "max_size": 5000, "media_types": ["image/*"] }),
        json!({ "type": "signature", "media_types": ["image/png"] }),
    ];
    let of = |mut definition: serde_json::Value| {
        definition["key"] = json!("key");
        definition["name"] = json!("Name");
        serde_json::from_value::<FieldDefinition>(definition).expect("a field").kind
    };
    bare.chain(bound).map(of).collect()
}

fn kind() -> impl Strategy<Value = FieldKind> {
    proptest::sample::select(kinds())
}

/// Values that every field of this type made here accepts.
pub fn good_values(kind: &FieldKind) -> Vec<FieldValue> {
    let of = |tag: &str, values: Vec<serde_json::Value>| -> Vec<FieldValue> {
        let value = |value| serde_json::from_value(json!({ "type": tag, "value": value })).expect("a value");
        values.into_iter().map(value).collect()
    };
    let file = |name: &str| json!({ "sha256": "0123456789abcdef".repeat(4), "media_type": "image/png", "size": 4096, "name": name });
    let place = |latitude: &str| json!({ "latitude": latitude, "longitude": "-0.1276", "accuracy_m": "8.5", "captured_at": "2026-11-23T18:31:40.123Z" });
    match kind {
        FieldKind::Text(_) => of("text", vec![json!("Ada"), json!("Größe 12 – ½\""), json!("yes")]),
        FieldKind::Multiline(_) => of("text", vec![json!("one\n\ttwo"), json!("three")]),
        FieldKind::Integer { .. } => of("integer", vec![json!(-5), json!(0), json!(500)]),
        FieldKind::Decimal { .. } => of("decimal", vec![json!("182.50"), json!("182.5"), json!("-0.001"), json!("0")]),
        FieldKind::Boolean => of("boolean", vec![json!(true), json!(false)]),
        FieldKind::Date { .. } => of("date", vec![json!("2026-11-23"), json!("2024-02-29")]),
        FieldKind::Time { .. } => of("time", vec![json!("06:00:00"), json!("18:31:40.9")]),
        FieldKind::DateTime { .. } => of("date_time", vec![json!("2026-11-23T18:31:40+01:00"), json!("2026-11-23T17:31:40.123456Z")]),
        FieldKind::SingleChoice { .. } => of("choice", vec![json!("a"), json!("c")]),
        FieldKind::MultipleChoice { .. } => of("choices", vec![json!(["b"]), json!(["c", "a"])]),
        FieldKind::Email(_) => of("text", vec![json!("ada@example.com")]),
        FieldKind::Phone(_) => of("text", vec![json!("+44 20 7946 0018"), json!("112")]),
        FieldKind::Url(_) => of("text", vec![json!("https://example.com/a?b=c")]),
        FieldKind::Barcode(_) => of("text", vec![json!("4006381333931")]),
        FieldKind::Location { .. } => of("location", vec![json!(place("51.5072")), json!(place("-90"))]),
        FieldKind::Attachment(_) | FieldKind::Signature(_) => of("file", vec![file("a.png"), file("Ünterschrift.png")]),
    }
}

/// A value that no field of this type made here accepts: of another type, or out of every bound.
pub fn bad_value(kind: &FieldKind) -> FieldValue {
    match kind {
        FieldKind::Integer { .. } => FieldValue::Integer(i64::MAX),
        FieldKind::Decimal { .. } => FieldValue::Decimal(Decimal("1e3".into())),
        FieldKind::SingleChoice { .. } => FieldValue::Choice("z".into()),
        FieldKind::MultipleChoice { .. } => FieldValue::Choices(vec!["a".into(), "a".into()]),
        FieldKind::Boolean => FieldValue::Integer(1),
        FieldKind::Text(_)
        | FieldKind::Multiline(_)
        | FieldKind::Email(_)
        | FieldKind::Phone(_)
        | FieldKind::Url(_)
        | FieldKind::Barcode(_) => FieldValue::Text("bell\u{7}".into()),
        _ => FieldValue::Boolean(true),
    }
}

/// One step of a walk.
#[derive(Debug, Clone)]
pub struct Step {
    sort: Sort,
    one: Index,
    two: Index,
}

#[derive(Debug, Clone, Copy)]
enum Sort {
    FillWhatIsMissing,
    SetSomething,
    Answer,
    AnswerAtRandom,
    Back,
    BackAtRandom,
    Complete,
    CompleteAtRandom,
    Note,
    UseResponse,
    End,
    Discard,
    Edit,
}

/// A step, mostly forward.
pub fn step() -> impl Strategy<Value = Step> {
    let sort = prop_oneof![
        20 => Just(Sort::FillWhatIsMissing),
        15 => Just(Sort::SetSomething),
        30 => Just(Sort::Answer),
        4 => Just(Sort::AnswerAtRandom),
        6 => Just(Sort::Back),
        3 => Just(Sort::BackAtRandom),
        8 => Just(Sort::Complete),
        2 => Just(Sort::CompleteAtRandom),
        4 => Just(Sort::Note),
        3 => Just(Sort::UseResponse),
        1 => Just(Sort::End),
        1 => Just(Sort::Discard),
        8 => Just(Sort::Edit),
    ];
    (sort, any::<Index>(), any::<Index>()).prop_map(|(sort, one, two)| Step { sort, one, two })
}

/// What the step means in this session as it stands. `command_id` is the caller's, new at each step.
pub fn command(workflow: &IndexedWorkflow, state: &State, step: &Step, command_id: String) -> Command {
    let Step { sort, one, two } = step;
    let visit = state.path.last().expect("a path").number;
    // One below the first visit to one above the last.
    let any_visit = |index: &Index| index.index(state.last_visit as usize + 2) as u32;
    match sort {
        Sort::FillWhatIsMissing => {
            let missing = view(workflow, state, &Default::default()).completion_problems;
            let fill = |problem: &Problem| {
                let definition = workflow.field(&problem.field).expect("a field");
                FieldChange { field: problem.field.clone(), change: Change::Set(one.get(&good_values(&definition.kind)).clone()) }
            };
            Command::SetFields { changes: missing.iter().map(fill).collect() }
        }
        Sort::SetSomething => Command::SetFields { changes: vec![change(workflow, one, two)] },
        Sort::Answer => Command::Answer { visit, answer: an_answer(workflow, state, one) },
        Sort::AnswerAtRandom => Command::Answer { visit: any_visit(one), answer: format!("a{}", two.index(4)) },
        Sort::Back => Command::Back { visit, to_visit: one.get(&state.path).number },
        Sort::BackAtRandom => Command::Back { visit: any_visit(one), to_visit: any_visit(two) },
        Sort::Complete => Command::Complete { visit },
        Sort::CompleteAtRandom => Command::Complete { visit: any_visit(one) },
        Sort::Note => Command::Note { command_id, text: ["dog in the yard", "paid", " "][one.index(3)].into() },
        Sort::UseResponse => Command::UseResponse { command_id, response: format!("r{}", one.index(3)) },
        Sort::End => Command::End { command_id, reason: "nobody home".into() },
        Sort::Discard => Command::Discard,
        Sort::Edit => {
            let note = state.notes.get(one.index(3)).map(|note| NoteChange { note: note.seq, text: format!("edited {}", two.index(2)) });
            Command::Edit { command_id, fields: vec![change(workflow, one, two)], notes: note.into_iter().collect(), reason: None }
        }
    }
}

fn an_answer(workflow: &Workflow, state: &State, index: &Index) -> String {
    let section = workflow.section(&state.path.last().expect("a path").section).expect("a section");
    if section.answers.is_empty() { "a0".into() } else { index.get(&section.answers).key.clone() }
}

/// Mostly a good value.
fn change(workflow: &Workflow, field: &Index, index: &Index) -> FieldChange {
    let definition = field.get(&workflow.fields);
    let change = match index.index(10) {
        0 => Change::Clear,
        1 => Change::NotApplicable,
        2 => Change::Set(FieldValue::Text(String::new())),
        3 => Change::Set(bad_value(&definition.kind)),
        _ => Change::Set(index.get(&good_values(&definition.kind)).clone()),
    };
    FieldChange { field: definition.key.clone(), change }
}
