//! Starting.

use super::*;

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
    assert_eq!(places(&problems), [("temperature", None, None), ("part", None, None)], "no visit asks them yet");
    assert_eq!(refused(vec![prefill("nothing", "x")]), Refusal::UnknownFields { fields: vec!["nothing".into()] });
    assert_eq!(refused(vec![prefill("part", "x"), prefill("part", "y")]).code(), "duplicate_fields");
    assert_eq!(refused(vec![Prefill { source: " ".into(), ..prefill("part", "x") }]).place().as_deref(), Some("prefill.source"));
    let mut broken = Workflow::clone(&workflow());
    broken.start = "nowhere".into();
    assert_eq!(start(&broken.into(), &Sha256::of(b""), &Start::new("boiler", "c")).unwrap_err().code(), "broken_workflow");
    assert_eq!(start(&workflow(), &Sha256::of(b""), &Start::new("boiler", "")).unwrap_err().place().as_deref(), Some("command_id"));
}
