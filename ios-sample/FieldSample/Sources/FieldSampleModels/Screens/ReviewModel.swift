import CompassCore

import Observation

/// A field with what it holds.
public struct FieldLine: Hashable, Sendable, Identifiable {
    public let key: String, name: String, value: Phrase, provided: Bool
    public var id: String { key }
}

/// A field that is missing; `visit` is the step that asks it.
public struct MissingField: Hashable, Sendable, Identifiable {
    public let field: String, name: String, problem: Phrase, visit: UInt32?
    public var id: String { field }
}

/// Review and complete. Completing needs no signal: what is to be sent is saved with it. For webhooks there is nothing to confirm.
@MainActor @Observable
public final class ReviewModel {
    public private(set) var loading = true
    public private(set) var workflowName = ""
    public private(set) var sectionName = ""
    public private(set) var win = false
    public private(set) var fields: [FieldLine] = []
    public private(set) var messages: [ActionPreview] = []
    /// "3 messages will be sent".
    public private(set) var willSend: Phrase?
    /// Webhooks are off: nothing will be sent.
    public private(set) var integrationOff = false
    public private(set) var missing: [MissingField] = []
    public private(set) var canComplete = false
    public private(set) var completing = false
    public var notice: Notice?

    private let session: String
    private let work: Workplace
    private let turns = Turns()
    private var known: SessionView?
    private var record: SessionRecord?
    private var integrationOn = true

    public init(_ session: String, _ work: Workplace) {
        (self.session, self.work) = (session, work)
        turns.refused = { [weak self] in self?.notice = Notice(words: $0, failed: true) }
        turns.follow(work.compass.observeSession(session)) { [weak self] in
            self?.known = $0
            self?.draw()
        }
        turns.follow(work.compass.observeRecord(session)) { [weak self] in
            self?.record = $0
            self?.draw()
        }
        turns.follow(work.compass.observeIntegration()) { [weak self] in
            self?.integrationOn = $0
            self?.draw()
        }
    }

    public func settled() async { await turns.done() }

    public func complete() {
        guard !completing, let known else { return }
        completing = true
        turns.take { [self] in
            defer { completing = false }
            _ = try await work.compass.complete(known, actor: work.actor)
            // There is no way back into a session that is over.
            work.navigator.openOnRoot(.record(session))
        }
    }

    /// Back to where the field is.
    public func open(_ field: MissingField) {
        turns.take { [self] in
            if let known, let visit = field.visit, visit != known.visit {
                _ = try await work.compass.back(known, to: visit, actor: work.actor)
            }
            work.navigator.back()
        }
    }

    private func draw() {
        guard let now = known, let record else { return }
        // The battery died right after it was completed.
        if now.state != .inProgress, work.navigator.top == .review(session) { work.navigator.openOnRoot(.record(session)) }
        loading = false
        workflowName = now.workflow.name
        sectionName = now.section.name
        win = now.section.win
        fields = record.fields.filter { $0.section != nil }.map { $0.line }
        messages = now.wouldFire
        willSend = now.wouldFire.isEmpty ? nil : .count(.willSend, now.wouldFire.count)
        integrationOff = !integrationOn && !now.wouldFire.isEmpty
        missing = now.completionProblems.map { problem in
            let definition = record.fields.first { $0.definition.key == problem.field }?.definition
            return MissingField(
                field: problem.field, name: definition?.name ?? problem.field, problem: problem.words(definition), visit: problem.visit)
        }
        canComplete = now.canComplete && now.state == .inProgress
    }
}

extension RecordField {
    var line: FieldLine { FieldLine(key: definition.key, name: definition.name, value: state.words(definition), provided: state.value != nil) }
}
