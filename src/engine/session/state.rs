//! The state that a session's events give.

use crate::model::{FieldState, Note, SessionKey, SessionState, Timestamp, ValueSource, WorkflowRef};
use crate::sorted::SortedMap;

/// The state that commands are decided on. Equal to what replaying the session's events gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The session.
    pub key: SessionKey,
    /// The workflow version it runs on.
    pub workflow: WorkflowRef,
    /// Its state.
    pub state: SessionState,
    /// Whether it was won; only of a completed session.
    pub won: Option<bool>,
    /// Who started it.
    pub actor: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was completed, ended or discarded.
    pub finished_at: Option<Timestamp>,
    /// Why it was ended.
    pub end_reason: Option<String>,
    /// `seq` of its last event.
    pub last_seq: u32,
    /// The time of that event: no later event has an earlier time.
    pub last_at: Timestamp,
    /// The highest visit number ever used; numbers are not used twice.
    pub last_visit: u32,
    /// The visits that are not superseded, in order. Never empty; the last one is the current visit, or the one it finished in.
    pub path: Vec<Visit>,
    /// The fields that hold something, by key. A field that is not here is "not provided".
    pub values: SortedMap<String, StoredValue>,
    /// The notes as they read now, in order.
    pub notes: Vec<Note>,
}

/// One stay in one section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Its number.
    pub number: u32,
    /// Key of the section.
    pub section: String,
    /// When it began.
    pub at: Timestamp,
    /// Key of the answer that was chosen in it.
    pub answer: Option<String>,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredValue {
    /// A value, "empty" or "not applicable"; never "not provided".
    pub state: FieldState,
    /// The time of the act that set it to that.
    pub completed_at: Timestamp,
    /// Its source.
    pub source: ValueSource,
}

impl State {
    /// The current visit.
    ///
    /// # Panics
    /// When the path is empty, which starting a session makes impossible.
    pub fn current(&self) -> &Visit {
        self.path.last().expect("a started session has a visit")
    }
}
