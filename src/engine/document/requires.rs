//! What a core must know to run a document: the member `requires`, a list of names. It is read first, because a document that requires unknown
//! names cannot be linted by the rules of this core.

use serde::Deserialize;

use super::code::{Code, Findings, quoted};
use super::limit::{MAX_NAME_LENGTH, MAX_REQUIRES};
use super::node::Node;
use super::reader::{Need, Object, Reader, Shape};
use crate::model::{Finding, WorkflowRef};

/// The names that this core knows: none yet.
const KNOWN: &[&str] = &[];

fn is_known(name: &str) -> bool {
    KNOWN.contains(&name)
}

/// Reads the names that a document requires and gives the unknown ones, each once. Each of them is a finding.
pub(super) fn read(reader: &mut Reader, object: &Object) -> Vec<String> {
    let listed = reader.list(object, "requires", Need::Optional, MAX_REQUIRES);
    let mut unknown = Vec::new();
    for (node, pointer) in listed.iter() {
        let name = reader.key_node(node, pointer.clone());
        if !name.is_empty() && !is_known(&name) && !unknown.contains(&name) {
            reader.add(Code::RequiresNewerCore, pointer, needs(&name));
            unknown.push(name);
        }
    }
    unknown
}

/// Members that only have a meaning where `requires` contains their name.
pub(super) type Bound = &'static [(&'static str, &'static str)];
/// Those of the document itself.
pub(super) const OF_DOCUMENT: Bound = &[("title", "logic"), ("lists", "lists")];
/// Those of a field.
pub(super) const OF_FIELD: Bound = &[
    ("visible_if", "logic"),
    ("required_if", "logic"),
    ("calculate", "logic"),
    ("default", "logic"),
    ("checks", "logic"),
    ("label", "logic"),
    ("options_from", "lists"),
];
/// Those of an answer.
pub(super) const OF_ANSWER: Bound = &[("enabled_if", "logic")];
/// Those of an action.
pub(super) const OF_ACTION: Bound = &[("when", "logic"), ("files", "files")];

/// Reports members whose requirement is not named: every core would ignore them. Called when all named requirements are known, and none is
/// known yet.
pub(super) fn bound(reader: &mut Reader, object: &Object, members: Bound) {
    for (member, requirement) in members.iter().filter(|(member, _)| object.get(member).is_some()) {
        let message = format!("`{member}` only has a meaning if `requires` contains `{requirement}`; add it there, or remove this.");
        reader.add(Code::MissingRequirement, object.at(member), message);
    }
}

/// The name of a workflow that this core cannot read further. A newer core may accept an object of texts, the default first.
pub(super) fn name_of_unknown(reader: &mut Reader, object: &Object, key: &str) -> String {
    let Some(Node::Object(by_language)) = object.get("name") else {
        // A document that requires `logic` may mean what this version would warn about.
        return reader.text(object, "name", Need::Required, Shape::Name, MAX_NAME_LENGTH).unwrap_or_default();
    };
    let mut texts = by_language.iter().filter_map(|(_, node)| if let Node::Text(text) = node { Some(text) } else { None });
    let shown = texts.find(|text| !text.trim().is_empty() && !text.chars().any(char::is_control)).map_or(key, String::as_str);
    shown.chars().take(MAX_NAME_LENGTH).collect()
}

/// The findings about a document that requires these unknown names.
pub(crate) fn requires_newer_core(unknown: &[String]) -> Vec<Finding> {
    let mut findings = Findings::default();
    for name in unknown {
        findings.add(Code::RequiresNewerCore, "/requires", needs(name));
    }
    findings.in_order_of(None)
}

fn needs(name: &str) -> String {
    format!("This workflow needs {}, which this release of the core does not know; update the app.", quoted(name))
}

/// The unknown names that a stored document requires. Nothing else of it is read, and nothing is linted; a value that is not a list of names
/// requires nothing.
pub(crate) fn unknown_requirements(document: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        requires: serde_json::Value,
    }
    let head: Option<Head> = std::str::from_utf8(document).ok().and_then(|document| serde_json::from_str(document).ok());
    let listed = head.and_then(|head| match head.requires {
        serde_json::Value::Array(names) => Some(names),
        _ => None,
    });
    let names = listed.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned));
    names.filter(|name| !is_known(name)).collect()
}

/// A document that this core can name but not run.
pub(super) fn reference(reader: &mut Reader, object: &Object, key: String, version: u32, local_revision: u32) -> WorkflowRef {
    let name = name_of_unknown(reader, object, &key);
    WorkflowRef { key, name, version, local_revision }
}
