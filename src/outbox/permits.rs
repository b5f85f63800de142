//! When a person may send, send corrected, replay, and abandon: one answer for the calls and for the record.

use super::policy::RetryPolicy;
use super::reason;
use crate::model::ActionStatus;

/// The facts of an action that decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ActionFacts<'a> {
    /// Its status.
    pub status: ActionStatus,
    /// Why, as stored.
    pub reason: Option<&'a str>,
    /// Sends that ended `failed`, over all its revisions.
    pub failed_sends: u32,
    /// Whether its newest message holds a redacted value.
    pub holds_redacted: bool,
    /// Whether its newest message is larger than any may be, whatever became of it since it was frozen.
    pub is_too_large: bool,
    /// Whether a file that this one has replaced had a newer revision.
    pub is_passed: bool,
    /// Whether one of its revisions was delivered.
    pub was_delivered: bool,
    /// Its replay that is neither delivered nor abandoned.
    pub replay: Option<OpenReplay>,
}

/// A replay that is neither delivered nor abandoned. An action has at most one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenReplay {
    /// It waits, or has a running attempt.
    Waits,
    /// It failed for good.
    Failed,
    /// A newer revision was delivered than the one that it repeats.
    Earlier,
}

/// Whether something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permit {
    /// It may.
    Yes,
    /// There is nothing to do, which is not an error.
    Stale,
    /// Too many sends have failed.
    Locked,
    /// It may not: the reason, in English.
    Refused(&'static str),
}

/// What a person may do to an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Permits {
    /// Send it: the current payload where nothing fired, the same bytes again where it failed.
    pub send: Permit,
    /// Send the values as they were edited since, as a new revision.
    pub send_corrected: Permit,
    /// Send the newest delivered bytes once more.
    pub replay: Permit,
    /// Abandon the undelivered message, and the undelivered replay.
    pub abandon: Permit,
}

