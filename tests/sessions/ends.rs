//! Completing, ending, discarding.

use super::*;

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
    assert_eq!(code(app.compass.edit(session, None, None, vec![set("site", text("x"))], vec![], &id())), "not_finished");
    assert!(app.compass.sessions(&SessionFilter::default(), None, 10).unwrap().sessions.is_empty());
    assert_eq!(code(app.compass.session(SessionKey("0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11".parse().unwrap()))), "unknown_session");
}
