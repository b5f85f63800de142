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

extension Result where Failure == any Error {
    /// The result, or the error as this package throws it.
    func unlessCancelled() throws -> Success {
        try Task.checkCancellation()
        do { return try get() } catch { throw CompassError.from(error) }
    }
}
