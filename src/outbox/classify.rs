//! What an outcome means. Decided from the status line and from whether request bytes left the phone, never from words of an error.

use std::time::Duration;

use super::outcome::{Answer, Obstacle, Outcome};
use super::policy::RetryPolicy;
use super::reason;
use crate::port::{FailureKind, Phase, RequestSent, TransportFailure};

/// Two receivers agree about the phone's clock when what they say of it lies this close together: as close as a signature needs it.
const CLOCKS_AGREE_MS: u64 = 120_000;

/// What is known around an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Context {
    /// What the platform said of the network that the attempt began on.
    pub validated: Option<bool>,
    /// Whether some endpoint gave an HTTP answer on the same generation of the network within the last 60 s.
    pub answered_lately: bool,
    /// The time that the request was signed for, in milliseconds since 1970. Not the phone's clock now: it may have been set since, or the
    /// phone may have slept.
    pub signed_for_ms: i64,
    /// How wrong the phone's clock is as far as it counts for this endpoint, in milliseconds: see [`clock_error`].
    pub clock_error_ms: Option<i64>,
    /// Whether the attempt right before this one of the same entry ended with [`Class::ResyncNow`].
    pub resynced: bool,
    /// The core ended the attempt itself, it had less time than a receiver may take and used it up, or it began on a network that is gone:
    /// a failure without a status line is [`Class::CutShort`].
    pub interrupted: bool,
}

impl Context {
    /// Whether the internet can be reached, as far as can be known.
    fn net_ok(&self) -> bool {
        self.validated == Some(true) || self.answered_lately
    }
}

/// How wrong the phone's clock is as far as it counts for an endpoint, in milliseconds: what its own `Date` has told, else what those of two
/// others say that agree, and of these the smaller error. One receiver whose clock is wrong excuses nobody else.
pub(crate) fn clock_error(own: Option<i64>, others: impl IntoIterator<Item = i64>) -> Option<i64> {
    own.or_else(|| {
        let mut others: Vec<i64> = others.into_iter().collect();
        others.sort_unstable();
        let agreeing = others.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) <= CLOCKS_AGREE_MS);
        agreeing.flatten().copied().min_by_key(|error| error.unsigned_abs())
    })
}

/// What is to be done about an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// Delivered: a 2xx was read.
    Sent,
    /// The phone's own situation, not the receiver's: try again soon; uses no budget.
    Offline,
    /// Something a person or the platform has to provide is not there: look again later; uses no budget.
    Blocked,
    /// The core ended the attempt itself, or its network was gone: due again at once, spaced after the third in a row; uses no budget and
    /// says nothing about the endpoint.
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
pub(crate) enum Contact {
    /// No request was begun at all; it is no attempt.
    NotBegun,
    /// What became of the request is known: a status line was read, or nothing of it left the phone.
    Known,
    /// The receiver may have the message although no status line was read.
    Unknown,
}

/// The meaning of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
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
    /// The whole endpoint is paused for this long: `Retry-After`, or the default for a 429 without; already cut to the longest.
    pub pause: Option<Duration>,
}

impl Verdict {
    fn new(class: Class, reason: &'static str, contact: Contact) -> Self {
        Self { class, reason, contact, overloaded: false, slow_down: false, pause: None }
    }

    /// What was frozen is not what is stored: nothing of it leaves.
    pub(crate) fn corrupt() -> Self {
        not_attempted(Obstacle::CorruptBody)
    }

    /// Whether it uses up retry budget.
    pub(crate) fn counted(&self) -> bool {
        matches!(self.class, Class::RetryLater | Class::RetrySlow)
    }
}

/// Says what an outcome means, row by row as in the outcome table of `docs/delivery.md`.
pub(crate) fn classify(outcome: &Outcome, context: &Context, policy: &RetryPolicy) -> Verdict {
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
        // Something in between wants a login. Inside TLS it comes from what answers there, so it is said as it is.
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

/// Whether a refusal may be about the time of the signature: the receiver's clock says that our timestamp was off, and this entry was
/// not just tried with a corrected one.
fn clock_is_to_blame(answer: &Answer, context: &Context, policy: &RetryPolicy) -> bool {
    let Some(date) = answer.date else { return false };
    let error_ms = date.timestamp_millis().abs_diff(context.signed_for_ms);
    u128::from(error_ms) > policy.resync_skew.as_millis() && !context.resynced
}

fn failed(failure: &TransportFailure, context: &Context, policy: &RetryPolicy) -> Verdict {
    let nothing_sent = failure.request_sent == RequestSent::No;
    let verdict = |class, reason| Verdict::new(class, reason, if nothing_sent { Contact::Known } else { Contact::Unknown });
    // A network that works makes it the receiver's; else nothing shows more than that this phone does not get there.
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
        // It may be anything, a transport that is set up wrongly too, so it is no proof of being offline.
        FailureKind::Cancelled | FailureKind::Other => verdict(Class::RetryLater, by_phase(failure.phase)),
    }
}

/// What did not work, by how far a request got of which nothing left the phone.
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

fn not_attempted(obstacle: Obstacle) -> Verdict {
    let (class, reason) = match obstacle {
        Obstacle::CorruptBody => (Class::Permanent, reason::CORRUPT),
        Obstacle::BadUrl => (Class::Permanent, reason::BAD_URL),
        Obstacle::SecretMissing => (Class::Blocked, reason::SECRET_MISSING),
        Obstacle::SecretUnavailable => (Class::Blocked, reason::SECRET_UNAVAILABLE),
        Obstacle::SecretInvalid => (Class::Blocked, reason::SECRET_INVALID),
        Obstacle::Interrupted => (Class::CutShort, reason::INTERRUPTED),
    };
    Verdict::new(class, reason, Contact::NotBegun)
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
