//! The words of the domain, as data. No I/O, no clock, no SQL, no rules beyond a value's own shape.
//!
//! Everything here is plain, owned and serialisable, so that it can be stored, sent over an FFI and compared in tests.

mod action;
mod command;
mod echo;
mod endpoint;
mod event;
#[cfg(feature = "uniffi")]
mod ffi;
mod field;
mod finding;
mod id;
mod key;
mod notice;
mod outbox;
mod record;
mod redaction;
mod report;
mod session;
mod value;
mod view;
mod workflow;

pub use action::*;
pub use command::*;
pub use echo::*;
pub use endpoint::*;
pub use event::*;
#[cfg(feature = "uniffi")]
pub use ffi::*;
pub use field::*;
pub use finding::*;
pub use id::*;
pub use key::*;
pub use notice::*;
pub use outbox::*;
pub use record::*;
use redaction::note_text;
pub use redaction::{RedactBodies, RedactOutcome, RedactPending, Redaction, RedactionTarget};
pub use report::*;
pub use session::*;
pub use value::*;
pub use view::*;
pub use workflow::*;

/// A moment in UTC. The core keeps and shows milliseconds; finer digits are cut where a time enters.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
