//! Views and records.

use super::*;

#[test]
fn the_record_shows_every_act_in_order_with_its_names() {
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
    let drafts = SortedMap::from_iter([("customer".to_owned(), "Ad".to_owned())]);
    let seen = view(&session.workflow, &session.state, &drafts);
    let fields: Vec<_> = seen.fields.iter().map(|field| (field.definition.key.as_str(), field.draft.as_deref())).collect();
    assert_eq!(fields, [("temperature", None), ("customer", Some("Ad")), ("remark", None)]);
    assert_eq!(seen.section.name, "Inspection");
    assert_eq!(seen.answers.len(), 2);
    assert_eq!(seen.responses.len(), 1);
}

#[test]
fn a_problem_says_which_visit_asks_the_field() {
    let problems = |session: &Session, command: Command| match session.decide(&command) {
        Err(Refusal::Fields { problems }) => problems,
        other => panic!("{command:?} gave {other:?}"),
    };
    let clear = |session: &mut Session| _ = session.run(mark("temperature", Change::Clear));
    let inspection = |visit| [("temperature", Some(visit), Some("inspection"))];

    // At the section that asks it.
    let mut session = Session::inspected();
    clear(&mut session);
    let seen = session.view();
    assert_eq!(places(&seen.problems), inspection(2));
    assert_eq!(seen.problems, seen.completion_problems);
    assert_eq!(seen.fields[0].problem.as_ref(), seen.problems.first());
    assert_eq!(problems(&session, Command::Answer { visit: 2, answer: "fine".into() }), seen.problems);
    let refused = problems(&session, set(&[("temperature", "900"), ("customer", "a\nb")]));
    let customer = ("customer", Some(2), Some("inspection"));
    assert_eq!(places(&refused), [inspection(2)[0], customer], "the latest of the two sections that ask for the customer");

    // From a later one, by the visit that is not superseded.
    session.set("temperature", "60").answer("broken").set("part", "valve").answer("again").answer("fine");
    clear(&mut session);
    assert_eq!((session.view().problems.len(), session.state.current().number), (0, 5));
    assert_eq!(places(&session.view().completion_problems), inspection(4));
    assert_eq!(problems(&session, Command::Complete { visit: 5 }), session.view().completion_problems);
    session.back_to(2).set("temperature", "60").answer("fine");
    clear(&mut session);
    assert_eq!(places(&session.view().completion_problems), inspection(6));

    // And of a record.
    session.set("temperature", "60").complete();
    assert_eq!(places(&problems(&session, edit(&[("temperature", "900")], &[]))), inspection(6));
    let cleared = vec![FieldChange { field: "temperature".into(), change: Change::Clear }];
    let clearing = Command::Edit { command_id: "d".into(), fields: cleared, notes: vec![], reason: None };
    assert_eq!(places(&problems(&session, clearing)), inspection(6));
}

/// A session at the end of a way through this many sections, each with fields, answers and actions of its own.
fn long_way(sections: usize) -> (IndexedWorkflow, State) {
    let keys = |name: &str, section: usize| (0..5).map(|i| format!("{name}{section}-{i}")).collect::<Vec<_>>();
    let mut fields = Vec::new();
    let mut steps: Vec<_> = (0..sections)
        .map(|section| {
            let own = keys("f", section);
            fields.extend(own.iter().map(|key| json!({ "key": key, "name": "Field", "type": "text", "required": true })));
            let next = format!("s{}", section + 1);
            let answers: Vec<_> = keys("a", section).iter().map(|key| json!({ "key": key, "name": "On", "next": next })).collect();
            let action = |key: &String| json!({ "key": key, "name": "Tell", "integration": "webhooks", "kind": "send_message", "endpoint": "office" });
            let actions: Vec<_> = keys("m", section).iter().map(action).collect();
            json!({ "key": format!("s{section}"), "name": "Section", "fields": own, "answers": answers, "actions": actions })
        })
        .collect();
    steps.push(json!({ "key": format!("s{sections}"), "name": "End" }));
    let document = json!({ "format": 1, "key": "long", "version": 1, "name": "Long", "start": "s0", "fields": fields, "sections": steps });
    let workflow: IndexedWorkflow = serde_json::from_value::<Workflow>(document).unwrap().into();
    let started = start(&workflow, &Sha256::of(b""), &Start::new("long", "tap")).unwrap();
    let mut state = begin("0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11".parse().unwrap(), &workflow, &event(1, started)).unwrap();
    for section in 1..=sections {
        state.path.last_mut().unwrap().answer = Some(format!("a{}-4", section - 1));
        let number = u32::try_from(section).unwrap() + 1;
        state.path.push(Visit { number, section: format!("s{section}"), at: state.started_at, answer: None });
        state.last_visit = number;
    }
    (workflow, state)
}

#[test]
fn the_cost_of_a_tap_grows_with_the_way_and_not_faster() {
    let steps = |sections: usize| {
        let (workflow, state) = long_way(sections);
        let (shown, seeing) = steps::steps_of(|| view(&workflow, &state, &SortedMap::new()));
        assert_eq!((shown.would_fire.len(), shown.completion_problems.len()), (5 * sections, 5 * sections));
        assert_eq!(shown.path[0].answer_name.as_deref(), Some("On"));
        let changes =
            workflow.fields.iter().map(|field| FieldChange { field: field.key.clone(), change: Change::Set(FieldValue::Text("x".into())) });
        let set = Command::SetFields { changes: changes.collect() };
        let (decided, setting) = steps::steps_of(|| decide(&workflow, &state, &set));
        assert!(decided.is_ok());
        let (refused, completing) = steps::steps_of(|| decide(&workflow, &state, &Command::Complete { visit: state.last_visit }));
        assert!(refused.is_err());
        // A section with its five fields, five answers and five actions is 16 things to read.
        let things = 16 * sections as u64;
        for (what, steps) in [("seeing", seeing), ("setting", setting), ("completing", completing)] {
            assert!(steps > 0 && steps <= 4 * things, "{what} takes {steps} steps for {things} things");
        }
    };
    steps(20);
    steps(400);
}
