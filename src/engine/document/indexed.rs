//! A workflow in which sections, answers and fields are found by their keys.

use std::ops::Deref;

use crate::model::{Answer, FieldDefinition, Section, Workflow};
use crate::sorted::sort;

/// A workflow with the order of its keys. Made once for each document: a tap that had to search the document, or to make a table of its keys,
/// would cost more the longer the document is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedWorkflow {
    workflow: Workflow,
    /// Places of sections, in the order of their keys.
    sections: Vec<usize>,
    /// Places of fields in the library, in the order of their keys.
    fields: Vec<usize>,
    /// Places of sections, and of answers in them, in the order of places and keys.
    answers: Vec<(usize, usize)>,
    /// Of each section the places of the fields that it asks, in its order. A key that the library does not have is left out.
    asked: Vec<Vec<usize>>,
}

impl From<Workflow> for IndexedWorkflow {
    fn from(workflow: Workflow) -> Self {
        let sections = ordered(workflow.sections.len(), |place| workflow.sections[place].key.as_str());
        let fields = ordered(workflow.fields.len(), |place| workflow.fields[place].key.as_str());
        let in_section = |(place, section): (usize, &Section)| {
            ordered(section.answers.len(), |answer| section.answers[answer].key.as_str()).into_iter().map(move |answer| (place, answer))
        };
        let answers = workflow.sections.iter().enumerate().flat_map(in_section).collect();
        let mut indexed = Self { workflow, sections, fields, answers, asked: Vec::new() };
        let asked = |section: &Section| section.fields.iter().filter_map(|key| indexed.place_of_field(key)).collect();
        indexed.asked = indexed.workflow.sections.iter().map(asked).collect();
        indexed
    }
}

impl Deref for IndexedWorkflow {
    type Target = Workflow;

    fn deref(&self) -> &Workflow {
        &self.workflow
    }
}

impl IndexedWorkflow {
    /// The section with this key.
    pub fn section(&self, key: &str) -> Option<&Section> {
        self.place_of_section(key).map(|place| &self.workflow.sections[place])
    }

    /// The definition of this field in the library.
    pub fn field(&self, key: &str) -> Option<&FieldDefinition> {
        self.place_of_field(key).map(|place| &self.workflow.fields[place])
    }

    pub(crate) fn place_of_section(&self, key: &str) -> Option<usize> {
        found(&self.sections, key, |place| self.workflow.sections[*place].key.as_str())
    }

    pub(crate) fn place_of_field(&self, key: &str) -> Option<usize> {
        found(&self.fields, key, |place| self.workflow.fields[*place].key.as_str())
    }

    /// The places of the fields that the section at this place asks.
    pub(crate) fn asked(&self, section: usize) -> &[usize] {
        &self.asked[section]
    }

    /// These values by the places of their fields, for each field of the library. `values` is in the order of keys.
    pub(crate) fn by_place<'v, V>(&self, values: impl Iterator<Item = (&'v String, &'v V)>) -> Vec<Option<&'v V>> {
        let mut found = vec![None; self.workflow.fields.len()];
        let mut rest = self.fields.as_slice();
        for (key, value) in values {
            // Often each field holds something: then it is the next one.
            let is_next = rest.first().is_some_and(|place| self.workflow.fields[*place].key == *key);
            if !is_next {
                rest = &rest[rest.partition_point(|place| self.workflow.fields[*place].key < *key)..];
            }
            let Some((place, behind)) = rest.split_first() else { break };
            if self.workflow.fields[*place].key == *key {
                found[*place] = Some(value);
                rest = behind;
            }
        }
        found
    }

    /// An answer of the section at this place.
    pub(crate) fn answer(&self, section: usize, key: &str) -> Option<&Answer> {
        let first = self.answers.partition_point(|(place, _)| *place < section);
        let answers = &self.workflow.sections[section].answers;
        let own = &self.answers[first..first + answers.len()];
        found(own, key, |(_, answer)| answers[*answer].key.as_str()).map(|(_, answer)| &answers[answer])
    }
}

