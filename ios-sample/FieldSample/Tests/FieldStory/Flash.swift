import CompassCore
import FieldSampleModels
import Foundation

/// What a phone keeps beside the database: what the technician chose, and secrets in place of the Keychain, which the settings write and
/// the core reads. The next process finds it.
public struct Flash: PreferenceStore, SecretVault, SecretStore {
    private let folder: URL

    public init(_ folder: URL) { self.folder = folder }

    private var preferences: URL { folder.appendingPathComponent("preferences.json") }
    private func secret(_ name: String) -> URL { folder.appendingPathComponent("secret-\(name)") }

    public func load() -> Preferences {
        (try? JSONDecoder().decode(Preferences.self, from: Data(contentsOf: preferences))) ?? Preferences()
    }

    public func save(_ preferences: Preferences) { try? JSONEncoder().encode(preferences).write(to: self.preferences, options: .atomic) }

    public func put(_ secret: String, named name: String) throws { try Data(secret.utf8).write(to: self.secret(name), options: .atomic) }

    public func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: secret(name).path) }

    public func removeAll() throws {
        let files = FileManager.default
        for file in try files.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) where file.lastPathComponent.hasPrefix("secret-") {
            try files.removeItem(at: file)
        }
    }

    public func get(named name: String, origin: String) throws -> SecretLookup {
        guard has(name) else { return .missing }
        return .found(current: try String(contentsOf: secret(name), encoding: .utf8), previous: nil)
    }
}
