import CompassCore

/// Why a call changed nothing. Holds nothing that a technician typed, and no secret.
public struct GatewayFailure: Error, Hashable, Sendable {
    /// The core's stable name of the error.
    public let code: String
    public var problems: [Problem] = []
    public var findings: [WorkflowFinding] = []
    /// How many messages would be lost, where that is the reason and the file can be read to count them.
    public var count: Int?
}

/// Who gives undelivered messages up, and why; neither is blank.
public struct Discard: Hashable, Sendable {
    public let actor: String, reason: String
}
