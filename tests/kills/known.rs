//! What a process does to sessions, what it acknowledges of them, and how the one follows from the other.

use compass_core::model::*;
use compass_core::{Compass, Error};
use serde::{Deserialize, Serialize};

/// A call, as a process announces it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Call {
    Start { workflow: String, id: String },
    Set { session: SessionKey, value: String },
    Note { session: SessionKey, text: String },
    Complete { session: SessionKey },
    End { session: SessionKey },
    Edit { session: SessionKey, value: String },
    Correct { session: SessionKey, action: String },
    Replay { session: SessionKey, action: String },
    Abandon { session: SessionKey, action: String },
    Redact { session: SessionKey },
    Backup,
    Flush,
}

impl Call {
    pub fn session(&self) -> Option<SessionKey> {
        match self {
            Self::Start { .. } | Self::Backup | Self::Flush => None,
            Self::Set { session, .. }
            | Self::Note { session, .. }
            | Self::Complete { session }
            | Self::End { session }
            | Self::Edit { session, .. }
            | Self::Correct { session, .. }
            | Self::Abandon { session, .. }
            | Self::Redact { session }
            | Self::Replay { session, .. } => Some(*session),
        }
    }

    /// Whether it makes nothing of a session.
    pub fn is_of_none(&self) -> bool {
        matches!(self, Self::Backup | Self::Flush)
    }
}

/// What a session is, apart from what delivery does to its messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub state: SessionState,
    /// How many acts its record has.
    pub acts: usize,
    pub reading: Option<String>,
    pub notes: Vec<String>,
    pub actions: Vec<ActionFacts>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionFacts {
    pub key: String,
    /// The ids of its messages, newest first.
    pub messages: Vec<String>,
    pub replays: usize,
}

impl Facts {
    pub fn of(compass: &Compass, session: SessionKey) -> Result<Self, Error> {
        let record = compass.record(session)?;
        let reading = record.fields.iter().find(|field| field.definition.key == "reading").and_then(|field| match &field.state {
            FieldState::Provided(FieldValue::Text(text)) => Some(text.clone()),
            _ => None,
        });
        let actions = record.actions.iter().map(|action| ActionFacts {
            key: action.key.clone(),
            messages: action.deliveries.iter().map(|delivery| delivery.id.0.clone()).collect(),
            replays: action.replays.len(),
        });
        Ok(Self {
            state: record.state,
            acts: record.timeline.len(),
            reading,
            notes: record.notes.iter().filter_map(|note| note.text.clone()).collect(),
            actions: actions.collect(),
        })
    }

    /// What every session must be, whatever happened to it: completed if and only if there is a message for each of its actions.
    pub fn check(&self, actions: usize) -> Result<(), String> {
        let is_enqueued = |action: &ActionFacts| !action.messages.is_empty();
        let holds = match self.state {
            SessionState::Completed => self.actions.len() == actions && self.actions.iter().all(is_enqueued),
            SessionState::Ended => self.actions.len() == actions && !self.actions.iter().any(is_enqueued),
            _ => self.actions.is_empty(),
        };
        if holds { Ok(()) } else { Err(format!("completed and enqueued do not agree: {self:?}")) }
    }

    /// Whether this is what the call makes of a session; of none, where it starts one.
    pub fn is_made_of(&self, before: Option<&Self>, call: &Call) -> bool {
        let Some(before) = before else {
            return matches!(call, Call::Start { .. }) && self.state == SessionState::InProgress && self.reading.is_none();
        };
        let mut expected = before.clone();
        expected.acts += 1;
        match call {
            Call::Start { .. } | Call::Backup | Call::Flush => return false,
            // The message stays, and what becomes of it is of delivery.
            Call::Abandon { .. } => {}
            // With an act for each message that it abandons.
            Call::Redact { .. } if self.acts > before.acts => (expected.reading, expected.acts) = (None, self.acts),
            Call::Redact { .. } => return false,
            Call::Set { value, .. } | Call::Edit { value, .. } => expected.reading = Some(value.clone()),
            Call::Note { text, .. } => expected.notes.push(text.clone()),
            // Which messages, `check` looks at.
            Call::Complete { .. } => (expected.state, expected.actions) = (SessionState::Completed, self.actions.clone()),
            Call::End { .. } => (expected.state, expected.actions) = (SessionState::Ended, self.actions.clone()),
            Call::Correct { action, .. } => {
                let Some(of_action) = self.actions.iter().find(|known| known.key == *action) else { return false };
                let [newest, earlier @ ..] = &of_action.messages[..] else { return false };
                let Some(known) = expected.actions.iter_mut().find(|known| known.key == *action) else { return false };
                if earlier != known.messages || known.messages.contains(newest) {
                    return false;
                }
                known.messages.insert(0, newest.clone());
            }
            Call::Replay { action, .. } => {
                let Some(known) = expected.actions.iter_mut().find(|known| known.key == *action) else { return false };
                known.replays += 1;
            }
        }
        *self == expected
    }
}
