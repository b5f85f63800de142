import CompassCore
import Foundation
import Observation

/// Adding an action: first tap "add" on a section, second tap an endpoint (chosen already when there is one), third tap "add".
public struct AddSheet: Hashable, Sendable {
    public let section: String, sectionName: String
    /// What the record will call it; filled in, and can be changed.
    public var name: String
    public let endpoints: [String]
    public var chosen: String?

    public var canAdd: Bool { chosen != nil && !name.allSatisfy(\.isWhitespace) }
}

/// Shall this action go?
public struct RemoveQuestion: Hashable, Sendable {
    public let section: String, action: String, name: String
    public var words: Phrase { .text(.questionRemove, .plain(name)) }
}

/// A workflow's outline; its actions can be changed here, which makes a revision of this phone's own.
@MainActor @Observable
public final class WorkflowModel {
    public private(set) var outline: Workflow?
    public private(set) var version = ""
    public private(set) var startable = false
    public private(set) var findings: [Phrase] = []
    public private(set) var saving = false
    public var adding: AddSheet?
    public var removing: RemoveQuestion?
    public var notice: Notice?

    private let workflow: String
    private let work: Workplace
    private let turns = Turns()
    private var endpoints: [String] = []

    public init(_ workflow: String, _ work: Workplace) {
        (self.workflow, self.work) = (workflow, work)
        turns.refused = { [weak self] in self?.notice = Notice(words: $0, failed: true) }
        turns.follow(work.compass.observeWorkflows()) { [weak self, work] summaries in
            guard let summary = summaries.first(where: { $0.current && $0.workflow.key == workflow }) else {
                throw CompassError(code: .unknownWorkflow)
            }
            let whole = try await work.compass.workflow(summary.workflow)
            self?.version = summary.workflow.label
            self?.startable = summary.startable
            self?.findings = summary.findings.map { $0.words(whole) }
            self?.outline = whole
        }
        turns.follow(work.compass.observeEndpoints()) { [weak self] in
            self?.endpoints = $0.filter { $0.archivedAt == nil }.map(\.endpoint.key)
        }
    }

    public func settled() async { await turns.done() }

    /// The name of the section that an answer leads to; none while it is not linked.
    public func target(of answer: Answer) -> String? { outline?.sections.first { $0.key == answer.next }?.name }

    /// The fields of a section, in its order.
    public func fields(of section: WorkflowSection) -> [FieldDefinition] {
        section.fields.compactMap { key in outline?.fields.first { $0.key == key } }
    }

    public func start() {
        turns.take { [self] in
            guard startable, work.navigator.top == .workflow(workflow) else { return }
            let session = try await work.compass.start(workflow, actor: work.actor).view
            work.navigator.open(.session(session.key))
        }
    }

    public func openAdd(_ section: String) {
        guard let section = outline?.sections.first(where: { $0.key == section }) else { return }
        // With one endpoint there is nothing to choose, and a tap less.
        adding = AddSheet(
            section: section.key, sectionName: section.name, name: section.name, endpoints: endpoints,
            chosen: endpoints.count == 1 ? endpoints[0] : nil)
    }

    public func add() {
        guard let sheet = adding, sheet.canAdd, let endpoint = sheet.chosen else { return }
        change(.noticeActionAdded) { [work, workflow] document in
            let taken = Set(try await work.compass.workflow(workflow).sections.flatMap { $0.actions.map(\.key) })
            let key = (1...).lazy.map { "message-\($0)" }.first { !taken.contains($0) }!
            let name = sheet.name.trimmingCharacters(in: .whitespaces)
            try document.addAction(ActionDefinition(key: key, name: name, integration: .webhooks, kind: .sendMessage, endpoint: endpoint), to: sheet.section)
        }
    }

    public func openRemove(_ action: String, from section: String) {
        let actions = outline?.sections.first { $0.key == section }?.actions
        removing = actions?.first { $0.key == action }.map { RemoveQuestion(section: section, action: $0.key, name: $0.name) }
    }

    public func remove() {
        guard let question = removing else { return }
        change(.noticeActionRemoved) { try $0.removeAction(question.action, from: question.section) }
    }

    public func openSettings() { work.navigator.open(.settings) }

    /// A new revision, on this phone.
    private func change(_ said: TextId, _ change: @escaping @MainActor (inout WorkflowDocument) async throws -> Void) {
        // A second tap was meant for the same change.
        if saving { return }
        saving = true
        turns.take { [self] in
            defer { saving = false }
            var document = WorkflowDocument(try await work.compass.workflowDocument(workflow))
            try await change(&document)
            let changed = try await work.compass.importWorkflow(document.bytes).workflow
            adding = nil
            removing = nil
            notice = Notice(words: .text(said, .plain(changed.workflow.label)))
        }
    }
}
