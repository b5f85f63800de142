import Foundation

/// A value that is watched: each sequence gives the current value first, then the newest after each change.
// Unchecked: the lock is what makes it safe, and the compiler cannot see that.
public final class Watched<Value: Sendable & Equatable>: @unchecked Sendable {
    private let lock = NSLock()
    private var current: Value
    private var watchers: [UUID: AsyncStream<Void>.Continuation] = [:]

    public init(_ value: Value) { current = value }

    public var value: Value { lock.withLock { current } }

    /// Changes it, and tells everybody if it differs then.
    public func change(_ change: (inout Value) -> Void) {
        let told: [AsyncStream<Void>.Continuation] = lock.withLock {
            let before = current
            change(&current)
            return current == before ? [] : Array(watchers.values)
        }
        // Not under the lock: a task that is being cancelled holds one of the runtime's, which waking it takes, and comes for ours.
        for watcher in told { watcher.yield() }
    }

    public func values() -> AsyncMapSequence<AsyncStream<Void>, Value> {
        let (changes, told) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = UUID()
        lock.withLock { watchers[id] = told }
        told.onTermination = { [weak self] _ in
            guard let self else { return }
            _ = self.lock.withLock { self.watchers.removeValue(forKey: id) }
        }
        told.yield()
        // What is told is that it changed; what it is now is looked up, so that the last one told is never an older one.
        return changes.map { [self] _ in value }
    }
}
