//! An action may say which fields its messages hold: each action has a body of its own.

use super::*;
use serde_json::{Value, json};

const LAB: &str = "lab";

/// A phone whose workflow asks for a reading and a price. The office gets all but the price, the lab the price alone.
fn phone_of_two_readers() -> (Field, Receivers) {
    let (field, receivers) = phone(|_| Ok(answer(202)));
    register(&field, LAB);
    let mut document: Value = serde_json::from_slice(&workflow("two-readers", &[OFFICE, LAB])).unwrap();
    document["fields"].as_array_mut().unwrap().push(json!({ "key": "price", "name": "Price", "type": "text", "max_length": 20_000 }));
    document["sections"][0]["fields"] = json!(["reading", "price"]);
    document["sections"][0]["actions"][0]["fields_except"] = json!(["price"]);
    document["sections"][0]["actions"][1]["fields"] = json!(["price"]);
    field.compass.import_workflow(&serde_json::to_vec(&document).unwrap()).unwrap();
    (field, receivers)
}

fn start(field: &Field) -> SessionView {
    let started = field.compass.start(&Start::new("two-readers", id())).unwrap().view;
    field.compass.set_field(started.key, "reading", FieldValue::Text("17.5".into())).unwrap();
    field.compass.set_field(started.key, "price", FieldValue::Text("90 euros".into())).unwrap().view
}

fn completed(field: &Field) -> SessionKey {
    let view = start(field);
    field.compass.complete(view.key, view.visit).unwrap();
    view.key
}

fn edit(field: &Field, session: SessionKey, key: &str, value: &str) {
    let change = support::app::set(key, FieldValue::Text(value.into()));
    field.compass.edit(session, Some("anna"), None, vec![change], vec![], &id()).unwrap();
}

fn actions(field: &Field, session: SessionKey) -> [Action; 2] {
    field.compass.record(session).unwrap().actions.try_into().unwrap()
}

/// The fields of a body, as keys with values.
fn held(body: &[u8]) -> Vec<(String, String)> {
    let body: Value = serde_json::from_slice(body).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    body["fields"].as_array().unwrap().iter().map(|field| (text(&field["key"]), text(&field["value"]))).collect()
}

fn pair(key: &str, value: &str) -> Vec<(String, String)> {
    vec![(key.to_owned(), value.to_owned())]
}

