//! Answers, going back, responses.

use super::*;

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
        submission(&session.workflow, &session.state, None).fields.iter().map(|field| field.definition.key.clone()).collect();
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
fn a_stored_event_that_does_not_fit_is_skipped() {
    let mut state = Session::new().state;
    let next = |next_visit| (next_visit, "gone".to_owned());
    for (seq, act) in [
        Act::Answered { visit: 9, answer: "x".into(), next_visit: next(10).0, next_section: next(10).1 },
        Act::WentBack { visit: 10, to_visit: 77, next_visit: next(11).0, next_section: next(11).1 },
        Act::Edited { fields: vec![], notes: vec![NoteEdit { note: 5, from: None, to: Some("x".into()) }], reason: None },
        Act::Abandoned { action: "x".into(), reason: "y".into() },
    ]
    .into_iter()
    .enumerate()
    {
        apply(&mut state, &event(seq as u32 + 2, act));
    }
    assert_eq!(state.last_visit, 11);
    let session = Session::new();
    assert_eq!(view(&session.workflow, &state, &SortedMap::new()).section.name, "gone", "a section the document lacks shows its key");
    assert_eq!(decide(&session.workflow, &state, &Command::Complete { visit: 11 }).unwrap_err().code(), "broken_workflow");
    assert_eq!(replay(state.key, &session.workflow, &[]), None);
}
