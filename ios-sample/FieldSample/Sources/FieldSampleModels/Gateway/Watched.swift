import Foundation

/// A value that is watched: each flow gives the current value first, then the newest after each change.
// Unchecked: the lock is what makes it safe, and the compiler cannot see that.
public final class Watched<Value: Sendable & Equatable>: @unchecked Sendable {
    private let lock = NSLock()
    private var current: Value
    private var watchers: [UUID: Flow<Value>.Continuation] = [:]

    public init(_ value: Value) { current = value }

    public var value: Value { lock.withLock { current } }

    /// Changes it, and tells everybody if it differs then.
    public func change(_ change: (inout Value) -> Void) {
        lock.withLock {
            let before = current
            change(&current)
            if current != before { for watcher in watchers.values { watcher.yield(current) } }
        }
    }

    public func flow() -> Flow<Value> {
        let (flow, told) = Flow.makeStream(of: Value.self, throwing: (any Error).self, bufferingPolicy: .bufferingNewest(1))
        let id = UUID()
        lock.withLock {
            watchers[id] = told
            told.yield(current)
        }
        told.onTermination = { [weak self] _ in
            guard let self else { return }
            _ = self.lock.withLock { self.watchers.removeValue(forKey: id) }
        }
        return flow
    }
}

extension AsyncSequence where Self: Sendable, Element: Sendable {
    /// The newest of what `change` makes of this sequence; what is skipped is gone. Ends with it.
    func flow<Result: Sendable>(_ change: @escaping @Sendable (Element) async throws -> Result) -> Flow<Result> {
        let (flow, told) = Flow.makeStream(of: Result.self, throwing: (any Error).self, bufferingPolicy: .bufferingNewest(1))
        let task = Task {
            do {
                for try await element in self { told.yield(try await change(element)) }
                told.finish()
            } catch {
                told.finish(throwing: error)
            }
        }
        told.onTermination = { _ in task.cancel() }
        return flow
    }
}
