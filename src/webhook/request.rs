//! The headers of one attempt.

use super::signature::{SigningKey, sign};
use crate::model::{DeliveryId, Endpoint, HeaderValue, SessionState, Signing};
use crate::port::{Header, SecretValue};

/// One message at the moment of one attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a> {
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
    /// Its revision, from 1.
    pub revision: u32,
    /// Ids of earlier revisions that were or may have been delivered, newest first.
    pub replaces: &'a [String],
    /// Its action's series and number, if it has one.
    pub sequence: Option<&'a str>,
    /// As `install` makes it.
    pub install: &'a str,
}

/// Why the headers cannot be made. Holds the name of a secret, never the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestError {
    /// There is no secret with this name.
    #[error("the secret `{name}` is missing")]
    SecretMissing {
        /// Name of the secret.
        name: String,
    },
    /// The secret exists, but cannot be used: not a signing secret, or not possible in a header.
    #[error("the secret `{name}` cannot be used")]
    SecretInvalid {
        /// Name of the secret.
        name: String,
    },
}

/// The names of all secrets that a request to this endpoint needs, each once.
pub(crate) fn secret_names(endpoint: &Endpoint) -> Vec<&str> {
    signing_secret(endpoint).into_iter().chain(header_secret_names(endpoint)).collect()
}

/// The names of the secrets in its headers, each once. Never the one that signs, even if a header names it as well.
pub(crate) fn header_secret_names(endpoint: &Endpoint) -> Vec<&str> {
    let mut names = Vec::new();
    for header in &endpoint.headers {
        if let HeaderValue::Secret(name) = &header.value
            && signing_secret(endpoint) != Some(name)
            && !names.contains(&name.as_str())
        {
            names.push(name);
        }
    }
    names
}

fn signing_secret(endpoint: &Endpoint) -> Option<&str> {
    match &endpoint.signing {
        Signing::StandardWebhooks { secret } => Some(secret),
        Signing::None => None,
    }
}

