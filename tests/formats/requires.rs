//! Documents that require what this release does not know: listed, refused, read, and never changed by a core that would get them wrong.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use crate::support::app::*;
use crate::support::past_every_rule;
use compass_core::document::{self, Code};
use compass_core::model::*;
use compass_core::testing::rules;
use compass_core::{Error, Sha256};
use rusqlite::params;
use serde_json::{Value, json};

const NEWER: &str = "requires_newer_core";

/// A document that only a later release can read: texts in two languages, a member in a place of its own.
fn from_the_future() -> Vec<u8> {
    json!({
        "requires": ["logic", "languages"], "format": 1, "key": "pump-check", "version": 2,
        "name": { "en": "Pump check", "fr": "Contrôle de pompe" }, "description": { "en": "In two languages" },
        "start": 5, "fields": { "f": { "visible_if": "a > 1" } }, "sections": "elsewhere",
    })
    .to_string()
    .into_bytes()
}

fn codes(findings: &[Finding]) -> Vec<(&str, &str)> {
    findings.iter().map(|finding| (finding.code.as_str(), finding.pointer.as_str())).collect()
}

/// A later release stood here: it imported the document of this version, and sessions run on it.
fn imported_by_a_later_release(app: &mut App, change: impl FnOnce(&mut Value)) {
    let mut document: Value = serde_json::from_slice(&pump_check(1)).unwrap();
    document["requires"] = json!(["logic"]);
    change(&mut document);
    let bytes = document.to_string().into_bytes();
    let hash = Sha256::of(rules::canonical(&bytes).unwrap().as_bytes());
    app.compass.close().unwrap();
    past_every_rule(&app.sql(), |sql| sql.execute("UPDATE workflow SET document = ?1, hash = ?2", params![bytes, hash.0]).unwrap());
    app.reopen();
}

#[test]
fn of_a_document_for_a_later_release_only_which_one_it_is_is_linted() {
    let parsed = document::parse(&from_the_future());
    assert_eq!(codes(&parsed.findings), [(NEWER, "/requires/0"), (NEWER, "/requires/1")]);
    assert!(parsed.is_importable() && !parsed.is_startable() && parsed.workflow.is_none());
    let reference = parsed.reference.unwrap();
    assert_eq!((reference.name.as_str(), reference.version), ("Pump check", 2));

    let with = |member: &str, value: Value| {
        let mut document: Value = serde_json::from_slice(&from_the_future()).unwrap();
        document[member] = value;
        let parsed = document::parse(document.to_string().as_bytes());
        assert_eq!(parsed.is_importable(), parsed.worst() != Some(Severity::Error));
        parsed
            .findings
            .into_iter()
            .filter(|finding| finding.code != NEWER)
            .map(|finding| (finding.code, finding.pointer))
            .collect::<Vec<_>>()
    };
    let one = |code: &str, pointer: &str| vec![(code.to_owned(), pointer.to_owned())];
    assert_eq!(with("format", json!(2)), one("unknown_format", "/format"));
    assert_eq!(with("key", json!("ü")), one("bad_key", "/key"));
    assert_eq!(with("version", json!(0)), one("out_of_range", "/version"));
    assert_eq!(with("local_revision", json!(-1)), one("out_of_range", "/local_revision"));
    assert_eq!(with("name", json!(" ")), one("bad_text", "/name"));
    assert_eq!(with("requires", json!(["logic", "a b"])), one("bad_key", "/requires/1"));
    assert_eq!(with("requires", json!(["logic", 7])), one("wrong_type", "/requires/1"));
    assert_eq!(with("requires", (0..51).map(|n| format!("n{n}")).collect()), one("too_many", "/requires"));
    assert_eq!(with("name", json!({ "en": 1 })), [], "its key is its name then");
}

#[test]
fn what_requires_nothing_is_linted_whole() {
    let parsed = document::parse(&pump_check_with(1, |document| document["requires"] = json!([])));
    assert!(parsed.is_startable() && parsed.workflow.is_some());
    let findings = document::lint(&pump_check_with(1, |document| document["requires"] = json!("logic")), None);
    let errors: Vec<_> = findings.into_iter().filter(|finding| finding.severity == Severity::Error).collect();
    assert_eq!(codes(&errors), [("wrong_type", "/requires")]);
}

