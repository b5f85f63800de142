import Foundation

/// How large the app's text is, over what the phone says.
public enum TextSize: String, CaseIterable, Sendable, Codable { case normal, large, largest }

/// What the technician chose for this phone. The defaults are those of a new phone.
public struct Preferences: Hashable, Sendable, Codable {
    /// The technician's name; goes into records.
    public var actor = ""
    public var textSize = TextSize.normal
    public var highContrast = false
    /// Whether the screen stays on in a session.
    public var keepScreenOn = true

    public init() {}
}

/// Keeps preferences; the app does so in `UserDefaults`.
public protocol PreferenceStore: Sendable {
    func load() -> Preferences
    func save(_ preferences: Preferences)
}

/// Keeps secrets, and shows none again; the app does so in the Keychain.
public protocol SecretVault: Sendable {
    func put(_ secret: String, named name: String) throws
    func has(_ name: String) -> Bool
    /// Forgets every one.
    func removeAll() throws
}

/// Preferences, secrets and a place in memory, for tests and previews.
public final class MemoryStore: PreferenceStore, SecretVault, PlaceStore {
    private let preferences = Watched(Preferences())
    private let secrets = Watched<[String: String]>([:])
    private let place: Watched<String?>

    public init(place: String? = nil) { self.place = Watched(place) }
    public func load() -> Preferences { preferences.value }
    public func save(_ preferences: Preferences) { self.preferences.change { $0 = preferences } }
    public func load() -> String? { place.value }
    public func save(_ place: String) { self.place.change { $0 = place } }
    public func put(_ secret: String, named name: String) throws { secrets.change { $0[name] = secret } }
    public func has(_ name: String) -> Bool { secrets.value[name] != nil }
    public func removeAll() throws { secrets.change { $0 = [:] } }
}
