//! Receivers: what they do with a request, well or badly.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use compass_core::model::Timestamp;
use compass_core::port::{FailureKind, Header, Phase, RequestSent, TransportRequest, TransportResponse};

use super::keystore::{Keystore, SIGNING, TOKEN};
use super::random::Rng;

/// How a receiver behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// 202, if the request is right.
    Works,
    /// Always this status.
    Status(u16),
    /// This status, with a pause that it asks for.
    Pause(u16, RetryAfter),
    /// 500 to some messages, 202 to the others.
    Poison,
    /// The first copy is taken without an answer, later ones are a conflict.
    ConflictOnRepeat,
    /// Takes the request and never answers.
    Silent,
    /// Takes the request and closes.
    Closes,
    /// Takes the request and answers 2xx before all of it was written, which is no proof.
    Early,
    /// Answers what is no HTTP.
    Garbage,
    /// Answers after a long time, within the timeout or not.
    Slow,
    /// As [`Mode::Silent`], and the transport does not end at its timeout.
    Endless,
    Refuses,
    NoName,
    NoRoute,
    BadCertificate(bool),
    PlainText,
    /// The transport ends the request itself, without being asked.
    Cancels,
    /// The transport fails for a reason of its own.
    Broken,
}

/// What `Retry-After` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    Nothing,
    Seconds(u64),
    Date(u64),
    Nonsense,
}

/// What the receiver's clock says in `Date`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    None,
    /// So many seconds from the truth.
    Off(i64),
}

/// One receiver.
#[derive(Debug, Clone)]
pub struct Receiver {
    pub mode: Mode,
    pub dates: Dates,
    /// Refuses signatures whose time is more than 300 s off its clock.
    pub checks_time: bool,
    /// How many copies of each message it has taken, with a 2xx whether it was read or not.
    pub accepted: BTreeMap<String, u32>,
}

/// What becomes of a request that has arrived.
pub enum Reaction {
    Answers(TransportResponse),
    /// Ends without a status line, after the transport's timeout or at once.
    Silence {
        endless: bool,
    },
    Breaks(FailureKind),
    /// A 2xx that came too early, as the built-in transport tells it.
    Early,
}

impl Receiver {
    pub fn new() -> Self {
        Self { mode: Mode::Works, dates: Dates::Off(0), checks_time: false, accepted: BTreeMap::new() }
    }

    /// How a request fails before any of it has left, if it does.
    pub fn refuses_connections(&self) -> Option<(FailureKind, Phase)> {
        Some(match self.mode {
            Mode::Refuses => (FailureKind::Refused, Phase::Connect),
            Mode::NoName => (FailureKind::Dns, Phase::Resolve),
            Mode::NoRoute => (FailureKind::Timeout, Phase::Connect),
            Mode::BadCertificate(time_invalid) => (FailureKind::Certificate { time_invalid }, Phase::Connect),
            Mode::PlainText => (FailureKind::Tls, Phase::Connect),
            Mode::Cancels => (FailureKind::Cancelled, Phase::Connect),
            Mode::Broken => (FailureKind::Other, Phase::Connect),
            _ => return None,
        })
    }

    /// Takes a request in.
    pub fn takes(&mut self, request: &TransportRequest, truth: Timestamp, keystore: &Keystore, rng: &mut Rng) -> Reaction {
        let id = header(request, "webhook-id").to_owned();
        let before = self.accepted.get(&id).copied().unwrap_or(0);
        match self.mode {
            Mode::Silent | Mode::Endless => {
                if rng.chance(50) {
                    self.accept(&id);
                }
                return Reaction::Silence { endless: self.mode == Mode::Endless };
            }
            Mode::Closes => {
                if rng.chance(50) {
                    self.accept(&id);
                }
                return Reaction::Breaks(FailureKind::Closed);
            }
            Mode::ConflictOnRepeat if before == 0 => {
                self.accept(&id);
                return Reaction::Breaks(FailureKind::Closed);
            }
            Mode::Garbage => return Reaction::Breaks(FailureKind::Protocol),
            Mode::Early => {
                self.accept(&id);
                return Reaction::Early;
            }
            _ => {}
        }
        let status = match self.mode {
            Mode::Status(status) | Mode::Pause(status, _) => status,
            Mode::Poison if is_poison(&id) => 500,
            Mode::ConflictOnRepeat => 409,
            _ => self.answer_to(request, truth, keystore),
        };
        if (200..300).contains(&status) {
            self.accept(&id);
        }
        let mut headers = Vec::new();
        if let Dates::Off(seconds) = self.dates {
            headers.push(Header::new("date", http_date(truth + TimeDelta::seconds(seconds))));
        }
        if let Mode::Pause(_, after) = self.mode {
            let off = if let Dates::Off(seconds) = self.dates { seconds } else { 0 };
            let text = match after {
                RetryAfter::Nothing => None,
                RetryAfter::Seconds(seconds) => Some(seconds.to_string()),
                RetryAfter::Date(seconds) => Some(http_date(truth + TimeDelta::seconds(off + seconds as i64))),
                RetryAfter::Nonsense => Some("soon".to_owned()),
            };
            headers.extend(text.map(|text| Header::new("retry-after", text)));
        }
        Reaction::Answers(TransportResponse { status, headers, body: Vec::new() })
    }

    /// What an honest receiver says.
    fn answer_to(&self, request: &TransportRequest, truth: Timestamp, keystore: &Keystore) -> u16 {
        let own = truth + TimeDelta::seconds(if let Dates::Off(seconds) = self.dates { seconds } else { 0 });
        let timestamp: i64 = header(request, "webhook-timestamp").parse().unwrap_or(0);
        if self.checks_time && (own.timestamp() - timestamp).abs() > 300 {
            return 400;
        }
        let signature = header(request, "webhook-signature");
        if request.url.contains("//lab.") && !signed_right(request, signature, timestamp, keystore) {
            return 401;
        }
        if request.url.contains("//depot.") && header(request, "authorization") != keystore.right(TOKEN) {
            return 401;
        }
        202
    }

    fn accept(&mut self, id: &str) {
        *self.accepted.entry(id.to_owned()).or_default() += 1;
    }
}

/// Whether one of the signatures is by the right secret, as an independent library says.
fn signed_right(request: &TransportRequest, signature: &str, timestamp: i64, keystore: &Keystore) -> bool {
    let Ok(webhook) = standardwebhooks::Webhook::new(&keystore.right(SIGNING)) else { return false };
    let Ok(expected) = webhook.sign(header(request, "webhook-id"), timestamp, &request.body) else { return false };
    signature.split(' ').any(|one| one == expected)
}

/// Whether a poisoned receiver answers 500 to this message.
pub fn is_poison(id: &str) -> bool {
    id.bytes().map(u32::from).sum::<u32>() % 3 != 0
}

pub fn header<'a>(request: &'a TransportRequest, name: &str) -> &'a str {
    request.headers.iter().find(|header| header.name == name).map_or("", |header| header.value.as_str())
}

fn http_date(at: Timestamp) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// How the end of a request that left nothing is told.
pub const NOTHING_SENT: RequestSent = RequestSent::No;
