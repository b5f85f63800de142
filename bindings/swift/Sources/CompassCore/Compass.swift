package import CompassInternal
public import Foundation

/// An open database: sessions, their records, and the outbox that delivers their webhooks.
///
/// One per file and process: open it once and share it. Commands and delivery run on queues of their own, apart from each other.
///
/// ```swift
/// let compass = try await Compass.open(.standard())
/// let started = try await compass.start("boiler-service", commandId: UUID().uuidString.lowercased())
/// for try await view in compass.observeSession(started.view.key) { print(view.section.name) }
/// ```
public final class Compass: CompassHandle {
    package let core: CompassInternal.Core
    package let hub: ChangeHub
    private let subscription: CompassInternal.Subscription
    private let lifecycle: Locked<AppLifecycle?> = Locked(nil)
    // The core has one writer and two readers: more threads would only wait.
    package let commands = CallQueue(name: "dev.compass.core.commands", width: 4, quality: .userInitiated)
    // `quiesce` and `close` must never queue behind a long `flush`.
    package let deliveries = CallQueue(name: "dev.compass.core.delivery", width: 32, quality: .utility)

    private init(core: CompassInternal.Core) throws {
        self.core = core
        hub = ChangeHub()
        subscription = try core.observe(listener: hub)
    }

    /// Opens or creates the database, off the caller's thread.
    ///
    /// - Throws: ``CompassError`` with ``CompassError/Code/alreadyOpen`` while this process has the same file open, or
    ///   ``CompassError/Code/cannotOpen`` before the first unlock of the phone.
    public static func open(_ options: CompassOptions) async throws -> Compass {
        let queue = CallQueue(name: "dev.compass.core.open", width: 1, quality: .userInitiated)
        let compass = try await queue.call { try Compass(core: CompassInternal.Core.open(options: options.forCore())) }
        if case .automatic = options.delivery {
            let lifecycle = AppLifecycle(handle: compass)
            compass.lifecycle.withLock { $0 = lifecycle }
            await lifecycle.begin()
        }
        return compass
    }

    /// The version of the core.
    public static var version: String { CompassInternal.version() }

    public func close() async throws {
        // First, so that it does not take a hold again.
        lifecycle.withLock { $0 }?.end()
        try await deliveries.call { [core] in try core.shutDown() }
        subscription.cancel()
        hub.close()
    }

    // Workflows ------------------------------------------------------------------------------------------------------------------------

    public func importWorkflow(_ document: Data) async throws -> ImportOutcome {
        try await commands.call { [core] in try core.importWorkflow(document: document) }
    }

    public func workflows() async throws -> [WorkflowSummary] {
        try await commands.call { [core] in try core.workflows() }
    }

    public func workflow(_ key: String, version: WorkflowVersion? = nil) async throws -> Workflow {
        try await commands.call { [core] in try core.workflow(key: key, version: version) }
    }

    public func workflowDocument(_ key: String, version: WorkflowVersion? = nil) async throws -> Data {
        try await commands.call { [core] in try core.workflowDocument(key: key, version: version) }
    }

    public func lintWorkflow(_ document: Data) async throws -> [Finding] {
        try await commands.call { [core] in try core.lintWorkflow(document: document) }
    }

    public func retireWorkflow(_ key: String, version: WorkflowVersion, retired: Bool) async throws {
        try await commands.call { [core] in try core.retireWorkflow(key: key, version: version, retired: retired) }
    }

    public func forgetWorkflow(_ key: String, version: WorkflowVersion) async throws {
        try await commands.call { [core] in try core.forgetWorkflow(key: key, version: version) }
    }

    // Sessions -------------------------------------------------------------------------------------------------------------------------

    public func start(_ start: Start) async throws -> CommandOutcome {
        try await commands.call { [core] in try core.start(start: start) }
    }

    public func run(
        _ commands: [Command], in session: SessionKey, actor: String? = nil, commandId: String? = nil
    ) async throws -> CommandOutcome {
        try await self.commands.call { [core] in
            try core.run(session: session, actor: actor, commands: commands, commandId: commandId)
        }
    }

    public func saveDraft(_ text: String, field: String, in session: SessionKey) async throws {
        try await commands.call { [core] in try core.saveDraft(session: session, field: field, text: text) }
    }

    public func saveNoteDraft(_ text: String, in session: SessionKey) async throws {
        try await commands.call { [core] in try core.saveNoteDraft(session: session, text: text) }
    }

    public func session(_ session: SessionKey) async throws -> SessionView {
        try await commands.call { [core] in try core.session(session: session) }
    }

    public func sessions(_ filter: SessionFilter = .all, page: String? = nil, limit: UInt32 = 50) async throws -> SessionPage {
        try await commands.call { [core] in try core.sessions(filter: filter, page: page, limit: limit) }
    }

    public func record(_ session: SessionKey) async throws -> SessionRecord {
        try await commands.call { [core] in try core.record(session: session) }
    }

    public func totals() async throws -> Totals {
        try await commands.call { [core] in try core.totals() }
    }

    @discardableResult
    public func delete(_ session: SessionKey) async throws -> DeleteReport {
        try await commands.call { [core] in try core.delete(session: session) }
    }

    public func files() async throws -> [String] {
        try await commands.call { [core] in try core.files() }
    }

    // What changes ---------------------------------------------------------------------------------------------------------------------

    public func observeSession(_ session: SessionKey) -> Updates<SessionView> {
        updates { $0.sessions.contains(session) } query: { try await $0.session(session) }
    }

    public func observeSessions(_ filter: SessionFilter = .all, limit: UInt32 = 50) -> Updates<SessionPage> {
        updates { !$0.sessions.isEmpty } query: { try await $0.sessions(filter, limit: limit) }
    }

    public func observeRecord(_ session: SessionKey) -> Updates<SessionRecord> {
        updates { $0.sessions.contains(session) } query: { try await $0.record(session) }
    }

    public func observeTotals() -> Updates<Totals> {
        updates { !$0.sessions.isEmpty || $0.outbox } query: { try await $0.totals() }
    }

    public func observeOutbox(_ filter: OutboxFilter = .unsent, limit: UInt32 = 50) -> Updates<OutboxPage> {
        updates { $0.outbox || $0.endpoints } query: { try await $0.outbox(filter, limit: limit) }
    }

    public func observeOutboxTotals() -> Updates<OutboxTotals> {
        updates { $0.outbox || $0.endpoints } query: { try await $0.outboxTotals() }
    }

    public func observeEndpoints() -> Updates<[EndpointStatus]> {
        updates { $0.endpoints || $0.outbox } query: { try await $0.endpoints() }
    }

    public func observeIntegration() -> Updates<Bool> {
        updates { $0.endpoints } query: { try await $0.integrationEnabled() }
    }

    public func observeWorkflows() -> Updates<[WorkflowSummary]> {
        updates { $0.workflows } query: { try await $0.workflows() }
    }

    public func observeNextDue() -> Updates<NextDue> {
        updates { $0.outbox || $0.endpoints } query: { try await $0.nextDue() }
    }

    // The sequence keeps the handle: what is listened to is not let go.
    private func updates<Value>(
        _ wants: @escaping @Sendable (Notice) -> Bool, query: @escaping @Sendable (Compass) async throws -> Value
    ) -> Updates<Value> {
        Updates(hub: hub, wants: wants) { try await query(self) }
    }
}
