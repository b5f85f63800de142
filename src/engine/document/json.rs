//! JSON as a document needs it: members in the order they were written, none twice, numbers that are integers, and one canonical form.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::code::{Code, Findings, quoted};
use super::limit::{MAX_DEPTH, MAX_DOCUMENT_BYTES, MAX_INTEGER};

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

    /// Where in the document a pointer lies: the index of each step. Sorting by it gives the order in which an author reads.
    pub(super) fn position(&self, pointer: &str) -> Vec<usize> {
        let mut node = self;
        let mut position = Vec::new();
        for token in pointer.split('/').skip(1) {
            let step = match node {
                Node::List(elements) => token.parse().ok().and_then(|index: usize| elements.get(index).map(|next| (index, next))),
                Node::Object(members) => {
                    let name = token.replace("~1", "/").replace("~0", "~");
                    members.iter().position(|(member, _)| *member == name).map(|index| (index, &members[index].1))
                }
                _ => None,
            };
            let Some((index, next)) = step else { break };
            position.push(index);
            node = next;
        }
        position
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
                sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
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

/// RFC 8785 section 3.2.2.2 asks for exactly the escapes that `serde_json` writes: `\b \t \n \f \r \" \\`, other controls as `\u00xx` in
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

/// Reads a document as JSON. Without a node there is exactly one finding more, and it is an error about the whole text.
pub(super) fn read(bytes: &[u8], findings: &mut Findings) -> Option<Node> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        let message = format!(
            "The document has {} bytes; at most {MAX_DOCUMENT_BYTES} are read. Split the workflow or shorten its texts.",
            bytes.len()
        );
        findings.add(Code::TooLarge, "", message);
        return None;
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let line = good.matches('\n').count() + 1;
            let column = good.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            findings.add(Code::NotUtf8, "", format!("The document is not UTF-8 at line {line}, column {column}; save it as UTF-8."));
            return None;
        }
    };
    if text.starts_with('\u{feff}') {
        findings.add(Code::NotJson, "", "The document begins with a byte order mark at line 1, column 1; save it as UTF-8 without one.");
        return None;
    }
    read_text(text, findings)
}

/// Reads JSON of any size.
pub(super) fn read_text(text: &str, findings: &mut Findings) -> Option<Node> {
    read_to_depth(text, MAX_DEPTH, findings)
}

/// Reads a document that was accepted once, whatever limits there are today.
pub(super) fn read_stored(text: &str, findings: &mut Findings) -> Option<Node> {
    read_to_depth(text, usize::MAX, findings)
}

fn read_to_depth(text: &str, max_depth: usize, findings: &mut Findings) -> Option<Node> {
    let mut reading = Reading { findings, pointer: String::new(), max_depth };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = Seed { reading: &mut reading, depth: 0 }.deserialize(&mut deserializer);
    match read.and_then(|node| deserializer.end().map(|()| node)) {
        Ok(node) => Some(node),
        Err(error) => {
            // The message of serde_json ends with line and column.
            findings.add(Code::NotJson, "", format!("The document is not JSON: {error}. Mend it there."));
            None
        }
    }
}

struct Reading<'a> {
    findings: &'a mut Findings,
    /// Where the reader is, RFC 6901.
    pointer: String,
    /// How deep arrays and objects are read.
    max_depth: usize,
}

impl Reading<'_> {
    fn refuse(&mut self, code: Code, message: String) -> Node {
        self.findings.add(code, self.pointer.clone(), message);
        Node::Refused
    }

    fn number(&mut self, value: Option<i64>) -> Node {
        match value {
            Some(value) if (-MAX_INTEGER..=MAX_INTEGER).contains(&value) => Node::Integer(value),
            _ => self.refuse(
                Code::BadNumber,
                "Numbers of a document are integers within ±9007199254740991, without point or exponent; write others as text.".to_owned(),
            ),
        }
    }
}

struct Seed<'a, 'b> {
    reading: &'a mut Reading<'b>,
    depth: usize,
}

