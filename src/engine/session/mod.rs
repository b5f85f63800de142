//! A session as a state machine: `(workflow, state, command)` gives an act, an act becomes an event, and events make the state.
//!
//! The same events replayed give the same state. Nothing here reads a clock or a database; the store keeps the state as projections, so
//! that a command never has to replay.
//!
//! - [`start()`] and [`decide()`] say what a call does, or refuse it. They change nothing.
//! - An act becomes an [`Event`](crate::model::Event) (next `seq`, the clock's time); [`begin()`] or [`apply()`] gives the new state.
//!   [`replay()`] gives the state that belongs to the events that are there.
//! - [`plan()`] does all of that for a list of commands: the events, each with the state after it. The caller writes them, once.
//! - [`view()`], [`record()`], [`encountered()`], [`submission()`] and [`search_text()`] are what others see of a state.
//! - [`validate()`] and [`parse_value()`] are the rules of values.
//!
//! Whether a `command_id` was used before is the caller's to know: a repeated command never gets here.
//!
//! ```
//! use compass_core::engine::session::{self, Decision};
//! use compass_core::{Sha256, model::*};
//!
//! let document = br#"{ "format": 1, "key": "visit", "version": 1, "name": "Visit", "start": "door", "sections": [
//!     { "key": "door", "name": "At the door", "answers": [{ "key": "in", "name": "Let in", "next": "inside" }] },
//!     { "key": "inside", "name": "Inside", "win": true }
//! ] }"#;
//! let workflow: Workflow = serde_json::from_slice(document)?;
//! let at = Timestamp::UNIX_EPOCH;
//! let event = |seq, act| Event { seq, v: EVENT_VERSION, at, wall_at: None, utc_offset: 0, actor: None, command_id: None, act };
//!
//! let key: SessionKey = "0199d0c2-6f1e-7c31-9f7a-0d1c8a4f2b11".parse()?;
//! let started = session::start(&workflow, &Sha256::of(document), &Start::new("visit", "tap-1"))?;
//! let mut state = session::begin(key, &workflow, &event(1, started)).expect("a session starts with its start");
//!
//! let tap = Command::Answer { visit: 1, answer: "in".into() };
//! let Decision::Act(act) = session::decide(&workflow, &state, &tap)? else { panic!("nothing stands in the way") };
//! session::apply(&mut state, &event(2, act));
//! assert_eq!(state.current().section, "inside");
//! assert_eq!(session::decide(&workflow, &state, &tap)?, Decision::Stale, "a double tap changes nothing");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
pub use limits::{MAX_ACTOR, MAX_COMMAND_ID, MAX_NOTE, MAX_PREFILL_SOURCE, MAX_REASON, check_actor, check_command_id, check_reason};
pub use plan::{Plan, Stamp, advance, plan};
pub use record::record;
pub use redact::{act as redact_act, check_target};
pub use refusal::{Refusal, TextFault};
pub use start::start;
pub use state::{Held, State, Visit};
pub use submission::{search_text, submission};
pub use validate::{parse_value, validate};
pub use view::{NOTE, encountered, view};

#[cfg(test)]
mod tests;
