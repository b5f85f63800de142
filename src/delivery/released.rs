//! Claims that are released because nothing of them has begun, and urgent attempts that are returned with them. Plain data.

use crate::model::Timestamp;
use crate::store::outbox::lease::Lease;

/// What is released.
#[derive(Debug, Default)]
pub(super) struct Released {
    pub(super) claims: Vec<Lease>,
    pub(super) urgent: Vec<UsedUrgent>,
}

/// A used-up urgent attempt at an endpoint.
#[derive(Debug, Clone)]
pub(super) struct UsedUrgent {
    pub(super) endpoint: String,
    pub(super) at: Timestamp,
    /// When the one before was used, and the end of its pause.
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
