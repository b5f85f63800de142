//! What the core needs from the world, as traits, and the small adapters that need nothing but the standard library.
//!
//! Every port is called with no lock held and outside every transaction, and may be called from any thread.

#[cfg_attr(not(any(test, feature = "testing")), expect(unreachable_pub, reason = "public for simulations, with the feature `testing`"))]
mod blocking;
mod clock;
mod random;
mod secrets;
mod transport;

#[cfg(any(test, feature = "testing"))]
pub use blocking::{Blocking, BlockingAnswer, BlockingCall, FollowUp, Reply, SendCheck};
#[cfg(not(any(test, feature = "testing")))]
pub(crate) use blocking::{Blocking, BlockingAnswer, BlockingCall, Reply, SendCheck};
pub use clock::{Clock, SystemClock};
pub(crate) use clock::{WritableClock, writable};
pub use random::{Random, SystemRandom};
pub use secrets::{NoSecrets, SecretLookup, SecretValue, Secrets, StaticSecrets};
pub use transport::{
    FailureKind, Header, Phase, RequestSent, Transport, TransportFailure, TransportRequest, TransportResponse, is_loopback,
};
