import CompassCore
import FieldSampleModels
import SwiftUI

/// The record of a session: how it went, what became of its messages, what was answered, and everything in order of time.
struct RecordView: View {
    @Environment(\.dismiss) private var dismiss
    @Bindable var model: RecordModel

    var body: some View {
        Page(
            model.now.map { .plain($0.workflow.name) } ?? .message(.titleRecord, []), notice: $model.notice, back: WayBack { dismiss() },
            menu: { model.menu = .choices }
        ) {
            if let now = model.now {
                Card { RecordHead(now: now, status: model.status) }
                if !model.actions.isEmpty { actions }
                FieldsCard(fields: model.fields)
                if !now.notes.isEmpty { Heading(.headingNotes) }
                ForEach(now.notes, id: \.seq) { NoteCard(note: $0) }
                if model.canEdit { BigButton(.buttonEdit, sign: "square.and.pencil") { model.openEdit() } }
                Heading(.headingTimeline)
                Card { ForEach(model.timeline) { TimelineRow(line: $0) } }
            } else {
                Words(.labelLoading)
            }
        }
        .panel(model.editing, close: { model.dismissEdit() }) { EditPanel(fields: $0, model: model) }
        .panel(model.menu, close: { model.menu = nil }) { MenuPanel(menu: $0, model: model) }
        .panel(model.preview, close: { model.preview = nil }) { preview in
            Page(.plain(preview.name)) {
                Words(.message(.labelTo, [.plain(preview.endpoint)])).ink(\.quietInk)
                // JSON is written from left to right, in every language.
                Card { Words(.plain(preview.body)).monospaced() }.environment(\.layoutDirection, .leftToRight)
            } foot: {
                BigButton(.buttonBack) { model.preview = nil }
            }
        }
        .panel(model.abandoning, close: { model.abandoning = nil }) { question in
            Page(question.words, notice: $model.notice) {
                if question.asksName {
                    LineInput(id: .labelTechnician, text: Binding(get: { question.by }, set: { model.abandoning?.by = $0 }))
                }
                LineInput(id: .labelReason, text: Binding(get: { question.reason }, set: { model.abandoning?.reason = $0 }))
            } foot: {
                BigButton(.buttonAbandon, sign: "trash", isMain: true, isDestructive: true) { model.abandon() }.disabled(!question.canAbandon)
                BigButton(.buttonCancel) { model.abandoning = nil }
            }
        }
    }

    @ViewBuilder private var actions: some View {
        Heading(.headingActions)
        ForEach(model.totals) { Badge(.message(.labelPair, [$0.state.words, .number(String($0.count))]), $0.state.sign, $0.state.tone) }
        ForEach(model.actions) { card in Card { ActionView(card: card, model: model) } }
    }
}

private struct RecordHead: View {
    let now: SessionRecord
    let status: Phrase

    var body: some View {
        Badge(status, sign, now.won == true ? .good : .plain)
        Words(.message(.labelVersion, [.plain(now.workflow.label)])).ink(\.quietInk)
        Words(.message(.labelStarted, [.moment(now.startedAt)]))
        if let finished = now.finishedAt { Words(.message(.labelFinished, [.moment(finished)])) }
        if let actor = now.actor { Words(.message(.labelBy, [.plain(actor)])) }
        if let reason = now.endReason { Words(.plain(reason)) }
    }

    private var sign: String {
        if now.won == true { return "star.fill" }
        return switch now.state {
        case .inProgress: "play"
        case .completed: "checkmark"
        case .ended, .discarded: "stop"
        }
    }
}

/// An action: how it stands, why, what was tried, and what can be done about it.
private struct ActionView: View {
    let card: ActionCard
    let model: RecordModel

