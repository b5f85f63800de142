//! What an outcome means. Decided from the status line and from whether request bytes were sent, never from the text of an error.

use std::time::Duration;

use super::outcome::{Answer, Cause, Outcome};
use super::policy::RetryPolicy;
use super::reason;
use crate::port::{FailureKind, Phase, RequestSent, TransportFailure};
use crate::sorted::sort;

/// Two receivers agree about the phone's clock when their differences to it are this close: as close as a signature needs it.
const CLOCKS_AGREE_MS: u64 = 120_000;

/// What is known besides the outcome of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// Whether the platform had validated the network that the attempt began on.
    pub validated: Option<bool>,
    /// Whether some endpoint gave an HTTP answer on the same generation of the network within the last 60 s.
    pub answered_lately: bool,
    /// The time that the request was signed for, in milliseconds since 1970. Not the phone's current time: the clock may have been set since, or
    /// the phone may have slept.
    pub signed_for_ms: i64,
    /// How wrong the phone's clock is for this endpoint, in milliseconds, as `clock_error` finds it.
    pub clock_error_ms: Option<i64>,
    /// Whether the attempt right before this one of the same entry ended with [`Class::ResyncNow`].
    pub resynced: bool,
    /// The core ended the attempt itself, it used up less time than a receiver may take, or it began on an earlier network: a failure without
    /// a status line is [`Class::CutShort`].
    pub interrupted: bool,
}

impl Context {
    /// Whether the internet can be reached, as far as known.
    fn net_ok(&self) -> bool {
        self.validated == Some(true) || self.answered_lately
    }
}

/// How wrong the phone's clock is for an endpoint, in milliseconds: by its own `Date`, else by those of two others that agree, and of these
/// the smaller error. One receiver with a wrong clock does not count for other endpoints.
pub(crate) fn clock_error(own: Option<i64>, others: impl IntoIterator<Item = i64>) -> Option<i64> {
    own.or_else(|| {
        let mut others: Vec<i64> = others.into_iter().collect();
        sort(&mut others, PartialOrd::lt);
        let agreeing = others.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) <= CLOCKS_AGREE_MS);
        agreeing.flatten().copied().min_by_key(|error| error.unsigned_abs())
    })
}

/// What to do about an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Delivered: a 2xx was read.
    Sent,
    /// The cause is the phone's situation, not the receiver: attempt again soon; uses no budget.
    Offline,
    /// Something that a person or the platform has to provide is missing: check again later; uses no budget.
    Blocked,
    /// The core ended the attempt itself, or its network was lost: due again at once, delayed after the third in a row; uses no budget and does
    /// not change the endpoint.
    CutShort,
    /// The signature was refused and the clocks differ: correct the clock and attempt again at once; uses no budget.
    ResyncNow,
    /// May be temporary: attempt again on the schedule; counted.
    RetryLater,
    /// Is rarely temporary: attempt again on the slow schedule; counted separately.
    RetrySlow,
    /// Another attempt cannot help.
    Permanent,
    /// 410: another attempt cannot help, and the endpoint is disabled.
    Gone,
}

/// What the receiver may have got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Contact {
    /// No request was begun; it is not an attempt.
    NotBegun,
    /// The outcome of the request is known: a status line was read, or nothing of it was sent.
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
    /// The receiver is overloaded (429, 502, 503, 504, timeout): the next delay is at least `overload_shortest`.
    pub overloaded: bool,
    /// One attempt at a time from now on (429, 503, timeout).
    pub slow_down: bool,
    /// The whole endpoint is paused for this long: `Retry-After`, or the default for a 429 without one; already cut to the longest.
    pub pause: Option<Duration>,
}

impl Verdict {
    fn new(class: Class, reason: &'static str, contact: Contact) -> Self {
        Self { class, reason, contact, overloaded: false, slow_down: false, pause: None }
    }

    /// The stored bytes are not the frozen ones: nothing is sent.
    pub(crate) fn corrupt() -> Self {
        not_attempted(Cause::CorruptBody)
    }

    /// Whether it uses up retry budget.
    pub(crate) fn counted(&self) -> bool {
        matches!(self.class, Class::RetryLater | Class::RetrySlow)
    }
}

/// The meaning of an outcome, row by row as in the outcome table of `docs/delivery.md`.
pub fn classify(outcome: &Outcome, context: &Context, policy: &RetryPolicy) -> Verdict {
    match outcome {
        Outcome::Answer(answer) => answered(answer, context, policy),
        Outcome::Failure(failure) => failed(failure, context, policy),
        Outcome::NotAttempted(cause) => not_attempted(*cause),
    }
}

