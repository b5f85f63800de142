//! The blocking parts of a delivery attempt behind one port: threads of the core's own in the product, events in a simulation.

use std::io;

use super::{SecretLookup, TransportFailure, TransportRequest, TransportResponse};

/// A call to ports that may take a while.
#[derive(Debug, Clone)]
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
    /// Sends a request.
    Send(TransportRequest),
    /// Asks the transport to cancel this request.
    Cancel(u64),
    /// Renews the transport.
    Renew,
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

/// Takes the answer, on whichever thread has it.
pub type Reply = Box<dyn FnOnce(BlockingAnswer) + Send>;

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
