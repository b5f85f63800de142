package import CompassInternal
public import Foundation

/// An open database: sessions, their records, and the outbox that delivers their messages.
///
/// One handle per file and process; share it. Calls that write take effect one after the other, in the order in which they were made;
/// ``CompassHandle`` says more. Queries run beside them, and delivery beside both, on threads of their own.
///
/// ```swift
/// let compass = Compass.lazy { try .standard() }
/// let started = try await compass.start("boiler-service")
/// for try await view in compass.observeSession(started.view.key) { print(view.section.name) }
/// ```
public final class Compass: CompassHandle {
    package let hub: ChangeHub
    package let keeper: CoreKeeper
    package let writes = WriteQueue(name: "dev.compass.core.writes")
    // The core has two readers: more threads would only wait.
    package let queries = CallQueue(name: "dev.compass.core.queries", width: 4, quality: .userInitiated)
    // Separate, so that no query of a screen waits for a long read.
    package let longReads = CallQueue(name: "dev.compass.core.long-reads", width: 1, quality: .utility)
    // Wide, because `quiesce` must never wait for a long `flush`.
    package let deliveries = CallQueue(name: "dev.compass.core.delivery", width: 32, quality: .utility)

    private init(reopens: Bool, options: @escaping @Sendable () throws -> CompassOptions) {
        CompassOptions.lookForDevice()
        hub = ChangeHub()
        keeper = CoreKeeper(hub: hub, reopens: reopens, options: options)
    }

    /// A handle over a core that another handle opens and closes.
    init(of core: CompassInternal.Core) {
        hub = ChangeHub()
        keeper = CoreKeeper(hub: hub, core: core)
    }

    /// Opens or creates the database, off the caller's thread. Once closed, the handle stays closed.
    ///
    /// - Throws: ``CompassError`` with ``CompassError/Code/alreadyOpen`` while this process has the same file open, or
    ///   ``CompassError/Code/cannotOpen`` before the first unlock of the phone.
    public static func open(_ options: CompassOptions) async throws -> Compass {
        let compass = Compass(reopens: false) { options }
        try await compass.queries.call { [keeper = compass.keeper] in try keeper.use { _ in } }
        return compass
    }

    /// Returns at once a handle that opens the database at its first use: for dependency injection or the environment of SwiftUI. If
    /// opening fails, that call throws the error that ``open(_:)`` would throw, and the next call tries again. After ``close()`` the next
    /// call or the next sequence opens the database again; earlier sequences have ended, and so have holds and delivery. What was reported of the
    /// network holds for the next database too.
    public static func lazy(_ options: CompassOptions) -> Compass { lazy { options } }

    /// The same, with options that are made when the database is opened, off the caller's thread: before the first unlock of the phone
    /// there is no folder yet. An error of `options` becomes ``CompassError/Code/cannotOpen``.
    public static func lazy(_ options: @escaping @Sendable () throws -> CompassOptions) -> Compass {
        Compass(reopens: true, options: options)
    }

    /// The version of the core.
    public static var version: String { CompassInternal.version() }

    public func close(on caller: isolated (any Actor)?) async throws {
        try await writes.call(on: caller, always: true) { [keeper] in try keeper.close() }
    }

    public func whileClosed<Value: Sendable>(
        on caller: isolated (any Actor)?, _ work: @escaping @Sendable (_ file: URL) async throws -> Value
    ) async throws -> Value {
        let file = try await writes.call(on: caller, always: true) { [keeper] in try keeper.pause() }
        // In a task of its own, which is never cancelled.
        return try await Task.detached { [self] in
            let result: Result<Value, any Error>
            do { result = .success(try await work(file)) } catch { result = .failure(error) }
            keeper.goOn()
            // Sequences query again only when the database is open or has failed to open.
            defer { hub.everythingChanged() }
            do {
                try await queries.call { [keeper] in try keeper.use { _ in } }
            } catch {
                _ = try result.get()
                throw error
            }
            return try result.get()
        }.value
    }

