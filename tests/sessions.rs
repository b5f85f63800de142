//! Running sessions through the handle: starting, moving, changing one's mind, and finding everything again after the app was closed.

mod support;

use std::collections::BTreeMap;

use compass_core::engine::document::{add_action, remove_action};
use compass_core::model::*;
use compass_core::{Compass, Error};
use support::app::{App, code, id, pump_check, pump_check_with, set, text};
use support::workflows::good_values;

fn start_on(version: u32) -> Start {
    Start { version: Some(WorkflowVersion { version, local_revision: 0 }), ..Start::new("pump-check", id()) }
}

// Starting ----------------------------------------------------------------------------------------------------------------------------

#[test]
fn a_session_starts_on_the_newest_version_unless_another_is_named() {
    let app = App::new();
    app.compass.import_workflow(&pump_check(3)).unwrap();
    app.compass.import_workflow(&pump_check(2)).unwrap();
    assert_eq!(app.start().workflow.version, 3);
    let named = app.compass.start(&start_on(2)).unwrap().view;
    assert_eq!(named.workflow.version, 2);
    assert_eq!(code(app.compass.start(&start_on(9))), "unknown_workflow");
    assert_eq!(code(app.compass.start(&Start::new("nothing", id()))), "unknown_workflow");
}

#[test]
fn a_retired_version_is_started_only_when_it_is_named() {
    let app = App::new();
    app.compass.import_workflow(&pump_check(2)).unwrap();
    let two = WorkflowVersion { version: 2, local_revision: 0 };
    app.compass.retire_workflow("pump-check", two, true).unwrap();
    assert_eq!(app.start().workflow.version, 1);
    assert_eq!(app.compass.start(&start_on(2)).unwrap().view.workflow.version, 2);
    app.compass.retire_workflow("pump-check", WorkflowVersion { version: 1, local_revision: 0 }, true).unwrap();
    assert_eq!(code(app.compass.start(&Start::new("pump-check", id()))), "unknown_workflow");
    app.compass.retire_workflow("pump-check", two, false).unwrap();
    assert_eq!(app.start().workflow.version, 2);
    let nine = WorkflowVersion { version: 9, local_revision: 0 };
    assert_eq!(code(app.compass.retire_workflow("pump-check", nine, true)), "unknown_workflow");
}

#[test]
fn an_incomplete_workflow_is_listed_and_refused_with_its_findings() {
    let app = App::bare();
    let document = pump_check_with(1, |document| {
        document["sections"][0]["answers"][2].as_object_mut().unwrap().remove("next");
    });
    let imported = app.compass.import_workflow(&document).unwrap();
    assert!(imported.imported && !imported.workflow.startable && imported.workflow.current);
    assert_eq!(imported.workflow.worst, Some(Severity::Incomplete));
    let Err(Error::NotStartable { workflow, findings }) = app.compass.start(&Start::new("pump-check", id())) else { panic!("it started") };
    assert_eq!(workflow.version, 1);
    assert!(
        findings.iter().any(|finding| finding.severity == Severity::Incomplete && finding.pointer.starts_with("/sections/0/answers/2"))
    );
    assert_eq!(app.count("SELECT count(*) FROM session"), 0);
}

#[test]
fn a_document_with_errors_is_refused_with_all_of_them() {
    let app = App::bare();
    let document = pump_check_with(1, |document| {
        document["sections"][0]["fields"][0] = "nowhere".into();
        document["sections"][1]["answers"][0]["next"] = "nowhere".into();
    });
    let Err(Error::InvalidWorkflow { findings }) = app.compass.import_workflow(&document) else { panic!("it was imported") };
    assert!(findings.iter().filter(|finding| finding.severity == Severity::Error).count() >= 2, "{findings:?}");
    assert_eq!(code(app.compass.import_workflow(b"not a document")), "invalid_workflow");
    assert!(app.compass.workflows().unwrap().is_empty());
}

