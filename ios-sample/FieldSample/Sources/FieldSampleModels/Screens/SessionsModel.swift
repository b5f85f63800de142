import CompassCore
import Foundation
import Observation

/// The filters of the list, one at a time.
public enum SessionsFilter: String, CaseIterable, Sendable {
    case all, inProgress, completed, won, ended, waiting, failed

    public var words: Phrase {
        switch self {
        case .all: .text(.labelAll)
        case .inProgress: .text(.sessionInProgress)
        case .completed: .text(.sessionCompleted)
        case .won: .text(.sessionWon)
        case .ended: .text(.sessionEnded)
        case .waiting: .text(.headingWaiting)
        case .failed: .text(.actionFailed)
        }
    }
}

/// A session in the list.
public struct SessionRow: Hashable, Sendable, Identifiable {
    public let session: String, workflowName: String, sectionName: String, status: Phrase, won: Bool, inProgress: Bool
    public let startedAt: Phrase, actor: String?
    /// How many of its messages wait, failed and were sent; a row shows those above zero.
    public let waiting: Int, failed: Int, sent: Int
    /// It was edited, and the newest message of an action has other values.
    public let changed: Bool
    public var id: String { session }
}

/// The list of sessions.
@MainActor @Observable
public final class SessionsModel {
    public private(set) var loading = true
    public private(set) var sessions: [SessionRow] = []
    public private(set) var more = false
    public private(set) var failure: Phrase?
    /// What is searched in notes and texts of finished sessions.
    public var text = "" { didSet { if text != oldValue { ask(Self.page) } } }
    public var filter = SessionsFilter.all { didSet { if filter != oldValue { ask(Self.page) } } }

    private static let page = 30
    private let work: Workplace
    private let turns = Turns()
    private var limit = 0
    private var following: Task<Void, Never>?

    public init(_ work: Workplace) {
        self.work = work
        turns.refused = { [weak self] in self?.failure = $0 }
        ask(Self.page)
    }

    public func showMore() {
        if more { ask(limit + Self.page) }
    }

    public func open(_ session: String) {
        guard let row = sessions.first(where: { $0.session == session }) else { return }
        work.navigator.open(row.inProgress ? .session(session) : .record(session))
    }

    private func ask(_ limit: Int) {
        self.limit = limit
        failure = nil
        following?.cancel()
        following = turns.follow(work.compass.observeSessions(query, limit: UInt32(limit))) { [weak self] list in
            // What was asked for before is not wanted any more.
            if Task.isCancelled { return }
            self?.loading = false
            self?.more = list.next != nil
            self?.sessions = list.sessions.map {
                SessionRow(
                    session: $0.key, workflowName: $0.workflow.name, sectionName: $0.sectionName, status: $0.state.words(won: $0.won ?? false),
                    won: $0.won ?? false, inProgress: $0.state == .inProgress, startedAt: .moment($0.startedAt), actor: $0.actor,
                    waiting: Int($0.actionsPending), failed: Int($0.actionsFailed), sent: Int($0.actionsSent), changed: $0.actionsDiffering > 0)
            }
        }
    }

    private var query: SessionFilter {
        let words = text.trimmingCharacters(in: .whitespaces)
        var query = SessionFilter()
        query.text = words.isEmpty ? nil : words
        switch filter {
        case .all: break
        case .inProgress: query.states = [.inProgress]
        case .completed: query.states = [.completed]
        case .won: query.won = true
        case .ended: query.states = [.ended]
        case .waiting: query.actionStatus = .pending
        case .failed: query.actionStatus = .failed
        }
        return query
    }
}
