import CompassCore
import Foundation

// What FakeCompass makes of a command, as far as it goes without rules.
extension SessionView {
    mutating func carryOut(_ command: Command, by actor: String?, answers: [String: SessionView]) {
        switch command {
        case .setFields(let changes): for change in changes { set(change) }
        case .answer(_, let answer): self = answers[answer] ?? self
        case .note(_, let text):
            notes.append(Note(seq: UInt32(notes.count + 1), at: fixtureTime, actor: actor, text: text, edited: false))
            noteDraft = nil
        case .complete:
            finish(.completed)
            won = section.win
        case .end: finish(.ended)
        case .discard: finish(.discarded)
        case .back, .useResponse, .edit: break
        }
    }

    private mutating func finish(_ state: SessionState) {
        (self.state, finishedAt, answers, canComplete) = (state, fixtureTime, [], false)
    }

    private mutating func set(_ change: FieldChange) {
        for index in fields.indices where fields[index].definition.key == change.field {
            fields[index] = FieldView(
                definition: fields[index].definition, state: change.change.state, completedAt: change.change.time,
                source: change.change.source, problem: change.change == .clear ? fields[index].problem : nil)
        }
        if change.change != .clear { problems.removeAll { $0.field == change.field } }
    }

    mutating func draft(_ text: String, field: String) {
        for index in fields.indices where fields[index].definition.key == field { fields[index].draft = text.isEmpty ? nil : text }
    }
}

extension SessionRecord {
    mutating func edit(_ fields: [FieldChange], _ notes: [NoteChange]) {
        for change in fields {
            for index in self.fields.indices where self.fields[index].definition.key == change.field {
                self.fields[index] = RecordField(
                    definition: self.fields[index].definition, section: self.fields[index].section, state: change.change.state,
                    completedAt: change.change.time, source: change.change.source)
            }
        }
        for change in notes {
            for index in self.notes.indices where self.notes[index].seq == change.note {
                (self.notes[index].text, self.notes[index].edited) = (change.text, true)
            }
        }
    }

    mutating func draft(_ text: String, field: String) {
        for index in fields.indices where fields[index].definition.key == field { fields[index].draft = text.isEmpty ? nil : text }
    }
}

// What it does not have, it refuses as the core does.
extension FakeState {
    func missing(_ session: SessionKey) -> CompassError {
        CompassError(code: deleted.contains(session) ? .deletedSession : .unknownSession)
    }

    func mustHave(_ session: SessionKey) throws {
        let known = views[session] != nil || records[session] != nil || sessions.contains { $0.key == session }
        if !known { throw missing(session) }
    }

    func mustHave(_ key: String, _ version: WorkflowVersion) throws {
        if !workflows.contains(where: { $0.workflow.isOf(key, version) }) { throw CompassError(code: .unknownWorkflow, place: key) }
    }

    func mustHave(endpoint key: String) throws {
        if !endpoints.contains(where: { $0.endpoint.key == key }) { throw CompassError(code: .unknownEndpoint, place: key) }
    }

    /// An endpoint that is not registered may have messages or actions.
    func mustName(_ endpoint: String) throws {
        let named = outbox.contains { $0.delivery.endpoint == endpoint } || records.values.contains { $0.actions.contains { $0.endpoint == endpoint } }
        if !named { try mustHave(endpoint: endpoint) }
    }
}

extension WorkflowRef {
    func isOf(_ key: String, _ version: WorkflowVersion) -> Bool {
        self.key == key && self.version == version.version && localRevision == version.localRevision
    }
}

extension Change {
    fileprivate var time: Date? { self == .clear ? nil : fixtureTime }
    fileprivate var source: ValueSource? { self == .clear ? nil : .technician }
}

extension SessionSummary {
    /// Whether a filter takes it. What is searched for is in no summary.
    func isIn(_ filter: SessionFilter) -> Bool {
        let (from, before) = (filter.startedFrom ?? .distantPast, filter.startedBefore ?? .distantFuture)
        let ofStatus: UInt32? = switch filter.actionStatus {
        case .notFired?: actionsNotFired
        case .pending?: actionsPending
        case .sent?: actionsSent
        case .failed?: actionsFailed
        case nil: nil
        }
        return (filter.states.isEmpty ? state != .discarded : filter.states.contains(state))
            && (filter.workflow ?? workflow.key) == workflow.key && startedAt >= from && startedAt < before
            && (filter.won == nil || filter.won == won) && (filter.actor == nil || filter.actor == actor) && ofStatus != 0
    }
}

extension FakeCompass {
    /// What `refuseNext` may name: the calls of a handle that a fake keeps, and the commands of `run`.
    package static let callsAndCommands: Set<String> = [
        "importWorkflow", "workflows", "workflow", "workflowDocument", "lintWorkflow", "retireWorkflow", "forgetWorkflow", "start", "run",
        "saveDraft", "saveNoteDraft", "session", "sessions", "record", "totals", "delete", "files", "setIntegrationEnabled",
        "integrationEnabled", "putEndpoint", "archiveEndpoint", "setEndpointEnabled", "endpoints", "testDelivery", "send", "sendCorrected",
        "abandon", "abandonSession", "redact", "sendFailedAgain", "sendNotFired", "replay", "replaySession", "replaySent", "outbox",
        "outboxTotals", "preview", "deliveryBody", "flush", "startDelivery", "stopDelivery", "nextDue", "secretsChanged", "setConnectivity",
        "resume", "quiesce", "refresh", "purge", "purgeAllBefore", "backup", "check", "close", "whileClosed", "restore", "erase",
        "setFields", "answer", "back", "useResponse", "note", "complete", "end", "discard", "edit",
    ]
}

extension Command {
    /// As `refuseNext` has it.
    var name: String {
        switch self {
        case .setFields: "setFields"
        case .answer: "answer"
        case .back: "back"
        case .useResponse: "useResponse"
        case .note: "note"
        case .complete: "complete"
        case .end: "end"
        case .discard: "discard"
        case .edit: "edit"
        }
    }
}
