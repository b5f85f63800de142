//! Patterns of text fields.

use regex_lite::{Regex, RegexBuilder};

use super::code::quoted;
use super::limit::{MAX_PATTERN_BYTES, MAX_PATTERN_LENGTH};

/// Compiles a field's pattern so that it matches whole texts only. The syntax is that of `regex-lite`: no look-around, no Unicode classes.
///
/// # Errors
/// In English: why the text is no pattern, and what to do.
pub fn whole_match(pattern: &str) -> Result<Regex, String> {
    if pattern.is_empty() {
        return Err("An empty pattern matches empty text only; remove it.".to_owned());
    }
    let length = pattern.chars().count();
    if length > MAX_PATTERN_LENGTH {
        return Err(format!("The pattern has {length} characters; at most {MAX_PATTERN_LENGTH} can stand here."));
    }
    let compile = |text: &str| RegexBuilder::new(text).size_limit(MAX_PATTERN_BYTES).build();
    // Alone first: the group around it would make a pattern of something like `a)|(b`.
    compile(pattern)
        .and_then(|_| compile(&format!(r"\A(?:{pattern})\z")))
        .map_err(|error| format!("{} is not a pattern that can be used ({error}); mend it.", quoted(pattern)))
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
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        for bad in ["", "(", "a)|(b", r"\p{L}+", "(?=a)", "(?:a{900}){900}", &"a".repeat(501)] {
            assert!(whole_match(bad).is_err(), "{bad}");
        }
    }
}