#[test]
fn prefill_counts_as_a_value_with_its_source_until_the_technician_changes_it() {
    let app = App::new();
    let prefill = |field: &str, value: FieldValue| Prefill { field: field.into(), value, source: "work-order".into() };
    let start = Start {
        prefill: vec![prefill("site", text("Mill Lane")), prefill("order_no", text("W-77")), prefill("tag", text(""))],
        actor: Some("Mia".into()),
        ..Start::new("pump-check", id())
    };
    let view = app.compass.start(&start).unwrap().view;
    assert_eq!(view.actor.as_deref(), Some("Mia"));
    let site = &view.fields[0];
    assert_eq!(site.state, FieldState::Provided(text("Mill Lane")));
    assert_eq!(site.source, Some(ValueSource::Prefill("work-order".into())));
    assert_eq!(site.completed_at, Some(view.started_at));
    assert!(view.problems.is_empty(), "the prefilled field is no longer missing");

    app.tick();
    let site = app.set(view.key, "site", "Mill Road").fields.remove(0);
    assert_eq!((site.source, site.completed_at.unwrap() > view.started_at), (Some(ValueSource::Technician), true));

    let record = app.record(view.key);
    let order = record.fields.iter().find(|field| field.definition.key == "order_no").expect("a field that no section asks for");
    assert_eq!((order.section.clone(), order.state.clone()), (None, FieldState::Provided(text("W-77"))));
    let TimelineEntry::Started { prefilled, .. } = &record.timeline[0].entry else { panic!("begins with the start") };
    assert_eq!(prefilled.len(), 3);
}

#[test]
fn an_invalid_prefill_refuses_the_start_with_every_problem() {
    let app = App::new();
    let prefill = |field: &str, value: FieldValue| Prefill { field: field.into(), value, source: "work-order".into() };
    let bad =
        vec![prefill("site", text("two\nlines")), prefill("depth", FieldValue::Decimal(Decimal("900".into()))), prefill("tag", text("T1"))];
    let Err(error) = app.compass.start(&Start { prefill: bad, ..Start::new("pump-check", id()) }) else { panic!("it started") };
    let named: Vec<&str> = error.problems().iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(named, ["site", "depth"]);
    let unknown = Start { prefill: vec![prefill("colour", text("red"))], ..Start::new("pump-check", id()) };
    assert_eq!(code(app.compass.start(&unknown)), "unknown_fields");
    assert_eq!(app.count("SELECT count(*) FROM session"), 0);
}

#[test]
fn a_start_that_is_repeated_gives_the_session_it_started() {
    let mut app = App::new();
    let start = Start { actor: Some("Mia".into()), ..Start::new("pump-check", id()) };
    let first = app.compass.start(&start).unwrap();
    assert_eq!(first.applied, Applied::Yes);
    app.set(first.view.key, "site", "Mill Lane");
    app.compass.import_workflow(&pump_check(2)).unwrap();
    app.reopen();
    let again = app.compass.start(&start).unwrap();
    assert_eq!((again.applied, again.view), (Applied::Repeated, app.view(first.view.key)));
    assert_eq!(app.count("SELECT count(*) FROM session"), 1);
}

#[test]
fn a_command_id_stands_for_one_command_alone() {
    let app = App::new();
    let start = Start::new("pump-check", "the-id");
    let session = app.compass.start(&start).unwrap().view.key;
    let other = app.start().key;
    let otherwise = Start { actor: Some("Max".into()), ..start.clone() };
    assert_eq!(code(app.compass.start(&otherwise)), "command_id_reused");
    assert_eq!(code(app.compass.note(session, "hello", "the-id")), "command_id_reused");

    assert_eq!(app.compass.note(session, "hello", "a-note").unwrap().applied, Applied::Yes);
    assert_eq!(app.compass.note(session, "hello", "a-note").unwrap().applied, Applied::Repeated);
    assert_eq!(code(app.compass.note(session, "hello you", "a-note")), "command_id_reused");
    assert_eq!(code(app.compass.note(other, "hello", "a-note")), "command_id_reused");
    assert_eq!(app.view(session).notes.len(), 1);
    let twice = Command::Note { command_id: "twice".into(), text: "hello".into() };
    assert_eq!(code(app.compass.run(session, None, &[twice.clone(), twice])), "command_id_reused");
    assert_eq!(code(app.compass.note(session, "hello", "  ")), "blank");
}

