//! From errors of the system, of TLS and of HTTP to the kinds that the port knows.

use std::io;

use rustls::CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};

use crate::port::FailureKind;

use super::attempt::Trouble;

/// An error of a socket, while it connects or later.
pub(super) fn io_trouble(what: &str, error: &io::Error) -> Trouble {
    use io::ErrorKind as E;
    let kind = match error.kind() {
        // Android and Linux report a missing source address when the last interface is gone.
        E::NetworkUnreachable | E::NetworkDown | E::AddrNotAvailable => FailureKind::NoNetwork,
        E::ConnectionRefused | E::HostUnreachable => FailureKind::Refused,
        E::TimedOut | E::WouldBlock => FailureKind::Timeout,
        E::ConnectionReset | E::ConnectionAborted | E::BrokenPipe | E::NotConnected | E::UnexpectedEof | E::WriteZero => {
            FailureKind::Closed
        }
        _ => FailureKind::Other,
    };
    Trouble::new(kind, format!("{what}: {error}"))
}

/// An error of TLS.
pub(super) fn tls_trouble(error: &rustls::Error) -> Trouble {
    let kind = match error {
        rustls::Error::InvalidCertificate(reason) => {
            let time_invalid = matches!(reason, Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. });
            FailureKind::Certificate { time_invalid }
        }
        rustls::Error::NoCertificatesPresented => FailureKind::Certificate { time_invalid: false },
        _ => FailureKind::Tls,
    };
    Trouble::new(kind, format!("TLS: {error}"))
}

/// What ureq itself gave up for. Its texts may quote the answer, so they stay out of the detail.
pub(super) fn http_trouble(error: &ureq::Error) -> Trouble {
    match error {
        ureq::Error::Protocol(_) => Trouble::new(FailureKind::Protocol, "the answer is not HTTP/1.1"),
        ureq::Error::LargeResponseHeader(..) => Trouble::new(FailureKind::Protocol, "the head of the answer is too large"),
        ureq::Error::Timeout(_) => Trouble::timeout(),
        ureq::Error::HostNotFound => Trouble::new(FailureKind::Dns, "the host has no address"),
        ureq::Error::Io(error) => io_trouble("HTTP", error),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => Trouble::new(FailureKind::Other, "the request cannot be expressed"),
        _ => Trouble::new(FailureKind::Other, "the request failed"),
    }
}
