import CompassCore
import Foundation
import Observation

/// What every screen's model works with. One per process.
@MainActor @Observable
public final class Workplace {
    /// The core: the app's one handle, or a fake of it.
    public let compass: any CompassHandle
    public let network: PhoneNetwork
    public let database: any PhoneDatabase
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
        compass: any CompassHandle, network: PhoneNetwork = PhoneNetwork(), database: any PhoneDatabase, navigator: Navigator,
        preferences: any PreferenceStore, vault: any SecretVault, locale: Locale = .current, exports: URL = FileManager.default.temporaryDirectory,
        attachments: URL? = nil
    ) {
        (self.compass, self.network, self.database, self.navigator, self.vault) = (compass, network, database, navigator, vault)
        (self.locale, self.exports, self.attachments) = (locale, exports, attachments)
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
}
