import CompassCore
import Foundation
import Observation

/// Whether what is on the screen is on flash.
public enum SavedMark: Hashable, Sendable { case saved, saving, notYet }

/// What lies over the session.
public enum SessionSheet: Hashable, Sendable {
    /// The words of a response; "used" notes that it was used.
    case reply(Response)
    case note(String)
    /// The steps to go back to.
    case steps
    /// Ending at once: why? Nothing will be sent.
    case end(reason: String)
    /// Shall all of it be thrown away?
    case discard
}

/// A session, one section at a time. Everything that the technician does is on flash before the screen moves on.
@MainActor @Observable
public final class SessionModel {
    public private(set) var loading = true
    public private(set) var workflowName = ""
    public private(set) var sectionName = ""
    /// Changes with every move: the view then scrolls to the top and puts the focus of the screen reader on the heading.
    public private(set) var visit: UInt32 = 0
    public private(set) var paragraphs: [String] = []
    /// This step, and how many more it takes at least to an end.
    public private(set) var step = 1
    public private(set) var atLeastLeft = 0
    public private(set) var saved = SavedMark.saved
    public private(set) var fields: [FieldItem] = []
    /// Big buttons; none on an end section, which has `canReview` instead.
    public private(set) var answers: [Answer] = []
    public private(set) var replies: [Response] = []
    public private(set) var notes: [Note] = []
    public private(set) var path: [PathStep] = []
    public private(set) var canGoBack = false
    public private(set) var canReview = false
    /// "2 things are missing", after an answer was tried.
    public private(set) var problems: Phrase?
    /// While an answer is being saved: buttons take no tap.
    public private(set) var moving = false
    /// The session is over: the screen says so and leads to its record.
    public private(set) var closed = false
    public var sheet: SessionSheet? {
        didSet { if case .note(let text) = sheet { noteTyped(text) } }
    }
    public var notice: Notice?

    /// From 0 to 1.
    public var progress: Double { Double(step) / Double(max(step + atLeastLeft, 1)) }
    /// "At least 2 more steps".
    public var left: Phrase { .count(.stepsLeft, atLeastLeft) }

    private let session: String
    private let work: Workplace
    private let turns = Turns()
    // The latest half-typed text on its way to flash; those before it are there earlier.
    private var draft: Task<Void, Never>?
    private var known: SessionView?
    private var workflow: Workflow?
    private var typing = Typing()
    // As it was typed last; none when nothing was typed yet.
    private var note: String?
    private var reading = false
    // A section begins quiet; what is missing is shown once an answer was tried.
    private var tried = false

    public init(_ session: String, _ work: Workplace) {
        (self.session, self.work) = (session, work)
        turns.refused = { [weak self] in self?.notice = Notice(words: $0, failed: true) }
        turns.follow(work.compass.observeSession(session)) { [weak self] _ in self?.read() }
    }

    /// Something has changed. What the flow told may have been read before the latest command was carried out: it is read in its turn.
    private func read() {
        if reading { return }
        reading = true
        turns.take { [self] in
            reading = false
            await arrived(try await work.compass.session(session))
        }
    }

    /// Waits until everything that was done is on flash.
    public func settled() async {
        await turns.done()
        await draft?.value
    }

    /// Half-typed text goes to flash at each letter, in the order in which it is typed.
    private func keep(_ text: String, _ field: String) {
        draft = Task { [work, session] in
            // Refused, the session is over or the disk is full: the next real change says so.
            if field == Self.note { try? await work.compass.saveNoteDraft(text, in: session) }
            else { try? await work.compass.saveDraft(field, text: text, in: session) }
        }
    }

    // Fields ---------------------------------------------------------------------------------------------------------------------------

    public func field(_ key: String, _ act: FieldAct) {
        guard let field = known?.fields.first(where: { $0.definition.key == key }) else { return }
        typing.take(act, key)
        if case .typed(let text) = act { keep(text, key) }
        draw()
        if act == .left {
            turns.take { [self] in _ = try await keepTyped([current(field)]) }
        } else if act.state(field.definition, before: field.state) != nil {
            turns.take { [self] in
                // As it stands now: taps may come faster than flash takes them.
                let now = current(field)
                guard let change = act.state(now.definition, before: now.state)?.change else { return }
                _ = try await set([FieldChange(field: key, change: change)])
            }
        }
    }

