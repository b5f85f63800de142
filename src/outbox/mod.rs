//! The rules of delivery, without any I/O: what an outcome means, when to try again, when to stop, and how an endpoint is treated.
//!
//! A delivery attempt runs like this: `Progress::claimed` is written before anything leaves the phone; the attempt brings an
//! [`Outcome`]; [`classify()`] says what it means; [`settle`] says what becomes of the entry and [`EndpointState::settled`] what becomes of
//! its endpoint. `Progress::released` undoes a claim that was never begun.
//!
//! After a crash in the middle, the claim is still on record: an attempt and an unknown outcome more than were settled. So an entry that
//! may have been delivered never looks as if it certainly was not.
//!
//! All times are given; nothing here reads a clock or draws a random number. A wall clock may jump either way at any moment: no rule
//! here can make an entry wait for ever because of that.

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
// Public for `testing::rules` alone.
pub use blocker::waits_for_person;
pub(crate) use classify::{Class, Contact, Context, Verdict, classify, clock_error};
pub(crate) use due::{LEASE, at_once, due_after, due_since, farthest_due, first_time, is_due, lease_is_void, pause_end};
pub(crate) use endpoint_state::{AttemptFacts, EndpointState, Failing, LastSeen, plausible_skew};
pub(crate) use outcome::{Answer, Obstacle, Outcome};
pub(crate) use permits::{ActionFacts, Permit, Permits, permits};
pub(crate) use policy::CUT_SHORT_AT_ONCE;
pub use policy::{InvalidPolicy, RetryPolicy};
pub(crate) use progress::{Progress, SettleFacts, Settled, Settlement, cut_short_delay, settle};
