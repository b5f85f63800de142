import Foundation

/// A new id for a command that adds something: the same command with the same id is carried out once, however often it is called.
///
/// The functions that need an id make one. Make it yourself, and keep it, when a call may be repeated after the app died.
public func newCommandId() -> String { UUID().uuidString.lowercased() }

/// One call for each gesture of a technician.
extension CompassHandle {
    /// Delivers due messages, not urgently: ``flush(deadline:urgent:)``.
    public func flush(deadline: Duration = .seconds(25)) async throws -> FlushReport {
        try await flush(deadline: deadline, urgent: false)
    }

    /// Delivers due messages; urgently when a person asks for it: ``flush(deadline:urgent:)``.
    public func flush(urgent: Bool) async throws -> FlushReport {
        try await flush(deadline: .seconds(25), urgent: urgent)
    }

    /// Starts a session of a workflow, in its current version when none is named.
    ///
    /// - Parameter commandId: With the same id, a repeated call gives the session that the first call started: for a double tap. Without it
    ///   each call starts a session.
    public func start(
        _ workflow: String, version: WorkflowVersion? = nil, actor: String? = nil, prefill: [Prefill] = [], commandId: String = newCommandId(),
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> CommandOutcome {
        try await start(Start(commandId: commandId, workflow: workflow, version: version, actor: actor, prefill: prefill), on: isolation)
    }

    /// Sets several fields: all of them, or none. An empty text or an empty choice makes a field "empty".
    public func setFields(
        _ values: [String: FieldValue], in session: SessionKey, actor: String? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws -> CommandOutcome {
        let changes = values.sorted { $0.key < $1.key }.map { FieldChange(field: $0.key, change: .set($0.value)) }
        return try await setFields(changes, in: session, actor: actor, isolation: isolation)
    }

    /// Changes several fields: all of them, or none.
    public func setFields(
        _ changes: [FieldChange], in session: SessionKey, actor: String? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws -> CommandOutcome {
        try await run([.setFields(changes: changes)], in: session, actor: actor, commandId: nil, on: isolation)
    }

    /// Sets one field. An empty text or an empty choice makes it "empty".
    public func setField(
        _ field: String, to value: FieldValue, in session: SessionKey, actor: String? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws -> CommandOutcome {
        try await setField(field, to: .set(value), in: session, actor: actor, isolation: isolation)
    }

    /// Changes one field: sets it, clears it, or marks it "not applicable".
    public func setField(
        _ field: String, to change: Change, in session: SessionKey, actor: String? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws -> CommandOutcome {
        try await setFields([FieldChange(field: field, change: change)], in: session, actor: actor, isolation: isolation)
    }

    /// Clears one field: "not provided".
    public func clearField(
        _ field: String, in session: SessionKey, actor: String? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws -> CommandOutcome {
        try await setField(field, to: .clear, in: session, actor: actor, isolation: isolation)
    }

    /// Marks one field "not applicable".
    public func markNotApplicable(
        _ field: String, in session: SessionKey, actor: String? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws -> CommandOutcome {
        try await setField(field, to: .notApplicable, in: session, actor: actor, isolation: isolation)
    }

    /// Chooses an answer of the section that this view shows, and moves on. A double tap changes nothing.
    public func answer(
        _ view: SessionView, _ answer: String, actor: String? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws -> CommandOutcome {
        try await self.answer(answer, visit: view.visit, in: view.key, actor: actor, isolation: isolation)
    }

    /// Goes back to an earlier visit of the path; to the one before when none is named. On the first visit:
    /// ``CompassError/Code/alreadyThere``.
    public func back(
        _ view: SessionView, to target: UInt32? = nil, actor: String? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws -> CommandOutcome {
        let before = view.path.last { $0.visit < view.visit }?.visit ?? view.visit
        return try await back(to: target ?? before, visit: view.visit, in: view.key, actor: actor, isolation: isolation)
    }

    /// Completes the session; only on an end section. Its messages are in the outbox when this returns.
    public func complete(
        _ view: SessionView, actor: String? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws -> CommandOutcome {
        try await complete(view.key, visit: view.visit, actor: actor, isolation: isolation)
    }

    /// Chooses an answer of the current section and moves on.
    ///
    /// - Parameter visit: The visit the technician is looking at, so that a double tap changes nothing.
    public func answer(
        _ answer: String, visit: UInt32, in session: SessionKey, actor: String? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws -> CommandOutcome {
        try await run([.answer(visit: visit, answer: answer)], in: session, actor: actor, commandId: nil, on: isolation)
    }

    /// Goes back to an earlier visit of the path.
    public func back(
        to target: UInt32, visit: UInt32, in session: SessionKey, actor: String? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws -> CommandOutcome {
        try await run([.back(visit: visit, toVisit: target)], in: session, actor: actor, commandId: nil, on: isolation)
    }

    /// Records that a response was used. Does not move the session.
    public func useResponse(
        _ response: String, in session: SessionKey, actor: String? = nil, commandId: String = newCommandId(),
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> CommandOutcome {
        try await run([.useResponse(commandId: commandId, response: response)], in: session, actor: actor, commandId: nil, on: isolation)
    }

    /// Adds a note, also to a completed or ended session.
    ///
    /// - Parameter commandId: With the same id, a repeated call adds nothing: for a double tap.
    public func note(
        _ text: String, in session: SessionKey, actor: String? = nil, commandId: String = newCommandId(),
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> CommandOutcome {
        try await run([.note(commandId: commandId, text: text)], in: session, actor: actor, commandId: nil, on: isolation)
    }

    /// Completes the session; only on an end section. Its messages are in the outbox when this returns.
    public func complete(
        _ session: SessionKey, visit: UInt32, actor: String? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws -> CommandOutcome {
        try await run([.complete(visit: visit)], in: session, actor: actor, commandId: nil, on: isolation)
    }

    /// Ends the session at once, in any section. Nothing fires.
    public func end(
        _ session: SessionKey, reason: String, actor: String? = nil, commandId: String = newCommandId(),
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> CommandOutcome {
        try await run([.end(commandId: commandId, reason: reason)], in: session, actor: actor, commandId: nil, on: isolation)
    }

    /// Discards the session; refused when it is completed or ended.
    public func discard(
        _ session: SessionKey, actor: String? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws -> CommandOutcome {
        try await run([.discard], in: session, actor: actor, commandId: nil, on: isolation)
    }

    /// Changes fields and notes of a completed or ended session; `reason` stays in the record. Frozen messages do not change. If everything
    /// is there already, nothing is recorded, not even the reason.
    public func edit(
        _ session: SessionKey, fields: [FieldChange] = [], notes: [NoteChange] = [], actor: String? = nil, commandId: String = newCommandId(),
        reason: String? = nil, isolation: isolated (any Actor)? = #isolation
    ) async throws -> CommandOutcome {
        let edit = Command.edit(commandId: commandId, fields: fields, notes: notes, reason: reason)
        return try await run([edit], in: session, actor: actor, commandId: nil, on: isolation)
    }
}
