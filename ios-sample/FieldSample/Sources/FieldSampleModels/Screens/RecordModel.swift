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

/// A message of an action, and what became of it; a replay stands below the version that is sent again.
public struct MessageLine: Hashable, Sendable, Identifiable {
    public let id: String, words: Phrase, isReplay: Bool
}

/// The menu of a record: what is seldom needed, and the question that follows.
public enum RecordMenu: Hashable, Sendable { case choices, replay }

/// An action with what became of it.
public struct ActionCard: Hashable, Sendable, Identifiable {
    public let key: String, name: String, endpoint: String, state: ActionStatus
    /// Why it is so, where there is a reason.
    public let reason: Phrase?
    /// When it was sent, or when it is tried next.
    public let detail: Phrase?
    /// "2 tries"; the lines say what became of each, newest first.
    public let attempts: Phrase?, attemptLines: [Phrase]
    /// Its messages in order, where there are several.
    public let messages: [MessageLine]
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
    /// Why it is edited; may stay empty.
    public var editReason = ""
    public private(set) var working = false
    public var menu: RecordMenu?
    public var preview: PreviewSheet?
    public var abandoning: AbandonQuestion?
    public var notice: Notice?

    public var won: Bool { now?.won == true }
    public var canReplay: Bool { now?.actions.contains(where: \.canReplay) == true && !working }
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
            editReason = ""
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
                    let reason = editReason.trimmingCharacters(in: .whitespacesAndNewlines)
                    _ = try await work.compass.edit(
                        session, fields: changes, notes: notes, actor: work.actor, reason: reason.isEmpty ? nil : reason)
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

    public func openReplay() {
        if canReplay { menu = .replay }
    }

    /// Sends every delivered message once more.
    public func replay() {
        guard menu == .replay, !working else { return }
        (menu, working) = (nil, true)
        turns.take { [self] in
            defer { working = false }
            let before = try await work.compass.record(session)
            let after = try await work.compass.replaySession(session, actor: work.actor).record
            let could = Set(before.actions.filter(\.canReplay).map(\.key)), again = after.replayed(since: before)
            notice = replayed(again.count, gone: could.subtracting(again).count)
        }
    }

    /// What is not sent again although it was delivered is no longer on the phone.
    private func replayed(_ again: Int, gone: Int) -> Notice {
        let (sent, lost) = (Phrase.count(.willSendAgain, again), Phrase.count(.cannotSendAgain, gone))
        if again == 0, gone == 0 { return Notice(words: .text(.noticeNothingToSend)) }
        if gone == 0 { return Notice(words: sent) }
        if again == 0 { return Notice(words: lost, failed: true) }
        return Notice(words: .text(.noticeReplayedInPart, sent, lost))
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
