import CompassCore
import Foundation

/// What a `FakeGateway` has.
public struct FakePhone: Hashable, Sendable {
    public var workflows: [WorkflowOutline] = []
    public var sessions: [String: SessionNow] = [:]
    public var items: [SessionSummary] = []
    public var records: [String: RecordNow] = [:]
    public var outbox: [OutboxItem] = []
    public var numbers = OutboxNumbers()
    public var endpoints: [EndpointLine] = []
    public var integrationEnabled = false
    public var signal = Signal.online
    public var simulated = false
    /// Every command is refused with it until it is gone again.
    public var failure: GatewayFailure?
    /// A message that is given up is on its way already.
    public var inFlight = false
    /// What flows tell of a session, when they are slower than commands.
    public var late: [String: SessionNow] = [:]
    /// What fields hold as half-typed text: `session/field`.
    public var drafts: [String: String] = [:]
    /// The commands so far.
    public var calls: [String] = []
}

/// A gateway without a core, for previews and for tests of one model: it shows what it has and does what a command plainly means. It has
/// no rules; a test that needs them opens the real core.
public final class FakeGateway: FieldGateway {
    private let phone: Watched<FakePhone>

    public init(_ phone: FakePhone = .atWork) { self.phone = Watched(phone) }

    public var now: FakePhone { phone.value }

    /// Changes what it has; flows tell of it.
    public func change(_ change: (inout FakePhone) -> Void) { phone.change(change) }

    private func flow<Value: Sendable & Equatable>(_ part: @escaping @Sendable (FakePhone) throws -> Value) -> Flow<Value> {
        phone.flow().flow(part)
    }

    private func call<Value>(_ call: String, _ body: (inout FakePhone) throws -> Value) throws -> Value {
        var result: Result<Value, any Error>?
        phone.change { phone in
            phone.calls.append(call)
            if let failure = phone.failure {
                result = .failure(failure)
            } else {
                result = Result { try body(&phone) }
            }
        }
        return try result!.get()
    }

    // Workflows ------------------------------------------------------------------------------------------------------------------------

    public func workflows() -> Flow<[WorkflowItem]> { flow { $0.workflows.map(\.item) } }

    public func outline(of workflow: String) -> Flow<WorkflowOutline> { flow { try $0.workflow(workflow) } }

    public func importWorkflow(_ document: Data) async throws -> Imported {
        try call("import") { phone in
            guard let first = phone.workflows.first else { throw GatewayFailure(code: "invalid_workflow") }
            return Imported(isNew: true, workflow: first.item)
        }
    }

    public func addMessage(to section: String, of workflow: String, name: String, endpoint: String) async throws -> WorkflowItem {
        try call("addMessage \(section) \(endpoint)") { phone in
            try phone.revise(workflow) { sections in
                guard let place = sections.firstIndex(where: { $0.key == section }) else { return }
                let action = OutlineAction(key: "message-\(sections[place].actions.count + 1)", name: name, endpoint: endpoint)
                sections[place].actions.append(action)
            }
        }
    }

    public func removeAction(_ action: String, from section: String, of workflow: String) async throws -> WorkflowItem {
        try call("removeAction \(action)") { phone in
            try phone.revise(workflow) { sections in
                for place in sections.indices where sections[place].key == section { sections[place].actions.removeAll { $0.key == action } }
            }
        }
    }

    // A session ------------------------------------------------------------------------------------------------------------------------

    public func start(_ workflow: String, actor: String?, command: String) async throws -> SessionNow {
        try call("start \(workflow)") { phone in
            guard let session = phone.sessions.values.first(where: { $0.workflow.key == workflow }) else {
                throw GatewayFailure(code: "unknown_workflow")
            }
            return session
        }
    }

    public func session(_ key: String) -> Flow<SessionNow> { flow { try $0.late[key] ?? $0.session(key) } }

    public func now(_ session: String) async throws -> SessionNow { try now.session(session) }

    public func outline(of session: SessionNow) async throws -> WorkflowOutline { try now.workflow(session.workflow.key) }

    public func saveDraft(_ text: String, field: String, session: String) async throws {
        try call("draft") { phone in
            phone.drafts["\(session)/\(field)"] = text.isEmpty ? nil : text
            phone.sessions[session]?.hold(field) { $0.with(draft: text.isEmpty ? nil : text) }
        }
    }