/// All headers of one attempt except those a transport sets itself (`host`, `content-length`, `user-agent`). `secret` finds a secret by
/// name: the one in use and, while a rotation lasts, the one before it.
///
/// A message of a signed endpoint is signed or not sent: without a usable secret there are no headers. A previous secret that cannot be
/// used is ignored: it may be a typing error that the current one corrects.
///
/// # Errors
/// [`RequestError`] when a secret that the endpoint names is missing or cannot be used.
pub(crate) fn headers<'a>(
    endpoint: &Endpoint,
    message: &Message<'_>,
    secret: impl Fn(&str) -> Option<(&'a SecretValue, Option<&'a SecretValue>)>,
) -> Result<Vec<Header>, RequestError> {
    let find = |name: &str| secret(name).ok_or_else(|| RequestError::SecretMissing { name: name.to_owned() });
    let mut headers = vec![
        Header::new("content-type", "application/json; charset=utf-8"),
        Header::new("webhook-id", &message.id.0),
        Header::new("webhook-timestamp", message.timestamp.to_string()),
    ];
    if let Some(name) = signing_secret(endpoint) {
        let (current, previous) = find(name)?;
        let current = SigningKey::parse(current.expose()).map_err(|_| RequestError::SecretInvalid { name: name.to_owned() })?;
        let previous = previous.and_then(|previous| SigningKey::parse(previous.expose()).ok());
        headers.push(Header::new("webhook-signature", sign(&current, previous.as_ref(), message.id, message.timestamp, message.body)));
    }
    headers.push(Header::new("compass-attempt", message.attempt.to_string()));
    headers.push(Header::new("compass-workflow-version", message.workflow_version));
    headers.push(Header::new("compass-revision", message.revision.to_string()));
    if !message.replaces.is_empty() {
        headers.push(Header::new("compass-replaces", message.replaces.join(", ")));
    }
    headers.extend(message.sequence.map(|sequence| Header::new("compass-sequence", sequence)));
    headers.push(Header::new("compass-install", message.install));
    if message.session_state == SessionState::Ended {
        headers.push(Header::new("compass-session-state", SessionState::Ended.as_str()));
    }
    for own in &endpoint.headers {
        let value = match &own.value {
            HeaderValue::Plain(value) => value,
            HeaderValue::Secret(name) => {
                let text = find(name)?.0.expose();
                if text.is_empty() || !super::endpoint::is_header_text(text) {
                    return Err(RequestError::SecretInvalid { name: name.clone() });
                }
                text
            }
        };
        headers.push(Header::new(own.name.to_ascii_lowercase(), value));
    }
    Ok(headers)
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
        let message = Message {
            id: &id,
            body: b"{}",
            timestamp: 1_700_000_000,
            attempt: 3,
            workflow_version: "3.1",
            session_state: state,
            revision: 1,
            replaces: &[],
            sequence: Some("abcdefg2-7"),
            install: "abcdefghijklmno2",
        };
        let secrets: Vec<_> = secrets.iter().map(|(name, text)| (*name, SecretValue::new((*text).to_owned()))).collect();
        let find = |name: &str| secrets.iter().find(|(known, _)| *known == name).map(|(_, current)| (current, None));
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
                "compass-revision",
                "compass-sequence",
                "compass-install",
                "x-site"
            ]
        );
        let value = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        assert_eq!(value("content-type"), Some("application/json; charset=utf-8"));
        assert_eq!(value("webhook-id"), Some("msg_a"));
        assert_eq!(value("webhook-timestamp"), Some("1700000000"));
        assert_eq!(value("compass-attempt"), Some("3"));
        assert_eq!(value("compass-workflow-version"), Some("3.1"));
        assert_eq!(value("compass-revision"), Some("1"));
        assert_eq!((value("compass-sequence"), value("compass-install")), (Some("abcdefg2-7"), Some("abcdefghijklmno2")));
        assert_eq!(value("x-site"), Some("north"));
    }

    #[test]
    fn a_correction_names_what_it_replaces() {
        let (id, replaces) = (DeliveryId("msg_c".into()), ["msg_b".to_owned(), "msg_a".to_owned()]);
        let state = SessionState::Completed;
        let message = Message {
            id: &id,
            body: b"{}",
            timestamp: 1,
            attempt: 1,
            workflow_version: "1",
            session_state: state,
            revision: 3,
            replaces: &replaces,
            sequence: None,
            install: "abcdefghijklmno2",
        };
        let headers = headers(&endpoint(Signing::None, vec![]), &message, |_| None).expect("headers");
        let value = |name: &str| headers.iter().find(|header| header.name == name).map(|header| header.value.as_str());
        assert_eq!((value("compass-revision"), value("compass-replaces")), (Some("3"), Some("msg_b, msg_a")));
        assert_eq!(value("compass-sequence"), None, "its action has no number");
    }

    #[test]
    fn the_message_of_an_ended_session_has_its_state() {
        let headers = all(&endpoint(Signing::None, vec![]), SessionState::Ended, &[]).expect("headers");
        assert!(headers.contains(&("compass-session-state".into(), "ended".into())));
        assert!(headers.iter().all(|(name, _)| name != "webhook-signature"));
    }

    #[test]
    fn nothing_is_sent_unsigned_by_accident() {
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

    #[test]
    fn a_previous_secret_that_cannot_be_used_is_ignored() {
        let other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signatures = |current: &str, previous: Option<&str>| {
            let (current, previous) = (SecretValue::new(current.into()), previous.map(|text| SecretValue::new(text.into())));
            let id = DeliveryId("msg_a".into());
            let state = SessionState::Completed;
            let message = Message {
                id: &id,
                body: b"{}",
                timestamp: 1,
                attempt: 1,
                workflow_version: "1",
                session_state: state,
                revision: 1,
                replaces: &[],
                sequence: None,
                install: "abcdefghijklmno2",
            };
            let headers = headers(&endpoint(signed(), vec![]), &message, |_| Some((&current, previous.as_ref())))?;
            let signature = headers.into_iter().find(|header| header.name == "webhook-signature").expect("it is signed");
            Ok(signature.value.split(' ').map(str::to_owned).collect::<Vec<_>>())
        };
        let current = signatures(SECRET, None).expect("headers");
        for mistyped in ["", "whsec_mistyped", "Bearer abc", "whsec_"] {
            assert_eq!(signatures(SECRET, Some(mistyped)).as_ref(), Ok(&current), "{mistyped}");
        }
        let rotated = signatures(SECRET, Some(other)).expect("headers");
        assert_eq!((rotated.len(), &rotated[..1]), (2, &current[..]), "a usable one signs as well");
        let invalid = RequestError::SecretInvalid { name: "signing".into() };
        assert_eq!(signatures("whsec_mistyped", Some(SECRET)), Err(invalid), "the current one counts, with any previous one");
    }

    #[test]
    fn names_of_secrets_are_listed_once_and_without_the_signing_one() {
        let secret = |header: &str, name: &str| own(header, HeaderValue::Secret(name.into()));
        let headers = vec![secret("authorization", "token"), own("x-site", HeaderValue::Plain("token2".into())), secret("x-a", "token")];
        let unsigned = endpoint(Signing::None, headers.clone());
        assert_eq!((secret_names(&unsigned), header_secret_names(&unsigned)), (vec!["token"], vec!["token"]));
        let both = endpoint(signed(), [headers, vec![secret("x-b", "signing")]].concat());
        assert_eq!((secret_names(&both), header_secret_names(&both)), (vec!["signing", "token"], vec!["token"]));
    }
}
