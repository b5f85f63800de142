//! The words of the domain, as data. No I/O, no clock, no SQL, no rules beyond a value's own shape.
//!
//! Everything here is plain, owned and serialisable, so that it can be stored, sent over an FFI and compared in tests.

mod field;
mod finding;
mod id;
mod value;
mod workflow;

pub use field::*;
pub use finding::*;
pub use id::*;
pub use value::*;
pub use workflow::*;

/// A moment in UTC. The core keeps and shows milliseconds; finer digits are cut where a time enters.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
