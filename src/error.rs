//! The one public error.

use crate::engine::document::AuthoringError;
use crate::engine::session::Refusal;
use crate::model::{ActionStatus, Finding, Problem, SessionKey, SessionState, WorkflowRef};
use crate::outbox::InvalidPolicy;
use crate::store::{OfOneRow, StoreError};
#[cfg(feature = "built-in-transport")]
use crate::transport::TransportSetupError;
use crate::webhook::EndpointError;

/// Why a call changed nothing. Never holds a secret, or what a technician typed.
///
/// New variants may appear; [`Error::code`] is the stable name of each.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // The handle -------------------------------------------------------------------------------------------------------------------
    /// This process already has the same file open.
    #[error("this database is already open in this process; share that handle")]
    AlreadyOpen,
    /// The handle was closed.
    #[error("the handle is closed")]
    Closed,
    /// `close`, `quiesce` or `flush` was called from inside an observer or a port.
    #[error("this call would wait for itself: it was made from inside an observer, a transport or a store of secrets")]
    Reentrant,
    /// An option makes no sense.
    #[error("{place}: {problem}")]
    InvalidOption {
        /// Which one.
        place: String,
        /// What is wrong.
        problem: String,
    },

    // The file ---------------------------------------------------------------------------------------------------------------------
    /// The file cannot be opened or read now, for instance before the first unlock of the phone. It is untouched; try again later.
    #[error("the database cannot be opened now: {detail}")]
    CannotOpen {
        /// SQLite's message.
        detail: String,
    },
    /// Another process held the database for too long, or quiescing interrupted the call. Try again.
    #[error("the database is locked")]
    Locked,
    /// There is no room left on the device. Try again once there is.
    #[error("there is no room left on the device")]
    DiskFull,
    /// There was not enough memory for the call. Try again once there is.
    #[error("there is not enough memory")]
    OutOfMemory,
    /// The file is damaged. It is not changed, so that what is left of it can be read.
    #[error("the database is damaged: {detail}")]
    Corrupt {
        /// SQLite's message.
        detail: String,
    },
    /// The file belongs to another program.
    #[error("the file is not a Compass database")]
    NotADatabase,
    /// A newer release has written the file. Update the app; the file is untouched.
    #[error("the database has schema {found}; this release knows schemas up to {known}")]
    NewerSchema {
        /// Schema of the file.
        found: u32,
        /// The newest schema that this release knows.
        known: u32,
    },
    /// The operating system failed to read or write the file.
    #[error("the database cannot be read or written: {detail}")]
    Io {
        /// SQLite's message.
        detail: String,
    },

    // Workflows --------------------------------------------------------------------------------------------------------------------
    /// The document has findings of severity `error`.
    #[error("the workflow document has {} finding(s); the first error: {}", .findings.len(), first_error(.findings))]
    InvalidWorkflow {
        /// All of them.
        findings: Vec<Finding>,
    },
    /// This version is here already with other content. Publish a new version.
    #[error("workflow {} {} is here already with other content", .workflow.key, .workflow.version_label())]
    WorkflowConflict {
        /// The version.
        workflow: WorkflowRef,
    },
    /// There is no such workflow or version, or every version is retired.
    #[error("no such workflow or version, or all its versions are retired: {key}")]
    UnknownWorkflow {
        /// What was asked for.
        key: String,
    },
    /// The workflow is incomplete: it can be imported and listed, and not started.
    #[error("workflow {} {} is incomplete and cannot be started: {}", .workflow.key, .workflow.version_label(), first_error(.findings))]
    NotStartable {
        /// The version.
        workflow: WorkflowRef,
        /// What is missing.
        findings: Vec<Finding>,
    },
    /// Sessions use this version, so it cannot be removed. Delete or purge them first.
    #[error("{sessions} session(s) use workflow {} {}", .workflow.key, .workflow.version_label())]
    WorkflowInUse {
        /// The version.
        workflow: WorkflowRef,
        /// How many.
        sessions: u64,
    },
    /// The workflow requires features that this release does not know: it and its sessions can be read but not changed. Update the app.
    #[error("workflow {} {} needs a newer version of the app: {}", .workflow.key, .workflow.version_label(), .unknown.join(", "))]
    RequiresNewerCore {
        /// The version.
        workflow: WorkflowRef,
        /// The required features that this release does not know.
        unknown: Vec<String>,
    },
    /// An authoring helper refused.
    #[error(transparent)]
    Authoring(#[from] AuthoringError),

    // Sessions ---------------------------------------------------------------------------------------------------------------------
    /// There is no such session.
    #[error("no such session: {key}")]
    UnknownSession {
        /// What was asked for.
        key: SessionKey,
    },
    /// There was such a session; it was purged or deleted.
    #[error("session {key} was deleted")]
    DeletedSession {
        /// What was asked for.
        key: SessionKey,
    },
    /// The command is not acceptable as it is.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The `command_id` was used before for something else.
    #[error("this command_id was used before for something else")]
    CommandIdReused,
    /// A session in progress cannot be deleted; discard it first.
    #[error("the session is {} and cannot be deleted", .state.as_str())]
    NotDeletable {
        /// Its state.
        state: SessionState,
    },
    /// Messages that were neither delivered nor abandoned would be lost.
    #[error("{} neither delivered nor abandoned", undelivered(.count))]
    Undelivered {
        /// How many; none where the file is damaged and they cannot be counted.
        count: Option<u64>,
    },

    // Actions and endpoints ----------------------------------------------------------------------------------------------------------
    /// The session has no such action, or is not finished.
    #[error("the session has no action `{action}`")]
    UnknownAction {
        /// What was asked for.
        action: String,
    },
    /// This cannot be done with an action of this status.
    #[error("action `{action}` is {}: {problem}", .status.as_str())]
    ActionStatus {
        /// Key of the action.
        action: String,
        /// Its status.
        status: ActionStatus,
        /// Why not, and what can be done.
        problem: &'static str,
    },
    /// Too many sends failed; the action cannot be sent again from the phone.
    #[error("action `{action}` is locked after {failed_sends} failed sends")]
    ActionLocked {
        /// Key of the action.
        action: String,
        /// How many failed.
        failed_sends: u32,
    },
    /// The message would be larger than any message may be. Nothing was changed; shorten a value, and send it corrected.
    #[error("the message of action `{action}` has {size} bytes, and may have {limit}")]
    PayloadTooLarge {
        /// Key of the action.
        action: String,
        /// How many bytes it has.
        size: u64,
        /// How many a message may have: [`MAX_BODY`](crate::model::MAX_BODY).
        limit: u64,
    },
    /// The newest message has the same values: there is nothing new to send.
    #[error("the newest message of action `{action}` has the same values; change one first")]
    NothingCorrected {
        /// Key of the action.
        action: String,
    },
    /// The body of the delivered message is no longer on the phone, so it cannot be replayed: it was dropped after its retention, or holds
    /// or held a redacted value. Nothing was changed; `send_corrected` sends the values of now.
    #[error("the body of the delivered message of action `{action}` was dropped or redacted")]
    BodyDropped {
        /// Key of the action.
        action: String,
    },
    /// There is no such message.
    #[error("no such message")]
    UnknownDelivery,
    /// There is no such endpoint.
    #[error("no such endpoint: {key}")]
    UnknownEndpoint {
        /// What was asked for.
        key: String,
    },
    /// The endpoint is not acceptable.
    #[error("endpoint: {0}")]
    InvalidEndpoint(#[from] EndpointError),

    // Anything else ----------------------------------------------------------------------------------------------------------------
    /// An argument is not acceptable.
    #[error("{place}: {problem}")]
    InvalidArgument {
        /// Which one.
        place: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
    /// An error in this library. Please report it.
    #[error("internal error: {detail}")]
    Internal {
        /// For the report.
        detail: String,
    },
}

impl Error {
    /// The stable name of this error, for programs. New ones may appear.
    pub fn code(&self) -> &'static str {
        match self {
            Error::AlreadyOpen => "already_open",
            Error::Closed => "closed",
            Error::Reentrant => "reentrant",
            Error::InvalidOption { .. } => "invalid_option",
            Error::CannotOpen { .. } => "cannot_open",
            Error::Locked => "locked",
            Error::DiskFull => "disk_full",
            Error::OutOfMemory => "out_of_memory",
            Error::Corrupt { .. } => "corrupt",
            Error::NotADatabase => "not_a_database",
            Error::NewerSchema { .. } => "newer_schema",
            Error::Io { .. } => "io",
            Error::InvalidWorkflow { .. } => "invalid_workflow",
            Error::WorkflowConflict { .. } => "workflow_conflict",
            Error::UnknownWorkflow { .. } => "unknown_workflow",
            Error::NotStartable { .. } => "not_startable",
            Error::WorkflowInUse { .. } => "workflow_in_use",
            Error::RequiresNewerCore { .. } => "requires_newer_core",
            Error::Authoring(_) => "authoring",
            Error::UnknownSession { .. } => "unknown_session",
            Error::DeletedSession { .. } => "deleted_session",
            Error::Refused(refusal) => refusal.code(),
            Error::CommandIdReused => "command_id_reused",
            Error::NotDeletable { .. } => "not_deletable",
            Error::Undelivered { .. } => "undelivered",
            Error::UnknownAction { .. } => "unknown_action",
            Error::ActionStatus { .. } => "action_status",
            Error::ActionLocked { .. } => "action_locked",
            Error::PayloadTooLarge { .. } => "payload_too_large",
            Error::NothingCorrected { .. } => "nothing_corrected",
            Error::BodyDropped { .. } => "body_dropped",
            Error::UnknownDelivery => "unknown_delivery",
            Error::UnknownEndpoint { .. } => "unknown_endpoint",
            Error::InvalidEndpoint(_) => "invalid_endpoint",
            Error::InvalidArgument { .. } => "invalid_argument",
            Error::Internal { .. } => "internal",
        }
    }

    /// Whether the same call may succeed later without any change to it.
    pub fn retryable(&self) -> bool {
        matches!(self, Error::CannotOpen { .. } | Error::Locked | Error::DiskFull | Error::OutOfMemory | Error::Io { .. })
    }

    /// The place that the error is about, where there is one: a field's key, a visit's number, the name of an argument.
    pub fn place(&self) -> Option<String> {
        match self {
            Error::InvalidOption { place, .. } => Some(place.clone()),
            Error::InvalidArgument { place, .. } => Some((*place).to_owned()),
            Error::InvalidEndpoint(error) => Some(error.place.clone()),
            Error::InvalidWorkflow { findings } | Error::NotStartable { findings, .. } => {
                worst_first(findings).map(|finding| finding.pointer.clone())
            }
            Error::Refused(refusal) => refusal.place(),
            Error::UnknownAction { action }
            | Error::ActionStatus { action, .. }
            | Error::ActionLocked { action, .. }
            | Error::PayloadTooLarge { action, .. }
            | Error::NothingCorrected { action }
            | Error::BodyDropped { action } => Some(action.clone()),
            Error::UnknownEndpoint { key } | Error::UnknownWorkflow { key } => Some(key.clone()),
            _ => None,
        }
    }

    /// What is wrong with the workflow document, when that is the reason.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Error::InvalidWorkflow { findings }
            | Error::NotStartable { findings, .. }
            | Error::Authoring(AuthoringError::Unreadable { findings }) => findings,
            _ => &[],
        }
    }

    /// The fields that are missing or not acceptable, when that is the reason.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Error::Refused(Refusal::Fields { problems }) => problems,
            _ => &[],
        }
    }

    /// How many messages that are neither delivered nor abandoned would be lost, when that is the reason and they can be counted.
    pub fn undelivered(&self) -> Option<u64> {
        match self {
            Error::Undelivered { count } => *count,
            _ => None,
        }
    }
}