// Moving ------------------------------------------------------------------------------------------------------------------------------

#[test]
fn a_double_tap_changes_nothing_and_says_so() {
    let app = App::new();
    let session = app.start().key;
    app.set(session, "site", "Mill Lane");
    let first = app.compass.answer(session, 1, "again").unwrap();
    assert_eq!((first.applied, first.view.visit), (Applied::Yes, 2));
    let second = app.compass.answer(session, 1, "again").unwrap();
    assert_eq!((second.applied, &second.view), (Applied::Stale, &first.view));
    assert_eq!(app.compass.answer(session, 1, "leave").unwrap().applied, Applied::Stale);
    assert_eq!(app.compass.back(session, 1, 1).unwrap().applied, Applied::Stale);
    assert_eq!(app.compass.complete(session, 1).unwrap().applied, Applied::Stale);
    assert_eq!(code(app.compass.answer(session, 3, "again")), "unknown_visit");
    assert_eq!(app.view(session), first.view);
    assert_eq!(app.count("SELECT count(*) FROM event"), 3);
}

#[test]
fn an_answer_needs_the_required_fields_of_its_section() {
    let app = App::new();
    let session = app.start().key;
    let Err(error) = app.compass.answer(session, 1, "on") else { panic!("it moved") };
    assert_eq!((error.code(), error.place().as_deref()), ("field_problems", Some("site")));
    assert_eq!(error.problems()[0].code, "required");
    assert_eq!(code(app.compass.answer(session, 1, "nowhere")), "unknown_answer");
    assert_eq!(app.view(session).problems, error.problems());
    app.set(session, "site", "Mill Lane");
    assert_eq!(app.answer(session, "on").section.key, "pump");
}

