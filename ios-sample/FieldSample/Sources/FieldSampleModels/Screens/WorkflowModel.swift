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
    public private(set) var outline: WorkflowOutline?
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
        turns.follow(work.gateway.outline(of: workflow)) { [weak self] in
            self?.outline = $0
            self?.findings = $0.item.findings.map(\.words)
        }
        turns.follow(work.gateway.endpoints()) { [weak self] in self?.endpoints = $0.map(\.key) }
    }

    public func settled() async { await turns.done() }

    /// The name of the section that an answer leads to; none while it is not linked.
    public func target(of answer: OutlineAnswer) -> String? { outline?.sections.first { $0.key == answer.next }?.name }

    public func start() {
        turns.take { [self] in
            guard outline?.item.startable == true, work.navigator.top == .workflow(workflow) else { return }
            let session = try await work.gateway.start(workflow, actor: work.actor, command: work.newCommand())
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
        change(.noticeActionAdded) { [work, workflow] in
            try await work.gateway.addMessage(
                to: sheet.section, of: workflow, name: sheet.name.trimmingCharacters(in: .whitespaces), endpoint: endpoint)
        }
    }

    public func openRemove(_ action: String, from section: String) {
        let actions = outline?.sections.first { $0.key == section }?.actions
        removing = actions?.first { $0.key == action }.map { RemoveQuestion(section: section, action: $0.key, name: $0.name) }
    }

    public func remove() {
        guard let question = removing else { return }
        change(.noticeActionRemoved) { [work, workflow] in
            try await work.gateway.removeAction(question.action, from: question.section, of: workflow)
        }
    }

    public func openSettings() { work.navigator.open(.settings) }

    private func change(_ said: TextId, _ change: @escaping @MainActor () async throws -> WorkflowItem) {
        // A second tap was meant for the same change.
        if saving { return }
        saving = true
        turns.take { [self] in
            defer { saving = false }
            let changed = try await change()
            adding = nil
            removing = nil
            notice = Notice(words: .text(said, .plain(changed.workflow.label)))
        }
    }
}
