//! The outcome table and the schedule, written down a second time: what may become of an entry after an attempt. Where the world cannot know
//! what the core knew (whether a change came before or after a look), both answers are allowed.

use std::time::Duration;

use compass_core::port::{FailureKind, Phase, RequestSent};

/// How an attempt ended, as the core was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Answer { status: u16, retry_after: Option<Duration>, date: Option<i64> },
    Failure { kind: FailureKind, phase: Phase, sent: RequestSent },
}

/// What is to become of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Sent,
    Offline,
    CutShort,
    Resync,
    Later,
    Slow,
    Permanent,
    Gone,
}

/// What the world knows around an attempt. Each pair: whether it can be so, and whether it must.
#[derive(Debug, Clone, Copy)]
pub struct Around {
    pub net_works: (bool, bool),
    /// What the platform said of the network; none where that changed meanwhile.
    pub validated: Option<Option<bool>>,
    pub interrupted: (bool, bool),
    /// How far the receiver's clock was from the time that was signed with, in seconds.
    pub signed_off: Option<i64>,
    pub resynced_before: bool,
    /// A clock may be the cause where a certificate is refused.
    pub clock_known_wrong: bool,
    pub endpoint_changed: bool,
    /// Secrets may have changed since.
    pub secrets_changed: bool,
}

/// One row of the table: what may become of the entry, why, and how the row is called.
pub type Verdict = (Class, &'static str, &'static str);

pub fn verdicts(ended: &Ended, around: &Around) -> Vec<Verdict> {
    let mut found = match ended {
        Ended::Answer { status, .. } => answers(*status, around),
        Ended::Failure { kind, phase, sent } => failures(*kind, *phase, *sent, around),
    };
    let is_sent = found.iter().any(|(class, ..)| *class == Class::Sent);
    // What an older generation explains counts nothing.
    let is_older = around.secrets_changed && found.iter().any(|(_, reason, _)| *reason == "auth")
        || around.interrupted.0 && found.iter().any(|(class, ..)| *class == Class::Offline);
    if (around.endpoint_changed || is_older) && !is_sent {
        found.push((Class::CutShort, "interrupted", "cut short"));
    }
    found
}

fn answers(status: u16, around: &Around) -> Vec<Verdict> {
    let plain: Verdict = match status {
        200..=299 => (Class::Sent, "", "2xx"),
        300..=399 => (Class::Slow, "redirect", "3xx"),
        400 | 422 => (Class::Permanent, "rejected", "400 422"),
        401 | 403 => (Class::Slow, "auth", "401 403"),
        404 => (Class::Slow, "not_found", "404"),
        407 | 511 => (Class::Offline, "proxy", "407 511"),
        408 | 425 => (Class::Later, "server_error", "408 425"),
        409 => (Class::Slow, "conflict", "409"),
        410 => (Class::Gone, "gone", "410"),
        413 => (Class::Permanent, "payload_too_large", "413"),
        429 => (Class::Later, "rate_limited", "429"),
        405 | 406 | 411 | 414 | 415 | 431 | 451 | 501 | 505 => (Class::Permanent, "rejected", "405 and other refusals of bytes"),
        402..=499 => (Class::Slow, "rejected", "other 4xx"),
        502..=504 => (Class::Later, "server_error", "502 503 504"),
        500..=599 => (Class::Later, "server_error", "other 5xx"),
        _ => (Class::Slow, "protocol", "1xx, below 100, above 599"),
    };
    let resync: Verdict = (Class::Resync, "clock_skew", if status < 402 || status == 422 { "400 422 resync" } else { "401 403 resync" });
    let resync = if matches!(status, 401 | 403) { (resync.0, resync.1, "401 403 resync") } else { resync };
    match (status, around.signed_off) {
        (400 | 401 | 403 | 422, Some(off)) if !around.resynced_before => match off.abs() {
            // The signature names whole seconds, and so does `Date`.
            off if off > 121 => vec![resync],
            off if off < 119 => vec![plain],
            _ => vec![plain, resync],
        },
        _ => vec![plain],
    }
}

