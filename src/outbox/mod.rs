//! The rules of delivery, without any I/O: what an outcome means, when to attempt again, when to stop, and how an endpoint is treated.
//!
//! A delivery attempt runs like this: `Progress::claimed` is written before anything is sent; the attempt gives an [`Outcome`];
//! [`classify()`] gives its meaning; [`settle`] gives the new state of the entry and [`EndpointState::settled`] that of its endpoint.
//! `Progress::released` undoes a claim that was never begun.
//!
//! After a crash in the middle, the claim is still recorded as an attempt with an unknown outcome. So an entry that may have been
//! delivered never looks like one that certainly was not.
//!
//! All times are given; nothing here reads a clock or draws a random number. A wall clock may jump in either direction at any moment: that
//! never makes an entry wait for ever.

mod blocker;
mod classify;
mod due;
mod endpoint_state;
mod http_date;
mod outcome;
mod permits;
mod policy;
mod progress;
pub mod reason;

pub(crate) use blocker::{DeliveryContext, EndpointFacts, EntryFacts, Next, blocker};
pub(crate) use classify::clock_error;
pub(crate) use due::{LEASE, at_once, due_after, due_since, first_time, latest_due, lease_is_over, pause_end};
pub(crate) use endpoint_state::possible_skew;
pub(crate) use permits::{ActionFacts, OpenReplay, Permit, Permits, permits};
pub(crate) use policy::CUT_SHORT_AT_ONCE;
pub use policy::{InvalidPolicy, RetryPolicy};
pub(crate) use progress::cut_short_delay;
// Public only for `testing::rules`.
pub use blocker::waits_for_person;
pub use classify::{Class, Contact, Context, Verdict, classify};
pub use due::is_due;
pub use endpoint_state::{AttemptFacts, EndpointState, Failing, LastSeen};
pub use outcome::{Answer, Cause, Outcome};
pub use progress::{Progress, SettleFacts, Settled, Settlement, settle};
