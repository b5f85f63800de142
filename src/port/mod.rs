//! What the core needs from the world, as traits, and the small adapters that need nothing but the standard library.
//!
//! Every port is called with no lock held and outside every transaction, and may be called from any thread.

mod clock;
mod random;
mod secrets;
mod transport;

pub use clock::{Clock, SystemClock};
pub use random::{Random, SystemRandom};
pub use secrets::{NoSecrets, SecretLookup, SecretValue, Secrets, StaticSecrets};
pub use transport::{FailureKind, Header, Phase, RequestSent, Transport, TransportFailure, TransportRequest, TransportResponse};
