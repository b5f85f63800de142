//! Dates, times of day and moments as text, in the one form that bounds in documents and typed values have.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveTime, Timelike};

/// The years that ISO 8601 and RFC 3339 write with four digits, and that every receiver's calendar has.
pub(crate) const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

/// Reads `2026-11-23`, from the year 0001 on.
pub(crate) fn parse_date(text: &str) -> Option<NaiveDate> {
    let date = shaped(text, "0000-00-00").then(|| text.parse::<NaiveDate>().ok()).flatten();
    date.filter(|date| YEARS.contains(&date.year()))
}

/// Reads `18:31:40`.
pub(crate) fn parse_time(text: &str) -> Option<NaiveTime> {
    // chrono reads second 60; leap seconds are not typed, and bounds do not need them.
    (shaped(text, "00:00:00") && !text.ends_with("60")).then(|| text.parse().ok()).flatten()
}

/// Reads RFC 3339, offset included: `2026-11-23T18:31:40+01:00`. Local time and UTC are both within these years. Digits finer than a
/// millisecond are cut off, as those of a value are.
pub(crate) fn parse_datetime(text: &str) -> Option<DateTime<FixedOffset>> {
    // chrono also reads a typographic minus.
    let seconds = text.get(..19).filter(|_| text.is_ascii())?;
    if !shaped(seconds, "0000-00-00T00:00:00") || seconds.ends_with("60") {
        return None;
    }
    let moment = DateTime::parse_from_rfc3339(text).ok()?;
    let years = [moment.naive_local().year(), moment.naive_utc().year()];
    years.iter().all(|year| YEARS.contains(year)).then(|| cut_to_millis(moment))
}

/// Digits finer than a millisecond are cut off; a leap second becomes the second before it.
pub(crate) fn cut_to_millis<Zone: chrono::TimeZone>(moment: DateTime<Zone>) -> DateTime<Zone> {
    let millis = moment.nanosecond() % 1_000_000_000 / 1_000_000;
    moment.with_nanosecond(millis * 1_000_000).unwrap_or(moment)
}

/// Whether the text has digits where the shape has zeros, and is otherwise the same. chrono's own formats allow signs, spaces and fewer
/// digits.
fn shaped(text: &str, shape: &str) -> bool {
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(|(a, b)| if b == b'0' { a.is_ascii_digit() } else { a == b })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_one_way() {
        for good in ["2026-02-28", "0001-01-01", "9999-12-31"] {
            assert!(parse_date(good).is_some(), "{good}");
        }
        for bad in ["2026-02-29", "2026-2-28", "+026-02-28", "2026-02-28 ", "26-02-28", "0000-12-31"] {
            assert!(parse_date(bad).is_none(), "{bad}");
        }
        assert!(parse_time("23:59:59").is_some());
        for bad in ["24:00:00", "8:30:00", "08:30", "08:30:60", "08:30:00.5"] {
            assert!(parse_time(bad).is_none(), "{bad}");
        }
        for good in ["2026-11-23T08:30:00+01:00", "2026-11-23T08:30:00.250Z", "9999-12-31T23:00:00+02:00"] {
            assert!(parse_datetime(good).is_some(), "{good}");
        }
        for bad in [
            "2026-11-23T08:30:00",
            "2026-11-23 08:30:00Z",
            "2026-11-23t08:30:00Z",
            "2026-11-23T08:30:60Z",
            "2026-11-23T08:30:00−01:00",
            "2026-11-23",
            "9999-12-31T23:00:00-02:00",
            "0001-01-01T01:00:00+02:00",
        ] {
            assert!(parse_datetime(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn moments_are_cut_to_milliseconds() {
        assert_eq!(parse_datetime("2026-11-23T08:30:00.2509Z"), parse_datetime("2026-11-23T08:30:00.250Z"));
    }
}
