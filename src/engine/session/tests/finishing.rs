//! Completing, ending, discarding, and what comes after.

use super::*;

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
    assert_eq!(submission(&session.workflow, &session.state, None).completed_at, session.events[1].at, "its end");
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
fn notes_can_be_added_while_and_after_and_edited_after() {
    let mut session = Session::inspected();
    session.run(note("dog in\r\nthe yard"));
    let noted = session.state.last_seq;
    assert_eq!(session.verdict(edit(&[], &[(noted, "no dog")])), "not_finished");
    session.answer("fine").complete().run(note("paid in cash"));
    assert_eq!(session.verdict(edit(&[], &[(99, "x")])), "unknown_note");
    assert_eq!(session.verdict(edit(&[], &[(noted, "")])), "blank");
    assert_eq!(session.verdict(edit(&[], &[(noted, "x"), (noted, "y")])), "duplicate_note");
    assert_eq!(session.verdict(edit(&[], &[(noted, "dog in\rthe yard")])), "unchanged", "pasted from another system");
    assert_eq!(session.verdict(edit(&[], &[])), "nothing_given");
    session.run(edit(&[], &[(noted, "no dog")]));
    let Act::Edited { notes, .. } = &session.events.last().unwrap().act else { panic!("edited") };
    assert_eq!(*notes, [NoteEdit { note: noted, from: Some("dog in\nthe yard".into()), to: Some("no dog".into()) }]);
    assert_eq!((session.state.notes[0].text.as_deref(), session.state.notes[0].edited), (Some("no dog"), true));
    assert!(!session.state.notes[1].edited);
    assert_eq!(search_text(&session.workflow, &session.state), "Boiler service\nDone\nno dog\npaid in cash\n182.50\n");
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
        reason: None,
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
    assert_eq!(session.verdict(set(&[("customer", "Ada")])), "act", "it is confirmed");
    session.run(end());
    assert_eq!(session.verdict(edit(&[("customer", "Ada")], &[])), "unchanged", "an edit confirms nothing");
    session.run(edit(&[("customer", "Grace")], &[]));
    assert_eq!(session.state.values["customer"].source, ValueSource::Technician);
}