#[test]
fn going_back_supersedes_and_keeps_the_values() {
    let mut app = App::new();
    let session = app.start().key;
    app.set(session, "site", "Mill Lane");
    app.answer(session, "on");
    app.set(session, "page1", "wet");
    app.answer(session, "broken");
    let back = app.compass.back(session, 3, 2).unwrap();
    assert_eq!(back.applied, Applied::Yes);
    assert_eq!((back.view.visit, back.view.section.key.as_str()), (4, "pump"));
    assert_eq!(back.view.path.iter().map(|step| step.visit).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(back.view.fields[1].state, FieldState::Provided(text("wet")));
    assert_eq!(app.compass.back(session, 4, 3).unwrap().applied, Applied::Stale, "a superseded visit is not on the path");
    assert_eq!(code(app.compass.back(session, 4, 4)), "already_there");
    assert_eq!(code(app.compass.back(session, 4, 5)), "unknown_visit");
    app.reopen();
    assert_eq!(app.view(session), back.view);
    assert_eq!(app.answer(session, "fine").visit, 5, "a number is never used twice");
    let timeline = app.record(session).timeline;
    let superseded: Vec<bool> = timeline
        .iter()
        .filter_map(|item| if let TimelineEntry::Answered { superseded, .. } = item.entry { Some(superseded) } else { None })
        .collect();
    assert_eq!(superseded, [false, true, false]);
}

#[test]
fn several_changes_in_one_call_are_made_together_or_not_at_all() {
    let app = App::new();
    let session = app.start().key;
    let commands = [
        Command::SetFields { changes: vec![set("site", text("Mill Lane"))] },
        Command::Answer { visit: 1, answer: "on".into() },
        Command::Note { command_id: id(), text: "Came by boat".into() },
        Command::Answer { visit: 2, answer: "broken".into() },
        Command::Back { visit: 3, to_visit: 2 },
        Command::SetFields { changes: vec![set("depth", FieldValue::Decimal(Decimal("12.50".into())))] },
        Command::Answer { visit: 4, answer: "fine".into() },
        Command::Complete { visit: 5 },
    ];
    let before = app.view(session);
    let mut refused = commands.to_vec();
    refused[6] = Command::Answer { visit: 4, answer: "nowhere".into() };
    assert_eq!(code(app.compass.run(session, Some("Mia"), &refused)), "unknown_answer");
    assert_eq!(app.view(session), before);
    refused[6] = Command::Answer { visit: 3, answer: "left".into() };
    let stale = app.compass.run(session, Some("Mia"), &refused).unwrap();
    assert_eq!((stale.applied, &stale.view), (Applied::Stale, &before));
    assert_eq!(app.count("SELECT count(*) FROM event"), 1);

    let done = app.compass.run(session, Some("Mia"), &commands).unwrap();
    assert_eq!((done.applied, done.view.state, done.view.visit), (Applied::Yes, SessionState::Completed, 5));
    assert_eq!(done.view.path.iter().map(|step| step.section.as_str()).collect::<Vec<_>>(), ["yard", "pump", "done"]);
    assert_eq!(app.view(session), done.view);
    assert_eq!(
        app.record(session).actions.iter().map(|action| action.key.as_str()).collect::<Vec<_>>(),
        ["announce", "measured", "report"]
    );
    assert_eq!(app.faults(), [""; 0]);
    assert_eq!(app.compass.run(session, Some("Mia"), &commands[2..3]).unwrap().applied, Applied::Repeated);
}

#[test]
fn what_is_edited_in_the_call_that_completes_is_not_in_the_message() {
    let app = App::new();
    let session = app.at_the_end().key;
    let visit = app.view(session).visit;
    let edit = Command::Edit { command_id: id(), fields: vec![set("site", text("Elsewhere"))], notes: vec![] };
    app.compass.run(session, None, &[Command::Complete { visit }, edit]).unwrap();
    let delivery = app.action(session, "report").deliveries.remove(0);
    let body = app.compass.delivery_body(&delivery.id).unwrap().unwrap();
    assert!(body.contains("Mill Lane") && !body.contains("Elsewhere"));
    assert!(app.compass.preview(session, "report").unwrap().body.contains("Elsewhere"));
}

#[test]
fn one_invalid_value_refuses_the_whole_call_with_all_problems() {
    let app = App::new();
    let session = app.start().key;
    let changes = vec![set("site", text("Mill Lane")), set("remark", FieldValue::Boolean(true))];
    assert_eq!(code(app.compass.set_fields(session, changes)), "field_problems");
    assert_eq!(app.view(session).fields[0].state, FieldState::NotProvided);
    assert_eq!(code(app.compass.set_field(session, "depth", text("1"))), "fields_not_on_path");
    assert_eq!(code(app.compass.set_field(session, "colour", text("1"))), "unknown_fields");
    assert_eq!(code(app.compass.set_fields(session, vec![set("site", text("a")), set("site", text("b"))])), "duplicate_fields");
    assert_eq!(code(app.compass.set_fields(session, vec![])), "nothing_given");
}

#[test]
fn empty_not_applicable_and_not_provided_are_three_things() {
    let app = App::new();
    let session = app.start().key;
    app.set(session, "site", "Mill Lane");
    app.answer(session, "on");
    app.answer(session, "broken");
    let change = |change| vec![FieldChange { field: "tag".into(), change }];
    let mut seen = Vec::new();
    for to in [Change::Set(text("T-1")), Change::Set(text("")), Change::NotApplicable, Change::Clear] {
        let view = app.compass.set_fields(session, change(to)).unwrap().view;
        seen.push((view.fields[0].state.clone(), view.problems.is_empty()));
    }
    let expected = [
        (FieldState::Provided(text("T-1")), true),
        (FieldState::Empty, true),
        (FieldState::NotApplicable, true),
        (FieldState::NotProvided, false),
    ];
    assert_eq!(seen, expected);
}

// Drafts, notes, responses --------------------------------------------------------------------------------------------------------------

#[test]
fn half_typed_text_survives_and_goes_with_the_value() {
    let mut app = App::new();
    let session = app.start().key;
    let draft = |app: &App| app.view(session).fields[0].draft.clone();
    app.compass.save_draft(session, "site", "Mi").unwrap();
    app.compass.save_draft(session, "site", "Mill\u{0}").unwrap();
    app.reopen();
    assert_eq!(draft(&app).as_deref(), Some("Mill\u{0}"), "never validated");
    assert_eq!(app.view(session).problems.len(), 1, "never counted");
    app.set(session, "site", "Mill Lane");
    assert_eq!(draft(&app), None);

    app.compass.save_draft(session, "site", "Mill L").unwrap();
    app.set(session, "site", "Mill Lane");
    assert_eq!(draft(&app), None, "gone even when the value stays what it was");
    app.compass.save_draft(session, "site", "Mill L").unwrap();
    app.compass.set_fields(session, vec![FieldChange { field: "site".into(), change: Change::Clear }]).unwrap();
    assert_eq!(draft(&app), None);
    app.compass.save_draft(session, "site", "Mill L").unwrap();
    app.compass.save_draft(session, "site", "").unwrap();
    assert_eq!(draft(&app), None);

    assert_eq!(code(app.compass.save_draft(session, "colour", "red")), "unknown_fields");
    assert_eq!(code(app.compass.save_draft(session, "site", &"x".repeat(64 * 1024 + 1))), "invalid_argument");
    app.compass.save_draft(session, "site", "Mill L").unwrap();
    app.compass.end(session, "rain", &id()).unwrap();
    assert_eq!(draft(&app), None);
    assert_eq!(code(app.compass.save_draft(session, "site", "x")), "not_in_progress");
    assert_eq!(app.count("SELECT count(*) FROM event"), 4, "no draft is in the log");
}

#[test]
fn a_refused_value_keeps_the_draft() {
    let app = App::new();
    let session = app.start().key;
    app.compass.save_draft(session, "site", "two\nlines").unwrap();
    assert_eq!(code(app.compass.set_field(session, "site", text("two\nlines"))), "field_problems");
    assert_eq!(app.view(session).fields[0].draft.as_deref(), Some("two\nlines"));
}

#[test]
fn notes_and_responses_are_logged_and_move_nothing() {
    let app = App::new();
    let session = app.start().key;
    let note = Command::Note { command_id: id(), text: "Dog in the yard".into() };
    app.compass.run(session, Some("Mia"), &[note]).unwrap();
    let view = app.compass.use_response(session, "why", &id()).unwrap().view;
    assert_eq!((view.visit, view.notes.len(), view.notes[0].actor.as_deref()), (1, 1, Some("Mia")));
    assert_eq!(code(app.compass.use_response(session, "nothing", &id())), "unknown_response");
    assert_eq!(code(app.compass.note(session, "\n ", &id())), "blank");
    let timeline = app.record(session).timeline;
    assert!(matches!(&timeline[2].entry, TimelineEntry::ResponseUsed { response_name, section_name, .. }
        if response_name == "Why so often?" && section_name == "In the yard"));
    let repeated = "response";
    assert_eq!(app.compass.use_response(session, "why", repeated).unwrap().applied, Applied::Yes);
    assert_eq!(app.compass.use_response(session, "why", repeated).unwrap().applied, Applied::Repeated);
    app.compass.end(session, "rain", &id()).unwrap();
    assert_eq!(app.compass.note(session, "Came back for the ladder", &id()).unwrap().view.notes.len(), 2, "notes go on after the end");
    assert_eq!(code(app.compass.use_response(session, "why", &id())), "not_in_progress");
}

// Ends --------------------------------------------------------------------------------------------------------------------------------

#[test]
fn a_session_is_completed_on_an_end_section_only_and_won_there() {
    let app = App::new();
    let session = app.start().key;
    app.set(session, "site", "Mill Lane");
    assert_eq!(code(app.compass.complete(session, 1)), "not_an_end_section");
    app.answer(session, "on");
    let end = app.answer(session, "fine");
    assert!(end.can_complete && end.section.win && end.won.is_none());
    assert_eq!(end.would_fire.iter().map(|action| action.key.as_str()).collect::<Vec<_>>(), ["announce", "measured", "report"]);
    let done = app.finish(session);
    assert_eq!((done.state, done.won), (SessionState::Completed, Some(true)));
    assert_eq!(app.compass.complete(session, end.visit).unwrap().applied, Applied::Stale);
    assert_eq!(code(app.compass.end(session, "late", &id())), "not_in_progress");
    assert_eq!(code(app.compass.discard(session)), "already_finished");
    assert_eq!(code(app.compass.set_field(session, "site", text("x"))), "not_in_progress");

    let lost = app.start().key;
    app.set(lost, "site", "Mill Lane");
    app.answer(lost, "leave");
    assert_eq!(app.finish(lost).won, Some(false));
}

#[test]
fn completing_looks_at_the_whole_path_again() {
    let app = App::new();
    let session = app.at_the_end().key;
    app.compass.set_fields(session, vec![FieldChange { field: "site".into(), change: Change::Clear }]).unwrap();
    let view = app.view(session);
    assert!(!view.can_complete && view.problems.is_empty());
    assert_eq!(view.completion_problems[0].field, "site");
    assert_eq!(code(app.compass.complete(session, view.visit)), "field_problems");
    assert_eq!(app.view(session).state, SessionState::InProgress);
    assert_eq!(app.count("SELECT count(*) FROM action"), 0);
}

#[test]
fn a_session_is_ended_from_anywhere_with_a_reason() {
    let app = App::new();
    let session = app.start().key;
    assert_eq!(code(app.compass.end(session, " ", &id())), "blank");
    let command = id();
    let ended = app.compass.end(session, "nobody home", &command).unwrap();
    assert_eq!((ended.view.state, ended.view.won), (SessionState::Ended, None));
    assert_eq!(app.compass.end(session, "nobody home", &command).unwrap().applied, Applied::Repeated);
    assert_eq!(code(app.compass.end(session, "another reason", &command)), "command_id_reused");
    assert_eq!(app.record(session).end_reason.as_deref(), Some("nobody home"));
    assert_eq!(app.compass.answer(session, 1, "on").unwrap().applied, Applied::Stale);
}

#[test]
fn a_session_is_discarded_once_and_takes_nothing_more() {
    let app = App::new();
    let session = app.start().key;
    assert_eq!(app.compass.discard(session).unwrap().view.state, SessionState::Discarded);
    assert_eq!(app.compass.discard(session).unwrap().applied, Applied::Stale);
    assert_eq!(code(app.compass.note(session, "hello", &id())), "discarded");
    assert_eq!(code(app.compass.edit(session, None, vec![set("site", text("x"))], vec![], &id())), "not_finished");
    assert!(app.compass.sessions(&SessionFilter::default(), None, 10).unwrap().sessions.is_empty());
    assert_eq!(code(app.compass.session(SessionKey("0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11".parse().unwrap()))), "unknown_session");
}

// Many, and for long ------------------------------------------------------------------------------------------------------------------

#[test]
fn many_sessions_are_open_at_once_and_keep_out_of_each_others_way() {
    let mut app = App::new();
    let sessions: Vec<SessionKey> = (0..20).map(|_| app.start().key).collect();
    for (number, session) in sessions.iter().enumerate() {
        app.set(*session, "site", &format!("Site {number}"));
        app.compass.save_draft(*session, "remark", &format!("draft {number}")).unwrap();
        if number % 2 == 0 {
            app.answer(*session, "on");
        }
    }
    let before: Vec<SessionView> = sessions.iter().map(|session| app.view(*session)).collect();
    app.reopen();
    for (number, session) in sessions.iter().enumerate() {
        let view = app.view(*session);
        assert_eq!(view, before[number]);
        assert_eq!(view.section.key, if number % 2 == 0 { "pump" } else { "yard" });
    }
    let open = SessionFilter { states: vec![SessionState::InProgress], ..Default::default() };
    assert_eq!(app.compass.sessions(&open, None, 50).unwrap().sessions.len(), 20);
}

#[test]
fn threads_share_the_handle() {
    let app = App::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let session = app.completed();
                    assert_eq!(app.record(session).actions.len(), 3);
                }
            });
        }
    });
    assert_eq!(app.compass.totals().unwrap().sessions.completed, 20);
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn a_session_finishes_on_the_version_it_began_with() {
    let mut app = App::new();
    let session = app.start().key;
    app.set(session, "site", "Mill Lane");
    let newer = pump_check_with(2, |document| {
        document["sections"][1]["name"] = "At the new pump".into();
        document["sections"][1]["answers"] = serde_json::json!([{ "key": "gone", "name": "Gone", "next": "gate" }]);
        document["sections"][3] = serde_json::json!({ "key": "done", "name": "Done" });
        document["sections"][2] = serde_json::json!({ "key": "broken", "name": "Broken", "fields": ["tag"] });
    });
    app.compass.import_workflow(&newer).unwrap();
    app.reopen();
    let view = app.answer(session, "on");
    assert_eq!((view.workflow.version, view.section.name.as_str()), (1, "At the pump"));
    app.answer(session, "fine");
    assert_eq!(app.finish(session).won, Some(true));
    assert!(app.record(session).actions.iter().any(|action| action.key == "report"));
    assert_eq!(app.start().workflow.version, 2);
    assert_eq!(app.faults(), [""; 0]);
}