impl Seed<'_, '_> {
    fn too_deep(&mut self) -> Node {
        self.reading.refuse(Code::TooDeep, format!("Arrays and objects may be nested {MAX_DEPTH} deep; make this part flatter."))
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_, '_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(self.reading.number(Some(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(self.reading.number(i64::try_from(value).ok()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(self.reading.number(None))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Node, A::Error> {
        if self.depth == self.reading.max_depth {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(self.too_deep());
        }
        let here = self.reading.pointer.len();
        let mut elements = Vec::new();
        loop {
            self.reading.pointer.push_str(&format!("/{}", elements.len()));
            let element = seq.next_element_seed(Seed { reading: &mut *self.reading, depth: self.depth + 1 })?;
            self.reading.pointer.truncate(here);
            match element {
                Some(element) => elements.push(element),
                None => return Ok(Node::List(elements)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Node, A::Error> {
        if self.depth == self.reading.max_depth {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(self.too_deep());
        }
        let here = self.reading.pointer.len();
        let mut names = HashSet::new();
        let mut members = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            self.reading.pointer.push('/');
            self.reading.pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
            if names.insert(name.clone()) {
                let value = map.next_value_seed(Seed { reading: &mut *self.reading, depth: self.depth + 1 })?;
                members.push((name, value));
            } else {
                map.next_value::<IgnoredAny>()?;
                self.reading.refuse(Code::DuplicateMember, format!("The member {} stands here twice; keep one.", quoted(&name)));
            }
            self.reading.pointer.truncate(here);
        }
        Ok(Node::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Finding;

    fn try_read(text: &str) -> (Option<Node>, Vec<Finding>) {
        let mut findings = Findings::default();
        let node = read(text.as_bytes(), &mut findings);
        let list = findings.in_order_of(node.as_ref());
        (node, list)
    }

    fn canonical(text: &str) -> String {
        try_read(text).0.expect("the text is JSON").canonical()
    }

    fn codes(text: &str) -> Vec<(String, String)> {
        try_read(text).1.into_iter().map(|finding| (finding.code, finding.pointer)).collect()
    }

    #[test]
    fn members_are_sorted_by_utf16_code_units() {
        // The example of RFC 8785 section 3.2.3: an emoji (a surrogate pair) sorts before U+FB33, although its scalar value is larger.
        let text = r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#;
        assert_eq!(canonical(text), "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}");
    }

    #[test]
    fn strings_have_the_shortest_escapes() {
        let text = r#" [ "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/\b\f\t\u007f" , null , true, -7 ] "#;
        assert_eq!(canonical(text), "[\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\\b\\f\\t\u{7f}\",null,true,-7]");
    }

    #[test]
    fn members_stay_in_the_order_they_were_written() {
        let text = r#"{"b":1,"a":[{"z":null,"y":false}]}"#;
        let node = try_read(text).0.expect("the text is JSON");
        assert_eq!(serde_json::to_string(&node).expect("a node can be written"), text);
    }

    #[test]
    fn a_member_twice_is_found_with_its_place() {
        assert_eq!(codes(r#"{"a/b":[{"~":1,"x":2,"~":{"~":3}}]}"#), [("duplicate_member".into(), "/a~1b/0/~0".into())]);
    }

    #[test]
    fn only_safe_integers_are_numbers() {
        assert_eq!(canonical("[9007199254740991,-9007199254740991,0]"), "[9007199254740991,-9007199254740991,0]");
        for bad in ["9007199254740992", "-9007199254740992", "1.0", "1e3", "-0", "18446744073709551616", "0.1"] {
            assert_eq!(codes(&format!(r#"{{"x":[0,{bad}]}}"#)), [("bad_number".into(), "/x/1".into())], "{bad}");
        }
    }

    #[test]
    fn deep_nesting_is_found_and_the_rest_is_still_read() {
        let deep = format!("[{}{},1.5]", "[".repeat(10_000), "]".repeat(10_000));
        let pointer = "/0".repeat(MAX_DEPTH);
        assert_eq!(codes(&deep), [("too_deep".into(), pointer), ("bad_number".into(), "/1".into())]);
    }

    #[test]
    fn what_is_no_json_gives_line_and_column() {
        let message = |bytes: &[u8]| {
            let mut findings = Findings::default();
            assert_eq!(read(bytes, &mut findings), None);
            let list = findings.in_order_of(None);
            assert_eq!(list.len(), 1);
            (list[0].code.clone(), list[0].message.clone())
        };
        let (code, text) = message(b"{\n  \"a\": }");
        assert_eq!(code, "not_json");
        assert!(text.contains("line 2 column 8"), "{text}");
        let (code, text) = message(b"{\n \"\xff\"}");
        assert_eq!(code, "not_utf8");
        assert!(text.contains("line 2, column 3"), "{text}");
        assert_eq!(message(b"{} x").0, "not_json");
        assert_eq!(message(b"").0, "not_json");
        assert_eq!(message("\u{feff}{}".as_bytes()).0, "not_json");
        assert_eq!(message(&vec![b' '; MAX_DOCUMENT_BYTES + 1]).0, "too_large");
    }
}
