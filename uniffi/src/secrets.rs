//! The app's store of secrets.

use std::sync::Arc;

use compass_core::port::{self, SecretLookup};

use crate::PortError;

/// Looks secrets up, once per delivery attempt, on a thread of the core's own.
#[uniffi::export(foreign)]
pub trait Secrets: Send + Sync {
    /// The secret of this name. A store that throws counts as unavailable: the message waits and is looked at again.
    fn get(&self, name: String) -> Result<SecretLookup, PortError>;
}

/// The foreign store as the core's port.
pub(crate) struct ForeignSecrets(pub(crate) Arc<dyn Secrets>);

impl port::Secrets for ForeignSecrets {
    fn get(&self, name: &str, _origin: &str) -> SecretLookup {
        self.0.get(name.to_owned()).unwrap_or_else(|error| {
            log::warn!("the store of secrets failed: {error}");
            SecretLookup::Unavailable
        })
    }
}
