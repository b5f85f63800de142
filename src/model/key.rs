//! Keys: the names of documents and endpoints.

/// The longest key, in characters: keys are columns of indexes, and parts of hashes and payloads.
pub const MAX_KEY_LENGTH: usize = 64;

/// Whether a text can be a key: a letter or a digit, then letters, digits, `_`, `.` and `-`, [`MAX_KEY_LENGTH`] characters at most, all of
/// ASCII.
pub fn is_key(text: &str) -> bool {
    text.len() <= MAX_KEY_LENGTH
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}
