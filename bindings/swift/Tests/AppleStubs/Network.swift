// Only what the package uses of Network, as Apple declares it.
@_exported import Dispatch

public struct NWPath: Sendable {
    public enum Status: Sendable { case satisfied, unsatisfied, requiresConnection }
    public let status: Status
    public let isExpensive: Bool
    public let isConstrained: Bool
    public let availableInterfaces: [NWInterface]
    public let gateways: [NWEndpoint]
}

public struct NWInterface: Hashable, Sendable {
    public let name: String
    public let index: Int
}

public enum NWEndpoint: Hashable, Sendable { case opaque(String) }

public final class NWPathMonitor: @unchecked Sendable {
    public init() {}
    public var pathUpdateHandler: (@Sendable (_ newPath: NWPath) -> Void)?
    public func start(queue: DispatchQueue) {}
    public func cancel() {}
}
