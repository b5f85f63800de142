//! How types that other languages do not have cross an FFI (feature `uniffi`): as texts and times, under a name of their own where the
//! language allows that without cost; and the error that carries everything a wrapper needs.
//!
//! A text that does not fit arrives as [`CoreError`] with the code `invalid_argument`, and the call is not made.

// The error is built once per failed call and converted at once.
#![allow(clippy::result_large_err)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, SubsecRound};

use super::{Decimal, DeliveryId, Finding, Problem, SessionKey, Timestamp};

type OffsetDateTime = DateTime<FixedOffset>;

/// Why a call changed nothing, as it crosses an FFI: one shape for every code, so that a new code breaks no app.
///
/// No member is called `message`: generated code would make it the text of the exception, and print what it holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum CoreError {
    /// The call failed.
    #[error("{code}: {detail}")]
    Failed {
        /// The stable name of the error; new ones may appear.
        code: String,
        /// Whether the same call may succeed later without any change to it.
        retryable: bool,
        /// What it is about, where there is such a place.
        place: Option<String>,
        /// For logs and developers, in English. Never a secret, or what a technician typed.
        detail: String,
        /// The fields that are missing or not acceptable, when that is the reason.
        problems: Vec<Problem>,
        /// What is wrong with the workflow document, when that is the reason.
        findings: Vec<Finding>,
        /// How many messages would be lost, when that is the reason and they can be counted.
        undelivered: Option<u64>,
    },
}

impl CoreError {
    /// An error without problems and findings.
    pub fn new(code: &str, place: Option<&str>, detail: &str) -> Self {
        CoreError::Failed {
            code: code.to_owned(),
            retryable: false,
            place: place.map(str::to_owned),
            detail: detail.to_owned(),
            problems: Vec::new(),
            findings: Vec::new(),
            undelivered: None,
        }
    }

    fn argument(place: &str, detail: &str) -> Self {
        Self::new("invalid_argument", Some(place), detail)
    }
}

uniffi::custom_type!(SessionKey, String, {
    lower: |key| key.to_string(),
    try_lift: |text| Ok(text.parse().map_err(|_| CoreError::argument("session", "this is not a session key"))?),
});

uniffi::custom_type!(DeliveryId, String, { lower: |id| id.0, try_lift: |text| Ok(DeliveryId(text)) });

// The engine checks whether it is a number, and names the field.
uniffi::custom_type!(Decimal, String, { lower: |decimal| decimal.0, try_lift: |text| Ok(Decimal(text)) });

uniffi::custom_type!(Timestamp, SystemTime, { remote, lower: |time| SystemTime::from(time), try_lift: |time| Ok(instant(time)?) });

uniffi::custom_type!(NaiveDate, String, {
    remote,
    lower: |date| date.to_string(),
    try_lift: |text| Ok(text.parse().map_err(|_| CoreError::argument("date", "a date is written 2026-03-09"))?),
});

uniffi::custom_type!(NaiveTime, String, { remote, lower: |time| time.to_string(), try_lift: |text| Ok(time(&text)?) });

uniffi::custom_type!(OffsetDateTime, String, {
    remote,
    lower: |moment| moment.to_rfc3339(),
    try_lift: |text| Ok(offset_date_time(&text)?),
});

/// Finer digits than milliseconds are cut, as everywhere a time enters.
fn instant(time: SystemTime) -> Result<Timestamp, CoreError> {
    // Beyond these years chrono would panic.
    let within = Duration::from_secs(250_000_000_000);
    let distance = time.duration_since(UNIX_EPOCH).unwrap_or_else(|before| before.duration());
    if distance > within {
        return Err(CoreError::argument("time", "this moment is thousands of years away"));
    }
    Ok(Timestamp::from(time).trunc_subsecs(3))
}

/// Seconds may be absent: some languages write a whole minute without them.
fn time(text: &str) -> Result<NaiveTime, CoreError> {
    text.parse().map_err(|_| CoreError::argument("time", "a time is written 14:05 or 14:05:30"))
}

fn offset_date_time(text: &str) -> Result<OffsetDateTime, CoreError> {
    let with_seconds = || text.split_at_checked("2026-03-09T14:05".len()).map(|(minute, offset)| format!("{minute}:00{offset}"));
    DateTime::parse_from_rfc3339(text)
        .or_else(|error| with_seconds().map_or(Err(error), |text| DateTime::parse_from_rfc3339(&text)))
        .map_err(|_| CoreError::argument("datetime", "a date and time is written 2026-03-09T14:05:00+01:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_cut_to_milliseconds() {
        let given = UNIX_EPOCH + Duration::from_nanos(1_234_567_890);
        assert_eq!(instant(given).expect("fits").timestamp_micros(), 1_234_000);
        assert!(instant(UNIX_EPOCH + Duration::from_secs(u64::MAX / 4)).is_err());
    }

    #[test]
    fn whole_minutes_may_leave_the_seconds_out() {
        assert_eq!(time("14:05"), time("14:05:00"));
        assert_eq!(offset_date_time("2026-03-09T14:05+01:00"), offset_date_time("2026-03-09T14:05:00+01:00"));
        assert!(time("25:00").is_err() && offset_date_time("2026-03-09 14:05").is_err());
    }
}
