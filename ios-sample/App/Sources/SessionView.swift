import CompassCore
import FieldSampleModels
import SwiftUI

/// A session, one section at a time: what to do, what to note, and in the foot the answers.
struct SessionView: View {
    @Bindable var model: SessionModel
    @AccessibilityFocusState private var onHeading: Bool

    var body: some View {
        Page(
            model.loading ? .message(.labelLoading, []) : .plain(model.workflowName), notice: $model.notice,
            back: WayBack(words: .buttonLeave, sign: "xmark") { model.leave() }, hasFoot: !model.loading, isLong: model.answers.count > 3
        ) {
            if !model.loading { section }
        } foot: {
            moves
        }
        .id(model.visit)
        // A new section begins at its top, and is read from its heading.
        .onChange(of: model.visit) { _, _ in onHeading = true }
        .announcing(model.saved == .saving ? nil : .message(model.saved.words, []))
        .announcing(model.problems)
        .sensoryFeedback(trigger: model.saved) { before, now in before != .saved && now == .saved ? .success : nil }
        .panel(model.sheet, close: { model.sheet = nil }) { SessionPanel(sheet: $0, model: model) }
    }

    @ViewBuilder private var section: some View {
        VStack(alignment: .leading, spacing: 8) {
            // The words below say the same.
            ProgressView(value: model.progress).accessibilityHidden(true)
            Words(.message(.labelStep, [.number(String(model.step))])).ink(\.quietInk)
            if model.atLeastLeft > 0 { Words(model.left).ink(\.quietInk) }
        }
        Words(.plain(model.sectionName)).font(.title).bold().accessibilityAddTraits(.isHeader).accessibilityFocused($onHeading)
        if model.closed { Badge(.labelSessionOver, "stop") } else { Badge(model.saved.words, model.saved.sign, model.saved.tone) }
        ForEach(Array(model.paragraphs.enumerated()), id: \.offset) { Words(.plain($0.element)) }
        if !model.closed { ForEach(model.fields) { field in FieldView(item: field) { model.field(field.key, $0) } } }
        if !model.notes.isEmpty { Heading(.headingNotes) }
        ForEach(model.notes, id: \.seq) { NoteCard(note: $0) }
        if !model.closed { more }
    }

    @ViewBuilder private var more: some View {
        if !model.replies.isEmpty { Heading(.headingResponses) }
        ForEach(model.replies, id: \.key) { reply in
            BigButton(reply.kind.words(reply.name), sign: "text.bubble") { model.sheet = .reply(reply) }
        }
        BigButton(.buttonNote, sign: "note.text") { model.openNote() }
        if model.path.count > 1 { BigButton(.buttonSteps, sign: "clock") { model.sheet = .steps } }
        BigButton(.buttonEnd, sign: "stop") { model.sheet = .end(reason: "") }
        BigButton(.buttonDiscard, sign: "trash", isDestructive: true) { model.sheet = .discard }
    }

    @ViewBuilder private var moves: some View {
        if model.closed {
            BigButton(.buttonOpenRecord, sign: "doc.text", isMain: true) { model.openRecord() }
        } else {
            if let problems = model.problems { Badge(problems, "exclamationmark.triangle", .bad) }
            ForEach(model.answers, id: \.key) { answer in
                BigButton(.plain(answer.name), isMain: true) { model.answer(answer.key) }.disabled(model.moving)
            }
            if model.canReview { BigButton(.buttonReview, sign: "checkmark", isMain: true) { model.review() }.disabled(model.moving) }
            BigButton(.buttonBack, sign: "arrow.uturn.backward") { model.back() }.disabled(model.moving)
        }
    }
}

extension SavedMark {
    fileprivate var words: TextId {
        switch self {
        case .saved: .savedOnPhone
        case .saving: .saving
        case .notYet: .notSavedYet
        }
    }

    fileprivate var sign: String {
        switch self {
        case .saved: "checkmark.circle"
        case .saving: "hourglass"
        case .notYet: "exclamationmark.triangle"
        }
    }

    fileprivate var tone: Tone {
        switch self {
        case .saved: .good
        case .saving: .plain
        case .notYet: .waiting
        }
    }
}

/// A note with when it was taken, and by whom.
struct NoteCard: View {
    let note: Note

    var body: some View {
        Card {
            Words(.plain(note.text ?? ""))
            Words(note.actor.map { .message(.timelineBy, [.moment(note.at), .plain($0)]) } ?? .moment(note.at)).ink(\.quietInk)
        }
        .accessibilityElement(children: .combine)
    }
}

struct SessionPreviews: PreviewProvider {
    static var previews: some View { SessionView(model: SessionModel("s1", .preview)) }
}