    var body: some View {
        Heading(.plain(card.name))
        Words(.message(.labelTo, [.plain(card.endpoint)])).ink(\.quietInk)
        Badge(card.reason.map { .message(.labelPair, [card.state.words, $0]) } ?? card.state.words, card.state.sign, card.state.tone)
        if let detail = card.detail { Words(detail) }
        ForEach(card.messages) { Words($0.words).padding(.leading, $0.isReplay ? 24 : 0) }
        if let attempts = card.attempts { Words(attempts).bold() }
        ForEach(card.attemptLines, id: \.self) { Words($0).ink(\.quietInk) }
        ForEach(card.warnings, id: \.self) { Words($0) }
        if card.canSend { BigButton(.buttonSend, sign: "paperplane", about: card.name) { model.send(card.key) }.disabled(model.working) }
        if card.canSendCorrected {
            BigButton(.buttonSendCorrected, sign: "paperplane", about: card.name) { model.send(card.key, corrected: true) }.disabled(model.working)
        }
        BigButton(.buttonPreview, sign: "eye", about: card.name) { model.openPreview(card.key) }
        if card.canAbandon { BigButton(.buttonAbandon, sign: "trash", about: card.name, isDestructive: true) { model.openAbandon(card.key) } }
    }
}

private struct TimelineRow: View {
    let line: TimelineLine

    var body: some View {
        HStack(alignment: .firstTextBaseline) {
            Sign(line.sign.name).ink(\.accent)
            VStack(alignment: .leading, spacing: 2) {
                Words(line.words)
                Words(line.at).ink(\.quietInk)
            }
        }
        .accessibilityElement(children: .combine)
    }
}

/// What is seldom needed: it is not among the buttons of the record.
private struct MenuPanel: View {
    let menu: RecordMenu
    let model: RecordModel

    var body: some View {
        switch menu {
        case .choices:
            Page(.message(.buttonMenu, [])) {
                BigButton(.buttonReplay, sign: "paperplane") { model.openReplay() }.disabled(!model.canReplay)
                if !model.canReplay { Words(.labelNothingToReplay) }
            } foot: {
                BigButton(.buttonClose) { model.menu = nil }
            }
        case .replay:
            Page(.message(.buttonReplay, [])) {
                Words(.questionReplay)
            } foot: {
                BigButton(.buttonSendAgain, sign: "paperplane", isMain: true) { model.replay() }
                BigButton(.buttonCancel) { model.menu = nil }
            }
        }
    }
}

private struct EditPanel: View {
    let fields: [FieldItem]
    let model: RecordModel

    var body: some View {
        Page(.message(.buttonEdit, []), notice: Binding(get: { model.notice }, set: { model.notice = $0 })) {
            Words(.labelEditHint)
            ForEach(fields) { field in FieldView(item: field) { model.field(field.key, $0) } }
            ForEach(model.now?.notes ?? [], id: \.seq) { note in
                LineInput(
                    id: .headingNotes,
                    text: Binding(get: { model.editedNotes[note.seq] ?? note.text ?? "" }, set: { model.note(note.seq, $0) }),
                    multiline: true)
            }
            LineInput(id: .labelEditReason, text: Binding(get: { model.editReason }, set: { model.editReason = $0 }))
        } foot: {
            BigButton(.buttonSave, isMain: true) { model.saveEdit() }
            BigButton(.buttonBack) { model.dismissEdit() }
        }
    }
}

extension TimelineSign {
    fileprivate var name: String {
        switch self {
        case .started: "play"
        case .field: "pencil"
        case .answer: "arrow.forward"
        case .takenBack, .back: "arrow.uturn.backward"
        case .reply: "text.bubble"
        case .note: "note.text"
        case .completed: "checkmark"
        case .won: "star.fill"
        case .ended: "stop"
        case .discarded, .abandoned: "trash"
        case .edited: "square.and.pencil"
        case .send: "paperplane"
        }
    }
}

struct RecordPreviews: PreviewProvider {
    static var previews: some View { RecordView(model: RecordModel("s3", .preview)) }
}
