#if canImport(Network)
import Dispatch
import Network
#endif

/// Tells a handle what the device knows of the network, for as long as it exists.
///
/// On Apple's platforms it listens to `NWPathMonitor`, which cannot say whether the internet was reached (`validated` stays unknown). On
/// others it says nothing, and delivery is attempted.
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
        monitor.pathUpdateHandler = { path in
            told.yield(Connectivity(satisfied: path.status == .satisfied, expensive: path.isExpensive, constrained: path.isConstrained))
        }
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

extension Connectivity {
    /// What a path says. Low Data Mode counts as metered, since a person asked for restraint.
    package init(satisfied: Bool, expensive: Bool, constrained: Bool) {
        self = satisfied ? .online(validated: nil, metered: expensive || constrained) : .offline
    }
}