    public func restore(from copy: URL, discardUndelivered: DiscardUndelivered?, on caller: isolated (any Actor)?) async throws {
        try await whileClosed(on: caller) { file in
            try await Compass.restore(from: copy, options: RestoreOptions(file: file, discardUndelivered: discardUndelivered))
        }
    }

    public func erase(discardUndelivered: DiscardUndelivered?, on caller: isolated (any Actor)?) async throws {
        try await whileClosed(on: caller) { file in try await Compass.erase(file, discardUndelivered: discardUndelivered) }
    }

    // How calls are carried out --------------------------------------------------------------------------------------------------------

    /// Carries out a write in its turn.
    package func write<Value: Sendable>(
        on caller: isolated (any Actor)?, _ act: @escaping @Sendable (CompassInternal.Core) throws -> Value
    ) async throws -> Value {
        try await writes.call(on: caller) { [keeper] in try keeper.use(act) }
    }

    /// Begins a call in its turn; later writes go on meanwhile.
    package func begin<Value: Sendable>(
        on caller: isolated (any Actor)?, _ act: @escaping @Sendable (CompassInternal.Core) throws -> Value
    ) async throws -> Value {
        let epoch = hub.epoch
        return try await writes.begin(on: caller) { [keeper] in try keeper.use(since: epoch, act) }
    }

    /// Carries out a query, beside the writes.
    package func ask<Value: Sendable>(
        since epoch: Int? = nil, _ question: @escaping @Sendable (CompassInternal.Core) throws -> Value
    ) async throws -> Value {
        let epoch = epoch ?? hub.epoch
        return try await queries.call { [keeper] in try keeper.use(since: epoch, again: true, question) }
    }

    /// Carries out a long read, beside the writes and the queries.
    package func readLong<Value: Sendable>(_ question: @escaping @Sendable (CompassInternal.Core) throws -> Value) async throws -> Value {
        let epoch = hub.epoch
        return try await longReads.call { [keeper] in try keeper.use(since: epoch, again: true, question) }
    }

    /// Carries out a call of delivery, beside all others.
    package func deliver<Value: Sendable>(_ work: @escaping @Sendable (CompassInternal.Core) throws -> Value) async throws -> Value {
        let epoch = hub.epoch
        return try await deliveries.call { [keeper] in try keeper.use(since: epoch, work) }
    }

    // Workflows ------------------------------------------------------------------------------------------------------------------------

    public func importWorkflow(_ document: Data, on caller: isolated (any Actor)?) async throws -> ImportOutcome {
        try await write(on: caller) { try $0.importWorkflow(document: document) }
    }

    public func workflows() async throws -> [WorkflowSummary] { try await ask { try $0.workflows() } }

    public func workflow(_ key: String, version: WorkflowVersion?) async throws -> Workflow {
        try await ask { try $0.workflow(key: key, version: version) }
    }

    public func workflowDocument(_ key: String, version: WorkflowVersion?) async throws -> Data {
        try await ask { try $0.workflowDocument(key: key, version: version) }
    }

    public func lintWorkflow(_ document: Data) async throws -> [Finding] { try await ask { try $0.lintWorkflow(document: document) } }

    public func retireWorkflow(_ key: String, version: WorkflowVersion, retired: Bool, on caller: isolated (any Actor)?) async throws {
        try await write(on: caller) { try $0.retireWorkflow(key: key, version: version, retired: retired) }
    }

    public func forgetWorkflow(_ key: String, version: WorkflowVersion, on caller: isolated (any Actor)?) async throws {
        try await write(on: caller) { try $0.forgetWorkflow(key: key, version: version) }
    }

    // Sessions -------------------------------------------------------------------------------------------------------------------------

    public func start(_ start: Start, on caller: isolated (any Actor)?) async throws -> CommandOutcome {
        try await write(on: caller) { try $0.start(start: start) }
    }

