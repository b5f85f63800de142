//! Media types of files.

/// The longest half of a media type (RFC 6838, section 4.2).
const MAX_HALF: usize = 127;

/// The halves of a media type without parameters (RFC 6838, section 4.2). A star is not a half.
pub(crate) fn halves(text: &str) -> Option<(&str, &str)> {
    text.split_once('/').filter(|(main, sub)| is_half(main) && is_half(sub))
}

/// Whether a text can be on one side of the slash.
pub(crate) fn is_half(text: &str) -> bool {
    text.len() <= MAX_HALF
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
}
