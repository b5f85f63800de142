//! How a handle is opened.

use std::sync::Arc;
use std::time::Duration;

use compass_core::RetryPolicy;
#[cfg(feature = "built-in-transport")]
use compass_core::transport::{BuiltIn, BuiltInOptions};
use compass_core::{Error, Options};

use crate::secrets::{ForeignSecrets, Secrets};
use crate::transport::{ForeignTransport, Transport};

/// Options of `Core.open`.
#[derive(uniffi::Record)]
pub struct OpenOptions {
    /// The database file; created if it does not exist, in a folder that exists.
    pub path: String,
    /// Looks secrets up. Without one, signed endpoints wait for their secret.
    #[uniffi(default = None)]
    pub secrets: Option<Arc<dyn Secrets>>,
    /// Sends requests; when absent the core's built-in transport. A library for phones has none (docs/http-transport.md): there, opening
    /// without a transport fails with `invalid_option`.
    #[uniffi(default = None)]
    pub transport: Option<Arc<dyn Transport>>,
    /// When to try again and when to stop; `default_retry_policy` when absent.
    #[uniffi(default = None)]
    pub retry: Option<RetryPolicy>,
    /// Certificate authorities, in PEM, that the built-in transport trusts beside the bundled ones. Ignored when `transport` is given.
    #[uniffi(default = [])]
    pub extra_roots: Vec<String>,
    /// Finished sessions are deleted this long after their end, in milliseconds, as `purge` does it: a few when the database is opened, the
    /// others with `flush`. When absent they stay until `purge` is called.
    #[uniffi(default = None)]
    pub retention_ms: Option<u64>,
    /// Bodies of delivered messages are kept this long for review, in milliseconds, but not longer than their session; 90 days when absent.
    #[uniffi(default = None)]
    pub body_retention_ms: Option<u64>,
    /// Names the device: if a file is opened that was opened on another one before, its messages are numbered in a new series, because both
    /// devices may go on with it. Only its SHA-256 is stored, in the file, and it is never sent. An empty text counts as none.
    #[uniffi(default = None)]
    pub device: Option<String>,
    /// Allows endpoints with plain `http` to a loopback address, for tests and development.
    #[uniffi(default = false)]
    pub allow_plain_http_to_loopback: bool,
}

/// Options of `restore`.
#[derive(uniffi::Record)]
pub struct RestoreOptions {
    /// The database that is replaced.
    pub path: String,
    /// A person abandons the messages that are not delivered and not in the copy. Without it the copy is refused when there are such
    /// messages.
    #[uniffi(default = None)]
    pub discard_undelivered: Option<DiscardUndelivered>,
}

/// Who abandons undelivered messages, and why.
#[derive(uniffi::Record)]
pub struct DiscardUndelivered {
    /// The person.
    pub actor: String,
    /// The reason.
    pub reason: String,
}

impl RestoreOptions {
    pub(crate) fn into_core(self) -> compass_core::RestoreOptions {
        let mut options = compass_core::RestoreOptions::new(self.path);
        options.discard_undelivered = self.discard_undelivered.map(DiscardUndelivered::into_core);
        options
    }
}

impl DiscardUndelivered {
    pub(crate) fn into_core(self) -> compass_core::DiscardUndelivered {
        compass_core::DiscardUndelivered { actor: self.actor, reason: self.reason }
    }
}

impl OpenOptions {
    pub(crate) fn into_core(self) -> Result<Options, Error> {
        let mut options = Options::new(self.path);
        if let Some(retry) = self.retry {
            options.retry = retry;
        }
        if let Some(secrets) = self.secrets {
            options.secrets = Arc::new(ForeignSecrets(secrets));
        }
        if let Some(transport) = self.transport {
            options.transport = Some(Arc::new(ForeignTransport(transport)));
        }
        #[cfg(feature = "built-in-transport")]
        if options.transport.is_none() && !self.extra_roots.is_empty() {
            options.transport = Some(Arc::new(BuiltIn::new(BuiltInOptions {
                extra_roots: self.extra_roots.into_iter().map(String::into_bytes).collect(),
                parallelism: options.retry.in_flight_total,
                allow_plain_http_to_loopback: self.allow_plain_http_to_loopback,
                ..BuiltInOptions::default()
            })?));
        }
        options.retention = self.retention_ms.map(Duration::from_millis);
        if let Some(retention) = self.body_retention_ms {
            options.body_retention = Duration::from_millis(retention);
        }
        options.device = self.device;
        options.allow_plain_http_to_loopback = self.allow_plain_http_to_loopback;
        #[cfg(feature = "testing")]
        if let Some((clock, random)) = options.path.to_str().and_then(compass_ffi_testing::time_for) {
            (options.clock, options.random) = (clock, random);
        }
        Ok(options)
    }
}