// Workflow versions -------------------------------------------------------------------------------------------------------------------

#[test]
fn importing_again_changes_nothing_and_other_content_is_a_conflict() {
    let app = App::new();
    let again = app.compass.import_workflow(&pump_check(1)).unwrap();
    assert!(!again.imported);
    let spaced: Vec<u8> = [b" ".as_slice(), &pump_check(1), b"\n"].concat();
    assert!(!app.compass.import_workflow(&spaced).unwrap().imported, "white space is not content");
    let other = pump_check_with(1, |document| document["name"] = "Another pump check".into());
    let Err(Error::WorkflowConflict { workflow }) = app.compass.import_workflow(&other) else { panic!("it was imported") };
    assert_eq!(workflow.version_label(), "1");
    assert_eq!(app.compass.workflows().unwrap().len(), 1);
    assert_eq!(app.compass.workflow_document("pump-check", None).unwrap(), pump_check(1), "byte for byte");
    assert_eq!(app.compass.workflow("pump-check", None).unwrap().name, "Pump check");
}

#[test]
fn a_local_revision_is_current_until_a_newer_version_is_published() {
    let app = App::new();
    let action = ActionDefinition {
        key: "tell-safety".into(),
        name: "Tell safety".into(),
        integration: Integration::Webhooks,
        kind: ActionKind::SendMessage,
        endpoint: "safety".into(),
    };
    let session = app.start().key;
    let document = app.compass.workflow_document("pump-check", None).unwrap();
    let authored = add_action(&document, "gate", &action).unwrap();
    let imported = app.compass.import_workflow(&authored.document).unwrap();
    assert_eq!((imported.workflow.workflow.version_label().as_str(), imported.workflow.current), ("1.1", true));
    let without = remove_action(&authored.document, "yard", "announce").unwrap();
    assert_eq!(app.compass.import_workflow(&without.document).unwrap().workflow.workflow.version_label(), "1.2");
    let current = app.start();
    assert_eq!((current.workflow.local_revision, current.would_fire.len()), (2, 0));
    assert_eq!(app.view(session).would_fire.len(), 1, "a session in progress keeps its own");

    app.compass.import_workflow(&pump_check(2)).unwrap();
    assert_eq!(app.start().workflow.version_label(), "2");
    let listed: Vec<(String, bool)> =
        app.compass.workflows().unwrap().into_iter().map(|summary| (summary.workflow.version_label(), summary.current)).collect();
    assert_eq!(listed, [("2".into(), true), ("1.2".into(), false), ("1.1".into(), false), ("1".into(), false)]);
    let warned = app.compass.lint_workflow(&authored.document).unwrap();
    assert!(warned.iter().any(|finding| finding.severity == Severity::Warning && finding.message.contains("safety")), "{warned:?}");
}

