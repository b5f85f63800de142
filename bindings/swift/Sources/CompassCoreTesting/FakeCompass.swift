public import CompassCore
public import Foundation

/// A handle without a database, for previews and for tests of an app's own models: it shows what it is given and keeps what it is asked.
///
/// It has no rules. A test that needs them opens the real core: `Compass.open(.testing())`.
///
/// ```swift
/// let fake = FakeCompass()
/// fake.change { $0.sessions[view.key] = view }
/// fake.onRun = { commands, key in CommandOutcome(applied: .yes, view: next) }
/// ```
public final class FakeCompass: CompassHandle {
    /// What the handle shows.
    public struct Contents: Sendable {
        /// Views, by session.
        public var sessions: [SessionKey: SessionView] = [:]
        /// Records, by session.
        public var records: [SessionKey: SessionRecord] = [:]
        /// The list of sessions, whatever the filter.
        public var list: [SessionSummary] = []
        /// The outbox, whatever the filter.
        public var outbox: [OutboxItem] = []
        /// What is in the outbox.
        public var outboxTotals = OutboxTotals(pending: 0, failed: 0, oldestUnsentAt: nil, unsentBytes: 0, needsPerson: 0)
        /// The list of workflows.
        public var workflows: [WorkflowSummary] = []
        /// The endpoints.
        public var endpoints: [EndpointStatus] = []
        /// Whether the integration is on.
        public var integrationEnabled = true
        /// What `flush` reports.
        public var flushReport = FlushReport(end: .drained, attempts: 0, sent: 0, retrying: 0, failed: 0, pending: 0)
        /// How many flushes so far a person asked for.
        public var urgentFlushes = 0
        /// When something is due.
        public var nextDue = NextDue(at: nil, atNeedsUnmetered: nil, whenOnline: nil, needsPerson: false)
        /// What the app has said of the network.
        public var connectivity = Connectivity.unknown
        /// Thrown by every call while it is there.
        public var failure: CompassError?
        /// The commands so far, in order.
        public var commands: [Command] = []
        /// The names of the calls so far, in order.
        public var calls: [String] = []
    }

    /// Answers commands.
    public typealias Run = @Sendable (_ commands: [Command], _ session: SessionKey) throws -> CommandOutcome

    private let contents = Locked(Contents())
    private let answer = Locked<Run?>(nil)
    private let hub = ChangeHub()

    /// Empty.
    public init() {}

    /// What it shows now, and what it was asked.
    public var current: Contents { contents.withLock { $0 } }

    /// What a command leads to. Without it, nothing changes and the session's view is given.
    public var onRun: Run? {
        get { answer.withLock { $0 } }
        set { answer.withLock { $0 = newValue } }
    }

    /// Changes what it shows, and tells every sequence.
    public func change(_ change: (inout Contents) -> Void) {
        contents.withLock { change(&$0) }
        hub.notify(Notice(revision: 0, sessions: [], outbox: true, endpoints: true, workflows: true, everything: true))
    }

    private func call<Value>(_ name: String = #function, _ body: (inout Contents) throws -> Value) throws -> Value {
        try contents.withLock { contents in
            contents.calls.append(String(name.prefix { $0 != "(" }))
            if let failure = contents.failure { throw failure }
            return try body(&contents)
        }
    }

    private func none<Value>(_ name: String = #function) throws -> Value {
        try call(name) { _ in throw CompassError(code: "not_faked", detail: "FakeCompass does not do this") }
    }

    private func view(_ session: SessionKey, in contents: Contents) throws -> SessionView {
        guard let view = contents.sessions[session] else { throw CompassError(code: .unknownSession) }
        return view
    }

    private func record(_ session: SessionKey, in contents: Contents) throws -> SessionRecord {
        guard let record = contents.records[session] else { throw CompassError(code: .unknownSession) }
        return record
    }

    // Workflows ------------------------------------------------------------------------------------------------------------------------

