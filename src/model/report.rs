//! Totals for reports, and what maintenance did.

use serde::{Deserialize, Serialize};

use super::{Severity, Timestamp, WorkflowRef};

/// Totals over the sessions on this phone. Deleted and purged sessions are not in them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Totals {
    /// Over all sessions.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub sessions: SessionTotals,
    /// By workflow, over all its versions; by key.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub by_workflow: Vec<GroupTotals>,
    /// By who started the session; sessions without an actor are not in it.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub by_actor: Vec<GroupTotals>,
    /// Actions that did not fire.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub actions_not_fired: u64,
    /// Actions whose message waits.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub actions_pending: u64,
    /// Actions whose message was delivered.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub actions_sent: u64,
    /// Actions whose message failed.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub actions_failed: u64,
}

/// Totals of one workflow or one actor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct GroupTotals {
    /// Key of the workflow, or the actor.
    pub key: String,
    /// The totals.
    pub sessions: SessionTotals,
}

/// Counts of sessions. The win rate is `won / completed`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SessionTotals {
    /// Begun and not finished.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub in_progress: u64,
    /// Completed.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub completed: u64,
    /// Completed and won.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub won: u64,
    /// Ended at once.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub ended: u64,
    /// Thrown away.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub discarded: u64,
}

/// A workflow version on this phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct WorkflowSummary {
    /// Which one.
    pub workflow: WorkflowRef,
    /// A line or two about it.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub description: Option<String>,
    /// SHA-256 of its canonical JSON, in hexadecimal.
    pub hash: String,
    /// Whether `start` takes this version when none is named: the newest that is not retired and can be started, or where none can, the newest
    /// that is not retired.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub current: bool,
    /// Whether a session can be started on it.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub startable: bool,
    /// What lint found when it was imported.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub findings: Vec<super::Finding>,
    /// The worst of these findings.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub worst: Option<Severity>,
    /// When it was imported.
    pub imported_at: Timestamp,
    /// When it was retired: it is only started when its version is named.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub retired_at: Option<Timestamp>,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ImportOutcome {
    /// False when the same document was there already.
    pub imported: bool,
    /// The version.
    pub workflow: WorkflowSummary,
}

/// What a purge did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct PurgeReport {
    /// Sessions that were removed; each leaves a tombstone.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub purged: u64,
    /// Old sessions that stay because one of their messages is neither delivered nor abandoned.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub kept_undelivered: u64,
    /// Old sessions that stay because an action did not fire while the integration was off.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub kept_not_fired: u64,
    /// Bodies of delivered messages that were dropped; hash and size stay.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub bodies_dropped: u64,
    /// Files that only the purged sessions referred to: SHA-256 of their bytes, 64 hexadecimal digits. The app may remove them.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub unused_files: Vec<String>,
    /// Whether all this is gone from the file.
    pub erased: Erased,
}

/// What deleting a session did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct DeleteReport {
    /// Files that only this session referred to, as in [`PurgeReport::unused_files`].
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub unused_files: Vec<String>,
    /// Whether it is gone from the file.
    pub erased: Erased,
}

/// Whether what was deleted is gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(rename_all = "snake_case")]
pub enum Erased {
    /// Nothing of it is in the file, in SQLite's files beside it, or in a later backup.
    #[default]
    Now,
    /// It is deleted, but SQLite's files beside the database may still hold it, because another call reads or writes. It is gone after the
    /// next write while no call reads, when the file is closed without having been quiesced, or when it is opened again. The file that a
    /// restore keeps of the earlier database is removed only when the database is opened.
    AtNextClose,
}

/// What `check` found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct CheckReport {
    /// Sessions that were checked.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub sessions: u64,
    /// What is wrong, in English; empty when all is well.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub faults: Vec<String>,
}

/// What `salvage` wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SalvageReport {
    /// Lines that are messages neither delivered nor abandoned; they come first.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub unsent: u64,
    /// All lines; each is one row of the database.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub lines: u64,
    /// How many times something could not be read and was skipped. 0: everything is there.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub gaps: u64,
}
