//! A session as a state machine: `(workflow, state, command)` gives an act, an act becomes an event, and events make the state.
//!
//! The same events replayed give the same state. Nothing here reads a clock or a database; the store keeps the state as projections, so
//! that a command never has to replay.
//!
//! - [`start()`] and [`decide()`] decide what a call does, or refuse it. They change nothing.
//! - An act becomes an [`Event`](crate::model::Event) (next `seq`, the clock's time); [`begin()`] or [`apply()`] gives the new state.
//!   [`replay()`] gives the state of all events.
//! - [`plan()`] does all of that for a list of commands: the events, each with the state after it. The caller writes them, once.
//! - the view, [`record()`], [`encountered()`], [`submission()`] and [`search_text()`] are derived from a state.
//! - [`validate()`], [`parse_value()`] and [`typed_text()`] are the rules of values.
//!
//! The caller checks whether a `command_id` was used before: repeated commands do not get here.

mod apply;
mod changes;
mod decide;
mod edit;
mod limits;
mod path;
mod plan;
mod record;
mod redact;
mod refusal;
mod start;
mod state;
mod steps;
mod submission;
mod timeline;
pub mod validate;
mod view;

pub use apply::{apply, begin, replay};
pub use decide::{Decision, decide};
pub(crate) use limits::{check_actor, check_command_id, check_reason};
pub(crate) use path::PathFields;
pub(crate) use plan::{ActContext, advance, plan};
pub use record::record;
pub(crate) use redact::{act as redact_act, check_target};
pub use refusal::{Refusal, TextFault};
pub use start::start;
pub use state::State;
pub(crate) use state::{StoredValue, Visit};
pub use submission::submission;
pub(crate) use submission::{SentField, search_text, sent_fields};
pub use validate::{parse_value, typed_text, validate};
pub use view::encountered;
#[cfg(any(test, feature = "testing"))]
pub use view::view;
pub(crate) use view::{NOTE, view_and_fields};

#[cfg(test)]
mod tests;
