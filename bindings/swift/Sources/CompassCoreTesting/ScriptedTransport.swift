public import CompassCore
import Foundation

/// A transport that answers with its script and keeps every request.
///
/// ```swift
/// let transport = ScriptedTransport { number, _ in .answered(TransportResponse(status: number == 1 ? 503 : 202)) }
/// ```
public final class ScriptedTransport: Transport {
    /// Gives the answer to the request with this number, from 1. It may block; `cancel` does not end it.
    public typealias Script = @Sendable (_ number: Int, _ request: TransportRequest) -> TransportOutcome

    private let script: Script
    private let taken = Locked<[TransportRequest]>([])
    private let given = Locked<[UInt64]>([])
    private let renewals = Locked(0)

    /// Answers 202 by default.
    public init(_ script: @escaping Script = { _, _ in .answered(TransportResponse(status: 202)) }) {
        self.script = script
    }

    /// The requests so far.
    public var requests: [TransportRequest] { taken.withLock { $0 } }
    /// The ids that were cancelled.
    public var cancelled: [UInt64] { given.withLock { $0 } }
    /// How often `renew` was called.
    public var renewed: Int { renewals.withLock { $0 } }

    public func send(_ request: TransportRequest) -> TransportOutcome {
        let number = taken.withLock { requests in
            requests.append(request)
            return requests.count
        }
        return script(number, request)
    }

    public func cancel(_ id: UInt64) { given.withLock { $0.append(id) } }
    public func renew() { renewals.withLock { $0 += 1 } }
}
