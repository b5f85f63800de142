import CompassCore
import Foundation
import Observation

/// What a line of the timeline is about, for its sign.
public enum TimelineSign: Hashable, Sendable {
    case started, field, answer, takenBack, back, reply, note, completed, won, ended, discarded, edited, send, abandoned
}

/// A line of the timeline: when (and by whom), the sign, and what happened.
public struct TimelineLine: Hashable, Sendable, Identifiable {
    public let id: String, at: Phrase, sign: TimelineSign, words: Phrase
}

/// How many actions have this status.
public struct ActionTotal: Hashable, Sendable, Identifiable {
    public let state: ActionStatus, count: Int
    public var id: ActionStatus { state }
}

/// An action with what became of it.
public struct ActionCard: Hashable, Sendable, Identifiable {
    public let key: String, name: String, endpoint: String, state: ActionStatus
    /// Why it is so, where there is a reason.
    public let reason: Phrase?
    /// When it was sent, or when it is tried next.
    public let detail: Phrase?
    /// "2 tries"; the lines say what became of each, newest first.
    public let attempts: Phrase?, attemptLines: [Phrase]
    /// That it is locked, that the receiver may have it already, or that the record was edited since.
    public let warnings: [Phrase]
    public let canSend: Bool, canSendCorrected: Bool, canAbandon: Bool
    public var id: String { key }
}

/// The message of an action: where it goes, and its body, indented for people.
public struct PreviewSheet: Hashable, Sendable {
    public let name: String, endpoint: String, body: String
}

/// Giving a message up needs a reason, and the name of who does it.
public struct AbandonQuestion: Hashable, Sendable {
    public let action: String, name: String
    /// The settings know no name: it is asked here.
    public let asksName: Bool
    public var by: String
    public var reason = ""
    public var canAbandon: Bool { !reason.allSatisfy(\.isWhitespace) && !by.allSatisfy(\.isWhitespace) }
    public var words: Phrase { .text(.questionAbandon, .plain(name)) }
}

/// The record of a session: what happened, what was answered, and what became of its actions.
@MainActor @Observable
public final class RecordModel {
    public private(set) var now: SessionRecord?
    public private(set) var status = Phrase.plain("")
    public private(set) var timeline: [TimelineLine] = []
    public private(set) var fields: [FieldLine] = []
    public private(set) var actions: [ActionCard] = []
    public private(set) var totals: [ActionTotal] = []
    /// The fields as inputs, and the notes by number, while they are edited.
    public private(set) var editing: [FieldItem]?
    public private(set) var editedNotes: [UInt32: String] = [:]
    public private(set) var working = false
    public var preview: PreviewSheet?
    public var abandoning: AbandonQuestion?
    public var notice: Notice?

    public var won: Bool { now?.won == true }
    public var canEdit: Bool { now?.state == .completed || now?.state == .ended }

    private let session: String
    private let work: Workplace
    private let turns = Turns()
    // The latest half-typed text on its way to flash; those before it are there earlier.
    private var draft: Task<Void, Never>?
    private var before: [FieldView] = []
    private var states: [String: FieldState] = [:]
    private var typing = Typing()

    public init(_ session: String, _ work: Workplace) {
        (self.session, self.work) = (session, work)
        turns.refused = { [weak self] in self?.notice = Notice(words: $0, failed: true) }
        turns.follow(work.compass.observeRecord(session)) { [weak self] in self?.arrived($0) }
    }

    public func settled() async {
        await turns.done()
        await draft?.value
    }

    private func keep(_ text: String, _ field: String) {
        // Refused, the disk is full: the edit says so.
        draft = Task { [work, session] in try? await work.compass.saveDraft(field, text: text, in: session) }
    }

    private func arrived(_ record: SessionRecord) {
        now = record
        status = record.state.words(won: record.won == true)
        timeline = record.lines
        fields = record.fields.map(\.line)
        actions = record.actions.map(\.card)
        totals = [ActionStatus.notFired, .pending, .sent, .failed].map { state in
            ActionTotal(state: state, count: record.actions.filter { $0.status == state }.count)
        }
        .filter { $0.count > 0 }
    }

    // Editing --------------------------------------------------------------------------------------------------------------------------

    /// With what was half typed before, also by a process that has died since.
    public func openEdit() {
        guard canEdit else { return }
        turns.take { [self] in
            // Keeping half-typed text tells nobody: it is asked for, and what asks does not wait for what writes.
            await draft?.value
            guard editing == nil else { return }
            let now = try await work.compass.record(session)
            before = now.fields.filter { $0.section != nil }.map { FieldView(definition: $0.definition, state: $0.state, draft: $0.draft) }
            (states, typing, editedNotes) = ([:], Typing(), Dictionary(uniqueKeysWithValues: now.notes.map { ($0.seq, $0.text ?? "") }))
            drawEdit()
        }
    }

