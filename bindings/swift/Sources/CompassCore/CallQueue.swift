import Foundation

/// Takes blocking calls off the caller's thread, a few at a time, and never onto Swift's cooperative pool.
package final class CallQueue: Sendable {
    private let queue: OperationQueue

    init(name: String, width: Int, quality: QualityOfService) {
        queue = OperationQueue()
        queue.name = name
        queue.maxConcurrentOperationCount = width
        queue.qualityOfService = quality
    }

    /// Runs a call. What has not begun when the task is cancelled does not begin; what has, runs to its end, and its result is dropped.
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
        try Task.checkCancellation()
        do {
            return try result.get()
        } catch {
            throw CompassError.from(error)
        }
    }
}
