//! Compass Core: guided workflow sessions that work offline, and webhooks that are sent when the network returns.

// Tests use some of the pure rules through `testing::rules`: with that feature the lint is on.
#![cfg_attr(not(feature = "testing"), allow(unreachable_pub))]

mod compass;
mod crypto;
mod delivery;
mod engine;
mod error;
mod fault;
pub mod model;
mod outbox;
pub mod port;
mod sorted;
mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod threads;
#[cfg(feature = "built-in-transport")]
pub mod transport;
mod webhook;

pub use compass::{Compass, DiscardUndelivered, Hold, Options, RestoreOptions, Subscription};
pub use crypto::Sha256;
pub use delivery::CancelToken;
pub use engine::session::{Refusal, TextFault, parse_value, typed_text, validate};
pub use error::Error;
pub use outbox::{InvalidPolicy, RetryPolicy, reason};
pub use webhook::EndpointError;

pub mod document {
    //! Workflow documents, before they are imported: what is wrong with one, and how its actions are changed. Pure functions of bytes.
    pub use crate::engine::document::{
        Authored, AuthoringError, Code, ParsedDocument, add_action, lint, parse, remove_action, replace_action,
    };
}

#[cfg(feature = "uniffi")]
uniffi::setup_scaffolding!();

/// The examples of the README, compiled and run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
