import CompassCore
import Foundation

// From the core's words to the app's.

extension CompassError {
    func app() -> GatewayFailure {
        // The core counts in its words alone: "2 messages are …", and without a number where it cannot.
        let count = code == .undelivered ? detail.split(separator: " ").first.flatMap { Int($0) } : nil
        return GatewayFailure(
            code: code.rawValue, problems: problems, findings: findings.map { $0.app(nil) }, count: count)
    }
}

extension WorkflowRef {
    func app() -> WorkflowName { WorkflowName(key: key, name: name, version: Int(version), revision: Int(localRevision)) }
    func version() -> WorkflowVersion { WorkflowVersion(version: version, localRevision: localRevision) }
}

extension Finding {
    /// With the names of what it is about, where the workflow is known.
    func app(_ workflow: Workflow?) -> WorkflowFinding {
        let level: FindingLevel = switch severity {
        case .error: .error
        case .incomplete: .incomplete
        case .warning: .warning
        }
        // `/sections/1/answers/0`
        let path = pointer.split(separator: "/").map(String.init)
        var section: WorkflowSection?, answer: Answer?
        if let workflow, path.count > 1, path[0] == "sections", let number = Int(path[1]), workflow.sections.indices.contains(number) {
            section = workflow.sections[number]
            if path.count > 3, path[2] == "answers", let number = Int(path[3]), let answers = section?.answers, answers.indices.contains(number) {
                answer = answers[number]
            }
        }
        return WorkflowFinding(level: level, code: code, detail: message, section: section?.name, answer: answer?.name)
    }
}

extension WorkflowSummary {
    func app(_ whole: Workflow?) -> WorkflowItem {
        WorkflowItem(workflow: workflow.app(), about: description, startable: startable, findings: findings.map { $0.app(whole) })
    }
}

extension Workflow {
    func outline(_ item: WorkflowItem) -> WorkflowOutline {
        let infos = Dictionary(fields.map { ($0.key, $0) }, uniquingKeysWith: { one, _ in one })
        return WorkflowOutline(
            item: item, start: start,
            sections: sections.map { section in
                OutlineSection(
                    key: section.key, name: section.name, fields: section.fields.compactMap { infos[$0] },
                    answers: section.answers.map { OutlineAnswer(name: $0.name, next: $0.next) },
                    actions: section.actions.map { OutlineAction(key: $0.key, name: $0.name, endpoint: $0.endpoint) }, win: section.win)
            })
    }
}

extension SessionState {
    func app() -> SessionPhase {
        switch self {
        case .inProgress: .inProgress
        case .completed: .completed
        case .ended: .ended
        case .discarded: .discarded
        }
    }
}

extension Note {
    func app() -> SessionNote { SessionNote(number: Int(seq), at: at, text: text ?? "", actor: actor, edited: edited) }
}

extension SessionView {
    func app() -> SessionNow {
        SessionNow(
            key: key, workflow: workflow.app(), phase: state.app(), startedAt: startedAt, visit: Int(visit), section: section.key,
            sectionName: section.name, content: section.content, isEnd: section.isEnd, win: section.win,
            fields: fields,
            answers: answers.map { SessionAnswer(key: $0.key, name: $0.name) },
            replies: responses.map { SessionReply(key: $0.key, name: $0.name, kind: $0.kind.app(), content: $0.content) },
            path: path.map { Step(visit: Int($0.visit), section: $0.section, name: $0.sectionName, answer: $0.answerName) },
            notes: notes.map { $0.app() }, noteDraft: noteDraft, problems: problems, canComplete: canComplete,
            completionProblems: completionProblems,
            messages: wouldFire.map { PlannedMessage(action: $0.key, name: $0.name, endpoint: $0.endpoint) })
    }
}

extension SessionSummary {
    func app() -> SessionItem {
        SessionItem(
            key: key, workflow: workflow.app(), phase: state.app(), won: won ?? false, actor: actor, startedAt: startedAt,
            sectionName: sectionName, pending: Int(actionsPending), sent: Int(actionsSent), failed: Int(actionsFailed))
    }
}