#[test]
fn a_document_for_a_later_release_is_listed_and_refused_with_the_reason() {
    let mut app = App::bare();
    let imported = app.compass.import_workflow(&from_the_future()).unwrap();
    assert!(imported.imported && !imported.workflow.startable);
    assert_eq!(imported.workflow.worst, Some(Severity::Incomplete));
    assert!(!app.compass.import_workflow(&from_the_future()).unwrap().imported);
    for _ in 0..2 {
        let Err(Error::NotStartable { workflow, findings }) = app.compass.start(&Start::new("pump-check", id())) else { panic!("started") };
        assert_eq!((workflow.version, codes(&findings)[0]), (2, (NEWER, "/requires/0")));
        assert_eq!(code(app.compass.workflow("pump-check", None)), NEWER);
        assert_eq!(app.compass.workflow_document("pump-check", None).unwrap(), from_the_future());
        assert_eq!(app.faults(), [""; 0]);
        app.reopen();
    }
}

#[test]
fn sessions_on_what_a_later_release_imported_are_read_and_not_changed() {
    let mut app = App::new();
    let (running, done, ended) = (app.start().key, app.completed(), app.ended());
    imported_by_a_later_release(&mut app, |document| document["fields"][0]["visible_if"] = "true".into());
    assert_eq!(app.view(running).visit, 1);
    assert_eq!(app.record(done).actions.len(), 3);
    assert_eq!(app.compass.workflow("pump-check", None).unwrap().version, 1);

    let compass = &app.compass;
    assert_eq!(code(compass.set_field(running, "site", text("Mill Lane"))), NEWER);
    assert_eq!(code(compass.save_draft(running, "site", "Mill")), NEWER);
    assert_eq!(code(compass.answer(running, 1, "leave")), NEWER);
    assert_eq!(code(compass.note(done, "hello", &id())), NEWER);
    assert_eq!(code(compass.end(running, "nobody home", &id())), NEWER);
    assert_eq!(code(compass.discard(running)), NEWER);
    assert_eq!(code(compass.edit(done, None, None, vec![set("site", text("Mill Road"))], vec![], &id())), NEWER);
    assert_eq!(code(compass.send(ended, "announce", None, &id())), NEWER);
    assert_eq!(code(compass.abandon(done, "announce", "Mia", "no use", &id())), NEWER);
    let redaction = Redaction {
        command_id: id(),
        target: RedactionTarget::Field { key: "site".into() },
        actor: "Mia".into(),
        reason: "not ours to know".into(),
        pending: RedactPending::Abandon,
        bodies: RedactBodies::Forget,
    };
    assert_eq!(code(compass.redact(done, &redaction)), NEWER);
    let Err(Error::NotStartable { findings, .. }) = compass.start(&Start::new("pump-check", id())) else { panic!("started") };
    assert_eq!(codes(&findings)[0], (NEWER, "/requires"));
    let listed = compass.workflows().unwrap().remove(0);
    assert_eq!((listed.startable, listed.worst), (false, Some(Severity::Incomplete)));

    assert_eq!(app.deliver().sent, 3, "what is frozen leaves");
    app.compass.delete(done).unwrap();
    app.clock.advance(Duration::from_secs(3_600));
    assert_eq!(app.compass.purge(Duration::from_secs(60)).unwrap().purged, 1, "what is old goes");
}

#[test]
fn what_failed_on_such_a_document_stops_no_other() {
    let mut app = App::with_office(compass_core::testing::ScriptedTransport::always(400));
    app.completed();
    app.deliver();
    imported_by_a_later_release(&mut app, |_| {});
    assert_eq!(app.compass.send_failed_again(None).unwrap(), 0);
}

#[test]
fn a_session_that_cannot_be_read_without_the_later_release_says_so() {
    let mut app = App::new();
    let running = app.start().key;
    imported_by_a_later_release(&mut app, |document| document["sections"][0]["name"] = json!({ "en": "In the yard" }));
    assert_eq!(code(app.compass.session(running)), NEWER);
    assert_eq!(code(app.compass.record(running)), NEWER);
}

