import Dispatch
#if canImport(Network)
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
    private let first: DispatchSemaphore

    /// Begins to watch.
    public convenience init(_ compass: any CompassHandle) {
        let (states, reports) = AsyncStream.makeStream(of: Connectivity.self, bufferingPolicy: .bufferingNewest(1))
        #if canImport(Network)
        let monitor = NWPathMonitor()
        monitor.pathUpdateHandler = { reports.yield(Connectivity($0)) }
        monitor.start(queue: DispatchQueue(label: "dev.compass.core.network"))
        self.init(compass, reporting: states) {
            monitor.cancel()
            reports.finish()
        }
        #else
        // Nothing will come.
        reports.finish()
        self.init(compass, reporting: states) {}
        #endif
    }

    /// Reports these states, until `stop` ends them.
    package init(_ compass: any CompassHandle, reporting states: AsyncStream<Connectivity>, stop: @escaping @Sendable () -> Void) {
        let first = DispatchSemaphore(value: 0)
        let task = Task.detached { [weak compass] in
            var last: Connectivity?
            for await state in states where state != last {
                try? await compass?.setConnectivity(state)
                if last == nil { first.signal() }
                last = state
            }
            if last == nil { first.signal() }
        }
        self.first = first
        self.stop = {
            stop()
            task.cancel()
        }
    }

    deinit { stop() }

    /// Waits until the network has been reported once, a second at most: a system that says nothing stops no delivery. Blocks.
    package func waitForFirst() {
        if first.wait(timeout: .now() + .seconds(1)) == .success { first.signal() }
    }
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
