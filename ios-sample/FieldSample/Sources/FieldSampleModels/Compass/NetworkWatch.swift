#if canImport(Network)
import CompassCore
import Dispatch
import Network

/// Tells the gateway what the phone knows of the network, for as long as it exists.
public final class NetworkWatch: Sendable {
    private let monitor = NWPathMonitor()

    public init(_ gateway: CompassGateway) {
        let (paths, told) = AsyncStream.makeStream(of: NWPath.self, bufferingPolicy: .bufferingNewest(1))
        monitor.pathUpdateHandler = { told.yield($0) }
        monitor.start(queue: DispatchQueue(label: "dev.compass.sample.network"))
        Task { [weak gateway] in
            for await path in paths { await gateway?.networkChanged(Connectivity(path)) }
        }
    }

    deinit { monitor.cancel() }
}
#endif
