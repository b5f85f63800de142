//! Which URLs an endpoint may have, and which part of them a log may show.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::port::is_loopback;

/// The longest URL, in bytes; some servers accept no more.
pub(super) const MAX_URL: usize = 2048;
/// The longest name of a host (RFC 1035, section 2.3.4, without the length of the last label).
const MAX_HOST: usize = 253;
/// The longest part of a name between two points (RFC 1035, section 2.3.4).
const MAX_LABEL: usize = 63;

/// Printable ASCII characters that no part of a URL may hold unescaped (RFC 3986, section 2); transports differ in how they treat
/// them.
const NEVER_RAW: &[u8] = b"\"<>\\^`{|}";

/// Brings a URL into its normal form: scheme and host in lower case, no default port, `/` for an empty path. The error says what is wrong
/// with it.
pub(super) fn normal_url(url: &str, allow_plain_http_to_loopback: bool) -> Result<String, &'static str> {
    if url.len() > MAX_URL {
        return Err("at most 2048 bytes");
    }
    if url.bytes().any(|byte| !byte.is_ascii_graphic() || NEVER_RAW.contains(&byte)) {
        return Err("in ASCII, without spaces, quotes, braces and the like: percent-encode them, and write the host as `xn--…`");
    }
    // The parser below drops a fragment silently.
    if url.contains('#') {
        return Err("no fragment");
    }
    let uri: Uri = url.parse().map_err(|_| "not an absolute URL")?;
    let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else { return Err("an absolute URL") };
    if authority.as_str().contains('@') {
        return Err("no user name or password; use a header with a secret");
    }
    let host = authority.host().to_ascii_lowercase();
    if !is_host(&host) {
        return Err("the host is neither a name nor an address");
    }
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
    let port = port(authority)?.filter(|port| *port != default_port).map(|port| format!(":{port}")).unwrap_or_default();
    let path_and_query = uri.path_and_query().map_or("/", |path| path.as_str());
    let slash = if path_and_query.starts_with('/') { "" } else { "/" };
    Ok(format!("{scheme}://{host}{port}{slash}{path_and_query}"))
}

/// Scheme, host and port of a URL: the only part that a log may show.
pub(crate) fn origin(url: &str) -> String {
    let Ok(uri) = url.parse::<Uri>() else { return "(not a URL)".to_owned() };
    match (uri.scheme_str(), uri.host(), uri.port_u16()) {
        (Some(scheme), Some(host), Some(port)) => format!("{scheme}://{host}:{port}"),
        (Some(scheme), Some(host), None) => format!("{scheme}://{host}"),
        _ => "(not a URL)".to_owned(),
    }
}

/// The port, if one is given. `host:` and ports that are not numbers pass the parser.
fn port(authority: &Authority) -> Result<Option<u16>, &'static str> {
    let rest = authority.as_str().get(authority.host().len()..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(None);
    }
    let digits = rest.strip_prefix(':').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    match digits.and_then(|digits| digits.parse().ok()) {
        Some(port) if port > 0 => Ok(Some(port)),
        _ => Err("the port is not a number from 1 to 65535"),
    }
}