fn failures(kind: FailureKind, phase: Phase, sent: RequestSent, around: &Around) -> Vec<Verdict> {
    let cut: Verdict = (Class::CutShort, "interrupted", "cut short");
    let (may_be_cut, must_be_cut) = around.interrupted;
    if must_be_cut {
        return vec![cut];
    }
    let (may_work, must_work) = around.net_works;
    let nothing = sent == RequestSent::No;
    let by_phase = match phase {
        Phase::Resolve => "dns",
        Phase::Connect => "unreachable",
        Phase::Send | Phase::Receive => "timeout",
    };
    let either = |offline: Verdict, works: Verdict| {
        let mut found = Vec::new();
        if !must_work {
            found.push(offline);
        }
        if may_work {
            found.push(works);
        }
        found
    };
    let mut found: Vec<Verdict> = match kind {
        FailureKind::NoNetwork => vec![(Class::Offline, "offline", "no network")],
        FailureKind::Certificate { time_invalid } => {
            let mut found = either((Class::Offline, "tls", "certificate, offline"), (Class::Slow, "tls", "certificate"));
            if time_invalid && may_work && around.clock_known_wrong {
                found.push((Class::Offline, "clock_skew", "certificate, clock"));
            }
            found
        }
        FailureKind::Tls | FailureKind::Protocol if nothing && around.validated != Some(Some(true)) => {
            let mut found = vec![(Class::Offline, "captive_portal", "tls, portal")];
            if around.validated.is_none() {
                found.push(if kind == FailureKind::Tls { (Class::Slow, "tls", "tls") } else { (Class::Slow, "protocol", "garbage") });
            }
            found
        }
        FailureKind::Tls => vec![(Class::Slow, "tls", "tls")],
        FailureKind::Protocol if phase == Phase::Send => vec![(Class::Slow, "protocol", "2xx before the request was written")],
        FailureKind::Protocol => vec![(Class::Slow, "protocol", "garbage")],
        FailureKind::Timeout if nothing => {
            either((Class::Offline, "offline", "nothing left, offline"), (Class::Later, by_phase, "nothing left"))
        }
        FailureKind::Timeout => vec![(Class::Later, "timeout", "timeout after bytes left")],
        _ if !nothing => vec![(Class::Later, "timeout", "closed after bytes left")],
        FailureKind::Dns => either((Class::Offline, "dns", "dns, offline"), (Class::Later, "dns", "dns")),
        FailureKind::Refused => either((Class::Offline, "unreachable", "refused, offline"), (Class::Later, "unreachable", "refused")),
        FailureKind::Closed => either((Class::Offline, "offline", "nothing left, offline"), (Class::Later, by_phase, "nothing left")),
        FailureKind::Cancelled => vec![(Class::Later, by_phase, "cancelled by the transport")],
        FailureKind::Other => vec![(Class::Later, by_phase, "another failure")],
    };
    if may_be_cut {
        found.push(cut);
    }
    found
}

const SCHEDULE: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
const SLOW: [u64; 5] = [300, 7_200, 36_000, 86_400, 86_400];

/// How long after its end the next attempt of an entry may be due, in milliseconds: the least and the most.
pub fn delay(class: Class, ended: &Ended, count: u32, refreshed: bool, pause: Duration) -> (i64, i64) {
    let step =
        |table: &[u64], count: u32| table.get(count.saturating_sub(1) as usize).or(table.last()).copied().unwrap_or(0) as f64 * 1000.0;
    let offline = |count: u32| (15_000.0 * f64::from(2_u32.saturating_pow(count.saturating_sub(1).min(10)))).min(900_000.0);
    let day = 86_400_000.0;
    let (least, most) = match class {
        Class::Offline => (offline(count) * 0.8, 3_600_000.0 * 1.2),
        Class::CutShort if count < 3 => (0.0, 0.0),
        Class::CutShort => (offline(count - 2) * 0.8, offline(count - 2) * 1.2),
        Class::Resync => (0.0, 0.0),
        Class::Slow => (if refreshed { 0.0 } else { step(&SLOW, count) * 0.8 }, step(&SLOW, count) * 1.2),
        Class::Later => {
            // A receiver that is busy and says when to come back replaces the schedule, until it has refused the message so often that the
            // budget is spent.
            let says_when = !pause.is_zero() && matches!(ended, Ended::Answer { status: 429 | 503, .. });
            let count = if says_when { count.saturating_sub(12) } else { count };
            let step = (count > 0).then(|| step(&SCHEDULE, count));
            let overloaded = match ended {
                Ended::Answer { status, .. } => matches!(status, 429 | 502..=504),
                Ended::Failure { kind, .. } => *kind == FailureKind::Timeout,
            };
            let floor = if overloaded { 60_000.0 } else { 0.0 };
            let pause = pause.as_millis() as f64;
            let longest_pause = pause + pause.clamp(1_000.0, 60_000.0);
            match step {
                None => (pause, longest_pause),
                Some(step) => ((step * 0.8).max(floor).max(pause), (step * 1.2).max(floor * 1.2).max(longest_pause)),
            }
        }
        Class::Sent | Class::Permanent | Class::Gone => (0.0, 0.0),
    };
    (least.min(day) as i64 - 1, most.min(day) as i64 + 1)
}

/// How long an entry waits at most that was cut short so many times in a row, in milliseconds.
pub fn longest_after_cut_short(count: u32) -> i64 {
    delay(Class::CutShort, &Ended::Answer { status: 0, retry_after: None, date: None }, count, false, Duration::ZERO).1
}

/// The pause that an answer asks for.
pub fn pause(ended: &Ended) -> Duration {
    let asked = match ended {
        Ended::Answer { status: 408 | 425 | 500 | 502..=504 | 506..=510 | 512..=599, retry_after, .. } => retry_after.unwrap_or_default(),
        Ended::Answer { status: 429, retry_after, .. } => retry_after.unwrap_or(Duration::from_secs(60)),
        _ => Duration::ZERO,
    };
    asked.min(Duration::from_secs(86_400))
}