    private func current(_ field: FieldView) -> FieldView { known?.fields.first { $0.definition.key == field.definition.key } ?? field }

    /// Reads what is typed, and sets what can be read; true when nothing is left open.
    private func keepTyped(_ fields: [FieldView]) async throws -> Bool {
        let read = try typing.read(fields)
        typing.refuse(read.problems)
        let kept = read.changes.isEmpty ? true : try await set(read.changes)
        draw()
        return kept && read.problems.isEmpty
    }

    private func set(_ changes: [FieldChange]) async throws -> Bool {
        try await saving { [self] in
            let texts = typing.texts
            let outcome = try await work.compass.run([.setFields(changes: changes)], in: session, actor: work.actor)
            var after = outcome.view
            for change in changes {
                // What was typed meanwhile stays open.
                if typing.texts[change.field] == texts[change.field] { typing.keep(change.field) }
                if outcome.applied == .yes { continue }
                // Where nothing changed the core has kept the draft.
                try await work.compass.saveDraft(change.field, text: "", in: session)
                for index in after.fields.indices where after.fields[index].definition.key == change.field { after.fields[index].draft = nil }
            }
            await arrived(after)
        }
    }

    // Moves ----------------------------------------------------------------------------------------------------------------------------

    public func answer(_ answer: String) {
        let seen = visit
        turns.take { [self] in
            // A second tap was meant for the section that was shown.
            guard let from = known, from.visit == seen else { return }
            let read = try typing.read(from.fields)
            typing.refuse(read.problems)
            tried = true
            if !read.problems.isEmpty { return draw() }
            // Sets the fields and moves on, both or neither.
            let first = read.changes.isEmpty ? [] : [Command.setFields(changes: read.changes)]
            try await move { [self] in
                try await work.compass.run(first + [.answer(visit: from.visit, answer: answer)], in: session, actor: work.actor)
            }
        }
    }

    /// Back to a step; without one, a section back, and on the first out of the session, which stays as it is.
    public func back(to target: UInt32? = nil) {
        turns.take { [self] in
            // It is not on this phone any more.
            guard let from = known else { return work.navigator.back() }
            guard let target = target ?? from.path.last(where: { $0.visit < from.visit })?.visit else { return try await out() }
            _ = try await keepTyped(from.fields)
            try await move { [self] in try await work.compass.back(from, to: target, actor: work.actor) }
        }
    }

    /// On success another section is shown; what was typed is values by then.
    private func move(_ command: @escaping @MainActor () async throws -> CommandOutcome) async throws {
        _ = try await saving { [self] in
            let outcome = try await command()
            typing = Typing()
            tried = false
            sheet = nil
            await arrived(outcome.view)
            if outcome.applied != .yes { notice = Notice(words: .text(.noticeMovedOn)) }
        }
    }

    /// To review and complete; on an end section.
    public func review() {
        turns.take { [self] in
            guard let from = known else { return }
            tried = true
            if try await keepTyped(from.fields) { work.navigator.open(.review(session)) } else { draw() }
        }
    }

    /// Out, without loss: what cannot be read stays half typed, on flash.
    public func leave() {
        turns.take { [self] in try await out() }
    }

    private func out() async throws {
        if let known { _ = try await keepTyped(known.fields) }
        await draft?.value
        work.navigator.back()
    }

    // The rest -------------------------------------------------------------------------------------------------------------------------

    public func useReply() {
        guard case .reply(let reply) = sheet else { return }
        sheet = nil
        turns.take { [self] in
            await arrived(try await work.compass.useResponse(reply.key, in: session, actor: work.actor).view)
            notice = Notice(words: .text(.noticeResponseUsed))
        }
    }

    /// The half-typed note among the texts of fields, none of which has this key.
    private static let note = ""

    /// Goes on with what was typed before, in an earlier process even.
    public func openNote() { sheet = .note(halfNote) }

    private var halfNote: String { note ?? known?.noteDraft ?? "" }

