//! The outcome table of `docs/delivery.md`, row by row: a session is completed on a real database file, `flush` runs once with the built-in
//! transport, a scripted server on a real socket does what the row says, and the record shows what the table promises.
//!
//! The clock is set by hand, so bands of time are exact; certificates are checked by the real one. Signatures are checked with the
//! `standardwebhooks` crate on every request.

#![cfg(feature = "built-in-transport")]
#![allow(unreachable_pub, reason = "a suite in several files, not a library")]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod attention;
mod broken_connections;
mod clocks;
mod docs;
mod endpoints;
mod expect;
mod failures;
mod message;
mod nothing_sent;
mod phone;
mod retries;
mod test_deliveries;
mod time;

/// The authority that every server of this suite has its certificate from.
fn ca() -> &'static support::TestCa {
    static CA: std::sync::OnceLock<support::TestCa> = std::sync::OnceLock::new();
    CA.get_or_init(support::TestCa::new)
}
