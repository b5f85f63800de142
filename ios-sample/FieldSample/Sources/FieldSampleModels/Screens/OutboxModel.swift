import CompassCore
import Foundation
import Observation

/// A message that is not delivered; `detail` says when it is tried next.
public struct OutboxRow: Hashable, Sendable, Identifiable {
    public let session: String, action: String, name: String, workflowName: String, endpoint: String
    public let state: ActionStatus, reason: Phrase?, detail: Phrase?, attempts: Phrase?, warning: Phrase?, savedAt: Phrase
    public var id: String { session + "/" + action }
}

/// The outbox: what is saved and not delivered.
@MainActor @Observable
public final class OutboxModel {
    public private(set) var loading = true
    /// "3 messages wait".
    public private(set) var waiting = Phrase.count(.outboxWaiting, 0)
    /// "1 message needs you", none when there is none.
    public private(set) var needsPerson: Phrase?
    /// Since when the oldest waits.
    public private(set) var oldest: Phrase?
    public private(set) var nextAttempt: Phrase?
    /// What needs a person, on top.
    public private(set) var persons: [OutboxRow] = []
    public private(set) var lines: [OutboxRow] = []
    public private(set) var more = false
    public private(set) var sending = false
    public private(set) var canSendNow = false
    public private(set) var canSendFailedAgain = false
    public var notice: Notice?
    public var isEmpty: Bool { !loading && persons.isEmpty && lines.isEmpty }

    private static let page = 30
    private let work: Workplace
    private let turns = Turns()
    private var limit = 0
    private var following: Task<Void, Never>?

    public init(_ work: Workplace) {
        self.work = work
        turns.refused = { [weak self] in self?.notice = Notice(words: $0, failed: true) }
        turns.follow(work.compass.observeOutboxTotals()) { [weak self] totals in
            self?.waiting = .count(.outboxWaiting, Int(totals.pending))
            self?.needsPerson = totals.needsPerson > 0 ? .count(.outboxNeedsPerson, Int(totals.needsPerson)) : nil
            self?.oldest = totals.oldestUnsentAt.map { .text(.labelSince, .moment($0)) }
            self?.canSendNow = totals.pending > 0
            self?.canSendFailedAgain = totals.failed > 0
        }
        ask(Self.page)
    }

    public func settled() async { await turns.done() }

    public func showMore() {
        if more { ask(limit + Self.page) }
    }

    public func open(_ session: String) { work.navigator.open(.record(session)) }

    public func sendNow() {
        if sending { return }
        sending = true
        turns.takeAside { [self] in
            defer { sending = false }
            // A person asks; but what plays to be without a network stays without.
            let report = try await work.compass.flush(deadline: .seconds(20), urgent: !work.network.state.value.simulated)
            let words: Phrase =
                report.sent > 0 ? .count(.sentNow, Int(report.sent)) : .text(report.end == .offline ? .noticeStillOffline : .noticeNothingToSend)
            notice = Notice(words: words)
        }
    }

    public func sendFailedAgain() {
        turns.take { [self] in notice = Notice(words: .count(.sentAgain, Int(try await work.compass.sendFailedAgain(actor: work.actor)))) }
    }

    private func ask(_ limit: Int) {
        self.limit = limit
        following?.cancel()
        following = turns.follow(work.compass.observeOutbox(limit: UInt32(limit))) { [weak self] list in
            if Task.isCancelled { return }
            self?.loading = false
            self?.more = list.next != nil
            self?.persons = list.items.filter(\.needsPerson).map(\.row)
            let rest = list.items.filter { !$0.needsPerson }
            self?.lines = rest.map(\.row)
            self?.nextAttempt = rest.compactMap(\.delivery.nextAttemptAt).min().map { .text(.actionNextAttempt, .moment($0)) }
        }
    }
}

extension OutboxItem {
    fileprivate var row: OutboxRow {
        OutboxRow(
            session: session, action: action, name: actionName, workflowName: workflow.name, endpoint: delivery.endpoint,
            state: delivery.state == .failed ? .failed : delivery.state == .sent ? .sent : .pending,
            reason: delivery.reason.map(reasonWords), detail: delivery.nextAttemptAt.map { .text(.actionNextAttempt, .moment($0)) },
            attempts: delivery.attempts > 0 ? .count(.attempts, Int(delivery.attempts)) : nil,
            warning: delivery.mayHaveBeenDelivered ? .text(.actionMaybeDelivered) : nil, savedAt: .moment(delivery.frozenAt))
    }
}
