public import CompassCore
public import Foundation

/// A handle without a core, for previews and for tests of an app's own models: it shows the contents that it is given, and keeps the calls
/// that it gets.
///
/// It has no rules. Without them, `start` gives a session in progress of that workflow in ``FakeState/views`` (`unknown_workflow` if there
/// is none), a field takes its value, a draft is kept, and an answer leads to the view in ``FakeState/answers``. Calls on a record give it
/// as it is; only edits and drafts change it. What it does not have, it refuses as the core does: a session (also one that was deleted), a
/// workflow, an endpoint; and every call after `close`. A test that needs rules opens the real core: `Compass.open(.testing())`.
///
/// ```swift
/// let fake = FakeCompass()
/// fake.change { $0.views[view.key] = .fixture(fields: [.fixture()]) }
/// fake.refuseNext(CompassError(code: .fieldProblems, problems: [.fixture()]), of: "run")
/// ```
public final class FakeCompass: CompassHandle {
    /// A call that writes.
    ///
    /// ```swift
    /// XCTAssertEqual(fake.current.writes, [.saveDraft("site", text: "Mill", session: view.key)])
    /// ```
    public enum Write: Hashable, Sendable {
        /// `importWorkflow`.
        case importWorkflow(Data)
        /// `retireWorkflow`.
        case retireWorkflow(String, version: WorkflowVersion, retired: Bool)
        /// `forgetWorkflow`.
        case forgetWorkflow(String, version: WorkflowVersion)
        /// `start`.
        case start(Start)
        /// `run`, and every gesture.
        case run([Command], session: SessionKey, actor: String?, commandId: String?)
        /// `saveDraft`.
        case saveDraft(String, text: String, session: SessionKey)
        /// `saveNoteDraft`.
        case saveNoteDraft(String, session: SessionKey)
        /// `delete`.
        case delete(SessionKey)
        /// `setIntegrationEnabled`.
        case setIntegrationEnabled(Bool)
        /// `putEndpoint`.
        case putEndpoint(Endpoint)
        /// `archiveEndpoint`.
        case archiveEndpoint(String)
        /// `setEndpointEnabled`.
        case setEndpointEnabled(String, enabled: Bool)
        /// `send`.
        case send(String, session: SessionKey, actor: String?, commandId: String)
        /// `sendCorrected`.
        case sendCorrected(String, session: SessionKey, actor: String?, commandId: String)
        /// `abandon`.
        case abandon(String, session: SessionKey, actor: String, reason: String, commandId: String)
        /// `abandonSession`.
        case abandonSession(SessionKey, actor: String, reason: String, commandId: String)
        /// `redact`.
        case redact(
            RedactionTarget, session: SessionKey, actor: String, reason: String, pending: RedactPending, bodies: RedactBodies, commandId: String)
        /// `sendFailedAgain`.
        case sendFailedAgain(actor: String?)
        /// `sendNotFired`.
        case sendNotFired(NotFiredFilter, actor: String?)
        /// `replay`.
        case replay(String, session: SessionKey, actor: String?, commandId: String)
        /// `replaySession`.
        case replaySession(SessionKey, actor: String?, commandId: String)
        /// `replaySent`.
        case replaySent(ReplayFilter, actor: String?, page: String?)
        /// `secretsChanged`.
        case secretsChanged
        /// `setConnectivity`.
        case setConnectivity(Connectivity)
        /// `purge`.
        case purge(olderThan: Duration)
        /// `purgeAllBefore`.
        case purgeAllBefore(Date, actor: String)
        /// `whileClosed`; neither `restore` nor `erase` is one.
        case whileClosed
        /// `restore`.
        case restore(from: URL, discardUndelivered: DiscardUndelivered?)
        /// `erase`.
        case erase(discardUndelivered: DiscardUndelivered?)
    }

    /// Answers commands.
    public typealias Run = @Sendable (_ commands: [Command], _ session: SessionKey) throws -> CommandOutcome

    private struct Refusal: Sendable {
        let call: String?
        let error: CompassError
    }

    private let contents = Locked(FakeState())
    private let answer = Locked<Run?>(nil)
    private let refusals = Locked<[Refusal]>([])
    private let closed = Locked(false)
    private let hub = ChangeHub()

    /// Empty.
    public init() {}

    /// What it shows now, and the calls that it got.
    public var current: FakeState { contents.withLock { $0 } }

    /// The outcome of commands, instead of the fake's own.
    public var onRun: Run? {
        get { answer.withLock { $0 } }
        set { answer.withLock { $0 = newValue } }
    }

