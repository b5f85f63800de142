//! Decimal numbers as text, compared exactly. No binary float comes near them.

use std::cmp::Ordering;

/// The most significant digits: what every receiver can read into a double and print again unchanged.
pub const MAX_SIGNIFICANT_DIGITS: usize = 15;

/// The most characters of a number. Zeros in front of the first significant digit do not count as digits, and must end somewhere.
const MAX_CHARACTERS: usize = 40;

/// A decimal number in the one form that is accepted: the grammar of a JSON number without an exponent, so that what was entered goes
/// over the wire as it stands. An optional minus sign, no plus sign, no needless zero in front, at most one point between digits.
///
/// `-0` is accepted, as a thermometer shows `-0.0`; it equals zero.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parsed<'a> {
    negative: bool,
    /// Digits before the point, at least one.
    whole: &'a str,
    /// Digits after the point, as entered.
    fraction: &'a str,
}

impl<'a> Parsed<'a> {
    /// Reads a number. None when it is not written that way; how many digits it may have is not looked at here.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (digits, ""),
        };
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let no_needless_zero = whole.len() == 1 || !whole.starts_with('0');
        let sound = !whole.is_empty() && all_digits(whole) && all_digits(fraction) && no_needless_zero;
        sound.then_some(Self { negative, whole, fraction })
    }

    /// Digits from the first that is not zero, trailing zeros included, as they were entered. A number of zeros alone has as many as
    /// it shows after the point.
    pub(crate) fn significant_digits(&self) -> usize {
        let whole = self.whole.trim_start_matches('0');
        if !whole.is_empty() {
            return whole.len() + self.fraction.len();
        }
        match self.fraction.trim_start_matches('0') {
            "" => self.fraction.len(),
            fraction => fraction.len(),
        }
    }

    /// Whether it has more digits than a receiver can be trusted with.
    pub(crate) fn is_too_long(&self) -> bool {
        self.significant_digits() > MAX_SIGNIFICANT_DIGITS || self.whole.len() + self.fraction.len() > MAX_CHARACTERS
    }

    /// Digits after the point, as entered.
    pub(crate) fn decimal_places(&self) -> usize {
        self.fraction.len()
    }

    fn is_zero(&self) -> bool {
        self.whole.bytes().chain(self.fraction.bytes()).all(|byte| byte == b'0')
    }
}

impl PartialEq for Parsed<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Parsed<'_> {}

impl PartialOrd for Parsed<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Parsed<'_> {
    /// By what the numbers mean: `1.50` equals `1.5`.
    fn cmp(&self, other: &Self) -> Ordering {
        let negative = |number: &Self| number.negative && !number.is_zero();
        match (negative(self), negative(other)) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => magnitude(self, other),
            (true, true) => magnitude(other, self),
        }
    }
}

/// No needless zeros in front, so the longer whole part is the larger one, and digits compare as text.
fn magnitude(a: &Parsed<'_>, b: &Parsed<'_>) -> Ordering {
    let fractions = || a.fraction.trim_end_matches('0').cmp(b.fraction.trim_end_matches('0'));
    a.whole.len().cmp(&b.whole.len()).then_with(|| a.whole.cmp(b.whole)).then_with(fractions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Parsed<'_> {
        Parsed::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn a_decimal_is_written_like_a_json_number_without_exponent() {
        for text in ["0", "-0", "-0.0", "7", "182.50", "-0.001", "1000000"] {
            assert!(Parsed::parse(text).is_some(), "{text}");
            assert!(serde_json::from_str::<serde_json::Number>(text).is_ok(), "{text}");
        }
        for text in ["", "-", ".", ".5", "5.", "007", "-01.5", "+1", "1e3", "1E3", "1,5", "1.2.3", " 1", "1 ", "٣", "NaN", "0x1", "--1"] {
            assert!(Parsed::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn decimals_compare_by_what_they_mean() {
        let ascending =
            ["-1000", "-99.9", "-1.51", "-1.5", "-0.01", "0", "0.0099", "0.01", "1", "1.05", "1.5", "9.99999999999999", "10", "100.5"];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(number(a).cmp(&number(b)), i.cmp(&j), "{a} and {b}");
            }
        }
        for (a, b) in [("-0", "0"), ("-0.00", "0.0"), ("1.50", "1.5"), ("2", "2.000"), ("-3.10", "-3.1")] {
            assert_eq!(number(a), number(b), "{a} and {b}");
        }
    }

    #[test]
    fn significant_digits_count_from_the_first_that_is_not_zero() {
        for (text, digits) in [("0", 0), ("0.00", 2), ("0.0012", 2), ("182.50", 5), ("-1000", 4), ("100.0", 4), ("0.10", 2)] {
            assert_eq!(number(text).significant_digits(), digits, "{text}");
        }
        assert!(!number("123456789012345").is_too_long());
        assert!(number("1234567890123456").is_too_long());
        assert!(number(&format!("0.{}1", "0".repeat(60))).is_too_long(), "zeros end somewhere");
    }
}
