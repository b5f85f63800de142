//! Starting: which version, which refusals, prefill, repeated commands.

use super::*;

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
    let imported = app.compass.import_workflow(&unlinked(1)).unwrap();
    assert!(imported.imported && !imported.workflow.startable && imported.workflow.current);
    assert_eq!(imported.workflow.worst, Some(Severity::Incomplete));
    let Err(Error::NotStartable { workflow, findings }) = app.compass.start(&Start::new("pump-check", id())) else { panic!("it started") };
    assert_eq!(workflow.version, 1);
    assert!(
        findings.iter().any(|finding| finding.severity == Severity::Incomplete && finding.pointer.starts_with("/sections/0/answers/2"))
    );
    assert_eq!(app.count("SELECT count(*) FROM session"), 0);
}

/// The workflow with an answer that leads nowhere yet.
fn unlinked(version: u32) -> Vec<u8> {
    pump_check_with(version, |document| {
        document["sections"][0]["answers"][2].as_object_mut().expect("an answer").remove("next");
    })
}

#[test]
fn a_version_that_cannot_be_started_hides_no_older_one() {
    let app = App::new();
    app.compass.import_workflow(&pump_check(2)).unwrap();
    let three = app.compass.import_workflow(&unlinked(3)).unwrap().workflow;
    assert!(!three.current && !three.startable);
    assert_eq!(app.start().workflow.version, 2);
    assert_eq!(app.compass.workflow("pump-check", None).unwrap().version, 2);
    assert_eq!(code(app.compass.start(&start_on(3))), "not_startable");
    let listed: Vec<_> = app
        .compass
        .workflows()
        .unwrap()
        .into_iter()
        .map(|one| (one.workflow.version, one.current, one.worst == Some(Severity::Incomplete)))
        .collect();
    assert_eq!(listed, [(3, false, true), (2, true, false), (1, false, false)], "the newest is listed first, with its findings");

    let version = |version| WorkflowVersion { version, local_revision: 0 };
    app.compass.retire_workflow("pump-check", version(2), true).unwrap();
    assert_eq!(app.start().workflow.version, 1);
    app.compass.retire_workflow("pump-check", version(1), true).unwrap();
    let Err(Error::NotStartable { workflow, .. }) = app.compass.start(&Start::new("pump-check", id())) else { panic!("it started") };
    assert_eq!(workflow.version, 3, "where none can be started, the newest says why");
    assert!(app.compass.workflows().unwrap()[0].current);
}