/// Takes the first way that leads on to each end, filling in what is asked, until every end of the workflow was reached.
fn every_end(compass: &Compass, workflow: &Workflow) -> BTreeMap<String, SessionState> {
    let mut ends = BTreeMap::new();
    // Which sections can be reached from where, by breadth: the answers that lead from the start to each section.
    let mut ways: BTreeMap<String, Vec<String>> = BTreeMap::from([(workflow.start.clone(), vec![])]);
    let mut queue = vec![workflow.start.clone()];
    while let Some(key) = queue.pop() {
        for answer in &workflow.section(&key).expect("a section").answers {
            let next = answer.next.clone().expect("complete");
            if !ways.contains_key(&next) {
                let way = [ways[&key].clone(), vec![answer.key.clone()]].concat();
                ways.insert(next.clone(), way);
                queue.insert(0, next);
            }
        }
    }
    for section in workflow.sections.iter().filter(|section| section.is_end()) {
        let mut view = compass.start(&Start::new(workflow.key.as_str(), id())).expect("starts").view;
        for answer in ways[&section.key].iter().map(Some).chain([None]) {
            for field in view.fields.clone() {
                view = set_any(compass, view.key, &field.definition);
            }
            if let Some(answer) = answer {
                view = compass.answer(view.key, view.visit, answer).expect("moves on").view;
            }
        }
        assert!(view.can_complete, "{}: {:?}", section.key, view.completion_problems);
        ends.insert(section.key.clone(), compass.complete(view.key, view.visit).expect("completes").view.state);
    }
    ends
}

