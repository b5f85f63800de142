//! Public identifiers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The unique key of a session: a UUIDv7, written in lower case. It is the `key` property of the webhook payload.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionKey(pub Uuid);

/// The text is not a session key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a session key is a UUID such as 0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11")]
pub struct InvalidSessionKey;

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_hyphenated())
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKey({self})")
    }
}

impl FromStr for SessionKey {
    type Err = InvalidSessionKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self).map_err(|_| InvalidSessionKey)
    }
}

/// The id of a message, sent as the header `webhook-id`: `msg_` and 26 characters of `a-z2-7`.
///
/// Derived from the install, the session, the action and the body (`webhook/`), so the same message never gets a second id and other
/// bytes never get the same one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryId(pub String);

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
