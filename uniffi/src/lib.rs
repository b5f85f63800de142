//! The core for Kotlin, Swift and Python: one object, and the ports that an app can implement. It is thin: it has no rules, and the types
//! of the model are the core's own (`docs/decisions/0013-facade.md`).
//!
//! Every call blocks; the packages of each language move it off the main thread. Foreign traits are synchronous. A panic becomes the error
//! `internal`; none unwinds into foreign code.

// Code that UniFFI generates for a foreign trait or an object cannot be documented here.
#![allow(missing_docs, unreachable_pub)]
// The error is made once per failed call and converted at once for the FFI.
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
// Keeps the scaffolding of the model in the library that is built from this crate.
compass_core::uniffi_reexport_scaffolding!();
#[cfg(feature = "testing")]
compass_ffi_testing::uniffi_reexport_scaffolding!();
