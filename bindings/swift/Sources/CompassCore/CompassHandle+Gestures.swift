/// One gesture, one call.
extension CompassHandle {
    /// Delivers what is due, without haste: ``flush(deadline:urgent:)``.
    public func flush(deadline: Duration) async throws -> FlushReport {
        try await flush(deadline: deadline, urgent: false)
    }

    /// Starts a session on a workflow; on its current version when none is named.
    ///
    /// - Parameter commandId: Makes a repeated call harmless: it gives the session that the first one started.
    public func start(
        _ workflow: String, commandId: String, version: WorkflowVersion? = nil, actor: String? = nil, prefill: [Prefill] = []
    ) async throws -> CommandOutcome {
        try await start(Start(commandId: commandId, workflow: workflow, version: version, actor: actor, prefill: prefill))
    }

    /// Gives fields these values. One invalid value refuses the whole call.
    public func set(_ values: [String: FieldValue], in session: SessionKey, actor: String? = nil) async throws -> CommandOutcome {
        let changes = values.sorted { $0.key < $1.key }.map { FieldChange(field: $0.key, change: .set($0.value)) }
        return try await run([.setFields(changes: changes)], in: session, actor: actor, commandId: nil)
    }

    /// Sets, clears or marks a field.
    public func change(_ field: String, to change: Change, in session: SessionKey, actor: String? = nil) async throws -> CommandOutcome {
        try await run([.setFields(changes: [FieldChange(field: field, change: change)])], in: session, actor: actor, commandId: nil)
    }

    /// Chooses an answer of the current section and moves on.
    ///
    /// - Parameter visit: The visit the technician is looking at, so that a double tap changes nothing.
    public func answer(_ answer: String, visit: UInt32, in session: SessionKey, actor: String? = nil) async throws -> CommandOutcome {
        try await run([.answer(visit: visit, answer: answer)], in: session, actor: actor, commandId: nil)
    }

    /// Goes back to an earlier visit of the path.
    public func back(to target: UInt32, visit: UInt32, in session: SessionKey, actor: String? = nil) async throws -> CommandOutcome {
        try await run([.back(visit: visit, toVisit: target)], in: session, actor: actor, commandId: nil)
    }

    /// Notes that a response was used. Moves nothing.
    public func useResponse(
        _ response: String, in session: SessionKey, commandId: String, actor: String? = nil
    ) async throws -> CommandOutcome {
        try await run([.useResponse(commandId: commandId, response: response)], in: session, actor: actor, commandId: nil)
    }

    /// Adds a note.
    public func note(_ text: String, in session: SessionKey, commandId: String, actor: String? = nil) async throws -> CommandOutcome {
        try await run([.note(commandId: commandId, text: text)], in: session, actor: actor, commandId: nil)
    }

    /// Completes the session, on an end section.
    public func complete(_ session: SessionKey, visit: UInt32, actor: String? = nil) async throws -> CommandOutcome {
        try await run([.complete(visit: visit)], in: session, actor: actor, commandId: nil)
    }

    /// Ends the session at once, from anywhere. Nothing fires.
    public func end(_ session: SessionKey, reason: String, commandId: String, actor: String? = nil) async throws -> CommandOutcome {
        try await run([.end(commandId: commandId, reason: reason)], in: session, actor: actor, commandId: nil)
    }

    /// Throws a session in progress away.
    public func discard(_ session: SessionKey, actor: String? = nil) async throws -> CommandOutcome {
        try await run([.discard], in: session, actor: actor, commandId: nil)
    }

    /// Changes fields and notes of a completed or ended session. What was or will be sent does not change.
    public func edit(
        _ session: SessionKey, fields: [FieldChange] = [], notes: [NoteChange] = [], commandId: String, actor: String? = nil
    ) async throws -> CommandOutcome {
        try await run([.edit(commandId: commandId, fields: fields, notes: notes)], in: session, actor: actor, commandId: nil)
    }
}

extension SessionFilter {
    /// Every session but the discarded ones; change what is to be narrowed.
    public static var all: SessionFilter {
        SessionFilter(
            states: [], workflow: nil, startedFrom: nil, startedBefore: nil, won: nil, actor: nil, actionStatus: nil, text: nil)
    }
}

extension OutboxFilter {
    /// What is pending or failed, for any endpoint.
    public static var unsent: OutboxFilter { OutboxFilter(states: [], endpoint: nil) }
}