    private func noteTyped(_ text: String) {
        if text == halfNote { return }
        note = text
        keep(text, Self.note)
    }

    public func saveNote() {
        guard case .note(let text) = sheet else { return }
        turns.take { [self] in
            if !text.allSatisfy(\.isWhitespace) {
                // What is half typed is on flash before; adding the note takes it along.
                await arrived(try await work.compass.note(text, in: session, actor: work.actor).view)
                if note == text { note = nil }
                notice = Notice(words: .text(.noticeNoteSaved))
            }
            // Only now: a note that could not be kept stays to be seen, and so does what was typed meanwhile.
            if sheet == .note(text) { sheet = nil }
        }
    }

    /// Whether a reason was given, without which it cannot be ended.
    public var canEnd: Bool {
        if case .end(let reason) = sheet { !reason.allSatisfy(\.isWhitespace) } else { false }
    }

    public func end() {
        guard canEnd, case .end(let reason) = sheet else { return }
        turns.take { [self] in
            if let known { _ = try await keepTyped(known.fields) }
            let reason = reason.trimmingCharacters(in: .whitespacesAndNewlines)
            _ = try await work.compass.end(session, reason: reason, actor: work.actor)
            sheet = nil
            work.navigator.openOnRoot(.record(session))
        }
    }

    public func discard() {
        guard sheet == .discard else { return }
        turns.take { [self] in
            _ = try await work.compass.discard(session, actor: work.actor)
            sheet = nil
            work.navigator.back()
        }
    }

    public func openRecord() { work.navigator.openOnRoot(.record(session)) }

    // What is shown --------------------------------------------------------------------------------------------------------------------

    private func arrived(_ now: SessionView) async {
        // The version that it began with.
        if workflow == nil { workflow = try? await work.compass.workflow(now.workflow) }
        if known != nil, known?.visit != now.visit { tried = false }
        known = now
        draw()
    }

    private func saving(_ command: @escaping @MainActor () async throws -> Void) async throws -> Bool {
        moving = true
        saved = .saving
        defer {
            moving = false
            draw()
        }
        do {
            try await command()
            return true
        } catch let failure as CompassError where !failure.problems.isEmpty {
            typing.refuse(failure.problems)
            return false
        }
    }

    private func draw() {
        guard let now = known else { return }
        let inProgress = now.state == .inProgress
        let missing = tried ? Dictionary(now.problems.map { ($0.field, $0) }, uniquingKeysWith: { one, _ in one }) : [:]
        let wrong = now.fields.filter { missing[$0.definition.key] != nil || typing.problems[$0.definition.key] != nil }.count
        loading = false
        workflowName = now.workflow.name
        sectionName = now.section.name
        visit = now.visit
        paragraphs = now.section.content.components(separatedBy: "\n\n").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }.filter { !$0.isEmpty }
        step = max(now.path.count, 1)
        atLeastLeft = workflow?.stepsLeft(from: now.section.key) ?? 0
        fields = now.fields.map { $0.item(typing, missing: missing[$0.definition.key], locale: work.locale) }
        answers = inProgress ? now.answers : []
        replies = now.responses
        notes = now.notes
        path = now.path
        canGoBack = inProgress && now.path.count > 1
        canReview = inProgress && now.section.isEnd
        problems = tried && wrong > 0 ? .count(.problems, wrong) : nil
        closed = !inProgress
        // Half-typed text is on flash, too; only what was refused waits for the technician.
        let refused = now.fields.contains { typing.open($0) != nil && typing.problems[$0.definition.key] != nil }
        saved = moving ? .saving : refused ? .notYet : .saved
    }
}

extension Workflow {
    /// How many sections lie at least between this one and an end.
    func stepsLeft(from section: String) -> Int {
        let byKey = Dictionary(sections.map { ($0.key, $0) }, uniquingKeysWith: { one, _ in one })
        var seen: Set = [section], ring = [section], steps = 0
        while !ring.isEmpty {
            let here = ring.compactMap { byKey[$0] }
            if here.contains(where: \.answers.isEmpty) { return steps }
            ring = here.flatMap(\.answers).compactMap(\.next).filter { seen.insert($0).inserted }
            steps += 1
        }
        return 0
    }
}
