import Dispatch

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
