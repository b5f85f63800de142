//! The headers of one attempt.

use std::fmt;

use zeroize::Zeroizing;

use super::signature::{SigningKey, sign};
use crate::model::{DeliveryId, Endpoint, HeaderValue, SessionState, Signing};

/// A header of a request. Names are lower case; values may be secret, so they are wiped when dropped and never printed.
pub struct RequestHeader {
    /// Lower-case name.
    pub name: String,
    /// Value.
    pub value: Zeroizing<String>,
}

impl fmt::Debug for RequestHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestHeader({}: …)", self.name)
    }
}

/// The text of a secret, borrowed from whoever wipes it.
#[derive(Clone, Copy)]
pub struct SecretText<'a> {
    /// The secret in use.
    pub current: &'a str,
    /// The one before it, while a rotation lasts.
    pub previous: Option<&'a str>,
}

impl fmt::Debug for SecretText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

/// One message at the moment of one attempt.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Its id, the same on every attempt.
    pub id: &'a DeliveryId,
    /// Its frozen bytes.
    pub body: &'a [u8],
    /// The time of this attempt in whole seconds since 1970, by the receiver's clock as far as it is known.
    pub timestamp: i64,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// The workflow's version as `WorkflowRef::version_label` writes it.
    pub workflow_version: &'a str,
    /// The state of the session when the bytes were frozen.
    pub session_state: SessionState,
}

/// Why the headers cannot be made. Holds the name of a secret, never the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// There is no secret of this name.
    #[error("the secret `{name}` is missing")]
    SecretMissing {
        /// Name of the secret.
        name: String,
    },
    /// The secret is there, but cannot be used: not a signing secret, or not possible in a header.
    #[error("the secret `{name}` cannot be used")]
    SecretInvalid {
        /// Name of the secret.
        name: String,
    },
}

/// The names of all secrets that a request to this endpoint needs, each once.
pub fn secret_names(endpoint: &Endpoint) -> Vec<&str> {
    let signing = match &endpoint.signing {
        Signing::StandardWebhooks { secret } => Some(secret.as_str()),
        Signing::None => None,
    };
    let headers = endpoint.headers.iter().filter_map(|header| match &header.value {
        HeaderValue::Secret(name) => Some(name.as_str()),
        HeaderValue::Plain(_) => None,
    });
    let mut names = Vec::new();
    for name in signing.into_iter().chain(headers) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// All headers of one attempt except those a transport sets itself (`host`, `content-length`, `user-agent`). `secret` finds a secret by name.
///
/// A message of a signed endpoint is signed or not sent: there is no way to get its headers without a usable secret.
///
/// # Errors
/// [`RequestError`] when a secret that the endpoint names is missing or cannot be used.
pub fn headers<'a>(
    endpoint: &Endpoint,
    message: &Message<'_>,
    secret: impl Fn(&str) -> Option<SecretText<'a>>,
) -> Result<Vec<RequestHeader>, RequestError> {
    let find = |name: &str| secret(name).ok_or_else(|| RequestError::SecretMissing { name: name.to_owned() });
    let mut headers = vec![
        header("content-type", "application/json; charset=utf-8"),
        header("webhook-id", &message.id.0),
        header("webhook-timestamp", &message.timestamp.to_string()),
    ];
    if let Signing::StandardWebhooks { secret: name } = &endpoint.signing {
        let text = find(name)?;
        let invalid = |_| RequestError::SecretInvalid { name: name.clone() };
        let current = SigningKey::parse(text.current).map_err(invalid)?;
        let previous = text.previous.map(SigningKey::parse).transpose().map_err(invalid)?;
        headers.push(header("webhook-signature", &sign(&current, previous.as_ref(), message.id, message.timestamp, message.body)));
    }
    headers.push(header("compass-attempt", &message.attempt.to_string()));
    headers.push(header("compass-workflow-version", message.workflow_version));
    if message.session_state == SessionState::Ended {
        headers.push(header("compass-session-state", SessionState::Ended.as_str()));
    }
    for own in &endpoint.headers {
        let value = match &own.value {
            HeaderValue::Plain(value) => value,
            HeaderValue::Secret(name) => {
                let text = find(name)?.current;
                if text.is_empty() || !super::endpoint::is_header_text(text) {
                    return Err(RequestError::SecretInvalid { name: name.clone() });
                }
                text
            }
        };
        headers.push(header(&own.name.to_ascii_lowercase(), value));
    }
    Ok(headers)
}