extension ActionStatus {
    func app() -> ActionState {
        switch self {
        case .notFired: .notFired
        case .pending: .pending
        case .sent: .sent
        case .failed: .failed
        }
    }
}

extension SessionRecord {
    func app() -> RecordNow {
        RecordNow(
            key: key, workflow: workflow.app(), phase: state.app(), won: won ?? false, actor: actor, startedAt: startedAt,
            finishedAt: finishedAt, endReason: endReason,
            fields: fields,
            notes: notes.map { $0.app() },
            timeline: timeline.map { Moment(number: Int($0.seq), at: $0.at, actor: $0.actor, happenings: $0.entry.app()) },
            actions: actions.map { $0.app() })
    }
}

extension TimelineEntry {
    fileprivate func app() -> [Happening] {
        switch self {
        case .started(let section, let prefilled): [.started(section: section, prefilled: prefilled)]
        case .fieldsSet(let fields): [.fieldsSet(fields)]
        case .answered(let section, let answer, _, _, let superseded): [.answered(section: section, answer: answer, superseded: superseded)]
        case .wentBack(_, let section): [.wentBack(section: section)]
        case .responseUsed(_, let name, let kind, _): [.replyUsed(name, kind.app())]
        case .noted(let text): [.noted(text ?? "")]
        case .completed(let section, let won): [.completed(section: section, won: won)]
        case .ended(let section, let reason): [.ended(section: section, reason: reason)]
        case .discarded: [.discarded]
        case .edited(let fields, let notes):
            fields.map { .fieldEdited($0) } + notes.map { .noteEdited($0.to ?? "") }
        case .sendRequested(_, let name, let corrected, _): [.sendRequested(action: name, corrected: corrected)]
        case .abandoned(_, let name, let reason): [.abandoned(action: name, reason: reason)]
        case .redacted: []
        }
    }
}

extension Action {
    func app() -> RecordAction {
        let newest = deliveries.first
        return RecordAction(
            key: key, name: name, endpoint: endpoint, state: status.app(), reason: reason, failedSends: Int(failedSends), locked: locked,
            canSend: canSend, canSendCorrected: canSendCorrected, canAbandon: canAbandon, sentAt: newest?.sentAt,
            nextAttemptAt: newest?.nextAttemptAt, attempts: Int(newest?.attempts ?? 0),
            lastAttempts: (newest?.lastAttempts ?? []).map {
                SendTry(number: Int($0.number), at: $0.at, status: $0.status.map(Int.init), outcome: $0.outcome)
            },
            mayHaveBeenDelivered: newest?.mayHaveBeenDelivered ?? false)
    }
}

extension OutboxItem {
    func app() -> OutboxLine {
        OutboxLine(
            session: session, workflow: workflow.app(), action: action, name: actionName, endpoint: delivery.endpoint,
            state: delivery.state == .failed ? .failed : delivery.state == .sent ? .sent : .pending, reason: delivery.reason,
            frozenAt: delivery.frozenAt, nextAttemptAt: delivery.nextAttemptAt, attempts: Int(delivery.attempts), needsPerson: needsPerson,
            mayHaveBeenDelivered: delivery.mayHaveBeenDelivered)
    }
}

extension OutboxTotals {
    func app() -> OutboxNumbers {
        OutboxNumbers(waiting: Int(pending), failed: Int(failed), needsPerson: Int(needsPerson), oldest: oldestUnsentAt)
    }
}

extension EndpointStatus {
    func app() -> EndpointLine {
        var secret: String?
        if case .standardWebhooks(let name) = endpoint.signing { secret = name }
        return EndpointLine(
            key: endpoint.key, url: endpoint.url, secret: secret, wifiOnly: endpoint.network == .unmetered, enabled: enabled,
            disabledReason: disabledReason, failingReason: failingReason, waiting: Int(pending))
    }
}

extension ResponseKind {
    func app() -> ReplyKind {
        switch self {
        case .objection: .objection
        case .customerQuestion: .customerQuestion
        }
    }
}
