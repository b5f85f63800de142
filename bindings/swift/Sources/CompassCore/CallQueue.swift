import Dispatch
package import Foundation

/// Runs blocking calls off the caller's thread, a few at a time, and never on Swift's cooperative pool. They may overtake each other.
package final class CallQueue: Sendable {
    private let queue: OperationQueue

    package init(name: String, width: Int, quality: QualityOfService) {
        queue = OperationQueue()
        queue.name = name
        queue.maxConcurrentOperationCount = width
        queue.qualityOfService = quality
    }

    /// Runs a call. If the task is cancelled before the call begins, it does not begin; otherwise it runs to its end, and its result is
    /// dropped.
    package func call<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        let cancelled = Locked(false)
        let result: Result<Value, any Error> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                queue.addOperation {
                    if cancelled.withLock({ $0 }) {
                        continuation.resume(returning: .failure(CancellationError()))
                    } else {
                        continuation.resume(returning: Result { try work() })
                    }
                }
            }
        } onCancel: {
            cancelled.withLock { $0 = true }
        }
        return try result.unlessCancelled()
    }
}

/// Carries calls out one after the other, in the order in which they were made, off the caller's thread and off the cooperative pool.
package final class WriteQueue: Sendable {
    private let queue: DispatchQueue
    private let beside: DispatchQueue

    init(name: String) {
        queue = DispatchQueue(label: name, qos: .userInitiated)
        beside = DispatchQueue(label: name + ".beside", qos: .utility)
    }

    /// Runs a call. It takes its place before the first `await`: an asynchronous function without an actor moves to the global executor
    /// before its first line, and there two calls may change places. Once it has its place it is carried out; cancelling the task drops
    /// only the result.
    ///
    /// - Parameter always: Also for a task that is cancelled already.
    package func call<Value: Sendable>(
        on caller: isolated (any Actor)?, always: Bool = false, _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        if !always { try Task.checkCancellation() }
        let result: Result<Value, any Error> = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: Result { try work() }) }
        }
        return try result.unlessCancelled()
    }

    /// Begins a call in its turn; later calls go on meanwhile: for long calls that work in short transactions.
    package func begin<Value: Sendable>(
        on caller: isolated (any Actor)?, _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try Task.checkCancellation()
        let result: Result<Value, any Error> = await withCheckedContinuation { continuation in
            queue.async { [beside] in beside.async { continuation.resume(returning: Result { try work() }) } }
        }
        return try result.unlessCancelled()
    }
}

extension Result where Failure == any Error {
    /// The result, or the error as this package throws it.
    fileprivate func unlessCancelled() throws -> Success {
        try Task.checkCancellation()
        do { return try get() } catch { throw CompassError.from(error) }
    }
}
