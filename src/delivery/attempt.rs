//! One attempt: its entry, its network, its stage and its result. Plain data; blocking calls run elsewhere.

use std::sync::Arc;
use std::time::Duration;

use super::moment::Moment;
use super::released::UsedUrgent;
use super::settings::{LEAST_TIME, SETTLING_TIME};
use crate::model::{Attempt as AttemptRow, Endpoint, Timestamp};
use crate::outbox::{Cause, Class, Contact, Outcome, Verdict};
use crate::port::{SecretValue, TransportRequest};
use crate::store::outbox::queue::Claimed;
use crate::webhook::{self, Message, RequestError};

/// The stage of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its secrets are being looked up.
    Secrets,
    /// Its secrets are known; its entry has to be read again before it is sent.
    Found,
    /// Its entry is being read. From here on it counts as begun.
    Looking,
    /// Its request waits for a thread.
    Leaving,
    /// Its request is in flight.
    Sending,
    /// It was answered 401 or 403, and the store of secrets is asked for a newer secret.
    Refreshing,
}

/// A secret by name, with the one before it.
pub(super) type Secret = (String, SecretValue, Option<SecretValue>);

/// A running attempt.
pub(super) struct Attempt {
    /// Names its request to the transport.
    pub(super) request: u64,
    pub(super) claimed: Claimed,
    pub(super) endpoint: Arc<Endpoint>,
    /// What is added to the phone's clock for the signature.
    pub(super) skew_ms: i64,
    /// The generation of the network that it began on.
    pub(super) network: u64,
    /// The generation of the configuration in which its secrets were looked up. A later read must not change it: the secrets stay the old ones.
    pub(super) configuration: u64,
    /// Whether the platform had validated the network that it began on.
    pub(super) validated: Option<bool>,
    pub(super) stage: Stage,
    pub(super) secrets: Vec<Secret>,
    pub(super) began_at: Timestamp,
    pub(super) began: Duration,
    /// For the whole attempt.
    pub(super) timeout: Duration,
    /// The time that its request was signed for, in milliseconds since 1970.
    pub(super) signed_for_ms: i64,
    /// Since when its request is in flight, and how much time it got.
    pub(super) sending: Option<(Duration, Duration)>,
    /// The core has asked it to end.
    pub(super) cancelled: bool,
    /// A look-up of its secrets is running.
    pub(super) looks_up: bool,
    /// When the look-up ended.
    pub(super) found_at: Option<Duration>,
    /// The answer for which a newer secret is looked up.
    pub(super) refused: Option<(Outcome, Timestamp, Duration)>,
    /// The last wake-up before it began.
    pub(super) wake: u64,
    /// The number of the last urgent request of a person before it began.
    pub(super) last_urgent: u64,
    /// The urgent attempt that it used up, to be returned if its request is not sent.
    pub(super) used_urgent: Option<UsedUrgent>,
}

/// The result of an attempt.
pub(super) struct AttemptResult {
    pub(super) attempt: Attempt,
    pub(super) outcome: Outcome,
    pub(super) verdict: Verdict,
    /// When it came, by the wall clock at that moment.
    pub(super) came_at: Timestamp,
    /// The same for storing: not later than the wall clock when it is stored.
    pub(super) ended_at: Timestamp,
    pub(super) duration: Duration,
    /// There is a newer secret after this one was refused.
    pub(super) refreshed: bool,
    /// Drawn when it ended; spreads the next attempt.
    pub(super) random: f64,
    /// Another endpoint recently answered on the same network.
    pub(super) another_answered: bool,
    /// It began before the last wake-up.
    pub(super) woken: bool,
    /// What it says about its endpoint was stored, although its own row could not be written.
    pub(super) counted_for_endpoint: bool,
}

impl Attempt {
    /// When it must have ended.
    pub(super) fn until(&self) -> Duration {
        self.began.saturating_add(self.timeout)
    }

