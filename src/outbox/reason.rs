//! Reason codes: why an action did not fire, waits, or failed. `docs/delivery.md` says what mends each.
//!
//! The set is open: a later release may add codes, so they are text and no enum. A code once shipped never changes its meaning.

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
/// The endpoint is left in peace for a while: it asked for that, or it keeps failing.
pub const ENDPOINT_PAUSED: &str = "endpoint_paused";
/// There is no secret of the name that the endpoint gives.
pub const SECRET_MISSING: &str = "secret_missing";
/// The secret cannot be read now, for instance before the first unlock of the phone.
pub const SECRET_UNAVAILABLE: &str = "secret_unavailable";
/// The secret cannot be used: not a signing secret, or not possible in a header.
pub const SECRET_INVALID: &str = "secret_invalid";
/// The endpoint wants a network that costs nothing, and there is none.
pub const NEEDS_UNMETERED: &str = "needs_unmetered";
/// An attempt is running.
pub const IN_FLIGHT: &str = "in_flight";
/// The core stopped the attempt itself: deadline, cancel or quiesce.
pub const INTERRUPTED: &str = "interrupted";

/// No network.
pub const OFFLINE: &str = "offline";
/// Something between phone and receiver answers in the receiver's place.
pub const CAPTIVE_PORTAL: &str = "captive_portal";
/// The phone's clock is wrong.
pub const CLOCK_SKEW: &str = "clock_skew";
/// The receiver's name does not resolve.
pub const DNS: &str = "dns";
/// No connection to the receiver.
pub const UNREACHABLE: &str = "unreachable";
/// The connection broke, or time ran out, before an answer came.
pub const TIMEOUT: &str = "timeout";
/// The receiver cannot take the message now: 5xx, 408 or 425.
pub const SERVER_ERROR: &str = "server_error";
/// The receiver asked for patience: 429.
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

/// 413, or the body is over the limit and was never tried.
pub const PAYLOAD_TOO_LARGE: &str = "payload_too_large";
/// 410: the endpoint is gone and was disabled.
pub const GONE: &str = "gone";
/// The retry budget is spent.
pub const EXHAUSTED: &str = "exhausted";
/// The frozen bytes are not the ones that were frozen.
pub const CORRUPT: &str = "corrupt";
/// The endpoint's URL cannot be used.
pub const BAD_URL: &str = "bad_url";
/// A person gave the message up.
pub const ABANDONED: &str = "abandoned";

/// Every reason code of this release.
pub const ALL: [&str; 33] = [
    INTEGRATION_OFF,
    SESSION_ENDED,
    ENDPOINT_UNKNOWN,
    ENDPOINT_DISABLED,
    ENDPOINT_ARCHIVED,
    ENDPOINT_PAUSED,
    SECRET_MISSING,
    SECRET_UNAVAILABLE,
    SECRET_INVALID,
    NEEDS_UNMETERED,
    IN_FLIGHT,
    INTERRUPTED,
    OFFLINE,
    CAPTIVE_PORTAL,
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

/// Whether an entry that failed for this reason is revived by itself when its endpoint is enabled or really changed, or its secrets
/// change: what failed was the endpoint, not the message.
pub fn revives_by_itself(reason: &str) -> bool {
    [GONE, AUTH, REDIRECT, NOT_FOUND, TLS, PROTOCOL, EXHAUSTED].contains(&reason)
}

/// Whether what an entry waits for with this reason will not mend itself: a person has to do something.
pub fn waits_for_person(reason: &str) -> bool {
    [INTEGRATION_OFF, ENDPOINT_UNKNOWN, ENDPOINT_DISABLED, ENDPOINT_ARCHIVED, SECRET_MISSING, SECRET_INVALID].contains(&reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_holds_every_code_once() {
        // Every constant but `SENT`, which is no reason.
        let declared =
            include_str!("reason.rs").lines().filter(|line| line.starts_with("pub const ") && line.contains(": &str =")).count() - 1;
        let distinct: std::collections::BTreeSet<&str> = ALL.into_iter().collect();
        assert_eq!((ALL.len(), distinct.len()), (declared, declared));
    }

    #[test]
    fn what_is_said_about_codes_is_about_codes_there_are() {
        assert_eq!(ALL.into_iter().filter(|code| revives_by_itself(code)).count(), 7);
        assert_eq!(ALL.into_iter().filter(|code| waits_for_person(code)).count(), 6);
        assert!(!revives_by_itself(REJECTED) && !revives_by_itself(ABANDONED));
    }
}
