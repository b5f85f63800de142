#if canImport(BackgroundTasks) && canImport(Security) && os(iOS)
import CompassCore
import Foundation

/// The one handle of the process, with what the phone gives to it: the Keychain, the network's state, background time.
public final class Phone: Sendable {
    public static let shared = Phone()

    /// Also in `BGTaskSchedulerPermittedIdentifiers` of the app's `Info.plist`.
    public static let task = "dev.compass.sample.deliver"

    /// What the app works with; none of it needs an open database.
    public struct Parts: Sendable {
        public let gateway: CompassGateway
        public let vault: KeychainVault
        public let place: PlaceFile
        /// Where exports go: protected and left out of the system's backups, as the database is.
        public let exports: URL
        let handles: OneHandle
    }

    private actor Opening {
        private var made: Parts?
        private var watch: NetworkWatch?

        func parts() throws -> Parts {
            if let made { return made }
            let vault = KeychainVault()
            var options = try CompassOptions.standard()
            options.secrets = vault.store
            let handles = OneHandle(file: options.file) { [options] in try await Compass.open(options) }
            let folder = options.file.deletingLastPathComponent()
            let parts = Parts(
                gateway: CompassGateway(handles), vault: vault,
                // Beside the database, whose folder can be read from the first unlock on.
                place: PlaceFile(folder.appendingPathComponent("place", isDirectory: false)),
                exports: try DatabaseFolder.prepare(folder.appendingPathComponent("exports", isDirectory: true)), handles: handles)
            made = parts
            return parts
        }

        func handle() async throws -> any CompassHandle {
            let parts = try parts()
            let handle = try await parts.handles.handle()
            if watch == nil { watch = NetworkWatch(parts.gateway) }
            return handle
        }
    }

    private let opening = Opening()

    /// Opens nothing. A `GatewayFailure` says why there is no place for it.
    public func parts() async throws -> Parts { try await saying { try await opening.parts() } }

    /// Opens the database, once. A `GatewayFailure` says why it cannot be.
    public func open() async throws { _ = try await saying { try await opening.handle() } }

    private func saying<Value: Sendable>(_ work: () async throws -> Value) async throws -> Value {
        do {
            return try await told(work)
        } catch let refused as GatewayFailure {
            throw refused
        } catch {
            // The folder could not even be looked for: the phone is locked.
            throw GatewayFailure(code: "cannot_open")
        }
    }

    /// Delivers while the app does not run. Call it before the launch ends.
    public func registerBackgroundDelivery() {
        BackgroundDelivery.register(identifier: Self.task) { [opening] in try await opening.handle() }
    }
}

/// Secrets in the Keychain; they are written here and read by the core alone.
public struct KeychainVault: SecretVault {
    let store = KeychainSecretStore(service: "dev.compass.sample.webhooks")

    public func put(_ secret: String, named name: String) throws { try store.set(secret, named: name) }

    public func removeAll() throws { try store.removeAll() }

    public func has(_ name: String) -> Bool {
        if case .found = try? store.secret(named: name) { true } else { false }
    }
}
#endif
