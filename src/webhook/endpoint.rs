//! What makes an endpoint valid.

use std::net::IpAddr;

use http::uri::Scheme;
use http::{HeaderName, Uri};

use crate::model::{Endpoint, EndpointHeader, HeaderValue, Signing};

/// The longest key.
const MAX_KEY: usize = 64;
/// The longest URL, in bytes; some servers take no more.
pub const MAX_URL: usize = 2048;
/// The most headers of an endpoint's own.
pub const MAX_HEADERS: usize = 32;
/// The longest plain value of a header, in bytes.
pub const MAX_HEADER_VALUE: usize = 1024;
/// The longest name of a secret, in bytes.
pub const MAX_SECRET_NAME: usize = 128;

/// Headers that give access: their values do not belong into a database.
const SECRET_ONLY: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Headers that the core or the transport sets, and those that steer the connection (RFC 9110, section 7.6.1).
const REFUSED: [&str; 12] = [
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
];

/// Beginnings of names that are the core's own.
const REFUSED_PREFIXES: [&str; 3] = ["content-", "webhook-", "compass-"];

/// What is wrong with an endpoint, and where. Never holds a value of it.
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
/// Plain `http` is for tests on one machine: only to `localhost` or a loopback address, and only when the configuration allows it.
///
/// # Errors
/// [`EndpointError`] for the first thing that is wrong.
pub fn validate(endpoint: &Endpoint, allow_plain_http_to_loopback: bool) -> Result<Endpoint, EndpointError> {
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

/// Scheme, host and port of a URL: all of it that a log may show.
pub fn origin(url: &str) -> String {
    let Ok(uri) = url.parse::<Uri>() else { return "(not a URL)".to_owned() };
    match (uri.scheme_str(), uri.host(), uri.port_u16()) {
        (Some(scheme), Some(host), Some(port)) => format!("{scheme}://{host}:{port}"),
        (Some(scheme), Some(host), None) => format!("{scheme}://{host}"),
        _ => "(not a URL)".to_owned(),
    }
}

/// Whether the text can be the value of a header: printable ASCII, spaces inside, no line breaks.
pub(super) fn is_header_text(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && text.trim() == text
}

fn refuse<T>(place: impl Into<String>, problem: &'static str) -> Result<T, EndpointError> {
    Err(EndpointError { place: place.into(), problem })
}

fn is_key(key: &str) -> bool {
    key.len() <= MAX_KEY
        && key.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

fn check_secret_name(place: impl Into<String>, name: &str) -> Result<(), EndpointError> {
    if name.trim().is_empty() || name.len() > MAX_SECRET_NAME { refuse(place, "the name of a secret, 1 to 128 bytes") } else { Ok(()) }
}

fn normal_url(url: &str, allow_plain_http_to_loopback: bool) -> Result<String, &'static str> {
    if url.len() > MAX_URL {
        return Err("at most 2048 bytes");
    }
    // The parser below drops a fragment without a word.
    if url.contains('#') {
        return Err("no fragment");
    }
    let uri: Uri = url.parse().map_err(|_| "not an absolute URL in ASCII")?;
    let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else { return Err("an absolute URL") };
    if authority.as_str().contains('@') {
        return Err("no user name or password; use a header with a secret");
    }
    let host = authority.host().to_ascii_lowercase();
    if host.is_empty() {
        return Err("a host is needed");
    }
    // `host:` and ports that are no numbers pass the parser.
    let port = match authority.as_str().get(authority.host().len()..) {
        None | Some("") => None,
        Some(rest) => match rest.strip_prefix(':').and_then(|digits| digits.parse::<u16>().ok()) {
            Some(port) if port > 0 => Some(port),
            _ => return Err("the port is not a number from 1 to 65535"),
        },
    };
    let default_port = if *scheme == Scheme::HTTPS {
        443
    } else if *scheme == Scheme::HTTP {
        if !is_loopback(&host) {
            return Err("https is needed");
        }
        if !allow_plain_http_to_loopback {
            return Err("https is needed; plain http to this machine has to be allowed in the options");
        }
        80
    } else {
        return Err("https is needed");
    };
    let port = port.filter(|port| *port != default_port).map(|port| format!(":{port}")).unwrap_or_default();
    let path_and_query = uri.path_and_query().map_or("/", |path| path.as_str());
    let slash = if path_and_query.starts_with('/') { "" } else { "/" };
    Ok(format!("{scheme}://{host}{port}{slash}{path_and_query}"))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn normal_header(index: usize, header: &EndpointHeader) -> Result<EndpointHeader, EndpointError> {
    let place = |part: &str| format!("headers[{index}].{part}");
    let Ok(name) = HeaderName::from_bytes(header.name.as_bytes()) else { return refuse(place("name"), "not the name of a header") };
    let name = name.as_str().to_owned();
    if REFUSED.contains(&name.as_str()) || REFUSED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        return refuse(place("name"), "set by the core or the connection, not by an endpoint");
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
    fn urls_have_one_normal_form() {
        for (url, normal) in [
            ("https://hooks.example/in", "https://hooks.example/in"),
            ("HTTPS://Hooks.Example:443", "https://hooks.example/"),
            ("https://hooks.example?a=B", "https://hooks.example/?a=B"),
            ("https://hooks.example:8443/In?x=1&y=%20", "https://hooks.example:8443/In?x=1&y=%20"),
            ("https://192.0.2.1/", "https://192.0.2.1/"),
            ("https://[2001:DB8::1]:99/", "https://[2001:db8::1]:99/"),
            ("http://localhost:8080/in", "http://localhost:8080/in"),
            ("http://127.0.0.1:80/in", "http://127.0.0.1/in"),
            ("http://[::1]:8080/", "http://[::1]:8080/"),
        ] {
            let valid = validate(&endpoint(url), true).expect(url);
            assert_eq!(valid.url, normal);
            assert_eq!(validate(&valid, true).as_ref(), Ok(&valid), "a normal form stays as it is");
        }
    }

    #[test]
    fn urls_that_could_leak_or_mislead_are_refused() {
        let long = format!("https://hooks.example/{}", "a".repeat(MAX_URL));
        for url in [
            "",
            "hooks.example",
            "/in",
            "https://",
            "https:///in",
            "https://user@hooks.example/",
            "https://user:pass@hooks.example/",
            "https://hooks.example/#top",
            "https://hooks.example:/",
            "https://hooks.example:0/",
            "https://hooks.example:99999/",
            "https://hooks.example/a b",
            "https://bücher.example/",
            "ftp://hooks.example/",
            "http://hooks.example/",
            "http://localhost.hooks.example/",
            "http://10.0.0.1/",
            &long,
        ] {
            assert_eq!(place(&endpoint(url)), "url", "{url}");
        }
    }

    #[test]
    fn plain_http_needs_leave_even_on_loopback() {
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
    fn headers_of_the_core_and_of_the_connection_are_refused() {
        for name in ["Host", "content-type", "Content-Length", "webhook-id", "Compass-Attempt", "connection", "TE", "user-agent", "a b", ""]
        {
            assert_eq!(place(&with_header(name, HeaderValue::Plain("x".into()))), "headers[0].name", "{name}");
        }
        let valid = validate(&with_header("X-Site", HeaderValue::Plain("north 1".into())), false).expect("valid");
        assert_eq!(valid.headers[0].name, "x-site");
    }

    #[test]
    fn what_gives_access_is_a_secret_and_errors_show_no_value() {
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

    #[test]
    fn a_log_shows_the_origin_alone() {
        assert_eq!(origin("https://hooks.example:8443/in?token=1"), "https://hooks.example:8443");
        assert_eq!(origin("https://user:pass@hooks.example/in"), "https://hooks.example");
        assert_eq!(origin("no url"), "(not a URL)");
    }
}
