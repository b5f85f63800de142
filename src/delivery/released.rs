//! What is given back because nothing of it has begun: claims, and the one attempt that a person had for them. Plain data.

use crate::model::Timestamp;
use crate::store::outbox::lease::Lease;

/// What is given back.
#[derive(Debug, Default)]
pub(super) struct Released {
    pub(super) claims: Vec<Lease>,
    pub(super) urgent: Vec<Spent>,
}

/// The one attempt that a person has at an endpoint for now, used up.
#[derive(Debug, Clone)]
pub(super) struct Spent {
    pub(super) endpoint: String,
    pub(super) at: Timestamp,
    /// When the last one had been, and the end of its pause.
    pub(super) before: (Option<Timestamp>, Option<Timestamp>),
}

impl Released {
    pub(super) fn is_empty(&self) -> bool {
        self.claims.is_empty() && self.urgent.is_empty()
    }

    pub(super) fn append(&mut self, mut later: Self) {
        self.claims.append(&mut later.claims);
        self.urgent.append(&mut later.urgent);
    }
}