    /// Changes what it shows; every sequence queries again.
    public func change(_ change: (inout FakeState) -> Void) {
        contents.withLock { change(&$0) }
        hub.everythingChanged()
    }

    /// Refuses one call, the next of this name or the next that writes; sequences go on. Several refusals are used one after the other.
    ///
    /// - Parameter call: The name of a function of ``CompassHandle``. What goes through `run` may also be named by its command: `setFields`
    ///   (also for `setField`, `clearField` and `markNotApplicable`), `answer`, `back`, `complete`, … The process ends when no call and no
    ///   command has this name: the refusal would never happen.
    public func refuseNext(_ error: CompassError, of call: String? = nil) {
        if let call { precondition(Self.callsAndCommands.contains(call), "no call and no command is named `\(call)`") }
        refusals.withLock { $0.append(Refusal(call: call, error: error)) }
    }

    private func refusal(of call: String, writes: Bool) -> CompassError? {
        refusals.withLock { refusals in
            let index = refusals.firstIndex { $0.call == call || (writes && $0.call == nil) }
            return index.map { refusals.remove(at: $0).error }
        }
    }

    private func refuse(_ commands: [Command]) throws {
        for command in commands { if let refusal = refusal(of: command.name, writes: false) { throw refusal } }
    }

    private func call<Value>(_ function: String = #function, write: Write? = nil, _ body: (inout FakeState) throws -> Value) throws -> Value {
        if closed.withLock({ $0 }) { throw CompassError(code: .closed, detail: "the handle is closed") }
        let name = String(function.prefix { $0 != "(" })
        let refusal = refusal(of: name, writes: write != nil)
        return try contents.withLock { contents in
            contents.calls.append(name)
            if let write { contents.writes.append(write) }
            if let failure = refusal ?? contents.failure { throw failure }
            return try body(&contents)
        }
    }

    private func write<Value>(_ write: Write, _ function: String = #function, _ body: (inout FakeState) throws -> Value) throws -> Value {
        // As the core: a task that was cancelled before makes no call.
        try Task.checkCancellation()
        let value = try call(function, write: write, body)
        hub.everythingChanged()
        return value
    }

    private func view(_ session: SessionKey, in contents: FakeState) throws -> SessionView {
        guard let view = contents.views[session] else { throw contents.missing(session) }
        return view
    }

    private func record(_ session: SessionKey, in contents: FakeState) throws -> SessionRecord {
        guard let record = contents.records[session] else { throw contents.missing(session) }
        return record
    }

    // Workflows ------------------------------------------------------------------------------------------------------------------------

    public func importWorkflow(_ document: Data, on caller: isolated (any Actor)?) async throws -> ImportOutcome {
        try write(.importWorkflow(document)) { contents in
            let members = (try? JSONSerialization.jsonObject(with: document)) as? [String: Any]
            let named = WorkflowRef.fixture(
                key: members?["key"] as? String ?? "visit", name: members?["name"] as? String ?? "Visit",
                version: (members?["version"] as? Int).flatMap(UInt32.init(exactly:)) ?? 1,
                localRevision: (members?["local_revision"] as? Int).flatMap(UInt32.init(exactly:)) ?? 0)
            let isNew = contents.documents.updateValue(document, forKey: named.key) != document
            let summary = contents.workflows.first { $0.workflow == named } ?? .fixture(workflow: named)
            contents.workflows = contents.workflows.filter { $0.workflow.key != named.key } + [summary]
            return ImportOutcome(imported: isNew, workflow: summary)
        }
    }
    public func workflows() async throws -> [WorkflowSummary] { try call { $0.workflows } }
    public func workflow(_ key: String, version: WorkflowVersion?) async throws -> Workflow {
        try call { contents in
            if let workflow = contents.workflowsByKey[key] { return workflow }
            guard let named = contents.workflows.first(where: { $0.workflow.key == key })?.workflow else {
                throw CompassError(code: .unknownWorkflow, place: key)
            }
            return .fixture(key: key, version: named.version, localRevision: named.localRevision, name: named.name)
        }
    }
    public func workflowDocument(_ key: String, version: WorkflowVersion?) async throws -> Data {
        try call { contents in
            guard let document = contents.documents[key] else { throw CompassError(code: .unknownWorkflow, place: key) }
            return document
        }
    }
    public func lintWorkflow(_ document: Data) async throws -> [Finding] { try call { $0.findings } }
    public func retireWorkflow(_ key: String, version: WorkflowVersion, retired: Bool, on caller: isolated (any Actor)?) async throws {
        try write(.retireWorkflow(key, version: version, retired: retired)) { contents in
            try contents.mustHave(key, version)
            for index in contents.workflows.indices where contents.workflows[index].workflow.isOf(key, version) {
                contents.workflows[index].retiredAt = retired ? fixtureTime : nil
            }
        }
    }
    public func forgetWorkflow(_ key: String, version: WorkflowVersion, on caller: isolated (any Actor)?) async throws {
        try write(.forgetWorkflow(key, version: version)) { contents in
            try contents.mustHave(key, version)
            contents.workflows.removeAll { $0.workflow.isOf(key, version) }
            if contents.workflows.contains(where: { $0.workflow.key == key }) { return }
            (contents.workflowsByKey[key], contents.documents[key]) = (nil, nil)
        }
    }

