#if canImport(BackgroundTasks) && canImport(Security) && os(iOS)
import CompassCore
import Foundation

/// The one handle of the process, with what the phone gives to it: the Keychain, the network's state, background time.
public final class Phone: Sendable {
    public static let shared = Phone()

    /// Also in `BGTaskSchedulerPermittedIdentifiers` of the app's `Info.plist`.
    public static let task = "dev.compass.sample.deliver"

    public struct Opened: Sendable {
        public let gateway: CompassGateway
        public let vault: KeychainVault
        public let place: PlaceFile
        let handles: OneHandle
        let watch: NetworkWatch
    }

    private actor Opening {
        private var task: Task<Opened, any Error>?

        func opened() async throws -> Opened {
            let task = task ?? Task {
                let vault = KeychainVault()
                var options = try CompassOptions.standard()
                options.secrets = vault.store
                let handles = OneHandle(file: options.file) { [options] in try await Compass.open(options) }
                _ = try await handles.handle()
                let gateway = CompassGateway(handles)
                // Beside the database, whose folder can be read from the first unlock on.
                let place = PlaceFile(options.file.deletingLastPathComponent().appendingPathComponent("place", isDirectory: false))
                return Opened(gateway: gateway, vault: vault, place: place, handles: handles, watch: NetworkWatch(gateway))
            }
            self.task = task
            do {
                return try await task.value
            } catch {
                // Tried anew the next time.
                self.task = nil
                throw error
            }
        }
    }

    private let opening = Opening()

    /// Opens the database, once. A `GatewayFailure` says why it cannot be.
    public func opened() async throws -> Opened {
        do {
            return try await told { try await opening.opened() }
        } catch let refused as GatewayFailure {
            throw refused
        } catch {
            // The folder could not even be looked for: the phone is locked.
            throw GatewayFailure(code: "cannot_open")
        }
    }

    /// Delivers while the app does not run. Call it before the launch ends.
    public func registerBackgroundDelivery() {
        BackgroundDelivery.register(identifier: Self.task) { [opening] in try await opening.opened().handles.handle() }
    }
}

/// Secrets in the Keychain; they are written here and read by the core alone.
public struct KeychainVault: SecretVault {
    let store = KeychainSecretStore(service: "dev.compass.sample.webhooks")

    public func put(_ secret: String, named name: String) throws { try store.set(secret, named: name) }

    public func remove(_ name: String) throws { try store.remove(named: name) }

    public func has(_ name: String) -> Bool {
        if case .found = try? store.secret(named: name) { true } else { false }
    }
}
#endif
