import CompassCore
import Foundation

// The core speaks in codes; these are the words for them. Codes are open sets: an unknown one is shown as it is.

extension FieldState {
    /// What a field holds, with the names of its options.
    func words(_ definition: FieldDefinition?) -> Phrase {
        switch self {
        // What was redacted has no screen yet.
        case .notProvided, .redacted: .text(.notProvided)
        case .empty: .text(.empty)
        case .notApplicable: .text(.notApplicable)
        case .provided(let value): value.words(definition)
        }
    }
}

extension FieldValue {
    func words(_ definition: FieldDefinition?) -> Phrase {
        func option(_ key: String) -> Phrase { .plain(definition?.kind.options.first { $0.key == key }?.name ?? key) }
        switch self {
        case .text(let text): return .plain(text)
        case .integer(let number): return .number(String(number))
        case .decimal(let number): return .number(number.text)
        case .boolean(let yes): return .text(yes ? .yes : .no)
        case .date(let day): return .day(day)
        case .time(let time): return .time(time)
        case .dateTime(let moment): return .offsetMoment(moment)
        case .choice(let key): return option(key)
        case .choices(let keys): return .several(keys.map(option))
        case .location(let place):
            let (latitude, longitude) = (Phrase.number(place.latitude.text), Phrase.number(place.longitude.text))
            if let accuracy = place.accuracyM { return .text(.locationValueAccuracy, latitude, longitude, .number(accuracy.text)) }
            return .text(.locationValue, latitude, longitude)
        case .file(let file): return .text(.fileValue, .plain(file.name), .count(.kilobytes, Int(clamping: (file.size + 1023) / 1024)))
        }
    }
}

extension Problem {
    /// What is wrong with a field.
    func words(_ definition: FieldDefinition?) -> Phrase {
        switch code {
        case "required": .text(.problemRequired)
        case "bad_format": .text(badFormat(definition?.kind))
        case "too_small": .text(.problemTooSmall, bound)
        case "too_large": .text(.problemTooLarge, bound)
        case "too_many_decimal_places": .text(.problemDecimalPlaces, bound)
        case "too_early": .text(.problemTooEarly, bound)
        case "too_late": .text(.problemTooLate, bound)
        case "too_short": .text(.problemTooShort, bound)
        case "too_long": .text(.problemTooLong, bound)
        case "pattern": .text(.problemPattern)
        case "control_character", "line_break": .text(.problemCharacters)
        case "too_few": .text(.problemTooFew, bound)
        case "too_many": .text(.problemTooMany, bound)
        case "not_an_option", "duplicate_option": .text(.problemNotAnOption)
        case "too_inaccurate": .text(.problemAccuracy, bound)
        case "file_too_large": .text(.problemFileTooLarge)
        case "media_type_not_accepted": .text(.problemFileType)
        case "not_applicable_not_allowed": .text(.problemNotApplicable)
        default: .text(.problemOther, .plain(code))
        }
    }

    private func badFormat(_ kind: FieldKind?) -> TextId {
        switch kind {
        case .integer, .decimal: .problemNotANumber
        case .date, .dateTime: .problemNotADate
        case .time: .problemNotATime
        case .email: .problemEmail
        case .phone: .problemPhone
        case .url: .problemUrl
        default: .problemPattern
        }
    }

    // As the workflow writes it, so that it can be shown in the form of the locale.
    private var bound: Phrase {
        let limit = limit ?? ""
        if let day = LocalDate(limit) { return .day(day) }
        if let time = LocalTime(limit) { return .time(time) }
        return limit.allSatisfy { $0.isNumber || $0 == "." || $0 == "-" } ? .number(limit) : .plain(limit)
    }
}

extension WorkflowRef {
    /// `3`, or `3.1` for a change made on this phone.
    public var label: String { localRevision == 0 ? "\(version)" : "\(version).\(localRevision)" }
}

