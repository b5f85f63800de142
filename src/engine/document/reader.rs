//! Reads members of a document by name and type, and reports each that is not what it must be.

use std::ops::RangeInclusive;

use super::code::{Code, Findings, quoted};
use super::limit::MAX_NAME_LENGTH;
use super::node::Node;
use crate::model::{MAX_KEY_LENGTH, is_key};

/// An object of the document and its pointer.
pub(super) struct Object<'a> {
    members: &'a [(String, Node)],
    pub(super) pointer: String,
}

impl<'a> Object<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&'a Node> {
        self.members.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// The pointer of a member; names of the format need no escapes.
    pub(super) fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.pointer)
    }
}

/// A list of the document and its pointer.
pub(super) struct List<'a> {
    elements: &'a [Node],
    pointer: String,
    /// Whether a part of it was not read: it is not a list, is missing, or is longer than its limit.
    pub(super) unreadable: bool,
}

impl<'a> List<'a> {
    /// The elements with their pointers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a Node, String)> {
        self.elements.iter().enumerate().map(|(index, node)| (node, format!("{}/{index}", self.pointer)))
    }
}

/// Whether a member must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
}

/// The form of a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One line, not blank.
    Name,
    /// Any lines.
    Lines,
}

/// Reads typed values and collects their findings. A value that cannot be read gives `None`, or an empty text for a key, and always has a
/// finding.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) findings: Findings,
    /// Characters of examples that were matched with a pattern.
    pub(super) matched: usize,
}

impl Reader {
    pub(super) fn add(&mut self, code: Code, pointer: impl AsRef<str>, message: impl Into<String>) {
        self.findings.add(code, pointer, message);
    }

    fn wrong_type(&mut self, node: &Node, pointer: impl AsRef<str>, expected: &str) {
        if *node != Node::Refused {
            self.add(Code::WrongType, pointer, format!("This is {}; write {expected} here.", node.describe()));
        }
    }

