//! Changes to the actions of a document.

use serde_json::{Value, json};

use super::{BOILER, valid, with};
use crate::engine::document::limit::MAX_VERSION;
use crate::engine::document::*;
use crate::model::{ActionDefinition, Severity};

pub(super) fn action(key: &str) -> ActionDefinition {
    ActionDefinition::send_message(key, "Tell the workshop", "workshop")
}

pub(super) fn workflow(authored: &Authored) -> Workflow {
    assert_eq!(worst(&authored.findings).unwrap_or(Severity::Warning), Severity::Warning, "{:?}", authored.findings);
    parse(&authored.document).workflow.expect("there are no errors")
}

#[test]
fn an_added_action_is_there_in_the_next_local_revision() {
    let once = add_action(BOILER.as_bytes(), "fault", &action("tell-workshop")).expect("it can be added");
    let changed = workflow(&once);
    assert_eq!((changed.version, changed.local_revision), (3, 1));
    assert_eq!(
        changed.action("tell-workshop").map(|(section, action)| (section.key.as_str(), action)),
        Some(("fault", &action("tell-workshop")))
    );
    let twice = add_action(&once.document, "fault", &action("tell-more")).expect("it can be added");
    assert_eq!(workflow(&twice).local_revision, 2);
    assert_eq!(workflow(&twice).section("fault").map(|section| section.actions.len()), Some(2));
    let text = String::from_utf8(twice.document).expect("it is UTF-8");
    let lines: Vec<_> = text.lines().take(5).collect();
    assert_eq!(lines, ["{", "  \"format\": 1,", "  \"key\": \"boiler-service\",", "  \"version\": 3,", "  \"local_revision\": 2,"]);
}

#[test]
fn a_replaced_action_keeps_its_place_and_what_this_version_does_not_know() {
    let mut document = valid();
    document["sections"][1]["actions"][0]["x-colour"] = json!("red");
    document["x-owner"] = json!({ "team": 4 });
    let replaced = replace_action(document.to_string().as_bytes(), "b", "tell", &action("tell-workshop")).expect("it is there");
    assert_eq!(workflow(&replaced).sections[1].actions, [action("tell-workshop")]);
    let value: Value = serde_json::from_slice(&replaced.document).expect("it is JSON");
    assert_eq!(value["sections"][1]["actions"][0]["x-colour"], "red");
    assert_eq!(value["x-owner"], json!({ "team": 4 }));
    let same_key = replace_action(document.to_string().as_bytes(), "b", "tell", &action("tell")).expect("a key may stay");
    assert_eq!(workflow(&same_key).sections[1].actions, [action("tell")]);
}

#[test]
fn a_change_that_cannot_be_made_says_why() {
    let document = valid().to_string();
    let document = document.as_bytes();
    let unknown_section = AuthoringError::UnknownSection { section: "z".to_owned() };
    assert_eq!(add_action(document, "z", &action("new")), Err(unknown_section.clone()));
    assert_eq!(remove_action(document, "z", "tell"), Err(unknown_section));
    let unknown_action = AuthoringError::UnknownAction { section: "a".to_owned(), action: "tell".to_owned() };
    assert_eq!(remove_action(document, "a", "tell"), Err(unknown_action.clone()));
    assert_eq!(replace_action(document, "a", "tell", &action("new")), Err(unknown_action));
    let taken = AuthoringError::DuplicateAction { action: "tell".to_owned() };
    assert_eq!(add_action(document, "c", &action("tell")), Err(taken.clone()));
    let two = add_action(document, "b", &action("second")).expect("it can be added");
    assert_eq!(replace_action(&two.document, "b", "second", &action("tell")), Err(taken));
    let broken = [
        b"{".to_vec(),
        b"[]".to_vec(),
        with("/local_revision", json!("1")).to_string().into_bytes(),
        with("/local_revision", json!(MAX_VERSION)).to_string().into_bytes(),
        with("/sections/2/actions", json!("none")).to_string().into_bytes(),
    ];
    for document in broken {
        let result = add_action(&document, "c", &action("new"));
        assert!(matches!(result, Err(AuthoringError::Unreadable { .. })), "{result:?}");
    }
}

#[test]
fn a_change_is_linted_like_any_document() {
    let authored = add_action(valid().to_string().as_bytes(), "c", &action("not a key")).expect("it can be added");
    let found: Vec<_> = authored.findings.iter().map(|finding| (finding.code.as_str(), finding.pointer.as_str())).collect();
    assert_eq!(found, [("bad_key", "/sections/2/actions/0/key")]);
    let huge = ActionDefinition { name: "x".repeat(MAX_DOCUMENT_BYTES + 1), ..action("huge") };
    let authored = add_action(valid().to_string().as_bytes(), "c", &huge).expect("it can be added");
    assert_eq!(authored.findings.first().map(|finding| finding.code.as_str()), Some("too_large"));
}
