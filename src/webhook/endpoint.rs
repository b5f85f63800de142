//! The rules for a valid endpoint.

use http::HeaderName;

use super::url::normal_url;
use crate::model::{Endpoint, EndpointHeader, HeaderValue, Signing, is_key};

/// The most additional headers of an endpoint.
pub(super) const MAX_HEADERS: usize = 32;
/// The longest plain value of a header, in bytes.
pub(super) const MAX_HEADER_VALUE: usize = 1024;
/// The longest name of a secret, in bytes.
pub(super) const MAX_SECRET_NAME: usize = 128;

/// Headers that give access: their values do not belong into a database.
const SECRET_ONLY: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Headers that the core or the transport sets, those that control the connection (RFC 9110, section 7.6.1), and those reserved for
/// traces (W3C Trace Context) and signatures of messages (RFC 9421).
const REFUSED: [&str; 16] = [
    "host",
    "user-agent",
    "date",
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "http2-settings",
    "traceparent",
    "tracestate",
    "signature",
    "signature-input",
];

/// Beginnings of header names of the core, and of those reserved for CloudEvents.
const REFUSED_PREFIXES: [&str; 4] = ["content-", "webhook-", "compass-", "ce-"];

/// What is wrong with an endpoint, and in which part. Never holds a value of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct EndpointError {
    /// Which part: `key`, `url`, `signing.secret`, `headers`, `headers[0].name` or `headers[0].value`.
    pub place: String,
    /// What is wrong, in English.
    pub problem: &'static str,
}

/// Checks an endpoint and brings it into its normal form, so that two ways to write the same endpoint are equal: scheme and host in lower
/// case, no default port, `/` for an empty path, header names in lower case.
///
/// The URL is in ASCII, without user name, password or fragment; its host is a valid DNS name or an address. Plain `http` is for tests on one
/// machine: only to `localhost` or a loopback address, and only when the options allow it.
///
/// # Errors
/// [`EndpointError`] for the first thing that is wrong.
pub(crate) fn validate(endpoint: &Endpoint, allow_plain_http_to_loopback: bool) -> Result<Endpoint, EndpointError> {
    if !is_key(&endpoint.key) {
        return refuse("key", "a letter or digit, then at most 63 letters, digits, `_`, `.` or `-`");
    }
    let url = normal_url(&endpoint.url, allow_plain_http_to_loopback).map_err(|problem| EndpointError { place: "url".into(), problem })?;
    if let Signing::StandardWebhooks { secret } = &endpoint.signing {
        check_secret_name("signing.secret", secret)?;
    }
    if endpoint.headers.len() > MAX_HEADERS {
        return refuse("headers", "at most 32 headers");
    }
    let mut headers: Vec<EndpointHeader> = Vec::with_capacity(endpoint.headers.len());
    for (index, header) in endpoint.headers.iter().enumerate() {
        let header = normal_header(index, header)?;
        if headers.iter().any(|other| other.name == header.name) {
            return refuse(format!("headers[{index}].name"), "the same header twice");
        }
        headers.push(header);
    }
    Ok(Endpoint { key: endpoint.key.clone(), url, signing: endpoint.signing.clone(), headers, network: endpoint.network })
}

/// Whether the text can be the value of a header: printable ASCII, spaces inside, no line breaks.
pub(super) fn is_header_text(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && text.trim() == text
}

fn refuse<T>(place: impl Into<String>, problem: &'static str) -> Result<T, EndpointError> {
    Err(EndpointError { place: place.into(), problem })
}

fn check_secret_name(place: impl Into<String>, name: &str) -> Result<(), EndpointError> {
    if name.trim().is_empty() || name.len() > MAX_SECRET_NAME { refuse(place, "the name of a secret, 1 to 128 bytes") } else { Ok(()) }
}

