//! The blocking parts of a delivery attempt behind one port: the core's own threads in the product, events in a simulation.

use std::time::Duration;
use std::{fmt, io};

use super::{SecretLookup, TransportFailure, TransportRequest, TransportResponse};

/// A call to ports that may take a while.
#[derive(Debug)]
pub enum BlockingCall {
    /// Reports the refused secrets, then looks up the wanted ones in this order, until one is not found.
    Secrets {
        /// Names for [`Secrets::refused`](super::Secrets::refused).
        refused: Vec<String>,
        /// Names for [`Secrets::get`](super::Secrets::get).
        wanted: Vec<String>,
        /// The origin that both are for.
        origin: String,
    },
    /// Sends a request, if it may still be sent when its turn comes.
    Send {
        /// The request.
        request: TransportRequest,
        /// Asked right before the request is given to the transport.
        send_check: SendCheck,
    },
    /// Asks the transport to cancel this request.
    Cancel(u64),
    /// Renews the transport.
    Renew,
}

/// Decides whether a request may still be sent: it may have waited for a thread, or the device may have slept.
pub struct SendCheck(Box<dyn FnOnce() -> Option<Duration> + Send>);

impl SendCheck {
    pub(crate) fn new(left: impl FnOnce() -> Option<Duration> + Send + 'static) -> Self {
        Self(Box::new(left))
    }

    /// How much time the request has. None when it must no longer be sent: then it was cancelled, and nothing of it was sent.
    pub fn time_left(self) -> Option<Duration> {
        (self.0)()
    }
}

impl fmt::Debug for SendCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendCheck")
    }
}

/// The result of a call.
#[derive(Debug)]
pub enum BlockingAnswer {
    /// The look-ups, in the requested order; the last one may not have been found.
    Secrets(Vec<SecretLookup>),
    /// The result of the request.
    Sent(Result<TransportResponse, TransportFailure>),
    /// The transport was asked to cancel a request, or was renewed.
    Done,
}

/// Takes the answer, on the thread that has it. Gives further work for that thread, if there is any: it may take a while.
pub type Reply = Box<dyn FnOnce(BlockingAnswer) -> Option<FollowUp> + Send>;

/// Further work with an answer.
pub type FollowUp = Box<dyn FnOnce() + Send>;

/// Carries out blocking calls.
pub trait Blocking: Send + Sync {
    /// Begins a call and returns at once; `reply` gets the answer later.
    ///
    /// # Errors
    /// When nothing can carry the call out now; `reply` is then never called.
    fn begin(&self, call: BlockingCall, reply: Reply) -> io::Result<()>;

    /// No further call is expected for a while: resources kept ready for one may be released.
    fn release_idle(&self) {}

    /// Whether answers come only when the caller of the core produces them on its own thread, as in a simulation: then the core never waits
    /// for one.
    fn is_simulated(&self) -> bool {
        false
    }
}
