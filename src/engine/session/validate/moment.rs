//! Dates, times of day, and moments with an offset.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveTime, Timelike};

use super::Fault;
use crate::engine::moment::{YEARS, cut_to_millis, parse_date, parse_datetime, parse_time};
use crate::model::FieldValue;

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

/// Kept in milliseconds with the offset as entered. Bounds compare moments, no matter what the offsets are.
pub(super) fn datetime(min: Option<&str>, max: Option<&str>, given: DateTime<FixedOffset>) -> Result<FieldValue, Fault> {
    // Both, because receivers convert it to UTC.
    in_calendar(given.naive_local().year())?;
    in_calendar(given.naive_utc().year())?;
    if given.offset().local_minus_utc() % 60 != 0 {
        return Err(Fault::new("bad_format", "an offset of whole minutes is expected"));
    }
    let kept = cut_to_millis(given);
    within(min, max, parse_datetime, &kept)?;
    Ok(FieldValue::DateTime(kept))
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
