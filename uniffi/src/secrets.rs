//! The app's store of secrets.

use std::sync::Arc;

use compass_core::port::{self, SecretLookup};

use crate::PortError;

/// Looks secrets up, once per delivery attempt, on a thread of the core's own.
#[uniffi::export(foreign)]
pub trait Secrets: Send + Sync {
    /// The secret of this name, needed for an endpoint at `origin` (`https://hooks.example:8443`). A store that throws counts as
    /// unavailable: the message waits and is tried again.
    fn get(&self, name: String, origin: String) -> Result<SecretLookup, PortError>;

    /// A receiver at `origin` refused a request with this secret in a header: a token may have expired. Called once per value, before the
    /// next `get` of the name. If it throws, that is ignored.
    fn refused(&self, name: String, origin: String) -> Result<(), PortError>;
}

/// The foreign store as the core's port.
pub(crate) struct ForeignSecrets(pub(crate) Arc<dyn Secrets>);

impl port::Secrets for ForeignSecrets {
    fn get(&self, name: &str, origin: &str) -> SecretLookup {
        self.0.get(name.to_owned(), origin.to_owned()).unwrap_or_else(|error| {
            log::warn!("the store of secrets failed: {error}");
            SecretLookup::Unavailable
        })
    }
    fn refused(&self, name: &str, origin: &str) {
        if let Err(error) = self.0.refused(name.to_owned(), origin.to_owned()) {
            log::warn!("the store of secrets failed in its method `refused`: {error}");
        }
    }
}