fn undelivered(count: &Option<u64>) -> String {
    match count {
        Some(1) => "1 message is".to_owned(),
        Some(count) => format!("{count} messages are"),
        None => "the file is damaged and may hold messages that are".to_owned(),
    }
}

/// The first of the worst findings.
fn worst_first(findings: &[Finding]) -> Option<&Finding> {
    findings.iter().min_by_key(|finding| finding.severity)
}

fn first_error(findings: &[Finding]) -> String {
    worst_first(findings).map(|finding| format!("{} at `{}`", finding.code, finding.pointer)).unwrap_or_default()
}

#[cfg(feature = "uniffi")]
impl From<Error> for crate::model::CoreError {
    fn from(error: Error) -> Self {
        crate::model::CoreError::Failed {
            code: error.code().to_owned(),
            retryable: error.retryable(),
            place: error.place(),
            detail: error.to_string(),
            problems: error.problems().to_vec(),
            findings: error.findings().to_vec(),
            undelivered: error.undelivered(),
        }
    }
}

impl OfOneRow for Error {
    fn is_of_one_row(&self) -> bool {
        // A row that is not found is one to which another row refers.
        let is_missing = matches!(self, Self::UnknownSession { .. } | Self::DeletedSession { .. } | Self::UnknownWorkflow { .. });
        is_missing || matches!(self, Self::Internal { .. } | Self::Corrupt { .. })
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::CannotOpen(detail) => Error::CannotOpen { detail },
            StoreError::Locked => Error::Locked,
            StoreError::Full => Error::DiskFull,
            StoreError::OutOfMemory => Error::OutOfMemory,
            StoreError::Corrupt(detail) | StoreError::Unreadable(detail) => Error::Corrupt { detail },
            StoreError::CorruptEntry(_) => Error::Corrupt { detail: error.to_string() },
            StoreError::Foreign => Error::NotADatabase,
            StoreError::NewerSchema { found, known } => Error::NewerSchema { found, known },
            StoreError::Io(detail) => Error::Io { detail },
            StoreError::NameTaken => Error::InvalidArgument { place: "to", problem: "a file of this name already exists" },
            StoreError::Internal(detail) => Error::Internal { detail },
        }
    }
}

impl From<InvalidPolicy> for Error {
    fn from(error: InvalidPolicy) -> Self {
        Error::InvalidOption { place: format!("retry.{}", error.field), problem: error.problem.to_owned() }
    }
}

#[cfg(feature = "built-in-transport")]
impl From<TransportSetupError> for Error {
    fn from(error: TransportSetupError) -> Self {
        Error::InvalidOption { place: "transport".to_owned(), problem: error.to_string() }
    }
}
