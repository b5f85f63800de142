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

/// What takes the place of what is on the phone.
public enum DataChange: Hashable, Sendable {
    /// What is in this copy of a backup, which is the app's own.
    case putBack(URL)
    /// Nothing.
    case erase
}

/// What is asked before what is on the phone is replaced or erased.
public enum DataQuestion: Hashable, Sendable {
    case putBack(URL)
    /// Asked once more to be sure.
    case erase(sure: Bool)
    case undelivered(UndeliveredQuestion)

    /// What is to be done.
    var change: DataChange {
        switch self {
        case .putBack(let copy): .putBack(copy)
        case .erase: .erase
        case .undelivered(let question): question.change
        }
    }
}

/// Giving messages up, so that something else can be done, needs a reason and the name of who does it.
public struct UndeliveredQuestion: Hashable, Sendable {
    public let change: DataChange
    /// How many messages would be lost.
    public let lost: Phrase
    /// The settings know no name: it is asked here.
    public let asksName: Bool
    public var by: String
    public var reason = ""
    public var canDiscard: Bool { !reason.allSatisfy(\.isWhitespace) && !by.allSatisfy(\.isWhitespace) }
}

/// The settings.
@MainActor @Observable
public final class SettingsModel {
    public private(set) var loading = true
    public private(set) var integrationEnabled = false
    public private(set) var endpoints: [EndpointRow] = []
    /// Key of the endpoint that a test message is on its way to.
    public private(set) var testing: String?
    public private(set) var offlineSimulated = false
    public private(set) var importFindings: [Phrase] = []
    /// The file that was written last, to share.
    public var exported: URL?
    public private(set) var question: DataQuestion?
    /// The database is being replaced or erased.
    public private(set) var replacing = false
    public var editing: EndpointForm?
    public var notice: Notice?

    public let work: Workplace
    private let turns = Turns()
    private var known: [EndpointLine] = []

    public init(_ work: Workplace) {
        self.work = work
        turns.refused = { [weak self] in self?.notice = Notice(words: $0, failed: true) }
        turns.follow(work.gateway.simulated()) { [weak self] in self?.offlineSimulated = $0 }
        turns.follow(work.gateway.integrationEnabled()) { [weak self] in self?.integrationEnabled = $0 }
        turns.follow(work.gateway.endpoints()) { [weak self] in
            self?.loading = false
            self?.known = $0
            self?.draw()
        }
    }

    public func settled() async { await turns.done() }

    /// A workflow file was chosen; its bytes.
    public func importWorkflow(_ document: Data) {
        turns.take { [self] in
            do {
                let imported = try await work.gateway.importWorkflow(document)
                importFindings = imported.workflow.findings.map(\.words)
                let name = Phrase.plain(imported.workflow.workflow.name)
                notice = Notice(words: .text(imported.isNew ? .noticeImported : .noticeImportedAlready, name))
            } catch let failure as GatewayFailure {
                importFindings = failure.findings.map(\.words)
                throw failure
            }
        }
    }

    public func setIntegration(_ on: Bool) { turns.take { [work] in try await work.gateway.setIntegrationEnabled(on) } }

    public func simulateOffline(_ on: Bool) { turns.take { [work] in try await work.gateway.simulateOffline(on) } }

    public func setEndpoint(_ key: String, enabled: Bool) { turns.take { [work] in try await work.gateway.setEndpoint(key, enabled: enabled) } }

    public func addEndpoint() { editing = EndpointForm() }

    public func openEndpoint(_ key: String) {
        guard let line = known.first(where: { $0.key == key }) else { return }
        var form = EndpointForm(key: key, url: line.url, signed: line.secret != nil, wifiOnly: line.wifiOnly)
        form.secretStored = line.secret.map(work.vault.has) ?? false
        form.isNew = false
        editing = form
    }