    public func saveNoteDraft(_ text: String, session: String) async throws {
        try call("draft") { $0.sessions[session]?.noteDraft = text.isEmpty ? nil : text }
    }

    public func setFields(_ changes: [FieldChange], session: String, actor: String?) async throws -> Done {
        try call("set \(changes.map(\.field).joined(separator: " "))") { phone in
            for change in changes { phone.drafts["\(session)/\(change.field)"] = nil }
            return try phone.run(session) { $0.set(changes) }
        }
    }

    public func answer(_ answer: String, changes: [FieldChange], session: String, visit: UInt32, actor: String?) async throws -> Done {
        try call("answer \(answer)") { phone in
            let outline = try phone.workflow(phone.session(session).workflow.key)
            return try phone.run(session) { now in
                now.set(changes)
                let here = outline.sections.first { $0.key == now.section }
                let name = now.answers.first { $0.key == answer }?.name
                guard let next = here?.answers.first(where: { $0.name == name })?.next else { return }
                now.enter(next, of: outline, answer: name)
            }
        }
    }

    public func back(to target: UInt32, session: String, visit: UInt32, actor: String?) async throws -> Done {
        try call("back \(target)") { phone in
            let outline = try phone.workflow(phone.session(session).workflow.key)
            return try phone.run(session) { now in
                guard let place = now.path.firstIndex(where: { $0.visit == target }) else { return }
                let section = now.path[place].section
                now.path.removeSubrange(place...)
                now.enter(section, of: outline, answer: nil)
            }
        }
    }

    public func useReply(_ reply: String, session: String, actor: String?, command: String) async throws -> Done {
        try call("reply \(reply)") { try $0.run(session) { _ in } }
    }

    public func note(_ text: String, session: String, actor: String?, command: String) async throws -> Done {
        try call("note") { phone in
            try phone.run(session) { now in
                now.noteDraft = nil
                now.notes.append(Note(seq: UInt32(now.notes.count + 1), at: FakePhone.moment, actor: actor, text: text, edited: false))
            }
        }
    }

    public func complete(_ session: String, visit: UInt32, actor: String?) async throws -> Done {
        try call("complete") { try $0.run(session) { $0.phase = .completed } }
    }

    public func end(_ session: String, reason: String, actor: String?, command: String) async throws -> Done {
        try call("end \(reason)") { try $0.run(session) { $0.phase = .ended } }
    }

    public func discard(_ session: String, actor: String?) async throws {
        _ = try call("discard") { try $0.run(session) { $0.phase = .discarded } }
    }

    // Records, the outbox, the integration ---------------------------------------------------------------------------------------------

    public func sessions(_ filter: SessionFilter, limit: Int) -> Flow<SessionPage> {
        flow { phone in
            let found = phone.items.filter { item in
                (filter.states.isEmpty || filter.states.contains(item.state)) && (filter.won == nil || filter.won == item.won)
                    && (filter.actionStatus != .pending || item.actionsPending > 0) && (filter.actionStatus != .failed || item.actionsFailed > 0)
                    && (filter.text.map { item.sectionName.localizedCaseInsensitiveContains($0) } ?? true)
            }
            return SessionPage(sessions: Array(found.prefix(limit)), next: found.count > limit ? "more" : nil, notIndexed: 0)
        }
    }

    public func record(_ session: String) -> Flow<RecordNow> { flow { try $0.record(session) } }

    public func edit(_ session: String, fields: [FieldChange], notes: [UInt32: String], actor: String?, command: String) async throws {
        try call("edit \(fields.map(\.field).joined(separator: " "))") { phone in
            for change in fields { phone.drafts["\(session)/\(change.field)"] = nil }
            var record = try phone.record(session)
            record.fields = record.fields.map { field in
                field.with(state: fields.first { $0.field == field.definition.key }?.change.state, draft: nil)
            }
            phone.records[session] = record
        }
    }

    public func send(_ action: String, corrected: Bool, session: String, actor: String?, command: String) async throws {
        try call(corrected ? "sendCorrected \(action)" : "send \(action)") { $0.setAction(action, of: session, .pending) }
    }

