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
        WorkflowItem(workflow: workflow, about: description, startable: startable, findings: findings.map { $0.app(whole) })
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

extension SessionView {
    func app() -> SessionNow {
        SessionNow(
            key: key, workflow: workflow, phase: state, startedAt: startedAt, visit: visit, section: section.key,
            sectionName: section.name, content: section.content, isEnd: section.isEnd, win: section.win,
            fields: fields, answers: answers, replies: responses, path: path, notes: notes, noteDraft: noteDraft, problems: problems,
            canComplete: canComplete, completionProblems: completionProblems, messages: wouldFire)
    }
}

extension SessionRecord {
    func app() -> RecordNow {
        RecordNow(
            key: key, workflow: workflow, phase: state, won: won ?? false, actor: actor, startedAt: startedAt,
            finishedAt: finishedAt, endReason: endReason, fields: fields, notes: notes, timeline: timeline,
            actions: actions)
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
