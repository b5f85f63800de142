//! How a handle is opened.

use std::sync::Arc;
use std::time::Duration;

use compass_core::Options;

use crate::secrets::{ForeignSecrets, Secrets};
use crate::transport::{ForeignTransport, Transport};

/// Options of `Core.open`.
#[derive(uniffi::Record)]
pub struct OpenOptions {
    /// The database file; made when it is not there, in a folder that is.
    pub path: String,
    /// Looks secrets up. Without one, signed endpoints wait for their secret.
    #[uniffi(default = None)]
    pub secrets: Option<Arc<dyn Secrets>>,
    /// Sends requests; the core's built-in transport when absent.
    #[uniffi(default = None)]
    pub transport: Option<Arc<dyn Transport>>,
    /// Bodies of delivered messages are kept this long for review, in milliseconds; 90 days when absent.
    #[uniffi(default = None)]
    pub body_retention_ms: Option<u64>,
    /// Allows endpoints with plain `http` to a loopback address, for tests and development.
    #[uniffi(default = false)]
    pub allow_plain_http_to_loopback: bool,
}

impl From<OpenOptions> for Options {
    fn from(given: OpenOptions) -> Self {
        let mut options = Options::new(given.path);
        if let Some(secrets) = given.secrets {
            options = options.secrets(Arc::new(ForeignSecrets(secrets)));
        }
        if let Some(transport) = given.transport {
            options = options.transport(Arc::new(ForeignTransport(transport)));
        }
        if let Some(retention) = given.body_retention_ms {
            options.body_retention = Duration::from_millis(retention);
        }
        options.allow_plain_http_to_loopback = given.allow_plain_http_to_loopback;
        options
    }
}
