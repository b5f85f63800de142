//! How an error quotes a text of the caller.

/// The most bytes of a key or a text that an error shows: four times the longest key, so that a key of eight megabytes does not make an
/// error of eight megabytes.
pub const MAX_ECHO: usize = 256;

/// A text for an error, cut at [`MAX_ECHO`] bytes; what was cut ends in `…`.
pub(crate) fn echoed(text: &str) -> String {
    const CUT: char = '…';
    if text.len() <= MAX_ECHO {
        return text.to_owned();
    }
    let mut end = MAX_ECHO - CUT.len_utf8();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{CUT}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(echoed(&"x".repeat(256)), "x".repeat(256));
        assert_eq!(echoed(&"x".repeat(257)), format!("{}…", "x".repeat(253)));
        let emoji = echoed(&format!("x{}", "🔥".repeat(2_000_000)));
        assert_eq!(emoji, format!("x{}…", "🔥".repeat(63)));
        assert!(emoji.len() <= MAX_ECHO);
    }
}
