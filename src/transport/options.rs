//! How the built-in transport is set up.

use std::time::Duration;

/// Options of [`BuiltIn`](super::BuiltIn).
#[derive(Debug, Clone)]
pub struct BuiltInOptions {
    /// Certificate authorities that are trusted besides the bundled ones. Each is PEM text with one certificate or more, or one certificate in DER.
    pub extra_roots: Vec<Vec<u8>>,
    /// How many requests will be in flight at once; as many idle connections are kept, so that rounds need no new ones. 0 counts
    /// as 1.
    pub parallelism: u32,
    /// Allows `http` URLs whose host is `localhost` or a loopback address, for tests and development. All others must be `https`.
    pub allow_plain_http_to_loopback: bool,
    /// How long each phase may take.
    pub timeouts: Timeouts,
}

impl Default for BuiltInOptions {
    /// No extra roots, 8 in flight (the most that delivery starts), `https` only.
    fn default() -> Self {
        Self { extra_roots: Vec::new(), parallelism: 8, allow_plain_http_to_loopback: false, timeouts: Timeouts::default() }
    }
}

/// The longest each phase may take. The timeout of the request bounds them all together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Looking up the host's address. Default 5 s.
    pub resolve: Duration,
    /// Connecting, over all addresses, TLS handshake included. Default 10 s.
    pub connect: Duration,
    /// Writing the request. Default 10 s.
    pub send: Duration,
    /// From the end of the request to the end of the answer's head. Default 20 s.
    pub receive: Duration,
    /// Reading the answer's body. The answer counts without it, so this is short: default 2 s.
    pub body: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            resolve: Duration::from_secs(5),
            connect: Duration::from_secs(10),
            send: Duration::from_secs(10),
            receive: Duration::from_secs(20),
            body: Duration::from_secs(2),
        }
    }
}

/// Why a [`BuiltIn`](super::BuiltIn) could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportSetupError {
    /// An extra root holds a certificate that is not a usable authority. Both numbers count from 0.
    #[error("certificate {certificate} of extra root {root} is not usable: {reason}")]
    BadRoot {
        /// Index into [`BuiltInOptions::extra_roots`].
        root: u32,
        /// Index of the certificate within it.
        certificate: u32,
        /// For a person who fixes the file.
        reason: String,
    },
    /// An extra root holds no certificate at all.
    #[error("extra root {root} holds no certificate")]
    EmptyRoot {
        /// Index into [`BuiltInOptions::extra_roots`].
        root: u32,
    },
    /// TLS itself could not be set up.
    #[error("TLS could not be set up: {0}")]
    Tls(String),
}
