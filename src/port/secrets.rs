//! Secrets, by name. The database holds names only; values live in the platform's keystore and in memory for one attempt.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use zeroize::Zeroizing;

use crate::sorted::SortedMap;

/// A secret in memory: overwritten when dropped, never printed.
#[derive(Clone)]
pub struct SecretValue(Zeroizing<String>);

impl SecretValue {
    /// Takes the secret over.
    pub fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The secret itself. Do not log or keep it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

// Across an FFI a secret is a text; the other side has to overwrite its own copy.
#[cfg(feature = "uniffi")]
uniffi::custom_type!(SecretValue, String, {
    lower: |secret| secret.expose().to_owned(),
    try_lift: |text| Ok(SecretValue::new(text)),
});

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(…)")
    }
}

/// The result of looking up a name.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum SecretLookup {
    /// The secret, and the one before it while a rotation lasts: deliveries are signed with both.
    Found {
        /// The secret in use.
        current: SecretValue,
        /// The secret before it.
        previous: Option<SecretValue>,
    },
    /// There is no secret with this name.
    Missing,
    /// There may be one, but it cannot be read now, for instance before the first unlock of the phone.
    Unavailable,
}

/// Looks up secrets, once per delivery attempt.
pub trait Secrets: Send + Sync {
    /// The secret of this name. `origin` is scheme, host and port of the endpoint it is wanted for, as in `https://hooks.example:8443`.
    fn get(&self, name: &str, origin: &str) -> SecretLookup;

    /// A receiver at `origin` answered 401 or 403 to a request with this secret in a header: a token may have expired. Called once per value,
    /// before the next [`get`](Self::get) of the name; where that gives another value, the next attempt begins at once. Never called for a
    /// signing secret.
    fn refused(&self, name: &str, origin: &str) {
        let _ = (name, origin);
    }
}

/// No secret at all: every lookup is `Missing`.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSecrets;

impl Secrets for NoSecrets {
    fn get(&self, _name: &str, _origin: &str) -> SecretLookup {
        SecretLookup::Missing
    }
}

/// Secrets kept in memory, for examples, tests and programs that read them from a file of their own.
#[derive(Debug, Default)]
pub struct StaticSecrets(RwLock<SortedMap<String, (SecretValue, Option<SecretValue>)>>);

impl StaticSecrets {
    /// Without secrets.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret, or rotates it: the one before stays valid as the previous one.
    pub fn set(&self, name: &str, secret: &str) {
        let mut secrets = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let previous = secrets.remove(name).map(|(current, _)| current);
        secrets.insert(name.to_owned(), (SecretValue::new(secret.to_owned()), previous));
    }

    /// Removes a secret.
    pub fn remove(&self, name: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

impl Secrets for StaticSecrets {
    fn get(&self, name: &str, _origin: &str) -> SecretLookup {
        match self.0.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            Some((current, previous)) => SecretLookup::Found { current: current.clone(), previous: previous.clone() },
            None => SecretLookup::Missing,
        }
    }
}
