import CompassCore
#if canImport(Network)
import Dispatch
import Network
#endif

/// What the phone knows of the network, and what the app plays it to be. The core is told what is played.
public final class PhoneNetwork: Sendable {
    public struct State: Equatable, Sendable {
        public internal(set) var told = Connectivity.unknown
        /// "No signal" is played.
        public internal(set) var simulated = false
        public var now: Connectivity { simulated ? .offline : told }
    }

    let state = Watched(State())

    public init() {}

    /// The phone says what it knows.
    public func changed(_ connectivity: Connectivity, telling compass: any CompassHandle) async {
        state.change { $0.told = connectivity }
        try? await tell(compass)
    }

    func simulateOffline(_ simulate: Bool, telling compass: any CompassHandle) async throws {
        state.change { $0.simulated = simulate }
        try await tell(compass)
    }

    func tell(_ compass: any CompassHandle) async throws { try await compass.setConnectivity(state.value.now) }

    #if canImport(Network)
    /// Listens to the phone for as long as what it gives is kept.
    public func watch(_ compass: any CompassHandle) -> any Sendable { NetworkWatch(self, compass) }
    #endif
}

#if canImport(Network)
private final class NetworkWatch: Sendable {
    private let monitor = NWPathMonitor()

    init(_ network: PhoneNetwork, _ compass: any CompassHandle) {
        let (paths, told) = AsyncStream.makeStream(of: NWPath.self, bufferingPolicy: .bufferingNewest(1))
        monitor.pathUpdateHandler = { told.yield($0) }
        monitor.start(queue: DispatchQueue(label: "dev.compass.sample.network"))
        Task { [weak compass] in
            for await path in paths {
                if let compass { await network.changed(Connectivity(path), telling: compass) }
            }
        }
    }

    deinit { monitor.cancel() }
}
#endif
