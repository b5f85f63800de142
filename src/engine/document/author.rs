//! Authoring: changes to the actions of a section, as pure functions on a document.
//!
//! A change works on the document itself and not on the model, so unknown members are kept, in their order.
//! Each gives a new document with the next local revision; the given one, and every session on it, is untouched.

use serde::Serialize;

use super::json;
use super::limit::MAX_VERSION;
use super::node::Node;
use super::{code::Findings, code::quoted, lint, read_json};
use crate::model::{ActionDefinition, Finding, echoed};

/// A changed document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authored {
    /// The new document: JSON, indented by two spaces.
    pub document: Vec<u8>,
    /// All findings about it, as [`super::parse`] gives them; an error among them means that it would not be imported.
    pub findings: Vec<Finding>,
}

/// Why a document was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthoringError {
    /// The document cannot be read as far as the change needs; fix it first.
    #[error("the document cannot be changed: {}", findings.first().map_or("it cannot be read", |finding| finding.message.as_str()))]
    Unreadable {
        /// What is wrong with it.
        findings: Vec<Finding>,
    },
    /// The document has no such section.
    #[error("the document has no section {}", quoted(section))]
    UnknownSection {
        /// The key that was asked for.
        section: String,
    },
    /// The section has no such action.
    #[error("the section {} has no action {}", quoted(section), quoted(action))]
    UnknownAction {
        /// The key of the section.
        section: String,
        /// The key that was asked for.
        action: String,
    },
    /// The document has an action with this key already; keys of actions are unique in the whole document.
    #[error("the document has an action {} already", quoted(action))]
    DuplicateAction {
        /// The key that is already used.
        action: String,
    },
}

/// Adds an action at the end of a section's actions.
///
/// # Errors
/// When the document cannot be read, the section is not there, or an action of the document has the key already.
pub fn add_action(document: &[u8], section: &str, action: &ActionDefinition) -> Result<Authored, AuthoringError> {
    change(document, section, |root, place| {
        if has_action(root, &action.key) {
            return Err(AuthoringError::DuplicateAction { action: echoed(&action.key) });
        }
        let members = section_members(root, place);
        let added = action_node(action);
        match members.iter_mut().find(|(name, _)| name == "actions") {
            Some((_, Node::List(actions))) => actions.push(added),
            Some(_) => return Err(AuthoringError::Unreadable { findings: lint(document, None) }),
            None => members.push(("actions".to_owned(), Node::List(vec![added]))),
        }
        Ok(())
    })
}

/// Replaces an action with another one in the same section. Unknown members of the old one stay.
///
/// # Errors
/// When the document cannot be read, the section or the action is not there, or another action has the new key already.
pub fn replace_action(document: &[u8], section: &str, key: &str, action: &ActionDefinition) -> Result<Authored, AuthoringError> {
    change(document, section, |root, place| {
        let index = action_index(root, place, section, key)?;
        if action.key != key && has_action(root, &action.key) {
            return Err(AuthoringError::DuplicateAction { action: echoed(&action.key) });
        }
        if let (Node::Object(old), Node::Object(new)) = (&mut actions(root, place)[index], action_node(action)) {
            // Left out where they say what is so without them.
            old.retain(|(name, _)| !["on_edit", "fields", "fields_except"].contains(&name.as_str()));
            for (name, value) in new {
                match old.iter_mut().find(|(member, _)| *member == name) {
                    Some((_, member)) => *member = value,
                    None => old.push((name, value)),
                }
            }
        }
        Ok(())
    })
}

/// Removes an action of a section. An empty list of actions is removed with its last one.
///
/// # Errors
/// When the document cannot be read, or the section or the action is not there.
pub fn remove_action(document: &[u8], section: &str, key: &str) -> Result<Authored, AuthoringError> {
    change(document, section, |root, place| {
        let index = action_index(root, place, section, key)?;
        actions(root, place).remove(index);
        if actions(root, place).is_empty() {
            section_members(root, place).retain(|(name, _)| name != "actions");
        }
        Ok(())
    })
}

