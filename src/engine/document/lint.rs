//! Judges a document as a whole: its keys and references.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;

use super::code::{Code, Findings, quoted};
use super::limit::MAX_ACTIONS;
use crate::model::{Answer, Workflow, is_key};

/// Adds findings about relations between the elements of a workflow. Empty keys and references could not be read, and are skipped.
pub(super) fn lint(workflow: &Workflow, endpoints: Option<&[String]>, findings: &mut Findings) {
    keys(workflow, findings);
    too_many_actions(workflow, findings);
    references(workflow, findings);
    if let Some(endpoints) = endpoints {
        unknown_endpoints(workflow, endpoints, findings);
    }
}

/// Whether an answer, or its target, could not be read.
pub(super) fn unreadable(answer: &Answer) -> bool {
    answer.next.as_deref() == Some("") || (answer.key.is_empty() && answer.name.is_empty())
}

/// Reports each key that was used before.
fn unique<'a>(findings: &mut Findings, what: &str, keys: impl Iterator<Item = (&'a str, String)>) {
    let mut seen: HashMap<&str, String> = HashMap::new();
    for (key, pointer) in keys.filter(|(key, _)| !key.is_empty()) {
        match seen.get(key) {
            Some(first) => {
                let message = format!("The key {} is already used by the {what} at {first}; choose another.", quoted(key));
                findings.add(Code::DuplicateKey, pointer, message);
            }
            None => _ = seen.insert(key, pointer.trim_end_matches("/key").to_owned()),
        }
    }
}

/// The keys of a list of elements with their pointers.
fn keys_of<T>(list: &[T], base: impl Display, key: fn(&T) -> &String) -> impl Iterator<Item = (&str, String)> {
    list.iter().enumerate().map(move |(index, element)| (key(element).as_str(), format!("{base}/{index}/key")))
}

fn keys(workflow: &Workflow, findings: &mut Findings) {
    unique(findings, "field", keys_of(&workflow.fields, "/fields", |field| &field.key));
    unique(findings, "response", keys_of(&workflow.responses, "/responses", |response| &response.key));
    unique(findings, "section", keys_of(&workflow.sections, "/sections", |section| &section.key));
    for (index, field) in workflow.fields.iter().enumerate() {
        unique(findings, "option", keys_of(field.kind.options(), format!("/fields/{index}/options"), |option| &option.key));
    }
    let mut actions = Vec::new();
    for (index, section) in workflow.sections.iter().enumerate() {
        unique(findings, "answer", keys_of(&section.answers, format!("/sections/{index}/answers"), |answer| &answer.key));
        actions.extend(keys_of(&section.actions, format!("/sections/{index}/actions"), |action| &action.key));
    }
    unique(findings, "action", actions.into_iter());
}

/// Reports the section whose actions are one too many for the document.
fn too_many_actions(workflow: &Workflow, findings: &mut Findings) {
    let mut count = 0;
    for (index, section) in workflow.sections.iter().enumerate() {
        count += section.actions.len();
        if count > MAX_ACTIONS {
            let all: usize = workflow.sections.iter().map(|section| section.actions.len()).sum();
            let message = format!("The document has {all} actions; at most {MAX_ACTIONS} are allowed.");
            findings.add(Code::TooMany, format!("/sections/{index}/actions"), message);
            return;
        }
    }
}

fn references(workflow: &Workflow, findings: &mut Findings) {
    let sections: HashSet<&str> = workflow.sections.iter().map(|section| section.key.as_str()).collect();
    let fields: HashSet<&str> = workflow.fields.iter().map(|field| field.key.as_str()).collect();
    // A reference may mean an element whose key could not be read; a reference that cannot be a key already has its finding.
    let unknown = |known: &HashSet<&str>, reference: &str| {
        is_key(reference) && !known.is_empty() && !known.contains("") && !known.contains(reference)
    };
    if unknown(&sections, &workflow.start) {
        let message = format!("There is no section {}; name the one a session begins in.", quoted(&workflow.start));
        findings.add(Code::UnknownSection, "/start", message);
    }
    let mut used = HashSet::new();
    for (index, section) in workflow.sections.iter().enumerate() {
        let mut asked = HashSet::new();
        for (place, field) in section.fields.iter().enumerate() {
            let pointer = format!("/sections/{index}/fields/{place}");
            if unknown(&fields, field) {
                findings.add(Code::UnknownField, pointer, no_field(field));
            } else if !field.is_empty() && !asked.insert(field) {
                findings.add(Code::DuplicateField, pointer, format!("This section already asks {}; remove it here.", quoted(field)));
            }
            used.insert(field.as_str());
        }
        for (place, action) in section.actions.iter().enumerate() {
            let lists = [("fields", action.fields.as_deref().unwrap_or_default()), ("fields_except", &action.fields_except)];
            for (member, listed) in lists {
                let mut seen = HashSet::new();
                for (at, field) in listed.iter().enumerate() {
                    let pointer = format!("/sections/{index}/actions/{place}/{member}/{at}");
                    if unknown(&fields, field) {
                        findings.add(Code::UnknownField, pointer, no_field(field));
                    } else if !field.is_empty() && !seen.insert(field) {
                        findings.add(
                            Code::DuplicateField,
                            pointer,
                            format!("This action already lists {}; remove it here.", quoted(field)),
                        );
                    }
                }
            }
        }
        for (place, answer) in section.answers.iter().enumerate() {
            let pointer = format!("/sections/{index}/answers/{place}");
            match &answer.next {
                None if unreadable(answer) => {}
                None => {
                    let message = format!("The answer {} is not linked; link it to a section with `next`.", quoted(&answer.key));
                    findings.add(Code::UnlinkedAnswer, pointer, message);
                }
                Some(next) if unknown(&sections, next) => {
                    let message = format!("There is no section {}; add it, or link the answer to another one.", quoted(next));
                    findings.add(Code::UnknownSection, format!("{pointer}/next"), message);
                }
                Some(_) => {}
            }
        }
        if section.win && section.answers.iter().any(|answer| !unreadable(answer)) {
            let message = "Only a section without answers ends a session and can be won; remove `win`, or the answers.";
            findings.add(Code::WinOnSectionWithAnswers, format!("/sections/{index}/win"), message);
        }
    }
    if workflow.sections.is_empty() || workflow.sections.iter().any(|section| section.key.is_empty()) || used.contains("") {
        // A part that could not be read may ask any field.
        return;
    }
    for (index, field) in workflow.fields.iter().enumerate() {
        if !field.key.is_empty() && !used.contains(field.key.as_str()) {
            let message = format!("No section asks the field {}; add it to one, or remove it.", quoted(&field.key));
            findings.add(Code::UnusedField, format!("/fields/{index}"), message);
        }
    }
}

fn no_field(field: &str) -> String {
    format!("The library has no field {}; add it to `fields` of the document, or remove it here.", quoted(field))
}

fn unknown_endpoints(workflow: &Workflow, endpoints: &[String], findings: &mut Findings) {
    let known: HashSet<&str> = endpoints.iter().map(String::as_str).collect();
    for (index, section) in workflow.sections.iter().enumerate() {
        for (place, action) in section.actions.iter().enumerate() {
            if is_key(&action.endpoint) && !known.contains(action.endpoint.as_str()) {
                let message = format!("There is no endpoint {}; its messages will wait until it is registered.", quoted(&action.endpoint));
                findings.add(Code::UnknownEndpoint, format!("/sections/{index}/actions/{place}/endpoint"), message);
            }
        }
    }
}
