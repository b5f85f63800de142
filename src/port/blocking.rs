//! The blocking parts of a delivery attempt behind one port: threads of the core's own in the product, events in a simulation.

use std::time::Duration;
use std::{fmt, io};

use super::{SecretLookup, TransportFailure, TransportRequest, TransportResponse};

/// A call to ports that may take a while.
#[derive(Debug)]
pub enum BlockingCall {
    /// Tells of the refused secrets, then looks the wanted ones up, in this order, until one is not found.
    Secrets {
        /// Names for [`Secrets::refused`](super::Secrets::refused).
        refused: Vec<String>,
        /// Names for [`Secrets::get`](super::Secrets::get).
        wanted: Vec<String>,
        /// The origin that both are for.
        origin: String,
    },
    /// Sends a request, if it still may leave when its turn has come.
    Send {
        /// The request.
        request: TransportRequest,
        /// To be asked right before it is given to the transport.
        departure: Departure,
    },
    /// Asks the transport to cancel this request.
    Cancel(u64),
    /// Renews the transport.
    Renew,
}

/// Says whether a request still may leave: it may have waited for a thread, or the whole process for the device to wake up.
pub struct Departure(Box<dyn FnOnce() -> Option<Duration> + Send>);

impl Departure {
    pub(crate) fn new(left: impl FnOnce() -> Option<Duration> + Send + 'static) -> Self {
        Self(Box::new(left))
    }

    /// How much time the request has. None when it must not leave any more: then it was cancelled, and nothing of it was sent.
    pub fn time_left(self) -> Option<Duration> {
        (self.0)()
    }
}

impl fmt::Debug for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Departure")
    }
}

/// What a call brought.
#[derive(Debug)]
pub enum BlockingAnswer {
    /// The look-ups, in the order in which they were asked for; the last one may be one that was not found.
    Secrets(Vec<SecretLookup>),
    /// What became of the request.
    Sent(Result<TransportResponse, TransportFailure>),
    /// The transport was asked to cancel a request, or was renewed.
    Done,
}

/// Takes the answer, on whichever thread has it. What it gives is left to do on that thread, if anything: it may take a while.
pub type Reply = Box<dyn FnOnce(BlockingAnswer) -> Option<FollowUp> + Send>;

/// What is left to do with an answer.
pub type FollowUp = Box<dyn FnOnce() + Send>;

/// Carries out blocking calls.
pub trait Blocking: Send + Sync {
    /// Begins a call and returns at once; `reply` gets the answer later.
    ///
    /// # Errors
    /// When nothing can carry the call out now; `reply` is then never called.
    fn begin(&self, call: BlockingCall, reply: Reply) -> io::Result<()>;

    /// Nothing is to come for a while: what is kept ready for further calls may go.
    fn rest(&self) {}

    /// Whether answers come only when the caller of the core brings them about, on its own thread, as in a simulation: then nothing is waited
    /// for.
    fn is_simulated(&self) -> bool {
        false
    }
}