#[test]
fn a_version_that_no_session_uses_can_be_forgotten() {
    let mut app = App::new();
    let version = |version| WorkflowVersion { version, local_revision: 0 };
    app.compass.import_workflow(&pump_check(2)).unwrap();
    assert_eq!(code(app.compass.forget_workflow("pump-check", version(3))), "unknown_workflow");
    let session = app.completed();
    let Err(Error::WorkflowInUse { workflow, sessions }) = app.compass.forget_workflow("pump-check", version(2)) else {
        panic!("forgotten")
    };
    assert_eq!((workflow.version, sessions), (2, 1));
    app.compass.forget_workflow("pump-check", version(1)).unwrap();
    assert_eq!(app.compass.workflows().unwrap().len(), 1);
    assert_eq!(code(app.compass.forget_workflow("pump-check", version(1))), "unknown_workflow");

    app.deliver();
    app.compass.delete(session).unwrap();
    app.compass.forget_workflow("pump-check", version(2)).unwrap();
    assert_eq!(code(app.compass.start(&Start::new("pump-check", id()))), "unknown_workflow");
    app.reopen();
    assert!(app.compass.workflows().unwrap().is_empty());
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn what_takes_the_place_of_a_forgotten_version_is_what_sessions_run_on() {
    let app = App::new();
    let one = WorkflowVersion { version: 1, local_revision: 0 };
    let before = app.start().key;
    app.compass.discard(before).unwrap();
    app.compass.delete(before).unwrap();
    let other = pump_check_with(1, |document| document["sections"][0]["content"] = "Find the other pump.".into());
    assert_eq!(code(app.compass.import_workflow(&other)), "workflow_conflict");
    app.compass.forget_workflow("pump-check", one).unwrap();
    app.compass.import_workflow(&other).unwrap();
    // The row may be the same one; what this handle knew of it is not.
    assert_eq!(app.start().section.content, "Find the other pump.");
    assert_eq!(app.faults(), [""; 0]);
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
    assert_eq!(code(app.compass.run(session, None, &[twice.clone(), twice], None)), "command_id_reused");
    assert_eq!(code(app.compass.note(session, "hello", "  ")), "blank");
}

#[test]
fn setting_a_prefilled_value_as_it_is_confirms_it_once() {
    let app = App::new();
    let prefill = |field: &str, value: &str| Prefill { field: field.into(), value: text(value), source: "office".into() };
    let start = Start { prefill: vec![prefill("site", "Mill Lane"), prefill("remark", "Ring first")], ..Start::new("pump-check", id()) };
    let started = app.compass.start(&start).unwrap().view;
    let session = started.key;
    app.tick();
    let confirmed = app.set(session, "site", "Mill Lane").fields;
    assert_eq!((confirmed[0].source.clone(), confirmed[0].completed_at), (Some(ValueSource::Technician), Some(app.now())));
    assert_eq!(confirmed[1].source, Some(ValueSource::Prefill("office".into())), "of the others nothing was said");
    let timeline = app.record(session).timeline;
    assert!(matches!(&timeline[1].entry, TimelineEntry::FieldsSet { fields } if fields.len() == 1 && fields[0].field == "site"));

    app.tick();
    assert_eq!(app.set(session, "site", "Mill Lane").fields[0].completed_at, confirmed[0].completed_at, "once");
    app.answer(session, "on");
    app.answer(session, "fine");
    app.finish(session);
    let same = vec![set("remark", text("Ring first"))];
    let edited = app.compass.edit(session, Some("Max"), None, same, vec![], &id()).unwrap().record;
    assert_eq!(edited.timeline.len(), timeline.len() + 3, "an edit confirms nothing");
    let remark = edited.fields.iter().find(|field| field.definition.key == "remark").unwrap();
    assert_eq!(remark.source, Some(ValueSource::Prefill("office".into())));
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn what_is_given_at_a_start_is_bounded_and_clean() {
    let app = App::new();
    let prefill = |field: &str, value: FieldValue, source: String| {
        let mut start = Start::new("pump-check", id());
        start.prefill = vec![Prefill { field: field.to_owned(), value, source }];
        code(app.compass.start(&start))
    };
    let mut taken = Vec::new();
    for (what, source) in [
        ("huge", "s".repeat(1_000_000)),
        ("control", "work\u{7}order".to_owned()),
        ("override", "work\u{202e}order".to_owned()),
        ("nul", "work\0order".to_owned()),
        ("empty", String::new()),
    ] {
        let told = prefill("site", text("Mill Lane"), source);
        if told == "fine" {
            taken.push(format!("source {what}"));
        }
    }
    for (what, value) in [
        ("two lines", "Mill\nLane"),
        ("carriage return", "Mill\rLane"),
        ("nul", "Mill\0"),
        ("override", "a\u{202e}b"),
        ("line separator", "a\u{2028}b"),
    ] {
        if prefill("site", text(value), "order".to_owned()) == "fine" {
            taken.push(format!("value {what}"));
        }
        let session = app.start().key;
        if code(app.compass.set_field(session, "site", text(value))) == "fine" {
            taken.push(format!("set {what}"));
        }
        let mut start = Start::new("pump-check", id());
        start.actor = Some(value.to_owned());
        if code(app.compass.start(&start)) == "fine" {
            taken.push(format!("actor {what}"));
        }
        if code(app.compass.end(session, value, &id())) == "fine" && !matches!(what, "two lines" | "carriage return") {
            taken.push(format!("reason {what}"));
        }
        let session = app.start().key;
        if code(app.compass.note(session, value, &id())) == "fine" && !matches!(what, "two lines" | "carriage return") {
            taken.push(format!("note {what}"));
        }
        if code(app.compass.note(session, "loud", value)) == "fine" {
            taken.push(format!("command id {what}"));
        }
    }
    assert_eq!(taken, [""; 0]);
    assert_eq!(app.faults(), [""; 0]);
}
