//! Delivery: outbox entries are claimed, sent and settled, by one pipeline with many triggers.
//!
//! Guarantees: no lock is held and no transaction is open while a port or an observer is called. Nothing is sent before its claim is on disk,
//! nor after its entry was abandoned, its endpoint changed or disabled, or the integration switched off. At most one fsync per 32 results of a
//! backlog, and one for their claim; both are in the same transaction where possible. Failing endpoints get at most half of the places and
//! never the turn of another; one damaged row stops only itself. Every entry waits for a moment, for a network, or for a person who is
//! notified.
//!
//! [`schedule`] decides what to do next from plain data, [`driver`] does it step by step, [`blocking`] makes the blocking calls, and [`shared`]
//! has the one mutex with its condition variable.
//!
//! After a crash, claims end by their leases within a minute, their attempts count as possibly delivered, and the same bytes are sent again
//! under the same id.

mod attempt;
mod batch;
mod blocking;
mod caller_requests;
mod calls;
mod cancel;
mod cancelling;
mod detached;
mod driver;
mod ending;
mod endpoint_queue;
mod foreign;
mod handle;
mod lost_body;
mod moment;
mod network;
mod next_due;
mod released;
mod round;
mod scan;
mod schedule;
mod sending;
mod settings;
mod shared;
mod storing;
mod test_send;
mod urgent;
mod worker;

#[cfg(test)]
mod tests;

pub(crate) use calls::Delays;
pub use cancel::CancelToken;
#[cfg(any(test, feature = "testing"))]
pub(crate) use driver::{Run, Step};
pub(crate) use foreign::{call as foreign_call, is_foreign_call};
pub(crate) use handle::Delivery;
pub(crate) use settings::{Ports, Settings};
