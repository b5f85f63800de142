import FieldSampleModels
import SwiftUI

struct WorkflowsView: View {
    @State var model: WorkflowsModel

    var body: some View {
        List {
            if let resume = model.resume {
                Section {
                    Text(verbatim: resume.workflowName).font(.title3)
                    Text(verbatim: resume.sectionName)
                    Words(resume.startedAt)
                    BigButton(.buttonContinue, isMain: true) { model.goOn() }
                    if let more = model.moreInProgress { BigButton(more) { model.openMore() } }
                } header: {
                    Heading(id: .headingResume)
                }
            }
            ForEach(model.workflows) { workflow in
                Section {
                    Text(verbatim: "\(workflow.name) (\(workflow.version))").font(.title3).accessibilityAddTraits(.isHeader)
                    if let about = workflow.about { Text(verbatim: about) }
                    if let mark = workflow.mark { Words(mark).bold() }
                    ForEach(workflow.findings, id: \.self) { finding in
                        Label { Words(finding) } icon: { Image(systemName: "exclamationmark.triangle") }
                    }
                    BigButton(.buttonStart) { model.start(workflow.key) }.disabled(!workflow.startable || model.starting != nil)
                    BigButton(.buttonOpen) { model.open(workflow.key) }
                }
            }
        }
        .notice($model.notice)
    }
}

struct WorkflowView: View {
    @State var model: WorkflowModel

    var body: some View {
        List {
            if let outline = model.outline {
                Section {
                    Text(verbatim: "\(outline.item.workflow.name) (\(outline.item.workflow.label))").font(.title2)
                    ForEach(model.findings, id: \.self) { Words($0) }
                    BigButton(.buttonStart, isMain: true) { model.start() }.disabled(!outline.item.startable)
                }
                ForEach(outline.sections) { section in
                    Section {
                        if section.key == outline.start { Words(.labelStartSection) }
                        if section.isEnd { Words(section.win ? .labelWin : .labelEndSection) }
                        ForEach(section.fields, id: \.self) { field in
                            Text(verbatim: field.name)
                            if field.required { Words(.labelRequired) }
                        }
                        ForEach(section.answers, id: \.self) { answer in
                            HStack {
                                Text(verbatim: answer.name)
                                Spacer()
                                if let target = model.target(of: answer) { Text(verbatim: target) } else { Words(.labelUnlinked) }
                            }
                        }
                        ForEach(section.actions) { action in
                            Text(verbatim: "\(action.name): \(action.endpoint)")
                            BigButton(.buttonRemove) { model.openRemove(action.key, from: section.key) }
                        }
                        BigButton(.buttonAddAction) { model.openAdd(section.key) }
                    } header: {
                        Text(verbatim: section.name).accessibilityAddTraits(.isHeader)
                    }
                }
            }
        }
        .notice($model.notice)
        .sheet(isPresented: Binding(get: { model.adding != nil }, set: { if !$0 { model.adding = nil } })) { add }
        .sheet(isPresented: Binding(get: { model.removing != nil }, set: { if !$0 { model.removing = nil } })) {
            if let question = model.removing {
                VStack {
                    Words(question.words).font(.title3)
                    BigButton(.buttonRemove, isDestructive: true) { model.remove() }
                    BigButton(.buttonCancel) { model.removing = nil }
                }
                .padding()
            }
        }
    }

    @ViewBuilder private var add: some View {
        if let sheet = model.adding {
            ScrollView {
                VStack {
                    Text(verbatim: sheet.sectionName).font(.title3).accessibilityAddTraits(.isHeader)
                    LineInput(id: .labelName, text: Binding(get: { sheet.name }, set: { model.adding?.name = $0 }))
                    ForEach(sheet.endpoints, id: \.self) { endpoint in
                        ChosenButton(name: .plain(endpoint), chosen: sheet.chosen == endpoint) { model.adding?.chosen = endpoint }
                    }
                    if sheet.endpoints.isEmpty {
                        Words(.labelNoEndpoints)
                        BigButton(.tabSettings) { model.openSettings() }
                    }
                    BigButton(.buttonAdd, isMain: true) { model.add() }.disabled(!sheet.canAdd || model.saving)
                    BigButton(.buttonCancel) { model.adding = nil }
                }
                .padding()
            }
        }
    }
}

struct SessionsView: View {
    @Environment(\.phrases) private var phrases
    @State var model: SessionsModel

    var body: some View {
        List {
            LineInput(id: .labelSearch, text: $model.text)
            Picker(phrases(.labelSearch), selection: $model.filter) {
                ForEach(SessionsFilter.allCases, id: \.self) { Words($0.words).tag($0) }
            }
            .minimumTarget()
            if let failure = model.failure { Words(failure) }
            ForEach(model.sessions) { row in
                Button { model.open(row.session) } label: {
                    VStack(alignment: .leading) {
                        Text(verbatim: row.workflowName).font(.title3)
                        Text(verbatim: row.sectionName)
                        Label { Words(row.status) } icon: { Image(systemName: row.won ? "star.fill" : "circle") }
                        Words(row.startedAt)
                        if row.waiting > 0 { Words(.count(.outboxWaiting, row.waiting)) }
                        if row.failed > 0 { Words(.count(.failedSends, row.failed)) }
                    }
                    .minimumTarget()
                }
            }
            if model.more { BigButton(.buttonMore) { model.showMore() } }
        }
    }
}

struct OutboxView: View {
    @State var model: OutboxModel

    var body: some View {
        List {
            Section {
                Words(model.waiting).font(.title3)
                if let oldest = model.oldest { Words(oldest) }
                if let next = model.nextAttempt { Words(next) }
                if model.isEmpty { Words(.labelOutboxEmpty) }
            }
            if let needs = model.needsPerson {
                Section {
                    ForEach(model.persons) { row($0) }
                } header: {
                    Words(needs).accessibilityAddTraits(.isHeader)
                }
            }
            Section {
                ForEach(model.lines) { row($0) }
                if model.more { BigButton(.buttonMore) { model.showMore() } }
            } header: {
                Heading(id: .headingWaiting)
            }
        }
        .safeAreaInset(edge: .bottom) {
            VStack {
                if model.canSendFailedAgain { BigButton(.buttonSendFailedAgain) { model.sendFailedAgain() } }
                BigButton(.buttonSendNow, isMain: true) { model.sendNow() }.disabled(!model.canSendNow || model.sending)
            }
        }
        .notice($model.notice)
    }

    private func row(_ row: OutboxRow) -> some View {
        Button { model.open(row.session) } label: {
            VStack(alignment: .leading) {
                Text(verbatim: row.name).font(.title3)
                Text(verbatim: "\(row.workflowName): \(row.endpoint)")
                Words(row.state.words)
                ForEach([row.reason, row.detail, row.attempts, row.warning].compactMap { $0 }, id: \.self) { Words($0) }
            }
            .minimumTarget()
        }
    }
}

#Preview { WorkflowsView(model: WorkflowsModel(.preview)) }
#Preview { WorkflowView(model: WorkflowModel("boiler-service", .preview)) }
#Preview { SessionsView(model: SessionsModel(.preview)) }
#Preview { OutboxView(model: OutboxModel(.preview)) }