#[test]
fn each_action_sends_the_fields_that_it_lists() {
    let (field, _) = phone_of_two_readers();
    let view = start(&field);
    let fires = &view.would_fire;
    for (action, expected) in fires.iter().zip([pair("reading", "17.5"), pair("price", "90 euros")]) {
        let preview = field.compass.preview(view.key, &action.key).unwrap();
        assert_eq!(held(preview.body.as_bytes()), expected);
        assert_eq!((action.size, action.too_large), (Some(preview.body.len() as u64), false));
    }
    field.compass.complete(view.key, view.visit).unwrap();
    for (action, fires) in actions(&field, view.key).iter().zip(fires) {
        assert_eq!(Some(action.deliveries[0].body_size), fires.size, "the view said so");
    }
    field.flush();
    let mut came: Vec<_> = field.transport.requests().iter().map(|request| held(&request.body)).collect();
    came.sort();
    assert_eq!(came, [pair("price", "90 euros"), pair("reading", "17.5")]);
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn an_edit_concerns_only_the_messages_that_hold_the_field() {
    let (field, _) = phone_of_two_readers();
    let session = completed(&field);
    field.flush();
    edit(&field, session, "price", "80 euros");
    let differs = || actions(&field, session).map(|action| action.differs_from_sent);
    assert_eq!(differs(), [false, true]);
    assert_eq!(field.compass.sessions(&SessionFilter::default(), None, 10).unwrap().sessions[0].actions_differing, 1);
    let refused = field.compass.send_corrected(session, "tell-0", Some("anna"), &id()).unwrap_err();
    assert_eq!(refused.code(), "nothing_corrected", "the office has no price");
    field.compass.send_corrected(session, "tell-1", Some("anna"), &id()).unwrap();
    field.flush();
    assert_eq!(held(&field.transport.requests()[2].body), pair("price", "80 euros"));
    assert_eq!(differs(), [false, false]);
    assert_eq!(field.compass.check().unwrap().faults, [""; 0]);
}

#[test]
fn a_value_that_is_redacted_stops_only_the_messages_that_hold_it() {
    let (field, _) = phone_of_two_readers();
    let session = completed(&field);
    let redaction = Redaction {
        command_id: id(),
        target: RedactionTarget::Field { key: "price".into() },
        actor: "anna".into(),
        reason: "not ours to know".into(),
        pending: RedactPending::Correct,
        bodies: RedactBodies::Keep,
    };
    field.compass.redact(session, &redaction).unwrap();
    assert_eq!(actions(&field, session).map(|action| action.deliveries.len()), [1, 2]);
    field.flush();
    let mut came: Vec<_> = field.transport.requests().iter().map(|request| held(&request.body)).collect();
    came.sort();
    assert_eq!(came, [vec![], pair("reading", "17.5")]);
}

#[test]
fn damaged_bytes_are_made_again_from_the_fields_of_their_action() {
    let (field, _) = phone_of_two_readers();
    let session = completed(&field);
    damage(&field, "UPDATE body SET bytes = zeroblob(length(bytes))");
    field.flush();
    assert_eq!(actions(&field, session).map(|action| action.status), [ActionStatus::Sent; 2]);
    let mut came: Vec<_> = field.transport.requests().iter().map(|request| held(&request.body)).collect();
    came.sort();
    assert_eq!(came, [pair("price", "90 euros"), pair("reading", "17.5")]);
}

#[test]
fn the_end_section_says_which_message_would_be_too_large() {
    let (field, _) = phone_of_two_readers();
    let view = start(&field);
    let mut document: Value = serde_json::from_slice(&field.compass.workflow_document("two-readers", None).unwrap()).unwrap();
    document["version"] = 2.into();
    let many: Vec<String> = (0..14).map(|i| format!("page-{i}")).collect();
    let pages = many.iter().map(|key| json!({ "key": key, "name": "Page", "type": "multiline", "max_length": 20_000 }));
    document["fields"].as_array_mut().unwrap().extend(pages);
    document["sections"][0]["fields"].as_array_mut().unwrap().extend(many.iter().map(|key| json!(key)));
    field.compass.import_workflow(&serde_json::to_vec(&document).unwrap()).unwrap();
    assert_eq!(view.would_fire.iter().map(|fires| fires.too_large).collect::<Vec<_>>(), [false, false]);
    let long = start(&field);
    let changes = many.iter().map(|key| support::app::set(key, FieldValue::Text("x".repeat(20_000)))).collect();
    let view = field.compass.set_fields(long.key, changes).unwrap().view;
    assert_eq!(view.would_fire.iter().map(|fires| fires.too_large).collect::<Vec<_>>(), [true, false]);
    field.compass.complete(view.key, view.visit).unwrap();
    let reasons = actions(&field, view.key).map(|action| action.reason);
    assert_eq!(reasons[0].as_deref(), Some("payload_too_large"));
    field.flush();
    assert_eq!(field.transport.requests().len(), 1, "the other one leaves");
}

#[test]
fn nothing_is_sent_for_an_action_whose_fields_are_not_known() {
    let (field, _) = phone_of_two_readers();
    field.compass.set_integration_enabled(false).unwrap();
    let session = completed(&field);
    field.compass.set_integration_enabled(true).unwrap();
    damage(&field, "UPDATE action SET key = key || 'x'");
    let refused = field.compass.send(session, "tell-0x", Some("anna"), &id()).unwrap_err();
    assert_eq!(refused.code(), "corrupt");
    assert_eq!(field.compass.send_not_fired(&NotFiredFilter::default(), Some("anna")).unwrap(), 0);
    field.flush();
    assert_eq!(field.transport.requests().len(), 0);
}
