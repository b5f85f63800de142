//! Reads JSON for a document: no duplicate member, only integers as numbers, and no deeper than its limit.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::code::{Code, Findings, quoted};
use super::limit::{MAX_DEPTH, MAX_DOCUMENT_BYTES, MAX_INTEGER};
use super::node::Node;

/// Reads a document as JSON. If there is no node, exactly one finding was added: an error about the whole text.
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

/// Reads a document that was accepted earlier, without the current limits.
pub(super) fn read_stored(text: &str, findings: &mut Findings) -> Option<Node> {
    read_to_depth(text, usize::MAX, findings)
}

fn read_to_depth(text: &str, max_depth: usize, findings: &mut Findings) -> Option<Node> {
    let mut reading = Reading { findings, pointer: String::new(), max_depth };
    let text = without_huge_numbers(text);
    let mut deserializer = serde_json::Deserializer::from_str(&text);
    let read = Seed { reading: &mut reading, depth: 0 }.deserialize(&mut deserializer);
    match read.and_then(|node| deserializer.end().map(|()| node)) {
        Ok(node) => Some(node),
        Err(error) => {
            // The message of serde_json ends with line and column.
            findings.add(Code::NotJson, "", format!("The document is not JSON: {error}. Fix it there."));
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
        self.findings.add(code, &self.pointer, message);
        Node::Refused
    }

    fn number(&mut self, value: Option<i64>) -> Node {
        match value {
            Some(value) if (-MAX_INTEGER..=MAX_INTEGER).contains(&value) => Node::Integer(value),
            _ => self.refuse(
                Code::BadNumber,
                "Numbers must be integers within ±9007199254740991, without point or exponent; write others as text.".to_owned(),
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
        self.reading
            .refuse(Code::TooDeep, format!("Arrays and objects may be nested at most {MAX_DEPTH} levels deep; make this part flatter."))
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
                None => {
                    // A vector grows by doubling, from four on: a document of small lists would take many times its size.
                    elements.shrink_to_fit();
                    return Ok(Node::List(elements));
                }
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
                self.reading.refuse(Code::DuplicateMember, format!("The member {} is there twice; keep one.", quoted(&name)));
            }
            self.reading.pointer.truncate(here);
        }
        members.shrink_to_fit();
        Ok(Node::Object(members))
    }
}

/// The text with `0.00…` of the same length in place of each number that has an exponent or more digits than any allowed number. Such a
/// number is refused in any case, at its place; serde_json refuses the whole text if a number is too large for a float.
fn without_huge_numbers(text: &str) -> Cow<'_, str> {
    /// More than the digits of any number allowed in a document, far fewer than those a float can hold.
    const LONG: usize = 25;
    let bytes = text.as_bytes();
    let mut harmless: Option<Vec<u8>> = None;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += 1;
                while let Some(byte) = bytes.get(at).filter(|byte| **byte != b'"') {
                    at += if *byte == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let length = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte)).count();
                let token = &bytes[at..at + length];
                if (length > LONG || token.iter().any(|byte| b"eE".contains(byte))) && is_number(token) {
                    let copy = &mut harmless.get_or_insert_with(|| bytes.to_vec())[at..at + length];
                    copy.fill(b'0');
                    copy[1] = b'.';
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    harmless.and_then(|bytes| String::from_utf8(bytes).ok()).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Whether this is a number by RFC 8259, and not an error that serde_json has to report.
fn is_number(token: &[u8]) -> bool {
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut rest = token.strip_prefix(b"-").unwrap_or(token);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest[0] == b'0') {
        return false;
    }
    rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = &fraction[length..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent);
        let length = digits(exponent);
        return length > 0 && length == exponent.len();
    }
    rest.is_empty()
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
    fn a_duplicate_member_is_found_with_its_place() {
        assert_eq!(codes(r#"{"a/b":[{"~":1,"x":2,"~":{"~":3}}]}"#), [("duplicate_member".into(), "/a~1b/0/~0".into())]);
    }

    #[test]
    fn only_safe_integers_are_numbers() {
        assert_eq!(canonical("[9007199254740991,-9007199254740991,0]"), "[9007199254740991,-9007199254740991,0]");
        let long = "7".repeat(400);
        let many = format!("-0.{long}e-{long}");
        let numbers = ["9007199254740992", "-9007199254740992", "1.0", "1e3", "-0", "18446744073709551616", "0.1", "1e999", "-1E+999"];
        for bad in numbers.into_iter().chain([long.as_str(), &many]) {
            assert_eq!(codes(&format!(r#"{{"x":[0,{bad}]}}"#)), [("bad_number".into(), "/x/1".into())], "{bad}");
        }
    }

    #[test]
    fn a_text_that_is_not_a_number_is_not_json_of_any_size() {
        let long = "7".repeat(400);
        for bad in [
            "1e",
            "-1e+",
            "01e999",
            "1.e999",
            "1e999.5",
            "--1e999",
            "1e9e9",
            &format!("0{long}"),
            &format!("-.{long}"),
            &format!("{long}x"),
        ] {
            let (node, findings) = try_read(&format!(r#"{{"x":[0,{bad}]}}"#));
            let last = findings.last().map(|finding| finding.code.as_str());
            assert_eq!((node, last), (None, Some("not_json")), "{bad}");
        }
        assert_eq!(canonical(r#"["1e999","\\\"1e999",{"1e999":1}]"#), r#"["1e999","\\\"1e999",{"1e999":1}]"#, "texts do not change");
        assert_eq!(codes("[\"1e999"), [("not_json".into(), String::new())]);
    }

    #[test]
    fn findings_come_in_the_order_of_the_document() {
        let node = try_read(r#"{"b":[0,{"y":1,"x":2},3],"a/c":{"~":1}}"#).0.expect("the text is JSON");
        let places = ["/a~1c/~0", "/b/1/x", "", "/b/2", "/b/1/y", "/b/1/gone", "/b/10", "/b", "/a~1c"];
        let order = node.order(places.into_iter());
        let mut sorted: Vec<_> = order.into_iter().zip(places).collect();
        sorted.sort_by_key(|(place, _)| *place);
        let sorted: Vec<_> = sorted.into_iter().map(|(_, pointer)| pointer).collect();
        assert_eq!(sorted, ["", "/b/10", "/b", "/b/1/gone", "/b/1/y", "/b/1/x", "/b/2", "/a~1c", "/a~1c/~0"]);
    }

    #[test]
    fn deep_nesting_is_found_and_the_rest_is_still_read() {
        let deep = format!("[{}{},1.5]", "[".repeat(10_000), "]".repeat(10_000));
        let pointer = "/0".repeat(MAX_DEPTH);
        assert_eq!(codes(&deep), [("too_deep".into(), pointer), ("bad_number".into(), "/1".into())]);
    }

    #[test]
    fn a_text_that_is_not_json_gives_line_and_column() {
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
