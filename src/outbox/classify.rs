//! What an outcome means. Decided from the status line and from whether request bytes left the phone, never from words of an error.

use std::time::Duration;

use chrono::TimeDelta;

use super::outcome::{Answer, Cause, Failure, Obstacle, Outcome, Stage};
use super::policy::{RetryPolicy, span};
use super::reason;
use crate::model::Timestamp;

/// What is known around an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// Whether the internet can be reached: the app says that the platform has reached it, or some request of the last 60 s was answered.
    pub net_ok: bool,
    /// When the outcome came, by the phone's clock.
    pub received_at: Timestamp,
    /// What was added to the phone's clock for `webhook-timestamp`, in milliseconds.
    pub applied_skew_ms: i64,
    /// The largest error of the phone's clock that any endpoint's `Date` has told, in milliseconds; none when none has told.
    pub device_skew_ms: Option<i64>,
    /// Whether the attempt before this one of the same entry ended with [`Class::ResyncNow`]. Its reason was `clock_skew`.
    pub resynced: bool,
}

/// What is to be done about an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Delivered: a 2xx was read.
    Sent,
    /// The phone's own situation, not the receiver's: try again soon; uses no budget.
    Offline,
    /// Something a person or the platform has to provide is not there: look again later; uses no budget.
    Blocked,
    /// The core stopped the attempt itself: due again at once; uses no budget and says nothing about the endpoint.
    CutShort,
    /// The signature was refused and the clocks differ: correct the clock and try once more at once; uses no budget.
    ResyncNow,
    /// May pass by itself: try again on the schedule; counted.
    RetryLater,
    /// Rarely passes by itself: try again on the slow schedule; counted apart.
    RetrySlow,
    /// Trying again cannot help.
    Permanent,
    /// 410: trying again cannot help, and the endpoint is to be disabled.
    Gone,
}

/// What the receiver may have got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Contact {
    /// No request was begun at all; it is no attempt.
    NotBegun,
    /// What became of the request is known: a status line was read, or nothing of it left the phone.
    Known,
    /// The receiver may have the message although no status line was read.
    Unknown,
}

/// The meaning of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// What to do.
    pub class: Class,
    /// `sent`, or a reason code of [`reason`].
    pub reason: &'static str,
    /// What the receiver may have got.
    pub contact: Contact,
    /// The receiver has too much to do (429, 502, 503, 504, timeout): the next delay has a floor.
    pub overloaded: bool,
    /// One attempt at a time from now on (429, 503, timeout).
    pub slow_down: bool,
    /// The whole endpoint is left in peace for this long: `Retry-After`, or the default for a 429 without; already cut to the longest.
    pub pause: Option<Duration>,
}

impl Verdict {
    fn new(class: Class, reason: &'static str, contact: Contact) -> Self {
        Self { class, reason, contact, overloaded: false, slow_down: false, pause: None }
    }

    /// Whether it uses up retry budget.
    pub fn counted(&self) -> bool {
        matches!(self.class, Class::RetryLater | Class::RetrySlow)
    }
}

/// Says what an outcome means, row by row as in the outcome table of `docs/delivery.md`.
pub fn classify(outcome: &Outcome, context: &Context, policy: &RetryPolicy) -> Verdict {
    match outcome {
        Outcome::Answer(answer) => answered(answer, context, policy),
        Outcome::Failure(failure) => failed(failure, context, policy),
        Outcome::NotAttempted(obstacle) => not_attempted(*obstacle),
    }
}