/// Places from 0, in the order of their keys. Of equal keys, which only a damaged document has, the first is found.
fn ordered<'k>(count: usize, key: impl Fn(usize) -> &'k str) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    sort(&mut places, |a, b| (key(*a), *a) < (key(*b), *b));
    places
}

fn found<'k, T: Copy>(ordered: &[T], key: &str, key_of: impl Fn(&T) -> &'k str) -> Option<T> {
    let place = ordered.partition_point(|item| key_of(item) < key);
    ordered.get(place).filter(|item| key_of(item) == key).copied()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sections_answers_and_fields_are_found_whatever_their_order() {
        let section = |key: &str, answers: &[&str]| {
            let answers: Vec<_> = answers.iter().map(|key| json!({ "key": key, "name": format!("Name of {key}") })).collect();
            json!({ "key": key, "name": key, "answers": answers })
        };
        let field = |key: &str| json!({ "key": key, "name": key, "type": "text" });
        let document = json!({
            "format": 1, "key": "w", "version": 1, "name": "W", "start": "b",
            "fields": [field("z"), field("a"), field("m")],
            "sections": [section("b", &["no", "go"]), section("c", &[]), section("a", &["go", "back", "again"])],
        });
        let workflow = IndexedWorkflow::from(serde_json::from_value::<Workflow>(document).unwrap());
        for key in ["a", "b", "c"] {
            assert_eq!(workflow.section(key).unwrap().key, key);
        }
        for key in ["a", "m", "z"] {
            assert_eq!(workflow.field(key).unwrap().key, key);
        }
        assert!(workflow.section("").is_none() && workflow.section("d").is_none() && workflow.field("b").is_none());
        let names = |section: &str| {
            let place = workflow.place_of_section(section).unwrap();
            ["again", "back", "go", "no", "x"].map(|key| workflow.answer(place, key).map(|answer| answer.key.clone()).unwrap_or_default())
        };
        assert_eq!(names("a"), ["again", "back", "go", "", ""]);
        assert_eq!(names("b"), ["", "", "go", "no", ""]);
        assert_eq!(names("c"), ["", "", "", "", ""]);
    }

    #[test]
    fn values_and_asked_fields_are_found_by_their_places() {
        let field = |key: &str| json!({ "key": key, "name": key, "type": "text" });
        let document = json!({
            "format": 1, "key": "w", "version": 1, "name": "W", "start": "s",
            "fields": [field("z"), field("a"), field("m"), field("q"), field("b")],
            "sections": [{ "key": "s", "name": "S", "answers": [], "fields": ["m", "gone", "z"] }, { "key": "t", "name": "T", "answers": [] }],
        });
        let workflow = IndexedWorkflow::from(serde_json::from_value::<Workflow>(document).unwrap());
        assert_eq!((workflow.asked(0), workflow.asked(1)), (&[2, 0][..], &[][..]));
        for (held, expected) in [
            (vec![], [None; 5]),
            (vec!["a", "b", "m", "q", "z"], ["z", "a", "m", "q", "b"].map(Some)),
            (vec!["", "a", "c", "q", "r"], [None, Some("a"), None, Some("q"), None]),
            (vec!["m", "zz"], [None, None, Some("m"), None, None]),
        ] {
            let held: Vec<(String, &str)> = held.into_iter().map(|key| (key.to_owned(), key)).collect();
            let found = workflow.by_place(held.iter().map(|(key, value)| (key, value)));
            assert_eq!(found.into_iter().map(|value| value.copied()).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn of_equal_keys_the_first_is_found() {
        let field = |name: &str| json!({ "key": "k", "name": name, "type": "text" });
        let document = json!({
            "format": 1, "key": "w", "version": 1, "name": "W", "start": "s", "fields": [field("one"), field("two"), field("three")], "sections": [],
        });
        let workflow = IndexedWorkflow::from(serde_json::from_value::<Workflow>(document).unwrap());
        assert_eq!(workflow.field("k").unwrap().name, "one");
    }
}
