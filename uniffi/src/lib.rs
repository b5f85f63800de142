//! The core for Kotlin, Swift and Python: one object, and the ports an app can fill. Thin: no rule lives here, and the types of the model
//! are the core's own (`docs/decisions/0013-facade.md`).
//!
//! Every call blocks; the packages of each language move it off the main thread. Foreign traits are synchronous. A panic arrives as the
//! error `internal`, and no panic of ours unwinds into foreign code.

// What UniFFI generates for a foreign trait or an object is not ours to document.
#![allow(missing_docs, unreachable_pub)]
// The error is built once per failed call and taken apart at once to cross.
#![allow(clippy::result_large_err)]

mod cancel;
mod core;
mod guard;
mod hold;
mod listener;
mod log_sink;
mod options;
mod port_error;
mod secrets;
mod transport;

pub use self::core::{
    AuthoredDocument, Core, add_action, default_retry_policy, erase, lint_document, parse_value, remove_action, replace_action, restore,
    salvage, typed_text, version,
};
pub use cancel::Cancel;
pub use hold::Hold;
pub use listener::{ChangeListener, Subscription};
pub use log_sink::{LogLevel, LogRecord, LogSink, set_log_sink};
pub use options::{DiscardUndelivered, OpenOptions, RestoreOptions};
pub use port_error::PortError;
pub use secrets::Secrets;
pub use transport::{HttpHeader, HttpOutcome, HttpRequest, HttpResponse, Transport};

uniffi::setup_scaffolding!();
// Keeps the model's half in the library that is built from this crate.
compass_core::uniffi_reexport_scaffolding!();
#[cfg(feature = "testing")]
compass_ffi_testing::uniffi_reexport_scaffolding!();