#[test]
fn the_first_release_that_knows_all_names_lints_the_document_again() {
    let mut app = App::bare();
    let put = |document: &Value, version: u32, name: &str| {
        let bytes = document.to_string().into_bytes();
        let hash = Sha256::of(rules::canonical(&bytes).unwrap().as_bytes());
        let finding = Finding {
            severity: Severity::Incomplete,
            code: Code::RequiresNewerCore.as_str().into(),
            pointer: "/requires/0".into(),
            message: "Update the app.".into(),
        };
        app.sql()
            .execute(
                "INSERT INTO workflow (key, version, local_revision, name, hash, document, startable, findings, imported_at)
                 VALUES ('pump-check', ?1, 0, ?5, ?2, ?3, 0, ?4, 0)",
                params![version, hash.0, bytes, json!([finding]).to_string(), name],
            )
            .unwrap();
    };
    // To this release an empty list stands for a list of names that it knows.
    let document = |version| {
        let mut document: Value = serde_json::from_slice(&pump_check(version)).unwrap();
        document["requires"] = json!([]);
        document["description"] = "Find the pump.".into();
        document
    };
    put(&document(1), 1, "pump-check");
    let mut broken = document(2);
    broken["start"] = "nowhere".into();
    put(&broken, 2, "Pump check");
    app.reopen();
    let listed = app.compass.workflows().unwrap();
    let [two, one] = listed.as_slice() else { panic!("two versions") };
    assert_eq!((one.startable, one.workflow.name.as_str()), (true, "Pump check"));
    assert_eq!((one.worst, one.description.as_deref()), (Some(Severity::Warning), Some("Find the pump.")));
    assert_eq!((two.startable, two.worst), (false, Some(Severity::Error)));
    app.compass
        .start(&Start { version: Some(WorkflowVersion { version: 1, local_revision: 0 }), ..Start::new("pump-check", id()) })
        .unwrap();

    app.reopen();
    assert_eq!(app.compass.workflows().unwrap(), listed, "once");
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn a_document_that_another_release_lists_by_another_name_is_still_the_same() {
    let app = App::bare();
    app.compass.import_workflow(&from_the_future()).unwrap();
    app.sql().execute("UPDATE workflow SET name = 'Contrôle de pompe'", []).unwrap();
    let again = app.compass.import_workflow(&from_the_future()).unwrap();
    assert_eq!((again.imported, again.workflow.workflow.name.as_str()), (false, "Contrôle de pompe"));
}

#[test]
fn a_check_passes_over_what_only_a_newer_core_can_read() {
    // As a newer core leaves it, whose file this one opens: no field of it is different but the document.
    let app = App::new();
    app.completed();
    app.deliver();
    let document = br#"{"fields":7,"format":1,"key":"pump-check","name":"Pump check","requires":["tomorrow"],"version":1}"#;
    let sql = app.sql();
    past_every_rule(&sql, |sql| {
        sql.execute("UPDATE workflow SET hash = ?1, document = ?2", params![Sha256::of(document).0, &document[..]]).unwrap();
    });
    drop(sql);
    app.compass.close().unwrap();
    let compass = compass_core::Compass::open(app.options()).unwrap();
    assert_eq!(compass.check().unwrap().faults, [""; 0]);
    past_every_rule(&app.sql(), |sql| sql.execute_batch("UPDATE session_totals SET won = 77").unwrap());
    assert_eq!(compass.check().unwrap().faults, ["the totals are not those of the sessions"]);
}

#[test]
fn what_an_earlier_release_could_not_read_is_found_once_the_app_is_updated_again() {
    let mut app = App::new();
    let (running, finished) = (app.start().key, app.start().key);
    for session in [running, finished] {
        app.set(session, "site", "Zwetschgen");
    }
    app.compass.end(finished, "nobody home", &id()).unwrap();
    let document = |app: &App| -> (Vec<u8>, Vec<u8>, bool) {
        let row = "SELECT document, hash, startable FROM workflow";
        app.sql().query_row(row, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
    };
    let found = |app: &App| {
        let filter = SessionFilter { text: Some("zwetschgen".into()), ..Default::default() };
        let page = app.compass.sessions(&filter, None, 10).unwrap();
        (page.sessions.len(), page.not_indexed)
    };
    let before = document(&app);
    imported_by_a_later_release(&mut app, |document| document["sections"] = json!("elsewhere"));
    assert_eq!(found(&app), (0, 0), "this release cannot read it");
    let looked_at = app.count("SELECT sum(seq) FROM open_text");
    app.reopen();
    assert_eq!((found(&app), app.count("SELECT sum(seq) FROM open_text")), ((0, 0), looked_at), "nor does it try each time");

    app.compass.close().unwrap();
    let back = "UPDATE workflow SET document = ?1, hash = ?2";
    past_every_rule(&app.sql(), |sql| sql.execute(back, params![before.0, before.1]).unwrap());
    app.reopen();
    assert_eq!((found(&app), app.faults()), ((2, 0), vec![]));
    assert_eq!(document(&app), before, "what was linted once is not linted again");
    app.set(running, "site", "Quarkstrudel");
    assert_eq!(found(&app), (1, 0));
}
