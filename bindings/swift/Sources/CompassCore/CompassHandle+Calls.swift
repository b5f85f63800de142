public import Foundation

/// The calls that write, made from where the caller stands, and what may be left out. `isolation` is always left out: it is what keeps the order.
extension CompassHandle {
    // Workflows ---------------------------------------------------------------------------------------------------------------------------

    /// Imports a workflow document: JSON, format 1. The same document again changes nothing.
    public func importWorkflow(_ document: Data, isolation: isolated (any Actor)? = #isolation) async throws -> ImportOutcome {
        try await importWorkflow(document, on: isolation)
    }

    /// Takes a version out of use, or back into it. Sessions on it go on.
    public func retireWorkflow(
        _ key: String, version: WorkflowVersion, retired: Bool = true, isolation: isolated (any Actor)? = #isolation
    ) async throws {
        try await retireWorkflow(key, version: version, retired: retired, on: isolation)
    }

    /// Removes a version that no session on this phone uses, finished ones included; ``CompassError/Code/workflowInUse`` otherwise. It can be
    /// imported again, also with other content.
    public func forgetWorkflow(_ key: String, version: WorkflowVersion, isolation: isolated (any Actor)? = #isolation) async throws {
        try await forgetWorkflow(key, version: version, on: isolation)
    }

    // Sessions ----------------------------------------------------------------------------------------------------------------------------

    /// Starts a session.
    public func start(_ start: Start, isolation: isolated (any Actor)? = #isolation) async throws -> CommandOutcome {
        try await self.start(start, on: isolation)
    }

