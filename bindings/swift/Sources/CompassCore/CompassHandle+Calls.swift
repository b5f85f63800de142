public import Foundation

/// The calls of ``CompassHandle`` with default arguments. Never pass `isolation`: its default is the caller's actor, which keeps the order.
extension CompassHandle {
    // Workflows ---------------------------------------------------------------------------------------------------------------------------

    /// Imports a workflow document: JSON, format 1. Importing the same document again changes nothing.
    public func importWorkflow(_ document: Data, isolation: isolated (any Actor)? = #isolation) async throws -> ImportOutcome {
        try await importWorkflow(document, on: isolation)
    }

    /// Takes a version out of use, or brings it back. Its sessions go on.
    public func retireWorkflow(
        _ key: String, version: WorkflowVersion, retired: Bool = true, isolation: isolated (any Actor)? = #isolation
    ) async throws {
        try await retireWorkflow(key, version: version, retired: retired, on: isolation)
    }

    /// Removes a version that no session on this phone uses, not even a finished one; ``CompassError/Code/workflowInUse`` otherwise. It can
    /// be imported again, also with other content.
    public func forgetWorkflow(_ key: String, version: WorkflowVersion, isolation: isolated (any Actor)? = #isolation) async throws {
        try await forgetWorkflow(key, version: version, on: isolation)
    }

    // Sessions ----------------------------------------------------------------------------------------------------------------------------

    /// Starts a session. The other `start` takes the parts of ``Start`` as arguments.
    public func start(_ start: Start, isolation: isolated (any Actor)? = #isolation) async throws -> CommandOutcome {
        try await self.start(start, on: isolation)
    }

