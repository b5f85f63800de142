import CompassCore
import Foundation
import Observation

/// An endpoint. `origin` is its address without the path; `problem` says why nothing leaves for it, and `signing` whether messages are signed,
/// and that this phone has the secret.
public struct EndpointRow: Hashable, Sendable, Identifiable {
    public let key: String, origin: String, enabled: Bool, waiting: Int, problem: Phrase?, signing: Phrase?
    public var id: String { key }
}

/// An endpoint being registered or changed. Printing it shows no secret.
public struct EndpointForm: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    public var key = "", url = ""
    public var signed = true, wifiOnly = false
    /// What was typed now; never what is stored.
    public var secret = ""
    public internal(set) var secretStored = false
    /// Its name can be chosen.
    public internal(set) var isNew = true

    /// What becomes of a secret that is typed.
    public var secretHint: Phrase { .text(secretStored ? .labelSecretStored : .labelSecretHint) }
    public var canSave: Bool { !key.allSatisfy(\.isWhitespace) && !url.allSatisfy(\.isWhitespace) }
    public var description: String { "EndpointForm(\(key))" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// The settings.
@MainActor @Observable
public final class SettingsModel: Replacing {
    public private(set) var loading = true
    public private(set) var integrationEnabled = false
    public private(set) var endpoints: [EndpointRow] = []
    /// Key of the endpoint that a test message is on its way to.
    public private(set) var testing: String?
    public private(set) var offlineSimulated = false
    public private(set) var importFindings: [Phrase] = []
    /// The file that was written last, to share.
    public var exported: URL?
    /// The questions before what is on the phone is replaced or erased.
    public let replacement: Replacement
    public var editing: EndpointForm?
    public var notice: Notice?

    public let work: Workplace
    private let turns = Turns()
    private var known: [EndpointStatus] = []

    public init(_ work: Workplace) {
        self.work = work
        replacement = Replacement(turns, keepsSaved: false) { work }
        // What was saved of a database that did not open is still to be shared.
        exported = ExportFile.saved.ifThere(in: work)
        turns.refused = { [weak self] in self?.notice = Notice(words: $0, failed: true) }
        replacement.say = { [weak self] in self?.notice = $0 }
        replacement.erased = { [weak self] in
            self?.exported = nil
            self?.importFindings = []
        }
        turns.follow(work.network.state.values()) { [weak self] in self?.offlineSimulated = $0.simulated }
        turns.follow(work.compass.observeIntegration()) { [weak self] in self?.integrationEnabled = $0 }
        turns.follow(work.compass.observeEndpoints()) { [weak self] in
            self?.loading = false
            self?.known = $0.filter { $0.archivedAt == nil }
            self?.draw()
        }
    }

    public func settled() async { await turns.done() }

    /// A workflow file was chosen; its bytes.
    public func importWorkflow(_ document: Data) {
        turns.take { [self] in
            do {
                let outcome = try await work.compass.importWorkflow(document)
                importFindings = try await work.compass.words(outcome.workflow.findings, of: outcome.workflow.workflow)
                let name = Phrase.plain(outcome.workflow.workflow.name)
                notice = Notice(words: .text(outcome.imported ? .noticeImported : .noticeImportedAlready, name))
            } catch let failure as CompassError {
                importFindings = failure.findings.map { $0.words(nil) }
                throw failure
            }
        }
    }

    public func setIntegration(_ on: Bool) { turns.take { [work] in try await work.compass.setIntegrationEnabled(on) } }

    public func simulateOffline(_ on: Bool) { turns.take { [work] in try await work.network.simulateOffline(on, telling: work.compass) } }

    public func setEndpoint(_ key: String, enabled: Bool) {
        turns.take { [work] in try await work.compass.setEndpointEnabled(key, enabled: enabled) }
    }

    public func addEndpoint() { editing = EndpointForm() }

    public func openEndpoint(_ key: String) {
        guard let endpoint = known.first(where: { $0.endpoint.key == key })?.endpoint else { return }
        let secret = endpoint.secret
        var form = EndpointForm(key: key, url: endpoint.url, signed: secret != nil, wifiOnly: endpoint.network == .unmetered)
        form.secretStored = secret.map(work.vault.has) ?? false
        form.isNew = false
        editing = form
    }

    /// Keeps the endpoint, and its secret if one was typed.
    public func saveEndpoint() {
        guard let form = editing, form.canSave else { return }
        turns.take { [self] in
            let key = form.key.trimmingCharacters(in: .whitespaces)
            let before = known.first { $0.endpoint.key == key }?.endpoint
            let secret = form.signed ? before?.secret ?? "\(key)-secret" : nil
            let typed = form.secret.trimmingCharacters(in: .whitespacesAndNewlines)
            let url = form.url.trimmingCharacters(in: .whitespaces)
            try await work.compass.putEndpoint(
                Endpoint(
                    key: key, url: url, signing: secret.map { .standardWebhooks(secret: $0) } ?? .none, headers: before?.headers ?? [],
                    network: form.wifiOnly ? .unmetered : .any))
            if let secret, !typed.isEmpty {
                do { try work.vault.put(typed, named: secret) } catch { throw CompassError(code: "secret_unavailable") }
                try await work.compass.secretsChanged()
            }
            editing = nil
            draw()
            notice = Notice(words: .text(.noticeEndpointSaved))
        }
    }

    public func test(_ key: String) {
        if testing != nil { return }
        testing = key
        turns.takeAside { [self] in
            defer { testing = nil }
            let result = try await work.compass.testDelivery(key)
            if result.delivered, let status = result.status {
                notice = Notice(words: .text(.noticeTestDelivered, .number(String(status))))
            } else {
                notice = Notice(words: .text(.noticeTestRefused, reasonWords(result.outcome)), failed: true)
            }
        }
    }

    public func exportDiagnostics() {
        export(.diagnostics) { [work] file in
            try Data(try await work.compass.diagnostics(work.network.state.value).utf8).write(to: file, options: .atomic)
        }
    }

    public func exportBackup() {
        export(.backup) { [work] file in
            // Into a place that is free: a copy does not write over another.
            try? FileManager.default.removeItem(at: file)
            try await work.compass.backup(to: file)
        }
    }

    private func export(_ export: ExportFile, _ write: @escaping @MainActor (URL) async throws -> Void) {
        turns.take { [self] in
            let file = export.url(in: work)
            try await write(file)
            exported = file
            notice = Notice(words: .text(.noticeExported, .plain(export.rawValue)))
        }
    }

    private func draw() {
        endpoints = known.map { status in
            var problem: Phrase?
            let stored = status.endpoint.secret.map(work.vault.has)
            if !status.enabled {
                // Most reasons say no more than that it is off.
                let telling = status.disabledReason.flatMap { ["gone", "endpoint_corrupt"].contains($0) ? $0 : nil }
                problem = reasonWords(telling ?? "endpoint_disabled")
            } else if stored == false {
                problem = reasonWords("secret_missing")
            } else if let failing = status.failingReason {
                problem = reasonWords(failing)
            }
            let signing: Phrase? = switch stored {
            case true?: .text(.labelSignedHere)
            case false?: nil
            case nil: .text(.labelUnsigned)
            }
            return EndpointRow(
                key: status.endpoint.key, origin: origin(status.endpoint.url), enabled: status.enabled, waiting: Int(status.pending),
                problem: problem, signing: signing)
        }
    }
}

extension Endpoint {
    /// The name of its signing secret; none when messages are not signed.
    fileprivate var secret: String? { if case .standardWebhooks(let name) = signing { name } else { nil } }
}

/// An address without its path, which may hold a secret.
func origin(_ url: String) -> String {
    guard let parts = URLComponents(string: url), let scheme = parts.scheme, let host = parts.host else { return "" }
    return "\(scheme)://\(host)" + (parts.port.map { ":\($0)" } ?? "")
}
