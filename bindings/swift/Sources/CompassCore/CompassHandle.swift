public import Foundation

/// What an open database can do. ``Compass`` is the real one; tests of an app may use `FakeCompass` of `CompassCoreTesting` instead.
///
/// Every function is safe to call from any task: none blocks the main actor or Swift's cooperative pool. A command that has begun runs to
/// its commit; cancelling the task drops only its result, as a `CancellationError`. All other errors are ``CompassError``.
///
/// ```swift
/// @MainActor final class SessionModel {
///     let compass: any CompassHandle
///     init(compass: any CompassHandle) { self.compass = compass }
/// }
/// ```
public protocol CompassHandle: AnyObject, Sendable {
    // Workflows ------------------------------------------------------------------------------------------------------------------------

    /// Imports a workflow document: JSON, format 1. The same document again changes nothing.
    func importWorkflow(_ document: Data) async throws -> ImportOutcome
    /// All versions on this phone.
    func workflows() async throws -> [WorkflowSummary]
    /// A workflow; the current version when none is named.
    func workflow(_ key: String, version: WorkflowVersion?) async throws -> Workflow
    /// The bytes of a document as they were imported.
    func workflowDocument(_ key: String, version: WorkflowVersion?) async throws -> Data
    /// Everything that is wrong with a document, endpoints of this phone included, without importing it.
    func lintWorkflow(_ document: Data) async throws -> [Finding]
    /// Takes a version out of use, or back into it. Sessions on it go on.
    func retireWorkflow(_ key: String, version: WorkflowVersion, retired: Bool) async throws
    /// Removes a version that no session on this phone uses, finished ones included; ``CompassError/Code/workflowInUse`` otherwise. It can be
    /// imported again, also with other content.
    func forgetWorkflow(_ key: String, version: WorkflowVersion) async throws

    // Sessions -------------------------------------------------------------------------------------------------------------------------

    /// Starts a session.
    func start(_ start: Start) async throws -> CommandOutcome
    /// Carries out commands in one transaction: all of them, or none; when one is stale, only new notes are kept. With a
    /// `commandId` for all of them, a repeated call changes nothing; without one, the commands that have no id of their own are carried out
    /// again.
    func run(_ commands: [Command], in session: SessionKey, actor: String?, commandId: String?) async throws -> CommandOutcome
    /// Keeps what is half typed in a field, also while a record is edited; an empty text forgets it.
    func saveDraft(_ text: String, field: String, in session: SessionKey) async throws
    /// Keeps the half-typed text of a note, until a note is added; an empty text forgets it.
    func saveNoteDraft(_ text: String, in session: SessionKey) async throws
    /// The session as its screen shows it.
    func session(_ session: SessionKey) async throws -> SessionView
    /// One page of the list of sessions, newest first. `page` is the `next` of the page before. A search for text first looks at what changed
    /// since the last one; what it did not come to is in `notIndexed`.
    func sessions(_ filter: SessionFilter, page: String?, limit: UInt32) async throws -> SessionPage
    /// The record of a session.
    func record(_ session: SessionKey) async throws -> SessionRecord
    /// Totals over the sessions on this phone.
    func totals() async throws -> Totals
    /// Deletes one finished session whose messages are delivered or given up. Says which files no session refers to any more, and
    /// whether no word of it is left in the file (`now`), or somebody still reads it, so that it is gone after a later write or when the file
    /// is closed or opened again.
    @discardableResult
    func delete(_ session: SessionKey) async throws -> DeleteReport
    /// The files that sessions on this phone refer to, by the hash of their bytes: those of attachments and signatures, in order. Also files
    /// that an edit has taken out of a record, which keeps them, and those that a message names that a redaction kept, until it is delivered
    /// or given up. The app may remove every other file that it kept for this database.
    func files() async throws -> [String]

    // Endpoints and the integration ------------------------------------------------------------------------------------------------------

    /// Turns the webhooks integration on or off.
    func setIntegrationEnabled(_ enabled: Bool) async throws
    /// Whether the webhooks integration is on.
    func integrationEnabled() async throws -> Bool
    /// Registers an endpoint, or changes it.
    func putEndpoint(_ endpoint: Endpoint) async throws
    /// Takes an endpoint out of use. What waits for it keeps waiting.
    func archiveEndpoint(_ key: String) async throws
    /// Enables or disables an endpoint.
    func setEndpointEnabled(_ key: String, enabled: Bool) async throws
    /// All endpoints, by key, with how they stand.
    func endpoints() async throws -> [EndpointStatus]
    /// Sends a small test message to an endpoint, now.
    func testDelivery(_ endpoint: String) async throws -> TestDelivery

    // Actions and the outbox -------------------------------------------------------------------------------------------------------------

