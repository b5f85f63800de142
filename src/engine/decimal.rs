//! Decimal numbers as text, compared exactly, without binary floats.

use std::cmp::Ordering;

/// The most significant digits of a decimal: so many every receiver can read into a double and print again unchanged.
pub const MAX_SIGNIFICANT_DIGITS: usize = 15;

/// The most digits after the point. It limits the zeros before the first significant digit, which do not count as significant.
const MAX_FRACTION: usize = 2 * MAX_SIGNIFICANT_DIGITS;

/// A decimal number, borrowed from its text, in the one form that bounds and values have: the grammar of a JSON number without an
/// exponent, so that it is sent as it was entered. An optional minus sign, no plus sign, no unnecessary leading zero, at most one point
/// between digits.
///
/// `-0` is accepted, as a thermometer shows `-0.0`; it equals zero.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DecimalText<'a> {
    negative: bool,
    /// Digits before the point, at least one.
    whole: &'a str,
    /// Digits after the point, as entered.
    fraction: &'a str,
}

/// Why a text is not a decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoDecimal {
    /// It does not have the form of one.
    BadFormat,
    /// It has more digits than every receiver can read exactly.
    TooManyDigits,
}

impl<'a> DecimalText<'a> {
    /// Reads a number.
    pub(crate) fn parse(text: &'a str) -> Result<Self, NoDecimal> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return Err(NoDecimal::BadFormat),
            Some(parts) => parts,
            None => (digits, ""),
        };
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let no_needless_zero = whole.len() == 1 || !whole.starts_with('0');
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || !no_needless_zero {
            return Err(NoDecimal::BadFormat);
        }
        let number = Self { negative, whole, fraction };
        if number.significant_digits() > MAX_SIGNIFICANT_DIGITS || fraction.len() > MAX_FRACTION {
            return Err(NoDecimal::TooManyDigits);
        }
        Ok(number)
    }

    /// Digits from the first that is not zero, trailing zeros included, as they were entered. A number of only zeros has as many as
    /// it has after the point.
    fn significant_digits(&self) -> usize {
        let whole = self.whole.trim_start_matches('0');
        if !whole.is_empty() {
            return whole.len() + self.fraction.len();
        }
        match self.fraction.trim_start_matches('0') {
            "" => self.fraction.len(),
            fraction => fraction.len(),
        }
    }

    /// Digits after the point, as entered.
    pub(crate) fn decimal_places(&self) -> usize {
        self.fraction.len()
    }

    /// Whether there is a number with at most this many digits after the point from here to `max`, both included; `max` must not be less.
    pub(crate) fn reaches(&self, max: &Self, places: usize) -> bool {
        let cut = |number: &Self| {
            let fraction = number.fraction.trim_end_matches('0');
            (fraction.len() > places).then(|| &fraction[..places])
        };
        match (cut(self), cut(max)) {
            // Neither is such a number. One is between them, unless cutting both towards zero gives the same number.
            (Some(from), Some(to)) => (self.negative, self.whole, from) != (max.negative, max.whole, to),
            _ => true,
        }
    }

    fn is_zero(&self) -> bool {
        self.whole.bytes().chain(self.fraction.bytes()).all(|byte| byte == b'0')
    }
}

impl PartialEq for DecimalText<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for DecimalText<'_> {}

impl PartialOrd for DecimalText<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DecimalText<'_> {
    /// By the value of the numbers: `1.50` equals `1.5`.
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

/// There are no leading zeros, so the longer whole part is the larger one, and digits compare as text.
fn magnitude(a: &DecimalText<'_>, b: &DecimalText<'_>) -> Ordering {
    let fractions = || a.fraction.trim_end_matches('0').cmp(b.fraction.trim_end_matches('0'));
    a.whole.len().cmp(&b.whole.len()).then_with(|| a.whole.cmp(b.whole)).then_with(fractions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> DecimalText<'_> {
        DecimalText::parse(text).unwrap_or_else(|_| panic!("{text} is a number"))
    }

    #[test]
    fn a_decimal_is_written_like_a_json_number_without_exponent() {
        for text in ["0", "-0", "-0.0", "7", "182.50", "-0.001", "1000000"] {
            assert!(DecimalText::parse(text).is_ok(), "{text}");
            assert!(serde_json::from_str::<serde_json::Number>(text).is_ok(), "{text}");
        }
        for text in ["", "-", ".", ".5", "5.", "007", "-01.5", "+1", "1e3", "1E3", "1,5", "1.2.3", " 1", "1 ", "٣", "NaN", "0x1", "--1"] {
            assert_eq!(DecimalText::parse(text).err(), Some(NoDecimal::BadFormat), "{text}");
        }
    }

    #[test]
    fn decimals_compare_by_value() {
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
        for text in ["123456789012345", "0.000000000000001", "0.000000000000000000000000000001"] {
            assert!(DecimalText::parse(text).is_ok(), "{text}");
        }
        for text in ["1234567890123456", "123456789012.3456", "0.0000000000000000", &format!("0.{}1", "0".repeat(30))] {
            assert_eq!(DecimalText::parse(text).err(), Some(NoDecimal::TooManyDigits), "{text}");
        }
    }

    #[test]
    fn between_two_numbers_lie_those_with_few_decimal_places_or_none() {
        for (min, max, places, reaches) in [
            ("0.1", "0.2", 0, false),
            ("0.1", "1.0", 0, true),
            ("0.1", "1.2", 0, true),
            ("1.00", "1.00", 0, true),
            ("1.05", "1.05", 1, false),
            ("1.05", "1.14", 1, true),
            ("1.01", "1.09", 1, false),
            ("-0.5", "0.5", 0, true),
            ("-0.9", "-0.1", 0, false),
            ("-1.5", "-0.5", 0, true),
            ("-0.15", "-0.11", 1, false),
            ("0.001", "0.009", 3, true),
            ("9.9", "10.1", 0, true),
        ] {
            assert_eq!(number(min).reaches(&number(max), places), reaches, "{min} to {max} with {places}");
        }
    }
}