    public func importWorkflow(_ document: Data, on caller: isolated (any Actor)?) async throws -> ImportOutcome { try none() }
    public func workflows() async throws -> [WorkflowSummary] { try call { $0.workflows } }
    public func workflow(_ key: String, version: WorkflowVersion?) async throws -> Workflow { try none() }
    public func workflowDocument(_ key: String, version: WorkflowVersion?) async throws -> Data { try none() }
    public func lintWorkflow(_ document: Data) async throws -> [Finding] { try call { _ in [] } }
    public func retireWorkflow(_ key: String, version: WorkflowVersion, retired: Bool, on caller: isolated (any Actor)?) async throws { try call { _ in } }
    public func forgetWorkflow(_ key: String, version: WorkflowVersion, on caller: isolated (any Actor)?) async throws { try call { _ in } }

    // Sessions -------------------------------------------------------------------------------------------------------------------------

    public func start(_ start: Start, on caller: isolated (any Actor)?) async throws -> CommandOutcome {
        try call { contents in
            guard let view = contents.sessions.values.first(where: { $0.workflow.key == start.workflow }) else {
                throw CompassError(code: "unknown_workflow", place: start.workflow)
            }
            return CommandOutcome(applied: .yes, view: view)
        }
    }

    public func run(
        _ commands: [Command], in session: SessionKey, actor: String?, commandId: String?, on caller: isolated (any Actor)?
    ) async throws -> CommandOutcome {
        try call { $0.commands += commands }
        let outcome = try onRun?(commands, session) ?? CommandOutcome(applied: .yes, view: view(session, in: current))
        change { $0.sessions[session] = outcome.view }
        return outcome
    }

    public func saveDraft(_ text: String, field: String, in session: SessionKey, on caller: isolated (any Actor)?) async throws { try call { _ in } }
    public func saveNoteDraft(_ text: String, in session: SessionKey, on caller: isolated (any Actor)?) async throws { try call { _ in } }
    public func session(_ session: SessionKey) async throws -> SessionView { try call { try view(session, in: $0) } }
    public func sessions(matching filter: SessionFilter, page: String?, limit: UInt32) async throws -> SessionPage {
        try call { SessionPage(sessions: Array($0.list.prefix(Int(limit))), next: nil, notIndexed: 0) }
    }
    public func record(_ session: SessionKey) async throws -> SessionRecord { try call { try record(session, in: $0) } }
    public func totals() async throws -> Totals { try none() }
    public func delete(_ session: SessionKey, on caller: isolated (any Actor)?) async throws -> DeleteReport {
        try call { _ in }
        change { $0.list.removeAll { $0.key == session } }
        return DeleteReport(filesLetGo: [], erased: .now)
    }
    public func files() async throws -> [String] { try call { _ in [] } }

    // Endpoints and the integration ------------------------------------------------------------------------------------------------------

    public func setIntegrationEnabled(_ enabled: Bool, on caller: isolated (any Actor)?) async throws { try call { $0.integrationEnabled = enabled } }
    public func integrationEnabled() async throws -> Bool { try call { $0.integrationEnabled } }
    public func putEndpoint(_ endpoint: Endpoint, on caller: isolated (any Actor)?) async throws { try call { _ in } }
    public func archiveEndpoint(_ key: String, on caller: isolated (any Actor)?) async throws { try call { _ in } }
    public func setEndpointEnabled(_ key: String, enabled: Bool, on caller: isolated (any Actor)?) async throws { try call { _ in } }
    public func endpoints() async throws -> [EndpointStatus] { try call { $0.endpoints } }
    public func testDelivery(_ endpoint: String) async throws -> TestDelivery { try none() }

    // Actions and the outbox -------------------------------------------------------------------------------------------------------------

