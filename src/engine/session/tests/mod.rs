//! The rules of a session, in the terms of the product.

mod changing;
mod finishing;
mod moving;
mod planning;
mod seeing;
mod starting;

use serde_json::json;

use super::*;
use crate::crypto::Sha256;
use crate::engine::document::IndexedWorkflow;
use crate::model::*;
use crate::sorted::SortedMap;

/// A visit at a boiler: greeting → inspection → (repair → inspection) → done or lost.
fn workflow() -> IndexedWorkflow {
    let action = |key: &str| json!({ "key": key, "name": key, "integration": "webhooks", "kind": "send_message", "endpoint": "office" });
    let workflow: Workflow = serde_json::from_value(json!({
        "format": 1, "key": "boiler", "version": 3, "name": "Boiler service", "start": "greeting",
        "fields": [
            { "key": "customer", "name": "Customer", "type": "text" },
            { "key": "temperature", "name": "Temperature", "type": "decimal", "required": true, "max": "200" },
            { "key": "remark", "name": "Remark", "type": "multiline", "required": true, "allow_empty": true, "allow_not_applicable": true },
            { "key": "part", "name": "Part", "type": "text", "required": true },
            { "key": "next_visit", "name": "Next visit", "type": "datetime" },
        ],
        "responses": [{ "key": "price", "name": "Too dear", "kind": "objection" }],
        "sections": [
            { "key": "greeting", "name": "Greeting", "fields": ["customer"], "actions": [action("arrived")], "answers": [
                { "key": "go", "name": "Let us begin", "next": "inspection" },
                { "key": "later", "name": "Not today" },
            ] },
            { "key": "inspection", "name": "Inspection", "fields": ["temperature", "customer", "remark"], "actions": [action("inspected")],
              "answers": [
                { "key": "fine", "name": "All is fine", "next": "done" },
                { "key": "broken", "name": "Needs repair", "next": "repair" },
            ] },
            { "key": "repair", "name": "Repair", "fields": ["part"], "actions": [action("repaired")], "answers": [
                { "key": "again", "name": "Inspect again", "next": "inspection" },
                { "key": "give_up", "name": "Cannot be repaired", "next": "lost" },
            ] },
            { "key": "done", "name": "Done", "fields": ["next_visit"], "win": true, "actions": [action("finished")] },
            { "key": "lost", "name": "Lost" },
        ],
    }))
    .unwrap();
    workflow.into()
}

/// A session that is driven command by command; each act comes a minute after the one before.
struct Session {
    workflow: IndexedWorkflow,
    events: Vec<Event>,
    state: State,
}

fn event(seq: u32, act: Act) -> Event {
    let noon: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    let at = noon + chrono::TimeDelta::minutes(i64::from(seq));
    Event { seq, v: EVENT_VERSION, at, wall_at: None, utc_offset: 3600, actor: Some("Mia".into()), command_id: None, act }
}

impl Session {
    fn new() -> Self {
        Self::started(vec![])
    }

    fn started(prefill: Vec<Prefill>) -> Self {
        let workflow = workflow();
        let act = start(&workflow, &Sha256::of(b"doc"), &Start { prefill, ..Start::new("boiler", "c0") }).unwrap();
        let first = event(1, act);
        let key = "0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11".parse().unwrap();
        let state = begin(key, &workflow, &first).unwrap();
        Self { workflow, events: vec![first], state }
    }

    fn decide(&self, command: &Command) -> Result<Decision, Refusal> {
        decide(&self.workflow, &self.state, command)
    }

    /// Does it, which must be accepted.
    fn run(&mut self, command: Command) -> &mut Self {
        match self.decide(&command) {
            Ok(Decision::Act(act)) => {
                let next = event(self.state.last_seq + 1, act);
                apply(&mut self.state, &next);
                self.events.push(next);
                self
            }
            other => panic!("{command:?} gave {other:?}"),
        }
    }

    /// The code of the refusal, or the other outcome.
    fn verdict(&self, command: Command) -> &'static str {
        match self.decide(&command) {
            Ok(Decision::Act(_)) => "act",
            Ok(Decision::Unchanged) => "unchanged",
            Ok(Decision::Stale) => "stale",
            Err(refusal) => refusal.code(),
        }
    }

    fn answer(&mut self, answer: &str) -> &mut Self {
        self.run(Command::Answer { visit: self.state.current().number, answer: answer.into() })
    }

    fn back_to(&mut self, to_visit: u32) -> &mut Self {
        self.run(Command::Back { visit: self.state.current().number, to_visit })
    }

    fn complete(&mut self) -> &mut Self {
        self.run(Command::Complete { visit: self.state.current().number })
    }

    fn set(&mut self, field: &str, value: &str) -> &mut Self {
        self.run(set(&[(field, value)]))
    }

    /// At the inspection, with everything it asks for.
    fn inspected() -> Self {
        let mut session = Self::new();
        session.answer("go").set("temperature", "182.50").run(mark("remark", Change::NotApplicable));
        session
    }

    fn view(&self) -> SessionView {
        view(&self.workflow, &self.state, &SortedMap::new())
    }

    fn visits(&self) -> Vec<(u32, &str)> {
        self.state.path.iter().map(|visit| (visit.number, visit.section.as_str())).collect()
    }
}

/// A decimal for the temperature, a text for everything else.
fn value(field: &str, value: &str) -> FieldValue {
    if field == "temperature" { FieldValue::Decimal(Decimal(value.into())) } else { FieldValue::Text(value.into()) }
}

fn changes(values: &[(&str, &str)]) -> Vec<FieldChange> {
    values.iter().map(|(field, text)| FieldChange { field: (*field).into(), change: Change::Set(value(field, text)) }).collect()
}

fn set(values: &[(&str, &str)]) -> Command {
    Command::SetFields { changes: changes(values) }
}

fn mark(field: &str, change: Change) -> Command {
    Command::SetFields { changes: vec![FieldChange { field: field.into(), change }] }
}

fn note(text: &str) -> Command {
    Command::Note { command_id: "n".into(), text: text.into() }
}

fn end() -> Command {
    Command::End { command_id: "e".into(), reason: "nobody home".into() }
}

fn edit(values: &[(&str, &str)], notes: &[(u32, &str)]) -> Command {
    let notes = notes.iter().map(|(note, text)| NoteChange { note: *note, text: (*text).into() }).collect();
    Command::Edit { command_id: "d".into(), fields: changes(values), notes, reason: None }
}

fn codes(problems: &[Problem]) -> Vec<(&str, &str)> {
    problems.iter().map(|problem| (problem.field.as_str(), problem.code.as_str())).collect()
}

/// The fields with the visits and sections that ask them.
fn places(problems: &[Problem]) -> Vec<(&str, Option<u32>, Option<&str>)> {
    problems.iter().map(|problem| (problem.field.as_str(), problem.visit, problem.section.as_deref())).collect()
}

fn keys(actions: &[ActionPreview]) -> Vec<&str> {
    actions.iter().map(|action| action.key.as_str()).collect()
}
