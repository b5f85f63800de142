//! Reason codes: why an action did not fire, waits, or failed. `docs/delivery.md` says what fixes each.
//!
//! The set is open: a later release may add codes, so they are text and not an enum. The meaning of a released code never changes.

/// The outcome of an attempt that was answered 2xx. Not a reason.
pub const SENT: &str = "sent";

/// The webhooks integration is off.
pub const INTEGRATION_OFF: &str = "integration_off";
/// The session was ended at once.
pub const SESSION_ENDED: &str = "session_ended";

/// This phone does not know the endpoint (yet).
pub const ENDPOINT_UNKNOWN: &str = "endpoint_unknown";
/// The endpoint is disabled, by the app or after a 410.
pub const ENDPOINT_DISABLED: &str = "endpoint_disabled";
/// The endpoint is archived.
pub const ENDPOINT_ARCHIVED: &str = "endpoint_archived";
/// The row of the endpoint cannot be read: it has to be registered again.
pub const ENDPOINT_CORRUPT: &str = "endpoint_corrupt";
/// The core pauses the endpoint, because it keeps failing.
pub const ENDPOINT_PAUSED: &str = "endpoint_paused";
/// There is no secret with the name that the endpoint gives.
pub const SECRET_MISSING: &str = "secret_missing";
/// The secret cannot be read now, for instance before the first unlock of the phone.
pub const SECRET_UNAVAILABLE: &str = "secret_unavailable";
/// The secret cannot be used: not a signing secret, or not possible in a header.
pub const SECRET_INVALID: &str = "secret_invalid";
/// The endpoint requires a network that costs nothing, and there is none.
pub const NEEDS_UNMETERED: &str = "needs_unmetered";
/// An attempt of an earlier revision is running, and may still arrive.
pub const EARLIER_REVISION: &str = "earlier_revision";
/// An attempt is running.
pub const IN_FLIGHT: &str = "in_flight";
/// The core stopped the attempt itself: deadline, cancel or quiesce.
pub const INTERRUPTED: &str = "interrupted";

/// No network.
pub const OFFLINE: &str = "offline";
/// Something between phone and receiver answers instead of the receiver: plain text where TLS was expected.
pub const CAPTIVE_PORTAL: &str = "captive_portal";
/// 407 or 511: something between phone and receiver requires a login.
pub const PROXY: &str = "proxy";
/// The phone's clock is wrong.
pub const CLOCK_SKEW: &str = "clock_skew";
/// The receiver's name does not resolve.
pub const DNS: &str = "dns";
/// No connection to the receiver.
pub const UNREACHABLE: &str = "unreachable";
/// The connection broke, or the time was over, before an answer came.
pub const TIMEOUT: &str = "timeout";
/// The receiver cannot take the message now: 5xx, 408 or 425.
pub const SERVER_ERROR: &str = "server_error";
/// The receiver asked for a pause: 429.
pub const RATE_LIMITED: &str = "rate_limited";
/// No secure connection: the certificate is not accepted, or TLS fails.
pub const TLS: &str = "tls";
/// The answer is not HTTP, or has a status that cannot end a request.
pub const PROTOCOL: &str = "protocol";
/// 401 or 403.
pub const AUTH: &str = "auth";
/// 3xx; never followed.
pub const REDIRECT: &str = "redirect";
/// 404.
pub const NOT_FOUND: &str = "not_found";
/// 409.
pub const CONFLICT: &str = "conflict";
/// The receiver refused the message.
pub const REJECTED: &str = "rejected";

/// 413, or the body is over the limit and was never sent.
pub const PAYLOAD_TOO_LARGE: &str = "payload_too_large";
/// 410: the endpoint is gone and was disabled.
pub const GONE: &str = "gone";
/// The retry budget is used up.
pub const EXHAUSTED: &str = "exhausted";
/// The stored message is damaged: the bytes are not the ones that were frozen, or it cannot be read.
pub const CORRUPT: &str = "corrupt";
/// The endpoint's URL cannot be used.
pub const BAD_URL: &str = "bad_url";
/// A person abandoned the message.
pub const ABANDONED: &str = "abandoned";

/// Every reason code of this release.
pub const ALL: [&str; 36] = [
    INTEGRATION_OFF,
    SESSION_ENDED,
    ENDPOINT_UNKNOWN,
    ENDPOINT_DISABLED,
    ENDPOINT_ARCHIVED,
    ENDPOINT_CORRUPT,
    ENDPOINT_PAUSED,
    SECRET_MISSING,
    SECRET_UNAVAILABLE,
    SECRET_INVALID,
    NEEDS_UNMETERED,
    EARLIER_REVISION,
    IN_FLIGHT,
    INTERRUPTED,
    OFFLINE,
    CAPTIVE_PORTAL,
    PROXY,
    CLOCK_SKEW,
    DNS,
    UNREACHABLE,
    TIMEOUT,
    SERVER_ERROR,
    RATE_LIMITED,
    TLS,
    PROTOCOL,
    AUTH,
    REDIRECT,
    NOT_FOUND,
    CONFLICT,
    REJECTED,
    PAYLOAD_TOO_LARGE,
    GONE,
    EXHAUSTED,
    CORRUPT,
    BAD_URL,
    ABANDONED,
];

/// Whether an entry that failed for this reason is revived by a real change of its endpoint: what failed was the endpoint, not the message.
pub fn revived_by_change(reason: &str) -> bool {
    [GONE, AUTH, REDIRECT, NOT_FOUND, TLS, PROTOCOL, EXHAUSTED].contains(&reason)
}

/// Whether an entry that failed for this reason is revived by new secrets, where its endpoint names any.
pub fn revived_by_secrets(reason: &str) -> bool {
    reason == AUTH
}

/// Whether an entry that failed for this reason is revived when its endpoint is enabled.
pub fn revived_by_enabling(reason: &str) -> bool {
    reason == GONE
}

/// Whether this reason means that a secret is missing or cannot be used.
pub(super) fn is_of_secret(reason: &str) -> bool {
    [SECRET_MISSING, SECRET_UNAVAILABLE, SECRET_INVALID].contains(&reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_holds_every_code_once() {
        // Every constant except `SENT`, which is not a reason.
        let declared =
            include_str!("reason.rs").lines().filter(|line| line.starts_with("pub const ") && line.contains(": &str =")).count() - 1;
        let distinct: std::collections::BTreeSet<&str> = ALL.into_iter().collect();
        assert_eq!((ALL.len(), distinct.len()), (declared, declared));
    }

    #[test]
    fn each_cause_revives_what_it_can_have_fixed() {
        let revived = |by: fn(&str) -> bool| ALL.into_iter().filter(|code| by(code)).collect::<Vec<_>>();
        assert_eq!(revived(revived_by_change), ["tls", "protocol", "auth", "redirect", "not_found", "gone", "exhausted"]);
        assert_eq!(revived(revived_by_secrets), ["auth"]);
        assert_eq!(revived(revived_by_enabling), ["gone"]);
    }
}
