public import Foundation

/// Sends requests for the core. It follows no redirect, retries nothing by itself and treats every status as an answer.
///
/// Its methods are called on threads of the core's own, several at once, and may block. They must not call the core's `flush`, `quiesce`
/// or `close`.
///
/// ```swift
/// final class Refusing: Transport {
///     func send(_ request: TransportRequest) -> TransportOutcome {
///         .failed(TransportFailure(kind: .noNetwork, phase: .connect, requestSent: .no, detail: "off"))
///     }
///     func cancel(_ id: UInt64) {}
/// }
/// ```
public protocol Transport: AnyObject, Sendable {
    /// Sends one request and blocks until the head of the answer, a failure, the timeout, or `cancel`.
    func send(_ request: TransportRequest) -> TransportOutcome
    /// Asks for the request with this id to be given up. It may finish all the same; an unknown id is ignored.
    func cancel(_ id: UInt64)
    /// The process was suspended, or the network is another one: idle connections and cached addresses from before are worth nothing any
    /// more. Running requests go on.
    func renew()
}

extension Transport {
    /// Nothing to renew.
    public func renew() {}
}

/// A POST to send. Printing it shows its number and size, and nothing of what it holds.
///
/// ```swift
/// let id = request.header("webhook-id")
/// ```
public struct TransportRequest: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// Names this attempt in `cancel`.
    public let id: UInt64
    /// Where to.
    public let url: String
    /// All headers, with lower-case names, except those the transport sets itself: `host`, `content-length`, `user-agent`.
    public let headers: [TransportHeader]
    /// The exact bytes to send.
    public let body: Data
    /// For the whole attempt.
    public let timeout: Duration

    /// A request as the core would make it.
    public init(id: UInt64, url: String, headers: [TransportHeader], body: Data, timeout: Duration) {
        self.id = id
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
    }

    /// The value of the first header of this lower-case name.
    public func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// Number and size.
    public var description: String { "TransportRequest(\(id), \(body.count) bytes)" }
    /// Nothing inside is shown.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A header of a request. Its value may be a secret, and is not printed.
///
/// ```swift
/// let header = TransportHeader(name: "x-tenant", value: "north")
/// ```
public struct TransportHeader: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// Lower-case name.
    public let name: String
    /// Value.
    public let value: String

    /// A header.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    /// The name.
    public var description: String { "\(name): …" }
    /// The value is not shown.
    public var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}

/// An answer whose status line was read.
///
/// ```swift
/// let busy = TransportResponse(status: 503, headers: ["retry-after": "60"])
/// ```
public struct TransportResponse: Hashable, Sendable {
    /// The status code.
    public let status: UInt16
    /// The headers; the case of names does not matter.
    public let headers: [String: String]
    /// At most the first 4 KiB of the answer's body, best effort.
    public let body: Data

    /// An answer.
    public init(status: UInt16, headers: [String: String] = [:], body: Data = Data()) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// What became of a request.
///
/// ```swift
/// return .answered(TransportResponse(status: 202))
/// ```
public enum TransportOutcome: Hashable, Sendable {
    /// A status line was read.
    case answered(TransportResponse)
    /// None was.
    case failed(TransportFailure)
}