    /// Keeps the endpoint, and its secret if one was typed.
    public func saveEndpoint() {
        guard let form = editing, form.canSave else { return }
        turns.take { [self] in
            let key = form.key.trimmingCharacters(in: .whitespaces)
            let secret = form.signed ? known.first { $0.key == key }?.secret ?? "\(key)-secret" : nil
            let typed = form.secret.trimmingCharacters(in: .whitespacesAndNewlines)
            let url = form.url.trimmingCharacters(in: .whitespaces)
            try await work.gateway.putEndpoint(EndpointLine(key: key, url: url, secret: secret, wifiOnly: form.wifiOnly))
            if let secret, !typed.isEmpty {
                do { try work.vault.put(typed, named: secret) } catch { throw GatewayFailure(code: "secret_unavailable") }
                try await work.gateway.secretsChanged()
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
            let result = try await work.gateway.testDelivery(to: key)
            if result.delivered, let status = result.status {
                notice = Notice(words: .text(.noticeTestDelivered, .number(String(status))))
            } else {
                notice = Notice(words: .text(.noticeTestRefused, reasonWords(result.outcome)), failed: true)
            }
        }
    }

    public func exportDiagnostics() {
        export(Self.diagnostics) { [work] file in
            try Data(try await work.gateway.diagnostics().utf8).write(to: file, options: .atomic)
        }
    }

    public func exportBackup() {
        export(Self.backup) { [work] file in
            // Into a place that is free: a copy does not write over another.
            try? FileManager.default.removeItem(at: file)
            try await work.gateway.backup(to: file)
        }
    }

    private static let diagnostics = "diagnostics.txt", backup = "compass-backup.db", chosen = "chosen-backup.db"

    private func export(_ name: String, _ write: @escaping @MainActor (URL) async throws -> Void) {
        turns.take { [self] in
            let file = work.exports.appendingPathComponent(name, isDirectory: false)
            try await write(file)
            exported = file
            notice = Notice(words: .text(.noticeExported, .plain(name)))
        }
    }

    // Another database -------------------------------------------------------------------------------------------------------------------

    /// A backup was chosen. It is copied at once: the file may be the app's for this moment only.
    public func chooseBackup(_ file: URL) {
        let copy = work.exports.appendingPathComponent(Self.chosen, isDirectory: false)
        try? FileManager.default.removeItem(at: copy)
        do {
            try FileManager.default.copyItem(at: file, to: copy)
            question = .putBack(copy)
        } catch {
            notice = Notice(words: .text(.failureUnreadable), failed: true)
        }
    }

    /// Asks first.
    public func eraseEverything() { question = .erase(sure: false) }

    /// What is typed into the question that gives messages up.
    public func discard(reason: String? = nil, by: String? = nil) {
        guard case .undelivered(var asked)? = question else { return }
        if let reason { asked.reason = reason }
        if let by { asked.by = by }
        question = .undelivered(asked)
    }

    /// No to the question.
    public func dismissQuestion() {
        if replacing { return }
        if let question { forgetCopy(question.change) }
        question = nil
    }

    /// Yes to the question.
    public func confirm() {
        switch question {
        case .putBack?, .erase(sure: true)?: replace(nil)
        case .erase(sure: false)?: question = .erase(sure: true)
        case .undelivered(let asked)? where asked.canDiscard:
            let reason = asked.reason.trimmingCharacters(in: .whitespacesAndNewlines)
            replace(Discard(actor: asked.by.trimmingCharacters(in: .whitespaces), reason: reason))
        default: break
        }
    }

    private func replace(_ discard: Discard?) {
        guard let change = question?.change, !replacing else { return }
        replacing = true
        turns.take { [self] in
            defer { replacing = false }
            do {
                switch change {
                case .putBack(let copy): try await work.gateway.putBack(copy, discarding: discard)
                case .erase: try await erase(discard)
                }
            } catch let failure as GatewayFailure where failure.code == "undelivered" && discard == nil {
                question = .undelivered(
                    UndeliveredQuestion(
                        change: change, lost: failure.count.map { .count(.undelivered, $0) } ?? .text(.undeliveredUnknown),
                        asksName: work.actor == nil, by: work.actor ?? ""))
                return
            } catch {
                question = nil
                forgetCopy(change)
                throw error
            }
            question = nil
            forgetCopy(change)
            notice = Notice(words: .text(change == .erase ? .noticeErased : .noticePutBack))
        }
    }

    private func erase(_ discard: Discard?) async throws {
        let secrets = known.compactMap(\.secret)
        try await work.gateway.erase(discarding: discard)
        for name in secrets {
            do { try work.vault.remove(name) } catch { throw GatewayFailure(code: "secret_unavailable") }
        }
        let exports = [Self.diagnostics, Self.backup, Self.chosen].map { work.exports.appendingPathComponent($0) }
        for file in exports + [work.attachments].compactMap({ $0 }) { try? FileManager.default.removeItem(at: file) }
        work.preferences.actor = ""
        (exported, importFindings) = (nil, [])
    }

    private func forgetCopy(_ change: DataChange) {
        if case .putBack(let copy) = change { try? FileManager.default.removeItem(at: copy) }
    }

    private func draw() {
        endpoints = known.map { line in
            var problem: Phrase?
            let stored = line.secret.map(work.vault.has)
            if !line.enabled {
                // Most reasons say no more than that it is off.
                let telling = line.disabledReason.flatMap { ["gone", "endpoint_corrupt"].contains($0) ? $0 : nil }
                problem = reasonWords(telling ?? "endpoint_disabled")
            } else if stored == false {
                problem = reasonWords("secret_missing")
            } else if let failing = line.failingReason {
                problem = reasonWords(failing)
            }
            let signing: Phrase? = switch stored {
            case true?: .text(.labelSignedHere)
            case false?: nil
            case nil: .text(.labelUnsigned)
            }
            return EndpointRow(
                key: line.key, origin: origin(line.url), enabled: line.enabled, waiting: line.waiting, problem: problem, signing: signing)
        }
    }
}

/// An address without its path, which may hold a secret.
func origin(_ url: String) -> String {
    guard let parts = URLComponents(string: url), let scheme = parts.scheme, let host = parts.host else { return "" }
    return "\(scheme)://\(host)" + (parts.port.map { ":\($0)" } ?? "")
}