/// Sets a field to a value that it takes. A field with a pattern or odd bounds has one in the list below.
fn set_any(compass: &Compass, session: SessionKey, field: &FieldDefinition) -> SessionView {
    let typed = [
        "E119",
        "AB123456",
        "12345678",
        "1EMH00123456",
        "+44 20 7946 0018",
        "name@example.com",
        "20.00",
        "5",
        "60",
        "2026-12-01",
        "Nothing to be seen from outside",
    ];
    let clock = "2026-12-01T09:30:00Z".parse().expect("a time");
    let typed = typed.iter().filter_map(|typed| match compass_core::engine::session::parse_value(field, typed, clock) {
        Ok(FieldState::Provided(value)) => Some(value),
        _ => None,
    });
    let options: Vec<String> = field.kind.options().iter().take(2).map(|option| option.key.clone()).collect();
    let chosen = options.first().map(|key| FieldValue::Choice(key.clone())).into_iter().chain([FieldValue::Choices(options.clone())]);
    let accepted = chosen
        .chain(typed)
        .chain(good_values(&field.kind))
        .chain(["image/png", "image/jpeg"].map(|media_type| {
            let (sha256, media_type, name) = ("ab".repeat(32), media_type.into(), "photo".into());
            FieldValue::File(FileManifest { sha256, media_type, size: 1_000, name })
        }))
        .find_map(|value| compass.set_field(session, &field.key, value).ok());
    accepted.unwrap_or_else(|| panic!("no value for {} ({})", field.key, field.kind.type_name())).view
}

