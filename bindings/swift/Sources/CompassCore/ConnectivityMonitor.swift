#if canImport(Network)
import Dispatch
public import Network
#endif

/// Tells a handle what the device knows of the network, for as long as it exists. A handle whose delivery is
/// ``CompassOptions/Delivery/automatic`` has one already; this is for ``CompassOptions/Delivery/manual``.
///
/// On Apple's platforms it listens to `NWPathMonitor`, which cannot say whether the internet was reached (`validated` stays unknown) and has
/// no number of a network: another interface or other gateways count as another network. On others it says nothing, and delivery is
/// attempted.
///
/// ```swift
/// let monitor = ConnectivityMonitor(compass)   // keep it as long as the handle
/// ```
public final class ConnectivityMonitor: Sendable {
    private let stop: @Sendable () -> Void

    /// Begins to listen.
    public init(_ compass: any CompassHandle) {
        let (states, told) = AsyncStream.makeStream(of: Connectivity.self, bufferingPolicy: .bufferingNewest(1))
        let task = Task.detached { [weak compass] in
            var last = Connectivity.unknown
            for await state in states where state != last {
                last = state
                try? await compass?.setConnectivity(state)
            }
        }
        #if canImport(Network)
        let monitor = NWPathMonitor()
        monitor.pathUpdateHandler = { told.yield(Connectivity($0)) }
        monitor.start(queue: DispatchQueue(label: "dev.compass.core.network"))
        stop = {
            monitor.cancel()
            told.finish()
            task.cancel()
        }
        #else
        stop = {
            told.finish()
            task.cancel()
        }
        #endif
    }

    deinit { stop() }
}

#if canImport(Network)
// One for the process: a monitor that takes the place of another goes on with its numbers.
private let numbers = Locked(PathNumber())

extension Connectivity {
    /// What ``ConnectivityMonitor`` makes of a path, for an app that has a monitor of its own.
    public init(_ path: NWPath) {
        let way = path.availableInterfaces.prefix(1).map { "\($0.name) \($0.index)" } + path.gateways.map { "\($0)" }.sorted()
        self.init(
            satisfied: path.status == .satisfied, expensive: path.isExpensive, constrained: path.isConstrained,
            network: numbers.withLock { $0.of(way) })
    }
}
#endif

extension Connectivity {
    /// What a path says. Low Data Mode counts as metered, since a person asked for restraint.
    package init(satisfied: Bool, expensive: Bool, constrained: Bool, network: UInt64) {
        self = satisfied ? .online(validated: nil, metered: expensive || constrained, network: network) : .offline
    }
}
