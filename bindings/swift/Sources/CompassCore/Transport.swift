public import Foundation

/// Sends requests for the core. ``URLSessionTransport`` is one; write your own to send in another way, or to test the effect of an answer.
///
/// It follows no redirect, retries nothing and treats every status as an answer.
///
/// Its methods are called on threads of the core's, several at once; `send` may block. They must not call the core's `flush`, `quiesce` or
/// `close`.
///
/// ```swift
/// final class Refusing: Transport {
///     func send(_ request: TransportRequest) -> TransportOutcome {
///         .failed(TransportFailure(kind: .noNetwork, phase: .connect, requestSent: .no, detail: "off"))
///     }
/// }
/// ```
public protocol Transport: AnyObject, Sendable {
    /// Sends one request and blocks until the head of the answer, a failure, the timeout, or `cancel`.
    func send(_ request: TransportRequest) -> TransportOutcome
    /// Asks to cancel the request with this id. It may still finish; an unknown id is ignored. Must not block.
    func cancel(_ id: UInt64)
    /// The process was suspended, or the network is another one: idle connections and cached addresses from before must not be used again.
    /// Running requests go on. Must not block.
    func renew()
}

extension Transport {
    /// Does nothing.
    public func cancel(_ id: UInt64) {}
    /// Does nothing.
    public func renew() {}
}

/// A POST to send. Printing it shows its id and size, but neither its address nor its contents.
///
/// ```swift
/// let id = request.header("webhook-id")
/// ```
public struct TransportRequest: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// Names this attempt in `cancel`.
    public let id: UInt64
    /// The address.
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

    /// Id and size.
    public var description: String { "TransportRequest(\(id), \(body.count) bytes)" }
    /// Shows no contents.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A header. Printing it leaves the value out: it may be a secret.
///
/// ```swift
/// let header = TransportHeader(name: "x-tenant", value: "north")
/// ```
public struct TransportHeader: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// In lower case in requests of the core; in answers in any case.
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
/// let busy = TransportResponse(status: 503, headers: [TransportHeader(name: "retry-after", value: "60")])
/// ```
public struct TransportResponse: Hashable, Sendable {
    /// The status code.
    public let status: UInt16
    /// The headers; the case of names does not matter.
    public let headers: [TransportHeader]
    /// At most the first 4 KiB of the answer's body, if the transport has it; the core decides without it.
    public let body: Data

    /// An answer.
    public init(status: UInt16, headers: [TransportHeader] = [], body: Data = Data()) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// The outcome of a request.
///
/// ```swift
/// return .answered(TransportResponse(status: 202))
/// ```
public enum TransportOutcome: Hashable, Sendable {
    /// A status line was read, with any status.
    case answered(TransportResponse)
    /// No status line was read: why, how far it came, and whether the request may have arrived. When in doubt, say that it may.
    case failed(TransportFailure)
}
