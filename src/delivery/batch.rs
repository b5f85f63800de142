//! What a round writes, and its outcome, as plain data: the schedule is not locked while the database works.

use super::attempt::AttemptResult;
use super::caller_requests::Asked;
use super::endpoint_queue::{EndpointView, Unstored};
use super::released::Released;
use crate::model::{Attention, Connectivity, SessionKey};
use crate::sorted::{SortedMap, SortedSet};
use crate::store::endpoint::EndpointRow;
use crate::store::outbox::queue::Claimed;

/// What a round writes.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) results: Vec<AttemptResult>,
    /// Claims of which nothing was begun, and the urgent attempts used up for them.
    pub(super) releases: Released,
    /// Entries that are being worked on: their leases do not expire, no matter how the clock is set.
    pub(super) worked_on: Vec<i64>,
    /// Entries that must not be claimed.
    pub(super) skipped: SortedSet<i64>,
    /// Entries with an attempt in flight here: newer revisions of their actions are skipped, too.
    pub(super) in_flight: SortedSet<i64>,
    pub(super) endpoints: SortedMap<String, EndpointView>,
    /// What to claim in the same transaction.
    pub(super) claim: Option<ClaimRequest>,
}

/// A request to claim entries.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClaimRequest {
    pub(super) connectivity: Connectivity,
    pub(super) urgent: bool,
    /// The requests of callers that it answers.
    pub(super) asked: Asked,
}

/// What a round did.
#[derive(Default)]
pub(super) struct BatchOutcome {
    /// The configuration that it read.
    pub(super) configuration: u64,
    /// The file that it wrote: `meta::file_generation`.
    pub(super) file: i64,
    pub(super) claimed: Vec<Claimed>,
    /// Endpoints at which more may be due.
    pub(super) more: SortedSet<String>,
    /// A person asked for an attempt at an endpoint, and nothing was claimed there although something may be.
    pub(super) urgent_again: bool,
    /// Rows that cannot be read, or cannot be written.
    pub(super) unreadable: Vec<i64>,
    /// Endpoints as they are now.
    pub(super) rows: SortedMap<String, EndpointRow>,
    /// The parts of settled endpoints' state that are not stored.
    pub(super) unstored: Vec<(String, Unstored)>,
    pub(super) sessions: SortedSet<SessionKey>,
    /// Messages that need a person's attention, by entry.
    pub(super) attention: Vec<(i64, Attention)>,
    /// Entries that need no attention, or have already been reported.
    pub(super) no_attention: Vec<i64>,
    /// The revision for observers; none when there is nothing to report.
    pub(super) revision: Option<u64>,
    pub(super) endpoints_changed: bool,
    /// Endpoints that took a message with one of the results.
    pub(super) reached: Vec<String>,
    pub(super) counts: FlushCounts,
}

/// What a flush counts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FlushCounts {
    pub(super) attempts: u32,
    pub(super) sent: u32,
    pub(super) retrying: u32,
    pub(super) failed: u32,
}
