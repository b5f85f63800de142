//! Compass Core: guided workflow sessions that run with no signal, and webhooks that leave by themselves when it returns.

mod compass;
mod crypto;
mod delivery;
pub mod engine;
mod error;
mod fault;
mod filled;
pub mod model;
pub mod outbox;
pub mod port;
mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod threads;
#[cfg(feature = "built-in-transport")]
pub mod transport;
pub mod webhook;

pub use compass::{Compass, DiscardUndelivered, Hold, Options, RestoreOptions, Subscription};
pub use crypto::Sha256;
pub use delivery::CancelToken;
pub use error::Error;

#[cfg(feature = "uniffi")]
uniffi::setup_scaffolding!();

/// The examples of the README, compiled and run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