    public func run(
        _ commands: [Command], in session: SessionKey, actor: String?, commandId: String?, on caller: isolated (any Actor)?
    ) async throws -> CommandOutcome {
        try await write(on: caller) { try $0.run(session: session, actor: actor, commands: commands, commandId: commandId) }
    }

    public func saveDraft(_ field: String, text: String, in session: SessionKey, on caller: isolated (any Actor)?) async throws {
        try await write(on: caller) { try $0.saveDraft(session: session, field: field, text: text) }
    }

    public func saveNoteDraft(_ text: String, in session: SessionKey, on caller: isolated (any Actor)?) async throws {
        try await write(on: caller) { try $0.saveNoteDraft(session: session, text: text) }
    }

    public func session(_ session: SessionKey) async throws -> SessionView { try await ask { try $0.session(session: session) } }

    public func sessions(matching filter: SessionFilter, page: String?, limit: UInt32) async throws -> SessionPage {
        try await ask { try $0.sessions(filter: filter, page: page, limit: limit) }
    }

    public func record(_ session: SessionKey) async throws -> SessionRecord { try await ask { try $0.record(session: session) } }

    public func totals() async throws -> Totals { try await ask { try $0.totals() } }

    public func delete(_ session: SessionKey, on caller: isolated (any Actor)?) async throws -> DeleteReport {
        try await write(on: caller) { try $0.delete(session: session) }
    }

    public func files() async throws -> [String] { try await ask { try $0.files() } }

    // What changes ---------------------------------------------------------------------------------------------------------------------

    public func observeSession(_ session: SessionKey) -> Updates<SessionView> {
        updates { $0.sessions.contains(session) } query: { try $0.session(session: session) }
    }

    public func observeSessions(matching filter: SessionFilter, limit: UInt32) -> Updates<SessionPage> {
        updates { !$0.sessions.isEmpty } query: { try $0.sessions(filter: filter, page: nil, limit: limit) }
    }

    // An endpoint changes what the messages of a record wait for.
    public func observeRecord(_ session: SessionKey) -> Updates<SessionRecord> {
        updates { $0.sessions.contains(session) || $0.endpoints } query: { try $0.record(session: session) }
    }

    public func observeTotals() -> Updates<Totals> {
        updates { !$0.sessions.isEmpty || $0.outbox } query: { try $0.totals() }
    }

    public func observeOutbox(matching filter: OutboxFilter, limit: UInt32) -> Updates<OutboxPage> {
        updates { $0.outbox || $0.endpoints } query: { try $0.outbox(filter: filter, page: nil, limit: limit) }
    }

    public func observeOutboxTotals() -> Updates<OutboxTotals> {
        updates { $0.outbox || $0.endpoints } query: { try $0.outboxTotals() }
    }

    public func observeEndpoints() -> Updates<[EndpointStatus]> {
        updates { $0.endpoints || $0.outbox } query: { try $0.endpoints() }
    }

    public func observeIntegration() -> Updates<Bool> {
        updates { $0.endpoints } query: { try $0.integrationEnabled() }
    }

    public func observeWorkflows() -> Updates<[WorkflowSummary]> {
        updates { $0.workflows } query: { try $0.workflows() }
    }

    public func observeNextDue() -> Updates<NextDue> {
        updates { $0.outbox || $0.endpoints } query: { try $0.nextDue() }
    }

    public func observeAttention() -> AsyncStream<Attention> { hub.attention() }

    // The sequence keeps a reference to the handle, so that it is not released meanwhile.
    private func updates<Value>(
        _ wants: @escaping @Sendable (Notice) -> Bool, query: @escaping @Sendable (CompassInternal.Core) throws -> Value
    ) -> Updates<Value> {
        Updates(hub: hub, wants: wants) { [self] epoch in try await ask(since: epoch, query) }
    }
}
