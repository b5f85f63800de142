import FieldSampleModels
import SwiftUI
import UniformTypeIdentifiers

struct SettingsView: View {
    @Environment(\.phrases) private var phrases
    @State var model: SettingsModel
    @State private var importing = false

    var body: some View {
        @Bindable var work = model.work
        List {
            Section {
                LineInput(id: .labelTechnician, text: $work.preferences.actor)
                BigButton(.buttonImport) { importing = true }
                ForEach(model.importFindings, id: \.self) { Words($0) }
            }
            Section {
                toggle(.labelIntegration, model.integrationEnabled) { model.setIntegration($0) }
                ForEach(model.endpoints) { endpoint in
                    VStack(alignment: .leading) {
                        Text(verbatim: "\(endpoint.key): \(endpoint.origin)").font(.title3)
                        if let problem = endpoint.problem { Words(problem) }
                        if let signing = endpoint.signing { Words(signing) }
                        Words(.count(.outboxWaiting, endpoint.waiting))
                        BigButton(.buttonEdit) { model.openEndpoint(endpoint.key) }
                        BigButton(.buttonTest) { model.test(endpoint.key) }.disabled(model.testing != nil)
                        Toggle(endpoint.key, isOn: Binding(get: { endpoint.enabled }, set: { model.setEndpoint(endpoint.key, enabled: $0) }))
                            .minimumTarget()
                    }
                }
                BigButton(.buttonAddEndpoint) { model.addEndpoint() }
            } header: {
                Heading(id: .headingEndpoints)
            }
            Section {
                Picker(phrases(.labelTextSize), selection: $work.preferences.textSize) {
                    ForEach(TextSize.allCases, id: \.self) { Words($0.name).tag($0) }
                }
                .minimumTarget()
                Toggle(phrases(.labelContrast), isOn: $work.preferences.highContrast).minimumTarget()
                Toggle(phrases(.labelKeepOn), isOn: $work.preferences.keepScreenOn).minimumTarget()
            } header: {
                Heading(id: .headingDisplay)
            }
            Section {
                toggle(.labelSimulate, model.offlineSimulated) { model.simulateOffline($0) }
                BigButton(.buttonDiagnostics) { model.exportDiagnostics() }
                BigButton(.buttonBackup) { model.exportBackup() }
                if let exported = model.exported { ShareLink(item: exported).minimumTarget() }
            } header: {
                Heading(id: .headingSupport)
            }
        }
        .notice($model.notice)
        .fileImporter(isPresented: $importing, allowedContentTypes: [.json]) { result in
            guard let file = try? result.get() else { return }
            let allowed = file.startAccessingSecurityScopedResource()
            defer { if allowed { file.stopAccessingSecurityScopedResource() } }
            model.importWorkflow((try? Data(contentsOf: file)) ?? Data())
        }
        .sheet(isPresented: Binding(get: { model.editing != nil }, set: { if !$0 { model.editing = nil } })) {
            if let form = model.editing { ScrollView { endpoint(form).padding() } }
        }
    }

    private func toggle(_ id: TextId, _ on: Bool, _ set: @escaping (Bool) -> Void) -> some View {
        Toggle(phrases(id), isOn: Binding(get: { on }, set: set)).minimumTarget()
    }

    private func endpoint(_ form: EndpointForm) -> some View {
        VStack(alignment: .leading) {
            LineInput(id: .labelName, text: Binding(get: { form.key }, set: { model.editing?.key = $0 })).disabled(!form.isNew)
            LineInput(id: .labelAddress, text: Binding(get: { form.url }, set: { model.editing?.url = $0 }))
            toggle(.labelSigned, form.signed) { model.editing?.signed = $0 }
            if form.signed {
                Words(.labelSecret)
                Words(form.secretHint)
                SecureField(phrases(.labelSecret), text: Binding(get: { form.secret }, set: { model.editing?.secret = $0 })).minimumTarget()
            }
            toggle(.labelWifiOnly, form.wifiOnly) { model.editing?.wifiOnly = $0 }
            BigButton(.buttonSave, isMain: true) { model.saveEndpoint() }.disabled(!form.canSave)
            BigButton(.buttonCancel) { model.editing = nil }
        }
    }
}

#Preview { SettingsView(model: SettingsModel(.preview)) }
