//! Moving, values, drafts, notes and responses.

use super::*;

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
    assert_eq!(code(app.compass.run(session, Some("Mia"), &refused, None)), "unknown_answer");
    assert_eq!(app.view(session), before);
    refused[6] = Command::Answer { visit: 3, answer: "left".into() };
    let stale = app.compass.run(session, Some("Mia"), &refused, None).unwrap();
    assert_eq!((stale.applied, &SessionView { notes: vec![], ..stale.view.clone() }), (Applied::Stale, &before));
    assert_eq!(app.count("SELECT count(*) FROM event"), 2, "its note is kept");

    let done = app.compass.run(session, Some("Mia"), &commands, None).unwrap();
    assert_eq!((done.applied, done.view.state, done.view.visit), (Applied::Yes, SessionState::Completed, 5));
    assert_eq!(done.view.path.iter().map(|step| step.section.as_str()).collect::<Vec<_>>(), ["yard", "pump", "done"]);
    assert_eq!(app.view(session), done.view);
    assert_eq!(
        app.record(session).actions.iter().map(|action| action.key.as_str()).collect::<Vec<_>>(),
        ["announce", "measured", "report"]
    );
    assert_eq!(app.faults(), [""; 0]);
    assert_eq!(app.compass.run(session, Some("Mia"), &commands[2..3], None).unwrap().applied, Applied::Repeated);
}

#[test]
fn what_is_edited_in_the_call_that_completes_is_not_in_the_message() {
    let app = App::new();
    let session = app.at_the_end().key;
    let visit = app.view(session).visit;
    let edit = Command::Edit { command_id: id(), fields: vec![set("site", text("Elsewhere"))], notes: vec![], reason: None };
    app.compass.run(session, None, &[Command::Complete { visit }, edit], None).unwrap();
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
    assert_eq!(code(app.compass.save_draft(session, "site", &"x".repeat(256 * 1024 + 1))), "invalid_argument");
    app.compass.save_draft(session, "site", &"😀".repeat(30_000)).unwrap();
    assert_eq!(draft(&app).map(|draft| draft.len()), Some(120_000), "longer than any field takes");
    app.compass.save_draft(session, "site", "Mill L").unwrap();
    app.compass.end(session, "rain", &id()).unwrap();
    assert_eq!(draft(&app), None);
    assert_eq!(app.count("SELECT count(*) FROM event"), 4, "no draft is in the log");
}

#[test]
fn a_half_typed_note_survives_until_a_note_is_added() {
    let mut app = App::new();
    let session = app.start().key;
    assert_eq!(app.view(session).note_draft, None);
    app.compass.save_note_draft(session, "Dog in the").unwrap();
    app.compass.save_draft(session, "site", "Mi").unwrap();
    app.reopen();
    assert_eq!(app.view(session).note_draft.as_deref(), Some("Dog in the"));
    assert_eq!(code(app.compass.note(session, " ", &id())), "blank");
    assert!(app.view(session).note_draft.is_some(), "a refused note keeps it");
    let view = app.compass.note(session, "Dog in the yard", &id()).unwrap().view;
    assert_eq!((view.note_draft, view.fields[0].draft.as_deref()), (None, Some("Mi")), "those of fields stay");

    app.compass.save_note_draft(session, "Cat").unwrap();
    app.compass.save_note_draft(session, "").unwrap();
    assert_eq!(app.view(session).note_draft, None);
    assert_eq!(code(app.compass.save_note_draft(session, &"x".repeat(256 * 1024 + 1))), "invalid_argument");
    assert_eq!(code(app.compass.save_draft(session, "", "no field has this key")), "unknown_fields");
    app.compass.save_note_draft(session, "Cat").unwrap();
    app.compass.end(session, "rain", &id()).unwrap();
    assert_eq!(app.view(session).note_draft, None);
    assert_eq!(app.count("SELECT count(*) FROM draft"), 0);
}

#[test]
fn what_is_half_typed_in_a_record_survives_until_the_edit() {
    let mut app = App::new();
    let session = app.completed();
    let drafts = |app: &App| {
        let record = app.record(session);
        let site = record.fields.into_iter().find(|field| field.definition.key == "site").unwrap();
        (site.draft, record.note_draft)
    };
    let before = (app.record(session), app.count("SELECT count(*) FROM event"));
    assert_eq!(drafts(&app), (None, None));
    app.compass.save_draft(session, "site", "Mill").unwrap();
    app.compass.save_draft(session, "remark", "The fl").unwrap();
    app.compass.save_note_draft(session, "Paid in").unwrap();
    app.reopen();
    assert_eq!(drafts(&app), (Some("Mill".into()), Some("Paid in".into())));
    let mut after = (app.record(session), app.count("SELECT count(*) FROM event"));
    after.0.note_draft = None;
    after.0.fields.iter_mut().for_each(|field| field.draft = None);
    assert_eq!(after, before, "nothing else has changed");

    let change = |value: &str| vec![FieldChange { field: "site".into(), change: Change::Set(text(value)) }];
    assert_eq!(code(app.compass.edit(session, None, None, change("two\nlines"), vec![], &id())), "field_problems");
    assert_eq!(drafts(&app).0.as_deref(), Some("Mill"), "a refused edit keeps it");
    let record = app.compass.edit(session, None, None, change("Mill Street"), vec![], &id()).unwrap().record;
    assert_eq!(drafts(&app), (None, Some("Paid in".into())));
    assert!(record.fields.iter().any(|field| field.draft.as_deref() == Some("The fl")), "that of another field stays");
    app.compass.note(session, "Paid in cash", &id()).unwrap();
    assert_eq!(drafts(&app), (None, None));
    assert_eq!(app.compass.check().unwrap().faults, [""; 0]);

    let discarded = app.start().key;
    app.compass.discard(discarded).unwrap();
    assert_eq!(code(app.compass.save_draft(discarded, "site", "x")), "discarded");
    assert_eq!(code(app.compass.save_note_draft(discarded, "x")), "discarded");
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
    app.compass.run(session, Some("Mia"), &[note], None).unwrap();
    let view = app.compass.use_response(session, "why", &id()).unwrap().view;
    assert_eq!((view.visit, view.notes.len(), view.notes[0].actor.as_deref()), (1, 1, Some("Mia")));
    assert_eq!(code(app.compass.use_response(session, "nothing", &id())), "unknown_response");
    assert_eq!(code(app.compass.note(session, "\n ", &id())), "blank");
    let timeline = app.record(session).timeline;
    assert!(matches!(&timeline[2].entry, TimelineEntry::ResponseUsed { response_name, kind, section_name, .. }
        if response_name == "Why so often?" && *kind == ResponseKind::CustomerQuestion && section_name == "In the yard"));
    let repeated = "response";
    assert_eq!(app.compass.use_response(session, "why", repeated).unwrap().applied, Applied::Yes);
    assert_eq!(app.compass.use_response(session, "why", repeated).unwrap().applied, Applied::Repeated);
    app.compass.end(session, "rain", &id()).unwrap();
    assert_eq!(app.compass.note(session, "Came back for the ladder", &id()).unwrap().view.notes.len(), 2, "notes go on after the end");
    assert_eq!(code(app.compass.use_response(session, "why", &id())), "not_in_progress");
}
