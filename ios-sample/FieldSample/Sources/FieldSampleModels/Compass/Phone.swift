#if canImport(BackgroundTasks) && canImport(Security) && os(iOS)
import CompassCore
import Foundation

/// The one handle of the process, with what the phone gives to it: the Keychain, the network's state, background time.
@MainActor
public final class Phone {
    public static let shared = Phone()

    /// Also in `BGTaskSchedulerPermittedIdentifiers` of the app's `Info.plist`.
    public static let task = "dev.compass.sample.deliver"

    public let compass: Compass
    public let network = PhoneNetwork()
    public let database: CompassDatabase
    public let vault = KeychainVault()

    /// Where the app keeps what is no session.
    public struct Places: Sendable {
        public let place: PlaceFile
        /// Where exports go: protected and left out of the system's backups, as the database is.
        public let exports: URL
    }

    private init() {
        compass = Compass.lazy { [network, vault] in
            var options = try CompassOptions.standard()
            options.secrets = vault.store
            options.watchNetwork = { network.watch($0) }
            return options
        }
        database = CompassDatabase(compass, network) { try CompassOptions.standard().file }
    }

    /// Opens nothing. A `CompassError` says why there is no place for it.
    public func places() throws -> Places {
        do {
            let folder = try DatabaseFolder.prepare()
            return Places(
                // Beside the database, whose folder can be read from the first unlock on.
                place: PlaceFile(folder.appendingPathComponent("place", isDirectory: false)),
                exports: try DatabaseFolder.prepare(folder.appendingPathComponent("exports", isDirectory: true)))
        } catch {
            // The folder could not even be looked for: the phone is locked.
            throw CompassError(code: .cannotOpen)
        }
    }

    /// Delivers while the app does not run. Call it before the launch ends.
    public func registerBackgroundDelivery() {
        BackgroundDelivery.register(identifier: Self.task, for: compass)
    }
}

/// Secrets in the Keychain; they are written here and read by the core alone.
public struct KeychainVault: SecretVault {
    let store = KeychainSecretStore(service: "dev.compass.sample.webhooks")

    public func put(_ secret: String, named name: String) throws { try store.set(secret, named: name) }

    public func removeAll() throws { try store.removeAll() }

    public func has(_ name: String) -> Bool {
        if case .found = store.get(named: name) { true } else { false }
    }
}
#endif
