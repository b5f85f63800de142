//! Reads the elements of a document into the model, one by one, so that all findings come at once.
//!
//! Every element of a list gives exactly one element of the model (a placeholder where it could not be read), so that indexes of the model
//! are those of the document. An empty key or reference could not be read, and already has a finding.

use super::code::Code;
use super::field;
use super::limit::*;
use super::node::Node;
use super::reader::{Need, Object, Reader, Shape};
use super::requires;
use crate::model::{
    ActionDefinition, ActionKind, Answer, Integration, Response, ResponseKind, Section, WORKFLOW_FORMAT, Workflow, WorkflowRef,
};

/// What could be read of a document.
pub(super) enum Document {
    /// All of it.
    Whole(Workflow),
    /// Only its name and version. It requires names that this core does not know, so nothing more can be linted.
    Named(WorkflowRef),
}

/// Reads a document. `None` when nothing of it can be linted: it is not an object, or has an unknown format.
pub(super) fn document(reader: &mut Reader, root: &Node) -> Option<Document> {
    let object = reader.object(root, String::new())?;
    if let Some(Node::Integer(format)) = object.get("format")
        && *format != i64::from(WORKFLOW_FORMAT)
    {
        let message = format!("The format {format} is not known; this release of the core reads format {WORKFLOW_FORMAT}.");
        reader.add(Code::UnknownFormat, object.at("format"), message);
        return None;
    }
    let known = i64::from(WORKFLOW_FORMAT);
    reader.integer(&object, "format", Need::Required, known..=known, Code::UnknownFormat);
    let unknown = requires::read(reader, &object);
    let key = reader.key(&object, "key");
    let version = reader.integer32(&object, "version", Need::Required, 1..=MAX_VERSION, Code::OutOfRange).unwrap_or(1);
    let local_revision = reader.integer32(&object, "local_revision", Need::Optional, 0..=MAX_VERSION, Code::OutOfRange).unwrap_or(0);
    if !unknown.is_empty() {
        return Some(Document::Named(requires::reference(reader, &object, key, version, local_revision)));
    }
    requires::bound(reader, &object, requires::OF_DOCUMENT);
    Some(Document::Whole(Workflow {
        format: WORKFLOW_FORMAT,
        key,
        version,
        local_revision,
        name: reader.name(&object),
        description: reader.shown(&object, "description", Need::Optional, Shape::Lines, MAX_DESCRIPTION_LENGTH),
        start: reader.key(&object, "start"),
        fields: reader.elements(&object, "fields", Need::Optional, MAX_FIELDS, field::definition),
        responses: reader.elements(&object, "responses", Need::Optional, MAX_RESPONSES, response),
        sections: sections(reader, &object),
    }))
}

fn sections(reader: &mut Reader, object: &Object) -> Vec<Section> {
    if matches!(object.get("sections"), Some(Node::List(sections)) if sections.is_empty()) {
        reader.add(Code::TooFew, object.at("sections"), "A workflow needs a section; add the one it starts in.");
    }
    reader.elements(object, "sections", Need::Required, MAX_SECTIONS, section)
}

fn content(reader: &mut Reader, object: &Object) -> String {
    reader.shown(object, "content", Need::Optional, Shape::Lines, MAX_CONTENT_LENGTH).unwrap_or_default()
}

/// Keys of fields. One that could not be read is empty.
fn field_keys(reader: &mut Reader, object: &Object, member: &str, most: usize) -> Vec<String> {
    let listed = reader.list(object, member, Need::Optional, most);
    let mut fields: Vec<_> = listed.iter().map(|(node, pointer)| reader.key_node(node, pointer)).collect();
    if listed.unreadable {
        fields.push(String::new());
    }
    fields
}

fn section(reader: &mut Reader, object: &Object) -> Section {
    let fields = field_keys(reader, object, "fields", MAX_FIELDS_PER_SECTION);
    Section {
        key: reader.key(object, "key"),
        name: reader.name(object),
        content: content(reader, object),
        fields,
        answers: reader.elements(object, "answers", Need::Optional, MAX_ANSWERS_PER_SECTION, answer),
        actions: reader.elements(object, "actions", Need::Optional, MAX_ACTIONS_PER_SECTION, action),
        win: reader.flag(object, "win"),
    }
}

fn answer(reader: &mut Reader, object: &Object) -> Answer {
    requires::bound(reader, object, requires::OF_ANSWER);
    let next = match object.get("next") {
        // Editors write null while an answer is not linked.
        None | Some(Node::Null) => None,
        Some(node) => Some(reader.key_node(node, object.at("next"))),
    };
    Answer { key: reader.key(object, "key"), name: reader.name(object), next }
}

fn response(reader: &mut Reader, object: &Object) -> Response {
    let kinds = [("objection", ResponseKind::Objection), ("customer_question", ResponseKind::CustomerQuestion)];
    Response {
        key: reader.key(object, "key"),
        name: reader.name(object),
        kind: reader.word(object, "kind", &kinds).unwrap_or(ResponseKind::Objection),
        content: content(reader, object),
    }
}

fn action(reader: &mut Reader, object: &Object) -> ActionDefinition {
    requires::bound(reader, object, requires::OF_ACTION);
    if object.get("fields").is_some() && object.get("fields_except").is_some() {
        let message = "An action lists either the fields that it sends, in `fields`, or those that it leaves out; remove one of the two.";
        reader.add(Code::ConflictingMembers, object.at("fields_except"), message);
    }
    ActionDefinition {
        key: reader.key(object, "key"),
        name: reader.name(object),
        integration: reader.word(object, "integration", &[("webhooks", Integration::Webhooks)]).unwrap_or(Integration::Webhooks),
        kind: reader.word(object, "kind", &[("send_message", ActionKind::SendMessage)]).unwrap_or(ActionKind::SendMessage),
        endpoint: reader.key(object, "endpoint"),
        sends_edits: object.get("on_edit").is_some()
            && reader.word(object, "on_edit", &[("ask", false), ("send", true)]).unwrap_or_default(),
        fields: object.get("fields").is_some().then(|| field_keys(reader, object, "fields", MAX_FIELDS)),
        fields_except: field_keys(reader, object, "fields_except", MAX_FIELDS),
    }
}