    // Sessions -------------------------------------------------------------------------------------------------------------------------

    public func start(_ start: Start, on caller: isolated (any Actor)?) async throws -> CommandOutcome {
        try write(.start(start)) { contents in
            guard let view = contents.views.values.first(where: { $0.workflow.key == start.workflow && $0.state == .inProgress }) else {
                throw CompassError(
                    code: .unknownWorkflow, place: start.workflow,
                    detail: "the fake has no session in progress of workflow `\(start.workflow)`: add its view to `views`")
            }
            return CommandOutcome(applied: .yes, view: view)
        }
    }

    public func run(
        _ commands: [Command], in session: SessionKey, actor: String?, commandId: String?, on caller: isolated (any Actor)?
    ) async throws -> CommandOutcome {
        let answer = onRun
        let asked = Write.run(commands, session: session, actor: actor, commandId: commandId)
        // `answer` may read the fake.
        if let answer {
            try write(asked) { _ in try refuse(commands) }
            let outcome = try answer(commands, session)
            change { contents in
                contents.views[session] = outcome.view
                contents.commands += commands
            }
            return outcome
        }
        return try write(asked) { contents in
            try refuse(commands)
            var view = try view(session, in: contents)
            for command in commands {
                view.carryOut(command, by: actor, answers: contents.answers)
                if case .edit(_, let fields, let notes, _) = command { contents.records[session]?.edit(fields, notes) }
            }
            contents.views[session] = view
            contents.commands += commands
            return CommandOutcome(applied: .yes, view: view)
        }
    }

    public func saveDraft(_ field: String, text: String, in session: SessionKey, on caller: isolated (any Actor)?) async throws {
        try write(.saveDraft(field, text: text, session: session)) { contents in
            if contents.records[session] == nil { _ = try view(session, in: contents) }
            contents.views[session]?.draft(text, field: field)
            contents.records[session]?.draft(text, field: field)
        }
    }
    public func saveNoteDraft(_ text: String, in session: SessionKey, on caller: isolated (any Actor)?) async throws {
        try write(.saveNoteDraft(text, session: session)) { contents in
            if contents.records[session] == nil { _ = try view(session, in: contents) }
            contents.views[session]?.noteDraft = text.isEmpty ? nil : text
            contents.records[session]?.noteDraft = text.isEmpty ? nil : text
        }
    }
    public func session(_ session: SessionKey) async throws -> SessionView { try call { try view(session, in: $0) } }
    public func sessions(matching filter: SessionFilter, page: String?, limit: UInt32) async throws -> SessionPage {
        try call {
            let found = $0.sessions.filter { $0.isIn(filter) }
            return SessionPage(sessions: Array(found.prefix(Int(limit))), next: found.count > Int(limit) ? "more" : nil, notIndexed: 0)
        }
    }
    public func record(_ session: SessionKey) async throws -> SessionRecord { try call { try record(session, in: $0) } }
    public func totals() async throws -> Totals { try call { $0.totals } }
    public func delete(_ session: SessionKey, on caller: isolated (any Actor)?) async throws -> DeleteReport {
        try write(.delete(session)) { contents in
            try contents.mustHave(session)
            contents.sessions.removeAll { $0.key == session }
            (contents.views[session], contents.records[session]) = (nil, nil)
            contents.deleted.insert(session)
            return DeleteReport(unusedFiles: [], erased: .now)
        }
    }
    public func files() async throws -> [String] { try call { _ in [] } }

    // Endpoints and the integration ------------------------------------------------------------------------------------------------------

