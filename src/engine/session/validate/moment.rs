//! Dates, times of day, and moments with an offset.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveTime, Timelike};

use super::Fault;
use crate::model::FieldValue;

/// The years that ISO 8601 and RFC 3339 write with four digits and every receiver's calendar knows.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

pub(super) fn date(min: Option<&str>, max: Option<&str>, given: NaiveDate) -> Result<FieldValue, Fault> {
    in_calendar(given.year())?;
    within(min, max, parse_date, &given)?;
    Ok(FieldValue::Date(given))
}

/// Kept in whole seconds: a fraction of one is cut off. A leap second becomes the second before it, which every receiver can read.
pub(super) fn time(min: Option<&str>, max: Option<&str>, given: NaiveTime) -> Result<FieldValue, Fault> {
    let kept = given.with_nanosecond(0).expect("a time of day has a whole second");
    within(min, max, parse_time, &kept)?;
    Ok(FieldValue::Time(kept))
}

/// Kept in milliseconds with the offset as entered. Bounds compare moments, whatever the offsets.
pub(super) fn datetime(min: Option<&str>, max: Option<&str>, given: DateTime<FixedOffset>) -> Result<FieldValue, Fault> {
    // Both, since receivers turn it into UTC.
    in_calendar(given.naive_local().year())?;
    in_calendar(given.naive_utc().year())?;
    if given.offset().local_minus_utc() % 60 != 0 {
        return Err(Fault::new("bad_format", "an offset of whole minutes is expected"));
    }
    let kept = cut_to_millis(given);
    within(min, max, parse_datetime, &kept)?;
    Ok(FieldValue::DateTime(kept))
}

/// Digits finer than a millisecond are cut off; a leap second becomes the second before it.
pub(super) fn cut_to_millis<Zone: chrono::TimeZone>(moment: DateTime<Zone>) -> DateTime<Zone> {
    let millis = moment.nanosecond() % 1_000_000_000 / 1_000_000;
    moment.with_nanosecond(millis * 1_000_000).unwrap_or(moment)
}

pub(super) fn in_calendar(year: i32) -> Result<(), Fault> {
    if year < *YEARS.start() {
        return Err(Fault::limited("too_early", "0001", "a year from 0001 to 9999 is expected"));
    }
    if year > *YEARS.end() {
        return Err(Fault::limited("too_late", "9999", "a year from 0001 to 9999 is expected"));
    }
    Ok(())
}

fn within<T: PartialOrd>(min: Option<&str>, max: Option<&str>, parse: fn(&str) -> Option<T>, given: &T) -> Result<(), Fault> {
    if let Some(min) = min.filter(|min| parse(min).is_some_and(|bound| *given < bound)) {
        return Err(Fault::limited("too_early", min, format!("{min} or later is expected")));
    }
    if let Some(max) = max.filter(|max| parse(max).is_some_and(|bound| *given > bound)) {
        return Err(Fault::limited("too_late", max, format!("{max} or earlier is expected")));
    }
    Ok(())
}

/// Reads `2026-11-23`, four digits of the year included.
pub(crate) fn parse_date(text: &str) -> Option<NaiveDate> {
    shaped(text, "0000-00-00").then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()
}

/// Reads `18:31:40`, or `18:31` for the whole minute.
pub(crate) fn parse_time(text: &str) -> Option<NaiveTime> {
    if shaped(text, "00:00") {
        return NaiveTime::parse_from_str(text, "%H:%M").ok();
    }
    let time = shaped(text, "00:00:00").then(|| NaiveTime::parse_from_str(text, "%H:%M:%S").ok()).flatten()?;
    time.with_nanosecond(0)
}

/// Reads RFC 3339, offset included: `2026-11-23T18:31:40+01:00`.
pub(crate) fn parse_datetime(text: &str) -> Option<DateTime<FixedOffset>> {
    DateTime::parse_from_rfc3339(text).ok()
}

/// Whether digits stand where the shape has zeros and everything else is the same. chrono's own formats allow signs, spaces and fewer
/// digits.
fn shaped(text: &str, shape: &str) -> bool {
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(|(a, b)| if b == b'0' { a.is_ascii_digit() } else { a == b })
}
