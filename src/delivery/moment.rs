//! A moment, by both clocks.

use std::time::Duration;

use crate::model::Timestamp;

/// This moment, by both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) wall: Timestamp,
    pub(super) monotonic: Duration,
}
