//! Workflow documents that earlier releases imported: sessions go on with them, no matter what today's release says of such a document.
//!
//! `tests/fixtures/stored` holds documents as earlier releases took them, with their hashes. None of them is ever changed or removed, and one
//! that a release refuses from now on is added before it does.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use crate::support::app::*;
use crate::support::past_every_rule;
use compass_core::Sha256;
use compass_core::document;
use compass_core::model::*;
use compass_core::testing::rules::{self, StoredDocument, StoredFault};
use rusqlite::params;
use serde_json::{Value, json};

/// Name, bytes and hash of each document.
fn corpus() -> Vec<(String, Vec<u8>, Sha256)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/stored");
    let hashes = fs::read_to_string(folder.join("hashes.txt")).unwrap();
    let listed: Vec<_> = hashes
        .lines()
        .map(|line| {
            let (hash, name) = line.split_once("  ").unwrap();
            (name.to_owned(), fs::read(folder.join(name)).unwrap(), Sha256::from_hex(hash).unwrap())
        })
        .collect();
    assert_eq!(fs::read_dir(folder).unwrap().count(), listed.len() + 1, "each document has its hash");
    listed
}

/// Puts a document where an import puts it, as a release did that had nothing against it.
fn stored(app: &App, document: &[u8], hash: Sha256) -> WorkflowRef {
    let value: Value = serde_json::from_slice(document).unwrap();
    let workflow = WorkflowRef {
        key: value["key"].as_str().unwrap().to_owned(),
        name: value["name"].as_str().unwrap().to_owned(),
        version: value["version"].as_u64().unwrap().try_into().unwrap(),
        local_revision: 0,
    };
    app.sql()
        .execute(
            "INSERT INTO workflow (key, version, local_revision, name, hash, document, startable, findings, imported_at)
             VALUES (?1, ?2, 0, ?3, ?4, ?5, 1, '[]', 0)",
            params![workflow.key, workflow.version, workflow.name, hash.0, document],
        )
        .unwrap();
    workflow
}

/// The same of a document that has no committed hash.
fn stored_now(app: &App, document: &Value) -> WorkflowRef {
    let bytes = document.to_string().into_bytes();
    let hash = Sha256::of(rules::canonical(&bytes).unwrap().as_bytes());
    stored(app, &bytes, hash)
}

fn one_field(field: Value) -> Value {
    json!({
        "format": 1, "key": "old", "version": 1, "name": "Old", "start": "a", "fields": [field],
        "sections": [
            { "key": "a", "name": "A", "fields": ["f"], "answers": [{ "key": "on", "name": "On", "next": "end" }] },
            { "key": "end", "name": "End", "win": true },
        ],
    })
}

/// Somebody changes a stored document, past the core.
fn tamper(app: &App, old: &str, new: &str) {
    let change = format!("UPDATE workflow SET document = CAST(replace(CAST(document AS TEXT), '{old}', '{new}') AS BLOB)");
    past_every_rule(&app.sql(), |sql| sql.execute_batch(&change).unwrap());
}

