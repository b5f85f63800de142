//! The handle.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use compass_core::document::{self, Authored};
use compass_core::model::*;
use compass_core::port::{Clock, SystemClock};
use compass_core::{Compass, Error, Refusal, RetryPolicy};

use crate::guard::guard;
use crate::listener::{ChangeListener, Subscription, observer};
use crate::{Cancel, DiscardUndelivered, Hold, OpenOptions, RestoreOptions};

uniffi::use_remote_type!(compass_core::Timestamp);

type Result<T> = std::result::Result<T, CoreError>;

/// An open database: the methods of the core's `Compass`, which describes their rules and errors.
///
/// One per file and process, shared by all threads. Every call blocks.
#[derive(uniffi::Object)]
pub struct Core(Compass);

/// A changed document.
#[derive(uniffi::Record)]
pub struct AuthoredDocument {
    /// The new document.
    pub document: Vec<u8>,
    /// All findings about it; an error among them means that it would not be imported.
    pub findings: Vec<Finding>,
}

impl From<Authored> for AuthoredDocument {
    fn from(authored: Authored) -> Self {
        Self { document: authored.document, findings: authored.findings }
    }
}

#[uniffi::export]
impl Core {
    /// Opens or creates the database. Nothing runs in the background until the app starts it.
    #[uniffi::constructor]
    pub fn open(options: OpenOptions) -> Result<Self> {
        guard(|| Compass::open(options.into_core()?).map(Self))
    }

    /// Delivers due messages until there are no more, this many milliseconds have passed, or `cancel` is cancelled. `urgent` when a person
    /// asks for it.
    #[uniffi::method(default(urgent = false))]
    pub fn flush(&self, deadline_ms: u64, cancel: &Cancel, urgent: bool) -> Result<FlushReport> {
        let deadline = Duration::from_millis(deadline_ms);
        guard(|| if urgent { self.0.flush_urgent(deadline, &cancel.0) } else { self.0.flush(deadline, &cancel.0) })
    }

    /// Reports what the app knows of the network. Not stored.
    pub fn set_connectivity(&self, connectivity: Connectivity) -> Result<()> {
        guard(|| {
            self.0.set_connectivity(connectivity);
            Ok(())
        })
    }

    /// The app is in the foreground again, or a background job begins. When the last hold is released, the handle quiesces.
    pub fn resume(&self) -> Result<Hold> {
        guard(|| self.0.resume().map(Hold::new))
    }

    /// Deletes finished sessions that are older than this, in milliseconds, and whose messages are delivered or abandoned. Sessions with an
    /// action that did not fire because the integration was off stay, if it was ever on. Time is counted by the age of the database, which
    /// a wrong clock of the phone does not change.
    pub fn purge(&self, older_than_ms: u64) -> Result<PurgeReport> {
        guard(|| self.0.purge(Duration::from_millis(older_than_ms)))
    }

    /// Deletes, for a person, all sessions that finished before this moment of the wall clock and whose messages are delivered or
    /// abandoned; unlike `purge` also those with an action that did not fire because the integration was off.
    pub fn purge_all_before(&self, time: Timestamp, actor: String) -> Result<PurgeReport> {
        guard(|| self.0.purge_all_before(time, &actor))
    }

    /// Writes a copy of the database to a file that does not exist yet.
    pub fn backup(&self, to: String) -> Result<()> {
        guard(|| self.0.backup(Path::new(&to)))
    }

    /// Notifies a listener of each change, until the subscription is cancelled.
    pub fn observe(&self, listener: Arc<dyn ChangeListener>) -> Result<Subscription> {
        guard(|| Ok(Subscription::new(self.0.observe(observer(listener)))))
    }
}

/// Workflows.
#[uniffi::export]
impl Core {
    /// Imports a workflow document: JSON, format 1. Importing the same document again changes nothing.
    pub fn import_workflow(&self, document: Vec<u8>) -> Result<ImportOutcome> {
        guard(|| self.0.import_workflow(&document))
    }

    /// All findings about a document, also about the endpoints that it names, without importing it.
    pub fn lint_workflow(&self, document: Vec<u8>) -> Result<Vec<Finding>> {
        guard(|| self.0.lint_workflow(&document))
    }

    /// All versions of workflows on this phone.
    pub fn workflows(&self) -> Result<Vec<WorkflowSummary>> {
        guard(|| self.0.workflows())
    }