    public func send(_ action: String, in session: SessionKey, actor: String?, commandId: String, on caller: isolated (any Actor)?) async throws -> RecordOutcome {
        try call { RecordOutcome(applied: .yes, inFlight: false, record: try record(session, in: $0)) }
    }
    public func sendCorrected(_ action: String, in session: SessionKey, actor: String?, commandId: String, on caller: isolated (any Actor)?) async throws -> RecordOutcome {
        try call { RecordOutcome(applied: .yes, inFlight: false, record: try record(session, in: $0)) }
    }
    public func abandon(
        _ action: String, in session: SessionKey, actor: String, reason: String, commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RecordOutcome {
        try call { RecordOutcome(applied: .yes, inFlight: false, record: try record(session, in: $0)) }
    }
    public func abandonSession(
        _ session: SessionKey, actor: String, reason: String, commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RecordOutcome {
        try call { RecordOutcome(applied: .yes, inFlight: false, record: try record(session, in: $0)) }
    }
    public func redact(
        _ target: RedactionTarget, in session: SessionKey, actor: String, reason: String, pending: RedactPending, bodies: RedactBodies,
        commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RedactOutcome {
        try call {
            RedactOutcome(
                applied: .yes, inFlight: false, bodies: [], filesLetGo: [], erased: .now, record: try record(session, in: $0))
        }
    }
    public func sendFailedAgain(actor: String?, on caller: isolated (any Actor)?) async throws -> UInt32 { try call { _ in 0 } }
    public func outbox(matching filter: OutboxFilter, page: String?, limit: UInt32) async throws -> OutboxPage {
        try call { OutboxPage(items: Array($0.outbox.prefix(Int(limit))), next: nil) }
    }
    public func outboxTotals() async throws -> OutboxTotals { try call { $0.outboxTotals } }
    public func preview(_ action: String, in session: SessionKey) async throws -> MessagePreview { try none() }
    public func deliveryBody(_ id: DeliveryId) async throws -> String? { try call { _ in nil } }

    // Delivery and the life of the handle --------------------------------------------------------------------------------------------------

    public func flush(deadline: Duration, urgent: Bool) async throws -> FlushReport {
        try call { contents in
            if urgent { contents.urgentFlushes += 1 }
            return contents.flushReport
        }
    }
    public func startDelivery() async throws { try call { _ in } }
    public func stopDelivery() async throws { try call { _ in } }
    public func nextDue() async throws -> NextDue { try call { $0.nextDue } }
    public func secretsChanged(on caller: isolated (any Actor)?) async throws { try call { _ in } }
    public func setConnectivity(_ connectivity: Connectivity, on caller: isolated (any Actor)?) async throws { try call { $0.connectivity = connectivity } }
    public func resume() async throws -> Hold {
        try call { _ in Hold { [contents] in contents.withLock { $0.calls.append("release") } } }
    }
    public func quiesce() async throws { try call { _ in } }
    public func refresh() async throws -> Bool { try call { _ in false } }
    public func purge(olderThan age: Duration, on caller: isolated (any Actor)?) async throws -> PurgeReport { try none() }
    public func purgeAllBefore(_ time: Date, actor: String, on caller: isolated (any Actor)?) async throws -> PurgeReport { try none() }
    public func backup(to file: URL) async throws { try call { _ in } }
    public func check() async throws -> CheckReport { try call { CheckReport(sessions: UInt64($0.list.count), faults: []) } }
    public func close(on caller: isolated (any Actor)?) async throws {
        try call { _ in }
        hub.close()
    }

    // What changes -------------------------------------------------------------------------------------------------------------------------

    public func observeSession(_ session: SessionKey) -> Updates<SessionView> { updates { try await $0.session(session) } }
    public func observeSessions(matching filter: SessionFilter, limit: UInt32) -> Updates<SessionPage> {
        updates { try await $0.sessions(filter, page: nil, limit: limit) }
    }
    public func observeRecord(_ session: SessionKey) -> Updates<SessionRecord> { updates { try await $0.record(session) } }
    public func observeTotals() -> Updates<Totals> { updates { try await $0.totals() } }
    public func observeOutbox(matching filter: OutboxFilter, limit: UInt32) -> Updates<OutboxPage> {
        updates { try await $0.outbox(filter, page: nil, limit: limit) }
    }
    public func observeOutboxTotals() -> Updates<OutboxTotals> { updates { try await $0.outboxTotals() } }

    public func observeEndpoints() -> Updates<[EndpointStatus]> { updates { try await $0.endpoints() } }
    public func observeIntegration() -> Updates<Bool> { updates { try await $0.integrationEnabled() } }
    public func observeWorkflows() -> Updates<[WorkflowSummary]> { updates { try await $0.workflows() } }
    public func observeNextDue() -> Updates<NextDue> { updates { try await $0.nextDue() } }

    private func updates<Value>(_ query: @escaping @Sendable (FakeCompass) async throws -> Value) -> Updates<Value> {
        Updates(hub: hub) { _ in true } query: { _ in try await query(self) }
    }
}