    fn member<'a>(&mut self, object: &Object<'a>, name: &str, need: Need) -> Option<&'a Node> {
        let node = object.get(name);
        if node.is_none() && need == Need::Required {
            self.add(Code::MissingMember, &*object.pointer, format!("The member `{name}` is missing; add it."));
        }
        node
    }

    pub(super) fn object<'a>(&mut self, node: &'a Node, pointer: String) -> Option<Object<'a>> {
        match node {
            Node::Object(members) => Some(Object { members, pointer }),
            _ => {
                self.wrong_type(node, pointer, "an object");
                None
            }
        }
    }

    /// The readable elements of a list.
    pub(super) fn list<'a>(&mut self, object: &Object<'a>, name: &str, need: Need, most: usize) -> List<'a> {
        let pointer = object.at(name);
        match self.member(object, name, need) {
            None => List { elements: &[], pointer, unreadable: need == Need::Required },
            Some(Node::List(elements)) if elements.len() > most => {
                let message = format!("This list has {} elements; at most {most} are allowed.", elements.len());
                self.add(Code::TooMany, &*pointer, message);
                List { elements: &elements[..most], pointer, unreadable: true }
            }
            Some(Node::List(elements)) => List { elements, pointer, unreadable: false },
            Some(node) => {
                self.wrong_type(node, &*pointer, "a list");
                List { elements: &[], pointer, unreadable: true }
            }
        }
    }

    /// A key that must be there.
    pub(super) fn key(&mut self, object: &Object, name: &str) -> String {
        self.member(object, name, Need::Required).map(|node| self.key_node(node, object.at(name))).unwrap_or_default()
    }

    pub(super) fn key_node(&mut self, node: &Node, pointer: String) -> String {
        let Node::Text(text) = node else {
            self.wrong_type(node, pointer, "a key as text");
            return String::new();
        };
        if !is_key(text) {
            let message = format!(
                "{} cannot be a key; write a letter or digit, then letters, digits, `_`, `.` or `-`, at most {MAX_KEY_LENGTH} characters.",
                quoted(text)
            );
            self.add(Code::BadKey, pointer, message);
        }
        text.clone()
    }

    pub(super) fn text(&mut self, object: &Object, name: &str, need: Need, shape: Shape, longest: usize) -> Option<String> {
        let node = self.member(object, name, need)?;
        let pointer = object.at(name);
        let Node::Text(text) = node else {
            self.wrong_type(node, pointer, "a text");
            return None;
        };
        let length = text.chars().count();
        if length > longest {
            self.add(Code::TooLong, &*pointer, format!("This text has {length} characters; at most {longest} are allowed."));
        }
        let several_lines = shape == Shape::Lines;
        if text.chars().any(|c| c.is_control() && !(several_lines && (c == '\n' || c == '\t'))) {
            let allowed = if several_lines { "only newline (\\n) and tab are" } else { "none is" };
            self.add(Code::BadText, pointer, format!("This text contains a control character; {allowed} allowed."));
        } else if !several_lines && text.trim().is_empty() {
            self.add(Code::BadText, pointer, "This text is blank; write a text for the technician.");
        }
        Some(text.clone())
    }

    /// A text that people see.
    pub(super) fn shown(&mut self, object: &Object, name: &str, need: Need, shape: Shape, longest: usize) -> Option<String> {
        let text = self.text(object, name, need, shape, longest)?;
        if text.contains("${") {
            let message =
                "`${` is shown as it is written: this release of the core does not replace it with a value. Write the text without it.";
            self.add(Code::LiteralTemplate, object.at(name), message);
        }
        Some(text)
    }

    pub(super) fn flag(&mut self, object: &Object, name: &str) -> bool {
        match object.get(name) {
            None => false,
            Some(Node::Bool(value)) => *value,
            Some(node) => {
                self.wrong_type(node, object.at(name), "true or false");
                false
            }
        }
    }

    /// An integer within a range; outside of it the given code is reported.
    pub(super) fn integer(&mut self, object: &Object, name: &str, need: Need, range: RangeInclusive<i64>, code: Code) -> Option<i64> {
        let node = self.member(object, name, need)?;
        let Node::Integer(value) = node else {
            self.wrong_type(node, object.at(name), "an integer");
            return None;
        };
        if !range.contains(value) {
            let message = format!("{value} is not allowed here; write an integer from {} to {}.", range.start(), range.end());
            self.add(code, object.at(name), message);
            return None;
        }
        Some(*value)
    }

    /// An integer within a range that fits 32 bits.
    pub(super) fn integer32(&mut self, object: &Object, name: &str, need: Need, range: RangeInclusive<u32>, code: Code) -> Option<u32> {
        let range = i64::from(*range.start())..=i64::from(*range.end());
        self.integer(object, name, need, range, code).and_then(|value| u32::try_from(value).ok())
    }

    /// A short text whose shape the caller checks.
    pub(super) fn plain(&mut self, object: &Object, name: &str) -> Option<String> {
        let node = object.get(name)?;
        let Node::Text(text) = node else {
            self.wrong_type(node, object.at(name), "a text");
            return None;
        };
        Some(text.clone())
    }

    /// One of the allowed words.
    pub(super) fn word<T: Copy>(&mut self, object: &Object, name: &str, words: &[(&str, T)]) -> Option<T> {
        let node = self.member(object, name, Need::Required)?;
        let Node::Text(text) = node else {
            self.wrong_type(node, object.at(name), "a text");
            return None;
        };
        let found = words.iter().find(|(word, _)| word == text).map(|(_, value)| *value);
        if found.is_none() {
            let known: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            let message = format!("{} is not known here; write one of {}.", quoted(text), known.join(", "));
            self.add(Code::UnknownValue, object.at(name), message);
        }
        found
    }

    pub(super) fn name(&mut self, object: &Object) -> String {
        self.shown(object, "name", Need::Required, Shape::Name, MAX_NAME_LENGTH).unwrap_or_default()
    }

    /// Reads each element of a list of objects. The unreadable part of the list becomes one placeholder at its end.
    pub(super) fn elements<T>(
        &mut self,
        object: &Object,
        name: &str,
        need: Need,
        most: usize,
        read: fn(&mut Reader, &Object) -> T,
    ) -> Vec<T> {
        let placeholder = || {
            // Its members are missing too, but the finding about the whole element covers that.
            let mut silent = Reader::default();
            let nothing = Node::Object(Vec::new());
            let object = silent.object(&nothing, String::new()).expect("it is an object");
            read(&mut silent, &object)
        };
        let list = self.list(object, name, need, most);
        let mut elements = Vec::new();
        for (node, pointer) in list.iter() {
            elements.push(self.object(node, pointer).map_or_else(placeholder, |object| read(self, &object)));
        }
        if list.unreadable {
            elements.push(placeholder());
        }
        elements
    }
}