fn answered(answer: &Answer, context: &Context, policy: &RetryPolicy) -> Verdict {
    let (class, reason) = match answer.status {
        200..=299 => (Class::Sent, reason::SENT),
        400 | 401 | 403 | 422 if signed_time_was_wrong(answer, context, policy) => (Class::ResyncNow, reason::CLOCK_SKEW),
        300..=399 => (Class::RetrySlow, reason::REDIRECT),
        401 | 403 => (Class::RetrySlow, reason::AUTH),
        404 => (Class::RetrySlow, reason::NOT_FOUND),
        // Something in between requires a login. Inside TLS it comes from the server that answers there, so it keeps its reason.
        407 | 511 => (Class::Offline, reason::PROXY),
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

/// Whether a refusal may be about the time of the signature: by the receiver's clock the signed time was wrong, and the attempt before was
/// not one with a corrected time.
fn signed_time_was_wrong(answer: &Answer, context: &Context, policy: &RetryPolicy) -> bool {
    let Some(date) = answer.date else { return false };
    let error_ms = date.timestamp_millis().abs_diff(context.signed_for_ms);
    u128::from(error_ms) > policy.resync_skew.as_millis() && !context.resynced
}

fn failed(failure: &TransportFailure, context: &Context, policy: &RetryPolicy) -> Verdict {
    let nothing_sent = failure.request_sent == RequestSent::No;
    let verdict = |class, reason| Verdict::new(class, reason, if nothing_sent { Contact::Known } else { Contact::Unknown });
    // With a working network the cause is the receiver; otherwise it may be this phone.
    let offline_or = |offline, reason| {
        if context.net_ok() { verdict(Class::RetryLater, reason) } else { verdict(Class::Offline, offline) }
    };
    match failure.kind {
        _ if context.interrupted => verdict(Class::CutShort, reason::INTERRUPTED),
        FailureKind::NoNetwork => verdict(Class::Offline, reason::OFFLINE),
        // Certificates are checked before a request is written, so these say more than bytes that may have left.
        FailureKind::Certificate { .. } if !context.net_ok() => verdict(Class::Offline, reason::TLS),
        FailureKind::Certificate { time_invalid: true } if phone_clock_is_wrong(context, policy) => {
            verdict(Class::Offline, reason::CLOCK_SKEW)
        }
        FailureKind::Certificate { .. } => verdict(Class::RetrySlow, reason::TLS),
        // Plain text where TLS was expected.
        FailureKind::Tls | FailureKind::Protocol if nothing_sent && context.validated != Some(true) => {
            verdict(Class::Offline, reason::CAPTIVE_PORTAL)
        }
        FailureKind::Tls => verdict(Class::RetrySlow, reason::TLS),
        FailureKind::Protocol => verdict(Class::RetrySlow, reason::PROTOCOL),
        FailureKind::Timeout => {
            let mut verdict = if nothing_sent {
                offline_or(reason::OFFLINE, by_phase(failure.phase))
            } else {
                verdict(Class::RetryLater, reason::TIMEOUT)
            };
            verdict.overloaded = verdict.class == Class::RetryLater;
            verdict.slow_down = verdict.overloaded;
            verdict
        }
        _ if !nothing_sent => verdict(Class::RetryLater, reason::TIMEOUT),
        FailureKind::Dns => offline_or(reason::DNS, reason::DNS),
        FailureKind::Refused => offline_or(reason::UNREACHABLE, reason::UNREACHABLE),
        FailureKind::Closed => offline_or(reason::OFFLINE, by_phase(failure.phase)),
        // The cause may be anything, also a wrong setup of the transport, so it does not prove that the phone is offline.
        FailureKind::Cancelled | FailureKind::Other => verdict(Class::RetryLater, by_phase(failure.phase)),
    }
}

/// The reason, by the phase of a request of which nothing was sent.
fn by_phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Resolve => reason::DNS,
        Phase::Connect => reason::UNREACHABLE,
        Phase::Send | Phase::Receive => reason::TIMEOUT,
    }
}

fn phone_clock_is_wrong(context: &Context, policy: &RetryPolicy) -> bool {
    context.clock_error_ms.is_some_and(|error| u128::from(error.unsigned_abs()) > policy.certificate_skew.as_millis())
}

fn not_attempted(cause: Cause) -> Verdict {
    let (class, reason) = match cause {
        Cause::CorruptBody => (Class::Permanent, reason::CORRUPT),
        Cause::BadUrl => (Class::Permanent, reason::BAD_URL),
        Cause::SecretMissing => (Class::Blocked, reason::SECRET_MISSING),
        Cause::SecretUnavailable => (Class::Blocked, reason::SECRET_UNAVAILABLE),
        Cause::SecretInvalid => (Class::Blocked, reason::SECRET_INVALID),
        Cause::Interrupted => (Class::CutShort, reason::INTERRUPTED),
    };
    Verdict::new(class, reason, Contact::NotBegun)
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
