//! From errors of the system, of TLS and of HTTP to the kinds that the port knows.

use std::io;

use rustls::CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};

use crate::port::FailureKind;

use super::attempt::IoFailure;

/// An error of a socket, while it connects or later.
pub(super) fn io_failure(what: &str, error: &io::Error) -> IoFailure {
    use io::ErrorKind as E;
    let kind = match error.kind() {
        // Android and Linux report a missing source address when the last interface is gone.
        // The device's own firewall may not permit an app to connect, as Android's in the background.
        E::NetworkUnreachable | E::NetworkDown | E::AddrNotAvailable | E::PermissionDenied => FailureKind::NoNetwork,
        E::ConnectionRefused | E::HostUnreachable => FailureKind::Refused,
        E::TimedOut | E::WouldBlock => FailureKind::Timeout,
        E::ConnectionReset | E::ConnectionAborted | E::BrokenPipe | E::NotConnected | E::UnexpectedEof | E::WriteZero => {
            FailureKind::Closed
        }
        _ => FailureKind::Other,
    };
    IoFailure::new(kind, format!("{what}: {error}"))
}

/// An error of TLS.
pub(super) fn tls_failure(error: &rustls::Error) -> IoFailure {
    let kind = match error {
        rustls::Error::InvalidCertificate(reason) => {
            let time_invalid = matches!(reason, Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. });
            FailureKind::Certificate { time_invalid }
        }
        rustls::Error::NoCertificatesPresented => FailureKind::Certificate { time_invalid: false },
        _ => FailureKind::Tls,
    };
    IoFailure::new(kind, format!("TLS: {error}"))
}

/// An error of ureq itself. Its texts may quote the answer, so the detail does not contain them.
pub(super) fn http_failure(error: &ureq::Error) -> IoFailure {
    match error {
        ureq::Error::Protocol(_) => IoFailure::new(FailureKind::Protocol, "the answer is not HTTP/1.1"),
        ureq::Error::LargeResponseHeader(..) => IoFailure::new(FailureKind::Protocol, "the head of the answer is too large"),
        ureq::Error::Timeout(_) => IoFailure::timeout(),
        ureq::Error::HostNotFound => IoFailure::new(FailureKind::Dns, "the host has no address"),
        ureq::Error::Io(error) => io_failure("HTTP", error),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => IoFailure::new(FailureKind::Other, "the request cannot be expressed"),
        _ => IoFailure::new(FailureKind::Other, "the request failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_system_have_their_kinds() {
        use io::ErrorKind as E;
        let rows = [
            (E::NetworkUnreachable, FailureKind::NoNetwork),
            (E::NetworkDown, FailureKind::NoNetwork),
            (E::PermissionDenied, FailureKind::NoNetwork),
            (E::HostUnreachable, FailureKind::Refused),
            (E::ConnectionRefused, FailureKind::Refused),
            (E::TimedOut, FailureKind::Timeout),
            (E::ConnectionReset, FailureKind::Closed),
            (E::BrokenPipe, FailureKind::Closed),
            (E::OutOfMemory, FailureKind::Other),
        ];
        for (error, kind) in rows {
            assert_eq!(io_failure("connect", &error.into()).kind, kind, "{error}");
        }
    }

    #[test]
    fn only_the_period_of_validity_may_be_the_devices_clock() {
        use rustls::CertificateError as C;
        let rows = [
            (C::Expired, true),
            (C::NotValidYet, true),
            (C::UnknownIssuer, false),
            (C::NotValidForName, false),
            (C::Revoked, false),
            (C::BadSignature, false),
        ];
        for (reason, time_invalid) in rows {
            let failure = tls_failure(&rustls::Error::InvalidCertificate(reason.clone()));
            assert_eq!(failure.kind, FailureKind::Certificate { time_invalid }, "{reason:?}");
        }
        assert_eq!(tls_failure(&rustls::Error::HandshakeNotComplete).kind, FailureKind::Tls);
    }
}
