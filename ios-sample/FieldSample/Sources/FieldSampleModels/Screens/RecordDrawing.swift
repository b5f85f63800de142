import CompassCore
import Foundation

// From a record to what its screen shows.

extension SessionRecord {
    /// The actions whose messages were asked for again since then.
    func replayed(since before: SessionRecord) -> Set<String> {
        let last = before.timeline.map(\.seq).max() ?? 0
        return Set(timeline.filter { $0.seq > last }.compactMap { item -> String? in
            if case .sendRequested(let action, _, _, _, true) = item.entry { action } else { nil }
        })
    }

    var lines: [TimelineLine] {
        let definitions = Dictionary(fields.map { ($0.definition.key, $0.definition) }, uniquingKeysWith: { one, _ in one })
        return timeline.flatMap { moment in
            let at: Phrase = moment.actor.map { .text(.timelineBy, .moment(moment.at), .plain($0)) } ?? .moment(moment.at)
            return moment.entry.lines(definitions).enumerated().map { index, line in
                TimelineLine(id: "\(moment.seq).\(index)", at: at, sign: line.0, words: line.1)
            }
        }
    }
}

extension TimelineEntry {
    fileprivate func lines(_ definitions: [String: FieldDefinition]) -> [(TimelineSign, Phrase)] {
        func set(_ fields: [FieldEntry]) -> [(TimelineSign, Phrase)] {
            fields.map { (.field, .text(.timelineFieldSet, .plain($0.fieldName), $0.state.words(definitions[$0.field]))) }
        }
        switch self {
        case .started(let section, let prefilled): return [(.started, .text(.timelineStarted, .plain(section)))] + set(prefilled)
        case .fieldsSet(let fields): return set(fields)
        case .answered(let section, let answer, _, _, let superseded):
            let id: TextId = superseded ? .timelineSuperseded : .timelineAnswered
            return [(superseded ? .takenBack : .answer, .text(id, .plain(section), .plain(answer)))]
        case .wentBack(_, let section): return [(.back, .text(.timelineWentBack, .plain(section)))]
        case .responseUsed(_, let name, let kind, _): return [(.reply, kind.used(name))]
        case .noted(let text): return [(.note, .text(.timelineNoted, .plain(text ?? "")))]
        case .completed(let section, true): return [(.won, .text(.timelineCompletedWon, .plain(section)))]
        case .completed(let section, false): return [(.completed, .text(.timelineCompleted, .plain(section)))]
        case .ended(let section, let reason): return [(.ended, .text(.timelineEnded, .plain(section), .plain(reason)))]
        case .discarded: return [(.discarded, .text(.timelineDiscarded))]
        case .edited(let fields, let notes, let reason):
            var edits = fields.map { field in
                let definition = definitions[field.field]
                return Phrase.text(.timelineFieldEdited, .plain(field.fieldName), field.from.words(definition), field.to.words(definition))
            }
            edits += notes.map { .text(.timelineNoteEdited, .plain($0.to ?? "")) }
            if let reason { edits.append(.text(.timelineEditReason, .plain(reason))) }
            return edits.map { (.edited, $0) }
        case .sendRequested(_, let action, let corrected, _, let replay):
            let id: TextId = replay ? .timelineReplayed : corrected ? .timelineSendCorrected : .timelineSendRequested
            return [(.send, .text(id, .plain(action)))]
        case .abandoned(_, let action, let reason): return [(.abandoned, .text(.timelineAbandoned, .plain(action), .plain(reason)))]
        case .redacted: return []
        }
    }
}

extension Action {
    var card: ActionCard {
        let newest = deliveries.first, attempts = Int(newest?.attempts ?? 0), messages = lines
        let detail: Phrase? = switch status {
        // The list of its messages says it, where there is one.
        case .sent where !messages.isEmpty: nil
        case .sent: newest?.sentAt.map { .text(.actionSentAt, .moment($0)) }
        case .pending: newest?.nextAttemptAt.map { .text(.actionNextAttempt, .moment($0)) }
        case .notFired, .failed: nil
        }
        var warnings: [Phrase] = []
        if failedSends > 0 { warnings.append(.count(.failedSends, Int(failedSends))) }
        if locked { warnings.append(.text(.actionLocked)) }
        if newest?.mayHaveBeenDelivered == true, status != .sent { warnings.append(.text(.actionMaybeDelivered)) }
        if differsFromSent { warnings.append(.text(deliveredRevision == nil ? .actionDiffersUndelivered : .actionDiffers)) }
        return ActionCard(
            // "Sent" needs no reason.
            key: key, name: name, endpoint: endpoint, state: status, reason: status == .sent ? nil : reason.map(reasonWords), detail: detail,
            attempts: attempts > 0 ? .count(.attempts, attempts) : nil, attemptLines: (newest?.lastAttempts ?? []).map(\.words),
            messages: messages, warnings: warnings, canSend: canSend, canSendCorrected: canSendCorrected, canAbandon: canAbandon)
    }
}

extension Action {
    /// Oldest version first, each before its replays. Of a single message the card says everything.
    fileprivate var lines: [MessageLine] {
        let all = (deliveries + replays).sorted { ($0.revision, $0.replay) < ($1.revision, $1.replay) }
        return all.count < 2 ? [] : all.map { MessageLine(id: "\($0.revision).\($0.replay)", words: $0.words, isReplay: $0.replay > 0) }
    }
}

extension Delivery {
    fileprivate var words: Phrase {
        let why = reason.map(reasonWords) ?? .text(.actionFailed)
        if replay > 0 {
            return switch state {
            case .sent: .text(.replaySent, .moment(sentAt ?? frozenAt))
            case .pending: .text(.replayWaits, .moment(frozenAt))
            case .failed, .superseded: .text(.replayFailed, why)
            }
        }
        let became: Phrase = switch state {
        case .sent: .text(.versionSent, .moment(sentAt ?? frozenAt))
        case .pending: .text(.versionWaits, .moment(frozenAt))
        case .failed: .text(.versionFailed, why)
        case .superseded: .text(.versionReplaced)
        }
        return .text(revision > 1 ? .versionCorrection : .versionFirst, .number(String(revision)), became)
    }
}

/// JSON with a line for each member, for people. Numbers and strings stay as they are.
func indented(_ json: String) -> String {
    var text = "", depth = 0, inString = false, escaped = false
    func line() { text += "\n" + String(repeating: "  ", count: depth) }
    for character in json {
        if inString {
            text.append(character)
            if !escaped, character == "\"" { inString = false }
            escaped = !escaped && character == "\\"
            continue
        }
        switch character {
        case "{", "[":
            text.append(character)
            depth += 1
            line()
        case "}", "]":
            depth -= 1
            if let last = text.last(where: { !$0.isWhitespace }), last == "{" || last == "[" {
                while text.last?.isWhitespace == true { text.removeLast() }
            } else {
                line()
            }
            text.append(character)
        case ",":
            text.append(character)
            line()
        case ":": text += ": "
        default:
            inString = character == "\""
            text.append(character)
        }
    }
    return text
}