fn change(
    document: &[u8],
    section: &str,
    edit: impl FnOnce(&mut Node, usize) -> Result<(), AuthoringError>,
) -> Result<Authored, AuthoringError> {
    let unreadable = |findings| AuthoringError::Unreadable { findings };
    let mut root = read_json(document).map_err(unreadable)?;
    // The revision first: this also checks that the document is an object.
    if raise_revision(&mut root).is_none() {
        return Err(unreadable(lint(document, None)));
    }
    let place = sections(&root)
        .iter()
        .position(|candidate| text_member(candidate, "key") == Some(section))
        .ok_or_else(|| AuthoringError::UnknownSection { section: echoed(section) })?;
    edit(&mut root, place)?;
    let document = serde_json::to_vec_pretty(&root).expect("a document can be written as JSON");
    let findings = lint(&document, None);
    Ok(Authored { document, findings })
}

/// Raises the local revision by one; `None` when there is none that can be raised.
fn raise_revision(root: &mut Node) -> Option<()> {
    let Node::Object(members) = root else { return None };
    match members.iter_mut().find(|(name, _)| name == "local_revision") {
        Some((_, Node::Integer(revision))) if (0..i64::from(MAX_VERSION)).contains(revision) => *revision += 1,
        Some(_) => return None,
        None => {
            let after_version = members.iter().position(|(name, _)| name == "version").map_or(members.len(), |index| index + 1);
            members.insert(after_version, ("local_revision".to_owned(), Node::Integer(1)));
        }
    }
    Some(())
}

fn member<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    match node {
        Node::Object(members) => members.iter().find(|(member, _)| member == name).map(|(_, value)| value),
        _ => None,
    }
}

fn text_member<'a>(node: &'a Node, name: &str) -> Option<&'a str> {
    match member(node, name) {
        Some(Node::Text(text)) => Some(text),
        _ => None,
    }
}

fn list_member<'a>(node: &'a Node, name: &str) -> &'a [Node] {
    match member(node, name) {
        Some(Node::List(elements)) => elements,
        _ => &[],
    }
}

fn sections(root: &Node) -> &[Node] {
    list_member(root, "sections")
}

fn has_action(root: &Node, key: &str) -> bool {
    sections(root).iter().flat_map(|section| list_member(section, "actions")).any(|action| text_member(action, "key") == Some(key))
}

fn action_index(root: &Node, place: usize, section: &str, key: &str) -> Result<usize, AuthoringError> {
    list_member(&sections(root)[place], "actions")
        .iter()
        .position(|action| text_member(action, "key") == Some(key))
        .ok_or_else(|| AuthoringError::UnknownAction { section: echoed(section), action: echoed(key) })
}

/// The members of a section that was found before.
fn section_members(root: &mut Node, place: usize) -> &mut Vec<(String, Node)> {
    let Node::Object(members) = root else { unreachable!("a section was found in it") };
    let sections = members.iter_mut().find(|(name, _)| name == "sections");
    let Some((_, Node::List(sections))) = sections else { unreachable!("a section was found in it") };
    let Node::Object(section) = &mut sections[place] else { unreachable!("it was found by its key") };
    section
}

/// The actions of a section in which one was found before.
fn actions(root: &mut Node, place: usize) -> &mut Vec<Node> {
    let actions = section_members(root, place).iter_mut().find(|(name, _)| name == "actions");
    let Some((_, Node::List(actions))) = actions else { unreachable!("an action was found in it") };
    actions
}

/// The action as a node of a document, its members in the order of the model.
fn action_node(action: &impl Serialize) -> Node {
    let text = serde_json::to_string(action).expect("an action can be written as JSON");
    json::read_text(&text, &mut Findings::default()).expect("what was just written can be read")
}
