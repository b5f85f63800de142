//! Many sessions and many versions of a workflow, for long, to every end.

use super::*;

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

/// Two threads of one handle, then two handles as two processes have.
#[test]
fn two_who_complete_a_session_at_once_freeze_its_messages_once() {
    let app = App::new();
    let other = Compass::open(app.options().as_other_process()).unwrap();
    for second in [&app.compass, &other] {
        for _ in 0..10 {
            let end = app.at_the_end();
            let together = Barrier::new(2);
            let completes = |compass: &Compass| {
                together.wait();
                compass.complete(end.key, end.visit).unwrap()
            };
            let outcomes = std::thread::scope(|scope| {
                let both = [&app.compass, second].map(|compass| scope.spawn(|| completes(compass)));
                both.map(|one| one.join().unwrap())
            });
            assert!(outcomes.iter().all(|outcome| outcome.view.state == SessionState::Completed));
            let mut applied = outcomes.map(|outcome| outcome.applied);
            applied.sort_by_key(|applied| *applied != Applied::Yes);
            assert_eq!(applied, [Applied::Yes, Applied::Stale], "one completes, the other finds it completed");
            let record = app.record(end.key);
            assert_eq!(record.actions.len(), 3);
            assert!(record.actions.iter().all(|action| action.deliveries.len() == 1));
        }
    }
    assert_eq!(app.compass.outbox_totals().unwrap().pending, 60);
    assert_eq!(app.count("SELECT count(*) FROM outbox"), 60);
    assert_eq!(app.deliver().sent, 60);
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
    let action = ActionDefinition::send_message("tell-safety", "Tell safety", "safety");
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
    let typed = typed.iter().filter_map(|typed| match compass_core::parse_value(field, typed, clock) {
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
