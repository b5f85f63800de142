import FieldSampleModels
import SwiftUI

struct SessionScreen: View {
    @Environment(\.phrases) private var phrases
    @State var model: SessionModel
    let keepOn: Bool
    @AccessibilityFocusState private var onHeading: Bool

    var body: some View {
        ScrollView {
            VStack(alignment: .leading, spacing: 16) {
                ProgressView(value: model.progress)
                Words(model.left)
                Text(verbatim: model.sectionName).font(.title).accessibilityAddTraits(.isHeader).accessibilityFocused($onHeading)
                Label {
                    Words(model.saved == .saved ? .savedOnPhone : model.saved == .saving ? .saving : .notSavedYet)
                } icon: {
                    Image(systemName: model.saved == .notYet ? "exclamationmark.triangle" : "checkmark.circle")
                }
                ForEach(model.paragraphs, id: \.self) { Text(verbatim: $0) }
                ForEach(model.fields) { field in FieldView(item: field) { model.field(field.key, $0) } }
                if let problems = model.problems { Words(problems).bold() }
                ForEach(model.notes) { Text(verbatim: $0.text) }
                ForEach(model.replies) { reply in BigButton(.plain(reply.name)) { model.sheet = .reply(reply) } }
                BigButton(.buttonNote) { model.sheet = .note("") }
                BigButton(.buttonSteps) { model.sheet = .steps }
                BigButton(.buttonEnd) { model.sheet = .end(reason: "") }
                BigButton(.buttonDiscard, isDestructive: true) { model.sheet = .discard }
            }
            .padding()
        }
        .id(model.visit)
        .safeAreaInset(edge: .bottom) { moves }
        .onChange(of: model.visit) { _, _ in onHeading = true }
        .navigationBarBackButtonHidden(true)
        .sheet(isPresented: Binding(get: { model.sheet != nil }, set: { if !$0 { model.sheet = nil } })) {
            ScrollView { sheet.padding() }
        }
        .notice($model.notice)
        .keepingScreenOn(keepOn)
    }

    /// In the lower third, over the whole width.
    private var moves: some View {
        VStack {
            if model.closed {
                Words(.labelSessionOver)
                BigButton(.buttonOpenRecord, isMain: true) { model.openRecord() }
            } else {
                ForEach(model.answers) { answer in
                    BigButton(.plain(answer.name), isMain: true) { model.answer(answer.key) }.disabled(model.moving)
                }
                if model.canReview { BigButton(.buttonReview, isMain: true) { model.review() } }
                BigButton(.buttonBack) { model.back() }.disabled(model.moving)
            }
        }
    }

    @ViewBuilder private var sheet: some View {
        VStack(alignment: .leading) {
            switch model.sheet {
            case .reply(let reply):
                Text(verbatim: reply.name).font(.title2).accessibilityAddTraits(.isHeader)
                Text(verbatim: reply.content)
                BigButton(.buttonUsed, isMain: true) { model.useReply() }
            case .note(let text):
                LineInput(id: .buttonNote, text: Binding(get: { text }, set: { model.sheet = .note($0) }), multiline: true)
                BigButton(.buttonSave, isMain: true) { model.saveNote() }
            case .steps:
                Heading(id: .buttonSteps)
                ForEach(model.path) { step in
                    BigButton(.plain(step.name)) { model.back(to: step.visit) }.disabled(step.visit == model.visit)
                }
            case .end(let reason):
                Words(.questionEnd).font(.title3)
                LineInput(id: .labelReason, text: Binding(get: { reason }, set: { model.sheet = .end(reason: $0) }))
                BigButton(.buttonEnd, isMain: true) { model.end() }.disabled(!model.canEnd)
            case .discard:
                Words(.questionDiscard).font(.title3)
                BigButton(.buttonDiscard, isMain: true, isDestructive: true) { model.discard() }
            case nil: Text(verbatim: "")
            }
            BigButton(.buttonCancel) { model.sheet = nil }
        }
    }
}

struct ReviewView: View {
    @State var model: ReviewModel

    var body: some View {
        List {
            Section {
                Label { Words(.savedOnPhone) } icon: { Image(systemName: "checkmark.circle") }
                Text(verbatim: model.sectionName).font(.title2)
                if model.win { Label { Words(.labelWin) } icon: { Image(systemName: "star.fill") } }
            }
            if !model.missing.isEmpty {
                Section {
                    ForEach(model.missing) { missing in
                        Button { model.open(missing) } label: {
                            VStack(alignment: .leading) {
                                Text(verbatim: missing.name)
                                Words(missing.problem)
                            }
                            .minimumTarget()
                        }
                    }
                } header: {
                    Heading(id: .headingMissing)
                }
            }
            Section {
                if let willSend = model.willSend { Words(willSend) } else { Words(.labelNothingToSend) }
                if model.integrationOff { Words(.labelIntegrationOff) }
                ForEach(model.messages) { Text(verbatim: "\($0.name): \($0.endpoint)") }
            } header: {
                Heading(id: .headingWillBeSent)
            }
            Section {
                ForEach(model.fields) { FieldLineView(line: $0) }
            } header: {
                Heading(id: .headingFields)
            }
        }
        .safeAreaInset(edge: .bottom) {
            BigButton(.buttonComplete, isMain: true) { model.complete() }.disabled(!model.canComplete || model.completing)
        }
        .notice($model.notice)
    }
}

