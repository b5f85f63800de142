public import Foundation
package import CompassInternal

/// How a database is opened.
///
/// ```swift
/// var options = try CompassOptions.standard()
/// options.secrets = KeychainSecretStore(service: "com.example.webhooks")
/// let compass = Compass.lazy(options)
/// ```
public struct CompassOptions: Sendable {
    /// Who decides when to deliver.
    public enum Delivery: Sendable {
        /// The package. While the app is in the foreground it delivers in the background of the process. When the app leaves the
        /// foreground, due messages are delivered for up to 20 seconds, and then the handle quiesces. The network is watched automatically,
        /// as ``ConnectivityMonitor`` does.
        case automatic
        /// The app, with ``CompassHandle/flush(deadline:urgent:)``, ``CompassHandle/startDelivery()`` and ``CompassHandle/resume()``.
        case manual
    }

    /// The database file; created if it does not exist, in a folder that exists. On local storage that only the app uses.
    public var file: URL
    /// Looks secrets up. Without one, signed endpoints wait for their secret.
    public var secrets: (any SecretStore)?
    /// Sends requests; when nil the core's own (`https` with bundled certificate authorities). On Apple's platforms a
    /// ``URLSessionTransport`` by default: proxies, managed authorities and VPN of the device. The library for them is built without the
    /// core's own transport, unless told otherwise; opening without one then fails with `invalidOption`. On Linux nil by default.
    public var transport: (any Transport)?
    /// Certificate authorities, in PEM, that the core's own transport trusts beside the bundled ones.
    public var extraRoots: [String] = []
    /// Who decides when to deliver.
    public var delivery = Delivery.automatic
    /// When to try again and when to stop; `RetryPolicy()` when nil.
    public var retry: RetryPolicy?
    /// Finished sessions are deleted this long after their end, as ``CompassHandle/purge(olderThan:)`` does it: a few when the database is
    /// opened, the others with ``CompassHandle/flush(deadline:urgent:)``. When nil they stay until `purge` is called.
    public var retention: Duration?
    /// Bodies of delivered messages are kept this long for review, but not longer than their session; 90 days when nil.
    public var bodyRetention: Duration?
    /// Names the device: if a file is opened that was opened on another one before, its messages are numbered in a new series, because both
    /// devices may go on with it. Only its SHA-256 is stored, in the file, and it is never sent. When nil, `identifierForVendor` where there
    /// is one; an empty text names none. Only the main thread may read that: it is read when the handle or its options are made there, and
    /// otherwise an opening waits for it for a second at most, so that a main thread that waits for the opening does not hang. An opening that
    /// does not get it changes nothing; a later one does.
    public var device: String?
    /// Allows endpoints with plain `http` to a loopback address, for tests and development.
    public var allowPlainHttpToLoopback = false
    /// Begins to watch the network when delivery is ``Delivery/automatic``: a ``ConnectivityMonitor``, unless the app or a test has its
    /// own. The watch calls ``CompassHandle/setConnectivity(_:isolation:)`` of the handle that it gets. The returned object is kept while
    /// the database is open.
    public var watchNetwork: @Sendable (any CompassHandle) -> any Sendable = { ConnectivityMonitor($0) }
    /// Set by `CompassCoreTesting`: makes the next handle on this path use the clock of a test. Called just before the core opens it.
    package var useTestClock: (@Sendable (_ path: String) -> Void)?

    /// For a database in this file. ``standard(name:)`` chooses a file that is left out of backups and readable in the background.
    public init(file: URL) {
        self.file = file
        Self.lookForDevice()
        #if canImport(Darwin)
        transport = URLSessionTransport()
        #else
        transport = nil
        #endif
    }

    /// For a database of this name in the app's private storage: created if it does not exist, left out of backups, readable from the first
    /// unlock on.
    public static func standard(name: String = "compass") throws -> CompassOptions {
        let folder = try DatabaseFolder.prepare()
        return CompassOptions(file: folder.appendingPathComponent("\(name).db", isDirectory: false))
    }

    package func forCore() -> OpenOptions {
        useTestClock?(file.path)
        return OpenOptions(
            path: file.path, secrets: secrets.map(SecretsPort.init), transport: transport.map(TransportPort.init), retry: retry,
            extraRoots: extraRoots, retentionMs: retention.map(\.wholeMilliseconds), bodyRetentionMs: bodyRetention.map(\.wholeMilliseconds),
            device: device ?? Self.vendorDevice(), allowPlainHttpToLoopback: allowPlainHttpToLoopback)
    }

    /// Asks the system early: the main thread makes the options or the handle, and may be blocked when the database is opened.
    package static func lookForDevice() {
        #if canImport(UIKit) && !os(watchOS)
        VendorDevice.shared.look()
        #endif
    }

    private static func vendorDevice() -> String? {
        #if canImport(UIKit) && !os(watchOS)
        return VendorDevice.shared.found()
        #else
        return nil
        #endif
    }
}

extension RetryPolicy {
    /// When to try again and when to stop, unless told otherwise; change what shall differ.
    ///
    /// ```swift
    /// var retry = RetryPolicy()
    /// retry.budgetAge = 7 * 24 * 3600
    /// options.retry = retry
    /// ```
    public init() { self = defaultRetryPolicy() }
}

extension Endpoint {
    /// An endpoint whose messages any network may carry.
    public init(key: String, url: String, signing: Signing, headers: [EndpointHeader] = []) {
        self.init(key: key, url: url, signing: signing, headers: headers, network: .any)
    }
}

extension Duration {
    /// A negative duration counts as 0.
    package var wholeMilliseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1000)
        return overflow ? .max : product.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000_000_000)).partialValue
    }
}