#[test]
fn the_example_workflows_run_to_every_end() {
    let app = App::bare();
    app.compass.set_integration_enabled(true).unwrap();
    let mut files = 0;
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/workflows")).unwrap() {
        let document = std::fs::read(file.unwrap().path()).unwrap();
        let imported = app.compass.import_workflow(&document).unwrap();
        assert!(imported.workflow.startable);
        let workflow = app.compass.workflow(&imported.workflow.workflow.key, None).unwrap();
        let ends = every_end(&app.compass, &workflow);
        assert!(ends.values().all(|state| *state == SessionState::Completed) && ends.len() > 1, "{ends:?}");
        files += 1;
    }
    assert!(files >= 4);
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn a_session_is_the_same_after_every_step_when_the_app_is_closed_there() {
    let mut app = App::new();
    let session = app.start().key;
    type Step = fn(&App, SessionKey);
    let steps: [Step; 9] = [
        |app, session| drop(app.set(session, "site", "Mill Lane")),
        |app, session| app.compass.save_draft(session, "remark", "half").unwrap(),
        |app, session| drop(app.answer(session, "again")),
        |app, session| drop(app.compass.note(session, "hello", &id()).unwrap()),
        |app, session| drop(app.compass.back(session, 2, 1).unwrap()),
        |app, session| drop(app.compass.use_response(session, "dear", &id()).unwrap()),
        |app, session| drop(app.answer(session, "on")),
        |app, session| drop(app.answer(session, "fine")),
        |app, session| drop(app.finish(session)),
    ];
    for step in steps {
        app.tick();
        step(&app, session);
        let (view, record) = (app.view(session), app.record(session));
        app.reopen();
        assert_eq!((app.view(session), app.record(session)), (view, record));
    }
    assert_eq!(app.faults(), [""; 0]);
}