    /// A workflow; its current version when none is named.
    pub fn workflow(&self, key: String, version: Option<WorkflowVersion>) -> Result<Workflow> {
        guard(|| self.0.workflow(&key, version))
    }

    /// The bytes of a document as they were imported.
    pub fn workflow_document(&self, key: String, version: Option<WorkflowVersion>) -> Result<Vec<u8>> {
        guard(|| self.0.workflow_document(&key, version))
    }

    /// Removes a version that no session uses.
    pub fn forget_workflow(&self, key: String, version: WorkflowVersion) -> Result<()> {
        guard(|| self.0.forget_workflow(&key, version))
    }

    /// Takes a version out of use, or brings it back. Its sessions go on.
    pub fn retire_workflow(&self, key: String, version: WorkflowVersion, retired: bool) -> Result<()> {
        guard(|| self.0.retire_workflow(&key, version, retired))
    }
}

/// Sessions.
#[uniffi::export]
impl Core {
    /// Starts a session.
    pub fn start(&self, start: Start) -> Result<CommandOutcome> {
        guard(|| self.0.start(&start))
    }

    /// Carries out commands in one transaction: all of them, or none. When one is stale, only new notes are kept. With one id for all
    /// commands, a repeated call changes nothing.
    #[uniffi::method(default(command_id = None))]
    pub fn run(
        &self,
        session: SessionKey,
        actor: Option<String>,
        commands: Vec<Command>,
        command_id: Option<String>,
    ) -> Result<CommandOutcome> {
        guard(|| self.0.run(session, actor.as_deref(), &commands, command_id.as_deref()))
    }

    /// Keeps the half-typed text of a field, also while a record is edited; an empty text removes it.
    pub fn save_draft(&self, session: SessionKey, field: String, text: String) -> Result<()> {
        guard(|| self.0.save_draft(session, &field, &text))
    }

    /// Keeps the half-typed text of a note, until a note is added; an empty text removes it. Observers are not notified.
    pub fn save_note_draft(&self, session: SessionKey, text: String) -> Result<()> {
        guard(|| self.0.save_note_draft(session, &text))
    }

    /// The session as its screen shows it.
    pub fn session(&self, session: SessionKey) -> Result<SessionView> {
        guard(|| self.0.session(session))
    }

    /// One page of the list of sessions.
    pub fn sessions(&self, filter: SessionFilter, page: Option<String>, limit: u32) -> Result<SessionPage> {
        guard(|| self.0.sessions(&filter, page.as_deref(), limit))
    }

    /// The record of a session.
    pub fn record(&self, session: SessionKey) -> Result<SessionRecord> {
        guard(|| self.0.record(session))
    }

    /// Totals over the sessions on this phone.
    pub fn totals(&self) -> Result<Totals> {
        guard(|| self.0.totals())
    }
}

/// Endpoints and the integration.
#[uniffi::export]
impl Core {
    /// Turns the webhooks integration on or off.
    pub fn set_integration_enabled(&self, enabled: bool) -> Result<()> {
        guard(|| self.0.set_integration_enabled(enabled))
    }

    /// Whether the webhooks integration is on.
    pub fn integration_enabled(&self) -> Result<bool> {
        guard(|| self.0.integration_enabled())
    }

    /// Registers an endpoint, or changes it.
    pub fn put_endpoint(&self, endpoint: Endpoint) -> Result<()> {
        guard(|| self.0.put_endpoint(&endpoint))
    }

    /// Takes an endpoint out of use. Messages that wait for it keep waiting.
    pub fn archive_endpoint(&self, key: String) -> Result<()> {
        guard(|| self.0.archive_endpoint(&key))
    }

    /// Enables or disables an endpoint.
    pub fn set_endpoint_enabled(&self, key: String, enabled: bool) -> Result<()> {
        guard(|| self.0.set_endpoint_enabled(&key, enabled))
    }

    /// All endpoints with their status, sorted by key.
    pub fn endpoints(&self) -> Result<Vec<EndpointStatus>> {
        guard(|| self.0.endpoints())
    }

    /// Sends a small test message to an endpoint at once, on this thread.
    pub fn test_delivery(&self, key: String) -> Result<TestDelivery> {
        guard(|| self.0.test_delivery(&key))
    }
}