extension Finding {
    /// With the names of what it is about, where the workflow is known.
    func words(_ workflow: Workflow?) -> Phrase {
        // `/sections/1/answers/0`
        let path = pointer.split(separator: "/")
        func at<Part>(_ place: Int, _ name: String, _ parts: [Part]?) -> Part? {
            guard path.count > place + 1, path[place] == name, let parts, let number = Int(path[place + 1]) else { return nil }
            return parts.indices.contains(number) ? parts[number] : nil
        }
        let section = at(0, "sections", workflow?.sections)
        switch (code, section?.name, at(2, "answers", section?.answers)?.name) {
        case ("unlinked_answer", let section?, let answer?): return .text(.findingUnlinkedAnswer, .plain(section), .plain(answer))
        case ("unreachable_section", let section?, _): return .text(.findingUnreachableSection, .plain(section))
        default: return .text(.findingOther, .plain(message.isEmpty ? code : message))
        }
    }
}

extension CompassHandle {
    /// What was found in a version on this phone. Names cost a read of the workflow; few have any findings.
    func words(_ findings: [Finding], of workflow: WorkflowRef) async throws -> [Phrase] {
        if findings.isEmpty { return [] }
        let whole = try await self.workflow(workflow)
        return findings.map { $0.words(whole) }
    }
}

extension ActionStatus {
    /// The product's four words.
    public var words: Phrase {
        switch self {
        case .notFired: .text(.actionNotFired)
        case .pending: .text(.actionPending)
        case .sent: .text(.actionSent)
        case .failed: .text(.actionFailed)
        }
    }
}

extension SessionState {
    func words(won: Bool) -> Phrase {
        switch self {
        case .inProgress: .text(.sessionInProgress)
        case .completed: .text(won ? .sessionWon : .sessionCompleted)
        case .ended: .text(.sessionEnded)
        case .discarded: .text(.sessionDiscarded)
        }
    }
}

private let reasons = Dictionary(
    uniqueKeysWithValues: TextId.allCases.filter { $0.key.hasPrefix("reason_") && $0 != .reasonOther }.map { ($0.key.dropFirst(7), $0) })

/// Why an action stands as it does, or what a try came to.
func reasonWords(_ code: String) -> Phrase {
    reasons[code[...]].map { .message($0, []) } ?? .text(.reasonOther, .plain(code))
}

extension Attempt {
    var words: Phrase {
        let number = Phrase.number(String(number))
        guard let status else { return .text(.attemptFailed, number, .moment(at), reasonWords(outcome)) }
        if outcome == "sent" { return .text(.attemptSent, number, .moment(at), .number(String(status))) }
        return .text(.attemptAnswered, number, .moment(at), reasonWords(outcome), .number(String(status)))
    }
}

extension CompassError {
    /// What went wrong.
    var words: Phrase {
        switch code.rawValue {
        case "disk_full": .text(.failureDiskFull)
        case "cannot_open": .text(.failureCannotOpen)
        case "unknown_session", "deleted_session", "unknown_workflow": .text(.failureNotFound)
        case "not_startable", "broken_workflow": .text(.failureNotStartable)
        case "invalid_workflow": .text(.failureBadFile)
        case "workflow_conflict": .text(.failureConflict)
        case "nothing_corrected": .text(.failureNothingCorrected)
        case "body_dropped": .text(.failureBodyDropped)
        case "payload_too_large": .text(.reasonPayloadTooLarge)
        case "invalid_endpoint", "unknown_endpoint": .text(.failureBadEndpoint)
        case "field_problems": .text(.failureFields)
        case "requires_newer_core": .text(.failureNewerCore)
        case "newer_schema": .text(.failureNewerSchema)
        case "workflow_in_use": .text(.failureInUse)
        case "corrupt": .text(.failureDamaged)
        case "not_a_database": .text(.failureNotOurs)
        case "undelivered": .text(.failureUndelivered)
        case "locked": .text(.failureLocked)
        case "not_in_progress", "not_finished", "already_finished", "discarded", "action_status", "action_locked":
            .text(.failureNotAllowed)
        default: .text(.failureOther, .plain(code.rawValue))
        }
    }
}

extension ResponseKind {
    /// What a customer says, and that it is an objection or a question.
    public func words(_ name: String) -> Phrase { .text(self == .objection ? .buttonObjection : .buttonQuestion, .plain(name)) }

    /// That it was met.
    func used(_ name: String) -> Phrase { .text(self == .objection ? .timelineObjection : .timelineQuestion, .plain(name)) }
}
