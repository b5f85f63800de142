import FieldSampleModels
import SwiftUI
import UniformTypeIdentifiers

/// Who works, where messages go, how the app looks, and what support asks for.
struct SettingsView: View {
    @Bindable var model: SettingsModel
    @State private var importing = false
    @State private var choosingBackup = false

    var body: some View {
        Page(.message(.tabSettings, []), notice: $model.notice) {
            person
            endpoints
            display
            support
        }
        .fileImporter(isPresented: $importing, allowedContentTypes: [.json]) { result in
            guard let file = try? result.get() else { return }
            let allowed = file.startAccessingSecurityScopedResource()
            defer { if allowed { file.stopAccessingSecurityScopedResource() } }
            model.importWorkflow((try? Data(contentsOf: file)) ?? Data())
        }
        .panel(model.editing, close: { model.editing = nil }) { EndpointPanel(form: $0, model: model) }
        .panel(model.question, close: { model.dismissQuestion() }) { DataPanel(question: $0, opens: true, model: model) }
    }

    @ViewBuilder private var person: some View {
        @Bindable var work = model.work
        Heading(.headingPerson)
        Card {
            LineInput(id: .labelTechnician, text: $work.preferences.actor)
            BigButton(.buttonImport, sign: "square.and.arrow.down") { importing = true }
            ForEach(model.importFindings, id: \.self) { Badge($0, "exclamationmark.triangle", .waiting) }
        }
    }

    @ViewBuilder private var endpoints: some View {
        Heading(.headingEndpoints)
        Switch(.labelIntegration, isOn: model.integrationEnabled) { model.setIntegration($0) }
        ForEach(model.endpoints) { endpoint in
            Card {
                Heading(.plain(endpoint.key))
                Words(.plain(endpoint.origin)).ink(\.quietInk)
                if let problem = endpoint.problem { Badge(problem, "exclamationmark.triangle", .bad) }
                if let signing = endpoint.signing { Words(signing) }
                Words(.count(.outboxWaiting, endpoint.waiting))
                Switch(.message(.labelTo, [.plain(endpoint.key)]), isOn: endpoint.enabled) { model.setEndpoint(endpoint.key, enabled: $0) }
                Beside {
                    BigButton(.buttonEdit, sign: "square.and.pencil", about: endpoint.key) { model.openEndpoint(endpoint.key) }
                    BigButton(.buttonTest, sign: "paperplane", about: endpoint.key) { model.test(endpoint.key) }.disabled(model.testing != nil)
                }
            }
        }
        BigButton(.buttonAddEndpoint, sign: "plus") { model.addEndpoint() }
    }

    @ViewBuilder private var display: some View {
        let work = model.work
        Heading(.headingDisplay)
        Card {
            Words(.labelTextSize).bold()
            ForEach(TextSize.allCases, id: \.self) { size in
                ChosenButton(name: .message(size.name, []), chosen: work.preferences.textSize == size) { work.preferences.textSize = size }
            }
            Switch(.labelContrast, isOn: work.preferences.highContrast) { work.preferences.highContrast = $0 }
            Switch(.labelKeepOn, isOn: work.preferences.keepScreenOn) { work.preferences.keepScreenOn = $0 }
        }
    }

    @ViewBuilder private var support: some View {
        Heading(.headingSupport)
        Card {
            Switch(.labelSimulate, isOn: model.offlineSimulated) { model.simulateOffline($0) }
            BigButton(.buttonBackup, sign: "externaldrive") { model.exportBackup() }
            BigButton(.buttonPutBack, sign: "arrow.uturn.backward") { choosingBackup = true }
                .choosingBackup($choosingBackup, model)
            BigButton(.buttonDiagnostics, sign: "doc.text") { model.exportDiagnostics() }
            if let exported = model.exported { ShareButton(file: exported) }
            BigButton(.buttonErase, sign: "trash", isDestructive: true) { model.eraseEverything() }
        }
    }
}

/// An endpoint. Its secret is written here and never shown.
private struct EndpointPanel: View {
    let form: EndpointForm
    let model: SettingsModel

    var body: some View {
        Page(form.isNew ? .message(.buttonAddEndpoint, []) : .plain(form.key), notice: Binding(get: { model.notice }, set: { model.notice = $0 })) {
            if form.isNew { LineInput(id: .labelName, text: Binding(get: { form.key }, set: { model.editing?.key = $0 })) }
            LineInput(id: .labelAddress, text: Binding(get: { form.url }, set: { model.editing?.url = $0 }), keyboard: .url)
            Switch(.labelSigned, isOn: form.signed) { model.editing?.signed = $0 }
            if form.signed {
                Words(form.secretHint)
                LineInput(id: .labelSecret, text: Binding(get: { form.secret }, set: { model.editing?.secret = $0 }), secure: true)
            }
            Switch(.labelWifiOnly, isOn: form.wifiOnly) { model.editing?.wifiOnly = $0 }
        } foot: {
            BigButton(.buttonSave, isMain: true) { model.saveEndpoint() }.disabled(!form.canSave)
            BigButton(.buttonCancel) { model.editing = nil }
        }
    }
}

struct SettingsPreviews: PreviewProvider {
    static var previews: some View { SettingsView(model: SettingsModel(.preview)) }
}
