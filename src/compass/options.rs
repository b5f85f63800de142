//! How a handle is opened.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::outbox::RetryPolicy;
#[cfg(any(test, feature = "testing"))]
use crate::port::Blocking;
use crate::port::{Clock, NoSecrets, Random, Secrets, SystemClock, SystemRandom, Transport};

/// Options of [`Compass::open`](super::Compass::open).
#[derive(Clone)]
pub struct Options {
    /// The database file; created when it does not exist, in a folder that does. On iOS it belongs into the app's private container.
    pub path: PathBuf,
    /// Gives the time.
    pub clock: Arc<dyn Clock>,
    /// Gives random bytes.
    pub random: Arc<dyn Random>,
    /// Looks up secrets. Without one, signed endpoints wait for their secret.
    pub secrets: Arc<dyn Secrets>,
    /// Sends requests; the built-in transport when absent. Without the feature `built-in-transport` opening fails with `InvalidOption` then.
    pub transport: Option<Arc<dyn Transport>>,
    /// When to attempt again and when to stop.
    pub retry: RetryPolicy,
    /// Finished sessions are removed this long after their end, under the conditions of [`Compass::purge`](super::Compass::purge): a few when
    /// the database is opened, the others with [`Compass::flush`](super::Compass::flush). None, the default: they stay until `purge` is called.
    pub retention: Option<Duration>,
    /// Bodies of delivered messages are kept this long for the technician to review, and removed when sessions are. Default 90 days.
    pub body_retention: Duration,
    /// Names the device, in any words that no other device has: if a file is opened that was opened on another one before, its messages are
    /// numbered in a new series, because both devices may go on with it. Only its SHA-256 is stored, in the file, and it is never sent. An
    /// empty text counts as none.
    pub device: Option<String>,
    /// Allows endpoints with plain `http` to a loopback address, for tests and development.
    pub allow_plain_http_to_loopback: bool,
    /// Carries out the blocking calls of a delivery attempt instead of the core's own threads: for simulations. Feature `testing`.
    #[cfg(any(test, feature = "testing"))]
    pub blocking: Option<Arc<dyn Blocking>>,
    /// Opens the file as another process would, beside a handle that is open in this one. Feature `testing`.
    #[cfg(any(test, feature = "testing"))]
    pub as_other_process: bool,
}

impl Options {
    /// The defaults, for this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            clock: Arc::new(SystemClock::default()),
            random: Arc::new(SystemRandom),
            secrets: Arc::new(NoSecrets),
            transport: None,
            retry: RetryPolicy::default(),
            retention: None,
            body_retention: Duration::from_secs(90 * 24 * 60 * 60),
            device: None,
            allow_plain_http_to_loopback: false,
            #[cfg(any(test, feature = "testing"))]
            blocking: None,
            #[cfg(any(test, feature = "testing"))]
            as_other_process: false,
        }
    }

    /// Looks up secrets here.
    #[must_use]
    pub fn secrets(mut self, secrets: Arc<dyn Secrets>) -> Self {
        self.secrets = secrets;
        self
    }

    /// Sends requests with this.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Takes the time from this.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Carries out blocking calls with this. Feature `testing`.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn blocking(mut self, blocking: Arc<dyn Blocking>) -> Self {
        self.blocking = Some(blocking);
        self
    }

    /// Opens the file as another process would. Feature `testing`.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn as_other_process(mut self) -> Self {
        self.as_other_process = true;
        self
    }

    /// Attempts again by these rules.
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("path", &self.path).finish_non_exhaustive()
    }
}
