//! A JSON value as a document needs it: members in the order they were written, numbers that are integers, and one canonical form.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::sorted::sort;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// A JSON value. Objects keep the order of their members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Integer(i64),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
    /// A value that was refused while it was read; a finding says why.
    Refused,
}

impl Node {
    /// What it is, for a message.
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Node::Null => "null",
            Node::Bool(_) => "true or false",
            Node::Integer(_) => "a number",
            Node::Text(_) => "a text",
            Node::List(_) => "a list",
            Node::Object(_) => "an object",
            Node::Refused => "unreadable",
        }
    }

    /// The places of pointers in the document, as numbers in the order in which an author reads. One walk, only along the pointers: a search
    /// for each of them would cost pointers times document.
    pub(super) fn order<'p>(&self, pointers: impl Iterator<Item = &'p str>) -> Vec<usize> {
        let mut root = PointerTree::default();
        let mut count = 0;
        for (index, pointer) in pointers.enumerate() {
            let mut tree = &mut root;
            for token in pointer.split('/').skip(1) {
                let name = if token.contains('~') { token.replace("~1", "/").replace("~0", "~").into() } else { Cow::from(token) };
                tree = tree.next.entry(name).or_default();
            }
            tree.ends.push(index);
            count += 1;
        }
        let mut order = vec![0; count];
        root.number(self, &mut 0, &mut order);
        order
    }

    /// The canonical form of RFC 8785: no white space, members sorted by the UTF-16 code units of their names, shortest escapes.
    pub(super) fn canonical(&self) -> String {
        let mut out = String::new();
        self.write_canonical(&mut out);
        out
    }

    fn write_canonical(&self, out: &mut String) {
        match self {
            Node::Null | Node::Refused => out.push_str("null"),
            Node::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Node::Integer(value) => out.push_str(&value.to_string()),
            Node::Text(text) => write_text(text, out),
            Node::List(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    element.write_canonical(out);
                }
                out.push(']');
            }
            Node::Object(members) => {
                let mut sorted: Vec<_> = members.iter().collect();
                sort(&mut sorted, |(a, _), (b, _)| a.encode_utf16().lt(b.encode_utf16()));
                out.push('{');
                for (index, (name, value)) in sorted.into_iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(name, out);
                    out.push(':');
                    value.write_canonical(out);
                }
                out.push('}');
            }
        }
    }
}

/// The pointers that continue from one place of the document.
#[derive(Default)]
struct PointerTree<'p> {
    /// The pointers that end here, by their index.
    ends: Vec<usize>,
    next: HashMap<Cow<'p, str>, PointerTree<'p>>,
}

impl PointerTree<'_> {
    fn number(mut self, node: &Node, next: &mut usize, order: &mut [usize]) {
        let here = *next;
        *next += 1;
        match node {
            Node::Object(members) => {
                for (name, value) in members {
                    if self.next.is_empty() {
                        break;
                    }
                    if let Some(tree) = self.next.remove(name.as_str()) {
                        tree.number(value, next, order);
                    }
                }
            }
            Node::List(elements) => {
                let index = |token: &str| token.parse::<usize>().ok().filter(|index| *index < elements.len());
                let (mut inside, outside): (Vec<_>, Vec<_>) =
                    self.next.into_iter().map(|(token, tree)| (index(&token), token, tree)).partition(|(index, ..)| index.is_some());
                sort(&mut inside, |(a, ..), (b, ..)| a < b);
                for (index, _, tree) in inside {
                    tree.number(&elements[index.unwrap_or(0)], next, order);
                }
                self.next = outside.into_iter().map(|(_, token, tree)| (token, tree)).collect();
            }
            _ => {}
        }
        self.stay(here, order);
    }

    /// A pointer to a missing place gets the number where its path ends.
    fn stay(self, here: usize, order: &mut [usize]) {
        for index in self.ends {
            order[index] = here;
        }
        for tree in self.next.into_values() {
            tree.stay(here, order);
        }
    }
}

/// RFC 8785 section 3.2.2.2 requires exactly the escapes that `serde_json` writes: `\b \t \n \f \r \" \\`, other controls as `\u00xx` in
/// lower case, and nothing else.
fn write_text(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).expect("a string can be written as JSON"));
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Node::Null | Node::Refused => serializer.serialize_unit(),
            Node::Bool(value) => serializer.serialize_bool(*value),
            Node::Integer(value) => serializer.serialize_i64(*value),
            Node::Text(text) => serializer.serialize_str(text),
            Node::List(elements) => serializer.collect_seq(elements),
            Node::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}
