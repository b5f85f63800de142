//! The platform's transport.

use std::sync::Arc;

use compass_core::port::{self, FailureKind, Header, Phase, RequestSent, TransportFailure, TransportRequest, TransportResponse};

use crate::PortError;

/// Sends requests. It follows no redirect, retries nothing and treats every status as an answer. Called on threads of the core's own,
/// several at once.
#[uniffi::export(foreign)]
pub trait Transport: Send + Sync {
    /// Sends one request and blocks until the head of the answer, a failure, the timeout, or `cancel`. If it throws, that counts as a
    /// failure after which the message may have been delivered.
    fn send(&self, request: HttpRequest) -> Result<HttpOutcome, PortError>;

    /// Asks to cancel the request with this id. It may still finish; an unknown id is ignored.
    fn cancel(&self, id: u64) -> Result<(), PortError>;

    /// The process was suspended, or the network is another one: idle connections and cached addresses from before must not be used again.
    /// Running requests go on.
    fn renew(&self) -> Result<(), PortError>;
}

/// A header. The core's own type is overwritten when it is dropped, and cannot cross the FFI.
#[derive(Clone, uniffi::Record)]
pub struct HttpHeader {
    /// Lower-case name.
    pub name: String,
    /// Value; may be a secret.
    pub value: String,
}

/// A POST to send.
#[derive(Clone, uniffi::Record)]
pub struct HttpRequest {
    /// Names this attempt in `cancel`.
    pub id: u64,
    /// The address.
    pub url: String,
    /// All headers except those the transport sets itself: `host`, `content-length`, `user-agent`.
    pub headers: Vec<HttpHeader>,
    /// The exact bytes to send.
    pub body: Vec<u8>,
    /// For the whole attempt, in milliseconds.
    pub timeout_ms: u64,
}

/// An answer whose status line was read.
#[derive(Clone, uniffi::Record)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// The headers of the answer.
    pub headers: Vec<HttpHeader>,
    /// At most the first 4 KiB of the answer's body, if the transport has it.
    pub body: Vec<u8>,
}

/// The outcome of a request.
#[derive(Clone, uniffi::Enum)]
pub enum HttpOutcome {
    /// A status line was read.
    Answered {
        /// The answer.
        response: HttpResponse,
    },
    /// No status line was read.
    Failed {
        /// Why.
        failure: TransportFailure,
    },
}

/// The foreign transport as the core's port.
pub(crate) struct ForeignTransport(pub(crate) Arc<dyn Transport>);

impl port::Transport for ForeignTransport {
    fn send(&self, request: TransportRequest) -> Result<TransportResponse, TransportFailure> {
        let request = HttpRequest {
            id: request.id,
            url: request.url,
            headers: request.headers.iter().map(|header| HttpHeader { name: header.name.clone(), value: header.value.clone() }).collect(),
            body: request.body,
            timeout_ms: u64::try_from(request.timeout.as_millis()).unwrap_or(u64::MAX),
        };
        match self.0.send(request) {
            Ok(HttpOutcome::Answered { response }) => Ok(TransportResponse {
                status: response.status,
                // Platforms spell names differently; the core looks for lower case.
                headers: response.headers.into_iter().map(|header| Header::new(header.name.to_ascii_lowercase(), header.value)).collect(),
                body: response.body,
            }),
            Ok(HttpOutcome::Failed { failure }) => Err(failure),
            Err(PortError::Failed { detail }) => {
                Err(TransportFailure { kind: FailureKind::Other, phase: Phase::Send, request_sent: RequestSent::Maybe, detail })
            }
        }
    }

    fn cancel(&self, id: u64) {
        if let Err(error) = self.0.cancel(id) {
            log::warn!("the transport failed to cancel: {error}");
        }
    }

    fn renew(&self) {
        if let Err(error) = self.0.renew() {
            log::warn!("the transport failed to renew: {error}");
        }
    }
}
