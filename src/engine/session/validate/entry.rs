//! Characters that keyboards, scanners and the clipboard add to a value.

/// The zeros of Unicode's decimal digits (general category `Nd`, Unicode 16). Each is followed by its one to nine.
#[rustfmt::skip]
const ZEROS: [u32; 76] = [
    0x0030, 0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6, 0x0e50, 0x0ed0,
    0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900,
    0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0,
    0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50, 0x11d50, 0x11da0, 0x11f50, 0x16130, 0x16a60,
    0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950,
    0x1fbf0,
];

/// Whether it is invisible: white space, and characters without width.
pub(in crate::engine::session) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| is_around(c) || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}'))
}

/// Without white space and directional marks around it.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(is_around)
}

/// Without directional marks around it. White space stays, and so do marks inside: they belong to the text.
pub(super) fn unmarked(text: &str) -> String {
    if !text.contains(is_mark) {
        return text.to_owned();
    }
    let begins = text.len() - text.trim_start_matches(is_around).len();
    let ends = text.trim_end_matches(is_around).len();
    text.char_indices().filter(|(at, c)| !is_mark(*c) || (begins..ends).contains(at)).map(|(_, c)| c).collect()
}

/// A number in ASCII: digits of any script, signs in full width and the Arabic decimal point are converted, directional marks removed. Digits
/// run from left to right in every script, so the marks have no effect; nor has the override to that direction, which iPhones copy with
/// contact numbers.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| !is_mark(*c) && *c != '\u{202d}').map(ascii).collect()
}

fn ascii(c: char) -> char {
    match c {
        '\u{66b}' => '.',
        // Keyboards of East Asia type them beside digits in full width.
        '．' => '.',
        '，' => ',',
        '：' => ':',
        '＋' => '+',
        '－' => '-',
        _ => ascii_digit(c),
    }
}

/// Every line break as a line feed.
pub(in crate::engine::session) fn line_feeds(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Whether it controls devices or the way text is shown: control characters, line separators, directional overrides.
pub(in crate::engine::session) fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202d}' | '\u{202e}')
}

fn is_around(c: char) -> bool {
    c.is_whitespace() || is_mark(c)
}

/// Directional marks, isolates and embeddings. No overrides: they show characters in another order than they have.
fn is_mark(c: char) -> bool {
    !c.is_ascii() && matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202c}' | '\u{2066}'..='\u{2069}')
}

fn ascii_digit(c: char) -> char {
    if c.is_ascii() {
        return c;
    }
    let code = u32::from(c);
    let script = ZEROS.partition_point(|zero| *zero <= code);
    let digit = script.checked_sub(1).map(|script| code - ZEROS[script]);
    digit.and_then(|digit| char::from_digit(digit, 10)).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_every_script_are_read() {
        assert!(ZEROS.windows(2).all(|pair| pair[0] + 10 <= pair[1]), "in order, with room for ten digits each");
        for zero in ZEROS {
            let written: String = (zero..zero + 10).map(|code| char::from_u32(code).expect("a character")).collect();
            assert_eq!(plain(&written), "0123456789", "U+{zero:04X}");
        }
        assert_eq!(plain("٠٫٥ ½ ² Ⅷ 五 x"), "0.5 ½ ² Ⅷ 五 x", "other characters stay");
        assert_eq!(plain("－１８２．５０ １，５ ＋８１ １８：３１ ｘ"), "-182.50 1,5 +81 18:31 ｘ");
    }

    #[test]
    fn marks_are_removed_only_at_the_ends_of_a_text() {
        assert_eq!(unmarked("\u{2068} a \u{200e}b\u{200f} \u{2069}"), " a \u{200e}b ");
        assert_eq!(unmarked("\u{200e}\u{202c}"), "");
        assert_eq!(trimmed("\u{2068} a\u{a0}\u{2069}"), "a");
    }
}
