import CompassCore

/// Reads a path of a scenario.
struct Paths {
    let compass: Compass
    let session: SessionKey

    func read(_ path: String) async throws -> String? {
        let parts = path.split(separator: ".").map(String.init)
        switch (parts.first, parts.count) {
        case ("session", 2): return try Self.view(try await compass.session(session), parts[1])
        case ("session", 4) where parts[1] == "fields":
            return try Self.field(find(try await compass.session(session).fields, parts[2]) { $0.definition.key }, parts[3])
        case ("record", 2): return try Self.record(try await compass.record(session), parts[1])
        case ("record", 4) where parts[1] == "fields":
            return try Self.field(find(try await compass.record(session).fields, parts[2]) { $0.definition.key }, parts[3])
        case ("record", 4) where parts[1] == "actions":
            return try Self.action(find(try await compass.record(session).actions, parts[2]) { $0.key }, parts[3])
        case ("preview", 2): return try await compass.preview(parts[1], in: session).body
        case ("outbox", 2): return try Self.outbox(try await compass.outboxTotals(), parts[1])
        case ("due", 2): return try Self.due(try await compass.nextDue(), parts[1])
        case ("endpoints", 3): return try Self.endpoint(find(try await compass.endpoints(), parts[1]) { $0.endpoint.key }, parts[2])
        case ("workflows", 1): return Written.list(try await compass.workflows().map { Written.version($0.workflow) })
        default: throw unknown(path)
        }
    }

    private static func view(_ view: SessionView, _ member: String) throws -> String? {
        switch member {
        case "key": view.key
        case "workflow": Written.version(view.workflow)
        case "state": Written.name(view.state)
        case "won": view.won.map { "\($0)" }
        case "actor": view.actor
        case "started_at": Written.instant(view.startedAt)
        case "finished_at": view.finishedAt.map(Written.instant)
        case "visit": "\(view.visit)"
        case "can_complete": "\(view.canComplete)"
        case "section": view.section.key
        case "path": steps(view.path)
        case "answers": Written.list(view.answers.map(\.key))
        case "responses": Written.list(view.responses.map(\.key))
        case "would_fire": Written.list(view.wouldFire.map(\.key))
        case "sizes": Written.list(view.wouldFire.map { "\($0.key):\($0.size ?? 0)" })
        case "problems": problems(view.problems)
        case "completion_problems": problems(view.completionProblems)
        case "completion_places": try Written.list(view.completionProblems.map(place))
        case "notes": notes(view.notes)
        case "fields": Written.list(view.fields.map(\.definition.key))
        default: throw unknown(member)
        }
    }

    private static func field(_ field: FieldView, _ member: String) throws -> String? {
        switch member {
        case "state": Written.state(field.state)
        case "value": Written.value(field.state)
        case "source": field.source.map(Written.source)
        case "completed_at": field.completedAt.map(Written.instant)
        case "draft": field.draft
        case "problem": field.problem?.code
        default: throw unknown(member)
        }
    }

    private static func field(_ field: RecordField, _ member: String) throws -> String? {
        switch member {
        case "state": Written.state(field.state)
        case "value": Written.value(field.state)
        case "source": field.source.map(Written.source)
        case "completed_at": field.completedAt.map(Written.instant)
        case "section": field.section
        default: throw unknown(member)
        }
    }

    private static func record(_ record: SessionRecord, _ member: String) throws -> String? {
        switch member {
        case "state": Written.name(record.state)
        case "won": record.won.map { "\($0)" }
        case "finished_at": record.finishedAt.map(Written.instant)
        case "end_reason": record.endReason
        case "path": steps(record.path)
        case "notes": notes(record.notes)
        case "edit_reasons":
            Written.list(record.timeline.compactMap { if case .edited(_, _, let reason) = $0.entry { reason ?? "" } else { nil } })
        case "timeline": Written.list(record.timeline.map { entry($0.entry) })
        case "actions": Written.list(record.actions.map(\.key))
        default: throw unknown(member)
        }
    }