struct FieldLineView: View {
    let line: FieldLine

    var body: some View {
        VStack(alignment: .leading) {
            Text(verbatim: line.name).bold()
            Words(line.value)
        }
    }
}

struct RecordView: View {
    @State var model: RecordModel

    var body: some View {
        List {
            Section {
                Text(verbatim: model.now?.workflow.name ?? "").font(.title2)
                Label { Words(model.status).bold() } icon: { Image(systemName: model.won ? "star.fill" : "circle") }
                if let reason = model.now?.endReason { Text(verbatim: reason) }
                ForEach(model.totals) { total in
                    HStack {
                        Words(total.state.words)
                        Spacer()
                        Words(.number(String(total.count)))
                    }
                }
            }
            Section {
                ForEach(model.actions) { action($0) }
            } header: {
                Heading(id: .headingActions)
            }
            Section {
                ForEach(model.timeline) { line in
                    VStack(alignment: .leading) {
                        Label { Words(line.words) } icon: { Image(systemName: line.sign.name) }
                        Words(line.at)
                    }
                }
            } header: {
                Heading(id: .headingTimeline)
            }
            Section {
                ForEach(model.fields) { FieldLineView(line: $0) }
                ForEach(model.now?.notes ?? []) { Text(verbatim: $0.text) }
                if model.canEdit { BigButton(.buttonEdit) { model.openEdit() } }
            } header: {
                Heading(id: .headingFields)
            }
        }
        .notice($model.notice)
        .sheet(isPresented: Binding(get: { model.editing != nil }, set: { if !$0 { model.dismissEdit() } })) {
            ScrollView {
                VStack {
                    Words(.labelEditHint)
                    ForEach(model.editing ?? []) { field in FieldView(item: field) { model.field(field.key, $0) } }
                    ForEach(model.now?.notes ?? []) { note in
                        LineInput(
                            id: .headingNotes,
                            text: Binding(get: { model.editedNotes[note.number] ?? note.text }, set: { model.note(note.number, $0) }),
                            multiline: true)
                    }
                    BigButton(.buttonSave, isMain: true) { model.saveEdit() }
                    BigButton(.buttonCancel) { model.dismissEdit() }
                }
                .padding()
            }
        }
        .sheet(isPresented: Binding(get: { model.preview != nil }, set: { if !$0 { model.preview = nil } })) {
            ScrollView {
                VStack(alignment: .leading) {
                    Text(verbatim: "\(model.preview?.name ?? ""): \(model.preview?.endpoint ?? "")").font(.title3)
                    Text(verbatim: model.preview?.body ?? "").monospaced()
                    BigButton(.buttonBack) { model.preview = nil }
                }
                .padding()
            }
        }
        .sheet(isPresented: Binding(get: { model.abandoning != nil }, set: { if !$0 { model.abandoning = nil } })) {
            if let question = model.abandoning {
                VStack {
                    Words(question.words).font(.title3)
                    if question.asksName {
                        LineInput(id: .labelTechnician, text: Binding(get: { question.by }, set: { model.abandoning?.by = $0 }))
                    }
                    LineInput(id: .labelReason, text: Binding(get: { question.reason }, set: { model.abandoning?.reason = $0 }))
                    BigButton(.buttonAbandon, isMain: true, isDestructive: true) { model.abandon() }.disabled(!question.canAbandon)
                    BigButton(.buttonCancel) { model.abandoning = nil }
                }
                .padding()
            }
        }
    }

    private func action(_ card: ActionCard) -> some View {
        VStack(alignment: .leading) {
            Text(verbatim: "\(card.name): \(card.endpoint)").font(.title3)
            Label { Words(card.state.words) } icon: { Image(systemName: card.state.sign) }
            ForEach([card.reason, card.detail, card.attempts].compactMap { $0 } + card.attemptLines + card.warnings, id: \.self) { Words($0) }
            if card.canSend { BigButton(.buttonSend) { model.send(card.key) }.disabled(model.working) }
            if card.canSendCorrected { BigButton(.buttonSendCorrected) { model.send(card.key, corrected: true) }.disabled(model.working) }
            BigButton(.buttonPreview) { model.openPreview(card.key) }
            if card.canAbandon { BigButton(.buttonAbandon) { model.openAbandon(card.key) } }
        }
    }
}

extension ActionState {
    var sign: String {
        switch self {
        case .notFired: "pause.circle"
        case .pending: "arrow.up.circle"
        case .sent: "checkmark.circle"
        case .failed: "exclamationmark.triangle"
        }
    }
}

extension TimelineSign {
    var name: String {
        switch self {
        case .started: "play"
        case .field: "pencil"
        case .answer: "arrow.right"
        case .takenBack, .back: "arrow.uturn.backward"
        case .reply: "bubble.left"
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

#Preview { SessionScreen(model: SessionModel("s1", .preview), keepOn: false) }
#Preview { ReviewView(model: ReviewModel("s1", .preview)) }
#Preview { RecordView(model: RecordModel("s3", .preview)) }
