//! Endpoints of the webhooks integration.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// A named HTTPS URL with its signing scheme, headers and network policy. Holds names of secrets, never secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Endpoint {
    /// The key that actions refer to.
    pub key: String,
    /// An `https` URL without user name, password or fragment.
    pub url: String,
    /// How messages are signed.
    pub signing: Signing,
    /// Additional headers on every request.
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

/// The members of a signing scheme in JSON.
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

/// The members of a header's value in JSON.
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
    /// Only one that costs nothing; any one, while the app has reported nothing of the network.
    Unmetered,
}

/// An endpoint and its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct EndpointStatus {
    /// What was registered.
    pub endpoint: Endpoint,
    /// Whether messages may be sent to it.
    pub enabled: bool,
    /// Why not: `gone` after a 410, `by_app`, or `endpoint_corrupt` where its row cannot be read and it has to be registered again.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub disabled_reason: Option<String>,
    /// When it was archived. Its waiting messages stay.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub archived_at: Option<Timestamp>,
    /// Nothing is sent to it before this moment.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub paused_until: Option<Timestamp>,
    /// Why: a reason code of `docs/delivery.md`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub pause_reason: Option<String>,
    /// The reason with which every attempt fails, where the cause is known not to be this phone and needs a person: a reason code of
    /// `docs/delivery.md`.
    #[serde(default)]
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub failing_reason: Option<String>,
    /// Counted failures since the last 2xx.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub consecutive_failures: u32,
    /// How far the receiver's clock is ahead of this phone's, where a `Date` header showed its time.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub clock_skew_ms: Option<i64>,
    /// Messages that wait for it.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub pending: u64,
}
