//! Decimal numbers as text: read, measured and compared without a binary float.

use std::cmp::Ordering;

use super::limit::MAX_SIGNIFICANT_DIGITS;

/// A decimal number, borrowed from its text: an optional minus sign, digits, and at most one point between digits.
#[derive(Debug, Clone, Copy)]
pub struct DecimalText<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> DecimalText<'a> {
    /// Reads a decimal number as JSON would write it without an exponent: `-0.50`, `7`, `182.50`; no plus sign, no leading zeros, and at
    /// most 15 significant digits.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (digits, ""),
        };
        let only_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero || !only_digits(whole) || !only_digits(fraction) {
            return None;
        }
        let decimal = Self { negative, whole, fraction };
        // A zero may be written with as many places as a number may have.
        (decimal.significant_digits() <= MAX_SIGNIFICANT_DIGITS && fraction.len() <= 2 * MAX_SIGNIFICANT_DIGITS).then_some(decimal)
    }

    /// How many digits stand after the point.
    pub fn decimal_places(&self) -> usize {
        self.fraction.len()
    }

    fn significant_digits(&self) -> usize {
        let whole = self.whole.trim_start_matches('0');
        if whole.is_empty() { self.fraction.trim_start_matches('0').len() } else { whole.len() + self.fraction.len() }
    }

    /// Compares by value: `1.50` equals `1.5`.
    pub fn compare(&self, other: &Self) -> Ordering {
        let sign = |decimal: &Self| match (decimal.is_zero(), decimal.negative) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => -1,
        };
        match (sign(self), sign(other)) {
            (-1, -1) => other.compare_magnitude(self),
            (1, 1) => self.compare_magnitude(other),
            (mine, theirs) => mine.cmp(&theirs),
        }
    }

    fn is_zero(&self) -> bool {
        self.whole.bytes().chain(self.fraction.bytes()).all(|digit| digit == b'0')
    }

    fn compare_magnitude(&self, other: &Self) -> Ordering {
        self.magnitude().cmp(&other.magnitude())
    }

    /// Without leading zeros, the longer whole part is larger; without trailing zeros, fractions compare like words.
    fn magnitude(&self) -> (usize, &'a str, &'a str) {
        (self.whole.len(), self.whole, self.fraction.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_decimals_as_json_writes_them() {
        for good in ["0", "-0", "7", "182.50", "-0.001", "999999999999999", "0.000000000000001", "0.00", "123456789012345"] {
            assert!(DecimalText::parse(good).is_some(), "{good}");
        }
        for bad in
            ["", "-", ".5", "5.", "+1", "01", "00.1", "1e3", "1,5", " 1", "1.2.3", "--1", "1234567890123456", "123456789012.3456", "١"]
        {
            assert!(DecimalText::parse(bad).is_none(), "{bad}");
        }
        assert_eq!(DecimalText::parse("182.50").map(|decimal| decimal.decimal_places()), Some(2));
    }

    #[test]
    fn compares_by_value() {
        let order = |a, b| DecimalText::parse(a).expect("a decimal").compare(&DecimalText::parse(b).expect("a decimal"));
        assert_eq!(order("1.50", "1.5"), Ordering::Equal);
        assert_eq!(order("-0", "0.00"), Ordering::Equal);
        assert_eq!(order("-2", "-10"), Ordering::Greater);
        assert_eq!(order("-2", "1"), Ordering::Less);
        assert_eq!(order("0.45", "0.5"), Ordering::Less);
        assert_eq!(order("10", "9.99"), Ordering::Greater);
        assert_eq!(order("1.04", "1.1"), Ordering::Less);
    }
}
