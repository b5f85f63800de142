import CompassCore
import Observation

/// A session in progress, to go on with.
public struct ResumeCard: Hashable, Sendable {
    public let session: String, workflowName: String, sectionName: String, startedAt: Phrase
}

/// A workflow; `findings` say why it cannot be started.
public struct WorkflowCard: Hashable, Sendable, Identifiable {
    public let key: String, name: String, about: String?, version: String, startable: Bool, findings: [Phrase]
    public var id: String { key }
    /// That it is incomplete, where it is.
    public var mark: Phrase? { startable ? nil : .text(.labelIncomplete) }
}

/// The list of workflows, with the session to go on with on top.
@MainActor @Observable
public final class WorkflowsModel {
    public private(set) var loading = true
    public private(set) var resume: ResumeCard?
    /// "2 more sessions in progress": opens the list of sessions.
    public private(set) var moreInProgress: Phrase?
    public private(set) var workflows: [WorkflowCard] = []
    /// The workflow whose session is being started.
    public private(set) var starting: String?
    public var notice: Notice?

    private let work: Workplace
    private let turns = Turns()

    public init(_ work: Workplace) {
        self.work = work
        turns.refused = { [weak self] in self?.notice = Notice(words: $0, failed: true) }
        turns.follow(work.compass.observeWorkflows()) { [weak self, work] summaries in
            var cards: [WorkflowCard] = []
            for summary in summaries where summary.current {
                // A warning is for the author; what keeps a session from being started is for everybody.
                let findings = try await work.compass.words(summary.findings.filter { $0.severity != .warning }, of: summary.workflow)
                cards.append(
                    WorkflowCard(
                        key: summary.workflow.key, name: summary.workflow.name, about: summary.description, version: summary.workflow.label,
                        startable: summary.startable, findings: findings))
            }
            self?.loading = false
            self?.workflows = cards.sorted { $0.name < $1.name }
        }
        // More than this is "50 more".
        var open = SessionFilter()
        open.states = [.inProgress]
        turns.follow(work.compass.observeSessions(open, limit: 51)) { [weak self] list in
            self?.resume = list.sessions.first.map {
                ResumeCard(
                    session: $0.key, workflowName: $0.workflow.name, sectionName: $0.sectionName, startedAt: .moment($0.startedAt))
            }
            self?.moreInProgress = list.sessions.count > 1 ? .count(.moreInProgress, list.sessions.count - 1) : nil
        }
    }

    public func settled() async { await turns.done() }

    public func goOn() {
        if let resume { work.navigator.open(.session(resume.session)) }
    }

    public func openMore() { work.navigator.open(.sessions) }

    public func open(_ workflow: String) { work.navigator.open(.workflow(workflow)) }

    public func start(_ workflow: String) {
        turns.take { [self] in
            // A second tap was meant for the same session.
            guard work.navigator.top == .workflows else { return }
            starting = workflow
            defer { starting = nil }
            let session = try await work.compass.start(workflow, actor: work.actor).view
            work.navigator.open(.session(session.key))
        }
    }
}