fn answered(answer: &Answer, context: &Context, policy: &RetryPolicy) -> Verdict {
    let (class, reason) = match answer.status {
        200..=299 => (Class::Sent, reason::SENT),
        400 | 401 | 403 | 422 if clock_is_to_blame(answer, context, policy) => (Class::ResyncNow, reason::CLOCK_SKEW),
        300..=399 => (Class::RetrySlow, reason::REDIRECT),
        401 | 403 => (Class::RetrySlow, reason::AUTH),
        404 => (Class::RetrySlow, reason::NOT_FOUND),
        // Answered by something in between: a proxy that wants a login, a network that does.
        407 | 511 => (Class::Offline, reason::CAPTIVE_PORTAL),
        408 | 425 => (Class::RetryLater, reason::SERVER_ERROR),
        409 => (Class::RetrySlow, reason::CONFLICT),
        410 => (Class::Gone, reason::GONE),
        413 => (Class::Permanent, reason::PAYLOAD_TOO_LARGE),
        429 => (Class::RetryLater, reason::RATE_LIMITED),
        // About the bytes or the method, which never change.
        400 | 405 | 406 | 411 | 414 | 415 | 422 | 431 | 451 | 501 | 505 => (Class::Permanent, reason::REJECTED),
        402..=499 => (Class::RetrySlow, reason::REJECTED),
        500..=599 => (Class::RetryLater, reason::SERVER_ERROR),
        _ => (Class::RetrySlow, reason::PROTOCOL),
    };
    let mut verdict = Verdict::new(class, reason, Contact::Known);
    verdict.overloaded = matches!(answer.status, 429 | 502 | 503 | 504);
    verdict.slow_down = matches!(answer.status, 429 | 503);
    if class == Class::RetryLater {
        let default = (answer.status == 429).then_some(policy.retry_after_default);
        verdict.pause = answer.retry_after.or(default).map(|pause| pause.min(policy.retry_after_longest)).filter(|pause| !pause.is_zero());
    }
    verdict
}

/// Whether a refusal may be about the time of the signature: the receiver's clock says that our timestamp was off, and this entry was
/// not just tried with a corrected one.
fn clock_is_to_blame(answer: &Answer, context: &Context, policy: &RetryPolicy) -> bool {
    let Some(date) = answer.date else { return false };
    let signed_at = context.received_at.checked_add_signed(TimeDelta::milliseconds(context.applied_skew_ms));
    let wrong = signed_at.is_none_or(|signed_at| (date - signed_at).abs() > span(policy.resync_skew));
    wrong && !context.resynced
}

fn failed(failure: &Failure, context: &Context, policy: &RetryPolicy) -> Verdict {
    let contact = if failure.may_have_left { Contact::Unknown } else { Contact::Known };
    let verdict = |class, reason| Verdict::new(class, reason, contact);
    // Nothing left the phone and nobody else was reached lately either: it is the network.
    let offline_or = |reason| if context.net_ok { verdict(Class::RetryLater, reason) } else { verdict(Class::Offline, reason::OFFLINE) };
    match failure.cause {
        Cause::Cancelled => verdict(Class::CutShort, reason::INTERRUPTED),
        Cause::NoNetwork => verdict(Class::Offline, reason::OFFLINE),
        // Certificates are checked before a request is written, so these say more than bytes that may have left.
        Cause::Certificate { .. } if !context.net_ok => verdict(Class::Offline, reason::CAPTIVE_PORTAL),
        Cause::Certificate { time_invalid: true } if phone_clock_is_wrong(context, policy) => verdict(Class::Offline, reason::CLOCK_SKEW),
        Cause::Certificate { .. } | Cause::Tls => verdict(Class::RetrySlow, reason::TLS),
        Cause::Protocol => verdict(Class::RetrySlow, reason::PROTOCOL),
        Cause::Dns | Cause::Refused | Cause::Timeout | Cause::Closed | Cause::Other => {
            let mut verdict = match (failure.cause, failure.stage) {
                _ if failure.may_have_left => verdict(Class::RetryLater, reason::TIMEOUT),
                (Cause::Dns, _) | (_, Stage::Resolve) => offline_or(reason::DNS),
                (Cause::Refused, _) | (_, Stage::Connect) => offline_or(reason::UNREACHABLE),
                _ => offline_or(reason::TIMEOUT),
            };
            if failure.cause == Cause::Timeout && verdict.class == Class::RetryLater {
                verdict.overloaded = true;
                verdict.slow_down = true;
            }
            verdict
        }
    }
}

fn phone_clock_is_wrong(context: &Context, policy: &RetryPolicy) -> bool {
    context.device_skew_ms.is_some_and(|skew| u128::from(skew.unsigned_abs()) > policy.certificate_skew.as_millis())
}

fn not_attempted(obstacle: Obstacle) -> Verdict {
    let (class, reason) = match obstacle {
        Obstacle::CorruptBody => (Class::Permanent, reason::CORRUPT),
        Obstacle::BadUrl => (Class::Permanent, reason::BAD_URL),
        Obstacle::SecretMissing => (Class::Blocked, reason::SECRET_MISSING),
        Obstacle::SecretUnavailable => (Class::Blocked, reason::SECRET_UNAVAILABLE),
        Obstacle::SecretInvalid => (Class::Blocked, reason::SECRET_INVALID),
    };
    Verdict::new(class, reason, Contact::NotBegun)
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
