import CompassCore
import Foundation

/// The gateway to the app's handle. One per process; the core is called in this folder and nowhere else.
public final class CompassGateway: FieldGateway {
    private let compass: any CompassHandle
    private let network: PhoneNetwork
    private let file: @Sendable () throws -> URL
    private let whileClosed: @Sendable (@escaping @Sendable (URL) async throws -> Void) async throws -> Void

    /// - Parameter file: The database, which need not open.
    public convenience init(_ compass: Compass, _ network: PhoneNetwork, file: @escaping @Sendable () throws -> URL) {
        self.init(compass, network, file: file) { try await compass.whileClosed($0) }
    }

    /// For a handle that stands in for the core.
    init(
        _ compass: any CompassHandle, _ network: PhoneNetwork = PhoneNetwork(), file: @escaping @Sendable () throws -> URL,
        whileClosed: @escaping @Sendable (@escaping @Sendable (URL) async throws -> Void) async throws -> Void
    ) {
        (self.compass, self.network, self.file, self.whileClosed) = (compass, network, file, whileClosed)
    }

    /// Opens the database, where it is not open. A `GatewayFailure` says why it cannot be.
    public func open() async throws { try await told { _ = try await compass.integrationEnabled() } }

    /// What the handle tells, in the app's words.
    private func watch<Told: AsyncSequence & Sendable, Value: Sendable>(
        _ observe: (any CompassHandle) -> Told, _ change: @escaping @Sendable (Told.Element) async throws -> Value
    ) -> Flow<Value> where Told.Element: Sendable {
        let told = observe(compass)
        let (flow, telling) = Flow.makeStream(of: Value.self, throwing: (any Error).self, bufferingPolicy: .bufferingNewest(1))
        let task = Task {
            do {
                for try await element in told { telling.yield(try await change(element)) }
                telling.finish()
            } catch {
                telling.finish(throwing: (error as? CompassError)?.app() ?? error)
            }
        }
        telling.onTermination = { _ in task.cancel() }
        return flow
    }

    // Workflows ------------------------------------------------------------------------------------------------------------------------

    public func workflows() -> Flow<[WorkflowItem]> {
        watch({ $0.observeWorkflows() }) { [compass] summaries in
            var items: [WorkflowItem] = []
            for summary in summaries where summary.current { items.append(try await compass.item(summary)) }
            return items.sorted { $0.workflow.name < $1.workflow.name }
        }
    }

    public func outline(of workflow: String) -> Flow<WorkflowOutline> {
        watch({ $0.observeWorkflows() }) { [compass] summaries in
            guard let summary = summaries.first(where: { $0.current && $0.workflow.key == workflow }) else {
                throw GatewayFailure(code: "unknown_workflow")
            }
            let whole = try await compass.workflow(workflow, version: summary.workflow.version())
            return whole.outline(summary.app(whole))
        }
    }

    public func importWorkflow(_ document: Data) async throws -> Imported {
        try await told {
            let outcome = try await compass.importWorkflow(document)
            return Imported(isNew: outcome.imported, workflow: try await compass.item(outcome.workflow))
        }
    }

    public func addMessage(to section: String, of workflow: String, name: String, endpoint: String) async throws -> WorkflowItem {
        try await told {
            let taken = Set(try await compass.workflow(workflow, version: nil).sections.flatMap { $0.actions.map(\.key) })
            let key = (1...).lazy.map { "message-\($0)" }.first { !taken.contains($0) }!
            return try await author(workflow) {
                let action = ActionDefinition(key: key, name: name, integration: .webhooks, kind: .sendMessage, endpoint: endpoint)
                try $0.add(action, to: section)
            }
        }
    }

    public func removeAction(_ action: String, from section: String, of workflow: String) async throws -> WorkflowItem {
        try await told { try await author(workflow) { try $0.remove(action, from: section) } }
    }

    private func author(_ workflow: String, _ change: (inout WorkflowDocument) throws -> Void) async throws -> WorkflowItem {
        var document = WorkflowDocument(try await compass.workflowDocument(workflow, version: nil))
        try change(&document)
        return try await importWorkflow(document.bytes).workflow
    }

    // A session ------------------------------------------------------------------------------------------------------------------------

    public func start(_ workflow: String, actor: String?, command: String) async throws -> SessionNow {
        try await told { try await compass.start(workflow, commandId: command, actor: actor).view.app() }
    }

    public func session(_ key: String) -> Flow<SessionNow> {
        watch({ $0.observeSession(key) }) { $0.app() }
    }

    public func now(_ session: String) async throws -> SessionNow {
        try await told { try await compass.session(session).app() }
    }

    public func outline(of session: SessionNow) async throws -> WorkflowOutline {
        try await told {
            let name = session.workflow
            let workflow = try await compass.workflow(name.key, version: name.version())
            return workflow.outline(WorkflowItem(workflow: name, about: workflow.description, startable: true))
        }
    }