/// What a person may do to this action.
pub(crate) fn permits(action: &ActionFacts<'_>, policy: &RetryPolicy) -> Permits {
    let unless_locked = if policy.is_locked(action.failed_sends) { Permit::Locked } else { Permit::Yes };
    let is_undeliverable = action.is_too_large || matches!(action.reason, Some(reason::PAYLOAD_TOO_LARGE | reason::CORRUPT));
    let is_abandoned = action.reason == Some(reason::ABANDONED);
    let nothing_to_correct = Permit::Refused("it has no message yet, so there is nothing to correct; send it");
    let replay = match action.replay {
        _ if !action.was_delivered => Permit::Refused("no message of it was delivered yet; send it"),
        Some(OpenReplay::Waits) => Permit::Stale,
        Some(OpenReplay::Failed | OpenReplay::Earlier) | None => Permit::Yes,
    };
    let abandon_replay = if action.replay.is_some() { Permit::Yes } else { Permit::Refused("there is no undelivered message to abandon") };
    match action.status {
        ActionStatus::NotFired => Permits { send: Permit::Yes, send_corrected: nothing_to_correct, replay, abandon: abandon_replay },
        ActionStatus::Pending => Permits { send: Permit::Stale, send_corrected: unless_locked, replay, abandon: Permit::Yes },
        ActionStatus::Sent => Permits {
            send: Permit::Refused("it is already delivered; replay it"),
            send_corrected: unless_locked,
            replay,
            abandon: abandon_replay,
        },
        ActionStatus::Failed => Permits {
            replay,
            send: if is_undeliverable {
                Permit::Refused("these bytes can never be delivered; send corrected")
            } else if is_abandoned && action.holds_redacted {
                Permit::Refused("it holds a redacted value; send corrected")
            } else if is_abandoned && action.is_passed {
                Permit::Refused("receivers may have a newer revision from before a restore; send corrected")
            } else {
                unless_locked
            },
            send_corrected: unless_locked,
            abandon: if is_abandoned && action.replay.is_none() { Permit::Stale } else { Permit::Yes },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::Permit::{Locked, Refused, Stale, Yes};
    use super::*;

    #[test]
    fn every_status_has_its_permits() {
        let delivered = Refused("it is already delivered; replay it");
        let undeliverable = Refused("these bytes can never be delivered; send corrected");
        let not_queued = Refused("it has no message yet, so there is nothing to correct; send it");
        let nothing_undelivered = Refused("there is no undelivered message to abandon");
        // Status, reason, failed sends; send, send corrected, abandon.
        for (status, reason, failed_sends, send, send_corrected, abandon) in [
            (ActionStatus::NotFired, Some("integration_off"), 0, Yes, not_queued, nothing_undelivered),
            (ActionStatus::NotFired, Some("session_ended"), 9, Yes, not_queued, nothing_undelivered),
            (ActionStatus::Pending, None, 0, Stale, Yes, Yes),
            (ActionStatus::Pending, Some("server_error"), 9, Stale, Locked, Yes),
            (ActionStatus::Sent, None, 0, delivered, Yes, nothing_undelivered),
            (ActionStatus::Sent, None, 9, delivered, Locked, nothing_undelivered),
            (ActionStatus::Failed, Some("rejected"), 1, Yes, Yes, Yes),
            (ActionStatus::Failed, Some("exhausted"), 3, Yes, Yes, Yes),
            (ActionStatus::Failed, Some("exhausted"), 4, Locked, Locked, Yes),
            (ActionStatus::Failed, Some("payload_too_large"), 1, undeliverable, Yes, Yes),
            (ActionStatus::Failed, Some("corrupt"), 1, undeliverable, Yes, Yes),
            (ActionStatus::Failed, Some("corrupt"), 4, undeliverable, Locked, Yes),
            (ActionStatus::Failed, Some("abandoned"), 1, Yes, Yes, Stale),
            (ActionStatus::Failed, Some("abandoned"), 4, Locked, Locked, Stale),
        ] {
            let facts = ActionFacts {
                status,
                reason,
                failed_sends,
                holds_redacted: false,
                is_too_large: false,
                is_passed: false,
                was_delivered: false,
                replay: None,
            };
            let found = permits(&facts, &RetryPolicy::default());
            let replay = Refused("no message of it was delivered yet; send it");
            assert_eq!(found, Permits { send, send_corrected, replay, abandon }, "{status:?} {reason:?} {failed_sends}");
            for (open, replay, abandon) in [
                (None, Yes, abandon),
                (Some(OpenReplay::Waits), Stale, Yes),
                (Some(OpenReplay::Failed), Yes, Yes),
                (Some(OpenReplay::Earlier), Yes, Yes),
            ] {
                let found = permits(&ActionFacts { was_delivered: true, replay: open, ..facts }, &RetryPolicy::default());
                assert_eq!(found, Permits { send, send_corrected, replay, abandon }, "{status:?} {reason:?} {failed_sends}, {open:?}");
            }
            let too_large = if status == ActionStatus::Failed { undeliverable } else { send };
            let found = permits(&ActionFacts { is_too_large: true, ..facts }, &RetryPolicy::default());
            let expected = Permits { send: too_large, send_corrected, replay, abandon };
            assert_eq!(found, expected, "{status:?} {reason:?} {failed_sends}, too large");
            let newer = Refused("receivers may have a newer revision from before a restore; send corrected");
            let passed = if reason == Some("abandoned") { newer } else { send };
            let found = permits(&ActionFacts { is_passed: true, ..facts }, &RetryPolicy::default());
            let expected = Permits { send: passed, send_corrected, replay, abandon };
            assert_eq!(found, expected, "{status:?} {reason:?} {failed_sends}, passed");
            let send = if reason == Some("abandoned") { Refused("it holds a redacted value; send corrected") } else { send };
            let found = permits(&ActionFacts { holds_redacted: true, ..facts }, &RetryPolicy::default());
            assert_eq!(found, Permits { send, send_corrected, replay, abandon }, "{status:?} {reason:?} {failed_sends}, redacted");
        }
    }

    #[test]
    fn raising_the_limit_unlocks() {
        let failed = ActionFacts {
            status: ActionStatus::Failed,
            reason: Some("rejected"),
            failed_sends: 4,
            holds_redacted: false,
            is_too_large: false,
            is_passed: false,
            was_delivered: false,
            replay: None,
        };
        let with_limit = |max_failed_sends| permits(&failed, &RetryPolicy { max_failed_sends, ..RetryPolicy::default() }).send;
        assert_eq!((with_limit(3), with_limit(4)), (Locked, Yes));
    }
}
