//! The rules of a session, in the words of the product.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::crypto::Sha256;
use crate::model::*;

/// A visit at a boiler: greeting → inspection → (repair → inspection) → done or lost.
fn workflow() -> Workflow {
    let action = |key: &str| json!({ "key": key, "name": key, "integration": "webhooks", "kind": "send_message", "endpoint": "office" });
    serde_json::from_value(json!({
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
    .unwrap()
}

/// A session that is driven command by command; each act comes a minute after the one before.
struct Session {
    workflow: Workflow,
    events: Vec<Event>,
    state: State,
}

fn event(seq: u32, act: Act) -> Event {
    let noon: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    let at = noon + chrono::TimeDelta::minutes(i64::from(seq));
    Event { seq, v: EVENT_VERSION, at, utc_offset: 3600, actor: Some("Mia".into()), command_id: None, act }
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

    /// The code of the refusal, or what else became of it.
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
        view(&self.workflow, &self.state, &BTreeMap::new())
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
    Command::Edit { command_id: "d".into(), fields: changes(values), notes }
}

fn codes(problems: &[Problem]) -> Vec<(&str, &str)> {
    problems.iter().map(|problem| (problem.field.as_str(), problem.code.as_str())).collect()
}

fn keys<'a>(actions: &'a [ActionPreview]) -> Vec<&'a str> {
    actions.iter().map(|action| action.key.as_str()).collect()
}

#[test]
fn a_session_begins_in_the_start_section() {
    let session = Session::new();
    assert_eq!(session.visits(), [(1, "greeting")]);
    assert_eq!(session.state.workflow.version, 3);
    assert_eq!(session.state.actor.as_deref(), Some("Mia"));
    let Act::Started { workflow_hash, .. } = &session.events[0].act else { panic!("started") };
    assert_eq!(*workflow_hash, Sha256::of(b"doc").to_string());
    assert_eq!(begin(session.state.key, &session.workflow, &event(1, Act::Discarded)), None, "another event starts nothing");
}

#[test]
fn prefill_may_name_any_field_and_is_validated_with_all_problems_at_once() {
    let prefill = |field: &str, text: &str| Prefill { field: field.into(), value: value(field, text), source: "work-order".into() };
    let session = Session::started(vec![prefill("part", "valve"), prefill("remark", "")]);
    assert_eq!(session.state.values["part"].source, ValueSource::Prefill("work-order".into()));
    assert_eq!(session.state.values["part"].completed_at, session.state.started_at);
    assert_eq!(session.state.values["remark"].state, FieldState::Empty);

    let refused =
        |prefill: Vec<Prefill>| start(&workflow(), &Sha256::of(b""), &Start { prefill, ..Start::new("boiler", "c") }).unwrap_err();
    let Refusal::Fields { problems } = refused(vec![prefill("temperature", "900"), prefill("part", "a\nb")]) else { panic!("problems") };
    assert_eq!(codes(&problems), [("temperature", "too_large"), ("part", "line_break")]);
    assert_eq!(refused(vec![prefill("nothing", "x")]), Refusal::UnknownFields { fields: vec!["nothing".into()] });
    assert_eq!(refused(vec![prefill("part", "x"), prefill("part", "y")]).code(), "duplicate_fields");
    assert_eq!(refused(vec![Prefill { source: " ".into(), ..prefill("part", "x") }]).place().as_deref(), Some("prefill.source"));
    let mut broken = workflow();
    broken.start = "nowhere".into();
    assert_eq!(start(&broken, &Sha256::of(b""), &Start::new("boiler", "c")).unwrap_err().code(), "broken_workflow");
    assert_eq!(start(&workflow(), &Sha256::of(b""), &Start::new("boiler", "")).unwrap_err().place().as_deref(), Some("command_id"));
}

#[test]
fn choosing_an_answer_needs_the_sections_required_fields_and_names_all_that_miss() {
    let mut session = Session::new();
    session.answer("go");
    let command = Command::Answer { visit: 2, answer: "fine".into() };
    let Err(Refusal::Fields { problems }) = session.decide(&command) else { panic!("problems") };
    assert_eq!(codes(&problems), [("temperature", "required"), ("remark", "required")]);
    assert_eq!(session.view().problems, problems, "the screen says the same");

    session.set("temperature", "182.50").set("remark", "");
    assert_eq!(session.verdict(command), "act", "the remark may be left empty");
}

#[test]
fn an_empty_value_is_stored_and_still_misses_where_the_field_does_not_allow_it() {
    let mut session = Session::inspected();
    session.answer("broken").set("part", "");
    assert_eq!(session.state.values["part"].state, FieldState::Empty);
    assert_eq!(codes(&session.view().problems), [("part", "required")]);
    assert_eq!(session.verdict(Command::Answer { visit: 3, answer: "again".into() }), "field_problems");
}

#[test]
fn answers_that_are_not_there_or_lead_nowhere_are_refused() {
    let session = Session::new();
    let answer = |answer: &str| session.verdict(Command::Answer { visit: 1, answer: answer.into() });
    assert_eq!(answer("nothing"), "unknown_answer");
    assert_eq!(answer("later"), "unlinked_answer");
}

#[test]
fn a_move_made_for_an_old_screen_is_stale_and_one_for_a_screen_that_never_was_is_a_mistake() {
    let mut session = Session::inspected();
    session.answer("fine");
    let answer = |visit| Command::Answer { visit, answer: "fine".into() };
    assert_eq!(session.verdict(answer(2)), "stale", "a double tap");
    assert_eq!(session.verdict(answer(4)), "unknown_visit");
    assert_eq!(session.verdict(answer(0)), "unknown_visit");
    assert_eq!(session.verdict(Command::Complete { visit: 2 }), "stale");
    assert_eq!(session.verdict(Command::Back { visit: 3, to_visit: 9 }), "unknown_visit");
    assert_eq!(session.verdict(Command::Back { visit: 3, to_visit: 3 }), "already_there");

    session.back_to(2);
    assert_eq!(session.verdict(Command::Back { visit: 3, to_visit: 2 }), "stale", "a double tap");
    assert_eq!(session.verdict(Command::Back { visit: 4, to_visit: 3 }), "stale", "superseded meanwhile");

    session.answer("fine").complete();
    assert_eq!(session.verdict(Command::Complete { visit: 5 }), "stale", "a double tap");
    assert_eq!(session.verdict(Command::Answer { visit: 5, answer: "x".into() }), "stale");
    assert_eq!(session.verdict(Command::Back { visit: 5, to_visit: 1 }), "stale");
}

#[test]
fn going_back_supersedes_visits_and_keeps_values() {
    let mut session = Session::inspected();
    session.answer("broken").set("part", "valve").answer("again");
    assert_eq!(session.visits(), [(1, "greeting"), (2, "inspection"), (3, "repair"), (4, "inspection")]);
    assert_eq!(keys(&session.view().would_fire), ["arrived", "inspected", "repaired"], "once each, in path order");

    session.back_to(2);
    assert_eq!(session.visits(), [(1, "greeting"), (5, "inspection")]);
    assert_eq!(session.state.path[1].answer, None);
    assert_eq!(session.state.holds("part"), &FieldState::Provided(value("part", "valve")));
    assert_eq!(keys(&session.view().would_fire), ["arrived", "inspected"]);
    assert_eq!(session.verdict(set(&[("part", "pump")])), "fields_not_on_path");

    session.answer("fine").complete();
    let submitted: Vec<String> =
        submission(&session.workflow, &session.state).fields.iter().map(|field| field.definition.key.clone()).collect();
    assert_eq!(submitted, ["temperature"], "the part was given off the path, the remark is not applicable");
    let record = record(&session.workflow, &session.state, &session.events, vec![]);
    let fields: Vec<_> = record.fields.iter().map(|field| (field.definition.key.as_str(), field.section.as_deref())).collect();
    assert_eq!(
        fields,
        [
            ("customer", Some("greeting")),
            ("temperature", Some("inspection")),
            ("remark", Some("inspection")),
            ("next_visit", Some("done")),
            ("part", None)
        ]
    );
}

#[test]
fn one_bad_value_refuses_the_whole_call_with_all_problems() {
    let mut session = Session::new();
    session.answer("go");
    let refusal = session.decide(&set(&[("customer", "a\nb"), ("temperature", "201"), ("remark", "fine")])).unwrap_err();
    assert_eq!(refusal.place().as_deref(), Some("customer, temperature"));
    assert!(!format!("{refusal} {refusal:?}").contains("201"), "no value in a refusal");
    assert_eq!(session.verdict(set(&[])), "nothing_given");
    assert_eq!(session.verdict(set(&[("remark", "a"), ("remark", "b")])), "duplicate_fields");
    assert_eq!(session.verdict(set(&[("nothing", "a")])), "unknown_fields");
    assert_eq!(session.verdict(set(&[("part", "a"), ("remark", "b")])), "fields_not_on_path");
    assert_eq!(session.verdict(mark("temperature", Change::NotApplicable)), "field_problems");
}

#[test]
fn what_is_so_already_is_left_out() {
    let mut session = Session::inspected();
    assert_eq!(session.verdict(set(&[("temperature", "182.50")])), "unchanged");
    assert_eq!(session.verdict(set(&[("temperature", "182.5")])), "act", "other digits are another value");
    assert_eq!(session.verdict(mark("customer", Change::Clear)), "unchanged");
    let Ok(Decision::Act(Act::FieldsSet { values })) = session.decide(&set(&[("temperature", "182.50"), ("customer", "Ada")])) else {
        panic!("an act")
    };
    assert_eq!(values.iter().map(|value| value.field.as_str()).collect::<Vec<_>>(), ["customer"]);

    session.answer("fine");
    let visit_at = |text: &str| {
        let value = FieldValue::DateTime(text.parse().unwrap());
        mark("next_visit", Change::Set(value))
    };
    session.run(visit_at("2027-01-01T12:00:00+01:00"));
    assert_eq!(session.verdict(visit_at("2027-01-01T12:00:00+01:00")), "unchanged");
    assert_eq!(session.verdict(visit_at("2027-01-01T11:00:00Z")), "act", "the offset is part of the value");
}

#[test]
fn a_value_carries_the_time_of_the_act_that_set_it() {
    let mut session = Session::inspected();
    let first = session.state.values["temperature"].completed_at;
    assert_eq!(first, session.events[2].at);
    session.set("customer", "Ada");
    assert_eq!(session.state.values["temperature"].completed_at, first);
    session.run(mark("temperature", Change::Clear));
    assert!(!session.state.values.contains_key("temperature"));
}

#[test]
fn a_session_is_completed_on_an_end_section_with_nothing_missing_on_the_path() {
    let mut session = Session::inspected();
    assert_eq!(session.verdict(Command::Complete { visit: 2 }), "not_an_end_section");
    assert!(!session.view().can_complete);
    session.answer("fine").run(mark("temperature", Change::Clear));
    let seen = session.view();
    assert!(!seen.can_complete && seen.problems.is_empty());
    assert_eq!(codes(&seen.completion_problems), [("temperature", "required")]);
    assert_eq!(session.verdict(Command::Complete { visit: 3 }), "field_problems");

    session.set("temperature", "60");
    assert!(session.view().can_complete);
    assert_eq!(keys(&session.view().would_fire), ["arrived", "inspected", "finished"]);
    session.complete();
    let seen = session.view();
    assert_eq!((seen.state, seen.won, seen.finished_at), (SessionState::Completed, Some(true), session.events.last().map(|last| last.at)));
    assert!(seen.would_fire.is_empty() && seen.completion_problems.is_empty() && !seen.can_complete);
    assert_eq!(keys(&encountered(&session.workflow, &session.state)), ["arrived", "inspected", "finished"]);
    assert_eq!(session.verdict(set(&[("temperature", "61")])), "not_in_progress");
}

#[test]
fn completing_checks_every_stored_value_again() {
    let mut session = Session::inspected();
    session.answer("fine");
    session.state.values.get_mut("temperature").unwrap().state = FieldState::Provided(value("temperature", "900"));
    let Err(Refusal::Fields { problems }) = session.decide(&Command::Complete { visit: 3 }) else { panic!("problems") };
    assert_eq!(codes(&problems), [("temperature", "too_large")]);
}

#[test]
fn a_session_that_ends_outside_a_win_is_not_won() {
    let mut session = Session::inspected();
    session.answer("broken").set("part", "boiler").answer("give_up").complete();
    assert_eq!(session.state.won, Some(false));
}

#[test]
fn a_session_can_be_ended_from_anywhere_with_a_reason() {
    let mut session = Session::new();
    assert_eq!(session.verdict(Command::End { command_id: "e".into(), reason: " ".into() }), "blank");
    assert_eq!(session.verdict(Command::End { command_id: "".into(), reason: "x".into() }), "blank");
    session.run(end());
    assert_eq!(session.state.state, SessionState::Ended);
    assert_eq!((session.state.won, session.state.end_reason.as_deref()), (None, Some("nobody home")));
    assert_eq!(session.verdict(end()), "not_in_progress");
    assert_eq!(session.verdict(Command::Answer { visit: 1, answer: "go".into() }), "stale");
    assert_eq!(session.verdict(Command::Discard), "already_finished");
    assert_eq!(submission(&session.workflow, &session.state).completed_at, session.events[1].at, "its end");
}

#[test]
fn a_discarded_session_takes_nothing_more() {
    let mut session = Session::new();
    session.run(Command::Discard);
    assert_eq!(session.state.state, SessionState::Discarded);
    assert_eq!(session.verdict(Command::Discard), "stale");
    assert_eq!(session.verdict(note("too late")), "discarded");
    assert_eq!(session.verdict(edit(&[("customer", "Ada")], &[])), "not_finished");
    assert_eq!(session.verdict(end()), "not_in_progress");
}

#[test]
fn responses_are_logged_and_move_nothing() {
    let mut session = Session::new();
    let response = |key: &str| Command::UseResponse { command_id: "r".into(), response: key.into() };
    assert_eq!(session.verdict(response("nothing")), "unknown_response");
    let before = session.state.path.clone();
    session.run(response("price"));
    assert_eq!(session.state.path, before);
    session.run(end());
    assert_eq!(session.verdict(response("price")), "not_in_progress");
}

#[test]
fn notes_can_be_added_while_and_after_and_edited_after() {
    let mut session = Session::inspected();
    session.run(note("dog in the yard"));
    let noted = session.state.last_seq;
    assert_eq!(session.verdict(edit(&[], &[(noted, "no dog")])), "not_finished");
    session.answer("fine").complete().run(note("paid in cash"));
    assert_eq!(session.verdict(edit(&[], &[(99, "x")])), "unknown_note");
    assert_eq!(session.verdict(edit(&[], &[(noted, "")])), "blank");
    assert_eq!(session.verdict(edit(&[], &[(noted, "x"), (noted, "y")])), "duplicate_note");
    assert_eq!(session.verdict(edit(&[], &[(noted, "dog in the yard")])), "unchanged");
    assert_eq!(session.verdict(edit(&[], &[])), "nothing_given");
    session.run(edit(&[], &[(noted, "no dog")]));
    let Act::Edited { notes, .. } = &session.events.last().unwrap().act else { panic!("edited") };
    assert_eq!(*notes, [NoteEdit { note: noted, from: "dog in the yard".into(), to: "no dog".into() }]);
    assert_eq!((session.state.notes[0].text.as_str(), session.state.notes[0].edited), ("no dog", true));
    assert!(!session.state.notes[1].edited);
    assert_eq!(search_text(&session.workflow, &session.state), "no dog\npaid in cash");
}

#[test]
fn edits_keep_old_and_new_and_do_not_make_a_completed_session_incomplete() {
    let mut session = Session::inspected();
    session.set("customer", "Ada").answer("fine").complete();
    assert_eq!(session.verdict(edit(&[("temperature", "900")], &[])), "field_problems");
    assert_eq!(session.verdict(edit(&[("part", "valve")], &[])), "fields_not_on_path");
    let clear = |field: &str| Command::Edit {
        command_id: "d".into(),
        fields: vec![FieldChange { field: field.into(), change: Change::Clear }],
        notes: vec![],
    };
    assert_eq!(session.verdict(clear("temperature")), "field_problems");
    assert_eq!(session.verdict(clear("customer")), "act");
    session.run(edit(&[("temperature", "61.0"), ("customer", "Ada")], &[]));
    let Act::Edited { fields, .. } = &session.events.last().unwrap().act else { panic!("edited") };
    let provided = |text: &str| FieldState::Provided(value("temperature", text));
    assert_eq!(*fields, [FieldEdit { field: "temperature".into(), from: provided("182.50"), to: provided("61.0") }]);
    assert_eq!(session.state.values["temperature"].completed_at, session.events.last().unwrap().at);

    let mut ended = Session::inspected();
    ended.run(end());
    assert_eq!(ended.verdict(clear("temperature")), "act", "an ended session never was complete");
}

#[test]
fn an_edit_of_a_prefilled_value_makes_it_the_technicians() {
    let mut session = Session::started(vec![Prefill { field: "customer".into(), value: value("customer", "Ada"), source: "crm".into() }]);
    assert_eq!(session.verdict(set(&[("customer", "Ada")])), "unchanged");
    session.run(end()).run(edit(&[("customer", "Grace")], &[]));
    assert_eq!(session.state.values["customer"].source, ValueSource::Technician);
}

#[test]
fn the_record_tells_every_act_in_order_with_its_names() {
    let mut session = Session::inspected();
    session.answer("broken");
    session.run(Command::UseResponse { command_id: "r".into(), response: "price".into() });
    session.back_to(2).answer("fine").complete();
    let told = record(&session.workflow, &session.state, &session.events, vec![]);
    let lines: Vec<String> = told
        .timeline
        .iter()
        .map(|item| match &item.entry {
            TimelineEntry::Started { section_name, .. } => format!("in {section_name}"),
            TimelineEntry::FieldsSet { fields } => fields.iter().map(|field| field.field_name.as_str()).collect(),
            TimelineEntry::Answered { section_name, answer_name, next_section_name, superseded, .. } => {
                format!("{section_name}: {answer_name} > {next_section_name}{}", if *superseded { " (superseded)" } else { "" })
            }
            TimelineEntry::WentBack { next_visit, section_name } => format!("back to {section_name} as {next_visit}"),
            TimelineEntry::ResponseUsed { response_name, section_name, .. } => format!("{response_name} in {section_name}"),
            TimelineEntry::Completed { section_name, won } => format!("completed in {section_name}: {won}"),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        lines,
        [
            "in Greeting",
            "Greeting: Let us begin > Inspection",
            "Temperature",
            "Remark",
            "Inspection: Needs repair > Repair (superseded)",
            "Too dear in Repair",
            "back to Inspection as 4",
            "Inspection: All is fine > Done",
            "completed in Done: true",
        ]
    );
    assert_eq!(told.path[1].answer_name.as_deref(), Some("All is fine"));
    assert_eq!(told.timeline[3].utc_offset, 3600);
}

#[test]
fn the_view_shows_drafts_beside_what_is_held() {
    let session = Session::inspected();
    let drafts = BTreeMap::from([("customer".to_owned(), "Ad".to_owned())]);
    let seen = view(&session.workflow, &session.state, &drafts);
    let fields: Vec<_> = seen.fields.iter().map(|field| (field.definition.key.as_str(), field.draft.as_deref())).collect();
    assert_eq!(fields, [("temperature", None), ("customer", Some("Ad")), ("remark", None)]);
    assert_eq!(seen.section.name, "Inspection");
    assert_eq!(seen.answers.len(), 2);
    assert_eq!(seen.responses.len(), 1);
}

#[test]
fn a_stored_event_that_does_not_fit_is_passed_over() {
    let mut state = Session::new().state;
    let next = |next_visit| (next_visit, "gone".to_owned());
    for (seq, act) in [
        Act::Answered { visit: 9, answer: "x".into(), next_visit: next(10).0, next_section: next(10).1 },
        Act::WentBack { visit: 10, to_visit: 77, next_visit: next(11).0, next_section: next(11).1 },
        Act::Edited { fields: vec![], notes: vec![NoteEdit { note: 5, from: String::new(), to: "x".into() }] },
        Act::Abandoned { action: "x".into(), reason: "y".into() },
    ]
    .into_iter()
    .enumerate()
    {
        apply(&mut state, &event(seq as u32 + 2, act));
    }
    assert_eq!(state.last_visit, 11);
    let session = Session::new();
    assert_eq!(view(&session.workflow, &state, &BTreeMap::new()).section.name, "gone", "a section the document lacks shows its key");
    assert_eq!(decide(&session.workflow, &state, &Command::Complete { visit: 11 }).unwrap_err().code(), "broken_workflow");
    assert_eq!(replay(state.key, &session.workflow, &[]), None);
}
