//! What errors say: never more of a text than is needed to know which one is meant.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::support::app::*;
use compass_core::document::{self, AuthoringError};
use compass_core::model::*;
use compass_core::{Error, model};

/// Some megabytes, of characters that must not be cut in two.
fn huge() -> String {
    "é".repeat(2_000_000)
}

#[track_caller]
fn short<T>(code: &str, result: Result<T, Error>) {
    let Err(error) = result else { panic!("it was taken") };
    assert_eq!(error.code(), code);
    let place = error.place().unwrap_or_default();
    // A place may be a key of the document and what was asked for.
    assert!(place.len() <= MAX_ECHO + MAX_KEY_LENGTH + 1, "{code}: a place of {} bytes", place.len());
    for said in [error.to_string(), format!("{error:?}")] {
        assert!(said.len() <= MAX_ECHO + 250, "{code}: {} bytes", said.len());
    }
}

#[test]
fn a_key_of_megabytes_is_not_given_back_whole() {
    let app = App::new();
    let compass = &app.compass;
    let (huge, one) = (huge(), WorkflowVersion { version: 1, local_revision: 0 });
    short("unknown_workflow", compass.workflow(&huge, None));
    short("unknown_workflow", compass.workflow_document(&huge, Some(one)));
    short("unknown_workflow", compass.retire_workflow(&huge, one, true));
    short("unknown_workflow", compass.start(&Start::new(&huge, id())));
    short("unknown_endpoint", compass.set_endpoint_enabled(&huge, true));
    short("unknown_endpoint", compass.archive_endpoint(&huge));
    short("unknown_endpoint", compass.test_delivery(&huge));

    let prefill = Prefill { field: huge.clone(), value: text("x"), source: "work-order".into() };
    short("unknown_fields", compass.start(&Start { prefill: vec![prefill], ..Start::new("pump-check", id()) }));
    let session = app.start().key;
    short("unknown_fields", compass.set_field(session, &huge, text("x")));
    short("unknown_fields", compass.save_draft(session, &huge, "x"));
    short("unknown_answer", compass.answer(session, 1, &huge));
    short("unknown_response", compass.use_response(session, &huge, &id()));
    short("unknown_action", compass.preview(session, &huge));
    short("too_long", compass.note(session, "hello", &huge));

    let done = app.completed();
    short("unknown_action", compass.send(done, &huge, None, &id()));
    short("unknown_action", compass.send_corrected(done, &huge, None, &id()));
    short("unknown_action", compass.abandon(done, &huge, "Mia", "no use", &id()));
    short(
        "unknown_fields",
        compass.edit(done, None, None, vec![model::FieldChange { field: huge.clone(), change: Change::Clear }], vec![], &id()),
    );
    let redaction = Redaction {
        command_id: id(),
        target: RedactionTarget::Field { key: huge.clone() },
        actor: "Mia".into(),
        reason: "no use".into(),
        pending: RedactPending::Keep,
        bodies: RedactBodies::Keep,
    };
    short("unknown_fields", compass.redact(done, &redaction));
}

#[test]
fn an_authoring_helper_gives_no_key_back_whole_either() {
    let (document, huge) = (pump_check(1), huge());
    let action = |key: &str| ActionDefinition::send_message(key, "Tell", "office");
    let Err(AuthoringError::UnknownSection { section }) = document::add_action(&document, &huge, &action("more")) else { panic!("added") };
    assert!(section.len() <= MAX_ECHO);
    let Err(AuthoringError::UnknownAction { action, .. }) = document::remove_action(&document, "yard", &huge) else { panic!("removed") };
    assert!(action.len() <= MAX_ECHO);
}
