//! A session that is in memory since the last tap is what the file says, whoever has written meanwhile.

use super::*;

/// A session, and a second process on the same file.
fn two_processes() -> (App, Compass, SessionKey) {
    let app = App::new();
    let session = app.start().key;
    app.set(session, "site", "Mill Lane");
    let other = Compass::open(app.options().as_other_process()).expect("a second process");
    (app, other, session)
}

#[test]
fn a_tap_sees_what_another_process_has_written_since_the_last_one() {
    let (app, other, session) = two_processes();
    other.set_field(session, "site", text("Elm Road")).unwrap();
    other.save_note_draft(session, "half a no").unwrap();
    let view = app.compass.note(session, "by the first", &id()).unwrap().view;
    let site = view.fields.iter().find(|field| field.definition.key == "site").unwrap();
    assert_eq!((&site.state, view.note_draft), (&FieldState::Provided(text("Elm Road")), None));
    let view = other.answer(session, 1, "on").unwrap().view;
    assert_eq!((view.notes.len(), view.path.len()), (1, 2));
    assert_eq!(app.compass.answer(session, 1, "on").unwrap().applied, Applied::Stale);
    assert_eq!(app.view(session), view);
    other.close().unwrap();
}

#[test]
fn a_tap_sees_what_another_process_has_only_begun_to_type() {
    let (app, other, session) = two_processes();
    app.compass.note(session, "a first note", &id()).unwrap();
    other.save_note_draft(session, "half a no").unwrap();
    let view = app.set(session, "site", "Elm Road");
    assert_eq!(view.note_draft.as_deref(), Some("half a no"));
    other.close().unwrap();
}

#[test]
fn a_tap_sees_what_other_calls_of_its_own_process_have_written() {
    let (app, other, session) = two_processes();
    other.close().unwrap();
    app.compass.save_draft(session, "site", "Mill La").unwrap();
    let view = app.compass.note(session, "seen", &id()).unwrap().view;
    assert_eq!(view.fields.iter().find(|field| field.definition.key == "site").unwrap().draft.as_deref(), Some("Mill La"));
    app.compass.redact(session, &redaction(RedactionTarget::Field { key: "site".into() })).unwrap();
    let view = app.compass.note(session, "more", &id()).unwrap().view;
    assert_eq!(view.fields.iter().find(|field| field.definition.key == "site").unwrap().state, FieldState::Redacted);
    app.compass.end(session, "broken", &id()).unwrap();
    app.compass.delete(session).unwrap();
    assert_eq!(code(app.compass.note(session, "too late", &id())), "deleted_session");
}

#[test]
fn a_refused_call_leaves_nothing_behind_in_memory() {
    let (app, other, session) = two_processes();
    other.close().unwrap();
    let before = app.view(session);
    let command = id();
    app.compass.note(session, "once", &command).unwrap();
    // The values of the first change are applied before the second one is refused.
    let changes = |text: &str| Command::SetFields { changes: vec![set("site", FieldValue::Text(text.into()))] };
    assert!(app.compass.run(session, None, &[changes("Elm Road"), changes("two\nlines")], None).is_err());
    assert_eq!(code(app.compass.note(session, "another text", &command)), "command_id_reused");
    let view = app.compass.note(session, "after", &id()).unwrap().view;
    assert_eq!((view.fields, view.notes.len()), (before.fields, 2));
    assert_eq!(app.view(session).notes, view.notes);
}

#[test]
fn half_typed_text_goes_with_a_session_that_is_discarded() {
    let app = App::new();
    let session = app.start().key;
    app.compass.save_draft(session, "site", "Mill La").unwrap();
    app.compass.save_note_draft(session, "half a no").unwrap();
    let view = app.compass.discard(session).unwrap().view;
    assert_eq!((view.fields[0].draft.as_deref(), view.note_draft.as_deref()), (None, None));
    assert_eq!(app.compass.discard(session).unwrap().applied, Applied::Stale);
}

#[test]
fn the_sizes_of_messages_follow_each_change_of_a_value() {
    let app = App::new();
    let session = app.at_the_end().key;
    for site in ["Elm Road", "Elm Road, behind the second gate", "Elm"] {
        let view = app.set(session, "site", site);
        assert!(!view.would_fire.is_empty() && view.would_fire.iter().all(|fires| fires.size.is_some()));
        assert_eq!(view.would_fire, app.view(session).would_fire, "{site}");
    }
}
