#if canImport(Network)
import Dispatch
public import Network
#endif

/// Reports to a handle what the device knows of the network, as long as the monitor exists. A handle whose delivery is
/// ``CompassOptions/Delivery/automatic`` has one already; this is for ``CompassOptions/Delivery/manual``.
///
/// On Apple's platforms it uses `NWPathMonitor`, which cannot say whether the internet was reached (`validated` stays unknown) and has no
/// number for a network: another interface or other gateways count as another network. On other platforms it reports nothing, and attempts
/// are made without that knowledge.
///
/// ```swift
/// let monitor = ConnectivityMonitor(compass)   // keep it as long as the handle
/// ```
public final class ConnectivityMonitor: Sendable {
    private let stop: @Sendable () -> Void

    /// Begins to watch.
    public init(_ compass: any CompassHandle) {
        let (states, reports) = AsyncStream.makeStream(of: Connectivity.self, bufferingPolicy: .bufferingNewest(1))
        let task = Task.detached { [weak compass] in
            var last = Connectivity.unknown
            for await state in states where state != last {
                last = state
                try? await compass?.setConnectivity(state)
            }
        }
        #if canImport(Network)
        let monitor = NWPathMonitor()
        monitor.pathUpdateHandler = { reports.yield(Connectivity($0)) }
        monitor.start(queue: DispatchQueue(label: "dev.compass.core.network"))
        stop = {
            monitor.cancel()
            reports.finish()
            task.cancel()
        }
        #else
        stop = {
            reports.finish()
            task.cancel()
        }
        #endif
    }

    deinit { stop() }
}

#if canImport(Network)
// One for the process: the next monitor goes on with the numbers of the one before.
private let numbers = Locked(PathNumber())

extension Connectivity {
    /// A path as ``ConnectivityMonitor`` reports it, for an app that has a monitor of its own.
    public init(_ path: NWPath) {
        let way = path.availableInterfaces.prefix(1).map { "\($0.name) \($0.index)" } + path.gateways.map { "\($0)" }.sorted()
        self.init(
            satisfied: path.status == .satisfied, expensive: path.isExpensive, constrained: path.isConstrained,
            network: numbers.withLock { $0.of(way) })
    }
}
#endif

extension Connectivity {
    /// The meaning of a path. Low Data Mode counts as metered, because the person wants to save data.
    package init(satisfied: Bool, expensive: Bool, constrained: Bool, network: UInt64) {
        self = satisfied ? .online(validated: nil, metered: expensive || constrained, network: network) : .offline
    }
}