    public func field(_ key: String, _ act: FieldAct) {
        guard editing != nil, let field = edited.first(where: { $0.definition.key == key }) else { return }
        let wasOpen = typing.open(field) != nil
        typing.take(act, key)
        if case .typed(let text) = act { keep(text, key) }
        if let state = act.state(field.definition, before: field.state) {
            if wasOpen { keep("", key) }
            states[key] = state
            typing.keep(key)
        }
        drawEdit()
    }

    public func note(_ number: UInt32, _ text: String) { editedNotes[number] = text }

    /// What was typed into a field stays for the next time, what was tapped is forgotten.
    public func dismissEdit() { editing = nil }

    public func saveEdit() {
        guard editing != nil, let now else { return }
        turns.take { [self] in
            let read = try typing.read(edited)
            typing.refuse(read.problems)
            if !read.problems.isEmpty { return drawEdit() }
            let open = edited.filter { typing.open($0) != nil }.map(\.definition.key)
            for change in read.changes { states[change.field] = change.change.state }
            let changes = before.compactMap { field -> FieldChange? in
                guard let after = states[field.definition.key], after != field.state, let change = after.change else { return nil }
                return FieldChange(field: field.definition.key, change: change)
            }
            // A note is never empty.
            let notes = now.notes.compactMap { note -> NoteChange? in
                guard let text = editedNotes[note.seq], text != note.text ?? "", !text.allSatisfy(\.isWhitespace) else { return nil }
                return NoteChange(note: note.seq, text: text)
            }
            if !changes.isEmpty || !notes.isEmpty {
                do {
                    _ = try await work.compass.edit(session, fields: changes, notes: notes, actor: work.actor)
                } catch let failure as CompassError where !failure.problems.isEmpty {
                    typing.refuse(failure.problems)
                    return drawEdit()
                }
                notice = Notice(words: .text(.noticeFieldsSaved))
            }
            // Where nothing changed the core has kept what was typed.
            for field in open where !changes.contains(where: { $0.field == field }) {
                try await work.compass.saveDraft(field, text: "", in: session)
            }
            editing = nil
        }
    }

    private var edited: [FieldView] {
        before.map { field in states[field.definition.key].map { FieldView(definition: field.definition, state: $0) } ?? field }
    }

    private func drawEdit() { editing = edited.map { $0.item(typing, missing: nil, locale: work.locale) } }

    // Actions --------------------------------------------------------------------------------------------------------------------------

    public func send(_ action: String, corrected: Bool = false) {
        if working { return }
        working = true
        turns.take { [self] in
            defer { working = false }
            if corrected {
                _ = try await work.compass.sendCorrected(action, in: session, actor: work.actor)
            } else {
                _ = try await work.compass.send(action, in: session, actor: work.actor)
            }
            notice = Notice(words: .text(.noticeSending))
        }
    }

    public func openPreview(_ action: String) {
        guard let action = actions.first(where: { $0.key == action }) else { return }
        turns.take { [self] in
            // What is frozen is what is sent, no matter what was edited since.
            let frozen = try await work.compass.record(session).actions.first { $0.key == action.key }?.deliveries.first
            if let frozen, let body = try await work.compass.deliveryBody(frozen.id) {
                preview = PreviewSheet(name: action.name, endpoint: frozen.endpoint, body: indented(body))
            } else {
                let message = try await work.compass.preview(action.key, in: session)
                preview = PreviewSheet(name: action.name, endpoint: message.endpoint, body: indented(message.body))
            }
        }
    }

    public func openAbandon(_ action: String) {
        abandoning = actions.first { $0.key == action }.map {
            AbandonQuestion(action: $0.key, name: $0.name, asksName: work.actor == nil, by: work.actor ?? "")
        }
    }

    public func abandon() {
        guard let question = abandoning, question.canAbandon else { return }
        turns.take { [self] in
            let outcome = try await work.compass.abandon(
                question.action, in: session, actor: question.by.trimmingCharacters(in: .whitespaces),
                reason: question.reason.trimmingCharacters(in: .whitespacesAndNewlines))
            abandoning = nil
            if outcome.inFlight { notice = Notice(words: .text(.noticeMayArrive)) }
        }
    }
}

extension SessionRecord {
    fileprivate var lines: [TimelineLine] {
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
    fileprivate var card: ActionCard {
        let newest = deliveries.first, attempts = Int(newest?.attempts ?? 0)
        let detail: Phrase? = switch status {
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
            attempts: attempts > 0 ? .count(.attempts, attempts) : nil, attemptLines: (newest?.lastAttempts ?? []).map(\.words), warnings: warnings,
            canSend: canSend, canSendCorrected: canSendCorrected, canAbandon: canAbandon)
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