    /// Carries out commands in one transaction: all of them, or none; when one is stale, only new notes are kept. With a
    /// `commandId` for all of them, a repeated call changes nothing; without one, the commands that have no id of their own are carried out
    /// again.
    public func run(
        _ commands: [Command], in session: SessionKey, actor: String? = nil, commandId: String? = nil,
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> CommandOutcome {
        try await run(commands, in: session, actor: actor, commandId: commandId, on: isolation)
    }

    /// Keeps what is half typed in a field, also while a record is edited; an empty text forgets it.
    public func saveDraft(_ text: String, field: String, in session: SessionKey, isolation: isolated (any Actor)? = #isolation) async throws {
        try await saveDraft(text, field: field, in: session, on: isolation)
    }

    /// Keeps the half-typed text of a note, until a note is added; an empty text forgets it.
    public func saveNoteDraft(_ text: String, in session: SessionKey, isolation: isolated (any Actor)? = #isolation) async throws {
        try await saveNoteDraft(text, in: session, on: isolation)
    }

    /// One page of the list of sessions, newest first. `page` is the `next` of the page before. A search for text first looks at what changed
    /// since the last one; what it did not come to is in `notIndexed`.
    public func sessions(_ filter: SessionFilter = .all, page: String? = nil, limit: UInt32 = 50) async throws -> SessionPage {
        try await sessions(matching: filter, page: page, limit: limit)
    }

    /// Deletes one finished session whose messages are delivered or given up. Says which files no session refers to any more, and
    /// whether no word of it is left in the file (`now`), or somebody still reads it, so that it is gone after a later write or when the file
    /// is closed or opened again.
    @discardableResult
    public func delete(_ session: SessionKey, isolation: isolated (any Actor)? = #isolation) async throws -> DeleteReport {
        try await delete(session, on: isolation)
    }

    // Endpoints and the integration -------------------------------------------------------------------------------------------------------

    /// Turns the webhooks integration on or off.
    public func setIntegrationEnabled(_ enabled: Bool, isolation: isolated (any Actor)? = #isolation) async throws {
        try await setIntegrationEnabled(enabled, on: isolation)
    }

    /// Registers an endpoint, or changes it.
    public func putEndpoint(_ endpoint: Endpoint, isolation: isolated (any Actor)? = #isolation) async throws {
        try await putEndpoint(endpoint, on: isolation)
    }

    /// Takes an endpoint out of use. What waits for it keeps waiting.
    public func archiveEndpoint(_ key: String, isolation: isolated (any Actor)? = #isolation) async throws {
        try await archiveEndpoint(key, on: isolation)
    }

    /// Enables or disables an endpoint.
    public func setEndpointEnabled(_ key: String, enabled: Bool, isolation: isolated (any Actor)? = #isolation) async throws {
        try await setEndpointEnabled(key, enabled: enabled, on: isolation)
    }

    // Actions and the outbox --------------------------------------------------------------------------------------------------------------

    /// Sends an action that did not fire, or one that failed again with the same bytes.
    public func send(
        _ action: String, in session: SessionKey, actor: String? = nil, commandId: String = newCommandId(),
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> RecordOutcome {
        try await send(action, in: session, actor: actor, commandId: commandId, on: isolation)
    }

    /// Sends a failed action with the edited values, as a new revision.
    public func sendCorrected(
        _ action: String, in session: SessionKey, actor: String? = nil, commandId: String = newCommandId(),
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> RecordOutcome {
        try await sendCorrected(action, in: session, actor: actor, commandId: commandId, on: isolation)
    }

    /// Gives an undelivered message up. Where `inFlight` is true it may arrive all the same: the record tells later.
    public func abandon(
        _ action: String, in session: SessionKey, actor: String, reason: String, commandId: String = newCommandId(),
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> RecordOutcome {
        try await abandon(action, in: session, actor: actor, reason: reason, commandId: commandId, on: isolation)
    }

    /// Gives all undelivered messages of a session up; stale where there is none.
    public func abandonSession(
        _ session: SessionKey, actor: String, reason: String, commandId: String = newCommandId(),
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> RecordOutcome {
        try await abandonSession(session, actor: actor, reason: reason, commandId: commandId, on: isolation)
    }

    /// Takes everything that a field ever held in the session, or a note, out of it for good: out of its record, log, half-typed text, search
    /// and file. That it was redacted stands in its place, which satisfies `required` and is in no message; the record says who did it, when
    /// and why. What is given later starts anew. `reason` stays in the record, so it must not say what is redacted.
    ///
    /// Frozen messages do not change: `pending` says what becomes of those that hold it and are not delivered, `bodies` of those that are.
    /// Bodies that hold it still are in the outcome, and the record names them until they go; what was given up and holds it is not sent
    /// again, only corrected. Stale where there is nothing to redact.
    /// `RedactPending.correct` is refused as ``CompassError/Code/notSupported`` for now.
    public func redact(
        _ target: RedactionTarget, in session: SessionKey, actor: String, reason: String, pending: RedactPending, bodies: RedactBodies,
        commandId: String = newCommandId(), isolation: isolated (any Actor)? = #isolation
    ) async throws -> RedactOutcome {
        try await redact(
            target, in: session, actor: actor, reason: reason, pending: pending, bodies: bodies, commandId: commandId, on: isolation)
    }

    /// Sends everything that failed and can be sent again; gives how many.
    public func sendFailedAgain(actor: String? = nil, isolation: isolated (any Actor)? = #isolation) async throws -> UInt32 {
        try await sendFailedAgain(actor: actor, on: isolation)
    }

    /// Sends everything that did not fire because the integration was off, with the values as they are now; gives how many. What is larger than a
    /// message may be stays. ``CompassHandle/outboxTotals()`` counts them.
    public func sendNotFired(
        _ filter: NotFiredFilter = NotFiredFilter(), actor: String? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws -> UInt32 {
        try await sendNotFired(matching: filter, actor: actor, on: isolation)
    }

    /// One page of the outbox, oldest first. `page` is the `next` of the page before.
    public func outbox(_ filter: OutboxFilter = .unsent, page: String? = nil, limit: UInt32 = 50) async throws -> OutboxPage {
        try await outbox(matching: filter, page: page, limit: limit)
    }

    // Delivery ----------------------------------------------------------------------------------------------------------------------------

    /// The app has stored, changed or removed secrets.
    public func secretsChanged(isolation: isolated (any Actor)? = #isolation) async throws {
        try await secretsChanged(on: isolation)
    }

    /// What the app knows of the network; ``ConnectivityMonitor`` says it by itself.
    public func setConnectivity(_ connectivity: Connectivity, isolation: isolated (any Actor)? = #isolation) async throws {
        try await setConnectivity(connectivity, on: isolation)
    }

    // The life of the handle --------------------------------------------------------------------------------------------------------------

    /// Removes finished sessions older than this whose messages are delivered or given up; those with an action that did not fire because the
    /// integration was off stay, if it was ever on. Time is counted by the age of the database, which a clock that is set wrong does not
    /// change.
    /// Says which files no session refers to any more; where it ends in an error, they are those that ``files()`` does not list.
    public func purge(olderThan age: Duration, isolation: isolated (any Actor)? = #isolation) async throws -> PurgeReport {
        try await purge(olderThan: age, on: isolation)
    }

    /// A person removes all sessions that finished before this moment of the wall clock and whose messages are delivered or given up. Unlike
    /// `purge` it takes those with an action that did not fire because the integration was off, too: what they would have sent is gone, so
    /// say so before you ask.
    public func purgeAllBefore(_ time: Date, actor: String, isolation: isolated (any Actor)? = #isolation) async throws -> PurgeReport {
        try await purgeAllBefore(time, actor: actor, on: isolation)
    }

    /// Closes the file after the writes that were called before; a running `flush` ends, and every sequence completes. What is called later is
    /// refused with ``CompassError/Code/closed``, or opens the database anew where the handle is a lazy one (``Compass/lazy(_:)``).
    /// Again does nothing. Also for a task that is cancelled already.
    public func close(isolation: isolated (any Actor)? = #isolation) async throws {
        try await close(on: isolation)
    }

    // What changes ------------------------------------------------------------------------------------------------------------------------

    /// The first page of the list of sessions, again after each change.
    public func observeSessions(_ filter: SessionFilter = .all, limit: UInt32 = 50) -> Updates<SessionPage> {
        observeSessions(matching: filter, limit: limit)
    }

    /// The first page of the outbox, again after each change.
    public func observeOutbox(_ filter: OutboxFilter = .unsent, limit: UInt32 = 50) -> Updates<OutboxPage> {
        observeOutbox(matching: filter, limit: limit)
    }

    // Left out -------------------------------------------------------------------------------------------------------------------------

    /// A workflow, in its current version.
    public func workflow(_ key: String) async throws -> Workflow { try await workflow(key, version: nil) }

    /// A workflow in this very version: the one that a session began with, for instance.
    public func workflow(_ exact: WorkflowRef) async throws -> Workflow {
        try await workflow(exact.key, version: WorkflowVersion(version: exact.version, localRevision: exact.localRevision))
    }

    /// The bytes of a document as they were imported, in its current version.
    public func workflowDocument(_ key: String) async throws -> Data { try await workflowDocument(key, version: nil) }
}
