//! Endpoints of the webhooks integration.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// A named HTTPS URL with its signing scheme, headers and network policy. Holds names of secrets, never secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Endpoint {
    /// What actions refer to.
    pub key: String,
    /// An `https` URL without user name, password or fragment.
    pub url: String,
    /// How messages are signed.
    pub signing: Signing,
    /// Headers of its own on every request.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub headers: Vec<EndpointHeader>,
    /// Which networks may carry its messages.
    pub network: NetworkPolicy,
}

/// How messages are signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(tag = "scheme", rename_all = "snake_case", try_from = "Scheme")]
pub enum Signing {
    /// Standard Webhooks, HMAC-SHA256 (`v1`).
    StandardWebhooks {
        /// Name of the secret; its value begins with `whsec_`.
        secret: String,
    },
    /// Not signed.
    None,
}

/// What a signing scheme may have in its JSON.
#[derive(Deserialize)]
struct Scheme {
    scheme: String,
    secret: Option<String>,
}

impl TryFrom<Scheme> for Signing {
    type Error = &'static str;

    fn try_from(members: Scheme) -> Result<Self, Self::Error> {
        match (members.scheme.as_str(), members.secret) {
            ("standard_webhooks", Some(secret)) => Ok(Signing::StandardWebhooks { secret }),
            ("none", _) => Ok(Signing::None),
            _ => Err("a signing scheme that is not known, or without its secret"),
        }
    }
}

/// A header of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct EndpointHeader {
    /// Its name; case does not matter.
    pub name: String,
    /// Its value.
    pub value: HeaderValue,
}

/// The value of a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(tag = "kind", content = "value", rename_all = "snake_case", try_from = "Header")]
pub enum HeaderValue {
    /// This text.
    Plain(String),
    /// The secret of this name, looked up at each attempt.
    Secret(String),
}

/// What the value of a header has in its JSON.
#[derive(Deserialize)]
struct Header {
    kind: String,
    value: String,
}

impl TryFrom<Header> for HeaderValue {
    type Error = &'static str;

    fn try_from(members: Header) -> Result<Self, Self::Error> {
        match members.kind.as_str() {
            "plain" => Ok(HeaderValue::Plain(members.value)),
            "secret" => Ok(HeaderValue::Secret(members.value)),
            _ => Err("a sort of header that is not known"),
        }
    }
}

/// Which networks may carry an endpoint's messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(rename_all = "snake_case")]
pub enum NetworkPolicy {
    /// Any.
    #[default]
    Any,
    /// Only one that costs nothing.
    Unmetered,
}

/// An endpoint and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct EndpointStatus {
    /// What was registered.
    pub endpoint: Endpoint,
    /// Whether messages may leave for it.
    pub enabled: bool,
    /// Why not: `gone` after a 410, `by_app`, or `endpoint_corrupt` where its row does not read back and has to be put again.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub disabled_reason: Option<String>,
    /// When it was archived. Entries that wait for it stay.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub archived_at: Option<Timestamp>,
    /// Nothing is sent to it before this moment.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub paused_until: Option<Timestamp>,
    /// Why: a reason code of `docs/delivery.md`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub pause_reason: Option<String>,
    /// What every attempt fails with, where that is shown not to be the phone's own situation and needs a person: a reason code of
    /// `docs/delivery.md`.
    #[serde(default)]
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub failing_reason: Option<String>,
    /// Counted failures since the last 2xx.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub consecutive_failures: u32,
    /// How far the receiver's clock is ahead of this phone's, where a `Date` header has told.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub clock_skew_ms: Option<i64>,
    /// Entries that wait for it.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub pending: u64,
}