    public func saveNoteDraft(_ text: String, session: String) async throws {
        try await told { try await compass.saveNoteDraft(text, in: session) }
    }

    public func saveDraft(_ text: String, field: String, session: String) async throws {
        try await told { try await compass.saveDraft(text, field: field, in: session) }
    }

    private func run(_ commands: [Command], _ session: String, _ actor: String?) async throws -> Done {
        try await told {
            let outcome = try await compass.run(commands, in: session, actor: actor, commandId: nil)
            return Done(session: outcome.view.app(), changed: outcome.applied == .yes)
        }
    }

    public func setFields(_ changes: [FieldChange], session: String, actor: String?) async throws -> Done {
        try await run([.setFields(changes: changes)], session, actor)
    }

    public func answer(_ answer: String, changes: [FieldChange], session: String, visit: UInt32, actor: String?) async throws -> Done {
        let first = changes.isEmpty ? [] : [Command.setFields(changes: changes)]
        return try await run(first + [.answer(visit: visit, answer: answer)], session, actor)
    }

    public func back(to target: UInt32, session: String, visit: UInt32, actor: String?) async throws -> Done {
        try await run([.back(visit: visit, toVisit: target)], session, actor)
    }

    public func useReply(_ reply: String, session: String, actor: String?, command: String) async throws -> Done {
        try await run([.useResponse(commandId: command, response: reply)], session, actor)
    }

    public func note(_ text: String, session: String, actor: String?, command: String) async throws -> Done {
        try await run([.note(commandId: command, text: text)], session, actor)
    }

    public func complete(_ session: String, visit: UInt32, actor: String?) async throws -> Done {
        try await run([.complete(visit: visit)], session, actor)
    }

    public func end(_ session: String, reason: String, actor: String?, command: String) async throws -> Done {
        try await run([.end(commandId: command, reason: reason)], session, actor)
    }

    public func discard(_ session: String, actor: String?) async throws {
        _ = try await run([.discard], session, actor)
    }

    // Records --------------------------------------------------------------------------------------------------------------------------

    public func sessions(_ filter: SessionFilter, limit: Int) -> Flow<SessionPage> {
        watch({ $0.observeSessions(filter, limit: UInt32(limit)) }) { $0 }
    }

    public func record(_ session: String) -> Flow<RecordNow> {
        watch({ $0.observeRecord(session) }) { $0.app() }
    }

    public func edit(_ session: String, fields: [FieldChange], notes: [UInt32: String], actor: String?, command: String) async throws {
        let notes = notes.sorted { $0.key < $1.key }.map { NoteChange(note: $0.key, text: $0.value) }
        _ = try await run([.edit(commandId: command, fields: fields, notes: notes)], session, actor)
    }

    public func send(_ action: String, corrected: Bool, session: String, actor: String?, command: String) async throws {
        try await told {
            if corrected {
                _ = try await compass.sendCorrected(action, in: session, actor: actor, commandId: command)
            } else {
                _ = try await compass.send(action, in: session, actor: actor, commandId: command)
            }
        }
    }

    public func abandon(_ action: String, session: String, actor: String, reason: String, command: String) async throws -> Bool {
        try await told { try await compass.abandon(action, in: session, actor: actor, reason: reason, commandId: command).inFlight }
    }

    public func look(at action: String, session: String) async throws -> MessageLook {
        try await told {
            // What is frozen is what is sent, no matter what was edited since.
            let frozen = try await compass.record(session).actions.first { $0.key == action }?.deliveries.first
            if let frozen, let body = try await compass.deliveryBody(frozen.id) { return MessageLook(endpoint: frozen.endpoint, body: body) }
            let preview = try await compass.preview(action, in: session)
            return MessageLook(endpoint: preview.endpoint, body: preview.body)
        }
    }

    // The outbox and the integration ---------------------------------------------------------------------------------------------------

    public func outbox(limit: Int) -> Flow<OutboxPage> {
        watch({ $0.observeOutbox(.unsent, limit: UInt32(limit)) }) { $0 }
    }

    public func outboxNumbers() -> Flow<OutboxNumbers> {
        watch({ $0.observeOutboxTotals() }) { $0.app() }
    }

    public func sendNow() async throws -> SentNow {
        try await told {
            // A person asks; but what plays to be without a network stays without.
            let report = try await compass.flush(deadline: .seconds(20), urgent: !network.state.value.simulated)
            return SentNow(sent: Int(report.sent), waiting: Int(report.pending), offline: report.end == .offline)
        }
    }

    public func sendFailedAgain(actor: String?) async throws -> Int {
        try await told { Int(try await compass.sendFailedAgain(actor: actor)) }
    }

    public func integrationEnabled() -> Flow<Bool> {
        watch({ $0.observeIntegration() }) { $0 }
    }

