//! The codes of findings, and the list that collects them.

use super::limit::{MAX_FINDINGS, MAX_FINDINGS_BYTES, MAX_POINTER_BYTES};
use super::node::Node;
use crate::model::{Finding, Severity};
use crate::sorted::sort;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $text:literal $severity:ident;)*) => {
        /// The codes of findings this version of the core can give. `docs/workflow-format.md` lists them; new ones may appear.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Code] = &[$(Code::$variant,)*];

            /// The code as text, as in a finding.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text,)* }
            }

            /// How bad a finding with this code is; `more_findings` is as bad as the worst of those left out.
            pub fn severity(self) -> Severity {
                match self { $(Code::$variant => Severity::$severity,)* }
            }
        }
    };
}

codes! {
    /// The bytes are not UTF-8.
    NotUtf8 "not_utf8" Error;
    /// The text is not JSON.
    NotJson "not_json" Error;
    /// The document is larger than allowed.
    TooLarge "too_large" Error;
    /// Arrays and objects are nested too deeply.
    TooDeep "too_deep" Error;
    /// An object has a duplicate member.
    DuplicateMember "duplicate_member" Error;
    /// A number is not an integer within ±(2^53 − 1), written without point and exponent.
    BadNumber "bad_number" Error;
    /// The document has a format that this version does not know.
    UnknownFormat "unknown_format" Error;
    /// A required member is missing.
    MissingMember "missing_member" Error;
    /// A value has the wrong JSON type.
    WrongType "wrong_type" Error;
    /// A word is not one of the allowed ones.
    UnknownValue "unknown_value" Error;
    /// A number is outside its allowed range.
    OutOfRange "out_of_range" Error;
    /// A key has characters that are not allowed in keys, or is too long.
    BadKey "bad_key" Error;
    /// A text is blank where it must not be, or contains control characters.
    BadText "bad_text" Error;
    /// A text is too long.
    TooLong "too_long" Error;
    /// A list has too many elements.
    TooMany "too_many" Error;
    /// A list that needs an element has none.
    TooFew "too_few" Error;
    /// A constraint of a field makes no sense.
    BadConstraint "bad_constraint" Error;
    /// The example of a field does not follow the field's own rules.
    BadExample "bad_example" Error;
    /// The message of every session would be too large to be sent.
    BodyTooLarge "body_too_large" Error;
    /// A member only has a meaning with a requirement that `requires` does not contain.
    MissingRequirement "missing_requirement" Error;
    /// Two members exclude each other.
    ConflictingMembers "conflicting_members" Error;
    /// A key is used twice.
    DuplicateKey "duplicate_key" Error;
    /// A section asks a field twice, or an action lists it twice.
    DuplicateField "duplicate_field" Error;
    /// The document has no section with this key.
    UnknownSection "unknown_section" Error;
    /// The library has no field with this key.
    UnknownField "unknown_field" Error;
    /// A section with answers is marked as won.
    WinOnSectionWithAnswers "win_on_section_with_answers" Error;
    /// No end section can be reached from a section of the workflow.
    NoEndReachable "no_end_reachable" Error;
    /// The document requires a name that this version does not know.
    RequiresNewerCore "requires_newer_core" Incomplete;
    /// An answer is not linked to a section.
    UnlinkedAnswer "unlinked_answer" Incomplete;
    /// No answers lead from the start to this section.
    UnreachableSection "unreachable_section" Warning;
    /// No section asks this field.
    UnusedField "unused_field" Warning;
    /// A field has a constraint that its type does not use.
    IgnoredConstraint "ignored_constraint" Warning;
    /// A setting has no effect together with the others.
    NoEffect "no_effect" Warning;
    /// A section that asks fields can be visited again: the new values replace the old ones.
    FieldInLoop "field_in_loop" Warning;
    /// A pattern seems to match letters outside ASCII, and does not.
    AsciiOnlyPattern "ascii_only_pattern" Warning;
    /// A text contains `${`, which is shown as it is written.
    LiteralTemplate "literal_template" Warning;
    /// An action names an endpoint that is not among the given ones.
    UnknownEndpoint "unknown_endpoint" Warning;
    /// There are more findings than are listed.
    MoreFindings "more_findings" Error;
}

/// The worst severity among these findings.
pub(crate) fn worst(findings: &[Finding]) -> Option<Severity> {
    // `Severity` is declared from the worst down.
    findings.iter().map(|finding| finding.severity).min()
}

