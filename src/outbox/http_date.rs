//! Dates in HTTP headers.

use chrono::NaiveDateTime;

use crate::model::Timestamp;

/// The three forms a recipient must read (RFC 9110, section 5.6.7): the one in use, and two obsolete ones.
const FORMS: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// Reads a date such as `Sun, 06 Nov 1994 08:49:37 GMT`. Nothing for anything else.
pub fn parse_http_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()).map(|date| date.and_utc())
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
    fn anything_else_is_no_date() {
        for text in ["", "soon", "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT", "784111777"] {
            assert_eq!(parse_http_date(text), None, "{text}");
        }
    }
}
