import FieldSampleModels
import SwiftUI
import UniformTypeIdentifiers

/// What is asked before what is on the phone is replaced or erased; `opens` where it can be opened.
struct DataPanel: View {
    let question: DataQuestion
    let opens: Bool
    let model: any Replacing

    private var notice: Binding<Notice?> { Binding(get: { model.notice }, set: { model.notice = $0 }) }

    var body: some View {
        switch question {
        case .putBack: panel(opens ? .buttonPutBack : .buttonPutBackCopy, .questionPutBack, .buttonPutItBack)
        case .erase(sure: false):
            if opens { panel(.buttonErase, .questionErase, .buttonGoOn) } else { panel(.buttonStartOver, .questionStartOver, .buttonGoOn) }
        case .erase(sure: true): panel(.headingEraseSure, .questionEraseSure, .buttonEraseNow)
        case .undelivered(let asked):
            Page(.message(.headingUndelivered, []), notice: notice) {
                Words(asked.lost).bold()
                Words(opens ? .questionUndelivered : .questionUndeliveredSaved)
                if asked.asksName { LineInput(id: .labelTechnician, text: Binding(get: { asked.by }, set: { model.discard(by: $0) })) }
                LineInput(id: .labelReason, text: Binding(get: { asked.reason }, set: { model.discard(reason: $0) }))
            } foot: {
                yes(.buttonGiveUpAll).disabled(!asked.canDiscard || model.replacing)
                BigButton(.buttonCancel) { model.dismissQuestion() }
            }
        }
    }

    private func panel(_ title: TextId, _ words: TextId, _ confirm: TextId) -> some View {
        Page(.message(title, []), notice: notice) {
            Words(words)
        } foot: {
            yes(confirm).disabled(model.replacing)
            BigButton(.buttonCancel) { model.dismissQuestion() }
        }
    }

    private func yes(_ words: TextId) -> some View {
        BigButton(words, sign: "trash", isMain: true, isDestructive: true) { model.confirm() }
    }
}

/// Hands a file to another app.
struct ShareButton: View {
    let file: URL

    var body: some View {
        ShareLink(item: file) {
            HStack {
                Sign("square.and.arrow.up")
                Words(.buttonShare).bold()
            }
        }
        .buttonStyle(PlainStyle())
    }
}

extension View {
    /// The phone's own list of files, for a backup.
    func choosingBackup(_ shown: Binding<Bool>, _ model: any Replacing) -> some View {
        fileImporter(isPresented: shown, allowedContentTypes: [.item]) { result in
            guard let file = try? result.get() else { return }
            let allowed = file.startAccessingSecurityScopedResource()
            defer { if allowed { file.stopAccessingSecurityScopedResource() } }
            model.chooseBackup(file)
        }
    }
}
