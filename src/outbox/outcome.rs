//! The outcome of an attempt.

use std::time::Duration;

use super::http_date::parse_http_date;
use crate::model::Timestamp;
use crate::port::TransportFailure;

/// The outcome of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A complete status line was read; the rest of the answer may be missing.
    Answer(Answer),
    /// No status line. Its detail is ignored.
    Failure(TransportFailure),
    /// The attempt ended before any I/O.
    NotAttempted(Cause),
}

/// The parts of an answer that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The status code of the status line.
    pub status: u16,
    /// The pause that the receiver asks for.
    pub retry_after: Option<Duration>,
    /// The time of the receiver's clock.
    pub date: Option<Timestamp>,
}

impl Answer {
    /// Reads an answer: its status and the text of its headers `Retry-After` and `Date`, as received at `received_at` by the phone's
    /// clock. Headers that cannot be read count as absent.
    pub fn read(status: u16, retry_after: Option<&str>, date: Option<&str>, received_at: Timestamp) -> Self {
        let date = date.and_then(parse_http_date);
        // A date in Retry-After is by the receiver's clock, so it is measured against that clock where it is known.
        let retry_after = retry_after.and_then(|text| parse_retry_after(text, date.unwrap_or(received_at)));
        Self { status, retry_after, date }
    }
}

/// Why an attempt ended before any I/O.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The body is not the one that was frozen.
    CorruptBody,
    /// The endpoint's URL cannot be used.
    BadUrl,
    /// There is no secret with the name that the endpoint gives.
    SecretMissing,
    /// The secret cannot be read now.
    SecretUnavailable,
    /// The secret cannot be used.
    SecretInvalid,
    /// The core stopped it before anything was sent.
    Interrupted,
}

/// Reads `Retry-After`: whole seconds of any size, or a date, which is measured from `reference` and is zero when it has passed. None for
/// any other text.
pub(super) fn parse_retry_after(text: &str, reference: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    Some((parse_http_date(text)? - reference).to_std().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(784_111_777 + seconds, 0).expect("a time")
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_never_nonsense() {
        let seconds = |text| parse_retry_after(text, at(0)).map(|wait| wait.as_secs());
        assert_eq!(seconds("0"), Some(0));
        assert_eq!(seconds(" 120 "), Some(120));
        assert_eq!(seconds("1000000000000"), Some(1_000_000_000_000));
        assert_eq!(seconds("99999999999999999999999999"), Some(u64::MAX));
        for text in ["", "-1", "abc", "1.5", "1e12", "12 s", "+5"] {
            assert_eq!(seconds(text), None, "{text}");
        }
        assert_eq!(parse_retry_after(DATE, at(-90)), Some(Duration::from_secs(90)));
        assert_eq!(parse_retry_after(DATE, at(90)), Some(Duration::ZERO));
    }

    #[test]
    fn a_date_in_retry_after_is_by_the_receivers_clock() {
        // The phone is seven minutes behind the receiver.
        let answer = Answer::read(503, Some("Sun, 06 Nov 1994 08:51:37 GMT"), Some(DATE), at(-420));
        assert_eq!(answer.retry_after, Some(Duration::from_secs(120)));
        assert_eq!(answer.date, Some(at(0)));
        let without_date = Answer::read(503, Some(DATE), Some("nonsense"), at(-30));
        assert_eq!(without_date.retry_after, Some(Duration::from_secs(30)));
        assert_eq!(without_date.date, None);
    }
}