#[test]
fn sessions_go_on_with_every_document_that_was_ever_imported() {
    let mut app = App::new();
    let mut sessions = Vec::new();
    for (name, bytes, hash) in corpus() {
        let document = StoredDocument::read(&bytes, hash).unwrap_or_else(|fault| panic!("{name} {fault}"));
        assert_eq!(document.fields_without_their_pattern(), [""; 0], "{name}");
        let workflow = stored(&app, &bytes, hash);
        assert_eq!(document.workflow.reference(), workflow, "{name}");
        sessions.push(app.compass.start(&Start::new(workflow.key, id())).unwrap().view.key);
    }
    app.reopen();
    for session in sessions {
        let view = app.view(session);
        if view.problems.is_empty()
            && let Some(answer) = view.answers.first()
        {
            app.compass.answer(session, view.visit, &answer.key).unwrap();
        }
        app.compass.end(session, "done for today", &id()).unwrap();
        assert_eq!(app.record(session).state, SessionState::Ended);
    }
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn the_corpus_holds_documents_that_are_refused_today() {
    let refused: Vec<String> =
        corpus().into_iter().filter(|(_, bytes, _)| !document::parse(bytes).is_importable()).map(|(name, _, _)| name).collect();
    for name in ["long-texts.json", "nested-deep.json"] {
        assert!(refused.iter().any(|other| other == name), "{name} is not among {refused:?}");
    }
}

#[test]
fn a_document_that_somebody_changed_is_damage_and_check_names_it() {
    let mut app = App::new();
    let other = stored_now(&app, &one_field(json!({ "key": "f", "name": "F", "type": "text" })));
    let (session, beside) = (app.start().key, app.compass.start(&Start::new(other.key, id())).unwrap().view.key);
    app.finish(app.at_the_end().key);
    app.compass.close().unwrap();
    tamper(&app, "\"max\": \"200\"", "\"max\": \"900\"");
    app.reopen();
    assert_eq!(code(app.compass.session(session)), "corrupt");
    assert_eq!(code(app.compass.start(&Start::new("pump-check", id()))), "corrupt");
    assert_eq!(code(app.compass.workflow("pump-check", None)), "corrupt");
    assert_eq!(code(app.compass.workflow_document("pump-check", None)), "corrupt");
    assert_eq!(app.view(beside).visit, 1, "a session of another workflow goes on");
    assert_eq!(app.deliver().sent, 3, "what was frozen leaves");
    let faults = app.faults();
    let named = "the document of workflow pump-check 1 is not the one that was imported";
    assert!(faults.iter().any(|fault| fault == named), "{faults:?}");
}

#[test]
fn white_space_is_no_part_of_what_was_imported() {
    let mut app = App::new();
    let session = app.start().key;
    app.compass.close().unwrap();
    tamper(&app, "\"format\": 1", "\"format\":    1");
    app.reopen();
    assert_eq!(app.view(session).visit, 1);
    assert_eq!(app.faults(), [""; 0]);
}

#[test]
fn a_document_that_is_listed_as_another_is_found() {
    let app = App::new();
    past_every_rule(&app.sql(), |sql| sql.execute_batch("UPDATE workflow SET version = 7").unwrap());
    assert_eq!(app.faults(), ["the document of workflow pump-check 7 is listed as another one"]);
}

#[test]
fn a_version_of_which_what_is_listed_was_damaged_is_named_and_stops_no_other() {
    let app = App::new();
    app.compass.import_workflow(&pump_check_with(2, |document| document["name"] = "Other".into())).unwrap();
    let other = pump_check_with(1, |document| document["key"] = "another".into());
    let damage = |change: &str| past_every_rule(&app.sql(), |sql| sql.execute_batch(change).unwrap());
    damage("UPDATE workflow SET findings = '[' WHERE version = 1");
    let named = |version: u32| [format!("the list entry of the document of workflow pump-check {version} cannot be read")];
    assert_eq!(app.faults(), named(1));
    let listed: Vec<_> = app.compass.workflows().unwrap().into_iter().map(|listed| listed.workflow.version).collect();
    assert_eq!(listed, [2]);
    let start = |version: Option<u32>| {
        let version = version.map(|version| WorkflowVersion { version, local_revision: 0 });
        app.compass.start(&Start { version, ..Start::new("pump-check", id()) }).map(|started| started.view.workflow.version)
    };
    assert_eq!((start(None).unwrap(), code(start(Some(1)))), (2, "corrupt"));
    assert_eq!(code(app.compass.import_workflow(&other)), "fine");
    // The newest one that is undamaged is current; where there is none, the damage is told.
    damage("UPDATE workflow SET findings = iif(version = 1, '[]', '[') WHERE key = 'pump-check'");
    assert_eq!((app.faults().as_slice(), start(None).unwrap()), (named(2).as_slice(), 1));
    damage("UPDATE workflow SET findings = '[{\"code\":\"requires_newer_core\"' WHERE key = 'pump-check'");
    assert_eq!(code(start(None)), "corrupt");
    app.compass.close().unwrap();
    assert_eq!(compass_core::Compass::open(app.options()).unwrap().workflows().unwrap().len(), 1, "it opens");
}

#[test]
fn a_session_that_began_on_another_document_is_found() {
    let app = App::new();
    let session = app.start().key;
    let changed = pump_check_with(1, |document| document["sections"][0]["content"] = "Find the other pump.".into());
    let hash = Sha256::of(rules::canonical(&changed).unwrap().as_bytes());
    past_every_rule(&app.sql(), |sql| sql.execute("UPDATE workflow SET document = ?1, hash = ?2", params![changed, hash.0]).unwrap());
    assert_eq!(app.faults(), [format!("session {session}: its first event names another document than its row")]);
}

#[test]
fn a_pattern_that_cannot_be_used_any_more_counts_as_absent_and_check_says_so() {
    let app = App::new();
    // A look-ahead, as a release with another kind of pattern might have taken it.
    let pattern = json!({ "key": "f", "name": "F", "type": "text", "pattern": "(?=x).+" });
    let workflow = stored_now(&app, &one_field(pattern));
    let session = app.compass.start(&Start::new(workflow.key, id())).unwrap().view.key;
    app.set(session, "f", "anything");
    app.finish(app.answer(session, "on").key);
    let said = "the document of workflow old 1: the pattern of the field f can no longer be used, and counts as absent";
    assert_eq!(app.faults(), [said]);
}

#[test]
fn what_this_release_cannot_read_is_told_from_what_was_changed() {
    let unknown = one_field(json!({ "key": "f", "name": "F", "type": "colour" })).to_string().into_bytes();
    let hash = Sha256::of(rules::canonical(&unknown).unwrap().as_bytes());
    assert_eq!(StoredDocument::read(&unknown, hash), Err(StoredFault::Unreadable));
    assert_eq!(StoredDocument::read(&unknown, Sha256::of(b"")), Err(StoredFault::Changed));
    for damaged in [&b"{\"a\": 1, \"a\": 1}"[..], b"{", b"\xff", b""] {
        assert_eq!(StoredDocument::read(damaged, hash), Err(StoredFault::Changed));
    }
}