    /// Sends an action that did not fire, or one that failed again with the same bytes.
    func send(_ action: String, in session: SessionKey, actor: String?, commandId: String) async throws -> RecordOutcome
    /// Sends a failed action with the edited values, as a new revision.
    func sendCorrected(_ action: String, in session: SessionKey, actor: String?, commandId: String) async throws -> RecordOutcome
    /// Gives an undelivered message up. Where `inFlight` is true it may arrive all the same: the record tells later.
    func abandon(_ action: String, in session: SessionKey, actor: String, reason: String, commandId: String) async throws -> RecordOutcome
    /// Gives all undelivered messages of a session up; stale where there is none.
    func abandonSession(_ session: SessionKey, actor: String, reason: String, commandId: String) async throws -> RecordOutcome
    /// Takes everything that a field ever held in the session, or a note, out of it for good: out of its record, log, half-typed text, search
    /// and file. That it was redacted stands in its place, which satisfies `required` and is in no message; the record says who did it, when
    /// and why. What is given later starts anew. `reason` stays in the record, so it must not say what is redacted.
    ///
    /// Frozen messages do not change: `pending` says what becomes of those that hold it and are not delivered, `bodies` of those that are.
    /// Bodies that hold it still are in the outcome, and the record names them until they go; what was given up and holds it is not sent
    /// again, only corrected. Stale where there is nothing to redact.
    /// `RedactPending.correct` is refused as ``CompassError/Code/notSupported`` for now.
    func redact(
        _ target: RedactionTarget, in session: SessionKey, actor: String, reason: String, pending: RedactPending, bodies: RedactBodies,
        commandId: String
    ) async throws -> RedactOutcome
    /// Sends everything that failed and can be sent again; gives how many.
    func sendFailedAgain(actor: String?) async throws -> UInt32
    /// One page of the outbox, oldest first. `page` is the `next` of the page before.
    func outbox(_ filter: OutboxFilter, page: String?, limit: UInt32) async throws -> OutboxPage
    /// What is in the outbox.
    func outboxTotals() async throws -> OutboxTotals
    /// The message that an action would send now.
    func preview(_ action: String, in session: SessionKey) async throws -> MessagePreview
    /// The frozen body of a message; none once it was given back.
    func deliveryBody(_ id: DeliveryId) async throws -> String?

    // Delivery ---------------------------------------------------------------------------------------------------------------------------

    /// Delivers what is due, until nothing is, or the deadline. Cancelling the task gives up the running attempts, returns what they had
    /// claimed, and throws `CancellationError`.
    ///
    /// - Parameter urgent: A person asks for it: for each endpoint one attempt a minute is made although a pause is not over, or the app has
    ///   said that there is no network. What needs a person waits all the same.
    func flush(deadline: Duration, urgent: Bool) async throws -> FlushReport
    /// Delivers in the background until `stopDelivery`, `quiesce` or `close`.
    func startDelivery() async throws
    /// Ends what `startDelivery` began.
    func stopDelivery() async throws
    /// When `flush` will have something to do.
    func nextDue() async throws -> NextDue
    /// The app has stored, changed or removed secrets.
    func secretsChanged() async throws
    /// What the app knows of the network; ``ConnectivityMonitor`` says it by itself.
    func setConnectivity(_ connectivity: Connectivity) async throws

    // The life of the handle -------------------------------------------------------------------------------------------------------------

    /// The app is in the foreground, or a background job begins. Undone when the last hold is released.
    func resume() async throws -> Hold
    /// The app is about to be suspended: within two seconds no attempt runs and no file lock is left.
    func quiesce() async throws
    /// Looks whether another process has changed the database; true if so. Sequences then ask again.
    func refresh() async throws -> Bool
    /// Removes finished sessions older than this whose messages are delivered or given up; those with an action that did not fire because the
    /// integration was off stay, if it was ever on. Time is counted by the age of the database, which a clock that is set wrong does not
    /// change.
    /// Says which files no session refers to any more; where it ends in an error, they are those that ``files()`` does not list.
    func purge(olderThan age: Duration) async throws -> PurgeReport
    /// A person removes all sessions that finished before this moment of the wall clock and whose messages are delivered or given up. Unlike
    /// ``purge(olderThan:)`` it takes those with an action that did not fire because the integration was off, too: what they would have sent is
    /// gone, so say so before you ask.
    func purgeAllBefore(_ time: Date, actor: String) async throws -> PurgeReport
    /// Writes a copy of the database to a file that is not there yet; ``Compass/restore(from:options:)`` puts it back. As the database of
    /// ``DatabaseFolder``, the copy can be read from the first unlock on (iOS) and is left out of the system's own backups (Apple's
    /// platforms), wherever it lies; who moves or copies it elsewhere decides anew.
    func backup(to file: URL) async throws
    /// Checks the whole file against the log.
    func check() async throws -> CheckReport
    /// Waits for running calls, ends delivery, closes the file and completes every sequence. Again does nothing.
    func close() async throws

    // What changes -----------------------------------------------------------------------------------------------------------------------

    /// A session as its screen shows it, again after each change.
    func observeSession(_ session: SessionKey) -> Updates<SessionView>
    /// The first page of the list of sessions, again after each change.
    func observeSessions(_ filter: SessionFilter, limit: UInt32) -> Updates<SessionPage>
    /// The record of a session, again after each change.
    func observeRecord(_ session: SessionKey) -> Updates<SessionRecord>
    /// Totals over the sessions, again after each change.
    func observeTotals() -> Updates<Totals>
    /// The first page of the outbox, again after each change.
    func observeOutbox(_ filter: OutboxFilter, limit: UInt32) -> Updates<OutboxPage>
    /// What is in the outbox, again after each change.
    func observeOutboxTotals() -> Updates<OutboxTotals>
    /// The endpoints and how their delivery stands, again after each change.
    func observeEndpoints() -> Updates<[EndpointStatus]>
    /// Whether the webhooks integration is on, again after each change.
    func observeIntegration() -> Updates<Bool>
    /// All versions of workflows on this phone, again after each change.
    func observeWorkflows() -> Updates<[WorkflowSummary]>
    /// When delivery has something to do next, again after each change in the database: for a scheduler. Time alone gives nothing.
    func observeNextDue() -> Updates<NextDue>
}
