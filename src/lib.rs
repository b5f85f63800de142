//! Compass Core: guided workflow sessions that run with no signal, and webhooks that leave by themselves when it returns.

#[cfg(any())]
mod compass;
pub mod crypto;
pub mod engine;
pub mod model;
pub mod outbox;
pub mod port;
#[allow(dead_code)]
mod store;
pub mod transport;
pub mod webhook;
