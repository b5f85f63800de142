//! Dates in HTTP headers.

use chrono::format::Item::{self, Fixed as Word, Literal, Numeric as Number, Space};
use chrono::format::Numeric::{Day, Hour, Minute, Second, Year, YearMod100};
use chrono::format::{Fixed, Pad, Parsed, parse};

use crate::model::Timestamp;

const WEEKDAY: Item<'static> = Word(Fixed::ShortWeekdayName);
const MONTH: Item<'static> = Word(Fixed::ShortMonthName);
const HOUR: Item<'static> = Number(Hour, Pad::Zero);
const MINUTE: Item<'static> = Number(Minute, Pad::Zero);
const SECOND: Item<'static> = Number(Second, Pad::Zero);
const DAY: Item<'static> = Number(Day, Pad::Zero);
const YEAR: Item<'static> = Number(Year, Pad::Zero);
const BLANK: Item<'static> = Space(" ");
const COLON: Item<'static> = Literal(":");
const DASH: Item<'static> = Literal("-");

/// The three forms a recipient must read (RFC 9110, section 5.6.7): the one in use, and two obsolete ones. Not as texts: the code to parse
/// those adds 7 kB to an app.
const FORMS: [&[Item<'static>]; 3] = [
    // Sun, 06 Nov 1994 08:49:37 GMT
    &[WEEKDAY, Literal(","), BLANK, DAY, BLANK, MONTH, BLANK, YEAR, BLANK, HOUR, COLON, MINUTE, COLON, SECOND, BLANK, Literal("GMT")],
    // Sunday, 06-Nov-94 08:49:37 GMT
    &[
        Word(Fixed::LongWeekdayName),
        Literal(","),
        BLANK,
        DAY,
        DASH,
        MONTH,
        DASH,
        Number(YearMod100, Pad::Zero),
        BLANK,
        HOUR,
        COLON,
        MINUTE,
        COLON,
        SECOND,
        BLANK,
        Literal("GMT"),
    ],
    // Sun Nov  6 08:49:37 1994
    &[WEEKDAY, BLANK, MONTH, BLANK, Number(Day, Pad::Space), BLANK, HOUR, COLON, MINUTE, COLON, SECOND, BLANK, YEAR],
];

/// Reads a date such as `Sun, 06 Nov 1994 08:49:37 GMT`. None for any other text.
pub(super) fn parse_http_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    FORMS.iter().find_map(|form| {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, form.iter()).ok()?;
        Some(parsed.to_naive_datetime_with_offset(0).ok()?.and_utc())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_forms_mean_the_same_moment() {
        let moment = Timestamp::from_timestamp(784_111_777, 0);
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(parse_http_date(text), moment, "{text}");
        }
    }

    #[test]
    fn anything_else_is_not_a_date() {
        for text in ["", "soon", "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT", "784111777"] {
            assert_eq!(parse_http_date(text), None, "{text}");
        }
    }
}