    public func setIntegrationEnabled(_ enabled: Bool, on caller: isolated (any Actor)?) async throws {
        try write(.setIntegrationEnabled(enabled)) { $0.integrationEnabled = enabled }
    }
    public func integrationEnabled() async throws -> Bool { try call { $0.integrationEnabled } }
    public func putEndpoint(_ endpoint: Endpoint, on caller: isolated (any Actor)?) async throws {
        try write(.putEndpoint(endpoint)) { contents in
            var status = contents.endpoints.first { $0.endpoint.key == endpoint.key } ?? .fixture(endpoint: endpoint)
            (status.endpoint, status.archivedAt) = (endpoint, nil)
            contents.endpoints.removeAll { $0.endpoint.key == endpoint.key }
            contents.endpoints.append(status)
        }
    }
    public func archiveEndpoint(_ key: String, on caller: isolated (any Actor)?) async throws {
        try write(.archiveEndpoint(key)) { contents in
            try contents.mustHave(endpoint: key)
            for index in contents.endpoints.indices where contents.endpoints[index].endpoint.key == key {
                contents.endpoints[index].archivedAt = fixtureTime
            }
        }
    }
    public func setEndpointEnabled(_ key: String, enabled: Bool, on caller: isolated (any Actor)?) async throws {
        try write(.setEndpointEnabled(key, enabled: enabled)) { contents in
            try contents.mustHave(endpoint: key)
            for index in contents.endpoints.indices where contents.endpoints[index].endpoint.key == key {
                (contents.endpoints[index].enabled, contents.endpoints[index].disabledReason) = (enabled, enabled ? nil : "by_app")
            }
        }
    }
    public func endpoints() async throws -> [EndpointStatus] { try call { $0.endpoints } }
    public func testDelivery(_ endpoint: String) async throws -> TestDelivery {
        try call { contents in
            try contents.mustHave(endpoint: endpoint)
            return contents.testDelivery
        }
    }

    // Actions and the outbox -------------------------------------------------------------------------------------------------------------

    private func recorded(_ asked: Write, _ session: SessionKey, _ function: String = #function) throws -> RecordOutcome {
        try write(asked, function) { RecordOutcome(applied: .yes, inFlight: $0.inFlight, record: try record(session, in: $0)) }
    }