/// Actions and the outbox.
#[uniffi::export]
impl Core {
    /// Sends an action that did not fire, or sends a failed action again with the same bytes.
    pub fn send(&self, session: SessionKey, action: String, actor: Option<String>, command_id: String) -> Result<RecordOutcome> {
        guard(|| self.0.send(session, &action, actor.as_deref(), &command_id))
    }

    /// Sends the edited values of a pending, sent or failed action as a new revision. An earlier revision that is not sent is superseded.
    /// Refused with `nothing_corrected` where the bytes are those of the newest revision.
    pub fn send_corrected(&self, session: SessionKey, action: String, actor: Option<String>, command_id: String) -> Result<RecordOutcome> {
        guard(|| self.0.send_corrected(session, &action, actor.as_deref(), &command_id))
    }

    /// Abandons an undelivered message.
    pub fn abandon(&self, session: SessionKey, action: String, actor: String, reason: String, command_id: String) -> Result<RecordOutcome> {
        guard(|| self.0.abandon(session, &action, &actor, &reason, &command_id))
    }

    /// Abandons all undelivered messages of a session.
    pub fn abandon_session(&self, session: SessionKey, actor: String, reason: String, command_id: String) -> Result<RecordOutcome> {
        guard(|| self.0.abandon_session(session, &actor, &reason, &command_id))
    }

    /// Removes everything that a field ever held in a session, or a note, for good.
    pub fn redact(&self, session: SessionKey, redaction: Redaction) -> Result<RedactOutcome> {
        guard(|| self.0.redact(session, &redaction))
    }

    /// Sends all failed actions again that can be sent again; returns how many.
    pub fn send_failed_again(&self, actor: Option<String>) -> Result<u32> {
        guard(|| self.0.send_failed_again(actor.as_deref()))
    }

    /// Sends all actions that did not fire because the integration was off; returns how many. Refused with `unknown_endpoint` where the filter
    /// has a key that no endpoint, message or action of the file has.
    pub fn send_not_fired(&self, filter: NotFiredFilter, actor: Option<String>) -> Result<u32> {
        guard(|| self.0.send_not_fired(&filter, actor.as_deref()))
    }

    /// Sends the newest delivered message of an action once more, with the same id and bytes.
    pub fn replay(&self, session: SessionKey, action: String, actor: Option<String>, command_id: String) -> Result<RecordOutcome> {
        guard(|| self.0.replay(session, &action, actor.as_deref(), &command_id))
    }

    /// The same for every action of a session.
    pub fn replay_session(&self, session: SessionKey, actor: Option<String>, command_id: String) -> Result<RecordOutcome> {
        guard(|| self.0.replay_session(session, actor.as_deref(), &command_id))
    }

    /// The same for the delivered messages of an endpoint, at most 1,000 in a call. Refused with `unknown_endpoint` for a key that no
    /// endpoint, message or action of the file has.
    pub fn replay_sent(&self, filter: ReplayFilter, actor: Option<String>, page: Option<String>) -> Result<ReplayReport> {
        guard(|| self.0.replay_sent(&filter, actor.as_deref(), page.as_deref()))
    }

    /// One page of the outbox. A key that no endpoint has gives an empty page.
    pub fn outbox(&self, filter: OutboxFilter, page: Option<String>, limit: u32) -> Result<OutboxPage> {
        guard(|| self.0.outbox(&filter, page.as_deref(), limit))
    }

    /// The outbox in numbers.
    pub fn outbox_totals(&self) -> Result<OutboxTotals> {
        guard(|| self.0.outbox_totals())
    }

    /// The message that an action would send now.
    pub fn preview(&self, session: SessionKey, action: String) -> Result<MessagePreview> {
        guard(|| self.0.preview(session, &action))
    }

    /// The frozen body of a message; none after it was removed.
    pub fn delivery_body(&self, id: DeliveryId) -> Result<Option<String>> {
        guard(|| self.0.delivery_body(&id))
    }
}

/// Delivery and the life of the handle.
#[uniffi::export]
impl Core {
    /// Delivers in the background until `stop_delivery`, `quiesce` or `close`.
    pub fn start_delivery(&self) -> Result<()> {
        guard(|| self.0.start_delivery())
    }

    /// Ends the delivery that `start_delivery` began.
    pub fn stop_delivery(&self) -> Result<()> {
        guard(|| self.0.stop_delivery())
    }

    /// When `flush` will have something to do.
    pub fn next_due(&self) -> Result<NextDue> {
        guard(|| self.0.next_due())
    }