    private static func action(_ action: Action, _ member: String) throws -> String? {
        let newest = action.deliveries.first
        return switch member {
        case "status": Written.name(action.status)
        case "reason": action.reason
        case "endpoint": action.endpoint
        case "failed_sends": "\(action.failedSends)"
        case "locked": "\(action.locked)"
        case "can":
            Written.list(
                [("send", action.canSend), ("send_corrected", action.canSendCorrected), ("abandon", action.canAbandon)]
                    .filter(\.1).map(\.0))
        case "deliveries": Written.list(action.deliveries.map { "\($0.revision):\(Written.name($0.state))" })
        case "can_replay": "\(action.canReplay)"
        case "replays": Written.list(action.replays.map { "\($0.revision):\(Written.name($0.state))" })
        case "delivery": newest?.id
        case "attempts": newest.map { "\($0.attempts)" }
        case "sent_at": newest?.sentAt.map(Written.instant)
        case "next_attempt_at": newest?.nextAttemptAt.map(Written.instant)
        case "may_have_been_delivered": newest.map { "\($0.mayHaveBeenDelivered)" }
        case "holds_redacted": newest.map { Written.list($0.holdsRedacted) }
        case "outcomes": newest.map { Written.list($0.lastAttempts.map { "\($0.number):\($0.outcome)" }) }
        default: throw unknown(member)
        }
    }

    private static func outbox(_ totals: OutboxTotals, _ member: String) throws -> String? {
        switch member {
        case "pending": "\(totals.pending)"
        case "failed": "\(totals.failed)"
        case "needs_person": "\(totals.needsPerson)"
        default: throw unknown(member)
        }
    }

    private static func due(_ due: NextDue, _ member: String) throws -> String? {
        switch member {
        case "at": due.at.map(Written.instant)
        case "at_needs_unmetered": due.atNeedsUnmetered.map(Written.instant)
        case "when_online": due.whenOnline.map { Written.name($0) }
        case "needs_person": "\(due.needsPerson)"
        default: throw unknown(member)
        }
    }

    private static func endpoint(_ status: EndpointStatus, _ member: String) throws -> String? {
        switch member {
        case "enabled": "\(status.enabled)"
        case "disabled_reason": status.disabledReason
        case "pending": "\(status.pending)"
        default: throw unknown(member)
        }
    }

    private static func steps(_ path: [PathStep]) -> String { Written.list(path.map { "\($0.visit):\($0.section)" }) }
    /// The visit and the section of a problem's field.
    private static func place(_ problem: Problem) throws -> String {
        guard let visit = problem.visit, let section = problem.section else { throw unknown("completion_places") }
        return "\(visit):\(section):\(problem.field)"
    }

    private static func problems(_ problems: [Problem]) -> String { Written.list(problems.map { "\($0.field):\($0.code)" }) }

    private static func notes(_ notes: [Note]) -> String { Written.list(notes.map { $0.text ?? "(redacted)" }) }

    private static func entry(_ entry: TimelineEntry) -> String {
        switch entry {
        case .started: "started"
        case .fieldsSet: "fields_set"
        case .answered: "answered"
        case .wentBack: "went_back"
        case .responseUsed: "response_used"
        case .noted: "noted"
        case .completed: "completed"
        case .ended: "ended"
        case .discarded: "discarded"
        case .edited: "edited"
        case .sendRequested: "send_requested"
        case .abandoned: "abandoned"
        case .redacted: "redacted"
        }
    }
}

private func unknown(_ path: String) -> ScenarioError { ScenarioError("unknown path \(path)") }

private func find<Item>(_ items: [Item], _ key: String, by name: (Item) -> String) throws -> Item {
    guard let item = items.first(where: { name($0) == key }) else { throw ScenarioError("there is no \(key)") }
    return item
}
