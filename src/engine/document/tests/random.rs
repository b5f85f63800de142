//! What holds for every document.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::author::{action, workflow};
use super::{BOILER, METER, SITE, VISIT};
use crate::engine::document::*;

fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("a".to_owned()),
        Just("key".to_owned()),
        Just("options".to_owned()),
        Just("text".to_owned()),
        Just("multiple_choice".to_owned()),
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_example() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![BOILER, SITE, METER, VISIT]).prop_map(|text| serde_json::from_str(text).expect("an example is JSON"))
}

/// Puts a value at some place of the document; the numbers choose the way down.
fn put_at(document: &mut Value, path: &[usize], value: Value) {
    let next = match (document, path) {
        (Value::Object(members), [step, rest @ ..]) if !members.is_empty() => {
            let step = step % members.len();
            members.values_mut().nth(step).map(|next| (next, rest))
        }
        (Value::Array(elements), [step, rest @ ..]) if !elements.is_empty() => {
            let step = step % elements.len();
            elements.get_mut(step).map(|next| (next, rest))
        }
        (place, _) => {
            *place = value;
            return;
        }
    };
    if let Some((next, rest)) = next {
        put_at(next, rest, value);
    }
}

/// For every document: every finding has a place and words, the same bytes give the same answer, and the parts of it agree.
fn linted_well(document: &[u8]) -> Result<(), TestCaseError> {
    let parsed = parse(document);
    prop_assert_eq!(&parsed, &parse(document));
    prop_assert_eq!(parsed.workflow.is_some(), parsed.hash.is_some());
    prop_assert_eq!(parsed.workflow.is_some(), parsed.worst() != Some(Severity::Error));
    let value: Option<Value> = serde_json::from_slice(document).ok();
    for finding in &parsed.findings {
        prop_assert!(Code::ALL.iter().any(|code| code.as_str() == finding.code));
        prop_assert!(finding.message.ends_with('.'), "{}", finding.message);
        if let Some(value) = &value {
            prop_assert!(value.pointer(&finding.pointer).is_some(), "{} is nowhere", finding.pointer);
        }
    }
    if let Some(workflow) = parsed.workflow {
        prop_assert_eq!(Ok(workflow), serde_json::from_slice(document).map_err(|error| error.to_string()));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_json_is_linted(document in any_json()) {
        linted_well(document.to_string().as_bytes())?;
    }

    #[test]
    fn any_bytes_are_linted(document in any::<Vec<u8>>()) {
        linted_well(&document)?;
    }

    #[test]
    fn examples_with_mistakes_are_linted(
        mut document in any_example(),
        changes in prop::collection::vec((prop::collection::vec(any::<usize>(), 1..6), any_json()), 1..4),
    ) {
        for (path, value) in changes {
            put_at(&mut document, &path, value);
        }
        linted_well(document.to_string().as_bytes())?;
    }

    #[test]
    fn the_canonical_form_is_its_own(document in any_json()) {
        if let Ok(once) = canonical(document.to_string().as_bytes()) {
            prop_assert_eq!(serde_json::from_str::<Value>(&once).expect("it is JSON"), document);
            prop_assert_eq!(canonical(once.as_bytes()), Ok(once));
        }
    }

    #[test]
    fn adding_and_removing_an_action_leaves_the_document_as_it_was(document in any_example(), section in any::<prop::sample::Index>()) {
        let bytes = document.to_string().into_bytes();
        let before = parse(&bytes).workflow.expect("an example is valid");
        let section = &section.get(&before.sections).key;
        let added = add_action(&bytes, section, &action("added")).expect("it can be added");
        prop_assert!(workflow(&added).action("added").is_some());
        let removed = remove_action(&added.document, section, "added").expect("it can be removed");
        let mut after: Value = serde_json::from_slice(&removed.document).expect("it is JSON");
        prop_assert_eq!(after.as_object_mut().expect("an object").remove("local_revision"), Some(json!(2)));
        prop_assert_eq!(after, document);
    }
}