    public func abandon(_ action: String, session: String, actor: String, reason: String, command: String) async throws -> Bool {
        try call("abandon \(action) \(actor): \(reason)") {
            $0.setAction(action, of: session, .failed)
            return $0.inFlight
        }
    }

    public func look(at action: String, session: String) async throws -> MessageLook {
        MessageLook(endpoint: "office", body: #"{"key":"\#(session)","fields":[]}"#)
    }

    public func outbox(limit: Int) -> Flow<OutboxPage> {
        flow { OutboxPage(items: Array($0.outbox.prefix(limit)), next: $0.outbox.count > limit ? "more" : nil) }
    }

    public func outboxNumbers() -> Flow<OutboxNumbers> { flow { $0.numbers } }

    public func sendNow() async throws -> SentNow {
        try call("sendNow") { phone in
            if phone.signal == .none { return SentNow(sent: 0, waiting: phone.numbers.waiting, offline: true) }
            let sent = phone.numbers.waiting
            phone.numbers.waiting = 0
            phone.outbox.removeAll { !$0.needsPerson }
            return SentNow(sent: sent, waiting: 0, offline: false)
        }
    }

    public func sendFailedAgain(actor: String?) async throws -> Int { try call("sendFailedAgain") { $0.numbers.failed } }
    public func integrationEnabled() -> Flow<Bool> { flow { $0.integrationEnabled } }
    public func setIntegrationEnabled(_ enabled: Bool) async throws { try call("integration \(enabled)") { $0.integrationEnabled = enabled } }
    public func endpoints() -> Flow<[EndpointLine]> { flow { $0.endpoints } }

    public func putEndpoint(_ endpoint: EndpointLine) async throws {
        try call("putEndpoint \(endpoint.key)") { phone in
            phone.endpoints.removeAll { $0.key == endpoint.key }
            phone.endpoints.append(endpoint)
        }
    }

    public func setEndpoint(_ key: String, enabled: Bool) async throws {
        try call("setEndpoint \(key) \(enabled)") { phone in
            for place in phone.endpoints.indices where phone.endpoints[place].key == key { phone.endpoints[place].enabled = enabled }
        }
    }

    public func testDelivery(to endpoint: String) async throws -> TestResult {
        try call("test \(endpoint)") { _ in TestResult(delivered: true, status: 202, outcome: "sent") }
    }

    public func secretsChanged() async throws { try call("secretsChanged") { _ in } }

    // The phone ------------------------------------------------------------------------------------------------------------------------

    public func signal() -> Flow<Signal> { flow { $0.simulated ? .none : $0.signal } }
    public func simulated() -> Flow<Bool> { flow { $0.simulated } }
    public func simulateOffline(_ simulate: Bool) async throws { try call("simulate \(simulate)") { $0.simulated = simulate } }
    public func diagnostics() async throws -> String { try call("diagnostics") { _ in "fake\n" } }
    public func backup(to file: URL) async throws { try call("backup") { _ in } }

    public func putBack(_ copy: URL, discarding: Discard?) async throws {
        try replace("putBack \(copy.lastPathComponent)", discarding, by: .atWork)
    }

    public func erase(discarding: Discard?) async throws { try replace("erase", discarding, by: FakePhone()) }

    public func salvage(to file: URL) async throws -> Salvaged {
        try call("salvage \(file.lastPathComponent)") { Salvaged(unsent: $0.outbox.count, whole: false) }
    }

    private func replace(_ call: String, _ discard: Discard?, by next: FakePhone) throws {
        try self.call(discard.map { "\(call) \($0.actor): \($0.reason)" } ?? call) { phone in
            let lost = phone.outbox.count
            if lost > 0, discard == nil { throw GatewayFailure(code: "undelivered", count: lost) }
            let calls = phone.calls
            phone = next
            phone.calls = calls
        }
    }
}

extension FakePhone {
    fileprivate func workflow(_ key: String) throws -> WorkflowOutline {
        guard let found = workflows.first(where: { $0.item.workflow.key == key }) else { throw GatewayFailure(code: "unknown_workflow") }
        return found
    }