    public func send(
        _ action: String, in session: SessionKey, actor: String?, commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RecordOutcome {
        try recorded(.send(action, session: session, actor: actor, commandId: commandId), session)
    }
    public func sendCorrected(
        _ action: String, in session: SessionKey, actor: String?, commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RecordOutcome {
        try recorded(.sendCorrected(action, session: session, actor: actor, commandId: commandId), session)
    }
    public func abandon(
        _ action: String, in session: SessionKey, actor: String, reason: String, commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RecordOutcome {
        try recorded(.abandon(action, session: session, actor: actor, reason: reason, commandId: commandId), session)
    }
    public func abandonSession(
        _ session: SessionKey, actor: String, reason: String, commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RecordOutcome {
        try recorded(.abandonSession(session, actor: actor, reason: reason, commandId: commandId), session)
    }
    public func redact(
        _ target: RedactionTarget, in session: SessionKey, actor: String, reason: String, pending: RedactPending, bodies: RedactBodies,
        commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RedactOutcome {
        let asked = Write.redact(
            target, session: session, actor: actor, reason: reason, pending: pending, bodies: bodies, commandId: commandId)
        let outcome = try recorded(asked, session)
        return RedactOutcome(applied: .yes, inFlight: outcome.inFlight, bodies: [], unusedFiles: [], erased: .now, record: outcome.record)
    }
    public func sendFailedAgain(actor: String?, on caller: isolated (any Actor)?) async throws -> UInt32 {
        try write(.sendFailedAgain(actor: actor)) { _ in 0 }
    }
    public func sendNotFired(matching filter: NotFiredFilter, actor: String?, on caller: isolated (any Actor)?) async throws -> UInt32 {
        try write(.sendNotFired(filter, actor: actor)) { contents in
            if let endpoint = filter.endpoint { try contents.mustName(endpoint) }
            return 0
        }
    }
    public func replay(
        _ action: String, in session: SessionKey, actor: String?, commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RecordOutcome {
        try recorded(.replay(action, session: session, actor: actor, commandId: commandId), session)
    }
    public func replaySession(
        _ session: SessionKey, actor: String?, commandId: String, on caller: isolated (any Actor)?
    ) async throws -> RecordOutcome {
        try recorded(.replaySession(session, actor: actor, commandId: commandId), session)
    }
    public func replaySent(
        matching filter: ReplayFilter, actor: String?, page: String?, on caller: isolated (any Actor)?
    ) async throws -> ReplayReport {
        try write(.replaySent(filter, actor: actor, page: page)) { contents in
            try contents.mustName(filter.endpoint)
            return ReplayReport()
        }
    }
    public func outbox(matching filter: OutboxFilter, page: String?, limit: UInt32) async throws -> OutboxPage {
        try call {
            let states = filter.states.isEmpty ? [.pending, .failed] : filter.states
            let found = $0.outbox.filter { item in
                states.contains(item.delivery.state) && (filter.endpoint ?? item.delivery.endpoint) == item.delivery.endpoint
            }
            return OutboxPage(items: Array(found.prefix(Int(limit))), next: found.count > Int(limit) ? "more" : nil)
        }
    }
    public func outboxTotals() async throws -> OutboxTotals { try call { $0.outboxTotals } }
    public func preview(_ action: String, in session: SessionKey) async throws -> MessagePreview {
        try call { contents in
            try contents.mustHave(session)
            guard let preview = contents.previews[action] else { throw CompassError(code: .unknownAction, place: action) }
            return preview
        }
    }
    public func deliveryBody(_ id: DeliveryId) async throws -> String? {
        try call { contents in
            let ofRecords = contents.records.values.flatMap(\.actions).flatMap(\.deliveries)
            let known = (contents.outbox.map(\.delivery) + ofRecords).contains { $0.id == id }
            if contents.bodies[id] == nil && !known { throw CompassError(code: .unknownDelivery) }
            return contents.bodies[id]
        }
    }

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
    public func secretsChanged(on caller: isolated (any Actor)?) async throws { try write(.secretsChanged) { _ in } }
    public func setConnectivity(_ connectivity: Connectivity, on caller: isolated (any Actor)?) async throws {
        try write(.setConnectivity(connectivity)) { $0.connectivity = connectivity }
    }
    public func resume() async throws -> Hold {
        try call { _ in Hold { [contents] in contents.withLock { $0.calls.append("release") } } }
    }
    public func quiesce() async throws { try call { _ in } }
    public func refresh() async throws -> Bool { try call { _ in false } }
    public func purge(olderThan age: Duration, on caller: isolated (any Actor)?) async throws -> PurgeReport {
        try write(.purge(olderThan: age)) { $0.purgeReport }
    }
    public func purgeAllBefore(_ time: Date, actor: String, on caller: isolated (any Actor)?) async throws -> PurgeReport {
        try write(.purgeAllBefore(time, actor: actor)) { $0.purgeReport }
    }
    public func backup(to file: URL) async throws { try call { _ in } }
    public func check() async throws -> CheckReport { try call { CheckReport(sessions: UInt64($0.sessions.count), faults: []) } }
    public func close(on caller: isolated (any Actor)?) async throws {
        if closed.withLock({ $0 }) { return }
        try call { _ in }
        closed.withLock { $0 = true }
        hub.close()
    }
    /// Gives `work` the name of a file that does not exist.
    public func whileClosed<Value: Sendable>(
        on caller: isolated (any Actor)?, _ work: @escaping @Sendable (_ file: URL) async throws -> Value
    ) async throws -> Value {
        try write(.whileClosed) { _ in }
        return try await work(URL(fileURLWithPath: "/fake/compass.db"))
    }
    /// Keeps the call, and shows what it has shown before.
    public func restore(from copy: URL, discardUndelivered: DiscardUndelivered?, on caller: isolated (any Actor)?) async throws {
        try write(.restore(from: copy, discardUndelivered: discardUndelivered)) { _ in }
    }
    /// Keeps the call, and shows what it has shown before.
    public func erase(discardUndelivered: DiscardUndelivered?, on caller: isolated (any Actor)?) async throws {
        try write(.erase(discardUndelivered: discardUndelivered)) { _ in }
    }

    // What changes -------------------------------------------------------------------------------------------------------------------------

    public func observeSession(_ session: SessionKey) -> Updates<SessionView> {
        updates { fake in
            if let late = fake.current.late[session] { return late }
            return try await fake.session(session)
        }
    }
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
    public func observeAttention() -> AsyncStream<Attention> { hub.attention() }

    /// Sends this to the streams of `observeAttention`.
    public func tell(_ attention: Attention) {
        hub.notify(Notice(
            revision: 0, sessions: [], outbox: false, endpoints: false, workflows: false, everything: false, attention: [attention]))
    }

    private func updates<Value>(_ query: @escaping @Sendable (FakeCompass) async throws -> Value) -> Updates<Value> {
        Updates(hub: hub) { _ in true } query: { _ in try await query(self) }
    }
}
