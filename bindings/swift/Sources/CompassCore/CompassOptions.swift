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
    /// Who sends requests.
    public enum Sending: Sendable {
        /// ``URLSessionTransport``: proxies, managed authorities and VPN of the device. The default on Apple's platforms.
        case urlSession
        /// The core's own HTTP client with the roots it brings and these, in PEM. The default on Linux. The library for Apple's platforms is
        /// built without it unless told otherwise; opening fails with `invalidOption` then.
        case builtIn(extraRoots: [String] = [])
        /// The app's.
        case custom(any Transport)
    }

    /// Who decides when to deliver.
    public enum Delivery: Sendable {
        /// The package: in the background of the process while the app is in the foreground; when it leaves, what is due is delivered
        /// for up to 20 seconds, and then the handle quiesces. The network is watched by itself, as ``ConnectivityMonitor`` does.
        case automatic
        /// The app, with ``CompassHandle/flush(deadline:urgent:)``, ``CompassHandle/startDelivery()`` and ``CompassHandle/resume()``.
        case manual
    }

    /// The database file; made when it is not there, in a folder that is.
    public var file: URL
    /// Looks secrets up. Without one, signed endpoints wait for their secret.
    public var secrets: (any SecretStore)?
    /// Who sends requests.
    public var sending: Sending
    /// Who decides when to deliver.
    public var delivery = Delivery.automatic
    /// When to try again and when to stop; `RetryPolicy()` when absent.
    public var retry: RetryPolicy?
    /// Finished sessions go this long after their end, as ``CompassHandle/purge(olderThan:)`` takes them: a few when the database is opened, the
    /// others with ``CompassHandle/flush(deadline:urgent:)``. When absent they stay until `purge` is called.
    public var retention: Duration?
    /// Bodies of delivered messages are kept this long for review, and go when sessions do; 90 days when absent.
    public var bodyRetention: Duration?
    /// Allows endpoints with plain `http` to a loopback address, for tests and development.
    public var allowsPlainHTTPToLoopback = false
    /// Begins to watch the network where delivery is ``Delivery/automatic``: a ``ConnectivityMonitor``, unless the app or a test has a watch of its
    /// own. That tells the handle that it is given, by ``CompassHandle/setConnectivity(_:isolation:)``. What is returned is kept while the database
    /// is open.
    public var watchNetwork: @Sendable (any CompassHandle) -> any Sendable = { ConnectivityMonitor($0) }
    /// Set by `CompassCoreTesting`: tells the core, just before it opens this path, by which clock the handle goes.
    package var useTestClock: (@Sendable (_ path: String) -> Void)?

    /// For a database in this file. ``standard(name:)`` picks a file that is excluded from backups and readable in the background.
    public init(file: URL) {
        self.file = file
        #if canImport(Darwin)
        sending = .urlSession
        #else
        sending = .builtIn()
        #endif
    }

    /// For a database of this name in the app's private storage: made if missing, left out of backups, readable from the first unlock on.
    public static func standard(name: String = "compass") throws -> CompassOptions {
        let folder = try DatabaseFolder.prepare()
        return CompassOptions(file: folder.appendingPathComponent("\(name).db", isDirectory: false))
    }

    package func forCore() -> OpenOptions {
        var roots: [String] = []
        var transport: (any Transport)?
        switch sending {
        case .urlSession: transport = URLSessionTransport()
        case .builtIn(let extra): roots = extra
        case .custom(let custom): transport = custom
        }
        useTestClock?(file.path)
        return OpenOptions(
            path: file.path, secrets: secrets.map(SecretsPort.init), transport: transport.map(TransportPort.init), retry: retry,
            extraRoots: roots, retentionMs: retention.map(\.wholeMilliseconds), bodyRetentionMs: bodyRetention.map(\.wholeMilliseconds),
            allowPlainHttpToLoopback: allowsPlainHTTPToLoopback)
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
    /// Not below zero.
    package var wholeMilliseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1000)
        return overflow ? .max : product.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000_000_000)).partialValue
    }
}