    /// Whether the receiver may have got it, or will in a moment.
    pub(super) fn has_begun(&self) -> bool {
        matches!(self.stage, Stage::Looking | Stage::Leaving | Stage::Sending | Stage::Refreshing)
    }

    /// How long its secrets took.
    fn waited_for_secrets(&self) -> Duration {
        self.found_at.map_or(Duration::ZERO, |at| at.saturating_sub(self.began))
    }

    /// Whether the look-up of its secrets used up its own time: the time left is not enough to send it.
    pub(super) fn secrets_took_its_time(&self, now: Duration) -> bool {
        let (left, waited) = (self.until().saturating_sub(now), self.waited_for_secrets());
        left + SETTLING_TIME < LEAST_TIME && waited >= LEAST_TIME && waited + LEAST_TIME >= self.timeout
    }

    /// Its request is queued, to be sent as soon as there is a thread.
    pub(super) fn leaves(&mut self, now: Moment, timeout: Duration) {
        (self.stage, self.sending) = (Stage::Leaving, Some((now.monotonic, timeout)));
        self.signed_for_ms = self.signing_ms(now.wall);
    }

    /// The time to sign at this moment, by the receiver's clock as far as it is known.
    fn signing_ms(&self, now: Timestamp) -> i64 {
        now.timestamp_millis().saturating_add(self.skew_ms)
    }

    /// The secret of this name that it uses.
    pub(super) fn secret(&self, name: &str) -> Option<&str> {
        self.secrets.iter().find(|(known, ..)| known == name).map(|(_, current, _)| current.expose())
    }

    /// The request, signed for this moment.
    pub(super) fn request(&self, now: Timestamp, timeout: Duration) -> Result<TransportRequest, Cause> {
        let message = Message {
            id: &self.claimed.delivery_id,
            body: &self.claimed.body,
            timestamp: self.signing_ms(now).div_euclid(1000),
            attempt: self.claimed.progress.attempts,
            workflow_version: &self.claimed.workflow_version,
            session_state: self.claimed.session_state,
            revision: self.claimed.revision,
            replaces: &self.claimed.replaces,
            sequence: self.claimed.sequence.as_deref(),
            install: &self.claimed.install,
        };
        let find = |name: &str| {
            let (_, current, previous) = self.secrets.iter().find(|(known, ..)| known == name)?;
            Some((current, previous.as_ref()))
        };
        let headers = webhook::headers(&self.endpoint, &message, find).map_err(|error| match error {
            RequestError::SecretMissing { .. } => Cause::SecretMissing,
            RequestError::SecretInvalid { .. } => Cause::SecretInvalid,
        })?;
        Ok(TransportRequest { id: self.request, url: self.endpoint.url.clone(), headers, body: self.claimed.body.clone(), timeout })
    }
}

impl AttemptResult {
    /// Whether it was cancelled before its request was sent: the urgent request is then not served.
    pub(super) fn was_cancelled(&self) -> bool {
        self.verdict.contact == Contact::NotBegun && self.verdict.class == Class::CutShort
    }

    /// The status code, when an answer was read.
    pub(super) fn status(&self) -> Option<u16> {
        match &self.outcome {
            Outcome::Answer(answer) => Some(answer.status),
            _ => None,
        }
    }

    /// The time of the receiver's clock.
    pub(super) fn date(&self) -> Option<Timestamp> {
        match &self.outcome {
            Outcome::Answer(answer) => answer.date,
            _ => None,
        }
    }

    /// Its row in the history of the entry.
    pub(super) fn row(&self, verdict: &Verdict) -> AttemptRow {
        AttemptRow {
            number: self.attempt.claimed.progress.attempts,
            at: self.attempt.began_at,
            duration_ms: self.duration.as_millis() as u64,
            status: self.status(),
            outcome: verdict.reason.to_owned(),
            counted: verdict.counted(),
            may_have_been_delivered: verdict.contact == Contact::Unknown,
        }
    }
}