fn header(name: &str, value: &str) -> RequestHeader {
    RequestHeader { name: name.to_owned(), value: Zeroizing::new(value.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EndpointHeader, NetworkPolicy};

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    fn endpoint(signing: Signing, headers: Vec<EndpointHeader>) -> Endpoint {
        Endpoint { key: "office".into(), url: "https://hooks.example/in".into(), signing, headers, network: NetworkPolicy::Any }
    }

    fn signed() -> Signing {
        Signing::StandardWebhooks { secret: "signing".into() }
    }

    fn own(name: &str, value: HeaderValue) -> EndpointHeader {
        EndpointHeader { name: name.into(), value }
    }

    fn all(endpoint: &Endpoint, state: SessionState, secrets: &[(&str, &'static str)]) -> Result<Vec<(String, String)>, RequestError> {
        let id = DeliveryId("msg_a".into());
        let message = Message { id: &id, body: b"{}", timestamp: 1_700_000_000, attempt: 3, workflow_version: "3.1", session_state: state };
        let find = |name: &str| {
            let (_, current) = secrets.iter().find(|(known, _)| *known == name)?;
            Some(SecretText { current, previous: None })
        };
        Ok(headers(endpoint, &message, find)?.into_iter().map(|header| (header.name.clone(), header.value.to_string())).collect())
    }

    #[test]
    fn a_signed_message_carries_exactly_the_documented_headers() {
        let endpoint = endpoint(signed(), vec![own("X-Site", HeaderValue::Plain("north".into()))]);
        let headers = all(&endpoint, SessionState::Completed, &[("signing", SECRET)]).expect("headers");
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "content-type",
                "webhook-id",
                "webhook-timestamp",
                "webhook-signature",
                "compass-attempt",
                "compass-workflow-version",
                "x-site"
            ]
        );
        let value = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        assert_eq!(value("content-type"), Some("application/json; charset=utf-8"));
        assert_eq!(value("webhook-id"), Some("msg_a"));
        assert_eq!(value("webhook-timestamp"), Some("1700000000"));
        assert_eq!(value("compass-attempt"), Some("3"));
        assert_eq!(value("compass-workflow-version"), Some("3.1"));
        assert_eq!(value("x-site"), Some("north"));
    }

    #[test]
    fn a_session_that_was_ended_says_so() {
        let headers = all(&endpoint(Signing::None, vec![]), SessionState::Ended, &[]).expect("headers");
        assert!(headers.contains(&("compass-session-state".into(), "ended".into())));
        assert!(headers.iter().all(|(name, _)| name != "webhook-signature"));
    }

    #[test]
    fn nothing_leaves_unsigned_by_accident() {
        let missing = RequestError::SecretMissing { name: "signing".into() };
        assert_eq!(all(&endpoint(signed(), vec![]), SessionState::Completed, &[]), Err(missing));
        let invalid = RequestError::SecretInvalid { name: "signing".into() };
        assert_eq!(all(&endpoint(signed(), vec![]), SessionState::Completed, &[("signing", "hunter2")]), Err(invalid));
    }

    #[test]
    fn a_secret_header_is_looked_up_and_must_be_possible_in_a_header() {
        let endpoint = endpoint(Signing::None, vec![own("authorization", HeaderValue::Secret("token".into()))]);
        assert_eq!(secret_names(&endpoint), ["token"]);
        let headers = all(&endpoint, SessionState::Completed, &[("token", "Bearer abc")]).expect("headers");
        assert!(headers.contains(&("authorization".into(), "Bearer abc".into())));
        for text in ["", "a\r\nhost: evil", "ü"] {
            let error = all(&endpoint, SessionState::Completed, &[("token", text)]).expect_err("impossible in a header");
            assert_eq!(error, RequestError::SecretInvalid { name: "token".into() });
        }
    }
}
