//! One HTTP request and its result.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use zeroize::Zeroize;

/// A header. Names are lower case.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// Lower-case name.
    pub name: String,
    /// Value; may be a secret, so it is never printed.
    pub value: String,
}

impl Header {
    /// A header with this name and value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Header({}: …)", self.name)
    }
}

impl Drop for Header {
    fn drop(&mut self) {
        // A header may carry an access token.
        self.value.zeroize();
    }
}

/// A POST to send.
#[derive(Clone)]
pub struct TransportRequest {
    /// Names this attempt in `cancel`. Unique in the process.
    pub id: u64,
    /// Where to.
    pub url: String,
    /// All headers except those the transport sets itself: `host`, `content-length`, `user-agent`.
    pub headers: Vec<Header>,
    /// The exact bytes to send.
    pub body: Vec<u8>,
    /// For the whole attempt, from name resolution to the head of the answer.
    pub timeout: Duration,
}

impl fmt::Debug for TransportRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransportRequest({}, {} bytes)", self.id, self.body.len())
    }
}

/// An answer whose status line was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportResponse {
    /// The status code, as in the status line.
    pub status: u16,
    /// The headers of the answer.
    pub headers: Vec<Header>,
    /// At most the first 4 KiB of the answer's body, best effort.
    pub body: Vec<u8>,
}

impl TransportResponse {
    /// The value of the first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.name == name).map(|header| header.value.as_str())
    }
}

/// How far a request got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Phase {
    /// Looking up the host's address.
    Resolve,
    /// Connecting, TLS handshake included.
    Connect,
    /// Writing the request.
    Send,
    /// Waiting for the head of the answer.
    Receive,
}

/// Whether bytes of the request left the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum RequestSent {
    /// Certainly none: the message was not delivered.
    No,
    /// Perhaps: the message may have been delivered.
    Maybe,
}

/// What went wrong before a status line was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum FailureKind {
    /// The device has no network or no route.
    NoNetwork,
    /// The host's name did not resolve.
    Dns,
    /// The connection was refused, or the host was unreachable.
    Refused,
    /// A timeout ran out.
    Timeout,
    /// The connection was closed or reset.
    Closed,
    /// The certificate was not accepted.
    Certificate {
        /// The reason was its period of validity, which may be the device's own clock.
        time_invalid: bool,
    },
    /// TLS failed in another way, for instance because the answer was plain text.
    Tls,
    /// The answer was not HTTP.
    Protocol,
    /// `cancel` was called.
    Cancelled,
    /// Anything else.
    Other,
}

/// A request that got no status line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct TransportFailure {
    /// What went wrong.
    pub kind: FailureKind,
    /// Where.
    pub phase: Phase,
    /// Whether request bytes left the device. A transport that does not know says `Maybe`.
    pub request_sent: RequestSent,
    /// Only for logs, at level debug; holds neither secrets nor payload.
    pub detail: String,
}

/// Sends HTTP requests.
///
/// An implementation does not follow redirects, does not retry, and treats every status as an answer. It is called on threads of the
/// core, on several at once.
pub trait Transport: Send + Sync {
    /// Sends one request and blocks until the head of the answer, a failure, the timeout, or `cancel`.
    fn send(&self, request: TransportRequest) -> Result<TransportResponse, TransportFailure>;

    /// Asks to cancel the request with this id. The request may still finish, and an unknown id is ignored. Like `renew` it is called on a
    /// thread of the core; the core waits for it no longer than for the request.
    fn cancel(&self, id: u64);

    /// Called before the first request after the process was suspended or the network has changed: earlier idle connections and cached
    /// addresses are no longer of use. Running requests continue. No further one begins before it has returned, unless it takes more than two
    /// seconds.
    fn renew(&self) {}
}

/// Whether the host of a URL is this machine: `localhost`, or a loopback address. Plain `http` is allowed only to it.
pub fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_localhost_or_a_loopback_address_and_nothing_else() {
        for host in ["localhost", "LocalHost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "localhost.", "localhost.example", "10.0.0.1", "0.0.0.0", "[::]", "[::ffff:127.0.0.1]", "127.1", "[127.0.0.1", "a"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