    /// Carries out commands in one transaction: all of them, or none. When one is stale, only new notes are kept. With one `commandId` for
    /// all commands, a repeated call changes nothing; without it, commands that have no id of their own are carried out again.
    public func run(
        _ commands: [Command], in session: SessionKey, actor: String? = nil, commandId: String? = nil,
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> CommandOutcome {
        try await run(commands, in: session, actor: actor, commandId: commandId, on: isolation)
    }

    /// Keeps the half-typed text of a field, at most 256 KiB, also while a record is edited; an empty text removes it. It is never validated
    /// or sent, stops no answer and no completing, and the sequences give no value because of it. Setting or clearing the field removes it,
    /// and so does the end of the session: before `complete`, show what `record` has as `draft` in its fields.
    public func saveDraft(_ field: String, text: String, in session: SessionKey, isolation: isolated (any Actor)? = #isolation) async throws {
        try await saveDraft(field, text: text, in: session, on: isolation)
    }

    /// Keeps the half-typed text of a note, until a note is added or the session is over; an empty text removes it. The sequences give no
    /// value because of it.
    public func saveNoteDraft(_ text: String, in session: SessionKey, isolation: isolated (any Actor)? = #isolation) async throws {
        try await saveNoteDraft(text, in: session, on: isolation)
    }

    /// One page of the list of sessions, newest first. `page` is the `next` of the page before; `limit` is from 1 to 500
    /// (``CompassError/Code/invalidArgument`` otherwise). A search for text first reads the sessions that changed since the last search;
    /// `notIndexed` is the number of those that it did not reach.
    public func sessions(_ filter: SessionFilter = SessionFilter(), page: String? = nil, limit: UInt32 = 50) async throws -> SessionPage {
        try await sessions(matching: filter, page: page, limit: limit)
    }

    /// Deletes one finished session whose messages are delivered or abandoned; ``CompassError/Code/undelivered`` otherwise, and
    /// `not_deletable` while it is in progress. The report lists the files that no session refers to any
    /// more. It also says whether the session is already gone from the database file (`now`), or goes after a later write or when the file
    /// is closed or opened again, because somebody still reads it.
    @discardableResult
    public func delete(_ session: SessionKey, isolation: isolated (any Actor)? = #isolation) async throws -> DeleteReport {
        try await delete(session, on: isolation)
    }

    // Endpoints and the integration -------------------------------------------------------------------------------------------------------

    /// Turns the webhooks integration on or off. It is off until it is turned on.
    public func setIntegrationEnabled(_ enabled: Bool, isolation: isolated (any Actor)? = #isolation) async throws {
        try await setIntegrationEnabled(enabled, on: isolation)
    }

    /// Registers an endpoint, or changes it.
    public func putEndpoint(_ endpoint: Endpoint, isolation: isolated (any Actor)? = #isolation) async throws {
        try await putEndpoint(endpoint, on: isolation)
    }

    /// Takes an endpoint out of use. Messages that wait for it keep waiting.
    public func archiveEndpoint(_ key: String, isolation: isolated (any Actor)? = #isolation) async throws {
        try await archiveEndpoint(key, on: isolation)
    }

    /// Enables or disables an endpoint.
    public func setEndpointEnabled(_ key: String, enabled: Bool, isolation: isolated (any Actor)? = #isolation) async throws {
        try await setEndpointEnabled(key, enabled: enabled, on: isolation)
    }

    // Actions and the outbox --------------------------------------------------------------------------------------------------------------

    /// Sends an action that did not fire, or sends a failed action again with the same bytes.
    public func send(
        _ action: String, in session: SessionKey, actor: String? = nil, commandId: String = newCommandId(),
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> RecordOutcome {
        try await send(action, in: session, actor: actor, commandId: commandId, on: isolation)
    }

    /// Sends the edited values of a pending, sent or failed action as a new revision. An earlier revision that is not sent is superseded.
    /// Refused with `nothing_corrected` where the bytes are those of the newest revision.
    public func sendCorrected(
        _ action: String, in session: SessionKey, actor: String? = nil, commandId: String = newCommandId(),
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> RecordOutcome {
        try await sendCorrected(action, in: session, actor: actor, commandId: commandId, on: isolation)
    }

    /// Abandons an undelivered message. When `inFlight` is true it may still arrive; the record shows it later.
    public func abandon(
        _ action: String, in session: SessionKey, actor: String, reason: String, commandId: String = newCommandId(),
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> RecordOutcome {
        try await abandon(action, in: session, actor: actor, reason: reason, commandId: commandId, on: isolation)
    }

    /// Abandons all undelivered messages of a session; stale when there is none.
    public func abandonSession(
        _ session: SessionKey, actor: String, reason: String, commandId: String = newCommandId(),
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> RecordOutcome {
        try await abandonSession(session, actor: actor, reason: reason, commandId: commandId, on: isolation)
    }

    /// Removes everything that a field ever held in the session, or a note, for good: from its record, event log, half-typed text, search
    /// and file. The mark "redacted" takes its place; it satisfies `required` and is in no message. The record says who did it, when and
    /// why. Values that are given later are kept. `reason` stays in the record, so it must not contain what is redacted. Copies that were
    /// made before still hold it, and ``Compass/restore(from:options:)`` of one brings it back.
    ///
    /// Frozen messages do not change: `pending` decides about undelivered messages that hold the redacted text, `bodies` about delivered
    /// ones. Bodies that still hold it are in the outcome, and the record names them until they are removed. Those of messages that were
    /// abandoned or superseded, by this call too, stay in the file until the session is deleted or purged. An abandoned message that holds
    /// it is not sent again, only corrected. Stale when there is nothing to redact.
    public func redact(
        _ target: RedactionTarget, in session: SessionKey, actor: String, reason: String, pending: RedactPending, bodies: RedactBodies,
        commandId: String = newCommandId(), isolation: isolated (any Actor)? = #isolation
    ) async throws -> RedactOutcome {
        try await redact(
            target, in: session, actor: actor, reason: reason, pending: pending, bodies: bodies, commandId: commandId, on: isolation)
    }

    /// Sends all failed actions again that can be sent again; returns how many.
    public func sendFailedAgain(actor: String? = nil, isolation: isolated (any Actor)? = #isolation) async throws -> UInt32 {
        try await sendFailedAgain(actor: actor, on: isolation)
    }

    /// Sends all actions that did not fire because the integration was off, with their current values; returns how many. An action whose
    /// message would be too large stays as it is. ``CompassHandle/outboxTotals()`` counts the actions that did not fire.
    /// ``CompassError/Code/unknownEndpoint`` for a key that no endpoint, message or action has.
    public func sendNotFired(
        _ filter: NotFiredFilter = NotFiredFilter(), actor: String? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws -> UInt32 {
        try await sendNotFired(matching: filter, actor: actor, on: isolation)
    }

    /// Sends the newest delivered message of an action once more, with the same id and bytes, for a receiver that has lost it. The message
    /// stays sent; `Action.replays` shows the replay, which can be abandoned. Stale while a replay of it waits.
    /// ``CompassError/Code/bodyDropped`` if the body is no longer on the phone.
    public func replay(
        _ action: String, in session: SessionKey, actor: String? = nil, commandId: String = newCommandId(),
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> RecordOutcome {
        try await replay(action, in: session, actor: actor, commandId: commandId, on: isolation)
    }

    /// The same for every action of a session that has a delivered message, except those whose body was dropped. Stale if there is none.
    public func replaySession(
        _ session: SessionKey, actor: String? = nil, commandId: String = newCommandId(), isolation: isolated (any Actor)? = #isolation
    ) async throws -> RecordOutcome {
        try await replaySession(session, actor: actor, commandId: commandId, on: isolation)
    }

    /// The same for what was delivered to an endpoint, oldest first, at most 1,000 messages in a call. `page` is the `next` of the call
    /// before. They are sent after all messages that were never delivered. The endpoint may be unregistered;
    /// ``CompassError/Code/unknownEndpoint`` for a key that no endpoint, message or action has.
    public func replaySent(
        _ filter: ReplayFilter, actor: String? = nil, page: String? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws -> ReplayReport {
        try await replaySent(matching: filter, actor: actor, page: page, on: isolation)
    }

    /// One page of the outbox, oldest first; without a filter the pending and failed messages. An abandoned message is a failed one that
    /// needs no person: it stays in the list, and `outboxTotals` does not count it. A key that no endpoint has gives an empty page. `page` is
    /// the `next` of the page before; `limit` is from 1 to 500 (``CompassError/Code/invalidArgument`` otherwise).
    public func outbox(_ filter: OutboxFilter = OutboxFilter(), page: String? = nil, limit: UInt32 = 50) async throws -> OutboxPage {
        try await outbox(matching: filter, page: page, limit: limit)
    }

    // Delivery ----------------------------------------------------------------------------------------------------------------------------

    /// The app has stored, changed or removed secrets: messages that waited for one are tried again.
    public func secretsChanged(isolation: isolated (any Actor)? = #isolation) async throws {
        try await secretsChanged(on: isolation)
    }

    /// Reports what the app knows of the network, with a number of the network, if it has one. It is not stored in the file; the handle
    /// remembers it for each database that it opens. While nothing was reported, every endpoint is tried over any network, also one that wants
    /// an unmetered one. Sequences of records, messages and endpoints query again, because what messages wait for depends on it.
    /// ``ConnectivityMonitor`` does this automatically.
    public func setConnectivity(_ connectivity: Connectivity, isolation: isolated (any Actor)? = #isolation) async throws {
        try await setConnectivity(connectivity, on: isolation)
    }

    // The life of the handle --------------------------------------------------------------------------------------------------------------

    /// Deletes finished sessions that are older than this and whose messages are delivered or abandoned. Sessions with an action that did
    /// not fire because the integration was off stay, if it was ever on. Time is counted by the age of the database, which a wrong clock of
    /// the phone does not change. The report lists the files that no session refers to any more; after an error, they are those that
    /// ``files()`` does not list. It also says whether the sessions are gone from the database file, as the report of
    /// ``delete(_:isolation:)`` does.
    public func purge(olderThan age: Duration, isolation: isolated (any Actor)? = #isolation) async throws -> PurgeReport {
        try await purge(olderThan: age, on: isolation)
    }

    /// Deletes, for a person, all sessions that finished before this moment of the wall clock and whose messages are delivered or
    /// abandoned. Unlike `purge` it also deletes sessions with an action that did not fire because the integration was off. The messages of
    /// such actions can never be sent then: say so before you ask the person.
    public func purgeAllBefore(_ time: Date, actor: String, isolation: isolated (any Actor)? = #isolation) async throws -> PurgeReport {
        try await purgeAllBefore(time, actor: actor, on: isolation)
    }

    /// Waits for running calls and for all writes that were called before, ends delivery, completes the sequences and closes the file.
    /// Closing again does nothing. Later calls are refused with ``CompassError/Code/closed``; a lazy handle opens the database again
    /// instead (``Compass/lazy(_:)``). It is carried out even if the task is cancelled.
    public func close(isolation: isolated (any Actor)? = #isolation) async throws {
        try await close(on: isolation)
    }

    /// Closes the database after the writes that were called before, gives its file to `work`, and opens it again, even if `work` has
    /// failed. Calls wait meanwhile, so `work` must not call this handle. Sequences, holds, delivery and what was reported of the network go on
    /// with the next database. Once begun it runs to its end, even if the task is cancelled. The database need not be open, and may be damaged.
    ///
    /// - Throws: The error of `work`; otherwise the error of opening. The next call tries to open again.
    public func whileClosed<Value: Sendable>(
        isolation: isolated (any Actor)? = #isolation, _ work: @escaping @Sendable (_ file: URL) async throws -> Value
    ) async throws -> Value {
        try await whileClosed(on: isolation, work)
    }

    /// ``Compass/restore(from:options:)`` of this handle's database, as ``whileClosed(isolation:_:)`` does it: calls wait, and go on with the
    /// copy. After a refusal the database is as it was.
    ///
    /// - Parameter discardUndelivered: A person abandons the messages that are not delivered and not in the copy.
    public func restore(
        from copy: URL, discardUndelivered: DiscardUndelivered? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws {
        try await restore(from: copy, discardUndelivered: discardUndelivered, on: isolation)
    }

    /// ``Compass/erase(_:discardUndelivered:)`` of this handle's database, as ``whileClosed(isolation:_:)`` does it: calls wait, and go on
    /// with an empty one. After a refusal the database is as it was. Sessions in progress, actions that did not fire and edits that were not
    /// sent are lost without a refusal.
    ///
    /// - Parameter discardUndelivered: A person abandons the messages that are not delivered.
    public func erase(discardUndelivered: DiscardUndelivered? = nil, isolation: isolated (any Actor)? = #isolation) async throws {
        try await erase(discardUndelivered: discardUndelivered, on: isolation)
    }

    // What changes ------------------------------------------------------------------------------------------------------------------------

    /// The first page of the list of sessions, again after each change. Raise `limit` to see more, up to 500: pages after that come from
    /// ``sessions(_:page:limit:)``.
    public func observeSessions(_ filter: SessionFilter = SessionFilter(), limit: UInt32 = 50) -> Updates<SessionPage> {
        observeSessions(matching: filter, limit: limit)
    }

    /// The first page of the outbox, again after each change. Raise `limit` to see more, up to 500: pages after that come from
    /// ``outbox(_:page:limit:)``.
    public func observeOutbox(_ filter: OutboxFilter = OutboxFilter(), limit: UInt32 = 50) -> Updates<OutboxPage> {
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
