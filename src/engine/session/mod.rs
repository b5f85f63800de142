//! A session as a state machine: `(workflow, state, command)` gives an act, an act becomes an event, and events make the state.
//!
//! The same events replayed give the same state. Nothing here reads a clock or a database; the store keeps the state as projections, so
//! that a command never has to replay.

mod state;

pub use state::{Held, State, Visit};
