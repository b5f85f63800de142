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
// Public only for `testing::rules`.
pub use blocker::waits_for_person;
pub(crate) use classify::{Class, Contact, Context, Verdict, classify, clock_error};
pub(crate) use due::{LEASE, at_once, due_after, due_since, first_time, is_due, latest_due, lease_is_over, pause_end};
pub(crate) use endpoint_state::{AttemptFacts, EndpointState, Failing, LastSeen, possible_skew};
pub(crate) use outcome::{Answer, Cause, Outcome};
pub(crate) use permits::{ActionFacts, OpenReplay, Permit, Permits, permits};
pub(crate) use policy::CUT_SHORT_AT_ONCE;
pub use policy::{InvalidPolicy, RetryPolicy};
pub(crate) use progress::{Progress, SettleFacts, Settled, Settlement, cut_short_delay, settle};