    /// The app has stored, changed or removed secrets: messages that waited for one are tried again.
    pub fn secrets_changed(&self) -> Result<()> {
        guard(|| self.0.secrets_changed())
    }

    /// The app is about to be suspended: within two seconds no attempt runs and no file lock is left.
    pub fn quiesce(&self) -> Result<()> {
        guard(|| self.0.quiesce())
    }

    /// Checks whether another process has changed the database, and notifies the listeners if so.
    pub fn refresh(&self) -> Result<bool> {
        guard(|| self.0.refresh())
    }

    /// The files that sessions refer to, by the hash of their bytes.
    pub fn files(&self) -> Result<Vec<String>> {
        guard(|| self.0.files())
    }

    /// Deletes one finished session whose messages are delivered or abandoned. The report says whether it is gone from the file.
    pub fn delete(&self, session: SessionKey) -> Result<DeleteReport> {
        guard(|| self.0.delete(session))
    }

    /// Checks the whole database: the file, and all its data against the event log.
    pub fn check(&self) -> Result<CheckReport> {
        guard(|| self.0.check())
    }

    /// Waits for running calls, ends delivery and closes the file. Closing again does nothing. This is the core's `close`; generated
    /// objects have a method of that name already, which only frees them.
    pub fn shut_down(&self) -> Result<()> {
        guard(|| self.0.close())
    }
}

/// Replaces a database that no handle has open with a copy that `backup` made. The database may be damaged or missing.
#[uniffi::export]
pub fn restore(from: String, options: RestoreOptions) -> Result<()> {
    guard(|| Compass::restore(&from, &options.into_core()))
}

/// Removes a database that no handle has open, and all files beside it.
#[uniffi::export(default(discard_undelivered = None))]
pub fn erase(path: String, discard_undelivered: Option<DiscardUndelivered>) -> Result<()> {
    guard(|| Compass::erase(&path, discard_undelivered.map(DiscardUndelivered::into_core).as_ref()))
}

/// Writes what can still be read of a database to a new file, as JSON Lines, messages that are neither delivered nor abandoned first. This
/// also works when the database does not open.
#[uniffi::export]
pub fn salvage(path: String, to: String) -> Result<SalvageReport> {
    guard(|| Compass::salvage(&path, &to))
}

/// The version of the core.
#[uniffi::export]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// When to try again and when to stop, by default.
#[uniffi::export]
pub fn default_retry_policy() -> RetryPolicy {
    RetryPolicy::default()
}

/// All findings about a document, without a database. When the keys of endpoints are given, endpoints that the document names and that are
/// not among them are reported.
#[uniffi::export]
pub fn lint_document(document: Vec<u8>, endpoints: Option<Vec<String>>) -> Result<Vec<Finding>> {
    guard(|| Ok(document::lint(&document, endpoints.as_deref())))
}

/// Reads what a person typed for a field and validates it; an empty text is "empty". A problem is the error of a refused field.
#[uniffi::export]
pub fn parse_value(definition: FieldDefinition, text: String) -> Result<FieldState> {
    guard(|| {
        let now = SystemClock::default().now();
        compass_core::parse_value(&definition, &text, now).map_err(|problem| Error::Refused(Refusal::Fields { problems: vec![problem] }))
    })
}

/// The text that a person would type for the value of a field: `parse_value` reads it to the same value again. Empty when there is no
/// value, and for a file.
#[uniffi::export]
pub fn typed_text(state: FieldState) -> String {
    compass_core::typed_text(&state)
}

/// Adds an action to a section of a document. The result has the next local revision.
#[uniffi::export]
pub fn add_action(document: Vec<u8>, section: String, action: ActionDefinition) -> Result<AuthoredDocument> {
    guard(|| Ok(document::add_action(&document, &section, &action)?.into()))
}

/// Replaces an action of a section of a document.
#[uniffi::export]
pub fn replace_action(document: Vec<u8>, section: String, key: String, action: ActionDefinition) -> Result<AuthoredDocument> {
    guard(|| Ok(document::replace_action(&document, &section, &key, &action)?.into()))
}

/// Removes an action from a section of a document.
#[uniffi::export]
pub fn remove_action(document: Vec<u8>, section: String, key: String) -> Result<AuthoredDocument> {
    guard(|| Ok(document::remove_action(&document, &section, &key)?.into()))
}