    fileprivate func session(_ key: String) throws -> SessionNow {
        guard let found = sessions[key] else { throw GatewayFailure(code: "unknown_session") }
        return found
    }

    fileprivate func record(_ key: String) throws -> RecordNow {
        guard var found = records[key] else { throw GatewayFailure(code: "unknown_session") }
        found.fields = found.fields.map { $0.with(draft: drafts["\(key)/\($0.definition.key)"]) }
        return found
    }

    fileprivate mutating func run(_ key: String, _ command: (inout SessionNow) -> Void) throws -> Done {
        var session = try session(key)
        guard session.phase == .inProgress else { throw GatewayFailure(code: "not_in_progress") }
        command(&session)
        let changed = session != sessions[key]
        sessions[key] = session
        return Done(session: session, changed: changed)
    }

    fileprivate mutating func revise(_ key: String, _ change: (inout [OutlineSection]) -> Void) throws -> WorkflowItem {
        let before = try workflow(key)
        var sections = before.sections
        change(&sections)
        let old = before.item
        let name = WorkflowRef(
            key: key, name: old.workflow.name, version: old.workflow.version, localRevision: old.workflow.localRevision + 1)
        let item = WorkflowItem(workflow: name, about: old.about, startable: old.startable, findings: old.findings)
        workflows = workflows.map { $0 == before ? WorkflowOutline(item: item, start: before.start, sections: sections) : $0 }
        return item
    }

    fileprivate mutating func setAction(_ action: String, of session: String, _ state: ActionStatus) {
        guard let before = records[session] else { return }
        records[session]?.actions = before.actions.map { $0.key == action ? $0.with(state) : $0 }
    }
}

extension SessionNow {
    fileprivate mutating func hold(_ field: String, _ change: (FieldView) -> FieldView) {
        fields = fields.map { $0.definition.key == field ? change($0) : $0 }
    }

    fileprivate mutating func set(_ changes: [FieldChange]) {
        for edit in changes {
            hold(edit.field) { $0.with(state: edit.change.state, draft: nil) }
            if edit.change != .clear { problems.removeAll { $0.field == edit.field } }
        }
    }

    fileprivate mutating func enter(_ key: String, of outline: WorkflowOutline, answer: String?) {
        guard let next = outline.sections.first(where: { $0.key == key }) else { return }
        if let answer, let last = path.popLast() { path.append(.step(last.visit, last.section, last.sectionName, answer)) }
        visit += 1
        section = next.key
        sectionName = next.name
        path.append(.step(visit, next.key, next.name, nil))
        fields = next.fields.map { FieldView(blank: $0) }
        answers = next.answers.enumerated().map { Answer(key: "answer-\($0.offset)", name: $0.element.name, next: $0.element.next) }
        isEnd = next.isEnd
        win = next.win
        problems = []
        canComplete = next.isEnd
        messages = next.actions.map { ActionPreview(key: $0.key, name: $0.name, section: key, endpoint: $0.endpoint) }
    }
}

extension FieldView {
    /// A field that nothing was given for.
    init(blank definition: FieldDefinition) {
        self.init(definition: definition, state: .notProvided, completedAt: nil, source: nil, draft: nil, problem: nil)
    }

    func with(state: FieldState? = nil, draft: String?) -> FieldView {
        FieldView(definition: definition, state: state ?? self.state, completedAt: completedAt, source: source, draft: draft, problem: problem)
    }
}

extension RecordField {
    fileprivate func with(state: FieldState? = nil, draft: String?) -> RecordField {
        RecordField(definition: definition, section: section, state: state ?? self.state, completedAt: completedAt, source: source, draft: draft)
    }
}

extension PathStep {
    static func step(_ visit: UInt32, _ section: String, _ name: String, _ answer: String?) -> PathStep {
        PathStep(visit: visit, section: section, sectionName: name, at: FakePhone.moment, answer: answer, answerName: answer)
    }
}

extension Action {
    fileprivate func with(_ status: ActionStatus) -> Action {
        Action(
            key: key, name: name, integration: integration, section: section, endpoint: endpoint, status: status, reason: reason,
            failedSends: failedSends, locked: locked, canSend: canSend, canSendCorrected: canSendCorrected, canAbandon: canAbandon,
            deliveries: deliveries)
    }
}