    public func setIntegrationEnabled(_ enabled: Bool) async throws {
        try await told { try await compass.setIntegrationEnabled(enabled) }
    }

    public func endpoints() -> Flow<[EndpointLine]> {
        watch({ $0.observeEndpoints() }) { $0.filter { $0.archivedAt == nil }.map { $0.app() } }
    }

    public func putEndpoint(_ endpoint: EndpointLine) async throws {
        try await told {
            let headers = try await compass.endpoints().first { $0.endpoint.key == endpoint.key }?.endpoint.headers ?? []
            try await compass.putEndpoint(endpoint.core(headers: headers))
        }
    }

    public func setEndpoint(_ key: String, enabled: Bool) async throws {
        try await told { try await compass.setEndpointEnabled(key, enabled: enabled) }
    }

    public func testDelivery(to endpoint: String) async throws -> TestResult {
        try await told {
            let test = try await compass.testDelivery(endpoint)
            return TestResult(delivered: test.delivered, status: test.status.map(Int.init), outcome: test.outcome)
        }
    }

    public func secretsChanged() async throws { try await told { try await compass.secretsChanged() } }

    // The phone ------------------------------------------------------------------------------------------------------------------------

    public func signal() -> Flow<Signal> {
        network.state.flow().flow {
            switch $0.now {
            case .unknown: Signal.unknown
            case .offline: Signal.none
            case .online: Signal.online
            }
        }
    }

    public func simulated() -> Flow<Bool> { network.state.flow().flow { $0.simulated } }

    public func simulateOffline(_ simulate: Bool) async throws {
        network.state.change { $0.simulated = simulate }
        try await told { try await compass.setConnectivity(network.state.value.now) }
    }

    /// The phone says what it knows of the network.
    public func networkChanged(_ connectivity: Connectivity) async { await network.changed(connectivity, telling: compass) }

    public func diagnostics() async throws -> String {
        try await told {
            let sessions = try await compass.totals().sessions
            let outbox = try await compass.outboxTotals()
            let due = try await compass.nextDue()
            let check = try await compass.check()
            let integration = try await compass.integrationEnabled() ? "on" : "off"
            let network = network.state.value
            var lines = [
                "core: \(Compass.version)",
                "network: \(network.now)\(network.simulated ? ", simulated" : "")",
                "integration: \(integration)",
                "sessions: \(sessions.inProgress) in progress, \(sessions.completed) completed, \(sessions.ended) ended",
                "outbox: \(outbox.pending) pending, \(outbox.failed) failed, \(outbox.needsPerson) for a person, \(outbox.unsentBytes) bytes",
                "next due: \(due.at.map { "\($0)" } ?? "none")",
            ]
            for status in try await compass.endpoints() {
                let state = status.enabled ? "enabled" : "disabled (\(status.disabledReason ?? "by a person"))"
                lines.append(
                    "endpoint \(status.endpoint.key): \(state), \(status.pending) pending, \(status.consecutiveFailures) failures in a row")
            }
            lines.append("check: \(check.sessions) sessions, \(check.faults.count) faults")
            return (lines + check.faults.map { "fault: \($0)" }).joined(separator: "\n") + "\n"
        }
    }

    public func backup(to file: URL) async throws { try await told { try await compass.backup(to: file) } }

    public func putBack(_ copy: URL, discarding: Discard?) async throws {
        try await replace { file in
            try await Compass.restore(from: copy, options: RestoreOptions(file: file, discardUndelivered: discarding?.core()))
        }
    }

    public func erase(discarding: Discard?) async throws {
        try await replace { try await Compass.erase($0, discardUndelivered: discarding?.core()) }
    }

    public func salvage(to file: URL) async throws -> Salvaged {
        try await told {
            let report = try await Compass.salvage(try self.file(), to: file)
            return Salvaged(unsent: Int(report.unsent), whole: report.gaps == 0)
        }
    }

    private func replace(_ work: @escaping @Sendable (URL) async throws -> Void) async throws {
        try await told {
            // Also after a refusal there is another core under the handle, which knows nothing of the network yet.
            do {
                try await whileClosed(work)
            } catch {
                try? await compass.setConnectivity(network.state.value.now)
                throw error
            }
            try await compass.setConnectivity(network.state.value.now)
        }
    }
}

/// The core's refusals in the app's words.
func told<Value: Sendable>(
    isolation: isolated (any Actor)? = #isolation, _ work: () async throws -> Value
) async throws -> Value {
    do { return try await work() } catch let refused as CompassError { throw refused.app() }
}

extension CompassHandle {
    // Names for the findings cost a read of the workflow; few have any.
    fileprivate func item(_ summary: WorkflowSummary) async throws -> WorkflowItem {
        if summary.findings.isEmpty { return summary.app(nil) }
        return summary.app(try await workflow(summary.workflow.key, version: summary.workflow.version()))
    }
}