fn normal_header(index: usize, header: &EndpointHeader) -> Result<EndpointHeader, EndpointError> {
    let place = |part: &str| format!("headers[{index}].{part}");
    let Ok(name) = HeaderName::from_bytes(header.name.as_bytes()) else { return refuse(place("name"), "not the name of a header") };
    let name = name.as_str().to_owned();
    if REFUSED.contains(&name.as_str()) || REFUSED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        return refuse(place("name"), "set by the core or the connection, or reserved; not for an endpoint");
    }
    match &header.value {
        HeaderValue::Plain(_) if SECRET_ONLY.contains(&name.as_str()) => {
            return refuse(place("value"), "give the name of a secret, not the value");
        }
        HeaderValue::Plain(value) if value.len() > MAX_HEADER_VALUE || !is_header_text(value) => {
            return refuse(place("value"), "at most 1024 printable ASCII characters, no space at either end");
        }
        HeaderValue::Plain(_) => {}
        HeaderValue::Secret(secret) => check_secret_name(place("value"), secret)?,
    }
    Ok(EndpointHeader { name, value: header.value.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NetworkPolicy;

    fn endpoint(url: &str) -> Endpoint {
        Endpoint {
            key: "office".into(),
            url: url.into(),
            signing: Signing::StandardWebhooks { secret: "office-signing".into() },
            headers: vec![],
            network: NetworkPolicy::Any,
        }
    }

    fn with_header(name: &str, value: HeaderValue) -> Endpoint {
        let headers = vec![EndpointHeader { name: name.into(), value }];
        Endpoint { headers, ..endpoint("https://hooks.example/in") }
    }

    fn place(endpoint: &Endpoint) -> String {
        validate(endpoint, true).expect_err("refused").place
    }

    #[test]
    fn a_url_is_checked_and_brought_into_its_normal_form() {
        assert_eq!(validate(&endpoint("HTTPS://Hooks.Example:443"), false).expect("valid").url, "https://hooks.example/");
        assert_eq!(place(&endpoint("https://user@hooks.example/")), "url");
        assert!(validate(&endpoint("http://localhost:8080/"), true).is_ok());
        assert_eq!(validate(&endpoint("http://localhost:8080/"), false).expect_err("refused").place, "url");
    }

    #[test]
    fn keys_are_those_of_documents() {
        for key in ["a", "Office-2.north_x", &"a".repeat(64)] {
            assert!(validate(&Endpoint { key: key.into(), ..endpoint("https://h.example/") }, false).is_ok(), "{key}");
        }
        for key in ["", "-a", ".a", "a b", "ä", "a/b", &"a".repeat(65)] {
            assert_eq!(place(&Endpoint { key: key.into(), ..endpoint("https://h.example/") }), "key", "{key}");
        }
    }

    #[test]
    fn headers_of_the_core_and_of_the_connection_and_reserved_ones_are_refused() {
        for name in ["Host", "content-type", "Content-Length", "webhook-id", "Compass-Attempt", "connection", "TE", "user-agent", "a b", ""]
            .into_iter()
            .chain(["CE-id", "ce-specversion", "traceparent", "TraceState", "Signature", "signature-input", "content-digest"])
        {
            assert_eq!(place(&with_header(name, HeaderValue::Plain("x".into()))), "headers[0].name", "{name}");
        }
        for name in ["x-ce-id", "signature-key", "cent", "trace"] {
            assert!(validate(&with_header(name, HeaderValue::Plain("x".into())), false).is_ok(), "{name}");
        }
        let valid = validate(&with_header("X-Site", HeaderValue::Plain("north 1".into())), false).expect("valid");
        assert_eq!(valid.headers[0].name, "x-site");
    }

    #[test]
    fn headers_that_give_access_are_secrets_and_errors_show_no_value() {
        for name in ["Authorization", "cookie", "Proxy-Authorization"] {
            let error = validate(&with_header(name, HeaderValue::Plain("hunter2".into())), false).expect_err("refused");
            assert_eq!(error.place, "headers[0].value");
            assert!(!format!("{error:?} {error}").contains("hunter2"));
            assert!(validate(&with_header(name, HeaderValue::Secret("token".into())), false).is_ok());
        }
        let long = "a".repeat(MAX_HEADER_VALUE + 1);
        for value in ["a\r\nb", "ü", " a", "a\t", &long] {
            assert_eq!(place(&with_header("x-a", HeaderValue::Plain(value.into()))), "headers[0].value");
        }
        for name in ["", " ", &"a".repeat(MAX_SECRET_NAME + 1)] {
            assert_eq!(place(&with_header("x-a", HeaderValue::Secret(name.into()))), "headers[0].value");
            let signing = Signing::StandardWebhooks { secret: name.into() };
            assert_eq!(place(&Endpoint { signing, ..endpoint("https://h.example/") }), "signing.secret");
        }
    }

    #[test]
    fn a_header_is_given_once() {
        let mut twice = with_header("x-a", HeaderValue::Plain("1".into()));
        twice.headers.push(EndpointHeader { name: "X-A".into(), value: HeaderValue::Plain("2".into()) });
        assert_eq!(place(&twice), "headers[1].name");
    }
}
