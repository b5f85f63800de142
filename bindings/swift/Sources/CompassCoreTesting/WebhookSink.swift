import CompassCore
import Dispatch
public import Foundation

/// A receiver of webhooks on loopback that keeps what it gets.
///
/// It speaks plain HTTP: open the handle with `allowPlainHttpToLoopback` (`.testing(transport: nil)` does), and register ``url`` as the
/// endpoint's. In a test of an app for Apple's platforms pass a `URLSessionTransport`; the app's `Info.plist` then needs
/// `NSAllowsLocalNetworking`.
///
/// ```swift
/// let office = try WebhookSink()
/// try await compass.putEndpoint(Endpoint(key: "office", url: office.url, signing: .standardWebhooks(secret: "office-secret")))
/// _ = try await compass.flush()
/// let webhook = try await office.next()
/// XCTAssertTrue(webhook.isSigned(with: "whsec_…"))
/// office.close()
/// ```
public final class WebhookSink: Sendable {
    /// Gives the answer to a webhook, on a thread of its own; may block.
    public typealias Answer = @Sendable (_ webhook: ReceivedWebhook) -> SinkAnswer

    /// No webhook came in time, or the sink is closed.
    public struct NoWebhook: Error, CustomStringConvertible {
        /// Says so.
        public let description = "no webhook came in time"
    }

    private struct State {
        var closed = false
        var open: Set<Int32> = []
        var received: [ReceivedWebhook] = []
        /// How many of these were given to somebody who waited.
        var given = 0
        var waiting: [UInt64: CheckedContinuation<ReceivedWebhook, any Error>] = [:]
        var order: [UInt64] = []
        var waiters: UInt64 = 0

        mutating func take(_ waiter: UInt64) -> CheckedContinuation<ReceivedWebhook, any Error>? {
            order.removeAll { $0 == waiter }
            return waiting.removeValue(forKey: waiter)
        }
    }

    /// Where it listens.
    public let url: String

    private let listener: Int32
    private let port: UInt16
    private let answer: Answer
    private let state = Locked(State())

    /// Listens on a free port.
    ///
    /// - Parameter answer: Gives the answer to a webhook. 202 by default.
    public init(_ answer: @escaping Answer = { _ in SinkAnswer(status: 202) }) throws {
        (listener, port) = try Loopback.listen()
        url = "http://127.0.0.1:\(port)/hooks"
        self.answer = answer
        Thread.detachNewThread { [listener, weak self] in
            while true {
                let connection = Loopback.accept(listener)
                guard let connection, let sink = self, !sink.isClosed else {
                    connection.map(Loopback.end)
                    break
                }
                sink.begin(connection)
            }
            Loopback.end(listener)
        }
    }

    deinit { close() }

    /// Everything it got, in order.
    public var received: [ReceivedWebhook] { state.withLock { $0.received } }

    /// The next webhook that was not given yet. The core reads the answer, and records it, a moment later: wait for `observeRecord` before you
    /// look at the status or erase the database.
    ///
    /// - Throws: ``NoWebhook`` if none comes in time.
    public func next(within limit: Duration = .seconds(10)) async throws -> ReceivedWebhook {
        let waiter = state.withLock { state in
            state.waiters += 1
            return state.waiters
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                wait(waiter, continuation)
                let milliseconds = Int(clamping: limit.wholeMilliseconds)
                DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [weak self] in
                    self?.fail(waiter, NoWebhook())
                }
                if Task.isCancelled { fail(waiter, CancellationError()) }
            }
        } onCancel: {
            fail(waiter, CancellationError())
        }
    }

    /// Ends it, and every connection to it.
    public func close() {
        let (isFirst, waiting) = state.withLock { state in
            defer { (state.closed, state.waiting, state.order) = (true, [:], []) }
            // Who serves a connection ends it, and takes it out before that.
            state.open.forEach(Loopback.stop)
            return (!state.closed, Array(state.waiting.values))
        }
        waiting.forEach { $0.resume(throwing: NoWebhook()) }
        guard isFirst else { return }
        // What waits for a connection gets one, and sees that it is over.
        Loopback.touch(port)
    }

    private var isClosed: Bool { state.withLock { $0.closed } }

    private func wait(_ waiter: UInt64, _ continuation: CheckedContinuation<ReceivedWebhook, any Error>) {
        let ready: Result<ReceivedWebhook, any Error>? = state.withLock { state in
            if state.given < state.received.count {
                state.given += 1
                return .success(state.received[state.given - 1])
            }
            if state.closed { return .failure(NoWebhook()) }
            state.waiting[waiter] = continuation
            state.order.append(waiter)
            return nil
        }
        if let ready { continuation.resume(with: ready) }
    }

    private func fail(_ waiter: UInt64, _ error: any Error) {
        state.withLock { $0.take(waiter) }?.resume(throwing: error)
    }

    private func keep(_ webhook: ReceivedWebhook) {
        let waiter = state.withLock { state -> CheckedContinuation<ReceivedWebhook, any Error>? in
            state.received.append(webhook)
            guard let first = state.order.first else { return nil }
            state.given += 1
            return state.take(first)
        }
        waiter?.resume(returning: webhook)
    }

    private func begin(_ connection: Int32) {
        state.withLock { _ = $0.open.insert(connection) }
        Thread.detachNewThread { [self] in
            if let webhook = Loopback.read(connection) {
                keep(webhook)
                Loopback.write(answer(webhook), to: connection)
            }
            state.withLock { state in
                state.open.remove(connection)
                // Under the lock: the number may belong to somebody else at once.
                Loopback.end(connection)
            }
        }
    }
}

/// A webhook that was received.
///
/// ```swift
/// XCTAssertEqual(webhook.headers["compass-attempt"], "1")
/// ```
public struct ReceivedWebhook: Hashable, Sendable {
    /// The path of the request.
    public let path: String
    /// The headers by their lower-case names.
    public let headers: [String: String]
    /// The exact bytes.
    public let body: Data

    /// A webhook as it came.
    public init(path: String, headers: [String: String], body: Data) {
        (self.path, self.headers, self.body) = (path, headers, body)
    }

    /// The body as text.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The same in every attempt for the same message.
    public var id: String { headers["webhook-id"] ?? "" }

    /// Whether one of its signatures is that of `secret` (`whsec_` and base64), as Standard Webhooks defines it. The time is not checked.
    public func isSigned(with secret: String) -> Bool {
        let prefix = "whsec_"
        guard secret.hasPrefix(prefix), let key = Data(base64Encoded: String(secret.dropFirst(prefix.count))) else { return false }
        let signed = Data("\(id).\(headers["webhook-timestamp"] ?? "").".utf8) + body
        let expected = "v1," + Data(Sha256.hmac(of: signed, key: key)).base64EncodedString()
        return (headers["webhook-signature"] ?? "").split(separator: " ").contains { $0 == expected }
    }
}

/// The answer of a ``WebhookSink``.
///
/// ```swift
/// let busy = try WebhookSink { _ in SinkAnswer(status: 503, headers: ["retry-after": "120"]) }
/// ```
public struct SinkAnswer: Hashable, Sendable {
    /// The status code.
    public let status: UInt16
    /// Headers other than those of the connection.
    public let headers: [String: String]
    /// The body of the answer.
    public let body: Data

    /// An answer.
    public init(status: UInt16, headers: [String: String] = [:], body: Data = Data()) {
        (self.status, self.headers, self.body) = (status, headers, body)
    }
}