/// Collects findings, up to limits that keep a hostile document from filling the memory. Findings beyond them are only counted.
#[derive(Default)]
pub(super) struct Findings {
    list: Vec<Finding>,
    bytes: usize,
    left_out: usize,
    worst_left_out: Option<Severity>,
}

impl Findings {
    /// How many there are, including those that are left out.
    pub(super) fn count(&self) -> usize {
        self.list.len() + self.left_out
    }

    pub(super) fn add(&mut self, code: Code, pointer: impl AsRef<str>, message: impl Into<String>) {
        let severity = code.severity();
        if self.left_out == 0 {
            let pointer = nearest(pointer.as_ref());
            let message = message.into();
            let bytes = self.bytes + code.as_str().len() + pointer.len() + message.len();
            if self.list.len() < MAX_FINDINGS && bytes <= MAX_FINDINGS_BYTES {
                self.bytes = bytes;
                self.list.push(Finding { severity, code: code.as_str().to_owned(), pointer: pointer.to_owned(), message });
                return;
            }
        }
        self.left_out += 1;
        self.worst_left_out = Some(self.worst_left_out.map_or(severity, |worst| worst.min(severity)));
    }

    /// The findings in the order of the document.
    pub(super) fn in_order_of(mut self, root: Option<&Node>) -> Vec<Finding> {
        if let Some(root) = root {
            let order = root.order(self.list.iter().map(|finding| finding.pointer.as_str()));
            let mut placed: Vec<_> = order.into_iter().zip(0..).zip(self.list).collect();
            sort(&mut placed, |(a, _), (b, _)| a < b);
            self.list = placed.into_iter().map(|(_, finding)| finding).collect();
        }
        if let Some(severity) = self.worst_left_out {
            let message = format!("{} more findings are not listed; fix these first.", self.left_out);
            self.list.push(Finding { severity, code: Code::MoreFindings.as_str().to_owned(), pointer: String::new(), message });
        }
        self.list
    }
}

/// The place itself, or the nearest one around it whose pointer is short enough.
fn nearest(pointer: &str) -> &str {
    if pointer.len() <= MAX_POINTER_BYTES {
        return pointer;
    }
    // A pointer that is not empty begins with a slash.
    let end = pointer.as_bytes()[..=MAX_POINTER_BYTES].iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    &pointer[..end]
}

/// A piece of the document for a message: always short, in quotes.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 64;
    let mut shown: String = text.chars().take(SHOWN).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_that_is_too_long_names_the_nearest_place_around_it() {
        let part = format!("/{}", "é".repeat(63));
        let fits = part.repeat(2);
        for (pointer, expected) in [
            (format!("{fits}/x"), format!("{fits}/x")),
            (format!("{fits}/{}", "y".repeat(2)), fits.clone()),
            (format!("{fits}/x/z"), format!("{fits}/x")),
            (format!("/{}", "x".repeat(30_000)), String::new()),
        ] {
            assert_eq!(nearest(&pointer), expected);
        }
    }

    #[test]
    fn all_findings_together_have_a_limit() {
        let mut findings = Findings::default();
        for _ in 0..MAX_FINDINGS {
            findings.add(Code::UnusedField, "", "x".repeat(1_000));
        }
        findings.add(Code::UnusedField, "", "");
        let list = findings.in_order_of(None);
        let (last, listed) = list.split_last().expect("there are findings");
        assert_eq!(listed.len(), MAX_FINDINGS_BYTES / (1_000 + "unused_field".len()));
        assert_eq!(
            last.message.split(' ').next(),
            Some((MAX_FINDINGS + 1 - listed.len()).to_string().as_str()),
            "a short one is not added"
        );
    }

    #[test]
    fn beyond_the_limit_findings_are_counted_and_the_worst_still_counts() {
        let mut findings = Findings::default();
        for _ in 0..MAX_FINDINGS {
            findings.add(Code::UnusedField, "", "");
        }
        findings.add(Code::UnlinkedAnswer, "", "");
        findings.add(Code::UnusedField, "", "");
        let list = findings.in_order_of(None);
        let last = list.last().expect("there are findings");
        assert_eq!((list.len(), last.code.as_str(), last.severity), (MAX_FINDINGS + 1, "more_findings", Severity::Incomplete));
        assert!(last.message.starts_with("2 more"));
        assert_eq!(worst(&list), Some(Severity::Incomplete));
        assert_eq!(worst(&[]), None);
    }
}
