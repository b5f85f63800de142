import FieldSampleModels
import SwiftUI

/// What lies over a session.
struct SessionPanel: View {
    let sheet: SessionSheet
    let model: SessionModel

    var body: some View {
        switch sheet {
        case .reply(let reply):
            Page(reply.kind.words(reply.name), notice: notice) {
                Words(.plain(reply.content))
            } foot: {
                BigButton(.buttonUsed, sign: "checkmark", isMain: true) { model.useReply() }
                cancel
            }
        case .note(let text):
            Page(.message(.buttonNote, []), notice: notice) {
                LineInput(id: .buttonNote, text: Binding(get: { text }, set: { model.sheet = .note($0) }), multiline: true)
            } foot: {
                BigButton(.buttonSave, isMain: true) { model.saveNote() }
                cancel
            }
        case .steps:
            Page(.message(.buttonSteps, []), notice: notice) {
                ForEach(model.path, id: \.visit) { step in
                    BigButton(.plain(step.sectionName), sign: "arrow.uturn.backward") { model.back(to: step.visit) }
                        .disabled(step.visit == model.visit)
                }
            } foot: {
                cancel
            }
        case .end(let reason):
            Page(.message(.questionEnd, []), notice: notice) {
                LineInput(id: .labelReason, text: Binding(get: { reason }, set: { model.sheet = .end(reason: $0) }))
            } foot: {
                BigButton(.buttonEnd, sign: "stop", isMain: true) { model.end() }.disabled(!model.canEnd)
                cancel
            }
        case .discard:
            Page(.message(.questionDiscard, []), notice: notice) {
                EmptyView()
            } foot: {
                BigButton(.buttonDiscard, sign: "trash", isMain: true, isDestructive: true) { model.discard() }
                cancel
            }
        }
    }

    private var notice: Binding<Notice?> { Binding(get: { model.notice }, set: { model.notice = $0 }) }

    private var cancel: some View { BigButton(.buttonCancel) { model.sheet = nil } }
}
