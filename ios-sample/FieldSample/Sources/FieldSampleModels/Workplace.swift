import Foundation
import Observation

/// What every screen's model works with. One per process.
@MainActor @Observable
public final class Workplace {
    public let gateway: any FieldGateway
    public let navigator: Navigator
    public let vault: any SecretVault
    /// How people type numbers here.
    public let locale: Locale
    /// Where exports go.
    public let exports: URL
    /// Where photos, files and signatures are; gone when everything is erased.
    public let attachments: URL?
    /// Kept as soon as they change.
    public var preferences: Preferences {
        didSet { if preferences != oldValue { store.save(preferences) } }
    }
    private let store: any PreferenceStore

    public init(
        gateway: any FieldGateway, navigator: Navigator, preferences: any PreferenceStore, vault: any SecretVault,
        locale: Locale = .current, exports: URL = FileManager.default.temporaryDirectory, attachments: URL? = nil
    ) {
        (self.gateway, self.navigator, self.vault, self.locale, self.exports) = (gateway, navigator, vault, locale, exports)
        self.attachments = attachments
        store = preferences
        self.preferences = preferences.load()
    }

    /// Whether the screen stays on: in a session and its review, if the technician wants it.
    public var keepsScreenOn: Bool {
        switch navigator.top {
        case .session, .review: preferences.keepScreenOn
        default: false
        }
    }

    /// Who works; none when no name was given.
    var actor: String? {
        let name = preferences.actor.trimmingCharacters(in: .whitespaces)
        return name.isEmpty ? nil : name
    }

    /// An id for a command that adds something, so that repeating it is harmless.
    func newCommand() -> String { UUID().uuidString.lowercased() }
}
