//! Patterns of text-like fields.

use regex_lite::{Regex, RegexBuilder};

/// The longest pattern, in characters: a person cannot check longer ones.
pub(crate) const MAX_PATTERN_LENGTH: usize = 500;
/// The most memory of a compiled pattern, in bytes. The time to match grows with it, and is spent on the phone at each answer.
pub(super) const MAX_PATTERN_BYTES: usize = 256 * 1024;

/// Why a text is not a pattern.
#[derive(Debug)]
pub(crate) enum NoPattern {
    /// It would only match an empty text.
    Empty,
    /// It has this many characters.
    TooLong(usize),
    /// Its syntax is wrong, or it takes too much memory.
    Refused(regex_lite::Error),
}

/// The regular expression that matches where `pattern` matches the whole text. The syntax is that of `regex-lite`: no look-around, no
/// Unicode classes.
///
/// Compiled at each use: that takes some ten microseconds for usual patterns, a few times per session. A cache would have to be shared,
/// bounded and cleared with its workflow.
pub(crate) fn whole_match(pattern: &str) -> Result<Regex, NoPattern> {
    if pattern.is_empty() {
        return Err(NoPattern::Empty);
    }
    let length = pattern.chars().count();
    if length > MAX_PATTERN_LENGTH {
        return Err(NoPattern::TooLong(length));
    }
    let compile = |text: &str| RegexBuilder::new(text).size_limit(MAX_PATTERN_BYTES).build();
    // First without the group, which would make a pattern of a text like `a)|(b`. The newline ends a comment under `(?x)`.
    compile(pattern)
        .and_then(|_| compile(&format!(r"\A(?:{pattern})\z")).or_else(|_| compile(&format!("\\A(?:{pattern}\n)\\z"))))
        .map_err(NoPattern::Refused)
}

/// Where a pattern seems to match letters outside ASCII, and does not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AsciiOnly {
    /// It matches words (`\w`, `\b` and their opposites), and only ASCII letters count as words.
    pub(crate) words: bool,
    /// It ignores case (`(?i)`) and has letters outside ASCII, of which only the written case matches.
    pub(crate) case: bool,
}

/// The parts of this pattern that only work in ASCII. It does not parse the structure, so it may find something in a comment.
pub(crate) fn ascii_only(pattern: &str) -> AsciiOnly {
    let (mut words, mut ignores_case, mut cased) = (false, false, false);
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => words |= matches!(rest.next(), Some('w' | 'W' | 'b' | 'B')),
            '(' if rest.as_str().starts_with('?') => {
                let flags = &rest.as_str()[1..];
                ignores_case |= flags.chars().take_while(|c| "imsRUux".contains(*c)).any(|flag| flag == 'i');
            }
            _ => cased |= !c.is_ascii() && (c.is_lowercase() || c.is_uppercase()),
        }
    }
    AsciiOnly { words, case: ignores_case && cased }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_the_whole_text() {
        let pattern = whole_match("[A-Z]{2}|[0-9]{3}").expect("a pattern");
        for (text, matches) in [("AB", true), ("123", true), ("AB1", false), ("0123", false), ("AB\n", false), ("", false)] {
            assert_eq!(pattern.is_match(text), matches, "{text:?}");
        }
        assert!(whole_match("^GB-[0-9]+$").expect("a pattern").is_match("GB-1"));
        let commented = whole_match("(?x) [0-9]+ # digits").expect("a pattern");
        assert!(commented.is_match("12") && !commented.is_match("12a"));
    }

    #[test]
    fn words_and_case_are_those_of_ascii() {
        for (pattern, words, case) in [
            (r"\w+", true, false),
            (r"[\w-]+\b", true, false),
            (r"\bx", true, false),
            (r"\\w[wb]", false, false),
            ("(?i)müller", false, true),
            ("(?mi:müller)|x", false, true),
            ("müller(?i)", false, true),
            ("(?i)miller|東京", false, false),
            ("(?-i)müller", false, false),
            ("(?m-i)müller", false, false),
            ("(?P<i>müller)", false, false),
            ("(?<i>müller)", false, false),
            ("müller(", false, false),
            ("ü\\", false, false),
        ] {
            assert_eq!(ascii_only(pattern), AsciiOnly { words, case }, "{pattern}");
        }
        assert!(!whole_match(r"\w+").expect("a pattern").is_match("Müller"));
        assert!(!whole_match("(?i)müller").expect("a pattern").is_match("MÜLLER"));
    }

    #[test]
    fn a_text_that_is_not_a_pattern_is_refused() {
        for bad in ["", "(", "a)|(b", r"\p{L}+", "(?=a)", "(?:a{900}){900}", &"a".repeat(501)] {
            assert!(whole_match(bad).is_err(), "{bad}");
        }
    }
}