/// Whether this is an address, or a name that DNS can have.
fn is_host(host: &str) -> bool {
    if let Some(bare) = host.strip_prefix('[') {
        return bare.strip_suffix(']').is_some_and(|bare| bare.parse::<Ipv6Addr>().is_ok());
    }
    if host.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    // A name never ends in a number: that is an incomplete address, or one in a form that resolvers read differently.
    let last = host.rsplit('.').next().unwrap_or_default();
    let digits = last.strip_prefix("0x").filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit())).map_or(last, |_| "0");
    host.len() <= MAX_HOST && host.split('.').all(is_label) && !digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_one_normal_form() {
        let name = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(61));
        for (url, normal) in [
            ("https://hooks.example/in", "https://hooks.example/in"),
            ("HTTPS://Hooks.Example:443", "https://hooks.example/"),
            ("https://hooks.example?a=B", "https://hooks.example/?a=B"),
            ("https://hooks.example:8443/In?x=1&y=%20", "https://hooks.example:8443/In?x=1&y=%20"),
            ("https://hooks.example/a;b,c/~d/!$'()*+@:=?a[]=1&b=/?", "https://hooks.example/a;b,c/~d/!$'()*+@:=?a[]=1&b=/?"),
            ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
            ("https://office_2-north.3com.example/", "https://office_2-north.3com.example/"),
            ("https://intranet/", "https://intranet/"),
            ("https://0x.example/", "https://0x.example/"),
            ("https://7f3a/", "https://7f3a/"),
            ("https://192.0.2.1/", "https://192.0.2.1/"),
            ("https://[2001:DB8::1]:99/", "https://[2001:db8::1]:99/"),
            ("https://[::ffff:192.0.2.1]/", "https://[::ffff:192.0.2.1]/"),
            ("http://localhost:8080/in", "http://localhost:8080/in"),
            ("http://127.0.0.1:80/in", "http://127.0.0.1/in"),
            ("http://[::1]:8080/", "http://[::1]:8080/"),
            (&format!("https://{name}/"), &format!("https://{name}/")),
        ] {
            assert_eq!(normal_url(url, true).as_deref(), Ok(normal), "{url}");
            assert_eq!(normal_url(normal, true).as_deref(), Ok(normal), "a normal form stays as it is");
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
            "https://@hooks.example/",
            "https://hooks.example/#top",
            "https://hooks.example/?a#",
            "https://hooks.example:/",
            "https://hooks.example:0/",
            "https://hooks.example:99999/",
            "https://hooks.example:+80/",
            "ftp://hooks.example/",
            "http://hooks.example/",
            "http://localhost.hooks.example/",
            "http://10.0.0.1/",
            "http://[::ffff:127.0.0.1]/",
            &long,
        ] {
            assert!(normal_url(url, true).is_err(), "{url}");
        }
    }

    #[test]
    fn characters_that_a_request_line_must_not_hold_are_refused_everywhere() {
        for text in ["ä", "\u{202e}", "😀", " ", "\t", "\r\n", "\0", "\u{7f}", "{", "}", "\"", "<", ">", "\\", "^", "`", "|"] {
            for url in [
                format!("https://hooks.example/{text}"),
                format!("https://hooks.example/in?a={text}"),
                format!("https://hooks{text}.example/"),
                format!("https://hooks.example{text}"),
                format!("{text}https://hooks.example/"),
            ] {
                assert!(normal_url(&url, true).is_err(), "{url:?}");
            }
        }
    }

    #[test]
    fn a_host_that_no_look_up_can_find_is_refused() {
        let (label, name) = ("a".repeat(64), format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(62)));
        for host in [
            "a..b",
            ".a",
            "a.",
            ".",
            "localhost.",
            "-a.example",
            "a-.example",
            "a.-",
            "a%41.example",
            "a*b",
            "a!b",
            "a,b",
            "a~b",
            "a=b",
            "a+b",
            "a'b",
            "(a)",
            "1.2.3",
            "1.2.3.",
            "1.2.3.4.5",
            "1.2.3.256",
            "01.2.3.4",
            "1",
            "0x7f000001",
            "0x7f.1",
            "1.0x1",
            "a.0x",
            "a.1",
            "[]",
            "[1.2.3.4]",
            "[::1",
            "::1",
            "[::g]",
            "[fe80::1%25eth0]",
            "[v1.a]",
            &label,
            &name,
        ] {
            assert!(normal_url(&format!("https://{host}/"), true).is_err(), "{host}");
            assert!(normal_url(&format!("http://{host}/"), true).is_err(), "{host}");
        }
    }

    #[test]
    fn plain_http_needs_permission_even_on_loopback() {
        assert!(normal_url("http://localhost:8080/", false).is_err());
        assert!(normal_url("https://localhost:8080/", false).is_ok());
    }

    #[test]
    fn a_log_shows_only_the_origin() {
        assert_eq!(origin("https://hooks.example:8443/in?token=1"), "https://hooks.example:8443");
        assert_eq!(origin("https://user:pass@hooks.example/in"), "https://hooks.example");
        assert_eq!(origin("no url"), "(not a URL)");
    }
}
